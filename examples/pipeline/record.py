# SPDX-License-Identifier: MIT
"""Makes a film of a photo: a script draws the frames, a pipeline encodes them.
record.py FILM.webm [FRAMES]
"""

import subprocess
import sys
import tempfile

import gi
import numpy as np

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GdkPixbuf, GLib, Shnd  # noqa: E402

PHOTO = '/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg'
WIDTH, HEIGHT = 480, 360
RATE = 30

# From the uniform to the face: where the middle is on the photo, and how large it is shown.
FIRST = np.array([256, 400, 0.95])
LAST = np.array([264, 212, 1.3])


def draw(photo, progress):
    """What the camera sees, as an array of shape (height, width, 3)."""
    x, y, zoom = FIRST + (LAST - FIRST) * (1 - np.cos(np.pi * progress)) / 2
    picture = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, WIDTH, HEIGHT)
    photo.scale(picture, 0, 0, WIDTH, HEIGHT, WIDTH / 2 - zoom * x, HEIGHT / 2 - zoom * y,
                zoom, zoom, GdkPixbuf.InterpType.BILINEAR)
    pixels = np.frombuffer(picture.get_pixels(), 'u1')
    return np.lib.stride_tricks.as_strided(
        pixels, (HEIGHT, WIDTH, 3), (picture.get_rowstride(), 3, 1)
    )


def wait_for(pipeline, publisher):
    """Waits until the pipeline takes frames; or does not wait any longer, as it has failed."""
    while pipeline.poll() is None:
        try:
            return publisher.wait_subscribers(1, timeout=1)
        except GLib.Error as error:
            if not error.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT):
                raise
    sys.exit(f'the pipeline ended with status {pipeline.returncode}')


def record(path, n_frames):
    photo = GdkPixbuf.Pixbuf.new_from_file(PHOTO)
    with tempfile.TemporaryDirectory(prefix='shnd-record-') as folder:
        address = f'{folder}/camera'
        pipeline = subprocess.Popen([
            'gst-launch-1.0', '-q', 'shndsrc', f'address={address}', '!', 'videoconvert', '!',
            'vp8enc', 'deadline=1', 'cpu-used=8', 'target-bitrate=1500000', '!',
            'webmmux', '!', 'filesink', f'location={path}',
        ])
        try:
            with Shnd.Publisher.new(address, overflow=Shnd.Overflow.BLOCK) as publisher:
                wait_for(pipeline, publisher)
                for number in range(n_frames):
                    with publisher.acquire('u1', (HEIGHT, WIDTH, 3), timeout=60) as frame:
                        frame.array[...] = draw(photo, number / max(n_frames - 1, 1))
                        frame.timestamp = number * 10**9 // RATE
            return pipeline.wait(timeout=60)
        finally:
            pipeline.kill()
            pipeline.wait()


if __name__ == '__main__':
    sys.exit(record(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 120))
