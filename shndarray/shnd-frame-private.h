/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-frame.h"
#include "shnd-hold-private.h"
#include "shnd-layout-private.h"

G_BEGIN_DECLS

typedef enum
{
  SHND_FRAME_EMPTY, /* what g_object_new() alone gives */
  SHND_FRAME_ACQUIRED,
  SHND_FRAME_PUBLISHING,
  SHND_FRAME_PUBLISHED,
  SHND_FRAME_RECEIVED,
} ShndFrameState;

struct _ShndFrame
{
  GObject parent_instance;

  ShndHold *hold;
  ShndArray *own_array; /* of all elements that were acquired, or received */
  ShndArray *array;     /* that one, or a view of it */
  GMutex mutex;         /* for all that follows, and which array that is until it is published */
  ShndFrameState state;
  guint64 sequence;
  gint64 timestamp;
  GVariant *metadata; /* or NULL */
};

/* Gives the memory of a hold to a frame that is still as g_object_new() alone made it. Takes neither. */
void _shnd_frame_set_memory (ShndFrame *self,
                             ShndFrameState state,
                             ShndHold *hold,
                             ShndSegment *segment,
                             const ShndLayout *layout);

/* Makes the frame show a view of its memory. Nobody else has seen it yet. */
void _shnd_frame_set_view (ShndFrame *self, ShndSegment *segment, const ShndLayout *layout);

/* Nobody looks at them any more through the frame. */
void _shnd_frame_close_arrays (ShndFrame *self);

/* Nobody else has seen the frame yet. Takes the metadata, which may be NULL. */
void
_shnd_frame_set_received (ShndFrame *self, guint64 sequence, gint64 timestamp, GVariant *metadata);

G_END_DECLS
