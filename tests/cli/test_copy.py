# SPDX-License-Identifier: MIT

"""`shnd copy`; and what load, save and copy do on a full disk and on a terminal."""

import os
import re
import signal
import stat
import subprocess
import threading
import time

from cli_support import (EXISTS, FAILURE, NOT_FOUND, PREFIX, SHM, USAGE, Shnd, main,
                         make_environment, np, own_names, run)
from files_support import MIB, FilesTestCase, all_arrays, in_namespace, npy
from process_support import Thread
from terminal_support import CONTROL_C, Terminal


class Copy(FilesTestCase):
    def test_arrays(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                source, target = self.own(f'a{i}'), self.own(f'b{i}')
                run('load', '-', source, input=npy(array))
                result = run('copy', source, target)
                self.assertEqual((result.stdout, result.stderr), ('', ''))
                self.assert_same(self.get(target), array)
                self.assertTrue(Shnd.Array.open(target, Shnd.Access.READ).props.persistent)

    def test_copies(self):
        """The two have nothing to do with each other afterwards."""
        source, target = self.make('a', np.arange(3)), self.own('b')
        run('copy', source, target)
        Shnd.Array.open(source)[0] = 7
        self.assertEqual(self.get(target).tolist(), [0, 1, 2])

    def test_parts(self):
        array = np.zeros((4, 6), [('x', '<f4'), ('n', '>i2')])
        array['x'] = np.arange(24).reshape(4, 6)
        source = self.make('a', array)
        for i, (args, part) in enumerate(((('--field', 'x'), array['x']),
                                          (('--slice', '1:3, ::-2'), array[1:3, ::-2]),
                                          (('--slice=1,1', '--field=x'), array['x'][1, 1]))):
            with self.subTest(args):
                target = self.own(f'b{i}')
                run('copy', *args, source, target)
                np.testing.assert_array_equal(self.get(target), part)
        self.run_error(FAILURE, 'axis', 'copy', source, PREFIX + 'x', '--slice', '9')
        self.run_error(FAILURE, 'nothing', 'copy', source, PREFIX + 'x', '--field', 'nothing')

    def test_files(self):
        array, target = np.arange(5), self.own('a')
        run('copy', self.write('a.npy', array), target)
        self.assert_same(self.get(target), array)
        target = self.own('b')
        run('copy', '-', target, '--slice', '::2', input=npy(array))
        self.assertEqual(self.get(target).tolist(), [0, 2, 4])
        target = self.own('c')
        subprocess.run(['bash', '-c', '"$SHND" copy <(cat "$1") "$2"', 'bash', self.path('a.npy'),
                        target], env=make_environment(), check=True)
        self.assert_same(self.get(target), array)

    def test_mode(self):
        source = self.make('a', [1])
        run('copy', source, self.own('b'), '--mode', '664')
        self.assertEqual([stat.S_IMODE(os.stat(f'{SHM}/{name}').st_mode) for name in own_names()],
                         [0o600, 0o664])
        self.run_error(USAGE, '--mode', 'copy', source, PREFIX + 'x', '--mode', 'x')

    def test_errors(self):
        source, target = self.make('a', [1]), self.make('b', [1, 2])
        self.run_error(EXISTS, target, 'copy', source, target)
        self.run_error(EXISTS, source, 'copy', source, source)
        self.assertEqual(self.get(target).tolist(), [1, 2])
        self.run_error(NOT_FOUND, PREFIX + 'x', 'copy', PREFIX + 'x', PREFIX + 'y')
        self.run_error(NOT_FOUND, 'x.npy', 'copy', self.path('x.npy'), PREFIX + 'y')
        self.run_error(FAILURE, 'name for an array', 'copy', source, 'a/b')
        self.run_error(USAGE, 'SOURCE NAME', 'copy', source)
        self.assertEqual(own_names(), [source, target])

    def test_odd_names(self):
        source = self.make('a', [1])
        for rest in (' space', 'a\nb', '漢字', 'x' * (255 - len(PREFIX))):
            with self.subTest(ascii(rest)):
                target = self.own(rest)
                run('copy', source, target)
                self.assertIn(target, own_names())
                source = target

    def undo(self, *args):
        run('rm', '-f', args[-1])

    def test_interrupt(self):
        source, target = self.make_big('a'), self.own('b')
        for number in (signal.SIGINT, signal.SIGTERM):
            self.interrupt_in_the_middle(number, 'copy', source, target)
            self.interrupt_in_the_middle(number, 'copy', '--slice', '::-1', source, target)
            self.assertEqual(own_names(), [source])


class FullDisk(FilesTestCase):
    """In 1 MiB of memory, and on a disk of 1 MiB."""

    def run_inside(self, script, *args):
        """What is written to the standard error, and then what is left: names and files."""
        folder = self.path('disk')
        os.mkdir(folder)
        script = f'cd "$1"; shift; {script}; ls -A {SHM} . >&2'
        process = in_namespace(folder, script, folder, *args, options='size=1m,mode=1777',
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        stdout, stderr = process.communicate(timeout=60)
        errors, _, left = stderr.partition('.:\n')
        return stdout.split(), errors.splitlines(), left.split()

    def assert_no_space(self, found, n, left):
        statuses, errors, found_left = found
        self.assertEqual(statuses, ['1'] * n)
        self.assertEqual(len(errors), n)
        for line in errors:
            self.assertRegex(line, r'\Ashnd: .*(space|has \d+ free)')
        self.assertEqual(found_left, left)

    def test_load(self):
        path = self.write('big.npy', np.zeros(2 * MIB, 'u1'))
        self.assert_no_space(
            self.run_inside('"$SHND" load "$1" a; echo $?; "$SHND" load - a < "$1"; echo $?;'
                            ' cat "$1" | "$SHND" load - a; echo $?', path), 3, [f'{SHM}:'])

    def test_copy(self):
        path = self.write('big.npy', np.zeros(700000, 'u1'))
        self.assert_no_space(
            self.run_inside('"$SHND" load "$1" a; "$SHND" copy a b; echo $?; '
                            '"$SHND" copy --slice ::-1 a b; echo $?', path), 2, [f'{SHM}:', 'a'])

    def test_save(self):
        path = self.write('big.npy', np.zeros(2 * MIB, 'u1'))
        self.assert_no_space(
            self.run_inside('"$SHND" save "$1" a.npy; echo $?; "$SHND" save -n "$1" a.npy; echo $?;'
                            ' "$SHND" save "$1" - > b; echo $?; rm b', path), 3, [f'{SHM}:'])

    def test_show(self):
        """The picture that was there stays."""
        noise = np.random.default_rng(1).integers(0, 256, (1500, 1500), 'u1')
        path = self.write('noise.npy', noise)
        self.assert_no_space(
            self.run_inside('"$SHND" show "$1" --slice :,:9 --png old.png; cp old.png same.png;'
                            ' "$SHND" show "$1" --png a.png; echo $?;'
                            ' "$SHND" show "$1" --png old.png; echo $?;'
                            ' cmp old.png same.png', path), 2, ['old.png', 'same.png', f'{SHM}:'])


class Progress(FilesTestCase):
    """On a terminal, and nowhere else: of work that takes long. Here the other end is slow."""

    N_BYTES = 20 * MIB

    def setUp(self):
        super().setUp()
        self.seen = threading.Event()

    def feed(self, pipe):
        data = npy(np.zeros(self.N_BYTES, 'u1'))
        with pipe:
            pipe.write(data[:5 * MIB])
            time.sleep(0.6)
            pipe.write(data[5 * MIB:11 * MIB])
            self.seen.wait(60)
            pipe.write(data[11 * MIB:])

    def drain(self, pipe):
        with pipe:
            n = len(pipe.read(5 * MIB))
            time.sleep(0.6)
            n += len(pipe.read(6 * MIB))
            self.seen.wait(60)
            return n + len(pipe.read())

    def watch(self, terminal, name):
        """The line is there, and then it is gone."""
        pattern = re.compile(rf'{name}: +\d+%  [\d.]+ MiB of 20.0 MiB  [\d.]+ MiB/s  \d+:\d\d left')
        terminal.wait_for(lambda terminal: pattern.search(terminal.text))
        self.seen.set()
        terminal.finish()
        self.assertEqual(terminal.text, '')

    def test_load(self):
        ours, theirs = os.pipe()
        name = self.own('a')
        with os.fdopen(ours, 'rb') as stdin, Terminal('load', '-', name, stdin=stdin) as terminal:
            thread = Thread(self.feed, os.fdopen(theirs, 'wb', buffering=0))
            self.watch(terminal, name)
            thread.join()

    def test_save(self):
        name = self.make('a', np.zeros(self.N_BYTES, 'u1'))
        ours, theirs = os.pipe()
        with os.fdopen(theirs, 'wb') as stdout, \
                Terminal('save', name, '-', stdout=stdout) as terminal:
            stdout.close()
            thread = Thread(self.drain, os.fdopen(ours, 'rb'))
            self.watch(terminal, name)
            self.assertEqual(thread.join(), self.N_BYTES + 128)

    def test_narrow_terminal(self):
        """A line that is too long would not be gone."""
        name = self.make('a' * 100, np.zeros(self.N_BYTES, 'u1'))
        ours, theirs = os.pipe()
        with os.fdopen(theirs, 'wb') as stdout, \
                Terminal('save', name, '-', stdout=stdout, columns=30) as terminal:
            stdout.close()
            thread = Thread(self.drain, os.fdopen(ours, 'rb'))
            terminal.wait_for('aaa…')
            self.seen.set()
            terminal.finish()
            self.assertEqual(terminal.text, '')
            thread.join()

    def test_interrupted(self):
        """Then too the line is left empty."""
        ours, theirs = os.pipe()
        name = self.own('a')
        with os.fdopen(ours, 'rb') as stdin, Terminal('load', '-', name, stdin=stdin) as terminal:
            thread = Thread(self.feed, os.fdopen(theirs, 'wb', buffering=0))
            terminal.wait_for('MiB/s').send(CONTROL_C)
            terminal.finish(-signal.SIGINT)
            self.assertEqual(terminal.text.replace('^C', ''), '')
            stdin.close()
            self.seen.set()
            with self.assertRaises(BrokenPipeError):
                thread.join()
        self.assertEqual(own_names(), [])

    def test_none_in_a_pipe(self):
        self.seen.set()
        process = self.start('load', '-', self.own('a'))
        stdin, process.stdin = process.stdin, None
        self.feed(stdin)
        self.assertEqual((process.wait(60), process.stdout.read(), process.stderr.read()),
                         (0, b'', b''))
        process = self.start('save', self.own('a'), '-')
        self.drain(process.stdout)
        self.assertEqual((process.wait(60), process.stderr.read()), (0, b''))


if __name__ == '__main__':
    main()
