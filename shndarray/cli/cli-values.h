/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Reads the numbers of an array as doubles, whatever its dtype and its strides are, one band of
 * indices along the first axis after the other; of complex numbers the magnitude. */
typedef struct _CliValues CliValues;

/* Fails if the elements are no numbers or truth values. */
CliValues *cli_values_new (ShndArray *array, GError **error);

void cli_values_free (CliValues *self);

/* The next `n` numbers, in C order: whole rows. They are valid until the next call. NULL at the end,
 * and with an error, which can be that a signal came. */
const gdouble *cli_values_next (CliValues *self, gsize *n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliValues, cli_values_free)

/* The array, or if it has so many elements that looking at all takes long, a view of some of them,
 * evenly spread: `is_sample` says which. */
ShndArray *cli_values_sample (ShndArray *array, gboolean *is_sample, GError **error);

/* The smallest and the largest finite number; FALSE with an error. Where there is none, both are
 * NaN. */
gboolean
cli_values_get_range (ShndArray *array, gdouble *minimum, gdouble *maximum, GError **error);

/* Where a number is between two others, from 0 to 1, which is also for what is beyond them. NaN stays;
 * 0 if there is nothing between the two. */
gdouble cli_values_get_place (gdouble number, gdouble minimum, gdouble maximum);

G_END_DECLS
