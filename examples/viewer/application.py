# SPDX-License-Identifier: MIT
"""The application: its windows, its command line and its keys."""

import os
import pathlib
import stat
import sys

import gi

gi.require_version('Adw', '1')
gi.require_version('Gtk', '4.0')
gi.require_version('Shnd', '1')

from gi.repository import Adw, Gdk, Gio, GLib, Gtk  # noqa: E402

from catalogue import Catalogue  # noqa: E402
from window import Window  # noqa: E402

APP_ID = 'io.github.libshndarray.Viewer'
HERE = pathlib.Path(__file__).resolve().parent

ACCELERATORS = {
    'app.new-window': ['<Control>n'],
    'app.quit': ['<Control>q'],
    'win.close': ['<Control>w'],
    'win.open': ['<Control>o'],
    'win.save': ['<Control>s'],
    'win.export': ['<Control>e'],
    'win.search': ['<Control>f'],
    'win.refresh': ['F5', '<Control>r'],
    'win.pause': ['<Control>p'],
    'win.sidebar': ['F9'],
    'win.fullscreen': ['F11'],
    'win.show-help-overlay': ['<Control>question'],
    'win.zoom-in': ['<Control>plus', '<Control>equal', '<Control>KP_Add'],
    'win.zoom-out': ['<Control>minus', '<Control>KP_Subtract'],
    'win.zoom-fit': ['<Control>0', '<Control>KP_0'],
    'win.zoom-actual': ['<Control>1', '<Control>KP_1'],
}

STYLES = {
    'default': Adw.ColorScheme.DEFAULT,
    'light': Adw.ColorScheme.FORCE_LIGHT,
    'dark': Adw.ColorScheme.FORCE_DARK,
}


class Application(Adw.Application):
    """Opens a window for each argument: a name, the address of a stream, a file."""

    def __init__(self, version: str):
        super().__init__(application_id=APP_ID, flags=Gio.ApplicationFlags.HANDLES_COMMAND_LINE)
        self.version = version
        self.catalogue = None
        GLib.set_application_name('Array Viewer')
        self.set_option_context_parameter_string('[NAME | ADDRESS | FILE]…')
        self.set_option_context_summary('Shows shared arrays, streams of frames, and .npy files.')
        self.add_main_option('version', ord('v'), GLib.OptionFlags.NONE, GLib.OptionArg.NONE,
                             'Print the version', None)

    @staticmethod
    def get_ui_path(name: str) -> str:
        return str(HERE / name)

    def do_handle_local_options(self, options):
        if options.contains('version'):
            print(f'shnd-viewer {self.version}')
            return 0
        if Gdk.Display.get_default() is None:
            print('shnd-viewer: There is no display to show windows on', file=sys.stderr)
            return 1
        return -1

    def do_startup(self):
        Adw.Application.do_startup(self)
        Gtk.Window.set_default_icon_name(APP_ID)
        # Here, or next to where it is installed.
        icons = Gtk.IconTheme.get_for_display(Gdk.Display.get_default())
        for folder in (HERE / 'data/icons', HERE.parent / 'icons'):
            icons.add_search_path(str(folder))
        self.catalogue = Catalogue()
        for name, function in (('new-window', self._open_window), ('quit', self._quit),
                               ('about', self._show_about)):
            action = Gio.SimpleAction.new(name, None)
            action.connect('activate', lambda _action, _value, function=function: function())
            self.add_action(action)
        style = Gio.SimpleAction.new_stateful('style', GLib.VariantType('s'),
                                              GLib.Variant('s', 'default'))
        style.connect('change-state', self._style_changed)
        self.add_action(style)
        for action, keys in ACCELERATORS.items():
            self.set_accels_for_action(action, keys)

    # ---- Windows ----

    def do_command_line(self, command_line):
        arguments = command_line.get_arguments()[1:]
        for argument in arguments:
            self._open(self._open_window(), argument, command_line)
        if not arguments:
            self.do_activate()
        return 0

    def do_activate(self):
        window = self.get_active_window()
        if window is None:
            self._open_window()
        else:
            window.present()

    def _open_window(self):
        window = Window(self, self.catalogue)
        window.present()
        return window

    def _open(self, window, argument, command_line):
        """Names have no slash; a path with nothing there is said to be a file."""
        file = command_line.create_file_for_arg(argument)
        path = file.get_path()
        if path is None:
            window.tell(f'Cannot open {file.get_uri()}: expected a file of this machine')
        elif is_socket(path):
            window.open_item(self.catalogue.add_address(path))
        elif '/' in argument or argument.endswith('.npy') and os.path.exists(path):
            window.open_files([path])
        else:
            window.open_name(argument)

    # ---- Actions ----

    def _quit(self):
        for window in self.get_windows():
            window.close()

    def _style_changed(self, action, value):
        Adw.StyleManager.get_default().set_color_scheme(STYLES[value.get_string()])
        action.set_state(value)

    def _show_about(self):
        Adw.AboutWindow(
            transient_for=self.get_active_window(), application_icon=APP_ID,
            application_name='Array Viewer', developer_name='The libshndarray developers',
            version=self.version, license_type=Gtk.License.MIT_X11,
            comments='Shows the arrays and streams that the programs of this machine share.',
        ).present()


def is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def main(arguments, version) -> int:
    return Application(version).run(arguments)
