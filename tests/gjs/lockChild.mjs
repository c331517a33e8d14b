// SPDX-License-Identifier: MIT

// What testLock.js and testNames.js run in another process.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

const [command, name] = ARGV;

if (command === 'answer') {
    const array = Shnd.Array.open(name);
    let sequence = 0;

    array.update();
    while (true) {
        sequence = array.wait(sequence + 1);
        array.setAt(array.at(0), 1);
        array.update();
    }
} else if (command === 'hold') {
    const array = Shnd.Array.open(name);

    array.lock();
    array.update();
    new GLib.MainLoop(null, false).run();
} else if (command === 'make') {
    const array = Shnd.Array.new(name, 'f4', [2, 3]);

    print(array.to_descriptor());
    new GLib.MainLoop(null, false).run();
} else {
    throw new Error(`Unknown command ${command}`);
}
