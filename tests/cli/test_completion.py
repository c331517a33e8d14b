# SPDX-License-Identifier: MIT

"""The completion for bash, in a bash, with the key Tab. Wants the file that defines it."""

import os
import sys

from cli_support import PREFIX, SHND, CliTestCase, Shnd, main, run
from terminal_support import TAB, Shell

BASH_COMPLETION = '/usr/share/bash-completion/bash_completion'
SCRIPT = os.path.realpath(sys.argv.pop(1))

TO_BEGINNING = '\x01'
KILL_TO_BEGINNING = '\x15'

# Tells with which words it was called, so that quoting is seen to be right.
SHOW = """show () { printf '%s\\0' "${@:2}" >shown; say "$1"; }"""
SAY = """say () { printf '<%s>\\n' "$1"; }"""
SETTINGS = """bind 'set bell-style none' 'set completion-query-items 0' 'set page-completions off' \
'set show-all-if-ambiguous on'"""


class Completion(CliTestCase):
    def setUp(self):
        super().setUp()
        self.n_said = 0
        self.shell = Shell(columns=160, lines=50, cwd=self.folder, env={
            'PATH': os.path.dirname(SHND) + os.pathsep + os.environ['PATH']})
        self.addCleanup(self.shell.__exit__)
        for line in (f'. {BASH_COMPLETION}', f'. {SCRIPT}', SHOW, SAY, SETTINGS):
            self.shell.type(line)
        self.wait_for_word('say')

    def forget_line(self):
        """With a key: after a signal, a busy bash may not show its prompt before the next one."""
        self.shell.send(KILL_TO_BEGINNING)
        self.shell.wait_for_prompt()

    def wait_for_word(self, before, line=''):
        """Lets the shell say what it has not said so far."""
        self.n_said += 1
        self.shell.send(f'{before} {self.n_said} {line}\n')
        self.shell.wait_for(f'<{self.n_said}>').wait_for_prompt()

    def complete(self, line):
        """The words of the line that Tab makes of this one."""
        self.shell.send(line + TAB + TO_BEGINNING)
        self.wait_for_word('show')
        with open(self.path('shown'), encoding='utf-8') as file:
            return file.read().split('\0')[:-1]

    def choices(self, line):
        """What Tab shows below the line."""
        self.wait_for_word('clear; say')
        self.shell.send(line + TAB)

        # It comes again below them.
        def is_below(shell):
            y = shell.screen.cursor.y
            return y > 2 and shell.rows[y].startswith(shell.rows[1])

        self.shell.wait_for(is_below)
        found = ' '.join(self.shell.rows[2:self.shell.screen.cursor.y]).split()
        self.forget_line()
        return found

    def test_commands(self):
        self.assertEqual(self.complete('shnd crea'), ['shnd', 'create'])
        commands = [line.split()[0] for line in run('--help').stdout.splitlines()
                    if line.startswith('  ')]
        self.assertEqual(sorted(self.choices('shnd ')), sorted(['help', *commands]))
        self.assertEqual(self.complete('shnd --ver'), ['shnd', '--version'])
        self.assertEqual(self.complete('shnd help crea'), ['shnd', 'help', 'create'])

    def test_options(self):
        self.assertEqual(self.complete('shnd list --orph'), ['shnd', 'list', '--orphans'])
        # The value follows without a space.
        self.assertEqual(self.complete('shnd list --so'), ['shnd', 'list', '--sort='])
        self.assertEqual(self.complete('shnd list --sort=sta'), ['shnd', 'list', '--sort=state'])
        self.assertEqual(self.complete('shnd list --sort sta'), ['shnd', 'list', '--sort', 'state'])
        self.assertEqual(self.complete('shnd list -s sta'), ['shnd', 'list', '-s', 'state'])
        self.assertEqual(self.complete('shnd list -rs sta'), ['shnd', 'list', '-rs', 'state'])
        self.assertEqual(self.complete('shnd show -c h'), ['shnd', 'show', '-c', 'heat'])
        self.assertEqual(self.complete('shnd show --format=si'), ['shnd', 'show', '--format=sixel'])
        self.assertEqual(
            sorted(self.choices('shnd create --')),
            sorted({word.split('=')[0] + '=' * ('=' in word)
                    for word in run('create', '--help').stdout.split() if word.startswith('--')}))

    def test_names(self):
        self.make('abc', [1])
        self.make('abd', [1])
        self.make('xyz', [1])
        for command in ('list', 'watch', 'info', 'rm', 'show', 'wait', 'save', 'copy', 'lock'):
            with self.subTest(command):
                self.assertEqual(self.complete(f'shnd {command} {PREFIX}x'),
                                 ['shnd', command, PREFIX + 'xyz'])
        self.assertEqual(self.choices(f'shnd list {PREFIX}a'), [PREFIX + 'abc', PREFIX + 'abd'])
        self.assertEqual(self.complete(f'shnd list {PREFIX}a'), ['shnd', 'list', PREFIX + 'ab'])
        self.assertEqual(self.complete(f'shnd list none {PREFIX}x'),
                         ['shnd', 'list', 'none', PREFIX + 'xyz'])
        # A name that is to be new.
        self.assertEqual(self.complete(f'shnd copy {PREFIX}xyz {PREFIX}x')[-1], PREFIX + 'x')
        self.assertEqual(self.complete(f'shnd create {PREFIX}x')[-1], PREFIX + 'x')

    def test_odd_names(self):
        for i, rest in enumerate((
                'a b', 'c\nd', "e'f", 'g"h', 'i$HOME', 'j`k`', r'l\m', 'n:o', 'p=q', 'r@s', 't*u',
                'v#w', '~x', 'schön', '漢字', 'y;z&(', '!1', '{2,3}')):
            name = self.make(f'{i:02}{rest}', [1])
            for quote in ('', "'", '"'):
                if quote == '"' and '!' in rest:
                    continue  # bash's history does not let that be quoted so
                with self.subTest(repr(rest + quote)):
                    self.assertEqual(self.complete(f'shnd rm {quote}{PREFIX}{i:02}'),
                                     ['shnd', 'rm', name])

    def test_within_odd_names(self):
        """More of the name, quoted already."""
        for rest, typed in (('a b:c=dd', r'a\ b:c=d'), ('e f', r'e\ '), ('g:h', 'g:'),
                            ('i=j', 'i='), ("k'l", r"k\'"), ('m@n', 'm@'), ("o p", "o\\ ")):
            with self.subTest(repr(rest)):
                name = self.make(rest, [1])
                self.assertEqual(self.complete(f'shnd rm {PREFIX}{typed}'), ['shnd', 'rm', name])
                self.assertEqual(self.complete(f"shnd rm '{PREFIX}{rest[:1]}"),
                                 ['shnd', 'rm', name])

    def test_nothing_is_run(self):
        for word in ('"$(touch it)', '$(touch it)', '`touch it`', "'$(touch it)", '"`touch it`'):
            with self.subTest(word):
                self.shell.send(f'shnd rm {word}{TAB}{TO_BEGINNING}# \n')
                self.wait_for_word('say')
                self.assertNotIn('it', os.listdir(self.folder))

    def test_addresses(self):
        with Shnd.Publisher.new('cam one'), Shnd.Publisher.new('lidar'):
            self.assertEqual(self.complete('shnd subscribe cam'), ['shnd', 'subscribe', 'cam one'])
            self.assertEqual(self.complete('shnd top lidar ca'),
                             ['shnd', 'top', 'lidar', 'cam one'])
            self.assertEqual(self.complete('shnd subscribe --count 3 li'),
                             ['shnd', 'subscribe', '--count', '3', 'lidar'])

    def test_files(self):
        for name in ('one.npy', 'one.txt', 'photo of it.png'):
            with open(self.path(name), 'w', encoding='ascii'):
                pass
        os.mkdir(self.path('folder'))
        self.assertEqual(self.complete('shnd load on'), ['shnd', 'load', 'one.npy'])
        self.assertEqual(self.complete('shnd info on'), ['shnd', 'info', 'one.npy'])
        self.assertEqual(self.complete('shnd info ./on'), ['shnd', 'info', './one.npy'])
        self.assertEqual(self.complete('shnd publish cam ph'),
                         ['shnd', 'publish', 'cam', 'photo of it.png'])
        self.assertEqual(self.complete('shnd save name fol'), ['shnd', 'save', 'name', 'folder/'])

    def test_dtypes(self):
        self.assertEqual(self.complete('shnd create name uint1'),
                         ['shnd', 'create', 'name', 'uint16'])

    def test_after_mark(self):
        name = '-' + PREFIX + 'dash'
        self.addCleanup(Shnd.unlink, name)
        run('create', '--', name, 'u1', '1')
        self.assertEqual(self.complete(f'shnd rm -- -{PREFIX}'), ['shnd', 'rm', '--', name])
        self.assertEqual(self.complete(f'shnd rm -{PREFIX}')[-1], '-' + PREFIX)

    def test_command_of_lock(self):
        os.mkdir(self.path('folder'))
        with open(self.path('folder/file'), 'w', encoding='ascii'):
            pass
        self.assertEqual(self.complete('shnd lock a -- shnd crea'),
                         ['shnd', 'lock', 'a', '--', 'shnd', 'create'])
        self.assertEqual(self.complete('shnd lock a:b=c -- shnd list --orph'),
                         ['shnd', 'lock', 'a:b=c', '--', 'shnd', 'list', '--orphans'])
        self.assertEqual(self.complete('shnd lock a -- touch folder/f'),
                         ['shnd', 'lock', 'a', '--', 'touch', 'folder/file'])


if not os.path.exists(BASH_COMPLETION):
    print('1..0 # SKIP needs bash-completion')
elif __name__ == '__main__':
    main()
