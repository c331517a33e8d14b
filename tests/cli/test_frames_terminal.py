# SPDX-License-Identifier: MIT

"""`shnd publish` and `shnd subscribe` on a terminal."""

import os
import re
import signal
import subprocess

from cli_support import FAILURE, PATIENCE, TIMED_OUT, USAGE, CliTestCase, main, np
from frames_support import BLOCK, publish, receive, sockets
from picture_support import decode_screen
from terminal_support import CONTROL_C, PLAIN, Shell, Terminal

RED, GREEN = (255, 0, 0), (0, 255, 0)


def fill(color):
    """An image of one colour."""
    return np.full((60, 80, 3), color, np.uint8)


class TerminalTestCase(CliTestCase):
    def terminal(self, *args, **keywords):
        terminal = Terminal(*args, **keywords)
        self.addCleanup(terminal.__exit__)
        return terminal

    def subscribe(self, *args, **keywords):
        """The command on a terminal, when the publisher knows it."""
        publisher = self.publisher(overflow=BLOCK)
        terminal = self.terminal('subscribe', self.address, *args, **keywords)
        while publisher.n_subscribers == 0:
            terminal.feed(0.05)
        return publisher, terminal

    def send(self, publisher, array):
        publish(publisher, array, array.shape, array.dtype)


def shows(color, n_columns=20, n_rows=5):
    """Whether the corner of a terminal has one colour."""
    def check(terminal):
        try:
            pixels = decode_screen(terminal.screen, n_columns, n_rows)
        except AssertionError:  # there is other text
            return False
        return (pixels == color).all()
    return check


class Publish(TerminalTestCase):
    def setUp(self):
        super().setUp()
        self.file = self.path('a.npy')
        np.save(self.file, np.zeros(3))

    def test_status(self):
        terminal = self.terminal('publish', self.address, self.file)
        terminal.wait_for('0 subscribers, 0 dropped')
        subscriber = self.subscriber()
        frames = [receive(subscriber) for _ in range(2)]
        terminal.wait_for('1 subscriber,')
        # It holds as many as it may.
        terminal.wait_for(lambda terminal: re.search(r'1 subscriber, [1-9]\d* dropped',
                                                     terminal.text))
        status = f'{self.address}: [0-9]+ frames, [0-9.]+/s, 1 subscriber, [0-9]+ dropped'
        self.assertRegex(terminal.text, status)
        terminal.send(CONTROL_C)
        terminal.finish(-signal.SIGINT)
        # What was last stays.
        self.assertRegex(terminal.text, status)
        self.assertGreater(terminal.screen.cursor.y, 0)
        for frame in frames:
            frame.release()

    def test_rate(self):
        terminal = self.terminal('publish', self.address, self.file, '--rate', '0')
        terminal.wait_for(lambda terminal: re.search(r' [1-9]\d\d+\.\d/s', terminal.text))
        terminal.send(CONTROL_C)
        terminal.finish(-signal.SIGINT)

    def test_waiting(self):
        terminal = self.terminal('publish', self.address, self.file, '--wait', '2')
        terminal.wait_for('Waiting for subscribers: 0 of 2 are there')
        subscriber = self.subscriber()
        self.assert_timed_out(subscriber.receive, timeout=0)
        terminal.wait_for('1 of 2 are there')
        terminal.send(CONTROL_C)
        terminal.finish(-signal.SIGINT)

    def test_narrow(self):
        terminal = self.terminal('publish', self.address, self.file, columns=20)
        terminal.wait_for('…')
        self.assertEqual(len(terminal.text.splitlines()), 1)
        terminal.send(CONTROL_C)
        terminal.finish(-signal.SIGINT)

    def test_only_errors_in_a_pipe(self):
        terminal = self.terminal('publish', self.address, self.file, '--once',
                                 stderr=subprocess.PIPE)
        with terminal.process.stderr as stderr:
            terminal.finish()
            self.assertEqual((terminal.text, stderr.read()), ('', b''))

    def test_standard_input(self):
        terminal = self.terminal('publish', self.address, '-')
        terminal.finish(USAGE)
        self.assertIn('The standard input is a terminal', terminal.text)
        self.assertEqual(sockets(), [])


class Subscribe(TerminalTestCase):
    def test_waiting(self):
        terminal = self.terminal('subscribe', self.address)
        terminal.wait_for(f'Waiting for a publisher at “{self.address}”')
        publisher = self.publisher()
        publisher.wait_subscribers(1, timeout=PATIENCE)
        publish(publisher, 1)
        terminal.wait_for('int64  4')
        self.assertNotIn('Waiting', terminal.text)
        terminal.send(CONTROL_C)
        terminal.finish(-signal.SIGINT)

    def test_waiting_for_a_frame(self):
        publisher, terminal = self.subscribe('--timeout', '2')
        # It may be gone by the time that it is read.
        terminal.wait_for(lambda terminal: b'Waiting for a frame' in terminal.raw)
        terminal.finish(TIMED_OUT)
        self.assertNotIn('Waiting', terminal.text)
        self.assertIn('has not published', terminal.text.replace('\n', ''))
        publisher.close()

    def test_stream(self):
        for args in (('--save', '-'), ('--save', '-', '--png')):
            publisher = self.publisher(overflow=BLOCK)
            terminal = self.terminal('subscribe', self.address, *args)
            terminal.finish(USAGE)
            self.assertIn('The standard output is a terminal', terminal.text)
            publisher.close()


class Show(TerminalTestCase):
    def test_pictures(self):
        publisher, terminal = self.subscribe('--show')
        terminal.wait_for(f'{self.address}: waiting for a frame')
        for sequence, color in enumerate((RED, GREEN), 1):
            self.send(publisher, fill(color))
            terminal.wait_for(shows(color))
            terminal.wait_for(f'{self.address}: frame {sequence}  ')
            self.assertIn('0 missed  60x80x3  uint8', terminal.text)
        self.assertTrue(terminal.screen.is_alternate)
        terminal.send('q')
        terminal.finish()
        self.assertTrue(terminal.is_restored)
        self.assertEqual(terminal.text, '')

    def test_newest(self):
        """The others are skipped, unless they are saved."""
        for args, n_missed in (((), 3), (('--save', self.path('rec')), 0)):
            publisher = self.publisher(depth=8)
            terminal = self.terminal('subscribe', self.address, '--show', *args)
            while publisher.n_subscribers == 0:
                terminal.feed(0.05)
            self.send(publisher, fill(RED))
            terminal.wait_for(shows(RED))
            terminal.kill(signal.SIGSTOP)
            os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
            for _ in range(4):
                self.send(publisher, fill(GREEN))
            terminal.kill(signal.SIGCONT)
            terminal.wait_for(lambda terminal: re.search(rf': frame 5  .*  {n_missed} missed  ',
                                                         terminal.text))
            terminal.send('q')
            terminal.finish()
            publisher.close()

    def test_interrupt(self):
        for end in (lambda terminal: terminal.send(CONTROL_C),
                    lambda terminal: terminal.kill(signal.SIGINT)):
            publisher, terminal = self.subscribe('--show')
            self.send(publisher, fill(RED))
            terminal.wait_for(shows(RED))
            end(terminal)
            terminal.finish(-signal.SIGINT)
            self.assertTrue(terminal.is_restored)
            publisher.close()

    def test_while_frames_come(self):
        image = self.path('a.npy')
        np.save(image, fill(RED))
        process = self.start('publish', self.address, image, '--rate', '0')
        terminal = self.terminal('subscribe', self.address, '--show')
        terminal.wait_for(shows(RED))
        terminal.wait_for(lambda terminal: re.search(r' [1-9]\d+\.\d/s', terminal.text))
        terminal.send('q')
        terminal.finish()
        self.assertTrue(terminal.is_restored)
        self.interrupt(process)

    def test_end_of_stream(self):
        publisher, terminal = self.subscribe('--show')
        self.send(publisher, fill(RED))
        terminal.wait_for(shows(RED))
        publisher.close()
        terminal.finish()
        self.assertTrue(terminal.is_restored)

    def test_killed_publisher(self):
        image = self.path('a.npy')
        np.save(image, fill(RED))
        process = self.start('publish', self.address, image)
        terminal = self.terminal('subscribe', self.address, '--show')
        terminal.wait_for(shows(RED))
        process.kill()
        terminal.finish(FAILURE)
        self.assertTrue(terminal.is_restored)
        self.assertIn('without having ended', terminal.text)
        process.wait()
        self.publisher().close()

    def test_reconnect(self):
        publisher, terminal = self.subscribe('--show', '--reconnect')
        self.send(publisher, fill(RED))
        terminal.wait_for(shows(RED))
        publisher.close()
        terminal.wait_for('waiting for a publisher')
        publisher = self.publisher()
        publisher.wait_subscribers(1, timeout=PATIENCE)
        self.send(publisher, fill(GREEN))
        terminal.wait_for(shows(GREEN))
        terminal.send('q')
        terminal.finish()

    def test_resize(self):
        """The last picture is drawn again, even if it went back to a publisher of depth 1."""
        publisher = self.publisher(overflow=BLOCK, depth=1)
        terminal = self.terminal('subscribe', self.address, '--show')
        while publisher.n_subscribers == 0:
            terminal.feed(0.05)
        for color in (GREEN, RED):
            self.send(publisher, fill(color))
            terminal.wait_for(shows(color, 40, 15))
        terminal.resize(30, 12)
        terminal.wait_for(lambda terminal: shows(RED, 20, 5)(terminal) and
                          terminal.rows[10].startswith(f'{self.address}: frame 2 '))
        terminal.send('q')
        terminal.finish()
        self.assertTrue(terminal.is_restored)

    def test_other_arrays(self):
        publisher, terminal = self.subscribe('--show')
        self.send(publisher, np.sin(np.arange(100) / 5))
        terminal.wait_for('100  float64')
        self.assertGreater(len(terminal.text.splitlines()), 3)
        self.send(publisher, np.zeros(3, [('\x1b]0;x', 'u1')]))
        terminal.wait_for('frame 2 ')
        self.assertNotIn(b'\x1b]0;x', terminal.raw)
        self.send(publisher, np.array(5.0))
        terminal.wait_for('frame 3 ')
        self.send(publisher, fill(RED))
        terminal.wait_for(shows(RED))
        terminal.send('q')
        terminal.finish()

    def test_count_and_save(self):
        publisher, terminal = self.subscribe('--show', '--count', '3', '--save', self.path('rec'))
        for color in (RED, GREEN, RED):
            self.send(publisher, fill(color))
        terminal.finish()
        self.assertTrue(terminal.is_restored)
        self.assertEqual(len(os.listdir(self.path('rec'))), 3)

    def test_timeout(self):
        terminal = self.terminal('subscribe', self.address, '--show', '--timeout', '0.5')
        terminal.finish(TIMED_OUT)
        self.assertTrue(terminal.is_restored)
        self.assertIn('no publisher', terminal.text)

    def test_formats(self):
        for format, begin in (('sixel', b'\x1bP'), ('kitty', b'\x1b_G')):
            publisher, terminal = self.subscribe('--show', '--format', format)
            n_before = len(terminal.strings)
            self.send(publisher, fill(RED))
            terminal.wait_for(lambda terminal: len(terminal.strings) > n_before)
            self.assertTrue(terminal.strings[-1].startswith(begin))
            terminal.send('q')
            terminal.finish()
            publisher.close()

    def test_usage(self):
        for args, env, words in ((('--format', 'bogus'), {}, 'bogus'), ((), {'TERM': 'dumb'},
                                                                        'terminal')):
            terminal = self.terminal('subscribe', self.address, '--show', *args, env=env)
            terminal.finish(USAGE)
            self.assertIn(words, terminal.text)

    def test_stop(self):
        """Ctrl-Z gives the terminal back to the shell, and fg draws again."""
        publisher = self.publisher(overflow=BLOCK)
        shell = Shell(answers=PLAIN)
        self.addCleanup(shell.__exit__)
        shell.type(f'"$SHND" subscribe {self.address} --show')
        while publisher.n_subscribers == 0:
            shell.feed(0.05)
        self.send(publisher, fill(RED))
        shell.wait_for(shows(RED))
        shell.send('\x1a')
        shell.wait_for('Stopped')
        self.assertFalse(shell.screen.is_alternate)
        shell.type('fg')
        shell.wait_for(shows(RED))
        shell.send('q')
        shell.wait_for_prompt()
        shell.type('exit')
        shell.finish()


if __name__ == '__main__':
    main()
