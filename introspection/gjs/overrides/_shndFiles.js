// SPDX-License-Identifier: MIT
/* exported addFiles */

// Arrays and `.npy` files.

const {Gio} = imports.gi;

const {
    call, define, show, toCancellable, toNullableText, toText, toUint32, wrap,
} = imports.overrides._shndArguments;
const {defineAsync} = imports.overrides._shndAsync;

/* Calls `work` with a cancellable and a function that may be null: with what it makes of those
 * of a script, whose function may throw. */
function withProgress(cancellable, progress, work) {
    if (progress === null)
        return work(cancellable, null);
    if (typeof progress !== 'function')
        throw new TypeError(`progress: ${show(progress)}, expected a function`);

    // An exception cannot pass through the library, which can only be told to stop.
    const stop = new Gio.Cancellable();
    const failures = [];
    if (cancellable?.is_cancelled())
        stop.cancel();
    try {
        return work(stop, (done, total) => {
            try {
                if (failures.length === 0)
                    progress(done, total);
            } catch (error) {
                failures.push(error);
            }
            if (failures.length > 0 || cancellable?.is_cancelled())
                stop.cancel();
        });
    } catch (error) {
        throw failures.length > 0 ? failures[0] : error;
    }
}

function toLoadArguments(name, path, flags = 0) {
    return [toNullableText(name, 'name'), toText(path, 'path'), toUint32(flags, 'flags')];
}

function toSyncArguments(flags, cancellable) {
    return [toUint32(flags ?? 0, 'flags'), toCancellable(cancellable)];
}

function addFiles(Shnd) {
    const ArrayClass = Shnd.Array;
    const proto = ArrayClass.prototype;
    const native = {load: ArrayClass.load, save: proto.save};

    /**
     * Makes an array in memory from a `.npy` file.
     *
     * @function Shnd.Array.load
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {string} path - the path of the file
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes read, and of
     *   those to read; if it throws, there is no array
     * @returns {Shnd.Array} the new array
     */
    define(ArrayClass, 'load', 2, 5, (
        name, path, flags = 0, cancellable = null, progress = null
    ) => {
        const args = toLoadArguments(name, path, flags);

        toCancellable(cancellable);

        return withProgress(cancellable, progress,
            (stop, report) => call(native.load, ArrayClass, [...args, stop, report]));
    });

    /**
     * Makes an array from a `.npy` file in another thread, while a main loop runs.
     *
     * @function Shnd.Array.load_async
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {string} path - the path of the file
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with null and a Gio.AsyncResult
     *   for load_finish(), and there is no promise
     * @returns {Promise<Shnd.Array>} the new array
     */
    defineAsync(ArrayClass, 'load_async', 2, 5, (name, path, flags, cancellable) => [
        ...toLoadArguments(name, path, flags), toCancellable(cancellable),
    ], (_, result) => ArrayClass.load_finish(result));

    /**
     * Writes the array to a `.npy` file.
     *
     * @function Shnd.Array#save
     * @param {string} path - the path of the file
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes written, and of
     *   those to write; if it throws, nothing is saved
     * @returns {boolean} true
     */
    define(proto, 'save', 1, 3, function (path, cancellable = null, progress = null) {
        path = toText(path, 'path');
        toCancellable(cancellable);

        return withProgress(cancellable, progress,
            (stop, report) => native.save.call(this, path, stop, report));
    });

    /**
     * Writes the array to a `.npy` file in another thread, while a main loop runs.
     *
     * @function Shnd.Array#save_async
     * @param {string} path - the path of the file
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for save_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'save_async', 1, 3,
        (path, cancellable) => [toText(path, 'path'), toCancellable(cancellable)],
        (source, result) => source.save_finish(result));

    /**
     * Brings to the disk what was written to an array that is a file there. An array in memory has
     * none.
     *
     * @function Shnd.Array#sync
     * @param {Shnd.SyncFlags} [flags] - how to do it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {boolean} true
     */
    wrap(proto, 'sync', 0, 2, toSyncArguments);

    /**
     * Brings the array to the disk in another thread, while a main loop runs.
     *
     * @function Shnd.Array#sync_async
     * @param {Shnd.SyncFlags} [flags] - how to do it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for sync_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'sync_async', 0, 3, toSyncArguments,
        (source, result) => source.sync_finish(result));
}
