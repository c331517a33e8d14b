# SPDX-License-Identifier: MIT
"""The line below: what the array is, what is under the pointer, and how it goes on."""

from gi.repository import Gtk, Pango

from words import format_age, format_dtype, format_rate, format_shape, format_size

# There is no room for them in a narrow window.
WIDE = ('size', 'missed', 'age')


class StatusBar(Gtk.Box):
    """Labels, of which those without a text are not there."""

    def __init__(self):
        super().__init__(spacing=18, margin_start=12, margin_end=12, margin_top=6, margin_bottom=6)
        self.add_css_class('caption')
        self.labels = {}
        self.narrow = False
        for name, tooltip in (('dtype', 'What each element is'), ('shape', 'Elements along each axis'),
                              ('size', 'Size of the elements')):
            self._add(name, tooltip)
        self._add('pointer', 'Under the pointer', hexpand=True, halign=Gtk.Align.CENTER)
        for name, tooltip in (('rate', 'Changes a second'), ('missed', 'Frames that were not shown'),
                              ('age', 'The last change')):
            self._add(name, tooltip)

    def _add(self, name, tooltip, **properties):
        label = Gtk.Label(ellipsize=Pango.EllipsizeMode.END, tooltip_text=tooltip, **properties)
        label.add_css_class('numeric')
        if name != 'pointer':
            label.add_css_class('dim-label')
        self.labels[name] = label
        self.append(label)

    def _set(self, name, text):
        label = self.labels[name]
        if label.get_label() != text:
            label.set_label(text)
        # The one in the middle keeps its place.
        label.set_visible(name == 'pointer' or bool(text) and not (self.narrow and name in WIDE))

    def set_pointer(self, text: str):
        self._set('pointer', text)

    def show_array(self, array):
        if array is None:
            for name in self.labels:
                self._set(name, '')
            return
        self._set('dtype', format_dtype(array.dtype))
        self._set('shape', format_shape(array.shape))
        self._set('size', format_size(array.nbytes))

    def show_progress(self, source):
        """What changes with the time."""
        missed, age = source.missed, source.age
        self._set('rate', 'Paused' if source.paused else format_rate(source.rate))
        self._set('missed', '' if missed is None else f'{missed} missed')
        self._set('age', '' if age is None else format_age(age))

    def set_narrow(self, narrow: bool):
        self.narrow = narrow
        for name, label in self.labels.items():
            self._set(name, label.get_label())
