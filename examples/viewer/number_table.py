# SPDX-License-Identifier: MIT
"""The numbers around the element that the pointer is at."""

import math

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import GLib, Gtk, Pango  # noqa: E402

from drawing import add_style  # noqa: E402
from widgets import describe_widget  # noqa: E402

AROUND = 3

HINT = 'Point at an element to see the numbers around it.'

# The blue that marks what is selected, on which white is easy to read, in either style.
HIGHLIGHT = 'background="#1a5fb4" bgalpha="100%" foreground="#ffffff" alpha="100%"'


def get_window(current, length):
    """The indices around one, as many on each side; at an end those that there are."""
    first = min(max(current - AROUND, 0), max(length - 2 * AROUND - 1, 0))
    return range(first, min(first + 2 * AROUND + 1, length))


def make_markup(header, rows, current, room=math.inf):
    """A table in one text. `rows` are (title, texts); `current` is the (row, column) that is
    highlighted, where a row of None stands for all of them. What is farthest from that column is
    left out, if a line would have more than `room` characters.
    """
    titles = [title for title, _texts in rows]
    width = max((len(title) for title in titles), default=0)
    widths = [
        max([len(header[i]), *(len(texts[i]) for _title, texts in rows)])
        for i in range(len(header))
    ]
    first, end = narrow(widths, current[1], room - width - 1)
    header, widths = header[first:end], widths[first:end]
    rows = [(title, texts[first:end]) for title, texts in rows]
    current = current[0], current[1] - first
    top = ''.join(f' {text:>{n}} ' for text, n in zip(header, widths))
    lines = [dim(' ' * (width + 1) + top)]
    for i, (title, texts) in enumerate(rows):
        line = dim(title.rjust(width) + ' ')
        for j, text in enumerate(texts):
            cell = escape(f' {text:>{widths[j]}} ')
            is_current = j == current[1] and current[0] in (i, None)
            line += f'<span {HIGHLIGHT}>{cell}</span>' if is_current else cell
        lines.append(line)
    return '\n'.join(lines)


def narrow(widths, current, room):
    """The first column and the end of those that there is room for, with the current one."""
    first, end = 0, len(widths)
    while end - first > 1 and sum(n + 2 for n in widths[first:end]) > room:
        if current - first > end - 1 - current:
            first += 1
        else:
            end -= 1
    return first, end


def dim(text):
    return f'<span alpha="65%">{escape(text)}</span>'


def escape(text):
    return GLib.markup_escape_text(text)


class NumberTable(Gtk.ScrolledWindow):
    """A label with a table, in an area that scrolls if it is too wide."""

    __gtype_name__ = 'ShndViewerNumberTable'

    def __init__(self):
        super().__init__(
            hscrollbar_policy=Gtk.PolicyType.AUTOMATIC,
            # It takes what it needs, but keeps no window from getting less high.
            vscrollbar_policy=Gtk.PolicyType.EXTERNAL,
            propagate_natural_height=True,
        )
        add_style(self.get_display())
        self._label = Gtk.Label(
            halign=Gtk.Align.START,
            valign=Gtk.Align.START,
            margin_start=12,
            margin_end=12,
            margin_top=6,
            margin_bottom=6,
            xalign=0,
        )
        self._label.add_css_class('array-numbers')
        describe_widget(self, 'Numbers around the pointer')
        self._markup = None
        self.set_child(self._label)

    def get_text(self):
        return self._label.get_text()

    def clear(self, n_lines=1):
        """Shows no numbers, in as much room as they will take."""
        self._set_markup(f'<span font_family="sans">{dim(HINT)}</span>' + '\n' * (n_lines - 1))

    def show_raster(self, raster, current):
        """The elements of a picture around one; fewer of them if they are long."""
        if current is None:
            self.clear(1 + min(raster.height, 2 * AROUND + 1))
            return
        row, column = current
        rows = get_window(row, raster.height)
        columns = get_window(column, raster.width)
        body = [(str(i), [raster.get_text(i, j) for j in columns]) for i in rows]
        header = [str(j) for j in columns]
        place = row - rows[0], column - columns[0]
        self._set_markup(make_markup(header, body, place, self._get_room()))

    def show_series(self, names, get_text, length, current):
        """The points of lines around one; a line of text for each line."""
        if current is None:
            self.clear(1 + len(names))
            return
        window = get_window(current, length)
        body = [(name, [get_text(i, j) for j in window]) for i, name in enumerate(names)]
        place = window.index(current)
        header = [str(j) for j in window]
        self._set_markup(make_markup(header, body, (None, place), self._get_room()))

    def _get_room(self):
        """For how many characters a line has room."""
        width = self.get_width() - self._label.get_margin_start() - self._label.get_margin_end()
        metrics = self._label.get_pango_context().get_metrics(None, None)
        return width * Pango.SCALE / metrics.get_approximate_digit_width() if width > 0 else math.inf

    def _set_markup(self, markup):
        if markup != self._markup:
            self._markup = markup
            self._label.set_markup(markup)
