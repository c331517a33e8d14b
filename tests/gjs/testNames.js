// SPDX-License-Identifier: MIT

// Names: how they go, what is listed, waiting for one; and descriptors.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import GObject from 'gi://GObject?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {exists, failure, later, makeName, makePath, runUntil, startScript, wait} from './shared.js';
import {collectGarbage, equal, ok, run, test, throws} from './tap.js';

const {PERSISTENT} = Shnd.CreateFlags;

/* An array whose only holder was killed. */
function makeOrphan(name) {
    const child = startScript('lockChild.mjs', 'make', name);

    runUntil(() => exists(name));
    child.force_exit();
    child.wait(null);
    ok(exists(name), 'the name is still there');
}

test('a name goes with its last holder', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 3);
    const reader = Shnd.Array.open(name, Shnd.Access.READ);

    equal(array.persistent, false);
    equal(array.get_persistent(), false);
    equal([array.synchronizable, array.get_synchronizable()], [true, true]);
    array.close();
    ok(exists(name), 'the reader has it');
    reader.close();
    ok(!exists(name), 'nobody has it');
});

test('a persistent name stays', () => {
    const name = makeName();

    Shnd.Array.new(name, 'u1', 3, PERSISTENT).close();
    ok(exists(name), 'it stays');

    const array = Shnd.Array.open(name);
    equal(array.persistent, true);
    array.unlink();
    ok(!exists(name), 'it was removed');
});

test('list_names and list_infos', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, '>i2', [2, 3], Shnd.CreateFlags.FORTRAN);

    ok(Shnd.list_names().includes(name), 'the name is there');

    const infos = Shnd.list_infos();
    ok(Array.isArray(infos), 'an Array');
    for (const info of [infos.find(each => each.name === name), Shnd.ArrayInfo.new(name)]) {
        ok(info instanceof Shnd.ArrayInfo, 'a Shnd.ArrayInfo');
        equal(info.name, name);
        equal(info.get_name(), name);
        equal(info.dtype.to_string(), '>i2');
        equal(info.get_dtype().to_string(), '>i2');
        equal(info.shape, [2, 3]);
        ok(Array.isArray(info.shape) && Object.isFrozen(info.shape), 'an Array');
        equal(info.get_shape(), [2, 3]);
        equal(info.strides, [2, 4]);
        ok(Array.isArray(info.strides) && Object.isFrozen(info.strides), 'an Array');
        equal(info.get_strides(), [2, 4]);
        equal([info.path, info.get_path()], Array(2).fill(`/dev/shm/${info.name}`));
        equal([info.data_offset, info.get_data_offset()], [4096, 4096]);
        equal([info.sequence, info.get_sequence()], [0, 0]);
        equal([info.locked, info.get_locked()], [false, false]);
        equal([info.n_dims, info.get_n_dims()], [2, 2]);
        equal([info.n_bytes, info.get_n_bytes()], [12, 12]);
        equal([info.order, info.get_order()], [Shnd.Order.FORTRAN, Shnd.Order.FORTRAN]);
        equal([info.file_size, info.get_file_size()], [12288, 12288]);
        equal([info.mode, info.get_mode()], [0o600, 0o600]);
        equal(info.uid, info.get_uid());
        equal([info.persistent, info.get_persistent()], [false, false]);
        equal([info.held, info.get_held()], [true, true]);
        equal([info.orphaned, info.get_orphaned()], [false, false]);
        equal([info.synchronizable, info.get_synchronizable()], [true, true]);
        throws(() => {
            info.shape = [1];
        }, TypeError);
    }

    array.close();
    ok(!Shnd.list_names().includes(name), 'the name is gone');
    throws(() => Shnd.ArrayInfo.new(name), failure.NOT_FOUND);
    throws(() => Shnd.ArrayInfo.new('a/b'), failure.INVALID_NAME);
    throws(() => Shnd.ArrayInfo.new(3), TypeError, 'name');
    throws(() => Shnd.ArrayInfo.new('a\0b'), TypeError, 'NUL');
    for (const list of ['list_addresses', 'list_names', 'list_infos', 'reap', 'release_names'])
        throws(() => Shnd[list](1), TypeError, 'arguments');

    const empty = new Shnd.ArrayInfo();
    equal(empty.name, null);
    equal(empty.path, null);
    equal([empty.shape, empty.strides], [[0], [1]]);
    throws(() => {
        class Derived extends Shnd.ArrayInfo {}
        GObject.registerClass(Derived);
    }, TypeError, 'final');
});

test('the lock and the change counter of what is not open', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 3);
    const look = () => {
        const info = Shnd.ArrayInfo.new(name);

        return [info.sequence, info.locked];
    };

    array.update();
    equal(look(), [1, false]);
    array.lock();
    equal(look(), [1, true]);
    array.unlock();
    equal(look(), [1, false]);

    const child = startScript('lockChild.mjs', 'hold', name);
    equal(array.wait(1, 60), 2);
    equal(look(), [2, true]);
    child.force_exit();
    child.wait(null);
    equal(look(), [2, false]);
    equal(array.lock(), true, 'recovered');
});

test('a file, by its path', () => {
    const path = makePath();
    const source = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, 2, 3, 4, 5, 6), [2, 3]);

    source.save(path);
    const info = Shnd.ArrayInfo.new_for_path(path);
    ok(info instanceof Shnd.ArrayInfo, 'a Shnd.ArrayInfo');
    equal([info.name, info.path, info.get_path()], [null, path, path]);
    equal([info.shape, info.strides], [[2, 3], [6, 2]]);
    equal([info.n_bytes, info.data_offset, info.file_size], [12, 128, 140]);
    equal([info.persistent, info.held, info.orphaned], [true, false, false]);
    equal([info.synchronizable, info.locked, info.sequence], [false, false, 0]);

    throws(() => Shnd.ArrayInfo.new_for_path(`${path}.none`), failure.NOT_FOUND);
    throws(() => Shnd.ArrayInfo.new_for_path(GLib.path_get_dirname(path)), failure.INVALID_FORMAT);
    throws(() => Shnd.ArrayInfo.new_for_path(3), TypeError, 'path');
    throws(() => Shnd.ArrayInfo.new_for_path('a\0b'), TypeError, 'NUL');
    throws(() => Shnd.ArrayInfo.new_for_path(), TypeError, 'arguments');
});

test('orphans are not found, and reaped', () => {
    const name = makeName();

    makeOrphan(name);
    throws(() => Shnd.Array.open(name), failure.NOT_FOUND);
    ok(!Shnd.list_names().includes(name), 'not a name to open');
    equal(Shnd.ArrayInfo.new(name).orphaned, true);
    equal(Shnd.ArrayInfo.new(name).held, false);

    // Their name is free.
    const array = Shnd.Array.new(name, 'u1', 1);
    equal(Shnd.Array.open(name).shape, [1]);
    array.close();
    collectGarbage();

    makeOrphan(name);
    const held = Shnd.Array.new(makeName(), 'u1', 1);
    const reaped = Shnd.reap();
    ok(Array.isArray(reaped), 'an Array');
    ok(!reaped.includes(held.name), 'what is held stays');
    // Another process may be doing the same.
    runUntil(() => !exists(name));
    ok(exists(held.name), 'what is held stays');
});

test('release_names gives back what a process has', () => {
    const name = makeName();
    const script = `imports.gi.versions.Shnd = '1';
        const {Shnd} = imports.gi;
        const array = Shnd.Array.new('${name}', 'u1', 1);
        Shnd.release_names();
        array.setAt(1, 0);
        print(imports.gi.GLib.file_test('/dev/shm/${name}', 1));`;
    const child = Gio.Subprocess.new(['gjs', '-c', script], Gio.SubprocessFlags.STDOUT_PIPE);

    equal(child.communicate_utf8(null, null)[1].trim(), 'false');
    ok(child.get_successful(), 'the process went well');
});

test('descriptors', () => {
    const source = Int32Array.of(1, 2, 3, 4, 5, 6);
    const array = Shnd.Array.new_from_typed_array(makeName(), source, [2, 3]);
    const view = array.transpose().slice(0, 2, -1, -2);
    const reader = Shnd.Array.open(array.name, Shnd.Access.READ);

    for (const each of [array, view, reader]) {
        const text = each.to_descriptor();
        const again = Shnd.Array.open_descriptor(text);

        ok(/^shnd:\S+$/.test(text), text);
        equal(again.shape, each.shape);
        equal(again.strides, each.strides);
        equal(again.access, each.access);
        equal(again.toTypedArray(), each.toTypedArray());
    }
    array.setAt(9, 1, 2);
    equal(Shnd.Array.open_descriptor(view.to_descriptor()).at(0, 1), 9);

    throws(() => Shnd.Array.new(null, 'u1', 1).to_descriptor(), failure.UNSUPPORTED);
    throws(() => array.to_descriptor(1), TypeError, 'arguments');
    throws(() => Shnd.Array.open_descriptor('abc'), failure.INVALID_ARGUMENT);
    throws(() => Shnd.Array.open_descriptor(`shnd:${makeName()}`), failure.NOT_FOUND);
    throws(() => Shnd.Array.open_descriptor(3), TypeError, 'descriptor');

    const text = array.to_descriptor();
    array.unlink();
    Shnd.Array.new(array.name, 'i4', [2, 3]);
    throws(() => Shnd.Array.open_descriptor(text), failure.NOT_FOUND);
});

test('open_wait: in time, or not', () => {
    const name = makeName();
    const cancellable = new Gio.Cancellable();

    throws(() => Shnd.Array.open_wait(name, undefined, 0), failure.TIMED_OUT);
    throws(() => Shnd.Array.open_wait(name, Shnd.Access.READ, 0.02), failure.TIMED_OUT);
    throws(() => wait(Shnd.Array.open_wait_async(name, null, 0)), failure.TIMED_OUT);
    throws(() => wait(Shnd.Array.open_wait_async(name, null, 0.02)), failure.TIMED_OUT);
    later(() => cancellable.cancel());
    throws(() => wait(Shnd.Array.open_wait_async(name, null, null, cancellable)),
        {domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED});
    throws(() => Shnd.Array.open_wait(3), TypeError, 'name');
    throws(() => Shnd.Array.open_wait(name, 'r'), TypeError, 'access');
    throws(() => Shnd.Array.open_wait(name, 1, '1'), TypeError, 'timeout');
    throws(() => Shnd.Array.open_wait_async(), TypeError, 'arguments');
    throws(() => Shnd.Array.open_wait_async(name, 1, -1), RangeError, 'timeout');
    throws(() => Shnd.Array.open_wait_async(name, 1, 1, 'c'), TypeError, 'cancellable');
    throws(() => Shnd.Array.open_wait_async(name, 1, 1, null, 3), TypeError, 'callback');

    const array = Shnd.Array.new(name, 'u1', 3);
    equal(Shnd.Array.open_wait(name).shape, [3]);
    equal(Shnd.Array.open_wait(name, Shnd.Access.READ, 0).access, Shnd.Access.READ);
    equal(wait(Shnd.Array.open_wait_async(name, Shnd.Access.READ)).access, Shnd.Access.READ);
    array.close();
});

test('open_wait: another process makes it', () => {
    const name = makeName();
    const promise = Shnd.Array.open_wait_async(name, Shnd.Access.READ, 60);
    let child = startScript('lockChild.mjs', 'make', name);

    equal(wait(promise).shape, [2, 3]);
    child.force_exit();
    child.wait(null);
    collectGarbage();
    GLib.unlink(`/dev/shm/${name}`);

    child = startScript('lockChild.mjs', 'make', name);
    equal(Shnd.Array.open_wait(name, Shnd.Access.READ, 60).shape, [2, 3]);
    child.force_exit();
    child.wait(null);

    const results = [];
    const other = makeName();
    equal(Shnd.Array.open_wait_async(other, Shnd.Access.READ, 60, null,
        (...args) => results.push(args)), undefined);
    const array = Shnd.Array.new(other, 'u1', 5);
    runUntil(() => results.length > 0);
    equal(results[0][0], null);
    equal(Shnd.Array.open_wait_finish(results[0][1]).shape, array.shape);
});

run();
