# SPDX-License-Identifier: MIT
"""A picture that can be zoomed and panned, with an element that the pointer is at."""

import math

import gi

gi.require_version('Gtk', '4.0')

import numpy as np  # noqa: E402

from drawing import is_high_contrast, make_box, make_colour, place_text  # noqa: E402
from navigation import ZoomCanvas  # noqa: E402
from sampling import get_indices  # noqa: E402
from textures import make_from_pixels  # noqa: E402
from viewport import Viewport  # noqa: E402

# From this many pixels of the screen for an element on, elements are sharp squares; below, the
# edges of some would be wider than of others.
SHARP = 2.0

# In pixels for an element: when there are lines between elements, and values in them.
GRID = 16
VALUES = 44

# An area up to this many pixels of the screen may be read finer than it is shown.
MAX_FINE_AREA = 1_500_000


class Picture(ZoomCanvas):
    """Shows a raster; where there is a texture of it, that, unless it is enlarged a lot."""

    __gtype_name__ = 'ShndViewerPicture'

    def __init__(self):
        super().__init__()
        self.viewport = Viewport()
        self.raster = None
        self.n_reads = 0
        self._texture = None
        self._pixels = None
        self._pixels_key = None

    def show_raster(self, raster, texture=None):
        """Shows another raster. What was shown before is let go of."""
        self.raster, self._texture = raster, texture
        self._pixels = self._pixels_key = None
        if raster is None:
            self.set_current(None)
        else:
            self.viewport.set_size(raster.width, raster.height)
            row, column = self.current or (0, 0)
            if row >= raster.height or column >= raster.width:
                self.set_current(None)
        self.queue_draw()

    # What the navigation asks for

    def point_at(self, x, y):
        self.set_current(self.viewport.find(x, y) if self.raster else None)

    def move_current(self, rows, columns):
        if self.raster is None:
            return
        row, column = self.current or (self.raster.height // 2, self.raster.width // 2)
        row = min(max(row + rows, 0), self.raster.height - 1)
        column = min(max(column + columns, 0), self.raster.width - 1)
        self.viewport.show(row, column)
        self.set_current((row, column))
        self.queue_draw()

    def zoom_by(self, factor, x=None, y=None):
        self.viewport.zoom_by(factor, x, y)
        self.queue_draw()

    def zoom_fit(self):
        self.viewport.fit()
        self.queue_draw()

    def zoom_actual(self):
        self.viewport.zoom_to(1 / self.get_scale_factor())
        self.queue_draw()

    def pan_by(self, dx, dy):
        self.viewport.pan_by(dx, dy)
        self.queue_draw()

    def can_pan(self):
        return self.viewport.can_pan()

    # Drawing

    def do_size_allocate(self, width, height, _baseline):
        self.viewport.set_area(width, height)

    def do_snapshot(self, snapshot):
        viewport = self.viewport
        if self.raster is None or viewport.width <= 0 or viewport.height <= 0:
            return
        if self._texture is not None and viewport.scale * self.get_scale_factor() < SHARP:
            width, height = self.raster.width * viewport.scale, self.raster.height * viewport.scale
            box = make_box(viewport.x, viewport.y, max(width, 1), max(height, 1))
            snapshot.append_texture(self._texture, box)
        else:
            self._draw_pixels(snapshot)
        if viewport.scale >= GRID:
            self._draw_grid(snapshot)
        if viewport.scale >= VALUES:
            self._draw_values(snapshot)
        if self.current is not None:
            self._draw_current(snapshot)

    def _choose_fineness(self):
        """How many pixels are read for one of the screen, along each axis.

        Photos that are shrunk look better if their pixels are mixed; colours that stand for
        numbers are not mixed.
        """
        area = self.viewport.width * self.viewport.height * self.get_scale_factor() ** 2
        is_shrunk = self.viewport.scale * self.get_scale_factor() <= 0.5
        return 2 if self.raster.is_smooth and is_shrunk and area <= MAX_FINE_AREA else 1

    def _read_pixels(self):
        """What is seen, a pixel of the screen each, and where it is there."""
        viewport, scale = self.viewport, self.get_scale_factor()
        key = (viewport.x, viewport.y, viewport.scale, viewport.width, viewport.height, scale)
        if key != self._pixels_key:
            finer = scale * self._choose_fineness()
            per_pixel = 1 / (viewport.scale * finer)
            left, columns = get_indices(
                -viewport.x / viewport.scale, per_pixel, viewport.width * finer, viewport.columns
            )
            top, rows = get_indices(
                -viewport.y / viewport.scale, per_pixel, viewport.height * finer, viewport.rows
            )
            texture, box = None, None
            if rows.size and columns.size:
                texture = make_from_pixels(self.raster.read(rows, columns))
                sizes = left, top, columns.size, rows.size
                box = make_box(*(size / finer for size in sizes))
            self._pixels = texture, box
            self._pixels_key = key
            self.n_reads += 1
        return self._pixels

    def _draw_pixels(self, snapshot):
        texture, box = self._read_pixels()
        if texture is not None:
            snapshot.append_texture(texture, box)

    def _draw_grid(self, snapshot):
        viewport = self.viewport
        first_row, end_row, first_column, end_column = viewport.get_visible()
        x, y, size, _size = viewport.get_box(first_row, first_column)
        width, height = (end_column - first_column) * size, (end_row - first_row) * size
        # Grey that shows on dark and on light elements alike.
        colour = make_colour(0.5, 0.5, 0.5, 0.4)
        for i in range(end_column - first_column + 1):
            snapshot.append_color(colour, make_box(round(x + i * size), y, 1, height))
        for i in range(end_row - first_row + 1):
            snapshot.append_color(colour, make_box(x, round(y + i * size), width, 1))

    def _draw_values(self, snapshot):
        viewport = self.viewport
        first_row, end_row, first_column, end_column = viewport.get_visible()
        font = self.get_pango_context().get_font_description().copy()
        font.set_absolute_size(min(viewport.scale / 4.5, 18) * 1024)
        layout = self.make_layout(font=font)
        columns = list(range(first_column, end_column))
        for row in range(first_row, end_row):
            pixels = self._get_pixels_of(row, columns)
            for column, pixel in zip(columns, pixels):
                text = self.raster.get_text(row, column)
                layout.set_text(text if self.raster.is_heat else text.replace(' ', '\n'), -1)
                width, height = layout.get_pixel_size()
                if max(width, height) > viewport.scale - 4:
                    continue
                x, y, size, _size = viewport.get_box(row, column)
                light = 0.3 * pixel[0] + 0.59 * pixel[1] + 0.11 * pixel[2]
                grey = 0.0 if light > 127 else 1.0
                colour = make_colour(grey, grey, grey)
                x, y = x + (size - width) / 2, y + (size - height) / 2
                place_text(snapshot, layout, x, y, colour)

    def _get_pixels_of(self, row, columns):
        pixels = self.raster.read(np.array([row]), np.array(columns))
        return pixels.view(np.uint8).reshape(-1, 4)

    def _draw_current(self, snapshot):
        x, y, width, height = self.viewport.get_box(*self.current)
        # Small elements get a frame around them that can be seen.
        margin = max(0.0, (9 - width) / 2)
        x, y = math.floor(x - margin), math.floor(y - margin)
        width, height = math.ceil(width + 2 * margin), math.ceil(height + 2 * margin)
        line = 2 if is_high_contrast() else 1
        # White in black: one of them shows on any colour.
        for grow, grey in ((line, 0.0), (0, 1.0)):
            box = x - grow, y - grow, width + 2 * grow, height + 2 * grow
            draw_frame(snapshot, *box, line, make_colour(grey, grey, grey))


def draw_frame(snapshot, x, y, width, height, line, colour):
    for box in (
        (x, y, width, line),
        (x, y + height - line, width, line),
        (x, y, line, height),
        (x + width - line, y, line, height),
    ):
        snapshot.append_color(colour, make_box(*box))
