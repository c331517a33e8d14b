# SPDX-License-Identifier: MIT
"""The lock of an array, with the habits of multiprocessing.Lock."""

from shndarray._library import GLib, Shnd, is_error, to_builtin

_SUFFIX = '.lock'


class Lock:
    """A lock between processes, and between threads that use one object.

    Like a ``multiprocessing.Lock`` it is not recursive. Unlike that it can be sent to another
    process in any way, and is free again when its owner dies: ``recovered`` then tells the next
    owner, who may find the data half changed.
    """

    __slots__ = ('_array', 'recovered')

    def __init__(self, array):
        self._array = array
        self.recovered = False

    def acquire(self, block=True, timeout=None):
        """Waits until the lock is free, and takes it. Returns whether that was in time."""
        if not block:
            timeout = 0
        elif timeout is not None:
            timeout = max(0.0, timeout)
        try:
            self.recovered = self._array.lock(timeout=timeout).recovered
        except GLib.Error as error:
            if is_error(error, Shnd.Error.TIMED_OUT):
                return False
            raise to_builtin(error) from None
        return True

    def release(self):
        """Gives the lock back."""
        try:
            self._array.unlock()
        except GLib.Error as error:
            if is_error(error, Shnd.Error.NOT_LOCKED):
                raise ValueError('The lock is not held by this object: expected acquire() '
                                 'before') from None
            raise to_builtin(error) from None

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *args):
        self.release()

    def __reduce__(self):
        return _restore, (self._array.to_descriptor(),)

    def __repr__(self):
        state = 'held' if self._array.get_locked() else 'not held'
        return f'<shndarray lock of {self._array.name!r}, {state}>'


def _restore(descriptor):
    try:
        return Lock(Shnd.Array.open_descriptor(descriptor))
    except GLib.Error as error:
        raise to_builtin(error) from None


def lock_of_segment(name):
    """The lock of a segment that has no room for one: that of an array beside it, which whoever
    comes first makes, and which goes with its last holder.
    """
    name += _SUFFIX
    try:
        while True:
            try:
                return Lock(Shnd.Array.open(name))
            except GLib.Error as error:
                if not is_error(error, Shnd.Error.NOT_FOUND):
                    raise
            try:
                return Lock(Shnd.Array.new(name, 'u1', 0))
            except GLib.Error as error:
                if not is_error(error, Shnd.Error.EXISTS):
                    raise
    except GLib.Error as error:
        raise to_builtin(error) from None
