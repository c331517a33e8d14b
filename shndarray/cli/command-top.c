/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-json.h"
#include "cli-live.h"
#include "cli-options.h"
#include "cli-text.h"

#include <math.h>
#include <shndarray/shndarray.h>
#include <stdio.h>
#include <string.h>

/* What the columns beside the address take. */
#define OTHERS_WIDTH 62

/* How long a publisher gets to admit those who have just asked, in microseconds. */
#define PATIENCE 20000

static const CliOptions options = {
  .operands = "[ADDRESS…]",
  .description = "Shows live how streams of frames go: these, or all that there are. The key q "
                 "ends it.",
  .notes = "Nobody waits for this command: it gets no frames, and is not counted as a "
           "subscriber.\n\nWhere the output is no terminal, there is a line for each stream: TIME "
           "RATE MB/S DROPS/S\nSUBSCRIBERS FRAMES STATE ADDRESS.",
  .shared_entries = cli_live_entries,
  .max_operands = G_MAXUINT,
};

typedef struct
{
  char *address;
  ShndSubscriber *subscriber;
  gboolean listed; /* there is a publisher, for all that is known */

  gboolean connected;
  gboolean compared; /* whether it was connected the last time, too */
  gboolean was_connected;
  char *problem; /* why it is not, if that is something else than its end */

  guint64 sequence, n_dropped, frame_size;
  guint n_subscribers;
  gdouble rate, drop_rate, byte_rate; /* in a second */
} Stream;

static char **addresses; /* those that were asked for; none for all */
static GPtrArray *streams;

static void
stream_free (gpointer data)
{
  Stream *self = data;

  g_object_unref (self->subscriber);
  g_free (self->address);
  g_free (self->problem);
  g_free (self);
}

static Stream *
find_stream (const char *address)
{
  for (guint i = 0; i < streams->len; i++)
    {
      Stream *stream = streams->pdata[i];

      if (g_str_equal (stream->address, address))
        return stream;
    }

  return NULL;
}

static Stream *
add_stream (const char *address, GError **error)
{
  ShndSubscriber *subscriber = shnd_subscriber_new (address, error);
  Stream *stream;

  if (subscriber == NULL)
    return NULL;

  shnd_subscriber_set_observer (subscriber, TRUE);
  shnd_subscriber_set_reconnect (subscriber, TRUE);
  stream = g_new0 (Stream, 1);
  stream->address = g_strdup (address);
  stream->subscriber = subscriber;
  g_ptr_array_add (streams, stream);

  return stream;
}

static gint
compare_streams (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(Stream *const *) a)->address, (*(Stream *const *) b)->address);
}

/* Finds out which are there. If none was asked for, forgets those of which was shown that they are
 * gone, and finds new ones. */
static gboolean
find_streams (GError **error)
{
  g_auto (GStrv) running = shnd_list_addresses (error);

  if (running == NULL)
    return FALSE;

  for (guint i = streams->len; i > 0; i--)
    {
      Stream *stream = streams->pdata[i - 1];

      stream->listed = g_strv_contains ((const char *const *) running, stream->address);
      if (!stream->listed && !stream->connected && *addresses == NULL)
        g_ptr_array_remove_index (streams, i - 1);
    }

  for (char **address = running; *address != NULL && *addresses == NULL; address++)
    {
      Stream *stream = find_stream (*address);

      if (stream == NULL)
        stream = add_stream (*address, error);
      if (stream == NULL)
        return FALSE;
      stream->listed = TRUE;
    }
  if (*addresses == NULL)
    g_ptr_array_sort (streams, compare_streams);

  return TRUE;
}

/* Connects if need be, and hears of the end. */
static void
poll_stream (Stream *stream)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (ShndFrame) frame G_GNUC_UNUSED =
      shnd_subscriber_receive (stream->subscriber, 0, NULL, &local_error);

  g_clear_pointer (&stream->problem, g_free);
  if (local_error != NULL && !g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
    stream->problem = cli_text_flatten (local_error->message);
}

/* That there are fewer does not yet mean another publisher: one who has missed the newest frame may have
 * got it after all. */
static guint64
get_n_new_drops (const Stream *stream, guint64 sequence, guint64 n_dropped)
{
  if (sequence < stream->sequence)
    return n_dropped;

  return n_dropped > stream->n_dropped ? n_dropped - stream->n_dropped : 0;
}

static void
measure (Stream *stream, gdouble elapsed)
{
  ShndSubscriber *subscriber = stream->subscriber;
  guint64 sequence = shnd_subscriber_get_sequence (subscriber);
  guint64 n_dropped = shnd_subscriber_get_n_dropped (subscriber);

  stream->compared = stream->connected;
  stream->connected = shnd_subscriber_get_connected (subscriber);
  stream->was_connected |= stream->connected;
  stream->compared &= stream->connected && elapsed > 0;
  stream->rate = stream->drop_rate = stream->byte_rate = 0;
  stream->frame_size = shnd_subscriber_get_frame_size (subscriber);
  stream->n_subscribers = shnd_subscriber_get_n_subscribers (subscriber);
  if (stream->compared)
    {
      stream->rate = cli_live_get_difference (stream->sequence, sequence) / elapsed;
      stream->drop_rate = get_n_new_drops (stream, sequence, n_dropped) / elapsed;
      stream->byte_rate = stream->rate * stream->frame_size;
    }
  stream->sequence = sequence;
  stream->n_dropped = n_dropped;
}

static gboolean
look (gdouble elapsed, GError **error)
{
  gboolean all_there = TRUE;

  if (!find_streams (error))
    return FALSE;

  for (guint i = 0; i < streams->len; i++)
    {
      Stream *stream = streams->pdata[i];

      poll_stream (stream);
      all_there &= shnd_subscriber_get_connected (stream->subscriber);
    }

  /* Who has just asked to be admitted sees the answer now, and not an interval later. */
  if (!all_there)
    g_usleep (PATIENCE);
  for (guint i = 0; i < streams->len; i++)
    {
      Stream *stream = streams->pdata[i];

      if (!shnd_subscriber_get_connected (stream->subscriber))
        poll_stream (stream);
      measure (stream, elapsed);
    }

  return TRUE;
}

/* ---- Output ---- */

static const char *
get_state (const Stream *stream)
{
  if (stream->connected)
    return "running";
  if (stream->problem != NULL)
    return stream->problem;

  return stream->listed ? "not admitted" : stream->was_connected ? "ended" : "not there";
}

typedef struct
{
  char *rate, *byte_rate, *drop_rate, *n_subscribers, *n_frames;
} Cells;

static Cells
make_cells (const Stream *stream)
{
  Cells cells;

  cells.rate = stream->compared ? cli_live_format_rate (stream->rate) : g_strdup (CLI_LIVE_UNKNOWN);
  cells.byte_rate = stream->compared ? cli_live_format_rate (stream->byte_rate / 1e6) :
                                       g_strdup (CLI_LIVE_UNKNOWN);
  cells.drop_rate =
      stream->compared ? cli_live_format_rate (stream->drop_rate) : g_strdup (CLI_LIVE_UNKNOWN);
  cells.n_subscribers = stream->connected ? g_strdup_printf ("%u", stream->n_subscribers) :
                                            g_strdup (CLI_LIVE_UNKNOWN);
  cells.n_frames = stream->was_connected ?
                       g_strdup_printf ("%" G_GUINT64_FORMAT, stream->sequence) :
                       g_strdup (CLI_LIVE_UNKNOWN);

  return cells;
}

static void
draw (CliScreen *screen)
{
  g_autoptr (CliTable) table = cli_table_new ("ADDRESS", ">RATE/S", ">MB/S", ">DROPS/S",
                                              ">SUBSCRIBERS", ">FRAMES", "STATE", NULL);
  g_autofree char *time = cli_live_format_time ();
  g_autofree char *title = g_strdup_printf ("%s  %u %s (q: quit)", time, streams->len,
                                            streams->len == 1 ? "stream" : "streams");
  gsize width = cli_live_get_name_width (screen, OTHERS_WIDTH);
  guint n = cli_screen_get_n_table_rows (screen, streams->len);

  for (guint i = 0; i < n; i++)
    {
      const Stream *stream = streams->pdata[i];
      g_autofree char *address = cli_text_escape (stream->address);
      Cells cells = make_cells (stream);

      cli_table_add (table, cli_text_shorten (address, width), cells.rate, cells.byte_rate,
                     cells.drop_rate, cells.n_subscribers, cells.n_frames,
                     g_strdup (get_state (stream)));
    }
  cli_screen_draw_table (screen, title, table, streams->len);
}

static void
print_json (const Stream *stream)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_add_double (builder, "time", g_get_real_time () / (gdouble) G_USEC_PER_SEC);
  cli_json_add_string (builder, "address", stream->address);
  cli_json_add_string (builder, "state", get_state (stream));
  cli_json_add_boolean (builder, "connected", stream->connected);
  cli_json_add_double (builder, "rate", stream->compared ? stream->rate : NAN);
  cli_json_add_double (builder, "byte_rate", stream->compared ? stream->byte_rate : NAN);
  cli_json_add_double (builder, "drop_rate", stream->compared ? stream->drop_rate : NAN);
  cli_json_add_int (builder, "subscribers", stream->connected ? stream->n_subscribers : 0);
  cli_json_add_uint (builder, "frames", stream->sequence);
  cli_json_add_uint (builder, "dropped", stream->n_dropped);
  cli_json_add_uint (builder, "frame_size", stream->frame_size);
  json_builder_end_object (builder);
  cli_json_print (builder, TRUE);
}

static void
print_line (const char *prefix, const Stream *stream)
{
  g_autofree char *address = cli_text_escape (stream->address);
  g_autofree char *state = g_strdelimit (g_strdup (get_state (stream)), " ", '-');
  Cells cells = make_cells (stream);

  printf ("%s %s %s %s %s %s %s %s\n", prefix, cells.rate, cells.byte_rate, cells.drop_rate,
          cells.n_subscribers, cells.n_frames, state, address);
  g_free (cells.rate);
  g_free (cells.byte_rate);
  g_free (cells.drop_rate);
  g_free (cells.n_subscribers);
  g_free (cells.n_frames);
}

static void
print (const char *prefix)
{
  for (guint i = 0; i < streams->len; i++)
    {
      if (prefix == NULL)
        print_json (streams->pdata[i]);
      else
        print_line (prefix, streams->pdata[i]);
    }
}

int
cli_top_run (int argc, char **argv, GError **error)
{
  static const CliLive live = { .look = look, .draw = draw, .print = print };
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  int status = CLI_EXIT_FAILURE;

  if (operands == NULL)
    return CLI_EXIT_FAILURE;

  addresses = operands;
  streams = g_ptr_array_new_with_free_func (stream_free);
  for (char **address = addresses; *address != NULL; address++)
    {
      if (find_stream (*address) == NULL && add_stream (*address, error) == NULL)
        goto out;
    }
  status = cli_live_run (&live, error);

out:
  g_ptr_array_unref (streams);

  return status;
}
