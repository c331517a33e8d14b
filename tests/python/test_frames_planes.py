# SPDX-License-Identifier: MIT

"""All memory of a frame, and the planes that its metadata tell of."""

import gc
import random

import numpy as np
from frames_support import FramesTestCase, get_address, receive
from support import GLib, Shnd, main

Error = Shnd.Error

WIDTH, HEIGHT = 8, 4
N_LUMA = WIDTH * HEIGHT


def to_planes(*planes):
    return {'planes': GLib.Variant('a(sstaxax)', planes)}


NV12 = to_planes(('Y', '|u1', 0, (HEIGHT, WIDTH), (WIDTH, 1)),
                 ('UV', '|u1', N_LUMA, (HEIGHT // 2, WIDTH // 2, 2), (WIDTH, 2, 1)))


class Planes(FramesTestCase):
    def publish(self, publisher, metadata=NV12):
        """Sends bytes 0, 1, 2, ..., of which the array shows the later half."""
        frame = publisher.acquire('u1', 3 * N_LUMA)
        frame.array[...] = np.arange(3 * N_LUMA)
        frame.set_array(frame.array.slice(0, N_LUMA, 2 * N_LUMA))
        frame.metadata = metadata
        publisher.publish(frame)

    def receive(self, metadata=NV12):
        publisher, subscriber = self.pair()
        self.publish(publisher, metadata)
        return receive(subscriber)

    def test_mapping(self):
        planes = self.receive().planes
        self.assertEqual(list(planes), ['Y', 'UV'])
        self.assertEqual(len(planes), 2)
        self.assertIn('UV', planes)
        for name in ('U', '', 3, None, 'Y\0', b'Y'):
            self.assertNotIn(name, planes)
            self.assertIsNone(planes.get(name))
            with self.assertRaises(KeyError):
                planes[name]
        arrays = dict(planes)
        self.assertEqual({name: array.shape for name, array in arrays.items()},
                         {'Y': (4, 8), 'UV': (2, 4, 2)})
        self.assertIs(type(arrays['Y']), Shnd.Array)
        self.assertIn("'Y', 'UV'", repr(planes))
        with self.assertRaises(TypeError):
            planes['Y'] = arrays['Y']

    def test_no_copy(self):
        frame = self.receive()
        luma, chroma = np.asarray(frame.planes['Y']), frame.planes['UV'].get()
        np.testing.assert_array_equal(luma, np.arange(32, 64).reshape(4, 8))
        np.testing.assert_array_equal(chroma[..., 1], np.arange(65, 81, 2).reshape(2, 4))
        self.assertEqual(luma.ctypes.data, get_address(frame.array))
        self.assertEqual(chroma.ctypes.data, luma.ctypes.data + N_LUMA)
        self.assertFalse(luma.flags.writeable)
        self.assert_error(Error.READ_ONLY, '', frame.planes['Y'].fill, 0)

    def test_filling(self):
        publisher, subscriber = self.pair()
        with publisher.acquire('u1', 3 * N_LUMA // 2) as frame:
            self.assertEqual(dict(frame.planes), {})
            planes = frame.planes
            frame.metadata = NV12
            planes['Y'][...] = 16
            planes['UV'][..., 0], planes['UV'][..., 1] = 100, 200
        whole = receive(subscriber).array.get()
        self.assertEqual(whole.tolist(), [16] * N_LUMA + [100, 200] * (N_LUMA // 4))

    def test_they_keep_the_frame(self):
        for hold in (lambda frame: frame.planes['Y'], lambda frame: frame.planes['Y'].get(),
                     lambda frame: np.asarray(frame.planes['UV'])[0], lambda frame: frame.planes,
                     lambda frame: frame.get_memory()[0]):
            frame = self.receive()
            held = hold(frame)
            gc.disable()
            frame.release()
            self.assertEqual(frame.released, held.__class__.__name__ == 'Planes')
            del held
            self.assertTrue(frame.released)
            gc.enable()
            self.assertEqual(list(frame.planes), ['Y', 'UV'])
            self.assert_error(Error.CLOSED, 'closed', frame.get_plane, 'Y')
            self.assert_error(Error.CLOSED, 'closed', frame.planes.__getitem__, 'Y')
            self.doCleanups()
            self.setUp()

    def test_memory(self):
        frame = self.receive()
        memory, offset = frame.get_memory()
        self.assertEqual(offset, N_LUMA)
        self.assertGreaterEqual(memory.get_size(), 3 * N_LUMA)
        self.assertEqual(memory.get_data()[:3 * N_LUMA], bytes(range(3 * N_LUMA)))
        self.assert_error(Error.CLOSED, 'closed', Shnd.Frame().get_memory)

    def test_names(self):
        names = ['', 'ä€😀', '__class__', 'x' * 1000, 'Y', ' ']
        frame = self.receive(to_planes(*((name, '|u1', i, (), ())
                                         for i, name in enumerate(names + names[::-1]))))
        self.assertEqual(frame.list_planes(), names)
        self.assertEqual([int(array.get()) for array in frame.planes.values()], list(range(32, 38)))
        self.assert_error(Error.NOT_FOUND, '“Z”', frame.get_plane, 'Z')
        for bad, kind in ((None, TypeError), (b'Y', TypeError), ('Y\0', ValueError)):
            self.assertRaises(kind, frame.get_plane, bad)

    def test_one_is_bad(self):
        frame = self.receive(to_planes(('a', '|u1', 2**64 - 1, (), ()), ('b', '|u1', 0, (), ()),
                                       ('c', 'O', 0, (), ()), ('d', '|u1', 0, (2**62,), (4,))))
        self.assertEqual(list(frame.planes), ['a', 'b', 'c', 'd'])
        self.assertEqual(frame.planes['b'][()], 32)
        self.assertIn('a', frame.planes)
        self.assert_error(Error.TOO_SMALL, 'Plane “a”', frame.planes.__getitem__, 'a')
        self.assert_error(Error.INVALID_DTYPE, 'Plane “c”', frame.get_plane, 'c')
        self.assert_error(Error.TOO_SMALL, 'Plane “d”', frame.get_plane, 'd')

    def test_malformed(self):
        for value in (3, 'Y', ['Y'], {}, [('Y', 'u1', 0, [1], [1])], GLib.Variant('a(sstaxai)', []),
                      GLib.Variant('v', NV12['planes'])):
            with self.subTest(value=value):
                frame = self.receive({'planes': value})
                self.assertEqual(dict(frame.planes), {})
                self.assert_error(Error.NOT_FOUND, '', frame.get_plane, 'Y')
            self.doCleanups()
            self.setUp()

    def test_random(self):
        """What comes is what NumPy has at that place of the frame's memory, or an error."""
        publisher, subscriber = self.pair()
        n_inside = 0
        for seed in range(300):
            rng = random.Random(seed)
            dtype = np.dtype(rng.choice(('u1', '<u2', '>u4', '<f8')))
            shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
            strides = [rng.choice((-3000, -8, -1, 0, 1, 2, 60, 1500)) for _ in shape]
            offset = rng.choice((0, 1, 40, 64, 4000, 4064, 2**40))
            self.publish(publisher, to_planes(('x', dtype.str, offset, shape, strides)))
            with receive(subscriber) as frame:
                memory, origin = frame.get_memory()
                try:
                    expected = np.ndarray(shape, dtype, memory.get_data(), origin + offset, strides)
                except (TypeError, ValueError):
                    expected = None
                # Without elements, NumPy takes any place.
                if expected is not None and 0 in shape and offset + origin > memory.get_size():
                    expected = None
                n_inside += self.assert_plane(frame, expected)
        self.assertGreater(n_inside, 50)
        self.assertLess(n_inside, 250)

    def assert_plane(self, frame, expected):
        try:
            found = frame.planes['x'].get()
        except GLib.Error as error:
            self.assertTrue(error.matches(Error.quark(), Error.TOO_SMALL), error.message)
            self.assertIsNone(expected)
            return False
        self.assertIsNotNone(expected)
        self.assertEqual((found.dtype, found.shape), (expected.dtype, expected.shape))
        self.assertEqual(found.tobytes(), expected.tobytes())
        return True


if __name__ == '__main__':
    main()
