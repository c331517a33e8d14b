/* SPDX-License-Identifier: MIT */

/* One process of the rows about pipelines: runs a pipeline, and measures what comes to the element
 * whose name is "end".
 *
 * After the warm-up, and then so many seconds later, it prints "window FRAMES WALL CPU" and, where
 * asked for, two quantiles of the latencies: all times are in nanoseconds. It ends with the stream,
 * or when its standard input does. */

#include <glib-unix.h>
#include <gst/gst.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* More latencies than a window may have frames. */
#define N_LATENCIES 100000

typedef struct
{
  gint64 wall;
  gint64 cpu;
} Moment;

static double warm_up;
static double seconds;
static gboolean stamps;
static gboolean latencies;
static gboolean exist;

static const GOptionEntry options[] = {
  { "warm-up", 0, 0, G_OPTION_ARG_DOUBLE, &warm_up, "Seconds before the window", "S" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "Length of the window", "S" },
  { "stamp", 0, 0, G_OPTION_ARG_NONE, &stamps, "Write when it is due into each buffer", NULL },
  { "latency", 0, 0, G_OPTION_ARG_NONE, &latencies, "Compare it with the time of arrival", NULL },
  { "exist", 0, 0, G_OPTION_ARG_NONE, &exist, "Tell whether there are these elements", NULL },
  { NULL }
};

static GMainLoop *loop;
static int status;

/* Those below are the streaming thread's. */
static gint64 first;
static Moment begin;
static gint64 n_frames;
static gboolean done;
static gint64 *values;
static guint n_values;

static gint64
get_time (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * GST_SECOND + time.tv_nsec;
}

static Moment
get_moment (void)
{
  return (Moment){ get_time (CLOCK_MONOTONIC), get_time (CLOCK_PROCESS_CPUTIME_ID) };
}

static int
compare_values (const void *a, const void *b)
{
  const gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
report (const Moment *end)
{
  g_print ("window %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, n_frames,
           end->wall - begin.wall, end->cpu - begin.cpu);
  if (n_values > 0)
    {
      qsort (values, n_values, sizeof *values, compare_values);
      g_print (" %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, values[n_values / 2],
               values[n_values * 99 / 100]);
    }
  g_print ("\n");
}

/* By the monotonic clock, which pipelines without another one go by. */
static gint64
get_due_time (GstPad *pad, GstBuffer *buffer)
{
  GstElement *element = gst_pad_get_parent_element (pad);
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  gint64 due;

  gst_event_parse_segment (event, &segment);
  due = gst_element_get_base_time (element) +
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  gst_event_unref (event);
  gst_object_unref (element);

  return due;
}

static GstBuffer *
stamp (GstPad *pad, GstBuffer *buffer)
{
  const gint64 due = get_due_time (pad, buffer);

  buffer = gst_buffer_make_writable (buffer);
  gst_buffer_fill (buffer, 0, &due, sizeof due);

  return buffer;
}

static void
note_latency (GstBuffer *buffer, gint64 now)
{
  gint64 then;

  if (gst_buffer_extract (buffer, 0, &then, sizeof then) == sizeof then && n_values < N_LATENCIES)
    values[n_values++] = now - then;
}

static GstPadProbeReturn
buffer_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data G_GNUC_UNUSED)
{
  const gint64 now = get_time (CLOCK_MONOTONIC);

  if (stamps)
    info->data = stamp (pad, info->data);
  if (seconds == 0 || done)
    return GST_PAD_PROBE_OK;

  if (first == 0)
    first = now;
  if (begin.wall == 0)
    {
      if (now - first >= warm_up * GST_SECOND)
        begin = get_moment ();
      return GST_PAD_PROBE_OK;
    }

  n_frames++;
  if (latencies)
    note_latency (info->data, now);
  if (now - begin.wall >= seconds * GST_SECOND)
    {
      const Moment end = get_moment ();

      report (&end);
      done = TRUE;
    }

  return GST_PAD_PROBE_OK;
}

static gboolean
message_cb (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      status = 1;
    }
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_EOS))
    g_main_loop_quit (loop);

  return G_SOURCE_CONTINUE;
}

static gboolean
input_cb (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
  char byte;

  if (read (fd, &byte, 1) > 0)
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
have_elements (char **names)
{
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autoptr (GstElementFactory) factory = gst_element_factory_find (names[i]);

      if (factory == NULL)
        return FALSE;
    }

  return TRUE;
}

static GstElement *
make_pipeline (char **words)
{
  g_autofree char *text = g_strjoinv (" ", words);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) end = NULL;
  g_autoptr (GstPad) pad = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);

  if (error != NULL)
    g_error ("%s", error->message);
  end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  if (end != NULL)
    {
      pad = gst_element_get_static_pad (end, "sink");
      gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, buffer_cb, NULL, NULL);
    }

  return pipeline;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("PIPELINE");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstBus) bus = NULL;
  guint watch;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  setlinebuf (stdout);
  if (exist)
    return have_elements (argv + 1) ? 0 : 1;

  values = g_new (gint64, N_LATENCIES);
  loop = g_main_loop_new (NULL, FALSE);
  pipeline = gst_object_ref_sink (make_pipeline (argv + 1));
  bus = gst_element_get_bus (pipeline);
  watch = gst_bus_add_watch (bus, message_cb, NULL);
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, input_cb, NULL);

  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    g_main_loop_run (loop);
  else
    status = 1;
  gst_element_set_state (pipeline, GST_STATE_NULL);

  g_source_remove (watch);
  g_main_loop_unref (loop);
  g_free (values);

  return status;
}
