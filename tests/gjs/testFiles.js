// SPDX-License-Identifier: MIT

// Arrays that are files on a disk, or come from there; copies.

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

function makeInput(...parts) {
    const stream = Gio.MemoryInputStream.new();

    for (const bytes of parts)
        stream.add_bytes(new GLib.Bytes(bytes));

    return stream;
}

/* What save_stream() writes, and whatever else was written before. */
function getWritten(stream) {
    stream.close(null);

    return stream.steal_as_bytes().toArray();
}

function saveToBytes(array) {
    const stream = Gio.MemoryOutputStream.new_resizable();

    equal(array.save_stream(stream), true);
    ok(!stream.is_closed(), 'open');

    return getWritten(stream);
}

test('save_stream and load_stream: what a file holds', () => {
    const path = makePath();
    const name = makeName();
    const source = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, -2, 3, 4, 5, 6), [2, 3]);

    for (const array of [source, source.transpose(), source.slice(1, 2, -1, -2)]) {
        const bytes = saveToBytes(array);

        array.save(path);
        equal(bytes, GLib.file_get_contents(path)[1]);

        const stream = makeInput(bytes, bytes);
        const first = Shnd.Array.load_stream(name, stream);
        equal(first.name, name);
        equal(stream.tell(), bytes.length);
        throws(() => Shnd.Array.load_stream(name, stream), failure.EXISTS);
        first.close();
        const second = Shnd.Array.load_stream(null, stream, Shnd.CreateFlags.SPARSE);
        equal(second.toTypedArray(), array.toTypedArray());
        equal(second.shape, array.shape);
        throws(() => Shnd.Array.load_stream(name, stream), failure.END_OF_STREAM);
        ok(!exists(name), 'no array');
    }

    const bytes = saveToBytes(source);
    const load = (part, ...args) => Shnd.Array.load_stream(null, makeInput(part), ...args);
    throws(() => load(bytes.slice(0, 50)), failure.TOO_SMALL);
    throws(() => load(bytes.slice(0, -1)), failure.TOO_SMALL);
    throws(() => load(bytes.slice(1)), failure.INVALID_FORMAT);
    throws(() => load(bytes, Shnd.CreateFlags.FORTRAN), failure.INVALID_ARGUMENT);
    throws(() => load(bytes, -1), RangeError, 'flags');
    throws(() => load(bytes, 0, null, 'abc'), TypeError, 'progress');
    throws(() => load(bytes, 0, 'abc'), Error);
    throws(() => load(bytes, 0, null, null, null), TypeError, 'arguments');
    throws(() => Shnd.Array.load_stream(null), TypeError, 'arguments');
    throws(() => Shnd.Array.load_stream(7, makeInput(bytes)), TypeError, 'name');
    for (const stream of [null, path, 7, Gio.MemoryOutputStream.new_resizable()])
        throws(() => Shnd.Array.load_stream(null, stream), TypeError, 'stream');

    const output = Gio.MemoryOutputStream.new_resizable();
    throws(() => source.save_stream(), TypeError, 'arguments');
    throws(() => source.save_stream(output, null, null, null), TypeError, 'arguments');
    for (const stream of [null, path, makeInput(bytes)])
        throws(() => source.save_stream(stream), TypeError, 'stream');
    throws(() => source.save_stream(output, 'abc'), Error);
    throws(() => source.save_stream(output, null, 'abc'), TypeError, 'progress');
    equal(output.get_data_size(), 0);
    output.close(null);
    throws(() => source.save_stream(output),
        {domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CLOSED, toString: () => 'CLOSED'});
    source.close();
    throws(() => source.save_stream(Gio.MemoryOutputStream.new_resizable()), failure.CLOSED);
});

test('load_stream: too large an array is not tried twice', () => {
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1250000000000,), }";
    const stream = makeInput(Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0),
        new TextEncoder().encode(`${header.padEnd(117)}\n`));

    throws(() => Shnd.Array.load_stream(null, stream), failure.NO_SPACE);
    equal(stream.tell(), 128);
});

test('load_stream and save_stream: progress and cancellation', () => {
    const name = makeName();
    const array = Shnd.Array.new(null, 'u1', 6000000);
    const bytes = saveToBytes(array);
    const load = (...args) => Shnd.Array.load_stream(name, makeInput(bytes), 0, ...args);
    const save = (...args) => array.save_stream(Gio.MemoryOutputStream.new_resizable(), ...args);

    for (const work of [load, save]) {
        const calls = [];
        const cancellable = new Gio.Cancellable();
        const result = work(cancellable, (done, total) => calls.push([done, total]));

        equal(calls.at(-1), [6000000, 6000000]);
        if (result !== true)
            result.close();
        throws(() => work(null, () => {
            throw new SyntaxError('my own failure');
        }), SyntaxError, 'my own failure');
        throws(() => work(cancellable, () => cancellable.cancel()), cancelled);
        throws(() => work(cancellable), cancelled);
        throws(() => work(cancellable, () => {}), cancelled);
        ok(!exists(name), 'no array');
    }
});

test('load_stream_async and save_stream_async: with a callback, and promises', () => {
    const name = makeName();
    const array = Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3));
    const bytes = saveToBytes(array);
    const output = Gio.MemoryOutputStream.new_resizable();

    const loaded = wait(new Promise((resolve, reject) => {
        equal(Shnd.Array.load_stream_async(name, makeInput(bytes), 0, null, (source, result) => {
            try {
                equal(source, null);
                resolve(Shnd.Array.load_stream_finish(result));
            } catch (error) {
                reject(error);
            }
        }), undefined);
    }));
    equal(loaded.name, name);
    equal(loaded.toTypedArray(), Uint8Array.of(1, 2, 3));
    equal(wait(Shnd.Array.load_stream_async(null, makeInput(bytes))).at(2), 3);
    throws(() => wait(Shnd.Array.load_stream_async(name, makeInput(bytes))), failure.EXISTS);
    throws(() => wait(Shnd.Array.load_stream_async(null, makeInput(bytes), 0, makeCancelled())),
        cancelled);
    throws(() => wait(Shnd.Array.load_stream_async(null, makeInput())), failure.END_OF_STREAM);
    throws(() => Shnd.Array.load_stream_async(null), TypeError, 'arguments');
    throws(() => Shnd.Array.load_stream_async(null, output), TypeError, 'stream');
    throws(() => Shnd.Array.load_stream_async(null, makeInput(), 'a'), TypeError, 'flags');
    throws(() => Shnd.Array.load_stream_async(null, makeInput(), 0, 'abc'), Error);
    throws(() => Shnd.Array.load_stream_async(null, makeInput(), 0, null, 'abc'), TypeError,
        'callback');
    throws(() => Shnd.Array.load_stream_finish(null), Error);

    equal(wait(new Promise((resolve, reject) => {
        equal(array.save_stream_async(output, (source, result) => {
            try {
                equal(source, array);
                resolve(source.save_stream_finish(result));
            } catch (error) {
                reject(error);
            }
        }), undefined);
    })), true);
    equal(wait(array.save_stream_async(output)), true);
    throws(() => wait(array.save_stream_async(output, makeCancelled())), cancelled);
    throws(() => array.save_stream_async(), TypeError, 'arguments');
    throws(() => array.save_stream_async(makeInput()), TypeError, 'stream');
    throws(() => array.save_stream_async(output, 'abc'), Error);
    throws(() => array.save_stream_async(output, null, 'abc'), TypeError, 'callback');
    throws(() => array.save_stream_finish(null), Error);
    equal(getWritten(output), Uint8Array.of(...bytes, ...bytes));

    const other = Gio.MemoryOutputStream.new_resizable();
    const promise = array.save_stream_async(other);
    array.close();
    equal(wait(promise), true);
    equal(getWritten(other), bytes);
    throws(() => wait(array.save_stream_async(Gio.MemoryOutputStream.new_resizable())),
        failure.CLOSED);
});

test('dup: progress and cancellation', () => {
    const name = makeName();
    const calls = [];
    const cancellable = new Gio.Cancellable();
    const array = Shnd.Array.new(null, 'u1', 6000000);

    array.dup(null, 0, cancellable, (copied, total) => calls.push([copied, total]));
    equal(calls.length, 2);
    equal(calls[1], [6000000, 6000000]);

    throws(() => array.dup(name, 0, null, () => {
        throw new SyntaxError('my own failure');
    }), SyntaxError, 'my own failure');
    throws(() => array.dup(name, 0, cancellable, () => cancellable.cancel()), cancelled);
    throws(() => array.dup(name, 0, cancellable), cancelled);
    throws(() => array.dup(name, 0, null, 'abc'), TypeError, 'progress');
    throws(() => array.dup(name, 0, 'abc'), Error);
    ok(!exists(name), 'no array');
});

test('dup_async: with a callback, and with a promise', () => {
    const name = makeName();
    const array = Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3, 4), [2, 2]);

    const copy = wait(new Promise(resolve => {
        equal(array.dup_async(name, Shnd.CreateFlags.FORTRAN, (source, result) => {
            equal(source, array);
            resolve(source.dup_finish(result));
        }), undefined);
    }));
    equal([copy.name, copy.order], [name, Shnd.Order.FORTRAN]);
    equal(copy.toTypedArray(), Uint8Array.of(1, 2, 3, 4));
    equal(wait(array.dup_async()).name, null);
    equal(wait(array.dup_async(null, 0, null)).at(1, 1), 4);

    throws(() => wait(array.dup_async(name)), failure.EXISTS);
    throws(() => wait(array.dup_async(null, 0, makeCancelled())), cancelled);
    throws(() => array.dup_async(7), TypeError, 'name');
    throws(() => array.dup_async(null, 'a'), TypeError, 'flags');
    throws(() => array.dup_async(null, 0, 'abc'), Error);
    throws(() => array.dup_async(null, 0, null, 'abc'), TypeError, 'callback');
    throws(() => array.dup_finish(null), Error);

    const promise = array.dup_async();
    array.close();
    equal(wait(promise).at(1, 1), 4);
    throws(() => wait(array.dup_async()), failure.CLOSED);
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
