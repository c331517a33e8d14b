# SPDX-License-Identifier: MIT
"""What there is to know of an array that is not open."""

import os

from gi.overrides._shnd_arguments import numpy, to_numpy_dtype, to_text
from gi.module import get_introspection_module

Shnd = get_introspection_module('Shnd')

_new = Shnd.ArrayInfo.new
_new_for_path = Shnd.ArrayInfo.new_for_path


class Described:
    """What ``Shnd.ArrayInfo`` has in Python: the names that ``Shnd.Array`` has, too."""

    def __init__(self):
        super().__init__()

    @classmethod
    def new(cls, name):
        """Finds out about an array by its name."""
        return _new(to_text(name, 'The name'))

    @classmethod
    def new_for_path(cls, path):
        """Finds out about a .npy file; the path is a string, bytes or ``os.PathLike``."""
        return _new_for_path(os.fspath(path))

    @property
    def name(self):
        """The name in shared memory; None for what was looked at by its path."""
        return self.get_name()

    @property
    def path(self):
        """The path of the file."""
        return self.get_path()

    @property
    def dtype(self):
        """What each element is: a ``numpy.dtype``, or without NumPy a :class:`DType`."""
        dtype = self.get_dtype()
        return dtype if numpy is None else to_numpy_dtype(dtype.to_string())

    @property
    def shape(self):
        """The number of elements along each axis, in a tuple."""
        return tuple(self.get_shape())

    @property
    def strides(self):
        """The distance in bytes from one element to the next along each axis, in a tuple."""
        return tuple(self.get_strides())

    @property
    def ndim(self):
        """The number of dimensions."""
        return self.get_n_dims()

    n_dims = ndim

    @property
    def nbytes(self):
        """The number of bytes that the elements take."""
        return self.get_n_bytes()

    n_bytes = nbytes

    @property
    def order(self):
        """How the elements lie in memory, a ``Shnd.Order``."""
        return self.get_order()

    @property
    def data_offset(self):
        """Where the elements begin, in bytes from the start of the file."""
        return self.get_data_offset()

    @property
    def file_size(self):
        """The size of the whole file in bytes."""
        return self.get_file_size()

    @property
    def uid(self):
        """The number of the user to whom the array belongs."""
        return self.get_uid()

    @property
    def mode(self):
        """Who may open it: permission bits, such as 0o600."""
        return self.get_mode()

    @property
    def persistent(self):
        """Whether the name stays when nobody has the array open any more."""
        return self.get_persistent()

    @property
    def held(self):
        """Whether somebody had it open when this was found out."""
        return self.get_held()

    @property
    def orphaned(self):
        """Whether it was not persistent, and nobody had it open: :func:`reap` removes it."""
        return self.get_orphaned()

    @property
    def synchronizable(self):
        """Whether it has a lock and a change counter."""
        return self.get_synchronizable()

    @property
    def sequence(self):
        """What the change counter was; 0 without one."""
        return self.get_sequence()

    @property
    def locked(self):
        """Whether somebody had the lock of it, in any process."""
        return self.get_locked()

    def __repr__(self):
        what = self.path if self.name is None else self.name
        state = ('held' if self.held else 'orphaned' if self.orphaned else
                 'persistent' if self.persistent else 'anonymous')
        return (f'<Shnd.ArrayInfo {what!r} shape={self.shape} '
                f'dtype={self.get_dtype().to_string()!r} {state}>')
