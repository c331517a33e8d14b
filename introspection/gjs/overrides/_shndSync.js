// SPDX-License-Identifier: MIT
/* exported addSynchronization */

// Several processes on one array: its lock, its change counter, and waiting for a name.

const {GObject} = imports.gi;

const {
    MAX_UINT64, call, define, toCancellable, toInteger, toText, toTimeout, toUint32, wrap,
} = imports.overrides._shndArguments;
const {defineAsync} = imports.overrides._shndAsync;

function addSynchronization(Shnd) {
    const ArrayClass = Shnd.Array;
    const proto = ArrayClass.prototype;

    const native = {};
    for (const name of ['get_sequence', 'lock', 'lock_finish', 'wait', 'wait_finish', 'watch'])
        native[name] = proto[name];

    /* ---- The lock ---- */

    /**
     * Takes the lock of the array for this object, and waits for it if need be. The script does
     * nothing else meanwhile: with a main loop, use lock_async().
     *
     * It goes back with unlock() or close().
     *
     * @function Shnd.Array#lock
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {boolean} whether the last owner died with the lock: the elements may be half
     *   written
     */
    define(proto, 'lock', 0, 2, function (timeout, cancellable) {
        return call(native.lock, this, [toTimeout(timeout), toCancellable(cancellable)])[1];
    });

    /**
     * Takes the lock as lock() does, while a main loop runs.
     *
     * @function Shnd.Array#lock_async
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for lock_finish(), and there is no promise
     * @returns {Promise<boolean>} whether the last owner died with the lock
     */
    defineAsync(proto, 'lock_async', 0, 3,
        (timeout, cancellable) => [toTimeout(timeout), toCancellable(cancellable)],
        (source, result) => source.lock_finish(result));

    define(proto, 'lock_finish', 1, 1, function (result) {
        return native.lock_finish.call(this, result)[1];
    });

    /* ---- The change counter ---- */

    function toSequence(array, since) {
        if (since === undefined || since === null)
            return native.get_sequence.call(array);

        return toInteger(since, 'since', 0n, MAX_UINT64);
    }

    /**
     * Waits until the change counter is something else than it was. The script does nothing else
     * meanwhile: with a main loop, use wait_async(), or connect to the signal `updated`.
     *
     * @function Shnd.Array#wait
     * @param {?(number|bigint)} [since] - what the counter was; what it is now if this is missing
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {number} the counter
     */
    define(proto, 'wait', 0, 3, function (since, timeout, cancellable) {
        return call(native.wait, this, [
            toSequence(this, since), toTimeout(timeout), toCancellable(cancellable),
        ])[1];
    });

    /**
     * Waits as wait() does, while a main loop runs.
     *
     * @function Shnd.Array#wait_async
     * @param {?(number|bigint)} [since] - what the counter was; what it is now if this is missing
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for wait_finish(), and there is no promise
     * @returns {Promise<number>} the counter
     */
    defineAsync(proto, 'wait_async', 0, 4, function (since, timeout, cancellable) {
        return [toSequence(this, since), toTimeout(timeout), toCancellable(cancellable)];
    }, (source, result) => source.wait_finish(result));

    define(proto, 'wait_finish', 1, 1, function (result) {
        return native.wait_finish.call(this, result)[1];
    });

    for (const name of [
        'get_locked', 'get_sequence', 'get_watching', 'unlock', 'unwatch', 'update', 'watch',
    ])
        wrap(proto, name, 0, 0, () => []);

    /* Connects to a signal; for `updated` that begins to watch the array. */
    for (const name of ['connect', 'connect_after']) {
        const connect = GObject.Object.prototype[name];

        define(proto, name, 2, 2, function (signal, handler) {
            const id = connect.call(this, signal, handler);

            if (/^updated(::|$)/.test(signal)) {
                try {
                    native.watch.call(this);
                } catch (error) {
                    this.disconnect(id);
                    throw error;
                }
            }

            return id;
        });
    }

    /* ---- Opening ---- */

    function toOpenArguments(name, access, timeout, cancellable) {
        return [
            toText(name, 'name'), toUint32(access ?? Shnd.Access.READ_WRITE, 'access'),
            toTimeout(timeout), toCancellable(cancellable),
        ];
    }

    /**
     * Opens an array by its name, and waits for one of that name if there is none.
     *
     * @function Shnd.Array.open_wait
     * @param {string} name - the name of a shared array
     * @param {Shnd.Access} [access] - how to open it; for reading and writing if it is missing
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'open_wait', 1, 4, toOpenArguments);

    /**
     * Opens an array as open_wait() does, while a main loop runs.
     *
     * @function Shnd.Array.open_wait_async
     * @param {string} name - the name of a shared array
     * @param {Shnd.Access} [access] - how to open it; for reading and writing if it is missing
     * @param {?number} [timeout] - how long to wait, in seconds; for ever if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with null and a Gio.AsyncResult
     *   for open_wait_finish(), and there is no promise
     * @returns {Promise<Shnd.Array>} the array
     */
    defineAsync(ArrayClass, 'open_wait_async', 1, 5, toOpenArguments,
        (_, result) => ArrayClass.open_wait_finish(result));
}
