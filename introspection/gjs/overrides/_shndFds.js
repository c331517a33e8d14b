// SPDX-License-Identifier: MIT
/* exported addDescriptors */

// Arrays without a name: as file descriptors, in variants and over sockets.

const {Gio, GLib} = imports.gi;

const {
    define, toCancellable, toInstance, toInteger, toUint32, wrap,
} = imports.overrides._shndArguments;
const {defineAsync} = imports.overrides._shndAsync;

function toConnection(value) {
    return toInstance(value, Gio.UnixConnection, 'Gio.UnixConnection', 'connection');
}

function toList(value) {
    return toInstance(value, Gio.UnixFDList, 'Gio.UnixFDList', 'fdList');
}

function addDescriptors(Shnd) {
    const ArrayClass = Shnd.Array;
    const proto = ArrayClass.prototype;
    const {READ} = Shnd.Access;
    const nativeReceive = ArrayClass.receive;

    function toReceiveArguments(connection, access, cancellable) {
        return [
            toConnection(connection), toUint32(access ?? READ, 'access'),
            toCancellable(cancellable),
        ];
    }

    /**
     * Opens an array by a descriptor of its file.
     *
     * What comes from others is taken only if it has been sealed, unless Shnd.Access.UNSEALED is in
     * the access: memory that somebody else cuts short ends the process that touches it.
     *
     * @function Shnd.Array.new_for_fd
     * @param {number} fd - the descriptor, which is duplicated, and stays the caller's
     * @param {Shnd.Access} [access] - how to open it; for reading if it is missing
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'new_for_fd', 1, 2, (fd, access = READ) => [
        toInteger(fd, 'fd', -(2 ** 31), 2 ** 31 - 1), toUint32(access, 'access'),
    ]);

    /**
     * Gets a new descriptor of the array's file, which the caller closes with GLib.close(). A view
     * has none.
     *
     * @function Shnd.Array#dup_fd
     * @returns {number} the descriptor
     */
    wrap(proto, 'dup_fd', 0, 0, () => []);

    /**
     * Fixes the size of the memory, and lets nobody map it for writing any more. This array and its
     * views can still be written.
     *
     * @function Shnd.Array#seal
     * @returns {boolean} true
     */
    wrap(proto, 'seal', 0, 0, () => []);
    define(proto, 'get_sealed', 0, 0, proto.get_sealed);

    /**
     * Puts the array, or the view, into a variant of type `(hsaxaxt)`, such as goes with a D-Bus
     * call.
     *
     * @function Shnd.Array#to_variant
     * @param {Gio.UnixFDList} fdList - a list that gets a descriptor of the array's file
     * @returns {GLib.Variant} the variant
     */
    wrap(proto, 'to_variant', 1, 1, fdList => [toList(fdList)]);

    /**
     * Opens what to_variant() made of an array, or a view.
     *
     * @function Shnd.Array.new_from_variant
     * @param {GLib.Variant} variant - the variant
     * @param {?Gio.UnixFDList} fdList - the descriptors that came with it
     * @param {Shnd.Access} [access] - how to open it; for reading if it is missing
     * @returns {Shnd.Array} the array
     */
    wrap(ArrayClass, 'new_from_variant', 2, 3, (variant, fdList, access = READ) => [
        toInstance(variant, GLib.Variant, 'GLib.Variant', 'variant'),
        fdList === null ? null : toList(fdList),
        toUint32(access, 'access'),
    ]);

    /**
     * Sends the array, or the view, to another process.
     *
     * @function Shnd.Array#send
     * @param {Gio.UnixConnection} connection - a connection to that
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {boolean} true
     */
    wrap(proto, 'send', 1, 2, (connection, cancellable) => [
        toConnection(connection), toCancellable(cancellable),
    ]);

    /**
     * Sends the array while a main loop runs.
     *
     * @function Shnd.Array#send_async
     * @param {Gio.UnixConnection} connection - a connection
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with the array and a
     *   Gio.AsyncResult for send_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'send_async', 1, 3, (connection, cancellable) => [
        toConnection(connection), toCancellable(cancellable),
    ], (source, result) => source.send_finish(result));

    /**
     * Receives an array that another process sends, and waits for it; nothing else happens in this
     * one meanwhile.
     *
     * @function Shnd.Array.receive
     * @param {Gio.UnixConnection} connection - a connection to that
     * @param {Shnd.Access} [access] - how to open it; for reading if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @returns {Shnd.Array} the array
     */
    // Not a second time when there are no descriptors left: what came is gone then.
    define(ArrayClass, 'receive', 1, 3,
        (...args) => nativeReceive.apply(ArrayClass, toReceiveArguments(...args)));

    /**
     * Receives an array while a main loop runs.
     *
     * @function Shnd.Array.receive_async
     * @param {Gio.UnixConnection} connection - a connection
     * @param {Shnd.Access} [access] - how to open it; for reading if it is missing
     * @param {?Gio.Cancellable} [cancellable] - a cancellable object
     * @param {?Function} [callback] - if it is there, it is called with null and a Gio.AsyncResult
     *   for receive_finish(), and there is no promise
     * @returns {Promise<Shnd.Array>} the array
     */
    defineAsync(ArrayClass, 'receive_async', 1, 4, toReceiveArguments,
        (_, result) => ArrayClass.receive_finish(result));
}
