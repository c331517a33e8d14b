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
            self.assertTrue(array.save(path, None, lambda done, total: seen.append((done, total))))
            self.assertTrue(array.save(path, progress=None, cancellable=Gio.Cancellable()))
            self.assertEqual(seen[-1], (48, 48))

            cancellable = Gio.Cancellable()
            cancellable.cancel()
            before = path.read_bytes()
            array[0, 0] = 99
            with self.assertRaises(GLib.Error) as caught:
                array.save(path, cancellable)
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
                self.assertRaises(KeyError, array.save, path, other, fail)
                if other is not None:
                    self.assertFalse(other.is_cancelled())
            self.assertEqual(len(calls), 2)
            self.assertEqual(path.read_bytes(), before)
            stop = Gio.Cancellable()
            with self.assertRaises(GLib.Error) as caught:
                array.save(path, stop, lambda *_: stop.cancel())
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                     Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(path.read_bytes(), before)
            # What it shows is saved, even if it is closed meanwhile.
            copy = array.dup()
            self.assertTrue(copy.save(path, None, lambda *_: copy.close()))
            np.testing.assert_array_equal(np.load(path), array[...])

            self.assertRaises(TypeError, array.save, path, 3)
            self.assertRaises(TypeError, array.save, path, 3, print)
            self.assertRaises(TypeError, array.save, path, None, 3)
            self.assertEqual(os.listdir(folder), ['a.npy'])

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
                self.assertEqual(save(array, spelling, None, note), (array, True, ()))
                np.testing.assert_array_equal(np.load(path), array[...])
                path.unlink()
            self.assertEqual(save(array.T, path, Gio.Cancellable(), note, 1, 'b')[1:],
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
            self.assertTrue(save(array, path, cancellable, note)[1].matches(
                Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(path.read_bytes(), before)
            error = save(array, f'{folder}/none/a.npy', None, note)[1]
            self.assertTrue(error.matches(Error.quark(), Error.NOT_FOUND))
            self.assertIn('none', error.message)
            self.assert_all_refused({TypeError: (None, 3, ['a']), ValueError: ('a\0b', b'a\0b')},
                                    array.save_async)
            self.assertRaises(TypeError, array.save_async)
            self.assertRaises(TypeError, array.save_async, path, 3, note)
            self.assertRaises(TypeError, array.save_async, path, None, 3)
            self.assertRaises(TypeError, array.save_finish, None)

            # What it shows is saved, though it is closed and gone meanwhile.
            copy = array.dup()
            copy.save_async(path, None, note)
            copy.close()
            del copy
            loop.run()
            closed, result, _ = seen.pop()
            self.assertIs(result, True)
            self.assertTrue(closed.closed)
            np.testing.assert_array_equal(np.load(path), array[...])
            error = save(closed, path, None, note)[1]
            self.assertTrue(error.matches(Error.quark(), Error.CLOSED))
            self.assertEqual(os.listdir(folder), ['ä.npy'])


if __name__ == '__main__':
    main()
