# SPDX-License-Identifier: MIT

"""What the library asks of the kernel, and in which order, as strace sees it."""

import re
import shutil
import subprocess
import sys
import unittest

from support import PREFIX, SHM, SharedTestCase, main

NAME = PREFIX + 'syscalls'
PATH = f'{SHM}/{NAME}'

# Between two marks in the trace is one call of the library.
CODE = f'''
import os
import gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd

def mark(name):
    os.access('/mark-' + name, os.F_OK)

# What is done once in a process is done now.
data = bytes(range(256)) * 64
Shnd.Array.new_from_bytes(None, 'u1', len(data), data).close()
mark('new')
made = Shnd.Array.new({NAME!r}, '<f8', (100, 100))
mark('open')
opened = Shnd.Array.open({NAME!r}, Shnd.Access.READ)
mark('unlink')
made.unlink()
mark('new_from_bytes')
filled = Shnd.Array.new_from_bytes({NAME!r}, 'u1', len(data), data)
mark('end')
filled.unlink()
'''


def can_trace():
    try:
        return subprocess.run(['strace', '-o', '/dev/null', 'true'], timeout=60).returncode == 0
    except OSError:
        return False


@unittest.skipUnless(shutil.which('strace') and can_trace(), 'strace cannot be used here')
class Calls(SharedTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        trace = subprocess.run(
            ['strace', '-y', '-s', '64', '-o', '/dev/stdout', sys.executable, '-B', '-c', CODE],
            check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
        cls.calls = {}
        name = None
        for line in trace.splitlines():
            mark = re.match(r'access\("/mark-(\w+)"', line)
            if mark:
                name = mark[1]
                cls.calls[name] = []
            elif name:
                cls.calls[name].append(line)

    def find(self, name, *patterns):
        """The calls of those patterns, which come in that order; the number of each."""
        position = 0
        found = []
        for pattern in patterns:
            while position < len(self.calls[name]):
                line = self.calls[name][position]
                position += 1
                if re.search(pattern, line):
                    found.append(line)
                    break
            else:
                self.fail(f'no {pattern} in order in:\n' + '\n'.join(self.calls[name]))
        return found

    def count(self, name, pattern):
        return sum(re.search(pattern, line) is not None for line in self.calls[name])

    def test_new(self):
        """Without a name, sized, reserved, described, mapped; linked last of all."""
        self.find('new', r'^openat\(.*"/dev/shm", .*O_TMPFILE.*, 0600\)', r'^ftruncate\(.*, 90112\)',
                  r'^fallocate\(.*, 0, 0, 90112\)', r'^pwrite64\(.*NUMPY.*, 4096, 0\)',
                  r'^pwrite64\(.*SHNDCTRL.*, 4096, 86016\)',
                  r'^mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED, .*, 0x1000\)',
                  rf'^linkat\(.*"/proc/self/fd/\d+", .*"{PATH}", AT_SYMLINK_FOLLOW\) = 0')
        self.assertEqual(self.count('new', PATH), 1)

    def test_new_from_bytes(self):
        """The elements are written, not copied through a mapping; the name comes last."""
        self.find('new_from_bytes', r'O_TMPFILE', r'^pwrite64\(.*, 16384, 4096\) = 16384',
                  r'^mmap\(.*MAP_SHARED', r'^linkat\(')
        self.assertEqual(self.count('new_from_bytes', r'^fallocate'), 0)
        self.assertEqual(self.count('new_from_bytes', PATH), 1)

    def test_open(self):
        """The header is read, and only what lies behind it is mapped, to be read alone."""
        self.find('open', rf'^openat\(.*"{PATH}", O_RDONLY\|O_NONBLOCK\|O_NOFOLLOW\|O_CLOEXEC\)',
                  r'^(newfstatat|fstat)\(', r'^pread64\(.*, 4096, 0\) = 4096',
                  r'^mmap\(NULL, 86016, PROT_READ, MAP_SHARED, .*, 0x1000\)')
        self.assertEqual(self.count('open', rf'^p?read.*<{PATH}>'), 1)
        self.assertEqual(self.count('open', rf'^mmap\(.*<{PATH}>'), 1)

    def test_unlink(self):
        self.find('unlink', rf'^unlink\("{PATH}"\) = 0')


if __name__ == '__main__':
    main()
