// SPDX-License-Identifier: MIT
/* exported MAX_UINT64, call, defineGetter, forbid, toBytes, toCancellable, toInstance, toNullableText,
   toShape, toText, toTimeout, toUint32, wrap */

// Checks of what scripts pass. GJS turns numbers into C integers without asking whether they fit,
// and cuts strings at a NUL; so all arguments are checked before they go to the library.

const {Gio, GLib} = imports.gi;
const System = imports.system;

var MIN_INT64 = -(2n ** 63n);
var MAX_INT64 = 2n ** 63n - 1n;
var MAX_UINT64 = 2n ** 64n - 1n;

var TypedArray = Object.getPrototypeOf(Uint8Array);

/* How an error message shows a value. */
function show(value) {
    if (typeof value === 'string')
        return JSON.stringify(value);
    if (typeof value === 'bigint')
        return `${value}n`;
    if (typeof value === 'function')
        return `function ${value.name}`;
    if (typeof value === 'object' && value !== null)
        return `an object (${value.constructor?.name ?? 'without a class'})`;
    return String(value);
}

/* An integer as GJS can pass it on: a Number, or a BigInt where a Number would not be exact. */
function toInteger(value, what, min = MIN_INT64, max = MAX_INT64) {
    if (typeof value === 'number') {
        if (!Number.isInteger(value))
            throw new TypeError(`${what}: ${value}, expected an integer`);
        if (!Number.isSafeInteger(value))
            throw new RangeError(`${what}: ${value} is not exact, expected a BigInt for that`);
    } else if (typeof value !== 'bigint') {
        throw new TypeError(`${what}: ${show(value)}, expected an integer`);
    }
    if (value < min || value > max)
        throw new RangeError(`${what}: ${value}, expected ${min} to ${max}`);

    const number = Number(value);

    return Number.isSafeInteger(number) ? number : value;
}

function toUint32(value, what) {
    return toInteger(value, what, 0, 2 ** 32 - 1);
}

function isList(value) {
    return Array.isArray(value) || value instanceof TypedArray;
}

function toIntegers(values, what) {
    if (!isList(values))
        throw new TypeError(`${what}: ${show(values)}, expected an array of integers`);

    return Array.from(values, value => toInteger(value, what));
}

function toShape(shape, what = 'shape') {
    if (typeof shape === 'number' || typeof shape === 'bigint')
        return [toInteger(shape, what)];

    return toIntegers(shape, what);
}

function toText(value, what) {
    if (typeof value !== 'string')
        throw new TypeError(`${what}: ${show(value)}, expected a string`);
    if (value.includes('\0'))
        throw new TypeError(`${what}: ${show(value)} holds a NUL character`);
    if (/\p{Surrogate}/u.test(value))
        throw new TypeError(`${what}: ${show(value)} holds half a surrogate pair`);

    return value;
}

function toNullableText(value, what) {
    return value === null ? null : toText(value, what);
}

/* Microseconds from seconds; those are for ever if they are missing. */
function toTimeout(seconds) {
    if (seconds === undefined || seconds === null)
        return -1;
    if (typeof seconds !== 'number')
        throw new TypeError(`timeout: ${show(seconds)}, expected a number of seconds`);
    if (!(seconds >= 0))
        throw new RangeError(`timeout: ${seconds}, expected 0 or more seconds`);

    const timeout = Math.ceil(seconds * 1e6);

    // That is some 285 years.
    return Number.isSafeInteger(timeout) ? timeout : -1;
}

function toInstance(value, type, typeName, what) {
    if (!(value instanceof type))
        throw new TypeError(`${what}: ${show(value)}, expected a ${typeName}`);

    return value;
}

function toCancellable(value) {
    if (value === undefined || value === null)
        return null;
    if (!(value instanceof Gio.Cancellable))
        throw new TypeError(`cancellable: ${show(value)}, expected a Gio.Cancellable`);

    return value;
}

/* The bytes behind a view or buffer, as they are; null for anything else. */
function getByteView(value) {
    if (value instanceof ArrayBuffer)
        return new Uint8Array(value);
    if (ArrayBuffer.isView(value))
        return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);

    return null;
}

function toBytes(value, what) {
    if (value instanceof GLib.Bytes)
        return value;

    const view = getByteView(value);
    if (view === null) {
        throw new TypeError(
            `${what}: ${show(value)}, expected a GLib.Bytes, a typed array or an ArrayBuffer`);
    }

    return new GLib.Bytes(view);
}

/* Puts a function on a class, one that throws unless it gets as many arguments as it takes. */
function define(owner, name, least, most, body) {
    const checked = function (...args) {
        if (args.length < least || args.length > most) {
            const expected = least === most ? least : `${least} to ${most}`;
            throw new TypeError(`${String(name)}(): the number of arguments is ${args.length}, ` +
                `expected ${expected}`);
        }

        return body.apply(this, args);
    };

    Object.defineProperty(checked, 'name', {value: String(name)});
    // What GJS has put there cannot always be defined anew, but it can be assigned to.
    owner[name] = checked;
}

/* Calls a function of the library. Arrays that are garbage hold memory and file descriptors until
 * they are collected, of which the collector knows nothing: if there are none left, it is told. */
function call(native, self, args) {
    try {
        return native.apply(self, args);
    } catch (error) {
        const {Error} = imports.gi.Shnd;
        if (!(error instanceof GLib.Error) || !error.matches(Error.quark(), Error.NO_SPACE))
            throw error;
    }

    System.gc();

    return native.apply(self, args);
}

/* Has a function from introspection get its arguments as `convert` returns them. */
function wrap(owner, name, least, most, convert) {
    const native = owner[name];

    define(owner, name, least, most, function (...args) {
        return call(native, this, convert.apply(this, args));
    });
}

/* Refuses a function that takes or gives an address, or would crash. */
function forbid(owner, name, advice) {
    define(owner, name, 0, Infinity, () => {
        throw new TypeError(`${name}() is for C: ${advice}`);
    });
}

function defineGetter(owner, name, get) {
    Object.defineProperty(owner, name, {
        get,
        set() {
            throw new TypeError(`${name} cannot be set`);
        },
        configurable: true,
    });
}
