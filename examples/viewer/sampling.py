# SPDX-License-Identifier: MIT
"""Which elements of an array it takes, for what is seen of it. Needs no display."""

import math

import numpy as np

from colormap import find_range

# As many elements at most are read to find a range.
MAX_SAMPLE = 1 << 22

# Neighbours that are read together.
RUN = 1 << 10


def get_runs(view, limit=MAX_SAMPLE):
    """About `limit` elements from all over the array, in runs of neighbours: a view.

    What is not in memory yet comes by pages: single elements of a huge file would be all of it.
    """
    if view.size <= limit:
        return view
    view = np.moveaxis(view, int(np.argmin(np.abs(view.strides))), -1)
    *rest, n = view.shape
    length = min(n, RUN)
    stride = view.strides[-1]
    windows = np.lib.stride_tricks.as_strided(
        view, (*rest, n // length, length), (*view.strides[:-1], length * stride, stride),
        writeable=False)
    wanted = max(1, limit // length)
    return windows[get_steps(windows.shape[:-1], wanted)]


def get_steps(shape, limit):
    """Slices along the axes, so that about `limit` of all indices are left."""
    steps = [1] * len(shape)
    while True:
        left = [math.ceil(n / step) for n, step in zip(shape, steps)]
        total = math.prod(left)
        if total <= limit:
            return tuple(slice(None, None, step) for step in steps)
        axis = int(np.argmax(left))
        steps[axis] *= 2


def to_numbers(view, part='magnitude'):
    """Elements of any numeric dtype as numbers in the machine's order: f8, or f4 if that is exact.

    Points in time are counts of their unit, and NaT is NaN.
    """
    kind = view.dtype.kind
    if kind == 'c':
        with np.errstate(all='ignore'):
            view = {'magnitude': np.abs, 'phase': np.angle, 'real': np.real, 'imaginary': np.imag}[
                part
            ](view)
    elif kind in 'mM':
        counts = view.astype(view.dtype.newbyteorder('=')).view('i8')
        numbers = counts.astype(np.float64)
        numbers[np.isnat(view)] = np.nan
        return numbers
    exact = view.dtype.itemsize <= 2 or (view.dtype.kind == 'f' and view.dtype.itemsize == 4)
    with np.errstate(all='ignore'):
        return view.astype(np.float32 if exact else np.float64)


def is_numeric(dtype):
    return dtype.kind in 'biufcmM'


def find_sampled_range(view, part='magnitude'):
    """The smallest and the greatest finite number, of a sample if the array is large."""
    sample = get_runs(view)
    if sample.dtype.kind in 'biu':
        return (float(sample.min()), float(sample.max())) if sample.size else (0.0, 0.0)
    return find_range(to_numbers(sample, part))


def get_indices(first, per_pixel, n_pixels, n_elements):
    """The element that each of a row of pixels shows, where the first pixel begins at `first`
    (in elements). Pixels beside the array are left out; returns how many before, and the indices.
    """
    places = np.floor(first + (np.arange(n_pixels) + 0.5) * per_pixel)
    inside = (places >= 0) & (places < n_elements)
    if not inside.any():
        # All of it may lie between the middles of two pixels: the one that it is in shows it.
        pixel = math.floor((n_elements / 2 - first) / per_pixel)
        indices = [n_elements // 2] if 0 <= pixel < n_pixels else []
        return max(pixel, 0), np.array(indices, np.intp)
    return int(np.argmax(inside)), places[inside].astype(np.intp)


def pick(view, rows, columns):
    """The elements at some rows and columns, both in ascending order."""
    if rows.size == 0 or columns.size == 0:
        return view[:0, :0]
    part = view[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rows, columns = rows - rows[0], columns - columns[0]
    if part.shape[1] > 4 * columns.size:
        # Whole rows would be a lot more than it takes.
        return part[rows[:, np.newaxis], columns]
    part = part if is_all(rows, part.shape[0]) else part.take(rows, axis=0)
    return part if is_all(columns, part.shape[1]) else part.take(columns, axis=1)


def is_all(indices, length):
    return indices.size == length and np.array_equal(indices, np.arange(length))
