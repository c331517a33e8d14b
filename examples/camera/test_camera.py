# SPDX-License-Identifier: MIT
"""Runs camera and viewers, looks whether the picture is what the metadata say, and whether viewers
find wrong frames.
"""

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import gi
import numpy as np
import tap

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GdkPixbuf, GLib, Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PHOTO = '/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg'
FRAMES = 30
LANGUAGES = ['Python', 'C', 'Vala', 'JavaScript']


def get_pixels(pixbuf):
    """What a pixbuf shows, as an array of shape (height, width, channels)."""
    shape = pixbuf.get_height(), pixbuf.get_width(), pixbuf.get_n_channels()
    strides = pixbuf.get_rowstride(), shape[2], 1
    return np.ndarray(shape, np.uint8, pixbuf.get_pixels(), strides=strides)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.address = f'{self.folder}/address'

    def start(self, *command):
        process = subprocess.Popen(
            [*map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding='utf-8',
            env={**os.environ, 'TMPDIR': str(self.folder)},
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process


class Film(Case):
    def start_film(self, *arguments, **programs):
        paths = {
            'camera': CAMERA,
            'viewer-c': VIEWER_C,
            'viewer-vala': VIEWER_VALA,
            'gjs': GJS,
            **{name.replace('_', '-'): path for name, path in programs.items()},
        }
        return self.start(
            sys.executable,
            '-B',
            HERE / 'film.py',
            f'--frames={FRAMES}',
            *(f'--{name}={path}' for name, path in paths.items()),
            *arguments,
        )

    def wrap(self, program, command):
        """A program whose output goes through another command."""
        path = self.folder / 'wrapper'
        path.write_text(f'#!/bin/sh\n"{program}" "$@" | {command}\n', encoding='utf-8')
        path.chmod(0o755)
        return path

    def check_failure(self, message, **programs):
        film = self.start_film(**programs)
        output, errors = film.communicate(timeout=120)
        self.assertEqual(film.returncode, 1, output)
        self.assertIn(message, errors)

    def test_succeeds(self):
        path = self.folder / 'picture.png'
        film = self.start_film(f'--picture={path}')
        output, errors = film.communicate(timeout=120)
        self.assertEqual((film.returncode, errors), (0, ''), output)
        self.assertEqual(os.listdir(self.folder), [path.name])

        rows = [line.split() for line in output.splitlines()]
        counts = [row for row in rows if row and row[0] in LANGUAGES and row[1:] and
                  all(word.isdecimal() for word in row[1:])]
        for row in counts:
            print(f'# {" ".join(row)}')
        self.assertEqual([row[0] for row in counts], 2 * LANGUAGES)
        # Who came late got, and then misses, less.
        sent = {language: FRAMES for language in LANGUAGES} | {'JavaScript': FRAMES * 2 // 3 + 1}
        for row in counts[4:]:
            self.assertEqual(row[1:], [str(sent[row[0]]), str(sent[row[0]]), '0', '0'])

        pixels = get_pixels(GdkPixbuf.Pixbuf.new_from_file(str(path)))
        self.assertEqual(pixels.shape, (1080, 1920, 4))
        self.assertGreater(pixels[..., :3].std(), 20)

    def test_a_program_fails(self):
        self.check_failure('the camera did not end well', camera='/bin/false')
        self.check_failure('No such file', camera='/nonexistent/program')

    def test_wrong_counts_fail(self):
        path = self.wrap(VIEWER_C, "sed 's/wrong 0/wrong 1/'; exit 1")
        self.check_failure('C got frames that do not have their checksum', viewer_c=path)
        path = self.wrap(VIEWER_VALA, "sed 's/missed [0-9]*/missed 1000/'")
        self.check_failure('Vala has lost count', viewer_vala=path)
        path = self.wrap(VIEWER_C, "sed 's/from 1/from 2/'")
        self.check_failure('C got frame 2 first: expected 1', viewer_c=path)

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number):
                film = self.start_film('--frames=3000')
                for line in film.stdout:
                    if 'has sent' in line:
                        break
                film.send_signal(number)
                # The programs have one of these pipes, too: at its end all are gone.
                _output, errors = film.communicate(timeout=60)
                if number != signal.SIGKILL:
                    self.assertEqual(film.returncode, 1)
                    self.assertIn('Interrupted', errors)
                    self.assertEqual(os.listdir(self.folder), [])


class Camera(Case):
    def test_shows_what_the_metadata_say(self):
        camera = self.start(
            CAMERA, '--frames=20', '--block', '--subscribers=1', self.address, PHOTO
        )
        photo = GdkPixbuf.Pixbuf.new_from_file(PHOTO)
        expected = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, 1920, 1080)
        places = []

        for frame in Shnd.Subscriber.new(self.address):
            x, y, zoom = (frame.metadata[key] for key in ('x', 'y', 'zoom'))
            places.append((x, y, zoom))
            photo.scale(expected, 0, 0, 1920, 1080, -x * zoom, -y * zoom, zoom, zoom,
                        GdkPixbuf.InterpType.BILINEAR)
            np.testing.assert_array_equal(frame.array.get(), get_pixels(expected))
            checksum = hashlib.sha1(expected.get_pixels()).hexdigest()
            self.assertEqual(frame.metadata['checksum'], checksum)

        self.assertEqual(len(set(places)), 20)
        _output, errors = camera.communicate(timeout=60)
        self.assertEqual((camera.returncode, errors), (0, ''))

    def test_refuses(self):
        for arguments in ([], [self.address], [self.address, '/dev/null'], ['--what']):
            camera = self.start(CAMERA, *arguments)
            output, errors = camera.communicate(timeout=60)
            self.assertEqual((camera.returncode, output), (1, ''))
            self.assertRegex(errors, r'^camera: .+\n$')


class Counts(Case):
    """The counts add up even if there was no room for the last frames."""

    def test_end(self):
        subscriber = Shnd.Subscriber.new(self.address)
        with Shnd.Publisher.new(self.address, depth=2) as publisher:
            with self.assertRaises(GLib.Error):
                subscriber.receive(timeout=0)
            publisher.wait_subscribers(1, timeout=60)
            for number in range(7):
                publisher.publish_array(np.array(number))
        self.assertEqual([frame.sequence for frame in subscriber], [1, 2, 7])
        self.assertEqual((subscriber.n_received, subscriber.n_missed), (3, 4))

    def test_death(self):
        camera = self.start(CAMERA, '--frames=300', '--subscribers=1', self.address, PHOTO)
        subscriber = Shnd.Subscriber.new(self.address)
        frames = [subscriber.receive(timeout=60)]
        for line in camera.stdout:
            if line == 'sent 30\n':
                break
        camera.kill()
        camera.communicate(timeout=60)
        with self.assertRaises(GLib.Error) as caught:
            while True:
                frames.append(subscriber.receive(timeout=60))
        self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Shnd.Error.DISCONNECTED))
        self.assertEqual([frame.sequence for frame in frames], [1, 2])
        self.assertGreaterEqual(subscriber.n_missed, 28)


class Viewers(Case):
    def check(self, *command):
        """Of three frames it finds that one wrong whose last pixel is."""
        viewer = self.start(*command, self.address)
        with Shnd.Publisher.new(self.address, overflow=Shnd.Overflow.BLOCK) as publisher:
            publisher.wait_subscribers(1, timeout=60)
            for number in range(3):
                with publisher.acquire('u1', (48, 64, 4)) as frame:
                    frame.array[...] = number
                    frame.metadata = {'checksum': hashlib.sha1(frame.array.data).hexdigest()}
                    frame.array[-1, -1, -1] ^= number == 1
        output, errors = viewer.communicate(timeout=60)
        self.assertEqual(output, 'received 3, missed 0, wrong 1, from 1\n', errors)
        self.assertEqual(viewer.returncode, 1)

    def test_c(self):
        self.check(VIEWER_C)

    def test_python(self):
        self.check(sys.executable, '-B', HERE / 'viewer.py')

    def test_js(self):
        self.check(GJS, '-m', HERE / 'viewer.js')

    def test_vala(self):
        self.check(VIEWER_VALA)


if __name__ == '__main__':
    CAMERA, VIEWER_C, VIEWER_VALA, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
