/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <glib.h>
#include <shndarray/shnd-version.h>

G_BEGIN_DECLS

/**
 * ShndError:
 * @SHND_ERROR_FAILED: something that no other code names; the message says what
 * @SHND_ERROR_INVALID_NAME: not a name that a shared array can have
 * @SHND_ERROR_INVALID_DTYPE: not a dtype, or one that cannot be shared
 * @SHND_ERROR_INVALID_SHAPE: a negative dimension, too many of them, or too many elements
 * @SHND_ERROR_INVALID_ARGUMENT: another argument that makes no sense
 * @SHND_ERROR_INVALID_FORMAT: the file is not a valid `.npy` file
 * @SHND_ERROR_INVALID_DATA: an element holds what its dtype does not allow
 * @SHND_ERROR_OUT_OF_RANGE: an index outside the array, or a value outside the dtype's range
 * @SHND_ERROR_TYPE_MISMATCH: a value or an array that cannot be converted to the dtype
 * @SHND_ERROR_NOT_FOUND: no array, file or field of that name
 * @SHND_ERROR_EXISTS: the name is taken
 * @SHND_ERROR_NO_SPACE: not enough memory, disk space, or file descriptors
 * @SHND_ERROR_PERMISSION_DENIED: the system, or the rule about owners, does not allow it
 * @SHND_ERROR_READ_ONLY: a write to an array that was opened for reading
 * @SHND_ERROR_NOT_CONTIGUOUS: the elements do not lie in one run of memory, as the call needs
 * @SHND_ERROR_TOO_SMALL: the segment holds fewer bytes than dtype and shape need
 * @SHND_ERROR_CLOSED: the array was closed, or never had memory
 * @SHND_ERROR_UNSUPPORTED: this array, or this system, cannot do that
 * @SHND_ERROR_TIMED_OUT: what was waited for did not happen in time
 * @SHND_ERROR_NOT_LOCKED: the handle does not have the lock
 * @SHND_ERROR_END_OF_STREAM: the other side has ended its stream of frames, or of arrays
 * @SHND_ERROR_DISCONNECTED: the other side is gone, without an end of its stream
 * @SHND_ERROR_PROTOCOL: the other side sent what it must not
 * @SHND_ERROR_NOT_ACQUIRED: the frame is not one that this publisher has given out to be published
 *
 * The errors of this library.
 *
 * Cancellation is reported as `G_IO_ERROR_CANCELLED`.
 */
typedef enum
{
  SHND_ERROR_FAILED,
  SHND_ERROR_INVALID_NAME,
  SHND_ERROR_INVALID_DTYPE,
  SHND_ERROR_INVALID_SHAPE,
  SHND_ERROR_INVALID_ARGUMENT,
  SHND_ERROR_INVALID_FORMAT,
  SHND_ERROR_INVALID_DATA,
  SHND_ERROR_OUT_OF_RANGE,
  SHND_ERROR_TYPE_MISMATCH,
  SHND_ERROR_NOT_FOUND,
  SHND_ERROR_EXISTS,
  SHND_ERROR_NO_SPACE,
  SHND_ERROR_PERMISSION_DENIED,
  SHND_ERROR_READ_ONLY,
  SHND_ERROR_NOT_CONTIGUOUS,
  SHND_ERROR_TOO_SMALL,
  SHND_ERROR_CLOSED,
  SHND_ERROR_UNSUPPORTED,
  SHND_ERROR_TIMED_OUT,
  SHND_ERROR_NOT_LOCKED,
  SHND_ERROR_END_OF_STREAM,
  SHND_ERROR_DISCONNECTED,
  SHND_ERROR_PROTOCOL,
  SHND_ERROR_NOT_ACQUIRED,
} ShndError;

/**
 * SHND_ERROR:
 *
 * The error domain of [error@Error].
 */
#define SHND_ERROR (shnd_error_quark ())

SHND_AVAILABLE_IN_1_0
GQuark shnd_error_quark (void);

G_END_DECLS
