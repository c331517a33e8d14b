// SPDX-License-Identifier: MIT

// What several tests need.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import * as Tap from './tap.js';

/* What throws() of the harness expects for an error of the library. */
export const failure = {};
for (const [name, code] of Object.entries(Shnd.Error)) {
    if (typeof code === 'number')
        failure[name] = {domain: Shnd.Error, code, toString: () => `Shnd.Error.${name}`};
}

function getPath(name) {
    return `/dev/shm/${name}`;
}

export function exists(name) {
    return GLib.file_test(getPath(name), GLib.FileTest.EXISTS);
}

/* A name that no array has; whatever gets it is gone when the test is over. */
export function makeName() {
    const name = `shnd-test-gjs-${GLib.uuid_string_random()}`;

    Tap.cleanUp(() => GLib.unlink(getPath(name)));

    return name;
}

/* A path of a file to make, in a folder that is gone when the test is over. */
export function makePath(base = 'array.npy') {
    const folder = GLib.Dir.make_tmp('shnd-test-gjs-XXXXXX');
    const path = GLib.build_filenamev([folder, base]);

    Tap.cleanUp(() => {
        GLib.unlink(path);
        GLib.rmdir(folder);
    });

    return path;
}

/* An address for a publisher, in a folder that is gone when the test is over. */
export function makeAddress() {
    const folder = GLib.Dir.make_tmp('shnd-test-gjs-XXXXXX');

    Tap.cleanUp(() => removeFolder(folder));

    return GLib.build_filenamev([folder, 'socket']);
}

/* Whatever publishers that are garbage have left there. */
export function removeFolder(path) {
    const folder = Gio.File.new_for_path(path);
    const children = folder.enumerate_children('standard::name,standard::type',
        Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, null);

    for (const info of children) {
        if (info.get_file_type() === Gio.FileType.DIRECTORY)
            removeFolder(children.get_child(info).get_path());
        else
            GLib.unlink(children.get_child(info).get_path());
    }
    children.close(null);
    GLib.rmdir(path);
}

/* A read-only handle on new memory with these elements. */
export function makeReadOnly(typedArray, shape = [typedArray.length], flags = 0) {
    const name = makeName();

    const made = Shnd.Array.new_from_typed_array(name, typedArray, shape, flags);
    const opened = Shnd.Array.open(name, Shnd.Access.READ);
    made.close();

    return opened;
}

/* Runs the main loop until the promise is settled; returns its value, or throws. */
export function wait(promise) {
    const loop = new GLib.MainLoop(null, false);
    let value, failed;

    promise.then(v => {
        [value, failed] = [v, false];
    }, error => {
        [value, failed] = [error, true];
    }).finally(() => loop.quit());
    loop.run();
    if (failed)
        throw value;

    return value;
}

function getScriptPath(name) {
    const folder = GLib.path_get_dirname(GLib.filename_from_uri(import.meta.url)[0]);

    return GLib.build_filenamev([folder, name]);
}

/* Runs a script of this folder in a process of its own; returns what it printed. */
export function runScript(name, ...args) {
    const path = getScriptPath(name);
    const process = Gio.Subprocess.new(
        ['gjs', ...name.endsWith('.mjs') ? ['-m'] : [], path, ...args],
        Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
    const [, output, errors] = process.communicate_utf8(null, null);

    if (!process.get_successful())
        throw new Error(`${name} failed with ${process.get_status()}: ${errors}`);

    return output.trim();
}

/* Runs a script of this folder as a module in a process of its own; gives what it printed. */
export function runScriptAsync(name, ...args) {
    const process = Gio.Subprocess.new(['gjs', '-m', getScriptPath(name), ...args],
        Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);

    Tap.cleanUp(() => process.force_exit());

    return new Promise((resolve, reject) => {
        process.communicate_utf8_async(null, null, (_, result) => {
            const [, output, errors] = process.communicate_utf8_finish(result);

            if (process.get_successful())
                resolve(output.trim());
            else
                reject(new Error(`${name} failed with ${process.get_status()}: ${errors}`));
        });
    });
}

/* Does something from the main loop, once. */
export function later(work, delay = 30) {
    GLib.timeout_add(GLib.PRIORITY_DEFAULT, delay, () => {
        work();

        return GLib.SOURCE_REMOVE;
    });
}

/* Runs the main loop until there is what it shall bring. */
export function runUntil(condition) {
    const tick = GLib.timeout_add(GLib.PRIORITY_DEFAULT, 10, () => GLib.SOURCE_CONTINUE);
    const end = GLib.get_monotonic_time() + 60e6;

    while (!condition()) {
        if (GLib.get_monotonic_time() > end)
            throw new Error('The main loop brings nothing');
        GLib.MainContext.default().iteration(true);
    }
    GLib.source_remove(tick);
}

/* Starts a script of this folder in a process of its own, which is gone when the test is over. */
export function startScript(name, ...args) {
    const process = Gio.Subprocess.new(['gjs', '-m', getScriptPath(name), ...args],
        Gio.SubprocessFlags.STDOUT_SILENCE);

    Tap.cleanUp(() => process.force_exit());

    return process;
}
