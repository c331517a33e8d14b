/* SPDX-License-Identifier: MIT */

/* Publishers and subscribers that wait: in many threads, in main loops, until somebody cancels or
 * closes. */

#include "frames-support.h"

#define N_THREADS 4
#define N_FRAMES 500

/* ---- Many threads ---- */

typedef struct
{
  const char *path;
  guint64 n_received;
  gboolean in_order;
  gboolean intact;
} Reader;

static gpointer
read_all (gpointer data)
{
  Reader *self = data;
  g_autoptr (ShndSubscriber) subscriber = new_subscriber (self->path);
  guint64 last = 0;

  self->in_order = TRUE;
  self->intact = TRUE;
  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndFrame) frame = shnd_subscriber_receive (subscriber, PATIENCE, NULL, &error);

      if (frame == NULL)
        {
          assert_message (error, SHND_ERROR_END_OF_STREAM, "");
          return NULL;
        }
      self->in_order = self->in_order && shnd_frame_get_sequence (frame) > last;
      self->intact = self->intact && is_filled (frame);
      last = shnd_frame_get_sequence (frame);
      self->n_received++;
    }
}

static void
test_readers (Stream *self, ShndOverflow overflow)
{
  Reader readers[N_THREADS] = { 0 };
  GThread *threads[N_THREADS];
  g_autoptr (GError) error = NULL;

  shnd_publisher_set_overflow (self->publisher, overflow);
  for (guint i = 0; i < N_THREADS; i++)
    {
      readers[i].path = self->path;
      threads[i] = g_thread_new ("reader", read_all, &readers[i]);
    }
  shnd_publisher_wait_subscribers (self->publisher, N_THREADS, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_FRAMES; i++)
    publish (self->publisher);
  shnd_publisher_close (self->publisher);

  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (readers[i].in_order);
      g_assert_true (readers[i].intact);
      g_assert_cmpuint (readers[i].n_received, >, 0);
      if (overflow == SHND_OVERFLOW_BLOCK)
        g_assert_cmpuint (readers[i].n_received, ==, N_FRAMES);
    }
}

static void
test_block (Stream *self, gconstpointer data)
{
  test_readers (self, SHND_OVERFLOW_BLOCK);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (self->publisher), ==, 0);
}

static void
test_drop (Stream *self, gconstpointer data)
{
  test_readers (self, SHND_OVERFLOW_DROP);
}

/* Several threads share one subscriber, and several one publisher. */
typedef struct
{
  Stream *stream;
  gint n_published;
  gint n_received;
} Shared;

static gpointer
publish_some (gpointer data)
{
  Shared *self = data;

  for (guint i = 0; i < N_FRAMES / N_THREADS; i++)
    {
      g_autoptr (ShndFrame) frame = acquire (self->stream->publisher);
      g_autoptr (GError) error = NULL;

      memset (shnd_array_get_data (shnd_frame_get_array (frame)), i, N_BYTES);
      shnd_publisher_publish (self->stream->publisher, frame, PATIENCE, NULL, &error);
      g_assert_no_error (error);
      g_atomic_int_inc (&self->n_published);
    }
  return NULL;
}

static gpointer
receive_some (gpointer data)
{
  Shared *self = data;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndFrame) frame =
          shnd_subscriber_receive (self->stream->subscriber, PATIENCE, NULL, &error);
      const guint8 *bytes;

      if (frame == NULL)
        {
          assert_message (error, SHND_ERROR_END_OF_STREAM, "");
          return NULL;
        }
      bytes = shnd_array_get_data (shnd_frame_get_array (frame));
      g_assert_cmpuint (bytes[0], ==, bytes[N_BYTES - 1]);
      g_atomic_int_inc (&self->n_received);
    }
}

static void
test_shared (Stream *self, gconstpointer data)
{
  Shared shared = { .stream = self };
  GThread *publishing[N_THREADS], *receiving[N_THREADS];

  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_BLOCK);
  join (self);
  for (guint i = 0; i < N_THREADS; i++)
    {
      publishing[i] = g_thread_new ("publish", publish_some, &shared);
      receiving[i] = g_thread_new ("receive", receive_some, &shared);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (publishing[i]);
  shnd_publisher_close (self->publisher);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (receiving[i]);
  g_assert_cmpint (shared.n_received, ==, shared.n_published);
  g_assert_cmpuint (shnd_subscriber_get_n_received (self->subscriber), ==, shared.n_published);
}

/* ---- Who waits is woken ---- */

typedef enum
{
  WAIT_RECEIVE,
  WAIT_ACQUIRE,
  WAIT_PUBLISH,
  WAIT_SUBSCRIBERS,
  N_WAITS
} Wait;

typedef struct
{
  Stream *stream;
  Wait wait;
  GCancellable *cancellable;
  ShndFrame *frame;
  GError *error;
} Waiter;

static gpointer
wait_in_thread (gpointer data)
{
  Waiter *self = data;
  ShndPublisher *publisher = self->stream->publisher;
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");
  g_autoptr (ShndFrame) got = NULL;
  gboolean done = TRUE;

  switch (self->wait)
    {
    case WAIT_RECEIVE:
      got = shnd_subscriber_receive (self->stream->subscriber, -1, self->cancellable, &self->error);
      done = got != NULL;
      break;
    case WAIT_ACQUIRE:
      got = shnd_publisher_acquire (publisher, dtype, SHAPE (N_BYTES), -1, self->cancellable,
                                    &self->error);
      done = got != NULL;
      break;
    case WAIT_PUBLISH:
      done = shnd_publisher_publish (publisher, self->frame, -1, self->cancellable, &self->error);
      break;
    case WAIT_SUBSCRIBERS:
      done = shnd_publisher_wait_subscribers (publisher, 100, -1, self->cancellable, &self->error);
      break;
    default:
      g_assert_not_reached ();
    }
  g_assert_cmpint (done, ==, self->error == NULL);
  return NULL;
}

/* Brings the stream to where each of them has to wait. */
static void
prepare (Waiter *self)
{
  ShndPublisher *publisher = self->stream->publisher;

  if (self->wait == WAIT_SUBSCRIBERS)
    return;

  join (self->stream);
  if (self->wait == WAIT_RECEIVE)
    return;

  shnd_publisher_set_overflow (publisher, SHND_OVERFLOW_BLOCK);
  publish (publisher);
  publish (publisher);
  self->frame = acquire (publisher);
  shnd_publisher_set_max_frames (publisher, shnd_publisher_get_n_frames (publisher));
}

/* Most of these threads sleep by then. */
static void
let_it_sleep (void)
{
  g_usleep (2000);
}

static void
test_cancel (Stream *self, gconstpointer data)
{
  Waiter waiter = { .stream = self, .wait = GPOINTER_TO_UINT (data) };

  prepare (&waiter);
  /* While it waits, and before. */
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      GThread *thread;

      waiter.cancellable = cancellable;
      if (i == 1)
        g_cancellable_cancel (cancellable);
      thread = g_thread_new ("waiter", wait_in_thread, &waiter);
      let_it_sleep ();
      g_cancellable_cancel (cancellable);
      g_thread_join (thread);
      g_assert_error (waiter.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&waiter.error);
    }

  /* It can still be published. */
  if (waiter.wait == WAIT_PUBLISH)
    {
      g_assert_false (shnd_frame_get_released (waiter.frame));
      fill (waiter.frame, 3);
      g_object_unref (receive (self->subscriber));
      shnd_publisher_publish (self->publisher, waiter.frame, PATIENCE, NULL, &waiter.error);
      g_assert_no_error (waiter.error);
    }
  g_clear_object (&waiter.frame);
}

static void
test_close (Stream *self, gconstpointer data)
{
  Waiter waiters[2] = { 0 };
  GThread *threads[2];
  /* A frame is published by one only. */
  const guint n = GPOINTER_TO_UINT (data) == WAIT_PUBLISH ? 1 : 2;

  for (guint i = 0; i < n; i++)
    waiters[i] = (Waiter){ .stream = self, .wait = GPOINTER_TO_UINT (data) };
  prepare (&waiters[0]);
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("waiter", wait_in_thread, &waiters[i]);
  let_it_sleep ();
  if (waiters[0].wait == WAIT_RECEIVE)
    shnd_subscriber_close (self->subscriber);
  else
    shnd_publisher_close (self->publisher);
  for (guint i = 0; i < n; i++)
    {
      g_thread_join (threads[i]);
      assert_message (waiters[i].error, SHND_ERROR_CLOSED, "closed");
      g_clear_error (&waiters[i].error);
    }
  g_clear_object (&waiters[0].frame);
}

/* It is not sent when it was released, although its publishing had begun. */
static void
test_release_meanwhile (Stream *self, gconstpointer data)
{
  Waiter waiter = { .stream = self, .wait = WAIT_PUBLISH };
  GThread *thread;

  prepare (&waiter);
  thread = g_thread_new ("waiter", wait_in_thread, &waiter);
  let_it_sleep ();
  shnd_frame_release_now (waiter.frame);
  g_thread_join (thread);
  assert_message (waiter.error, SHND_ERROR_NOT_ACQUIRED, "released");
  g_clear_error (&waiter.error);
  g_clear_object (&waiter.frame);
  g_object_unref (receive (self->subscriber));
  publish (self->publisher);
  g_object_unref (receive (self->subscriber));
  g_object_unref (receive (self->subscriber));
  g_assert_cmpuint (shnd_publisher_get_sequence (self->publisher), ==, 3);
}

/* ---- Main loops ---- */

static void
store_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static GAsyncResult *
run_until (GAsyncResult **result)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (*result == NULL)
    g_main_context_iteration (context, TRUE);
  return g_steal_pointer (result);
}

static void
go_async (Stream *self)
{
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");
  g_autoptr (GError) error = NULL;
  GAsyncResult *received = NULL, *done = NULL, *waited = NULL;

  shnd_subscriber_receive_async (self->subscriber, PATIENCE, NULL, store_cb, &received);
  g_assert_null (received);
  shnd_publisher_wait_subscribers_async (self->publisher, 1, PATIENCE, NULL, store_cb, &waited);
  {
    g_autoptr (GAsyncResult) result = run_until (&waited);

    shnd_publisher_wait_subscribers_finish (self->publisher, result, &error);
    g_assert_no_error (error);
  }

  for (guint i = 1; i <= 20; i++)
    {
      g_autoptr (GAsyncResult) acquired_result = NULL;
      g_autoptr (GAsyncResult) published_result = NULL;
      g_autoptr (GAsyncResult) received_result = NULL;
      g_autoptr (ShndFrame) frame = NULL;
      g_autoptr (ShndFrame) got = NULL;

      shnd_publisher_acquire_async (self->publisher, dtype, SHAPE (N_BYTES), PATIENCE, NULL,
                                    store_cb, &done);
      acquired_result = run_until (&done);
      frame = shnd_publisher_acquire_finish (self->publisher, acquired_result, &error);
      g_assert_no_error (error);
      fill (frame, i);
      shnd_publisher_publish_async (self->publisher, frame, PATIENCE, NULL, store_cb, &done);
      g_assert_null (done);
      published_result = run_until (&done);
      shnd_publisher_publish_finish (self->publisher, published_result, &error);
      g_assert_no_error (error);
      received_result = run_until (&received);
      got = shnd_subscriber_receive_finish (self->subscriber, received_result, &error);
      g_assert_no_error (error);
      g_assert_true (is_filled (got));
      g_assert_cmpuint (shnd_frame_get_sequence (got), ==, i);
      shnd_subscriber_receive_async (self->subscriber, PATIENCE, NULL, store_cb, &received);
    }

  shnd_publisher_close (self->publisher);
  {
    g_autoptr (GAsyncResult) result = run_until (&received);

    g_assert_null (shnd_subscriber_receive_finish (self->subscriber, result, &error));
    assert_message (error, SHND_ERROR_END_OF_STREAM, "");
  }
}

static void
test_async (Stream *self, gconstpointer data)
{
  go_async (self);
}

/* In another thread, with a context of its own, while nobody runs the main one. */
static gpointer
go_async_in_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  go_async (data);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_async_in_thread (Stream *self, gconstpointer data)
{
  g_thread_join (g_thread_new ("async", go_async_in_thread, self));
}

/* Calls that need not wait notice it as well. */
static void
test_cancelled_before (Stream *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("u1", NULL);
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  GError *error = NULL;

  fill (frame, 1);
  g_cancellable_cancel (cancellable);
  g_assert_false (shnd_publisher_publish (self->publisher, frame, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpuint (shnd_publisher_get_sequence (self->publisher), ==, 0);
  g_assert_null (
      shnd_publisher_acquire (self->publisher, dtype, SHAPE (N_BYTES), -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  shnd_publisher_publish (self->publisher, frame, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (shnd_subscriber_receive (self->subscriber, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
}

static void
test_async_cancel (Stream *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *received = NULL, *waited = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GAsyncResult) received_result = NULL;
      g_autoptr (GAsyncResult) waited_result = NULL;
      g_autoptr (GError) error = NULL;

      shnd_subscriber_receive_async (self->subscriber, -1, cancellable, store_cb, &received);
      shnd_publisher_wait_subscribers_async (self->publisher, 9, -1, cancellable, store_cb,
                                             &waited);
      g_assert_true (received == NULL && waited == NULL);
      g_cancellable_cancel (cancellable);
      received_result = run_until (&received);
      waited_result = run_until (&waited);
      g_assert_null (shnd_subscriber_receive_finish (self->subscriber, received_result, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_false (
          shnd_publisher_wait_subscribers_finish (self->publisher, waited_result, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

typedef struct
{
  guint n_frames;
  GError *error;
} Watched;

static void
frame_cb (ShndSubscriber *subscriber, ShndFrame *frame, gpointer data)
{
  Watched *self = data;

  g_assert_true (is_filled (frame));
  g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, ++self->n_frames);
}

static void
ended_cb (ShndSubscriber *subscriber, GError *error, gpointer data)
{
  Watched *self = data;

  g_assert_false (shnd_subscriber_get_watching (subscriber));
  self->error = g_error_copy (error);
}

static gpointer
publish_all (gpointer data)
{
  Stream *self = data;
  g_autoptr (GError) error = NULL;

  shnd_publisher_wait_subscribers (self->publisher, 1, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_FRAMES; i++)
    publish (self->publisher);
  shnd_publisher_close (self->publisher);
  return NULL;
}

static void
test_watch (Stream *self, gconstpointer data)
{
  Watched watched = { 0 };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_BLOCK);
  g_signal_connect (self->subscriber, "frame", G_CALLBACK (frame_cb), &watched);
  g_signal_connect (self->subscriber, "ended", G_CALLBACK (ended_cb), &watched);
  shnd_subscriber_watch (self->subscriber, &error);
  g_assert_no_error (error);
  thread = g_thread_new ("publish", publish_all, self);
  while (watched.error == NULL)
    g_main_context_iteration (NULL, TRUE);
  assert_message (watched.error, SHND_ERROR_END_OF_STREAM, "");
  g_assert_cmpuint (watched.n_frames, ==, N_FRAMES);
  g_clear_error (&watched.error);
  g_thread_join (thread);
}

int
main (int argc, char *argv[])
{
  static const char *const waits[] = { "receive", "acquire", "publish", "subscribers" };

  g_test_init (&argc, &argv, NULL);

  ADD_STREAM ("/frames/threads/block", test_block);
  ADD_STREAM ("/frames/threads/drop", test_drop);
  ADD_STREAM ("/frames/threads/shared", test_shared);
  for (guint i = 0; i < N_WAITS; i++)
    {
      g_autofree char *cancel = g_strconcat ("/frames/cancel/", waits[i], NULL);
      g_autofree char *close = g_strconcat ("/frames/close/", waits[i], NULL);

      g_test_add (cancel, Stream, GUINT_TO_POINTER (i), stream_set_up, test_cancel,
                  stream_tear_down);
      g_test_add (close, Stream, GUINT_TO_POINTER (i), stream_set_up, test_close, stream_tear_down);
    }
  ADD_STREAM ("/frames/cancelled-before", test_cancelled_before);
  ADD_STREAM ("/frames/release-meanwhile", test_release_meanwhile);
  ADD_STREAM ("/frames/async", test_async);
  ADD_STREAM ("/frames/async-in-thread", test_async_in_thread);
  ADD_STREAM ("/frames/async-cancel", test_async_cancel);
  ADD_STREAM ("/frames/watch", test_watch);

  return g_test_run ();
}
