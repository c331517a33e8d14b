#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the code that a page shows.

Usage: check-page.py PAGE.md [GJS]. Python is in blocks with the prompts of doctest. JavaScript is
one module, in which `EXPRESSION; // → VALUE` is looked at. In blocks called "console" are commands
of bash after a `$`, and what they print; there `...` stands for anything, and spaces do not matter.
"""

import doctest
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

CHECK = '''
import System from 'system';
let failures = 0;
function check(line, get, expected) {
    const value = get();
    const text = JSON.stringify(ArrayBuffer.isView(value) ? Array.from(value) : value);
    if (text !== JSON.stringify(JSON.parse(expected))) {
        printerr(`line ${line}: ${text}, expected ${expected}`);
        failures++;
    }
}
'''


def check_javascript(text, gjs):
    lines = ['']
    shown = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith('```'):
            shown = line == '```js'
        elif shown:
            match = re.fullmatch(r'(.*); // → (.*)', line)
            if match:
                expression, value = match.groups()
                line = f'check({number}, () => {expression}, {value!r});'
            lines.append(line)
    assert len(lines) > 1 and any(line.startswith('check(') for line in lines)

    with tempfile.NamedTemporaryFile('w', suffix='.js') as module:
        module.write(CHECK + '\n'.join(lines) + '\nSystem.exit(failures > 0 ? 1 : 0);\n')
        module.flush()
        return subprocess.run([gjs, '-m', module.name]).returncode == 0


def check_console(text):
    blocks = re.findall(r'^```console\n(.*?)^```$', text, re.DOTALL | re.MULTILINE)
    sessions = re.findall(r'^\$ (.*)\n((?:(?!\$ ).*\n)*)', ''.join(blocks), re.MULTILINE)
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    mark = '\x01'
    script = ''.join(f"{command}\nstatus=$?; printf '{mark}'; (exit $status)\n"
                     for command, _ in sessions)
    with tempfile.TemporaryDirectory() as folder:
        # The one that has numpy.
        os.mkdir(f'{folder}/bin')
        os.symlink(sys.executable, f'{folder}/bin/python3')
        path = f'{folder}/bin{os.pathsep}{os.environ["PATH"]}'
        with subprocess.Popen(['bash', '-c', f'exec 2>&1\n{script}'], cwd=folder, text=True,
                              env=os.environ | {'PATH': path}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, start_new_session=True) as shell:
            try:
                printed = shell.communicate(timeout=60)[0].split(mark)[:-1]
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)
                raise
    passed = len(printed) == len(sessions)
    for (command, expected), found in zip(sessions, printed):
        if not checker.check_output(expected, found, flags):
            print(f'$ {command}\n{found}expected:\n{expected}')
            passed = False
    return passed


def check_python(text, name):
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    assert test.examples
    return doctest.DocTestRunner().run(test).failed == 0


path = sys.argv[1]
with open(path, encoding='utf-8') as page:
    content = page.read()

# Two runs at once must not meet at one name.
prefix = f'doc{os.getpid()}-'
content = content.replace('doc-', prefix)
with tempfile.TemporaryDirectory() as runtime_folder:
    os.environ['XDG_RUNTIME_DIR'] = runtime_folder
    try:
        if len(sys.argv) > 2:
            passed = check_javascript(content, sys.argv[2])
        elif '\n```console\n' in content:
            passed = check_console(content)
        else:
            passed = check_python(content, os.path.basename(path))
    finally:
        for left in glob.glob(f'/dev/shm/{prefix}*'):
            os.unlink(left)
sys.exit(not passed)
