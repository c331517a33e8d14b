/* SPDX-License-Identifier: MIT */

/* A shndsink and a shndsrc that has its frames, both in harnesses: what is pushed into the one is
 * pulled from the other. */

#pragma once

#include <glib/gstdio.h>
#include <gst/audio/audio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gstshndsink.h"
#include "gstshndsrc.h"

typedef struct
{
  char *folder;
  char *path;
  GstHarness *sink;
  GstHarness *src;
  GstBufferPool *pool; /* what upstream was offered, active; or NULL */
} Pair;

static inline void
pair_init (Pair *self, gboolean takes_metas)
{
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "socket", NULL);
  self->pool = NULL;

  /* A harness starts what has a sink pad at once. */
  sink = gst_object_ref_sink (gst_element_factory_make ("shndsink", NULL));
  g_object_set (sink, "address", self->path, "sync", FALSE, "async", FALSE, "wait-subscribers", 1,
                NULL);
  self->sink = gst_harness_new_with_element (sink, "sink", NULL);

  self->src = gst_harness_new_with_padnames ("shndsrc", NULL, "src");
  g_object_set (self->src->element, "address", self->path, NULL);
  if (takes_metas)
    {
      gst_harness_add_propose_allocation_meta (self->src, GST_VIDEO_META_API_TYPE, NULL);
      gst_harness_add_propose_allocation_meta (self->src, GST_AUDIO_META_API_TYPE, NULL);
    }
  gst_harness_play (self->src);
}

static inline void
pair_drop_pool (Pair *self)
{
  if (self->pool != NULL)
    g_assert_true (gst_buffer_pool_set_active (self->pool, FALSE));
  gst_clear_object (&self->pool);
}

/* Nothing of it is left. */
static inline void
pair_clear (Pair *self)
{
  pair_drop_pool (self);
  gst_harness_teardown (self->src);
  gst_harness_teardown (self->sink);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->path);
}

/* As any source of a pipeline does. */
static inline void
pair_set_caps (Pair *self, GstCaps *caps)
{
  pair_drop_pool (self);
  gst_harness_set_src_caps (self->sink, gst_caps_ref (caps));
}

/* Takes the pool that is offered, with rows and columns that others do not see. */
static inline void
pair_use_pool (Pair *self, GstCaps *caps, GstVideoAlignment *alignment)
{
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstStructure *config;
  guint size, min, max;

  g_assert_true (gst_pad_peer_query (self->sink->srcpad, query));
  g_assert_cmpuint (gst_query_get_n_allocation_pools (query), >, 0);
  gst_query_parse_nth_allocation_pool (query, 0, &self->pool, &size, &min, &max);
  gst_query_unref (query);

  config = gst_buffer_pool_get_config (self->pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (alignment != NULL)
    {
      gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
      gst_buffer_pool_config_set_video_alignment (config, alignment);
    }
  g_assert_true (gst_buffer_pool_set_config (self->pool, config));
  g_assert_true (gst_buffer_pool_set_active (self->pool, TRUE));
}

static inline GstBuffer *
pair_acquire (Pair *self)
{
  GstBuffer *buffer = NULL;

  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL), ==, GST_FLOW_OK);
  return buffer;
}

/* What comes out. Keeps the buffer. */
static inline GstBuffer *
pair_send (Pair *self, GstBuffer *buffer)
{
  GstBuffer *received;

  g_assert_cmpint (gst_harness_push (self->sink, gst_buffer_ref (buffer)), ==, GST_FLOW_OK);
  received = gst_harness_pull (self->src);
  g_assert_nonnull (received);

  return received;
}

static inline void
pair_assert_caps (Pair *self, GstCaps *expected)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->src->sinkpad);

  if (caps == NULL || !gst_caps_is_equal (caps, expected))
    {
      g_autofree char *text = gst_caps_to_string (caps);
      g_autofree char *expected_text = gst_caps_to_string (expected);

      g_assert_cmpstr (text, ==, expected_text);
    }
}

static inline gboolean
has_same_bytes (GstBuffer *buffer, GstBuffer *expected)
{
  gsize size = gst_buffer_get_size (buffer);
  GstMapInfo map;
  gboolean is_same;

  if (size != gst_buffer_get_size (expected))
    return FALSE;
  if (size == 0)
    return TRUE;
  g_assert_true (gst_buffer_map (expected, &map, GST_MAP_READ));
  is_same = gst_buffer_memcmp (buffer, 0, map.data, map.size) == 0;
  gst_buffer_unmap (expected, &map);

  return is_same;
}

/* Bytes that nobody could guess; `state` is not 0. */
static inline void
fill_randomly (GstBuffer *buffer, guint64 *state)
{
  GstMapInfo map;

  if (gst_buffer_get_size (buffer) == 0)
    return;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    {
      *state ^= *state << 13;
      *state ^= *state >> 7;
      *state ^= *state << 17;
      map.data[i] = (guint8) (*state >> 24);
    }
  gst_buffer_unmap (buffer, &map);
}

static inline guint64
get_count (GstHarness *harness, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (harness->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));

  return value;
}

/* Nothing is needed that is installed. */
static inline void
init_pairs (int *argc, char ***argv)
{
  g_setenv ("GST_REGISTRY_DISABLE", "yes", TRUE);
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (shndsink, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (shndsrc, NULL));
}
