# SPDX-License-Identifier: MIT
"""The library underneath, and its errors as those that Python programs expect."""

import errno

import gi

gi.require_version('Shnd', '1')

from gi.repository import GLib, Shnd  # noqa: E402

_Error = Shnd.Error

_ERRNOS = {
    _Error.NOT_FOUND: errno.ENOENT,
    _Error.EXISTS: errno.EEXIST,
    _Error.PERMISSION_DENIED: errno.EACCES,
    _Error.NO_SPACE: errno.ENOSPC,
    _Error.TIMED_OUT: errno.ETIMEDOUT,
    _Error.INVALID_NAME: errno.EINVAL,
    _Error.INVALID_FORMAT: errno.EINVAL,
    _Error.UNSUPPORTED: errno.ENOTSUP,
    _Error.FAILED: errno.EIO,
}
_TYPE_ERRORS = (_Error.INVALID_DTYPE, _Error.TYPE_MISMATCH)


def is_error(error, code):
    return error.matches(_Error.quark(), code)


def to_builtin(error):
    """The built-in exception for a GLib.Error: an OSError of its kind, a TypeError or a
    ValueError.
    """
    if error.domain != GLib.quark_to_string(_Error.quark()):
        return OSError(errno.EIO, error.message)
    code = _Error(error.code)
    if code in _ERRNOS:
        return OSError(_ERRNOS[code], error.message)
    if code in _TYPE_ERRORS:
        return TypeError(error.message)
    return ValueError(error.message)
