// SPDX-License-Identifier: MIT

// Arrays without a name: file descriptors, seals, variants, sockets.

import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Shnd from 'gi://Shnd?version=1';

import {failure, makeName, wait} from './shared.js';
import {cleanUp, collectGarbage, equal, ok, run, test, throws} from './tap.js';

const {READ, READ_WRITE, UNSEALED, ANY_OWNER} = Shnd.Access;
const cancelled = {
    domain: Gio.IOErrorEnum, code: Gio.IOErrorEnum.CANCELLED, toString: () => 'CANCELLED',
};

function makeSealed(typedArray, shape = [typedArray.length]) {
    const array = Shnd.Array.new_from_typed_array(null, typedArray, shape);

    array.seal();

    return array;
}

/* Two ends of a connection, through a socket whose name no file has. */
function makePair() {
    const address = Gio.UnixSocketAddress.new_with_type(
        `shnd-test-${GLib.uuid_string_random()}`, Gio.UnixSocketAddressType.ABSTRACT);
    const listener = new Gio.SocketListener();

    listener.add_address(address, Gio.SocketType.STREAM, Gio.SocketProtocol.DEFAULT, null);
    const there = new Gio.SocketClient().connect(address, null);
    const [here] = listener.accept(null);
    listener.close();
    cleanUp(() => {
        here.close(null);
        there.close(null);
    });

    return [here, there];
}

function countDescriptors() {
    const dir = Gio.File.new_for_path('/proc/self/fd')
        .enumerate_children('standard::name', Gio.FileQueryInfoFlags.NONE, null);
    let n = 0;

    while (dir.next_file(null) !== null)
        n++;
    dir.close(null);

    return n;
}

test('new_for_fd: the same array', () => {
    const array = makeSealed(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const fd = array.dup_fd();
    const again = Shnd.Array.new_for_fd(fd);

    GLib.close(fd);
    equal(again.shape, [2, 3]);
    equal(again.name, null);
    equal(again.access, READ);
    equal(again.toTypedArray(), Int32Array.of(1, 2, 3, 4, 5, 6));
    array.setAt(77, 1, 1);
    equal(again.at(1, 1), 77);
    array.update();
    equal(again.sequence, 1);
    throws(() => again.setAt(1, 0, 0), failure.READ_ONLY);
    throws(() => again.fill(1), failure.READ_ONLY);
});

test('new_for_fd: what is not sealed', () => {
    const array = Shnd.Array.new(null, 'u1', 4);
    const fd = array.dup_fd();

    throws(() => Shnd.Array.new_for_fd(fd), failure.PERMISSION_DENIED, 'F_SEAL_SHRINK');
    const again = Shnd.Array.new_for_fd(fd, READ_WRITE | UNSEALED);
    again.fill(3);
    equal(array.at(3), 3);

    array.seal();
    throws(() => Shnd.Array.new_for_fd(fd, READ_WRITE), failure.PERMISSION_DENIED, 'FUTURE_WRITE');
    throws(() => Shnd.Array.new_for_fd(fd, READ_WRITE | UNSEALED), failure.PERMISSION_DENIED);
    // That one has it mapped.
    again.fill(4);
    equal(array.at(3), 4);
    GLib.close(fd);
});

test('new_for_fd: wrong arguments', () => {
    const array = makeSealed(Int8Array.of(1));
    const fd = array.dup_fd();

    for (const access of [0, UNSEALED, READ | ANY_OWNER])
        throws(() => Shnd.Array.new_for_fd(fd, access), failure.INVALID_ARGUMENT, 'UNSEALED');
    for (const number of [-1, 12345, -(2 ** 31), 2 ** 31 - 1])
        throws(() => Shnd.Array.new_for_fd(number), failure.INVALID_ARGUMENT, 'not an open');
    for (const number of [2 ** 31, -(2 ** 40)])
        throws(() => Shnd.Array.new_for_fd(number), RangeError, 'fd');
    for (const bad of [null, '3', 1.5, true, [3], undefined])
        throws(() => Shnd.Array.new_for_fd(bad), TypeError, 'fd');
    throws(() => Shnd.Array.new_for_fd(fd, 'READ'), TypeError, 'access');
    throws(() => Shnd.Array.new_for_fd(fd, -1), RangeError, 'access');
    throws(() => Shnd.Array.new_for_fd(), TypeError, 'arguments');
    throws(() => array.dup_fd(1), TypeError, 'arguments');
    throws(() => array.seal(1), TypeError, 'arguments');
    throws(() => array.get_sealed(1), TypeError, 'arguments');
    throws(() => Shnd.Array.open('x', READ | UNSEALED), failure.INVALID_ARGUMENT, 'ANY_OWNER');
    GLib.close(fd);
});

test('seal', () => {
    const array = Shnd.Array.new(null, 'i4', 3);
    let nNotified = 0;

    array.connect('notify::sealed', () => nNotified++);
    equal(array.sealed, false);
    equal(array.seal(), true);
    equal(array.seal(), true);
    equal(array.sealed, true);
    equal(array.get_sealed(), true);
    equal(nNotified, 1);
    equal(array.slice(0, 0, 2).sealed, true);
    throws(() => array.slice(0, 0, 2).dup_fd(), failure.UNSUPPORTED, 'view');

    array.close();
    equal(array.sealed, false);
    throws(() => array.seal(), failure.CLOSED);
    throws(() => array.dup_fd(), failure.CLOSED);
    throws(() => Shnd.Array.new(makeName(), 'u1', 1).seal(), failure.UNSUPPORTED, 'without a name');
});

test('to_variant and new_from_variant', () => {
    const array = makeSealed(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]);
    const fdList = new Gio.UnixFDList();
    const whole = array.to_variant(fdList);
    const part = array.slice(1, 2, -1, -2).to_variant(fdList);

    equal(fdList.get_length(), 2);
    equal(part.get_type_string(), '(hsaxaxt)');
    equal(part.deepUnpack().slice(0, 4), [1, '<f4', [2, 2], [12, -8]]);
    equal(Shnd.Array.new_from_variant(whole, fdList).toTypedArray(), array.toTypedArray());
    const again = Shnd.Array.new_from_variant(part, fdList, READ | UNSEALED);
    equal(again.shape, [2, 2]);
    equal(again.toTypedArray(), Float32Array.of(2, 0, 5, 3));

    throws(() => Shnd.Array.new_from_variant(whole, null), failure.INVALID_ARGUMENT, 'which has 0');
    throws(() => Shnd.Array.new_from_variant(whole, fdList, READ_WRITE), failure.PERMISSION_DENIED);
    throws(() => Shnd.Array.new_from_variant(new GLib.Variant('s', 'x'), fdList),
        failure.INVALID_ARGUMENT, '(hsaxaxt)');
    throws(() => Shnd.Array.new_from_variant(
        new GLib.Variant('(hsaxaxt)', [0, '<f4', [7], [4], 4096]), fdList), failure.TOO_SMALL);
    for (const bad of [null, 'x', {}, undefined])
        throws(() => Shnd.Array.new_from_variant(bad, fdList), TypeError, 'variant');
    for (const bad of ['x', {}, undefined])
        throws(() => Shnd.Array.new_from_variant(whole, bad), TypeError, 'fdList');
    throws(() => Shnd.Array.new_from_variant(whole, fdList, null), TypeError, 'access');
    throws(() => array.to_variant(null), TypeError, 'fdList');
    throws(() => array.to_variant(), TypeError, 'arguments');
});

test('send and receive', () => {
    const array = makeSealed(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const [here, there] = makePair();

    equal(array.send(here), true);
    array.slice(1, 2, -1, -2).send(here, null);
    equal(Shnd.Array.receive(there).toTypedArray(), array.toTypedArray());
    equal(Shnd.Array.receive(there, READ).toTypedArray(), Uint8Array.of(3, 1, 6, 4));

    array.send(there);
    throws(() => Shnd.Array.receive(here, READ_WRITE), failure.PERMISSION_DENIED);
    const unsealed = Shnd.Array.new(null, 'u1', 4);
    unsealed.send(there);
    Shnd.Array.receive(here, READ_WRITE | UNSEALED).fill(9);
    equal(unsealed.at(0), 9);

    there.close(null);
    throws(() => Shnd.Array.receive(here), failure.END_OF_STREAM, 'no more arrays');
    throws(() => array.send(here), failure.DISCONNECTED);
});

test('send and receive: wrong arguments', () => {
    const array = makeSealed(Int8Array.of(1));
    const [here, there] = makePair();
    const cancellable = new Gio.Cancellable();

    cancellable.cancel();
    for (const bad of [null, 3, new Gio.Cancellable(), undefined]) {
        throws(() => array.send(bad), TypeError, 'connection');
        throws(() => array.send_async(bad), TypeError, 'connection');
        throws(() => Shnd.Array.receive(bad), TypeError, 'connection');
        throws(() => Shnd.Array.receive_async(bad), TypeError, 'connection');
    }
    throws(() => Shnd.Array.receive(there, 'x'), TypeError, 'access');
    throws(() => Shnd.Array.receive(there, READ, 1), TypeError, 'cancellable');
    throws(() => array.send(here, 1), TypeError, 'cancellable');
    throws(() => Shnd.Array.receive(there, READ, cancellable), cancelled);
    throws(() => array.send(here, cancellable), cancelled);
    throws(() => Shnd.Array.receive(there, UNSEALED), failure.INVALID_ARGUMENT);

    here.get_output_stream().write_bytes(new GLib.Bytes(new Uint8Array(100)), null);
    throws(() => Shnd.Array.receive(there), failure.PROTOCOL, 'SHNDSEND');
});

test('send and receive: promises and callbacks', () => {
    const array = makeSealed(Float64Array.of(1, 2, 3));
    const [here, there] = makePair();
    const cancellable = new Gio.Cancellable();
    const got = [];

    const receiving = Shnd.Array.receive_async(there);
    equal(wait(array.send_async(here)), true);
    equal(wait(receiving).toTypedArray(), Float64Array.of(1, 2, 3));

    wait(new Promise(resolve => {
        Shnd.Array.receive_async(there, READ, null, (source, result) => {
            got.push(source, Shnd.Array.receive_finish(result).at(2));
            resolve();
        });
        array.send_async(here, null, (source, result) => {
            got.push(source === array, source.send_finish(result));
        });
    }));
    equal(got.sort(), [null, true, true, 3].sort());

    const waiting = Shnd.Array.receive_async(there, READ, cancellable);
    cancellable.cancel();
    throws(() => wait(waiting), cancelled);
    const ended = Shnd.Array.receive_async(there);
    here.close(null);
    throws(() => wait(ended), failure.END_OF_STREAM);
});

test('no descriptor is left', () => {
    const array = makeSealed(Float64Array.of(1, 2, 3));
    const [here, there] = makePair();
    const once = () => {
        const fd = array.dup_fd();

        Shnd.Array.new_for_fd(fd).close();
        throws(() => Shnd.Array.new_for_fd(fd, READ_WRITE), failure.PERMISSION_DENIED);
        GLib.close(fd);
        array.send(here);
        Shnd.Array.receive(there).close();
        array.send(here);
        throws(() => Shnd.Array.receive(there, READ_WRITE), failure.PERMISSION_DENIED);
    };

    once();
    collectGarbage();
    const before = countDescriptors();
    for (let i = 0; i < 200; i++)
        once();
    collectGarbage();
    ok(countDescriptors() <= before, 'as many as before');
});

run();
