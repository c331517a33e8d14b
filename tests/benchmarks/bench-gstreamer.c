/* SPDX-License-Identifier: MIT */

/* The row about GStreamer's shmsink and shmsrc: frames are written in the memory of the one, and
 * read in that of the other. */

#include "bench-frames.h"

#include <stdio.h>

#define SKIPPED                                                                                    \
  "skip frames-gstreamer not installed: libgstreamer1.0-dev, gstreamer1.0-plugins-base, "          \
  "gstreamer1.0-plugins-bad"

#ifdef HAVE_GSTREAMER

#include <gst/gst.h>

/* How many frames have room in the shared memory: one more than the subscriber of the other side
 * may hold, and the one that is written. */
#define N_FRAMES 4

/* The same in both processes. */
static char *
get_socket_path (void)
{
  return g_build_filename (g_get_user_runtime_dir (), "shm", NULL);
}

static gboolean
have_elements (void)
{
  const char *const names[] = { "shmsink", "shmsrc", "appsink" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GstElementFactory) factory = gst_element_factory_find (names[i]);

      if (factory == NULL)
        return FALSE;
    }

  return TRUE;
}

/* ---- The sender ---- */

static GstElement *sink;
static GstPad *pad; /* what comes before the sink */
static GstAllocator *allocator;
static GstAllocationParams params;

static void
start_sink (gsize n_bytes)
{
  g_autofree char *socket_path = get_socket_path ();
  g_autoptr (GstPad) sink_pad = NULL;
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("application/octet-stream");
  GstQuery *query;
  GstSegment segment;

  sink = gst_object_ref_sink (gst_element_factory_make ("shmsink", NULL));
  g_object_set (sink, "socket-path", socket_path, "wait-for-connection", TRUE, "sync", FALSE,
                "async", FALSE, "shm-size", (guint) (N_FRAMES * (n_bytes + 4096)), NULL);
  pad = gst_pad_new ("src", GST_PAD_SRC);
  sink_pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_set_active (pad, TRUE);
  if (gst_pad_link (pad, sink_pad) != GST_PAD_LINK_OK ||
      gst_element_set_state (sink, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    bench_fail ("The shmsink does not start");

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (pad, gst_event_new_stream_start ("frames"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));

  query = gst_query_new_allocation (caps, FALSE);
  if (!gst_pad_peer_query (pad, query) || gst_query_get_n_allocation_params (query) == 0)
    bench_fail ("The shmsink offers no memory");
  gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  gst_query_unref (query);
}

static void
send_buffer (guint size, BenchWrite write)
{
  gsize n_bytes = bench_get_n_bytes (size);
  GstBuffer *buffer;
  GstMapInfo map;

  if (sink == NULL)
    start_sink (n_bytes);

  buffer = gst_buffer_new_allocate (allocator, n_bytes, &params);
  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    bench_fail ("gst_buffer_map");
  bench_write (map.data, n_bytes, write);
  gst_buffer_unmap (buffer, &map);
  if (gst_pad_push (pad, buffer) != GST_FLOW_OK)
    bench_fail ("The shmsink takes no more");
}

static void
stop_sink (void)
{
  if (sink == NULL)
    return;

  gst_element_set_state (sink, GST_STATE_NULL);
  gst_pad_set_active (pad, FALSE);
  g_clear_pointer (&pad, gst_object_unref);
  g_clear_object (&allocator);
  g_clear_object (&sink);
}

/* ---- The receiver ---- */

static GstElement *source;

static GstElement *
start_source (void)
{
  g_autofree char *socket_path = get_socket_path ();
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  gst_init (NULL, NULL);
  while (!g_file_test (socket_path, G_FILE_TEST_EXISTS))
    g_usleep (1000);
  text = g_strdup_printf ("shmsrc socket-path=%s ! appsink name=sink sync=false max-buffers=1",
                          socket_path);
  pipeline = gst_parse_launch (text, &error);
  if (error != NULL)
    bench_fail ("%s", error->message);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);

  return pipeline;
}

static gint64
receive_buffer (const BenchJob *job)
{
  static GstElement *end;
  GstSample *sample;
  GstMapInfo map;

  if (source == NULL)
    {
      source = start_source ();
      end = gst_bin_get_by_name (GST_BIN (source), "sink");
    }

  g_signal_emit_by_name (end, "pull-sample", &sample);
  if (sample == NULL || !gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ))
    bench_fail ("The shmsrc has ended");
  if (map.size != bench_get_n_bytes (job->size))
    bench_fail ("A buffer has come in pieces");
  if (job->read)
    bench_read (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  gst_sample_unref (sample);

  return 0;
}

static void
stop_source (const BenchJob *job G_GNUC_UNUSED)
{
  gst_element_set_state (source, GST_STATE_NULL);
  g_clear_object (&source);
}

static const BenchTransport buffers = { send_buffer, receive_buffer };

void
bench_gstreamer (void)
{
  const BenchJob job = { 0 };

  gst_init (NULL, NULL);
  if (!have_elements ())
    {
      puts (SKIPPED);
      return;
    }

  bench_compare_streams ("frames-gstreamer", BENCH_WRITE_FILL, &buffers);
  stop_sink ();
  bench_order (0, stop_source, &job);
  bench_await (0);
}

#else

void
bench_gstreamer (void)
{
  puts (SKIPPED);
}

#endif
