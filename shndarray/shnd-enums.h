/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <glib.h>
#include <shndarray/shnd-version.h>

G_BEGIN_DECLS

/**
 * ShndDTypeKind:
 * @SHND_DTYPE_KIND_BOOL: a truth value in one byte
 * @SHND_DTYPE_KIND_INT: a signed integer of 1, 2, 4 or 8 bytes
 * @SHND_DTYPE_KIND_UINT: an unsigned integer of 1, 2, 4 or 8 bytes
 * @SHND_DTYPE_KIND_FLOAT: an IEEE 754 number of 2, 4 or 8 bytes, or the platform's `long double`
 * @SHND_DTYPE_KIND_COMPLEX: two floats, real part first
 * @SHND_DTYPE_KIND_BYTES: bytes, padded with NUL at the end
 * @SHND_DTYPE_KIND_UNICODE: UCS-4 code points, padded with NUL at the end
 * @SHND_DTYPE_KIND_DATETIME: a point in time, as a signed 64-bit count of a unit since 1970
 * @SHND_DTYPE_KIND_TIMEDELTA: a duration, as a signed 64-bit count of a unit
 * @SHND_DTYPE_KIND_VOID: raw bytes
 * @SHND_DTYPE_KIND_STRUCT: named fields
 * @SHND_DTYPE_KIND_SUBARRAY: a fixed-shape array of another dtype
 *
 * What sort of element a [struct@DType] describes.
 */
typedef enum
{
  SHND_DTYPE_KIND_BOOL,
  SHND_DTYPE_KIND_INT,
  SHND_DTYPE_KIND_UINT,
  SHND_DTYPE_KIND_FLOAT,
  SHND_DTYPE_KIND_COMPLEX,
  SHND_DTYPE_KIND_BYTES,
  SHND_DTYPE_KIND_UNICODE,
  SHND_DTYPE_KIND_DATETIME,
  SHND_DTYPE_KIND_TIMEDELTA,
  SHND_DTYPE_KIND_VOID,
  SHND_DTYPE_KIND_STRUCT,
  SHND_DTYPE_KIND_SUBARRAY,
} ShndDTypeKind;

/**
 * ShndOrder:
 * @SHND_ORDER_C: the last index varies fastest, without gaps
 * @SHND_ORDER_FORTRAN: the first index varies fastest, without gaps
 * @SHND_ORDER_STRIDED: neither; the elements do not fill one run of memory in either order
 *
 * How the elements of an array lie in memory.
 *
 * An array that is both (one dimension, say) is in C order.
 */
typedef enum
{
  SHND_ORDER_C,
  SHND_ORDER_FORTRAN,
  SHND_ORDER_STRIDED,
} ShndOrder;

/**
 * ShndSaveFlags:
 * @SHND_SAVE_NONE: replace a file that is there
 * @SHND_SAVE_NO_REPLACE: fail if there is anything of that name, also if it comes meanwhile
 *
 * How an array is saved to a file.
 */
typedef enum /*< flags >*/
{
  SHND_SAVE_NONE = 0,
  SHND_SAVE_NO_REPLACE = 1 << 0,
} ShndSaveFlags;

/**
 * ShndAccess:
 * @SHND_ACCESS_READ: read the elements; the mapping itself refuses writes
 * @SHND_ACCESS_WRITE: write the elements; reading comes with it
 * @SHND_ACCESS_READ_WRITE: both
 * @SHND_ACCESS_ANY_OWNER: also open a segment that belongs to another user
 * @SHND_ACCESS_UNSEALED: also take a file descriptor whose file others can still cut short
 *
 * How an array is opened.
 *
 * Without %SHND_ACCESS_ANY_OWNER a named segment is opened only if it belongs to the
 * caller's user or to root: its owner can cut it short at any time, and a process that
 * touches memory which is no longer there gets a `SIGBUS`.
 *
 * For the same reason what comes as a file descriptor, without a name, has to be sealed
 * against that (see [method@Shnd.Array.seal]), or all who have the file have to be trusted:
 * %SHND_ACCESS_UNSEALED says that they are. Each of the two flags is for its own way of
 * opening, and an error in the other.
 */
typedef enum /*< flags >*/
{
  SHND_ACCESS_READ = 1 << 0,
  SHND_ACCESS_WRITE = 1 << 1,
  SHND_ACCESS_READ_WRITE = (1 << 0) | (1 << 1),
  SHND_ACCESS_ANY_OWNER = 1 << 2,
  SHND_ACCESS_UNSEALED = 1 << 3,
} ShndAccess;

/**
 * ShndCreateFlags:
 * @SHND_CREATE_NONE: C order, memory reserved, for the caller's user alone (mode 0600)
 * @SHND_CREATE_FORTRAN: Fortran order
 * @SHND_CREATE_SPARSE: do not reserve memory; a page is taken when it is first written, and if
 *   there is none left then, the process that writes gets a `SIGBUS`
 * @SHND_CREATE_GROUP_READ: the segment's group may open it for reading
 * @SHND_CREATE_GROUP_WRITE: the segment's group may open it for writing
 * @SHND_CREATE_OTHERS_READ: everyone may open it for reading
 * @SHND_CREATE_OTHERS_WRITE: everyone may open it for writing
 * @SHND_CREATE_PERSISTENT: the name stays until it is removed, also when nobody has the array open;
 *   without this flag it goes with the last one who has
 *
 * How an array is made.
 *
 * The permissions are set as asked, whatever the umask.
 */
typedef enum /*< flags >*/
{
  SHND_CREATE_NONE = 0,
  SHND_CREATE_FORTRAN = 1 << 0,
  SHND_CREATE_SPARSE = 1 << 1,
  SHND_CREATE_GROUP_READ = 1 << 2,
  SHND_CREATE_GROUP_WRITE = 1 << 3,
  SHND_CREATE_OTHERS_READ = 1 << 4,
  SHND_CREATE_OTHERS_WRITE = 1 << 5,
  SHND_CREATE_PERSISTENT = 1 << 6,
} ShndCreateFlags;

/**
 * ShndSyncFlags:
 * @SHND_SYNC_NONE: come back when the elements are on the disk
 * @SHND_SYNC_ASYNC: only tell the system to write them soon, which on Linux it does anyway
 * @SHND_SYNC_INVALIDATE: also ask for other mappings of the file to be brought up to date, which on
 *   Linux they always are
 *
 * How an array that is a file is brought to the disk.
 */
typedef enum /*< flags >*/
{
  SHND_SYNC_NONE = 0,
  SHND_SYNC_ASYNC = 1 << 0,
  SHND_SYNC_INVALIDATE = 1 << 1,
} ShndSyncFlags;

/**
 * ShndOverflow:
 * @SHND_OVERFLOW_DROP: the subscriber misses the frame; neither the publisher nor the other
 *   subscribers wait
 * @SHND_OVERFLOW_BLOCK: the publisher waits until the subscriber has given a frame back, or is gone;
 *   no subscriber misses a frame
 *
 * What a publisher does when a subscriber holds as many frames as it may.
 */
typedef enum
{
  SHND_OVERFLOW_DROP,
  SHND_OVERFLOW_BLOCK,
} ShndOverflow;

G_END_DECLS
