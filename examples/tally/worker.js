// SPDX-License-Identifier: MIT

// Adds to a tally that other processes add to as well: worker.js NAME ROUNDS.

import Shnd from 'gi://Shnd?version=1';

const [name, rounds] = ARGV;
const tally = await Shnd.Array.open_wait_async(name, Shnd.Access.READ_WRITE, 10);
let nRecovered = 0;

for (let i = 0; i < Number(rounds); i++) {
    const recovered = await tally.lock_async(10);

    // Counts twice; who dies in between leaves the two numbers unequal.
    if (recovered) {
        tally.setAt(tally.at(0), 1);
        nRecovered++;
    }
    if (tally.at(0) !== tally.at(1))
        throw new Error(`${tally.at(0)} is not ${tally.at(1)}`);
    tally.setAt(tally.at(0) + 1, 0);
    tally.setAt(tally.at(1) + 1, 1);
    tally.update();
    tally.unlock();
}

print(`JavaScript: done, recovered ${nRecovered}`);
