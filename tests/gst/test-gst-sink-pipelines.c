/* SPDX-License-Identifier: MIT */

#include "sink-support.h"

#include <time.h>

/* Times, and the sink among other elements. */

/* ---- Times ---- */

static gint64
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);

  return now.tv_sec * (gint64) GST_SECOND + now.tv_nsec;
}

static gint64
push_with_time (Stream *self, GstClockTime pts, GstClockTime dts)
{
  GstBuffer *buffer = new_foreign_buffer (10, 1);
  g_autoptr (ShndFrame) frame = NULL;

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DTS (buffer) = dts;
  push (self, buffer);
  frame = receive_any (self->subscriber);

  return shnd_frame_get_timestamp (frame);
}

static void
set_segment (Stream *self, GstFormat format, GstClockTime start)
{
  GstSegment segment;

  gst_segment_init (&segment, format);
  segment.start = start;
  g_assert_true (gst_harness_push_event (self->harness, gst_event_new_segment (&segment)));
}

/* By the clock that frames are of, no more and no less than when the buffer is due. */
static void
test_timestamp (Stream *self, gconstpointer data)
{
  const GstClockTime base_time = 1000 * GST_SECOND;
  gint64 before, timestamp;

  gst_harness_use_systemclock (self->harness);
  negotiate (self, "application/octet-stream");
  join (self);
  gst_element_set_base_time (self->sink, base_time);
  set_segment (self, GST_FORMAT_TIME, 3 * GST_SECOND);
  g_assert_cmpint (push_with_time (self, 5 * GST_SECOND, 4 * GST_SECOND), ==,
                   base_time + 2 * GST_SECOND);
  g_assert_cmpint (push_with_time (self, GST_CLOCK_TIME_NONE, 4 * GST_SECOND), ==,
                   base_time + GST_SECOND);

  /* That of publishing, where there is none. */
  before = get_time ();
  timestamp = push_with_time (self, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
  g_assert_cmpint (timestamp, >=, before);
  g_assert_cmpint (timestamp, <=, get_time ());
  set_segment (self, GST_FORMAT_BYTES, 0);
  timestamp = push_with_time (self, 5, GST_CLOCK_TIME_NONE);
  g_assert_cmpint (timestamp, >=, before);
  g_assert_cmpint (timestamp, <=, get_time ());
}

/* By another clock: the difference of the two at this moment is taken into account. */
static void
test_other_clock (Stream *self, gconstpointer data)
{
  gint64 before, timestamp, now;

  gst_harness_use_testclock (self->harness);
  gst_harness_set_time (self->harness, 7 * GST_SECOND);
  negotiate (self, "application/octet-stream");
  join (self);
  gst_element_set_base_time (self->sink, 4 * GST_SECOND);

  before = get_time ();
  timestamp = push_with_time (self, GST_SECOND, GST_CLOCK_TIME_NONE);
  now = get_time ();
  g_assert_cmpint (timestamp, >=, before - 2 * (gint64) GST_SECOND);
  g_assert_cmpint (timestamp, <=, now - 2 * (gint64) GST_SECOND);
}

static void
test_latency (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;
  guint64 latency = 0;

  negotiate (self, "application/octet-stream");
  join (self);
  push (self, new_foreign_buffer (10, 1));
  frame = receive_any (self->subscriber);
  g_assert_false (g_variant_lookup (shnd_frame_get_metadata (frame), "latency", "t", &latency));
  g_clear_object (&frame);

  g_assert_true (gst_element_send_event (self->sink, gst_event_new_latency (33 * GST_MSECOND)));
  push (self, new_foreign_buffer (10, 1));
  frame = receive_any (self->subscriber);
  g_assert_true (g_variant_lookup (shnd_frame_get_metadata (frame), "latency", "t", &latency));
  g_assert_cmpuint (latency, ==, 33 * GST_MSECOND);
}

/* Metas are left out before frames are. */
static void
test_many_metas (Stream *self, gconstpointer data)
{
  GstBuffer *buffer = new_foreign_buffer (SIZE_RGB, 1);
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, CAPS_RGB);
  join (self);
  for (guint i = 0; i < 5000; i++)
    gst_buffer_add_video_region_of_interest_meta (buffer, "face", i, 0, 1, 1);
  push (self, buffer);
  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (4, 5, 3));
  g_assert_true (g_variant_lookup (shnd_frame_get_metadata (frame), "caps", "s", NULL));
}

/* ---- Pipelines ---- */

typedef struct
{
  GstElement *pipeline;
  GstElement *sink;
} Pipeline;

/* The text has a sink of the name “sink”. FALSE if an element is not installed. */
static gboolean
pipeline_init (Pipeline *self, Stream *stream, const char *text)
{
  g_autoptr (GError) error = NULL;

  self->pipeline = gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT))
    {
      g_test_skip (error->message);
      return FALSE;
    }
  g_assert_no_error (error);
  /* The address is for this one. */
  gst_element_set_state (stream->sink, GST_STATE_NULL);
  self->sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  g_object_set (self->sink, "address", stream->path, NULL);

  return TRUE;
}

static void
pipeline_clear (Pipeline *self)
{
  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (self->sink);
  gst_object_unref (self->pipeline);
}

static void
run_to_eos (Pipeline *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  g_autoptr (GstMessage) message = NULL;

  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_PLAYING), !=,
                   GST_STATE_CHANGE_FAILURE);
  message =
      gst_bus_timed_pop_filtered (bus, PATIENCE * GST_USECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      g_assert_no_error (error);
    }
}

typedef struct
{
  const char *text;
  guint64 n_frames;
  guint64 n_copied;
} Case;

static void
test_pipelines (Stream *self, gconstpointer data)
{
  static const Case cases[] = {
    { "videotestsrc num-buffers=8 ! shndsink name=sink sync=false", 8, 0 },
    { "videotestsrc num-buffers=4 ! video/x-raw,framerate=100/1 ! shndsink name=sink", 4, 0 },
    { "videotestsrc num-buffers=8 ! video/x-raw,format=I420 ! videoconvert ! "
      "video/x-raw,format=RGBA ! shndsink name=sink sync=false max-frames=3",
      8, 0 },
    { "videotestsrc num-buffers=8 ! queue ! shndsink name=sink sync=false max-frames=2", 8, 0 },
    { "videotestsrc num-buffers=8 ! queue ! shndsink name=sink sync=false enable-last-sample=true "
      "max-frames=3",
      8, 0 },
    { "audiotestsrc num-buffers=8 ! shndsink name=sink sync=false", 8, 8 },
    { "audiotestsrc num-buffers=8 samplesperbuffer=65536 ! shndsink name=sink sync=false", 8, 0 },
    { "fakesrc num-buffers=8 sizetype=fixed sizemax=70000 ! shndsink name=sink sync=false", 8, 8 },
    /* A tee lets upstream have memory of its own. */
    { "videotestsrc num-buffers=8 ! tee name=t ! queue ! shndsink name=sink sync=false "
      "t. ! queue ! fakesink sync=false",
      8, 8 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Pipeline pipeline;

      g_test_message ("%s", cases[i].text);
      if (!pipeline_init (&pipeline, self, cases[i].text))
        return;
      run_to_eos (&pipeline);
      g_assert_cmpuint (get_stat (pipeline.sink, "frames"), ==, cases[i].n_frames);
      g_assert_cmpuint (get_stat (pipeline.sink, "copied"), ==, cases[i].n_copied);
      pipeline_clear (&pipeline);
    }
}

/* Both have the same buffers. */
static void
test_two_sinks (Stream *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "other", NULL);
  g_autofree char *text = g_strdup_printf (
      "videotestsrc num-buffers=30 ! video/x-raw,width=16,height=16,framerate=200/1 ! tee name=t ! "
      "queue ! shndsink name=sink t. ! queue ! shndsink name=other address=%s",
      path);
  g_autoptr (GstElement) other = NULL;
  Pipeline pipeline;

  if (!pipeline_init (&pipeline, self, text))
    return;
  other = gst_bin_get_by_name (GST_BIN (pipeline.pipeline), "other");
  run_to_eos (&pipeline);
  g_assert_cmpuint (get_stat (pipeline.sink, "frames"), ==, 30);
  g_assert_cmpuint (get_stat (other, "frames"), ==, 30);
  pipeline_clear (&pipeline);
}

/* ---- At random ---- */

typedef struct
{
  ShndSubscriber *subscriber;
  GCancellable *cancellable;
  gint n_frames;
} Reader;

static gpointer
read_thread (gpointer data)
{
  Reader *self = data;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndFrame) frame G_GNUC_UNUSED =
          shnd_subscriber_receive (self->subscriber, -1, self->cancellable, &error);

      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return NULL;
      g_assert_no_error (error);
      g_atomic_int_inc (&self->n_frames);
    }
}

static void
do_something (Pipeline *self)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
                                     GST_STATE_PLAYING };

  g_usleep (g_test_rand_int_range (0, 3000));
  switch (g_test_rand_int_range (0, 8))
    {
    case 0:
    case 1:
      gst_element_seek_simple (self->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
      break;
    case 2:
      gst_element_get_state (self->pipeline, NULL, NULL, GST_MSECOND);
      break;
    default:
      g_assert_cmpint (gst_element_set_state (self->pipeline, states[g_test_rand_int_range (0, 4)]),
                       !=, GST_STATE_CHANGE_FAILURE);
    }
}

static void
assert_still_works (Pipeline *self, Reader *reader)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  gint n_frames;

  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  n_frames = g_atomic_int_get (&reader->n_frames);
  g_object_set (self->sink, "wait-subscribers", 1, NULL);
  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_PLAYING), !=,
                   GST_STATE_CHANGE_FAILURE);
  while (g_atomic_int_get (&reader->n_frames) == n_frames)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  g_test_message ("%d frames", n_frames);
}

static void
test_random (Stream *self, gconstpointer data)
{
  static const char *const texts[] = {
    "videotestsrc num-buffers=20 ! video/x-raw,width=16,height=16 ! shndsink name=sink sync=false",
    "videotestsrc num-buffers=20 ! video/x-raw,width=16,height=16 ! shndsink name=sink "
    "max-frames=2 overflow=block",
    "videotestsrc num-buffers=20 ! queue ! shndsink name=sink sync=false max-frames=3 "
    "overflow=block wait-subscribers=1",
    "audiotestsrc num-buffers=20 ! tee name=t ! queue ! shndsink name=sink t. ! queue ! fakesink",
  };
  const char *rounds = g_getenv ("SHND_TEST_ROUNDS");
  guint n_rounds = rounds != NULL ? 100 * atoi (rounds) : 100;

  if (g_getenv ("SHND_TEST_VALGRIND") != NULL)
    n_rounds /= 4;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      Pipeline pipeline;
      Reader reader = { self->subscriber, g_cancellable_new (), 0 };
      GThread *reading;

      if (!pipeline_init (&pipeline, self, texts[i]))
        break;
      g_object_set (self->subscriber, "reconnect", TRUE, NULL);
      reading = g_thread_new ("read", read_thread, &reader);
      for (guint j = 0; j < n_rounds; j++)
        do_something (&pipeline);
      assert_still_works (&pipeline, &reader);

      g_cancellable_cancel (reader.cancellable);
      g_thread_join (reading);
      g_object_unref (reader.cancellable);
      pipeline_clear (&pipeline);
    }
}

int
main (int argc, char **argv)
{
  int status;

  init (&argc, &argv);

  ADD_STREAM ("/gst/sink/timestamp", test_timestamp);
  ADD_STREAM ("/gst/sink/other-clock", test_other_clock);
  ADD_STREAM ("/gst/sink/latency", test_latency);
  ADD_STREAM ("/gst/sink/many-metas", test_many_metas);
  ADD_STREAM ("/gst/sink/pipelines", test_pipelines);
  ADD_STREAM ("/gst/sink/two-sinks", test_two_sinks);
  ADD_STREAM ("/gst/sink/random", test_random);

  status = g_test_run ();
  assert_no_leaks ();

  return status;
}
