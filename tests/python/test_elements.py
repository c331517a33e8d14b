# SPDX-License-Identifier: MIT

"""Elements of an Array in Python, and copies of all of them."""

import datetime

import numpy as np
from array_support import FORTRAN, NAME, ROW, SPARSE, STRUCT, ArrayTestCase, Error
from support import GLib, Shnd, main


class Elements(ArrayTestCase):
    def assert_element(self, dtype, value, expected=None):
        array = Shnd.Array.new(None, dtype, 2)
        self.assertTrue(array.set_element(1, value))
        got = array.get_element(1)
        expected = value if expected is None else expected
        self.assertEqual(got, expected)
        self.assertIs(type(got), type(expected))
        self.assertEqual(array.get_element(0), Shnd.Array.new(None, dtype, 1).get_element(0))
        # A fill is the same for all.
        self.assertTrue(array.fill(value))
        self.assertEqual(array.get_element(0), expected)
        return array

    def assert_refused(self, kind, dtype, *values):
        array = Shnd.Array.new_from_bytes(None, dtype, 2, b'\1' * 2 * np.dtype(dtype).itemsize)
        before = array.get().tobytes()
        for value in values:
            with self.subTest(dtype=dtype, value=value):
                self.assertRaises(kind, array.set_element, 1, value)
                self.assertRaises(kind, array.fill, value)
                self.assertEqual(array.get().tobytes(), before)

    def test_numbers(self):
        for value in (True, False):
            self.assert_element('?', value)
        self.assert_element('?', 1, True)
        self.assert_element('?', np.bool_(True), True)
        self.assert_refused(GLib.Error, '?', 2, 0.5)
        for dtype in ('i1', '>i2', 'i4', '>i8'):
            self.assert_element(dtype, -5)
        for dtype in ('u1', '>u2', 'u4'):
            self.assert_element(dtype, np.int8(5), 5)
        self.assert_element('u8', 2**64 - 1)
        self.assert_element('i8', -2**63)
        self.assert_element('i2', 3.0, 3)
        self.assert_element('i2', np.array(3), 3)
        self.assert_refused(GLib.Error, 'i2', 40000, -40000, 2.5, float('nan'), 2**63)
        self.assert_refused(GLib.Error, 'u8', -1, 1e30)
        self.assert_refused(OverflowError, 'i2', 2**64, -2**64)
        for dtype in ('f2', '>f4', 'f8', 'f16'):
            self.assert_element(dtype, 1.5)
            self.assert_element(dtype, 3, 3.0)
        self.assert_element('f4', np.float32(0.1), float(np.float32(0.1)))
        self.assert_element('f8', 2**70, float(2**70))
        self.assert_element('f8', float('inf'))
        self.assert_refused(OverflowError, 'f8', 10**400)
        self.assert_refused(GLib.Error, 'f4', 1e300)
        for dtype in ('c8', '>c16', 'c32'):
            self.assert_element(dtype, 1.5 - 2j)
            self.assert_element(dtype, 3, 3 + 0j)
            self.assert_element(dtype, np.complex64(2j), 2j)
        for dtype in ('?', 'i2', 'f8', 'c16'):
            self.assert_refused(TypeError, dtype, None, '1', b'1', [1], (1,), {}, object())
        for dtype in ('?', 'i2', 'f8'):
            self.assert_refused(TypeError, dtype, 1j)

    def test_texts(self):
        self.assert_element('S3', b'ab')
        self.assert_element('S3', b'a\0b')
        self.assert_element('S3', 'xyz', b'xyz')
        self.assert_element('S3', bytearray(b'q'), b'q')
        self.assert_element('S0', b'')
        self.assert_refused(GLib.Error, 'S3', b'abcd', 'abcd')
        self.assert_element('>U3', 'aä😀')
        self.assert_element('U3', np.str_('ab'), 'ab')
        self.assert_element('U3', 'ab\0', 'ab')
        self.assert_refused(GLib.Error, 'U3', 'abcd')
        self.assert_refused(ValueError, 'U3', 'a\0b', '\udc80')
        self.assert_element('V3', b'a\0\0')
        self.assert_element('V3', np.void(b'abc'), b'abc')
        self.assert_refused(GLib.Error, 'V3', b'ab', b'abcd')
        for dtype in ('S3', 'U3', 'V3'):
            self.assert_refused(TypeError, dtype, None, 3, 1.5)
        self.assert_refused(TypeError, 'U3', b'abc')
        bad = Shnd.Array.new_from_bytes(None, 'U1', 1, b'\0\xd8\0\0')
        self.assert_error(Error.INVALID_DATA, 'U+D800', bad.get_element, 0)

    def test_times(self):
        self.assert_element('M8[s]', 5)
        self.assert_element('>M8[s]', np.datetime64('2020-01-01'), 1577836800)
        self.assert_element('M8[s]', datetime.datetime(2020, 1, 1, 12), 1577880000)
        self.assert_element('M8[s]', datetime.date(2020, 1, 1), 1577836800)
        self.assert_element('M8[D]', np.datetime64('NaT'), -2**63)
        self.assert_element('m8[ns]', np.timedelta64(3, 's'), 3 * 10**9)
        self.assert_element('m8[us]', datetime.timedelta(seconds=2), 2 * 10**6)
        self.assert_refused(GLib.Error, 'M8[s]', np.datetime64('2020-01-01T00:00:00.5'))
        self.assert_refused(GLib.Error, 'm8[ns]', np.timedelta64(2**62, 'D'))
        self.assert_refused(TypeError, 'M8[s]', '2020-01-01', None, 1.5, True,
                            datetime.timedelta(1))

    def test_structs(self):
        self.assert_element(STRUCT, ROW)
        self.assert_element(STRUCT, {'id': 7, 'word': 'abc', 'place': np.array(ROW[1]),
                                     'inner': {'z': 1 + 2j, 'raw': b'xy'}}, ROW)
        source = np.array([ROW], STRUCT)
        self.assert_element(STRUCT, source[0], ROW)
        self.assert_element(STRUCT, source[0:1].reshape(()), ROW)
        array = self.assert_element(STRUCT, GLib.Variant('(qaadsv)', (
            7, [[1, 2], [3, 4]], 'abc', GLib.Variant('((dd)ay)', ((1, 2), b'xy')))), ROW)
        np.testing.assert_array_equal(array[1:], source)
        self.assert_element([], ())
        self.assert_element([('a', 'f4', (0, 2))], ([],))
        self.assert_refused(ValueError, STRUCT, (1, 2), {'id': 3}, ROW + (1,),
                            (7, [[1, 2, 3], [3, 4]], 'abc', ROW[3]), {**dict.fromkeys('abcd')})
        self.assert_refused(TypeError, STRUCT, None, 5, 'abcd', b'abcd',
                            (7, 'ab', 'abc', ROW[3]), (7, 5, 'abc', ROW[3]), np.void(b'abc'))
        self.assert_refused(GLib.Error, STRUCT, (7, ROW[1], 'abcd', ROW[3]),
                            (70000, *ROW[1:]), GLib.Variant('i', 5))

    def test_indices(self):
        array = Shnd.Array.new_from_array(None, np.arange(6).reshape(2, 3))
        for indices in ((1, 2), ((1, 2),), ([1, 2],), (np.int8(1), np.uint64(2)),
                        (np.array([1, 2]),)):
            self.assertEqual(array.get_element(*indices), 5)
            self.assertEqual(array.get_double(*indices), 5.0)
            self.assertEqual(array.get_int64(*indices), 5)
        scalar = Shnd.Array.new(None, 'f4', ())
        scalar.set_element((), 3)
        self.assertEqual(scalar.get_element(), 3)
        self.assertEqual(scalar.get_double(()), 3)
        gets = (array.get_element, array.get_double, array.get_int64)
        sets = tuple(lambda x, f=f: f(x, 1)
                     for f in (array.set_element, array.set_double, array.set_int64))
        for function in (*gets, *sets):
            for indices in ((), 1, (1,), (1, 2, 0), (-1, 0), (2, 0), (0, 3), (2**62, 0)):
                self.assert_error(Error.OUT_OF_RANGE, '', function, indices)
            self.assert_all_refused({TypeError: (None, 1.0, 'ab', b'ab', (1.0, 2), (None, 0),
                                                 (True, 0), ((1, 2), 0), {1, 2}),
                                     OverflowError: ((2**63, 0),)}, function)
        self.assertRaises(TypeError, array.get_element, 1, None)
        np.testing.assert_array_equal(array.get(), np.arange(6).reshape(2, 3))

    def test_shortcuts(self):
        array = Shnd.Array.new(None, '>i2', 2)
        self.assertTrue(array.set_double(1, 7.0))
        self.assertTrue(array.set_int64([0], np.int8(-3)))
        self.assertEqual(array.get_double(1), 7.0)
        self.assertIs(type(array.get_double(1)), float)
        self.assertEqual(array.get_int64(0), -3)
        self.assertIs(type(array.get_int64(0)), int)
        self.assert_error(Error.OUT_OF_RANGE, '0.5', array.set_double, 0, 0.5)
        self.assert_error(Error.OUT_OF_RANGE, '40000', array.set_int64, 0, 40000)
        self.assert_all_refused({TypeError: (None, '1', [1], 1j), OverflowError: (10**400,)},
                                lambda x: array.set_double(0, x))
        self.assert_all_refused({TypeError: (None, '1', 1.0, True), OverflowError: (2**63,)},
                                lambda x: array.set_int64(0, x))
        words = Shnd.Array.new(None, 'U3', 1)
        self.assert_error(Error.TYPE_MISMATCH, 'U3', words.get_double, 0)
        self.assert_error(Error.TYPE_MISMATCH, 'U3', words.get_int64, 0)
        self.assert_error(Error.TYPE_MISMATCH, 'U3', words.set_double, 0, 1)
        self.assert_error(Error.TYPE_MISMATCH, 'U3', words.set_int64, 0, 1)
        self.assert_error(Error.OUT_OF_RANGE, '', Shnd.Array.new_from_array(None, [0.5]).get_int64,
                          0)


class Copying(ArrayTestCase):
    def test_bytes(self):
        array = Shnd.Array.new_from_array(None, np.arange(6, dtype='i2').reshape(2, 3))
        data = np.arange(6, dtype='i2').tobytes()
        self.assertIsInstance(array.get_bytes(), GLib.Bytes)
        self.assertEqual(array.get_bytes().get_data(), data)
        self.assertEqual(array.T.get_bytes().get_data(), data)
        self.assertEqual(array.get_cow_bytes().get_data(), data)
        memory, offset = array.slice(1, step=-1).get_memory()
        self.assertEqual((memory.get_data(), offset), (data, 4))
        for view in (array.slice(1, 0, 2), array.slice(0, step=-1)):
            self.assert_error(Error.NOT_CONTIGUOUS, 'copy', view.get_bytes)
            self.assert_error(Error.NOT_CONTIGUOUS, 'copy', view.get_cow_bytes)
        # The bytes are the memory, not a copy.
        kept = array.get_bytes()
        array[0, 0] = 99
        self.assertEqual(kept.get_data()[0], 99)
        array.close()
        self.assertEqual(kept.get_data()[0], 99)

    def test_write_bytes(self):
        values = np.arange(6, dtype='>i2')
        for data in (values.tobytes(), bytearray(values.tobytes()), memoryview(values), values,
                     GLib.Bytes.new(values.tobytes())):
            for flags in (0, FORTRAN):
                array = Shnd.Array.new(None, '>i2', (2, 3), flags)
                self.assertTrue(array.write_bytes(data))
                order = 'F' if flags else 'C'
                np.testing.assert_array_equal(array.get(), values.reshape((2, 3), order=order))
            array = Shnd.Array.new(None, '>i2', (2, 6)).slice(1, step=-2)
            self.assertTrue(array.write_bytes(data))
            np.testing.assert_array_equal(array.get(), values.reshape(2, 3))
        self.assertTrue(Shnd.Array.new(None, 'f4', 0).write_bytes(b''))
        self.assertTrue(Shnd.Array.new(None, 'S0', 3).write_bytes(b''))
        scalar = Shnd.Array.new(None, 'u1', ())
        self.assertTrue(scalar.write_bytes(b'\7'))
        self.assertEqual(scalar[()], 7)
        struct = Shnd.Array.new(None, STRUCT, 2)
        self.assertTrue(struct.write_bytes(np.array([ROW, ROW], STRUCT)))
        self.assertEqual(struct.get_element(1), ROW)
        for data in (b'', bytes(11), bytes(13), GLib.Bytes.new(bytes(13))):
            self.assert_error(Error.INVALID_ARGUMENT, '12', array.write_bytes, data)
        for data in (None, 'abcdefghijkl', 12, [0] * 12):
            self.assertRaises(TypeError, array.write_bytes, data)
        np.testing.assert_array_equal(array.get(), values.reshape(2, 3))

    def test_copy_from(self):
        source = np.arange(6, dtype='>f4').reshape(2, 3)
        for value in (source, Shnd.Array.new_from_array(None, source), source.tolist(), source.T.T):
            array = Shnd.Array.new(None, 'i2', (2, 3))
            self.assertTrue(array.copy_from(value))
            np.testing.assert_array_equal(array.get(), source)
        same = Shnd.Array.new(None, '>f4', (2, 3), FORTRAN)
        self.assertTrue(same.copy_from(source))
        np.testing.assert_array_equal(same.get(), source)
        # Both kinds of source convert alike.
        for values in (np.array([1e10, -1e10, np.nan]), np.array([70000, -70000, 3])):
            a, b = Shnd.Array.new(None, 'i2', 3), Shnd.Array.new(None, 'i2', 3)
            a.copy_from(values)
            b.copy_from(Shnd.Array.new_from_array(None, values))
            np.testing.assert_array_equal(a.get(), b.get())
        array.copy_from([7, 8, 9])
        np.testing.assert_array_equal(array.get(), [[7, 8, 9]] * 2)
        array.copy_from(5)
        self.assertEqual(array.get_int64(1, 2), 5)
        line = Shnd.Array.new_from_array(None, np.arange(10))
        line.slice(0, 1).copy_from(line.slice(0, 0, 9))
        np.testing.assert_array_equal(line.get(), [0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
        self.assert_error(Error.INVALID_SHAPE, '', array.copy_from, np.zeros(4))
        self.assert_error(Error.INVALID_SHAPE, '', array.copy_from, Shnd.Array.new(None, 'i2', 4))
        self.assert_error(Error.TYPE_MISMATCH, '', array.copy_from, 'abc')
        self.assert_error(Error.CLOSED, '', array.copy_from, Shnd.Array())
        self.assertRaises(TypeError, array.copy_from, None)
        self.assert_error(Error.INVALID_DTYPE, '', array.copy_from, object())

    def test_fill(self):
        array = Shnd.Array.new(None, '>f4', (2, 3))
        self.assertTrue(array.fill(1.5))
        np.testing.assert_array_equal(array.get(), np.full((2, 3), 1.5))
        self.assertTrue(array.slice(1, 0, 1).fill(GLib.Variant('i', 3)))
        np.testing.assert_array_equal(array.get(), [[3, 1.5, 1.5]] * 2)
        self.assert_error(Error.TYPE_MISMATCH, '', array.fill, GLib.Variant('s', 'a'))

    def test_dup(self):
        source = Shnd.Array.new_from_array(None, np.arange(6).reshape(2, 3))
        view = source.slice(1, step=-2)
        copied = view.dup()
        self.assert_array(copied, np.arange(6).reshape(2, 3)[:, ::-2])
        self.assertIsNone(copied.name)
        self.assertEqual(copied.order, Shnd.Order.C)
        named = source.dup(NAME, FORTRAN)
        self.assert_array(Shnd.Array.open(NAME), np.arange(6).reshape(2, 3))
        self.assertEqual(named.order, Shnd.Order.FORTRAN)
        named[0, 0] = 99
        self.assertEqual(source[0, 0], 0)
        self.assert_error(Error.EXISTS, NAME, source.dup, NAME)
        self.assertEqual(source.dup(name=None, flags=SPARSE).shape, (2, 3))


if __name__ == '__main__':
    main()
