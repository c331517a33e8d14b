# SPDX-License-Identifier: MIT

"""Pipelines and scripts that share frames, and what becomes of the one when the other dies."""

import os
import signal
import zlib

from launch_support import CAREFUL, LaunchTestCase

import gi
import numpy as np
from frames_support import BLOCK, receive, sockets
from process_support import PATIENCE, Child, wait_until
from support import GLib, Shnd, diagnose, is_error, main

gi.require_version('Gst', '1.0')
gi.require_version('GstVideo', '1.0')

from gi.repository import Gst, GstVideo  # noqa: E402

SIZE = 32 * 24 * 4
RGBA = 'video/x-raw,format=RGBA,width=32,height=24,framerate=60/1'
LIVE = f'videotestsrc is-live=true ! {RGBA}'


def moving(n):
    """Pictures that differ from each other, whose numbers are in the metadata."""
    return f'videotestsrc pattern=ball num-buffers={n} ! {RGBA}'


def checksum(frame):
    return frame.metadata['offset'], zlib.crc32(frame.array.get().tobytes())


def frames_of(subscriber):
    while True:
        try:
            frame = receive(subscriber)
        except GLib.Error as error:
            if is_error(error, Shnd.Error.END_OF_STREAM):
                return
            raise
        with frame:
            yield frame


def report_checksums(connection, address):
    connection.send([checksum(frame) for frame in frames_of(Shnd.Subscriber.new(address))])


def keep_all(connection, address, n):
    """Holds the first frames for ever."""
    subscriber = Shnd.Subscriber.new(address)
    frames = [receive(subscriber) for _ in range(n)]
    connection.send(len(frames))
    connection.recv()


def fill_memory(byte):
    """Variables by which new memory is full of this byte, in glibc and in the address sanitizer."""
    options = os.environ.get('ASAN_OPTIONS', '')
    return {'MALLOC_PERTURB_': str(byte),
            'ASAN_OPTIONS': f'{options}:malloc_fill_byte={byte}:max_malloc_fill_size=1048576'}


class TestCrossing(LaunchTestCase):
    """What comes out is what went in."""

    def test_formats(self):
        """As one stream with other caps again and again."""
        Gst.init(None)
        formats = [GstVideo.video_format_to_string(format)
                   for format in GstVideo.video_formats_raw()]
        self.assertGreater(len(formats), 100)
        for width, height in ((17, 9), (3, 5)):
            upstream = ' '.join(
                f'videotestsrc num-buffers=2 pattern=circular ! video/x-raw,format={format},'
                f'width={width},height={height},framerate=30/1 ! all.' for format in formats)
            upstream += ' concat name=all'
            # Nobody writes the bytes between rows.
            expected, other = (np.frombuffer(self.get_bytes(upstream, **fill_memory(byte)), 'u1')
                               for byte in (85, 170))
            written = expected == other
            self.assertGreater(np.count_nonzero(written), len(formats) * 2 * width * height)
            data = np.frombuffer(self.cross(upstream), 'u1')
            self.assertEqual(len(data), len(expected))
            self.assertTrue(np.array_equal(data[written], expected[written]))
            diagnose(f'{len(formats)} formats, {width} x {height}: the same pictures, '
                     f'{np.count_nonzero(written)} bytes')

    def test_audio(self):
        for caps in ('format=S16LE,layout=interleaved,channels=2',
                     'format=F32LE,layout=interleaved,channels=3,channel-mask=(bitmask)0x7',
                     'format=S24LE,layout=interleaved,channels=1'):
            self.assert_crosses(f'audiotestsrc wave=ticks num-buffers=20 ! audioconvert ! audio/x-raw,'
                                f'rate=44100,{caps}')

    def test_audio_of_planes(self):
        # As a file, samples of one channel after those of another would say nothing.
        self.assert_crosses('audiotestsrc wave=saw num-buffers=20 ! audioconvert ! audio/x-raw,'
                            'format=F32LE,layout=non-interleaved,rate=48000,channels=2',
                            'audioconvert ! audio/x-raw,layout=interleaved')

    def test_encoded(self):
        encoded = f'{moving(20)} ! videoconvert ! vp8enc deadline=1'
        decoded = 'decodebin ! videoconvert ! video/x-raw,format=RGBA'
        self.assert_crosses(encoded, decoded)

    def test_file(self):
        """Through a container and decodebin, to a script."""
        path = self.new_path()
        self.run_to_end(f'{moving(10)} ! videoconvert ! vp8enc deadline=1 ! webmmux ! '
                        f'filesink location={path}')
        subscriber = self.subscriber()
        sender = self.send(f'filesrc location={path} ! decodebin ! videoconvert ! '
                           'video/x-raw,format=RGB')
        shapes = [tuple(frame.array.shape) for frame in frames_of(subscriber)]
        sender.finish()
        self.assertEqual(shapes, [(24, 32, 3)] * 10)

    def test_long_queue(self):
        """That keeps more frames than the source may hold."""
        self.assert_crosses(moving(60), 'queue max-size-buffers=40 max-size-time=0 ! '
                            'identity sleep-time=1000')

    def test_sync(self):
        sender = self.send(moving(20), 'sync=true overflow=block wait-subscribers=1')
        receiver, path = self.receive_to_file()
        sender.finish()
        receiver.finish()
        self.assertTrue(path.read_bytes() == self.get_bytes(moving(20)))

    def test_tee(self):
        other = self.new_path()
        settings = CAREFUL.format(1) + ' async=false'
        sender = self.launch(
            f'{moving(20)} ! tee name=t ! queue ! shndsink address={self.address} {settings} '
            f't. ! queue ! shndsink address={self.address}-2 {settings} t. ! queue ! fakesink')
        receivers = [self.launch(f'shndsrc address={self.address}-2 ! filesink location={other}')]
        receiver, path = self.receive_to_file()
        for launch in (sender, receiver, *receivers):
            launch.finish()
        expected = self.get_bytes(moving(20))
        self.assertTrue(path.read_bytes() == expected)
        self.assertTrue(other.read_bytes() == expected)

    def test_same_picture_again(self):
        """A picture that is repeated comes each time."""
        caps = f'videotestsrc num-buffers=1 ! {RGBA}'
        self.assert_crosses(f'{caps} ! imagefreeze num-buffers=30')

    def test_script_sees_other_caps(self):
        subscriber = self.subscriber()
        sender = self.send(f'videotestsrc num-buffers=2 ! {RGBA} ! all. videotestsrc num-buffers=2 ! '
                           'video/x-raw,format=GRAY16_LE,width=5,height=3,framerate=60/1 ! all. '
                           'audiotestsrc num-buffers=1 samplesperbuffer=7 ! audio/x-raw,format=F64LE,'
                           'channels=2,rate=8000 ! all. concat name=all')
        seen = [(frame.metadata['format'], frame.array.dtype.name, tuple(frame.array.shape))
                for frame in frames_of(subscriber)]
        sender.finish()
        self.assertEqual(seen, [('RGBA', 'uint8', (24, 32, 4))] * 2
                         + [('GRAY16_LE', 'uint16', (3, 5))] * 2 + [('F64LE', 'float64', (7, 2))])


class TestMany(LaunchTestCase):
    def test_eight_subscribers(self):
        """Four pipelines and four scripts get every frame, as it was."""
        n = 40
        receivers = [self.receive_to_file() for _ in range(4)]
        children = [Child(report_checksums, self.address) for _ in range(4)]
        sender = self.send(moving(n), CAREFUL.format(8))
        sender.finish()

        expected = self.get_bytes(moving(n))
        for receiver, path in receivers:
            receiver.finish()
            self.assertTrue(path.read_bytes() == expected)
        checksums = [(i, zlib.crc32(expected[i * SIZE:(i + 1) * SIZE])) for i in range(n)]
        for child in children:
            with child:
                self.assertEqual(child.receive(), checksums)
                self.assertEqual(child.join(), 0)

    def test_who_keeps_all_frames_is_alone_with_that(self):
        """With DROP, a sender and another subscriber do not notice."""
        with Child(keep_all, self.address, 2) as child:
            sender = self.send(LIVE, 'sync=false depth=2 wait-subscribers=1')
            self.assertEqual(child.receive(), 2)
            receiver = self.launch(f'shndsrc address={self.address} num-buffers=30 ! fakesink')
            receiver.finish()
            self.assertTrue(sender.is_running)
            sender.kill(signal.SIGINT)
            sender.process.wait(PATIENCE)

    def test_who_keeps_all_frames_holds_up_friends(self):
        """With BLOCK and a limit the pipeline waits, until that one is gone."""
        for settings in ('depth=2', 'max-frames=2 depth=8'):
            with self.subTest(settings), Child(keep_all, self.address, 2) as child:
                subscriber = self.subscriber()
                sender = self.send(moving(50), CAREFUL.format(2) + ' ' + settings)
                numbers = [receive(subscriber).metadata['offset'] for _ in range(2)]
                self.assertEqual(child.receive(), 2)
                # Long enough for what must not happen.
                self.assert_timed_out(subscriber.receive, timeout=0.05)
                child.kill()
                numbers += [frame.metadata['offset'] for frame in frames_of(subscriber)]
                self.assertEqual(numbers, list(range(50)))
                sender.finish()


class TestDeath(LaunchTestCase):
    """kill -9 in mid-stream."""

    def get_some(self, n=5):
        """Frames come, at this moment."""
        self.launch(f'shndsrc address={self.address} num-buffers={n} ! fakesink').finish()

    def test_receiver(self):
        """Its sender goes on, and others may come."""
        for settings in ('sync=true', 'sync=true overflow=block max-frames=4'):
            with self.subTest(settings):
                sender = self.launch(f'{LIVE} ! shndsink address={self.address} {settings}', '-e')
                receiver, path = self.receive_to_file()
                wait_until(lambda: path.exists() and path.stat().st_size >= 3 * SIZE)
                receiver.kill()
                self.get_some()
                sender.kill(signal.SIGINT)
                sender.finish()
        self.assertEqual(sockets(), [])

    def test_sender(self):
        """Its receiver says so and ends; the next sender takes the address over."""
        for _ in range(2):
            sender = self.launch(f'{LIVE} ! shndsink address={self.address}')
            receiver, path = self.receive_to_file()
            wait_until(lambda path=path: path.exists() and path.stat().st_size >= 3 * SIZE)
            sender.kill()
            self.assertIn('WARNING', receiver.finish())
        sender = self.send(moving(5))
        receiver, path = self.receive_to_file()
        sender.finish()
        self.assertNotIn('WARNING', receiver.finish())
        self.assertEqual(sockets(), [])

    def test_reconnect(self):
        """Through an end, a death and another sender."""
        receiver, path = self.receive_to_file(settings='reconnect=true num-buffers=40')
        self.send(moving(10)).finish()
        dying = self.send(f'{moving(10000)} ! identity sync=true')
        wait_until(lambda: path.stat().st_size >= 15 * SIZE)
        dying.kill()
        last = self.send(moving(100))
        receiver.finish()
        last.finish()
        data = path.read_bytes()
        expected = self.get_bytes(moving(10))
        self.assertEqual(len(data), 40 * SIZE)
        self.assertTrue(data[:15 * SIZE] == expected + expected[:5 * SIZE])

    def test_interrupted(self):
        """With -e, a signal ends the stream properly for all."""
        sender = self.launch(f'{LIVE} ! shndsink address={self.address}', '-e')
        receiver, path = self.receive_to_file()
        wait_until(lambda: path.exists() and path.stat().st_size >= 3 * SIZE)
        sender.kill(signal.SIGINT)
        sender.finish()
        self.assertNotIn('WARNING', receiver.finish())
        self.assertEqual(sockets(), [])

    def test_script_as_sender(self):
        """A script that knows nothing of GStreamer dies, too."""
        publisher = self.publisher(overflow=BLOCK)
        receiver, path = self.receive_to_file()
        publisher.wait_subscribers(1, timeout=PATIENCE)
        for i in range(5):
            with publisher.acquire('u1', (24, 32, 3), timeout=PATIENCE) as frame:
                frame.array[...] = i
        publisher.close()
        receiver.finish()
        self.assertTrue(path.read_bytes() == b''.join(bytes([i]) * 24 * 32 * 3 for i in range(5)))


main()
