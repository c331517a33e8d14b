# SPDX-License-Identifier: MIT
"""Adds one to all elements of an array, 20 times a second: changer.py NAME TIMES."""

import sys
import time

import gi

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

array = Shnd.Array.open(sys.argv[1])
for _ in range(int(sys.argv[2])):
    time.sleep(0.05)
    with array.lock():
        array[...] += 1
    array.update()
