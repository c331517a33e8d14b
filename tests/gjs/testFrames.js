// SPDX-License-Identifier: MIT

// Publishers, subscribers and frames, in one process.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, later, makeAddress, runUntil, wait} from './shared.js';
import {cleanUp, collectGarbage, equal, ok, run, test, throws} from './tap.js';

const CANCELLED = {domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED};
const TIMEOUT = {timeout: 60};

/* A publisher with a subscriber. */
function makePair(forPublisher = {}, forSubscriber = {}) {
    const address = makeAddress();
    const publisher = Shnd.Publisher.new(address, forPublisher);
    const subscriber = Shnd.Subscriber.new(address, forSubscriber);

    cleanUp(() => {
        subscriber.close();
        publisher.close();
    });
    throws(() => subscriber.receive({timeout: 0}), failure.TIMED_OUT);
    publisher.wait_subscribers(1, TIMEOUT);

    return [publisher, subscriber];
}

/* Awaits a failure. */
async function fails(promise, expected, message = null) {
    let body = () => {};

    try {
        await promise;
    } catch (error) {
        body = () => {
            throw error;
        };
    }
    throws(body, expected, message);
}

test('a frame goes from publisher to subscriber', () => {
    const [publisher, subscriber] = makePair();

    equal(publisher.sequence, 0);
    equal(publisher.n_subscribers, 1);

    const frame = publisher.acquire('f4', [2, 3], TIMEOUT);
    equal(frame.sequence, 0);
    equal(frame.released, false);
    equal(frame.array.shape, [2, 3]);
    equal(frame.array.access, Shnd.Access.READ_WRITE);
    frame.array.assign([[1, 2, 3], [4, 5, 6]]);
    frame.metadata = {name: 'first'};
    equal(publisher.publish(frame, TIMEOUT), true);
    equal(frame.sequence, 1);
    equal(frame.released, true);
    ok(frame.array.closed, 'nobody writes any more');
    equal(publisher.sequence, 1);

    const received = subscriber.receive(TIMEOUT);
    equal(subscriber.connected, true);
    equal(received.sequence, 1);
    equal(received.get_sequence(), 1);
    equal(received.array.shape, [2, 3]);
    equal(received.array.dtype.toString(), '<f4');
    equal(received.array.access, Shnd.Access.READ);
    equal(received.array.toTypedArray(), Float32Array.of(1, 2, 3, 4, 5, 6));
    equal(received.array.at(1, 0), 4);
    equal([...received.array].map(row => row.at(2)), [3, 6]);
    equal(received.metadata, {name: 'first'});
    throws(() => received.array.setAt(1, 0, 0), failure.READ_ONLY);
    throws(() => (received.metadata = {}), failure.NOT_ACQUIRED);
    equal(subscriber.n_received, 1);

    equal(received.released, false);
    received.release();
    received.release();
    equal(received.released, true);
    equal(received.get_released(), true);
    throws(() => received.array.at(0, 0), failure.CLOSED);
    equal(subscriber.n_missed, 0);
});

test('frames of many kinds in one stream', () => {
    const [publisher, subscriber] = makePair();
    const cases = [
        [Uint8Array.of(1, 2, 3, 4), [2, 2]],
        [BigInt64Array.of(-(2n ** 63n), 5n), undefined],
        [Float64Array.of(0.5), []],
        [new Int16Array(0), [0, 7]],
        [Uint32Array.from({length: 100000}, (_, i) => i), [100, 1000]],
    ];

    for (const [values, shape] of cases) {
        const options = {metadata: {n: values.length}, timestamp: 5n, ...TIMEOUT};
        equal(publisher.publish_typed_array(values, shape, options), true);

        const frame = subscriber.receive(TIMEOUT);
        equal(frame.array.toTypedArray(), values);
        equal(frame.array.shape, shape ?? [values.length]);
        equal(frame.metadata, {n: values.length});
        equal(frame.timestamp, 5n);
        frame.release();
    }

    const points = publisher.acquire("[('x', '<f4'), ('name', '<U5')]", 2);
    points.array.assign([{x: 1, name: 'one'}, {x: 2, name: 'two'}]);
    publisher.publish(points, {metadata: {a: 1}, timestamp: 9});
    const got = subscriber.receive(TIMEOUT);
    equal(got.array.at(1), {x: 2, name: 'two'});
    equal([got.metadata.a, got.timestamp], [1, 9n]);
    got.release();
});

test('a view is published', () => {
    const [publisher, subscriber] = makePair();
    const frame = publisher.acquire(Int32Array, [4, 6]);

    frame.array.assign(Int32Array.from({length: 24}, (_, i) => i));
    frame.array = frame.array.slice(1, 0, 5, 2).slice(0, 3, -1, -1);
    throws(() => (frame.array = Shnd.Array.new(null, 'i4', 3)), failure.INVALID_ARGUMENT);
    throws(() => (frame.array = 5), TypeError, 'array');
    publisher.publish(frame);

    const received = subscriber.receive(TIMEOUT);
    equal(received.array.shape, [4, 3]);
    equal(received.array.strides, [-24, 8]);
    equal(received.array.index(0, 0).toTypedArray(), Int32Array.of(18, 20, 22));
    received.release();
});

test('a frame is repeated', () => {
    const [publisher, subscriber] = makePair();
    let frame = publisher.acquire('u1', [3]);

    frame.array.fill(7);
    publisher.publish(frame, {metadata: {n: 0}});
    for (let n = 1; n < 4; n++) {
        const received = subscriber.receive(TIMEOUT);

        equal([received.sequence, received.metadata.n, received.array.at(2)], [n, n - 1, 7]);
        frame = publisher.repeat(frame);
        equal(frame.array.access, Shnd.Access.READ);
        publisher.publish(frame, {metadata: {n}});
        received.release();
    }
    equal(publisher.n_frames, 1);
    publisher.acquire('u1', [3]).release();
    throws(() => publisher.repeat(publisher.acquire('u1', [3])), failure.NOT_ACQUIRED, 'published');
    throws(() => publisher.repeat(7), TypeError, 'frame');
    throws(() => publisher.repeat(), TypeError, '');
});

test('release_now gives back what typed arrays still show', () => {
    const [publisher, subscriber] = makePair({max_frames: 2}, {depth: 1});
    const shown = [];

    equal(subscriber.granted_depth, 0);

    for (let i = 1; i <= 5; i++) {
        publisher.publish_typed_array(Uint8Array.of(i), [1], TIMEOUT);
        const frame = subscriber.receive(TIMEOUT);
        shown.push(frame.array.toTypedArray());
        equal(shown.at(-1)[0], i);
        equal(frame.released, false);
        frame.release_now();
        equal(frame.released, true);
    }
    equal([subscriber.granted_depth, subscriber.get_granted_depth()], [1, 1]);
    equal(publisher.n_dropped, 0);
    ok(publisher.n_frames <= 2);
});

test('what a script writes into a received frame reaches nobody', () => {
    const [publisher, subscriber] = makePair({depth: 1});
    const kept = [];

    for (let i = 0; i < 50; i++) {
        publisher.publish_typed_array(new Float32Array(5000).fill(i));
        const frame = subscriber.receive(TIMEOUT);
        const other = frame.array.slice(0, 100, 200);

        const values = frame.array.toTypedArray();
        ok(values.every(value => value === i), `frame ${i} is what was published`);
        values.fill(-1, 0, 3000);
        frame.array.get_bytes().toArray().fill(255);
        equal(frame.array.at(0), i);
        equal(frame.array.toTypedArray()[0], i, 'a second look');
        equal(other.toTypedArray()[0], i, 'a look at a view');
        kept.push(values);
        frame.release();
        equal(values[0], -1);
    }
    ok(publisher.n_frames <= 3, `${publisher.n_frames} frames`);
});

test('a frame that is not published goes back', () => {
    const [publisher] = makePair({max_frames: 1});

    for (let i = 0; i < 5; i++) {
        const frame = publisher.acquire('u1', 5, {timeout: 0});
        const values = frame.array.toTypedArray();

        throws(() => publisher.acquire('u1', 5, {timeout: 0}), failure.TIMED_OUT);
        frame.release();
        equal(frame.released, true);
        equal(values.length, 5);
        throws(() => publisher.publish(frame), failure.NOT_ACQUIRED, 'released');
    }
    throws(() => publisher.publish_typed_array(Uint8Array.of(1, 2), 3, {timeout: 0}), RangeError);
    throws(() => publisher.publish_typed_array(Uint8Array.of(1), 1,
        {timeout: 0, metadata: {a: null}}), TypeError, 'metadata.a');
    throws(() => wait(publisher.publish_typed_array_async(Uint8Array.of(1), 1,
        {timeout: 0, metadata: {a: null}})), TypeError, 'metadata.a');
    publisher.acquire('u1', 5, {timeout: 0}).release();

    // What nobody holds is collected.
    (() => {
        publisher.acquire('u1', 5, {timeout: 0});
    })();
    collectGarbage();
    publisher.acquire('u1', 5, {timeout: 0}).release();
});

test('errors', () => {
    const [publisher, subscriber] = makePair();
    const [stranger] = makePair();
    const frame = publisher.acquire('u1', 2);

    throws(() => Shnd.Publisher.new(publisher.address), failure.EXISTS, publisher.address);
    for (const address of ['', 'a/b', '..', 'x'.repeat(300), `/${'x'.repeat(200)}`]) {
        throws(() => Shnd.Publisher.new(address), failure.INVALID_NAME);
        throws(() => Shnd.Subscriber.new(address), failure.INVALID_NAME);
    }
    throws(() => Shnd.Publisher.new('/no-such-folder/a'), failure.NOT_FOUND);

    throws(() => publisher.acquire('u1', -1), failure.INVALID_SHAPE);
    throws(() => publisher.acquire('nonsense', 1), failure.INVALID_DTYPE);
    throws(() => publisher.acquire('O', 1), failure.INVALID_DTYPE);
    throws(() => stranger.publish(frame), failure.NOT_ACQUIRED, 'another');
    publisher.publish(frame);
    throws(() => publisher.publish(frame), failure.NOT_ACQUIRED, 'published');
    const received = subscriber.receive(TIMEOUT);
    throws(() => publisher.publish(received), failure.NOT_ACQUIRED, 'received');
    throws(() => publisher.publish(new Shnd.Frame()), failure.NOT_ACQUIRED);
    throws(() => subscriber.receive({timeout: 0}), failure.TIMED_OUT);
    throws(() => subscriber.receive({timeout: 0.02}), failure.TIMED_OUT);
    throws(() => publisher.wait_subscribers(2, {timeout: 0.02}), failure.TIMED_OUT);

    const cancellable = Gio.Cancellable.new();
    cancellable.cancel();
    throws(() => subscriber.receive({cancellable}), CANCELLED);
    throws(() => publisher.wait_subscribers(2, {cancellable}), CANCELLED);

    publisher.close();
    publisher.close();
    equal(publisher.closed, true);
    throws(() => publisher.acquire('u1', 2), failure.CLOSED);
    throws(() => publisher.publish_typed_array(Uint8Array.of(1)), failure.CLOSED);
    throws(() => publisher.wait_subscribers(1), failure.CLOSED);
    throws(() => subscriber.receive(TIMEOUT), failure.END_OF_STREAM);
    received.release();
    subscriber.close();
    equal(subscriber.closed, true);
    throws(() => subscriber.receive(), failure.CLOSED);
    throws(() => subscriber.connect('frame', () => {}), failure.CLOSED);
    throws(() => wait(subscriber.receive_async()), failure.CLOSED);
});

test('arguments', () => {
    const [publisher, subscriber] = makePair();
    const frame = publisher.acquire('u1', 2);

    for (const Class of [Shnd.Publisher, Shnd.Subscriber]) {
        throws(() => Class.new(), TypeError, 'arguments');
        for (const address of [null, 5, 'a\0b'])
            throws(() => Class.new(address), TypeError, 'address');
        throws(() => Class.new(makeAddress(), {size: 5}), TypeError, 'size');
        throws(() => Class.new(makeAddress(), 5), TypeError, 'options');
        throws(() => Class.new(makeAddress(), {depth: '2'}), TypeError, 'depth');
        throws(() => Class.new(makeAddress(), {depth: 257}), RangeError, 'depth');
    }

    const calls = [
        options => publisher.acquire('u1', 2, options),
        options => publisher.acquire_async('u1', 2, options),
        options => publisher.publish(frame, options),
        options => publisher.publish_async(frame, options),
        options => publisher.publish_typed_array(Uint8Array.of(1), 1, options),
        options => publisher.wait_subscribers(1, options),
        options => publisher.wait_subscribers_async(1, options),
        options => subscriber.receive(options),
        options => subscriber.receive_async(options),
    ];
    for (const call of calls) {
        for (const options of [5, 'a', [], new Date(), true])
            throws(() => call(options), TypeError, 'options');
        throws(() => call({time: 5}), TypeError, 'time');
        throws(() => call({timeout: '1'}), TypeError, 'timeout');
        throws(() => call({timeout: -1}), RangeError, 'timeout');
        throws(() => call({timeout: NaN}), RangeError, 'timeout');
        throws(() => call({cancellable: 1}), TypeError, 'cancellable');
    }
    throws(() => publisher.acquire('u1'), TypeError, 'arguments');
    throws(() => publisher.acquire(5, 2), TypeError, 'dtype');
    throws(() => publisher.acquire('u1', 'a'), TypeError, 'shape');
    for (const wrong of [null, 5, new Shnd.Array()])
        throws(() => publisher.publish(wrong), TypeError, 'frame');
    for (const wrong of [[1, 2], null, new DataView(new ArrayBuffer(4))])
        throws(() => publisher.publish_typed_array(wrong), TypeError, 'typedArray');
    for (const wrong of ['1', null, 0.5])
        throws(() => publisher.wait_subscribers(wrong), TypeError, 'nSubscribers');
    throws(() => publisher.wait_subscribers(-1), RangeError, 'nSubscribers');
    throws(() => subscriber.receive_async({}, 5), TypeError, 'callback');
    throws(() => frame.release(1), TypeError, 'arguments');
    equal(frame.released, false);
    equal(publisher.sequence, 0);
});

test('properties', () => {
    const address = makeAddress();
    const publisher = Shnd.Publisher.new(address,
        {overflow: Shnd.Overflow.BLOCK, depth: 5, max_frames: 7, max_subscribers: 3});
    const subscriber = Shnd.Subscriber.new(address,
        {depth: 4, latest_only: true, reconnect: true, spin: 6});

    equal([publisher.overflow, publisher.depth, publisher.max_frames, publisher.maxSubscribers],
        [Shnd.Overflow.BLOCK, 5, 7, 3]);
    equal([subscriber.depth, subscriber.latest_only, subscriber.reconnect, subscriber.spin],
        [4, true, true, 6]);
    for (const each of [publisher, subscriber]) {
        equal(each.address, address);
        equal(each.path, address);
        equal(each.closed, false);
        each.depth = Shnd.MAX_DEPTH;
        equal(each.depth, 256);
        throws(() => (each.depth = Shnd.MAX_DEPTH + 1), RangeError, 'depth');
        throws(() => (each.depth = -1), RangeError, 'depth');
        throws(() => (each.depth = 1.5), TypeError, 'depth');
        throws(() => each.set_depth('1'), TypeError, 'depth');
        each.depth = 3;
        equal(each.get_depth(), 3);
    }
    throws(() => (publisher.depth = 0), RangeError, 'depth');
    throws(() => (publisher.max_frames = 2 ** 32), RangeError, 'max_frames');
    throws(() => (publisher.maxFrames = -1), RangeError, 'max_frames');
    throws(() => (publisher['max-subscribers'] = 'a'), TypeError, 'max_subscribers');
    throws(() => (publisher.overflow = 2), TypeError, 'overflow');
    throws(() => (subscriber.spin = -1), RangeError, 'spin');
    throws(() => (subscriber.latestOnly = 1), TypeError, 'latest_only');
    throws(() => (subscriber.reconnect = null), TypeError, 'reconnect');
    equal([publisher.max_frames, subscriber.spin, subscriber.latest_only], [7, 6, true]);
    publisher.maxFrames = 0;
    subscriber['latest-only'] = false;
    equal([publisher.get_max_frames(), subscriber.get_latest_only()], [0, false]);
    publisher.overflow = Shnd.Overflow.DROP;
    equal(publisher.get_overflow(), Shnd.Overflow.DROP);

    let changed = 0;
    subscriber.connect('notify::depth', () => changed++);
    subscriber.depth = 0;
    equal(changed, 1);
    ok(subscriber.get_fd() >= 0, 'a descriptor');
    subscriber.close();
    equal(subscriber.get_fd(), -1);
    publisher.close();
});

test('a name is in the runtime directory', () => {
    const name = `shnd-test-gjs-${GLib.uuid_string_random()}`;
    const subscriber = Shnd.Subscriber.new(name);

    equal(subscriber.path, `${GLib.get_user_runtime_dir()}/shndarray/${name}`);
    throws(() => subscriber.receive({timeout: 0}), failure.TIMED_OUT);
    subscriber.close();
});

test('objects without a constructor, and classes that are final', () => {
    equal(new Shnd.Frame().released, true);
    equal(new Shnd.Frame().metadata, {});
    equal(new Shnd.Frame().timestamp, -1n);
    new Shnd.Frame().release();
    equal(new Shnd.Publisher().closed, true);
    equal(new Shnd.Subscriber().closed, true);
    throws(() => new Shnd.Publisher().acquire('u1', 1), failure.CLOSED);
    throws(() => new Shnd.Subscriber().receive(), failure.CLOSED);
    throws(() => new Shnd.Subscriber().watch(), failure.CLOSED);
    for (const name of ['Frame', 'Publisher', 'Subscriber'])
        throws(() => Shnd[name]._classInit(), TypeError, 'final');
});

test('promises', () => {
    const [publisher, subscriber] = makePair({overflow: Shnd.Overflow.BLOCK, depth: 1});

    wait((async () => {
        equal(await publisher.wait_subscribers_async(1), true);
        const frame = await publisher.acquire_async('u1', [2], TIMEOUT);
        frame.array.fill(4);
        const coming = subscriber.receive_async(TIMEOUT);
        equal(await publisher.publish_async(frame, {metadata: {a: 1}}), true);
        equal(frame.released, true);
        const received = await coming;
        equal(received.metadata, {a: 1});
        equal(received.array.toTypedArray(), Uint8Array.of(4, 4));

        // There is no room while that is held.
        const next = await publisher.acquire_async(Uint8Array, 2);
        await fails(publisher.publish_async(next, {timeout: 0}), failure.TIMED_OUT, 'holds');
        await fails(publisher.publish_async(next, {timeout: 0.02}), failure.TIMED_OUT);
        equal(next.released, false);
        const cancellable = Gio.Cancellable.new();
        later(() => cancellable.cancel());
        await fails(publisher.publish_async(next, {cancellable}), CANCELLED);
        later(() => received.release());
        equal(await publisher.publish_async(next, TIMEOUT), true);
        (await subscriber.receive_async()).release();
        equal(await publisher.publish_typed_array_async(Uint8Array.of(7), 1, TIMEOUT), true);
        equal((await subscriber.receive_async()).array.at(0), 7);

        await fails(subscriber.receive_async({timeout: 0}), failure.TIMED_OUT);
        await fails(subscriber.receive_async({timeout: 0.02}), failure.TIMED_OUT);
        const another = Gio.Cancellable.new();
        later(() => another.cancel());
        await fails(subscriber.receive_async({cancellable: another}), CANCELLED);
        await fails(publisher.wait_subscribers_async(2, {timeout: 0.02}), failure.TIMED_OUT);
        await fails(publisher.acquire_async('u1', -2), failure.INVALID_SHAPE);
    })());
});

test('callbacks', () => {
    const [publisher, subscriber] = makePair();
    let result = null;

    publisher.acquire_async('u1', 2, null, (source, asyncResult) => {
        const frame = source.acquire_finish(asyncResult);
        const values = frame.array.toTypedArray();

        source.publish_async(frame, (_, published) => {
            equal(source.publish_finish(published), true);
            equal([frame.released, values.length], [true, 2]);
            subscriber.receive_async({timeout: 60}, (_subscriber, received) => {
                result = subscriber.receive_finish(received);
            });
        });
    });
    runUntil(() => result !== null);
    equal(result.sequence, 1);
    result.release();

    let n = 0;
    publisher.wait_subscribers_async(1, {}, (_, waited) => {
        n += publisher.wait_subscribers_finish(waited);
    });
    runUntil(() => n === 1);
});

test('signals', () => {
    const [publisher, subscriber] = makePair({depth: 8});
    const values = [];
    const errors = [];

    equal(subscriber.watching, false);
    const id = subscriber.connect('frame', (source, frame) => {
        ok(source === subscriber, 'the subscriber');
        values.push(frame.array.at(0));
        frame.release();
    });
    subscriber.connect('ended', (_, error) => errors.push(error));
    equal(subscriber.watching, true);
    for (let i = 0; i < 5; i++)
        publisher.publish_typed_array(Uint8Array.of(i));
    runUntil(() => values.length === 5);
    equal(values, [0, 1, 2, 3, 4]);

    subscriber.unwatch();
    equal(subscriber.get_watching(), false);
    publisher.publish_typed_array(Uint8Array.of(5));
    subscriber.disconnect(id);
    subscriber.connect_after('frame', (_, frame) => {
        values.push(frame.array.at(0));
        frame.release();
    });
    runUntil(() => values.length === 6);
    equal(values[5], 5);

    publisher.close();
    runUntil(() => errors.length === 1);
    throws(() => {
        throw errors[0];
    }, failure.END_OF_STREAM);
    equal(subscriber.watching, false);
});

test('authorize', () => {
    const address = makeAddress();
    const publisher = Shnd.Publisher.new(address);
    const users = [];
    let answer = false;

    publisher.connect('authorize', (_, credentials) => {
        users.push(credentials.get_unix_user());
        return answer;
    });
    const refused = Shnd.Subscriber.new(address);
    throws(() => wait(refused.receive_async(TIMEOUT)), failure.PERMISSION_DENIED);
    equal(users, [Gio.Credentials.new().get_unix_user()]);

    answer = true;
    const admitted = Shnd.Subscriber.new(address);
    const coming = admitted.receive_async(TIMEOUT);
    equal(wait(publisher.wait_subscribers_async(1, TIMEOUT)), true);
    publisher.publish_typed_array(Uint8Array.of(1));
    wait(coming).release();
    equal(users.length, 2);

    // Without a main loop it is asked within the calls.
    const other = Shnd.Subscriber.new(address);
    throws(() => other.receive({timeout: 0}), failure.TIMED_OUT);
    publisher.wait_subscribers(2, TIMEOUT);
    equal(users.length, 3);
    for (const each of [refused, admitted, other, publisher])
        each.close();
});

run();
