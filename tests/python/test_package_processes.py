# SPDX-License-Identifier: MIT

"""The package shndarray between processes, however these are started, and however they end."""

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import unittest
from multiprocessing import managers, shared_memory

import numpy as np
from package_support import METHODS, PATIENCE, PREFIX, SHM, PackageTestCase, exists, run
from process_support import end_queue
from shndarray import SharedMemoryManager, SharedNDArray
from support import Shnd, in_child, main

MANAGERS = (SharedMemoryManager, managers.SharedMemoryManager)
NAME = PREFIX + 'processes'
ROUNDS = 200

# What an array is kept in until its process ends.
kept = []


# ---- What the other processes do ----

def process_data(arr):
    arr[:] += 1


def count(arr):
    """Loses some if the lock does not keep others out."""
    for _ in range(ROUNDS):
        with arr.lock:
            seen = int(arr[0])
            if seen % 50 == 0:
                time.sleep(0)
            arr[0] = seen + 1
    return arr[0]


def add(arr, index):
    arr[index] += index
    return arr


def add_to_received(queue, connection):
    for receive in (queue.get, connection.recv):
        process_data(receive())


def send_made(connection):
    with SharedMemoryManager() as manager:
        connection.send(SharedNDArray.from_array(manager, np.arange(5)))
        connection.recv()


def open_and_wait(name, connection, how):
    arr = SharedNDArray(name, 3, 'u1')
    if how == 'keep':
        kept.append(arr)
    connection.send('open')
    connection.recv()
    if how == 'fail':
        sys.stderr.close()
        raise KeyError
    if how == 'exit':
        sys.exit(3)


def open_argument(arr, connection):
    connection.send('open')
    connection.recv()


def lock_and_wait(arr, connection):
    arr.lock.acquire()
    arr[0] = 1
    connection.send('locked')
    connection.recv()


def send_last(name, queue):
    """The queue's thread needs the array until the end."""
    kept.append(SharedNDArray(name, 3, 'u1'))
    queue.put(kept[0])


OPENER = """
import sys
from shndarray import SharedNDArray
arr = SharedNDArray(sys.argv[1], (6,), 'i4', lock=sys.argv[2:] == ['lock'])
with arr.lock if arr.lock else arr.shm.buf:
    arr[0] += 1
print('open', flush=True)
sys.stdin.readline()
"""

OWNER = """
import sys
import numpy as np
from shndarray import SharedMemoryManager, SharedNDArray
manager = SharedMemoryManager()
manager.start()
arr = SharedNDArray.from_array(manager, np.arange(6, dtype='i4'))
print(arr.shm.name, flush=True)
sys.stdin.readline()
"""


class Program:
    """Another interpreter, which knows nothing of this one, until its standard input ends."""

    def __init__(self, code, *args):
        self.process = subprocess.Popen([sys.executable, '-B', '-c', code, *args], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.first = self.process.stdout.readline().strip()

    def end(self, number=None):
        if number is not None:
            self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def receive(connection):
    """What a child sends, unless it failed to."""
    return connection.recv() if connection.poll(PATIENCE) else None


def wait_until_gone(name):
    """The kernel may take a moment after the end of a process, and so may the tracker."""
    end = time.monotonic() + PATIENCE
    while exists(name) and time.monotonic() < end:
        time.sleep(0.01)
    return not exists(name)


class Sending(PackageTestCase):
    def test_process(self):
        """The first example of shared-ndarray2."""
        for method in METHODS:
            with self.subTest(method=method), SharedMemoryManager() as mem_mgr:
                arr = self.watch(SharedNDArray.from_array(mem_mgr, np.arange(1024)))
                self.assertEqual(run(method, process_data, arr), 0)
                assert np.all(arr[:] == np.arange(1, 1025))

    def test_real_manager(self):
        for method in METHODS:
            with self.subTest(method=method), managers.SharedMemoryManager() as mem_mgr:
                arr = self.watch(SharedNDArray.from_array(mem_mgr, np.arange(10), lock=True))
                self.assertEqual(run(method, process_data, arr), 0)
                self.assertEqual(arr[0], 1)
                del arr

    def test_lock_in_pool(self):
        for method in METHODS:
            for kind in MANAGERS:
                with self.subTest(method=method, kind=kind), kind() as manager:
                    context = multiprocessing.get_context(method)
                    arr = self.watch(SharedNDArray.from_shape(manager, (1,), 'i8', lock=True))
                    with context.Pool(2) as pool:
                        results = pool.map_async(count, [arr] * 4, chunksize=1)
                        self.assertLessEqual(max(results.get(PATIENCE)), 4 * ROUNDS)
                    self.assertEqual(arr[0], 4 * ROUNDS)
                    del arr

    def test_pool_results(self):
        for method in METHODS:
            context = multiprocessing.get_context(method)
            with SharedMemoryManager() as manager, context.Pool(2) as pool:
                arr = self.watch(SharedNDArray.from_shape(manager, 5, 'i8'))
                results = [pool.apply_async(add, (arr, index)) for index in range(5)]
                for result in results:
                    self.assertEqual(result.get(PATIENCE).shm.name, arr.shm.name)
                self.assertEqual(arr[:].tolist(), [0, 1, 2, 3, 4])

    def test_queue_and_pipe(self):
        for method in METHODS:
            context = multiprocessing.get_context(method)
            with SharedMemoryManager() as manager:
                arr = self.watch(SharedNDArray.from_array(manager, np.arange(3), lock=True))
                arr.shape = (3, 1)
                queue = context.Queue()
                ours, theirs = context.Pipe()
                queue.put(arr)
                ours.send(arr)
                self.assertEqual(run(method, add_to_received, queue, theirs), 0)
                self.assertEqual(arr[:].tolist(), [[2], [3], [4]])
                end_queue(queue)

    def test_made_there(self):
        for method in METHODS:
            context = multiprocessing.get_context(method)
            ours, theirs = context.Pipe()
            process = context.Process(target=send_made, args=(theirs,))
            process.start()
            arr = self.watch(receive(ours))
            ours.send('got it')
            process.join(PATIENCE)
            self.assertFalse(exists(arr.shm.name))
            self.assertEqual(arr[:].tolist(), [0, 1, 2, 3, 4])


class Ends(PackageTestCase):
    def test_attacher_exits(self):
        """Another program that attaches and exits removes nothing, as it does with the standard
        library.
        """
        shm = shared_memory.SharedMemory(create=True, size=24)
        try:
            with SharedMemoryManager() as manager:
                arr = self.watch(SharedNDArray.from_shape(manager, 6, 'i4'))
                for name, shown in ((arr.shm.name, arr),
                                    (shm.name, SharedNDArray(shm, 6, 'i4', lock=True))):
                    self.watch(shown)
                    for number in (None, signal.SIGTERM, signal.SIGKILL):
                        before = int(shown[0])
                        for lock in ((), ('lock',)):
                            program = Program(OPENER, name, *lock)
                            self.assertEqual(program.first, 'open')
                            program.end(number)
                        time.sleep(0.05)
                        self.assertTrue(exists(name))
                        self.assertEqual(SharedNDArray(name, 6, 'i4')[0], before + 2)
            del shown
        finally:
            shm.close()
            shm.unlink()

    def test_owner_is_killed(self):
        owner = Program(OWNER)
        name = owner.first
        self.watched.add(name)
        arr = SharedNDArray(name, (6,), 'i4')
        program = Program(OPENER, name)
        self.assertEqual(owner.end(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(exists(name))
        self.assertEqual(arr[:].tolist(), [1, 1, 2, 3, 4, 5])
        arr[5] = 77
        self.assertEqual(SharedNDArray(name, (6,), 'i4')[5], 77)
        self.assertEqual(pickle.loads(pickle.dumps(arr))[5], 77)
        # The last but one, then the last.
        self.assertEqual(program.end(), 0)
        self.assertTrue(exists(name))
        del arr
        gc.collect()
        self.assertFalse(exists(name))

    def test_owner_is_killed_alone(self):
        owner = Program(OWNER)
        self.watched.add(owner.first)
        owner.end(signal.SIGKILL)
        with self.assertRaises(FileNotFoundError):
            SharedNDArray(owner.first, (6,), 'i4')
        Shnd.reap()
        self.assertFalse(exists(owner.first))

    def test_owner_ends(self):
        for number in (None, signal.SIGINT):
            owner = Program(OWNER)
            self.watched.add(owner.first)
            owner.end(number)
            self.assertFalse(exists(owner.first))

    def test_child_is_the_last(self):
        """One that multiprocessing ends with os._exit() gives back all the same."""
        for method in METHODS:
            for how in ('return', 'keep', 'fail', 'exit'):
                with self.subTest(method=method, how=how):
                    context = multiprocessing.get_context(method)
                    self.watched.add(NAME)
                    array = Shnd.Array.new(NAME, 'u1', 3)
                    arr = SharedNDArray(NAME, 3, 'u1')
                    array.close()
                    ours, theirs = context.Pipe()
                    process = context.Process(target=open_and_wait, args=(NAME, theirs, how))
                    process.start()
                    self.assertEqual(receive(ours), 'open')
                    del arr
                    gc.collect()
                    self.assertTrue(exists(NAME))
                    ours.send('end')
                    process.join(PATIENCE)
                    self.assertEqual(process.exitcode, {'fail': 1, 'exit': 3}.get(how, 0))
                    self.assertFalse(exists(NAME))

    def test_inherited(self):
        """A child that was forked ends first, or last."""
        for last in (False, True):
            manager = SharedMemoryManager()
            manager.start()
            arr = self.watch(SharedNDArray.from_shape(manager, 3, 'u1', lock=True))
            name = arr.shm.name
            other = SharedNDArray(name, 3, 'u1')
            context = multiprocessing.get_context('fork')
            ours, theirs = context.Pipe()
            process = context.Process(target=open_argument, args=(arr, theirs))
            process.start()
            self.assertEqual(receive(ours), 'open')
            if last:
                manager.shutdown()
                del arr, other
                gc.collect()
            ours.send('end')
            process.join(PATIENCE)
            self.assertEqual(process.exitcode, 0)
            if not last:
                self.assertTrue(exists(name))
                other[0] = 5
                self.assertEqual(pickle.loads(pickle.dumps(arr))[0], 5)
                manager.shutdown()
                del arr, other
            self.assertFalse(exists(name))

    def test_forked_manager(self):
        """Only the process that made it removes what it made."""
        with SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, 3, 'u1'))
            shm = manager.SharedMemory(10)
            self.watched.add(shm.name)
            self.assertEqual(in_child(manager.shutdown), 0)
            self.assertEqual(run('fork', manager.shutdown), 0)
            self.assertTrue(exists(arr.shm.name))
            self.assertTrue(exists(shm.name))
            shm.close()

    def test_sent_at_the_end(self):
        """What is put into a queue just before the end arrives."""
        for method in METHODS:
            context = multiprocessing.get_context(method)
            self.watched.add(NAME)
            array = Shnd.Array.new(NAME, 'u1', 3)
            queue = context.Queue()
            self.assertEqual(run(method, send_last, NAME, queue), 0)
            arr = queue.get(timeout=PATIENCE)
            arr[1] = 7
            self.assertEqual(array[1], 7)
            array.close()
            del arr
            gc.collect()
            self.assertFalse(exists(NAME))

    def test_pool_is_terminated(self):
        with SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, (1,), 'i8', lock=True))
            for method in METHODS:
                with multiprocessing.get_context(method).Pool(2) as pool:
                    pool.map_async(count, [arr] * 50, chunksize=1)
                    time.sleep(0.01)
                    pool.terminate()
                # Whoever was in the middle of it.
                self.assertTrue(arr.lock.acquire(timeout=PATIENCE))
                arr.lock.release()
                self.assertEqual(SharedNDArray(arr.shm.name, 1, 'i8')[0], arr[0])


class LockOwners(PackageTestCase):
    def test_killed(self):
        """Who gets the lock of a dead owner is told."""
        for kind in MANAGERS:
            for method in METHODS:
                with self.subTest(kind=kind, method=method), kind() as manager:
                    arr = self.watch(SharedNDArray.from_shape(manager, 2, 'u1', lock=True))
                    context = multiprocessing.get_context(method)
                    ours, theirs = context.Pipe()
                    process = context.Process(target=lock_and_wait, args=(arr, theirs))
                    process.start()
                    self.assertEqual(receive(ours), 'locked')
                    self.assertFalse(arr.lock.acquire(False))
                    process.kill()
                    process.join()
                    self.assertTrue(arr.lock.acquire(timeout=PATIENCE))
                    self.assertTrue(arr.lock.recovered)
                    self.assertEqual(arr[0], 1)
                    arr.lock.release()
                    with arr.lock:
                        self.assertFalse(arr.lock.recovered)
                    del arr

    def test_ended(self):
        """An owner that just ends gives the lock back with the array."""
        with SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, 2, 'u1', lock=True))
            for method in METHODS:
                context = multiprocessing.get_context(method)
                ours, theirs = context.Pipe()
                process = context.Process(target=lock_and_wait, args=(arr, theirs))
                process.start()
                self.assertEqual(receive(ours), 'locked')
                ours.send('end')
                process.join(PATIENCE)
                self.assertTrue(arr.lock.acquire(timeout=PATIENCE))
                arr.lock.release()

    def test_forked_holder(self):
        """A child does not hold what its parent holds."""
        with SharedMemoryManager() as manager:
            arr = self.watch(SharedNDArray.from_shape(manager, 2, 'u1', lock=True))

            def try_it():
                assert not arr.lock.acquire(False)
                try:
                    arr.lock.release()
                except ValueError:
                    return
                raise AssertionError('released what it did not hold')

            with arr.lock:
                self.assertEqual(in_child(try_it), 0)
                self.assertFalse(SharedNDArray(arr.shm.name, 2, 'u1', lock=True)
                                 .lock.acquire(False))


@unittest.skipUnless(os.path.isdir(SHM), 'needs a shm filesystem')
class Leftovers(PackageTestCase):
    def test_tracker(self):
        """The raw segments of a killed process are removed by the standard library's tracker."""
        program = Program("""
import sys
from shndarray import SharedMemoryManager
manager = SharedMemoryManager()
manager.start()
print(manager.SharedMemory(10).name, flush=True)
sys.stdin.readline()
""")
        program.process.kill()
        program.process.wait()
        self.assertTrue(wait_until_gone(program.first))
        program.process.stdin.close()
        program.process.stdout.close()


if __name__ == '__main__':
    main()
