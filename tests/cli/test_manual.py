# SPDX-License-Identifier: MIT

"""The manual page: it tells of all commands, operands and options that there are, and of no others.

Wants its source, and the page that was made of it."""

import os
import re
import shutil
import subprocess
import sys
import unittest

from cli_support import CliTestCase, main, make_environment, run

try:
    import docutils.core
    from docutils import nodes
except ImportError:
    print('1..0 # SKIP needs docutils')
    sys.exit()

SOURCE, PAGE = map(os.path.realpath, sys.argv[1:3])
del sys.argv[1:3]

COMMON = 'Options of several commands'


def get_title(section):
    return section[0].astext()


def get_commands():
    """Of the help: (name, summary)."""
    return re.findall(r'^  ([a-z]+) +(\S.*)$', run('--help').stdout, re.MULTILINE)


def parse_help(command):
    """Its usage, and its options as pairs of short and long, with the name of the value."""
    text = run(command, '--help').stdout
    options = re.findall(r'^  (?:(-.), )?(--[a-z-]+(?:=[A-Z,]+)?)(?= |$)', text, re.MULTILINE)
    return text.splitlines()[1].strip(), {option for option in options if option[1] != '--help'}


def get_options(section):
    options = set()
    for group in section.findall(nodes.option_group):
        strings = [option.astext() for option in group]
        short = strings[0] if len(strings) > 1 else ''
        options.add((short, re.sub('[<>]', '', strings[-1])))
    return options


class Manual(CliTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(SOURCE, encoding='utf-8') as file:
            document = docutils.core.publish_doctree(
                file.read(), settings_overrides={'report_level': 2, 'halt_level': 2})
        cls.sections = {get_title(section).lower(): section for section in document.children
                        if isinstance(section, nodes.section)}
        cls.commands = {get_title(section): section
                        for section in cls.sections['commands'].children
                        if isinstance(section, nodes.section)}

    def get_options(self, command):
        options = get_options(self.commands[command])
        for section in self.sections[COMMON.lower()].children:
            if isinstance(section, nodes.section):
                of = [strong.astext() for strong in section[1].findall(nodes.strong)]
                self.assertTrue(of)
                if command in of:
                    options |= get_options(section)
        return options

    def test_commands(self):
        names = [name for name, _ in get_commands()]
        self.assertEqual(list(self.commands), [*names, 'help'])

    def test_usage(self):
        for name, _ in get_commands():
            with self.subTest(name):
                usage, _ = parse_help(name)
                block = next(self.commands[name].findall(nodes.line_block))
                self.assertEqual(block.astext().replace('...', '…'), usage)

    def test_options(self):
        for name, _ in get_commands():
            with self.subTest(name):
                _, options = parse_help(name)
                self.assertEqual(self.get_options(name), options)

    def test_names_of_several(self):
        """Commands that a common section names are there."""
        for section in self.sections[COMMON.lower()].findall(nodes.section):
            for strong in section[1].findall(nodes.strong):
                self.assertIn(strong.astext(), [*self.commands, *self.sections])

    def test_exit_status(self):
        found = [term.astext() for term in self.sections['exit status'].findall(nodes.term)]
        self.assertEqual(found, [str(i) for i in range(6)])

    @unittest.skipUnless(shutil.which('man'), 'needs man')
    def test_renders(self):
        done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', PAGE],
                              env=make_environment({'MANWIDTH': '80', 'MANROFFSEQ': ''}),
                              capture_output=True, check=True, text=True)
        self.assertEqual(done.stderr, '')
        text = re.sub('.\b', '', done.stdout)
        for words in ('SHND(1)', 'shnd lock [OPTION...] NAME -- COMMAND [ARGUMENT...]',
                      '-s, --sort=KEY', 'ssh host shnd save cam0 - | shnd load - cam0'):
            self.assertIn(words, text)

    @unittest.skipUnless(shutil.which('lexgrog'), 'needs lexgrog')
    def test_whatis(self):
        found = subprocess.check_output(['lexgrog', PAGE], text=True)
        self.assertRegex(found, r'"shnd - show, [^"]+"\n\Z')


if __name__ == '__main__':
    main()
