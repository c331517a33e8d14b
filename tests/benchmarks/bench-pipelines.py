# SPDX-License-Identifier: MIT
"""The rows about pipelines in two processes: bench-pipelines.py PROGRAM PREFIX [GROUP...].

Each process is PROGRAM, which runs a pipeline and measures a window of it. Prints "sample ROW OURS
THEIRS" for each round: the time from frame to frame, or processor time a frame, in nanoseconds; or
1 and 0, where the question is whether something went well.
"""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

ROUNDS = 5
WARM_UP, SECONDS = 0.3, 0.7
# Where frames come sixty times a second.
LIVE_SECONDS = 2
# Nothing takes that long, not even on a busy machine.
PATIENCE = 30

# How many times each accident is tried, how many seconds a stream is long that somebody else
# leaves, and how long its sender may take to see that it has ended.
N_ACCIDENTS = 2
ACCIDENT_SECONDS = 2
GRACE = 5

FOLDER = pathlib.Path(__file__).resolve().parent
RUNTIME = pathlib.Path(os.environ["XDG_RUNTIME_DIR"])

CAPS = "video/x-raw,format={},width={},height={},framerate=60/1"
CAPS_4K = CAPS.format("RGBA", 3840, 2160)
CAPS_1080P = CAPS.format("RGBA", 1920, 1080)
# Passes on which memory the sink offers; clocksync would not.
PACE = "identity sync=true"
STILL = f"videotestsrc num-buffers=1 ! {CAPS_4K}"
N_BYTES_4K = 3840 * 2160 * 4

program, prefix, *groups = sys.argv[1:]


class Ours:
    """Nobody misses a frame, as with the other."""

    name = "shnd"

    # Whoever sends waits for a source, or does without one.
    waits, goes_on = "overflow=block wait-subscribers={}", ""

    def sink(self, settings, n_bytes=N_BYTES_4K):
        return f"shndsink name=end address={prefix}cam {settings}"

    def source(self, caps, extra=""):
        return f"shndsrc address={prefix}cam {extra}"

    def wait(self):
        pass


class Theirs:
    """With room for more frames than are ever under way, and told what the bytes mean."""

    name = "shm"
    path = RUNTIME / "shm"
    waits, goes_on = "wait-for-connection=true", "wait-for-connection=false"

    def sink(self, settings, n_bytes=N_BYTES_4K):
        self.path.unlink(missing_ok=True)
        return f"shmsink name=end socket-path={self.path} shm-size={8 * (n_bytes + 4096)} {settings}"

    def source(self, caps, extra=""):
        return f"shmsrc socket-path={self.path} is-live=true {extra} ! {caps}"

    def wait(self):
        end = time.monotonic() + PATIENCE
        while not self.path.exists():
            if time.monotonic() > end:
                sys.exit("The shmsink does not start")
            time.sleep(5e-3)


PEERS = Ours(), Theirs()


class Process:
    def __init__(self, *command, quiet=False):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL if quiet else None)

    @classmethod
    def run(cls, pipeline, *options, quiet=False):
        return cls(program, *options, "--", *pipeline.split(), quiet=quiet)

    @classmethod
    def measure(cls, pipeline, *options, seconds=SECONDS):
        return cls.run(pipeline, f"--warm-up={WARM_UP}", f"--seconds={seconds}", *options)

    def read_window(self):
        """How many frames there were, and times."""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise RuntimeError("A pipeline hangs: " + " ".join(self.process.args))
        word, *numbers = self.process.stdout.readline().split() or [""]
        if word != "window":
            raise RuntimeError("A pipeline ended too early: " + " ".join(self.process.args))
        return [int(number) for number in numbers]

    def has_ended(self, timeout):
        """Whether it came to the end of the stream."""
        try:
            return self.process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        # Who is stopped or hangs hears of nothing else.
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        # What a shmsink leaves that is killed.
        for path in pathlib.Path("/dev/shm").glob(f"shmpipe.{self.process.pid:5}.*"):
            path.unlink()

    def finish(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            sys.exit("A pipeline does not stop")
        finally:
            self.stop()


@contextlib.contextmanager
def running(*processes):
    """Ends them in this order."""
    try:
        yield
    except BaseException:
        for process in processes:
            process.stop()
        raise
    for process in processes:
        process.finish()


def report(row, *numbers):
    print("sample", row, *(f"{number:.1f}" for number in numbers), flush=True)


# ---- Frames a second, and processor time a frame ----


def measure_pair(peer, upstream, caps, n_sources=1):
    """The time from frame to frame in the last process, and the processor time a frame of all."""
    settings = peer.waits.format(n_sources) + " sync=false"
    sink = Process.measure(f"{upstream} ! {peer.sink(settings)}")
    peer.wait()
    sources = [Process.measure(f"{peer.source(caps)} ! fakesink name=end")
               for _ in range(n_sources)]
    with running(*sources, sink):
        windows = [process.read_window() for process in (sink, *sources)]
    wall = max(window[1] / window[0] for window in windows[1:])
    return wall, sum(window[2] / window[0] for window in windows)


def measure_alone(upstream):
    process = Process.measure(f"{upstream} ! fakesink name=end")
    with running(process):
        n_frames, wall, cpu = process.read_window()
    return wall / n_frames, cpu / n_frames


def compare_streams(row, upstream, caps, n_sources=1):
    for _ in range(ROUNDS):
        ours, theirs = (measure_pair(peer, upstream, caps, n_sources) for peer in PEERS)
        report(row, ours[0], theirs[0])
        report(row + "-cpu", ours[1], theirs[1])


def report_black():
    upstream = f"videotestsrc pattern=black ! {CAPS_4K}"
    for _ in range(ROUNDS):
        alone = measure_alone(upstream)
        ours, theirs = (measure_pair(peer, upstream, CAPS_4K) for peer in PEERS)
        report("pipelines-black-alone", ours[0], alone[0])
        report("pipelines-black-alone-cpu", ours[1], alone[1])
        report("pipelines-black", ours[0], theirs[0])
        report("pipelines-black-cpu", ours[1], theirs[1])


def report_own_memory():
    compare_streams("pipelines-own", "videotestsrc pattern=black ! "
                    f"{CAPS_4K} ! identity drop-allocation=true", CAPS_4K)
    compare_streams("pipelines-freeze-own", f"{STILL} ! identity drop-allocation=true ! imagefreeze",
                    CAPS_4K)


def report_decoders():
    raw = CAPS.format("I420", 1920, 1080)
    for name, media, encoder in (("vp8", "video/x-vp8", "vp8enc deadline=1 cpu-used=16"),
                                 ("jpeg", "image/jpeg", "jpegenc")):
        pattern = RUNTIME / f"{name}-%02d"
        recorder = Process.run(f"videotestsrc num-buffers=8 ! {raw} ! {encoder} ! "
                               f"multifilesink location={pattern}")
        if not recorder.has_ended(PATIENCE):
            recorder.stop()
            sys.exit(f"{encoder} does not work")
        recorder.finish()
        compare_streams(f"pipelines-{name}", f"multifilesrc location={pattern} loop=true "
                        f"caps={media},width=1920,height=1080,framerate=60/1 ! {name}dec", raw)


# ---- Sixty pictures a second ----


def report_still():
    """The same memory again and again: theirs hangs sooner or later if nothing sets its pace."""
    # By itself it would send 25 frames a second.
    upstream = f"{STILL} ! imagefreeze ! {CAPS_4K} ! {PACE}"
    for _ in range(ROUNDS):
        report("pipelines-freeze-cpu",
               *(measure_pair(peer, upstream, CAPS_4K)[1] for peer in PEERS))


def report_latencies():
    # From the time at which the buffer is due, which is in it.
    upstream = f"videotestsrc pattern=black ! {CAPS_1080P}"
    settings = "sync=true"
    for _ in range(ROUNDS):
        windows = []
        for peer in PEERS:
            sink = Process.measure(
                f"{upstream} ! {peer.sink(peer.waits.format(1) + ' ' + settings)}", "--stamp",
                seconds=LIVE_SECONDS)
            peer.wait()
            source = Process.measure(f"{peer.source(CAPS_1080P)} ! fakesink name=end",
                                     "--latency", seconds=LIVE_SECONDS)
            with running(source, sink):
                windows.append([process.read_window() for process in (sink, source)])
        (sink, source), (their_sink, their_source) = windows
        report("pipelines-latency", source[3], their_source[3], source[4], their_source[4])
        report("pipelines-latency-99", source[4], their_source[4])
        report("pipelines-live-sink", sink[2] / sink[0], their_sink[2] / their_sink[0])
        report("pipelines-live-source", source[2] / source[0], their_source[2] / their_source[0])


def report_python():
    upstream = f"videotestsrc pattern=black ! {CAPS_1080P}"
    consumer = [sys.executable, str(FOLDER / "bench-consumer.py")]
    times = [str(WARM_UP), str(LIVE_SECONDS)]
    for _ in range(ROUNDS):
        sink = Process.measure(f"{upstream} ! {PEERS[0].sink('sync=true')}", seconds=LIVE_SECONDS)
        source = Process(*consumer, "shnd", prefix + "cam", *times)
        with running(source, sink):
            sink_frames, _, sink_cpu = sink.read_window()
            frames, _, thread, cpu = source.read_window()
        alone = Process(*consumer, "appsink", upstream, *times)
        with running(alone):
            alone_frames, _, alone_thread, alone_cpu = alone.read_window()
        report("pipelines-python", thread / frames, alone_thread / alone_frames)
        report("pipelines-python-all", cpu / frames + sink_cpu / sink_frames,
               alone_cpu / alone_frames)


# ---- What becomes of a sink whose source is gone ----


def leave(start):
    start("num-buffers=20").has_ended(GRACE)


def come_back(start):
    start("num-buffers=20").has_ended(GRACE)
    start("num-buffers=20")


def be_killed(start):
    source = start()
    time.sleep(ACCIDENT_SECONDS / 4)
    source.process.send_signal(signal.SIGKILL)


def stall(start):
    source = start()
    time.sleep(ACCIDENT_SECONDS / 4)
    source.process.send_signal(signal.SIGSTOP)


def stay(start):
    start()


SMALL = CAPS.format("RGBA", 640, 480)
MOVING = f"videotestsrc num-buffers={60 * ACCIDENT_SECONDS} ! {SMALL} ! {PACE}"
SENT_AGAIN = f"videotestsrc num-buffers=1 ! {SMALL} ! imagefreeze num-buffers=20000"
ACCIDENTS = {
    "leaves": (MOVING, leave),
    "returns": (MOVING, come_back),
    "killed": (MOVING, be_killed),
    "stalls": (MOVING, stall),
    "still": (SENT_AGAIN, stay),
}


def survives(peer, upstream, accident, settings):
    """Whether the sink's process goes on, and ends with its stream."""
    sink = peer.sink(settings + " sync=false", 640 * 480 * 4)
    sink = Process.run(f"{upstream} ! {sink}", quiet=True)
    peer.wait()
    sources = []

    def start(extra=""):
        sources.append(Process.run(f"{peer.source(SMALL, extra)} ! fakesink", quiet=True))
        return sources[-1]

    try:
        accident(start)
        return sink.has_ended(ACCIDENT_SECONDS + GRACE)
    finally:
        for process in (*sources, sink):
            process.stop()


def report_accidents():
    for _ in range(N_ACCIDENTS):
        for name, (upstream, accident) in ACCIDENTS.items():
            report("pipelines-" + name,
                   *(survives(peer, upstream, accident, peer.goes_on) for peer in PEERS))
        report("pipelines-leaves-waiting", survives(PEERS[0], MOVING, leave, "wait-subscribers=1"),
               survives(PEERS[1], MOVING, leave, PEERS[1].waits))


def report_three():
    compare_streams("pipelines-three", f"videotestsrc pattern=black ! {CAPS_4K}", CAPS_4K, 3)


GROUPS = {
    "black": report_black,
    "own": report_own_memory,
    "decoders": report_decoders,
    "three": report_three,
    "still": report_still,
    "latency": report_latencies,
    "python": report_python,
    "accidents": report_accidents,
}
ELEMENTS = ["shndsink", "shndsrc", "shmsink", "shmsrc", "videotestsrc", "imagefreeze", "vp8enc",
            "vp8dec", "jpegenc", "jpegdec", "appsink"]


def has_elements():
    """Also fills the list of all plugins, which takes a while where that is new."""
    return Process(program, "--exist", *ELEMENTS).has_ended(PATIENCE)


def main():
    os.environ.setdefault("GST_REGISTRY", str(RUNTIME / "registry"))
    if not has_elements():
        print("skip pipelines-* not built, or not installed: gstreamer1.0-plugins-base, -good, -bad")
        return
    for group in groups or GROUPS:
        GROUPS[group]()


main()
