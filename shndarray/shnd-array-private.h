/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"

G_BEGIN_DECLS

struct _ShndArray
{
  GObject parent_instance;

  ShndSegment *segment; /* NULL once closed; only with `lock` held, as another thread may close */
  gint lock;
  ShndLayout layout; /* never changes; its dtype is owned, its memory is there while `segment` is */
  GRefString *name;  /* that of the segment, kept when it is closed; or NULL */
  ShndAccess access;
};

/* A new handle for elements in a segment. References dtype and segment. */
ShndArray *_shnd_array_new_for_layout (ShndSegment *segment, const ShndLayout *layout);

/* The segment of an array that is open, and can be written if `access` says so. As long as the
 * reference is held, the memory of `self->layout` stays. */
ShndSegment *_shnd_array_acquire (ShndArray *self, ShndAccess access, GError **error);

G_END_DECLS
