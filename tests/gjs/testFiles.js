// SPDX-License-Identifier: MIT

// Arrays that are files on a disk, or come from there.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {exists, failure, makeName, makePath, wait} from './shared.js';
import {equal, ok, run, test, throws} from './tap.js';

const cancelled = {
    domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED, toString: () => 'CANCELLED',
};

function makeCancelled() {
    const cancellable = new Gio.Cancellable();

    cancellable.cancel();

    return cancellable;
}

test('new_path: an array that is a file', () => {
    const path = makePath();
    const array = Shnd.Array.new_path(path, Float32Array, [2, 3]);

    equal(array.name, null);
    equal(array.shape, [2, 3]);
    equal(array.toTypedArray(), new Float32Array(6));
    array.setAt(1.5, 1, 2);
    equal(Shnd.Array.open_path(path).at(1, 2), 1.5);
    throws(() => Shnd.Array.new_path(path, 'u1', 4), failure.EXISTS);
    equal(array.at(1, 2), 1.5);

    throws(() => Shnd.Array.new_path(`${path}/x`, 'u1', 4), failure.NOT_FOUND);
    throws(() => Shnd.Array.new_path(`${path}\0x`, 'u1', 4), TypeError, 'NUL');
    throws(() => Shnd.Array.new_path(null, 'u1', 4), TypeError, 'path');
    throws(() => Shnd.Array.new_path(path, 'u1', 4, Shnd.CreateFlags.GROUP_READ),
        failure.INVALID_ARGUMENT, 'umask');
    throws(() => Shnd.Array.new_path(path, 'u1'), TypeError, 'arguments');

    GLib.unlink(path);
    const sparse = Shnd.Array.new_path(path, 'u1', [4, 5],
        Shnd.CreateFlags.SPARSE | Shnd.CreateFlags.FORTRAN);
    equal(sparse.order, Shnd.Order.FORTRAN);
});

test('load: an array from a file', () => {
    const path = makePath();
    const name = makeName();
    const source = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, -2, 3, 4, 5, 6), [2, 3]);

    source.save(path);
    const array = Shnd.Array.load(name, path);
    equal(array.name, name);
    equal(array.shape, [2, 3]);
    equal(array.toTypedArray(), source.toTypedArray());
    throws(() => Shnd.Array.load(name, path), failure.EXISTS);

    source.transpose().save(path);
    const other = Shnd.Array.load(null, path, Shnd.CreateFlags.NONE);
    equal(other.name, null);
    equal(other.order, Shnd.Order.FORTRAN);
    equal(other.toTypedArray(), Int16Array.of(1, 4, -2, 5, 3, 6));
    // They have nothing to do with the file any more.
    other.setAt(99, 0, 0);
    equal(Shnd.Array.open_path(path).at(0, 0), 1);

    throws(() => Shnd.Array.load(null, path, Shnd.CreateFlags.FORTRAN), failure.INVALID_ARGUMENT);
    throws(() => Shnd.Array.load(null, `${path}-not`), failure.NOT_FOUND);
    throws(() => Shnd.Array.load(null, '/dev/null'), failure.INVALID_FORMAT);
    throws(() => Shnd.Array.load(null, `${path}\0x`), TypeError, 'NUL');
    throws(() => Shnd.Array.load(7, path), TypeError, 'name');
    throws(() => Shnd.Array.load(null, path, -1), RangeError, 'flags');
    throws(() => Shnd.Array.load(null), TypeError, 'arguments');
    throws(() => Shnd.Array.load(null, path, 0, null, null, null), TypeError, 'arguments');
});

test('load: progress and cancellation', () => {
    const path = makePath();
    const name = makeName();
    const calls = [];
    const cancellable = new Gio.Cancellable();

    Shnd.Array.new(null, 'u1', 6000000).save(path);
    Shnd.Array.load(null, path, 0, cancellable, (read, total) => calls.push([read, total]));
    equal(calls.length, 2);
    equal(calls[1], [6000000, 6000000]);

    throws(() => Shnd.Array.load(name, path, 0, null, () => {
        throw new SyntaxError('my own failure');
    }), SyntaxError, 'my own failure');
    ok(!exists(name), 'no array');
    throws(() => Shnd.Array.load(name, path, 0, cancellable, () => cancellable.cancel()), cancelled);
    ok(!exists(name), 'no array');
    throws(() => Shnd.Array.load(name, path, 0, cancellable), cancelled);
    throws(() => Shnd.Array.load(name, path, 0, cancellable, () => {}), cancelled);
    throws(() => Shnd.Array.load(name, path, 0, null, 'abc'), TypeError, 'progress');
    throws(() => Shnd.Array.load(name, path, 0, 'abc'), Error);
    ok(!exists(name), 'no array');
});

/* Loads with a callback; returns what load_finish() gives, or throws. */
function loadAsync(...args) {
    return wait(new Promise((resolve, reject) => {
        equal(Shnd.Array.load_async(...args, (source, result) => {
            try {
                equal(source, null);
                resolve(Shnd.Array.load_finish(result));
            } catch (error) {
                reject(error);
            }
        }), undefined);
    }));
}

test('load_async: with a callback', () => {
    const path = makePath();
    const name = makeName();

    Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3)).save(path);
    const array = loadAsync(name, path, 0, new Gio.Cancellable());
    equal(array.name, name);
    equal(array.toTypedArray(), Uint8Array.of(1, 2, 3));
    equal(loadAsync(null, path).toTypedArray(), Uint8Array.of(1, 2, 3));
    equal(loadAsync(null, path, Shnd.CreateFlags.SPARSE).at(2), 3);

    throws(() => loadAsync(name, path), failure.EXISTS);
    throws(() => loadAsync(null, path, 0, makeCancelled()), cancelled);
    throws(() => loadAsync(null, `${path}/x`), failure.NOT_FOUND);
    equal(wait(Shnd.Array.load_async(null, path)).at(2), 3);
    throws(() => Shnd.Array.load_async(null), TypeError, 'arguments');
    throws(() => Shnd.Array.load_async(null, null), TypeError, 'path');
    throws(() => Shnd.Array.load_async(null, path, 'a'), TypeError, 'flags');
    throws(() => Shnd.Array.load_async(null, path, 0, 'abc'), Error);
    throws(() => Shnd.Array.load_async(null, path, 0, null, 'abc'), TypeError, 'callback');
    throws(() => Shnd.Array.load_finish(null), Error);
});

test('load_async: with a promise', () => {
    const path = makePath();

    Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3)).save(path);
    equal(wait(Shnd.Array.load_async(null, path)).at(2), 3);
    equal(wait(Shnd.Array.load_async(null, path, 0, null)).at(2), 3);
    throws(() => wait(Shnd.Array.load_async(null, path, 0, makeCancelled())), cancelled);
    throws(() => wait(Shnd.Array.load_async(null, `${path}\0x`)), TypeError, 'NUL');
    // Whoever gives a callback gets no promise.
    equal(loadAsync(null, path, 0, null).at(2), 3);
});

test('sync: to the disk, if there is one', () => {
    const path = makePath();
    const file = Shnd.Array.new_path(path, 'u1', 5);
    const {SyncFlags} = Shnd;

    file.setAt(7, 3);
    for (const array of [file, file.slice(0, 2, 5), Shnd.Array.new(null, 'u1', 5)]) {
        equal(array.sync(), true);
        equal(array.sync(SyncFlags.ASYNC | SyncFlags.INVALIDATE, new Gio.Cancellable()), true);
        throws(() => array.sync(0, makeCancelled()), cancelled);
    }
    throws(() => file.sync(4), Error);
    throws(() => file.sync('a'), TypeError, 'flags');
    throws(() => file.sync(0, 'abc'), Error);
    throws(() => file.sync(0, null, null), TypeError, 'arguments');

    equal(wait(new Promise(resolve => {
        file.sync_async((source, result) => resolve(source.sync_finish(result)));
    })), true);
    equal(wait(file.sync_async()), true);
    equal(wait(file.sync_async(SyncFlags.ASYNC, null)), true);
    throws(() => wait(file.sync_async(0, makeCancelled())), cancelled);
    throws(() => file.sync_async(0, null, 'abc'), TypeError, 'callback');

    const promise = file.sync_async();
    file.close();
    equal(wait(promise), true);
    throws(() => wait(file.sync_async()), failure.CLOSED);
    throws(() => file.sync(), failure.CLOSED);
    equal(Shnd.Array.open_path(path).at(3), 7);
});

test('mlock and munlock: once is enough', () => {
    const array = Shnd.Array.new(null, 'u1', 5);

    equal(array.mlock(), true);
    equal(array.mlock(), true);
    equal(array.munlock(), true);
    equal(array.munlock(), true);
    throws(() => array.mlock(1), TypeError, 'arguments');
    array.close();
    throws(() => array.mlock(), failure.CLOSED);
    throws(() => array.munlock(), failure.CLOSED);
});

run();
