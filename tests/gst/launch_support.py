# SPDX-License-Identifier: MIT

"""Pipelines in processes of their own, as gst-launch-1.0 runs them."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'python'))

from frames_support import RUNTIME, FramesTestCase  # noqa: E402, F401
from process_support import PATIENCE  # noqa: E402

# What the tracer says of an object that is left when GStreamer is shut down.
LEAK = re.compile(r'object-alive, type-name=\(string\)(?!%s).*')
# That it was there to say something.
TRACER = 'object-alive.class'

# No frame is missed, and none is sent before there are so many subscribers.
CAREFUL = 'sync=false overflow=block wait-subscribers={}'


class Launch:
    """A running gst-launch-1.0, and what it says."""

    def __init__(self, pipeline, *options, **environment):
        self.pipeline = pipeline
        self.log = tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace')
        self.process = subprocess.Popen(
            ['gst-launch-1.0', *options, *pipeline.split()], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT,
            env=os.environ | {'GST_TRACERS': 'leaks', 'GST_DEBUG': '1,GST_TRACER:7',
                              'GST_DEBUG_NO_COLOR': '1', 'G_DEBUG': 'fatal-criticals'} | environment)

    @property
    def is_running(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(PATIENCE)

    def read(self):
        self.log.seek(0)
        return self.log.read()

    def finish(self):
        """Waits for the end of the stream. Nothing may be left in it. Returns what it said."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'{self.pipeline} hangs:\n{self.read()[-2000:]}') from None
        said = self.read()
        assert status == 0, f'{self.pipeline} ended with {status}:\n{said[-2000:]}'
        assert TRACER in said, 'There is no tracer for leaks'
        leaks = LEAK.findall(said)
        assert not leaks, f'{self.pipeline} leaves {leaks}'
        return said

    def close(self):
        if self.is_running:
            self.kill()
        self.log.close()


class LaunchTestCase(FramesTestCase):
    """Has a folder for files, and pipelines that do not outlive a test."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='files-', dir=RUNTIME))
        self.addCleanup(shutil.rmtree, self.folder)
        self.n_files = 0

    def launch(self, pipeline, *options, **environment):
        launch = Launch(pipeline, *options, **environment)
        self.addCleanup(launch.close)
        return launch

    def run_to_end(self, pipeline, **environment):
        return self.launch(pipeline, **environment).finish()

    def send(self, upstream, settings=None):
        """A sender that misses nobody, or one with other settings."""
        settings = CAREFUL.format(1) if settings is None else settings
        return self.launch(f'{upstream} ! shndsink address={self.address} {settings}')

    def receive_to_file(self, middle='', settings=''):
        """A receiver that ends with the stream, and the file with all that it has got."""
        path = self.new_path()
        middle = f'! {middle} ' if middle else ''
        return self.launch(f'shndsrc address={self.address} {settings} {middle}'
                           f'! filesink location={path} buffer-mode=unbuffered'), path

    def new_path(self):
        self.n_files += 1
        return self.folder / str(self.n_files)

    def get_bytes(self, upstream, **environment):
        """What the same pipeline writes when there is no other process."""
        path = self.new_path()
        self.run_to_end(f'{upstream} ! filesink location={path}', **environment)
        return path.read_bytes()

    def cross(self, upstream, middle=''):
        """All bytes, after they have gone from one process to another."""
        sender = self.send(upstream)
        receiver, path = self.receive_to_file(middle)
        sender.finish()
        receiver.finish()
        return path.read_bytes()

    def assert_crosses(self, upstream, middle=''):
        """Nothing changes on the way."""
        data = self.cross(upstream, middle)
        expected = self.get_bytes(upstream + (f' ! {middle}' if middle else ''))
        self.assertTrue(expected)
        self.assertEqual(len(data), len(expected))
        # Without what thousands of bytes would look like.
        self.assertTrue(data == expected, upstream)
