/* SPDX-License-Identifier: MIT */

#include "src-support.h"

/* ---- Arrays of which nobody says what they are ---- */

static void
test_plain_arrays (Source *self, gconstpointer data)
{
  static const struct
  {
    const char *dtype;
    gint64 shape[4];
    guint n_dims;
    const char *caps;
    gsize size;
  } cases[] = {
    { "u1", { 4, 8, 3 }, 3, RGB "width=8,height=4", 96 },
    { "u1", { 4, 8, 4 }, 3, "video/x-raw,format=RGBA,width=8,height=4,framerate=0/1", 128 },
    { "u1", { 2, 8 }, 2, "video/x-raw,format=GRAY8,width=8,height=2,framerate=0/1", 16 },
    { "<u2", { 2, 8 }, 2, "video/x-raw,format=GRAY16_LE,width=8,height=2,framerate=0/1", 32 },
    { ">u2", { 2, 8 }, 2, "video/x-raw,format=GRAY16_BE,width=8,height=2,framerate=0/1", 32 },
    { "<u2", { 2, 3, 4 }, 3, "video/x-raw,format=RGBA64_LE,width=3,height=2,framerate=0/1", 48 },
    { "u1", { 5 }, 1, "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)5", 5 },
    { "f4", { 2, 3 }, 2, "application/x-ndarray,dtype=(string)\"<f4\",shape=(string)\"2,3\"", 24 },
    { "f8", { 0 }, 0, "application/x-ndarray,dtype=(string)\"<f8\",shape=(string)\"\"", 8 },
    { "u1", { 0, 3 }, 2, "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)\"0,3\"", 0 },
  };

  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;

      publish_array (self, cases[i].dtype, cases[i].shape, cases[i].n_dims, NULL);
      buffer = pull (self);
      assert_caps (self, cases[i].caps);
      assert_buffer (buffer, cases[i].size);
    }
  g_assert_cmpuint (get_stat (self, "received"), ==, G_N_ELEMENTS (cases));
  g_assert_cmpuint (get_stat (self, "copied"), ==, 1); /* of no bytes */
  g_assert_cmpuint (get_stat (self, "missed") + get_stat (self, "skipped"), ==, 0);
  assert_nothing_posted (self);
}

/* Rows of 15 bytes: GStreamer would have 16. */
static void
test_odd_width (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstVideoMeta *meta;

  accept_video_meta (self);
  play (self);
  publish_array (self, "u1", SHAPE (4, 5, 3), NULL);
  buffer = pull (self);
  assert_caps (self, RGB "width=5,height=4");
  assert_buffer (buffer, 60);
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpint (meta->format, ==, GST_VIDEO_FORMAT_RGB);
  g_assert_cmpuint (meta->width, ==, 5);
  g_assert_cmpuint (meta->height, ==, 4);
  g_assert_cmpint (meta->stride[0], ==, 15);
  g_assert_cmpuint (get_stat (self, "zero-copy"), ==, 1);
}

static void
test_odd_width_without_meta (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  play (self);
  publish_array (self, "u1", SHAPE (4, 5, 3), "{'duration': <uint64 7>}");
  buffer = pull (self);
  g_assert_null (gst_buffer_get_video_meta (buffer));
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, 7);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpuint (map.size, ==, 64);
  for (guint y = 0; y < 4; y++)
    assert_bytes (map.data + y * 16, 15, y * 15);
  gst_buffer_unmap (buffer, &map);
  g_assert_cmpuint (get_stat (self, "copied"), ==, 1);
}

/* Publishes every nth element of each dimension; of negative ones from the end. */
static void
publish_slices (Source *self, ShndFrame *frame, const gint64 *steps, guint n_steps)
{
  g_autoptr (ShndArray) view = g_object_ref (shnd_frame_get_array (frame));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n_steps; i++)
    {
      gint64 length = shnd_array_get_shape (view, NULL)[i];
      ShndArray *slice = steps[i] < 0 ?
                             shnd_array_slice (view, i, length - 1, -1, steps[i], &error) :
                             shnd_array_slice (view, i, 0, length, steps[i], &error);

      g_assert_no_error (error);
      g_object_unref (view);
      view = slice;
    }
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
  publish (self, frame, NULL);
}

static void
test_strided_rows (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstVideoMeta *meta;

  accept_video_meta (self);
  play (self);
  publish_slices (self, acquire (self, "u1", SHAPE (8, 4, 3)), SHAPE (2));
  buffer = pull (self);
  assert_caps (self, RGB "width=4,height=4");
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpint (meta->stride[0], ==, 24);
  /* As much behind the last row as behind the others. */
  assert_buffer (buffer, 96);
  g_assert_cmpuint (get_stat (self, "zero-copy"), ==, 1);
}

static void
test_odd_strides (Source *self, gconstpointer data)
{
  static const gint64 steps[][3] = { { -1, 1, 1 }, { 1, -1, 1 }, { 1, 1, -1 }, { 2, 2, 1 } };

  accept_video_meta (self);
  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;
      gsize at = 0;
      GstMapInfo map;

      publish_slices (self, acquire (self, "u1", SHAPE (4, 8, 3)), steps[i], 3);
      buffer = pull (self);
      gst_buffer_map (buffer, &map, GST_MAP_READ);
      for (guint y = 0; y < 4 / ABS (steps[i][0]); y++)
        for (guint x = 0; x < 8 / ABS (steps[i][1]); x++)
          for (guint c = 0; c < 3; c++, at++)
            assert_bytes (map.data + at, 1,
                          (steps[i][0] < 0 ? 3 - y : y * steps[i][0]) * 24 +
                              (steps[i][1] < 0 ? 7 - x : x * steps[i][1]) * 3 +
                              (steps[i][2] < 0 ? 2 - c : c));
      g_assert_cmpuint (map.size, ==, at);
      gst_buffer_unmap (buffer, &map);
    }
  g_assert_cmpuint (get_stat (self, "copied"), ==, G_N_ELEMENTS (steps));
}

/* Three planes without gaps, as OpenCV has them: GStreamer would have rows of 4 bytes in all. */
static void
test_tight_planes (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstVideoMeta *meta;

  accept_video_meta (self);
  play (self);
  publish_array (self, "u1", SHAPE (6, 4), "{'format': <'I420'>, 'width': <4>, 'height': <4>}");
  buffer = pull (self);
  assert_caps (self, "video/x-raw,format=I420,width=4,height=4,framerate=0/1");
  assert_buffer (buffer, 24);
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpmem (meta->stride, 3 * sizeof (gint), ((const gint[]){ 4, 2, 2 }), 3 * sizeof (gint));
  g_assert_cmpmem (meta->offset, 3 * sizeof (gsize), ((const gsize[]){ 0, 16, 20 }),
                   3 * sizeof (gsize));
}

static void
test_tight_planes_without_meta (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  play (self);
  publish_array (self, "u1", SHAPE (6, 4), "{'format': <'I420'>, 'width': <4>, 'height': <4>}");
  buffer = pull (self);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpuint (map.size, ==, 32);
  assert_bytes (map.data, 16, 0);
  for (guint i = 0; i < 4; i++)
    assert_bytes (map.data + 16 + i * 4, 2, 16 + i * 2);
  gst_buffer_unmap (buffer, &map);
}

/* ---- Caps ---- */

static void
test_caps_of_metadata (Source *self, gconstpointer data)
{
  static const struct
  {
    gint64 n_bytes;
    const char *metadata;
    const char *caps;
  } cases[] = {
    { 48, "{'caps': <'video/x-raw,format=I420,width=8,height=4,framerate=25/1'>}",
      "video/x-raw,format=I420,width=8,height=4,framerate=25/1" },
    { 7, "{'caps': <'image/png'>, 'caps': <'image/jpeg'>}", "image/jpeg" },
    { 7, "{'caps': <'image/jpeg'>}", "image/jpeg" },
    { 96, "{'caps': <'video/x-raw(memory:GLMemory),format=RGB,width=8,height=4,framerate=0/1'>}",
      RGB "width=8,height=4" },
    { 24, "{'format': <'NV12'>, 'width': <4>, 'height': <int64 4>}",
      "video/x-raw,format=NV12,width=4,height=4,framerate=0/1" },
    { 12, "{'format': <'S16LE'>, 'rate': <8000>, 'channels': <2>}",
      "audio/x-raw,format=S16LE,rate=8000,channels=2,layout=interleaved" },
    { 12, "{'format': <'S16LE'>}", "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)12" },
    { 12, "{'format': <'NV12'>}", "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)12" },
    { 12, "{'format': <'of ours'>}",
      "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)12" },
  };

  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (guint n = 0; n < 2; n++)
        {
          g_autoptr (GstBuffer) buffer = NULL;

          publish_array (self, "u1", &cases[i].n_bytes, 1, cases[i].metadata);
          buffer = pull (self);
          assert_caps (self, cases[i].caps);
          assert_buffer (buffer, cases[i].n_bytes);
        }
    }
  assert_nothing_posted (self);
}

/* (h, w, 3) of OpenCV, without a word about width and height. */
static void
test_format_of_metadata (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;

  play (self);
  publish_array (self, "u1", SHAPE (2, 4, 3), "{'format': <'BGR'>}");
  buffer = pull (self);
  assert_caps (self, "video/x-raw,format=BGR,width=4,height=2,framerate=0/1");
  assert_buffer (buffer, 24);
}

static void
test_given_caps (Source *self, gconstpointer data)
{
  static const struct
  {
    const char *given;
    const char *dtype;
    gint64 shape[3];
    guint n_dims;
    const char *caps;
  } cases[] = {
    { "video/x-raw,format=BGR",
      "u1",
      { 2, 4, 3 },
      3,
      "video/x-raw,format=BGR,width=4,height=2,framerate=0/1" },
    { "video/x-raw,format=BGR,framerate=30/1,width=4,height=2",
      "u1",
      { 24 },
      1,
      "video/x-raw,format=BGR,framerate=30/1,width=4,height=2" },
    /* As OpenCV has it. */
    { "video/x-raw,format=I420,width=8,height=4",
      "u1",
      { 6, 8 },
      2,
      "video/x-raw,format=I420,width=8,height=4,framerate=0/1" },
    { "audio/x-raw,format=F32LE,rate=48000",
      "<f4",
      { 10, 2 },
      2,
      "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved" },
    { "audio/x-raw,format=S16LE,rate=48000",
      "<i2",
      { 10 },
      1,
      "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved" },
    { "application/x-ndarray,dtype=(string)\"<i4\",shape=(string)\"2,3\"",
      "u1",
      { 24 },
      1,
      "application/x-ndarray,dtype=(string)\"<i4\",shape=(string)\"2,3\"" },
    { "image/png", "u1", { 9 }, 1, "image/png" },
  };

  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;

      set_caps (self, cases[i].given);
      publish_array (self, cases[i].dtype, cases[i].shape, cases[i].n_dims,
                     "{'caps': <'video/x-bayer,format=bggr'>}");
      buffer = pull (self);
      assert_caps (self, cases[i].caps);
      assert_buffer (buffer, gst_buffer_get_size (buffer));
      gst_clear_buffer (&buffer);
    }
  assert_nothing_posted (self);
}

/* The stream is what it was: only what is wanted of it changes. */
static void
test_given_caps_meanwhile (Source *self, gconstpointer data)
{
  static const char *const texts[] = { NULL, "image/png", NULL, "image/gif", "image/png" };

  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      set_caps (self, texts[i]);
      publish_array (self, "u1", SHAPE (5), "{'caps': <'image/jpeg'>}");
      gst_buffer_unref (pull (self));
      assert_caps (self, texts[i] != NULL ? texts[i] : "image/jpeg");
    }
}

static void
test_channels_apart (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstAudioMeta *meta;
  GstMapInfo map;

  set_caps (self, "audio/x-raw,format=S8,rate=8000,layout=non-interleaved");
  play (self);
  publish_array (self, "i1", SHAPE (3, 2), NULL);
  buffer = pull (self);
  meta = gst_buffer_get_audio_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->samples, ==, 3);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpmem (map.data, map.size, ((const guint8[]){ 0, 14, 28, 7, 21, 35 }), 6);
  gst_buffer_unmap (buffer, &map);
}

static void
test_wrong_caps (gconstpointer data)
{
  static const struct
  {
    const char *given;
    const char *about;
  } cases[] = {
    { "video/x-raw,format=RGBA", "shape (4, 8, 3), of 96 bytes: expected 4 rows of 32 bytes" },
    { "video/x-raw,format=RGB,width=4,height=8", "expected 8 rows of 12 bytes" },
    { "video/x-raw,format=NV12", "expected 48 bytes" },
    { "video/x-raw", "expected fixed caps" },
    { "audio/x-raw,format=S16LE", "expected fixed caps" },
    { "video/x-raw,format={RGB,BGR}", "expected fixed caps" },
    { "audio/x-raw,format=S16LE,rate=8000,channels=2", "samples of 2 channels with 2 bytes" },
    { "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)\"95\"", "expected 95 bytes" },
    { "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)\"1152921504606846976,64\"",
      "expected more bytes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Source self;

      source_set_up (&self, NULL);
      set_caps (&self, cases[i].given);
      play (&self);
      publish_array (&self, "u1", SHAPE (4, 8, 3), NULL);
      assert_message_posted (&self, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                             cases[i].about);
      source_tear_down (&self, NULL);
    }
}

static void
test_refused_caps (Source *self, gconstpointer data)
{
  gst_harness_set_sink_caps_str (self->harness, "video/x-raw,format=GRAY8");
  play (self);
  publish_array (self, "u1", SHAPE (4, 8, 3), NULL);
  assert_message_posted (self, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "");
}

int
main (int argc, char **argv)
{
  init_source_tests (&argc, &argv);

  ADD_SOURCE ("/gst/src/plain-arrays", test_plain_arrays);
  ADD_SOURCE ("/gst/src/odd-width", test_odd_width);
  ADD_SOURCE ("/gst/src/odd-width-without-meta", test_odd_width_without_meta);
  ADD_SOURCE ("/gst/src/strided-rows", test_strided_rows);
  ADD_SOURCE ("/gst/src/odd-strides", test_odd_strides);
  ADD_SOURCE ("/gst/src/tight-planes", test_tight_planes);
  ADD_SOURCE ("/gst/src/tight-planes-without-meta", test_tight_planes_without_meta);
  ADD_SOURCE ("/gst/src/caps-of-metadata", test_caps_of_metadata);
  ADD_SOURCE ("/gst/src/format-of-metadata", test_format_of_metadata);
  ADD_SOURCE ("/gst/src/given-caps", test_given_caps);
  ADD_SOURCE ("/gst/src/given-caps-meanwhile", test_given_caps_meanwhile);
  ADD_SOURCE ("/gst/src/channels-apart", test_channels_apart);
  g_test_add_data_func ("/gst/src/wrong-caps", NULL, test_wrong_caps);
  ADD_SOURCE ("/gst/src/refused-caps", test_refused_caps);

  return run_source_tests ();
}
