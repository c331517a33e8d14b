# SPDX-License-Identifier: MIT
"""A plot that can be zoomed and panned along its points."""

import sys

import gi

gi.require_version('Gdk', '4.0')
gi.require_version('Gtk', '4.0')
gi.require_foreign('cairo')

import cairo  # noqa: E402
from gi.repository import Gdk, GLib  # noqa: E402

from drawing import (  # noqa: E402
    get_colour, is_dark, is_high_contrast, make_box, make_small_font,
)
from navigation import ZoomCanvas  # noqa: E402
from plotdraw import Plot, Style, draw_plot  # noqa: E402
from series import Series, find_limits  # noqa: E402


# Cairo's pixels are words.
CAIRO_FORMAT = (
    Gdk.MemoryFormat.B8G8R8A8_PREMULTIPLIED
    if sys.byteorder == 'little'
    else Gdk.MemoryFormat.A8R8G8B8_PREMULTIPLIED
)


class PlotView(ZoomCanvas):
    """Shows lines over the index of their points."""

    __gtype_name__ = 'ShndViewerPlot'

    def __init__(self):
        super().__init__()
        self.series = []
        self.length = 0
        self.limits = None
        self.unit = ''
        self.times = None
        self._area = None
        self._lines = None
        self._lines_key = None

    def show_series(self, named, part='magnitude', unit='', times=None):
        """Shows other lines, each a (name, view), and the times of their points if they have
        some. What was shown before is let go of.
        """
        self.times = times
        self.series = [Series(name, view, part) for name, view in named]
        self.unit = unit
        length = max((len(series.view) for series in self.series), default=0)
        if length != self.length:
            self.length = length
            self.limits = None
        if self.current is not None and self.current >= length:
            self.set_current(None)
        self._lines = self._lines_key = None
        self.queue_draw()

    # What the navigation asks for

    def get_limits(self):
        if self.limits is not None:
            return self.limits
        return (0.0, max(self.length - 1, 1)) if self.length > 1 else (-0.5, 0.5)

    def set_limits(self, low, high):
        whole = max(self.length - 1, 1)
        span = min(max(high - low, 4.0), float(whole))
        middle = (low + high) / 2
        low = min(max(middle - span / 2, 0.0), whole - span)
        self.limits = None if span >= whole else (low, low + span)
        self.queue_draw()

    def point_at(self, x, _y):
        if self._area is None or self.length == 0:
            return
        index = round(self._area.find_x(x))
        self.set_current(min(max(index, 0), self.length - 1))

    def move_current(self, _rows, columns):
        if self.length == 0:
            return
        low, high = self.get_limits()
        index = self.current
        if index is None or not low <= index <= high:
            index = round((low + high) / 2)
        index = min(max(index + columns, 0), self.length - 1)
        if index < low:
            self.set_limits(index, index + high - low)
        elif index > high:
            self.set_limits(index - high + low, index)
        self.set_current(index)

    def zoom_by(self, factor, x=None, _y=None):
        low, high = self.get_limits()
        middle = (low + high) / 2
        if x is not None and self._area is not None:
            middle = min(max(self._area.find_x(x), low), high)
        self.set_limits(middle - (middle - low) / factor, middle + (high - middle) / factor)

    def zoom_fit(self):
        self.limits = None
        self.queue_draw()

    def zoom_actual(self):
        """A point for each pixel."""
        low, high = self.get_limits()
        middle, width = (low + high) / 2, self.get_width() * self.get_scale_factor()
        self.set_limits(middle - width / 2, middle + width / 2)

    def pan_by(self, dx, _dy):
        low, high = self.get_limits()
        shift = dx / max(self.get_width(), 1) * (high - low)
        self.set_limits(low - shift, high - shift)

    def can_pan(self):
        return self.limits is not None

    # Drawing

    def _read_lines(self, width):
        low, high = self.get_limits()
        # A point beyond each end, so that lines go on to the edge.
        first, end = int(low) - 1, int(high) + 3
        key = (first, end, width)
        if key != self._lines_key:
            n_bins = max(width, 16)
            self._lines = [series.read(first, end, n_bins) for series in self.series]
            self._lines_key = key
        return self._lines

    def make_plot(self, width):
        lines = self._read_lines(width)
        dtypes = {series.view.dtype for series in self.series}
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        return Plot(
            self.series,
            lines,
            self.get_limits(),
            find_limits(lines),
            y_dtype=dtype,
            unit=self.unit,
            current=self.current,
            times=self.times,
        )

    def make_style(self):
        colour = get_colour(self)
        background = get_colour(self, 'view_bg_color')
        return Style(
            (colour.red, colour.green, colour.blue),
            (background.red, background.green, background.blue),
            is_dark(),
            is_high_contrast(),
            make_small_font(self),
        )

    def do_snapshot(self, snapshot):
        width, height = self.get_width(), self.get_height()
        if not self.series or width <= 0 or height <= 0:
            return
        cr = snapshot.append_cairo(make_box(0, 0, width, height))
        plot = self.make_plot(width * self.get_scale_factor())
        self._area = draw_plot(cr, plot, self.make_style(), width, height)

    def make_texture(self, width=1600, height=900):
        """The plot as a picture of its own, on white."""
        surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, height)
        cr = cairo.Context(surface)
        cr.set_source_rgb(1, 1, 1)
        cr.paint()
        plot = self.make_plot(width)
        plot.current = None
        draw_plot(cr, plot, Style(), width, height)
        surface.flush()
        data = GLib.Bytes.new(bytes(surface.get_data()))
        return Gdk.MemoryTexture.new(
            width, height, CAIRO_FORMAT, data, surface.get_stride()
        )
