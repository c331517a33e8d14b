# SPDX-License-Identifier: MIT

"""What the tests of the protocol share: the library's ends as C has them, and watching over them."""

import gc
import os
import sys
import tempfile
import time
import zlib

from gi.module import get_introspection_module

RUNTIME_DIR = tempfile.TemporaryDirectory(prefix='shnd-test-')
os.environ['XDG_RUNTIME_DIR'] = RUNTIME_DIR.name

# Before Python adds to them.
_raw = get_introspection_module('Shnd')
_ACQUIRE, _PUBLISH, _WAIT = (_raw.Publisher.acquire, _raw.Publisher.publish,
                             _raw.Publisher.wait_subscribers)
_RECEIVE = _raw.Subscriber.receive

import numpy as np  # noqa: E402

from support import Shnd, SharedTestCase, count_handles  # noqa: E402

PATIENCE = 20  # for what is to happen; it fails the test, and decides nothing else


def acquire(publisher, shape, dtype='u1', timeout=PATIENCE):
    return _ACQUIRE(publisher, Shnd.DType.new(dtype), shape, int(timeout * 1e6), None)


def publish_frame(publisher, frame, timeout=PATIENCE):
    return _PUBLISH(publisher, frame, int(timeout * 1e6), None)


def wait_subscribers(publisher, n, timeout=PATIENCE):
    return _WAIT(publisher, n, int(timeout * 1e6), None)


def receive(subscriber, timeout=PATIENCE):
    return _RECEIVE(subscriber, int(timeout * 1e6), None)


def pattern(number, n_bytes):
    """Other bytes for each frame, and not the same at any two places nearby."""
    return (np.arange(n_bytes, dtype='u4') * 2654435761 + number * 40503 >> 7).astype('u1')


def publish(publisher, shape=(16, 256), timeout=PATIENCE, metadata=None):
    """One frame, filled with its own pattern. Returns its number."""
    frame = acquire(publisher, shape)
    number = publisher.get_sequence() + 1
    np.asarray(frame.get_array()).reshape(-1)[:] = pattern(number, int(np.prod(shape)))
    if metadata is not None:
        frame.set_metadata(metadata)
    publish_frame(publisher, frame, timeout)
    return number


def checksum(frame):
    return zlib.crc32(np.ascontiguousarray(np.asarray(frame.get_array())).tobytes())


def expected_checksum(number, n_bytes=16 * 256):
    return zlib.crc32(pattern(number, n_bytes).tobytes())


def until(condition, what=''):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f'it takes too long: {what}'
        time.sleep(0.001)


def count_threads():
    return len(os.listdir('/proc/self/task'))


class Log:
    """What the process writes to standard error, the library's log for one, goes here meanwhile."""

    def __enter__(self):
        sys.stderr.flush()
        self.file = tempfile.TemporaryFile()
        self.saved = os.dup(2)
        os.dup2(self.file.fileno(), 2)
        return self

    def __exit__(self, *_):
        sys.stderr.flush()
        os.dup2(self.saved, 2)
        os.close(self.saved)
        self.text = self.read()
        self.file.close()

    def read(self):
        size = os.fstat(self.file.fileno()).st_size
        return os.pread(self.file.fileno(), size, 0).decode(errors='replace')

    def offences(self):
        return [line.split('is dropped because of ')[1] for line in self.read().splitlines()
                if 'is dropped because of ' in line]


class HostileTestCase(SharedTestCase):
    """Nothing is left when a test has ended: no descriptor, mapping, thread or file."""

    def setUp(self):
        self.log = Log()
        self.log.__enter__()
        self.handles = count_handles()
        self.threads = count_threads()
        self.path = os.path.join(RUNTIME_DIR.name, 'socket')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What GLib opens once stays open.
        Shnd.Publisher.new(os.path.join(RUNTIME_DIR.name, 'socket')).close()

    def tearDown(self):
        # Errors that were caught keep what their functions had.
        gc.collect()
        try:
            until(lambda: count_threads() <= self.threads, 'threads')
            until(lambda: count_handles() == self.handles,
                  f'{count_handles()} handles, before {self.handles}')
        finally:
            self.log.__exit__()
            rest = [line for line in self.log.text.splitlines()
                    if line.strip() and 'is dropped because of ' not in line]
            if rest:
                print('\n'.join(rest), file=sys.stderr)
        self.assertEqual(rest, [])
        left = [name for name in os.listdir(RUNTIME_DIR.name) if name != 'shndarray']
        self.assertEqual(left, [])
