# SPDX-License-Identifier: MIT
"""What can be looked at as a picture: each has rows and columns, and reads pixels of some of them.

Needs no display.
"""

import numpy as np

import colormap
from sampling import find_sampled_range, pick, to_numbers
from values import format_value


class HeatRaster:
    """One number for each pixel."""

    is_heat = True

    @property
    def is_smooth(self):
        return self.name == 'grey'

    def __init__(self, view, part='magnitude', name='heat', limits=None):
        self.view = view
        self.part = part
        self.name = name
        self.height, self.width = view.shape
        self.low, self.high = limits or find_sampled_range(view, part)

    def read(self, rows, columns):
        numbers = to_numbers(pick(self.view, rows, columns), self.part)
        return colormap.to_pixels(numbers, self.low, self.high, self.name)

    def get_text(self, row, column):
        return format_value(self.view[row, column])


class ColourRaster:
    """Channels for each pixel."""

    is_heat = False
    is_smooth = True

    def __init__(self, view, channels=(0, 1, 2), alpha=None):
        self.view = view
        self.channels = channels
        self.alpha = alpha
        self.height, self.width = view.shape[:2]
        self.limits = None
        if view.dtype.kind != 'u':
            self.limits = widen(*find_sampled_range(view))
        elif view.dtype.itemsize > 1:
            self.limits = 0.0, float(np.iinfo(view.dtype.newbyteorder('=')).max)

    def read(self, rows, columns):
        part = pick(self.view, rows, columns)
        if self.limits is not None:
            part = colormap.to_levels(to_numbers(part), *self.limits)
        alpha = 255 if self.alpha is None else part[..., self.alpha]
        return colormap.pack(*(part[..., i] for i in self.channels), alpha)

    def get_text(self, row, column):
        return ' '.join(format_value(value) for value in self.view[row, column])


class VideoRaster:
    """Pixels that a decoder makes of raw video."""

    is_heat = False
    is_smooth = True

    def __init__(self, decoder):
        self.decoder = decoder
        self.height, self.width = decoder.height, decoder.width

    def read(self, rows, columns):
        return self.decoder.read(rows, columns)

    def get_text(self, row, column):
        pixel = self.read(np.array([row]), np.array([column]))
        return ' '.join(str(level) for level in pixel.view(np.uint8)[0, :3])


def widen(low, high):
    """The range that numbers of colours are in: 0 to 1, 0 to 255, or their own."""
    for limit in (1.0, 255.0):
        if low >= 0 and high <= limit:
            return 0.0, limit
    return low, high
