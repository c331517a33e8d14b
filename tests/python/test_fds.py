# SPDX-License-Identifier: MIT

"""Array in Python without a name: file descriptors, seals, variants, sockets."""

import gc
import mmap
import os
import signal
import socket
import tempfile
import threading
import time

import numpy as np
from array_support import NAME, READ, READ_WRITE, ROW, STRUCT, ArrayTestCase, Error
from gi.repository import Gio
from process_support import Child, Thread
from support import GLib, Shnd, count_handles, main

UNSEALED = Shnd.Access.UNSEALED
F_SEAL_SHRINK = 2


def connect(end):
    """A Gio.UnixConnection of a Python socket, which it takes."""
    return Gio.Socket.new_from_fd(end.detach()).connection_factory_create_connection()


def make_pair():
    return [connect(end) for end in socket.socketpair()]


def make_sealed(expected):
    array = Shnd.Array.new_from_array(None, expected)
    array.seal()
    return array


def is_readable(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


class Descriptors(ArrayTestCase):
    def open_fd(self, array, access=READ):
        fd = array.dup_fd()
        try:
            self.assertFalse(os.get_inheritable(fd))
            return Shnd.Array.new_for_fd(fd, access)
        finally:
            os.close(fd)

    def test_round_trip(self):
        for expected in (np.arange(24).reshape(2, 3, 4), np.array(1.5), np.zeros((0, 3), '>i2'),
                         np.asfortranarray(np.arange(6.0).reshape(2, 3)),
                         np.array([ROW, ROW], STRUCT)):
            array = Shnd.Array.new_from_array(None, expected)
            again = self.open_fd(array, READ_WRITE | UNSEALED)
            self.assert_array(again, expected)
            self.assertIsNone(again.name)
            array.seal()
            sealed = self.open_fd(array)
            self.assert_array(sealed, expected)
            self.assertFalse(sealed.get().flags.writeable)
            self.assertEqual(sealed.access, READ)

    def test_shared(self):
        array = make_sealed(np.arange(4))
        reader = self.open_fd(array)
        view = reader.get()
        array[1] = 77
        self.assertEqual(view[1], 77)
        array.fill(5)
        array.write_bytes(np.arange(4))
        array.copy_from([1, 2, 3, 4])
        self.assertEqual(list(view), [1, 2, 3, 4])
        array.update()
        self.assertEqual(reader.sequence, 1)
        with array.lock():
            pass
        self.assert_error(Error.READ_ONLY, '', reader.fill, 5)
        with self.assertRaises(ValueError):
            view[0] = 1

    def test_keeps_memory(self):
        view = self.open_fd(make_sealed(np.arange(1000))).get()
        gc.collect()
        self.assertEqual(view.sum(), 499500)

    def test_files(self):
        """Anything with a fileno(), of which nothing is closed."""
        with tempfile.TemporaryFile() as file:
            np.save(file, np.arange(5))
            file.flush()
            self.assert_error(Error.PERMISSION_DENIED, 'UNSEALED', Shnd.Array.new_for_fd, file)
            array = Shnd.Array.new_for_fd(file, READ_WRITE | UNSEALED)
            self.assert_array(array, np.arange(5))
            array[0] = 9
            file.seek(0)
            self.assertEqual(np.load(file)[0], 9)
        self.assertEqual(array[0], 9)

    def test_named(self):
        array = Shnd.Array.new(NAME, 'i4', 3)
        again = self.open_fd(array, READ_WRITE | UNSEALED)
        again[1] = 7
        self.assertEqual(array[1], 7)
        array.close()
        self.assertFalse(is_readable(f'/dev/shm/{NAME}'))
        self.assertEqual(again[1], 7)

    def test_refused(self):
        array = make_sealed(np.arange(4))
        view = array.slice(0, 1, 3)
        self.assert_error(Error.UNSUPPORTED, 'view', view.dup_fd)
        fd = array.dup_fd()
        self.addCleanup(os.close, fd)
        self.assert_error(Error.PERMISSION_DENIED, 'F_SEAL_FUTURE_WRITE', Shnd.Array.new_for_fd, fd,
                          READ_WRITE)
        for access in (0, UNSEALED, READ | Shnd.Access.ANY_OWNER, READ | 16):
            self.assert_error(Error.INVALID_ARGUMENT, 'UNSEALED', Shnd.Array.new_for_fd, fd, access)
        for number in (-1, 12345, -2**31, 2**31 - 1):
            self.assert_error(Error.INVALID_ARGUMENT, 'not an open', Shnd.Array.new_for_fd, number)
        for bad in (None, '3', 1.0, True, [3]):
            with self.subTest(bad=bad), self.assertRaises(TypeError):
                Shnd.Array.new_for_fd(bad)
        with self.assertRaises(OverflowError):
            Shnd.Array.new_for_fd(2**40)
        with self.assertRaises(TypeError):
            Shnd.Array.new_for_fd(fd, '1')
        self.assert_error(Error.INVALID_ARGUMENT, 'ANY_OWNER', Shnd.Array.open, NAME,
                          READ | UNSEALED)
        array.close()
        for function in (array.dup_fd, array.seal):
            self.assert_error(Error.CLOSED, 'closed', function)

    def test_hostile(self):
        cases = [(os.memfd_create('x'), Error.PERMISSION_DENIED, Error.INVALID_FORMAT),
                 (os.open('/', os.O_RDONLY), Error.INVALID_FORMAT, Error.INVALID_FORMAT),
                 (os.open('/dev/zero', os.O_RDWR), Error.INVALID_FORMAT, Error.INVALID_FORMAT),
                 (os.pipe()[0], Error.INVALID_FORMAT, Error.INVALID_FORMAT)]
        for fd, code, unsealed_code in cases:
            self.addCleanup(os.close, fd)
            self.assert_error(code, '', Shnd.Array.new_for_fd, fd)
            self.assert_error(unsealed_code, '', Shnd.Array.new_for_fd, fd, READ | UNSEALED)

    def test_leaks(self):
        array = make_sealed(np.arange(4))
        gc.collect()
        before = count_handles()
        for _ in range(300):
            fd = array.dup_fd()
            Shnd.Array.new_for_fd(fd)
            with self.assertRaises(GLib.Error):
                Shnd.Array.new_for_fd(fd, READ_WRITE)
            os.close(fd)
        gc.collect()
        self.assertEqual(count_handles(), before)


class Seals(ArrayTestCase):
    def test_seal(self):
        array = Shnd.Array.new(None, 'i4', 3)
        notified = []
        array.connect('notify::sealed', lambda *args: notified.append(args))
        self.assertIs(array.sealed, False)
        self.assertTrue(array.seal())
        self.assertTrue(array.seal())
        self.assertIs(array.sealed, True)
        self.assertIs(array.get_sealed(), True)
        self.assertIs(array.props.sealed, True)
        self.assertEqual(len(notified), 1)
        named = Shnd.Array.new(NAME, 'i4', 3)
        self.assert_error(Error.UNSUPPORTED, 'without a name', named.seal)
        self.assertIs(named.sealed, False)

    def test_attacks(self):
        expected = np.arange(4096)
        array = make_sealed(expected)
        size = os.path.getsize(f'/proc/self/fd/{(fd := array.dup_fd())}')
        self.addCleanup(os.close, fd)
        for change in (
                lambda: mmap.mmap(fd, size, prot=mmap.PROT_READ | mmap.PROT_WRITE),
                lambda: os.ftruncate(fd, 0), lambda: os.ftruncate(fd, 2 * size),
                lambda: os.truncate(f'/proc/self/fd/{fd}', 0), lambda: os.pwrite(fd, b'evil', 4096),
                lambda: os.posix_fallocate(fd, size, 4096),
                lambda: mmap.mmap(os.open(f'/proc/self/fd/{fd}', os.O_RDWR), size)):
            with self.assertRaises(OSError):
                change()
        self.assert_array(array, expected)


class Variants(ArrayTestCase):
    def test_round_trip(self):
        expected = np.arange(60, dtype='>f4').reshape(3, 4, 5)
        array = make_sealed(expected)
        fd_list = Gio.UnixFDList()
        for view, shown in ((array, expected), (array.slice(2, 4, -1, -2), expected[..., ::-2]),
                            (array.T.index(0, 1), expected.T[1])):
            variant = view.to_variant(fd_list)
            self.assertEqual(variant.get_type_string(), '(hsaxaxt)')
            self.assertEqual(variant[0], fd_list.get_length() - 1)
            self.assertEqual(variant[1], '>f4')
            self.assertEqual(tuple(variant[2]), shown.shape)
            again = Shnd.Array.new_from_variant(variant, fd_list)
            self.assert_array(again, shown)
            self.assertFalse(again.get().flags.writeable)

    def test_refused(self):
        array = make_sealed(np.arange(4))
        fd_list = Gio.UnixFDList()
        good = array.to_variant(fd_list)
        self.assert_error(Error.INVALID_ARGUMENT, 'which has 0', Shnd.Array.new_from_variant, good,
                          None)
        self.assert_error(Error.PERMISSION_DENIED, '', Shnd.Array.new_from_variant, good, fd_list,
                          READ_WRITE)
        for variant, code in (
                (GLib.Variant('s', 'x'), Error.INVALID_ARGUMENT),
                (GLib.Variant('(hsaxaxt)', (5, '<i8', [4], [8], 4096)), Error.INVALID_ARGUMENT),
                (GLib.Variant('(hsaxaxt)', (0, '<i8', [5], [8], 4096)), Error.TOO_SMALL),
                (GLib.Variant('(hsaxaxt)', (0, '|O', [4], [8], 4096)), Error.INVALID_DTYPE),
                (GLib.Variant('(hsaxaxt)', (0, '<i8', [-4], [8], 4096)), Error.INVALID_SHAPE)):
            self.assert_error(code, '', Shnd.Array.new_from_variant, variant, fd_list)
        for bad in (None, 'x', ()):
            with self.assertRaises(TypeError):
                Shnd.Array.new_from_variant(bad, fd_list)
        with self.assertRaises(TypeError):
            array.to_variant(None)
        with self.assertRaises(TypeError):
            array.to_variant()


class Sockets(ArrayTestCase):
    def test_round_trip(self):
        expected = np.arange(60).reshape(3, 20)
        array = make_sealed(expected)
        a, b = make_pair()
        self.assertTrue(array.send(a))
        self.assertTrue(array.slice(1, 19, -1, -3).send(a))
        self.assert_array(Shnd.Array.receive(b), expected)
        received = Shnd.Array.receive(b)
        self.assert_array(received, expected[:, ::-3])
        self.assertFalse(received.get().flags.writeable)

        # And the other way, not from the main thread.
        array.send(b)
        self.assert_array(Thread(Shnd.Array.receive, a).join(), expected)

    def test_access(self):
        array = Shnd.Array.new(None, 'i4', 3)
        a, b = make_pair()
        array.send(a)
        array.send(a)
        self.assert_error(Error.PERMISSION_DENIED, 'F_SEAL_SHRINK', Shnd.Array.receive, b)
        received = Shnd.Array.receive(b, READ_WRITE | UNSEALED)
        received[...] = 5
        self.assertEqual(list(array), [5, 5, 5])

    def test_end(self):
        array = make_sealed(np.arange(3))
        a, b = make_pair()
        a.close()
        self.assert_error(Error.END_OF_STREAM, 'no more arrays', Shnd.Array.receive, b)
        self.assert_error(Error.DISCONNECTED, '', array.send, b)
        a, b = make_pair()
        a.get_output_stream().write(b'x' * 1000)
        self.assert_error(Error.PROTOCOL, 'SHNDSEND', Shnd.Array.receive, b)
        for bad in (None, 3, socket.socket()):
            with self.assertRaises(TypeError):
                Shnd.Array.receive(bad)
            with self.assertRaises(TypeError):
                array.send(bad)

    def test_cancelled(self):
        array = make_sealed(np.arange(3))
        a, b = make_pair()
        cancellable = Gio.Cancellable()
        timer = threading.Timer(0.05, cancellable.cancel)
        timer.start()
        for call in (lambda: Shnd.Array.receive(b, cancellable=cancellable),
                     lambda: array.send(a, cancellable=cancellable)):
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(
                caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        timer.join()
        with self.assertRaises(TypeError):
            Shnd.Array.receive(b, cancellable=1)
        with self.assertRaises(TypeError):
            array.send(a, cancellable=1)

    def test_interrupted(self):
        """Ctrl-C ends the wait, and other threads run during it."""
        a, b = make_pair()

        def interrupt():
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)

        thread = Thread(interrupt)
        with self.assertRaises(KeyboardInterrupt):
            Shnd.Array.receive(b)
        thread.join()
        array = make_sealed(np.arange(3))
        array.send(a)
        self.assert_array(Shnd.Array.receive(b), np.arange(3))

    def test_async(self):
        expected = np.arange(12.0)
        array = make_sealed(expected)
        a, b = make_pair()
        loop = GLib.MainLoop()
        seen = []

        def on_sent(source, result, word):
            seen.append((source is array, array.send_finish(result), word))

        def on_received(source, result, word):
            seen.append((source, Shnd.Array.receive_finish(result), word))
            loop.quit()

        Shnd.Array.receive_async(b, READ, None, on_received, 'received')
        array.send_async(a, None, on_sent, 'sent')
        loop.run()
        (same, sent, first), (source, received, second) = sorted(seen, key=lambda s: s[2] != 'sent')
        self.assertEqual((same, sent, first, source, second), (True, True, 'sent', None, 'received'))
        self.assert_array(received, expected)

        def on_end(_, result):
            with self.assertRaises(GLib.Error) as caught:
                Shnd.Array.receive_finish(result)
            seen.append(caught.exception.code)
            loop.quit()

        Shnd.Array.receive_async(b, callback=on_end)
        a.close()
        loop.run()
        self.assertEqual(seen[-1], Error.END_OF_STREAM)

    def test_processes(self):
        """A process that shares nothing but a socket gets the array, and cannot change it."""
        expected = np.arange(1000)
        ours, theirs = socket.socketpair()

        def child(connection):
            array = Shnd.Array.receive(connect(theirs))
            connection.send(int(array.get().sum()))
            array.wait(0, timeout=100)
            connection.send(int(array[0]))
            try:
                mmap.mmap(array.dup_fd(), 4096, prot=mmap.PROT_WRITE)
            except PermissionError:
                connection.send('refused')

        with Child(child) as process:
            theirs.close()
            connection = connect(ours)
            array = make_sealed(expected)
            array.send(connection)
            self.assertEqual(process.receive(), expected.sum())
            array[0] = 42
            array.update()
            self.assertEqual(process.receive(), 42)
            self.assertEqual(process.receive(), 'refused')
            self.assertEqual(process.join(), 0)

    def test_leaks(self):
        array = make_sealed(np.arange(4))
        a, b = make_pair()
        array.send(a)
        Shnd.Array.receive(b)
        gc.collect()
        before = count_handles()
        for _ in range(300):
            array.send(a)
            Shnd.Array.receive(b)
            array.send(a)
            with self.assertRaises(GLib.Error):
                Shnd.Array.receive(b, READ_WRITE)
        gc.collect()
        self.assertEqual(count_handles(), before)


if __name__ == '__main__':
    main()
