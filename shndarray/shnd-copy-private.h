/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* Copies all elements of `source` to the places of those of `target`, converting them.
 * Both have the same shape, and shnd_cast_check() has said yes to their dtypes; so this cannot
 * fail. The two may not overlap in memory. */
void shnd_copy (const ShndLayout *target, const ShndLayout *source);

/* Copies the elements number `first` to `first + n - 1`, counted in C order, to `target`, without
 * gaps and without conversion. */
void shnd_gather (const ShndLayout *source, guint64 first, guint64 n, guint8 *target);

/* The reverse: fills those elements from `source`. */
void shnd_scatter (const ShndLayout *target, guint64 first, guint64 n, const guint8 *source);

G_END_DECLS
