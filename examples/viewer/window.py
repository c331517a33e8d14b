# SPDX-License-Identifier: MIT
"""A window: the list of what there is, and one of it shown."""

import gi

gi.require_version('Adw', '1')
gi.require_version('Gtk', '4.0')

from gi.repository import Adw, Gdk, Gio, GLib, GObject, Gtk  # noqa: E402

from content import ArrayView  # noqa: E402
from pages import Pages  # noqa: E402
from saving import ProgressRow, is_cancelled, save_npy, save_png  # noqa: E402
from sidebar import Sidebar  # noqa: E402
from source import ArraySource, FileSource, State, describe  # noqa: E402
from statusbar import StatusBar  # noqa: E402
from stream import StreamSource  # noqa: E402
from widgets import make_button  # noqa: E402
from words import format_video, format_what  # noqa: E402

# Milliseconds.
TICK = 500

# A window that is not drawn has to go on, too: a publisher may wait for it.
UNSEEN = 250

# Arrays whose writers do not say when they write are looked at so often, in seconds; less often if that
# takes long.
REFRESH = 1
SHARE = 20

# Below this height there is room for a picture alone.
SHORT = 440

ZOOMS = ('zoom-in', 'zoom-out', 'zoom-fit', 'zoom-actual')


class Window(Adw.ApplicationWindow):
    """Shows one source at a time. The others are closed."""

    def __init__(self, application, catalogue):
        super().__init__(application=application, title='Array Viewer', default_width=1100,
                         default_height=720, width_request=360, height_request=300)
        self.catalogue = catalogue
        self.source = None
        self.item = None
        self.wanted = None
        self._pending = self._drawn = 0
        self._looked_at = 0.0
        self._took = 0.0

        self.view = ArrayView()
        self.view.connect('notify::pointer-text', self._pointer_changed)
        self.pages = Pages(self.view)
        self.status = StatusBar()
        self.progress = ProgressRow()
        self.toasts = Adw.ToastOverlay(child=self._make_main())
        self.set_content(self.toasts)
        self._add_actions()
        self._add_drop_target()
        self._handlers = [
            catalogue.connect('scanned', self._scanned),
            catalogue.connect('notify::problem', lambda *_: self.sidebar.update()),
        ]
        self._is_short = False
        self._timer = GLib.timeout_add(TICK, self._tick)
        self.connect('close-request', self._closing)
        self._fold_changed(self.flap, None)
        self._show_state()

    # ---- Parts ----

    def _make_main(self):
        self.sidebar = Sidebar(self.catalogue)
        self.sidebar.connect('chosen', lambda _sidebar, item: self.open_item(item))
        self.sidebar.connect('closed', lambda _sidebar, item: self.close_item(item))

        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, hexpand=True)
        self.header = self._make_header()
        box.append(self.header)
        for child in (self.pages, self.progress, self.status):
            box.append(child)

        self.flap = Adw.Flap(flap=self.sidebar, content=box, separator=Gtk.Separator())
        self.flap.bind_property('reveal-flap', self.sidebar_button, 'active',
                                GObject.BindingFlags.BIDIRECTIONAL |
                                GObject.BindingFlags.SYNC_CREATE)
        self.flap.connect('notify::folded', self._fold_changed)
        self.flap.connect('notify::reveal-flap', self._fold_changed)
        return self.flap

    def _make_header(self):
        self.title_widget = Adw.WindowTitle(title='Array Viewer')
        header = Adw.HeaderBar(title_widget=self.title_widget)
        self.sidebar_button = make_button('sidebar-show-symbolic', 'Sidebar', 'F9',
                                          Gtk.ToggleButton)
        header.pack_start(self.sidebar_button)
        self.pause_button = make_button('media-playback-pause-symbolic', 'Pause', 'Ctrl+P',
                                        Gtk.ToggleButton, action_name='win.pause')
        header.pack_start(self.pause_button)

        builder = Gtk.Builder.new_from_file(self.get_application().get_ui_path('window.ui'))
        self.set_help_overlay(Gtk.Builder.new_from_file(
            self.get_application().get_ui_path('shortcuts.ui')).get_object('help_overlay'))
        header.pack_end(make_button('open-menu-symbolic', 'Main Menu', 'F10', Gtk.MenuButton,
                                    primary=True, menu_model=builder.get_object('primary_menu')))
        self.zoom_box = Gtk.Box()
        self.zoom_box.add_css_class('linked')
        for name, label, keys in (('zoom-out', 'Zoom Out', 'Ctrl+-'),
                                  ('zoom-fit', 'Best Fit', 'Ctrl+0'),
                                  ('zoom-in', 'Zoom In', 'Ctrl++')):
            icon = 'zoom-fit-best' if name == 'zoom-fit' else name
            self.zoom_box.append(make_button(f'{icon}-symbolic', label, keys,
                                             action_name=f'win.{name}'))
        header.pack_end(self.zoom_box)
        return header

    def _add_actions(self):
        simple = {
            'open': self._choose_files, 'save': self._save, 'export': self._export,
            'refresh': lambda: self.source.refresh(), 'search': self._search,
            'fullscreen': self._toggle_fullscreen, 'close': self.close,
        }
        for zoom in ZOOMS:
            simple[zoom] = lambda zoom=zoom: self.view.activate_action(f'view.{zoom}', None)
        for name, function in simple.items():
            action = Gio.SimpleAction.new(name, None)
            action.connect('activate', lambda _action, _value, function=function: function())
            self.add_action(action)
        self.add_action(Gio.PropertyAction.new('sidebar', self.flap, 'reveal-flap'))
        pause = Gio.SimpleAction.new_stateful('pause', None, GLib.Variant('b', False))
        pause.connect('change-state', self._pause_changed)
        self.add_action(pause)

    def _add_drop_target(self):
        target = Gtk.DropTarget.new(Gdk.FileList, Gdk.DragAction.COPY)
        target.connect('drop', self._dropped)
        self.add_controller(target)

    def _dropped(self, _target, files, _x, _y):
        paths = [file.get_path() for file in files.get_files()]
        self.open_files([path for path in paths if path is not None])
        return any(paths)

    # ---- What is shown ----

    def open_item(self, item):
        if self.item is not item:
            self.wanted = None
            self._take(item, self._make_source(item))
            self.sidebar.select(item)
        if self.flap.get_folded():
            self.flap.set_reveal_flap(False)

    def open_name(self, name: str):
        """What has this name, now or as soon as there is something."""
        item = self.catalogue.find_name(name)
        if item is not None:
            self.open_item(item)
        else:
            self.wanted = name
            self._take(None, None)

    def open_files(self, paths):
        for path in paths:
            self.open_item(self.catalogue.add_file(path))

    def close_item(self, item):
        if item is self.item:
            self.sidebar.select(None)
            self._take(None, None)
        self.catalogue.close_item(item)

    @staticmethod
    def _make_source(item):
        if item.kind == 'stream':
            return StreamSource(item.location)
        if item.kind == 'file':
            return FileSource(item.location)
        return ArraySource(item.location)

    def _take(self, item, source):
        if self.source is not None:
            # Its signals may still be on their way.
            old, self.source = self.source, None
            old.stop()
            self.view.clear()
        self.item = item
        self.source = source
        self._looked_at = GLib.get_monotonic_time() / 1e6
        self.lookup_action('pause').set_state(GLib.Variant('b', False))
        if source is None:
            self._show_state()
            return
        source.connect('updated', self._updated)
        source.connect('changed', self._changed)
        source.start()
        self._show_state()

    def _scanned(self, catalogue):
        if self.wanted is not None and catalogue.find_name(self.wanted) is not None:
            self.open_item(catalogue.find_name(self.wanted))
        elif self.source is not None:
            self.source.check()
            self._select_again()
        if self.source is None:
            self._show_state()

    def _select_again(self):
        """An array or a stream that was gone is another item when it is back."""
        key = (self.item.kind, self.item.location)
        item = self.catalogue.items.get(key)
        if item is not None and item is not self.item:
            self.item = item
            self.sidebar.select(item)

    def _updated(self, source):
        """Shows it when the window is drawn next, or a little later if it is not drawn."""
        if source is self.source and self._pending == 0:
            self._drawn = self.view.add_tick_callback(self._show_in_frame)
            self._pending = GLib.timeout_add(UNSEEN, self._show_unseen)

    def _show_in_frame(self, _view, _clock):
        GLib.source_remove(self._pending)
        self._pending = 0
        self._show_array()
        return GLib.SOURCE_REMOVE

    def _show_unseen(self):
        self.view.remove_tick_callback(self._drawn)
        self._pending = 0
        self._show_array()
        return GLib.SOURCE_REMOVE

    def _show_array(self):
        source = self.source
        if source is None or source.array is None:
            return
        begin = GLib.get_monotonic_time()
        try:
            self.view.show(source.array, source.planes, source.metadata)
        except (GLib.Error, MemoryError, TypeError, ValueError) as error:
            source.fail('Cannot Show the Array', error, ('Try Again', source.start))
            return
        self._looked_at = GLib.get_monotonic_time() / 1e6
        self._took = self._looked_at - begin / 1e6
        self.status.show_array(source.array)
        self._show_title()

    def _changed(self, source):
        if source is self.source:
            if source.array is None:
                self.view.clear()
            self._show_state()

    # ---- What is said about it ----

    def _show_title(self):
        source = self.source
        array = None if source is None else source.array
        self.title_widget.set_title('Array Viewer' if source is None else source.title)
        self.title_widget.set_subtitle('' if array is None else
                                       format_video(source.metadata or {}) or
                                       format_what(array.dtype, array.shape))
        self.set_title('Array Viewer' if source is None else f'{source.title} – Array Viewer')

    def _show_state(self):
        source = self.source
        array = None if source is None else source.array
        self._show_title()
        self.pages.explain(source, self.wanted, self.catalogue)
        self.status.show_array(array)
        self.status.set_visible(array is not None)
        for name in (*ZOOMS, 'save', 'export'):
            self.lookup_action(name).set_enabled(array is not None)
        self.lookup_action('refresh').set_enabled(source is not None)
        is_stream = source is not None and source.kind == 'stream'
        self.lookup_action('pause').set_enabled(is_stream)
        self.pause_button.set_visible(is_stream)
        self._show_progress()

    def _show_progress(self):
        if self.source is not None and self.source.array is not None:
            self.status.show_progress(self.source)

    def _pointer_changed(self, view, _pspec):
        self.status.set_pointer(view.props.pointer_text)

    def _tick(self):
        source = self.source
        if source is None:
            return GLib.SOURCE_CONTINUE
        source.sample()
        self._show_progress()
        pause = max(REFRESH, SHARE * self._took)
        if source.kind == 'array' and source.state == State.LIVE and \
                GLib.get_monotonic_time() / 1e6 - self._looked_at >= pause:
            source.refresh()
        return GLib.SOURCE_CONTINUE

    def _fold_changed(self, flap, _pspec):
        folded = flap.get_folded()
        self.zoom_box.set_visible(not folded)
        self.status.set_narrow(folded)
        # There is one set of window buttons on each side of the window.
        beside = not folded and flap.get_reveal_flap()
        self.header.set_show_start_title_buttons(not beside)
        self.sidebar.header.set_show_end_title_buttons(folded)

    def do_size_allocate(self, width, height, baseline):
        Adw.ApplicationWindow.do_size_allocate(self, width, height, baseline)
        is_short = height < SHORT
        if is_short != self._is_short:
            self._is_short = is_short
            # Not in here, where sizes have been asked for.
            GLib.idle_add(self.view.set_short, is_short)

    # ---- Actions ----

    def tell(self, text: str):
        self.toasts.add_toast(Adw.Toast(title=GLib.markup_escape_text(text)))

    def _search(self):
        self.flap.set_reveal_flap(True)
        self.sidebar.start_search()

    def _toggle_fullscreen(self):
        if self.is_fullscreen():
            self.unfullscreen()
        else:
            self.fullscreen()

    def _pause_changed(self, action, value):
        action.set_state(value)
        if self.source is not None and self.source.kind == 'stream':
            self.source.set_paused(value.get_boolean())

    def _choose_files(self):
        chooser = Gtk.FileChooserNative(title='Open Files', transient_for=self, modal=True,
                                        action=Gtk.FileChooserAction.OPEN, select_multiple=True)
        for name, pattern in (('NumPy files', '*.npy'), ('All files', '*')):
            filter_ = Gtk.FileFilter(name=name)
            filter_.add_pattern(pattern)
            chooser.add_filter(filter_)
        self._run_chooser(chooser, lambda: self.open_files(
            [path for path in (file.get_path() for file in chooser.get_files()) if path]))

    def _run_chooser(self, chooser, accept):
        def respond(chooser, response):
            self._chooser = None
            if response == Gtk.ResponseType.ACCEPT:
                accept()
            chooser.destroy()

        # Nothing else keeps it.
        self._chooser = chooser
        chooser.connect('response', respond)
        chooser.show()

    def _save(self):
        self._choose_target('Save as Array', '.npy', save_npy, self.view.get_shown_array)

    def _export(self):
        if self.view.get_painter() is None:
            self.tell('There is no picture to export')
        else:
            self._choose_target('Export Picture', '.png', save_png, self.view.get_painter)

    def _choose_target(self, title, suffix, write, get):
        if self.progress.job is not None:
            self.tell('Another file is being saved')
            return
        chooser = Gtk.FileChooserNative(title=title, transient_for=self, modal=True,
                                        action=Gtk.FileChooserAction.SAVE)
        name = self.source.title
        chooser.set_current_name(name.removesuffix('.npy') + suffix)

        def accept():
            path = chooser.get_file().get_path()
            if path is None:
                self.tell('Only files of this machine can be written')
                return
            # Only now: a frame that is kept for longer keeps its stream waiting.
            what = get()
            if what is None:
                self.tell('There is nothing to save any more')
                return
            self.progress.run(write, what, path, lambda error: self._saved(path, error))

        self._run_chooser(chooser, accept)

    def _saved(self, path, error):
        name = GLib.filename_display_basename(path)
        if error is None:
            self.tell(f'Saved “{name}”')
        elif is_cancelled(error):
            self.tell(f'“{name}” was not saved')
        else:
            # Some messages begin with the path, which may be long.
            self.tell(f'Cannot save “{name}”: {describe(error).rpartition("”: ")[2]}')

    def _closing(self, _window):
        self._take(None, None)
        self.progress.cancel()
        GLib.source_remove(self._timer)
        for handler in self._handlers:
            self.catalogue.disconnect(handler)
        return Gdk.EVENT_PROPAGATE
