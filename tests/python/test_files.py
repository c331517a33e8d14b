# SPDX-License-Identifier: MIT

"""Array in Python: files on a disk, as arrays and into arrays; copies; pages on the disk and in
memory."""

import gc
import io
import os
import pathlib
import resource
import signal
import tempfile
import threading
import time
import traceback

import numpy as np
from array_support import FORTRAN, NAME, READ, ROW, SPARSE, STRUCT, ArrayTestCase, Error
from gi.repository import Gio
from support import (HAS_MLOCK, GLib, Shnd, count_handles, drop_to_nobody, in_child, main,
                     own_names)

CreateFlags = Shnd.CreateFlags
SyncFlags = Shnd.SyncFlags
MIB = 1024 * 1024


def cancelled():
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    return cancellable


def get_locked():
    with open('/proc/self/status', encoding='ascii') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith('VmLck'))


class FilesTestCase(ArrayTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / 'ä.npy'

    def assert_cancelled(self, function, *args, **kwargs):
        with self.assertRaises(GLib.Error) as caught:
            function(*args, **kwargs)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def run_async(self, start, finish, *args):
        """Starts with a callback; returns what `finish` gives for its result, or raises."""
        loop = GLib.MainLoop()
        seen = []

        def note(source, result, *data):
            seen.append((source, result, data))
            loop.quit()

        start(*args, note, 1, 'b')
        self.assertEqual(seen, [])
        loop.run()
        source, result, data = seen.pop()
        self.assertEqual(data, (1, 'b'))
        return source, finish(result)


class Load(FilesTestCase):
    def test_all_sorts(self):
        """What NumPy saves is what is loaded, whatever it is."""
        for expected in (np.arange(24.).reshape(2, 3, 4), np.asfortranarray(np.eye(5, 7)),
                         np.array([ROW] * 3, STRUCT), np.array(7, '>i2'), np.zeros((3, 0, 2)),
                         np.array(['a', 'bcd']), np.zeros(3, 'V0'),
                         np.arange(3000000, dtype='<u2')):
            np.save(self.path, expected)
            for name in (NAME, None):
                with self.subTest(dtype=expected.dtype, shape=expected.shape, name=name):
                    array = Shnd.Array.load(name, self.path)
                    self.assert_array(array, expected)
                    self.assertEqual(array.name, name)
                    self.assertEqual(array.get().flags.f_contiguous, expected.flags.f_contiguous)
                    self.assertTrue(array.get().flags.writeable)
                    if name is not None:
                        self.assert_array(Shnd.Array.open(name), expected)
                        self.assert_error(Error.EXISTS, NAME, Shnd.Array.load, NAME, self.path)
                        array.unlink()

    def test_arguments(self):
        np.save(self.path, np.arange(6))
        for spelling in (self.path, str(self.path), os.fsencode(self.path)):
            self.assert_array(Shnd.Array.load(None, spelling), np.arange(6))
        array = Shnd.Array.load(NAME, self.path, CreateFlags.GROUP_READ | SPARSE, progress=None,
                                cancellable=Gio.Cancellable())
        self.assertEqual(os.stat(f'/dev/shm/{NAME}').st_mode & 0o777, 0o640)
        array.unlink()
        load = Shnd.Array.load
        self.assert_error(Error.INVALID_ARGUMENT, 'FORTRAN', load, None, self.path, FORTRAN)
        self.assert_error(Error.INVALID_NAME, 'a/b', load, 'a/b', self.path)
        self.assert_error(Error.NOT_FOUND, 'none', load, None, self.folder / 'none')
        self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b',)},
                                lambda path: load(None, path))
        self.assert_all_refused({TypeError: (3, b'a'), ValueError: ('a\0b',)},
                                lambda name: load(name, self.path))
        self.assertRaises(TypeError, load, None, self.path, 'a')
        self.assertRaises(TypeError, load, None, self.path, cancellable=3)
        self.assertRaises(TypeError, load, None, self.path, cancellable=3, progress=print)
        self.assertRaises(TypeError, load, None, self.path, progress=3)
        self.assertRaises(TypeError, load, None)

    def test_progress_interrupted(self):
        """Where the handler of a signal raises an exception while the file is read."""
        class Interrupted(Exception):
            pass

        def interrupt(*_):
            raise Interrupted

        def run():
            signal.signal(signal.SIGUSR1, interrupt)
            for _ in range(20):
                begun = threading.Event()

                def send(begun=begun):
                    begun.wait()
                    os.kill(os.getpid(), signal.SIGUSR1)

                thread = threading.Thread(target=send)
                thread.start()
                try:
                    Shnd.Array.load(NAME, self.path, progress=lambda *_, begun=begun: begun.set())
                    # It may have been too fast, and is interrupted here.
                    time.sleep(1)
                    raise SystemExit('nobody is interrupted')
                except Interrupted as error:
                    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
                thread.join()
                if 'load' in frames:
                    assert own_names() == []
                    return
            raise SystemExit('load() is never interrupted')

        with open(self.path, 'wb') as file:
            header = {'descr': '|u1', 'fortran_order': False, 'shape': (64 * MIB,)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + 64 * MIB)
        self.assertEqual(in_child(run), 0)

    def test_terminal(self):
        """To look what is there gives nobody a terminal, which would end it with a signal later."""
        ends = os.openpty()
        path = os.ttyname(ends[1])

        def run():
            os.setsid()
            for function in (Shnd.ArrayInfo.new_for_path, Shnd.Array.open_path,
                             lambda path: Shnd.Array.load(None, path)):
                self.assert_error(Error.INVALID_FORMAT, path, function, path)
                self.assertRaises(OSError, os.open, '/dev/tty', os.O_RDWR)

        self.assertEqual(in_child(run), 0)
        for end in ends:
            os.close(end)

    def test_progress(self):
        np.save(self.path, np.zeros(6 * MIB, 'u1'))
        before = count_handles()
        seen = []
        Shnd.Array.load(None, self.path, progress=lambda *args: seen.append(args))
        self.assertEqual(seen, [(4 * MIB, 6 * MIB), (6 * MIB, 6 * MIB)])

        stop = Gio.Cancellable()
        self.assert_cancelled(Shnd.Array.load, NAME, self.path, cancellable=stop,
                              progress=lambda *_: stop.cancel())
        self.assert_cancelled(Shnd.Array.load, NAME, self.path, cancellable=stop)
        calls = []

        def fail(done, total):
            calls.append(done)
            raise KeyError('mine')

        for other in (None, Gio.Cancellable()):
            self.assertRaises(KeyError, Shnd.Array.load, NAME, self.path, cancellable=other,
                              progress=fail)
            if other is not None:
                self.assertFalse(other.is_cancelled())
        self.assertEqual(len(calls), 2)
        self.assertEqual(own_names(), [])
        gc.collect()
        self.assertEqual(count_handles(), before)

    def test_async(self):
        expected = np.arange(6).reshape(2, 3)
        np.save(self.path, expected)
        load_async, load_finish = Shnd.Array.load_async, Shnd.Array.load_finish

        def load(name, path, flags=0, cancellable=None):
            source, array = self.run_async(load_async, load_finish, name, path, flags, cancellable)
            self.assertIsNone(source)
            return array

        array = load(NAME, self.path)
        self.assert_array(array, expected)
        self.assert_error(Error.EXISTS, NAME, load, NAME, os.fsencode(self.path))
        array.unlink()
        self.assert_array(load(None, str(self.path), SPARSE, Gio.Cancellable()), expected)
        self.assert_cancelled(load, NAME, self.path, 0, cancelled())
        self.assert_error(Error.NOT_FOUND, 'none', load, None, self.folder / 'none')
        self.assertRaises(TypeError, load_async, None, 3)
        self.assertRaises(TypeError, load_async, 3, self.path)
        self.assertRaises(ValueError, load_async, None, 'a\0b')
        self.assertRaises(TypeError, load_async, None, self.path, 'a')
        self.assertRaises(TypeError, load_async, None, self.path, 0, 3)
        self.assertRaises(TypeError, load_async, None, self.path, 0, None, 3)
        self.assertRaises(TypeError, load_finish, None)
        self.assertEqual(own_names(), [])

    def test_bad_files(self):
        """Nothing is made from what is not whole, or not a file, or not to be read."""
        with io.BytesIO() as file:
            np.save(file, np.arange(100))
            content = file.getvalue()
        before = count_handles()
        for length in (*range(0, 128, 9), 127, 128, 500, len(content) - 1):
            self.path.write_bytes(content[:length])
            code = Error.TOO_SMALL if length >= 128 else Error.INVALID_FORMAT
            self.assert_error(code, str(self.path), Shnd.Array.load, NAME, self.path)
        for bad in (b'', b'PK\3\4' + content, content[:40] + b'x' + content[41:], content[::-1]):
            self.path.write_bytes(bad)
            self.assert_error(Error.INVALID_FORMAT, str(self.path), Shnd.Array.load, NAME,
                              self.path)
        fifo = self.folder / 'fifo'
        os.mkfifo(fifo)
        for path in (self.folder, fifo, '/dev/null', '/dev/zero', '/dev/full'):
            self.assert_error(Error.INVALID_FORMAT, str(path), Shnd.Array.load, NAME, path)
        # A file that has no size, and one whose size is not what can be read.
        self.assert_error(Error.INVALID_FORMAT, 'maps', Shnd.Array.load, NAME, '/proc/self/maps')
        self.path.unlink()
        self.path.symlink_to('ä.npy')
        self.assert_error(Error.PERMISSION_DENIED, 'ä', Shnd.Array.load, NAME, self.path)
        self.assertEqual(own_names(), [])
        self.assertEqual(count_handles(), before)

        self.path.unlink()
        self.path.write_bytes(content)
        self.path.chmod(0)
        self.folder.chmod(0o755)

        def run():
            drop_to_nobody()
            self.assert_error(Error.PERMISSION_DENIED, str(self.path), Shnd.Array.load, NAME,
                              self.path)
            self.assert_error(Error.PERMISSION_DENIED, str(self.path), Shnd.ArrayInfo.new_for_path,
                              self.path)

        self.assertEqual(in_child(run), 0)

    def test_cut_short(self):
        """A file that loses its end, or all, while it is read: an error, never a signal."""
        for left in (0, 1000, 5 * MIB):
            np.save(self.path, np.ones(12 * MIB, 'u1'))
            self.assert_error(
                Error.TOO_SMALL, 'cut short',
                lambda: Shnd.Array.load(NAME, self.path,
                                        progress=lambda *_: os.truncate(self.path, left)))
            self.assertEqual(own_names(), [])
        # One that is replaced, or removed, was opened before.
        np.save(self.path, np.ones(12 * MIB, 'u1'))
        array = Shnd.Array.load(None, self.path,
                                progress=lambda *_: self.path.unlink(missing_ok=True))
        self.assertEqual(array.get().sum(), 12 * MIB)


class Dup(FilesTestCase):
    def setUp(self):
        self.source = Shnd.Array.new_from_array(None, np.arange(6).reshape(2, 3))

    def test_progress(self):
        source = Shnd.Array.new(None, 'u1', 6 * MIB)
        before = count_handles()
        seen = []
        source.dup(progress=lambda *args: seen.append(args), cancellable=Gio.Cancellable())
        self.assertEqual(seen, [(4 * MIB, 6 * MIB), (6 * MIB, 6 * MIB)])

        stop = Gio.Cancellable()
        self.assert_cancelled(source.dup, NAME, cancellable=stop,
                              progress=lambda *_: stop.cancel())
        self.assert_cancelled(source.dup, NAME, cancellable=stop)
        calls = []

        def fail(done, total):
            calls.append(done)
            raise KeyError('mine')

        for other in (None, Gio.Cancellable()):
            self.assertRaises(KeyError, source.dup, NAME, cancellable=other, progress=fail)
        self.assertEqual(calls, [4 * MIB] * 2)
        self.assertEqual(own_names(), [])
        gc.collect()
        self.assertEqual(count_handles(), before)

    def test_arguments(self):
        dup = self.source.dup
        self.assertRaises(TypeError, dup, cancellable=3)
        self.assertRaises(TypeError, dup, progress=3)
        self.assertRaises(TypeError, dup, None, 'a')
        self.assertRaises(TypeError, dup, None, 0, None)
        self.assert_all_refused({TypeError: (3, b'a'), ValueError: ('a\0b',)}, dup)

    def test_async(self):
        def dup(*args, of=self.source):
            source, array = self.run_async(of.dup_async, of.dup_finish, *args)
            self.assertIs(source, of)
            return array

        array = dup(NAME, FORTRAN, Gio.Cancellable())
        self.assert_array(array, np.arange(6).reshape(2, 3))
        self.assertEqual((array.name, array.order), (NAME, Shnd.Order.FORTRAN))
        self.assert_error(Error.EXISTS, NAME, dup, NAME, 0, None)
        array.unlink()
        self.assert_array(dup(None, 0, None, of=self.source.transpose()),
                          np.arange(6).reshape(2, 3).T)
        self.assert_cancelled(dup, NAME, 0, cancelled())
        dup_async = self.source.dup_async
        self.assertRaises(TypeError, dup_async, 3)
        self.assertRaises(ValueError, dup_async, 'a\0b')
        self.assertRaises(TypeError, dup_async, None, 'a')
        self.assertRaises(TypeError, dup_async, None, 0, 3)
        self.assertRaises(TypeError, dup_async, None, 0, None, 3)
        self.assertRaises(TypeError, self.source.dup_finish, None)
        self.source.close()
        self.assert_error(Error.CLOSED, '', dup, None, 0, None)
        self.assertEqual(own_names(), [])


class NewPath(FilesTestCase):
    def test_new(self):
        array = Shnd.Array.new_path(self.path, 'f4', (3, 4))
        self.assertIsNone(array.name)
        self.assert_array(array, np.zeros((3, 4), 'f4'))
        array[1] = 5
        again = Shnd.Array.open_path(self.path)
        np.testing.assert_array_equal(again.get(), array.get())
        again[2] = 6
        self.assertEqual(array[2, 3], 6)
        # What NumPy sees, and writes, is the same memory.
        mapped = np.load(self.path, mmap_mode='r+')
        np.testing.assert_array_equal(mapped, array.get())
        mapped[0] = 7
        self.assertEqual(array[0, 0], 7)
        del mapped, again
        array.close()
        np.testing.assert_array_equal(np.load(self.path)[:, 0], [7, 5, 6])
        # The next one in line, as shared memory would have it.
        self.assert_array(Shnd.Array.load(None, self.path), np.load(self.path))

    def test_arguments(self):
        new_path = Shnd.Array.new_path
        for spelling in (self.path, str(self.path), os.fsencode(self.path)):
            array = new_path(spelling, STRUCT, 3, FORTRAN | SPARSE)
            self.assertEqual(array.dtype, STRUCT)
            self.assert_error(Error.EXISTS, 'ä', new_path, spelling, 'u1', 3)
            self.path.unlink()
        self.assertEqual(Shnd.Array.new_path(self.path, 'u1', (3, 4), FORTRAN).order,
                         Shnd.Order.FORTRAN)
        self.path.unlink()
        self.assert_error(Error.INVALID_ARGUMENT, 'umask', new_path, self.path, 'u1', 3,
                          CreateFlags.OTHERS_READ)
        self.assert_error(Error.INVALID_SHAPE, '-1', new_path, self.path, 'u1', -1)
        self.assert_error(Error.INVALID_DTYPE, 'pointers', new_path, self.path, 'O', 1)
        self.assert_error(Error.NOT_FOUND, 'none', new_path, self.folder / 'none' / 'a', 'u1', 1)
        self.assert_error(Error.EXISTS, '/dev/full', new_path, '/dev/full', 'u1', 1)
        self.assert_error(Error.NOT_FOUND, 'null', new_path, '/dev/null/a', 'u1', 1)
        self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b',)},
                                lambda path: new_path(path, 'u1', 1))
        self.assertRaises(TypeError, new_path, self.path, 'u1', 1, 'a')
        self.assertEqual(os.listdir(self.folder), [])

    def test_mode(self):
        old = os.umask(0o026)
        try:
            Shnd.Array.new_path(self.path, 'u1', 1)
        finally:
            os.umask(old)
        self.assertEqual(self.path.stat().st_mode & 0o7777, 0o640)
        self.folder.chmod(0o755)

        def run():
            drop_to_nobody()
            self.assert_error(Error.PERMISSION_DENIED, 'b.npy', Shnd.Array.new_path,
                              self.folder / 'b.npy', 'u1', 1)

        if os.geteuid() == 0:
            self.assertEqual(in_child(run), 0)

    def test_only_one_makes_it(self):
        """Of several processes that make the same file at once, one does."""
        results = self.folder / 'results'
        results.mkdir()

        def run(i):
            try:
                array = Shnd.Array.new_path(self.path, 'u1', 100000 + i)
            except GLib.Error as error:
                assert error.matches(Error.quark(), Error.EXISTS), error.message
            else:
                array[:] = i
                (results / str(i)).touch()

        children = []
        for i in range(8):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    run(i)
                    status = 0
                finally:
                    os._exit(status)
            children.append(pid)
        self.assertEqual([os.waitpid(pid, 0)[1] for pid in children], [0] * 8)
        winner, = os.listdir(results)
        self.assertEqual(np.load(self.path).shape, (100000 + int(winner),))
        self.assertTrue((np.load(self.path) == int(winner)).all())
        self.assertEqual(sorted(os.listdir(self.folder)), ['results', 'ä.npy'])


class Sync(FilesTestCase):
    def test_sync(self):
        """What SharedArray does with file:// and msync(): change, sync, open again."""
        file = Shnd.Array.new_path(self.path, 'i4', (100, 1000))
        np.save(self.folder / 'plain.npy', np.zeros(7, 'u1'))
        plain = Shnd.Array.open_path(self.folder / 'plain.npy')
        file[...] = 3
        plain[...] = 4
        memory = Shnd.Array.new(NAME, 'u1', 5)
        reader = Shnd.Array.open(NAME, READ)
        for array in (file, file.slice(1, step=7).T, plain, plain.slice(0, step=-1), memory, reader,
                      Shnd.Array.new(None, 'u1', (3, 0))):
            self.assertTrue(array.sync())
            for flags in (SyncFlags.NONE, SyncFlags.ASYNC, SyncFlags.INVALIDATE, 3):
                self.assertTrue(array.sync(flags, cancellable=Gio.Cancellable()))
        self.assertTrue((np.load(self.path) == 3).all())
        self.assertTrue((np.load(self.folder / 'plain.npy') == 4).all())
        self.assertTrue((Shnd.Array.open_path(self.path).get() == 3).all())

        self.assert_cancelled(file.sync, cancellable=cancelled())
        self.assert_error(Error.INVALID_ARGUMENT, 'Flags 4', file.sync, 4)
        self.assertRaises(TypeError, file.sync, 'a')
        self.assertRaises(TypeError, file.sync, 0, None)
        self.assertRaises(TypeError, file.sync, cancellable=3)
        file.close()
        self.assert_error(Error.CLOSED, 'closed', file.sync)
        memory.unlink()

    def test_async(self):
        file = Shnd.Array.new_path(self.path, 'u1', 5)
        file[...] = 9

        def sync(array, flags=0, cancellable=None):
            source, result = self.run_async(array.sync_async, array.sync_finish, flags, cancellable)
            self.assertEqual(source, array)
            return result

        self.assertIs(sync(file), True)
        self.assertIs(sync(file, SyncFlags.ASYNC | SyncFlags.INVALIDATE, Gio.Cancellable()), True)
        self.assert_cancelled(sync, file, 0, cancelled())
        self.assert_error(Error.INVALID_ARGUMENT, 'Flags 4', sync, file, 4)
        self.assertRaises(TypeError, file.sync_async, 'a')
        self.assertRaises(TypeError, file.sync_async, 0, 3)
        self.assertRaises(TypeError, file.sync_async, 0, None, 3)
        self.assertRaises(TypeError, file.sync_finish, None)
        file.close()
        self.assert_error(Error.CLOSED, 'closed', sync, file)


class Mlock(FilesTestCase):
    def test_mlock(self):
        page = resource.getpagesize()
        array = Shnd.Array.new(None, 'u1', 16 * page)
        view = array.slice(0, 3 * page - 1, 3 * page + 1)
        before = get_locked()

        def assert_locked(n_pages):
            if HAS_MLOCK:
                self.assertEqual(get_locked() - before, n_pages * page)

        for n_pages, target in ((16, array), (2, view)):
            self.assertTrue(target.mlock())
            self.assertTrue(target.mlock())
            assert_locked(n_pages)
            self.assertTrue(target.munlock())
            self.assertTrue(target.munlock())
            assert_locked(0)
        # Only what the views share is unlocked with one of them.
        array.mlock()
        view.munlock()
        assert_locked(14)
        # As long as something shows the memory it stays as it is.
        array.close()
        assert_locked(14)
        self.assert_error(Error.CLOSED, 'closed', array.mlock)
        self.assert_error(Error.CLOSED, 'closed', array.munlock)
        self.assertTrue(view.mlock())
        assert_locked(16)
        view.close()
        assert_locked(0)

    def test_limit(self):
        if not HAS_MLOCK:
            self.skipTest('the sanitizer has no mlock()')

        def run():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (64 * 1024, 64 * 1024))
            drop_to_nobody()
            array = Shnd.Array.new(None, 'u1', MIB)
            error = self.assert_error(Error.NO_SPACE, f'Cannot lock {MIB} bytes', array.mlock)
            assert '(RLIMIT_MEMLOCK) is 65536 bytes' in error.message, error.message
            assert get_locked() == 0
            assert array.slice(0, 0, 65536).mlock()
            assert get_locked() == 65536

        self.assertEqual(in_child(run), 0)


if __name__ == '__main__':
    main()
