/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

#define CLI_PLOT_LEAST_COLUMNS 20

/* Numbers in one dimension, drawn with characters: how they go on, and how often which are there.
 * Lines no wider than `n_columns`, which are CLI_PLOT_LEAST_COLUMNS or more; NULL with an error. */
char **cli_plot_draw (ShndArray *array, guint n_columns, GError **error);

G_END_DECLS
