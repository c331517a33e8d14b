# SPDX-License-Identifier: MIT
"""Shows a tally whenever it changes, until it reaches a number: watcher.py NAME LAST."""

import sys

import gi

gi.require_version('Shnd', '1')

from gi.repository import GLib, Shnd  # noqa: E402

name, last = sys.argv[1], int(sys.argv[2])
tally = Shnd.Array.open(name, Shnd.Access.READ, timeout=10)
loop = GLib.MainLoop()


def show(tally, sequence):
    print(f'Python: {tally[0]} at update {sequence}', flush=True)
    if tally[0] >= last:
        loop.quit()


tally.connect('updated', show)
print('Python: watching', flush=True)
loop.run()
