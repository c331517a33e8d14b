# SPDX-License-Identifier: MIT
"""Plays a short film to the scripts, and looks whether somebody would notice a wrong frame. Looks
whether the README shows the programs as they are.
"""

import os
import pathlib
import sys
import unittest

import gi
import numpy as np

gi.require_version('GdkPixbuf', '2.0')

from gi.repository import GdkPixbuf  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import play  # noqa: E402
import recipe_support  # noqa: E402

README = HERE.parent.parent / 'README.md'
ELEMENTS = 'vp8enc', 'vp8dec', 'webmmux', 'decodebin'
FRAMES = 24


@recipe_support.skip_without_elements(*ELEMENTS)
@unittest.skipUnless(recipe_support.PHOTO.exists(), 'there is no photo')
class Play(recipe_support.Case):
    def play(self, *options, gjs=None):
        return self.start(
            sys.executable, '-B', HERE / 'play.py', f'--frames={FRAMES}', f'--gjs={gjs or GJS}',
            *options, env={**os.environ, 'TMPDIR': str(self.folder)},
        )

    def wrap(self, command):
        """GJS, whose output goes through another command."""
        path = self.folder / 'wrapper'
        path.write_text(f'#!/bin/sh\n"{GJS}" "$@" | {command}\n', encoding='utf-8')
        path.chmod(0o755)
        return path

    def test_succeeds(self):
        path = self.folder / 'new' / 'picture.png'
        output = self.finish(self.play(f'--picture={path}'))
        self.assertEqual(os.listdir(self.folder), ['new'])
        for name in ('Python', 'JavaScript'):
            self.assertRegex(output, rf'(?m)^{name} +\d+  saw all {FRAMES} frames')
        self.assertRegex(output, r'(?m)^cam0 +/')
        self.assertRegex(output, r'(?m)^\$ shnd top --interval=')

        pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(path))
        self.assertEqual((pixbuf.get_width(), pixbuf.get_height()), (4 * 240, 2 * 180))
        self.assertGreater(np.frombuffer(pixbuf.get_pixels(), 'u1').std(), 20)

    def test_a_lost_frame_fails(self):
        program = self.play(gjs=self.wrap('sed -u 7d'))
        self.assertIn('JavaScript saw the frames', self.finish(program, status=1))

    def test_a_program_fails(self):
        for gjs, message in {
            '/bin/false': 'JavaScript ended with status 1',
            '/nonexistent/gjs': 'No such file',
        }.items():
            with self.subTest(gjs=gjs):
                self.assertIn(message, self.finish(self.play(gjs=gjs), status=1))


class Compare(recipe_support.Case):
    def test_compares(self):
        output = '1 (360, 480, 3) 1.5\n2 360,480,3 70\n'
        play.compare('it', output, [1.5, 70.0])
        for wrong, right, message in (
            ('480', '481', r'it saw the shape \(360, 481, 3\) in frame 1'),
            ('70', '71', 'it saw the mean 71 in frame 2: expected 70.0'),
            ('70', '70x', 'it printed'),
            ('2 360', '3 360', r'it saw the frames \[1, 3\]'),
        ):
            with self.assertRaisesRegex(play.Failure, message):
                play.compare('it', output.replace(wrong, right, 1), [1.5, 70.0])
        with self.assertRaisesRegex(play.Failure, 'it saw the frames'):
            play.compare('it', output, [1.5])


class Readme(recipe_support.Case):
    def test_readme(self):
        self.check_page(README, sh='pipeline/publish', python='pipeline/subscriber.py',
                        js='pipeline/subscriber.js')


if __name__ == '__main__':
    GJS = sys.argv[1]
    recipe_support.main()
