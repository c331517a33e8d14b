# SPDX-License-Identifier: MIT

"""Array in Python: .npy files that come and go through pipes and other streams."""

import bz2
import gzip
import io
import lzma
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import traceback

import numpy as np
from array_support import FORTRAN, NAME, ROW, SPARSE, STRUCT, ArrayTestCase, Error
from gi.repository import Gio
from support import GLib, Shnd, count_handles, in_child, main, own_names

MIB = 1024 * 1024


def cancelled():
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    return cancellable


def to_bytes(expected):
    """What NumPy saves."""
    with io.BytesIO() as file:
        np.save(file, expected)
        return file.getvalue()


def new_input(data):
    return Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(data))


def new_output():
    return Gio.MemoryOutputStream.new_resizable()


def get_written(stream):
    stream.close()
    return stream.steal_as_bytes().get_data() or b''


class StreamTestCase(ArrayTestCase):
    def assert_io_error(self, code, function, *args, **kwargs):
        with self.assertRaises(GLib.Error) as caught:
            function(*args, **kwargs)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), code), caught.exception)
        return caught.exception

    def assert_cancelled(self, function, *args, **kwargs):
        self.assert_io_error(Gio.IOErrorEnum.CANCELLED, function, *args, **kwargs)


class Streams(StreamTestCase):
    def test_all_sorts(self):
        """NumPy reads what is saved, and what it saves is loaded, whatever it is."""
        for expected in (np.arange(24.).reshape(2, 3, 4), np.asfortranarray(np.eye(5, 7)),
                         np.array([ROW] * 3, STRUCT), np.array(7, '>i2'), np.zeros((3, 0, 2)),
                         np.array(['a', 'bcd']), np.zeros(3, 'V0'),
                         np.arange(3000000, dtype='<u2')):
            with self.subTest(expected=expected):
                content = to_bytes(expected)
                stream = new_input(content + content + b'more')
                for name in (NAME, None):
                    array = Shnd.Array.load_stream(name, stream)
                    self.assertEqual(array.name, name)
                    self.assert_array(array, expected)
                    self.assertEqual(array.get().flags.f_contiguous, expected.flags.f_contiguous)
                self.assertEqual(stream.tell(), 2 * len(content))

                output = new_output()
                self.assertIs(array.save_stream(output), True)
                self.assertIs(array.save_stream(output, None, None), True)
                self.assertEqual(get_written(output), 2 * content)
        self.assertEqual(own_names(), [])

    def test_views(self):
        whole = np.arange(60000.).reshape(3, 200, 100)
        array = Shnd.Array.new_from_array(None, whole)
        for view, expected in ((array.T, whole.T), (array.slice(1, 199, -1, -3), whole[:, ::-3]),
                               (array.index(2, 7), whole[..., 7]),
                               (array.transpose((1, 0, 2)), whole.transpose(1, 0, 2))):
            output = new_output()
            view.save_stream(output)
            self.assertEqual(get_written(output), to_bytes(expected))

    def test_bad(self):
        content = to_bytes(np.arange(100))
        before = count_handles()
        for length in (*range(0, 128, 9), 127, 128, 500, len(content) - 1):
            self.assert_error(Error.TOO_SMALL if length > 0 else Error.END_OF_STREAM, 'ended',
                              Shnd.Array.load_stream, NAME, new_input(content[:length]))
        stream = new_input(b'not a file, for sure')
        self.assert_error(Error.INVALID_FORMAT, 'NUMPY', Shnd.Array.load_stream, NAME, stream)
        self.assertLess(stream.tell(), 11)

        load = Shnd.Array.load_stream
        stream = new_input(content)
        self.assert_error(Error.INVALID_ARGUMENT, 'FORTRAN', load, None, stream, FORTRAN)
        self.assert_error(Error.INVALID_NAME, 'a/b', load, 'a/b', stream)
        self.assert_all_refused({TypeError: (3, b'a'), ValueError: ('a\0b',)},
                                lambda name: load(name, stream))
        self.assert_all_refused({TypeError: (None, 3, 'a', b'a', new_output(), sys.__stdin__)},
                                lambda stream: load(None, stream))
        self.assertRaises(TypeError, load, None, stream, 'a')
        self.assertRaises(TypeError, load, None, stream, cancellable=3)
        self.assertRaises(TypeError, load, None, stream, cancellable=3, progress=print)
        self.assertRaises(TypeError, load, None, stream, progress=3)
        self.assertEqual(stream.tell(), 0)

        array = load(NAME, stream)
        stream = new_input(content)
        self.assert_error(Error.EXISTS, NAME, load, NAME, stream)
        self.assertEqual(stream.tell(), 0)
        array.unlink()
        self.assert_all_refused({TypeError: (None, 3, 'a', b'a', stream, sys.__stdout__)},
                                array.save_stream)
        output = new_output()
        self.assertRaises(TypeError, array.save_stream, output, 3)
        self.assertRaises(TypeError, array.save_stream, output, 3, print)
        self.assertRaises(TypeError, array.save_stream, output, None, 3)
        self.assertEqual(output.get_data_size(), 0)
        output.close()
        error = self.assert_io_error(Gio.IOErrorEnum.CLOSED, array.save_stream, output)
        self.assertIn('Cannot save the array to the stream', error.message)
        with open('/dev/full', 'wb') as full:
            self.assert_io_error(Gio.IOErrorEnum.NO_SPACE, array.save_stream, full)
        array.close()
        self.assert_error(Error.CLOSED, '', array.save_stream, new_output())
        del array
        self.assertEqual(count_handles(), before)

    def test_progress(self):
        content = to_bytes(np.zeros(6 * MIB, 'u1'))
        seen = []
        array = Shnd.Array.load_stream(None, new_input(content),
                                       progress=lambda *args: seen.append(args))
        self.assertEqual(seen, [(4 * MIB, 6 * MIB), (6 * MIB, 6 * MIB)])
        seen.clear()
        array.save_stream(new_output(), progress=lambda *args: seen.append(args))
        self.assertEqual(seen[-1], (6 * MIB, 6 * MIB))

        def load(**kwargs):
            return Shnd.Array.load_stream(NAME, new_input(content), **kwargs)

        def save(**kwargs):
            return array.save_stream(new_output(), **kwargs)

        def fail(done, total):
            calls.append(done)
            raise KeyError('mine')

        for function in (load, save):
            stop = Gio.Cancellable()
            self.assert_cancelled(function, cancellable=stop, progress=lambda *_: stop.cancel())
            self.assert_cancelled(function, cancellable=stop)
            self.assert_cancelled(function, cancellable=stop, progress=print)
            calls = []
            for other in (None, Gio.Cancellable()):
                self.assertRaises(KeyError, function, cancellable=other, progress=fail)
                if other is not None:
                    self.assertFalse(other.is_cancelled())
            self.assertEqual(len(calls), 2)
        self.assertEqual(own_names(), [])

    def test_async(self):
        expected = np.arange(6).reshape(2, 3)
        content = to_bytes(expected)
        loop = GLib.MainLoop()
        seen = []

        def run(start, *args):
            start(*args, lambda *args: (seen.append(args), loop.quit()), 1, 'b')
            self.assertEqual(seen, [])
            loop.run()
            source, result, *data = seen.pop()
            self.assertEqual(data, [1, 'b'])
            return source, result

        def load(name, stream, flags=0, cancellable=None):
            source, result = run(Shnd.Array.load_stream_async, name, stream, flags, cancellable)
            self.assertIsNone(source)
            return Shnd.Array.load_stream_finish(result)

        def save(array, stream, cancellable=None):
            source, result = run(array.save_stream_async, stream, cancellable)
            self.assertIs(source, array)
            return array.save_stream_finish(result)

        array = load(NAME, new_input(content))
        self.assert_array(array, expected)
        self.assert_error(Error.EXISTS, NAME, load, NAME, new_input(content))
        array.unlink()
        self.assert_array(load(None, new_input(content), SPARSE, Gio.Cancellable()), expected)
        self.assert_cancelled(load, NAME, new_input(content), 0, cancelled())
        self.assert_error(Error.END_OF_STREAM, '', load, None, new_input(b''))
        start = Shnd.Array.load_stream_async
        with self.assertRaises(TypeError):
            Shnd.Array.load_stream_finish(None)
        for bad in (None, 3, 'a', new_output(), sys.stdin.buffer):
            self.assertRaises(TypeError, start, None, bad)
        stream = new_input(content)
        self.assertRaises(TypeError, start, 3, stream)
        self.assertRaises(TypeError, start, None, stream, 'a')
        self.assertRaises(TypeError, start, None, stream, 0, 3)
        self.assertRaises(TypeError, start, None, stream, 0, None, 3)

        output = new_output()
        self.assertIs(save(array, output), True)
        self.assertIs(save(array, output, Gio.Cancellable()), True)
        self.assert_cancelled(save, array, output, cancelled())
        self.assertEqual(get_written(output), 2 * content)
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, save, array, output)
        for bad in (None, 3, 'a', stream, sys.stdout.buffer):
            self.assertRaises(TypeError, array.save_stream_async, bad)
        self.assertRaises(TypeError, array.save_stream_async, new_output(), 3)
        self.assertRaises(TypeError, array.save_stream_async, new_output(), None, 3)
        self.assertRaises(TypeError, array.save_stream_finish, None)
        array.close()
        self.assert_error(Error.CLOSED, '', save, array, new_output())


class PythonFiles(StreamTestCase):
    """Objects with ``fileno()``."""

    def test_pipe(self):
        """To and from NumPy, which is another process."""
        code = ('import sys, numpy as np\n'
                'class Input:\n'
                # NumPy would go back in a real file, and ask where it is.
                '    read = sys.stdin.buffer.read\n'
                'class Output:\n'
                '    write = sys.stdout.buffer.write\n'
                'for i in range(2):\n'
                '    np.lib.format.write_array(Output, 2 * np.lib.format.read_array(Input))\n'
                '    sys.stdout.buffer.flush()')
        expected = np.arange(300000.)
        array = Shnd.Array.new_from_array(None, expected)
        with subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as other:
            for _ in range(2):
                array.save_stream(other.stdin)
                self.assert_array(Shnd.Array.load_stream(None, other.stdout), 2 * expected)
            self.assert_error(Error.END_OF_STREAM, 'ended', Shnd.Array.load_stream, None,
                              other.stdout)

    def test_socket(self):
        here, there = socket.socketpair()
        with here, there:
            for blocking in (True, False):
                for end in (here, there):
                    end.setblocking(blocking)
                expected = np.arange(1000000)
                array = Shnd.Array.new_from_array(None, expected)
                thread = threading.Thread(target=array.save_stream, args=(here,))
                thread.start()
                self.assert_array(Shnd.Array.load_stream(None, there), expected)
                thread.join()

    def test_files(self):
        """Where Python is in the file, and where it is afterwards, whatever it has in its buffer."""
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder:
            path = pathlib.Path(folder, 'a')
            expected = np.arange(3000)
            array = Shnd.Array.new_from_array(None, expected)
            for buffering in (-1, 0, 100):
                with open(path, 'wb', buffering=buffering) as file:
                    file.write(b'first\n')
                    for _ in range(2):
                        array.save_stream(file)
                    self.assertEqual(file.tell(), 6 + 2 * len(to_bytes(expected)))
                    file.write(b'last\n')
                self.assertEqual(path.read_bytes(), b'first\n' + 2 * to_bytes(expected) + b'last\n')
                for mode in ('rb', 'r+b'):
                    with open(path, mode, buffering=buffering) as file:
                        self.assertEqual(file.readline(), b'first\n')
                        for _ in range(2):
                            self.assert_array(Shnd.Array.load_stream(None, file), expected)
                        self.assertEqual(file.readline(), b'last\n')
                        self.assert_error(Error.END_OF_STREAM, '', Shnd.Array.load_stream, None,
                                          file)
                        # And after an error.
                        file.seek(3)
                        self.assert_error(Error.INVALID_FORMAT, '', Shnd.Array.load_stream, None,
                                          file)
                        self.assertEqual(file.tell(), 11)
                        file.seek(6)
                        np.testing.assert_array_equal(np.load(file), expected)
                        self.assert_array(Shnd.Array.load_stream(None, file), expected)

    def test_something_between(self):
        """What is written to a descriptor must not go past what compresses or encrypts."""
        array = Shnd.Array.new_from_array(None, np.arange(3))
        here, there = socket.socketpair()
        with tempfile.TemporaryDirectory(prefix='shnd-test-') as folder, there:
            path = pathlib.Path(folder, 'a')
            for module in (gzip, bz2, lzma):
                with module.open(path, 'wb') as file:
                    self.assertRaises(TypeError, array.save_stream, file)
                    np.save(file, np.arange(3))
                with module.open(path, 'rb') as file:
                    for stream in (file, io.BufferedReader(file)):
                        self.assertRaises(TypeError, Shnd.Array.load_stream, None, stream)
                    np.testing.assert_array_equal(np.load(file), np.arange(3))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with context.wrap_socket(here, server_hostname='a',
                                     do_handshake_on_connect=False) as tls, \
                    tls.makefile('wb') as file:
                for stream in (tls, file):
                    self.assertRaises(TypeError, array.save_stream, stream)
            self.assertEqual(there.recv(1), b'')
        self.assertRaises(TypeError, array.save_stream, io.BytesIO())

    def test_interrupted(self):
        """Where the handler of a signal raises an exception while nothing comes, or goes."""
        class Interrupted(Exception):
            pass

        def interrupt(*_):
            raise Interrupted

        def run():
            signal.signal(signal.SIGUSR1, interrupt)
            # Should it wait for ever.
            signal.alarm(60)
            array = Shnd.Array.new(None, 'u1', 10 * MIB)
            content = to_bytes(np.zeros(10 * MIB, 'u1'))
            functions = [lambda ends: Shnd.Array.load_stream(NAME, ends[0]),
                         lambda ends: Shnd.Array.load_stream(NAME, ends[0], progress=print),
                         lambda ends: array.save_stream(ends[1])]
            for function in functions:
                reader, writer = os.pipe()
                os.write(writer, content[:1000])
                with open(reader, 'rb', buffering=0) as reader, \
                        open(writer, 'wb', buffering=0) as writer:
                    thread = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
                    try:
                        thread.start()
                        function((reader, writer))
                    except Interrupted as error:
                        traceback.clear_frames(error.__traceback__)
                    else:
                        raise SystemExit('nobody is interrupted')
                    thread.join()
            assert own_names() == []

        self.assertEqual(in_child(run), 0)


if __name__ == '__main__':
    main()
