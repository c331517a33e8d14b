# SPDX-License-Identifier: MIT
"""Shows the photo to faces.py, in several places, and looks where the face is found."""

import importlib.util
import pathlib
import sys
import unittest

import gi
import numpy as np

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'terrain')]

import pictures  # noqa: E402
import recipe_support  # noqa: E402

CASCADES = pathlib.Path('/usr/share/opencv4/haarcascades')

# The face is between these on the photo: from the hair to the chin, from ear to ear.
LEFT, TOP, RIGHT, BOTTOM = 130, 80, 400, 350
# And these are in it: the eyes, nose and mouth.
INNER_LEFT, INNER_TOP, INNER_RIGHT, INNER_BOTTOM = 210, 170, 320, 290


@unittest.skipUnless(importlib.util.find_spec('cv2'), 'there is no python3-opencv')
@unittest.skipUnless(CASCADES.exists(), 'there is no opencv-data')
@unittest.skipUnless(recipe_support.PHOTO.exists(), 'there is no photo')
class Faces(recipe_support.Case):
    def setUp(self):
        super().setUp()
        self.program = self.start(
            *recipe_support.INTERRUPTIBLE, sys.executable, '-B', HERE / 'faces.py', 'cam0', 'faces'
        )

    def test_finds_the_face(self):
        photo = pictures.read_photo()
        moved = np.full((720, 1280, 3), 90, 'u1')
        moved[100:700, 500:1012] = photo
        places = {(0, 0): photo, (500, 100): moved}

        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            subscriber = Shnd.Subscriber.new('faces')
            for (x, y), picture in places.items():
                publisher.publish_array(picture, timestamp=1000 + x)
                frame = subscriber.receive(timeout=recipe_support.PATIENCE)
                self.check_face(frame, picture, x, y)
                self.assertEqual(frame.timestamp, 1000 + x)

            empty = np.full((360, 640, 3), 90, 'u1')
            publisher.publish_array(empty)
            frame = subscriber.receive(timeout=recipe_support.PATIENCE)
            self.assertEqual(frame.metadata, {'faces': []})
            np.testing.assert_array_equal(frame.array.get(), empty)
        self.finish(self.program)

    def check_face(self, frame, picture, x, y):
        """One face, where it is on the photo, which is at (x, y); with a rectangle around it."""
        faces = frame.metadata['faces']
        self.assertEqual(len(faces), 1, faces)
        left, top, width, height = faces[0]
        right, bottom = left + width, top + height
        self.assertTrue(LEFT + x <= left <= INNER_LEFT + x, faces)
        self.assertTrue(TOP + y <= top <= INNER_TOP + y, faces)
        self.assertTrue(INNER_RIGHT + x <= right <= RIGHT + x, faces)
        self.assertTrue(INNER_BOTTOM + y <= bottom <= BOTTOM + y, faces)

        changed = (frame.array.get() != picture).any(axis=2)
        self.assertTrue(changed[top, left:right].all() and changed[top:bottom, right].all())
        changed[top - 3:bottom + 4, left - 3:right + 4] = False
        self.assertFalse(changed.any(), 'something else has changed')

    def test_ctrl_c(self):
        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            subscriber = Shnd.Subscriber.new('faces')
            publisher.publish_array(np.zeros((48, 64, 3), 'u1'))
            subscriber.receive(timeout=recipe_support.PATIENCE).release()
            self.check_interrupt(self.program, subscriber)

    def test_refuses(self):
        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            publisher.publish_array(np.zeros((4, 5), 'f4'))
            self.assertIn('expected (height, width, 3) of |u1, not (4, 5) of <f4',
                          self.finish(self.program, status=1))


class Page(recipe_support.Case):
    def test_page(self):
        self.check_page('recipe-faces.md', python='faces/faces.py')


if __name__ == '__main__':
    recipe_support.main()
