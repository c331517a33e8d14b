# SPDX-License-Identifier: MIT

"""Who publishes, and how a stream goes: finding that out without being in anybody's way."""

import asyncio
import os
import resource
import select
import signal
import socket

from frames_support import BLOCK, PATIENCE, RUNTIME, FramesTestCase, publish, receive, sockets
from gi.repository import Gio
from process_support import Child, Thread, wait_until
from protocol_peer import Publisher, is_locked
from support import GLib, Shnd, count_handles, drop_to_nobody, in_child, main

Error = Shnd.Error
FOLDER = os.path.join(RUNTIME, 'shndarray')


def publish_for_ever(connection, address):
    publisher = Shnd.Publisher.new(address)
    connection.send(Shnd.list_addresses())
    connection.recv()
    publisher.close()


class Addresses(FramesTestCase):
    def test_none(self):
        if os.path.isdir(FOLDER):
            os.rmdir(FOLDER)
        self.assertEqual(Shnd.list_addresses(), [])
        os.mkdir(FOLDER)
        self.assertEqual(Shnd.list_addresses(), [])

    def test_coming_and_going(self):
        publishers = {name: Shnd.Publisher.new(name)
                      for name in ('b', 'a', 'a!', 'über', 'with space\n', 'A')}
        elsewhere = Shnd.Publisher.new(os.path.join(RUNTIME, 'elsewhere'))
        here = Shnd.Publisher.new(os.path.join(FOLDER, 'here'))
        expected = sorted([*publishers, 'here'], key=str.encode)
        self.assertEqual(Shnd.list_addresses(), expected)
        for name, publisher in publishers.items():
            publisher.close()
            expected.remove(name)
            self.assertEqual(Shnd.list_addresses(), expected)
        elsewhere.close()
        here.close()
        self.assertEqual(Shnd.list_addresses(), [])

    def test_processes(self):
        """Another process is seen, and when it is killed what it leaves is not."""
        with Child(publish_for_ever, self.address) as child:
            self.assertEqual(child.receive(), [self.address])
            self.assertEqual(Shnd.list_addresses(), [self.address])
            child.kill()
        self.assertEqual(sockets(), [self.address, self.address + '.lock'])
        self.assertEqual(Shnd.list_addresses(), [])
        with Child(publish_for_ever, self.address) as child:
            self.assertEqual(child.receive(), [self.address])
            child.send(None)
            self.assertEqual(child.join(), 0)
        self.assertEqual(Shnd.list_addresses(), [])

    def test_fork(self):
        """A child of the publisher has neither the lock nor is it asked."""
        publisher = self.publisher()
        with Child(lambda connection: (connection.send(Shnd.list_addresses()),
                                       connection.recv())) as child:
            self.assertEqual(child.receive(), [self.address])
            publisher.close()
            again = self.publisher()
            self.assertEqual(Shnd.list_addresses(), [self.address])
            again.close()
            self.assertEqual(Shnd.list_addresses(), [])
            child.send(None)

    def test_second_implementation(self):
        publisher = self.publisher()
        self.assertTrue(is_locked(publisher.path))
        publisher.close()
        path = os.path.join(FOLDER, self.address)
        other = Publisher(path)
        self.assertEqual(Shnd.list_addresses(), [self.address])
        self.assertRaises(GLib.Error, self.publisher)
        other.die()
        self.assertFalse(is_locked(path))
        self.assertEqual(Shnd.list_addresses(), [])
        self.publisher().close()

    def test_nobody_is_disturbed(self):
        """Whoever asks all the time keeps no publisher from its address."""
        pids = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                while True:
                    Shnd.list_addresses()
            pids.append(pid)
        try:
            for _ in range(200):
                self.publisher().close()
        finally:
            for pid in pids:
                os.kill(pid, 9)
                os.waitpid(pid, 0)

    def test_what_else_is_there(self):
        """Sockets of others, files, folders, and names that cannot be addresses."""
        publisher = self.publisher()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made = ['other', 'file', 'file.lock', 'link', 'link.lock', '.hidden', 'pipe.lock', 'pipe',
                'x.lock.lock', b'bad\xff', b'bad\xff.lock']
        listener.bind(os.path.join(FOLDER, made[0]))
        for name in ('file', 'file.lock', '.hidden', 'pipe', 'x.lock.lock'):
            open(os.path.join(FOLDER, name), 'w').close()
        for name in made[-2:]:
            open(os.path.join(os.fsencode(FOLDER), name), 'w').close()
        os.symlink(publisher.path, os.path.join(FOLDER, 'link'))
        os.symlink(publisher.path + '.lock', os.path.join(FOLDER, 'link.lock'))
        os.mkfifo(os.path.join(FOLDER, 'pipe.lock'))
        os.mkdir(os.path.join(FOLDER, 'folder'))
        os.mkfifo(os.path.join(FOLDER, 'other.lock'))
        try:
            self.assertEqual(Shnd.list_addresses(), [self.address])
        finally:
            listener.close()
            os.rmdir(os.path.join(FOLDER, 'folder'))
            for name in [*made, 'other.lock']:
                os.unlink(os.path.join(os.fsencode(FOLDER), os.fsencode(name)))

    def test_failures(self):
        publisher = self.publisher()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = len(os.listdir('/proc/self/fd'))
        for n in range(used + 4):
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
            try:
                # Never a list in which somebody is missing.
                self.assertEqual(Shnd.list_addresses(), [self.address])
            except GLib.Error as error:
                self.assertEqual(error.code, Error.NO_SPACE, error.message)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        publisher.close()

        def run():
            drop_to_nobody()
            with self.assertRaises(GLib.Error) as caught:
                Shnd.list_addresses()
            self.assertEqual(caught.exception.code, Error.PERMISSION_DENIED)

        os.chmod(FOLDER, 0)
        try:
            self.assertEqual(in_child(run), 0)
        finally:
            os.chmod(FOLDER, 0o700)


class Observers(FramesTestCase):
    def publisher(self, **keywords):
        publisher = super().publisher(**keywords)
        # From here on it admits who comes.
        self.assertEqual(publisher.n_subscribers, 0)
        return publisher

    def observer(self, **keywords):
        return self.subscriber(observer=True, **keywords)

    def observe(self, *observers):
        """Lets them connect."""
        for observer in observers:
            wait_until(lambda: self.is_there(observer))

    def numbers(self, observer):
        return (observer.sequence, observer.n_subscribers, observer.n_dropped, observer.frame_size)

    def test_numbers(self):
        publisher, subscriber = self.pair()
        observer = self.observer()
        self.assertEqual(self.numbers(observer), (0, 0, 0, 0))
        publish(publisher, 1)
        self.assertEqual(self.numbers(observer), (0, 0, 0, 0))
        self.observe(observer)
        self.assertEqual(self.numbers(observer), (1, 1, 0, 32))
        publish(publisher, 2, shape=(3, 5), dtype='u1')
        publish(publisher, 3, shape=(), dtype='f8')
        self.assertEqual(self.numbers(observer), (3, 1, 1, 8))
        with publisher.acquire('u2', (10, 10)) as frame:
            # Of what is published: bytes between elements do not count.
            frame.set_array(frame.array.slice(1, 0, None, 5))
        self.assertEqual(self.numbers(observer), (4, 1, 2, 40))
        self.assertEqual(self.numbers(observer), (
            observer.get_sequence(), observer.get_n_subscribers(), observer.get_n_dropped(),
            observer.get_frame_size()))
        # They are there for who gets frames as well.
        self.assertEqual(receive(subscriber).sequence, 1)
        self.assertEqual(self.numbers(subscriber)[0], 4)
        self.assertEqual(self.numbers(subscriber), self.numbers(observer))
        self.assertEqual(publisher.n_subscribers, 1)
        subscriber.close()
        wait_until(lambda: observer.n_subscribers == 0)
        self.assertEqual((observer.n_received, observer.n_missed), (0, 0))

    def test_not_counted(self):
        publisher = self.publisher(overflow=BLOCK, depth=1, max_frames=1)
        observers = [self.observer() for _ in range(20)]
        self.observe(*observers)
        self.assertEqual(publisher.n_subscribers, 0)
        self.assert_timed_out(publisher.wait_subscribers, 1, timeout=0.01)
        for value in range(100):
            with publisher.acquire('i8', 1, timeout=0) as frame:
                frame.array[...] = value
        self.assertEqual((publisher.sequence, publisher.n_frames, publisher.n_dropped),
                         (100, 1, 0))
        for observer in observers:
            self.assert_timed_out(observer.receive, timeout=0)
            self.assertEqual(self.numbers(observer), (100, 0, 0, 8))
        with self.subscriber() as subscriber:
            self.assertEqual(receive(subscriber).sequence, 100)
            self.assertEqual(observer.n_subscribers, 1)

    def test_is_stopped(self):
        """One that does not run at all delays nobody, not even the end."""
        publisher = self.publisher(overflow=BLOCK)

        def observe(connection):
            observer = Shnd.Subscriber.new(self.address, observer=True)
            while not observer.connected:
                try:
                    observer.receive(timeout=0.01)
                except GLib.Error:
                    pass
            connection.send(None)
            connection.recv()

        with Child(observe) as child:
            child.receive()
            os.kill(child.pid, signal.SIGSTOP)
            for value in range(3000):
                publish(publisher, value)
            publisher.close()
            os.kill(child.pid, signal.SIGCONT)

    def test_limited(self):
        publisher = self.publisher(max_subscribers=1)
        observer = self.observer()
        self.observe(observer)
        self.assert_error(Error.NO_SPACE, 'as many', self.subscriber().receive)
        self.assert_error(Error.NO_SPACE, 'as many', self.observer().receive)
        self.assertEqual(publisher.n_subscribers, 0)

    def test_authorize(self):
        publisher = self.publisher()
        answers = [False, True]
        publisher.connect('authorize', lambda *_: answers.pop(0))
        refused = self.observer()
        asked = Thread(publisher.wait_subscribers, 1, timeout=PATIENCE)
        self.assert_error(Error.PERMISSION_DENIED, '', refused.receive)
        self.observe(self.observer())
        self.assertEqual(answers, [])
        answers.append(True)
        subscriber = self.subscriber()
        self.assert_timed_out(subscriber.receive, timeout=0)
        asked.join()

    def test_end(self):
        publisher, subscriber = self.pair()
        observer = self.observer()
        self.observe(observer)
        for value in range(5):
            publish(publisher, value)
        waiter = Thread(observer.receive)
        publisher.close()
        with self.assertRaises(GLib.Error) as caught:
            waiter.join()
        self.assertTrue(caught.exception.matches(Error.quark(), Error.END_OF_STREAM))
        # The numbers stay; that there were no subscribers in the end, too.
        self.assertEqual(self.numbers(observer), (5, 0, 2, 32))
        self.assert_error(Error.END_OF_STREAM, 'has ended', observer.receive)
        self.assertEqual(list(observer), [])
        self.assertFalse(observer.connected)
        observer.close()
        self.assertEqual(self.numbers(observer), (5, 0, 2, 32))
        self.assertEqual(len(list(subscriber)), 3)

    def test_killed_and_again(self):
        def serve(connection, n):
            publisher = Shnd.Publisher.new(self.address)
            for value in range(n):
                publish(publisher, value, shape=(n,))
            while publisher.sequence:
                publisher.wait_subscribers(0)
                if connection.poll(0.01):
                    connection.recv()
                    break
            publisher.close()

        observer = self.observer()
        with Child(serve, 3) as child:
            self.observe(observer)
            wait_until(lambda: observer.sequence == 3)
            child.kill()
            self.assert_error(Error.DISCONNECTED, 'gone', observer.receive)
            self.assertEqual(self.numbers(observer), (3, 0, 0, 24))
        observer.reconnect = True
        with Child(serve, 5) as child:
            self.observe(observer)
            wait_until(lambda: self.numbers(observer) == (5, 0, 0, 40))
            child.kill()
            wait_until(lambda: not self.is_there(observer))
            self.assertEqual(self.numbers(observer), (5, 0, 0, 40))
        with Child(serve, 2) as child:
            self.observe(observer)
            wait_until(lambda: self.numbers(observer) == (2, 0, 0, 16))
            child.send(None)
            self.assertEqual(child.join(), 0)
        wait_until(lambda: not self.is_there(observer))
        self.assertEqual(self.numbers(observer), (2, 0, 0, 16))

    def is_there(self, observer):
        self.assert_timed_out(observer.receive, timeout=0)
        return observer.connected

    def test_becomes_a_subscriber(self):
        """And the other way round: with the next connection."""
        subscriber = self.subscriber(observer=True, reconnect=True, depth=1)
        for observing in (True, False, True):
            self.assertIs(subscriber.observer, observing)
            with Shnd.Publisher.new(self.address) as publisher:
                publish(publisher, 1)
                if observing:
                    self.observe(subscriber)
                    self.assertEqual(publisher.n_subscribers, 0)
                else:
                    self.assertEqual(receive(subscriber).sequence, 1)
                subscriber.observer = not observing
                publish(publisher, 2)
                if observing:
                    self.assert_timed_out(subscriber.receive, timeout=0.01)
                else:
                    self.assertEqual(receive(subscriber).sequence, 2)
            wait_until(lambda: not self.is_there(subscriber))

    def test_latest_only(self):
        """It makes no difference, and neither do depth and spin."""
        publisher = self.publisher()
        publish(publisher, 1)
        observer = self.observer(latest_only=True, depth=7, spin=100)
        self.observe(observer)
        publish(publisher, 2)
        self.assert_timed_out(observer.receive, timeout=0.02)
        self.assertEqual(observer.sequence, 2)
        publisher.close()
        self.assert_error(Error.END_OF_STREAM, '', observer.receive)

    def test_descriptor(self):
        publisher = self.publisher()
        observer = self.observer()
        poller = select.poll()
        poller.register(observer, select.POLLIN)
        while not observer.connected:
            self.assertTrue(poller.poll(PATIENCE * 1000))
            self.assert_timed_out(observer.receive, timeout=0)
        for value in range(10):
            publish(publisher, value)
        self.assertEqual(poller.poll(10), [])
        publisher.close()
        self.assertTrue(poller.poll(PATIENCE * 1000))
        self.assert_error(Error.END_OF_STREAM, '', lambda: observer.receive(timeout=0))

    def test_watch(self):
        publisher = self.publisher()
        observer = self.observer()
        loop = GLib.MainLoop()
        seen = []
        observer.connect('frame', lambda *_: seen.append('frame'))
        observer.connect('ended', lambda _, error: (seen.append(error.code), loop.quit()))
        self.assertTrue(observer.watching)
        GLib.idle_add(self.go_on, publisher, observer)
        loop.run()
        self.assertEqual(seen, [Error.END_OF_STREAM])
        self.assertEqual(observer.sequence, 3)
        self.assertFalse(observer.watching)

    def go_on(self, publisher, observer):
        if not observer.connected:
            return GLib.SOURCE_CONTINUE
        for value in range(3):
            publish(publisher, value)
        publisher.close()
        return GLib.SOURCE_REMOVE

    def test_async(self):
        publisher = self.publisher()
        observer = self.observer()
        loop = GLib.MainLoop()
        codes = []

        def received(observer, result):
            try:
                observer.receive_finish(result)
            except GLib.Error as error:
                codes.append(error.code)
            loop.quit()

        observer.receive_async(None, received, timeout=0.01)
        loop.run()
        observer.receive_async(None, received, timeout=PATIENCE)
        GLib.idle_add(self.go_on, publisher, observer)
        loop.run()
        self.assertEqual(codes, [Error.TIMED_OUT, Error.END_OF_STREAM])

        async def walk():
            return [frame async for frame in observer]

        self.assertEqual(asyncio.run(walk()), [])

    def test_cancelled(self):
        self.publisher()
        observer = self.observer()
        self.observe(observer)
        cancellable = Gio.Cancellable()
        waiter = Thread(observer.receive, cancellable=cancellable)
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as caught:
            waiter.join()
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(),
                                                 Gio.IOErrorEnum.CANCELLED))

    def test_fork(self):
        publisher = self.publisher()
        observer = self.observer()
        self.observe(observer)
        publish(publisher, 1)
        with Child(lambda connection: connection.send((self.numbers(observer), observer.closed))) \
                as child:
            self.assertEqual(child.receive(), ((0, 0, 0, 0), True))
            self.assertEqual(child.join(), 0)
        self.assertEqual(observer.sequence, 1)
        self.assert_timed_out(observer.receive, timeout=0)

    def test_nothing_is_left(self):
        """Neither the descriptor of the page nor its mapping, of those that are gone."""
        publisher = self.publisher()
        publish(publisher, 1)
        before = count_handles()
        for _ in range(20):
            with Shnd.Subscriber.new(self.address, observer=True) as observer:
                self.observe(observer)
            del observer
        wait_until(lambda: count_handles() <= before)

    def test_bad_values(self):
        observer = self.observer()
        for bad in (None, 1, 'yes'):
            with self.assertRaises(TypeError):
                observer.observer = bad
        with self.assertRaises(TypeError):
            self.subscriber(observer=1)
        observer.set_observer(False)
        self.assertIs(observer.get_observer(), False)
        for name in ('sequence', 'n_subscribers', 'n_dropped', 'frame_size'):
            with self.assertRaises(AttributeError):
                setattr(observer, name, 1)


if __name__ == '__main__':
    main()
