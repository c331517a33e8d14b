# SPDX-License-Identifier: MIT

"""Frames between processes: what dies, what is forked, and what nobody can write to."""

import ctypes
import errno
import gc
import mmap
import os
import signal
import threading

from frames_support import (
    BLOCK, PATIENCE, RUNTIME, FramesTestCase, connect, get_address, publish, receive,
    receive_value,
)
from process_support import Child, Thread, wait_until
from support import Gio, GLib, Shnd, in_child, main

Error = Shnd.Error


def follow(connection, address, **keywords):
    """A subscriber that tells what it gets, one frame for each line that it is sent."""
    subscriber = Shnd.Subscriber.new(address, **keywords)
    while connection.recv():
        try:
            with subscriber.receive(timeout=PATIENCE) as frame:
                connection.send((int(frame.array[0]), frame.metadata))
        except GLib.Error as error:
            connection.send(Error(error.code).value_nick)


def ask(child):
    child.send(True)
    return child.receive()


def count():
    """Descriptors, mappings of frames, and threads."""
    gc.collect()
    with open('/proc/self/maps', encoding='utf-8') as maps:
        n_mappings = sum('memfd:' in line for line in maps)
    return len(os.listdir('/proc/self/fd')), n_mappings, len(os.listdir('/proc/self/task'))


class Dying(FramesTestCase):
    def test_other_process(self):
        publisher = self.publisher(overflow=BLOCK)
        with Child(follow, self.address) as child:
            publisher_thread = Thread(publisher.wait_subscribers, 1, timeout=PATIENCE)
            child.send(True)
            publisher_thread.join()
            for value in range(20):
                publish(publisher, value, metadata={'value': value})
                self.assertEqual(child.receive(), (value, {'value': value}))
                child.send(True)
            publisher.close()
            self.assertEqual(child.receive(), 'end-of-stream')
            child.send(False)
            self.assertEqual(child.join(), 0)

    def test_subscriber_killed(self):
        publisher, subscriber = self.pair(overflow=BLOCK, depth=1)

        def hold(connection):
            other = Shnd.Subscriber.new(self.address)
            frame = other.receive(timeout=PATIENCE)
            connection.send(frame.sequence)
            connection.recv()

        for round in range(5):
            with Child(hold) as child:
                # Later ones get the last frame.
                if round == 0:
                    publisher.wait_subscribers(2, timeout=PATIENCE)
                    publish(publisher, round)
                    receive_value(subscriber)
                child.receive()
                frame = publisher.acquire('i8', 4)
                wait_until(lambda: publisher.n_subscribers == 2)
                self.assert_timed_out(publisher.publish, frame, timeout=0.01)
                waiter = Thread(publisher.publish, frame)
                child.kill()
                waiter.join()
                receive_value(subscriber)
                wait_until(lambda: publisher.n_subscribers == 1)
        self.assertLessEqual(publisher.n_frames, 3)
        self.assertEqual(publisher.n_dropped, 0)

    def test_publisher_killed(self):
        def run(connection, first):
            publisher = Shnd.Publisher.new(self.address)
            publish(publisher, first)
            connection.send('ready')
            connection.recv()

        subscriber = self.subscriber()
        for round in range(3):
            # What the last one has left is no obstacle.
            with Child(run, round) as child:
                child.receive()
                frame = receive(subscriber)
                self.assertEqual(frame.array[0], round)
                self.assertRaises(GLib.Error, Shnd.Publisher.new, self.address)
                child.kill()
                self.assert_error(Error.DISCONNECTED, 'gone', subscriber.receive)
                self.assert_error(Error.DISCONNECTED, 'gone', next, iter(subscriber))
                self.assertEqual(frame.array[3], round)
                frame.release()
            subscriber = self.subscriber()
        self.publisher().close()

    def test_reconnect(self):
        def run(connection, value):
            publisher = Shnd.Publisher.new(self.address)
            publish(publisher, value)
            connection.recv()

        subscriber = self.subscriber(reconnect=True)
        for value in range(5):
            with Child(run, value) as child:
                self.assertEqual(receive_value(subscriber), value)
                child.kill()
        with Shnd.Publisher.new(self.address) as publisher:
            publish(publisher, 5)
            self.assertEqual(receive_value(subscriber), 5)


class Forking(FramesTestCase):
    def test_child(self):
        """A child has nothing of the streams of its parent, which go on."""
        publisher, subscriber = self.pair()
        publish(publisher, 1)
        frame = receive(subscriber)
        acquired = publisher.acquire('i8', 4)

        def check():
            assert publisher.closed and subscriber.closed
            for function, *args in ((publisher.acquire, 'u1', 3), (publisher.publish, acquired),
                                    (publisher.wait_subscribers, 0), (subscriber.receive,),
                                    (subscriber.fileno,), (subscriber.watch,)):
                try:
                    function(*args)
                except GLib.Error as error:
                    assert error.code in (Error.CLOSED, Error.NOT_ACQUIRED), error.message
                else:
                    raise AssertionError(function)
            frame.release()
            acquired.release_now()
            publisher.close()
            subscriber.close()
            with Shnd.Subscriber.new(self.address) as own:
                assert own.receive(timeout=PATIENCE).sequence == 1

        self.assertEqual(in_child(check), 0)
        self.assertEqual(frame.array[0], 1)
        self.assertFalse(frame.released)
        publisher.publish(acquired)
        self.assertEqual(receive(subscriber).sequence, 2)
        self.assertFalse(publisher.closed)

    def test_death_is_seen(self):
        """The end of who has forked is not hidden by a child that lives on."""
        def run(connection, make):
            ends = make()
            # It keeps copies of all that is open here, but for those of the streams.
            pid = os.fork()
            if pid == 0:
                signal.pause()
            connection.send(pid)
            connection.recv()
            del ends

        publisher = self.publisher()

        def make_subscriber():
            subscriber = Shnd.Subscriber.new(self.address)
            try:
                subscriber.receive(timeout=0.1)
            except GLib.Error:
                pass
            return subscriber

        with Child(run, make_subscriber) as child:
            grandchild = child.receive()
            publisher.wait_subscribers(1, timeout=PATIENCE)
            child.kill()
            try:
                wait_until(lambda: publisher.n_subscribers == 0)
            finally:
                os.kill(grandchild, signal.SIGKILL)
        publisher.close()

        subscriber = self.subscriber()

        def make_publisher():
            publisher = Shnd.Publisher.new(self.address)
            publish(publisher, 1)
            return publisher

        with Child(run, make_publisher) as child:
            grandchild = child.receive()
            try:
                self.assertEqual(receive_value(subscriber), 1)
                child.kill()
                self.assert_error(Error.DISCONNECTED, '', subscriber.receive)
                # Nor does it keep the address.
                self.publisher()
            finally:
                os.kill(grandchild, signal.SIGKILL)


class Protected(FramesTestCase):
    def test_maps(self):
        """A subscriber cannot write to a frame, nor cut it short, however it tries."""
        def run(connection):
            subscriber = Shnd.Subscriber.new(self.address)
            frame = subscriber.receive(timeout=PATIENCE)
            address = get_address(frame.array)
            with open('/proc/self/maps', encoding='ascii') as maps:
                lines = [line.split() for line in maps]
            own = [line for line in lines if int(line[0].split('-')[0], 16) <= address <
                   int(line[0].split('-')[1], 16)]
            shared = [line for line in lines if 'memfd:' in ' '.join(line)]
            assert own and shared
            assert own[0][1] == 'r--s', own
            assert {line[1] for line in shared} == {'r--s'}, shared

            libc = ctypes.CDLL(None, use_errno=True)
            page = address & ~(mmap.PAGESIZE - 1)
            assert libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), 3) == -1
            # The file itself, as a hostile program can have it.
            fd_list = Gio.UnixFDList()
            frame.array.to_variant(fd_list)
            fd = fd_list.get(0)
            fds = [fd]
            for access in (os.O_RDWR, os.O_RDONLY):
                try:
                    fds.append(os.open(f'/proc/self/fd/{fd}', access))
                except PermissionError:
                    pass
            for fd in fds:
                size = os.fstat(fd).st_size
                for attempt in (lambda: mmap.mmap(fd, size), lambda: os.ftruncate(fd, 0),
                                lambda: os.ftruncate(fd, 2 * size), lambda: os.write(fd, b'a')):
                    try:
                        attempt()
                    except OSError as error:
                        assert error.errno in (errno.EPERM, errno.EACCES, errno.EINVAL,
                                               errno.EBADF), error
                    else:
                        raise AssertionError('done to a frame')
                mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ).close()
            connection.send((len(fds), int(frame.array[0])))

        with Child(run) as child:
            # Only now, so that the child does not have the publisher's mapping.
            publisher = self.publisher()
            publish(publisher, 7, 10000)
            n_fds, value = child.receive()
            self.assertEqual(value, 7)
            self.assertGreaterEqual(n_fds, 2)
            self.assertEqual(child.join(), 0)


class Leaking(FramesTestCase):
    def once(self):
        publisher = Shnd.Publisher.new(self.address, overflow=BLOCK)
        subscribers = [Shnd.Subscriber.new(self.address) for _ in range(3)]
        connect(publisher, *subscribers)
        for value in range(5):
            publish(publisher, value, 1000 * (value + 1), metadata={'value': value})
            for subscriber in subscribers:
                with receive(subscriber) as frame:
                    self.assertEqual(frame.metadata, {'value': value})
        late = Shnd.Subscriber.new(self.address)
        kept = receive(late).array.get()
        late.close()
        subscribers[0].close()
        publisher.close()
        self.assertEqual(list(subscribers[1]), [])
        self.assertEqual(kept[0], 4)

    def test_all(self):
        self.once()
        # Threads that wait for the next work end by themselves.
        wait_until(lambda: count()[2] == 1 or threading.active_count() == 1)
        wait_until(lambda: count()[1:] == (0, 1), f'not all is given back: {count()}')
        before = count()
        for _ in range(50):
            self.once()
        wait_until(lambda: count() == before, f'{count()} after {before}')

    def test_waiting(self):
        """Nor do those who wait in vain."""
        subscriber = self.subscriber()
        for _ in range(10):
            self.assert_timed_out(subscriber.receive, timeout=0.001)
        before = count()[0]
        for _ in range(300):
            self.assert_timed_out(subscriber.receive, timeout=0.001)
        self.assertEqual(count()[0], before)

    def test_runtime_directory(self):
        self.once()
        self.assertEqual(os.listdir(os.path.join(RUNTIME, 'shndarray')), [])


if __name__ == '__main__':
    main()
