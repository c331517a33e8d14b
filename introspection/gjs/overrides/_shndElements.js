// SPDX-License-Identifier: MIT
/* exported CLASS_DTYPES, assign, fromVariant, getBigInt, getType, getVariantBytes, setNamespace,
   toTypedArray, toVariant, withTemporary */

// Elements as JavaScript's values, one by one through GVariant and all at once as typed arrays.
// GJS has no way to see a 64-bit integer exactly but a BigInt.

const {GLib} = imports.gi;

const {
    MAX_INT64, MAX_UINT64, MIN_INT64, TypedArray, getByteView, isList, show, toBytes, toInteger,
    toText,
} = imports.overrides._shndArguments;

// What SpiderMonkey allows for one ArrayBuffer.
const MAX_BUFFER = 2 ** 33;

// The least number that a half-precision float rounds to infinity.
const HALF_INFINITY = 65520;

// Descriptions of what the typed arrays hold, in the machine's byte order.
var CLASS_DTYPES = new Map([
    [Int8Array, 'i1'],
    [Uint8Array, 'u1'],
    [Uint8ClampedArray, 'u1'],
    [Int16Array, 'i2'],
    [Uint16Array, 'u2'],
    [Int32Array, 'i4'],
    [Uint32Array, 'u4'],
    [BigInt64Array, 'i8'],
    [BigUint64Array, 'u8'],
    [Float32Array, 'f4'],
    [Float64Array, 'f8'],
]);

const INT_CLASSES = {1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigInt64Array};
const UINT_CLASSES = {1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array};

// Where an array keeps the description of its dtype.
const TYPE = Symbol('type');

// The namespace, which cannot be imported while its override is read, and its kinds of dtypes.
let Shnd = null;
let Kind = null;
let setElement = null;

/* To be called before methods are replaced: elements that are made here need no more checks. */
function setNamespace(namespace) {
    Shnd = namespace;
    Kind = Shnd.DTypeKind;
    setElement = Shnd.Array.prototype.set_element;
}

/* ---- Types ---- */

/* The class that shows elements of a type, and the type to which they have to be converted first if
 * JavaScript has no numbers like that; `raw` if they are shown as bytes. */
function findTypedArray(type, dtype) {
    const {kind, size} = type;
    const swapped = !dtype.is_native();
    const unit = dtype.get_unit() === null ? '' : `[${dtype.get_unit()}]`;

    switch (kind) {
    case Kind.BOOL:
        return {Class: Uint8Array};
    case Kind.INT:
        return {Class: INT_CLASSES[size], convert: swapped ? `i${size}` : null};
    case Kind.UINT:
        return {Class: UINT_CLASSES[size], convert: swapped ? `u${size}` : null};
    case Kind.FLOAT:
        if (size <= 4)
            return {Class: Float32Array, convert: swapped || size < 4 ? 'f4' : null};
        return {Class: Float64Array, convert: swapped || size > 8 ? 'f8' : null};
    case Kind.COMPLEX:
        if (size === 8)
            return {Class: Float32Array, convert: swapped ? 'c8' : null};
        return {Class: Float64Array, convert: swapped || size > 16 ? 'c16' : null};
    case Kind.DATETIME:
        return {Class: BigInt64Array, convert: swapped ? `M8${unit}` : null};
    case Kind.TIMEDELTA:
        return {Class: BigInt64Array, convert: swapped ? `m8${unit}` : null};
    default:
        return {Class: Uint8Array, raw: true};
    }
}

/* What there is to know about a dtype, without asking for it again at each element. */
function describe(dtype) {
    const kind = dtype.get_kind();
    const size = dtype.get_item_size();
    const type = {kind, size, what: `Element of dtype ${dtype.to_string()}`};

    type.integer = kind === Kind.INT || kind === Kind.UINT;
    type.time = kind === Kind.DATETIME || kind === Kind.TIMEDELTA;
    type.wide = type.time || (type.integer && size === 8);
    type.plain = kind === Kind.FLOAT || (type.integer && size < 8);
    type.typed = findTypedArray(type, dtype);

    if (kind === Kind.STRUCT) {
        type.fields = [];
        for (let i = 0; i < dtype.get_n_fields(); i++) {
            type.fields.push({
                name: dtype.get_field_name(i),
                type: describe(dtype.get_field_dtype(i)),
            });
        }
    } else if (kind === Kind.SUBARRAY) {
        type.base = describe(dtype.get_base());
        type.shape = dtype.get_base_shape();
    }

    return type;
}

function getType(array) {
    array[TYPE] ??= describe(array.get_dtype());

    return array[TYPE];
}

/* ---- One element ---- */

/* A 64-bit integer, which GVariant's getters would round. */
function getBigInt(variant) {
    return BigInt(variant.print(false));
}

function getVariantBytes(variant) {
    return variant.get_data_as_bytes().toArray().slice();
}

function fromSubarray(type, shape, variant) {
    if (shape.length === 0)
        return fromVariant(type, variant);

    return Array.from({length: variant.n_children()},
        (_, i) => fromSubarray(type, shape.slice(1), variant.get_child_value(i)));
}

function fromStruct(type, variant) {
    const value = {};

    // Not by assignment, which would do something else for a field named __proto__.
    type.fields.forEach((field, i) => {
        Object.defineProperty(value, field.name, {
            value: fromVariant(field.type, variant.get_child_value(i)),
            enumerable: true,
            writable: true,
            configurable: true,
        });
    });

    return value;
}

function fromVariant(type, variant) {
    if (type.wide)
        return getBigInt(variant);

    switch (type.kind) {
    case Kind.BOOL:
        return variant.get_boolean();
    case Kind.COMPLEX:
        return [variant.get_child_value(0).get_double(), variant.get_child_value(1).get_double()];
    case Kind.BYTES:
    case Kind.VOID:
        return getVariantBytes(variant);
    case Kind.UNICODE:
        return variant.get_string()[0];
    case Kind.STRUCT:
        return fromStruct(type, variant);
    case Kind.SUBARRAY:
        return fromSubarray(type.base, type.shape, variant);
    default:
        return variant.unpack();
    }
}

function refuse(type, value, expected, ErrorClass = TypeError) {
    return new ErrorClass(`${type.what}: ${show(value)}, expected ${expected}`);
}

function fromBigInt(type, value) {
    if (value < MIN_INT64 || value > MAX_UINT64)
        throw new RangeError(`${type.what}: ${value} has more than 64 bits`);

    return value > MAX_INT64 ? GLib.Variant.new_uint64(value) : GLib.Variant.new_int64(value);
}

function toNumberVariant(type, value) {
    if (typeof value === 'bigint' && type.kind === Kind.FLOAT)
        return GLib.Variant.new_double(Number(value));
    if (typeof value === 'bigint')
        return fromBigInt(type, value);
    if (typeof value !== 'number')
        throw refuse(type, value, 'a number');

    // The library refuses what is not whole or does not fit, but cannot see what was rounded.
    if (type.wide && Number.isInteger(value))
        return GLib.Variant.new_int64(toInteger(value, type.what));
    if (type.time)
        throw refuse(type, value, 'a BigInt or an integer');

    return GLib.Variant.new_double(value);
}

function toStructVariant(type, value) {
    if (Array.isArray(value)) {
        if (value.length !== type.fields.length)
            throw refuse(type, value, `${type.fields.length} items, not ${value.length}`);

        return new GLib.Variant('av',
            value.map((item, i) => toVariant(type.fields[i].type, item)));
    }
    if (typeof value !== 'object' || value === null)
        throw refuse(type, value, 'an object with a property for each field');

    const members = Object.create(null);
    for (const name of Object.keys(value)) {
        const field = type.fields.find(candidate => candidate.name === name);
        if (field === undefined)
            throw refuse(type, value, `no property ${show(name)}, as there is no such field`);
        members[name] = toVariant(field.type, value[name]);
    }

    return new GLib.Variant('a{sv}', members);
}

function toSubarrayVariant(type, base, shape, value) {
    if (shape.length === 0)
        return toVariant(base, value);
    if (!isList(value))
        throw refuse(type, value, `an array of ${shape[0]} items`);
    if (value.length !== shape[0])
        throw refuse(type, value, `${shape[0]} items, not ${value.length}`);

    return new GLib.Variant('av', Array.from(value,
        item => toSubarrayVariant(type, base, shape.slice(1), item)));
}

function toVariant(type, value) {
    if (value instanceof GLib.Variant)
        return value;

    switch (type.kind) {
    case Kind.BOOL:
        if (typeof value === 'boolean')
            return GLib.Variant.new_boolean(value);
        return toNumberVariant(type, value);
    case Kind.COMPLEX:
        if (!isList(value))
            return toNumberVariant(type, value);
        if (value.length !== 2 || typeof value[0] !== 'number' || typeof value[1] !== 'number')
            throw refuse(type, value, 'a number, or [real, imaginary]');
        return new GLib.Variant('(dd)', [value[0], value[1]]);
    case Kind.BYTES:
    case Kind.VOID: {
        if (type.kind === Kind.BYTES && typeof value === 'string')
            return GLib.Variant.new_string(toText(value, type.what));
        const view = value instanceof GLib.Bytes ? value.toArray() : getByteView(value);
        if (view === null)
            throw refuse(type, value, 'a Uint8Array');
        return GLib.Variant.new_from_bytes(
            new GLib.VariantType('ay'), new GLib.Bytes(view), true);
    }
    case Kind.UNICODE:
        return GLib.Variant.new_string(toText(value, type.what));
    case Kind.STRUCT:
        return toStructVariant(type, value);
    case Kind.SUBARRAY:
        return toSubarrayVariant(type, type.base, type.shape, value);
    default:
        return toNumberVariant(type, value);
    }
}

/* ---- All elements ---- */

/* An array whose memory is its elements in C order, as a typed array; a copy only if they do not
 * begin where such elements can. */
function getTypedView(array, Class) {
    if (!array.is_aligned())
        array = array.dup();

    const bytes = array.get_bytes();
    // Not from the bytes: GJS 1.74 never frees those of which it has called a function.
    const length = array.get_n_bytes();

    if (length === 0)
        return new Class(0);
    if (length > MAX_BUFFER) {
        throw new RangeError(
            `${length} bytes, but JavaScript sees at most ${MAX_BUFFER} at once: take a slice`);
    }

    const view = bytes.toArray();

    return new Class(view.buffer, view.byteOffset, length / Class.BYTES_PER_ELEMENT);
}

function toTypedArray(array) {
    const {Class, convert} = getType(array).typed;

    if (!convert && array.get_order() === Shnd.Order.C)
        return getTypedView(array, Class);
    if (!convert)
        return getTypedView(array.dup(), Class);

    const copy = Shnd.Array.new(null, convert, array.shape);
    copy.copy_from(array);

    return getTypedView(copy, Class);
}

/* Memory of this process alone goes as soon as the work is done, not when it is collected. */
function withTemporary(temporary, work) {
    try {
        return work(temporary);
    } finally {
        temporary.close();
    }
}

function assignConverted(array, dtype, bytes) {
    withTemporary(Shnd.Array.new_from_bytes(null, dtype, array.shape, bytes),
        temporary => array.copy_from(temporary));
}

/* Bytes in C order, of the array's own dtype. */
function assignBytes(array, bytes) {
    if (array.get_order() === Shnd.Order.FORTRAN)
        assignConverted(array, array.get_dtype(), bytes);
    else
        array.write_bytes(bytes);
}

function checkLength(array, length, expected) {
    if (length !== expected) {
        throw new RangeError(
            `${length} elements for an array of shape (${array.shape.join(', ')}), ` +
            `expected ${expected}`);
    }
}

function assignTypedArray(array, values) {
    const type = getType(array);
    const {Class, convert, raw} = type.typed;
    const size = array.get_size();
    const isComplex = type.kind === Kind.COMPLEX;
    let same = values instanceof Class && !convert;
    let dtype = CLASS_DTYPES.get(values.constructor);

    if (dtype === undefined)
        throw new TypeError(`${show(values)}: expected one of JavaScript's own typed arrays`);

    if (raw) {
        if (!(values instanceof Uint8Array))
            throw refuse(type, values, 'a Uint8Array of bytes');
        checkLength(array, values.length, size * type.size);
    } else if (isComplex && values.length === 2 * size &&
        (values instanceof Float32Array || values instanceof Float64Array)) {
        dtype = values instanceof Float32Array ? 'c8' : 'c16';
    } else {
        checkLength(array, values.length, size);
        if (type.time && !(values instanceof BigInt64Array))
            throw refuse(type, values, 'a BigInt64Array');
        if (type.time)
            dtype = convert;
        // One number for each complex one, and what is true as any number, are converted.
        same = same && !isComplex && type.kind !== Kind.BOOL;
    }

    if (same)
        assignBytes(array, values);
    else
        assignConverted(array, dtype, values);
}

/* Items in C order, whether they came in one Array or in Arrays of Arrays. */
function flatten(array, items) {
    const isNested = (list, shape) => shape.length > 1 && list.length === shape[0] &&
        list.every(item => Array.isArray(item) && item.length === shape[1]);

    let {shape} = array;
    while (isNested(items, shape)) {
        items = items.flat();
        shape = [shape[0] * shape[1], ...shape.slice(2)];
    }
    checkLength(array, items.length, array.get_size());

    return items;
}

function packIntegers(type, items) {
    const {Class} = type.typed;
    const isSigned = type.kind !== Kind.UINT;
    const bits = 8n * BigInt(type.size);
    const min = isSigned ? -(2n ** (bits - 1n)) : 0n;
    const max = isSigned ? 2n ** (bits - 1n) - 1n : 2n ** bits - 1n;
    const make = type.wide ? BigInt : Number;

    return Class.from(items, item => make(toInteger(item, type.what, min, max)));
}

function packFloat(type, item) {
    if (typeof item !== 'number' && typeof item !== 'bigint')
        throw refuse(type, item, 'a number');

    const number = Number(item);
    const size = type.kind === Kind.COMPLEX ? type.size / 2 : type.size;
    const isTooLarge = (size === 4 && !Number.isFinite(Math.fround(number))) ||
        (size === 2 && Math.abs(number) >= HALF_INFINITY);
    if (isTooLarge && Number.isFinite(number))
        throw refuse(type, item, 'a number that is not rounded to infinity', RangeError);

    return number;
}

/* An Array of numbers as a typed array, if the dtype is a number. */
function packItems(type, items) {
    if (type.integer || type.time)
        return packIntegers(type, items);

    switch (type.kind) {
    case Kind.BOOL:
        return Uint8Array.from(items, item => {
            if (typeof item !== 'boolean' && item !== 0 && item !== 1)
                throw refuse(type, item, 'true or false');
            return Number(item);
        });
    case Kind.FLOAT:
        return Float64Array.from(items, item => packFloat(type, item));
    case Kind.COMPLEX:
        return Float64Array.from(items.flatMap(item => {
            if (!Array.isArray(item))
                return [packFloat(type, item), 0];
            if (item.length !== 2)
                throw refuse(type, item, 'a number, or [real, imaginary]');
            return item.map(part => packFloat(type, part));
        }));
    default:
        return null;
    }
}

function assignItems(array, items) {
    const type = getType(array);

    items = flatten(array, items);

    const packed = packItems(type, items);
    if (packed !== null) {
        assignTypedArray(array, packed);
        return;
    }

    // One that cannot be taken must not leave the array half written.
    withTemporary(Shnd.Array.new(null, array.get_dtype(), items.length), temporary => {
        items.forEach((item, i) => setElement.call(temporary, [i], toVariant(type, item)));
        array.copy_from(temporary.reshape(array.shape));
    });
}

function assign(array, source) {
    if (source instanceof Shnd.Array)
        array.copy_from(source);
    else if (source instanceof TypedArray)
        assignTypedArray(array, source);
    else if (Array.isArray(source))
        assignItems(array, source);
    else
        assignBytes(array, toBytes(source, 'source'));
}
