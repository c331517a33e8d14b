# SPDX-License-Identifier: MIT
"""Where a picture lies in the window, and how large. Needs no display."""

import math

MAX_SCALE = 512.0
ZOOM_STEP = 1.25


class Viewport:
    """A picture of some columns and rows in an area of pixels.

    `scale` is how many pixels a column or row takes, (`x`, `y`) where in the area the picture
    begins. While `fits` it always fills the area.
    """

    def __init__(self):
        self.columns = self.rows = 0
        self.width = self.height = 0
        self.scale = 1.0
        self.x = self.y = 0.0
        self.fits = True

    def set_size(self, columns, rows):
        if (columns, rows) != (self.columns, self.rows):
            self.columns, self.rows = columns, rows
            self.fits = True
            self._settle()

    def set_area(self, width, height):
        if (width, height) != (self.width, self.height):
            # What was in the middle stays there.
            self.x += (width - self.width) / 2
            self.y += (height - self.height) / 2
            self.width, self.height = width, height
            self._settle()

    def get_fitting_scale(self):
        if self.columns == 0 or self.rows == 0:
            return 1.0
        return min(self.width / self.columns, self.height / self.rows, MAX_SCALE) or 1.0

    def fit(self):
        self.fits = True
        self._settle()

    def zoom_to(self, scale, x=None, y=None):
        """Zooms so that what is at (x, y) of the area stays there; the middle by default."""
        fitting = self.get_fitting_scale()
        scale = min(max(scale, min(fitting, 1.0) / 2), MAX_SCALE)
        x = self.width / 2 if x is None else x
        y = self.height / 2 if y is None else y
        factor = scale / self.scale
        self.x = x - (x - self.x) * factor
        self.y = y - (y - self.y) * factor
        self.scale = scale
        self.fits = False
        self._settle()

    def zoom_by(self, factor, x=None, y=None):
        self.zoom_to(self.scale * factor, x, y)

    def pan_by(self, dx, dy):
        self.x += dx
        self.y += dy
        self._settle()

    def can_pan(self):
        return (
            self.columns * self.scale > self.width + 0.5
            or self.rows * self.scale > self.height + 0.5
        )

    def _settle(self):
        if self.fits:
            self.scale = self.get_fitting_scale()
        self.x = settle(self.x, self.columns * self.scale, self.width)
        self.y = settle(self.y, self.rows * self.scale, self.height)

    def find(self, x, y):
        """The (row, column) at a point of the area, or None beside the picture."""
        column = math.floor((x - self.x) / self.scale)
        row = math.floor((y - self.y) / self.scale)
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return row, column
        return None

    def get_box(self, row, column):
        """Where an element is: (x, y, width, height)."""
        x, y = self.x + column * self.scale, self.y + row * self.scale
        return x, y, self.scale, self.scale

    def show(self, row, column):
        """Pans as little as it takes to have an element in the area."""
        x, y, width, height = self.get_box(row, column)
        self.pan_by(
            max(0, -x) - max(0, x + width - self.width),
            max(0, -y) - max(0, y + height - self.height),
        )

    def get_visible(self):
        """The rows and columns that are seen: (first row, end, first column, end)."""
        first_row = max(0, math.floor(-self.y / self.scale))
        first_column = max(0, math.floor(-self.x / self.scale))
        end_row = min(self.rows, math.ceil((self.height - self.y) / self.scale))
        end_column = min(self.columns, math.ceil((self.width - self.x) / self.scale))
        return first_row, max(first_row, end_row), first_column, max(first_column, end_column)


def settle(start, length, space):
    """Keeps a picture in its area: in the middle if there is room, else without a gap."""
    if length <= space:
        return (space - length) / 2
    return min(max(start, space - length), 0.0)
