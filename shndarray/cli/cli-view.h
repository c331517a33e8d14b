/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* What NumPy gives for array[EXPRESSION], as a view: "0, 10:20, ::-1", "..., 3". */
ShndArray *cli_view_slice (ShndArray *array, const char *expression, GError **error);

/* The field of each element that has this name. */
ShndArray *cli_view_field (ShndArray *array, const char *field, GError **error);

G_END_DECLS
