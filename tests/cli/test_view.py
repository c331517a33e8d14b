# SPDX-License-Identifier: MIT

"""The parts of arrays that --field and --slice take, and where arrays come from."""

import io
import os
import random

from cli_support import FAILURE, NOT_FOUND, USAGE, CliTestCase, main, np, run
from picture_support import draw_png

# What NumPy is to understand in the same way, next to what is made at random.
EXPRESSIONS = ['...', '0', '-1', '[1]', '[0, ...]', ':, 1', ' : , 1 ', '..., -1', '2,', '0,1,2',
               '-1, ..., -1, 0', '::-1, 0', '0,::-1,::2', '0,-3:,:-1', '0,1:99999999999999999999',
               '0,-99999999999999999999:,::99999999999999999999', '0,3:0:-2', '+1, +0:', ':,:,0,...']


def evaluate(array, expression):
    """What NumPy takes; None if it cannot."""
    try:
        return eval('array[' + expression.strip('[]') + ']')
    except (IndexError, SyntaxError):
        return None


def make_number(numbers):
    return numbers.choice(['', '', str(numbers.randint(-7, 7))])


def make_expression(numbers):
    parts = []
    for _ in range(numbers.randint(1, 3)):
        kind = numbers.random()
        if kind < 0.4:
            parts.append(str(numbers.randint(-4, 4)))
        elif kind < 0.5:
            parts.append('...')
        else:
            step = numbers.choice(['', ':', ':-1', ':2', ':-3'])
            parts.append(f'{make_number(numbers)}:{make_number(numbers)}{step}')
    return ', '.join(parts)


class TestSlice(CliTestCase):
    def setUp(self):
        super().setUp()
        self.array = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
        self.name = self.make('view', self.array)

    def check(self, expression):
        expected = evaluate(self.array, expression)
        result = run('save', self.name, '-', '--slice', expression, status=None)
        if expected is None:
            self.assertIn(result.status, (FAILURE, USAGE), expression)
            self.assertIn(expression, result.stderr)
        else:
            self.assertEqual(result.status, 0, result.stderr)
            found = np.load(io.BytesIO(result.data))
            self.assertEqual(found.shape, expected.shape, expression)
            self.assertEqual(found.tolist(), expected.tolist(), expression)

    def test_expressions(self):
        for expression in EXPRESSIONS:
            self.check(expression)

    def test_random_expressions(self):
        numbers = random.Random(5)
        for _ in range(120):
            self.check(make_expression(numbers))

    def test_out_of_range(self):
        for expression, axis in (('4', 0), ('-5', 0), (':,5', 1), ('0,1,6', 2), ('...,-7', 2),
                                 ('0,...,9', 2)):
            self.run_error(FAILURE, (f'on axis {axis}', 'expected'), 'show', self.name, '--slice',
                           expression)
        self.run_error(FAILURE, 'axis 3 is not there', 'show', self.name, '--slice', '0,0,0,0')

    def test_syntax(self):
        for expression in ('', ' ', ',', '1,,2', 'x', '1.5', '1:2:3:4', '::0', '..', '0 1', '1:b',
                           '[1', '1]', '..., ...', 'None', '--1'):
            self.run_error(USAGE, f'--slice “{expression}”', 'show', self.name, '--slice',
                           expression)


class TestField(CliTestCase):
    def setUp(self):
        super().setUp()
        self.array = np.zeros((3, 4), [('place', [('x', '>u2'), ('y', 'u1')]), ('rgb', 'u1', 3)])
        self.array['place']['y'] = np.arange(12).reshape(3, 4)
        self.array['rgb'] = np.arange(36).reshape(3, 4, 3)
        self.name = self.make('fields', self.array)

    def test_field(self):
        found = draw_png(self.name, '--field', 'rgb')
        self.assertEqual(found.tolist(), self.array['rgb'].tolist())

        found = draw_png(self.name, '--field', 'place', '--field', 'y')
        self.assertEqual(found[..., 0].tolist(), self.array['place']['y'].tolist())

    def test_field_and_slice(self):
        """The dimensions of a field come behind those of the array."""
        found = draw_png(self.name, '--field', 'rgb', '--slice', '1:, ::-1, 2')
        self.assertEqual(found[..., 0].tolist(), self.array['rgb'][1:, ::-1, 2].tolist())

    def test_errors(self):
        self.run_error(FAILURE, ('--field “z”', 'expected “place” or “rgb”'), 'show', self.name,
                       '--field', 'z')
        self.run_error(FAILURE, 'have no fields', 'show', self.name, '--field', 'rgb', '--field',
                       'r')
        self.run_error(FAILURE, '--field', 'show', self.name)

    def test_many_fields(self):
        name = self.make('many', np.zeros(2, [(f'f{i}', 'u1') for i in range(20)]))
        self.run_error(FAILURE, ('“f7”', 'or one of 12 more'), 'show', name, '--field', 'z')


class TestSource(CliTestCase):
    def setUp(self):
        super().setUp()
        self.array = np.arange(12, dtype=np.uint8).reshape(3, 4)
        self.file = self.path('file.npy')
        np.save(self.file, self.array)

    def check(self, *args, expected=None, **keywords):
        found = draw_png(*args, **keywords)[..., 0]
        self.assertEqual(found.tolist(), (self.array if expected is None else expected).tolist())

    def test_file(self):
        self.check(self.file)
        self.check('file.npy', cwd=self.folder)
        self.check('./file.npy', cwd=self.folder)

    def test_name_before_file(self):
        """A file in the working directory does not hide a shared array."""
        name = self.make('both', self.array + 100)
        np.save(self.path('other.npy'), self.array)
        os.rename(self.path('other.npy'), self.path(name))
        self.check(name, cwd=self.folder, expected=self.array + 100)
        self.check('./' + name, cwd=self.folder)

    def test_file_that_could_be_no_name(self):
        for name in ('.hidden', b'\xff.npy'):
            os.link(self.file, os.path.join(os.fsencode(self.folder), os.fsencode(name)))
            self.check(name, cwd=self.folder)

    def test_stream(self):
        stream = io.BytesIO()
        np.save(stream, self.array)
        self.check('-', input=stream.getvalue())
        self.check('-', input=stream.getvalue() * 2)
        with open(self.file, 'rb') as file:
            self.check('-', stdin=file)

    def test_nothing(self):
        name = self.own('nothing')
        self.run_error(NOT_FOUND, name, 'show', name)
        self.run_error(NOT_FOUND, name, 'show', self.path(name))

    def test_no_array(self):
        with open(self.path('text'), 'w') as file:
            file.write('text')
        self.run_error(FAILURE, '', 'show', self.path('text'))
        self.run_error(FAILURE, '', 'show', self.folder)
        self.run_error(FAILURE, '', 'show', '-', input=b'text')
        self.run_error(FAILURE, '', 'show', '-', input=b'')

    def test_any_owner(self):
        name = self.make('owner', self.array)
        self.check(name, '--any-owner')
        if os.geteuid() == 0:
            os.chown('/dev/shm/' + name, 12345, 12345)
            self.run_error(FAILURE, 'belongs to user 12345', 'show', name)
            self.check(name, '--any-owner')


if __name__ == '__main__':
    main()
