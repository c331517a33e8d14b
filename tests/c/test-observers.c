/* SPDX-License-Identifier: MIT */

#include "frames-support.h"

static void
assert_addresses (const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = shnd_list_addresses (&error);
  g_autofree char *joined = NULL;

  g_assert_no_error (error);
  joined = g_strjoinv (" ", names);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_addresses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndPublisher) b = NULL;
  g_autoptr (ShndPublisher) a = NULL;

  assert_addresses ("");
  b = shnd_publisher_new ("b", &error);
  g_assert_no_error (error);
  a = shnd_publisher_new ("a", &error);
  g_assert_no_error (error);
  assert_addresses ("a b");
  ASSERT_FAILS (shnd_publisher_new ("a", failure), SHND_ERROR_EXISTS, "Another publisher");
  shnd_publisher_close (b);
  assert_addresses ("a");
  shnd_publisher_close (a);
  assert_addresses ("");
}

/* ---- Observers ---- */

static void
observe (Stream *self)
{
  /* From here on the publisher admits who comes. */
  g_assert_cmpuint (shnd_publisher_get_n_subscribers (self->publisher), ==, 0);
  shnd_subscriber_set_observer (self->subscriber, TRUE);
  while (!shnd_subscriber_get_connected (self->subscriber))
    ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, 1000, NULL, failure),
                  SHND_ERROR_TIMED_OUT, "");
}

static void
assert_status (
    ShndSubscriber *self, guint64 sequence, guint n_subscribers, guint64 n_dropped, guint64 size)
{
  guint64 own_sequence, own_n_dropped, own_size;
  guint own_n_subscribers;

  g_assert_cmpuint (shnd_subscriber_get_sequence (self), ==, sequence);
  g_assert_cmpuint (shnd_subscriber_get_n_subscribers (self), ==, n_subscribers);
  g_assert_cmpuint (shnd_subscriber_get_n_dropped (self), ==, n_dropped);
  g_assert_cmpuint (shnd_subscriber_get_frame_size (self), ==, size);
  g_object_get (self, "sequence", &own_sequence, "n-subscribers", &own_n_subscribers, "n-dropped",
                &own_n_dropped, "frame-size", &own_size, NULL);
  g_assert_cmpuint (own_sequence, ==, sequence);
  g_assert_cmpuint (own_n_subscribers, ==, n_subscribers);
  g_assert_cmpuint (own_n_dropped, ==, n_dropped);
  g_assert_cmpuint (own_size, ==, size);
}

static void
test_empty (void)
{
  g_autoptr (ShndSubscriber) subscriber =
      g_object_new (SHND_TYPE_SUBSCRIBER, "observer", TRUE, NULL);
  gboolean observer;

  g_object_get (subscriber, "observer", &observer, NULL);
  g_assert_true (observer);
  assert_status (subscriber, 0, 0, 0, 0);
}

static void
test_status (Stream *self, gconstpointer data)
{
  g_autoptr (ShndSubscriber) other = new_subscriber (self->path);

  publish (self->publisher);
  assert_status (self->subscriber, 0, 0, 0, 0);
  observe (self);
  assert_status (self->subscriber, 1, 0, 0, N_BYTES);
  g_object_unref (receive (other));
  for (guint i = 2; i <= 5; i++)
    {
      publish (self->publisher);
      assert_status (self->subscriber, i, 1, i <= 3 ? 0 : i - 3, N_BYTES);
    }
  g_assert_cmpuint (shnd_publisher_get_n_subscribers (self->publisher), ==, 1);
  ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, 0, NULL, failure), SHND_ERROR_TIMED_OUT,
                "has not ended");

  shnd_publisher_close (self->publisher);
  for (guint i = 0; i < 2; i++)
    ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, PATIENCE, NULL, failure),
                  SHND_ERROR_END_OF_STREAM, "ended");
  /* What was missed came before the end, after all. */
  assert_status (self->subscriber, 5, 0, 1, N_BYTES);
  g_assert_cmpuint (shnd_subscriber_get_granted_depth (self->subscriber), ==, 0);
  g_assert_cmpuint (shnd_subscriber_get_granted_depth (other), ==, 2);
  shnd_subscriber_close (self->subscriber);
  assert_status (self->subscriber, 5, 0, 1, N_BYTES);
}

/* Nobody waits for one. */
static void
test_block (Stream *self, gconstpointer data)
{
  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_BLOCK);
  shnd_publisher_set_depth (self->publisher, 1);
  shnd_publisher_set_max_frames (self->publisher, 1);
  observe (self);
  for (guint i = 0; i < 50; i++)
    publish (self->publisher);
  assert_status (self->subscriber, 50, 0, 0, N_BYTES);
  g_assert_cmpuint (shnd_publisher_get_n_frames (self->publisher), ==, 1);
  ASSERT_FAILS (shnd_publisher_wait_subscribers (self->publisher, 1, 1000, NULL, failure),
                SHND_ERROR_TIMED_OUT, "has 0 subscribers");
}

static gpointer
look (gpointer data)
{
  ShndSubscriber *subscriber = data;
  guint64 last = 0;

  while (last < 2000)
    {
      guint64 sequence = shnd_subscriber_get_sequence (subscriber);

      g_assert_cmpuint (sequence, >=, last);
      last = sequence;
      g_thread_yield ();
    }
  return NULL;
}

/* One thread waits for the end, another one looks, while there are others that come and go. */
static void
test_threads (Stream *self, gconstpointer data)
{
  GThread *thread;

  observe (self);
  thread = g_thread_new ("look", look, self->subscriber);
  for (guint i = 0; i < 2000; i++)
    {
      publish (self->publisher);
      if (i % 100 == 0)
        {
          g_autoptr (ShndSubscriber) other = new_subscriber (self->path);

          g_autoptr (ShndFrame) frame = NULL;

          /* Some are gone before they are welcomed, and some are not. */
          shnd_subscriber_set_observer (other, i % 200 == 0);
          frame = shnd_subscriber_receive (other, i, NULL, NULL);
        }
    }
  g_thread_join (thread);
  shnd_publisher_close (self->publisher);
  ASSERT_FAILS (shnd_subscriber_receive (self->subscriber, PATIENCE, NULL, failure),
                SHND_ERROR_END_OF_STREAM, "ended");
}

int
main (int argc, char *argv[])
{
  g_autofree char *folder = g_dir_make_tmp ("shnd-test-XXXXXX", NULL);
  g_autofree char *own = g_build_filename (folder, "shndarray", NULL);
  int status;

  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/observers/addresses", test_addresses);
  g_test_add_func ("/observers/empty", test_empty);
  ADD_STREAM ("/observers/status", test_status);
  ADD_STREAM ("/observers/block", test_block);
  ADD_STREAM ("/observers/threads", test_threads);

  status = g_test_run ();
  g_assert_cmpint (g_rmdir (own), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return status;
}
