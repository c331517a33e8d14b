# SPDX-License-Identifier: MIT
"""The rows about the command `shnd`, against what a shell has: bench-cli.py SHND PREFIX.

Prints "sample ROW OURS THEIRS" for each round, in nanoseconds.
"""

import subprocess
import sys
import time

import gi

gi.require_version("Shnd", "1")

from gi.repository import Shnd  # noqa: E402

N_ARRAYS = 10_000
N_BYTES = 256_000_000
ROUNDS = 7

shnd, prefix = sys.argv[1:]


def measure(command):
    begun = time.perf_counter_ns()
    subprocess.run(["bash", "-c", "set -o pipefail; " + command], stdout=subprocess.DEVNULL,
                   check=True)
    return time.perf_counter_ns() - begun


def report(row, ours, theirs, after=None):
    for _ in range(ROUNDS):
        numbers = []
        for command in (ours, theirs):
            numbers.append(measure(command))
            if after is not None:
                measure(after)
        print("sample", row, *numbers, flush=True)


def report_lists():
    arrays = [Shnd.Array.new(f"{prefix}{i:05}", "u1", (4, 4), Shnd.CreateFlags.PERSISTENT)
              for i in range(N_ARRAYS)]
    for array in arrays:
        array.close()
    report("cli-list", f"{shnd} list", "ls -l /dev/shm")
    report("cli-list-json", f"{shnd} list --json", "ls -l /dev/shm")
    for array in arrays:
        Shnd.unlink(array.name)


def report_pipes():
    Shnd.Array.new(f"{prefix}from", "u1", N_BYTES, Shnd.CreateFlags.PERSISTENT).fill(7)
    source, target = f"/dev/shm/{prefix}from", f"{prefix}to"
    report("cli-pipe", f"{shnd} save {prefix}from - | {shnd} load - {target}",
           f"cat {source} | cat > /dev/shm/{target}", after=f"rm /dev/shm/{target}")
    report("cli-copy", f"{shnd} copy {prefix}from {target}", f"cp {source} /dev/shm/{target}",
           after=f"rm /dev/shm/{target}")
    Shnd.unlink(f"{prefix}from")


report_lists()
report_pipes()
