# SPDX-License-Identifier: MIT
"""Tests the parts of what shows an array that need no display."""

import pathlib
import re
import subprocess
import shutil
import tempfile
import unittest

import gi

gi.require_version('Shnd', '1')

import numpy as np  # noqa: E402
import tap  # noqa: E402
from gi.repository import Shnd  # noqa: E402

import colormap  # noqa: E402
import sampling  # noqa: E402
import ticks  # noqa: E402
import words  # noqa: E402
import yuv  # noqa: E402
from number_table import get_window, make_markup  # noqa: E402
from rasters import ColourRaster, HeatRaster  # noqa: E402
from selection import Selection, get_position  # noqa: E402
from series import Series, find_limits  # noqa: E402
from values import format_value  # noqa: E402
from viewport import Viewport  # noqa: E402


def share(data):
    return Shnd.Array.new_from_array(None, np.asarray(data))


def split(pixels):
    """Channels of pixels: an array of (..., 4)."""
    return np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4)


def select(data, planes=None, metadata=None):
    selection = Selection()
    selection.update(share(data), planes, metadata)
    return selection


class Ticks(unittest.TestCase):
    def test_round_numbers(self):
        for low, high, expected in (
            (0, 1, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']),
            (-3, 11, ['0', '5', '10']),
            (0, 1e-9, ['0', '2e−10', '4e−10', '6e−10', '8e−10', '1.0e−9']),
            (1000, 1000.4, ['1000.0', '1000.1', '1000.2', '1000.3', '1000.4']),
            (-1, 1, ['−1.0', '−0.5', '0', '0.5', '1.0']),
            (0, 5e8, ['0', '1e8', '2e8', '3e8', '4e8', '5e8']),
        ):
            found, step = ticks.find_ticks(low, high, 5)
            self.assertEqual([ticks.format_tick(tick, step) for tick in found], expected)

    def test_elements(self):
        """Marks are where elements may be."""
        for low, high, dtype, expected in (
            (0, 1, '?', ([0, 1], ['False', 'True'])), (3, 5, 'u1', ([3, 4, 5], ['3', '4', '5'])),
            (7, 7, 'i8', ([7], ['7'])), (0, 1, 'f4', ([0, 0.5, 1], ['0', '0.5', '1.0'])),
        ):  # fmt: skip
            self.assertEqual(ticks.make_ticks(low, high, np.dtype(dtype), 2), expected)

    def test_nothing_between(self):
        near = np.nextafter(1, 2)
        for low, high, expected in (
            (3, 3, ['3']), (0, np.inf, ['0']), (np.nan, 1, []), (1, near, ['1.0000000000000000',
                                                                      '1.0000000000000002']),
        ):  # fmt: skip
            found, step = ticks.find_ticks(low, high)
            self.assertEqual([ticks.format_tick(tick, step) for tick in found], expected)

    def test_spacing(self):
        generator = np.random.default_rng(1)
        for _ in range(300):
            low = generator.normal() * 10.0 ** generator.integers(-12, 12)
            high = low + abs(generator.normal()) * 10.0 ** generator.integers(-3, 12)
            found, step = ticks.find_ticks(low, high, 6)
            self.assertTrue(1 < len(found) <= 7)
            texts = [ticks.format_tick(tick, step) for tick in found]
            self.assertEqual(len(set(texts)), len(texts), texts)

    def test_times(self):
        day = np.datetime64('2024-03-01T00:00:00')
        start = int(day.view('i8'))
        _found, texts = ticks.find_time_ticks(start, start + 7200, day.dtype, 4)
        self.assertEqual(texts[0], '2024-03-01 00:00')
        self.assertEqual(texts[1], '2024-03-01 00:30')
        _found, texts = ticks.find_time_ticks(start, start + 10 * 86400, day.dtype, 5)
        self.assertEqual(texts, ['2024-03-02', '2024-03-04', '2024-03-06', '2024-03-08',
                                 '2024-03-10'])
        _found, texts = ticks.find_time_ticks(0, 90, np.dtype('m8[s]'), 3)
        self.assertEqual(texts, ['0:00:00', '0:00:30', '0:01:00', '0:01:30'])
        _found, texts = ticks.find_time_ticks(0, 12, np.dtype('M8[M]'), 3)
        self.assertEqual(texts[0], '1970-01')


class Colours(unittest.TestCase):
    def test_order(self):
        """From low to high a heat map gets lighter, also for those who see no colours."""
        for name in ('heat', 'grey'):
            channels = split(colormap.TABLES[name])[:-1].astype(float)
            light = channels @ [0.2126, 0.7152, 0.0722, 0]
            self.assertTrue((np.diff(light) > -0.5).all(), name)
            self.assertGreater(light[-1] - light[0], 150)

    def test_ends(self):
        pixels = colormap.to_pixels(np.array([-5.0, 0, 10, 99, -np.inf, np.inf]), 0, 10, 'heat')
        table = colormap.TABLES['heat']
        low, high = table[0], table[colormap.N_COLOURS - 1]
        self.assertEqual(pixels.tolist(), [low, low, high, high, low, high])

    def test_missing(self):
        for name in colormap.STOPS:
            for limits in ((0, 1), (3, 3)):
                pixel = colormap.to_pixels(np.array([np.nan]), *limits, name)
                self.assertEqual(split(pixel)[0].tolist(), [*colormap.MISSING[name], 255])

    def test_wide_range(self):
        huge = np.finfo('f8').max
        pixels = split(colormap.to_pixels(np.array([-huge, 0, huge]), -huge, huge, 'grey'))
        self.assertEqual(pixels[:, 0].tolist(), [0, 128, 255])

    def test_range(self):
        self.assertEqual(colormap.find_range(np.array([np.nan, 2, -np.inf, 7])), (2, 7))
        self.assertEqual(colormap.find_range(np.array([np.nan])), (0, 0))
        self.assertEqual(colormap.find_range(np.array([])), (0, 0))


class Sampling(unittest.TestCase):
    def test_runs(self):
        for shape in ((10_000, 10_000), (3, 50_000_000), (1 << 27,), (70, 80, 90, 100),
                      (9_999_999, 3)):
            view = np.broadcast_to(np.int8(1), shape)
            sample = sampling.get_runs(view, 1 << 16)
            self.assertLessEqual(sample.size, 1 << 16)
            self.assertGreater(sample.size, 1 << 14)
        small = np.arange(6).reshape(2, 3)
        self.assertIs(sampling.get_runs(small), small)

    def test_runs_are_neighbours(self):
        array = np.arange(1 << 16).reshape(1 << 6, 1 << 10)
        for view in (array, array.T, array[::-1], array.reshape(8, 8, -1).transpose(1, 2, 0)):
            sample = sampling.get_runs(view, 1 << 13)
            self.assertEqual(np.abs(np.diff(sample, axis=-1)).max(), 1)
            self.assertEqual(np.unique(sample).size, sample.size)
            self.assertLess(sample.min(), array.size // 4)
            self.assertGreater(sample.max(), array.size * 3 // 4)

    def test_indices(self):
        before, indices = sampling.get_indices(-1, 0.5, 8, 2)
        self.assertEqual((before, indices.tolist()), (2, [0, 0, 1, 1]))
        before, indices = sampling.get_indices(10, 2.5, 4, 100)
        self.assertEqual((before, indices.tolist()), (0, [11, 13, 16, 18]))
        self.assertEqual(sampling.get_indices(-100, 1, 5, 3)[1].size, 0)
        before, indices = sampling.get_indices(-2520, 1000, 5, 20)
        self.assertEqual((before, indices.tolist()), (2, [10]))

    def test_pick(self):
        view = np.arange(600).reshape(20, 30)
        for rows in ([0, 0, 2], [3, 4, 5], [0, 19], []):
            for columns in ([0, 29], [1, 1, 2, 9], list(range(30)), [5]):
                rows, columns = np.array(rows, np.intp), np.array(columns, np.intp)
                if rows.size:
                    expected = view[np.ix_(rows, columns)]
                    np.testing.assert_array_equal(sampling.pick(view, rows, columns), expected)
                else:
                    self.assertEqual(sampling.pick(view, rows, columns).size, 0)

    def test_numbers(self):
        for dtype in ('?', 'i1', '>u2', '<i8', 'f2', '>f4', 'f8', 'f16'):
            numbers = sampling.to_numbers(np.array([0, 1], dtype))
            self.assertTrue(numbers.dtype.isnative)
            self.assertEqual(numbers.tolist(), [0, 1])
        value = np.array([3 + 4j, 1j], '>c8')
        self.assertEqual(sampling.to_numbers(value).tolist(), [5, 1])
        self.assertEqual(sampling.to_numbers(value, 'imaginary').tolist(), [4, 1])
        times = sampling.to_numbers(np.array(['1970-01-02', 'NaT'], '>M8[s]'))
        np.testing.assert_array_equal(times, [86400, np.nan])

    def test_sampled_range(self):
        self.assertEqual(sampling.find_sampled_range(np.array([3, -7], '>i4')), (-7, 3))
        self.assertEqual(sampling.find_sampled_range(np.array([np.inf, 1, np.nan])), (1, 1))


class Views(unittest.TestCase):
    def test_fit(self):
        viewport = Viewport()
        viewport.set_area(400, 200)
        viewport.set_size(100, 100)
        self.assertEqual((viewport.scale, viewport.x, viewport.y), (2, 100, 0))
        viewport.set_area(100, 200)
        self.assertEqual((viewport.scale, viewport.x, viewport.y), (1, 0, 50))

    def test_zoom_keeps_the_place(self):
        viewport = Viewport()
        viewport.set_area(400, 300)
        viewport.set_size(1000, 1000)
        for _ in range(6):
            before = [(c - v) / viewport.scale for c, v in ((150, viewport.x), (90, viewport.y))]
            viewport.zoom_by(2, 150, 90)
            after = [(c - v) / viewport.scale for c, v in ((150, viewport.x), (90, viewport.y))]
            if viewport.scale > 2:
                np.testing.assert_allclose(before, after)

    def test_pan_stops_at_the_edge(self):
        viewport = Viewport()
        viewport.set_area(100, 100)
        viewport.set_size(50, 50)
        viewport.zoom_to(4)
        viewport.pan_by(1000, 1000)
        self.assertEqual((viewport.x, viewport.y), (0, 0))
        viewport.pan_by(-1000, -1000)
        self.assertEqual((viewport.x, viewport.y), (-100, -100))
        self.assertEqual(viewport.find(99.5, 99.5), (49, 49))
        self.assertEqual(viewport.get_visible(), (25, 50, 25, 50))
        viewport.show(0, 10)
        self.assertEqual((viewport.x, viewport.y), (-40, 0))

    def test_beside(self):
        viewport = Viewport()
        viewport.set_area(100, 50)
        viewport.set_size(10, 10)
        self.assertIsNone(viewport.find(10, 10))
        self.assertEqual(viewport.find(25, 0), (0, 0))


class Lines(unittest.TestCase):
    def test_all_points(self):
        series = Series('', np.array([1, np.inf, 3.0]))
        xs, low, high = series.read(-5, 99, 100)
        self.assertEqual(xs.tolist(), [0, 1, 2])
        np.testing.assert_array_equal(low, [1, np.nan, 3])
        self.assertIs(low, high)

    def test_envelope(self):
        """Of many points no peak is lost, in any dtype, with gaps, and however they lie."""
        generator = np.random.default_rng(2)
        numbers = generator.integers(-100, 100, 40_000)
        numbers[12_345], numbers[33_333] = 127, -128
        with_gaps = numbers.astype('f8')
        with_gaps[::7] = np.nan
        with_gaps[20_000:24_000] = np.nan
        for view in (numbers.astype('i1'), numbers.astype('>f4'), with_gaps,
                     np.repeat(numbers.astype('i2'), 2)[::2], numbers.astype('c8')):
            part = 'real' if view.dtype.kind == 'c' else 'magnitude'
            xs, low, high = Series('', view, part).read(0, len(view), 500)
            self.assertEqual(len(xs), 500)
            for i in range(500):
                bin_ = view[i * 80 : (i + 1) * 80].real.astype('f8')
                if np.isnan(bin_).all():
                    self.assertTrue(np.isnan(low[i]) and np.isnan(high[i]))
                else:
                    self.assertEqual((low[i], high[i]), (np.nanmin(bin_), np.nanmax(bin_)))
        limits = find_limits([(xs, low, high)])
        self.assertLess(limits[0], -128)
        self.assertGreater(limits[1], 127)

    def test_pieces(self):
        """Converting goes in pieces; that changes nothing."""
        numbers = np.sin(np.arange(3 * sampling.MAX_SAMPLE, dtype='>f4'))
        n = 1000
        _xs, low, high = Series('', numbers).read(0, len(numbers), n)
        self.assertEqual(low.shape, (n,))
        edges = np.append(np.arange(n) * len(numbers) // n, len(numbers))
        for i in range(n):
            part = numbers[edges[i] : edges[i + 1]]
            self.assertEqual((low[i], high[i]), (part.min(), part.max()))

    def test_limits(self):
        nothing = np.full(3, np.nan)
        self.assertEqual(find_limits([(np.arange(3), nothing, nothing)]), (0, 1))
        ones = np.ones(3)
        self.assertEqual(find_limits([(np.arange(3), ones, ones)]), (0.95, 1.05))


class Selections(unittest.TestCase):
    def test_kinds(self):
        for shape, dtype, kind in (
            ((), 'f8', 'value'), ((3, 0), 'f8', 'empty'), ((9,), 'f8', 'plot'),
            ((9,), 'U3', 'table'),
            ((3, 4), 'f8', 'picture'), ((500, 3), 'f4', 'plot'), ((2, 900), 'i2', 'plot'),
            ((40, 50), 'M8[s]', 'picture'), ((4, 5, 6), '?', 'picture'), ((2, 2), 'S4', 'table'),
            ((5,), [('a', 'i4')], 'plot'), ((5,), [('a', 'S4')], 'table'),
            ((), [('a', 'i4')], 'value'),
        ):  # fmt: skip
            self.assertEqual(select(np.zeros(shape, dtype)).kind, kind, (shape, dtype))

    def test_slices(self):
        data = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
        selection = select(data)
        self.assertEqual([(s.axis, s.length) for s in selection.sliders], [(0, 2), (1, 3)])
        selection.set_index(0, 1)
        selection.set_index(1, 2)
        np.testing.assert_array_equal(selection.get_shown().get(), data[1, 2])
        self.assertEqual(get_position(selection, (3, 4)), [1, 2, 3, 4])
        self.assertFalse(selection.update(share(data + 1)))
        np.testing.assert_array_equal(selection.get_shown().get(), data[1, 2] + 1)
        self.assertTrue(selection.update(share(data[0])))
        self.assertEqual([s.index for s in selection.sliders], [0])

    def test_channels(self):
        data = np.arange(2 * 20 * 30 * 3, dtype='u1').reshape(2, 20, 30, 3)
        selection = select(data)
        self.assertEqual(selection.get_order(), ((0, 1, 2), None))
        self.assertEqual(selection.get_shown().shape, (20, 30, 3))
        selection.choose('channels', 'BGR')
        self.assertEqual(selection.get_order(), ((2, 1, 0), None))
        selection.choose('channels', 'One channel')
        selection.set_index(0, 1)
        selection.set_index(3, 2)
        np.testing.assert_array_equal(selection.get_shown().get(), data[1, ..., 2])
        self.assertEqual(get_position(selection, (5, 6)), [1, 5, 6, 2])
        selection.choose('channels', 'No channels')
        self.assertEqual(selection.get_shown().shape, (30, 3))
        known = select(data[0], metadata={'format': 'BGR', 'width': 30, 'height': 20})
        self.assertEqual(known.get_order(), ((2, 1, 0), None))
        self.assertIsNone(select(np.zeros((2, 2, 3))).get_order())
        self.assertIsNotNone(select(np.zeros((20, 20, 3))).get_order())

    def test_fields(self):
        dtype = [('at', 'M8[s]'), ('p', [('x', 'f4'), ('y', 'i2', (3,))]), ('n', 'S2')]
        data = np.zeros(40, dtype)
        data['p']['x'] = np.arange(40)
        selection = select(data)
        self.assertEqual(selection.choices[0].options, ['All fields', 'at', 'p.x', 'p.y', 'n'])
        view = selection.get_shown().get()
        self.assertEqual([name for name, _view in selection.list_series(view)], ['p.x'])
        self.assertEqual(selection.get_times(view).dtype, 'M8[s]')
        selection.choose('field', 'p.y')
        self.assertEqual(selection.get_shown().shape, (40, 3))
        self.assertEqual(selection.kind, 'plot')
        selection.choose('field', 'n')
        self.assertEqual(selection.kind, 'table')

    def test_series(self):
        for shape, names in (((400, 3), 3), ((2, 900), 2), ((4,), 1), ((30, 40), 1)):
            selection = select(np.zeros(shape))
            selection.choose_kind('plot')
            view = selection.get_shown().get()
            self.assertEqual(len(selection.list_series(view)), names, shape)

    def test_channels_of_audio(self):
        selection = select(np.zeros((400, 2)), metadata={'format': 'F64LE', 'channels': 2})
        names = [name for name, _line in selection.list_series(selection.get_shown().get())]
        self.assertEqual(names, ['Channel 0', 'Channel 1'])

    def test_planes(self):
        planes = {'Y': share(np.zeros((6, 8), 'u1')), 'UV': share(np.zeros((3, 4, 2), 'u1'))}
        selection = select(np.zeros(72, 'u1'), planes, {'format': 'NV12'})
        self.assertEqual(selection.choices[0].options, ['Colour', 'Y', 'UV', 'Memory'])
        raster = selection.make_raster(None)
        self.assertEqual((raster.height, raster.width), (6, 8))
        selection.choose('plane', 'UV')
        self.assertEqual(selection.get_shown().shape, (4, 2))
        selection.choose('plane', 'Memory')
        self.assertEqual(selection.get_shown().shape, (72,))


class Rasters(unittest.TestCase):
    def test_heat(self):
        view = np.array([[0, 1], [2, np.nan]])
        pixels = HeatRaster(view, name='grey').read(np.array([0, 1, 1]), np.array([0, 1]))
        self.assertEqual(split(pixels)[..., 0].tolist(), [[0, 128], [255, 96], [255, 96]])

    def test_grey_video(self):
        """Grey from black to white, whatever is seen; a field that is no video is a heat map."""
        for dtype, name, white in (('u1', 'GRAY8', 255), ('<u2', 'GRAY16_LE', 65535),
                                   ('>u2', 'GRAY16_BE', 65535)):
            data = np.full((8, 9), 7, dtype)
            raster = select(data, metadata={'format': name, 'width': 9, 'height': 8}).make_raster(data)
            self.assertEqual((raster.name, raster.low, raster.high), ('grey', 0, white))
            self.assertEqual(select(data).make_raster(data).high, 7)
        self.assertEqual(select(data).make_raster(data).name, 'heat')

    def test_colour(self):
        view = np.arange(24, dtype='u1').reshape(2, 3, 4)
        raster = ColourRaster(view, (2, 1, 0), 3)
        pixels = split(raster.read(np.array([1]), np.array([0, 2])))
        self.assertEqual(pixels.tolist(), [[[14, 13, 12, 15], [22, 21, 20, 23]]])
        self.assertEqual(raster.get_text(1, 0), '12 13 14 15')
        deep = ColourRaster(np.array([[[0, 32768, 65535]]], '>u2'))
        self.assertEqual(split(deep.read(np.array([0]), np.array([0])))[0, 0, :3].tolist(),
                         [0, 128, 255])
        real = ColourRaster(np.array([[[0, 0.5, 1]]]))
        self.assertEqual(split(real.read(np.array([0]), np.array([0])))[0, 0, :3].tolist(),
                         [0, 128, 255])


class Texts(unittest.TestCase):
    def test_words(self):
        for dtype, expected in (
            ('S5', 'S5'), ('>U7', 'U7 >'), ('f8', 'float64'), ('>i2', 'int16 >'),
            ([('a', 'u1'), ('b', 'f4')], '{a, b}'), (('f4', 3), 'float32 3'),
        ):  # fmt: skip
            self.assertEqual(words.format_dtype(np.dtype(dtype)), expected)
        video = {'format': 'NV12', 'width': 640, 'height': 480}
        self.assertEqual(words.format_video(video), 'NV12 · 640 × 480')
        for strange in ({}, {'format': 'F32LE'}, video | {'width': '640'}, video | {'format': 5}):
            self.assertEqual(words.format_video(strange), '')

    def test_values(self):
        for value, expected in (
            (np.float32(1.5), '1.5'), (np.float64('nan'), 'nan'), (np.int8(-3), '-3'),
            (np.bool_(True), 'True'), (np.complex64(1 - 2j), '1-2i'), (np.str_('a\nb'), 'a␣b'),
            (np.bytes_(b'a'), "'a'"), (np.datetime64('2024-01-02'), '2024-01-02'),
            (np.timedelta64(5, 's'), '5 seconds'), (np.void(b'\1\2'), '01 02'),
            (np.array([(1, 2.5)], 'i4,f4')[0], '(1, 2.5)'), (np.array([1, 2]), '[1, 2]'),
        ):  # fmt: skip
            self.assertEqual(format_value(value), expected)
        self.assertEqual(len(format_value(np.str_('x' * 1000))), 60)

    def test_window(self):
        self.assertEqual(list(get_window(0, 100)), list(range(7)))
        self.assertEqual(list(get_window(50, 100)), list(range(47, 54)))
        self.assertEqual(list(get_window(99, 100)), list(range(93, 100)))
        self.assertEqual(list(get_window(1, 3)), [0, 1, 2])

    def test_markup(self):
        markup = make_markup(['0', '1'], [('5', ['<a>', '2']), ('6', ['3', '44'])], (1, 1))
        self.assertIn('&lt;a&gt;', markup)
        self.assertEqual(markup.count('background='), 1)
        self.assertIn('> 44 </span>', markup)

    def test_little_room(self):
        """What is left is next to the current column, which always is."""
        header = [str(10 * i) for i in range(5)]
        rows = [('row', ['12345678'] * 5)]
        for room, left in ((60, header), (34, header[2:]), (25, ['20', '30']), (3, ['30'])):
            line = make_markup(header, rows, (0, 3), room).split('\n')[0]
            self.assertEqual(re.findall(r'\d+(?= )', line), left, room)


WIDTH, HEIGHT = 64, 48
FULL, HALF, QUARTER = (HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT, WIDTH // 4)
SIDE = (HEIGHT, WIDTH // 2)

# The planes of formats, in the order in which they lie; without names it is the array.
LAYOUTS = {
    'I420': ('u1', [('Y', FULL), ('U', HALF), ('V', HALF)]),
    'YV12': ('u1', [('Y', FULL), ('V', HALF), ('U', HALF)]),
    'NV12': ('u1', [('Y', FULL), ('UV', (*HALF, 2))]),
    'NV21': ('u1', [('Y', FULL), ('VU', (*HALF, 2))]),
    'NV16': ('u1', [('Y', FULL), ('UV', (*SIDE, 2))]),
    'NV24': ('u1', [('Y', FULL), ('UV', (*FULL, 2))]),
    'Y42B': ('u1', [('Y', FULL), ('U', SIDE), ('V', SIDE)]),
    'Y41B': ('u1', [('Y', FULL), ('U', QUARTER), ('V', QUARTER)]),
    'Y444': ('u1', [('Y', FULL), ('U', FULL), ('V', FULL)]),
    'I420_10LE': ('<u2', [('Y', FULL), ('U', HALF), ('V', HALF)]),
    'I422_12BE': ('>u2', [('Y', FULL), ('U', SIDE), ('V', SIDE)]),
    'P010_10LE': ('<u2', [('Y', FULL), ('UV', (*HALF, 2))]),
    'GBR': ('u1', [('G', FULL), ('B', FULL), ('R', FULL)]),
    'GBR_10LE': ('<u2', [('G', FULL), ('B', FULL), ('R', FULL)]),
    'YUY2': ('u1', [('', (*FULL, 2))]),
    'UYVY': ('u1', [('', (*FULL, 2))]),
    'YVYU': ('u1', [('', (*FULL, 2))]),
    'VYUY': ('u1', [('', (*FULL, 2))]),
    'AYUV': ('u1', [('', (*FULL, 4))]),
    'VUYA': ('u1', [('', (*FULL, 4))]),
    'v308': ('u1', [('', (*FULL, 3))]),
    'IYU2': ('u1', [('', (*FULL, 3))]),
    'RGB16': ('<u2', [('', FULL)]),
    'BGR15': ('<u2', [('', FULL)]),
    'RGB10A2_LE': ('<u4', [('', FULL)]),
}


def make_videos(folder):
    """Files of a test picture in all formats, and what GStreamer makes of each as RGB."""
    command = ['gst-launch-1.0', '-q']
    for name in LAYOUTS:
        caps = f'video/x-raw,format={name},width={WIDTH},height={HEIGHT}'
        command += f"""videotestsrc num-buffers=1 ! {caps} ! tee name=t{name}
            t{name}. ! queue ! filesink location={folder}/{name}
            t{name}. ! queue ! videoconvert dither=none chroma-mode=none !
            video/x-raw,format=RGB ! filesink location={folder}/{name}.rgb""".split()
    subprocess.run(command, check=True, timeout=60)


class Video(unittest.TestCase):
    @unittest.skipIf(shutil.which('gst-launch-1.0') is None, 'needs gst-launch-1.0')
    def test_as_gstreamer(self):
        with tempfile.TemporaryDirectory() as folder:
            make_videos(folder)
            for name in LAYOUTS:
                with self.subTest(name):
                    self.compare(pathlib.Path(folder), name)

    def compare(self, folder, name):
        dtype, layout = LAYOUTS[name]
        data = np.fromfile(folder / name, dtype)
        planes, begin = {}, 0
        for plane, shape in layout:
            planes[plane] = data[begin : begin + np.prod(shape)].reshape(shape)
            begin += np.prod(shape)
        self.assertEqual(begin, data.size)
        view = planes.pop('', data)
        decoder = yuv.make_decoder(name, view, planes)
        found = split(decoder.read(np.arange(HEIGHT), np.arange(WIDTH)))[..., :3].astype(int)
        expected = np.fromfile(folder / f'{name}.rgb', 'u1').reshape(HEIGHT, WIDTH, 3)
        difference = np.abs(found - expected).max(axis=-1)
        # For some GStreamer is quick rather than exact.
        self.assertLessEqual(difference.max(), 5)
        self.assertGreater(expected.std(), 50)

    def test_colorimetry(self):
        for caps, height, expected in (
            ('', 480, ('bt601', False)), ('', 1080, ('bt709', False)),
            ('video/x-raw, colorimetry=(string)bt709', 480, ('bt709', False)),
            ('video/x-raw, colorimetry=(string)1:4:7:1', 1080, ('bt601', True)),
            ('video/x-raw, colorimetry=bt2020, width=3', 480, ('bt2020', False)),
            ('video/x-raw, colorimetry=(string)odd', 480, ('bt601', False)),
        ):  # fmt: skip
            weights, full = yuv.get_colorimetry(caps, height)
            self.assertEqual((weights, full), (yuv.WEIGHTS[expected[0]], expected[1]))

    def test_black_and_white(self):
        y = np.array([[16, 235], [0, 255]], 'u1')
        for caps, expected in (('', [0, 255, 0, 255]), ('colorimetry=1:3:5:1', [16, 235, 0, 255])):
            planes = {'Y': y, 'U': np.full((1, 1), 128, 'u1'), 'V': np.full((1, 1), 128, 'u1')}
            decoder = yuv.make_decoder('I420', None, planes, caps)
            pixels = split(decoder.read(np.arange(2), np.arange(2)))
            for i in range(3):
                self.assertEqual(pixels[..., i].ravel().tolist(), expected)

    def test_odd_sizes(self):
        for height, width in ((1, 1), (3, 5), (5, 3)):
            half = (-(-height // 2), -(-width // 2))
            planes = {name: np.full(shape, 128, 'u1') for name, shape in
                      (('Y', (height, width)), ('U', half), ('V', half))}
            for decoder in (yuv.make_decoder('I420', None, planes),
                            yuv.make_decoder('YUY2', np.full((height, width, 2), 128, 'u1'))):
                pixels = decoder.read(np.arange(height), np.arange(width))
                self.assertEqual(pixels.shape, (height, width))
                if width > 1:
                    self.assertEqual(np.unique(pixels).size, 1)

    def test_strange_planes(self):
        zeros = np.zeros
        for planes in (
            {'Y': zeros((4, 4), 'u1')},
            {'Y': zeros(4, 'u1'), 'U': zeros(4, 'u1'), 'V': zeros(4, 'u1')},
            {'Y': zeros((9, 9), 'u1'), 'U': zeros((2, 2), 'u1'), 'V': zeros((2, 2), 'u1')},
            {'Y': zeros((4, 4), 'u1'), 'UV': zeros((2, 2), 'u1')},
            {'R': zeros((4, 4)), 'G': zeros((4, 4)), 'B': zeros((4, 3))},
            {'alpha': zeros((4, 4))},
        ):
            self.assertIsNone(yuv.make_decoder('I420', zeros(4, 'u1'), planes))
        self.assertIsNone(yuv.make_decoder('YUY2', zeros((4, 4), 'u1')))
        self.assertIsNone(yuv.make_decoder('AYUV', zeros((4, 4, 3), 'u1')))


if __name__ == '__main__':
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(testRunner=runner)
