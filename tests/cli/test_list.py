# SPDX-License-Identifier: MIT

"""`shnd list`."""

import json
import os
import subprocess
import sys

from cli_support import (ODD, PREFIX, SHM, SHND, USAGE, CliTestCase, Shnd, main,
                         make_environment, np, own_names, run)

N_MANY = 10000


def lines_of(text):
    """The rows of this process's arrays, after the heading."""
    return [line.split() for line in text.splitlines() if line.startswith(PREFIX)]


class List(CliTestCase):
    def names(self, *args):
        """The rest of each name, in the order of the table."""
        return [line[0].removeprefix(PREFIX) for line in lines_of(run('list', *args).stdout)]

    def arrays(self, *args):
        found = json.loads(run('list', '--json', *args).stdout)['arrays']
        return [array for array in found if array['name'].startswith(PREFIX)]

    def test_table(self):
        self.make('a', np.zeros((1080, 1920, 4), 'u1'))
        held = Shnd.Array.new(PREFIX + 'b', 'f4', ())
        self.addCleanup(held.close)
        heading = run('list').stdout.splitlines()[0].split()
        self.assertEqual(heading, ['NAME', 'DTYPE', 'SHAPE', 'SIZE', 'LIFETIME', 'STATE'])
        self.assertEqual(
            lines_of(run('list').stdout),
            [[PREFIX + 'a', 'uint8', '1080x1920x4', '7.9', 'MiB', 'persistent', '-'],
             [PREFIX + 'b', 'float32', '()', '4', 'B', 'leased', 'held']])
        self.assertEqual(lines_of(run('list', '--bytes').stdout)[0][3], '8294400')

    def test_columns(self):
        self.make('short', [1])
        self.make('漢字漢字漢字', np.zeros(1000, 'f8'))
        lines = run('list', '--sort', 'size', PREFIX + '*').stdout.splitlines()
        starts = [line.index(dtype) for line, dtype in zip(lines, ('DTYPE', 'int64', 'float64'))]
        # Each of these six characters takes two columns of the terminal.
        self.assertEqual(starts, [starts[0], starts[0], starts[0] - 6])

    def test_patterns(self):
        for name in ('cam0', 'cam1', 'lidar'):
            self.make(name, [1])
        self.assertEqual(self.names(PREFIX + 'cam*'), ['cam0', 'cam1'])
        self.assertEqual(self.names(PREFIX + '*[0r]'), ['cam0', 'lidar'])
        self.assertEqual(self.names(PREFIX + 'lidar', PREFIX + 'cam?'), ['cam0', 'cam1', 'lidar'])
        self.assertEqual(self.names(PREFIX + 'none*'), [])

    def test_sort(self):
        # Held, as one that is not comes first.
        held = Shnd.Array.open(self.make('a', np.zeros((3, 4), 'f8')), Shnd.Access.READ)
        self.addCleanup(held.close)
        self.make('b', np.zeros(100, 'u1'))
        self.make('c', np.zeros((2, 9), 'i4'))
        only = PREFIX + '*'
        for key, order in (('name', 'abc'), ('size', 'cab'), ('dtype', 'acb'), ('shape', 'bca'),
                           ('state', 'bca')):
            with self.subTest(key):
                self.assertEqual(self.names('--sort', key, only), list(order))
                self.assertEqual(self.names('-s', key, '-r', only), list(reversed(order)))
        self.run_error(USAGE, ('--sort “age”', 'expected name, size'), 'list', '--sort', 'age')

    def test_json(self):
        self.make('a', np.zeros((3, 4), '>f8', order='F'))
        array, = self.arrays()
        self.assertEqual(
            {key: array[key] for key in (
                'name', 'dtype', 'shape', 'order', 'bytes', 'persistent', 'held', 'orphaned',
                'uid', 'mode')},
            {'name': PREFIX + 'a', 'dtype': '>f8', 'shape': [3, 4], 'order': 'Fortran',
             'bytes': 96, 'persistent': True, 'held': False, 'orphaned': False,
             'uid': os.getuid(), 'mode': '0600'})

    def test_held(self):
        name = self.make('a', [1])
        self.assertFalse(self.arrays()[0]['held'])
        with_handle = Shnd.Array.open(name, Shnd.Access.READ)
        self.assertTrue(self.arrays()[0]['held'])
        with_handle.close()
        self.assertFalse(self.arrays()[0]['held'])

    def test_orphans(self):
        """And nothing else. Tried again if somebody reaps it first."""
        self.make('kept', [1])
        held = Shnd.Array.new(PREFIX + 'held', 'u1', 3)
        self.addCleanup(held.close)
        with Shnd.Publisher.new('cam'):
            for _ in range(100):
                name = self.orphan('a')
                found = json.loads(run('list', '--json', '--orphans').stdout)
                names = [array['name'] for array in found['arrays']
                         if array['name'].startswith(PREFIX)]
                self.assertEqual(found['streams'], [])
                if name in own_names():
                    self.assertEqual(names, [name])
                    self.assertEqual(self.names('-o', PREFIX + '[hk]*'), [])
                    return
        self.fail('Somebody reaps all the time')

    def test_nothing(self):
        self.assertEqual(json.loads(run('list', '--json', PREFIX + 'none').stdout)['arrays'], [])
        self.assertEqual(run('list', '-1', PREFIX + 'none').stdout, '')

    def test_names(self):
        for name in ('a', 'b c'):
            self.make(name, [1])
        self.assertEqual(run('list', '--names', PREFIX + '*').stdout, f'{PREFIX}a\n{PREFIX}b c\n')
        self.assertEqual(run('list', '-0', PREFIX + '*').stdout, f'{PREFIX}a\0{PREFIX}b c\0')

    def test_odd_names(self):
        for name in ODD:
            self.make(name, [1])
        self.assertEqual(run('list', '--null', PREFIX + '*').stdout.split('\0')[:-1], own_names())

        # One line each, all of it visible, and no two the same.
        text = run('list', PREFIX + '*').stdout
        lines = text.splitlines()
        self.assertEqual(len(lines), len(ODD) + 1)
        self.assertEqual(len(set(lines)), len(lines))
        self.assertTrue(text.replace('\n', '').isprintable())
        for shown in (' space ', r'a\nb', r'tab\t', r'\x1b[31m', r'\u202eabc', '\'"$`\\\\',
                      'schön', '漢字'):
            self.assertIn(PREFIX + shown, text)

    def test_streams(self):
        with Shnd.Publisher.new('cam 0') as first, Shnd.Publisher.new('lidar'):
            self.make('a', [1])
            self.assertEqual(json.loads(run('list', '--json').stdout)['streams'][0],
                             {'address': 'cam 0', 'path': first.props.path})
            lines = run('list', PREFIX + '*', 'cam*').stdout.splitlines()
            self.assertEqual([line.split()[:1] for line in lines],
                             [['NAME'], [PREFIX + 'a'], [], ['STREAM'], ['cam']])
            lines = run('list', '--streams').stdout.splitlines()
            self.assertEqual([line.split()[0] for line in lines], ['STREAM', 'cam', 'lidar'])
            self.assertTrue(lines[1].endswith('  ' + first.props.path), lines[1])
            self.assertEqual(run('list', '--streams', '--null').stdout, 'cam 0\0lidar\0')
            self.assertEqual(run('list', '--streams', '--names', 'l*').stdout, 'lidar\n')
            self.assertEqual(json.loads(run('list', '-jS').stdout)['arrays'], [])
            self.assertEqual(run('list', '--names', 'cam*').stdout, '')
        self.assertEqual(run('list', '--streams', '--names').stdout, '')

    def test_files_that_are_none(self):
        """Which do not disturb the list."""
        for name, data in (('text', b'nothing'), ('empty', b''), ('\udcff', b'')):
            path = os.path.join(SHM, self.own(name))
            with open(path, 'wb') as file:
                file.write(data)
        self.make('a', [1])
        self.assertEqual(self.names(), ['a'])


class Many(CliTestCase):
    """As many arrays as nobody wants to see."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.all = [f'{PREFIX}{i:05}{ODD[i % len(ODD)]}' for i in range(N_MANY)]
        for name in cls.all:
            Shnd.Array.new(name, 'u1', (3,), Shnd.CreateFlags.PERSISTENT).close()

    @classmethod
    def tearDownClass(cls):
        for name in cls.all:
            os.unlink(os.path.join(SHM, name))
        super().tearDownClass()

    def test_table(self):
        self.assertEqual(len(lines_of(run('list').stdout)), N_MANY)

    def test_json(self):
        with subprocess.Popen([SHND, 'list', '--json', PREFIX + '*'], stdout=subprocess.PIPE,
                              env=make_environment()) as process:
            text = subprocess.check_output([sys.executable, '-m', 'json.tool'],
                                           stdin=process.stdout)
        self.assertEqual(process.returncode, 0)
        arrays = json.loads(text)['arrays']
        self.assertEqual(len(arrays), N_MANY)
        self.assertEqual(arrays[0]['name'], self.all[0])

    def test_null(self):
        """Through xargs, which starts as many programs as it must."""
        with subprocess.Popen([SHND, 'list', '--null', PREFIX + '*'], stdout=subprocess.PIPE,
                              env=make_environment()) as process:
            found = subprocess.check_output(['xargs', '-0', 'printf', '%s\\0'],
                                            stdin=process.stdout)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(found.decode('utf-8', 'surrogateescape').split('\0')[:-1], self.all)


if __name__ == '__main__':
    main()
