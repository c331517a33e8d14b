# SPDX-License-Identifier: MIT

"""The library and the second implementation of doc/protocol.md get along with each other."""

import os
import socket
import stat
import struct

from hostile_support import (HostileTestCase, PATIENCE, RUNTIME_DIR, acquire, checksum,
                             expected_checksum, pattern, publish, publish_frame, receive, until,
                             wait_subscribers)
import protocol_peer as peer
from support import GLib, Shnd, main

import numpy as np

N = 4096


class TestSubscriber(HostileTestCase):
    """The other one subscribes to the library's publisher."""

    def setUp(self):
        super().setUp()
        self.publisher = Shnd.Publisher.new(self.path)
        # From here on subscribers are admitted.
        self.publisher.get_n_subscribers()

    def tearDown(self):
        self.publisher.close()
        del self.publisher
        offences = self.log.offences()
        super().tearDown()
        self.assertEqual(offences, [])

    def test_frames(self):
        with peer.Subscriber(self.path) as subscriber:
            self.assertEqual(subscriber.depth, 2)
            for n in range(1, 101):
                number = publish(self.publisher)
                frame = subscriber.get_frame()
                self.assertEqual((number, frame.sequence), (n, n))
                self.assertEqual((frame.shape, frame.strides, frame.dtype),
                                 ((16, 256), (256, 1), '|u1'))
                self.assertEqual(subscriber.get_bytes(frame), pattern(n, N).tobytes())
                self.assertEqual(subscriber.get_status(peer.HEAD), n)
                self.assertEqual(subscriber.get_status(peer.KEPT), n)
                self.assertEqual(subscriber.get_status(peer.N_SUBSCRIBERS), 1)
                self.assertEqual(subscriber.get_status(peer.FRAME_SIZE), N)
                subscriber.give_back(frame)
            # Each descriptor came once.
            self.assertEqual(subscriber.n_new, self.publisher.get_n_frames())
            self.publisher.close()
            self.assertIsNone(subscriber.get_frame())
            self.assertRaises(peer.Gone, subscriber.receive)
            self.assertEqual(subscriber.get_status(peer.ENDED), 1)

    def test_what_is_published(self):
        """Views, dtypes, metadata and times."""
        with peer.Subscriber(self.path) as subscriber:
            for dtype, shape, description in [
                    ('float32', (3, 5), '<f4'), ('u1', (), '|u1'), ('int64', (0, 7), '<i8'),
                    ("[('x', '<f4'), ('y', '<f4')]", (9,), "[('x', '<f4'), ('y', '<f4')]"),
                    ("('<f4', (2, 2))", (3,), '<f4'), ('>u2', (1,) * 30, '>u2')]:
                frame = acquire(self.publisher, shape, dtype)
                frame.set_timestamp(-12345)
                frame.set_metadata(GLib.Variant('a{sv}', {'n': GLib.Variant('i', 7)}))
                publish_frame(self.publisher, frame)
                got = subscriber.get_frame()
                self.assertEqual(got.dtype, description)
                self.assertEqual(got.shape, shape + ((2, 2) if 'f4\', (' in dtype else ()))
                self.assertEqual(got.timestamp, -12345)
                metadata = GLib.Variant.new_from_bytes(GLib.VariantType('a{sv}'),
                                                       GLib.Bytes.new(got.metadata), False)
                self.assertEqual(metadata.unpack(), {'n': 7})
                subscriber.give_back(got)
            frame = acquire(self.publisher, (8, 8))
            whole = np.asarray(frame.get_array())
            whole[:] = np.arange(64).reshape(8, 8)
            view = frame.get_array().slice(1, 7, None, -2)
            expected = np.asarray(view).tobytes()
            frame.set_array(view)
            publish_frame(self.publisher, frame)
            got = subscriber.get_frame()
            self.assertEqual((got.shape, got.strides, got.offset), ((8, 4), (8, -2), 7))
            self.assertEqual(subscriber.get_bytes(got), expected)
            del whole, view

    def test_depth(self):
        self.publisher.set_depth(5)
        for wanted, granted in [(0, 5), (1, 1), (5, 5), (6, 5), (2**32 - 2, 5)]:
            with peer.Subscriber(self.path, wanted) as subscriber:
                self.assertEqual(subscriber.depth, granted)
                wait_subscribers(self.publisher, 1)
                for _ in range(8):
                    publish(self.publisher)
                for _ in range(granted):
                    subscriber.get_frame()
                self.assertRaises(TimeoutError, subscriber.receive, 0)
            until(lambda: self.publisher.get_n_subscribers() == 0)

    def test_late_and_slow(self):
        """Who comes late gets the last frame, and who was slow the newest."""
        publish(self.publisher)
        publish(self.publisher)
        with peer.Subscriber(self.path) as subscriber:
            first = subscriber.get_frame()
            self.assertEqual(first.sequence, 2)
            publish(self.publisher)
            second = subscriber.get_frame()
            for _ in range(5):
                publish(self.publisher)
            self.assertEqual(subscriber.get_status(peer.N_DROPPED), 5)
            self.assertEqual(self.publisher.get_n_dropped(), 5)
            subscriber.give_back(second)
            self.assertEqual(subscriber.get_frame().sequence, 8)
            self.assertEqual(subscriber.get_bytes(first), pattern(2, N).tobytes())
            until(lambda: subscriber.get_status(peer.N_DROPPED) == 4)

    def test_stop(self):
        with peer.Subscriber(self.path) as subscriber:
            publish(self.publisher)
            frame = subscriber.get_frame()
            subscriber.stop()
            # It is heard when there is no room any more: until then frames come, and are held.
            until(lambda: publish(self.publisher) and self.publisher.get_n_subscribers() == 0)
            more = []
            try:
                while True:
                    more.append(subscriber.get_frame(0))
            except TimeoutError:
                pass
            self.assertLessEqual(len(more), 1)
            self.assertEqual(subscriber.get_bytes(frame), pattern(1, N).tobytes())
            subscriber.give_back(frame, *more)
        for _ in range(4):
            publish(self.publisher)
        self.assertLessEqual(self.publisher.get_n_frames(), 4)

    def test_retire(self):
        """Memory that is too small goes, and its number comes again with another descriptor."""
        with peer.Subscriber(self.path) as subscriber:
            for size in (16, 64, 256, 1024, 16, 4096):
                frame = acquire(self.publisher, (size, 4096))
                np.asarray(frame.get_array())[:] = size % 251
                publish_frame(self.publisher, frame)
                got = subscriber.get_frame()
                self.assertEqual(set(subscriber.get_bytes(got)[::997]), {size % 251})
                subscriber.give_back(got)
            for _ in range(300):
                publish(self.publisher)
                subscriber.give_back(subscriber.get_frame())
            # What was not used for long is gone.
            self.assertLess(len(subscriber.slots), 5)
            self.assertGreater(subscriber.n_new, 4)

    def test_releases_in_one(self):
        self.publisher.set_depth(256)
        with peer.Subscriber(self.path) as subscriber:
            for _ in range(2):
                frames = []
                for _ in range(256):
                    publish(self.publisher, (1, 16))
                    frames.append(subscriber.get_frame())
                subscriber.give_back(*frames)
            self.assertEqual(self.publisher.get_n_dropped(), 0)

    def test_repeat(self):
        """Each frame in a slot holds it; there is no room when there are too many of them."""
        self.publisher.set_depth(3)
        with peer.Subscriber(self.path) as subscriber:
            frame = acquire(self.publisher, (1, 16))
            np.asarray(frame.get_array())[:] = 7
            publish_frame(self.publisher, frame)
            frames = [subscriber.get_frame()]
            for _ in range(3):
                frame = self.publisher.repeat(frame)
                publish_frame(self.publisher, frame)
            frames += [subscriber.get_frame(), subscriber.get_frame()]
            self.assertEqual({got.slot for got in frames}, {frames[0].slot})
            self.assertEqual([got.flags for got in frames],
                             [peer.NEW_SLOT, peer.REPEAT, peer.REPEAT])
            self.assertEqual(self.publisher.get_n_dropped(), 1)
            subscriber.give_back(*frames[:2])
            frames.append(subscriber.get_frame())
            self.assertEqual((frames[-1].sequence, frames[-1].flags), (4, peer.REPEAT))
            for _ in range(2):
                for _ in range(4):
                    publish(self.publisher, (1, 16))
                self.assertEqual(subscriber.get_bytes(frames[2]), bytes([7]) * 16)
                subscriber.give_back(frames.pop())

    def test_observer(self):
        publish(self.publisher)
        with peer.Observer(self.path) as observer, peer.Subscriber(self.path) as subscriber:
            # Not even the last frame, which a late subscriber gets.
            self.assertRaises(TimeoutError, observer.receive, 0.01)
            for n in range(1, 101):
                self.assertEqual(observer.get_status(peer.HEAD), n)
                self.assertEqual(observer.get_status(peer.N_SUBSCRIBERS), 1)
                self.assertEqual(self.publisher.get_n_subscribers(), 1)
                subscriber.give_back(subscriber.get_frame())
                publish(self.publisher, (n, 2, 256))
                self.assertEqual(observer.get_status(peer.FRAME_SIZE), n * 512)
            frame = subscriber.get_frame()
            publish(self.publisher)
            publish(self.publisher)
            self.assertEqual(observer.get_status(peer.N_DROPPED), 1)
            self.assertRaises(TimeoutError, observer.receive, 0)
            self.assertEqual(observer.get_status(peer.ENDED), 0)
            self.publisher.close()
            self.assertEqual(observer.receive().type, peer.END)
            self.assertRaises(peer.Gone, observer.receive)
            self.assertEqual([observer.get_status(word) for word in (
                peer.HEAD, peer.N_DROPPED, peer.N_SUBSCRIBERS, peer.ENDED)], [103, 0, 0, 1])
            self.assertEqual(frame.sequence, 101)

    def test_observers_with_block(self):
        """Nothing waits for them, though they read nothing."""
        self.publisher.set_overflow(Shnd.Overflow.BLOCK)
        self.publisher.set_depth(1)
        self.publisher.set_max_frames(1)
        observers = [peer.Observer(self.path) for _ in range(10)]
        self.assert_error(Shnd.Error.TIMED_OUT, 'has 0 subscribers', wait_subscribers,
                          self.publisher, 1, 0.01)
        for _ in range(100):
            publish(self.publisher, timeout=0)
        self.assertEqual(self.publisher.get_n_frames(), 1)
        self.assertEqual(self.publisher.get_n_dropped(), 0)
        for observer in observers:
            self.assertRaises(TimeoutError, observer.receive, 0)
            observer.close()

    def test_observers_are_limited(self):
        self.publisher.set_max_subscribers(1)
        for first in (peer.Observer, peer.Subscriber):
            for depth in (0, peer.OBSERVER):
                # That the last one is gone may not be known yet.
                admitted = []
                until(lambda: admitted or self.enter(admitted, first), 'no room')
                connection = peer.connect(self.path)
                self.assertEqual(self.greet(connection, depth).type, peer.REFUSED)
                connection.close()
                admitted.pop().close()

    def greet(self, connection, depth):
        try:
            connection.send(peer.hello(depth))
        except BrokenPipeError:
            pass
        return connection.receive()

    def enter(self, admitted, kind):
        connection = peer.connect(self.path)
        got = self.greet(connection, peer.OBSERVER if kind is peer.Observer else 0)
        for fd in got.fds:
            os.close(fd)
        if got.type == peer.WELCOME:
            admitted.append(connection)
            return True
        self.assertEqual(struct.unpack_from('=I', got.data, 8)[0], peer.BY_NUMBER)
        connection.close()
        return False

    def test_refused(self):
        """With what was sent in the queue of a publisher that does not read it."""
        self.publisher.set_max_subscribers(0)
        connection = peer.connect(self.path)
        try:
            connection.send(peer.hello())
        except BrokenPipeError:
            pass
        got = connection.expect(peer.REFUSED)
        self.assertEqual(struct.unpack_from('=II', got.data, 8), (peer.BY_NUMBER, 1))
        self.assertTrue(connection.is_gone())
        connection.close()


class TestPublisher(HostileTestCase):
    """The library subscribes to the other one."""

    def setUp(self):
        super().setUp()
        self.publisher = peer.Publisher(self.path)
        self.subscriber = Shnd.Subscriber.new(self.path)

    def tearDown(self):
        self.publisher.close()
        self.subscriber.close()
        del self.subscriber
        super().tearDown()

    def accept(self, depth=2):
        try:
            receive(self.subscriber, 0)
        except GLib.Error:
            pass
        connection, wanted = self.publisher.accept()
        self.assertEqual(wanted, self.subscriber.get_depth() if depth else peer.OBSERVER)
        return connection, peer.welcome(connection, depth)

    def make_slots(self, n):
        return [peer.make_memory(bytes(N)) for _ in range(n)]

    def send(self, connection, slots, sequence, is_new):
        index = sequence % len(slots)
        slots[index][1][:] = pattern(sequence, N).tobytes()
        connection.send(peer.frame(index, sequence, [N], [1], timestamp=sequence * 5,
                                   flags=peer.NEW_SLOT if is_new else 0),
                        [slots[index][0]] if is_new else [])

    def test_frames(self):
        connection, _words = self.accept()
        slots = self.make_slots(2)
        for sequence in range(1, 51):
            self.send(connection, slots, sequence, sequence <= 2)
            frame = receive(self.subscriber)
            self.assertEqual((frame.get_sequence(), frame.get_timestamp()),
                             (sequence, sequence * 5))
            self.assertEqual(checksum(frame), expected_checksum(sequence, N))
            self.assertEqual(frame.get_metadata().unpack(), {})
            frame.release()
            self.assertEqual(peer.take_releases(connection, 1), [sequence % 2])
        connection.send(peer.message(peer.END))
        self.assert_error(Shnd.Error.END_OF_STREAM, 'has ended', receive, self.subscriber)
        self.assertTrue(connection.is_gone())
        connection.close()
        self.close(slots)

    def test_repeat(self):
        """A slot can be held for several frames, and goes back for each."""
        connection, _words = self.accept(depth=3)
        slots = self.make_slots(1)
        self.send(connection, slots, 1, True)
        frames = [receive(self.subscriber)]
        for sequence in (2, 3):
            connection.send(peer.frame(0, sequence, [N // 2], [2], flags=peer.REPEAT))
            frames.append(receive(self.subscriber))
        self.assertEqual([frame.get_array().get_size() for frame in frames], [N, N // 2, N // 2])
        for frame in frames:
            frame.release()
            self.assertEqual(peer.take_releases(connection, 1), [0])
        connection.send(peer.frame(0, 4, [N], [1], flags=peer.REPEAT))
        self.assertEqual(checksum(receive(self.subscriber)), expected_checksum(1, N))
        connection.close()
        self.close(slots)

    def close(self, slots):
        for fd, memory in slots:
            memory.release()
            os.close(fd)
        slots.clear()

    def test_stop(self):
        """Frames that are held when the subscriber closes go back one by one."""
        connection, _words = self.accept()
        slots = self.make_slots(2)
        self.send(connection, slots, 1, True)
        self.send(connection, slots, 2, True)
        frames = [receive(self.subscriber), receive(self.subscriber)]
        self.subscriber.close()
        connection.expect(peer.STOP)
        frames.pop().release()
        self.assertEqual(peer.take_releases(connection, 1), [0])
        self.assertFalse(connection.is_gone(0.02))
        self.assertEqual(checksum(frames[0]), expected_checksum(1, N))
        frames.pop().release()
        self.assertEqual(peer.take_releases(connection, 1), [1])
        self.assertTrue(connection.is_gone())
        connection.close()
        self.close(slots)

    def test_ended_page(self):
        """Neither END nor anything else got through."""
        for ended, code in ((0, Shnd.Error.DISCONNECTED), (1, Shnd.Error.END_OF_STREAM)):
            connection, words = self.accept()
            struct.pack_into('=Q', words, 8 * peer.ENDED, ended)
            connection.close()
            self.assert_error(code, 'publisher', receive, self.subscriber)
            self.subscriber = Shnd.Subscriber.new(self.path)

    def get_numbers(self):
        return [self.subscriber.get_sequence(), self.subscriber.get_n_dropped(),
                self.subscriber.get_n_subscribers(), self.subscriber.get_frame_size()]

    def test_observer(self):
        ends = {Shnd.Error.END_OF_STREAM: ['END', 'ENDED'], Shnd.Error.DISCONNECTED: ['nothing']}
        for code, how in [(code, how) for code in ends for how in ends[code]]:
            self.subscriber.set_observer(True)
            self.subscriber.set_depth(3)
            self.assertEqual(self.get_numbers(), [0] * 4)
            connection, words = self.accept(0)
            self.assert_error(Shnd.Error.TIMED_OUT, 'not ended', receive, self.subscriber, 0)
            self.assertTrue(self.subscriber.get_connected())
            for i in range(5):
                expected = [2**40 + i, 2**63 + i, i, 2**33 + i]
                struct.pack_into('=QQQQQQ', words, 0, expected[0], 2**50, *expected[1:3], 0,
                                 expected[3])
                self.assertEqual(self.get_numbers(), expected)
            struct.pack_into('=Q', words, 8 * peer.N_SUBSCRIBERS, 2**40)
            expected[2] = 2**32 - 1
            self.assert_error(Shnd.Error.TIMED_OUT, 'not ended', receive, self.subscriber, 0)
            struct.pack_into('=Q', words, 8 * peer.ENDED, how == 'ENDED')
            if how == 'END':
                connection.send(peer.message(peer.END))
            # It has sent nothing but its greeting.
            self.assertRaises(TimeoutError, connection.receive, 0)
            connection.close()
            self.assert_error(code, 'publisher', receive, self.subscriber)
            self.assertEqual(self.get_numbers(), expected)
            self.assertFalse(self.subscriber.get_connected())
            del words
            self.assertEqual(self.get_numbers(), expected)
            self.subscriber.close()
            self.assertEqual(self.get_numbers(), expected)
            self.subscriber = Shnd.Subscriber.new(self.path)

    def test_observer_hangs_up(self):
        self.subscriber.set_observer(True)
        connection, _words = self.accept(0)
        self.assert_error(Shnd.Error.TIMED_OUT, 'not ended', receive, self.subscriber, 0.01)
        self.subscriber.close()
        self.assertRaises(peer.Gone, connection.receive)
        connection.close()

    def test_reset(self):
        """A publisher that hangs up without having read what there is: all it has sent comes."""
        connection, _words = self.accept()
        slots = self.make_slots(3)
        self.send(connection, slots, 1, True)
        receive(self.subscriber).release()
        # Its release stays unread.
        self.send(connection, slots, 2, True)
        connection.send(peer.message(peer.END))
        connection.close()
        frame = receive(self.subscriber)
        self.assertEqual(checksum(frame), expected_checksum(2, N))
        self.assert_error(Shnd.Error.END_OF_STREAM, 'has ended', receive, self.subscriber)
        frame.release()
        self.close(slots)

    def test_reconnect(self):
        self.subscriber.set_reconnect(True)
        for _ in range(3):
            connection, _words = self.accept()
            slots = self.make_slots(1)
            self.send(connection, slots, 1, True)
            self.assertEqual(receive(self.subscriber).get_sequence(), 1)
            connection.close()
            self.close(slots)
            self.publisher.socket.settimeout(0.001)
            # It notices, and connects again after a while.
            while True:
                try:
                    receive(self.subscriber, 0.01)
                except GLib.Error as error:
                    self.assertTrue(error.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT))
                if self.is_waiting():
                    break
            self.publisher.socket.settimeout(PATIENCE)

    def is_waiting(self):
        import select
        return bool(select.select([self.publisher.socket], [], [], 0)[0])


class TestAddress(HostileTestCase):
    """Both keep to the same rules of who is at an address."""

    def test_names(self):
        publisher = Shnd.Publisher.new('über')
        path = f'{RUNTIME_DIR.name}/shndarray/über'
        self.assertEqual(publisher.get_path(), path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(path + '.lock').st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        self.assertRaises(FileExistsError, peer.Publisher, path)
        publisher.close()
        self.assertEqual(os.listdir(os.path.dirname(path)), [])
        other = peer.Publisher(path)
        self.assert_error(Shnd.Error.EXISTS, 'Another publisher', Shnd.Publisher.new, 'über')
        other.close()

    def test_stale(self):
        """What a dead one has left is taken over, by either."""
        for _ in range(2):
            peer.Publisher(self.path).die()
            self.assertTrue(stat.S_ISSOCK(os.stat(self.path).st_mode))
            publisher = Shnd.Publisher.new(self.path)
            publisher.get_n_subscribers()
            with peer.Subscriber(self.path):
                pass
            publisher.close()
        peer.Publisher(self.path).die()
        peer.Publisher(self.path).close()

    def test_somebody_else(self):
        """Who listens there without a lock file is left alone, and so is what is no socket."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.path)
        listener.listen()
        self.assert_error(Shnd.Error.EXISTS, 'Another publisher', Shnd.Publisher.new, self.path)
        self.assertTrue(os.path.exists(self.path))
        listener.close()
        os.unlink(self.path)
        with open(self.path, 'w', encoding='ascii') as file:
            file.write('important')
        self.assert_error(Shnd.Error.EXISTS, 'not a socket', Shnd.Publisher.new, self.path)
        os.unlink(self.path)
        os.symlink('/nowhere', self.path + '.lock')
        self.assertRaises(GLib.Error, Shnd.Publisher.new, self.path)
        os.unlink(self.path + '.lock')


if __name__ == '__main__':
    main()
