# SPDX-License-Identifier: MIT

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ['SharedNDArray', 'SharedNDArrayError']

SharedNDArrayError = OSError

class SharedNDArray:
    array: NDArray[Any]

    def __init__(
        self,
        shape: SupportsIndex | Sequence[SupportsIndex],
        dtype: DTypeLike = ...,
        name: str | None = None,
    ) -> None: ...
    @classmethod
    def copy(cls, arr: NDArray[Any]) -> SharedNDArray: ...
    @classmethod
    def zeros_like(cls, arr: NDArray[Any]) -> SharedNDArray: ...
    def unlink(self) -> None: ...
    def __getstate__(self) -> tuple[tuple[int, ...], np.dtype[Any], str]: ...
    def __setstate__(self, state: tuple[tuple[int, ...], np.dtype[Any], str]) -> None: ...
