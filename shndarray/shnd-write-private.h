/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* Writes `length` bytes at `offset`; goes on after interruptions and partial writes. Sets errno. */
gboolean shnd_write_all (int fd, gconstpointer data, gsize length, guint64 offset);

/* Writes all elements in C order, without gaps. Fails with an errno that it returns, or with
 * ECANCELED; 0 is success. */
int shnd_write_layout (int fd,
                       const ShndLayout *layout,
                       guint64 offset,
                       GCancellable *cancellable,
                       GFileProgressCallback progress_callback,
                       gpointer progress_callback_data);

/* Whether a file may become that large: the kernel would kill the process with SIGXFSZ where
 * RLIMIT_FSIZE forbids it. */
gboolean shnd_write_allowed (guint64 file_size);

G_END_DECLS
