#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Locks and updates arrays as locks.md says, to see whether the library gets along with that.

This is a second implementation of that page, and meant to be compared with it. Prints TAP.
"""

import ctypes
import fcntl
import mmap
import os
import random
import struct
import subprocess
import sys
import threading
import time
import traceback

import gi

gi.require_version('Shnd', '1')
from gi.module import get_introspection_module  # noqa: E402
from gi.repository import GLib  # noqa: E402

Shnd = get_introspection_module('Shnd')
# Without what Python adds.
LOCK, WAIT_FOR_UPDATE = Shnd.Array.lock, Shnd.Array.wait

NAME = f'shnd-check-locks-{os.getpid()}'
SLOTS = (1 << 62) + 65536
SLOT, RECOVER, WAITERS = (1 << 30) - 1, 1 << 30, 1 << 31
INTERVAL = 0.04
FOR_EVER = -1
PATIENCE = 20  # for what is to happen; it fails the test, and decides nothing else

LIBC = ctypes.CDLL(None, use_errno=True)
ATOMIC = ctypes.CDLL('libatomic.so.1')
SYS_FUTEX = {'x86_64': 202, 'aarch64': 98, 'riscv64': 98}[os.uname().machine]
WAIT, WAKE, SEQ_CST = 0, 1, 5


class Timespec(ctypes.Structure):
    _fields_ = [('seconds', ctypes.c_long), ('nanoseconds', ctypes.c_long)]


class Word:
    """A word of shared memory, of 4 or 8 bytes."""

    def __init__(self, address, size=4):
        self.address = ctypes.c_void_p(address)
        self.type = {4: ctypes.c_uint32, 8: ctypes.c_uint64}[size]
        self.functions = [ATOMIC[f'__atomic_{what}_{size}']
                          for what in ('load', 'compare_exchange', 'fetch_add')]
        for function in (self.functions[0], self.functions[2]):
            function.restype = self.type
        self.functions[1].restype = ctypes.c_bool

    def load(self):
        return self.functions[0](self.address, SEQ_CST)

    def change(self, old, new):
        """Compare-and-swap."""
        expected = self.type(old)
        return self.functions[1](self.address, ctypes.byref(expected), self.type(new), SEQ_CST,
                                 SEQ_CST)

    def add(self, n):
        return self.functions[2](self.address, self.type(n), SEQ_CST)

    def sleep(self, value, seconds):
        time_out = Timespec(int(seconds), int(seconds % 1 * 1e9))
        LIBC.syscall(SYS_FUTEX, self.address, WAIT, ctypes.c_uint32(value & 0xffffffff),
                     ctypes.byref(time_out), None, 0)

    def wake(self, n):
        LIBC.syscall(SYS_FUTEX, self.address, WAKE, n, None, None, 0)


def try_lock(fd, byte, kind=fcntl.F_WRLCK):
    """An open-file-description lock; whether it was got."""
    flock = struct.pack('hhqqi4x', kind, os.SEEK_SET, byte, 1, 0)
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, flock)
    except BlockingIOError:
        return False
    return True


class Peer:
    """The lock and the change counter of an array that somebody else keeps."""

    def __init__(self, name, slot=None):
        fd = os.open(f'/dev/shm/{name}', os.O_RDWR | os.O_CLOEXEC)
        self.memory = mmap.mmap(fd, 0)
        page = ctypes.addressof(ctypes.c_char.from_buffer(self.memory)) + len(self.memory) - 4096
        self.word, self.counter = Word(page + 64), Word(page + 128, 8)
        self.slot_fd = os.open(f'/proc/self/fd/{fd}', os.O_RDWR | os.O_CLOEXEC)
        os.close(fd)
        while True:
            self.slot = slot or random.randint(1, SLOT)
            if try_lock(self.slot_fd, SLOTS + self.slot):
                break
            assert slot is None, f'the slot {slot} belongs to somebody'
        value = self.word.load()
        while value & SLOT == self.slot:
            if self.word.change(value, RECOVER | WAITERS):
                self.word.wake(1)
                break
            value = self.word.load()

    def take_over(self, owner):
        taken = False
        if try_lock(self.slot_fd, SLOTS + owner):
            value = self.word.load()
            while not taken and value & SLOT == owner:
                taken = self.word.change(value, self.slot | WAITERS)
                value = self.word.load()
            try_lock(self.slot_fd, SLOTS + owner, fcntl.F_UNLCK)
        return taken

    def lock(self, deadline):
        """Returns None if that took too long, else whether the last owner died."""
        if self.word.change(0, self.slot):
            return False
        slept = 0
        owner, check_time = 0, None
        while True:
            value = self.word.load()
            now = time.monotonic()
            if value & SLOT == 0:
                if self.word.change(value, self.slot | slept | value & WAITERS):
                    return bool(value & RECOVER)
                continue
            if value & SLOT != owner:
                owner, check_time = value & SLOT, now + INTERVAL
            if now >= min(check_time, deadline):
                if self.take_over(owner):
                    return True
                check_time = now + INTERVAL
            if now >= deadline:
                if slept:
                    self.word.wake(1)
                return None
            if value & WAITERS or self.word.change(value, value | WAITERS):
                slept = WAITERS
                self.word.sleep(value | WAITERS, max(0, min(check_time, deadline) - now))

    def unlock(self):
        value = self.word.load()
        while value & SLOT == self.slot:
            if self.word.change(value, 0):
                if value & WAITERS:
                    self.word.wake(1)
                return
            value = self.word.load()
        raise AssertionError(f'{value:#x} does not name the slot {self.slot:#x}')

    def update(self):
        self.counter.add(1)
        self.counter.wake(2**31 - 1)

    def wait(self, since, deadline):
        while self.counter.load() == since:
            assert time.monotonic() < deadline
            self.counter.sleep(since, deadline - time.monotonic())
        return self.counter.load()

    def die(self):
        """What the kernel does with a process that ends."""
        os.close(self.slot_fd)


def soon():
    return time.monotonic() + PATIENCE


def make():
    return Shnd.Array.new(NAME, Shnd.DType.new('<i8'), [4], Shnd.CreateFlags.NONE)


def until(condition):
    deadline = soon()
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def in_thread(function):
    """Runs it in a thread; the result comes from the function that is returned."""
    results = []

    def run():
        try:
            results.append(function())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def finish():
        thread.join(PATIENCE)
        assert results, 'it still waits'
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    finish.running = thread.is_alive
    return finish


def fails(code, function, *arguments):
    try:
        function(*arguments)
    except GLib.Error as error:
        assert error.matches(Shnd.Error.quark(), code), error
    else:
        raise AssertionError('no error')


def check_seen():
    """What each sees of the other that has the lock."""
    array = make()
    peer = Peer(NAME)
    assert peer.lock(soon()) is False
    assert not array.get_locked()
    fails(Shnd.Error.TIMED_OUT, LOCK, array, 0, None)
    peer.unlock()
    LOCK(array, 0, None)
    assert 0 < peer.word.load() & SLOT != peer.slot
    assert peer.lock(0) is None
    array.unlock()
    assert peer.word.load() == 0
    assert peer.lock(0) is False
    peer.unlock()
    assert peer.word.load() == 0


def check_library_waits():
    array = make()
    peer = Peer(NAME)
    peer.lock(soon())
    waiting = in_thread(lambda: LOCK(array, FOR_EVER, None))
    until(lambda: peer.word.load() & WAITERS)
    assert peer.word.load() & SLOT == peer.slot
    # Longer than the library believes in us without a question.
    time.sleep(4 * INTERVAL)
    assert waiting.running() and peer.word.load() & SLOT == peer.slot
    peer.unlock()
    _locked, recovered = waiting()
    assert not recovered and array.get_locked()
    array.unlock()


def check_peer_waits():
    array = make()
    peer = Peer(NAME)
    LOCK(array, FOR_EVER, None)
    waiting = in_thread(lambda: peer.lock(soon()))
    until(lambda: peer.word.load() & WAITERS)
    time.sleep(4 * INTERVAL)
    assert waiting.running() and array.get_locked()
    array.unlock()
    assert waiting() is False
    assert not array.get_locked()
    peer.unlock()


def check_peer_dies():
    """While the library waits, and before it asks."""
    for early in (False, True):
        array = make()
        peer = Peer(NAME)
        peer.lock(soon())
        if early:
            peer.die()
            _locked, recovered = LOCK(array, 0, None)
        else:
            waiting = in_thread(lambda: LOCK(array, FOR_EVER, None))
            until(lambda: peer.word.load() & WAITERS)
            peer.die()
            _locked, recovered = waiting()
        assert recovered and array.get_locked()
        array.unlock()
        # The next one is not told again.
        assert LOCK(array, 0, None) == (True, False)
        array.close()


CHILD = '''
import signal, sys, gi
gi.require_version('Shnd', '1')
from gi.repository import Shnd
array = Shnd.Array.open(sys.argv[1])
array.lock()
print('locked', flush=True)
signal.pause()
'''


def check_library_dies():
    array = make()
    with subprocess.Popen([sys.executable, '-c', CHILD, NAME], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b'locked\n'
        peer = Peer(NAME)
        slot = peer.word.load() & SLOT
        assert peer.lock(0) is None
        child.kill()
        child.wait()
    # Its slot is drawn anew before anybody asks: the word is to be recovered.
    heir = Peer(NAME, slot)
    assert heir.word.load() == RECOVER | WAITERS
    assert peer.lock(0) is True
    fails(Shnd.Error.TIMED_OUT, LOCK, array, 0, None)
    peer.unlock()
    assert LOCK(array, 0, None) == (True, False)


def check_inherited():
    """A peer dies; another one gets its slot, and the library the lock."""
    array = make()
    peer = Peer(NAME)
    peer.lock(soon())
    waiting = in_thread(lambda: LOCK(array, FOR_EVER, None))
    until(lambda: peer.word.load() & WAITERS)
    # In one step, as far as the library can see: it cannot lock that byte in between.
    second = os.open(f'/dev/shm/{NAME}', os.O_RDWR | os.O_CLOEXEC)
    peer.die()
    heir_has_it = try_lock(second, SLOTS + peer.slot)
    if heir_has_it:
        value = peer.word.load()
        while value & SLOT == peer.slot and not peer.word.change(value, RECOVER | WAITERS):
            value = peer.word.load()
        peer.word.wake(1)
    _locked, recovered = waiting()
    os.close(second)
    assert recovered


def check_exclusion():
    """Both count, a thousand times each, in what only the lock protects."""
    array = make()
    peer = Peer(NAME)
    n = 1000

    def count(lock, unlock):
        for _ in range(n):
            lock()
            value = array.get_int64([0])
            array.set_int64([1], value)
            array.set_int64([0], value + 1)
            unlock()

    others = Shnd.Array.open(NAME, Shnd.Access.READ_WRITE)
    counting = [in_thread(lambda: count(lambda: peer.lock(soon()), peer.unlock)),
                in_thread(lambda: count(lambda: LOCK(array, FOR_EVER, None), array.unlock)),
                in_thread(lambda: count(lambda: LOCK(others, FOR_EVER, None), others.unlock))]
    for finish in counting:
        finish()
    assert array.get_int64([0]) == 3 * n, array.get_int64([0])
    assert peer.word.load() == 0


def check_counter():
    array = make()
    reader = Shnd.Array.open(NAME, Shnd.Access.READ)
    peer = Peer(NAME)
    peer.update()
    assert array.get_sequence() == reader.get_sequence() == 1
    array.update()
    assert peer.wait(1, soon()) == 2
    waiting = in_thread(lambda: WAIT_FOR_UPDATE(reader, 2, FOR_EVER, None))
    time.sleep(INTERVAL)
    peer.update()
    assert waiting() == (True, 3)
    waiting = in_thread(lambda: peer.wait(3, soon()))
    time.sleep(INTERVAL)
    array.update()
    assert waiting() == 4
    # Beyond the word that is slept on.
    peer.counter.add(2**32 - 5)
    waiting = in_thread(lambda: WAIT_FOR_UPDATE(reader, 2**32 - 1, FOR_EVER, None))
    time.sleep(INTERVAL)
    peer.update()
    assert waiting() == (True, 2**32)
    assert array.get_sequence() == 2**32


def check_nonsense():
    """A word that nobody can have meant is taken over."""
    array = make()
    peer = Peer(NAME)
    for value in (SLOT, 12345, SLOT | WAITERS, SLOT | RECOVER, 2**32 - 1, RECOVER, WAITERS,
                  RECOVER | WAITERS):
        assert peer.word.change(peer.word.load(), value)
        assert LOCK(array, 0, None) == (True, value & (SLOT | RECOVER) != 0), value
        array.unlock()
        assert peer.word.load() & SLOT == 0
        assert peer.word.change(peer.word.load(), value)
        assert peer.lock(0) is (value & (SLOT | RECOVER) != 0), value
        peer.unlock()


TESTS = [
    ('each sees that the other has the lock', check_seen),
    ('the library waits', check_library_waits),
    ('the library is waited for', check_peer_waits),
    ('the library takes over from a dead owner', check_peer_dies),
    ('an owner that uses the library dies, and its slot is drawn anew', check_library_dies),
    ('a slot that is drawn anew while the library waits', check_inherited),
    ('one at a time', check_exclusion),
    ('the change counter', check_counter),
    ('nonsense in the lock word', check_nonsense),
]

print(f'1..{len(TESTS)}')
failed = False
for number, (title, function) in enumerate(TESTS, 1):
    try:
        function()
        print(f'ok {number} - {title}')
    except Exception:
        failed = True
        print(f'not ok {number} - {title}')
        print('# ' + traceback.format_exc().rstrip().replace('\n', '\n# '))
    finally:
        try:
            os.unlink(f'/dev/shm/{NAME}')
        except FileNotFoundError:
            pass
sys.exit(failed)
