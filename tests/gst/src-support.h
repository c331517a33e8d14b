/* SPDX-License-Identifier: MIT */

/* A publisher, and a shndsrc that receives from it. */

#pragma once

#include <glib/gstdio.h>
#include <gst/audio/audio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gstshndsrc.h"
#include "support.h"

typedef struct
{
  char *folder;
  char *path;
  ShndPublisher *publisher;
  GstHarness *harness;
  GstElement *element;
  GstBus *bus;
} Source;

static inline void
new_publisher (Source *self)
{
  g_autoptr (GError) error = NULL;

  self->publisher = shnd_publisher_new (self->path, &error);
  g_assert_no_error (error);
  shnd_publisher_set_depth (self->publisher, 4);
  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_BLOCK);
}

static inline void
source_set_up (Source *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "socket", NULL);
  new_publisher (self);

  self->harness = gst_harness_new ("shndsrc");
  self->element = self->harness->element;
  self->bus = gst_bus_new ();
  gst_element_set_bus (self->element, self->bus);
  g_object_set (self->element, "address", self->path, NULL);
}

/* Nothing of it is left. */
static inline void
source_tear_down (Source *self, gconstpointer data)
{
  GstElement *element = self->element;

  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  g_assert_finalize_object (self->bus);
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *) &self->element);
  gst_harness_teardown (self->harness);
  g_assert_null (self->element);
  g_clear_object (&self->publisher);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->path);
}

static inline void
wait_for_subscriber (Source *self)
{
  g_autoptr (GError) error = NULL;

  shnd_publisher_wait_subscribers (self->publisher, 1, PATIENCE, NULL, &error);
  g_assert_no_error (error);
}

static inline void
play (Source *self)
{
  gst_harness_play (self->harness);
  wait_for_subscriber (self);
}

#define RGB "video/x-raw,format=RGB,framerate=0/1,"

static inline void
accept_video_meta (Source *self)
{
  gst_harness_add_propose_allocation_meta (self->harness, GST_VIDEO_META_API_TYPE, NULL);
}

static inline void
set_caps (Source *self, const char *text)
{
  g_autoptr (GstCaps) caps = text != NULL ? gst_caps_from_string (text) : NULL;

  g_object_set (self->element, "caps", caps, NULL);
}

/* ---- Frames ---- */

static inline ShndFrame *
acquire (Source *self, const char *description, const gint64 *shape, guint n_dims)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (GError) error = NULL;
  ShndFrame *frame =
      shnd_publisher_acquire (self->publisher, dtype, shape, n_dims, PATIENCE, NULL, &error);
  ShndArray *array;
  guint8 *bytes;

  g_assert_no_error (error);
  array = shnd_frame_get_array (frame);
  bytes = shnd_array_get_data (array);
  for (gsize i = 0; i < shnd_array_get_n_bytes (array); i++)
    bytes[i] = (guint8) (i * 7 + i / 251);

  return frame;
}

/* Takes the frame. */
static inline void
publish (Source *self, ShndFrame *frame, const char *metadata)
{
  g_autoptr (GError) error = NULL;

  if (metadata != NULL)
    {
      g_autoptr (GVariant) variant =
          g_variant_parse (G_VARIANT_TYPE_VARDICT, metadata, NULL, NULL, &error);

      g_assert_no_error (error);
      shnd_frame_set_metadata (frame, variant, &error);
      g_assert_no_error (error);
    }
  shnd_publisher_publish (self->publisher, frame, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (frame);
}

static inline void
publish_array (
    Source *self, const char *dtype, const gint64 *shape, guint n_dims, const char *metadata)
{
  publish (self, acquire (self, dtype, shape, n_dims), metadata);
}

/* ---- Buffers ---- */

static inline GstBuffer *
pull (Source *self)
{
  GstBuffer *buffer = gst_harness_pull (self->harness);

  g_assert_nonnull (buffer);
  return buffer;
}

static inline void
assert_caps (Source *self, const char *expected)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->harness->sinkpad);
  g_autoptr (GstCaps) expected_caps = gst_caps_from_string (expected);
  g_autofree char *text = gst_caps_to_string (caps);
  g_autofree char *expected_text = gst_caps_to_string (expected_caps);

  if (!gst_caps_is_equal (caps, expected_caps))
    g_assert_cmpstr (text, ==, expected_text);
}

/* So many bytes of the pattern, from the nth on. */
static inline void
assert_bytes (const guint8 *bytes, gsize n_bytes, gsize first)
{
  for (gsize i = 0; i < n_bytes; i++)
    g_assert_cmpuint (bytes[i], ==, (guint8) ((first + i) * 7 + (first + i) / 251));
}

static inline void
assert_buffer (GstBuffer *buffer, gsize size)
{
  GstMapInfo map;

  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, size);
  if (size == 0)
    return;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  assert_bytes (map.data, size, 0);
  gst_buffer_unmap (buffer, &map);
}

static inline guint64
get_stat (Source *self, const char *name)
{
  GstStructure *stats;
  guint64 value;

  g_object_get (self->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);

  return value;
}

/* ---- One like the other ---- */

#define ONE SHAPE (64)
#define WITH_CAPS(metadata) "{'caps': <'application/octet-stream'>" metadata "}"

static inline void
publish_at (Source *self, gint64 timestamp, const char *metadata)
{
  ShndFrame *frame = acquire (self, "u1", ONE);

  shnd_frame_set_timestamp (frame, timestamp);
  publish (self, frame, metadata);
}

static inline void
publish_one (Source *self)
{
  publish_array (self, "u1", ONE, NULL);
}

static inline gboolean
is_discont (GstBuffer *buffer)
{
  return GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
}

/* Pulls one, and forgets about it. */
static inline gboolean
pull_is_discont (Source *self)
{
  g_autoptr (GstBuffer) buffer = pull (self);

  assert_buffer (buffer, 64);
  return is_discont (buffer);
}

/* ---- Messages and events ---- */

/* Waits for it, and looks whether its text is about that. */
static inline void
assert_message_posted (
    Source *self, GstMessageType type, GQuark domain, int code, const char *about)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (self->bus, PATIENCE * GST_USECOND, type);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, about));
}

static inline void
assert_nothing_posted (Source *self)
{
  g_assert_null (gst_bus_pop_filtered (self->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING));
}

static inline void
assert_eos (Source *self)
{
  gboolean is_eos = FALSE;

  while (!is_eos)
    {
      g_autoptr (GstEvent) event = gst_harness_pull_event (self->harness);

      g_assert_nonnull (event);
      is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    }
}

static inline void
init_source_tests (int *argc, char ***argv)
{
  /* Nothing is needed that is installed. */
  g_setenv ("GST_REGISTRY_DISABLE", "yes", FALSE);
  g_setenv ("GST_DEBUG_NO_COLOR", "1", TRUE);
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (shndsrc, NULL));
}

/* For those who look for leaks. */
static inline int
run_source_tests (void)
{
  int result = g_test_run ();

  gst_deinit ();
  return result;
}

#define ADD_SOURCE(name, func)                                                                     \
  g_test_add (name, Source, NULL, source_set_up, func, source_tear_down)
