# SPDX-License-Identifier: MIT
"""Uses the viewer as people do, on a screen of its own: clicks, types, and looks at what is seen."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

import gi

import viewer_support
from viewer_support import Viewer, wait_until

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

PREFIX = f'viewer-test-{os.getpid()}-'

# No theme has these.
RED, GREEN, BLUE = (250, 10, 20), (30, 240, 5), (15, 25, 235)
SIDE = 120


def make_picture(*colours):
    """A square with one colour, or with four in its quarters."""
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    half = SIDE // 2
    picture[...] = colours[0]
    if len(colours) > 1:
        picture[:half, half:], picture[half:, :half], picture[half:, half:] = colours[1:]
    return picture


def setUpModule():
    global Shnd, np
    Case.desktop = viewer_support.open_desktop()
    # Only now: it finds out once where the runtime directory is.
    import numpy as np
    from gi.repository import Shnd


class Case(unittest.TestCase):
    def setUp(self):
        self.shared = contextlib.ExitStack()
        self.addCleanup(self.shared.close)
        self.prefix = f'{PREFIX}{self._testMethodName.removeprefix("test_")}-'
        self.folder = self.desktop.folder / self._testMethodName
        self.folder.mkdir()

    def start(self, *arguments, **environment):
        viewer = Viewer(self.desktop, *arguments, **environment)
        self.addCleanup(self.finish, viewer)
        return viewer

    def finish(self, viewer):
        """No test leaves a message, whatever happened to arrays and streams."""
        try:
            if viewer.process.poll() is None:
                self.desktop.act('windowfocus', '--sync', viewer.window)
                self.desktop.press('ctrl+q')
                wait_until(lambda: viewer.process.poll() is not None, 'the end')
        finally:
            viewer.close()
        self.assertEqual((viewer.process.returncode, viewer.read_log()), (0, ''))

    def share(self, name, data):
        array = Shnd.Array.new_from_array(self.prefix + name, data)
        self.shared.callback(array.close)
        return array

    def publish(self, name, **options):
        publisher = Shnd.Publisher.new(self.prefix + name, **options)
        self.shared.callback(publisher.close)
        return publisher

    # ---- Looking ----

    def count(self, colour):
        return int((self.desktop.see() == colour).all(axis=-1).sum())

    def see(self, *colours):
        """Waits until these are on the screen, and no others of the three."""
        def look():
            return all((self.count(colour) > 100) == (colour in colours)
                       for colour in (RED, GREEN, BLUE))
        wait_until(look, f'{colours} on the screen')

    def choose(self, viewer, path):
        """Gives a path to a dialog for files."""
        viewer.focus_new()
        self.desktop.press('ctrl+a')
        self.desktop.type(str(path))
        self.desktop.press('Return')


class Arrays(Case):
    def test_select(self):
        array = self.share('picture', make_picture(RED))
        self.share('numbers', np.arange(6, dtype='>i2').reshape(2, 3))
        viewer = self.start()
        viewer.click('list item', self.prefix + 'picture')
        viewer.has('label', 'uint8')
        viewer.has('label', f'{SIDE} × {SIDE} × 3')
        self.see(RED)
        array[...] = BLUE
        array.update()
        viewer.has('label', 'Now')
        self.see(BLUE)
        viewer.click('list item', self.prefix + 'numbers')
        viewer.has('label', 'int16 >')
        viewer.has('label', '2 × 3')
        self.see()

    def test_writers_that_say_nothing(self):
        array = self.share('picture', make_picture(RED))
        self.start(array.name)
        self.see(RED)
        array[...] = BLUE
        self.see(BLUE)

    def test_gone_and_back(self):
        array = self.share('picture', make_picture(RED))
        name = array.name
        viewer = self.start(name)
        self.see(RED)
        array.close()
        # The viewer does not keep it.
        self.assertFalse(os.path.exists(f'/dev/shm/{name}'))
        viewer.has('label', re.compile(f'“{name}” is gone'))
        self.see(RED)
        array = self.share('picture', make_picture(GREEN))
        self.see(GREEN)
        wait_until(lambda: not viewer.look_for('label', re.compile('is gone')), 'no notice')
        viewer.has('list item', name)
        array[...] = BLUE
        array.update()
        self.see(BLUE)

    def test_replaced(self):
        array = self.share('picture', make_picture(RED))
        self.start(array.name)
        self.see(RED)
        Shnd.unlink(array.name)
        self.share('picture', make_picture(GREEN))
        self.see(GREEN)

    def test_maker_is_killed(self):
        name = self.prefix + 'picture'
        code = ('import gi; gi.require_version("Shnd", "1")\n'
                'from gi.repository import Shnd; import numpy, signal\n'
                f'picture = numpy.full(({SIDE}, {SIDE}, 3), {RED}, "u1")\n'
                f'array = Shnd.Array.new_from_array({name!r}, picture)\n'
                'signal.pause()')
        maker = self.desktop.start(sys.executable, '-c', code)
        self.addCleanup(Shnd.reap)
        viewer = self.start(name)
        self.see(RED)
        maker.send_signal(signal.SIGKILL)
        viewer.has('label', re.compile(f'“{name}” is gone'))
        wait_until(lambda: not viewer.look_for('list item', name), 'another list')

    def test_comes_later(self):
        viewer = self.start(self.prefix + 'late')
        viewer.has('label', 'Not There Yet')
        self.share('late', make_picture(GREEN))
        self.see(GREEN)

    @unittest.skipIf(os.geteuid() != 0, 'only root can give files away')
    def test_of_another_user(self):
        array = self.share('picture', make_picture(RED))
        os.chown(f'/dev/shm/{array.name}', 65534, 65534)
        viewer = self.start(array.name)
        viewer.has('label', 'Array of Another User')
        self.see()
        viewer.click('button', 'Show Anyway')
        self.see(RED)

    def test_search(self):
        for name in ('apple', 'pear'):
            self.share(name, np.zeros(3))
        self.share('plum', make_picture(GREEN))
        viewer = self.start()
        viewer.has('list item', self.prefix + 'apple')
        self.desktop.press('ctrl+f')
        self.desktop.type(f'{self.prefix} UINT8')
        wait_until(lambda: not viewer.look_for('list item', self.prefix + 'pear'), 'fewer')
        viewer.has('list item', self.prefix + 'plum')
        self.desktop.press('Return')
        self.see(GREEN)
        self.desktop.type('nothing at all')
        viewer.has('label', 'Nothing Found')
        self.see(GREEN)


class Streams(Case):
    def test_frames(self):
        publisher = self.publish('camera')
        viewer = self.start()
        viewer.click('list item', self.prefix + 'camera')
        for _ in range(3):
            for colour in (RED, GREEN, BLUE):
                publisher.publish_array(make_picture(colour))
                self.see(colour)
        viewer.has('label', '0 missed')
        self.assertLessEqual(publisher.n_frames, 4)
        self.desktop.press('ctrl+p')
        viewer.has('label', re.compile('Paused'))
        publisher.publish_array(make_picture(RED))
        viewer.has('label', 'Now')
        self.see(BLUE)
        self.desktop.press('ctrl+p')
        publisher.publish_array(make_picture(GREEN))
        self.see(GREEN)

    def test_rate(self):
        publisher = self.publish('camera')
        viewer = self.start(publisher.address)
        picture = make_picture(RED)

        def look():
            publisher.publish_array(picture)
            return viewer.look_for('label', re.compile(r'^[1-9]\d*(\.\d)?/s$'))
        wait_until(look, 'a rate')

    def test_other_shapes(self):
        publisher = self.publish('camera')
        viewer = self.start(publisher.address)
        publisher.publish_array(make_picture(RED))
        self.see(RED)
        publisher.publish_array(np.arange(12.0).reshape(3, 4))
        viewer.has('label', 'float64')
        viewer.has('label', '3 × 4')
        publisher.publish_array(make_picture(GREEN)[:60])
        self.see(GREEN)

    def test_end(self):
        publisher = self.publish('camera')
        self.share('other', make_picture(BLUE))
        viewer = self.start()
        viewer.click('list item', publisher.address)
        publisher.publish_array(make_picture(RED))
        self.see(RED)
        publisher.close()
        viewer.has('label', re.compile('The stream has ended'))
        self.see(RED)
        self.publish('camera').publish_array(make_picture(GREEN))
        self.see(GREEN)
        self.assertIsNone(viewer.look_for('label', re.compile('The stream has ended')))

    def test_death(self):
        address = self.prefix + 'camera'
        code = ('import sys, gi; gi.require_version("Shnd", "1")\n'
                'from gi.repository import Shnd; import numpy, signal\n'
                f'publisher = Shnd.Publisher.new({address!r})\n'
                f'publisher.publish_array(numpy.full(({SIDE}, {SIDE}, 3), {RED}, "u1"))\n'
                'signal.pause()')
        publisher = self.desktop.start(sys.executable, '-c', code)
        viewer = self.start(address)
        self.see(RED)
        publisher.send_signal(signal.SIGKILL)
        viewer.has('label', re.compile('The publisher is gone'))
        self.see(RED)
        self.publish('camera').publish_array(make_picture(BLUE))
        self.see(BLUE)

    def test_gives_memory_back(self):
        """A publisher with one frame for each, which waits for all, is not held up for ever."""
        publisher = self.publish('camera', depth=1, overflow=Shnd.Overflow.BLOCK)
        self.start(publisher.address)
        publisher.wait_subscribers(1, timeout=viewer_support.PATIENCE)
        for colour in (RED, GREEN, BLUE, RED):
            publisher.publish_array(make_picture(colour), timeout=viewer_support.PATIENCE)
            self.see(colour)

    def test_planes(self):
        """Video in planes is in colours, as a frame and as a copy of that."""
        from gi.repository import GLib

        half = SIDE // 2
        luma, chroma = SIDE * SIDE, half * half
        picture = np.full(luma + 2 * chroma, 81, np.uint8)
        picture[luma:luma + chroma] = 90
        picture[luma + chroma:] = 240
        planes = [('Y', '|u1', 0, [SIDE, SIDE], [SIDE, 1]), ('U', '|u1', luma, [half, half], [half, 1]),
                  ('V', '|u1', luma + chroma, [half, half], [half, 1])]
        publisher = self.publish('camera', max_frames=1)
        viewer = self.start(publisher.address)
        publisher.publish_array(picture, metadata={
            'format': 'I420', 'width': GLib.Variant('i', SIDE), 'height': GLib.Variant('i', SIDE),
            'planes': GLib.Variant('a(sstaxax)', planes)})

        def is_red():
            red, green, blue = np.moveaxis(self.desktop.see(), -1, 0)
            return ((red > 240) & (green < 16) & (blue < 16)).sum() > luma
        wait_until(is_red, 'red')
        # The publisher has no other memory: so the frame has been copied.
        publisher.acquire('u1', picture.shape, timeout=viewer_support.PATIENCE).release()
        viewer.has('label', re.compile('s ago$'))
        wait_until(is_red, 'red')

    def test_by_path(self):
        path = self.folder / 'socket'
        publisher = Shnd.Publisher.new(str(path))
        self.shared.callback(publisher.close)
        publisher.publish_array(make_picture(BLUE))
        self.start(path)
        self.see(BLUE)


class Files(Case):
    def is_mapped(self, viewer, path):
        maps = pathlib.Path(f'/proc/{viewer.process.pid}/maps').read_text(encoding='utf-8')
        return str(path) in maps

    def test_open_and_change(self):
        path = self.folder / 'picture.npy'
        np.save(path, make_picture(RED))
        viewer = self.start()
        self.desktop.press('ctrl+o')
        self.choose(viewer, path)
        self.see(RED)
        # So that others may write it anew.
        self.assertFalse(self.is_mapped(viewer, path))
        viewer.has('list item', 'picture.npy')
        np.save(path, make_picture(GREEN))
        self.see(GREEN)
        path.unlink()
        viewer.has('label', re.compile('This is what the file was at last'))
        self.see(GREEN)
        # Others may come and go in the list.
        self.desktop.press('ctrl+f')
        self.desktop.type('picture.npy')
        viewer.click('button', 'Remove from the List')
        viewer.has('label', re.compile('^Nothing (Selected|to Show)$'))
        self.see()

    def test_strange_names(self):
        path = os.path.join(os.fsencode(self.folder), b'\xff <b>&.npy')
        np.save(os.fsdecode(path), make_picture(GREEN))
        viewer = self.start(os.fsdecode(path))
        self.see(GREEN)
        viewer.has('list item', re.compile(' <b>&.npy$'))

    def test_no_array(self):
        path = self.folder / 'text.npy'
        path.write_text('This is no array at all.')
        viewer = self.start(path)
        viewer.has('label', 'Cannot Show the File')
        np.save(path, make_picture(BLUE))
        self.see(BLUE)

    def test_save(self):
        array = self.share('picture', make_picture(RED, GREEN, BLUE, RED)[:, ::-1])
        viewer = self.start(array.name)
        self.see(RED, GREEN, BLUE)
        path = self.folder / 'saved.npy'
        self.desktop.press('ctrl+s')
        self.choose(viewer, path)
        wait_until(path.exists, 'the file')
        np.testing.assert_array_equal(np.load(path), array.get())

    def test_export(self):
        from gi.repository import GdkPixbuf

        array = self.share('picture', make_picture(RED, GREEN, BLUE, RED))
        viewer = self.start(array.name)
        self.see(RED, GREEN, BLUE)
        path = self.folder / 'exported.png'
        self.desktop.press('ctrl+e')
        self.choose(viewer, path)
        wait_until(path.exists, 'the file')
        viewer.has('label', re.compile('Saved “exported.png”'))
        pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(path))
        shape = pixbuf.get_height(), pixbuf.get_width(), pixbuf.get_n_channels()
        pixels = np.ndarray(shape, np.uint8, pixbuf.get_pixels(),
                            strides=(pixbuf.get_rowstride(), shape[2], 1))
        np.testing.assert_array_equal(pixels[..., :3], array.get())

    def test_cannot_save(self):
        array = self.share('picture', make_picture(RED))
        viewer = self.start(array.name)
        self.see(RED)
        self.desktop.press('ctrl+s')
        self.choose(viewer, '/proc/saved.npy')
        viewer.has('label', 'Cannot save “saved.npy”: No such file or directory.')
        viewer.check()

    def test_huge(self):
        path = self.folder / 'huge.npy'
        np.lib.format.open_memmap(path, 'w+', np.float32, (1 << 14, 1 << 15))
        viewer = self.start(path)
        viewer.has('label', '16384 × 32768')
        self.assertTrue(self.is_mapped(viewer, path))


class Window(Case):
    def test_zoom(self):
        array = self.share('picture', make_picture(RED, GREEN, BLUE, RED))
        viewer = self.start(array.name)
        self.see(RED, GREEN, BLUE)
        quarter = (SIDE // 2) ** 2
        self.desktop.press('ctrl+1')
        # At the edges colours may be mixed.
        wait_until(lambda: 0.95 * quarter < self.count(GREEN) <= quarter, 'a pixel for each element')
        self.desktop.press('ctrl+0')
        fit = wait_until(lambda: self.count(GREEN) > 4 * quarter and self.count(GREEN), 'a fit')
        viewer.click('button', 'Zoom In')
        wait_until(lambda: self.count(GREEN) > fit, 'more')
        more = self.count(GREEN)
        viewer.click('button', 'Zoom Out')
        wait_until(lambda: self.count(GREEN) < more, 'less')

    def test_sidebar(self):
        array = self.share('picture', make_picture(RED))
        viewer = self.start(array.name)
        self.see(RED)
        before = self.count(RED)
        self.assertTrue(viewer.is_pressed('Sidebar'))
        x = viewer.get_box(viewer.find('button', 'Sidebar'))[0]
        self.desktop.press('F9')
        wait_until(lambda: viewer.get_box(viewer.find('button', 'Sidebar'))[0] < 50, 'no list')
        self.assertFalse(viewer.is_pressed('Sidebar'))
        viewer.click('button', 'Sidebar')
        wait_until(lambda: viewer.get_box(viewer.find('button', 'Sidebar'))[0] == x, 'a list')
        wait_until(lambda: self.count(RED) == before, 'the same picture')

    def test_narrow(self):
        self.share('picture', make_picture(RED))
        name = self.share('other', make_picture(GREEN)).name
        viewer = self.start(self.prefix + 'picture')
        self.see(RED)
        viewer.resize(370, 600)
        wait_until(lambda: not viewer.is_pressed('Sidebar'), 'no list')
        self.see(RED)
        viewer.click('button', 'Sidebar')
        wait_until(lambda: viewer.get_box(viewer.find('list item', name))[0] >= 0, 'a list')
        viewer.click('list item', name)
        self.see(GREEN)
        self.assertFalse(viewer.is_pressed('Sidebar'))
        self.assertIsNone(viewer.look_for('button', 'Zoom In'))
        numbers = re.compile('\n')
        viewer.has('label', numbers)
        viewer.resize(370, 320)
        wait_until(lambda: not viewer.look_for('label', numbers), 'room for the picture')
        self.see(GREEN)
        # There is room for what it is, not for its size.
        viewer.has('label', f'{SIDE} × {SIDE} × 3')
        self.assertIsNone(viewer.look_for('label', re.compile('KiB$')))

    def test_dialogs(self):
        viewer = self.start()
        self.desktop.press('ctrl+question')
        viewer.has('label', 'Show or hide the sidebar')
        viewer.focus_new()
        self.desktop.press('Escape')
        self.desktop.act('windowfocus', '--sync', viewer.window)
        self.desktop.press('F10')
        viewer.has('menu item', 'About Array Viewer')
        self.desktop.press('Up', 'Return')
        viewer.has('label', 'The libshndarray developers')
        viewer.focus_new()
        self.desktop.press('Escape')
        wait_until(lambda: not viewer.look_for('label', 'The libshndarray developers'), 'the end')

    def test_without_display(self):
        environment = {name: value for name, value in self.desktop.environment.items()
                       if name != 'DISPLAY'}
        for arguments, expected in ((['x'], (1, '', 'shnd-viewer: There is no display to show '
                                             'windows on\n')),
                                    (['--version'], (0, 'shnd-viewer', ''))):
            done = subprocess.run([sys.executable, '-B', str(viewer_support.PROGRAM), *arguments],
                                  env=environment, capture_output=True, encoding='utf-8',
                                  timeout=viewer_support.PATIENCE)
            self.assertEqual((done.returncode, done.stdout[:11], done.stderr), expected)

    def test_two_windows(self):
        self.share('one', make_picture(RED))
        self.share('two', make_picture(GREEN))
        viewer = self.start(self.prefix + 'one')
        self.see(RED)
        # The same process shows it.
        done = subprocess.run([sys.executable, '-B', str(viewer_support.PROGRAM), self.prefix + 'two'],
                              env=self.desktop.environment, timeout=viewer_support.PATIENCE)
        self.assertEqual(done.returncode, 0)
        wait_until(lambda: self.count(GREEN) > 100, 'the other window')
        viewer.check()

    def test_styles(self):
        """A line has a colour for its background, and is wider where contrast is wanted."""
        array = self.share('line', np.arange(500.0))
        lightness = {}
        dark_blue, light_blue = (0x1a, 0x5f, 0xb4), (0x99, 0xc1, 0xf1)
        for name, colour, environment in (
                ('light', dark_blue, {}),
                ('dark', light_blue, {'ADW_DEBUG_COLOR_SCHEME': 'prefer-dark'}),
                ('contrast', dark_blue, {'ADW_DEBUG_HIGH_CONTRAST': '1'})):
            viewer = self.start(array.name, **environment)
            # Of a thin line hardly a pixel has the colour alone.
            least, most = (500, 5000) if name == 'contrast' else (100, 500)
            wait_until(lambda: least < self.count(colour) < most, f'a line in the style {name}')
            lightness[name] = np.median(self.desktop.see())
            self.finish(viewer)
        self.assertLess(lightness['dark'], 100)
        self.assertGreater(lightness['light'], 150)
        self.assertGreater(lightness['contrast'], 150)


if __name__ == '__main__':
    viewer_support.run_tests()
