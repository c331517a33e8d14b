/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Something to do, of which `data` knows all. Called in another thread. */
typedef gboolean (*ShndWorkFunc) (gpointer data, GCancellable *cancellable, GError **error);

/* What an _async() function does: starts the work, of which its _finish() function gets the outcome
 * from g_task_propagate_boolean(). With `error`, which is taken, there is no `data`, and that error
 * is the outcome. */
void shnd_task_start (gpointer source_object,
                      gpointer source_tag,
                      ShndWorkFunc work,
                      gpointer data,
                      GDestroyNotify free_data,
                      GError *error,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);

/* The `data` of work that has been done. */
gpointer shnd_task_get_data (GTask *task);

G_END_DECLS
