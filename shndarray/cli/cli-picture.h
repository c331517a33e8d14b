/* SPDX-License-Identifier: MIT */

#pragma once

#include "cli-colormap.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* How numbers become colours; all zero is what suits the array. */
typedef struct
{
  CliColormap colormap;
  gboolean has_range; /* else from the smallest to the largest number */
  gdouble minimum;
  gdouble maximum;
} CliPictureStyle;

typedef struct
{
  GdkPixbuf *pixbuf;
  gboolean has_scale;    /* colours stand for numbers: what follows says for which */
  gboolean is_estimated; /* the range: the array is so large that not all numbers were looked at */
  CliColormap colormap;
  gdouble minimum;
  gdouble maximum;
} CliPicture;

/* How large a picture an array is. Fails if it is none: expected are numbers in two dimensions, or
 * with 1, 3 or 4 channels in a third. */
gboolean cli_picture_get_size (ShndArray *array, gint64 *width, gint64 *height, GError **error);

/* The size for the room there is, in pixels, where 0 is any: what is larger is made smaller, in both
 * directions alike. What is smaller is made larger, as far as its pixels become squares of up to
 * `zoom` pixels; with 0 as large as the room. */
void
cli_picture_fit (gint64 *width, gint64 *height, guint room_width, guint room_height, guint zoom);

/* Makes a picture of so many pixels, which has to be as cli_picture_fit() says: it then costs hardly
 * more for a large array than for a small one. Can be cancelled by a signal. */
CliPicture *cli_picture_new (
    ShndArray *array, const CliPictureStyle *style, gint64 width, gint64 height, GError **error);

void cli_picture_free (CliPicture *self);

/* Writes a PNG file, or with "-" to the standard output: one that fits as cli_picture_fit() says. A
 * file that is there stays until the new one is complete. */
gboolean cli_picture_save_png (ShndArray *array,
                               const CliPictureStyle *style,
                               guint room_width,
                               guint room_height,
                               const char *path,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliPicture, cli_picture_free)

G_END_DECLS
