# SPDX-License-Identifier: MIT
"""Runs each program, and looks whether the README shows its text as it is."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
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


class Frames(unittest.TestCase):
    def check(self, *command):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, 'XDG_RUNTIME_DIR': folder}
            subscriber = subprocess.Popen(
                [*map(str, command)], stdout=subprocess.PIPE, encoding='utf-8', env=environment
            )
            self.addCleanup(subscriber.communicate)
            self.addCleanup(subscriber.kill)
            subprocess.run(
                [sys.executable, '-B', HERE / 'publisher.py'],
                env=environment,
                check=True,
                timeout=60,
            )
            output, _ = subscriber.communicate(timeout=60)

        self.assertEqual(subscriber.returncode, 0)
        self.assertEqual(output, ''.join(f'{number} {number}\n' for number in range(1, 101)))

    def test_c(self):
        self.check(SUBSCRIBER_C)

    def test_python(self):
        self.check(sys.executable, '-B', HERE / 'subscriber.py')

    def test_js(self):
        self.check(GJS, '-m', HERE / 'subscriber.js')

    def test_vala(self):
        self.check(SUBSCRIBER_VALA)


@unittest.skipUnless(README.exists(), 'no README')
class Readme(unittest.TestCase):
    def check(self, language, *files):
        """The README has their text, but for the licence, as blocks of that language."""
        readme = README.read_text(encoding='utf-8')
        blocks = re.findall(rf'^```{language}\n(.*?)^```$', readme, re.DOTALL | re.MULTILINE)
        for file in files:
            text = (HERE / file).read_text(encoding='utf-8').partition('\n\n')[2]
            self.assertIn(text, blocks, f'README.md does not show {file}')

    def test_c(self):
        self.check('c', 'hello.c', 'subscriber.c')

    def test_python(self):
        self.check('python', 'hello.py', 'publisher.py', 'subscriber.py')

    def test_js(self):
        self.check('js', 'hello.js', 'subscriber.js')

    def test_vala(self):
        self.check('vala', 'hello.vala', 'subscriber.vala')


if __name__ == '__main__':
    HELLO_C, HELLO_VALA, SUBSCRIBER_C, SUBSCRIBER_VALA, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
