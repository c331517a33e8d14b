# SPDX-License-Identifier: MIT
"""Shares a terrain and a photo with programs in C, JavaScript and Vala, which work on them.

Python reads the data from files, shares them, and starts the others: the C program makes a shaded
relief of the terrain, the JavaScript one an old print of the photo, the Vala one prints a table of
all arrays. At the end the four processes prove that they all look at the same memory.

Nobody removes an array here: each goes with the last process that has it open.
"""

import argparse
import math
import os
import pathlib
import secrets
import signal
import sys
import time

import gi

gi.require_version('Shnd', '1')

from gi.repository import GLib, Shnd  # noqa: E402

from pictures import colour, light, read_photo, read_terrain, write_png  # noqa: E402
from proof import Failure, Program, check, check_same, get_place, get_sha256, label  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

# Where the light comes from, in degrees.
AZIMUTH = 315
ALTITUDE = 45

# How much steeper than in nature the relief is to look.
EXAGGERATION = 1.75

# Which processes look at which array.
USERS = {
    'terrain': ['Python', 'C', 'Vala'],
    'photo': ['Python', 'JavaScript', 'Vala'],
    'relief': ['Python', 'C', 'Vala'],
}


class Job:
    """The arrays, what Python sees of them, and the programs that work on them."""

    def __init__(self, options):
        self.options = options
        self.interrupted = False
        self.programs = []
        self.arrays = {}
        self.views = {}
        self.label = label('Python', os.getpid())
        self.clock = time.monotonic()

        # Random, so that two jobs at once do not meet at one name.
        suffix = secrets.token_hex(3)
        self.names = {
            what: f'{options.prefix}{what}-{suffix}' for what in USERS
        }
        self.pngs = {
            what: options.output / f'{what}.png' for what in ('terrain', 'relief', 'map', 'photo')
        }

    def run(self):
        heights, dx, dy = read_terrain()
        photo = read_photo()
        self.report('read jacksboro_fault_dem.npz and grace_hopper.jpg')
        self.share('terrain', heights)
        self.share('photo', photo)

        c = self.start_relief(dx, dy)
        javascript = self.start_photo()
        c.wait_until_ready()
        javascript.wait_until_ready()
        self.clock = time.monotonic()
        self.keep('relief', Shnd.Array.open(self.names['relief']))
        self.report('opened the relief that C made')

        rows, columns = heights.shape
        self.draw_maps((round(2 * columns * dx / dy), 2 * rows))
        self.start('Vala', self.options.statistics, *self.names.values()).wait_until_ready()

        self.prove(photo, javascript.computed.get(self.names['photo']))

    def share(self, what, data):
        self.keep(what, Shnd.Array.new_from_array(self.names[what], data))
        self.report(f'shared {data.dtype} {data.shape} as {self.names[what]}')

    def keep(self, what, array):
        self.arrays[what] = array
        self.views[what] = array.get()

    def start_relief(self, dx, dy):
        return self.start(
            'C',
            self.options.relief,
            f'--spacing-x={dx}',
            f'--spacing-y={dy}',
            f'--azimuth={AZIMUTH}',
            f'--altitude={ALTITUDE}',
            f'--exaggeration={EXAGGERATION}',
            self.names['terrain'],
            self.names['relief'],
            self.pngs['relief'],
        )

    def start_photo(self):
        return self.start(
            'JavaScript',
            self.options.gjs,
            '-m',
            HERE / 'photo.js',
            self.names['photo'],
            self.pngs['photo'],
        )

    def start(self, language, *command):
        self.programs.append(Program(language, *command))
        self.stop_if_interrupted()
        return self.programs[-1]

    def draw_maps(self, size):
        colours = colour(self.views['terrain'])
        write_png(self.pngs['terrain'], colours, size)
        self.report(f'wrote {self.pngs["terrain"].name}')

        level = 255 * math.sin(math.radians(ALTITUDE))
        write_png(self.pngs['map'], light(colours, self.views['relief'], level), size)
        self.report(f'wrote {self.pngs["map"].name}')

    def get_places(self):
        """Where each process has each array; Python is the first."""
        places = {
            array.name: [get_place(self.label, array, self.views[what])]
            for what, array in self.arrays.items()
        }
        for program in self.programs:
            for name, place in program.get_places().items():
                places[name].append(place)
        return places

    def prove(self, photo, computed):
        """Checks by addresses, and by what each process sees, that nothing was copied."""
        print('\nThe proof that nothing was copied. What each process has mapped:')
        before = self.get_places()
        for what, name in self.names.items():
            print(f'{name} ({self.arrays[what].nbytes} bytes)')
            users = [place.process.split()[0] for place in before[name]]
            check(users == USERS[what], f'{name} was shown by {users}: expected {USERS[what]}')
            for place in before[name]:
                place.check(name)
        check_same(before)

        changed = (self.views['photo'] != photo).any(axis=-1).mean()
        check(changed > 0, 'JavaScript left the photo as it was')
        check(
            get_sha256(self.views['photo']) == computed,
            'Python does not see the photo that JavaScript computed',
        )
        print(
            "Python's view of the photo was made before JavaScript was started. "
            f'{changed:.0%} of its pixels changed,\n'
            f'and it shows what JavaScript computed: SHA-256 {computed}.'
        )

        for view in self.views.values():
            view.flat[-1] ^= 1
        after = self.get_places()
        check_same(after)
        for name, found in after.items():
            check(found[0].sha256 != before[name][0].sha256, f'{name} did not change')
        print('Then Python flipped a bit in each array: all others saw that at their addresses.')

    def report(self, text):
        """Prints what Python did, and how long it took."""
        took = 1000 * (time.monotonic() - self.clock)
        print(f'{self.label}  {text:<60} {took:8.2f} ms', flush=True)
        self.stop_if_interrupted()
        self.clock = time.monotonic()

    def interrupt(self, _signal, _frame):
        # Python itself goes on to the end of its step, so that cleaning up misses nothing.
        self.interrupted = True
        for program in self.programs:
            program.process.terminate()

    def stop_if_interrupted(self):
        if self.interrupted:
            raise KeyboardInterrupt

    def clean_up(self):
        """Ends all programs, and lets go of the arrays. Returns whether the programs succeeded."""
        statuses = [program.end() for program in self.programs]
        # Views in NumPy keep an array, and its name, like the array itself.
        self.views.clear()
        for array in self.arrays.values():
            array.close()
        # What a program alone had open that was killed is an orphan now.
        Shnd.reap()
        return not any(statuses)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('output', type=pathlib.Path, help='the folder for the pictures')
    parser.add_argument('--prefix', default='', help="how the arrays' names begin")
    parser.add_argument('--relief', required=True, help='the program made of relief.c')
    parser.add_argument('--statistics', required=True, help='the program made of statistics.vala')
    parser.add_argument('--gjs', default='gjs', help='the interpreter for photo.js')
    return parser.parse_args()


def main():
    options = parse_arguments()
    job = Job(options)
    problem = None

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, job.interrupt)

    try:
        options.output.mkdir(parents=True, exist_ok=True)
        job.run()
    except KeyboardInterrupt:
        problem = 'Interrupted'
    except (Failure, GLib.Error, OSError) as error:
        problem = 'Interrupted' if job.interrupted else f'Failed: {error}'
    finally:
        succeeded = job.clean_up()

    left = [name for name in job.names.values() if os.path.exists(f'/dev/shm/{name}')]
    if left:
        problem = problem or f'Failed: left behind: {left}'
    else:
        print('All have closed the arrays, and with that they are gone.')
    if problem is None and not succeeded:
        problem = 'Failed: a program did not end well'
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1

    print('The pictures:')
    for path in job.pngs.values():
        print(f'  {path}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
