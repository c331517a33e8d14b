# SPDX-License-Identifier: MIT

"""`shnd load`."""

import fcntl
import os
import signal
import socket
import stat
import struct
import subprocess
import termios
import unittest

from cli_support import (EXISTS, FAILURE, NOT_FOUND, PREFIX, SHM, USAGE, Shnd, main,
                         make_environment, np, own_names, run, wait_until)
from files_support import (NOBODY, FilesTestCase, all_arrays, can_trace, count_seen,
                           let_begin, npy, write_image)


def count_waiting(pipe):
    """How many bytes in it nobody has read yet."""
    return struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD, b'....'))[0]


class Load(FilesTestCase):
    def test_files(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                name = self.own(f'a{i}')
                result = run('load', self.write('a.npy', array), name)
                self.assertEqual((result.stdout, result.stderr), ('', ''))
                self.assert_same(self.get(name), array)
                self.assertTrue(Shnd.Array.open(name, Shnd.Access.READ).props.persistent)

    def test_pipes(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                name = self.own(f'a{i}')
                run('load', '-', name, input=npy(array))
                self.assert_same(self.get(name), array)

    def test_images(self):
        """Their pixels become (height, width, channels), without what pads a row."""
        for n_channels in 3, 4:
            with self.subTest(n_channels):
                pixels = np.arange(5 * 7 * n_channels, dtype='u1').reshape(5, 7, n_channels)
                name = self.own(f'image{n_channels}')
                write_image(self.path(f'{name}.png'), pixels)
                run('load', '--mode', '640', self.path(f'{name}.png'))
                self.assert_same(self.get(name), pixels)
                self.assertEqual(stat.S_IMODE(os.stat(f'{SHM}/{name}').st_mode), 0o640)

    @unittest.skipUnless(can_trace(), 'strace cannot be used here')
    def test_interrupted_at_the_end(self):
        """Ctrl-C ends both sides of a pipe: it does not matter which of that is noticed first."""
        # Here it is the signal that is noticed late.
        process = self.start('load', '-', PREFIX + 'a', prefix=[
            'strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=rt_sigtimedwait', '-e',
            'inject=rt_sigtimedwait:delay_exit=300000'])
        process.stdin.write(npy(np.arange(1000))[:300])
        process.stdin.flush()
        let_begin(process)
        wait_until(lambda: count_waiting(process.stdin) == 0, 'the input is not read')
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, -signal.SIGINT).stderr, '')

    def test_default_name(self):
        array = np.arange(3)
        for file, name in (('a.npy', 'a'), ('b', 'b'), ('c.npy.npy', 'c.npy'), ('d.txt', 'd'),
                           (' e\n漢.npy', ' e\n漢')):
            with self.subTest(ascii(file)):
                name = self.own(name)
                run('load', self.write(PREFIX + file, array))
                self.assert_same(self.get(name), array)
        self.write(PREFIX + 'f.npy', array)
        run('load', PREFIX + 'f.npy', cwd=self.folder)
        self.assert_same(self.get(self.own('f')), array)

        # Names that no array can have.
        for file in ('.npy', '.hidden.npy'):
            self.run_error(FAILURE, 'dot', 'load', self.write(file, array))
        path = os.path.join(self.folder.encode(), b'\xff.npy')
        with open(path, 'wb') as file:
            file.write(npy(array))
        self.run_error(FAILURE, 'UTF-8', 'load', path)

    def test_odd_names(self):
        path = self.write(' a\n\x1b[31m漢.npy', np.arange(3))
        for rest in (' space', 'a\nb', '漢字', 'x' * (255 - len(PREFIX))):
            with self.subTest(ascii(rest)):
                name = self.own(rest)
                run('load', path, name)
                self.assertIn(name, own_names())
        for name in ('a/b', '', '..', 'x' * 256, b'\xff'):
            with self.subTest(ascii(name)):
                self.run_error(FAILURE, 'name for an array', 'load', path, name)

    def test_mode(self):
        path = self.write('a.npy', np.arange(3))
        for name, args in (('a', ()), ('b', ('--mode', '644')), ('c', ('-m', '666'))):
            run('load', *args, path, self.own(name))
        self.assertEqual([stat.S_IMODE(os.stat(f'{SHM}/{name}').st_mode) for name in own_names()],
                         [0o600, 0o644, 0o666])
        self.run_error(USAGE, '--mode', 'load', path, PREFIX + 'x', '--mode', '777')

    def test_missing(self):
        self.run_error(NOT_FOUND, r'no\n.npy', 'load', self.path('no\n.npy'), PREFIX + 'a')
        self.run_error(NOT_FOUND, 'nothing.npy', 'load', self.path('no/nothing.npy'), PREFIX + 'a')

    def test_there_already(self):
        name = self.make('a', [1, 2, 3])
        path = self.write('a.npy', np.arange(9))
        self.run_error(EXISTS, name, 'load', path, name)
        self.run_error(EXISTS, name, 'load', '-', name, input=npy(np.arange(9)))
        self.assertEqual(self.get(name).tolist(), [1, 2, 3])

    def test_bad_files(self):
        good = npy(np.arange(1000))
        for what, data, words in (
                ('empty', b'', ''), ('text', b'hello, this is no array\n' * 9, '.npy'),
                ('cut in the header', good[:50], ''), ('cut', good[:-1], ''),
                ('objects', npy(np.array([[], 3], 'O')), 'object'),
                ('lies', good.replace(b'(1000,)', b'(9999,)'), '')):
            with self.subTest(what):
                with open(self.path('bad.npy'), 'wb') as file:
                    file.write(data)
                self.run_error(FAILURE, words, 'load', self.path('bad.npy'), PREFIX + 'a')
                self.run_error(FAILURE, words, 'load', '-', PREFIX + 'a', input=data)
        self.run_error(FAILURE, 'directory', 'load', self.folder, PREFIX + 'a')
        self.assertEqual(own_names(), [])

    def test_permissions(self):
        path = self.write('a.npy', np.arange(3))
        os.chmod(self.folder, 0o755)
        os.chmod(path, 0)
        keywords = NOBODY if os.geteuid() == 0 else {}
        self.run_error(FAILURE, ('a.npy', 'denied'), 'load', path, PREFIX + 'a', **keywords)

    def test_one_after_the_other(self):
        """Nothing behind an array is read, from pipes and from files."""
        first, second = np.arange(30), np.arange(5) / 7
        names = [self.own('a'), self.own('b')]
        data = npy(first) + npy(second) + b'rest'
        with open(self.path('both'), 'wb') as file:
            file.write(data)
        script = '"$SHND" load - "$1" && "$SHND" load - "$2" && cat'
        for command in (script, 'exec < both; ' + script):
            rest = subprocess.check_output(['sh', '-c', command, 'sh', *names], cwd=self.folder,
                                           env=make_environment(), input=data)
            self.assertEqual(rest, b'rest')
            self.assert_same(self.get(names[0]), first)
            self.assert_same(self.get(names[1]), second)
            run('rm', *names)

    def test_operands(self):
        self.run_error(USAGE, '“-” has no name', 'load', '-')
        self.run_error(USAGE, 'FILE|- [NAME]', 'load')
        self.run_error(USAGE, 'Too many', 'load', '-', 'a', 'b')

    def test_fifo(self):
        """Whoever comes first; also what a shell makes for <(...)."""
        array = np.arange(100000)
        path, fifo, name = self.write('a.npy', array), self.path('fifo'), self.own('a')
        os.mkfifo(fifo)
        self.run_error(USAGE, 'no name', 'load', fifo)
        process = self.start('load', fifo, name)
        with open(fifo, 'wb') as file:
            file.write(npy(array))
        self.finish(process)
        self.assert_same(self.get(name), array)

        name = self.own('b')
        subprocess.run(['bash', '-c', '"$SHND" load <(gzip -c "$1" | gzip -d) "$2"', 'bash', path,
                        name], env=make_environment(), check=True)
        self.assert_same(self.get(name), array)

    def test_closed_standard_input(self):
        result = subprocess.run(['sh', '-c', '"$SHND" load - "$1" <&-', 'sh', PREFIX + 'a'],
                                env=make_environment(), capture_output=True, text=True, timeout=60,
                                check=False)
        self.assertEqual(result.returncode, FAILURE)
        self.assertRegex(result.stderr, r'\Ashnd: .*Bad file descriptor\n\Z')

    def test_reset_connection(self):
        """A socket whose other end is gone is an error, not an end."""
        listener = socket.create_server(('127.0.0.1', 0))
        with listener, socket.create_connection(listener.getsockname()) as ours:
            theirs = listener.accept()[0]
            theirs.sendall(npy(np.arange(1000))[:2000])
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            theirs.close()
            result = run('load', '-', PREFIX + 'a', stdin=ours, status=None)
            self.assert_error(result, FAILURE, 'stream')


class Interrupt(FilesTestCase):
    """Nothing is left of what is broken off."""

    def undo(self, *args):
        run('rm', '-f', args[-1])

    def test_file(self):
        path = self.write_big('big.npy')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.interrupt_in_the_middle(number, 'load', path, self.own('a'))
            self.assertEqual(own_names(), [])

    def test_image(self):
        """It is read to its end, but there is no array."""
        path = self.path('big.png')
        run('show', self.make('picture', np.zeros((9000, 9000), 'u1')), '--png', path)
        run('rm', PREFIX + 'picture')
        self.interrupt_in_the_middle(signal.SIGINT, 'load', path, self.own('a'), count=count_seen)
        self.assertEqual(own_names(), [])

    def test_stalled_pipe(self):
        """Before the first byte, in the header, in the elements."""
        data = npy(np.zeros(1000000))
        for n in (0, 20, 5000000):
            with self.subTest(n):
                process = self.start('load', '-', self.own('a'))
                process.stdin.write(data[:n])
                process.stdin.flush()
                let_begin(process)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(60), -signal.SIGINT)
                self.assertEqual(process.stderr.read(), b'')
                self.assertEqual(own_names(), [])

    def test_fifo_without_writer(self):
        os.mkfifo(self.path('fifo'))
        process = self.start('load', self.path('fifo'), self.own('a'))
        let_begin(process)
        self.interrupt(process)
        self.assertEqual(own_names(), [])

    def test_writer_dies(self):
        process = self.start('load', '-', self.own('a'))
        process.stdin.write(npy(np.zeros(1000000))[:5000000])
        result = self.finish(process, FAILURE)
        self.assert_error(result, FAILURE, 'ended after')
        self.assertEqual(own_names(), [])


if __name__ == '__main__':
    main()
