/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "gstshndinfo.h"
#include "gstshndmetadata.h"
#include "support.h"

#define RGB "video/x-raw,format=RGB,width=4,height=3"
#define I420 "video/x-raw,format=I420,width=8,height=8"
#define CHANNELS "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=non-interleaved"

/* One for all, as a stream has. */
static GstShndInfoCache cache;

static void
apply_metadata (GVariant *metadata, const GstShndFormat *format, GstBuffer *buffer)
{
  GstShndInfo info;

  gst_shnd_info_init (&info, &cache, metadata);
  gst_shnd_info_apply (&info, format, buffer);
  gst_shnd_info_clear (&info);
}

static const char *
get_caps (GVariant *metadata)
{
  GstShndInfo info;

  gst_shnd_info_init (&info, &cache, metadata);
  gst_shnd_info_clear (&info);

  return info.caps;
}

static GstBuffer *
new_buffer (gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, 1, size);

  return buffer;
}

static void
init_format (GstShndFormat *format, const char *text)
{
  g_autoptr (GstCaps) caps = text != NULL ? gst_caps_from_string (text) : NULL;

  gst_shnd_format_init (format, caps);
}

static GVariant *
new_metadata (const char *caps, GstBuffer *buffer, GstClockTime latency)
{
  GstShndFormat format;
  GstShndLayout layout;
  GVariant *metadata;

  init_format (&format, caps);
  gst_shnd_layout_init (&layout, &format, buffer);
  metadata = g_variant_ref_sink (gst_shnd_metadata_new (&format, &layout, buffer, latency));
  g_assert_cmpuint (g_variant_get_size (metadata), <=, 65536);
  gst_shnd_layout_clear (&layout);
  gst_shnd_format_clear (&format);

  return metadata;
}

static void
apply (GVariant *metadata, const char *caps, GstBuffer *buffer)
{
  GstShndFormat format;

  init_format (&format, caps);
  apply_metadata (metadata, &format, buffer);
  gst_shnd_format_clear (&format);
}

/* What arrives when this is sent. */
static GstBuffer *
send (const char *caps, GstBuffer *buffer)
{
  g_autoptr (GVariant) metadata = new_metadata (caps, buffer, GST_CLOCK_TIME_NONE);
  g_autoptr (GVariant) again = NULL;
  GstBuffer *received = new_buffer (gst_buffer_get_size (buffer));

  apply (metadata, caps, received);
  GST_BUFFER_PTS (received) = GST_BUFFER_PTS (buffer);
  GST_BUFFER_DTS (received) = GST_BUFFER_DTS (buffer);
  again = new_metadata (caps, received, GST_CLOCK_TIME_NONE);
  g_assert_cmpvariant (metadata, again);

  return received;
}

static void
assert_lookup (GVariant *metadata, const char *key, const char *expected)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (metadata, key, NULL);
  g_autofree char *text = value != NULL ? g_variant_print (value, FALSE) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

/* Caps, times and flags */

static void
test_entries (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GVariant) metadata = NULL;
  g_autoptr (GVariant) audio = NULL;
  g_autoptr (GVariant) planes = NULL;
  g_autoptr (GVariant) bytes = NULL;
  g_autoptr (GstBuffer) picture = new_buffer (96);
  g_autoptr (GstBuffer) empty = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = 1;
  GST_BUFFER_DTS (buffer) = 2;
  GST_BUFFER_DURATION (buffer) = 3;
  GST_BUFFER_OFFSET (buffer) = 4;
  GST_BUFFER_OFFSET_END (buffer) = 5;
  GST_BUFFER_FLAG_SET (buffer,
                       GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_LIVE | GST_VIDEO_BUFFER_FLAG_TFF);
  metadata = new_metadata (RGB, buffer, 7);
  g_assert_cmpuint (g_variant_n_children (metadata), ==, 12);
  assert_lookup (metadata, "format", "'RGB'");
  assert_lookup (metadata, "width", "4");
  assert_lookup (metadata, "height", "3");
  assert_lookup (metadata, "buffer", "(0, 36)");
  assert_lookup (metadata, "pts", "1");
  assert_lookup (metadata, "dts", "2");
  assert_lookup (metadata, "duration", "3");
  assert_lookup (metadata, "offset", "4");
  assert_lookup (metadata, "offset-end", "5");
  assert_lookup (metadata, "latency", "7");
  assert_lookup (metadata, "flags", "2097216");
  g_assert_true (g_str_has_prefix (get_caps (metadata), "video/x-raw, "));

  audio = new_metadata (CHANNELS, empty, 0);
  g_assert_cmpuint (g_variant_n_children (audio), ==, 6);
  assert_lookup (audio, "format", "'S16LE'");
  assert_lookup (audio, "rate", "48000");
  assert_lookup (audio, "channels", "2");
  assert_lookup (audio, "layout", "'non-interleaved'");

  planes = new_metadata (I420, picture, GST_CLOCK_TIME_NONE);
  assert_lookup (planes, "planes",
                 "[('Y', '|u1', 0, [8, 8], [8, 1]), ('U', '|u1', 64, [4, 4], [4, 1]), "
                 "('V', '|u1', 80, [4, 4], [4, 1])]");

  bytes = new_metadata (NULL, empty, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (g_variant_n_children (bytes), ==, 1);
  assert_lookup (bytes, "buffer", "(0, 0)");
  g_assert_null (get_caps (bytes));
}

/* The buffer begins before the picture that it shows. */
static void
test_span (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (48);
  g_autoptr (GVariant) metadata = NULL;
  GstShndInfo info;

  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_RGB, 4, 3, 1, (gsize[4]){ 12 },
                                  (gint[4]){ 12 });
  GST_BUFFER_PTS (buffer) = 1;
  metadata = new_metadata (RGB, buffer, 2);
  gst_shnd_info_init (&info, &cache, metadata);
  gst_shnd_info_clear (&info);
  g_assert_cmpuint (info.pts, ==, 1);
  g_assert_cmpuint (info.dts, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (info.latency, ==, 2);
  g_assert_true (info.has_span);
  g_assert_cmpint (info.start, ==, -12);
  g_assert_cmpuint (info.size, ==, 48);

  gst_shnd_info_init (&info, &cache, NULL);
  g_assert_cmpuint (info.pts, ==, GST_CLOCK_TIME_NONE);
  g_assert_false (info.has_span);
}

static void
test_apply (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GstBuffer) received = NULL;
  g_autoptr (GVariant) wrong = NULL;

  GST_BUFFER_DURATION (buffer) = 3;
  GST_BUFFER_OFFSET (buffer) = 4;
  GST_BUFFER_OFFSET_END (buffer) = 5;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  received = send (RGB, buffer);
  g_assert_cmpuint (GST_BUFFER_DURATION (received), ==, 3);
  g_assert_cmpuint (GST_BUFFER_OFFSET (received), ==, 4);
  g_assert_cmpuint (GST_BUFFER_OFFSET_END (received), ==, 5);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (received, GST_BUFFER_FLAG_GAP));

  /* Not what it has to be; and flags that are ours. */
  wrong = g_variant_ref_sink (g_variant_new_parsed (
      "{'duration': <'1'>, 'offset': <int64 1>, 'flags': <uint32 4294967295>, 'metas': <1>,"
      " 'caps': <1>, 'pts': <1>, 'buffer': <(1, 1)>}"));
  gst_clear_buffer (&received);
  received = new_buffer (36);
  GST_BUFFER_FLAG_UNSET (received, GST_BUFFER_FLAG_TAG_MEMORY);
  apply (wrong, RGB, received);
  g_assert_cmpuint (GST_BUFFER_DURATION (received), ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (GST_BUFFER_OFFSET (received), ==, GST_BUFFER_OFFSET_NONE);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (received, GST_BUFFER_FLAG_DISCONT));
  g_assert_false (GST_BUFFER_FLAG_IS_SET (received, GST_BUFFER_FLAG_TAG_MEMORY));
  g_assert_false (GST_BUFFER_FLAG_IS_SET (received, GST_BUFFER_FLAG_LIVE));
  g_assert_null (get_caps (wrong));

  apply (NULL, RGB, received);
}

/* Metas, there and back */

static void
test_video_meta (void)
{
  GstVideoAlignment alignment = { 1, 2, 16, 4, { 15, 15, 15, 15 } };
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstBuffer) received = NULL;
  GstVideoInfo info;
  GstVideoMeta *meta, *other;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 8, 8);
  gst_video_info_align (&info, &alignment);
  buffer = new_buffer (info.size);
  meta = gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_TFF, GST_VIDEO_FORMAT_I420, 8,
                                         8, 3, info.offset, info.stride);
  meta->id = 3;
  g_assert_true (gst_video_meta_set_alignment (meta, alignment));

  received = send (I420, buffer);
  other = gst_buffer_get_video_meta (received);
  g_assert_nonnull (other);
  g_assert_cmpint (other->flags, ==, GST_VIDEO_FRAME_FLAG_TFF);
  g_assert_cmpint (other->format, ==, GST_VIDEO_FORMAT_I420);
  g_assert_cmpint (other->id, ==, 3);
  g_assert_cmpuint (other->width, ==, 8);
  g_assert_cmpuint (other->height, ==, 8);
  g_assert_cmpuint (other->n_planes, ==, 3);
  g_assert_cmpmem (other->offset, 24, meta->offset, 24);
  g_assert_cmpmem (other->stride, 12, meta->stride, 12);
  g_assert_cmpmem (&other->alignment, sizeof alignment, &alignment, sizeof alignment);
}

static void
send_frame (GstVideoFormat format, GstVideoInterlaceMode mode, guint width, guint height)
{
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstBuffer) received = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autofree char *text = NULL;
  GstVideoInfo info;

  gst_video_info_set_interlaced_format (&info, format, mode, width, height);
  caps = gst_video_info_to_caps (&info);
  text = gst_caps_to_string (caps);
  buffer = new_buffer (info.size);
  gst_buffer_add_video_meta_full (buffer, 0, format, width, height, info.finfo->n_planes,
                                  info.offset, info.stride);
  received = send (text, buffer);
  g_assert_null (gst_buffer_get_video_meta (received));
  gst_clear_buffer (&received);

  /* It does not go without saying any more. */
  gst_buffer_get_video_meta (buffer)->id = 1;
  received = send (text, buffer);
  if (gst_buffer_get_video_meta (received) == NULL)
    g_error ("%s, %u x %u, mode %d: no meta", info.finfo->name, width, height, (int) mode);
}

/* Of every format, with rows as they are by default, and frames and fields. */
static void
test_video_formats (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 15, 3 }, { 17, 11 }, { 64, 64 } };
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++)
    {
      for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
        {
          send_frame (formats[i], GST_VIDEO_INTERLACE_MODE_PROGRESSIVE, sizes[k][0], sizes[k][1]);
          send_frame (formats[i], GST_VIDEO_INTERLACE_MODE_ALTERNATE, sizes[k][0], sizes[k][1]);
        }
    }
}

static void
test_audio_meta (void)
{
  gsize offsets[] = { 24, 2 };
  g_autoptr (GstBuffer) buffer = new_buffer (40);
  g_autoptr (GstBuffer) received = NULL;
  g_autoptr (GstBuffer) default_meta = new_buffer (40);
  GstAudioInfo info;
  GstAudioMeta *meta;
  GstAudioBuffer mapped;

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_S16LE, 48000, 2, NULL);
  info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  gst_buffer_add_audio_meta (buffer, &info, 8, offsets);
  received = send (CHANNELS, buffer);
  meta = gst_buffer_get_audio_meta (received);
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->samples, ==, 8);
  g_assert_cmpmem (meta->offsets, 16, offsets, 16);
  g_assert_true (gst_audio_info_is_equal (&meta->info, &info));

  /* who sends none */
  apply (NULL, CHANNELS, default_meta);
  g_assert_true (gst_audio_buffer_map (&mapped, &info, default_meta, GST_MAP_READ));
  g_assert_cmpuint (mapped.n_samples, ==, 10);
  gst_audio_buffer_unmap (&mapped);

  gst_clear_buffer (&buffer);
  gst_clear_buffer (&received);
  buffer = new_buffer (40);
  info.layout = GST_AUDIO_LAYOUT_INTERLEAVED;
  gst_buffer_add_audio_meta (buffer, &info, 9, NULL);
  gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_DEFAULT, 5, 6);
  gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_TIME, 7, 8);
  gst_buffer_add_audio_level_meta (buffer, 100, TRUE);
  received = send ("audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved", buffer);
  g_assert_cmpuint (gst_buffer_get_audio_meta (received)->samples, ==, 9);
  g_assert_cmpint (gst_buffer_get_audio_level_meta (received)->level, ==, 100);
  g_assert_true (gst_buffer_get_audio_level_meta (received)->voice_activity);
  g_assert_cmpuint (gst_buffer_get_n_meta (received, GST_AUDIO_CLIPPING_META_API_TYPE), ==, 2);
  g_assert_cmpint (gst_buffer_get_audio_clipping_meta (received)->format, ==, GST_FORMAT_DEFAULT);
  g_assert_cmpuint (gst_buffer_get_audio_clipping_meta (received)->start, ==, 5);
  g_assert_cmpuint (gst_buffer_get_audio_clipping_meta (received)->end, ==, 6);
}

static void
test_regions (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GstBuffer) received = NULL;
  GstVideoRegionOfInterestMeta *meta;
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
  GstStructure *param;
  int value;

  crop->x = 1;
  crop->y = 2;
  crop->width = 3;
  crop->height = 1;
  meta = gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 2, 3, 4);
  meta->id = 7;
  meta->parent_id = 8;
  gst_video_region_of_interest_meta_add_param (
      meta,
      gst_structure_new ("roi/x", "quality", G_TYPE_INT, -5, "text", G_TYPE_STRING, "ü \"", NULL));
  gst_video_region_of_interest_meta_add_param (meta, gst_structure_new_empty ("roi/y"));
  gst_buffer_add_video_region_of_interest_meta (buffer, "hand", 0, 0, 0, 0);

  received = send (RGB, buffer);
  crop = gst_buffer_get_video_crop_meta (received);
  g_assert_cmpuint (crop->x, ==, 1);
  g_assert_cmpuint (crop->y, ==, 2);
  g_assert_cmpuint (crop->width, ==, 3);
  g_assert_cmpuint (crop->height, ==, 1);
  g_assert_cmpuint (gst_buffer_get_n_meta (received, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE),
                    ==, 2);
  meta = gst_buffer_get_video_region_of_interest_meta_id (received, 7);
  g_assert_cmpstr (g_quark_to_string (meta->roi_type), ==, "face");
  g_assert_cmpint (meta->parent_id, ==, 8);
  g_assert_cmpuint (meta->x, ==, 1);
  g_assert_cmpuint (meta->y, ==, 2);
  g_assert_cmpuint (meta->w, ==, 3);
  g_assert_cmpuint (meta->h, ==, 4);
  g_assert_cmpuint (g_list_length (meta->params), ==, 2);
  param = gst_video_region_of_interest_meta_get_param (meta, "roi/x");
  g_assert_true (gst_structure_get_int (param, "quality", &value));
  g_assert_cmpint (value, ==, -5);
  g_assert_cmpstr (gst_structure_get_string (param, "text"), ==, "ü \"");
}

static void
test_times (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GstBuffer) received = NULL;
  g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-ntp");
  g_autoptr (GDateTime) jam = g_date_time_new_utc (2021, 2, 3, 4, 5, 6.25);
  GstReferenceTimestampMeta *time;
  GstVideoTimeCode *tc;

  gst_buffer_add_reference_timestamp_meta (buffer, reference, 11, 12);
  gst_buffer_add_video_time_code_meta_full (buffer, 30000, 1001, jam,
                                            GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME, 1, 2, 3, 4, 1);
  received = send (RGB, buffer);

  time = gst_buffer_get_reference_timestamp_meta (received, reference);
  g_assert_nonnull (time);
  g_assert_cmpuint (time->timestamp, ==, 11);
  g_assert_cmpuint (time->duration, ==, 12);

  tc = &gst_buffer_get_video_time_code_meta (received)->tc;
  g_assert_cmpuint (tc->config.fps_n, ==, 30000);
  g_assert_cmpuint (tc->config.fps_d, ==, 1001);
  g_assert_cmpint (tc->config.flags, ==, GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME);
  g_assert_true (g_date_time_equal (tc->config.latest_daily_jam, jam));
  g_assert_cmpuint (tc->hours, ==, 1);
  g_assert_cmpuint (tc->minutes, ==, 2);
  g_assert_cmpuint (tc->seconds, ==, 3);
  g_assert_cmpuint (tc->frames, ==, 4);
  g_assert_cmpuint (tc->field_count, ==, 1);
}

static void
test_ancillary (void)
{
  guint8 uuid[16] = "0123456789abcdef";
  guint8 data[] = { 1, 0, 255 };
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GstBuffer) received = NULL;
  GstVideoCaptionMeta *caption;
  GstVideoAFDMeta *afd;
  GstVideoBarMeta *bar;
  GstVideoSEIUserDataUnregisteredMeta *sei;
  GstVideoAffineTransformationMeta *affine =
      gst_buffer_add_video_affine_transformation_meta (buffer);

  for (guint i = 0; i < 16; i++)
    affine->matrix[i] = i / 3.0f;
  gst_buffer_add_video_caption_meta (buffer, GST_VIDEO_CAPTION_TYPE_CEA708_CDP, data, 3);
  gst_buffer_add_video_afd_meta (buffer, 1, GST_VIDEO_AFD_SPEC_ATSC_A53,
                                 GST_VIDEO_AFD_16_9_TOP_ALIGNED);
  gst_buffer_add_video_bar_meta (buffer, 1, TRUE, 3, 4);
  gst_buffer_add_video_sei_user_data_unregistered_meta (buffer, uuid, data, 3);
  received = send (RGB, buffer);

  caption = gst_buffer_get_video_caption_meta (received);
  g_assert_cmpint (caption->caption_type, ==, GST_VIDEO_CAPTION_TYPE_CEA708_CDP);
  g_assert_cmpmem (caption->data, caption->size, data, 3);
  afd = gst_buffer_get_video_afd_meta (received);
  g_assert_cmpint (afd->field, ==, 1);
  g_assert_cmpint (afd->spec, ==, GST_VIDEO_AFD_SPEC_ATSC_A53);
  g_assert_cmpint (afd->afd, ==, GST_VIDEO_AFD_16_9_TOP_ALIGNED);
  bar = gst_buffer_get_video_bar_meta (received);
  g_assert_cmpint (bar->field, ==, 1);
  g_assert_true (bar->is_letterbox);
  g_assert_cmpuint (bar->bar_data1, ==, 3);
  g_assert_cmpuint (bar->bar_data2, ==, 4);
  sei = gst_buffer_get_video_sei_user_data_unregistered_meta (received);
  g_assert_cmpmem (sei->uuid, 16, uuid, 16);
  g_assert_cmpmem (sei->data, sei->size, data, 3);
  g_assert_cmpmem (gst_buffer_get_video_affine_transformation_meta (received)->matrix, 64,
                   affine->matrix, 64);
}

static void
test_custom (void)
{
  static const char *tags[] = { "video", NULL };
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GstBuffer) received = NULL;
  g_autoptr (GVariant) unknown = NULL;
  GstStructure *structure;
  double value;

  gst_meta_register_custom ("ShndTestMeta", tags, NULL, NULL, NULL);
  structure = gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, "ShndTestMeta"));
  gst_structure_set (structure, "exposure", G_TYPE_DOUBLE, 0.25, NULL);
  received = send (RGB, buffer);
  structure = gst_custom_meta_get_structure (gst_buffer_get_custom_meta (received, "ShndTestMeta"));
  g_assert_true (gst_structure_get_double (structure, "exposure", &value));
  g_assert_cmpfloat (value, ==, 0.25);

  unknown = g_variant_ref_sink (g_variant_new_parsed (
      "{'metas': <[('NoSuchMeta', <'x'>), ('GstVideoMeta', <'x'>), ('', <''>),"
      " ('GstParentBufferMeta', <'x'>), ('ShndTestMeta', <'no structure!'>)]>}"));
  gst_clear_buffer (&received);
  received = new_buffer (36);
  apply (unknown, RGB, received);
  g_assert_null (gst_buffer_iterate_meta (received, &(gpointer){ NULL }));
}

/* Metas that are wrong */

static void
assert_refused (const char *caps, gsize size, const char *name, const char *value)
{
  g_autofree char *text = g_strdup_printf ("{'metas': <[('%s', <%s>)]>}", name, value);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) metadata =
      g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  g_autoptr (GstBuffer) buffer = new_buffer (size);

  g_test_message ("%s", text);
  g_assert_no_error (error);
  apply (metadata, caps, buffer);
  g_assert_null (gst_buffer_iterate_meta (buffer, &(gpointer){ NULL }));
}

static void
assert_video_refused (const char *caps, gsize size, const char *value)
{
  assert_refused (caps, size, "GstVideoMeta", value);
}

#define UNALIGNED "(uint32 0, uint32 0, uint32 0, uint32 0, [uint32 0, 0, 0, 0])"

static void
test_false_video (void)
{
  static const char *const values[] = {
    "'RGB', 0, uint32 4, uint32 3, [uint64 1], [12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 0], [13]",
    "'RGB', 0, uint32 4, uint32 4, [uint64 0], [12]",
    "'RGB', 0, uint32 5, uint32 3, [uint64 0], [12]",
    "'RGB', 0, uint32 3, uint32 3, [uint64 0], [12]",
    "'RGB', 0, uint32 4, uint32 2, [uint64 0], [12]",
    "'BGR', 0, uint32 4, uint32 3, [uint64 0], [12]",
    "'', 0, uint32 4, uint32 3, [uint64 0], [12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 0, 0], [12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 0], [12, 12]",
    "'RGB', 0, uint32 4, uint32 3, @at [], @ai []",
    "'RGB', 0, uint32 4, uint32 3, [uint64 18446744073709551615], [12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 18446744073709551592], [12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 0], [-12]",
    "'RGB', 0, uint32 4, uint32 3, [uint64 0], [2147483647]",
    "'RGB', 0, uint32 4294967295, uint32 4294967295, [uint64 0], [0]",
    "'RGB', 0, uint32 2147483647, uint32 2147483647, [uint64 0], [0]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *value = g_strdup_printf ("(uint32 0, %s, " UNALIGNED ")", values[i]);

      assert_video_refused (RGB, 36, value);
    }

  /* One plane of several; of other caps. */
  assert_video_refused (
      I420, 96,
      "(uint32 0, 'I420', 0, uint32 8, uint32 8, [uint64 0, 64, 81], [8, 4, 4], " UNALIGNED ")");
  assert_video_refused (
      I420, 96,
      "(uint32 0, 'I420', 0, uint32 8, uint32 8, [uint64 0, 64, 80], [8, 10, 4], " UNALIGNED ")");
  assert_video_refused (CHANNELS "x", 36,
                        "(uint32 0, 'RGB', 0, uint32 4, uint32 3, [uint64 0], [12], " UNALIGNED
                        ")");
  assert_video_refused (
      NULL, 36, "(uint32 0, 'RGB', 0, uint32 4, uint32 3, [uint64 0], [12], " UNALIGNED ")");

  /* Rows that are too short for their groups, the number of tiles, a palette. */
  assert_video_refused ("video/x-raw,format=v210,width=48,height=2", 256,
                        "(uint32 0, 'v210', 0, uint32 48, uint32 2, [uint64 0], [16], " UNALIGNED
                        ")");
  assert_video_refused ("video/x-raw,format=v210,width=7,height=2", 256,
                        "(uint32 0, 'v210', 0, uint32 7, uint32 2, [uint64 128], [-128], " UNALIGNED
                        ")");
  assert_video_refused ("video/x-raw,format=v210,width=7,height=2", 256,
                        "(uint32 0, 'v210', 0, uint32 7, uint32 2, [uint64 1], [128], " UNALIGNED
                        ")");
  assert_video_refused (
      "video/x-raw,format=NV12_4L4,width=8,height=8", 96,
      "(uint32 0, 'NV12_4L4', 0, uint32 8, uint32 8, [uint64 0, 64], [65537, 65537], " UNALIGNED
      ")");
  assert_video_refused (
      "video/x-raw,format=NV12_4L4,width=8,height=8", 96,
      "(uint32 0, 'NV12_4L4', 0, uint32 8, uint32 8, [uint64 0, 64], [131074, -65536], " UNALIGNED
      ")");
  assert_video_refused (
      "video/x-raw,format=NV12_4L4,width=8,height=8", 95,
      "(uint32 0, 'NV12_4L4', 0, uint32 8, uint32 8, [uint64 0, 64], [131074, 65538], " UNALIGNED
      ")");
  assert_video_refused (
      "video/x-raw,format=RGB8P,width=4,height=1", 1028,
      "(uint32 0, 'RGB8P', 0, uint32 4, uint32 1, [uint64 0, 5], [4, 4], " UNALIGNED ")");
}

/* An alignment that nothing has is no reason to leave out the rest. */
static void
test_false_alignment (void)
{
  static const char *const values[] = {
    "uint32 0, uint32 0, uint32 4294967295, uint32 0, [uint32 0, 0, 0, 0]",
    "uint32 0, uint32 0, uint32 0, uint32 0, [uint32 4294967295, 0, 0, 0]",
    "uint32 0, uint32 0, uint32 1, uint32 0, [uint32 5, 0, 0, 0]",
    "uint32 0, uint32 0, uint32 0, uint32 0, [uint32 0]",
    "uint32 0, uint32 0, uint32 64, uint32 0, [uint32 0, 0, 0, 0]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "{'metas': <[('GstVideoMeta', <(uint32 0, 'RGB', 0, uint32 4, uint32 3, [uint64 0],"
          " [12], (%s))>)]>}",
          values[i]);
      g_autoptr (GVariant) metadata =
          g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
      g_autoptr (GstBuffer) buffer = new_buffer (36);
      GstVideoAlignment none = { 0 };

      apply (metadata, RGB, buffer);
      g_assert_nonnull (gst_buffer_get_video_meta (buffer));
      g_assert_cmpmem (&gst_buffer_get_video_meta (buffer)->alignment, sizeof none, &none,
                       sizeof none);
    }
}

static void
test_false_audio (void)
{
  static const char *const values[] = {
    "('S16LE', 48000, 2, false, uint64 11, [uint64 0, 18])",
    "('S16LE', 48000, 2, false, uint64 8, [uint64 0, 25])",
    "('S16LE', 48000, 2, false, uint64 8, [uint64 0, 15])",
    "('S16LE', 48000, 2, false, uint64 8, [uint64 0])",
    "('S16LE', 48000, 2, false, uint64 8, [uint64 18446744073709551615, 0])",
    "('S16LE', 48000, 2, false, uint64 9223372036854775808, [uint64 0, 0])",
    "('S16LE', 48000, 2, true, uint64 8, @at [])",
    "('S16LE', 48000, 3, false, uint64 6, [uint64 0, 12, 24])",
    "('S16LE', 44100, 2, false, uint64 8, [uint64 0, 16])",
    "('S16BE', 48000, 2, false, uint64 8, [uint64 0, 16])",
  };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = g_strdup_printf ("{'metas': <[('GstAudioMeta', <%s>)]>}", values[i]);
      g_autoptr (GVariant) metadata =
          g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
      g_autoptr (GstBuffer) buffer = new_buffer (40);

      /* what is there is not theirs */
      apply (metadata, CHANNELS, buffer);
      g_assert_cmpuint (gst_buffer_get_audio_meta (buffer)->samples, ==, 10);
      g_assert_cmpuint (gst_buffer_get_audio_meta (buffer)->offsets[1], ==, 20);
    }

  assert_refused (RGB, 36, "GstAudioMeta", values[0]);
}

static void
test_false_others (void)
{
  static const struct
  {
    const char *name;
    const char *value;
  } metas[] = {
    { "GstVideoCropMeta", "(uint32 2, uint32 0, uint32 3, uint32 1)" },
    { "GstVideoCropMeta", "(uint32 4294967295, uint32 0, uint32 2, uint32 1)" },
    { "GstVideoCropMeta", "(uint32 0, uint32 3, uint32 1, uint32 1)" },
    { "GstVideoCropMeta", "(0, 0, 1, 1)" },
    { "GstVideoRegionOfInterestMeta",
      "('', 0, 0, uint32 4294967295, uint32 0, uint32 1, uint32 1, @as [])" },
    { "GstVideoRegionOfInterestMeta",
      "('', 0, 0, uint32 0, uint32 2147483647, uint32 1, uint32 1, @as [])" },
    { "GstReferenceTimestampMeta", "('no caps!', uint64 1, uint64 1)" },
    { "GstReferenceTimestampMeta", "('a/b', uint64 18446744073709551615, uint64 1)" },
    { "GstReferenceTimestampMeta", "('a/b, c=[[[[[[[', uint64 1, uint64 1)" },
    { "GstVideoTimeCodeMeta", "(uint32 0, uint32 0, uint32 0, uint32 0, uint32 0, uint32 0, "
                              "uint32 0, uint32 0, '')" },
    { "GstVideoTimeCodeMeta", "(uint32 25, uint32 1, uint32 0, uint32 24, uint32 0, uint32 0, "
                              "uint32 0, uint32 0, '')" },
    { "GstVideoTimeCodeMeta", "(uint32 25, uint32 1, uint32 0, uint32 1, uint32 0, uint32 0, "
                              "uint32 0, uint32 3, '')" },
    { "GstVideoCaptionMeta", "(uint32 0, b'x')" },
    { "GstVideoCaptionMeta", "(uint32 5, b'x')" },
    { "GstVideoCaptionMeta", "(uint32 1, @ay [])" },
    { "GstVideoAFDMeta", "(byte 2, uint32 0, uint32 2)" },
    { "GstVideoAFDMeta", "(byte 0, uint32 3, uint32 2)" },
    { "GstVideoAFDMeta", "(byte 0, uint32 0, uint32 0)" },
    { "GstVideoAFDMeta", "(byte 0, uint32 1, uint32 1)" },
    { "GstVideoAFDMeta", "(byte 0, uint32 1, uint32 258)" },
    { "GstVideoBarMeta", "(byte 2, true, uint32 0, uint32 0)" },
    { "GstVideoAffineTransformationMeta", "([1.0],)" },
    { "GstVideoAffineTransformationMeta", "([1.0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1e39],)" },
    { "GstAudioLevelMeta", "(byte 128, true)" },
    { "GstAudioClippingMeta", "('bytes', uint64 0, uint64 0)" },
    { "GstVideoSEIUserDataUnregisteredMeta", "(b'short', b'data')" },
    { "GstVideoSEIUserDataUnregisteredMeta", "(b'0123456789abcde', @ay [])" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (metas); i++)
    assert_refused (RGB, 36, metas[i].name, metas[i].value);
}

/* Limits */

static void
test_no_room (void)
{
  g_autoptr (GstBuffer) buffer = new_buffer (36);
  g_autoptr (GVariant) metadata = NULL;
  g_autoptr (GVariant) without_caps = NULL;
  g_autoptr (GVariant) metas = NULL;
  g_autofree guint8 *data = g_malloc0 (65536);
  g_autofree char *letters = g_strnfill (65536, 'x');
  g_autofree char *caps = g_strconcat ("video/x-test, text=(string)", letters, NULL);

  /* The big one is left out, and not those around it. */
  gst_buffer_add_video_caption_meta (buffer, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, data, 65536);
  gst_buffer_add_video_caption_meta (buffer, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, data, 60000);
  for (guint i = 0; i < 3000; i++)
    gst_buffer_add_video_region_of_interest_meta (buffer, "x", i, 0, 1, 1);
  gst_buffer_add_video_meta (buffer, 0, GST_VIDEO_FORMAT_RGB, 4, 3);
  metadata = new_metadata (RGB, buffer, GST_CLOCK_TIME_NONE);
  g_assert_nonnull (get_caps (metadata));
  metas = g_variant_lookup_value (metadata, "metas", G_VARIANT_TYPE ("a(sv)"));
  g_assert_cmpuint (g_variant_n_children (metas), >, 30);

  /* Caps come before metas, and are left out when they alone are too long. */
  caps[strlen (caps) - 3000] = '\0';
  {
    g_autoptr (GVariant) long_caps = new_metadata (caps, buffer, GST_CLOCK_TIME_NONE);

    g_assert_nonnull (get_caps (long_caps));
  }
  caps[strlen (caps)] = 'x';
  without_caps = new_metadata (caps, buffer, GST_CLOCK_TIME_NONE);
  g_assert_null (get_caps (without_caps));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/metadata/entries", test_entries);
  g_test_add_func ("/gst/metadata/span", test_span);
  g_test_add_func ("/gst/metadata/apply", test_apply);
  g_test_add_func ("/gst/metadata/video-meta", test_video_meta);
  g_test_add_func ("/gst/metadata/video-formats", test_video_formats);
  g_test_add_func ("/gst/metadata/audio-meta", test_audio_meta);
  g_test_add_func ("/gst/metadata/regions", test_regions);
  g_test_add_func ("/gst/metadata/times", test_times);
  g_test_add_func ("/gst/metadata/ancillary", test_ancillary);
  g_test_add_func ("/gst/metadata/custom", test_custom);
  g_test_add_func ("/gst/metadata/false-video", test_false_video);
  g_test_add_func ("/gst/metadata/false-alignment", test_false_alignment);
  g_test_add_func ("/gst/metadata/false-audio", test_false_audio);
  g_test_add_func ("/gst/metadata/false-others", test_false_others);
  g_test_add_func ("/gst/metadata/no-room", test_no_room);

  return g_test_run ();
}
