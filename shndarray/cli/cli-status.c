/* SPDX-License-Identifier: MIT */

#include "cli-status.h"

#include "cli-terminal.h"
#include "cli-text.h"

#include <stdio.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80

/* In microseconds: before the first line, and between two of them. */
#define DELAY (G_USEC_PER_SEC / 2)
#define INTERVAL (G_USEC_PER_SEC / 10)

static gboolean is_shown;

gboolean
cli_status_is_visible (void)
{
  return isatty (STDERR_FILENO);
}

void
cli_status_show (const char *line)
{
  g_autofree char *cut = NULL;
  guint width;

  if (!cli_status_is_visible ())
    return;

  width = cli_terminal_get_size (STDERR_FILENO).ws_col;
  cut = cli_text_shorten (line, (width > 0 ? width : DEFAULT_WIDTH) - 1);
  fprintf (stderr, "\r\033[K%s", cut);
  is_shown = TRUE;
}

void
cli_status_clear (void)
{
  if (is_shown)
    fputs ("\r\033[K", stderr);
  is_shown = FALSE;
}

void
cli_status_keep (void)
{
  if (is_shown)
    fputc ('\n', stderr);
  is_shown = FALSE;
}

/* ---- Progress ---- */

struct _CliProgress
{
  char *what;
  gboolean is_terminal;
  gint64 begun;
  gint64 shown; /* when a line was written last; 0 if none was */
};

CliProgress *
cli_progress_new (const char *what)
{
  CliProgress *self = g_new0 (CliProgress, 1);

  self->what = cli_text_flatten (what);
  self->is_terminal = cli_status_is_visible ();
  self->begun = g_get_monotonic_time ();

  return self;
}

void
cli_progress_update (gint64 done, gint64 total, gpointer user_data)
{
  CliProgress *self = user_data;
  gint64 now = g_get_monotonic_time ();
  gdouble seconds = (now - self->begun) / (gdouble) G_USEC_PER_SEC;
  g_autoptr (GString) line = NULL;
  g_autofree char *done_size = NULL;
  g_autofree char *rate = NULL;

  if (!self->is_terminal || now - self->begun < DELAY || now - self->shown < INTERVAL)
    return;

  self->shown = now;
  line = g_string_new (self->what);
  done_size = cli_text_format_size (done);
  rate = cli_text_format_size (done / seconds);
  if (total > 0)
    {
      g_autofree char *total_size = cli_text_format_size (total);
      int left = done > 0 ? MIN ((total - done) * (seconds / done), G_MAXINT) : 0;

      g_string_append_printf (line, ": %3d%%  %s of %s  %s/s", (int) (100.0 * done / total),
                              done_size, total_size, rate);
      if (done > 0)
        g_string_append_printf (line, "  %d:%02d left", left / 60, left % 60);
    }
  else
    {
      g_string_append_printf (line, ": %s  %s/s", done_size, rate);
    }

  cli_status_show (line->str);
}

void
cli_progress_free (CliProgress *self)
{
  if (self->shown != 0)
    cli_status_clear ();

  g_free (self->what);
  g_free (self);
}
