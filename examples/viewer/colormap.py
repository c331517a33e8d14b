# SPDX-License-Identifier: MIT
"""Numbers as colours. Needs no display.

Pixels are 32-bit words whose bytes in memory are R, G, B and A.
"""

import numpy as np

# Colours at equal distances, from the smallest to the greatest; between two of them the mean. They
# are those of the command `shnd show`. Those of the heat map get steadily lighter, so that it keeps
# its order in shades of grey and for those who confuse colours.
STOPS = {
    'heat': [
        (52, 10, 92), (66, 52, 130), (52, 92, 144), (34, 126, 144),
        (36, 158, 130), (90, 190, 100), (166, 214, 66), (250, 232, 60),
    ],
    'grey': [(0, 0, 0), (255, 255, 255)],
    'diverging': [
        (20, 60, 140), (100, 160, 210), (245, 245, 245), (220, 130, 90), (130, 20, 30),
    ],
}  # fmt: skip

# What stands for NaN and NaT, which have no place between the others.
MISSING = {'heat': (128, 128, 128), 'grey': (96, 32, 96), 'diverging': (96, 96, 96)}

N_COLOURS = 256


def pack(red, green, blue, alpha=255):
    """Pixels of channels from 0 to 255."""
    pixels = np.empty((*np.shape(red), 4), np.uint8)
    for i, channel in enumerate((red, green, blue, alpha)):
        pixels[..., i] = channel
    return pixels.view(np.uint32)[..., 0]


def make_table(name):
    """The pixels of a colour map, from low to high, and one more for what is missing."""
    stops = np.array(STOPS[name], float)
    places = np.linspace(0, len(stops) - 1, N_COLOURS)
    channels = [
        np.append(np.interp(places, np.arange(len(stops)), stops[:, i]), MISSING[name][i])
        for i in range(3)
    ]
    return pack(*(np.round(channel) for channel in channels))


TABLES = {name: make_table(name) for name in STOPS}


def find_range(numbers):
    """The smallest and the greatest of the finite numbers, or (0, 0) without any."""
    if numbers.size == 0:
        return 0.0, 0.0
    low, high = numbers.min(), numbers.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size == 0:
            return 0.0, 0.0
        low, high = numbers.min(), numbers.max()
    return float(low), float(high)


def to_pixels(numbers, low, high, name):
    """Numbers between low and high as pixels; what is beyond gets the colour at that end."""
    table = TABLES[name]
    with np.errstate(all='ignore'):
        if high > low:
            # Halved, so that the range of all finite numbers does not overflow.
            places = (numbers * 0.5 - low * 0.5) / (high * 0.5 - low * 0.5) * N_COLOURS
        else:
            middle = N_COLOURS // 2
            places = np.where(numbers < low, 0.0, np.where(numbers > high, np.inf, middle))
            places = np.where(np.isnan(numbers), np.nan, places)
        missing = np.isnan(places)
        np.clip(places, 0, N_COLOURS - 1, out=places)
        indices = places.astype(np.intp)
    indices[missing] = N_COLOURS
    return table[indices]


def to_levels(numbers, low, high):
    """Numbers between low and high as u1 from 0 to 255; NaN is 0."""
    with np.errstate(all='ignore'):
        span = high * 0.5 - low * 0.5
        levels = (numbers * 0.5 - low * 0.5) / (span or 1) * 255
        levels = np.nan_to_num(levels, nan=0, posinf=255, neginf=0)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
