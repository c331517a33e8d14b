# SPDX-License-Identifier: MIT

"""What is in the way: strange files, strange names, other users."""

import os
import signal
import socket
import tempfile
import unittest

import numpy as np
from support import (PREFIX, SHM, GLib, SharedTestCase, Shnd, count_handles, in_child, main, makers,
                     own_names)

Access = Shnd.Access
CreateFlags = Shnd.CreateFlags
Error = Shnd.Error

NAME = PREFIX + 'fault'
OTHER = PREFIX + 'other'
PATH = f'{SHM}/{NAME}'
NOBODY = 65534


class TestStrangeFiles(SharedTestCase):
    def setUp(self):
        # Whoever hangs is killed.
        signal.alarm(60)

    def tearDown(self):
        signal.alarm(0)
        for path in (PATH, f'{SHM}/{OTHER}'):
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)

    def check_refused(self, codes, words=''):
        before = count_handles()
        openers = [lambda access=access: Shnd.Array.open(NAME, access)
                   for access in (Access.READ, Access.READ_WRITE,
                                  Access.READ_WRITE | Access.ANY_OWNER)]
        openers.append(lambda: Shnd.Array.open_segment(NAME, 'u1', (1,)))
        for opener in openers:
            with self.assertRaises(GLib.Error) as caught:
                opener()
            self.assertEqual(caught.exception.domain, 'shnd-error-quark')
            self.assertIn(Error(caught.exception.code), codes, caught.exception.message)
            self.assertIn(words, caught.exception.message)
        self.assert_error(Error.EXISTS, 'exists', Shnd.Array.new, NAME, 'u1', (1,))
        self.assertEqual(count_handles(), before)

    def test_symbolic_link(self):
        target = Shnd.Array.new(OTHER, 'u1', (10,))
        os.symlink(OTHER, PATH)
        self.check_refused([Error.PERMISSION_DENIED], 'symbolic link')
        self.assertTrue(os.path.islink(PATH))
        target.close()

    def test_dangling_link(self):
        os.symlink(OTHER, PATH)
        self.check_refused([Error.PERMISSION_DENIED], 'symbolic link')
        self.assertFalse(os.path.exists(f'{SHM}/{OTHER}'))

    def test_directory(self):
        os.mkdir(PATH)
        self.check_refused([Error.INVALID_FORMAT], NAME)

    def test_fifo(self):
        os.mkfifo(PATH)
        self.check_refused([Error.INVALID_FORMAT], 'not a regular file')

    def test_socket(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(PATH)
            self.check_refused([Error.INVALID_FORMAT], NAME)

    def test_paths(self):
        """open_path() follows links, and takes nothing but files either."""
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            file, link, fifo = (os.path.join(folder, name) for name in ('file', 'link', 'fifo'))
            np.save(open(file, 'wb'), np.arange(3))
            os.symlink('file', link)
            os.mkfifo(fifo)
            self.assertEqual(Shnd.Array.open_path(link).shape, (3,))
            for path in (fifo, folder, '/dev/null', '/dev/zero', '/proc/self/maps'):
                with self.assertRaises(GLib.Error):
                    Shnd.Array.open_path(path, Access.READ)
            self.assert_error(Error.NOT_FOUND, 'missing', Shnd.Array.open_path,
                              os.path.join(folder, 'missing'))

    def test_taken(self):
        """A name that is taken stays as it is, whoever wants it."""
        array = Shnd.Array.new_from_array(NAME, np.arange(100))
        before = os.stat(PATH)
        for what, make in makers(NAME, 4096):
            if what != 'new_unique':
                with self.subTest(what):
                    self.assert_error(Error.EXISTS, NAME, make)
        after = os.stat(PATH)
        self.assertEqual((after.st_ino, after.st_size, after.st_mtime_ns),
                         (before.st_ino, before.st_size, before.st_mtime_ns))
        np.testing.assert_array_equal(np.asarray(array), np.arange(100))
        np.testing.assert_array_equal(np.load(PATH), np.arange(100))

    def test_file_of_others(self):
        """One that somebody else put there is not taken for ours."""
        with open(PATH, 'wb') as file:
            file.write(b'something else')
        self.assert_error(Error.INVALID_FORMAT, 'does not begin', Shnd.Array.open, NAME)
        self.assert_error(Error.TOO_SMALL, '14 bytes', Shnd.Array.open_segment, NAME, 'u1', (15,))
        self.assertEqual(np.asarray(Shnd.Array.open_segment(NAME, 'u1', (14,))).tobytes(),
                         b'something else')


class TestNames(SharedTestCase):
    INVALID = ['', '.', '..', '.x', '.' + NAME, 'a/b', '/a', 'a/', '/', '../a', 'x' * 256,
               'é' * 128, 'x' * 100000]
    UNUSUAL = ['a b', ' ', '-', '--help', 'a\nb', '\x01', "'", '"', '\\', 'é', '温度', '~', '*',
               '%s%n', 'a.npy', '\U0001f600']

    def each_function(self, name):
        source = Shnd.Array.new(None, 'u1', (1,))
        return [
            lambda: Shnd.Array.new(name, 'u1', (1,)),
            lambda: Shnd.Array.new_from_bytes(name, 'u1', (1,), b'x'),
            lambda: Shnd.Array.new_from_array(name, np.zeros(1)),
            lambda: source.dup(name),
            lambda: Shnd.Array.open(name),
            lambda: Shnd.Array.open_segment(name, 'u1', (1,)),
            lambda: Shnd.unlink(name),
        ]

    def test_invalid(self):
        for name in self.INVALID:
            for function in self.each_function(name):
                self.assert_error(Error.INVALID_NAME, '', function)

    def test_not_text(self):
        for name in ('a\0b', '\0', PREFIX + '\0', '\udcff', '\ud800'):
            for function in self.each_function(name):
                with self.assertRaises((GLib.Error, TypeError, ValueError)):
                    function()

    def test_unusual(self):
        names = [PREFIX + name for name in self.UNUSUAL]
        names += [PREFIX + 'x' * (255 - len(PREFIX)), PREFIX + 'é' * ((255 - len(PREFIX)) // 2)]
        for name in names:
            with self.subTest(ascii(name)[:60].replace('#', '')):
                array = Shnd.Array.new_from_array(name, np.arange(3))
                self.assertEqual(array.get_name(), name)
                self.assertIn(name, os.listdir(SHM))
                np.testing.assert_array_equal(np.asarray(Shnd.Array.open(name)), np.arange(3))
                self.assert_error(Error.EXISTS, name, Shnd.Array.new, name, 'u1', (1,))
                array.unlink()
                self.assert_error(Error.NOT_FOUND, name, Shnd.Array.open, name)
                self.assert_error(Error.NOT_FOUND, name, Shnd.unlink, name)


class TestUsers(SharedTestCase):
    def tearDown(self):
        for name in own_names():
            os.unlink(f'{SHM}/{name}')

    def test_mode(self):
        modes = [
            (CreateFlags.NONE, 0o600),
            (CreateFlags.GROUP_READ, 0o640),
            (CreateFlags.GROUP_WRITE, 0o660),
            (CreateFlags.OTHERS_READ, 0o604),
            (CreateFlags.OTHERS_WRITE, 0o606),
            (CreateFlags.GROUP_READ | CreateFlags.OTHERS_READ, 0o644),
            (CreateFlags.GROUP_WRITE | CreateFlags.OTHERS_WRITE, 0o666),
        ]
        for umask in (0, 0o022, 0o077, 0o777):
            for flags, mode in modes:
                before = os.umask(umask)
                try:
                    arrays = [Shnd.Array.new(NAME, 'u1', (10,), flags)]
                    arrays.append(arrays[0].dup(OTHER, flags))
                finally:
                    os.umask(before)
                for array in arrays:
                    found = os.stat(f'{SHM}/{array.get_name()}').st_mode & 0o7777
                    self.assertEqual(oct(found), oct(mode), f'umask {umask:o}')
                    array.unlink()

    @unittest.skipUnless(os.geteuid() == 0, 'only root can make files of other users')
    def test_other_owner(self):
        for owner in (NOBODY, 1234):
            array = Shnd.Array.new_from_array(NAME, np.arange(10))
            os.chown(PATH, owner, -1)
            before = count_handles()
            for access in (Access.READ, Access.READ_WRITE):
                self.assert_error(Error.PERMISSION_DENIED, f'belongs to user {owner}',
                                  Shnd.Array.open, NAME, access)
                self.assert_error(Error.PERMISSION_DENIED, f'belongs to user {owner}',
                                  Shnd.Array.open_segment, NAME, 'u1', (10,), 0, access)
            self.assertEqual(count_handles(), before)
            for access in (Access.READ, Access.READ_WRITE):
                allowed = Shnd.Array.open(NAME, access | Access.ANY_OWNER)
                np.testing.assert_array_equal(np.asarray(allowed), np.arange(10))
            Shnd.Array.open_path(PATH)
            array.unlink()

    @unittest.skipUnless(os.geteuid() == 0, 'only root can become another user')
    def test_as_another_user(self):
        public = CreateFlags.OTHERS_READ
        names = [PREFIX + name for name in ('public', 'writable', 'private', 'stranger', 'own')]
        arrays = [
            Shnd.Array.new_from_array(name, np.arange(10), flags)
            for name, flags in zip(names, (public, CreateFlags.OTHERS_WRITE, CreateFlags.NONE,
                                           public, CreateFlags.NONE))
        ]
        os.chown(f'{SHM}/{names[3]}', 1234, -1)
        os.chown(f'{SHM}/{names[4]}', NOBODY, -1)
        open_array, denied = Shnd.Array.open, Error.PERMISSION_DENIED

        def run():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            # Root's are fine, as far as the mode goes.
            open_array(names[0], Access.READ)
            self.assert_error(denied, names[0], open_array, names[0])
            np.asarray(open_array(names[1]))[0] = 5
            self.assert_error(denied, names[2], open_array, names[2], Access.READ)
            # A third user's are not, unless asked for.
            self.assert_error(denied, 'user 1234', open_array, names[3], Access.READ)
            open_array(names[3], Access.READ | Access.ANY_OWNER)
            self.assert_error(denied, names[3], open_array, names[3],
                              Access.READ_WRITE | Access.ANY_OWNER)
            open_array(names[4])
            # Names are for their owners to remove, as in /tmp.
            self.assert_error(denied, names[1], Shnd.unlink, names[1])
            self.assert_error(denied, names[1], open_array(names[1]).unlink)
            array = Shnd.Array.new_from_array(OTHER, np.arange(10))
            assert os.stat(f'{SHM}/{OTHER}').st_uid == NOBODY
            array.unlink()

        self.assertEqual(in_child(run), 0)
        # Who opens and goes removes nothing, whatever it may write.
        self.assertEqual(own_names(), sorted(names))
        self.assertEqual(arrays[1][0], 5)


class TestSave(SharedTestCase):
    def test_places(self):
        array = Shnd.Array.new_from_array(None, np.arange(10))
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            path = os.path.join(folder, 'array.npy')
            for bad, code in ((os.path.join(folder, 'missing', 'a.npy'), Error.NOT_FOUND),
                              (os.path.join(path, 'a.npy'), Error.NOT_FOUND),
                              (os.path.join(folder, 'x' * 256), Error.INVALID_NAME)):
                self.assert_error(code, bad, array.save, bad)
            with self.assertRaises(GLib.Error):
                array.save(folder)
            self.assertEqual(os.listdir(folder), [])

            # The mode of a file that is replaced, and a link to it, stay.
            array.save(path)
            os.chmod(path, 0o640)
            os.symlink('array.npy', os.path.join(folder, 'link'))
            Shnd.Array.new_from_array(None, np.arange(5)).save(os.path.join(folder, 'link'))
            self.assertEqual(sorted(os.listdir(folder)), ['array.npy', 'link'])
            self.assertTrue(os.path.islink(os.path.join(folder, 'link')))
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
            np.testing.assert_array_equal(np.load(path), np.arange(5))

    def test_over_itself(self):
        """A file that is mapped may be replaced: who has it mapped keeps the old one."""
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            path = os.path.join(folder, 'array.npy')
            np.save(path, np.arange(10))
            array = Shnd.Array.open_path(path)
            np.asarray(array)[0] = 99
            array.slice(0, None, None, -1).save(path)
            np.testing.assert_array_equal(np.load(path), np.asarray(array)[::-1])


if __name__ == '__main__':
    main()
