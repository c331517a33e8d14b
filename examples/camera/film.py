# SPDX-License-Identifier: MIT
"""Shows a moving picture to programs in C, JavaScript, Python and Vala, which check every frame.

The camera, in C, publishes frames of a photo with checksums. Three viewers wait for it before it is
there; the one in JavaScript comes when a third of the frames are out. That is done twice: with a
camera that waits for nobody, and with one that waits for all.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PHOTO = pathlib.Path('/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg')

EARLY = ['Python', 'C', 'Vala']
LATE = 'JavaScript'

RESULT = re.compile(r'received (\d+), missed (\d+), wrong (\d+), from (\d+)\n')


class Failure(Exception):
    """A program failed, or the counts are not right."""


def check(condition, message):
    if not condition:
        raise Failure(message)


class Film:
    """A camera and its viewers."""

    def __init__(self, options, address):
        self.options = options
        self.address = address
        self.programs = {}
        self.clock = time.monotonic()
        self.commands = {
            'Python': [sys.executable, '-B', HERE / 'viewer.py'],
            'C': [options.viewer_c],
            'Vala': [options.viewer_vala],
            'JavaScript': [options.gjs, '-m', HERE / 'viewer.js'],
        }

    def start(self, name, *command):
        self.programs[name] = subprocess.Popen(
            [*map(str, command)], stdout=subprocess.PIPE, encoding='utf-8'
        )

    def start_viewer(self, language, *arguments):
        self.start(language, *self.commands[language], self.address, *arguments)
        self.report(language, 'starts to wait for frames')

    def run(self, *camera_options, picture=None):
        """Returns what each viewer says it got."""
        for language in EARLY:
            self.start_viewer(language)
        self.start(
            'camera',
            self.options.camera,
            f'--frames={self.options.frames}',
            f'--subscribers={len(EARLY)}',
            '--latecomers=1',
            *camera_options,
            self.address,
            PHOTO,
        )
        for line in self.programs['camera'].stdout:
            n_sent = int(line.split()[1])
            self.report('camera', f'has sent {n_sent} frames of {self.options.frames}')
            if n_sent == self.options.frames // 3:
                self.start_viewer(LATE, *([picture] if picture else []))
        check(self.programs['camera'].wait() == 0, 'the camera did not end well')
        return {language: self.get_result(language) for language in (*EARLY, LATE)}

    def report(self, name, text):
        passed = time.monotonic() - self.clock
        print(f'{name:<10} {self.programs[name].pid:>7}  {text:<40} {passed:8.2f} s', flush=True)

    def get_result(self, language):
        program = self.programs[language]
        output, _ = program.communicate(timeout=60)
        match = RESULT.fullmatch(output)
        check(
            match and program.returncode == (match[3] != '0'),
            f'{language} ended with status {program.returncode} and said {output!r}',
        )
        return tuple(int(number) for number in match.groups())

    def end(self):
        """Ends the programs that still run."""
        for program in self.programs.values():
            program.kill()
            program.communicate()


def check_counts(results, n_frames, lossless):
    """Prints what each viewer got, and checks that it is what it should have got."""
    print(f'\n{"":<10} {"sent":>9} {"received":>9} {"dropped":>9} {"wrong":>9}')
    for language, (n_received, n_missed, n_wrong, first) in results.items():
        n_sent = n_frames - first + 1
        print(f'{language:<10} {n_sent:>9} {n_received:>9} {n_missed:>9} {n_wrong:>9}')
    print()

    for language, (n_received, n_missed, n_wrong, first) in results.items():
        expected = n_frames // 3 if language == LATE else 1
        check(n_wrong == 0, f'{language} got frames that do not have their checksum')
        check(first == expected, f'{language} got frame {first} first: expected {expected}')
        check(n_received + n_missed == n_frames - first + 1, f'{language} has lost count')
        check(n_missed == 0 or not lossless, f'{language} missed frames')


def show(options, *camera_options, **keywords):
    lossless = '--block' in camera_options
    with tempfile.TemporaryDirectory(prefix='shnd-camera-') as folder:
        film = Film(options, f'{folder}/camera')
        try:
            results = film.run(*camera_options, **keywords)
        finally:
            film.end()
    check_counts(results, options.frames, lossless)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--frames', type=int, default=300, help='how many to send (300)')
    parser.add_argument('--rate', type=int, default=30, help='frames a second, the first time (30)')
    parser.add_argument('--picture', type=os.path.abspath, help='a PNG file for one of the frames')
    parser.add_argument('--camera', required=True, help='the program made of camera.c')
    parser.add_argument('--viewer-c', required=True, help='the program made of viewer.c')
    parser.add_argument('--viewer-vala', required=True, help='the program made of viewer.vala')
    parser.add_argument('--gjs', default='gjs', help='the interpreter for viewer.js')
    return parser.parse_args()


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        check(PHOTO.is_file(), f"{PHOTO} is missing: install python-matplotlib-data")
        print(f'{options.rate} frames a second, 1920 x 1080 RGBA. Who is slow misses some:')
        show(options, f'--rate={options.rate}', picture=options.picture)
        print('As many frames as all can take. Nobody misses one:')
        show(options, '--block')
    except KeyboardInterrupt:
        print('Interrupted', file=sys.stderr)
        return 1
    except (Failure, OSError, subprocess.TimeoutExpired) as error:
        print(f'Failed: {error}', file=sys.stderr)
        return 1

    print('Every frame that was received has the checksum that travelled with it.')
    if options.picture:
        print(f'The first frame that JavaScript got:\n  {options.picture}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
