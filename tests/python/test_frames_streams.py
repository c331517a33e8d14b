# SPDX-License-Identifier: MIT

"""Streams within one process: who gets which frame, and in which memory."""

import os
import socket
import threading

from frames_support import (
    BLOCK, DROP, RUNTIME, FramesTestCase, connect, get_address, publish, receive, receive_value,
    sockets,
)
from process_support import Thread, iterate_until, wait_until
from support import GLib, Shnd, main

Error = Shnd.Error


class Pool(FramesTestCase):
    def test_recycled(self):
        publisher, subscriber = self.pair()
        written, read = set(), set()
        for value in range(3000):
            with publisher.acquire('i8', 1000) as frame:
                frame.array[0] = value
                written.add(get_address(frame.array))
            with receive(subscriber) as frame:
                self.assertEqual(frame.array[0], value)
                read.add(get_address(frame.array))
        self.assertLessEqual(publisher.n_frames, 3)
        self.assertLessEqual(len(written), 3)
        self.assertLessEqual(len(read), 3)
        self.assertEqual((publisher.sequence, publisher.n_dropped), (3000, 0))
        self.assertEqual((subscriber.n_received, subscriber.n_missed), (3000, 0))

    def test_max_frames(self):
        publisher, subscriber = self.pair(max_frames=2, depth=5)
        for value in range(2):
            publish(publisher, value)
        self.assert_timed_out(publisher.acquire, 'i8', 4, timeout=0)
        self.assert_timed_out(publisher.acquire, 'i8', 4, timeout=0.01)
        self.assertEqual(receive_value(subscriber), 0)
        frame = publisher.acquire('i8', 4, timeout=0)
        self.assert_timed_out(publisher.acquire, 'i8', 4, timeout=0)
        publisher.max_frames = 3
        self.assertIsNotNone(publisher.acquire('i8', 4, timeout=0))
        frame.release()
        self.assertLessEqual(publisher.n_frames, 3)

    def test_max_frames_wakes(self):
        publisher, subscriber = self.pair(max_frames=1)
        publish(publisher, 1)
        frame = receive(subscriber)
        waiter = Thread(publisher.acquire, 'i8', 4)
        self.assertTrue(waiter.is_alive())
        frame.release()
        self.assertIsNotNone(waiter.join())

    def test_growing(self):
        publisher, subscriber = self.pair()
        for size in [*range(1, 20000, 371), *range(20000, 1, -371)]:
            publish(publisher, size, size, 'i4')
            with receive(subscriber) as frame:
                self.assertEqual(frame.array.shape, (size,))
                self.assertEqual(set(frame.array.get()), {size})
        self.assertLessEqual(publisher.n_frames, 4)


class Overflowing(FramesTestCase):
    def test_drop(self):
        publisher, subscriber = self.pair(depth=2)
        self.assertEqual(publisher.overflow, DROP)
        for value in range(1, 11):
            publish(publisher, value)
        self.assertEqual(publisher.n_dropped, 8)
        self.assertEqual(receive_value(subscriber), 1)
        self.assertEqual(receive_value(subscriber), 2)
        # What it has missed last comes by itself.
        self.assertEqual(receive_value(subscriber), 10)
        self.assertEqual((subscriber.n_received, subscriber.n_missed), (3, 7))
        self.assert_timed_out(subscriber.receive, timeout=0)

    def test_block(self):
        publisher, subscriber = self.pair(depth=2, overflow=BLOCK)
        publish(publisher, 1)
        publish(publisher, 2)
        frame = publisher.acquire('i8', 4)
        frame.array[...] = 3
        self.assert_timed_out(publisher.publish, frame, timeout=0)
        self.assert_timed_out(publisher.publish, frame, timeout=0.01)
        self.assertFalse(frame.released)
        self.assertEqual(publisher.sequence, 2)
        waiter = Thread(publisher.publish, frame)
        self.assertEqual(receive_value(subscriber), 1)
        waiter.join()
        self.assertEqual([receive_value(subscriber), receive_value(subscriber)], [2, 3])
        self.assertEqual(publisher.n_dropped, 0)

    def test_block_all(self):
        publisher = self.publisher(overflow=BLOCK)
        subscribers = [self.subscriber() for _ in range(4)]
        connect(publisher, *subscribers)
        n_frames = 500
        readers = [Thread(lambda s: [receive_value(s) for _ in range(n_frames)], subscriber)
                   for subscriber in subscribers]
        for value in range(n_frames):
            publish(publisher, value)
        for reader in readers:
            self.assertEqual(reader.join(), list(range(n_frames)))

    def test_block_until_gone(self):
        publisher, subscriber = self.pair(depth=1, overflow=BLOCK)
        publish(publisher, 1)
        waiter = Thread(publish, publisher, 2)
        self.assertTrue(waiter.is_alive())
        subscriber.close()
        waiter.join()
        self.assertEqual(publisher.sequence, 2)

    def test_block_to_drop(self):
        publisher, subscriber = self.pair(depth=1, overflow=BLOCK)
        publish(publisher, 1)
        waiter = Thread(publish, publisher, 2)
        publisher.overflow = DROP
        waiter.join()
        self.assertEqual(publisher.n_dropped, 1)
        self.assertEqual(receive_value(subscriber), 1)

    def test_slow_and_fast(self):
        publisher = self.publisher()
        slow, fast = self.subscriber(), self.subscriber()
        connect(publisher, slow, fast)
        for value in range(100):
            publish(publisher, value)
            self.assertEqual(receive_value(fast), value)
        self.assertEqual(fast.n_missed, 0)
        self.assertEqual(receive_value(slow), 0)

    def test_depth(self):
        publisher = self.publisher(depth=4)
        subscribers = [self.subscriber(depth=depth) for depth in (0, 1, 3, 200)]
        self.assertEqual([subscriber.granted_depth for subscriber in subscribers], [0] * 4)
        connect(publisher, *subscribers)
        for value in range(10):
            publish(publisher, value)
        for subscriber, granted in zip(subscribers, (4, 1, 3, 4)):
            frames = [subscriber.receive(timeout=0) for _ in range(granted)]
            self.assertEqual([subscriber.granted_depth, subscriber.get_granted_depth()],
                             [granted] * 2)
            self.assertEqual([frame.sequence for frame in frames], list(range(1, granted + 1)))
            self.assert_timed_out(subscriber.receive, timeout=0)
            del frames
            self.assertEqual(receive(subscriber).sequence, 10)

    def test_latest_only(self):
        publisher = self.publisher(depth=3)
        subscriber = self.subscriber(latest_only=True)
        connect(publisher, subscriber)
        for last in (2, 5, 100):
            for value in range(last + 1):
                publish(publisher, value)
            self.assertEqual(receive_value(subscriber), last)
            self.assert_timed_out(subscriber.receive, timeout=0.01)
        self.assertEqual(subscriber.n_received, 3)
        self.assertEqual(subscriber.n_received + subscriber.n_missed, publisher.sequence)

    def test_latest_only_while_one_is_held(self):
        """What waits in the queue, and takes the last room, is given back for the newest one."""
        for depth in (1, 2, 3):
            with self.publisher(depth=depth) as publisher:
                subscriber = self.subscriber(latest_only=True)
                connect(publisher, subscriber)
                publish(publisher, 1)
                held = receive(subscriber)
                for value in range(2, 11):
                    publish(publisher, value)
                if depth == 1:
                    held.release()
                with receive(subscriber) as newest:
                    self.assertEqual(newest.array[0], 10)
                held.release()


class Coming(FramesTestCase):
    def test_late_joiner(self):
        publisher = self.publisher()
        for value in range(5):
            publish(publisher, value, metadata={'value': value})
        for _ in range(3):
            with self.subscriber() as late, receive(late) as frame:
                self.assertEqual(frame.array[0], 4)
                self.assertEqual((frame.sequence, frame.metadata), (5, {'value': 4}))
        self.assertLessEqual(publisher.n_frames, 3)

    def test_before_publisher(self):
        subscriber = self.subscriber()
        waiter = Thread(receive_value, subscriber)
        self.assert_timed_out(subscriber.receive, timeout=0.05)
        publisher = self.publisher()
        publish(publisher, 7)
        self.assertEqual(waiter.join(), 7)

    def test_end(self):
        publisher, subscriber = self.pair()
        publish(publisher, 1)
        publish(publisher, 2)
        publisher.close()
        self.assertEqual([frame.sequence for frame in subscriber], [1, 2])
        self.assert_error(Error.END_OF_STREAM, 'ended', subscriber.receive)
        self.assert_error(Error.END_OF_STREAM, 'ended', subscriber.receive)
        self.assertEqual(list(subscriber), [])
        self.assertFalse(subscriber.connected)
        subscriber.close()
        self.assert_error(Error.CLOSED, 'closed', subscriber.receive)
        self.assert_error(Error.CLOSED, 'closed', next, subscriber)

    def test_end_of_frames(self):
        """Frames outlast both ends."""
        publisher, subscriber = self.pair()
        publish(publisher, 5)
        frame = receive(subscriber)
        publisher.close()
        subscriber.close()
        del publisher, subscriber
        self.assertEqual(frame.array[3], 5)

    def test_collected(self):
        """Without a variable for it, a publisher ends."""
        publisher, subscriber = Shnd.Publisher.new(self.address), self.subscriber()
        connect(publisher, subscriber)
        del publisher
        self.assertEqual(list(subscriber), [])

    def test_reconnect(self):
        subscriber = self.subscriber(reconnect=True)
        for round in range(5):
            with Shnd.Publisher.new(self.address) as publisher:
                for number in (1, 2):
                    publish(publisher, round)
                    with receive(subscriber) as frame:
                        self.assertEqual((frame.array[0], frame.sequence), (round, number))
                self.assertTrue(subscriber.connected)
        self.assert_timed_out(subscriber.receive, timeout=0.05)

    def test_reconnect_later(self):
        """Setting it after an end begins anew."""
        with Shnd.Publisher.new(self.address) as publisher:
            subscriber = self.subscriber()
            connect(publisher, subscriber)
        self.assert_error(Error.END_OF_STREAM, '', subscriber.receive)
        subscriber.reconnect = True
        publisher = self.publisher()
        publish(publisher, 3)
        self.assertEqual(receive_value(subscriber), 3)

    def test_leaving(self):
        publisher, subscriber = self.pair()
        publish(publisher, 1)
        frame = receive(subscriber)
        subscriber.close()
        self.assert_error(Error.CLOSED, 'closed', subscriber.receive)
        for value in range(10):
            publish(publisher, value + 2)
        self.assertEqual(frame.array[0], 1)
        frame.release()
        wait_until(lambda: publisher.n_subscribers == 0)

    def test_max_subscribers(self):
        publisher = self.publisher(max_subscribers=2)
        first, second, third = (self.subscriber() for _ in range(3))
        connect(publisher, first, second)
        self.assert_error(Error.NO_SPACE, '', third.receive)
        first.close()
        wait_until(lambda: publisher.n_subscribers == 1)
        publish(publisher, 1)
        fourth = self.subscriber()
        self.assertEqual(receive_value(fourth), 1)

    def test_many(self):
        publisher = self.publisher(overflow=BLOCK)
        subscribers = [self.subscriber() for _ in range(64)]
        connect(publisher, *subscribers)
        self.assertEqual(publisher.n_subscribers, 64)
        for value in range(50):
            publish(publisher, value)
            for subscriber in subscribers:
                self.assertEqual(receive_value(subscriber), value)
        self.assertLessEqual(publisher.n_frames, 3)

    def test_several(self):
        addresses = [f'{self.address}-{i}' for i in range(5)]
        publishers = [Shnd.Publisher.new(address) for address in addresses]
        subscribers = [[Shnd.Subscriber.new(address) for _ in range(3)] for address in addresses]
        for publisher, readers in zip(publishers, subscribers):
            connect(publisher, *readers)
        for value in range(100):
            for i, publisher in enumerate(publishers):
                publish(publisher, 1000 * i + value)
            for i, readers in enumerate(subscribers):
                for subscriber in readers:
                    self.assertEqual(receive_value(subscriber), 1000 * i + value)
        for publisher in publishers:
            publisher.close()

    def test_threads(self):
        """Several threads publish, and several receive from one subscriber."""
        publisher = self.publisher(overflow=BLOCK, depth=8)
        subscriber = self.subscriber()
        connect(publisher, subscriber)

        def send(i):
            for value in range(200):
                publish(publisher, 1000 * i + value)

        def collect():
            return [frame.array[0] for frame in subscriber]

        readers = [Thread(collect) for _ in range(3)]
        writers = [Thread(send, i) for i in range(3)]
        for writer in writers:
            writer.join()
        publisher.close()
        values = sorted(value for reader in readers for value in reader.join())
        self.assertEqual(values, [1000 * i + value for i in range(3) for value in range(200)])


class Addresses(FramesTestCase):
    def test_address(self):
        publisher, subscriber = self.publisher(), self.subscriber()
        path = os.path.join(RUNTIME, 'shndarray', self.address)
        for end in (publisher, subscriber):
            self.assertEqual((end.address, end.path), (self.address, path))
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        self.assert_error(Error.EXISTS, 'free', Shnd.Publisher.new, self.address)
        self.assert_error(Error.EXISTS, 'free', Shnd.Publisher.new, path)
        publish(publisher, 1)
        self.assertEqual(receive_value(subscriber), 1)
        publisher.close()
        self.assertFalse(os.path.exists(path))
        with self.publisher() as publisher:
            self.assertFalse(publisher.closed)

    def test_path(self):
        self.address = os.path.join(RUNTIME, 'a socket')
        publisher, subscriber = self.pair()
        self.assertEqual(publisher.path, self.address)
        publish(publisher, 1)
        self.assertEqual(receive_value(subscriber), 1)

    def test_garbage(self):
        for bad in ('', 'a/b', '.', '..', 'a' * 300, '/' + 'a' * 200):
            for cls in (Shnd.Publisher, Shnd.Subscriber):
                with self.assertRaises(GLib.Error) as caught:
                    cls.new(bad)
                self.assertEqual(caught.exception.code, Error.INVALID_NAME, bad)
        self.assert_error(Error.NOT_FOUND, '', Shnd.Publisher.new, RUNTIME + '/none/socket')
        for bad in (None, 3, b'a'):
            self.assertRaises(TypeError, Shnd.Publisher.new, bad)
            self.assertRaises(TypeError, Shnd.Subscriber.new, bad)
        self.assertRaises(ValueError, Shnd.Publisher.new, 'a\0b')
        for bad in ({'overflow': 5}, {'overflow': 'drop'}, {'overflow': True}, {'depth': '2'},
                    {'depth': 2.0}, {'max_frames': True}, {'max_subscribers': [1]}):
            self.assertRaises(TypeError, Shnd.Publisher.new, self.address, **bad)
        for bad in ({'depth': 0}, {'depth': 257}, {'max_frames': -1}, {'max_frames': 2**32},
                    {'max_subscribers': 2**64}):
            self.assertRaises(OverflowError, Shnd.Publisher.new, self.address, **bad)
        for bad in ({'latest_only': 1}, {'reconnect': None, 'depth': 'a'}, {'spin': 0.5}):
            self.assertRaises(TypeError, Shnd.Subscriber.new, self.address, **bad)
        for bad in ({'depth': 257}, {'depth': -1}, {'spin': 2**32}):
            self.assertRaises(OverflowError, Shnd.Subscriber.new, self.address, **bad)
        self.assertEqual(sockets(), [])

    def test_stale(self):
        """What a killed publisher leaves is taken over; something else is not."""
        path = os.path.join(RUNTIME, 'stale')
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
            stale.bind(path)
        with Shnd.Publisher.new(path) as publisher, Shnd.Subscriber.new(path) as subscriber:
            publish(publisher, 1)
            self.assertEqual(receive_value(subscriber), 1)
        with open(path, 'w', encoding='ascii') as file:
            file.write('precious')
        with self.assertRaises(GLib.Error):
            Shnd.Publisher.new(path)
        with open(path, encoding='ascii') as file:
            self.assertEqual(file.read(), 'precious')
        os.unlink(path)


class Settings(FramesTestCase):
    def test_publisher(self):
        publisher = self.publisher(overflow=BLOCK, depth=3, max_frames=7, max_subscribers=9)
        self.assertEqual((publisher.overflow, publisher.depth, publisher.max_frames,
                          publisher.max_subscribers), (BLOCK, 3, 7, 9))
        changes = []
        for name in ('overflow', 'depth', 'max-frames', 'max-subscribers'):
            publisher.connect('notify::' + name, lambda object, pspec: changes.append(pspec.name))
        publisher.overflow = DROP
        publisher.depth = 256
        publisher.max_frames = publisher.max_subscribers = 0
        self.assertEqual(changes, ['overflow', 'depth', 'max-subscribers', 'max-frames'][:2] +
                         sorted(changes[2:]))
        self.assertEqual((publisher.overflow, publisher.depth, publisher.max_frames,
                          publisher.max_subscribers), (DROP, 256, 0, 0))
        for name, bad in (('overflow', 'block'), ('overflow', 7), ('depth', None), ('depth', 'a'),
                          ('max_frames', 1.5), ('max_subscribers', object())):
            with self.assertRaises(TypeError):
                setattr(publisher, name, bad)
        for name, bad in (('depth', 0), ('depth', -1), ('depth', 257), ('depth', 2**70),
                          ('max_frames', -1), ('max_subscribers', 2**32)):
            with self.assertRaises(OverflowError):
                setattr(publisher, name, bad)
        for name in ('sequence', 'n_frames', 'n_dropped', 'n_subscribers', 'address', 'path',
                     'closed'):
            with self.assertRaises(AttributeError):
                setattr(publisher, name, 1)
            self.assertEqual(publisher.get_property(name), getattr(publisher, name))
        publisher.set_overflow(BLOCK)
        publisher.set_depth(1000)
        publisher.set_max_frames(5)
        publisher.set_max_subscribers(6)
        self.assertEqual((publisher.overflow, publisher.depth, publisher.max_frames,
                          publisher.max_subscribers), (BLOCK, 256, 5, 6))
        self.assertRaises(TypeError, publisher.set_overflow, 9)
        self.assertRaises(OverflowError, publisher.set_depth, -1)

    def test_subscriber(self):
        subscriber = self.subscriber(depth=3, latest_only=True, reconnect=True, spin=20)
        self.assertEqual((subscriber.depth, subscriber.latest_only, subscriber.reconnect,
                          subscriber.spin), (3, True, True, 20))
        subscriber.depth = subscriber.spin = 0
        subscriber.latest_only = subscriber.reconnect = False
        self.assertEqual((subscriber.depth, subscriber.latest_only, subscriber.reconnect,
                          subscriber.spin), (0, False, False, 0))
        for name, bad in (('depth', None), ('latest_only', 'yes'), ('reconnect', 1), ('spin', 1.)):
            with self.assertRaises(TypeError):
                setattr(subscriber, name, bad)
        for name, bad in (('depth', 257), ('depth', -1), ('spin', -1), ('spin', 2**40)):
            with self.assertRaises(OverflowError):
                setattr(subscriber, name, bad)
        for name in ('connected', 'granted_depth', 'n_received', 'n_missed', 'watching', 'closed',
                     'address', 'path'):
            with self.assertRaises(AttributeError):
                setattr(subscriber, name, 1)
            self.assertEqual(subscriber.get_property(name), getattr(subscriber, name))
        subscriber.set_depth(7)
        subscriber.set_latest_only(True)
        subscriber.set_reconnect(True)
        subscriber.set_spin(30)
        self.assertEqual((subscriber.depth, subscriber.latest_only, subscriber.reconnect,
                          subscriber.spin), (7, True, True, 30))


class Authorizing(FramesTestCase):
    def test_without_loop(self):
        asked = []
        publisher = self.publisher()

        def authorize(publisher, credentials):
            asked.append((credentials.get_unix_pid(), credentials.get_unix_user(),
                          threading.current_thread()))
            return len(asked) != 2

        publisher.connect('authorize', authorize)
        first, second = self.subscriber(), self.subscriber()
        connect(publisher, first)
        waiter = Thread(receive, second)
        wait_until(lambda: publisher.publish_array([len(asked)]) and len(asked) == 2)
        self.assert_error(Error.PERMISSION_DENIED, '', waiter.join)
        self.assertEqual({each[:2] for each in asked}, {(os.getpid(), os.getuid())})
        self.assertEqual(publisher.n_subscribers, 1)

    def test_with_loop(self):
        publisher = self.publisher()
        asked = []
        publisher.connect('authorize', lambda *args: asked.append(args) or len(asked) == 1)
        first, second = (Thread(receive, self.subscriber()) for _ in range(2))
        iterate_until(lambda: len(asked) == 2 and publisher.n_subscribers == 1)
        publish(publisher, 1)
        outcomes = []
        for waiter in (first, second):
            try:
                outcomes.append(waiter.join().sequence)
            except GLib.Error as error:
                outcomes.append(Error(error.code).value_nick)
        self.assertEqual(sorted(map(str, outcomes)), ['1', 'permission-denied'])

    def test_closing(self):
        """A handler may close the publisher, and whoever waits is told."""
        publisher = self.publisher()
        publisher.connect('authorize', lambda *args: publisher.close() or True)
        subscriber = self.subscriber()
        waiter = Thread(receive, subscriber)
        self.assert_error(Error.CLOSED, '', publisher.wait_subscribers, 1)
        subscriber.close()
        self.assert_error(Error.CLOSED, '', waiter.join)

    def test_loop_elsewhere(self):
        """Where another thread has the main context, it is that which is asked."""
        publisher = self.publisher()
        asked = []
        publisher.connect('authorize',
                          lambda *args: asked.append(threading.current_thread()) or True)
        context = GLib.MainContext.default()
        self.assertTrue(context.acquire())
        waiter = Thread(receive, self.subscriber())
        caller = Thread(publisher.wait_subscribers, 1)
        iterate_until(lambda: asked)
        context.release()
        caller.join()
        self.assertEqual(asked, [threading.current_thread()])
        publish(publisher, 1)
        waiter.join()

    def test_raising(self):
        """A handler that fails admits nobody."""
        publisher = self.publisher()
        publisher.connect('authorize', lambda *args: None)
        waiter = Thread(receive, self.subscriber())
        self.assert_timed_out(publisher.wait_subscribers, 1, timeout=0.5)
        self.assert_error(Error.PERMISSION_DENIED, '', waiter.join)


if __name__ == '__main__':
    main()
