# SPDX-License-Identifier: MIT

"""Waiting for frames and subscribers: with timeouts, signals, main loops and select."""

import gc
import os
import select
import selectors
import signal
import time

from frames_support import (
    BLOCK, PATIENCE, FramesTestCase, connect, publish, receive, receive_value,
)
from process_support import (
    Child, Thread, default_interrupt, finish, iterate_until, later, wait_until,
)
from support import Gio, GLib, Shnd, main

Error = Shnd.Error


class Waiting(FramesTestCase):
    def waits(self):
        """All that can wait, and would: for as long as it is told."""
        publisher, subscriber = self.pair(overflow=BLOCK, max_frames=2, depth=1)
        publish(publisher, 1)
        self.held = receive(subscriber)
        frame = publisher.acquire('i8', 4)
        return publisher, subscriber, {
            'acquire': lambda **keywords: publisher.acquire('i8', 4, **keywords),
            'publish': lambda **keywords: publisher.publish(frame, **keywords),
            'wait_subscribers': lambda **keywords: publisher.wait_subscribers(2, **keywords),
            'receive': subscriber.receive,
        }

    def test_timeouts(self):
        for wait in self.waits()[2].values():
            for timeout in (0, 0.01, 0.2):
                begin = time.monotonic()
                self.assert_timed_out(wait, timeout=timeout)
                self.assertGreaterEqual(time.monotonic() - begin, timeout)
                thread = Thread(wait, timeout=timeout)
                self.assert_timed_out(thread.join)
            for bad in ('soon', True, [1]):
                self.assertRaises(TypeError, wait, timeout=bad)
            for bad in (-1, float('nan'), -0.001):
                self.assertRaises(ValueError, wait, timeout=bad)
            self.assertRaises(TypeError, wait, cancellable=3)

    def test_cancel(self):
        def cancelled(wait, **keywords):
            with self.assertRaises(GLib.Error) as caught:
                wait(**keywords)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))

        for wait in self.waits()[2].values():
            for timeout in (None, 100):
                cancellable = Gio.Cancellable()
                thread = Thread(lambda: time.sleep(0.05) or cancellable.cancel())
                cancelled(wait, timeout=timeout, cancellable=cancellable)
                thread.join()
                cancelled(wait, timeout=timeout, cancellable=cancellable)
                cancellable = Gio.Cancellable()
                thread = Thread(wait, timeout=timeout, cancellable=cancellable)
                cancellable.cancel()
                cancelled(thread.join)

    def test_close(self):
        """Whoever waits is told, in whatever thread."""
        for name in ('acquire', 'publish', 'wait_subscribers', 'receive'):
            for in_thread in (False, True):
                publisher, subscriber, waits = self.waits()
                end = subscriber if name == 'receive' else publisher
                if in_thread:
                    thread = Thread(waits[name])
                    end.close()
                    self.assert_error(Error.CLOSED, 'closed', thread.join)
                else:
                    thread = Thread(lambda: time.sleep(0.05) or end.close())
                    self.assert_error(Error.CLOSED, 'closed', waits[name])
                    thread.join()
                self.held = waits = None
                self.doCleanups()
                self.setUp()

    def test_spin(self):
        publisher, subscriber = self.pair()
        subscriber.spin = 50000
        for value in range(3):
            thread = Thread(lambda: time.sleep(0.01) or publish(publisher, value))
            self.assertEqual(receive_value(subscriber), value)
            thread.join()
        self.assert_timed_out(subscriber.receive, timeout=0.1)
        subscriber.spin = 2**32 - 1
        self.assert_timed_out(subscriber.receive, timeout=0.1)


class Signals(FramesTestCase):
    """Handlers of signals run while the main thread waits, and what they raise ends that."""

    def interrupt(self, prepare, n_threads=None):
        """Sends a signal that is handled without an exception, and then Ctrl-C."""
        def run(connection):
            default_interrupt()
            wait = prepare()
            signal.signal(signal.SIGUSR1, lambda *_: connection.send('handled'))
            connection.send(len(os.listdir('/proc/self/task')))
            try:
                wait()
            except KeyboardInterrupt:
                connection.send('interrupted')
            try:
                wait(timeout=0)
            except GLib.Error as error:
                connection.send(error.code)
            # So that it gives up its address.
            del wait
            gc.collect()

        def sleeps():
            # Either it has another thread for that, or it sleeps itself.
            if n_threads:
                return len(os.listdir(f'/proc/{child.pid}/task')) == n + n_threads
            with open(f'/proc/{child.pid}/stat', encoding='ascii') as stat:
                return stat.read().rpartition(')')[2].split()[0] == 'S'

        with Child(run) as child:
            n = child.receive()
            wait_until(sleeps)
            os.kill(child.pid, signal.SIGUSR1)
            self.assertEqual(child.receive(), 'handled')
            wait_until(sleeps)
            os.kill(child.pid, signal.SIGINT)
            self.assertEqual(child.receive(), 'interrupted')
            self.assertEqual(child.receive(), Error.TIMED_OUT)
            self.assertEqual(child.join(), 0)

    def test_receive(self):
        def prepare():
            subscriber = Shnd.Subscriber.new(self.address)
            return subscriber.receive

        # Another thread looks for a publisher: PyGObject could not say each time that there is none
        # while a signal is handled.
        self.interrupt(prepare, n_threads=1)
        publisher = self.publisher()
        publish(publisher, 1)

        def prepare_connected():
            subscriber = Shnd.Subscriber.new(self.address)
            receive_value(subscriber)
            return subscriber.receive

        self.interrupt(prepare_connected)

    def test_receive_latest_only(self):
        """It looks for a publisher again and again; the signal comes at any time of that."""
        def run(connection):
            default_interrupt()
            subscriber = Shnd.Subscriber.new(self.address, latest_only=True)
            for i in range(8):
                try:
                    connection.send(i)
                    subscriber.receive()
                except KeyboardInterrupt:
                    pass

        with Child(run) as child:
            for i in range(8):
                self.assertEqual(child.receive(), i)
                time.sleep(0.05 * i)
                os.kill(child.pid, signal.SIGINT)
            self.assertEqual(child.join(), 0)

    def test_iterate(self):
        def prepare():
            subscriber = Shnd.Subscriber.new(self.address)

            def wait(timeout=None):
                if timeout == 0:
                    return subscriber.receive(timeout=0)
                for frame in subscriber:
                    raise AssertionError

            return wait

        self.interrupt(prepare)

    def test_publisher(self):
        def prepare_acquire():
            publisher = Shnd.Publisher.new(self.address, max_frames=1)
            frame = publisher.acquire('u1', 3)

            def wait(**keywords):
                frame.array
                publisher.acquire('u1', 3, **keywords)

            return wait

        def prepare_publish():
            publisher = Shnd.Publisher.new(self.address, overflow=BLOCK, depth=1)
            subscriber = Shnd.Subscriber.new(self.address)
            connect(publisher, subscriber)
            publish(publisher, 1)
            frame = publisher.acquire('u1', 3)

            def wait(**keywords):
                self.assertFalse(subscriber.closed)
                publisher.publish(frame, **keywords)

            return wait

        def prepare_wait():
            publisher = Shnd.Publisher.new(self.address)
            return lambda **keywords: publisher.wait_subscribers(1, **keywords)

        for prepare in (prepare_acquire, prepare_publish, prepare_wait):
            # A helper that connect() has used may be there still.
            self.interrupt(prepare, 0 if prepare == prepare_publish else 1)


class Selecting(FramesTestCase):
    def test_select(self):
        publisher, subscriber = self.pair()
        self.assertEqual(subscriber.fd, subscriber.fileno())
        publish(publisher, 1)
        self.assertEqual(select.select([subscriber], [], [], PATIENCE)[0], [subscriber])
        self.assertEqual(receive_value(subscriber), 1)
        self.assertEqual(select.select([subscriber], [], [], 0)[0], [])
        publisher.close()
        self.assertEqual(select.select([subscriber], [], [], PATIENCE)[0], [subscriber])
        self.assert_error(Error.END_OF_STREAM, '', subscriber.receive)

    def test_selectors(self):
        """Several at once, none of which is connected yet."""
        subscribers = [Shnd.Subscriber.new(f'{self.address}-{i}') for i in range(3)]
        values = []
        with selectors.DefaultSelector() as selector:
            for subscriber in subscribers:
                selector.register(subscriber, selectors.EVENT_READ)
            publishers = [Shnd.Publisher.new(subscriber.address) for subscriber in subscribers]
            for i, publisher in enumerate(publishers):
                publish(publisher, i)
            while len(values) < 3:
                ready = selector.select(PATIENCE)
                self.assertTrue(ready)
                for key, _ in ready:
                    try:
                        frame = key.fileobj.receive(timeout=0)
                    except GLib.Error as error:
                        self.assertEqual(error.code, Error.TIMED_OUT, error.message)
                    else:
                        values.append(int(frame.array[0]))
        self.assertEqual(sorted(values), [0, 1, 2])
        for publisher in publishers:
            publisher.close()

    def test_closed(self):
        subscriber = self.subscriber()
        subscriber.close()
        self.assertEqual(subscriber.fd, -1)
        self.assertEqual(subscriber.get_fd(), -1)
        self.assert_error(Error.CLOSED, 'closed', subscriber.fileno)
        self.assert_error(Error.CLOSED, 'closed', Shnd.Subscriber().fileno)


class MainLoop(FramesTestCase):
    def test_signal(self):
        publisher, subscriber = self.pair(overflow=BLOCK, depth=4)
        frames, ends = [], []
        self.assertFalse(subscriber.watching)
        handler = subscriber.connect('frame', lambda *args: frames.append(
            (args[0], args[1].sequence, int(args[1].array[0]))))
        self.assertTrue(subscriber.watching)
        subscriber.connect('ended', lambda *args: ends.append(args))
        for value in range(4):
            publish(publisher, value)
        iterate_until(lambda: len(frames) == 4)
        self.assertEqual(frames, [(subscriber, i + 1, i) for i in range(4)])
        publisher.close()
        iterate_until(lambda: ends)
        self.assertIs(ends[0][0], subscriber)
        self.assertTrue(ends[0][1].matches(Error.quark(), Error.END_OF_STREAM))
        self.assertFalse(subscriber.watching)
        subscriber.disconnect(handler)

    def test_connect(self):
        """All ways to connect watch, and those that cannot leave no handler."""
        publisher = self.publisher()
        publish(publisher, 5)
        for name, args in (('connect', ()), ('connect_after', ()), ('connect_object', (self,)),
                           ('connect_object_after', (self,)),
                           ('connect_data', ())):
            subscriber = self.subscriber()
            values = []
            getattr(subscriber, name)('frame', lambda *args: values.append(
                int(args[-1 if name != 'connect_data' else 1].array[0])), *args)
            self.assertTrue(subscriber.watching, name)
            iterate_until(lambda: values)
            subscriber.unwatch()
            self.assertFalse(subscriber.watching)
            subscriber.close()
            self.assert_error(Error.CLOSED, '', subscriber.connect, 'frame', print)
            self.assert_error(Error.CLOSED, '', subscriber.watch)
        subscriber = self.subscriber()
        subscriber.connect('notify::depth', print)
        self.assertFalse(subscriber.watching)
        self.assertIs(subscriber.watch(), True)
        self.assertTrue(subscriber.watching)

    def test_context(self):
        """The signal comes in the thread-default context of who connects."""
        publisher = self.publisher()
        context = GLib.MainContext()
        values = []

        def run():
            context.push_thread_default()
            subscriber = self.subscriber()
            subscriber.connect('frame', lambda _, frame: values.append(frame.sequence))
            iterate_until(lambda: values, context)
            context.pop_thread_default()

        thread = Thread(run)
        publish(publisher, 1)
        thread.join()
        self.assertEqual(values, [1])

    def test_notify(self):
        publisher = self.publisher()
        changes = []
        publisher.connect('notify::n-subscribers', lambda *_: changes.append(
            publisher.n_subscribers))
        subscriber = self.subscriber()
        connect(publisher, subscriber)
        iterate_until(lambda: changes)
        subscriber.close()
        iterate_until(lambda: changes[-1] == 0)

    def test_async(self):
        publisher, subscriber = self.pair(overflow=BLOCK, depth=1, max_frames=2)
        frame = finish(lambda callback: publisher.acquire_async('i8', (2, 2), None, callback),
                       Shnd.Publisher.acquire_finish)
        with frame:
            frame.array[...] = 3
        frame = publisher.acquire('i8', 4)
        frame.array[...] = 4
        later(lambda: self.assertEqual(receive_value(subscriber), 3))
        self.assertTrue(finish(lambda callback: publisher.publish_async(frame, None, callback),
                               Shnd.Publisher.publish_finish))
        self.assertTrue(frame.released)
        frame = finish(lambda callback: subscriber.receive_async(None, callback),
                       Shnd.Subscriber.receive_finish)
        self.assertEqual(frame.array[3], 4)
        later(lambda: frame.release() or publish(publisher, 5))
        waiting = finish(lambda callback: subscriber.receive_async(None, callback, timeout=100),
                         Shnd.Subscriber.receive_finish)
        self.assertEqual(waiting.array[3], 5)
        other = self.subscriber()
        later(lambda: connect(publisher, other, n=2))
        self.assertTrue(finish(lambda callback: publisher.wait_subscribers_async(2, None, callback),
                               Shnd.Publisher.wait_subscribers_finish))

    def test_async_fails(self):
        publisher, subscriber = self.pair(overflow=BLOCK, depth=1, max_frames=2)
        publish(publisher, 1)
        frame = publisher.acquire('i8', 4)
        held = receive(subscriber)
        begins = [
            (lambda *args, **keywords: publisher.acquire_async('i8', 4, *args, **keywords),
             Shnd.Publisher.acquire_finish),
            (lambda *args, **keywords: publisher.publish_async(frame, *args, **keywords),
             Shnd.Publisher.publish_finish),
            (lambda *args, **keywords: publisher.wait_subscribers_async(3, *args, **keywords),
             Shnd.Publisher.wait_subscribers_finish),
            (subscriber.receive_async, Shnd.Subscriber.receive_finish),
        ]
        for begin, end in begins:
            for timeout in (0, 0.02):
                self.assert_timed_out(
                    finish, lambda callback: begin(None, callback, timeout=timeout), end)
            cancellable = Gio.Cancellable()
            later(cancellable.cancel)
            with self.assertRaises(GLib.Error) as caught:
                finish(lambda callback: begin(cancellable, callback), end)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
            self.assertRaises(TypeError, begin, timeout='soon')
        held.release()


if __name__ == '__main__':
    main()
