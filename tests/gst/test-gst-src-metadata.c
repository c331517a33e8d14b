/* SPDX-License-Identifier: MIT */

#include "src-support.h"

/* ---- Buffers of other pipelines ---- */

#define SPAN(size) "{'caps': <'" RGB "width=5,height=4'>, 'buffer': <(int64 -16, uint64 " size ")>"

/* Publishes bytes of which the array shows those from the 16th on, in rows of 16. */
static void
publish_span (Source *self, const char *metadata)
{
  ShndFrame *frame = acquire (self, "u1", SHAPE (160));
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (ShndArray) view = NULL;
  g_autoptr (GError) error = NULL;

  view = shnd_array_as_strided (shnd_frame_get_array (frame), dtype, 16, SHAPE (4, 5, 3),
                                SHAPE (16, 3, 1), &error);
  g_assert_no_error (error);
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
  publish (self, frame, metadata);
}

static void
test_span (Source *self, gconstpointer data)
{
  play (self);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;

      publish_span (self, i == 0 ? SPAN ("64") "}" : SPAN ("160") "}");
      buffer = pull (self);
      assert_caps (self, RGB "width=5,height=4");
      assert_buffer (buffer, i == 0 ? 64 : 160);
      g_assert_null (gst_buffer_get_video_meta (buffer));
    }
  g_assert_cmpuint (get_stat (self, "zero-copy"), ==, 2);
}

/* Its last byte is one that no pixel has. */
static void
test_span_without_last_byte (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  play (self);
  publish_span (self, SPAN ("63") "}");
  buffer = pull (self);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpuint (map.size, ==, 64);
  for (guint y = 0; y < 4; y++)
    assert_bytes (map.data + y * 16, 15, y * 16);
  gst_buffer_unmap (buffer, &map);
  g_assert_cmpuint (get_stat (self, "copied"), ==, 1);
}

#define VIDEO_META(width, height, offset, stride)                                                  \
  ", 'metas': <[('GstVideoMeta', <(uint32 0, 'RGB', 0, uint32 " width ", uint32 " height           \
  ", [uint64 " offset "], [" stride "], (uint32 0, uint32 0, uint32 0, uint32 0, "                 \
  "[uint32 0, 0, 0, 0]))>)]>}"

static void
test_strides_of_metas (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstVideoMeta *meta;

  accept_video_meta (self);
  play (self);
  publish_span (self, SPAN ("160") VIDEO_META ("5", "4", "10", "40"));
  buffer = pull (self);
  assert_buffer (buffer, 160);
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->offset[0], ==, 10);
  g_assert_cmpint (meta->stride[0], ==, 40);
}

/* Where the array itself is the buffer, its strides count. */
static void
test_strides_of_array (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  const GstVideoMeta *meta;

  accept_video_meta (self);
  play (self);
  publish_array (self, "u1", SHAPE (4, 5, 3),
                 "{'caps': <'" RGB "width=5,height=4'>" VIDEO_META ("5", "3", "0", "20"));
  publish_array (self, "u1", SHAPE (4, 5, 3),
                 "{'caps': <'" RGB "width=5,height=4'>" VIDEO_META ("5", "4", "0", "14"));
  for (guint i = 0; i < 2; i++)
    {
      buffer = pull (self);
      meta = gst_buffer_get_video_meta (buffer);
      g_assert_nonnull (meta);
      g_assert_cmpint (meta->stride[0], ==, 15);
      g_assert_cmpuint (meta->height, ==, 4);
      gst_clear_buffer (&buffer);
    }
}

/* The third pixel of each row is the first of the next one. */
static void
test_rows_that_overlap (Source *self, gconstpointer data)
{
  ShndFrame *frame = acquire (self, "u1", SHAPE (64));
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (ShndArray) view = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  GstMapInfo map;

  view = shnd_array_as_strided (shnd_frame_get_array (frame), dtype, 0, SHAPE (3, 4, 3),
                                SHAPE (6, 3, 1), &error);
  g_assert_no_error (error);
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
  play (self);
  publish (self, frame, NULL);
  buffer = pull (self);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpuint (map.size, ==, 36);
  for (guint y = 0; y < 3; y++)
    assert_bytes (map.data + y * 12, 12, y * 6);
  gst_buffer_unmap (buffer, &map);
}

static void
test_strides_of_metas_without_meta (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  play (self);
  publish_span (self, SPAN ("160") VIDEO_META ("5", "4", "130", "-40"));
  buffer = pull (self);
  g_assert_null (gst_buffer_get_video_meta (buffer));
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_assert_cmpuint (map.size, ==, 64);
  for (guint y = 0; y < 4; y++)
    assert_bytes (map.data + y * 16, 15, 130 - y * 40);
  gst_buffer_unmap (buffer, &map);
}

/* What the caps say that are given counts: metas of other video are none. */
static void
test_given_caps_of_span (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;

  accept_video_meta (self);
  set_caps (self, "video/x-raw,format=GRAY8,width=16,height=10");
  play (self);
  publish_span (self, SPAN ("160") VIDEO_META ("5", "4", "10", "40"));
  buffer = pull (self);
  assert_caps (self, "video/x-raw,format=GRAY8,width=16,height=10,framerate=0/1");
  assert_buffer (buffer, 160);
  g_assert_null (gst_buffer_get_video_meta (buffer));
}

/* A smaller picture would be made of pieces of the one that was sent. */
static void
test_given_caps_smaller_than_span (Source *self, gconstpointer data)
{
  static const char *const said = ", 'format': <'RGB'>, 'width': <5>, 'height': <4>}";
  g_autofree char *metadata = g_strconcat (SPAN ("160"), said, NULL);
  g_autoptr (GstBuffer) buffer = NULL;

  play (self);
  set_caps (self, RGB "width=5,height=4,colorimetry=sRGB");
  publish_span (self, metadata);
  buffer = pull (self);
  assert_buffer (buffer, 160);

  set_caps (self, "video/x-raw,format=GRAY8,width=5,height=4");
  publish_span (self, metadata);
  assert_message_posted (self, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                         "shape (4, 5, 3), of 60 bytes: expected 4 rows of 5 bytes");
}

#define ARRAY_OF_5 "application/x-ndarray,dtype=(string)\"|u1\",shape=(string)5"
#define NO_CAPS "{'buffer': <(int64 0, uint64 5)>}"

/* A file that is sent in pieces: typefind is to see them, and not arrays of some length each. */
static void
test_no_caps (Source *self, gconstpointer data)
{
  gst_harness_use_systemclock (self->harness);
  gst_element_set_base_time (self->element, 1000);
  play (self);
  for (guint i = 0; i < 2; i++)
    {
      ShndFrame *frame = acquire (self, "u1", SHAPE (5 + i));
      g_autoptr (GstBuffer) buffer = NULL;

      shnd_frame_set_timestamp (frame, 5000);
      publish (self, frame, NO_CAPS);
      buffer = pull (self);
      assert_buffer (buffer, 5);
      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 4000);
      g_assert_false (gst_pad_has_current_caps (self->harness->sinkpad));
    }
}

static void
test_no_caps_after_caps (Source *self, gconstpointer data)
{
  play (self);
  publish_array (self, "u1", SHAPE (5), "{'caps': <'image/png'>}");
  gst_buffer_unref (pull (self));
  publish_array (self, "u1", SHAPE (5), NO_CAPS);
  gst_buffer_unref (pull (self));
  assert_caps (self, ARRAY_OF_5);
}

/* ---- Hostile publishers ---- */

static void
test_hostile_frames (Source *self, gconstpointer data)
{
  static const char *const metadata[] = {
    "{'buffer': <(int64 -1, uint64 4)>}",
    "{'buffer': <(int64 0, uint64 18446744073709551615)>}",
    "{'buffer': <(int64 1, uint64 18446744073709551615)>}",
    "{'buffer': <(int64 9223372036854775807, uint64 1)>}",
    "{'buffer': <(int64 -9223372036854775808, uint64 1)>}",
    "{'buffer': <(int64 100000000, uint64 0)>}",
    "{'caps': <'image/png'>, 'buffer': <(int64 100000000, uint64 1)>}",
    "{'caps': <'image/png'>, 'buffer': <(int64 -100000000, uint64 1)>}",
    "{'caps': <'no caps; at all'>}",
    "{'caps': <''>}",
    "{'caps': <'ANY'>}",
    "{'caps': <'EMPTY'>}",
    "{'caps': <'video/x-raw,width=[1,2]'>}",
    "{'caps': <'video/x-raw,format=RGB,width=8,height=400,framerate=0/1'>}",
    "{'caps': <'video/x-raw,format=RGB,width=8,height=400,framerate=0/1'>, "
    "'buffer': <(int64 0, uint64 96)>}",
    "{'caps': <'video/x-raw,format=RGB,width=8,height=400,framerate=0/1'>, "
    "'buffer': <(int64 0, uint64 96)>, 'metas': <[('video', <1>)]>}",
    "{'caps': <'audio/x-raw,format=S16LE,rate=8000,channels=2,layout=interleaved'>, "
    "'buffer': <(int64 0, uint64 94)>}",
    "{'caps': <'audio/x-raw,format=U8,rate=8000,channels=64,layout=interleaved,"
    "channel-mask=(bitmask)0'>, 'buffer': <(int64 0, uint64 64)>}",
    "{'caps': <'audio/x-raw,format=U8,rate=8000,channels=1000,layout=interleaved'>}",
    "{'caps': <'video/x-raw,format=RGB,width=2147483647,height=2147483647,framerate=0/1'>}",
    "{'caps': <'video/x-raw,format=XYZ,width=8,height=4,framerate=0/1'>}",
    /* One row, which would be a picture of 184 MB. */
    "{'caps': <'video/x-raw,format=RGB,width=30,height=2000000,framerate=0/1'>, "
    "'buffer': <(int64 0, uint64 96)>" VIDEO_META ("30", "2000000", "0", "0"),
    "{'caps': <'application/x-ndarray,dtype=(string)\"f8\",shape=(string)\"1000000\"'>, "
    "'buffer': <(int64 0, uint64 96)>}",
  };

  play (self);
  for (guint i = 0; i < G_N_ELEMENTS (metadata); i++)
    {
      g_autoptr (GstBuffer) buffer = NULL;

      publish_array (self, "u1", SHAPE (4, 8, 3), metadata[i]);
      publish_array (self, "u1", SHAPE (4, 8, 3), NULL);
      buffer = pull (self);
      assert_buffer (buffer, 96);
      g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
      assert_message_posted (self, GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
                             "The publisher ");
      g_assert_cmpuint (get_stat (self, "skipped"), ==, i + 1);
    }
  assert_nothing_posted (self);
}

/* One element that stands for more of them than there is memory. */
static void
test_overlapping_elements (Source *self, gconstpointer data)
{
  ShndFrame *frame = acquire (self, "u1", SHAPE (64));
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (ShndArray) view = NULL;
  g_autoptr (GError) error = NULL;

  view = shnd_array_as_strided (shnd_frame_get_array (frame), dtype, 0, SHAPE (1 << 20, 1 << 20),
                                SHAPE (0, 0), &error);
  g_assert_no_error (error);
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
  play (self);
  publish (self, frame, "{'caps': <'application/octet-stream'>}");
  assert_message_posted (self, GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
                         "overlap");
}

/* Many in turn are worth one message. */
static void
test_warns_once (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;

  play (self);
  for (guint i = 0; i < 4; i++)
    publish_array (self, "u1", SHAPE (5), "{'caps': <'?'>}");
  publish_array (self, "u1", SHAPE (5), NULL);
  buffer = pull (self);
  g_assert_cmpuint (get_stat (self, "received"), ==, 5);
  assert_message_posted (self, GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "?");
  assert_nothing_posted (self);
}

int
main (int argc, char **argv)
{
  init_source_tests (&argc, &argv);

  ADD_SOURCE ("/gst/src/span", test_span);
  ADD_SOURCE ("/gst/src/span-without-last-byte", test_span_without_last_byte);
  ADD_SOURCE ("/gst/src/strides-of-metas", test_strides_of_metas);
  ADD_SOURCE ("/gst/src/strides-of-metas-without-meta", test_strides_of_metas_without_meta);
  ADD_SOURCE ("/gst/src/strides-of-array", test_strides_of_array);
  ADD_SOURCE ("/gst/src/rows-that-overlap", test_rows_that_overlap);
  ADD_SOURCE ("/gst/src/given-caps-of-span", test_given_caps_of_span);
  ADD_SOURCE ("/gst/src/given-caps-smaller-than-span", test_given_caps_smaller_than_span);
  ADD_SOURCE ("/gst/src/no-caps", test_no_caps);
  ADD_SOURCE ("/gst/src/no-caps-after-caps", test_no_caps_after_caps);
  ADD_SOURCE ("/gst/src/hostile-frames", test_hostile_frames);
  ADD_SOURCE ("/gst/src/overlapping-elements", test_overlapping_elements);
  ADD_SOURCE ("/gst/src/warns-once", test_warns_once);

  return run_source_tests ();
}
