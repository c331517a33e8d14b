# SPDX-License-Identifier: MIT
"""Several processes on one array: its lock, its change counter, and waiting in Python's way."""

import os
import threading
from _thread import allocate_lock, get_ident, start_new_thread

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import (
    is_error, to_access, to_cancellable, to_integer, to_text, to_timeout,
)
from gi.repository import Gio, GLib, GObject

Shnd = get_introspection_module('Shnd')

_READ_WRITE = Shnd.Access.READ_WRITE
_MAX_UINT64 = 2**64 - 1
_TIMED_OUT = Shnd.Error.TIMED_OUT

# Looked up once: these are what the time goes into where little else is done.
_get_locked = Shnd.Array.get_locked
_get_sequence = Shnd.Array.get_sequence
_lock = Shnd.Array.lock
_open_wait = Shnd.Array.open_wait
_unlock = Shnd.Array.unlock
_update = Shnd.Array.update
_wait = Shnd.Array.wait
_main_thread = threading.main_thread

# Python's handlers of signals run in the main thread alone, and not while that is in the library;
# and PyGObject cannot raise the library's error while a handler raises another. So what takes time
# is left to another thread. The main thread waits for that, and looks up this often, in seconds: a
# signal may come in the moment before it falls asleep.
_TICK = 0.1

# How long such a thread stays for the next time, in seconds: to start one takes much longer than to
# wake it.
_LINGER = 2

# Whoever takes one out uses it, and puts it back.
_idle_helpers = []


class _Helper:
    """A thread that does what it is told."""

    __slots__ = ('_work', '_job')

    def __init__(self):
        self._work = allocate_lock()
        self._work.acquire()
        self._job = None
        start_new_thread(self._run, ())

    def _run(self):
        while True:
            if self._work.acquire(timeout=_LINGER):
                job, self._job = self._job, None
                job()
                del job
                continue
            try:
                _idle_helpers.remove(self)
            except ValueError:
                # Somebody is about to use it.
                continue
            return

    def do(self, job):
        self._job = job
        self._work.release()


# They are the parent's.
os.register_at_fork(after_in_child=_idle_helpers.clear)


def wait_in_thread(native, arguments, timeout, cancellable, undo=None):
    """Calls ``native(*arguments, timeout, cancellable)`` in another thread, for the main one."""
    own = Gio.Cancellable()
    outcome = []
    ended = allocate_lock()
    ended.acquire()

    def work():
        try:
            outcome.append((native(*arguments, timeout, own), None))
        except BaseException as error:
            outcome.append((None, error))
        ended.release()

    try:
        helper = _idle_helpers.pop()
    except IndexError:
        helper = _Helper()
    handler = 0 if cancellable is None else cancellable.connect(lambda *_: own.cancel())
    helper.do(work)
    try:
        while not outcome:
            ended.acquire(timeout=_TICK)
    except BaseException:
        own.cancel()
        while not outcome:
            ended.acquire(timeout=_TICK)
        if undo is not None and outcome[0][1] is None:
            undo(*arguments)
        raise
    finally:
        if handler:
            cancellable.disconnect(handler)
        _idle_helpers.append(helper)

    result, error = outcome.pop()
    if error is None:
        return result
    try:
        raise error
    finally:
        # It knows this frame, which shall not know it.
        del error


def call_with_timeout(native, arguments, timeout, cancellable, undo=None):
    """Calls ``native(*arguments, timeout, cancellable)`` so that Ctrl-C ends it. `undo` is for what
    has been done when a handler of a signal raises an exception.
    """
    if cancellable is not None:
        to_cancellable(cancellable)
    if get_ident() != _main_thread().ident:
        return native(*arguments, timeout, cancellable)
    try:
        return native(*arguments, 0, cancellable)
    except GLib.Error as error:
        if timeout == 0 or not is_error(error, _TIMED_OUT):
            raise
    except RuntimeError:
        # That is how PyGObject says that a handler has kept it from raising the library's error.
        raise
    except BaseException:
        if undo is not None:
            undo(*arguments)
        raise
    return wait_in_thread(native, arguments, timeout, cancellable, undo)


def call_interruptibly(native, arguments, cancellable):
    """Calls ``native(*arguments, cancellable)`` so that Ctrl-C ends it."""
    if get_ident() != _main_thread().ident:
        return native(*arguments, cancellable)

    def without_timeout(*args):
        *others, _, own = args
        return native(*others, own)

    return wait_in_thread(without_timeout, arguments, -1, cancellable)


def _to_sequence(since):
    since = to_integer(since, 'The sequence')
    if not 0 <= since <= _MAX_UINT64:
        raise OverflowError(f'The sequence: expected 0 to {_MAX_UINT64}, not {since}')
    return since


class Guard:
    """An array that is locked: what :meth:`Array.lock` returns, for ``with``."""

    __slots__ = ('_array', '_number', 'recovered')

    def __init__(self, array, number, recovered):
        self._array = array
        self._number = number
        #: Whether the last owner died with the lock: the elements may be half written.
        self.recovered = recovered

    def __enter__(self):
        return self

    def __exit__(self, *args):
        array = self._array
        # The handle may have been unlocked, and even be locked again, for somebody else.
        if array._n_locks == self._number and _get_locked(array):
            _unlock(array)

    def __repr__(self):
        return f'<the lock of {self._array!r}{", recovered" if self.recovered else ""}>'


def _make_connect(name, signal, watch):
    connect = getattr(GObject.Object, name)

    def method(self, detailed_signal, *args, **kwargs):
        handler = connect(self, detailed_signal, *args, **kwargs)
        if detailed_signal == signal or detailed_signal.startswith(signal + '::'):
            try:
                watch(self)
            except GLib.Error:
                self.disconnect(handler)
                raise
        return handler

    method.__name__ = name
    method.__doc__ = f"""``GObject.Object.{name}()``; and for ``{signal!r}`` also :meth:`watch`."""
    return method


def watches_for(signal, watch):
    """Makes the objects of a class watch as soon as somebody connects to a signal."""
    def decorate(cls):
        for name in ('connect', 'connect_after', 'connect_data', 'connect_object',
                     'connect_object_after'):
            setattr(cls, name, _make_connect(name, signal, watch))
        return cls
    return decorate


@watches_for('updated', Shnd.Array.watch)
class Synchronized:
    """What ``Shnd.Array`` has for several processes on one array.

    All timeouts are in seconds, None is for ever, and 0 does not wait. Where one is over,
    ``GLib.Error`` says ``Shnd.Error.TIMED_OUT``. The interpreter runs other threads meanwhile, and
    Ctrl-C ends the waiting.
    """

    # How often this handle was locked from Python.
    _n_locks = 0

    # ---- The lock ----

    def lock(self, *, timeout=None, cancellable=None):
        """Takes the lock now, waiting for it if need be, for this handle.

        What it returns gives the lock back at the end of ``with array.lock() as guard:``, if
        :meth:`unlock` or :meth:`close` has not done so; ``guard.recovered`` says whether the last
        owner died with the lock. Without ``with``, call :meth:`unlock`. All threads exclude each
        other, those that use the same handle, too; so the same handle cannot be locked twice.
        """
        recovered = call_with_timeout(_lock, (self,), to_timeout(timeout), cancellable,
                                      _unlock)[1]
        try:
            number = self._n_locks = self._n_locks + 1
            return Guard(self, number, recovered)
        except BaseException:
            _unlock(self)
            raise

    def lock_async(self, cancellable=None, callback=None, *data, timeout=None):
        """Takes the lock while a main loop runs. Then ``callback(array, result, *data)`` is
        called, for ``array.lock_finish(result)``.
        """
        Shnd.Array.lock_async(self, to_timeout(timeout), cancellable, callback, *data)

    def lock_finish(self, result):
        """Whether the last owner died with the lock, which this handle has now."""
        recovered = Shnd.Array.lock_finish(self, result)[1]
        self._n_locks += 1
        return recovered

    def unlock(self):
        """Gives the lock back. A handle that does not have it is an error."""
        return _unlock(self)

    @property
    def locked(self):
        """Whether this handle has the lock."""
        return _get_locked(self)

    # ---- The change counter ----

    def update(self):
        """Adds one to the change counter, and wakes all who wait for that."""
        return _update(self)

    @property
    def sequence(self):
        """The change counter: how often :meth:`update` was called, by whomever."""
        return _get_sequence(self)

    def wait(self, since=None, *, timeout=None, cancellable=None):
        """Waits until the change counter is something else than `since`, and returns it.

        Without `since`, that is what the counter is now: the next update ends the waiting.
        """
        since = _get_sequence(self) if since is None else _to_sequence(since)
        return call_with_timeout(_wait, (self, since), to_timeout(timeout), cancellable)[1]

    def wait_async(self, since=None, cancellable=None, callback=None, *data, timeout=None):
        """Waits as :meth:`wait` does, while a main loop runs. Then
        ``callback(array, result, *data)`` is called, for ``array.wait_finish(result)``.
        """
        since = _get_sequence(self) if since is None else _to_sequence(since)
        Shnd.Array.wait_async(self, since, to_timeout(timeout), cancellable, callback, *data)

    def wait_finish(self, result):
        """The change counter that ended the waiting."""
        return Shnd.Array.wait_finish(self, result)[1]

    @property
    def watching(self):
        """Whether this handle emits the signal ``updated``."""
        return self.get_watching()

    # ---- Opening ----

    @classmethod
    def open_wait(cls, name, access=_READ_WRITE, *, timeout=None, cancellable=None):
        """Opens an array by its name, and waits for one of that name if there is none."""
        return call_with_timeout(_open_wait, (to_text(name, 'The name'), to_access(access)),
                                 to_timeout(timeout), cancellable)

    @classmethod
    def open_wait_async(cls, name, access=_READ_WRITE, cancellable=None, callback=None, *data,
                        timeout=None):
        """Opens an array as :meth:`open_wait` does, while a main loop runs. Then
        ``callback(None, result, *data)`` is called, for ``Array.open_wait_finish(result)``.
        """
        Shnd.Array.open_wait_async(to_text(name, 'The name'), to_access(access),
                                   to_timeout(timeout), cancellable, callback, *data)
