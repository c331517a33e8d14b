// SPDX-License-Identifier: MIT

// Two processes that see the same memory.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {exists, failure, makeName, runScript} from './shared.js';
import {equal, ok, run, test, throws} from './tap.js';

test('another process sees and changes the elements', () => {
    const name = makeName();
    const array = Shnd.Array.new_from_typed_array(name, Int32Array.of(1, 2, 3, 4), [2, 2]);

    equal(runScript('child.mjs', 'add', name, '10'), 'shape 2,2 dtype <i4 sum 10');
    equal(array.toTypedArray(), Int32Array.of(11, 12, 13, 14));
    array.setAt(-50, 1, 1);
    equal(runScript('child.mjs', 'add', name, '0'), 'shape 2,2 dtype <i4 sum -14');
    ok(exists(name), 'the segment outlives a process that opened it');
});

test('an array goes with the process that made it', () => {
    const name = makeName();

    equal(runScript('child.mjs', 'make', name), 'made');
    ok(!exists(name), 'a script that ends gives back what it holds');
    throws(() => Shnd.Array.open(name), failure.NOT_FOUND, name);
});

test('an array that is persistent outlives the process that made it', () => {
    const name = makeName();

    equal(runScript('child.mjs', 'make', name, 'PERSISTENT'), 'made');

    const array = Shnd.Array.open(name);
    equal(array.shape, [3]);
    equal(array.toTypedArray(), Float64Array.of(0.5, 1.5, 2.5));
});

test('a write into a read-only array ends no process', () => {
    const name = makeName();
    const array = Shnd.Array.new_from_typed_array(name, Float64Array.of(1, 2));

    equal(runScript('child.mjs', 'scribble', name), 'alive');
    equal(array.toTypedArray(), Float64Array.of(1, 2));
});

test('a script of the old kind gets the same', () => {
    const name = makeName();
    const array = Shnd.Array.new_from_typed_array(name, Uint8Array.of(1, 2, 3));

    equal(runScript('child.js', name), '<f8 1,2,3');
    equal(array.toTypedArray(), Uint8Array.of(1, 2, 99));
});

test('a .npy file is what others see', () => {
    const name = makeName();

    const array = Shnd.Array.new_from_typed_array(name, Int16Array.of(1, 2), [1, 2]);
    const [, content] = GLib.file_get_contents(`/dev/shm/${name}`);
    const header = String.fromCharCode(...content.subarray(10, 4096)).trimEnd();
    equal(header, "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }");
    equal(Array.from(content.subarray(4096, 4100)), [1, 0, 2, 0]);
    array.close();
    ok(!exists(name), 'the last handle takes the file along');
});

run();
