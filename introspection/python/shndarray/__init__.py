# SPDX-License-Identifier: MIT
"""NumPy arrays in shared memory, for programs that use multiprocessing.

A :class:`SharedNDArray` is passed to other processes by its name: nothing is copied. It is a leased
array of the library, which other languages open as well, and which is gone when the last process
lets go of it, however that process ends.
"""

from shndarray._library import Shnd
from shndarray._manager import SharedMemoryManager
from shndarray.shared_ndarray import VALID_SHARED_TYPES, SharedNDArray, from_array, from_shape

__all__ = ['VALID_SHARED_TYPES', 'SharedMemoryManager', 'SharedNDArray', 'from_array',
           'from_shape']

__version__ = Shnd.VERSION_S
