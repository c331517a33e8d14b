/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Draws the frames that come, the newest one in the whole terminal, and below it how the stream
 * goes. */
typedef struct _CliViewer CliViewer;

/* Takes the terminal. `format` is how pictures come into it, or NULL. */
CliViewer *cli_viewer_new (ShndSubscriber *subscriber, const char *format, GError **error);

/* Gives it back. */
void cli_viewer_free (CliViewer *self);

/* Receives the next frame, as its subscriber does, and draws while it waits. Cancelled by signals and
 * by the key q. The frame is kept until the next one is there. */
ShndFrame *cli_viewer_receive (CliViewer *self, gint64 timeout, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliViewer, cli_viewer_free)

G_END_DECLS
