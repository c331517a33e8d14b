/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-file-private.h"
#include "shnd-names.h"

G_BEGIN_DECLS

/* Names are file names in the directory where POSIX shared memory lives on Linux. */
#define SHND_NAME_MAX 255
#define SHND_NAME_PATH_SIZE (sizeof SHND_SHM_DIR + 1 + SHND_NAME_MAX)

/* Checks `name`, and writes the path of its file. */
gboolean shnd_name_check (const char *name, GError **error);
gboolean shnd_name_to_path (const char *name, char path[SHND_NAME_PATH_SIZE], GError **error);

/* Opens the file of a name that was checked, but neither through a symbolic link nor waiting for
 * the other end of a FIFO. `flags` are those of open(). Returns -1 with errno set. */
int shnd_name_open (const char *name, int flags);

/* Removes a name that was checked; with `only`, not if it stands for another file. Returns an errno,
 * in that case ENOENT. All in this library who remove a name do it here. */
int shnd_name_remove (const char *name, const ShndFileInfo *only);

/* All in a folder that could be names of arrays, or of publishers, in order. */
char **shnd_names_read (const char *folder, GError **error);

G_END_DECLS
