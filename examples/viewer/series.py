# SPDX-License-Identifier: MIT
"""Lines of a plot, as many points as there are pixels for. Needs no display."""

import numpy as np

from colormap import find_range
from sampling import MAX_SAMPLE, to_numbers

# From so many points for a pixel on, a line is drawn from its smallest to its greatest there.
DENSE = 3

# So many of the points for one pixel are looked at.
MAX_POINTS = 1 << 14


class Series:
    """One line: a name and numbers, of which NaN are gaps."""

    def __init__(self, name, view, part='magnitude'):
        self.name = name
        self.view = view
        self.part = part
        self.is_stepped = view.dtype.kind == 'b'

    def read(self, first, end, n_bins):
        """What to draw of the points from `first` to `end`: an array of their numbers, and those
        of the points; or, if they are more than can be told apart, the smallest and the greatest
        of each of the bins, at their middles.
        """
        first, end = max(0, first), min(len(self.view), end)
        count = end - first
        if count <= DENSE * n_bins:
            numbers = self._to_numbers(self.view[first:end])
            return np.arange(first, end), numbers, numbers
        edges = first + np.arange(n_bins) * count // n_bins
        part, starts = self.view[first:end], edges - first
        step = -(-count // (n_bins * MAX_POINTS))
        if step > 1:
            part, starts = part[::step], -(-starts // step)
        low, high = self._find_envelope(part, starts)
        return edges + count / (2 * n_bins), low, high

    def _find_envelope(self, part, starts):
        if part.dtype.kind in 'biu':
            low = np.minimum.reduceat(part, starts)
            high = np.maximum.reduceat(part, starts)
            return low.astype(float), high.astype(float)
        # In pieces: a copy of a very long series would be as large as that.
        bounds = np.append(starts, len(part))
        low, high = np.empty(len(starts)), np.empty(len(starts))
        per_piece = max(1, MAX_SAMPLE * len(starts) // max(len(part), 1))
        with np.errstate(all='ignore'):
            for i in range(0, len(starts), per_piece):
                j = min(i + per_piece, len(starts))
                piece = self._to_numbers(part[bounds[i] : bounds[j]])
                low[i:j] = np.fmin.reduceat(piece, starts[i:j] - bounds[i])
                high[i:j] = np.fmax.reduceat(piece, starts[i:j] - bounds[i])
        return low, high

    def _to_numbers(self, view):
        numbers = to_numbers(view, self.part)
        if numbers.dtype != np.float64:
            with np.errstate(invalid='ignore'):
                numbers = numbers.astype(np.float64)
        if view.dtype.kind in 'fc' and not np.isfinite(numbers).all():
            numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        return numbers


def find_limits(lines):
    """The range that has all the lines, with some room; lines as read() gives them."""
    ranges = [
        find_range(numbers)
        for _xs, *both in lines
        for numbers in both
        if np.isfinite(numbers).any()
    ]
    if not ranges:
        return 0.0, 1.0
    low, high = min(low for low, _high in ranges), max(high for _low, high in ranges)
    if low == high:
        room = abs(low) * 0.05 or 1.0
    else:
        room = (high - low) * 0.05
    return low - room, high + room
