# SPDX-License-Identifier: MIT
"""Where the marks of an axis are, and what stands at them. Needs no display."""

import math

import numpy as np

# Steps between marks of time, in seconds: multiples that clocks and calendars show.
TIME_STEPS = [
    1, 2, 5, 10, 15, 30,
    60, 120, 300, 600, 900, 1800,
    3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000, 31536000,
]  # fmt: skip

YEAR = 31556952

# How long the units of NumPy's times last, in seconds; months and years on average.
UNITS = {
    'Y': YEAR,
    'M': YEAR / 12,
    'W': 604800.0,
    'D': 86400.0,
    'h': 3600.0,
    'm': 60.0,
    's': 1.0,
    'ms': 1e-3,
    'us': 1e-6,
    'ns': 1e-9,
    'ps': 1e-12,
    'fs': 1e-15,
    'as': 1e-18,
}


def get_step(span, n_steps):
    """The smallest of 1, 2 and 5 times a power of ten that makes at most so many steps."""
    rough = span / max(n_steps, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5):
        if rough <= factor * power * (1 + 1e-9):
            return factor * power
    return 10 * power


def find_ticks(low, high, n_steps=5):
    """Round numbers from low to high, about so many steps apart, and the step."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low] if math.isfinite(low) else [], 0.0
    step = get_step(span, n_steps)
    if low + step == low:
        return [low, high], span
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)], step


def format_tick(value, step):
    """The number at a mark: as many digits as the step between marks needs."""
    if step <= 0:
        return format(value, '.6g')
    if abs(value) < step / 1e6:
        return '0'
    exponent = math.floor(math.log10(abs(value)))
    digits = math.floor(math.log10(step) + 1e-9)
    if exponent >= 7 or exponent < -4:
        text = format(value, f'.{max(0, exponent - digits)}e')
        mantissa, _, power = text.partition('e')
        return f'{mantissa}e{int(power)}'.replace('-', '−')
    return format(value, f'.{max(0, -digits)}f').replace('-', '−')


def get_unit(dtype):
    """How many seconds a datetime64 or timedelta64 counts by, or None."""
    name, count = np.datetime_data(dtype)
    return UNITS[name] * count if name in UNITS else None


def find_time_ticks(low, high, dtype, n_steps=5):
    """Marks between two counts of a datetime64's or timedelta64's unit, and their texts."""
    unit = get_unit(dtype)
    if unit is None or np.datetime_data(dtype)[0] in 'YM':
        ticks, _step = find_ticks(low, high, n_steps)
        ticks = sorted({round(tick) for tick in ticks})
        return ticks, [format_time(tick, dtype) for tick in ticks]

    seconds = (high - low) * unit / max(n_steps, 1)
    step = next((step for step in TIME_STEPS if step >= seconds), None)
    if seconds < 1 or step is None:
        if not seconds > 0:
            return [low], [format_time(low, dtype)]
        step = get_step((high - low) * unit, n_steps)
    first = math.ceil(low * unit / step - 1e-9)
    last = math.floor(high * unit / step + 1e-9)
    ticks = [number * step / unit for number in range(first, last + 1)]
    return ticks, [format_time(tick, dtype, step) for tick in ticks]


def make_ticks(low, high, dtype, n_steps, whole=False):
    """Marks for elements of a dtype, or for indices if that is None, and their texts."""
    kind = '' if dtype is None else dtype.kind
    if kind in tuple('mM'):
        return find_time_ticks(low, high, dtype, n_steps)
    ticks, step = find_ticks(low, high, n_steps)
    if step < 1 and (whole or kind in tuple('biu')):
        ticks, step = list(range(math.ceil(low), math.floor(high) + 1)), 1
    if kind == 'b':
        return ticks, ['True' if tick else 'False' for tick in ticks]
    return ticks, [format_tick(tick, step) for tick in ticks]


def format_time(count, dtype, step=0):
    """A point in time or a duration, as exact as the step between two needs."""
    unit = get_unit(dtype)
    if dtype.kind == 'm':
        if unit is None:
            return format(count, '.6g')
        return format_duration(count * unit, step)
    # The smallest count is NaT.
    count = min(max(round(count), 1 - (1 << 63)), (1 << 63) - 1)
    time = np.datetime64(count, np.datetime_data(dtype))
    if step <= 0 or unit is None:
        return str(time)
    if step >= 86400:
        return str(time.astype('M8[D]'))
    if step >= 60:
        return str(time.astype('M8[m]')).replace('T', ' ')
    if step >= 1:
        return str(time.astype('M8[s]')).partition('T')[2]
    name = 'ms' if step >= 1e-3 else 'us' if step >= 1e-6 else 'ns'
    return str(time.astype(f'M8[{name}]')).partition('T')[2]


def format_duration(seconds, step):
    sign = '−' if seconds < 0 else ''
    seconds = abs(seconds)
    if 0 < step < 1 or (seconds < 1 and step == 0):
        return sign + format_tick(seconds, step or seconds) + ' s'
    whole = round(seconds)
    days, whole = divmod(whole, 86400)
    clock = f'{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}'
    return sign + (f'{days} d {clock}' if days else clock)
