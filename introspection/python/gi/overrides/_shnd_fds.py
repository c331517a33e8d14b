# SPDX-License-Identifier: MIT
"""Arrays without a name: as file descriptors, in variants and over sockets."""

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import to_access, to_cancellable, to_integer
from gi.overrides._shnd_sync import call_interruptibly

Shnd = get_introspection_module('Shnd')

_READ = Shnd.Access.READ

# Looked up once.
_new_for_fd = Shnd.Array.new_for_fd
_new_from_variant = Shnd.Array.new_from_variant
_receive = Shnd.Array.receive
_receive_async = Shnd.Array.receive_async


class Sealable:
    """What ``Shnd.Array`` has for those who get it without a name.

    What comes from others is taken only if it has been sealed (:meth:`seal`), unless the access has
    ``Shnd.Access.UNSEALED`` in it: memory that somebody else cuts short ends the process that
    touches it.
    """

    @classmethod
    def new_for_fd(cls, fd, access=_READ):
        """Opens an array by a descriptor of its file: a number, or an object with ``fileno()``. It
        is duplicated, and stays the caller's.
        """
        if hasattr(fd, 'fileno'):
            fd = fd.fileno()
        return _new_for_fd(to_integer(fd, 'The file descriptor'), to_access(access))

    def dup_fd(self):
        """A new descriptor of the array's file, not inherited, for the caller to close. A view has
        none.
        """
        return Shnd.Array.dup_fd(self)

    def seal(self):
        """Fixes the size of the memory, and lets nobody map it for writing any more. This array,
        its views and the NumPy arrays of them can still be written.
        """
        return Shnd.Array.seal(self)

    @property
    def sealed(self):
        """Whether the memory has been sealed."""
        return self.get_sealed()

    def to_variant(self, fd_list):
        """The array, or the view, for a D-Bus call: a ``GLib.Variant`` of type ``(hsaxaxt)``, whose
        descriptor is added to a ``Gio.UnixFDList``.
        """
        return Shnd.Array.to_variant(self, fd_list)

    @classmethod
    def new_from_variant(cls, variant, fd_list, access=_READ):
        """Opens what :meth:`to_variant` made of an array; the list may be None if none came."""
        return _new_from_variant(variant, fd_list, to_access(access))

    def send(self, connection, *, cancellable=None):
        """Sends the array, or the view, over a ``Gio.UnixConnection``."""
        to_cancellable(cancellable)
        return call_interruptibly(Shnd.Array.send, (self, connection), cancellable)

    def send_async(self, connection, cancellable=None, callback=None, *data):
        """Sends the array while a main loop runs. Then ``callback(array, result, *data)`` is
        called, for ``array.send_finish(result)``.
        """
        return Shnd.Array.send_async(self, connection, cancellable, callback, *data)

    @classmethod
    def receive(cls, connection, access=_READ, *, cancellable=None):
        """Receives an array that somebody sends over a ``Gio.UnixConnection``."""
        to_cancellable(cancellable)
        return call_interruptibly(_receive, (connection, to_access(access)), cancellable)

    @classmethod
    def receive_async(cls, connection, access=_READ, cancellable=None, callback=None, *data):
        """Receives an array while a main loop runs. Then ``callback(None, result, *data)`` is
        called, for ``Shnd.Array.receive_finish(result)``.
        """
        return _receive_async(connection, to_access(access), cancellable, callback, *data)
