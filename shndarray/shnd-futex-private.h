/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sleeping until a word of memory changes: futex(2). */

typedef struct
{
  const guint32 *word;
  guint32 expected; /* as it lies in memory; there is no sleep if the word is something else */
  gboolean shared;  /* whether other processes wake it */
} ShndFutex;

/* As many as the kernel takes at once (FUTEX_WAITV_MAX). */
#define SHND_MAX_FUTEXES 128

/* Sleeps until one of the words changes or is woken, or until `deadline` (monotonic time in
 * microseconds, -1 for never); may return earlier for no reason. */
void shnd_futex_wait (const ShndFutex *futexes, guint n_futexes, gint64 deadline);

/* Wakes up to `n` of those who sleep on the word. */
void shnd_futex_wake (const guint32 *word, gint n, gboolean shared);

G_END_DECLS
