/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-subscriber-private.h"

#include "shnd-wait-private.h"

/* Receiving in main loops: with a callback for one frame, or a signal for each. */

/* How many frames come as signals before others of the main loop have their turn. */
#define MAX_FRAMES 8

/* ---- A source for both ---- */

typedef struct
{
  GSource source;
  GTask *task; /* whose source object is the subscriber; or NULL for the signal */
  gint64 deadline;
  GWeakRef subscriber; /* for the signal: another thread may drop the last reference meanwhile */
} ReceiveSource;

static void
set_wake_time (ReceiveSource *self, ShndReceiveResult result)
{
  gint64 time = self->deadline;

  if (result == SHND_RECEIVE_NAP)
    {
      gint64 nap_end = g_get_monotonic_time () + SHND_NAP;

      time = time < 0 ? nap_end : MIN (time, nap_end);
    }

  g_source_set_ready_time (&self->source, time);
}

/* Gives the task its result, if there is one. */
static gboolean
try_task (ReceiveSource *self)
{
  GCancellable *cancellable = g_task_get_cancellable (self->task);
  ShndSubscriber *subscriber = g_task_get_source_object (self->task);
  ShndFrame *frame = NULL;
  GError *error = NULL;
  ShndReceiveResult result;
  gboolean is_last;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    {
      g_task_return_error (self->task, error);
      return TRUE;
    }

  is_last = self->deadline >= 0 && g_get_monotonic_time () >= self->deadline;
  result = _shnd_subscriber_try (subscriber, is_last, &frame, &error);
  if (result == SHND_RECEIVE_DONE)
    {
      g_task_return_pointer (self->task, frame, g_object_unref);
      return TRUE;
    }

  if (result != SHND_RECEIVE_FAILED && is_last)
    {
      _shnd_subscriber_set_timed_out (subscriber, &error);
      result = SHND_RECEIVE_FAILED;
    }
  if (result == SHND_RECEIVE_FAILED)
    {
      g_task_return_error (self->task, error);
      return TRUE;
    }

  set_wake_time (self, result);
  return FALSE;
}

static gboolean
dispatch_task (ReceiveSource *self)
{
  return try_task (self) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
finish_watch (ShndSubscriber *self, GSource *source, GError *error)
{
  gboolean was_watching;

  if (!_shnd_subscriber_enter (self))
    return;

  was_watching = self->watch == source;
  if (was_watching)
    g_clear_pointer (&self->watch, g_source_unref);
  g_mutex_unlock (&self->mutex);

  if (was_watching)
    {
      _shnd_subscriber_notify_watching (self);
      _shnd_subscriber_emit_ended (self, error);
    }
}

static gboolean
dispatch_watch (ReceiveSource *self)
{
  GSource *source = &self->source;
  g_autoptr (ShndSubscriber) subscriber = g_weak_ref_get (&self->subscriber);

  if (subscriber == NULL)
    return G_SOURCE_REMOVE;

  for (guint i = 0; i < MAX_FRAMES && !g_source_is_destroyed (source); i++)
    {
      g_autoptr (ShndFrame) frame = NULL;
      g_autoptr (GError) error = NULL;

      switch (_shnd_subscriber_try (subscriber, FALSE, &frame, &error))
        {
        case SHND_RECEIVE_DONE:
          _shnd_subscriber_emit_frame (subscriber, frame);
          break;

        case SHND_RECEIVE_FAILED:
          finish_watch (subscriber, source, error);
          return G_SOURCE_REMOVE;

        case SHND_RECEIVE_SLEEP:
          set_wake_time (self, SHND_RECEIVE_SLEEP);
          return G_SOURCE_CONTINUE;

        case SHND_RECEIVE_NAP:
          set_wake_time (self, SHND_RECEIVE_NAP);
          return G_SOURCE_CONTINUE;
        }
    }

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ReceiveSource *self = (ReceiveSource *) source;

  return self->task != NULL ? dispatch_task (self) : dispatch_watch (self);
}

static void
finalize (GSource *source)
{
  ReceiveSource *self = (ReceiveSource *) source;

  g_clear_object (&self->task);
  g_weak_ref_clear (&self->subscriber);
}

static GSourceFuncs receive_funcs = { .dispatch = dispatch, .finalize = finalize };

static ReceiveSource *
receive_source_new (ShndSubscriber *subscriber, GTask *task, gint64 deadline)
{
  GSource *source = g_source_new (&receive_funcs, sizeof (ReceiveSource));
  ReceiveSource *self = (ReceiveSource *) source;

  g_weak_ref_init (&self->subscriber, task == NULL ? subscriber : NULL);
  self->task = task != NULL ? g_object_ref (task) : NULL;
  self->deadline = deadline;
  g_source_set_static_name (source, "ShndSubscriber");
  g_source_add_unix_fd (source, _shnd_subscriber_get_epoll (subscriber), G_IO_IN);

  return self;
}

/* ---- One frame ---- */

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/**
 * shnd_subscriber_receive_async:
 * @self: a subscriber
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @callback: (scope async) (closure user_data): called when there is a frame, or not
 * @user_data: for @callback
 *
 * Receives the next frame, without blocking.
 *
 * See [method@Shnd.Subscriber.receive].
 */
void
shnd_subscriber_receive_async (ShndSubscriber *self,
                               gint64 timeout,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;
  ReceiveSource *receive;
  GError *error = NULL;
  gint64 deadline;

  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, shnd_subscriber_receive_async);
  /* Cancelled when there is a frame already, it has not failed. */
  g_task_set_check_cancellable (task, FALSE);

  if (!shnd_wait_get_deadline (timeout, &deadline, &error) ||
      !_shnd_subscriber_check (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  receive = receive_source_new (self, task, deadline);
  source = &receive->source;
  if (try_task (receive))
    return;

  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_callback (child, G_SOURCE_FUNC (cancelled_cb), NULL, NULL);
      g_source_add_child_source (source, child);
    }
  g_source_attach (source, g_task_get_context (task));
}

/**
 * shnd_subscriber_receive_finish:
 * @self: a subscriber
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets the frame that [method@Shnd.Subscriber.receive_async] has received.
 *
 * Returns: (transfer full): the frame
 */
ShndFrame *
shnd_subscriber_receive_finish (ShndSubscriber *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_subscriber_receive_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- A signal for each ---- */

/**
 * shnd_subscriber_watch:
 * @self: a subscriber
 * @error: return location for an error
 *
 * Begins to emit [signal@Shnd.Subscriber::frame] for each frame, in the main context that is the
 * calling thread's default.
 *
 * Does nothing if it does so already. Fails with %SHND_ERROR_CLOSED.
 *
 * Returns: whether the frames come as signals
 */
gboolean
shnd_subscriber_watch (ShndSubscriber *self, GError **error)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GSource) source = NULL;
  ReceiveSource *receive;
  gboolean valid, begun = FALSE;

  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  if (!_shnd_subscriber_check (self, error))
    return FALSE;

  context = g_main_context_ref_thread_default ();
  receive = receive_source_new (self, NULL, -1);
  source = &receive->source;
  g_source_set_ready_time (source, 0);

  g_mutex_lock (&self->mutex);
  valid = _shnd_subscriber_check (self, error);
  if (valid && self->watch == NULL)
    {
      begun = TRUE;
      self->watch = g_source_ref (source);
      g_source_attach (source, context);
    }
  g_mutex_unlock (&self->mutex);

  if (begun)
    _shnd_subscriber_notify_watching (self);

  return valid;
}

/**
 * shnd_subscriber_unwatch:
 * @self: a subscriber
 *
 * Ends what [method@Shnd.Subscriber.watch] has begun. The connection stays.
 */
void
shnd_subscriber_unwatch (ShndSubscriber *self)
{
  GSource *source;

  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  if (!_shnd_subscriber_enter (self))
    return;

  source = g_steal_pointer (&self->watch);
  g_mutex_unlock (&self->mutex);

  if (source != NULL)
    {
      g_source_destroy (source);
      g_source_unref (source);
      _shnd_subscriber_notify_watching (self);
    }
}
