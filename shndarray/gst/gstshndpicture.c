/* SPDX-License-Identifier: MIT */

#include "gstshndpicture.h"

#include "gstshndarray.h"
#include "gstshndvideo.h"

#include <string.h>

/* How many bytes the samples of each row of the planes take, and how many rows there are. FALSE for
 * formats whose planes are not made of rows. */
static gboolean
get_rows (const GstVideoInfo *info, gsize *row_sizes, gsize *n_rows)
{
  GstShndPlane planes[GST_VIDEO_MAX_PLANES];
  guint n_planes;

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo))
    return FALSE;

  n_planes = gst_shnd_video_get_planes (info->finfo, GST_VIDEO_INFO_WIDTH (info),
                                        GST_VIDEO_INFO_FIELD_HEIGHT (info), info->offset,
                                        info->stride, planes);
  for (guint i = 0; i < n_planes; i++)
    {
      n_rows[i] = planes[i].shape[0];
      row_sizes[i] = planes[i].dtype[2] - '0';
      for (guint k = 1; k < planes[i].n_dims; k++)
        row_sizes[i] += (planes[i].shape[k] - 1) * planes[i].strides[k];
    }
  return TRUE;
}

static void
set_default (GstShndPicture *self, const GstVideoInfo *info)
{
  self->size = GST_VIDEO_INFO_SIZE (info);
  memcpy (self->offset, info->offset, sizeof info->offset);
  memcpy (self->stride, info->stride, sizeof info->stride);
}

/* Without a gap between rows and planes, as NumPy and OpenCV have them. */
static gboolean
set_tight (GstShndPicture *self, const GstVideoInfo *info)
{
  gsize row_sizes[GST_VIDEO_MAX_PLANES], n_rows[GST_VIDEO_MAX_PLANES];

  if (!get_rows (info, row_sizes, n_rows))
    return FALSE;

  self->size = 0;
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
    {
      self->offset[i] = self->size;
      self->stride[i] = row_sizes[i];
      self->size += row_sizes[i] * n_rows[i];
    }
  return TRUE;
}

/* Rows of pixels with gaps in between. */
static gboolean
set_strided (GstShndPicture *self, const GstVideoInfo *info, ShndArray *array, gsize room)
{
  gsize row_sizes[GST_VIDEO_MAX_PLANES], n_rows[GST_VIDEO_MAX_PLANES];
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  const gint64 *strides = shnd_array_get_strides (array, &n_dims);
  gsize run, least;

  if (GST_VIDEO_INFO_N_PLANES (info) > 1 || n_dims < 2 ||
      gst_shnd_array_get_run (array, &run) != n_dims - 1 || !get_rows (info, row_sizes, n_rows) ||
      run != row_sizes[0] || (gsize) shape[0] != n_rows[0] || strides[0] < (gint64) run ||
      strides[0] > G_MAXINT)
    return FALSE;

  /* What comes after the last row is no part of the array. But elements that do not look at strides
   * expect as much of it as of the others. */
  least = (n_rows[0] - 1) * strides[0] + run;
  self->offset[0] = 0;
  self->stride[0] = strides[0];
  self->size = MIN (room, MAX (least, n_rows[0] * strides[0]));
  return TRUE;
}

gboolean
gst_shnd_picture_init_for_array (
    GstShndPicture *self, const GstVideoInfo *info, ShndArray *array, gsize room, gboolean *packed)
{
  const gsize n_bytes = shnd_array_get_n_bytes (array);
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  *packed = FALSE;
  if (set_strided (self, info, array, room))
    return TRUE;

  *packed = TRUE;
  if (GST_VIDEO_INFO_N_PLANES (info) == 1 && n_dims > 1 &&
      shape[0] != GST_VIDEO_INFO_FIELD_HEIGHT (info))
    return FALSE;
  set_default (self, info);
  return n_bytes == self->size || (set_tight (self, info) && n_bytes == self->size);
}

char *
gst_shnd_picture_describe (const GstVideoInfo *info)
{
  gsize row_sizes[GST_VIDEO_MAX_PLANES], n_rows[GST_VIDEO_MAX_PLANES];

  if (GST_VIDEO_INFO_N_PLANES (info) == 1 && get_rows (info, row_sizes, n_rows))
    return g_strdup_printf ("%" G_GSIZE_FORMAT " rows of %" G_GSIZE_FORMAT " bytes", n_rows[0],
                            row_sizes[0]);
  return g_strdup_printf ("%" G_GSIZE_FORMAT " bytes", GST_VIDEO_INFO_SIZE (info));
}

static gboolean
is_default (const GstShndPicture *self, const GstVideoInfo *info)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
    {
      if (self->offset[i] != info->offset[i] || self->stride[i] != info->stride[i])
        return FALSE;
    }
  return self->size >= GST_VIDEO_INFO_SIZE (info);
}

void
gst_shnd_picture_set_meta (GstShndPicture *self, const GstVideoInfo *info, GstBuffer *buffer)
{
  if (!is_default (self, info))
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
                                    GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_FIELD_HEIGHT (info),
                                    GST_VIDEO_INFO_N_PLANES (info), self->offset, self->stride);
}

gboolean
gst_shnd_picture_needs_meta (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstShndPicture picture;

  if (meta == NULL)
    return FALSE;

  picture.size = gst_buffer_get_size (buffer);
  memcpy (picture.offset, meta->offset, sizeof meta->offset);
  memcpy (picture.stride, meta->stride, sizeof meta->stride);
  return !is_default (&picture, info);
}

void
gst_shnd_picture_complete_meta (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstShndPicture picture;

  if (gst_buffer_get_video_meta (buffer) != NULL)
    return;

  set_default (&picture, info);
  picture.size = gst_buffer_get_size (buffer);
  gst_shnd_picture_set_meta (&picture, info, buffer);
}

/* Rows that overlap could be many more than there is memory for a copy of them. */
static gboolean
has_row_overlap (const GstVideoInfo *info, const GstVideoMeta *meta)
{
  gsize row_sizes[GST_VIDEO_MAX_PLANES], n_rows[GST_VIDEO_MAX_PLANES];

  if (!get_rows (info, row_sizes, n_rows))
    return FALSE;

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
    {
      if ((gsize) ABS ((gint64) meta->stride[i]) < row_sizes[i])
        return TRUE;
    }
  return FALSE;
}

gboolean
gst_shnd_picture_is_inside (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  return meta == NULL ||
         (gst_shnd_video_meta_is_inside (meta, info, gst_buffer_get_size (buffer)) &&
          !has_row_overlap (info, meta));
}

GstBuffer *
gst_shnd_picture_copy (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstBuffer *copy = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame from, to;
  gboolean copied = FALSE;
  GstVideoMeta *meta;

  if (gst_video_frame_map (&from, info, buffer, GST_MAP_READ))
    {
      if (gst_video_frame_map (&to, info, copy, GST_MAP_WRITE))
        {
          copied = gst_video_frame_copy (&to, &from);
          gst_video_frame_unmap (&to);
        }
      gst_video_frame_unmap (&from);
    }
  if (!copied)
    {
      gst_buffer_unref (copy);
      return NULL;
    }

  gst_buffer_copy_into (copy, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  meta = gst_buffer_get_video_meta (copy);
  if (meta != NULL)
    gst_buffer_remove_meta (copy, &meta->meta);

  return copy;
}
