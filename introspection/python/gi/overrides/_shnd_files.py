# SPDX-License-Identifier: MIT
"""Arrays and .npy files."""

import os
from functools import partial

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import (
    to_access, to_cancellable, to_create_flags, to_dtype, to_optional_name, to_shape,
    to_sync_flags,
)
from gi.repository import Gio, GLib

Shnd = get_introspection_module('Shnd')

_READ_WRITE = Shnd.Access.READ_WRITE

# Looked up once.
_load = Shnd.Array.load
_load_async = Shnd.Array.load_async
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


class Filed:
    """What ``Shnd.Array`` has for .npy files. Paths are strings, bytes or ``os.PathLike``."""

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

    def save(self, path, cancellable=None, progress=None):
        """Writes the array to a .npy file. ``progress(done, total)`` is called now and then with
        the number of bytes; what it raises ends the saving, and the file is as it was.
        """
        path = os.fspath(path)
        return _call_with_progress(
            lambda cancellable, progress: Shnd.Array.save(self, path, cancellable, progress),
            cancellable, progress)

    def save_async(self, path, cancellable=None, callback=None, *data):
        """Writes the array to a .npy file in another thread, while a main loop runs. Then
        ``callback(array, result, *data)`` is called, for ``array.save_finish(result)``.
        """
        return Shnd.Array.save_async(self, os.fspath(path), cancellable, callback, *data)

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
