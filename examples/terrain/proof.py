# SPDX-License-Identifier: MIT
"""Runs the other programs, and checks that all processes have the same memory mapped.

A program that gets `--prove` prints `proof - ready` when its work is done. From then on it answers
each line on its standard input: of each of its arrays it prints

    proof NAME maps LINE       a line of its /proc/self/maps that shows the array's file
    proof NAME data ADDRESS    where it has the first element, if its language knows addresses
    proof NAME sha256 HEX      what it sees there

and `proof - ready` again. It ends at the end of its input.
"""

import dataclasses
import hashlib
import os
import subprocess


class Failure(Exception):
    """A program failed, or the proof did."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def label(language, pid):
    return f'{language:<10} {pid:>7}'


def get_sha256(view):
    return hashlib.sha256(view).hexdigest()


@dataclasses.dataclass
class Place:
    """Where a process has an array mapped, and what it sees there."""

    process: str
    maps: list = dataclasses.field(default_factory=list)
    data: str = ''
    sha256: str = ''

    def check(self, name):
        """Checks that the memory is that of the array's file, and shared; prints where it is."""
        info = os.stat(f'/dev/shm/{name}')
        device = f'{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}'
        found = False

        check(self.maps, f'{self.process} has not mapped {name}')
        for line in self.maps:
            address, mode, _offset, *file = line.split()[:5]
            start, end = (int(word, 16) for word in address.split('-'))
            found |= not self.data or start <= int(self.data, 16) < end
            print(f'  {self.process}  {address:<27} {mode}  inode {file[1]} of device {file[0]}')
            check(
                file == [device, str(info.st_ino)],
                f'{self.process} has another file mapped than that of {name}',
            )
            check(mode[3] == 's', f'{self.process} has a private mapping of {name}')
        check(found, f'{self.process} has the elements of {name} outside of these mappings')


def get_place(process, array, view):
    """The place of an array in this process, where NumPy has `view` of it."""
    inode = str(os.stat(f'/dev/shm/{array.name}').st_ino)
    data = view.__array_interface__['data'][0]

    with open('/proc/self/maps', encoding='utf-8') as maps:
        lines = [line.rstrip() for line in maps if line.split()[4] == inode]

    return Place(process, lines, hex(data), get_sha256(view))


def check_same(places):
    """Checks that all processes see the same in each array."""
    for name, found in places.items():
        for place in found:
            check(
                place.sha256 == found[0].sha256,
                f'{place.process} does not see what Python sees in {name}',
            )


class Program:
    """A program that runs until its input ends."""

    def __init__(self, language, *command):
        self.language = language
        self.computed = {}
        self.process = subprocess.Popen(
            [*map(str, command), '--prove'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding='utf-8',
            bufsize=1,
        )
        self.label = label(language, self.process.pid)

    def wait_until_ready(self):
        """Prints what the program prints. Returns its places by the names of their arrays."""
        places = {}

        for line in self.process.stdout:
            words = line.rstrip().split(' ', 3)
            if words[0] != 'proof':
                print(f'{self.label}  {line}', end='', flush=True)
            elif words[2] == 'ready':
                return places
            elif words[2] == 'maps':
                places.setdefault(words[1], Place(self.label)).maps.append(words[3])
            elif words[2] == 'computed':
                self.computed[words[1]] = words[3]
            else:
                setattr(places[words[1]], words[2], words[3])

        raise Failure(f'{self.language} ended with status {self.process.wait()} before its work')

    def get_places(self):
        try:
            self.process.stdin.write('\n')
        except BrokenPipeError:
            pass  # waiting tells more
        return self.wait_until_ready()

    def end(self):
        """Ends the program, whatever it is doing. Returns its exit status."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
