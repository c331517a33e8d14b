# SPDX-License-Identifier: MIT
"""Where the viewer gets its arrays from: one that is shared, a file, a stream. They all have the same
properties and signals, and no call of them waits.
"""

import collections
import enum
import os
import time

import gi

gi.require_version('Shnd', '1')

from gi.repository import Gio, GLib, GObject, Shnd  # noqa: E402

# Rates are counted over so many seconds.
WINDOW = 3

# A file up to this size is read, so that it may be written anew meanwhile: what is mapped and cut
# short ends the process that looks at it. Above, it is mapped.
READ_LIMIT = 1 << 29


class State(enum.Enum):
    LOADING = 'loading'
    WAITING = 'waiting'
    LIVE = 'live'
    GONE = 'gone'
    FAILED = 'failed'


class Meter:
    """How often per second a counter moves on."""

    def __init__(self):
        self.samples = collections.deque()

    def add(self, count: int):
        now = time.monotonic()
        if self.samples and count < self.samples[-1][1]:
            self.samples.clear()
        self.samples.append((now, count))
        while len(self.samples) > 2 and self.samples[1][0] < now - WINDOW:
            self.samples.popleft()

    @property
    def rate(self) -> float:
        if len(self.samples) < 2:
            return 0
        (begin, first), (end, last) = self.samples[0], self.samples[-1]
        return (last - first) / (end - begin) if end > begin else 0


def describe(error) -> str:
    """The message of an error, as a sentence."""
    if isinstance(error, OSError) and error.strerror:
        message = error.strerror
    else:
        message = error.message if isinstance(error, GLib.Error) else str(error)
    message = message.strip() or type(error).__name__
    message = message[:1].upper() + message[1:]
    return message if message[-1] in '.!?' else f'{message}.'


def is_not_found(error) -> bool:
    if isinstance(error, GLib.Error):
        return error.matches(Shnd.Error.quark(), Shnd.Error.NOT_FOUND)
    return isinstance(error, FileNotFoundError)


class Source(GObject.Object):
    """`updated` says that `array` has other elements, `changed` that the state is another one.

    In the state GONE there may still be an `array`, the last one that was there.
    """

    __gsignals__ = {
        'updated': (GObject.SignalFlags.RUN_LAST, None, ()),
        'changed': (GObject.SignalFlags.RUN_LAST, None, ()),
    }

    kind = 'array'
    paused = False

    def __init__(self, title: str):
        super().__init__()
        self.title = title
        self.state = State.LOADING
        self.heading = ''
        self.message = ''
        self.array = None
        self.metadata = None
        self.planes = None
        self.meter = Meter()
        self.updated_at: float | None = None
        # What the button of the error does, if that makes sense.
        self.remedy = None

    def start(self):
        """Begins to open it."""

    def stop(self):
        """Lets go of all that it has. It is not started again."""
        self.array = self.planes = self.metadata = None

    def check(self):
        """Is called when something has changed among names, and now and then."""

    def sample(self):
        """Is called regularly, to count."""

    def refresh(self):
        """Shows what is there now."""
        if self.array is not None:
            self.emit('updated')

    @property
    def rate(self) -> float:
        return self.meter.rate

    @property
    def missed(self) -> int | None:
        return None

    @property
    def age(self) -> float | None:
        """Seconds since the last update; None if there was none."""
        return None if self.updated_at is None else time.monotonic() - self.updated_at

    def set_state(self, state: State, heading='', message='', remedy=None):
        self.state = state
        self.heading = heading
        self.message = message
        self.remedy = remedy
        self.emit('changed')

    def fail(self, heading: str, error, remedy=None):
        self.array = self.planes = self.metadata = None
        self.set_state(State.FAILED, heading, describe(error), remedy)

    def mark_updated(self):
        self.updated_at = time.monotonic()
        self.emit('updated')


class ArraySource(Source):
    """A shared array. It is opened as a file, which does not keep its name: an array that nobody else
    has any more goes, though the viewer shows it.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.any_owner = False
        self._inode = None

    def start(self):
        self._open()

    def _open(self):
        name = self.title
        try:
            info = Shnd.ArrayInfo.new(name)
            if info.orphaned:
                raise GLib.Error(f'Nobody has the array “{name}” open any more',
                                 'shnd-error-quark', Shnd.Error.NOT_FOUND)
            if info.uid != os.getuid() and not self.any_owner:
                self._ask_about_owner(info.uid)
                return
            status = os.stat(info.path)
            array = Shnd.Array.open_path(info.path, Shnd.Access.READ)
        except (GLib.Error, OSError) as error:
            self._lose(error)
            return
        self._close()
        self._inode = status.st_dev, status.st_ino
        self.array = array
        self.meter = Meter()
        self.updated_at = None
        if array.synchronizable:
            # This begins to watch the array.
            array.connect('updated', self._updated)
        self.set_state(State.LIVE)
        self.emit('updated')

    def _ask_about_owner(self, uid):
        def show_anyway():
            self.any_owner = True
            self._open()

        self.set_state(
            State.FAILED, 'Array of Another User',
            f'“{self.title}” belongs to the user with the number {uid}, who could cut it short while it '
            'is shown. That would end this program.', ('Show Anyway', show_anyway))

    def _lose(self, error):
        if self.array is not None:
            self.array.unwatch()
            self.set_state(State.GONE, message=f'“{self.title}” is gone. This is what it was at last.')
        elif is_not_found(error):
            self.set_state(State.WAITING, 'Array Not There',
                           f'Nobody shares an array “{self.title}” now. It is shown as soon as there is '
                           'one.')
        else:
            self.fail('Cannot Show the Array', error, ('Try Again', self._open))

    def _updated(self, array, _sequence):
        if array is self.array:
            self.mark_updated()

    def check(self):
        if self.state == State.FAILED:
            return
        try:
            info = Shnd.ArrayInfo.new(self.title)
            status = os.stat(info.path)
            there = not info.orphaned
        except (GLib.Error, OSError):
            there = False
        if not there:
            if self.state == State.LIVE:
                self._lose(None)
        elif self.state == State.GONE or self._inode != (status.st_dev, status.st_ino):
            self._open()

    def sample(self):
        if self.state == State.LIVE and self.array.synchronizable:
            self.meter.add(self.array.sequence)

    def _close(self):
        if self.array is not None:
            self.array.unwatch()
            self.array.close()
        self.array = None

    def stop(self):
        self._close()
        super().stop()


class FileSource(Source):
    """A .npy file: read in another thread if it is small enough, and read again when it changes."""

    kind = 'file'

    def __init__(self, path: str):
        super().__init__(GLib.filename_display_basename(path))
        self.path = path
        self._cancellable = None
        self._monitor = None

    def start(self):
        try:
            self._monitor = Gio.File.new_for_path(self.path).monitor_file(
                Gio.FileMonitorFlags.WATCH_MOVES, None)
            self._monitor.connect('changed', self._file_changed)
        except GLib.Error:
            # Then it is read again when somebody asks for that.
            pass
        self._load()

    def _load(self):
        if self._cancellable is not None:
            self._cancellable.cancel()
        self._cancellable = Gio.Cancellable()
        if self.array is None:
            self.set_state(State.LOADING)
        try:
            size = os.stat(self.path).st_size
            if size > READ_LIMIT:
                self._take(Shnd.Array.open_path(self.path, Shnd.Access.READ))
            else:
                Shnd.Array.load_async(None, self.path, 0, self._cancellable, self._loaded)
        except (GLib.Error, OSError) as error:
            self._lose(error)

    def _loaded(self, _none, result):
        try:
            array = Shnd.Array.load_finish(result)
        except GLib.Error as error:
            if not error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED):
                self._lose(error)
            return
        if self._cancellable is not None:
            self._take(array)

    def _take(self, array):
        self.array = array
        self.set_state(State.LIVE)
        self.mark_updated()

    def _lose(self, error):
        if self.array is not None:
            self.set_state(State.GONE, message=f'{describe(error)} This is what the file was at last.')
        else:
            self.fail('Cannot Show the File', error, ('Try Again', self._load))

    def _file_changed(self, _monitor, _file, _other, event):
        events = Gio.FileMonitorEvent
        if event in (events.CHANGES_DONE_HINT, events.CREATED, events.MOVED_IN, events.RENAMED,
                     events.DELETED, events.MOVED_OUT):
            self._load()

    def refresh(self):
        self._load()

    def stop(self):
        if self._cancellable is not None:
            self._cancellable.cancel()
            self._cancellable = None
        if self._monitor is not None:
            self._monitor.cancel()
            self._monitor = None
        super().stop()
