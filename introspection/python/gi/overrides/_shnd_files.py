# SPDX-License-Identifier: MIT
"""Arrays and .npy files, and copies of arrays: what can take long, and be stopped."""

import io
import os
import sys
from contextlib import contextmanager
from functools import partial

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import (
    to_access, to_cancellable, to_create_flags, to_dtype, to_optional_name, to_save_flags,
    to_shape, to_sync_flags,
)
from gi.overrides._shnd_sync import call_interruptibly
from gi.repository import Gio, GLib

Shnd = get_introspection_module('Shnd')

_READ_WRITE = Shnd.Access.READ_WRITE

# Looked up once.
_load = Shnd.Array.load
_load_async = Shnd.Array.load_async
_load_stream = Shnd.Array.load_stream
_load_stream_async = Shnd.Array.load_stream_async
_new_path = Shnd.Array.new_path
_open_path = Shnd.Array.open_path


def _take_numbers(progress, raised, cancellable):
    """Calls ``progress(done, total)`` with the numbers that are sent, until it raises.

    A function would not do: what the handler of a signal raises, as for Ctrl-C, comes before its
    first line, where it cannot be caught. A generator goes on inside of its ``try``.
    """
    try:
        while True:
            done = yield 0
            total = yield 0
            progress(done, total)
    except GeneratorExit:
        raise
    except BaseException as error:
        raised.append(error)
        cancellable.cancel()
    while True:
        yield 0


def _call_with_progress(function, cancellable, progress):
    """``function(cancellable, progress)``, ended by what ``progress`` raises, which goes on."""
    if progress is None:
        return function(cancellable, None)
    if not callable(progress):
        raise TypeError(f'The progress: expected a function, not {progress!r}')
    to_cancellable(cancellable)

    # An exception cannot go through C: it cancels, and goes on from here.
    own = Gio.Cancellable()
    handler = cancellable.connect(lambda *_: own.cancel()) if cancellable is not None else 0
    raised = []
    numbers = _take_numbers(progress, raised, own)
    next(numbers)

    try:
        # max() sends them one by one.
        return function(own, partial(max, key=numbers.send))
    except GLib.Error:
        if raised:
            raise raised[0] from None
        raise
    finally:
        if handler:
            cancellable.disconnect(handler)


def _to_stream(stream, kind):
    if not isinstance(stream, kind):
        raise TypeError(f'The stream: expected a Gio.{kind.__name__}, not {stream!r}')
    return stream


def _is_plain(stream):
    """Whether what goes through it is what goes through its descriptor: a compressed file, or a socket
    with TLS, has the ``fileno()`` of what is below it.
    """
    if isinstance(stream, (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)):
        stream = stream.raw
    if isinstance(stream, io.IOBase):
        return isinstance(stream, io.FileIO)
    # As long as nobody has loaded it, there is no such socket.
    ssl = sys.modules.get('ssl')
    return ssl is None or not isinstance(stream, ssl.SSLSocket)


@contextmanager
def _use_stream(stream, kind, wrapper):
    """The stream, or for a file of Python one over its descriptor."""
    if not hasattr(stream, 'fileno'):
        yield _to_stream(stream, kind)
        return
    if not _is_plain(stream):
        raise TypeError(f'The stream: expected a Gio.{kind.__name__}, or a binary file, pipe or socket '
                        f'without anything between it and its descriptor, not {stream!r}')

    descriptor = stream.fileno()
    if hasattr(stream, 'flush'):
        stream.flush()
    if not hasattr(stream, 'seekable') or not stream.seekable():
        yield wrapper.new(descriptor, False)
        return

    # It may have read ahead. So its descriptor is brought to where it is, and it to where that has
    # come to; before that the descriptor goes back to where the file left it.
    before = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, stream.tell(), os.SEEK_SET)
    try:
        yield wrapper.new(descriptor, False)
    finally:
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, before, os.SEEK_SET)
        stream.seek(position)


class Filed:
    """What ``Shnd.Array`` has for .npy files and for copies. Paths are strings, bytes or
    ``os.PathLike``.
    """

    @classmethod
    def open_path(cls, path, access=_READ_WRITE):
        """Opens a .npy file; the path is a string, bytes or ``os.PathLike``."""
        return _open_path(os.fspath(path), to_access(access))

    @classmethod
    def new_path(cls, path, dtype, shape, flags=0):
        """Makes an array of zeros that is a new .npy file; it never replaces another."""
        return _new_path(os.fspath(path), to_dtype(dtype), to_shape(shape),
                         to_create_flags(flags))

    @classmethod
    def load(cls, name, path, flags=0, *, cancellable=None, progress=None):
        """Makes an array in memory from a .npy file, under a name, or an anonymous one if that is
        None. ``progress(done, total)`` is called now and then with the number of bytes; what it
        raises ends the loading, and there is no array.
        """
        name = to_optional_name(name)
        path = os.fspath(path)
        flags = to_create_flags(flags)
        return _call_with_progress(
            lambda cancellable, progress: _load(name, path, flags, cancellable, progress),
            cancellable, progress)

    @classmethod
    def load_async(cls, name, path, flags=0, cancellable=None, callback=None, *data):
        """Makes an array from a .npy file in another thread, while a main loop runs. Then
        ``callback(None, result, *data)`` is called, for ``Shnd.Array.load_finish(result)``.
        """
        return _load_async(to_optional_name(name), os.fspath(path), to_create_flags(flags),
                           cancellable, callback, *data)

    def save(self, path, flags=0, *, cancellable=None, progress=None):
        """Writes the array to a .npy file. ``progress(done, total)`` is called now and then with
        the number of bytes; what it raises ends the saving, and the file is as it was.
        """
        path = os.fspath(path)
        flags = to_save_flags(flags)
        return _call_with_progress(
            lambda cancellable, progress: Shnd.Array.save(self, path, flags, cancellable, progress),
            cancellable, progress)

    def save_async(self, path, flags=0, cancellable=None, callback=None, *data):
        """Writes the array to a .npy file in another thread, while a main loop runs. Then
        ``callback(array, result, *data)`` is called, for ``array.save_finish(result)``.
        """
        return Shnd.Array.save_async(self, os.fspath(path), to_save_flags(flags), cancellable,
                                     callback, *data)

    @classmethod
    def load_stream(cls, name, stream, flags=0, *, cancellable=None, progress=None):
        """Makes an array in memory from a .npy file that comes through a ``Gio.InputStream``, or
        through an object with ``fileno()``: a pipe, a socket, a binary file, but none that
        compresses or encrypts. Nothing behind the array is read. ``progress`` is as for
        :meth:`load`, but may be called in another thread.

        Of a pipe or a socket that Python has read ahead of, what it has is not seen.
        """
        name = to_optional_name(name)
        flags = to_create_flags(flags)
        with _use_stream(stream, Gio.InputStream, Gio.UnixInputStream) as stream:
            return _call_with_progress(
                lambda cancellable, progress: call_interruptibly(
                    lambda cancellable: _load_stream(name, stream, flags, cancellable, progress),
                    (), cancellable),
                to_cancellable(cancellable), progress)

    @classmethod
    def load_stream_async(cls, name, stream, flags=0, cancellable=None, callback=None, *data):
        """Makes an array from a ``Gio.InputStream`` in another thread, while a main loop runs. Then
        ``callback(None, result, *data)`` is called, for
        ``Shnd.Array.load_stream_finish(result)``.
        """
        return _load_stream_async(to_optional_name(name), _to_stream(stream, Gio.InputStream),
                                  to_create_flags(flags), cancellable, callback, *data)

    def save_stream(self, stream, cancellable=None, progress=None):
        """Writes the array as a .npy file to a ``Gio.OutputStream``, or to an object with
        ``fileno()``: a pipe, a socket, a binary file, but none that compresses or encrypts. More can
        be written behind it. ``progress`` is as for :meth:`save`, but may be called in another
        thread.
        """
        with _use_stream(stream, Gio.OutputStream, Gio.UnixOutputStream) as stream:
            return _call_with_progress(
                lambda cancellable, progress: call_interruptibly(
                    lambda cancellable: Shnd.Array.save_stream(self, stream, cancellable, progress),
                    (), cancellable),
                to_cancellable(cancellable), progress)

    def save_stream_async(self, stream, cancellable=None, callback=None, *data):
        """Writes the array to a ``Gio.OutputStream`` in another thread, while a main loop runs.
        Then ``callback(array, result, *data)`` is called, for
        ``array.save_stream_finish(result)``.
        """
        return Shnd.Array.save_stream_async(self, _to_stream(stream, Gio.OutputStream), cancellable,
                                            callback, *data)

    def dup(self, name=None, flags=0, *, cancellable=None, progress=None):
        """Makes a new array with a copy of the elements, anonymous unless it gets a name.
        ``progress(done, total)`` is called now and then with the number of bytes; what it raises
        ends the copying, and there is no array.
        """
        name = to_optional_name(name)
        flags = to_create_flags(flags)
        return _call_with_progress(
            lambda cancellable, progress: Shnd.Array.dup(self, name, flags, cancellable, progress),
            cancellable, progress)

    def dup_async(self, name=None, flags=0, cancellable=None, callback=None, *data):
        """Makes a copy in another thread, while a main loop runs. Then
        ``callback(array, result, *data)`` is called, for ``array.dup_finish(result)``.
        """
        return Shnd.Array.dup_async(self, to_optional_name(name), to_create_flags(flags),
                                    cancellable, callback, *data)

    def sync(self, flags=0, *, cancellable=None):
        """Brings to the disk what was written to an array that is a file there. For one in memory
        there is nothing to do. ``flags`` are ``Shnd.SyncFlags``.
        """
        return Shnd.Array.sync(self, to_sync_flags(flags), cancellable)

    def sync_async(self, flags=0, cancellable=None, callback=None, *data):
        """Brings the array to the disk in another thread, while a main loop runs. Then
        ``callback(array, result, *data)`` is called, for ``array.sync_finish(result)``.
        """
        return Shnd.Array.sync_async(self, to_sync_flags(flags), cancellable, callback, *data)
