# SPDX-License-Identifier: MIT

"""Pictures that come out of the command, as arrays of pixels."""

import base64
import re

import gi

gi.require_version('GdkPixbuf', '2.0')

from gi.repository import GdkPixbuf  # noqa: E402

from cli_support import np, run  # noqa: E402
from terminal_support import pyte  # noqa: E402

COLORS = re.compile(r'\x1b\[[0-9;]*m')
KITTY_CHUNK = re.compile(rb'\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\')


def decode_png(data):
    """Pixels of shape (height, width, 3 or 4)."""
    assert data.startswith(b'\x89PNG'), data[:100]
    loader = GdkPixbuf.PixbufLoader.new_with_type('png')
    loader.write(data)
    loader.close()
    pixbuf = loader.get_pixbuf()
    shape = pixbuf.get_height(), pixbuf.get_width(), pixbuf.get_n_channels()
    strides = pixbuf.get_rowstride(), shape[2], 1
    return np.ndarray(shape, np.uint8, pixbuf.get_pixels(), strides=strides).copy()


def draw_png(*args, **keywords):
    """What `shnd show --png -` draws."""
    return decode_png(run('show', '--png', '-', *args, **keywords).data)


def get_color(text):
    return tuple(bytes.fromhex(text)) if text != 'default' else None


def decode_cell(cell):
    """The upper and the lower pixel: colours, or None where there is none."""
    above, below = get_color(cell.bg), get_color(cell.fg)
    if cell.reverse:
        above, below = below, above
    if cell.data == ' ':
        return above, above
    if cell.data == '▀':
        return below, above
    assert cell.data == '▄', cell
    return above, below


def decode_screen(screen, n_columns, n_rows):
    """The pixels of half blocks, two of them in a cell; -1 where there is none."""
    pixels = np.full((2 * n_rows, n_columns, 3), -1)
    for y in range(n_rows):
        for x in range(n_columns):
            for i, color in enumerate(decode_cell(screen.buffer[y][x])):
                if color is not None:
                    pixels[2 * y + i, x] = color
    return pixels


def decode_text(text):
    """The pixels of half blocks, which are in all lines but that of the scale."""
    lines = [line for line in text.split('\n')[:-1] if not set(COLORS.sub('', line)) - set(' ▄▀')]
    n_columns = max(len(COLORS.sub('', line)) for line in lines)
    screen = pyte.Screen(n_columns + 1, len(lines) + 1)
    pyte.Stream(screen).feed('\r\n'.join(lines))
    return decode_screen(screen, n_columns, len(lines))


def decode_kitty(strings):
    """The pixels, of shape (height, width, 4), and the columns and rows that they fill."""
    keys, data = {}, b''
    for string in strings:
        match = KITTY_CHUNK.fullmatch(string)
        for item in match[1].decode().split(','):
            key, _, value = item.partition('=')
            keys.setdefault(key, value)
        data += base64.b64decode(match[2] or b'')
    assert (keys['a'], keys['f']) == ('T', '32'), keys
    shape = int(keys['v']), int(keys['s']), 4
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    return pixels, (int(keys['c']), int(keys['r']))
