// SPDX-License-Identifier: MIT
/* exported getInt64, getMetadata, toMetadata */

// What travels with a frame: an `a{sv}` as a plain object.
//
// GJS 1.74.2 never frees a variant that a function returns without handing over a reference, as
// constructors and most getters do. With every frame that would be too much: here are ways around.

const {GLib, GObject} = imports.gi;

const {
    MAX_INT64, MAX_UINT64, MIN_INT64, TypedArray, getByteView, show, toText,
} = imports.overrides._shndArguments;
const {getBigInt, getVariantBytes} = imports.overrides._shndElements;

// GVariant itself gives up at 128, and counts an object twice.
const MAX_DEPTH = 32;

// The least number that has all its digits.
const MIN_NORMAL = 2 ** -1022;

const TYPE = new GLib.VariantType('a{sv}');

/* A property as a GObject.Value. */
function getValue(object, name, type) {
    const value = new GObject.Value();

    value.init(type);
    object.get_property(name, value);

    return value;
}

/* A property that is an integer of 64 bits, which GJS itself would round. */
function getInt64(object, name) {
    const text = new GObject.Value();

    text.init(GObject.TYPE_STRING);
    getValue(object, name, GObject.TYPE_INT64).transform(text);

    return BigInt(text.get_string());
}

/* ---- From the library ---- */

function define(object, name, value) {
    // Not by assignment, which would do something else for a key __proto__.
    Object.defineProperty(object, name, {
        value, enumerable: true, writable: true, configurable: true,
    });
}

function fromArray(variant) {
    const type = variant.get_type_string();
    const length = variant.n_children();

    if (type === 'ay')
        return getVariantBytes(variant);
    if (type[1] !== '{')
        return Array.from({length}, (_, i) => fromVariant(variant.get_child_value(i)));

    const object = {};
    for (let i = 0; i < length; i++) {
        const entry = variant.get_child_value(i);

        define(object, String(fromVariant(entry.get_child_value(0))),
            fromVariant(entry.get_child_value(1)));
    }

    return object;
}

function fromVariant(variant) {
    switch (variant.get_type_string()[0]) {
    case 'a':
        return fromArray(variant);
    case '(':
        return Array.from({length: variant.n_children()},
            (_, i) => fromVariant(variant.get_child_value(i)));
    case 'v':
        return fromVariant(variant.get_variant());
    case 'm': {
        const content = variant.get_maybe();
        return content === null ? null : fromVariant(content);
    }
    case 'x':
    case 't': {
        const value = getBigInt(variant);
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value;
    }
    case 's':
    case 'o':
    case 'g':
        return variant.get_string()[0];
    default:
        return variant.unpack();
    }
}

/* The metadata of a frame as a plain object. */
function getMetadata(frame) {
    return fromVariant(getValue(frame, 'metadata', GObject.TYPE_VARIANT).dup_variant());
}

/* ---- To the library, as GVariant's text ---- */

function printText(value, what) {
    return JSON.stringify(toText(value, what));
}

function printNumber(value) {
    const size = Math.abs(value);

    if (Object.is(value, -0))
        return 'double -0.0';
    if (Number.isSafeInteger(value))
        return `int64 ${value}`;
    if (!Number.isFinite(value))
        return `double ${String(value).toLowerCase().replace('infinity', 'inf')}`;
    // In decimal these are refused, as being rounded.
    if (size < MIN_NORMAL)
        return `double ${value < 0 ? '-' : ''}0x${(size / MIN_NORMAL).toString(16)}p-1022`;

    return `double ${value}`;
}

function printBigInt(value, what) {
    if (value < MIN_INT64 || value > MAX_UINT64)
        throw new RangeError(`${what}: ${value} has more than 64 bits`);

    return `${value > MAX_INT64 ? 'uint64' : 'int64'} ${value}`;
}

/* Items of one kind become an array of that kind, which is easier to read in other languages. */
function printList(items, what, depth) {
    const isAll = test => items.length > 0 && items.every(test);

    if (isAll(item => typeof item === 'string'))
        return `@as [${items.map(item => printText(item, what))}]`;
    if (isAll(item => typeof item === 'boolean'))
        return `@ab [${items}]`;
    if (isAll(item => typeof item === 'number')) {
        const texts = items.map(printNumber);
        const type = texts.every(text => text.startsWith('int64')) ? 'x' : 'd';

        return `@a${type} [${texts.map(text => text.slice(text.indexOf(' ') + 1))}]`;
    }

    return `@av [${items.map((item, i) => `<${printAny(item, `${what}[${i}]`, depth + 1)}>`)}]`;
}

function isPlain(value) {
    if (typeof value !== 'object' || value === null)
        return false;

    const prototype = Object.getPrototypeOf(value);

    return prototype === null || prototype === Object.prototype;
}

function printObject(object, what, depth) {
    const members = Object.keys(object).map(key => {
        const text = printAny(object[key], `${what}.${key}`, depth + 1);

        return `${printText(key, `${what}: key`)}: <${text}>`;
    });

    return `@a{sv} {${members}}`;
}

function printAny(value, what, depth) {
    if (depth > MAX_DEPTH)
        throw new RangeError(`${what}: more than ${MAX_DEPTH} levels`);

    switch (typeof value) {
    case 'boolean':
        return String(value);
    case 'number':
        return printNumber(value);
    case 'bigint':
        return printBigInt(value, what);
    case 'string':
        return printText(value, what);
    }

    if (value instanceof GLib.Variant)
        return value.print(true);

    const bytes = value instanceof GLib.Bytes ? value.toArray() : getByteView(value);
    if (bytes !== null && (!(value instanceof TypedArray) || value instanceof Uint8Array))
        return `@ay [${bytes.join()}]`;
    if (Array.isArray(value) || value instanceof TypedArray)
        return printList(Array.from(value), what, depth);
    if (isPlain(value))
        return printObject(value, what, depth);

    throw new TypeError(`${what}: ${show(value)}, expected a boolean, a number, a BigInt, a ` +
        'string, a Uint8Array, an Array, a plain object or a GLib.Variant');
}

/* An `a{sv}` of a plain object; null for none. */
function toMetadata(value) {
    if (value === undefined || value === null || value instanceof GLib.Variant)
        return value ?? null;
    if (!isPlain(value)) {
        throw new TypeError(
            `metadata: ${show(value)}, expected a plain object or a GLib.Variant`);
    }

    return GLib.Variant.parse(TYPE, printObject(value, 'metadata', 0), null, null);
}
