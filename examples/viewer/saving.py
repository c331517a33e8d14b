# SPDX-License-Identifier: MIT
"""Writes what is shown to a file, in another thread, with progress and a way to stop it."""

import os
import threading
import uuid

from gi.repository import Gio, GLib, Gtk

# Milliseconds: what takes no longer needs no progress.
PATIENCE = 300


def save_npy(array, path, cancellable, progress):
    array.save(path, cancellable=cancellable, progress=progress)


def save_png(paint, path, cancellable, progress):
    """Complete or not at all, as `save_npy` does it. `paint(step)` makes the texture."""
    def step(done, total):
        cancellable.set_error_if_cancelled()
        # Half of it: the texture is written after that.
        progress(done, 2 * total)

    data = paint(step).save_to_png_bytes()
    cancellable.set_error_if_cancelled()
    temporary = os.path.join(os.path.dirname(path), f'.{uuid.uuid4()}')
    with open(temporary, 'xb') as file:
        try:
            file.write(data.get_data())
            file.flush()
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


class Job:
    """`write(what, path, cancellable, progress)` in a thread; then `done(error)`, in the main loop."""

    def __init__(self, write, what, path, show_progress, done):
        self.write = write
        self.what = what
        self.path = path
        self.show_progress = show_progress
        self.done = done
        self.cancellable = Gio.Cancellable()
        threading.Thread(target=self._run).start()

    def _run(self):
        error = None
        try:
            self.write(self.what, self.path, self.cancellable, self._progress)
        except (GLib.Error, OSError, MemoryError) as caught:
            error = caught
        GLib.idle_add(self._finish, error)

    def _progress(self, done, total):
        GLib.idle_add(self._show, done / total if total else 1)

    def _show(self, fraction):
        if self.what is not None:
            self.show_progress(fraction)
        return GLib.SOURCE_REMOVE

    def _finish(self, error):
        self.what = None
        self.done(error)
        return GLib.SOURCE_REMOVE


def is_cancelled(error) -> bool:
    return isinstance(error, GLib.Error) and error.matches(Gio.io_error_quark(),
                                                           Gio.IOErrorEnum.CANCELLED)


class ProgressRow(Gtk.Box):
    """A line with the progress of one job, and a button that stops it."""

    def __init__(self):
        super().__init__(spacing=12, margin_start=12, margin_end=12, margin_top=6, margin_bottom=6,
                         visible=False)
        self.label = Gtk.Label(xalign=0)
        self.bar = Gtk.ProgressBar(hexpand=True, valign=Gtk.Align.CENTER)
        button = Gtk.Button(label='_Cancel', use_underline=True)
        button.connect('clicked', lambda _button: self.cancel())
        for child in (self.label, self.bar, button):
            self.append(child)
        self.job = None
        self._timer = 0

    def run(self, write, what, path, done):
        """Begins a job; there is one at a time."""
        def finish(error):
            self._end()
            done(error)

        self.label.set_label(f'Saving “{GLib.filename_display_basename(path)}”')
        self.bar.set_fraction(0)
        self._timer = GLib.timeout_add(PATIENCE, self._appear)
        self.job = Job(write, what, path, self.bar.set_fraction, finish)

    def _appear(self):
        self._timer = 0
        self.set_visible(True)
        return GLib.SOURCE_REMOVE

    def _end(self):
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0
        self.set_visible(False)
        self.job = None

    def cancel(self):
        if self.job is not None:
            self.job.cancellable.cancel()
