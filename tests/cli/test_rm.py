# SPDX-License-Identifier: MIT

"""`shnd rm`."""

import os
import subprocess
import unittest

from cli_support import (FAILURE, NOT_FOUND, ODD, PREFIX, SHM, USAGE, CliTestCase, Shnd, main,
                         own_names, run)
from files_support import NOBODY


class Remove(CliTestCase):
    def test_several(self):
        for name in 'abc':
            self.make(name, [1])
        result = run('rm', PREFIX + 'a', PREFIX + 'c')
        self.assertEqual((result.stdout, result.stderr), ('', ''))
        self.assertEqual(own_names(), [PREFIX + 'b'])

    def test_odd_names(self):
        names = [self.make(name, [1]) for name in ODD]
        names.append(self.own('漢' * ((255 - len(PREFIX)) // 3)))
        names.append(self.own('x' * (255 - len(PREFIX))))
        for name in names[-2:]:
            Shnd.Array.new(name, 'u1', 3, Shnd.CreateFlags.PERSISTENT)
        self.assertEqual(len(own_names()), len(names))
        run('rm', *names)
        self.assertEqual(own_names(), [])

    def test_name_like_an_option(self):
        name = '-x' + PREFIX
        path = os.path.join(SHM, name)
        Shnd.Array.new(name, 'u1', 3, Shnd.CreateFlags.PERSISTENT)
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        run('rm', '--', name)
        self.assertFalse(os.path.exists(path))

    def test_holders_keep_it(self):
        name = self.make('a', [1, 2, 3])
        held = Shnd.Array.open(name, Shnd.Access.READ)
        run('rm', name)
        self.assertEqual(own_names(), [])
        self.assertEqual(held.get().tolist(), [1, 2, 3])

    def test_missing(self):
        self.run_error(NOT_FOUND, PREFIX + 'a', 'rm', PREFIX + 'a')
        result = run('rm', '--force', PREFIX + 'a', PREFIX + 'b')
        self.assertEqual(result.stderr, '')

    def test_goes_on(self):
        for name in 'abc':
            self.make(name, [1])
        result = run('rm', PREFIX + 'a', PREFIX + 'x', PREFIX + 'b', PREFIX + 'y\n', PREFIX + 'c',
                     status=NOT_FOUND)
        self.assertEqual(own_names(), [])
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn(f'“{PREFIX}x”', lines[0])
        self.assertIn(f'“{PREFIX}y\\n”', lines[1])

        # Of errors that are not the same the status tells no more than that.
        self.make('a', [1])
        result = run('rm', 'a/b', PREFIX + 'x', PREFIX + 'a', status=FAILURE)
        self.assertEqual(len(result.stderr.splitlines()), 2)
        self.assertEqual(own_names(), [])
        run('rm', '-f', 'a/b', PREFIX + 'x', status=FAILURE)

    def test_bad_names(self):
        for name in ('', '.', '..', 'a/b', 'x' * 256, PREFIX.encode() + b'\xff'):
            with self.subTest(ascii(name)):
                self.run_error(FAILURE, 'name for an array', 'rm', name)
        self.run_error(USAGE, 'NAME', 'rm')

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_of_another_user(self):
        name = self.make('a', [1])
        self.run_error(FAILURE, (name, 'not permitted'), 'rm', '--force', name, **NOBODY)
        self.assertEqual(own_names(), [name])

    def test_not_an_array(self):
        """Whatever is there can be removed, but for a directory."""
        name = self.own('a')
        with open(os.path.join(SHM, name), 'wb') as file:
            file.write(b'something')
        run('rm', name)
        self.assertEqual(own_names(), [])
        path = os.path.join(SHM, name)
        os.mkdir(path)
        try:
            self.run_error(FAILURE, name, 'rm', '-f', name)
        finally:
            os.rmdir(path)

    def test_piped(self):
        for name in ODD:
            self.make(name, [1])
        self.make('other', [1])
        command = f'"$SHND" list -0 "{PREFIX}[^o]*" | xargs -0 "$SHND" rm --'
        subprocess.run(['bash', '-o', 'pipefail', '-c', command], check=True)
        self.assertEqual(own_names(), [PREFIX + 'other'])


if __name__ == '__main__':
    main()
