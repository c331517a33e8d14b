# SPDX-License-Identifier: MIT

"""What the tests of the format share."""

import ctypes
import faulthandler
import os
import signal
import sys
import traceback
import unittest

import gi
import numpy as np

# Before GLib is loaded: what it only warns of shall fail here.
os.environ.setdefault('G_DEBUG', 'fatal-warnings')

# Before the library, which then has done its part when this one runs.
if 'SHND_TEST_ASAN_FORK' in os.environ:
    ctypes.CDLL(os.environ['SHND_TEST_ASAN_FORK'])

gi.require_version('Shnd', '1')

from gi.repository import Gio, GLib, GObject, Shnd  # noqa: E402, F401

SHM = '/dev/shm'

# Other tests run at the same time; these names are this process's own.
PREFIX = f'shnd-test-{os.getpid()}-'

# The sanitizer's mlock() does nothing.
HAS_MLOCK = 'asan' not in os.environ.get('LD_PRELOAD', '')


def diagnose(text):
    """Prints a line that TAP readers show as a remark."""
    print(f'# {text}', flush=True)


def own_names():
    return sorted(name for name in os.listdir(SHM) if name.startswith(PREFIX))


def count_handles():
    """How many file descriptors this process has, and how many mappings of files for arrays."""
    with open('/proc/self/maps', encoding='utf-8') as maps:
        n_mappings = sum(SHM + '/' in line or 'memfd:shndarray' in line or '.npy' in line
                         for line in maps)
    return len(os.listdir('/proc/self/fd')), n_mappings


def is_error(error, code):
    return error.matches(Shnd.Error.quark(), code)


class SharedTestCase(unittest.TestCase):
    """Leaves no name behind, and says so if it would."""

    @classmethod
    def setUpClass(cls):
        cls.names_before = own_names()

    @classmethod
    def tearDownClass(cls):
        left = [name for name in own_names() if name not in cls.names_before]
        for name in left:
            os.unlink(f'{SHM}/{name}')
        assert not left, f'left in {SHM}: {left}'

    def assert_error(self, code, message, function, *args):
        """Calls, and asserts the error's code and that its message holds some words."""
        with self.assertRaises(GLib.Error) as caught:
            function(*args)
        error = caught.exception
        self.assertEqual(error.domain, 'shnd-error-quark', error.message)
        self.assertEqual(Shnd.Error(error.code).value_nick, code.value_nick, error.message)
        self.assertIn(message, error.message)
        return error


def drop_to_nobody():
    """What root may do is nobody's to do: in a child, for good."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)


def in_child(function):
    """Runs it in a forked process. Returns the exit status: 0 if nothing was raised."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            # Should memory run out, this process is the one that the kernel ends.
            with open('/proc/self/oom_score_adj', 'w', encoding='ascii') as file:
                file.write('1000')
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def makers(name, n_bytes):
    """All the ways to make an array of that size: (what, function)."""
    data = bytes(n_bytes)
    source = Shnd.Array.new(None, 'u1', (n_bytes,))
    return [
        ('new', lambda: Shnd.Array.new(name, 'u1', (n_bytes,))),
        ('new_unique', lambda: Shnd.Array.new_unique('u1', (n_bytes,))),
        ('new_from_bytes', lambda: Shnd.Array.new_from_bytes(name, 'u1', (n_bytes,), data)),
        ('new_from_array', lambda: Shnd.Array.new_from_array(name, np.zeros(n_bytes, 'u1'))),
        ('new_from_array, Fortran',
         lambda: Shnd.Array.new_from_array(name, np.zeros((2, n_bytes // 2), 'u1', order='F'))),
        ('dup', lambda: source.dup(name)),
        ('dup of a view', lambda: source.slice(0, n_bytes - 1, -1, -1).dup(name)),
    ]


def main():
    """Runs the tests of the calling script and reports in TAP, if Debian's tap package is there.

    One that hangs is terminated in the end, and then tells where it was.
    """
    faulthandler.register(signal.SIGTERM, chain=True)
    os.register_at_fork(after_in_child=lambda: faulthandler.unregister(signal.SIGTERM))
    try:
        from tap import TAPTestRunner
    except ImportError:
        unittest.main()
    else:
        runner = TAPTestRunner()
        runner.set_stream(True)
        unittest.main(testRunner=runner)
