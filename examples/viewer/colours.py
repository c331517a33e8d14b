# SPDX-License-Identifier: MIT
"""The menu for the colours of a heat map, and for the range that they are for."""

import math

import gi

gi.require_version('Gtk', '4.0')

from gi.repository import GObject, Gtk  # noqa: E402

NAMES = {
    'Automatic': None,
    'Heat map': 'heat',
    'Grey': 'grey',
    'Diverging': 'diverging',
}


class ColourMenu(Gtk.MenuButton):
    """`colours` is the name of a colour map or None, `limits` a fixed range or None."""

    __gtype_name__ = 'ShndViewerColourMenu'
    __gsignals__ = {'changed': (GObject.SignalFlags.RUN_LAST, None, ())}

    def __init__(self):
        super().__init__(label='Colours', tooltip_text='Colours and their range')
        self.colours = None
        self.limits = None
        self._shown = 0.0, 1.0
        self._names = Gtk.DropDown.new_from_strings(list(NAMES))
        self._names.connect('notify::selected', self._name_selected)
        self._fixed = Gtk.Switch(halign=Gtk.Align.START)
        self._fixed.connect('notify::active', self._fixed_toggled)
        self._low, self._high = Gtk.Entry(width_chars=12), Gtk.Entry(width_chars=12)
        for entry in (self._low, self._high):
            entry.set_sensitive(False)
            entry.connect('activate', self._limits_entered)
            focus = Gtk.EventControllerFocus()
            focus.connect('leave', self._limits_entered)
            entry.add_controller(focus)

        grid = Gtk.Grid(
            column_spacing=12,
            row_spacing=6,
            margin_start=6,
            margin_end=6,
            margin_top=6,
            margin_bottom=6,
        )
        rows = {
            '_Colours': self._names,
            '_Fixed range': self._fixed,
            '_Smallest': self._low,
            '_Greatest': self._high,
        }
        for i, (text, widget) in enumerate(rows.items()):
            label = Gtk.Label(label=text, use_underline=True, xalign=0, mnemonic_widget=widget)
            widget.update_property([Gtk.AccessibleProperty.LABEL], [text.replace('_', '')])
            grid.attach(label, 0, i, 1, 1)
            grid.attach(widget, 1, i, 1, 1)
        self.set_popover(Gtk.Popover(child=grid))

    def set_shown(self, low, high):
        """The range that is shown now, which a fixed one begins with."""
        self._shown = low, high

    def reset(self):
        """A range for another array, whose numbers are others."""
        if self.limits is not None:
            self.limits = None
            self._fixed.set_active(False)

    def _name_selected(self, *_arguments):
        self.colours = list(NAMES.values())[self._names.get_selected()]
        self.emit('changed')

    def _fixed_toggled(self, *_arguments):
        fixed = self._fixed.get_active()
        for entry, number in zip((self._low, self._high), self._shown):
            entry.set_sensitive(fixed)
            if fixed:
                entry.set_text(format(number, '.8g'))
        self._read_limits()

    def _limits_entered(self, *_arguments):
        if self._fixed.get_active():
            self._read_limits()

    def _read_limits(self):
        limits = [read_number(entry) for entry in (self._low, self._high)]
        if not self._fixed.get_active():
            limits = None
        elif None in limits:
            return
        else:
            limits = tuple(sorted(limits))
        if limits != self.limits:
            self.limits = limits
            self.emit('changed')


def read_number(entry):
    """The number in an entry; None if there is none, which it then shows."""
    try:
        number = float(entry.get_text().replace('−', '-'))
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        entry.remove_css_class('error')
        return number
    entry.add_css_class('error')
    return None
