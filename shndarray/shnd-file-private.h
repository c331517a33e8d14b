/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* What the kernel says of an open file, and the locks that it keeps on it for us. */

typedef struct
{
  dev_t device;
  ino_t inode;
  guint64 birth; /* when it was made, in nanoseconds since 1970; 0 where the system does not know */
  guint64 size;
  uid_t owner;
  mode_t mode;
  guint n_links;
} ShndFileInfo;

/* They return 0, or -1 with errno set. The second does not follow a symbolic link. */
int shnd_file_get_info (int fd, ShndFileInfo *info);
int shnd_file_get_path_info (const char *path, ShndFileInfo *info);

/* Inode numbers alone are not enough: small ones come again on every file system. */
gboolean shnd_file_is_same (const ShndFileInfo *a, const ShndFileInfo *b);

/* A new open file description of the file that `fd` has open. `flags` are those of open(). Returns -1
 * with errno set. */
int shnd_file_reopen (int fd, int flags);

/* Open-file-description locks on single bytes: the kernel drops them when the last descriptor of
 * the description is closed, however its processes end. Those of arrays are far behind the end of any
 * file, so that they get in nobody's way. doc/format.md lists them. */
#define SHND_BYTE_LEASE ((goffset) 1 << 62)
#define SHND_BYTE_NAME (SHND_BYTE_LEASE + 1)
#define SHND_BYTE_ADOPT (SHND_BYTE_LEASE + 2)
#define SHND_BYTE_SLOTS (SHND_BYTE_LEASE + 0x10000)

/* `type` is F_RDLCK, F_WRLCK (which needs a descriptor open for writing) or F_UNLCK. Does not wait.
 * Returns an errno: EAGAIN if another description is in the way. */
int shnd_file_lock (int fd, goffset byte, short type);

/* The same, but waits some time for another to let go; for locks that are held for moments. */
int shnd_file_lock_soon (int fd, goffset byte);

/* What lock another description has on the byte: F_UNLCK, F_RDLCK or F_WRLCK. */
short shnd_file_get_lock (int fd, goffset byte);

G_END_DECLS
