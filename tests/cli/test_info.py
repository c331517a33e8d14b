# SPDX-License-Identifier: MIT

"""`shnd info`."""

import json
import os
import pwd
import resource
import signal
import subprocess
import sys
import unittest

from cli_support import (FAILURE, NOT_FOUND, PREFIX, SHM, SHND, USAGE, Shnd, main,
                         make_environment, np, own_names, run, wait_until)
from files_support import BIG, NOBODY, FilesTestCase, all_arrays, count_seen, npy

STRUCT = [('x', '<f8'), ('n', '>i2', (3,)), ('grün', '|u1')]


def rows(*args, **keywords):
    """The text as label and value, without what has no label."""
    found = {}
    for line in run('info', *args, **keywords).stdout.splitlines():
        label, _, value = line.partition(' ')
        if label:
            found[label] = value.strip()
    return found


def info(*args, **keywords):
    return json.loads(run('info', '--json', *args, **keywords).stdout)


def stats(*args):
    return info('--stats', *args)['stats']


class Info(FilesTestCase):
    def test_text(self):
        name = self.make('a', np.zeros((1080, 1920, 4), 'u1'))
        owner = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual(rows(name), {
            'name': name, 'dtype': 'uint8', 'shape': '1080x1920x4', 'strides': '7680, 4, 1',
            'order': 'C', 'size': '7.9 MiB (8294400 bytes)',
            'file': f'{os.stat(f"{SHM}/{name}").st_size} bytes, elements from 4096',
            'owner': f'{owner}, mode 0600', 'lifetime': 'persistent', 'state': 'not held',
            'changes': '0', 'lock': 'free'})

    def test_json(self):
        name = self.own('a')
        run('load', '-', name, '--mode', '664', input=npy(np.zeros((3, 4), '>f8', order='F')))
        found = info(name)
        # That depends on who runs this.
        del found['unseen_holders']
        self.assertEqual(found, {
            'name': name, 'path': f'{SHM}/{name}', 'dtype': '>f8', 'shape': [3, 4],
            'strides': [8, 24], 'order': 'Fortran', 'bytes': 96,
            'file_size': os.stat(f'{SHM}/{name}').st_size,
            'data_offset': 4096, 'uid': os.getuid(), 'owner': pwd.getpwuid(os.getuid()).pw_name,
            'mode': '0664', 'persistent': True, 'held': False, 'orphaned': False, 'holders': [],
            'synchronizable': True, 'sequence': 0, 'locked': False})

    def test_structs(self):
        name = self.make('a', np.zeros(2, STRUCT))
        text = run('info', name).stdout
        table = [line.split() for line in text.splitlines() if line.startswith(' ')]
        self.assertEqual(table, [['FIELD', 'OFFSET', 'DTYPE'], ['x', '0', 'float64'],
                                 ['n', '8', "('>i2',", '(3,))'], ['grün', '14', 'uint8']])
        self.assertEqual(info(name)['fields'], [
            {'name': 'x', 'dtype': '<f8', 'offset': 0},
            {'name': 'n', 'dtype': "('>i2', (3,))", 'offset': 8},
            {'name': 'grün', 'dtype': '|u1', 'offset': 14}])

    def test_no_dimensions(self):
        found = rows(self.make('a', np.array(3.5)))
        self.assertEqual((found['shape'], found['strides'], found['size']), ('()', '-', '8 bytes'))

    def test_files(self):
        path = self.write('a.npy', np.arange(3))
        found = rows(path)
        self.assertEqual(found['path'], path)
        self.assertEqual((found['lock'], found['changes']), ('none', 'not counted'))
        self.assertFalse({'name', 'lifetime', 'state'} & set(found))
        found = info('a.npy', cwd=self.folder)
        self.assertEqual(os.path.realpath(os.path.join(self.folder, found['path'])),
                         os.path.realpath(path))
        self.assertNotIn('name', found)
        self.assertEqual((found['data_offset'], found['synchronizable']), (128, False))

        # A file that is an array of this library has all of it.
        name = self.make('b', np.arange(3))
        self.assertEqual(info(f'{SHM}/{name}')['shape'], [3])

    def test_changes_and_lock(self):
        name = self.make('a', [1])
        array = Shnd.Array.open(name)
        for _ in range(3):
            array.update()
        self.assertEqual((info(name)['sequence'], info(name)['locked']), (3, False))
        with array.lock():
            self.assertTrue(info(name)['locked'])
            self.assertEqual(rows(name)['lock'], 'held')
        self.assertEqual((rows(name)['changes'], rows(name)['lock']), ('3', 'free'))

    def test_holders(self):
        name = self.make('a', [1])
        array = Shnd.Array.open(name, Shnd.Access.READ)
        process = self.start('create', self.own('b \n'), 'u1', '3', '--hold')
        wait_until(lambda: self.own('b \n') in own_names())

        found = info(name)
        self.assertEqual([holder['pid'] for holder in found['holders']], [os.getpid()])
        self.assertIn(os.path.basename(sys.argv[0]), found['holders'][0]['command'])
        self.assertTrue(found['held'])
        self.assertTrue(rows(name)['holders'].startswith(f'{os.getpid()}  '))
        self.assertEqual(rows(name)['state'], 'held')

        found = info(PREFIX + 'b \n')
        self.assertEqual([holder['pid'] for holder in found['holders']], [process.pid])
        self.assertTrue(found['holders'][0]['command'].endswith(f'create {PREFIX}b \n u1 3 --hold'))
        self.assertFalse(found['persistent'])
        self.assertEqual(rows(PREFIX + 'b \n')['lifetime'], 'leased')
        text = run('info', PREFIX + 'b \n').stdout
        self.assertIn(f'{process.pid}  ', text)
        self.assertIn(r'b \n', text)
        self.assertNotIn('b \n', text)
        self.interrupt(process)
        array.close()
        self.assertEqual(info(name)['holders'], [])

    def test_odd_commands(self):
        """A process can call itself anything."""
        name = self.own('a')
        process = subprocess.Popen(['\x1b[31m\n', 'create', name, 'u1', '3', '--hold'],
                                   executable=SHND, env=make_environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_until(lambda: name in own_names())
        text = run('info', name).stdout
        self.assertIn(rf'holders     {process.pid}  \x1b[31m\n create {name}', text)
        self.assertEqual(info(name)['holders'][0]['command'],
                         f'\x1b[31m\n create {name} u1 3 --hold')

    def test_long_commands(self):
        name = self.own('a')
        self.start('create', name, 'S100', '3', '--hold', '--fill', 'x' * 100)
        wait_until(lambda: name in own_names())
        command = rows(name)['holders'].partition('  ')[2]
        self.assertEqual((len(command), command[-1]), (60, '…'))
        self.assertIn('x' * 100, info(name)['holders'][0]['command'])

    def test_holders_of_files(self):
        path = self.write('a.npy', np.arange(3))
        with open(path, 'rb'):
            self.assertEqual([holder['pid'] for holder in info(path)['holders']], [os.getpid()])
        self.assertEqual(info(path)['holders'], [])
        with open(path, 'rb') as file:
            found = info(path, stdin=file)
            self.assertEqual([holder['pid'] for holder in found['holders']], [os.getpid()])

    def test_it_is_not_a_holder(self):
        found = info('--stats', self.make('a', [1]))
        self.assertEqual((found['held'], found['holders']), (False, []))

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_unseen_holders(self):
        name = self.own('a')
        array = Shnd.Array.new(name, 'u1', 3, Shnd.CreateFlags.OTHERS_READ)
        found = info(name, **NOBODY)
        self.assertEqual((found['holders'], found['unseen_holders']), ([], True))
        self.assertEqual(rows(name, **NOBODY)['state'],
                         'held, by processes that cannot be seen')
        process = self.start('wait', '--change', name, **NOBODY)
        wait_until(lambda: info(name, **NOBODY)['holders'])
        found = info(name, **NOBODY)
        self.assertEqual(([holder['pid'] for holder in found['holders']], found['unseen_holders']),
                         ([process.pid], True))
        self.assertIn('\n            perhaps others, which cannot be seen\n',
                      run('info', name, **NOBODY).stdout)
        self.interrupt(process)
        os.chmod(f'{SHM}/{name}', 0o600)
        self.run_error(FAILURE, (name, 'denied'), 'info', name, **NOBODY)
        array.close()

        # Others than root who cannot be seen matter if they may open it.
        for mode, expected in (('600', False), ('640', True), ('604', True)):
            name = self.own(mode)
            run('create', name, 'u1', '3', '--mode', mode, **NOBODY)
            self.assertIs(info(name, **NOBODY)['unseen_holders'], expected, mode)

    def test_parts(self):
        array = np.zeros((4, 6), [('x', '<f4'), ('n', '>i2')])
        array['n'] = np.arange(24).reshape(4, 6)
        name = self.make('a', array)
        found = info(name, '--slice', '1:3,::-1', '--field', 'n')
        self.assertEqual(found['shape'], [4, 6])
        self.assertEqual(found['part'], {'dtype': '>i2', 'shape': [2, 6], 'strides': [36, -6],
                                         'order': 'strided', 'bytes': 24})
        self.assertNotIn('stats', found)
        self.assertNotIn('part', info(name))
        self.assertEqual(info(name, '--slice', '0')['part']['fields'], info(name)['fields'])
        found = run('info', name, '--slice=1:3', '--field=n', '--stats').stdout
        _, _, found = found.partition('\nThe part:\n')
        for line in ('dtype       >i2', 'shape       2x6', 'strides     36, 6', 'min         6',
                     'max         17'):
            self.assertIn(line + '\n', found)
        self.run_error(FAILURE, 'axis', 'info', name, '--slice', '9')

    def test_several(self):
        names = [self.make(name, [1, 2]) for name in 'ab']
        text = run('info', *names).stdout
        self.assertEqual(text.count('name '), 2)
        self.assertEqual(len(text.split('\n\n')), 2)
        lines = run('info', '--json', names[0], PREFIX + 'x', names[1], status=NOT_FOUND)
        self.assertEqual([json.loads(line)['name'] for line in lines.stdout.splitlines()], names)
        self.assertEqual(len(lines.stderr.splitlines()), 1)
        self.assertIn(PREFIX + 'x', lines.stderr)

    def test_odd_names(self):
        for rest in (' space', 'a\nb', '\x1b[31m', '\u202eabc', '漢字', 'x' * (255 - len(PREFIX))):
            with self.subTest(ascii(rest)):
                name = self.make(rest, [1])
                self.assertEqual(info(name)['name'], name)
                text = run('info', name).stdout
                self.assertTrue(text.replace('\n', '').isprintable())
        path = self.write('\x1b[31m\n.npy', np.arange(3))
        self.assertIn(r'/\x1b[31m\n.npy', rows(path)['path'])
        self.assertEqual(info(path)['path'], path)

    def test_odd_fields(self):
        name = self.make('a', np.zeros(2, [('a\x1b\n', 'u1'), (' ', 'u1')]))
        self.assertTrue(run('info', name).stdout.replace('\n', '').isprintable())
        self.assertEqual([field['name'] for field in info(name)['fields']], ['a\x1b\n', ' '])

    def test_orphan(self):
        """Tried again if somebody reaps it first."""
        for _ in range(100):
            name = self.orphan('a')
            result = run('info', name, status=None)
            with_statistics = run('info', '--stats', name, status=NOT_FOUND)
            if name not in own_names():
                continue
            self.assertIn('state       orphaned\n', result.stdout)
            self.assert_error(with_statistics, NOT_FOUND, name, 'orphaned')
            return
        self.fail('Somebody reaps all the time')

    def test_errors(self):
        self.run_error(NOT_FOUND, PREFIX + 'x', 'info', PREFIX + 'x')
        self.run_error(NOT_FOUND, 'x.npy', 'info', self.path('x.npy'))
        os.mkfifo(self.path('fifo'))
        for source in ('-', self.path('fifo')):
            self.run_error(USAGE, 'expected a name or a file', 'info', source)
        self.run_error(USAGE, 'NAME|FILE', 'info')
        with open(self.path('text'), 'w', encoding='ascii') as file:
            file.write('nothing' * 100)
        self.run_error(FAILURE, '.npy', 'info', self.path('text'))
        self.run_error(FAILURE, '', 'info', self.folder)


class Statistics(FilesTestCase):
    def check(self, name, array, *args):
        """Against NumPy's, of what is finite."""
        found = stats(name, *args)
        finite = array[np.isfinite(array)]
        self.assertEqual(found['elements'], array.size)
        self.assertEqual(found['finite'], finite.size)
        self.assertEqual(found['nan'], np.isnan(array).sum())
        self.assertEqual(found['infinite'], np.isinf(array).sum())
        self.assertEqual(found['zeros'], (array == 0).sum())
        if finite.size == 0:
            self.assertEqual([found['min'], found['max'], found['mean'], found['std']], [None] * 4)
            return found
        wide = finite.astype('c16' if array.dtype.kind == 'c' else np.longdouble)
        np.testing.assert_allclose(found['mean'] + 1j * found.get('mean_imaginary', 0),
                                   complex(wide.mean()), rtol=1e-14)
        np.testing.assert_allclose(found['std'], float(wide.std()), rtol=1e-12)
        if array.dtype.kind != 'c':
            self.assertEqual([found['min'], found['max']],
                             [float(finite.min()), float(finite.max())])
        return found

    def test_dtypes(self):
        for i, (what, array) in enumerate(all_arrays()):
            if array.dtype.kind not in 'biufc':
                continue
            with self.subTest(what):
                name = self.own(f'a{i}')
                run('load', '-', name, input=npy(array))
                self.check(name, array)
                self.check(self.write('a.npy', array), array)

    def test_layouts(self):
        """More than one block, in every order and along every axis."""
        array = np.random.default_rng(1).normal(3, 2, (70, 60, 50)).astype('>f4')
        name = self.make('a', array)
        self.check(name, array)
        self.check(name, array[::-3, :, 5:], '--slice', '::-3,:,5:')
        self.check(name, array[..., 7], '--slice', '...,7')
        for order in ((2, 1, 0), (1, 2, 0)):
            turned = np.asfortranarray(array.transpose(order))
            name = self.own(f'b{order[0]}')
            run('load', '-', name, input=npy(turned))
            self.check(name, turned)
        for shape in ((210000, 1), (1, 210000), (2,) * 17, (3, 65537, 1)):
            array = np.arange(np.prod(shape)).reshape(shape)
            self.check(self.write('a.npy', array), array)

    def test_not_finite(self):
        array = np.arange(100000, dtype='f8')
        array[::7] = np.nan
        array[::11] = np.inf
        array[::13] = -np.inf
        self.check(self.make('a', array), array)
        array = np.where(np.isfinite(array), array / 10, array).astype('f2')
        self.check(self.make('b', array), array)
        for i, value in enumerate((np.nan, np.inf)):
            self.check(self.make(f'c{i}', np.full(3, value)), np.full(3, value))
        found = rows('--stats', PREFIX + 'c0')
        self.assertEqual([found[key] for key in ('min', 'max', 'mean', 'std', 'NaN', 'infinite')],
                         ['-', '-', '-', '-', '3', '0'])
        array = np.array([complex(np.nan, np.inf), complex(1, np.inf), 0, 1 + 2j])
        found = stats(self.make('d', array))
        self.assertEqual([found[key] for key in ('nan', 'infinite', 'zeros', 'finite')],
                         [1, 1, 1, 2])

    def test_empty(self):
        found = self.check(self.make('a', np.zeros((3, 0))), np.zeros((3, 0)))
        self.assertEqual(found['elements'], 0)

    def test_large_integers(self):
        """All their digits, which a double has not."""
        for i, values in enumerate((np.array([2**53 + 1, -2**63, 2**63 - 1], '<i8'),
                                    np.array([2**53 + 1, 2**63 - 1], '>u8'))):
            name = self.make(f'a{i}', values)
            found = stats(name)
            self.assertEqual([found['min'], found['max']], [int(values.min()), int(values.max())])
        values = np.array([2**64 - 1, 2**53 + 1], 'u8')
        found = rows('--stats', self.make('b', values))
        self.assertEqual([found['min'], found['max']], [str(2**53 + 1), str(2**64 - 1)])

    def test_soundness(self):
        """What a sum of squares gets wrong: a small spread far from 0; and what overflows."""
        for name, low, high, mean, deviation in (('a', 1e9, 1e9 + 1, 1e9 + 0.5, 0.5),
                                                 ('b', -1e308, 1e308, 0, 1e308)):
            array = np.tile(np.array([low, high]), 100000)
            array[:2] = high, low
            found = stats(self.make(name, array))
            self.assertEqual((found['mean'], found['std']), (mean, deviation))

    def test_numbers(self):
        """In JSON as in text: all digits, and read by others."""
        for i, value in enumerate((1e22, -1e-300, 5e-324, 0.1, 1.5, 123456789012345680.0, 2.0**70,
                                   1e-5, 65504.0)):
            name = self.own(f'a{i} 1e+22.0 "\\')
            run('load', '-', name, input=npy(np.array([value])))
            found = info('--stats', name)
            self.assertEqual((found['name'], found['stats']['min']), (name, value))
            self.assertEqual(float(rows('--stats', name)['min']), value)

    def test_few_digits(self):
        for i, (value, text) in enumerate(((20, '20'), (-1e14, '-100000000000000'), (2e16, '2e+16'),
                                           (1e-7, '1e-07'), (0, '0'))):
            name = self.make(f'f{i}', np.array([value], 'f8'))
            self.assertEqual(rows('--stats', name)['max'], text)

    def test_text(self):
        found = rows('--stats', self.make('a', np.array([0.1, -2.5, 0, 3e-7], 'f4')))
        self.assertEqual([found[key] for key in ('elements', 'min', 'max', 'zeros', 'NaN',
                                                 'infinite')],
                         ['4', '-2.5', '0.1', '1', '0', '0'])
        found = rows('--stats', self.make('b', np.array([True, False, True])))
        self.assertEqual([found[key] for key in ('elements', 'true', 'false')], ['3', '2', '1'])
        self.assertNotIn('mean', found)
        found = rows('--stats', self.make('c', np.array([1 - 2j, 3 - 4j])))
        self.assertEqual((found['mean'], 'min' in found), ('2-3j', False))

    def test_other_dtypes(self):
        for i, (array, words) in enumerate((
                (np.array(['a']), '<U1'), (np.zeros(2, 'M8[s]'), 'M8[s]'),
                (np.zeros(2, STRUCT), '--field'))):
            name = self.make(f'a{i}', array)
            self.run_error(FAILURE, words, 'info', '--stats', name)
        self.check(name, np.zeros((2, 3)), '--field', 'n')

    @unittest.skipIf('asan' in os.environ.get('LD_PRELOAD', ''), 'the sanitizer needs more')
    def test_memory(self):
        """All elements as doubles would take twice that, and more."""
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (4 * BIG, 4 * BIG))  # noqa: E731
        found = json.loads(run('info', '--json', '--stats', self.make_big('a'),
                               preexec_fn=limit).stdout)
        self.assertEqual(found['stats']['zeros'], BIG)

    def test_interrupt(self):
        name = self.make_big('a')
        for number in (signal.SIGINT, signal.SIGTERM):
            self.interrupt_in_the_middle(number, 'info', '--stats', name, count=count_seen)


if __name__ == '__main__':
    main()
