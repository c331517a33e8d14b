# SPDX-License-Identifier: MIT

"""DType in Python: what it is made from, what it says of itself, and numpy.dtype from it."""

import copy
import ctypes
import pickle
import unittest

import numpy as np
from support import GLib, SharedTestCase, Shnd, main

Kind = Shnd.DTypeKind

NESTED = np.dtype([(('when it was', 'when'), '<M8[25s]'),
                   ('position', '>f4', (3,)),
                   ('color', [('r', 'u1'), ('g', 'u1'), ('b', 'u1')])])


class Making(SharedTestCase):
    def assert_dtype(self, value, expected):
        for made in (Shnd.DType(value), Shnd.DType.new(value)):
            self.assertIsInstance(made, Shnd.DType)
            self.assertEqual(made.to_string(), expected)

    def test_strings(self):
        self.assert_dtype('<f4', '<f4')
        self.assert_dtype(' float32 ', '<f4')
        self.assert_dtype("[('x', '<f4'), ('y', '<f4')]", "[('x', '<f4'), ('y', '<f4')]")
        self.assert_dtype("('<i2', (2, 3))", "('<i2', (2, 3))")

    def test_what_numpy_takes(self):
        self.assert_dtype(np.float32, '<f4')
        self.assert_dtype(np.dtype('>i8'), '>i8')
        self.assert_dtype(float, '<f8')
        self.assert_dtype(bool, '|b1')
        self.assert_dtype(complex, '<c16')
        self.assert_dtype(b'u1', '|u1')
        self.assert_dtype('i4,f4', "[('f0', '<i4'), ('f1', '<f4')]")
        self.assert_dtype('(2,3)f4', "('<f4', (2, 3))")
        self.assert_dtype(('f4', (2, 3)), "('<f4', (2, 3))")
        self.assert_dtype([('a', 'i4'), ('b', 'f8', 2)], "[('a', '<i4'), ('b', '<f8', (2,))]")
        self.assert_dtype({'names': ['a'], 'formats': ['i4']}, "[('a', '<i4')]")
        self.assert_dtype(ctypes.c_uint16, '<u2')
        self.assert_dtype(np.dtype([('a', 'i1'), ('b', 'f8')], align=True),
                          "[('a', '|i1'), ('', '|V7'), ('b', '<f8')]")
        self.assert_dtype(NESTED,
                          "[(('when it was', 'when'), '<M8[25s]'), ('position', '>f4', (3,)), "
                          "('color', [('r', '|u1'), ('g', '|u1'), ('b', '|u1')])]")

    def test_another(self):
        dtype = Shnd.DType('f4')
        self.assert_dtype(dtype, '<f4')
        self.assertEqual(Shnd.Array.new(None, dtype, 1).get_dtype(), dtype)

    def test_same_again(self):
        # Caches may not confuse what compares as equal.
        self.assert_dtype(np.dtype([('a', 'i4')]), "[('a', '<i4')]")
        self.assert_dtype(np.dtype([(('t', 'a'), 'i4')]), "[(('t', 'a'), '<i4')]")
        for i in range(600):
            self.assert_dtype(f'S{i}', f'|S{i}')
            self.assertEqual(Shnd.DType(f'S{i}').numpy.itemsize, i)
        self.assert_dtype('S3', '|S3')

    def test_refused(self):
        error = Shnd.Error.INVALID_DTYPE
        self.assert_error(error, 'expected', Shnd.DType, '')
        self.assert_error(error, 'float33', Shnd.DType, 'float33')
        # NumPy 1.24 divides by it.
        self.assert_error(error, 'divisor', Shnd.DType, 'M8[s/0]')
        for wrong in ([('a', 'M8[s/ 0]')], [('a', [('b', 'm8[s/00]')])], b'M8[s/0]',
                      type('T', (), {'dtype': 'M8[s/0]'}), ('M8[s/0]', (2,)),
                      {'names': ['a'], 'formats': ['M8[s/0]']}, {'a': ('M8[s/0]', 0)}):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(TypeError, 'divisor'):
                Shnd.DType(wrong)
        with self.assertRaisesRegex(TypeError, 'divisor'):
            Shnd.Array.new(None, 'f4', 3).__array__('M8[s/0]')
        self.assertEqual(Shnd.DType([('[m/0]', 'f4')]).names, ('[m/0]',))
        self.assert_error(error, 'pointers', Shnd.DType, 'O')
        self.assert_error(error, 'pointers', Shnd.DType, object)
        self.assert_error(error, 'pointers', Shnd.DType, np.dtype([('a', 'O')]))
        self.assert_error(error, 'NUL', Shnd.DType, np.dtype([('a\0b', 'i4')]))
        self.assert_error(error, '', Shnd.DType, "[('a', '<f4'")
        for wrong in (None, 3, 3.5, True, GLib.Variant('s', 'f4')):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                Shnd.DType(wrong)
        with self.assertRaises(ValueError):
            Shnd.DType('f4\0')
        with self.assertRaises(ValueError):
            Shnd.DType(np.dtype({'names': ['a', 'b'], 'formats': ['i4', 'i4'], 'offsets': [0, 2]}))
        with self.assertRaises(TypeError):
            Shnd.DType()
        with self.assertRaises(TypeError):
            Shnd.DType.new()


class Asking(SharedTestCase):
    def test_plain(self):
        dtype = Shnd.DType('>f4')
        self.assertEqual(str(dtype), '>f4')
        self.assertEqual(repr(dtype), "Shnd.DType('>f4')")
        self.assertEqual(dtype.kind, Kind.FLOAT)
        self.assertEqual(dtype.get_kind(), Kind.FLOAT)
        self.assertEqual(dtype.item_size, 4)
        self.assertEqual(dtype.get_item_size(), 4)
        self.assertEqual(dtype.alignment, 4)
        self.assertEqual(dtype.get_alignment(), 4)
        self.assertFalse(dtype.is_native())
        self.assertTrue(Shnd.DType('=f4').is_native())
        self.assertIsNone(dtype.unit)
        self.assertIsNone(dtype.get_unit())
        self.assertIsNone(dtype.names)
        self.assertIsNone(dtype.fields)
        self.assertEqual(dtype.base, dtype)
        self.assertEqual(dtype.shape, ())
        self.assertEqual(dtype.get_n_fields(), 0)
        self.assertIsNone(dtype.get_field_name(0))
        self.assertIsNone(dtype.get_field_title(0))
        self.assertIsNone(dtype.get_field_dtype(0))
        self.assertEqual(dtype.get_field_offset(0), 0)
        self.assertEqual(dtype.find_field('x'), -1)

    def test_kinds(self):
        for text, kind in {'?': Kind.BOOL, 'i2': Kind.INT, 'u2': Kind.UINT, 'f2': Kind.FLOAT,
                           'c8': Kind.COMPLEX, 'S3': Kind.BYTES, 'U3': Kind.UNICODE,
                           'M8[s]': Kind.DATETIME, 'm8[s]': Kind.TIMEDELTA, 'V3': Kind.VOID,
                           "[('a', 'u1')]": Kind.STRUCT, "('u1', (2,))": Kind.SUBARRAY}.items():
            self.assertEqual(Shnd.DType(text).kind, kind, text)

    def test_unit(self):
        self.assertEqual(Shnd.DType('M8[25s]').unit, '25s')
        self.assertEqual(Shnd.DType('m8[ns]').get_unit(), 'ns')
        self.assertIsNone(Shnd.DType('m8').unit)

    def test_sub_array(self):
        dtype = Shnd.DType(('>i2', (2, 3)))
        self.assertEqual(dtype.base, Shnd.DType('>i2'))
        self.assertEqual(dtype.get_base().to_string(), '>i2')
        self.assertEqual(dtype.shape, (2, 3))
        self.assertEqual(dtype.get_base_shape(), [2, 3])
        self.assertEqual(dtype.item_size, 12)

    def test_fields(self):
        dtype = Shnd.DType(NESTED)
        self.assertEqual(dtype.names, ('when', 'position', 'color'))
        fields = dtype.fields
        self.assertEqual(list(fields), ['when', 'position', 'color'])
        self.assertEqual(fields['when'], (Shnd.DType('M8[25s]'), 0, 'when it was'))
        self.assertEqual(fields['position'], (Shnd.DType(('>f4', (3,))), 8))
        self.assertEqual(fields['color'][1], 20)
        self.assertEqual(dtype.get_n_fields(), 3)
        self.assertEqual(dtype.get_field_name(1), 'position')
        self.assertEqual(dtype.get_field_title(0), 'when it was')
        self.assertIsNone(dtype.get_field_title(1))
        self.assertEqual(dtype.get_field_offset(2), 20)
        self.assertEqual(dtype.get_field_dtype(2).names, ('r', 'g', 'b'))
        self.assertIsNone(dtype.get_field_dtype(3))
        self.assertEqual(dtype.find_field('position'), 1)
        self.assertEqual(dtype.find_field('when it was'), 0)
        self.assertEqual(dtype.find_field('nothing'), -1)
        # A part keeps working without the whole.
        part = dtype.get_field_dtype(2)
        del dtype, fields
        self.assertEqual(part.item_size, 3)

    def test_wrong_arguments(self):
        dtype = Shnd.DType(NESTED)
        for wrong in (-1, 2**40):
            for ask in (dtype.get_field_name, dtype.get_field_title, dtype.get_field_dtype,
                        dtype.get_field_offset):
                self.assertRaises(OverflowError, ask, wrong)
        for wrong in (None, 'a'):
            self.assertRaises(TypeError, dtype.get_field_name, wrong)
        self.assertRaises(TypeError, dtype.find_field, None)
        self.assertRaises(TypeError, dtype.find_field, 3)
        self.assertRaises(ValueError, dtype.find_field, 'when\0')
        self.assertRaises(TypeError, dtype.equal, None)
        self.assertRaises(TypeError, dtype.equal, 'f4')

    def test_equality(self):
        dtype = Shnd.DType('f4')
        self.assertTrue(dtype == Shnd.DType('=f4'))
        self.assertFalse(dtype != Shnd.DType(np.float32))
        self.assertTrue(dtype != Shnd.DType('>f4'))
        self.assertTrue(dtype.equal(Shnd.DType('<f4')))
        self.assertFalse(dtype.equal(Shnd.DType('>f4')))
        self.assertFalse(dtype == 3)
        self.assertFalse(dtype is None)
        self.assertEqual(hash(dtype), hash(Shnd.DType('float32')))
        self.assertEqual(dtype.hash(), Shnd.DType('float32').hash())
        self.assertEqual({dtype: 1}[Shnd.DType('<f4')], 1)
        self.assertNotEqual(Shnd.DType([(('t', 'a'), 'i4')]), Shnd.DType([('a', 'i4')]))

    def test_references(self):
        dtype = Shnd.DType('f4')
        other = dtype.ref()
        for _ in range(5):
            dtype.unref()
        self.assertEqual(other.to_string(), '<f4')
        self.assertEqual(dtype.to_string(), '<f4')
        self.assertEqual(dtype.copy().to_string(), '<f4')

    def test_no_pickle(self):
        # It fails in an orderly way.
        for action in (pickle.dumps, copy.copy, copy.deepcopy):
            self.assertRaises(TypeError, action, Shnd.DType('f4'))


class ToNumPy(SharedTestCase):
    def test_exact(self):
        for expected in (np.dtype('<f4'), np.dtype('>f4'), np.dtype('?'), np.dtype('f16'),
                         np.dtype('c32'), np.dtype('S7'), np.dtype('>U7'), np.dtype('V7'),
                         np.dtype('S0'), np.dtype('>M8[25s]'), np.dtype('m8'), NESTED,
                         np.dtype(('>f4', (2, 3))), np.dtype([]),
                         np.dtype([('a', 'i1'), ('b', 'f8')], align=True),
                         np.dtype([('ä ‘\'"', 'u1')]),
                         np.dtype([('a', [('b', [('c', NESTED, (2,))])])])):
            with self.subTest(dtype=expected):
                dtype = Shnd.DType(expected).numpy
                self.assertIs(type(dtype), type(expected))
                self.assertEqual(dtype, expected)
                self.assertEqual(dtype.fields, expected.fields)
                self.assertEqual(dtype.itemsize, expected.itemsize)
                self.assertEqual(Shnd.DType(dtype), Shnd.DType(expected))


if __name__ == '__main__':
    main()
