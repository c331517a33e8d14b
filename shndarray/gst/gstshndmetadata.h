/* SPDX-License-Identifier: MIT */

#pragma once

#include "../shnd-pattern-private.h"
#include "gstshndlayout.h"

G_BEGIN_DECLS

/* What travels with a frame: caps, times, flags and metas of a buffer as a{sv}. What becomes of that is
 * in gstshndinfo.h. */

/* Other flags are about the buffer's memory, or about who holds it. */
#define GST_SHND_BUFFER_FLAGS                                                                      \
  (GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC |                \
   GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_HEADER |                   \
   GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_DELTA_UNIT |                  \
   GST_BUFFER_FLAG_NON_DROPPABLE | GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF |  \
   GST_VIDEO_BUFFER_FLAG_RFF | GST_VIDEO_BUFFER_FLAG_ONEFIELD |                                    \
   GST_VIDEO_BUFFER_FLAG_MULTIPLE_VIEW | GST_VIDEO_BUFFER_FLAG_FIRST_IN_BUNDLE)

/* Floating. The latency is that of the pipeline, or GST_CLOCK_TIME_NONE. */
GVariant *gst_shnd_metadata_new (const GstShndFormat *format,
                                 const GstShndLayout *layout,
                                 GstBuffer *buffer,
                                 GstClockTime latency);

/* What a frame says of its buffer. Mostly that is the same as for the buffer before it, but for times:
 * it is then not made anew. A value; zeros at first. */
typedef struct
{
  GstShndLayout layout;
  gboolean fits; /* the buffer has the bytes that its caps promise */

  /* Of the buffer for which the model of the pattern was made. */
  ShndPattern pattern;
  gboolean has_model;
  gsize size;
  guint flags;
  guint said; /* which times */
  gboolean has_video;
  GstVideoMeta video;
} GstShndDescription;

/* Returns the metadata of the buffer, with a reference. The format is that of the buffer before,
 * or the description has to be cleared. */
GVariant *gst_shnd_description_update (GstShndDescription *self,
                                       const GstShndFormat *format,
                                       GstBuffer *buffer,
                                       GstClockTime latency);
void gst_shnd_description_clear (GstShndDescription *self);

G_END_DECLS
