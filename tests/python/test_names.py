# SPDX-License-Identifier: MIT

"""Names: who holds them, how they go, what is listed, and waiting for one."""

import gc
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time

import numpy as np
from array_support import FORTRAN, NAME, READ, STRUCT, ArrayTestCase, Error
from process_support import Child, Thread, finish, iterate_until, wait_until
from support import PREFIX, SHM, Gio, GLib, Shnd, count_handles, main

PERSISTENT = Shnd.CreateFlags.PERSISTENT
OTHER = NAME + '-other'


def exists(name=NAME):
    return os.path.exists(f'{SHM}/{name}')


def own(names):
    """Other tests run at the same time."""
    return [name for name in names if name.startswith(PREFIX)]


def make_orphan(name=NAME, n=3):
    """Made by a process that is killed."""
    def run(connection):
        array = Shnd.Array.new_from_array(name, np.arange(n))
        connection.send('made')
        connection.recv()
        del array

    with Child(run) as child:
        child.receive()
        child.kill()


def remove_all():
    for name in own(os.listdir(SHM)):
        os.unlink(f'{SHM}/{name}')


class NamesTestCase(ArrayTestCase):
    def tearDown(self):
        remove_all()


class Lifetime(NamesTestCase):
    def test_goes_with_the_last_holder(self):
        array = Shnd.Array.new(NAME, 'u1', 3)
        self.assertIs(array.persistent, False)
        self.assertIs(array.synchronizable, True)
        reader = Shnd.Array.open(NAME, READ)
        view = reader.slice(0, 0, 2)
        elements = view.get()
        array.close()
        self.assertTrue(exists())
        reader.close()
        view.close()
        # NumPy's view keeps the memory, and with it the name.
        self.assertTrue(exists())
        del elements
        self.assertFalse(exists())

    def test_persistent(self):
        for flags in (PERSISTENT, PERSISTENT | FORTRAN, int(PERSISTENT)):
            array = Shnd.Array.new_from_array(NAME, np.zeros((2, 3)), flags)
            self.assertIs(array.persistent, True)
            self.assertIs(array.get_persistent(), True)
            array.close()
            self.assertTrue(exists())
            array = Shnd.Array.open(NAME)
            self.assertIs(array.persistent, True)
            self.assertEqual(array.shape, (2, 3))
            array.unlink()
            self.assertFalse(exists())
        self.assertTrue(Shnd.Array.new(None, 'u1', 1).dup(NAME, PERSISTENT).persistent)
        self.assertTrue(exists())

    def test_reader_that_ends_removes_nothing(self):
        array = Shnd.Array.new(NAME, 'u1', 3)
        for end in (lambda: None, lambda: os._exit(0), lambda: os.kill(os.getpid(), 9)):
            def run(connection, end=end):
                opened = Shnd.Array.open(NAME)
                end()
                opened.close()

            with Child(run) as child:
                child.join()
            self.assertTrue(exists())
        array.close()
        self.assertFalse(exists())

    def test_exit_gives_back(self):
        code = """
import os, sys, gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
array = Shnd.Array.new(sys.argv[1], 'u1', 3)
cycle = [array]
cycle.append(cycle)
"""
        for end, status in (('', 0), ('sys.exit(3)', 3), ('raise SystemExit(4)', 4), ('1 / 0', 1)):
            result = subprocess.run([sys.executable, '-B', '-c', code + end, NAME], check=False,
                                    stderr=subprocess.DEVNULL, timeout=100)
            self.assertEqual(result.returncode, status)
            self.assertFalse(exists(), end)

    def test_interrupt_gives_back(self):
        """The interpreter ends itself with the signal, while another thread has the array."""
        code = """
import signal, sys, threading, gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
signal.signal(signal.SIGINT, signal.default_int_handler)
array = Shnd.Array.new(sys.argv[1], 'u1', 3)
threading.Thread(target=array.wait, daemon=True).start()
signal.raise_signal(signal.SIGINT)
"""
        result = subprocess.run([sys.executable, '-B', '-c', code, NAME], check=False,
                                stderr=subprocess.DEVNULL, timeout=100)
        self.assertEqual(result.returncode, -signal.SIGINT)
        self.assertFalse(exists())


class Orphans(NamesTestCase):
    def test_not_found(self):
        make_orphan()
        self.assertTrue(exists())
        for access in (READ, Shnd.Access.READ_WRITE):
            self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open, NAME, access)
        self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open_descriptor, 'shnd:' + NAME)
        self.assertNotIn(NAME, Shnd.list_names())

        info = Shnd.ArrayInfo.new(NAME)
        self.assertEqual((info.held, info.orphaned, info.persistent), (False, True, False))
        self.assertIn('orphaned', repr(info))
        self.assertIn(NAME, [info.name for info in Shnd.list_infos()])

    def test_name_is_free(self):
        make_orphan()
        array = Shnd.Array.new(NAME, 'u1', 7)
        self.assertEqual(Shnd.Array.open(NAME).shape, (7,))
        self.assert_error(Error.EXISTS, NAME, Shnd.Array.new, NAME, 'u1', 7)
        array.close()
        make_orphan()
        self.assertTrue(Shnd.unlink(NAME))
        self.assertFalse(exists())

    def test_reap(self):
        held = Shnd.Array.new(OTHER, 'u1', 1)
        persistent = Shnd.Array.new(OTHER + '-persistent', 'u1', 1, PERSISTENT)
        persistent.close()
        with open(f'{SHM}/{OTHER}-foreign', 'wb') as file:
            file.write(b'x' * 10000)
        np.save(f'{SHM}/{OTHER}-foreign.npy', np.zeros(3))

        # Another process may reap at the same time, and then it is told the names.
        told = []
        for _ in range(20):
            make_orphan(NAME)
            make_orphan(NAME + '-2')
            told += own(Shnd.reap())
            wait_until(lambda: not exists(NAME) and not exists(NAME + '-2'))
            if {NAME, NAME + '-2'} <= set(told):
                break
        self.assertEqual(set(told), {NAME, NAME + '-2'})
        self.assertEqual(sorted(own(os.listdir(SHM))), [
            OTHER, OTHER + '-foreign', OTHER + '-foreign.npy', OTHER + '-persistent'])
        self.assertEqual(own(Shnd.reap()), [])
        self.assertFalse(held.closed)

    def test_killed_reader_leaves_none(self):
        array = Shnd.Array.new(NAME, 'u1', 1)

        def run(connection):
            Shnd.Array.open(NAME)[0] = 1
            kept = Shnd.Array.open(NAME)
            connection.send('open')
            connection.recv()
            kept.close()

        with Child(run) as child:
            child.receive()
            child.kill()
        self.assertEqual(own(Shnd.reap()), [])
        self.assertEqual(array[0], 1)
        self.assertTrue(Shnd.ArrayInfo.new(NAME).held)


class Lists(NamesTestCase):
    def get_infos(self):
        return {info.name: info for info in Shnd.list_infos() if info.name.startswith(PREFIX)}

    def test_names(self):
        self.assertEqual(own(Shnd.list_names()), [])
        arrays = [Shnd.Array.new(NAME + end, 'u1', 1) for end in ('b', 'ä', '', 'c' * 100)]
        names = sorted((array.name for array in arrays), key=os.fsencode)
        listed = own(Shnd.list_names())
        self.assertIsInstance(listed, list)
        self.assertEqual(listed, names)
        self.assertEqual(own(info.name for info in Shnd.list_infos()), names)
        arrays.pop().close()
        arrays.pop().unlink()
        self.assertEqual(own(Shnd.list_names()), sorted(array.name for array in arrays))

    def test_fields(self):
        source = np.zeros((2, 3), STRUCT, order='F')
        array = Shnd.Array.new_from_array(NAME, source, Shnd.CreateFlags.GROUP_READ)
        before = count_handles()
        for info in (Shnd.ArrayInfo.new(NAME), self.get_infos()[NAME]):
            self.assertIsInstance(info, Shnd.ArrayInfo)
            self.assertEqual(info.name, NAME)
            self.assertEqual(info.dtype, STRUCT)
            self.assertIsInstance(info.dtype, np.dtype)
            self.assertEqual(info.shape, (2, 3))
            self.assertIsInstance(info.shape, tuple)
            self.assertEqual((info.ndim, info.n_dims), (2, 2))
            self.assertEqual((info.nbytes, info.n_bytes), (source.nbytes, source.nbytes))
            self.assertEqual(info.strides, (STRUCT.itemsize, 2 * STRUCT.itemsize))
            self.assertIsInstance(info.strides, tuple)
            self.assertEqual((info.data_offset, info.path), (4096, f'{SHM}/{info.name}'))
            self.assertEqual((info.sequence, info.locked), (0, False))
            self.assertEqual(info.order, Shnd.Order.FORTRAN)
            self.assertEqual(info.file_size, os.stat(f'{SHM}/{NAME}').st_size)
            self.assertEqual(info.uid, os.getuid())
            self.assertEqual(info.mode, 0o640)
            self.assertEqual(info.mode, stat.S_IMODE(os.stat(f'{SHM}/{NAME}').st_mode))
            for name, value in (('persistent', False), ('held', True), ('orphaned', False),
                                ('synchronizable', True)):
                self.assertIs(getattr(info, name), value)
                self.assertIs(getattr(info, 'get_' + name)(), value)
                self.assertIs(info.get_property(name), value)
            self.assertEqual(repr(info), f"<Shnd.ArrayInfo {NAME!r} shape=(2, 3) dtype="
                             f"{array.get_dtype().to_string()!r} held>")
            for name in ('name', 'path', 'shape', 'strides', 'held', 'locked'):
                with self.assertRaises(AttributeError):
                    setattr(info, name, None)
        # Nothing was mapped, and nothing is kept.
        self.assertEqual(count_handles(), before)
        array.close()
        self.assertFalse(exists())
        # What it says is of then.
        self.assertTrue(info.held)

    def test_the_same_without_override(self):
        Shnd.Array.new(NAME, '>i2', (4, 5), PERSISTENT).close()
        info = Shnd.ArrayInfo.new(NAME)
        self.assertEqual((info.get_name(), info.get_shape(), info.get_n_dims(), info.get_n_bytes()),
                         (NAME, [4, 5], 2, 40))
        self.assertEqual(info.get_dtype(), Shnd.DType('>i2'))
        self.assertEqual(info.get_order(), Shnd.Order.C)
        self.assertEqual((info.get_uid(), info.get_mode()), (os.getuid(), 0o600))
        self.assertEqual(info.get_file_size() % 4096, 0)
        self.assertEqual((info.get_strides(), info.get_data_offset(), info.get_path()),
                         ([10, 2], 4096, f'{SHM}/{NAME}'))
        self.assertEqual((info.get_sequence(), info.get_locked()), (0, False))
        self.assertEqual((info.get_persistent(), info.get_held(), info.get_orphaned()),
                         (True, False, False))
        self.assertIs(info.get_synchronizable(), True)
        self.assertIn('persistent', repr(info))

    def test_what_others_made(self):
        for name, content in (('empty', b''), ('raw', bytes(4096)), ('text', b'hello'),
                              ('cut', b'\x93NUMPY\x01\x00\x76')):
            with open(f'{SHM}/{NAME}-{name}', 'wb') as file:
                file.write(content)
        os.mkfifo(f'{SHM}/{NAME}-fifo')
        os.symlink('/dev/zero', f'{SHM}/{NAME}-link')
        np.save(f'{SHM}/{NAME}.npy', np.zeros((2, 2)))
        with open(f'{SHM}/{NAME}-big', 'wb') as file:
            np.lib.format.write_array_header_1_0(
                file, {'descr': '<f8', 'fortran_order': False, 'shape': (1 << 40,)})

        # A .npy file is an array, if it is all there; nobody leases it.
        self.assertEqual(own(Shnd.list_names()), [NAME + '.npy'])
        infos = self.get_infos()
        self.assertEqual(list(infos), [NAME + '.npy'])
        info = infos[NAME + '.npy']
        self.assertEqual((info.persistent, info.held, info.orphaned, info.synchronizable),
                         (True, False, False, False))
        for name, code in (('empty', Error.INVALID_FORMAT), ('raw', Error.INVALID_FORMAT),
                           ('cut', Error.INVALID_FORMAT), ('big', Error.TOO_SMALL),
                           ('none', Error.NOT_FOUND)):
            self.assert_error(code, name, Shnd.ArrayInfo.new, f'{NAME}-{name}')
        for name in ('fifo', 'link'):
            self.assertRaises(GLib.Error, Shnd.ArrayInfo.new, f'{NAME}-{name}')
        self.assert_error(Error.INVALID_NAME, 'slash', Shnd.ArrayInfo.new, 'a/b')
        self.assert_all_refused({TypeError: (None, 1, b'a'), ValueError: ('a\0b',)},
                                Shnd.ArrayInfo.new)

    def test_copy_of_a_file(self):
        array = Shnd.Array.new(NAME, 'u1', 3)
        subprocess.run(['cp', f'{SHM}/{NAME}', f'{SHM}/{OTHER}'], check=True)
        info = Shnd.ArrayInfo.new(OTHER)
        self.assertEqual((info.persistent, info.held, info.orphaned, info.synchronizable),
                         (True, False, False, True))
        array.close()
        self.assertEqual(own(Shnd.reap()), [])
        self.assertEqual(own(os.listdir(SHM)), [OTHER])

    def test_lock_and_counter(self):
        array = Shnd.Array.new(NAME, 'u1', 3)

        def look():
            infos = [Shnd.ArrayInfo.new(NAME), self.get_infos()[NAME],
                     Shnd.ArrayInfo.new_for_path(f'{SHM}/{NAME}')]
            found = {(info.sequence, info.locked) for info in infos}
            self.assertEqual(len(found), 1)
            return found.pop()

        def lock_and_stay(connection):
            array = Shnd.Array.open(NAME)
            array.lock()
            connection.send('locked')
            connection.recv()

        self.assertEqual(look(), (0, False))
        array.update()
        with array.lock():
            self.assertEqual(look(), (1, True))
        self.assertEqual(look(), (1, False))
        with Child(lock_and_stay) as child:
            child.receive()
            self.assertEqual(look(), (1, True))
            child.kill()
        # The dead do not have it, and to look does not hide that from those who lock.
        self.assertEqual(look(), (1, False))
        with array.lock() as lock:
            self.assertTrue(lock.recovered)

    def test_path(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'ä.npy'
            link = pathlib.Path(folder) / 'link'
            np.save(path, np.zeros((3, 5), STRUCT, order='F'))
            link.symlink_to(path)
            before = count_handles()
            for which in (path, str(path), os.fsencode(path), link):
                info = Shnd.ArrayInfo.new_for_path(which)
                self.assertEqual((info.name, info.path), (None, os.fsdecode(which)))
                mapped = np.load(path, mmap_mode='r')
                self.assertEqual((info.dtype, info.shape, info.strides, info.data_offset),
                                 (STRUCT, (3, 5), mapped.strides, mapped.offset))
                self.assertEqual((info.file_size, info.n_bytes),
                                 (path.stat().st_size, mapped.nbytes))
                self.assertEqual((info.persistent, info.held, info.orphaned, info.synchronizable,
                                  info.sequence, info.locked), (True, False, False, False, 0,
                                                                False))
                self.assertIn(os.fsdecode(which), repr(info))
                del mapped
            self.assertEqual(count_handles(), before)

            path.write_bytes(b'hello')
            self.assert_error(Error.INVALID_FORMAT, str(path), Shnd.ArrayInfo.new_for_path, path)
            self.assert_error(Error.INVALID_FORMAT, 'regular', Shnd.ArrayInfo.new_for_path, folder)
            path.unlink()
            self.assert_error(Error.NOT_FOUND, str(link), Shnd.ArrayInfo.new_for_path, link)
        self.assert_all_refused({TypeError: (None, 1), ValueError: ('a\0b',)},
                                Shnd.ArrayInfo.new_for_path)

    def test_empty_info(self):
        info = Shnd.ArrayInfo()
        self.assertIsNone(info.name)
        self.assertIsNone(info.path)
        self.assertEqual((info.shape, info.strides), ((0,), (1,)))
        self.assertFalse(info.held or info.orphaned or info.synchronizable or info.locked)
        repr(info)

    def test_many(self):
        arrays = [Shnd.Array.new(f'{NAME}-{i:04}', 'u1', 1) for i in range(500)]
        before = count_handles()
        self.assertEqual(own(Shnd.list_names()), [array.name for array in arrays])
        self.assertEqual(len(self.get_infos()), 500)
        self.assertEqual(count_handles(), before)


class Waiting(NamesTestCase):
    """For a name."""

    def open(self, access=READ, **kwargs):
        return finish(lambda done: Shnd.Array.open_wait_async(NAME, access, None, done, **kwargs),
                      lambda source, result: Shnd.Array.open_wait_finish(result))

    def test_there_already(self):
        array = Shnd.Array.new(NAME, 'u1', 3)
        for timeout in (0, 0.0, 1, None):
            opened = Shnd.Array.open(NAME, timeout=timeout)
            self.assertEqual(opened.shape, array.shape)
            self.assertEqual(Shnd.Array.open_wait(NAME, READ, timeout=timeout).access, READ)
        self.assertEqual(self.open(READ).access, READ)

    def test_comes(self):
        for way in (lambda: Shnd.Array.open(NAME, timeout=None),
                    lambda: Shnd.Array.open(NAME, READ, timeout=100),
                    lambda: Shnd.Array.open_wait(NAME),
                    lambda: Thread(Shnd.Array.open_wait, NAME).join(),
                    lambda: self.open(READ), lambda: self.open(timeout=100)):
            def run(connection):
                time.sleep(0.05)
                # Neither another name, nor a file that comes piece by piece.
                other = Shnd.Array.new(OTHER, 'u1', 9)
                time.sleep(0.02)
                array = Shnd.Array.new(NAME, 'i4', 5)
                connection.recv()
                del array, other

            with Child(run) as child:
                array = way()
                self.assertEqual((array.name, array.shape), (NAME, (5,)))
                child.send('end')
                self.assertEqual(child.join(), 0)
            array.close()

    def test_orphan_is_not_it(self):
        make_orphan()
        thread = Thread(Shnd.Array.open, NAME, timeout=None)
        time.sleep(0.1)
        self.assertTrue(thread.is_alive())
        array = Shnd.Array.new(NAME, 'u1', 7)
        self.assertEqual(thread.join().shape, array.shape)

    def test_in_time(self):
        self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open, NAME)
        self.assert_error(Error.NOT_FOUND, NAME, lambda: Shnd.Array.open(NAME, timeout=0))
        for timeout in (0.01, 0.2):
            start = time.monotonic()
            for call in (lambda: Shnd.Array.open(NAME, timeout=timeout),
                         lambda: Thread(Shnd.Array.open, NAME, timeout=timeout).join(),
                         lambda: self.open(timeout=timeout)):
                self.assert_error(Error.TIMED_OUT, NAME, call)
            self.assertGreaterEqual(time.monotonic() - start, 3 * timeout)
        self.assert_error(Error.TIMED_OUT, NAME, lambda: Shnd.Array.open_wait(NAME, timeout=0))
        self.assert_all_refused({TypeError: ('1', True, False, [0]), ValueError: (-1,)},
                                lambda timeout: Shnd.Array.open(NAME, timeout=timeout))
        with self.assertRaises(TypeError):
            Shnd.Array.open(NAME, READ, 1)
        self.assertRaises(TypeError, Shnd.Array.open_wait, 1)
        self.assertRaises(TypeError, Shnd.Array.open_wait_async, None)

    def test_what_is_no_array(self):
        with open(f'{SHM}/{NAME}', 'wb') as file:
            file.write(bytes(5000))
        self.assert_error(Error.INVALID_FORMAT, NAME, lambda: Shnd.Array.open(NAME, timeout=None))
        self.assert_error(Error.INVALID_FORMAT, NAME, self.open)
        self.assert_error(Error.INVALID_NAME, 'slash', lambda: Shnd.Array.open('a/b', timeout=1))

    def cancel(self):
        cancellable = Gio.Cancellable()
        thread = Thread(lambda: (time.sleep(0.05), cancellable.cancel()))
        results = []
        Shnd.Array.open_wait_async(NAME, READ, cancellable, lambda *args: results.append(args), 7)
        for call in (lambda: Shnd.Array.open(NAME, timeout=None, cancellable=cancellable),
                     lambda: Shnd.Array.open_wait(NAME, cancellable=cancellable),
                     lambda: iterate_until(lambda: results) or
                     Shnd.Array.open_wait_finish(results[0][1])):
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
        self.assertEqual((results[0][0], results[0][2:]), (None, (7,)))
        thread.join()

    def test_cancel(self):
        # The first time brings what the process needs for main loops at all.
        self.cancel()
        gc.collect()
        before = count_handles()
        for _ in range(5):
            self.cancel()
        gc.collect()
        self.assertEqual(count_handles(), before)


if __name__ == '__main__':
    main()
