# SPDX-License-Identifier: MIT
"""Looks at the pictures of a gallery, and at one while it is changed: visitor.py NAME."""

import sys

import gi

gi.require_version('Shnd', '1')

from gi.repository import Gio, GLib, Shnd  # noqa: E402

GALLERY = ('org.example.Gallery', '/org/example/Gallery', 'org.example.Gallery')

bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def call(method, *names):
    arguments = GLib.Variant(f'({"s" * len(names)})', names)
    return bus.call_with_unix_fd_list_sync(*GALLERY, method, arguments, None,
                                           Gio.DBusCallFlags.NONE, -1, None, None)


def get_array(name):
    return Shnd.Array.new_from_variant(*call('GetArray', name))


for name in call('ListArrays')[0][0]:
    pixels = get_array(name).get()
    print(f'Python: {name} {pixels.shape}, mean {pixels[..., :3].mean():.3f}')

picture = get_array(sys.argv[1])
try:
    picture[0, 0, 0] = 255
except ValueError as error:
    print(f'Python: {error}')

loop = GLib.MainLoop()
bus.signal_subscribe(GALLERY[0], GALLERY[2], 'Changed', GALLERY[1], sys.argv[1],
                     Gio.DBusSignalFlags.NONE, lambda *_: loop.quit())
print('Python: waiting', flush=True)
loop.run()

# The same array, which was not fetched again.
print(f'Python: {sys.argv[1]} has changed, mean {picture[..., :3].mean():.3f}')
