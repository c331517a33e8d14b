/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Where an array comes from: the name of a shared one, the path of a .npy file or a FIFO, or "-", the
 * standard input. What has a slash is a path; what has none is a name, and if nothing has that name,
 * a file in the working directory. */

/* Options of all commands that look at an array or at a part of it: --field, --slice and
 * --any-owner. */
extern const GOptionEntry cli_source_entries[];

/* --any-owner alone, for commands that take only a name; and an access as it says. */
extern const GOptionEntry cli_source_owner_entries[];

ShndAccess cli_source_get_access (ShndAccess access);

/* Opens it for reading, and takes the part that the options above say. */
ShndArray *cli_source_open (const char *source, GError **error);

/* What there is to know of a name or a file, without opening it. */
ShndArrayInfo *cli_source_get_info (const char *source, GError **error);

/* Whether the options say that a part is meant. */
gboolean cli_source_takes_part (void);

/* Whether an operand is read from one end to the other: "-", or the path of a FIFO. */
gboolean cli_source_is_stream (const char *source);

G_END_DECLS
