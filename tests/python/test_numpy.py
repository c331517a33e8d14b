# SPDX-License-Identifier: MIT

"""Array in Python as NumPy sees it: indexing, protocols, memory for reading only."""

import numpy as np
from array_support import NAME, READ, READ_WRITE, ROW, STRUCT, ArrayTestCase, Error
from support import SHM, GLib, Shnd, main


class NumPy(ArrayTestCase):
    def test_indexing(self):
        array = Shnd.Array.new(None, 'i4', (3, 4))
        array[...] = np.arange(12).reshape(3, 4)
        self.assertEqual(array[1, 2], 6)
        self.assertEqual(array[-1, -1], 11)
        np.testing.assert_array_equal(array[1], [4, 5, 6, 7])
        np.testing.assert_array_equal(array[:, ::2][1:], [[4, 6], [8, 10]])
        np.testing.assert_array_equal(array[array[...] > 9], [10, 11])
        self.assertEqual(array[..., None].shape, (3, 4, 1))
        array[0] = 7
        array[1:, 0] += 100
        np.testing.assert_array_equal(array.get()[:, 0], [7, 104, 108])
        for wrong in ((3, 0), (0, 0, 0), 'a', 1.5, 2**70):
            with self.subTest(index=wrong):
                self.assertRaises(IndexError, array.__getitem__, wrong)
                self.assertRaises(IndexError, array.__setitem__, wrong, 0)
        self.assertRaises(ValueError, array.__setitem__, ..., np.zeros(5))
        struct = Shnd.Array.new(None, STRUCT, 2)
        struct['id'] = [5, 6]
        self.assertEqual(struct[1]['id'], 6)
        struct[0] = tuple(ROW)
        self.assertEqual(struct[0]['inner']['raw'], b'xy')

    def test_get_is_safe(self):
        array = Shnd.Array.new(None, 'i4', (3, 4))
        got = array.get()
        got.shape = (12,)
        got.setflags(write=False)
        got.dtype = 'u4'
        self.assertEqual(array.get().shape, (3, 4))
        self.assertEqual(array.get().dtype, np.int32)
        array[0, 0] = 5
        self.assertEqual(got[0], 5)

    def test_container(self):
        array = Shnd.Array.new_from_array(None, np.arange(12).reshape(3, 4))
        self.assertEqual(len(array), 3)
        self.assertEqual([int(row.sum()) for row in array], [6, 22, 38])
        self.assertIn(5, array)
        self.assertNotIn(12, array)
        empty = Shnd.Array.new(None, 'f4', 0)
        self.assertEqual(len(empty), 0)
        self.assertTrue(empty)
        scalar = Shnd.Array.new(None, 'f4', ())
        self.assertRaises(TypeError, len, scalar)
        self.assertRaises(TypeError, iter, scalar)
        self.assertTrue(scalar)
        self.assertEqual(scalar[()], 0)
        self.assertEqual(array, array)
        self.assertNotEqual(array, empty)
        self.assertEqual(len({array, array, empty}), 2)

    def test_every_dtype(self):
        for dtype in ('?', 'i1', '>i2', 'u8', 'f2', '>f8', 'f16', 'c8', 'c32', 'S5', 'S10', 'S0',
                      'U5', '>U10', 'U0', 'V5', 'V0', 'M8[25s]', '>M8[us]', 'm8', STRUCT,
                      np.dtype([('a', 'i1'), ('b', 'f8')], align=True), np.dtype([]),
                      np.dtype([(('title', 'name'), '>i4', (2,)), ('t', 'M8[D]')]),
                      np.dtype([('a', 'S0')])):
            for shape in ((), (3,), (2, 0), (2, 3, 4)):
                with self.subTest(dtype=dtype, shape=shape):
                    array = Shnd.Array.new(None, dtype, shape)
                    self.assert_array(array, np.ndarray(shape, np.dtype([('f', dtype)]),
                                                        bytes(10000))['f'])
                    self.assertEqual(array.dtype.fields, np.dtype(dtype).fields)
                    self.assertEqual(array.strides if array.size else None,
                                     array.get().strides if array.size else None)
                    # Copies get the size 1 of a size 0: NumPy's own do, too.
                    copies = [np.array(array)] if np.dtype(dtype).itemsize else []
                    for way in (np.asarray(array), array[...], *copies):
                        self.assertEqual(way.dtype, np.dtype(dtype))
                        self.assertEqual(way.shape, shape)

    def test_32_dimensions(self):
        shape = (1,) * 15 + (2, 3) + (1,) * 15
        array = Shnd.Array.new_from_array(None, np.arange(6).reshape(shape))
        self.assert_array(array, np.arange(6).reshape(shape))
        self.assert_array(array.T, np.arange(6).reshape(shape).T)

    def test_array_protocols(self):
        array = Shnd.Array.new_from_array(None, np.arange(6, dtype='>i4').reshape(2, 3))
        for got in (array.__array__(), array.__array__(copy=False), array.__array__('>i4'),
                    array.__array__(None), array.__array__(dtype='>i4', copy=None),
                    np.asarray(array), np.asanyarray(array), np.from_dlpack(array.T.T.dup())
                    if array.dtype.isnative else array.get()):
            self.assertEqual(got.dtype, np.dtype('>i4'))
            self.assertTrue(np.shares_memory(got, array.get()))
        for got in (array.__array__(copy=True), np.array(array), array.__array__(np.float64),
                    array.__array__('f8', copy=None), np.asarray(array, '<i4')):
            self.assertFalse(np.shares_memory(got, array.get()))
            np.testing.assert_array_equal(got, array.get())
        self.assertRaises(ValueError, array.__array__, 'f8', copy=False)
        self.assertEqual(np.add(array, 1)[1, 2], 6)
        self.assertEqual(int(np.sum(array)), 15)

    def test_array_interface(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='i4').reshape(2, 3))
        interface = array.T.__array_interface__
        self.assertEqual(interface['shape'], (3, 2))
        self.assertEqual(interface['strides'], (4, 12))
        self.assertEqual(interface['typestr'], '<i4')
        self.assertEqual(interface['data'], (array.get_data(), False))
        self.assertEqual(Shnd.Array.open(NAME, READ).__array_interface__['data'][1], True)
        # Where it would be wrong it is not there.
        self.assertFalse(hasattr(Shnd.Array.new(None, STRUCT, 2), '__array_interface__'))

    def test_dlpack(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='f4').reshape(2, 3))
        self.assertEqual(array.__dlpack_device__(), (1, 0))
        got = np.from_dlpack(array)
        self.assertTrue(np.shares_memory(got, array.get()))
        self.assertEqual(got[1, 2], 5)
        # DLPack cannot say that memory is read-only.
        self.assertRaises((BufferError, TypeError), np.from_dlpack, Shnd.Array.open(NAME, READ))
        self.assertRaises((BufferError, TypeError), np.from_dlpack, Shnd.Array.new(None, 'U3', 2))

    def test_data(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='>i2').reshape(2, 3))
        view = memoryview(array.data)
        self.assertEqual((view.format, view.shape, view.strides), ('>h', (2, 3), (6, 2)))
        self.assertFalse(view.readonly)
        np.asarray(view)[0, 0] = 77
        self.assertEqual(array[0, 0], 77)
        self.assertTrue(Shnd.Array.open(NAME, READ).data.readonly)
        times = Shnd.Array.new_from_array(None, np.array([1, 2], 'M8[s]'))
        self.assertEqual(times.data.tolist(), [1, 2])
        times.data[1] = 5
        self.assertEqual(times[1], np.datetime64(5, 's'))
        self.assertEqual(np.asarray(Shnd.Array.new(None, '>m8[s]', 1).data).dtype, np.dtype('>i8'))
        struct = Shnd.Array.new(None, [(('title', 'when'), 'M8[s]', (2,)), ('b', 'i1')], 2)
        struct['when'] = 7
        self.assertEqual(np.asarray(struct.data)['when'].tolist(), [[7, 7], [7, 7]])
        self.assertEqual(memoryview(Shnd.Array.new(None, 'u1', ()).data).tobytes(), b'\0')
        self.assertEqual(Shnd.Array.new(None, 'u1', 0).data.nbytes, 0)

    def test_numpy_load(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(6).reshape(2, 3))
        loaded = np.load(f'{SHM}/{NAME}', mmap_mode='r+')
        np.testing.assert_array_equal(loaded, array.get())
        loaded[0, 0] = 77
        self.assertEqual(array[0, 0], 77)
        array[1, 2] = 88
        self.assertEqual(loaded[1, 2], 88)


class ReadOnly(ArrayTestCase):
    def setUp(self):
        made = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='i8').reshape(2, 3))
        self.addCleanup(made.close)
        self.array = Shnd.Array.open(NAME, READ)

    def test_numpy(self):
        array = self.array
        self.assertRaises(ValueError, array.__setitem__, (0, 0), 1)
        self.assertRaises(ValueError, array.__setitem__, ..., 1)
        for view in (array.get(), array[...], array[0], array.T[...], array.slice(0, 1).get(),
                     np.asarray(array), array.__array__(), np.asarray(array.data),
                     array.reshape(6)[:],
                     array.get().view('u1'), np.asanyarray(array), array.get().reshape(6)):
            self.assertFalse(view.flags.writeable)
            self.assertRaises(ValueError, view.setflags, write=True)
            with self.assertRaises(ValueError):
                view.flags.writeable = True
            self.assertRaises(ValueError, view.fill, 1)
            self.assertRaises(ValueError, np.copyto, view, 1)
        with self.assertRaises(TypeError):
            array.data[0, 0] = 1
        self.assertEqual(array[1, 2], 5)

    def test_structured(self):
        made = Shnd.Array.new_from_array(NAME + '2', np.zeros(2, STRUCT))
        array = Shnd.Array.open(NAME + '2', READ)
        made.close()
        for view in (array.get(), array['id'], array[1:]):
            self.assertFalse(view.flags.writeable)
            self.assertRaises(ValueError, view.setflags, write=True)
        zero = np.zeros(2, STRUCT)[['id']]
        self.assertRaises(ValueError, array.__setitem__, 0, zero[0])

    def test_methods(self):
        array = self.array
        other = Shnd.Array.new(None, 'i8', (2, 3))
        for function, *args in ((array.set_element, (0, 0), 1), (array.set_double, (0, 0), 1),
                                (array.set_int64, (0, 0), 1), (array.fill, 1),
                                (array.write_bytes, bytes(48)), (array.write_bytes, b''),
                                (array.write_bytes, GLib.Bytes.new(bytes(48))),
                                (array.copy_from, other), (array.copy_from, np.zeros((2, 3), 'i8')),
                                (array.copy_from, 5), (array.T.fill, 1)):
            self.assert_error(Error.READ_ONLY, 'reading', function, *args)
        self.assertEqual(array.get_element(1, 2), 5)
        self.assertEqual(array.dup().access, READ_WRITE)


if __name__ == '__main__':
    main()
