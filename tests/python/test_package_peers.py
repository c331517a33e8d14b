# SPDX-License-Identifier: MIT

"""The modules for those who come from SharedArray and shared-ndarray."""

import ctypes
import gc
import mmap
import multiprocessing
import os
import pickle
import tempfile

import numpy as np
import shndarray.sharedarray as sa
from package_support import METHODS, PREFIX, SHM, PackageTestCase, exists, run
from process_support import end_queue
from shndarray.shared_ndarray1 import SharedNDArray, SharedNDArrayError
from support import HAS_MLOCK, Shnd, main

NAME = PREFIX + 'peer'
STRUCT = np.dtype([('id', '>u2'), ('when', 'M8[s]')])


def add_one(name):
    sa.attach(name)[:] += 1


def add_to_sent(queue):
    queue.get().array[:] += 1


def unlink_sent(queue):
    queue.get().unlink()


class SharedArray(PackageTestCase):
    def setUp(self):
        super().setUp()
        self.watched.add(NAME)
        self.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        self.path = os.path.join(self.folder.name, 'array')

    def tearDown(self):
        if exists(NAME):
            os.unlink(f'{SHM}/{NAME}')
        self.folder.cleanup()
        super().tearDown()

    def test_names(self):
        a = sa.create(NAME, (2, 3))
        self.assertIsInstance(a, np.ndarray)
        self.assertEqual((a.shape, a.dtype), ((2, 3), np.float64))
        a[1, 2] = 5
        for name in (NAME, 'shm://' + NAME, '/' + NAME, 'shm:///' + NAME):
            b = sa.attach(name)
            self.assertEqual(b[1, 2], 5)
            self.assertEqual(b.base.name, name)
        self.assertEqual(Shnd.Array.open(NAME).shape, (2, 3))
        with self.assertRaises(FileExistsError):
            sa.create(NAME, 3)
        with self.assertRaises(FileExistsError):
            sa.create('shm://' + NAME, 3)
        sa.delete(NAME)
        self.assertFalse(exists(NAME))
        self.assertEqual(b[1, 2], 5)
        for call in (sa.attach, sa.delete):
            with self.assertRaises(FileNotFoundError):
                call(NAME)

    def test_reader(self):
        for name in (NAME, 'file://' + self.path):
            array = sa.create(name, 3)
            for reader in (sa.attach(name, True), sa.attach(name, ro=True)):
                self.assertFalse(reader.flags.writeable)
                with self.assertRaises(ValueError):
                    reader[0] = 1
                with self.assertRaises(ValueError):
                    reader.flags.writeable = True
                array[0] += 1
                self.assertEqual(reader.tolist(), array.tolist())
                self.assertEqual(reader[1:].base.name, name)
            self.assertTrue(sa.attach(name, ro=False).flags.writeable)
            sa.delete(name)

    def test_persistent(self):
        sa.create(NAME, 3)
        gc.collect()
        self.assertEqual(sa.attach(NAME).tolist(), [0, 0, 0])
        for method in METHODS:
            self.assertEqual(run(method, add_one, NAME), 0)
        self.assertEqual(sa.attach(NAME).tolist(), [3, 3, 3])
        sa.delete(NAME)

    def test_file(self):
        a = sa.create('file://' + self.path, (2, 3), np.int16)
        a[:] = 7
        self.assertEqual(np.load(self.path).tolist(), [[7] * 3] * 2)
        self.assertEqual(os.listdir(self.folder.name), ['array'])
        self.assertEqual(sa.attach('file://' + self.path).base.name, 'file://' + self.path)
        sa.attach('file://' + self.path)[0, 0] = 1
        self.assertEqual(a[0, 0], 1)
        with self.assertRaises(FileExistsError):
            sa.create('file://' + self.path, 3)
        self.assertEqual(run('spawn', add_one, 'file://' + self.path), 0)
        self.assertEqual(a[0, 0], 2)
        sa.delete('file://' + self.path)
        self.assertEqual(os.listdir(self.folder.name), [])
        for call in (sa.attach, sa.delete):
            with self.assertRaises(FileNotFoundError):
                call('file://' + self.path)
        os.chdir(self.folder.name)
        sa.create('file://here', 3)
        sa.delete('file://here')
        os.chdir('/')
        self.assertEqual(os.listdir(self.folder.name), [])
        np.save(self.path + '.npy', np.asfortranarray(np.arange(6).reshape(2, 3)))
        self.assertEqual(sa.attach('file://' + self.path + '.npy')[1].tolist(), [3, 4, 5])

    def test_layouts(self):
        for name in (NAME, 'file://' + self.path):
            for shape, dtype in (((), float), (0, 'i4'), ((3, 0), 'f4'), (3, STRUCT), (2, 'U3'),
                                 ([2, 2], int), (np.int64(3), np.int8), (2, 'S5'), (2, 'V3'),
                                 (3, None), ((2,), '>i4'), (2, '?')):
                with self.subTest(name=name, shape=shape, dtype=dtype):
                    a = sa.create(name, shape, dtype)
                    b = sa.attach(name)
                    expected = np.zeros(shape, dtype)
                    np.testing.assert_array_equal(b, expected)
                    self.assertEqual(b.dtype, expected.dtype)
                    if a.ndim == 0:
                        a[...] = 3
                        self.assertEqual(b[()], 3)
                    b.base.msync(sa.MS_SYNC)
                    self.assertEqual(b.base.size, expected.nbytes)
                    sa.delete(name)

    def test_refused(self):
        for name in ('a/b', '', 'foo://x', 'SHM://x', 'shm://', 'shm://a/b'):
            for call in (lambda name: sa.create(name, 3), sa.attach, sa.delete):
                with self.assertRaises(OSError):
                    call(name)
        with self.assertRaises(TypeError):
            sa.create(5, 3)
        for name in (NAME, 'file://' + self.path):
            for dtype in (object, [('a', object)]):
                with self.assertRaises(TypeError):
                    sa.create(name, 3, dtype)
            for shape in ((-2, -3), -1, 2**62, [1] * 33):
                with self.assertRaises(ValueError):
                    sa.create(name, shape)
            with self.assertRaises(TypeError):
                sa.create(name, 'x')
        self.assertFalse(exists(NAME))
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_foreign(self):
        for name, path in ((NAME, f'{SHM}/{NAME}'), ('file://' + self.path, self.path)):
            with open(path, 'wb') as file:
                file.write(b'x' * 100)
            for call in (sa.attach, sa.delete):
                with self.assertRaises(OSError) as caught:
                    call(name)
                self.assertNotIsInstance(caught.exception, FileNotFoundError)
            self.assertTrue(os.path.exists(path))
            os.unlink(path)

    def test_list(self):
        sa.create(NAME, (2, 3), 'i4')
        found = [item for item in sa.list() if item.name == NAME.encode()]
        self.assertEqual(found, [(NAME.encode(), np.int32, (2, 3))])
        self.assertEqual((found[0].dtype, found[0].dims), (np.int32, (2, 3)))
        self.assertIsInstance(sa.list(), tuple)
        with open(f'{SHM}/{NAME}-foreign', 'wb') as file:
            file.write(b'x' * 100)
        self.assertNotIn(f'{NAME}-foreign'.encode(), [item.name for item in sa.list()])
        os.unlink(f'{SHM}/{NAME}-foreign')
        sa.delete(found[0].name)
        self.assertNotIn(NAME.encode(), [item.name for item in sa.list()])

    def test_base(self):
        for name in (NAME, 'file://' + self.path):
            a = sa.create(name, (2, 3))
            a[:] = 1
            for shown in (a, a[1:], a[1], a.T, a.reshape(-1)[::2], a[:, None], a.view('i8'),
                          sa.attach(name)[0]):
                base = shown.base
                self.assertEqual(base.name, name)
                self.assertEqual(base.size, 48)
                for flags in (sa.MS_SYNC, sa.MS_ASYNC, sa.MS_INVALIDATE,
                              sa.MS_SYNC | sa.MS_INVALIDATE):
                    self.assertIsNone(base.msync(flags))
                for flags in (sa.MS_SYNC | sa.MS_ASYNC, 8, -1):
                    with self.assertRaises(OSError):
                        base.msync(flags)
                self.assertIsNone(base.mlock())
                self.assertIsNone(base.munlock())
            self.assertEqual(a.base.addr, a.ctypes.data)
            self.assertEqual(ctypes.c_double.from_address(a.base.addr).value, 1)
            sa.delete(name)

    def test_mlock(self):
        a = sa.create(NAME, 10 * mmap.PAGESIZE, 'u1')

        def locked():
            with open('/proc/self/status', encoding='ascii') as status:
                return next(int(line.split()[1]) for line in status if line.startswith('VmLck'))

        before = locked()
        a.base.mlock()
        if HAS_MLOCK:
            self.assertGreaterEqual(locked() - before, 10 * mmap.PAGESIZE // 1024)
        a.base.munlock()
        self.assertEqual(locked(), before)
        sa.delete(NAME)

    def test_results(self):
        """What is computed is NumPy's own, and has nothing of the memory."""
        a = sa.create(NAME, (2, 3))
        a += 1
        self.assertEqual(a.base.name, NAME)
        for result in (a + 1, np.sqrt(a), -a, a == a):
            self.assertIs(type(result), np.ndarray)
        for result in (a.copy(), np.sort(a), a[[0, 1]]):
            self.assertIsNone(getattr(result.base, 'msync', None))
        self.assertEqual(type(a.sum()), np.float64)
        self.assertEqual(a.mean(), 1)
        self.assertEqual(repr(a), repr(np.ones((2, 3))))
        self.assertEqual(str(a), str(np.ones((2, 3))))
        np.add(a, 1, out=a)
        self.assertEqual(sa.attach(NAME)[0, 0], 2)
        sent = pickle.loads(pickle.dumps(a))
        self.assertIs(type(sent), np.ndarray)
        sent[0, 0] = 9
        self.assertEqual(a[0, 0], 2)
        sa.delete(NAME)

    def test_memory(self):
        shown = sa.create(NAME, 3)[1:]
        gc.collect()
        shown[0] = 4
        self.assertEqual(sa.attach(NAME)[1], 4)
        sa.delete(NAME)
        del shown
        gc.collect()
        with open('/proc/self/maps', encoding='utf-8') as maps:
            self.assertNotIn(NAME, maps.read())

    def test_constants(self):
        self.assertEqual((sa.MS_ASYNC, sa.MS_INVALIDATE, sa.MS_SYNC), (1, 2, 4))


class SharedNdarray(PackageTestCase):
    def make(self, *args):
        shared = SharedNDArray(*args)
        self.name = shared.__getstate__()[2]
        self.watched.add(self.name)
        return shared

    def test_other_process(self):
        for method in METHODS:
            context = multiprocessing.get_context(method)
            shared = self.make(4)
            self.assertEqual((shared.array.shape, shared.array.dtype), ((4,), np.float64))
            shared.array[0] = 1
            queue = context.Queue()
            queue.put(shared)
            self.assertEqual(run(method, add_to_sent, queue), 0)
            end_queue(queue)
            self.assertEqual(shared.array.tolist(), [2, 1, 1, 1])
            shared.unlink()

    def test_unlink_twice(self):
        self.assertTrue(issubclass(FileNotFoundError, SharedNDArrayError))
        shared = self.make(4)
        shared.unlink()
        with self.assertRaises(SharedNDArrayError):
            shared.unlink()
        shared = self.make(4)
        queue = multiprocessing.get_context('fork').Queue()
        queue.put(shared)
        self.assertEqual(run('fork', unlink_sent, queue), 0)
        end_queue(queue)
        with self.assertRaises(SharedNDArrayError):
            shared.unlink()
        with self.assertRaises(SharedNDArrayError):
            pickle.loads(pickle.dumps(shared))

    def test_copy(self):
        for values in (np.arange(4), np.eye(3).T, np.array(5), np.zeros((0, 2), STRUCT),
                       np.ones(3, STRUCT)):
            copied = SharedNDArray.copy(values)
            zeros = SharedNDArray.zeros_like(values)
            for shared, expected in ((copied, values), (zeros, np.zeros_like(values))):
                self.watched.add(shared.__getstate__()[2])
                self.assertEqual(shared.array.dtype, values.dtype)
                np.testing.assert_array_equal(shared.array, expected)
                shared.unlink()

    def test_by_name(self):
        shared = self.make((2, 3), 'i4')
        state = shared.__getstate__()
        self.assertEqual(state[:2], ((2, 3), np.int32))
        for name in (state[2], '/' + state[2]):
            SharedNDArray((2, 3), 'i4', name).array[1, 2] += 1
        del shared
        gc.collect()
        shared = SharedNDArray((2, 3), np.int32, state[2])
        self.assertEqual(shared.array[1, 2], 2)
        view = shared.array
        with self.assertRaises(ValueError):
            SharedNDArray((2, 4), 'i4', state[2])
        shared.unlink()
        del shared
        gc.collect()
        self.assertEqual(view[1, 2], 2)
        with self.assertRaises(SharedNDArrayError):
            SharedNDArray((2, 3), 'i4', state[2])


if __name__ == '__main__':
    main()
