# SPDX-License-Identifier: MIT

from shndarray._manager import SharedMemoryManager as SharedMemoryManager
from shndarray.shared_ndarray import (
    VALID_SHARED_TYPES as VALID_SHARED_TYPES,
    SharedNDArray as SharedNDArray,
    from_array as from_array,
    from_shape as from_shape,
)

__all__ = ['VALID_SHARED_TYPES', 'SharedMemoryManager', 'SharedNDArray', 'from_array',
           'from_shape']

__version__: str
