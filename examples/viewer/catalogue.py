# SPDX-License-Identifier: MIT
"""The list of all arrays and streams of this machine, and of the files that were opened."""

import os
import threading

from gi.repository import Gio, GLib, GObject, Shnd

from words import format_shape, format_what

FOLDERS = ('/dev/shm', os.path.join(GLib.get_user_runtime_dir(), 'shndarray'))

# Who is killed says nothing: so it looks now and then, and at once where the folders change.
INTERVAL = 2000
SOON = 50

KINDS = ('stream', 'array', 'file')


class Item(GObject.Object):
    """Something that can be shown. `location` is the path of a file, and otherwise the name."""

    details = GObject.Property(type=str, default='')

    def __init__(self, kind: str, location: str, title: str, details: str = ''):
        super().__init__(details=details)
        self.kind = kind
        self.location = location
        self.title = title

    @property
    def key(self):
        return KINDS.index(self.kind), self.title.casefold(), self.title, self.location

    def matches(self, words: list[str]) -> bool:
        text = f'{self.title} {self.details} {self.kind}'.casefold()
        return all(word in text for word in words)


def list_shared() -> dict:
    """Keys and details of what is there now, by kind and name."""
    found = {('stream', name): '' for name in Shnd.list_addresses()}
    for info in Shnd.list_infos():
        if not info.orphaned:
            found['array', info.name] = describe_info(info)
    return found


def describe_info(info) -> str:
    try:
        return format_what(info.dtype, info.shape)
    except (TypeError, ValueError):
        # NumPy has no such dtype.
        return f'{info.get_dtype().to_string()} · {format_shape(info.shape)}'


class Catalogue(Gio.ListStore):
    """Items in order: streams, arrays, files. An item stays the same as long as it is there."""

    __gsignals__ = {'scanned': (GObject.SignalFlags.RUN_LAST, None, ())}

    problem = GObject.Property(type=str, default='')

    def __init__(self):
        super().__init__(item_type=Item)
        self.items = {}
        self.ready = False
        self._scanning = self._again = False
        self._soon = 0
        self._monitors = {}
        GLib.timeout_add(INTERVAL, self._scan_now_and_then)
        self.scan()

    # ---- Looking ----

    def scan(self):
        """Looks in another thread: there may be thousands."""
        self._watch_folders()
        if self._scanning:
            self._again = True
            return
        self._scanning = True
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        try:
            found, problem = list_shared(), ''
        except GLib.Error as error:
            found, problem = None, error.message
        GLib.idle_add(self._take, found, problem)

    def _take(self, found, problem):
        self._scanning = False
        self.ready = True
        if self.problem != problem:
            self.problem = problem
        if found is not None:
            self._update(found)
        self.emit('scanned')
        if self._again:
            self._again = False
            self.scan()
        return GLib.SOURCE_REMOVE

    def _update(self, found):
        # Those with a path are there because somebody asked for them.
        for key in [key for key in self.items if '/' not in key[1] and key not in found]:
            self._remove(key)
        for (kind, name), details in found.items():
            item = self.items.get((kind, name))
            if item is None:
                self._add(Item(kind, name, name, details))
            elif item.details != details:
                item.details = details

    def _scan_now_and_then(self):
        self.scan()
        return GLib.SOURCE_CONTINUE

    def _watch_folders(self):
        for folder in FOLDERS:
            if folder in self._monitors or not os.path.isdir(folder):
                continue
            try:
                monitor = Gio.File.new_for_path(folder).monitor_directory(
                    Gio.FileMonitorFlags.WATCH_MOVES, None)
            except GLib.Error:
                # Then there is the interval.
                monitor = None
            else:
                monitor.connect('changed', self._folder_changed)
            self._monitors[folder] = monitor

    def _folder_changed(self, _monitor, file, _other, event):
        if event == Gio.FileMonitorEvent.DELETED and file.get_path() in FOLDERS:
            self._monitors.pop(file.get_path(), None)
        if self._soon == 0:
            self._soon = GLib.timeout_add(SOON, self._scan_soon)

    def _scan_soon(self):
        self._soon = 0
        self.scan()
        return GLib.SOURCE_REMOVE

    # ---- What is in it ----

    def _add(self, item):
        self.items[item.kind, item.location] = item
        self.insert_sorted(item, lambda a, b: (a.key > b.key) - (a.key < b.key))

    def _remove(self, key):
        found, position = self.find(self.items.pop(key))
        if found:
            self.remove(position)

    def add_file(self, path: str) -> Item:
        path = os.path.abspath(path)
        if ('file', path) not in self.items:
            try:
                details = describe_info(Shnd.ArrayInfo.new_for_path(path))
            except GLib.Error:
                details = 'Cannot be shown'
            self._add(Item('file', path, GLib.filename_display_basename(path), details))
        return self.items['file', path]

    def add_address(self, path: str) -> Item:
        """A stream whose address is the path of its socket."""
        if ('stream', path) not in self.items:
            self._add(Item('stream', path, GLib.filename_display_basename(path)))
        return self.items['stream', path]

    def close_item(self, item: Item):
        self._remove((item.kind, item.location))

    def find_name(self, name: str) -> Item | None:
        return self.items.get(('stream', name)) or self.items.get(('array', name))
