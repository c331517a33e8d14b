# SPDX-License-Identifier: MIT
"""Publishes frames, on the host, for a Flatpak app alone: publish.py [FRAMES]."""

import contextlib
import os
import sys
import time

import gi
import numpy as np

gi.require_version('GLib', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GLib, Shnd  # noqa: E402

APP = 'org.example.Frames'
HEIGHT, WIDTH = 360, 640


def draw(pixels, number):
    """Waves that wander, in three colours."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    for channel in range(3):
        waves = np.sin(x / 40 + number / 10 + channel) + np.cos(y / 30 - number / 15)
        pixels[..., channel] = 127.5 + 60 * waves


def main(n_frames):
    # Flatpak makes this folder when the app starts; the frames may be there first.
    folder = os.path.join(GLib.get_user_runtime_dir(), 'app', APP)
    os.makedirs(folder, mode=0o700, exist_ok=True)

    with Shnd.Publisher.new(f'{folder}/frames') as publisher:
        publisher.wait_subscribers(1)
        for number in range(n_frames):
            with publisher.acquire('u1', (HEIGHT, WIDTH, 3)) as frame:
                draw(frame.array, number)
            time.sleep(1 / 30)


if __name__ == '__main__':
    with contextlib.suppress(KeyboardInterrupt):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
