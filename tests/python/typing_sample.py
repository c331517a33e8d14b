# SPDX-License-Identifier: MIT

"""Every call of the library and of the package, as mypy --strict shall accept it.

It is not run: what the calls do is the business of the other tests.
"""

from __future__ import annotations

import pathlib
from multiprocessing import managers, shared_memory
from typing import Any

import gi
import numpy as np
import numpy.typing as npt
import shndarray
import shndarray.shared_ndarray
import shndarray.sharedarray as sa
from shndarray import SharedMemoryManager, SharedNDArray, from_array, from_shape
from shndarray.shared_ndarray1 import SharedNDArray as SharedNDArray1
from shndarray.shared_ndarray1 import SharedNDArrayError

gi.require_version('Shnd', '1')

from gi.repository import Gio, GLib, Shnd  # noqa: E402


def make(name: str | None, values: npt.NDArray[np.float32]) -> Shnd.Array:
    flags = Shnd.CreateFlags.FORTRAN | Shnd.CreateFlags.SPARSE | Shnd.CreateFlags.GROUP_READ
    flags |= Shnd.CreateFlags.GROUP_WRITE | Shnd.CreateFlags.OTHERS_READ
    flags |= Shnd.CreateFlags.OTHERS_WRITE | Shnd.CreateFlags.PERSISTENT | Shnd.CreateFlags.NONE
    array: Shnd.Array = Shnd.Array.new(name, 'f4', (2, 3), flags)
    array = Shnd.Array.new(None, np.uint8, 3)
    array = Shnd.Array.new(None, [('x', 'f4'), ('y', 'f4')], [3, np.int64(4)], flags=0)
    array = Shnd.Array.new_unique(np.dtype('f8'), (), Shnd.CreateFlags.NONE)
    array = Shnd.Array.new_from_bytes(name, Shnd.DType('u1'), 3, b'abc')
    array = Shnd.Array.new_from_bytes(name, 'u1', 3, GLib.Bytes.new(b'abc'), flags)
    array = Shnd.Array.new_from_array(name, values)
    array = Shnd.Array.new_from_array(name, [[1, 2], [3, 4]], flags)
    return Shnd.Array.new_path(pathlib.Path('a.npy'), 'f4', (2, 3), Shnd.CreateFlags.SPARSE)


def open_all(name: str) -> list[Shnd.Array]:
    access: Shnd.Access = Shnd.Access.READ | Shnd.Access.ANY_OWNER
    access = Shnd.Access.WRITE | Shnd.Access.READ_WRITE
    return [
        Shnd.Array(),
        Shnd.Array.open(name),
        Shnd.Array.open(name, access, timeout=2.5),
        Shnd.Array.open(name, timeout=None, cancellable=Gio.Cancellable()),
        Shnd.Array.open_wait(name, access, timeout=2),
        Shnd.Array.open_segment(name, 'i2', (5, 10)),
        Shnd.Array.open_segment(name, 'i2', (5, 10), offset=4096, access=Shnd.Access.READ),
        Shnd.Array.open_path('a.npy'),
        Shnd.Array.open_path(pathlib.Path('a.npy'), Shnd.Access.READ),
        Shnd.Array.open_descriptor('shnd:a'),
        Shnd.Array.load(None, 'a.npy'),
        Shnd.Array.load(name, b'a.npy', Shnd.CreateFlags.SPARSE, cancellable=Gio.Cancellable(),
                        progress=lambda done, total: print(done / total)),
    ]


def describe(array: Shnd.Array) -> tuple[object, ...]:
    name: str | None = array.name
    dtype: np.dtype[Any] = array.dtype
    shape: tuple[int, ...] = array.shape
    strides: tuple[int, ...] = array.strides
    numbers: list[int] = [array.ndim, array.n_dims, array.size, array.itemsize, array.item_size,
                          array.nbytes, array.n_bytes, len(array)]
    numbers += [array.get_n_dims(), array.get_size(), array.get_item_size(), array.get_n_bytes()]
    numbers += array.get_shape() + array.get_strides()
    order: Shnd.Order = array.order or array.get_order()
    access: Shnd.Access = array.access or array.get_access()
    truths: list[bool] = [array.closed, array.get_closed(), array.persistent,
                          array.get_persistent(), array.synchronizable,
                          array.get_synchronizable(), bool(array)]
    own: Shnd.DType = array.get_dtype()
    again: str | None = array.get_name()
    return (name, dtype, shape, strides, numbers, order, access, truths, own, again,
            order == Shnd.Order.C or order in (Shnd.Order.FORTRAN, Shnd.Order.STRIDED),
            order.value_name, order.value_nick, access.value_names, access.value_nicks,
            access.first_value_name, access.first_value_nick)


def use_numpy(array: Shnd.Array) -> float:
    whole: npt.NDArray[Any] = array.get()
    array[0, 1] = array[1, 0]
    array[:] += 1
    for row in array:
        print(row)
    shown: memoryview = array.data
    device: tuple[int, int] = array.__dlpack_device__()
    print(5 in array, np.asarray(array), array.__array__('f4'), array.__array_interface__['data'],
          array.__dlpack__(), device, shown.nbytes)
    return float(whole.mean())


def view(array: Shnd.Array) -> list[Shnd.Array]:
    return [array.slice(0, 1, 2), array.slice(axis=1, start=None, stop=None, step=-1),
            array.index(0, 5), array.reshape(2, -1), array.reshape((3, 4)), array.transpose(),
            array.transpose(1, 0), array.transpose((1, 0)), array.T, array.field('x')]


def use_elements(array: Shnd.Array, other: Shnd.Array) -> float:
    array.set_element((0, 1), array.get_element(0, 1))
    array.set_double((0, 1), array.get_double(0, 1))
    array.set_int64(3, array.get_int64((0, 1)))
    done: bool = array.fill(3) and array.write_bytes(b'abc') and array.write_bytes(memoryview(b''))
    done = array.copy_from(other) and array.copy_from([1, 2, 3])
    copies: list[Shnd.Array] = [array.dup(), array.dup('other', Shnd.CreateFlags.FORTRAN)]
    memory, offset = array.get_memory()
    print(array.get_bytes(), array.get_cow_bytes(), memory, offset + 1, done, copies)
    return array.get_double()


def use_dtypes() -> dict[str, Any]:
    dtype = Shnd.DType.new('<f4')
    kinds = [Shnd.DTypeKind.BOOL, Shnd.DTypeKind.INT, Shnd.DTypeKind.UINT, Shnd.DTypeKind.FLOAT,
             Shnd.DTypeKind.COMPLEX, Shnd.DTypeKind.BYTES, Shnd.DTypeKind.UNICODE,
             Shnd.DTypeKind.DATETIME, Shnd.DTypeKind.TIMEDELTA, Shnd.DTypeKind.VOID,
             Shnd.DTypeKind.STRUCT, Shnd.DTypeKind.SUBARRAY]
    numbers: list[int] = [dtype.item_size, dtype.alignment, dtype.get_item_size(),
                          dtype.get_alignment(), dtype.get_n_fields(), dtype.find_field('x'),
                          dtype.get_field_offset(0), dtype.hash(), *dtype.shape,
                          *dtype.get_base_shape()]
    texts: list[str | None] = [dtype.unit, dtype.get_unit(), dtype.to_string(),
                               dtype.get_field_name(0), dtype.get_field_title(0),
                               *(dtype.names or ())]
    field = (dtype.fields or {})['x']
    plain: np.dtype[Any] = dtype.numpy
    same: bool = dtype.equal(dtype.base) or dtype.is_native() or dtype.kind in kinds
    others: list[Shnd.DType | None] = [dtype.get_base(), dtype.get_field_dtype(0), field[0],
                                       dtype.copy(), dtype.ref()]
    dtype.unref()
    return {'kind': dtype.get_kind(), 'numbers': numbers, 'texts': texts, 'numpy': plain,
            'same': same, 'others': others, 'offset': field[1] + 1}


def synchronize(array: Shnd.Array) -> int:
    with array.lock() as guard:
        if guard.recovered:
            array.fill(0)
    held = array.lock(timeout=0.5, cancellable=Gio.Cancellable())
    print(held.recovered, array.locked, array.get_locked())
    array.unlock()
    array.update()
    since: int = array.sequence + array.get_sequence()
    since = array.wait() + array.wait(since, timeout=2) + array.wait(cancellable=None)

    def on_updated(array: Shnd.Array, sequence: int) -> None:
        print(array.name, sequence)

    array.disconnect(array.connect('updated', on_updated))
    array.watch()
    print(array.watching, array.get_watching())
    array.unwatch()
    return since


def run_in_background(array: Shnd.Array) -> None:
    def on_locked(array: Shnd.Array, result: Gio.AsyncResult) -> None:
        recovered: bool = array.lock_finish(result)
        print(recovered)

    def on_changed(array: Shnd.Array, result: Gio.AsyncResult, word: str) -> None:
        print(word, array.wait_finish(result) + 1)

    def on_opened(source: None, result: Gio.AsyncResult) -> None:
        opened: Shnd.Array = Shnd.Array.open_wait_finish(result)
        loaded: Shnd.Array = Shnd.Array.load_finish(result)
        print(opened.name, loaded.name)

    def on_done(array: Shnd.Array, result: Gio.AsyncResult) -> None:
        print(array.save_finish(result), array.sync_finish(result))

    array.lock_async(None, on_locked, timeout=3)
    array.wait_async(array.sequence, Gio.Cancellable(), on_changed, 'changed', timeout=None)
    Shnd.Array.open_wait_async('name', Shnd.Access.READ, None, on_opened, timeout=3)
    Shnd.Array.load_async('name', 'a.npy', Shnd.CreateFlags.NONE, None, on_opened)
    array.save_async('a.npy', None, on_done)
    array.sync_async(Shnd.SyncFlags.NONE, None, on_done)


def end(array: Shnd.Array) -> str:
    try:
        array.save('a.npy')
        array.save(pathlib.Path('a.npy'), Gio.Cancellable(), lambda done, total: None)
        array.sync()
        array.sync(Shnd.SyncFlags.ASYNC | Shnd.SyncFlags.INVALIDATE, cancellable=None)
        array.mlock()
        array.munlock()
        with array as same:
            descriptor: str = same.to_descriptor()
        array.unlink()
        Shnd.unlink('name')
    except GLib.Error as error:
        codes = [Shnd.Error.FAILED, Shnd.Error.INVALID_NAME, Shnd.Error.INVALID_DTYPE,
                 Shnd.Error.INVALID_SHAPE, Shnd.Error.INVALID_ARGUMENT,
                 Shnd.Error.INVALID_FORMAT, Shnd.Error.INVALID_DATA, Shnd.Error.OUT_OF_RANGE,
                 Shnd.Error.TYPE_MISMATCH, Shnd.Error.NOT_FOUND, Shnd.Error.EXISTS,
                 Shnd.Error.NO_SPACE, Shnd.Error.PERMISSION_DENIED, Shnd.Error.READ_ONLY,
                 Shnd.Error.NOT_CONTIGUOUS, Shnd.Error.TOO_SMALL, Shnd.Error.CLOSED,
                 Shnd.Error.UNSUPPORTED, Shnd.Error.TIMED_OUT, Shnd.Error.NOT_LOCKED]
        if error.matches(Shnd.Error.quark(), Shnd.Error.NOT_FOUND) or error.code in codes:
            return str(Shnd.error_quark())
        raise
    finally:
        array.close()
    return descriptor


def list_all() -> list[str]:
    for info in [*Shnd.list_infos(), Shnd.ArrayInfo.new('name')]:
        numbers: list[int] = [info.ndim, info.n_dims, info.nbytes, info.n_bytes, info.file_size,
                              info.uid, info.mode, *info.shape]
        numbers += [info.get_n_dims(), info.get_n_bytes(), info.get_file_size(), info.get_uid(),
                    info.get_mode(), *info.get_shape()]
        truths: list[bool] = [info.persistent, info.held, info.orphaned, info.synchronizable,
                              info.get_persistent(), info.get_held(), info.get_orphaned(),
                              info.get_synchronizable()]
        name: str = info.name + info.get_name()
        dtype: np.dtype[Any] = info.dtype
        own: Shnd.DType = info.get_dtype()
        order: Shnd.Order = info.order or info.get_order()
        print(numbers, truths, name, dtype, own, order)
    print(Shnd.MAJOR_VERSION, Shnd.MINOR_VERSION, Shnd.MICRO_VERSION, Shnd.VERSION_S,
          Shnd.MAX_DIMS)
    Shnd.release_names()
    return Shnd.list_names() + Shnd.reap()


# ---- The package ----

def process(arr: SharedNDArray[np.uint8]) -> None:
    arr[:] += 1


def share(x: npt.NDArray[np.float64]) -> SharedNDArray[np.float64]:
    with SharedMemoryManager() as manager:
        shm: shared_memory.SharedMemory = manager.SharedMemory(size=1024)
        names = manager.ShareableList(['a', 'b'])
        names[0] = 'c'
        typed: SharedNDArray[np.uint8] = SharedNDArray(shm, (1024,), np.uint8)
        typed = SharedNDArray(shm.name, 1024, np.dtype(np.uint8), lock=True)
        untyped: SharedNDArray[Any] = SharedNDArray(shm, (256,), '<u4')
        process(typed)
        process(SharedNDArray.from_shape(manager, (3, 4), np.uint8, lock=True, reserve=False))
        process(from_shape(manager, 5, np.uint8))
        process(shndarray.shared_ndarray.from_shape(manager, [3, 4], dtype='u1', lock=True))
        made: SharedNDArray[np.float64] = SharedNDArray.from_array(manager, x)
        made = from_array(manager, x, lock=True)
        untyped.shape = (-1, 2)
        if typed.lock is not None:
            with typed.lock:
                typed[0] = 3
            if typed.lock.acquire(block=True, timeout=2.5):
                print(typed.lock.recovered)
                typed.lock.release()
        size: int = made.ndim + len(made) + made.shape[0] + made.shm.size
        dtype: np.dtype[np.float64] = made.dtype
        whole: npt.NDArray[np.float64] = made.get()
        part: npt.NDArray[np.float64] = made[1:]
        for row in made:
            print(row)
        print(size, dtype, whole, part, 3 in made, bool(made), made.__array__(), np.asarray(made))
        print(shndarray.VALID_SHARED_TYPES, shndarray.__version__)
        made.shm.close()
        made.shm.unlink()
    return made


def share_with_standard_manager(x: npt.NDArray[np.int_]) -> None:
    manager = managers.SharedMemoryManager()
    manager.start()
    arr: SharedNDArray[np.int_] = SharedNDArray.from_array(manager, x, lock=True)
    arr = SharedNDArray.from_shape(manager, x.shape, np.int_)
    manager.shutdown()
    ours = SharedMemoryManager()
    ours.start()
    ours.shutdown()
    print(arr)


def pick(arr: SharedNDArray[shndarray.shared_ndarray.ShareableT]) -> Any:
    return arr[0]


def use_sharedarray() -> float:
    array = sa.create('shm://name', (2, 3))
    array = sa.create(b'file://a.npy', 3, np.uint8)
    array[:] = 1
    part = sa.attach('name')
    part = sa.attach('name', ro=True)
    part.base.msync(sa.MS_SYNC | sa.MS_INVALIDATE)
    part.base.msync(flags=sa.MS_ASYNC)
    part.base.mlock()
    part.base.munlock()
    print(part.base.name, part.base.addr + part.base.size)
    found: sa.ArrayDesc
    for found in sa.list():
        print(found.name.decode(), found.dtype.itemsize, found.dims[0])
        sa.delete(found.name)
    return float(array.mean())


def use_shared_ndarray1(x: npt.NDArray[np.float64]) -> SharedNDArray1:
    shared = SharedNDArray1((2, 3), np.float32, name=None)
    shared = SharedNDArray1(4)
    shared.array[:] += 1
    try:
        SharedNDArray1.zeros_like(x).unlink()
    except SharedNDArrayError:
        pass
    return SharedNDArray1.copy(x)
