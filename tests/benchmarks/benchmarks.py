# SPDX-License-Identifier: MIT
"""Runs the benchmarks, prints one table, and writes it as Markdown and as a plot.

A time never decides anything: only a row that cannot be run makes the exit status 1.
"""

import argparse
import contextlib
import fnmatch
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from plot import draw
from rows import ALWAYS, make_rows

HEADINGS = ["what", "against", "ours", "theirs", "ratio", "bar", "verdict"]


def get_commands(options):
    """What runs the rows of each language; None where the build has not what that needs."""
    folder = os.path.dirname(os.path.abspath(__file__))
    python = options.python
    if python:
        peers = os.path.join(options.peers, "bin", "python")
        python = peers if os.path.exists(peers) else python
    return {
        "c": [options.c],
        "frames": [options.frames, "latencies", "streams", "cpu"],
        "iceoryx": [options.frames, "iceoryx"],
        "python": [python, os.path.join(folder, "bench.py")] if python else None,
        "python-frames": [python, os.path.join(folder, "bench-frames.py")] if python else None,
        "pipelines": [python, os.path.join(folder, "bench-pipelines.py"), options.pipeline]
                     if python and options.pipeline else None,
        "cli": [python, os.path.join(folder, "bench-cli.py"), options.shnd]
               if python and options.shnd else None,
        "gjs": [options.gjs, "-m", os.path.join(folder, "bench.js")] if options.gjs else None,
    }


@contextlib.contextmanager
def run_iceoryx_daemon():
    """Runs the daemon that iceoryx needs. It must not end before its clients: it would kill them."""
    program = shutil.which("iox-roudi")
    if program is None:
        yield False
        return

    # The sizes of frames, and how many of each there may be: as many as ours, and a few more.
    pools = [(64, 32), (1080 * 1920 * 4, 8), (2160 * 3840 * 4, 8)]
    config = "[general]\nversion = 1\n[[segment]]\n" + "".join(
        f"[[segment.mempool]]\nsize = {size}\ncount = {count}\n" for size, count in pools)
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(config)
        file.flush()
        daemon = subprocess.Popen([program, "-m", "off", "-c", file.name],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started = any("ready" in line for line in daemon.stdout)
        try:
            yield started
        finally:
            daemon.terminate()
            daemon.communicate()


def skip(rows, pattern, reason):
    for row in rows:
        if fnmatch.fnmatchcase(row.id, pattern):
            row.note = reason


def run(command, prefix, rows):
    """Runs one program and gives its samples to the rows. Returns whether it went well."""
    by_id = {row.id: row for row in rows}
    try:
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run(
                [*command, prefix], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                env=os.environ | {"XDG_RUNTIME_DIR": folder},
            )
    finally:
        for path in glob.glob("/dev/shm/" + glob.escape(prefix) + "*"):
            os.unlink(path)

    for line in result.stdout.splitlines():
        word, row_id, *rest = line.split(maxsplit=2)
        if word == "sample":
            numbers = [float(number) for number in rest[0].split()]
            by_id[row_id].samples.append(numbers[:2])
            if numbers[2:]:
                by_id[row_id].tails.append(numbers[2:])
        elif word == "skip":
            skip(rows, row_id, rest[0])

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
    if any(row.tails for row in rows):
        notes.append("Where there are two times, one is the median and the other the 99th "
                     "percentile, and the ratio is that of the medians.")
    for note in sorted({row.note for row in rows if row.note and not row.samples}):
        notes.append(f"Skipped: {note}.")
    return notes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the folder for what is written")
    parser.add_argument("--c", required=True, help="the program with the rows about C")
    parser.add_argument("--frames", required=True, help="the program with the rows about frames")
    parser.add_argument("--pipeline", help="the program that runs the pipelines of a row")
    parser.add_argument("--python", help="an interpreter that has the bindings")
    parser.add_argument("--peers", help="the folder that install-peers fills")
    parser.add_argument("--shnd", help="the command")
    parser.add_argument("--gjs", help="the interpreter for GJS")
    options = parser.parse_args()

    rows = make_rows()
    good = True
    for name, command in get_commands(options).items():
        rows_of_program = [row for row in rows if row.program == name]
        if command:
            prefix = f"shnd-benchmark-{os.getpid()}-"
            needed = run_iceoryx_daemon() if name == "iceoryx" else contextlib.nullcontext(True)
            with needed as ready:
                if ready:
                    good = run(command, prefix, rows_of_program) and good
                else:
                    skip(rows_of_program, "*", "iox-roudi, of iceoryx, does not run here")
        else:
            skip(rows_of_program, "*", f"this build cannot run {name}")

    notes = get_notes(rows)
    print(format_table(rows))
    print()
    print("\n".join(notes))

    with open(os.path.join(options.output, "benchmarks.md"), "w") as file:
        file.write("# Benchmarks\n\n" + format_markdown(rows) + "\n\n" + "\n".join(notes) + "\n")
    with open(os.path.join(options.output, "benchmarks.svg"), "w") as file:
        file.write(draw([row for row in rows if row.kind != ALWAYS]))

    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
