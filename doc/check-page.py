#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the code that a page shows.

Usage: check-page.py PAGE.md [GJS]. Python is in blocks with the prompts of doctest. JavaScript is
one module, in which `EXPRESSION; // → VALUE` is looked at.
"""

import doctest
import glob
import os
import re
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
        else:
            passed = check_python(content, os.path.basename(path))
    finally:
        for left in glob.glob(f'/dev/shm/{prefix}*'):
            os.unlink(left)
sys.exit(not passed)
