# SPDX-License-Identifier: MIT
"""What is where the array is: the array, with a line above if it is gone; or why there is none."""

from gi.repository import Adw, GLib, Gtk

from source import State
from widgets import describe_widget, show_page


class Pages(Gtk.Box):
    def __init__(self, view):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, vexpand=True)
        self.notice = Gtk.Label(wrap=True, xalign=0)
        self.bar = Gtk.InfoBar(message_type=Gtk.MessageType.WARNING, visible=False)
        self.bar.add_child(self.notice)
        self.page = Adw.StatusPage()
        self.button = Gtk.Button(halign=Gtk.Align.CENTER)
        self.button.add_css_class('pill')
        self.button.connect('clicked', self._clicked)
        self.page.set_child(self.button)
        self.remedy = None

        spinner = Gtk.Spinner(spinning=True, width_request=32, height_request=32,
                              halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        describe_widget(spinner, 'Opening')
        self.stack = Gtk.Stack(vexpand=True)
        self.stack.add_named(view, 'content')
        self.stack.add_named(self.page, 'status')
        self.stack.add_named(spinner, 'loading')
        self.append(self.bar)
        self.append(self.stack)

    def _clicked(self, _button):
        if self.remedy is not None:
            self.remedy()

    def explain(self, source, wanted, catalogue):
        gone = source is not None and source.state == State.GONE
        self.bar.set_visible(gone)
        if gone:
            self.notice.set_label(source.message)
        if source is None:
            self._show_empty(wanted, catalogue)
        elif source.array is not None:
            show_page(self.stack, 'content')
        elif source.state == State.LOADING:
            show_page(self.stack, 'loading')
        else:
            icon = ('dialog-error-symbolic' if source.state == State.FAILED else
                    'content-loading-symbolic')
            self._say(icon, source.heading, source.message, source.remedy)

    def _show_empty(self, wanted, catalogue):
        if wanted is not None:
            self._say('content-loading-symbolic', 'Not There Yet',
                      f'Nothing is shared as “{wanted}” now. It is shown as soon as there is '
                      'something.')
        elif not catalogue.ready:
            show_page(self.stack, 'loading')
        elif catalogue.get_n_items() == 0:
            self._say('view-grid-symbolic', 'Nothing to Show',
                      'No program shares an array or a stream now.',
                      ('Open Files…', lambda: self.activate_action('win.open', None)))
        else:
            self._say('view-grid-symbolic', 'Nothing Selected',
                      'Select an array, a stream or a file in the list.')

    def _say(self, icon, title, text, remedy=None):
        self.page.set_icon_name(icon)
        self.page.set_title(title)
        self.page.set_description(GLib.markup_escape_text(text))
        self.remedy = None if remedy is None else remedy[1]
        self.button.set_visible(remedy is not None)
        if remedy is not None:
            self.button.set_label(remedy[0])
        show_page(self.stack, 'status')
