// SPDX-License-Identifier: MIT

// All elements at once: typed arrays, Arrays and bytes, out and in.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';
import System from 'system';

import {failure, makeName, makePath, makeReadOnly} from './shared.js';
import {collectGarbage, equal, ok, run, test, throws} from './tap.js';

// Since 1.82 GJS copies what it makes of bytes.
const IS_ALIASED = System.version < 18200;

const {FORTRAN, SPARSE} = Shnd.CreateFlags;

test('toTypedArray: every kind of number', () => {
    for (const [dtype, values, expected] of [
        ['?', [true, false], Uint8Array.of(1, 0)],
        ['i1', [-1, 2], Int8Array.of(-1, 2)],
        ['u1', [255, 2], Uint8Array.of(255, 2)],
        ['i2', [-1, 258], Int16Array.of(-1, 258)],
        ['u2', [1, 65534], Uint16Array.of(1, 65534)],
        ['i4', [-1, 66000], Int32Array.of(-1, 66000)],
        ['u4', [1, 2 ** 32 - 2], Uint32Array.of(1, 2 ** 32 - 2)],
        ['i8', [-1n, 2n ** 62n], BigInt64Array.of(-1n, 2n ** 62n)],
        ['u8', [1n, 2n ** 64n - 2n], BigUint64Array.of(1n, 2n ** 64n - 2n)],
        ['f2', [0.5, -2], Float32Array.of(0.5, -2)],
        ['f4', [0.5, -2], Float32Array.of(0.5, -2)],
        ['f8', [0.1, -2], Float64Array.of(0.1, -2)],
        ['f16', [0.1, -2], Float64Array.of(0.1, -2)],
        ['c8', [[0.5, -2], 3], Float32Array.of(0.5, -2, 3, 0)],
        ['c16', [[0.1, -2], 3], Float64Array.of(0.1, -2, 3, 0)],
        ['c32', [[0.1, -2], 3], Float64Array.of(0.1, -2, 3, 0)],
        ['M8[us]', [-1n, 2n ** 60n], BigInt64Array.of(-1n, 2n ** 60n)],
        ['M8', [-1n, 2n ** 60n], BigInt64Array.of(-1n, 2n ** 60n)],
        ['m8[25s]', [-(2n ** 63n), 1n], BigInt64Array.of(-(2n ** 63n), 1n)],
    ]) {
        for (const order of ['<', '>']) {
            const array = Shnd.Array.new(null, order + dtype, 2);
            const doubled = Shnd.Array.new(null, order + dtype, [2, 2]);

            values.forEach((value, i) => array.setAt(value, i));
            equal(array.toTypedArray(), expected, array.dtype);
            array.fill(values[1]);
            array.assign(values);
            equal(array.toTypedArray(), expected, `assign(Array) ${array.dtype}`);
            array.fill(values[1]);
            array.assign(expected);
            equal(array.toTypedArray(), expected, `assign(typed array) ${array.dtype}`);
            doubled.index(1, 1).assign(expected);
            equal(doubled.index(1, 1).toTypedArray(), expected, `view ${array.dtype}`);
            equal([...doubled.index(1, 1)], values.map(value => value === 3 ? [3, 0] : value));
        }
    }
});

test('toTypedArray: bytes, text and structs are bytes', () => {
    for (const [dtype, values, expected] of [
        ['S2', ['a', 'bc'], Uint8Array.of(97, 0, 98, 99)],
        ['>U1', ['a', 'é'], Uint8Array.of(0, 0, 0, 97, 0, 0, 0, 0xe9)],
        ['V2', [Uint8Array.of(1, 2), Uint8Array.of(3, 4)], Uint8Array.of(1, 2, 3, 4)],
        ["[('a', 'u1'), ('b', '>u2')]", [{a: 1, b: 2}, [3, 4]], Uint8Array.of(1, 0, 2, 3, 0, 4)],
    ]) {
        const array = Shnd.Array.new(null, dtype, 2);
        const table = Shnd.Array.new(null, dtype, [2, 2]);

        array.assign(values);
        equal(array.toTypedArray(), expected, dtype);
        table.index(1, 0).assign(array);
        equal(table.index(1, 0).toTypedArray(), expected, `view of ${dtype}`);
        table.index(1, 1).assign(expected);
        equal(table.index(1, 1).toTypedArray(), expected, `assign(typed array) to ${dtype}`);
        throws(() => array.assign(expected.subarray(1)), RangeError);
        throws(() => array.assign(Uint16Array.from(expected)), TypeError, 'Uint8Array');
    }
});

test('toTypedArray: C order, however the elements lie', () => {
    const values = Int16Array.of(1, 2, 3, 4, 5, 6);

    for (const flags of [0, FORTRAN]) {
        const array = Shnd.Array.new_from_typed_array(null, values, [2, 3], flags);

        equal(array.toTypedArray(), values);
        equal(array.transpose().toTypedArray(), Int16Array.of(1, 4, 2, 5, 3, 6));
        equal(array.slice(1, 2, -1, -2).toTypedArray(), Int16Array.of(3, 1, 6, 4));
        equal(array.index(1, 1).toTypedArray(), Int16Array.of(2, 5));
        array.assign(Int16Array.of(6, 5, 4, 3, 2, 1));
        equal(array.at(0, 1), 5);
        array.assign(values.buffer);
        equal(array.toTypedArray(), values);
        array.transpose().assign([1, 2, 3, 4, 5, 6]);
        equal(array.toTypedArray(), Int16Array.of(1, 3, 5, 2, 4, 6));
    }
});

test('toTypedArray: no elements, no dimensions, no bytes', () => {
    equal(Shnd.Array.new(null, 'f8', 0).toTypedArray(), new Float64Array(0));
    equal(Shnd.Array.new(null, '>f8', [3, 0]).toTypedArray(), new Float64Array(0));
    equal(Shnd.Array.new(null, 'i4', []).toTypedArray(), Int32Array.of(0));
    equal(Shnd.Array.new(null, 'S0', 5).toTypedArray(), new Uint8Array(0));
    Shnd.Array.new(null, 'f8', [3, 0]).assign([]);
    Shnd.Array.new(null, 'f8', [0, 3]).assign(new Float64Array(0));
});

test('toTypedArray: memory that is not aligned', () => {
    const name = makeName();
    const struct = Shnd.Array.new(null, "[('a', 'u1'), ('b', '<f8', (2,))]", []);

    struct.setAt({a: 1, b: [2.5, 3.5]});
    equal(struct.field('b').order, Shnd.Order.C);
    equal(struct.field('b').toTypedArray(), Float64Array.of(2.5, 3.5));

    const bytes = new Uint8Array(33);
    bytes.set(new Uint8Array(Float64Array.of(1.5, 2.5, 3.5, 4.5).buffer), 1);
    GLib.file_set_contents(`/dev/shm/${name}`, bytes);
    for (const access of [Shnd.Access.READ, Shnd.Access.READ_WRITE]) {
        const array = Shnd.Array.open_segment(name, 'f8', 4, 1, access);
        const typed = array.toTypedArray();

        equal(typed, Float64Array.of(1.5, 2.5, 3.5, 4.5));
        // No typed array can begin there: this is a copy.
        typed[0] = 9;
        equal(typed[0], 9);
        equal(array.at(0), 1.5);
        equal(array.index(0, 3).toTypedArray(), Float64Array.of(4.5));
        equal(Shnd.Array.open_segment(name, 'c8', 2, 1, access).toTypedArray().length, 4);
        equal(Shnd.Array.open_segment(name, '>i2', 4, 3, access).toTypedArray().length, 4);
    }
});

test('toTypedArray: no copy where GJS does not copy', () => {
    const array = Shnd.Array.new(null, 'f8', [2, 3]);
    const typed = array.toTypedArray();
    const row = array.index(0, 1).toTypedArray();

    array.setAt(5, 1, 0);
    equal(typed[3], IS_ALIASED ? 5 : 0);
    equal(row[0], IS_ALIASED ? 5 : 0);
    typed[0] = 7;
    equal(array.at(0, 0), IS_ALIASED ? 7 : 0);
});

test('toTypedArray: stays when all else is gone', () => {
    const name = makeName();
    let array = Shnd.Array.new(name, 'i4', 1000);

    array.fill(7);
    const typed = array.toTypedArray();
    const bytes = array.get_bytes();
    const copy = array.slice(0, 0, 1000, 3).toTypedArray();
    array.close();
    Shnd.unlink(name);
    array = null;
    for (let i = 0; i < 5; i++) {
        collectGarbage();
        Shnd.Array.new(null, 'i4', 1000).fill(9);
    }
    equal(typed.reduce((a, b) => a + b), 7000);
    equal(copy.reduce((a, b) => a + b), 7 * 334);
    equal(bytes.get_size(), 4000);
    equal(bytes.toArray()[0], 7);
    typed.fill(1);
});

test('toTypedArray: writes to a read-only array reach nobody', () => {
    for (const flags of [0, FORTRAN]) {
        const values = Float64Array.of(1, 2, 3, 4, 5, 6);
        const array = makeReadOnly(values, [2, 3], flags);
        const writer = Shnd.Array.open(array.name);
        const seen = array.toTypedArray();

        writer.setAt(9, 0, 0);
        equal(seen[0], IS_ALIASED && flags === 0 ? 9 : 1);
        writer.setAt(1, 0, 0);
        for (const view of [
            array.toTypedArray(), array.index(0, 0).toTypedArray(),
            array.slice(1, 0, 2).toTypedArray(), array.transpose().toTypedArray(),
            array.get_bytes().toArray(), array.get_cow_bytes().toArray(),
            array.index(0, 1).get_memory()[0].toArray(), array.get_memory()[0].toArray(),
        ]) {
            view.fill(99);
            equal(view[0], 99);
            equal(array.toTypedArray(), values);
            equal(writer.toTypedArray(), values);
        }
    }
});

test('toTypedArray: a read-only file', () => {
    const path = makePath();

    Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3)).save(path);
    const array = Shnd.Array.open_path(path, Shnd.Access.READ);
    array.toTypedArray().fill(9);
    equal(Array.from(GLib.file_get_contents(path)[1].slice(-3)), [1, 2, 3]);
});

test('toTypedArray: more than JavaScript can see', () => {
    const array = Shnd.Array.new(null, 'u1', 2 ** 33 + 1, SPARSE);

    throws(() => array.toTypedArray(), RangeError, 'slice');
    equal(array.at(2 ** 33), 0);
    equal(array.slice(0, 2 ** 33, 2 ** 33 + 1).toTypedArray(), Uint8Array.of(0));
    throws(() => array.get_bytes().toArray(), RangeError);
});

test('toTypedArray: arguments', () => {
    throws(() => Shnd.Array.new(null, 'u1', 1).toTypedArray(Uint8Array), TypeError,
        'toTypedArray()');
});

test('assign: conversion between numbers', () => {
    for (const [dtype, source, expected] of [
        ['u1', Int16Array.of(-1, 257), Uint8Array.of(255, 1)],
        ['u1', Uint8ClampedArray.of(7, 8), Uint8Array.of(7, 8)],
        ['u1', Float64Array.of(3.9, 300), Uint8Array.of(3, 255)],
        ['f4', BigInt64Array.of(-5n, 7n), Float32Array.of(-5, 7)],
        ['i8', Uint8Array.of(5, 7), BigInt64Array.of(5n, 7n)],
        ['u8', BigInt64Array.of(-1n, 7n), BigUint64Array.of(2n ** 64n - 1n, 7n)],
        ['>f8', Float32Array.of(0.5, 7), Float64Array.of(0.5, 7)],
        ['f2', Float64Array.of(0.5, 1e300), Float32Array.of(0.5, Infinity)],
        ['?', Uint8Array.of(0, 7), Uint8Array.of(0, 1)],
        ['?', Float32Array.of(0.5, 0), Uint8Array.of(1, 0)],
        ['c8', Uint8Array.of(5, 7), Float32Array.of(5, 0, 7, 0)],
        ['c8', Float64Array.of(5, 7), Float32Array.of(5, 0, 7, 0)],
        ['c8', Float64Array.of(5, 6, 7, 8), Float32Array.of(5, 6, 7, 8)],
        ['c16', Float32Array.of(5, 6, 7, 8), Float64Array.of(5, 6, 7, 8)],
        ['>c8', Float32Array.of(5, 6, 7, 8), Float32Array.of(5, 6, 7, 8)],
    ]) {
        const array = Shnd.Array.new(null, dtype, 2);

        equal(array.assign(source), undefined);
        equal(array.toTypedArray(), expected, `${source} to ${dtype}`);
    }
});

test('assign: part of a buffer, and its own memory', () => {
    const array = Shnd.Array.new(null, 'u2', 3);

    array.assign(Uint16Array.of(9, 1, 2, 3, 9).subarray(1, 4));
    equal(array.toTypedArray(), Uint16Array.of(1, 2, 3));
    array.assign(array.toTypedArray().reverse());
    equal(array.toTypedArray(), Uint16Array.of(3, 2, 1));
    array.slice(0, 2, -1, -1).assign(array);
    equal(array.toTypedArray(), Uint16Array.of(1, 2, 3));
});

test('assign: bytes as they are', () => {
    const array = Shnd.Array.new(null, '>u2', [2, 2], FORTRAN);
    const bytes = Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4);

    for (const source of [
        bytes.buffer, new DataView(bytes.buffer), new GLib.Bytes(bytes),
        new DataView(Uint8Array.of(9, ...bytes).buffer, 1),
    ]) {
        array.fill(0);
        array.assign(source);
        equal(array.toTypedArray(), Uint16Array.of(1, 2, 3, 4));
    }
    equal(array.write_bytes(bytes), true);
    equal(array.toTypedArray(), Uint16Array.of(1, 3, 2, 4));
    equal(array.write_bytes(Uint16Array.of(0, 0x100, 0, 0)), true);
    equal(array.toTypedArray(), Uint16Array.of(0, 0, 1, 0));
    throws(() => array.assign(new ArrayBuffer(7)), failure.INVALID_ARGUMENT);
    throws(() => array.index(0, 0).assign(new ArrayBuffer(8)), failure.INVALID_ARGUMENT);
    throws(() => array.write_bytes(new Uint8Array(9)), failure.INVALID_ARGUMENT);
    throws(() => array.write_bytes('12345678'), TypeError, 'bytes');
    throws(() => array.write_bytes(null), TypeError, 'bytes');
});

test('assign: Arrays, flat and nested', () => {
    const array = Shnd.Array.new(null, 'i4', [2, 3]);
    const cube = Shnd.Array.new(null, 'i4', [2, 1, 2]);
    const column = Shnd.Array.new(null, 'c16', [2, 1]);

    array.assign([1, 2, 3, 4, 5, 6]);
    equal(array.toTypedArray(), Int32Array.of(1, 2, 3, 4, 5, 6));
    array.assign([[6, 5, 4], [3, 2, 1n]]);
    equal(array.toTypedArray(), Int32Array.of(6, 5, 4, 3, 2, 1));
    cube.assign([[[1, 2]], [[3, 4]]]);
    equal(cube.toTypedArray(), Int32Array.of(1, 2, 3, 4));
    column.assign([[1, 2], 3]);
    equal(column.toTypedArray(), Float64Array.of(1, 2, 3, 0));
    column.assign([[[4, 5]], [[6, 7]]]);
    equal(column.toTypedArray(), Float64Array.of(4, 5, 6, 7));
    throws(() => array.assign([[1, 2], [3, 4], [5, 6]]), RangeError);
    throws(() => array.assign([[1, 2, 3], [4, 5]]), RangeError);
    throws(() => array.assign([[1, 2, 3], [4, 5, [6]]]), TypeError);
    throws(() => array.assign([1, 2, , 4, 5, 6]), TypeError);
    equal(array.toTypedArray(), Int32Array.of(6, 5, 4, 3, 2, 1));
});

test('assign: Arrays of what is no number', () => {
    const array = Shnd.Array.new(null, "[('a', 'u1'), ('b', '<U3')]", [1, 2], FORTRAN);

    array.assign([{a: 1, b: 'x'}, [2, 'y']]);
    equal([...array.reshape(2)], [{a: 1, b: 'x'}, {a: 2, b: 'y'}]);
    array.assign([[{a: 3, b: 'z'}, {a: 4, b: ''}]]);
    equal([...array.reshape(2)], [{a: 3, b: 'z'}, {a: 4, b: ''}]);
    throws(() => array.assign([{a: 1, b: 'x'}, {a: 1, b: 7}]), TypeError);
    throws(() => array.assign([{a: 1, b: 'x'}, {a: 256, b: ''}]), failure.OUT_OF_RANGE);
    equal([...array.reshape(2)], [{a: 3, b: 'z'}, {a: 4, b: ''}]);
});

test('assign: what does not fit changes nothing', () => {
    for (const [dtype, source, expected] of [
        ['u1', [1], RangeError], ['u1', [1, 2, 3], RangeError],
        ['u1', new Uint8Array(1), RangeError], ['u1', new Float32Array(3), RangeError],
        ['u1', [1, 256], RangeError],
        ['u1', [1, -1], RangeError], ['u1', [1, 0.5], TypeError], ['u1', [1, NaN], TypeError],
        ['u1', [1, '2'], TypeError], ['u1', [1, null], TypeError], ['u1', [1, true], TypeError],
        ['u1', [1, 2n ** 64n], RangeError], ['i8', [1, 2 ** 53], RangeError],
        ['i8', [1, 2n ** 63n], RangeError], ['u8', [1, -1n], RangeError],
        ['f4', [1, 1e300], RangeError], ['f2', [1, 65520], RangeError],
        ['f8', [1, '2'], TypeError], ['c8', [1, 1e300], RangeError], ['c8', [1, [2]], TypeError],
        ['c8', [1, ['2', 3]], TypeError], ['?', [true, 2], TypeError],
        ['?', [true, 'x'], TypeError],
        ['M8[s]', [1n, 0.5], TypeError], ['M8[s]', new Float64Array(2), TypeError],
        ['M8[s]', new BigUint64Array(2), TypeError], ['m8', new Int32Array(2), TypeError],
        ['u1', null, TypeError], ['u1', undefined, TypeError], ['u1', 7, TypeError],
        ['u1', 'ab', TypeError], ['u1', {length: 2}, TypeError], ['u1', new Map(), TypeError],
        ['u1', new Shnd.Array(), failure.CLOSED],
        ['u1', Shnd.Array.new(null, 'u1', 3), failure.INVALID_SHAPE],
        ['u1', Shnd.Array.new(null, 'S1', 2), failure.TYPE_MISMATCH],
        ['S1', [1, 2], TypeError], ['U1', new Uint8Array(2), RangeError],
    ]) {
        const array = Shnd.Array.new(null, dtype, 2);

        array.write_bytes(new Uint8Array(array.nBytes).fill(1));
        throws(() => array.assign(source), expected);
        equal(array.get_bytes().toArray(), new Uint8Array(array.nBytes).fill(1));
    }
    throws(() => Shnd.Array.new(null, 'u1', 2).assign(), TypeError, 'arguments');
    throws(() => Shnd.Array.new(null, 'u1', 2).assign([1, 2], 0), TypeError, 'arguments');
});

test('assign: another array', () => {
    const array = Shnd.Array.new(null, 'f4', [2, 2]);

    array.assign(Shnd.Array.new_from_typed_array(null, Int32Array.of(1, 2)));
    equal(array.toTypedArray(), Float32Array.of(1, 2, 1, 2));
});

test('elements that are not aligned are copied', () => {
    const array = Shnd.Array.new(null, "[('a', 'u1'), ('b', '<f4')]", 1);

    array.setAt({a: 1, b: 2.5}, 0);
    equal(array.is_aligned(), true);
    equal(array.field('b').is_aligned(), false);
    equal(array.field('b').toTypedArray(), Float32Array.of(2.5));
    equal(array.field('a').is_aligned(), true);
    equal(Shnd.Array.new(null, 'f8', [3, 4]).slice(1, 1, 3).is_aligned(), true);
});

test('what typed arrays show is freed', () => {
    const countMappings = () => GLib.file_get_contents('/proc/self/maps')[1]
        .filter(byte => byte === 10).length;
    const arrays = [];
    for (const Class of [Uint8Array, Float32Array, BigInt64Array])
        arrays.push(makeReadOnly(new Class(5000)));
    for (const dtype of ['>i2', 'f8', 'c16'])
        arrays.push(Shnd.Array.new(null, dtype, 5000));

    collectGarbage();
    const before = countMappings();
    for (let i = 0; i < 100; i++) {
        for (const array of arrays) {
            array.toTypedArray();
            array.slice(0, 1, 5, 2).toTypedArray();
        }
    }
    collectGarbage();
    ok(countMappings() - before < 50, `${countMappings() - before} more mappings`);
});

test('get_bytes, get_cow_bytes and get_memory', () => {
    const array = Shnd.Array.new_from_typed_array(null, Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const backwards = array.slice(1, 2, -1, -1);

    equal(array.get_bytes().toArray(), Uint8Array.of(1, 2, 3, 4, 5, 6));
    equal(array.index(0, 1).get_bytes().get_size(), 3);
    throws(() => backwards.get_bytes(), failure.NOT_CONTIGUOUS);
    throws(() => backwards.get_cow_bytes(), failure.NOT_CONTIGUOUS);

    const [memory, offset] = backwards.get_memory();
    equal(offset, 2);
    equal(memory.toArray(), Uint8Array.of(1, 2, 3, 4, 5, 6));

    array.get_cow_bytes().toArray().fill(9);
    equal(array.at(0, 0), 1);
    throws(() => array.get_data(), TypeError);
    for (const method of ['get_bytes', 'get_cow_bytes', 'get_memory'])
        throws(() => array[method](1), TypeError, 'arguments');
});

test('methods on what is no array', () => {
    for (const [name, ...args] of [
        ['at', 0], ['setAt', 0, 0], ['toTypedArray'], ['assign', []], ['fill', 0], ['dup'],
        ['slice', 0, 0, 0], ['get_bytes'], ['get_shape'], ['close'], ['save', 'x'],
    ]) {
        for (const object of [{}, null, 7, Shnd.Array.prototype, new Uint8Array(1)])
            throws(() => Shnd.Array.prototype[name].apply(object, args), Error);
    }
    ok(Shnd.Array.prototype.at.name === 'at', 'functions have names');
});

run();
