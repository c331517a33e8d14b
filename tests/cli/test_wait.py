# SPDX-License-Identifier: MIT

"""`shnd wait`."""

import os
import signal
import subprocess

from cli_support import (FAILURE, NOT_FOUND, PREFIX, SHM, TIMED_OUT, USAGE, CliTestCase, Shnd,
                         has_mapped, main, np, run, wait_until)
from files_support import let_begin

LONG = '100'


def open_array(name):
    return Shnd.Array.open(name, Shnd.Access.WRITE)


class Wait(CliTestCase):
    def updated(self, name, n):
        name = self.make(name, [1])
        with open_array(name) as array:
            for _ in range(n):
                array.update()
        return name

    def test_there(self):
        name = self.updated('a', 3)
        self.assertEqual(run('wait', name).stdout, '3\n')
        self.assertEqual(run('wait', name, '--timeout', '0').stdout, '3\n')

    def test_not_there_yet(self):
        name = self.own('later')
        process = self.start('wait', name, '--timeout', LONG)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.1)
        array = Shnd.Array.new(name, 'u1', (3,))
        self.addCleanup(array.close)
        self.assertEqual(self.finish(process).stdout, '0\n')

    def test_not_there_in_time(self):
        for timeout in ('0', '0.05'):
            self.run_error(TIMED_OUT, (PREFIX + 'none', 'in time'), 'wait', PREFIX + 'none', '-t',
                           timeout)

    def test_change(self):
        name = self.updated('a', 2)
        for option in (['--change'], ['-c'], ['--since', '2'], ['-s', '2']):
            with self.subTest(option), open_array(name) as array:
                process = self.start('wait', name, '-t', LONG, *option)
                wait_until(lambda: has_mapped(process, name), 'the array is not opened')
                # It may not have looked at the counter yet.
                while process.poll() is None:
                    array.update()
                    try:
                        process.wait(0.05)
                    except subprocess.TimeoutExpired:
                        pass
                self.assertGreaterEqual(int(self.finish(process).stdout), 3)
            self.remake(name)

    def remake(self, name):
        os.unlink(os.path.join(SHM, name))
        Shnd.Array.new_from_array(name, np.zeros(1), Shnd.CreateFlags.PERSISTENT).close()
        with open_array(name) as array:
            array.update()
            array.update()

    def test_no_change(self):
        name = self.updated('a', 2)
        for option in (['--change'], ['--since', '2'], ['--since', str(2**64 - 1)]):
            for timeout in ('0', '0.05'):
                with self.subTest((option, timeout)):
                    self.run_error(TIMED_OUT, ('not updated in time', name), 'wait', name, '-t',
                                   timeout, *option)

    def test_since(self):
        """What has happened already is not waited for."""
        name = self.updated('a', 5)
        self.assertEqual(run('wait', name, '--since', '4').stdout, '5\n')
        self.assertEqual(run('wait', name, '--since', '0', '-t', '0').stdout, '5\n')

    def test_since_later(self):
        """Changes that are not enough do not end it."""
        name = self.updated('a', 1)
        process = self.start('wait', name, '--since', '3', '-t', LONG)
        with open_array(name) as array:
            for expected in (2, 3):
                array.update()
                with self.assertRaises(subprocess.TimeoutExpired):
                    process.wait(0.1)
            array.update()
        self.assertEqual(self.finish(process).stdout, '4\n')

    def test_change_of_what_is_not_there_yet(self):
        name = self.own('later')
        process = self.start('wait', name, '--since', '0', '-t', LONG)
        with Shnd.Array.new(name, 'u1', (3,)) as array:
            wait_until(lambda: has_mapped(process, name), 'the array is not opened')
            array.update()
            self.assertEqual(self.finish(process).stdout, '1\n')

    def test_removed(self):
        name = self.updated('a', 1)
        process = self.start('wait', name, '--change')
        wait_until(lambda: has_mapped(process, name), 'the array is not opened')
        os.unlink(os.path.join(SHM, name))
        self.assert_error(self.finish(process, None), NOT_FOUND, name, 'removed')

    def test_no_counter(self):
        name = self.own('plain')
        with open(os.path.join(SHM, name), 'wb') as file:
            np.save(file, np.zeros(3))
        self.assertEqual(run('wait', name).stdout, '0\n')
        self.run_error(FAILURE, 'no change counter', 'wait', name, '--change')

    def test_interrupt(self):
        name = self.updated('a', 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for args in ((name, '--change'), (PREFIX + 'none',)):
                with self.subTest((number, args)):
                    process = self.start('wait', *args)
                    let_begin(process)
                    self.assertEqual(self.interrupt(process, number).stdout, '')

    def test_ignored_signals(self):
        """As nohup has them, and shells for what is in the background."""
        name = self.updated('a', 1)
        numbers = signal.SIGHUP, signal.SIGINT

        def ignore():
            for number in numbers:
                signal.signal(number, signal.SIG_IGN)

        process = self.start('wait', name, '--since', '1', preexec_fn=ignore)
        let_begin(process)
        for number in numbers:
            process.send_signal(number)
        with open_array(name) as array:
            array.update()
        self.assertEqual(self.finish(process).stdout, '2\n')

    def test_usage(self):
        self.run_error(USAGE, 'Too few operands', 'wait')
        self.run_error(USAGE, 'Too many operands', 'wait', 'a', 'b')
        for since in ('-1', 'x', '', str(2**64)):
            self.run_error(USAGE, ('--since', 'expected'), 'wait', 'a', f'--since={since}')
        self.run_error(USAGE, ('--timeout', 'expected'), 'wait', 'a', '--timeout=-1')


if __name__ == '__main__':
    main()
