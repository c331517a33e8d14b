# SPDX-License-Identifier: MIT

"""The package shndarray within one process: what shared-ndarray2 can do, and where it fails."""

import copy
import gc
import multiprocessing
import os
import pickle
import unittest
import warnings
from multiprocessing import managers, resource_tracker, shared_memory

import numpy as np
import shndarray
import shndarray.shared_ndarray
from package_support import PREFIX, PackageTestCase, exists
from shndarray import SharedMemoryManager, SharedNDArray
from support import Shnd, main

STRUCT = np.dtype([('id', '<u2'), ('place', '>f4', (2, 2)), ('word', '<U3')])
MANAGERS = (SharedMemoryManager, managers.SharedMemoryManager)

# What shared-ndarray2 refuses, or dies of.
LAYOUTS = [((), 'f8'), ((0,), 'i4'), ((3, 0, 2), 'f4'), (3, STRUCT), ((2, 2), 'S5'), (2, 'U4'),
           (3, 'V6'), ((2,), '>i4'), ((4,), 'M8[25s]'), ((2, 3), 'm8[ns]'), ((5,), '?'),
           ((2,), 'c16'), ((2, 2), np.float16), ([3], np.dtype('g')), (np.int64(3), 'u1'),
           (2, [('a', 'i1'), ('b', [('c', 'f8')])]), (3, ('f4', (2,)))]


class Readme(PackageTestCase):
    """The examples of shared-ndarray2, with only the imports changed."""

    def test_from_memory(self):
        shm = shared_memory.SharedMemory(create=True, size=1024)
        try:
            arr = SharedNDArray(shm, (1024,), np.uint8)
            arr[:] = 3
            self.assertEqual(bytes(shm.buf), b'\3' * 1024)
            self.assertIs(arr.shm, shm)
            arr = SharedNDArray(shm.name, (1024,), np.uint8)
            self.assertEqual(arr[1023], 3)
            self.assertEqual(arr.shm.name, shm.name)
        finally:
            shm.close()
            shm.unlink()

    def test_from_shape(self):
        with SharedMemoryManager() as mem_mgr:
            arr = self.watch(SharedNDArray.from_shape(mem_mgr, (3, 1024, 1024), dtype=np.uint16))
            self.assertEqual(arr.shape, (3, 1024, 1024))
            self.assertEqual(arr.dtype, np.uint16)
            self.assertFalse(arr.get().any())

    def test_from_array(self):
        x = np.arange(100.0).reshape(2, 2, 25)
        with SharedMemoryManager() as mem_mgr:
            arr = self.watch(SharedNDArray.from_array(mem_mgr, x))
            self.assertTrue(np.all(arr[:] == x[:]))
            self.assertEqual(arr.get().mean(), x.mean())

    def test_typed(self):
        x: np.ndarray = np.arange(1024)
        with SharedMemoryManager() as mem_mgr:
            arr: SharedNDArray[np.int_] = self.watch(SharedNDArray.from_array(mem_mgr, x))
            arr2 = arr[:]
            self.assertIsInstance(arr2, np.ndarray)

    def test_manager_by_hand(self):
        mem_mgr = SharedMemoryManager()
        mem_mgr.start()
        arr = self.watch(SharedNDArray.from_shape(mem_mgr, (3,), np.int64))
        arr[:] = np.array([1, 2, 3])
        self.assertEqual(str(arr[:]), '[1 2 3]')
        with self.assertRaisesRegex(AttributeError, r'\.get\(\)'):
            arr.max()
        self.assertEqual(arr.get().max(), 3)
        y = np.zeros(3)
        y[:] = arr[:]
        self.assertEqual(y[2], 3)
        mem_mgr.shutdown()
        self.assertFalse(exists(arr.shm.name))
        self.assertEqual(arr[2], 3)


class Names(unittest.TestCase):
    def test_exports(self):
        for name in ('SharedNDArray', 'SharedMemoryManager', 'from_shape', 'from_array',
                     'VALID_SHARED_TYPES'):
            self.assertIn(name, shndarray.__all__)
            self.assertTrue(hasattr(shndarray, name))
        self.assertEqual(shndarray.__version__, Shnd.VERSION_S)
        self.assertIs(shndarray.shared_ndarray.from_shape, shndarray.from_shape)
        self.assertLessEqual({np.number, np.bool_, np.datetime64, np.timedelta64},
                             set(shndarray.VALID_SHARED_TYPES))

    def test_documented(self):
        for cls in (SharedNDArray, SharedMemoryManager, type(SharedNDArray.__new__)):
            self.assertTrue(cls.__doc__)
        for cls in (SharedNDArray, SharedMemoryManager):
            for name, value in vars(cls).items():
                if not name.startswith('_') and name != 'SharedMemory':
                    self.assertTrue(value.__doc__, name)

    def test_generic(self):
        typed = SharedNDArray[np.uint8]
        self.assertIs(typed.__origin__, SharedNDArray)
        with SharedMemoryManager() as manager:
            arr = typed.from_shape(manager, 3, np.uint8)
            self.assertIs(type(arr), SharedNDArray)
            made = typed(arr.shm, 3, np.uint8)
            self.assertEqual(pickle.loads(pickle.dumps(made)).shape, (3,))


class Traced(SharedNDArray):
    def __init__(self, shm, shape, dtype, *, lock=False):
        super().__init__(shm, shape, dtype, lock=lock)
        self.traced = f'{shape} {lock}'


class Derived(PackageTestCase):
    def test_from_managers(self):
        for kind in MANAGERS:
            with kind() as manager:
                for arr in (Traced.from_shape(manager, (3,), 'u1', lock=True),
                            Traced.from_array(manager, np.zeros(3, 'u1'), lock=True)):
                    self.watch(arr)
                    self.assertEqual(arr.traced, '(3,) True')
                    sent = pickle.loads(pickle.dumps(arr))
                    self.assertIs(type(sent), Traced)
                    self.assertEqual(sent.traced, '(3,) True')
                    with sent.lock:
                        self.assertFalse(arr.lock.acquire(False))
                del arr, sent


class Layouts(PackageTestCase):
    def test_all(self):
        for kind in MANAGERS:
            with kind() as manager:
                for shape, dtype in LAYOUTS:
                    with self.subTest(manager=kind, shape=shape, dtype=dtype):
                        self.check(manager, shape, dtype)

    def check(self, manager, shape, dtype):
        expected = np.zeros(shape, dtype)
        expected.reshape(-1).view(np.uint8)[:] = 1 if expected.dtype.kind != 'U' else 0
        for arr in (SharedNDArray.from_shape(manager, shape, dtype),
                    shndarray.from_shape(manager, shape, dtype, reserve=False),
                    SharedNDArray.from_array(manager, np.zeros(shape, dtype)),
                    shndarray.from_array(manager, np.zeros(shape, dtype))):
            self.watch(arr)
            self.assertEqual(arr.shape, expected.shape)
            self.assertEqual(arr.ndim, expected.ndim)
            self.assertEqual(arr.dtype, expected.dtype)
            np.testing.assert_array_equal(arr.get(), np.zeros(shape, dtype))
            arr[...] = expected
            for other in (SharedNDArray(arr.shm.name, shape, dtype),
                          SharedNDArray(arr.shm, shape, dtype),
                          pickle.loads(pickle.dumps(arr)), copy.copy(arr), copy.deepcopy(arr)):
                self.assertEqual(other.dtype, expected.dtype)
                np.testing.assert_array_equal(other.get(), expected)
                self.assertEqual(other.shm.name, arr.shm.name)

    def test_all_orders(self):
        values = np.arange(24).reshape(2, 3, 4)
        with SharedMemoryManager() as manager:
            for source in (values, values.T, values[:, ::2], np.asfortranarray(values)):
                arr = SharedNDArray.from_array(manager, source)
                np.testing.assert_array_equal(arr.get(), source)
                self.assertTrue(arr.get().flags.c_contiguous)
                self.assertEqual(bytes(arr.shm.buf), source.tobytes())

    def test_refused(self):
        for kind in MANAGERS:
            with kind() as manager:
                for shape in ((-2, -3), -1, (2, -3)):
                    with self.assertRaises(ValueError):
                        SharedNDArray.from_shape(manager, shape, 'u1')
                for shape in ('ab', (1.5,), None, ((2, 3),)):
                    with self.assertRaises(TypeError):
                        SharedNDArray.from_shape(manager, shape, 'u1')
                for dtype in (object, [('a', object)], np.object_):
                    with self.assertRaises(TypeError):
                        SharedNDArray.from_shape(manager, 3, dtype)
                    with self.assertRaises(TypeError):
                        SharedNDArray.from_array(manager, np.zeros(3, dtype))
                # NumPy itself would end the process at this one.
                with self.assertRaises(Exception):
                    SharedNDArray.from_shape(manager, 3, 'M8[s/0]')


class Opening(PackageTestCase):
    def setUp(self):
        super().setUp()
        self.manager = SharedMemoryManager()
        self.manager.start()
        self.arr = self.watch(SharedNDArray.from_array(self.manager, np.arange(6, dtype='i4')))
        self.name = self.arr.shm.name

    def tearDown(self):
        self.manager.shutdown()
        super().tearDown()

    def test_missing(self):
        for name in (PREFIX + 'none', '/' + PREFIX + 'none'):
            with self.assertRaises(FileNotFoundError) as caught:
                SharedNDArray(name, (3,), 'u1')
            self.assertIn(PREFIX + 'none', str(caught.exception))
        for name in ('', 'a/b', '..', '.'):
            with self.assertRaises(OSError):
                SharedNDArray(name, (3,), 'u1')
        for name in (None, 3, b'abc'):
            with self.assertRaises((TypeError, AttributeError)):
                SharedNDArray(name, (3,), 'u1')

    def test_size(self):
        for shape, dtype in ((7, 'i4'), (5, 'i4'), (6, 'i8'), (0, 'i4'), ((), 'i4')):
            with self.assertRaisesRegex(ValueError, '24 bytes'):
                SharedNDArray(self.name, shape, dtype)
            with self.assertRaisesRegex(ValueError, '24 bytes'):
                SharedNDArray(self.arr.shm, shape, dtype)
        self.assertEqual(SharedNDArray(self.name, (3, 2), 'i4')[2, 1], 5)
        self.assertEqual(SharedNDArray('/' + self.name, (24,), 'u1')[20], 5)

    def test_array_of_the_library(self):
        array = Shnd.Array.open(self.name)
        self.assertEqual(array.shape, (6,))
        array[0] = 77
        self.assertEqual(self.arr[0], 77)
        name = PREFIX + 'fortran'
        array = Shnd.Array.new_from_array(name, np.asfortranarray([[1, 2], [3, 4]]))
        arr = SharedNDArray(name, (2, 2), array.dtype)
        np.testing.assert_array_equal(arr.get(), [[1, 2], [3, 4]])
        self.assertEqual(pickle.loads(pickle.dumps(arr))[1, 0], 3)
        self.assertEqual(arr.shm.buf.cast('B').cast('q').tolist(), [1, 3, 2, 4])
        array.unlink()

    def test_file(self):
        # Without a control page, and one that is as large as a segment of other elements would be.
        name = PREFIX + 'file.npy'
        np.save(f'/dev/shm/{name}', np.arange(6, dtype='i4'))
        try:
            self.assertEqual(SharedNDArray(name, 6, 'i4')[5], 5)
            arr = SharedNDArray(name, 6, 'i4', lock=True)
            self.watch(arr)
            with arr.lock:
                pass
            self.assertEqual(bytes(SharedNDArray(name, 152, 'u1')[1:6]), b'NUMPY')
        finally:
            os.unlink(f'/dev/shm/{name}')

    def test_equal_dtypes(self):
        arr = SharedNDArray.from_shape(self.manager, 3, STRUCT)
        self.assertEqual(SharedNDArray(arr.shm.name, 3, STRUCT)[2]['word'], '')
        np.testing.assert_array_equal(SharedNDArray(arr.shm.name, 3 * 30, 'u1')[:], 0)


class Raw(PackageTestCase):
    """Segments of the standard library."""

    def setUp(self):
        super().setUp()
        self.shm = shared_memory.SharedMemory(create=True, size=24)
        self.watched.add(self.shm.name)

    def tearDown(self):
        self.shm.close()
        try:
            self.shm.unlink()
        except FileNotFoundError:
            pass
        super().tearDown()

    def test_both_sides(self):
        arr = SharedNDArray(self.shm, (2, 3), 'i4')
        arr[1, 2] = 258
        self.assertEqual(bytes(self.shm.buf[20:]), b'\2\1\0\0')
        self.shm.buf[0] = 9
        self.assertEqual(arr[0, 0], 9)
        other = SharedNDArray(self.shm.name, (24,), 'u1')
        self.assertEqual(other[21], 1)
        self.assertEqual(other.shm.size, 24)
        self.assertEqual(other.shm.buf[0], 9)
        np.ndarray((2, 3), 'i4', self.shm.buf)[0, 1] = 5
        self.assertEqual(arr[0, 1], 5)

    def test_size(self):
        for shape, dtype in ((25, 'u1'), (23, 'u1'), (1, 'u1'), ((2, 3), 'i8'), (0, 'u1')):
            for shm in (self.shm, self.shm.name):
                with self.assertRaisesRegex(ValueError, '24 bytes'):
                    SharedNDArray(shm, shape, dtype)

    def test_pages(self):
        page = os.sysconf('SC_PAGESIZE')
        shm = shared_memory.SharedMemory(create=True, size=2 * page)
        try:
            for memory in (shm, shm.name):
                for size in (2 * page, 2 * page - 1, page + 1):
                    arr = SharedNDArray(memory, size, 'u1')
                    arr[-1] = size & 255
                    self.assertEqual(shm.buf[size - 1], size & 255)
                    self.assertEqual(pickle.loads(pickle.dumps(arr)).shape, (size,))
                for size in (page, 2 * page + 1, 1):
                    with self.assertRaises(ValueError):
                        SharedNDArray(memory, size, 'u1')
        finally:
            shm.close()
            shm.unlink()

    def test_close_below(self):
        arr = SharedNDArray(self.shm, (24,), 'u1')
        arr[:] = range(24)
        shown = arr[3:]
        self.shm.close()
        self.assertEqual(shown[0], 3)
        self.assertEqual(arr[5], 5)
        self.shm.unlink()
        del arr
        gc.collect()
        self.assertEqual(shown.tolist(), list(range(3, 24)))

    def test_without_name(self):
        self.shm.unlink()
        arr = SharedNDArray(self.shm, (24,), 'u1')
        arr[2] = 7
        self.assertEqual(self.shm.buf[2], 7)
        # Of another segment that has the name by now nothing is shown.
        with open(f'/dev/shm/{self.shm.name}', 'wb') as file:
            file.write(bytes(24))
        arr = SharedNDArray(self.shm, (24,), 'u1')
        self.assertEqual(arr[2], 7)
        self.assertIs(arr.shm, self.shm)
        # An exported buffer cannot be closed.
        del arr
        os.unlink(f'/dev/shm/{self.shm.name}')

    def test_looks_like_a_file(self):
        shm = shared_memory.SharedMemory(create=True, size=160)
        self.watched.add(shm.name)
        try:
            shm.buf[:8] = b'\x93NUMPY\1\0'
            self.assertEqual(SharedNDArray(shm, 160, 'u1')[1], ord('N'))
            self.assertEqual(SharedNDArray(shm.name, 20, 'i8').shape, (20,))
        finally:
            shm.close()
            shm.unlink()

    def test_tracker(self):
        """It is told of nothing: with one that knows the name, the segment ends with us."""
        told = []
        original = resource_tracker.register
        resource_tracker.register = lambda *args: told.append(args)
        try:
            arr = SharedNDArray(self.shm.name, 24, 'u1', lock=True)
            self.watch(arr)
            arr.shm.buf[0] = 1
            pickle.loads(pickle.dumps(arr))
            SharedNDArray(self.shm, 24, 'u1')
            with SharedMemoryManager() as manager:
                arr = SharedNDArray.from_shape(manager, 3, 'u1', lock=True)
                pickle.loads(pickle.dumps(arr)).shm.buf[0] = 1
        finally:
            resource_tracker.register = original
        self.assertEqual(told, [])

    def test_real_manager(self):
        with managers.SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, (2, 3), 'f4', lock=True))
            self.assertIs(type(arr.shm), shared_memory.SharedMemory)
            other = shared_memory.SharedMemory(arr.shm.name)
            np.ndarray((2, 3), 'f4', other.buf)[1, 1] = 2.5
            self.assertEqual(arr[1, 1], 2.5)
            other.close()
        del arr


class Using(PackageTestCase):
    def setUp(self):
        super().setUp()
        self.manager = SharedMemoryManager()
        self.manager.start()
        self.values = np.arange(6).reshape(2, 3)
        self.arr = self.watch(SharedNDArray.from_array(self.manager, self.values))

    def tearDown(self):
        self.manager.shutdown()
        super().tearDown()

    def test_index(self):
        self.arr[0] = 7
        self.arr[:, 1] += 1
        self.arr[self.arr[:] == 7] = 0
        self.assertEqual(self.arr[:].tolist(), [[0, 8, 0], [3, 5, 5]])
        self.assertEqual(self.arr[1, 2], 5)
        self.assertEqual(self.arr[..., None].shape, (2, 3, 1))
        with self.assertRaises(IndexError):
            self.arr[2]

    def test_protocols(self):
        self.assertEqual(len(self.arr), 2)
        self.assertEqual([row.tolist() for row in self.arr], self.values.tolist())
        self.assertIn(5, self.arr)
        self.assertNotIn(6, self.arr)
        self.assertTrue(SharedNDArray.from_shape(self.manager, 0, 'u1'))
        shown = np.asarray(self.arr)
        shown[0, 0] = 9
        self.assertEqual(self.arr[0, 0], 9)
        self.assertEqual(np.asarray(self.arr, 'f4').dtype, np.float32)
        np.array(self.arr)[0, 0] = 3
        self.assertEqual(self.arr[0, 0], 9)
        self.assertEqual(np.add(self.arr, 1)[0, 0], 10)
        with self.assertRaises(ValueError):
            self.arr.__array__('f4', copy=False)
        y = np.zeros((2, 3))
        y[:] = self.arr
        self.assertEqual(y[1, 2], 5)
        with self.assertRaises(TypeError):
            len(SharedNDArray.from_shape(self.manager, (), 'u1'))

    def test_shape(self):
        self.arr.shape = (3, -1)
        self.assertEqual(self.arr.shape, (3, 2))
        self.assertEqual(self.arr.ndim, 2)
        self.arr.shape = -1
        self.assertEqual(self.arr.shape, (6,))
        self.assertEqual(self.arr[:].tolist(), list(range(6)))
        for shape in ((4, 2), (-1, -1), (4, -1)):
            with self.assertRaises(ValueError):
                self.arr.shape = shape
        self.assertEqual(pickle.loads(pickle.dumps(self.arr)).shape, (6,))
        # That of the array by its name is as it was made.
        self.assertEqual(Shnd.Array.open(self.arr.shm.name).shape, (2, 3))

    def test_kept(self):
        """What get() gives is the caller's."""
        view = self.arr.get()
        view.shape = 6
        view.flags.writeable = False
        self.arr[0, 0] = 1
        self.assertEqual(self.arr.shape, (2, 3))

    def test_repr(self):
        self.assertEqual(repr(self.arr), 'SharedNDArray([[0 1 2]\n               [3 4 5]], '
                                         'dtype=int64)')

        class Named(SharedNDArray):
            pass

        arr = Named.from_array(self.manager, np.eye(2, dtype='u1'))
        self.assertEqual(repr(arr), 'Named([[1 0]\n       [0 1]], dtype=uint8)')

    def test_attributes(self):
        with self.assertRaisesRegex(AttributeError, r'use \.get\(\)\.sum'):
            self.arr.sum()
        with self.assertRaises(AttributeError) as caught:
            self.arr.nothing
        self.assertNotIn('.get()', str(caught.exception))
        self.arr.note = 'mine'
        self.assertEqual(pickle.loads(pickle.dumps(self.arr)).note, 'mine')

    def test_temporary(self):
        name = self.arr.shm.name
        shown = SharedNDArray(name, (2, 3), int)[:]
        gc.collect()
        self.assertEqual(shown[1, 2], 5)
        view = pickle.loads(pickle.dumps(self.arr)).get()
        self.manager.shutdown()
        del self.arr
        gc.collect()
        self.assertEqual(view.tolist(), self.values.tolist())
        self.assertFalse(exists(name))

    def test_memory(self):
        shm = self.arr.shm
        self.assertIsInstance(shm, shared_memory.SharedMemory)
        self.assertIs(self.arr.shm, shm)
        self.assertEqual(shm.size, 48)
        self.assertEqual(len(shm.buf), 48)
        shm.buf[8] = 77
        self.assertEqual(self.arr[0, 1], 77)
        other = pickle.loads(pickle.dumps(shm))
        self.assertEqual((other.name, other.size, other.buf[8]), (shm.name, 48, 77))
        self.assertIn(shm.name, repr(shm))
        other.close()
        other.close()
        self.assertIsNone(other.buf)
        self.assertEqual((other.name, other.size), (shm.name, 48))
        with self.assertRaises(ValueError):
            SharedNDArray(other, (2, 3), int)
        with self.assertRaises(ValueError):
            pickle.dumps(other)
        shm.close()
        self.assertEqual(self.arr[0, 1], 77)
        self.assertTrue(exists(shm.name))
        shm.unlink()
        self.assertFalse(exists(shm.name))
        with self.assertRaises(FileNotFoundError):
            shm.unlink()

    def test_pickle(self):
        data = pickle.dumps(self.arr)
        self.assertLess(len(data), 400)
        self.manager.shutdown()
        self.arr = None
        gc.collect()
        with self.assertRaises(FileNotFoundError):
            pickle.loads(data)

    def test_pickle_of_another(self):
        """The name stands for another array by now, and that is not shown instead; nor is this
        one, as no other process could have it.
        """
        name = self.arr.shm.name
        self.arr.shm.unlink()
        array = Shnd.Array.new(name, int, (2, 3))
        with self.assertRaises(FileNotFoundError):
            pickle.loads(pickle.dumps(self.arr))
        array.close()

        self.arr = self.watch(SharedNDArray.from_array(self.manager, self.values))
        name = self.arr.shm.name
        data = pickle.dumps(self.arr)
        pickle.loads(data)
        self.arr.shm.unlink()
        with self.assertRaises(FileNotFoundError):
            pickle.loads(data)
        array = Shnd.Array.new(name, int, (2, 3))
        with self.assertRaises(FileNotFoundError):
            pickle.loads(data)
        del array

    def test_pickle_in_one_process(self):
        """What is open here is not mapped again."""
        def count():
            with open('/proc/self/maps', encoding='utf-8') as maps:
                return sum(name in line for line in maps)

        name = self.arr.shm.name
        self.arr[0]
        before = count()
        others = [pickle.loads(pickle.dumps(self.arr)) for _ in range(10)]
        self.assertEqual(count(), before)
        others[0].shape = 6
        others[0][5] = 99
        self.assertEqual((others[1].shape, others[1][1, 2]), ((2, 3), 99))
        others[2].shm.close()
        self.assertEqual(self.arr[1, 2], 99)
        self.assertEqual(pickle.loads(pickle.dumps(others[3]))[1, 2], 99)

    def test_copies(self):
        for other in (copy.copy(self.arr), copy.deepcopy(self.arr)):
            other[0, 0] += 5
        self.assertEqual(self.arr[0, 0], 10)

    def test_no_leaks(self):
        def use():
            with SharedMemoryManager() as manager:
                arr = SharedNDArray.from_shape(manager, (2, 3), 'f4', lock=True)
                arr.shm.buf[0] = 1
                other = pickle.loads(pickle.dumps(arr))
                with other.lock:
                    other[0] += arr[1]
                SharedNDArray(arr.shm.name, (2, 3), 'f4')[:]

        def count():
            gc.collect()
            with open('/proc/self/maps', encoding='utf-8') as maps:
                return len(os.listdir('/proc/self/fd')), sum('/dev/shm' in line for line in maps)

        for _ in range(5):
            use()
        before = count()
        for _ in range(200):
            use()
        self.assertEqual(count(), before)


class Manager(PackageTestCase):
    def test_states(self):
        manager = SharedMemoryManager()
        for call in (lambda: SharedNDArray.from_shape(manager, 3, 'u1'),
                     lambda: SharedNDArray.from_array(manager, np.zeros(3)),
                     lambda: manager.SharedMemory(3), lambda: manager.ShareableList([1])):
            with self.assertRaisesRegex(multiprocessing.ProcessError, 'not started'):
                call()
        manager.start()
        with self.assertRaises(multiprocessing.ProcessError):
            manager.start()
        with manager as same:
            self.assertIs(same, manager)
        manager.shutdown()
        with self.assertRaisesRegex(multiprocessing.ProcessError, 'shut down'):
            SharedNDArray.from_shape(manager, 3, 'u1')
        with self.assertRaises(multiprocessing.ProcessError):
            manager.start()
        with self.assertRaises(multiprocessing.ProcessError):
            with manager:
                pass

    def test_keeps(self):
        """A name is there until the end, also if nobody has the array open."""
        with SharedMemoryManager() as manager:
            name = self.watch(SharedNDArray.from_shape(manager, 3, 'u1')).shm.name
            gc.collect()
            SharedNDArray(name, 3, 'u1')[1] = 7
            self.assertEqual(SharedNDArray(name, 3, 'u1')[1], 7)
            arr = SharedNDArray(name, 3, 'u1')
            arr.shm.close()
            del arr
            self.assertTrue(exists(name))

    def test_removed_by_hand(self):
        with SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, 3, 'u1'))
            arr.shm.unlink()
            # A name that stands for something else by now is not the manager's.
            other = Shnd.Array.new(arr.shm.name, 'u1', 3)
        self.assertTrue(exists(arr.shm.name))
        other.unlink()

    def test_collected(self):
        manager = SharedMemoryManager()
        manager.start()
        arr = self.watch(SharedNDArray.from_shape(manager, 3, 'u1'))
        shm = manager.SharedMemory(10)
        self.watched.add(shm.name)
        del manager
        gc.collect()
        self.assertFalse(exists(arr.shm.name))
        self.assertFalse(exists(shm.name))
        shm.close()

    def test_raw(self):
        with SharedMemoryManager() as manager:
            shm = manager.SharedMemory(size=100)
            names = [shm.name]
            self.assertIs(type(shm), shared_memory.SharedMemory)
            SharedNDArray(shm, 100, 'u1')[7] = 3
            self.assertEqual(shm.buf[7], 3)
            numbers = manager.ShareableList([1, 'two', 3.0])
            names.append(numbers.shm.name)
            self.assertEqual(list(numbers), [1, 'two', 3.0])
            gone = manager.SharedMemory(10)
            gone.close()
            gone.unlink()
            with self.assertRaises(ValueError):
                manager.SharedMemory(0)
            shm.close()
            numbers.shm.close()
        for name in names:
            self.assertFalse(exists(name))

    def test_stays_here(self):
        with SharedMemoryManager() as manager:
            with self.assertRaisesRegex(TypeError, 'stays in its process'):
                pickle.dumps(manager)

    def test_error_inside(self):
        with self.assertRaises(KeyError):
            with SharedMemoryManager() as manager:
                arr = self.watch(SharedNDArray.from_shape(manager, 3, 'u1'))
                raise KeyError
        self.assertFalse(exists(arr.shm.name))

    def test_arguments(self):
        with SharedMemoryManager(ctx=multiprocessing.get_context('spawn')) as manager:
            self.watch(SharedNDArray.from_shape(manager, 3, 'u1'))
        manager = SharedMemoryManager()
        manager.start(print, ('nobody calls it',))
        manager.shutdown()


class Locks(PackageTestCase):
    def make(self, kind):
        manager = kind()
        manager.start()
        self.managers.append(manager)
        return self.watch(SharedNDArray.from_shape(manager, 3, 'u1', lock=True))

    def setUp(self):
        super().setUp()
        self.managers = []

    def tearDown(self):
        for manager in self.managers:
            manager.shutdown()
        super().tearDown()

    def test_none(self):
        with SharedMemoryManager() as manager:
            self.assertIsNone(SharedNDArray.from_shape(manager, 3, 'u1').lock)
            self.assertIsNone(SharedNDArray.from_array(manager, np.zeros(3)).lock)
            arr = SharedNDArray.from_array(manager, np.zeros(3), lock=True)
            self.assertIsNotNone(arr.lock)
            self.assertIsNone(SharedNDArray(arr.shm, 3, 'f8').lock)

    def test_like_multiprocessing(self):
        """The same calls on a lock of multiprocessing give the same."""
        for kind in MANAGERS:
            with self.subTest(kind=kind):
                seen = [self.use(lock) for lock in (multiprocessing.Lock(), self.make(kind).lock)]
                self.assertEqual(seen[0], seen[1])

    def use(self, lock):
        seen = [lock.acquire(), lock.acquire(False), lock.acquire(block=False),
                lock.acquire(True, 0), lock.acquire(True, -3), lock.acquire(timeout=0.01),
                lock.acquire(False, 5), lock.release()]
        with self.assertRaises(ValueError):
            lock.release()
        with lock as entered:
            seen += [entered, lock.acquire(False)]
        with self.assertRaises(KeyError):
            with lock:
                raise KeyError
        with self.assertRaises(TypeError):
            lock.acquire(timeout='soon')
        return seen + [lock.acquire(False), lock.release()]

    def test_shared(self):
        for kind in MANAGERS:
            arr = self.make(kind)
            others = [pickle.loads(pickle.dumps(arr)),
                      SharedNDArray(arr.shm.name, 3, 'u1', lock=True),
                      SharedNDArray(arr.shm, 3, 'u1', lock=True)]
            locks = [arr.lock, pickle.loads(pickle.dumps(arr.lock))]
            locks += [other.lock for other in others]
            for lock in locks:
                with lock:
                    self.assertFalse(lock.recovered)
                    for other in locks:
                        self.assertFalse(other.acquire(False))
                self.assertIn('not held', repr(lock))
                with lock:
                    self.assertNotIn('not held', repr(lock))

    def test_with_the_library(self):
        arr = self.make(SharedMemoryManager)
        array = Shnd.Array.open(arr.shm.name)
        with array.lock():
            self.assertFalse(arr.lock.acquire(False))
        self.assertTrue(arr.lock.acquire(False))
        arr.lock.release()

    def test_dropped(self):
        """A handle that goes gives the lock back."""
        arr = self.make(SharedMemoryManager)
        pickle.loads(pickle.dumps(arr)).lock.acquire()
        gc.collect()
        self.assertTrue(arr.lock.acquire(True, 5))


if __name__ == '__main__':
    warnings.simplefilter('error')
    main()
