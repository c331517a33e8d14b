# SPDX-License-Identifier: MIT
"""Lets workers of four languages count together, kills owners of the lock, and looks how watchers
wait.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import gi
import tap

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
NAME = f'shnd-test-{os.getpid()}-tally'
ROUNDS = 500

# Takes the lock, counts once of twice, and waits for its end.
OWNER = '''
import sys, time, gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
tally = Shnd.Array.open(sys.argv[1])
tally.lock()
tally[0] += 1
print('locked', flush=True)
time.sleep(600)
'''


def start(*command):
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, encoding='utf-8')


class Tally(unittest.TestCase):
    def setUp(self):
        self.tally = Shnd.Array.new(NAME, 'int32', 2)

    def tearDown(self):
        self.tally.close()
        self.assertFalse(pathlib.Path('/dev/shm', NAME).exists())

    def start_workers(self, rounds):
        workers = {
            'C': [TALLY_C],
            'Python': [sys.executable, '-B', HERE / 'worker.py'],
            'JavaScript': [GJS, '-m', HERE / 'worker.js'],
            'Vala': [TALLY_VALA],
        }
        return {language: start(*command, NAME, rounds) for language, command in workers.items()}

    def finish(self, process):
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, output)
        return output

    def test_nothing_is_lost(self):
        workers = self.start_workers(ROUNDS)
        for language, worker in workers.items():
            self.assertEqual(self.finish(worker), f'{language}: done, recovered 0\n')
        self.assertEqual(list(self.tally), [4 * ROUNDS] * 2)
        self.assertEqual(self.tally.sequence, 4 * ROUNDS)

    def test_owner_is_killed(self):
        owner = start(sys.executable, '-B', '-c', OWNER, NAME)
        self.assertEqual(owner.stdout.readline(), 'locked\n')
        workers = self.start_workers(1)
        # By now they wait; if one does not yet, it has less to do.
        time.sleep(1)
        self.assertEqual([worker.poll() for worker in workers.values()], [None] * 4)

        sequence = self.tally.sequence
        owner.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        self.tally.wait(sequence, timeout=60)
        print(f'# {1000 * (time.monotonic() - killed):.0f} ms from SIGKILL to the next owner')
        owner.communicate()

        outputs = {language: self.finish(worker) for language, worker in workers.items()}
        recovered = [language for language, output in outputs.items()
                     if output == f'{language}: done, recovered 1\n']
        print(f'# recovered by {recovered}')
        self.assertEqual(len(recovered), 1, outputs)
        self.assertEqual(list(self.tally), [5, 5])

    def check_watcher(self, language, *command):
        """It shows the update, and makes no system call while there is none."""
        watcher = start(*command, NAME, 1)
        self.addCleanup(watcher.stdout.close)
        self.addCleanup(watcher.kill)
        self.assertEqual(watcher.stdout.readline(), f'{language}: watching\n')
        trace = self.trace(watcher.pid)
        self.assertEqual(self.finish(start(TALLY_C, NAME, 1)), 'C: done, recovered 0\n')
        self.assertEqual(self.finish(watcher), f'{language}: 1 at update 1\n')
        if trace is None:
            return

        # Until the update each thread is in one call.
        _, lines = trace.communicate(timeout=60)
        waiting = [line for line in lines.splitlines() if re.search(r'futex|poll|select', line)]
        for line in waiting[:4]:
            print(f'# {line}')
        self.assertTrue(any('futex_waitv(' in line for line in waiting), lines)
        self.assertFalse([line for line in waiting if 'TIMEDOUT' in line], lines)

    def trace(self, pid):
        if shutil.which('strace') is None or 'LD_PRELOAD' in os.environ:
            return None
        trace = subprocess.Popen(['strace', '-f', '-tt', '-p', str(pid)], stderr=subprocess.PIPE,
                                 encoding='utf-8')
        # It has begun when it says so; then nothing happens for a while.
        self.addCleanup(trace.stderr.close)
        time.sleep(1)
        if trace.poll() is not None:
            print(f'# {trace.stderr.read()}')
            return None
        return trace

    def test_watcher_in_python(self):
        self.check_watcher('Python', sys.executable, '-B', HERE / 'watcher.py')

    def test_watcher_in_javascript(self):
        self.check_watcher('JavaScript', GJS, '-m', HERE / 'watcher.js')


if __name__ == '__main__':
    TALLY_C, TALLY_VALA, GJS = map(os.path.abspath, sys.argv[1:])
    runner = tap.TAPTestRunner()
    runner.set_stream(True)
    unittest.main(argv=sys.argv[:1], testRunner=runner)
