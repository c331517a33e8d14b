// SPDX-License-Identifier: MIT

// The lock and the change counter, between objects and processes.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import GObject from 'gi://GObject?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, later, makeName, makePath, runUntil, startScript, wait} from './shared.js';
import {cleanUp, collectGarbage, equal, ok, run, test, throws} from './tap.js';

const CANCELLED = {domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED};

/* Two objects of one array. */
function makePair(access = Shnd.Access.READ_WRITE) {
    const name = makeName();
    const array = Shnd.Array.new(name, 'i4', 4);

    return [array, Shnd.Array.open(name, access)];
}

test('lock: taken and given back', () => {
    const [array, other] = makePair();

    equal(array.locked, false);
    equal(array.lock(), false);
    equal(array.locked, true);
    equal(array.get_locked(), true);
    equal(other.locked, false);
    equal(array.unlock(), true);
    equal(array.locked, false);
    throws(() => array.unlock(), failure.NOT_LOCKED);

    for (const timeout of [undefined, null, 0, 0.5, 1e300, Infinity]) {
        equal(other.lock(timeout), false);
        other.unlock();
    }
});

test('lock: objects exclude each other', () => {
    const [array, other] = makePair();
    const view = array.slice(0, 1, 3);

    for (const holder of [array, view, other]) {
        holder.lock();
        for (const each of [array, view, other]) {
            throws(() => each.lock(0), failure.TIMED_OUT, 'in time');
            throws(() => each.lock(0.02), failure.TIMED_OUT);
            if (each !== holder)
                throws(() => each.unlock(), failure.NOT_LOCKED);
        }
        holder.unlock();
    }
});

test('lock: goes back with its object', () => {
    const [array, other] = makePair();

    array.lock();
    array.close();
    equal(other.lock(0), false);
    other.unlock();
    throws(() => array.lock(), failure.CLOSED);
    equal(array.locked, false);

    (() => {
        Shnd.Array.open(other.name).lock();
    })();
    collectGarbage();
    equal(other.lock(10), false);
});

test('lock: arguments', () => {
    const [array] = makePair();

    for (const timeout of ['1', true, {}, 1n, () => {}])
        throws(() => array.lock(timeout), TypeError, 'timeout');
    for (const timeout of [-1, -0.1, NaN, -Infinity])
        throws(() => array.lock(timeout), RangeError, 'timeout');
    throws(() => array.lock(1, 'abc'), TypeError, 'cancellable');
    throws(() => array.lock(1, null, null), TypeError, 'arguments');
    throws(() => array.unlock(1), TypeError, 'arguments');
    throws(() => array.lock_async('1'), TypeError, 'timeout');
    throws(() => array.lock_async(1, {}), TypeError, 'cancellable');
    throws(() => array.lock_async(1, null, 3), TypeError, 'callback');
    throws(() => array.lock_async(1, null, null, null), TypeError, 'arguments');
    throws(() => array.wait('1'), TypeError, 'since');
    throws(() => array.wait(-1), RangeError, 'since');
    throws(() => array.wait(2 ** 53), RangeError, 'since');
    throws(() => array.wait(2n ** 64n), RangeError, 'since');
    throws(() => array.wait(0, -1), RangeError, 'timeout');
    throws(() => array.wait_async(0.5), TypeError, 'since');
    throws(() => array.update(1), TypeError, 'arguments');
    throws(() => array.lock_finish(null), Error);
    equal(array.locked, false);
});

test('lock: not for readers, nor without a control page', () => {
    const [, reader] = makePair(Shnd.Access.READ);
    const path = makePath();

    throws(() => reader.lock(), failure.READ_ONLY);
    throws(() => reader.update(), failure.READ_ONLY);
    throws(() => wait(reader.lock_async()), failure.READ_ONLY);

    Shnd.Array.new(null, 'u1', 3).save(path);
    const plain = Shnd.Array.open_path(path);
    for (const array of [plain, Shnd.Array.open_segment(reader.name, 'u1', 3)]) {
        throws(() => array.lock(), failure.UNSUPPORTED);
        throws(() => array.update(), failure.UNSUPPORTED);
        throws(() => array.wait(), failure.UNSUPPORTED);
        throws(() => array.watch(), failure.UNSUPPORTED);
        throws(() => array.connect('updated', () => {}), failure.UNSUPPORTED);
        throws(() => wait(array.wait_async()), failure.UNSUPPORTED);
        equal(array.sequence, 0);
        equal(array.watching, false);
    }
});

test('lock_async: promises', () => {
    const [array, other] = makePair();

    equal(wait(array.lock_async()), false);
    equal(array.locked, true);
    throws(() => wait(other.lock_async(0)), failure.TIMED_OUT);
    throws(() => wait(other.lock_async(0.02)), failure.TIMED_OUT);

    const promise = other.lock_async(null, null);
    later(() => array.unlock());
    equal(wait(promise), false);
    equal(other.locked, true);

    const cancellable = new Gio.Cancellable();
    later(() => cancellable.cancel());
    throws(() => wait(array.lock_async(60, cancellable)), CANCELLED);
    throws(() => array.lock(1, cancellable), CANCELLED);

    later(() => array.close());
    throws(() => wait(array.lock_async()), failure.CLOSED);
    throws(() => wait(array.lock_async()), failure.CLOSED);
});

test('lock_async: with await, in turn', () => {
    const arrays = [...makePair()];
    for (let i = 0; i < 20; i++)
        arrays.push(Shnd.Array.open(arrays[0].name));

    async function add(array) {
        await array.lock_async();
        const value = array.at(0);
        await new Promise(resolve => later(resolve, 0));
        array.setAt(value + 1, 0);
        array.unlock();
    }

    wait(Promise.all(arrays.map(add)));
    equal(arrays[0].at(0), arrays.length);
});

test('lock_async and wait_async: callbacks', () => {
    const [array] = makePair();
    const locked = [], waited = [];

    equal(array.lock_async(1, null, (...args) => locked.push(args)), undefined);
    equal(array.wait_async(7, (...args) => waited.push(args)), undefined);
    runUntil(() => locked.length + waited.length === 2);
    ok(locked[0][0] === array && waited[0][0] === array, 'the same array');
    equal(array.lock_finish(locked[0][1]), false);
    equal(array.wait_finish(waited[0][1]), 0);
    equal(array.locked, true);
});

test('wait: what has been is not waited for', () => {
    const [array, reader] = makePair(Shnd.Access.READ);

    equal(array.sequence, 0);
    equal(array.update(), true);
    equal(reader.sequence, 1);
    equal(reader.get_sequence(), 1);
    for (const since of [0, 0n, 2, 2n ** 64n - 1n]) {
        equal(reader.wait(since), 1);
        equal(wait(reader.wait_async(since)), 1);
    }
    throws(() => reader.wait(1, 0), failure.TIMED_OUT);
    throws(() => reader.wait(undefined, 0.02), failure.TIMED_OUT);
    throws(() => reader.wait(null, 0.02, null), failure.TIMED_OUT);
});

test('wait_async: promises', () => {
    const [array, reader] = makePair(Shnd.Access.READ);
    const cancellable = new Gio.Cancellable();

    later(() => array.update());
    equal(wait(reader.wait_async()), 1);
    later(() => array.update());
    equal(wait(reader.wait_async(1, 60)), 2);
    throws(() => wait(reader.wait_async(undefined, 0.02)), failure.TIMED_OUT);
    later(() => cancellable.cancel());
    throws(() => wait(reader.wait_async(null, null, cancellable)), CANCELLED);
    throws(() => reader.wait(null, null, cancellable), CANCELLED);
    later(() => reader.close());
    throws(() => wait(reader.wait_async()), failure.CLOSED);

    const all = [];
    for (let i = 0; i < 200; i++)
        all.push(Shnd.Array.open(array.name, Shnd.Access.READ).wait_async());
    array.update();
    equal(wait(Promise.all(all)), new Array(200).fill(3));
});

test('updated: connecting begins to watch', () => {
    const [array, reader] = makePair(Shnd.Access.READ);
    const seen = [];

    reader.connect('notify::closed', () => {});
    equal(reader.watching, false);
    equal(reader.get_watching(), false);

    const id = reader.connect('updated', (...args) => seen.push(args));
    reader.connect_after('updated', (...args) => seen.push(args));
    equal(reader.watching, true);
    array.update();
    runUntil(() => seen.length === 2);
    for (const [source, sequence] of seen) {
        ok(source === reader, 'the same array');
        equal(sequence, 1);
    }

    reader.disconnect(id);
    for (let i = 0; i < 1000; i++)
        array.update();
    runUntil(() => seen[seen.length - 1][1] === 1001);
    ok(seen.length < 12, `few signals for many updates: ${seen.length}`);

    reader.unwatch();
    equal(reader.watching, false);
    equal(reader.watch(), true);
    equal(reader.watching, true);
    equal(GObject.Object.prototype.connect.call(reader, 'updated', () => {}) > 0, true);
});

test('updated: what cannot be', () => {
    const [array] = makePair();

    throws(() => array.connect('updated', 3), Error);
    throws(() => array.connect('upset', () => {}), Error);
    throws(() => array.connect('updated'), TypeError, 'arguments');
    equal(array.watching, false);
    array.close();
    throws(() => array.connect('updated', () => {}), failure.CLOSED);
    throws(() => array.connect_after('updated', () => {}), failure.CLOSED);
});

test('updated: nobody watches for an object that is gone', () => {
    const [array] = makePair();
    let count = 0;

    (() => {
        Shnd.Array.open(array.name).connect('updated', () => count++);
    })();
    collectGarbage();
    array.update();
    runUntil(() => true);
    while (GLib.MainContext.default().iteration(false))
        ;
    equal(count, 0);
});

test('processes: one waits for the other', () => {
    const [array] = makePair();
    const child = startScript('lockChild.mjs', 'answer', array.name);
    const seen = [];

    cleanUp(() => child.force_exit());
    array.connect('updated', (_, sequence) => seen.push(sequence));
    // It answers each of ours; the first one is its own.
    runUntil(() => seen.includes(1));
    for (let sequence = 1; sequence < 20; sequence += 2) {
        array.setAt(sequence, 0);
        array.update();
        equal(wait(array.wait_async(sequence + 1, 60)), sequence + 2);
        equal(array.at(1), sequence);
    }
    equal(array.sequence, 21);
});

test('processes: a lock whose owner is killed', () => {
    const [array, other] = makePair();

    for (const take of [() => array.lock(60), () => wait(array.lock_async(60))]) {
        const sequence = array.sequence;
        const child = startScript('lockChild.mjs', 'hold', array.name);

        equal(array.wait(sequence, 60), sequence + 1);
        throws(() => other.lock(0), failure.TIMED_OUT);
        const promise = other.lock_async(60);
        child.force_exit();
        child.wait(null);
        const told = [wait(promise)];
        other.unlock();
        told.push(take());
        array.unlock();
        equal(told, [true, false], 'recovered');
    }
});

test('_promisify: as for any other function', () => {
    const [array] = makePair();

    Gio._promisify(Shnd.Array.prototype, 'lock_async');
    Gio._promisify(Shnd.Array.prototype, 'wait_async', 'wait_finish');
    Gio._promisify(Shnd.Array, 'open_wait_async', 'open_wait_finish');

    equal(wait(array.lock_async()), false);
    array.unlock();
    equal(wait(array.lock_async(1)), false);
    throws(() => wait(array.lock_async(0, null)), failure.TIMED_OUT);
    equal(wait(array.wait_async(5)), 0);
    equal(wait(Shnd.Array.open_wait_async(array.name)).name, array.name);
});

run();
