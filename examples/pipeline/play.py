# SPDX-License-Identifier: MIT
"""Plays a film in a pipeline, to scripts in Python and JavaScript that are no part of it.

The film is made first, and encoded. The scripts print shape and mean of each frame; that is
compared with what another decoder gets from the same file.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import gi
import numpy as np

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GdkPixbuf, Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SHAPE = 360, 480, 3
ADDRESS = 'cam0'

# How many frames the picture shows, and how many in a row of it.
N_SHOWN, N_COLUMNS = 8, 4

# The columns of `shnd top`, which prints none where it writes no table.
HEADER = 'time frames/s MB/s drops/s subscribers frames state stream'

# What the scripts print: number, shape and mean.
LINE = re.compile(r'(\d+) \(?(\d+), ?(\d+), ?(\d+)\)? ([0-9.]+)')

# To hang would be worse than to fail: seconds.
PATIENCE = 180


class Failure(Exception):
    """A program failed, or saw something else."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def decode(film):
    """The frames of a film, by a pipeline that nobody shares."""
    command = ['gst-launch-1.0', '-q', 'filesrc', f'location={film}', '!', 'decodebin', '!',
               'videoconvert', '!', 'video/x-raw,format=RGB', '!', 'fdsink']
    size = int(np.prod(SHAPE))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as decoder:
        while data := decoder.stdout.read(size):
            check(len(data) == size, f'the decoder ended within a frame: {len(data)} bytes')
            yield np.frombuffer(data, 'u1').reshape(SHAPE)
    check(decoder.returncode == 0, f'the decoder ended with status {decoder.returncode}')


class Show:
    """A pipeline that plays, and its audience."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.clock = time.monotonic()
        self.programs = {}
        self.kept = []
        self.failure = None

    def report(self, name, text):
        passed = time.monotonic() - self.clock
        number = self.programs[name].pid if name in self.programs else ''
        print(f'{name:<10} {number:>7}  {text:<50} {passed:6.2f} s', flush=True)

    def start(self, name, *command):
        self.programs[name] = subprocess.Popen(
            [*map(str, command)], stdout=subprocess.PIPE, cwd=self.folder, encoding='utf-8'
        )

    def record(self):
        """Makes the film, and returns the mean of each of its frames."""
        film = f'{self.folder}/film.webm'
        n_frames = self.options.frames
        subprocess.run(
            [sys.executable, '-B', HERE / 'record.py', film, str(n_frames)], check=True
        )
        size = os.path.getsize(film)
        self.report('', f'{n_frames} frames of a photo are a film of {size // 1000} kB')
        means = [frame.mean() for frame in decode(film)]
        check(len(means) == n_frames, f'the film has {len(means)} frames, expected {n_frames}')
        return means

    def run(self):
        """Returns what each of the scripts printed."""
        self.start('Python', sys.executable, '-uB', HERE / 'subscriber.py')
        self.report('Python', 'waits for frames')
        self.start('JavaScript', self.options.gjs, '-m', HERE / 'subscriber.js')
        self.report('JavaScript', 'waits for frames')
        # Without a shell in between, so that who is killed is the pipeline.
        line = (HERE / 'publish').read_text(encoding='utf-8').partition('\n\n')[2]
        print(f'\n$ {line}')
        self.start('pipeline', 'sh', '-c', f'exec {line}')
        self.report('pipeline', 'waits for both, then plays the film')
        for name in self.programs:
            threading.Thread(target=self.guard, args=[name], daemon=True).start()

        with concurrent.futures.ThreadPoolExecutor() as executor:
            try:
                return self.follow(executor)
            except BaseException:
                # The threads wait for them.
                self.end()
                raise

    def follow(self, executor):
        """Sees what the scripts print, and comes late to the stream itself."""
        outputs = {}
        for name in ('Python', 'JavaScript'):
            output = self.programs[name].stdout
            first = output.readline()
            check(first, self.failure or f'{name} got no frame')
            self.report(name, f'frame {first.rstrip()}')
            outputs[name] = first, executor.submit(output.read)

        subscriber = Shnd.Subscriber.new(ADDRESS)
        self.keep(subscriber.receive(timeout=60))
        # The pipeline waits for who holds frames, so the stream is there.
        self.ask('list', ADDRESS)
        asking = executor.submit(self.ask, 'top', '--interval=0.5', '--count=3', ADDRESS,
                                 header=HEADER)
        for frame in subscriber:
            self.keep(frame)
        asking.result()
        print()
        return {name: first + rest.result() for name, (first, rest) in outputs.items()}

    def guard(self, name):
        """Without one of them the others would wait for ever."""
        status = self.programs[name].wait()
        if status != 0:
            self.failure = self.failure or f'{name} ended with status {status}'
            self.end()

    def ask(self, *arguments, header=''):
        """Shows what the command says meanwhile."""
        result = subprocess.run(
            [self.options.shnd, *arguments], stdout=subprocess.PIPE, encoding='utf-8', check=True
        )
        lines = result.stdout
        if header:
            rows = [line.split() for line in (header, *lines.splitlines())]
            widths = [max(map(len, column)) for column in zip(*rows)]
            lines = ''.join('  '.join(map(str.rjust, row, widths)) + '\n' for row in rows)
        print(f'\n$ shnd {" ".join(arguments)}\n{lines}', end='', flush=True)

    def keep(self, frame):
        """Keeps some of the frames for the picture."""
        with frame:
            if frame.sequence % max(self.options.frames // N_SHOWN, 1) == 0 or not self.kept:
                self.kept.append(frame.array[...].copy())

    def get_status(self, name):
        program = self.programs[name]
        program.wait(timeout=60)
        return program.returncode

    def end(self):
        for program in self.programs.values():
            program.kill()


def compare(name, output, means):
    """Whether a script saw what there is to see, and all of it."""
    lines = [LINE.fullmatch(line) for line in output.splitlines()]
    check(all(lines), f'{name} printed {output[:200]!r}')
    numbers = [int(line[1]) for line in lines]
    check(numbers == [*range(1, len(means) + 1)], f'{name} saw the frames {numbers}')
    for line, mean in zip(lines, means):
        shape = tuple(map(int, line.groups()[1:4]))
        check(shape == SHAPE, f'{name} saw the shape {shape} in frame {line[1]}')
        check(float(line[5]) == mean,
              f'{name} saw the mean {line[5]} in frame {line[1]}: expected {mean}')


def write_sheet(frames, path):
    """Writes a picture of some frames, each at half its size."""
    frames = [frame[::2, ::2] for frame in frames[-N_SHOWN:]]
    frames += [np.zeros_like(frames[0])] * (-len(frames) % N_COLUMNS)
    rows = [np.hstack(frames[i:i + N_COLUMNS]) for i in range(0, len(frames), N_COLUMNS)]
    sheet = np.vstack(rows)
    height, width, _ = sheet.shape
    GdkPixbuf.Pixbuf.new_from_data(
        sheet.tobytes(), GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width
    ).savev(str(path), 'png', [], [])


def show(options):
    with tempfile.TemporaryDirectory(prefix='shnd-pipeline-') as folder:
        os.environ['XDG_RUNTIME_DIR'] = folder
        part = Show(options, folder)
        try:
            means = part.record()
            outputs = part.run()
            for name in ('pipeline', *outputs):
                status = part.get_status(name)
                check(status == 0, f'{name} ended with status {status}')
        finally:
            part.end()

    for name, output in outputs.items():
        compare(name, output, means)
        part.report(name, f'saw all {len(means)} frames, and the mean of each is right')
    if options.picture:
        os.makedirs(os.path.dirname(options.picture), exist_ok=True)
        write_sheet(part.kept, options.picture)
        print(f'Some of the frames, as one who came late got them:\n  {options.picture}')


def hang_up(*_):
    raise Failure(f'it has not ended within {PATIENCE} seconds')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--frames', type=int, default=120, help='of how many the film is (120)')
    parser.add_argument('--picture', type=os.path.abspath, help='a PNG file for some of the frames')
    parser.add_argument('--gjs', default='gjs', help='the interpreter for subscriber.js')
    parser.add_argument('--shnd', default='shnd', help='the command')
    return parser.parse_args()


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGALRM, hang_up)
    signal.alarm(PATIENCE)
    try:
        show(options)
    except KeyboardInterrupt:
        print('Interrupted', file=sys.stderr)
        return 1
    except (Failure, OSError, subprocess.SubprocessError) as error:
        print(f'Failed: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
