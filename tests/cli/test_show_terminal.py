# SPDX-License-Identifier: MIT

"""`shnd show` on terminals that can do more or less."""

import re
import signal

from cli_support import NOT_FOUND, USAGE, CliTestCase, Shnd, main, np
from picture_support import decode_kitty, decode_screen
from terminal_support import CONTROL_C, DEVICE_ATTRIBUTES, PLAIN, SIXEL, Shell
from terminal_support import Terminal as AnyTerminal

ASK_KITTY = b'\x1b_Gi=31'
ASK_CELL = b'\x1b[16t'

# Characters of 8 by 17 pixels.
CELL = {ASK_CELL: b'\x1b[6;17;8t'}
KITTY = {**PLAIN, ASK_KITTY: b'\x1b_Gi=31;OK\x1b\\'}
REFUSED = {**PLAIN, ASK_KITTY: b'\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\'}

# How long a terminal has for its answers: those that do answer, and those that do not.
PATIENT = {'SHND_TERMINAL_TIMEOUT': '50'}
IMPATIENT = {'SHND_TERMINAL_TIMEOUT': '0.2'}

# How large a sixel picture says that it is.
RASTER = re.compile(rb'\x1bP[0-9;]*q"1;1;(\d+);(\d+)')

NUMBERS = np.random.default_rng(5)


class Terminal(AnyTerminal):
    def __init__(self, *args, env=None, **keywords):
        super().__init__(*args, env={**PATIENT, **(env or {})}, **keywords)


def get_pictures(terminal):
    """Sixels, or parts of pictures for kitty."""
    return [string for string in terminal.strings if not string.startswith(ASK_KITTY)]


class ShowTestCase(CliTestCase):
    def setUp(self):
        super().setUp()
        self.array = NUMBERS.integers(0, 256, (300, 400, 3), np.uint8)
        self.name = self.make('show', self.array)

    def show(self, *args, status=0, **keywords):
        """A terminal, after the picture."""
        with Terminal('show', self.name, *args, **keywords) as terminal:
            terminal.finish(status)
            self.assertTrue(terminal.is_restored)
        return terminal

    def assert_blocks(self, terminal, n_columns=29, n_rows=22):
        pixels = decode_screen(terminal.screen, n_columns, n_rows)
        self.assertTrue((pixels >= 0).all())
        self.assertNotIn('▄', terminal.rows[n_rows])
        self.assertEqual(get_pictures(terminal), [])

    def asked(self, terminal):
        """Whether it was asked for what it is, and for kitty's pictures."""
        return DEVICE_ATTRIBUTES in terminal.raw, ASK_KITTY in terminal.raw


class TestBlocks(ShowTestCase):
    def test_size(self):
        """A row is left for the scale, and one for what comes next."""
        for columns, lines in ((80, 24), (30, 50), (200, 12)):
            rows = min(lines - 2, round(columns * 300 / 400 / 2 + 0.4))
            terminal = self.show(columns=columns, lines=lines)
            self.assertIn('▄', terminal.rows[rows - 1])
            self.assertEqual(''.join(terminal.rows[rows:]), '')
            self.assertEqual(terminal.screen.cursor.y, rows)

    def test_pixels(self):
        array = NUMBERS.integers(0, 256, (44, 80), np.uint8)
        with Terminal('show', self.make('pixels', array)) as terminal:
            terminal.finish()
        found = decode_screen(terminal.screen, 80, 22)
        self.assertEqual(found.tolist(), np.repeat(array[..., None], 3, -1).tolist())

    def test_scale(self):
        with Terminal('show', self.make('scale', np.linspace(0, 5, 10000).reshape(100, 100)),
                      columns=60, lines=24) as terminal:
            terminal.finish()
        text = terminal.rows[22]
        self.assertRegex(text, r'\A0 + 5\Z')
        self.assertEqual(len(text), 44)
        self.assertEqual(terminal.cell(2, 22).bg, '340a5c')
        self.assertEqual(terminal.cell(41, 22).bg, 'fae83c')
        self.assertEqual(terminal.cell(43, 22).bg, 'default')

    def test_tiny_terminal(self):
        for columns, lines in ((1, 1), (2, 2), (1, 50)):
            self.show(columns=columns, lines=lines)

    def test_plot(self):
        with Terminal('show', self.make('plot', np.arange(1000)), columns=50) as terminal:
            terminal.finish()
        self.assertEqual(len(terminal.rows[0]), 50)
        self.assertEqual(max(map(len, terminal.rows)), 50)
        self.assertEqual(self.asked(terminal), (False, False))


class TestFormats(ShowTestCase):
    def test_plain(self):
        """A terminal that knows neither, and says so."""
        for answers in (PLAIN, REFUSED):
            terminal = self.show(answers=answers)
            self.assert_blocks(terminal)
            self.assertEqual(self.asked(terminal), (True, True))

    def test_sixel(self):
        terminal = self.show(answers={**SIXEL, **CELL})
        string, = get_pictures(terminal)
        width, height = map(int, RASTER.match(string).groups())
        self.assertEqual(width, 400)
        self.assertGreaterEqual(height, 300)
        self.assertLessEqual(height, 18 * 17)
        self.assertNotIn('▄', terminal.text)

    def test_level_is_no_attribute(self):
        """The first number says which terminal it is like."""
        self.assert_blocks(self.show(answers={DEVICE_ATTRIBUTES: b'\x1b[?4;6;22c'}))
        self.assert_blocks(self.show(answers={DEVICE_ATTRIBUTES: b'\x1b[?64;14;44;22c'}))
        terminal = self.show(answers={DEVICE_ATTRIBUTES: b'\x1b[?64;4c'})
        self.assertEqual(len(get_pictures(terminal)), 1)

    def test_kitty(self):
        """As large as it is, if there is room."""
        array = NUMBERS.integers(0, 256, (300, 401, 3), np.uint8)
        with Terminal('show', self.make('kitty', array), answers={**KITTY, **CELL}) as terminal:
            terminal.finish()
            self.assertTrue(terminal.is_restored)
        pixels, cells = decode_kitty(get_pictures(terminal))
        self.assertEqual(cells, (51, 18))
        self.assertEqual(pixels.shape, (18 * 17, 51 * 8, 4))
        self.assertEqual(pixels[:300, :401, :3].tolist(), array.tolist())
        # Some releases of chafa lose bits of the last byte of each part.
        self.assertGreaterEqual(pixels[:300, :401, 3].min(), 240)
        self.assertEqual(pixels[300:, :, 3].sum() + pixels[:, 401:, 3].sum(), 0)

    def test_cell_of_the_kernel(self):
        """The size of characters, if the terminal does not answer that: 10 by 20."""
        array = np.zeros((100, 100), np.uint8)
        with Terminal('show', self.make('cell', array), answers=KITTY) as terminal:
            terminal.finish()
        self.assertEqual(decode_kitty(get_pictures(terminal))[1], (40, 20))

    def test_asked_for(self):
        """Who says which format it is to be needs no answers."""
        terminal = self.show('--format', 'sixel', answers={})
        self.assertTrue(get_pictures(terminal)[0].startswith(b'\x1bP'))
        self.assertEqual(self.asked(terminal), (False, False))
        terminal = self.show('--format', 'kitty', answers=SIXEL)
        self.assertTrue(get_pictures(terminal)[0].startswith(b'\x1b_G'))
        terminal = self.show('--format', 'blocks', answers=KITTY)
        self.assert_blocks(terminal)
        terminal = self.show('--format', 'auto', answers=KITTY)
        self.assertTrue(get_pictures(terminal)[0].startswith(b'\x1b_G'))

    def test_environment(self):
        """What is known is not asked, and nothing is where the question would be shown."""
        for env, answers, kind, asked in (
                ({'TERM': 'dumb'}, KITTY, None, (False, False)),
                ({'TERM': 'linux'}, KITTY, '▄', (False, False)),
                ({'TERM': 'screen.xterm-256color'}, SIXEL, b'\x1bP', (True, False)),
                ({'TERM': 'tmux-256color', 'KITTY_WINDOW_ID': '1'}, PLAIN, '▄', (True, False)),
                ({'KITTY_WINDOW_ID': '1'}, PLAIN, b'\x1b_G', (True, True)),
                ({'TERM': 'xterm-kitty'}, PLAIN, b'\x1b_G', (True, True))):
            terminal = self.show(env=env, answers=answers)
            self.assertEqual(self.asked(terminal), asked, env)
            if isinstance(kind, bytes):
                self.assertTrue(get_pictures(terminal)[0].startswith(kind), env)
            else:
                self.assertEqual(get_pictures(terminal), [])
                self.assertEqual('▄' in terminal.text, kind is not None, env)
        self.assertIn('\x1b[38;2;', self.show(env={'NO_COLOR': '1'}).raw.decode())


class TestQuestions(ShowTestCase):
    def test_no_answer(self):
        """After a while a terminal that does not answer gets blocks, and its settings back."""
        terminal = self.show(answers={}, env=IMPATIENT)
        self.assertEqual(self.asked(terminal), (True, True))
        self.assert_blocks(terminal)

    def check_shell(self, answers, *garbage):
        """What is not understood is not left to the shell."""
        with Shell(answers=answers, lines=30, env={'SHND_TERMINAL_TIMEOUT': '3'}) as shell:
            shell.type(f'"$SHND" show {self.name}; echo d""one')
            shell.wait_for('done').wait_for_prompt()
            self.assertIn('▄', shell.text)
            self.assertEqual(get_pictures(shell), [])
            shell.type('echo "<>"')
            shell.wait_for('\n<>').wait_for_prompt()
            for text in garbage:
                self.assertNotIn(text, shell.text)
            shell.type('exit')
            shell.finish(None)

    def test_time_limit(self):
        """One that makes no sense is as if it was not there."""
        for text in ('', 'long', '-1', 'nan'):
            self.assert_blocks(self.show(answers={}, env={'SHND_TERMINAL_TIMEOUT': text}))

    def test_half_an_answer(self):
        """What comes without its end is not believed."""
        self.check_shell({ASK_KITTY: b'\x1b_Gi=31;OK\x1b\\', DEVICE_ATTRIBUTES: b'\x1b[?62;4'},
                         '62', 'OK')

    def test_too_much(self):
        """Nobody makes it wait, or read, for ever."""
        self.check_shell({DEVICE_ATTRIBUTES: b'\x1b[?' + b'4;' * 1500}, '4;')

    def test_answers_in_pieces(self):
        """Among keys, and with the last one late."""
        with Terminal('show', self.name, answers={}) as terminal:
            terminal.wait_for(lambda terminal: DEVICE_ATTRIBUTES in terminal.raw)
            terminal.send('a\0b\x1b[A\x1b[?62;22')
            terminal.send(';4c')
            terminal.finish()
            self.assertTrue(terminal.is_restored)
        self.assertTrue(get_pictures(terminal)[0].startswith(b'\x1bP'))

    def test_background(self):
        """There it is not stopped for asking, and takes nothing that is typed."""
        with Shell(answers=KITTY, lines=30, env=PATIENT) as shell:
            shell.type(f'"$SHND" show {self.name} & wait $!; echo st""atus $?')
            shell.wait_for('status 0')
            self.assertEqual(self.asked(shell), (False, False))
            self.assertIn('▄', shell.text)
            shell.type('exit')
            shell.finish(None)

    def test_interrupted(self):
        with Terminal('show', self.name, '--follow', answers={}) as terminal:
            terminal.wait_for(lambda terminal: DEVICE_ATTRIBUTES in terminal.raw)
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)
            self.assertTrue(terminal.is_restored)

    def test_other_streams(self):
        """It is the standard output that is asked."""
        path = self.path('array.npy')
        np.save(path, self.array)
        with open(path, 'rb') as file, Terminal('show', '-', stdin=file,
                                                answers=KITTY) as terminal:
            terminal.finish()
        self.assertTrue(get_pictures(terminal)[0].startswith(b'\x1b_G'))

        with open(self.path('out'), 'wb+') as file, Terminal('show', self.name, stdout=file,
                                                            answers=KITTY) as terminal:
            terminal.finish()
            file.seek(0)
            self.assertIn('▄', file.read().decode())
        self.assertEqual(terminal.raw, b'')

    def test_terminal_as_file(self):
        terminal = self.show('--png', '-', status=USAGE)
        self.assertIn('expected a file or a pipe', terminal.text.replace('\n', ''))
        with Terminal('show', '-') as terminal:
            terminal.finish(USAGE)
        self.assertIn('expected a file or a pipe', terminal.text.replace('\n', ''))

    def test_nothing(self):
        """Who has nothing to show asks nothing."""
        with Terminal('show', self.own('nothing'), answers=KITTY) as terminal:
            terminal.finish(NOT_FOUND)
        self.assertEqual(self.asked(terminal), (False, False))


class TestFollow(CliTestCase):
    def setUp(self):
        super().setUp()
        self.name = self.make('follow', np.zeros((40, 40), np.uint8))
        self.array = Shnd.Array.open(self.name)

    def change(self, value):
        self.array.get()[:] = value
        self.array.update()

    def shows(self, value, n_columns=40, n_rows=20):
        """Whether a terminal is full of one grey."""
        color = f'{value:02x}' * 3

        def is_shown(terminal):
            cells = [terminal.cell(x, y) for x in range(n_columns) for y in range(n_rows)]
            return all((cell.data, cell.fg, cell.bg) == ('▄', color, color) for cell in cells)

        return is_shown

    def test_changes(self):
        with Terminal('show', self.name, '--follow') as terminal:
            terminal.wait_for(self.shows(0))
            self.assertTrue(terminal.screen.is_alternate)
            for value in (100, 200):
                self.change(value)
                terminal.wait_for(self.shows(value))
            terminal.send('q')
            terminal.finish()
            self.assertTrue(terminal.is_restored)
            self.assertEqual(terminal.text, '')

    def test_many_changes(self):
        """The last one is shown, whatever comes before."""
        with Terminal('show', self.name, '--follow') as terminal:
            terminal.wait_for(self.shows(0))
            for value in range(256):
                self.change(value)
            terminal.wait_for(self.shows(255))
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)
            self.assertTrue(terminal.is_restored)

    def test_size(self):
        with Terminal('show', self.name, '--follow') as terminal:
            terminal.wait_for(self.shows(0))
            terminal.resize(20, 24)
            # Both at once: it may be read while it is drawn.
            terminal.wait_for(lambda terminal: '▄' not in ''.join(terminal.rows[10:]) and
                              self.shows(0, 20, 10)(terminal))
            self.assertTrue(terminal.screen.is_alternate)
            terminal.send('q')
            terminal.finish()

    def test_kitty(self):
        """A picture goes when the next one comes."""
        with Terminal('show', self.name, '--follow', answers=KITTY) as terminal:
            terminal.wait_for(lambda terminal: len(get_pictures(terminal)) > 1)
            self.change(100)
            terminal.wait_for(lambda terminal: len(get_pictures(terminal)) > 3)
            self.assertIn(b'a=d', get_pictures(terminal)[0])
            terminal.send('q')
            terminal.finish()

    def test_numbers(self):
        name = self.make('numbers', np.arange(8))
        array = Shnd.Array.open(name)
        with Terminal('show', name, '--follow') as terminal:
            terminal.wait_for('▁▂▃▄▅▆▇█')
            array.get()[:] = range(8)[::-1]
            array.update()
            terminal.wait_for('█▇▆▅▄▃▂▁')
            terminal.send('q')
            terminal.finish()

        with Terminal('show', name, '--follow', '--slice', '0') as terminal:
            terminal.wait_for(lambda terminal: terminal.rows[0] == '7')
            array.get()[0] = -12
            array.update()
            terminal.wait_for(lambda terminal: terminal.rows[0] == '-12')
            terminal.send(CONTROL_C)
            terminal.finish(-signal.SIGINT)


if __name__ == '__main__':
    main()
