/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Starts a thread of the library's own, which gets none of the program's signals: they are for the
 * program's threads, whose system calls they shall interrupt. */
GThread *shnd_thread_start (const char *name, GThreadFunc func, gpointer data, GError **error);

/* Whether this process has no other thread, so that nothing can come in between. */
gboolean shnd_thread_is_alone (void);

G_END_DECLS
