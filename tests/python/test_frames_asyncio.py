# SPDX-License-Identifier: MIT

"""Frames in coroutines of asyncio."""

import asyncio
import os

from frames_support import BLOCK, PATIENCE, FramesTestCase, publish
from support import GLib, Shnd, main

Error = Shnd.Error


def list_fds():
    """What descriptors there are, without those of frames."""
    kinds = []
    for fd in os.listdir('/proc/self/fd'):
        try:
            kinds.append(os.readlink(f'/proc/self/fd/{fd}'))
        except OSError:
            pass
    return sorted(kind for kind in kinds if 'memfd' not in kind)


class Asyncio(FramesTestCase):
    def run_in_loop(self, coroutine):
        async def limited():
            return await asyncio.wait_for(coroutine, PATIENCE)

        return asyncio.run(limited())

    def test_for(self):
        subscriber = self.subscriber()
        values, ticks = [], []

        async def collect():
            async for frame in subscriber:
                values.append(int(frame.array[0]))

        async def produce():
            publisher = self.publisher(overflow=BLOCK, depth=2)
            for value in range(50):
                with publisher.acquire('i8', 4, timeout=PATIENCE) as frame:
                    frame.array[...] = value
                while len(values) <= value:
                    ticks.append(value)
                    await asyncio.sleep(0)
            publisher.close()

        async def both():
            await asyncio.gather(collect(), produce())

        fds = list_fds()
        self.run_in_loop(both())
        self.assertEqual(values, list(range(50)))
        self.assertTrue(ticks)
        self.assertLessEqual(list_fds(), fds)

    def test_break(self):
        publisher, subscriber = self.pair()
        fds = list_fds()

        async def first():
            async for frame in subscriber:
                return frame

        for value in range(5):
            publish(publisher, value)
            frame = self.run_in_loop(first())
            self.assertEqual(frame.array[0], value)
            frame.release()
        self.assertEqual(list_fds(), fds)

    def test_cancel(self):
        publisher, subscriber = self.pair()

        async def next_frame():
            async for frame in subscriber:
                return frame.sequence

        async def run():
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(next_frame(), 0.02)
            publish(publisher, 1)
            return await next_frame()

        self.assertEqual(self.run_in_loop(run()), 1)

    def test_two_tasks(self):
        publisher, subscriber = self.pair(overflow=BLOCK, depth=4)
        found = [], []

        async def collect(values):
            async for frame in subscriber:
                values.append(frame.sequence)

        async def run():
            tasks = [asyncio.ensure_future(collect(values)) for values in found]
            for value in range(20):
                publisher.publish_array([value])
                while publisher.sequence > len(found[0]) + len(found[1]):
                    await asyncio.sleep(0)
            publisher.close()
            await asyncio.gather(*tasks)

        self.run_in_loop(run())
        self.assertEqual(sorted(found[0] + found[1]), list(range(1, 21)))

    def test_errors(self):
        subscriber = self.subscriber()

        async def collect():
            async for frame in subscriber:
                raise AssertionError

        async def close():
            await asyncio.sleep(0.02)
            subscriber.close()

        async def both():
            await asyncio.gather(collect(), close())

        self.assert_error(Error.CLOSED, '', self.run_in_loop, both())
        self.assert_error(Error.CLOSED, '', self.run_in_loop, collect())

    def test_reader(self):
        """With the descriptor alone."""
        publisher, subscriber = self.pair()

        async def run():
            loop = asyncio.get_running_loop()
            future = loop.create_future()

            def ready():
                try:
                    frame = subscriber.receive(timeout=0)
                except GLib.Error as error:
                    self.assertEqual(error.code, Error.TIMED_OUT)
                else:
                    future.set_result(frame.sequence)

            loop.add_reader(subscriber, ready)
            publish(publisher, 1)
            try:
                return await future
            finally:
                loop.remove_reader(subscriber)

        self.assertEqual(self.run_in_loop(run()), 1)


if __name__ == '__main__':
    main()
