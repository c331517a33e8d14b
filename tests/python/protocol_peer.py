# SPDX-License-Identifier: MIT

"""A second implementation of doc/protocol.md, with sockets alone: to be compared with that page.

It does what it is told, right or wrong: what is a breach of the protocol is what the tests are for.
"""

import array
import collections
import fcntl
import mmap
import os
import socket
import struct
import time

MAGIC = b'SHNDFRAM'
VERSION = 1
HELLO, RELEASE, STOP, WELCOME, REFUSED, FRAME, RETIRE, END = 1, 2, 3, 16, 17, 18, 19, 20
BY_VERSION, BY_NUMBER, BY_PERMISSION, BY_PROTOCOL = 1, 2, 3, 4
NEW_SLOT = 1
REPEAT = 2
HEAD, KEPT, N_DROPPED, N_SUBSCRIBERS, ENDED, FRAME_SIZE = range(6)
OBSERVER = 0xFFFFFFFF  # as a depth

SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_WRITE, SEAL_FUTURE_WRITE = 1, 2, 4, 8, 16
SEALS = SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_FUTURE_WRITE
F_ADD_SEALS, F_GET_SEALS = 1033, 1034
SIOCOUTQ = 0x5411

PATIENCE = 30  # for what is to happen; it fails the test, and decides nothing else

Message = collections.namedtuple('Message', 'type size data fds')
Frame = collections.namedtuple('Frame', 'slot flags sequence timestamp offset shape strides dtype '
                                        'metadata fd')


class Gone(Exception):
    """The other side has hung up."""


def message(kind, body=b'', size=None):
    return struct.pack('=II', kind, 8 + len(body) if size is None else size) + body


def hello(depth=0, version=VERSION, magic=MAGIC, kind=HELLO):
    return message(kind, struct.pack('=8sII', magic, version, depth))


def release(*slots):
    return message(RELEASE, struct.pack(f'={len(slots)}I', *slots))


def retire(slot, zero=0):
    return message(RETIRE, struct.pack('=II', slot, zero))


def refused(code, text='', version=VERSION):
    return message(REFUSED, struct.pack('=II', code, version) + text.encode())


def frame(slot, sequence, shape, strides, *, dtype=b'|u1', offset=0, flags=0, timestamp=0,
          metadata=b'', n_dims=None, dtype_size=None, metadata_size=None, zero=0):
    n = len(shape)
    parts = struct.pack(f'=IIQqQIIII{n}q{n}q', slot, flags, sequence, timestamp, offset,
                        n if n_dims is None else n_dims,
                        len(dtype) if dtype_size is None else dtype_size,
                        len(metadata) if metadata_size is None else metadata_size, zero,
                        *shape, *strides)
    return message(FRAME, parts + dtype + bytes(-len(dtype) % 8) + metadata)


class Connection:
    """Either end of one."""

    def __init__(self, sock):
        self.socket = sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data, fds=()):
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        self.socket.sendmsg([data], control)

    def receive(self, patience=PATIENCE):
        """The next message; its descriptors are the caller's. Raises Gone, or TimeoutError."""
        self.socket.settimeout(patience)
        was_reset = False
        while True:
            try:
                data, control, flags, _ = self.socket.recvmsg(1 << 17, socket.CMSG_SPACE(8))
            except ConnectionResetError:
                if was_reset:
                    raise Gone from None
                was_reset = True
                continue
            except BlockingIOError:
                raise TimeoutError from None
            break
        fds = array.array('i')
        for _level, _kind, content in control:
            fds.frombytes(content[:len(content) // 4 * 4])
        if not data:
            raise Gone
        assert flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) == 0
        kind, size = struct.unpack_from('=II', data)
        assert size == len(data), f'{len(data)} bytes with {size} in the header'
        return Message(kind, size, data, list(fds))

    def expect(self, kind, patience=PATIENCE):
        got = self.receive(patience)
        assert got.type == kind, f'type {got.type}: expected {kind}'
        return got

    def is_gone(self, patience=PATIENCE):
        """Whether it hangs up, whatever it has sent before."""
        try:
            while True:
                for fd in self.receive(patience).fds:
                    os.close(fd)
        except Gone:
            return True
        except TimeoutError:
            return False

    def count_unread(self):
        """The bytes that the other side has not read yet."""
        n = array.array('i', [0])
        fcntl.ioctl(self.socket, SIOCOUTQ, n)
        return n[0]


# ---- Memory ----

def check_seals(fd):
    assert fcntl.fcntl(fd, F_GET_SEALS) & SEAL_SHRINK, 'memory that can be cut short'


def map_memory(fd):
    """The data of an array's file, read-only. Closes the descriptor."""
    check_seals(fd)
    prefix = os.pread(fd, 12, 0)
    assert prefix[:6] == b'\x93NUMPY'
    start = 10 + struct.unpack_from('<H', prefix, 8)[0]
    mapping = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
    os.close(fd)
    return memoryview(mapping)[start:]


def make_memory(data, *, seals=SEALS, n_bytes=None, size=None, start=4096):
    """A descriptor of an array of bytes, sealed; and the memory, which stays writable."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': " \
           f"({len(data) if n_bytes is None else n_bytes},), }}"
    header = b'\x93NUMPY\1\0' + struct.pack('<H', start - 10) + text.encode().ljust(start - 11) \
        + b'\n'
    fd = os.memfd_create('peer', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, header + data)
    os.ftruncate(fd, start + len(data) if size is None else size)
    mapping = mmap.mmap(fd, 0)
    if seals:
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd, memoryview(mapping)[start:]


# ---- The two ends ----

def connect(path, patience=PATIENCE):
    """A connection that has said nothing yet."""
    deadline = time.monotonic() + patience
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        try:
            sock.connect(path)
            return Connection(sock)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            sock.close()
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.002)


class Observer(Connection):
    """One that gets no frames; what has a depth and gets some is below."""

    def __init__(self, path, depth=OBSERVER):
        super().__init__(connect(path).socket)
        self.send(hello(depth))
        welcome = self.expect(WELCOME)
        magic, version, self.depth = struct.unpack('=8sII', welcome.data[8:])
        assert magic == MAGIC and version == VERSION
        assert self.depth == 0 if depth == OBSERVER else 0 < self.depth <= 256
        self.status = map_memory(welcome.fds[0])
        assert len(self.status) >= 64

    def close(self):
        super().close()
        self.status = None

    def get_status(self, word):
        return struct.unpack_from('=Q', self.status, 8 * word)[0]


class Subscriber(Observer):
    """One that keeps to the protocol, as long as only its own methods are called."""

    def __init__(self, path, depth=0):
        super().__init__(path, depth)
        self.slots = {}
        self.held = []
        self.sequence = 0
        self.n_new = 0

    def close(self):
        super().close()
        self.slots.clear()

    def get_frame(self, patience=PATIENCE):
        """The next frame; None if the stream ends."""
        while True:
            got = self.receive(patience)
            if got.type == END:
                return None
            if got.type != RETIRE:
                break
            slot, zero = struct.unpack('=II', got.data[8:])
            assert zero == 0 and slot not in self.held
            self.slots.pop(slot, None)
        assert got.type == FRAME
        return self.check_frame(parse_frame(got))

    def check_frame(self, got):
        assert got.slot < 65536 and got.flags < 4
        assert (got.flags & REPEAT or got.slot not in self.held) and len(self.held) < self.depth
        assert got.sequence > self.sequence
        assert (got.fd is not None) == bool(got.flags & NEW_SLOT)
        if got.flags & NEW_SLOT:
            self.slots[got.slot] = map_memory(got.fd)
            self.n_new += 1
        assert got.slot in self.slots
        self.held.append(got.slot)
        self.sequence = got.sequence
        return got

    def get_bytes(self, got):
        """All of the frame's elements, of one byte each, in C order."""
        data = self.slots[got.slot]

        def walk(offset, axis):
            if axis == len(got.shape):
                yield data[offset]
                return
            for i in range(got.shape[axis]):
                yield from walk(offset + i * got.strides[axis], axis + 1)

        contiguous = [1]
        for length in reversed(got.shape[1:]):
            contiguous.insert(0, contiguous[0] * length)
        if list(got.strides) == contiguous:
            n = contiguous[0] * got.shape[0]
            return bytes(data[got.offset:got.offset + n])
        return bytes(walk(got.offset, 0))

    def give_back(self, *frames):
        self.send(release(*(got.slot for got in frames)))
        for got in frames:
            self.held.remove(got.slot)

    def stop(self):
        self.send(message(STOP))


def parse_frame(got):
    slot, flags, sequence, timestamp, offset, n, d, m, zero = struct.unpack_from('=IIQqQIIII',
                                                                              got.data, 8)
    assert zero == 0 and n <= 32 and 0 < d <= 32768 and m <= 65536
    dimensions = struct.unpack_from(f'={2 * n}q', got.data, 56)
    start = 56 + 16 * n
    dtype = got.data[start:start + d]
    assert b'\0' not in dtype and not any(got.data[start + d:start + d + -d % 8])
    start += d + -d % 8
    assert start + m == got.size
    return Frame(slot, flags, sequence, timestamp, offset, dimensions[:n], dimensions[n:],
                 dtype.decode(), got.data[start:], got.fds[0] if got.fds else None)


def pack_lock(kind):
    """That of the first byte of a file, as 64-bit Linux has it."""
    return struct.pack('hhqqi4x', kind, os.SEEK_SET, 0, 1, 0)


def take_lock(fd):
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, pack_lock(fcntl.F_WRLCK))


def is_locked(path):
    with open(path + '.lock', 'rb') as file:
        answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, pack_lock(fcntl.F_WRLCK))
    return struct.unpack_from('h', answer)[0] != fcntl.F_UNLCK


class Publisher:
    """Listens as a publisher does. Each connection is the test's to serve."""

    def __init__(self, path):
        self.path = path
        while True:
            self.lock = os.open(path + '.lock', os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
                                | os.O_CLOEXEC, 0o600)
            try:
                take_lock(self.lock)
                if os.path.samestat(os.fstat(self.lock), os.stat(path + '.lock')):
                    break
            except FileNotFoundError:
                pass
            except BlockingIOError:
                os.close(self.lock)
                raise FileExistsError(path) from None
            os.close(self.lock)
        if os.path.exists(path):
            try:
                connect(path, 0).close()
                os.close(self.lock)
                raise FileExistsError(path)
            except ConnectionRefusedError:
                os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.fchmod(self.socket.fileno(), 0o600)
        self.socket.bind(path)
        self.socket.listen(128)
        self.socket.settimeout(PATIENCE)

    def accept(self):
        """Somebody who has greeted: the connection, and the depth that is wanted."""
        connection = Connection(self.socket.accept()[0])
        greeting = connection.expect(HELLO)
        assert greeting.size == 24 and not greeting.fds
        magic, version, depth = struct.unpack('=8sII', greeting.data[8:])
        assert magic == MAGIC and version == VERSION
        return connection, depth

    def die(self):
        """What the kernel does with a process that ends."""
        self.socket.close()
        os.close(self.lock)

    def close(self):
        os.unlink(self.path)
        os.unlink(self.path + '.lock')
        self.die()


def welcome(connection, depth=2, *, version=VERSION, magic=MAGIC, fd=None):
    """Returns the status page, if it is a good one."""
    own, words = make_memory(bytes(64)) if fd is None else (fd, None)
    connection.send(hello(depth, version, magic, WELCOME), [own])
    os.close(own)
    return words


def take_releases(connection, n, patience=PATIENCE):
    """The next n slots that are given back."""
    slots = []
    while len(slots) < n:
        got = connection.expect(RELEASE, patience)
        slots += struct.unpack(f'={(got.size - 8) // 4}I', got.data[8:])
    return slots
