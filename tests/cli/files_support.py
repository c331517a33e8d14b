# SPDX-License-Identifier: MIT

"""What the tests of commands that read and write files share: arrays of every sort, images, and work
that is caught in the middle."""

import io
import os
import shutil
import signal
import subprocess
import time
import unittest

import gi

gi.require_version('GdkPixbuf', '2.0')

from gi.repository import GdkPixbuf  # noqa: E402

from cli_support import (PATIENCE, SHM, CliTestCase, GLib, Shnd, make_environment,  # noqa: E402
                         np, wait_until)

MIB = 1024 * 1024

# What takes long enough to be met at work.
BIG = 256 * MIB

# Whom root can be for a while.
NOBODY = {'user': 65534, 'group': 65534, 'extra_groups': []}


def all_arrays():
    """Dtypes, orders and shapes that a .npy file can have: (what, array)."""
    numbers = np.arange(24)
    structs = np.zeros(5, np.dtype({'names': ['x', 'grün'], 'formats': ['<f8', '>i2'],
                                    'offsets': [2, 16], 'itemsize': 24}))
    structs['x'] = np.arange(5) / 3
    structs['grün'] = np.arange(5)
    return [
        ('integers', numbers.reshape(2, 3, 4)),
        ('big-endian', numbers.astype('>i4')),
        ('Fortran', np.asfortranarray(numbers.reshape(4, 6).astype('f4'))),
        ('float16', (numbers / 7).astype('f2')),
        ('long double', (numbers / np.longdouble(7))),
        ('complex', numbers + 1j),
        ('bool', numbers % 3 == 0),
        ('0-d', np.array(3.5)),
        ('empty', np.zeros((3, 0, 2), 'u2')),
        ('bytes', np.array([b'abc', b'd'])),
        ('text', np.array(['schön', '漢字'])),
        ('times', numbers.astype('M8[ms]')),
        ('structs', structs),
    ]


def npy(*arrays):
    """The bytes of the .npy file, or of several, one after the other."""
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array)
    return file.getvalue()


def write_image(path, pixels, kind='png'):
    height, width, n_channels = pixels.shape
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(pixels.tobytes()),
                                             GdkPixbuf.Colorspace.RGB, n_channels == 4, 8, width,
                                             height, width * n_channels)
    pixbuf.savev(path, kind, ['quality'] if kind == 'jpeg' else [],
                 ['100'] if kind == 'jpeg' else [])


def let_begin(process):
    """Waits until signals no longer just kill it: a thread takes them."""
    wait_until(lambda: len(os.listdir(f'/proc/{process.pid}/task')) > 1)


def can_trace():
    """Whether strace works, on a program that has no sanitizer, which does not want to be traced."""
    try:
        return 'asan' not in os.environ.get('LD_PRELOAD', '') and subprocess.run(
            ['strace', '-o', '/dev/null', 'true'], timeout=60, check=False).returncode == 0
    except FileNotFoundError:
        return False


def count_copied(process):
    """How many bytes a process has read and written so far."""
    with open(f'/proc/{process.pid}/io', encoding='ascii') as file:
        counts = dict(line.split(': ') for line in file.read().splitlines())
    return int(counts['rchar']) + int(counts['wchar'])


class FilesTestCase(CliTestCase):
    def write(self, name, array):
        """Makes a .npy file: its path."""
        path = self.path(name)
        with open(path, 'wb') as file:
            file.write(npy(array))
        return path

    def read(self, path):
        with open(path, 'rb') as file:
            return file.read()

    def get(self, name):
        return Shnd.Array.open(name, Shnd.Access.READ).get()

    def assert_same(self, found, expected):
        self.assertEqual((found.dtype, found.shape, found.flags.f_contiguous),
                         (expected.dtype, expected.shape, expected.flags.f_contiguous))
        self.assertEqual(found.tobytes(), expected.tobytes())

    def make_big(self, name):
        """An array that takes a while."""
        name = self.own(name)
        Shnd.Array.new(name, 'u1', (BIG,), Shnd.CreateFlags.PERSISTENT)
        return name

    def write_big(self, name):
        path = self.path(name)
        with open(path, 'wb') as file:
            np.lib.format.write_array_header_1_0(
                file, {'descr': '|u1', 'fortran_order': False, 'shape': (BIG,)})
            file.truncate(file.tell() + BIG)
        return path

    def stop_in_the_middle(self, *args, count=count_copied):
        """Starts `shnd ARGS` and stops it when it is done with some of BIG bytes, but not many."""
        for _ in range(20):
            process = self.start(*args)
            end = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < end:
                try:
                    if count(process) > BIG / 8:
                        process.send_signal(signal.SIGSTOP)
                        break
                except (OSError, ValueError):  # it has ended
                    pass
            if process.poll() is None and count(process) < BIG / 2:
                return process
            process.kill()
            process.wait()
            self.undo(*args)
        self.fail('Never met it at work')

    def undo(self, *args):
        """Removes what a command has made that was too fast."""

    def interrupt_in_the_middle(self, number, *args, **keywords):
        process = self.stop_in_the_middle(*args, **keywords)
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        result = self.finish(process, -number)
        self.assertEqual((result.stdout, result.stderr), ('', ''))


def count_seen(process):
    """How many bytes of memory a process has looked at, more or less."""
    with open(f'/proc/{process.pid}/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGESIZE')


def mount_command(options, net=False):
    """The command for a process with a /dev/shm of its own, and a folder."""
    command = ['unshare', '--mount', *(['--net'] if net else [])]
    if os.geteuid() != 0:
        command += ['--user', '--map-root-user']
    mount = f'mount -t tmpfs -o {options} shnd-test'
    command += ['sh', '-c', f'{mount} {SHM} && {mount} "$1" && shift && exec "$@"', 'sh']
    return command


def in_namespace(folder, script, *args, options='mode=1777', net=False, **keywords):
    """Starts a shell script where /dev/shm is another one, and so is the folder."""
    if shutil.which('unshare') is None:
        raise unittest.SkipTest('no unshare command')
    command = [*mount_command(options, net), folder]
    probe = subprocess.run([*command, 'true'], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise unittest.SkipTest(f'no mount namespace: {probe.stderr.strip()}')
    return subprocess.Popen([*command, 'bash', '-c', script, 'bash', *args],
                            env=make_environment(), **keywords)
