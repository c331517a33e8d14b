# SPDX-License-Identifier: MIT

"""What the tests of the command share: running it with pipes, and on a terminal.

The program is $SHND. It finds the arrays and the runtime directory that this process has."""

import atexit
import collections
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'python'))

# First, for it sets XDG_RUNTIME_DIR.
from frames_support import RUNTIME, FramesTestCase, sockets  # noqa: E402, F401
from process_support import wait_until  # noqa: E402, F401
from support import (GLib, PREFIX, SHM, SharedTestCase, Shnd, diagnose, main, np,  # noqa: E402, F401
                     own_names)

SHND = os.environ['SHND']

# Who is not done by then hangs.
PATIENCE = 60

# What a sanitizer ends the program with: none of its own.
SANITIZED = 99

# Of a command.
SUCCESS, FAILURE, USAGE, NOT_FOUND, TIMED_OUT, EXISTS = range(6)

Result = collections.namedtuple('Result', 'status, stdout, stderr, data')

# What names can have in them: for a shell, for a terminal, for one who splits at spaces.
ODD = (' space', 'a\nb', 'tab\t', '\x1b[31m', '\u202eabc', '-x', "'\"$`\\", 'schön', '漢字')

# Who starts the tests in the background may have them ignored, which the program would keep to.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


@functools.cache
def copy_for_all():
    """The program and the library for other users, who may not be let into the build folder."""
    folder = tempfile.mkdtemp(prefix='shnd-test-')
    atexit.register(shutil.rmtree, folder)
    os.chmod(folder, 0o755)
    # As they lie there: that is where the program looks.
    library = os.path.join(os.path.dirname(SHND), '..', 'libshndarray-1.so.0')
    if os.path.exists(library):
        shutil.copy(library, folder)
    os.mkdir(os.path.join(folder, 'cli'))
    os.chmod(os.path.join(folder, 'cli'), 0o755)
    return shutil.copy(SHND, os.path.join(folder, 'cli'))


def make_environment(changes=None):
    """Of the command: None takes a variable away."""
    environment = dict(os.environ)
    # What interpreters need for a sanitized library; the program is sanitized itself.
    for name in ('LD_PRELOAD', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'NO_COLOR', 'COLUMNS', 'LINES',
                 'KITTY_WINDOW_ID', 'TERM_PROGRAM', 'COLORTERM', 'MESON_TEST_ITERATION'):
        environment.pop(name, None)
    environment['ASAN_OPTIONS'] = f'exitcode={SANITIZED}'
    environment['UBSAN_OPTIONS'] = f'halt_on_error=1:print_stacktrace=1:exitcode={SANITIZED}'
    environment['G_DEBUG'] = 'fatal-warnings'
    environment['LC_ALL'] = 'C.UTF-8'
    for name, value in (changes or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def decode(data):
    """Names can be bytes that are no text, in Python as the file system has them."""
    return data.decode('utf-8', 'surrogateescape')


def make_command(args, user=None):
    program = SHND if user is None else copy_for_all()
    return [program, *(arg if isinstance(arg, bytes) else str(arg) for arg in args)]


def run(*args, input=b'', env=None, status=SUCCESS, **keywords):
    """Runs `shnd ARGS` to its end; ``status`` is how it is expected to end, or None for any.

    ``input`` is what it reads: bytes or text. Others are those of subprocess.run().
    """
    if isinstance(input, str):
        input = input.encode()
    if 'stdin' not in keywords:
        keywords['input'] = input
    keywords.setdefault('stdout', subprocess.PIPE)
    keywords.setdefault('stderr', subprocess.PIPE)
    done = subprocess.run(make_command(args, keywords.get('user')), env=make_environment(env),
                          timeout=PATIENCE, check=False, **keywords)
    result = Result(done.returncode, decode(done.stdout or b''), decode(done.stderr or b''),
                    done.stdout)
    if status is not None and result.status != status:
        raise AssertionError(f'shnd {args}: {result.status} instead of {status}\n'
                             f'{result.stdout[-2000:]}{result.stderr[-8000:]}')
    return result


def has_mapped(process, name):
    """Whether it has opened the array of that name."""
    with open(f'/proc/{process.pid}/maps', encoding='utf-8') as maps:
        return f'{SHM}/{name}' in maps.read()


@contextlib.contextmanager
def repeat(function, pause):
    """Calls it again and again in another thread, with so many seconds between."""
    over = threading.Event()

    def run():
        while not over.wait(pause):
            function()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class CliTestCase(FramesTestCase):
    """Has a directory that goes with the test, and leaves no name behind."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, array):
        """A persistent array with the elements of another, until the test ends: its whole name."""
        name = self.own(name)
        Shnd.Array.new_from_array(name, np.asarray(array), Shnd.CreateFlags.PERSISTENT)
        return name

    def own(self, name):
        """A name for the command to make: it is removed when the test ends, if it is there."""
        name = PREFIX + name

        def remove():
            try:
                os.unlink(os.path.join(SHM, name))
            except FileNotFoundError:
                pass

        self.addCleanup(remove)
        return name

    def orphan(self, name):
        """Makes an array whose only holder is then killed. Somebody else may give it back at once."""
        name = self.own(name)
        process = self.start('create', name, 'u1', '3', '--hold')
        wait_until(lambda: name in own_names())
        process.kill()
        process.wait()
        return name

    def start(self, *args, env=None, prefix=(), **keywords):
        """Starts `shnd ARGS`, with pipes; it is killed when the test ends if it is still there.

        ``prefix`` is a command that becomes it.
        """
        for stream in ('stdin', 'stdout', 'stderr'):
            keywords.setdefault(stream, subprocess.PIPE)
        process = subprocess.Popen([*prefix, *make_command(args, keywords.get('user'))],
                                   env=make_environment(env), **keywords)

        def stop():
            process.kill()
            process.communicate()

        self.addCleanup(stop)
        return process

    def finish(self, process, status=SUCCESS):
        """Waits for what start() has started."""
        stdout, stderr = process.communicate(timeout=PATIENCE)
        result = Result(process.returncode, decode(stdout or b''), decode(stderr or b''), stdout)
        if status is not None:
            self.assertEqual(result.status, status, result.stdout + result.stderr)
        return result

    def interrupt(self, process, number=signal.SIGINT):
        """Ends what start() has started by a signal, of which it is to die without a word."""
        process.send_signal(number)
        result = self.finish(process, -number)
        self.assertEqual(result.stderr, '')
        return result

    def assert_all_same(self, found, expected):
        """That arrays are the same, one by one."""
        self.assertEqual(len(found), len(expected))
        for one, other in zip(found, expected):
            self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape))
            self.assertEqual(one.tobytes(), other.tobytes())

    def assert_error(self, result, status, *words):
        """One line that tells what was wrong, and no result."""
        self.assertEqual(result.status, status, result.stderr)
        self.assertEqual(result.stdout, '')
        self.assertRegex(result.stderr, r'\Ashnd: [^\n]+\n\Z')
        for word in words:
            self.assertIn(word, result.stderr)

    def run_error(self, status, words, *args, **keywords):
        """Runs `shnd ARGS`, which is to fail: ``words`` is a text or several in its message."""
        words = (words,) if isinstance(words, str) else words
        self.assert_error(run(*args, status=None, **keywords), status, *words)
