/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-wait-private.h"

#include "shnd-error.h"
#include "shnd-lock-private.h"
#include "shnd-thread-private.h"

#include <poll.h>

/* A thread that sleeps for many: on a word of its own, which tells it of changes of the list, and on
 * one for each wait. */
typedef struct _Watcher Watcher;

struct _Watcher
{
  guint32 word;
  guint n_waits;
  ShndWait *waits;
  Watcher *next;
};

#define MAX_WAITS (SHND_MAX_FUTEXES - 1)

/* How long a thread stays that has nothing to wait for, in microseconds: the next call is often the
 * next line of a loop. */
#define LINGER (2 * G_USEC_PER_SEC)

static GMutex mutex; /* for all watchers, and all that is in their lists */
static Watcher *watchers;

gboolean
shnd_wait_get_deadline (gint64 timeout, gint64 *deadline, GError **error)
{
  *deadline = -1;
  if (timeout < -1)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "A timeout of %" G_GINT64_FORMAT " µs: expected 0 or more, or -1 for ever",
                   timeout);
      return FALSE;
    }

  if (timeout >= 0)
    {
      gint64 now = g_get_monotonic_time ();

      if (timeout <= G_MAXINT64 - now)
        *deadline = now + timeout;
    }

  return TRUE;
}

void
shnd_wait_poll (struct pollfd *fds, guint n_fds, gint64 deadline)
{
  struct timespec time = { 0 };

  if (deadline >= 0)
    {
      gint64 left = MAX (deadline - g_get_monotonic_time (), 0);

      time.tv_sec = left / G_USEC_PER_SEC;
      time.tv_nsec = left % G_USEC_PER_SEC * 1000;
    }

  ppoll (fds, n_fds, deadline >= 0 ? &time : NULL, NULL);
}

gboolean
shnd_wait_init (ShndWait *self,
                ShndArray *array,
                ShndAccess access,
                gint64 timeout,
                GCancellable *cancellable,
                GError **error)
{
  ShndSegment *segment;
  gint64 deadline;

  if (!shnd_wait_get_deadline (timeout, &deadline, error))
    return FALSE;

  segment = _shnd_array_acquire (array, access, error);
  if (segment == NULL)
    return FALSE;

  if (!shnd_lock_check (segment, error))
    {
      shnd_segment_unref (segment);
      return FALSE;
    }

  *self = (ShndWait){ .array = array, .segment = segment, .deadline = deadline };
  if (cancellable != NULL)
    self->cancellable = g_object_ref (cancellable);

  return TRUE;
}

gint64
shnd_wait_get_now (ShndWait *self)
{
  if (self->now < 0)
    self->now = g_get_monotonic_time ();

  return self->now;
}

void
shnd_wait_clear (ShndWait *self)
{
  g_clear_pointer (&self->segment, shnd_segment_unref);
  g_clear_object (&self->cancellable);
  if (self->data_free != NULL)
    self->data_free (self->data);
}

void
shnd_wait_free (ShndWait *self)
{
  shnd_wait_clear (self);
  g_free (self);
}

static ShndWaitResult
try_step (ShndWait *self, ShndFutex *futex, gint64 *wake_time, GError **error)
{
  ShndWaitResult result;

  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return SHND_WAIT_FAILED;

  if (!self->endless && shnd_array_get_closed (self->array))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                           "The array was closed while waiting");
      return SHND_WAIT_FAILED;
    }

  self->now = -1;
  *wake_time = -1;
  result = self->step (self, futex, wake_time, error);
  if (result != SHND_WAIT_SLEEP || self->deadline < 0)
    return result;

  if (shnd_wait_get_now (self) >= self->deadline)
    {
      const char *name = shnd_array_get_name (self->array);

      g_set_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT, "The array “%s” %s",
                   name != NULL ? name : "(without name)", self->missed);
      return SHND_WAIT_FAILED;
    }

  if (*wake_time < 0 || *wake_time > self->deadline)
    *wake_time = self->deadline;

  return SHND_WAIT_SLEEP;
}

/* One look. Sleep is not an answer after the deadline. */
static ShndWaitResult
look (ShndWait *self, ShndFutex *futex, gint64 *wake_time, GError **error)
{
  ShndWaitResult result = try_step (self, futex, wake_time, error);

  /* It may have been this one that was woken, and another one would have taken the lock. */
  if (result == SHND_WAIT_FAILED && self->contended)
    shnd_futex_wake (&self->segment->control->lock, 1, TRUE);

  return result;
}

/* ---- In the calling thread ---- */

static void
interrupt (ShndArray *array)
{
  __atomic_add_fetch (&array->interrupts, 1, __ATOMIC_SEQ_CST);
  shnd_futex_wake (&array->interrupts, G_MAXINT, FALSE);
}

static void
interrupt_cb (GCancellable *cancellable, gpointer user_data)
{
  interrupt (user_data);
}

gboolean
shnd_wait_run (ShndWait *self, GError **error)
{
  ShndWaitResult result;
  gulong id = 0;

  if (self->cancellable != NULL)
    id = g_cancellable_connect (self->cancellable, G_CALLBACK (interrupt_cb), self->array, NULL);

  while (TRUE)
    {
      ShndFutex futexes[2];
      gint64 wake_time;

      /* Before the look, so that nothing is missed between that and the sleep. */
      futexes[1].word = &self->array->interrupts;
      futexes[1].expected = __atomic_load_n (futexes[1].word, __ATOMIC_SEQ_CST);
      futexes[1].shared = FALSE;

      result = look (self, &futexes[0], &wake_time, error);
      if (result != SHND_WAIT_SLEEP)
        break;

      /* To sleep on one word costs the kernel less. */
      shnd_futex_wait (futexes, shnd_thread_is_alone () ? 1 : 2, wake_time);
    }

  g_cancellable_disconnect (self->cancellable, id);

  return result == SHND_WAIT_DONE;
}

/* ---- In a thread for all ---- */

static void
wake (Watcher *watcher)
{
  __atomic_add_fetch (&watcher->word, 1, __ATOMIC_SEQ_CST);
  shnd_futex_wake (&watcher->word, 1, FALSE);
}

static void
unlink_wait (ShndWait *self)
{
  Watcher *watcher = self->watcher;

  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    watcher->waits = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  self->previous = NULL;
  self->next = NULL;
  self->watcher = NULL;
  watcher->n_waits--;
}

/* Gives the task its result. Not with the mutex: the array may go with the task. */
static void
finish (ShndWait *self, GError *error)
{
  GTask *task = self->task;

  g_cancellable_disconnect (self->cancellable, self->cancelled_id);
  /* The wait itself stays until its results are fetched. */
  g_clear_pointer (&self->segment, shnd_segment_unref);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Looks at all waits. Fills in what to sleep on; takes out of the list what is over, one at most,
 * with its error if there is one. */
static ShndWait *
look_at_all (
    Watcher *watcher, ShndFutex *futexes, guint *n_futexes, gint64 *wake_time, GError **error)
{
  *n_futexes = 1;
  *wake_time = -1;

  for (ShndWait *wait = watcher->waits; wait != NULL; wait = wait->next)
    {
      gint64 time;

      if (look (wait, &futexes[*n_futexes], &time, error) != SHND_WAIT_SLEEP)
        {
          unlink_wait (wait);
          return wait;
        }

      ++*n_futexes;
      if (time >= 0 && (*wake_time < 0 || time < *wake_time))
        *wake_time = time;
    }

  return NULL;
}

static gpointer
watch (gpointer data)
{
  Watcher *watcher = data;
  gint64 idle_since = -1;

  g_mutex_lock (&mutex);
  while (TRUE)
    {
      ShndFutex futexes[SHND_MAX_FUTEXES];
      gint64 now, wake_time;
      guint n_futexes;
      GError *error = NULL;
      ShndWait *over;

      futexes[0].word = &watcher->word;
      futexes[0].expected = __atomic_load_n (futexes[0].word, __ATOMIC_SEQ_CST);
      futexes[0].shared = FALSE;

      over = look_at_all (watcher, futexes, &n_futexes, &wake_time, &error);
      if (over != NULL)
        {
          idle_since = -1;
          g_mutex_unlock (&mutex);
          finish (over, error);
          g_mutex_lock (&mutex);
          continue;
        }

      if (watcher->n_waits > 0)
        {
          idle_since = -1;
        }
      else
        {
          now = g_get_monotonic_time ();
          if (idle_since < 0)
            idle_since = now;
          if (now >= idle_since + LINGER)
            break;
          wake_time = idle_since + LINGER;
        }

      g_mutex_unlock (&mutex);
      /* What is waited for may go meanwhile: then the kernel has a page of its own to sleep on, or
       * finds none and does not sleep. */
      shnd_futex_wait (futexes, n_futexes, wake_time);
      g_mutex_lock (&mutex);
    }

  for (Watcher **link = &watchers; *link != NULL; link = &(*link)->next)
    {
      if (*link == watcher)
        {
          *link = watcher->next;
          break;
        }
    }
  g_mutex_unlock (&mutex);
  g_free (watcher);

  return NULL;
}

/* A watcher with an empty list. */
static Watcher *
start_watcher (GError **error)
{
  Watcher *watcher = g_new0 (Watcher, 1);
  GThread *thread = shnd_thread_start ("shnd-watch", watch, watcher, error);

  if (thread == NULL)
    {
      g_prefix_error (error, "Cannot wait for an array: ");
      g_free (watcher);
      return NULL;
    }

  g_thread_unref (thread);
  watcher->next = watchers;
  watchers = watcher;

  return watcher;
}

gboolean
shnd_wait_begin (ShndWait *self, GError **error)
{
  Watcher *watcher;

  g_mutex_lock (&mutex);
  for (watcher = watchers; watcher != NULL && watcher->n_waits >= MAX_WAITS;
       watcher = watcher->next)
    ;

  if (watcher == NULL)
    watcher = start_watcher (error);
  if (watcher != NULL)
    {
      self->watcher = watcher;
      self->next = watcher->waits;
      if (self->next != NULL)
        self->next->previous = self;
      watcher->waits = self;
      watcher->n_waits++;
      wake (watcher);
    }
  g_mutex_unlock (&mutex);

  return watcher != NULL;
}

void
shnd_wait_end (ShndWait *self)
{
  g_mutex_lock (&mutex);
  wake (self->watcher);
  unlink_wait (self);
  g_mutex_unlock (&mutex);

  shnd_wait_free (self);
}

static void
wake_all (void)
{
  g_mutex_lock (&mutex);
  for (Watcher *watcher = watchers; watcher != NULL; watcher = watcher->next)
    wake (watcher);
  g_mutex_unlock (&mutex);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  wake_all ();
}

void
shnd_wait_run_async (ShndWait *self, GTask *task)
{
  GError *error = NULL;

  self->task = g_object_ref (task);
  g_task_set_task_data (task, self, (GDestroyNotify) shnd_wait_free);
  if (self->cancellable != NULL)
    self->cancelled_id =
        g_cancellable_connect (self->cancellable, G_CALLBACK (cancelled_cb), NULL, NULL);

  if (!shnd_wait_begin (self, &error))
    finish (self, error);
}

void
shnd_wait_interrupt (ShndArray *array)
{
  if (!shnd_thread_is_alone ())
    interrupt (array);
  if (g_atomic_pointer_get (&watchers) != NULL)
    wake_all ();
}

/* ---- Fork ---- */

void
shnd_wait_before_fork (void)
{
  g_mutex_lock (&mutex);
}

void
shnd_wait_after_fork (gboolean child)
{
  /* The threads are the parent's. Their lists stay, as arrays know their places in them. */
  if (child)
    watchers = NULL;

  g_mutex_unlock (&mutex);
}
