/* SPDX-License-Identifier: MIT */

#pragma once

#include "cli-screen.h"

G_BEGIN_DECLS

/* What a command that goes on looking does: on a terminal it draws a table again and again, and
 * elsewhere it prints lines. */
typedef struct
{
  /* Looks. `elapsed` is how many seconds the last time was ago, 0 the first time. */
  gboolean (*look) (gdouble elapsed, GError **error);

  /* Draws what was seen last. */
  void (*draw) (CliScreen *screen);

  /* Prints what was seen last, a line each, after some text and a space; as JSON if that is NULL. Not
   * called for the first time, when there is nothing to compare with. */
  void (*print) (const char *prefix);
} CliLive;

/* Options of all commands that do this: --interval, --count and --json. */
extern const GOptionEntry cli_live_entries[];

/* Goes on until it is told to end, or has done as often as the options say. */
int cli_live_run (const CliLive *live, GError **error);

/* How often something has happened since a counter was looked at; one that is lower now has begun
 * anew. */
guint64 cli_live_get_difference (guint64 before, guint64 now);

/* A number of events in a second, with as many digits as are of interest. */
char *cli_live_format_rate (gdouble rate);

/* What to show in place of what is not known. */
#define CLI_LIVE_UNKNOWN "-"

/* How wide a name may be beside columns that take `n_others` characters. */
gsize cli_live_get_name_width (CliScreen *screen, gsize n_others);

/* "23:59:59", of now. */
char *cli_live_format_time (void);

G_END_DECLS
