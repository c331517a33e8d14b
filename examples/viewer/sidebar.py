# SPDX-License-Identifier: MIT
"""The list on the left: what can be shown, with a search."""

from gi.repository import Adw, GLib, GObject, Gtk

from widgets import describe_widget, make_button, make_label, show_page

HEADINGS = {'stream': 'Streams', 'array': 'Arrays', 'file': 'Files'}
ICONS = {
    'stream': 'camera-video-symbolic',
    'array': 'view-grid-symbolic',
    'file': 'text-x-generic-symbolic',
}


class Row(Gtk.ListBoxRow):
    """One of them; those that were opened by the user can be closed."""

    def __init__(self, item, close):
        super().__init__()
        self.item = item
        title = make_label(item.title)
        details = make_label(item.details, 'caption', 'dim-label', visible=bool(item.details))
        texts = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, hexpand=True, valign=Gtk.Align.CENTER,
                        spacing=2)
        texts.append(title)
        texts.append(details)
        box = Gtk.Box(spacing=12, margin_top=6, margin_bottom=6)
        box.append(Gtk.Image(icon_name=ICONS[item.kind]))
        box.append(texts)
        if '/' in item.location:
            button = make_button('window-close-symbolic', 'Remove from the List',
                                 valign=Gtk.Align.CENTER)
            button.add_css_class('flat')
            button.add_css_class('circular')
            button.connect('clicked', lambda _button: close(item))
            box.append(button)
            self.set_tooltip_text(GLib.filename_display_name(item.location))
        self.set_child(box)
        self._details = details
        self._handler = item.connect('notify::details', self._details_changed)
        self.connect('notify::root', self._root_changed)
        self._describe()

    def _root_changed(self, _row, _pspec):
        # A search removes rows of items that stay.
        if self.get_root() is None:
            self.item.disconnect(self._handler)

    def _details_changed(self, item, _pspec):
        self._details.set_label(item.details)
        self._describe()

    def _describe(self):
        item = self.item
        describe_widget(self, item.title, f'{item.kind.capitalize()} {item.details}'.rstrip())


class Sidebar(Gtk.Box):
    """A header bar, a search bar and the list. `chosen` says that the user has selected an item."""

    __gsignals__ = {
        'chosen': (GObject.SignalFlags.RUN_LAST, None, (GObject.TYPE_PYOBJECT,)),
        'closed': (GObject.SignalFlags.RUN_LAST, None, (GObject.TYPE_PYOBJECT,)),
    }

    def __init__(self, catalogue):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, width_request=280, hexpand=False)
        self.add_css_class('background')
        self.catalogue = catalogue
        self.words = []
        self.current = None
        self.header = self._make_header()
        self.append(self.header)
        self.append(self._make_search())
        self._make_list()
        self.update()

    # ---- Parts ----

    def _make_header(self):
        header = Adw.HeaderBar(title_widget=Adw.WindowTitle(title='Shared'))
        header.pack_start(make_button('document-open-symbolic', 'Open Files', 'Ctrl+O',
                                      action_name='win.open'))
        self.search_button = make_button('system-search-symbolic', 'Search', 'Ctrl+F',
                                         Gtk.ToggleButton)
        header.pack_end(self.search_button)
        return header

    def _make_search(self):
        self.entry = Gtk.SearchEntry(placeholder_text='Name, dtype or shape', hexpand=True)
        describe_widget(self.entry, 'Search in the list')
        self.entry.connect('search-changed', self._search_changed)
        self.entry.connect('activate', self._search_activated)
        self.search_bar = Gtk.SearchBar(child=self.entry)
        self.search_bar.connect_entry(self.entry)
        self.search_bar.bind_property(
            'search-mode-enabled', self.search_button, 'active',
            GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE)
        return self.search_bar

    def _make_list(self):
        self.list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.SINGLE)
        self.list.add_css_class('navigation-sidebar')
        describe_widget(self.list, 'Streams, arrays and files')
        self.list.set_header_func(self._set_header)
        self.list.connect('row-activated', self._row_activated)
        self.list.connect('row-selected', self._row_selected)
        self.filter = Gtk.CustomFilter.new(lambda item: item.matches(self.words))
        self.shown = Gtk.FilterListModel(model=self.catalogue, filter=self.filter)
        self.list.bind_model(self.shown, self._make_row)
        self.shown.connect('items-changed', self._items_changed)

        self.nothing = Adw.StatusPage()
        self.nothing.add_css_class('compact')
        self.stack = Gtk.Stack(vexpand=True)
        self.stack.add_named(Gtk.ScrolledWindow(child=self.list,
                                                hscrollbar_policy=Gtk.PolicyType.NEVER), 'list')
        self.stack.add_named(self.nothing, 'nothing')
        self.append(self.stack)

    def _make_row(self, item):
        return Row(item, lambda item: self.emit('closed', item))

    # ---- What is in the list ----

    def _set_header(self, row, before):
        kind = row.item.kind
        if before is not None and before.item.kind == kind:
            row.set_header(None)
        elif row.get_header() is None:
            label = make_label(HEADINGS[kind], 'heading', 'dim-label')
            label.set_margin_start(14)
            label.set_margin_top(12)
            label.set_margin_bottom(4)
            row.set_header(label)

    def _search_changed(self, entry):
        self.words = entry.get_text().casefold().split()
        self.filter.changed(Gtk.FilterChange.DIFFERENT)

    def _search_activated(self, entry):
        """Enter takes the first that is found; the entry may not have said yet what is sought."""
        self._search_changed(entry)
        if self.shown.get_n_items() > 0:
            self.emit('chosen', self.shown.get_item(0))

    def _items_changed(self, *_):
        self.list.invalidate_headers()
        # What is shown may be back in the list, or not be there any more.
        if self.current is not self.get_selected():
            self.select(self.current)
        self.update()

    def update(self):
        """Shows the list, or why there is none."""
        if self.shown.get_n_items() > 0:
            show_page(self.stack, 'list')
            return
        show_page(self.stack, 'nothing')
        if self.catalogue.problem:
            self._say('dialog-error-symbolic', 'Cannot List', self.catalogue.problem)
        elif self.words:
            self._say('system-search-symbolic', 'Nothing Found', 'Try another search.')
        else:
            self._say('view-grid-symbolic', 'Nothing Shared',
                      'Arrays and streams of this machine appear here.')

    def _say(self, icon, title, description):
        self.nothing.set_icon_name(icon)
        self.nothing.set_title(title)
        self.nothing.set_description(description)

    # ---- Selection ----

    def select(self, item):
        """Marks the item that is shown, or none. It may not be in the list."""
        self.current = item
        self.list.select_row(None if item is None else self._find_row(item))

    def _find_row(self, item):
        for position, shown in enumerate(self.shown):
            if shown is item:
                return self.list.get_row_at_index(position)
        return None

    def get_selected(self):
        row = self.list.get_selected_row()
        return None if row is None else row.item

    def _row_selected(self, _list, row):
        # Where a row goes that had the focus, the next one is selected: nobody has asked for that.
        gone = self.current is not None and self._find_row(self.current) is None
        if row is not None and row.item is not self.current and not gone:
            self.emit('chosen', row.item)

    def _row_activated(self, _list, row):
        self.emit('chosen', row.item)

    def start_search(self):
        self.search_bar.set_search_mode(True)
        self.entry.grab_focus()
