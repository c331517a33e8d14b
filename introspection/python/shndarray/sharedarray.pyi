# SPDX-License-Identifier: MIT

from collections.abc import Sequence
from typing import Any, NamedTuple, SupportsIndex, TypeVar

import numpy as np
from numpy.typing import DTypeLike
from typing_extensions import TypeAlias

__all__ = ['MS_ASYNC', 'MS_INVALIDATE', 'MS_SYNC', 'ArrayDesc', 'attach', 'create', 'delete',
           'list']

MS_ASYNC: int
MS_INVALIDATE: int
MS_SYNC: int

class ArrayDesc(NamedTuple):
    name: bytes
    dtype: np.dtype[Any]
    dims: tuple[int, ...]

class _Owner:
    name: str | bytes
    addr: int
    size: int

    def __init__(self, name: str | bytes, array: Any) -> None: ...
    def msync(self, flags: int = 4) -> None: ...
    def mlock(self) -> None: ...
    def munlock(self) -> None: ...

class _Shared(np.ndarray[Any, np.dtype[Any]]):
    # For a copy it is what NumPy says, which nobody asks for.
    @property
    def base(self) -> _Owner: ...  # type: ignore[override]

def create(
    name: str | bytes, shape: SupportsIndex | Sequence[SupportsIndex], dtype: DTypeLike = ...
) -> _Shared: ...
def attach(name: str | bytes, ro: bool = False) -> _Shared: ...
def delete(name: str | bytes) -> None: ...
def list() -> tuple[ArrayDesc, ...]: ...
