# SPDX-License-Identifier: MIT
"""Reads the terrain and the photo from files, and draws maps of the terrain."""

import pathlib

import gi

gi.require_version('GdkPixbuf', '2.0')

import numpy as np  # noqa: E402
from gi.repository import GdkPixbuf, GLib  # noqa: E402

DATA = pathlib.Path('/usr/share/matplotlib/mpl-data/sample_data')

# Colours from the lowest ground to the highest.
RAMP = {
    0.00: (72, 124, 92),
    0.20: (142, 172, 112),
    0.38: (220, 212, 150),
    0.60: (196, 154, 104),
    0.80: (140, 100, 78),
    1.00: (244, 240, 236),
}


def get_path(name):
    path = DATA / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: install Debian's package python-matplotlib-data"
        )
    return path


def read_terrain():
    """The heights in metres, and the width and the height of a cell, in metres too."""
    with np.load(get_path('jacksboro_fault_dem.npz')) as file:
        heights = file['elevation']
        latitude = np.radians((file['ymin'] + file['ymax']) / 2)
        dx, dy = file['dx'], file['dy']

    # Metres a degree on the WGS 84 ellipsoid, as series of the latitude.
    east = 111412.84 * np.cos(latitude) - 93.5 * np.cos(3 * latitude)
    north = 111132.92 - 559.82 * np.cos(2 * latitude) + 1.175 * np.cos(4 * latitude)
    return heights, float(dx * east), float(dy * north)


def read_photo():
    """RGB pixels, as an array of shape (height, width, 3)."""
    pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(get_path('grace_hopper.jpg')))
    shape = pixbuf.get_height(), pixbuf.get_width(), 3
    strides = pixbuf.get_rowstride(), pixbuf.get_n_channels(), 1
    return np.ndarray(shape, np.uint8, pixbuf.get_pixels(), strides=strides)


def colour(heights):
    """RGB colours that tell how high the ground is."""
    low, high = heights.min(), heights.max()
    places = (heights - low) / (high - low)
    channels = zip(*RAMP.values())
    return np.stack([np.interp(places, list(RAMP), channel) for channel in channels], axis=-1)


def light(colours, relief, level):
    """Colours in the light of a shaded relief; where its brightness is `level` they stay."""
    return np.clip(colours * (0.3 + 0.7 * relief[..., np.newaxis] / level), 0, 255)


def write_png(path, pixels, size):
    """Writes RGB pixels, scaled to a size of (width, height)."""
    rows, columns, _channels = pixels.shape
    data = GLib.Bytes.new(pixels.astype(np.uint8).tobytes())
    GdkPixbuf.Pixbuf.new_from_bytes(
        data, GdkPixbuf.Colorspace.RGB, False, 8, columns, rows, 3 * columns
    ).scale_simple(*size, GdkPixbuf.InterpType.BILINEAR).savev(str(path), 'png', [], [])
