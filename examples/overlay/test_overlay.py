# SPDX-License-Identifier: MIT
"""Sends pictures through overlay.js, and looks what has changed on them, and what not."""

import pathlib
import re
import subprocess
import sys

import gi
import numpy as np

gi.require_version('Shnd', '1')

from gi.repository import GLib, Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import recipe_support  # noqa: E402


def has_gdk():
    script = "imports.gi.versions.Gdk = '4.0'; imports.gi.Gdk; imports.cairo"
    return subprocess.run([GJS, '-c', script], stderr=subprocess.DEVNULL).returncode == 0


class Overlay(recipe_support.Case):
    def setUp(self):
        if not has_gdk():
            self.skipTest('there is no gir1.2-gtk-4.0, or this GJS is without Cairo')
        super().setUp()
        self.program = self.start(
            *recipe_support.INTERRUPTIBLE, GJS, '-m', HERE / 'overlay.js', 'cam0', 'drawn'
        )

    def draw(self, publisher, subscriber, picture, **keywords):
        publisher.publish_array(picture, **keywords)
        return subscriber.receive(timeout=recipe_support.PATIENCE)

    def test_draws(self):
        random = np.random.default_rng(1)
        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            subscriber = Shnd.Subscriber.new('drawn')
            previous = None
            for number, n_channels in enumerate((3, 4, 3)):
                # Odd, and with what Cairo would round if it were not opaque.
                picture = random.integers(0, 256, (241, 321, n_channels), 'u1')
                picture[..., 3:] = 255
                frame = self.draw(publisher, subscriber, picture, timestamp=number * 10**9)
                self.assertEqual((frame.sequence, frame.timestamp), (number + 1, number * 10**9))
                mask = self.check(picture, frame.array.get())
                if previous is not None:
                    self.assertTrue((mask != previous).any(), 'nothing moves')
                previous = mask
        self.finish(self.program)
        with self.assertRaises(GLib.Error) as caught:
            subscriber.receive(timeout=recipe_support.PATIENCE)
        self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Shnd.Error.END_OF_STREAM))

    def check(self, picture, drawn):
        """A ring and a band, and nothing else. Returns where it is bright orange."""
        self.assertEqual(drawn.shape, (241, 321, 4))
        self.assertTrue((drawn[..., 3] == 255).all())
        changed = (drawn[..., :3] != picture[..., :3]).any(axis=2)
        y, x = np.mgrid[:241, :321]
        radius = np.hypot(x + 0.5 - 160.5, y + 0.5 - 120.5)
        ring = abs(radius - 241 / 4)
        band = y + 1 > 241 * 7 / 8
        self.assertGreater(changed[ring < 1].mean(), 0.9)
        self.assertGreater(changed[y > 215].mean(), 0.9)
        self.assertFalse(changed[(ring > 5) & ~band].any())
        self.assertTrue((drawn[217:, :, :3] == 255).all(axis=2).any(), 'no text')
        orange = (abs(drawn[..., :3] - np.array((255, 178, 0))) < 3).all(axis=2)
        self.assertTrue(orange.any())
        return orange

    def test_memory_does_not_pile_up(self):
        picture = np.zeros((360, 640, 4), 'u1')
        with Shnd.Publisher.new('cam0', overflow=Shnd.Overflow.BLOCK) as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            for _ in range(150):
                publisher.publish_array(picture, timeout=recipe_support.PATIENCE)
            status = pathlib.Path(f'/proc/{self.program.pid}/status').read_text(encoding='ascii')
        # All that is made for the 150 frames is more than 500 MB.
        self.assertLess(int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]), 300_000)
        self.finish(self.program)

    def test_ctrl_c(self):
        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            subscriber = Shnd.Subscriber.new('drawn')
            self.draw(publisher, subscriber, np.zeros((48, 64, 3), 'u1')).release()
            self.check_interrupt(self.program, subscriber)

    def test_refuses(self):
        with Shnd.Publisher.new('cam0') as publisher:
            publisher.wait_subscribers(1, timeout=recipe_support.PATIENCE)
            publisher.publish_array(np.zeros((4, 5), 'f4'))
            self.assertIn('expected (height, width, 3 or 4) of |u1, not (4,5) of <f4',
                          self.finish(self.program, status=1))


class Page(recipe_support.Case):
    def test_page(self):
        self.check_page('recipe-overlay.md', js='overlay/overlay.js')


if __name__ == '__main__':
    GJS = sys.argv[1]
    recipe_support.main()
