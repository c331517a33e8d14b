# SPDX-License-Identifier: MIT

"""`shnd publish`: files, images and the standard input as frames."""

import os
import signal
import struct
import subprocess
import time

from cli_support import (EXISTS, FAILURE, NOT_FOUND, RUNTIME, USAGE, CliTestCase, GLib, Shnd, main,
                         np, run, wait_until)
from files_support import npy, write_image
from frames_support import receive, sockets
from process_support import Thread

NUMBERS = np.random.default_rng(7)

# An animation of two pictures, 1 x 1: one red, one green.
GIF = (b'GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\xff\x00' +
       b'!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00' +
       b'!\xf9\x04\x00\x0a\x00\x00\x00' + b',\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00' +
       b'!\xf9\x04\x00\x0a\x00\x00\x00' + b',\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;')


def turn(path, orientation):
    """Writes into a JPEG file how it is to be turned."""
    with open(path, 'rb') as file:
        data = file.read()
    tiff = b'II*\0\x08\0\0\0' + struct.pack('<HHHIHHI', 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b'Exif\0\0' + tiff
    with open(path, 'wb') as file:
        file.write(data[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + data[2:])


class PublishTestCase(CliTestCase):
    def save(self, name, array):
        path = self.path(name)
        np.save(path, array)
        return path

    def publish(self, *args, **keywords):
        self.addCleanup(self.take_over)
        return self.start('publish', self.address, *args, **keywords)

    def feed(self, process, data):
        """Writes all that it is to read."""
        process.stdin.write(data)
        process.stdin.close()
        process.stdin = None

    def take_over(self):
        """What a publisher leaves that is killed because a test has failed."""
        if self.address in sockets():
            Shnd.Publisher.new(self.address).close()

    def connect(self, subscriber):
        """Until the publisher knows it, which has no frame yet."""
        def is_there():
            self.assert_timed_out(subscriber.receive, timeout=0)
            return subscriber.connected

        wait_until(is_there, 'it is not admitted')

    def receive_all(self, subscriber=None):
        """The frames until the end of the stream: arrays, and what was said of them."""
        subscriber = subscriber or self.subscriber()
        arrays, metadata = [], []
        while True:
            try:
                frame = receive(subscriber)
            except GLib.Error as error:
                self.assertTrue(error.matches(Shnd.Error.quark(), Shnd.Error.END_OF_STREAM),
                                error.message)
                return arrays, metadata
            with frame:
                arrays.append(frame.array.get().copy())
                metadata.append(frame.metadata)

    def publish_all(self, *args, **keywords):
        """What a subscriber gets that misses nothing."""
        process = self.publish('--wait', '1', '--block', '--rate', '0', *args, **keywords)
        arrays, metadata = self.receive_all()
        result = self.finish(process)
        self.assertEqual((result.stdout, result.stderr), ('', ''))
        return arrays, metadata


class Files(PublishTestCase):
    def test_arrays(self):
        struct_dtype = np.dtype([('x', '<f8'), ('name', 'S3'), ('v', '>i2', 2)])
        expected = [np.arange(24, dtype='>f4').reshape(2, 3, 4), np.zeros((0, 3)), np.array(7.5),
                    np.asfortranarray(NUMBERS.random((4, 5))), np.zeros(3, struct_dtype),
                    np.array(['a', 'bcd']), np.array([np.nan, -0.0])]
        paths = [self.save(f'{i}.npy', array) for i, array in enumerate(expected)]
        arrays, metadata = self.publish_all('--once', *paths)
        self.assert_all_same(arrays, expected)
        self.assertEqual(metadata, [{'file': path} for path in paths])

    def test_loop(self):
        paths = [self.save(f'{i}.npy', np.full(3, i)) for i in range(3)]
        arrays, metadata = self.publish_all('--count', '8', *paths)
        self.assertEqual([array[0] for array in arrays], [0, 1, 2, 0, 1, 2, 0, 1])
        self.assertEqual(metadata[7], {'file': paths[1]})
        self.assertEqual(len(self.publish_all('--count', '2', '--once', *paths)[0]), 2)
        self.assertEqual(len(self.publish_all('--count', '9', '--once', *paths)[0]), 3)

    def test_for_ever(self):
        process = self.publish('--rate', '0', self.save('a.npy', [1]))
        subscriber = self.subscriber()
        while True:
            with receive(subscriber) as frame:
                if frame.sequence > 1000:
                    break
        self.interrupt(process)

    def test_name(self):
        path = os.fsencode(self.folder) + b'/\xff\n.npy'
        with open(path, 'wb') as file:
            np.save(file, [1])
        metadata = self.publish_all('--once', path)[1]
        self.assertEqual(metadata, [{'file': f'{self.folder}/\ufffd\n.npy'}])

    def test_file_called_minus(self):
        self.save('-.npy', [5])
        os.rename(self.path('-.npy'), self.path('-'))
        arrays, metadata = self.publish_all('--once', './-', cwd=self.folder)
        self.assertEqual((arrays[0].tolist(), metadata), ([5], [{'file': './-'}]))


class Images(PublishTestCase):
    def publish_image(self, path):
        arrays, metadata = self.publish_all('--once', path)
        self.assertEqual(metadata, [{'file': path}])
        return arrays[0]

    def test_png(self):
        for n_channels in (3, 4):
            # A row of a pixbuf is a multiple of four bytes, this one of 15 is not.
            pixels = NUMBERS.integers(0, 256, (7, 5, n_channels), np.uint8)
            write_image(self.path('a.png'), pixels)
            self.assert_all_same([self.publish_image(self.path('a.png'))], [pixels])

    def test_content_decides(self):
        pixels = NUMBERS.integers(0, 256, (7, 5, 3), np.uint8)
        write_image(self.path('image.npy'), pixels)
        self.assert_all_same([self.publish_image(self.path('image.npy'))], [pixels])
        os.rename(self.save('a.npy', pixels), self.path('array.png'))
        self.assert_all_same([self.publish_image(self.path('array.png'))], [pixels])

    def test_orientation(self):
        # Blocks, as JPEG keeps them: the left half is light.
        pixels = np.zeros((16, 32, 3), np.uint8)
        pixels[:, :16] = 250
        path = self.path('a.jpg')
        for orientation, turned in ((1, pixels), (3, pixels[:, ::-1]),
                                    (6, pixels.transpose(1, 0, 2)),
                                    (8, pixels.transpose(1, 0, 2)[::-1])):
            write_image(path, pixels, 'jpeg')
            turn(path, orientation)
            found = self.publish_image(path)
            self.assertEqual(found.shape, turned.shape, orientation)
            np.testing.assert_array_equal(found > 125, turned > 125, str(orientation))

    def test_animation(self):
        with open(self.path('a.gif'), 'wb') as file:
            file.write(GIF)
        found = self.publish_image(self.path('a.gif'))
        self.assertEqual(found.shape[:2], (1, 1))
        self.assertEqual(found[0, 0, :3].tolist(), [255, 0, 0])

    def test_fifo(self):
        """As in a shell's <(command)."""
        pixels = NUMBERS.integers(0, 256, (7, 5, 3), np.uint8)
        write_image(self.path('a.png'), pixels)
        self.save('a.npy', pixels)
        for name in ('a.png', 'a.npy'):
            os.mkfifo(self.path('fifo'))
            writer = subprocess.Popen(['sh', '-c', 'exec cat "$1" > "$2"', 'sh', self.path(name),
                                       self.path('fifo')])
            self.assert_all_same([self.publish_image(self.path('fifo'))], [pixels])
            self.assertEqual(writer.wait(), 0)
            os.unlink(self.path('fifo'))

    def test_together(self):
        write_image(self.path('a.png'), NUMBERS.integers(0, 256, (7, 5, 3), np.uint8))
        write_image(self.path('b.png'), NUMBERS.integers(0, 256, (2, 3, 4), np.uint8))
        arrays = self.publish_all('--count', '4', self.path('a.png'), self.path('b.png'),
                                  self.save('c.npy', [1.5]))[0]
        self.assertEqual([array.shape for array in arrays], [(7, 5, 3), (2, 3, 4), (1,), (7, 5, 3)])


class StandardInput(PublishTestCase):
    def test_pipe(self):
        expected = [np.arange(5), np.zeros((0, 2)), np.array(3.5), NUMBERS.random((300, 300))]
        process = self.publish('-', '--wait', '1', '--block')
        # More than a pipe holds.
        thread = Thread(self.feed, process, npy(*expected))
        arrays, metadata = self.receive_all()
        thread.join()
        self.finish(process)
        self.assert_all_same(arrays, expected)
        self.assertEqual(metadata, [{}] * 4)

    def test_as_they_come(self):
        subscriber = self.subscriber()
        process = self.publish('-')
        for i in range(3):
            # The next one is only written when this one is there.
            process.stdin.write(npy(np.full(3, i)))
            process.stdin.flush()
            with receive(subscriber) as frame:
                self.assertEqual((frame.sequence, frame.array.get().tolist()), (i + 1, [i] * 3))
        self.feed(process, b'')
        self.assertEqual(self.receive_all(subscriber), ([], []))
        self.finish(process)

    def test_file(self):
        with open(self.path('stream'), 'wb') as file:
            file.write(npy([1], [2], [3]))
        for count, expected in (('2', [1, 2]), ('9', [1, 2, 3])):
            with open(self.path('stream'), 'rb') as file:
                arrays = self.publish_all('-', '--count', count, stdin=file)[0]
            self.assertEqual([array[0] for array in arrays], expected)

    def test_nothing(self):
        result = run('publish', self.address, '-')
        self.assertEqual((result.stdout, result.stderr), ('', ''))

    def test_errors(self):
        whole = npy(np.arange(100))
        for data, words in ((whole[:100], 'inside the header'), (whole[:-1], '799 of the 800 bytes'),
                            (b'hello', 'NUMPY'), (whole + whole[:60], 'inside the header'),
                            (whole + b'\0' * 20, 'NUMPY')):
            self.run_error(FAILURE, words, 'publish', self.address, '-', input=data)
        for args in (('-', 'a.npy'), ('a.npy', '-')):
            self.run_error(USAGE, 'expected either', 'publish', self.address, *args)

    def test_what_came_before_an_error(self):
        process = self.publish('-', '--wait', '1')
        self.feed(process, npy([1]) + b'not an array')
        arrays = self.receive_all()[0]
        self.assertEqual([array.tolist() for array in arrays], [[1]])
        self.assert_error(self.finish(process, FAILURE), FAILURE, 'NUMPY')


class Pace(PublishTestCase):
    def test_not_before_its_time(self):
        for args, rate in ((('--rate', '40'), 40), ((), 30)):
            begun = time.monotonic_ns()
            process = self.publish(*args, '--count', '9', '--wait', '1', '--block',
                                   self.save('a.npy', [1]))
            subscriber = self.subscriber()
            for i in range(9):
                with receive(subscriber) as frame:
                    self.assertGreaterEqual(frame.timestamp - begun, i * 10**9 // rate)
            self.finish(process)

    def test_stdin(self):
        begun = time.monotonic_ns()
        process = self.publish('-', '--rate', '20', '--wait', '1', '--block')
        self.feed(process, npy(*[[i] for i in range(5)]))
        subscriber = self.subscriber()
        for i in range(5):
            with receive(subscriber) as frame:
                self.assertGreaterEqual(frame.timestamp - begun, i * 50_000_000)
        self.finish(process)

    def test_no_burst(self):
        interval = 50_000_000
        process = self.publish('--rate', '20', '--block', self.save('a.npy', [1]))
        subscriber = self.subscriber()
        with receive(subscriber):
            pass
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        time.sleep(1)
        begun = time.monotonic_ns()
        process.send_signal(signal.SIGCONT)

        # The first may have been due before; where all that were due came at once, the others too.
        late = []
        while len(late) < 8:
            with receive(subscriber) as frame:
                if frame.timestamp > begun:
                    late.append(frame.timestamp)
        for i, timestamp in enumerate(late):
            self.assertGreaterEqual(timestamp - begun, (i - 2) * interval)
        self.interrupt(process)

    def test_slow(self):
        """It sleeps for a very long time, and can be woken."""
        for rate in ('0.0001', '1e-300'):
            process = self.publish('--rate', rate, self.save('a.npy', [1]))
            with receive(self.subscriber()) as frame:
                self.assertEqual(frame.sequence, 1)
            self.interrupt(process)


class Subscribers(PublishTestCase):
    def test_wait(self):
        process = self.publish('--wait', '2', '--once', '--block', self.save('a.npy', [1]))
        first, second = self.subscriber(), self.subscriber()
        self.connect(first)
        self.assert_timed_out(first.receive, timeout=0.3)
        self.assertEqual(len(self.receive_all(second)[0]), 1)
        self.assertEqual(len(self.receive_all(first)[0]), 1)
        self.finish(process)

    def test_depth_and_drop(self):
        # The last one comes however many are held.
        for args, expected in (((), [1, 2, 9]), (('--depth', '4'), [1, 2, 3, 4, 9])):
            paths = [self.save(f'{i}.npy', [i]) for i in range(9)]
            process = self.publish('--wait', '1', '--once', '--rate', '0', *args, *paths)
            subscriber, held = self.subscriber(), []
            while True:
                try:
                    held.append(receive(subscriber))
                except GLib.Error as error:
                    self.assertEqual(error.code, Shnd.Error.END_OF_STREAM)
                    break
            self.finish(process)
            self.assertEqual([frame.sequence for frame in held], expected)
            for frame in held:
                frame.release()

    def test_block(self):
        process = self.publish('--wait', '1', '--once', '--rate', '0', '--block',
                               *[self.save(f'{i}.npy', [i]) for i in range(9)])
        subscriber = self.subscriber()
        held = [receive(subscriber) for _ in range(2)]
        self.assert_timed_out(subscriber.receive, timeout=0.8)
        self.assertIsNone(process.poll())
        for frame in held:
            frame.release()
        held.clear()
        del frame
        self.assertEqual(len(self.receive_all(subscriber)[0]), 7)
        self.finish(process)


class End(PublishTestCase):
    def test_signals(self):
        path = self.save('a.npy', [1])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            subscriber = self.subscriber()
            process = self.publish(path)
            with receive(subscriber):
                pass
            self.interrupt(process, number)
            self.receive_all(subscriber)

    def test_while_waiting(self):
        path = self.save('a.npy', [1])
        process = self.publish('--wait', '2', path)
        self.connect(self.subscriber())
        self.interrupt(process)

        # For the next array.
        process = self.publish('-')
        process.stdin.write(npy([1]))
        process.stdin.flush()
        subscriber = self.subscriber()
        with receive(subscriber):
            pass
        self.interrupt(process)
        self.receive_all(subscriber)

        # For the rest of one.
        process = self.publish('-')
        process.stdin.write(npy([1]) + npy(np.zeros(1000))[:300])
        process.stdin.flush()
        subscriber = self.subscriber()
        with receive(subscriber):
            pass
        self.interrupt(process)
        self.receive_all(subscriber)

        # For a slow subscriber.
        process = self.publish('--block', '--rate', '0', path)
        subscriber = self.subscriber()
        held = [receive(subscriber) for _ in range(2)]
        self.assert_timed_out(subscriber.receive, timeout=0.1)
        self.interrupt(process)
        for frame in held:
            frame.release()
        self.receive_all(subscriber)


class Addresses(PublishTestCase):
    def test_absolute(self):
        path = self.path('socket')
        process = self.start('publish', path, self.save('a.npy', [4]), '--once', '--wait', '1')
        subscriber = Shnd.Subscriber.new(path)
        self.addCleanup(subscriber.close)
        self.assertEqual(self.receive_all(subscriber)[0][0].tolist(), [4])
        self.finish(process)
        self.assertFalse(os.path.exists(path))

    def test_in_use(self):
        publisher = self.publisher()
        path = self.save('a.npy', [1])
        self.run_error(EXISTS, f'{RUNTIME}/shndarray/{self.address}', 'publish', self.address, path)
        # Before any file is read.
        self.run_error(EXISTS, 'free', 'publish', self.address, self.path('missing'))
        publisher.close()
        run('publish', self.address, path, '--once')

    def test_invalid(self):
        path = self.save('a.npy', [1])
        self.run_error(FAILURE, 'a/b', 'publish', 'a/b', path)
        self.run_error(FAILURE, '.lock', 'publish', 'a.lock', path)
        self.run_error(NOT_FOUND, 'no-folder', 'publish', self.path('no-folder/a'), path)


class Errors(PublishTestCase):
    def fail_with(self, status, words, name, *more):
        self.run_error(status, words, 'publish', self.address, self.path(name), *more)

    def test_files(self):
        whole = npy(np.arange(100))
        png = self.path('a.png')
        write_image(png, NUMBERS.integers(0, 256, (50, 50, 3), np.uint8))
        with open(png, 'rb') as file:
            png_data = file.read()
        for name, data in (('text', b'hello, world'), ('empty', b''), ('short', b'\x93NUM'),
                           ('cut.npy', whole[:-1]), ('header.npy', whole[:50]),
                           ('cut.png', png_data[:3000]),
                           ('object.npy', whole.replace(b"'<i8'", b"'|O' "))):
            with open(self.path(name), 'wb') as file:
                file.write(data)
            self.fail_with(FAILURE, name, name)
        os.mkdir(self.path('folder'))
        self.fail_with(FAILURE, 'folder', 'folder')
        self.fail_with(NOT_FOUND, 'missing', 'missing')
        self.fail_with(NOT_FOUND, 'missing\\nname', 'missing\nname')

    def test_nothing_is_published(self):
        """Not even the file before the one that is bad."""
        process = self.publish(self.save('a.npy', [1]), '--wait', '1', self.path('missing'))
        subscriber = self.subscriber()
        self.assert_error(self.finish(process, NOT_FOUND), NOT_FOUND, 'missing')
        self.assert_timed_out(subscriber.receive, timeout=0)

    def test_usage(self):
        path = self.save('a.npy', [1])
        for args, words in ((('--rate', 'fast'), 'fast'), (('--rate=-1',), '-1'),
                            (('--rate', 'inf'), 'inf'), (('--rate', 'nan'), 'nan'),
                            (('--count', '0'), 'above 0'), (('--count=-1',), 'above 0'),
                            (('--count', '1.5'), '1.5'), (('--wait=-1',), '-1'),
                            (('--depth', '0'), '1 to 256'), (('--depth', '257'), '1 to 256'),
                            (('--bogus',), 'bogus')):
            self.run_error(USAGE, words, 'publish', self.address, path, *args)
        self.run_error(USAGE, 'ADDRESS FILE', 'publish', self.address)
        self.run_error(USAGE, 'ADDRESS FILE', 'publish')

    def test_help(self):
        text = run('publish', '--help').stdout
        for word in ('--rate', '--count', '--once', '--wait', '--block', '--depth'):
            self.assertIn(word, text)


if __name__ == '__main__':
    main()
