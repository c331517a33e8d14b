/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-json.h"
#include "cli-options.h"
#include "cli-record.h"
#include "cli-screen.h"
#include "cli-signals.h"
#include "cli-status.h"
#include "cli-text.h"
#include "cli-viewer.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* After how long it is said that there is no publisher, in microseconds. */
#define PATIENCE G_USEC_PER_SEC

#define NSEC_PER_SEC 1000000000

static gboolean as_json, force, as_png, latest, reconnect, show;
static char *count_text, *timeout_text, *target, *format;

static const GOptionEntry entries[] = {
  { "count", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &count_text, "End after so many frames",
    "N" },
  { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &timeout_text,
    "Fail if a frame does not come in that time", "SECONDS" },
  { "save", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &target,
    "Save each frame as a .npy file in this folder, named by its sequence; “-” writes them to the "
    "standard output, one after the other",
    "FOLDER" },
  { "force", 'f', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &force,
    "Replace files that are in the folder already", NULL },
  { "png", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_png, "Save as PNG instead", NULL },
  { "show", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &show,
    "Draw the newest frame in the terminal, until q is pressed", NULL },
  { "format", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &format,
    "What the terminal gets for that: auto (the default), blocks, sixel, kitty or ascii",
    "FORMAT" },
  { "latest", 'l', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &latest,
    "Skip frames that are not the newest one", NULL },
  { "reconnect", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &reconnect,
    "When the publisher ends, wait for the next one", NULL },
  { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json,
    "Print JSON, an object on each line", NULL },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "ADDRESS",
  .description =
      "Receives frames, and prints a line for each: its sequence, how old it is, its dtype and "
      "shape, and how\nmany frames were missed before it. Ends when the publisher does.",
  .notes = "The address is a name, or the absolute path of a socket. There need not be a publisher "
           "yet.",
  .entries = entries,
  .min_operands = 1,
  .max_operands = 1,
};

/* ---- What is said of a frame ---- */

/* How long ago it was made, in seconds. A publisher can set any time, also by another clock. */
static gdouble
get_age (ShndFrame *frame)
{
  gint64 timestamp = shnd_frame_get_timestamp (frame);
  struct timespec now;
  gint64 age;

  clock_gettime (CLOCK_MONOTONIC, &now);
  if (__builtin_sub_overflow (now.tv_sec * (gint64) NSEC_PER_SEC + now.tv_nsec, timestamp, &age))
    return timestamp < 0 ? INFINITY : -INFINITY;

  return age / (gdouble) NSEC_PER_SEC;
}

static char *
format_age (gdouble age)
{
  if (fabs (age) < 1)
    return g_strdup_printf ("%.2f ms", age * 1e3);

  return g_strdup_printf ("%.2f s", age);
}

/* For people: "  17   0.31 ms  |u1  1080x1920x3  2 missed". */
static void
print_frame (ShndFrame *frame, gdouble age, guint64 n_missed, const char *path)
{
  ShndArray *array = shnd_frame_get_array (frame);
  g_autofree char *age_text = format_age (age);
  g_autofree char *dtype = cli_text_format_short_dtype (shnd_array_get_dtype (array));
  g_autofree char *shape_text = NULL;
  const gint64 *shape;
  guint n_dims;

  shape = shnd_array_get_shape (array, &n_dims);
  shape_text = cli_text_format_shape (shape, n_dims);
  printf ("%6" G_GUINT64_FORMAT "  %10s  %s  %s", shnd_frame_get_sequence (frame), age_text, dtype,
          shape_text);
  if (path != NULL)
    {
      g_autofree char *escaped = cli_text_escape (path);

      printf ("  %s", escaped);
    }
  if (n_missed > 0)
    printf ("  %" G_GUINT64_FORMAT " missed", n_missed);
  putchar ('\n');
}

/* JSON has no number for infinities and NaN. */
static void
clear_non_finite (JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      g_autoptr (GList) elements = json_array_get_elements (json_node_get_array (node));

      for (GList *element = elements; element != NULL; element = element->next)
        clear_non_finite (element->data);
    }
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      g_autoptr (GList) values = json_object_get_values (json_node_get_object (node));

      for (GList *value = values; value != NULL; value = value->next)
        clear_non_finite (value->data);
    }
  else if (json_node_get_value_type (node) == G_TYPE_DOUBLE &&
           !isfinite (json_node_get_double (node)))
    {
      json_node_init_null (node);
    }
}

static void
print_json (ShndFrame *frame, gdouble age, guint64 n_missed, const char *path)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  ShndArray *array = shnd_frame_get_array (frame);
  JsonNode *metadata = json_gvariant_serialize (shnd_frame_get_metadata (frame));
  const gint64 *shape;
  guint n_dims;

  clear_non_finite (metadata);
  shape = shnd_array_get_shape (array, &n_dims);

  json_builder_begin_object (builder);
  cli_json_add_uint (builder, "sequence", shnd_frame_get_sequence (frame));
  cli_json_add_int (builder, "timestamp", shnd_frame_get_timestamp (frame));
  cli_json_add_double (builder, "age", age);
  cli_json_add_string (builder, "dtype", shnd_dtype_to_string (shnd_array_get_dtype (array)));
  cli_json_add_ints (builder, "shape", shape, n_dims);
  cli_json_add_int (builder, "bytes", shnd_array_get_n_bytes (array));
  cli_json_add_uint (builder, "missed", n_missed);
  if (path != NULL)
    {
      g_autofree char *display = g_filename_display_name (path);

      cli_json_add_string (builder, "file", display);
    }
  json_builder_set_member_name (builder, "metadata");
  json_builder_add_value (builder, metadata);
  json_builder_end_object (builder);
  cli_json_print (builder, TRUE);
}

/* ---- Receiving ---- */

/* Where there is nobody, whoever looks at a terminal is told so after a while. */
static ShndFrame *
receive_first (ShndSubscriber *subscriber, gint64 timeout, GError **error)
{
  GCancellable *cancellable = cli_signals_get_cancellable ();
  g_autoptr (GError) local_error = NULL;
  g_autofree char *address = NULL;
  g_autofree char *line = NULL;
  ShndFrame *frame;

  if (!cli_status_is_visible () || (timeout >= 0 && timeout <= PATIENCE))
    return shnd_subscriber_receive (subscriber, timeout, cancellable, error);

  frame = shnd_subscriber_receive (subscriber, PATIENCE, cancellable, &local_error);
  if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
    {
      if (frame == NULL)
        g_propagate_error (error, g_steal_pointer (&local_error));
      return frame;
    }

  address = cli_text_escape (shnd_subscriber_get_address (subscriber));
  line = g_strdup_printf ("Waiting for %s at “%s”",
                          shnd_subscriber_get_connected (subscriber) ? "a frame" : "a publisher",
                          address);
  cli_status_show (line);
  frame = shnd_subscriber_receive (subscriber, timeout < 0 ? -1 : timeout - PATIENCE, cancellable,
                                   error);
  cli_status_clear ();

  return frame;
}

static ShndFrame *
receive (ShndSubscriber *subscriber,
         CliViewer *viewer,
         gboolean is_first,
         gint64 timeout,
         GError **error)
{
  if (viewer != NULL)
    return cli_viewer_receive (viewer, timeout, error);
  if (is_first)
    return receive_first (subscriber, timeout, error);

  return shnd_subscriber_receive (subscriber, timeout, cli_signals_get_cancellable (), error);
}

static gboolean
handle_frame (ShndFrame *frame, guint64 n_missed, CliRecord *record, gboolean quiet, GError **error)
{
  gdouble age = get_age (frame);
  g_autofree char *path = NULL;

  if (record != NULL && !cli_record_add (record, frame, &path, error))
    return FALSE;
  if (quiet)
    return TRUE;

  (as_json ? print_json : print_frame) (frame, age, n_missed, path);

  return cli_text_flush (error);
}

/* Whether that is how it is to end: with the stream, or because of the key q. */
static gboolean
is_end (const GError *error)
{
  return g_error_matches (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM) ||
         (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
          cli_signals_get_caught () == 0);
}

static gboolean
receive_all (ShndSubscriber *subscriber,
             CliViewer *viewer,
             CliRecord *record,
             guint64 max_frames,
             gint64 timeout,
             GError **error)
{
  /* The standard output is for the picture, or for the arrays. */
  gboolean quiet = viewer != NULL || (target != NULL && g_str_equal (target, "-"));
  guint64 n_missed = 0;

  for (guint64 i = 0; i < max_frames; i++)
    {
      g_autoptr (GError) local_error = NULL;
      g_autoptr (ShndFrame) frame = receive (subscriber, viewer, i == 0, timeout, &local_error);
      guint64 n_missed_before = n_missed;

      if (is_end (local_error))
        break;
      if (frame == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }

      n_missed = shnd_subscriber_get_n_missed (subscriber);
      if (!handle_frame (frame, n_missed - n_missed_before, record, quiet, error) ||
          g_cancellable_set_error_if_cancelled (cli_signals_get_cancellable (), error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
check_options (guint64 *max_frames, gint64 *timeout, GError **error)
{
  *max_frames = G_MAXUINT64;
  if (count_text != NULL && !cli_parse_count ("--count", count_text, max_frames, error))
    return FALSE;

  if (as_png && target == NULL)
    cli_set_usage_error (error, "--png: expected --save as well");
  else if (format != NULL && !show)
    cli_set_usage_error (error, "--format: expected --show as well");
  else if (show && as_json)
    cli_set_usage_error (error, "--show and --json: expected either");
  else if (show && !cli_screen_is_possible ())
    cli_set_usage_error (error,
                         "--show: the standard output is not a terminal that can be drawn on: "
                         "expected one");
  else
    return cli_parse_timeout ("--timeout", timeout_text, timeout, error);

  return FALSE;
}

int
cli_subscribe_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndSubscriber) subscriber = NULL;
  g_autoptr (CliRecord) record = NULL;
  g_autoptr (CliViewer) viewer = NULL;
  guint64 max_frames;
  gint64 timeout;

  if (operands == NULL || !check_options (&max_frames, &timeout, error))
    return CLI_EXIT_FAILURE;

  subscriber = shnd_subscriber_new (operands[0], error);
  if (subscriber == NULL)
    return CLI_EXIT_FAILURE;
  shnd_subscriber_set_latest_only (subscriber, latest || (show && target == NULL));
  shnd_subscriber_set_reconnect (subscriber, reconnect);

  if (target != NULL)
    {
      record = cli_record_new (target, as_png, force, error);
      if (record == NULL)
        return CLI_EXIT_FAILURE;
    }
  if (show)
    {
      viewer = cli_viewer_new (subscriber, format, error);
      if (viewer == NULL)
        return CLI_EXIT_FAILURE;
    }

  return receive_all (subscriber, viewer, record, max_frames, timeout, error) ? CLI_EXIT_SUCCESS :
                                                                                CLI_EXIT_FAILURE;
}
