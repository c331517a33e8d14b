# SPDX-License-Identifier: MIT

"""Subscribers that do not keep to the protocol: neither the publisher nor others suffer from it."""

import fcntl
import os
import random
import resource
import socket
import struct
import unittest

from hostile_support import (HostileTestCase, PATIENCE, RUNTIME_DIR, checksum, expected_checksum,
                             publish, publish_frame, receive, until, wait_subscribers, acquire)
import protocol_peer as peer
from support import GLib, Shnd, count_handles, in_child, main

SEED = 20240607
BEFORE = 'before the greeting'


def random_bytes(n, seed=SEED):
    return random.Random(seed).randbytes(n)


class Stream:
    """A publisher, and two subscribers that keep to the protocol: the library's and another one."""

    def __init__(self, path, depth=2):
        self.publisher = Shnd.Publisher.new(path)
        # From here on subscribers are admitted.
        self.publisher.get_n_subscribers()
        self.publisher.set_depth(depth)
        self.good = Shnd.Subscriber.new(path)
        self.other = None
        self.expect_nothing()
        self.other = peer.Subscriber(path)
        self.n_good = 2
        wait_subscribers(self.publisher, 2)

    def expect_nothing(self):
        try:
            receive(self.good, 0)
        except GLib.Error as error:
            assert error.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT), error
        else:
            raise AssertionError('a frame')

    def step(self, **options):
        """One frame, which the good ones get, and which is what was published."""
        number = publish(self.publisher, **options)
        frame = receive(self.good)
        assert frame.get_sequence() == number, f'{frame.get_sequence()}: expected {number}'
        assert checksum(frame) == expected_checksum(number)
        frame.release()
        if self.other is not None:
            got = self.other.get_frame(PATIENCE)
            assert got.sequence == number
            if number % 16 == 0:
                assert checksum_of(self.other.get_bytes(got)) == expected_checksum(number)
            self.other.give_back(got)
        return number

    def close(self):
        self.publisher.close()
        if self.other is not None:
            assert self.other.get_frame(PATIENCE) is None
            self.other.close()
        try:
            receive(self.good)
        except GLib.Error as error:
            assert error.matches(Shnd.Error.quark(), Shnd.Error.END_OF_STREAM), error
        self.good.close()


def checksum_of(data):
    import zlib
    return zlib.crc32(data)


class TestHostile(HostileTestCase):
    def setUp(self):
        super().setUp()
        self.stream = Stream(self.path)
        self.publisher = self.stream.publisher

    def tearDown(self):
        self.stream.close()
        del self.stream, self.publisher
        super().tearDown()

    def assert_dropped(self, connection, part, refusal=peer.BY_PROTOCOL):
        """It is hung up on, with one line in the log, and told so; the others go on."""
        codes = []
        deadline_steps = 2000
        while True:
            try:
                got = connection.receive(0.002)
                for fd in got.fds:
                    os.close(fd)
                if got.type == peer.REFUSED:
                    codes.append(struct.unpack_from('=I', got.data, 8)[0])
                    self.assertIn(part, got.data[16:].decode())
            except TimeoutError:
                self.stream.step()
                deadline_steps -= 1
                self.assertGreater(deadline_steps, 0, 'it is not dropped')
            except peer.Gone:
                break
        until(lambda: len(self.log.offences()) > self.n_offences, part)
        connection.close()
        for _ in range(3):
            self.stream.step()
        self.assertEqual(codes, [refusal] if refusal else [])
        offences = self.log.offences()
        self.assertEqual(self.n_offences + 1, len(offences), offences)
        self.n_offences += 1
        self.assertIn(part, offences[-1])
        self.assertEqual(self.publisher.get_n_subscribers(), 2)

    n_offences = 0

    def greet_with(self, data, fds=()):
        connection = peer.connect(self.path)
        try:
            connection.send(data, fds)
        except (BrokenPipeError, ConnectionResetError):
            pass  # there may be an answer, nevertheless
        return connection

    # ---- The greeting ----

    def test_wrong_greetings(self):
        good = peer.hello()
        for data, part in [
                (peer.hello(magic=b'SHNDFRAN'), 'without the magic'),
                (peer.hello(magic=bytes(8)), 'without the magic'),
                (good[:4], 'less than a header'),
                (good[:-1], 'another size than its header says'),
                (good + b'\0', 'another size than its header says'),
                (peer.message(peer.HELLO, good[8:20]), 'less than 24 bytes'),
                (peer.message(peer.HELLO), 'less than 24 bytes'),
                (peer.message(peer.HELLO, good[8:] + bytes(8)), 'more than 24 bytes'),
                (peer.message(peer.HELLO, good[8:], size=23), 'another size'),
                (peer.message(peer.HELLO, good[8:], size=2**32 - 1), 'another size'),
                (peer.hello(version=2) + bytes(2000), 'too long'),
                (peer.message(peer.HELLO, bytes(100000)), 'too long'),
                (random_bytes(24), 'another size'),
                (random_bytes(1032), 'another size'),
                (random_bytes(1033), 'too long'),
                (b'GET / HTTP/1.1\r\n\r\n', 'another size'),
                (peer.release(0), BEFORE),
                (peer.release(*range(256)), BEFORE),
                (peer.release(), 'release of no possible size'),
                (peer.message(peer.STOP), BEFORE),
                (peer.message(peer.STOP, bytes(4)), 'more than a header'),
                (peer.hello(kind=peer.WELCOME), 'no type that this side sends'),
                (peer.message(peer.END), 'no type that this side sends'),
                (peer.retire(0), 'no type that this side sends'),
                (peer.frame(0, 1, [1], [1]), 'no type that this side sends'),
                (peer.message(0), 'unknown type'),
                (peer.message(4), 'unknown type'),
                (peer.message(99), 'no type that this side sends'),
                (peer.message(2**32 - 1), 'no type that this side sends'),
        ]:
            with self.subTest(data=data[:40]):
                self.assert_dropped(self.greet_with(data), part)

    def test_other_versions(self):
        for data in (peer.hello(version=2), peer.hello(version=0), peer.hello(version=2**32 - 1),
                     peer.message(peer.HELLO, peer.hello(version=7)[8:] + bytes(100))):
            with self.greet_with(data) as connection:
                got = connection.expect(peer.REFUSED)
                code, version = struct.unpack_from('=II', got.data, 8)
                self.assertEqual((code, version), (peer.BY_VERSION, peer.VERSION))
                self.assertIn('version 1', got.data[16:].decode())
                self.assertTrue(connection.is_gone())
        self.stream.step()
        self.assertEqual(self.log.offences(), [])

    def test_descriptors(self):
        fd = os.open('/dev/null', os.O_RDONLY)
        for n in (1, 2, 3, 253):
            self.assert_dropped(self.greet_with(peer.hello(), [fd] * n), 'has descriptors')
        connection = peer.Subscriber(self.path)
        self.fill(connection)
        connection.send(peer.release(*connection.held), [fd])
        self.assert_dropped(connection, 'has descriptors')
        os.close(fd)

    def test_twice(self):
        connection = self.greet_with(peer.hello())
        connection.send(peer.hello())
        self.assert_dropped(connection, 'out of turn')
        connection = peer.Subscriber(self.path)
        connection.send(peer.hello())
        self.assert_dropped(connection, 'out of turn')

    def test_observers(self):
        """Who gets nothing has nothing to say."""
        with open('/dev/null', 'rb') as null:
            for data, fds, part in [
                    (peer.release(0), [], 'out of turn'), (peer.message(peer.STOP), [], 'out of turn'),
                    (peer.hello(peer.OBSERVER), [], 'out of turn'), (peer.hello(), [], 'out of turn'),
                    (peer.message(99), [], 'no type that this side sends'), (b'x', [], 'less than'),
                    (bytes(4096), [], 'too long'),
                    (peer.message(peer.STOP), [null.fileno()], 'has descriptors')]:
                connection = peer.Observer(self.path)
                for _ in range(3):
                    self.stream.step()
                connection.send(data, fds)
                self.assert_dropped(connection, part)
                # In the same breath as the greeting.
                connection = self.greet_with(peer.hello(peer.OBSERVER))
                try:
                    connection.send(data, fds)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assert_dropped(connection, part)

    def test_deaf_observers(self):
        for _ in range(10):
            self.stream.step()
        before = count_handles()
        observers = [peer.Observer(self.path) for _ in range(50)]
        for _ in range(100):
            self.stream.step()
        self.assertEqual(self.publisher.get_n_subscribers(), 2)
        for observer in observers[::2]:
            observer.close()
        for _ in range(100):
            self.stream.step()
        for observer in observers[1::2]:
            observer.close()
        # When all are known to be gone, nobody else is.
        until(lambda: count_handles() == before)
        self.assertEqual(self.publisher.get_n_subscribers(), 2)

    def test_silence(self):
        connections = [peer.connect(self.path) for _ in range(5)]
        for connection in connections:
            while not self.log.offences():
                self.stream.step()
            self.assertTrue(connection.is_gone())
            connection.close()
        until(lambda: len(self.log.offences()) == 5)
        self.assertEqual(set(self.log.offences()), {'silence instead of a greeting'})
        self.stream.step()

    def test_hang_up(self):
        """In all ways, at all times: not a breach."""
        for how in (lambda c: c.close(), lambda c: c.socket.shutdown(socket.SHUT_WR),
                    lambda c: c.socket.shutdown(socket.SHUT_RDWR), lambda c: c.send(b'')):
            greeted = self.greet_with(peer.hello())
            connections = [peer.connect(self.path), greeted, peer.Subscriber(self.path)]
            last = peer.Subscriber(self.path)
            self.fill(last)
            connections.append(last)
            for connection in connections:
                how(connection)
                self.stream.step()
            self.until_alone()
            for connection in connections:
                if connection.socket.fileno() >= 0:
                    connection.socket.setblocking(False)
                    connection.close()
            for _ in range(4):
                self.stream.step()
        self.assertEqual(self.log.offences(), [])
        self.assertLessEqual(self.publisher.get_n_frames(), 4)

    def test_deaf(self):
        """It does not want to hear more: that is noticed when there is something to say."""
        full = peer.Subscriber(self.path)
        self.fill(full)
        connections = [peer.Subscriber(self.path), self.greet_with(peer.hello())]
        for connection in connections + [full]:
            connection.socket.shutdown(socket.SHUT_RD)
        until(lambda: self.stream.step() and self.publisher.get_n_subscribers() == 3)
        full.send(peer.release(*full.held))
        self.until_alone()
        for connection in connections + [full]:
            connection.close()

    def until_alone(self):
        def alone():
            self.stream.step()
            return self.publisher.get_n_subscribers() == 2
        until(alone, 'a subscriber that is gone is still counted')

    def test_empty_record_with_descriptor(self):
        fd = os.open('/dev/null', os.O_RDONLY)
        connection = peer.Subscriber(self.path)
        self.fill(connection)
        connection.send(b'', [fd])
        os.close(fd)
        self.assert_dropped(connection, 'has descriptors')

    # ---- What is held ----

    def fill(self, connection):
        """Lets it hold all that it may. Returns the frames."""
        frames = []
        if self.publisher.get_sequence() == 0:
            self.stream.step()
        while len(connection.held) < connection.depth:
            try:
                frames.append(connection.get_frame(0.002))
            except TimeoutError:
                self.stream.step()
        return frames

    def test_wrong_releases(self):
        def other(connection):
            return next(slot for slot in range(100) if slot not in connection.held)

        for make, part in [
                (lambda c: [peer.release(12345)], 'does not hold'),
                (lambda c: [peer.release(65536)], 'does not hold'),
                (lambda c: [peer.release(2**32 - 1)], 'does not hold'),
                (lambda c: [peer.release(other(c))], 'does not hold'),
                (lambda c: [peer.release(*[next(iter(c.held))] * 2)], 'does not hold'),
                (lambda c: [peer.release(next(iter(c.held)))] * 2, 'does not hold'),
                (lambda c: [peer.release(*c.held, 3)], 'does not hold'),
                (lambda c: [peer.release(*range(256))], 'does not hold'),
                (lambda c: [peer.release(*range(257))], 'too long'),
                (lambda c: [peer.release()], 'no possible size'),
                (lambda c: [peer.message(peer.RELEASE, bytes(5))], 'no possible size'),
                (lambda c: [peer.release(*c.held)[:-1]], 'another size'),
                (lambda c: [peer.message(peer.STOP)] * 2, 'out of turn'),
                (lambda c: [peer.message(peer.STOP), peer.hello()], 'out of turn'),
                (lambda c: [peer.message(peer.RELEASE + 2)], 'unknown type'),
                (lambda c: [random_bytes(64)], 'another size'),
        ]:
            connection = peer.Subscriber(self.path)
            self.fill(connection)
            try:
                for data in make(connection):
                    connection.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was dropped meanwhile
            self.make_publisher_read()
            with self.subTest(part=part, data=data[:20]):
                self.assert_dropped(connection, part)
        # The slots of offenders are not kept.
        for _ in range(4):
            self.stream.step()
        self.assertLessEqual(self.publisher.get_n_frames(), 4)

    def test_wrong_releases_of_repeats(self):
        """A slot goes back as often as there were frames in it, and not once more."""
        publisher = Shnd.Publisher.new(self.path + '-repeats')
        publisher.get_n_subscribers()
        with peer.Subscriber(self.path + '-repeats') as connection:
            frame = acquire(publisher, (16,))
            publish_frame(publisher, frame)
            publish_frame(publisher, publisher.repeat(frame))
            held = [connection.get_frame().slot, connection.get_frame().slot]
            connection.send(peer.release(held[0], *held))
            publish_frame(publisher, acquire(publisher, (16,)))
            self.assertEqual(connection.receive().type, peer.REFUSED)
            self.assertRaises(peer.Gone, connection.receive)
        publisher.close()

    def make_publisher_read(self):
        """Who has stopped is read only when frames are short."""
        self.publisher.set_max_frames(1)
        try:
            acquire(self.publisher, (16, 256), timeout=0).release()
        except GLib.Error:
            pass
        self.publisher.set_max_frames(0)

    def test_slots_of_others(self):
        """A slot that another one holds is not given back by this one."""
        victim = peer.Subscriber(self.path)
        held = self.fill(victim)
        contents = [victim.get_bytes(got) for got in held]
        for got in held:
            offender = peer.Subscriber(self.path)
            self.fill(offender)
            wrong = [slot for slot in victim.held if slot not in offender.held] or [99]
            offender.send(peer.release(*wrong))
            self.assert_dropped_beside(offender)
        for _ in range(100):
            self.stream.step()
        self.assertEqual([victim.get_bytes(got) for got in held], contents)
        victim.close()
        self.until_alone()

    def assert_dropped_beside(self, offender):
        until(lambda: self.stream.step() and offender.is_gone(0.002))
        offender.close()

    def test_never_releases(self):
        """It gets no more frames, and what it holds is not written."""
        connection = peer.Subscriber(self.path)
        held = self.fill(connection)
        contents = [connection.get_bytes(got) for got in held]
        self.assertEqual(len(set(contents)), 2)
        for _ in range(200):
            self.stream.step()
        self.assertEqual([connection.get_bytes(got) for got in held], contents)
        self.assertRaises(TimeoutError, connection.receive, 0)
        self.assertGreaterEqual(self.publisher.get_n_dropped(), 200)
        self.assertLessEqual(self.publisher.get_n_frames(), 5)
        # When it does at last, it gets the newest.
        connection.give_back(held[0])
        self.assertEqual(connection.get_frame().sequence, self.publisher.get_sequence())
        connection.close()
        self.until_alone()

    def test_offender_looks_on(self):
        """What it held is not used again while it may still look at it."""
        connection = peer.Subscriber(self.path)
        held = self.fill(connection)
        contents = [connection.get_bytes(got) for got in held]
        connection.send(peer.release(999))
        until(lambda: self.stream.step() and connection.is_gone(0.002))
        for _ in range(100):
            self.stream.step()
        self.assertEqual([connection.get_bytes(got) for got in held], contents)
        until(self.log.offences)
        self.assertEqual(self.log.offences(), ['the release of a slot that it does not hold'])
        self.assertLessEqual(self.publisher.get_n_frames(), 4)
        connection.close()

    def test_cannot_write(self):
        connection = peer.connect(self.path)
        connection.send(peer.hello())
        status = connection.expect(peer.WELCOME).fds[0]
        self.stream.step()
        slot = connection.expect(peer.FRAME).fds[0]
        for fd in (status, slot):
            seals = fcntl.fcntl(fd, peer.F_GET_SEALS)
            self.assertEqual(seals & peer.SEALS, peer.SEALS)
            self.assertRaises(PermissionError, os.ftruncate, fd, 0)
            self.assertRaises(PermissionError, os.ftruncate, fd, 1 << 20)
            self.assertRaises(PermissionError, os.pwrite, fd, b'x', 4096)
            self.assertRaises(PermissionError, fcntl.fcntl, fd, peer.F_ADD_SEALS, peer.SEAL_WRITE)
            again = os.open(f'/proc/self/fd/{fd}', os.O_RDWR)
            self.assertRaises(PermissionError, peer.mmap.mmap, again, 4096)
            os.close(again)
            os.close(fd)
        connection.close()
        self.until_alone()

    # ---- Queues ----

    def test_never_reads(self):
        """Its queue is full of large messages; when it reads at last, it gets the newest frame."""
        self.publisher.set_depth(256)
        connection = peer.Subscriber(self.path)
        self.assertEqual(connection.depth, 256)
        metadata = GLib.Variant('a{sv}', {'large': GLib.Variant('s', 'x' * 60000)})
        for _ in range(50):
            self.stream.step(metadata=metadata)
        self.assertGreater(self.publisher.get_n_dropped(), 30)
        frames = []
        while connection.sequence < self.publisher.get_sequence():
            frames.append(connection.get_frame())
        self.assertLess(len(frames), 20)
        connection.close()
        self.until_alone()
        self.assertEqual(self.log.offences(), [])

    def test_releases_without_reading(self):
        """So it always has room, but its queue is full."""
        self.publisher.set_depth(256)
        connection = peer.Subscriber(self.path)
        metadata = GLib.Variant('a{sv}', {'large': GLib.Variant('s', 'x' * 60000)})
        for _ in range(100):
            self.stream.step(metadata=metadata)
            try:
                connection.send(peer.release(0))
            except (BrokenPipeError, ConnectionResetError):
                break
        connection.close()
        self.until_alone()
        self.assertLessEqual(len(self.log.offences()), 1)

    def test_block(self):
        """Who does not read or release keeps a publisher that blocks waiting, but not for longer than
        that wants, and not for longer than it is there."""
        self.publisher.set_overflow(Shnd.Overflow.BLOCK)
        self.publisher.set_depth(256)
        metadata = GLib.Variant('a{sv}', {'large': GLib.Variant('s', 'x' * 60000)})
        for depth in (256, 2):
            greedy = peer.Subscriber(self.path, depth)
            n_sent = 0
            while True:
                frame = acquire(self.publisher, (16, 256))
                frame.set_metadata(metadata)
                number = self.publisher.get_sequence()
                try:
                    publish_frame(self.publisher, frame, 0)
                except GLib.Error as error:
                    self.assertTrue(error.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT), error)
                    break
                got = receive(self.stream.good)
                got.release()
                self.stream.other.give_back(self.stream.other.get_frame())
                n_sent += 1
                self.assertLess(n_sent, 100)
            # It was sent to nobody, and is still there to be published.
            self.assertEqual(self.publisher.get_sequence(), number)
            self.stream.expect_nothing()
            self.assertRaises(TimeoutError, self.stream.other.receive, 0)
            with self.assertRaises(GLib.Error) as caught:
                publish_frame(self.publisher, frame, 0.05)
            self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT))
            greedy.close()
            publish_frame(self.publisher, frame)
            self.assertEqual(receive(self.stream.good).get_sequence(), number + 1)
            self.stream.other.give_back(self.stream.other.get_frame())
            self.assertEqual(self.publisher.get_n_dropped(), 0)
        self.until_alone()

    # ---- Many ----

    def test_dies_in_the_handshake(self):
        for i in range(200):
            connection = self.greet_with(peer.hello())
            if i % 2:
                os.close(connection.expect(peer.WELCOME).fds[0])
            connection.close()
            if i % 10 == 0:
                self.stream.step()
        self.until_alone()
        self.assertEqual(self.log.offences(), [])

    def test_ten_thousand(self):
        """More than there may be: who is silent makes room for who comes."""
        silent = []
        for i in range(10000):
            connection = peer.connect(self.path)
            if i % 20 == 0:
                silent.append(connection)
            else:
                connection.close()
            if i % 100 == 0:
                self.stream.step()
        with peer.Subscriber(self.path) as late:
            self.assertEqual(late.get_frame().sequence, self.publisher.get_sequence())
            self.stream.step()
        for connection in silent:
            connection.close()
        self.until_alone()

    def test_as_many_as_may_be(self):
        self.publisher.set_max_subscribers(4)
        connections = [peer.Subscriber(self.path) for _ in range(2)]
        for _ in range(20):
            with self.greet_with(peer.hello()) as refused:
                got = refused.expect(peer.REFUSED)
                self.assertEqual(struct.unpack_from('=I', got.data, 8)[0], peer.BY_NUMBER)
                self.assertTrue(refused.is_gone())
            self.stream.step()
        for connection in connections:
            connection.close()
        self.until_alone()

    # ---- Chance ----

    def test_fuzz(self):
        """Messages that were right once, with some of their bytes changed."""
        rng = random.Random(SEED)
        n = 3000
        for i in range(n):
            connection = peer.connect(self.path)
            try:
                if rng.random() < 0.3:
                    connection.send(mutate(rng, peer.hello(rng.randrange(3))))
                else:
                    connection.send(peer.hello(rng.randrange(3)))
                    slots = [rng.randrange(6) for _ in range(rng.randrange(1, 4))]
                    for data in (peer.release(*slots), peer.message(peer.STOP), peer.hello()):
                        if rng.random() < 0.6:
                            connection.send(mutate(rng, data) if rng.random() < 0.6 else data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            if i % 4 == 0:
                self.stream.step()
            connection.close()
        self.until_alone()
        self.assertLessEqual(len(self.log.offences()), n)
        self.assertGreater(len(self.log.offences()), n / 10)


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        kind = rng.randrange(4)
        if kind == 0:
            data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 2 and len(data) > 1:
            del data[rng.randrange(len(data)):]
        else:
            data += rng.randbytes(rng.randrange(1, 9))
        if not data:
            break
    return bytes(data) or b'\0'


class TestFewDescriptors(unittest.TestCase):
    def test_few_descriptors(self):
        """Connections come while the publisher has no descriptors left: it goes on."""
        path = os.path.join(RUNTIME_DIR.name, 'few')

        def child():
            stream = Stream(path)
            stream.other.close()
            stream.other = None
            limit = len(os.listdir('/proc/self/fd')) + 8
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            for _ in range(4):
                stream.step()
            # Those of the other side count as well: they are of this process.
            clients = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                while True:
                    clients.append(peer.connect(path, 0))
            except OSError:
                pass
            for _ in range(50):
                stream.step()
            for client in clients:
                client.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit + 64, hard))
            with peer.Subscriber(path) as late:
                assert late.get_frame().sequence == 54
            stream.step()
            stream.close()

        self.assertEqual(in_child(child), 0)


if __name__ == '__main__':
    main()
