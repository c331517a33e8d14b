# SPDX-License-Identifier: MIT
"""What Python adds to the introspected library: NumPy, and Python's own habits.

Without NumPy all works but what needs it: indexing, :meth:`Array.get`, the exchange protocols. A
``dtype`` is then a :class:`DType` instead of a ``numpy.dtype``.
"""

from gi.module import get_introspection_module
from gi.overrides import override
from gi.overrides._shnd_arguments import (
    ask_numpy, need_numpy, to_access, to_create_flags, to_dtype, to_indices, to_integer,
    to_integers, to_numpy_dtype, to_optional_name, to_shape, to_text,
)
from gi.overrides._shnd_elements import from_variant, to_variant
from gi.overrides._shnd_fds import Sealable
from gi.overrides._shnd_files import Filed
from gi.overrides._shnd_frames import Framed, Publishing
from gi.overrides._shnd_handover import Portable, watch_children
from gi.overrides._shnd_info import Described
from gi.overrides._shnd_memory import WRITE, bytes_of, make_view, to_exportable, to_glib_bytes
from gi.overrides._shnd_subscriber import Subscribed
from gi.overrides._shnd_sync import Synchronized
from gi.repository import GLib

try:
    import numpy
except ImportError:
    numpy = None

Shnd = get_introspection_module('Shnd')

__all__ = []

_Array = Shnd.Array
_DType = Shnd.DType
_Kind = Shnd.DTypeKind
_READ_WRITE = Shnd.Access.READ_WRITE
_FORTRAN = Shnd.CreateFlags.FORTRAN


class DType(Shnd.DType):
    """The type of an array's elements.

    ``DType(x)`` takes anything that ``numpy.dtype()`` takes, another ``DType``, or a description
    such as ``'<f4'`` or ``"[('x', '<f4'), ('y', '<f4')]"``. Equal dtypes have the same hash.
    """

    def __new__(cls, dtype):
        return to_dtype(dtype)

    def __init__(self, *args, **kwargs):
        pass

    @classmethod
    def new(cls, description):
        """The same as ``DType(description)``."""
        return to_dtype(description)

    @property
    def numpy(self):
        """The ``numpy.dtype`` for it."""
        need_numpy()
        return to_numpy_dtype(self.to_string())

    @property
    def kind(self):
        """What sort of element this is, a ``Shnd.DTypeKind``."""
        return self.get_kind()

    @property
    def item_size(self):
        """The size of an element in bytes."""
        return self.get_item_size()

    @property
    def alignment(self):
        """To which multiple of bytes this platform aligns such an element."""
        return self.get_alignment()

    @property
    def unit(self):
        """The unit of a point in time or a duration, such as ``'25s'``, or None."""
        return self.get_unit()

    @property
    def base(self):
        """The type of a sub-array's elements; the dtype itself if it is no sub-array."""
        return self.get_base()

    @property
    def shape(self):
        """The shape of a sub-array, ``()`` for others."""
        return tuple(self.get_base_shape())

    @property
    def names(self):
        """The names of the fields in a tuple, or None if the dtype is not structured."""
        if self.get_kind() != _Kind.STRUCT:
            return None
        return tuple(self.get_field_name(i) for i in range(self.get_n_fields()))

    @property
    def fields(self):
        """The fields by name, each ``(dtype, offset)`` or ``(dtype, offset, title)``, as NumPy
        has them; or None if the dtype is not structured.
        """
        if self.get_kind() != _Kind.STRUCT:
            return None
        fields = {}
        for i in range(self.get_n_fields()):
            field = (self.get_field_dtype(i), self.get_field_offset(i))
            title = self.get_field_title(i)
            fields[self.get_field_name(i)] = field if title is None else (*field, title)
        return fields

    def find_field(self, name):
        """The number of the field with this name or title, or -1."""
        return _DType.find_field(self, to_text(name, 'The field'))

    def __str__(self):
        return self.to_string()

    def __repr__(self):
        return f'Shnd.DType({self.to_string()!r})'

    def __eq__(self, other):
        if not isinstance(other, _DType):
            return NotImplemented
        return self.equal(other)

    def __hash__(self):
        return self.hash()


DType = override(DType)
__all__.append('DType')


class Array(Synchronized, Portable, Sealable, Filed, Shnd.Array):
    """A typed array of N dimensions in memory that processes share.

    ``array[...]`` reads and writes through NumPy, without a copy. A NumPy array from here keeps
    the memory, whatever becomes of the ``Array``: it may be closed or gone. One that was opened for
    reading cannot be written to.

    An ``Array`` is always true, as it is a handle and not a list; ``len()`` is that of the first
    axis. ``==`` compares handles: compare elements with ``array.get()``.

    To pickle it, as multiprocessing does, is to pickle its name: the other process gets the same
    view of the same memory, if somebody still has it open then, and otherwise a FileNotFoundError.
    ``copy.copy()`` gives another handle on the same memory, ``copy.deepcopy()`` an anonymous array
    with a copy of the elements.
    """

    def __init__(self):
        super().__init__()

    # ---- Making and opening ----

    @classmethod
    def new(cls, name, dtype, shape, flags=0):
        """Makes an array of zeros under a name, or an anonymous one if that is None."""
        return _new(to_optional_name(name), to_dtype(dtype), to_shape(shape),
                    to_create_flags(flags))

    @classmethod
    def new_unique(cls, dtype, shape, flags=0):
        """Makes an array of zeros under a name that no other has."""
        return _new_unique(to_dtype(dtype), to_shape(shape), to_create_flags(flags))

    @classmethod
    def new_from_bytes(cls, name, dtype, shape, data, flags=0):
        """Makes an array with the elements in a bytes-like object or ``GLib.Bytes``."""
        name = to_optional_name(name)
        dtype = to_dtype(dtype)
        shape = to_shape(shape)
        flags = to_create_flags(flags)
        if numpy is None or isinstance(data, GLib.Bytes):
            return _new_from_bytes(name, dtype, shape, to_glib_bytes(data), flags)
        data = bytes_of(data)
        return _new_from_data(name, dtype, shape, data.ctypes.data, data.nbytes, flags)

    @classmethod
    def new_from_array(cls, name, array, flags=0):
        """Makes an array with the dtype, shape and elements of a NumPy array, or of what
        ``numpy.asarray()`` makes one of.

        One in Fortran order, and not in C order, stays so; all others get C order unless flags
        say Fortran. The elements are written straight into the file from where they are. Only if
        they do not lie in one run, or in the other order, NumPy gathers them first, in a copy
        that is freed at once: the name must not appear before they are all there.
        """
        need_numpy()
        name = to_optional_name(name)
        flags = to_create_flags(flags)
        array = numpy.asarray(array)
        dtype = to_dtype(array.dtype)
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            flags = _FORTRAN | flags if flags else _FORTRAN
        elif int(flags) & int(_FORTRAN):
            # Unlike asfortranarray() this keeps 0 dimensions.
            array = numpy.array(array, order='F', copy=False)
        elif not array.flags.c_contiguous:
            # Unlike ascontiguousarray() this keeps 0 dimensions.
            array = array.copy(order='C')
        return _new_from_data(name, dtype, list(array.shape), array.ctypes.data, array.nbytes,
                              flags)

    @classmethod
    def new_from_data(cls, *args):
        """Not for Python: a wrong address would end the process."""
        raise TypeError('new_from_data() takes an address: use new_from_bytes() or '
                        'new_from_array()')

    @classmethod
    def open(cls, name, access=_READ_WRITE, *, timeout=0, cancellable=None):
        """Opens an array by its name. With a timeout in seconds, or None, it waits for one of that
        name if there is none.
        """
        if timeout == 0 and timeout is not False:
            return _open(to_text(name, 'The name'), to_access(access))
        return cls.open_wait(name, access, timeout=timeout, cancellable=cancellable)

    @classmethod
    def open_segment(cls, name, dtype, shape, offset=0, access=_READ_WRITE):
        """Opens shared memory without a header, such as that of
        ``multiprocessing.shared_memory``, as an array in C order.
        """
        return _open_segment(to_text(name, 'The name'), to_dtype(dtype), to_shape(shape),
                             to_integer(offset, 'The offset'), to_access(access))

    @classmethod
    def open_descriptor(cls, descriptor):
        """Opens what :meth:`to_descriptor` described."""
        return _open_descriptor(to_text(descriptor, 'The descriptor'))

    # ---- What it is ----

    @property
    def name(self):
        """The name in shared memory, or None."""
        return self.get_name()

    @property
    def dtype(self):
        """What each element is: a ``numpy.dtype``, or without NumPy a :class:`DType`."""
        dtype = self.get_dtype()
        return dtype if numpy is None else to_numpy_dtype(dtype.to_string())

    @property
    def shape(self):
        """The number of elements along each axis, in a tuple."""
        return tuple(self.get_shape())

    @property
    def strides(self):
        """The distance in bytes between neighbours along each axis, in a tuple."""
        return tuple(self.get_strides())

    @property
    def ndim(self):
        """The number of dimensions."""
        return self.get_n_dims()

    n_dims = ndim

    @property
    def size(self):
        """The number of elements."""
        return self.get_size()

    @property
    def itemsize(self):
        """The size of an element in bytes."""
        return self.get_item_size()

    item_size = itemsize

    @property
    def nbytes(self):
        """The number of bytes that the elements take."""
        return self.get_n_bytes()

    n_bytes = nbytes

    @property
    def order(self):
        """How the elements lie in memory, a ``Shnd.Order``."""
        return self.get_order()

    @property
    def access(self):
        """Whether the elements can be written, a ``Shnd.Access``."""
        return self.get_access()

    @property
    def closed(self):
        """Whether the array has no memory: it was closed, or never had any."""
        return self.get_closed()

    @property
    def persistent(self):
        """Whether the name stays when nobody has the array open any more."""
        return self.get_persistent()

    @property
    def synchronizable(self):
        """Whether the array has a lock and a change counter."""
        return self.get_synchronizable()

    def __repr__(self):
        words = [repr(self.get_name()) if self.get_name() is not None else 'without name',
                 f'shape={self.shape}', f'dtype={self.get_dtype().to_string()!r}']
        if self.get_closed():
            words[0] = 'closed'
        elif not int(self.get_access()) & WRITE:
            words.append('read-only')
        return f'<Shnd.Array {" ".join(words)}>'

    def __bool__(self):
        return True

    def __len__(self):
        shape = self.get_shape()
        if not shape:
            raise TypeError('An array of 0 dimensions has no len()')
        return shape[0]

    # ---- NumPy ----

    # The ndarray that shows the elements, from its first use until close().
    _view = None
    # The one that those see who hold this object; False if they should not.
    _exported = None

    def __getitem__(self, key):
        view = self._view
        if view is None:
            view = self._get_view()
        return view[key]

    def __setitem__(self, key, value):
        view = self._view
        if view is None:
            view = self._get_view()
        view[key] = value

    def _get_view(self):
        view = self._view
        if view is None:
            view = self._view = make_view(self)
        return view

    def get(self):
        """The elements as a NumPy array, without a copy. It keeps the memory."""
        # What is cached stays as it is, even if the caller sets the shape or the flags of his.
        return self._get_view().view()

    def __iter__(self):
        return iter(self._get_view())

    def __contains__(self, item):
        return item in self._get_view()

    def __array__(self, dtype=None, copy=None):
        view = self.get()
        dtype = view.dtype if dtype is None else ask_numpy(dtype)
        if dtype != view.dtype:
            if copy is False:
                raise ValueError(f'Elements of dtype {view.dtype} as {dtype} need a copy')
            return view.astype(dtype)
        return view.copy(order='K') if copy else view

    @property
    def __array_interface__(self):
        view = self._get_view()
        if view.dtype.names is not None or self._exported is False:
            # This protocol loses padding and titles; __array__() is asked where it is missing.
            raise AttributeError('The array interface cannot describe this dtype exactly')
        # Whoever uses this holds the array, not the view, and must not lose the memory by close().
        self._exported = view
        return view.__array_interface__

    def __dlpack__(self, **kwargs):
        return self.get().__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.get().__dlpack_device__()

    @property
    def data(self):
        """The elements as a ``memoryview``, without a copy. Times show as integers."""
        view = self._get_view()
        return memoryview(view.view(to_exportable(view.dtype)))

    # ---- Views ----

    def slice(self, axis, start=None, stop=None, step=1):
        """A view of the indices ``range(start, stop, step)`` along an axis.

        None is the respective end. Numbers below 0 do not count from the end: a `stop` of -1
        is that of ``range()``, before 0 on the way down.
        """
        axis = to_integer(axis, 'The axis')
        step = to_integer(step, 'The step')
        if start is None or stop is None:
            shape = self.get_shape()
            length = shape[axis] if 0 <= axis < len(shape) else 0
            if start is None:
                start = 0 if step > 0 else length - 1
            if stop is None:
                stop = length if step > 0 else -1
        return _Array.slice(self, axis, to_integer(start, 'The start'),
                            to_integer(stop, 'The stop'), step)

    def index(self, axis, index):
        """A view of what has one index along an axis."""
        return _Array.index(self, to_integer(axis, 'The axis'), to_integer(index, 'The index'))

    def reshape(self, *shape):
        """A view in another shape: ``reshape(2, 3)`` or ``reshape((2, 3))``. One dimension may be
        -1, for what is left.
        """
        if not shape:
            raise TypeError('reshape() needs a shape')
        return _Array.reshape(self, to_shape(shape[0] if len(shape) == 1 else shape))

    def transpose(self, *axes):
        """A view with the axes in another order, or, without any, in reverse."""
        if len(axes) == 1 and axes[0] is None:
            axes = ()
        elif len(axes) == 1:
            axes = to_integers(axes[0], 'The axes')
        return _Array.transpose(self, to_integers(axes, 'The axes'))

    @property
    def T(self):
        """The view with all axes in reverse."""
        return _Array.transpose(self, [])

    def field(self, name):
        """A view of one field of each element, by its name or title."""
        return _Array.field(self, to_text(name, 'The field'))

    def as_strided(self, dtype, shape, strides, offset=0):
        """A view of the same memory as elements of any dtype, shape and strides in bytes.

        `offset` is in bytes from the element [0, ..., 0], and may be negative. All elements have to
        be within the memory from the lowest to the highest byte of any element of the array.
        """
        return _Array.as_strided(self, to_dtype(dtype), to_integer(offset, 'The offset'),
                                 to_shape(shape), to_integers(strides, 'The strides'))

    # ---- Elements ----

    def get_element(self, *indices):
        """One element as a Python value: ``get_element(1, 2)`` or ``get_element((1, 2))``.

        Structured elements are tuples, sub-arrays are lists, times are counts of their unit.
        """
        return from_variant(self.get_dtype(), _Array.get_element(self, to_indices(indices)))

    def set_element(self, indices, value):
        """Sets one element from a Python value or a ``GLib.Variant``.

        What the dtype cannot hold is an error: nothing is cut off, nothing wraps around.
        """
        return _Array.set_element(self, to_indices((indices,)), to_variant(self.get_dtype(), value))

    def get_double(self, *indices):
        """One number as a float."""
        return _Array.get_double(self, to_indices(indices))

    def set_double(self, indices, value):
        """Sets one number from a float."""
        return _Array.set_double(self, to_indices((indices,)), value)

    def get_int64(self, *indices):
        """One number as an int."""
        return _Array.get_int64(self, to_indices(indices))

    def set_int64(self, indices, value):
        """Sets one number from an int."""
        return _Array.set_int64(self, to_indices((indices,)), to_integer(value, 'The value'))

    def fill(self, value):
        """Sets all elements to one value, as :meth:`set_element` takes it."""
        return _Array.fill(self, to_variant(self.get_dtype(), value))

    def write_bytes(self, data):
        """Sets all elements from a bytes-like object or ``GLib.Bytes``."""
        if numpy is not None and not isinstance(data, GLib.Bytes):
            source = bytes_of(data)
            view = None if self.get_closed() else self._get_view()
            if (view is not None and view.flags.writeable and view.flags.forc and
                    0 < view.nbytes == source.nbytes):
                flat = view.T if view.flags.f_contiguous else view
                flat.reshape(-1).view(numpy.uint8)[:] = source
                return True
        # Rare, or an error: the C library says which.
        return _Array.write_bytes(self, to_glib_bytes(data))

    def copy_from(self, source):
        """Sets all elements from another array, or from what ``numpy.asarray()`` takes,
        converting and repeating them.
        """
        if not isinstance(source, _Array) and source is not None:
            need_numpy()
            source = numpy.asarray(source)
            view = None if self.get_closed() else self._get_view()
            if (view is not None and view.flags.writeable and source.dtype == view.dtype and
                    source.shape == view.shape):
                view[...] = source
                return True
            source = Array.new_from_array(None, source)
        return _Array.copy_from(self, source)

    # ---- The end ----

    def close(self):
        """Lets go of the memory now. NumPy arrays and views made before keep it."""
        self.__dict__.pop('_view', None)
        _Array.close(self)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


# Looked up once.
_new = _Array.new
_new_unique = _Array.new_unique
_new_from_bytes = _Array.new_from_bytes
_new_from_data = _Array.new_from_data
_open = _Array.open
_open_segment = _Array.open_segment
_open_descriptor = _Array.open_descriptor

Array = override(Array)
__all__.append('Array')


class ArrayInfo(Described, Shnd.ArrayInfo):
    """What was to be known of an array when this was made: it neither opens nor keeps it."""


ArrayInfo = override(ArrayInfo)
__all__.append('ArrayInfo')


class Frame(Framed, Shnd.Frame):
    """An array in a stream, with what travels with it.

    It goes back to its publisher when nothing has it any more: no variable, no NumPy array and no
    view of its elements. :meth:`release` gives up the frame's own part in that.

    ``with frame:`` releases a received frame at the end of the block. One that was acquired is
    published at the end, unless that was done before, or released if the block raises an exception.
    """


Frame = override(Frame)
__all__.append('Frame')


class Publisher(Publishing, Shnd.Publisher):
    """The sending end of a stream of frames. ``with publisher:`` closes it at the end.

    A publisher is made by ``Shnd.Publisher.new(address)``.
    """


Publisher = override(Publisher)
__all__.append('Publisher')


class Subscriber(Subscribed, Shnd.Subscriber):
    """The receiving end of a stream of frames. ``with subscriber:`` closes it at the end.

    ``for frame in subscriber:`` receives until the publisher is closed, and so does ``async for``
    in a coroutine of asyncio. A loop's variable holds the last frame until the next one has come:
    if the depth is 1, ``frame.release()`` at the end of each round lets that come.
    """


Subscriber = override(Subscriber)
__all__.append('Subscriber')


_unlink = Shnd.unlink


@override(Shnd.unlink)
def unlink(name):
    """Removes the name of an array without opening it."""
    return _unlink(to_text(name, 'The name'))


__all__.append('unlink')

watch_children()
