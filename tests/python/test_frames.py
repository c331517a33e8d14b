# SPDX-License-Identifier: MIT

"""Frames: what is in them, how long they last, and what cannot be done with them."""

import gc
import math
import time

import numpy as np
from frames_support import BLOCK, FramesTestCase, connect, get_address, publish, receive
from support import GLib, Shnd, main

Error = Shnd.Error


class Filling(FramesTestCase):
    def test_with(self):
        publisher, subscriber = self.pair()
        with publisher.acquire('u1', (2, 3)) as frame:
            self.assertEqual((frame.sequence, frame.timestamp, frame.metadata), (0, -1, {}))
            self.assertEqual(frame.array.access, Shnd.Access.READ_WRITE)
            frame.array[...] = [[1, 2, 3], [4, 5, 6]]
            self.assertEqual(publisher.sequence, 0)
        self.assertEqual((frame.sequence, publisher.sequence), (1, 1))
        self.assertTrue(frame.released)
        self.assertTrue(frame.array.closed)
        with receive(subscriber) as frame:
            self.assertEqual(frame.array.get().tolist(), [[1, 2, 3], [4, 5, 6]])
            self.assertEqual(frame.sequence, 1)
        self.assertTrue(frame.released)
        self.assertTrue(frame.array.closed)
        self.assertEqual(frame.sequence, 1)

    def test_with_exception(self):
        publisher, subscriber = self.pair()
        with self.assertRaises(ZeroDivisionError):
            with publisher.acquire('u1', 3) as frame:
                frame.array[...] = 1
                1 / 0
        self.assertTrue(frame.released)
        self.assertEqual(publisher.sequence, 0)
        self.assert_timed_out(subscriber.receive, timeout=0)

    def test_with_done_before(self):
        publisher, subscriber = self.pair()
        with publisher.acquire('u1', 3) as frame:
            self.assertIs(publisher.publish(frame), True)
        with publisher.acquire('u1', 3) as frame:
            frame.release()
        self.assertEqual(publisher.sequence, 1)
        self.assertEqual(publisher.n_frames, 2)

    def test_with_no_room(self):
        publisher = self.publisher(overflow=BLOCK, depth=1)
        subscriber = self.subscriber()
        connect(publisher, subscriber)
        publish(publisher, 1)
        held = receive(subscriber)
        for _ in range(5):
            with self.assertRaises(GLib.Error) as caught:
                with publisher.acquire('i8', 4, timeout=0) as frame:
                    frame.array[...] = 2
            self.assertEqual(caught.exception.code, Error.TIMED_OUT)
            self.assertTrue(frame.released)
        self.assertEqual(publisher.n_frames, 2)
        held.release()
        publish(publisher, 3)
        self.assertEqual(receive(subscriber).array[0], 3)

    def test_unpublished(self):
        publisher = self.publisher()
        address = get_address(publisher.acquire('u1', 100).array)
        for _ in range(10):
            frame = publisher.acquire('u1', 100)
            self.assertEqual(get_address(frame.array), address)
            del frame
        self.assertEqual(publisher.n_frames, 1)
        frames = [publisher.acquire('u1', 100) for _ in range(5)]
        self.assertEqual(publisher.n_frames, 5)
        self.assertEqual(len({get_address(frame.array) for frame in frames}), 5)

    def test_errors(self):
        publisher, subscriber = self.pair()
        self.address += '-other'
        other = self.publisher()
        frame = publisher.acquire('u1', 3)
        self.assert_error(Error.NOT_ACQUIRED, 'another publisher', other.publish, frame)
        publisher.publish(frame)
        self.assert_error(Error.NOT_ACQUIRED, 'published already', publisher.publish, frame)
        received = receive(subscriber)
        self.assert_error(Error.NOT_ACQUIRED, 'received', publisher.publish, received)
        for release in (Shnd.Frame.release, Shnd.Frame.release_now):
            frame = publisher.acquire('u1', 3)
            release(frame)
            release(frame)
            self.assert_error(Error.NOT_ACQUIRED, 'released', publisher.publish, frame)
        for bad in (None, frame.array, 'frame', 3):
            self.assertRaises(TypeError, publisher.publish, bad)
        frame = publisher.acquire('u1', 3)
        publisher.close()
        publisher.close()
        self.assertTrue(publisher.closed)
        self.assert_error(Error.CLOSED, 'closed', publisher.publish, frame)
        self.assert_error(Error.CLOSED, 'closed', publisher.acquire, 'u1', 3)
        self.assert_error(Error.CLOSED, 'closed', publisher.wait_subscribers, 1)
        self.assert_error(Error.CLOSED, 'closed', publisher.publish_array, [1])

    def test_alone(self):
        frame = Shnd.Frame()
        self.assertEqual((frame.sequence, frame.timestamp, frame.metadata), (0, -1, {}))
        self.assertTrue(frame.released)
        self.assertTrue(frame.array.closed)
        frame.release()
        frame.release_now()
        with frame:
            pass
        self.assert_error(Error.NOT_ACQUIRED, 'expected', frame.set_metadata, {})
        self.assert_error(Error.NOT_ACQUIRED, 'not acquired', self.publisher().publish, frame)
        for publisher in (Shnd.Publisher(),):
            self.assertTrue(publisher.closed)
            self.assertIsNone(publisher.path)
            self.assert_error(Error.CLOSED, 'no address', publisher.acquire, 'u1', 3)
            self.assert_error(Error.CLOSED, 'no address', publisher.publish, frame)
            publisher.close()
        self.assertRaises(TypeError, Shnd.Frame, 3)
        self.assertRaises(TypeError, Shnd.Publisher, 'name')
        self.assertRaises(TypeError, Shnd.Subscriber, 'name')

    def test_acquire_garbage(self):
        publisher = self.publisher()
        self.assert_error(Error.INVALID_SHAPE, '-1', publisher.acquire, 'u1', -1)
        self.assert_error(Error.INVALID_SHAPE, '', publisher.acquire, 'u1', (2,) * 33)
        self.assert_error(Error.INVALID_SHAPE, '', publisher.acquire, 'f8', 2**62)
        self.assert_error(Error.NO_SPACE, '', publisher.acquire, 'u1', 2**62)
        self.assert_error(Error.INVALID_DTYPE, '', publisher.acquire, 'x9', 3)
        self.assert_error(Error.INVALID_DTYPE, '', publisher.acquire, object, 3)
        self.assertRaises(TypeError, publisher.acquire, 'u1', None)
        self.assertRaises(TypeError, publisher.acquire, None, 3)
        self.assertRaises(TypeError, publisher.acquire, 'u1', 3, timeout='soon')
        self.assertRaises(ValueError, publisher.acquire, 'u1', 3, timeout=-1)
        self.assertRaises(TypeError, publisher.acquire, 'u1', 3, cancellable=3)
        self.assertEqual(publisher.n_frames, 0)

    def test_repr(self):
        publisher, subscriber = self.pair()
        self.assertEqual(repr(publisher), f"<Shnd.Publisher '{self.address}' sequence=0 "
                                          'n_subscribers=1>')
        frame = publisher.acquire('f4', (2, 3))
        self.assertEqual(repr(frame), "<Shnd.Frame not published shape=(2, 3) dtype='<f4'>")
        publisher.publish(frame)
        self.assertEqual(repr(receive(subscriber)), "<Shnd.Frame 1 shape=(2, 3) dtype='<f4'>")
        self.assertEqual(repr(subscriber), f"<Shnd.Subscriber '{self.address}' connected>")
        publisher.close()
        subscriber.close()
        self.assertEqual(repr(publisher), f"<Shnd.Publisher '{self.address}' closed>")
        self.assertEqual(repr(subscriber), f"<Shnd.Subscriber '{self.address}' closed>")


class Keeping(FramesTestCase):
    """What shows a received frame keeps it as it is."""

    def keep(self, show, read):
        publisher, subscriber = self.pair(depth=3)
        publish(publisher, 1, 1000)
        frame = receive(subscriber)
        shown = show(frame)
        frame.release()
        self.assertFalse(frame.released)
        for value in range(2, 30):
            publish(publisher, value, 1000)
            self.assertEqual(receive(subscriber).array[0], value)
            self.assertEqual(read(shown), 1)
        self.assertLessEqual(publisher.n_frames, 4)
        del shown
        gc.collect()
        self.assertTrue(frame.released)
        # What is written to now.
        self.assertEqual(publisher.n_subscribers, 1)

    def test_get(self):
        self.keep(lambda frame: frame.array.get(), lambda view: view[999])

    def test_part(self):
        self.keep(lambda frame: frame.array[10:20][::2], lambda view: view[1])

    def test_asarray(self):
        self.keep(lambda frame: np.asarray(frame.array), lambda view: view[999])

    def test_memoryview(self):
        self.keep(lambda frame: frame.array.data, lambda view: view[999])

    def test_view(self):
        self.keep(lambda frame: frame.array.slice(0, 990, 1000), lambda view: view[0])

    def test_bytes(self):
        self.keep(lambda frame: frame.array.get_bytes(), lambda data: data.get_data()[7992])

    def test_dlpack(self):
        # NumPy exports nothing that is read-only that way.
        publisher = self.publisher()
        frame = publisher.acquire('i8', 1000)
        view = np.from_dlpack(frame.array)
        frame.release()
        self.assertFalse(frame.released)
        del view
        self.assertTrue(frame.released)

    def test_del_frame(self):
        publisher, subscriber = self.pair(depth=2)
        publish(publisher, 1, 1000)
        view = receive(subscriber).array.get()
        for value in range(2, 30):
            publish(publisher, value, 1000)
            receive(subscriber)
            self.assertEqual(set(view), {1})

    def test_nothing_kept(self):
        """What is looked at through NumPy for a moment does not keep the frame."""
        publisher, subscriber = self.pair()
        looks = [lambda array: array[0], lambda array: np.asarray(array)[0],
                 lambda array: array.get()[0], lambda array: np.sum(array),
                 lambda array: array.data[0], lambda array: [value for value in array],
                 lambda array: 5 in array, lambda array: np.array(array)]
        for look in looks:
            publish(publisher, 5)
            frame = receive(subscriber)
            look(frame.array)
            frame.release()
            self.assertTrue(frame.released)
            frame = publisher.acquire('i8', 4)
            look(frame.array)
            publisher.publish(frame)
            self.assertTrue(frame.released)
            with receive(subscriber) as frame:
                look(frame.array)
            self.assertTrue(frame.released)
        self.assertEqual(publisher.n_frames, 2)
        self.assertEqual(publisher.n_dropped, 0)

    def test_array_interface(self):
        publisher = self.publisher()
        array = publisher.acquire('u1', 3).array
        self.assertFalse(hasattr(array, '__array_interface__'))
        self.assertTrue(hasattr(array.slice(0, 0, 2), '__array_interface__'))

    def test_release_now(self):
        publisher, subscriber = self.pair(depth=1)
        publish(publisher, 1, 1000)
        frame = receive(subscriber)
        view = frame.array.get()
        frame.release_now()
        self.assertTrue(frame.released)
        for value in range(2, 10):
            publish(publisher, value, 1000)
            receive(subscriber)
        # It may show others, but it shows something.
        self.assertIn(int(view.sum()) // 1000, range(1, 10))

    def test_writing_late(self):
        """A view of a published frame keeps its memory, too."""
        publisher, subscriber = self.pair()
        frame = publisher.acquire('i8', 4)
        view = frame.array.get()
        publisher.publish(frame)
        self.assertFalse(frame.released)
        receive(subscriber)
        addresses = set()
        for _ in range(10):
            frame = publisher.acquire('i8', 4)
            addresses.add(get_address(frame.array))
            publisher.publish(frame)
            receive(subscriber)
        self.assertNotIn(view.ctypes.data, addresses)

    def test_read_only(self):
        publisher, subscriber = self.pair()
        publish(publisher, 1)
        array = receive(subscriber).array
        self.assertEqual(array.access, Shnd.Access.READ)
        with self.assertRaises(ValueError):
            array[0] = 1
        with self.assertRaises(ValueError):
            array.get().flags.writeable = True
        with self.assertRaises(TypeError):
            array.data[0] = 1
        self.assert_error(Error.READ_ONLY, '', array.fill, 3)
        self.assert_error(Error.READ_ONLY, '', array.set_int64, 0, 3)


class Contents(FramesTestCase):
    def test_metadata(self):
        publisher, subscriber = self.pair()
        values = {
            'true': True, 'false': False, 'zero': 0, 'small': -2**63, 'large': 2**64 - 1,
            'float': 0.1, 'inf': math.inf, 'text': 'ä€😀', 'empty': '', 'bytes': b'\0\xff\0',
            'no bytes': b'', 'list': [1, 2, 3], 'texts': ['a', 'b'], 'mixed': [1, 'a', 2.5, b'c'],
            'no list': [], 'tuple': (1, 'a', (2, ())), 'no tuple': (), 'dict': {'a': {'b': [True]}},
            'no dict': {}, '': 'no name', 'lists': [[1], [2, 3]], 'deep': [[['a'], 3], []],
        }
        publish(publisher, 1, metadata=values)
        found = receive(subscriber).metadata
        self.assertEqual(found, values)
        self.assertEqual(list(found), list(values))
        for name, value in values.items():
            self.assertIs(type(found[name]), type(value), name)
        self.assertIs(type(found['mixed'][3]), bytes)

    def test_metadata_others(self):
        publisher, subscriber = self.pair()
        publish(publisher, 1, metadata={
            'numpy': np.float32(0.5), 'int': np.uint16(3), 'bool': np.bool_(True),
            'array': bytearray(b'ab'), 'view': memoryview(b'abcd')[::2],
            'u': GLib.Variant('u', 5), 'as': GLib.Variant('as', ['a']), 'i': GLib.Variant('i', -1),
            'y': GLib.Variant('y', 7), 'o': GLib.Variant('o', '/a'), 'mi': GLib.Variant('mi', None),
            'ms': GLib.Variant('ms', 'a'), 'n': GLib.Variant('(nqdg)', (1, 2, 3.5, 'u')),
            '{iv}': GLib.Variant('a{iv}', {3: GLib.Variant('b', True)}),
            'v': GLib.Variant('v', GLib.Variant('b', True)),
        })
        self.assertEqual(receive(subscriber).metadata, {
            'numpy': 0.5, 'int': 3, 'bool': True, 'array': b'ab', 'view': b'ac', 'u': 5,
            'as': ['a'], 'i': -1, 'y': 7, 'o': '/a', 'mi': None, 'ms': 'a', '{iv}': {3: True},
            'n': (1, 2, 3.5, 'u'), 'v': True})
        nan = {'nan': math.nan}
        publish(publisher, 1, metadata=nan)
        self.assertTrue(math.isnan(receive(subscriber).metadata['nan']))

    def test_metadata_from_bytes(self):
        """Subscribers take only what is in normal form."""
        publisher, subscriber = self.pair()
        kind = GLib.VariantType.new('a{sv}')
        bad = GLib.Variant.new_from_bytes(kind, GLib.Bytes.new(bytes([255] * 9)), False)
        self.assertFalse(bad.is_normal_form())
        publish(publisher, 1, metadata=bad)
        self.assertTrue(receive(subscriber).get_metadata().is_normal_form())

    def test_metadata_setting(self):
        frame = self.publisher().acquire('u1', 3)
        frame.metadata = {'a': 1}
        self.assertEqual(frame.metadata, {'a': 1})
        self.assertEqual(frame.get_metadata().print_(True), "{'a': <int64 1>}")
        frame.metadata = GLib.Variant('a{sv}', {'b': GLib.Variant('i', 2)})
        self.assertEqual(frame.metadata, {'b': 2})
        self.assertIs(frame.set_metadata({'c': 3}), True)
        self.assertEqual(frame.metadata, {'c': 3})
        frame.metadata = {}
        self.assertEqual(frame.metadata, {})
        frame.metadata = {'a': 1}
        frame.metadata = None
        self.assertEqual(frame.metadata, {})
        frame.metadata['a'] = 1
        self.assertEqual(frame.metadata, {})

    def test_metadata_garbage(self):
        publisher, subscriber = self.pair()
        frame = publisher.acquire('u1', 3)
        frame.metadata = {'a': 1}
        endless = []
        endless.append(endless)
        deep = 1
        for _ in range(1000):
            deep = {'a': deep}
        for bad in (3, 'a', ['a'], [('a', 1)], {1: 2}, {None: 1}, {b'a': 1}, {'a': None},
                    {'a': object()}, {'a': {1}}, {'a': 1j}, {'a': np.zeros(3)}, {'a': [None]},
                    {'a': {1: 2}}, {'a': np.zeros(())}, {'a': int}):
            with self.assertRaises(TypeError, msg=bad):
                frame.metadata = bad
        for bad in ({'a': endless}, {'a': deep}, {'a\0': 1}, {'a': 'b\0'}, {'a': '\ud800'}):
            with self.assertRaises(ValueError):
                frame.metadata = bad
        for bad in ({'a': 2**64}, {'a': -2**63 - 1}, {'a': [1, 2**70]}):
            with self.assertRaises(OverflowError):
                frame.metadata = bad
        self.assert_error(Error.INVALID_ARGUMENT, 'a{sv}', frame.set_metadata,
                          GLib.Variant('i', 3))
        self.assert_error(Error.INVALID_ARGUMENT, '65536', frame.set_metadata,
                          {'a': bytes(65536)})
        self.assertEqual(frame.metadata, {'a': 1})
        frame.metadata = {'a': bytes(65000), 'b': 'a' * 500}
        publisher.publish(frame)
        self.assert_error(Error.NOT_ACQUIRED, 'expected', frame.set_metadata, {})
        received = receive(subscriber)
        self.assertEqual(received.metadata, {'a': bytes(65000), 'b': 'a' * 500})
        self.assert_error(Error.NOT_ACQUIRED, 'expected', received.set_metadata, {})

    def test_timestamp(self):
        publisher, subscriber = self.pair()
        before = time.monotonic_ns()
        publish(publisher, 1)
        after = time.monotonic_ns()
        self.assertTrue(before <= receive(subscriber).timestamp <= after)
        for stamp in (0, -5, 2**63 - 1, -2**63, np.int64(7)):
            publish(publisher, 1, timestamp=stamp)
            received = receive(subscriber)
            self.assertEqual(received.timestamp, stamp)
        with self.assertRaises(GLib.Error) as caught:
            received.timestamp = 8
        self.assertTrue(caught.exception.matches(Error.quark(), Error.NOT_ACQUIRED))
        frame = publisher.acquire('u1', 3)
        frame.timestamp = 5
        for bad in ('a', 1.5, None, True):
            with self.assertRaises(TypeError):
                frame.timestamp = bad
        for bad in (2**63, -2**63 - 1):
            with self.assertRaises(OverflowError):
                frame.timestamp = bad
        self.assertEqual(frame.timestamp, 5)
        frame.timestamp = -1
        before = time.monotonic_ns()
        publisher.publish(frame)
        self.assertGreaterEqual(frame.timestamp, before)
        frame.set_timestamp(9)
        self.assertNotEqual(frame.timestamp, 9)

    def test_changing(self):
        """Another dtype and shape in each frame."""
        publisher, subscriber = self.pair()
        structured = np.zeros((2, 3), [('x', 'f4'), ('at', 'M8[us]'), ('sub', 'i2', (2, 2))])
        structured['x'] = 1.5
        structured['sub'][1] = 3
        padded = np.zeros(3, np.dtype({'names': ['a', 'b'], 'formats': ['u1', 'f8'],
                                       'offsets': [1, 8], 'itemsize': 24}))
        padded['b'] = [1, 2, 3]
        arrays = [np.arange(5), np.arange(6.).reshape(2, 3), np.array(3j), np.zeros((0, 5), 'u2'),
                  np.array(['ab', 'c']), np.array([b'ab', b'c']), structured, padded,
                  np.array(['2026-11-22'], 'M8[D]'), np.arange(4, dtype='>i4'),
                  np.ones((1,) * 32, '?'), np.arange(10**5, dtype='u4'), np.zeros(3, 'U0'),
                  np.asfortranarray(np.arange(12).reshape(3, 4)), np.arange(10)[::-2],
                  np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2), np.zeros((), 'V5')]
        for array in arrays * 2:
            publisher.publish_array(array)
            with receive(subscriber) as frame:
                found = frame.array.get()
                self.assertEqual((found.dtype, found.shape), (array.dtype, array.shape))
                # Without the bytes between the fields.
                self.assertEqual(repr(found.tolist()), repr(array.tolist()))
                self.assertEqual(found.flags.f_contiguous or not array.flags.f_contiguous, True)
        self.assertLessEqual(publisher.n_frames, 4)

    def test_publish_array(self):
        publisher, subscriber = self.pair()
        self.assertIs(publisher.publish_array([[1, 2], [3, 4]], metadata={'a': 1}, timestamp=5),
                      True)
        frame = receive(subscriber)
        self.assertEqual((frame.array.get().tolist(), frame.metadata, frame.timestamp),
                         ([[1, 2], [3, 4]], {'a': 1}, 5))
        publisher.publish_array(frame.array)
        self.assertEqual(receive(subscriber).array.get().tolist(), [[1, 2], [3, 4]])
        publisher.publish_array(7)
        self.assertEqual(receive(subscriber).array.get_element(), 7)
        del frame
        n_frames = publisher.n_frames
        for bad in ({'metadata': 3}, {'timestamp': 'a'}, {'metadata': {'a': None}}):
            self.assertRaises(TypeError, publisher.publish_array, [1], **bad)
        self.assert_error(Error.INVALID_DTYPE, '', publisher.publish_array, [object()])
        self.assertRaises(TypeError, publisher.publish_array, [1], timeout='a')
        self.assertEqual((publisher.n_frames, publisher.sequence), (n_frames, 3))
        publisher.max_frames = 1
        subscriber.close()
        try:
            publisher.publish_array([1], metadata=3)
        except TypeError:
            # Not only when the exception and all that it knows are gone.
            self.assertIs(publisher.publish_array([1], timeout=0), True)

    def test_repeat(self):
        publisher, subscriber = self.pair()
        with publisher.acquire('u1', 4) as first:
            first.array[...] = 7
            first.metadata = {'n': 0}
        received = [receive(subscriber)]
        for n in (1, 2):
            with publisher.repeat(first) as again:
                self.assertEqual(again.array.get().tolist(), [7] * 4)
                self.assertFalse(again.array.get().flags.writeable)
                self.assertEqual(again.metadata, {})
                again.metadata = {'n': n}
            received.append(receive(subscriber))
            self.assertTrue(np.shares_memory(received[0].array.get(), received[1].array.get()))
            self.assertEqual((received.pop().metadata, publisher.sequence), ({'n': n}, n + 1))
            first = again
        self.assertEqual(publisher.n_frames, 1)
        kept = publisher.acquire('u1', 4)
        shown = kept.array.get()
        shown[...] = 5
        publisher.publish(kept)
        del received
        publisher.publish_array(np.zeros(4, 'u1'))
        publisher.publish(publisher.repeat(kept))
        self.assertEqual([receive(subscriber).array.get()[0] for _ in range(3)], [5, 0, 5])
        self.assert_error(Error.NOT_ACQUIRED, 'still shows', publisher.repeat, first)
        self.assert_error(Error.NOT_ACQUIRED, 'has published', publisher.repeat,
                          publisher.acquire('u1', 4))
        for bad in (None, 3, publisher):
            self.assertRaises(TypeError, publisher.repeat, bad)

    def test_set_array(self):
        publisher, subscriber = self.pair()
        views = [lambda array: array.slice(1, 0, 3), lambda array: array.slice(0, 3, -1, -2),
                 lambda array: array.T, lambda array: array.index(0, 2),
                 lambda array: array.slice(1, 7, -1, -1).slice(0, 1, 3), lambda array: array,
                 lambda array: array.reshape(2, -1), lambda array: array.slice(0, 2, 2)]
        for view in views:
            frame = publisher.acquire('i4', (4, 8))
            frame.array[...] = np.arange(32).reshape(4, 8)
            first = frame.array
            expected = view(frame.array).get().tolist()
            strides = view(frame.array).strides
            self.assertIs(frame.set_array(view(frame.array)), True)
            self.assertEqual(frame.array.get().tolist(), expected)
            publisher.publish(frame)
            self.assertTrue(first.closed and frame.array.closed)
            received = receive(subscriber)
            self.assertEqual(received.array.get().tolist(), expected)
            self.assertEqual(received.array.strides, strides)
        publish(publisher, (1.5, 2), 3, [('a', 'f4'), ('b', 'u1')])
        frame = receive(subscriber)
        self.assert_error(Error.NOT_ACQUIRED, 'expected', frame.set_array, frame.array)
        del frame, received
        frame = publisher.acquire([('a', 'f4'), ('b', 'u1')], 3)
        frame.array['a'] = 2.5
        frame.set_array(frame.array.field('a'))
        other = publisher.acquire('u1', 3)
        for bad in (other.array, Shnd.Array.new(None, 'u1', 3)):
            self.assert_error(Error.INVALID_ARGUMENT, 'own array', frame.set_array, bad)
        self.assert_error(Error.CLOSED, '', frame.set_array, Shnd.Array())
        for bad in (None, np.zeros(3), frame):
            self.assertRaises(TypeError, frame.set_array, bad)
        publisher.publish(frame)
        self.assertEqual(receive(subscriber).array.get().tolist(), [2.5] * 3)


if __name__ == '__main__':
    main()
