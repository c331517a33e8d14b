// SPDX-License-Identifier: MIT

// Shows a tally whenever it changes, until it reaches a number: watcher.js NAME LAST.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

const [name, last] = ARGV;
const tally = Shnd.Array.open_wait(name, Shnd.Access.READ, 10);
const loop = new GLib.MainLoop(null, false);

tally.connect('updated', (_tally, sequence) => {
    print(`JavaScript: ${tally.at(0)} at update ${sequence}`);
    if (tally.at(0) >= Number(last))
        loop.quit();
});
print('JavaScript: watching');
loop.run();
