// SPDX-License-Identifier: MIT

// Making, opening, looking at, and doing away with arrays.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import GObject from 'gi://GObject?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {exists, failure, makeName, makePath, wait} from './shared.js';
import {collectGarbage, equal, ok, run, test, throws} from './tap.js';

test('new: an array of zeros', () => {
    const array = Shnd.Array.new(null, 'float32', [2, 3]);

    equal(array.name, null);
    equal(array.shape, [2, 3]);
    equal(array.strides, [12, 4]);
    equal(`${array.dtype}`, '<f4');
    equal(array.nDims, 2);
    equal(array.size, 6);
    equal(array.itemSize, 4);
    equal(array.nBytes, 24);
    equal(array.order, Shnd.Order.C);
    equal(array.access, Shnd.Access.READ_WRITE);
    equal(array.closed, false);
    equal(array.toTypedArray(), new Float32Array(6));
});

test('getters: the same as the properties', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u2', [4, 5]);

    equal(array.get_name(), name);
    equal(array.get_shape(), [4, 5]);
    equal(array.get_strides(), [10, 2]);
    ok(array.get_dtype().equal(array.dtype), 'dtype');
    equal(array.get_n_dims(), 2);
    equal(array.get_size(), 20);
    equal(array.get_item_size(), 2);
    equal(array.get_n_bytes(), 40);
    equal(array.get_order(), Shnd.Order.C);
    equal(array.get_access(), Shnd.Access.READ_WRITE);
    equal(array.get_closed(), false);
    for (const method of [
        'get_name', 'get_shape', 'get_strides', 'get_dtype', 'get_n_dims', 'get_size',
        'get_item_size', 'get_n_bytes', 'get_order', 'get_access', 'get_closed',
    ])
        throws(() => array[method](1), TypeError, 'arguments');
});

test('shape and strides: cannot be changed', () => {
    const array = Shnd.Array.new(null, 'u1', [2, 3]);

    throws(() => (array.shape[0] = 7), TypeError);
    throws(() => (array.strides[0] = 7), TypeError);
    throws(() => (array.shape = [6]), TypeError);
    throws(() => (array.strides = [6]), TypeError);
    array.get_shape()[0] = 7;
    equal(array.shape, [2, 3]);
    equal(array.strides, [3, 1]);
});

test('shape: an integer, a BigInt, a typed array, none', () => {
    equal(Shnd.Array.new(null, 'u1', 5).shape, [5]);
    equal(Shnd.Array.new(null, 'u1', 5n).shape, [5]);
    equal(Shnd.Array.new(null, 'u1', [2n, 3]).shape, [2, 3]);
    equal(Shnd.Array.new(null, 'u1', Int32Array.of(2, 3)).shape, [2, 3]);
    equal(Shnd.Array.new(null, 'u1', []).shape, []);
    equal(Shnd.Array.new(null, 'u1', []).at(), 0);
    equal(Shnd.Array.new(null, 'u1', 0).size, 0);
    equal(Shnd.Array.new(null, 'u1', Array(32).fill(1)).nDims, 32);
});

test('shape: beyond what a Number is exact for', () => {
    const array = Shnd.Array.new(null, 'u1', [2n ** 60n, 0]);

    equal(array.shape, [2 ** 60, 0]);
    equal(array.get_shape(), [2 ** 60, 0]);
    equal(array.size, 0);
});

test('shape: what is none', () => {
    for (const shape of [
        undefined, null, '3', 'abc', true, {}, {length: 1}, 1.5, NaN, Infinity, [1.5], ['1'],
        [null], [undefined], [[1]], [NaN], () => 3, Symbol('x'), new Float32Array([1.5]), [,],
    ])
        throws(() => Shnd.Array.new(null, 'u1', shape), TypeError, 'shape');
    for (const shape of [2 ** 53, -(2 ** 53), [2 ** 64], [1e300], 2n ** 63n, [-(2n ** 63n) - 1n]])
        throws(() => Shnd.Array.new(null, 'u1', shape), RangeError, 'shape');
    for (const shape of [
        -1, [-1], [2, -3], -(2n ** 63n), [2 ** 40, 2 ** 40], [2n ** 62n, 3], Array(33).fill(1),
    ])
        throws(() => Shnd.Array.new(null, 'u1', shape), failure.INVALID_SHAPE);
    throws(() => Shnd.Array.new(null, 'u1', 2 ** 52), failure.NO_SPACE);
});

test('dtype: a string, a Shnd.DType, a class of typed arrays', () => {
    const expected = [
        [Int8Array, '|i1'], [Uint8Array, '|u1'], [Uint8ClampedArray, '|u1'], [Int16Array, '<i2'],
        [Uint16Array, '<u2'], [Int32Array, '<i4'], [Uint32Array, '<u4'], [BigInt64Array, '<i8'],
        [BigUint64Array, '<u8'], [Float32Array, '<f4'], [Float64Array, '<f8'],
        ['>i2', '>i2'], [Shnd.DType.new('M8[us]'), '<M8[us]'], [new Shnd.DType('S3'), '|S3'],
    ];

    for (const [dtype, description] of expected)
        equal(`${Shnd.Array.new(null, dtype, 1).dtype}`, description);
});

test('dtype: what is none', () => {
    for (const dtype of [undefined, null, 4, {}, [], ['f4'], DataView, Array, String, Shnd.DType])
        throws(() => Shnd.Array.new(null, dtype, 1), TypeError, 'dtype');
    for (const dtype of ['', 'nonsense', 'O', 'f5', '[('])
        throws(() => Shnd.Array.new(null, dtype, 1), failure.INVALID_DTYPE);
    throws(() => Shnd.Array.new(null, 'f4\0', 1), TypeError, 'NUL');
});

test('name: what is none', () => {
    for (const name of [undefined, 7, {}, ['x'], true])
        throws(() => Shnd.Array.new(name, 'u1', 1), TypeError, 'name');
    for (const name of ['a\0b', '\0', `${makeName()}\0`])
        throws(() => Shnd.Array.new(name, 'u1', 1), TypeError, 'NUL');
    throws(() => Shnd.Array.new('shnd-\ud800', 'u1', 1), TypeError, 'surrogate');
    for (const name of ['', '.', '..', '.x', 'a/b', 'x'.repeat(256)])
        throws(() => Shnd.Array.new(name, 'u1', 1), failure.INVALID_NAME);
    throws(() => Shnd.Array.open(null), TypeError, 'name');
});

test('flags and access: what is none', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 1);

    for (const flags of [null, '1', 0.5, NaN, {}]) {
        throws(() => Shnd.Array.new(null, 'u1', 1, flags), TypeError, 'flags');
        throws(() => Shnd.Array.open(name, flags), TypeError, 'access');
    }
    for (const flags of [-1, 2 ** 32, 2 ** 32 + 1, 2n ** 64n]) {
        throws(() => Shnd.Array.new(null, 'u1', 1, flags), RangeError, 'flags');
        throws(() => Shnd.Array.open(name, flags), RangeError, 'access');
    }
    throws(() => Shnd.Array.new(null, 'u1', 1, 1 << 20), Error);
    throws(() => Shnd.Array.open(name, 1 << 20), Error);
    throws(() => Shnd.Array.open(name, 0), failure.INVALID_ARGUMENT);
});

test('number of arguments', () => {
    throws(() => Shnd.Array.new(), TypeError, 'arguments');
    throws(() => Shnd.Array.new(null, 'u1'), TypeError, 'arguments');
    throws(() => Shnd.Array.new(null, 'u1', 1, 0, 0), TypeError, 'arguments');
    throws(() => Shnd.Array.new_unique('u1'), TypeError, 'arguments');
    throws(() => Shnd.Array.new_from_bytes(null, 'u1', 1), TypeError, 'arguments');
    throws(() => Shnd.Array.new_from_typed_array(null), TypeError, 'arguments');
    throws(() => Shnd.Array.open(), TypeError, 'arguments');
    throws(() => Shnd.Array.open('x', 1, 1), TypeError, 'arguments');
    throws(() => Shnd.Array.open_segment('x', 'u1'), TypeError, 'arguments');
    throws(() => Shnd.Array.open_path(), TypeError, 'arguments');
    throws(() => Shnd.unlink(), TypeError, 'arguments');
});

test('new: a name that is taken', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 1);

    equal(array.name, name);
    ok(exists(name), 'segment');
    throws(() => Shnd.Array.new(name, 'u1', 1), failure.EXISTS, name);
});

test('new: Fortran order', () => {
    const array = Shnd.Array.new(null, 'u1', [2, 3], Shnd.CreateFlags.FORTRAN);

    equal(array.order, Shnd.Order.FORTRAN);
    equal(array.strides, [1, 2]);
});

test('new_unique: names differ', () => {
    const [a, b] = [Shnd.Array.new_unique('u1', 1), Shnd.Array.new_unique(Float64Array, [2], 0)];

    ok(exists(a.name) && exists(b.name), 'segments');
    ok(a.name !== b.name, 'names differ');
    equal(b.toTypedArray(), new Float64Array(2));
    a.unlink();
    b.unlink();
    ok(!exists(a.name) && !exists(b.name), 'no segments');
});

test('new_from_bytes: all that holds bytes', () => {
    const words = Uint16Array.of(1, 2, 0x304);

    for (const bytes of [
        words, words.buffer, new DataView(words.buffer), new Uint8Array(words.buffer),
        new GLib.Bytes(new Uint8Array(words.buffer)), Uint16Array.of(9, 1, 2, 0x304).subarray(1),
    ])
        equal(Shnd.Array.new_from_bytes(null, 'u2', 3, bytes).toTypedArray(), words);

    equal(Shnd.Array.new_from_bytes(null, '>u2', [3], words).toTypedArray(),
        Uint16Array.of(0x100, 0x200, 0x403));
    equal(Shnd.Array.new_from_bytes(null, 'u1', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6),
        Shnd.CreateFlags.FORTRAN).toTypedArray(), Uint8Array.of(1, 3, 5, 2, 4, 6));
    throws(() => Shnd.Array.new_from_bytes(null, 'u2', 3, words.subarray(1)),
        failure.INVALID_ARGUMENT);
    for (const bytes of [null, undefined, 'abc', 7, [1, 2, 3, 4, 5, 6], {}])
        throws(() => Shnd.Array.new_from_bytes(null, 'u2', 3, bytes), TypeError, 'bytes');
    throws(() => Shnd.Array.new_from_data(null, 'u1', 1, null, 0), TypeError);
});

test('new_from_typed_array: every class', () => {
    for (const values of [
        Int8Array.of(-1, 2), Uint8Array.of(1, 255), Uint8ClampedArray.of(1, 255),
        Int16Array.of(-1, 2), Uint16Array.of(1, 65535), Int32Array.of(-1, 2),
        Uint32Array.of(1, 2 ** 32 - 1), BigInt64Array.of(-1n, 2n ** 62n),
        BigUint64Array.of(1n, 2n ** 64n - 1n), Float32Array.of(0.5, -2), Float64Array.of(0.1, -0),
    ]) {
        const array = Shnd.Array.new_from_typed_array(null, values);

        equal(array.shape, [2]);
        equal(Array.from(array.toTypedArray()), Array.from(values));
    }
});

test('new_from_typed_array: shape, order, part of a buffer', () => {
    const values = Float32Array.of(9, 1, 2, 3, 4, 5, 6).subarray(1);
    const c = Shnd.Array.new_from_typed_array(null, values, [2, 3]);
    const fortran = Shnd.Array.new_from_typed_array(
        makeName(), values, [2, 3], Shnd.CreateFlags.FORTRAN);

    equal(c.at(1, 0), 4);
    equal(fortran.order, Shnd.Order.FORTRAN);
    equal(fortran.at(1, 0), 4);
    equal(fortran.toTypedArray(), values);
    equal(Shnd.Array.new_from_typed_array(null, new Uint8Array(0)).size, 0);
    throws(() => Shnd.Array.new_from_typed_array(null, values, 5), failure.INVALID_ARGUMENT);
    for (const bad of [[1, 2], null, undefined, 'abc', new ArrayBuffer(8), {length: 2}])
        throws(() => Shnd.Array.new_from_typed_array(null, bad), TypeError, 'typedArray');
});

test('open: the same memory', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, '>i4', [2, 2]);
    const other = Shnd.Array.open(name);

    equal(other.name, name);
    equal(other.shape, [2, 2]);
    equal(`${other.dtype}`, '>i4');
    equal(other.access, Shnd.Access.READ_WRITE);
    array.setAt(-5, 1, 0);
    equal(other.at(1, 0), -5);
    other.setAt(6, 0, 1);
    equal(array.at(0, 1), 6);
    equal(Shnd.Array.open(name, Shnd.Access.READ).access, Shnd.Access.READ);
    throws(() => Shnd.Array.open(`${name}-not`), failure.NOT_FOUND, `${name}-not`);
});

test('open_segment: memory without a header', () => {
    const name = makeName();

    GLib.file_set_contents(`/dev/shm/${name}`, Uint8Array.of(9, 1, 0, 2, 0, 3, 0, 4));
    equal(Shnd.Array.open_segment(name, 'u2', 3, 1).toTypedArray(), Uint16Array.of(1, 2, 3));
    equal(Shnd.Array.open_segment(name, Uint8Array, [8]).at(7), 4);
    Shnd.Array.open_segment(name, 'u1', 1, 7n).setAt(77, 0);
    const view = Shnd.Array.open_segment(name, 'u1', 1, 7, Shnd.Access.READ);
    equal(view.at(0), 77);
    throws(() => view.setAt(1, 0), failure.READ_ONLY);
    throws(() => Shnd.Array.open_segment(name, 'u1', 9), failure.TOO_SMALL);
    throws(() => Shnd.Array.open_segment(name, 'u1', 8, 2n ** 64n - 1n), failure.TOO_SMALL);
    throws(() => Shnd.Array.open_segment(name, 'u1', 8, -1), RangeError, 'offset');
    throws(() => Shnd.Array.open_segment(name, 'u1', 8, 2n ** 64n), RangeError, 'offset');
    throws(() => Shnd.Array.open_segment(name, 'u1', 8, 0.5), TypeError, 'offset');
    throws(() => Shnd.Array.open(name), failure.INVALID_FORMAT);
});

test('save and open_path: a file', () => {
    const path = makePath();
    const array = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, -2, 3, 4), [2, 2]);

    equal(array.save(path), true);
    const [, content] = GLib.file_get_contents(path);
    equal(String.fromCharCode(...content.subarray(1, 6)), 'NUMPY');

    const file = Shnd.Array.open_path(path);
    equal(file.name, null);
    equal(file.toTypedArray(), Int16Array.of(1, -2, 3, 4));
    file.setAt(99, 0, 0);
    equal(Shnd.Array.open_path(path, Shnd.Access.READ).at(0, 0), 99);
    throws(() => Shnd.Array.open_path(`${path}-not`), failure.NOT_FOUND);
    throws(() => Shnd.Array.open_path(`${path}\0x`), TypeError, 'NUL');
    throws(() => Shnd.Array.open_path(null), TypeError, 'path');
    throws(() => array.save(`${path}\0x`), TypeError, 'NUL');
    throws(() => array.save(`${path}/x`), failure.NOT_FOUND);
    throws(() => array.save(), TypeError, 'arguments');
});

test('save: progress and cancellation', () => {
    const path = makePath();
    const array = Shnd.Array.new(null, 'u1', 100000);
    const cancelled = {
        domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED, toString: () => 'CANCELLED',
    };
    const cancellable = new Gio.Cancellable();
    const calls = [];

    array.save(path, Shnd.SaveFlags.NONE, cancellable, (written, total) => calls.push([written, total]));
    equal(calls[calls.length - 1], [100000, 100000]);
    ok(GLib.file_test(path, GLib.FileTest.EXISTS), 'file');
    GLib.unlink(path);

    throws(() => array.save(path, 0, null, () => {
        throw new SyntaxError('my own failure');
    }), SyntaxError, 'my own failure');
    throws(() => array.save(path, 0, null, 'abc'), TypeError, 'progress');
    throws(() => array.save(path, 'abc'), TypeError, 'flags');
    throws(() => array.save(path, 0, 'abc'), Error);
    cancellable.cancel();
    throws(() => array.save(path, 0, cancellable), cancelled);
    throws(() => array.save(path, 0, cancellable, () => {}), cancelled);
    ok(!GLib.file_test(path, GLib.FileTest.EXISTS), 'no file');
});

test('save: nothing is replaced', () => {
    const {NO_REPLACE} = Shnd.SaveFlags;
    const path = makePath();
    const array = Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3));

    equal(array.save(path, NO_REPLACE), true);
    array.setAt(9, 0);
    throws(() => array.save(path, NO_REPLACE), failure.EXISTS);
    throws(() => wait(array.save_async(path, NO_REPLACE)), failure.EXISTS);
    equal(Shnd.Array.open_path(path).at(0), 1);
});

/* Saves with a callback; returns what save_finish() gives, or throws. */
function saveAsync(array, path, cancellable) {
    return wait(new Promise((resolve, reject) => {
        equal(array.save_async(path, 0, cancellable, (source, result) => {
            try {
                ok(source === array, 'the same array');
                resolve(array.save_finish(result));
            } catch (error) {
                reject(error);
            }
        }), undefined);
    }));
}

test('save_async: with a callback', () => {
    const path = makePath();
    const array = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, -2, 3, 4), [2, 2]);
    const cancellable = new Gio.Cancellable();

    equal(saveAsync(array, path, null), true);
    equal(Shnd.Array.open_path(path).toTypedArray(), Int16Array.of(1, -2, 3, 4));
    equal(saveAsync(array.transpose(), path, cancellable), true);
    equal(Shnd.Array.open_path(path).toTypedArray(), Int16Array.of(1, 3, -2, 4));

    cancellable.cancel();
    throws(() => saveAsync(array, path, cancellable),
        {domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED});
    equal(Shnd.Array.open_path(path).at(0, 1), 3);
    throws(() => saveAsync(array, `${path}/x`, null), failure.NOT_FOUND);

    GLib.unlink(path);
    equal(wait(array.save_async(path)), true);
    while (!GLib.file_test(path, GLib.FileTest.EXISTS))
        GLib.usleep(1000);

    throws(() => array.save_async(), TypeError, 'arguments');
    throws(() => array.save_async(path, 0, null, null, null), TypeError, 'arguments');
    throws(() => array.save_async(null), TypeError, 'path');
    throws(() => array.save_async(`${path}\0x`), TypeError, 'NUL');
    throws(() => array.save_async(path, 'abc'), TypeError, 'flags');
    throws(() => array.save_async(path, 0, 'abc'), Error);
    throws(() => array.save_async(path, 0, null, 'abc'), TypeError, 'callback');
    throws(() => array.save_async(path, 0, () => {}, () => {}), Error);
    throws(() => array.save_finish(null), Error);
});

test('save_async: with a promise', () => {
    const path = makePath();
    const array = Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3));


    equal(wait(array.save_async(path)), true);
    equal(Shnd.Array.open_path(path).toTypedArray(), Uint8Array.of(1, 2, 3));
    array.setAt(9, 0);
    equal(wait(array.save_async(path, 0, null)), true);
    equal(Shnd.Array.open_path(path).at(0), 9);
    throws(() => wait(array.save_async(`${path}/x`)), failure.NOT_FOUND);
    throws(() => wait(array.save_async(`${path}\0x`)), TypeError, 'NUL');
    // Whoever gives a callback gets no promise.
    equal(saveAsync(array, path, null), true);

    // Closed meanwhile, or before.
    array.setAt(8, 0);
    const promise = array.save_async(path);
    array.close();
    equal(wait(promise), true);
    equal(Shnd.Array.open_path(path).at(0), 8);
    throws(() => wait(array.save_async(path)), failure.CLOSED);
});

test('unlink: both ways', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 1);

    equal(array.unlink(), true);
    ok(!exists(name), 'no segment');
    array.setAt(3, 0);
    equal(array.at(0), 3);
    throws(() => array.unlink(), failure.NOT_FOUND);
    const another = Shnd.Array.new(name, 'u1', 1);
    equal(Shnd.unlink(name), true);
    ok(!exists(name), 'no segment');
    another.close();
    throws(() => Shnd.unlink(name), failure.NOT_FOUND);
    throws(() => Shnd.unlink(`${name}\0`), TypeError, 'NUL');
    throws(() => Shnd.unlink('a/b'), failure.INVALID_NAME);
    throws(() => Shnd.unlink(null), TypeError, 'name');
    throws(() => Shnd.Array.new(null, 'u1', 1).unlink(), failure.UNSUPPORTED);
});

test('close: no memory any more', () => {
    const array = Shnd.Array.new(null, 'u2', [2, 3]);
    const view = array.index(0, 1);
    const typed = array.toTypedArray();
    let nNotified = 0;

    array.connect('notify::closed', () => nNotified++);
    array.close();
    array.close();
    equal(nNotified, 1);
    equal(array.closed, true);
    equal(array.shape, [2, 3]);
    equal(`${array.dtype}`, '<u2');
    view.setAt(5, 1);
    equal(view.at(1), 5);
    equal(typed.length, 6);

    for (const work of [
        () => array.at(0, 0), () => array.setAt(1, 0, 0), () => array.toTypedArray(),
        () => array.assign(new Uint16Array(6)), () => array.assign([1, 2, 3, 4, 5, 6]),
        () => array.assign(new ArrayBuffer(12)), () => array.assign(view), () => array.fill(1),
        () => array.dup(), () => array.slice(0, 0, 1), () => array.index(0, 0),
        () => array.reshape(6), () => array.transpose(), () => array.unlink(), () => [...array],
        () => array.asStrided('u1', [], []),
        () => array.get_bytes(), () => array.get_cow_bytes(), () => array.get_memory(),
        () => array.write_bytes(new Uint8Array(12)), () => view.copy_from(array),
        () => array.get_double([0, 0]), () => array.save(makePath()),
    ])
        throws(work, failure.CLOSED);
});

test('new Shnd.Array(): valid and empty', () => {
    const array = new Shnd.Array();

    equal(array.closed, true);
    equal(array.name, null);
    equal(array.shape, [0]);
    equal(array.size, 0);
    equal(`${array.dtype}`, '|u1');
    equal([...array], []);
    array.close();
    for (const work of [
        () => array.at(0), () => array.setAt(1, 0), () => array.toTypedArray(),
        () => array.assign(new Uint8Array(0)), () => array.assign([]),
        () => array.assign(new ArrayBuffer(0)), () => array.fill(1), () => array.dup(),
        () => array.slice(0, 0, 0), () => array.index(0, 0), () => array.reshape(0),
        () => array.transpose(), () => array.field('x'), () => array.unlink(),
        () => array.get_bytes(), () => array.get_cow_bytes(), () => array.get_memory(),
        () => array.write_bytes(new Uint8Array(0)), () => array.get_element([0]),
        () => array.get_int64([0]), () => array.set_int64([0], 1), () => array.save(makePath()),
    ])
        throws(work, failure.CLOSED);
    throws(() => new Shnd.Array({name: 'x'}), Error);
    throws(() => Shnd.Array('x'), Error);
});

test('views outlive their array', () => {
    let array = Shnd.Array.new_from_typed_array(null, Int32Array.of(1, 2, 3, 4), [2, 2]);
    const row = array.index(0, 1);

    array = null;
    collectGarbage();
    equal([...row], [3, 4]);
    row.setAt(7, 0);
    equal(row.at(0), 7);
});

test('no class can be derived', () => {
    throws(() => GObject.registerClass(class Derived extends Shnd.Array {}), TypeError);
});

test('handles that are garbage make room for new ones', () => {
    const name = makeName();
    const array = Shnd.Array.new(name, 'u1', 4);
    const [, limits] = GLib.file_get_contents('/proc/self/limits');
    const [, most] = /Max open files +(\d+)/.exec(new TextDecoder().decode(limits));

    // Where the limit is high, it is not reached.
    for (let i = 0; i < Math.min(Number(most) + 100, 5000); i++)
        equal(Shnd.Array.open(name).at(3), 0);
    array.unlink();
});

test('errors: the domain of the library', () => {
    try {
        Shnd.Array.open(makeName());
    } catch (error) {
        ok(error instanceof GLib.Error, 'GLib.Error');
        ok(error.matches(Shnd.Error, Shnd.Error.NOT_FOUND), 'matches()');
        equal(GLib.quark_to_string(Shnd.Error.quark()), 'shnd-error-quark');
        equal(Shnd.error_quark(), Shnd.Error.quark());
        throws(() => Shnd.Array.new(null, 'u1', 1).slice(0, 0, 2, 1), failure.OUT_OF_RANGE);
        return;
    }
    ok(false, 'threw');
});

run();
