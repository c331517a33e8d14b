/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-publisher-private.h"

#include "shnd-array-private.h"
#include "shnd-error.h"
#include "shnd-frame-private.h"
#include "shnd-task-private.h"
#include "shnd-wait-private.h"

#include <string.h>
#include <time.h>

/* What a publisher does: acquiring and publishing frames, and waiting for subscribers. */

static gboolean
check_hub (ShndPublisher *self, GError **error)
{
  if (self->hub != NULL)
    return shnd_hub_check (self->hub, error);

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                       "The publisher has no address: expected one made with an address");
  return FALSE;
}

/* ---- Acquiring ---- */

static ShndFrame *
acquire (ShndPublisher *self,
         ShndLayout *layout,
         gint64 deadline,
         GCancellable *cancellable,
         GError **error)
{
  g_autoptr (ShndHold) hold = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  ShndFrame *frame;

  hold = shnd_hub_acquire (self->hub, shnd_layout_get_n_bytes (layout), deadline, cancellable,
                           &segment, error);
  if (hold == NULL)
    return NULL;

  layout->data = segment->data;
  frame = g_object_new (SHND_TYPE_FRAME, NULL);
  _shnd_frame_set_memory (frame, SHND_FRAME_ACQUIRED, hold, segment, layout);

  return frame;
}

/**
 * shnd_publisher_acquire:
 * @self: a publisher
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @error: return location for an error
 *
 * Gets a frame to fill and to publish.
 *
 * What its array holds is what some earlier frame has left there: all elements should be written. It
 * is in C order. A frame that is not published after all goes back when it is released or dropped.
 *
 * It has to wait only if there are [property@Shnd.Publisher:max-frames] already, and all of them are
 * held.
 *
 * Fails with %SHND_ERROR_TIMED_OUT; with `G_IO_ERROR_CANCELLED`, if it was cancelled before also when
 * there is nothing to wait for; with %SHND_ERROR_INVALID_SHAPE; with %SHND_ERROR_NO_SPACE if there is
 * no memory for another frame; with %SHND_ERROR_CLOSED; with %SHND_ERROR_INVALID_ARGUMENT for a
 * timeout below -1.
 *
 * Returns: (transfer full): the frame
 */
ShndFrame *
shnd_publisher_acquire (ShndPublisher *self,
                        ShndDType *dtype,
                        const gint64 *shape,
                        guint n_dims,
                        gint64 timeout,
                        GCancellable *cancellable,
                        GError **error)
{
  ShndLayout layout;
  gint64 deadline;

  g_return_val_if_fail (SHND_IS_PUBLISHER (self), NULL);
  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!check_hub (self, error) || !shnd_wait_get_deadline (timeout, &deadline, error) ||
      !shnd_layout_init (&layout, dtype, shape, n_dims, FALSE, error))
    return NULL;

  _shnd_publisher_serve (self);

  return acquire (self, &layout, deadline, cancellable, error);
}

/* Work for another thread, of any of the three kinds. */
typedef struct
{
  ShndPublisher *publisher;
  gint64 deadline;
  ShndLayout layout; /* its dtype is a reference */
  ShndFrame *frame;
  guint n_subscribers;
} Work;

static void
work_free (gpointer data)
{
  Work *self = data;

  g_object_unref (self->publisher);
  g_clear_object (&self->frame);
  g_clear_pointer (&self->layout.dtype, shnd_dtype_unref);
  g_free (self);
}

static Work *
work_new (ShndPublisher *publisher, gint64 deadline)
{
  Work *self = g_new0 (Work, 1);

  self->publisher = g_object_ref (publisher);
  self->deadline = deadline;

  return self;
}

static gboolean
acquire_work (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;

  work->frame = acquire (work->publisher, &work->layout, work->deadline, cancellable, error);

  return work->frame != NULL;
}

/**
 * shnd_publisher_acquire_async:
 * @self: a publisher
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @callback: (scope async) (closure user_data): called when there is one, or not
 * @user_data: for @callback
 *
 * Gets a frame to fill and to publish, without blocking.
 *
 * See [method@Shnd.Publisher.acquire].
 */
void
shnd_publisher_acquire_async (ShndPublisher *self,
                              ShndDType *dtype,
                              const gint64 *shape,
                              guint n_dims,
                              gint64 timeout,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GError *error = NULL;
  Work *work = NULL;
  ShndLayout layout;
  gint64 deadline;

  g_return_if_fail (SHND_IS_PUBLISHER (self));
  g_return_if_fail (dtype != NULL);
  g_return_if_fail (shape != NULL || n_dims == 0);

  if (check_hub (self, &error) && shnd_wait_get_deadline (timeout, &deadline, &error) &&
      shnd_layout_init (&layout, dtype, shape, n_dims, FALSE, &error))
    {
      _shnd_publisher_serve (self);
      work = work_new (self, deadline);
      work->layout = layout;
      shnd_dtype_ref (work->layout.dtype);
    }

  shnd_task_start (self, shnd_publisher_acquire_async, acquire_work, work, work_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_publisher_acquire_finish:
 * @self: a publisher
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets the frame that [method@Shnd.Publisher.acquire_async] has acquired.
 *
 * Returns: (transfer full): the frame
 */
ShndFrame *
shnd_publisher_acquire_finish (ShndPublisher *self, GAsyncResult *result, GError **error)
{
  Work *work;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_publisher_acquire_async), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  work = shnd_task_get_data (G_TASK (result));

  return g_steal_pointer (&work->frame);
}

/* ---- Repeating ---- */

/* Whether it has been published by this publisher. */
static gboolean
check_published (ShndPublisher *self, ShndFrame *frame, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&frame->mutex);

  if (frame->state == SHND_FRAME_PUBLISHED && frame->hold->owner == self->hub)
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_ACQUIRED,
                       "Cannot repeat the frame: expected one that this publisher has published");
  return FALSE;
}

/**
 * shnd_publisher_repeat:
 * @self: a publisher
 * @frame: a frame that it has published
 * @error: return location for an error
 *
 * Gets a frame to publish whose elements are those of a frame that was published before, without
 * copying them: a picture that stands still, say.
 *
 * The elements can only be read. Metadata and timestamp are to be set anew, and another view of the
 * elements can be published than before. Subscribers get a frame like any other one.
 *
 * The memory must not have been used for another frame since. So @frame has to be the newest one, or
 * something has to show its memory still: bytes, say, that were taken before it was published.
 *
 * Fails with %SHND_ERROR_NOT_ACQUIRED if the memory has gone back, or @frame was not published by this
 * publisher; with %SHND_ERROR_CLOSED.
 *
 * Returns: (transfer full): the frame
 */
ShndFrame *
shnd_publisher_repeat (ShndPublisher *self, ShndFrame *frame, GError **error)
{
  g_autoptr (ShndHold) hold = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  ShndFrame *again;

  g_return_val_if_fail (SHND_IS_PUBLISHER (self), NULL);
  g_return_val_if_fail (SHND_IS_FRAME (frame), NULL);

  if (!check_hub (self, error) || !check_published (self, frame, error))
    return NULL;

  hold = shnd_hub_repeat (self->hub, frame->hold, frame->sequence, &segment, error);
  if (hold == NULL)
    return NULL;

  again = g_object_new (SHND_TYPE_FRAME, NULL);
  _shnd_frame_set_memory (again, SHND_FRAME_ACQUIRED, hold, segment, &frame->own_array->layout);
  if (frame->array != frame->own_array)
    _shnd_frame_set_view (again, segment, &frame->array->layout);

  return again;
}

/* ---- Publishing ---- */

/* With the frame's mutex. */
static gboolean
check_dtype (ShndFrame *frame, GError **error)
{
  gsize length = strlen (shnd_array_get_dtype (frame->array)->description);

  if (length <= SHND_MAX_DTYPE_TEXT)
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE,
               "A dtype with a description of %" G_GSIZE_FORMAT
               " bytes: expected at most %d for a frame",
               length, SHND_MAX_DTYPE_TEXT);
  return FALSE;
}

/* Nobody else can publish or change the frame from here on. */
static gboolean
begin_publishing (ShndPublisher *self, ShndFrame *frame, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&frame->mutex);
  const char *problem = NULL;

  if (frame->state == SHND_FRAME_PUBLISHED || frame->state == SHND_FRAME_PUBLISHING)
    problem = "it was published already";
  else if (frame->state == SHND_FRAME_RECEIVED)
    problem = "it was received from a subscriber";
  else if (frame->state != SHND_FRAME_ACQUIRED)
    problem = "it was not acquired from a publisher";
  else if (frame->hold->owner != self->hub)
    problem = "it was acquired from another publisher";
  else if (shnd_hold_is_given_back (frame->hold) || shnd_array_get_closed (frame->array))
    problem = "it was released";
  if (problem != NULL)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_ACQUIRED, "Cannot publish the frame: %s",
                   problem);
      return FALSE;
    }

  if (!check_dtype (frame, error))
    return FALSE;

  frame->state = SHND_FRAME_PUBLISHING;
  return TRUE;
}

static gint64
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);

  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* The frame is one on which publishing has begun. */
static gboolean
publish (ShndPublisher *self,
         ShndFrame *frame,
         gint64 deadline,
         GCancellable *cancellable,
         GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  const ShndLayout *layout = &frame->array->layout;
  gint64 timestamp = frame->timestamp != -1 ? frame->timestamp : get_time ();
  guint64 sequence;
  gboolean published;

  segment = _shnd_array_acquire (frame->array, SHND_ACCESS_READ, error);
  published =
      segment != NULL &&
      shnd_hub_publish (self->hub, frame->hold, layout, layout->data - segment->data, timestamp,
                        frame->metadata, deadline, cancellable, &sequence, error);

  g_mutex_lock (&frame->mutex);
  frame->state = published ? SHND_FRAME_PUBLISHED : SHND_FRAME_ACQUIRED;
  if (published)
    {
      frame->sequence = sequence;
      frame->timestamp = timestamp;
    }
  g_mutex_unlock (&frame->mutex);

  if (published)
    _shnd_frame_close_arrays (frame);

  return published;
}

/**
 * shnd_publisher_publish:
 * @self: a publisher
 * @frame: a frame that was acquired from it
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @error: return location for an error
 *
 * Sends a frame to all subscribers.
 *
 * The frame gets its sequence, and its timestamp if none was set; its array is closed, as it must not
 * be written any more.
 *
 * With %SHND_OVERFLOW_DROP it never waits. With %SHND_OVERFLOW_BLOCK it waits until every subscriber
 * has room for one more frame. If it fails the frame was sent to nobody, and can be published again.
 *
 * Fails with %SHND_ERROR_TIMED_OUT; with `G_IO_ERROR_CANCELLED`, if it was cancelled before also when
 * there is nothing to wait for; with %SHND_ERROR_NOT_ACQUIRED if the frame is not this publisher's, was
 * published before, or was released; with %SHND_ERROR_CLOSED; with
 * %SHND_ERROR_INVALID_DTYPE if the description of its dtype is too long to travel (32768 bytes); with
 * %SHND_ERROR_INVALID_ARGUMENT for a timeout below -1.
 *
 * Returns: whether it was published
 */
gboolean
shnd_publisher_publish (ShndPublisher *self,
                        ShndFrame *frame,
                        gint64 timeout,
                        GCancellable *cancellable,
                        GError **error)
{
  gint64 deadline;

  g_return_val_if_fail (SHND_IS_PUBLISHER (self), FALSE);
  g_return_val_if_fail (SHND_IS_FRAME (frame), FALSE);

  if (!check_hub (self, error) || !shnd_wait_get_deadline (timeout, &deadline, error) ||
      !begin_publishing (self, frame, error))
    return FALSE;

  _shnd_publisher_serve (self);

  return publish (self, frame, deadline, cancellable, error);
}

static gboolean
publish_work (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;

  return publish (work->publisher, work->frame, work->deadline, cancellable, error);
}

/* Publishes now, unless that would have to wait. */
static gboolean
try_publish (ShndPublisher *self, ShndFrame *frame, GCancellable *cancellable, GError **error)
{
  return publish (self, frame, g_get_monotonic_time (), cancellable, error);
}

/**
 * shnd_publisher_publish_async:
 * @self: a publisher
 * @frame: a frame that was acquired from it
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @callback: (scope async) (closure user_data): called when it is published, or not
 * @user_data: for @callback
 *
 * Sends a frame to all subscribers, without blocking.
 *
 * To keep the order of frames, begin with the next one when this has ended. See
 * [method@Shnd.Publisher.publish].
 */
void
shnd_publisher_publish_async (ShndPublisher *self,
                              ShndFrame *frame,
                              gint64 timeout,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GError *error = NULL;
  Work *work = NULL;
  gint64 deadline;

  g_return_if_fail (SHND_IS_PUBLISHER (self));
  g_return_if_fail (SHND_IS_FRAME (frame));

  if (check_hub (self, &error) && shnd_wait_get_deadline (timeout, &deadline, &error) &&
      begin_publishing (self, frame, &error))
    {
      _shnd_publisher_serve (self);
      if (try_publish (self, frame, cancellable, &error))
        {
          g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

          g_task_set_source_tag (task, shnd_publisher_publish_async);
          g_task_return_boolean (task, TRUE);
          return;
        }

      if (timeout != 0 && g_error_matches (error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
        {
          g_clear_error (&error);
          if (begin_publishing (self, frame, &error))
            {
              work = work_new (self, deadline);
              work->frame = g_object_ref (frame);
            }
        }
    }

  shnd_task_start (self, shnd_publisher_publish_async, publish_work, work, work_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_publisher_publish_finish:
 * @self: a publisher
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what [method@Shnd.Publisher.publish_async] has begun.
 *
 * Returns: whether the frame was published
 */
gboolean
shnd_publisher_publish_finish (ShndPublisher *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_publisher_publish_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Waiting for subscribers ---- */

/* The program's thread is in here, so that nothing else asks. */
static void
authorize (gpointer data)
{
  _shnd_publisher_serve (data);
}

/**
 * shnd_publisher_wait_subscribers:
 * @self: a publisher
 * @n_subscribers: how many
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @error: return location for an error
 *
 * Waits until there are at least so many subscribers.
 *
 * Fails with %SHND_ERROR_TIMED_OUT, with %SHND_ERROR_CLOSED, and with %SHND_ERROR_INVALID_ARGUMENT for
 * a timeout below -1.
 *
 * Returns: whether there are
 */
gboolean
shnd_publisher_wait_subscribers (ShndPublisher *self,
                                 guint n_subscribers,
                                 gint64 timeout,
                                 GCancellable *cancellable,
                                 GError **error)
{
  gint64 deadline;

  g_return_val_if_fail (SHND_IS_PUBLISHER (self), FALSE);

  if (!check_hub (self, error) || !shnd_wait_get_deadline (timeout, &deadline, error))
    return FALSE;

  return shnd_hub_wait_subscribers (self->hub, n_subscribers, authorize, self, deadline,
                                    cancellable, error);
}

static gboolean
wait_work (gpointer data, GCancellable *cancellable, GError **error)
{
  Work *work = data;

  return shnd_hub_wait_subscribers (work->publisher->hub, work->n_subscribers, NULL, NULL,
                                    work->deadline, cancellable, error);
}

/**
 * shnd_publisher_wait_subscribers_async:
 * @self: a publisher
 * @n_subscribers: how many
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @callback: (scope async) (closure user_data): called when they are there, or not
 * @user_data: for @callback
 *
 * Waits until there are at least so many subscribers, without blocking.
 *
 * See [method@Shnd.Publisher.wait_subscribers].
 */
void
shnd_publisher_wait_subscribers_async (ShndPublisher *self,
                                       guint n_subscribers,
                                       gint64 timeout,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  GError *error = NULL;
  Work *work = NULL;
  gint64 deadline;

  g_return_if_fail (SHND_IS_PUBLISHER (self));

  if (check_hub (self, &error) && shnd_wait_get_deadline (timeout, &deadline, &error))
    {
      _shnd_publisher_serve (self);
      work = work_new (self, deadline);
      work->n_subscribers = n_subscribers;
    }

  shnd_task_start (self, shnd_publisher_wait_subscribers_async, wait_work, work, work_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_publisher_wait_subscribers_finish:
 * @self: a publisher
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what [method@Shnd.Publisher.wait_subscribers_async] has begun.
 *
 * Returns: whether there are as many subscribers
 */
gboolean
shnd_publisher_wait_subscribers_finish (ShndPublisher *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_publisher_wait_subscribers_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
