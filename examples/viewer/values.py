# SPDX-License-Identifier: MIT
"""Elements as short texts. Needs no display."""

import numpy as np

MAX_LENGTH = 60


def shorten(text):
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + '…'


def format_value(value, digits=6):
    """An element of any dtype as one short line."""
    if isinstance(value, np.ndarray):
        items = value.ravel()[:MAX_LENGTH]
        return shorten('[' + ', '.join(format_value(item, digits) for item in items) + ']')
    kind = value.dtype.kind if isinstance(value, np.generic) else ''
    if kind == 'f':
        return format(float(value), f'.{digits}g')
    if kind == 'c':
        return f'{value.real:.{digits}g}{value.imag:+.{digits}g}i'
    if kind == 'm' and not np.isnat(value):
        return str(value)
    if kind == 'V':
        if value.dtype.names:
            fields = (format_value(value[name], digits) for name in value.dtype.names)
            return shorten('(' + ', '.join(fields) + ')')
        return shorten(value.tobytes().hex(' '))
    if kind == 'S':
        return shorten(repr(bytes(value))[1:])
    return shorten(''.join(c if c.isprintable() else '␣' for c in str(value)))
