/* SPDX-License-Identifier: MIT */

#include "gstshndlayout.h"

#include "gstshndvideo.h"

static void
set_dtype (GstShndLayout *self, const char *description)
{
  self->dtype = shnd_dtype_new (description, NULL);
}

static void
append_dim (GstShndLayout *self, gint64 length, gint64 stride)
{
  self->shape[self->n_dims] = length;
  self->strides[self->n_dims] = stride;
  self->n_dims++;
}

static void
set_bytes (GstShndLayout *self, gsize size)
{
  gst_shnd_layout_clear (self);
  set_dtype (self, "|u1");
  append_dim (self, size, 1);
}

static void
add_plane (GVariantBuilder *builder, const GstShndPlane *plane)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE ("(sstaxax)"));
  g_variant_builder_add (builder, "s", plane->name);
  g_variant_builder_add (builder, "s", plane->dtype);
  g_variant_builder_add (builder, "t", (guint64) plane->offset);
  g_variant_builder_add_value (builder,
                               g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, plane->shape,
                                                          plane->n_dims, sizeof (gint64)));
  g_variant_builder_add_value (builder,
                               g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, plane->strides,
                                                          plane->n_dims, sizeof (gint64)));
  g_variant_builder_close (builder);
}

/* All bytes, and where in them the planes are. */
static void
set_planes (GstShndLayout *self, const GstShndPlane *planes, guint n_planes, gsize size)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sstaxax)"));

  for (guint i = 0; i < n_planes; i++)
    add_plane (&builder, &planes[i]);

  set_bytes (self, size);
  self->planes = g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
set_plane (GstShndLayout *self, const GstShndPlane *plane)
{
  set_dtype (self, plane->dtype);
  self->offset = plane->offset;
  for (guint i = 0; i < plane->n_dims; i++)
    append_dim (self, plane->shape[i], plane->strides[i]);
}

/* The part of the frame that the caps speak of: decoders may give it with what is around. */
static void
crop (GstShndPlane *planes,
      guint n_planes,
      const GstVideoInfo *info,
      const GstVideoMeta *meta,
      const GstVideoCropMeta *part)
{
  guint64 right = (guint64) part->x + GST_VIDEO_INFO_WIDTH (info);
  guint64 bottom = (guint64) part->y + GST_VIDEO_INFO_FIELD_HEIGHT (info);

  if (right <= meta->width && bottom <= meta->height)
    gst_shnd_video_crop_planes (info->finfo, part->x, part->y, planes, n_planes);
}

static gboolean
set_video (GstShndLayout *self, const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const GstVideoCropMeta *part = gst_buffer_get_video_crop_meta (buffer);
  gsize size = gst_buffer_get_size (buffer);
  GstShndPlane planes[GST_VIDEO_MAX_PLANES];
  guint n_planes;

  if (meta != NULL && !gst_shnd_video_meta_fits (meta, info))
    return FALSE;

  n_planes = gst_shnd_video_get_planes (info->finfo, GST_VIDEO_INFO_WIDTH (info),
                                        GST_VIDEO_INFO_FIELD_HEIGHT (info),
                                        meta != NULL ? meta->offset : info->offset,
                                        meta != NULL ? meta->stride : info->stride, planes);
  if (meta != NULL && part != NULL)
    crop (planes, n_planes, info, meta, part);

  for (guint i = 0; i < n_planes; i++)
    {
      if (!gst_shnd_plane_is_inside (&planes[i], size))
        return FALSE;
    }

  if (n_planes == 1)
    set_plane (self, &planes[0]);
  else
    set_planes (self, planes, n_planes, size);

  return TRUE;
}

static const char *
find_audio_dtype (const GstAudioFormatInfo *finfo)
{
  static const char *const dtypes[3][4][2] = {
    { { "|u1", "|u1" }, { ">u2", "<u2" }, { ">u4", "<u4" }, { ">u8", "<u8" } },
    { { "|i1", "|i1" }, { ">i2", "<i2" }, { ">i4", "<i4" }, { ">i8", "<i8" } },
    { { "|u1", "|u1" }, { ">f2", "<f2" }, { ">f4", "<f4" }, { ">f8", "<f8" } },
  };
  guint kind = GST_AUDIO_FORMAT_INFO_IS_FLOAT (finfo)  ? 2 :
               GST_AUDIO_FORMAT_INFO_IS_SIGNED (finfo) ? 1 :
                                                         0;

  /* No number has 24 bits: these are three bytes each. */
  if (GST_AUDIO_FORMAT_INFO_WIDTH (finfo) == 24)
    return "|u1";

  return dtypes[kind][g_bit_storage (GST_AUDIO_FORMAT_INFO_WIDTH (finfo) / 8) - 1]
               [GST_AUDIO_FORMAT_INFO_IS_LITTLE_ENDIAN (finfo) ? 1 : 0];
}

/* Of channels that are laid out one after the other with the same distance; of one channel, if the
 * distance is 0. */
static GstShndPlane
get_samples (
    const GstAudioInfo *info, gsize offset, gint64 n_samples, gint64 stride, gint64 distance)
{
  guint size = GST_AUDIO_INFO_WIDTH (info) / 8;
  GstShndPlane plane = { .offset = offset, .dtype = find_audio_dtype (info->finfo) };

  gst_shnd_plane_append_dim (&plane, n_samples, stride);
  if (distance != 0)
    gst_shnd_plane_append_dim (&plane, GST_AUDIO_INFO_CHANNELS (info), distance);
  if (size == 3)
    gst_shnd_plane_append_dim (&plane, 3, 1);

  return plane;
}

static gboolean
set_interleaved (GstShndLayout *self, const GstAudioInfo *info, gsize n_samples)
{
  GstShndPlane plane =
      get_samples (info, 0, n_samples, GST_AUDIO_INFO_BPF (info), GST_AUDIO_INFO_WIDTH (info) / 8);

  set_plane (self, &plane);

  return TRUE;
}

static gboolean
set_channels (GstShndLayout *self,
              const GstAudioInfo *info,
              gsize n_samples,
              const gsize *offsets,
              gsize size)
{
  guint n_channels = GST_AUDIO_INFO_CHANNELS (info);
  guint item_size = GST_AUDIO_INFO_WIDTH (info) / 8;
  gsize length = n_samples * item_size;
  gint64 distance =
      offsets != NULL && n_channels > 1 ? (gint64) (offsets[1] - offsets[0]) : (gint64) length;
  gboolean even = TRUE;
  GstShndPlane planes[64];

  for (guint i = 0; i < n_channels; i++)
    {
      gsize offset = offsets != NULL ? offsets[i] : i * length;

      if (offset > size - length)
        return FALSE;
      planes[i] = get_samples (info, offset, n_samples, item_size, 0);
      g_snprintf (planes[i].name, sizeof planes[i].name, "%u", i);
      even = even && (i == 0 || (gint64) (offset - planes[i - 1].offset) == distance);
    }

  if (even)
    {
      GstShndPlane plane = get_samples (info, planes[0].offset, n_samples, item_size,
                                        distance != 0 ? distance : item_size);

      set_plane (self, &plane);
    }
  else
    set_planes (self, planes, n_channels, size);

  return TRUE;
}

static gboolean
set_audio (GstShndLayout *self, const GstAudioInfo *info, GstBuffer *buffer)
{
  const GstAudioMeta *meta = gst_buffer_get_audio_meta (buffer);
  gsize size = gst_buffer_get_size (buffer);
  gsize n_samples = size / GST_AUDIO_INFO_BPF (info);

  if (meta != NULL && (meta->info.finfo != info->finfo || meta->info.channels != info->channels ||
                       meta->info.layout != info->layout || meta->samples > n_samples))
    return FALSE;
  if (meta != NULL)
    n_samples = meta->samples;

  if (GST_AUDIO_INFO_LAYOUT (info) == GST_AUDIO_LAYOUT_INTERLEAVED)
    return set_interleaved (self, info, n_samples);

  return set_channels (self, info, n_samples, meta != NULL ? meta->offsets : NULL, size);
}

/* In C order, and no larger than the buffer. */
static gboolean
set_array (GstShndLayout *self, const GstShndFormat *format, gsize size)
{
  gsize n_bytes = shnd_dtype_get_item_size (format->dtype);
  gboolean empty = FALSE;

  self->n_dims = format->n_dims;
  for (guint i = format->n_dims; i > 0; i--)
    {
      gint64 length = format->shape[i - 1];

      self->shape[i - 1] = length;
      self->strides[i - 1] = n_bytes;
      empty = empty || length == 0;
      if (!g_size_checked_mul (&n_bytes, n_bytes, MAX (length, 1)) || n_bytes > G_MAXINT64)
        return FALSE;
    }

  if (!empty && n_bytes > size)
    return FALSE;
  self->dtype = shnd_dtype_ref (format->dtype);

  return TRUE;
}

gboolean
gst_shnd_layout_init (GstShndLayout *self, const GstShndFormat *format, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  gboolean known = TRUE;

  *self = (GstShndLayout){ 0 };

  if (format->video.finfo != NULL)
    known = set_video (self, &format->video, buffer);
  else if (format->audio.finfo != NULL)
    known = set_audio (self, &format->audio, buffer);
  else if (format->dtype != NULL)
    known = set_array (self, format, size);
  else
    set_bytes (self, size);

  if (!known)
    set_bytes (self, size);

  return known;
}

void
gst_shnd_layout_clear (GstShndLayout *self)
{
  g_clear_pointer (&self->dtype, shnd_dtype_unref);
  g_clear_pointer (&self->planes, g_variant_unref);
  self->n_dims = 0;
  self->offset = 0;
}
