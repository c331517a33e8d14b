#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs what format.md shows: its reader, its writer, its example and its test vectors.

Usage: check-format.py format.md. Prints TAP.
"""

import ast
import fcntl
import os
import re
import socket
import struct
import sys
import traceback

import gi

gi.require_version('Shnd', '1')
from gi.module import get_introspection_module  # noqa: E402
from gi.repository import Gio, GLib  # noqa: E402

# What the override adds comes from NumPy in part; here it is the library that is asked.
Shnd = get_introspection_module('Shnd')

PAGE = open(sys.argv[1], encoding='utf-8').read()
NAME = f'shnd-check-format-{os.getpid()}'
SHAPE = [2, 3]
LOCK = Shnd.Array.lock
READ, WRITE = fcntl.F_RDLCK, fcntl.F_WRLCK
F_SEAL_FUTURE_WRITE = 16
VALUES = {(i, j): 10 * (i + 1) + j + 1 for i in range(2) for j in range(3)}


def blocks(language):
    found = re.findall(rf'^```{language}\n(.*?)^```$', PAGE, re.M | re.S)
    assert found, f'the page has no block of {language}'
    return found


def rows(language):
    for line in '\n'.join(blocks(language)).splitlines():
        if line:
            yield re.split(r' {2,}', line)


code = {}
for block in blocks('python'):
    exec(block, code)


def make(dtype, flags=0):
    array = Shnd.Array.new(NAME, Shnd.DType.new(dtype), SHAPE, Shnd.CreateFlags(flags))
    for indices, value in VALUES.items():
        array.set_int64(indices, value)
    return array


def make_anonymous(dtype):
    return Shnd.Array.new(None, Shnd.DType.new(dtype), SHAPE, Shnd.CreateFlags.NONE)


def check_reader(dtype, flags):
    array = make(dtype, flags)
    reader = code['Reader'](NAME)
    assert reader.shape == tuple(SHAPE), reader.shape
    assert reader.descr == array.get_dtype().to_string()
    assert reader.fortran == (flags == Shnd.CreateFlags.FORTRAN)
    assert reader.is_array and not reader.is_copy and not reader.persistent
    for indices, value in VALUES.items():
        assert reader[indices] == value, (indices, reader[indices])
    # A write of the library shows in what the reader has mapped.
    array.set_int64([1, 2], 99)
    assert reader[1, 2] == 99
    reader.close()


def fails(code, function, *arguments):
    try:
        function(*arguments)
    except GLib.Error as error:
        assert error.matches(Shnd.Error.quark(), code), error
    else:
        raise AssertionError(f'no error: {function} {arguments}')


def raises(kind, function, *arguments):
    try:
        function(*arguments)
    except kind:
        return
    raise AssertionError(f'not raised: {kind}')


def exists():
    return os.path.exists(f'/dev/shm/{NAME}')


def check_control():
    array = make('<i4')
    reader = code['Reader'](NAME)
    assert reader.get_control() == (0, 0)
    array.update()
    array.update()
    assert reader.get_control() == (0, 2)
    LOCK(array, -1, None)
    word, _sequence = reader.get_control()
    assert 0 < word < 1 << 30
    # The slot that the word names belongs to somebody.
    byte = (1 << 62) + 65536 + word
    assert code['lock'](reader.fd, byte, WRITE, fcntl.F_OFD_GETLK) == WRITE
    array.unlock()
    assert reader.get_control() == (0, 2)
    reader.close()


def check_copy():
    """A copy has a control page that is not its own, until it is locked or updated."""
    original = make('<i4', Shnd.CreateFlags.PERSISTENT)
    original.update()
    LOCK(original, -1, None)
    with open(f'/dev/shm/{NAME}', 'rb') as file:
        content = file.read()
    inode, birth = struct.unpack_from('<QQ', content, len(content) - 4080)
    os.unlink(f'/dev/shm/{NAME}')
    with open(f'/dev/shm/{NAME}', 'wb') as copy:
        copy.write(content)
    os.chmod(f'/dev/shm/{NAME}', 0o600)

    reader = code['Reader'](NAME)
    assert reader.is_array and reader.is_copy and reader.persistent
    assert reader[1, 1] == VALUES[1, 1]
    array = Shnd.Array.open(NAME, Shnd.Access.READ_WRITE)
    assert array.get_persistent()
    # The lock is that of another file: it is free here.
    LOCK(array, 0, None)
    page = reader.memory[reader.page:reader.page + 4096]
    assert page[:12] == content[-4096:-4084] and page[12:16] == b'\1\0\0\0'
    assert struct.unpack_from('<QQ', page, 16) == code['identify'](reader.fd) != (inode, birth)
    array.close()
    reader.close()
    assert exists()
    reader = code['Reader'](NAME)
    assert reader.is_array and not reader.is_copy and reader.persistent
    reader.close()


def check_plain():
    with open(f'/dev/shm/{NAME}', 'wb') as file:
        Shnd.Array.save(make_anonymous('<i4'), file.name, Shnd.SaveFlags.NONE)
    os.chmod(f'/dev/shm/{NAME}', 0o600)
    reader = code['Reader'](NAME)
    assert not reader.is_array and reader.persistent and reader.page is None
    reader.close()
    assert exists()


def check_writer(descr, letter):
    data = struct.pack(f'{descr[0]}6{letter}', *VALUES.values())
    fd = code['write'](NAME, descr, tuple(SHAPE), data)
    array = Shnd.Array.open(NAME, Shnd.Access.READ_WRITE)
    assert array.get_dtype().to_string() == descr
    for indices, value in VALUES.items():
        assert array.get_double(indices) == value
    assert not array.get_persistent()
    LOCK(array, 0, None)
    array.unlock()
    array.update()
    assert array.get_sequence() == 1
    reader = code['Reader'](NAME)
    assert reader.is_array and not reader.is_copy
    raises(FileExistsError, code['write'], NAME, descr, tuple(SHAPE), data)
    # The writer's lease, the reader's and the library's: the last one takes the name along.
    array.close()
    assert exists()
    reader.close()
    assert exists()
    Shnd.Array.open(NAME, Shnd.Access.READ).close()
    assert exists()
    code['let_go'](NAME, fd)
    assert not exists()


def check_last(last):
    """Whoever is last removes the name: the page's code, or the library, for reading or not."""
    fd = code['write'](NAME, '|u1', (1,), b'x')
    leavers = {
        'the writer': lambda: code['let_go'](NAME, fd),
        'the reader': code['Reader'](NAME).close,
        'the library': Shnd.Array.open(NAME, Shnd.Access.READ_WRITE).close,
        'the library, for reading': Shnd.Array.open(NAME, Shnd.Access.READ).close,
    }
    leavers[last] = leavers.pop(last)
    for leave in leavers.values():
        assert exists()
        leave()
    assert not exists()


def check_persistent():
    fd = code['write'](NAME, '|u1', (1,), b'x', True)
    assert Shnd.Array.open(NAME, Shnd.Access.READ).get_persistent()
    code['let_go'](NAME, fd, True)
    assert exists()
    Shnd.Array.open(NAME, Shnd.Access.READ).close()
    assert exists()
    reader = code['Reader'](NAME)
    assert reader.persistent
    # It holds it, so that others can see that.
    with open(f'/dev/shm/{NAME}', 'rb') as file:
        assert code['lock'](file.fileno(), code['LEASE'], WRITE, fcntl.F_OFD_GETLK) == READ
    reader.close()
    assert exists()


def check_reads(indices, value):
    reader = code['Reader'](NAME)
    assert reader[indices] == value
    reader.close()


def check_orphan():
    """Nobody has a lease: there is no such array, and its name is free."""
    os.close(code['write'](NAME, '|u1', (1,), b'x'))
    assert exists()
    fails(Shnd.Error.NOT_FOUND, Shnd.Array.open, NAME, Shnd.Access.READ)
    raises(FileNotFoundError, code['Reader'], NAME)
    array = make('<i4')
    check_reads((1, 2), VALUES[1, 2])
    array.close()

    # One of the library's, whose process ended abruptly. Another one may be reaping now.
    pid = os.fork()
    if pid == 0:
        array = make('<i4')
        os._exit(0)
    os.waitpid(pid, 0)
    raises(FileNotFoundError, code['Reader'], NAME)
    Shnd.reap()
    assert not exists()


def check_going():
    """While somebody removes the name, there is no such array, and nobody else gets a lease."""
    fd = code['write'](NAME, '|u1', (1,), b'x')
    code['lock'](fd, code['LEASE'], WRITE)
    fails(Shnd.Error.NOT_FOUND, Shnd.Array.open, NAME, Shnd.Access.READ)
    raises(FileNotFoundError, code['Reader'], NAME)
    code['lock'](fd, code['LEASE'], READ)
    array = Shnd.Array.open(NAME, Shnd.Access.READ)
    # And once it is gone, the library leaves alone who has the name then.
    os.unlink(f'/dev/shm/{NAME}')
    other = code['write'](NAME, '|u1', (2,), b'xy')
    array.close()
    code['let_go'](NAME, fd)
    check_reads((1,), ord('y'))
    code['let_go'](NAME, other)


def check_example():
    array = make('<u2')
    with open(f'/dev/shm/{NAME}', 'rb') as file:
        content = bytearray(file.read())
        identity = code['identify'](file.fileno())
    array.close()
    assert struct.unpack_from('<QQ', content, 0x2010) == identity
    struct.pack_into('<QQ', content, 0x2010, 12007, 1700000000123456789)

    shown = bytearray(b' ' * 0x1000 + b'\0' * 0x2000)
    lines = blocks('hexdump')[0].splitlines()
    for line in lines:
        at, hexadecimal = int(line[:8], 16), line[10:49]
        shown[at:at + 16] = bytes.fromhex(hexadecimal)
    assert shown == content


def make_pair():
    ours, theirs = socket.socketpair()
    return ours, Gio.Socket.new_from_fd(theirs.detach()).connection_factory_create_connection()


def check_sent():
    """The page's code gets what the library sends: of an array and of a view."""
    array = make_anonymous('<i4')
    for indices, value in VALUES.items():
        array.set_int64(indices, value)
    Shnd.Array.seal(array)
    ours, theirs = make_pair()
    for view in (array, Shnd.Array.slice(array, 1, 2, -1, -2)):
        Shnd.Array.send(view, theirs, None)
        fd, dtype, shape, strides, offset = code['receive_array'](ours)
        assert (dtype, list(shape), list(strides)) == ('<i4', view.get_shape(), view.get_strides())
        for i in range(shape[0]):
            for j in range(shape[1]):
                place = offset + i * strides[0] + j * strides[1]
                value, = struct.unpack('<i', os.pread(fd, 4, place))
                assert value == view.get_int64([i, j]), (value, i, j)
        assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) & 0x1f == (
            fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | F_SEAL_FUTURE_WRITE | fcntl.F_SEAL_SEAL)
        os.close(fd)
    ours.close()


def check_received():
    """The library opens what the page's code sends: with a header, without one, and unsealed."""
    ours, theirs = make_pair()
    content = struct.pack('<6i', *range(6))
    text = repr({'descr': '<i4', 'fortran_order': False, 'shape': (2, 3)}).encode()
    header = b'\x93NUMPY\1\0' + struct.pack('<H', 118) + text.ljust(117) + b'\n'
    for start in (header, b'', b'x' * 20):
        fd = os.memfd_create('test', os.MFD_ALLOW_SEALING)
        os.pwrite(fd, start + content, 0)
        arguments = (ours, fd, '<i4', (3, 2), (4, -12), len(start) + 12)
        code['send_array'](*arguments)
        fails(Shnd.Error.PERMISSION_DENIED, Shnd.Array.receive, theirs, Shnd.Access.READ, None)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        code['send_array'](*arguments)
        array = Shnd.Array.receive(theirs, Shnd.Access.READ, None)
        assert array.get_shape() == [3, 2] and array.get_strides() == [4, -12]
        assert [array.get_int64([i, j]) for i in range(3) for j in range(2)] == [3, 0, 4, 1, 5, 2]
        code['send_array'](*arguments[:-1], len(start) + 13)
        fails(Shnd.Error.TOO_SMALL, Shnd.Array.receive, theirs, Shnd.Access.READ, None)
        os.close(fd)
    ours.sendall(b'SHNDSENT' + bytes(24))
    fails(Shnd.Error.PROTOCOL, Shnd.Array.receive, theirs, Shnd.Access.READ, None)
    ours.close()


def describe(dtype):
    text = dtype.to_string()
    return text if text[0] in '[(' else repr(text)


def check_vector(text, canonical, size=None):
    try:
        dtype = Shnd.DType.new(text)
    except GLib.Error as error:
        assert error.matches(Shnd.Error.quark(), Shnd.Error.INVALID_DTYPE), error
        assert canonical == 'refused', error.message
        return
    assert canonical == describe(dtype), describe(dtype)
    assert int(size) == dtype.get_item_size(), dtype.get_item_size()


def check_header(text, shape):
    # Without a control page: any .npy file can be opened.
    with open(f'/dev/shm/{NAME}', 'wb') as file:
        file.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text.encode() + bytes(24))
    try:
        array = Shnd.Array.open_path(f'/dev/shm/{NAME}', Shnd.Access.READ)
    except GLib.Error as error:
        assert error.matches(Shnd.Error.quark(), Shnd.Error.INVALID_FORMAT), error
        assert shape == 'refused', error.message
        return
    assert shape != 'refused', 'it was accepted'
    assert tuple(array.get_property('shape').unpack()) == ast.literal_eval(shape)


tests = [(f'the reader reads {dtype}{" in Fortran order" if flags else ""}',
          check_reader, (dtype, flags))
         for dtype in ('|i1', '|u1', '<i2', '>i2', '<u2', '<i4', '>i4', '<u4', '<i8', '>u8',
                       '<f2', '<f4', '>f4', '<f8', '>f8')
         for flags in (0, Shnd.CreateFlags.FORTRAN)]
tests += [
    ('lock word and change counter', check_control, ()),
    ('a copy is a plain .npy file', check_copy, ()),
    ('a plain .npy file', check_plain, ()),
    *((f'the last one is {last}', check_last, (last,))
      for last in ('the writer', 'the reader', 'the library', 'the library, for reading')),
    ('a name that is persistent', check_persistent, ()),
    ('an orphan', check_orphan, ()),
    ('a name that is being removed', check_going, ()),
    ('the library reads what the writer wrote', check_writer, ('<f8', 'd')),
    ('the library reads what the writer wrote, big-endian', check_writer, ('>u2', 'H')),
    ('the example', check_example, ()),
    ('a message of the library', check_sent, ()),
    ('a message to the library', check_received, ()),
]
tests += [(f'the dtype {row[0]}', check_vector, row) for row in rows('vectors')]
tests += [(f'the header {row[0]}', check_header, row) for row in rows('headers')]

print(f'1..{len(tests)}')
failed = False
for number, (title, function, arguments) in enumerate(tests, 1):
    title = title.replace('#', r'\#')
    try:
        function(*arguments)
        print(f'ok {number} - {title}')
    except Exception:
        failed = True
        print(f'not ok {number} - {title}')
        print('# ' + traceback.format_exc().rstrip().replace('\n', '\n# '))
    finally:
        try:
            os.unlink(f'/dev/shm/{NAME}')
        except FileNotFoundError:
            pass
sys.exit(failed)
