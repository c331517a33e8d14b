# SPDX-License-Identifier: MIT

"""Descriptions of dtypes, for NumPy and the library to agree on, or not."""

import itertools
import string

import numpy as np

from format_cases import UNITS


def type_strings():
    """Type strings, right and wrong ones, in all combinations."""
    marks = ('', '<', '>', '=', '|')
    for mark in marks + ('!', '^', '~', '@', '<<', '<>'):
        for letter in string.printable:
            yield mark + letter
    sizes = [str(i) for i in range(41)] + [
        '64', '128', '256', '00', '08', '016', '1x', '-1', '+1', ' 1', '1 ', '1.0', '2147483647',
        '2147483648', '536870911', '536870912', '4294967297', '99999999999999999999']
    for mark, letter, size in itertools.product(marks, string.ascii_letters + '?', sizes):
        yield mark + letter + size

    names = sorted(name for name in np.sctypeDict if isinstance(name, str)) + [
        'object', 'unicode', 'string', 'datetime', 'timedelta', 'int128', 'float80', 'bfloat16',
        'str', 'bytes', 'memoryview', 'nan', 'None', 'True', 'complex512', 'char', 'category']
    for name in names:
        yield from (name, name.upper(), name.capitalize(), name + ' ', ' ' + name, f'\t{name}\n',
                    name + '_', name[:-1], name + '1', name + 'x')
        for mark in marks[1:]:
            yield mark + name

    units = UNITS + (
        'generic', 'μs', 'µs', 'min', 'B', 'Ms', 'S', 'd', 'y', 'H', '', 'x', 'seconds', 'ks',
        '25s', '1s', '0s', '-1s', '+1s', '2147483647s', '2147483648s', '4294967297s', '025s',
        '99999999999999999999s', ' 25s', '25 s', '25s ', '1.5s', '1e3s', '25', '25generic',
        's/10', 's/1', '3s/10', 'D/24', 's/7', 'ns/2', 'as/10', 's]', '[s', ' s', 's ', 's][s')
    times = ('M8', 'm8', 'M', 'm', 'datetime64', 'timedelta64', 'M4', 'M08', 'Datetime64')
    for mark, time in itertools.product(marks, times):
        for unit in units:
            yield f'{mark}{time}[{unit}]'
        for rest in ('[', '[s', 's]', '[s]x', '(s)', ' [s]'):
            yield mark + time + rest

    yield from ('i4,f4', 'i4, f4', '3f4', '(2,)f4', '(2,3)f4', '2i4,S3', 'i4,', ',i4', '()i4',
                '1i4', '0i4', 'i4;', 'i4 f4', '<i4>f4', '', '  ', '\n', '{', '{}', 'i4é', 'é',
                '\U0001f600', 'ï4', 'i\uff14', 'i²', 'x' * 1000, '(' * 200, '[' * 200, 'i' * 300)


# Where the library is not NumPy: (why, the strings, who accepts them).
STRING_DIFFERENCES = [
    ('spaces around a description do not matter', r'\s+\S.*|.*\S\s+', 'ours'),
    ('sizes are digits alone', r'[<>=|]?[a-zA-Z][ +-]\d+', 'numpy'),
    ('what does not fit wraps around in NumPy', r'[<>=|]?[a-zA-Z]\d{9,}', 'numpy'),
    ('a control character is no type number', r'[<>=|]?[\t\n\r\x0b\x0c]', 'numpy'),
    ('structures are written as lists', r'.*,.*|\(.*', 'numpy'),
    ('repetitions are written as tuples', r'\d+[a-z]\d', 'numpy'),
    ('there is no count of no time', r'.*\[0s\]', 'numpy'),
    ('multiples are digits alone', r'.*\[[ +]\d+s\]', 'numpy'),
    ('divisors are for the writer to work out', r'.*\[\w+/\d+\]', 'numpy'),
    ('the micro sign is as good as the letter', r'.*\[µs\]', 'ours'),
    ('a size may begin with 0 before a unit, too', r'[<>=|]?[Mm]0+8\[.*', 'ours'),
]

LITERALS = [
    [], [('a', '<f4')], [('a', 'f4'), ('b', '>i2')], [('a', 'float32')], [('a', 'M8[25s]')],
    [('a', '<f4', ())], [('a', '<f4', 1)], [('a', '<f4', (1,))], [('a', '<f4', 0)],
    [('a', '<f4', 2)], [('a', '<f4', (2, 3))], [('a', '<f4', (0,))], [('a', '<f4', (2, 0))],
    [('a', ('<f4', (2,)), (3,))], [('a', ('<f4', (2,)))], [('a', (('<f4', (2,)), (3, 4)))],
    [('', '|V4')], [('', '|V0')], [('', '<f4')], [('', '|V4', (2,))], [('', '<f4', (2,))],
    [('', '|V4'), ('', '|V4')], [('', '<f4'), ('', '<f4')], [('a', '|V')], [('a', '|V0')],
    [('', '|V4'), ('a', '|i1'), ('', '|V4'), ('', '|V2'), ('b', '|i1'), ('', '|V2')],
    [(('t', 'a'), '<f4')], [(('t', 'a'), '<f4', (2,))], [(('a', 'a'), '<f4')],
    [(('b', 'a'), '<f4'), ('b', '<i4')], [('b', '<i4'), (('b', 'a'), '<f4')],
    [(('t', 'a'), '<f4'), (('t', 'b'), '<i4')], [(('', 'a'), '<f4')], [(('t', ''), '<f4')],
    [(('t', ''), '|V4'), ('b', '<i4')], [((None, 'a'), '<f4')], [((None, ''), '|V4')],
    [('a', '<f4'), ('a', '<f4')], [('a', '|S0')], [('a', '<U0')], [('a', '|S0'), ('b', '<i4')],
    [('a', '|S0', (2,))], [('a', [])], [('a', []), ('b', '<i4')], [('a', [('b', '|V3')])],
    [('a', [('b', '<f4')], (2,))], [('a', [('b', '<f4', (0,))], (2,))], [('', [])],
    [('', [('a', '|V4')])], [('a', '<f4', [2])], [('a', '<f4', (-1,))], [('a', '<f4', -1)],
    [('a', '<f4', True)], [('a', '<f4', (True,))], [('a', '<f4', None)], [('a', '<f4', '2')],
    [('a',)], [('a', '<f4', 2, 3)], ['a'], [1], [None], [()], [('a', 4)], [('a', None)],
    [('a', True)], [('a', {})], [('a', '')], [(1, '<f4')], [(None, '<f4')], [((1, 'a'), '<f4')],
    [(('t', 1), '<f4')], [(('t',), '<f4')], [(('t', 'u', 'a'), '<f4')], [((), '<f4')],
    [('a', '|O')], [('a', 'O'), ('b', '<i4')], [('a', [('b', '|O')])], [('a', '|O', (2,))],
    [['a', '<f4']], [('a', ['<f4'])], [('a', ('<f4',))], [('a', ('<f4', (2,), 3))],
    ('<f4', (2,)), ('<f4', (2, 3)), ('<f4', (0,)), ('<f4', ()), ('<f4', 2), ('<f4', 1),
    ('<f4', 0), ('<f4', [2]), ('<f4', -1), ('<f4', (-1,)), ('<f4', True), ('<f4', (2,), 3),
    ('<f4',), (), ('<f4', '<i4'), ('<f4', None), ('<f4', 2.0), ('S', 5), ('S0', (2,)),
    ('S', (5,)), ('U', 3), ('>U', 3), ('V', 0), ('V0', 3), (('U', 3), (2,)), ('M8', 5),
    (('<f4', (0,)), (2,)), (('<f4', (0,)), 2), (('<f4', (2,)), (3,)), ([('a', '<f4')], (2,)),
    ([], (2,)), ([], 2), (([], (0,)), (2,)), ([('a', '<f4', (0,))], (2,)),
    ('<f4', (1,) * 32), ('<f4', (1,) * 33), ('<f4', (2 ** 31, 0)), ('<f4', (2 ** 20, 2 ** 12)),
    ('<f4', (0, 2 ** 31 - 1, 2 ** 31 - 1)), ('|V1', (2 ** 31 - 1,)), ('|V1', (2 ** 31,)),
    ('|V2', (2 ** 30,)), ('|V1', (2 ** 16, 2 ** 15)), ('<f4', 2 ** 63), ('<f4', 2 ** 100),
    [('a', '|V2147483647')], [('a', '|V2147483647'), ('b', '|V0')],
    [('a', '|V2147483647'), ('b', '|V1')], [('a', '|V1073741824'), ('b', '|V1073741824')],
    {}, {'names': ['a'], 'formats': ['<f4']}, None, 5, True, 'f4', '<f4', ' <f4', '', 'O', '|O',
    'f4,i4', [('a', 'f4,i4')], [('a', ' f4')], [('a\\b', '<f4')], [("it's", '<f4')],
    [('\u00e9', '<f4')], [('\u6e29', '<f4')], [('\0', '<f4')], [('\ud800', '<f4')],
]

# By the literal's repr(): (why, who accepts it). Where both do, they take it for different things.
LITERAL_DIFFERENCES = {
    "[('a', {})]": ('structures are written as lists', 'numpy'),
    '{}': ('structures are written as lists', 'numpy'),
    "'f4,i4'": ('structures are written as lists', 'numpy'),
    "[('a', 'f4,i4')]": ('structures are written as lists', 'numpy'),
    "[['a', '<f4']]": ('a field is a tuple: what NumPy writes', 'numpy'),
    "[((1, 'a'), '<f4')]": ('a title is text', 'numpy'),
    "[('a', ('<f4', (2,), 3))]": ('NumPy overlooks what is behind the shape', 'numpy'),
    "('<f4', (2,), 3)": ('NumPy overlooks what is behind the shape', 'numpy'),
    "('<f4', '<i4')": ('a shape is no type', 'numpy'),
    "(('<f4', (0,)), 2)": ('NumPy answers with 2 bytes for no elements', 'numpy'),
    "[((None, ''), '|V4')]": ('NumPy writes it as padding, and reads that as padding', 'both'),
    "[('\\x00', '<f4')]": ('a C string has no NUL', 'numpy'),
    "[('\\ud800', '<f4')]": ('a surrogate is no character, and not in UTF-8', 'numpy'),
}
