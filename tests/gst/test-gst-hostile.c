/* SPDX-License-Identifier: MIT */

/* Metadata that nobody has written, but chance: whatever they say, who maps the buffer then reads
 * nothing but the buffer. SHND_TEST_ROUNDS=100 makes a hundred times as many. */

#include <string.h>

#include "gstshndinfo.h"
#include "gstshndmetadata.h"
#include "gstshndtext.h"

#define N_TRIES 3000

/* One for all, as a stream has. */
static GstShndInfoCache cache;

static void
apply_metadata (GVariant *metadata, const GstShndFormat *format, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = NULL;
  GstShndInfo info;

  gst_shnd_info_init (&info, &cache, metadata);
  if (info.caps != NULL)
    caps = gst_shnd_text_parse_caps (info.caps);
  gst_shnd_info_apply (&info, format, buffer);
  gst_shnd_info_clear (&info);
}

static guint
random_below (guint n)
{
  return (guint) g_test_rand_int () % n;
}

/* Mostly numbers that could be right. */
static guint64
random_number (guint64 right)
{
  static const guint64 numbers[] = { 0,          1,           G_MAXINT,   G_MAXUINT,
                                     G_MAXINT64, G_MAXUINT64, 0x80000000, 65536 };

  switch (random_below (20))
    {
    case 0:
      return numbers[random_below (G_N_ELEMENTS (numbers))];
    case 1:
      return right + random_below (65) - 32;
    case 2:
      return random_below (4096);
    case 3:
      return -(gint64) random_below (4096);
    default:
      return right;
    }
}

static GVariant *
new_random_video (const GstVideoInfo *info)
{
  g_auto (GVariantBuilder) offsets = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("at"));
  g_auto (GVariantBuilder) strides = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ai"));
  g_auto (GVariantBuilder) aligns = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
    {
      g_variant_builder_add (&offsets, "t", random_number (info->offset[i]));
      g_variant_builder_add (&strides, "i", (gint) random_number (info->stride[i]));
    }
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    g_variant_builder_add (&aligns, "u", (guint) random_number (0));

  return g_variant_new ("(usiuuatai(uuuuau))", g_test_rand_int (), GST_VIDEO_INFO_NAME (info), 0,
                        (guint) random_number (info->width), (guint) random_number (info->height),
                        &offsets, &strides, (guint) random_number (0), (guint) random_number (0),
                        (guint) random_number (0), (guint) random_number (0), &aligns);
}

static GVariant *
new_metadata (const char *name, GVariant *value)
{
  g_auto (GVariantBuilder) metas = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sv)"));
  g_auto (GVariantBuilder) metadata = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  g_variant_builder_add (&metas, "(sv)", name, value);
  g_variant_builder_add (&metadata, "{sv}", "metas", g_variant_builder_end (&metas));

  return g_variant_ref_sink (g_variant_builder_end (&metadata));
}

/* On the heap and no byte more, so that a sanitizer or valgrind sees who goes beyond. */
static GstBuffer *
new_buffer (gsize size)
{
  return gst_buffer_new_wrapped (g_malloc0 (size), size);
}

/* All samples, in the two ways in which elements read them. */
static void
read_frame (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstVideoInfo copy_info;
  GstVideoFrame frame, copy;
  g_autoptr (GstBuffer) copied = NULL;
  g_autofree guint8 *row = NULL;

  g_assert_true (gst_video_info_set_format (&copy_info, GST_VIDEO_INFO_FORMAT (info), meta->width,
                                            meta->height));
  copied = new_buffer (copy_info.size);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&copy, &copy_info, copied, GST_MAP_WRITE));
  g_assert_true (gst_video_frame_copy (&copy, &frame));
  gst_video_frame_unmap (&copy);

  row = g_malloc (8 * (meta->width + 64));
  for (guint y = 0; y < meta->height; y++)
    info->finfo->unpack_func (info->finfo, 0, row, frame.data, frame.info.stride, 0, y,
                              meta->width);
  gst_video_frame_unmap (&frame);
}

static guint
get_n_tries (void)
{
  const char *rounds = g_getenv ("SHND_TEST_ROUNDS");

  return N_TRIES * (rounds != NULL ? atoi (rounds) : 1);
}

static void
test_video (void)
{
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  guint n_taken = 0;
  guint n_tries = get_n_tries ();

  for (guint i = 0; i < n_tries; i++)
    {
      GstShndFormat format;
      g_autoptr (GstCaps) caps = NULL;
      g_autoptr (GVariant) metadata = NULL;
      g_autoptr (GstBuffer) buffer = NULL;
      GstVideoInfo info;

      gst_video_info_set_format (&info, formats[random_below (n_formats)], 1 + random_below (70),
                                 1 + random_below (70));
      caps = gst_video_info_to_caps (&info);
      gst_shnd_format_init (&format, caps);
      metadata = new_metadata ("GstVideoMeta", new_random_video (&info));
      buffer = new_buffer (info.size + random_below (2) * random_below (4096));
      apply_metadata (metadata, &format, buffer);
      if (gst_buffer_get_video_meta (buffer) != NULL)
        {
          n_taken++;
          read_frame (&info, buffer);
        }
      gst_shnd_format_clear (&format);
    }

  /* or else nothing was tried */
  g_test_message ("%u of %u", n_taken, n_tries);
  g_assert_cmpuint (n_taken, >, n_tries / 10);
  g_assert_cmpuint (n_taken, <, n_tries);
}

static void
test_audio (void)
{
  guint n_tries = get_n_tries ();

  for (guint i = 0; i < n_tries; i++)
    {
      guint n_channels = 1 + random_below (10);
      g_auto (GVariantBuilder) offsets = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("at"));
      g_autoptr (GstCaps) caps = NULL;
      g_autoptr (GVariant) metadata = NULL;
      g_autoptr (GstBuffer) buffer = new_buffer (n_channels * 40);
      GstShndFormat format;
      GstAudioInfo info;
      GstAudioBuffer mapped;

      gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_S32, 1, n_channels, NULL);
      info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
      caps = gst_audio_info_to_caps (&info);
      gst_shnd_format_init (&format, caps);
      for (guint k = 0; k < n_channels; k++)
        g_variant_builder_add (&offsets, "t", random_below (8) > 0 ? k * 40 : random_number (0));
      metadata = new_metadata ("GstAudioMeta",
                               g_variant_new ("(siibtat)", GST_AUDIO_INFO_NAME (&info), 1,
                                              n_channels, FALSE, random_number (10), &offsets));
      apply_metadata (metadata, &format, buffer);

      g_assert_true (gst_audio_buffer_map (&mapped, &info, buffer, GST_MAP_READWRITE));
      for (gint k = 0; mapped.n_samples > 0 && k < mapped.n_planes; k++)
        memset (mapped.planes[k], 1, mapped.n_samples * 4);
      gst_audio_buffer_unmap (&mapped);
      gst_shnd_format_clear (&format);
    }
}

/* Metadata of all kinds, in which some bytes are changed. */
static GBytes *
new_seed (const GstShndFormat *format)
{
  static const guint8 data[20] = { 1, 2, 3 };
  g_autoptr (GstBuffer) buffer = new_buffer (format->video.size);
  g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-ntp");
  g_autoptr (GVariant) metadata = NULL;
  GstVideoRegionOfInterestMeta *region;
  GstShndLayout layout;

  gst_buffer_add_video_meta (buffer, 0, GST_VIDEO_INFO_FORMAT (&format->video), format->video.width,
                             format->video.height)
      ->id = 1;
  gst_buffer_add_video_crop_meta (buffer);
  region = gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 2, 3, 4);
  gst_video_region_of_interest_meta_add_param (
      region, gst_structure_new ("a", "b", G_TYPE_INT, 1, "c", G_TYPE_STRING, "d", NULL));
  gst_buffer_add_reference_timestamp_meta (buffer, reference, 1, 2);
  gst_buffer_add_video_time_code_meta_full (buffer, 25, 1, NULL, 0, 1, 2, 3, 4, 1);
  gst_buffer_add_video_caption_meta (buffer, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, data, 20);
  gst_buffer_add_video_afd_meta (buffer, 0, GST_VIDEO_AFD_SPEC_ATSC_A53, 2);
  gst_buffer_add_video_bar_meta (buffer, 0, TRUE, 1, 2);
  gst_buffer_add_video_affine_transformation_meta (buffer);
  gst_buffer_add_audio_level_meta (buffer, 1, TRUE);
  gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_TIME, 1, 2);
  gst_structure_set (
      gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, "ShndTestMeta")), "a",
      G_TYPE_DOUBLE, 0.5, NULL);

  gst_shnd_layout_init (&layout, format, buffer);
  metadata = g_variant_ref_sink (gst_shnd_metadata_new (format, &layout, buffer, 1));
  gst_shnd_layout_clear (&layout);

  return g_variant_get_data_as_bytes (metadata);
}

static void
test_bytes (void)
{
  static const char *tags[] = { NULL };
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw,format=NV12,width=30,height=14");
  g_autoptr (GBytes) seed = NULL;
  GstShndFormat format;
  guint n_tries = get_n_tries () / 3;
  guint n_read = 0;

  gst_meta_register_custom ("ShndTestMeta", tags, NULL, NULL, NULL);
  gst_shnd_format_init (&format, caps);
  seed = new_seed (&format);

  for (guint i = 0; i < n_tries; i++)
    {
      gsize size;
      guint8 *data = g_bytes_unref_to_data (g_bytes_ref (seed), &size);
      g_autoptr (GVariant) metadata = NULL;
      g_autoptr (GstBuffer) buffer = new_buffer (format.video.size);

      for (guint k = random_below (8); k > 0; k--)
        data[random_below (size)] = g_test_rand_int ();
      metadata = g_variant_ref_sink (
          g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, data, size, FALSE, g_free, data));
      apply_metadata (metadata, &format, buffer);
      if (gst_buffer_get_video_meta (buffer) != NULL)
        {
          read_frame (&format.video, buffer);
          n_read++;
        }
    }

  g_assert_cmpuint (n_read, >, 0);
  gst_shnd_format_clear (&format);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  /* GStreamer warns of some structures that it reads. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  g_test_add_func ("/gst/hostile/video", test_video);
  g_test_add_func ("/gst/hostile/audio", test_audio);
  g_test_add_func ("/gst/hostile/bytes", test_bytes);

  return g_test_run ();
}
