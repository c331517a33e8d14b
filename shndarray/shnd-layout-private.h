/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shnd-array.h>

#include "shnd-dtype-private.h"

G_BEGIN_DECLS

/* Where the elements of an array lie. A plain value: it owns nothing, and whoever holds one sees to
 * it that dtype and memory stay. */
typedef struct
{
  ShndDType *dtype;
  guint n_dims;
  gint64 shape[SHND_MAX_DIMS];
  gint64 strides[SHND_MAX_DIMS]; /* bytes; may be negative or 0 */
  guint8 *data;                  /* the element [0, ..., 0]; any alignment */
} ShndLayout;

/* Sets shape (checked: number of dimensions, negative ones, overflow) and contiguous strides.
 * A sub-array dtype is taken apart, as NumPy does: its shape goes behind `shape`, its base becomes
 * the dtype. `layout->data` becomes NULL. */
gboolean shnd_layout_init (ShndLayout *layout,
                           ShndDType *dtype,
                           const gint64 *shape,
                           guint n_dims,
                           gboolean fortran,
                           GError **error);

/* Number of elements, and of bytes that they take when laid out without gaps. */
guint64 shnd_layout_get_size (const ShndLayout *layout);
guint64 shnd_layout_get_n_bytes (const ShndLayout *layout);

ShndOrder shnd_layout_get_order (const ShndLayout *layout);

/* The bytes from the lowest to behind the highest that an element takes, relative to `data`
 * (`*low` <= 0). Both 0 if there are no elements. */
void shnd_layout_get_span (const ShndLayout *layout, gint64 *low, gint64 *high);

/* Which bytes of a file they take, from `*start` to before `*end`, if the element [0, ..., 0] is at
 * `offset`. Believes nothing of the strides; FALSE if no file has such bytes. */
gboolean
shnd_layout_get_place (const ShndLayout *layout, guint64 offset, guint64 *start, guint64 *end);

/* Sets `layout->data` to `offset` bytes from `origin`, if all elements are then between `origin + low`
 * (`low` <= 0) and `origin + high`. Believes nothing of offset and strides either. */
gboolean shnd_layout_set_place (
    ShndLayout *layout, guint8 *origin, gint64 low, gint64 high, gint64 offset, GError **error);

/* "(2, 3)", as messages and headers print a shape. */
char *shnd_shape_to_string (const gint64 *shape, guint n_dims);

/* Views. `layout` is changed in place; on error it is as it was. */
gboolean shnd_layout_slice (
    ShndLayout *layout, guint axis, gint64 start, gint64 stop, gint64 step, GError **error);
gboolean shnd_layout_index (ShndLayout *layout, guint axis, gint64 index, GError **error);
gboolean
shnd_layout_reshape (ShndLayout *layout, const gint64 *shape, guint n_dims, GError **error);
gboolean
shnd_layout_transpose (ShndLayout *layout, const gint64 *axes, guint n_axes, GError **error);
gboolean shnd_layout_field (ShndLayout *layout, const char *name, GError **error);

/* The address of one element. */
guint8 *shnd_layout_get_element (const ShndLayout *layout,
                                 const gint64 *indices,
                                 guint n_indices,
                                 GError **error);

/* Repeats `layout` to fill the shape of `target`, by NumPy's rules of broadcasting. */
gboolean shnd_layout_broadcast (ShndLayout *layout, const ShndLayout *target, GError **error);

G_END_DECLS
