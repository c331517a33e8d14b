/* SPDX-License-Identifier: MIT */

/* Every raw format that GStreamer knows, through a sink and a source: what comes out is what went
 * in, byte by byte. */

#include "gstshndvideo.h"
#include "pair-support.h"

typedef struct
{
  guint width;
  guint height;
} Size;

static const Size sizes[] = { { 1, 1 }, { 2, 2 },  { 3, 5 },  { 7, 3 },
                              { 8, 6 }, { 17, 9 }, { 33, 2 }, { 319, 11 } };

/* Where upstream has its buffers from. */
typedef enum
{
  OWN_MEMORY,
  OWN_PADDED_MEMORY,
  POOL,
  PADDED_POOL,
  N_ORIGINS
} Origin;

static guint64 state;

static guint
get_random (guint end)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (guint) (state >> 32) % end;
}

static GstVideoAlignment
make_alignment (void)
{
  GstVideoAlignment alignment;

  gst_video_alignment_reset (&alignment);
  alignment.padding_top = get_random (3) * 2;
  alignment.padding_bottom = get_random (9);
  alignment.padding_left = get_random (3) * 8;
  alignment.padding_right = get_random (30);
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    alignment.stride_align[i] = 15;

  return alignment;
}

/* GStreamer itself cannot pad all formats to any width, and forgets rows of others. */
static gboolean
can_pad (const GstVideoInfo *info, GstVideoAlignment alignment)
{
  GstVideoInfo padded = *info;

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo) || !gst_video_info_align (&padded, &alignment))
    return FALSE;

  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++)
    {
      gsize n_rows = GST_VIDEO_INFO_COMP_HEIGHT (info, i);

      if (GST_VIDEO_INFO_COMP_OFFSET (&padded, i) +
              n_rows * GST_VIDEO_INFO_COMP_STRIDE (&padded, i) >
          GST_VIDEO_INFO_SIZE (&padded))
        return FALSE;
    }

  return TRUE;
}

static GstBuffer *
new_padded_buffer (const GstVideoInfo *info, GstVideoAlignment *alignment)
{
  GstVideoInfo padded = *info;
  GstBuffer *buffer;

  g_assert_true (gst_video_info_align (&padded, alignment));
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&padded), NULL);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
                                  GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
                                  GST_VIDEO_INFO_N_PLANES (info), padded.offset, padded.stride);

  return buffer;
}

static GstBuffer *
new_buffer (Pair *pair, const GstVideoInfo *info, GstCaps *caps, Origin origin)
{
  GstVideoAlignment alignment = make_alignment ();
  gboolean is_padded = origin == OWN_PADDED_MEMORY || origin == PADDED_POOL;
  GstBuffer *buffer;

  if (!can_pad (info, alignment))
    is_padded = FALSE;
  if (origin == POOL || origin == PADDED_POOL)
    {
      pair_drop_pool (pair);
      pair_use_pool (pair, caps, is_padded ? &alignment : NULL);
      buffer = pair_acquire (pair);
    }
  else if (is_padded)
    buffer = new_padded_buffer (info, &alignment);
  else
    buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  fill_randomly (buffer, &state);

  return buffer;
}

/* The picture alone, wherever its rows are. */
static GstBuffer *
new_picture (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstBuffer *picture = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame from, to;

  gst_buffer_memset (picture, 0, 0, GST_VIDEO_INFO_SIZE (info));
  g_assert_true (gst_video_frame_map (&from, info, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&to, info, picture, GST_MAP_WRITE));
  g_assert_true (gst_video_frame_copy (&to, &from));
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&to);

  return picture;
}

static void
assert_same_layout (const GstVideoInfo *info, GstBuffer *buffer, GstBuffer *expected)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const GstVideoMeta *expected_meta = gst_buffer_get_video_meta (expected);

  if (expected_meta == NULL || gst_shnd_video_meta_is_default (expected_meta, info))
    {
      g_assert_true (meta == NULL || expected_meta == NULL);
      return;
    }
  g_assert_nonnull (meta);
  g_assert_cmpint (meta->format, ==, expected_meta->format);
  g_assert_cmpuint (meta->width, ==, expected_meta->width);
  g_assert_cmpuint (meta->height, ==, expected_meta->height);
  g_assert_cmpuint (meta->n_planes, ==, expected_meta->n_planes);
  for (guint i = 0; i < meta->n_planes; i++)
    {
      g_assert_cmpint (meta->stride[i], ==, expected_meta->stride[i]);
      g_assert_cmpuint (meta->offset[i], ==, expected_meta->offset[i]);
    }
}

/* The picture, and where downstream sees all of it, the rest of the buffer as well. */
static gboolean
is_same (const GstVideoInfo *info, GstBuffer *received, GstBuffer *buffer, gboolean takes_metas)
{
  g_autoptr (GstBuffer) seen = takes_metas ?
                                   gst_buffer_ref (received) :
                                   gst_buffer_copy_region (received, GST_BUFFER_COPY_MEMORY, 0, -1);
  g_autoptr (GstBuffer) picture = new_picture (info, seen);
  g_autoptr (GstBuffer) expected = new_picture (info, buffer);

  return has_same_bytes (picture, expected) && (!takes_metas || has_same_bytes (received, buffer));
}

static void
send_picture (
    Pair *pair, const GstVideoInfo *info, GstCaps *caps, Origin origin, gboolean takes_metas)
{
  g_autoptr (GstBuffer) buffer = new_buffer (pair, info, caps, origin);
  g_autoptr (GstBuffer) received = pair_send (pair, buffer);

  pair_assert_caps (pair, caps);
  if (!is_same (info, received, buffer, takes_metas))
    g_error ("%s, %d x %d, origin %d: other bytes came", info->finfo->name,
             GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info), (int) origin);
  if (takes_metas)
    assert_same_layout (info, received, buffer);
}

/* A line for each format, and a total. */
static void
report (const char *name, Pair *pair, guint64 n_before, guint64 n_copied_before)
{
  guint64 n = get_count (pair->sink, "frames") - n_before;
  guint64 n_copied = get_count (pair->sink, "copied") - n_copied_before;

  g_test_message ("%s: %" G_GUINT64_FORMAT " buffers came as they went, %" G_GUINT64_FORMAT
                  " of them in place",
                  name, n, n - n_copied);
}

static void
send_pictures (Pair *pair, GstVideoFormat format, gboolean takes_metas)
{
  guint64 n_before = get_count (pair->sink, "frames");
  guint64 n_copied_before = get_count (pair->sink, "copied");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GstCaps) caps = NULL;
      GstVideoInfo info;

      g_assert_true (gst_video_info_set_format (&info, format, sizes[i].width, sizes[i].height));
      caps = gst_video_info_to_caps (&info);
      pair_set_caps (pair, caps);
      for (Origin origin = 0; origin < N_ORIGINS; origin++)
        send_picture (pair, &info, caps, origin, takes_metas);
    }
  report (gst_video_format_to_string (format), pair, n_before, n_copied_before);
}

static void
test_video (gconstpointer data)
{
  gboolean takes_metas = GPOINTER_TO_INT (data);
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  Pair pair;

  pair_init (&pair, takes_metas);
  for (guint i = 0; i < n_formats; i++)
    send_pictures (&pair, formats[i], takes_metas);
  g_test_message ("%u formats of raw video", n_formats);
  g_assert_cmpuint (n_formats, >, 100);
  report ("all of them", &pair, 0, 0);
  pair_clear (&pair);
}

/* Fields, views, and what else caps may say. */
static void
test_video_modes (void)
{
  const char *const all_caps[] = {
    "video/x-raw,format=I420,width=5,height=6,interlace-mode=interleaved,framerate=25/1",
    "video/x-raw,format=NV12,width=5,height=6,interlace-mode=mixed,framerate=25/1",
    "video/x-raw(format:Interlaced),format=NV12,width=5,height=6,interlace-mode=alternate,"
    "framerate=25/1",
    "video/x-raw,format=RGB,width=5,height=6,pixel-aspect-ratio=4/3,multiview-mode=mono,"
    "framerate=0/1,max-framerate=30/1",
    "video/x-raw,format=Y444,width=5,height=6,colorimetry=bt709,chroma-site=mpeg2,framerate=1/3",
  };
  Pair pair;

  pair_init (&pair, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (all_caps); i++)
    {
      g_autoptr (GstCaps) caps = gst_caps_from_string (all_caps[i]);
      GstVideoInfo info;

      g_assert_true (gst_video_info_from_caps (&info, caps));
      pair_set_caps (&pair, caps);
      send_picture (&pair, &info, caps, OWN_MEMORY, TRUE);
      send_picture (&pair, &info, caps, POOL, TRUE);
    }
  pair_clear (&pair);
}

/* ---- Audio ---- */

static void
send_samples (Pair *pair, const GstAudioInfo *info, gsize n_samples, gboolean has_meta)
{
  g_autoptr (GstCaps) caps = gst_audio_info_to_caps (info);
  gsize size = n_samples * GST_AUDIO_INFO_BPF (info);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);
  g_autoptr (GstBuffer) received = NULL;

  fill_randomly (buffer, &state);
  if (has_meta)
    gst_buffer_add_audio_meta (buffer, info, n_samples, NULL);
  pair_set_caps (pair, caps);
  received = pair_send (pair, buffer);
  pair_assert_caps (pair, caps);
  g_assert_true (has_same_bytes (received, buffer));

  if (GST_AUDIO_INFO_LAYOUT (info) == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    {
      const GstAudioMeta *meta = gst_buffer_get_audio_meta (received);

      g_assert_nonnull (meta);
      g_assert_cmpuint (meta->samples, ==, n_samples);
      for (int i = 0; i < GST_AUDIO_INFO_CHANNELS (info); i++)
        g_assert_cmpuint (meta->offsets[i], ==, i * n_samples * GST_AUDIO_INFO_WIDTH (info) / 8);
    }
}

static void
test_audio (void)
{
  static const int channels[] = { 1, 2, 3, 6 };
  static const gsize lengths[] = { 1, 7, 480 };
  guint n_formats;
  const GstAudioFormat *formats = gst_audio_formats_raw (&n_formats);
  Pair pair;

  pair_init (&pair, TRUE);
  for (guint i = 0; i < n_formats; i++)
    {
      guint64 n_before = get_count (pair.sink, "frames");
      guint64 n_copied_before = get_count (pair.sink, "copied");

      for (guint j = 0; j < G_N_ELEMENTS (channels); j++)
        for (guint k = 0; k < G_N_ELEMENTS (lengths); k++)
          {
            GstAudioInfo info;

            gst_audio_info_set_format (&info, formats[i], 48000, channels[j], NULL);
            send_samples (&pair, &info, lengths[k], FALSE);
            send_samples (&pair, &info, lengths[k], TRUE);
            info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
            send_samples (&pair, &info, lengths[k], TRUE);
          }
      report (gst_audio_format_to_string (formats[i]), &pair, n_before, n_copied_before);
    }
  g_test_message ("%u formats of raw audio", n_formats);
  g_assert_cmpuint (n_formats, >=, 30);
  pair_clear (&pair);
}

/* ---- The rest ---- */

typedef struct
{
  const char *caps;
  gsize size;
} Other;

static const Other others[] = {
  { "application/octet-stream", 0 },
  { "application/octet-stream", 1 },
  { "application/octet-stream", 100003 },
  { "video/x-vp8,width=320,height=240,framerate=30/1", 777 },
  { "image/jpeg", 333 },
  { "text/x-raw,format=utf8", 11 },
  { "other/tensors,format=static,num_tensors=1,types=float32,dimensions=3:2:1:1,framerate=0/1",
    24 },
  { "other/tensor,type=int16,dimension=3:2:1:1,framerate=0/1", 12 },
  { "application/x-ndarray,dtype=(string)\"<i4\",shape=(string)\"2,3\"", 24 },
  { "application/x-ndarray,dtype=(string)\"<f8\",shape=(string)\"\"", 8 },
  { "video/x-raw(meta:Something),format=RGBA,width=2,height=3,framerate=0/1", 24 },
};

static void
test_others (void)
{
  Pair pair;

  pair_init (&pair, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GstCaps) caps = gst_caps_from_string (others[i].caps);
      g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, others[i].size, NULL);
      g_autoptr (GstBuffer) received = NULL;

      g_test_message ("%s", others[i].caps);
      fill_randomly (buffer, &state);
      pair_set_caps (&pair, caps);
      received = pair_send (&pair, buffer);
      pair_assert_caps (&pair, caps);
      g_assert_true (has_same_bytes (received, buffer));
    }
  pair_clear (&pair);
}

int
main (int argc, char **argv)
{
  init_pairs (&argc, &argv);
  state = g_test_rand_int () | 1;

  g_test_add_data_func ("/gst/roundtrip/video/metas", GINT_TO_POINTER (TRUE), test_video);
  g_test_add_data_func ("/gst/roundtrip/video/no-metas", GINT_TO_POINTER (FALSE), test_video);
  g_test_add_func ("/gst/roundtrip/video/modes", test_video_modes);
  g_test_add_func ("/gst/roundtrip/audio", test_audio);
  g_test_add_func ("/gst/roundtrip/others", test_others);

  return g_test_run ();
}
