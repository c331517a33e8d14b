// SPDX-License-Identifier: MIT

// What testStreams.js runs as a script with `imports` and a main loop of its own.

imports.gi.versions.Shnd = '1';
const {GLib, Shnd} = imports.gi;

const loop = new GLib.MainLoop(null, false);
const subscriber = Shnd.Subscriber.new(ARGV[0]);
let sum = 0;

subscriber.connect('frame', (_, frame) => {
    sum += frame.array.at(0, 0);
    frame.release();
});
subscriber.connect('ended', (_, error) => {
    print(`${subscriber.n_received} ${sum} ${error.matches(Shnd.Error, Shnd.Error.END_OF_STREAM)}`);
    loop.quit();
});
loop.run();
