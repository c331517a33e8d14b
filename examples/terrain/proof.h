/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Says that the work is done; then, for each line on standard input, prints of each array where
 * this process has it mapped and what is in it. Returns at the end of the input. */
void proof_serve (ShndArray **arrays, guint n_arrays);

G_END_DECLS
