# SPDX-License-Identifier: MIT
"""A desktop without a screen, the viewer on it, and somebody who clicks, types and looks."""

import contextlib
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
# To be tested where it is installed, too.
PROGRAM = pathlib.Path(os.environ.get('SHND_VIEWER', HERE / 'shnd-viewer'))

# Nothing takes that long.
PATIENCE = 60

SCREEN = (1280, 800)
AT_SPI = pathlib.Path('/usr/share/dbus-1/services/org.a11y.Bus.service')
NEEDED = ('Xvfb', 'dbus-daemon', 'xdotool')


def find_missing() -> str | None:
    """What keeps the viewer from being tested here, if anything does."""
    for program in NEEDED:
        if shutil.which(program) is None:
            return f'{program} is not installed'
    if importlib.util.find_spec('numpy') is None:
        return 'NumPy is not installed'
    import gi
    for name, version in (('Gtk', '4.0'), ('Adw', '1')):
        try:
            gi.require_version(name, version)
        except ValueError:
            return f'there is no typelib {name}-{version}'
    try:
        gi.require_foreign('cairo')
    except ImportError:
        return 'python3-gi-cairo is not installed'
    if not AT_SPI.exists():
        return 'at-spi2-core is not installed'
    return None


def run_tests():
    """Runs those of the program that has been started, if they can be."""
    import tap

    missing = find_missing()
    if missing is not None:
        print(f'1..0 # SKIP {missing}')
        sys.exit()
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(testRunner=runner)


def open_desktop() -> 'Desktop':
    """One for all tests of a module: GTK ends the program when its display goes."""
    desktop = Desktop()
    unittest.addModuleCleanup(desktop.close)
    return desktop


def wait_until(condition, what='what was expected'):
    """The first true value of a condition."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'It did not happen: {what}')
        time.sleep(0.02)


class Desktop:
    """An X server, a session bus, and folders of their own. It changes the environment."""

    def __init__(self):
        # So that nothing is left of it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.stack = contextlib.ExitStack()
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.runtime = self.folder / 'runtime'
        self.runtime.mkdir(mode=0o700)
        self.environment = os.environ | {
            'HOME': str(self.folder),
            'XDG_RUNTIME_DIR': str(self.runtime),
            'XDG_CONFIG_HOME': str(self.folder / 'config'),
            'XDG_CACHE_HOME': str(self.folder / 'cache'),
            'XDG_DATA_HOME': str(self.folder / 'data'),
            'GDK_BACKEND': 'x11',
            'GSK_RENDERER': 'cairo',
            'GSETTINGS_BACKEND': 'memory',
            'GTK_A11Y': 'atspi',
            'GIO_USE_VFS': 'local',
            'ADW_DISABLE_PORTAL': '1',
            'LC_ALL': 'C.UTF-8',
        }
        for name in ('WAYLAND_DISPLAY', 'AT_SPI_BUS_ADDRESS', 'DBUS_SESSION_BUS_ADDRESS', 'GTK_THEME'):
            self.environment.pop(name, None)
        settings = self.folder / 'config/gtk-4.0/settings.ini'
        settings.parent.mkdir(parents=True)
        # What is clicked is to stay where it was found.
        settings.write_text('[Settings]\ngtk-enable-animations=false\n', encoding='utf-8')
        try:
            self.environment['DISPLAY'] = self._start_server()
            self.environment['DBUS_SESSION_BUS_ADDRESS'] = self._start_bus()
        except BaseException:
            self.stack.close()
            raise
        os.environ.clear()
        os.environ.update(self.environment)
        from accessible_support import connect
        self.programs = connect(self.environment['DBUS_SESSION_BUS_ADDRESS'])

    def start(self, *command, **options) -> subprocess.Popen:
        process = subprocess.Popen([*map(str, command)], env=self.environment, **options)
        self.stack.callback(end, process)
        return process

    def _start_server(self) -> str:
        ours, theirs = os.pipe()
        width, height = SCREEN
        self.start('Xvfb', '-displayfd', theirs, '-screen', '0', f'{width}x{height}x24', '-fbdir',
                   self.folder, '-noreset', '-nolisten', 'tcp', '-dpi', '96', pass_fds=[theirs],
                   stderr=subprocess.DEVNULL)
        os.close(theirs)
        with open(ours, encoding='ascii') as pipe:
            number = pipe.readline().strip()
        if not number:
            raise AssertionError('Xvfb does not start')
        return f':{number}'

    def _start_bus(self) -> str:
        bus = self.start('dbus-daemon', '--session', '--print-address', '--nofork', '--nopidfile',
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding='ascii')
        return bus.stdout.readline().strip()

    def close(self):
        self.stack.close()

    # ---- What a user does ----

    def act(self, *arguments) -> str:
        done = subprocess.run(['xdotool', *map(str, arguments)], env=self.environment, check=True,
                              capture_output=True, encoding='utf-8')
        return done.stdout

    def press(self, *keys):
        self.act('key', '--clearmodifiers', *keys)

    def type(self, text):
        self.act('type', '--delay', '5', text)

    def click(self, x, y):
        self.act('mousemove', round(x), round(y), 'click', 1)

    def see(self):
        """The screen, as an array of (height, width, 3)."""
        import numpy as np

        data = (self.folder / 'Xvfb_screen0').read_bytes()
        header = struct.unpack('>25I', data[:100])
        size, width, height, line, n_colours = (header[i] for i in (0, 4, 5, 12, 19))
        pixels = np.frombuffer(data, np.uint8, line * height, size + 12 * n_colours)
        return pixels.reshape(height, line)[:, :4 * width].reshape(height, width, 4)[..., 2::-1]


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class Viewer:
    """The program, its window, and its widgets as assistive technologies have them."""

    def __init__(self, desktop: Desktop, *arguments, **environment):
        self.desktop = desktop
        self.log = desktop.folder / f'log-{time.monotonic_ns()}'
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                [sys.executable, '-B', str(PROGRAM), *map(str, arguments)], stderr=log,
                env=desktop.environment | environment)
        desktop.stack.callback(self.close)
        self.window = wait_until(self._find_window, 'a window')
        self.windows = {self.window}
        # There is no window manager that would do it.
        desktop.act('windowfocus', '--sync', self.window)

    def _find_window(self):
        self.check()
        try:
            found = self.desktop.act('search', '--onlyvisible', '--pid', self.process.pid)
        except subprocess.CalledProcessError:
            return None
        return found.split()[-1] if found.split() else None

    def focus_new(self):
        """Waits for a window that was not there before, and gives it the keys."""
        def search():
            found = self.desktop.act('search', '--onlyvisible', '--pid', self.process.pid).split()
            return [window for window in found if window not in self.windows]

        window = wait_until(search, 'a new window')[0]
        self.windows.add(window)
        self.desktop.act('windowfocus', '--sync', window)

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f'The viewer has ended with {self.process.returncode}: '
                                 f'{self.read_log()}')

    def read_log(self) -> str:
        return self.log.read_text(encoding='utf-8', errors='replace')

    def resize(self, width, height):
        self.desktop.act('windowsize', '--sync', self.window, width, height)

    def close(self):
        end(self.process)

    # ---- What assistive technologies know ----

    def _get_root(self):
        for program in self.desktop.programs.children:
            if program.process == self.process.pid:
                return program
        return None

    def walk(self):
        root = self._get_root()
        return () if root is None else root.walk()

    def look_for(self, role, name):
        """The widget with a role and a name, or None. The name may be a compiled pattern."""
        def look():
            for node in self.walk():
                text = node.name
                if (text == name if isinstance(name, str) else name.search(text)) and \
                        node.role == role:
                    return node
            return None

        return self._repeat(look)

    def _repeat(self, look):
        """What is being looked at may go away meanwhile."""
        from gi.repository import GLib

        end = time.monotonic() + PATIENCE
        while True:
            self.check()
            try:
                return look()
            except GLib.Error:
                if time.monotonic() > end:
                    raise

    def find(self, role, name):
        return wait_until(lambda: self.look_for(role, name), f'{role} {name!r}')

    def has(self, role, name):
        """Waits for it to be there."""
        return self.find(role, name) is not None

    def is_pressed(self, name):
        from accessible_support import PRESSED

        return self.find('button', name).is_in(PRESSED)

    def get_box(self, node):
        """Where it is on the screen: x, y, width, height."""
        frame = self.find('window', re.compile('Array Viewer'))
        x, y, width, height = node.box
        values = dict(line.split('=') for line in self.desktop.act(
            'getwindowgeometry', '--shell', self.window).split())
        # The border, which is as wide on all sides, does not count there.
        border = (int(values['WIDTH']) - frame.box[2]) // 2
        return int(values['X']) + border + x, int(values['Y']) + border + y, width, height

    def click(self, role, name):
        places = []

        def is_settled():
            places.append(self.get_box(self.find(role, name)))
            return places[-1] if places[-2:-1] == places[-1:] else None

        x, y, width, height = wait_until(is_settled, f'a place for {role} {name!r}')
        self.desktop.click(x + width / 2, y + height / 2)
