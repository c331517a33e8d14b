// SPDX-License-Identifier: MIT
/* exported WAIT_OPTIONS, checkProperty, defineProperty, takeProperties, toDepth, toOptions,
   toWaitArguments */

// Objects with options, and properties that are checked.

const {
    call, define, show, toCancellable, toInteger, toText, toTimeout, wrap,
} = imports.overrides._shndArguments;

/* ---- Arguments ---- */

/* The members of an object with options, which may be missing. */
function toOptions(value, names) {
    if (value === undefined || value === null)
        return {};
    if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
        throw new TypeError(`options: ${show(value)}, expected an object with ${names.join(', ')}`);

    for (const name of Object.keys(value)) {
        if (!names.includes(name)) {
            throw new TypeError(
                `options: there is no ${show(name)}, expected one of ${names.join(', ')}`);
        }
    }

    return value;
}

var WAIT_OPTIONS = ['timeout', 'cancellable'];

function toWaitArguments(options) {
    const {timeout, cancellable} = toOptions(options, WAIT_OPTIONS);

    return [toTimeout(timeout), toCancellable(cancellable)];
}

function toDepth(Shnd, least) {
    return value => toInteger(value, 'depth', least, Shnd.MAX_DEPTH);
}

/* ---- Properties ---- */

function defineProperty(owner, name, get, set) {
    Object.defineProperty(owner, name, {get, set, configurable: true});
}

/* Has what is set checked: GJS would cut a number to the bits of the property. */
function checkProperty(owner, name, convert) {
    const camelCase = name.replace(/_./g, part => part[1].toUpperCase());
    const getNative = owner[`get_${name}`];

    wrap(owner, `set_${name}`, 1, 1, value => [convert(value, name)]);
    for (const key of new Set([name, camelCase, name.replace(/_/g, '-')])) {
        defineProperty(owner, key, function () {
            return getNative.call(this);
        }, function (value) {
            this[`set_${name}`](value);
        });
    }
}

/* Has `new` of a class take an object with first values of these properties. */
function takeProperties(Class, names) {
    const native = Class.new;

    define(Class, 'new', 1, 2, (address, properties) => {
        properties = toOptions(properties, names);

        const object = call(native, Class, [toText(address, 'address')]);
        try {
            for (const name of Object.keys(properties))
                object[name] = properties[name];
        } catch (error) {
            object.close();
            throw error;
        }

        return object;
    });
}
