/* SPDX-License-Identifier: MIT */

#pragma once

#include "cli-table.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The whole terminal, for what is drawn again and again. What was on it before comes back when the
 * program ends, however it does that, and while it is stopped with Ctrl-Z. There is one at a time.
 *
 * Keys, signals and changes of the size are waited for in a thread, so that a command may be busy with
 * something else. */
typedef struct _CliScreen CliScreen;

typedef enum
{
  CLI_SCREEN_TIME,   /* the time has come */
  CLI_SCREEN_REDRAW, /* the terminal has another size, or was in other hands */
  CLI_SCREEN_END,    /* the key q, or a signal */
} CliScreenEvent;

/* Whether the standard output is a terminal that can do this. */
gboolean cli_screen_is_possible (void);

/* Takes the terminal. */
CliScreen *cli_screen_new (GError **error);

/* Gives it back. */
void cli_screen_free (CliScreen *self);

/* Cancelled by q and by signals: for all waits while there is a screen. A command that ends because of
 * it, but without cli_signals_get_caught(), has succeeded. */
GCancellable *cli_screen_get_cancellable (CliScreen *self);

/* In characters; both are 1 or more. */
void cli_screen_get_size (CliScreen *self, guint *n_columns, guint *n_rows);

/* Draws lines from the top, NULL-terminated, and nothing below. Lines that do not fit are lost, and so
 * is what is beyond the right edge. They may have colours in them, but no other control characters:
 * text from elsewhere has to be escaped. */
void cli_screen_draw (CliScreen *self, char **lines);

/* The same, below a picture: bytes for the terminal, on which the cursor is at the top left, that fill
 * `n_rows` rows. */
void cli_screen_draw_picture (
    CliScreen *self, const char *picture, gsize length, guint n_rows, char **lines);

/* Draws a line in inverse colours, and a table below, which was made with as many rows as fit, out of
 * `n_rows` that there are. */
void cli_screen_draw_table (CliScreen *self, const char *title, CliTable *table, gsize n_rows);

/* How many rows of a table fit, if it has `n_rows` of them. */
guint cli_screen_get_n_table_rows (CliScreen *self, gsize n_rows);

/* Sleeps until a monotonic time, in microseconds; -1 for ever. */
CliScreenEvent cli_screen_wait (CliScreen *self, gint64 time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliScreen, cli_screen_free)

G_END_DECLS
