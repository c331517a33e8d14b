# SPDX-License-Identifier: MIT
"""What is compared with what."""

import statistics
from dataclasses import dataclass, field

AT_MOST = "at most"
FASTER = "faster"
# What our time itself, not the ratio, must not exceed.
WITHIN = "within"
# Whose samples are no times, but whether something went well: 1 or 0.
ALWAYS = "always"

PEER = "shared-ndarray2"


@dataclass
class Row:
    """What is compared with what, and how it went. The ratio is our time to the other's."""

    id: str
    program: str
    what: str
    against: str
    kind: str = ""
    bar: float = 0
    samples: list = field(default_factory=list)
    # Of rows about latencies, whose samples are medians: 99 of 100 take at most so long.
    tails: list = field(default_factory=list)
    note: str = ""

    @property
    def ours(self):
        return statistics.median(ours for ours, _ in self.samples)

    @property
    def theirs(self):
        return statistics.median(theirs for _, theirs in self.samples)

    @property
    def ratio(self):
        return statistics.median(ours / theirs for ours, theirs in self.samples)

    @property
    def limit(self):
        """What the ratio must not exceed, or None."""
        if not self.kind or self.kind == ALWAYS:
            return None
        if self.kind == WITHIN:
            return self.bar / self.theirs if self.samples else None
        return self.bar if self.kind == AT_MOST else 1 / self.bar

    @property
    def verdict(self):
        if not self.samples:
            return "skipped" if self.note else "failed"
        if self.kind == ALWAYS:
            return "ok" if all(ours for ours, _ in self.samples) else "missed"
        if self.limit is None:
            return "reported"
        if self.kind == WITHIN:
            return "ok" if self.ours <= self.bar else "missed"
        return "ok" if self.ratio <= self.limit else "missed"

    @property
    def bar_text(self):
        if not self.kind:
            return "-"
        if self.kind == ALWAYS:
            return "always"
        if self.kind == AT_MOST:
            return f"at most {self.bar:.3g}x"
        if self.kind == WITHIN:
            return "at most " + format_time(self.bar)
        return f"at least {self.bar:g}x faster" if self.bar != 1 else "not slower"

    @property
    def ratio_text(self):
        if not self.samples or self.kind == ALWAYS:
            return "-"
        if self.kind in (AT_MOST, WITHIN):
            return f"{self.ratio:.2f}x"
        if self.ratio > 1:
            return f"{self.ratio:.2f}x slower"
        return f"{1 / self.ratio:.2f}x faster"

    def format_side(self, i):
        if not self.samples:
            return "-"
        if self.kind == ALWAYS:
            return f"{sum(sample[i] for sample in self.samples):.0f} of {len(self.samples)}"
        times = [statistics.median(sample[i] for sample in self.samples)]
        if self.tails:
            times.append(statistics.median(tail[i] for tail in self.tails))
        return ", ".join(map(format_time, times))

    @property
    def cells(self):
        return [
            self.what,
            self.against,
            self.format_side(0),
            self.format_side(1),
            self.ratio_text,
            self.bar_text,
            self.verdict,
        ]


def format_time(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


SIZES = {"64": "64 B", "1080p": "1080p RGBA", "4k": "4K RGBA"}

ASLEEP = "asleep on one processor"


def make_rows_of_latencies(id, program, what, against, kind="", bar=0):
    return [Row(f"{id}-{size}", program, what.format(text), against, kind, bar)
            for size, text in SIZES.items()]


def make_rows_of_same_latencies(id, what):
    return [Row(f"{id}-same-{size}", "frames", what.format(SIZES[size]), "a frame of 64 B",
                AT_MOST, 1.1)
            for size in ("1080p", "4k")]


def make_rows_of_cpu(id, program, what, against, kind="", bar=0):
    return [Row(f"{id}-{n}", program, what.format(f"{n} subscriber{'s' * (n > 1)}"), against,
                kind, bar)
            for n in (1, 4, 16, 64)]


def make_rows_of_frames():
    published = "C: publish to received, {}, "
    message = "a 64 B SOCK_SEQPACKET message, "
    return [
        *make_rows_of_latencies("frames-latency", "frames", published + ASLEEP,
                                message + "poll and recv", AT_MOST, 1.5),
        *make_rows_of_same_latencies("frames-latency", published + ASLEEP),
        *make_rows_of_latencies("frames-apart", "frames", published + "asleep on two",
                                message + "poll and recv", AT_MOST, 1.5),
        *make_rows_of_same_latencies("frames-apart", published + "asleep on two"),
        *make_rows_of_latencies("frames-spin", "frames", published + "spinning",
                                message + "spinning in recv", AT_MOST, 1.5),
        *make_rows_of_same_latencies("frames-spin", published + "spinning"),
        Row("frames-copy", "frames", "C: 4K RGBA, copied into a frame, read by a subscriber",
            "memcpy into mapped memory, read, one process", AT_MOST, 1.15),
        Row("frames-fill", "frames", "C: 4K RGBA, written in a frame, read by a subscriber",
            "the same write and read, one process", AT_MOST, 1.05),
        Row("frames-gstreamer", "frames", "C: 4K RGBA, written in a frame, read by a subscriber",
            "GStreamer's shmsink and shmsrc, written in their memory", FASTER, 1),
        *make_rows_of_cpu("frames-cpu", "frames", "C: publisher's CPU for one of {}, asleep",
                          "sendmsg, recv of an answer", WITHIN, 3000),
        Row("frames-cpu-growth", "frames", "C: publisher's CPU for one of 64 subscribers",
            "for the only one", AT_MOST, 1),
        *make_rows_of_cpu("frames-cpu-fast", "frames",
                          "C: publisher's CPU for one of {}, unthrottled",
                          "sendmsg, recv of an answer, asleep"),
        *make_rows_of_latencies("frames-iceoryx", "iceoryx", published + ASLEEP,
                                "iceoryx, wait set"),
        *make_rows_of_latencies("frames-iceoryx-spin", "iceoryx", published + "spinning",
                                "iceoryx, spinning"),
        Row("frames-iceoryx-copy", "iceoryx",
            "C: 4K RGBA, copied into a frame, read by a subscriber", "iceoryx"),
        Row("frames-iceoryx-fill", "iceoryx",
            "C: 4K RGBA, written in a frame, read by a subscriber", "iceoryx"),
        *make_rows_of_latencies("python-frames", "python-frames",
                                "Python: publish to received, {}, " + ASLEEP,
                                message + "poll and recv"),
        *make_rows_of_latencies("python-frames-iceoryx2", "python-frames",
                                "Python: publish to received, {}, " + ASLEEP,
                                "iceoryx2, notifier and listener"),
        *make_rows_of_latencies("python-frames-iceoryx2-spin", "python-frames",
                                "Python: publish to received, {}, spinning",
                                "iceoryx2, spinning"),
        Row("python-frames-iceoryx2-fill", "python-frames",
            "Python: 4K RGBA, written in a frame, read by a subscriber", "iceoryx2"),
        Row("python-frames-numpy", "python-frames", "Python: a frame that waits, to a NumPy view",
            "recv, np.frombuffer of mapped memory"),
        Row("python-frames-numpy-receive", "python-frames", "Python: of this, receive()", "recv"),
        Row("python-frames-numpy-view", "python-frames", "Python: of this, frame.array.get()",
            "np.frombuffer, reshape"),
        Row("python-frames-numpy-release", "python-frames", "Python: and then, release()",
            "send of an answer"),
    ]


SHM = "shmsink and shmsrc"


def make_rows_of_streams(id, what, kind=FASTER, against=SHM):
    """From frame to frame, as fast as it goes, and the processor time of all processes."""
    return [
        Row(id, "pipelines", f"pipelines: {what}, frame to frame", against, kind, 1),
        Row(id + "-cpu", "pipelines", f"pipelines: {what}, CPU a frame", against, kind, 1),
    ]


def make_rows_of_accidents():
    return [Row("pipelines-" + id, "pipelines",
                f"pipelines: the sink's process goes on and ends, {what}", against, ALWAYS)
            for id, what, against in (
                ("leaves", "if the source leaves", SHM + ", not waiting for connections"),
                ("leaves-waiting", "if a source that it waited for leaves", SHM),
                ("returns", "if the source comes back", SHM + ", not waiting for connections"),
                ("killed", "if the source is killed", SHM + ", not waiting for connections"),
                ("stalls", "if the source stalls", SHM + ", not waiting for connections"),
                ("still", "if a picture is sent again and again",
                 SHM + ", not waiting for connections"))]


def make_rows_of_pipelines():
    live = "pipelines: 1080p RGBA, 60 frames a second, "
    return [
        Row("pipelines-black-alone", "pipelines",
            "pipelines: 4K RGBA, videotestsrc in another process, frame to frame",
            "videotestsrc ! fakesink, one process", AT_MOST, 1 / 0.97),
        Row("pipelines-black-alone-cpu", "pipelines",
            "pipelines: 4K RGBA, videotestsrc in another process, CPU a frame",
            "videotestsrc ! fakesink, one process"),
        *make_rows_of_streams("pipelines-black", "4K RGBA, videotestsrc in another process"),
        *make_rows_of_streams("pipelines-own", "4K RGBA, upstream has memory of its own"),
        *make_rows_of_streams("pipelines-freeze-own",
                              "4K RGBA, imagefreeze with memory of its own"),
        *make_rows_of_streams("pipelines-vp8", "1080p I420, vp8dec"),
        *make_rows_of_streams("pipelines-jpeg", "1080p I420, jpegdec"),
        Row("pipelines-freeze-cpu", "pipelines",
            "pipelines: 4K RGBA, imagefreeze, 60 frames a second, CPU a frame", SHM, FASTER, 1),
        *make_rows_of_streams("pipelines-three", "4K RGBA, into three processes", ""),
        Row("pipelines-latency", "pipelines", live + "latency", SHM, FASTER, 1),
        Row("pipelines-latency-99", "pipelines", live + "99th percentile of this", SHM, FASTER, 1),
        Row("pipelines-live-sink", "pipelines", live + "CPU a frame of the sink's process", SHM,
            FASTER, 1),
        Row("pipelines-live-source", "pipelines", live + "CPU a frame of the source's process", SHM,
            FASTER, 1),
        Row("pipelines-python", "pipelines", live + "frame.array.mean() in Python",
            "appsink, np.frombuffer, in the sender's process", AT_MOST, 1.3),
        Row("pipelines-python-all", "pipelines", live + "CPU of all of this",
            "appsink, np.frombuffer, in the sender's process"),
        *make_rows_of_accidents(),
    ]


def make_rows():
    return [
        Row("c-lock", "c", "C: lock and unlock, nobody else wants it",
            "robust process-shared pthread mutex", AT_MOST, 2),
        Row("c-lock-handed", "c", "C: hand the lock to a process that waits for it",
            "robust process-shared pthread mutex", AT_MOST, 1.5),
        Row("c-lock-contended", "c", "C: lock, add one, unlock, two processes at once",
            "robust process-shared pthread mutex"),
        Row("c-update", "c", "C: update, wake one waiter, and back",
            "the same with a bare futex", AT_MOST, 1.25),
        Row("c-open", "c", "C: open by name with a lease, touch, close",
            "shm_open, fstat, mmap, touch, munmap, close", AT_MOST, 2),
        Row("c-create", "c", "C: create 1 MB, unlink",
            "shm_open, posix_fallocate, mmap, unlink", AT_MOST, 1.6),
        Row("c-size", "c", "C: open 8 GB (sparse)", "open 1 KB", AT_MOST, 1.2),
        Row("python-size", "python", "Python: open 8 GB (sparse)", "open 1 KB", AT_MOST, 1.2),
        Row("python-open", "python", "Python: open by name to a NumPy view",
            "SharedMemory(name), np.ndarray", FASTER, 2),
        Row("python-open-peer", "python", "Python: open by name to a NumPy view",
            PEER + "'s own object and its get()"),
        Row("python-open-sharedarray", "python", "Python: open by name to a NumPy view",
            "SharedArray.attach"),
        Row("python-read", "python", "Python: arr[1, 2, 0]", "bare ndarray", AT_MOST, 3),
        Row("python-read-peer", "python", "Python: arr[1, 2, 0]", PEER, FASTER, 3),
        Row("python-write", "python", "Python: arr[1, 2, 0] = 7", "bare ndarray", AT_MOST, 3),
        Row("python-write-peer", "python", "Python: arr[1, 2, 0] = 7", PEER, FASTER, 3),
        Row("python-from-peer", "python", "Python: make an array from 256 MB of float64",
            PEER + "'s from_array", FASTER, 1.3),
        Row("python-from-raw", "python", "Python: make an array from 256 MB of float64",
            "open, pwrite", AT_MOST, 1.15),
        Row("python-pickle", "python", "Python: pickle and unpickle Shnd.Array, to a view", PEER,
            FASTER, 1.5),
        Row("python-pickle-package", "python",
            "Python: the same with shndarray.SharedNDArray", PEER, FASTER, 1.5),
        Row("python-pickle-here", "python",
            "Python: the same where it is open already", PEER),
        Row("python-shape-sparse", "python", "Python: from_shape, 1 MB, sparse",
            PEER + " with a SharedMemoryManager", FASTER, 10),
        Row("python-shape-reserved", "python", "Python: from_shape, 1 MB, reserved",
            PEER + " with a SharedMemoryManager, sparse", FASTER, 1),
        Row("python-list", "python", "Python: list 10,000 arrays, with details",
            "numpy.load(mmap_mode='r') of each", FASTER, 1),
        Row("gjs-row", "gjs", "GJS: open by name, sum a row of a 1080p RGBA frame",
            "the same from a copied Uint8Array"),
        Row("cli-list", "cli", "shnd list, 10,000 arrays", "ls -l /dev/shm", WITHIN, 1e9),
        Row("cli-list-json", "cli", "shnd list --json, 10,000 arrays", "ls -l /dev/shm", WITHIN, 1e9),
        Row("cli-pipe", "cli", "shnd save - | shnd load -, 256 MB", "cat | cat"),
        Row("cli-copy", "cli", "shnd copy, 256 MB", "cp"),
        *make_rows_of_frames(),
        *make_rows_of_pipelines(),
    ]
