# SPDX-License-Identifier: MIT

"""Publishers that do not keep to the protocol: a subscriber gets an error, and nothing else."""

import gc
import os
import random
import resource
import socket
import struct
import threading

from hostile_support import HostileTestCase, checksum, expected_checksum, pattern, receive, until
import protocol_peer as peer
from support import GLib, Shnd, in_child, main

import numpy as np

SEED = 20240607
N = 4096
METADATA = GLib.Variant('a{sv}', {'exposure': GLib.Variant('d', 0.5),
                                  'name': GLib.Variant('s', 'left')}).get_data_as_bytes().get_data()


class TestHostilePublisher(HostileTestCase):
    latest_only = False

    def setUp(self):
        super().setUp()
        self.publisher = peer.Publisher(self.path)
        self.subscriber = Shnd.Subscriber.new(self.path)
        self.connection = None

    def tearDown(self):
        self.hang_up()
        self.publisher.close()
        self.subscriber.close()
        del self.subscriber
        self.words = self.memory = None
        super().tearDown()

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def expect_nothing(self, timeout=0):
        self.assert_error(Shnd.Error.TIMED_OUT, 'in time', receive, self.subscriber, timeout)

    def accept(self, depth=4, again=False):
        """The subscriber connects, a new one if not `again`, and is welcomed unless the depth is 0."""
        self.hang_up()
        if not again:
            self.subscriber.close()
            self.refuse_all()
            self.subscriber = Shnd.Subscriber.new(self.path)
            self.subscriber.set_latest_only(self.latest_only)
            self.expect_nothing()
        # What there was is over; and the next one may have to wait for its turn.
        self.publisher.socket.settimeout(0.01)
        for _ in range(2000):
            try:
                self.connection, _wanted = self.publisher.accept()
                break
            except TimeoutError:
                self.expect_nothing()
        if depth:
            self.words = peer.welcome(self.connection, depth)
        return self.connection

    def refuse_all(self):
        """Who has connected again meanwhile."""
        self.publisher.socket.setblocking(False)
        try:
            while True:
                self.publisher.socket.accept()[0].close()
        except BlockingIOError:
            pass

    def send_frame(self, slot=0, sequence=1, shape=(N,), strides=(1,), *, data=None, fd=None,
                   fds=None, **options):
        """A frame with its memory, right but for what is said otherwise."""
        if fd is None and fds is None:
            fd, self.memory = peer.make_memory(pattern(sequence, N).tobytes() if data is None else
                                               data)
        options.setdefault('flags', peer.NEW_SLOT)
        self.connection.send(peer.frame(slot, sequence, shape, strides, **options),
                             fds if fds is not None else [fd])
        for each in fds if fds is not None else [fd]:
            os.close(each)

    def check_good(self, sequence=1):
        frame = receive(self.subscriber)
        self.assertEqual(frame.get_sequence(), sequence)
        self.assertEqual(checksum(frame), expected_checksum(sequence, N))
        return frame

    def assert_breach(self, part, holds=False):
        """The subscriber says what is wrong, hangs up, and gets along with the next publisher."""
        self.assert_error(Shnd.Error.PROTOCOL, part, receive, self.subscriber)
        if holds:
            self.connection.expect(peer.STOP)
        else:
            self.assertTrue(self.connection.is_gone())
        self.accept(again=True)
        self.send_frame()
        frame = self.check_good()
        frame.release()
        self.assertEqual(peer.take_releases(self.connection, 1), [0])

    # ---- Messages ----

    def test_wrong_messages(self):
        whole = peer.frame(0, 1, [4], [1], metadata=METADATA)
        for data, part in [
                (b'x', 'less than a header'),
                (bytes(8), 'another size than its header says'),
                (peer.message(peer.END, size=9), 'another size than its header says'),
                (peer.message(peer.END, bytes(4)), 'more than a header'),
                (peer.message(0), 'no type that this side sends'),
                (peer.hello(), 'no type that this side sends'),
                (peer.release(0), 'no type that this side sends'),
                (peer.message(peer.STOP), 'no type that this side sends'),
                (peer.message(21), 'unknown type'),
                (peer.message(2**32 - 1), 'unknown type'),
                (peer.retire(0)[:-1], 'another size'),
                (peer.message(peer.RETIRE, bytes(4)), 'retirement of another size'),
                (peer.message(peer.RETIRE, bytes(12)), 'retirement of another size'),
                (peer.retire(65536), 'no possible number'),
                (peer.retire(0, 1), 'no possible number'),
                (peer.refused(peer.BY_PROTOCOL, 'x' * 257), 'refusal of no possible size'),
                (peer.message(peer.REFUSED, bytes(4)), 'refusal of no possible size'),
                (peer.message(peer.REFUSED, bytes(8) + b'\xff'), 'not UTF-8'),
                (peer.hello(4, kind=peer.WELCOME), 'no descriptor of the status page'),
                (peer.message(peer.FRAME), 'too short'),
                (whole[:63], 'another size'),
                (peer.message(peer.FRAME, whole[8:48]), 'too short'),
                (peer.message(peer.FRAME, whole[8:-1]), 'do not add up'),
                (peer.message(peer.FRAME, whole[8:] + b'\0'), 'do not add up'),
                (peer.message(peer.FRAME, bytes(102392)), 'without a number'),
                (peer.message(peer.FRAME, bytes(102401)), 'too long'),
                (peer.message(peer.FRAME, bytes(200000)), 'too long'),
                (random.Random(SEED).randbytes(500), 'another size'),
        ]:
            with self.subTest(part=part, data=data[:24]):
                self.accept()
                self.connection.send(data)
                self.assert_breach(part)

    def test_wrong_fields(self):
        """Of a frame in a slot that is good."""
        big = 2**62
        least = -2**63
        for options, part in [
                (dict(slot=65536), 'no possible number'),
                (dict(slot=2**32 - 1), 'no possible number'),
                (dict(flags=5), 'unknown flags'),
                (dict(flags=2**31 + 1), 'unknown flags'),
                (dict(zero=1), 'unknown flags'),
                (dict(sequence=0, data=bytes(N)), 'without a number'),
                (dict(shape=[1] * 33, strides=[1] * 33), 'too many dimensions'),
                (dict(n_dims=2**32 - 1), 'too many dimensions'),
                (dict(n_dims=0), 'do not add up'),
                (dict(n_dims=2), 'do not add up'),
                (dict(dtype=b''), 'no possible size'),
                (dict(dtype=b'x' * 32769), 'no possible size'),
                (dict(dtype_size=2**32 - 1), 'no possible size'),
                (dict(dtype_size=9), 'do not add up'),
                (dict(dtype=b'|u1\0'), 'has NUL'),
                (dict(dtype_size=8), 'has NUL'),
                (dict(metadata=bytes(65537)), 'no possible size'),
                (dict(metadata_size=1), 'do not add up'),
                (dict(metadata_size=2**32 - 1), 'no possible size'),
                (dict(dtype=b'float31'), 'no array'),
                (dict(dtype=b'\xff\xfe'), 'no array'),
                (dict(dtype=b'|O'), 'no array'),
                (dict(dtype=b'[' * 32768), 'no array'),
                (dict(dtype=b"('<f4', (2,))"), 'sub-array'),
                (dict(shape=[-1]), 'no array'),
                (dict(shape=[least]), 'no array'),
                (dict(shape=[big, big], strides=[0, 0]), 'no array'),
                (dict(shape=[2**63 - 1], dtype=b'<u8'), 'no array'),
                (dict(shape=[big, 0], strides=[1, 1], offset=N + 1), 'not inside'),
                (dict(shape=[N + 1]), 'not inside'),
                (dict(shape=[N], offset=1), 'not inside'),
                (dict(offset=N), 'not inside'),
                (dict(offset=2**64 - 1), 'not inside'),
                (dict(offset=2**63), 'not inside'),
                (dict(shape=[2], offset=0, strides=[-1]), 'not inside'),
                (dict(shape=[2], strides=[N]), 'not inside'),
                (dict(shape=[2], strides=[2**63 - 1]), 'not inside'),
                (dict(shape=[2], strides=[least]), 'not inside'),
                (dict(shape=[5], strides=[big]), 'not inside'),
                (dict(shape=[2], strides=[N + 1], dtype=b'|V0'), 'not inside'),
                (dict(shape=[5], strides=[big], dtype=b'|S0'), 'not inside'),
                (dict(shape=[3, 3], strides=[2**63 - 1, 2**63 - 1]), 'not inside'),
                (dict(shape=[3, 3], strides=[least, 2**63 - 1], offset=N // 2), 'not inside'),
                (dict(shape=[], strides=[], dtype=b'|V4097'), 'not inside'),
                (dict(shape=[1], dtype=b'|S2147483647'), 'not inside'),
                (dict(shape=[2**31], strides=[0], dtype=b'|V4096', offset=8), 'not inside'),
                (dict(metadata=b'x'), 'normal form'),
                (dict(metadata=METADATA[:-1]), 'normal form'),
                (dict(metadata=METADATA + b'\0'), 'normal form'),
                (dict(metadata=bytes(65536)), 'normal form'),
                (dict(metadata=b'\xff' * 65536), 'normal form'),
                (dict(metadata=random.Random(SEED).randbytes(4096)), 'normal form'),
                (dict(metadata=self.make_bomb()), 'normal form'),
        ]:
            with self.subTest(part=part, options=str(options)[:80]):
                self.accept()
                self.send_frame(**options)
                self.assert_breach(part)

    def test_metadata_like_others(self):
        """They are compared with those before, and looked at where anything but a number differs."""
        rng = random.Random(SEED)
        kind = GLib.VariantType.new('a{sv}')
        for i in range(len(METADATA)):
            data = bytearray(METADATA)
            data[i] ^= rng.randrange(1, 256)
            variant = GLib.Variant.new_from_bytes(kind, GLib.Bytes.new(bytes(data)), False)
            with self.subTest(i=i, data=bytes(data)):
                self.accept()
                for sequence in range(1, 4):
                    self.send_frame(0, sequence, metadata=METADATA)
                    self.check_good(sequence).release()
                    self.assertEqual(peer.take_releases(self.connection, 1), [0])
                self.send_frame(0, 4, metadata=bytes(data))
                if not variant.is_normal_form():
                    self.assert_breach('normal form')
                    continue
                frame = self.check_good(4)
                received = frame.get_metadata().get_data_as_bytes().get_data()
                self.assertEqual(received, bytes(data))
                frame.release()

    @staticmethod
    def make_bomb():
        """A dictionary whose only value would be thousands of tuples of thousands of zeros."""
        kind = b'a(' + b's' * 20000 + b')'
        value = b'\xff' * 40000 + b'\0' + kind
        entry = bytes(8) + value + b'\x01\0\0'
        return entry[:65000] + struct.pack('<H', len(entry) & 0xffff)

    def test_allowed(self):
        """What looks odd, but is not."""
        self.accept()
        for sequence, (options, shape) in enumerate([
                (dict(shape=[N // 2, 2], strides=[2, -1], offset=1), (N // 2, 2)),
                (dict(shape=[1000, 4], strides=[0, 1]), (1000, 4)),
                (dict(shape=[2**40, 0], strides=[7, 2**62], offset=N), (2**40, 0)),
                (dict(shape=[], strides=[], offset=N - 1), ()),
                (dict(shape=[1] * 32, strides=[2**40] * 32), (1,) * 32),
                (dict(shape=[N - 8], dtype=b"[('x', '<f4'), ('y', '<f4')]", offset=1), (N - 8,)),
                (dict(shape=[3], dtype=b'|S0', strides=[0], offset=N), (3,)),
                (dict(metadata=METADATA), (N,)),
                (dict(timestamp=-2**63), (N,)),
        ], 1):
            with self.subTest(options=options):
                self.send_frame(0, sequence, **options)
                frame = receive(self.subscriber)
                self.assertEqual(np.asarray(frame.get_array()).shape, shape)
                frame.release()
                self.assertEqual(peer.take_releases(self.connection, 1), [0])
        frame = None

    def test_order(self):
        """Messages that are right, at the wrong time."""
        connection = self.accept(depth=0)
        self.send_frame()
        self.assert_breach('out of turn')
        connection = self.accept(depth=0)
        connection.send(peer.retire(0))
        self.assert_breach('out of turn')
        self.accept()
        peer.welcome(self.connection)
        self.assert_breach('out of turn')
        # END before WELCOME is a publisher that goes before it has come.
        self.accept(depth=0)
        self.connection.send(peer.message(peer.END))
        self.expect_nothing()
        self.accept(again=True)
        self.send_frame()
        self.check_good().release()

    def test_wrong_frames(self):
        """Of slots and numbers that do not fit to what was before."""
        for sequence in (1, 2):
            self.accept()
            self.send_frame(0, 2)
            frame = self.check_good(2)
            self.send_frame(1, sequence)
            self.assert_breach('not above', holds=True)
            self.assertEqual(checksum(frame), expected_checksum(2, N))
            frame.release()
        self.accept()
        self.send_frame()
        frame = self.check_good()
        self.send_frame(0, 2)
        self.assert_breach('still held', holds=True)
        frame.release()
        self.accept()
        self.send_frame()
        frame = self.check_good()
        self.send_frame(0, 2, fds=[], flags=0)
        self.assert_breach('still held', holds=True)
        frame.release()
        # Nor is one that has only been held with REPEAT.
        self.accept(depth=3)
        self.send_frame()
        frames = [self.check_good()]
        self.send_frame(0, 2, fds=[], flags=peer.REPEAT)
        frames.append(receive(self.subscriber))
        frames.pop(0).release()
        self.assertEqual(peer.take_releases(self.connection, 1), [0])
        self.send_frame(0, 3, fds=[], flags=0)
        self.assert_breach('still held', holds=True)
        frames.pop().release()
        for _ in range(2):
            self.accept()
            self.send_frame(3, 1, fds=[], flags=0)
            self.assert_breach('nobody knows')
        # A slot that was retired is not known any more.
        self.accept()
        self.send_frame()
        self.check_good().release()
        self.connection.send(peer.retire(0))
        self.connection.send(peer.retire(4711))
        self.send_frame(0, 2, fds=[], flags=0)
        self.assert_breach('nobody knows')

    def test_more_than_the_depth(self):
        self.accept(depth=2)
        for sequence in (1, 2, 3):
            self.send_frame(sequence, sequence)
        frames = [self.check_good(1), self.check_good(2)]
        self.assert_breach('more frames than may be held', holds=True)
        for frame in frames:
            frame.release()

    # ---- WELCOME and REFUSED ----

    def test_welcome(self):
        for depth in (0, 257, 2**32 - 1):
            self.accept(depth=0)
            peer.welcome(self.connection, depth)
            self.assert_breach('impossible depth')
        self.accept(depth=0)
        peer.welcome(self.connection, version=2)
        self.assert_breach('another version')
        self.accept(depth=0)
        peer.welcome(self.connection, magic=b'SHNDFRAN')
        self.assert_breach('without the magic')
        for make, part in [
                (lambda: peer.make_memory(bytes(63)), 'too small'),
                (lambda: peer.make_memory(b''), 'too small'),
                (lambda: peer.make_memory(bytes(64), seals=0), 'F_SEAL_SHRINK'),
                (lambda: peer.make_memory(bytes(64), start=4091), 'odd places'),
                (lambda: (os.open('/dev/null', os.O_RDONLY),), 'regular file'),
        ]:
            self.accept(depth=0)
            peer.welcome(self.connection, fd=make()[0])
            self.assert_breach(part)

    def test_observer(self):
        """It gets WELCOME with the depth 0, and END."""
        for depth, data, part in [
                (1, None, 'impossible depth'), (2, None, 'impossible depth'),
                (257, None, 'impossible depth'), (peer.OBSERVER, None, 'impossible depth'),
                (0, peer.retire(0), 'out of turn'), (0, peer.frame(0, 1, [N], [1]), 'out of turn'),
                (0, 'slot', 'out of turn'), (0, 'slot after the end', 'out of turn'),
                (0, 'welcome', 'out of turn'), (0, peer.message(77), 'unknown type')]:
            self.accept(depth=0)
            self.connection.close()
            self.subscriber.close()
            self.refuse_all()
            self.subscriber = Shnd.Subscriber.new(self.path)
            self.subscriber.set_observer(True)
            self.expect_nothing()
            self.connection, wanted = self.publisher.accept()
            self.assertEqual(wanted, peer.OBSERVER)
            self.words = peer.welcome(self.connection, depth)
            if depth == 0:
                self.assert_error(Shnd.Error.TIMED_OUT, 'not ended', receive, self.subscriber, 0)
            if data == 'welcome':
                peer.welcome(self.connection, 0)
            elif isinstance(data, str):
                struct.pack_into('=Q', self.words, 8 * peer.ENDED, 'end' in data)
                self.send_frame()
            elif data is not None:
                self.connection.send(data)
            # As one that is no observer it would get along with the next publisher.
            self.subscriber.set_observer(False)
            self.assert_breach(part)

    def test_refused(self):
        for code, error in [(peer.BY_VERSION, Shnd.Error.UNSUPPORTED),
                            (peer.BY_NUMBER, Shnd.Error.NO_SPACE),
                            (peer.BY_PERMISSION, Shnd.Error.PERMISSION_DENIED),
                            (peer.BY_PROTOCOL, Shnd.Error.PROTOCOL),
                            (0, Shnd.Error.FAILED), (77, Shnd.Error.FAILED)]:
            self.accept(depth=0)
            self.connection.send(peer.refused(code, 'Not you, über all'))
            self.connection.close()
            self.assert_error(error, 'Not you, über all', receive, self.subscriber)
        self.connection = None

    def test_silence(self):
        self.accept(depth=0)
        self.expect_nothing(0.05)
        self.accept()
        self.expect_nothing(0.05)
        self.hang_up()
        self.assert_error(Shnd.Error.DISCONNECTED, 'without having ended', receive,
                          self.subscriber)

    def test_ends(self):
        """END is the end, whatever comes behind it."""
        self.accept()
        self.send_frame()
        self.connection.send(peer.message(peer.END))
        self.send_frame(1, 2)
        self.connection.send(random.Random(SEED).randbytes(100))
        self.check_good().release()
        for _ in range(2):
            self.assert_error(Shnd.Error.END_OF_STREAM, 'has ended', receive, self.subscriber)

    # ---- Descriptors ----

    def test_wrong_memory(self):
        def open_pipe():
            ends = os.pipe()
            os.close(ends[1])
            return ends[0]

        def open_socket():
            return socket.socket(socket.AF_UNIX).detach()

        def make(*arguments, **options):
            return lambda: peer.make_memory(*arguments, **options)[0]

        def lie(start):
            fd = peer.make_memory(bytes(N), seals=0)[0]
            os.pwrite(fd, struct.pack('<H', start - 10), 8)
            peer.fcntl.fcntl(fd, peer.F_ADD_SEALS, peer.SEALS)
            return fd

        for make_fd, part in [
                (open_pipe, 'regular file'),
                (open_socket, 'regular file'),
                (lambda: os.open('/', os.O_RDONLY), 'regular file'),
                (lambda: os.open('/', os.O_PATH), 'regular file'),
                (lambda: os.open('/dev/zero', os.O_RDONLY), 'regular file'),
                (lambda: os.open(__file__, os.O_RDONLY), 'F_SEAL_SHRINK'),
                (lambda: os.open(__file__, os.O_PATH), 'not open for reading'),
                (make(bytes(N), seals=0), 'F_SEAL_SHRINK'),
                (make(bytes(N), seals=peer.SEAL_GROW | peer.SEAL_FUTURE_WRITE), 'F_SEAL_SHRINK'),
                (make(bytes(N), size=1), 'Cannot use'),
                (make(bytes(N), size=64), 'Cannot use'),
                (make(bytes(N), size=4096 + N - 1), 'Cannot use'),
                (make(bytes(N), n_bytes=N + 1), 'Cannot use'),
                (make(bytes(N), n_bytes=2**62), 'Cannot use'),
                (make(bytes(N), n_bytes=2**64), 'Cannot use'),
                (make(bytes(N), n_bytes=-1), 'Cannot use'),
                (make(b''), 'not inside'),
                (make(bytes(N - 1)), 'not inside'),
                (lambda: lie(10), 'Cannot use'),
                (lambda: lie(65545), 'Cannot use'),
        ]:
            with self.subTest(part=part):
                self.accept()
                self.send_frame(fd=make_fd())
                self.assert_breach(part)

    def test_seals_that_suffice(self):
        self.accept()
        for sequence, seals in enumerate((peer.SEAL_SHRINK, peer.SEAL_SHRINK | peer.SEAL_GROW), 1):
            fd, _memory = peer.make_memory(pattern(sequence, N).tobytes(), seals=seals)
            self.send_frame(0, sequence, fd=fd)
            self.check_good(sequence).release()
            peer.take_releases(self.connection, 1)

    def test_too_many_descriptors(self):
        """None of them is left, as tearDown() sees."""
        for n in (2, 3, 8, 253):
            self.accept()
            fds = [peer.make_memory(bytes(N))[0]] + [os.open('/dev/null', os.O_RDONLY)
                                                     for _ in range(n - 1)]
            self.send_frame(fds=fds)
            self.assert_breach('too many descriptors')
        for data in (peer.retire(1), peer.message(peer.END), peer.refused(1), peer.message(77),
                     peer.frame(0, 1, [1], [1]), b'x'):
            for n in (1, 2):
                self.accept()
                fd = os.open('/dev/null', os.O_RDONLY)
                self.connection.send(data, [fd] * n)
                os.close(fd)
                self.assert_breach('The publisher has sent')
        self.accept()
        fd = os.open('/dev/null', os.O_RDONLY)
        self.connection.send(b'', [fd])
        os.close(fd)
        self.assert_error(Shnd.Error.DISCONNECTED, 'gone', receive, self.subscriber)

    def test_cut_short(self):
        """Once the memory is mapped the publisher cannot take it away."""
        self.accept()
        fd, _memory = peer.make_memory(pattern(1, N).tobytes())
        again = os.dup(fd)
        self.send_frame(fd=fd)
        frame = self.check_good()
        self.assertRaises(PermissionError, os.ftruncate, again, 0)
        self.assertRaises(PermissionError, os.ftruncate, again, 4096)
        os.close(again)
        self.hang_up()
        self.assertEqual(checksum(frame), expected_checksum(1, N))
        frame.release()

    def test_no_descriptors_left(self):
        """It is the subscriber's own shortage, and it says so."""
        def child():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            limit = len(os.listdir('/proc/self/fd')) + 64
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            # For the status page, for its duplicate, for the frame's slot, and for its duplicate.
            for n_left in range(3):
                self.accept()
                self.send_frame()
                hogs = []
                try:
                    while True:
                        hogs.append(os.open('/dev/null', os.O_RDONLY))
                except OSError:
                    pass
                for _ in range(n_left):
                    os.close(hogs.pop())
                self.assert_error(Shnd.Error.NO_SPACE, '', receive, self.subscriber, 0)
                for hog in hogs:
                    os.close(hog)
                self.accept(again=True)
                self.send_frame()
                self.check_good().release()

        self.assertEqual(in_child(child), 0)

    # ---- Without end ----

    def test_endless(self):
        """However much there is to be read, the subscriber looks at the time."""
        self.accept()
        self.fill_queue(peer.retire(5))
        self.expect_nothing()
        self.assertGreater(self.connection.count_unread(), 0)
        # And goes on behind it.
        until(lambda: self.is_read(), 'it does not read what is there')
        self.send_frame()
        self.check_good().release()

    def is_read(self):
        self.expect_nothing()
        return self.connection.count_unread() == 0

    def fill_queue(self, data):
        self.connection.socket.setblocking(False)
        n = 0
        try:
            while True:
                self.connection.send(data)
                n += 1
        except BlockingIOError:
            pass
        self.connection.socket.setblocking(True)
        self.assertGreater(n, 100)

    def test_latest_only(self):
        """A publisher that promises newer frames, and does not send them."""
        self.latest_only = True
        self.accept()
        struct.pack_into('=Q', self.words, 8 * peer.KEPT, 2**64 - 1)
        self.send_frame()
        frame = receive(self.subscriber, 0.1)
        self.assertEqual(frame.get_sequence(), 1)
        frame.release()

    def test_closes_while_flooded(self):
        """close() in another thread ends receive(), whatever the publisher sends."""
        self.accept()
        stop = threading.Event()
        connection = self.connection

        def flood():
            connection.socket.settimeout(0.01)
            while not stop.is_set():
                try:
                    connection.send(peer.retire(5))
                except (TimeoutError, BrokenPipeError, ConnectionResetError):
                    pass

        errors = []

        def wait():
            try:
                receive(self.subscriber)
            except GLib.Error as error:
                errors.append(error)

        threads = [threading.Thread(target=target) for target in (flood, wait)]
        for thread in threads:
            thread.start()
        self.subscriber.close()
        threads[1].join(60)
        stop.set()
        threads[0].join()
        self.assertTrue(errors[0].matches(Shnd.Error.quark(), Shnd.Error.CLOSED), errors)

    # ---- Chance ----

    def test_fuzz(self):
        """Messages that were right once, with some of their bytes changed: an error, or an array that
        can be read."""
        rng = random.Random(SEED)
        allowed = [int(code) for code in (
            Shnd.Error.PROTOCOL, Shnd.Error.DISCONNECTED, Shnd.Error.END_OF_STREAM,
            Shnd.Error.TIMED_OUT, Shnd.Error.UNSUPPORTED, Shnd.Error.NO_SPACE,
            Shnd.Error.PERMISSION_DENIED, Shnd.Error.FAILED)]
        n_frames = 0
        for _ in range(2000):
            self.accept()
            for sequence in (1, 2):
                good = peer.frame(0, sequence, [8, 8], [8, -1], offset=64, dtype=b'<u2',
                                  flags=peer.NEW_SLOT, metadata=METADATA)
                fd, _memory = peer.make_memory(bytes(N))
                data = self.mutate(rng, rng.choice([good] * 8 + [
                    peer.retire(0), peer.message(peer.END), peer.refused(3, 'no'),
                    peer.hello(3, kind=peer.WELCOME)]))
                try:
                    self.connection.send(data, [fd] * rng.choice((1, 1, 1, 1, 0, 2)))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                os.close(fd)
                try:
                    frame = receive(self.subscriber, 0)
                except GLib.Error as error:
                    self.assertEqual(error.domain, 'shnd-error-quark')
                    self.assertIn(error.code, allowed, error.message)
                else:
                    array = np.asarray(frame.get_array())
                    if array.size <= N:
                        array.tobytes()
                    frame.get_metadata().print_(False)
                    del array
                    frame.release()
                    n_frames += 1
        self.assertGreater(n_frames, 200)
        gc.collect()

    @staticmethod
    def mutate(rng, data):
        data = bytearray(data)
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            where = rng.randrange(8)
            if len(data) > 8 and rng.random() < 0.9:
                where = rng.randrange(8, len(data))
            kind = rng.randrange(3)
            if kind == 0:
                data[where] ^= 1 << rng.randrange(8)
            elif kind == 1:
                data[where] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
            else:
                data[where & ~7:(where & ~7) + 8] = rng.choice(
                    (bytes(8), b'\xff' * 8, bytes(7) + b'\x80', struct.pack('=q', 2**62)))
        if rng.random() < 0.05:
            data = data[:rng.randrange(1, len(data) + 1)]
        return bytes(data)


if __name__ == '__main__':
    main()
