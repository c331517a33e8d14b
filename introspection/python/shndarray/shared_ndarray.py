# SPDX-License-Identifier: MIT
"""An array in shared memory that multiprocessing can pass on."""

import operator
from types import GenericAlias
from typing import TypeVar

import numpy as np

from shndarray._library import GLib, Shnd, to_builtin
from shndarray._lock import Lock, lock_of_segment
from shndarray._manager import SharedMemoryManager
from shndarray._segment import (
    SharedMemory, check_size, describe, open_descriptor, open_memory, open_name, share_descriptor,
    to_bytes,
)

__all__ = ['VALID_SHARED_TYPES', 'ShareableT', 'SharedNDArray', 'from_array', 'from_shape']

VALID_SHARED_TYPES = (np.number, np.bool_, np.datetime64, np.timedelta64, np.character, np.void)
"""The NumPy scalar types whose elements can be shared: all that hold no Python objects."""

ShareableT = TypeVar('ShareableT', bound=np.generic)
"""The same for type checkers."""

# What kind of lock there is: none, that of the array, that of another array beside a segment.
_NONE, _OWN, _BESIDE = range(3)


def _to_dtype(value):
    if isinstance(value, (str, bytes, list, tuple, dict)):
        # Some of what these can say ends the process in numpy.dtype().
        try:
            dtype = Shnd.DType(value).numpy
        except GLib.Error as error:
            raise to_builtin(error) from None
    else:
        dtype = np.dtype(value)
    if not issubclass(dtype.type, VALID_SHARED_TYPES) or dtype.hasobject:
        raise TypeError(f'The dtype {dtype}: expected one without Python objects')
    return dtype


def _to_shape(shape):
    try:
        shape = (operator.index(shape),)
    except TypeError:
        shape = tuple(operator.index(length) for length in shape)
    if any(length < 0 for length in shape):
        raise ValueError(f'The shape {shape}: expected no negative dimension')
    return shape


def _count_bytes(shape, dtype):
    # With integers of Python, as those of NumPy overflow.
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length
    return n_bytes


class SharedNDArray:
    """A NumPy array in shared memory, which is passed to other processes without a copy.

    ``arr[...]`` reads and writes; :meth:`get` is the whole as a ``numpy.ndarray``, which keeps the
    memory, whatever becomes of the ``SharedNDArray``.
    """

    __slots__ = ('__dict__', '__weakref__', '_array', '_descriptor', '_is_whole', '_lock',
                 '_lock_kind', '_shm', '_view')

    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, shm, shape, dtype, *, lock=False):
        """Shows memory that is there: that of a ``SharedMemory``, or what has that name.

        The name may be that of a segment without a header, or of an array of this library, by
        whom and in what language it was made.
        """
        dtype = _to_dtype(dtype)
        shape = _to_shape(shape)
        n_bytes = _count_bytes(shape, dtype)
        self._shm = None
        if isinstance(shm, str):
            array = open_name(shm, n_bytes)
        elif isinstance(shm, SharedMemory):
            self._shm = shm
            array = shm.get_array()
        else:
            self._shm = shm
            array = open_memory(shm, n_bytes)
        self._show(array, (shape, dtype))
        has_lock = self._array is not None and self._array.get_synchronizable()
        self._set_lock((_OWN if has_lock else _BESIDE) if lock else _NONE)

    def _show(self, array, layout):
        """Shows an array, or if that is None the buffer of `shm`; as it is, or as another shape
        and dtype.
        """
        view = np.frombuffer(self._shm.buf, np.uint8) if array is None else array.get()
        self._hold(array)
        self._is_whole = layout is None or layout == (view.shape, view.dtype)
        if not self._is_whole:
            n_bytes = _count_bytes(*layout)
            if view.nbytes != n_bytes:
                check_size(view.nbytes, n_bytes)
            view = np.ndarray(*layout, to_bytes(view))
        self._view = view

    def _hold(self, array):
        """Has an array, which is shown as it is when it is used first: see __getattr__()."""
        self._array = array
        self._descriptor = None
        self._is_whole = True

    def _set_lock(self, kind):
        self._lock_kind = kind
        if kind == _NONE:
            self._lock = None
        elif kind == _OWN:
            self._lock = Lock(self._array)
        else:
            self._lock = lock_of_segment(self.shm.name)

    @classmethod
    def from_shape(cls, mem_mgr, shape, dtype, *, lock=False, reserve=True):
        """Makes an array of zeros, with a manager of this package or of the standard library.

        Memory is reserved at once. With ``reserve=False`` a page is taken when it is first
        written, and the process that finds none left then is ended by a ``SIGBUS``; this is what
        the standard library does.
        """
        dtype = _to_dtype(dtype)
        shape = _to_shape(shape)
        if isinstance(mem_mgr, SharedMemoryManager):
            return cls._from_new(mem_mgr._new_from_shape(shape, dtype, reserve), shape, dtype,
                                 lock)
        shm = mem_mgr.SharedMemory(max(1, _count_bytes(shape, dtype)))
        return cls(shm, shape, dtype, lock=lock)

    @classmethod
    def from_array(cls, mem_mgr, arr, *, lock=False):
        """Makes an array with the shape, dtype and elements of a NumPy array, in C order."""
        arr = np.asarray(arr, order='C')
        dtype = _to_dtype(arr.dtype)
        if isinstance(mem_mgr, SharedMemoryManager):
            return cls._from_new(mem_mgr._new_from_array(arr), arr.shape, dtype, lock)
        result = cls.from_shape(mem_mgr, arr.shape, dtype, lock=lock)
        result[...] = arr
        return result

    @classmethod
    def _from_new(cls, array, shape, dtype, lock):
        if cls.__init__ is not SharedNDArray.__init__:
            return cls(SharedMemory(array), shape, dtype, lock=lock)
        self = cls.__new__(cls)
        self._shm = None
        self._hold(array)
        self._set_lock(_OWN if lock else _NONE)
        return self

    # ---- What it is ----

    @property
    def shape(self):
        """The number of elements along each axis; can be set, one of them to -1."""
        return self._view.shape

    @shape.setter
    def shape(self, shape):
        view = self._view.view()
        try:
            view.shape = shape
        except AttributeError as error:
            raise ValueError(f'The shape {shape}: {error}') from None
        self._view = view
        self._is_whole = False

    @property
    def dtype(self):
        """What each element is."""
        return self._view.dtype

    @property
    def ndim(self):
        """The number of dimensions."""
        return self._view.ndim

    @property
    def shm(self):
        """The memory, with ``name``, ``buf``, ``size``, ``close()`` and ``unlink()``."""
        if self._shm is None:
            self._shm = SharedMemory(self._array)
        return self._shm

    @property
    def lock(self):
        """The lock that all share who have this memory open with ``lock=True``; else None."""
        return self._lock

    # ---- Elements ----

    def get(self):
        """The elements as a NumPy array, without a copy."""
        # What is kept stays as it is, even if the caller sets the shape or the flags of his.
        return self._view.view()

    def __getitem__(self, key):
        return self._view[key]

    def __setitem__(self, key, value):
        self._view[key] = value

    def __len__(self):
        return len(self._view)

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(self._view)

    def __contains__(self, item):
        return item in self._view

    def __array__(self, dtype=None, copy=None):
        view = self.get()
        if dtype is not None and view.dtype != dtype:
            if copy is False:
                raise ValueError(f'Elements of dtype {view.dtype} as {dtype} need a copy')
            return view.astype(dtype)
        return view.copy() if copy else view

    def __repr__(self):
        name = type(self).__name__
        elements = str(self._view).replace('\n', '\n' + ' ' * (len(name) + 1))
        return f'{name}({elements}, dtype={self._view.dtype})'

    def __getattr__(self, name):
        # Only for what is not there.
        if name == '_view':
            self._view = view = self._array.get()
            return view
        message = f'{type(self).__name__!r} object has no attribute {name!r}'
        if hasattr(np.ndarray, name):
            message += f': arrays of NumPy have it, use .get().{name}'
        raise AttributeError(message)

    # ---- To other processes ----

    def __reduce__(self):
        source = self._shm if self._array is None else self._descriptor
        if source is None:
            source = self._descriptor = describe(self._array)
        # Most are small.
        if self._is_whole and self._lock is None and type(self) is SharedNDArray:
            arguments = (source,)
        else:
            layout = None if self._is_whole else (self._view.shape, self._view.dtype)
            arguments = (source, layout, self._lock_kind, type(self))
        return (_restore, arguments, self.__dict__) if self.__dict__ else (_restore, arguments)


def _restore(source, layout=None, lock_kind=_NONE, cls=SharedNDArray):
    self = cls.__new__(cls)
    if not isinstance(source, str):
        self._shm = source
        self._show(None, layout)
    else:
        # A lock belongs to a handle, so that each has its own.
        array = share_descriptor(source) if lock_kind == _NONE else open_descriptor(source)
        self._shm = None
        self._show(array, layout)
        self._descriptor = source
    self._set_lock(lock_kind)
    return self


def from_shape(mem_mgr, shape, dtype, *, lock=False, reserve=True):
    """The same as :meth:`SharedNDArray.from_shape`."""
    return SharedNDArray.from_shape(mem_mgr, shape, dtype, lock=lock, reserve=reserve)


def from_array(mem_mgr, arr, *, lock=False):
    """The same as :meth:`SharedNDArray.from_array`."""
    return SharedNDArray.from_array(mem_mgr, arr, lock=lock)
