/* SPDX-License-Identifier: MIT */

/* What the tests of publishers, subscribers and frames need. */

#pragma once

#include <glib/gstdio.h>

#include "subscriber-support.h"
#include "sync-support.h"

#define N_BYTES 4096

/* A publisher at an address of its own, and a subscriber of it. */
typedef struct
{
  char *folder;
  char *path;
  ShndPublisher *publisher;
  ShndSubscriber *subscriber;
} Stream;

static inline void
stream_set_up (Stream *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "socket", NULL);
  self->publisher = shnd_publisher_new (self->path, &error);
  g_assert_no_error (error);
  self->subscriber = new_subscriber (self->path);
}

/* The thread in which an asynchronous call was done may still be about to drop its reference when the
 * callback has been called. */
static inline void
assert_finalized_soon (gpointer object)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  g_object_add_weak_pointer (object, &object);
  g_object_unref (object);
  while (g_atomic_pointer_get (&object) != NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
}

/* Nothing of it is left. */
static inline void
stream_tear_down (Stream *self, gconstpointer data)
{
  assert_finalized_soon (self->subscriber);
  assert_finalized_soon (self->publisher);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->path);
}

/* A frame of bytes to be filled. */
static inline ShndFrame *
acquire (ShndPublisher *publisher)
{
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");
  g_autoptr (GError) error = NULL;
  ShndFrame *frame =
      shnd_publisher_acquire (publisher, dtype, SHAPE (N_BYTES), PATIENCE, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (frame);
  return frame;
}

static inline void
fill (ShndFrame *frame, guint64 number)
{
  guint8 *data = shnd_array_get_data (shnd_frame_get_array (frame));

  for (guint i = 0; i < N_BYTES; i++)
    data[i] = (guint8) (number * 31 + i * 7);
}

static inline gboolean
is_filled (ShndFrame *frame)
{
  const guint64 number = shnd_frame_get_sequence (frame);
  const guint8 *data = shnd_array_get_data (shnd_frame_get_array (frame));

  for (guint i = 0; i < N_BYTES; i++)
    {
      if (data[i] != (guint8) (number * 31 + i * 7))
        return FALSE;
    }
  return TRUE;
}

/* Publishes a frame that is filled with its number. Only one thread may do so at a time. */
static inline void
publish (ShndPublisher *publisher)
{
  g_autoptr (ShndFrame) frame = acquire (publisher);
  g_autoptr (GError) error = NULL;

  fill (frame, shnd_publisher_get_sequence (publisher) + 1);
  shnd_publisher_publish (publisher, frame, PATIENCE, NULL, &error);
  g_assert_no_error (error);
}

static inline ShndFrame *
receive (ShndSubscriber *subscriber)
{
  ShndFrame *frame = receive_any (subscriber);

  g_assert_true (is_filled (frame));
  return frame;
}

/* Lets it connect. */
static inline void
join (Stream *self)
{
  g_autoptr (GError) error = NULL;
  guint n = shnd_publisher_get_n_subscribers (self->publisher);

  g_assert_null (shnd_subscriber_receive (self->subscriber, 0, NULL, &error));
  assert_message (error, SHND_ERROR_TIMED_OUT, "");
  g_clear_error (&error);
  shnd_publisher_wait_subscribers (self->publisher, n + 1, PATIENCE, NULL, &error);
  g_assert_no_error (error);
}

#define ADD_STREAM(name, func)                                                                     \
  g_test_add (name, Stream, NULL, stream_set_up, func, stream_tear_down)
