/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"
#include "shnd-write-private.h"

G_BEGIN_DECLS

typedef struct _ShndWait ShndWait;

struct _ShndArray
{
  GObject parent_instance;

  ShndSegment *segment; /* NULL once closed; only inside, as another thread may close */
  guint entered;        /* the mark of the process of which a thread is inside, or none */
  ShndLayout layout; /* never changes; its dtype is owned, its memory is there while `segment` is */
  GRefString *name;  /* that of the segment, kept when it is closed; or NULL */
  ShndAccess access;
  gboolean is_view; /* of some of the elements that the file's header tells of, or of others */

  guint32 interrupts; /* changes to wake those who wait in their own threads */
  ShndWait *watch;    /* only inside; NULL while not watching */
};

/* A new handle for all elements of a segment, or for a view. References dtype and segment. */
ShndArray *_shnd_array_new_for_layout (ShndSegment *segment, const ShndLayout *layout);
ShndArray *_shnd_array_new_view (ShndSegment *segment, const ShndLayout *layout);

/* Makes a view of an array that is still as g_object_new() alone made it. */
void _shnd_array_become_view (ShndArray *self, ShndSegment *segment, const ShndLayout *layout);

/* Makes an array of that layout, which gets its memory; with `contents`, of the same dtype and shape,
 * it begins with those, which are used up, else with zeros. */
ShndArray *_shnd_array_create (const char *name,
                               ShndLayout *layout,
                               ShndContents *contents,
                               ShndCreateFlags flags,
                               GError **error);

/* The layout that a new array has. */
gboolean _shnd_array_init_layout (ShndLayout *layout,
                                  ShndDType *dtype,
                                  const gint64 *shape,
                                  guint n_dims,
                                  ShndCreateFlags flags,
                                  GError **error);

/* Whether all of them are known. */
gboolean _shnd_check_create_flags (ShndCreateFlags flags, GError **error);

/* Between these two no other thread is inside, so that `segment` stays what it is. For a few
 * instructions only. When the process forks meanwhile, the child has no thread inside. */
void _shnd_array_enter (ShndArray *self);
void _shnd_array_leave (ShndArray *self);

/* The segment of an array that is open, and can be written if `access` says so. As long as the
 * reference is held, the memory of `self->layout` stays. */
ShndSegment *_shnd_array_acquire (ShndArray *self, ShndAccess access, GError **error);

/* For the signal `updated`. */
void _shnd_array_emit_updated (ShndArray *self, guint64 sequence);

G_END_DECLS
