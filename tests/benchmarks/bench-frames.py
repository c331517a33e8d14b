# SPDX-License-Identifier: MIT
"""The rows of the benchmarks that are about frames in Python.

Each round prints "sample ROW OURS THEIRS", nanoseconds, and where it is about latencies, which are
medians, the 99th percentiles of both as well; "skip ROW REASON" where the peer is not installed.
"""

import ctypes
import gc
import mmap
import os
import pickle
import select
import signal
import socket
import struct
import sys
import time

import gi
import numpy as np

gi.require_version("Shnd", "1")
from gi.repository import Shnd  # noqa: E402

try:
    import iceoryx2
except ImportError:
    iceoryx2 = None

ROUNDS = 9
# Each round goes from one side to the other this often: what else the machine does meets both.
SLICES = 10
N_PER_SLICE = 30
N_LARGE = 12

# In seconds, from one message to the next: long enough for the other side to fall asleep.
PAUSE = 300e-6
SHORT_PAUSE = 100e-6
# For how many microseconds our subscriber looks before it sleeps, where nobody should sleep.
SPIN = 100000

SHAPES = {"64": (64,), "1080p": (1080, 1920, 4), "4k": (2160, 3840, 4)}
NOT_INSTALLED = "not installed: meson compile install-peers"


class Frames:
    """Our publisher here, and a subscriber in the other process."""

    def __init__(self):
        self.publishers = {}
        self.subscribers = {}

    def send(self, size, fill=None):
        publisher = self.publishers.get(size)
        if publisher is None:
            publisher = Shnd.Publisher.new("python-" + size, overflow=Shnd.Overflow.BLOCK)
            publisher.wait_subscribers(1)
            self.publishers[size] = publisher
        frame = publisher.acquire("uint8", SHAPES[size])
        if fill is not None:
            frame.array.get().fill(fill)
        frame.set_timestamp(time.monotonic_ns())
        publisher.publish(frame)

    def receive(self, size, spin, read):
        subscriber = self.subscribers.get(size)
        if subscriber is None:
            subscriber = self.subscribers[size] = Shnd.Subscriber.new("python-" + size)
        subscriber.set_spin(SPIN if spin else 0)
        frame = subscriber.receive()
        latency = time.monotonic_ns() - frame.get_timestamp()
        if read:
            sum_of(frame.array.get())
        return latency


class Messages:
    """A message of 64 bytes."""

    def __init__(self, sockets):
        self.sender, self.receiver = sockets
        self.poll = select.poll()
        self.poll.register(self.receiver, select.POLLIN)

    def send(self, size):
        self.sender.send(struct.pack("q56x", time.monotonic_ns()))

    def receive(self, size, spin, read):
        while True:
            if not spin:
                self.poll.poll()
            try:
                message = self.receiver.recv(64)
            except BlockingIOError:
                continue
            return time.monotonic_ns() - struct.unpack_from("q", message)[0]


class Iceoryx2:
    """iceoryx2's publisher here; the other process sleeps in its listener, or looks all the time."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.node = None
        self.ports = {}

    def make_ports(self, size, sender):
        if self.node is None:
            config = iceoryx2.config.default()
            config.global_cfg.prefix = iceoryx2.FileName.new(self.prefix)
            config.global_cfg.root_path = iceoryx2.Path.new(os.environ["XDG_RUNTIME_DIR"])
            iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
            self.node = (iceoryx2.NodeBuilder.new().config(config)
                         .create(iceoryx2.ServiceType.Ipc))
        frames = (self.node.service_builder(iceoryx2.ServiceName.new("frames-" + size))
                  .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
                  .enable_safe_overflow(False).subscriber_max_buffer_size(2).open_or_create())
        events = (self.node.service_builder(iceoryx2.ServiceName.new("events-" + size))
                  .event().open_or_create())
        n_bytes = int(np.prod(SHAPES[size]))
        if sender:
            self.ports[size] = (
                frames.publisher_builder().initial_max_slice_len(n_bytes).create(),
                events.notifier_builder().create(), n_bytes)
            while not frames.dynamic_config.number_of_subscribers:
                time.sleep(1e-3)
        else:
            # The sender looks only for this one.
            listener = events.listener_builder().create()
            self.ports[size] = frames.subscriber_builder().create(), listener, n_bytes

    def send(self, size, fill=None):
        if size not in self.ports:
            self.make_ports(size, True)
        publisher, notifier, n_bytes = self.ports[size]
        sample = publisher.loan_slice_uninit(n_bytes).assume_init()
        view = np.frombuffer(sample.payload().as_memory_view(), np.uint8)
        if fill is not None:
            view.fill(fill)
        view[:8].view(np.int64)[0] = time.monotonic_ns()
        sample.send()
        notifier.notify()

    def receive(self, size, spin, read):
        if size not in self.ports:
            self.make_ports(size, False)
        subscriber, listener, n_bytes = self.ports[size]
        while (sample := subscriber.receive()) is None:
            if not spin:
                listener.blocking_wait()
        view = np.frombuffer(sample.payload().as_memory_view(), np.uint8)
        latency = time.monotonic_ns() - int(view[:8].view(np.int64)[0])
        if read:
            sum_of(view)
        del view
        sample.delete()
        return latency


def sum_of(array):
    return np.add.reduce(array.reshape(-1).view(np.uint64))


class Worker:
    """The other process."""

    def __init__(self, transports):
        self.transports = transports
        self.orders, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            self.orders.close()
            status = 1
            try:
                self.work(orders)
                status = 0
            finally:
                sys.stdout.flush()
                # Whatever has threads or memory of its own ends here as it would in any program.
                sys.exit(status)
        orders.close()

    def work(self, orders):
        while order := orders.recv(4096):
            name, size, spin, read, n, processors = pickle.loads(order)
            os.sched_setaffinity(0, processors)
            transport = self.transports[name]
            orders.send(b"ready")
            orders.send(pickle.dumps([transport.receive(size, spin, read) for _ in range(n)]))

    def order(self, *order):
        self.orders.send(pickle.dumps(order))
        self.orders.recv(16)

    def finish(self):
        return pickle.loads(self.orders.recv(65536))

    def dismiss(self):
        self.orders.close()
        if os.waitpid(self.pid, 0)[1] != 0:
            sys.exit("The worker has failed")


def pause(spin):
    if not spin:
        time.sleep(PAUSE)
        return
    end = time.perf_counter() + SHORT_PAUSE
    while time.perf_counter() < end:
        pass


def report(row, *numbers):
    print("sample", row, *(f"{number:.1f}" for number in numbers), flush=True)


class Comparison:
    def __init__(self, worker):
        self.worker = worker
        self.processors = sorted(os.sched_getaffinity(0))

    def measure_latencies(self, name, size, spin):
        processors = self.processors
        # To wake another processor may take so long that it hides all else.
        os.sched_setaffinity(0, processors[:1])
        self.worker.order(name, size, spin, False, N_PER_SLICE,
                          processors[1:2] if spin and processors[1:] else processors[:1])
        transport = self.worker.transports[name]
        for _ in range(N_PER_SLICE):
            pause(spin)
            transport.send(size)
        return self.worker.finish()

    def latencies(self, row, theirs, spin):
        # The first round only warms up.
        for number in range(ROUNDS + 1):
            for size in SHAPES:
                ours_of, theirs_of = [], []
                for _ in range(SLICES):
                    ours_of += self.measure_latencies("frames", size, spin)
                    theirs_of += self.measure_latencies(theirs, size, spin)
                if number > 0:
                    sides = ours_of, theirs_of
                    report(f"{row}-{size}", *(np.percentile(side, 50) for side in sides),
                           *(np.percentile(side, 99) for side in sides))

    def measure_stream(self, name):
        os.sched_setaffinity(0, self.processors)
        self.worker.order(name, "4k", False, True, N_LARGE, self.processors)
        transport = self.worker.transports[name]
        start = time.perf_counter_ns()
        for i in range(N_LARGE):
            transport.send("4k", i)
        self.worker.finish()
        return (time.perf_counter_ns() - start) / N_LARGE

    def streams(self, row, theirs):
        for number in range(ROUNDS + 1):
            times = self.measure_stream("frames"), self.measure_stream(theirs)
            if number > 0:
                report(row, *times)


def rows_of_parts():
    """From a frame that waits to NumPy, in parts; the bare side does only what must be done."""
    shape = SHAPES["1080p"]
    n_bytes = int(np.prod(shape))
    publisher = Shnd.Publisher.new("python-parts", overflow=Shnd.Overflow.BLOCK)
    subscriber = Shnd.Subscriber.new("python-parts")
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = mmap.mmap(-1, n_bytes)
    clock = time.perf_counter_ns

    # Connects; and the first frame of a slot brings its memory with it.
    publisher.publish(publisher.acquire("uint8", shape))
    subscriber.receive().release()

    def ours():
        publisher.publish(publisher.acquire("uint8", shape))
        times = [clock()]
        frame = subscriber.receive()
        times.append(clock())
        view = frame.array.get()
        times.append(clock())
        del view
        frame.release()
        del frame
        times.append(clock())
        return times

    def bare():
        sender.send(bytes(64))
        times = [clock()]
        receiver.recv(64)
        times.append(clock())
        view = np.frombuffer(memory, np.uint8).reshape(shape)
        times.append(clock())
        del view
        receiver.send(bytes(16))
        times.append(clock())
        sender.recv(16)
        return times

    for number in range(ROUNDS + 1):
        sides = []
        for operation in (ours, bare):
            times = np.diff([operation() for _ in range(1000)])
            sides.append(np.median(times, axis=0))
        if number == 0:
            continue
        (ours_received, ours_seen, ours_released), (received, seen, released) = sides
        report("python-frames-numpy", ours_received + ours_seen, received + seen)
        report("python-frames-numpy-receive", ours_received, received)
        report("python-frames-numpy-view", ours_seen, seen)
        report("python-frames-numpy-release", ours_released, released)


def main():
    prefix = sys.argv[1]
    gc.disable()
    sockets = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sockets[1].setblocking(False)
    transports = {"frames": Frames(), "messages": Messages(sockets)}
    if iceoryx2 is not None:
        transports["iceoryx2"] = Iceoryx2(prefix)
    # First, as it forks.
    worker = Worker(transports)
    comparison = Comparison(worker)

    comparison.latencies("python-frames", "messages", False)
    if iceoryx2 is not None:
        comparison.latencies("python-frames-iceoryx2", "iceoryx2", False)
        comparison.latencies("python-frames-iceoryx2-spin", "iceoryx2", True)
        comparison.streams("python-frames-iceoryx2-fill", "iceoryx2")
    else:
        print("skip python-frames-iceoryx2*", NOT_INSTALLED, flush=True)
    worker.dismiss()
    rows_of_parts()


signal.signal(signal.SIGINT, signal.SIG_DFL)
main()
