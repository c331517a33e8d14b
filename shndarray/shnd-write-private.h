/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* Writes `length` bytes at `offset`; goes on after interruptions and partial writes. Sets errno. */
gboolean shnd_write_all (int fd, gconstpointer data, gsize length, guint64 offset);

/* Elements that are to be written, and who can stop that, and is told how far it is; both may be NULL. */
typedef struct
{
  ShndLayout layout;
  GCancellable *cancellable;
  GFileProgressCallback progress_callback;
  gpointer progress_callback_data;
} ShndContents;

/* Takes the next `length` bytes. Returns 0, an errno, or -1 with an error that `data` knows of. */
typedef int (*ShndWriteFunc) (gpointer data, gconstpointer bytes, gsize length);

/* Gives all elements to `write`, in C order, without gaps. Returns what that fails with, or ECANCELED;
 * 0 is success. */
int shnd_write_contents (const ShndContents *contents, ShndWriteFunc write, gpointer data);

/* The same into a file, from `offset` on. Fails with an errno that it returns, or with ECANCELED. */
int shnd_write_contents_at (const ShndContents *contents, int fd, guint64 offset);

/* Whether a file may become that large: the kernel would kill the process with SIGXFSZ where
 * RLIMIT_FSIZE forbids it. */
gboolean shnd_write_allowed (guint64 file_size);

G_END_DECLS
