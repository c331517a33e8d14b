# SPDX-License-Identifier: MIT
"""What the colours of a heat map mean."""

import gi

gi.require_version('Gtk', '4.0')

import numpy as np  # noqa: E402
from gi.repository import GLib, Gtk  # noqa: E402

import colormap  # noqa: E402
from drawing import Canvas, get_colour, make_box, make_small_font, place_text  # noqa: E402
from textures import make_from_pixels  # noqa: E402
from ticks import find_time_ticks, format_tick, make_ticks  # noqa: E402
from widgets import describe_widget  # noqa: E402

BAR_WIDTH = 16
MARK = 4
GAP = 4
MARGIN = 12
TICK_DISTANCE = 48


class ColorBar(Canvas):
    """A bar of the colours from low to high, with numbers."""

    __gtype_name__ = 'ShndViewerColorBar'

    def __init__(self):
        super().__init__(margin_start=6)
        self.set_hexpand(False)
        self.set_focusable(False)
        self._texture = None
        self._key = None
        self._marked = None
        self.ticks, self.labels, self.unit = [], [], ''

    def show_range(self, low, high, name, dtype=None, unit=''):
        """Shows a range of elements of a dtype."""
        key = (low, high, name, dtype, unit)
        if key == self._key:
            return
        if self._key is None or name != self._key[2]:
            table = colormap.TABLES[name][: colormap.N_COLOURS]
            self._texture = make_from_pixels(np.ascontiguousarray(table[::-1, np.newaxis]))
        self._key = key
        self.low, self.high, self.dtype, self.unit = low, high, dtype, unit
        if self._find_ticks():
            self.queue_resize()
        describe_widget(
            self, f'Colour bar from {self.format(low)} to {self.format(high)} {unit}'.rstrip()
        )

    def format(self, number):
        if self.dtype is not None and self.dtype.kind in 'mM':
            return find_time_ticks(number, number, self.dtype)[1][0]
        return format_tick(number, 0)

    def _find_ticks(self):
        """Returns whether there are other texts than before, which may take more room."""
        n_steps = max(2, (self.get_height() - 2 * MARGIN) // TICK_DISTANCE)
        ticks, labels = make_ticks(self.low, self.high, self.dtype, n_steps)
        changed = labels != self.labels
        self.ticks, self.labels = ticks, labels
        self.queue_draw()
        return changed

    def mark(self, number):
        """Shows where a number is on the bar; none if that is None."""
        if number != self._marked:
            self._marked = number
            self.queue_draw()

    def do_measure(self, orientation, _for_size):
        if orientation == Gtk.Orientation.VERTICAL:
            return 64, 64, -1, -1
        layout = self.make_layout(font=make_small_font(self))
        widest = 0
        for text in (*self.labels, self.unit):
            layout.set_text(text, -1)
            widest = max(widest, layout.get_pixel_size()[0])
        # In steps, so that the picture does not move with every digit of a live stream.
        width = BAR_WIDTH + MARK + GAP + -(-max(widest, 24) // 12) * 12
        return width, width, -1, -1

    def do_size_allocate(self, _width, _height, _baseline):
        if self._key is not None and self._find_ticks():
            # Not in here, where GTK would forget it.
            GLib.idle_add(self.queue_resize)

    def do_snapshot(self, snapshot):
        if self._texture is None:
            return
        font = make_small_font(self)
        layout = self.make_layout(self.unit, font)
        top = MARGIN + (layout.get_pixel_size()[1] + GAP if self.unit else 0)
        height = self.get_height() - top - MARGIN
        if height <= 0:
            return
        colour = get_colour(self)
        if self.unit:
            place_text(snapshot, layout, 0, GAP, colour)
        snapshot.append_texture(self._texture, make_box(0, top, BAR_WIDTH, height))

        for tick, label in zip(self.ticks, self.labels):
            y = top + self._get_place(tick) * height
            snapshot.append_color(colour, make_box(BAR_WIDTH, round(y), MARK, 1))
            layout.set_text(label, -1)
            x = BAR_WIDTH + MARK + GAP
            place_text(snapshot, layout, x, y - layout.get_pixel_size()[1] / 2, colour)
        if self._marked is not None and np.isfinite(self._marked):
            y = top + min(max(self._get_place(self._marked), 0), 1) * height
            snapshot.append_color(colour, make_box(-2, round(y) - 1, BAR_WIDTH + 4, 3))

    def _get_place(self, number):
        span = self.high - self.low
        return 0.5 if span == 0 else 1 - (number - self.low) / span
