# SPDX-License-Identifier: MIT
"""Adds to a tally that other processes add to as well: worker.py NAME ROUNDS."""

import sys

import gi

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

name, rounds = sys.argv[1], int(sys.argv[2])
tally = Shnd.Array.open(name, timeout=10)
n_recovered = 0

for _ in range(rounds):
    with tally.lock(timeout=10) as lock:
        # Counts twice; who dies in between leaves the two numbers unequal.
        if lock.recovered:
            tally[1] = tally[0]
            n_recovered += 1
        assert tally[0] == tally[1]
        tally[0] += 1
        tally[1] += 1
        tally.update()

print(f'Python: done, recovered {n_recovered}')
