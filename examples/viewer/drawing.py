# SPDX-License-Identifier: MIT
"""What the widgets that draw have in common."""

import gi

gi.require_version('Adw', '1')
gi.require_version('Gtk', '4.0')

from gi.repository import Adw, Gdk, Graphene, Gtk  # noqa: E402

CSS = b"""
.array-canvas { outline: 0 solid transparent; outline-offset: -2px; }
.array-canvas:focus-visible { outline: 2px solid @accent_color; }
.array-numbers { font-family: monospace; font-feature-settings: "tnum"; }
"""


def add_style(display):
    """Makes the style of these widgets known, once for each display."""
    if not hasattr(add_style, 'displays'):
        add_style.displays = set()
    if display is None or display in add_style.displays:
        return
    add_style.displays.add(display)
    provider = Gtk.CssProvider()
    provider.load_from_data(CSS)
    Gtk.StyleContext.add_provider_for_display(
        display, provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
    )


def make_box(x, y, width, height):
    return Graphene.Rect().init(x, y, width, height)


def get_colour(widget, name=None):
    """The colour of text, or one that the style has a name for."""
    context = widget.get_style_context()
    found, colour = context.lookup_color(name) if name else (False, None)
    if not found:
        colour = context.get_color()
    return colour


def make_colour(red, green, blue, alpha=1.0):
    colour = Gdk.RGBA()
    colour.red, colour.green, colour.blue, colour.alpha = red, green, blue, alpha
    return colour


def is_high_contrast():
    return Adw.StyleManager.get_default().get_high_contrast()


def is_dark():
    return Adw.StyleManager.get_default().get_dark()


def place_text(snapshot, layout, x, y, colour):
    point = Graphene.Point()
    point.init(x, y)
    snapshot.save()
    snapshot.translate(point)
    snapshot.append_layout(layout, colour)
    snapshot.restore()


def make_small_font(widget):
    """The widget's font, smaller, with digits of one width."""
    font = widget.get_pango_context().get_font_description().copy()
    size = max(round(font.get_size() * 0.85), 1)
    if font.get_size_is_absolute():
        font.set_absolute_size(size)
    else:
        font.set_size(size)
    return font


class Canvas(Gtk.Widget):
    """A widget that draws itself and can be focused."""

    __gtype_name__ = 'ShndViewerCanvas'

    def __init__(self, **properties):
        super().__init__(
            focusable=True,
            hexpand=True,
            vexpand=True,
            overflow=Gtk.Overflow.HIDDEN,
            accessible_role=Gtk.AccessibleRole.IMG,
            **properties,
        )
        self.add_css_class('array-canvas')
        add_style(self.get_display())
        click = Gtk.GestureClick()
        click.connect('pressed', lambda *_: self.grab_focus())
        self.add_controller(click)

    def do_measure(self, _orientation, _for_size):
        return 64, 360, -1, -1

    def make_layout(self, text='', font=None):
        layout = self.create_pango_layout(text)
        if font is not None:
            layout.set_font_description(font)
        return layout
