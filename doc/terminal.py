#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes doc/images/terminal.png: the command shnd at work in three terminals.

    meson devenv -C build ../doc/terminal.py ../doc/images/terminal.png

Needs xvfb, xterm, fonts-dejavu-core and python-matplotlib-data (Debian's names), and a kernel that
lets users have namespaces: the arrays are in a /dev/shm of their own, so that no others are listed.
"""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time

import gi

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Shnd', '1')

from gi.repository import GdkPixbuf, GLib, Shnd  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'examples/terrain'))

from pictures import read_photo, read_terrain  # noqa: E402

SCREEN = (1248, 640)
FONT = ['-fa', 'DejaVu Sans Mono', '-fs', '9']
COLOURS = ['-bg', '#161821', '-fg', '#d4d6dc']

# Where each terminal is, how large in characters, and what is done in it.
TERMINALS = (
    ('+0+0', '86x32', ('shnd list', 'shnd show terrain --height 22')),
    ('+0+496', '86x9', ('shnd watch',)),
    ('+704+0', '66x42', ('shnd show photo --height 38',)),
)

# How often each of these changes, in Hz.
RATES = {'cam0': 60, 'depth': 30, 'imu': 200, 'terrain': 1}

# Nothing takes that long.
PATIENCE = 60


def share(ready):
    """Those that are listed, and writers that change them, as long as the standard input is open."""
    terrain, photo = read_terrain()[0], read_photo()
    arrays = {
        'terrain': Shnd.Array.new_from_array('terrain', terrain, Shnd.CreateFlags.PERSISTENT),
        'photo': Shnd.Array.new_from_array('photo', photo, Shnd.CreateFlags.PERSISTENT),
        'cam0': Shnd.Array.new('cam0', 'u1', (1080, 1920, 4)),
        'depth': Shnd.Array.new('depth', 'u2', (480, 640)),
        'imu': Shnd.Array.new('imu', "[('t', '<M8[us]'), ('acc', '<f4', (3,))]", (256,)),
    }

    def change(array, rate):
        while True:
            array.update()
            time.sleep(1 / rate)

    for name, rate in RATES.items():
        threading.Thread(target=change, args=(arrays[name], rate), daemon=True).start()
    pathlib.Path(ready).touch()
    sys.stdin.read()


def start_sharing(ready):
    """In namespaces of its own, which the commands enter."""
    return subprocess.Popen(
        ['unshare', '--map-root-user', '--mount', 'sh', '-c',
         'mount -t tmpfs tmpfs /dev/shm && exec "$@"', 'sh', sys.executable, '-B', __file__,
         '--share', ready], stdin=subprocess.PIPE)


def start_terminal(environment, folder, sharing, i, place, size, commands):
    """And the file that appears when the commands are done; the last one may go on."""
    done, script = folder / f'done-{i}', folder / f'script-{i}'
    live = 'watch' in commands[-1]
    script.write_text('\n'.join((
        "PS4='$ '",
        *([f"touch '{done}'"] if live else []),
        'set -x',
        *commands,
        *([] if live else [f"{{ touch '{done}'; sleep 1000; }} 2>/dev/null"]))))
    xterm = subprocess.Popen(
        ['xterm', *FONT, *COLOURS, '-b', '8', '-geometry', size + place, '-e', 'nsenter', '--target',
         str(sharing.pid), '--user', '--mount', '--preserve-credentials', 'bash', str(script)],
        env=environment)
    return xterm, done


def read_screen(path):
    """The framebuffer, which is in the format of xwd(1)."""
    data = path.read_bytes()
    header = struct.unpack('>25I', data[:100])
    size, width, height = header[0], header[4], header[5]
    line, n_colours = header[12], header[19]
    assert header[11] == 32, 'expected 32 bits a pixel'
    pixels = data[size + 12 * n_colours:]
    rows = bytearray()
    for y in range(height):
        row = pixels[y * line:y * line + 4 * width]
        rgb = bytearray(3 * width)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows += rgb
    return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(bytes(rows)),
                                           GdkPixbuf.Colorspace.RGB, False, 8, width, height,
                                           3 * width)


def wait_for(path):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f'{path} does not appear'
        time.sleep(0.05)


def main(output):
    width, height = SCREEN
    terminals = []
    ours, theirs = os.pipe()
    with tempfile.TemporaryDirectory() as name, \
            start_sharing(f'{name}/ready') as sharing, \
            subprocess.Popen(['Xvfb', '-displayfd', str(theirs), '-screen', '0',
                              f'{width}x{height}x24', '-fbdir', name, '-nocursor'],
                             pass_fds=[theirs], stderr=subprocess.DEVNULL) as server:
        try:
            folder = pathlib.Path(name)
            wait_for(folder / 'ready')
            environment = os.environ | {'DISPLAY': f':{os.read(ours, 16).decode().strip()}',
                                        'LC_ALL': 'C.UTF-8', 'COLORTERM': 'truecolor'}
            terminals += [start_terminal(environment, folder, sharing, i, *terminal)
                          for i, terminal in enumerate(TERMINALS)]
            for _, done in terminals:
                wait_for(done)
            # Rates are of whole intervals.
            time.sleep(4)
            picture = read_screen(folder / 'Xvfb_screen0')
        finally:
            for xterm, _ in terminals:
                xterm.terminate()
                xterm.wait()
            server.terminate()
    picture.savev(output, pathlib.Path(output).suffix[1:], [], [])


if __name__ == '__main__':
    if sys.argv[1] == '--share':
        share(sys.argv[2])
    else:
        main(sys.argv[1])
