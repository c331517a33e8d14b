# SPDX-License-Identifier: MIT

"""Too little memory, disk, or descriptors: an error, and nothing is left behind."""

import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import numpy as np
from support import (PREFIX, SHM, GLib, SharedTestCase, Shnd, count_handles, in_child, main, makers,
                     own_names)

CreateFlags = Shnd.CreateFlags
Error = Shnd.Error

NAME = PREFIX + 'space'
OTHER = PREFIX + 'other'
PATH = f'{SHM}/{NAME}'
MIB = 1024 * 1024


class TestLimits(SharedTestCase):
    def test_absurd(self):
        """More than there is: an error at once, not a machine that swaps."""
        with open('/proc/meminfo', encoding='ascii') as file:
            total = int(file.readline().split()[1]) * 1024

        def run():
            for n_bytes in (max(94 << 30, 4 * total), 1 << 46, 1 << 62, (1 << 63) - 1,
                            (1 << 63) - 4096):
                before = count_handles()
                for name in (NAME, None):
                    for flags in (CreateFlags.NONE, CreateFlags.FORTRAN):
                        self.assert_error(Error.NO_SPACE, 'bytes', Shnd.Array.new, name, 'u1',
                                          (n_bytes,), flags)
                self.assert_error(Error.NO_SPACE, 'bytes', Shnd.Array.new_unique, 'u1', (n_bytes,))
                gc.collect()
                assert count_handles() == before
                assert own_names() == []
            # A copy is as large as what it shows, not as what that takes.
            sparse = Shnd.Array.new(None, 'u1', (94 << 30,), CreateFlags.SPARSE)
            if total < 94 << 30:
                self.assert_error(Error.NO_SPACE, 'bytes', sparse.dup, OTHER)

        self.assertEqual(in_child(run), 0)

    def test_sparse(self):
        """What is not reserved may be larger than the memory."""
        n_bytes = 94 << 30
        for name in (NAME, None):
            array = Shnd.Array.new(name, 'u1', (n_bytes,), CreateFlags.SPARSE)
            view = np.asarray(array)
            view[0], view[-1] = 1, 2
            if name is not None:
                self.assertLess(os.stat(PATH).st_blocks * 512, MIB)
                again = np.load(PATH, mmap_mode='r')
                self.assertEqual((again[0], again[n_bytes // 2], again[-1]), (1, 0, 2))
                again = np.asarray(Shnd.Array.open(name))
                self.assertEqual((again[0], again[n_bytes // 2], again[-1]), (1, 0, 2))
                array.unlink()
            del array, view
        # Larger than the addresses that there are.
        for n_bytes in (1 << 50, 1 << 62, (1 << 63) - 1):
            before = count_handles()
            for name in (NAME, None):
                self.assert_error(Error.NO_SPACE, '', Shnd.Array.new, name, 'u1', (n_bytes,),
                                  CreateFlags.SPARSE)
            self.assertEqual(count_handles(), before)

    def test_file_size_limit(self):
        """RLIMIT_FSIZE is an error, not the signal that kills."""
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder, \
                tempfile.NamedTemporaryFile(suffix='.npy') as file:
            path = os.path.join(folder, 'array.npy')
            large_path = file.name
            np.save(path, np.arange(10))
            np.save(large_path, np.zeros(2 * MIB, 'u1'))

            def run():
                functions = makers(NAME, 2 * MIB) + makers(None, 2 * MIB)
                large = Shnd.Array.new(None, 'u1', (2 * MIB,))
                functions += [
                    ('load', lambda: Shnd.Array.load(NAME, large_path)),
                    ('load, anonymous', lambda: Shnd.Array.load(None, large_path)),
                    ('new_path', lambda: Shnd.Array.new_path(path + '.new', 'u1', 2 * MIB)),
                    ('new_path, sparse', lambda: Shnd.Array.new_path(
                        path + '.new', 'u1', 2 * MIB, CreateFlags.SPARSE)),
                    ('sparse', lambda: Shnd.Array.new(NAME, 'u1', (2 * MIB,), CreateFlags.SPARSE)),
                    ('save', lambda: large.save(path)),
                    ('save, new', lambda: large.save(path + '.new')),
                ]
                # Python ignores it; programs in C do not.
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
                before = count_handles()
                for what, function in functions:
                    self.assert_error(Error.NO_SPACE, '', function)
                    assert own_names() == [], what
                    assert os.listdir(folder) == ['array.npy'], what
                assert count_handles() == before
                small = Shnd.Array.new(NAME, 'u1', (1000,))
                small.save(path + '.new')
                small.unlink()

            self.assertEqual(in_child(run), 0)
            np.testing.assert_array_equal(np.load(path), np.arange(10))

    def test_no_descriptors(self):
        """Without file descriptors: an error, and all is as before."""
        array = Shnd.Array.new_from_array(OTHER, np.arange(10))
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            path = os.path.join(folder, 'array.npy')
            new_path = os.path.join(folder, 'new.npy')
            np.save(path, np.arange(10))
            functions = makers(NAME, 10000) + makers(None, 10000) + [
                ('open', lambda: Shnd.Array.open(OTHER)),
                ('open_path', lambda: Shnd.Array.open_path(path)),
                ('open_segment', lambda: Shnd.Array.open_segment(OTHER, 'u1', (10,))),
                ('save', lambda: array.save(path)),
                ('load', lambda: Shnd.Array.load(NAME, path)),
                ('new_path', lambda: Shnd.Array.new_path(new_path, 'u1', 10)),
            ]
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            n_errors = n_made = 0
            for what, function in functions:
                for n_left in range(3):
                    gc.collect()
                    before = count_handles()
                    names = own_names()
                    # New ones take the lowest free numbers.
                    free = [os.dup(0) for _ in range(n_left + 1)]
                    for fd in free:
                        os.close(fd)
                    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1], hard))
                    made = error = None
                    try:
                        made = function()
                    except GLib.Error as caught:
                        error = caught
                    finally:
                        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                    if error is not None:
                        n_errors += 1
                        self.assertEqual(error.domain, 'shnd-error-quark', what)
                        self.assertIn('Too many open files', error.message, what)
                    else:
                        n_made += 1
                        if isinstance(made, Shnd.Array) and made.get_name() not in (None, OTHER):
                            made.unlink()
                        if os.path.exists(new_path):
                            os.unlink(new_path)
                    del made, error
                    gc.collect()
                    self.assertEqual(count_handles(), before, what)
                    self.assertEqual(own_names(), names, what)
                    self.assertEqual(os.listdir(folder), ['array.npy'], what)
            self.assertGreaterEqual(n_errors, len(functions))
            self.assertGreaterEqual(n_made, len(functions))
            np.testing.assert_array_equal(np.load(path), np.arange(10))
        array.unlink()


def small_shm():
    """The command for a process with a /dev/shm of 1 MiB of its own, and a /mnt of that size."""
    command = ['unshare', '--mount']
    if os.geteuid() != 0:
        command += ['--user', '--map-root-user']
    mount = 'mount -t tmpfs -o size=1m,mode=1777 shnd-test'
    return [*command, 'sh', '-c', f'{mount} {SHM} && {mount} "$1" && shift && exec "$@"', 'sh']


class TestFullShm(SharedTestCase):
    """Each of these runs in a mount namespace; in_small_shm() is what does the work."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix='shnd-test-')

    @classmethod
    def tearDownClass(cls):
        os.rmdir(cls.folder)
        super().tearDownClass()

    def run_inside(self, what):
        command = [*small_shm(), self.folder]
        if shutil.which('unshare') is None:
            self.skipTest('no unshare command')
        probe = subprocess.run([*command, 'true'], capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            self.skipTest(f'no mount namespace: {probe.stderr.strip()}')
        result = subprocess.run([*command, sys.executable, '-B', os.path.abspath(__file__),
                                 '--in-small-shm', what, self.folder], check=False,
                                capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_create(self):
        self.run_inside('create')

    def test_fill_up(self):
        self.run_inside('fill_up')

    def test_save(self):
        self.run_inside('save')

    def test_load(self):
        self.run_inside('load')

    def test_new_path(self):
        self.run_inside('new_path')

    def test_sparse(self):
        self.run_inside('sparse')


class InSmallShm(SharedTestCase):
    """What runs inside: not found by the loader, as nothing here is named test_."""

    folder = None

    def free(self):
        status = os.statvfs(SHM)
        return status.f_bavail * status.f_frsize

    def create(self):
        free = self.free()
        assert free <= MIB and os.listdir(SHM) == []
        before = count_handles()
        functions = makers(NAME, 2 * MIB) + makers(NAME, MIB)
        handles = count_handles()
        for what, function in functions:
            error = self.assert_error(Error.NO_SPACE, f'{SHM} has ', function)
            assert f'has {free} free' in error.message, error.message
            assert os.listdir(SHM) == [], what
            assert self.free() == free, what
            assert count_handles() == handles, what
        del functions, function
        # Anonymous ones are elsewhere.
        Shnd.Array.new(None, 'u1', (2 * MIB,))
        for what, function in makers(NAME, MIB // 2):
            function().unlink()
            gc.collect()
            assert self.free() == free, what
        del function
        gc.collect()
        assert count_handles() == before

    def fill_up(self):
        free = self.free()
        names = []
        made = []
        while True:
            name = f'{PREFIX}{len(names)}'
            try:
                made.append(Shnd.Array.new_from_array(name, np.full(50000, len(names), 'u1')))
            except GLib.Error as error:
                assert error.matches(Error.quark(), Error.NO_SPACE)
                break
            names.append(name)
        assert len(names) > 10 and sorted(os.listdir(SHM)) == sorted(names)
        for i, name in enumerate(names):
            array = np.asarray(Shnd.Array.open(name))
            assert array.shape == (50000,) and (array == i).all()
            # Reserved: every byte can be written though nothing is free.
            array[:] = 0
            del array
        # The first by their names, the others by letting go of them.
        for name in names[:5]:
            Shnd.unlink(name)
        assert sorted(os.listdir(SHM)) == sorted(names[5:])
        del made
        gc.collect()
        assert os.listdir(SHM) == [] and self.free() == free

    def save(self):
        old = os.path.join(self.folder, 'old.npy')
        np.save(old, np.arange(1000))
        content = open(old, 'rb').read()
        array = Shnd.Array.new(None, 'u1', (2 * MIB,))
        for source in (array, array.slice(0, None, None, 2).slice(0, None, None, -1)):
            for path in (old, os.path.join(self.folder, 'new.npy')):
                self.assert_error(Error.NO_SPACE, path, source.save, path)
                assert os.listdir(self.folder) == ['old.npy']
                assert open(old, 'rb').read() == content
        array.slice(0, 0, 1000).save(old)
        assert np.load(old).shape == (1000,)
        os.unlink(old)

    def load(self):
        path = os.path.join(self.folder, 'sparse.npy')
        with open(path, 'wb') as file:
            np.lib.format.write_array_header_1_0(
                file, {'descr': '|u1', 'fortran_order': False, 'shape': (64 * MIB,)})
            file.truncate(file.tell() + 64 * MIB)
        free = self.free()
        before = count_handles()
        seen = []
        # What is there to be read is more than there is room, reserved or not.
        for flags in (CreateFlags.NONE, CreateFlags.SPARSE):
            self.assert_error(Error.NO_SPACE, f'{SHM} has {free} free', lambda: Shnd.Array.load(
                NAME, path, flags, progress=lambda *args: seen.append(args)))
            assert os.listdir(SHM) == [] and self.free() == free
        assert count_handles() == before
        assert seen == [], seen
        os.unlink(path)

    def new_path(self):
        path = os.path.join(self.folder, 'new.npy')
        free = os.statvfs(self.folder).f_bavail
        before = count_handles()
        self.assert_error(Error.NO_SPACE, 'the disk has ', Shnd.Array.new_path, path, 'u1', 2 * MIB)
        assert os.listdir(self.folder) == []
        assert os.statvfs(self.folder).f_bavail == free
        assert count_handles() == before
        array = Shnd.Array.new_path(path, 'u1', MIB // 2)
        # Reserved: every byte can be written though nothing is free.
        with open(os.path.join(self.folder, 'filler'), 'wb', buffering=0) as filler:
            try:
                while filler.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        array[...] = 1
        array.sync()
        os.unlink(filler.name)
        os.unlink(path)
        array = Shnd.Array.new_path(path, 'u1', 64 * MIB, CreateFlags.SPARSE)
        array[-1] = 7
        assert Shnd.Array.open_path(path)[-1] == 7
        os.unlink(path)

    def sparse(self):
        array = Shnd.Array.new(NAME, 'u1', (64 * MIB,), CreateFlags.SPARSE)
        np.asarray(array)[-1] = 7
        assert np.asarray(Shnd.Array.open(NAME))[-1] == 7
        array.unlink()
        assert os.listdir(SHM) == []


if __name__ == '__main__':
    if sys.argv[1:2] == ['--in-small-shm']:
        inside = InSmallShm()
        inside.folder = sys.argv[3]
        getattr(inside, sys.argv[2])()
    else:
        main()
