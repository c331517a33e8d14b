/* SPDX-License-Identifier: MIT */

#include "src-support.h"

static GstClockTime
pull_pts (Source *self)
{
  g_autoptr (GstBuffer) buffer = pull (self);

  return GST_BUFFER_PTS (buffer);
}

static void
test_times (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const gint64 base = g_get_monotonic_time () * 1000 - GST_SECOND;

  gst_harness_use_systemclock (self->harness);
  gst_element_set_base_time (self->element, base);
  play (self);

  publish_at (self, base + 5000, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, 5000);
  publish_at (self, base + 4000, WITH_CAPS (", 'pts': <uint64 77>"));
  g_assert_cmpuint (pull_pts (self), ==, 4000);
  /* Before the pipeline, or of no clock at all. */
  publish_at (self, base - 1, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, 0);
  publish_at (self, G_MININT64, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, 0);
  publish_at (self, G_MAXINT64, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, G_MAXINT64 - base);

  publish_at (self, base + 9000,
              WITH_CAPS (", 'pts': <uint64 300>, 'dts': <uint64 100>, 'duration': <uint64 33>"));
  buffer = pull (self);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 9000);
  g_assert_cmpuint (GST_BUFFER_DTS (buffer), ==, 8800);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, 33);
}

/* A clock that goes as it likes: now is 7 s by it. */
static void
test_times_by_another_clock (Source *self, gconstpointer data)
{
  const gint64 age = 250 * GST_MSECOND;
  gint64 before, after;
  GstClockTime pts;

  gst_harness_set_time (self->harness, 7 * GST_SECOND);
  play (self);
  before = g_get_monotonic_time () * 1000;
  publish_at (self, before - age, WITH_CAPS (""));
  pts = pull_pts (self);
  after = (g_get_monotonic_time () + 1) * 1000;

  g_assert_cmpuint (pts, <=, 7 * GST_SECOND - age);
  g_assert_cmpuint (pts, >=, 7 * GST_SECOND - age - (after - before));
}

/* Whatever clock the script has used: only distances count, from when the first one has come. */
static void
test_times_of_scripts (Source *self, gconstpointer data)
{
  static const struct
  {
    gint64 timestamp;
    GstClockTime pts;
    gboolean is_discont;
  } cases[] = {
    { -1000, 3 * GST_SECOND, TRUE },       { -1000, 3 * GST_SECOND, FALSE },
    { 500, 3 * GST_SECOND + 1500, FALSE }, { GST_SECOND, 4 * GST_SECOND + 1000, FALSE },
    { -5, 3 * GST_SECOND, TRUE },          { 5, 3 * GST_SECOND + 10, FALSE },
    { G_MININT64, 3 * GST_SECOND, TRUE },  { G_MAXINT64, G_MAXINT64, FALSE },
  };

  gst_harness_set_time (self->harness, 3 * GST_SECOND);
  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;

      publish_at (self, cases[i].timestamp, NULL);
      buffer = pull (self);
      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, cases[i].pts);
      g_assert_false (GST_BUFFER_DTS_IS_VALID (buffer));
      g_assert_cmpint (is_discont (buffer), ==, cases[i].is_discont);
    }
}

/* The next publisher has a clock of its own. */
static void
test_times_of_next_script (Source *self, gconstpointer data)
{
  gst_harness_set_time (self->harness, 3 * GST_SECOND);
  g_object_set (self->element, "reconnect", TRUE, NULL);
  play (self);
  publish_at (self, 1000, NULL);
  g_assert_cmpuint (pull_pts (self), ==, 3 * GST_SECOND);

  g_object_unref (self->publisher);
  new_publisher (self);
  wait_for_subscriber (self);
  gst_harness_set_time (self->harness, 4 * GST_SECOND);
  publish_at (self, 50 * GST_SECOND, NULL);
  g_assert_cmpuint (pull_pts (self), ==, 4 * GST_SECOND);
}

static void
test_do_timestamp (Source *self, gconstpointer data)
{
  gst_harness_set_time (self->harness, 3 * GST_SECOND);
  g_object_set (self->element, "do-timestamp", TRUE, NULL);
  play (self);
  publish_at (self, 0, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, 3 * GST_SECOND);
  publish_at (self, 12345, NULL);
  g_assert_cmpuint (pull_pts (self), ==, 3 * GST_SECOND);
}

/* The running time has left the pause out, and does not go back. */
static void
test_times_after_pause (Source *self, gconstpointer data)
{
  gst_harness_set_time (self->harness, 3 * GST_SECOND);
  play (self);
  publish_at (self, 0, WITH_CAPS (""));
  g_assert_cmpuint (pull_pts (self), ==, 0);

  gst_element_set_state (self->element, GST_STATE_PAUSED);
  publish_at (self, 0, WITH_CAPS (""));
  gst_harness_set_time (self->harness, 10 * GST_SECOND);
  gst_element_set_base_time (self->element, 6 * GST_SECOND);
  gst_element_set_state (self->element, GST_STATE_PLAYING);
  g_assert_cmpuint (pull_pts (self), ==, 4 * GST_SECOND);
}

static GstClockTime
query_latency (Source *self, GstClockTime *max)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean is_live;
  GstClockTime min;

  g_assert_true (gst_element_query (self->element, query));
  gst_query_parse_latency (query, &is_live, &min, max);
  g_assert_true (is_live);
  gst_query_unref (query);

  return min;
}

static void
assert_latency (Source *self, const char *metadata, GstClockTime expected, gboolean changes)
{
  g_autoptr (GstMessage) message = NULL;
  GstClockTime max;

  publish_at (self, 0, metadata);
  gst_buffer_unref (pull (self));
  g_assert_cmpuint (query_latency (self, &max), ==, expected);
  g_assert_false (GST_CLOCK_TIME_IS_VALID (max));
  message = gst_bus_pop_filtered (self->bus, GST_MESSAGE_LATENCY);
  g_assert_cmpint (message != NULL, ==, changes);
}

static void
test_latency (Source *self, gconstpointer data)
{
  play (self);
  assert_latency (self, NULL, 0, FALSE);
  assert_latency (self, WITH_CAPS (", 'latency': <uint64 40000000>"), 40 * GST_MSECOND, TRUE);
  assert_latency (self, WITH_CAPS (", 'latency': <uint64 40000000>"), 40 * GST_MSECOND, FALSE);
  assert_latency (self, WITH_CAPS (", 'latency': <uint64 9>"), 9, TRUE);
  assert_latency (self, WITH_CAPS (""), 0, TRUE);
}

static void
test_segment (Source *self, gconstpointer data)
{
  gboolean has_segment = FALSE;

  play (self);
  publish_one (self);
  pull_is_discont (self);
  while (!has_segment)
    {
      g_autoptr (GstEvent) event = gst_harness_pull_event (self->harness);
      const GstSegment *segment;

      g_assert_nonnull (event);
      has_segment = GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT;
      if (has_segment)
        {
          gst_event_parse_segment (event, &segment);
          g_assert_cmpint (segment->format, ==, GST_FORMAT_TIME);
        }
    }
}

int
main (int argc, char **argv)
{
  init_source_tests (&argc, &argv);

  ADD_SOURCE ("/gst/src/times", test_times);
  ADD_SOURCE ("/gst/src/times-by-another-clock", test_times_by_another_clock);
  ADD_SOURCE ("/gst/src/times-of-scripts", test_times_of_scripts);
  ADD_SOURCE ("/gst/src/times-of-next-script", test_times_of_next_script);
  ADD_SOURCE ("/gst/src/do-timestamp", test_do_timestamp);
  ADD_SOURCE ("/gst/src/times-after-pause", test_times_after_pause);
  ADD_SOURCE ("/gst/src/latency", test_latency);
  ADD_SOURCE ("/gst/src/segment", test_segment);

  return run_source_tests ();
}
