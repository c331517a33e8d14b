/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  CLI_COLORMAP_AUTO, /* grey for bytes, words and truth values, heat for others */
  CLI_COLORMAP_GREY,
  CLI_COLORMAP_HEAT,
  CLI_COLORMAP_DIVERGING,
} CliColormap;

/* What the option --colormap says; NULL for AUTO. */
gboolean cli_colormap_parse (const char *text, CliColormap *colormap, GError **error);

/* The colour for a place from 0 to 1; what is outside has that of the end, and NaN one that no place
 * has. */
void cli_colormap_get (CliColormap colormap, gdouble place, guint8 rgb[3]);

G_END_DECLS
