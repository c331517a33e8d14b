/* SPDX-License-Identifier: MIT */

#include "sink-support.h"

/* What the sink waits for and how that is interrupted, its states, and its end. */

static GstBufferPoolAcquireParams no_wait = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };

/* ---- Somebody in another thread ---- */

typedef struct
{
  Stream *stream;
  GstBuffer *buffer;
  gint done;
} Push;

static gpointer
push_thread (gpointer data)
{
  Push *self = data;
  GstFlowReturn flow = gst_harness_push (self->stream->harness, g_steal_pointer (&self->buffer));

  g_atomic_int_set (&self->done, TRUE);

  return GINT_TO_POINTER (flow);
}

static GThread *
start_push (Push *self, Stream *stream, GstBuffer *buffer)
{
  *self = (Push){ .stream = stream, .buffer = buffer };

  return g_thread_new ("push", push_thread, self);
}

typedef struct
{
  GstBufferPool *pool;
  GstBuffer *buffer;
  gint done;
} Acquire;

static gpointer
acquire_thread (gpointer data)
{
  Acquire *self = data;
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (self->pool, &self->buffer, NULL);

  g_atomic_int_set (&self->done, TRUE);

  return GINT_TO_POINTER (flow);
}

static GThread *
start_acquire (Acquire *self, GstBufferPool *pool)
{
  *self = (Acquire){ .pool = pool };

  return g_thread_new ("acquire", acquire_thread, self);
}

static GstFlowReturn
end_thread (GThread *thread)
{
  return GPOINTER_TO_INT (g_thread_join (thread));
}

/* Long enough for what must not happen; a test that is too fast sees nothing wrong. */
static void
assert_waits (gint *done)
{
  g_usleep (20000);
  g_assert_false (g_atomic_int_get (done));
}

static void
start_flush (Stream *self)
{
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_flush_start ()));
}

static void
end_flush (Stream *self)
{
  GstSegment segment;

  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_segment (&segment)));
}

static void
set_state (Stream *self, GstState state)
{
  g_assert_cmpint (gst_element_set_state (self->sink, state), !=, GST_STATE_CHANGE_FAILURE);
}

/* ---- Opening ---- */

static void
assert_fails (Stream *self, const char *address, GstResourceError code, const char *text)
{
  GstElement *element = gst_object_ref_sink (gst_element_factory_make ("shndsink", NULL));

  add_bus (element);
  g_object_set (element, "address", address, NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_READY), ==, GST_STATE_CHANGE_FAILURE);
  assert_error_message (element, code, text);
  gst_element_set_bus (element, NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (element);
}

static void
test_no_address (Stream *self, gconstpointer data)
{
  g_autofree char *missing = g_build_filename (self->folder, "none", "socket", NULL);

  assert_fails (self, NULL, GST_RESOURCE_ERROR_NOT_FOUND, "address");
  assert_fails (self, "a/b", GST_RESOURCE_ERROR_OPEN_WRITE, "a/b");
  assert_fails (self, missing, GST_RESOURCE_ERROR_OPEN_WRITE, missing);
}

static void
test_busy (Stream *self, gconstpointer data)
{
  g_autofree char *lock = g_strconcat (self->path, ".lock", NULL);

  /* In READY already. */
  set_state (self, GST_STATE_READY);
  g_assert_true (g_file_test (self->path, G_FILE_TEST_EXISTS));
  assert_fails (self, self->path, GST_RESOURCE_ERROR_BUSY, self->path);

  set_state (self, GST_STATE_NULL);
  g_assert_false (g_file_test (self->path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
}

/* It can be changed in READY, and not later. */
static void
test_address (Stream *self, gconstpointer data)
{
  g_autofree char *other = g_build_filename (self->folder, "other", NULL);
  g_autofree char *address = NULL;

  set_state (self, GST_STATE_READY);
  g_object_set (self->sink, "address", other, NULL);
  g_assert_false (g_file_test (self->path, G_FILE_TEST_EXISTS));
  set_state (self, GST_STATE_PAUSED);
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));

  g_object_set (self->sink, "address", self->path, NULL);
  g_object_get (self->sink, "address", &address, NULL);
  g_assert_cmpstr (address, ==, other);
  set_state (self, GST_STATE_NULL);
}

static void
test_properties (Stream *self, gconstpointer data)
{
  ShndOverflow overflow;
  guint depth, max_frames, wait_subscribers;
  gboolean enable_last_sample;

  g_object_get (self->sink, "overflow", &overflow, "depth", &depth, "max-frames", &max_frames,
                "wait-subscribers", &wait_subscribers, "enable-last-sample", &enable_last_sample,
                NULL);
  g_assert_cmpint (overflow, ==, SHND_OVERFLOW_DROP);
  g_assert_cmpuint (depth, ==, 4);
  g_assert_cmpuint (max_frames, ==, 0);
  g_assert_cmpuint (wait_subscribers, ==, 0);
  g_assert_false (enable_last_sample);
  g_assert_cmpuint (get_subscribers (self->sink), ==, 0);

  /* Whatever the state, they are what was set. */
  for (guint i = 0; i < 2; i++)
    {
      gst_util_set_object_arg (G_OBJECT (self->sink), "overflow", "block");
      g_object_set (self->sink, "depth", 7 + i, "max-frames", 9 + i, "wait-subscribers", i, NULL);
      g_object_get (self->sink, "overflow", &overflow, "depth", &depth, "max-frames", &max_frames,
                    "wait-subscribers", &wait_subscribers, NULL);
      g_assert_cmpint (overflow, ==, SHND_OVERFLOW_BLOCK);
      g_assert_cmpuint (depth, ==, 7 + i);
      g_assert_cmpuint (max_frames, ==, 9 + i);
      g_assert_cmpuint (wait_subscribers, ==, i);
      set_state (self, GST_STATE_READY);
    }

  set_state (self, GST_STATE_NULL);
}

/* The publisher gets them, whether it is there already or is made later. */
static void
test_settings (Stream *self, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ShndSubscriber) subscriber = new_subscriber (self->path);
      g_autoptr (GstBufferPool) other = NULL;
      ShndFrame *held[3];
      GstBuffer *taken[4];
      GstBuffer *none = NULL;
      Push thread;
      GThread *pushing;

      set_state (self, i == 0 ? GST_STATE_NULL : GST_STATE_READY);
      gst_util_set_object_arg (G_OBJECT (self->sink), "overflow", "block");
      g_object_set (self->sink, "depth", 3, "max-frames", 4, NULL);
      set_state (self, GST_STATE_PLAYING);
      negotiate (self, CAPS_RGB);
      for (guint j = 0; j < 4; j++)
        taken[j] = new_buffer (self, j);
      other = query_pool (self, CAPS_RGB);
      g_assert_true (gst_buffer_pool_set_active (other, TRUE));
      g_assert_cmpint (gst_buffer_pool_acquire_buffer (other, &none, &no_wait), ==, GST_FLOW_EOS);
      g_assert_true (gst_buffer_pool_set_active (other, FALSE));

      assert_no_frame (subscriber, SHND_ERROR_TIMED_OUT);
      wait_for_subscribers (self->sink, 1);
      for (guint j = 0; j < 3; j++)
        {
          push (self, taken[j]);
          held[j] = receive_any (subscriber);
        }
      g_assert_cmpuint (shnd_subscriber_get_granted_depth (subscriber), ==, 3);
      pushing = start_push (&thread, self, taken[3]);
      assert_waits (&thread.done);
      for (guint j = 0; j < 3; j++)
        g_object_unref (held[j]);
      g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
    }
}

static void
count_cb (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_notify (Stream *self, gconstpointer data)
{
  guint n_notified = 0;

  g_signal_connect (self->sink, "notify::subscribers", G_CALLBACK (count_cb), &n_notified);
  set_state (self, GST_STATE_PLAYING);
  join (self);
  while (n_notified == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (get_subscribers (self->sink), ==, 1);

  set_state (self, GST_STATE_NULL);
  g_assert_cmpuint (n_notified, ==, 2);
  g_assert_cmpuint (get_subscribers (self->sink), ==, 0);
  g_signal_handlers_disconnect_by_func (self->sink, count_cb, &n_notified);
}

/* ---- Before it is due ---- */

/* With a clock that goes when it is told to. */
static void
use_test_clock (Stream *self)
{
  gst_harness_use_testclock (self->harness);
  g_object_set (self->sink, "sync", TRUE, NULL);
  negotiate (self, CAPS_RGB);
  join (self);
}

/* Of a buffer that waits until the clock is told to go on. */
static GThread *
start_waiting (Push *self, Stream *stream, GstBuffer *buffer)
{
  GThread *thread;

  GST_BUFFER_PTS (buffer) = GST_SECOND;
  thread = start_push (self, stream, buffer);
  g_assert_true (gst_harness_wait_for_clock_id_waits (stream->harness, 1, 60));
  g_assert_cmpuint (get_stat (stream->sink, "n-frames"), ==, 1);

  return thread;
}

/* All that takes time is done while the buffer waits; what it says of the latency is of when it is
 * published. */
static void
test_prepare (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;
  guint64 latency = 0;
  GThread *pushing;
  Push thread;

  use_test_clock (self);
  pushing = start_waiting (&thread, self, new_foreign_buffer (SIZE_RGB, 1));
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 0);
  assert_no_frame (self->subscriber, SHND_ERROR_TIMED_OUT);
  g_assert_true (gst_element_send_event (self->sink, gst_event_new_latency (33 * GST_MSECOND)));

  g_assert_true (gst_harness_crank_single_clock_wait (self->harness));
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, 1);
  g_assert_true (g_variant_lookup (shnd_frame_get_metadata (frame), "latency", "t", &latency));
  g_assert_cmpuint (latency, ==, 33 * GST_MSECOND);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
}

/* A buffer that is dropped while it waits gives back what was prepared for it, also when upstream goes
 * on using it. */
static void
test_dropped (Stream *self, gconstpointer data)
{
  GThread *pushing;
  Push thread;

  g_object_set (self->sink, "max-frames", 1, NULL);
  use_test_clock (self);

  for (guint i = 0; i < 2; i++)
    {
      GstBuffer *dropped = new_foreign_buffer (SIZE_RGB, 1);
      g_autoptr (GstBuffer) kept = i == 1 ? gst_buffer_ref (dropped) : NULL;
      g_autoptr (ShndFrame) frame = NULL;

      pushing = start_waiting (&thread, self, dropped);
      start_flush (self);
      g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_FLUSHING);
      end_flush (self);

      /* Without a time it is due at once. There is no other memory. */
      push (self, kept != NULL ? new_foreign_buffer (SIZE_RGB, 2) : new_buffer (self, 2));
      frame = receive_any (self->subscriber);
      assert_filled (frame, 63, 2);
      g_assert_cmpuint (get_stat (self->sink, "n-frames"), ==, 1);
      g_assert_cmpuint (get_stat (self->sink, "frames"), ==, i + 1);
    }

  pushing = start_waiting (&thread, self, new_foreign_buffer (SIZE_RGB, 3));
  set_state (self, GST_STATE_NULL);
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_FLUSHING);
}

/* ---- Preroll, gaps, the end ---- */

static void
test_preroll (Stream *self, gconstpointer data)
{
  Push thread;
  GThread *pushing;
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, CAPS_RGB);
  set_state (self, GST_STATE_PAUSED);
  join (self);
  pushing = start_push (&thread, self, new_buffer (self, 1));
  assert_waits (&thread.done);
  assert_no_frame (self->subscriber, SHND_ERROR_TIMED_OUT);

  set_state (self, GST_STATE_PLAYING);
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, 1);
}

static void
test_gap (Stream *self, gconstpointer data)
{
  GstBuffer *buffer;
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, CAPS_RGB);
  join (self);
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_gap (0, GST_SECOND)));
  assert_no_frame (self->subscriber, SHND_ERROR_TIMED_OUT);

  buffer = new_buffer (self, 1);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  push (self, buffer);
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, 1);
}

static void
push_eos (Stream *self)
{
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_eos ()));
}

/* What is on the way arrives, and then the end: at EOS, and when the sink is stopped. */
static void
test_eos (Stream *self, gconstpointer data)
{
  negotiate (self, CAPS_RGB);
  join (self);
  push (self, new_buffer (self, 1));
  push_eos (self);
  g_object_unref (receive_any (self->subscriber));
  assert_no_frame (self->subscriber, SHND_ERROR_END_OF_STREAM);
  g_assert_cmpuint (get_subscribers (self->sink), ==, 0);
}

static void
test_stop (Stream *self, gconstpointer data)
{
  negotiate (self, CAPS_RGB);
  join (self);
  push (self, new_buffer (self, 1));
  g_object_unref (receive_any (self->subscriber));
  set_state (self, GST_STATE_READY);
  assert_no_frame (self->subscriber, SHND_ERROR_TIMED_OUT);
  set_state (self, GST_STATE_NULL);
  assert_no_frame (self->subscriber, SHND_ERROR_END_OF_STREAM);
}

static void
begin_stream (Stream *self)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_stream_start ("next")));
  gst_harness_set_src_caps_str (self->harness, CAPS_RGB);
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_segment (&segment)));
}

/* A seek and another state make a new publisher after EOS. */
static void
test_restart (Stream *self, gconstpointer data)
{
  negotiate (self, CAPS_RGB);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ShndSubscriber) subscriber = new_subscriber (self->path);
      g_autoptr (ShndFrame) frame = NULL;

      assert_no_frame (subscriber, SHND_ERROR_TIMED_OUT);
      wait_for_subscribers (self->sink, 1);
      push (self, new_buffer (self, i));
      frame = receive_any (subscriber);
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, 1);
      assert_filled (frame, 63, i);

      push_eos (self);
      assert_no_frame (subscriber, SHND_ERROR_END_OF_STREAM);
      g_assert_false (g_file_test (self->path, G_FILE_TEST_EXISTS));
      if (i % 2 == 0)
        {
          start_flush (self);
          end_flush (self);
        }
      else
        {
          set_state (self, GST_STATE_READY);
          set_state (self, GST_STATE_PLAYING);
        }
      g_assert_true (g_file_test (self->path, G_FILE_TEST_EXISTS));
      if (i % 2 != 0)
        begin_stream (self);
    }
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 4);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 0);

  set_state (self, GST_STATE_NULL);
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 4);
  set_state (self, GST_STATE_READY);
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 0);
}

/* A buffer of a stream that has ended is copied into the next one. */
static void
test_old_memory (Stream *self, gconstpointer data)
{
  GstBuffer *old;
  g_autoptr (ShndSubscriber) subscriber = new_subscriber (self->path);
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, CAPS_RGB);
  old = new_buffer (self, 5);
  push_eos (self);
  start_flush (self);
  end_flush (self);
  assert_no_frame (subscriber, SHND_ERROR_TIMED_OUT);
  wait_for_subscribers (self->sink, 1);
  push (self, old);
  frame = receive_any (subscriber);
  assert_filled (frame, 63, 5);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
}

/* ---- Waiting for slots ---- */

/* A pool all slots of which are taken. */
static GstBuffer *
take_all (Stream *self)
{
  GstBuffer *buffer = NULL;

  g_object_set (self->sink, "max-frames", 1, NULL);
  negotiate (self, CAPS_RGB);
  /* The pool itself may give more. */
  g_assert_true (gst_buffer_pool_set_active (self->pool, FALSE));
  {
    GstStructure *config = gst_buffer_pool_get_config (self->pool);
    guint size, max_buffers;
    GstCaps *caps;

    gst_buffer_pool_config_get_params (config, &caps, &size, NULL, &max_buffers);
    g_assert_cmpuint (max_buffers, ==, 1);
    gst_buffer_pool_config_set_params (config, caps, size, 0, 0);
    g_assert_true (gst_buffer_pool_set_config (self->pool, config));
  }
  g_assert_true (gst_buffer_pool_set_active (self->pool, TRUE));
  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &buffer, &no_wait), ==, GST_FLOW_OK);

  return buffer;
}

static void
test_max_frames (Stream *self, gconstpointer data)
{
  GstBuffer *taken = take_all (self);
  GstBuffer *other = NULL;
  Acquire thread;
  GThread *acquiring;

  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &other, &no_wait), ==, GST_FLOW_EOS);
  acquiring = start_acquire (&thread, self->pool);
  assert_waits (&thread.done);
  gst_buffer_unref (taken);
  g_assert_cmpint (end_thread (acquiring), ==, GST_FLOW_OK);
  gst_buffer_unref (thread.buffer);
  g_assert_cmpuint (get_stat (self->sink, "n-frames"), ==, 1);
}

/* The limit of the pool itself, as somebody has configured it. */
static void
test_max_buffers (Stream *self, gconstpointer data)
{
  GstBuffer *first = NULL;
  GstBuffer *second = NULL;
  Acquire thread;
  GThread *acquiring;

  g_object_set (self->sink, "max-frames", 1, NULL);
  negotiate (self, CAPS_RGB);
  g_object_set (self->sink, "max-frames", 10, NULL);
  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &first, NULL), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &second, &no_wait), ==,
                   GST_FLOW_EOS);

  acquiring = start_acquire (&thread, self->pool);
  assert_waits (&thread.done);
  gst_buffer_pool_set_flushing (self->pool, TRUE);
  g_assert_cmpint (end_thread (acquiring), ==, GST_FLOW_FLUSHING);
  gst_buffer_pool_set_flushing (self->pool, FALSE);

  acquiring = start_acquire (&thread, self->pool);
  assert_waits (&thread.done);
  gst_buffer_unref (first);
  g_assert_cmpint (end_thread (acquiring), ==, GST_FLOW_OK);
  gst_buffer_unref (thread.buffer);
}

/* Whoever waits for a slot is woken: by the pool's owner, an event, a state. */
static void
test_max_frames_flush (Stream *self, gconstpointer data)
{
  g_autoptr (GstBuffer) taken G_GNUC_UNUSED = take_all (self);

  for (guint i = 0; i < 4; i++)
    {
      Acquire thread;
      GThread *acquiring = start_acquire (&thread, self->pool);

      assert_waits (&thread.done);
      if (i == 0)
        gst_buffer_pool_set_flushing (self->pool, TRUE);
      else if (i == 1)
        gst_harness_push_event (self->harness, gst_event_new_flush_start ());
      else if (i == 2)
        g_assert_true (gst_buffer_pool_set_active (self->pool, FALSE));
      else
        set_state (self, GST_STATE_READY);
      g_assert_cmpint (end_thread (acquiring), ==, GST_FLOW_FLUSHING);

      if (i == 0)
        gst_buffer_pool_set_flushing (self->pool, FALSE);
      else if (i == 1)
        gst_harness_push_event (self->harness, gst_event_new_flush_stop (TRUE));
      else if (i == 2)
        g_assert_true (gst_buffer_pool_set_active (self->pool, TRUE));
    }
}

/* Upstream waits for the slot that the sink has until it may play. */
static void
test_max_frames_preroll (Stream *self, gconstpointer data)
{
  GstBuffer *first = take_all (self);
  Push pushing;
  Acquire acquiring;
  GThread *push_thread, *acquire_thread;
  g_autoptr (ShndFrame) frame = NULL;

  join (self);
  set_state (self, GST_STATE_PAUSED);
  fill (first, 1);
  push_thread = start_push (&pushing, self, first);
  acquire_thread = start_acquire (&acquiring, self->pool);
  assert_waits (&acquiring.done);
  set_state (self, GST_STATE_PLAYING);
  g_assert_cmpint (end_thread (push_thread), ==, GST_FLOW_OK);
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, 1);
  g_object_unref (g_steal_pointer (&frame));
  g_assert_cmpint (end_thread (acquire_thread), ==, GST_FLOW_OK);
  gst_buffer_unref (acquiring.buffer);
}

/* ---- Waiting for subscribers ---- */

/* Interrupts a push that waits; it goes on after a pause, and gives up when it is flushed. */
static void
interrupt (Stream *self, Push *thread, GThread *pushing, guint how)
{
  assert_waits (&thread->done);
  if (how == 0)
    {
      set_state (self, GST_STATE_PAUSED);
      assert_waits (&thread->done);
      set_state (self, GST_STATE_PLAYING);
      assert_waits (&thread->done);
    }
  else
    {
      if (how == 1)
        gst_harness_push_event (self->harness, gst_event_new_flush_start ());
      else
        set_state (self, GST_STATE_READY);
      g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_FLUSHING);
    }
}

static void
test_wait_subscribers (Stream *self, gconstpointer data)
{
  g_autoptr (ShndSubscriber) second = new_subscriber (self->path);
  Push thread;
  GThread *pushing;

  g_object_set (self->sink, "wait-subscribers", 2, NULL);
  negotiate (self, CAPS_RGB);
  join (self);
  pushing = start_push (&thread, self, new_buffer (self, 1));
  interrupt (self, &thread, pushing, 0);
  g_object_unref (receive_any (second));
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
  g_object_unref (receive_any (self->subscriber));

  /* Only the first one. */
  shnd_subscriber_close (second);
  wait_for_subscribers (self->sink, 1);
  push (self, new_buffer (self, 2));
}

static void
test_wait_subscribers_flush (Stream *self, gconstpointer data)
{
  g_object_set (self->sink, "wait-subscribers", 1, NULL);
  for (guint i = 1; i <= 2; i++)
    {
      Push thread;
      GThread *pushing;

      negotiate (self, CAPS_RGB);
      pushing = start_push (&thread, self, new_buffer (self, 1));
      interrupt (self, &thread, pushing, i);
      if (i == 1)
        {
          gst_harness_push_event (self->harness, gst_event_new_flush_stop (TRUE));
          set_state (self, GST_STATE_READY);
          set_state (self, GST_STATE_PLAYING);
        }
    }
}

/* After a pause it is due at another time. */
static void
test_pause (Stream *self, gconstpointer data)
{
  GstBuffer *buffers[] = { new_foreign_buffer (SIZE_RGB, 0), new_foreign_buffer (SIZE_RGB, 1) };
  g_autoptr (ShndFrame) first = NULL;
  g_autoptr (ShndFrame) second = NULL;
  gint64 timestamp;
  GThread *pushing;
  Push thread;

  g_object_set (self->sink, "overflow", SHND_OVERFLOW_BLOCK, "depth", 1, NULL);
  use_test_clock (self);
  g_object_set (self->sink, "sync", FALSE, NULL);
  GST_BUFFER_PTS (buffers[0]) = GST_BUFFER_PTS (buffers[1]) = GST_SECOND;
  push (self, buffers[0]);
  first = receive_any (self->subscriber);
  timestamp = shnd_frame_get_timestamp (first);

  pushing = start_push (&thread, self, buffers[1]);
  assert_waits (&thread.done);
  set_state (self, GST_STATE_PAUSED);
  gst_element_set_base_time (self->sink, 1000 * GST_SECOND);
  set_state (self, GST_STATE_PLAYING);
  g_clear_object (&first);
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
  second = receive_any (self->subscriber);
  g_assert_cmpint (shnd_frame_get_timestamp (second) - timestamp, >=, 1000 * GST_SECOND);
}

/* One that does not give back; the buffer is in the pool's memory, or is copied. */
static void
test_block (Stream *self, gconstpointer data)
{
  Push thread;
  GThread *pushing = NULL;
  ShndFrame *held[2];
  guint n_published = 2;

  g_object_set (self->sink, "overflow", SHND_OVERFLOW_BLOCK, "depth", 2, NULL);
  negotiate (self, CAPS_RGB);
  join (self);
  for (guint i = 0; i < 2; i++)
    {
      push (self, new_buffer (self, i));
      held[i] = receive_any (self->subscriber);
    }

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ShndFrame) frame = NULL;

      pushing =
          start_push (&thread, self, i == 0 ? new_buffer (self, 7) : new_foreign_buffer (64, 7));
      interrupt (self, &thread, pushing, 0);
      g_clear_object (&held[i]);
      g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
      frame = receive_any (self->subscriber);
      assert_filled (frame, 63, 7);
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, ++n_published);
      held[i] = g_steal_pointer (&frame);
    }
  g_assert_cmpuint (get_stat (self->sink, "dropped"), ==, 0);

  /* Nothing was published that was interrupted for good. */
  pushing = start_push (&thread, self, new_buffer (self, 8));
  interrupt (self, &thread, pushing, 2);
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, n_published);

  /* And then it may be DROP. */
  set_state (self, GST_STATE_PLAYING);
  negotiate (self, CAPS_RGB);
  pushing = start_push (&thread, self, new_buffer (self, 9));
  assert_waits (&thread.done);
  gst_util_set_object_arg (G_OBJECT (self->sink), "overflow", "drop");
  g_assert_cmpint (end_thread (pushing), ==, GST_FLOW_OK);
  g_assert_cmpuint (get_stat (self->sink, "dropped"), ==, 1);
  push_eos (self);
  g_assert_cmpuint (get_stat (self->sink, "dropped"), ==, 1);
  g_clear_object (&held[0]);
  g_clear_object (&held[1]);
}

int
main (int argc, char **argv)
{
  int status;

  init (&argc, &argv);

  ADD_STREAM ("/gst/sink/prepare", test_prepare);
  ADD_STREAM ("/gst/sink/dropped", test_dropped);
  ADD_STREAM ("/gst/sink/no-address", test_no_address);
  ADD_STREAM ("/gst/sink/busy", test_busy);
  ADD_STREAM ("/gst/sink/address", test_address);
  ADD_STREAM ("/gst/sink/properties", test_properties);
  ADD_STREAM ("/gst/sink/settings", test_settings);
  ADD_STREAM ("/gst/sink/notify", test_notify);
  ADD_STREAM ("/gst/sink/preroll", test_preroll);
  ADD_STREAM ("/gst/sink/gap", test_gap);
  ADD_STREAM ("/gst/sink/eos", test_eos);
  ADD_STREAM ("/gst/sink/stop", test_stop);
  ADD_STREAM ("/gst/sink/restart", test_restart);
  ADD_STREAM ("/gst/sink/old-memory", test_old_memory);
  ADD_STREAM ("/gst/sink/max-frames", test_max_frames);
  ADD_STREAM ("/gst/sink/max-buffers", test_max_buffers);
  ADD_STREAM ("/gst/sink/max-frames-flush", test_max_frames_flush);
  ADD_STREAM ("/gst/sink/max-frames-preroll", test_max_frames_preroll);
  ADD_STREAM ("/gst/sink/wait-subscribers", test_wait_subscribers);
  ADD_STREAM ("/gst/sink/wait-subscribers-flush", test_wait_subscribers_flush);
  ADD_STREAM ("/gst/sink/block", test_block);
  ADD_STREAM ("/gst/sink/pause", test_pause);

  status = g_test_run ();
  assert_no_leaks ();

  return status;
}
