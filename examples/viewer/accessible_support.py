# SPDX-License-Identifier: MIT
"""What assistive technologies are told of a program, asked for on the bus of AT-SPI.

Nothing is remembered from one question to the next, other than in libatspi.
"""

import gi

gi.require_version('Gio', '2.0')

from gi.repository import Gio, GLib  # noqa: E402

ROOT = '/org/a11y/atspi/accessible/root'

# Bits of a state, and whether coordinates are those of the window, as the protocol numbers them.
PRESSED, VISIBLE = 20, 30
WINDOW = 1

TIMEOUT = 10000


class Node:
    """An object on the bus."""

    def __init__(self, connection, name, path):
        self.connection = connection
        self.bus_name = name
        self.path = path

    def call(self, interface, method, *arguments):
        signature, *values = arguments or ('()',)
        return self.connection.call_sync(
            self.bus_name, self.path, interface, method, GLib.Variant(signature, tuple(values)),
            None, Gio.DBusCallFlags.NONE, TIMEOUT, None).unpack()

    def get(self, name):
        return self.call('org.freedesktop.DBus.Properties', 'Get', '(ss)',
                         'org.a11y.atspi.Accessible', name)[0]

    @property
    def name(self) -> str:
        return self.get('Name')

    @property
    def description(self) -> str:
        return self.get('Description')

    @property
    def role(self) -> str:
        return self.call('org.a11y.atspi.Accessible', 'GetRoleName')[0]

    @property
    def children(self):
        found = self.call('org.a11y.atspi.Accessible', 'GetChildren')[0]
        return [Node(self.connection, name, path) for name, path in found]

    def is_in(self, state: int) -> bool:
        low, high = self.call('org.a11y.atspi.Accessible', 'GetState')[0]
        return bool((high << 32 | low) >> state & 1)

    @property
    def box(self):
        """In its window: x, y, width, height."""
        return self.call('org.a11y.atspi.Component', 'GetExtents', '(u)', WINDOW)[0]

    @property
    def process(self) -> int:
        bus = Node(self.connection, 'org.freedesktop.DBus', '/org/freedesktop/DBus')
        return bus.call('org.freedesktop.DBus', 'GetConnectionUnixProcessID', '(s)',
                        self.bus_name)[0]

    def walk(self):
        """All that is to be seen, the parts after the whole."""
        yield self
        for child in self.children:
            if child.is_in(VISIBLE):
                yield from child.walk()


def connect(address: str) -> Node:
    """The root of all programs on a session bus."""
    flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
             Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
    session = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
    where = Node(session, 'org.a11y.Bus', '/org/a11y/bus').call('org.a11y.Bus', 'GetAddress')[0]
    session.close_sync(None)
    connection = Gio.DBusConnection.new_for_address_sync(where, flags, None, None)
    return Node(connection, 'org.a11y.atspi.Registry', ROOT)
