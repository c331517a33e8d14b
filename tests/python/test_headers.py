# SPDX-License-Identifier: MIT

"""Headers that NumPy never writes: what it reads is read, the rest is refused, word by word."""

import gc
import os
import random
import tempfile
import unittest
import warnings

import numpy as np
from support import PREFIX, SHM, GLib, SharedTestCase, Shnd, count_handles, diagnose, main

from header_cases import (DATA, FORMAT, MALFORMED, MALFORMED_DIFFERENCES, PLAIN, TOO_SMALL, UNUSUAL,
                          UNUSUAL_DIFFERENCES, entries, npy, truncated)

READ = Shnd.Access.READ
NAME = PREFIX + 'header'

LIMIT = {} if np.lib.NumpyVersion(np.__version__) < '1.23.4' else {'max_header_size': 10 ** 9}


class Headers(SharedTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        cls.path = os.path.join(cls.folder.name, 'file.npy')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()

    def write(self, content, path=None):
        with open(path or self.path, 'wb') as file:
            file.write(content)

    def theirs(self):
        """What NumPy makes of the file: dtype, shape, order and elements, or None and the error."""
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                return self.summary(np.load(self.path, allow_pickle=False, **LIMIT)), None
            except Exception as error:  # Whatever it is, NumPy does not read it.
                return None, error

    def ours(self):
        try:
            return self.summary(np.asarray(Shnd.Array.open_path(self.path, READ))), None
        except GLib.Error as error:
            self.assertEqual(error.domain, 'shnd-error-quark')
            return None, error

    def summary(self, array):
        order = 'F' if array.flags.f_contiguous and not array.flags.c_contiguous else 'C'
        return repr(array.dtype), array.shape, order, array.tobytes('A')


class TestUnusual(Headers):
    def test_each(self):
        for what, content in UNUSUAL:
            with self.subTest(what):
                self.write(content)
                (theirs, their_error), (ours, our_error) = self.theirs(), self.ours()
                if what in UNUSUAL_DIFFERENCES:
                    accepted = 'numpy' if ours is None else 'ours' if theirs is None else 'both'
                    self.assertNotEqual(ours, theirs)
                    self.assertEqual(accepted, UNUSUAL_DIFFERENCES[what][1])
                else:
                    self.assertEqual(ours, theirs, f'{our_error!r} {their_error!r}')
        self.assertLessEqual(set(UNUSUAL_DIFFERENCES), {what for what, _ in UNUSUAL})
        diagnose(f'{len(UNUSUAL)} unusual headers')

    def test_all_prefixes(self):
        whole = npy(PLAIN)
        for n in range(len(whole) + 1):
            self.write(whole[:n])
            ours, error = self.ours()
            self.assertEqual(ours is not None, n == len(whole), f'{n} bytes: {error}')

    def test_changed(self):
        # None is taken for something else than by NumPy.
        choice = random.Random(2)
        texts = [PLAIN, entries("[(('t', 'a'), '<i2', (1,)), ('b', '>i2')]"),
                 entries("'<M8[25us]'", shape='(3,)'), entries("'<U3'", 'True', '(1, 2)'),
                 entries(r"[('\u00e9', '|S3'), ('', '|V1')]", shape='(0x6,)')]
        # No L: Python 2's long numbers are read in all versions here, by NumPy in two of them.
        letters = ''.join(sorted(set(''.join(texts)) - {'l'})) + '0123456789\\"\n\tuVOf|=-+_.#'
        n_accepted = 0
        for i in range(6000):
            text = list(choice.choice(texts))
            for _ in range(choice.randint(1, 3)):
                at = choice.randrange(len(text))
                end = at + choice.randint(0, 2)
                text[at:end] = choice.choices(letters, k=choice.randint(0, 2))
            self.write(npy(''.join(text), choice.choice([(1, 0), (2, 0), (3, 0)]), bytes(200)))
            ours, _ = self.ours()
            if ours is not None:
                n_accepted += 1
                theirs, error = self.theirs()
                self.assertEqual(ours, theirs, f'{"".join(text)!r}: {error!r}')
        self.assertGreater(n_accepted, 100)
        diagnose(f'6000 headers changed at random, {n_accepted} of them still right')


class TestMalformed(Headers):
    def check(self, what, content, words, code=FORMAT):
        """Refused by path and by name, for the same reason, and nothing stays open."""
        name = f'{SHM}/{NAME}'
        self.write(content)
        self.write(content, name)
        try:
            gc.collect()
            before = count_handles()
            error = self.assert_error(code, words, Shnd.Array.open_path, self.path, READ)
            self.assert_error(code, words, Shnd.Array.open, NAME)
            self.assertEqual(count_handles(), before)
            self.assertTrue(error.message.startswith(f'Cannot open “{self.path}”: '), error.message)
            self.assertLess(len(error.message), 500)
        finally:
            os.unlink(name)
        return error.message.replace(self.path, '')

    def check_all(self, cases, code=FORMAT):
        messages = {}
        for what, content, words in cases:
            with self.subTest(what):
                message = self.check(what, content, words, code)
                self.assertFalse(message in messages, f'the same as of: {messages.get(message)}')
                if content[:6] == b'\x93NUMPY':
                    messages[message] = what
        return messages

    def test_malformed(self):
        self.check_all(MALFORMED)
        self.assertEqual(len({what for what, _, _ in MALFORMED}), len(MALFORMED))
        diagnose(f'{len(MALFORMED)} malformed headers')

    def test_truncated(self):
        for version in ((1, 0), (2, 0), (3, 0)):
            self.check_all([(f'{what}, version {version[0]}.0', content, words)
                            for what, content, words in truncated(version=version)])
        diagnose(f'{3 * len(list(truncated()))} truncated files')

    def test_too_small(self):
        self.check_all(TOO_SMALL, Shnd.Error.TOO_SMALL)

    def test_numpy_agrees(self):
        # NumPy asks for the memory before it sees that there is no data, and gets negative sizes
        # wrong: not to be tried here.
        large = ('a terabyte', 'a struct', 'all there can be', 'bytes beyond', 'product',
                 'size beyond', 'size is negative')
        # NumPy refuses them too, but for those of which it is listed why.
        for what, content, _ in MALFORMED + TOO_SMALL:
            if what.startswith(large):
                continue
            with self.subTest(what):
                self.write(content)
                theirs, _ = self.theirs()
                self.assertEqual(theirs is not None, what in MALFORMED_DIFFERENCES, theirs)
        self.assertLessEqual(set(MALFORMED_DIFFERENCES), {what for what, _, _ in MALFORMED})


if __name__ == '__main__':
    main()
