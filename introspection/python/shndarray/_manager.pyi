# SPDX-License-Identifier: MIT

from collections.abc import Callable, Iterable
from multiprocessing import shared_memory
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any, NoReturn, TypeVar

_ManagerT = TypeVar('_ManagerT', bound=SharedMemoryManager)
_ItemT = TypeVar('_ItemT', int, float, bool, str, bytes, None)

class SharedMemoryManager:
    def __init__(
        self,
        address: Any = None,
        authkey: bytes | None = None,
        serializer: str = 'pickle',
        ctx: BaseContext | None = None,
        *,
        shutdown_timeout: float = 1.0,
    ) -> None: ...
    def start(
        self,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
    ) -> None: ...
    def shutdown(self) -> None: ...
    def __enter__(self: _ManagerT) -> _ManagerT: ...
    def __exit__(
        self,
        *args: type[BaseException] | BaseException | TracebackType | None,
    ) -> None: ...
    def SharedMemory(self, size: int) -> shared_memory.SharedMemory: ...
    def ShareableList(
        self, sequence: Iterable[_ItemT] | None
    ) -> shared_memory.ShareableList[_ItemT]: ...
    def __reduce__(self) -> NoReturn: ...
