# SPDX-License-Identifier: MIT
"""Runs the app in a sandbox like that of Flatpak: of namespaces, with a /dev/shm of its own, and
with nothing of the runtime directory but the folder of the app. Checks the manifest.
"""

import glob
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import unittest

import gi
import numpy as np

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import publish  # noqa: E402
import recipe_support  # noqa: E402

MANIFEST = HERE / f'{publish.APP}.json'

# What the sandbox looks like from inside, and what comes through to there.
PROBE = '''
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Shnd from 'gi://Shnd?version=1';

function list(path) {
    return [...Gio.File.new_for_path(path).enumerate_children('standard::name', 0, null)]
        .map(info => info.get_name()).sort();
}

const runtime = GLib.get_user_runtime_dir();
const frames = [];
for (const {array, sequence} of Shnd.Subscriber.new(ARGV[0])) {
    frames.push([sequence, array.shape,
        GLib.compute_checksum_for_bytes(GLib.ChecksumType.SHA1, array.get_bytes())]);
}
print(JSON.stringify({
    frames,
    runtime: list(runtime),
    shm: list('/dev/shm'),
    processes: list('/proc').filter(name => /^[0-9]+$/.test(name)).length,
    names: Shnd.list_names(),
    addresses: Shnd.list_addresses(),
}));
'''


def get_sandbox(folder, runtime, *options):
    """The command that makes the sandbox; what runs in it comes after that.

    With the options that Flatpak gives to bwrap, as far as they matter here. The system's /usr
    stands for the runtime.
    """
    inside = f'/run/user/{os.getuid()}'
    return [
        'bwrap', '--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-net',
        '--die-with-parent', '--clearenv',
        '--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc',
        *(word for name in ('bin', 'lib', 'lib64') for word in
          ('--symlink', f'usr/{name}', f'/{name}')),
        '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--dir', '/var/tmp',
        '--perms', '0700', '--dir', inside,
        '--bind', f'{runtime}/app/{publish.APP}', f'/run/flatpak/app/{publish.APP}',
        '--symlink', '../../flatpak/app', f'{inside}/app',
        '--ro-bind', f'{folder}/app', '/app',
        '--setenv', 'XDG_RUNTIME_DIR', inside, '--setenv', 'HOME', '/tmp',
        '--setenv', 'FLATPAK_ID', publish.APP, '--setenv', 'PATH', '/app/bin:/usr/bin',
        '--setenv', 'LD_LIBRARY_PATH', '/app/lib',
        '--setenv', 'GI_TYPELIB_PATH', '/app/lib/girepository-1.0',
        '--setenv', 'XDG_DATA_DIRS', '/app/share:/usr/share',
        *options,
    ]


def make_app(folder):
    """What the manifest installs."""
    app = folder / 'app'
    for name in ('bin', 'lib/girepository-1.0', 'share/gjs-1.0'):
        (app / name).mkdir(parents=True)
    for path in glob.glob(f'{BUILD}/shndarray/libshndarray-1.so*'):
        if os.path.isfile(path):
            shutil.copy(path, app / 'lib')
    shutil.copy(f'{BUILD}/introspection/Shnd-1.typelib', app / 'lib/girepository-1.0')
    shutil.copytree(HERE / '../../introspection/gjs/overrides', app / 'share/gjs-1.0/overrides')
    shutil.copy(HERE / 'frames.js', app / 'bin/frames')
    (app / 'probe.js').write_text(PROBE, encoding='utf-8')


class Sandbox(recipe_support.Case):
    def setUp(self):
        super().setUp()
        self.runtime = os.environ['XDG_RUNTIME_DIR']
        os.makedirs(f'{self.runtime}/app/{publish.APP}', mode=0o700, exist_ok=True)
        make_app(self.folder)
        try:
            self.finish(self.start(*get_sandbox(self.folder, self.runtime), 'true'))
        except FileNotFoundError:
            self.skipTest('there is no bubblewrap')
        except AssertionError as error:
            self.skipTest(f'no namespaces can be made here: {" ".join(str(error).split())}')

    def publish(self, n_frames):
        return self.start(sys.executable, '-B', HERE / 'publish.py', n_frames)

    def test_frames_come_in_and_nothing_else(self):
        name = f'shnd-test-{secrets.token_hex(4)}'
        with Shnd.Array.new(name, 'u1', 3), Shnd.Publisher.new('cam0'):
            program = self.start(
                *get_sandbox(self.folder, self.runtime), GJS, '-m', '/app/probe.js',
                f'/run/user/{os.getuid()}/app/{publish.APP}/frames',
            )
            self.finish(self.publish(5))
            found = json.loads(self.finish(program))
            self.assertIn(name, os.listdir('/dev/shm'))

        self.assertEqual(found['runtime'], ['app'])
        self.assertEqual(found['shm'], [])
        self.assertEqual((found['names'], found['addresses']), ([], []))
        self.assertLessEqual(found['processes'], 2)

        pixels = np.empty((publish.HEIGHT, publish.WIDTH, 3), 'u1')
        sums = []
        for number in range(5):
            publish.draw(pixels, number)
            sums.append(hashlib.sha1(pixels).hexdigest())
        self.assertTrue(found['frames'])
        for sequence, shape, checksum in found['frames']:
            self.assertEqual((shape, checksum), (list(pixels.shape), sums[sequence - 1]))

    def test_app(self):
        if shutil.which('Xvfb') is None:
            self.skipTest('there is no Xvfb')
        screen = self.start('Xvfb', '-displayfd', '1', '-screen', '0', '800x600x24',
                            '-nolisten', 'tcp')
        number = screen.stdout.readline().strip()
        self.assertTrue(number, 'Xvfb has not started')
        sockets = '/tmp/.X11-unix'
        program = self.start(*get_sandbox(
            self.folder, self.runtime, '--ro-bind', sockets, sockets,
            '--setenv', 'DISPLAY', f':{number}', '--setenv', 'GSK_RENDERER', 'cairo',
            '--setenv', 'GTK_A11Y', 'none',
        ), '/app/bin/frames')
        self.finish(self.publish(10))
        output = self.finish(program)
        self.assertRegex(output, r'has ended its stream; [1-9][0-9]* frames were received\n$')


class Host(recipe_support.Case):
    def test_ctrl_c(self):
        folder = f'{os.environ["XDG_RUNTIME_DIR"]}/app/{publish.APP}'
        program = self.start(
            *recipe_support.INTERRUPTIBLE, sys.executable, '-B', HERE / 'publish.py', 10**6
        )
        subscriber = Shnd.Subscriber.new(f'{folder}/frames')
        subscriber.receive(timeout=recipe_support.PATIENCE).release()
        self.check_interrupt(program, subscriber)
        self.assertEqual(os.listdir(folder), [])


class Manifest(recipe_support.Case):
    def setUp(self):
        super().setUp()
        self.manifest = json.loads(MANIFEST.read_text(encoding='utf-8'))

    def test_asks_for_no_more_than_a_window(self):
        self.assertEqual(self.manifest['id'], publish.APP)
        self.assertEqual(
            set(self.manifest['finish-args']),
            {'--socket=wayland', '--socket=fallback-x11', '--share=ipc', '--device=dri'},
        )

    def test_what_it_builds_is_there(self):
        library, app = self.manifest['modules']
        text = (HERE / '../../meson_options.txt').read_text(encoding='utf-8')
        options = re.findall(r"^option\('(\w+)'", text, re.MULTILINE)
        for argument in library['config-opts']:
            self.assertIn(re.fullmatch(r'-D(\w+)=\w+', argument)[1], options)
        self.assertTrue((HERE / library['sources'][0]['path'] / 'meson.build').exists())
        self.assertTrue((HERE / app['sources'][0]['path']).exists())
        self.assertTrue(app['build-commands'][0].endswith(f'/app/bin/{self.manifest["command"]}'))

    @unittest.skipUnless(shutil.which('flatpak-builder'), 'there is no flatpak-builder')
    def test_flatpak_builder_understands_it(self):
        # Of a module or property that it does not know it says so, and goes on.
        result = subprocess.run(
            ['flatpak-builder', '--show-manifest', str(MANIFEST)],
            capture_output=True, encoding='utf-8', check=False, cwd=self.folder,
            env={**os.environ, 'HOME': str(self.folder)},
        )
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        shown = json.loads(result.stdout)
        for key in ('id', 'runtime', 'command', 'finish-args', 'cleanup'):
            self.assertEqual(shown[key], self.manifest[key])
        self.assertEqual([module['name'] for module in shown['modules']],
                         [module['name'] for module in self.manifest['modules']])


class Page(recipe_support.Case):
    def test_page(self):
        self.check_page('recipe-flatpak.md', js='flatpak/frames.js', python='flatpak/publish.py')
        page = (recipe_support.PAGES / 'recipe-flatpak.md').read_text(encoding='utf-8')
        self.assertIn(f'```json\n{MANIFEST.read_text(encoding="utf-8")}```', page)


if __name__ == '__main__':
    BUILD, GJS = map(os.path.abspath, sys.argv[1:])
    recipe_support.main()
