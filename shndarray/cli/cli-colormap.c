/* SPDX-License-Identifier: MIT */

#include "cli-colormap.h"

#include "cli-error.h"

#include <math.h>

#define MAX_STOPS 9

/* Colours at equal distances; between two of them the mean. */
static const struct
{
  const char *name;
  guint n_stops;
  guint8 stops[MAX_STOPS][3];
  guint8 missing[3];
} colormaps[] = {
  [CLI_COLORMAP_AUTO] = { "auto", 0, { { 0 } }, { 0 } },
  [CLI_COLORMAP_GREY] = { "grey", 2, { { 0, 0, 0 }, { 255, 255, 255 } }, { 96, 32, 96 } },
  [CLI_COLORMAP_HEAT] = { "heat",
                          8,
                          { { 52, 10, 92 },
                            { 66, 52, 130 },
                            { 52, 92, 144 },
                            { 34, 126, 144 },
                            { 36, 158, 130 },
                            { 90, 190, 100 },
                            { 166, 214, 66 },
                            { 250, 232, 60 } },
                          { 128, 128, 128 } },
  [CLI_COLORMAP_DIVERGING] = { "diverging",
                               5,
                               { { 20, 60, 140 },
                                 { 100, 160, 210 },
                                 { 245, 245, 245 },
                                 { 220, 130, 90 },
                                 { 130, 20, 30 } },
                               { 96, 96, 96 } },
};

gboolean
cli_colormap_parse (const char *text, CliColormap *colormap, GError **error)
{
  *colormap = CLI_COLORMAP_AUTO;
  if (text == NULL)
    return TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (colormaps); i++)
    {
      if (g_ascii_strcasecmp (text, colormaps[i].name) == 0)
        {
          *colormap = i;
          return TRUE;
        }
    }

  cli_set_usage_error (error, "--colormap “%s”: expected auto, grey, heat or diverging", text);
  return FALSE;
}

void
cli_colormap_get (CliColormap colormap, gdouble place, guint8 rgb[3])
{
  guint n_gaps = colormaps[colormap].n_stops - 1;
  gdouble position;
  guint first;

  if (isnan (place))
    {
      for (guint i = 0; i < 3; i++)
        rgb[i] = colormaps[colormap].missing[i];
      return;
    }

  position = CLAMP (place, 0, 1) * n_gaps;
  first = MIN ((guint) position, n_gaps - 1);
  for (guint i = 0; i < 3; i++)
    {
      gdouble low = colormaps[colormap].stops[first][i];
      gdouble high = colormaps[colormap].stops[first + 1][i];

      rgb[i] = low + (high - low) * (position - first) + 0.5;
    }
}
