/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A new file on any file system, which gets its path when it is finished: where the file system can
 * do so, it has none until then; elsewhere it has a temporary one beside it. */

/* Opens it for reading and writing, with the permissions that the umask leaves. Returns the
 * descriptor, or -1 with errno. `*temporary_path` becomes NULL if there is none. */
int shnd_new_file_open (const char *path, char **temporary_path);

/* Gives it its path, if there is nothing there. Returns an errno. */
int shnd_new_file_publish (int fd, const char *temporary_path, const char *path);

/* Gives a file that has no path one. Returns an errno. */
int shnd_new_file_link (int fd, const char *path);

/* Opens another file in the same folder, with a name that no other has. Returns the descriptor, or
 * -1 with errno. */
int shnd_new_file_open_beside (const char *path, int flags, guint mode, char **temporary_path);

G_END_DECLS
