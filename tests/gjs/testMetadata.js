// SPDX-License-Identifier: MIT

// What travels with a frame: metadata as plain objects, and timestamps.

import GLib from 'gi://GLib?version=2.0';
import GObject from 'gi://GObject?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, makeAddress} from './shared.js';
import {cleanUp, equal, ok, run, test, throws} from './tap.js';

/* A publisher with a subscriber. */
function makePair() {
    const address = makeAddress();
    const publisher = Shnd.Publisher.new(address);
    const subscriber = Shnd.Subscriber.new(address);

    cleanUp(() => {
        subscriber.close();
        publisher.close();
    });
    throws(() => subscriber.receive({timeout: 0}), failure.TIMED_OUT);
    publisher.wait_subscribers(1, {timeout: 60});

    return [publisher, subscriber];
}

function makeFrame() {
    const [publisher] = makePair();

    return publisher.acquire('u1', 1);
}

test('metadata: there and back', () => {
    const [publisher, subscriber] = makePair();
    const metadata = {
        yes: true,
        no: false,
        zero: 0,
        minusZero: -0,
        whole: -5,
        large: Number.MAX_SAFE_INTEGER,
        larger: 2 ** 53,
        fraction: 0.1,
        huge: 1.7976931348623157e308,
        tiny: 2.2250738585072014e-308,
        tinier: -2.225073858507201e-308,
        least: 5e-324,
        nan: NaN,
        infinite: [Infinity, -Infinity],
        wide: [2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n],
        text: 'a "b"\\ \n\t\u0001\u007f é \u2028 😀 \' %s <1>',
        nothing: '',
        bytes: Uint8Array.of(0, 1, 255),
        noBytes: new Uint8Array(0),
        empty: [],
        texts: ['a', ''],
        flags: [true, false],
        wholes: [1, 2, -3],
        numbers: [1, 2.5],
        mixed: [1, 'a', [2, []], {b: 3}],
        object: {a: {b: {}}, c: [{}]},
        '': 'no name',
        'a "name"': 1,
        toString: 'own',
    };
    Object.defineProperty(metadata, '__proto__', {value: 'own, too', enumerable: true});

    publisher.publish_typed_array(Uint8Array.of(1), 1, {metadata});
    const frame = subscriber.receive({timeout: 60});
    const got = frame.metadata;

    equal(Object.keys(got).sort(), Object.keys(metadata).sort());
    for (const key of Object.keys(metadata))
        equal(got[key], metadata[key], key);
    ok(Object.getPrototypeOf(got) === Object.prototype, 'a plain object');
    equal(frame.get_metadata().whole, -5);
    got.whole = 6;
    equal(frame.metadata.whole, -5);
    frame.release();
    equal(frame.metadata.whole, -5, 'after the release');
});

test('metadata: what else is taken', () => {
    const frame = makeFrame();
    const bytes = Uint8Array.of(9, 1, 2, 9);

    frame.metadata = {
        int: 5n,
        safe: GLib.Variant.new_uint64(7),
        int16: GLib.Variant.new_int16(-3),
        tuple: new GLib.Variant('(sia{sd})', ['a', 4, {b: 0.5}]),
        variant: new GLib.Variant('v', GLib.Variant.new_string('in')),
        nothing: new GLib.Variant('ms', null),
        something: new GLib.Variant('ms', 'b'),
        path: GLib.Variant.new_object_path('/a/b'),
        keys: new GLib.Variant('a{ib}', {3: true}),
        view: new DataView(bytes.buffer, 1, 2),
        buffer: bytes.buffer,
        glib: new GLib.Bytes(bytes),
        floats: Float32Array.of(1, 0.5),
        bigs: BigInt64Array.of(5n),
    };
    equal(frame.metadata, {
        int: 5,
        safe: 7,
        int16: -3,
        tuple: ['a', 4, {b: 0.5}],
        variant: 'in',
        nothing: null,
        something: 'b',
        path: '/a/b',
        keys: {3: true},
        view: Uint8Array.of(1, 2),
        buffer: bytes,
        glib: bytes,
        floats: [1, 0.5],
        bigs: [5],
    });

    frame.metadata = new GLib.Variant('a{sv}', {a: GLib.Variant.new_string('b')});
    equal(frame.metadata, {a: 'b'});
    frame.metadata = Object.assign(Object.create(null), {c: 1});
    equal(frame.metadata, {c: 1});
    for (const none of [null, undefined, {}]) {
        frame.metadata = {a: 1};
        frame.metadata = none;
        equal(frame.metadata, {});
    }
});

test('metadata: types that others see', () => {
    const frame = makeFrame();

    frame.metadata = {a: 1, b: 1.5, c: [1, 2], d: [1, 2.5], e: ['x'], f: [], g: {}, h: [true]};
    // Native code is asked, as other languages would.
    const value = new GObject.Value();
    value.init(GObject.TYPE_VARIANT);
    frame.get_property('metadata', value);
    const types = value.dup_variant().deepUnpack();
    equal(Object.keys(types).sort().map(key => `${key}:${types[key].get_type_string()}`).join(' '),
        'a:x b:d c:ax d:ad e:as f:av g:a{sv} h:ab');
});

test('metadata: what is not taken', () => {
    const frame = makeFrame();
    const cycle = {};
    cycle.cycle = cycle;

    frame.metadata = {kept: 1};
    for (const wrong of ['a', 1, true, [], () => {}, new Date(), Uint8Array.of(1), new Map()])
        throws(() => (frame.metadata = wrong), TypeError, 'metadata');
    for (const wrong of [null, undefined, Symbol('a'), () => {}, new Date(), new Map()])
        throws(() => (frame.metadata = {a: {b: [1, wrong]}}), TypeError, 'metadata.a.b[1]');
    for (const wrong of ['a\0b', '\ud800'])
        throws(() => (frame.metadata = {a: wrong}), TypeError, 'metadata.a');
    throws(() => (frame.metadata = {'a\0b': 1}), TypeError, 'key');
    for (const wrong of [2n ** 64n, -(2n ** 63n) - 1n])
        throws(() => (frame.metadata = {a: wrong}), RangeError, '64 bits');
    throws(() => (frame.metadata = cycle), RangeError, 'levels');
    throws(() => (frame.metadata = new GLib.Variant('s', 'a')), failure.INVALID_ARGUMENT, 'a{sv}');
    throws(() => (frame.metadata = {a: new Uint8Array(65536)}), failure.INVALID_ARGUMENT, '65536');
    equal(frame.metadata, {kept: 1});
    frame.metadata = {a: 'x'.repeat(65500)};
    equal(frame.metadata.a.length, 65500);

    frame.release();
    throws(() => (frame.metadata = {}), failure.NOT_ACQUIRED);
});

test('timestamps', () => {
    const [publisher, subscriber] = makePair();

    const before = BigInt(GLib.get_monotonic_time()) * 1000n;
    equal(publisher.acquire('u1', 1).timestamp, -1n);
    publisher.publish_typed_array(Uint8Array.of(1));
    const frame = subscriber.receive({timeout: 60});
    const after = BigInt(GLib.get_monotonic_time() + 1) * 1000n;
    ok(frame.timestamp >= before && frame.timestamp <= after, 'the time of publishing');
    equal(frame.get_timestamp(), frame.timestamp);
    frame.release();

    for (const timestamp of [0n, 5, 2n ** 53n + 1n, 1700000000123456789n, 2n ** 63n - 1n]) {
        publisher.publish_typed_array(Uint8Array.of(1), 1, {timestamp});
        const each = subscriber.receive({timeout: 60});
        equal(each.timestamp, BigInt(timestamp));
        each.release();
    }

    const own = publisher.acquire('u1', 1);
    own.timestamp = 7;
    equal(own.timestamp, 7n);
    own.set_timestamp(8n);
    equal(own.timestamp, 8n);
    throws(() => (own.timestamp = 0.5), TypeError, 'timestamp');
    throws(() => (own.timestamp = '1'), TypeError, 'timestamp');
    throws(() => (own.timestamp = 2 ** 53), RangeError, 'timestamp');
    throws(() => (own.timestamp = 2n ** 63n), RangeError, 'timestamp');
    equal(own.timestamp, 8n);
});

run();
