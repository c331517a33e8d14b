// SPDX-License-Identifier: MIT
/* exported addFiles */

// Arrays and `.npy` files, and copies of arrays: what can take long, and be stopped.

const {Gio} = imports.gi;

const {
    call, define, show, toCancellable, toInstance, toNullableText, toText, toUint32, wrap,
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

function toInput(value) {
    return toInstance(value, Gio.InputStream, 'Gio.InputStream', 'stream');
}

function toOutput(value) {
    return toInstance(value, Gio.OutputStream, 'Gio.OutputStream', 'stream');
}

function toLoadStreamArguments(name, stream, flags = 0) {
    return [toNullableText(name, 'name'), toInput(stream), toUint32(flags, 'flags')];
}

function toDupArguments(name = null, flags = 0) {
    return [toNullableText(name, 'name'), toUint32(flags, 'flags')];
}

function toSaveArguments(path, flags = 0) {
    return [toText(path, 'path'), toUint32(flags, 'flags')];
}

function toSyncArguments(flags, cancellable) {
    return [toUint32(flags ?? 0, 'flags'), toCancellable(cancellable)];
}

function addFiles(Shnd) {
    const ArrayClass = Shnd.Array;
    const proto = ArrayClass.prototype;
    const native = {
        dup: proto.dup, load: ArrayClass.load, loadStream: ArrayClass.load_stream,
        save: proto.save, saveStream: proto.save_stream,
    };

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
     * @param {Shnd.SaveFlags} [flags] - whether it may replace one
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes written, and of
     *   those to write; if it throws, nothing is saved
     * @returns {boolean} true
     */
    define(proto, 'save', 1, 4, function (path, flags = 0, cancellable = null, progress = null) {
        const args = toSaveArguments(path, flags);

        toCancellable(cancellable);

        return withProgress(cancellable, progress,
            (stop, report) => call(native.save, this, [...args, stop, report]));
    });

    /**
     * Writes the array to a `.npy` file in another thread, while a main loop runs.
     *
     * @function Shnd.Array#save_async
     * @param {string} path - the path of the file
     * @param {Shnd.SaveFlags} [flags] - whether it may replace one
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for save_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'save_async', 1, 4,
        (path, flags, cancellable) => [
            ...toSaveArguments(path, flags), toCancellable(cancellable),
        ],
        (source, result) => source.save_finish(result));

    /**
     * Makes an array in memory from a `.npy` file that comes through a stream. Nothing behind it is
     * read.
     *
     * @function Shnd.Array.load_stream
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {Gio.InputStream} stream - a stream that comes to the file next
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes read, and of
     *   those to read; if it throws, there is no array
     * @returns {Shnd.Array} the new array
     */
    define(ArrayClass, 'load_stream', 2, 5, (
        name, stream, flags = 0, cancellable = null, progress = null
    ) => {
        const args = toLoadStreamArguments(name, stream, flags);

        toCancellable(cancellable);

        // Not through call(): a stream cannot be read a second time.
        return withProgress(cancellable, progress,
            (stop, report) => native.loadStream.call(ArrayClass, ...args, stop, report));
    });

    /**
     * Makes an array from a stream in another thread, while a main loop runs.
     *
     * @function Shnd.Array.load_stream_async
     * @param {?string} name - a name that no segment has yet, or null for an anonymous array
     * @param {Gio.InputStream} stream - a stream that comes to the file next
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with null and a Gio.AsyncResult
     *   for load_stream_finish(), and there is no promise
     * @returns {Promise<Shnd.Array>} the new array
     */
    defineAsync(ArrayClass, 'load_stream_async', 2, 5, (name, stream, flags, cancellable) => [
        ...toLoadStreamArguments(name, stream, flags), toCancellable(cancellable),
    ], (_, result) => ArrayClass.load_stream_finish(result));

    /**
     * Writes the array as a `.npy` file to a stream. More can be written behind it.
     *
     * @function Shnd.Array#save_stream
     * @param {Gio.OutputStream} stream - where to write to
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes written, and of
     *   those to write; if it throws, the rest is not written
     * @returns {boolean} true
     */
    define(proto, 'save_stream', 1, 3, function (stream, cancellable = null, progress = null) {
        toOutput(stream);
        toCancellable(cancellable);

        return withProgress(cancellable, progress,
            (stop, report) => native.saveStream.call(this, stream, stop, report));
    });

    /**
     * Writes the array to a stream in another thread, while a main loop runs.
     *
     * @function Shnd.Array#save_stream_async
     * @param {Gio.OutputStream} stream - where to write to
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for save_stream_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'save_stream_async', 1, 3,
        (stream, cancellable) => [toOutput(stream), toCancellable(cancellable)],
        (source, result) => source.save_stream_finish(result));

    /**
     * Makes a new array with a copy of the elements.
     *
     * @function Shnd.Array#dup
     * @param {?string} [name] - a name that no segment has yet, or null for an anonymous array
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [progress] - called now and then with the number of bytes copied, and of
     *   those to copy; if it throws, there is no array
     * @returns {Shnd.Array} the new array
     */
    define(proto, 'dup', 0, 4, function (name, flags, cancellable = null, progress = null) {
        const args = toDupArguments(name, flags);

        toCancellable(cancellable);

        return withProgress(cancellable, progress,
            (stop, report) => call(native.dup, this, [...args, stop, report]));
    });

    /**
     * Makes a copy in another thread, while a main loop runs.
     *
     * @function Shnd.Array#dup_async
     * @param {?string} [name] - a name that no segment has yet, or null for an anonymous array
     * @param {Shnd.CreateFlags} [flags] - how to make it
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for dup_finish(), and there is no promise
     * @returns {Promise<Shnd.Array>} the new array
     */
    defineAsync(proto, 'dup_async', 0, 4,
        (name, flags, cancellable) => [
            ...toDupArguments(name, flags), toCancellable(cancellable),
        ], (source, result) => source.dup_finish(result));

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
