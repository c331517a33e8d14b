# SPDX-License-Identifier: MIT

"""The type stubs: mypy accepts what is right and refuses what is wrong, and they name what there is.

Wants the `mypy` to run, and a folder for what it remembers.
"""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tempfile
import unittest

MYPY, CACHE = sys.argv[1:3]
del sys.argv[1:3]

from support import Shnd, main  # noqa: E402
from gi.repository import GObject  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, '..', '..', 'introspection', 'python')
MODULES = ('shndarray', 'shndarray.shared_ndarray', 'shndarray.sharedarray',
           'shndarray.shared_ndarray1', 'shndarray._lock', 'shndarray._manager')


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def get_stub(module):
    """What a stub declares: names, and for classes the names in them."""
    if module == 'Shnd':
        text = read(PYTHON, 'gi-stubs', 'repository', 'Shnd.pyi')
    else:
        path = os.path.join(PYTHON, *module.split('.'))
        text = read(path, '__init__.pyi') if os.path.isdir(path) else read(path + '.pyi')
    return get_names(ast.parse(text).body)


def get_names(body):
    names = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = get_names(node.body)
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = None
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = None
        elif isinstance(node, ast.Assign):
            names[node.targets[0].id] = None
    return names


def get_functions(module):
    """Its functions, and those of its classes: (name, stub, what is there)."""
    path = ('gi-stubs/repository/Shnd' if module is Shnd else module.__name__.replace('.', '/'))
    if os.path.isdir(os.path.join(PYTHON, path)):
        path += '/__init__'
    for node in ast.parse(read(PYTHON, path + '.pyi')).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node, getattr(module, node.name)
        elif isinstance(node, ast.ClassDef) and is_public(node.name):
            cls = getattr(module, node.name)
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith('__'):
                    yield f'{node.name}.{inner.name}', inner, getattr(cls, inner.name)


def is_public(name):
    return not name.startswith('_')


class Names(unittest.TestCase):
    def compare(self, stub, there, what):
        self.assertEqual({name for name in stub if is_public(name)},
                         {name for name in there if is_public(name)}, what)

    def test_library(self):
        stub = get_stub('Shnd')
        # What only C programs use.
        self.compare(stub, {name for name in dir(Shnd) if not name.endswith('Class')}, 'Shnd')
        enumerations = {'value_name', 'value_nick', 'value_names', 'value_nicks',
                        'first_value_name', 'first_value_nick'}
        for name, names in stub.items():
            if names is None or not is_public(name):
                continue
            cls = getattr(Shnd, name)
            base = next(base for base in (int, GObject.Object, object) if issubclass(cls, base))
            there = set(dir(cls)) - set(dir(base)) - enumerations
            if base is GObject.Object:
                # Changed, but there before; and refused.
                names = set(names) - {'connect'}
                there -= {'new_from_data'}
            self.compare(names, there, name)

    def test_package(self):
        for name in MODULES:
            stub = get_stub(name)
            module = importlib.import_module(name)
            if hasattr(module, '__all__'):
                own = {each for each in stub if is_public(each)}
                self.assertLessEqual(own, set(module.__all__), name)
                if name != 'shndarray':
                    self.assertEqual(own, set(module.__all__), name)
            for each, names in stub.items():
                if names is not None and is_public(each):
                    cls = getattr(module, each)
                    if issubclass(cls, tuple):
                        names = dict.fromkeys(cls._fields)
                        there = cls._fields
                    else:
                        there = {*vars(cls), *getattr(cls, '__annotations__', ())}
                        if each == 'SharedNDArray' and name.endswith('1'):
                            there |= {'array'}
                    self.compare(names, there, f'{name}.{each}')

    def test_arguments(self):
        n_compared = 0
        for module in (Shnd, *map(importlib.import_module, MODULES)):
            for name, stub, function in get_functions(module):
                # Only what is written in Python knows the names of its arguments.
                if name.endswith('.connect') or not inspect.isroutine(function) or not hasattr(
                        inspect.unwrap(getattr(function, '__func__', function)), '__code__'):
                    continue
                found = inspect.signature(function).parameters.values()
                arguments = [each.arg for each in (
                    *stub.args.args, *filter(None, [stub.args.vararg]), *stub.args.kwonlyargs)]
                if arguments[:1] in (['cls'], ['self']) and 'self' not in (
                        each.name for each in found):
                    arguments.pop(0)
                self.assertEqual(arguments, [each.name for each in found], name)
                self.assertEqual([each.arg for each in stub.args.kwonlyargs],
                                 [each.name for each in found
                                  if each.kind == each.KEYWORD_ONLY], name)
                n_defaults = len(stub.args.defaults) + sum(
                    each is not None for each in stub.args.kw_defaults)
                self.assertEqual(n_defaults, sum(each.default is not each.empty
                                                 for each in found), name)
                n_compared += 1
        self.assertGreater(n_compared, 50)

    def test_sample_uses_all(self):
        sample = read(HERE, 'typing_sample.py')
        used = set(re.findall(r'[.](\w+)', sample)) | set(re.findall(r'\b(\w+)=', sample))
        for module in ('Shnd', *MODULES[:4]):
            for name, names in get_stub(module).items():
                if is_public(name):
                    self.assertTrue(name in used or re.search(rf'\b{name}\b', sample),
                                    f'{module}.{name}')
                for inner in names or ():
                    if is_public(name) and is_public(inner):
                        self.assertIn(inner, used, f'{module}.{name}')


class Mypy(unittest.TestCase):
    def setUp(self):
        # As they are when they are installed: mypy finds no NAME-stubs in its path.
        self.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        os.symlink(os.path.join(PYTHON, 'gi-stubs'), os.path.join(self.folder.name, 'gi'))
        os.symlink(os.path.join(PYTHON, 'shndarray'), os.path.join(self.folder.name, 'shndarray'))

    def tearDown(self):
        self.folder.cleanup()

    def run_mypy(self, *args):
        result = subprocess.run(
            [MYPY, '--strict', '--config-file=', '--no-error-summary', '--show-error-codes',
             '--no-pretty', '--cache-dir', CACHE, '--python-executable', sys.executable, *args],
            env={**os.environ, 'MYPYPATH': self.folder.name}, text=True, cwd=HERE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=280)
        return result.returncode, result.stdout

    def test_sample(self):
        self.assertEqual(self.run_mypy('typing_sample.py'), (0, ''))

    def test_stubs(self):
        stubs = [os.path.join(folder, file)
                 for folder, _, files in os.walk(self.folder.name, followlinks=True)
                 for file in files if file.endswith('.pyi')]
        self.assertGreater(len(stubs), 8)
        self.assertEqual(self.run_mypy(*stubs), (0, ''))

    def test_errors(self):
        expected = [(number, match[1])
                    for number, line in enumerate(read(HERE, 'typing_errors.py').splitlines(), 1)
                    if (match := re.search(r'# error: ([-\w]+)$', line))]
        status, output = self.run_mypy('typing_errors.py')
        found = [(int(match[1]), match[2])
                 for match in re.finditer(r'^typing_errors\.py:(\d+): error: .*\[([-\w]+)\]$',
                                          output, re.MULTILINE)]
        self.assertEqual(status, 1, output)
        self.assertEqual(found, expected, output)
        self.assertGreater(len(expected), 20)


if __name__ == '__main__':
    main()
