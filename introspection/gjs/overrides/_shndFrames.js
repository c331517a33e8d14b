// SPDX-License-Identifier: MIT
/* exported addFrames */

// Frames, and the publishers that send them.

const {GLib} = imports.gi;

const {
    MAX_INT64, MIN_INT64, TypedArray, call, define, defineGetter, show, toCancellable, toInteger,
    toShape, toText, toTimeout, toUint32, wrap,
} = imports.overrides._shndArguments;
const {defineAsync} = imports.overrides._shndAsync;
const {unhold} = imports.overrides._shndHolds;
const {getInt64, getMetadata, toMetadata} = imports.overrides._shndMetadata;
const {
    WAIT_OPTIONS, checkProperty, defineProperty, takeProperties, toDepth, toOptions,
    toWaitArguments,
} = imports.overrides._shndOptions;
const {addSubscriber} = imports.overrides._shndSubscriber;

const PUBLISH_OPTIONS = [...WAIT_OPTIONS, 'metadata', 'timestamp'];

function toTimestamp(value) {
    return toInteger(value, 'timestamp', MIN_INT64, MAX_INT64);
}

/* ---- Frames ---- */

/* An object with a property for each plane, which is made when it is first asked for. */
function makePlanes(frame) {
    const planes = {};

    for (const name of frame.list_planes()) {
        let plane = null;

        Object.defineProperty(planes, name, {
            get: () => (plane ??= frame.get_plane(name)),
            enumerable: true,
            configurable: true,
        });
    }

    return planes;
}

function addFrame(Shnd) {
    const proto = Shnd.Frame.prototype;

    const native = {};
    for (const name of ['get_array', 'get_memory', 'release_now'])
        native[name] = proto[name];

    /**
     * The elements. Before the frame is published, this can be set to a view of them, to publish
     * that.
     *
     * @member {Shnd.Array} Shnd.Frame#array
     */
    defineProperty(proto, 'array', function () {
        return native.get_array.call(this);
    }, function (view) {
        this.set_array(view);
    });
    wrap(proto, 'set_array', 1, 1, view => {
        if (!(view instanceof Shnd.Array))
            throw new TypeError(`array: ${show(view)}, expected a Shnd.Array`);

        return [view];
    });

    /**
     * When the frame was made, in nanoseconds; -1n before it is published, if nothing else was set.
     * Set to a bigint or a number, before it is published.
     *
     * @member {bigint} Shnd.Frame#timestamp
     */
    define(proto, 'get_timestamp', 0, 0, function () {
        return getInt64(this, 'timestamp');
    });
    wrap(proto, 'set_timestamp', 1, 1, timestamp => [toTimestamp(timestamp)]);
    defineProperty(proto, 'timestamp', function () {
        return this.get_timestamp();
    }, function (timestamp) {
        this.set_timestamp(timestamp);
    });

    /**
     * What the publisher has to say about the elements, as a plain object that is made each time.
     *
     * Set, before it is published, to a plain object of booleans, numbers, bigints, strings,
     * Uint8Arrays, Arrays, plain objects and GLib.Variants; to a GLib.Variant of type `a{sv}`; or
     * to null for nothing. Integers that a number cannot hold exactly come as bigints.
     *
     * @member {Object} Shnd.Frame#metadata
     */
    define(proto, 'get_metadata', 0, 0, function () {
        return getMetadata(this);
    });
    wrap(proto, 'set_metadata', 1, 1, metadata => [toMetadata(metadata)]);
    defineProperty(proto, 'metadata', function () {
        return this.get_metadata();
    }, function (metadata) {
        this.set_metadata(metadata);
    });

    /**
     * The planes that the metadata tell of, by their names: an object that is made each time, with
     * a Shnd.Array for each. These are views of the frame's memory, each made and checked when it
     * is first asked for.
     *
     * @member {Object} Shnd.Frame#planes
     */
    defineGetter(proto, 'planes', function () {
        return makePlanes(this);
    });
    wrap(proto, 'get_plane', 1, 1, name => [toText(name, 'name')]);

    /**
     * Gets all memory of the frame, which may be more than the array takes; a copy of it if the
     * frame was received.
     *
     * @function Shnd.Frame#get_memory
     * @returns {Array} the memory as GLib.Bytes, and where in it the first element begins
     */
    define(proto, 'get_memory', 0, 0, function () {
        const [bytes, offset] = native.get_memory.call(this);
        const isWritable = this.array.access & Shnd.Access.WRITE;

        return [isWritable ? bytes : new GLib.Bytes(bytes.toArray()), offset];
    });

    /**
     * Gives the frame back at once. What still shows its memory stays valid, but may show a later
     * frame.
     *
     * Without this, it would be held until a collection of garbage. A frame that was acquired goes
     * back unpublished.
     *
     * @function Shnd.Frame#release
     */
    define(proto, 'release', 0, 0, function () {
        unhold(this);
        native.release_now.call(this);
    });
    define(proto, 'release_now', 0, 0, proto.release);

    for (const name of ['get_array', 'get_released', 'get_sequence', 'list_planes'])
        define(proto, name, 0, 0, proto[name]);
}

/* ---- Publishers ---- */

function addPublisher(Shnd, toDType) {
    const Publisher = Shnd.Publisher;
    const proto = Publisher.prototype;

    const native = {};
    for (const name of ['publish', 'publish_async'])
        native[name] = proto[name];

    /**
     * Makes a publisher that listens at an address.
     *
     * @function Shnd.Publisher.new
     * @param {string} address - a name, or an absolute path
     * @param {Object} [properties] - `overflow`, `depth`, `max_frames` and `max_subscribers`
     * @returns {Shnd.Publisher} the publisher
     */
    takeProperties(Publisher, ['overflow', 'depth', 'max_frames', 'max_subscribers']);

    checkProperty(proto, 'depth', toDepth(Shnd, 1));
    checkProperty(proto, 'max_frames', toUint32);
    checkProperty(proto, 'max_subscribers', toUint32);
    checkProperty(proto, 'overflow', value => {
        if (value !== Shnd.Overflow.DROP && value !== Shnd.Overflow.BLOCK)
            throw new TypeError(`overflow: ${show(value)}, expected one of Shnd.Overflow`);

        return value;
    });

    function toAcquireArguments(dtype, shape, options) {
        return [toDType(dtype), toShape(shape), ...toWaitArguments(options)];
    }

    /**
     * Gets a frame to fill and to publish. Its array holds what an earlier frame has left.
     *
     * @function Shnd.Publisher#acquire
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {Object} [options] - `timeout` in seconds, for ever if it is missing; `cancellable`
     * @returns {Shnd.Frame} the frame
     */
    wrap(proto, 'acquire', 2, 3, toAcquireArguments);

    /**
     * Gets a frame as acquire() does, while a main loop runs.
     *
     * @function Shnd.Publisher#acquire_async
     * @param {string|Shnd.DType|Function} dtype - what each element is
     * @param {number|bigint|Array} shape - the number of elements along each axis
     * @param {Object} [options] - as for acquire()
     * @param {?Function} [callback] - if it is there, it is called with the publisher and a
     *   Gio.AsyncResult for acquire_finish(), and there is no promise
     * @returns {Promise<Shnd.Frame>} the frame
     */
    defineAsync(proto, 'acquire_async', 2, 4, toAcquireArguments,
        (source, result) => source.acquire_finish(result));

    /**
     * Gets a frame with the elements of one that was published, which can only be read: to be published
     * with other metadata, or at another time.
     *
     * @function Shnd.Publisher#repeat
     * @param {Shnd.Frame} frame - a frame that the publisher has published: the newest, or one whose
     *     memory something shows still
     * @returns {Shnd.Frame} the frame
     */
    wrap(proto, 'repeat', 1, 1, frame => {
        if (!(frame instanceof Shnd.Frame))
            throw new TypeError(`frame: ${show(frame)}, expected a Shnd.Frame`);

        return [frame];
    });

    /* Sets what the options say, and returns what is left of them. */
    function toPublishArguments(frame, options) {
        const {metadata, timestamp, timeout, cancellable} = toOptions(options, PUBLISH_OPTIONS);

        if (!(frame instanceof Shnd.Frame))
            throw new TypeError(`frame: ${show(frame)}, expected a Shnd.Frame`);

        const args = [frame, toTimeout(timeout), toCancellable(cancellable)];
        if (metadata !== undefined)
            frame.metadata = metadata;
        if (timestamp !== undefined)
            frame.timestamp = timestamp;

        return args;
    }

    /* Typed arrays that show a frame's memory would keep it until they are collected. */
    function letGo(frame) {
        if (frame.sequence > 0)
            frame.release();
    }

    /**
     * Sends a frame to all subscribers. Typed arrays that show its memory must not be written any
     * more.
     *
     * @function Shnd.Publisher#publish
     * @param {Shnd.Frame} frame - a frame that was acquired from this publisher
     * @param {Object} [options] - `metadata` and `timestamp` to be set before; `timeout` in
     *   seconds, for ever if it is missing; `cancellable`
     * @returns {boolean} true
     */
    define(proto, 'publish', 1, 2, function (frame, options) {
        call(native.publish, this, toPublishArguments(frame, options));
        letGo(frame);

        return true;
    });

    /* Below what makes it a promise, so that the frame goes back for callbacks, too. */
    proto.publish_async = function (frame, timeout, cancellable, callback) {
        native.publish_async.call(this, frame, timeout, cancellable, (source, result) => {
            letGo(frame);
            callback(source, result);
        });
    };

    /**
     * Sends a frame as publish() does, while a main loop runs.
     *
     * @function Shnd.Publisher#publish_async
     * @param {Shnd.Frame} frame - a frame that was acquired from this publisher
     * @param {Object} [options] - as for publish()
     * @param {?Function} [callback] - if it is there, it is called with the publisher and a
     *   Gio.AsyncResult for publish_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'publish_async', 1, 3, toPublishArguments,
        (source, result) => source.publish_finish(result));

    /* The arguments of acquire() and publish(). */
    function splitArguments(typedArray, shape, options) {
        if (!(typedArray instanceof TypedArray))
            throw new TypeError(`typedArray: ${show(typedArray)}, expected a typed array`);

        options = toOptions(options, PUBLISH_OPTIONS);

        const {timeout, cancellable} = options;

        return [[typedArray.constructor, shape ?? [typedArray.length], {timeout, cancellable}],
            options];
    }

    function fill(frame, typedArray) {
        try {
            frame.array.assign(typedArray);
        } catch (error) {
            frame.release();
            throw error;
        }
    }

    /**
     * Sends a copy of a typed array as a frame.
     *
     * @function Shnd.Publisher#publish_typed_array
     * @param {TypedArray} typedArray - the elements in C order
     * @param {number|bigint|Array} [shape] - the number of elements along each axis; one axis if it
     *   is missing
     * @param {Object} [options] - as for publish()
     * @returns {boolean} true
     */
    define(proto, 'publish_typed_array', 1, 3, function (typedArray, shape, options) {
        const [wanted, rest] = splitArguments(typedArray, shape, options);
        const frame = this.acquire(...wanted);

        fill(frame, typedArray);
        try {
            return this.publish(frame, rest);
        } catch (error) {
            frame.release();
            throw error;
        }
    });

    /**
     * Sends a copy of a typed array as publish_typed_array() does, while a main loop runs. It is
     * copied when there is a frame for it.
     *
     * @function Shnd.Publisher#publish_typed_array_async
     * @param {TypedArray} typedArray - the elements in C order
     * @param {number|bigint|Array} [shape] - the number of elements along each axis; one axis if it
     *   is missing
     * @param {Object} [options] - as for publish()
     * @returns {Promise<boolean>} true
     */
    define(proto, 'publish_typed_array_async', 1, 3, async function (typedArray, shape, options) {
        const [wanted, rest] = splitArguments(typedArray, shape, options);
        const frame = await this.acquire_async(...wanted);

        fill(frame, typedArray);
        try {
            return await this.publish_async(frame, rest);
        } catch (error) {
            frame.release();
            throw error;
        }
    });

    function toSubscribersArguments(nSubscribers, options) {
        return [toUint32(nSubscribers, 'nSubscribers'), ...toWaitArguments(options)];
    }

    /**
     * Waits until there are at least so many subscribers.
     *
     * @function Shnd.Publisher#wait_subscribers
     * @param {number} nSubscribers - how many
     * @param {Object} [options] - `timeout` in seconds, for ever if it is missing; `cancellable`
     * @returns {boolean} true
     */
    wrap(proto, 'wait_subscribers', 1, 2, toSubscribersArguments);

    /**
     * Waits as wait_subscribers() does, while a main loop runs.
     *
     * @function Shnd.Publisher#wait_subscribers_async
     * @param {number} nSubscribers - how many
     * @param {Object} [options] - as for wait_subscribers()
     * @param {?Function} [callback] - if it is there, it is called with the publisher and a
     *   Gio.AsyncResult for wait_subscribers_finish(), and there is no promise
     * @returns {Promise<boolean>} true
     */
    defineAsync(proto, 'wait_subscribers_async', 1, 3, toSubscribersArguments,
        (source, result) => source.wait_subscribers_finish(result));

    for (const name of [
        'close', 'get_address', 'get_closed', 'get_depth', 'get_max_frames', 'get_max_subscribers',
        'get_n_dropped', 'get_n_frames', 'get_n_subscribers', 'get_overflow', 'get_path',
        'get_sequence',
    ])
        define(proto, name, 0, 0, proto[name]);
}

function addFrames(Shnd, toDType) {
    addFrame(Shnd);
    addPublisher(Shnd, toDType);
    addSubscriber(Shnd);
}
