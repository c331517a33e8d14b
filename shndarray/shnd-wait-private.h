/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-array-private.h"
#include "shnd-futex-private.h"

G_BEGIN_DECLS

/* Waiting for something that other processes do to an array: in the calling thread, or in one that
 * does so for all asynchronous calls of this process. What is waited for is a step function, which
 * looks whether it is there, and if not says which word changes before it can be. */

typedef enum
{
  SHND_WAIT_DONE,
  SHND_WAIT_SLEEP,
  SHND_WAIT_FAILED,
} ShndWaitResult;

struct _ShndWait
{
  ShndArray *array;     /* not owned: a task or the caller keeps it, or it ends the wait itself */
  ShndSegment *segment; /* owned */
  gint64 deadline;      /* monotonic time, -1 for never */
  gint64 now;           /* of this look, -1 as long as nobody asks */
  GCancellable *cancellable;

  /* On SHND_WAIT_SLEEP sets `futex`, and `wake_time` to when it wants to look again in any case, or
   * to -1. */
  ShndWaitResult (*step) (ShndWait *self, ShndFutex *futex, gint64 *wake_time, GError **error);
  /* What TIMED_OUT says did not happen in time. */
  const char *missed;

  /* For the change counter. */
  guint64 since;
  guint64 sequence;

  /* For the lock. */
  guint owner; /* who had it at the last look */
  gint64 check_time;
  gboolean contended;
  gboolean recovered;

  /* For asynchronous waits. */
  gboolean endless;
  gpointer data;
  GDestroyNotify data_free;
  GTask *task;
  gulong cancelled_id;
  gpointer watcher;
  ShndWait *next;
  ShndWait *previous;
};

/* A wait on an array that is open, with the given access. `timeout` is in microseconds, -1 for ever.
 * A wait that is all zero, as this one is on error, may be cleared too. */
gboolean shnd_wait_init (ShndWait *self,
                         ShndArray *array,
                         ShndAccess access,
                         gint64 timeout,
                         GCancellable *cancellable,
                         GError **error);
void shnd_wait_clear (ShndWait *self);

/* One that was allocated. */
void shnd_wait_free (ShndWait *self);

/* The monotonic time at which a public function's timeout is over: -1 for never. */
gboolean shnd_wait_get_deadline (gint64 timeout, gint64 *deadline, GError **error);

/* poll() with a deadline. */
struct pollfd;
void shnd_wait_poll (struct pollfd *fds, guint n_fds, gint64 deadline);

/* For steps: the monotonic time of the look. It is not read before somebody wants to know. */
gint64 shnd_wait_get_now (ShndWait *self);

/* Waits here. */
gboolean shnd_wait_run (ShndWait *self, GError **error);

/* Waits elsewhere, and returns `task`, whose data becomes the wait, with a boolean. The wait is an
 * allocated one, as it is in the next two. */
void shnd_wait_run_async (ShndWait *self, GTask *task);

/* The same without a task, for one that is endless: its step is never done, but only does what it
 * has to, until the second call, which frees it. */
gboolean shnd_wait_begin (ShndWait *self, GError **error);
void shnd_wait_end (ShndWait *self);

/* Lets all waits on the array look up: it was closed. */
void shnd_wait_interrupt (ShndArray *array);

/* For shnd-process.c. */
void shnd_wait_before_fork (void);
void shnd_wait_after_fork (gboolean child);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndWait, shnd_wait_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ShndWait, shnd_wait_clear)

G_END_DECLS
