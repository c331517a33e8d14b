# SPDX-License-Identifier: MIT

"""What tests with several processes, threads and main loops share."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback

from support import GLib

# Nothing takes that long; who waits longer hangs.
PATIENCE = 100


class Child:
    """A forked process that runs ``function(connection, *args)``, at the other end of a pipe."""

    def __init__(self, function, *args):
        self.connection, theirs = multiprocessing.Pipe()
        self.status = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self.connection.close()
                function(theirs, *args)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        if self.status is None:
            self.kill()
        self.connection.close()

    def receive(self):
        """What the child has sent, in the order in which it did."""
        if not self.connection.poll(PATIENCE):
            raise AssertionError('The other process says nothing')
        return self.connection.recv()

    def send(self, value):
        self.connection.send(value)

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)
        return self.join()

    def join(self):
        """Its status when it has ended: 0 if nothing was raised, below 0 for a signal."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status


def end_queue(queue):
    """To be called before the next fork, by who has put something into it.

    The end of its thread frees semaphores, with a lock of the resource tracker. Who is forked
    meanwhile never gets that lock.
    """
    queue.close()
    queue.join_thread()


class Thread(threading.Thread):
    """A thread whose result, or exception, is that of join()."""

    def __init__(self, function, *args, **kwargs):
        super().__init__(daemon=True)
        self.call = lambda: function(*args, **kwargs)
        self.result = self.error = None
        self.start()

    def run(self):
        try:
            self.result = self.call()
        except BaseException as error:
            self.error = error

    def join(self):
        super().join(PATIENCE)
        if self.is_alive():
            raise AssertionError('A thread hangs')
        if self.error is not None:
            raise self.error
        return self.result


def wait_until(condition, what='nothing happened'):
    """Looks again and again; for what does not tell by itself that it has happened."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.005)


def iterate_until(condition, context=None):
    """Runs a main loop until there is what it shall bring."""
    context = context or GLib.MainContext.default()
    tick = GLib.timeout_source_new(10)
    tick.set_callback(lambda *_: True)
    tick.attach(context)
    end = time.monotonic() + PATIENCE
    try:
        while not condition():
            if time.monotonic() > end:
                raise AssertionError('The main loop brings nothing')
            context.iteration(True)
    finally:
        tick.destroy()


def later(function, delay=30):
    """Calls it from the main loop, once."""
    GLib.timeout_add(delay, lambda: function() and False)


def finish(begin, end):
    """Calls ``begin(callback)``, runs the main loop, and returns what ``end(source, result)``
    gives.
    """
    results = []
    begin(lambda *args: results.append(args))
    iterate_until(lambda: results)
    return end(*results[0])


def sleeps(pid=None, thread=None):
    """How many threads of a process sleep on several futexes, as those who wait for an array do."""
    folder = f'/proc/{pid or os.getpid()}/task'
    count = 0
    for task in os.listdir(folder) if thread is None else [str(thread.native_id)]:
        try:
            with open(f'{folder}/{task}/syscall', encoding='ascii') as file:
                # futex_waitv(2) has this number on all architectures.
                count += file.read().split()[0] == '449'
        except OSError:
            pass
    return count


def let_sleep(n, pid=None, thread=None):
    """Waits until so many threads sleep, where the system tells that."""
    end = time.monotonic() + 20
    while sleeps(pid, thread) < n and time.monotonic() < end:
        time.sleep(0.005)


def default_interrupt():
    """Ctrl-C as in a terminal: what runs the tests may ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
