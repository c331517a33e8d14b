#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs what format.md shows: its reader, its writer, its example and its test vectors.

Usage: check-format.py format.md. Prints TAP.
"""

import ast
import os
import re
import struct
import sys
import traceback

import gi

gi.require_version('Shnd', '1')
from gi.module import get_introspection_module  # noqa: E402
from gi.repository import GLib  # noqa: E402

# What the override adds comes from NumPy in part; here it is the library that is asked.
Shnd = get_introspection_module('Shnd')

PAGE = open(sys.argv[1], encoding='utf-8').read()
NAME = f'shnd-check-format-{os.getpid()}'
SHAPE = [2, 3]
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


def check_reader(dtype, flags):
    array = make(dtype, flags)
    reader = code['Reader'](NAME)
    assert reader.shape == tuple(SHAPE), reader.shape
    assert reader.descr == array.get_dtype().to_string()
    assert reader.fortran == (flags == Shnd.CreateFlags.FORTRAN)
    assert reader.has_control_page
    for indices, value in VALUES.items():
        assert reader[indices] == value, (indices, reader[indices])
    # A write of the library shows in what the reader has mapped.
    array.set_int64([1, 2], 99)
    assert reader[1, 2] == 99


def check_copy():
    make('<i4')
    content = open(f'/dev/shm/{NAME}', 'rb').read()
    os.unlink(f'/dev/shm/{NAME}')
    # A file that stays open keeps its inode number from being used again.
    with open(f'/dev/shm/{NAME}', 'wb') as copy:
        copy.write(content[:-4096] + content[-4096:-4080] +
                   struct.pack('<Q', os.fstat(copy.fileno()).st_ino + 1) + content[-4072:])
    os.chmod(f'/dev/shm/{NAME}', 0o600)
    reader = code['Reader'](NAME)
    assert not reader.has_control_page
    assert reader[1, 1] == VALUES[1, 1]


def check_writer(descr, letter):
    data = struct.pack(f'{descr[0]}6{letter}', *VALUES.values())
    code['write'](NAME, descr, tuple(SHAPE), data)
    array = Shnd.Array.open(NAME, Shnd.Access.READ)
    assert array.get_dtype().to_string() == descr
    for indices, value in VALUES.items():
        assert array.get_double(indices) == value
    assert code['Reader'](NAME).has_control_page
    try:
        code['write'](NAME, descr, tuple(SHAPE), data)
    except FileExistsError:
        pass
    else:
        raise AssertionError('an array was replaced')


def check_example():
    make('<u2')
    with open(f'/dev/shm/{NAME}', 'rb') as file:
        content = bytearray(file.read())
        inode = os.fstat(file.fileno()).st_ino
    assert struct.unpack_from('<Q', content, 0x2010) == (inode,)
    struct.pack_into('<Q', content, 0x2010, 12007)

    shown = bytearray(b' ' * 0x1000 + b'\0' * 0x2000)
    lines = blocks('hexdump')[0].splitlines()
    for line in lines:
        at, hexadecimal = int(line[:8], 16), line[10:49]
        shown[at:at + 16] = bytes.fromhex(hexadecimal)
    assert shown == content


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
    ('a copy is a plain .npy file', check_copy, ()),
    ('the library reads what the writer wrote', check_writer, ('<f8', 'd')),
    ('the library reads what the writer wrote, big-endian', check_writer, ('>u2', 'H')),
    ('the example', check_example, ()),
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
        print(traceback.format_exc().replace('\n', '\n# '))
    finally:
        try:
            os.unlink(f'/dev/shm/{NAME}')
        except FileNotFoundError:
            pass
sys.exit(failed)
