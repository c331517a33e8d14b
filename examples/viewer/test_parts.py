# SPDX-License-Identifier: MIT
"""Tests parts of the window alone, where a user would have to be fast or slow."""

import errno
import functools
import os
import threading
import time
import types
import unittest

import viewer_support


def setUpModule():
    global Adw, ArrayView, GLib, GObject, Gio, Gtk, Shnd
    global catalogue, iterate, np, saving, sidebar, source, textures
    Case.desktop = viewer_support.open_desktop()
    from render_support import iterate

    import numpy as np
    from gi.repository import Adw, Gio, GLib, GObject, Gtk, Shnd

    import catalogue
    import saving
    import sidebar
    import source
    import textures
    from content import ArrayView


def is_followed(item, name):
    """Whether somebody wants to know when a property changes."""
    signal, detail = GObject.signal_lookup('notify', item), GLib.quark_from_string(name)
    return GObject.signal_has_handler_pending(item, signal, detail, True)


class Case(unittest.TestCase):
    def wait(self, condition):
        self.assertTrue(iterate(condition))


class Saving(Case):
    def setUp(self):
        self.ended = []
        self.row = saving.ProgressRow()
        self.window = Gtk.Window(child=self.row)
        self.addCleanup(self.window.destroy)
        self.window.present()
        self.path = str(self.desktop.folder / 'saved')

    def run_job(self, write, what):
        self.row.run(write, what, self.path, self.ended.append)

    def test_stop(self):
        """A writer that goes on until it is stopped."""
        def write(what, path, cancellable, progress):
            progress(1, 2)
            while not cancellable.is_cancelled():
                time.sleep(0.01)
            cancellable.set_error_if_cancelled()

        self.run_job(write, object())
        self.wait(self.row.get_visible)
        self.wait(lambda: self.row.bar.get_fraction() == 0.5)
        self.assertEqual(self.ended, [])
        self.assertEqual(self.row.label.get_label(), 'Saving “saved”')
        self.row.get_last_child().emit('clicked')
        self.wait(lambda: self.ended)
        self.assertTrue(saving.is_cancelled(self.ended[0]), self.ended)
        self.assertFalse(self.row.get_visible())
        self.assertIsNone(self.row.job)

    def test_array(self):
        seen = []
        array = Shnd.Array.new(None, 'u1', (1 << 24,))
        array.fill(7)
        self.row.bar.connect('notify::fraction', lambda bar, _pspec: seen.append(bar.get_fraction()))
        self.run_job(saving.save_npy, array)
        self.wait(lambda: self.ended)
        self.assertEqual(self.ended, [None])
        self.assertTrue(seen)
        self.assertTrue((Shnd.Array.open_path(self.path).get() == 7).all())

    def test_stopped_before(self):
        """Neither leaves anything when it was stopped at once."""
        array = Shnd.Array.new(None, 'u1', (5, 5, 3))
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        for write, what in ((saving.save_npy, array), (saving.save_png, paint)):
            with self.assertRaises(GLib.Error) as caught:
                write(what, self.path + '-stopped', cancellable, None)
            self.assertTrue(saving.is_cancelled(caught.exception))
        self.assertEqual([path.name for path in self.desktop.folder.glob('*stopped*')], [])

    def test_large_picture(self):
        """It is read in another thread, with progress, and stops on the way."""
        self.path += '-large'
        n_rows = 4 * textures.BAND
        cancelled = threading.Event()
        reads = []

        def read(rows, columns):
            reads.append(len(rows))
            if len(reads) == 2:
                cancelled.wait(viewer_support.PATIENCE)
            return np.zeros((len(rows), len(columns)), np.uint32)

        raster = types.SimpleNamespace(width=1, height=n_rows, read=read)
        self.run_job(saving.save_png, functools.partial(textures.make_from_raster, raster))
        # A quarter of it is read, and that is half of the work.
        self.wait(lambda: self.row.bar.get_fraction() == 1 / 8)
        self.row.cancel()
        cancelled.set()
        self.wait(lambda: self.ended)
        self.assertTrue(saving.is_cancelled(self.ended[0]), self.ended)
        self.assertEqual(len(reads), 2)
        self.assertEqual(list(self.desktop.folder.glob('*-large')), [])

    def test_error(self):
        self.path = '/proc/saved'
        self.run_job(saving.save_png, paint)
        self.wait(lambda: self.ended)
        self.assertIsInstance(self.ended[0], OSError)


class List(Case):
    def test_search(self):
        """Enter takes the first of what was typed, though the entry tells of that only later."""
        store = catalogue.Catalogue()
        items = [store.add_file(f'/nowhere/{name}') for name in ('apple.npy', 'plum.npy')]
        widget = sidebar.Sidebar(store)
        chosen = []
        widget.connect('chosen', lambda _widget, item: chosen.append(item))
        widget.entry.set_text('plum')
        widget.entry.emit('activate')
        self.assertEqual(chosen, items[1:])

    def test_lets_go(self):
        """A row that is not in the list any more is not told of changes."""
        store = catalogue.Catalogue()
        item = store.add_file('/nowhere/apple.npy')
        widget = sidebar.Sidebar(store)
        window = Gtk.Window(child=widget)
        self.addCleanup(window.destroy)

        self.assertTrue(is_followed(item, 'details'))
        widget.entry.set_text('plum')
        widget.entry.emit('activate')
        self.assertFalse(is_followed(item, 'details'))


class Leaving(Case):
    def test_view(self):
        """A view whose window is closed is not told of the style any more."""
        style = Adw.StyleManager.get_default()
        for _ in range(2):
            window = Gtk.Window(child=ArrayView())
            window.present()
            self.assertTrue(is_followed(style, 'dark'))
            window.destroy()
            self.assertFalse(is_followed(style, 'dark'))


class Picture:
    """As much of a texture as it takes."""

    @staticmethod
    def save_to_png_bytes():
        return GLib.Bytes.new(b'PNG')


def paint(step):
    step(1, 2)
    return Picture()


class Rates(Case):
    def test_meter(self):
        meter = source.Meter()
        self.assertEqual(meter.rate, 0)
        for second in range(10):
            meter.samples.append((float(second), 30 * second))
        self.assertEqual(meter.rate, 30)
        # A counter that starts anew, as that of another publisher does.
        meter.add(5)
        self.assertEqual(meter.rate, 0)

    def test_descriptions(self):
        for message, expected in (('no such thing', 'No such thing.'), ('What?', 'What?'),
                                  ('', 'OSError.')):
            self.assertEqual(source.describe(OSError(message)), expected)
        error = OSError(errno.ENOENT, os.strerror(errno.ENOENT), '/nowhere')
        self.assertEqual(source.describe(error), 'No such file or directory.')


if __name__ == '__main__':
    viewer_support.run_tests()
