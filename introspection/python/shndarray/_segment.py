# SPDX-License-Identifier: MIT
"""The memory of a SharedNDArray, as multiprocessing shows such memory."""

import mmap
import multiprocessing.shared_memory
import os
import weakref

import numpy as np

from shndarray._library import GLib, Shnd, is_error, to_builtin

_FOLDER = '/dev/shm/'

# The arrays that came from, or were made into, a descriptor in this process.
_open_here = weakref.WeakValueDictionary()

_open_descriptor = Shnd.Array.open_descriptor


class SharedMemory(multiprocessing.shared_memory.SharedMemory):
    """What ``SharedNDArray.shm`` is if the memory did not come in an object of the standard
    library.

    Unlike the standard library's it never tells the resource tracker of the memory, which would
    destroy it when the first of several programs ends. ``buf`` is the elements alone.
    """

    def __init__(self, array):
        self._array = array
        self._size = None

    @property
    def name(self):
        """The name, by which also ``Shnd.Array.open()`` finds it."""
        if self._name is None:
            self._name = self._array.name
        return self._name

    @property
    def size(self):
        """The number of bytes that the elements take."""
        if self._size is None:
            self._size = self._array.nbytes
        return self._size

    @property
    def buf(self):
        """The bytes of the elements as a ``memoryview``; None after :meth:`close`."""
        if self._buf is None and self._array is not None:
            self._buf = memoryview(to_bytes(self._array.get()))
        return self._buf

    def get_array(self):
        """The ``Shnd.Array``, which must be there."""
        if self._array is None:
            raise ValueError(f'The shared memory {self.name!r} is closed: expected it to be open')
        return self._array

    def close(self):
        """Lets go of the memory. What else shows it keeps it."""
        if self._buf is not None:
            self._buf.release()
            self._buf = None
        if self._array is not None:
            self._name, self._size = self.name, self.size
            self._array = None

    def unlink(self):
        """Removes the name."""
        try:
            Shnd.unlink(self.name)
        except GLib.Error as error:
            raise to_builtin(error) from None

    def __del__(self):
        # That of the standard library closes; here there is nothing to close, nor, at the end of
        # the interpreter, anything to close it with.
        pass

    def __reduce__(self):
        return _restore_memory, (self.get_array().to_descriptor(),)


def _restore_memory(descriptor):
    return SharedMemory(open_descriptor(descriptor))


def to_bytes(view):
    """The bytes that a contiguous array shows, as they lie in memory."""
    if view.nbytes == 0:
        return np.empty(0, np.uint8)
    if not view.flags.c_contiguous:
        view = view.T
    return view.reshape(-1).view(np.uint8)


def open_descriptor(descriptor):
    try:
        return _open_descriptor(descriptor)
    except GLib.Error as error:
        raise to_builtin(error) from None


def describe(array):
    """The descriptor of an array that is open here, which share_descriptor() then finds."""
    descriptor = array.to_descriptor()
    _remember(descriptor, array)
    return descriptor


def share_descriptor(descriptor):
    """Opens an array, without another mapping if it is open here and its name still stands for
    it.
    """
    array = _open_here.get(descriptor)
    if (array is not None and not array.get_closed()
            and _get_inode(array._path) == array._inode):
        return array
    array = open_descriptor(descriptor)
    _remember(descriptor, array)
    return array


def _remember(descriptor, array):
    path = _FOLDER + array.name
    array._path = path
    array._inode = _get_inode(path)
    # The name may stand for another file by now: which one this is, the descriptor says.
    if f'file={array._inode}.' in descriptor:
        _open_here[descriptor] = array


def _get_inode(path):
    # As long as a file is open, no other gets its number.
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def check_size(size, n_bytes):
    """Whether a segment without a header can be meant: some systems round its size up to pages,
    and there is none of 0 bytes.
    """
    at_least = max(n_bytes, 1)
    if size not in (n_bytes, at_least, -(-at_least // mmap.PAGESIZE) * mmap.PAGESIZE):
        raise ValueError(f'The segment has {size} bytes: expected {n_bytes}, as shape and dtype '
                         'need them')


def _get_size(name):
    try:
        return os.stat(_FOLDER + name).st_size
    except (OSError, ValueError):
        # The library says what is wrong.
        return None


def _open_raw(name, size):
    return Shnd.Array.open_segment(name, np.uint8, size)


def open_name(name, n_bytes):
    """Opens what has a name: an array, or as bytes a segment without a header."""
    name = name.removeprefix('/')
    size = _get_size(name)
    try:
        if size == n_bytes > 0:
            return _open_raw(name, size)
        try:
            array = Shnd.Array.open(name)
        except GLib.Error as error:
            if size is None or not is_error(error, Shnd.Error.INVALID_FORMAT):
                raise
            check_size(size, n_bytes)
            return _open_raw(name, size)
    except GLib.Error as error:
        raise to_builtin(error) from None
    if array.nbytes != n_bytes:
        raise ValueError(f'The array has {array.nbytes} bytes: expected {n_bytes}, as shape and '
                         'dtype need them')
    return array


def open_memory(memory, n_bytes):
    """Opens the segment of a SharedMemory of the standard library a second time, so that its
    close() cannot take the memory away from under a NumPy array. Returns None if that cannot be.
    """
    descriptor = getattr(memory, '_fd', -1)
    try:
        there = os.stat(_FOLDER + memory.name)
        if descriptor >= 0 and not os.path.samestat(there, os.fstat(descriptor)):
            return None
        return open_name(memory.name, n_bytes)
    except FileNotFoundError:
        return None
