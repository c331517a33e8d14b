# SPDX-License-Identifier: MIT
"""The controls for what is chosen of an array: kind, plane, field, part, channels, indices."""

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import GObject, Gtk  # noqa: E402

from widgets import describe_widget  # noqa: E402

KINDS = {
    'picture': ('Picture', 'Elements as pixels'),
    'plot': ('Plot', 'Elements as lines'),
    'table': ('Table', 'Elements as text'),
}


class Slices(Gtk.Box):
    """Shows what a selection offers, and tells it what is chosen."""

    __gtype_name__ = 'ShndViewerSlices'
    __gsignals__ = {'changed': (GObject.SignalFlags.RUN_LAST, None, ())}

    def __init__(self, selection):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._selection = selection
        self._is_building = False
        self._row = Gtk.Box(spacing=12, margin_start=12, margin_end=12)
        self._extras = []
        scrolled = Gtk.ScrolledWindow(
            vscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_height=True
        )
        scrolled.set_child(self._row)
        self.append(scrolled)
        self._grid = Gtk.Grid(column_spacing=12, row_spacing=3, margin_start=12, margin_end=12)
        self.append(self._grid)

    def add_extra(self, widget):
        """A widget that stays at the end of the row."""
        self._extras.append(widget)
        self._row.append(widget)

    def rebuild(self):
        """Makes the controls anew, after there is something else to choose."""
        self._is_building = True
        for child in list_children(self._row):
            if child not in self._extras:
                self._row.remove(child)
        for child in list_children(self._grid):
            self._grid.remove(child)

        previous = None
        for widget in self._make_row():
            self._row.insert_child_after(widget, previous)
            previous = widget
        for i, slider in enumerate(self._selection.sliders):
            self._add_slider(i, slider)
        self._grid.set_visible(bool(self._selection.sliders))
        self._is_building = False

    def _make_row(self):
        kinds = [kind for kind in self._selection.kinds if kind in KINDS]
        if len(kinds) > 1:
            yield self._make_kinds(kinds)
        for choice in self._selection.choices:
            yield self._make_choice(choice)

    def _make_kinds(self, kinds):
        box = Gtk.Box(accessible_role=Gtk.AccessibleRole.GROUP)
        box.add_css_class('linked')
        describe_widget(box, 'Show as')
        first = None
        for kind in kinds:
            label, tip = KINDS[kind]
            button = Gtk.ToggleButton(label=label, tooltip_text=tip, group=first)
            button.set_active(kind == self._selection.kind)
            button.connect('toggled', self._kind_toggled, kind)
            first = first or button
            box.append(button)
        return box

    def _kind_toggled(self, button, kind):
        if button.get_active() and not self._is_building:
            self._selection.choose_kind(kind)
            self._changed()

    def _make_choice(self, choice):
        box = Gtk.Box(spacing=6)
        label = Gtk.Label(label=choice.label)
        down = Gtk.DropDown.new_from_strings(choice.options)
        down.set_selected(choice.active)
        down.set_tooltip_text(choice.label)
        describe_widget(down, choice.label)
        # What has the focus, and no name, is the button inside.
        describe_widget(down.get_first_child(), choice.label)
        down.connect('notify::selected', self._option_selected, choice)
        box.append(label)
        box.append(down)
        return box

    def _option_selected(self, down, _property, choice):
        selected = down.get_selected()
        if not self._is_building and selected < len(choice.options):
            self._selection.choose(choice.name, choice.options[selected])
            self._changed()

    def _changed(self):
        self.rebuild()
        self.emit('changed')

    def _add_slider(self, row, slider):
        name = f'Index of axis {slider.axis}'
        adjustment = Gtk.Adjustment(
            value=slider.index,
            lower=0,
            upper=max(slider.length - 1, 0),
            step_increment=1,
            page_increment=max(1, slider.length // 10),
        )
        label = Gtk.Label(label=f'Axis {slider.axis}', xalign=0)
        spin = Gtk.SpinButton(adjustment=adjustment, digits=0, numeric=True, tooltip_text=name)
        describe_widget(spin, name)
        scale = Gtk.Scale(adjustment=adjustment, hexpand=True, digits=0, tooltip_text=name)
        describe_widget(scale, f'{name}, of {slider.length}')
        adjustment.connect('value-changed', self._index_changed, slider)
        for column, widget in enumerate((label, spin, scale)):
            self._grid.attach(widget, column, row, 1, 1)

    def _index_changed(self, adjustment, slider):
        index = round(adjustment.get_value())
        if not self._is_building and index != slider.index:
            self._selection.set_index(slider.axis, index)
            self.emit('changed')


def list_children(widget):
    children, child = [], widget.get_first_child()
    while child is not None:
        children.append(child)
        child = child.get_next_sibling()
    return children
