# SPDX-License-Identifier: MIT
"""A Python script that looks at all of each picture of a stream, as the rows about pipelines run it:
bench-consumer.py shnd ADDRESS, or bench-consumer.py appsink PIPELINE, and then WARM_UP SECONDS.

Prints "window FRAMES WALL THREAD CPU", nanoseconds: the time of the thread that looks, and that of
the whole process. Ends with the stream, or when its standard input does.
"""

import os
import sys
import threading
import time

import numpy as np


def receive_frames(address):
    import gi
    gi.require_version("Shnd", "1")
    from gi.repository import GLib, Shnd

    subscriber = Shnd.Subscriber.new(address)
    while True:
        try:
            frame = subscriber.receive()
        except GLib.Error:
            return
        mean = frame.array.get().mean()
        frame.release()
        yield mean


def pull_samples(text):
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    pipeline = Gst.parse_launch(text + " ! appsink name=end")
    end = pipeline.get_by_name("end")
    pipeline.set_state(Gst.State.PLAYING)
    while sample := end.emit("pull-sample"):
        buffer = sample.get_buffer()
        structure = sample.get_caps().get_structure(0)
        shape = structure.get_value("height"), structure.get_value("width"), 4
        with buffer.map(Gst.MapFlags.READ) as info:
            mean = np.frombuffer(info.data, np.uint8).reshape(shape).mean()
        yield mean


def get_times():
    return np.array([time.monotonic_ns(), time.thread_time_ns(), time.process_time_ns()])


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def main():
    kind, where, warm_up, seconds = sys.argv[1:]
    threading.Thread(target=end_with_input, daemon=True).start()
    means = (receive_frames if kind == "shnd" else pull_samples)(where)

    next(means)
    end = time.monotonic() + float(warm_up)
    while time.monotonic() < end:
        next(means)

    n_frames = 0
    begun = get_times()
    while time.monotonic_ns() < begun[0] + float(seconds) * 1e9:
        next(means)
        n_frames += 1
    print("window", n_frames, *(get_times() - begun), flush=True)
    for _ in means:
        pass


main()
