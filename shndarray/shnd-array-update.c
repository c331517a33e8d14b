/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error.h"
#include "shnd-lock-private.h"

/* The change counter of ShndArray. */

/* What a copy has in its place is the counter of another file, until it has one of its own. */
static guint64
load (const ShndSegment *segment)
{
  if (!shnd_control_is_own (segment->control, &segment->info))
    return 0;

  return GUINT64_FROM_LE (__atomic_load_n (&segment->control->sequence, __ATOMIC_SEQ_CST));
}

static void
add_one (ShndSegment *segment)
{
  guint64 *counter = &segment->control->sequence;

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
#else
  guint64 value = __atomic_load_n (counter, __ATOMIC_SEQ_CST);

  while (!__atomic_compare_exchange_n (counter, &value, GUINT64_TO_LE (GUINT64_FROM_LE (value) + 1),
                                       FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    ;
#endif
}

/* A futex has 32 bits: the lower ones, which come first. */
static const guint32 *
get_futex_word (const ShndSegment *segment)
{
  return (const guint32 *) &segment->control->sequence;
}

static ShndWaitResult
wait_step (ShndWait *wait, ShndFutex *futex, gint64 *wake_time, GError **error)
{
  futex->word = get_futex_word (wait->segment);
  futex->expected = __atomic_load_n (futex->word, __ATOMIC_SEQ_CST);
  futex->shared = TRUE;

  wait->sequence = load (wait->segment);

  return wait->sequence != wait->since ? SHND_WAIT_DONE : SHND_WAIT_SLEEP;
}

static gboolean
init_wait (ShndWait *wait,
           ShndArray *self,
           guint64 since,
           gint64 timeout,
           GCancellable *cancellable,
           GError **error)
{
  if (!shnd_wait_init (wait, self, SHND_ACCESS_READ, timeout, cancellable, error))
    return FALSE;

  wait->step = wait_step;
  wait->missed = "was not updated in time";
  wait->since = since;

  return TRUE;
}

/**
 * shnd_array_update:
 * @self: an array that is open for writing
 * @error: return location for an error
 *
 * Adds one to the change counter of the array, and wakes all who wait for that.
 *
 * It says that the elements have changed; it changes nothing by itself, and elements that are
 * written without it change all the same. What was written before this call is seen by those whom
 * it wakes.
 *
 * Fails with %SHND_ERROR_READ_ONLY if the array was opened for reading, with
 * %SHND_ERROR_UNSUPPORTED if it has no change counter (see [method@Shnd.Array.lock]), and with
 * %SHND_ERROR_CLOSED if it is closed.
 *
 * Returns: whether the counter was increased
 */
gboolean
shnd_array_update (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_WRITE, error);
  if (segment == NULL)
    return FALSE;

  if (!shnd_lock_check (segment, error) || !shnd_lock_adopt (segment, error))
    return FALSE;

  add_one (segment);
  shnd_futex_wake (get_futex_word (segment), G_MAXINT, TRUE);

  return TRUE;
}

/**
 * shnd_array_get_sequence: (get-property sequence)
 * @self: an array
 *
 * Gets the change counter of the array: how often [method@Shnd.Array.update] was called on it, by
 * whomever.
 *
 * Returns: the counter; 0 if the array has none, or is closed
 */
guint64
shnd_array_get_sequence (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, NULL);

  return segment != NULL && segment->control != NULL ? load (segment) : 0;
}

/**
 * shnd_array_wait:
 * @self: an array
 * @since: what the change counter was
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @sequence: (out) (optional): return location for the change counter
 * @error: return location for an error
 *
 * Waits until the change counter is something else than @since.
 *
 * That may be so at once. Who looks at the counter first, and at the elements then, misses nothing:
 *
 * ```c
 * guint64 sequence = shnd_array_get_sequence (array);
 *
 * do
 *   look_at (array);
 * while (shnd_array_wait (array, sequence, -1, NULL, &sequence, &error));
 * ```
 *
 * An array that was opened for reading will do.
 *
 * Fails with %SHND_ERROR_TIMED_OUT; with `G_IO_ERROR_CANCELLED`; with %SHND_ERROR_UNSUPPORTED if the
 * array has no change counter (see [method@Shnd.Array.lock]); with %SHND_ERROR_CLOSED if it is
 * closed, or is closed meanwhile.
 *
 * Returns: whether the counter is another one
 */
gboolean
shnd_array_wait (ShndArray *self,
                 guint64 since,
                 gint64 timeout,
                 GCancellable *cancellable,
                 guint64 *sequence,
                 GError **error)
{
  g_auto (ShndWait) wait = { NULL };

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  if (sequence != NULL)
    *sequence = since;

  if (!init_wait (&wait, self, since, timeout, cancellable, error) || !shnd_wait_run (&wait, error))
    return FALSE;

  if (sequence != NULL)
    *sequence = wait.sequence;
  return TRUE;
}

/**
 * shnd_array_wait_async:
 * @self: an array
 * @since: what the change counter was
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the counter is another one,
 *   or the attempt has failed
 * @user_data: data for @callback
 *
 * Waits as [method@Shnd.Array.wait] does, without blocking the caller.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [method@Shnd.Array.wait_finish].
 */
void
shnd_array_wait_async (ShndArray *self,
                       guint64 since,
                       gint64 timeout,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (ShndWait) wait = NULL;
  GError *error = NULL;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, shnd_array_wait_async);

  wait = g_new0 (ShndWait, 1);
  if (init_wait (wait, self, since, timeout, cancellable, &error))
    shnd_wait_run_async (g_steal_pointer (&wait), task);
  else
    g_task_return_error (task, error);
}

/**
 * shnd_array_wait_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.wait_async] got
 * @sequence: (out) (optional): return location for the change counter
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.wait_async].
 *
 * Fails with the errors of [method@Shnd.Array.wait].
 *
 * Returns: whether the counter is another one
 */
gboolean
shnd_array_wait_finish (ShndArray *self, GAsyncResult *result, guint64 *sequence, GError **error)
{
  ShndWait *wait;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_wait_async), FALSE);

  wait = g_task_get_task_data (G_TASK (result));
  if (sequence != NULL)
    *sequence = wait != NULL ? wait->sequence : 0;

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- The signal ---- */

/* What brings the counter to a main context: at most one source of it is there at a time. */
typedef struct
{
  gatomicrefcount ref_count;
  GWeakRef array;
  GMainContext *context;
  guint64 sequence; /* atomic: the latest */
  gint pending;
  gint ended;
} Emitter;

static Emitter *
emitter_ref (Emitter *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

static void
emitter_unref (gpointer data)
{
  Emitter *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_weak_ref_clear (&self->array);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
emitter_end (gpointer data)
{
  Emitter *self = data;

  g_atomic_int_set (&self->ended, TRUE);
  emitter_unref (self);
}

static gboolean
emit_cb (gpointer data)
{
  Emitter *self = data;
  g_autoptr (ShndArray) array = g_weak_ref_get (&self->array);
  guint64 sequence;

  /* What comes from here on is another emission. */
  g_atomic_int_set (&self->pending, FALSE);
  sequence = __atomic_load_n (&self->sequence, __ATOMIC_SEQ_CST);

  if (array != NULL && !g_atomic_int_get (&self->ended))
    _shnd_array_emit_updated (array, sequence);

  return G_SOURCE_REMOVE;
}

static ShndWaitResult
watch_step (ShndWait *wait, ShndFutex *futex, gint64 *wake_time, GError **error)
{
  Emitter *emitter = wait->data;

  if (wait_step (wait, futex, wake_time, error) == SHND_WAIT_DONE)
    {
      wait->since = wait->sequence;
      __atomic_store_n (&emitter->sequence, wait->sequence, __ATOMIC_SEQ_CST);
      if (g_atomic_int_compare_and_exchange (&emitter->pending, FALSE, TRUE))
        {
          g_autoptr (GSource) source = g_idle_source_new ();

          g_source_set_priority (source, G_PRIORITY_DEFAULT);
          g_source_set_callback (source, emit_cb, emitter_ref (emitter), emitter_unref);
          g_source_set_static_name (source, "[shnd] updated");
          g_source_attach (source, emitter->context);
        }
    }

  return SHND_WAIT_SLEEP;
}

/**
 * shnd_array_watch:
 * @self: an array
 * @error: return location for an error
 *
 * Begins to emit [signal@Shnd.Array::updated], in the thread-default main context of the caller.
 *
 * It ends with [method@Shnd.Array.unwatch], or when the array is closed or freed; watching does not
 * keep the array. Nothing polls: a thread of the library sleeps until a counter changes, one for
 * many arrays. If the array is watched already, nothing changes.
 *
 * A child that was forked watches nothing until it calls this on an array that it opened itself.
 *
 * Fails with %SHND_ERROR_UNSUPPORTED if the array has no change counter (see
 * [method@Shnd.Array.lock]), and with %SHND_ERROR_CLOSED if it is closed.
 *
 * Returns: whether the array is watched
 */
gboolean
shnd_array_watch (ShndArray *self, GError **error)
{
  g_autoptr (ShndWait) wait = NULL;
  Emitter *emitter;
  gboolean closed;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  if (shnd_array_get_watching (self))
    return TRUE;

  wait = g_new0 (ShndWait, 1);
  if (!shnd_wait_init (wait, self, SHND_ACCESS_READ, -1, NULL, error))
    return FALSE;

  emitter = g_new0 (Emitter, 1);
  g_atomic_ref_count_init (&emitter->ref_count);
  g_weak_ref_init (&emitter->array, self);
  emitter->context = g_main_context_ref_thread_default ();
  wait->data = emitter;
  wait->data_free = emitter_end;
  wait->step = watch_step;
  wait->endless = TRUE;
  wait->since = load (wait->segment);

  if (!shnd_wait_begin (wait, error))
    return FALSE;

  _shnd_array_enter (self);
  closed = self->segment == NULL;
  if (!closed && self->watch == NULL)
    g_atomic_pointer_set (&self->watch, g_steal_pointer (&wait));
  _shnd_array_leave (self);

  if (wait == NULL)
    {
      g_object_notify (G_OBJECT (self), "watching");
      return TRUE;
    }

  /* Another thread was faster. */
  shnd_wait_end (g_steal_pointer (&wait));
  if (closed)
    g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                         "The array is closed: expected one that is open");
  return !closed;
}

/**
 * shnd_array_unwatch:
 * @self: an array
 *
 * Ends what [method@Shnd.Array.watch] began. If nothing did, nothing happens.
 */
void
shnd_array_unwatch (ShndArray *self)
{
  ShndWait *wait;

  g_return_if_fail (SHND_IS_ARRAY (self));

  _shnd_array_enter (self);
  wait = g_steal_pointer (&self->watch);
  _shnd_array_leave (self);

  if (wait != NULL)
    {
      shnd_wait_end (wait);
      g_object_notify (G_OBJECT (self), "watching");
    }
}

/**
 * shnd_array_get_watching: (get-property watching)
 * @self: an array
 *
 * Gets whether this handle emits [signal@Shnd.Array::updated].
 *
 * Returns: whether it does
 */
gboolean
shnd_array_get_watching (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  return g_atomic_pointer_get (&self->watch) != NULL;
}
