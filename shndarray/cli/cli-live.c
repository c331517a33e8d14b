/* SPDX-License-Identifier: MIT */

#include "cli-live.h"

#include "cli-command.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-text.h"

#include <time.h>

/* Looking at very much takes its time: then it is done less often, so that it takes no more than one
 * part in this many of a processor. */
#define LOAD 10

/* Of a name, however narrow the terminal is. */
#define MIN_NAME_WIDTH 8

static char *interval_text, *count_text;
static gboolean as_json;

const GOptionEntry cli_live_entries[] = {
  { "interval", 'i', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &interval_text,
    "Look once in this time (default: 1)", "SECONDS" },
  { "count", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &count_text,
    "End after so many intervals", "N" },
  { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json,
    "Print JSON, an object a line, instead of drawing", NULL },
  G_OPTION_ENTRY_NULL
};

static gboolean
parse_options (gint64 *interval, guint64 *count, GError **error)
{
  gdouble seconds = 1;

  *count = G_MAXUINT64;
  if (interval_text != NULL && !cli_parse_number ("--interval", interval_text, G_MINDOUBLE,
                                                  "a number above 0", &seconds, error))
    return FALSE;
  if (count_text != NULL && !cli_parse_count ("--count", count_text, count, error))
    return FALSE;

  /* A year is for ever. */
  *interval = CLAMP (seconds, 0.001, 365 * 24 * 3600.) * G_USEC_PER_SEC;
  return TRUE;
}

/* Microseconds. */
static gint64
get_processor_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);

  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static void
print (const CliLive *live)
{
  g_autofree char *prefix = as_json ? NULL : cli_live_format_time ();

  live->print (prefix);
}

/* Sleeps until the next time to look. FALSE if the end has come. */
static gboolean
sleep_until (const CliLive *live, CliScreen *screen, gint64 time)
{
  CliScreenEvent event;

  if (screen == NULL)
    return cli_signals_sleep (time - g_get_monotonic_time ());

  while ((event = cli_screen_wait (screen, time)) == CLI_SCREEN_REDRAW)
    live->draw (screen);

  return event != CLI_SCREEN_END;
}

int
cli_live_run (const CliLive *live, GError **error)
{
  g_autoptr (CliScreen) screen = NULL;
  gint64 interval, last = 0;
  guint64 count;

  if (!parse_options (&interval, &count, error))
    return CLI_EXIT_FAILURE;

  for (guint64 i = 0;; i++)
    {
      gint64 begun = g_get_monotonic_time (), taken = -get_processor_time ();

      if (!live->look (i == 0 ? 0 : (begun - last) / (gdouble) G_USEC_PER_SEC, error))
        return CLI_EXIT_FAILURE;
      last = begun;

      /* Not before, so that what is wrong from the beginning is said where it can be seen. */
      if (i == 0 && !as_json && cli_screen_is_possible ())
        {
          screen = cli_screen_new (error);
          if (screen == NULL)
            return CLI_EXIT_FAILURE;
        }

      if (screen != NULL)
        live->draw (screen);
      else if (i > 0)
        print (live);
      if (!cli_text_flush (error))
        return CLI_EXIT_FAILURE;
      taken += get_processor_time ();

      if (i == count || !sleep_until (live, screen, begun + MAX (interval, taken * LOAD)))
        return CLI_EXIT_SUCCESS;
    }
}

guint64
cli_live_get_difference (guint64 before, guint64 now)
{
  return now >= before ? now - before : now;
}

char *
cli_live_format_rate (gdouble rate)
{
  return g_strdup_printf (rate < 1000 ? "%.1f" : "%.0f", rate);
}

gsize
cli_live_get_name_width (CliScreen *screen, gsize n_others)
{
  guint n_columns, n_rows;

  cli_screen_get_size (screen, &n_columns, &n_rows);

  return MAX (n_columns, n_others + MIN_NAME_WIDTH) - n_others;
}

char *
cli_live_format_time (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  return g_date_time_format (now, "%H:%M:%S");
}
