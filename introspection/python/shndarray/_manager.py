# SPDX-License-Identifier: MIT
"""The manager: what it makes ends with it."""

import secrets
from multiprocessing import ProcessError, shared_memory, util

from shndarray._library import GLib, Shnd, is_error, to_builtin

_SPARSE = Shnd.CreateFlags.SPARSE
_NONE = Shnd.CreateFlags.NONE


class SharedMemoryManager:
    """Makes shared memory, and removes it at the end: of a ``with`` block, or with
    :meth:`shutdown`.

    There is no server process behind it, as the standard library has one: should this process be
    killed, the kernel knows who still uses what. The arguments are those of the standard library,
    and nothing is done with them.
    """

    def __init__(self, address=None, authkey=None, serializer='pickle', ctx=None, *,
                 shutdown_timeout=1.0):
        self._arrays = []
        self._segments = []
        self._state = 'is not started'
        self._finalize = util.Finalize(self, _remove, (self._arrays, self._segments),
                                       exitpriority=0)

    def start(self, initializer=None, initargs=()):
        """Begins; the arguments would be for a server process."""
        if self._state == 'is started':
            raise ProcessError('The manager is started already')
        if self._state == 'has been shut down':
            raise ProcessError('The manager has been shut down: expected a new one')
        self._state = 'is started'

    def shutdown(self):
        """Removes all that was made here. Whoever has it open keeps it."""
        self._state = 'has been shut down'
        self._finalize()

    def __enter__(self):
        if self._state != 'is started':
            self.start()
        return self

    def __exit__(self, *args):
        self.shutdown()

    def SharedMemory(self, size):  # noqa: N802
        """Makes a segment of memory without a header, one of the standard library's."""
        self._check()
        segment = shared_memory.SharedMemory(create=True, size=size)
        self._segments.append(segment.name)
        return segment

    def ShareableList(self, sequence):  # noqa: N802
        """Makes one of the standard library's lists."""
        self._check()
        result = shared_memory.ShareableList(sequence)
        self._segments.append(result.shm.name)
        return result

    def _check(self):
        if self._state != 'is started':
            raise ProcessError(f'The manager {self._state}: expected one that is started')

    def _new_from_shape(self, shape, dtype, reserve):
        self._check()
        try:
            array = Shnd.Array.new_unique(dtype, shape, _NONE if reserve else _SPARSE)
        except GLib.Error as error:
            raise to_builtin(error) from None
        self._arrays.append(array)
        return array

    def _new_from_array(self, source):
        self._check()
        while True:
            try:
                array = Shnd.Array.new_from_array(f'shndarray-{secrets.token_hex(8)}', source)
                break
            except GLib.Error as error:
                if not is_error(error, Shnd.Error.EXISTS):
                    raise to_builtin(error) from None
        self._arrays.append(array)
        return array

    def __reduce__(self):
        raise TypeError('A SharedMemoryManager stays in its process: send the arrays, or make '
                        'another one there')


def _remove(arrays, segments):
    for array in arrays:
        try:
            array.unlink()
        except GLib.Error as error:
            # Somebody may have removed it by hand.
            if not is_error(error, Shnd.Error.NOT_FOUND):
                util.debug('%r: %s', array.name, error.message)
    arrays.clear()

    for name in segments:
        try:
            segment = shared_memory.SharedMemory(name)
        except FileNotFoundError:
            continue
        segment.close()
        segment.unlink()
    segments.clear()
