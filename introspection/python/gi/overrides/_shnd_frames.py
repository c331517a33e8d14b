# SPDX-License-Identifier: MIT
"""The sending end of a stream of frames, and the frames."""

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import (
    make_error, need_numpy, to_dtype, to_integer, to_shape, to_text, to_timeout, to_unsigned,
)
from gi.overrides._shnd_memory import make_view
from gi.overrides._shnd_metadata import from_metadata, to_metadata
from gi.overrides._shnd_planes import Planes
from gi.overrides._shnd_sync import call_with_timeout

try:
    import numpy
except ImportError:
    numpy = None

Shnd = get_introspection_module('Shnd')

# Looked up once: these are what the time goes into where little else is done.
_acquire = Shnd.Publisher.acquire
_close_publisher = Shnd.Publisher.close
_get_array = Shnd.Frame.get_array
_get_closed = Shnd.Array.get_closed
_get_metadata = Shnd.Frame.get_metadata
_get_plane = Shnd.Frame.get_plane
_get_sequence = Shnd.Frame.get_sequence
_get_timestamp = Shnd.Frame.get_timestamp
_new_publisher = Shnd.Publisher.new
_publish = Shnd.Publisher.publish
_release = Shnd.Frame.release
_release_now = Shnd.Frame.release_now
_repeat = Shnd.Publisher.repeat
_set_array = Shnd.Frame.set_array
_set_metadata = Shnd.Frame.set_metadata
_set_timestamp = Shnd.Frame.set_timestamp
_wait_subscribers = Shnd.Publisher.wait_subscribers


def _forget_view(frame):
    """The array keeps what it shows through NumPy as long as the frame has the array."""
    array = _get_array(frame)
    if array._view is not None:
        del array._view


def _to_overflow(value):
    if isinstance(value, bool) or value not in (0, 1):
        raise TypeError(f'The overflow: expected a Shnd.Overflow, not {value!r}')
    return Shnd.Overflow(value)


class Framed:
    """What ``Shnd.Frame`` has in Python."""

    # The publisher that gave it out, and for how long publishing may wait at the end of `with`.
    _publisher = None
    _timeout = None

    def __init__(self):
        super().__init__()

    def get_array(self):
        """The elements, a :class:`Array`: those of a received frame are read-only."""
        array = _get_array(self)
        if array._exported is None:
            # Not through a protocol by which NumPy would hold this object, which the frame has.
            array._exported = False
        return array

    array = property(get_array, doc=get_array.__doc__)

    def set_array(self, view):
        """Lets a view of the frame's array be what is published: a part of it, or other strides.
        """
        return _set_array(self, view)

    @property
    def sequence(self):
        """The number of the frame in its stream, from 1; 0 if it is not published yet."""
        return _get_sequence(self)

    @property
    def timestamp(self):
        """When the frame was made, in nanoseconds: what the publisher has set, or the time of
        publishing as ``time.monotonic_ns()`` has it. -1 if it is not published yet.
        """
        return _get_timestamp(self)

    @timestamp.setter
    def timestamp(self, timestamp):
        timestamp = to_integer(timestamp, 'The timestamp')
        if not -2**63 <= timestamp < 2**63:
            raise OverflowError(f'The timestamp: {timestamp} does not fit in 64 bits')
        _set_timestamp(self, timestamp)
        if _get_timestamp(self) != timestamp:
            raise make_error(Shnd.Error.NOT_ACQUIRED,
                             'The timestamp cannot be set: expected a frame that was acquired from '
                             'a publisher, and is neither published nor released yet')

    @property
    def metadata(self):
        """What travels with the elements, a dict of strings to values.

        It is a copy: to change it, set another dict. What can be in it are bool, int, float, str,
        bytes, lists, tuples and dicts of these, and ``GLib.Variant`` for what is none of them.
        """
        return from_metadata(_get_metadata(self))

    @metadata.setter
    def metadata(self, metadata):
        _set_metadata(self, to_metadata(metadata))

    def set_metadata(self, metadata):
        """The same as to set :attr:`metadata`: from a dict, a ``GLib.Variant`` or None."""
        return _set_metadata(self, to_metadata(metadata))

    @property
    def planes(self):
        """The planes that the metadata tell of, by their names: a mapping to :class:`Array`, which
        are views of the frame's memory.
        """
        return Planes(self)

    def get_plane(self, name):
        """One of the :attr:`planes`."""
        return _get_plane(self, to_text(name, 'The plane'))

    @property
    def released(self):
        """Whether the memory has gone back: the frame was published or released, and no view,
        NumPy array or other shows it any more.
        """
        return self.get_released()

    def release(self):
        """Gives the frame back, as soon as no NumPy array or view shows it any more; one that was
        acquired goes back unpublished.
        """
        _forget_view(self)
        _release(self)

    def release_now(self):
        """Gives the frame back at once. NumPy arrays and views of it may show later frames."""
        _forget_view(self)
        _release_now(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        publisher = self._publisher
        if publisher is None or kind is not None:
            self.release()
        elif not _get_closed(_get_array(self)):
            try:
                publisher.publish(self, timeout=self._timeout)
            except BaseException:
                self.release()
                raise

    def __repr__(self):
        array = _get_array(self)
        sequence = _get_sequence(self)
        return (f'<Shnd.Frame {sequence if sequence else "not published"} '
                f'shape={array.shape} dtype={array.get_dtype().to_string()!r}'
                f'{" released" if _get_closed(array) else ""}>')


class Publishing:
    """What ``Shnd.Publisher`` has in Python.

    All timeouts are in seconds, None is for ever, and 0 does not wait. Where one is over,
    ``GLib.Error`` says ``Shnd.Error.TIMED_OUT``. The interpreter runs other threads meanwhile, and
    Ctrl-C ends the waiting.
    """

    def __init__(self):
        super().__init__()

    @classmethod
    def new(cls, address, *, overflow=None, depth=None, max_frames=None, max_subscribers=None):
        """Makes a publisher that listens at an address: a name, or an absolute path."""
        address = to_text(address, 'The address')
        settings = {'overflow': overflow, 'depth': depth, 'max_frames': max_frames,
                    'max_subscribers': max_subscribers}
        settings = {name: cls._check(name, value) for name, value in settings.items()
                    if value is not None}
        publisher = _new_publisher(address)
        for name, value in settings.items():
            publisher.set_property(name, value)
        return publisher

    @staticmethod
    def _check(name, value):
        if name == 'overflow':
            return _to_overflow(value)
        if name == 'depth':
            return to_unsigned(value, 'The depth', 1, Shnd.MAX_DEPTH)
        return to_unsigned(value, name)

    # ---- Frames ----

    def acquire(self, dtype, shape, *, timeout=None, cancellable=None):
        """Gets a frame to fill. What it holds is what some earlier frame has left there.

        ``with publisher.acquire('u1', (480, 640)) as frame:`` publishes it at the end, or gives it
        back if the block raises an exception. The timeout is then for each of the two.
        """
        frame = call_with_timeout(_acquire, (self, to_dtype(dtype), to_shape(shape)),
                                  to_timeout(timeout), cancellable)
        frame._publisher = self
        if timeout is not None:
            frame._timeout = timeout
        return frame

    def acquire_async(self, dtype, shape, cancellable=None, callback=None, *data, timeout=None):
        """Gets a frame while a main loop runs. Then ``callback(publisher, result, *data)`` is
        called, for ``publisher.acquire_finish(result)``.
        """
        Shnd.Publisher.acquire_async(self, to_dtype(dtype), to_shape(shape), to_timeout(timeout),
                                     cancellable, callback, *data)

    def acquire_finish(self, result):
        """The frame, to be filled and published."""
        frame = Shnd.Publisher.acquire_finish(self, result)
        frame._publisher = self
        return frame

    def repeat(self, frame):
        """Gets a frame with the elements of one that was published, which can only be read: to be
        published with other metadata, or at another time.

        ``frame`` has to be the newest one, or one that something still shows: a NumPy array, say.
        """
        again = _repeat(self, frame)
        again._publisher = self
        return again

    def publish(self, frame, *, timeout=None, cancellable=None):
        """Sends a frame from :meth:`acquire` to all subscribers. NumPy arrays of it are not to be
        written any more.

        With ``Shnd.Overflow.BLOCK`` it waits until each of them has room.
        """
        call_with_timeout(_publish, (self, frame), to_timeout(timeout), cancellable)
        _forget_view(frame)
        return True

    def publish_async(self, frame, cancellable=None, callback=None, *data, timeout=None):
        """Publishes while a main loop runs. Then ``callback(publisher, result, *data)`` is called,
        for ``publisher.publish_finish(result)``.
        """
        Shnd.Publisher.publish_async(self, frame, to_timeout(timeout), cancellable, callback, *data)
        _forget_view(frame)

    def publish_array(self, array, *, metadata=None, timestamp=None, timeout=None,
                      cancellable=None):
        """Publishes a copy of a NumPy array, or of what ``numpy.asarray()`` makes one of. One in
        Fortran order stays so.
        """
        need_numpy()
        array = numpy.asarray(array)
        transposed = array.flags.f_contiguous and not array.flags.c_contiguous
        frame = self.acquire(array.dtype, array.shape[::-1] if transposed else array.shape,
                             timeout=timeout, cancellable=cancellable)
        try:
            if transposed:
                _set_array(frame, _get_array(frame).T)
            make_view(_get_array(frame))[...] = array
            if metadata is not None:
                frame.metadata = metadata
            if timestamp is not None:
                frame.timestamp = timestamp
            return self.publish(frame, timeout=timeout, cancellable=cancellable)
        except BaseException:
            frame.release()
            raise

    # ---- Subscribers ----

    def wait_subscribers(self, n, *, timeout=None, cancellable=None):
        """Waits until there are at least `n` subscribers."""
        return call_with_timeout(_wait_subscribers,
                                 (self, to_unsigned(n, 'The number of subscribers')),
                                 to_timeout(timeout), cancellable)

    def wait_subscribers_async(self, n, cancellable=None, callback=None, *data, timeout=None):
        """Waits while a main loop runs. Then ``callback(publisher, result, *data)`` is called, for
        ``publisher.wait_subscribers_finish(result)``.
        """
        Shnd.Publisher.wait_subscribers_async(self, to_unsigned(n, 'The number of subscribers'),
                                              to_timeout(timeout), cancellable, callback, *data)

    @property
    def n_subscribers(self):
        """How many subscribers there are."""
        return self.get_n_subscribers()

    # ---- How it publishes ----

    @property
    def overflow(self):
        """What happens when a subscriber holds as many frames as it may, a ``Shnd.Overflow``."""
        return self.get_overflow()

    @overflow.setter
    def overflow(self, overflow):
        self.set_overflow(_to_overflow(overflow))

    @property
    def depth(self):
        """How many frames a subscriber may hold, 1 to 256, those included that wait for it."""
        return self.get_depth()

    @depth.setter
    def depth(self, depth):
        self.set_depth(self._check('depth', depth))

    @property
    def max_frames(self):
        """How many frames there may be at once; 0 for as many as it takes."""
        return self.get_max_frames()

    @max_frames.setter
    def max_frames(self, max_frames):
        self.set_max_frames(self._check('max_frames', max_frames))

    @property
    def max_subscribers(self):
        """How many subscribers there may be at once."""
        return self.get_max_subscribers()

    @max_subscribers.setter
    def max_subscribers(self, max_subscribers):
        self.set_max_subscribers(self._check('max_subscribers', max_subscribers))

    # ---- What it is and has done ----

    @property
    def address(self):
        """Where it listens, as it was given."""
        return self.get_address()

    @property
    def path(self):
        """The path of its socket."""
        return self.get_path()

    @property
    def n_frames(self):
        """How many frames there is memory for."""
        return self.get_n_frames()

    @property
    def sequence(self):
        """The number of the frame that was published last; 0 before the first."""
        return self.get_sequence()

    @property
    def n_dropped(self):
        """How many times a subscriber has missed a frame."""
        return self.get_n_dropped()

    @property
    def closed(self):
        """Whether it was closed, or never had an address."""
        return self.get_closed()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        _close_publisher(self)

    def __repr__(self):
        state = ('closed' if self.get_closed() else
                 f'sequence={self.get_sequence()} n_subscribers={self.get_n_subscribers()}')
        return f'<Shnd.Publisher {self.get_address()!r} {state}>'
