/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndinfo.h"

G_BEGIN_DECLS

/* What the timestamps of frames are in the running time of a pipeline. */
typedef struct
{
  /* Of streams that say nothing of their clock. */
  gboolean has_anchor;
  gint64 anchor;            /* the timestamp of a frame */
  GstClockTime anchor_time; /* the running time at which that has come */
  gint64 last;              /* the last timestamp */
} GstShndTimes;

void gst_shnd_times_reset (GstShndTimes *self);

/* Sets PTS and DTS, not before the running time `floor`; none without a clock. `info` is NULL for
 * streams that say nothing of their clock. FALSE if the times do not follow those of before. */
gboolean gst_shnd_times_apply (GstShndTimes *self,
                               GstElement *element,
                               gint64 timestamp,
                               const GstShndInfo *info,
                               GstClockTime floor,
                               GstBuffer *buffer);

G_END_DECLS
