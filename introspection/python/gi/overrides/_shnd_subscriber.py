# SPDX-License-Identifier: MIT
"""The receiving end of a stream of frames: waiting in Python's ways, and in asyncio's."""

import os
import select
import threading
from _thread import get_ident
from math import ceil
from time import monotonic

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import (
    is_error, make_error, to_bool, to_cancellable, to_text, to_timeout, to_unsigned,
)
from gi.overrides._shnd_sync import call_with_timeout, wait_in_thread, watches_for
from gi.repository import GLib

Shnd = get_introspection_module('Shnd')

_TIMED_OUT = Shnd.Error.TIMED_OUT
_END_OF_STREAM = Shnd.Error.END_OF_STREAM

# How long poll() can wait, in milliseconds.
_MAX_POLL = 2**31 - 1

# Looked up once: these are what the time goes into where little else is done.
_get_connected = Shnd.Subscriber.get_connected
_get_fd = Shnd.Subscriber.get_fd
_get_latest_only = Shnd.Subscriber.get_latest_only
_get_newest = Shnd.Subscriber.get_sequence
_get_sequence = Shnd.Frame.get_sequence
_get_spin = Shnd.Subscriber.get_spin
_main_thread = threading.main_thread
_new = Shnd.Subscriber.new
_receive = Shnd.Subscriber.receive


@watches_for('frame', Shnd.Subscriber.watch)
class Subscribed:
    """What ``Shnd.Subscriber`` has in Python. Timeouts are as those of ``Shnd.Publisher``."""

    # With latest_only, the number of the last frame that the main thread has waited for.
    _last = 0

    def __init__(self):
        super().__init__()

    @classmethod
    def new(cls, address, *, depth=None, latest_only=None, observer=None, reconnect=None,
            spin=None):
        """Makes a subscriber of the publisher at an address, which may come later."""
        subscriber = _new(to_text(address, 'The address'))
        if depth is not None:
            subscriber.depth = depth
        if latest_only is not None:
            subscriber.latest_only = latest_only
        if observer is not None:
            subscriber.observer = observer
        if reconnect is not None:
            subscriber.reconnect = reconnect
        if spin is not None:
            subscriber.spin = spin
        return subscriber

    # ---- Frames ----

    def receive(self, *, timeout=None, cancellable=None):
        """Waits for the next frame, also while there is no publisher yet.

        When the publisher was closed, ``GLib.Error`` says ``Shnd.Error.END_OF_STREAM``; when it
        has died, ``Shnd.Error.DISCONNECTED``.
        """
        timeout = -1 if timeout is None else to_timeout(timeout)
        if get_ident() != _main_thread().ident:
            return _receive(self, timeout, to_cancellable(cancellable))
        if cancellable is not None:
            return call_with_timeout(_receive, (self,), timeout, cancellable)
        # Without waiting, the library would give an older frame than the newest. Nor is there any to
        # be had at once where there is no publisher.
        if timeout == 0 or not _get_latest_only(self) and _get_connected(self):
            try:
                return _receive(self, 0, None)
            except GLib.Error as error:
                if timeout == 0 or not is_error(error, _TIMED_OUT):
                    raise
        return self._poll(timeout)

    def _poll(self, timeout):
        """Receives in the main thread, where handlers of signals are to run while it waits."""
        end = None if timeout < 0 else monotonic() + timeout / 1e6
        fd = _get_fd(self)
        if fd < 0:
            return _receive(self, 0, None)  # which says why there is none
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        latest_only = _get_latest_only(self)
        spin = _get_spin(self)
        spin_end = monotonic() + spin / 1e6 if spin else None
        left = None
        while True:
            if end is not None:
                left = end - monotonic()
                if left <= 0:
                    return _receive(self, 0, None)
            if spin_end is not None and monotonic() < spin_end:
                pause = 0
            else:
                pause = None if left is None else min(ceil(left * 1e3), _MAX_POLL)
            if not poller.poll(pause):
                continue
            # There are several, and the newest may be on its way still; or a publisher is looked for,
            # again and again: the main thread could not be told so while a signal is handled.
            if (latest_only and _get_newest(self) - self._last not in (0, 1)
                    or not _get_connected(self)):
                return self._note(wait_in_thread(
                    _receive, (self,), -1 if left is None else ceil(left * 1e6), None))
            try:
                frame = _receive(self, 0, None)
            except GLib.Error as error:
                if not is_error(error, _TIMED_OUT):
                    raise
            else:
                return self._note(frame) if latest_only else frame

    def _note(self, frame):
        self._last = _get_sequence(frame)
        return frame

    def receive_async(self, cancellable=None, callback=None, *data, timeout=None):
        """Receives while a main loop runs. Then ``callback(subscriber, result, *data)`` is called,
        for ``subscriber.receive_finish(result)``.
        """
        Shnd.Subscriber.receive_async(self, to_timeout(timeout), cancellable, callback, *data)

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.receive()
        except GLib.Error as error:
            if is_error(error, _END_OF_STREAM):
                raise StopIteration from None
            raise

    async def __aiter__(self):
        import asyncio

        loop = asyncio.get_running_loop()
        # One's own, so that others can wait for the same subscriber.
        fd = os.dup(self.fileno())
        frames = []
        try:
            while True:
                try:
                    frames.append(_receive(self, 0, None))
                except GLib.Error as error:
                    if is_error(error, _END_OF_STREAM):
                        return
                    if not is_error(error, _TIMED_OUT):
                        raise
                if frames:
                    # Not held here as well.
                    yield frames.pop()
                    continue
                ready = asyncio.Event()
                loop.add_reader(fd, ready.set)
                try:
                    await ready.wait()
                finally:
                    loop.remove_reader(fd)
        finally:
            os.close(fd)

    @property
    def watching(self):
        """Whether the subscriber emits the signal ``frame``."""
        return self.get_watching()

    @property
    def fd(self):
        """A file descriptor for ``poll()`` and the like, the subscriber's own; -1 if it is closed.

        It is ready to be read when :meth:`receive` would not wait. It may also be so when there is
        something else to be done: then ``receive(timeout=0)`` does that, and times out.
        """
        return _get_fd(self)

    def fileno(self):
        """The same as :attr:`fd`, for ``select`` and ``asyncio``. A closed subscriber is an error.
        """
        fd = _get_fd(self)
        if fd < 0:
            raise make_error(Shnd.Error.CLOSED,
                             'The subscriber is closed: expected one that is open')
        return fd

    # ---- How it receives ----

    @property
    def depth(self):
        """How many frames it may hold, those included that wait to be received; 0 for as many as
        the publisher allows.
        """
        return self.get_depth()

    @depth.setter
    def depth(self, depth):
        self.set_depth(to_unsigned(depth, 'The depth', 0, Shnd.MAX_DEPTH))

    @property
    def latest_only(self):
        """Whether it skips all frames but the newest."""
        return self.get_latest_only()

    @latest_only.setter
    def latest_only(self, latest_only):
        self.set_latest_only(to_bool(latest_only, 'latest_only'))

    @property
    def observer(self):
        """Whether it gets no frames, and only looks at how the stream goes."""
        return self.get_observer()

    @observer.setter
    def observer(self, observer):
        self.set_observer(to_bool(observer, 'observer'))

    @property
    def reconnect(self):
        """Whether it waits for the next publisher when one is gone."""
        return self.get_reconnect()

    @reconnect.setter
    def reconnect(self, reconnect):
        self.set_reconnect(to_bool(reconnect, 'reconnect'))

    @property
    def spin(self):
        """For how many microseconds :meth:`receive` looks again and again before it sleeps."""
        return self.get_spin()

    @spin.setter
    def spin(self, spin):
        self.set_spin(to_unsigned(spin, 'spin'))

    # ---- What it is and has done ----

    @property
    def address(self):
        """Where the publisher is, as it was given."""
        return self.get_address()

    @property
    def path(self):
        """The path of the publisher's socket."""
        return self.get_path()

    @property
    def connected(self):
        """Whether a publisher has admitted it."""
        return self.get_connected()

    @property
    def granted_depth(self):
        """How many frames the publisher lets it hold; 0 before it is admitted."""
        return self.get_granted_depth()

    @property
    def n_received(self):
        """How many frames were received."""
        return self.get_n_received()

    @property
    def n_missed(self):
        """How many frames were published between those that were received."""
        return self.get_n_missed()

    @property
    def sequence(self):
        """The number of the newest frame that was published, as the publisher says that has
        admitted it, now or last; 0 before.
        """
        return self.get_sequence()

    @property
    def n_subscribers(self):
        """How many subscribers that publisher has, without observers."""
        return self.get_n_subscribers()

    @property
    def n_dropped(self):
        """How often any of them has missed a frame."""
        return self.get_n_dropped()

    @property
    def frame_size(self):
        """How many bytes the elements of the newest frame have."""
        return self.get_frame_size()

    @property
    def closed(self):
        """Whether it was closed, or never had an address."""
        return self.get_closed()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        state = ('closed' if self.get_closed() else
                 'connected' if self.get_connected() else 'not connected')
        return f'<Shnd.Subscriber {self.get_address()!r} {state}>'
