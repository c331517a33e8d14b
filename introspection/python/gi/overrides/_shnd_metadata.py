# SPDX-License-Identifier: MIT
"""Metadata of frames: Python's own values, and variants for them."""

import operator

from gi.overrides._shnd_arguments import BOOLS, to_text
from gi.repository import GLib

try:
    import numpy
except ImportError:
    numpy = None

_Variant = GLib.Variant
_BYTES = GLib.VariantType('ay')
_ENTRIES = GLib.VariantType('a{sv}')
_ITEMS = GLib.VariantType('av')

# Beyond some depth a variant reads as if it were empty.
_MAX_DEPTH = 32


def _number_to_variant(value):
    try:
        number = operator.index(value)
    except TypeError:
        if not hasattr(value, '__float__') or isinstance(value, complex):
            return None
        return _Variant.new_double(float(value))
    if -2**63 <= number < 2**63:
        return _Variant.new_int64(number)
    if 0 <= number < 2**64:
        return _Variant.new_uint64(number)
    raise OverflowError(f'Metadata: {number} does not fit in 64 bits')


def _list_to_variant(items):
    if items and len({item.get_type_string() for item in items}) == 1:
        return _Variant.new_array(None, items)
    builder = GLib.VariantBuilder.new(_ITEMS)
    for item in items:
        builder.add_value(_Variant.new_variant(item))
    return builder.end()


def _dict_to_variant(value, depth):
    builder = GLib.VariantBuilder.new(_ENTRIES)
    for name, item in value.items():
        name = _Variant.new_string(to_text(name, 'A name in the metadata'))
        item = _Variant.new_variant(_to_variant(item, depth))
        builder.add_value(_Variant.new_dict_entry(name, item))
    return builder.end()


def _to_variant(value, depth):
    if isinstance(value, str):
        return _Variant.new_string(to_text(value, 'Metadata'))
    if isinstance(value, BOOLS):
        return _Variant.new_boolean(bool(value))
    if isinstance(value, _Variant):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _Variant.new_from_bytes(_BYTES, GLib.Bytes.new(bytes(value)), True)
    if isinstance(value, (dict, list, tuple)):
        if depth == _MAX_DEPTH:
            raise ValueError(f'Metadata: expected at most {_MAX_DEPTH} levels of lists and dicts')
        if isinstance(value, dict):
            return _dict_to_variant(value, depth + 1)
        items = [_to_variant(item, depth + 1) for item in value]
        return _Variant.new_tuple(*items) if isinstance(value, tuple) else _list_to_variant(items)
    if numpy is None or not isinstance(value, numpy.ndarray):
        number = _number_to_variant(value)
        if number is not None:
            return number
    raise TypeError(f'Metadata: {value!r} is none of bool, int, float, str, bytes, list, tuple, '
                    'dict and GLib.Variant')


def to_metadata(value):
    """A variant of type ``a{sv}`` from a dict; None and variants as they are."""
    if value is None or isinstance(value, _Variant):
        return value
    if not isinstance(value, dict):
        raise TypeError(f'Metadata: expected a dict, not {value!r}')
    return _dict_to_variant(value, 1)


_READERS = {
    'b': _Variant.get_boolean,
    'd': _Variant.get_double,
    'i': _Variant.get_int32,
    's': _Variant.get_string,
    't': _Variant.get_uint64,
    'u': _Variant.get_uint32,
    'x': _Variant.get_int64,
    'ay': lambda value: value.get_data_as_bytes().get_data() or b'',
    'v': lambda value: _from_variant(value.get_variant()),
}


def _items(value):
    return [_from_variant(value.get_child_value(i)) for i in range(value.n_children())]


def _from_variant(value):
    kind = value.get_type_string()
    read = _READERS.get(kind)
    if read is not None:
        return read(value)
    if kind.startswith('a{'):
        return from_metadata(value)
    if kind[0] == 'a':
        return _items(value)
    if kind[0] in '({':
        return tuple(_items(value))
    if kind[0] == 'm':
        return _from_variant(value.get_child_value(0)) if value.n_children() else None
    return value.unpack()


def from_metadata(variant):
    """A dict from a variant that is a dictionary."""
    entries = map(variant.get_child_value, range(variant.n_children()))
    return {_from_variant(entry.get_child_value(0)): _from_variant(entry.get_child_value(1))
            for entry in entries}
