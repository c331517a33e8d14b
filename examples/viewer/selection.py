# SPDX-License-Identifier: MIT
"""Which part of an array is shown, and as what. Needs no display.

Planes of a video, fields of a structure, parts of complex numbers, channels of colours and indices
of further axes are chosen one after the other. What there is to choose follows from dtype and
shape.
"""

import dataclasses

import yuv
from rasters import ColourRaster, HeatRaster, VideoRaster
from sampling import is_numeric
from words import format_shape

# A plot shows so many columns at most.
MAX_SERIES = 16

# Of complex numbers, as to_numbers() calls them.
PARTS = {
    'Magnitude': 'magnitude',
    'Phase': 'phase',
    'Real part': 'real',
    'Imaginary part': 'imaginary',
}

ORDERS = {
    3: {'RGB': ((0, 1, 2), None), 'BGR': ((2, 1, 0), None)},
    4: {
        'RGBA': ((0, 1, 2), 3),
        'RGB': ((0, 1, 2), None),
        'BGRA': ((2, 1, 0), 3),
        'BGR': ((2, 1, 0), None),
        'ARGB': ((1, 2, 3), 0),
        'ABGR': ((3, 2, 1), 0),
    },
}
ONE_CHANNEL = 'One channel'
NO_CHANNELS = 'No channels'
COLOUR = 'Colour'
MEMORY = 'Memory'
ALL_FIELDS = 'All fields'


@dataclasses.dataclass
class Choice:
    """Something to choose one of."""

    name: str
    label: str
    options: list
    active: int = 0


@dataclasses.dataclass
class Slider:
    """An axis of which one index is shown."""

    axis: int
    length: int
    index: int = 0


def list_leaves(dtype, prefix=()):
    """The paths of the fields that have no fields, in order."""
    for name in dtype.names:
        field = dtype[name]
        if field.base.names:
            yield from list_leaves(field.base, (*prefix, name))
        else:
            yield (*prefix, name)


def get_leaf(dtype, path):
    """The dtype of a field, and the lengths that sub-arrays on the way add to the shape."""
    shape = ()
    for name in path:
        dtype = dtype[name]
        shape += dtype.shape
        dtype = dtype.base
    return dtype, shape


def list_kinds(dtype, shape):
    """What can be made of elements of a plain dtype; the best comes first."""
    if 0 in shape:
        return ['empty']
    if not shape:
        return ['value']
    if not is_numeric(dtype):
        return ['table']
    if len(shape) == 1:
        return ['plot', 'table']
    rows, columns = shape[-2:]
    if len(shape) == 2 and (
        (columns <= 8 and rows >= max(16, 4 * columns))
        or (rows <= 8 and columns >= max(64, 16 * rows))
    ):
        return ['plot', 'picture', 'table']
    return ['picture', 'plot', 'table']


class Selection:
    """Of an array, its planes and metadata, the part that was chosen."""

    def __init__(self):
        self.array = None
        self.planes = {}
        self.metadata = {}
        self.choices = []
        self.sliders = []
        self.kinds = []
        self.kind = 'empty'
        self._key = None
        self._wanted = {}
        self._wanted_kind = None
        self._indices = {}

    def update(self, array, planes=None, metadata=None):
        """Takes the next array. Returns whether there is something else to choose from."""
        self.array, self.planes = array, planes or {}
        self.metadata = metadata or {}
        key = (
            None
            if array is None
            else (
                array.dtype.str if array.dtype.names is None else array.dtype,
                array.shape,
                tuple((name, plane.shape) for name, plane in self.planes.items()),
                self.metadata.get('format'),
            )
        )
        if key == self._key:
            return False
        self._key = key
        self._wanted.clear()
        self._indices.clear()
        self._wanted_kind = None
        self._arrange()
        return True

    def choose(self, name, option):
        self._wanted[name] = option
        self._arrange()

    def choose_kind(self, kind):
        self._wanted_kind = kind
        self._arrange()

    def set_index(self, axis, index):
        self._indices[axis] = index
        for slider in self.sliders:
            if slider.axis == axis:
                slider.index = index

    def get_option(self, name):
        """What is chosen, as text, or None if there is nothing to choose."""
        for choice in self.choices:
            if choice.name == name:
                return choice.options[choice.active]
        return None

    def _offer(self, name, label, options, default=0):
        wanted = self._wanted.get(name)
        active = options.index(wanted) if wanted in options else default
        self.choices.append(Choice(name, label, options, active))
        return options[active]

    def _arrange(self):
        self.choices, self.sliders, self.path = [], [], ()
        self.kinds, self.kind = ['empty'], 'empty'
        if self.array is None:
            return

        base = self._arrange_planes()
        if base is None:
            self.kinds, self.kind = ['picture'], 'picture'
            return
        dtype, shape = base.dtype, base.shape
        if dtype.names:
            dtype, shape = self._arrange_fields(dtype, shape)
            if dtype is None:
                return
        if dtype.kind == 'c':
            self._offer('part', 'Part', list(PARTS))

        self.kinds = list_kinds(dtype, shape)
        if self._is_video(shape) and 'picture' in self.kinds:
            self.kinds = ['picture', *(kind for kind in self.kinds if kind != 'picture')]
        self.kind = self._wanted_kind if self._wanted_kind in self.kinds else self.kinds[0]
        self._arrange_axes(dtype, shape)

    def _get_format(self):
        """What GStreamer calls the pixels of a video; empty if it is none."""
        name = self.metadata.get('format')
        return name if isinstance(name, str) and 'width' in self.metadata else ''

    def _is_video(self, shape):
        return self._get_format() and len(shape) >= 2

    def _arrange_planes(self):
        """The array of which parts are shown, or None if it is pixels that are decoded."""
        options = [COLOUR] if self._make_decoder() else []
        if not options and not self.planes:
            return self.array
        options += [*self.planes, MEMORY]
        option = self._offer('plane', 'Plane', options)
        if option == COLOUR:
            return None
        return self.planes.get(option, self.array)

    def _make_decoder(self):
        views = {name: plane.get() for name, plane in self.planes.items()}
        return yuv.make_decoder(
            self.metadata.get('format'), self.array.get(), views, self.metadata.get('caps')
        )

    def _arrange_fields(self, dtype, shape):
        paths = {'.'.join(path): path for path in list_leaves(dtype)}
        numeric = [name for name, path in paths.items() if is_numeric(get_leaf(dtype, path)[0])]
        names = list(paths)
        if len(shape) <= 1:
            names = [ALL_FIELDS, *names]
        default = 0 if len(shape) <= 1 or not numeric else names.index(numeric[0])
        if not names:
            self.kinds = ['empty'] if 0 in shape else ['table'] if shape else ['value']
            self.kind = self.kinds[0]
            return None, None
        name = self._offer('field', 'Field', names, default)
        if name == ALL_FIELDS:
            plain = [n for n in numeric if not get_leaf(dtype, paths[n])[1]]
            if 0 in shape:
                self.kinds = ['empty']
            elif not shape:
                self.kinds = ['value']
            else:
                self.kinds = ['plot', 'table'] if plain else ['table']
            wanted = self._wanted_kind
            self.kind = wanted if wanted in self.kinds else self.kinds[0]
            return None, None
        self.path = paths[name]
        leaf, more = get_leaf(dtype, self.path)
        return leaf, shape + more

    def _arrange_axes(self, dtype, shape):
        if self.kind in ('empty', 'value'):
            return
        n_kept = min(2, len(shape))
        axes = list(range(len(shape) - n_kept))
        if self.kind == 'picture' and len(shape) >= 3 and shape[-1] in ORDERS:
            option = self._offer_channels(dtype, shape)
            if option == ONE_CHANNEL:
                axes = [*axes[:-1], len(shape) - 1]
            elif option != NO_CHANNELS:
                axes = axes[:-1]
        elif self.kind == 'plot' and n_kept == 2 and min(shape[-2:]) > MAX_SERIES:
            axes.append(len(shape) - 2)
        self.sliders = [
            Slider(axis, shape[axis], min(self._indices.get(axis, 0), shape[axis] - 1))
            for axis in axes
        ]

    def _offer_channels(self, dtype, shape):
        options = [*ORDERS[shape[-1]], ONE_CHANNEL, NO_CHANNELS]
        known = yuv.get_channels(self.metadata.get('format'))
        if known is not None:
            named = [name for name, order in ORDERS[shape[-1]].items() if order == known]
            if named:
                return self._offer('channels', 'Channels', options, options.index(named[0]))
        is_colour = (dtype.kind == 'u' and dtype.itemsize <= 2) or (
            dtype.kind == 'f' and min(shape[-3:-1]) >= 16
        )
        default = 0 if is_colour else options.index(NO_CHANNELS)
        if dtype.kind not in 'uf':
            return NO_CHANNELS
        return self._offer('channels', 'Channels', options, default)

    # What comes of it

    def is_decoded(self):
        return self.get_option('plane') == COLOUR

    def get_shown(self):
        """The part as a view of the array; the whole array where pixels are decoded of it."""
        if self.array is None or self.is_decoded():
            return self.array
        shown = self.planes.get(self.get_option('plane'), self.array)
        for name in self.path:
            shown = shown.field(name)
        for slider in sorted(self.sliders, key=lambda slider: -slider.axis):
            shown = shown.index(slider.axis, slider.index)
        return shown

    def get_part(self):
        return PARTS.get(self.get_option('part'), 'magnitude')

    def get_order(self):
        """The channels that are R, G and B, and the one that is alpha or None; or None."""
        option = self.get_option('channels')
        if option in (None, ONE_CHANNEL, NO_CHANNELS):
            return None
        return ORDERS[self.get_shown().shape[-1]][option]

    def make_raster(self, view, colours=None, limits=None):
        """The part as a picture. `colours` is the name of a colour map, or None for the usual."""
        if self.is_decoded():
            return VideoRaster(self._make_decoder())
        order = self.get_order()
        if order is not None:
            return ColourRaster(view, *order)
        n_bits = 8 * view.dtype.itemsize if view.dtype.kind == 'u' else 0
        is_grey = n_bits == 8 or (n_bits == 16 and self._get_format().startswith('GRAY16'))
        if limits is None and view.dtype.kind == 'b':
            limits = 0.0, 1.0
        if limits is None and is_grey and self._get_format():
            limits = 0.0, float((1 << n_bits) - 1)
        name = colours or ('grey' if is_grey else 'heat')
        return HeatRaster(view, self.get_part(), name, limits)

    def list_series(self, view):
        """The part as lines of a plot: their names and 1-D views."""
        if view.dtype.names:
            fields = list_plain_fields(view)
            lines = [field for field in fields if field[1].dtype.kind not in 'mM']
            return (lines or fields)[:MAX_SERIES]
        if view.ndim == 1:
            return [('.'.join(self.path), view)]
        if view.shape[1] <= MAX_SERIES and (
            view.shape[0] > MAX_SERIES or view.shape[1] <= view.shape[0]
        ):
            name = 'Channel' if 'channels' in self.metadata else 'Column'
            return [(f'{name} {i}', view[:, i]) for i in range(view.shape[1])]
        return [(f'Row {i}', view[i]) for i in range(min(view.shape[0], MAX_SERIES))]

    def get_times(self, view):
        """The first field of points in time beside the lines of a plot, or None."""
        fields = list_plain_fields(view) if view.dtype.names else []
        times = [field for _name, field in fields if field.dtype.kind == 'M']
        others = [field for _name, field in fields if field.dtype.kind not in 'mM']
        return times[0] if times and others else None

    def describe(self):
        """What is shown, for those who do not see it."""
        if self.array is None:
            return 'Nothing'
        names = {
            'picture': 'Picture',
            'plot': 'Plot',
            'table': 'Table',
            'value': 'Value',
            'empty': 'No elements',
        }
        return f'{names[self.kind]} of {format_shape(self.array.shape)} elements, ' + str(
            self.array.dtype
        )


def list_plain_fields(view):
    """The names and views of the numeric fields that are no sub-arrays."""
    return [
        ('.'.join(path), get_field(view, path))
        for path in list_leaves(view.dtype)
        if is_numeric(get_leaf(view.dtype, path)[0]) and not get_leaf(view.dtype, path)[1]
    ]


def get_field(view, path):
    for name in path:
        view = view[name]
    return view


def get_position(selection, element):
    """The index in the whole array of an element of the part."""
    index = list(element)
    for slider in selection.sliders:
        index.insert(slider.axis, slider.index)
    return index
