/* SPDX-License-Identifier: MIT */

#pragma once

#include "cli-canvas.h"
#include "cli-screen.h"

G_BEGIN_DECLS

/* An array as a terminal shows it: a picture, a plot or a value, by its number of dimensions. */
typedef struct
{
  GString *picture; /* or NULL */
  guint n_rows;     /* of it */
  char **lines;     /* below it */
} CliDrawing;

/* Draws an array. `n_columns` and `n_rows` are how large, or 0 for as large as there is room for. The
 * canvas is used only with two and more dimensions. */
gboolean cli_drawing_init (CliDrawing *self,
                           ShndArray *array,
                           const CliCanvas *canvas,
                           const CliPictureStyle *style,
                           guint n_columns,
                           guint n_rows,
                           GError **error);

/* Says something in its place. */
void cli_drawing_init_text (CliDrawing *self, const char *text);

void cli_drawing_clear (CliDrawing *self);

/* Writes it to the standard output. */
void cli_drawing_print (const CliDrawing *self);

/* Shows it on the screen, with a line below it, or NULL. */
void cli_drawing_show (const CliDrawing *self, CliScreen *screen, const char *status);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliDrawing, cli_drawing_clear)

G_END_DECLS
