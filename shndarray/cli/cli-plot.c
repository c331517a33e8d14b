/* SPDX-License-Identifier: MIT */

#include "cli-plot.h"

#include "cli-text.h"
#include "cli-values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_BINS 16

/* Of a line of the histogram, for the bar alone. */
#define SHORTEST_BAR 4

/* A place of the line: what is there, on average. */
typedef struct
{
  gdouble sum;
  guint64 n;
} Point;

typedef struct
{
  gdouble minimum;
  gdouble maximum;
  guint64 n; /* looked at */
  guint64 n_nan;
  guint64 n_infinite;
  Point *points;
  guint n_points;
  guint64 bins[MOST_BINS];
  guint n_bins;
} Plot;

static gboolean
has_integers (ShndArray *array)
{
  ShndDTypeKind kind = shnd_dtype_get_kind (shnd_array_get_dtype (array));

  return kind == SHND_DTYPE_KIND_BOOL || kind == SHND_DTYPE_KIND_INT ||
         kind == SHND_DTYPE_KIND_UINT;
}

/* A few different integers have a bin each. */
static void
choose_bins (Plot *plot, gboolean integers)
{
  gdouble distance = plot->maximum - plot->minimum;

  plot->n_bins = MOST_BINS;
  if (distance == 0)
    plot->n_bins = 1;
  else if (integers && distance < MOST_BINS)
    plot->n_bins = distance + 1;
}

static void
count (Plot *plot, gdouble number, guint64 index, guint64 size)
{
  Point *point = &plot->points[(guint64) ((gdouble) index / size * plot->n_points)];
  gdouble place;
  guint bin;

  if (isnan (number))
    plot->n_nan++;
  else if (isinf (number))
    plot->n_infinite++;
  if (!isfinite (number) || isnan (plot->minimum))
    return;

  point->sum += number;
  point->n++;
  place = cli_values_get_place (number, plot->minimum, plot->maximum);
  bin = MIN ((guint) (place * plot->n_bins), plot->n_bins - 1);
  plot->bins[bin]++;
}

static gboolean
fill (Plot *plot, ShndArray *array, GError **error)
{
  g_autoptr (CliValues) values = NULL;
  g_autoptr (GError) local_error = NULL;
  guint64 size = shnd_array_get_size (array);
  const gdouble *numbers;
  gsize n;

  if (!cli_values_get_range (array, &plot->minimum, &plot->maximum, error))
    return FALSE;

  values = cli_values_new (array, error);
  if (values == NULL)
    return FALSE;

  choose_bins (plot, has_integers (array));
  while ((numbers = cli_values_next (values, &n, &local_error)) != NULL)
    {
      for (gsize i = 0; i < n; i++)
        count (plot, numbers[i], plot->n++, size);
    }
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  return TRUE;
}

/* A character for each point, as high as the number; nothing where there is none. */
static char *
draw_line (const Plot *plot)
{
  const char *const levels[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < plot->n_points; i++)
    {
      const Point *point = &plot->points[i];
      gdouble place;

      if (point->n == 0)
        {
          g_string_append_c (line, ' ');
          continue;
        }
      place = cli_values_get_place (point->sum / point->n, plot->minimum, plot->maximum);
      g_string_append (
          line, levels[MIN ((guint) (place * G_N_ELEMENTS (levels)), G_N_ELEMENTS (levels) - 1)]);
    }

  return g_string_free (line, FALSE);
}

static char *
draw_bar (guint64 n, guint64 most, guint length)
{
  const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  guint eighths = (gdouble) n / most * length * 8 + 0.5;
  GString *bar = g_string_new (NULL);

  /* What is there at all is to be seen. */
  if (n > 0)
    eighths = MAX (eighths, 1);
  for (guint i = 0; i < eighths / 8; i++)
    g_string_append (bar, "█");
  g_string_append (bar, parts[eighths % 8]);

  return g_string_free (bar, FALSE);
}

static char *
format_number (gdouble number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (text, sizeof text, "%.5g", number));
}

/* Where a bin begins; the value itself if it has but one. */
static char *
format_bin (const Plot *plot, guint bin, gboolean integers)
{
  gdouble part = (gdouble) bin / plot->n_bins;

  if (plot->n_bins == 1)
    return format_number (plot->minimum);
  if (integers && plot->maximum - plot->minimum < plot->n_bins)
    return format_number (plot->minimum + bin);

  return format_number (plot->minimum * (1 - part) + plot->maximum * part);
}

static void
append_histogram (const Plot *plot, GPtrArray *lines, gboolean integers, guint n_columns)
{
  gsize label_width = 0;
  gsize count_width;
  guint64 most = 1;
  guint length;
  char *labels[MOST_BINS];

  for (guint i = 0; i < plot->n_bins; i++)
    {
      labels[i] = format_bin (plot, i, integers);
      label_width = MAX (label_width, strlen (labels[i]));
      most = MAX (most, plot->bins[i]);
    }

  count_width = snprintf (NULL, 0, "%" G_GUINT64_FORMAT, most);
  length =
      MAX (n_columns, label_width + count_width + 3 + SHORTEST_BAR) - label_width - count_width - 3;
  for (guint i = 0; i < plot->n_bins; i++)
    {
      g_autofree char *bar = draw_bar (plot->bins[i], most, length);

      g_ptr_array_add (lines, g_strdup_printf ("%*s %s %" G_GUINT64_FORMAT, (int) label_width,
                                               labels[i], bar, plot->bins[i]));
      g_free (labels[i]);
    }
}

/* What the line is of. */
static char *
describe (const Plot *plot, guint64 size, gboolean is_sample)
{
  GString *text = g_string_new (NULL);
  g_autofree char *minimum = format_number (plot->minimum);
  g_autofree char *maximum = format_number (plot->maximum);

  if (is_sample)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT " of ", plot->n);
  g_string_append_printf (text, "%" G_GUINT64_FORMAT " %s", size,
                          size == 1 ? "element" : "elements");
  if (plot->n_nan > 0)
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " NaN", plot->n_nan);
  if (plot->n_infinite > 0)
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " infinite", plot->n_infinite);
  if (isnan (plot->minimum))
    g_string_append (text, ", none finite");
  else
    g_string_append_printf (text, ", %s to %s", minimum, maximum);

  return g_string_free (text, FALSE);
}

char **
cli_plot_draw (ShndArray *array, guint n_columns, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (ShndArray) sample = NULL;
  g_autofree Point *points = NULL;
  g_autofree char *text = NULL;
  guint64 size = shnd_array_get_size (array);
  gboolean integers = has_integers (array);
  gboolean is_sample;
  Plot plot = { 0 };

  if (size == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                           "The array has no elements: expected some, to draw them");
      return NULL;
    }

  sample = cli_values_sample (array, &is_sample, error);
  if (sample == NULL)
    return NULL;

  plot.n_points = MIN (n_columns, shnd_array_get_size (sample));
  plot.points = points = g_new0 (Point, plot.n_points);
  if (!fill (&plot, sample, error))
    return NULL;

  if (!isnan (plot.minimum))
    g_ptr_array_add (lines, draw_line (&plot));
  text = describe (&plot, size, is_sample);
  g_ptr_array_add (lines, cli_text_shorten (text, n_columns));
  if (!isnan (plot.minimum))
    append_histogram (&plot, lines, integers, n_columns);
  g_ptr_array_add (lines, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}
