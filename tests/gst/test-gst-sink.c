/* SPDX-License-Identifier: MIT */

#include "sink-support.h"

/* Buffers and frames: what is published, in whose memory, and who keeps it. */

static void
assert_same_bytes (GstBuffer *first, GstBuffer *second)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (first, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, ==, gst_buffer_get_size (second));
  g_assert_cmpint (gst_buffer_memcmp (second, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (first, &map);
}

static void
test_pool (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;
  g_autoptr (GstBuffer) kept = NULL;
  g_autoptr (GstBuffer) copy = NULL;
  GstMemory *memory;
  GstMapInfo map;

  negotiate (self, CAPS_RGB);
  join (self);
  kept = gst_buffer_ref (new_buffer (self, 1));
  memory = gst_buffer_peek_memory (kept, 0);
  g_assert_false (GST_MEMORY_IS_READONLY (memory));
  push (self, kept);

  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (4, 5, 3));
  assert_filled (frame, 63, 1);
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 1);
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, 1);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 0);
  g_assert_cmpuint (get_stat (self->sink, "subscribers"), ==, 1);

  /* Who wants to write it now gets other memory, with what is in it. */
  g_assert_false (gst_memory_map (memory, &map, GST_MAP_WRITE));
  copy = gst_buffer_copy_deep (kept);
  assert_same_bytes (copy, kept);
  fill (kept, 2);
  assert_filled (frame, 63, 1);
}

static void
test_foreign_memory (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, CAPS_RGB);
  join (self);
  push (self, new_foreign_buffer (SIZE_RGB, 3));

  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (4, 5, 3));
  assert_filled (frame, 63, 3);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, 0);
}

static void
push_and_receive (Stream *self, guint8 number)
{
  g_autoptr (ShndFrame) frame = NULL;

  push (self, new_buffer (self, number));
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, number);
}

/* A decoder's reference frame, say. */
static void
test_kept_buffer (Stream *self, gconstpointer data)
{
  GstBuffer *kept;
  GstMapInfo map;
  guint64 n_frames;

  negotiate (self, CAPS_RGB);
  join (self);
  kept = new_buffer (self, 1);
  push (self, gst_buffer_ref (kept));
  g_object_unref (receive_any (self->subscriber));

  for (guint i = 2; i < 10; i++)
    push_and_receive (self, i);
  g_assert_true (gst_buffer_map (kept, &map, GST_MAP_READ));
  g_assert_true (is_filled (map.data, 63, 1));
  gst_buffer_unmap (kept, &map);

  /* All are used again when nobody keeps them. */
  gst_buffer_unref (kept);
  n_frames = get_stat (self->sink, "n-frames");
  for (guint i = 10; i < 20; i++)
    push_and_receive (self, i);
  g_assert_cmpuint (get_stat (self->sink, "n-frames"), ==, n_frames);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 0);
}

/* A picture that stands still. */
static void
test_same_buffer (Stream *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;

  negotiate (self, CAPS_RGB);
  join (self);
  buffer = new_buffer (self, 1);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ShndFrame) frame = NULL;

      push (self, gst_buffer_ref (buffer));
      frame = receive_any (self->subscriber);
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, i + 1);
      assert_shape (frame, "|u1", SHAPE (4, 5, 3));
      assert_filled (frame, 63, 1);
    }
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, 4);
  g_assert_cmpuint (get_stat (self->sink, "n-frames"), ==, 1);
}

static GstBuffer *
allocate (Stream *self, gsize size, guint8 number)
{
  GstBuffer *buffer = gst_harness_create_buffer (self->harness, size);

  g_assert_nonnull (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, size);
  fill (buffer, number);

  return buffer;
}

/* What is not video is as long as upstream likes. */
static void
test_allocator (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;
  g_autoptr (ShndFrame) small_frame = NULL;

  negotiate (self, "video/x-h264");
  join (self);
  push (self, allocate (self, 100000, 1));
  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (100000));
  assert_filled (frame, 100000, 1);
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, 1);

  /* Not worth a file descriptor. */
  push (self, allocate (self, 1000, 2));
  small_frame = receive_any (self->subscriber);
  assert_shape (small_frame, "|u1", SHAPE (1000));
  assert_filled (small_frame, 1000, 2);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
}

static void
test_allocation_params (Stream *self, gconstpointer data)
{
  GstAllocationParams params = { .flags =
                                     GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED,
                                 .align = 63,
                                 .prefix = 100,
                                 .padding = 50 };
  GstAllocator *allocator;

  negotiate (self, "video/x-h264");
  allocator = query_allocator (self, "video/x-h264");

  /* The second one has the slot of the first, with what is in it. */
  for (guint i = 0; i < 2; i++)
    {
      GstMemory *memory = gst_allocator_alloc (allocator, 70000, &params);
      gsize offset, max_size;
      GstMapInfo map;

      g_assert_cmpuint (gst_memory_get_sizes (memory, &offset, &max_size), ==, 70000);
      g_assert_cmpuint (offset, ==, 100);
      g_assert_cmpuint (max_size, ==, 70150);
      gst_memory_resize (memory, -100, 70150);
      g_assert_true (gst_memory_map (memory, &map, GST_MAP_READWRITE));
      g_assert_cmpuint ((guintptr) map.data & 63, ==, 0);
      for (guint j = 0; j < 100; j++)
        g_assert_cmpuint (map.data[j], ==, 0);
      for (guint j = 70100; j < 70150; j++)
        g_assert_cmpuint (map.data[j], ==, 0);
      memset (map.data, CANARY, map.size);
      gst_memory_unmap (memory, &map);
      gst_memory_unref (memory);
    }
  g_assert_cmpuint (get_stat (self->sink, "n-frames"), ==, 1);
  gst_object_unref (allocator);
}

/* What another sink has given out is foreign. */
static void
test_other_sink (Stream *self, gconstpointer data)
{
  Stream other = { 0 };
  g_autoptr (ShndFrame) frame = NULL;
  GstBuffer *buffer;

  stream_set_up (&other, NULL);
  negotiate (&other, CAPS_RGB);
  negotiate (self, CAPS_RGB);
  join (self);
  buffer = new_buffer (&other, 1);
  push (self, buffer);
  frame = receive_any (self->subscriber);
  assert_filled (frame, 63, 1);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
  stream_tear_down (&other, NULL);
}

/* Parts of a buffer, which share its memory. */
static void
test_parts (Stream *self, gconstpointer data)
{
  static const struct
  {
    gsize offset;
    gsize size;
    guint64 n_copied;
  } parts[] = {
    { 70000, 30000, 0 },
    { 80000, 10, 0 }, /* in the one before */
    { 0, 70000, 1 },  /* the publisher gives no more of it than before */
    { 5, 0, 1 },
  };
  g_autoptr (GstBuffer) buffer = NULL;

  negotiate (self, "application/octet-stream");
  join (self);
  buffer = allocate (self, 100000, 1);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autoptr (ShndFrame) frame = NULL;
      const guint8 *bytes;

      push (self, gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, parts[i].offset,
                                          parts[i].size));
      frame = receive_any (self->subscriber);
      assert_shape (frame, "|u1", SHAPE ((gint64) parts[i].size));
      bytes = shnd_array_get_data (shnd_frame_get_array (frame));
      for (gsize j = 0; j < parts[i].size; j++)
        g_assert_cmpuint (bytes[j], ==, (guint8) (31 + (parts[i].offset + j) * 7));
      if (i < 3)
        g_assert_cmpuint (get_stat (self->sink, "copied"), ==, parts[i].n_copied);
    }
}

static void
test_resized (Stream *self, gconstpointer data)
{
  GstBuffer *buffer;
  g_autoptr (ShndFrame) frame = NULL;
  const guint8 *bytes;

  negotiate (self, "application/octet-stream");
  join (self);
  buffer = allocate (self, 100000, 1);
  gst_buffer_resize (buffer, 100, 500);
  push (self, buffer);

  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (500));
  bytes = shnd_array_get_data (shnd_frame_get_array (frame));
  g_assert_cmpuint (bytes[0], ==, (guint8) (31 + 100 * 7));
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, 1);
}

static void
test_several_memories (Stream *self, gconstpointer data)
{
  GstBuffer *buffer;
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, "application/octet-stream");
  join (self);
  buffer = gst_buffer_append (allocate (self, 100000, 1), allocate (self, 100000, 1));
  push (self, buffer);

  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (200000));
  assert_filled (frame, 100000, 1);
  g_assert_cmpuint (get_stat (self->sink, "copied"), ==, 1);
}

static void
test_empty_buffer (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = NULL;

  negotiate (self, "application/octet-stream");
  join (self);
  push (self, gst_buffer_new ());
  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (0));
}

static void
test_list (Stream *self, gconstpointer data)
{
  GstBufferList *list = gst_buffer_list_new ();

  negotiate (self, "application/octet-stream");
  join (self);
  gst_buffer_list_add (list, new_foreign_buffer (10, 1));
  gst_buffer_list_add (list, new_foreign_buffer (20, 2));
  g_assert_cmpint (gst_pad_push_list (self->harness->srcpad, list), ==, GST_FLOW_OK);
  for (guint i = 1; i <= 2; i++)
    {
      g_autoptr (ShndFrame) frame = receive_any (self->subscriber);

      assert_shape (frame, "|u1", SHAPE (10 * i));
      assert_filled (frame, 10 * i, i);
    }
}

/* No caps at all, as from filesrc. */
static void
test_no_caps (Stream *self, gconstpointer data)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (self->sink, "sink");
  g_autoptr (ShndFrame) frame = NULL;
  GstSegment segment;

  gst_pad_unlink (self->harness->srcpad, sink);
  gst_pad_set_active (src, TRUE);
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_harness_play (self->harness);
  join (self);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_assert_true (gst_pad_push_event (src, gst_event_new_stream_start ("bytes")));
  g_assert_true (gst_pad_push_event (src, gst_event_new_segment (&segment)));
  g_assert_cmpint (gst_pad_push (src, new_foreign_buffer (10, 1)), ==, GST_FLOW_OK);

  frame = receive_any (self->subscriber);
  assert_shape (frame, "|u1", SHAPE (10));
  assert_filled (frame, 10, 1);
  gst_pad_unlink (src, sink);
  gst_pad_link (self->harness->srcpad, sink);
}

/* What decoders ask, before they choose. */
static void
test_preference (Stream *self, gconstpointer data)
{
  static const struct
  {
    const char *offered;
    const char *taken;
  } cases[] = {
    { "video/x-raw(memory:VAMemory),format=NV12;video/x-raw,format=NV12;"
      "video/x-raw(memory:DMABuf),format=NV12",
      "video/x-raw,format=NV12" },
    { "video/x-raw(memory:GLMemory),format=RGBA;image/jpeg",
      "video/x-raw(memory:GLMemory),format=RGBA;image/jpeg" },
    { "video/x-raw(meta:GstVideoOverlayComposition);video/x-raw(memory:DMABuf)",
      "video/x-raw(meta:GstVideoOverlayComposition)" },
    { "video/x-raw(ANY),width=5", "video/x-raw(ANY),width=5" },
    { "ANY", "ANY" },
  };
  g_autoptr (GstCaps) without_filter = gst_pad_peer_query_caps (self->harness->srcpad, NULL);
  g_autoptr (GstCaps) textures = gst_caps_from_string ("video/x-raw(memory:GLMemory),format=RGBA");

  g_assert_true (gst_caps_is_any (without_filter));
  g_assert_true (gst_pad_peer_query_accept_caps (self->harness->srcpad, textures));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GstCaps) offered = gst_caps_from_string (cases[i].offered);
      g_autoptr (GstCaps) taken = gst_pad_peer_query_caps (self->harness->srcpad, offered);
      g_autofree char *text = gst_caps_to_string (taken);
      g_autoptr (GstCaps) expected = gst_caps_from_string (cases[i].taken);
      g_autofree char *expected_text = gst_caps_to_string (expected);

      g_assert_cmpstr (text, ==, expected_text);
    }
}

/* ---- Pools ---- */

static void
test_query (Stream *self, gconstpointer data)
{
  static const struct
  {
    const char *caps;
    gboolean has_pool;
    gboolean has_allocator;
  } cases[] = {
    { CAPS_RGB, TRUE, TRUE },
    { "video/x-raw(meta:GstVideoOverlayComposition),format=I420,width=4,height=4,framerate=1/1",
      TRUE, TRUE },
    { "video/x-raw(memory:GLMemory),format=RGBA,width=4,height=4,framerate=1/1", FALSE, FALSE },
    { "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved", FALSE, TRUE },
    { "video/x-h264", FALSE, TRUE },
  };
  GstQuery *without_caps = gst_query_new_allocation (NULL, TRUE);

  gst_harness_play (self->harness);
  g_assert_false (gst_pad_peer_query (self->harness->srcpad, without_caps));
  gst_query_unref (without_caps);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GstCaps) caps = gst_caps_from_string (cases[i].caps);
      GstQuery *query = gst_query_new_allocation (caps, FALSE);

      g_assert_true (gst_pad_peer_query (self->harness->srcpad, query));
      g_assert_cmpint (gst_query_get_n_allocation_pools (query), ==, cases[i].has_pool);
      g_assert_cmpint (gst_query_get_n_allocation_params (query), ==, cases[i].has_allocator);
      gst_query_unref (query);
    }
}

static void
set_pool_alignment (
    GstBufferPool *pool, const char *text, guint align, guint padding, guint stride_align)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstAllocationParams params = { .align = align };
  GstVideoAlignment alignment = { .padding_left = padding,
                                  .padding_top = padding,
                                  .padding_right = padding,
                                  .padding_bottom = padding };
  GstVideoInfo info;

  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    alignment.stride_align[i] = stride_align;
  g_assert_true (gst_video_info_from_caps (&info, caps));
  gst_buffer_pool_config_set_params (config, caps, info.size, 0, 0);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment (config, &alignment);
  /* The size becomes larger, but that is no failure. */
  g_assert_true (gst_buffer_pool_set_config (pool, config));
}

/* Decoders want room around the picture, and rows that begin at certain addresses. */
static void
test_alignment (Stream *self, gconstpointer data)
{
  static const guint aligns[][2] = { { 0, 31 }, { 63, 31 }, { 16383, 31 }, { 0, 16383 } };

  negotiate (self, CAPS_RGB);
  join (self);
  for (guint i = 0; i < G_N_ELEMENTS (aligns); i++)
    {
      g_autoptr (GstBufferPool) pool = query_pool (self, CAPS_RGB);
      g_autoptr (ShndFrame) frame = NULL;
      GstBuffer *buffer = NULL;
      GstVideoFrame video;
      GstVideoInfo info;
      const gint64 *strides;
      guint n;
      const guint8 *bytes;
      g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS_RGB);

      g_assert_true (gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT));
      set_pool_alignment (pool, CAPS_RGB, aligns[i][0], 8, aligns[i][1]);
      g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
      g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), ==, GST_FLOW_OK);
      g_assert_true (gst_video_info_from_caps (&info, caps));
      g_assert_true (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
      g_assert_cmpuint ((guintptr) video.map[0].data & MAX (aligns[i][0], aligns[i][1]), ==, 0);
      g_assert_cmpint (GST_VIDEO_FRAME_PLANE_STRIDE (&video, 0) % 32, ==, 0);
      for (guint y = 0; y < 4; y++)
        memset ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&video, 0) +
                    y * GST_VIDEO_FRAME_PLANE_STRIDE (&video, 0),
                (int) y + 1, 15);
      gst_video_frame_unmap (&video);
      push (self, buffer);

      frame = receive_any (self->subscriber);
      assert_shape (frame, "|u1", SHAPE (4, 5, 3));
      strides = shnd_array_get_strides (shnd_frame_get_array (frame), &n);
      g_assert_cmpint (strides[0], >=, (5 + 16) * 3);
      bytes = shnd_array_get_data (shnd_frame_get_array (frame));
      for (guint y = 0; y < 4; y++)
        g_assert_true (bytes[y * strides[0]] == y + 1 && bytes[y * strides[0] + 14] == y + 1);
      g_assert_true (gst_buffer_pool_set_active (pool, FALSE));
    }
  g_assert_cmpuint (get_stat (self->sink, "zero-copy"), ==, G_N_ELEMENTS (aligns));
}

static void
test_pool_config (Stream *self, gconstpointer data)
{
  g_autoptr (GstBufferPool) pool = NULL;
  g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS_RGB);
  GstStructure *config;
  GstBuffer *buffer = NULL;
  guint size;

  gst_harness_play (self->harness);
  pool = query_pool (self, CAPS_RGB);

  /* Too small a size is refused, and the right one is said. */
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, 10, 0, 0);
  g_assert_false (gst_buffer_pool_set_config (pool, config));
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL);
  g_assert_cmpuint (size, ==, SIZE_RGB);
  gst_buffer_pool_config_set_params (config, caps, 1000, 0, 0);
  g_assert_true (gst_buffer_pool_set_config (pool, config));

  /* Filters are not to copy its layout to their own buffers. */
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), ==, GST_FLOW_FLUSHING);
  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 1000);
  g_assert_true (GST_META_FLAG_IS_SET (gst_buffer_get_video_meta (buffer), GST_META_FLAG_POOLED));

  /* What is still out is no reason not to stop. */
  g_assert_true (gst_buffer_pool_set_active (pool, FALSE));
  gst_buffer_unref (buffer);
}

/* ---- Several streams ---- */

static void
test_renegotiation (Stream *self, gconstpointer data)
{
  GstBuffer *old;
  g_autoptr (ShndFrame) first = NULL;
  g_autoptr (ShndFrame) second = NULL;
  g_autoptr (ShndFrame) third = NULL;

  negotiate (self, CAPS_RGB);
  join (self);
  old = new_buffer (self, 1);
  push (self, gst_buffer_ref (old));
  first = receive_any (self->subscriber);

  negotiate (self, "video/x-raw,format=GRAY8,width=8,height=100,framerate=30/1");
  push (self, new_buffer (self, 2));
  second = receive_any (self->subscriber);
  assert_shape (second, "|u1", SHAPE (100, 8));
  assert_filled (second, 800, 2);
  assert_shape (first, "|u1", SHAPE (4, 5, 3));
  assert_filled (first, 63, 1);
  g_object_unref (g_steal_pointer (&first));

  /* Of the old pool: in place as well. */
  negotiate (self, "video/x-raw,format=GRAY8,width=8,height=8,framerate=30/1");
  push (self, old);
  third = receive_any (self->subscriber);
  assert_shape (third, "|u1", SHAPE (8, 8));
  g_assert_cmpuint (get_stat (self->sink, "frames"), ==, 3);
}

static void
push_and_check_caps (Stream *self, const char *caps, const char *dtype, gsize length)
{
  g_autoptr (ShndFrame) frame = NULL;
  const char *said = NULL;

  push (self, new_foreign_buffer (SIZE_RGB, 1));
  frame = receive_any (self->subscriber);
  assert_shape (frame, dtype, SHAPE (length, 1));
  g_assert_true (g_variant_lookup (shnd_frame_get_metadata (frame), "caps", "&s", &said));
  g_assert_cmpstr (said, ==, caps);
}

/* Buffers that differ in nothing but caps. */
static void
test_same_size (Stream *self, gconstpointer data)
{
  static const char shorts[] =
      "audio/x-raw, format=(string)S16LE, rate=(int)8000, channels=(int)1, "
      "layout=(string)interleaved";
  static const char floats[] =
      "audio/x-raw, format=(string)F32LE, rate=(int)8000, channels=(int)1, "
      "layout=(string)interleaved";

  negotiate (self, shorts);
  join (self);
  push_and_check_caps (self, shorts, "<i2", SIZE_RGB / 2);
  push_and_check_caps (self, shorts, "<i2", SIZE_RGB / 2);
  negotiate (self, floats);
  push_and_check_caps (self, floats, "<f4", SIZE_RGB / 4);
  negotiate (self, shorts);
  push_and_check_caps (self, shorts, "<i2", SIZE_RGB / 2);
}

/* What the state READY leaves behind are no caps, and nothing that was made of them. */
static void
test_no_caps_later (Stream *self, gconstpointer data)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstPad) sink = gst_element_get_static_pad (self->sink, "sink");
  g_autoptr (ShndFrame) first = NULL;
  g_autoptr (ShndFrame) second = NULL;
  GstSegment segment;

  negotiate (self, "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved");
  join (self);
  push (self, new_foreign_buffer (SIZE_RGB, 1));
  first = receive_any (self->subscriber);
  assert_shape (first, "<i2", SHAPE (SIZE_RGB / 2, 1));

  gst_element_set_state (self->sink, GST_STATE_READY);
  gst_pad_unlink (self->harness->srcpad, sink);
  gst_pad_set_active (src, TRUE);
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_element_set_state (self->sink, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_assert_true (gst_pad_push_event (src, gst_event_new_stream_start ("bytes")));
  g_assert_true (gst_pad_push_event (src, gst_event_new_segment (&segment)));
  g_assert_cmpint (gst_pad_push (src, new_foreign_buffer (SIZE_RGB, 2)), ==, GST_FLOW_OK);

  second = receive_any (self->subscriber);
  assert_shape (second, "|u1", SHAPE (SIZE_RGB));
  g_assert_false (g_variant_lookup (shnd_frame_get_metadata (second), "caps", "s", NULL));
  gst_pad_unlink (src, sink);
  gst_pad_link (self->harness->srcpad, sink);
}

int
main (int argc, char **argv)
{
  int status;

  init (&argc, &argv);

  ADD_STREAM ("/gst/sink/pool", test_pool);
  ADD_STREAM ("/gst/sink/foreign-memory", test_foreign_memory);
  ADD_STREAM ("/gst/sink/kept-buffer", test_kept_buffer);
  ADD_STREAM ("/gst/sink/same-buffer", test_same_buffer);
  ADD_STREAM ("/gst/sink/allocator", test_allocator);
  ADD_STREAM ("/gst/sink/allocation-params", test_allocation_params);
  ADD_STREAM ("/gst/sink/other-sink", test_other_sink);
  ADD_STREAM ("/gst/sink/parts", test_parts);
  ADD_STREAM ("/gst/sink/resized", test_resized);
  ADD_STREAM ("/gst/sink/several-memories", test_several_memories);
  ADD_STREAM ("/gst/sink/empty-buffer", test_empty_buffer);
  ADD_STREAM ("/gst/sink/list", test_list);
  ADD_STREAM ("/gst/sink/no-caps", test_no_caps);
  ADD_STREAM ("/gst/sink/preference", test_preference);
  ADD_STREAM ("/gst/sink/query", test_query);
  ADD_STREAM ("/gst/sink/alignment", test_alignment);
  ADD_STREAM ("/gst/sink/pool-config", test_pool_config);
  ADD_STREAM ("/gst/sink/renegotiation", test_renegotiation);
  ADD_STREAM ("/gst/sink/same-size", test_same_size);
  ADD_STREAM ("/gst/sink/no-caps-later", test_no_caps_later);

  status = g_test_run ();
  assert_no_leaks ();

  return status;
}
