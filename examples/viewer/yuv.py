# SPDX-License-Identifier: MIT
"""Colours of raw video that is not RGB already: planes, subsampled colour, packed words.

Formats have GStreamer's names. Needs no display.
"""

import re

import numpy as np

from colormap import pack
from sampling import pick

# How much red and blue weigh in the luma.
WEIGHTS = {
    'bt601': (0.299, 0.114),
    'bt709': (0.2126, 0.0722),
    'smpte240m': (0.212, 0.087),
    'bt2020': (0.2627, 0.0593),
}

# The numbers that caps have for these, and the names of whole colorimetries.
MATRICES = {'3': 'bt709', '4': 'bt601', '5': 'smpte240m', '6': 'bt2020'}
ALIASES = {'bt2020-10': 'bt2020', 'bt2100-pq': 'bt2020', 'bt2100-hlg': 'bt2020', 'sRGB': 'bt601'}

# Where Y, U and V are in formats with all of them for each pixel.
PACKED_444 = {'AYUV': (1, 2, 3), 'VUYA': (2, 1, 0), 'v308': (0, 1, 2), 'IYU2': (1, 0, 2)}

# Where Y is of the two channels, and which of a pair of columns has U.
PACKED_422 = {'YUY2': (0, 0), 'UYVY': (1, 0), 'YVYU': (0, 1), 'VYUY': (1, 1)}

# Pixels in one word: the lowest bit, and the number of bits, of R, G and B.
WORDS = {
    'RGB16': ((11, 5), (5, 6), (0, 5)),
    'BGR16': ((0, 5), (5, 6), (11, 5)),
    'RGB15': ((10, 5), (5, 5), (0, 5)),
    'BGR15': ((0, 5), (5, 5), (10, 5)),
    'RGB10A2_LE': ((0, 10), (10, 10), (20, 10)),
    'BGR10A2_LE': ((20, 10), (10, 10), (0, 10)),
}

# The channel of R, G and B.
CHANNELS = {
    'RGB': (0, 1, 2), 'RGBx': (0, 1, 2), 'RGBA': (0, 1, 2), 'RGBA64': (0, 1, 2),
    'BGR': (2, 1, 0), 'BGRx': (2, 1, 0), 'BGRA': (2, 1, 0), 'BGRA64': (2, 1, 0),
    'xRGB': (1, 2, 3), 'ARGB': (1, 2, 3), 'ARGB64': (1, 2, 3),
    'xBGR': (3, 2, 1), 'ABGR': (3, 2, 1), 'ABGR64': (3, 2, 1),
}  # fmt: skip


def strip_order(name):
    return re.sub('_(LE|BE)$', '', name or '')


def get_channels(name):
    """Which channels are R, G and B in a format, and which is alpha or None; or None."""
    channels = CHANNELS.get(strip_order(name))
    if channels is None:
        return None
    has_alpha = 'A' in name
    return channels, (6 - sum(channels) if has_alpha else None)


def get_colorimetry(caps, height):
    """The weights of red and blue, and whether all values from 0 to 255 are used.

    That is what caps say; without, what is usual for that size.
    """
    match = re.search(r'colorimetry=\s*(?:\(string\))?\s*"?([\w:-]+)', caps or '')
    text = match[1] if match else ''
    parts = text.split(':')
    if len(parts) == 4 and parts[1] in MATRICES:
        return WEIGHTS[MATRICES[parts[1]]], parts[0] == '1'
    name = ALIASES.get(text, text)
    if name in WEIGHTS:
        return WEIGHTS[name], text == 'sRGB'
    return WEIGHTS['bt709' if height > 576 else 'bt601'], False


def to_rgb(y, u, v, weights, full):
    """Channels of R, G and B from 0 to 255, to be cut off, from Y, U and V."""
    red, blue = weights
    green = 1 - red - blue
    if full:
        y, scale = y.astype(np.float32), 1.0
    else:
        y, scale = (y.astype(np.float32) - 16) * np.float32(255 / 219), 255 / 224
    u = (u.astype(np.float32) - 128) * np.float32(scale)
    v = (v.astype(np.float32) - 128) * np.float32(scale)
    r = y + np.float32(2 * (1 - red)) * v
    b = y + np.float32(2 * (1 - blue)) * u
    g = y - np.float32(2 * red * (1 - red) / green) * v
    g -= np.float32(2 * blue * (1 - blue) / green) * u
    for channel in (r, g, b):
        # Rounds, as what packs them cuts off.
        channel += np.float32(0.5)
        np.clip(channel, 0, 255, out=channel)
    return r, g, b


def get_factor(length, short_length):
    """By how much a plane is subsampled."""
    return next((n for n in (1, 2, 4) if -(-length // n) == short_length), 0)


def get_depth(name):
    """What a sample of a format is divided by to be between 0 and 255."""
    if re.match(r'P01[026]|P21[026]|Y21[026]|v216|AYUV64', name):
        return 256
    match = re.search(r'_(9|10|12|16)(LE|BE)?(_|$)', name)
    return 1 << (int(match[1]) - 8) if match else 1


class Planar:
    """Planes of Y, U and V, where U and V may be two or one, and smaller; or of R, G and B."""

    def __init__(self, name, planes, caps=''):
        self.planes = planes
        self.is_rgb = 'Y' not in planes
        self.height, self.width = planes['G' if self.is_rgb else 'Y'].shape
        self.depth = get_depth(name)
        self.weights, self.full = get_colorimetry(caps, self.height)

    def read(self, rows, columns):
        names = 'RGB' if self.is_rgb else 'YUV'
        parts = [self._read_plane(name, rows, columns) for name in names]
        return pack(*(parts if self.is_rgb else to_rgb(*parts, self.weights, self.full)))

    def _read_plane(self, name, rows, columns):
        plane = self._get_plane(name)
        by_rows = get_factor(self.height, plane.shape[0])
        by_columns = get_factor(self.width, plane.shape[1])
        part = pick(plane, rows // by_rows, columns // by_columns)
        return part if self.depth == 1 else part.astype(np.float32) / self.depth

    def _get_plane(self, name):
        if name in self.planes:
            return self.planes[name]
        both = 'UV' if 'UV' in self.planes else 'VU'
        return self.planes[both][..., both.index(name)]


class Packed:
    """Y, U and V of each pixel, or of each pair of them."""

    def __init__(self, name, view, caps=''):
        self.name = name
        self.view = view
        self.height, self.width = view.shape[:2]
        self.weights, self.full = get_colorimetry(caps, self.height)

    def read(self, rows, columns):
        if self.name in PACKED_444:
            parts = [pick(self.view[..., i], rows, columns) for i in PACKED_444[self.name]]
        else:
            luma, side = PACKED_422[self.name]
            chroma = self.view[..., 1 - luma]
            # At an odd width the last pair is half there: its neighbour's colour is near.
            last = max((self.width - 2) // 2 * 2 + 1, 0) if self.width > 1 else 0
            pairs = columns // 2 * 2
            sides = [pairs, np.minimum(pairs + 1, last)]
            parts = [
                pick(self.view[..., luma], rows, columns),
                pick(chroma, rows, sides[side]),
                pick(chroma, rows, sides[1 - side]),
            ]
        return pack(*to_rgb(*parts, self.weights, self.full))


class Words:
    """Pixels of R, G and B in the bits of one word."""

    def __init__(self, name, view):
        self.bits = WORDS[name]
        self.view = view
        self.height, self.width = view.shape

    def read(self, rows, columns):
        words = pick(self.view, rows, columns).astype(np.uint32)
        return pack(
            *(
                (words >> np.uint32(low) & np.uint32((1 << n) - 1)) * 255 // ((1 << n) - 1)
                for low, n in self.bits
            )
        )


def make_decoder(name, view, planes=None, caps=''):
    """What reads pixels of a format, from the array or its planes; None if that is not known."""
    planes = planes or {}
    try:
        if 'Y' in planes and planes['Y'].ndim == 2:
            decoder = Planar(name or '', planes, caps)
            shapes = [decoder._get_plane(part).shape for part in 'UV']
            good = all(
                get_factor(decoder.height, shape[0]) and get_factor(decoder.width, shape[1])
                for shape in shapes
            )
            return decoder if good else None
        if {'R', 'G', 'B'} <= planes.keys():
            shapes = {planes[part].shape for part in 'RGB'}
            good = len(shapes) == 1 and len(next(iter(shapes))) == 2
            return Planar(name or '', planes, caps) if good else None
    except (KeyError, IndexError):
        return None
    if view is None:
        return None
    kind = view.dtype.kind + str(view.dtype.itemsize)
    if name in PACKED_444 and kind == 'u1' and view.ndim == 3:
        return Packed(name, view, caps) if max(PACKED_444[name]) < view.shape[2] else None
    if name in PACKED_422 and kind == 'u1' and view.ndim == 3 and view.shape[2] == 2:
        return Packed(name, view, caps)
    if name in WORDS and view.dtype.kind == 'u' and view.ndim == 2:
        return Words(name, view)
    return None
