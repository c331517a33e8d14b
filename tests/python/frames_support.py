# SPDX-License-Identifier: MIT

"""What the tests of frames share: a runtime directory of their own, and pairs of ends."""

import atexit
import os
import shutil
import tempfile

# Before GLib asks for it. Short, as the paths of sockets are.
RUNTIME = tempfile.mkdtemp(prefix='shnd-', dir='/tmp')
os.environ['XDG_RUNTIME_DIR'] = RUNTIME
atexit.register(shutil.rmtree, RUNTIME, ignore_errors=True)

from process_support import PATIENCE, wait_until  # noqa: E402
from support import GLib, SharedTestCase, Shnd  # noqa: E402

DROP = Shnd.Overflow.DROP
BLOCK = Shnd.Overflow.BLOCK


def sockets():
    folder = os.path.join(RUNTIME, 'shndarray')
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def connect(publisher, *subscribers, n=None):
    """Lets them connect, before there is a frame."""
    for subscriber in subscribers:
        try:
            subscriber.receive(timeout=0)
        except GLib.Error as error:
            assert error.code == Shnd.Error.TIMED_OUT, error.message
    publisher.wait_subscribers(len(subscribers) if n is None else n, timeout=PATIENCE)


def publish(publisher, value, shape=(4,), dtype='i8', **keywords):
    with publisher.acquire(dtype, shape, timeout=PATIENCE) as frame:
        frame.array[...] = value
        for name, item in keywords.items():
            setattr(frame, name, item)


def receive(subscriber):
    return subscriber.receive(timeout=PATIENCE)


def receive_value(subscriber):
    """The first element of the next frame, which goes back at once."""
    with receive(subscriber) as frame:
        return frame.array.get().flat[0].item()


def get_address(array):
    return array.__array__().__array_interface__['data'][0]


class FramesTestCase(SharedTestCase):
    """Has an address of its own, where nobody is left in the end."""

    def setUp(self):
        self.address = self.id().rpartition('.')[2][:60]
        # After all that is registered later.
        self.addCleanup(wait_until, lambda: not sockets(), 'a socket is left')

    def publisher(self, **keywords):
        publisher = Shnd.Publisher.new(self.address, **keywords)
        self.addCleanup(publisher.close)
        return publisher

    def subscriber(self, **keywords):
        subscriber = Shnd.Subscriber.new(self.address, **keywords)
        self.addCleanup(subscriber.close)
        return subscriber

    def pair(self, **keywords):
        """A publisher with these settings, and a subscriber that it knows."""
        publisher, subscriber = self.publisher(**keywords), self.subscriber()
        connect(publisher, subscriber)
        return publisher, subscriber

    def assert_timed_out(self, function, *args, **keywords):
        with self.assertRaises(GLib.Error) as caught:
            function(*args, **keywords)
        self.assertTrue(caught.exception.matches(Shnd.Error.quark(), Shnd.Error.TIMED_OUT),
                        caught.exception.message)
