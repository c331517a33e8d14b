# SPDX-License-Identifier: MIT

"""`shnd show` into files and pipes: pictures, plots and values."""

import os
import signal

from cli_support import FAILURE, NOT_FOUND, USAGE, CliTestCase, Shnd, main, np, run
from files_support import FilesTestCase, count_seen
from picture_support import decode_png, decode_text, draw_png

NUMBERS = np.random.default_rng(5)


def grey(values):
    return np.repeat(np.asarray(values, int)[..., None], 3, axis=-1)


def scale(values, low, high):
    """0 to 255, rounded."""
    return np.floor(np.clip((values - low) / (high - low), 0, 1) * 255 + 0.5).astype(int)


class PictureTestCase(CliTestCase):
    def assert_pixels(self, found, expected, tolerance=0):
        self.assertEqual(found.shape, expected.shape)
        worst = np.abs(found.astype(int) - expected.astype(int)).max()
        self.assertLessEqual(worst, tolerance, f'{found}\n{expected}')

    def draw(self, array, *args):
        """Of an array that is there for that picture alone."""
        path = self.path('array.npy')
        np.save(path, array)
        return draw_png(path, *args)


class TestImages(PictureTestCase):
    def test_bytes(self):
        array = NUMBERS.integers(0, 256, (7, 5), np.uint8)
        self.assert_pixels(self.draw(array), grey(array))
        self.assert_pixels(self.draw(array[..., None]), grey(array))
        self.assert_pixels(self.draw(np.asfortranarray(array)), grey(array))

    def test_words(self):
        array = NUMBERS.integers(0, 65536, (7, 5), np.uint16)
        for dtype in ('<u2', '>u2'):
            self.assert_pixels(self.draw(array.astype(dtype)), grey(scale(array, 0, 65535)))

    def test_truth_values(self):
        array = NUMBERS.integers(0, 2, (7, 5)).astype(bool)
        self.assert_pixels(self.draw(array), grey(255 * array))

    def test_channels(self):
        for n_channels in (3, 4):
            array = NUMBERS.integers(0, 256, (6, 9, n_channels), np.uint8)
            self.assert_pixels(self.draw(array), array)
            self.assert_pixels(self.draw(array.astype('>i8')), array)
            self.assert_pixels(self.draw(np.asfortranarray(array).astype('<u2') * 257), array)
            self.assert_pixels(self.draw(array / 255), array)

    def test_channels_that_need_a_scale(self):
        """As far as the numbers reach, and how opaque they are left alone."""
        array = NUMBERS.normal(0, 50, (6, 9, 3))
        array[0, 0, 0], array[5, 8, 2] = -300, 200
        self.assert_pixels(self.draw(array), scale(array, -300, 200))
        self.assert_pixels(self.draw(array, '--range', '-10,10'), scale(array, -10, 10))

        alpha = np.full((6, 9, 1), 0.5)
        found = self.draw(np.concatenate([array, alpha], axis=2))
        self.assert_pixels(found[..., :3], scale(array, -300, 200))
        self.assertEqual(set(found[..., 3].flat), {128})

    def test_nan_in_channels(self):
        array = np.full((1, 2, 3), 0.5)
        array[0, 0, 1] = np.nan
        self.assertEqual(self.draw(array).tolist(), [[[128, 0, 128], [128, 128, 128]]])

    def test_many_rows(self):
        """More than are read at once."""
        array = NUMBERS.integers(0, 256, (700, 300), np.uint8)
        self.assert_pixels(self.draw(array), grey(array))
        self.assert_pixels(self.draw(array.T), grey(array.T))


class TestHeatMaps(PictureTestCase):
    def test_order(self):
        """The ends of the colours are those of the numbers, and it becomes lighter all the way."""
        for dtype in ('i1', '<i2', '>i4', '<i8', '<u4', '>u8', '<f2', '>f4', '<f8', 'longdouble'):
            array = np.arange(100).reshape(1, 100).astype(dtype)
            found = self.draw(array)[0].astype(int)
            self.assertEqual(found[0].tolist(), [52, 10, 92], dtype)
            self.assertEqual(found[-1].tolist(), [250, 232, 60], dtype)
            light = found @ [0.299, 0.587, 0.114]
            self.assertTrue((np.diff(light) > 0).all(), dtype)

    def test_grey(self):
        array = NUMBERS.normal(0, 1000, (8, 9))
        expected = grey(scale(array, array.min(), array.max()))
        self.assert_pixels(self.draw(array, '--colormap', 'grey'), expected)
        self.assert_pixels(self.draw(array, '--colormap=GREY', '--range=-500,1e2'),
                           grey(scale(array, -500, 100)))

    def test_colormap_of_bytes(self):
        array = np.array([[0, 255]], np.uint8)
        self.assertEqual(self.draw(array, '-c', 'heat').tolist(),
                         [[[52, 10, 92], [250, 232, 60]]])

    def test_diverging(self):
        found = self.draw(np.array([[-1.0, 0, 1]]), '-c', 'diverging')[0]
        self.assertEqual(found.tolist(), [[20, 60, 140], [245, 245, 245], [130, 20, 30]])

    def test_what_is_not_finite(self):
        array = np.array([[np.nan, 0, 1, np.inf, -np.inf]])
        missing, low, high, above, below = self.draw(array)[0].tolist()
        self.assertEqual(missing, [128, 128, 128])
        self.assertEqual((below, above), (low, high))
        self.assertNotEqual(low, high)

        self.assertEqual(self.draw(np.full((1, 2), np.nan)).tolist(), [[missing, missing]])

    def test_color_of_nan(self):
        """No number has it."""
        array = np.linspace(0, 1, 3000)[None]
        array[0, 0] = np.nan
        for colormap in ('grey', 'heat', 'diverging'):
            missing, *colors = self.draw(array, '-c', colormap)[0].tolist()
            self.assertGreater(len(set(map(tuple, colors))), 200, colormap)
            self.assertNotIn(missing, colors, colormap)

    def test_extremes(self):
        """The distance of the two is more than a double can be."""
        most = np.finfo(float).max
        found = self.draw(np.array([[-most, 0, most]]), '-c', 'grey')
        self.assert_pixels(found, grey([[0, 128, 255]]))

    def test_constant(self):
        self.assertEqual(self.draw(np.full((2, 2), 7)).tolist(), [[[52, 10, 92]] * 2] * 2)

    def test_complex(self):
        array = NUMBERS.normal(size=(4, 4)) + 1j * NUMBERS.normal(size=(4, 4))
        expected = grey(scale(abs(array), abs(array).min(), abs(array).max()))
        for dtype in ('<c16', '>c16'):
            self.assert_pixels(self.draw(array.astype(dtype), '-c', 'grey'), expected)

    def test_large(self):
        """Of a large array a small part is looked at; of this one no more could be."""
        name = self.own('large')
        run('create', name, 'float32', '30000x30000', '--sparse')
        array = Shnd.Array.open(name)
        array.get()[0:15000] = 0  # nothing is written to pages that hold zeros anyway
        result = run('show', name)
        self.assertEqual(decode_text(result.stdout).shape, (80, 80, 3))
        self.assertIn('≈0 ', result.stdout)
        self.assertEqual(draw_png(name, '--width', 60).shape, (60, 60, 3))


class TestSizes(PictureTestCase):
    def test_larger(self):
        array = NUMBERS.integers(0, 256, (2, 3), np.uint8)
        expected = grey(array.repeat(4, 0).repeat(4, 1))
        self.assert_pixels(self.draw(array, '--width', '12'), expected)
        self.assert_pixels(self.draw(array, '--height', '8'), expected)
        self.assert_pixels(self.draw(array, '--width', '100', '--height', '8'), expected)

    def test_smaller(self):
        """A pixel is the mean of what it stands for."""
        array = NUMBERS.integers(0, 256, (60, 90), np.uint8)
        expected = array.reshape(20, 3, 30, 3).mean((1, 3))
        self.assert_pixels(self.draw(array, '--width', '30'), grey(expected), 2)

    def test_much_smaller(self):
        """Samples are taken over the whole array."""
        ramp = np.linspace(0, 255, 3000).astype(np.uint8)
        found = self.draw(np.broadcast_to(ramp, (1000, 3000)), '--width', '30')
        self.assertEqual(found.shape, (10, 30, 3))
        expected = grey(np.broadcast_to(ramp.reshape(30, 100).mean(1), (10, 30)))
        self.assert_pixels(found, expected, 3)

    def test_thin(self):
        self.assertEqual(self.draw(np.zeros((2, 5000)), '--width', '10').shape, (1, 10, 3))

    def test_errors(self):
        name = self.make('sizes', np.zeros((2, 2)))
        for size in ('0', '-1', '-2', '1001'):
            self.run_error(USAGE, '--width', 'show', name, '--width', size)
            self.run_error(USAGE, '--height', 'show', name, f'--height={size}')
        self.run_error(USAGE, '--height', 'show', name, '--height', '501')
        self.run_error(USAGE, '', 'show', name, '--width', 'wide')
        self.run_error(FAILURE, 'expected a smaller', 'show', name, '--png', self.path('a.png'),
                       '--width', '2147483647')
        self.assertEqual(os.listdir(self.folder), [])


class TestFiles(PictureTestCase):
    def setUp(self):
        super().setUp()
        self.array = NUMBERS.integers(0, 256, (3, 4), np.uint8)
        self.name = self.make('files', self.array)

    def check(self, path):
        with open(path, 'rb') as file:
            self.assert_pixels(decode_png(file.read()), grey(self.array))

    def test_new(self):
        path = self.path('näme\n.png')
        result = run('show', self.name, '--png', path)
        self.assertEqual((result.stdout, result.stderr), ('', ''))
        self.check(path)
        self.assertEqual(os.listdir(self.folder), [os.path.basename(path)])

    def test_replaced(self):
        path = self.path('a.png')
        with open(path, 'w') as file:
            file.write('text')
        os.symlink('a.png', self.path('link.png'))
        run('show', self.name, '-p', self.path('link.png'))
        self.check(path)
        self.assertTrue(os.path.islink(self.path('link.png')))
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.png', 'link.png'])

    def test_source_pipe(self):
        """A FIFO can be read, with a slash in its path or without."""
        os.mkfifo(self.path('source'))
        for source in ('./source', 'source'):
            process = self.start('show', source, '--png', 'a.png', cwd=self.folder)
            np.save(self.path('a.npy'), self.array)
            with open(self.path('a.npy'), 'rb') as file, open(self.path('source'), 'wb') as pipe:
                pipe.write(file.read())
            self.finish(process)
            self.check(self.path('a.png'))
            os.remove(self.path('a.png'))

    def test_pipe(self):
        """What is no file is written to, and stays what it is."""
        path = self.path('pipe')
        os.mkfifo(path)
        process = self.start('show', self.name, '--png', path)
        self.check(path)
        self.finish(process)
        self.assertEqual(os.listdir(self.folder), ['pipe'])

    def test_errors(self):
        path = self.path('missing/a.png')
        self.run_error(NOT_FOUND, path, 'show', self.name, '--png', path)
        self.run_error(FAILURE, self.folder, 'show', self.name, '--png', self.folder)
        self.assertEqual(os.listdir(self.folder), [])

        with open('/dev/full', 'wb') as full:
            result = run('show', self.name, '--png', '-', stdout=full, status=FAILURE)
        self.assertIn('No space left', result.stderr)
        with open('/dev/full', 'wb') as full:
            result = run('show', self.name, stdout=full, status=FAILURE)
        self.assertIn('No space left', result.stderr)

    def test_no_picture(self):
        """What cannot be drawn leaves the file that was there."""
        path = self.path('a.png')
        run('show', self.name, '--png', path)
        for array in (np.zeros(5), np.zeros(()), np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 3)),
                      np.zeros((0, 5)), np.zeros((2, 2), 'S3'), np.zeros((2, 2), 'M8[s]'),
                      np.zeros((2, 2), [('a', 'f4')])):
            np.save(self.path('array.npy'), array)
            self.run_error(FAILURE, 'expected', 'show', self.path('array.npy'), '--png', path)
        self.check(path)


class TestInterrupt(FilesTestCase):
    def undo(self, *args):
        self.write_text()

    def write_text(self):
        with open(self.path('a.png'), 'wb') as file:
            file.write(b'before')

    def test_file_that_is_there(self):
        name = self.make('big', np.zeros((9000, 9000), 'u1'))
        self.write_text()
        for number in (signal.SIGINT, signal.SIGTERM):
            self.interrupt_in_the_middle(number, 'show', name, '--png', self.path('a.png'),
                                         count=count_seen)
            self.assertEqual(os.listdir(self.folder), ['a.png'])
            self.assertEqual(self.read(self.path('a.png')), b'before')


class TestBlocks(PictureTestCase):
    """Half blocks, as they are without a terminal."""

    def draw_blocks(self, array, *args):
        np.save(self.path('array.npy'), array)
        return decode_text(run('show', self.path('array.npy'), *args).stdout)

    def test_pixels(self):
        for shape in ((50, 60), (1, 80), (158, 1), (6, 45)):
            array = NUMBERS.integers(0, 256, (*shape, 3), np.uint8)
            found = self.draw_blocks(array)
            self.assert_pixels(found[:shape[0]], array)
            self.assertTrue((found[shape[0]:] == -1).all())

    def test_colors_of_numbers(self):
        array = NUMBERS.normal(size=(40, 50))
        self.assert_pixels(self.draw_blocks(array), self.draw(array))

    def test_odd_height(self):
        """The last row has an upper half alone."""
        array = NUMBERS.integers(0, 256, (41, 50), np.uint8)
        found = self.draw_blocks(array)
        self.assert_pixels(found[:41], grey(array))
        self.assertTrue((found[41] == -1).all())

    def test_small(self):
        """Elements become squares of up to 8 pixels."""
        for n, zoom in ((5, 8), (20, 4), (30, 2)):
            array = NUMBERS.integers(0, 256, (n, n), np.uint8)
            self.assert_pixels(self.draw_blocks(array), grey(array.repeat(zoom, 0).repeat(zoom, 1)))

    def test_large(self):
        array = NUMBERS.integers(0, 256, (240, 320, 3), np.uint8)
        expected = array.reshape(60, 4, 80, 4, 3).mean((1, 3))
        self.assert_pixels(self.draw_blocks(array), expected, 20)
        self.assertEqual(self.draw_blocks(array, '--width', '40').shape, (30, 40, 3))
        self.assertEqual(self.draw_blocks(array, '--height', '40').shape, (80, 107, 3))

    def test_transparent(self):
        array = NUMBERS.integers(0, 256, (40, 50, 4), np.uint8)
        array[..., 3] = 255 * (NUMBERS.random((40, 50)) < 0.5)
        expected = array[..., :3].astype(int)
        expected[array[..., 3] == 0] = -1
        self.assert_pixels(self.draw_blocks(array), expected)

    def test_scale(self):
        """The line below has the numbers at its ends, and the colours between them."""
        array = np.linspace(-2.5, 1e6, 40 * 40).reshape(40, 40)
        name = self.make('scale', array)
        line = run('show', name).stdout.split('\n')[-2]
        self.assertTrue(line.startswith('-2.5 \x1b[48;2;52;10;92m '), line)
        self.assertTrue(line.endswith('\x1b[48;2;250;232;60m \x1b[0m 1e+06'), line)
        line = run('show', name, '--range', '0,2').stdout.split('\n')[-2]
        self.assertRegex(line, r'\A0 .* 2\Z')

    def test_no_scale(self):
        name = self.make('image', np.zeros((40, 40), np.uint8))
        self.assertEqual(run('show', name).stdout.count('\n'), 40)
        self.assertEqual(run('show', name, '--colormap', 'grey').stdout.count('\n'), 41)

    def test_scale_without_numbers(self):
        name = self.make('nan', np.full((40, 40), np.nan))
        self.assertIn('no finite numbers', run('show', name).stdout)

    def test_ascii(self):
        array = np.repeat([[0, 60, 130, 200, 255]], 2, axis=0).astype(np.uint8)
        name = self.make('ascii', array)
        self.assertEqual(run('show', name, '--format', 'ascii', '--width', '5').stdout, ' :+#@\n')
        name = self.make('numbers', array / 10)
        self.assertEqual(run('show', name, '--format', 'ascii').stdout.split('\n')[-2],
                         '0 to 25.5')

    def test_errors(self):
        name = self.make('errors', np.zeros((2, 2)))
        self.run_error(USAGE, ('--format “png”', 'sixel'), 'show', name, '--format', 'png')
        self.run_error(USAGE, ('--colormap “red”', 'diverging'), 'show', name, '-c', 'red')
        for text in ('', '1', '1,', ',1', '2,1', '1,1', 'a,b', '0,nan', '0,inf', '1,2,3', '1, 2 '):
            self.run_error(USAGE, f'--range “{text}”', 'show', name, '--range', text)
        self.run_error(USAGE, 'Too few', 'show')

    def test_many_fields(self):
        name = self.make('many', np.zeros(1, [(f'f{i}', 'u1') for i in range(10000)]))
        result = run('show', name, status=FAILURE)
        self.assert_error(result, FAILURE, "[('f0', '|u1')", '--field')
        self.assertLess(len(result.stderr), 300)


class TestPlots(CliTestCase):
    def plot(self, array, *args):
        np.save(self.path('array.npy'), array)
        return run('show', self.path('array.npy'), *args).stdout.split('\n')[:-1]

    def test_line(self):
        self.assertEqual(self.plot(np.arange(8))[:2], ['▁▂▃▄▅▆▇█', '8 elements, 0 to 7'])

    def test_mean(self):
        """Each place of the line is the mean of its part."""
        array = np.arange(8000) // 100 % 8 + np.tile([0.25, -0.25], 4000)
        array[0], array[-1] = -0.5, 7.5
        self.assertEqual(self.plot(array)[0], '▁▂▃▄▅▆▇█' * 10)
        self.assertEqual(self.plot(array, '--width', '20')[0][0], '▂')

    def test_gap(self):
        line, text = self.plot(np.array([0, np.nan, 1, np.inf, np.nan]))[:2]
        self.assertEqual(line, '▁ █  ')
        self.assertEqual(text, '5 elements, 2 NaN, 1 infinite, 0 to 1')

    def test_histogram(self):
        """The bars are as long as there are numbers."""
        array = np.repeat([2, 3, 5], [10, 40, 20]).astype('>i2')
        lines = [line.split() for line in self.plot(array)[2:]]
        self.assertEqual([(line[0], line[-1]) for line in lines],
                         [('2', '10'), ('3', '40'), ('4', '0'), ('5', '20')])
        lengths = [len(line[1]) if len(line) == 3 else 0 for line in lines]
        self.assertEqual(lengths[2], 0)
        self.assertAlmostEqual(lengths[1] / lengths[0], 4, delta=0.3)
        self.assertAlmostEqual(lengths[1] / lengths[3], 2, delta=0.1)

    def test_bins(self):
        array = NUMBERS.normal(size=1000)
        lines = [line.split() for line in self.plot(array)[2:]]
        counts, edges = np.histogram(array, 16)
        self.assertEqual([int(line[-1]) for line in lines], counts.tolist())
        np.testing.assert_allclose([float(line[0]) for line in lines], edges[:-1], 1e-3, 1e-4)

    def test_width(self):
        array = NUMBERS.normal(size=10000)
        for width in (20, 80, 333):
            self.assertEqual(max(map(len, self.plot(array, '--width', width))), width)

    def test_constant(self):
        lines = self.plot(np.full(3, 7.5))
        self.assertEqual(lines[1], '3 elements, 7.5 to 7.5')
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[2], r'\A7\.5 █+ 3\Z')

    def test_truth_values(self):
        lines = self.plot(np.array([True, False, True]))
        self.assertEqual([line.split()[0] for line in lines[2:]], ['0', '1'])

    def test_extremes(self):
        most = np.finfo(float).max
        self.assertEqual(self.plot(np.array([-most, 0, most]))[0], '▁▅█')
        self.assertEqual(self.plot(np.array([np.nan])), ['1 element, 1 NaN, none finite'])

    def test_large(self):
        name = self.own('large')
        run('create', name, 'uint8', '1000000000', '--sparse')
        self.assertRegex(run('show', name).stdout, r'\n\d+ of 1000000000 elements, 0 to 0\n')

    def test_errors(self):
        for array in (np.zeros(0), np.zeros(3, 'S2'), np.zeros(3, 'M8[s]')):
            self.run_error(FAILURE, 'expected', 'show', self.make(f'e{array.dtype.char}', array))


class TestValues(CliTestCase):
    def test_value(self):
        for i, (value, expected) in enumerate((
                (np.uint8(200), '200'), (np.int64(-5), '-5'), (np.float32(1.5), '1.5'),
                (np.bool_(True), 'true'), (np.array(1 + 2j), '(1.0, 2.0)'),
                (np.array('a\n\x1b[31mé'), r"'a\n\u001b[31mé'"),
                (np.array(b"a'\\\x00\xff"), r"b'a\'\\\x00\xff'"),
                (np.array(b'\x01', 'V2'), r"b'\x01\x00'"),
                (np.array((1, [[2, 3]], ('x',)),
                          [('a', 'u1'), ('b', 'u1', (1, 2)), ('c', [('d', 'U1')])]),
                 "(1, [[2, 3]], ('x'))"))):
            name = self.make(f'value{i}', value)
            self.assertEqual(run('show', name).stdout, expected + '\n')


class TestFollow(PictureTestCase):
    def test_changes(self):
        """A picture for each change, until a signal ends it."""
        name = self.make('follow', np.zeros((2, 80), np.uint8))
        array = Shnd.Array.open(name)
        process = self.start('show', name, '--follow')
        for value in (0, 100, 200):
            found = decode_text(process.stdout.readline().decode())
            self.assertEqual(set(found.flat), {value})
            array.get()[:] = min(value + 100, 255)
            array.update()
        process.stdout.readline()
        self.interrupt(process, signal.SIGTERM)

    def test_file(self):
        name = self.make('follow', np.zeros((1, 1), np.uint8))
        array = Shnd.Array.open(name)
        os.mkfifo(self.path('pipe'))
        process = self.start('show', name, '--follow', '--png', self.path('pipe'))
        for value in (0, 7):
            with open(self.path('pipe'), 'rb') as file:
                self.assertEqual(decode_png(file.read()).tolist(), [[[value] * 3]])
            array.get()[:] = 7
            array.update()
        self.interrupt(process)

    def test_errors(self):
        np.save(self.path('file.npy'), np.zeros((2, 2)))
        self.run_error(FAILURE, 'no change counter', 'show', self.path('file.npy'), '--follow')
        self.run_error(USAGE, '--follow', 'show', '-', '--follow')


if __name__ == '__main__':
    main()
