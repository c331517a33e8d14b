# SPDX-License-Identifier: MIT

"""Every call of the library and of the package, as mypy --strict shall accept it.

It is not run: what the calls do is the business of the other tests.
"""

from __future__ import annotations

import pathlib
import sys
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


def hand_on(array: Shnd.Array, connection: Gio.UnixConnection) -> list[Shnd.Array]:
    sealed: bool = array.seal() and array.sealed and array.get_sealed()
    fd: int = array.dup_fd()
    fd_list = Gio.UnixFDList()
    variant: GLib.Variant = array.to_variant(fd_list)
    sent: bool = array.send(connection, cancellable=Gio.Cancellable())

    def on_sent(array: Shnd.Array, result: Gio.AsyncResult, word: str) -> None:
        print(array.send_finish(result), word)

    def on_received(source: None, result: Gio.AsyncResult) -> None:
        print(Shnd.Array.receive_finish(result).name)

    array.send_async(connection, None, on_sent, 'sent')
    Shnd.Array.receive_async(connection, Shnd.Access.READ, None, on_received)
    print(sealed, sent)
    with open('a.npy', 'rb') as file:
        return [
            Shnd.Array.new_for_fd(fd),
            Shnd.Array.new_for_fd(file, Shnd.Access.READ | Shnd.Access.UNSEALED),
            Shnd.Array.new_from_variant(variant, fd_list),
            Shnd.Array.new_from_variant(variant, None, access=Shnd.Access.READ_WRITE),
            Shnd.Array.receive(connection),
            Shnd.Array.receive(connection, Shnd.Access.READ, cancellable=None),
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
    truths: list[bool] = [array.closed, array.get_closed(), array.persistent, array.is_aligned(),
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
            array.transpose(1, 0), array.transpose((1, 0)), array.T, array.field('x'),
            array.as_strided('<u2', (2, 3), [6, -2], offset=4),
            array.as_strided(Shnd.DType('u1'), 3, 1, 0)]


def use_elements(array: Shnd.Array, other: Shnd.Array) -> float:
    array.set_element((0, 1), array.get_element(0, 1))
    array.set_double((0, 1), array.get_double(0, 1))
    array.set_int64(3, array.get_int64((0, 1)))
    done: bool = array.fill(3) and array.write_bytes(b'abc') and array.write_bytes(memoryview(b''))
    done = array.copy_from(other) and array.copy_from([1, 2, 3])
    copies: list[Shnd.Array] = [
        array.dup(), array.dup('other', Shnd.CreateFlags.FORTRAN),
        array.dup(cancellable=Gio.Cancellable(), progress=lambda done, total: None),
    ]
    array.dup_async('other', 0, Gio.Cancellable(),
                    lambda source, result: copies.append(source.dup_finish(result)))
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
        streamed: Shnd.Array = Shnd.Array.load_stream_finish(result)
        print(opened.name, loaded.name, streamed.name)

    def on_done(array: Shnd.Array, result: Gio.AsyncResult) -> None:
        print(array.save_finish(result), array.sync_finish(result))
        print(array.save_stream_finish(result))

    array.lock_async(None, on_locked, timeout=3)
    array.wait_async(array.sequence, Gio.Cancellable(), on_changed, 'changed', timeout=None)
    Shnd.Array.open_wait_async('name', Shnd.Access.READ, None, on_opened, timeout=3)
    Shnd.Array.load_async('name', 'a.npy', Shnd.CreateFlags.NONE, None, on_opened)
    array.save_async('a.npy', Shnd.SaveFlags.NO_REPLACE, None, on_done)
    Shnd.Array.load_stream_async('name', Gio.MemoryInputStream(), 0, None, on_opened)
    array.save_stream_async(Gio.MemoryOutputStream(), None, on_done)
    array.sync_async(Shnd.SyncFlags.NONE, None, on_done)


def end(array: Shnd.Array) -> str:
    try:
        array.save('a.npy')
        array.save(pathlib.Path('a.npy'), Shnd.SaveFlags.NONE, cancellable=Gio.Cancellable(),
                   progress=lambda done, total: None)
        array.save_stream(sys.stdout.buffer, progress=print)
        Shnd.Array.load_stream(None, Gio.MemoryInputStream(), progress=print).close()
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
                 Shnd.Error.UNSUPPORTED, Shnd.Error.TIMED_OUT, Shnd.Error.NOT_LOCKED,
                 Shnd.Error.END_OF_STREAM, Shnd.Error.DISCONNECTED, Shnd.Error.PROTOCOL,
                 Shnd.Error.NOT_ACQUIRED]
        if error.matches(Shnd.Error.quark(), Shnd.Error.NOT_FOUND) or error.code in codes:
            return str(Shnd.error_quark())
        raise
    finally:
        array.close()
    return descriptor


def list_all() -> list[str]:
    for info in [*Shnd.list_infos(), Shnd.ArrayInfo.new('name'),
                 Shnd.ArrayInfo.new_for_path(pathlib.Path('a.npy'))]:
        numbers: list[int] = [info.ndim, info.n_dims, info.nbytes, info.n_bytes, info.file_size,
                              info.uid, info.mode, *info.shape, *info.strides, info.data_offset,
                              info.sequence]
        numbers += [info.get_n_dims(), info.get_n_bytes(), info.get_file_size(), info.get_uid(),
                    info.get_mode(), *info.get_shape(), *info.get_strides(),
                    info.get_data_offset(), info.get_sequence()]
        truths: list[bool] = [info.persistent, info.held, info.orphaned, info.synchronizable,
                              info.locked, info.get_persistent(), info.get_held(),
                              info.get_orphaned(), info.get_synchronizable(), info.get_locked()]
        name: str | None = info.name or info.get_name() or info.path or info.get_path()
        dtype: np.dtype[Any] = info.dtype
        own: Shnd.DType = info.get_dtype()
        order: Shnd.Order = info.order or info.get_order()
        print(numbers, truths, name, dtype, own, order)
    print(Shnd.MAJOR_VERSION, Shnd.MINOR_VERSION, Shnd.MICRO_VERSION, Shnd.VERSION_S,
          Shnd.MAX_DIMS, Shnd.MAX_DEPTH)
    Shnd.release_names()
    return Shnd.list_names() + Shnd.list_addresses() + Shnd.reap()


# ---- Frames ----

def publish(image: npt.NDArray[np.uint8]) -> tuple[object, ...]:
    publisher: Shnd.Publisher = Shnd.Publisher.new('cam0')
    publisher = Shnd.Publisher.new('/tmp/cam0', overflow=Shnd.Overflow.BLOCK, depth=3,
                                   max_frames=10, max_subscribers=np.int64(5))
    with publisher, publisher.acquire('u1', (480, 640, 3), timeout=2.5) as frame:
        frame.array[...] = image
        frame.metadata = {'exposure': 0.25, 'tags': ['a', b'b'], 'variant': GLib.Variant('u', 3)}
        frame.timestamp = frame.timestamp + 1
    frame = publisher.acquire(np.float32, 3, cancellable=Gio.Cancellable())
    done: bool = frame.set_array(frame.get_array().slice(0, 1, 2))
    done = frame.set_metadata(None) and frame.set_metadata({'a': 1})
    frame.set_timestamp(5)
    frame = publisher.repeat(frame)
    done = publisher.publish(frame) and publisher.publish(frame, timeout=2, cancellable=None)
    done = publisher.publish_array(image, metadata={'a': 1}, timestamp=5, timeout=3)
    done = publisher.publish_array([[1, 2], [3, 4]]) and publisher.publish_array(frame.array)
    done = publisher.wait_subscribers(1) and publisher.wait_subscribers(n=2, timeout=0.5)
    publisher.overflow = Shnd.Overflow.DROP
    publisher.depth = publisher.max_frames = publisher.max_subscribers = 5
    publisher.set_overflow(publisher.get_overflow())
    publisher.set_depth(publisher.get_depth() + publisher.depth)
    publisher.set_max_frames(publisher.get_max_frames() + publisher.max_frames)
    publisher.set_max_subscribers(publisher.get_max_subscribers() + publisher.max_subscribers)
    numbers: list[int] = [publisher.n_subscribers, publisher.get_n_subscribers(),
                          publisher.n_frames, publisher.get_n_frames(), publisher.sequence,
                          publisher.get_sequence(), publisher.n_dropped,
                          publisher.get_n_dropped()]
    texts: list[str | None] = [publisher.address, publisher.get_address(), publisher.path,
                               publisher.get_path()]
    publisher.close()
    return (done, numbers, texts, publisher.closed, publisher.get_closed(), publisher.overflow,
            Shnd.Publisher())


def publish_in_background(publisher: Shnd.Publisher) -> None:
    def on_acquired(publisher: Shnd.Publisher, result: Gio.AsyncResult, value: int) -> None:
        frame: Shnd.Frame = publisher.acquire_finish(result)
        frame.array.fill(value)
        publisher.publish_async(frame, None, on_published, timeout=3)

    def on_published(publisher: Shnd.Publisher, result: Gio.AsyncResult) -> None:
        print(publisher.publish_finish(result), publisher.wait_subscribers_finish(result))

    publisher.acquire_async('u1', 3, None, on_acquired, 5, timeout=None)
    publisher.wait_subscribers_async(2, Gio.Cancellable(), on_published)


def subscribe(subscriber: Shnd.Subscriber) -> int:
    subscriber = Shnd.Subscriber.new('cam0', depth=3, latest_only=True, observer=False,
                                     reconnect=False, spin=50)
    with subscriber, subscriber.receive(timeout=2, cancellable=None) as frame:
        whole: npt.NDArray[Any] = frame.array.get()
        value: Any = frame.metadata['exposure']
        variant: GLib.Variant = frame.get_metadata()
        stamp: int = frame.timestamp + frame.get_timestamp()
        number: int = frame.sequence + frame.get_sequence()
        print(whole, value, variant, stamp, number, frame.released, frame.get_released())
        luma: Shnd.Array = frame.planes['Y']
        names: list[str] = [*frame.planes, *frame.list_planes()]
        memory, offset = frame.get_memory()
        print(luma, names, frame.get_plane('UV'), memory.get_size() - offset)
    for frame in subscriber:
        frame.release()
        frame.release_now()

    def on_frame(subscriber: Shnd.Subscriber, frame: Shnd.Frame) -> None:
        print(subscriber.address, frame.array.shape)

    def on_received(subscriber: Shnd.Subscriber, result: Gio.AsyncResult) -> None:
        frame: Shnd.Frame = subscriber.receive_finish(result)
        print(frame, Shnd.Frame())

    subscriber.disconnect(subscriber.connect('frame', on_frame))
    subscriber.watch()
    subscriber.unwatch()
    subscriber.receive_async(None, on_received, timeout=5)
    subscriber.depth = subscriber.get_depth() + subscriber.depth
    subscriber.latest_only = subscriber.get_latest_only() and subscriber.latest_only
    subscriber.observer = subscriber.get_observer() and subscriber.observer
    subscriber.set_observer(True)
    subscriber.reconnect = subscriber.get_reconnect() and subscriber.reconnect
    subscriber.spin = subscriber.get_spin() + subscriber.spin
    subscriber.set_depth(2)
    subscriber.set_latest_only(True)
    subscriber.set_reconnect(True)
    subscriber.set_spin(50)
    truths: list[bool] = [subscriber.watching, subscriber.get_watching(), subscriber.connected,
                          subscriber.get_connected(), subscriber.closed, subscriber.get_closed()]
    texts: list[str | None] = [subscriber.get_address(), subscriber.path, subscriber.get_path()]
    numbers: list[int] = [subscriber.sequence, subscriber.get_sequence(), subscriber.n_subscribers,
                          subscriber.get_n_subscribers(), subscriber.n_dropped,
                          subscriber.get_n_dropped(), subscriber.frame_size,
                          subscriber.get_frame_size(), subscriber.granted_depth,
                          subscriber.get_granted_depth()]
    print(truths, texts, numbers, next(subscriber), Shnd.Subscriber())
    subscriber.close()
    return (subscriber.fd + subscriber.get_fd() + subscriber.fileno() + subscriber.n_received +
            subscriber.get_n_received() + subscriber.n_missed + subscriber.get_n_missed())


async def subscribe_in_coroutine() -> list[int]:
    return [frame.sequence async for frame in Shnd.Subscriber.new('cam0')]


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
