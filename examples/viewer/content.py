# SPDX-License-Identifier: MIT
"""The widget that shows an array: as picture, plot, table or value, with controls for it."""

import functools

import gi

gi.require_version('Adw', '1')
gi.require_version('Gtk', '4.0')
gi.require_version('Shnd', '1')

from gi.repository import Adw, Gio, GObject, Gtk  # noqa: E402

import textures  # noqa: E402
from colorbar import ColorBar  # noqa: E402
from colours import ColourMenu  # noqa: E402
from number_table import NumberTable  # noqa: E402
from picture import Picture  # noqa: E402
from plot import PlotView  # noqa: E402
from sampling import to_numbers  # noqa: E402
from selection import Selection, get_position  # noqa: E402
from slices import Slices  # noqa: E402
from table import Table  # noqa: E402
from values import format_value  # noqa: E402
from viewport import ZOOM_STEP  # noqa: E402
from widgets import describe_widget, show_page  # noqa: E402


class ArrayView(Adw.Bin):
    """Shows an array, or one frame of a stream after another.

    Its actions are in the group `view`, which it has itself; `actions` is for windows that want
    them in menus and header bars.
    """

    __gtype_name__ = 'ShndViewerArrayView'
    pointer_text = GObject.Property(type=str, default='', nick='The element at the pointer')

    def __init__(self):
        super().__init__(hexpand=True, vexpand=True)
        self._selection = Selection()
        self._raster = None
        self._is_short = False
        self._make_widgets()
        self._make_actions()
        self._arrange()
        self._style_handlers = []
        self.connect('realize', self._follow_style)
        self.connect('unrealize', self._leave_style)

    # The style lives longer than the view, which it would keep.

    def _follow_style(self, _view):
        style = Adw.StyleManager.get_default()
        self._style_handlers = [style.connect(f'notify::{name}', lambda *_: self._redraw())
                                for name in ('dark', 'high-contrast')]

    def _leave_style(self, _view):
        for handler in self._style_handlers:
            Adw.StyleManager.get_default().disconnect(handler)

    def _make_widgets(self):
        self._picture = Picture()
        self._picture.connect('current-changed', lambda *_: self._show_current())
        self._bar = ColorBar()
        self._plot = PlotView()
        self._plot.connect('current-changed', lambda *_: self._show_current())
        self._table = Table()
        self._value = Gtk.Label(wrap=True, selectable=True, hexpand=True, vexpand=True)
        self._value.add_css_class('title-1')
        self._numbers = NumberTable()

        pictures = Gtk.Box()
        pictures.append(self._picture)
        pictures.append(self._bar)
        self._stack = Gtk.Stack(hhomogeneous=False, vhomogeneous=False)
        empty = Adw.StatusPage(
            title='No Elements', description='The array has a dimension of 0.'
        )
        for name, widget in {
            'nothing': Adw.Bin(),
            'picture': pictures,
            'plot': self._plot,
            'table': self._table,
            'value': self._value,
            'empty': empty,
        }.items():
            self._stack.add_named(widget, name)

        self._slices = Slices(self._selection)
        self._slices.connect('changed', lambda *_: self._arrange())
        self._menu = ColourMenu()
        self._menu.connect('changed', lambda *_: self._refresh())
        self._slices.add_extra(self._menu)

        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, margin_top=6)
        box.append(self._slices)
        box.append(self._stack)
        self._separator = Gtk.Separator()
        box.append(self._separator)
        box.append(self._numbers)
        self.set_child(box)

    def _make_actions(self):
        self.actions = Gio.SimpleActionGroup()
        for name, act in {
            'zoom-in': lambda widget: widget.zoom_by(ZOOM_STEP),
            'zoom-out': lambda widget: widget.zoom_by(1 / ZOOM_STEP),
            'zoom-fit': lambda widget: widget.zoom_fit(),
            'zoom-actual': lambda widget: widget.zoom_actual(),
        }.items():
            action = Gio.SimpleAction.new(name, None)
            action.connect('activate', self._zoom, act)
            self.actions.add_action(action)
        self.insert_action_group('view', self.actions)

    def _zoom(self, _action, _parameter, act):
        canvas = self.get_canvas()
        if canvas is not None:
            act(canvas)

    # What others use

    def show(self, array, planes=None, metadata=None):
        """Shows an array, or the next frame's array, planes and metadata; or nothing, for None.

        What was shown before is let go of. Pixels and points are read when they are drawn.
        """
        if self._selection.update(array, planes, metadata):
            self._menu.reset()
            self._slices.rebuild()
            self._arrange()
        else:
            self._refresh()

    def clear(self):
        """Shows nothing, and lets go of what was shown."""
        self.show(None)

    def get_shown_array(self):
        """The part that is chosen, as a view of the array; None if there is none."""
        return self._selection.get_shown()

    def get_painter(self):
        """A function that makes a Gdk.Texture of what is shown, at full resolution, in any thread;
        None where it is no picture. It calls its argument `step(done, total)` now and then, and
        what that raises ends it.
        """
        kind = self._selection.kind
        if kind == 'plot':
            texture = self._plot.make_texture()
        elif kind != 'picture' or self._raster is None:
            return None
        else:
            texture = self._make_direct()
        if texture is not None:
            return lambda _step: texture
        return functools.partial(textures.make_from_raster, self._raster)

    def get_canvas(self):
        """The widget that can be zoomed, if one is shown."""
        return {'picture': self._picture, 'plot': self._plot}.get(self._selection.kind)

    # What follows from what is chosen

    def _arrange(self):
        """Shows what is chosen, after the kind of it may have changed."""
        kind = self._selection.kind
        has_array = self._selection.array is not None
        show_page(self._stack, kind if has_array else 'nothing')
        self._slices.set_visible(has_array and kind != 'empty')
        self._show_numbers()
        for action in self.actions.list_actions():
            self.actions.lookup_action(action).set_enabled(self.get_canvas() is not None)
        if kind != 'picture':
            self._raster = None
            self._picture.show_raster(None)
        if kind != 'plot':
            self._plot.show_series([])
        if kind != 'table':
            self._table.show_view(None)
        label = self._selection.describe()
        describe_widget(self._picture, label)
        describe_widget(self._plot, label)
        self._refresh()

    def set_short(self, is_short):
        """Whether there is too little room for numbers below the picture."""
        self._is_short = is_short
        self._show_numbers()

    def _show_numbers(self):
        visible = self.get_canvas() is not None and not self._is_short
        self._numbers.set_visible(visible)
        self._separator.set_visible(visible)

    def _redraw(self):
        for widget in (self._picture, self._plot, self._bar):
            widget.queue_draw()

    def _refresh(self):
        """Shows the elements that the array has now."""
        kind = self._selection.kind
        if self._selection.array is not None and kind != 'empty':
            getattr(self, f'_refresh_{kind}')(self._selection.get_shown().get())
        self._menu.set_visible(self._raster is not None and self._raster.is_heat)
        self._show_current()

    def _refresh_picture(self, view):
        self._raster = self._selection.make_raster(view, self._menu.colours, self._menu.limits)
        self._picture.show_raster(self._raster, self._make_direct())
        raster = self._raster
        self._bar.set_visible(raster.is_heat)
        if raster.is_heat:
            self._menu.set_shown(raster.low, raster.high)
            self._bar.show_range(raster.low, raster.high, raster.name, view.dtype, self._get_unit())

    def _make_direct(self):
        order = self._selection.get_order()
        if order is None:
            return None
        return textures.make_direct(self._selection.get_shown(), *order)

    def _get_unit(self):
        unit = self._selection.metadata.get('unit')
        return unit if isinstance(unit, str) else ''

    def _refresh_plot(self, view):
        series = self._selection.list_series(view)
        times = self._selection.get_times(view)
        self._plot.show_series(series, self._selection.get_part(), self._get_unit(), times)

    def _refresh_table(self, view):
        self._table.show_view(view)

    def _refresh_value(self, view):
        self._value.set_label(format_value(view[()]))

    def _show_current(self):
        kind = self._selection.kind
        text = ''
        if kind == 'picture' and self._raster is not None:
            text = self._show_current_element()
        elif kind == 'plot':
            text = self._show_current_point()
        elif kind == 'value' and self._selection.array is not None:
            text = self._value.get_label()
        if text != self.pointer_text:
            self.pointer_text = text
            canvas = self.get_canvas()
            if canvas is not None:
                canvas.update_property([Gtk.AccessibleProperty.DESCRIPTION], [text])

    def _show_current_element(self):
        raster, current = self._raster, self._picture.current
        self._numbers.show_raster(raster, current)
        if current is None:
            self._bar.mark(None)
            return ''
        if raster.is_heat:
            element = raster.view[current[0] : current[0] + 1, current[1]]
            self._bar.mark(float(to_numbers(element, raster.part)[0]))
        return self._make_text(current, raster.get_text(*current))

    def _show_current_point(self):
        series, current = self._plot.series, self._plot.current

        def get_text(line, index):
            view = series[line].view
            return format_value(view[index]) if index < len(view) else ''

        names = [line.name for line in series]
        self._numbers.show_series(names, get_text, self._plot.length, current)
        if current is None or not series:
            return ''
        times = self._plot.times
        texts = [get_text(i, current) for i in range(len(series))]
        if len(series) == 1:
            return self._make_text((current,), texts[0])
        pairs = ', '.join(f'{name} {text}' for name, text in zip(names, texts))
        if times is not None:
            pairs = f'{format_value(times[current])}: {pairs}'
        return self._make_text((current,), pairs)

    def _make_text(self, element, value):
        indices = ', '.join(str(i) for i in get_position(self._selection, element))
        unit = self._get_unit()
        return f'[{indices}]  {value}' + (f' {unit}' if unit else '')
