# SPDX-License-Identifier: MIT
"""The planes of a frame as a mapping."""

from collections.abc import Mapping

from gi.module import get_introspection_module

Shnd = get_introspection_module('Shnd')

_list_planes = Shnd.Frame.list_planes


class Planes(Mapping):
    """The planes of a frame by their names, in the publisher's order.

    Each is a :class:`Array` that is made when it is asked for: what a publisher says of one is
    checked only then.
    """

    __slots__ = ('_frame',)

    def __init__(self, frame):
        self._frame = frame

    def __getitem__(self, name):
        if name not in self:
            raise KeyError(name)
        return self._frame.get_plane(name)

    def __contains__(self, name):
        return name in _list_planes(self._frame)

    def __iter__(self):
        return iter(_list_planes(self._frame))

    def __len__(self):
        return len(_list_planes(self._frame))

    def __repr__(self):
        return f'<planes {", ".join(map(repr, self)) or "none"} of {self._frame!r}>'
