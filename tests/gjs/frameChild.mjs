// SPDX-License-Identifier: MIT

// What testStreams.js runs in another process.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

const [command, address, ...args] = ARGV;

function add(values) {
    return values.reduce((sum, value) => sum + value, 0);
}

/* What a frame is to say of itself. */
function check(frame) {
    const {sum} = frame.metadata;
    const actual = add(frame.array.toTypedArray());

    if (actual !== sum)
        throw new Error(`frame ${frame.sequence}: ${actual}, expected ${sum}`);
}

if (command === 'receive') {
    const subscriber = Shnd.Subscriber.new(address);
    let n = 0;

    // No main loop but that which GJS runs for `await`.
    for await (const frame of subscriber) {
        check(frame);
        n++;
    }
    print(`received ${n}, missed ${subscriber.n_missed}`);
} else if (command === 'hold') {
    const subscriber = Shnd.Subscriber.new(address);
    const frames = [];

    while (true)
        frames.push(subscriber.receive());
} else if (command === 'publish') {
    const publisher = Shnd.Publisher.new(address, {overflow: Shnd.Overflow.BLOCK});
    const n = Number(args[0]);

    publisher.wait_subscribers(1);
    for (let i = 0; i < n; i++) {
        const values = new Float64Array(100).fill(i);

        publisher.publish_typed_array(values, [10, 10], {metadata: {sum: add(values)}});
    }
    if (args[1] === 'stay')
        new GLib.MainLoop(null, false).run();
    publisher.close();
} else {
    throw new Error(`Unknown command ${command}`);
}
