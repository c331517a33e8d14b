# SPDX-License-Identifier: MIT

"""Arrays that go to other processes: pickled, by multiprocessing, as descriptors; and copies."""

import copy
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import threading

import numpy as np
from array_support import NAME, READ, READ_WRITE, STRUCT, ArrayTestCase, Error
from process_support import PATIENCE, end_queue, wait_until
from support import SHM, GLib, Shnd, count_handles, main

METHODS = ('spawn', 'fork', 'forkserver')
OTHER = NAME + '-other'


def views(array):
    """Some views of an array of shape (3, 4): (what, view)."""
    return [
        ('all', array),
        ('slice', array.slice(0, 0, 2)),
        ('reverse', array.slice(1, step=-1)),
        ('steps', array.slice(1, 1, 4, 2).index(0, 2)),
        ('index', array.index(1, 2)),
        ('one', array.index(0, 1).index(0, 3)),
        ('none', array.slice(0, 1, 1)),
        ('transposed', array.T),
        ('reshaped', array.reshape(1, 3, 4, 1)),
    ]


# What children run. They get it by its name.

def add_one(array):
    array[...] += 1
    return array.shape, str(array.dtype), array.name, array.access


def add_one_to_all(source, target):
    while True:
        array = source.get()
        if array is None:
            break
        add_one(array)
        target.put(array)


def answer(connection):
    array = connection.recv()
    connection.send((add_one(array), array))
    # Not before the other end has opened what is only kept here.
    connection.recv()


def count_up(array, n):
    for _ in range(n):
        with array.lock():
            array[0] += 1


def make_and_keep(name):
    # Nobody else gets it, and nothing frees it when the process ends.
    sys.modules[__name__].kept = Shnd.Array.new(name, 'i4', 3)


def make_late(name):
    def run():
        import time
        time.sleep(0.1)
        make_and_keep(name)

    # multiprocessing waits for it.
    threading.Thread(target=run).start()


def fail(array):
    sys.modules[__name__].kept = array.slice(0, 0, 1)
    sys.stderr = open(os.devnull, 'w')
    raise ValueError('for the test')


class Pickling(ArrayTestCase):
    def setUp(self):
        self.array = Shnd.Array.new_from_array(NAME, np.arange(12, dtype='f4').reshape(3, 4))

    def again(self, array):
        return pickle.loads(pickle.dumps(array))

    def assert_same_view(self, got, array):
        self.assertIsInstance(got, Shnd.Array)
        self.assertIsNot(got, array)
        self.assertEqual((got.name, got.shape, got.strides, got.dtype, got.access),
                         (array.name, array.shape, array.strides, array.dtype, array.access))
        np.testing.assert_array_equal(got.get(), array.get())

    def test_views(self):
        for order in 'CF':
            name = NAME + order
            source = np.arange(12, dtype='>i2').reshape(3, 4)
            array = Shnd.Array.new_from_array(name, source.copy(order=order))
            for access in (READ_WRITE, READ):
                for what, view in views(Shnd.Array.open(name, access)):
                    with self.subTest(order=order, access=access, view=what):
                        got = self.again(view)
                        self.assert_same_view(got, view)
                        self.assertEqual(got.get().flags.writeable, access == READ_WRITE)
                        # And that again.
                        self.assert_same_view(self.again(got), view)
                        # The same memory.
                        array[...] += 1
                        np.testing.assert_array_equal(got.get(), view.get())

    def test_dtypes(self):
        array = Shnd.Array.new(OTHER, STRUCT, (2, 3))
        array[1, 1] = (7, [[1, 2], [3, 4]], 'abc', (1j, b'xy'))
        for view in (array, array.field('place'), array.field('inner').field('raw').T):
            self.assert_same_view(self.again(view), view)
        for i, dtype in enumerate(('M8[25s]', '<U3', 'S0', 'V7', '?', '>c16')):
            array = Shnd.Array.new(f'{OTHER}{i}', dtype, ())
            with self.subTest(dtype=dtype):
                self.assert_same_view(self.again(array), array)

    def test_protocols(self):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            got = pickle.loads(pickle.dumps(self.array, protocol))
            self.assert_same_view(got, self.array)
        # Within other things.
        arrays = self.again({'a': [self.array, self.array], 'b': self.array.T})
        self.assertIs(arrays['a'][0], arrays['a'][1])
        self.assert_same_view(arrays['b'], self.array.T)
        # In few bytes, whatever the size is.
        self.assertLess(len(pickle.dumps(Shnd.Array.new(OTHER, 'f8', 10**6))), 300)

    def test_files(self):
        with tempfile.TemporaryDirectory(prefix='shnd test?%') as folder:
            path = f'{folder}/ä &.npy'
            np.save(path, np.arange(5))
            for access in (READ, READ_WRITE):
                array = Shnd.Array.open_path(path, access)
                self.assert_same_view(self.again(array), array)
                view = array.slice(0, 3, 0, -1)
                self.assert_same_view(self.again(view), view)
            data = pickle.dumps(array)
        self.assertRaises(FileNotFoundError, pickle.loads, data)

    def test_raw_segments(self):
        with open(f'{SHM}/{OTHER}', 'wb') as file:
            file.write(bytes(range(64)))
        self.addCleanup(os.unlink, f'{SHM}/{OTHER}')
        array = Shnd.Array.open_segment(OTHER, '<u2', (2, 3), 5)
        self.assert_same_view(self.again(array), array)
        self.assert_same_view(self.again(array.T), array.T)

    def test_gone(self):
        data = pickle.dumps(self.array)
        self.array.close()
        # Nothing, another array, and then one that has the same content.
        content = np.arange(12, dtype='f4').reshape(3, 4)
        for other in (None, content, np.zeros(3)):
            taken = None if other is None else Shnd.Array.new_from_array(NAME, other)
            with self.assertRaises(FileNotFoundError) as caught:
                pickle.loads(data)
            self.assertIn(NAME, str(caught.exception))
            cause = caught.exception.__cause__
            self.assertIsInstance(cause, GLib.Error)
            self.assertTrue(cause.matches(Shnd.Error.quark(), Error.NOT_FOUND))
            if taken:
                taken.close()
        # Or it has no name any more.
        array = Shnd.Array.new(NAME, 'u1', 3)
        data = pickle.dumps(array)
        array.unlink()
        self.assertRaises(FileNotFoundError, pickle.loads, data)
        self.assertRaises(FileNotFoundError, pickle.loads, pickle.dumps(array))

    def test_not_possible(self):
        for array in (Shnd.Array.new(None, 'u1', 3), Shnd.Array.new(None, 'u1', (3, 4)).T):
            with self.assertRaisesRegex(TypeError, 'without a name'):
                pickle.dumps(array)
        self.array.close()
        self.assert_error(Error.CLOSED, 'closed', pickle.dumps, self.array)

    def test_handle_is_its_own(self):
        got = self.again(self.array)
        self.array.lock()
        self.assertFalse(got.locked)
        self.assert_error(Error.TIMED_OUT, 'in time', lambda: got.lock(timeout=0))
        self.array.close()
        self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))
        got.lock(timeout=0)
        got.close()
        self.assertFalse(os.path.exists(f'{SHM}/{NAME}'))

    def test_without_import(self):
        """A process that has not even heard of the library."""
        code = 'import pickle, sys; print(pickle.load(sys.stdin.buffer)[1])'
        process = subprocess.run([sys.executable, '-B', '-c', code], check=True,
                                 input=pickle.dumps(self.array), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(process.stdout.strip(), b'[4. 5. 6. 7.]')
        self.assertEqual(process.stderr, b'')
        # What it can be told is in no namespace that it has loaded.
        data = pickle.dumps(self.array)
        self.array.close()
        process = subprocess.run([sys.executable, '-B', '-c', code], check=False, input=data,
                                 stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b'\nFileNotFoundError: [Errno 2] ', process.stderr)

    def test_descriptor(self):
        text = self.array.T.to_descriptor()
        self.assertTrue(text.startswith('shnd:'))
        self.assertEqual(text.split(), [text])
        self.assert_same_view(Shnd.Array.open_descriptor(text), self.array.T)
        self.assert_same_view(Shnd.Array.open_descriptor('shnd:' + NAME), self.array)
        for text in ('', 'x', 'shnd:', 'shnd:a?b=c'):
            self.assert_error(Error.INVALID_ARGUMENT, 'descriptor', Shnd.Array.open_descriptor,
                              text)
        self.assert_error(Error.NOT_FOUND, OTHER, Shnd.Array.open_descriptor, 'shnd:' + OTHER)
        self.assert_all_refused({TypeError: (None, 1, b'shnd:x'), ValueError: ('shnd:\0',)},
                                Shnd.Array.open_descriptor)

    def test_leaks(self):
        def use():
            for _, view in views(self.array):
                self.again(view).get()
                copy.copy(view).get()
                copy.deepcopy(view).get()

        use()
        gc.collect()
        before = count_handles()
        for _ in range(20):
            use()
        self.assertEqual(count_handles(), before)


class Copies(ArrayTestCase):
    def test_copy(self):
        for name in (NAME, None):
            array = Shnd.Array.new_from_array(name, np.arange(12).reshape(3, 4))
            for what, view in views(array):
                with self.subTest(name=name, view=what):
                    got = copy.copy(view)
                    self.assertIsNot(got, view)
                    self.assertEqual((got.name, got.strides, got.access),
                                     (view.name, view.strides, view.access))
                    array[...] += 1
                    np.testing.assert_array_equal(got.get(), view.get())
                    with view.lock(), self.assertRaises(GLib.Error):
                        got.lock(timeout=0)
            copy.copy(array).close()
            self.assertFalse(array.closed)

    def test_deepcopy(self):
        array = Shnd.Array.new_from_array(NAME, np.arange(12).reshape(3, 4))
        for what, view in views(Shnd.Array.open(NAME, READ)):
            with self.subTest(view=what):
                got = copy.deepcopy(view)
                self.assertIsNone(got.name)
                self.assertEqual(got.access, READ_WRITE)
                self.assertEqual(got.dtype, view.dtype)
                np.testing.assert_array_equal(got.get(), view.get())
                if got.size:
                    array[...] += 1
                    self.assertTrue((got.get() != view.get()).all())
        both = copy.deepcopy([array, array])
        self.assertIs(both[0], both[1])

    def test_closed(self):
        array = Shnd.Array.new(None, 'u1', 3)
        array.close()
        self.assert_error(Error.CLOSED, 'closed', copy.copy, array)
        self.assert_error(Error.CLOSED, 'closed', copy.deepcopy, array)


class Multiprocessing(ArrayTestCase):
    """By all ways to start a process."""

    def setUp(self):
        self.array = Shnd.Array.new_from_array(NAME, np.arange(12).reshape(3, 4))
        self.expected = self.array.get().copy()

    def each(self):
        for method in METHODS:
            with self.subTest(method=method):
                yield multiprocessing.get_context(method)

    def join(self, process):
        process.join(PATIENCE)
        self.assertEqual(process.exitcode, 0)

    def test_process(self):
        for context in self.each():
            process = context.Process(target=add_one, args=(self.array.slice(0, 0, 2),))
            process.start()
            self.join(process)
            self.expected[:2] += 1
            np.testing.assert_array_equal(self.array.get(), self.expected)
            self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))

    def test_queue(self):
        for context in self.each():
            there, back = context.Queue(), context.Queue()
            process = context.Process(target=add_one_to_all, args=(there, back))
            process.start()
            for view in (self.array, self.array.T, self.array.slice(0, 2, -1, -1)):
                there.put(view)
                got = back.get(timeout=PATIENCE)
                self.assertEqual((got.shape, got.strides), (view.shape, view.strides))
                self.expected += 1
                np.testing.assert_array_equal(self.array.get(), self.expected)
            there.put(None)
            self.join(process)
            end_queue(there)

    def test_pipe(self):
        for context in self.each():
            ours, theirs = context.Pipe()
            process = context.Process(target=answer, args=(theirs,))
            process.start()
            ours.send(self.array.index(0, 1))
            self.assertTrue(ours.poll(PATIENCE))
            what, array = ours.recv()
            ours.send('done')
            self.join(process)
            self.expected[1] += 1
            self.assertEqual(what[0], (4,))
            np.testing.assert_array_equal(array.get(), self.expected[1])
            np.testing.assert_array_equal(self.array.get(), self.expected)

    def test_pool(self):
        for context in self.each():
            with context.Pool(2) as pool:
                reader = Shnd.Array.open(NAME, READ)
                rows = [self.array.index(0, i) for i in range(3)]
                results = pool.map_async(add_one, rows).get(PATIENCE)
                self.assertEqual(results, [((4,), 'int64', NAME, READ_WRITE)] * 3)
                with self.assertRaisesRegex(ValueError, 'read-only'):
                    pool.apply_async(add_one, (reader,)).get(PATIENCE)
                self.expected += 1
                np.testing.assert_array_equal(self.array.get(), self.expected)
                pool.close()
                pool.join()

    def test_lock_in_pool(self):
        array = Shnd.Array.new(OTHER, 'i8', 1)
        expected = 0
        for context in self.each():
            with context.Pool(2) as pool:
                pool.starmap_async(count_up, [(array, 50)] * 4).get(PATIENCE)
                expected += 200
                self.assertEqual(array[0], expected)
                pool.close()
                pool.join()


class Ending(ArrayTestCase):
    """Children of multiprocessing that end give back what they have, though by os._exit()."""

    def assert_gone(self, name):
        self.assertFalse(os.path.exists(f'{SHM}/{name}'))

    def run_child(self, method, target, *args, exitcode=0):
        process = multiprocessing.get_context(method).Process(target=target, args=args)
        process.start()
        process.join(PATIENCE)
        self.assertEqual(process.exitcode, exitcode)

    def test_last_holder(self):
        for method in METHODS:
            for target in (make_and_keep, make_late):
                with self.subTest(method=method, target=target.__name__):
                    self.run_child(method, target, NAME)
                    if target is make_and_keep:
                        self.assert_gone(NAME)
                    else:
                        # It may come too late to be given back in order; then it is an orphan.
                        self.assertNotIn(NAME, Shnd.list_names())
                        if os.path.exists(f'{SHM}/{NAME}'):
                            Shnd.reap()
                        self.assert_gone(NAME)

    def test_failing_child(self):
        for method in METHODS:
            with self.subTest(method=method):
                array = Shnd.Array.new(NAME, 'u1', 3)
                self.run_child(method, fail, array, exitcode=1)
                self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))
                array.close()
                self.assert_gone(NAME)

    def test_parent_lets_go_first(self):
        for method in METHODS:
            with self.subTest(method=method):
                context = multiprocessing.get_context(method)
                ours, theirs = context.Pipe()
                array = Shnd.Array.new(NAME, 'u1', 3)
                process = context.Process(target=wait_for_end, args=(array, theirs))
                process.start()
                self.assertEqual(ours.recv(), 'ready')
                array.close()
                self.assertTrue(os.path.exists(f'{SHM}/{NAME}'))
                ours.send('end')
                process.join(PATIENCE)
                self.assertEqual(process.exitcode, 0)
                self.assert_gone(NAME)

    def test_import_comes_later(self):
        """Before or after multiprocessing, in the parent or only in the child."""
        code = """
import sys
IMPORT = 'import gi; gi.require_version("Shnd", "1"); from gi.repository import Shnd'
first, name = sys.argv[1:]
if first == 'shnd':
    exec(IMPORT)
    assert 'multiprocessing' not in sys.modules
import multiprocessing
if first == 'multiprocessing':
    exec(IMPORT)

def run(name):
    global kept
    exec(IMPORT, globals())
    kept = Shnd.Array.new(name, 'u1', 3)

if __name__ == '__main__':
    multiprocessing.set_start_method('fork')
    process = multiprocessing.Process(target=run, args=(name,))
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""
        for first in ('shnd', 'multiprocessing', 'neither'):
            with self.subTest(first=first):
                subprocess.run([sys.executable, '-B', '-c', code, first, NAME], check=True,
                               timeout=PATIENCE)
                self.assert_gone(NAME)

    def test_by_hand(self):
        """A child that ends by os._exit() can give back what it has."""
        for gives_back in (False, True):
            pid = os.fork()
            if pid == 0:
                array = Shnd.Array.new(NAME, 'u1', 3)
                if gives_back:
                    Shnd.release_names()
                    # What it has it can still use.
                    array[0] = 1
                os._exit(0 if array is not None else 1)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
            self.assertEqual(os.path.exists(f'{SHM}/{NAME}'), not gives_back)
            Shnd.reap()
            wait_until(lambda: not os.path.exists(f'{SHM}/{NAME}'))


def wait_for_end(array, connection):
    connection.send('ready')
    connection.recv()
    sys.modules[__name__].kept = array


if __name__ == '__main__':
    main()
