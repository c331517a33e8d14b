# SPDX-License-Identifier: MIT

"""`shnd save`, and the pipe from it to `shnd load`."""

import os
import signal
import subprocess
import unittest

from cli_support import (EXISTS, FAILURE, NOT_FOUND, PREFIX, USAGE, Shnd, main,
                         make_environment, np, run)
from files_support import MIB, NOBODY, FilesTestCase, all_arrays, in_namespace, let_begin, npy
from process_support import Child
from terminal_support import Terminal


def make(test, name, array):
    """As make(), but in the order that the array has."""
    name = test.own(name)
    run('load', '-', name, input=npy(array))
    return name


class Save(FilesTestCase):
    def test_files(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                name = make(self, f'a{i}', array)
                result = run('save', name, self.path('a.npy'))
                self.assertEqual((result.stdout, result.stderr), ('', ''))
                self.assertEqual(self.read(self.path('a.npy')), npy(array))
                self.assertEqual(os.listdir(self.folder), ['a.npy'])

    def test_pipes(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                name = make(self, f'a{i}', array)
                self.assertEqual(run('save', name, '-').data, npy(array))

    def test_to_a_file_as_output(self):
        name = make(self, 'a', np.arange(100000))
        with open(self.path('a.npy'), 'wb') as file:
            file.write(b'before')
            file.flush()
            run('save', name, '-', stdout=file)
        self.assertEqual(self.read(self.path('a.npy')), b'before' + npy(np.arange(100000)))

    def test_parts(self):
        array = np.zeros((4, 6), [('x', '<f4'), ('n', [('m', '>i2'), ('l', 'u1')])])
        array['x'] = np.arange(24).reshape(4, 6)
        array['n']['m'] = np.arange(24).reshape(4, 6) * 3
        name = make(self, 'a', array)
        for args, part in ((('--field', 'x'), array['x']),
                           (('--field', 'n', '--field', 'm'), array['n']['m']),
                           (('--slice', '1:3, ::-2'), array[1:3, ::-2]),
                           (('--slice=-1', '--field=x'), array['x'][-1])):
            with self.subTest(args):
                self.assertEqual(run('save', *args, name, '-').data, npy(part))
                run('save', name, self.path('a.npy'), *args)
                self.assertEqual(self.read(self.path('a.npy')), npy(part))
        self.run_error(FAILURE, 'axis', 'save', name, '-', '--slice', '7')

    def test_of_a_file(self):
        array = np.arange(12).reshape(3, 4)
        path = self.write('a.npy', array)
        run('save', path, self.path('b.npy'), '--slice', '1')
        self.assertEqual(self.read(self.path('b.npy')), npy(array[1]))
        # Into itself: all is read before it is replaced.
        run('save', path, path, '--slice', '::2')
        self.assertEqual(self.read(path), npy(array[::2]))

    def test_replaces(self):
        name = make(self, 'a', np.arange(3))
        path = self.write('a.npy', np.arange(9))
        os.chmod(path, 0o640)
        run('save', name, path)
        self.assertEqual(self.read(path), npy(np.arange(3)))
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)

    def test_no_clobber(self):
        name = make(self, 'a', np.arange(3))
        path = self.path('a.npy')
        run('save', '--no-clobber', name, path)
        self.assertEqual(self.read(path), npy(np.arange(3)))
        self.run_error(EXISTS, 'a.npy', 'save', '-n', make(self, 'b', np.arange(9)), path)
        self.assertEqual(self.read(path), npy(np.arange(3)))
        os.symlink('nowhere', self.path('link'))
        self.run_error(EXISTS, 'link', 'save', '-n', name, self.path('link'))
        self.run_error(NOT_FOUND, 'no', 'save', '-n', name, self.path('no/a.npy'))
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.npy', 'link'])

    def test_odd_names(self):
        for i, rest in enumerate((' space', 'a\nb', '漢字', '-x', 'x' * 251)):
            with self.subTest(ascii(rest)):
                name = make(self, f'{i}{rest}'[:255 - len(PREFIX)], np.arange(3))
                for args in ((), ('-n',)):
                    path = self.path(rest + '.npy')
                    run('save', *args, name, path)
                    self.assertEqual(self.read(path), npy(np.arange(3)))
                    os.unlink(path)
        path = os.path.join(self.folder.encode(), b'\xff.npy')
        run('save', name, path)
        os.unlink(path)
        run('save', '-n', name, path)
        self.run_error(EXISTS, r'.npy', 'save', '-n', name, path)

    def test_errors(self):
        name = make(self, 'a', np.arange(3))
        self.run_error(NOT_FOUND, PREFIX + 'x', 'save', PREFIX + 'x', self.path('a.npy'))
        self.run_error(NOT_FOUND, PREFIX + r'\n', 'save', PREFIX + '\n', '-')
        self.run_error(NOT_FOUND, 'no/a.npy', 'save', name, self.path('no/a.npy'))
        self.run_error(FAILURE, 'not a regular file', 'save', name, self.folder)
        self.run_error(USAGE, 'NAME FILE|-', 'save', name)
        self.assertEqual(os.listdir(self.folder), [])

    def test_permissions(self):
        name = make(self, 'a', np.arange(3))
        keywords = NOBODY if os.geteuid() == 0 else {}
        path = self.write('there.npy', np.arange(3))
        os.chmod(self.folder, 0o555)
        if os.geteuid() == 0:
            self.run_error(FAILURE, (name, 'denied'), 'save', name, '-', **keywords)
        os.chmod(f'/dev/shm/{name}', 0o644)
        for args in ((), ('-n',)):
            self.run_error(FAILURE, ('a.npy', 'denied'), 'save', *args, name, self.path('a.npy'),
                           **keywords)
        # That is found out before anything is written.
        self.run_error(EXISTS, 'there.npy', 'save', '-n', name, path, **keywords)
        os.chmod(self.folder, 0o755)
        self.assertEqual(os.listdir(self.folder), ['there.npy'])

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_any_owner(self):
        name = make(self, 'a', np.arange(3))
        os.chown(f'/dev/shm/{name}', NOBODY['user'], NOBODY['group'])
        self.run_error(FAILURE, name, 'save', name, '-')
        self.assertEqual(run('save', name, '-', '--any-owner').data, npy(np.arange(3)))

    @unittest.skipUnless(os.path.exists('/dev/full'), 'needs /dev/full')
    def test_full_device(self):
        name = make(self, 'a', np.arange(100000))
        self.run_error(FAILURE, 'No space left', 'save', name, '/dev/full')
        with open('/dev/full', 'wb') as full:
            result = run('save', name, '-', stdout=full, status=None)
            self.assert_error(result, FAILURE, 'No space left')

    def test_nobody_reads(self):
        """As with cat: neither a word nor success."""
        for n in (1, 100000):
            name = make(self, f'a{n}', np.arange(n))
            ours, theirs = os.pipe()
            os.close(ours)
            with os.fdopen(theirs, 'wb') as pipe:
                self.assertEqual(run('save', name, '-', stdout=pipe,
                                     status=-signal.SIGPIPE).stderr, '')
        process = self.start('save', name, '-')
        self.assertEqual(process.stdout.read(6), b'\x93NUMPY')
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b'')
        self.assertEqual(process.wait(60), -signal.SIGPIPE)

    def test_closed_standard_output(self):
        name = make(self, 'a', np.arange(3))
        result = subprocess.run(['sh', '-c', '"$SHND" save "$1" - >&-', 'sh', name],
                                env=make_environment(), stderr=subprocess.PIPE, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, FAILURE)
        self.assertRegex(result.stderr, r'\Ashnd: .*Bad file descriptor\n\Z')

    def test_closed_standard_error(self):
        """What is said of a lock that somebody left is not written into the array."""
        name = make(self, 'a', np.arange(3))

        def leave(connection):
            array = Shnd.Array.open(name)
            array.lock()
            connection.send('locked')
            connection.recv()

        with Child(leave) as child:
            child.receive()
            child.kill()
        before = self.read(f'/dev/shm/{name}')[:4096]
        subprocess.run(['sh', '-c', '"$SHND" lock "$1" -- sh -c "exit \\$SHND_LOCK_RECOVERED" 2>&-;'
                        ' test $? = 1', 'sh', name], env=make_environment(), check=True, timeout=60)
        self.assertEqual(self.read(f'/dev/shm/{name}')[:4096], before)

    def test_terminal(self):
        name = make(self, 'a', np.arange(3))
        with Terminal('save', name, '-') as terminal:
            terminal.finish(USAGE)
            self.assertIn('expected a file or a pipe', terminal.text)
        with Terminal('load', '-', PREFIX + 'b') as terminal:
            terminal.finish(USAGE)
            self.assertIn('expected a file or a pipe', terminal.text)

    def test_fifo(self):
        """Whoever comes first; also what a shell makes for >(...)."""
        array = np.arange(100000)
        name, fifo = make(self, 'a', array), self.path('fifo')
        os.mkfifo(fifo)
        process = self.start('save', name, fifo)
        self.assertEqual(self.read(fifo), npy(array))
        self.finish(process)
        self.assertEqual(sorted(os.listdir(self.folder)), ['fifo'])

        process = self.start('save', name, fifo)
        let_begin(process)
        self.interrupt(process)

        # The shell does not wait for the other command: the pipe's end tells that it is done.
        data = subprocess.run(['bash', '-c', '{ "$SHND" save "$1" >(cat >&3); } 3>&1 | cat', 'bash',
                               name], env=make_environment(), check=True, stdout=subprocess.PIPE)
        self.assertEqual(data.stdout, npy(array))


class Interrupt(FilesTestCase):
    """What was there before is there."""

    before = None  # what is in the file

    def undo(self, *args):
        """It may have been killed before there was a file, or when that had another name."""
        for name in os.listdir(self.folder):
            os.unlink(self.path(name))
        self.write_before(args[-1])

    def write_before(self, path):
        if self.before is not None:
            with open(path, 'wb') as file:
                file.write(self.before)

    def test_file(self):
        name, path = self.make_big('a'), self.path('a.npy')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.interrupt_in_the_middle(number, 'save', name, path)
            self.interrupt_in_the_middle(number, 'save', '-n', name, path)
            self.assertEqual(os.listdir(self.folder), [])

    def test_file_that_is_there(self):
        name, path = self.make_big('a'), self.path('a.npy')
        self.before = b'before'
        self.write_before(path)
        process = self.stop_in_the_middle('save', name, path)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        self.finish(process, -signal.SIGINT)
        self.assertEqual(os.listdir(self.folder), ['a.npy'])
        self.assertEqual(self.read(path), b'before')

    def test_file_that_comes(self):
        """Meanwhile: it is not replaced either."""
        process = self.stop_in_the_middle('save', '--no-clobber', self.make_big('a'),
                                          self.path('a.npy'))
        with open(self.path('a.npy'), 'wb') as file:
            file.write(b'theirs')
        process.send_signal(signal.SIGCONT)
        self.assert_error(self.finish(process, None), EXISTS, 'a.npy')
        self.assertEqual(os.listdir(self.folder), ['a.npy'])
        self.assertEqual(self.read(self.path('a.npy')), b'theirs')

    def test_stalled_pipe(self):
        process = self.start('save', make(self, 'a', np.zeros(1000000)), '-')
        self.assertEqual(process.stdout.read(6), b'\x93NUMPY')
        process.send_signal(signal.SIGINT)
        # Not that it can go on: nothing more is read.
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertEqual(process.stderr.read(), b'')


class Move(FilesTestCase):
    """From one machine to another."""

    def test_pipe(self):
        for i, (what, array) in enumerate(all_arrays()):
            with self.subTest(what):
                source, target = make(self, f'a{i}', array), self.own(f'b{i}')
                subprocess.run(['bash', '-o', 'pipefail', '-c',
                                '"$SHND" save "$1" - | "$SHND" load - "$2"', 'bash', source,
                                target], env=make_environment(), check=True)
                self.assert_same(self.get(target), array)
                self.assertEqual(run('save', target, '-').data, npy(array))

    def test_namespaces(self):
        """Each with a /dev/shm and a network of its own."""
        array = np.random.default_rng(1).integers(0, 256, (3, MIB), 'u1')
        array = np.asfortranarray(array.view('>u2'))
        path = self.write('a.npy', array)
        folder = self.path('mount')
        os.mkdir(folder)
        there = in_namespace(folder, '"$SHND" load "$1" cam0 && "$SHND" save cam0 -', path,
                             net=True, stdout=subprocess.PIPE)
        here = in_namespace(folder,
                            'ls -A /dev/shm >&2; "$SHND" load - cam0 && ls -A /dev/shm >&2'
                            ' && "$SHND" save cam0 -',
                            net=True, stdin=there.stdout, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
        there.stdout.close()
        data, names = here.communicate(timeout=60)
        self.assertEqual((there.wait(60), here.returncode), (0, 0), names)
        self.assertEqual(names, b'cam0\n')
        self.assertTrue(data == npy(array))
        self.assertFalse(os.path.exists('/dev/shm/cam0'))


if __name__ == '__main__':
    main()
