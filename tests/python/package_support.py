# SPDX-License-Identifier: MIT

"""What the tests of the package shndarray share."""

import multiprocessing
import os

from support import PREFIX, SHM, SharedTestCase

METHODS = ('fork', 'spawn', 'forkserver')

# No process of a test takes long; one that hangs shall not stay.
PATIENCE = 60


def exists(name):
    return os.path.exists(f'{SHM}/{name}')


class PackageTestCase(SharedTestCase):
    """Knows the names that were made up for its arrays, and leaves none of them."""

    def setUp(self):
        self.watched = set()

    def tearDown(self):
        self.assertEqual({name for name in self.watched if exists(name)}, set())

    def watch(self, array):
        self.watched |= {array.shm.name, f'{array.shm.name}.lock'}
        return array


def run(method, function, *args):
    """Runs it in another process that is started by one of the METHODS; returns its exit code."""
    process = multiprocessing.get_context(method).Process(target=function, args=args)
    process.start()
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode


__all__ = ['METHODS', 'PATIENCE', 'PREFIX', 'SHM', 'PackageTestCase', 'exists', 'run']
