# SPDX-License-Identifier: MIT
"""What Python gives to the library: checked, and as PyGObject can pass it on without loss."""

import ast
import math
import operator
import re

from gi.module import get_introspection_module
from gi.repository import Gio, GLib

try:
    import numpy
    from numpy.lib.format import descr_to_dtype
except ImportError:
    numpy = None

Shnd = get_introspection_module('Shnd')

_DType = Shnd.DType
_READ_WRITE = Shnd.Access.READ_WRITE
_DOMAIN = GLib.quark_to_string(Shnd.Error.quark())

# Both hold what is asked for again and again: a handful of types in any real program.
_CACHE_SIZE = 256
_dtypes = {}
_numpy_dtypes = {}

_PLAIN_TYPES = {bool: '?', int: 'i8', float: 'f8', complex: 'c16', bytes: 'S', str: 'U'}
# As in 'M8[s/10]'.
_DIVIDED_UNIT = re.compile(r'\[[^]]*/')

BOOLS = bool if numpy is None else (bool, numpy.bool_)


def make_error(code, message):
    return GLib.Error(message, _DOMAIN, code)


def is_error(error, code):
    return error.code == code and error.domain == _DOMAIN


def need_numpy():
    if numpy is None:
        raise ImportError('This needs NumPy, which could not be imported')


def to_text(value, what):
    # What is behind a NUL would be lost on the way to C.
    if not isinstance(value, str):
        raise TypeError(f'{what}: expected a string, not {type(value).__name__}')
    if '\0' in value:
        raise ValueError(f'{what}: {value!r} has a null character in it')
    return value


def to_optional_name(name):
    return None if name is None else to_text(name, 'The name')


def to_integer(value, what):
    # A bool is an int to Python; as a dimension or an index it is a mistake.
    if type(value) is int:
        return value
    if not isinstance(value, BOOLS):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f'{what}: expected a whole number, not {value!r}')


def to_unsigned(value, what, low=0, high=2**32 - 1):
    value = to_integer(value, what)
    if not low <= value <= high:
        raise OverflowError(f'{what}: expected {low} to {high}, not {value}')
    return value


def to_bool(value, what):
    if not isinstance(value, BOOLS):
        raise TypeError(f'{what}: expected True or False, not {value!r}')
    return bool(value)


def to_integers(value, what):
    """An integer, or a sequence of them, as a list."""
    if type(value) is not tuple and type(value) is not list:
        if hasattr(value, '__index__') and not hasattr(value, '__len__'):
            return [to_integer(value, what)]
        if isinstance(value, (str, bytes, bytearray, memoryview, dict, set, frozenset)):
            raise TypeError(f'{what}: expected whole numbers, not {value!r}')
        if numpy is not None and isinstance(value, numpy.ndarray) and value.ndim == 0:
            return [to_integer(value[()], what)]
    try:
        length = len(value)
    except TypeError:
        raise TypeError(f'{what}: expected whole numbers, not {value!r}') from None
    if length > 1000:
        # Not worth to be made into a list first.
        raise make_error(Shnd.Error.INVALID_SHAPE,
                     f'{what}: {length} numbers, but an array has at most 32 dimensions')
    return [to_integer(item, what) for item in value]


def to_shape(shape):
    return to_integers(shape, 'The shape')


def to_indices(indices):
    """From ``f(1, 2)``, ``f((1, 2))`` or ``f()``."""
    if len(indices) == 1:
        return to_integers(indices[0], 'The index')
    return to_integers(indices, 'The index')


def to_flags(kind, value, what):
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f'{what}: expected Shnd.{kind.__name__}, not {value!r}')
    if not 0 <= int(value) <= 0xffffffff:
        # PyGObject would take the lower half alone.
        raise OverflowError(f'{what}: expected Shnd.{kind.__name__}, not {int(value)}')
    return kind(value) if type(value) is int and value else value


def to_access(access):
    return access if access is _READ_WRITE else to_flags(Shnd.Access, access, 'The access')


def to_create_flags(flags):
    return to_flags(Shnd.CreateFlags, flags, 'The flags')


def to_save_flags(flags):
    return to_flags(Shnd.SaveFlags, flags, 'The flags')


def to_timeout(seconds):
    """Seconds as microseconds; None, for ever, as -1."""
    if seconds is None:
        return -1
    if isinstance(seconds, BOOLS) or not hasattr(seconds, '__float__'):
        raise TypeError(f'The timeout: expected a number of seconds or None, not {seconds!r}')
    seconds = float(seconds)
    if not seconds >= 0:
        raise ValueError(f'The timeout: expected 0 or more seconds, not {seconds!r}')
    # That is some 30,000 years.
    return math.ceil(seconds * 1e6) if seconds < 1e12 else -1


def to_cancellable(cancellable):
    if cancellable is not None and not isinstance(cancellable, Gio.Cancellable):
        raise TypeError(f'The cancellable: expected a Gio.Cancellable, not {cancellable!r}')
    return cancellable


def to_sync_flags(flags):
    return to_flags(Shnd.SyncFlags, flags, 'The flags')


# ---- Types ----

def _describe(dtype):
    """The literal of the .npy format for a numpy.dtype."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return (_describe(base), shape)
    if dtype.names is None:
        return dtype.str
    return dtype.descr


def _refuse_divided_units(value):
    """Refuses a unit of time with a divisor, as the library does, wherever NumPy would find one:
    if the divisor is 0, NumPy 1.24 ends the process.
    """
    if isinstance(value, bytes):
        value = value.decode('latin-1')
    if isinstance(value, str):
        if _DIVIDED_UNIT.search(value):
            raise TypeError(f'The dtype: {value!r} has a unit of time with a divisor: expected a '
                            'multiple of a smaller unit')
    elif isinstance(value, numpy.dtype):
        pass
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ('names', 'titles'):
                _refuse_divided_units(item)
    elif isinstance(value, list):
        for item in value:
            # The first item of a field is its name.
            _refuse_divided_units(item[1:] if isinstance(item, tuple) else item)
    elif isinstance(value, tuple):
        for item in value:
            _refuse_divided_units(item)
    elif isinstance(getattr(value, 'dtype', None), (str, bytes, list, tuple, dict)):
        _refuse_divided_units(value.dtype)


def ask_numpy(value):
    """``numpy.dtype(value)``, but for what would end the process."""
    _refuse_divided_units(value)
    return numpy.dtype(value)


def _new_dtype(value):
    if isinstance(value, str):
        try:
            return _DType.new(to_text(value, 'The dtype'))
        except GLib.Error:
            # NumPy knows more spellings, such as 'f4,f4'; but the better message is the first.
            if numpy is None or _DIVIDED_UNIT.search(value):
                raise
            try:
                value = numpy.dtype(value)
            except Exception:
                value = None
            if value is None:
                raise
    if value is None:
        raise TypeError('The dtype: expected a dtype, not None')
    if numpy is not None:
        value = ask_numpy(value)
        if value.hasobject:
            return _DType.new('O')
        return _DType.new(str(_describe(value)))
    if isinstance(value, type) and value in _PLAIN_TYPES:
        return _DType.new(_PLAIN_TYPES[value])
    if isinstance(value, (list, tuple)):
        return _DType.new(repr(value))
    raise TypeError(f'The dtype: expected a Shnd.DType or its description, not {value!r}')


def to_dtype(value):
    """A DType from whatever stands for one."""
    if isinstance(value, _DType):
        return value
    # Not all that can be hashed: 1 is True, and an equal key may mean something else.
    if not isinstance(value, (str, type)) and (numpy is None or
                                               not isinstance(value, numpy.dtype) or
                                               value.names is not None):
        return _new_dtype(value)
    dtype = _dtypes.get(value)
    if dtype is None:
        dtype = _new_dtype(value)
        if len(_dtypes) >= _CACHE_SIZE:
            _dtypes.clear()
        _dtypes[value] = dtype
    return dtype


def to_numpy_dtype(text):
    """The numpy.dtype for a canonical description."""
    dtype = _numpy_dtypes.get(text)
    if dtype is None:
        if text[0] in '[(':
            dtype = descr_to_dtype(ast.literal_eval(text))
        else:
            dtype = numpy.dtype(text)
        if len(_numpy_dtypes) >= _CACHE_SIZE:
            _numpy_dtypes.clear()
        _numpy_dtypes[text] = dtype
    return dtype
