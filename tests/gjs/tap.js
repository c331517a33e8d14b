// SPDX-License-Identifier: MIT

// A small harness: tests print TAP, and clean up after themselves.

import GLib from 'gi://GLib?version=2.0';
import System from 'system';

const tests = [];
let cleanups = [];

/* Adds a test. */
export function test(name, body) {
    tests.push({name, body});
}

/* Has something done when the test at hand is over, however it ends. */
export function cleanUp(work) {
    cleanups.unshift(work);
}

function fail(message) {
    throw new Error(message);
}

export function show(value) {
    if (typeof value === 'bigint')
        return `${value}n`;
    if (typeof value === 'number')
        return Object.is(value, -0) ? '-0' : String(value);
    if (Array.isArray(value))
        return `[${value.map(show).join(', ')}]`;
    if (ArrayBuffer.isView(value))
        return `${value.constructor.name} [${Array.from(value, show).join(', ')}]`;
    if (typeof value === 'object' && value !== null && value.constructor === Object &&
        !(Object.hasOwn(value, 'toString') && typeof value.toString === 'function'))
        return `{${Object.keys(value).map(key => `${key}: ${show(value[key])}`).join(', ')}}`;
    if (typeof value === 'string')
        return JSON.stringify(value);

    return String(value);
}

/* Same type and same value, all the way down. */
export function equal(actual, expected, what = 'value') {
    if (show(actual) !== show(expected) || typeof actual !== typeof expected)
        fail(`${what}: got ${show(actual)}, expected ${show(expected)}`);
}

export function ok(condition, what) {
    if (condition !== true)
        fail(`${what}: got ${show(condition)}, expected true`);
}

/* Whether `body` throws: a class of JavaScript's errors, or a code of one of GLib's. */
export function throws(body, expected, message = null) {
    let result;

    try {
        result = body();
    } catch (error) {
        const isExpected = typeof expected === 'function'
            ? error instanceof expected
            : error instanceof GLib.Error && error.matches(expected.domain, expected.code);

        if (!isExpected)
            fail(`threw ${error.constructor.name}: ${error.message}, expected ${show(expected)}`);
        if (message !== null && !error.message.includes(message))
            fail(`threw “${error.message}”, expected “${message}” in it`);
        if (error.message.length < 10)
            fail(`threw “${error.message}”, expected a message`);
        return;
    }
    fail(`${body}: got ${show(result)}, expected an exception`);
}

/* Frees what nobody holds. Objects that C code holds need a second look. */
export function collectGarbage() {
    System.gc();
    System.gc();
}

/* Runs all tests, and ends the process. */
export function run() {
    let nFailed = 0;

    // What is a warning or worse in C is a bug of ours. GJS's own message of an exception that
    // nobody caught is one, too.
    GLib.log_set_always_fatal(GLib.LogLevelFlags.LEVEL_ERROR |
        GLib.LogLevelFlags.LEVEL_CRITICAL | GLib.LogLevelFlags.LEVEL_WARNING);

    print(`1..${tests.length}`);
    tests.forEach(({name, body}, i) => {
        let error = null;

        for (const work of [body, () => cleanups.forEach(cleanup => cleanup())]) {
            try {
                work();
            } catch (e) {
                error ??= e;
            }
        }
        cleanups = [];
        collectGarbage();

        print(`${error === null ? 'ok' : 'not ok'} ${i + 1} - ${name}`);
        if (error !== null) {
            nFailed++;
            for (const line of `${error.message}\n${error.stack}`.trimEnd().split('\n'))
                print(`# ${line}`);
        }
    });

    System.exit(nFailed === 0 ? 0 : 1);
}
