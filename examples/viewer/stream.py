# SPDX-License-Identifier: MIT
"""Streams of frames as a source: always the newest, and the next publisher when one has ended."""

import time

from gi.repository import Gio, GLib, Shnd

from source import Meter, Source, State

# Seconds: a frame that is shown for longer is copied, so that the publisher has its memory back.
IDLE = 1

# A frame that comes so soon after that has waited for it: the publisher has no other memory for us.
AT_ONCE = 0.1

# Milliseconds, after a publisher that has refused or failed.
PAUSE = 1000


def make_planes(array, metadata) -> dict:
    """The planes of a copy of what a frame has shown: what the metadata say of them."""
    return {name: array.as_strided(dtype, shape, strides, offset)
            for name, dtype, offset, shape, strides in metadata.get('planes', ())}


class StreamSource(Source):
    """The newest frame of a stream."""

    kind = 'stream'

    def __init__(self, address: str):
        super().__init__(GLib.filename_display_basename(address) if '/' in address else address)
        self.address = address
        self._subscriber = None
        self._frame = None
        self._missed_before = 0
        self._copying = None
        self._copy_all = False
        self._freed_at = None
        self._retry = 0

    # ---- Connecting ----

    def start(self):
        self.set_state(State.WAITING, 'Waiting for the Stream',
                       f'Nobody publishes at “{self.address}” now. It is shown as soon as somebody '
                       'does.')
        self._connect()

    def _connect(self):
        self._retry = 0
        try:
            subscriber = Shnd.Subscriber.new(self.address, latest_only=True)
            subscriber.connect('ended', self._ended)
            self._subscriber = subscriber
            # This begins to watch the stream.
            subscriber.connect('frame', self._got_frame)
        except GLib.Error as error:
            self._drop()
            self.fail('Cannot Show the Stream', error, ('Try Again', self.start))
        return GLib.SOURCE_REMOVE

    def _drop(self):
        if self._subscriber is not None:
            self._missed_before += self._subscriber.n_missed
            self._subscriber.close()
            self._subscriber = None
        if self._copying is not None:
            self._copying.cancel()
            self._copying = None
        self._copy_all = False
        self._freed_at = None
        self.meter = Meter()

    def _ended(self, subscriber, error):
        if subscriber is not self._subscriber:
            return
        # What is held of a stream that has ended stays what it is.
        self._frame = None
        self._drop()
        quark = Shnd.Error.quark()
        if error.matches(quark, Shnd.Error.END_OF_STREAM):
            what = 'The stream has ended.'
        elif error.matches(quark, Shnd.Error.DISCONNECTED):
            what = 'The publisher is gone, without an end of the stream.'
        else:
            self.fail('Cannot Show the Stream', error, ('Try Again', self.start))
            return
        what = f'{what} It goes on here when somebody publishes at “{self.address}” again.'
        if self.array is None:
            self.set_state(State.WAITING, 'No Stream', what)
        else:
            self.set_state(State.GONE, message=what)
        # Not at once: one that refuses everybody would be asked all the time.
        self._retry = GLib.timeout_add(PAUSE, self._connect)

    # ---- Frames ----

    def _got_frame(self, subscriber, frame):
        if subscriber is not self._subscriber:
            return
        now = time.monotonic()
        if self._freed_at is not None and now - self._freed_at < AT_ONCE:
            self._copy_all = True
        self._freed_at = None
        self.updated_at = now
        if self.paused:
            return
        if self._copy_all:
            self._copy(frame)
        else:
            self._frame = frame
            self._show(frame.array, frame.metadata, frame.planes)

    def _show(self, array, metadata, planes):
        self.array = array
        self.metadata = metadata
        self.planes = planes
        if self.state != State.LIVE:
            self.set_state(State.LIVE)
        self.emit('updated')

    def _let_go(self):
        """Shows a copy of the frame instead of the frame."""
        if self._frame is not None and self._copying is None:
            self._copy(self._frame)

    def _copy(self, frame):
        if self._copying is not None:
            return
        self._copying = Gio.Cancellable()
        frame.array.dup_async(None, 0, self._copying, self._copied, frame, self._copying)

    def _copied(self, array, result, frame, cancellable):
        if cancellable is self._copying:
            self._copying = None
        try:
            copy = array.dup_finish(result)
        except GLib.Error:
            # Cancelled, or there is no memory: then the frame is shown for longer.
            return
        # Another frame may have come meanwhile.
        if self._frame not in (None, frame):
            return
        was_shown = self._frame is frame
        self._frame = None
        metadata = frame.metadata
        try:
            planes = make_planes(copy, metadata)
        except (AttributeError, GLib.Error, TypeError, ValueError):
            planes = None
        self._show(copy, metadata, planes)
        if was_shown:
            self._freed_at = time.monotonic()

    def set_paused(self, paused: bool):
        self.paused = paused
        if paused:
            self._let_go()
        self.emit('changed')

    # ---- What it is and has done ----

    def sample(self):
        if self._subscriber is None:
            return
        self.meter.add(self._subscriber.sequence)
        if self._frame is not None and self.age > IDLE:
            self._let_go()

    @property
    def missed(self):
        now = 0 if self._subscriber is None else self._subscriber.n_missed
        return self._missed_before + now

    def stop(self):
        if self._retry:
            GLib.source_remove(self._retry)
            self._retry = 0
        self._frame = None
        self._drop()
        super().stop()
