# SPDX-License-Identifier: MIT
"""For programs that used the package SharedArray: ``import shndarray.sharedarray as SharedArray``.

A name is that of shared memory, with or without ``shm://`` before it, or ``file://`` and the path
of a .npy file. As there, an array stays until :func:`delete`.
"""

import errno
import os
from typing import NamedTuple

import numpy as np

from shndarray._library import GLib, Shnd, to_builtin
from shndarray._segment import to_bytes

__all__ = ['MS_ASYNC', 'MS_INVALIDATE', 'MS_SYNC', 'ArrayDesc', 'attach', 'create', 'delete',
           'list']

MS_ASYNC = 1
MS_INVALIDATE = 2
MS_SYNC = 4

_READ = Shnd.Access.READ
_READ_WRITE = Shnd.Access.READ_WRITE
_PERSISTENT = Shnd.CreateFlags.PERSISTENT


class ArrayDesc(NamedTuple):
    """What :func:`list` says of an array."""

    name: bytes
    dtype: np.dtype
    dims: tuple


class _Owner:
    """The ``base`` of an array: the memory, and what can be done with it."""

    def __init__(self, name, array):
        elements = to_bytes(array.get())
        self._array = array
        self.name = name
        self.addr = elements.__array_interface__['data'][0]
        self.size = elements.nbytes
        self.__array_interface__ = {'version': 3, 'typestr': '|u1', 'shape': (self.size,),
                                    'data': (self.addr, not elements.flags.writeable)}

    def msync(self, flags=MS_SYNC):
        """Writes what was changed back to the file; with MS_ASYNC without waiting for it."""
        if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or flags & MS_ASYNC and flags & MS_SYNC:
            raise OSError(errno.EINVAL, f'The flags {flags}: expected MS_ASYNC or MS_SYNC, and '
                                        'MS_INVALIDATE')
        sync = Shnd.SyncFlags.ASYNC if flags & MS_ASYNC else Shnd.SyncFlags.NONE
        if flags & MS_INVALIDATE:
            sync |= Shnd.SyncFlags.INVALIDATE
        _call(self._array.sync, sync)

    def mlock(self):
        """Keeps the memory from being swapped out."""
        _call(self._array.mlock)

    def munlock(self):
        """Allows the memory to be swapped out again."""
        _call(self._array.munlock)


class _Shared(np.ndarray):
    """An array, or a part of one, whose ``base`` is its memory.

    What is computed from it is a plain ``numpy.ndarray``; so is what arrives where it is pickled
    to, a copy.
    """

    @property
    def base(self):
        """The memory, with ``name``, ``addr``, ``size``, ``msync()``, ``mlock()``, ``munlock()``;
        for a copy what NumPy says.
        """
        base = first = super().base
        while isinstance(base, np.ndarray):
            base = super(_Shared, base).base if isinstance(base, _Shared) else base.base
        return base if isinstance(base, _Owner) else first

    def __array_wrap__(self, array, context=None, return_scalar=False):
        if array is self:
            return array
        array = array.view(np.ndarray)
        return array[()] if array.ndim == 0 else array

    def __reduce_ex__(self, protocol):
        return self.view(np.ndarray).__reduce_ex__(protocol)

    def __repr__(self):
        return repr(self.view(np.ndarray))


def _call(function, *args):
    try:
        return function(*args)
    except GLib.Error as error:
        raise to_builtin(error) from None


def _parse(name):
    """Returns whether it is that of a file, and the name or the path."""
    if isinstance(name, bytes):
        # As list() gives them.
        name = os.fsdecode(name)
    if not isinstance(name, str):
        raise TypeError(f'The name: expected a string, not {type(name).__name__}')
    scheme, separator, rest = name.partition('://')
    if not separator:
        scheme, rest = 'shm', name
    if scheme not in ('shm', 'file'):
        raise OSError(errno.EINVAL, f'The name {name!r}: expected shm:// or file://')
    return scheme == 'file', rest if scheme == 'file' else rest.removeprefix('/')


def _open(name, access):
    is_file, place = _parse(name)
    return _call(Shnd.Array.open_path if is_file else Shnd.Array.open, place, access)


def _show(name, array):
    owner = _Owner(name, array)
    elements = array.get()
    if elements.itemsize == 0:
        return elements
    return _Shared(elements.shape, elements.dtype, np.asarray(owner), 0, elements.strides)


def create(name, shape, dtype=float):
    """Makes an array of zeros. A FileExistsError if the name is taken."""
    is_file, place = _parse(name)
    dtype = float if dtype is None else dtype
    if is_file:
        return _show(name, _call(Shnd.Array.new_path, place, dtype, shape))
    return _show(name, _call(Shnd.Array.new, place, dtype, shape, _PERSISTENT))


def attach(name, ro=False):
    """Opens an array, with `ro` for reading only. A FileNotFoundError if there is none."""
    return _show(name, _open(name, _READ if ro else _READ_WRITE))


def delete(name):
    """Removes an array. Who has it open keeps it."""
    array = _open(name, _READ)
    is_file, place = _parse(name)
    if is_file:
        os.unlink(place)
    else:
        _call(array.unlink)


def list():
    """The arrays in shared memory."""
    return tuple(ArrayDesc(os.fsencode(info.get_name()), info.get_dtype().numpy,
                           tuple(info.get_shape()))
                 for info in _call(Shnd.list_infos) if not info.get_orphaned())
