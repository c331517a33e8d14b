# SPDX-License-Identifier: MIT

"""The lock: between handles, threads and processes; when it ends early; owners that die."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref

import numpy as np
from array_support import NAME, READ, ArrayTestCase, Error
from process_support import (
    Child, Thread, default_interrupt, finish, iterate_until, later, let_sleep, wait_until,
)
from support import SHM, Gio, GLib, Shnd, count_handles, diagnose, main

COPY = NAME + '-copy'


def count_up(array, n):
    """Adds n to an element, in a way that loses some if two do so at the same time."""
    me = threading.get_ident() ^ os.getpid()
    for _ in range(n):
        with array.lock():
            value = int(array[0])
            assert array[1] == 0, 'somebody else is in here'
            array[1] = me
            time.sleep(0)
            assert array[1] == me, 'somebody else came in'
            array[1] = 0
            array[0] = value + 1


class Lock(ArrayTestCase):
    def setUp(self):
        self.array = Shnd.Array.new(NAME, 'i8', 4)
        self.other = Shnd.Array.open(NAME)

    def assert_free(self, array=None):
        with (array or self.other).lock(timeout=0) as guard:
            self.assertFalse(guard.recovered)

    def assert_taken(self, array=None):
        self.assert_error(Error.TIMED_OUT, 'was not unlocked in time',
                          lambda: (array or self.other).lock(timeout=0))

    def test_guard(self):
        array = self.array
        with array.lock() as guard:
            self.assertIs(guard.recovered, False)
            self.assertIs(array.locked, True)
            self.assertIs(array.get_locked(), True)
            self.assertFalse(self.other.locked)
            self.assert_taken()
        self.assertIs(array.locked, False)
        self.assert_free()

        # It has the lock already before `with`, and without.
        guard = array.lock()
        self.assertIn('lock', repr(guard))
        self.assert_taken()
        self.assertTrue(array.unlock())
        self.assert_free()

        with self.assertRaises(ZeroDivisionError), array.lock():
            1 / 0
        self.assert_free()

    def test_guard_of_what_is_unlocked(self):
        array = self.array
        with array.lock():
            array.unlock()
            self.assert_free()
        self.assertFalse(array.locked)
        # What came later is not its own.
        with array.lock():
            array.unlock()
            array.lock()
        self.assertTrue(array.locked)
        array.unlock()
        with array.lock():
            array.close()
        self.assert_free()

    def test_handles(self):
        view = self.array.slice(0, 1, 3)
        twin = self.array[1:3]
        self.assertEqual(twin.shape, (2,))
        for locked in (self.array, view, self.other):
            with locked.lock():
                for handle in (self.array, view, self.other):
                    self.assertEqual(handle.locked, handle is locked)
                    self.assert_taken(handle)
                    if handle is not locked:
                        self.assert_error(Error.NOT_LOCKED, 'not locked by this handle',
                                          handle.unlock)
            self.assert_free()

    def test_unlock_without_lock(self):
        self.assert_error(Error.NOT_LOCKED, 'not locked', self.array.unlock)
        self.array.lock()
        self.array.unlock()
        self.assert_error(Error.NOT_LOCKED, 'not locked', self.array.unlock)
        self.array.close()
        self.assert_error(Error.CLOSED, 'closed', self.array.unlock)
        self.assert_error(Error.CLOSED, 'closed', self.array.lock)
        self.assertFalse(self.array.locked)

    def test_threads(self):
        shared = self.array
        threads = [Thread(count_up, shared, 100) for _ in range(2)]
        threads += [Thread(count_up, Shnd.Array.open(NAME), 100) for _ in range(2)]
        threads += [Thread(count_up, shared.reshape(4), 100)]
        count_up(self.other, 100)
        for thread in threads:
            thread.join()
        self.assertEqual(shared[0], 600)

    def test_processes(self):
        def run(connection):
            count_up(Shnd.Array.open(NAME), 100)
            # What came with the fork is a handle of this process, too.
            count_up(self.array, 100)

        children = [Child(run) for _ in range(3)]
        count_up(self.other, 100)
        self.assertEqual([child.join() for child in children], [0, 0, 0])
        self.assertEqual(self.array[0], 700)

    def test_timeouts(self):
        with self.array.lock():
            for timeout in (0, 0.01, 0.25, np.float32(0.01), np.int64(0)):
                start = time.monotonic()
                with self.assertRaises(GLib.Error) as caught:
                    self.other.lock(timeout=timeout)
                self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Error.TIMED_OUT))
                self.assertGreaterEqual(time.monotonic() - start, float(timeout))
                # From another thread it is another way.
                thread = Thread(self.other.lock, timeout=timeout)
                self.assert_error(Error.TIMED_OUT, NAME, thread.join)
        for timeout in (None, 0, 1e300, float('inf'), 5):
            self.other.lock(timeout=timeout)
            self.other.unlock()
        self.assert_all_refused({
            TypeError: ('1', True, [1], 1j, b'1', np.True_),
            ValueError: (-1, -0.001, float('nan'), float('-inf')),
        }, lambda timeout: self.array.lock(timeout=timeout))
        with self.assertRaises(TypeError):
            self.array.lock(1)
        with self.assertRaises(TypeError):
            self.array.lock(cancellable='now')
        self.assertFalse(self.array.locked)

    def test_waits_with_free_interpreter(self):
        # Nobody could unlock if other threads did not run meanwhile.
        for in_main in (True, False):
            self.array.lock()
            thread = Thread(self.other.lock if not in_main else self.array.unlock)
            if in_main:
                self.other.lock()
            else:
                let_sleep(1, thread=thread)
                self.array.unlock()
            thread.join()
            self.assertTrue(self.other.locked)
            self.other.unlock()

    def test_cancel(self):
        cancellable = Gio.Cancellable()
        self.array.lock()
        thread = Thread(self.other.lock, cancellable=cancellable)
        let_sleep(1, thread=thread)
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as caught:
            thread.join()
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        # Whoever is cancelled before does not get what is free.
        self.array.unlock()
        with self.assertRaises(GLib.Error):
            self.other.lock(cancellable=cancellable)
        self.assert_free()

    def test_close_while_waiting(self):
        self.array.lock()
        thread = Thread(self.other.lock)
        let_sleep(1, thread=thread)
        self.other.close()
        self.assert_error(Error.CLOSED, 'closed', thread.join)
        self.assertTrue(self.array.locked)

    def test_drop(self):
        def lock_and_drop(make):
            handle = make()
            handle.lock()

        for make in (lambda: Shnd.Array.open(NAME), lambda: self.array.slice(0, 0, 2)):
            lock_and_drop(make)
            gc.collect()
            self.assert_free()
        self.array.lock()
        self.array.close()
        self.assert_free()

    def test_not_for_readers(self):
        reader = Shnd.Array.open(NAME, READ)
        for call in (reader.lock, reader.update,
                     lambda: finish(lambda done: reader.lock_async(None, done),
                                    lambda source, result: source.lock_finish(result))):
            self.assert_error(Error.READ_ONLY, 'opened for reading', call)

    def test_arrays_without_lock(self):
        with tempfile.TemporaryDirectory() as folder:
            np.save(folder + '/a.npy', np.zeros(3))
            plain = Shnd.Array.open_path(folder + '/a.npy')
        raw = Shnd.Array.open_segment(NAME, 'u1', 8)
        for array in (plain, raw):
            for call in (array.lock, array.update, lambda: array.wait(0), array.watch,
                         lambda: array.connect('updated', print)):
                self.assert_error(Error.UNSUPPORTED, 'no lock', call)
            self.assertEqual(array.sequence, 0)
            self.assertFalse(array.watching)

    def test_anonymous(self):
        array = Shnd.Array.new(None, 'i8', 2)
        view = array.reshape(1, 2)
        with array.lock():
            self.assert_taken(view)

        def run(connection):
            with array.lock():
                connection.send('locked')
                connection.recv()

        with Child(run) as child:
            child.receive()
            self.assert_error(Error.TIMED_OUT, 'without name', lambda: array.lock(timeout=0))
            child.send('go')
            self.assertEqual(child.join(), 0)
        self.assert_free(array)


class Async(ArrayTestCase):
    def setUp(self):
        self.array = Shnd.Array.new(NAME, 'i8', 4)
        self.other = Shnd.Array.open(NAME)

    def lock(self, **kwargs):
        return finish(lambda done: self.other.lock_async(kwargs.pop('cancellable', None), done,
                                                         **kwargs),
                      lambda source, result: source.lock_finish(result))

    def test_success(self):
        self.assertIs(self.lock(), False)
        self.assertTrue(self.other.locked)
        self.other.unlock()

        results = []
        self.array.lock()
        self.other.lock_async(None, lambda *args: results.append(args), 'one', 2)
        later(self.array.unlock)
        iterate_until(lambda: results)
        self.assertIs(results[0][0], self.other)
        self.assertEqual(results[0][2:], ('one', 2))
        self.assertIs(self.other.lock_finish(results[0][1]), False)
        self.assertTrue(self.other.locked)

    def test_guard_knows(self):
        with self.other.lock():
            self.other.unlock()
            self.lock()
        self.assertTrue(self.other.locked)

    def test_failures(self):
        self.array.lock()
        for timeout in (0, 0.01):
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: self.lock(timeout=timeout))
        cancellable = Gio.Cancellable()
        later(cancellable.cancel)
        with self.assertRaises(GLib.Error) as caught:
            self.lock(cancellable=cancellable)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        with self.assertRaises(TypeError):
            self.other.lock_async(timeout='1')
        with self.assertRaises(ValueError):
            self.other.lock_async(timeout=-1)
        later(self.other.close)
        self.assert_error(Error.CLOSED, 'closed', self.lock)
        self.assert_error(Error.CLOSED, 'closed', self.lock)
        self.assertTrue(self.array.locked)

    def test_many_in_turn(self):
        handles = [Shnd.Array.open(NAME) for _ in range(150)]
        seen = []

        def next_one(source, result):
            source.lock_finish(result)
            assert sum(handle.locked for handle in handles) == 1
            seen.append(handles.index(source))
            later(source.unlock, 0)

        self.array.lock()
        for handle in handles:
            handle.lock_async(None, next_one)
        self.array.unlock()
        iterate_until(lambda: len(seen) == len(handles))
        self.assertEqual(sorted(seen), list(range(150)))

    def test_dropped(self):
        # The call keeps the handle, and that goes with its result: the lock comes back.
        self.array.lock()
        Shnd.Array.open(NAME).lock_async()
        self.array.unlock()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            GLib.MainContext.default().iteration(False)
            try:
                self.array.lock(timeout=0.01)
                break
            except GLib.Error:
                pass
        self.assertTrue(self.array.locked)


class Death(ArrayTestCase):
    def setUp(self):
        self.array = Shnd.Array.new(NAME, 'i8', 4)

    def lock_and_stay(self, connection):
        array = Shnd.Array.open(NAME)
        array.lock()
        connection.send('locked')
        connection.recv()

    def test_killed_while_others_wait(self):
        for waiter in (self.array, Shnd.Array.open(NAME)):
            with Child(self.lock_and_stay) as child:
                child.receive()
                thread = Thread(lambda: (waiter.lock(), time.monotonic()))
                let_sleep(1, thread=thread)
                start = time.monotonic()
                child.kill()
                guard, end = thread.join()
            with guard:
                self.assertIs(guard.recovered, True)
                self.assertIn('recovered', repr(guard))
            diagnose(f'recovered after {(end - start) * 1000:.0f} ms')
            # Only the first one is told.
            with self.array.lock() as guard:
                self.assertIs(guard.recovered, False)

    def test_killed_before(self):
        for by_async in (False, True):
            with Child(self.lock_and_stay) as child:
                child.receive()
                child.kill()
            if by_async:
                recovered = finish(lambda done: self.array.lock_async(None, done),
                                   lambda source, result: source.lock_finish(result))
            else:
                # A try is enough.
                recovered = self.array.lock(timeout=0).recovered
            self.assertIs(recovered, True)
            self.array.unlock()

    def test_exit_without_unlock(self):
        code = """
import os, sys, gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
array = Shnd.Array.open(sys.argv[1])
guard = array.lock()
"""
        # Whoever leaves in the middle of a change, even in order, has not finished it; but what
        # Python frees at its end has given the lock back, like any handle that goes.
        for end, recovered in (('os._exit(0)', True), ('del array, guard', False)):
            subprocess.run([sys.executable, '-B', '-c', code + end, NAME], check=True, timeout=100)
            with self.array.lock(timeout=50) as guard:
                self.assertIs(guard.recovered, recovered)

    def test_owner_that_lives_is_left_alone(self):
        with Child(self.lock_and_stay) as child:
            child.receive()
            os.kill(child.pid, signal.SIGSTOP)
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: self.array.lock(timeout=0.3))
            os.kill(child.pid, signal.SIGCONT)
            child.send('go')
            child.join()

    def test_three_wait(self):
        def run(connection):
            array = Shnd.Array.open(NAME)
            with array.lock() as guard:
                array[0] += 1
                connection.send(guard.recovered)

        with Child(self.lock_and_stay) as child:
            child.receive()
            waiters = [Child(run) for _ in range(3)]
            for waiter in waiters:
                let_sleep(1, waiter.pid)
            child.kill()
        told = [waiter.receive() for waiter in waiters]
        self.assertEqual(sorted(told), [False, False, True])
        self.assertEqual([waiter.join() for waiter in waiters], [0, 0, 0])
        self.assertEqual(self.array[0], 3)

    def test_copy_starts_anew(self):
        self.addCleanup(lambda: os.path.exists(f'{SHM}/{COPY}') and os.unlink(f'{SHM}/{COPY}'))
        self.array.update()
        self.array.lock()
        subprocess.run(['cp', f'{SHM}/{NAME}', f'{SHM}/{COPY}'], check=True)
        copy, again = Shnd.Array.open(COPY), Shnd.Array.open(COPY)
        with copy.lock(timeout=0) as guard:
            self.assertIs(guard.recovered, False)
            self.assert_error(Error.TIMED_OUT, COPY, lambda: again.lock(timeout=0))
        self.assertEqual(copy.sequence, 0)
        again.update()
        self.assertEqual((copy.sequence, self.array.sequence), (1, 1))
        self.assertTrue(self.array.locked)

    def test_fork(self):
        array = self.array

        def run(connection):
            assert not array.locked
            self.assert_error(Error.NOT_LOCKED, 'not locked', array.unlock)
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: array.lock(timeout=0))
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: array.lock(timeout=0.2))
            connection.send('tried')
            connection.recv()
            with array.lock() as guard:
                assert not guard.recovered
                connection.send('locked')
                connection.recv()

        array.lock()
        with Child(run) as child:
            child.receive()
            self.assertTrue(array.locked)
            array.unlock()
            child.send('go')
            child.receive()
            self.assert_error(Error.TIMED_OUT, 'in time', lambda: array.lock(timeout=0))
            child.send('go')
            self.assertEqual(child.join(), 0)

        # A child that ends, or is killed, does not give back what its parent has.
        array.lock()
        with Child(lambda connection: connection.recv()) as child:
            child.kill()
        with Child(lambda connection: array.close()) as child:
            self.assertEqual(child.join(), 0)
        self.assertTrue(array.locked)
        self.assert_error(Error.TIMED_OUT, 'in time', lambda: Shnd.Array.open(NAME).lock(timeout=0))

    def test_parent_dies(self):
        def run(connection):
            array = Shnd.Array.open(NAME)
            array.lock()
            # With the parent's descriptors, this one would prove that the owner lives.
            pid = os.fork()
            if pid == 0:
                time.sleep(1000)
                os._exit(0)
            connection.send(pid)
            connection.recv()

        with Child(run) as child:
            grandchild = child.receive()
            try:
                child.kill()
                with self.array.lock(timeout=60) as guard:
                    self.assertIs(guard.recovered, True)
            finally:
                os.kill(grandchild, signal.SIGKILL)


class Signals(ArrayTestCase):
    """Handlers of signals run while the main thread waits, and what they raise ends that."""

    def setUp(self):
        self.array = Shnd.Array.new(NAME, 'i8', 4)

    def interrupt(self, function):
        """Sends a signal that is handled without an exception, and then Ctrl-C."""
        def run(connection):
            array = Shnd.Array.open(NAME)
            default_interrupt()
            signal.signal(signal.SIGUSR1, lambda *_: connection.send('handled'))
            connection.send('ready')
            try:
                function(array)
            except KeyboardInterrupt:
                connection.send(('interrupted', array.locked))

        with Child(run) as child:
            self.assertEqual(child.receive(), 'ready')
            # Where it waits there is another thread.
            wait_until(lambda: len(os.listdir(f'/proc/{child.pid}/task')) > 1)
            os.kill(child.pid, signal.SIGUSR1)
            self.assertEqual(child.receive(), 'handled')
            os.kill(child.pid, signal.SIGINT)
            self.assertEqual(child.receive(), ('interrupted', False))
            self.assertEqual(child.join(), 0)

    def test_lock(self):
        self.array.lock()
        self.interrupt(lambda array: array.lock())
        self.interrupt(lambda array: array.lock(timeout=1000))

    def test_wait(self):
        self.interrupt(lambda array: array.wait())

    def test_open(self):
        self.interrupt(lambda array: Shnd.Array.open(NAME + '-none', timeout=None))

    def test_in_the_moment_of_success(self):
        """Nobody is left with a lock that he does not know of."""
        class Interrupted(Exception):
            pass

        def interrupt(number, frame):
            while frame is not None and frame.f_code is not Shnd.Array.lock.__code__:
                frame = frame.f_back
            # Otherwise the call is over, and has given the lock.
            raise Interrupted(frame is not None)

        def run(connection):
            array = Shnd.Array.open(NAME)
            other = Shnd.Array.open(NAME)
            signal.signal(signal.SIGUSR1, interrupt)

            def act(i):
                let_sleep(1)
                for action in (other.unlock, lambda: os.kill(os.getpid(), signal.SIGUSR1))[::i]:
                    action()

            for i in range(200):
                other.lock()
                thread = Thread(act, 1 if i % 2 else -1)
                try:
                    array.lock()
                    time.sleep(100)
                except Interrupted as error:
                    within, = error.args
                thread.join()
                assert not (within and array.locked)
                if array.locked:
                    array.unlock()

        with Child(run) as child:
            self.assertEqual(child.join(), 0)


class Leaks(ArrayTestCase):
    def test_errors_keep_nothing(self):
        array = Shnd.Array.new(NAME, 'i8', 4)
        array.lock()
        gc.collect()
        gc.disable()
        try:
            other = Shnd.Array.open(NAME)
            for call in (lambda: other.lock(timeout=0.01), lambda: other.wait(timeout=0.01)):
                try:
                    call()
                except GLib.Error as error:
                    self.assertEqual(error.code, Error.TIMED_OUT)
            gone = weakref.ref(other)
            del other, call
            self.assertIsNone(gone())
        finally:
            gc.enable()

    def test_helpers_go(self):
        """What waits for the main thread stays for the next time, but not for ever."""
        def count():
            return len(os.listdir('/proc/self/task'))

        def run(connection):
            array = Shnd.Array.open(NAME)
            for _ in range(2):
                self.assertEqual(count(), 1)
                for _ in range(10):
                    self.assertRaises(GLib.Error, array.wait, timeout=0.01)
                self.assertEqual(count(), 2)
                wait_until(lambda: count() == 1)

        array = Shnd.Array.new(NAME, 'i8', 4)
        self.assertRaises(GLib.Error, array.wait, timeout=0.01)
        # The parent's are not there.
        with Child(run) as child:
            self.assertEqual(child.join(), 0)

    def test_descriptors(self):
        def use():
            array = Shnd.Array.new(NAME, 'i8', 4)
            view = array.slice(0, 0, 2)
            other = Shnd.Array.open(NAME)
            with array.lock(), self.assertRaises(GLib.Error):
                view.lock(timeout=0)
            other.lock()
            del array, view, other

        use()
        before = count_handles()
        for _ in range(20):
            use()
        self.assertEqual(count_handles(), before)


if __name__ == '__main__':
    main()
