/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-array-private.h"

G_BEGIN_DECLS

/* Arrays in files that were opened and looked at, and views of them that somebody else describes. */

/* Some of the elements in a file. A value that owns its dtype. */
typedef struct
{
  guint64 offset; /* where the element [0, ..., 0] is in the file */
  ShndLayout layout;
} ShndView;

/* Dtype and shape are checked, and whether there are as many strides. On error there is nothing to
 * clear, nor is there in a view that is all zero. */
gboolean shnd_view_init (ShndView *self,
                         const char *dtype,
                         guint64 offset,
                         const gint64 *shape,
                         gsize n_shape,
                         const gint64 *strides,
                         gsize n_strides,
                         GError **error);
void shnd_view_clear (ShndView *self);

/* What the file is. */
typedef enum
{
  SHND_VIEW_NPY, /* a .npy file: the view is inside of its elements */
  SHND_VIEW_RAW, /* bytes */
  SHND_VIEW_ANY, /* a .npy file if it has such a header, else bytes */
} ShndViewFormat;

/* Opens a view, or with NULL all elements of a .npy file. Takes the file. */
ShndArray *
shnd_view_open (const ShndView *self, ShndViewFormat format, const ShndFile *file, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ShndView, shnd_view_clear)

G_END_DECLS
