# SPDX-License-Identifier: MIT

"""What the library asks of the kernel, and in which order, as strace sees it."""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import PREFIX, SHM, SharedTestCase, main

NAME = PREFIX + 'syscalls'
PATH = f'{SHM}/{NAME}'

# The bytes of the locks; doc/format.md lists them.
LEASE = 1 << 62
SLOTS = LEASE + 0x10000

# All but what the interpreter asks for by itself.
CALLS = r'^(?!mmap\(NULL, \d+, PROT_READ\|PROT_WRITE, MAP_PRIVATE|munmap|brk|madvise)'

# Between two marks in the trace is one call of the library.
CODE = f'''
import os
import gi
gi.require_version('Shnd', '1')
from gi.module import get_introspection_module
from gi.repository import Shnd

# The library's own methods, without what Python adds.
Array = get_introspection_module('Shnd').Array

def mark(name):
    os.access('/mark-' + name, os.F_OK)

# What is done once in a process is done now.
data = bytes(range(256)) * 64
Shnd.Array.new_from_bytes(None, 'u1', len(data), data).close()
mark('new')
made = Shnd.Array.new({NAME!r}, '<f8', (100, 100))
mark('open')
opened = Shnd.Array.open({NAME!r}, Shnd.Access.READ)
mark('close')
opened.close()
mark('first_lock')
Array.lock(made, -1, None)
mark('lock')
Array.unlock(made)
Array.lock(made, -1, None)
Array.unlock(made)
mark('update')
Array.update(made)
mark('close_last')
made.close()
mark('new_from_bytes')
filled = Shnd.Array.new_from_bytes({NAME!r}, 'u1', len(data), data)
mark('open_write')
again = Shnd.Array.open({NAME!r})
mark('unlink')
filled.unlink()
mark('persistent')
kept = Shnd.Array.new({NAME!r}, 'u1', 1, Shnd.CreateFlags.PERSISTENT)
mark('close_persistent')
kept.close()
mark('tidy')
Shnd.unlink({NAME!r})
mark('new_path')
file = Shnd.Array.new_path({NAME!r} + '.npy', 'u1', 3 * 1024 * 1024)
mark('sync')
file.sync()
mark('load')
Shnd.Array.load(None, {NAME!r} + '.npy')
publisher = Shnd.Publisher.new(os.path.abspath('socket'))
subscriber = Shnd.Subscriber.new(os.path.abspath('socket'))
def publish():
    for _ in range(10):
        publisher.publish_array(data_array)
        subscriber.receive().release()
import numpy
data_array = numpy.zeros(100)
try:
    subscriber.receive(timeout=0)
except Exception:
    pass
publisher.wait_subscribers(1)
publish()
mark('publish')
publish()
mark('observe')
observers = [Shnd.Subscriber.new(os.path.abspath('socket'), observer=True) for _ in range(20)]
while not all(observer.connected for observer in observers):
    for observer in observers:
        try:
            observer.receive(timeout=0.001)
        except Exception:
            pass
mark('publish_observed')
publish()
mark('end')
publisher.close()
os.unlink({NAME!r} + '.npy')
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
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            trace = subprocess.run(
                ['strace', '-y', '-s', '64', '-o', '/dev/stdout', sys.executable, '-B', '-c', CODE],
                cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
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

    def lock(self, call, kind, byte, result='0', path=re.escape(PATH)):
        """The pattern for an open-file-description lock on one byte."""
        return (rf'^fcntl\(\d+<{path}.*, F_OFD_{call}, .*l_type=F_{kind}, l_whence=SEEK_SET, '
                rf'l_start={byte}, l_len=1[,}}].*\) = {result}')

    def count(self, name, pattern):
        return sum(re.search(pattern, line) is not None for line in self.calls[name])

    def test_new(self):
        """Without a name, sized, reserved, described, leased, mapped; linked last of all."""
        self.find('new', r'^openat\(.*"/dev/shm", .*O_TMPFILE.*, 0600\)', r'^ftruncate\(.*, 90112\)',
                  r'^fallocate\(.*, 0, 0, 90112\)', r'^pwrite64\(.*NUMPY.*, 4096, 0\)',
                  r'^pwrite64\(.*SHNDCTRL\\1\\0\\0\\0\\0\\0\\0\\0.*, 4096, 86016\)',
                  self.lock('SETLK', 'RDLCK', LEASE, path=f'{SHM}/#'),
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
        """A lease, if others have one; then header and control page are read.

        Only what lies behind the header is mapped, to be read alone.
        """
        self.find('open', rf'^openat\(.*"{PATH}", O_RDONLY\|O_NOCTTY\|O_NONBLOCK\|O_NOFOLLOW\|O_CLOEXEC\)',
                  self.lock('GETLK', 'RDLCK', LEASE), self.lock('SETLK', 'RDLCK', LEASE),
                  rf'^statx\(\d+<{PATH}>, "", .*AT_EMPTY_PATH', r'^pread64\(.*, 4096, 0\) = 4096',
                  r'^pread64\(.*SHNDCTRL.*, 32, 86016\) = 32',
                  r'^mmap\(NULL, 86016, PROT_READ, MAP_SHARED, .*, 0x1000\)')
        self.assertEqual(self.count('open', CALLS), 7, self.calls['open'])

    def test_open_to_write(self):
        self.find('open_write', r'O_RDWR', self.lock('SETLK', 'RDLCK', LEASE),
                  r'^mmap\(NULL, 20480, PROT_READ\|PROT_WRITE, MAP_SHARED, .*, 0x1000\)')
        self.assertEqual(self.count('open_write', CALLS), 7, self.calls['open_write'])

    def test_close(self):
        """The lease is given back first; as others have theirs, that is all."""
        self.find('close', self.lock('SETLK', 'UNLCK', LEASE), self.lock('GETLK', 'RDLCK', LEASE),
                  r'^munmap\(', rf'^close\(\d+<{PATH}>\)')
        self.assertEqual(self.count('close', r'^(openat|unlink)'), 0)

    def test_close_last(self):
        """The last one removes the name, while nobody can have or get a lease, or remove it."""
        unnamed = f'{SHM}/#'
        self.find('close_last', self.lock('SETLK', 'UNLCK', LEASE, path=unnamed),
                  self.lock('SETLK', 'WRLCK', LEASE, path=unnamed), rf'^openat\(.*"{PATH}", O_RDWR',
                  self.lock('SETLK', 'WRLCK', LEASE + 1), rf'^statx\(.*"{PATH}"',
                  rf'^unlink\("{PATH}"\) = 0')

    def test_persistent(self):
        """The flag is in the control page; closing leaves the name, and does not ask."""
        self.find('persistent', r'^pwrite64\(.*SHNDCTRL\\1\\0\\0\\0\\1\\0\\0\\0.*, 4096, 8192\)',
                  self.lock('SETLK', 'RDLCK', LEASE, path=f'{SHM}/#'), r'^linkat\(')
        self.assertEqual(self.count('close_persistent', r'^(fcntl|openat|unlink)'), 0)

    def test_lock(self):
        """The first time takes a slot, on a description of its own. Then the kernel is not asked."""
        self.find('first_lock', r'^openat\(.*"/proc/self/fd/\d+", O_RDWR\|O_CLOEXEC\)',
                  r'^fcntl\(.*, F_OFD_SETLK, .*l_type=F_WRLCK.*, l_len=1}\) = 0')
        start, = (int(re.search(r'l_start=(\d+)', line)[1]) for line in self.calls['first_lock']
                  if 'F_OFD_SETLK' in line)
        self.assertTrue(SLOTS < start < SLOTS + (1 << 30), start)
        self.assertEqual(self.count('lock', CALLS), 0, self.calls['lock'])

    def test_update(self):
        """All who wait are woken: a futex that processes share."""
        self.assertEqual(self.count('update', CALLS), 1, self.calls['update'])
        self.find('update', r'^futex\(0x\w+080, FUTEX_WAKE, 2147483647\) = 0')

    def test_unlink(self):
        self.find('unlink', self.lock('SETLK', 'WRLCK', LEASE + 1), rf'^statx\(.*"{PATH}"',
                  rf'^unlink\("{PATH}"\) = 0')

    def test_new_path(self):
        """All is on the disk before there is a path; the room is taken, not written."""
        self.find('new_path', r'^openat\(.*"[.]", .*O_TMPFILE.*, 0666\)',
                  r'^ftruncate\(.*, 3153920\)', r'^fallocate\(.*, 0, 0, 3153920\)',
                  r'^pwrite64\(.*NUMPY.*, 4096, 0\)',
                  r'^fsync\(', rf'^linkat\(.*"{NAME}.npy", AT_SYMLINK_FOLLOW\) = 0')
        self.assertEqual(self.count('new_path', '^rename|^unlink|^pwrite64'), 2)

    def test_sync(self):
        self.find('sync', r'^msync\(0x\w+, 3145728, MS_SYNC\) = 0')

    def test_observers(self):
        """They cost nothing."""
        self.assertGreater(len(self.calls['observe']), 20)
        self.assertGreater(self.count('publish', '^sendto'), 0)
        for pattern in ('^(sendto|sendmsg)', '^recvmsg', '^(poll|ioctl)'):
            self.assertEqual(self.count('publish', pattern), self.count('publish_observed', pattern),
                             pattern)

    def test_load(self):
        """Read and written by turns; the file is never mapped, where it could be cut short."""
        self.find('load', rf'^openat\(.*"{NAME}.npy", O_RDONLY', r'^memfd_create\(',
                  r'^pread64\(.*, 262144, 4096\) = 262144',
                  r'^pwrite64\(.*, 262144, 4096\) = 262144')
        self.assertEqual(self.count('load', r'^pread64\(.*, 262144, '), 12)
        self.assertEqual(self.count('load', rf'^mmap.*{NAME}.npy'), 0)


if __name__ == '__main__':
    main()
