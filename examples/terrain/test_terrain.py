# SPDX-License-Identifier: MIT
"""Runs the job and its parts, also where they must fail."""

import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile
import unittest

import gi

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

import numpy as np  # noqa: E402
import tap  # noqa: E402
from gi.repository import GdkPixbuf, Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SIZES = {
    'terrain': (650, 688),
    'relief': (650, 688),
    'map': (650, 688),
    'photo': (512, 600),
}


class Case(unittest.TestCase):
    """Works in a folder of its own, with names of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.prefix = f'shnd-test-{secrets.token_hex(4)}-'
        self.addCleanup(self.remove_names)

    def get_names(self):
        return sorted(name for name in os.listdir('/dev/shm') if name.startswith(self.prefix))

    def remove_names(self):
        for name in self.get_names():
            os.unlink(f'/dev/shm/{name}')

    def share(self, data):
        name = f'{self.prefix}{secrets.token_hex(2)}'
        return Shnd.Array.new_from_array(name, data)

    def run_program(self, *command):
        return subprocess.run(
            [*map(str, command)], capture_output=True, encoding='utf-8', timeout=60, check=False
        )


class Job(Case):
    def start(self, folder='pictures', **programs):
        paths = {'relief': RELIEF, 'statistics': STATISTICS, 'gjs': GJS, **programs}
        job = subprocess.Popen(
            [
                sys.executable,
                '-B',
                str(HERE / 'share.py'),
                f'--prefix={self.prefix}',
                *(f'--{program}={path}' for program, path in paths.items()),
                str(self.folder / folder),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding='utf-8',
        )
        self.addCleanup(job.kill)
        return job

    def check_success(self, job, folder='pictures'):
        output, errors = job.communicate(timeout=60)
        self.assertEqual((job.returncode, errors), (0, ''), output)
        for what, size in SIZES.items():
            path = self.folder / folder / f'{what}.png'
            pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(path))
            self.assertEqual((pixbuf.get_width(), pixbuf.get_height()), size)
            pixels = np.frombuffer(pixbuf.get_pixels(), np.uint8)
            self.assertGreater(pixels.std(), 20, f'{what} shows next to nothing')
            self.assertIn(f'{path}\n', output)
        return output

    def check_failure(self, message, **programs):
        job = self.start(**programs)
        output, errors = job.communicate(timeout=60)
        self.assertEqual(job.returncode, 1, output)
        self.assertIn(message, errors)
        self.assertEqual(self.get_names(), [])

    def wrap(self, program, command):
        """A program whose output goes through another command."""
        path = self.folder / 'wrapper'
        path.write_text(f'#!/bin/sh\n"{program}" "$@" | {command}\n', encoding='utf-8')
        path.chmod(0o755)
        return path

    def test_succeeds(self):
        output = self.check_success(self.start())
        for language, n_arrays in {'Python': 3, 'C': 2, 'JavaScript': 1, 'Vala': 3}.items():
            lines = [line for line in output.splitlines() if line.startswith(f'  {language} ')]
            self.assertEqual(len(lines), n_arrays, output)
        self.assertEqual(self.get_names(), [])

    def test_two_at_once(self):
        jobs = {folder: self.start(folder) for folder in ('one', 'two')}
        for folder, job in jobs.items():
            self.check_success(job, folder)
        self.assertEqual(self.get_names(), [])

    def test_a_program_fails(self):
        self.check_failure('C ended with status 1', relief='/bin/false')
        self.check_failure('JavaScript ended with status 1', gjs='/bin/false')
        self.check_failure('Vala ended with status 1', statistics='/bin/false')
        self.check_failure('No such file', statistics='/nonexistent/program')

    def test_a_program_fails_at_the_end(self):
        path = self.wrap(STATISTICS, 'cat; exit 1')
        self.check_failure('a program did not end well', statistics=path)

    def test_a_private_mapping_is_no_proof(self):
        path = self.wrap(STATISTICS, "sed -u 's/ r--s / r--p /'")
        self.check_failure('a private mapping', statistics=path)

    def test_another_file_is_no_proof(self):
        path = self.wrap(STATISTICS, r"sed -u 's/\( maps .*:.. \)/\19/'")
        self.check_failure('another file mapped', statistics=path)

    def test_no_mapping_is_no_proof(self):
        path = self.wrap(RELIEF, "sed -u '/ maps /d; / data /d; / sha256 /d'")
        self.check_failure('expected', relief=path)
        path = self.wrap(RELIEF, "sed -u 's/ data 0x/ data 0xf/'")
        self.check_failure('outside', relief=path)

    def test_other_content_is_no_proof(self):
        path = self.wrap(STATISTICS, "sed -u 's/ sha256 / sha256 0/'")
        self.check_failure('does not see what Python sees', statistics=path)
        path = self.wrap(GJS, "sed -u 's/ computed / computed 0/'")
        self.check_failure('does not see the photo', gjs=path)

    def test_stale_content_is_no_proof(self):
        # Answers the second time what it answered the first time.
        filter_ = self.folder / 'filter.py'
        filter_.write_text(
            'import sys\n'
            'old = {}\n'
            'for line in sys.stdin:\n'
            '    if " sha256 " in line:\n'
            '        line = old.setdefault(line.split()[1], line)\n'
            '    print(line, end="", flush=True)\n',
            encoding='utf-8',
        )
        path = self.wrap(STATISTICS, f'{sys.executable} {filter_}')
        self.check_failure('does not see what Python sees', statistics=path)

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for place in ('shared int16', 'made the array', 'wrote terrain', 'Vala ', 'The proof'):
                with self.subTest(number=number, place=place):
                    job = self.start()
                    for line in job.stdout:
                        if place in line:
                            break
                    job.send_signal(number)
                    _output, errors = job.communicate(timeout=60)
                    # After that it may be through, or on its way out, before the signal comes.
                    if place != 'The proof':
                        self.assertEqual(job.returncode, 1)
                        self.assertIn('Interrupted', errors)
                    self.assertEqual(self.get_names(), [])


    def test_killed(self):
        """Without a job the programs end, too, and the last one takes the arrays along."""
        for place in ('made the array', 'wrote terrain', 'The proof'):
            with self.subTest(place=place):
                job = self.start()
                for line in job.stdout:
                    if place in line:
                        break
                job.kill()
                # The programs have these pipes, too: at their end all are gone.
                job.communicate(timeout=60)
                Shnd.reap()
                self.assertEqual(self.get_names(), [])


def shade(heights, dx, dy, azimuth, altitude):
    """A shaded relief in NumPy, by slope and aspect; `heights` has a border of one cell."""
    a, b, c = heights[:-2, :-2], heights[:-2, 1:-1], heights[:-2, 2:]
    d, f = heights[1:-1, :-2], heights[1:-1, 2:]
    g, h, i = heights[2:, :-2], heights[2:, 1:-1], heights[2:, 2:]
    east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * dx)
    south = ((g + 2 * h + i) - (a + 2 * b + c)) / (8 * dy)
    slope = np.arctan(np.hypot(east, south))
    downhill = np.arctan2(-east, south)
    azimuth, altitude = np.radians(azimuth), np.radians(altitude)
    brightness = np.sin(altitude) * np.cos(slope) + np.cos(altitude) * np.sin(slope) * np.cos(
        azimuth - downhill
    )
    return 1 + 254 * np.maximum(brightness, 0)


class Relief(Case):
    def make(self, heights, *options):
        terrain = self.share(heights)
        name = f'{self.prefix}relief'
        result = self.run_program(
            RELIEF, '--keep', *options, terrain.name, name, self.folder / 'relief.png'
        )
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        relief = Shnd.Array.open(name).get()
        Shnd.unlink(name)
        return relief

    def test_goes_unless_kept(self):
        terrain = self.share(np.zeros((3, 4), 'i2'))
        arguments = terrain.name, f'{self.prefix}relief', self.folder / 'relief.png'
        for options, left in ((), False), (('--keep',), True):
            result = self.run_program(RELIEF, *options, *arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertEqual(arguments[1] in self.get_names(), left)

    def test_is_horns(self):
        heights = np.random.default_rng(1).integers(0, 300, (20, 30)).astype('i2')
        for azimuth, altitude in ((315, 45), (0, 30), (90, 60), (200, 10)):
            relief = self.make(
                heights,
                '--spacing-x=70',
                '--spacing-y=90',
                f'--azimuth={azimuth}',
                f'--altitude={altitude}',
            )
            expected = shade(heights.astype(float), 70, 90, azimuth, altitude)
            difference = np.abs(relief[1:-1, 1:-1] - expected)
            self.assertLessEqual(difference.max(), 0.5001)

    def test_a_plane_is_even_up_to_the_edges_and_around_holes(self):
        y, x = np.mgrid[:12, :15]
        heights = (1000 + 5 * x - 8 * y).astype('i2')
        plane = self.make(heights, '--spacing-x=20', '--spacing-y=20')
        self.assertEqual(len(np.unique(plane)), 1)

        heights[3, 4] = heights[0, 9] = heights[7:9, 10] = -9999
        relief = self.make(heights, '--spacing-x=20', '--spacing-y=20', '--no-data=-9999')
        np.testing.assert_array_equal(relief == 0, heights == -9999)
        self.assertEqual(relief[relief > 0].min(), plane[0, 0])
        self.assertEqual(relief.max(), plane[0, 0])

    def test_exaggeration_and_tiny_terrains(self):
        heights = np.arange(12, dtype='i2').reshape(3, 4) * 3
        steeper = self.make(heights, '--exaggeration=2', '--spacing-x=10', '--spacing-y=10')
        np.testing.assert_array_equal(
            steeper, self.make(heights * np.int16(2), '--spacing-x=10', '--spacing-y=10')
        )
        for shape in ((1, 1), (1, 5), (5, 1)):
            level = self.make(np.zeros(shape, 'i2'), '--altitude=90')
            self.assertTrue((level == 255).all())

    def check_refused(self, message, *arguments):
        result = self.run_program(RELIEF, *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)

    def test_refuses(self):
        name = f'{self.prefix}relief'
        png = self.folder / 'relief.png'
        shared = self.share(np.zeros((4, 5), 'i2'))
        terrain = shared.name
        self.check_refused('expected', terrain)
        self.check_refused('spacing', '--spacing-x=0', terrain, name, png)
        self.check_refused('Unknown option', '--light', terrain, name, png)
        self.check_refused(f'{self.prefix}none', f'{self.prefix}none', name, png)
        for shape, dtype in ((4, 'i2'), ((4, 5), '>i2'), ((4, 5), 'f8'), ((0, 5), 'i2')):
            wrong = self.share(np.zeros(shape, dtype))
            self.check_refused('no terrain', wrong.name, name, png)
        for options in (), ('--keep',):
            self.check_refused(
                'No such file', *options, terrain, name, self.folder / 'none' / 'relief.png'
            )
            self.assertNotIn(name, self.get_names())
        self.check_refused(terrain, terrain, terrain, png)
        self.assertIn(terrain, self.get_names())
        shared.close()


class Photo(Case):
    def test_refuses(self):
        for wrong in (np.zeros((4, 5), 'u1'), np.zeros((4, 5, 3), 'i1'), np.zeros((4, 5, 4), 'u1')):
            array = self.share(wrong)
            png = self.folder / 'photo.png'
            result = self.run_program(GJS, '-m', HERE / 'photo.js', array.name, png)
            self.assertEqual(result.returncode, 1)
            self.assertIn('no photo', result.stderr)
        result = self.run_program(GJS, '-m', HERE / 'photo.js')
        self.assertEqual(result.returncode, 1)
        self.assertIn('expected', result.stderr)


class Statistics(Case):
    def get_rows(self, *arrays):
        result = self.run_program(STATISTICS, *(array.name for array in arrays))
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return [line.split() for line in result.stdout.splitlines()[1:-1]]

    def test_numbers(self):
        random = np.random.default_rng(2)
        data = [
            random.integers(0, 100, 200_000).astype(dtype)
            for dtype in 'b h i q B H I Q ? e f d g >i2 >u8 >f4'.split()
        ]
        data += [np.array(7, 'i4'), np.arange(24.0).reshape(2, 3, 4, order='F')]
        arrays = [self.share(values) for values in data]
        for array, values, row in zip(arrays, data, self.get_rows(*arrays)):
            with self.subTest(dtype=values.dtype.str):
                self.assertEqual(row[:2], [array.name, values.dtype.str])
                values = values.astype('f8')
                expected = [values.min(), values.max(), values.mean(), values.std()]
                np.testing.assert_allclose([float(word) for word in row[-4:]], expected, rtol=1e-4)

    def test_words(self):
        data = {
            'f4': (np.array([[1, np.nan, 3]], 'f4'), '<f4 1 x 3 12 C 1 3 2 1'),
            'fortran': (np.asfortranarray(np.eye(2)), '<f8 2 x 2 32 Fortran 0 1 0.5 0.5'),
            'empty': (np.zeros((0, 3)), '<f8 0 x 3 0 C - - - -'),
            'scalar': (np.array(True), '|b1 () 1 C 1 1 1 0'),
            'complex': (np.zeros(2, 'c8'), '<c8 2 16 C - - - -'),
            'text': (np.array(['a']), '<U1 1 4 C - - - -'),
        }
        arrays = [self.share(values) for values, _row in data.values()]
        rows = self.get_rows(*arrays)
        for array, (_values, expected), row in zip(arrays, data.values(), rows):
            self.assertEqual(' '.join(row), f'{array.name} {expected}')

    def test_refuses(self):
        for names in ([], [f'{self.prefix}none']):
            result = self.run_program(STATISTICS, *names)
            self.assertEqual(result.returncode, 1)
            self.assertIn(names[0] if names else 'expected', result.stderr)


if __name__ == '__main__':
    RELIEF, STATISTICS, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
