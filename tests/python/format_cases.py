# SPDX-License-Identifier: MIT

"""The dtypes and shapes that are tried: the same list, and the same bytes, every time."""

import ctypes
import itertools
import zlib

import numpy as np

UNITS = ('Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'ns', 'ps', 'fs', 'as')

NUMBERS = ('i2', 'i4', 'i8', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'g', 'c8', 'c16', 'G')

SCALARS = ['|b1', '|i1', '|u1']
SCALARS += [order + number for number in NUMBERS for order in '<>']

STRINGS = ['S0', 'S1', 'S2', 'S7', 'S100', 'S4097']
STRINGS += [order + text for text in ('U0', 'U1', 'U3', 'U10', 'U1025') for order in '<>']
STRINGS += ['V0', 'V1', 'V8', 'V100', 'V4097']

TIMES = [f'{order}{letter}8[{unit}]' for letter in 'Mm' for unit in UNITS for order in '<>']
TIMES += ['<M8', '>M8', '<m8', '>m8']
TIMES += ['<M8[25s]', '>M8[25s]', '<m8[7D]', '<M8[10ns]', '<M8[100Y]', '<m8[2147483647as]',
          '>m8[1000us]', '<M8[2W]', '<M8[3M]', '<m8[12h]', '<M8[15m]', '>M8[40ms]']

# Names that are awkward in a header, with what to call them in a report.
NAMES = {
    'space': 'a name',
    'leading space': ' x',
    'tab': 'a\tb',
    'newline': 'a\nb',
    'carriage return': 'a\rb',
    'single quote': "it's",
    'double quote': 'say "x"',
    'both quotes': '\'"',
    'backslash': 'a\\b',
    'backslash at the end': 'a\\',
    'looks like an escape': 'a\\nb',
    'looks like an end': "')]",
    'control characters': '\x01\x1b\x7f',
    'keyword': 'True',
    'number': '12',
    'comma': 'a,b',
    'hash': '#a',
    'braces': '{0}',
    'percent': '%s',
    'Latin-1': 'é',
    'Latin-1, not printable': 'a\x85b\xadc',
    'no-break space': 'a\xa0b',
    'Greek': 'θ',
    'Japanese': '温度',
    'combining': 'e\u0301',
    'right to left': 'שם',
    'zero width': 'a\u200bb',
    'line separator': 'a\u2028b',
    'ideographic space': 'a\u3000b',
    'private use': '\ue000',
    'noncharacter': '\uffff',
    'unassigned': '\u0378',
    'emoji': '\U0001f600',
    'highest': '\U0010ffff',
    'long': 'x' * 1000,
}


def _aligned(*fields):
    return np.dtype(list(fields), align=True)


def _placed(names, formats, offsets, itemsize, titles=None):
    fields = {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': itemsize}
    if titles is not None:
        fields['titles'] = titles
    return np.dtype(fields)


def _structs():
    point = [('x', '<f4'), ('y', '<f4'), ('z', '<f4')]

    yield 'one field', [('a', '<i4')]
    yield 'two fields', [('a', '<i4'), ('b', '>f8')]
    yield 'no fields', []
    yield 'unnamed fields', [('', '<i4'), ('', '<f8')]
    yield 'all plain types', [(f'f{i}', scalar) for i, scalar in enumerate(SCALARS)]
    yield 'all times', [(f'f{i}', time) for i, time in enumerate(TIMES)]
    yield 'strings', [(f'f{i}', text) for i, text in enumerate(STRINGS)]
    yield 'empty strings only', [('a', 'S0'), ('b', '<U0'), ('c', 'V0')]
    yield 'nested', [('id', '>u2'), ('at', point), ('ok', '?')]
    yield 'nested twice', [('a', [('b', [('c', '<i2'), ('d', 'S3')]), ('e', '>f4')])]
    yield 'nested, no fields', [('a', []), ('b', '<i4'), ('c', [])]
    deep = [('leaf', '<i4')]
    for i in range(20):
        deep = [(f'level{i}', deep)]
    yield 'nested 21 deep', deep
    yield 'nested beside', [('a', point), ('b', point), ('c', [('a', point)])]

    yield 'title', [(('the title', 'a'), '<i4'), ('b', '<f4')]
    yield 'all titles', [((f'title {c}', c), '<i2') for c in 'abc']
    yield 'title, sub-array', [(('The position', 'xyz'), '<f8', (3,))]
    yield 'title, nested', [(('outer', 'a'), [(('inner', 'b'), '>i8'), ('c', 'S1')])]
    yield 'title, quotes', [(('it\'s "a"', 'a'), '<i4')]
    yield 'title, Latin-1', [(('Größe', 'size'), '<i4')]
    yield 'title, Greek', [(('γωνία', 'angle'), '<i4')]
    yield 'title, padding', _placed(['a', 'b'], ['i1', '<i8'], [0, 8], 24, ['one', 'two'])

    yield 'sub-array', [('a', '<f4', (3,))]
    yield 'sub-array of one', [('a', '<f4', (1,))]
    yield 'sub-array, 2-D', [('a', '>i2', (2, 3)), ('b', '<i4')]
    yield 'sub-array, 5-D', [('a', 'u1', (1, 2, 1, 3, 2))]
    yield 'sub-array, 32-D', [('a', '<i2', (1,) * 31 + (2,))]
    yield 'sub-array, empty', [('a', '<f4', (0,)), ('b', '<i4')]
    yield 'sub-array, empty, 2-D', [('a', '<f4', (3, 0)), ('b', '<i4')]
    yield 'sub-array of strings', [('a', 'S5', (2,)), ('b', '<U2', (2, 2)), ('c', 'V3', (4,))]
    yield 'sub-array of times', [('a', '<M8[us]', (2,)), ('b', '>m8[25s]', (3,))]
    yield 'sub-array of truths', [('a', '?', (5,))]
    yield 'sub-array of structs', [('a', point, (2,)), ('b', [('c', '>u4', (2,))], (2, 2))]
    yield 'sub-array of sub-arrays', [('a', np.dtype((np.dtype(('<i4', (2,))), (3,))))]
    yield 'sub-array of sub-arrays of structs', [
        ('a', np.dtype((np.dtype((np.dtype(point), (2,))), (3, 2)))), ('b', 'u1')]
    yield 'sub-array, large', [('image', 'u1', (40, 60, 4))]

    yield 'aligned', _aligned(('a', 'i1'), ('b', '<f8'), ('c', '<i2'))
    yield 'aligned, trailing', _aligned(('a', '<f8'), ('b', 'u1'))
    yield 'aligned, nested', _aligned(
        ('a', 'u1'), ('b', _aligned(('c', 'u1'), ('d', '<i4'))), ('e', '<i2'))
    yield 'aligned, sub-array', _aligned(('a', 'u1'), ('b', '<i8', (2,)), ('c', 'S3'))
    yield 'aligned, long double', _aligned(('a', 'u1'), ('b', 'g'), ('c', '?'))
    yield 'gap in front', _placed(['a'], ['<i4'], [4], 8)
    yield 'gap behind', _placed(['a'], ['<i4'], [0], 100)
    yield 'gap between', _placed(['a', 'b'], ['u1', '<f8'], [0, 16], 24)
    yield 'gaps everywhere', _placed(['a', 'b', 'c'], ['u1', '>f8', 'S3'], [3, 7, 4000], 5000)
    yield 'only a gap', _placed([], [], [], 12)
    yield 'gap, nested', [('a', _placed(['b'], ['<i2'], [2], 8)), ('c', '>i4')]
    yield 'gap, sub-array', [('a', _placed(['b'], ['<i2'], [2], 8), (3,)), ('c', '>i4')]
    yield 'a gap of one byte', _placed(['a', 'b'], ['u1', 'u1'], [0, 2], 3)
    yield 'no gap, odd offsets', [('a', 'u1'), ('b', '<f8'), ('c', 'u1'), ('d', '<i4')]

    for word, name in NAMES.items():
        yield f'name, {word}', [('first', 'u1'), (name, '<i4')]
    yield 'names, all', [(name, '<i2') for name in NAMES.values()]
    yield 'name, Latin-1, nested', [('a', [('é', '<i4')])]
    yield 'name, Greek, nested', [('a', [('θ', '<i4', (2,))])]

    yield '300 fields', [(f'column {i}', '<i4') for i in range(300)]
    # Around the length that format 1.0 can hold.
    for n in range(2, 6):
        yield f'{65536 - 1024 * n} bytes of names', [('x' * (65536 - 1024 * n), '<i4')]
    for n in range(8):
        yield f'about 65535 bytes, {n}', [('x' * (65402 + 16 * n), '<i4')]
    yield '3000 fields', [(f'temperature of room {i}', '<f4') for i in range(3000)]
    yield '3000 fields, Greek', [(f'θερμοκρασία {i}', '<f4') for i in range(3000)]


STRUCTS = list(_structs())

SHAPES = [
    (), (0,), (1,), (2,), (7,), (1000,), (4096,),
    (0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (2, 3), (64, 65),
    (0, 3, 4), (3, 0, 4), (3, 4, 0), (2, 3, 4), (1, 3, 1), (4, 1, 4),
    (2, 1, 3, 2), (2, 2, 2, 2, 2), (3, 1, 0, 2, 1),
    (1,) * 32, (2,) + (1,) * 31, (1,) * 31 + (2,), (2,) * 10 + (1,) * 22, (1,) * 31 + (0,),
]


def _cases():
    """Yields (what to call it, dtype, shape, order)."""
    every = [('scalar', text, np.dtype(text)) for text in SCALARS]
    every += [('string', text, np.dtype(text)) for text in STRINGS]
    every += [('time', text, np.dtype(text)) for text in TIMES]
    every += [('struct', word, np.dtype(fields)) for word, fields in STRUCTS]

    shapes = itertools.cycle([((3,), 'C'), ((2, 3), 'F'), ((), 'C'), ((4, 1, 2), 'C'),
                              ((2, 0), 'C'), ((3, 2, 2), 'F')])
    for kind, word, dtype in every:
        for shape, order in itertools.islice(shapes, 2 if kind == 'scalar' else 1):
            yield f'{kind} {word}', dtype, shape, order

    record = np.dtype([('a', '<i2'), ('b', '>f4', (2,)), (('t', 'c'), 'S3')])
    for dtype in (np.dtype('<i4'), np.dtype('>f8'), np.dtype('V0'), record):
        for shape in SHAPES:
            for order in 'CF':
                yield 'shape', dtype, shape, order


def fill(data, dtype):
    """Makes the bytes of elements valid: data has the shape (number of elements, item size)."""
    if dtype.subdtype is not None:
        base, _ = dtype.subdtype
        if base.itemsize > 0 and data.size > 0:
            for start in range(0, dtype.itemsize, base.itemsize):
                fill(data[:, start:start + base.itemsize], base)
    elif dtype.names is not None:
        for name in dtype.names:
            field, start = dtype.fields[name][:2]
            fill(data[:, start:start + field.itemsize], field)
    elif dtype.kind == 'b':
        data &= 1
    elif dtype.kind == 'U':
        # Code points below the surrogates, and some beyond 16 bits.
        if data.size > 0:
            codes = np.ascontiguousarray(data).view('<u4') % 0xd800
            codes += 0x10000 * (codes & 1)
            data[:] = codes.astype(dtype.str[0] + 'u4').view('u1')


def make_array(dtype, shape, order='C'):
    """An ndarray of random bytes (the padding too), random but the same in every run."""
    array = np.ndarray(shape, dtype, order=order)
    seed = zlib.crc32(repr((np.lib.format.dtype_to_descr(array.dtype), shape, order)).encode())
    data = np.random.default_rng(seed).integers(0, 256, (array.size, array.dtype.itemsize), 'u1')
    fill(data, array.dtype)
    ctypes.memmove(array.ctypes.data, data.tobytes(), array.nbytes)
    return array


def raw_bytes(array):
    """The memory of a contiguous ndarray in the order in which it lies."""
    assert array.flags.c_contiguous or array.flags.f_contiguous
    return ctypes.string_at(array.ctypes.data, array.nbytes)


CASES = [(f'{i:03} {word} {order}{shape if len(shape) < 6 else f"{len(shape)}-D"}'.replace('#', ''),
          dtype, shape, order)
         for i, (word, dtype, shape, order) in enumerate(_cases())]
