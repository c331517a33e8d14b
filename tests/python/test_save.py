# SPDX-License-Identifier: MIT

"""Array in Python: saving to files, at once and in the background."""

import os
import pathlib
import tempfile

import numpy as np
from array_support import ArrayTestCase, Error
from gi.repository import Gio
from support import GLib, Shnd, main


class Files(ArrayTestCase):
    def test_save(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'a.npy')
            array = Shnd.Array.new_from_array(None, np.arange(6).reshape(2, 3))
            for spelling in (path, str(path), os.fsencode(path)):
                self.assertTrue(array.T.save(spelling))
                np.testing.assert_array_equal(np.load(path), array.T[...])
                path.unlink()
            seen = []
            self.assertTrue(array.save(path, 0, progress=lambda done, total: seen.append((done, total))))
            self.assertTrue(array.save(path, progress=None, cancellable=Gio.Cancellable()))
            self.assertEqual(seen[-1], (48, 48))

            cancellable = Gio.Cancellable()
            cancellable.cancel()
            before = path.read_bytes()
            array[0, 0] = 99
            with self.assertRaises(GLib.Error) as caught:
                array.save(path, cancellable=cancellable)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(path.read_bytes(), before)
            self.assert_error(Error.NOT_FOUND, 'none', array.save, f'{folder}/none/a.npy')
            self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b',)},
                                    array.save)
            calls = []

            def fail(done, total):
                calls.append(done)
                raise KeyError('mine')

            for other in (None, Gio.Cancellable()):
                self.assertRaises(KeyError, array.save, path, cancellable=other, progress=fail)
                if other is not None:
                    self.assertFalse(other.is_cancelled())
            self.assertEqual(len(calls), 2)
            self.assertEqual(path.read_bytes(), before)
            stop = Gio.Cancellable()
            with self.assertRaises(GLib.Error) as caught:
                array.save(path, cancellable=stop, progress=lambda *_: stop.cancel())
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(path.read_bytes(), before)
            # What it shows is saved, even if it is closed meanwhile.
            copy = array.dup()
            self.assertTrue(copy.save(path, progress=lambda *_: copy.close()))
            np.testing.assert_array_equal(np.load(path), array[...])

            self.assertRaises(TypeError, array.save, path, None)
            self.assertRaises(TypeError, array.save, path, 'NONE')
            self.assertRaises(TypeError, array.save, path, cancellable=3)
            self.assertRaises(TypeError, array.save, path, cancellable=3, progress=print)
            self.assertRaises(TypeError, array.save, path, progress=3)
            self.assertEqual(os.listdir(folder), ['a.npy'])

    def test_no_replace(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'a.npy')
            array = Shnd.Array.new_from_array(None, np.arange(6))
            self.assertTrue(array.save(path, Shnd.SaveFlags.NO_REPLACE))
            before = path.read_bytes()
            array[0] = 99
            for taken in (path, pathlib.Path(folder, 'link'), pathlib.Path(folder, 'folder')):
                if taken.name == 'link':
                    taken.symlink_to('nowhere')
                elif taken.name == 'folder':
                    taken.mkdir()
                self.assert_error(Error.EXISTS, taken.name, array.save, taken,
                                  Shnd.SaveFlags.NO_REPLACE)
            self.assertEqual(path.read_bytes(), before)
            # Of what is there already it is told before all is written.
            self.assert_error(Error.EXISTS, 'a.npy', lambda: array.save(
                path, Shnd.SaveFlags.NO_REPLACE, progress=self.fail))

            # What comes while it is written stays, too.
            path.unlink()
            self.assert_error(Error.EXISTS, 'a.npy', lambda: array.save(
                path, Shnd.SaveFlags.NO_REPLACE,
                progress=lambda *_: path.write_bytes(b'theirs')))
            self.assertEqual(path.read_bytes(), b'theirs')
            self.assertEqual(sorted(os.listdir(folder)), ['a.npy', 'folder', 'link'])

            loop = GLib.MainLoop()
            caught = []

            def note(array, result):
                try:
                    array.save_finish(result)
                except GLib.Error as error:
                    caught.append(error)
                loop.quit()

            array.save_async(path, Shnd.SaveFlags.NO_REPLACE, None, note)
            loop.run()
            self.assertTrue(caught[0].matches(Error.quark(), Error.EXISTS))
            self.assertEqual(path.read_bytes(), b'theirs')

    def test_save_async(self):
        loop = GLib.MainLoop()
        seen = []

        def note(array, result, *data):
            try:
                seen.append((array, array.save_finish(result), data))
            except GLib.Error as error:
                seen.append((array, error, data))
            loop.quit()

        def save(array, *args):
            array.save_async(*args)
            self.assertEqual(seen, [])
            loop.run()
            return seen.pop()

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'ä.npy')
            array = Shnd.Array.new_from_array(None, np.arange(6).reshape(2, 3))
            for spelling in (path, str(path), os.fsencode(path)):
                self.assertEqual(save(array, spelling, 0, None, note), (array, True, ()))
                np.testing.assert_array_equal(np.load(path), array[...])
                path.unlink()
            self.assertEqual(save(array.T, path, 0, Gio.Cancellable(), note, 1, 'b')[1:],
                             (True, (1, 'b')))
            np.testing.assert_array_equal(np.load(path), array.T[...])
            array.save_async(path, callback=note)
            loop.run()
            self.assertIs(seen.pop()[1], True)
            np.testing.assert_array_equal(np.load(path), array[...])

            # Without a callback nobody hears of it.
            other = pathlib.Path(folder, 'other.npy')
            self.assertIsNone(array.save_async(other))
            while not other.exists():
                GLib.usleep(1000)
            other.unlink()

            before = path.read_bytes()
            cancellable = Gio.Cancellable()
            cancellable.cancel()
            array[0, 0] = 99
            self.assertTrue(save(array, path, 0, cancellable, note)[1].matches(
                Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(path.read_bytes(), before)
            error = save(array, f'{folder}/none/a.npy', 0, None, note)[1]
            self.assertTrue(error.matches(Error.quark(), Error.NOT_FOUND))
            self.assertIn('none', error.message)
            self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b', b'a\0b')},
                                    array.save_async)
            self.assertRaises(TypeError, array.save_async)
            self.assertRaises(TypeError, array.save_async, path, None)
            self.assertRaises(TypeError, array.save_async, path, 0, 3, note)
            self.assertRaises(TypeError, array.save_async, path, 0, None, 3)
            self.assertRaises(TypeError, array.save_finish, None)

            # What it shows is saved, though it is closed and gone meanwhile.
            copy = array.dup()
            copy.save_async(path, 0, None, note)
            copy.close()
            del copy
            loop.run()
            closed, result, _ = seen.pop()
            self.assertIs(result, True)
            self.assertTrue(closed.closed)
            np.testing.assert_array_equal(np.load(path), array[...])
            error = save(closed, path, 0, None, note)[1]
            self.assertTrue(error.matches(Error.quark(), Error.CLOSED))
            self.assertEqual(os.listdir(folder), ['ä.npy'])


if __name__ == '__main__':
    main()
