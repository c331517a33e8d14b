#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes doc/images/viewer-*: the viewer with real data on a screen that nobody sees.

    meson devenv -C build ../doc/viewer.py ../doc/images

With --more it makes some that are not on the pages: high contrast, an error.

Needs what the tests of the viewer need, python-matplotlib-data (Debian's name), and a kernel that lets
users have namespaces: the arrays are in a /dev/shm of their own, so that no others are listed.
"""

import os
import pathlib
import re
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / 'examples/viewer'), str(TOP / 'examples/terrain')]

from viewer_support import Desktop, Viewer, wait_until  # noqa: E402

SIZE = 920, 600
NARROW = 372, 600

# Frames a second.
RATE = 30

DARK = {'ADW_DEBUG_COLOR_SCHEME': 'prefer-dark'}


def share(Shnd):
    """What there is to see. Returns what keeps it."""
    import numpy as np
    from pictures import read_photo, read_terrain

    heights = read_terrain()[0]
    time_axis = np.linspace(0, 1, 2000)
    chirp = np.sin(2 * np.pi * (4 + 14 * time_axis) * time_axis) * np.exp(-2 * time_axis)
    arrays = {'terrain': heights, 'photo': read_photo(), 'chirp': chirp,
              'profiles': heights[::120].T.copy(), 'volume': np.zeros((24, 256, 256), 'f4')}
    kept = [Shnd.Array.new_from_array(name, array) for name, array in arrays.items()]
    for address in ('cam0', 'cam1'):
        publisher = Shnd.Publisher.new(address)
        kept.append(publisher)
        threading.Thread(target=publish, args=(publisher, read_photo()), daemon=True).start()
    return kept


def publish(publisher, photo):
    """A camera that looks at a photo, and moves."""
    import numpy as np

    for number in range(sys.maxsize):
        y, x = (int((1 + np.sin(number / pace)) * room / 2) for pace, room in ((37, 100), (53, 32)))
        publisher.publish_array(photo[y:y + 360, x:x + 480])
        time.sleep(1 / RATE)


class Pictures:
    def __init__(self, desktop, folder):
        self.desktop = desktop
        self.folder = folder

    def show(self, name, size=SIZE, **environment):
        viewer = Viewer(self.desktop, name, **environment)
        viewer.resize(*size)
        viewer.has('label', re.compile('uint8|int16|float|This is what it was'))
        return viewer

    def wait_until_quiet(self):
        """Until nothing moves any more."""
        seen = []

        def is_quiet():
            time.sleep(0.3)
            seen.append(self.desktop.see().copy())
            return len(seen) > 1 and (seen[-2] == seen[-1]).all()
        wait_until(is_quiet, 'a picture that stays')

    def take(self, name, size=SIZE):
        from gi.repository import GdkPixbuf, GLib
        import numpy as np

        width, height = size
        pixels = np.ascontiguousarray(self.desktop.see()[:height, :width])
        pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(pixels.tobytes()), GdkPixbuf.Colorspace.RGB, False, 8, width, height,
            3 * width)
        keys, values = (['quality'], ['88']) if name.endswith('.jpg') else (['compression'], ['9'])
        kind = 'jpeg' if name.endswith('.jpg') else 'png'
        pixbuf.savev(str(self.folder / name), kind, keys, values)
        print(name)

    def make_all(self):
        viewer = self.show('terrain')
        x, y, width, height = viewer.get_box(viewer.find('image', re.compile('^Picture of')))
        self.desktop.act('mousemove', x + width * 11 // 20, y + height // 3)
        viewer.has('label', re.compile(r'^\[\d+, \d+\]'))
        self.wait_until_quiet()
        self.take('viewer-terrain.jpg')
        viewer.close()
        self.desktop.act('mousemove', *(n - 1 for n in SIZE))

        for name, file in (('photo', 'viewer-photo.jpg'), ('chirp', 'viewer-plot.png')):
            viewer = self.show(name)
            self.wait_until_quiet()
            self.take(file)
            viewer.close()

        for name, size, environment in (('viewer-stream.jpg', SIZE, DARK),
                                        ('viewer-narrow.jpg', NARROW, {})):
            viewer = self.show('cam0', size, **environment)
            viewer.has('label', re.compile(r'^[23]\d\.\d/s'))
            self.take(name, size)
            viewer.close()

    def make_more(self):
        """Not for the pages: for who changes the viewer, to look at."""
        viewer = self.show('profiles', ADW_DEBUG_HIGH_CONTRAST='1')
        self.wait_until_quiet()
        self.take('viewer-contrast.png')
        viewer.close()

        path = self.desktop.folder / 'notes.npy'
        path.write_text('No array', encoding='utf-8')
        viewer = Viewer(self.desktop, path)
        viewer.resize(*SIZE)
        viewer.has('label', 'Cannot Show the File')
        self.wait_until_quiet()
        self.take('viewer-error.png')
        viewer.close()


def main(folder):
    desktop = Desktop()
    try:
        import gi
        gi.require_version('GdkPixbuf', '2.0')
        gi.require_version('Shnd', '1')
        # Only now: it finds out once where the runtime directory is.
        from gi.repository import Shnd

        kept = share(Shnd)
        pictures = Pictures(desktop, pathlib.Path(folder).resolve())
        pictures.make_all()
        if '--more' in sys.argv:
            pictures.make_more()
        del kept
    finally:
        desktop.close()


if __name__ == '__main__':
    if os.environ.get('VIEWER_PICTURES') != 'inside':
        os.environ['VIEWER_PICTURES'] = 'inside'
        os.execlp('unshare', 'unshare', '--map-root-user', '--mount', 'sh', '-c',
                  'mount -t tmpfs tmpfs /dev/shm && exec "$@"', 'sh', sys.executable, '-B',
                  *sys.argv)
    main(sys.argv[1])
