// SPDX-License-Identifier: MIT

// Views of any dtype and layout, the memory of frames, and the planes in it.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, makeAddress} from './shared.js';
import {cleanUp, equal, ok, run, test, throws} from './tap.js';

const TIMEOUT = {timeout: 60};

/* Bytes 0, 1, 2, ... */
function count(length) {
    return Uint8Array.from({length}, (_, i) => i);
}

function toPlanes(planes) {
    return {planes: new GLib.Variant('a(sstaxax)', planes)};
}

/* A frame with 64 bytes, of which its array shows those from 16 on, and the same when received. */
function makeFrames(metadata) {
    const address = makeAddress();
    const publisher = Shnd.Publisher.new(address);
    const subscriber = Shnd.Subscriber.new(address);

    cleanUp(() => {
        subscriber.close();
        publisher.close();
    });

    const frame = publisher.acquire(Uint8Array, 64, TIMEOUT);
    frame.array.assign(count(64));
    frame.array = frame.array.slice(0, 16, 32);
    frame.metadata = metadata;

    return [frame, () => {
        publisher.publish(frame, TIMEOUT);

        return subscriber.receive(TIMEOUT);
    }];
}

test('asStrided: other dtypes and layouts', () => {
    const array = Shnd.Array.new_from_typed_array(null, count(24));

    equal(array.asStrided('>u2', [3, 2], [8, 2], 1).toTypedArray(),
        Uint16Array.of(0x0102, 0x0304, 0x090a, 0x0b0c, 0x1112, 0x1314));
    equal(array.asStrided(Uint8Array, 3, -8, 23n).toTypedArray(), Uint8Array.of(23, 15, 7));
    equal(array.as_strided(Uint8Array, [2n, 3], Int32Array.of(0, 4)).toTypedArray(),
        Uint8Array.of(0, 4, 8, 0, 4, 8));
    equal(array.asStrided('u1', [], [], 5).at(), 5);

    const view = array.slice(0, 8, 16).asStrided(Int32Array, [2], [4]);
    view.setAt(-1, 0);
    equal(array.at(9), 255);
    equal(view.asStrided('u1', [], [], 7).at(), 15);

    throws(() => array.asStrided('u2', 12, 2, 1), failure.TOO_SMALL, 'from 0 to 24');
    throws(() => array.asStrided('u1', 1, 1, -1), failure.TOO_SMALL);
    throws(() => array.asStrided('u1', [2, 2], [2n ** 62n, 1]), failure.TOO_SMALL);
    throws(() => view.asStrided('u1', 9, 1), failure.TOO_SMALL, 'from 0 to 8');
    throws(() => array.asStrided('u1', [2, 2], [1]), failure.INVALID_ARGUMENT);
    throws(() => array.asStrided('u1', -1, 1), failure.INVALID_SHAPE);
    throws(() => array.asStrided('O', 1, 1), failure.INVALID_DTYPE);
    array.close();
    throws(() => array.asStrided('u1', 1, 1), failure.CLOSED);
});

test('asStrided: arguments', () => {
    const array = Shnd.Array.new(null, 'u1', 24);

    equal(array.asStrided, array.as_strided);
    throws(() => array.asStrided('u1', 1), TypeError, 'number of arguments');
    throws(() => array.asStrided('u1', 1, 1, 0, 0), TypeError, 'number of arguments');
    throws(() => array.asStrided(5, 1, 1), TypeError, 'dtype');
    throws(() => array.asStrided('u1', '1', 1), TypeError, 'shape');
    throws(() => array.asStrided('u1', 1, null), TypeError, 'strides');
    throws(() => array.asStrided('u1', 1, [0.5]), TypeError, 'strides');
    throws(() => array.asStrided('u1', 1, [2n ** 63n]), RangeError, 'strides');
    throws(() => array.asStrided('u1', 1, 1, 2 ** 60), RangeError, 'offset');
    throws(() => array.asStrided('u1', 1, 1, '0'), TypeError, 'offset');
});

test('planes: an object of arrays', () => {
    const [frame, pass] = makeFrames(toPlanes([
        ['Y', '|u1', 0, [2, 8], [8, 1]], ['UV', '<u2', 16, [2], [-2]],
        ['Y', '|u1', 5, [], []], ['__proto__', '|u1', 1, [], []],
    ]));
    const names = ['Y', 'UV', '__proto__'];

    equal(frame.list_planes(), names);
    frame.planes.UV.setAt(0x1234, 0);
    equal(frame.get_plane('UV').at(0), 0x1234);

    const received = pass();
    throws(() => frame.get_plane('Y'), failure.CLOSED);
    const {planes} = received;
    equal(Object.keys(planes), names);
    ok(planes.Y instanceof Shnd.Array, 'a plane');
    ok(planes.Y === planes.Y, 'the same each time');
    equal(planes.Y.shape, [2, 8]);
    equal(planes.Y.toTypedArray(), count(32).slice(16));
    equal(Object.getOwnPropertyDescriptor(planes, '__proto__').get().at(), 17);
    equal(planes.UV.toTypedArray(), Uint16Array.of(0x1234, 0x1f1e));
    equal(planes.U, undefined);
    throws(() => planes.Y.setAt(0, 0, 0), failure.READ_ONLY);
    planes.Y.toTypedArray().fill(99);
    equal(received.planes.Y.at(1, 7), 31);
    throws(() => received.get_plane('U'), failure.NOT_FOUND, '“U”');
    throws(() => (received.planes = {}), TypeError, 'planes');

    received.release();
    equal(received.released, true);
    equal(received.list_planes(), names);
    throws(() => received.planes.Y, failure.CLOSED);
});

test('planes: of metadata that are wrong', () => {
    const [, pass] = makeFrames(toPlanes([
        ['far', '|u1', 1e9, [], []], ['wide', '|u1', 0, [2, 2], [2 ** 52, 1]],
        ['object', '|O', 0, [], []], ['good', '|u1', 3, [], []],
    ]));
    const {planes} = pass();

    equal(planes.good.at(), 19);
    throws(() => planes.far, failure.TOO_SMALL, 'Plane “far”');
    throws(() => planes.wide, failure.TOO_SMALL);
    throws(() => planes.object, failure.INVALID_DTYPE);

    for (const value of [5, 'Y', ['Y'], {Y: 1}, null]) {
        const [frame] = makeFrames(value === null ? {} : {planes: value});

        equal(Object.keys(frame.planes), []);
        throws(() => frame.get_plane('Y'), failure.NOT_FOUND);
    }
    throws(() => new Shnd.Frame().get_plane(), TypeError, 'number of arguments');
    throws(() => new Shnd.Frame().get_plane(5), TypeError, 'name');
    throws(() => new Shnd.Frame().get_plane('Y\0'), TypeError, 'name');
    throws(() => new Shnd.Frame().list_planes(5), TypeError, 'number of arguments');
});

test('get_memory: all of a frame', () => {
    const [frame, pass] = makeFrames({});
    const [memory, offset] = frame.get_memory();

    equal(offset, 16);
    memory.toArray()[20] = 99;
    equal(frame.array.at(4), 99);

    const received = pass();
    const [copy, place] = received.get_memory();
    const expected = count(64);
    expected[20] = 99;
    equal(place, 16);
    equal(copy.toArray().slice(0, 64), expected);
    copy.toArray().fill(1);
    equal(received.array.at(4), 99);
    received.release();
    throws(() => received.get_memory(), failure.CLOSED);
    throws(() => received.get_memory(1), TypeError, 'number of arguments');
});

run();
