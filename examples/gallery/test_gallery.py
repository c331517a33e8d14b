# SPDX-License-Identifier: MIT
"""Lets clients of two languages look at the gallery on a bus of their own, changes a picture, tries
to change one from outside, and kills the service.
"""

import mmap
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

import gi
import numpy as np
import tap

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GdkPixbuf, Gio, GLib, Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path('/usr/share/matplotlib/mpl-data/sample_data')
FILES = {'grace_hopper': DATA / 'grace_hopper.jpg',
         'Minduka_Present_Blue_Pack': DATA / 'Minduka_Present_Blue_Pack.png'}
PHOTO = 'grace_hopper'
GALLERY = ('org.example.Gallery', '/org/example/Gallery', 'org.example.Gallery')


def load(path):
    pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(path))
    n_channels = pixbuf.get_n_channels()
    return np.ndarray((pixbuf.get_height(), pixbuf.get_width(), n_channels), np.uint8,
                      pixbuf.get_pixels(), strides=(pixbuf.get_rowstride(), n_channels, 1)).copy()


def describe(language, name, pixels):
    shape = ', '.join(map(str, pixels.shape))
    return f'{language}: {name} ({shape}), mean {pixels[..., :3].mean():.3f}\n'


class Gallery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Its end waits for the last one who uses the connection of the process: nobody does.
        cls.bus = Gio.TestDBus.new(Gio.TestDBusFlags.NONE)
        cls.bus.up()
        cls.pictures = {}
        for name in sorted(FILES):
            cls.pictures[name] = load(FILES[name])
            cls.pictures[f'{name}/half'] = cls.pictures[name][::2, ::2]

    @classmethod
    def tearDownClass(cls):
        cls.bus.stop()

    def setUp(self):
        self.service = self.start(GALLERY_PROGRAM, *FILES.values())
        self.assertEqual(self.service.stdout.readline(),
                         'gallery: 2 pictures at org.example.Gallery\n')
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.bus.get_bus_address(),
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def tearDown(self):
        self.connection.close_sync()

    def start(self, *command):
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, encoding='utf-8')
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def call(self, method, *names):
        return self.connection.call_with_unix_fd_list_sync(
            *GALLERY, method, GLib.Variant(f'({"s" * len(names)})', names), None,
            Gio.DBusCallFlags.NONE, -1, None, None)

    def get_array(self, name, access=Shnd.Access.READ):
        return Shnd.Array.new_from_variant(*self.call('GetArray', name), access)

    def test_visitors(self):
        """Both see all there is, and then the change, in the memory that they have."""
        visitors = {'Python': self.start(sys.executable, '-B', HERE / 'visitor.py', PHOTO),
                    'JavaScript': self.start(GJS, '-m', HERE / 'visitor.js', PHOTO)}
        refusals = {'Python': 'assignment destination is read-only',
                    'JavaScript': 'The array was opened for reading: expected access READ_WRITE'}
        for language, visitor in visitors.items():
            for name, pixels in self.pictures.items():
                self.assertEqual(visitor.stdout.readline(), describe(language, name, pixels))
            self.assertEqual(visitor.stdout.readline(), f'{language}: {refusals[language]}\n')
            self.assertEqual(visitor.stdout.readline(), f'{language}: waiting\n')

        array = self.get_array(PHOTO)
        self.call('Invert', PHOTO)
        expected = 255 - self.pictures[PHOTO]
        for language, visitor in visitors.items():
            output, _ = visitor.communicate(timeout=60)
            self.assertEqual(visitor.returncode, 0)
            self.assertEqual(output, f'{language}: {PHOTO} has changed, '
                                     f'mean {expected.mean():.3f}\n')
            print(f'# {output}', end='')
        np.testing.assert_array_equal(array.get(), expected)
        self.assertEqual(array.sequence, 1)

    def test_seals(self):
        """What one can do with all that the service sends is to read it."""
        variant, fd_list = self.call('GetArray', PHOTO)
        fd = fd_list.get(variant[0])
        self.addCleanup(os.close, fd)
        for change in (lambda: os.ftruncate(fd, 0), lambda: os.pwrite(fd, b'x', 4096),
                       lambda: mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE),
                       lambda: mmap.mmap(os.open(f'/proc/self/fd/{fd}', os.O_RDWR), 4096)):
            with self.assertRaises(PermissionError):
                change()
        for access in (Shnd.Access.READ_WRITE, Shnd.Access.READ_WRITE | Shnd.Access.UNSEALED):
            with self.assertRaises(GLib.Error) as caught:
                Shnd.Array.new_from_variant(variant, fd_list, access)
            self.assertEqual(caught.exception.code, Shnd.Error.PERMISSION_DENIED)

        array = Shnd.Array.new_from_variant(variant, fd_list)
        self.assertTrue(array.sealed)
        with open('/proc/self/maps', encoding='utf-8') as maps:
            modes = {line.split()[1] for line in maps if 'memfd:shndarray' in line}
        self.assertEqual(modes, {'r--s'})

    def test_service_is_killed(self):
        """Who has a picture keeps it."""
        arrays = {name: self.get_array(name) for name in self.pictures}
        self.service.send_signal(signal.SIGKILL)
        self.service.wait()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array.get(), self.pictures[name])
        with self.assertRaises(GLib.Error):
            self.call('ListArrays')

    def test_no_such_picture(self):
        for method in ('GetArray', 'Invert'):
            for name in ('', '/half', 'nobody', f'{PHOTO}/third'):
                with self.assertRaisesRegex(GLib.Error, re.escape(f'no picture “{name}”')):
                    self.call(method, name)


if __name__ == '__main__':
    GALLERY_PROGRAM, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
