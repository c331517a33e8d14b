# SPDX-License-Identifier: MIT

"""An installed tree: the files are at their places, and Python works with them alone.

Wants the `meson` to install with, and the build folder.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

MESON, BUILD = sys.argv[1:3]
del sys.argv[1:3]

PYTHON_CODE = """
import os
import sys
import gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
override = sys.modules['gi.overrides.Shnd'].__file__
assert override == sys.argv[1], override
array = Shnd.Array.new(None, 'f4', (2, 3))
array[1, 2] = 7
assert array.get()[1, 2] == 7
import shndarray
with shndarray.SharedMemoryManager() as manager:
    assert shndarray.SharedNDArray.from_array(manager, array.get())[1, 2] == 7
folder = os.path.dirname(shndarray.__file__)
assert folder == os.path.join(sys.argv[3], 'shndarray'), folder
for name in ('py.typed', '__init__.pyi', '../gi-stubs/repository/Shnd.pyi', 'sharedarray.py',
             'shared_ndarray1.py'):
    assert os.path.exists(os.path.join(folder, name)), name
with open('/proc/self/maps') as maps:
    libraries = {line.split()[-1] for line in maps if 'libshndarray' in line}
assert libraries == {sys.argv[2]}, libraries
print('fine')
"""

C_CODE = """
#include <shndarray/shndarray.h>

int
main (void)
{
  const gint64 shape[] = { 2, 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("float32", &error);
  g_autoptr (ShndArray) array = shnd_array_new (NULL, dtype, shape, 2, SHND_CREATE_NONE, &error);

  g_assert_no_error (error);
  g_print ("%" G_GUINT64_FORMAT, shnd_array_get_n_bytes (array));
  return 0;
}
"""


def introspect(what):
    return json.loads(subprocess.check_output([MESON, 'introspect', BUILD, what]))


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='shnd-test-')
        cls.root = os.path.realpath(cls.folder.name)
        subprocess.run([MESON, 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir',
                        cls.root], check=True, stdout=subprocess.DEVNULL, timeout=120)
        options = {option['name']: option['value'] for option in introspect('--buildoptions')}
        prefix = options['prefix']
        cls.prefix = cls.root + prefix
        cls.libdir = os.path.join(cls.prefix, options['libdir'])
        cls.datadir = os.path.join(cls.prefix, options['datadir'])
        cls.bindir = os.path.join(cls.prefix, options['bindir'])
        cls.mandir = os.path.join(cls.prefix, options['mandir'])
        cls.targets = {target['name'] for target in introspect('--targets')}
        cls.includedir = os.path.join(cls.prefix, options['includedir'])
        cls.library = os.path.join(cls.libdir, 'libshndarray-1.so.0.0.0')
        overrides = options['python_overrides_dir']
        pattern = f'{cls.root}{os.path.join(prefix, overrides)}/Shnd.py' if overrides else \
            f'{cls.prefix}/**/gi/overrides/Shnd.py'
        cls.overrides = glob.glob(pattern, recursive=True)
        packages = options['python_package_dir']
        pattern = f'{cls.root}{os.path.join(prefix, packages)}/shndarray' if packages else \
            f'{cls.prefix}/**/*-packages/shndarray'
        cls.packages = glob.glob(pattern, recursive=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def make_environment(self):
        """One that knows of the installed tree only."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ('GJS_PATH', 'G_TEST_SRCDIR', 'G_TEST_BUILDDIR')}
        environment['GI_TYPELIB_PATH'] = os.path.join(self.libdir, 'girepository-1.0')
        environment['LD_LIBRARY_PATH'] = self.libdir
        # .../gi/overrides/Shnd.py
        environment['PYTHONPATH'] = os.pathsep.join((
            os.path.dirname(os.path.dirname(os.path.dirname(self.overrides[0]))),
            os.path.dirname(self.packages[0])))
        return environment

    def test_files(self):
        headers = os.path.join(self.includedir, 'shndarray-1', 'shndarray')
        for path in (self.library,
                     os.path.join(self.libdir, 'libshndarray-1.so'),
                     os.path.join(self.libdir, 'libshndarray-1.so.0'),
                     os.path.join(self.libdir, 'pkgconfig', 'shndarray-1.pc'),
                     os.path.join(self.libdir, 'girepository-1.0', 'Shnd-1.typelib'),
                     os.path.join(self.datadir, 'gir-1.0', 'Shnd-1.gir'),
                     *(os.path.join(headers, name) for name in (
                         'shndarray.h', 'shnd-array.h', 'shnd-array-info.h', 'shnd-dtype.h',
                         'shnd-enums.h', 'shnd-error.h', 'shnd-names.h', 'shnd-version.h',
                         'shnd-enum-types.h'))):
            self.assertTrue(os.path.exists(path), path)
        self.assertEqual(len(os.listdir(headers)), 12)

    def test_all_that_meson_promises(self):
        for path in introspect('--installed').values():
            self.assertTrue(os.path.exists(self.root + path), path)

    def test_nothing_private(self):
        for folder, _, files in os.walk(self.root):
            for name in files:
                self.assertNotIn('private', name, folder)
                self.assertFalse(name.endswith(('.a', '.c', '.o')), name)
                self.assertFalse(name.startswith('test'), name)

    def test_command(self):
        if 'shnd' not in self.targets:
            self.skipTest('needs the command')
        environment = self.make_environment()
        environment.pop('LD_PRELOAD', None)
        self.assertEqual(
            subprocess.check_output([os.path.join(self.bindir, 'shnd'), '--version'],
                                    env=environment, text=True),
            f'shnd {introspect("--projectinfo")["version"]}\n')
        completion = os.path.join(self.datadir, 'bash-completion', 'completions', 'shnd')
        with open(completion, encoding='utf-8') as file:
            self.assertIn('complete -F _shnd shnd', file.read())

    def test_manual(self):
        if 'manual page' not in self.targets:
            self.skipTest('needs the manual page')
        with open(os.path.join(self.mandir, 'man1', 'shnd.1'), encoding='utf-8') as file:
            self.assertIn('.TH "SHND" 1', file.read())

    def test_one_override(self):
        self.assertEqual(len(self.overrides), 1, self.overrides)
        self.assertEqual(len(self.packages), 1, self.packages)

    def test_python(self):
        printed = subprocess.check_output(
            [sys.executable, '-B', '-c', PYTHON_CODE, self.overrides[0], self.library,
             os.path.dirname(self.packages[0])],
            env=self.make_environment(), text=True, cwd=self.root, timeout=60)
        self.assertEqual(printed, 'fine\n')

    @unittest.skipIf('LD_PRELOAD' in os.environ, 'the sanitizers want a program of their own')
    def test_pkg_config(self):
        compiler, pkg_config = shutil.which('cc'), shutil.which('pkg-config')
        if compiler is None or pkg_config is None:
            self.skipTest('needs cc and pkg-config')
        environment = self.make_environment()
        # The paths in the file are those without DESTDIR; only its own are to change.
        with open(os.path.join(self.libdir, 'pkgconfig', 'shndarray-1.pc'),
                  encoding='utf-8') as file:
            lines = file.read().replace('prefix=', f'prefix={self.root}', 1)
        with open(os.path.join(self.root, 'shndarray-1.pc'), 'w', encoding='utf-8') as file:
            file.write(lines)
        environment['PKG_CONFIG_PATH'] = self.root

        def ask(what):
            return subprocess.check_output([pkg_config, what, 'shndarray-1'], env=environment,
                                           text=True).split()

        self.assertEqual(ask('--modversion'), [introspect('--projectinfo')['version']])
        source = os.path.join(self.root, 'user.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(C_CODE)
        program = os.path.join(self.root, 'user')
        subprocess.run([compiler, source, '-o', program, *ask('--cflags'), *ask('--libs')],
                       check=True, env=environment, timeout=120)
        self.assertEqual(subprocess.check_output([program], env=environment, text=True), '24')


if __name__ == '__main__':
    from tap import TAPTestRunner

    runner = TAPTestRunner()
    runner.set_stream(True)
    unittest.main(testRunner=runner)
