# SPDX-License-Identifier: MIT
"""Draws the rows of the benchmarks as an SVG: on a logarithmic axis, bars from equal time to our
time, and a mark at what a row must not exceed."""

import math
from xml.sax.saxutils import escape

WIDTH = 1000
LEFT = 400
RIGHT = 850
TOP = 84
ROW_HEIGHT = 44
BAR_HEIGHT = 16

COLOURS = {
    "ok": "#2b8a6e",
    "missed": "#c4483d",
    "reported": "#7a8794",
}
INK = "#1d2429"
FAINT = "#65717b"
GRID = "#dde2e6"


def text(x, y, content, size=13, colour=INK, anchor="start", weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}" font-weight="{weight}">{escape(content)}</text>'
    )


def line(x1, y1, x2, y2, colour, width=1):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width}"/>'
    )


def rectangle(x, y, width, height, colour):
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{colour}"/>'
    )


def get_axis(rows):
    """The powers of two between which all ratios and limits are."""
    values = [0.5, 2]
    for row in rows:
        if row.samples:
            values.append(row.ratio)
        if row.limit is not None:
            values.append(row.limit)
    return math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))


def draw_axis(low, high, bottom, get_x):
    parts = []
    step = max(1, round((high - low) / 8))
    for power in range(low, high + 1):
        if power % step == 0:
            x = get_x(2.0**power)
            label = f"{2**power}x" if power >= 0 else f"1/{2**-power}"
            parts.append(line(x, TOP, x, bottom, FAINT if power == 0 else GRID))
            parts.append(text(x, bottom + 18, label, 12, FAINT, "middle"))
    return parts


def draw_row(row, y, get_x):
    parts = [
        text(20, y + 18, row.what),
        text(20, y + 34, "against " + row.against, 12, FAINT),
    ]
    top = y + (ROW_HEIGHT - BAR_HEIGHT) / 2
    if row.samples:
        one, ours = get_x(1), get_x(row.ratio)
        parts.append(
            rectangle(min(one, ours), top, max(abs(ours - one), 1), BAR_HEIGHT,
                      COLOURS[row.verdict])
        )
    if row.limit is not None:
        x = get_x(row.limit)
        parts.append(line(x, top - 5, x, top + BAR_HEIGHT + 5, INK, 2))
    result = row.ratio_text if row.samples else row.verdict
    parts.append(text(RIGHT + 20, y + 26, result, 13, INK if row.samples else FAINT))
    return parts


def draw_legend(y):
    parts = []
    x = 20
    for label in COLOURS:
        parts.append(rectangle(x, y - 10, 12, 12, COLOURS[label]))
        parts.append(text(x + 18, y, label, 12, FAINT))
        x += 40 + 8 * len(label)
    parts.append(line(x + 6, y - 12, x + 6, y + 4, INK, 2))
    parts.append(text(x + 18, y, "the bar: no further right", 12, FAINT))
    return parts


def draw(rows):
    low, high = get_axis(rows)
    bottom = TOP + ROW_HEIGHT * len(rows)
    height = bottom + 40

    def get_x(ratio):
        return LEFT + (math.log2(ratio) - low) / (high - low) * (RIGHT - LEFT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        rectangle(0, 0, WIDTH, height, "#ffffff"),
        text(20, 32, "Our time, as a multiple of the other's", 17, INK, "start", "bold"),
        *draw_legend(58),
        text(get_x(1) - 10, TOP - 8, "faster", 12, FAINT, "end"),
        text(get_x(1) + 10, TOP - 8, "slower", 12, FAINT),
        *draw_axis(low, high, bottom, get_x),
    ]
    for i, row in enumerate(rows):
        y = TOP + i * ROW_HEIGHT
        if i > 0:
            parts.append(line(20, y, WIDTH - 20, y, GRID))
        parts += draw_row(row, y, get_x)
    parts.append("</svg>")

    return "\n".join(parts) + "\n"
