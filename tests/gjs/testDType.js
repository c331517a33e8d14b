// SPDX-License-Identifier: MIT

// Dtypes.

import Shnd from 'gi://Shnd?version=1';

import {failure} from './shared.js';
import {collectGarbage, equal, ok, run, test, throws} from './tap.js';

const STRUCT = "[(('when', 't'), '<M8[us]'), ('position', '>f4', (3, 2)), ('', '|V4'), " +
    "('color', [('r', '|u1'), ('g', '|u1')])]";

test('toString: the canonical description', () => {
    equal(`${Shnd.DType.new('float32')}`, '<f4');
    equal(Shnd.DType.new('>i2').toString(), '>i2');
    equal(Shnd.DType.new(' ? ').to_string(), '|b1');
    equal(`${Shnd.DType.new(STRUCT)}`, STRUCT);
});

test('new: all that names a dtype', () => {
    const dtype = Shnd.DType.new(Uint16Array);

    equal(`${dtype}`, '<u2');
    ok(Shnd.DType.new(dtype).equal(dtype), 'of a dtype');
    ok(new Shnd.DType('u2').equal(dtype), 'with new');
    equal(`${new Shnd.DType(Float64Array)}`, '<f8');
    collectGarbage();
    equal(`${dtype}`, '<u2');
});

test('new: what names none', () => {
    for (const description of [undefined, null, 7, {}, [], Array]) {
        throws(() => Shnd.DType.new(description), TypeError, 'dtype');
        throws(() => new Shnd.DType(description), TypeError, 'dtype');
    }
    for (const description of ['', 'object', 'O', 'x', '[(', 'i3', "[('a', 'O')]"]) {
        throws(() => Shnd.DType.new(description), failure.INVALID_DTYPE);
        throws(() => new Shnd.DType(description), failure.INVALID_DTYPE);
    }
    throws(() => Shnd.DType.new('f4\0f8'), TypeError, 'NUL');
    throws(() => new Shnd.DType('f4\0f8'), TypeError, 'NUL');
    throws(() => new Shnd.DType(), TypeError, 'arguments');
    throws(() => Shnd.DType.new('f4', 'f8'), TypeError, 'arguments');
    throws(() => Shnd.DType('f4'), Error);
});

test('kinds, sizes, byte order', () => {
    const {DTypeKind: Kind} = Shnd;

    for (const [description, kind, size, alignment, isNative] of [
        ['?', Kind.BOOL, 1, 1, true], ['>i8', Kind.INT, 8, 8, false], ['u2', Kind.UINT, 2, 2, true],
        ['f2', Kind.FLOAT, 2, 2, true], ['c8', Kind.COMPLEX, 8, 4, true],
        ['S5', Kind.BYTES, 5, 1, true], ['>U5', Kind.UNICODE, 20, 4, false],
        ['M8[ns]', Kind.DATETIME, 8, 8, true], ['m8', Kind.TIMEDELTA, 8, 8, true],
        ['V7', Kind.VOID, 7, 1, true], [STRUCT, Kind.STRUCT, 38, 1, false],
        ["('<f4', (2, 3))", Kind.SUBARRAY, 24, 4, true],
    ]) {
        const dtype = Shnd.DType.new(description);

        ok(dtype.equal(Shnd.DType.new(`${dtype}`)), description);
        equal(dtype.get_kind(), kind, description);
        equal(dtype.get_item_size(), size, description);
        equal(dtype.get_alignment(), alignment, description);
        equal(dtype.is_native(), isNative, description);
    }
});

test('units of time', () => {
    equal(Shnd.DType.new('M8[25s]').get_unit(), '25s');
    equal(Shnd.DType.new('m8').get_unit(), null);
    equal(Shnd.DType.new(Float32Array).get_unit(), null);
});

test('fields', () => {
    const dtype = Shnd.DType.new(STRUCT);

    equal(dtype.get_n_fields(), 3);
    equal([0, 1, 2, 3].map(i => dtype.get_field_name(i)), ['t', 'position', 'color', null]);
    equal([0, 1].map(i => dtype.get_field_title(i)), ['when', null]);
    equal([0, 1, 2].map(i => dtype.get_field_offset(i)), [0, 8, 36]);
    equal(`${dtype.get_field_dtype(2).get_field_dtype(0)}`, '|u1');
    equal(dtype.get_field_dtype(3), null);
    equal(dtype.find_field('color'), 2);
    equal(dtype.find_field('when'), 0);
    equal(dtype.find_field('nothing'), -1);
    for (const method of [
        'get_field_name', 'get_field_title', 'get_field_dtype', 'get_field_offset',
    ]) {
        throws(() => dtype[method](-1), RangeError);
        throws(() => dtype[method](2 ** 32), RangeError);
        throws(() => dtype[method](0.5), TypeError);
        throws(() => dtype[method]('0'), TypeError);
        throws(() => dtype[method](), TypeError);
    }
    throws(() => dtype.find_field('t\0'), TypeError, 'NUL');
    throws(() => dtype.find_field(null), TypeError, 'name');
});

test('sub-arrays', () => {
    const dtype = Shnd.DType.new(STRUCT).get_field_dtype(1);

    equal(dtype.get_base_shape(), [3, 2]);
    equal(`${dtype.get_base()}`, '>f4');
    equal(Shnd.DType.new(Uint8Array).get_base_shape(), []);
    equal(Shnd.Array.new(null, "('f4', (2, 3))", 4).shape, [4, 2, 3]);
});

test('equal and hash', () => {
    const dtype = Shnd.DType.new(Float32Array);

    equal(dtype.equal(Shnd.DType.new('<f4')), true);
    equal(dtype.equal(Shnd.DType.new('>f4')), false);
    equal(dtype.hash(), Shnd.DType.new('single').hash());
    throws(() => dtype.equal(null), Error);
    throws(() => dtype.equal('f4'), Error);
});

test('ref and unref: not for scripts', () => {
    const dtype = Shnd.DType.new(STRUCT);

    throws(() => dtype.ref(), TypeError);
    throws(() => dtype.unref(), TypeError);
    collectGarbage();
    equal(`${dtype}`, STRUCT);
});

test('fields keep their dtype alive', () => {
    let dtype = Shnd.DType.new(STRUCT);
    const color = dtype.get_field_dtype(2);

    dtype = null;
    collectGarbage();
    equal(`${color}`, "[('r', '|u1'), ('g', '|u1')]");
});

run();
