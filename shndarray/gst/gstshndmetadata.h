/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndlayout.h"

G_BEGIN_DECLS

/* What travels with a frame: caps, times, flags and metas of a buffer as a{sv}, and back. */

/* Floating. The latency is that of the pipeline, or GST_CLOCK_TIME_NONE. */
GVariant *gst_shnd_metadata_new (const GstShndFormat *format,
                                 const GstShndLayout *layout,
                                 GstBuffer *buffer,
                                 GstClockTime latency);

/* What a buffer made of the frame has to know: all of it optional, and none of it to be trusted. A
 * value. */
typedef struct
{
  const char *caps; /* as they came, or NULL; belongs to the metadata */
  GstClockTime pts;
  GstClockTime dts;
  GstClockTime duration;
  GstClockTime latency;
  guint64 offset;
  guint64 offset_end;
  gboolean has_flags;
  guint flags;
  gboolean has_span; /* where the buffer is, from the element [0, ..., 0] of the frame's array */
  gint64 start;
  guint64 size;
  GVariant *metas; /* or NULL */
} GstShndInfo;

/* Reads the metadata, which may be NULL, once for all. */
void gst_shnd_info_init (GstShndInfo *self, GVariant *metadata);
void gst_shnd_info_clear (GstShndInfo *self);

/* Sets duration, offsets, flags and metas of the buffer, which has all its bytes already and goes
 * with caps of this format. Whatever is wrong in the metadata is left out. */
void gst_shnd_info_apply (const GstShndInfo *self, const GstShndFormat *format, GstBuffer *buffer);

G_END_DECLS
