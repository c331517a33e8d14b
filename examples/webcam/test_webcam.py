# SPDX-License-Identifier: MIT
"""Shares a film, and a test picture in the place of a webcam; looks what the subscribers print."""

import ast
import os
import pathlib
import re
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import recipe_support  # noqa: E402

ELEMENTS = 'v4l2src', 'videotestsrc', 'vp8enc', 'webmmux', 'decodebin'


@recipe_support.skip_without_elements(*ELEMENTS)
class Webcam(recipe_support.Case):
    def share(self, *arguments, camera='/nonexistent/camera'):
        return self.start(HERE / 'share', *arguments, env={**os.environ, 'CAMERA': camera})

    def start_subscribers(self):
        return {
            'Python': self.start(sys.executable, '-uB', HERE / 'look.py'),
            'JavaScript': self.start(GJS, '-m', HERE / 'look.js'),
        }

    def check_line(self, line, shape):
        text, mean = re.fullmatch(r'(\S.*) (\S+)\n', line).groups()
        self.assertEqual(ast.literal_eval(text.strip('()')), shape)
        self.assertTrue(0 < float(mean) < 255, mean)

    def test_picture_without_a_camera(self):
        subscribers = self.start_subscribers()
        pipeline = self.share()
        for program in subscribers.values():
            for _ in range(3):
                self.check_line(program.stdout.readline(), (480, 640, 3))
        pipeline.send_signal(signal.SIGINT)
        _, errors = pipeline.communicate(timeout=recipe_support.PATIENCE)
        self.assertIn('There is no camera /nonexistent/camera: playing a test picture\n', errors)
        for program in subscribers.values():
            self.finish(program)

    def test_file(self):
        film = self.folder / 'a film.webm'
        self.finish(self.start(
            sys.executable, '-B', HERE.parent / 'pipeline' / 'record.py', film, 10
        ))
        subscribers = self.start_subscribers()
        pipeline = self.share(film)
        for program in subscribers.values():
            lines = self.finish(program).splitlines(keepends=True)
            self.assertTrue(lines)
            for line in lines:
                self.check_line(line, (360, 480, 3))
        self.finish(pipeline)

    def test_camera(self):
        """Only that it would be asked."""
        pipeline = self.share(camera='/dev/null')
        output, errors = pipeline.communicate(timeout=recipe_support.PATIENCE)
        self.assertNotEqual(pipeline.returncode, 0, output)
        self.assertIn('Sharing the camera /dev/null\n', errors)
        self.assertIn('v4l2src', errors)
        self.assertNotIn('syntax', errors)


class Page(recipe_support.Case):
    def test_page(self):
        self.check_page('recipe-webcam.md', sh='webcam/share', python='webcam/look.py',
                        js='webcam/look.js')


if __name__ == '__main__':
    GJS = sys.argv[1]
    recipe_support.main()
