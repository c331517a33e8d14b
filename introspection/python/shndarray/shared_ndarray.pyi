# SPDX-License-Identifier: MIT

from collections.abc import Iterator, Sequence
from multiprocessing import managers
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Generic, SupportsIndex, TypeVar, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray
from typing_extensions import TypeAlias

from shndarray._lock import Lock
from shndarray._manager import SharedMemoryManager

__all__ = ['VALID_SHARED_TYPES', 'ShareableT', 'SharedNDArray', 'from_array', 'from_shape']

VALID_SHARED_TYPES: tuple[type[np.generic], ...]

ShareableT = TypeVar('ShareableT', bound=np.generic)
_NewT = TypeVar('_NewT', bound=np.generic)

_Manager: TypeAlias = SharedMemoryManager | managers.SharedMemoryManager
_Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
_Exact: TypeAlias = type[_NewT] | np.dtype[_NewT]

class SharedNDArray(Generic[ShareableT]):
    @overload
    def __init__(
        self: SharedNDArray[ShareableT],
        shm: SharedMemory | str,
        shape: _Shape,
        dtype: _Exact[ShareableT],
        *,
        lock: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: SharedNDArray[Any],
        shm: SharedMemory | str,
        shape: _Shape,
        dtype: DTypeLike,
        *,
        lock: bool = False,
    ) -> None: ...
    @overload
    @classmethod
    def from_shape(
        cls,
        mem_mgr: _Manager,
        shape: _Shape,
        dtype: _Exact[_NewT],
        *,
        lock: bool = False,
        reserve: bool = True,
    ) -> SharedNDArray[_NewT]: ...
    @overload
    @classmethod
    def from_shape(
        cls,
        mem_mgr: _Manager,
        shape: _Shape,
        dtype: DTypeLike,
        *,
        lock: bool = False,
        reserve: bool = True,
    ) -> SharedNDArray[Any]: ...
    @classmethod
    def from_array(
        cls, mem_mgr: _Manager, arr: NDArray[_NewT], *, lock: bool = False
    ) -> SharedNDArray[_NewT]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @shape.setter
    def shape(self, shape: _Shape) -> None: ...
    @property
    def dtype(self) -> np.dtype[ShareableT]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def shm(self) -> SharedMemory: ...
    @property
    def lock(self) -> Lock | None: ...
    def get(self) -> NDArray[ShareableT]: ...
    @overload
    def __getitem__(self, key: SupportsIndex | tuple[SupportsIndex, ...]) -> Any: ...
    @overload
    def __getitem__(self, key: str | list[str]) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: Any) -> NDArray[ShareableT]: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, item: object) -> bool: ...
    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> NDArray[Any]: ...

@overload
def from_shape(
    mem_mgr: _Manager,
    shape: _Shape,
    dtype: _Exact[_NewT],
    *,
    lock: bool = False,
    reserve: bool = True,
) -> SharedNDArray[_NewT]: ...
@overload
def from_shape(
    mem_mgr: _Manager,
    shape: _Shape,
    dtype: DTypeLike,
    *,
    lock: bool = False,
    reserve: bool = True,
) -> SharedNDArray[Any]: ...
def from_array(
    mem_mgr: _Manager, arr: NDArray[_NewT], *, lock: bool = False
) -> SharedNDArray[_NewT]: ...
