/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* The header of a .npy file: numpy.lib.format, versions 1.0, 2.0 and 3.0. */

/* Magic, version and the longest length field. */
#define SHND_NPY_PREFIX_SIZE 12

/* Longer headers are refused: no dtype that fits the limits of the parser needs them. */
#define SHND_NPY_MAX_HEADER (4 * 1024 * 1024)

/* Where the elements begin in our segments, and in files that are made to be kept. */
#define SHND_NPY_SEGMENT_ALIGN 4096
#define SHND_NPY_FILE_ALIGN 64

/* Reads the beginning of a file of which `size` bytes are at hand. Returns how many bytes the whole
 * header takes, its prefix included; 0 with an error if this is no header. `size` may be less than
 * that, but must be SHND_NPY_PREFIX_SIZE, or all that there is in the file. */
gsize shnd_npy_get_header_size (const guint8 *header, gsize size, GError **error);

/* Parses a whole header. `layout` holds the array's shape and strides; its dtype is `*dtype`, or
 * the base of that if it is a sub-array. */
gboolean shnd_npy_parse_header (
    const guint8 *header, gsize size, ShndLayout *layout, ShndDType **dtype, GError **error);

/* Reads the header of a file into memory of ours, where nobody can change it between check and use,
 * and parses it. */
gboolean shnd_npy_read_header (
    int fd, ShndLayout *layout, ShndDType **dtype, gsize *header_size, GError **error);

/* The same for a stream, of which nothing behind the header is read. Fails with END_OF_STREAM if
 * there is not a single byte, with TOO_SMALL if the stream ends inside the header, and with the errors
 * of the stream. */
gboolean shnd_npy_read_header_from_stream (GInputStream *stream,
                                           ShndLayout *layout,
                                           ShndDType **dtype,
                                           GCancellable *cancellable,
                                           GError **error);

/* The header for a layout that is in C or Fortran order, padded to a multiple of `align`, in the
 * lowest version that can hold it, byte for byte as NumPy 1.24 writes it for SHND_NPY_FILE_ALIGN.
 * Fails if it would be longer than what is read again. */
GByteArray *shnd_npy_build_header (const ShndLayout *layout, gsize align, GError **error);

G_END_DECLS
