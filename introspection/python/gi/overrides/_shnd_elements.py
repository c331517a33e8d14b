# SPDX-License-Identifier: MIT
"""Elements as Python values, and as the variants that the library takes for them."""

import datetime
import numbers
import operator

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import BOOLS, make_error, to_text
from gi.repository import GLib

try:
    import numpy
except ImportError:
    numpy = None

Shnd = get_introspection_module('Shnd')

_Kind = Shnd.DTypeKind


def _number_to_variant(value, is_float):
    if isinstance(value, BOOLS):
        return GLib.Variant.new_boolean(bool(value))
    try:
        value = operator.index(value)
    except TypeError:
        if not hasattr(value, '__float__') or (isinstance(value, numbers.Complex) and
                                               not isinstance(value, numbers.Real)):
            raise TypeError(f'{value!r} is not a number that the dtype can hold') from None
        return GLib.Variant.new_double(float(value))
    if -2**63 <= value < 2**63:
        return GLib.Variant.new_int64(value)
    if 0 <= value < 2**64:
        return GLib.Variant.new_uint64(value)
    if is_float:
        return GLib.Variant.new_double(float(value))
    raise OverflowError(f'{value} does not fit in 64 bits')


def _time_to_variant(dtype, value):
    if isinstance(value, BOOLS):
        raise TypeError(f'{value!r} is not a time: expected a count of units')
    try:
        return _number_to_variant(operator.index(value), False)
    except TypeError:
        if numpy is None or isinstance(value, (str, bytes)):
            raise
    if isinstance(value, datetime.date):
        value = numpy.datetime64(value)
    elif isinstance(value, datetime.timedelta):
        value = numpy.timedelta64(value)
    time = numpy.array(value)
    if time.dtype.kind not in 'mM':
        raise TypeError(f'{value!r} is not a time: expected a count of units, or NumPy\'s or '
                        'Python\'s own')
    count = time.astype(dtype.numpy, casting='same_kind')
    # There and back: a comparison would overflow as the conversion does.
    if not numpy.isnat(time) and count.astype(time.dtype) != time:
        raise make_error(Shnd.Error.OUT_OF_RANGE,
                     f'{value!r} cannot be held exactly by an element of dtype {dtype}')
    return GLib.Variant.new_int64(int(count.astype(count.dtype.newbyteorder('=')).view('i8')))


def to_variant(dtype, value):
    """The variant that the C library takes for an element of this dtype."""
    if isinstance(value, GLib.Variant):
        return value
    kind = dtype.get_kind()

    if kind in (_Kind.BOOL, _Kind.INT, _Kind.UINT, _Kind.FLOAT):
        return _number_to_variant(value, kind == _Kind.FLOAT)

    if kind == _Kind.COMPLEX:
        if isinstance(value, numbers.Complex):
            value = complex(value)
            return GLib.Variant('(dd)', (value.real, value.imag))
        return _number_to_variant(value, True)

    if kind in (_Kind.DATETIME, _Kind.TIMEDELTA):
        return _time_to_variant(dtype, value)

    if kind == _Kind.UNICODE or (kind == _Kind.BYTES and isinstance(value, str)):
        if not isinstance(value, str):
            raise TypeError(f'{value!r} is not a string')
        return GLib.Variant.new_string(to_text(value.rstrip('\0'), 'The string'))

    if kind in (_Kind.BYTES, _Kind.VOID):
        data = memoryview(value).tobytes()
        return GLib.Variant.new_from_bytes(GLib.VariantType('ay'), GLib.Bytes.new(data), True)

    if kind == _Kind.STRUCT:
        fields = dtype.fields
        if numpy is not None and isinstance(value, (numpy.void, numpy.ndarray)):
            if value.dtype.names is None:
                raise TypeError(f'{value!r} has no fields')
            value = value[()].item()
        if isinstance(value, dict):
            if value.keys() != fields.keys():
                raise ValueError(f'An element with the fields {list(value)}: '
                                 f'expected {list(fields)}')
            value = [value[name] for name in fields]
        if not isinstance(value, (tuple, list)):
            raise TypeError(f'{value!r} is not an element of dtype {dtype}: '
                            'expected a tuple or a dict')
        if len(value) != len(fields):
            raise ValueError(f'An element of {len(value)} fields: expected {len(fields)}')
        return GLib.Variant.new_tuple(*(to_variant(field[0], item)
                                        for field, item in zip(fields.values(), value)))

    return _sub_array_to_variant(dtype.get_base(), dtype.shape, value)


def _sub_array_to_variant(base, shape, value):
    if not shape:
        return to_variant(base, value)
    if isinstance(value, (str, bytes, bytearray, dict)) or not hasattr(value, '__len__'):
        raise TypeError(f'{value!r} is not a sub-array of shape {shape}')
    if len(value) != shape[0]:
        raise ValueError(f'A sub-array of {len(value)} items: expected {shape[0]}')
    builder = GLib.VariantBuilder.new(GLib.VariantType('av'))
    for item in value:
        builder.add_value(GLib.Variant.new_variant(_sub_array_to_variant(base, shape[1:], item)))
    return builder.end()


def from_variant(dtype, value):
    kind = dtype.get_kind()
    if kind == _Kind.COMPLEX:
        return complex(*value.unpack())
    if kind in (_Kind.BYTES, _Kind.VOID):
        return value.get_data_as_bytes().get_data() or b''
    if kind == _Kind.STRUCT:
        return tuple(from_variant(dtype.get_field_dtype(i), value.get_child_value(i))
                     for i in range(dtype.get_n_fields()))
    if kind == _Kind.SUBARRAY:
        return _sub_array_from_variant(dtype.get_base(), dtype.shape, value)
    return value.unpack()


def _sub_array_from_variant(base, shape, value):
    if not shape:
        return from_variant(base, value)
    return [_sub_array_from_variant(base, shape[1:], value.get_child_value(i))
            for i in range(value.n_children())]
