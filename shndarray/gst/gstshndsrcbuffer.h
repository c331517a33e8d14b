/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndinfo.h"

G_BEGIN_DECLS

/* How a frame becomes a buffer. Nothing here knows of elements of pipelines, and of time. */

/* The number of frames that buffers hold. Outlives whoever has made it. */
gint *gst_shnd_held_new (void);
void gst_shnd_held_unref (gint *held);

typedef struct
{
  const GstShndFormat *format;
  gboolean takes_video_meta; /* whoever gets the buffers */
  gboolean may_hold;         /* a buffer may hold the frame; else it is a copy */
  gint *held;
} GstShndBufferParams;

/* A buffer with the bytes of the frame, and without times. `is_copy` says whether they were copied.
 *
 * Fails with GST_STREAM_ERROR_FORMAT if the array is not what the caps say, and with
 * GST_STREAM_ERROR_DECODE if the frame contradicts itself. */
GstBuffer *gst_shnd_buffer_new (ShndFrame *frame,
                                const GstShndInfo *info,
                                const GstShndBufferParams *params,
                                gboolean *is_copy,
                                GError **error);

G_END_DECLS
