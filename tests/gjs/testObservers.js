// SPDX-License-Identifier: MIT

// Who publishes, and how a stream goes.

import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, runUntil, wait} from './shared.js';
import {equal, ok, run, test, throws} from './tap.js';

const runtime = GLib.Dir.make_tmp('shnd-test-gjs-XXXXXX');

GLib.setenv('XDG_RUNTIME_DIR', runtime, true);

test('list_addresses', () => {
    equal(Shnd.list_addresses(), []);

    const publishers = ['b', 'ä', 'a'].map(name => Shnd.Publisher.new(name));

    ok(Array.isArray(Shnd.list_addresses()), 'an Array');
    equal(Shnd.list_addresses(), ['a', 'b', 'ä']);
    publishers.shift().close();
    equal(Shnd.list_addresses(), ['a', 'ä']);
    publishers.forEach(publisher => publisher.close());
    equal(Shnd.list_addresses(), []);
    throws(() => Shnd.list_addresses(1), TypeError, 'arguments');
});

function getNumbers(subscriber) {
    return [subscriber.sequence, subscriber.n_subscribers, subscriber.nDropped,
        subscriber['frame-size']];
}

function observe(observer) {
    runUntil(() => {
        throws(() => observer.receive({timeout: 0}), failure.TIMED_OUT);
        return observer.connected;
    });
}

test('an observer sees how the stream goes', () => {
    const publisher = Shnd.Publisher.new('stream',
        {overflow: Shnd.Overflow.BLOCK, depth: 1, max_frames: 1});
    const observer = Shnd.Subscriber.new('stream', {observer: true});

    equal(publisher.n_subscribers, 0);
    equal(observer.observer, true);
    equal(getNumbers(observer), [0, 0, 0, 0]);
    observe(observer);
    for (let i = 1; i <= 20; i++) {
        publisher.publish_typed_array(new Float32Array(i), [i], {timeout: 0});
        equal(getNumbers(observer), [i, 0, 0, 4 * i]);
    }
    equal(publisher.n_subscribers, 0);
    throws(() => publisher.wait_subscribers(1, {timeout: 0.01}), failure.TIMED_OUT);

    const subscriber = Shnd.Subscriber.new('stream');
    const frame = subscriber.receive({timeout: 60});

    equal(frame.sequence, 20);
    equal(getNumbers(subscriber), [20, 1, 0, 80]);
    equal([observer.get_sequence(), observer.get_n_subscribers(), observer.get_n_dropped(),
        observer.get_frame_size(), observer.get_observer()], [20, 1, 0, 80, true]);
    frame.release();
    subscriber.close();
    throws(() => observer.get_sequence(1), TypeError, 'arguments');
    throws(() => (observer.observer = 1), TypeError, 'observer');
    throws(() => Shnd.Subscriber.new('stream', {observer: 'yes'}), TypeError, 'observer');

    publisher.close();
    throws(() => observer.receive({timeout: 60}), failure.END_OF_STREAM);
    equal(getNumbers(observer), [20, 0, 0, 80]);
    equal([...observer], []);
    observer.close();
    equal(getNumbers(observer), [20, 0, 0, 80]);
});

test('an observer in a main loop', () => {
    for (const how of ['receive_async', 'for await', 'watch']) {
        const publisher = Shnd.Publisher.new('stream');
        const observer = Shnd.Subscriber.new('stream', {observer: true});
        const errors = [];

        equal(publisher.n_subscribers, 0);
        if (how === 'watch') {
            observer.connect('frame', () => ok(false, 'a frame'));
            observer.connect('ended', (_, error) => errors.push(error));
        }

        const end = how === 'receive_async' ? observer.receive_async({timeout: 60}) :
            how === 'watch' ? null : (async () => {
                // eslint-disable-next-line no-unused-vars
                for await (const frame of observer)
                    ok(false, 'a frame');
            })();

        runUntil(() => observer.connected);
        publisher.publish_typed_array(Uint8Array.of(1));
        equal(observer.sequence, 1);
        publisher.close();
        if (how === 'watch') {
            runUntil(() => errors.length > 0);
            ok(errors[0].matches(Shnd.Error.quark(), Shnd.Error.END_OF_STREAM), `${errors[0]}`);
        } else if (how === 'receive_async') {
            throws(() => wait(end), failure.END_OF_STREAM);
        } else {
            wait(end);
        }
        observer.close();
    }
});

test('nothing is left', () => {
    equal(GLib.rmdir(GLib.build_filenamev([runtime, 'shndarray'])), 0);
    equal(GLib.rmdir(runtime), 0);
});

run();
