# SPDX-License-Identifier: MIT
"""The rows of the benchmarks that are about Python.

Each round prints "sample ROW OURS THEIRS", the nanoseconds that one operation took on either side;
"skip ROW REASON" stands for a row whose peer is not installed.
"""

import gc
import os
import pickle
import statistics
import sys
import time
from multiprocessing.managers import SharedMemoryManager
from multiprocessing.shared_memory import SharedMemory

import gi
import numpy as np

gi.require_version("Shnd", "1")
import shndarray  # noqa: E402
from gi.repository import Shnd  # noqa: E402

try:
    from shared_ndarray2 import SharedNDArray
except ImportError:
    SharedNDArray = None

try:
    import SharedArray
except ImportError:
    SharedArray = None

ROUNDS = 9
# Each round goes from one side to the other this often: what else the machine does meets both.
SLICES = 10

MEGABYTE = 1024 * 1024
N_LISTED = 10000
FRAME = (1080, 1920, 4)
NOT_INSTALLED = "not installed: meson compile install-peers"


def report(row, ours, theirs):
    print("sample", row, f"{ours:.1f}", f"{theirs:.1f}", flush=True)


def skip(row):
    print("skip", row, NOT_INSTALLED, flush=True)


def measure_calls(operation, n):
    start = time.perf_counter_ns()
    for _ in range(n):
        operation()
    return time.perf_counter_ns() - start


def measure_reads(array, n):
    start = time.perf_counter_ns()
    for _ in range(n):
        array[1, 2, 0]
    return time.perf_counter_ns() - start


def measure_writes(array, n):
    start = time.perf_counter_ns()
    for _ in range(n):
        array[1, 2, 0] = 7
    return time.perf_counter_ns() - start


def compare(row, measure, ours, theirs, n_per_slice):
    # The first round only warms up.
    for number in range(ROUNDS + 1):
        sums = [0, 0]
        for _ in range(SLICES):
            sums[0] += measure(ours, n_per_slice)
            sums[1] += measure(theirs, n_per_slice)
        if number > 0:
            report(row, *(total / n_per_slice / SLICES for total in sums))


def rows_of_open(prefix):
    name = prefix + "open"
    raw_name = prefix + "open-raw"
    array = Shnd.Array.new(name, "uint8", MEGABYTE)
    array[0] = 7
    raw = SharedMemory(raw_name, create=True, size=MEGABYTE)
    raw.buf[0] = 7

    def ours():
        return Shnd.Array.open(name).get()

    def bare():
        memory = SharedMemory(raw_name)
        view = np.ndarray((MEGABYTE,), dtype=np.uint8, buffer=memory.buf)
        del view
        memory.close()

    def peer():
        return SharedNDArray(raw_name, (MEGABYTE,), np.uint8).get()

    # SharedMemory() tells Python's resource tracker of every attach, which belongs to its cost. The
    # tracker holds a name once, and forgets it with unlink() below.
    assert ours()[0] == 7
    compare("python-open", measure_calls, ours, bare, 200)
    if SharedNDArray is not None:
        compare("python-open-peer", measure_calls, ours, peer, 200)
    else:
        skip("python-open-peer")
    raw.close()
    raw.unlink()

    if SharedArray is not None:
        peer_name = prefix + "open-peer"
        SharedArray.create(peer_name, (MEGABYTE,), np.uint8)
        compare("python-open-sharedarray", measure_calls, ours,
                lambda: SharedArray.attach(peer_name), 200)
        SharedArray.delete(peer_name)
    else:
        skip("python-open-sharedarray")
    array.unlink()


def rows_of_size(prefix):
    small_name = prefix + "small"
    huge_name = prefix + "huge"
    small = Shnd.Array.new(small_name, "uint8", 1024)
    huge = Shnd.Array.new(huge_name, "uint8", 8 << 30, Shnd.CreateFlags.SPARSE)
    compare("python-size", measure_calls, lambda: Shnd.Array.open(huge_name).get(),
            lambda: Shnd.Array.open(small_name).get(), 200)
    small.unlink()
    huge.unlink()


def rows_of_elements(prefix):
    ours = Shnd.Array.new(prefix + "frame", "uint8", FRAME)
    bare = np.zeros(FRAME, np.uint8)
    compare("python-read", measure_reads, ours, bare, 20000)
    compare("python-write", measure_writes, ours, bare, 20000)

    if SharedNDArray is not None:
        with SharedMemoryManager() as manager:
            theirs = SharedNDArray.from_shape(manager, FRAME, np.uint8)
            compare("python-read-peer", measure_reads, ours, theirs, 5000)
            compare("python-write-peer", measure_writes, ours, theirs, 5000)
            del theirs
    else:
        skip("python-read-peer")
        skip("python-write-peer")
    ours.unlink()


def time_ours(prefix, source):
    start = time.perf_counter_ns()
    array = Shnd.Array.new_from_array(prefix + "from", source)
    elapsed = time.perf_counter_ns() - start
    array.unlink()
    return elapsed


def time_raw(prefix, source):
    data = source.data.cast("B")
    path = "/dev/shm/" + prefix + "raw"
    start = time.perf_counter_ns()
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], done)
    elapsed = time.perf_counter_ns() - start
    os.close(fd)
    os.unlink(path)
    return elapsed


def time_peer(source):
    with SharedMemoryManager() as manager:
        start = time.perf_counter_ns()
        array = SharedNDArray.from_array(manager, source)
        elapsed = time.perf_counter_ns() - start
        del array
    return elapsed


def rows_of_creation(prefix):
    source = np.arange(32 * MEGABYTE, dtype=np.float64)
    for number in range(ROUNDS + 1):
        # Those that are compared go side by side, each first in every other round.
        if number % 2 == 0:
            ours = time_ours(prefix, source)
            raw = time_raw(prefix, source)
        else:
            raw = time_raw(prefix, source)
            ours = time_ours(prefix, source)
        peer = time_peer(source) if SharedNDArray is not None else None
        gc.collect()
        if number > 0:
            report("python-from-raw", ours, raw)
            if peer is not None:
                report("python-from-peer", ours, peer)
    if SharedNDArray is None:
        skip("python-from-peer")


def measure_pickling(make, n):
    elapsed = 0
    for _ in range(n):
        source = make()
        start = time.perf_counter_ns()
        text = pickle.dumps(source)
        elapsed += time.perf_counter_ns() - start
        # As in another process: what is open here already might be found without opening it again.
        del source
        start = time.perf_counter_ns()
        pickle.loads(text).get()
        elapsed += time.perf_counter_ns() - start
    return elapsed


def rows_of_pickling(prefix):
    rows = {
        "python-pickle": lambda: Shnd.Array.open(name),
        "python-pickle-package": lambda: shndarray.SharedNDArray(name, shape, np.uint8),
    }
    if SharedNDArray is None:
        for row in (*rows, "python-pickle-here"):
            skip(row)
        return

    name = prefix + "pickle"
    shape = (MEGABYTE,)
    array = Shnd.Array.new(name, "uint8", shape)
    array[0] = 7
    with SharedMemoryManager() as manager:
        memory = manager.SharedMemory(MEGABYTE)
        for row, make in rows.items():
            assert pickle.loads(pickle.dumps(make())).get()[0] == 7
            compare(row, measure_pickling, make, lambda: SharedNDArray(memory, shape, np.uint8),
                    100)
        ours = shndarray.SharedNDArray(name, shape, np.uint8)
        theirs = SharedNDArray(memory, shape, np.uint8)
        compare("python-pickle-here", measure_calls,
                lambda: pickle.loads(pickle.dumps(ours)).get(),
                lambda: pickle.loads(pickle.dumps(theirs)).get(), 100)
    array.unlink()


def rows_of_managers():
    rows = {"python-shape-sparse": False, "python-shape-reserved": True}
    for row, reserve in rows.items():
        if SharedNDArray is None:
            skip(row)
            continue
        for number in range(ROUNDS + 1):
            samples = []
            # What was made stays until the manager ends.
            with shndarray.SharedMemoryManager() as own, SharedMemoryManager() as manager:
                for _ in range(5):
                    samples.append((
                        measure_calls(
                            lambda: shndarray.SharedNDArray.from_shape(
                                own, (MEGABYTE,), np.uint8, reserve=reserve), 50) / 50,
                        measure_calls(
                            lambda: SharedNDArray.from_shape(
                                manager, (MEGABYTE,), np.uint8), 50) / 50))
            if number > 0:
                # Not the first, when memory is copied that the manager's new process shares.
                report(row, *(statistics.median(side) for side in zip(*samples[1:])))


def rows_of_lists(prefix):
    names = [f"{prefix}list-{number:05}" for number in range(N_LISTED)]
    # Not held, or they would need as many file descriptors.
    flags = Shnd.CreateFlags.PERSISTENT | Shnd.CreateFlags.SPARSE
    for name in names:
        Shnd.Array.new(name, "float32", (480, 640), flags).close()

    def ours():
        return [(info.name, info.dtype, info.shape, info.nbytes, info.held)
                for info in Shnd.list_infos()]

    def theirs():
        found = []
        for name in names:
            array = np.load("/dev/shm/" + name, mmap_mode="r")
            found.append((name, array.dtype, array.shape, array.nbytes))
        return found

    assert {info[:4] for info in ours()} >= set(theirs())
    for number in range(ROUNDS + 1):
        times = measure_calls(ours, 1), measure_calls(theirs, 1)
        if number > 0:
            report("python-list", *times)
    for name in names:
        Shnd.unlink(name)


def main():
    prefix = sys.argv[1]
    gc.disable()
    rows_of_open(prefix)
    rows_of_size(prefix)
    rows_of_elements(prefix)
    rows_of_creation(prefix)
    rows_of_pickling(prefix)
    rows_of_managers()
    rows_of_lists(prefix)


main()
