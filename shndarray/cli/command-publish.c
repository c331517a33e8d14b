/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-file.h"
#include "cli-options.h"
#include "cli-pace.h"
#include "cli-signals.h"
#include "cli-status.h"
#include "cli-text.h"

#define DEFAULT_RATE 30

/* Of numbers that options give. */
#define NOT_GIVEN G_MININT

/* How long the line of status may stay as it is when nothing happens, and at least, in
 * microseconds. */
#define TICK (G_USEC_PER_SEC / 2)
#define STATUS_INTERVAL (G_USEC_PER_SEC / 10)

static gboolean once, block;
static char *rate_text, *count_text;
static guint64 max_frames = G_MAXUINT64;
static int depth = NOT_GIVEN;
static int n_awaited;

static const GOptionEntry entries[] = {
  { "rate", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &rate_text,
    "Frames a second: 30 by default, for “-” as they come; 0 for as fast as it goes", "HZ" },
  { "count", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &count_text, "End after so many frames",
    "N" },
  { "once", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &once, "End after the last file", NULL },
  { "wait", 'w', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &n_awaited,
    "Wait for so many subscribers before the first frame", "N" },
  { "block", 'b', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &block,
    "Wait for slow subscribers, so that none misses a frame", NULL },
  { "depth", 'd', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &depth,
    "How many frames a subscriber can hold, 2 by default", "N" },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "ADDRESS FILE…",
  .description = "Publishes files as frames, again and again: images, and arrays in .npy files. "
                 "“-” stands for "
                 ".npy\nfiles that come one after the other through the standard input.",
  .notes = "The address is a name, or an absolute path for a socket. An image becomes an array of "
           "height x\nwidth x 3 bytes, or 4 if it is transparent; the metadata of a frame have its "
           "file's name.",
  .entries = entries,
  .min_operands = 2,
  .max_operands = G_MAXUINT,
};

typedef struct
{
  ShndPublisher *publisher;
  CliPace pace;
  CliMeter meter;
  guint64 n_frames; /* published */
  gint64 shown;     /* when the status was */
} Stream;

/* ---- Options ---- */

static gboolean
check_options (char **files, GError **error)
{
  if (count_text != NULL && !cli_parse_count ("--count", count_text, &max_frames, error))
    return FALSE;

  if (n_awaited < 0)
    cli_set_usage_error (error, "--wait “%d”: expected a number of subscribers, 0 or more",
                         n_awaited);
  else if (depth != NOT_GIVEN && (depth < 1 || depth > SHND_MAX_DEPTH))
    cli_set_usage_error (error, "--depth “%d”: expected a number from 1 to %d", depth,
                         SHND_MAX_DEPTH);
  else if (g_strv_contains ((const char *const *) files, "-") && files[1] != NULL)
    cli_set_usage_error (error, "“-” and other files: expected either; ./- is a file of that name");
  else
    return TRUE;

  return FALSE;
}

/* ---- Frames ---- */

static void
show_status (Stream *self)
{
  guint n_subscribers = shnd_publisher_get_n_subscribers (self->publisher);
  g_autofree char *address = NULL;
  g_autofree char *line = NULL;
  gint64 now = g_get_monotonic_time ();
  gdouble rate;

  if (!cli_status_is_visible () || (self->shown != 0 && now - self->shown < STATUS_INTERVAL))
    return;

  self->shown = now;
  rate = cli_meter_update (&self->meter, self->n_frames);
  address = cli_text_escape (shnd_publisher_get_address (self->publisher));
  line =
      g_strdup_printf ("%s: %" G_GUINT64_FORMAT " frames, %.1f/s, %u subscriber%s, "
                       "%" G_GUINT64_FORMAT " dropped",
                       address, self->n_frames, rate, n_subscribers, n_subscribers == 1 ? "" : "s",
                       shnd_publisher_get_n_dropped (self->publisher));
  cli_status_show (line);
}

/* With --block it may take long. */
static gboolean
publish (Stream *self, ShndFrame *frame, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) local_error = NULL;

      if (shnd_publisher_publish (self->publisher, frame, TICK, cli_signals_get_cancellable (),
                                  &local_error))
        return TRUE;

      if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      show_status (self);
    }
}

/* When it is time. */
static gboolean
publish_array (Stream *self, ShndArray *array, const char *file, GError **error)
{
  g_autoptr (ShndFrame) frame = NULL;
  const gint64 *shape;
  gint64 left;
  guint n_dims;

  while ((left = cli_pace_get_left (&self->pace)) > 0)
    {
      if (!cli_signals_sleep (MIN (left, TICK)))
        break;
      show_status (self);
    }
  cli_pace_advance (&self->pace);

  shape = shnd_array_get_shape (array, &n_dims);
  frame = shnd_publisher_acquire (self->publisher, shnd_array_get_dtype (array), shape, n_dims, -1,
                                  cli_signals_get_cancellable (), error);
  if (frame == NULL || !shnd_array_copy_from (shnd_frame_get_array (frame), array, error))
    return FALSE;

  if (file != NULL)
    {
      g_autofree char *display = g_filename_display_name (file);
      GVariantDict metadata;

      g_variant_dict_init (&metadata, NULL);
      g_variant_dict_insert (&metadata, "file", "s", display);
      if (!shnd_frame_set_metadata (frame, g_variant_dict_end (&metadata), error))
        return FALSE;
    }

  if (!publish (self, frame, error))
    return FALSE;

  self->n_frames++;
  show_status (self);

  return TRUE;
}

static gboolean
is_at_end (Stream *self, guint n_files)
{
  return self->n_frames >= max_frames || (once && self->n_frames >= n_files);
}

static gboolean
publish_files (Stream *self, char **files, GPtrArray *arrays, GError **error)
{
  while (!is_at_end (self, arrays->len))
    {
      guint i = self->n_frames % arrays->len;

      if (!publish_array (self, g_ptr_array_index (arrays, i), files[i], error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
publish_input (Stream *self, GInputStream *input, GError **error)
{
  while (!is_at_end (self, G_MAXUINT))
    {
      g_autoptr (GError) local_error = NULL;
      g_autoptr (ShndArray) array =
          cli_file_load_next (NULL, input, SHND_CREATE_NONE, &local_error);

      if (g_error_matches (local_error, SHND_ERROR, SHND_ERROR_END_OF_STREAM))
        break;
      if (array == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      if (!publish_array (self, array, NULL, error))
        return FALSE;
    }

  return TRUE;
}

/* ---- The command ---- */

static GPtrArray *
read_files (char **files, GError **error)
{
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func (g_object_unref);

  for (; *files != NULL; files++)
    {
      ShndArray *array = cli_file_load (NULL, *files, SHND_CREATE_NONE, error);

      if (array == NULL)
        return NULL;
      g_ptr_array_add (arrays, array);
    }

  return g_steal_pointer (&arrays);
}

static gboolean
wait_for_subscribers (Stream *self, GError **error)
{
  if (n_awaited == 0)
    return TRUE;

  for (;;)
    {
      g_autoptr (GError) local_error = NULL;
      g_autofree char *line = NULL;

      if (shnd_publisher_wait_subscribers (self->publisher, n_awaited, TICK,
                                           cli_signals_get_cancellable (), &local_error))
        return TRUE;

      if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      line = g_strdup_printf ("Waiting for subscribers: %u of %d are there",
                              shnd_publisher_get_n_subscribers (self->publisher), n_awaited);
      cli_status_show (line);
    }
}

int
cli_publish_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndPublisher) publisher = NULL;
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GPtrArray) arrays = NULL;
  Stream stream = { 0 };
  gboolean from_stdin, published;
  gdouble rate;
  char **files;

  if (operands == NULL)
    return CLI_EXIT_FAILURE;

  files = operands + 1;
  from_stdin = g_str_equal (files[0], "-");
  rate = from_stdin ? 0 : DEFAULT_RATE;
  if (!check_options (files, error) ||
      (rate_text != NULL &&
       !cli_parse_number ("--rate", rate_text, 0, "a number of frames a second, 0 or more", &rate,
                          error)))
    return CLI_EXIT_FAILURE;
  if (from_stdin)
    {
      input = cli_file_open_input ("-", error);
      if (input == NULL)
        return CLI_EXIT_FAILURE;
    }

  /* That somebody else is there should not be found out after a long time of reading. Subscribers are
   * not admitted before the first frame. */
  publisher = shnd_publisher_new (operands[0], error);
  if (publisher == NULL)
    return CLI_EXIT_FAILURE;
  if (block)
    shnd_publisher_set_overflow (publisher, SHND_OVERFLOW_BLOCK);
  if (depth != NOT_GIVEN)
    shnd_publisher_set_depth (publisher, depth);

  if (!from_stdin)
    {
      arrays = read_files (files, error);
      if (arrays == NULL)
        return CLI_EXIT_FAILURE;
    }

  stream.publisher = publisher;
  cli_pace_init (&stream.pace, rate);
  published = wait_for_subscribers (&stream, error) &&
              (from_stdin ? publish_input (&stream, input, error) :
                            publish_files (&stream, files, arrays, error));

  stream.shown = 0;
  if (stream.n_frames > 0)
    show_status (&stream);
  cli_status_keep ();

  /* What a signal has ended, as well: the subscribers shall know that it is the end. */
  shnd_publisher_close (publisher);

  return published ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
