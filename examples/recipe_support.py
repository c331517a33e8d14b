# SPDX-License-Identifier: MIT
"""What the tests of the recipes have in common."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import tap

EXAMPLES = pathlib.Path(__file__).resolve().parent
PAGES = EXAMPLES.parent / 'doc'
PHOTO = pathlib.Path('/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg')

# A test that hangs should fail.
PATIENCE = 60

# Comes before a program that Ctrl-C is to end: whoever runs the tests may ignore it.
INTERRUPTIBLE = 'env', '--default-signal=INT'


def find_missing(*elements):
    """The first of these GStreamer elements that is not there, or None."""
    for element in elements:
        # Not --exists, which wants the plugin to be as new as GStreamer.
        command = ['gst-inspect-1.0', element]
        try:
            if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode != 0:
                return element
        except FileNotFoundError:
            return 'gst-inspect-1.0'
    return None


def skip_without_elements(*elements):
    missing = find_missing(*elements)
    return unittest.skipIf(missing, f'there is no {missing}')


class Case(unittest.TestCase):
    """A folder of its own, and programs that end with the test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *command, **keywords):
        process = subprocess.Popen(
            [*map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding='utf-8',
            cwd=self.folder,
            start_new_session=True,
            **keywords,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(self.kill, process)
        return process

    @staticmethod
    def kill(process):
        """Ends a program and those that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def finish(self, process, status=0):
        """Returns the output of a program that ends by itself."""
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, f'{output}\n{errors}')
        return output if status == 0 else errors

    def check_interrupt(self, program, subscriber):
        """Ctrl-C ends the program without a complaint, and its stream in order."""
        from gi.repository import GLib, Shnd

        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=PATIENCE)
        self.assertEqual((program.returncode, errors), (0, ''))
        with self.assertRaises(GLib.Error) as caught:
            while True:
                subscriber.receive(timeout=PATIENCE)
        self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Shnd.Error.END_OF_STREAM))
        folder = os.path.join(os.environ['XDG_RUNTIME_DIR'], 'shndarray')
        self.assertFalse(os.path.exists(os.path.join(folder, subscriber.address)))

    def check_page(self, page, **files):
        """The page shows these programs, but for the licence, as blocks of their languages."""
        text = (PAGES / page).read_text(encoding='utf-8')
        for language, names in files.items():
            blocks = re.findall(rf'^```{language}\n(.*?)^```$', text, re.DOTALL | re.MULTILINE)
            for name in names.split():
                program = (EXAMPLES / name).read_text(encoding='utf-8').partition('\n\n')[2]
                self.assertIn(program, blocks, f'{page} does not show {name}')


def main():
    # GLib asks for it but once.
    with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
        os.environ['XDG_RUNTIME_DIR'] = folder
        runner = tap.TAPTestRunner()
        runner.set_stream(True)
        unittest.main(argv=sys.argv[:1], testRunner=runner)
