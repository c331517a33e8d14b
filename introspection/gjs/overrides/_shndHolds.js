// SPDX-License-Identifier: MIT
/* exported N_HELD, PATIENCE, collect, hold, startTimer, stopTimer, unhold */

// Received frames that a script forgets to release.

const {GLib} = imports.gi;
const System = imports.system;

// Who holds as many as it may gets no more. If none comes for this long, in microseconds, those that
// are garbage are collected.
var PATIENCE = 100000;

const HOLDER = Symbol('holder');
var N_HELD = Symbol('nHeld');
const TIMER = Symbol('timer');

function hold(subscriber, frame) {
    subscriber[N_HELD] = (subscriber[N_HELD] ?? 0) + 1;
    frame[HOLDER] = subscriber;

    return frame;
}

function unhold(frame) {
    const subscriber = frame[HOLDER];

    if (subscriber) {
        subscriber[N_HELD] = Math.max(subscriber[N_HELD] - 1, 0);
        frame[HOLDER] = null;
    }
}

function collect(subscriber) {
    subscriber[N_HELD] = 0;
    // What a frame holds is seen to be garbage when that has gone.
    System.gc();
    System.gc();
}

function stopTimer(subscriber) {
    if (subscriber[TIMER])
        GLib.source_remove(subscriber[TIMER]);
    subscriber[TIMER] = 0;
}

function startTimer(subscriber) {
    stopTimer(subscriber);
    if (!subscriber[N_HELD])
        return;

    subscriber[TIMER] = GLib.timeout_add(GLib.PRIORITY_DEFAULT, PATIENCE / 1000, () => {
        subscriber[TIMER] = 0;
        if (subscriber[N_HELD])
            collect(subscriber);

        return GLib.SOURCE_REMOVE;
    });
}
