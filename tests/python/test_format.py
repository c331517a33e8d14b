# SPDX-License-Identifier: MIT

"""NumPy is the judge of the format: arrays go through numpy.load(), its files through the library."""

import ast
import ctypes
import gc
import os
import re
import struct
import tempfile
import unittest
import warnings

import numpy as np
from gi.module import get_introspection_module
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.extra import numpy as hnp
from numpy.lib import format as npy
from support import (PREFIX, SHM, GLib, SharedTestCase, Shnd, count_handles, diagnose, is_error,
                     main)

from dtype_cases import LITERAL_DIFFERENCES, LITERALS, STRING_DIFFERENCES, type_strings
from format_cases import CASES, make_array, raw_bytes

# The override asks NumPy about descriptions that the library does not know: not here.
Introspected = get_introspection_module('Shnd')

READ = Shnd.Access.READ
PAGE = 4096
NAME = PREFIX + 'format'

# Headers may be longer than numpy.load() allows by default.
LIMIT = {} if np.lib.NumpyVersion(np.__version__) < '1.23.4' else {'max_header_size': 10 ** 9}

# Hypothesis would keep tables of Unicode in the current folder.
hypothesis_home = tempfile.TemporaryDirectory(prefix='shnd-test-')
set_hypothesis_home_dir(hypothesis_home.name)
settings.register_profile('judge', derandomize=True, database=None, deadline=None,
                          max_examples=150, suppress_health_check=list(HealthCheck))
settings.load_profile('judge')


def load(path, **options):
    return np.load(path, **options, **LIMIT)


def literal(dtype):
    """A dtype as a header has it; with sub-arrays, which NumPy never writes at the top."""
    if dtype.subdtype is not None:
        return f'({literal(dtype.subdtype[0])}, {dtype.subdtype[1]})'
    return repr(npy.dtype_to_descr(dtype))


def describe(dtype):
    """What the library has to call a dtype."""
    if dtype.subdtype is not None or dtype.names is not None:
        return literal(dtype)
    return dtype.str


def layout(dtype):
    """All that a dtype consists of, in a form that == compares: dtype == dtype leaves titles out."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return 'sub-array', layout(base), shape, dtype.itemsize
    if dtype.names is None:
        return dtype.str, dtype.itemsize
    fields = [(name, dtype.fields[name][1:], layout(dtype.fields[name][0])) for name in dtype.names]
    return dtype.itemsize, fields


def fields_of(dtype):
    """(name, title, offset, description) of each field."""
    fields = [(name, *dtype.fields[name]) for name in dtype.names or ()]
    return [(name, title[0] if title else None, offset, describe(field))
            for name, field, offset, *title in fields]


def strides(array):
    """The strides that count: an axis of one element may have any."""
    return [array.strides[i] for i, n in enumerate(array.shape) if n > 1 and array.size > 0]


class Judge(SharedTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        warnings.filterwarnings('ignore', message='Stored array in format', category=UserWarning)
        cls.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        cls.path = os.path.join(cls.folder.name, 'array.npy')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()

    def assert_description(self, text, expected):
        self.assertEqual(text, expected)

    def assert_same(self, array, expected):
        """An ndarray, or one of ours, has dtype, shape, strides and bytes of an ndarray."""
        if isinstance(array, Shnd.Array):
            self.assert_description(array.get_dtype().to_string(), describe(expected.dtype))
            self.assertEqual(array.get_item_size(), expected.dtype.itemsize)
            self.assertEqual(array.get_n_bytes(), expected.nbytes)
            array = np.asarray(array)
        self.assertEqual(layout(array.dtype), layout(expected.dtype))
        self.assertEqual(array.shape, expected.shape)
        if expected.dtype.itemsize > 0:
            self.assertEqual(array.flags.c_contiguous, expected.flags.c_contiguous)
            self.assertEqual(array.flags.f_contiguous, expected.flags.f_contiguous)
        self.assertEqual(strides(array), strides(expected))
        self.assertEqual(raw_bytes(array), raw_bytes(expected))

    def check_segment(self, path, array):
        """The file is laid out as doc/format.md says."""
        info = os.stat(path)
        with open(path, 'rb') as file:
            content = file.read()
        self.assertEqual(len(content) % PAGE, 0)
        self.assertEqual(content[:6], b'\x93NUMPY')
        if content[6] == 1:
            header_size = 10 + struct.unpack('<H', content[8:10])[0]
        else:
            header_size = 12 + struct.unpack('<I', content[8:12])[0]
        self.assertEqual(header_size % PAGE, 0)
        self.assertEqual(content[header_size - 1:header_size], b'\n')
        end = header_size + array.nbytes
        self.assertEqual(content[header_size:end], raw_bytes(array))
        control = content[-PAGE:]
        self.assertEqual(len(content), header_size + -(-array.nbytes // PAGE) * PAGE + PAGE)
        self.assertEqual(content[end:-PAGE].strip(b'\0'), b'')
        self.assertEqual(control[:8], b'SHNDCTRL')
        self.assertEqual(struct.unpack('<I', control[8:12])[0], 1)
        self.assertEqual(struct.unpack('<Q', control[16:24])[0], info.st_ino)
        return content[6]

    def flip(self, source, seen):
        """A change of the last byte of one is seen in the other."""
        if source.nbytes == 0:
            return
        written, read = bytes_of(source), bytes_of(seen)
        for _ in range(2):
            written[-1] ^= 1
            self.assertEqual(read[-1], written[-1])


def bytes_of(array):
    """The memory of a contiguous ndarray as a flat array of bytes, without a copy."""
    memory = (ctypes.c_uint8 * array.nbytes).from_address(array.ctypes.data)
    return np.ctypeslib.as_array(memory)


class TestOurs(Judge):
    """Arrays of ours, looked at by NumPy."""

    def check_each(self, check):
        """Calls check(array, expected) for an array of ours of each case, and what it has to hold."""
        for label, dtype, shape, order in CASES:
            with self.subTest(label):
                expected = make_array(dtype, shape, order)
                array = Shnd.Array.new_from_array(NAME, expected)
                try:
                    check(array, expected)
                finally:
                    array.unlink()

    def test_load(self):
        def check(array, expected):
            self.assert_same(array, expected)
            self.assert_same(load(f'{SHM}/{NAME}'), expected)

        self.check_each(check)

    def test_memmap(self):
        def check(array, expected):
            ours = np.asarray(array)
            for mode in ('r', 'c', 'r+'):
                mapped = load(f'{SHM}/{NAME}', mmap_mode=mode)
                self.assert_same(mapped, expected)
                if mode == 'r+':
                    self.flip(mapped, ours)
                if mode != 'c':
                    self.flip(ours, mapped)

        self.check_each(check)

    def test_segment(self):
        versions = set()

        def check(array, expected):
            versions.add(self.check_segment(f'{SHM}/{NAME}', expected))
            for access in (READ, Shnd.Access.READ_WRITE):
                again = Shnd.Array.open(NAME, access)
                self.assertEqual(again.get_name(), NAME)
                self.assert_same(again, expected)

        self.check_each(check)
        self.assertEqual(versions, {1, 2, 3})

    def test_new(self):
        """Made empty, then filled by NumPy."""
        for label, dtype, shape, order in CASES:
            with self.subTest(label):
                expected = make_array(dtype, shape, order)
                flags = Shnd.CreateFlags.FORTRAN if order == 'F' else Shnd.CreateFlags.NONE
                array = Shnd.Array.new(NAME, expected.dtype, expected.shape, flags)
                try:
                    zero = np.ndarray(expected.shape, expected.dtype, bytes(expected.nbytes),
                                      order=order)
                    self.assert_same(array, zero)
                    bytes_of(np.asarray(array))[:] = bytes_of(expected)
                    self.assert_same(load(f'{SHM}/{NAME}'), expected)
                finally:
                    array.unlink()

    def test_save(self):
        """A file of ours is NumPy's, to the byte."""
        same_format = np.lib.NumpyVersion(np.__version__) < '1.25.0'
        if not same_format:
            diagnose(f'NumPy {np.__version__} pads its headers in another way than 1.24')
        theirs = self.path + '.theirs.npy'

        def check(array, expected):
            array.save(self.path)
            np.save(theirs, expected)
            # Of elements without a size, NumPy remembers in which order they were asked for.
            exact = expected.dtype.itemsize > 0 or expected.flags.c_contiguous
            if exact and same_format:
                with open(self.path, 'rb') as a, open(theirs, 'rb') as b:
                    self.assertEqual(a.read(), b.read())
            else:
                self.assert_same(load(self.path), load(theirs))

        self.check_each(check)


class TestTheirs(Judge):
    """NumPy's files, opened by the library."""

    def check_file(self, expected):
        for access in (READ, Shnd.Access.READ_WRITE):
            array = Shnd.Array.open_path(self.path, access)
            self.assertIsNone(array.get_name())
            self.assert_same(array, expected)
        if expected.nbytes > 0:
            self.flip(np.asarray(array), load(self.path, mmap_mode='r'))

    def test_save(self):
        for label, dtype, shape, order in CASES:
            with self.subTest(label):
                expected = make_array(dtype, shape, order)
                np.save(self.path, expected)
                self.check_file(expected)

    def test_versions(self):
        for label, dtype, shape, order in CASES:
            with self.subTest(label):
                expected = make_array(dtype, shape, order)
                n_written = 0
                for version in ((1, 0), (2, 0), (3, 0)):
                    try:
                        with open(self.path, 'wb') as file:
                            npy.write_array(file, expected, version)
                    except (ValueError, UnicodeEncodeError):
                        # Too long for it, or not Latin-1.
                        continue
                    n_written += 1
                    self.check_file(expected)
                self.assertGreater(n_written, 0)

    def test_open_memmap(self):
        """Files that NumPy makes with open_memmap(), which are not written through save()."""
        for text, shape, order in (('<i4', (3, 4), 'C'), ('>f8', (5, 2), 'F'), ('S3', (7,), 'C')):
            with self.subTest(text):
                expected = make_array(np.dtype(text), shape, order)
                memory = npy.open_memmap(self.path, 'w+', text, shape, order == 'F')
                memory[...] = expected
                self.check_file(expected)
                del memory


class TestSubArrays(Judge):
    """An ndarray has no sub-array dtype: NumPy adds its dimensions to the shape."""

    def test_merged(self):
        for base, inner, shape in (('<i4', (2,), (3,)), ('>f4', (2, 3), ()), ('S3', (1,), (0, 2)),
                                   ([('a', 'u1')], (4, 1), (2,)), ('<U2', (0,), (3,)),
                                   ((('<i2', (2,)), (3,)), (4,), (5,))):
            base = np.dtype(base)
            with self.subTest(f'{base.itemsize} bytes, {inner}, {shape}'):
                dtype = np.dtype((base, inner))
                expected = np.zeros(shape, dtype)
                text = f'({literal(base)}, {inner})'
                array = Shnd.Array.new(NAME, Shnd.DType.new(text), shape)
                try:
                    self.assert_same(array, expected)
                    self.assert_same(load(f'{SHM}/{NAME}'), expected)
                finally:
                    array.unlink()

    def test_in_a_header(self):
        # NumPy writes no such header, and reads it with mmap_mode alone.
        header = {'descr': ('<i2', (2, 3)), 'fortran_order': False, 'shape': (2,)}
        for version in (1, 3):
            with open(self.path, 'wb') as file:
                npy._write_array_header(file, header, (version, 0))
                file.write(bytes(range(24)))
            expected = np.arange(24, dtype='u1').view('<i2').reshape(2, 2, 3)
            self.assert_same(load(self.path, mmap_mode='r'), expected)
            self.assert_same(Shnd.Array.open_path(self.path, READ), expected)


class TestHypothesis(Judge):
    """Whatever Hypothesis comes upon."""

    def assert_description(self, text, expected):
        # Which characters Python prints and which it escapes depends on its version of Unicode.
        if not text.isascii() or '\\' in text:
            text, expected = ast.literal_eval(text), ast.literal_eval(expected)
        self.assertEqual(text, expected)

    def check(self, dtype, shape, order):
        if r'\x00' in describe(np.dtype(dtype)).replace(r'\\', ''):
            return self.check_refused(dtype, shape, order)
        expected = make_array(np.dtype(dtype), shape, order)
        array = Shnd.Array.new_from_array(NAME, expected)
        try:
            self.assert_same(array, expected)
            self.check_segment(f'{SHM}/{NAME}', expected)
            self.assert_same(load(f'{SHM}/{NAME}'), expected)
            self.assert_same(load(f'{SHM}/{NAME}', mmap_mode='r'), expected)
            self.assert_same(Shnd.Array.open(NAME), expected)
            array.save(self.path)
            self.assert_same(load(self.path), expected)
        finally:
            array.unlink()
        np.save(self.path, expected)
        self.assert_same(Shnd.Array.open_path(self.path, READ), expected)

    def check_refused(self, dtype, shape, order):
        """NUL in a name or title is the one thing that NumPy can, and a C string cannot."""
        array = make_array(dtype, shape, order)
        self.assert_error(Shnd.Error.INVALID_DTYPE, 'NUL', Shnd.Array.new_from_array, NAME, array)
        np.save(self.path, array)
        self.assert_error(Shnd.Error.INVALID_FORMAT, 'NUL', Shnd.Array.open_path, self.path, READ)

    scalars = (hnp.scalar_dtypes() | hnp.byte_string_dtypes(min_len=1)
               | hnp.unicode_string_dtypes(min_len=1))
    names = st.text(min_size=1, max_size=20)
    shapes = hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4)
    orders = st.sampled_from('CF')

    @given(scalars, shapes, orders)
    def test_scalars(self, dtype, shape, order):
        self.check(dtype, shape, order)

    @given(hnp.array_dtypes(scalars, allow_subarrays=True), shapes, orders)
    def test_array_dtypes(self, dtype, shape, order):
        self.check(dtype, shape, order)

    @given(hnp.nested_dtypes(scalars, max_leaves=12, max_itemsize=4000), shapes, orders)
    def test_nested_dtypes(self, dtype, shape, order):
        self.check(dtype, shape, order)

    @given(st.lists(st.tuples(names, scalars), min_size=1, max_size=8, unique_by=lambda f: f[0]),
           st.booleans(), shapes, orders)
    def test_names(self, fields, align, shape, order):
        self.check(np.dtype(fields, align=align), shape, order)


class TestDTypes(Judge):
    """Descriptions: what NumPy takes we take, and for the same thing, but for what is listed."""

    def theirs(self, function, description):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                dtype = function(description)
                if dtype.hasobject:
                    return None
                return describe(dtype), dtype.itemsize, dtype.alignment, fields_of(dtype)
            except (TypeError, ValueError, SyntaxError, IndexError, OverflowError):
                return None

    def ours(self, text):
        try:
            dtype = Introspected.DType.new(text)
        except GLib.Error as error:
            self.assertTrue(is_error(error, Shnd.Error.INVALID_DTYPE), error.message)
            return None
        fields = [(dtype.get_field_name(i), dtype.get_field_title(i), dtype.get_field_offset(i),
                   dtype.get_field_dtype(i).to_string()) for i in range(dtype.get_n_fields())]
        return dtype.to_string(), dtype.get_item_size(), dtype.get_alignment(), fields

    def test_type_strings(self):
        texts = sorted(set(type_strings()))
        used = set()
        n_accepted = 0
        for text in texts:
            theirs, ours = self.theirs(np.dtype, text), self.ours(text)
            n_accepted += ours is not None
            if ours == theirs:
                continue
            found = [(reason, pattern) for reason, pattern, who in STRING_DIFFERENCES
                     if re.fullmatch(pattern, text)
                     and {'ours': theirs, 'numpy': ours}[who] is None]
            self.assertTrue(found, f'{text!r}: {theirs} for NumPy, {ours} for the library')
            used.update(reason for reason, _ in found)
        self.assertEqual(used, {reason for reason, _, _ in STRING_DIFFERENCES})
        diagnose(f'{len(texts)} type strings, {n_accepted} of them accepted')

    def test_literals(self):
        for value in LITERALS:
            text = repr(value)
            with self.subTest(ascii(text)[:100].replace('#', '')):
                theirs, ours = self.theirs(npy.descr_to_dtype, value), self.ours(text)
                if text in LITERAL_DIFFERENCES:
                    self.assertNotEqual(ours, theirs)
                    accepted = 'numpy' if ours is None else 'ours' if theirs is None else 'both'
                    self.assertEqual(accepted, LITERAL_DIFFERENCES[text][1])
                else:
                    self.assertEqual(ours, theirs)
        self.assertLessEqual(set(LITERAL_DIFFERENCES), set(map(repr, LITERALS)))
        diagnose(f'{len(LITERALS)} literals')

    def test_cases(self):
        for label, dtype, _, _ in CASES:
            with self.subTest(label):
                theirs = describe(dtype), dtype.itemsize, fields_of(dtype)
                text, size, _, fields = self.ours(describe(dtype))
                self.assertEqual((text, size, fields), theirs)
                self.assertTrue(Introspected.DType.new(text).equal(Introspected.DType.new(literal(dtype))))

    def test_refused_by_both(self):
        """No descr can say it: NumPy cannot save these, and nothing is made of them here."""
        overlapping = np.dtype({'names': 'ab', 'formats': ['<i4', '<i4'], 'offsets': [0, 2]})
        backwards = np.dtype({'names': 'ab', 'formats': ['<i4', '<i4'], 'offsets': [4, 0]})
        for dtype in (overlapping, backwards, np.dtype('O'), np.dtype([('a', 'O')])):
            with self.subTest(str(dtype.fields)):
                with self.assertRaises((GLib.Error, TypeError, ValueError)):
                    Shnd.Array.new(NAME, dtype, (2,))
                with self.assertRaises((GLib.Error, TypeError, ValueError)):
                    Shnd.Array.new_from_array(NAME, np.zeros(2, dtype))


class TestHandles(Judge):
    def test_nothing_leaks(self):
        def run():
            for label, dtype, shape, order in CASES[::10]:
                expected = make_array(dtype, shape, order)
                array = Shnd.Array.new_from_array(NAME, expected)
                again = Shnd.Array.open(NAME)
                again.save(self.path)
                file = Shnd.Array.open_path(self.path)
                np.asarray(again), np.asarray(file)
                array.unlink()
            del array, again, file
            gc.collect()

        run()
        before = count_handles()
        run()
        self.assertEqual(count_handles(), before)


if __name__ == '__main__':
    diagnose(f'{len(CASES)} dtypes and shapes')
    diagnose(f'NumPy {np.__version__}')
    main()
