# SPDX-License-Identifier: MIT
"""Pointer, touch and keys for what can be zoomed and panned."""

import gi

gi.require_version('Gdk', '4.0')
gi.require_version('Gtk', '4.0')

from gi.repository import Gdk, GObject, Gtk  # noqa: E402

from drawing import Canvas  # noqa: E402
from viewport import ZOOM_STEP  # noqa: E402

PAN_STEP = 48

ARROWS = {
    Gdk.KEY_Left: (-1, 0), Gdk.KEY_KP_Left: (-1, 0),
    Gdk.KEY_Right: (1, 0), Gdk.KEY_KP_Right: (1, 0),
    Gdk.KEY_Up: (0, -1), Gdk.KEY_KP_Up: (0, -1),
    Gdk.KEY_Down: (0, 1), Gdk.KEY_KP_Down: (0, 1),
}  # fmt: skip
ZOOM_IN = {Gdk.KEY_plus, Gdk.KEY_equal, Gdk.KEY_KP_Add}
ZOOM_OUT = {Gdk.KEY_minus, Gdk.KEY_KP_Subtract}


class ZoomCanvas(Canvas):
    """What can be zoomed and panned, and has an element that is current, or None.

    It has point_at(), zoom_by(), zoom_fit(), zoom_actual(), pan_by(), can_pan() and move_current().
    """

    __gtype_name__ = 'ShndViewerZoomCanvas'
    __gsignals__ = {'current-changed': (GObject.SignalFlags.RUN_LAST, None, ())}

    def __init__(self):
        super().__init__()
        self.current = None
        self._navigation = Navigation(self)

    def set_current(self, current):
        if current != self.current:
            self.current = current
            self.emit('current-changed')
            self.queue_draw()


class Navigation:
    """Connects a widget to what the user does with it; the widget holds it."""

    def __init__(self, widget):
        self._place = None
        self._start = None
        self._scale = 1.0
        self._add_motion(widget)
        self._add_scroll(widget)
        self._add_drag(widget)
        self._add_pinch(widget)
        self._add_keys(widget)

    def _add_motion(self, widget):
        def move(_controller, x, y):
            # GTK also tells of a pointer that rests, which keys may have moved away from.
            if (x, y) != self._place:
                self._place = x, y
                widget.point_at(x, y)

        motion = Gtk.EventControllerMotion()
        motion.connect('enter', move)
        motion.connect('motion', move)
        motion.connect('leave', lambda _controller: self._leave())
        widget.add_controller(motion)

    def _leave(self):
        # What was current last stays, so that a look at its neighbours' numbers is possible.
        self._place = None

    def _add_scroll(self, widget):
        def scroll(controller, dx, dy):
            state = controller.get_current_event_state()
            is_wheel = controller.get_unit() == Gdk.ScrollUnit.WHEEL
            if is_wheel and state & Gdk.ModifierType.SHIFT_MASK:
                widget.pan_by(-PAN_STEP * (dx or dy), 0)
            elif is_wheel or state & Gdk.ModifierType.CONTROL_MASK:
                step = ZOOM_STEP if is_wheel else ZOOM_STEP ** (1 / 15)
                if dx and not dy:
                    widget.pan_by(-PAN_STEP * dx, 0)
                else:
                    widget.zoom_by(step**-dy, *(self._place or ()))
            else:
                widget.pan_by(-dx, -dy)
            if self._place:
                widget.point_at(*self._place)
            return True

        scroll_controller = Gtk.EventControllerScroll(
            flags=Gtk.EventControllerScrollFlags.BOTH_AXES
        )
        scroll_controller.connect('scroll', scroll)
        widget.add_controller(scroll_controller)

    def _add_drag(self, widget):
        def begin(_gesture, _x, _y):
            self._start = 0.0, 0.0
            if widget.can_pan():
                widget.set_cursor_from_name('grabbing')

        def update(_gesture, dx, dy):
            x, y = self._start
            self._start = dx, dy
            widget.pan_by(dx - x, dy - y)

        drag = Gtk.GestureDrag()
        drag.connect('drag-begin', begin)
        drag.connect('drag-update', update)
        drag.connect('drag-end', lambda *_arguments: widget.set_cursor_from_name(None))
        widget.add_controller(drag)

    def _add_pinch(self, widget):
        def begin(_gesture, _sequence):
            self._scale = 1.0

        def change(gesture, scale):
            _found, x, y = gesture.get_bounding_box_center()
            widget.zoom_by(scale / self._scale, x, y)
            self._scale = scale

        pinch = Gtk.GestureZoom()
        pinch.connect('begin', begin)
        pinch.connect('scale-changed', change)
        widget.add_controller(pinch)

    def _add_keys(self, widget):
        keys = Gtk.EventControllerKey()
        keys.connect('key-pressed', lambda _c, key, _code, state: press(widget, key, state))
        widget.add_controller(keys)


def press(widget, key, state):
    """Whether the key is one for zooming or panning."""
    control = bool(state & Gdk.ModifierType.CONTROL_MASK)
    if key in ARROWS:
        dx, dy = ARROWS[key]
        if control or not widget.can_pan():
            step = 10 if state & Gdk.ModifierType.SHIFT_MASK else 1
            widget.move_current(dy * step, dx * step)
        else:
            widget.pan_by(-dx * PAN_STEP, -dy * PAN_STEP)
    elif control:
        return False
    elif key in ZOOM_IN:
        widget.zoom_by(ZOOM_STEP)
    elif key in ZOOM_OUT:
        widget.zoom_by(1 / ZOOM_STEP)
    elif key in (Gdk.KEY_0, Gdk.KEY_KP_0):
        widget.zoom_fit()
    elif key in (Gdk.KEY_1, Gdk.KEY_KP_1):
        widget.zoom_actual()
    else:
        return False
    return True
