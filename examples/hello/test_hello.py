# SPDX-License-Identifier: MIT
"""Runs each hello program, and looks whether the README shows its text as it is."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import tap

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent.parent / 'README.md'


class Hello(unittest.TestCase):
    def check(self, *command):
        name = f'hello-{self._testMethodName.removeprefix("test_")}'
        result = subprocess.run(
            [*map(str, command)], stdout=subprocess.PIPE, encoding='utf-8', check=True, timeout=60
        )
        self.assertEqual(result.stdout, f'{name}: 42\n')
        self.assertFalse(pathlib.Path('/dev/shm', name).exists())

    def test_c(self):
        self.check(HELLO_C)

    def test_python(self):
        self.check(sys.executable, '-B', HERE / 'hello.py')

    def test_js(self):
        self.check(GJS, '-m', HERE / 'hello.js')

    def test_vala(self):
        self.check(HELLO_VALA)


@unittest.skipUnless(README.exists(), 'no README')
class Readme(unittest.TestCase):
    def check(self, language, file):
        """The README has that text, but for the licence, as a block of that language."""
        text = (HERE / file).read_text(encoding='utf-8').partition('\n\n')[2]
        readme = README.read_text(encoding='utf-8')
        blocks = re.findall(rf'^```{language}\n(.*?)^```$', readme, re.DOTALL | re.MULTILINE)
        self.assertIn(text, blocks, f'README.md does not show {file}')

    def test_c(self):
        self.check('c', 'hello.c')

    def test_python(self):
        self.check('python', 'hello.py')

    def test_js(self):
        self.check('js', 'hello.js')

    def test_vala(self):
        self.check('vala', 'hello.vala')


if __name__ == '__main__':
    HELLO_C, HELLO_VALA, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
