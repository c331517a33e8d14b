# SPDX-License-Identifier: MIT
"""Takes the tour, and compares what the commands print with what NumPy says of the files."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import gi
import numpy as np
import tap

gi.require_version('GdkPixbuf', '2.0')

from gi.repository import GdkPixbuf  # noqa: E402

DATA = pathlib.Path('/usr/share/matplotlib/mpl-data/sample_data')


class Tour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        environment = dict(os.environ, XDG_RUNTIME_DIR=cls.folder.name)
        result = subprocess.run([TOUR, cls.folder.name], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding='utf-8', check=False)
        if result.returncode != 0:
            raise AssertionError(f'exit {result.returncode}:\n{result.stdout}{result.stderr}')

        # Each command, and what it has printed.
        parts = re.split(r'\n(?=\$ )', re.sub(r'\n--- .*\n', '\n', result.stdout))
        cls.steps = {}
        for part in parts:
            command, _, output = part.strip().partition('\n')
            cls.steps[command] = output
        with np.load(DATA / 'jacksboro_fault_dem.npz') as file:
            cls.terrain = file['elevation']

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def find(self, words):
        found = [output for command, output in self.steps.items() if words in command]
        self.assertEqual(len(found), 1, words)
        return found[0]

    def test_statistics(self):
        lines = dict(line.split(None, 1) for line in self.find('info --stats').splitlines() if line)
        self.assertEqual((float(lines['min']), float(lines['max']), lines['shape']),
                         (self.terrain.min(), self.terrain.max(), '344x403'))
        self.assertAlmostEqual(float(lines['mean']), self.terrain.mean())
        self.assertAlmostEqual(float(lines['std']), self.terrain.std())

    def test_parts(self):
        self.assertEqual(float(self.find('numpy.load')), self.terrain[100:300, 50:250].mean())
        self.assertEqual(self.find('cmp <'), 'the same')

    def test_pictures(self):
        terrain = GdkPixbuf.Pixbuf.new_from_file(f'{self.folder.name}/terrain.png')
        self.assertEqual((terrain.get_height(), terrain.get_width()), self.terrain.shape)
        portrait = GdkPixbuf.Pixbuf.new_from_file(f'{self.folder.name}/portrait.png')
        photo = GdkPixbuf.Pixbuf.new_from_file(str(DATA / 'grace_hopper.jpg'))
        part = photo.new_subpixbuf(120, 40, 300, 400)
        self.assertEqual((portrait.get_width(), portrait.get_height()), (300, 400))
        # One by one, as the rows of the two do not lie in the same way.
        rows = [bytes(pixbuf.get_pixels()[y * pixbuf.get_rowstride():][:900])
                for y in (0, 200, 399) for pixbuf in (portrait, part)]
        self.assertEqual(rows[::2], rows[1::2])

    def test_work(self):
        self.assertRegex(self.find('grep lock'), r'(?m)^lock +held$')
        self.assertEqual(self.find('shnd wait --timeout'), '0')
        self.assertEqual(self.find('shnd wait --since'), '1')
        self.assertRegex(self.find('shnd watch'), r'(?m) tour-late$')

    def test_frames(self):
        self.assertIn('tour-frames', self.find('shnd list "tour-fr'))
        saved = self.find('shnd subscribe --count 3')
        self.assertEqual(len(re.findall(r'(?m)^[0-9]{8}\.npy$', saved)), 3)
        self.assertIn('tour-frames', self.find('shnd top'))
        self.assertEqual(self.find('shnd subscribe --timeout').splitlines()[-1], 'exit 4')

    def test_end(self):
        self.assertEqual(self.find('shnd rm tour-terrain').splitlines()[1:], [])


if __name__ == '__main__':
    TOUR = os.path.abspath(sys.argv[1])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
