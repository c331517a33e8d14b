// SPDX-License-Identifier: MIT

// Single elements of every kind, and views.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, makeReadOnly} from './shared.js';
import {equal, ok, run, test, throws} from './tap.js';

/* Sets the only element of an array, and gets it back. */
function roundTrip(dtype, value) {
    const array = Shnd.Array.new(null, dtype, [1]);

    array.setAt(value, 0);

    return array.at(0);
}

test('at and setAt: numbers of 32 bits and less, and floats', () => {
    for (const order of ['<', '>']) {
        for (const [dtype, values] of [
            ['i1', [-128, 127, 0]], ['u1', [0, 255]], ['i2', [-32768, 32767]], ['u2', [65535]],
            ['i4', [-(2 ** 31), 2 ** 31 - 1]], ['u4', [2 ** 32 - 1]],
            ['f2', [0.5, -65504, NaN, -0]], ['f4', [0.25, Infinity, NaN]],
            ['f8', [0.1, -1e308, -Infinity, 2 ** 53 + 2, -0]], ['f16', [0.1, 2]],
        ]) {
            for (const value of values)
                equal(roundTrip(order + dtype, value), value, order + dtype);
        }
    }
    equal(roundTrip('i4', 7n), 7);
    equal(roundTrip('f8', 7n), 7);
    equal(roundTrip('i4', -0), 0);
});

test('at and setAt: 64 bits', () => {
    for (const order of ['<', '>']) {
        for (const [dtype, value] of [
            ['i8', -(2n ** 63n)], ['i8', 2n ** 63n - 1n], ['i8', 2n ** 53n + 1n], ['i8', 0n],
            ['u8', 2n ** 64n - 1n], ['u8', 2n ** 63n], ['M8[us]', 1700000000123456789n],
            ['M8[D]', -(2n ** 63n)], ['m8[25s]', -1n], ['m8', 2n ** 53n + 1n],
        ])
            equal(roundTrip(order + dtype, value), value, order + dtype);
    }
    equal(roundTrip('i8', 5), 5n);
    equal(roundTrip('u8', 5), 5n);
    equal(roundTrip('M8[s]', -5), -5n);
});

test('at and setAt: bool', () => {
    equal(roundTrip('?', true), true);
    equal(roundTrip('?', false), false);
    equal(roundTrip('?', 1), true);
    equal(roundTrip('?', 0), false);
});

test('at and setAt: complex', () => {
    for (const dtype of ['c8', '>c8', 'c16', '>c16', 'c32']) {
        equal(roundTrip(dtype, [1.5, -2]), [1.5, -2]);
        equal(roundTrip(dtype, 3), [3, 0]);
        equal(roundTrip(dtype, Float64Array.of(4, 5)), [4, 5]);
    }
});

test('at and setAt: text and bytes', () => {
    equal(roundTrip('U6', 'hé€😀'), 'hé€😀');
    equal(roundTrip('>U6', ''), '');
    equal(roundTrip('S4', 'abc'), Uint8Array.of(97, 98, 99));
    equal(roundTrip('S4', Uint8Array.of(0, 255, 0)), Uint8Array.of(0, 255));
    equal(roundTrip('V3', Uint8Array.of(1, 0, 0)), Uint8Array.of(1, 0, 0));
    equal(roundTrip('V4', Uint16Array.of(1, 2)), Uint8Array.of(1, 0, 2, 0));
    equal(roundTrip('V2', new GLib.Bytes(Uint8Array.of(7, 8))), Uint8Array.of(7, 8));
    equal(roundTrip('V2', Uint8Array.of(7, 8).buffer), Uint8Array.of(7, 8));
    equal(roundTrip('S0', new Uint8Array(0)), new Uint8Array(0));
});

test('at: bytes are of their own', () => {
    const array = Shnd.Array.new(null, 'V2', 1);

    array.at(0).fill(7);
    equal(array.at(0), Uint8Array.of(0, 0));
});

const STRUCT = "[('x', '>i4'), ('y', [('a', '<i8'), ('b', '<c8')]), ('z', '<f4', (2, 2)), " +
    "('n', '<U3'), ('s', '|S2', (2,)), ('ok', '|b1')]";
const VALUE = {
    x: -1,
    y: {a: 2n ** 60n + 1n, b: [1, 2]},
    z: [[1, 2], [3, 4]],
    n: 'né€',
    s: [Uint8Array.of(97), Uint8Array.of(98, 99)],
    ok: true,
};

test('at and setAt: structured', () => {
    equal(roundTrip(STRUCT, VALUE), VALUE);
    equal(roundTrip(STRUCT, Object.fromEntries(Object.entries(VALUE).reverse())), VALUE);
    equal(roundTrip(STRUCT, [-1, [VALUE.y.a, [1, 2]], VALUE.z, 'né€', ['a', 'bc'], 1]), VALUE);
    equal(roundTrip("[('a', 'u1', (3,))]", {a: Uint8Array.of(1, 2, 3)}), {a: [1, 2, 3]});
    equal(roundTrip("[('a', 'u1', (0,)), ('b', 'u1')]", {a: [], b: 4}), {a: [], b: 4});
});

test('at and setAt: names of fields that mean something in JavaScript', () => {
    const dtype = "[('__proto__', 'u1'), ('constructor', 'u1'), ('toString', 'u1')]";
    const array = Shnd.Array.new(null, dtype, 1);

    array.setAt([1, 2, 3], 0);
    const value = array.at(0);
    equal(Object.keys(value), ['__proto__', 'constructor', 'toString']);
    equal(Object.getOwnPropertyDescriptor(value, '__proto__').value, 1);
    ok(Object.getPrototypeOf(value) === Object.prototype, 'prototype');
    array.setAt([0, 0, 0], 0);
    array.setAt(value, 0);
    equal(array.field('__proto__').at(0), 1);
    throws(() => array.setAt({}, 0), failure.TYPE_MISMATCH);
});

test('setAt: a GLib.Variant', () => {
    equal(roundTrip('i4', GLib.Variant.new_byte(7)), 7);
    equal(roundTrip('i8', GLib.Variant.new_uint64(7)), 7n);
    equal(roundTrip('c8', new GLib.Variant('(dd)', [1, 2])), [1, 2]);
    throws(() => roundTrip('i4', GLib.Variant.new_string('7')), failure.TYPE_MISMATCH);
});

test('setAt: what an element cannot be', () => {
    for (const [dtype, value, expected] of [
        ['i4', 'x', TypeError], ['i4', '7', TypeError], ['i4', true, TypeError],
        ['i4', null, TypeError], ['i4', undefined, TypeError], ['i4', [1], TypeError],
        ['i4', {}, TypeError], ['i4', Symbol('x'), TypeError], ['i4', () => 1, TypeError],
        ['i4', new Date(0), TypeError], ['i4', 0.5, failure.OUT_OF_RANGE],
        ['i4', NaN, failure.OUT_OF_RANGE], ['i4', Infinity, failure.OUT_OF_RANGE],
        ['i4', 2 ** 31, failure.OUT_OF_RANGE], ['u1', -1, failure.OUT_OF_RANGE],
        ['u1', 256n, failure.OUT_OF_RANGE], ['u1', 2n ** 64n, RangeError],
        ['i8', 2 ** 53, RangeError], ['i8', 2n ** 63n, failure.OUT_OF_RANGE],
        ['i8', 1e300, RangeError], ['i8', 0.5, failure.OUT_OF_RANGE],
        ['u8', -1, failure.OUT_OF_RANGE], ['u8', -1n, failure.OUT_OF_RANGE],
        ['u8', 2n ** 64n, RangeError], ['i8', -(2n ** 63n) - 1n, RangeError],
        ['f8', 'x', TypeError], ['f8', null, TypeError], ['f4', 1e300, failure.OUT_OF_RANGE],
        ['f8', true, TypeError], ['?', 2, failure.OUT_OF_RANGE], ['?', 'true', TypeError],
        ['?', null, TypeError], ['M8[s]', 0.5, TypeError], ['M8[s]', 'now', TypeError],
        ['M8[s]', new Date(0), TypeError], ['M8[s]', 2 ** 53, RangeError],
        ['c8', [1], TypeError], ['c8', [1, 'x'], TypeError], ['c8', 'x', TypeError],
        ['c8', [1, 2, 3], TypeError], ['c8', [1, 1e300], failure.OUT_OF_RANGE],
        ['U3', 7, TypeError], ['U3', 'abcd', failure.OUT_OF_RANGE], ['U3', 'a\0b', TypeError],
        ['U3', '\ud800', TypeError], ['U3', null, TypeError],
        ['S3', 7, TypeError], ['S3', 'abcd', failure.OUT_OF_RANGE], ['S3', 'a\0b', TypeError],
        ['S3', [1, 2], TypeError], ['V3', 'abc', TypeError], ['V3', [1, 2, 3], TypeError],
        ['V3', Uint8Array.of(1, 2), failure.TYPE_MISMATCH],
        ['V3', Uint8Array.of(1, 2, 3, 4), failure.TYPE_MISMATCH],
        [STRUCT, 7, TypeError], [STRUCT, null, TypeError], [STRUCT, 'x', TypeError],
        [STRUCT, [1, 2], TypeError], [STRUCT, {...VALUE, w: 1}, TypeError],
        [STRUCT, {...VALUE, x: 'x'}, TypeError], [STRUCT, {...VALUE, z: [1, 2]}, TypeError],
        [STRUCT, {...VALUE, z: [[1, 2], [3]]}, TypeError], [STRUCT, {...VALUE, z: 1}, TypeError],
        [STRUCT, {...VALUE, ok: 7}, failure.OUT_OF_RANGE], [STRUCT, {x: 1}, failure.TYPE_MISMATCH],
        [STRUCT, {...VALUE, 'x\0': 1}, TypeError], [STRUCT, {}, failure.TYPE_MISMATCH],
    ]) {
        const array = Shnd.Array.new(null, dtype, 1);
        const before = Uint8Array.from({length: array.nBytes}, (_, i) => i % 2);

        array.write_bytes(before);
        throws(() => array.setAt(value, 0), expected);
        equal(array.get_bytes().toArray(), before, `${dtype} after it`);
        throws(() => array.fill(value), expected);
        equal(array.get_bytes().toArray(), before, `${dtype} after it`);
    }
});

test('at and setAt: indices', () => {
    const array = Shnd.Array.new_from_typed_array(null, Int16Array.of(1, 2, 3, 4, 5, 6), [2, 3]);

    equal(array.at(1, 2), 6);
    equal(array.at(1n, 2n), 6);
    equal(array.at(1, -0), 4);
    for (const indices of [
        [], [0], [0, 0, 0], [-1, 0], [0, -1], [2, 0], [0, 3], [0, 2 ** 53 - 1], [2n ** 63n - 1n, 0],
        [-(2n ** 63n), 0], Array(33).fill(0), Array(100).fill(0),
    ]) {
        throws(() => array.at(...indices), failure.OUT_OF_RANGE);
        throws(() => array.setAt(9, ...indices), failure.OUT_OF_RANGE);
        throws(() => array.get_element(indices), failure.OUT_OF_RANGE);
        throws(() => array.set_element(indices, GLib.Variant.new_byte(9)), failure.OUT_OF_RANGE);
        throws(() => array.get_double(indices), failure.OUT_OF_RANGE);
        throws(() => array.set_double(indices, 9), failure.OUT_OF_RANGE);
        throws(() => array.get_int64(indices), failure.OUT_OF_RANGE);
        throws(() => array.set_int64(indices, 9), failure.OUT_OF_RANGE);
    }
    for (const [index, expected] of [
        [0.5, TypeError], [NaN, TypeError], [Infinity, TypeError], ['0', TypeError],
        [null, TypeError], [undefined, TypeError], [[0], TypeError], [true, TypeError],
        [2 ** 53, RangeError], [2n ** 64n, RangeError], [2 ** 64, RangeError],
    ]) {
        throws(() => array.at(0, index), expected, 'index');
        throws(() => array.setAt(9, 0, index), expected, 'index');
        for (const work of [
            indices => array.get_element(indices), indices => array.get_double(indices),
            indices => array.get_int64(indices), indices => array.set_double(indices, 9),
            indices => array.set_int64(indices, 9),
            indices => array.set_element(indices, GLib.Variant.new_byte(9)),
        ])
            throws(() => work([0, index]), expected, 'indices');
    }
    throws(() => array.at([0, 0]), TypeError);
    throws(() => array.setAt(), TypeError, 'arguments');
    equal(array.toTypedArray(), Int16Array.of(1, 2, 3, 4, 5, 6));
});

test('get_element and set_element', () => {
    const array = Shnd.Array.new(null, 'i2', [2, 2]);

    equal(array.set_element([1, 0], GLib.Variant.new_int16(-7)), true);
    equal(array.get_element([1, 0]).get_type_string(), 'n');
    equal(array.get_element([1, 0]).get_int16(), -7);
    equal(array.get_element(Int32Array.of(1, 0)).get_int16(), -7);
    for (const value of [7, null, undefined, 'x', {}])
        throws(() => array.set_element([0, 0], value), TypeError, 'GLib.Variant');
    for (const indices of [null, undefined, 7, '00', {}])
        throws(() => array.get_element(indices), TypeError, 'indices');
    throws(() => array.get_element(0, 0), TypeError, 'arguments');
});

test('get_double and set_double', () => {
    const array = Shnd.Array.new(null, '>f8', [2]);

    equal(array.set_double([1], 0.1), true);
    equal(array.get_double([1]), 0.1);
    for (const value of ['1', null, undefined, 1n, {}, true])
        throws(() => array.set_double([1], value), TypeError, 'number');
    throws(() => Shnd.Array.new(null, 'S1', 1).get_double([0]), failure.TYPE_MISMATCH);
    throws(() => array.get_double(1), TypeError);
    throws(() => array.get_double(), TypeError, 'arguments');
});

test('get_int64 and set_int64', () => {
    const array = Shnd.Array.new(null, 'i8', [2]);
    const floats = Shnd.Array.new_from_typed_array(null, Float64Array.of(3, 0.5, 2 ** 60, NaN));
    const small = Shnd.Array.new(null, 'u1', 1);

    equal(array.set_int64([1], -5), true);
    equal(array.get_int64([1]), -5);
    array.set_int64([1], 2n ** 63n - 1n);
    equal(array.at(1), 2n ** 63n - 1n);
    throws(() => array.get_int64([1]), RangeError, 'at()');
    for (const value of ['1', null, undefined, 0.5, NaN, {}])
        throws(() => array.set_int64([1], value), TypeError, 'value');
    for (const value of [2 ** 53, 2n ** 63n])
        throws(() => array.set_int64([1], value), RangeError, 'value');
    equal(floats.get_int64([0]), 3);
    throws(() => floats.get_int64([1]), failure.OUT_OF_RANGE);
    throws(() => floats.get_int64([2]), RangeError, 'at()');
    throws(() => floats.get_int64([3]), failure.OUT_OF_RANGE);
    throws(() => small.set_int64([0], 256), failure.OUT_OF_RANGE);
    throws(() => Shnd.Array.new(null, 'S1', 1).get_int64([0]), failure.TYPE_MISMATCH);
});

test('read-only: nothing can be set', () => {
    const array = makeReadOnly(Uint8Array.of(1, 2, 3));

    for (const work of [
        () => array.setAt(9, 0), () => array.fill(9), () => array.assign([9, 9, 9]),
        () => array.assign(new Uint8Array(3)), () => array.assign(new Uint16Array(3)),
        () => array.assign(new ArrayBuffer(3)), () => array.assign(array),
        () => array.copy_from(array), () => array.write_bytes(new Uint8Array(3)),
        () => array.set_double([0], 9), () => array.set_int64([0], 9),
        () => array.set_element([0], GLib.Variant.new_byte(9)), () => array.index(0, 0).setAt(9),
    ])
        throws(work, failure.READ_ONLY);
    equal([...array], [1, 2, 3]);
});

function makeMatrix() {
    return Shnd.Array.new_from_typed_array(null, Int16Array.of(0, 1, 2, 10, 11, 12), [2, 3]);
}

test('slice', () => {
    const array = makeMatrix();
    const every = array.slice(1, 0, 3, 2);
    const backwards = array.slice(1, 2, -1, -1);

    equal(every.shape, [2, 2]);
    equal(every.toTypedArray(), Int16Array.of(0, 2, 10, 12));
    equal(backwards.strides, [6, -2]);
    equal(backwards.toTypedArray(), Int16Array.of(2, 1, 0, 12, 11, 10));
    equal(array.slice(0, 1, 2).toTypedArray(), Int16Array.of(10, 11, 12));
    equal(array.slice(0, 1n, 1n).shape, [0, 3]);
    backwards.setAt(99, 0, 0);
    equal(array.at(0, 2), 99);
    throws(() => array.slice(2, 0, 1), failure.OUT_OF_RANGE);
    throws(() => array.slice(0, 0, 3), failure.OUT_OF_RANGE);
    throws(() => array.slice(0, -1, 1), failure.OUT_OF_RANGE);
    throws(() => array.slice(0, 0, 1, 0), failure.INVALID_ARGUMENT);
    throws(() => array.slice(0, 0, 2n ** 63n - 1n), failure.OUT_OF_RANGE);
    throws(() => array.slice(-1, 0, 1), RangeError, 'axis');
    throws(() => array.slice(2 ** 32, 0, 1), RangeError, 'axis');
    throws(() => array.slice(0, 2 ** 53, 1), RangeError, 'start');
    throws(() => array.slice(0, 0, 1.5), TypeError, 'stop');
    throws(() => array.slice(0, 0, 1, '1'), TypeError, 'step');
    throws(() => array.slice(0, 0, 1, 2n ** 63n), RangeError, 'step');
    throws(() => array.slice(0, 0), TypeError, 'arguments');
    throws(() => array.slice(0, 0, 1, 1, 1), TypeError, 'arguments');
});

test('index', () => {
    const array = makeMatrix();

    equal(array.index(0, 1).shape, [3]);
    equal(array.index(0, 1).toTypedArray(), Int16Array.of(10, 11, 12));
    equal(array.index(1, 2n).toTypedArray(), Int16Array.of(2, 12));
    equal(array.index(0, 0).index(0, 1).at(), 1);
    throws(() => array.index(0, -1), failure.OUT_OF_RANGE);
    throws(() => array.index(0, 2), failure.OUT_OF_RANGE);
    throws(() => array.index(-1, 0), RangeError, 'axis');
    throws(() => array.index(0, 0.5), TypeError, 'index');
    throws(() => array.index(0), TypeError, 'arguments');
});

test('reshape', () => {
    const array = makeMatrix();

    equal(array.reshape([3, 2]).at(1, 0), 2);
    equal(array.reshape(6).shape, [6]);
    equal(array.reshape(-1).shape, [6]);
    equal(array.reshape([2, -1, 1]).shape, [2, 3, 1]);
    array.reshape(6).setAt(77, 5);
    equal(array.at(1, 2), 77);
    throws(() => array.reshape(5), failure.INVALID_SHAPE);
    throws(() => array.reshape([-1, -1]), failure.INVALID_SHAPE);
    throws(() => array.reshape([2 ** 40, 2 ** 40]), failure.INVALID_SHAPE);
    throws(() => array.transpose().reshape(6), failure.NOT_CONTIGUOUS);
    throws(() => array.reshape([1.5, 4]), TypeError, 'shape');
    throws(() => array.reshape(null), TypeError, 'shape');
    throws(() => array.reshape(2, 3), TypeError, 'arguments');
});

test('transpose', () => {
    const array = makeMatrix();

    equal(array.transpose().shape, [3, 2]);
    equal(array.transpose(null).shape, [3, 2]);
    equal(array.transpose([]).shape, [3, 2]);
    equal(array.transpose([1, 0]).toTypedArray(), Int16Array.of(0, 10, 1, 11, 2, 12));
    equal(array.transpose([0, 1n]).shape, [2, 3]);
    for (const axes of [[0], [0, 0], [0, 2], [0, -1], [0, 1, 2]])
        throws(() => array.transpose(axes), failure.INVALID_ARGUMENT);
    throws(() => array.transpose([0, 0.5]), TypeError, 'axes');
    throws(() => array.transpose(1), TypeError, 'axes');
    throws(() => array.transpose(1, 0), TypeError, 'arguments');
});

test('field', () => {
    const array = Shnd.Array.new(null, "[('a', 'u1'), (('title', 'b'), '<f8', (2,))]", 2);

    array.setAt({a: 1, b: [2, 3]}, 1);
    equal([...array.field('a')], [0, 1]);
    equal(array.field('b').shape, [2, 2]);
    equal(array.field('title').at(1, 1), 3);
    array.field('b').setAt(9, 0, 0);
    equal(array.at(0), {a: 0, b: [9, 0]});
    throws(() => array.field('c'), failure.NOT_FOUND);
    throws(() => array.field('a').field('a'), failure.TYPE_MISMATCH);
    throws(() => array.field('a\0'), TypeError, 'NUL');
    throws(() => array.field(0), TypeError, 'field');
    throws(() => array.field(), TypeError, 'arguments');
});

test('iteration', () => {
    const array = makeMatrix();

    equal([...array].length, 2);
    equal([...array].map(row => [...row]), [[0, 1, 2], [10, 11, 12]]);
    for (const row of array)
        row.fill(5);
    equal(array.toTypedArray(), new Int16Array(6).fill(5));
    equal([...Shnd.Array.new(null, 'i8', 2)], [0n, 0n]);
    equal([...Shnd.Array.new(null, 'u1', [0, 3])], []);
    throws(() => [...Shnd.Array.new(null, 'u1', [])], TypeError, 'dimensions');
});

test('fill', () => {
    const array = Shnd.Array.new(null, 'u8', [2, 2]);

    equal(array.fill(2n ** 64n - 1n), true);
    equal([...array.reshape(4)], Array(4).fill(2n ** 64n - 1n));
    array.transpose().index(0, 1).fill(3);
    equal(array.toTypedArray()[1], 3n);
    throws(() => array.fill(), TypeError, 'arguments');
});

test('dup', () => {
    const array = makeMatrix().transpose();
    const copy = array.dup();
    const fortran = array.dup(null, Shnd.CreateFlags.FORTRAN);

    equal(copy.order, Shnd.Order.C);
    equal(copy.toTypedArray(), Int16Array.of(0, 10, 1, 11, 2, 12));
    equal(fortran.order, Shnd.Order.FORTRAN);
    equal(fortran.toTypedArray(), copy.toTypedArray());
    copy.fill(0);
    equal(array.at(1, 1), 11);
    throws(() => array.dup(7), TypeError, 'name');
    throws(() => array.dup('a\0'), TypeError, 'NUL');
    throws(() => array.dup(null, -1), RangeError, 'flags');
    throws(() => array.dup(null, 0, null, null, null), TypeError, 'arguments');
});

test('copy_from', () => {
    const array = Shnd.Array.new(null, 'f4', [2, 3]);

    equal(array.copy_from(makeMatrix()), true);
    equal(array.toTypedArray(), Float32Array.of(0, 1, 2, 10, 11, 12));
    array.copy_from(makeMatrix().index(0, 1));
    equal(array.toTypedArray(), Float32Array.of(10, 11, 12, 10, 11, 12));
    throws(() => array.copy_from(array.index(1, 0)), failure.INVALID_SHAPE);
    throws(() => array.copy_from(Shnd.Array.new(null, 'S1', [2, 3])), failure.TYPE_MISMATCH);
    for (const source of [null, undefined, [1], new Float32Array(6), {}])
        throws(() => array.copy_from(source), TypeError, 'source');
});

run();
