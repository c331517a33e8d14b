# SPDX-License-Identifier: MIT
"""For programs that used the package shared-ndarray: ``from shndarray.shared_ndarray1 import
SharedNDArray``.

As there, an array stays until :meth:`SharedNDArray.unlink`.
"""

import numpy as np

from shndarray import shared_ndarray
from shndarray._library import GLib, Shnd, to_builtin
from shndarray._segment import SharedMemory

__all__ = ['SharedNDArray', 'SharedNDArrayError']

SharedNDArrayError = OSError
"""What is raised if the system says no."""


class SharedNDArray:
    """An array in shared memory, in the attribute ``array``."""

    def __init__(self, shape, dtype=np.float64, name=None):
        """Makes an array of zeros, or shows the one that has a name."""
        if name:
            memory = name
        else:
            try:
                memory = SharedMemory(Shnd.Array.new_unique(dtype, shape,
                                                            Shnd.CreateFlags.PERSISTENT))
            except GLib.Error as error:
                raise to_builtin(error) from None
        self._shared = shared_ndarray.SharedNDArray(memory, shape, dtype)
        self.array = self._shared.get()

    @classmethod
    def copy(cls, arr):
        """Makes one with the shape, the dtype and the elements of an array."""
        result = cls.zeros_like(arr)
        result.array[...] = arr
        return result

    @classmethod
    def zeros_like(cls, arr):
        """Makes one of zeros with the shape and the dtype of an array."""
        return cls(arr.shape, arr.dtype)

    def unlink(self):
        """Removes the name: nobody can open it any more, and the memory goes with its last
        user. A second time it is a FileNotFoundError.
        """
        self._shared.shm.unlink()

    def __getstate__(self):
        return self.array.shape, self.array.dtype, self._shared.shm.name

    def __setstate__(self, state):
        self.__init__(*state)
