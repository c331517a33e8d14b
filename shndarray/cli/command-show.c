/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-drawing.h"
#include "cli-error.h"
#include "cli-options.h"
#include "cli-screen.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-text.h"

#include <math.h>
#include <unistd.h>

/* In microseconds: between two pictures of an array that changes all the time, and between two looks at
 * the screen while the array is waited for. */
#define LEAST_INTERVAL (G_USEC_PER_SEC / 30)
#define LOOK_INTERVAL (G_USEC_PER_SEC / 10)

/* What is no size that somebody would ask for. */
#define NOT_ASKED G_MININT

static gboolean follow;
static int asked_width = NOT_ASKED;
static int asked_height = NOT_ASKED;
static char *png, *format, *colormap, *range;

static const GOptionEntry entries[] = {
  { "png", 'p', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &png,
    "Write a PNG file, with a pixel for each element; - for the standard output", "FILE" },
  { "width", 'w', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &asked_width,
    "Fit the picture into so many columns, or pixels of a PNG file", "N" },
  { "height", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &asked_height,
    "Fit it into so many rows, or pixels of a PNG file", "N" },
  { "colormap", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &colormap,
    "How numbers become colours: auto (the default), grey, heat or diverging", "NAME" },
  { "range", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &range,
    "The numbers at the two ends of the colours, by default the smallest and the largest",
    "MIN,MAX" },
  { "format", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &format,
    "What the terminal gets: auto (the default), blocks, sixel, kitty or ascii", "FORMAT" },
  { "follow", 'f', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &follow,
    "Draw it again whenever its change counter goes up", NULL },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "NAME|FILE|-",
  .description = "Draws an array: as an image, if it is one of bytes or has 3 or 4 channels; in "
                 "colours that stand\nfor numbers, if it has two dimensions; as a line and a "
                 "histogram, if it has one. Of a single\nelement it prints the value.",
  .notes =
      "The terminal is asked whether it knows sixel or kitty's graphics, and has 0.5 seconds to "
      "answer, or\nas many as SHND_TERMINAL_TIMEOUT says; if it knows neither, characters are "
      "used. NaN has a colour\nthat no number has. The numbers below the picture are those of "
      "its first and its last colour;\nwith ≈ the array was too large to look at all of it.",
  .entries = entries,
  .shared_entries = cli_source_entries,
  .min_operands = 1,
  .max_operands = 1,
};

static gboolean
parse_range (CliPictureStyle *style, GError **error)
{
  char *end;

  if (range == NULL)
    return TRUE;

  style->has_range = TRUE;
  style->minimum = g_ascii_strtod (range, &end);
  if (end != range && *end == ',')
    {
      const char *second = end + 1;

      style->maximum = g_ascii_strtod (second, &end);
      if (end != second && *end == '\0' && isfinite (style->minimum) && isfinite (style->maximum) &&
          style->minimum < style->maximum)
        return TRUE;
    }

  cli_set_usage_error (error, "--range “%s”: expected two numbers, as in -1,1, the smaller first",
                       range);
  return FALSE;
}

static gboolean
check_size (const char *option, int asked, int most, GError **error)
{
  if (asked == NOT_ASKED || (asked >= 1 && asked <= most))
    return TRUE;

  cli_set_usage_error (error, "%s “%d”: expected 1 to %d", option, asked, most);
  return FALSE;
}

static gboolean
check_options (const char *source, CliPictureStyle *style, GError **error)
{
  if (follow && cli_source_is_stream (source))
    {
      cli_set_usage_error (error, "--follow: “-” does not change: expected a name or a file");
      return FALSE;
    }

  return check_size ("--width", asked_width, png != NULL ? G_MAXINT : CLI_CANVAS_MOST_COLUMNS,
                     error) &&
         check_size ("--height", asked_height, png != NULL ? G_MAXINT : CLI_CANVAS_MOST_ROWS,
                     error) &&
         cli_colormap_parse (colormap, &style->colormap, error) && parse_range (style, error);
}

static gboolean
draw (CliDrawing *drawing,
      ShndArray *array,
      const CliCanvas *canvas,
      const CliPictureStyle *style,
      GError **error)
{
  return cli_drawing_init (drawing, array, canvas, style, MAX (asked_width, 0),
                           MAX (asked_height, 0), error);
}

static gboolean
show (ShndArray *array, const CliCanvas *canvas, const CliPictureStyle *style, GError **error)
{
  g_auto (CliDrawing) drawing = { 0 };

  if (png != NULL)
    return cli_picture_save_png (array, style, MAX (asked_width, 0), MAX (asked_height, 0), png,
                                 error);

  if (!draw (&drawing, array, canvas, style, error))
    return FALSE;

  cli_drawing_print (&drawing);

  return cli_text_flush (error);
}

static gboolean
follow_here (ShndArray *array,
             const CliCanvas *canvas,
             const CliPictureStyle *style,
             GError **error)
{
  guint64 sequence = shnd_array_get_sequence (array);

  while (show (array, canvas, style, error))
    {
      if (!shnd_array_wait (array, sequence, -1, cli_signals_get_cancellable (), &sequence, error))
        return FALSE;
    }

  return FALSE;
}

/* Waits for a change of the array or of the screen. FALSE at the end, which can be an error. */
static gboolean
wait_for_change (ShndArray *array, CliScreen *screen, guint64 *sequence, GError **error)
{
  /* No faster than anybody sees. */
  CliScreenEvent event = cli_screen_wait (screen, g_get_monotonic_time () + LEAST_INTERVAL);

  while (event == CLI_SCREEN_TIME)
    {
      g_autoptr (GError) local_error = NULL;

      if (shnd_array_wait (array, *sequence, LOOK_INTERVAL, cli_screen_get_cancellable (screen),
                           sequence, &local_error))
        return TRUE;
      if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT) &&
          !g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      event = cli_screen_wait (screen, 0);
    }

  return event == CLI_SCREEN_REDRAW;
}

static gboolean
follow_on_screen (ShndArray *array, CliCanvas *canvas, const CliPictureStyle *style, GError **error)
{
  g_autoptr (CliScreen) screen = cli_screen_new (error);
  g_autoptr (GError) local_error = NULL;
  guint64 sequence = shnd_array_get_sequence (array);
  guint n_columns, n_rows;

  if (screen == NULL)
    return FALSE;

  canvas->is_live = TRUE;
  do
    {
      g_auto (CliDrawing) drawing = { 0 };

      cli_screen_get_size (screen, &n_columns, &n_rows);
      cli_canvas_set_size (canvas, n_columns, n_rows);
      if (!draw (&drawing, array, canvas, style, &local_error))
        break;

      cli_drawing_show (&drawing, screen, NULL);
    }
  while (wait_for_change (array, screen, &sequence, &local_error));

  if (local_error == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static gboolean
check_followed (ShndArray *array, GError **error)
{
  if (shnd_array_get_synchronizable (array))
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                       "--follow: the array has no change counter: expected one that was made by "
                       "this library, and is shared");
  return FALSE;
}

static gboolean
init_canvas (CliCanvas *canvas, GError **error)
{
  if (!cli_canvas_init (canvas, format, error))
    return FALSE;

  /* A row for what the shell writes next. */
  if (isatty (STDOUT_FILENO))
    cli_canvas_set_size (canvas, canvas->n_columns, canvas->n_rows - 1);

  return TRUE;
}

int
cli_show_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndArray) array = NULL;
  CliPictureStyle style = { 0 };
  CliCanvas canvas = { 0 };
  gboolean succeeded;

  if (operands == NULL || !check_options (operands[0], &style, error))
    return CLI_EXIT_FAILURE;

  array = cli_source_open (operands[0], error);
  if (array == NULL)
    return CLI_EXIT_FAILURE;
  if (png == NULL && shnd_array_get_n_dims (array) > 1 && !init_canvas (&canvas, error))
    return CLI_EXIT_FAILURE;

  if (!follow)
    succeeded = show (array, &canvas, &style, error);
  else if (!check_followed (array, error))
    succeeded = FALSE;
  else if (png == NULL && cli_screen_is_possible ())
    succeeded = follow_on_screen (array, &canvas, &style, error);
  else
    succeeded = follow_here (array, &canvas, &style, error);

  return succeeded ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
