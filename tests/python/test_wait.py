# SPDX-License-Identifier: MIT

"""The change counter: waiting for it, in one's own thread and with main loops; and its signal."""

import gc
import os
import threading
import time

import numpy as np
from array_support import NAME, READ, ArrayTestCase, Error
from process_support import (
    Child, Thread, finish, iterate_until, later, let_sleep, sleeps, wait_until,
)
from support import Gio, GLib, GObject, Shnd, count_handles, diagnose, main

MAX = 2**64 - 1


def find_watchers():
    """The threads of the library. They name themselves when they begin to run."""
    found = []
    for task in os.listdir('/proc/self/task'):
        try:
            with open(f'/proc/self/task/{task}/comm', encoding='ascii') as file:
                if file.read().strip() == 'shnd-watch':
                    found.append(task)
        except OSError:
            pass
    return found


def let_watchers_end():
    """They stay for a while, for what may come next."""
    wait_until(lambda: not find_watchers())


class WaitTestCase(ArrayTestCase):
    def setUp(self):
        self.array = Shnd.Array.new(NAME, 'i8', 4)
        self.reader = Shnd.Array.open(NAME, READ)

    def tearDown(self):
        # What ran the test may keep it.
        self.array.close()
        self.reader.close()
        super().tearDown()


class Wait(WaitTestCase):
    def test_counter(self):
        self.assertEqual(self.array.sequence, 0)
        self.assertIs(self.array.update(), True)
        self.array.reshape(2, 2).update()
        self.assertEqual(self.array.sequence, 2)
        self.assertEqual(self.reader.sequence, 2)
        self.assertEqual(self.reader.index(0, 1).sequence, 2)
        self.assertEqual(self.reader.get_sequence(), 2)
        self.assertEqual(self.reader.get_property('sequence'), 2)
        # It is what counts all writers, of whatever process.
        with Child(lambda connection: Shnd.Array.open(NAME).update()) as child:
            self.assertEqual(child.join(), 0)
        self.assertEqual(self.array.sequence, 3)
        self.array.close()
        self.assertEqual(self.array.sequence, 0)
        self.assert_error(Error.CLOSED, 'closed', self.array.update)
        self.assert_error(Error.CLOSED, 'closed', self.array.wait)

    def test_what_has_been_is_not_waited_for(self):
        self.array.update()
        for since in (0, 2, MAX, np.int64(0)):
            self.assertEqual(self.reader.wait(since), 1)
            self.assertEqual(self.reader.wait(since, timeout=0), 1)
            self.assertEqual(Thread(self.reader.wait, since).join(), 1)

    def test_next(self):
        for waiter in (self.array, self.reader, self.reader.slice(0, 1, 3)):
            for arguments in ((), (None,), (True,)):
                before = self.array.sequence
                thread = Thread(waiter.wait, *(before if x else x for x in arguments))
                let_sleep(1, thread=thread)
                self.assertTrue(thread.is_alive())
                self.array.update()
                self.assertEqual(thread.join(), before + 1)
                # And in the main thread.
                thread = Thread(lambda: (time.sleep(0.05), self.array.update()))
                self.assertEqual(waiter.wait(before + 1), before + 2)
                thread.join()

    def test_what_was_written_is_seen(self):
        def run(connection):
            array = Shnd.Array.open(NAME)
            sequence = 0
            while sequence < 200:
                sequence = array.wait(sequence)
                assert array[0] >= sequence
                array[1] = sequence
                array.update()
                sequence += 1

        with Child(run) as child:
            for i in range(0, 200, 2):
                self.array[0] = i + 1
                self.array.update()
                self.assertEqual(self.array.wait(i + 1, timeout=60), i + 2)
                self.assertEqual(self.array[1], i + 1)
            self.assertEqual(child.join(), 0)

    def test_timeouts(self):
        for timeout in (0, 0.01, 0.25):
            start = time.monotonic()
            self.assert_error(Error.TIMED_OUT, 'was not updated in time',
                              lambda: self.reader.wait(timeout=timeout))
            self.assertGreaterEqual(time.monotonic() - start, timeout)
            thread = Thread(self.reader.wait, 0, timeout=timeout)
            self.assert_error(Error.TIMED_OUT, NAME, thread.join)
        self.assert_all_refused({
            TypeError: ('1', 1.0, True, [1]),
            OverflowError: (-1, 2**64),
        }, self.array.wait)
        with self.assertRaises(ValueError):
            self.array.wait(timeout=-1)
        with self.assertRaises(TypeError):
            self.array.wait(0, 1)

    def test_cancel(self):
        cancellable = Gio.Cancellable()
        for in_main in (False, True):
            if in_main:
                thread = Thread(lambda: (time.sleep(0.05), cancellable.cancel()))
                call = self.reader.wait
            else:
                thread = Thread(self.reader.wait, cancellable=cancellable)
                let_sleep(1, thread=thread)
                cancellable.cancel()
                call = thread.join
            with self.assertRaises(GLib.Error) as caught:
                call(cancellable=cancellable) if in_main else call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
            thread.join() if in_main else None
            cancellable.reset()

    def test_close_while_waiting(self):
        thread = Thread(self.reader.wait)
        let_sleep(1, thread=thread)
        self.reader.close()
        self.assert_error(Error.CLOSED, 'closed', thread.join)
        # In the main thread.
        view = self.array.slice(0, 0, 2)
        thread = Thread(lambda: (time.sleep(0.05), view.close()))
        self.assert_error(Error.CLOSED, 'closed', view.wait)
        thread.join()

    def test_thousand_waiters(self):
        n_processes, n_threads = 4, 250

        def run(connection):
            array = Shnd.Array.open(NAME, READ)
            threading.stack_size(128 * 1024)
            threads = [Thread(array.wait, 0) for _ in range(n_threads)]
            connection.send('ready')
            connection.send([thread.join() for thread in threads])

        children = [Child(run) for _ in range(n_processes)]
        for child in children:
            self.assertEqual(child.receive(), 'ready')
            let_sleep(n_threads, child.pid)
        asleep = sum(sleeps(child.pid) for child in children)
        start = time.monotonic()
        self.array.update()
        for child in children:
            self.assertEqual(child.receive(), [1] * n_threads)
        diagnose(f'{asleep} sleeping threads woken in {(time.monotonic() - start) * 1000:.0f} ms')
        for child in children:
            self.assertEqual(child.join(), 0)


class Async(WaitTestCase):
    def wait(self, since=None, cancellable=None, **kwargs):
        return finish(lambda done: self.reader.wait_async(since, cancellable, done, **kwargs),
                      lambda source, result: source.wait_finish(result))

    def test_success(self):
        later(self.array.update)
        self.assertEqual(self.wait(), 1)
        self.assertEqual(self.wait(0), 1)
        results = []
        self.reader.wait_async(1, None, lambda *args: results.append(args), 'one', 2)
        later(self.array.update)
        iterate_until(lambda: results)
        self.assertIs(results[0][0], self.reader)
        self.assertEqual(results[0][2:], ('one', 2))
        self.assertEqual(self.reader.wait_finish(results[0][1]), 2)
        # Nobody has to ask.
        self.reader.wait_async()
        self.array.update()

    def test_failures(self):
        for timeout in (0, 0.01):
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: self.wait(timeout=timeout))
        cancellable = Gio.Cancellable()
        later(cancellable.cancel)
        with self.assertRaises(GLib.Error) as caught:
            self.wait(None, cancellable)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        with self.assertRaises(TypeError):
            self.reader.wait_async('0')
        with self.assertRaises(ValueError):
            self.reader.wait_async(timeout=-1)
        later(self.reader.close)
        self.assert_error(Error.CLOSED, 'closed', self.wait)
        self.assert_error(Error.CLOSED, 'closed', self.wait)

    def test_many(self):
        seen = []
        handles = [Shnd.Array.open(NAME, READ) for _ in range(300)]
        for handle in handles:
            handle.wait_async(0, None, lambda source, result: seen.append(
                source.wait_finish(result)))
        later(self.array.update)
        iterate_until(lambda: len(seen) == len(handles))
        self.assertEqual(seen, [1] * 300)


class Updated(WaitTestCase):
    """The signal."""

    def test_emission(self):
        seen = []
        self.assertFalse(self.reader.watching)
        handler = self.reader.connect('updated', lambda *args: seen.append(args), 'more')
        self.assertIs(self.reader.watching, True)
        self.array.update()
        iterate_until(lambda: seen)
        self.assertEqual(seen, [(self.reader, 1, 'more')])
        # Of one's own, too, by whichever handle.
        self.array.connect('updated', lambda *args: seen.append(args))
        self.array.update()
        iterate_until(lambda: len(seen) == 3)
        self.assertEqual(sorted(args[1] for args in seen), [1, 2, 2])

        self.reader.disconnect(handler)
        self.reader.unwatch()
        self.assertIs(self.reader.watching, False)
        self.reader.unwatch()
        self.array.update()
        iterate_until(lambda: len(seen) == 4)
        self.assertIs(seen[3][0], self.array)

    def test_ways_to_connect(self):
        for name in ('connect', 'connect_after', 'connect_data', 'connect_object',
                     'connect_object_after'):
            with self.subTest(name=name):
                array = Shnd.Array.open(NAME)
                other = Shnd.Array.open(NAME)
                seen = []
                arguments = (other,) if 'object' in name else ()
                getattr(array, name)('notify::closed', print, *arguments)
                self.assertFalse(array.watching)
                with self.assertRaises(TypeError):
                    getattr(array, name)('updated', 'not a function', *arguments)
                self.assertFalse(array.watching)
                getattr(array, name)('updated', lambda *args: seen.append(args), *arguments)
                self.assertTrue(array.watching)
                array.update()
                iterate_until(lambda: seen)
                self.assertEqual(seen[0][-1 - len(arguments)] if 'object' not in name
                                 else seen[0][1], array.sequence)

    def test_failed_connection(self):
        self.reader.close()
        self.assert_error(Error.CLOSED, 'closed',
                          lambda: self.reader.connect('updated', print))
        signal = GObject.signal_lookup('updated', Shnd.Array)
        self.assertFalse(GObject.signal_has_handler_pending(self.reader, signal, 0, True))
        with self.assertRaises(TypeError):
            self.reader.connect('upset', print)

    def test_watch_by_hand(self):
        changes = []
        self.reader.connect('notify::watching', lambda *_: changes.append(self.reader.watching))
        self.assertTrue(self.reader.watch())
        self.assertTrue(self.reader.watch())
        self.assertIs(self.reader.get_watching(), True)
        self.reader.unwatch()
        self.assertIs(self.reader.get_watching(), False)
        self.assertTrue(self.reader.watch())
        self.reader.close()
        self.assertFalse(self.reader.watching)
        self.assertEqual(changes[:3], [True, False, True])

    def test_other_process(self):
        seen = []
        self.reader.connect('updated', lambda array, sequence: seen.append((sequence, array[0])))

        def run(connection):
            array = Shnd.Array.open(NAME)
            array[0] = 7
            array.update()

        with Child(run) as child:
            iterate_until(lambda: seen)
            self.assertEqual(child.join(), 0)
        self.assertEqual(seen, [(1, 7)])

    def test_many_updates_are_few_signals(self):
        seen = []
        self.reader.connect('updated', lambda array, sequence: seen.append(sequence))
        for _ in range(1000):
            self.array.update()
        iterate_until(lambda: seen and seen[-1] == 1000)
        diagnose(f'1000 updates came as {len(seen)} signals')
        self.assertLess(len(seen), 10)
        self.assertEqual(seen, sorted(set(seen)))

    def test_handler_that_updates(self):
        seen = []

        def handle(array, sequence):
            seen.append(sequence)
            if sequence < 50:
                array.update()

        self.array.connect('updated', handle)
        self.array.update()
        iterate_until(lambda: seen and seen[-1] == 50)
        self.assertEqual(seen, list(range(1, 51)))

    def test_thread_default_context(self):
        """It comes where it was asked for, and nowhere else."""
        seen = []

        def run():
            context = GLib.MainContext.new()
            context.push_thread_default()
            array = Shnd.Array.open(NAME)
            array.connect('updated', lambda *_: seen.append(threading.get_ident()))
            ready.set()
            iterate_until(lambda: seen, context)
            context.pop_thread_default()
            return threading.get_ident()

        ready = threading.Event()
        thread = Thread(run)
        ready.wait()
        here = []
        self.reader.connect('updated', lambda *_: here.append(threading.get_ident()))
        self.array.update()
        self.assertEqual(seen, seen and [thread.join()])
        thread.join()
        iterate_until(lambda: here)
        self.assertEqual(here, [threading.get_ident()])

    def test_ends_with_the_handle(self):
        let_watchers_end()
        gc.collect()
        before = count_handles()
        for end in ('drop', 'close', 'unwatch'):
            array = Shnd.Array.open(NAME, READ)
            array.connect('updated', lambda *_: self.fail('emitted after the end'))
            wait_until(lambda: len(find_watchers()) == 1)
            if end == 'close':
                array.close()
            elif end == 'unwatch':
                array.unwatch()
            # What was on its way is dropped, too.
            self.array.update()
            del array
            gc.collect()
            while GLib.MainContext.default().iteration(False):
                pass
            self.assertEqual(count_handles(), before)
        let_watchers_end()

    def test_many_arrays(self):
        arrays = [Shnd.Array.new(None, 'u1', 1) for _ in range(300)]
        seen = {}
        for i, array in enumerate(arrays):
            array.connect('updated', lambda array, sequence, i=i: seen.setdefault(i, sequence))
        # One thread for many.
        self.assertLessEqual(len(find_watchers()), 4)
        for array in arrays:
            array.update()
        iterate_until(lambda: len(seen) == 300)
        self.assertEqual(set(seen.values()), {1})

        # In any order, and with gaps.
        for array in arrays[::2]:
            array.close()
        del arrays[::2]
        seen.clear()
        arrays[-1].update()
        iterate_until(lambda: seen)
        self.assertEqual(seen, {299: 2})

    def test_nothing_polls(self):
        self.reader.connect('updated', print)
        wait_until(find_watchers)
        task = find_watchers()[0]

        def count():
            with open(f'/proc/self/task/{task}/status', encoding='ascii') as file:
                return int(next(line for line in file if line.startswith('voluntary')).split()[1])

        let_sleep(1)
        before = count()
        time.sleep(0.5)
        self.assertLessEqual(count() - before, 1)

    def test_fork(self):
        """A child watches nothing until it asks for it; its parent goes on."""
        seen = []
        self.reader.connect('updated', lambda array, sequence: seen.append(sequence))

        def run(connection):
            assert not find_watchers()
            self.reader.unwatch()
            array = Shnd.Array.open(NAME, READ)
            mine = []
            array.connect('updated', lambda array, sequence: mine.append(sequence))
            connection.send('ready')
            iterate_until(lambda: mine)
            connection.send(mine)
            array.close()
            self.reader.close()

        with Child(run) as child:
            self.assertEqual(child.receive(), 'ready')
            self.array.update()
            self.assertEqual(child.receive(), [1])
            self.assertEqual(child.join(), 0)
        iterate_until(lambda: seen)
        self.assertEqual(seen, [1])
        self.assertTrue(self.reader.watching)


if __name__ == '__main__':
    main()
