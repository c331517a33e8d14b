/* SPDX-License-Identifier: MIT */

/* What the tests of shndsink need: one in a harness, and a subscriber as the other side. */

#pragma once

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <string.h>

#include "gstshndsink.h"
#include "leaks-support.h"
#include "subscriber-support.h"

#define CAPS_RGB "video/x-raw,format=RGB,width=5,height=4,framerate=30/1"
#define SIZE_RGB 64 /* with rows of 16 bytes */

typedef struct
{
  char *folder;
  char *path;
  GstHarness *harness;
  GstElement *sink;
  GstBufferPool *pool;
  ShndSubscriber *subscriber;
} Stream;

/* What a pipeline would do as well: a harness has no bus. */
static inline void
add_bus (GstElement *element)
{
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
}

static inline void
stream_set_up (Stream *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "socket", NULL);
  self->sink = gst_element_factory_make ("shndsink", NULL);
  g_assert_nonnull (self->sink);
  gst_object_ref_sink (self->sink);
  g_object_set (self->sink, "address", self->path, "sync", FALSE, "async", FALSE, NULL);
  add_bus (self->sink);
  self->harness = gst_harness_new_with_element (self->sink, "sink", NULL);
  self->subscriber = new_subscriber (self->path);
}

/* What upstream is offered, which it has not used yet. */
static inline GstBufferPool *
query_pool (Stream *self, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool = NULL;

  g_assert_true (gst_pad_peer_query (self->harness->srcpad, query));
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  gst_query_unref (query);

  return pool;
}

static inline GstAllocator *
query_allocator (Stream *self, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  GstAllocator *allocator;

  g_assert_true (gst_pad_peer_query (self->harness->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &allocator, NULL);
  gst_query_unref (query);

  return allocator;
}

static inline void
clear_pool (Stream *self)
{
  if (self->pool != NULL)
    g_assert_true (gst_buffer_pool_set_active (self->pool, FALSE));
  gst_clear_object (&self->pool);
}

/* As a source would do it: a harness does not ask for a pool. */
static inline void
negotiate (Stream *self, const char *caps)
{
  gst_harness_set_src_caps_str (self->harness, caps);
  clear_pool (self);
  self->pool = query_pool (self, caps);
  if (self->pool != NULL)
    g_assert_true (gst_buffer_pool_set_active (self->pool, TRUE));
}

/* Nothing of it is left. */
static inline void
stream_tear_down (Stream *self, gconstpointer data)
{
  clear_pool (self);
  g_assert_finalize_object (self->subscriber);
  gst_element_set_bus (self->sink, NULL);
  gst_harness_teardown (self->harness);
  g_assert_cmpint (GST_OBJECT_REFCOUNT_VALUE (self->sink), ==, 1);
  gst_object_unref (self->sink);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->path);
}

#define ADD_STREAM(name, func)                                                                     \
  g_test_add (name, Stream, NULL, stream_set_up, func, stream_tear_down)

static inline void
assert_no_frame (ShndSubscriber *subscriber, ShndError code)
{
  g_autoptr (GError) error = NULL;
  gint64 timeout = code == SHND_ERROR_TIMED_OUT ? 0 : PATIENCE;

  g_assert_null (shnd_subscriber_receive (subscriber, timeout, NULL, &error));
  g_assert_error (error, SHND_ERROR, (int) code);
}

static inline guint64
get_stat (GstElement *sink, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;
  guint small;

  g_object_get (sink, "stats", &stats, NULL);
  if (gst_structure_get_uint64 (stats, name, &value))
    return value;

  g_assert_true (gst_structure_get_uint (stats, name, &small));
  return small;
}

static inline guint
get_subscribers (GstElement *sink)
{
  guint n_subscribers;

  g_object_get (sink, "subscribers", &n_subscribers, NULL);
  return n_subscribers;
}

static inline void
wait_for_subscribers (GstElement *sink, guint n)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (get_subscribers (sink) != n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
}

/* Lets it connect. */
static inline void
join (Stream *self)
{
  guint n = get_subscribers (self->sink);

  assert_no_frame (self->subscriber, SHND_ERROR_TIMED_OUT);
  wait_for_subscribers (self->sink, n + 1);
}

/* Bytes that no other number gives. */
static inline void
fill (GstBuffer *buffer, guint8 number)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) (number * 31 + i * 7);
  gst_buffer_unmap (buffer, &map);
}

static inline gboolean
is_filled (const guint8 *data, gsize size, guint8 number)
{
  for (gsize i = 0; i < size; i++)
    {
      if (data[i] != (guint8) (number * 31 + i * 7))
        return FALSE;
    }
  return TRUE;
}

static inline void
assert_filled (ShndFrame *frame, gsize size, guint8 number)
{
  g_autoptr (GError) error = NULL;
  gsize offset, all;
  g_autoptr (GBytes) bytes = shnd_frame_get_memory (frame, &offset, &error);
  const guint8 *data;

  g_assert_no_error (error);
  data = g_bytes_get_data (bytes, &all);
  g_assert_cmpuint (offset + size, <=, all);
  g_assert_true (is_filled (data + offset, size, number));
}

/* One of the sink's pool, with these bytes. */
static inline GstBuffer *
new_buffer (Stream *self, guint8 number)
{
  GstBuffer *buffer = NULL;

  g_assert_cmpint (gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL), ==, GST_FLOW_OK);
  fill (buffer, number);
  return buffer;
}

static inline GstBuffer *
new_foreign_buffer (gsize size, guint8 number)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  fill (buffer, number);
  return buffer;
}

static inline void
push (Stream *self, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (self->harness, buffer), ==, GST_FLOW_OK);
}

static inline void
assert_shape (ShndFrame *frame, const char *dtype, const gint64 *shape, guint n_dims)
{
  ShndArray *array = shnd_frame_get_array (frame);
  guint n;
  const gint64 *actual = shnd_array_get_shape (array, &n);

  g_assert_cmpstr (shnd_dtype_to_string (shnd_array_get_dtype (array)), ==, dtype);
  g_assert_cmpmem (actual, n * sizeof (gint64), shape, n_dims * sizeof (gint64));
}

/* Of the elements that are posted, the first error. */
static inline void
assert_error_message (GstElement *element, GstResourceError code, const char *text)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (element);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, PATIENCE * GST_USECOND, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_assert_error (error, GST_RESOURCE_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s”: expected “%s” in it", error->message, text);
}

static inline void
init (int *argc, char ***argv)
{
  trace_leaks ("GstShndSink,GstShndPool,GstShndAllocator,GstBuffer,GstMemory");
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (shndsink, NULL));
}
