/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/video/video.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Where the planes of raw video are in the bytes of an array, or of a buffer that others describe. */
typedef struct
{
  gsize size;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
} GstShndPicture;

/* The elements of an array that lie in memory with `room` from the first of them on. FALSE if they do
 * not have the size of such a picture; `packed` says that it is one only if they have no gaps. */
gboolean gst_shnd_picture_init_for_array (
    GstShndPicture *self, const GstVideoInfo *info, ShndArray *array, gsize room, gboolean *packed);

/* What such an array has to be, for messages. */
char *gst_shnd_picture_describe (const GstVideoInfo *info);

/* Sets the meta that says this of a buffer, or none if that goes without saying. */
void gst_shnd_picture_set_meta (GstShndPicture *self, const GstVideoInfo *info, GstBuffer *buffer);

/* Whether whoever knows nothing of the meta would see something else. */
gboolean gst_shnd_picture_needs_meta (const GstVideoInfo *info, GstBuffer *buffer);

/* Sets the meta of a buffer that goes without it but for what is missing behind the last row. */
void gst_shnd_picture_complete_meta (const GstVideoInfo *info, GstBuffer *buffer);

/* Whether all that the meta promises is in the buffer. */
gboolean gst_shnd_picture_is_inside (const GstVideoInfo *info, GstBuffer *buffer);

/* A copy as it goes without saying; NULL if the buffer cannot be copied. */
GstBuffer *gst_shnd_picture_copy (const GstVideoInfo *info, GstBuffer *buffer);

G_END_DECLS
