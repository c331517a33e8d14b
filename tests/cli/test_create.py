# SPDX-License-Identifier: MIT

"""`shnd create`, and what all commands share: help, usage, exit codes."""

import os
import signal
import stat
import subprocess
import unittest

from cli_support import (EXISTS, FAILURE, PREFIX, SHM, USAGE, CliTestCase, Shnd, main, np,
                         own_names, run, wait_until)


def open_array(name):
    return Shnd.Array.open(name, Shnd.Access.READ)


class Create(CliTestCase):
    def create(self, name, *args):
        name = self.own(name)
        result = run('create', name, *args)
        self.assertEqual((result.stdout, result.stderr), ('', ''))
        return open_array(name)

    def test_array(self):
        array = self.create('a', '<u2', '2x3')
        self.assertEqual(array.props.dtype.to_string(), '<u2')
        self.assertEqual(array.get().shape, (2, 3))
        self.assertFalse(array.get().any())
        self.assertTrue(array.props.persistent)

    def test_shapes(self):
        for i, (text, shape) in enumerate((
                ('5', (5,)), ('2,3,4', (2, 3, 4)), ('(2, 3)', (2, 3)), ('[7]', (7,)),
                ('(5,)', (5,)), ('()', ()), ('0', (0,)), ('3x0', (3, 0)))):
            with self.subTest(text):
                self.assertEqual(self.create(f's{i}', 'u1', text).get().shape, shape)

    def test_bad_shapes(self):
        for text in ('', 'a', '2x', 'x', '-1', '2,x', '(2', '2)', '1.5', '99999999999999999999',
                     ' ', '(,)'):
            with self.subTest(text):
                self.run_error(USAGE, 'is not a shape', 'create', '--', PREFIX + 'bad', 'u1', text)
        self.run_error(USAGE, 'dimensions', 'create', PREFIX + 'bad', 'u1', 'x'.join('1' * 100))
        self.run_error(FAILURE, '', 'create', PREFIX + 'bad', 'u1', '9000000000000000000x9')

    def test_dtypes(self):
        array = self.create('r', "[('x', '<f8'), ('n', '<i4')]", '3')
        self.assertEqual(array.get().dtype, np.dtype([('x', '<f8'), ('n', '<i4')]))
        self.run_error(USAGE, 'nothing', 'create', PREFIX + 'bad', 'nothing', '3')

    def test_fill(self):
        self.assertTrue((self.create('i', 'i4', '3', '--fill', '-7').get() == -7).all())
        self.assertTrue((self.create('f', 'f8', '3', '-F', '0.5').get() == 0.5).all())
        self.assertTrue(self.create('b', '?', '3', '-F', 'true').get().all())
        self.assertTrue((self.create('u', 'U5', '3', '-F', 'schön').get() == 'schön').all())
        self.assertTrue((self.create('s', 'S4', '3', '-F', 'abc').get() == b'abc').all())
        for text in ('x', '', '1e400', '99999999999999999999x', '5,3'):
            self.run_error(USAGE, 'expected a number', 'create', PREFIX + 'bad', 'i4', '3', '-F',
                           text)
        self.run_error(FAILURE, '', 'create', PREFIX + 'bad', 'u1', '3', '-F', '300')

    def test_fill_large(self):
        for i, (dtype, text, number) in enumerate((
                ('i8', '5000000000', 5000000000), ('i8', '-9223372036854775808', -2**63),
                ('u8', '18446744073709551615', 2**64 - 1), ('f8', '5000000000', 5e9),
                ('f8', '99999999999999999999', 1e20), ('f8', '-Infinity', -np.inf))):
            with self.subTest(text):
                self.assertTrue(
                    (self.create(f'l{i}', dtype, '3', '-F', text).get() == number).all())
        self.assertTrue(np.isnan(self.create('nan', 'f4', '3', '-F', 'NaN').get()).all())

    def test_fill_and_others(self):
        array = self.create('a', 'f4', '3x4', '-F', '7', '--fortran', '--mode', '644')
        self.assertTrue((array.get() == 7).all())
        self.assertTrue(array.get().flags.f_contiguous)
        self.assertTrue(array.props.persistent)
        self.assertEqual(stat.S_IMODE(os.stat(f'{SHM}/{array.props.name}').st_mode), 0o644)

    def test_fill_parts(self):
        """More than is filled at once, the last part smaller; and none."""
        self.assertTrue((self.create('p', 'V3', '0').get().size == 0))
        array = self.create('q', 'u2', '3x5000001', '-F', '7').get()
        self.assertEqual(array.shape, (3, 5000001))
        self.assertTrue((array == 7).all())
        self.assertTrue((self.create('r', 'f4', '()', '-F', '7').get() == 7).all())
        self.assertEqual(self.create('s', 'f4', '3x0', '-F', '7').get().shape, (3, 0))
        self.run_error(FAILURE, '', 'create', PREFIX + 'bad', 'u1', '0', '-F', '300')

    def test_attached_values(self):
        """-F7 is -F 7, also after other short options; long ones have --fill=7."""
        for i, args in enumerate((('-F7',), ('-F', '7'), ('--fill=7',), ('-F7', '-m644'),
                                  ('-m', '644', '-F7'))):
            with self.subTest(args):
                self.assertTrue((self.create(f'a{i}', 'i1', '3', *args).get() == 7).all())
        self.assertTrue((self.create('n', 'i1', '3', '-F-7').get() == -7).all())

        # A value that looks like an option with one, and operands that do.
        self.create('v', 'S4', '3', '-F', '-m64')
        self.assertEqual(open_array(own_names()[-1]).get()[0], b'-m64')
        self.create('w', 'S4', '3', '--fill', '-m64')
        self.assertEqual(open_array(own_names()[-1]).get()[0], b'-m64')
        self.run_error(USAGE, '“-m64” is not a shape', 'create', '--', PREFIX + 'x', 'i1', '-m64')
        self.run_error(USAGE, '-q', 'create', PREFIX + 'x', 'i1', '3', '-q7')

        run('list', '-rssize')
        run('watch', '-jc1', '-i.01')
        name = self.make('locked', [1])
        self.assertEqual(run('lock', '-nE9', name, 'echo', '-t5').stdout, '-t5\n')

    def test_fortran(self):
        self.assertTrue(self.create('o', 'f4', '3x4', '--fortran').get().flags.f_contiguous)

    def test_mode(self):
        self.create('m', 'u1', '3')
        self.create('n', 'u1', '3', '--mode', '644')
        self.create('o', 'u1', '3', '-m', '0666')
        self.assertEqual([stat.S_IMODE(os.stat(f'{SHM}/{name}').st_mode) for name in own_names()],
                         [0o600, 0o644, 0o666])
        for mode in ('', '8', '777', '444', '1600', 'rw', '-1'):
            with self.subTest(mode):
                self.run_error(USAGE, '--mode', 'create', PREFIX + 'bad', 'u1', '3',
                               f'--mode={mode}')

    def test_sparse(self):
        self.create('dense', 'u1', '8388608')
        self.create('sparse', 'u1', '8388608', '--sparse')
        self.assertEqual([os.stat(f'{SHM}/{name}').st_blocks * 512 > 8000000
                          for name in own_names()], [True, False])

    def test_hold(self):
        for number, args in ((signal.SIGINT, ()), (signal.SIGTERM, ('--fill', '1')),
                             (signal.SIGHUP, ())):
            name = self.own('held')
            process = self.start('create', name, 'u1', '3', '--hold', *args)
            wait_until(lambda name=name: name in own_names())
            self.assertFalse(open_array(name).props.persistent)
            self.interrupt(process, number)
            self.assertNotIn(name, own_names())

    def test_ignored_signal(self):
        """Whoever starts it can have one ignored."""
        name = self.own('held')
        process = self.start('create', name, 'u1', '3', '--hold', prefix=['nohup'])
        wait_until(lambda: name in own_names())
        process.send_signal(signal.SIGHUP)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.3)
        self.assertIn(name, own_names())
        process.terminate()
        self.finish(process, -signal.SIGTERM)
        self.assertNotIn(name, own_names())

    def test_there_already(self):
        name = self.make('there', [1, 2, 3])
        self.run_error(EXISTS, name, 'create', name, 'u1', '3')
        self.run_error(EXISTS, name, 'create', name, 'u1', '3', '-F', '1')
        self.assertEqual(open_array(name).get().tolist(), [1, 2, 3])

    def test_bad_names(self):
        for name in ('', '.', '..', 'a/b', '/', 'x' * 300):
            with self.subTest(name):
                self.run_error(FAILURE, '', 'create', name, 'u1', '3')

    def test_odd_names(self):
        """As a user types them; and in a message on one line, without what terminals obey."""
        for i, rest in enumerate((' space', 'a\nb', '\x1b[31m', '\u202eabc', '-x', "'\"$`\\")):
            with self.subTest(repr(rest)):
                name = self.own(f'{i}{rest}')
                run('create', name, 'u1', '3')
                self.assertIn(name, own_names())
                result = run('create', name, 'u1', '3', status=EXISTS)
                self.assert_error(result, EXISTS)
                for bad in ('\x1b', '\u202e'):
                    self.assertNotIn(bad, result.stderr)

    def test_names_that_are_no_text(self):
        result = run('create', PREFIX.encode() + b'\xff', 'u1', '3', status=None)
        self.assert_error(result, FAILURE, 'not UTF-8')


class Usage(CliTestCase):
    def test_no_command(self):
        result = run(status=USAGE)
        self.assertEqual(result.stdout, '')
        self.assertTrue(result.stderr.startswith('Usage: shnd COMMAND'))

    def test_unknown_command(self):
        self.run_error(USAGE, '“nothing” is not a command', 'nothing')
        self.run_error(USAGE, '“nothing” is not a command', 'help', 'nothing')
        self.run_error(USAGE, r'“\x1b[31m” is not a command', '\x1b[31m')

    def test_version(self):
        for option in ('--version', '-V'):
            self.assertEqual(run(option).stdout, f'shnd {Shnd.MAJOR_VERSION}.'
                             f'{Shnd.MINOR_VERSION}.{Shnd.MICRO_VERSION}\n')

    def test_help(self):
        text = run('--help').stdout
        self.assertEqual(text, run('help').stdout)
        self.assertEqual(text, run('-h').stdout)
        commands = [line.split()[0] for line in text.splitlines() if line.startswith('  ')]
        self.assertIn('create', commands)
        for command in commands:
            with self.subTest(command):
                text = run(command, '--help').stdout
                self.assertIn(f'shnd {command}', text)
                self.assertEqual(text, run('help', command).stdout)
                self.assertEqual(text, run(command, '-h').stdout)
                for line in text.splitlines():
                    self.assertEqual(line, line.rstrip())

    def test_operands(self):
        name = PREFIX + 'bad'
        self.run_error(USAGE, ('Too few operands', 'NAME DTYPE SHAPE', 'shnd create --help'),
                       'create', name, 'u1')
        self.run_error(USAGE, 'Too many operands', 'create', name, 'u1', '3', '4')
        self.run_error(USAGE, ('--nothing', 'shnd create --help'), 'create', '--nothing')
        self.assertNotIn(name, own_names())

    def test_end_of_options(self):
        name = self.own('end')
        run('create', '--fill', '-1', '--', name, 'i4', '3')
        self.assertEqual(open_array(name).get().tolist(), [-1] * 3)
        # Also between operands.
        self.run_error(USAGE, '“-1” is not a shape', 'create', name, 'u1', '--', '-1')
        self.run_error(USAGE, 'Too many operands', 'create', name, 'u1', '3', '--', '--json')

    @unittest.skipUnless(os.path.exists('/dev/full'), 'needs /dev/full')
    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            for args in (('--help',), ('--version',), ('list', '--json')):
                result = run(*args, stdout=full, status=None)
                self.assert_error(result, FAILURE, 'standard output')

    def test_closed_pipe(self):
        """As any other program: whoever reads has had enough."""
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs, 'wb') as pipe:
            result = run('list', stdout=pipe, status=-signal.SIGPIPE)
        self.assertEqual(result.stderr, '')


if __name__ == '__main__':
    main()
