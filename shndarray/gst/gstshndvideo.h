/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/video/video.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Where the samples of raw video are. */

#define GST_SHND_PLANE_MAX_DIMS 5

/* The samples of one plane of a buffer, as an array. A value. */
typedef struct
{
  char name[8];      /* the letters of the components, in the order of the memory */
  const char *dtype; /* as NumPy writes it */
  gsize offset;      /* from the first byte of the buffer */
  guint n_dims;
  gint64 shape[GST_SHND_PLANE_MAX_DIMS];
  gint64 strides[GST_SHND_PLANE_MAX_DIMS]; /* bytes */
} GstShndPlane;

/* Returns how many there are. Offsets and strides are those of a GstVideoInfo or GstVideoMeta. */
guint gst_shnd_video_get_planes (const GstVideoFormatInfo *finfo,
                                 guint width,
                                 guint height,
                                 const gsize *offsets,
                                 const gint *strides,
                                 GstShndPlane *planes);

/* Leaves out x columns and y rows at the beginning, where that can be said with strides. */
void gst_shnd_video_crop_planes (
    const GstVideoFormatInfo *finfo, guint x, guint y, GstShndPlane *planes, guint n_planes);

/* Whether the meta says only what the caps say. */
gboolean gst_shnd_video_meta_is_default (const GstVideoMeta *meta, const GstVideoInfo *info);

/* Whether the meta is of such video, or of more that is around it. */
gboolean gst_shnd_video_meta_fits (const GstVideoMeta *meta, const GstVideoInfo *info);

/* Whether all of the frame is within so many bytes, for all that is known to read frames. It has to
 * fit, as above. */
gboolean
gst_shnd_video_meta_is_inside (const GstVideoMeta *meta, const GstVideoInfo *info, gsize size);

/* `stride` is in bytes. */
void gst_shnd_plane_append_dim (GstShndPlane *self, gint64 length, gint64 stride);

/* Whether all elements are within so many bytes. */
gboolean gst_shnd_plane_is_inside (const GstShndPlane *self, gsize size);

G_END_DECLS
