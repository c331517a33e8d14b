// SPDX-License-Identifier: MIT

// The row of the benchmarks that is about GJS. Each round prints "sample ROW OURS THEIRS", the
// nanoseconds that one operation took on either side.

import GLib from 'gi://GLib';
import Shnd from 'gi://Shnd?version=1';
import System from 'system';

const ROUNDS = 9;
const N_PER_ROUND = 20;
const WIDTH = 1920;
const HEIGHT = 1080;
const ROW = 540;

const name = `${ARGV[0]}frame`;

function sumRow(bytes) {
    const start = ROW * WIDTH * 4;
    const end = start + WIDTH * 4;
    let sum = 0;
    for (let i = start; i < end; i++)
        sum += bytes[i];
    return sum;
}

function sumShared() {
    const frame = Shnd.Array.open(name, Shnd.Access.READ);
    const sum = sumRow(frame.toTypedArray());
    frame.close();
    return sum;
}

function sumCopied() {
    const frame = Shnd.Array.open(name, Shnd.Access.READ);
    const sum = sumRow(frame.toTypedArray().slice());
    frame.close();
    return sum;
}

function measure(operation) {
    // What earlier operations left is collected here, outside of what is measured.
    System.gc();
    const start = GLib.get_monotonic_time();
    for (let i = 0; i < N_PER_ROUND; i++)
        operation();
    return (GLib.get_monotonic_time() - start) * 1000 / N_PER_ROUND;
}

const array = Shnd.Array.new(name, 'uint8', [HEIGHT, WIDTH, 4], Shnd.CreateFlags.NONE);
try {
    array.assign(new Uint8Array(HEIGHT * WIDTH * 4).fill(3));
    if (sumShared() !== 3 * WIDTH * 4 || sumCopied() !== 3 * WIDTH * 4)
        throw new Error('The sum of the row is wrong');

    // The first round only warms up.
    for (let round = 0; round <= ROUNDS; round++) {
        const ours = measure(sumShared);
        const theirs = measure(sumCopied);
        if (round > 0)
            print(`sample gjs-row ${ours.toFixed(1)} ${theirs.toFixed(1)}`);
    }
} finally {
    array.unlink();
}
