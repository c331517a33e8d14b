/* SPDX-License-Identifier: MIT */

#include "cli-picture.h"

#include "cli-file.h"
#include "cli-signals.h"
#include "cli-text.h"
#include "cli-values.h"

#include <math.h>
#include <stdlib.h>

/* When a picture becomes smaller, so many elements are looked at for a pixel, in each direction. */
#define OVERSAMPLING 3

/* How numbers become bytes: one minus the other, divided by their distance. */
typedef struct
{
  gdouble low;
  gdouble high;
} Range;

static guint
count_channels (ShndArray *array)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  return n_dims == 2 ? 1 : shape[2];
}

gboolean
cli_picture_get_size (ShndArray *array, gint64 *width, gint64 *height, GError **error)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  gboolean is_picture =
      n_dims == 2 || (n_dims == 3 && (shape[2] == 1 || shape[2] == 3 || shape[2] == 4));

  if (!is_picture)
    {
      g_autofree char *text = cli_text_format_shape (shape, n_dims);

      g_set_error (
          error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
          "An array of shape %s is no picture: expected two dimensions, or three where the "
          "last is 1, 3 or 4; a part can be chosen with --slice",
          text);
      return FALSE;
    }
  if (shnd_array_get_size (array) == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                           "The array has no elements: expected some, for a picture");
      return FALSE;
    }

  *width = shape[1];
  *height = shape[0];

  return TRUE;
}

void
cli_picture_fit (gint64 *width, gint64 *height, guint room_width, guint room_height, guint zoom)
{
  gdouble scale = INFINITY;

  if (room_width > 0)
    scale = (gdouble) room_width / *width;
  if (room_height > 0)
    scale = MIN (scale, (gdouble) room_height / *height);
  if (isinf (scale))
    return;

  if (scale >= 1 && zoom > 0)
    scale = MIN (floor (scale), zoom);
  *width = MAX (floor (*width * scale + 0.5), 1);
  *height = MAX (floor (*height * scale + 0.5), 1);
}

/* Every n-th index along an axis, so that at least so many are left; with as much left out before
 * them as after. */
static ShndArray *
thin (ShndArray *array, guint axis, gint64 n, GError **error)
{
  gint64 length = shnd_array_get_shape (array, NULL)[axis];
  gint64 step = MAX (length / n, 1);
  gint64 first = (length - 1) % step / 2;

  return shnd_array_slice (array, axis, first, length, step, error);
}

static gboolean
is_kind (ShndArray *array, ShndDTypeKind kind, gsize item_size)
{
  ShndDType *dtype = shnd_array_get_dtype (array);

  return shnd_dtype_get_kind (dtype) == kind &&
         (item_size == 0 || shnd_dtype_get_item_size (dtype) == item_size);
}

/* The numbers that are black and white in images of this dtype; FALSE if there is no custom. */
static gboolean
get_usual_range (ShndArray *array, Range *range)
{
  range->low = 0;
  if (is_kind (array, SHND_DTYPE_KIND_BOOL, 0))
    range->high = 1;
  else if (is_kind (array, SHND_DTYPE_KIND_UINT, 1))
    range->high = G_MAXUINT8;
  else if (is_kind (array, SHND_DTYPE_KIND_UINT, 2))
    range->high = G_MAXUINT16;
  else
    return FALSE;

  return TRUE;
}

/* The range of the numbers that there are, without what is opaque or transparent. */
static gboolean
find_range (ShndArray *array, Range *range, gboolean *is_estimated, GError **error)
{
  g_autoptr (ShndArray) colors = NULL;
  g_autoptr (ShndArray) sample = NULL;

  if (count_channels (array) == 4)
    colors = shnd_array_slice (array, 2, 0, 3, 1, error);
  else
    colors = g_object_ref (array);
  if (colors == NULL)
    return FALSE;

  sample = cli_values_sample (colors, is_estimated, error);

  return sample != NULL && cli_values_get_range (sample, &range->low, &range->high, error);
}

/* Floats are usually from 0 to 1, and integers from 0 to 255; if they are not, as far as they reach. */
static void
choose_color_range (ShndArray *array, Range *range)
{
  gdouble usual =
      is_kind (array, SHND_DTYPE_KIND_INT, 0) || is_kind (array, SHND_DTYPE_KIND_UINT, 0) ? 255 : 1;

  if (isnan (range->low) || (range->low >= 0 && range->high <= usual))
    *range = (Range){ 0, usual };
}

static gboolean
set_range (
    CliPicture *self, ShndArray *array, const CliPictureStyle *style, Range *range, GError **error)
{
  gboolean has_usual = get_usual_range (array, range);
  gboolean has_colors = count_channels (array) > 1;

  self->colormap = style->colormap;
  if (self->colormap == CLI_COLORMAP_AUTO)
    self->colormap = has_usual ? CLI_COLORMAP_GREY : CLI_COLORMAP_HEAT;
  self->has_scale =
      !has_colors && (style->has_range || style->colormap != CLI_COLORMAP_AUTO || !has_usual);

  if (style->has_range)
    {
      *range = (Range){ style->minimum, style->maximum };
    }
  else if (!has_usual)
    {
      if (!find_range (array, range, &self->is_estimated, error))
        return FALSE;
      if (has_colors)
        choose_color_range (array, range);
    }

  self->minimum = range->low;
  self->maximum = range->high;

  return TRUE;
}

static guint8
get_byte (gdouble number, const Range *range)
{
  gdouble place = cli_values_get_place (number, range->low, range->high);

  return isnan (place) ? 0 : place * 255 + 0.5;
}

/* The range for how opaque colours are does not follow them. */
static Range
get_alpha_range (ShndArray *array, const Range *range)
{
  Range alpha = *range;

  if (!get_usual_range (array, &alpha))
    alpha = (Range){ 0, is_kind (array, SHND_DTYPE_KIND_FLOAT, 0) ? 1 : 255 };

  return alpha;
}

static void
draw_numbers (
    const CliPicture *self, const gdouble *numbers, guint8 *pixels, gint64 n, const Range *range)
{
  for (gint64 i = 0; i < n; i++)
    cli_colormap_get (self->colormap, cli_values_get_place (numbers[i], range->low, range->high),
                      pixels + 3 * i);
}

static void
draw_colors (const gdouble *numbers,
             guint8 *pixels,
             gint64 n,
             guint n_channels,
             const Range *range,
             const Range *alpha)
{
  for (gint64 i = 0; i < n; i++)
    {
      for (guint channel = 0; channel < n_channels; channel++)
        pixels[i * n_channels + channel] =
            get_byte (numbers[i * n_channels + channel], channel == 3 ? alpha : range);
    }
}

/* One pixel for each element. */
static GdkPixbuf *
draw (CliPicture *self, ShndArray *array, const Range *range, GError **error)
{
  const gint64 *shape = shnd_array_get_shape (array, NULL);
  guint n_channels = count_channels (array);
  Range alpha = get_alpha_range (array, range);
  g_autoptr (CliValues) values = cli_values_new (array, error);
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  g_autoptr (GError) local_error = NULL;
  const gdouble *numbers;
  guint8 *row;
  gsize n;

  if (values == NULL)
    return NULL;

  if (shape[0] <= G_MAXINT && shape[1] <= G_MAXINT)
    pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, n_channels == 4, 8, shape[1], shape[0]);
  if (pixbuf == NULL)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "A picture of %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT
                   " pixels is too large: expected a smaller --width or --height",
                   shape[1], shape[0]);
      return NULL;
    }

  row = gdk_pixbuf_get_pixels (pixbuf);
  while ((numbers = cli_values_next (values, &n, &local_error)) != NULL)
    {
      gint64 n_rows = n / (shape[1] * n_channels);

      for (gint64 y = 0; y < n_rows; y++)
        {
          if (n_channels == 1)
            draw_numbers (self, numbers, row, shape[1], range);
          else
            draw_colors (numbers, row, shape[1], n_channels, range, &alpha);
          numbers += shape[1] * n_channels;
          row += gdk_pixbuf_get_rowstride (pixbuf);
        }
    }
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  return g_steal_pointer (&pixbuf);
}

/* Squares stay squares when it becomes larger, and all pixels count when it becomes smaller. */
static GdkPixbuf *
scale_pixbuf (GdkPixbuf *pixbuf, gint64 width, gint64 height)
{
  int old_width = gdk_pixbuf_get_width (pixbuf);
  int old_height = gdk_pixbuf_get_height (pixbuf);

  if (old_width == width && old_height == height)
    return g_object_ref (pixbuf);
  if (width > G_MAXINT || height > G_MAXINT)
    return NULL;

  return gdk_pixbuf_scale_simple (pixbuf, width, height,
                                  width >= old_width && height >= old_height ? GDK_INTERP_NEAREST :
                                                                               GDK_INTERP_BILINEAR);
}

CliPicture *
cli_picture_new (
    ShndArray *array, const CliPictureStyle *style, gint64 width, gint64 height, GError **error)
{
  g_autoptr (CliPicture) self = g_new0 (CliPicture, 1);
  g_autoptr (ShndArray) columns = NULL;
  g_autoptr (ShndArray) sample = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  gint64 array_width, array_height;
  Range range;

  if (!cli_picture_get_size (array, &array_width, &array_height, error) ||
      !set_range (self, array, style, &range, error))
    return NULL;

  columns = thin (array, 1, width * OVERSAMPLING, error);
  if (columns == NULL)
    return NULL;
  sample = thin (columns, 0, height * OVERSAMPLING, error);
  if (sample == NULL)
    return NULL;

  pixbuf = draw (self, sample, &range, error);
  if (pixbuf == NULL)
    return NULL;

  self->pixbuf = scale_pixbuf (pixbuf, width, height);
  if (self->pixbuf == NULL)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "There is no memory for a picture of %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT
                   " pixels: expected a smaller one",
                   width, height);
      return NULL;
    }

  return g_steal_pointer (&self);
}

void
cli_picture_free (CliPicture *self)
{
  g_clear_object (&self->pixbuf);
  g_free (self);
}

/* ---- Files ---- */

static gboolean
write_stream (const char *path, const char *data, gsize length, GError **error)
{
  g_autoptr (GOutputStream) stream = cli_file_open_output (path, error);

  return stream != NULL && g_output_stream_write_all (stream, data, length, NULL,
                                                      cli_signals_get_cancellable (), error);
}

static gboolean
write_file (const char *path, const char *data, gsize length, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  /* What a link leads to is replaced, not the link. */
  g_autofree char *resolved = realpath (path, NULL);

  if (g_file_set_contents_full (resolved != NULL ? resolved : path, data, length,
                                G_FILE_SET_CONTENTS_CONSISTENT, 0666, error))
    return TRUE;

  g_prefix_error (error, "Cannot write the picture “%s”: ", display);
  return FALSE;
}

gboolean
cli_picture_save_png (ShndArray *array,
                      const CliPictureStyle *style,
                      guint room_width,
                      guint room_height,
                      const char *path,
                      GError **error)
{
  g_autoptr (CliPicture) picture = NULL;
  g_autofree char *data = NULL;
  gint64 width, height;
  gsize length;

  if (!cli_picture_get_size (array, &width, &height, error))
    return FALSE;

  cli_picture_fit (&width, &height, room_width, room_height, 0);
  picture = cli_picture_new (array, style, width, height, error);
  if (picture == NULL)
    return FALSE;

  if (!gdk_pixbuf_save_to_buffer (picture->pixbuf, &data, &length, "png", error, NULL))
    {
      g_prefix_error (error, "Cannot make a PNG: ");
      return FALSE;
    }

  /* Making it took its time, and no notice of signals. */
  if (g_cancellable_set_error_if_cancelled (cli_signals_get_cancellable (), error))
    return FALSE;

  return cli_file_is_stream (path) ? write_stream (path, data, length, error) :
                                     write_file (path, data, length, error);
}
