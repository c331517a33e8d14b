# SPDX-License-Identifier: MIT

"""Mistakes, each of which mypy shall find; where a comment says so, and nowhere else."""

import gi
import numpy as np
import numpy.typing as npt
import shndarray.sharedarray as sa
from shndarray import SharedMemoryManager, SharedNDArray
from shndarray.shared_ndarray1 import SharedNDArray as SharedNDArray1

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

array = Shnd.Array.new(None, 'f4', (2, 3))
x: npt.NDArray[np.float64] = np.zeros(3)

Shnd.Array.new('name', 'f4')  # error: call-arg
Shnd.Array.new(3, 'f4', 3)  # error: arg-type
Shnd.Array.new(None, 'f4', 2.5)  # error: arg-type
Shnd.Array.new(None, 'f4', 3, flags='FORTRAN')  # error: arg-type
Shnd.Array.open()  # error: call-arg
Shnd.Array.open('name', timeout='soon')  # error: arg-type
Shnd.Array.open('name', 3, 2.5)  # error: misc
Shnd.CreateFlags.TEMPORARY  # error: attr-defined
Shnd.Access.RW  # error: attr-defined
Shnd.unlink(None)  # error: arg-type
Shnd.remove('name')  # error: attr-defined
array.shape = (3, 2)  # error: misc
array.reshape('23')  # error: arg-type
array.lock(2.5)  # error: misc
array.wait(since='now')  # error: arg-type
array.name.upper()  # error: union-attr
Shnd.Array.new_for_fd('3')  # error: arg-type
array.to_variant()  # error: call-arg
Shnd.Array.receive(None, 1, None)  # error: misc
number: str = array.sequence  # error: assignment
names: list[int] = Shnd.list_names()  # error: assignment
Shnd.DType('f4').names[0]  # error: index
Shnd.DType('f4').find_field(3)  # error: arg-type

publisher = Shnd.Publisher.new('name', overflow='block')  # error: arg-type
publisher.acquire('u1', 3, 2.5)  # error: misc
publisher.publish('frame')  # error: arg-type
publisher.publish_array(x, timestamp=0.5)  # error: arg-type
publisher.wait_subscribers()  # error: call-arg
publisher.sequence = 3  # error: misc
publisher.address.upper()  # error: union-attr
subscriber = Shnd.Subscriber.new('name', True)  # error: misc
subscriber.latest_only = 'yes'  # error: assignment
subscriber.receive(timeout='soon')  # error: arg-type
for frame in subscriber:
    frame.metadata = 3  # error: assignment
    frame.array = array  # error: misc

with SharedMemoryManager() as manager:
    SharedNDArray.from_shape(manager, (3,))  # error: call-overload
    SharedNDArray.from_shape(None, (3,), np.uint8)  # error: call-overload
    SharedNDArray.from_shape(manager, (3,), np.uint8, True)  # error: call-overload
    SharedNDArray(b'name', (3,), np.uint8)  # error: call-overload
    SharedNDArray.from_array(manager, [1, 2])  # error: arg-type
    arr = SharedNDArray.from_array(manager, x)
    wrong: SharedNDArray[np.uint8] = arr  # error: assignment
    arr.sum()  # error: attr-defined
    arr.ndim = 3  # error: misc
    arr.lock.acquire()  # error: union-attr
    whole: npt.NDArray[np.uint8] = arr.get()  # error: assignment
    manager.SharedMemory('large')  # error: arg-type

sa.create('name')  # error: call-arg
sa.attach(3)  # error: arg-type
sa.attach('name').base.msync('sync')  # error: arg-type
SharedNDArray1((2, 3), name=3)  # error: arg-type
