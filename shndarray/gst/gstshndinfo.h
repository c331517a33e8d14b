/* SPDX-License-Identifier: MIT */

#pragma once

#include "../shnd-pattern-private.h"
#include "gstshndformat.h"

G_BEGIN_DECLS

/* What a buffer made of the frame has to know: all of it optional, and none of it to be trusted. A
 * value. */
typedef struct
{
  const char *caps;   /* as they came, or NULL; belongs to the metadata */
  const char *format; /* of video or audio, likewise */
  gboolean has_width;
  gboolean has_height;
  gint width;
  gint height;
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

/* What was read before, which mostly is the same but for times. A value; zeros at first. */
typedef struct
{
  ShndPattern pattern;
  GstShndInfo info; /* of the pattern's model */
} GstShndInfoCache;

/* Reads the metadata, which may be NULL, once for all. */
void gst_shnd_info_init (GstShndInfo *self, GstShndInfoCache *cache, GVariant *metadata);
void gst_shnd_info_clear (GstShndInfo *self);

void gst_shnd_info_cache_clear (GstShndInfoCache *self);

/* Sets duration, offsets, flags and metas of the buffer, which has all its bytes already and goes
 * with caps of this format. Whatever is wrong in the metadata is left out. */
void gst_shnd_info_apply (const GstShndInfo *self, const GstShndFormat *format, GstBuffer *buffer);

G_END_DECLS
