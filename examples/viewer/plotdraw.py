# SPDX-License-Identifier: MIT
"""Draws a plot with cairo, on the screen or anywhere else. Needs no display."""

import dataclasses
import math

import gi

gi.require_version('Pango', '1.0')
gi.require_version('PangoCairo', '1.0')

import numpy as np  # noqa: E402
from gi.repository import Pango, PangoCairo  # noqa: E402

from ticks import format_time, get_unit, make_ticks  # noqa: E402

# Colours of lines, for a light and for a dark background; each pair differs in lightness as well.
PALETTES = {
    False: ['#1a5fb4', '#c64600', '#26a269', '#813d9c', '#a51d2d', '#63452c', '#1c71d8', '#9a6b00'],
    True: ['#99c1f1', '#ffbe6f', '#8ff0a4', '#dc8add', '#f66151', '#cdab8f', '#62a0ea', '#f9f06b'],
}
# Lines beyond the palette get dashes, and in high contrast all but the first.
DASHES = [(), (6, 3), (2, 2), (8, 3, 2, 3)]

TOP, RIGHT, GAP, MARK = 12, 16, 6, 4
X_DISTANCE, Y_DISTANCE = 90, 48


@dataclasses.dataclass
class Style:
    """How it looks."""

    foreground: tuple = (0.1, 0.1, 0.1)
    background: tuple = (1.0, 1.0, 1.0)
    dark: bool = False
    high_contrast: bool = False
    font: Pango.FontDescription | None = None


@dataclasses.dataclass
class Plot:
    """What is drawn: lines as Series.read() gives them, their ranges, what is at the axes."""

    series: list
    lines: list
    x_limits: tuple
    y_limits: tuple
    y_dtype: np.dtype | None = None
    unit: str = ''
    current: int | None = None
    # Points in time of the points, if they have some: 1-D.
    times: np.ndarray | None = None


def get_palette_colour(style, i):
    palette = PALETTES[style.dark]
    text = palette[i % len(palette)]
    return tuple(int(text[k : k + 2], 16) / 255 for k in (1, 3, 5))


def get_dashes(style, i):
    n = len(PALETTES[style.dark])
    return DASHES[(i if style.high_contrast else i // n) % len(DASHES)]


def label_times(times, ticks):
    """The points in time at some indices, as exact as it takes to tell them apart."""
    found = times[[int(tick) for tick in ticks if 0 <= tick < len(times)]]
    counts = found.astype(found.dtype.newbyteorder('=')).view('i8')
    steps = np.abs(np.diff(counts)) * (get_unit(times.dtype) or 0)
    step = float(steps.min()) if len(steps) else 0.0
    return ['–' if np.isnat(t) else format_time(int(n), times.dtype, step) for t, n in
            zip(found, counts)]


class PlotArea:
    """Where what is, for a plot of a size."""

    def __init__(self, cr, plot, style, width, height):
        self.plot = plot
        self.layout = PangoCairo.create_layout(cr)
        self.layout.set_font_description(style.font or Pango.FontDescription('Sans 9'))
        line = self.measure('0')[1]
        self.legend = self._place_legend(width, line)
        unit = line + GAP if plot.unit else 0
        self.top = TOP + unit + (self.legend[-1][2] + line + GAP if self.legend else 0)
        self.bottom = height - line - MARK - 2 * GAP
        n_steps = max(2, (self.bottom - self.top) // Y_DISTANCE)
        dtype = plot.y_dtype
        self.y_ticks = make_ticks(*plot.y_limits, dtype, n_steps)
        widest = max((self.measure(text)[0] for text in self.y_ticks[1]), default=0)
        self.left = max(widest, 24) + MARK + 2 * GAP
        self.right = width - RIGHT
        n_steps = max(2, (self.right - self.left) // X_DISTANCE)
        ticks, labels = make_ticks(*plot.x_limits, None, n_steps, whole=True)
        if plot.times is not None:
            labels = label_times(plot.times, ticks)
        self.x_ticks = ticks, labels

    def measure(self, text):
        self.layout.set_text(text, -1)
        return self.layout.get_pixel_size()

    def _place_legend(self, width, line):
        """(name, x, y) of each entry, in as many rows as it takes."""
        names = [series.name for series in self.plot.series]
        if len(names) < 2 and not any(names):
            return []
        places, x, y = [], GAP, 0
        for name in names:
            length = self.measure(name)[0] + 24 + 3 * GAP
            if x > GAP and x + length > width:
                x, y = GAP, y + line + 2
            places.append((name, x, y))
            x += length
        return places

    def get_x(self, numbers):
        low, high = self.plot.x_limits
        return self.left + (numbers - low) / (high - low or 1) * (self.right - self.left)

    def get_y(self, numbers):
        low, high = self.plot.y_limits
        return self.bottom - (numbers - low) / (high - low or 1) * (self.bottom - self.top)

    def find_x(self, x):
        low, high = self.plot.x_limits
        return low + (x - self.left) / max(self.right - self.left, 1) * (high - low)


def draw_plot(cr, plot, style, width, height):
    """Draws all of it; returns where things are."""
    area = PlotArea(cr, plot, style, width, height)
    if area.right - area.left < 8 or area.bottom - area.top < 8:
        return area
    draw_axes(cr, area, style)
    cr.save()
    # With room for half a point at the edges.
    width, height = area.right - area.left, area.bottom - area.top
    cr.rectangle(area.left - 4, area.top - 4, width + 8, height + 8)
    cr.clip()
    for i, (series, line) in enumerate(zip(plot.series, plot.lines)):
        cr.set_source_rgb(*get_palette_colour(style, i))
        cr.set_dash(get_dashes(style, i))
        draw_line(cr, area, series, line, 2.5 if style.high_contrast else 1.5)
    cr.set_dash([])
    if plot.current is not None:
        draw_current(cr, area, style)
    cr.restore()
    draw_legend(cr, area, style)
    return area


def draw_text(cr, area, text, x, y, align=0.0):
    width, height = area.measure(text)
    cr.move_to(x - width * align, y)
    PangoCairo.show_layout(cr, area.layout)
    return width, height


def draw_axes(cr, area, style):
    strong = 0.55 if style.high_contrast else 0.15
    cr.set_line_width(1)
    for tick, text in zip(*area.y_ticks):
        y = round(area.get_y(tick)) + 0.5
        cr.set_source_rgba(*style.foreground, strong)
        cr.move_to(area.left, y)
        cr.line_to(area.right, y)
        cr.stroke()
        cr.set_source_rgb(*style.foreground)
        height = area.measure(text)[1]
        draw_text(cr, area, text, area.left - MARK - GAP, y - height / 2, 1.0)
    for tick, text in zip(*area.x_ticks):
        x = round(area.get_x(tick)) + 0.5
        cr.set_source_rgba(*style.foreground, strong)
        cr.move_to(x, area.top)
        cr.line_to(x, area.bottom + MARK)
        cr.stroke()
        cr.set_source_rgb(*style.foreground)
        half = area.measure(text)[0] / 2
        x = min(max(x, half), area.right + RIGHT - half)
        draw_text(cr, area, text, x, area.bottom + MARK + GAP / 2, 0.5)
    cr.set_source_rgb(*style.foreground)
    cr.move_to(area.left + 0.5, area.top)
    cr.line_to(area.left + 0.5, area.bottom + 0.5)
    cr.line_to(area.right, area.bottom + 0.5)
    cr.stroke()
    if area.plot.unit:
        line = area.measure(area.plot.unit)[1]
        draw_text(cr, area, area.plot.unit, GAP, area.top - line - GAP)


def draw_line(cr, area, series, line, width):
    xs, low, high = line
    if len(xs) == 0:
        return
    x, y_low, y_high = area.get_x(xs), area.get_y(low), area.get_y(high)
    # Far beyond the area cairo's numbers would overflow.
    y_low, y_high = np.clip(y_low, -1e5, 1e5), np.clip(y_high, -1e5, 1e5)
    cr.set_line_width(width)
    cr.set_line_join(1)
    if low is not high:
        draw_envelope(cr, x, y_low, y_high)
        return
    y = y_low
    if series.is_stepped:
        x, y = make_steps(x, y)
    pen = False
    for px, py in zip(x.tolist(), y.tolist()):
        if math.isnan(py):
            pen = False
        elif pen:
            cr.line_to(px, py)
        else:
            cr.move_to(px, py)
            pen = True
    cr.stroke()
    if len(xs) * 8 < area.right - area.left or len(xs) == 1:
        for px, py in zip(area.get_x(xs).tolist(), y_low.tolist()):
            if not math.isnan(py):
                cr.arc(px, py, width * 1.6, 0, 2 * math.pi)
                cr.fill()
    else:
        draw_lonely(cr, x, y, width)


def draw_lonely(cr, x, y, width):
    """Points between gaps, which no line goes to."""
    gap = np.isnan(y)
    before, after = np.append(True, gap[:-1]), np.append(gap[1:], True)
    for i in np.flatnonzero(~gap & before & after).tolist():
        cr.arc(x[i], y[i], width, 0, 2 * math.pi)
        cr.fill()


def draw_envelope(cr, x, low, high):
    """A stroke from the smallest to the greatest at each place, joined with the next."""
    last = None
    for px, py, qy in zip(x.tolist(), low.tolist(), high.tolist()):
        if math.isnan(py):
            last = None
            continue
        if last is None:
            cr.move_to(px, py)
        elif abs(last - py) <= abs(last - qy):
            cr.line_to(px, py)
        else:
            py, qy = qy, py
            cr.line_to(px, py)
        # Cairo draws nothing for a line without length.
        cr.line_to(px, qy if qy != py else py + 0.5)
        last = qy
    cr.stroke()


def make_steps(x, y):
    """A line that keeps each value until the next point."""
    if len(x) < 2:
        return x, y
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def draw_current(cr, area, style):
    plot = area.plot
    x = round(area.get_x(plot.current)) + 0.5
    cr.set_line_width(2 if style.high_contrast else 1)
    cr.set_source_rgba(*style.foreground, 0.7)
    cr.move_to(x, area.top)
    cr.line_to(x, area.bottom)
    cr.stroke()
    for i, series in enumerate(plot.series):
        _xs, numbers, _same = series.read(plot.current, plot.current + 1, 1)
        if len(numbers) and not math.isnan(numbers[0]):
            cr.arc(x, float(area.get_y(numbers[0])), 4, 0, 2 * math.pi)
            cr.set_source_rgb(*style.background)
            cr.fill_preserve()
            cr.set_source_rgb(*get_palette_colour(style, i))
            cr.set_line_width(2)
            cr.stroke()


def draw_legend(cr, area, style):
    for i, (name, x, y) in enumerate(area.legend):
        height = area.measure(name)[1]
        cr.set_source_rgb(*get_palette_colour(style, i))
        cr.set_line_width(3)
        cr.set_dash(get_dashes(style, i))
        cr.move_to(x, GAP + y + height / 2)
        cr.line_to(x + 24, GAP + y + height / 2)
        cr.stroke()
        cr.set_dash([])
        cr.set_source_rgb(*style.foreground)
        draw_text(cr, area, name, x + 24 + GAP, GAP + y)
