# SPDX-License-Identifier: MIT

"""`shnd watch`, and the live screen that other commands have as well."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

from cli_support import (PATIENCE, PREFIX, SHM, USAGE, CliTestCase, Shnd, main, np, repeat, run,
                         wait_until)
from process_support import Child
from terminal_support import CONTROL_C, CONTROL_Z, Shell, Terminal, pyte

WRAP = pyte.modes.DECAWM
FAST = ('--interval', '0.05')
PATTERN = PREFIX + '*'


def row_of(terminal, name):
    """Its cells, or None if it is not on the screen."""
    for row in terminal.rows:
        cells = row.split()
        if cells and cells[0] == name:
            return cells
    return None


def get_pending(pid):
    """Signals that were sent, and not taken."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as status:
        return int(re.search(r'ShdPnd:\s*(\w+)', status.read()).group(1), 16)


def hold(connection, name):
    array = Shnd.Array.new(name, 'u1', (3,))
    connection.send(array.get_name())
    signal.pause()


@contextlib.contextmanager
def tick(name, pause=0.001):
    """Changes an array again and again, until the end."""
    array = Shnd.Array.open(name, Shnd.Access.WRITE)
    with repeat(array.update, pause):
        yield
    array.close()


class WatchTestCase(CliTestCase):
    def make_updated(self, name, n):
        name = self.make(name, [1])
        self.update(name, n)
        return name

    def update(self, name, n):
        with Shnd.Array.open(name, Shnd.Access.WRITE) as array:
            for _ in range(n):
                array.update()

    def watch(self, *args, **keywords):
        return Terminal('watch', *FAST, *(args or [PATTERN]), **keywords)


class Table(WatchTestCase):
    def test_table(self):
        self.make_updated('a', 7)
        held = Shnd.Array.new(PREFIX + 'b', 'f4', ())
        self.addCleanup(held.close)
        with self.watch() as terminal:
            terminal.wait_for(lambda _: row_of(terminal, PREFIX + 'b'))
            self.assertEqual(terminal.rows[1].split(), ['NAME', 'CHANGES/S', 'COUNTER', 'STATE'])
            self.assertIn('2 arrays', terminal.rows[0])
            self.assertTrue(terminal.cell(0, 0).reverse)
            self.assertTrue(terminal.cell(79, 0).reverse)
            terminal.wait_for(lambda _: row_of(terminal, PREFIX + 'a')[1:] == ['0.0', '7', '-'])
            self.assertEqual(row_of(terminal, PREFIX + 'b')[1:], ['0.0', '0', 'held'])
            self.assertEqual(terminal.rows[4:], [''] * 20)
            terminal.send('q')
            terminal.finish()

    def test_busiest_first(self):
        names = [self.make(name, [1]) for name in 'abc']
        with self.watch() as terminal, tick(names[2]), tick(names[1], 0.02):
            def is_sorted(_):
                rows = [row.split() for row in terminal.rows[2:5]]
                return [row[0] for row in rows if row] == [names[2], names[1], names[0]]
            terminal.wait_for(is_sorted)
            terminal.wait_for(lambda _: '2 changed' in terminal.rows[0])
            terminal.wait_for(lambda _: float(row_of(terminal, names[2])[1]) > 10)
            terminal.send('q')
            terminal.finish()

    def test_counter(self):
        name = self.make_updated('a', 1)
        with self.watch() as terminal:
            terminal.wait_for(lambda _: (row_of(terminal, name) or [0] * 3)[2] == '1')
            self.update(name, 2)
            terminal.wait_for(lambda _: row_of(terminal, name)[2] == '3')
            terminal.send('q')
            terminal.finish()

    def test_comes_and_goes(self):
        with self.watch() as terminal:
            terminal.wait_for('0 arrays')
            name = self.make('a', [1])
            terminal.wait_for(lambda _: row_of(terminal, name))
            os.unlink(os.path.join(SHM, name))
            # Shown once as gone, at least in what was written, and then no more.
            terminal.wait_for(lambda _: row_of(terminal, name) is None)
            self.assertIn(b'gone', terminal.raw)
            terminal.wait_for('0 arrays')
            terminal.send('q')
            terminal.finish()

    def test_holds_nothing(self):
        """The name goes with its holder, however often it was looked at."""
        name = self.own('held')
        with Child(hold, name) as child, self.watch() as terminal:
            child.receive()
            terminal.wait_for(lambda _: (row_of(terminal, name) or [0])[-1] == 'held')
            child.kill()
            terminal.wait_for(lambda _: (row_of(terminal, name) or [0])[-1] == 'orphaned')
            Shnd.reap()
            terminal.wait_for(lambda _: row_of(terminal, name) is None)
            terminal.send('q')
            terminal.finish()

    def test_patterns(self):
        names = [self.make(name, [1]) for name in ('a1', 'a2', 'b1')]
        with self.watch(PREFIX + 'b*', PREFIX + '*1') as terminal:
            terminal.wait_for(lambda _: row_of(terminal, names[2]))
            self.assertEqual([row.split()[0] for row in terminal.rows[2:] if row],
                             [names[0], names[2]])
            terminal.send('q')
            terminal.finish()

    def test_no_counter(self):
        name = self.own('plain')
        with open(os.path.join(SHM, name), 'wb') as file:
            np.save(file, np.zeros(3))
        with self.watch() as terminal:
            terminal.wait_for(lambda _: row_of(terminal, name) == [name, '-', '-', '-'])
            terminal.send('q')
            terminal.finish()

    def test_odd_names(self):
        """Nothing in a name reaches the terminal as it is; a wide one leaves room for the rest."""
        self.make('\x1b[2J\n', [1])
        self.make('w' * 150, [1])
        self.make('漢' * 40, [1])
        with self.watch() as terminal:
            terminal.wait_for(r'\x1b[2J\n')
            terminal.wait_for(lambda _: terminal.text.count(' 0.0 ') == 3)
            self.assertEqual(len([row for row in terminal.rows if '… ' in row]), 2)
            terminal.send('q')
            terminal.finish()

    def test_count(self):
        with self.watch('--count', '3') as terminal:
            terminal.finish()
            self.assertTrue(terminal.is_restored)
            self.assertEqual(terminal.screen.n_alternated, 1)

    def test_many(self):
        """What fits is drawn, and the rest counted."""
        for i in range(200):
            self.make(f'{i:03}', [1])
        with self.watch(lines=10) as terminal:
            terminal.wait_for('… 193 more')
            self.assertEqual(len([row for row in terminal.rows if row.startswith(PREFIX)]), 7)
            self.assertEqual(terminal.rows[9], '… 193 more')
            terminal.resize(80, 201)
            terminal.wait_for('… 2 more')
            terminal.resize(80, 202)
            terminal.wait_for(lambda _: row_of(terminal, PREFIX + '199'))
            self.assertNotIn('more', terminal.text)
            terminal.send('q')
            terminal.finish()


class Screen(WatchTestCase):
    """On a terminal, as for all commands with a live screen."""

    def assert_ends(self, terminal, keys, status):
        terminal.wait_for('CHANGES/S')
        self.assertTrue(terminal.screen.is_alternate)
        self.assertTrue(terminal.screen.cursor.hidden)
        self.assertNotIn(WRAP, terminal.screen.mode)
        self.assertNotEqual(terminal.get_modes(), terminal.modes_before)
        if callable(keys):
            keys()
        else:
            terminal.send(keys)
        terminal.finish(status)
        self.assertTrue(terminal.is_restored)
        self.assertIn(WRAP, terminal.screen.mode)

    def test_keys(self):
        for keys, status in (('q', 0), ('Q', 0), ('xyq', 0), (CONTROL_C, -signal.SIGINT)):
            with self.subTest(keys), Terminal('watch', PATTERN) as terminal:
                self.assert_ends(terminal, keys, status)
                self.assertEqual(terminal.text.replace('^C', ''), '')

    def test_other_keys(self):
        """Ctrl-\\ would leave the terminal behind; what terminals say begins with ESC."""
        with Terminal('watch', PATTERN) as terminal:
            terminal.wait_for('CHANGES/S').send('\x1c\r\n \x04')
            terminal.send('\x1b]0;q\x1b\\')
            n = len(terminal.raw)
            terminal.wait_for(lambda _: len(terminal.raw) > n)
            self.assertTrue(terminal.screen.is_alternate)
            self.assert_ends(terminal, 'q', 0)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number), Terminal('watch', PATTERN) as terminal:
                self.assert_ends(terminal, lambda: terminal.kill(number), -number)

    def test_resize(self):
        name = self.make('a', [1])
        with Terminal('watch', '--interval', str(PATIENCE), PATTERN) as terminal:
            terminal.wait_for(lambda _: row_of(terminal, name))
            # Drawn at once, and not an interval later.
            for columns, lines in ((120, 40), (60, 5), (30, 3), (30, 2), (20, 1), (2, 2), (1, 1),
                                   (100, 30)):
                n = len(terminal.raw)
                terminal.resize(columns, lines)
                terminal.wait_for(lambda _: b'\x1b[H' in terminal.raw[n:])
                terminal.wait_for(lambda _: terminal.cell(columns - 1, 0).reverse)
            terminal.wait_for(lambda _: row_of(terminal, name))
            self.assertIsNone(terminal.process.poll())
            terminal.send('q')
            terminal.finish()
            self.assertTrue(terminal.is_restored)

    def test_no_size(self):
        with Terminal('watch', PATTERN, columns=80, lines=24) as terminal:
            terminal.wait_for('CHANGES/S')
            terminal.columns = terminal.lines = 0
            terminal.set_size()
            n = len(terminal.raw)
            terminal.wait_for(lambda _: len(terminal.raw) > n)
            self.assert_ends(terminal, 'q', 0)

    def stop_and_go_on(self, shell, stop):
        shell.type(f'stty susp ^Z; "$SHND" watch --interval {PATIENCE} \'{PATTERN}\'')
        shell.wait_for('CHANGES/S')
        modes = shell.get_modes()
        self.assertTrue(shell.screen.is_alternate)
        stop()
        shell.wait_for(lambda terminal: not terminal.screen.is_alternate)
        shell.wait_for('Stopped').wait_for_prompt()
        self.assertFalse(shell.screen.cursor.hidden)
        shell.type('fg')
        shell.wait_for(lambda terminal: terminal.screen.is_alternate)
        shell.wait_for('CHANGES/S')
        self.assertTrue(shell.screen.cursor.hidden)
        wait_until(lambda: shell.get_modes() == modes, 'the terminal is not taken again')

    def leave(self, shell):
        shell.send('q')
        shell.wait_for_prompt()
        self.assertFalse(shell.screen.is_alternate)
        shell.type('stty -a')
        shell.wait_for('icanon').wait_for_prompt()
        self.assertNotIn('-icanon', shell.text)
        self.assertNotIn('-echo ', shell.text)
        shell.type('exit')
        shell.finish(None)

    def test_control_z(self):
        name = self.make('a', [1])
        with Shell() as shell:
            self.stop_and_go_on(shell, lambda: shell.send(CONTROL_Z))
            self.assertIsNotNone(row_of(shell, name))
            shell.send(CONTROL_Z)
            shell.wait_for('Stopped').wait_for_prompt()
            shell.type('fg')
            shell.wait_for('CHANGES/S')
            self.leave(shell)

    def test_background(self):
        """In the background it does not touch the terminal."""
        with Shell() as shell:
            shell.type(f'"$SHND" watch \'{PATTERN}\' &')
            shell.wait_for_prompt()
            shell.type('wait -n; jobs')
            shell.wait_for('Stopped').wait_for_prompt()
            self.assertFalse(shell.screen.is_alternate)
            shell.type('fg')
            shell.wait_for('CHANGES/S')
            self.leave(shell)

    def test_stopped_unseen(self):
        """By a signal that cannot be caught: the screen is taken and drawn again."""
        with Shell() as shell:
            shell.type(f'"$SHND" watch --interval {PATIENCE} \'{PATTERN}\' & echo pid=$!; fg')
            shell.wait_for('CHANGES/S')
            pid = int(re.search(rb'pid=(\d+)', shell.raw).group(1))
            os.kill(pid, signal.SIGSTOP)
            shell.wait_for('Stopped')
            shell.type('fg')
            shell.wait_for(lambda terminal: terminal.text.count('CHANGES/S') == 1 and
                           'Stopped' not in terminal.text)
            self.leave(shell)

    def test_key_from_elsewhere(self):
        """Keys are the terminal's, whatever the standard input is."""
        with Terminal('watch', PATTERN, stdin=subprocess.DEVNULL) as terminal:
            self.assert_ends(terminal, 'q', 0)

    def test_killed_at_once(self):
        """The second signal waits for nothing, not even for a terminal that takes no more."""
        with Terminal('watch', '--interval', '0.001', PATTERN) as terminal:
            terminal.wait_for('CHANGES/S')
            n_written = list(range(60))

            def is_stuck():
                with open(f'/proc/{terminal.process.pid}/io', encoding='utf-8') as io:
                    n_written.append(re.search(r'wchar: (\d+)', io.read()).group(1))
                return len(set(n_written[-60:])) == 1

            wait_until(is_stuck, 'it can still draw')
            terminal.kill()
            wait_until(lambda: not get_pending(terminal.process.pid), 'the signal is not taken')
            terminal.kill()
            self.assertEqual(terminal.process.wait(PATIENCE), -signal.SIGTERM)
            self.assertEqual(terminal.get_modes(), terminal.modes_before)

    def test_json(self):
        """Lines on a terminal, too, if asked for."""
        name = self.make('a', [1])
        with Terminal('watch', *FAST, '--json', PATTERN, columns=300) as terminal, tick(name):
            terminal.wait_for(f'"name":"{name}"')
            self.assertNotIn(b'\x1b', terminal.raw)
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)

    def test_dumb(self):
        name = self.make('a', [1])
        with Terminal('watch', *FAST, PATTERN, env={'TERM': 'dumb'}) as terminal, tick(name):
            terminal.wait_for(name)
            self.assertNotIn(b'\x1b', terminal.raw)
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)


class Lines(WatchTestCase):
    """Without a terminal."""

    def lines_until(self, process, condition):
        """What it prints, cells by line."""
        lines = []
        while not (lines and condition(lines[-1])):
            line = process.stdout.readline().decode()
            self.assertTrue(line, lines)
            lines.append(line.split())
        return lines

    def test_lines(self):
        name, quiet = self.make_updated('a', 10), self.make('quiet', [1])
        with tick(name):
            process = self.start('watch', *FAST, PATTERN)
            line = self.lines_until(process, lambda line: True)[0]
            self.assertRegex(line[0], r'^\d\d:\d\d:\d\d$')
            self.assertGreater(float(line[1]), 0)
            self.assertGreater(int(line[2]), 10)
            self.assertEqual(line[3:], ['held', name])
        self.assertNotIn(quiet, self.interrupt(process).stdout)

    def test_count(self):
        result = run('watch', *FAST, '--count', '3', PATTERN)
        self.assertEqual((result.stdout, result.stderr), ('', ''))

    def test_json(self):
        name = self.make_updated('a', 3)
        process = self.start('watch', *FAST, '--json', PATTERN)
        with tick(name):
            first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        self.assertEqual(
            sorted(first),
            ['changes', 'gone', 'held', 'name', 'new', 'rate', 'sequence', 'time'])
        self.assertEqual([first[key] for key in ('name', 'held', 'new', 'gone')],
                         [name, True, False, False])
        self.assertEqual(second['sequence'] - first['sequence'], second['changes'])
        self.assertGreater(second['rate'], 0)
        self.assertLessEqual(abs(second['time'] - time.time()), PATIENCE)

    def next_line(self, process, name):
        """The next object that tells of an array, and is the first one of the others."""
        while True:
            line = json.loads(process.stdout.readline())
            if line['name'] == name:
                return line

    def start_json(self):
        """It has looked at what is there, and compares from now on."""
        name = self.make('ticker', [1])
        process = self.start('watch', '--interval', '0.02', '--json', PATTERN)
        with tick(name):
            self.next_line(process, name)
        return process

    def test_begins_and_ends(self):
        process = self.start_json()
        source = self.make_updated('source', 5)
        name = self.own('a')
        os.rename(os.path.join(SHM, source), os.path.join(SHM, name))
        line = self.next_line(process, name)
        self.assertEqual([line[key] for key in ('new', 'gone', 'rate', 'changes', 'sequence')],
                         [True, False, None, 0, 5])
        with Shnd.Array.open(name, Shnd.Access.WRITE) as array:
            array.update()
            line = self.next_line(process, name)
            self.assertEqual([line[key] for key in ('gone', 'changes', 'held')], [False, 1, True])
            os.unlink(os.path.join(SHM, name))
            line = self.next_line(process, name)
        self.assertEqual([line[key] for key in ('new', 'gone', 'rate', 'changes', 'held')],
                         [False, True, None, 0, False])

    def test_made_anew(self):
        """The counter has begun again: what is counted is what happened since."""
        process = self.start_json()
        name = self.own('a')
        for n, n_changes in ((1000, 0), (7, 7), (3, 3), (9, 6)):
            # In one step, so that there is no moment without it, nor one with half of the changes.
            source = self.make_updated('source', n)
            os.rename(os.path.join(SHM, source), os.path.join(SHM, name))
            line = self.next_line(process, name)
            self.assertEqual([line['new'], line['gone'], line['sequence']], [n == 1000, False, n])
            self.assertEqual(line['changes'], n_changes)
            if n != 1000:
                self.assertTrue(0 < line['rate'] < 1000, line)

    def test_usage(self):
        for option, value in (('--interval', '0'), ('--interval', 'x'), ('--interval', '-1'),
                              ('--count', '0'), ('--count', 'x'), ('--count', '-1')):
            self.run_error(USAGE, (option, 'expected'), 'watch', f'{option}={value}')

    def test_closed_pipe(self):
        name = self.make('a', [1])
        process = self.start('watch', *FAST, PATTERN)
        process.stdout.close()
        with tick(name):
            self.assertEqual(process.wait(PATIENCE), -signal.SIGPIPE)


if __name__ == '__main__':
    main()
