// SPDX-License-Identifier: MIT

// Long streams, without a collection of garbage; and several processes.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, makeAddress, runScriptAsync, runUntil, startScript, wait} from './shared.js';
import {cleanUp, equal, ok, run, test, throws} from './tap.js';

const BLOCK = {overflow: Shnd.Overflow.BLOCK};
const TIMEOUT = {timeout: 60};
const N_FRAMES = 3000;

function makePublisher(properties = BLOCK) {
    const publisher = Shnd.Publisher.new(makeAddress(), properties);

    cleanUp(() => publisher.close());

    return publisher;
}

function subscribe(publisher, properties = {}) {
    const subscriber = Shnd.Subscriber.new(publisher.address, properties);

    cleanUp(() => subscriber.close());
    throws(() => subscriber.receive({timeout: 0}), failure.TIMED_OUT);
    publisher.wait_subscribers(1, TIMEOUT);

    return subscriber;
}

/* How many mappings of frames this process has. */
function countMappings() {
    const [, content] = GLib.file_get_contents('/proc/self/maps');

    return new TextDecoder().decode(content).split('memfd:').length - 1;
}

/* Runs `work`, which must neither need more than a few frames, nor leave mappings behind. */
function checkNoGrowth(publisher, work) {
    const before = countMappings();

    work();
    ok(publisher.n_frames <= 4, `memory for ${publisher.n_frames} frames`);
    ok(countMappings() - before < 100, `${countMappings() - before} more mappings`);
}

test('for await: to the end, frame by frame', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    const seen = [];

    wait((async () => {
        const sending = (async () => {
            for (let i = 0; i < 5; i++)
                await publisher.publish_typed_array_async(Uint8Array.of(i));
            publisher.close();
        })();

        let last = null;
        for await (const frame of subscriber) {
            ok(last?.released ?? true, 'the last one was released');
            equal(frame.released, false);
            seen.push(frame.array.at(0));
            last = frame;
        }
        ok(last.released, 'released at the end');
        await sending;
    })());
    equal(seen, [0, 1, 2, 3, 4]);
    equal(subscriber.n_received, 5);
});

test('for await: left early', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    let frame = null;

    publisher.publish_typed_array(Uint8Array.of(1));
    wait((async () => {
        for await (frame of subscriber)
            break;
    })());
    ok(frame.released, 'released by break');

    publisher.publish_typed_array(Uint8Array.of(2));
    throws(() => wait((async () => {
        for await (frame of subscriber)
            throw new TypeError('on the way');
    })()), TypeError, 'on the way');
    ok(frame.released, 'released by an exception');
    equal(frame.sequence, 2);

    publisher.publish_typed_array(Uint8Array.of(3));
    for (frame of subscriber)
        break;
    ok(frame.released, 'released without a main loop');
    equal(frame.sequence, 3);

    subscriber.close();
    throws(() => wait((async () => {
        for await (frame of subscriber)
            ok(false, 'a frame');
    })()), failure.CLOSED);
    throws(() => [...subscriber], failure.CLOSED);
});

test('for await: thousands of frames without a collection', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    let n = 0;

    checkNoGrowth(publisher, () => wait((async () => {
        const sending = (async () => {
            for (let i = 0; i < N_FRAMES; i++) {
                const frame = await publisher.acquire_async('u4', [50, 50]);

                frame.array.toTypedArray().fill(0);
                frame.array.fill(i);
                await publisher.publish_async(frame, {metadata: {i}, ...TIMEOUT});
            }
            publisher.close();
        })();

        for await (const frame of subscriber) {
            const values = frame.array.toTypedArray();

            equal([values[0], values[2499], frame.metadata.i], [n, n, n]);
            n++;
        }
        await sending;
        equal(publisher.n_dropped, 0);
    })()));
    equal(n, N_FRAMES);
    equal(subscriber.n_missed, 0);
});

test('release: thousands of frames without a collection', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);

    checkNoGrowth(publisher, () => {
        for (let i = 0; i < N_FRAMES; i++) {
            const frame = publisher.acquire('u2', [40, 40], {timeout: 0});

            frame.array.toTypedArray()[0] = 1;
            frame.array.fill(i);
            publisher.publish(frame, {timeout: 0});

            const received = subscriber.receive({timeout: 0});
            equal(received.array.toTypedArray()[1599], i);
            received.array.index(0, 3).toTypedArray();
            received.release();
        }
    });
    equal(publisher.n_dropped, 0);
});

test('frames given up: thousands without a collection', () => {
    const publisher = makePublisher({max_frames: 1});

    checkNoGrowth(publisher, () => {
        for (let i = 0; i < N_FRAMES; i++) {
            const frame = publisher.acquire('u1', 10000, {timeout: 0});

            frame.array.toTypedArray()[0] = 1;
            frame.release();
        }
    });
});

test('signals: thousands of frames without a collection', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    let n = 0;

    subscriber.connect('frame', (_, frame) => {
        equal(frame.array.toTypedArray()[0], n % 256);
        n++;
        frame.release();
    });
    checkNoGrowth(publisher, () => wait((async () => {
        for (let i = 0; i < N_FRAMES; i++)
            await publisher.publish_typed_array_async(new Uint8Array(5000).fill(i), 5000, TIMEOUT);
    })()));
    runUntil(() => n === N_FRAMES);
});

test('frames that nobody releases do not stop the stream', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    let n = 0;

    wait((async () => {
        const sending = (async () => {
            for (let i = 0; i < 7; i++)
                await publisher.publish_typed_array_async(Uint8Array.of(i), 1, TIMEOUT);
        })();

        for (; n < 7; n++)
            equal((await subscriber.receive_async(TIMEOUT)).array.toTypedArray()[0], n);
        await sending;
    })());

    subscriber.connect('frame', (_, frame) => {
        equal(frame.array.toTypedArray()[0], n);
        n++;
    });
    wait((async () => {
        for (let i = 7; i < 14; i++)
            await publisher.publish_typed_array_async(Uint8Array.of(i), 1, TIMEOUT);
    })());
    runUntil(() => n === 14);
    publisher.close();

    const address = makeAddress();
    const child = startScript('frameChild.mjs', 'publish', address, '7');
    const other = Shnd.Subscriber.new(address);
    for (let i = 0; i < 7; i++)
        equal(other.receive(TIMEOUT).array.toTypedArray()[0], i);
    throws(() => other.receive(TIMEOUT), failure.END_OF_STREAM);
    other.close();
    child.wait(null);
});

test('frames that a script keeps are not collected', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);

    for (let i = 0; i < 2; i++)
        publisher.publish_typed_array(Uint8Array.of(i));
    const frames = [subscriber.receive(), subscriber.receive()];
    throws(() => subscriber.receive({timeout: 0.3}), failure.TIMED_OUT);
    throws(() => wait(subscriber.receive_async({timeout: 0.3})), failure.TIMED_OUT);
    throws(() => publisher.publish_typed_array(Uint8Array.of(2), 1, {timeout: 0}),
        failure.TIMED_OUT);
    equal(frames.map(frame => frame.array.at(0)), [0, 1]);
    frames[0].release();
    publisher.publish_typed_array(Uint8Array.of(2), 1, TIMEOUT);
    equal(subscriber.receive(TIMEOUT).array.at(0), 2);
});

test('what is slow misses frames, and gets the newest', () => {
    const publisher = makePublisher({});
    const subscriber = subscribe(publisher);

    for (let i = 0; i < 20; i++)
        publisher.publish_typed_array(Uint8Array.of(i), 1, {timeout: 0});
    const got = [1, 2, 3].map(() => {
        const frame = subscriber.receive(TIMEOUT);
        const value = frame.array.at(0);

        frame.release();
        return value;
    });
    equal(got, [0, 1, 19]);
    equal(subscriber.n_missed, 17);
    ok(publisher.n_dropped >= 17, 'dropped');

    // Who comes late gets the last one.
    const late = Shnd.Subscriber.new(publisher.address);
    const frame = late.receive(TIMEOUT);
    equal(frame.array.at(0), 19);
    frame.release();
    late.close();
});

test('processes receive all frames', () => {
    const publisher = makePublisher();
    const children = [1, 2].map(
        () => runScriptAsync('frameChild.mjs', 'receive', publisher.address));
    const legacy = runScriptAsync('frameChild.js', publisher.address);

    wait((async () => {
        await publisher.wait_subscribers_async(3, TIMEOUT);
        for (let i = 0; i < 500; i++) {
            const values = Int16Array.from({length: 400}, (_, k) => i - k);
            const sum = values.reduce((a, b) => a + b, 0);

            await publisher.publish_typed_array_async(values, [20, 20],
                {metadata: {sum}, ...TIMEOUT});
        }
        publisher.close();
        for (const child of children)
            equal(await child, 'received 500, missed 0');
        equal(await legacy, `500 ${499 * 250} true`);
    })());
});

test('a process that is killed keeps nothing', () => {
    const publisher = makePublisher();
    const subscriber = subscribe(publisher);
    const child = startScript('frameChild.mjs', 'hold', publisher.address);
    let n = 0;

    publisher.wait_subscribers(2, TIMEOUT);
    subscriber.connect('frame', (_, frame) => {
        n++;
        frame.release();
    });
    wait((async () => {
        // It takes two, and gives none back.
        for (let i = 0; i < 2; i++)
            await publisher.publish_typed_array_async(Uint8Array.of(i));
        const waiting = publisher.publish_typed_array_async(Uint8Array.of(2), 1, TIMEOUT);
        child.force_exit();
        await waiting;
        for (let i = 3; i < 20; i++)
            await publisher.publish_typed_array_async(Uint8Array.of(i), 1, TIMEOUT);
    })());
    runUntil(() => n === 20);
    equal(publisher.n_subscribers, 1);
});

test('publishers in other processes: one ends, one dies', () => {
    const address = makeAddress();
    const subscriber = Shnd.Subscriber.new(address);
    let n = 0;

    cleanUp(() => subscriber.close());
    const first = runScriptAsync('frameChild.mjs', 'publish', address, '200');
    wait((async () => {
        for await (const frame of subscriber) {
            equal(frame.array.toTypedArray().reduce((a, b) => a + b, 0), frame.metadata.sum);
            n++;
        }
        await first;
    })());
    equal(n, 200);
    throws(() => subscriber.receive({timeout: 0}), failure.END_OF_STREAM);

    const orphan = Shnd.Subscriber.new(address);
    const second = startScript('frameChild.mjs', 'publish', address, '10', 'stay');
    const frames = [];
    cleanUp(() => orphan.close());
    throws(() => wait((async () => {
        for await (const frame of orphan) {
            frames.push(frame);
            if (frames.length === 10)
                second.force_exit();
        }
    })()), failure.DISCONNECTED);
    equal(frames.map(frame => frame.released), Array(10).fill(true));
});

test('a subscriber across publishers', () => {
    const address = makeAddress();
    const subscriber = Shnd.Subscriber.new(address, {reconnect: true});
    const seen = [];

    cleanUp(() => subscriber.close());
    subscriber.connect('frame', (_, frame) => {
        seen.push(frame.array.at(0));
        frame.release();
    });
    for (let i = 0; i < 3; i++) {
        const publisher = Shnd.Publisher.new(address, BLOCK);

        wait(publisher.wait_subscribers_async(1, TIMEOUT));
        wait(publisher.publish_typed_array_async(Uint8Array.of(i)));
        runUntil(() => seen.length === i + 1);
        publisher.close();
    }
    equal(seen, [0, 1, 2]);
    equal(subscriber.watching, true);
});

run();
