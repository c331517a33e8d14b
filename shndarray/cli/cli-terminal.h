/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>
#include <sys/ioctl.h>

G_BEGIN_DECLS

/* How large a terminal is; all 0 if the descriptor is of none, or it does not say. */
struct winsize cli_terminal_get_size (int fd);

/* What a terminal says of itself. */
typedef struct
{
  gboolean has_sixel;
  gboolean has_kitty;
  guint cell_width; /* of a character, in pixels; 0 if it does not say */
  guint cell_height;
} CliTerminalAnswers;

/* Asks the terminal that is the standard output what it can do. One that does not answer in time, or
 * cannot be asked now, can do nothing. What it answers is not echoed, and its settings are as before.
 * Not while something else reads from it. Not all terminals may be asked for kitty's protocol: some
 * would show the question. */
void cli_terminal_ask (gboolean with_kitty, CliTerminalAnswers *answers);

G_END_DECLS
