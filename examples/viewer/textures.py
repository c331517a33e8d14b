# SPDX-License-Identifier: MIT
"""Arrays as textures."""

import gi

gi.require_version('Gdk', '4.0')

import numpy as np  # noqa: E402
from gi.repository import Gdk, GLib  # noqa: E402

from sampling import get_indices  # noqa: E402

Format = Gdk.MemoryFormat

# By item size, channels of R, G and B, and the channel of alpha or None.
FORMATS = {
    (1, (0, 1, 2), None, 3): Format.R8G8B8,
    (1, (2, 1, 0), None, 3): Format.B8G8R8,
    (1, (0, 1, 2), 3, 4): Format.R8G8B8A8,
    (1, (2, 1, 0), 3, 4): Format.B8G8R8A8,
    (1, (1, 2, 3), 0, 4): Format.A8R8G8B8,
    (1, (3, 2, 1), 0, 4): Format.A8B8G8R8,
    (2, (0, 1, 2), None, 3): Format.R16G16B16,
    (2, (0, 1, 2), 3, 4): Format.R16G16B16A16,
}

# What graphics cards take as one texture.
MAX_SIDE = 8192

# A picture that is saved has so many pixels at most, and so many are read at a time.
MAX_PIXELS = 1 << 27
BAND = 1 << 20


def make_direct(array, channels, alpha):
    """A texture over the memory of an array of shape (height, width, channels), without a copy;
    None if there is no such format, or the rows do not lie in memory as it wants.

    The texture holds the memory for as long as it lives.
    """
    height, width, n_channels = array.shape
    dtype = array.dtype
    size = dtype.itemsize
    memory_format = FORMATS.get((size, channels, alpha, n_channels))
    if memory_format is None or dtype.kind != 'u' or max(height, width) > MAX_SIDE:
        return None
    if size > 1 and not dtype.isnative:
        return None
    stride, *inner = array.strides
    stride = stride if height > 1 else width * n_channels * size
    if tuple(inner) != (n_channels * size, size) or stride < width * n_channels * size:
        return None
    if size > 1 and stride % size:
        return None

    memory, offset = array.get_memory()
    # Up to the last pixel: what pads the last row may not be there.
    length = stride * (height - 1) + width * n_channels * size
    part = memory.new_from_bytes(offset, length)
    return Gdk.MemoryTexture.new(width, height, memory_format, part, stride)


def make_from_raster(raster, step):
    """A texture of all of a raster, or of as much as MAX_PIXELS are; `step(done, total)` is called
    on the way.
    """
    shrink = max(1.0, (raster.width * raster.height / MAX_PIXELS) ** 0.5)
    lengths = raster.height, raster.width
    height, width = sides = [max(1, int(length / shrink)) for length in lengths]
    rows, columns = (
        get_indices(0, length / side, side, length)[1] for side, length in zip(sides, lengths)
    )
    pixels = np.empty((height, width), np.uint32)
    band = max(1, BAND // width)
    for first in range(0, height, band):
        pixels[first : first + band] = raster.read(rows[first : first + band], columns)
        step(min(first + band, height), height)
    return make_from_pixels(pixels)


def make_from_pixels(pixels):
    """A texture of words as colormap.pack() makes them."""
    height, width = pixels.shape
    data = GLib.Bytes.new(pixels.tobytes())
    return Gdk.MemoryTexture.new(width, height, Format.R8G8B8A8, data, 4 * width)
