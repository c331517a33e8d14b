# SPDX-License-Identifier: MIT
"""Small parts that all of the window is made of."""

from gi.repository import Gtk, Pango


def describe_widget(widget, label: str, description: str | None = None):
    """Says what a widget is to those who do not see it."""
    widget.update_property([Gtk.AccessibleProperty.LABEL], [label])
    if description is not None:
        widget.update_property([Gtk.AccessibleProperty.DESCRIPTION], [description])


def make_label(text: str, *classes: str, **properties) -> Gtk.Label:
    label = Gtk.Label(label=text, xalign=0, ellipsize=Pango.EllipsizeMode.END,
                      single_line_mode=True, **properties)
    for name in classes:
        label.add_css_class(name)
    return label


def make_button(icon: str, label: str, keys: str = '', kind=Gtk.Button, **properties):
    """A button with an icon, and its name and keys in the tooltip."""
    tooltip = f'{label} ({keys})' if keys else label
    button = kind(icon_name=icon, tooltip_text=tooltip, **properties)
    describe_widget(button, label)
    return button


def show_page(stack: Gtk.Stack, name: str):
    """Shows one page of a stack. The others are hidden, so that nobody has them read out."""
    child = stack.get_child_by_name(name)
    child.set_visible(True)
    stack.set_visible_child(child)
    for page in list(stack.get_pages()):
        other = page.get_child()
        if other is not child:
            other.set_visible(False)
