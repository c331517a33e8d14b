# SPDX-License-Identifier: MIT

"""Many at once, and some of them die: there is a whole array of a name, or none."""

import multiprocessing
import os
import signal
import sys
import time

import numpy as np
from support import PREFIX, SHM, GLib, SharedTestCase, Shnd, diagnose, main, own_names

Access = Shnd.Access
Error = Shnd.Error

NAME = PREFIX + 'race'
PATH = f'{SHM}/{NAME}'
MIB = 1024 * 1024


class TestDeath(SharedTestCase):
    def unnamed_size(self, pid):
        """How much a process has put into a file that has no name yet; None if it has none."""
        try:
            for fd in os.listdir(f'/proc/{pid}/fd'):
                path = f'/proc/{pid}/fd/{fd}'
                target = os.readlink(path)
                if target.startswith(f'{SHM}/#') and target.endswith(' (deleted)'):
                    return os.stat(path).st_blocks * 512
        except OSError:
            pass
        return None

    def test_killed_maker(self):
        """One that dies while it fills an array leaves none; nor is there one before.

        The names are persistent, so that what is there after the maker's end is what it made.
        """
        flags = Shnd.CreateFlags.PERSISTENT
        n_bytes = 96 * MIB
        source = np.ones(n_bytes, 'u1')
        n_midway = 0
        for what in ('new_from_array', 'new_from_bytes', 'dup', 'new'):
            data = Shnd.Array.new_from_array(None, source) if what == 'dup' else bytes(source)
            for _ in range(3):
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    try:
                        if what == 'new_from_array':
                            Shnd.Array.new_from_array(NAME, source, flags)
                        elif what == 'new_from_bytes':
                            Shnd.Array.new_from_bytes(NAME, 'u1', (n_bytes,), data, flags)
                        elif what == 'dup':
                            data.dup(NAME, flags)
                        else:
                            Shnd.Array.new(NAME, 'u1', (n_bytes,), flags)
                    finally:
                        os._exit(0)
                # Stopped as soon as there is something, it cannot go on while we look.
                midway = False
                while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    if self.unnamed_size(pid):
                        os.kill(pid, signal.SIGSTOP)
                        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                        midway = not os.path.exists(PATH)
                        break
                if midway:
                    n_midway += 1
                    self.assert_error(Error.NOT_FOUND, NAME, Shnd.Array.open, NAME)
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                if midway:
                    self.assertFalse(os.path.exists(PATH))
                else:
                    # It was faster. Then all is there.
                    array = np.asarray(Shnd.Array.open(NAME))
                    self.assertEqual(array.shape, (n_bytes,))
                    self.assertTrue((array == (what != 'new')).all())
                    del array
                    Shnd.unlink(NAME)
        diagnose(f'{n_midway} of 12 makers killed in the middle')

    def test_killed_reader(self):
        """One that dies with an array open takes nothing away."""
        array = Shnd.Array.new_from_array(NAME, np.arange(1000))
        for access in (Access.READ, Access.READ_WRITE):
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                opened = Shnd.Array.open(NAME, access)
                os.write(writing, bytes([len(np.asarray(opened)) == 1000]))
                signal.pause()
            self.assertEqual(os.read(reading, 1), b'\1')
            os.close(reading)
            os.close(writing)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            np.testing.assert_array_equal(np.asarray(Shnd.Array.open(NAME)), np.arange(1000))
        array.unlink()


class TestRaces(SharedTestCase):
    ROUNDS = 30
    CREATORS = 8
    OPENERS = 2
    SHAPE = (300, 300)

    def create(self, me, barrier, done, wins):
        kept = []
        for i in range(self.ROUNDS):
            contents = np.full(self.SHAPE, me, 'u1')
            barrier.wait(60)
            try:
                if me % 2:
                    kept.append(Shnd.Array.new_from_array(f'{NAME}-{i}', contents))
                else:
                    kept.append(Shnd.Array.new_from_bytes(f'{NAME}-{i}', 'u1', self.SHAPE,
                                                          contents.tobytes()))
                wins[i * self.CREATORS + me] = 1
            except GLib.Error as error:
                if not error.matches(Error.quark(), Error.EXISTS):
                    raise
        done.wait(60)
        done.wait(60)

    def look(self, me, barrier, done, seen):
        for i in range(self.ROUNDS):
            barrier.wait(60)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    array = np.asarray(Shnd.Array.open(f'{NAME}-{i}', Access.READ))
                except GLib.Error as error:
                    if not error.matches(Error.quark(), Error.NOT_FOUND):
                        raise
                    continue
                # Whole from the first moment on.
                assert array.shape == self.SHAPE and (array == array[0, 0]).all()
                seen[i * self.OPENERS + me] = array[0, 0]
                break
        done.wait(60)
        done.wait(60)

    def test_one_name(self):
        context = multiprocessing.get_context('fork')
        barrier = context.Barrier(self.CREATORS + self.OPENERS)
        done = context.Barrier(self.CREATORS + self.OPENERS + 1)
        wins = context.Array('b', self.ROUNDS * self.CREATORS)
        seen = context.Array('b', [-1] * (self.ROUNDS * self.OPENERS))
        processes = [context.Process(target=self.create, args=(i, barrier, done, wins))
                     for i in range(self.CREATORS)]
        processes += [context.Process(target=self.look, args=(i, barrier, done, seen))
                      for i in range(self.OPENERS)]
        for process in processes:
            process.start()
        try:
            done.wait(120)
            self.check(wins, seen)
            done.wait(60)
        except BaseException:
            done.abort()
            raise
        finally:
            for process in processes:
                process.join()
        self.assertEqual([process.exitcode for process in processes], [0] * len(processes))
        # Each took its own with it.
        self.assertEqual(own_names(), [])

    def check(self, wins, seen):
        for i in range(self.ROUNDS):
            winners = [me for me in range(self.CREATORS) if wins[i * self.CREATORS + me]]
            self.assertEqual(len(winners), 1, f'round {i}')
            for me in range(self.OPENERS):
                self.assertEqual(seen[i * self.OPENERS + me], winners[0])
            self.assertTrue((np.load(f'{SHM}/{NAME}-{i}') == winners[0]).all())

    def test_make_and_remove(self):
        """While a name comes and goes, it stands for a whole array, or for none."""
        context = multiprocessing.get_context('fork')
        stop = context.Event()

        def make():
            i = 0
            while not stop.is_set():
                i = (i + 1) % 100
                try:
                    array = Shnd.Array.new_from_array(NAME, np.full((i + 1, 1000), i, 'u1'))
                except GLib.Error as error:
                    # Whoever opened the one before may still have it.
                    if not error.matches(Error.quark(), Error.EXISTS):
                        raise
                    continue
                if i % 2:
                    array.unlink()
                array.close()

        maker = context.Process(target=make)
        maker.start()
        try:
            n_opened = 0
            while n_opened < 300 and maker.is_alive():
                try:
                    array = np.asarray(Shnd.Array.open(NAME, Access.READ))
                except GLib.Error as error:
                    self.assertTrue(error.matches(Error.quark(), Error.NOT_FOUND), error.message)
                    continue
                n_opened += 1
                self.assertEqual(array.shape, (array[0, 0] + 1, 1000))
                self.assertTrue((array == array[0, 0]).all())
                # Its name goes with it, if the maker has left that to us.
                del array
        finally:
            stop.set()
            maker.join()
        self.assertEqual(maker.exitcode, 0)
        self.assertEqual(n_opened, 300)
        self.assertEqual(own_names(), [])


if __name__ == '__main__':
    main()
