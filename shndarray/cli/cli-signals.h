/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* SIGINT, SIGTERM and SIGHUP end what the program does in order: they cancel what waits or works with
 * the cancellable below, and when all is cleaned up the program dies of the signal. A second one kills
 * it at once. */

/* Before any other thread is there. */
void cli_signals_start (void);

GCancellable *cli_signals_get_cancellable (void);

/* Which signal came, or 0. */
int cli_signals_get_caught (void);

/* Dies of the signal that came; returns if none did. */
void cli_signals_finish (void);

/* Sleeps for a time in microseconds, or until a signal. FALSE if one came. */
gboolean cli_signals_sleep (gint64 time);

/* For a child before exec(): as if this program had never touched signals. Async-signal-safe. */
void cli_signals_reset (void);

/* A child in the foreground, to which signals are left: those of keys, SIGINT and SIGQUIT, reach it
 * anyway, and others are passed on to it.
 *
 * The first keeps signals waiting while the child is made; the second tells which it is, or 0 if it
 * could not be made. The last ends it, before the child is reaped;
 * SIGINT and SIGQUIT still are nobody's. */
void cli_signals_hold (void);
void cli_signals_release (GPid pid);
void cli_signals_forget_child (void);

/* Called when the program is about to die, as it may have changed how the terminal behaves; also in
 * the thread that waits for signals. NULL for nothing; then the last one does not run any more. */
void cli_signals_set_cleanup (void (*cleanup) (void));

G_END_DECLS
