/* SPDX-License-Identifier: MIT */

#include "layout-views.h"

static void
init_format (GstShndFormat *format, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  g_assert_nonnull (caps);
  gst_shnd_format_init (format, caps);
}

static void
assert_shape (const GstShndLayout *layout, const gint64 *shape, guint n_dims)
{
  g_assert_cmpmem (layout->shape, layout->n_dims * 8, shape, n_dims * 8);
}

/* What is expected of a buffer of so many bytes. */
static void
assert_layout (const char *caps,
               gsize size,
               const char *dtype,
               const gint64 *shape,
               guint n_dims,
               const gint64 *strides,
               guint n_strides)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);
  GstShndFormat format;
  GstShndLayout layout;

  g_test_message ("%s", caps);
  init_format (&format, caps);
  g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
  g_assert_cmpstr (shnd_dtype_to_string (layout.dtype), ==, dtype);
  assert_shape (&layout, shape, n_dims);
  g_assert_cmpmem (layout.strides, layout.n_dims * 8, strides, n_strides * 8);
  g_assert_cmpuint (layout.offset, ==, 0);
  gst_shnd_layout_clear (&layout);
  gst_shnd_format_clear (&format);
}

/* Bytes, because the caps say nothing, or (not known) because the buffer is not what they say. */
static void
assert_bytes (const char *caps, GstBuffer *buffer, gboolean known)
{
  GstShndFormat format;
  GstShndLayout layout;

  g_test_message ("%s", caps);
  init_format (&format, caps);
  g_assert_cmpint (gst_shnd_layout_init (&layout, &format, buffer), ==, known);
  g_assert_cmpstr (shnd_dtype_to_string (layout.dtype), ==, "|u1");
  assert_shape (&layout, SHAPE (gst_buffer_get_size (buffer)));
  g_assert_cmpint (layout.strides[0], ==, 1);
  g_assert_cmpuint (layout.offset, ==, 0);
  g_assert_null (layout.planes);
  gst_shnd_layout_clear (&layout);
  gst_shnd_format_clear (&format);
}

static void
assert_size_is_bytes (const char *caps, gsize size, gboolean known)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size, NULL);

  assert_bytes (caps, buffer, known);
}

static void
test_shapes (void)
{
  const char *rgb = "video/x-raw,format=RGB,width=17,height=11";

  assert_layout (rgb, 52 * 11, "|u1", SHAPE (11, 17, 3), SHAPE (52, 3, 1));

  /* What is after the last pixel may be absent. */
  assert_layout (rgb, 52 * 11 - 1, "|u1", SHAPE (11, 17, 3), SHAPE (52, 3, 1));
  assert_size_is_bytes (rgb, 52 * 11 - 2, FALSE);
  assert_size_is_bytes (rgb, 0, FALSE);

  assert_layout ("video/x-raw,format=GRAY16_BE,width=5,height=2", 24, ">u2", SHAPE (2, 5),
                 SHAPE (12, 2));
  assert_layout ("video/x-raw,format=YUY2,width=5,height=2", 24, "|u1", SHAPE (2, 6, 2),
                 SHAPE (12, 2, 1));
  assert_layout ("video/x-raw,format=v210,width=7,height=2", 256, "<u4", SHAPE (2, 2, 4),
                 SHAPE (128, 16, 4));
  assert_layout ("video/x-raw,format=I420,width=4,height=4", 32, "|u1", SHAPE (32), SHAPE (1));

  /* One field a buffer, or two. */
  assert_layout ("video/x-raw(format:Interlaced),format=GRAY8,width=4,height=7,"
                 "interlace-mode=alternate",
                 16, "|u1", SHAPE (4, 4), SHAPE (4, 1));
  assert_layout ("video/x-raw,format=GRAY8,width=4,height=8,interlace-mode=interleaved", 32, "|u1",
                 SHAPE (8, 4), SHAPE (4, 1));

  /* Where there is no room for what a row's end shares with nobody. */
  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (20 * 2 + 20);
    g_autoptr (GVariant) shape = NULL;
    GstShndFormat format;
    GstShndLayout layout;

    init_format (&format, "video/x-raw,format=NV12_10LE32,width=15,height=2");
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_assert_cmpuint (g_variant_n_children (layout.planes), ==, 2);
    g_variant_get_child (layout.planes, 1, "(sst@axax)", NULL, NULL, NULL, &shape, NULL);
    g_assert_cmpmem (g_variant_get_data (shape), g_variant_get_size (shape), ((gint64[]){ 1, 5 }),
                     16);
    gst_shnd_layout_clear (&layout);
    gst_shnd_format_clear (&format);
  }
}

static void
add_meta (
    GstBuffer *buffer, GstVideoFormat format, guint width, guint height, gsize offset, gint stride)
{
  gst_buffer_add_video_meta_full (buffer, 0, format, width, height, 1, (gsize[4]){ offset },
                                  (gint[4]){ stride });
}

/* A picture that is upside down, and one that is a part of another. */
static void
test_parts (void)
{
  const char *caps = "video/x-raw,format=RGB,width=4,height=3";
  GstShndFormat format;
  GstShndLayout layout;
  GstVideoCropMeta *part;

  init_format (&format, caps);
  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (36);

    add_meta (buffer, GST_VIDEO_FORMAT_RGB, 4, 3, 24, -12);
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_assert_cmpuint (layout.offset, ==, 24);
    g_assert_cmpint (layout.strides[0], ==, -12);
    gst_shnd_layout_clear (&layout);
  }
  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (8 * 24);

    add_meta (buffer, GST_VIDEO_FORMAT_RGB, 8, 8, 0, 24);
    part = gst_buffer_add_video_crop_meta (buffer);
    part->x = 4;
    part->y = 5;
    part->width = 4;
    part->height = 3;
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_assert_cmpuint (layout.offset, ==, 5 * 24 + 4 * 3);
    assert_shape (&layout, SHAPE (3, 4, 3));
    gst_shnd_layout_clear (&layout);

    /* not in the frame: the caps decide */
    part->x = 5;
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_assert_cmpuint (layout.offset, ==, 0);
    gst_shnd_layout_clear (&layout);
  }
  gst_shnd_format_clear (&format);

  init_format (&format, "video/x-raw,format=I420,width=4,height=4");
  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (96);
    guint64 offset;

    gst_buffer_add_video_meta (buffer, 0, GST_VIDEO_FORMAT_I420, 8, 8);
    part = gst_buffer_add_video_crop_meta (buffer);
    part->x = part->y = 2;
    part->width = part->height = 4;
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_variant_get_child (layout.planes, 0, "(sstaxax)", NULL, NULL, &offset, NULL, NULL);
    g_assert_cmpuint (offset, ==, 2 * 8 + 2);
    g_variant_get_child (layout.planes, 2, "(sstaxax)", NULL, NULL, &offset, NULL, NULL);
    g_assert_cmpuint (offset, ==, 64 + 16 + 4 + 1);
    gst_shnd_layout_clear (&layout);

    /* between two samples of colour */
    part->x = 1;
    g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
    g_variant_get_child (layout.planes, 0, "(sstaxax)", NULL, NULL, &offset, NULL, NULL);
    g_assert_cmpuint (offset, ==, 0);
    gst_shnd_layout_clear (&layout);
  }
  gst_shnd_format_clear (&format);
}

static void
test_false_metas (void)
{
  static const struct
  {
    GstVideoFormat format;
    guint width, height;
    gsize offset;
    gint stride;
  } metas[] = {
    { GST_VIDEO_FORMAT_BGR, 4, 3, 0, 12 },
    { GST_VIDEO_FORMAT_RGB, 3, 3, 0, 12 },
    { GST_VIDEO_FORMAT_RGB, 4, 2, 0, 12 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, 1, 12 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, 0, 13 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, 23, -12 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, G_MAXSIZE, 12 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, G_MAXSIZE - 24, 12 },
    { GST_VIDEO_FORMAT_RGB, 4, 3, 0, G_MAXINT },
    { GST_VIDEO_FORMAT_RGB, 4, 3, 0, G_MININT },
    { GST_VIDEO_FORMAT_RGB, G_MAXUINT, G_MAXUINT, 0, 12 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (metas); i++)
    {
      g_autoptr (GstBuffer) buffer = new_random_buffer (36);

      add_meta (buffer, metas[i].format, metas[i].width, metas[i].height, metas[i].offset,
                metas[i].stride);
      assert_bytes ("video/x-raw,format=RGB,width=4,height=3", buffer, FALSE);
    }
}

/* Samples of audio */

static void
assert_audio_dtype (const GstAudioFormatInfo *finfo, ShndDType *dtype)
{
  g_autofree char *expected = NULL;
  const char *order = finfo->endianness == G_LITTLE_ENDIAN ? "<" : ">";

  if (finfo->width == 24)
    expected = g_strdup ("|u1");
  else
    expected = g_strdup_printf ("%s%c%d", finfo->width == 8 ? "|" : order,
                                finfo->name[0] == 'F' ? 'f' :
                                finfo->name[0] == 'S' ? 'i' :
                                                        'u',
                                finfo->width / 8);
  g_assert_cmpstr (shnd_dtype_to_string (dtype), ==, expected);
}

static void
compare_audio (const GstAudioInfo *info, GstBuffer *buffer, gsize n_samples)
{
  g_autoptr (GstCaps) caps = gst_audio_info_to_caps (info);
  guint size = info->finfo->width / 8;
  GstShndFormat format;
  GstAudioBuffer audio;
  Views views;

  gst_shnd_format_init (&format, caps);
  views_init (&views, &format, buffer);
  g_assert_true (gst_audio_buffer_map (&audio, info, buffer, GST_MAP_READ));
  g_assert_cmpuint (audio.n_samples, ==, n_samples);

  for (gint c = 0; c < info->channels; c++)
    {
      const View *view = &views.views[views.n_views > 1 ? c : 0];
      guint n_dims = (views.n_views > 1 ? 1 : 2) + (size == 3);

      g_assert_cmpuint (view->n_dims, ==, n_dims);
      g_assert_cmpint (view->shape[0], ==, n_samples);
      if (views.n_views == 1)
        g_assert_cmpint (view->shape[1], ==, info->channels);
      else
        g_assert_cmpint (atoi (view->name), ==, c);
      if (size == 3)
        {
          g_assert_cmpint (view->shape[n_dims - 1], ==, 3);
          g_assert_cmpint (view->strides[n_dims - 1], ==, 1);
        }

      for (gsize i = 0; i < n_samples; i++)
        {
          const guint8 *expected = info->layout == GST_AUDIO_LAYOUT_INTERLEAVED ?
                                       (guint8 *) audio.planes[0] + i * info->bpf + c * size :
                                       (guint8 *) audio.planes[c] + i * size;
          const guint8 *sample =
              view->data + i * view->strides[0] + (views.n_views > 1 ? 0 : c * view->strides[1]);

          g_assert_true (sample == expected);
        }
    }

  if (views.n_views == 1)
    assert_audio_dtype (info->finfo, views.layout.dtype);
  gst_audio_buffer_unmap (&audio);
  views_clear (&views);
  gst_shnd_format_clear (&format);
}

static void
test_audio (void)
{
  static const int channels[] = { 1, 2, 6, 64 };
  guint n_formats;
  const GstAudioFormat *formats = gst_audio_formats_raw (&n_formats);

  g_assert_cmpuint (n_formats, >=, 30);
  for (guint i = 0; i < n_formats; i++)
    {
      for (guint k = 0; k < G_N_ELEMENTS (channels); k++)
        {
          GstAudioInfo info;
          g_autoptr (GstBuffer) buffer = NULL;

          gst_audio_info_set_format (&info, formats[i], 48000, channels[k], NULL);
          buffer = new_random_buffer (5 * info.bpf);
          compare_audio (&info, buffer, 5);

          info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
          gst_buffer_add_audio_meta (buffer, &info, 4, NULL);
          compare_audio (&info, buffer, 4);
        }
    }
}

static void
test_audio_offsets (void)
{
  gsize uneven[] = { 40, 0, 16 };
  gsize falling[] = { 40, 20, 0 };
  GstAudioInfo info;

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_S16LE, 48000, 3, NULL);
  info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GstBuffer) buffer = new_random_buffer (60);

      gst_buffer_add_audio_meta (buffer, &info, 8, i == 0 ? uneven : falling);
      compare_audio (&info, buffer, 8);
    }

  /* Whoever has no meta has channels one after the other; a sample that is not whole is none. */
  assert_layout ("audio/x-raw,format=S16LE,rate=1,channels=2,layout=non-interleaved", 12, "<i2",
                 SHAPE (3, 2), SHAPE (2, 6));
  assert_layout ("audio/x-raw,format=S16LE,rate=1,channels=2,layout=interleaved", 11, "<i2",
                 SHAPE (2, 2), SHAPE (4, 2));
  assert_layout ("audio/x-raw,format=F32BE,rate=1,channels=1,layout=interleaved", 0, ">f4",
                 SHAPE (0, 1), SHAPE (4, 4));

  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (60);
    GstAudioMeta *meta = gst_buffer_add_audio_meta (buffer, &info, 8, falling);
    const char *caps = "audio/x-raw,format=S16LE,rate=48000,channels=3,channel-mask=(bitmask)0,"
                       "layout=non-interleaved";

    meta->offsets[0] = 45;
    assert_bytes (caps, buffer, FALSE);
    meta->offsets[0] = G_MAXSIZE;
    assert_bytes (caps, buffer, FALSE);
    meta->offsets[0] = 40;
    meta->samples = 11;
    assert_bytes (caps, buffer, FALSE);
  }
  {
    g_autoptr (GstBuffer) buffer = new_random_buffer (12);
    GstAudioMeta *meta;

    gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_S16LE, 48000, 2, NULL);
    meta = gst_buffer_add_audio_meta (buffer, &info, 3, NULL);
    meta->samples = 4;
    assert_bytes ("audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved", buffer,
                  FALSE);
  }
}

/* Tensors, arrays and all the rest */

static void
test_tensors (void)
{
  assert_layout ("other/tensors,format=static,num_tensors=1,types=uint8,dimensions=3:4:2:1", 24,
                 "|u1", SHAPE (2, 4, 3), SHAPE (12, 3, 1));
  assert_layout ("other/tensors,num_tensors=1,types=float32,dimensions=2:1:3", 24, "<f4",
                 SHAPE (3, 1, 2), SHAPE (8, 8, 4));
  assert_layout ("other/tensor,type=int64,dimension=1:1:1:1", 8, "<i8", SHAPE (1), SHAPE (8));
  assert_layout ("other/tensor,type=float16,dimension=(string)5", 10, "<f2", SHAPE (5), SHAPE (2));

  assert_size_is_bytes ("other/tensor,type=int64,dimension=(string)2", 8, FALSE);
  assert_size_is_bytes ("other/tensor,type=float128,dimension=(string)2", 8, TRUE);
  assert_size_is_bytes ("other/tensor,type=uint8,dimension=2:0", 8, TRUE);
  assert_size_is_bytes ("other/tensor,type=uint8,dimension=(string)\"\"", 8, TRUE);
  assert_size_is_bytes ("other/tensor,type=uint8", 8, TRUE);
  assert_size_is_bytes ("other/tensors,format=flexible,num_tensors=1", 8, TRUE);
  assert_size_is_bytes (
      "other/tensors,format=static,num_tensors=2,types=\"uint8,uint8\",dimensions=\"4,4\"", 8,
      TRUE);
}

static void
test_arrays (void)
{
#define ARRAY "application/x-ndarray,dtype="

  assert_layout (ARRAY "\"<f4\",shape=\"2,3\"", 24, "<f4", SHAPE (2, 3), SHAPE (12, 4));
  assert_layout (ARRAY "\">c16\",shape=\"2,\"", 40, ">c16", SHAPE (2), SHAPE (16));
  assert_layout (ARRAY "\"<f4\",shape=(int)4", 16, "<f4", SHAPE (4), SHAPE (4));
  assert_size_is_bytes (ARRAY "\"<f4\",shape=(int)-4", 16, TRUE);
  assert_layout (ARRAY "\"|b1\",shape=\" 0 , 3\"", 0, "|b1", SHAPE (0, 3), SHAPE (3, 1));
  assert_layout (ARRAY "\"<M8[ns]\",shape=(string)\"\"", 8, "<M8[ns]", (gint64[1]){ 0 }, 0,
                 (gint64[1]){ 0 }, 0);
  assert_layout (ARRAY "\"[('a', '<i2'), ('b', '<f8', (2,))]\",shape=(string)1", 18,
                 "[('a', '<i2'), ('b', '<f8', (2,))]", SHAPE (1), SHAPE (18));

  assert_size_is_bytes (ARRAY "\"<f4\",shape=\"2,3\"", 23, FALSE);
  assert_size_is_bytes (ARRAY "\"<f4\",shape=\"4294967296,4294967296\"", 16, FALSE);
  assert_size_is_bytes (ARRAY "\"<f4\",shape=(string)-1", 16, TRUE);
  assert_size_is_bytes (ARRAY "\"<f4\",shape=\"1,,1\"", 16, TRUE);
  assert_size_is_bytes (ARRAY "\"<f4\",shape=x", 16, TRUE);
  assert_size_is_bytes (ARRAY "\"|O\",shape=(string)2", 16, TRUE);
  assert_size_is_bytes (ARRAY "u1", 16, TRUE);
  assert_size_is_bytes (
      ARRAY "u1,shape=\"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\"", 16,
      TRUE);

#undef ARRAY
}

static void
test_bytes (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstShndFormat format;
  GstShndLayout layout;

  assert_size_is_bytes ("video/x-h264,width=4,height=4", 7, TRUE);
  assert_size_is_bytes ("image/jpeg", 0, TRUE);
  assert_size_is_bytes ("video/x-raw,format=NEW,width=4,height=4", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=ENCODED,width=4,height=4", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=RGB,width=0,height=4", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=RGB,width=4,height=-4", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=RGB,width=[1,4],height=4", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=RGBA,width=2147483647,height=1", 64, TRUE);
  assert_size_is_bytes ("video/x-raw,format=RGBA,width=600000000,height=1", 64, FALSE);
  assert_size_is_bytes ("video/x-raw(memory:DMABuf),format=RGB,width=4,height=4", 64, TRUE);
  assert_size_is_bytes ("audio/x-raw,format=S16LE,rate=1,channels=0,layout=interleaved", 4, TRUE);
  assert_size_is_bytes ("audio/x-raw,format=S16LE,rate=1,channels=-1,channel-mask=(bitmask)0,"
                        "layout=interleaved",
                        4, TRUE);
  assert_size_is_bytes ("audio/x-raw,format=S16LE,rate=1,channels=65,channel-mask=(bitmask)0,"
                        "layout=non-interleaved",
                        260, TRUE);
  assert_size_is_bytes ("audio/x-raw,format=S16LE,rate=0,channels=1,layout=interleaved", 4, TRUE);
  assert_size_is_bytes ("audio/x-raw,format=S16LE,rate=1,channels=1", 4, TRUE);
  assert_size_is_bytes ("ANY", 3, TRUE);
  assert_size_is_bytes ("EMPTY", 3, TRUE);

  assert_layout ("video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),format=GRAY8,"
                 "width=4,height=1",
                 4, "|u1", SHAPE (1, 4), SHAPE (4, 1));

  /* no caps at all */
  gst_shnd_format_init (&format, NULL);
  g_assert_null (format.text);
  g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
  assert_shape (&layout, SHAPE (0));
  gst_shnd_layout_clear (&layout);
  gst_shnd_format_clear (&format);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/layout/shapes", test_shapes);
  g_test_add_func ("/gst/layout/parts", test_parts);
  g_test_add_func ("/gst/layout/false-metas", test_false_metas);
  g_test_add_func ("/gst/layout/audio", test_audio);
  g_test_add_func ("/gst/layout/audio-offsets", test_audio_offsets);
  g_test_add_func ("/gst/layout/tensors", test_tensors);
  g_test_add_func ("/gst/layout/arrays", test_arrays);
  g_test_add_func ("/gst/layout/bytes", test_bytes);

  return g_test_run ();
}
