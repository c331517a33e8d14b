/* SPDX-License-Identifier: MIT */

/* Makes a shaded relief of a terrain: opens the heights by name, and writes how bright each cell
 * is into a new shared array.
 *
 * Slopes are found by the method of B. K. P. Horn, "Hill shading and the reflectance map",
 * Proceedings of the IEEE 69 (1), 1981, pages 14 to 47. */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <math.h>
#include <shndarray/shndarray.h>
#include <stdio.h>
#include <stdlib.h>

#include "proof.h"

#define DEGREES (G_PI / 180)

/* So that the picture is one that programs can show. */
#define MAX_CELLS 8192

static double spacing_x = 1;
static double spacing_y = 1;
static double azimuth = 315;
static double altitude = 45;
static double exaggeration = 1;
static int no_data = G_MININT16;
static gboolean keep;
static gboolean prove;

static const GOptionEntry options[] = {
  { "spacing-x", 'x', 0, G_OPTION_ARG_DOUBLE, &spacing_x, "Width of a cell, west to east",
    "METRES" },
  { "spacing-y", 'y', 0, G_OPTION_ARG_DOUBLE, &spacing_y, "Height of a cell, north to south",
    "METRES" },
  { "azimuth", 'a', 0, G_OPTION_ARG_DOUBLE, &azimuth,
    "Where the light comes from, clockwise from north", "DEGREES" },
  { "altitude", 'h', 0, G_OPTION_ARG_DOUBLE, &altitude, "Height of the light above the horizon",
    "DEGREES" },
  { "exaggeration", 'e', 0, G_OPTION_ARG_DOUBLE, &exaggeration, "Factor for the heights",
    "FACTOR" },
  { "no-data", 'n', 0, G_OPTION_ARG_INT, &no_data, "The height that means: unknown", "METRES" },
  { "keep", 'k', 0, G_OPTION_ARG_NONE, &keep,
    "Let the name of the relief stay until somebody removes it", NULL },
  { "prove", 0, 0, G_OPTION_ARG_NONE, &prove,
    "Stay, and tell for each line on standard input where the arrays are", NULL },
  G_OPTION_ENTRY_NULL,
};

/* Heights in metres, rows from north to south. */
typedef struct
{
  const gint16 *heights;
  gint64 n_rows;
  gint64 n_columns;
} Terrain;

/* NAN where nothing is known. */
static double
get_height (const Terrain *terrain, gint64 row, gint64 column)
{
  gint16 height;

  if (row < 0 || row >= terrain->n_rows || column < 0 || column >= terrain->n_columns)
    return NAN;

  height = terrain->heights[row * terrain->n_columns + column];
  return height == no_data ? NAN : height * exaggeration;
}

/* The nine heights around a cell. What is not known, at the edges or in a hole, continues the slope
 * from the other side of the cell; where that is not known either, it is level. */
static gboolean
get_window (const Terrain *terrain, gint64 row, gint64 column, double window[9])
{
  static const int sides[] = { 1, 3, 5, 7 };
  static const int corners[] = { 0, 2, 6, 8 };
  double centre;

  for (int i = 0; i < 9; i++)
    window[i] = get_height (terrain, row + i / 3 - 1, column + i % 3 - 1);

  centre = window[4];
  if (isnan (centre))
    return FALSE;

  for (int n = 0; n < 4; n++)
    {
      double *side = &window[sides[n]];
      double opposite = window[8 - sides[n]];

      if (isnan (*side))
        *side = isnan (opposite) ? centre : 2 * centre - opposite;
    }

  for (int n = 0; n < 4; n++)
    {
      int i = corners[n];

      if (isnan (window[i]))
        window[i] = window[i < 3 ? 1 : 7] + window[i % 3 == 0 ? 3 : 5] - centre;
    }

  return TRUE;
}

/* 1 (dark) to 255 (bright); 0 where the height is not known. */
static void
shade (const Terrain *terrain, guint8 *relief)
{
  double light_east = sin (azimuth * DEGREES) * cos (altitude * DEGREES);
  double light_north = cos (azimuth * DEGREES) * cos (altitude * DEGREES);
  double light_up = sin (altitude * DEGREES);

  for (gint64 row = 0; row < terrain->n_rows; row++)
    for (gint64 column = 0; column < terrain->n_columns; column++)
      {
        double z[9], east, north, brightness;
        guint8 *cell = &relief[row * terrain->n_columns + column];

        if (!get_window (terrain, row, column, z))
          {
            *cell = 0;
            continue;
          }

        /* How much the ground rises, in metres a metre. */
        east = ((z[2] + 2 * z[5] + z[8]) - (z[0] + 2 * z[3] + z[6])) / (8 * spacing_x);
        north = ((z[0] + 2 * z[1] + z[2]) - (z[6] + 2 * z[7] + z[8])) / (8 * spacing_y);

        /* The cosine of the angle between the light and the normal (-east, -north, 1). */
        brightness = (light_up - east * light_east - north * light_north) /
                     sqrt (1 + east * east + north * north);
        *cell = (guint8) lround (1 + 254 * MAX (brightness, 0));
      }
}

/* Twice as large, and so that a metre is as long in both directions. */
static gboolean
write_png (ShndArray *relief, const char *path, GError **error)
{
  const gint64 *shape = shnd_array_get_shape (relief, NULL);
  const guint8 *cells = shnd_array_get_data (relief);
  int height = (int) shape[0];
  int width = (int) shape[1];
  int wide = (int) lround (CLAMP (2 * width * spacing_x / spacing_y, 1, 4 * MAX_CELLS));
  g_autoptr (GdkPixbuf) picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);
  g_autoptr (GdkPixbuf) scaled = NULL;
  guint8 *pixels = gdk_pixbuf_get_pixels (picture);
  int stride = gdk_pixbuf_get_rowstride (picture);

  for (int row = 0; row < height; row++)
    for (int i = 0; i < 3 * width; i++)
      pixels[row * stride + i] = cells[row * width + i / 3];

  scaled = gdk_pixbuf_scale_simple (picture, wide, 2 * height, GDK_INTERP_BILINEAR);
  return gdk_pixbuf_save (scaled, path, "png", error, NULL);
}

G_GNUC_PRINTF (2, 3)
static void
report (gint64 *start, const char *format, ...)
{
  g_autofree char *text = NULL;
  gint64 now = g_get_monotonic_time ();
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  printf ("%-60s %8.2f ms\n", text, (double) (now - *start) / 1000);
  fflush (stdout);
  *start = g_get_monotonic_time ();
}

static ShndArray *
open_terrain (const char *name, GError **error)
{
  g_autoptr (ShndArray) terrain = shnd_array_open (name, SHND_ACCESS_READ, error);
  g_autoptr (ShndDType) int16 = shnd_dtype_new ("int16", NULL);
  const gint64 *shape;
  guint n_dims;

  if (terrain == NULL)
    return NULL;

  shape = shnd_array_get_shape (terrain, &n_dims);
  if (n_dims != 2 || shape[0] < 1 || shape[0] > MAX_CELLS || shape[1] < 1 || shape[1] > MAX_CELLS ||
      shnd_array_get_order (terrain) != SHND_ORDER_C ||
      !shnd_dtype_equal (shnd_array_get_dtype (terrain), int16))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "%s is no terrain: expected int16, C order, two dimensions of 1 to %d", name,
                   MAX_CELLS);
      return NULL;
    }

  return g_steal_pointer (&terrain);
}

static gboolean
run (const char *terrain_name, const char *relief_name, const char *path, GError **error)
{
  g_autoptr (ShndDType) uint8 = shnd_dtype_new ("uint8", NULL);
  g_autoptr (ShndArray) heights = NULL;
  g_autoptr (ShndArray) relief = NULL;
  g_autofree char *file = NULL;
  Terrain terrain;
  const gint64 *shape;
  gint64 start = g_get_monotonic_time ();

  heights = open_terrain (terrain_name, error);
  if (heights == NULL)
    return FALSE;

  shape = shnd_array_get_shape (heights, NULL);
  terrain.heights = shnd_array_get_data (heights);
  terrain.n_rows = shape[0];
  terrain.n_columns = shape[1];
  report (&start, "opened the terrain, to read");

  /* Without the flag the name goes with the last program that has the relief open. */
  relief = shnd_array_new (relief_name, uint8, shape, 2,
                           keep ? SHND_CREATE_PERSISTENT : SHND_CREATE_NONE, error);
  if (relief == NULL)
    return FALSE;

  report (&start, "made the array %s", relief_name);

  shade (&terrain, shnd_array_get_data (relief));
  report (&start, "shaded cells of %.1f m x %.1f m, light from %g/%g degrees", spacing_x, spacing_y,
          azimuth, altitude);

  if (!write_png (relief, path, error))
    {
      /* Otherwise a relief to keep would stay. */
      shnd_array_unlink (relief, NULL);
      return FALSE;
    }

  file = g_path_get_basename (path);
  report (&start, "wrote %s", file);

  if (prove)
    proof_serve ((ShndArray *[]){ heights, relief }, 2);

  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("TERRAIN RELIEF FILE.png");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);

  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_printerr ("relief: %s\n", error->message);
  else if (argc != 4 || !(spacing_x > 0) || !(spacing_y > 0))
    g_printerr ("relief: expected TERRAIN RELIEF FILE.png, and a spacing above 0\n");
  else if (!run (argv[1], argv[2], argv[3], &error))
    g_printerr ("relief: %s\n", error->message);
  else
    return EXIT_SUCCESS;

  return EXIT_FAILURE;
}
