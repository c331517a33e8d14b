// SPDX-License-Identifier: MIT
/* exported addSubscriber */

// What receives frames.

const {GLib, GObject} = imports.gi;

const {call, define, show, toUint32, wrap} = imports.overrides._shndArguments;
const {defineAsync} = imports.overrides._shndAsync;
const {
    N_HELD, PATIENCE, collect, hold, startTimer, stopTimer,
} = imports.overrides._shndHolds;
const {
    checkProperty, takeProperties, toDepth, toWaitArguments,
} = imports.overrides._shndOptions;

// Whether the frames that come as signals are counted.
const COUNTS = Symbol('counts');

function toFlag(value, what) {
    if (typeof value !== 'boolean')
        throw new TypeError(`${what}: ${show(value)}, expected true or false`);

    return value;
}

function addSubscriber(Shnd) {
    const Subscriber = Shnd.Subscriber;
    const proto = Subscriber.prototype;

    const native = {};
    for (const name of ['receive', 'receive_async', 'receive_finish'])
        native[name] = proto[name];

    function is(error, code) {
        return error instanceof GLib.Error && error.matches(Shnd.Error.quark(), code);
    }

    /**
     * Makes a subscriber of what is published at an address.
     *
     * @function Shnd.Subscriber.new
     * @param {string} address - a name, or an absolute path
     * @param {Object} [properties] - `depth`, `latest_only`, `observer`, `reconnect` and `spin`
     * @returns {Shnd.Subscriber} the subscriber
     */
    takeProperties(Subscriber, ['depth', 'latest_only', 'observer', 'reconnect', 'spin']);

    checkProperty(proto, 'depth', toDepth(Shnd, 0));
    checkProperty(proto, 'latest_only', toFlag);
    checkProperty(proto, 'observer', toFlag);
    checkProperty(proto, 'reconnect', toFlag);
    checkProperty(proto, 'spin', toUint32);

    /**
     * Waits for the next frame. The script does nothing else meanwhile: with a main loop, use
     * receive_async().
     *
     * @function Shnd.Subscriber#receive
     * @param {Object} [options] - `timeout` in seconds, for ever if it is missing; `cancellable`
     * @returns {Shnd.Frame} the frame, to be given back with release()
     */
    define(proto, 'receive', 0, 1, function (options) {
        let [timeout, cancellable] = toWaitArguments(options);

        if (this[N_HELD] && timeout !== 0) {
            const patience = timeout < 0 ? PATIENCE : Math.min(timeout, PATIENCE);

            try {
                return hold(this, native.receive.call(this, patience, cancellable));
            } catch (error) {
                if (!is(error, Shnd.Error.TIMED_OUT))
                    throw error;
            }
            collect(this);
            timeout = timeout < 0 ? timeout : timeout - patience;
        }

        return hold(this, call(native.receive, this, [timeout, cancellable]));
    });

    /* Below what makes it a promise. */
    proto.receive_async = function (timeout, cancellable, callback) {
        startTimer(this);
        native.receive_async.call(this, timeout, cancellable, (source, result) => {
            stopTimer(this);
            callback(source, result);
        });
    };
    define(proto, 'receive_finish', 1, 1, function (result) {
        return hold(this, native.receive_finish.call(this, result));
    });

    /**
     * Waits for the next frame, while a main loop runs.
     *
     * @function Shnd.Subscriber#receive_async
     * @param {Object} [options] - as for receive()
     * @param {?Function} [callback] - if it is there, it is called with the subscriber and a
     *   Gio.AsyncResult for receive_finish(), and there is no promise
     * @returns {Promise<Shnd.Frame>} the frame, to be given back with release()
     */
    defineAsync(proto, 'receive_async', 0, 2, toWaitArguments,
        (source, result) => source.receive_finish(result));

    /**
     * Walks over the frames until the publisher ends the stream. Each is released when the next one
     * is asked for, and when the loop is left: what is to be kept has to be copied.
     *
     * @function Shnd.Subscriber#[Symbol.asyncIterator]
     * @yields {Shnd.Frame} a frame
     */
    define(proto, Symbol.asyncIterator, 0, 0, async function* () {
        while (true) {
            let frame;

            try {
                frame = await this.receive_async();
            } catch (error) {
                if (is(error, Shnd.Error.END_OF_STREAM))
                    return;
                throw error;
            }
            try {
                yield frame;
            } finally {
                frame.release();
            }
        }
    });

    /**
     * Walks over the frames as `for await` does, but without a main loop: the script does nothing
     * else while it waits.
     *
     * @function Shnd.Subscriber#[Symbol.iterator]
     * @yields {Shnd.Frame} a frame
     */
    define(proto, Symbol.iterator, 0, 0, function* () {
        while (true) {
            let frame;

            try {
                frame = this.receive();
            } catch (error) {
                if (is(error, Shnd.Error.END_OF_STREAM))
                    return;
                throw error;
            }
            try {
                yield frame;
            } finally {
                frame.release();
            }
        }
    });

    wrap(proto, 'watch', 0, 0, () => []);
    for (const name of [
        'close', 'get_address', 'get_closed', 'get_connected', 'get_depth', 'get_fd',
        'get_frame_size', 'get_granted_depth', 'get_latest_only', 'get_n_dropped', 'get_n_missed',
        'get_n_received', 'get_n_subscribers', 'get_observer', 'get_path', 'get_reconnect',
        'get_sequence', 'get_spin', 'get_watching', 'unwatch',
    ])
        define(proto, name, 0, 0, proto[name]);

    /* Connects to a signal; for `frame` that begins to watch. */
    for (const name of ['connect', 'connect_after']) {
        const connect = GObject.Object.prototype[name];

        define(proto, name, 2, 2, function (signal, handler) {
            const isFrame = /^frame(::|$)/.test(signal);

            if (isFrame && !this[COUNTS]) {
                this[COUNTS] = true;
                connect.call(this, 'frame', (source, frame) => {
                    hold(source, frame);
                    startTimer(source);
                });
            }

            const id = connect.call(this, signal, handler);
            if (isFrame) {
                try {
                    this.watch();
                } catch (error) {
                    this.disconnect(id);
                    throw error;
                }
            }

            return id;
        });
    }
}
