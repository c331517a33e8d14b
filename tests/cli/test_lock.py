# SPDX-License-Identifier: MIT

"""`shnd lock`."""

import os
import signal
import sys
import unittest

from cli_support import (FAILURE, NOT_FOUND, PREFIX, SHM, TIMED_OUT, USAGE, CliTestCase,
                         SharedTestCase, Shnd, has_mapped, main, np, run, wait_until)
from process_support import Child
from terminal_support import CONTROL_C, CONTROL_Z, Shell, Terminal

CANNOT_RUN, NO_COMMAND = 126, 127

# Shows that it runs, and waits for a line.
WAIT = ('sh', '-c', 'echo ready; read line; echo "got $line"')


def open_array(name):
    return Shnd.Array.open(name, Shnd.Access.WRITE)


def die_with_lock(connection, name):
    array = open_array(name)
    array.lock()
    connection.send('locked')
    signal.pause()


def is_locked(name):
    return Shnd.ArrayInfo.new(name).get_locked()


def get_state(pid):
    """X when it is gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as stat:
            return stat.read().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return 'X'


def get_child(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='utf-8') as children:
        return int(children.read())


class Lock(CliTestCase):
    def setUp(self):
        super().setUp()
        self.name = self.make('a', [1])

    def read_line(self, process):
        return process.stdout.readline().decode().rstrip('\n')

    def test_status(self):
        for command, status in (('true', 0), ('exit 7', 7), ('kill -KILL $$', 128 + 9),
                                ('kill -TERM $$', 128 + 15), ('kill -INT $$', 128 + 2)):
            with self.subTest(command):
                result = run('lock', self.name, '--', 'sh', '-c', command, status=status)
                self.assertEqual((result.stdout, result.stderr), ('', ''))
                # Who comes after one that was killed is told so.
                run('lock', self.name, '--', 'true')

    def test_arguments(self):
        """What follows is the command's, whatever it looks like."""
        script = 'import sys; print(sys.argv[1:])'
        arguments = ['-n', '--', '--timeout', '-t', '', 'a b', '--help']
        for separator in ([], ['--']):
            result = run('lock', '-n', self.name, *separator, sys.executable, '-c', script,
                         *arguments)
            self.assertEqual(result.stdout, f'{arguments}\n')

    def test_input(self):
        self.assertEqual(run('lock', self.name, '--', 'cat', input='text').stdout, 'text')

    def test_descriptors(self):
        """They are passed on, and those of the library are not."""
        ours, theirs = os.pipe()
        self.addCleanup(os.close, ours)
        script = ('import os; fds = os.listdir("/proc/self/fd"); '
                  f'os.write({theirs}, " ".join(fd for fd in fds if os.path.exists("/proc/self/fd/" '
                  '+ fd)).encode())')
        run('lock', self.name, '--', sys.executable, '-c', script, pass_fds=[theirs])
        os.close(theirs)
        found = set(os.read(ours, 4096).decode().split())
        self.assertEqual(found, {'0', '1', '2', str(theirs)})

    def test_excludes(self):
        process = self.start('lock', self.name, '--', *WAIT)
        self.assertEqual(self.read_line(process), 'ready')
        array = open_array(self.name)
        self.addCleanup(array.close)
        SharedTestCase.assert_error(self, Shnd.Error.TIMED_OUT, 'is locked',
                                    lambda: array.lock(timeout=0))
        process.stdin.write(b'x\n')
        self.assertEqual(self.finish(process).stdout, 'got x\n')
        self.assertFalse(array.lock(timeout=0).recovered)

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_any_owner(self):
        os.chown(f'{SHM}/{self.name}', 65534, 65534)
        self.run_error(FAILURE, self.name, 'lock', self.name, '--', 'true')
        run('lock', '--any-owner', self.name, '--', 'true')
        self.run_error(FAILURE, self.name, 'wait', self.name)
        self.assertEqual(run('wait', '--any-owner', self.name).stdout, '0\n')

    def test_is_excluded(self):
        array = open_array(self.name)
        self.addCleanup(array.close)
        array.lock()
        for options, status in ((['-n'], TIMED_OUT), (['-t', '0.01'], TIMED_OUT),
                                (['--nonblock'], TIMED_OUT), (['--timeout', '0'], TIMED_OUT),
                                (['-n', '-E', '1'], 1), (['-n', '-E', '0'], 0),
                                (['-n', '--conflict-exit-code=200'], 200)):
            with self.subTest(options):
                self.run_error(status, ('is locked', self.name), 'lock', *options, self.name,
                               '--', 'echo', 'not to be run')
        process = self.start('lock', self.name, '--', 'echo', 'run')
        array.unlock()
        self.assertEqual(self.finish(process).stdout, 'run\n')

    def test_interrupt_while_waiting(self):
        array = open_array(self.name)
        self.addCleanup(array.close)
        array.lock()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start('lock', self.name, '--', 'echo', 'not to be run')
            wait_until(lambda: has_mapped(process, self.name), 'the array is not opened')
            self.assertEqual(self.interrupt(process, number).stdout, '')

    def test_recovered(self):
        with Child(die_with_lock, self.name) as child:
            child.receive()

        # Until it has succeeded.
        for status in (1, 0):
            command = ('sh', '-c', f'echo "<$SHND_LOCK_RECOVERED>"; exit {status}')
            result = run('lock', self.name, '--', *command, status=status)
            self.assertEqual(result.stdout, '<1>\n')
            self.assertRegex(result.stderr,
                             r'\Ashnd: [^\n]*' + self.name + r'[^\n]*died[^\n]*\n\Z')

        # And not because an outer one has said so.
        result = run('lock', self.name, '--', *command, env={'SHND_LOCK_RECOVERED': '1'})
        self.assertEqual((result.stdout, result.stderr), ('<>\n', ''))

    def test_failure_and_death(self):
        """A command that fails leaves nothing half written; one that is killed may have."""
        run('lock', self.name, '--', 'false', status=1)
        self.run_error(NO_COMMAND, 'no command', 'lock', self.name, '--', 'shnd-no-such')
        self.assertEqual(run('lock', self.name, '--', 'true').stderr, '')
        run('lock', self.name, '--', 'sh', '-c', 'kill -9 $$', status=128 + signal.SIGKILL)
        self.assertIn('died', run('lock', self.name, '--', 'true').stderr)
        self.assertEqual(run('lock', self.name, '--', 'true').stderr, '')

    def test_command_errors(self):
        path = self.path('text')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('text')
        self.run_error(NO_COMMAND, ('no command', 'shnd-no-such'), 'lock', self.name, '--',
                       'shnd-no-such')
        self.run_error(NO_COMMAND, 'no command', 'lock', self.name, '--', path + '-missing')
        self.run_error(CANNOT_RUN, ('Cannot run', path), 'lock', self.name, '--', path)
        self.run_error(CANNOT_RUN, 'Cannot run', 'lock', self.name, '--', self.folder)
        self.assertFalse(is_locked(self.name))

    def test_usage(self):
        self.run_error(USAGE, 'Too few operands', 'lock')
        self.run_error(USAGE, 'Too few operands', 'lock', self.name)
        self.run_error(USAGE, ('Too few operands', 'COMMAND'), 'lock', self.name, '--')
        self.run_error(USAGE, ('-n', 'before NAME'), 'lock', self.name, '-n', '--', 'true')
        self.run_error(USAGE, '--timeout “x”', 'lock', '-t', 'x', self.name, '--', 'true')
        self.run_error(USAGE, '0 to 255', 'lock', '-E', '256', self.name, '--', 'true')
        self.run_error(NOT_FOUND, PREFIX + 'none', 'lock', PREFIX + 'none', '--', 'true')

    def test_array_without_lock(self):
        name = self.own('plain')
        with open(os.path.join(SHM, name), 'wb') as file:
            np.save(file, np.zeros(3))
        self.run_error(FAILURE, 'has no lock', 'lock', name, '--', 'true')

    def test_signals(self):
        """They are passed on; the lock goes back when the command has ended."""
        script = ('trap "echo hup" HUP; trap "echo term; exit 3" TERM; echo ready; '
                  'while :; do sleep 0.01; done')
        process = self.start('lock', self.name, '--', 'sh', '-c', script)
        self.assertEqual(self.read_line(process), 'ready')
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.read_line(process), 'hup')
        self.assertTrue(is_locked(self.name))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGQUIT)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.read_line(process), 'hup')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process, 3).stdout, 'term\n')
        self.assertFalse(is_locked(self.name))

    def test_signal_while_stopped(self):
        process = self.start('lock', self.name, '--', 'sh', '-c', 'echo ready; kill -STOP $$')
        self.assertEqual(self.read_line(process), 'ready')
        child = get_child(process.pid)
        wait_until(lambda: get_state(child) == 'T', 'the command does not stop')
        process.send_signal(signal.SIGTERM)
        self.finish(process, 128 + signal.SIGTERM)

    def test_signals_of_command(self):
        """It gets them as if nobody had touched them."""
        def parse(status):
            return {key: int(value, 16) for key, _, value in
                    (line.partition(':\t') for line in status.splitlines())
                    if key in ('SigBlk', 'SigIgn')}

        with open('/proc/self/status', encoding='utf-8') as status:
            ours = parse(status.read())
        theirs = parse(run('lock', self.name, '--', 'cat', '/proc/self/status').stdout)
        self.assertEqual(theirs['SigBlk'], ours['SigBlk'])
        # Python ignores some, and not for its children.
        self.assertEqual(theirs['SigIgn'] & ~ours['SigIgn'], 0)

    def test_killed(self):
        """The command does not go on without the lock."""
        process = self.start('lock', self.name, '--', 'sh', '-c', 'echo $$; exec sleep 1000')
        pid = int(self.read_line(process))
        process.kill()
        process.wait()
        wait_until(lambda: get_state(pid) in 'ZX', 'the command goes on')
        array = open_array(self.name)
        self.addCleanup(array.close)
        self.assertTrue(array.lock())

    def test_control_c(self):
        """It is for the command, which may live on."""
        script = 'trap "echo caught" INT; echo ready; read line; read line; echo "got $line"'
        with Terminal('lock', self.name, '--', 'bash', '-c', script) as terminal:
            terminal.wait_for('ready').send(CONTROL_C)
            terminal.wait_for('caught').send('a\nb\n')
            terminal.wait_for('got')
            terminal.finish()
        with Terminal('lock', self.name, '--', 'sh', '-c', 'echo ready; exec sleep 1000') as terminal:
            terminal.wait_for('ready').send(CONTROL_C)
            terminal.finish(128 + signal.SIGINT)
        with Terminal('lock', self.name, '--', 'sh', '-c', 'echo ready; exec sleep 1000') as terminal:
            terminal.wait_for('ready').send('\x1c')
            terminal.finish(128 + signal.SIGQUIT)

    def test_terminal(self):
        """The command has it."""
        with Terminal('lock', self.name, '--', 'sh', '-c', 'test -t 0 && test -t 1 && stty size',
                      columns=70, lines=20) as terminal:
            terminal.wait_for('20 70')
            terminal.finish()

    def test_control_z(self):
        """Both stop, and both go on."""
        with Shell() as shell:
            shell.type(f'"$SHND" lock {self.name} -- sh -c \'echo "ready $PPID"; read line; '
                       'echo "got $line"\'')
            shell.wait_for('\nready ')
            pid = int(shell.text.rpartition('ready ')[2].split()[0])
            child = get_child(pid)
            shell.send(CONTROL_Z)
            shell.wait_for('Stopped').wait_for_prompt()
            wait_until(lambda: (get_state(pid), get_state(child)) == ('T', 'T'),
                       'one of them goes on')
            self.assertTrue(is_locked(self.name))
            shell.type('fg')
            shell.wait_for('$ fg').send('text\n')
            shell.wait_for('got text').wait_for_prompt()
            self.assertFalse(is_locked(self.name))
            self.leave(shell)

    def test_command_stops_itself(self):
        """Alone: the shell sees it nevertheless."""
        for signal_name in ('STOP', 'TSTP'):
            script = f'echo ready; kill -{signal_name} $$; echo again'
            with self.subTest(script), Shell() as shell:
                shell.type(f"\"$SHND\" lock {self.name} -- sh -c '{script}'")
                shell.wait_for('\nready').wait_for('Stopped').wait_for_prompt()
                shell.type('fg')
                shell.wait_for('\nagain').wait_for_prompt()
                self.leave(shell)

    def test_shell_inside(self):
        """A shell with job control stops itself with its whole group, of which we are not."""
        with Shell() as shell:
            shell.type(f'"$SHND" lock {self.name} -- bash --norc --noprofile -i')
            shell.wait_for(lambda terminal: is_locked(self.name))
            shell.type('echo inside=$((1+1))')
            shell.wait_for('inside=2').wait_for_prompt()
            shell.type('suspend')
            shell.wait_for('Stopped').wait_for_prompt()
            self.assertTrue(is_locked(self.name))
            shell.type('fg')
            shell.type('echo again=$((1+2))')
            shell.wait_for('again=3').wait_for_prompt()
            shell.type('exit')
            shell.wait_for(lambda terminal: not is_locked(self.name)).wait_for_prompt()
            self.leave(shell)

    def test_group_of_its_own(self):
        """Unlike a shell it does not take the terminal when it goes on: it gets it."""
        with open(self.path('own.py'), 'w', encoding='utf-8') as file:
            file.write('import os, signal\n'
                       'os.setpgid(0, 0)\n'
                       'signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n'
                       'os.tcsetpgrp(0, os.getpid())\n'
                       'os.kill(os.getpid(), signal.SIGSTOP)\n'
                       'print("got", input("again: "))\n')
        with Shell() as shell:
            shell.type(f'"$SHND" lock {self.name} -- {sys.executable} {self.path("own.py")}')
            shell.wait_for('Stopped').wait_for_prompt()
            shell.type('fg')
            shell.wait_for('\nagain:').type('text')
            shell.wait_for('got text').wait_for_prompt()
            self.leave(shell)

    def leave(self, shell):
        shell.type('exit')
        shell.finish(None)


if __name__ == '__main__':
    main()
