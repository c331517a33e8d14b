# SPDX-License-Identifier: MIT

"""Array in Python: making, opening, properties, views and names, with right and wrong arguments."""

import os
import pathlib
import tempfile
from multiprocessing import resource_tracker, shared_memory

import numpy as np
from array_support import (FORTRAN, NAME, PERSISTENT, READ, READ_WRITE, SPARSE, STRUCT,
                           ArrayTestCase, Error)
from gi.repository import GObject
from support import SHM, GLib, Shnd, main

BAD_SHAPES = {
    TypeError: (None, True, 2.0, '3', b'ab', {1: 2}, {1}, [None], ['a'], (True,), (2.5,), [[1, 2]],
                np.array([1.5]), np.bool_(True), (n for n in (1, 2))),
    OverflowError: (2**63, [2**70], -2**64),
    GLib.Error: (-1, (2, -1), 2**62, (2**40, 2**40), [1] * 33, range(10**9)),
}
BAD_NAMES = {
    TypeError: (b'abc', 3, ['a'], pathlib.Path('a')),
    ValueError: ('a\0b', '\0', '\udc80'),
    GLib.Error: ('', '.hidden', 'a/b', '/a', 'x' * 256),
}
BAD_FLAGS = {
    TypeError: (None, True, 1.0, 'FORTRAN', Shnd.Access.READ),
    OverflowError: (-1, 2**32, 2**40, Shnd.CreateFlags(2**32)),
    GLib.Error: (128, 2**31, Shnd.CreateFlags(128)),
}
BAD_ACCESS = {
    TypeError: (None, True, 1.0, 'r', FORTRAN),
    OverflowError: (-1, 2**32),
    GLib.Error: (0, 8, 64, Shnd.Access.ANY_OWNER),
}


class Making(ArrayTestCase):
    def test_new(self):
        array = Shnd.Array.new(NAME, 'f4', (2, 3))
        self.assert_array(array, np.zeros((2, 3), 'f4'))
        self.assertEqual(array.name, NAME)
        self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))
        self.assert_error(Error.EXISTS, NAME, Shnd.Array.new, NAME, 'f4', 3)
        anonymous = Shnd.Array.new(None, np.uint8, 3)
        self.assertIsNone(anonymous.name)
        fortran = Shnd.Array.new(None, 'i2', (2, 3), FORTRAN | SPARSE)
        self.assertEqual(fortran.order, Shnd.Order.FORTRAN)
        self.assertTrue(fortran.get().flags.f_contiguous)
        self.assertEqual(Shnd.Array.new(None, 'i2', (2, 3), flags=1).order, Shnd.Order.FORTRAN)

    def test_shapes(self):
        for shape in (3, (3,), [3], np.int64(3), np.array([3]), np.array(3), range(3, 4)):
            self.assertEqual(Shnd.Array.new(None, 'u1', shape).shape, (3,))
        self.assertEqual(Shnd.Array.new(None, 'u1', ()).shape, ())
        self.assertEqual(Shnd.Array.new(None, 'u1', (2, 0)).shape, (2, 0))
        self.assertEqual(Shnd.Array.new(None, 'u1', [1] * 32).shape, (1,) * 32)
        self.assertEqual(Shnd.Array.new(None, ('f4', (2, 3)), 5).shape, (5, 2, 3))

    def test_wrong_arguments(self):
        for make in (lambda x: Shnd.Array.new(NAME, 'f8', x),
                     lambda x: Shnd.Array.new_unique('f8', x),
                     lambda x: Shnd.Array.new_from_bytes(NAME, 'f8', x, b''),
                     lambda x: Shnd.Array.open_segment(NAME, 'f8', x)):
            self.assert_all_refused(BAD_SHAPES, make)
        for make in (lambda x: Shnd.Array.new(x, 'u1', 1),
                     lambda x: Shnd.Array.new_from_bytes(x, 'u1', 1, b'a'),
                     lambda x: Shnd.Array.new_from_array(x, np.zeros(1)),
                     lambda x: Shnd.Array.new(None, 'u1', 1).dup(x),
                     lambda x: Shnd.Array.open(x),
                     lambda x: Shnd.Array.open_segment(x, 'u1', 1),
                     lambda x: Shnd.unlink(x)):
            self.assert_all_refused(BAD_NAMES, make)
        for make in (lambda x: Shnd.Array.new(NAME, 'u1', 1, x),
                     lambda x: Shnd.Array.new_unique('u1', 1, x),
                     lambda x: Shnd.Array.new_from_bytes(NAME, 'u1', 1, b'a', x),
                     lambda x: Shnd.Array.new_from_array(NAME, np.zeros(1), x),
                     lambda x: Shnd.Array.new(None, 'u1', 1).dup(NAME, x)):
            self.assert_all_refused(BAD_FLAGS, make)
        for dtype in (None, 3, True):
            self.assertRaises(TypeError, Shnd.Array.new, NAME, dtype, 1)
        self.assert_error(Error.INVALID_DTYPE, 'f33', Shnd.Array.new, NAME, 'f33', 1)
        self.assertRaises(TypeError, Shnd.Array.new)
        self.assertRaises(TypeError, Shnd.Array.new, NAME, 'u1', 1, 0, 0)
        for name in (None, 3, b'a'):
            self.assertRaises(TypeError, Shnd.Array.open, name)
            self.assertRaises(TypeError, Shnd.unlink, name)
        self.assertFalse(os.path.exists(f'{SHM}/{NAME}'))

    def test_new_unique(self):
        a = Shnd.Array.new_unique('f4', 3)
        b = Shnd.Array.new_unique(dtype='f4', shape=3, flags=SPARSE)
        self.assertRegex(a.name, '^shnd-[0-9a-f]{16}$')
        self.assertNotEqual(a.name, b.name)
        a.unlink()
        b.unlink()

    def test_new_from_bytes(self):
        data = bytes(range(12))
        expected = np.frombuffer(data, '>i2').reshape(2, 3)
        for value in (data, bytearray(data), memoryview(data), expected, GLib.Bytes.new(data)):
            array = Shnd.Array.new_from_bytes(None, '>i2', (2, 3), value)
            self.assert_array(array, expected)
        array = Shnd.Array.new_from_bytes(NAME, '>i2', (2, 3), data, FORTRAN)
        self.assert_array(array, np.frombuffer(data, '>i2').reshape(3, 2).T)
        self.assert_array(Shnd.Array.new_from_bytes(None, 'f8', 0, b''), np.zeros(0))
        array.unlink()
        for value in (b'', data[1:], data + b'x', GLib.Bytes.new(data[1:])):
            self.assert_error(Error.INVALID_ARGUMENT, '12', Shnd.Array.new_from_bytes, NAME,
                              '>i2', (2, 3), value)
        for value in (None, 'abcdefghijkl', 12, list(data)):
            self.assertRaises(TypeError, Shnd.Array.new_from_bytes, NAME, '>i2', (2, 3), value)
        self.assertRaises((ValueError, BufferError), Shnd.Array.new_from_bytes, NAME, 'u1', 6,
                          memoryview(data)[::2])
        self.assertFalse(os.path.exists(f'{SHM}/{NAME}'))

    def test_new_from_array(self):
        whole = np.arange(24, dtype='>f4').reshape(2, 3, 4)
        for source in (whole, whole[:, 1:], whole[::-1], whole.transpose(1, 0, 2), whole[0, 0, 0:0],
                       np.array(5.5), np.zeros((0, 3)), np.zeros(3, STRUCT), np.array(['a', 'bc']),
                       np.array([b'q']), np.array(['2020-01-01'], 'M8[D]'), np.zeros(2, [])):
            array = Shnd.Array.new_from_array(NAME, source)
            self.assert_array(array, source)
            self.assertEqual(array.order, Shnd.Order.C)
            np.testing.assert_array_equal(np.load(f'{SHM}/{NAME}'), source)
            array.unlink()

    def test_new_from_array_order(self):
        c = np.arange(6.0).reshape(2, 3)
        for source, flags, order in ((c, 0, 'C'), (c.T, 0, 'FORTRAN'), (c, FORTRAN, 'FORTRAN'),
                                     (c.T, FORTRAN, 'FORTRAN'), (c[:, ::2], 0, 'C'),
                                     (c[:, ::2], FORTRAN, 'FORTRAN'), (c.T, SPARSE, 'FORTRAN'),
                                     (np.array(5.5), FORTRAN, 'C')):
            array = Shnd.Array.new_from_array(None, source, flags)
            self.assert_array(array, source)
            self.assertEqual(array.order, getattr(Shnd.Order, order))

    def test_new_from_array_likes(self):
        self.assert_array(Shnd.Array.new_from_array(None, [[1, 2], [3, 4]]),
                          np.array([[1, 2], [3, 4]]))
        self.assert_array(Shnd.Array.new_from_array(None, 3.5), np.array(3.5))
        other = Shnd.Array.new_from_array(None, np.arange(4))
        self.assert_array(Shnd.Array.new_from_array(None, other), np.arange(4))
        for wrong in (None, object(), [object()], np.array([None])):
            self.assert_error(Error.INVALID_DTYPE, 'pointers', Shnd.Array.new_from_array, NAME,
                              wrong)
        self.assertRaises(ValueError, Shnd.Array.new_from_array, NAME, [[1, 2], [3]])
        self.assertFalse(os.path.exists(f'{SHM}/{NAME}'))

    def test_no_addresses(self):
        self.assertRaises(TypeError, Shnd.Array.new_from_data, None, 'f4', 2, 16, 8, 0)

    def test_open(self):
        made = Shnd.Array.new_from_array(NAME, np.arange(6).reshape(2, 3))
        opened = Shnd.Array.open(NAME)
        self.assertIs(type(opened), Shnd.Array)
        self.assert_array(opened, np.arange(6).reshape(2, 3))
        self.assertEqual(opened.access, READ_WRITE)
        opened[1, 2] = 99
        self.assertEqual(made[1, 2], 99)
        self.assertEqual(Shnd.Array.open(NAME, READ).access, READ)
        self.assertEqual(Shnd.Array.open(NAME, access=1).access, READ)
        self.assert_all_refused(BAD_ACCESS, lambda x: Shnd.Array.open(NAME, x))
        made.unlink()
        self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open, NAME)

    def test_open_segment(self):
        foreign = shared_memory.SharedMemory(NAME, create=True, size=100)
        try:
            foreign.buf[8:12] = (5).to_bytes(4, 'little')
            array = Shnd.Array.open_segment(NAME, '<i4', (2, 3))
            self.assertEqual(array[0, 2], 5)
            self.assertEqual(Shnd.Array.open_segment(NAME, '<i4', 1, 8)[0], 5)
            self.assertEqual(Shnd.Array.open_segment(NAME, '<i4', 1, offset=np.int8(8))[0], 5)
            array[1, 0] = 77
            self.assertEqual(bytes(foreign.buf[12:16]), (77).to_bytes(4, 'little'))
            array = Shnd.Array.open_segment(NAME, 'u1', 100, access=READ)
            self.assertRaises(ValueError, array.__setitem__, 0, 1)
            self.assert_error(Error.TOO_SMALL, '', Shnd.Array.open_segment, NAME, 'u1', 10**6)
            self.assert_error(Error.TOO_SMALL, '', Shnd.Array.open_segment, NAME, 'u1', 1, 2**63)
            self.assert_all_refused({TypeError: (None, 1.5, 'a', True), OverflowError: (-1, 2**64)},
                                    lambda x: Shnd.Array.open_segment(NAME, 'u1', 1, x))
            self.assert_all_refused(BAD_ACCESS,
                                    lambda x: Shnd.Array.open_segment(NAME, 'u1', 1, 0, x))
            self.assert_error(Error.INVALID_FORMAT, NAME, Shnd.Array.open, NAME)
        finally:
            foreign.close()
            foreign.unlink()
        self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open_segment, NAME, 'u1', 1)

    def test_open_path(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'ä.npy')
            np.save(path, np.arange(6).reshape(2, 3))
            for spelling in (path, str(path), os.fsencode(path)):
                array = Shnd.Array.open_path(spelling)
                self.assert_array(array, np.arange(6).reshape(2, 3))
                self.assertIsNone(array.name)
            array[0, 0] = 44
            self.assertEqual(np.load(path)[0, 0], 44)
            self.assertRaises(ValueError, Shnd.Array.open_path(path, READ).__setitem__, 0, 1)
            self.assert_all_refused(BAD_ACCESS, lambda x: Shnd.Array.open_path(path, x))
            self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b', b'a\0b'),
                                     GLib.Error: ('', folder, path / 'x', f'{folder}/none')},
                                    Shnd.Array.open_path)

    def test_empty(self):
        array = Shnd.Array()
        self.assertTrue(array.closed)
        self.assertEqual(array.shape, (0,))
        self.assertEqual(array.dtype, np.uint8)
        self.assertEqual(len(array), 0)
        self.assertIn('closed', repr(array))
        self.assertTrue(array)
        self.assertIsNone(array.name)
        array.close()
        self.assertTrue(GObject.new(Shnd.Array).closed)
        self.assertRaises(TypeError, Shnd.Array, name='x')
        self.assertRaises(TypeError, Shnd.Array, 3)
        assert_closed(self, array)

    def test_closed(self):
        array = Shnd.Array.new(NAME, 'f4', (2, 3), PERSISTENT)
        array.get()
        notified = []
        array.connect('notify::closed', lambda *args: notified.append(args))
        array.close()
        array.close()
        self.assertEqual(len(notified), 1)
        self.assertTrue(array.closed)
        self.assertTrue(array.get_closed())
        self.assertEqual(array.shape, (2, 3))
        self.assertEqual(array.dtype, np.float32)
        assert_closed(self, array)
        with Shnd.Array.open(NAME) as opened:
            self.assertFalse(opened.closed)
            opened[0, 0] = 3
        self.assertTrue(opened.closed)
        with self.assertRaises(KeyError), Shnd.Array.open(NAME) as opened:
            raise KeyError
        self.assertTrue(opened.closed)
        self.assertEqual(Shnd.Array.open(NAME)[0, 0], 3)


def assert_closed(case, array):
    """All that needs memory says that there is none."""
    indices = (0,) * array.ndim
    for function, *args in ((array.get,), (array.__getitem__, indices),
                            (array.__setitem__, indices, 1), (array.__iter__,),
                            (array.__contains__, 0), (array.__array__,), (array.__dlpack__,),
                            (array.__dlpack_device__,), (np.asarray, array),
                            (getattr, array, 'data'), (getattr, array, '__array_interface__'),
                            (array.get_bytes,), (array.get_cow_bytes,), (array.get_memory,),
                            (array.slice, 0), (array.index, 0, 0), (array.reshape, -1),
                            (array.transpose,), (getattr, array, 'T'), (array.field, 'x'),
                            (array.as_strided, 'u1', (), ()),
                            (array.get_element, indices), (array.set_element, indices, 1),
                            (array.get_double, indices), (array.set_double, indices, 1),
                            (array.get_int64, indices), (array.set_int64, indices, 1),
                            (array.fill, 1), (array.write_bytes, b''),
                            (array.copy_from, Shnd.Array.new(None, 'u1', array.shape)),
                            (array.copy_from, np.zeros(array.shape, array.dtype)),
                            (array.dup,), (array.save, '/dev/null'), (array.unlink,)):
        case.assert_error(Error.CLOSED, 'closed', function, *args)
    if array.get_data():
        case.fail('A closed array with an address')


class Properties(ArrayTestCase):
    def test_all(self):
        array = Shnd.Array.new(NAME, '>f8', (2, 3))
        for name, value in {'name': NAME, 'dtype': np.dtype('>f8'), 'shape': (2, 3),
                            'strides': (24, 8), 'ndim': 2, 'n_dims': 2, 'size': 6, 'itemsize': 8,
                            'item_size': 8, 'nbytes': 48, 'n_bytes': 48, 'order': Shnd.Order.C,
                            'access': READ_WRITE, 'closed': False}.items():
            self.assertEqual(getattr(array, name), value, name)
            with self.assertRaises(AttributeError):
                setattr(array, name, value)
        self.assertIs(type(array.dtype), type(np.dtype('>f8')))

    def test_aligned(self):
        array = Shnd.Array.new(None, [('a', 'u1'), ('b', '<f8')], 3)
        self.assertTrue(array.is_aligned())
        self.assertTrue(array.field('a').is_aligned())
        self.assertFalse(array.field('b').is_aligned())

    def test_properties_of_gobject(self):
        array = Shnd.Array.new(NAME, '>f8', (2, 3))
        for name, value in {'name': NAME, 'dtype': Shnd.DType('>f8'),
                            'shape': GLib.Variant('ax', (2, 3)),
                            'strides': GLib.Variant('ax', (24, 8)), 'n-dims': 2, 'size': 6,
                            'item-size': 8, 'n-bytes': 48, 'order': Shnd.Order.C,
                            'access': READ_WRITE, 'closed': False, 'persistent': False,
                            'synchronizable': True, 'locked': False, 'sequence': 0,
                            'watching': False, 'sealed': False}.items():
            self.assertEqual(array.get_property(name), value, name)
            self.assertEqual(getattr(array.props, name.replace('-', '_')), value, name)
            self.assertRaises(TypeError, array.set_property, name, value)
        self.assertEqual(len(Shnd.Array.list_properties()), 17)

    def test_getters(self):
        array = Shnd.Array.new(NAME, '>f8', (2, 3))
        self.assertEqual(array.get_name(), NAME)
        self.assertEqual(array.get_dtype(), Shnd.DType('>f8'))
        self.assertEqual(array.get_n_dims(), 2)
        self.assertEqual(array.get_shape(), [2, 3])
        self.assertEqual(array.get_strides(), [24, 8])
        self.assertEqual(array.get_size(), 6)
        self.assertEqual(array.get_item_size(), 8)
        self.assertEqual(array.get_n_bytes(), 48)
        self.assertEqual(array.get_order(), Shnd.Order.C)
        self.assertEqual(array.get_access(), READ_WRITE)
        self.assertFalse(array.get_closed())
        self.assertEqual(Shnd.Array.new(None, 'f4', ()).get_shape(), [])
        for wrong in (None, 3, GObject.Object()):
            self.assertRaises(TypeError, Shnd.Array.get_n_dims, wrong)

    def test_repr(self):
        array = Shnd.Array.new(NAME, '<f8', (2, 3))
        self.assertEqual(repr(array), f"<Shnd.Array '{NAME}' shape=(2, 3) dtype='<f8'>")
        array = Shnd.Array.open(NAME, READ)
        self.assertEqual(repr(array), f"<Shnd.Array '{NAME}' shape=(2, 3) dtype='<f8' read-only>")
        array = Shnd.Array.new(None, 'u1', 0)
        self.assertEqual(repr(array), "<Shnd.Array without name shape=(0,) dtype='|u1'>")

    def test_version(self):
        self.assertEqual((Shnd.MAJOR_VERSION, Shnd.MINOR_VERSION), (1, 0))
        self.assertEqual(Shnd.MAX_DIMS, 32)
        self.assertEqual(Error.quark(), Shnd.error_quark())
        with self.assertRaises(GLib.Error) as caught:
            Shnd.Array.open(NAME)
        self.assertTrue(caught.exception.matches(Error.quark(), Error.NOT_FOUND))
        self.assertFalse(caught.exception.matches(Error.quark(), Error.EXISTS))


class Views(ArrayTestCase):
    def setUp(self):
        self.numpy = np.arange(24, dtype='i4').reshape(2, 3, 4)
        self.array = Shnd.Array.new_from_array(None, self.numpy)

    def assert_view(self, view, expected):
        self.assert_array(view, expected)
        self.assertIs(type(view), Shnd.Array)
        if view.size:
            self.assertTrue(np.shares_memory(view.get(), self.array.get()))

    def test_slice(self):
        array, expected = self.array, self.numpy
        self.assert_view(array.slice(1, 0, 2), expected[:, 0:2])
        self.assert_view(array.slice(2, 1, 4, 2), expected[:, :, 1:4:2])
        self.assert_view(array.slice(2, 3, -1, -1), expected[:, :, ::-1])
        self.assert_view(array.slice(2, 3, 0, -2), expected[:, :, 3:0:-2])
        self.assert_view(array.slice(1), expected)
        self.assert_view(array.slice(1, 1), expected[:, 1:])
        self.assert_view(array.slice(1, stop=2), expected[:, :2])
        self.assert_view(array.slice(1, step=-1), expected[:, ::-1])
        self.assert_view(array.slice(1, step=-2).slice(0, step=-1).T, expected[::-1, ::-2].T)
        self.assert_view(array.slice(1, 2, 2), expected[:, 2:2])
        self.assert_error(Error.OUT_OF_RANGE, 'axis 1', array.slice, 1, 0, 4)
        self.assert_error(Error.OUT_OF_RANGE, 'axis 1', array.slice, 1, -1, 2)
        self.assert_error(Error.OUT_OF_RANGE, 'Axis 3', array.slice, 3, 0, 1)
        self.assert_error(Error.OUT_OF_RANGE, 'Axis 3', array.slice, 3)
        self.assert_error(Error.INVALID_ARGUMENT, 'step 0', array.slice, 1, 0, 2, 0)
        self.assert_all_refused({TypeError: (None, 'a', 0.0, True), OverflowError: (-1, 2**32)},
                                array.slice)
        bad = {TypeError: ('a', 0.5, True), OverflowError: (2**63,)}
        self.assert_all_refused({**bad, GLib.Error: (-5, -2**63)}, lambda x: array.slice(0, x))
        self.assert_all_refused({**bad, GLib.Error: (3, 2**62)}, lambda x: array.slice(0, 0, x))
        self.assert_all_refused({TypeError: (None, 'a', 0.5), OverflowError: (2**63,)},
                                lambda x: array.slice(0, 0, 1, x))

    def test_index(self):
        array, expected = self.array, self.numpy
        self.assert_view(array.index(0, 1), expected[1])
        self.assert_view(array.index(2, 3), expected[:, :, 3])
        self.assert_view(array.index(0, 1).index(0, 2).index(0, 3), expected[1, 2, 3, ...])
        self.assert_error(Error.OUT_OF_RANGE, '-1', array.index, 0, -1)
        self.assert_error(Error.OUT_OF_RANGE, '2', array.index, 0, 2)
        self.assert_error(Error.OUT_OF_RANGE, '3', array.index, 3, 0)
        self.assert_all_refused({TypeError: (None, 'a', 0.0, True), OverflowError: (2**63,)},
                                lambda x: array.index(0, x))
        self.assert_all_refused({TypeError: (None, 'a', 0.0, True), OverflowError: (-1, 2**32)},
                                lambda x: array.index(x, 0))

    def test_reshape(self):
        array, expected = self.array, self.numpy
        self.assert_view(array.reshape(4, 6), expected.reshape(4, 6))
        self.assert_view(array.reshape((4, 6)), expected.reshape(4, 6))
        self.assert_view(array.reshape([24]), expected.reshape(24))
        self.assert_view(array.reshape(-1), expected.reshape(24))
        self.assert_view(array.reshape(3, -1, 1), expected.reshape(3, -1, 1))
        self.assertEqual(Shnd.Array.new(None, 'u1', 1).reshape(()).shape, ())
        self.assert_error(Error.INVALID_SHAPE, '24', array.reshape, 5)
        self.assert_error(Error.INVALID_SHAPE, '', array.reshape, -1, -1)
        self.assert_error(Error.INVALID_SHAPE, '', array.reshape, -2, 12)
        self.assert_error(Error.NOT_CONTIGUOUS, 'copy', array.T.reshape, 24)
        self.assertRaises(TypeError, array.reshape)
        self.assert_all_refused({TypeError: BAD_SHAPES[TypeError],
                                 OverflowError: BAD_SHAPES[OverflowError]}, array.reshape)

    def test_transpose(self):
        array, expected = self.array, self.numpy
        self.assert_view(array.transpose(), expected.T)
        self.assert_view(array.T, expected.T)
        self.assert_view(array.transpose(None), expected.T)
        self.assert_view(array.transpose(1, 0, 2), expected.transpose(1, 0, 2))
        self.assert_view(array.transpose((2, 0, 1)), expected.transpose(2, 0, 1))
        self.assert_error(Error.INVALID_ARGUMENT, '', array.transpose, 0, 0, 1)
        self.assert_error(Error.INVALID_ARGUMENT, '', array.transpose, 0, 1)
        self.assert_error(Error.INVALID_ARGUMENT, '', array.transpose, 0, 1, -1)
        self.assert_all_refused({TypeError: ('abc', 1.5, (0, 1, None))}, array.transpose)

    def test_field(self):
        dtype = np.dtype([(('title', 'a'), '<u2'), ('b', '>f4', (2, 2)), ('c', [('d', 'S2')])])
        array = Shnd.Array.new(None, dtype, 3)
        array['b'] = np.arange(12).reshape(3, 2, 2)
        self.assert_array(array.field('b'), array['b'])
        self.assertEqual(array.field('a').dtype, np.uint16)
        self.assertEqual(array.field('title').dtype, np.uint16)
        array.field('c').field('d')[1] = b'xy'
        self.assertEqual(array[1]['c']['d'], b'xy')
        self.assert_error(Error.NOT_FOUND, 'nothing', array.field, 'nothing')
        self.assert_error(Error.TYPE_MISMATCH, 'fields', self.array.field, 'a')
        self.assert_all_refused({TypeError: (None, 3, b'a'), ValueError: ('a\0',)}, array.field)

    def test_as_strided(self):
        array, expected = self.array, self.numpy
        strided = np.lib.stride_tricks.as_strided
        self.assert_view(array.as_strided('i4', (2, 3, 4), array.strides), expected)
        self.assert_view(array.as_strided(np.dtype('>u2'), (3, 2), (16, 2), offset=4),
                         strided(expected.reshape(-1)[1:].view('>u2'), (3, 2), (16, 2)))
        self.assert_view(array.as_strided('i4', 24, -4, 92), expected.reshape(-1)[::-1])
        self.assert_view(array.T.as_strided('i4', [5, 3], np.array([0, 4])),
                         strided(expected, (5, 3), (0, 4)))
        self.assert_view(array.as_strided(np.dtype(('u1', (2, 2))), 24, 4),
                         expected.reshape(-1).view('u1').reshape(24, 2, 2))
        self.assertEqual(array.as_strided('u1', (), (), 92)[()], 23)
        backwards = array.slice(0, step=-1)
        self.assert_view(backwards.as_strided('i4', (), (), offset=-48), expected[0, 0, 0, ...])
        self.assert_error(Error.TOO_SMALL, '-48 to 48', backwards.as_strided, 'u1', 1, 1, -49)
        self.assert_error(Error.TOO_SMALL, 'from 0 to 96', array.as_strided, 'i4', 24, 4, 1)
        self.assert_error(Error.TOO_SMALL, '0 to 96', array.as_strided, 'u1', (2, 2), (2**62, 1))
        self.assert_error(Error.INVALID_ARGUMENT, '1 strides', array.as_strided, 'u1', (1, 1), 1)
        self.assert_error(Error.INVALID_DTYPE, '', array.as_strided, object, 1, 8)
        self.assert_error(Error.INVALID_SHAPE, '-1', array.as_strided, 'u1', -1, 1)
        self.assert_all_refused(BAD_SHAPES, lambda x: array.as_strided('u1', x, ()))
        self.assert_all_refused({kind: BAD_SHAPES[kind] for kind in (TypeError, OverflowError)},
                                lambda x: array.as_strided('u1', (1,), x))
        self.assert_all_refused({TypeError: (None, 'a', 0.0, True, ()), OverflowError: (2**63,)},
                                lambda x: array.as_strided('u1', (), (), x))

    def test_outlive_the_array(self):
        view = Shnd.Array.new_from_array(None, np.arange(6)).reshape(2, 3).T.slice(0, 1)
        np.testing.assert_array_equal(view.get(), [[1, 4], [2, 5]])
        view = Shnd.Array.new_from_array(None, np.arange(6)).slice(0, step=-1)
        self.array.close()
        self.assertEqual(view[0], 5)


class Names(ArrayTestCase):
    def test_unlink(self):
        array = Shnd.Array.new(NAME, 'f4', 3)
        other = Shnd.Array.open(NAME)
        self.assertTrue(array.unlink())
        self.assertFalse(os.path.exists(f'{SHM}/{NAME}'))
        other[0] = 3
        self.assertEqual(array[0], 3)
        self.assert_error(Error.NOT_FOUND, NAME, array.unlink)
        self.assert_error(Error.UNSUPPORTED, '', Shnd.Array.new(None, 'f4', 3).unlink)
        another = Shnd.Array.new(NAME, 'f4', 3)
        self.assert_error(Error.NOT_FOUND, NAME, other.unlink)
        self.assertFalse(another.closed)
        self.assertTrue(Shnd.unlink(NAME))
        self.assert_error(Error.NOT_FOUND, NAME, Shnd.unlink, NAME)


if __name__ == '__main__':
    # The tracker would remove, and warn of, a segment that a test has taken care of.
    resource_tracker.unregister = lambda name, kind: None
    resource_tracker.register = lambda name, kind: None
    main()
