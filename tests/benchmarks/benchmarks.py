# SPDX-License-Identifier: MIT
"""Runs the benchmarks, prints one table, and writes it as Markdown and as a plot.

A time never decides anything: only a row that cannot be run makes the exit status 1.
"""

import argparse
import glob
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

from plot import draw

AT_MOST = "at most"
FASTER = "faster"

PEER = "shared-ndarray2"


@dataclass
class Row:
    """What is compared with what, and how it went. The ratio is our time to the other's."""

    id: str
    program: str
    what: str
    against: str
    kind: str = ""
    bar: float = 0
    samples: list = field(default_factory=list)
    note: str = ""

    @property
    def ours(self):
        return statistics.median(ours for ours, _ in self.samples)

    @property
    def theirs(self):
        return statistics.median(theirs for _, theirs in self.samples)

    @property
    def ratio(self):
        return statistics.median(ours / theirs for ours, theirs in self.samples)

    @property
    def limit(self):
        """What the ratio must not exceed, or None."""
        if not self.kind:
            return None
        return self.bar if self.kind == AT_MOST else 1 / self.bar

    @property
    def verdict(self):
        if not self.samples:
            return "skipped" if self.note else "failed"
        if self.limit is None:
            return "reported"
        return "ok" if self.ratio <= self.limit else "missed"

    @property
    def bar_text(self):
        if not self.kind:
            return "-"
        if self.kind == AT_MOST:
            return f"at most {self.bar:g}x"
        return f"at least {self.bar:g}x faster" if self.bar != 1 else "not slower"

    @property
    def ratio_text(self):
        if not self.samples:
            return "-"
        if self.kind == AT_MOST:
            return f"{self.ratio:.2f}x"
        if self.ratio > 1:
            return f"{self.ratio:.2f}x slower"
        return f"{1 / self.ratio:.2f}x faster"

    @property
    def cells(self):
        return [
            self.what,
            self.against,
            format_time(self.ours) if self.samples else "-",
            format_time(self.theirs) if self.samples else "-",
            self.ratio_text,
            self.bar_text,
            self.verdict,
        ]


HEADINGS = ["what", "against", "ours", "theirs", "ratio", "bar", "verdict"]


def make_rows():
    return [
        Row("c-lock", "c", "C: lock and unlock, nobody else wants it",
            "robust process-shared pthread mutex", AT_MOST, 2),
        Row("c-lock-handed", "c", "C: hand the lock to a process that waits for it",
            "robust process-shared pthread mutex", AT_MOST, 1.5),
        Row("c-lock-contended", "c", "C: lock, add one, unlock, two processes at once",
            "robust process-shared pthread mutex"),
        Row("c-update", "c", "C: update, wake one waiter, and back",
            "the same with a bare futex", AT_MOST, 1.25),
        Row("c-open", "c", "C: open by name with a lease, touch, close",
            "shm_open, fstat, mmap, touch, munmap, close", AT_MOST, 2),
        Row("c-create", "c", "C: create 1 MB, unlink",
            "shm_open, posix_fallocate, mmap, unlink", AT_MOST, 1.6),
        Row("c-size", "c", "C: open 8 GB (sparse)", "open 1 KB", AT_MOST, 1.2),
        Row("python-size", "python", "Python: open 8 GB (sparse)", "open 1 KB", AT_MOST, 1.2),
        Row("python-open", "python", "Python: open by name to a NumPy view",
            "SharedMemory(name), np.ndarray", FASTER, 2),
        Row("python-open-peer", "python", "Python: open by name to a NumPy view",
            PEER + "'s own object and its get()"),
        Row("python-open-sharedarray", "python", "Python: open by name to a NumPy view",
            "SharedArray.attach"),
        Row("python-read", "python", "Python: arr[1, 2, 0]", "bare ndarray", AT_MOST, 3),
        Row("python-read-peer", "python", "Python: arr[1, 2, 0]", PEER, FASTER, 3),
        Row("python-write", "python", "Python: arr[1, 2, 0] = 7", "bare ndarray", AT_MOST, 3),
        Row("python-write-peer", "python", "Python: arr[1, 2, 0] = 7", PEER, FASTER, 3),
        Row("python-from-peer", "python", "Python: make an array from 256 MB of float64",
            PEER + "'s from_array", FASTER, 1.3),
        Row("python-from-raw", "python", "Python: make an array from 256 MB of float64",
            "open, pwrite", AT_MOST, 1.15),
        Row("python-pickle", "python", "Python: pickle and unpickle Shnd.Array, to a view", PEER,
            FASTER, 1.5),
        Row("python-pickle-package", "python",
            "Python: the same with shndarray.SharedNDArray", PEER, FASTER, 1.5),
        Row("python-pickle-here", "python",
            "Python: the same where it is open already", PEER),
        Row("python-shape-sparse", "python", "Python: from_shape, 1 MB, sparse",
            PEER + " with a SharedMemoryManager", FASTER, 10),
        Row("python-shape-reserved", "python", "Python: from_shape, 1 MB, reserved",
            PEER + " with a SharedMemoryManager, sparse", FASTER, 1),
        Row("python-list", "python", "Python: list 10,000 arrays, with details",
            "numpy.load(mmap_mode='r') of each", FASTER, 1),
        Row("gjs-row", "gjs", "GJS: open by name, sum a row of a 1080p RGBA frame",
            "the same from a copied Uint8Array"),
    ]


def format_time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def get_commands(options):
    """What runs the rows of each language; None where the build has not what that needs."""
    folder = os.path.dirname(os.path.abspath(__file__))
    python = options.python
    if python:
        peers = os.path.join(options.peers, "bin", "python")
        python = peers if os.path.exists(peers) else python
    return {
        "c": [options.c],
        "python": [python, os.path.join(folder, "bench.py")] if python else None,
        "gjs": [options.gjs, "-m", os.path.join(folder, "bench.js")] if options.gjs else None,
    }


def run(command, prefix, rows):
    """Runs one program and gives its samples to the rows. Returns whether it went well."""
    by_id = {row.id: row for row in rows}
    try:
        result = subprocess.run(
            [*command, prefix], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
    finally:
        for path in glob.glob("/dev/shm/" + glob.escape(prefix) + "*"):
            os.unlink(path)

    for line in result.stdout.splitlines():
        word, row_id, *rest = line.split(maxsplit=2)
        if word == "sample":
            ours, theirs = rest[0].split()
            by_id[row_id].samples.append((float(ours), float(theirs)))
        elif word == "skip":
            by_id[row_id].note = rest[0]

    return result.returncode == 0 and all(row.samples or row.note for row in rows)


def format_table(rows):
    table = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)) for cells in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def format_markdown(rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in [HEADINGS, *(row.cells for row in rows)]]
    lines.insert(1, "|" + " --- |" * len(HEADINGS))
    return "\n".join(lines)


def get_notes(rows):
    """What the table cannot say."""
    rounds = sorted({len(row.samples) for row in rows if row.samples})
    notes = []
    if rounds:
        count = f"{rounds[0]}" if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        notes.append(f"Times and ratios are medians of {count} rounds, ours and theirs in turn.")
    for note in sorted({row.note for row in rows if row.note and not row.samples}):
        notes.append(f"Skipped: {note}.")
    return notes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the folder for what is written")
    parser.add_argument("--c", required=True, help="the program with the rows about C")
    parser.add_argument("--python", help="an interpreter that has the bindings")
    parser.add_argument("--peers", help="the folder that install-peers fills")
    parser.add_argument("--gjs", help="the interpreter for GJS")
    options = parser.parse_args()

    rows = make_rows()
    good = True
    for name, command in get_commands(options).items():
        rows_of_program = [row for row in rows if row.program == name]
        if command:
            prefix = f"shnd-benchmark-{os.getpid()}-"
            good = run(command, prefix, rows_of_program) and good
        else:
            for row in rows_of_program:
                row.note = f"this build cannot run {name}"

    notes = get_notes(rows)
    print(format_table(rows))
    print()
    print("\n".join(notes))

    with open(os.path.join(options.output, "benchmarks.md"), "w") as file:
        file.write("# Benchmarks\n\n" + format_markdown(rows) + "\n\n" + "\n".join(notes) + "\n")
    with open(os.path.join(options.output, "benchmarks.svg"), "w") as file:
        file.write(draw(rows))

    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
