# SPDX-License-Identifier: MIT

"""Who keeps the memory, for how long; other processes; and Python without NumPy."""

import gc
import os
import subprocess
import sys
import textwrap
import threading
import unittest
import weakref

import numpy as np
from support import PREFIX, SHM, GLib, SharedTestCase, Shnd, main, own_names

NAME = PREFIX + 'lifetime'
READ = Shnd.Access.READ


def is_mapped():
    with open('/proc/self/maps', encoding='utf-8') as maps:
        return any(f'{SHM}/{NAME}' in line for line in maps)


def run(code, *args, check=True):
    """Runs code in another interpreter and returns what it printed."""
    result = subprocess.run([sys.executable, '-B', '-c', textwrap.dedent(code), *args], text=True,
                            stdout=subprocess.PIPE, check=False, timeout=120)
    if check and result.returncode != 0:
        raise AssertionError(f'Exit status {result.returncode}: {result.stdout}')
    return result.stdout.strip()


IMPORT = """
import sys
import gi
gi.require_version('Shnd', '1')
from gi.repository import GLib, Shnd
"""


class Lifetime(SharedTestCase):
    def setUp(self):
        gc.collect()
        gc.disable()
        Shnd.Array.new_from_array(NAME, np.arange(6, dtype='i4').reshape(2, 3),
                                  Shnd.CreateFlags.PERSISTENT)
        self.assertFalse(is_mapped())

    def tearDown(self):
        gc.enable()
        Shnd.unlink(NAME)

    def assert_keeps(self, make):
        """What `make` gives shows the memory by itself, and lets go of it by counting alone."""
        for close in (False, True):
            with self.subTest(close=close):
                array = Shnd.Array.open(NAME)
                array[0, 0]
                shown = make(array)
                if close:
                    array.close()
                del array
                self.assertTrue(is_mapped())
                np.testing.assert_array_equal(np.asarray(shown).reshape(-1), np.arange(6))
                del shown
                self.assertFalse(is_mapped())

    def test_array_alone(self):
        array = Shnd.Array.open(NAME)
        self.assertTrue(is_mapped())
        reference = weakref.ref(array)
        del array
        self.assertFalse(is_mapped())
        self.assertIsNone(reference())

    def test_used_array(self):
        array = Shnd.Array.open(NAME)
        array[0, 0] = 0
        array.get()
        list(array)
        repr(array)
        len(array)
        del array
        self.assertFalse(is_mapped())

    def test_closed_array(self):
        array = Shnd.Array.open(NAME)
        array[0, 0] = 0
        array.close()
        self.assertFalse(is_mapped())

    def test_numpy_views(self):
        self.assert_keeps(lambda array: array.get())
        self.assert_keeps(lambda array: array[...])
        self.assert_keeps(lambda array: array[0:2][:, 0:3])
        self.assert_keeps(lambda array: array.get().view())
        self.assert_keeps(lambda array: array.T.get().T)
        self.assert_keeps(lambda array: array.__array__())
        self.assert_keeps(lambda array: array.data)
        self.assert_keeps(np.from_dlpack)
        self.assert_keeps(lambda array: array.reshape(6).get())

    def test_array_interface(self):
        # NumPy holds the array itself here, which must not lose the memory by close().
        for structured in (False, True):
            array = Shnd.Array.open(NAME)
            if structured:
                array = Shnd.Array.open_segment(NAME, [('a', 'i4')], (2, 3), offset=4096)
            shown = np.asarray(array)
            array.close()
            del array
            self.assertTrue(is_mapped())
            self.assertEqual(shown.astype('i4')[1, 2], 5)
            del shown
            self.assertFalse(is_mapped())

    def test_temporary(self):
        self.assertEqual(Shnd.Array.open(NAME)[1, 2], 5)
        self.assertEqual(Shnd.Array.open(NAME)[:][1, 2], 5)
        self.assertEqual(Shnd.Array.open(NAME).get()[1, 2], 5)
        self.assertEqual(Shnd.Array.open(NAME, READ).T.index(0, 2)[:][1], 5)
        self.assertFalse(is_mapped())

    def test_bytes(self):
        for make in (lambda array: array.get_bytes(), lambda array: array.get_memory()[0],
                     lambda array: array.get_cow_bytes()):
            kept = make(Shnd.Array.open(NAME))
            self.assertTrue(is_mapped())
            self.assertEqual(kept.get_data(), np.arange(6, dtype='i4').tobytes())
            del kept
            self.assertFalse(is_mapped())

    def test_views(self):
        view = Shnd.Array.open(NAME).T.slice(0, step=-1)
        self.assertTrue(is_mapped())
        self.assertEqual(view[0, 1], 5)
        del view
        self.assertFalse(is_mapped())

    def test_with(self):
        with Shnd.Array.open(NAME) as array:
            kept = array[0]
        self.assertTrue(array.closed)
        self.assertTrue(is_mapped())
        self.assertEqual(kept.tolist(), [0, 1, 2])
        del kept
        self.assertFalse(is_mapped())

    def test_private_bytes(self):
        array = Shnd.Array.open(NAME)
        private = array.get_cow_bytes()
        array[0, 0] = 9
        self.assertEqual(private.get_data()[0], 9)
        array[0, 0] = 0

    def test_after_unlink(self):
        name = NAME + '2'
        view = Shnd.Array.new_from_array(name, np.arange(3)).get()
        Shnd.unlink(name)
        np.testing.assert_array_equal(view, np.arange(3))

    def test_dispose(self):
        array = Shnd.Array.open(NAME)
        view = array.get()
        array.run_dispose()
        self.assertTrue(array.closed)
        self.assertEqual(view[1, 2], 5)
        self.assertEqual(array[1, 2], 5)

    def test_no_leaks(self):
        def use():
            array = Shnd.Array.open(NAME)
            array[0, 0] = array[1, 2]
            array.get_element(0, 0)
            array.T.get()
            array[0, 0] = 0
            with array:
                np.asarray(array)
            with self.assertRaises(GLib.Error):
                Shnd.Array.open(NAME + 'none')

        def count():
            with open('/proc/self/maps', encoding='utf-8') as maps:
                return len(os.listdir('/proc/self/fd')), len(maps.readlines())

        for _ in range(20):
            use()
        before = count()
        for _ in range(500):
            use()
        files, mappings = count()
        self.assertEqual(files, before[0])
        self.assertLess(mappings, before[1] + 50)

    def test_threads(self):
        errors = []

        def work(number):
            try:
                for _ in range(200):
                    array = Shnd.Array.open(NAME + 'thread')
                    array[number] += 1
                    array.close()
            except Exception as error:
                errors.append(error)

        counters = Shnd.Array.new(NAME + 'thread', 'i8', 4)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counters.unlink()
        self.assertEqual(errors, [])
        self.assertEqual(counters[:].tolist(), [200] * 4)


class Names(SharedTestCase):
    """Whatever shows the memory keeps the name, and the last one takes it along."""

    def setUp(self):
        gc.collect()
        gc.disable()

    def tearDown(self):
        gc.enable()

    def test_shown(self):
        makers = {
            'the array': lambda array: array,
            'another handle': lambda array: Shnd.Array.open(NAME),
            'one for reading': lambda array: Shnd.Array.open(NAME, READ),
            'a view': lambda array: array.T.slice(0, 1),
            'NumPy': lambda array: array.get()[1:],
            'NumPy, of one for reading': lambda array: Shnd.Array.open(NAME, READ)[0],
            'memoryview': lambda array: array.data,
            'DLPack': np.from_dlpack,
            'bytes': lambda array: array.get_bytes(),
        }
        for what, make in makers.items():
            with self.subTest(what):
                array = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='i4').reshape(2, 3))
                kept = make(array)
                del array
                self.assertEqual(own_names(), [NAME])
                self.assertEqual(Shnd.Array.open(NAME)[1, 2], 5)
                self.assertEqual(own_names(), [NAME])
                del kept
                self.assertEqual(own_names(), [])
                self.assert_error(Shnd.Error.NOT_FOUND, NAME, Shnd.Array.open, NAME)

    def test_not_shown(self):
        """A copy of the bytes, or a private mapping, is not the array."""
        array = Shnd.Array.new_from_array(NAME, np.arange(6))
        private = array.get_cow_bytes()
        del array
        self.assertEqual(own_names(), [])
        self.assertEqual(private.get_data(), np.arange(6).tobytes())

    def test_closed(self):
        array = Shnd.Array.new(NAME, 'i4', 3)
        array.close()
        self.assertEqual(own_names(), [])
        array = Shnd.Array.new(NAME, 'i4', 3)
        shown = array.get()
        array.close()
        self.assertEqual(own_names(), [NAME])
        del shown
        self.assertEqual(own_names(), [])

    def test_persistent(self):
        array = Shnd.Array.new(NAME, 'i4', 3, Shnd.CreateFlags.PERSISTENT)
        self.assertTrue(array.get_persistent())
        del array
        self.assertEqual(own_names(), [NAME])
        array = Shnd.Array.open(NAME, READ)
        self.assertTrue(array.get_persistent())
        array.close()
        self.assertEqual(own_names(), [NAME])
        Shnd.unlink(NAME)

    def test_end_of_interpreter(self):
        """A script that ends gives back what it holds, whether or not Python tidies up."""
        make = IMPORT + "array = Shnd.Array.new(sys.argv[1], 'i4', 3)\n"
        run(make, NAME)
        self.assertEqual(own_names(), [])
        run(make + "view = array.get()\narray.itself = array\nsys.exit(0)\n", NAME)
        self.assertEqual(own_names(), [])
        self.assertRaises(AssertionError, run, make + 'raise KeyError\n', NAME)
        self.assertEqual(own_names(), [])

    def test_abrupt_end(self):
        """What one leaves that has no time for that is nobody's: it is not found."""
        make = IMPORT + "import os\narray = Shnd.Array.new(sys.argv[1], 'i4', 3)\nos._exit(0)\n"
        run(make, NAME)
        self.assert_error(Shnd.Error.NOT_FOUND, NAME, Shnd.Array.open, NAME)
        # A new one can have the name.
        array = Shnd.Array.new(NAME, 'u1', 5)
        self.assertEqual(Shnd.Array.open(NAME).shape, (5,))
        array.close()
        self.assertEqual(own_names(), [])
        run(make, NAME)
        # Another test may do the same at this moment, and be the one that is told the name.
        Shnd.reap()
        self.assertEqual(own_names(), [])


class Processes(SharedTestCase):
    def test_both_ways(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(6, dtype='>f4').reshape(2, 3).T)
        try:
            printed = run(IMPORT + """
                array = Shnd.Array.open(sys.argv[1])
                print(array.dtype.str, array.shape, array.order.value_nick, array[2, 1])
                array[0, 0] = 99
                array.T.slice(0, 1).fill(7)
                """.replace('\n                ', '\n'), NAME)
            self.assertEqual(printed, '>f4 (3, 2) fortran 5.0')
            np.testing.assert_array_equal(array.get(), [[99, 7], [1, 7], [2, 7]])
        finally:
            array.unlink()

    def test_talking(self):
        array = Shnd.Array.new(NAME, 'i4', 2)
        try:
            code = IMPORT + textwrap.dedent("""
                array = Shnd.Array.open(sys.argv[1])
                for line in sys.stdin:
                    array[1] = array[0] * 2
                    print('done', flush=True)
                """)
            with subprocess.Popen([sys.executable, '-B', '-c', code, NAME], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                for value in (3, 5, 8):
                    array[0] = value
                    process.stdin.write('go\n')
                    process.stdin.flush()
                    self.assertEqual(process.stdout.readline(), 'done\n')
                    self.assertEqual(array[1], 2 * value)
                process.stdin.close()
                self.assertEqual(process.wait(60), 0)
            # Who opened it, and is gone, has removed nothing.
            self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))
        finally:
            array.unlink()

    def test_made_elsewhere(self):
        run(IMPORT + textwrap.dedent("""
            array = Shnd.Array.new_from_array(sys.argv[1], [[1, 2], [3, 4]],
                                              Shnd.CreateFlags.PERSISTENT)
            """), NAME)
        try:
            self.assertEqual(Shnd.Array.open(NAME)[1, 0], 3)
        finally:
            Shnd.unlink(NAME)

    def test_fork(self):
        array = Shnd.Array.new(None, 'i4', 2)
        child = os.fork()
        if child == 0:
            array[1] = 42
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(array[1], 42)

    def test_name_after_fork(self):
        """Of a parent and its child the last one takes the name along."""
        for last in ('parent', 'child'):
            with self.subTest(last):
                array = Shnd.Array.new(NAME, 'i4', 2)
                reading, writing = os.pipe()
                child = os.fork()
                if child == 0:
                    os.close(writing)
                    os.read(reading, 1)
                    array[1] = 42
                    array.close()
                    os._exit(0)
                os.close(reading)
                if last == 'child':
                    array.close()
                    self.assertEqual(Shnd.Array.open(NAME)[1], 0)
                os.close(writing)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
                if last == 'parent':
                    self.assertEqual(array[1], 42)
                    self.assertEqual(own_names(), [NAME])
                    array.close()
                self.assertEqual(own_names(), [])


WITHOUT = "import sys\nsys.modules['numpy'] = None\n" + IMPORT


class WithoutNumPy(unittest.TestCase):
    def test_all_but_numpy(self):
        printed = run(WITHOUT + textwrap.dedent("""
            import os
            array = Shnd.Array.new(sys.argv[1], 'f4', (2, 3))
            assert isinstance(array.dtype, Shnd.DType), array.dtype
            assert array.dtype == Shnd.DType('<f4')
            assert array.shape == (2, 3) and len(array) == 2 and array.strides == (12, 4)
            array.set_element((1, 2), 5)
            assert Shnd.Array.open(sys.argv[1]).get_element(1, 2) == 5
            assert array.T.get_double(2, 1) == 5
            array.write_bytes(bytearray(24))
            assert array.get_int64(1, 2) == 0
            array.fill(3)
            assert array.dup().get_element(0, 0) == 3
            array.copy_from(Shnd.Array.new_from_bytes(None, 'u1', 3, b'abc'))
            assert array.get_element(1, 2) == ord('c')
            for dtype, text in ((float, '<f8'), (int, '<i8'), (bool, '|b1'), (complex, '<c16'),
                                (str, '<U0'), (bytes, '|S0'), ('>i2', '>i2'),
                                ([('a', 'i4'), ('b', 'f8')], "[('a', '<i4'), ('b', '<f8')]"),
                                (('f4', (2, 3)), "('<f4', (2, 3))")):
                assert str(Shnd.DType(dtype)) == text, text
            time = Shnd.Array.new(None, 'M8[s]', 1)
            time.set_element(0, 5)
            assert time.get_element(0) == 5
            struct = Shnd.Array.new(None, [('a', 'u1'), ('b', 'f4', (2,))], 1)
            struct.set_element(0, {'a': 1, 'b': (2, 3)})
            assert struct.get_element(0) == (1, [2.0, 3.0])

            def fails(kind, function, *args):
                try:
                    function(*args)
                except kind:
                    return
                raise AssertionError((kind, function, args))

            fails(ImportError, array.get)
            fails(ImportError, array.__getitem__, 0)
            fails(ImportError, array.__setitem__, 0, 1)
            fails(ImportError, iter, array)
            fails(ImportError, lambda: array.data)
            fails(ImportError, lambda: array.dtype.numpy)
            fails(ImportError, Shnd.Array.new_from_array, None, [1])
            fails(ImportError, array.copy_from, [1])
            fails(GLib.Error, Shnd.DType, 'f4,f4')
            fails(GLib.Error, Shnd.DType, 'float33')
            for wrong in (None, 3, object, {'names': []}):
                fails(TypeError, Shnd.DType, wrong)
            fails(TypeError, Shnd.Array.new_from_bytes, None, 'u1', 3, 'abc')
            fails(TypeError, time.set_element, 0, '2020')
            array.unlink()
            print('fine', 'numpy.core' in sys.modules)
            """), NAME)
        self.assertEqual(printed, 'fine False')


if __name__ == '__main__':
    main()
