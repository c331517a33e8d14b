# SPDX-License-Identifier: MIT
"""What is said of arrays: dtypes, shapes, sizes, rates and times as text."""

from gi.repository import GLib

# More field names than these make a line too long.
N_NAMES = 3


def format_dtype(dtype) -> str:
    """A NumPy dtype as people call it."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return f'{format_dtype(base)} {format_shape(shape)}'
    if dtype.names:
        names = ', '.join(dtype.names[:N_NAMES])
        more = ', …' if len(dtype.names) > N_NAMES else ''
        return f'{{{names}{more}}}'
    name = dtype.str[1:] if dtype.kind in 'SUV' else dtype.name
    return name if dtype.isnative else f'{name} {dtype.str[0]}'


def format_shape(shape) -> str:
    return ' × '.join(map(str, shape)) if shape else 'scalar'


def format_what(dtype, shape) -> str:
    return f'{format_dtype(dtype)} · {format_shape(shape)}'


def format_video(metadata: dict) -> str:
    """The format and the size of raw video, as people call them; empty if it is none."""
    name, width, height = (metadata.get(key) for key in ('format', 'width', 'height'))
    if not (isinstance(name, str) and isinstance(width, int) and isinstance(height, int)):
        return ''
    return f'{name} · {width} × {height}'


def format_size(n_bytes: int) -> str:
    return GLib.format_size_full(n_bytes, GLib.FormatSizeFlags.IEC_UNITS)


def format_rate(rate: float) -> str:
    """How often something happens; empty if it does not."""
    if rate <= 0:
        return ''
    return f'{rate:.0f}/s' if rate >= 99.5 else f'{rate:.1f}/s'


def format_age(seconds: float) -> str:
    if seconds < 1:
        return 'Now'
    if seconds < 60:
        return f'{seconds:.0f} s ago'
    if seconds < 3600:
        return f'{seconds // 60:.0f} min ago'
    return f'{seconds // 3600:.0f} h ago'
