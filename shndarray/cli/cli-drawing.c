/* SPDX-License-Identifier: MIT */

#include "cli-drawing.h"

#include "cli-plot.h"
#include "cli-text.h"

#include <stdio.h>

/* Takes a line, the only one; NULL for none. */
static void
set_line (CliDrawing *self, char *line)
{
  self->lines = g_new0 (char *, 2);
  self->lines[0] = line;
}

static gboolean
draw_value (CliDrawing *self, ShndArray *array, GError **error)
{
  g_autoptr (GVariant) value = shnd_array_get_element (array, NULL, 0, error);

  if (value == NULL)
    return FALSE;

  set_line (self, cli_text_format_value (shnd_array_get_dtype (array), value));

  return TRUE;
}

static gboolean
draw_plot (CliDrawing *self, ShndArray *array, guint n_columns, GError **error)
{
  guint width = n_columns > 0 ? n_columns : cli_canvas_get_terminal_width ();

  self->lines = cli_plot_draw (array, MAX (width, CLI_PLOT_LEAST_COLUMNS), error);

  return self->lines != NULL;
}

static gboolean
draw_picture (CliDrawing *self,
              ShndArray *array,
              const CliCanvas *canvas,
              const CliPictureStyle *style,
              guint n_columns,
              guint n_rows,
              GError **error)
{
  g_autoptr (CliPicture) picture =
      cli_canvas_make_picture (canvas, array, style, n_columns, n_rows, error);
  char *scale;

  if (picture == NULL)
    return FALSE;

  self->picture = cli_canvas_draw (canvas, picture, &self->n_rows, &scale);
  set_line (self, scale);

  return TRUE;
}

gboolean
cli_drawing_init (CliDrawing *self,
                  ShndArray *array,
                  const CliCanvas *canvas,
                  const CliPictureStyle *style,
                  guint n_columns,
                  guint n_rows,
                  GError **error)
{
  *self = (CliDrawing){ 0 };

  switch (shnd_array_get_n_dims (array))
    {
    case 0:
      return draw_value (self, array, error);
    case 1:
      return draw_plot (self, array, n_columns, error);
    default:
      return draw_picture (self, array, canvas, style, n_columns, n_rows, error);
    }
}

void
cli_drawing_init_text (CliDrawing *self, const char *text)
{
  *self = (CliDrawing){ 0 };
  set_line (self, cli_text_flatten (text));
}

void
cli_drawing_clear (CliDrawing *self)
{
  if (self->picture != NULL)
    g_string_free (self->picture, TRUE);
  g_strfreev (self->lines);
  *self = (CliDrawing){ 0 };
}

void
cli_drawing_print (const CliDrawing *self)
{
  if (self->picture != NULL)
    {
      fwrite (self->picture->str, 1, self->picture->len, stdout);
      putchar ('\n');
    }
  for (char **line = self->lines; *line != NULL; line++)
    puts (*line);
}

void
cli_drawing_show (const CliDrawing *self, CliScreen *screen, const char *status)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) lines = NULL;

  for (char **line = self->lines; line != NULL && *line != NULL; line++)
    g_strv_builder_add (builder, *line);
  if (status != NULL)
    g_strv_builder_add (builder, status);
  lines = g_strv_builder_end (builder);

  if (self->picture != NULL)
    cli_screen_draw_picture (screen, self->picture->str, self->picture->len, self->n_rows, lines);
  else
    cli_screen_draw (screen, lines);
}
