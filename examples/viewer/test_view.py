# SPDX-License-Identifier: MIT
"""Tests the widget that shows an array, on a screen of its own: what it draws, what it holds."""

import sys
import traceback
import unittest

import viewer_support

SIZE = (700, 560)


def setUpModule():
    desktop = Case.desktop = viewer_support.open_desktop()
    # Away from the window, in which it would mark an element.
    desktop.act('mousemove', viewer_support.SCREEN[0] - 1, viewer_support.SCREEN[1] - 1)
    load()


class Case(unittest.TestCase):
    """Has a window with the widget. What is raised in callbacks fails the test."""

    def setUp(self):
        self.raised = []
        sys.excepthook = lambda *details: self.raised.append(
            ''.join(traceback.format_exception(*details))
        )
        self.window = Gtk.Window(title='Test', decorated=False)
        self.window.set_default_size(*SIZE)
        self.view = ArrayView()
        self.window.set_child(self.view)
        self.window.present()
        self.assertTrue(iterate(lambda: self.view.get_width() > 100))

    def tearDown(self):
        self.view.clear()
        self.window.destroy()
        iterate()
        sys.excepthook = sys.__excepthook__
        self.check_raised()

    def check_raised(self):
        if self.raised:
            first = self.raised[0]
            self.raised.clear()
            self.fail(first)

    def show(self, data, planes=None, metadata=None):
        array = data if isinstance(data, Shnd.Array) else share(data)
        self.view.show(array, planes, metadata)
        self.draw()
        return array

    def draw(self):
        """Waits until what has to be drawn is, without an error; returns the pixels."""
        pixels = render(self.view)
        self.check_raised()
        return pixels

    def paint(self):
        """What is exported: a texture, or None."""
        painter = self.view.get_painter()
        return None if painter is None else painter(lambda _done, _total: None)

    @property
    def picture(self):
        return self.view.get_canvas()

    def see_elements(self):
        """The colours in the middle of all elements of a picture."""
        pixels, view = render(self.picture), self.picture.viewport
        rows, columns = (
            (start + (np.arange(length) + 0.25) * view.scale).astype(int)
            for start, length in ((view.y, view.rows), (view.x, view.columns))
        )
        return pixels[np.ix_(rows, columns)][..., :3]

    def choose(self, name, option):
        """As with the drop-down that has this label."""
        for label in find_all(self.view, Gtk.Label):
            if label.get_label() == name:
                down = label.get_next_sibling()
                options = [down.get_model().get_string(i) for i in range(len(down.get_model()))]
                down.set_selected(options.index(option))
                iterate()
                return
        self.fail(f'There is nothing to choose that is called {name}')


def find_all(widget, kind):
    if isinstance(widget, kind):
        yield widget
    child = widget.get_first_child()
    while child is not None:
        yield from find_all(child, kind)
        child = child.get_next_sibling()


def load():
    """Loads GTK: only when there is a display."""
    global ArrayView, Gtk, Shnd, colormap, download, iterate, np, render, share, textures
    from render_support import download, iterate, render

    import numpy as np
    from gi.repository import Gtk, Shnd

    import colormap
    import textures
    from content import ArrayView

    def share(data):
        return Shnd.Array.new_from_array(None, np.asarray(data))


class Pictures(Case):
    def test_colours(self):
        data = np.random.default_rng(1).integers(0, 256, (6, 8, 3), 'u1')
        self.show(data)
        np.testing.assert_array_equal(self.see_elements(), data)
        self.choose('Channels', 'BGR')
        np.testing.assert_array_equal(self.see_elements(), data[..., ::-1])

    def test_views(self):
        """Whatever the strides, byte order and number of channels are."""
        data = np.random.default_rng(2).integers(0, 255, (12, 16, 4), 'u1')
        data[..., 3] = 255
        array = share(data)
        for view, expected in (
            (array.slice(0, step=-1), data[::-1, :, :3]),
            (array.slice(1, step=-2), data[:, ::-2, :3]),
            (array.slice(2, 0, 3), data[..., :3]),
            (array.transpose(1, 0, 2), data.transpose(1, 0, 2)[..., :3]),
        ):
            self.show(view)
            np.testing.assert_array_equal(self.see_elements(), expected)
        for dtype in ('<u2', '>u2'):
            self.show((data[..., :3].astype('u2') * 257).astype(dtype))
            np.testing.assert_array_equal(self.see_elements(), data[..., :3])

    def test_large(self):
        """A picture in parts that are larger than pixels of the screen."""
        colours = np.array([[[250, 10, 20], [30, 240, 5]], [[15, 25, 235], [200, 210, 0]]], 'u1')
        self.show(colours.repeat(1000, 0).repeat(1200, 1))
        self.assertEqual(self.picture.n_reads, 0)
        self.check_quarters(colours)
        wide = np.broadcast_to(colours.repeat(10_000, 0).repeat(500, 1), (20_000, 1000, 3))
        self.show(wide)
        self.assertEqual(self.picture.n_reads, 1)
        self.check_quarters(colours)

    def check_quarters(self, colours):
        pixels, view = render(self.picture), self.picture.viewport
        for row in range(2):
            for column in range(2):
                x = view.x + view.columns * view.scale * (0.25 + 0.5 * column)
                y = view.y + view.rows * view.scale * (0.25 + 0.5 * row)
                found = pixels[int(y), int(x), :3]
                self.assertEqual(found.tolist(), colours[row, column].tolist())

    def test_heat(self):
        data = np.array([[0.0, 1, 2, np.nan], [3, 4, 5, 6], [7, 8, 9, np.inf]])
        for dtype in ('f8', '>f4', 'f2'):
            self.show(data.astype(dtype))
            pixels = colormap.to_pixels(data, 0, 9, 'heat')
            expected = np.ascontiguousarray(pixels).view('u1').reshape(3, 4, 4)[..., :3]
            np.testing.assert_array_equal(self.see_elements(), expected)
        bar = next(find_all(self.view, type(self.view._bar)))
        self.assertTrue(bar.get_visible())
        self.assertEqual(bar.labels[0], '0')

    def test_fixed_range(self):
        data = np.arange(12.0).reshape(3, 4)
        self.show(data)
        menu = self.view._menu
        menu._fixed.set_active(True)
        self.assertEqual(menu.limits, (0, 11))
        menu._low.set_text('2')
        menu._high.set_text('nonsense')
        menu._limits_entered()
        self.assertTrue(menu._high.has_css_class('error'))
        self.assertEqual(menu.limits, (0, 11))
        menu._high.set_text('4')
        menu._limits_entered()
        self.assertEqual(menu.limits, (2, 4))
        menu._names.set_selected(2)
        pixels = colormap.to_pixels(data, 2, 4, 'grey')
        found = self.see_elements()
        np.testing.assert_array_equal(found, pixels.view('u1').reshape(3, 4, 4)[..., :3])
        # It stays for further frames, and goes with the array.
        self.show(data + 1)
        self.assertEqual(menu.limits, (2, 4))
        self.show(np.zeros((5, 6)))
        self.assertIsNone(menu.limits)

    def test_slices(self):
        data = np.random.default_rng(3).integers(0, 9, (3, 4, 5, 6))
        self.show(data)
        spins = list(find_all(self.view, Gtk.SpinButton))
        self.assertEqual(len(spins), 2)
        spins[0].set_value(2)
        spins[1].set_value(1)
        np.testing.assert_array_equal(self.view.get_shown_array().get(), data[2, 1])
        self.picture.set_current((3, 5))
        self.assertEqual(self.view.props.pointer_text, f'[2, 1, 3, 5]  {data[2, 1, 3, 5]}')
        # The next frame is shown at the same place.
        self.show(data + 10)
        self.assertEqual(self.view.props.pointer_text, f'[2, 1, 3, 5]  {data[2, 1, 3, 5] + 10}')

    def test_video(self):
        planes = {
            'Y': share(np.full((4, 6), 235, 'u1')),
            'U': share(np.full((2, 3), 128, 'u1')),
            'V': share(np.full((2, 3), 128, 'u1')),
        }
        self.show(np.zeros(36, 'u1'), planes, {'format': 'I420', 'width': 6, 'height': 4})
        self.assertEqual(np.unique(self.see_elements()).tolist(), [255])
        self.choose('Plane', 'U')
        self.assertEqual(self.view.get_shown_array().shape, (2, 3))

    def test_values_and_unit(self):
        self.show(np.arange(12).reshape(3, 4), metadata={'unit': 'mm'})
        self.picture.set_current((1, 2))
        self.assertEqual(self.view.props.pointer_text, '[1, 2]  6 mm')
        text = self.view._numbers.get_text().split('\n')
        self.assertEqual([line.split() for line in text],
                         [['0', '1', '2', '3'], ['0', '0', '1', '2', '3'],
                          ['1', '4', '5', '6', '7'], ['2', '8', '9', '10', '11']])

    def test_room_for_ticks(self):
        """The colour bar is as wide as its numbers, which are more when it has its height."""
        self.show(np.linspace(-128, 127, 20).reshape(4, 5))
        bar = self.view._bar
        self.assertTrue(iterate(
            lambda: bar.get_width() + bar.get_margin_start() >= bar.measure(0, -1)[0]))
        self.assertIn('−100', bar.labels)

    def test_long_numbers(self):
        """The one at the pointer is among those that there is room for."""
        self.show(np.arange(64).reshape(8, 8) + (1 << 62))
        self.picture.set_current((4, 3))
        iterate()
        numbers = self.view._numbers
        self.assertIn(str((1 << 62) + 35), numbers.get_text())
        self.assertLessEqual(numbers.get_child().get_child().get_width(), numbers.get_width())

    def test_one_page(self):
        """Nobody has pages read out that are not seen."""
        self.show(np.zeros((4, 5)))
        labels = [label.get_label() for label in find_all(self.view, Gtk.Label)
                  if label.is_visible()]
        self.assertNotIn('No Elements', labels)
        self.show(np.zeros((4, 0)))
        self.assertTrue(any(label.get_label() == 'No Elements' and label.is_visible()
                            for label in find_all(self.view, Gtk.Label)))

    def test_table(self):
        """Elements of any length are in columns."""
        self.show(np.array([['a', 'bcd'], ['a long text', 'e']]))
        lines = [label.get_label() for label in find_all(self.view, Gtk.Label)
                 if label.get_mapped() and 'a' in label.get_label()]
        self.assertEqual(lines, ['          a          bcd', 'a long text            e'])


class Memory(Case):
    def test_no_copy(self):
        """What is written to the array shows in the texture: it is the same memory."""
        data = np.zeros((40, 50, 4), 'u1')
        data[..., 3] = 255
        for array in (share(data), share(data[..., :3]), share(data[..., :3].astype('u2') * 257)):
            for part in (array, array.slice(1, 5, 45), array.slice(0, step=2)):
                self.view.show(part)
                texture = self.paint()
                before = download(texture)
                self.assertEqual(before[3, 7].tolist(), [0, 0, 0, 255])
                part.get()[3, 7] = np.iinfo(part.dtype).max
                self.assertEqual(download(texture)[3, 7].tolist(), [255] * 4)
                part.get()[3, 7, :3] = 0

    def test_frames_go_back(self):
        """However many frames are shown, it holds no more than what is seen and what is to be."""
        path = str(self.desktop.folder / 'stream')
        for shape, dtype in (((30, 40, 3), 'u1'), ((30, 40), 'f4'), ((200,), 'f4'), ((50,), 'U2')):
            with Shnd.Publisher.new(path) as publisher:
                publisher.overflow = Shnd.Overflow.BLOCK
                subscriber = Shnd.Subscriber.new(path)
                for i in range(12):
                    frame = publisher.acquire(dtype, shape, timeout=20)
                    frame.array[...] = i
                    publisher.publish(frame, timeout=20)
                    received = subscriber.receive(timeout=20)
                    self.view.show(received.array)
                    del frame, received
                    self.draw()
                self.view.clear()
                self.draw()
                subscriber.close()

    def test_clear(self):
        self.show(np.zeros((4, 5)))
        self.picture.set_current((1, 1))
        self.view.clear()
        self.assertIsNone(self.view.get_shown_array())
        self.assertIsNone(self.paint())
        self.assertEqual(self.view.props.pointer_text, '')
        self.assertFalse(self.view.actions.get_action_enabled('zoom-in'))


class Textures(Case):
    def test_formats(self):
        """What has a format goes without a copy; all others do not."""
        for shape, dtype, order, direct in (
            ((4, 5, 3), 'u1', ((0, 1, 2), None), True),
            ((4, 5, 3), 'u1', ((2, 1, 0), None), True),
            ((4, 5, 4), 'u1', ((0, 1, 2), 3), True),
            ((4, 5, 4), 'u1', ((1, 2, 3), 0), True),
            ((4, 5, 3), '<u2', ((0, 1, 2), None), True),
            ((4, 5, 4), 'u1', ((0, 1, 2), None), False),
            ((4, 5, 3), '>u2', ((0, 1, 2), None), False),
            ((4, 5, 3), 'i1', ((0, 1, 2), None), False),
            ((4, 9000, 3), 'u1', ((0, 1, 2), None), False),
        ):
            texture = textures.make_direct(share(np.zeros(shape, dtype)), *order)
            self.assertEqual(texture is not None, direct, (shape, dtype, order))

    def test_full_resolution(self):
        data = np.arange(2000 * 1500).reshape(1500, 2000)
        self.show(data)
        texture = self.paint()
        self.assertEqual((texture.get_width(), texture.get_height()), (2000, 1500))
        pixels = colormap.to_pixels(data, 0, data.max(), 'heat').view('u1').reshape(1500, 2000, 4)
        np.testing.assert_array_equal(download(texture), pixels)

    def test_plot(self):
        self.show(np.sin(np.arange(100)))
        texture = self.paint()
        pixels = download(texture)
        self.assertEqual(pixels.shape, (900, 1600, 4))
        self.assertTrue((pixels[..., 3] == 255).all())
        self.assertGreater((pixels[..., :3] != 255).any(axis=-1).mean(), 0.01)


class Plots(Case):
    def test_current(self):
        self.show(np.stack([np.arange(50), np.arange(50) * 2], axis=1))
        self.picture.set_current(7)
        self.assertEqual(self.view.props.pointer_text, '[7]  Column 0 7, Column 1 14')

    def test_times(self):
        data = np.zeros(90, [('t', 'M8[s]'), ('x', 'f4'), ('y', 'f4')])
        data['t'] = np.datetime64('2024-01-01T00:00:00') + np.arange(90)
        self.show(data)
        self.picture.set_current(61)
        self.assertEqual(self.view.props.pointer_text, '[61]  2024-01-01T00:01:01: x 0, y 0')
        render(self.picture)
        indices, labels = self.picture._area.x_ticks
        self.assertEqual([indices[1], labels[1]], [20, '00:00:20'])

    def test_zoom(self):
        self.show(np.arange(1001.0))
        plot = self.picture
        self.assertEqual(plot.get_limits(), (0, 1000))
        self.view.activate_action('view.zoom-in', None)
        self.assertEqual(plot.get_limits(), (100, 900))
        plot.pan_by(-plot.get_width(), 0)
        self.assertEqual(plot.get_limits(), (200, 1000))
        self.view.activate_action('view.zoom-fit', None)
        self.assertEqual(plot.get_limits(), (0, 1000))

    def test_line(self):
        """A line is where its numbers are: high, then low."""
        self.show(np.repeat([1.0, 0.0], 500))
        pixels = render(self.picture).astype(int)
        blue = pixels[..., 2] - pixels[..., 0] > 60
        rows = np.arange(blue.shape[0])[:, np.newaxis]
        left, right = (
            (rows * part).sum() / part.sum()
            for part in (blue[:, 100 : blue.shape[1] // 2 - 20], blue[:, blue.shape[1] // 2 + 60 :])
        )
        self.assertLess(left, blue.shape[0] * 0.2)
        self.assertGreater(right, blue.shape[0] * 0.7)


class Anything(Case):
    def test_all(self):
        """Arrays of every sort are shown, somehow, as each kind that is offered."""
        dtypes = ['?', 'i1', '>u2', 'u8', 'f2', '>f8', 'f16', '>c8', 'M8[ns]', 'm8[h]', 'M8[Y]',
                  'S3', 'U2', 'V5', 'S0', [('a', 'f4', (2, 3)), ('b', 'S2')],
                  [('p', [('x', 'f4'), ('y', '>i2')]), ('t', 'M8[s]')]]  # fmt: skip
        shapes = [(), (0,), (1,), (2, 5), (40, 3), (3, 4, 2), (20, 20, 3), (2, 3, 4, 5)]
        generator = np.random.default_rng(5)
        for dtype in map(np.dtype, dtypes):
            for shape in shapes:
                size = int(np.prod(shape)) * dtype.itemsize
                data = np.frombuffer(generator.bytes(size), dtype, int(np.prod(shape))) if (
                    dtype.kind not in 'U?' and dtype.itemsize) else np.zeros(shape, dtype)
                with self.subTest(dtype=dtype, shape=shape):
                    self.check(data.reshape(shape))

    def check(self, data):
        self.view.show(share(data))
        selection = self.view._selection
        for kind in list(selection.kinds):
            selection.choose_kind(kind)
            self.view._arrange()
            canvas = self.view.get_canvas()
            if canvas is not None:
                canvas.move_current(1, 1)
                canvas.zoom_by(3)
                self.assertTrue(self.view.props.pointer_text)
                self.assertIsNotNone(self.paint())
            render(self.view)
            self.assertIsNotNone(self.view.get_shown_array())
            self.check_raised()


class Users(Case):
    """With a pointer and keys."""

    def find(self, widget, x, y):
        """Where a point of a widget is on the screen; the window is at its corner."""
        return widget.translate_coordinates(self.window, x, y)

    def act(self, *arguments):
        self.desktop.act(*arguments)
        iterate()

    def point(self, row, column):
        x, y, width, height = self.picture.viewport.get_box(row, column)
        x, y = self.find(self.picture, x + width / 2, y + height / 2)
        self.act('mousemove', round(x), round(y))
        self.assertTrue(iterate(lambda: self.picture.current == (row, column)),
                        (self.picture.current, row, column))

    def test_pointer(self):
        self.show(np.arange(120).reshape(10, 12))
        self.point(3, 4)
        self.assertEqual(self.view.props.pointer_text, '[3, 4]  40')
        scale = self.picture.viewport.scale
        self.act('click', '4')
        self.assertTrue(iterate(lambda: self.picture.viewport.scale > scale))
        self.assertEqual(self.picture.current, (3, 4))
        self.act('click', '5')
        self.assertTrue(iterate(lambda: abs(self.picture.viewport.scale - scale) < 1e-6))

    def test_drag(self):
        self.show(np.arange(120).reshape(10, 12))
        for _ in range(6):
            self.view.activate_action('view.zoom-in', None)
        iterate()
        place = self.picture.viewport.x, self.picture.viewport.y
        x, y = self.find(self.picture, 200, 150)
        self.act('mousemove', round(x), round(y), 'mousedown', '1')
        for i in range(1, 6):
            self.act('mousemove', round(x) + 10 * i, round(y) + 4 * i)
        self.act('mouseup', '1')
        self.assertTrue(iterate(lambda: self.picture.viewport.x == place[0] + 50))
        self.assertEqual(self.picture.viewport.y, place[1] + 20)

    def test_keys(self):
        self.show(np.arange(120).reshape(10, 12))
        self.picture.grab_focus()
        window = self.desktop.act('search', '--onlyvisible', '--name', 'Test').split()[-1]
        self.desktop.act('windowfocus', '--sync', window)
        self.point(3, 4)
        self.act('key', 'Down')
        self.assertTrue(iterate(lambda: self.picture.current == (4, 4)))
        scale = self.picture.viewport.scale
        self.act('key', 'plus', 'plus', 'plus', 'plus')
        self.assertTrue(iterate(lambda: self.picture.viewport.scale > 2 * scale))
        x = self.picture.viewport.x
        self.act('key', 'Left')
        self.assertTrue(iterate(lambda: self.picture.viewport.x > x))
        self.act('key', 'ctrl+Right')
        self.assertTrue(iterate(lambda: self.picture.current == (4, 5)))
        self.act('key', '0')
        self.assertTrue(iterate(lambda: self.picture.viewport.scale == scale))


if __name__ == '__main__':
    viewer_support.run_tests()
