/* SPDX-License-Identifier: MIT */

/* Publishers, subscribers and frames: what they are and do, in one thread. */

#include "frames-support.h"

/* ---- Without the constructors ---- */

static void
test_empty_publisher (void)
{
  g_autoptr (ShndPublisher) publisher = g_object_new (SHND_TYPE_PUBLISHER, NULL);
  g_autoptr (ShndFrame) frame = g_object_new (SHND_TYPE_FRAME, NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");

  g_assert_true (shnd_publisher_get_closed (publisher));
  g_assert_null (shnd_publisher_get_address (publisher));
  g_assert_null (shnd_publisher_get_path (publisher));
  g_assert_cmpuint (shnd_publisher_get_n_subscribers (publisher), ==, 0);
  g_assert_cmpuint (shnd_publisher_get_n_frames (publisher), ==, 0);
  g_assert_cmpuint (shnd_publisher_get_sequence (publisher), ==, 0);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, 0);
  g_object_set (publisher, "depth", 7, "max-frames", 3, "max-subscribers", 1, "overflow",
                SHND_OVERFLOW_BLOCK, NULL);
  g_assert_cmpuint (shnd_publisher_get_depth (publisher), ==, 2);
  g_assert_cmpint (shnd_publisher_get_overflow (publisher), ==, SHND_OVERFLOW_DROP);
  ASSERT_FAILS (shnd_publisher_acquire (publisher, dtype, SHAPE (1), -1, NULL, failure),
                SHND_ERROR_CLOSED, "no address");
  ASSERT_FAILS (shnd_publisher_publish (publisher, frame, -1, NULL, failure), SHND_ERROR_CLOSED,
                "no address");
  ASSERT_FAILS (shnd_publisher_wait_subscribers (publisher, 0, -1, NULL, failure),
                SHND_ERROR_CLOSED, "no address");
  shnd_publisher_close (publisher);
}

static void
test_empty_subscriber (void)
{
  g_autoptr (ShndSubscriber) subscriber = g_object_new (SHND_TYPE_SUBSCRIBER, NULL);

  g_assert_true (shnd_subscriber_get_closed (subscriber));
  g_assert_null (shnd_subscriber_get_address (subscriber));
  g_assert_null (shnd_subscriber_get_path (subscriber));
  g_assert_false (shnd_subscriber_get_connected (subscriber));
  g_assert_false (shnd_subscriber_get_watching (subscriber));
  g_assert_cmpint (shnd_subscriber_get_fd (subscriber), ==, -1);
  g_object_set (subscriber, "depth", 7, "latest-only", TRUE, "reconnect", TRUE, "spin", 3, NULL);
  g_assert_cmpuint (shnd_subscriber_get_depth (subscriber), ==, 7);
  ASSERT_FAILS (shnd_subscriber_receive (subscriber, -1, NULL, failure), SHND_ERROR_CLOSED,
                "no address");
  ASSERT_FAILS (shnd_subscriber_watch (subscriber, failure), SHND_ERROR_CLOSED, "no address");
  shnd_subscriber_unwatch (subscriber);
  shnd_subscriber_close (subscriber);
}

static void
test_empty_frame (void)
{
  g_autoptr (ShndFrame) frame = g_object_new (SHND_TYPE_FRAME, NULL);
  g_autoptr (GVariant) metadata = NULL;
  ShndArray *array;

  g_assert_true (shnd_frame_get_released (frame));
  g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, 0);
  g_assert_cmpint (shnd_frame_get_timestamp (frame), ==, -1);
  g_object_get (frame, "metadata", &metadata, NULL);
  g_assert_cmpuint (g_variant_n_children (metadata), ==, 0);
  array = shnd_frame_get_array (frame);
  g_assert_true (SHND_IS_ARRAY (array));
  ASSERT_FAILS (shnd_frame_set_array (frame, array, failure), SHND_ERROR_NOT_ACQUIRED, "");
  ASSERT_FAILS (shnd_frame_set_metadata (frame, NULL, failure), SHND_ERROR_NOT_ACQUIRED, "");
  shnd_frame_set_timestamp (frame, 5);
  g_assert_cmpint (shnd_frame_get_timestamp (frame), ==, -1);
  shnd_frame_release (frame);
  shnd_frame_release_now (frame);
}

/* ---- Frames ---- */

static void
test_flow (Stream *self, gconstpointer data)
{
  join (self);
  for (guint i = 1; i <= 200; i++)
    {
      g_autoptr (ShndFrame) frame = NULL;
      gint64 timestamp;

      publish (self->publisher);
      frame = receive (self->subscriber);
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, i);
      timestamp = shnd_frame_get_timestamp (frame);
      g_assert_cmpint (timestamp / 1000, <=, g_get_monotonic_time ());
      g_assert_cmpint (timestamp / 1000, >, g_get_monotonic_time () - PATIENCE);
    }
  g_assert_cmpuint (shnd_publisher_get_n_frames (self->publisher), <=, 4);
  g_assert_cmpuint (shnd_subscriber_get_n_received (self->subscriber), ==, 200);
  g_assert_cmpuint (shnd_subscriber_get_n_missed (self->subscriber), ==, 0);
}

/* A stream that was welcomed and ended before the subscriber looked again. */
static void
test_late_end (Stream *self, gconstpointer data)
{
  join (self);
  shnd_publisher_close (self->publisher);
  for (guint i = 0; i < 2; i++)
    ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, PATIENCE, NULL, failure),
                  SHND_ERROR_END_OF_STREAM, "ended");
  g_assert_false (shnd_subscriber_get_closed (self->subscriber));
}

static void
test_end (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;

  join (self);
  publish (self->publisher);
  publish (self->publisher);
  shnd_publisher_close (self->publisher);
  shnd_publisher_close (self->publisher);
  g_assert_true (shnd_publisher_get_closed (self->publisher));
  g_assert_false (g_file_test (self->path, G_FILE_TEST_EXISTS));

  /* What was sent still comes, and stays. */
  g_object_unref (receive (self->subscriber));
  frame = receive (self->subscriber);
  ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, PATIENCE, NULL, failure),
                SHND_ERROR_END_OF_STREAM, "ended");
  g_assert_true (is_filled (frame));
}

/* Frames of a subscriber that was closed, and of a publisher that is gone. */
static void
test_survivors (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) received = NULL;
  g_autoptr (ShndFrame) acquired = NULL;

  join (self);
  publish (self->publisher);
  received = receive (self->subscriber);
  acquired = acquire (self->publisher);
  shnd_subscriber_close (self->subscriber);
  g_assert_true (is_filled (received));
  for (guint i = 0; i < 20; i++)
    publish (self->publisher);
  g_assert_true (is_filled (received));
  shnd_publisher_close (self->publisher);
  fill (acquired, 1);
  g_assert_true (is_filled (received));
  ASSERT_FAILS (shnd_publisher_publish (self->publisher, acquired, 0, NULL, failure),
                SHND_ERROR_CLOSED, "closed");
}

static void
test_not_acquired (Stream *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "other", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndPublisher) other = shnd_publisher_new (path, &error);
  g_autoptr (ShndFrame) published = acquire (self->publisher);
  g_autoptr (ShndFrame) released = acquire (self->publisher);
  g_autoptr (ShndFrame) released_now = acquire (self->publisher);
  g_autoptr (ShndFrame) foreign = acquire (other);
  g_autoptr (ShndFrame) empty = g_object_new (SHND_TYPE_FRAME, NULL);
  g_autoptr (ShndFrame) received = NULL;
  const struct
  {
    ShndFrame *frame;
    const char *part;
  } cases[] = {
    { published, "published already" }, { released, "released" },      { released_now, "released" },
    { foreign, "another publisher" },   { empty, "was not acquired" },
  };

  join (self);
  fill (published, 1);
  shnd_publisher_publish (self->publisher, published, 0, NULL, &error);
  g_assert_no_error (error);
  received = receive (self->subscriber);
  shnd_frame_release (released);
  shnd_frame_release_now (released_now);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ASSERT_FAILS (shnd_publisher_publish (self->publisher, cases[i].frame, 0, NULL, failure),
                  SHND_ERROR_NOT_ACQUIRED, cases[i].part);
  ASSERT_FAILS (shnd_publisher_publish (self->publisher, received, 0, NULL, failure),
                SHND_ERROR_NOT_ACQUIRED, "received");
  g_assert_cmpuint (shnd_publisher_get_sequence (self->publisher), ==, 1);
}

/* ---- Repeating ---- */

static ShndFrame *
repeat (Stream *self, ShndFrame *frame)
{
  g_autoptr (GError) error = NULL;
  ShndFrame *again = shnd_publisher_repeat (self->publisher, frame, &error);

  g_assert_no_error (error);
  return again;
}

static void
publish_frame (Stream *self, ShndFrame *frame)
{
  g_autoptr (GError) error = NULL;

  shnd_publisher_publish (self->publisher, frame, 0, NULL, &error);
  g_assert_no_error (error);
}

/* The same memory comes again while it is held. */
static void
test_repeat (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) first = acquire (self->publisher);
  g_autoptr (ShndFrame) second = NULL;
  g_autoptr (ShndFrame) later = NULL;
  ShndFrame *received[3];
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  shnd_subscriber_set_depth (self->subscriber, 4);
  shnd_publisher_set_depth (self->publisher, 4);
  join (self);
  fill (first, 1);
  bytes = shnd_array_get_bytes (shnd_frame_get_array (first), &error);
  publish_frame (self, first);

  second = repeat (self, first);
  g_assert_cmpint (shnd_array_get_access (shnd_frame_get_array (second)), ==, SHND_ACCESS_READ);
  shnd_frame_set_timestamp (second, 7);
  publish_frame (self, second);
  publish (self->publisher);
  /* Neither of the two is the newest any more, but the bytes are there. */
  later = repeat (self, first);
  ASSERT_FAILS (shnd_publisher_repeat (self->publisher, second, failure), SHND_ERROR_NOT_ACQUIRED,
                "expected the newest one");
  publish_frame (self, later);

  for (guint i = 0; i < 2; i++)
    received[i] = receive_any (self->subscriber);
  g_object_unref (receive_any (self->subscriber));
  received[2] = receive_any (self->subscriber);
  g_assert_cmpuint (shnd_frame_get_sequence (received[2]), ==, 4);
  g_assert_cmpint (shnd_frame_get_timestamp (received[1]), ==, 7);
  g_assert_cmpuint (shnd_publisher_get_n_frames (self->publisher), ==, 2);
  g_assert_true (is_filled (received[0]));
  for (guint i = 1; i < 3; i++)
    g_assert_true (shnd_array_get_data (shnd_frame_get_array (received[i])) ==
                   shnd_array_get_data (shnd_frame_get_array (received[0])));

  /* Each of them holds the memory: nothing is written there before the last one goes. */
  g_clear_pointer (&bytes, g_bytes_unref);
  for (guint i = 0; i < 3; i++)
    {
      for (guint j = 0; j < 8; j++)
        publish (self->publisher);
      g_assert_true (is_filled (received[0]));
      if (i < 2)
        g_clear_object (&received[1 + i]);
    }
  ASSERT_FAILS (shnd_publisher_repeat (self->publisher, first, failure), SHND_ERROR_NOT_ACQUIRED,
                "expected the newest one");
  g_object_unref (received[0]);
}

/* The memory of the newest frame is there without anybody's bytes; a view stays one. */
static void
test_repeat_newest (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) view =
      shnd_array_slice (shnd_frame_get_array (frame), 0, 10, 20, 2, &error);

  g_assert_no_error (error);
  join (self);
  fill (frame, 1);
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
  g_clear_object (&view);
  publish_frame (self, frame);
  for (guint i = 1; i <= 100; i++)
    {
      g_autoptr (ShndFrame) again = repeat (self, frame);
      g_autoptr (ShndFrame) received = receive_any (self->subscriber);
      ShndArray *array = shnd_frame_get_array (received);

      g_assert_cmpuint (shnd_frame_get_sequence (received), ==, i);
      g_assert_cmpuint (shnd_array_get_size (array), ==, 5);
      g_assert_cmpint (shnd_array_get_strides (array, NULL)[0], ==, 2);
      g_assert_cmpint (*(guint8 *) shnd_array_get_data (array), ==, 31 + 10 * 7);
      publish_frame (self, again);
      g_set_object (&frame, again);
    }
  g_assert_cmpuint (shnd_publisher_get_n_frames (self->publisher), ==, 1);
}

static void
test_repeat_errors (Stream *self, gconstpointer data)
{
  g_autoptr (ShndPublisher) empty = g_object_new (SHND_TYPE_PUBLISHER, NULL);
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndFrame) received = NULL;

  join (self);
  ASSERT_FAILS (shnd_publisher_repeat (empty, frame, failure), SHND_ERROR_CLOSED, "no address");
  ASSERT_FAILS (shnd_publisher_repeat (self->publisher, frame, failure), SHND_ERROR_NOT_ACQUIRED,
                "has published");
  publish_frame (self, frame);
  received = receive_any (self->subscriber);
  ASSERT_FAILS (shnd_publisher_repeat (self->publisher, received, failure), SHND_ERROR_NOT_ACQUIRED,
                "has published");
  shnd_publisher_close (self->publisher);
  ASSERT_FAILS (shnd_publisher_repeat (self->publisher, frame, failure), SHND_ERROR_CLOSED,
                "closed");
}

/* ---- Overflow ---- */

static void
test_drop (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) first = NULL;
  g_autoptr (ShndFrame) last = NULL;

  join (self);
  for (guint i = 0; i < 10; i++)
    publish (self->publisher);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (self->publisher), ==, 8);
  first = receive (self->subscriber);
  g_object_unref (receive (self->subscriber));
  last = receive (self->subscriber);
  g_assert_cmpuint (shnd_frame_get_sequence (first), ==, 1);
  g_assert_cmpuint (shnd_frame_get_sequence (last), ==, 10);
  g_assert_cmpuint (shnd_subscriber_get_n_missed (self->subscriber), ==, 7);
}

static void
test_block (Stream *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame = NULL;

  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_BLOCK);
  join (self);
  publish (self->publisher);
  publish (self->publisher);
  frame = acquire (self->publisher);
  fill (frame, 3);
  for (guint i = 0; i < 2; i++)
    {
      ASSERT_FAILS (shnd_publisher_publish (self->publisher, frame, i * 1000, NULL, failure),
                    SHND_ERROR_TIMED_OUT, "subscriber");
      /* It is still there to be filled, and was sent to nobody. */
      g_assert_false (shnd_frame_get_released (frame));
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, 0);
      g_assert_cmpint (shnd_frame_get_timestamp (frame), ==, -1);
      g_assert_cmpuint (shnd_publisher_get_sequence (self->publisher), ==, 2);
      fill (frame, 3);
    }
  shnd_frame_set_metadata (frame, g_variant_new_parsed ("{'n': <int32 7>}"), &error);
  g_assert_no_error (error);

  g_object_unref (receive (self->subscriber));
  shnd_publisher_publish (self->publisher, frame, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 2; i <= 3; i++)
    {
      g_autoptr (ShndFrame) received = receive (self->subscriber);

      g_assert_cmpuint (shnd_frame_get_sequence (received), ==, i);
      if (i == 3)
        {
          g_autofree char *text = g_variant_print (shnd_frame_get_metadata (received), FALSE);

          g_assert_cmpstr (text, ==, "{'n': <7>}");
        }
    }
  g_assert_cmpuint (shnd_publisher_get_n_dropped (self->publisher), ==, 0);
}

static void
test_max_frames (Stream *self, gconstpointer data)
{
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");
  g_autoptr (ShndFrame) a = NULL;
  g_autoptr (ShndFrame) b = NULL;

  shnd_publisher_set_max_frames (self->publisher, 2);
  a = acquire (self->publisher);
  b = acquire (self->publisher);
  ASSERT_FAILS (shnd_publisher_acquire (self->publisher, dtype, SHAPE (1), 0, NULL, failure),
                SHND_ERROR_TIMED_OUT, "no frame that is free");
  g_clear_object (&a);
  a = acquire (self->publisher);
  g_assert_cmpuint (shnd_publisher_get_n_frames (self->publisher), ==, 2);
  shnd_frame_release_now (b);
  g_clear_object (&b);
  b = acquire (self->publisher);
}

/* ---- Properties ---- */

static void
count_cb (gpointer data)
{
  ++*(guint *) data;
}

static void
test_properties (Stream *self, gconstpointer data)
{
  static const char *const names[] = { "overflow", "depth", "max-frames", "max-subscribers" };
  guint n_notified = 0;
  g_autofree char *address = NULL;
  ShndOverflow overflow;
  guint depth, max_frames, max_subscribers;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *signal = g_strconcat ("notify::", names[i], NULL);

      g_signal_connect_swapped (self->publisher, signal, G_CALLBACK (count_cb), &n_notified);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_object_set (self->publisher, "overflow", SHND_OVERFLOW_BLOCK, "depth", 5, "max-frames", 9,
                    "max-subscribers", 3, NULL);
      g_assert_cmpuint (n_notified, ==, 4);
    }
  g_object_get (self->publisher, "overflow", &overflow, "depth", &depth, "max-frames", &max_frames,
                "max-subscribers", &max_subscribers, "address", &address, NULL);
  g_assert_cmpint (overflow, ==, SHND_OVERFLOW_BLOCK);
  g_assert_cmpuint (depth, ==, 5);
  g_assert_cmpuint (max_frames, ==, 9);
  g_assert_cmpuint (max_subscribers, ==, 3);
  g_assert_cmpstr (address, ==, self->path);

  shnd_publisher_set_depth (self->publisher, 0);
  g_assert_cmpuint (shnd_publisher_get_depth (self->publisher), ==, 1);
  shnd_publisher_set_depth (self->publisher, G_MAXUINT);
  g_assert_cmpuint (shnd_publisher_get_depth (self->publisher), ==, SHND_MAX_DEPTH);
  shnd_subscriber_set_depth (self->subscriber, SHND_MAX_DEPTH + 1);
  g_assert_cmpuint (shnd_subscriber_get_depth (self->subscriber), ==, SHND_MAX_DEPTH);

  n_notified = 0;
  g_signal_connect_swapped (self->subscriber, "notify", G_CALLBACK (count_cb), &n_notified);
  for (guint i = 0; i < 2; i++)
    {
      g_object_set (self->subscriber, "depth", 5, "latest-only", TRUE, "observer", TRUE,
                    "reconnect", TRUE, "spin", 30, NULL);
      g_assert_cmpuint (n_notified, ==, 5);
    }
  g_assert_cmpuint (shnd_subscriber_get_depth (self->subscriber), ==, 5);
  g_assert_true (shnd_subscriber_get_latest_only (self->subscriber));
  g_assert_true (shnd_subscriber_get_observer (self->subscriber));
  g_assert_true (shnd_subscriber_get_reconnect (self->subscriber));
  g_assert_cmpuint (shnd_subscriber_get_spin (self->subscriber), ==, 30);
}

static void
test_addresses (Stream *self, gconstpointer data)
{
  g_autofree char *too_long = g_strnfill (120, 'x');
  g_autofree char *long_path = g_strconcat (self->folder, "/", too_long, NULL);
  g_autofree char *no_folder = g_build_filename (self->folder, "none", "socket", NULL);

  ASSERT_FAILS (shnd_publisher_new (self->path, failure), SHND_ERROR_EXISTS, "Another publisher");
  ASSERT_FAILS (shnd_publisher_new ("", failure), SHND_ERROR_INVALID_NAME, "");
  ASSERT_FAILS (shnd_publisher_new ("a/b", failure), SHND_ERROR_INVALID_NAME, "");
  ASSERT_FAILS (shnd_subscriber_new (".a", failure), SHND_ERROR_INVALID_NAME, "");
  ASSERT_FAILS (shnd_publisher_new (long_path, failure), SHND_ERROR_INVALID_NAME, "107");
  ASSERT_FAILS (shnd_subscriber_new (long_path, failure), SHND_ERROR_INVALID_NAME, "107");
  ASSERT_FAILS (shnd_publisher_new (no_folder, failure), SHND_ERROR_NOT_FOUND, "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/frames/empty/publisher", test_empty_publisher);
  g_test_add_func ("/frames/empty/subscriber", test_empty_subscriber);
  g_test_add_func ("/frames/empty/frame", test_empty_frame);
  ADD_STREAM ("/frames/flow", test_flow);
  ADD_STREAM ("/frames/late-end", test_late_end);
  ADD_STREAM ("/frames/end", test_end);
  ADD_STREAM ("/frames/survivors", test_survivors);
  ADD_STREAM ("/frames/not-acquired", test_not_acquired);
  ADD_STREAM ("/frames/repeat", test_repeat);
  ADD_STREAM ("/frames/repeat-newest", test_repeat_newest);
  ADD_STREAM ("/frames/repeat-errors", test_repeat_errors);
  ADD_STREAM ("/frames/drop", test_drop);
  ADD_STREAM ("/frames/block", test_block);
  ADD_STREAM ("/frames/max-frames", test_max_frames);
  ADD_STREAM ("/frames/properties", test_properties);
  ADD_STREAM ("/frames/addresses", test_addresses);

  return g_test_run ();
}
