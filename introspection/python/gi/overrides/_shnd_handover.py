# SPDX-License-Identifier: MIT
"""Arrays from one Python process to another: pickling, and the end of multiprocessing's children.

What is pickled names this module and :func:`reopen`. A new process imports it first of all.
"""

import errno
import os
import sys

import gi
from gi.module import get_introspection_module
from gi.repository import GLib

_open = None


def reopen(descriptor):
    """Opens what was pickled. What is gone is a FileNotFoundError."""
    global _open
    if _open is None:
        gi.require_version('Shnd', '1')
        _open = get_introspection_module('Shnd').Array.open_descriptor
    try:
        return _open(descriptor)
    except GLib.Error as error:
        if error.matches(_error().quark(), _error().NOT_FOUND):
            raise FileNotFoundError(errno.ENOENT, error.message) from error
        raise


def _error():
    return get_introspection_module('Shnd').Error


class Portable:
    """What ``Shnd.Array`` has to be handed to another process, and to be copied."""

    def __reduce__(self):
        # By name: nothing is copied, and nobody is kept from removing the array meanwhile.
        try:
            return reopen, (self.to_descriptor(),)
        except GLib.Error as error:
            if not error.matches(_error().quark(), _error().UNSUPPORTED):
                raise
            raise TypeError('cannot pickle a Shnd.Array without a name: no other process could '
                            'open it') from error

    def __copy__(self):
        # A handle is copied, not what it stands for: a view that shows all.
        return self.transpose(range(self.ndim))

    def __deepcopy__(self, memo):
        return self.dup()


# ---- multiprocessing ----

class _Ending:
    """Gives back the names of a child of multiprocessing, which ends with ``os._exit()``, so that
    the library itself does not get to know of it.
    """

    def __init__(self):
        self.is_set = False

    def set_up(self):
        """In a child, and in whatever may become one: called for each, and cheap."""
        util = sys.modules.get('multiprocessing.util')
        if util is None:
            return
        # A child forgets what it should do at its end, and then asks those that are in here.
        if not self.is_set:
            self.is_set = True
            util.register_after_fork(self, _Ending.begin)
        if sys.modules['multiprocessing.process'].parent_process() is not None:
            self.begin()

    def begin(self):
        # After all else that has been arranged.
        sys.modules['multiprocessing.util'].Finalize(
            None, get_introspection_module('Shnd').release_names, exitpriority=-1000)


_ending = _Ending()


class _Interrupted:
    """Gives back the names of a process that nobody kept from ending by Ctrl-C: at its end the
    interpreter sends that signal to itself, so that the library does not get to know of it.

    All that programs have arranged for their end comes before the modules go, and this with them.
    """

    def __init__(self):
        self._release = get_introspection_module('Shnd').release_names

    def __del__(self):
        self._release()


_interrupted = _Interrupted()


def watch_children():
    """Called once. It does not import multiprocessing for those who do not."""
    _ending.set_up()
    os.register_at_fork(after_in_child=_ending.set_up)
