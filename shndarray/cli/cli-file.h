/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Operands that are read or written from one end to the other: "-", the standard input or output, and
 * files that are no regular ones, as FIFOs and what <(COMMAND) of a shell stands for. */

gboolean cli_file_is_stream (const char *file);

GInputStream *cli_file_open_input (const char *file, GError **error);
GOutputStream *cli_file_open_output (const char *file, GError **error);

/* Makes an array, with a name or without, of the next .npy file in a stream that is open; END_OF_STREAM
 * if there is none. */
ShndArray *
cli_file_load_next (const char *name, GInputStream *stream, ShndCreateFlags flags, GError **error);

/* The same, of one that is opened for it. */
ShndArray *
cli_file_load_stream (const char *name, const char *file, ShndCreateFlags flags, GError **error);

/* Makes an array of a file, of which its content tells the kind: a .npy file, or an image. That becomes
 * (height, width, 3) bytes of RGB, or RGBA with 4; it is turned as the file says, and of an animation it
 * is the first frame. `name` may be NULL. */
ShndArray *
cli_file_load (const char *name, const char *path, ShndCreateFlags flags, GError **error);

G_END_DECLS
