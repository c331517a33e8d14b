/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error.h"
#include "shnd-lock-private.h"

/* The lock of ShndArray. */

static gboolean
try_lock (ShndArray *self)
{
  gboolean taken;

  _shnd_array_enter (self);
  taken = self->segment != NULL && (self->access & SHND_ACCESS_WRITE) != 0 &&
          shnd_lock_try (self->segment, self);
  _shnd_array_leave (self);

  return taken;
}

static gboolean
init_wait (
    ShndWait *wait, ShndArray *self, gint64 timeout, GCancellable *cancellable, GError **error)
{
  if (!shnd_wait_init (wait, self, SHND_ACCESS_WRITE, timeout, cancellable, error))
    return FALSE;

  wait->step = shnd_lock_step;
  wait->missed = "is locked, and was not unlocked in time";

  return TRUE;
}

/**
 * shnd_array_lock:
 * @self: an array that is open for writing
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @recovered: (out) (optional): return location for whether the last owner died with the lock
 * @error: return location for an error
 *
 * Takes the lock of the array, and waits until it is free if need be.
 *
 * There is one lock for all handles on one file, in all processes. It belongs to the handle, not to
 * the thread: the same handle cannot take it twice, any thread may give it back, and another handle
 * on the same array, a view for example, waits for it like another process. It goes back with
 * [method@Shnd.Array.unlock], or when the handle is closed or freed.
 *
 * The lock only keeps out those who ask for it, too. Nobody is kept from reading or writing the
 * elements.
 *
 * An owner that dies, however that happens, loses the lock at once. Those who wait notice it within
 * some 40 milliseconds; the one that gets the lock then is told so by @recovered, as the elements
 * may be half written. Threads that wait are served in no particular order.
 *
 * Fails with %SHND_ERROR_TIMED_OUT; with `G_IO_ERROR_CANCELLED`; with %SHND_ERROR_READ_ONLY if the
 * array was opened for reading; with %SHND_ERROR_UNSUPPORTED if it has no lock, as a `.npy` file
 * that another program made, or memory without a header; with %SHND_ERROR_CLOSED if the array is
 * closed, or is closed meanwhile; with %SHND_ERROR_NO_SPACE if there is no file descriptor left.
 *
 * Returns: whether the handle has the lock now
 */
gboolean
shnd_array_lock (
    ShndArray *self, gint64 timeout, GCancellable *cancellable, gboolean *recovered, GError **error)
{
  g_auto (ShndWait) wait = { NULL };

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  if (recovered != NULL)
    *recovered = FALSE;

  /* Most often it is free, and there is nothing to be arranged. */
  if (cancellable == NULL && timeout >= -1 && try_lock (self))
    return TRUE;

  if (!init_wait (&wait, self, timeout, cancellable, error) || !shnd_wait_run (&wait, error))
    return FALSE;

  if (recovered != NULL)
    *recovered = wait.recovered;
  return TRUE;
}

/**
 * shnd_array_lock_async:
 * @self: an array that is open for writing
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the handle has the lock, or
 *   the attempt has failed
 * @user_data: data for @callback
 *
 * Takes the lock of the array as [method@Shnd.Array.lock] does, without blocking the caller.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [method@Shnd.Array.lock_finish].
 */
void
shnd_array_lock_async (ShndArray *self,
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
  g_task_set_source_tag (task, shnd_array_lock_async);
  /* Who is cancelled in the moment of success has the lock, and has to know. */
  g_task_set_check_cancellable (task, FALSE);

  wait = g_new0 (ShndWait, 1);
  if (init_wait (wait, self, timeout, cancellable, &error))
    shnd_wait_run_async (g_steal_pointer (&wait), task);
  else
    g_task_return_error (task, error);
}

/**
 * shnd_array_lock_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.lock_async] got
 * @recovered: (out) (optional): return location for whether the last owner died with the lock
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.lock_async].
 *
 * Fails with the errors of [method@Shnd.Array.lock].
 *
 * Returns: whether the handle has the lock
 */
gboolean
shnd_array_lock_finish (ShndArray *self, GAsyncResult *result, gboolean *recovered, GError **error)
{
  ShndWait *wait;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_lock_async), FALSE);

  wait = g_task_get_task_data (G_TASK (result));
  if (recovered != NULL)
    *recovered = wait != NULL && wait->recovered;

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * shnd_array_unlock:
 * @self: an array
 * @error: return location for an error
 *
 * Gives the lock back, and wakes one of those who wait for it.
 *
 * Fails with %SHND_ERROR_NOT_LOCKED if this handle does not have it, and with %SHND_ERROR_CLOSED if
 * the array is closed, which gave it back.
 *
 * Returns: whether the handle had the lock
 */
gboolean
shnd_array_unlock (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  gboolean released, wake = FALSE;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  _shnd_array_enter (self);
  released = self->segment != NULL && shnd_lock_release (self->segment, self, TRUE, &wake);
  if (wake)
    segment = shnd_segment_ref (self->segment);
  _shnd_array_leave (self);

  if (wake)
    shnd_lock_wake (segment);
  if (released)
    return TRUE;

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return FALSE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_LOCKED,
                       "The array is not locked by this handle: expected one that has the lock");
  return FALSE;
}

/**
 * shnd_array_get_locked: (get-property locked)
 * @self: an array
 *
 * Gets whether this handle has the lock of the array.
 *
 * Returns: whether it has
 */
gboolean
shnd_array_get_locked (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, NULL);

  return segment != NULL && g_atomic_pointer_get (&segment->lock.holder) == (gpointer) self;
}
