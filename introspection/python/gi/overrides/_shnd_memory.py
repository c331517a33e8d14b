# SPDX-License-Identifier: MIT
"""Shared memory as NumPy sees it."""

from gi.module import get_introspection_module
from gi.overrides._shnd_arguments import need_numpy, to_numpy_dtype
from gi.repository import GLib

try:
    import numpy
except ImportError:
    numpy = None

Shnd = get_introspection_module('Shnd')

WRITE = int(Shnd.Access.WRITE)

# Looked up once: these are what the time goes into where little else is done.
_get_access = Shnd.Array.get_access
_get_data = Shnd.Array.get_data
_get_dtype = Shnd.Array.get_dtype
_get_memory = Shnd.Array.get_memory
_get_shape = Shnd.Array.get_shape
_get_strides = Shnd.Array.get_strides
_dtype_to_string = Shnd.DType.to_string


class _Memory:
    """What NumPy looks at: shared memory, and what keeps it mapped.

    It has no buffer protocol, so that an ndarray over read-only memory can never be made writable.
    It does not hold the array, so that there is no cycle.
    """

    __slots__ = ('__array_interface__', 'keep')

    def __init__(self, interface, keep):
        self.__array_interface__ = interface
        self.keep = keep


def _without_memory(shape, dtype, writable):
    # NumPy makes the size 1 of a size 0 unless the type is that of a field.
    field = numpy.dtype({'names': ['f'], 'formats': [dtype], 'offsets': [0], 'itemsize': 1})
    element = numpy.zeros(1, numpy.uint8)
    element.setflags(write=writable)
    return numpy.ndarray(shape, field, element, 0, (0,) * len(shape))['f']


def make_view(array):
    if numpy is None:
        need_numpy()
    # The address first: if the array was closed in between, the second call fails.
    address = _get_data(array)
    memory, offset = _get_memory(array)
    writable = int(_get_access(array)) & WRITE != 0
    shape = tuple(_get_shape(array))
    strides = tuple(_get_strides(array))
    description = _dtype_to_string(_get_dtype(array))

    if description[0] not in '[(' and description[-2:] not in ('S0', 'U0', 'V0'):
        return numpy.asarray(_Memory({'version': 3,
                                      'typestr': description,
                                      'shape': shape,
                                      'strides': strides,
                                      'data': (address, not writable)}, memory))

    # With another dtype it takes two steps, as that way of description would not be exact.
    dtype = to_numpy_dtype(description)
    if dtype.itemsize == 0:
        return _without_memory(shape, dtype, writable)
    raw = numpy.asarray(_Memory({'version': 3,
                                 'typestr': '|u1',
                                 'shape': (memory.get_size(),),
                                 'data': (address - offset, not writable)}, memory))
    return numpy.ndarray(shape, dtype, raw, offset, strides)


def to_exportable(dtype):
    """The dtype with times as integers, as the buffer protocol knows no times."""
    if dtype.kind in 'mM':
        return numpy.dtype('i8').newbyteorder(dtype.byteorder)
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return numpy.dtype((to_exportable(base), shape))
    if not dtype.names:
        return dtype
    return numpy.dtype({'names': dtype.names,
                        'formats': [to_exportable(dtype[name]) for name in dtype.names],
                        'offsets': [dtype.fields[name][1] for name in dtype.names],
                        'itemsize': dtype.itemsize})


def bytes_of(data):
    """An ndarray over the bytes of a bytes-like object, without a copy."""
    view = memoryview(data)
    if view.nbytes == 0:
        return numpy.empty(0, numpy.uint8)
    return numpy.frombuffer(view, numpy.uint8)


def to_glib_bytes(data):
    if isinstance(data, GLib.Bytes):
        return data
    return GLib.Bytes.new(memoryview(data).tobytes())
