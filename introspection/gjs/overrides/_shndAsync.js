// SPDX-License-Identifier: MIT
/* exported defineAsync */

// Asynchronous functions: with a callback, or as promises.

const {call, define, show} = imports.overrides._shndArguments;

/* Takes the callback from the arguments: the one behind all others, or as Gio._promisify() has it,
 * the last one of those that there are. */
function takeCallback(args, nOthers) {
    const last = args[args.length - 1];
    const callback = typeof last === 'function' ? args.pop() : args[nOthers] ?? null;

    if (callback !== null && typeof callback !== 'function')
        throw new TypeError(`callback: ${show(callback)}, expected a function`);

    return callback;
}

/* Has an asynchronous function from introspection get its arguments, but the callback, as `convert`
 * returns them. Without a callback it returns a promise, of what `finish` makes of the source object
 * and the result. */
function defineAsync(owner, name, least, most, convert, finish) {
    const native = owner[name];

    define(owner, name, least, most, function (...args) {
        const callback = takeCallback(args, most - 1);
        const converted = convert.apply(this, args);

        if (callback !== null) {
            call(native, this, [...converted, callback]);
            return undefined;
        }

        return new Promise((resolve, reject) => {
            call(native, this, [...converted, (source, result) => {
                try {
                    resolve(finish(source, result));
                } catch (error) {
                    reject(error);
                }
            }]);
        });
    });
    // Gio._promisify() passes a callback of its own, and tells by this whether there is one already.
    Object.defineProperty(owner[name], 'length', {value: most});
}
