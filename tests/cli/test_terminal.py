# SPDX-License-Identifier: MIT

"""The terminal that the other tests rely on, tried with programs that everybody knows."""

import signal

from cli_support import SHND, CliTestCase, main
from terminal_support import CONTROL_C, CONTROL_Z, DEVICE_ATTRIBUTES, SIXEL, Shell, Terminal


def script(text, **keywords):
    return Terminal(command=['bash', '-c', text], **keywords)


class TestTerminal(CliTestCase):
    def test_text(self):
        with script(r"printf 'a\n\e[3;5Hb\e[38;2;255;128;0;48;2;1;2;3mc\e[0m\e[?25l'") as terminal:
            terminal.finish()
            self.assertEqual(terminal.rows[:4], ['a', '', '    bc', ''])
            self.assertEqual(terminal.cell(5, 2)[:3], ('c', 'ff8000', '010203'))
            self.assertFalse(terminal.is_restored)

    def test_alternate_screen(self):
        with script(r"printf 'before\n\e[?1049h\e[Hin'; read; printf '\e[?1049lafter'") as terminal:
            terminal.wait_for('in')
            self.assertEqual(terminal.text, 'in')
            self.assertTrue(terminal.screen.is_alternate)
            terminal.send('\n')
            terminal.finish()
            self.assertEqual(terminal.text, 'before\nafter')
            self.assertTrue(terminal.is_restored)

    def test_pieces(self):
        """A sequence may come in parts, and pictures are no text."""
        with script(r"printf 'a\e['; sleep 0.1; printf '31mb\ePq~~'; sleep 0.1;"
                    r" printf '\e\\c\e_Gf=24;AAAA\e\\d'") as terminal:
            terminal.finish()
            self.assertEqual(terminal.text, 'abcd')
            self.assertEqual(terminal.cell(1, 0).fg, 'red')
            self.assertEqual(terminal.strings, [b'\x1bPq~~\x1b\\', b'\x1b_Gf=24;AAAA\x1b\\'])

    def test_answers(self):
        ask = r"stty raw -echo; printf '\e[c'; read -r -d c; stty sane; printf '<%q>' ${REPLY:1}"
        for answers in (None, SIXEL):
            with script(ask, answers=answers) as terminal:
                terminal.finish()
                self.assertEqual(';4' in terminal.text, answers is SIXEL)
                self.assertTrue(terminal.raw.startswith(DEVICE_ATTRIBUTES))

    def test_signals(self):
        with script('stty raw; stty sane; echo ready; exec sleep 100') as terminal:
            terminal.wait_for('ready').send(CONTROL_C)
            terminal.finish(-signal.SIGINT)

    def test_modes(self):
        with script('stty -echo; echo ready; read; stty echo') as terminal:
            terminal.wait_for('ready')
            self.assertFalse(terminal.is_restored)
            terminal.send('\n')
            terminal.finish()
            self.assertTrue(terminal.is_restored)

    def test_size(self):
        with script("trap 'stty size' WINCH; stty size; while :; do read -t 0.01; done",
                    columns=100, lines=30) as terminal:
            terminal.wait_for('30 100')
            terminal.resize(50, 20)
            terminal.wait_for('20 50')

    def test_failure(self):
        with script('echo something; exit 3') as terminal:
            with self.assertRaisesRegex(AssertionError, 'something'):
                terminal.wait_for('nothing')
            terminal.finish(3)

    def test_job_control(self):
        with Shell() as shell:
            shell.type('sh -c "echo ready; exec cat"')
            shell.wait_for('\nready').send('typed\n')
            shell.wait_for('typed\ntyped')
            shell.send(CONTROL_Z)
            shell.wait_for('Stopped').wait_for_prompt()
            shell.type('fg')
            shell.wait_for('$ fg\nsh')
            shell.send('\x04')
            shell.wait_for_prompt()
            shell.type('exit')
            shell.finish(None)

    def test_program(self):
        with Terminal('list', 'no*') as terminal:
            terminal.finish()
            self.assertTrue(terminal.text.startswith('NAME'))
        with Shell() as shell:
            shell.type('"$SHND" --version')
            shell.wait_for('\nshnd 1.')
        self.assertTrue(SHND)


if __name__ == '__main__':
    main()
