/* SPDX-License-Identifier: MIT */

#include <math.h>

#include "gstshndmetatypes.h"
#include "gstshndtext.h"
#include "gstshndvideo.h"

/* The most pixels around a frame, and the largest alignment, that are taken from others: GStreamer
 * tries larger and larger widths until one fits. */
#define MAX_PADDING 8192
#define MAX_ALIGNMENT 4096

static GVariant *
save_video (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoMeta *self = (const GstVideoMeta *) meta;
  guint64 offsets[GST_VIDEO_MAX_PLANES];

  if (gst_shnd_video_meta_is_default (self, &format->video))
    return NULL;

  for (guint i = 0; i < self->n_planes; i++)
    offsets[i] = self->offset[i];

  return g_variant_new (
      "(usiuu@at@ai(uuuu@au))", (guint) self->flags, gst_video_format_to_string (self->format),
      self->id, self->width, self->height,
      gst_shnd_new_numbers (G_VARIANT_TYPE_UINT64, offsets, self->n_planes, sizeof (guint64)),
      gst_shnd_new_numbers (G_VARIANT_TYPE_INT32, self->stride, self->n_planes, sizeof (gint)),
      self->alignment.padding_top, self->alignment.padding_bottom, self->alignment.padding_left,
      self->alignment.padding_right,
      gst_shnd_new_numbers (G_VARIANT_TYPE_UINT32, self->alignment.stride_align,
                            GST_VIDEO_MAX_PLANES, sizeof (guint)));
}

static gboolean
is_alignment (const GstVideoAlignment *alignment)
{
  if (MAX (alignment->padding_top, alignment->padding_bottom) > MAX_PADDING ||
      MAX (alignment->padding_left, alignment->padding_right) > MAX_PADDING)
    return FALSE;

  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    {
      guint mask = alignment->stride_align[i];

      if (mask >= MAX_ALIGNMENT || (mask & (mask + 1)) != 0)
        return FALSE;
    }

  return TRUE;
}

static gboolean
get_alignment (GVariant *value, GstVideoAlignment *alignment)
{
  g_variant_get_child (value, 0, "u", &alignment->padding_top);
  g_variant_get_child (value, 1, "u", &alignment->padding_bottom);
  g_variant_get_child (value, 2, "u", &alignment->padding_left);
  g_variant_get_child (value, 3, "u", &alignment->padding_right);

  return gst_shnd_get_numbers (value, 4, alignment->stride_align, sizeof (guint),
                               GST_VIDEO_MAX_PLANES) &&
         is_alignment (alignment);
}

static void
load_video (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  const GstVideoInfo *info = &format->video;
  g_autoptr (GVariant) paddings = g_variant_get_child_value (value, 7);
  GstVideoMeta meta = { 0 };
  guint64 offsets[GST_VIDEO_MAX_PLANES];
  const char *name;
  GstVideoMeta *added;

  if (info->finfo == NULL)
    return;

  g_variant_get_child (value, 0, "u", &meta.flags);
  g_variant_get_child (value, 1, "&s", &name);
  g_variant_get_child (value, 2, "i", &meta.id);
  g_variant_get_child (value, 3, "u", &meta.width);
  g_variant_get_child (value, 4, "u", &meta.height);
  meta.format = gst_video_format_from_string (name);
  meta.n_planes = GST_VIDEO_INFO_N_PLANES (info);
  if (!gst_shnd_get_numbers (value, 5, offsets, sizeof (guint64), meta.n_planes) ||
      !gst_shnd_get_numbers (value, 6, meta.stride, sizeof (gint), meta.n_planes))
    return;

  for (guint i = 0; i < meta.n_planes; i++)
    meta.offset[i] = offsets[i];

  if (!gst_shnd_video_meta_fits (&meta, info) ||
      !gst_shnd_video_meta_is_inside (&meta, info, gst_buffer_get_size (buffer)) ||
      gst_buffer_get_video_meta_id (buffer, meta.id) != NULL)
    return;

  added = gst_buffer_add_video_meta_full (buffer, meta.flags, meta.format, meta.width, meta.height,
                                          meta.n_planes, meta.offset, meta.stride);
  added->id = meta.id;
  if (!GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo) && get_alignment (paddings, &meta.alignment))
    gst_video_meta_set_alignment (added, meta.alignment);
}

static GVariant *
save_crop (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoCropMeta *self = (const GstVideoCropMeta *) meta;

  return g_variant_new ("(uuuu)", self->x, self->y, self->width, self->height);
}

static void
load_crop (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  const GstVideoMeta *frame = gst_buffer_get_video_meta (buffer);
  guint64 width, height;
  guint x, y, w, h;
  GstVideoCropMeta *added;

  if (format->video.finfo == NULL)
    return;

  width = frame != NULL ? frame->width : (guint) GST_VIDEO_INFO_WIDTH (&format->video);
  height = frame != NULL ? frame->height : (guint) GST_VIDEO_INFO_FIELD_HEIGHT (&format->video);
  g_variant_get (value, "(uuuu)", &x, &y, &w, &h);
  if ((guint64) x + w > width || (guint64) y + h > height)
    return;

  added = gst_buffer_add_video_crop_meta (buffer);
  added->x = x;
  added->y = y;
  added->width = w;
  added->height = h;
}

static GVariant *
save_region (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoRegionOfInterestMeta *self = (const GstVideoRegionOfInterestMeta *) meta;
  g_auto (GVariantBuilder) params = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);
  const char *type = g_quark_to_string (self->roi_type);

  for (GList *l = self->params; l != NULL; l = l->next)
    {
      g_autofree char *text = gst_structure_to_string (l->data);

      if (g_utf8_validate (text, -1, NULL))
        g_variant_builder_add (&params, "s", text);
    }

  return g_variant_new ("(siiuuuuas)", type != NULL && g_utf8_validate (type, -1, NULL) ? type : "",
                        self->id, self->parent_id, self->x, self->y, self->w, self->h, &params);
}

static void
load_region (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  g_autoptr (GVariantIter) params = NULL;
  const char *type, *text;
  int id, parent_id;
  guint x, y, w, h;
  GstVideoRegionOfInterestMeta *added;

  g_variant_get (value, "(&siiuuuuas)", &type, &id, &parent_id, &x, &y, &w, &h, &params);
  if ((guint64) x + w > G_MAXINT || (guint64) y + h > G_MAXINT ||
      !gst_shnd_text_can_be_known (type))
    return;

  added = gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y, w, h);
  added->id = id;
  added->parent_id = parent_id;
  while (g_variant_iter_next (params, "&s", &text))
    {
      GstStructure *param = gst_shnd_text_parse_structure (text);

      if (param != NULL)
        gst_video_region_of_interest_meta_add_param (added, param);
    }
}

static GVariant *
save_time_code (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoTimeCode *self = &((const GstVideoTimeCodeMeta *) meta)->tc;
  GDateTime *jam = self->config.latest_daily_jam;
  g_autofree char *text = jam != NULL ? g_date_time_format_iso8601 (jam) : NULL;

  return g_variant_new ("(uuuuuuuus)", self->config.fps_n, self->config.fps_d,
                        (guint) self->config.flags, self->hours, self->minutes, self->seconds,
                        self->frames, self->field_count, text != NULL ? text : "");
}

static void
load_time_code (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  GstVideoTimeCode tc = { 0 };
  g_autoptr (GDateTime) jam = NULL;
  const char *text;

  g_variant_get (value, "(uuuuuuuu&s)", &tc.config.fps_n, &tc.config.fps_d, &tc.config.flags,
                 &tc.hours, &tc.minutes, &tc.seconds, &tc.frames, &tc.field_count, &text);
  jam = g_date_time_new_from_iso8601 (text, NULL);
  tc.config.latest_daily_jam = jam;
  if (tc.field_count <= 2)
    gst_buffer_add_video_time_code_meta (buffer, &tc);
}

static GVariant *
save_caption (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoCaptionMeta *self = (const GstVideoCaptionMeta *) meta;

  return g_variant_new ("(u@ay)", (guint) self->caption_type,
                        gst_shnd_new_numbers (G_VARIANT_TYPE_BYTE, self->data, self->size, 1));
}

static void
load_caption (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (value, 1);
  gsize size;
  const guint8 *data = g_variant_get_fixed_array (bytes, &size, 1);
  guint type;

  g_variant_get_child (value, 0, "u", &type);
  if (size > 0 && type >= GST_VIDEO_CAPTION_TYPE_CEA608_RAW &&
      type <= GST_VIDEO_CAPTION_TYPE_CEA708_CDP)
    gst_buffer_add_video_caption_meta (buffer, type, data, size);
}

static GVariant *
save_user_data (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoSEIUserDataUnregisteredMeta *self =
      (const GstVideoSEIUserDataUnregisteredMeta *) meta;

  return g_variant_new (
      "(@ay@ay)", gst_shnd_new_numbers (G_VARIANT_TYPE_BYTE, self->uuid, sizeof self->uuid, 1),
      gst_shnd_new_numbers (G_VARIANT_TYPE_BYTE, self->data, self->size, 1));
}

static void
load_user_data (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (value, 1);
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (bytes, &size, 1);
  guint8 uuid[16];

  if (size > 0 && gst_shnd_get_numbers (value, 0, uuid, 1, sizeof uuid))
    gst_buffer_add_video_sei_user_data_unregistered_meta (buffer, uuid, (guint8 *) data, size);
}

static GVariant *
save_afd (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoAFDMeta *self = (const GstVideoAFDMeta *) meta;

  return g_variant_new ("(yuu)", self->field, (guint) self->spec, (guint) self->afd);
}

/* What is reserved by the specifications, GStreamer takes for a mistake of the program. */
static void
load_afd (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  guint8 field;
  guint spec, afd;

  g_variant_get (value, "(yuu)", &field, &spec, &afd);
  if (field > 1 || spec > GST_VIDEO_AFD_SPEC_SMPTE_ST2016_1 || afd > 15 || afd == 1 ||
      (afd >= 5 && afd <= 7) || afd == 12 || (spec == GST_VIDEO_AFD_SPEC_DVB_ETSI && afd == 0))
    return;

  gst_buffer_add_video_afd_meta (buffer, field, spec, afd);
}

static GVariant *
save_bar (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoBarMeta *self = (const GstVideoBarMeta *) meta;

  return g_variant_new ("(ybuu)", self->field, self->is_letterbox, self->bar_data1,
                        self->bar_data2);
}

static void
load_bar (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  guint8 field;
  gboolean is_letterbox;
  guint bar_data1, bar_data2;

  g_variant_get (value, "(ybuu)", &field, &is_letterbox, &bar_data1, &bar_data2);
  if (field <= 1)
    gst_buffer_add_video_bar_meta (buffer, field, is_letterbox, bar_data1, bar_data2);
}

static GVariant *
save_matrix (const GstMeta *meta, const GstShndFormat *format)
{
  const GstVideoAffineTransformationMeta *self = (const GstVideoAffineTransformationMeta *) meta;
  double matrix[16];

  for (guint i = 0; i < G_N_ELEMENTS (matrix); i++)
    matrix[i] = self->matrix[i];

  return g_variant_new ("(@ad)", gst_shnd_new_numbers (G_VARIANT_TYPE_DOUBLE, matrix,
                                                       G_N_ELEMENTS (matrix), sizeof (double)));
}

static void
load_matrix (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  double matrix[16];
  GstVideoAffineTransformationMeta *added;

  if (!gst_shnd_get_numbers (value, 0, matrix, sizeof (double), G_N_ELEMENTS (matrix)))
    return;

  for (guint i = 0; i < G_N_ELEMENTS (matrix); i++)
    {
      if (!isfinite (matrix[i]) || fabs (matrix[i]) > G_MAXFLOAT)
        return;
    }

  added = gst_buffer_add_video_affine_transformation_meta (buffer);
  for (guint i = 0; i < G_N_ELEMENTS (matrix); i++)
    added->matrix[i] = matrix[i];
}

const GstShndMetaType gst_shnd_video_meta_types[] = {
  { "GstVideoMeta", "(usiuuatai(uuuuau))", gst_video_meta_api_get_type, save_video, load_video },
  { "GstVideoCropMeta", "(uuuu)", gst_video_crop_meta_api_get_type, save_crop, load_crop },
  { "GstVideoTimeCodeMeta", "(uuuuuuuus)", gst_video_time_code_meta_api_get_type, save_time_code,
    load_time_code },
  { "GstVideoAffineTransformationMeta", "(ad)", gst_video_affine_transformation_meta_api_get_type,
    save_matrix, load_matrix },
  { "GstVideoAFDMeta", "(yuu)", gst_video_afd_meta_api_get_type, save_afd, load_afd },
  { "GstVideoBarMeta", "(ybuu)", gst_video_bar_meta_api_get_type, save_bar, load_bar },
  { "GstVideoCaptionMeta", "(uay)", gst_video_caption_meta_api_get_type, save_caption,
    load_caption },
  { "GstVideoRegionOfInterestMeta", "(siiuuuuas)", gst_video_region_of_interest_meta_api_get_type,
    save_region, load_region },
  { "GstVideoSEIUserDataUnregisteredMeta", "(ayay)",
    gst_video_sei_user_data_unregistered_meta_api_get_type, save_user_data, load_user_data },
  { 0 },
};
