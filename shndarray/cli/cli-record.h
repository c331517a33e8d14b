/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Where frames are saved: in a folder, a file each, named by the sequence; or one after the other to
 * the standard output. */
typedef struct _CliRecord CliRecord;

/* A folder, which is made if there is none, or "-". Files are .npy or PNG. */
CliRecord *cli_record_new (const char *target, gboolean as_png, gboolean replace, GError **error);
void cli_record_free (CliRecord *self);

/* Saves a frame. What a file's name had before stays until the new one is complete. Sets `path` to
 * that of the file, or to NULL. */
gboolean cli_record_add (CliRecord *self, ShndFrame *frame, char **path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliRecord, cli_record_free)

G_END_DECLS
