# SPDX-License-Identifier: MIT
"""What the tests of the viewer share: GTK, a main loop in steps, and pictures of widgets.

To be imported when there is a display.
"""

import ctypes
import time

import gi

gi.require_version('Adw', '1')
gi.require_version('Gtk', '4.0')
gi.require_version('Shnd', '1')

import numpy as np  # noqa: E402
from gi.repository import Adw, GLib, Gtk  # noqa: E402

Adw.init()

# PyGObject 3.42 cannot pass render nodes, so this part is done by the functions themselves.
_gtk = ctypes.CDLL('libgtk-4.so.1')
_gobject = ctypes.CDLL('libgobject-2.0.so.0')
for _function, _result, *_arguments in (
    (_gtk.gtk_snapshot_to_node, ctypes.c_void_p, ctypes.c_void_p),
    (
        _gtk.gsk_renderer_render_texture,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ),
    (_gtk.gdk_texture_download, None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t),
    (_gtk.gdk_texture_get_width, ctypes.c_int, ctypes.c_void_p),
    (_gtk.gdk_texture_get_height, ctypes.c_int, ctypes.c_void_p),
    (_gtk.gsk_render_node_unref, None, ctypes.c_void_p),
    (_gobject.g_object_unref, None, ctypes.c_void_p),
):
    _function.restype, _function.argtypes = _result, _arguments

TIMEOUT = 30


def iterate(condition=None):
    """Runs the main loop until a condition holds; without, until there is nothing left to do."""
    context = GLib.MainContext.default()
    end = time.monotonic() + TIMEOUT
    if condition is None:
        while context.pending() and time.monotonic() < end:
            context.iteration(False)
        return True
    timer = GLib.timeout_add(10, lambda: True)
    while not condition() and time.monotonic() < end:
        context.iteration(True)
    GLib.source_remove(timer)
    return condition()


def download(texture):
    """The pixels of a texture, as an array of RGBA that are not premultiplied where opaque."""
    return _download(hash(texture))


def _download(pointer):
    width = _gtk.gdk_texture_get_width(pointer)
    height = _gtk.gdk_texture_get_height(pointer)
    pixels = np.zeros((height, width, 4), np.uint8)
    _gtk.gdk_texture_download(pointer, pixels.ctypes.data, 4 * width)
    return pixels[..., [2, 1, 0, 3]]


def wait_for_frame(widget):
    """Waits until the window of a widget was drawn with all that has changed."""
    iterate()
    ticks = []
    widget.queue_draw()
    # They come before the drawing, in the same step of the main loop.
    widget.add_tick_callback(lambda *_arguments: ticks.append(1) and False)
    if not iterate(lambda: ticks):
        raise TimeoutError('The window is not drawn')


def render(widget):
    """What a widget in a window looks like, as pixels of RGBA."""
    wait_for_frame(widget)
    snapshot = Gtk.Snapshot()
    paintable = Gtk.WidgetPaintable.new(widget)
    paintable.snapshot(snapshot, widget.get_width(), widget.get_height())
    node = _gtk.gtk_snapshot_to_node(hash(snapshot))
    if node is None:
        return np.zeros((widget.get_height(), widget.get_width(), 4), np.uint8)
    renderer = widget.get_native().get_renderer()
    bounds = (ctypes.c_float * 4)(0, 0, widget.get_width(), widget.get_height())
    texture = _gtk.gsk_renderer_render_texture(hash(renderer), node, bounds)
    pixels = _download(texture)
    _gobject.g_object_unref(texture)
    _gtk.gsk_render_node_unref(node)
    return pixels
