/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A line on the standard error that is written again and again in place, if that is a terminal; else
 * none of these does anything. */

gboolean cli_status_is_visible (void);

/* Writes the line, as much of it as there is room for. */
void cli_status_show (const char *line);

/* Ends with an empty line, or with what was shown last and a new line below it. */
void cli_status_clear (void);
void cli_status_keep (void);

/* Tells how far long work is, on the standard error if that is a terminal, and only if the work does
 * take long. */
typedef struct _CliProgress CliProgress;

CliProgress *cli_progress_new (const char *what);

/* A GFileProgressCallback, with bytes; a total of 0 is one that is not known. */
void cli_progress_update (gint64 done, gint64 total, gpointer self);

/* Leaves an empty line. */
void cli_progress_free (CliProgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliProgress, cli_progress_free)

G_END_DECLS
