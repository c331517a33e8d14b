# SPDX-License-Identifier: MIT

"""Random chains of views, and copies between them, on arrays of the library and on NumPy's alike."""

import random
import unittest
import warnings

import numpy as np
from support import GLib, SharedTestCase, Shnd, diagnose, main

N_PROGRAMS = 3000

DTYPES = [np.dtype(dtype) for dtype in (
    '?', 'i1', '<i2', '>u4', '<i8', '>f2', '<f4', '>f8', 'g', '<c8', '>c16', 'S3', '<U2', 'V5',
    '<M8[s]', '>m8[ms]', [('a', '<i4'), ('b', '>f8')],
    [('a', 'i1'), ('b', '<f4', (2, 3)), (('t', 'c'), [('d', '>i2'), ('e', 'S0')], (2,))],
    {'names': ['x', 'y'], 'formats': ['<u2', '<f8'], 'offsets': [3, 8], 'itemsize': 20},
)]
NUMBERS = [dtype for dtype in DTYPES if dtype.kind in 'biuf']


def fill(rng, array):
    """With values that any number can hold, so that no conversion is rounded."""
    if array.dtype.names is not None:
        for name in array.dtype.names:
            fill(rng, array[name])
    elif array.size > 0 and array.dtype.itemsize > 0:
        values = [rng.randrange(2 if array.dtype.kind == 'b' else 100) for _ in range(array.size)]
        if array.dtype.kind in 'SUV':
            values = [str(value).encode() for value in values]
        array[...] = np.array(values).astype(array.dtype).reshape(array.shape)


def get_bounds(array):
    """From where to where it has elements, in bytes from the first one."""
    if array.size == 0:
        return 0, 0
    ways = [(n - 1) * stride for n, stride in zip(array.shape, array.strides)]
    return (sum(way for way in ways if way < 0),
            sum(way for way in ways if way > 0) + array.itemsize)


class Strided:
    """Bytes of the memory of an array, for NumPy."""

    def __init__(self, array, shape, strides, offset):
        self.base = array
        self.__array_interface__ = {'version': 3, 'typestr': '|u1', 'shape': tuple(shape),
                                    'strides': tuple(strides),
                                    'data': (array.ctypes.data + offset, False)}


class Program:
    """A view of the library's and one of NumPy's that are to stay the same."""

    def __init__(self, rng):
        self.rng = rng
        shape = [rng.randrange(0 if rng.random() < 0.1 else 1, 6)
                 for _ in range(rng.randrange(0, 5))]
        self.theirs = np.zeros(shape, rng.choice(DTYPES), order=rng.choice('CF'))
        fill(rng, self.theirs)
        self.ours = Shnd.Array.new_from_array(None, self.theirs)
        self.whole = (self.ours, self.theirs)
        self.overlaps = False

    def slice(self):
        axis = self.rng.randrange(self.theirs.ndim)
        length = self.theirs.shape[axis]
        step = self.rng.choice((1, 1, 2, 3, -1, -2))
        start, stop = sorted(self.rng.randrange(length + 1) for _ in range(2))
        if step < 0:
            start, stop = stop - 1, start - 1
        indices = range(start, stop, step)
        self.ours = self.ours.slice(axis, start, stop, step)
        if not indices:
            indices = range(0)
            key = slice(0, 0)
        else:
            key = slice(start, stop if stop >= 0 else None, step)
        self.theirs = self.theirs[(slice(None),) * axis + (key,)]

    def index(self):
        axis = self.rng.randrange(self.theirs.ndim)
        if self.theirs.shape[axis] > 0:
            index = self.rng.randrange(self.theirs.shape[axis])
            self.ours = self.ours.index(axis, index)
            # With an ellipsis the result is an array even without dimensions.
            self.theirs = self.theirs[(slice(None),) * axis + (index, ...)]

    def transpose(self):
        axes = self.rng.sample(range(self.theirs.ndim), self.theirs.ndim)
        self.ours = self.ours.transpose(*axes)
        self.theirs = self.theirs.transpose(axes)

    def reshape(self):
        size = self.theirs.size
        shape = []
        while size > 1 and len(shape) < 4:
            shape.append(self.rng.choice([n for n in range(1, size + 1) if size % n == 0]))
            size //= shape[-1]
        shape = shape + [size] if size != 1 or not shape else shape
        if self.rng.random() < 0.3 and 0 not in shape:
            shape[self.rng.randrange(len(shape))] = -1
        expected = self.theirs.view()
        try:
            expected.shape = shape
        except AttributeError:
            expected = None
        try:
            self.ours = self.ours.reshape(shape)
        except GLib.Error as error:
            assert error.matches(Shnd.Error.quark(), Shnd.Error.NOT_CONTIGUOUS), error.message
            assert expected is None, f'refused {shape} of {self.theirs.strides}'
        else:
            assert expected is not None, f'accepted {shape} of {self.theirs.strides}'
            self.theirs = expected

    def field(self):
        if self.theirs.dtype.names:
            name = self.rng.choice(self.theirs.dtype.names)
            self.ours = self.ours.field(name)
            self.theirs = self.theirs[name]

    def as_strided(self):
        """Some bytes of the same memory, which are all inside of it or not."""
        if self.whole[1].dtype.kind == 'V' or self.whole[1].dtype == 'g':
            return  # what is in padding is anyone's
        low, high = get_bounds(self.theirs)
        shape = [self.rng.randrange(5) for _ in range(self.rng.randrange(4))]
        strides = [self.rng.randrange(-9, 10) for _ in shape]
        offset = self.rng.randrange(low - 3, high + 4)
        places = {offset + sum(i * stride for i, stride in zip(indices, strides))
                  for indices in np.ndindex(*shape)} or {offset}
        inside = min(places) >= low and max(places) + (0 not in shape) <= high
        try:
            self.ours = self.ours.as_strided('u1', shape, strides, offset)
        except GLib.Error as error:
            assert error.matches(Shnd.Error.quark(), Shnd.Error.TOO_SMALL), error.message
            assert not inside, f'refused {shape}, {strides} at {offset} of {low} to {high}'
        else:
            assert inside, f'accepted {shape}, {strides} at {offset} of {low} to {high}'
            self.theirs = np.asarray(Strided(self.theirs, shape, strides, offset))
            self.overlaps = True

    def dup(self):
        flags, order = self.rng.choice(((0, 'C'), (Shnd.CreateFlags.FORTRAN, 'F')))
        self.ours = self.ours.dup(None, flags)
        self.theirs = self.theirs.copy(order)
        self.whole = (self.ours, self.theirs)
        self.overlaps = False

    def copy_overlapping(self):
        """A view of itself, of the same shape."""
        axes = [axis for axis in range(self.theirs.ndim) if self.theirs.shape[axis] > 1]
        if axes and not self.overlaps:
            axis = self.rng.choice(axes)
            length = self.theirs.shape[axis]
            front = (slice(None),) * axis
            if self.rng.random() < 0.5:
                self.ours.copy_from(self.ours.slice(axis, length - 1, -1, -1))
                self.theirs[...] = self.theirs[front + (slice(None, None, -1),)].copy()
            else:
                self.ours.slice(axis, 1, length).copy_from(self.ours.slice(axis, 0, length - 1))
                self.theirs[front + (slice(1, None),)] = \
                    self.theirs[front + (slice(None, -1),)].copy()

    def copy_converted(self):
        """Another number type, repeated along some axes."""
        if self.theirs.dtype in NUMBERS and not self.overlaps:
            shape = [1 if self.rng.random() < 0.3 else n for n in self.theirs.shape]
            shape = shape[self.rng.randrange(len(shape) + 1):]
            source = np.zeros(shape, self.rng.choice(NUMBERS), order=self.rng.choice('CF'))
            fill(self.rng, source)
            self.ours.copy_from(Shnd.Array.new_from_array(None, source))
            self.theirs[...] = source

    def check(self):
        for ours, theirs in (self.whole, (self.ours, self.theirs)):
            assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
            assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
            # Not their bytes: what is in the padding of a long double is anyone's.
            assert repr(ours.get().tolist()) == repr(theirs.tolist()), theirs
        flags = self.theirs.flags
        order = 'C' if flags.c_contiguous else 'FORTRAN' if flags.f_contiguous else 'STRIDED'
        assert self.theirs.nbytes == 0 or self.ours.order == getattr(Shnd.Order, order), order
        assert self.ours.is_aligned() == flags.aligned, flags


STEPS = ('slice', 'slice', 'index', 'transpose', 'reshape', 'reshape', 'field', 'as_strided',
         'dup', 'copy_overlapping', 'copy_converted')


class Views(SharedTestCase):
    def test_programs(self):
        n_steps = 0
        for seed in range(N_PROGRAMS):
            rng = random.Random(seed)
            program = Program(rng)
            done = []
            for step in rng.choices(STEPS, k=rng.randrange(1, 9)):
                if program.theirs.ndim == 0 and step in ('slice', 'index'):
                    continue
                done.append(step)
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter('ignore')
                        getattr(program, step)()
                        program.check()
                except AssertionError as error:
                    self.fail(f'program {seed}, {done}: {error}')
            n_steps += len(done)
        diagnose(f'{N_PROGRAMS} programs of {n_steps} steps')
        self.assertGreater(n_steps, 3 * N_PROGRAMS)


if __name__ == '__main__':
    main()
