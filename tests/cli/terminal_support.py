# SPDX-License-Identifier: MIT

"""A terminal, and the programs on it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from cli_support import PATIENCE, make_command, make_environment

try:
    import pyte
except ImportError:
    print('1..0 # SKIP needs pyte, a terminal emulator in Python')
    sys.exit()

CONTROL_C, CONTROL_Z, TAB = '\x03', '\x1a', '\t'

# "What are you?"
DEVICE_ATTRIBUTES = b'\x1b[c'

# A terminal without sixels.
PLAIN = {DEVICE_ATTRIBUTES: b'\x1b[?62;22c'}
SIXEL = {DEVICE_ATTRIBUTES: b'\x1b[?62;4;22c'}

# A whole control sequence: CSI, or a string, which DCS, SOS, OSC, PM or APC begins.
SEQUENCE = re.compile(rb'\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_].*?\x1b\\|\x1b\].*?(?:\x1b\\|\x07)',
                      re.DOTALL)
BEGINNING = re.compile(rb'\x1b(?:\[[0-?]*[ -/]*|[PX^_\]].*)?\Z', re.DOTALL)

ALTERNATE_SCREEN = 1049


class Screen(pyte.Screen):
    """pyte's, with an alternate screen.

    ``buffer[y][x]`` is a cell: ``data``, ``fg`` and ``bg`` as 'ff8000' where a program sets 24 bits.
    """

    main = None
    n_alternated = 0
    answer = staticmethod(lambda data: None)

    @property
    def is_alternate(self):
        return self.main is not None

    def set_mode(self, *modes, **keywords):
        super().set_mode(*modes, **keywords)
        if keywords.get('private') and ALTERNATE_SCREEN in modes and self.main is None:
            self.main = {y: dict(line) for y, line in self.buffer.items()}
            self.n_alternated += 1
            self.save_cursor()
            self.erase_in_display(2)

    def reset_mode(self, *modes, **keywords):
        super().reset_mode(*modes, **keywords)
        if keywords.get('private') and ALTERNATE_SCREEN in modes and self.main is not None:
            self.buffer.clear()
            for y, line in self.main.items():
                self.buffer[y].update(line)
            self.main = None
            self.restore_cursor()

    def report_device_attributes(self, *args, **keywords):
        """Left to the terminal's answers."""

    def write_process_input(self, data):
        self.answer(data)


class Terminal:
    """A program on a terminal of its own, of which it is the session leader: Ctrl-C reaches it.

    Without ``command`` that is `shnd ARGS`. ``answers`` has what the terminal replies to which
    sequence; of a string the beginning is enough. {} is a terminal that does not answer.
    """

    def __init__(self, *args, command=None, columns=80, lines=24, env=None, answers=None,
                 **keywords):
        self.columns, self.lines = columns, lines
        self.answers = PLAIN if answers is None else answers
        self.screen = Screen(columns, lines)
        self.screen.answer = self.send
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()  # all that was written
        self.strings = []  # sixels and kitty's pictures, which pyte would take for text
        self.rest = b''
        self.ended = False

        self.fd, theirs = pty.openpty()
        self.set_size()
        self.modes_before = self.get_modes()
        environment = {'TERM': 'xterm-256color', 'COLORTERM': 'truecolor', **(env or {})}
        try:
            self.process = subprocess.Popen(
                command or make_command(args), stdin=keywords.pop('stdin', theirs),
                stdout=keywords.pop('stdout', theirs), stderr=keywords.pop('stderr', theirs),
                env=make_environment(environment), start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0), **keywords)
        finally:
            os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)

    def set_size(self):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack('4H', self.lines, self.columns, 10 * self.columns,
                                20 * self.lines))

    def get_modes(self):
        """How the terminal treats keys, without what only a driver needs."""
        return termios.tcgetattr(self.fd)[:4]

    def resize(self, columns, lines):
        """The kernel tells those in the foreground."""
        self.columns, self.lines = columns, lines
        self.screen.resize(lines, columns)
        self.set_size()

    def send(self, keys):
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            data = data[os.write(self.fd, data):]

    def kill(self, number=signal.SIGTERM):
        os.kill(self.process.pid, number)

    @property
    def rows(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return '\n'.join(self.rows).rstrip('\n')

    def cell(self, x, y):
        return self.screen.buffer[y][x]

    def feed(self, seconds):
        """Takes what was written, waiting so long for the first of it. Whether there was any."""
        if self.ended or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the other end
            data = b''
        if not data:
            self.ended = True
            return False
        self.raw += data
        data = self.rest + data

        # What is not whole waits for the rest.
        start = 0
        for match in SEQUENCE.finditer(data):
            self.stream.feed(data[start:match.start()])
            self.take(match.group())
            start = match.end()
        beginning = BEGINNING.search(data, start)
        self.rest = data[beginning.start():] if beginning else b''
        self.stream.feed(data[start:len(data) - len(self.rest)])
        return True

    def take(self, sequence):
        is_string = sequence[1:2] in b'PX^_]'
        for query, reply in self.answers.items():
            if sequence.startswith(query) if is_string else sequence == query:
                self.send(reply)
                return
        if is_string and sequence[1:2] != b']':
            self.strings.append(sequence)
        else:
            self.stream.feed(sequence)

    def wait_for(self, condition):
        """Until something is on the screen: a text, or what ``condition(terminal)`` is true of."""
        wanted = condition
        if isinstance(condition, str):
            condition = lambda terminal: wanted in terminal.text  # noqa: E731
        end = time.monotonic() + PATIENCE
        while not condition(self):
            if self.ended or time.monotonic() > end:
                raise AssertionError(f'{wanted!r}: {"ended" if self.ended else "hangs"} with'
                                     f'\n{self.text}\n{bytes(self.raw[-2000:])!r}')
            self.feed(1)
        return self

    def finish(self, status=0):
        """Until the program has ended, as expected; below 0 for a signal, None for anything."""
        self.wait_for(lambda terminal: terminal.ended or terminal.has_ended())
        while self.feed(0):
            pass
        found = self.process.wait(PATIENCE)
        if status is not None and found != status:
            raise AssertionError(f'ended with {found} instead of {status}\n{self.text}')
        return found

    def has_ended(self):
        return self.process.poll() is not None

    @property
    def is_restored(self):
        """Whether it is as it was before the program."""
        return (not self.screen.is_alternate and not self.screen.cursor.hidden and
                self.get_modes() == self.modes_before)


class Shell(Terminal):
    """A bash, for what needs one: job control, and keys while a line is written.

    Typed lines find the program as $SHND.
    """

    PROMPT = '$ '

    def __init__(self, *args, env=None, **keywords):
        environment = {'PS1': self.PROMPT, 'PROMPT_COMMAND': None, 'HISTFILE': None,
                       'INPUTRC': '/dev/null', **(env or {})}
        super().__init__(command=['bash', '--norc', '--noprofile', '-i', *args], env=environment,
                         **keywords)
        self.wait_for_prompt()

    def wait_for_prompt(self):
        return self.wait_for(
            lambda terminal: terminal.rows[terminal.screen.cursor.y] == self.PROMPT.rstrip())

    def type(self, line):
        self.send(line + '\n')
