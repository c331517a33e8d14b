# SPDX-License-Identifier: MIT
"""Elements of any dtype as lines of text, of which only those are made that are seen."""

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import Gio, GObject, Gtk  # noqa: E402

from drawing import add_style  # noqa: E402
from values import format_value  # noqa: E402

# A line has so many elements at most, a list so many lines.
MAX_COLUMNS = 64
MAX_ROWS = (1 << 31) - 1


# So many rows are looked at, for how wide columns are.
N_SAMPLE = 16


def find_width(view):
    """How many characters the elements of some rows take."""
    rows = view[:: max(1, len(view) // N_SAMPLE), :MAX_COLUMNS]
    return max((len(format_value(value)) for row in rows for value in row), default=0)


def make_line(view, row, width):
    """An element, or a row of them in columns of a width, as text."""
    if view.ndim == 1:
        return format_value(view[row])
    texts = [format_value(value) for value in view[row, :MAX_COLUMNS]]
    if view.shape[1] > MAX_COLUMNS:
        texts.append('…')
    return '  '.join(text.rjust(width) for text in texts)


class Row(GObject.Object):
    __gtype_name__ = 'ShndViewerRow'

    def __init__(self, index):
        super().__init__()
        self.index = index


class Rows(GObject.Object, Gio.ListModel):
    """A list of as many rows as there are, made when they are asked for."""

    __gtype_name__ = 'ShndViewerRows'

    def __init__(self):
        super().__init__()
        self.length = 0

    def set_length(self, length):
        before, self.length = self.length, length
        self.items_changed(0, before, length)

    def do_get_item_type(self):
        return Row.__gtype__

    def do_get_n_items(self):
        return self.length

    def do_get_item(self, position):
        return Row(position) if position < self.length else None


class Table(Gtk.ScrolledWindow):
    """A list of lines, each with its index."""

    __gtype_name__ = 'ShndViewerTable'

    def __init__(self):
        super().__init__(hexpand=True, vexpand=True)
        add_style(self.get_display())
        self._view = None
        self._key = None
        self._width = 0
        self._rows = Rows()
        self._bound = set()
        factory = Gtk.SignalListItemFactory()
        factory.connect('setup', self._setup)
        factory.connect('bind', self._bind)
        factory.connect('unbind', lambda _factory, item: self._bound.discard(item))
        self._model = Gtk.SingleSelection(model=self._rows, autoselect=False)
        self._list = Gtk.ListView(model=self._model, factory=factory)
        self._list.add_css_class('array-numbers')
        self._list.update_property([Gtk.AccessibleProperty.LABEL], ['Elements'])
        self.set_child(self._list)

    def show_view(self, view):
        """Shows the elements of a view of 1 or 2 dimensions, or None."""
        self._view = view
        key = None if view is None else (view.dtype, view.shape)
        if key != self._key:
            self._key = key
            self._width = find_width(view) if view is not None and view.ndim == 2 else 0
        length = 0 if view is None else min(view.shape[0], MAX_ROWS)
        if length != self._rows.length:
            self._rows.set_length(length)
        else:
            for item in self._bound:
                self._set_text(item)

    def _setup(self, _factory, item):
        box = Gtk.Box(spacing=18)
        index = Gtk.Label(xalign=1, width_chars=8)
        index.add_css_class('dim-label')
        box.append(index)
        box.append(Gtk.Label(xalign=0))
        item.set_child(box)

    def _bind(self, _factory, item):
        self._bound.add(item)
        self._set_text(item)

    def _set_text(self, item):
        row = item.get_item()
        if self._view is None or row is None or row.index >= len(self._view):
            return
        box = item.get_child()
        box.get_first_child().set_label(str(row.index))
        box.get_last_child().set_label(make_line(self._view, row.index, self._width))
