/* SPDX-License-Identifier: MIT */

#include <gst/check/gsttestclock.h>
#include <signal.h>
#include <sys/wait.h>

#include "src-support.h"

/* ---- Memory ---- */

static gboolean
can_acquire (Source *self, gint64 timeout)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame =
      shnd_publisher_acquire (self->publisher, dtype, ONE, timeout, NULL, &error);

  g_assert_true (frame != NULL || g_error_matches (error, SHND_ERROR, SHND_ERROR_TIMED_OUT));
  return frame != NULL;
}

static void
test_zero_copy (Source *self, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = NULL;

  shnd_publisher_set_max_frames (self->publisher, 1);
  play (self);
  publish_one (self);
  buffer = pull (self);
  g_assert_cmpuint (gst_buffer_n_memory (buffer), ==, 1);
  g_assert_true (GST_MEMORY_IS_READONLY (gst_buffer_peek_memory (buffer, 0)));
  assert_buffer (buffer, 64);
  g_assert_cmpuint (get_stat (self, "zero-copy"), ==, 1);

  /* The frame goes back with the buffer, also if the element was stopped. */
  g_assert_false (can_acquire (self, 0));
  gst_element_set_state (self->element, GST_STATE_NULL);
  assert_buffer (buffer, 64);
  g_assert_false (can_acquire (self, 0));
  gst_clear_buffer (&buffer);
  g_assert_true (can_acquire (self, PATIENCE));
}

static void
test_copies (Source *self, gconstpointer data)
{
  static const struct
  {
    guint depth;
    guint granted;
    guint n_shared;
  } cases[] = { { 8, 4, 2 }, { 0, 4, 2 }, { 3, 3, 1 }, { 2, 2, 1 }, { 1, 1, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GstBuffer *kept[10];

      g_object_set (self->element, "depth", cases[i].depth, NULL);
      play (self);
      for (guint k = 0; k < G_N_ELEMENTS (kept); k++)
        {
          publish_one (self);
          kept[k] = pull (self);
          assert_buffer (kept[k], 64);
        }
      g_assert_cmpuint (get_stat (self, "zero-copy"), ==, cases[i].n_shared);
      g_assert_cmpuint (get_stat (self, "copied"), ==, G_N_ELEMENTS (kept) - cases[i].n_shared);

      /* And when they are gone, it begins again. */
      for (guint k = 0; k < G_N_ELEMENTS (kept); k++)
        gst_buffer_unref (kept[k]);
      publish_one (self);
      gst_buffer_unref (pull (self));
      g_assert_cmpuint (get_stat (self, "zero-copy"), ==,
                        cases[i].n_shared + (cases[i].n_shared > 0 ? 1 : 0));

      /* Another one has no frame that is left of before. */
      gst_element_set_state (self->element, GST_STATE_NULL);
      g_object_unref (self->publisher);
      new_publisher (self);
    }
}

/* ---- Ends ---- */

static void
test_end (Source *self, gconstpointer data)
{
  play (self);
  publish_one (self);
  shnd_publisher_close (self->publisher);
  pull_is_discont (self);
  assert_eos (self);
  assert_nothing_posted (self);
}

static const char *program;

/* A publisher in a process of its own, which lives until it is told otherwise. */
static GPid
spawn_publisher (Source *self)
{
  const char *const argv[] = { program, "--publish", self->path, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static int
run_publisher (const char *path)
{
  Source self = { .path = (char *) path };

  new_publisher (&self);
  wait_for_subscriber (&self);
  publish_one (&self);
  pause ();
  return 0;
}

static void
kill_publisher (GPid pid)
{
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_spawn_close_pid (pid);
}

static void
remove_leftovers (Source *self)
{
  g_clear_object (&self->publisher);
  new_publisher (self);
  shnd_publisher_close (self->publisher);
}

static void
test_killed (Source *self, gconstpointer data)
{
  GPid pid;

  g_clear_object (&self->publisher);
  pid = spawn_publisher (self);
  gst_harness_play (self->harness);
  pull_is_discont (self);
  kill_publisher (pid);
  assert_message_posted (self, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                         "is gone");
  assert_eos (self);
  remove_leftovers (self);
}

static void
test_reconnect (Source *self, gconstpointer data)
{
  GPid pid;

  g_object_set (self->element, "reconnect", TRUE, NULL);
  play (self);
  publish_one (self);
  pull_is_discont (self);
  for (guint i = 0; i < 2; i++)
    {
      g_object_unref (self->publisher);
      new_publisher (self);
      wait_for_subscriber (self);
      publish_one (self);
      publish_one (self);
      g_assert_true (pull_is_discont (self));
      g_assert_false (pull_is_discont (self));
    }

  g_clear_object (&self->publisher);
  pid = spawn_publisher (self);
  g_assert_true (pull_is_discont (self));
  kill_publisher (pid);
  new_publisher (self);
  wait_for_subscriber (self);
  publish_one (self);
  g_assert_true (pull_is_discont (self));
  assert_nothing_posted (self);

  /* Not for ever. */
  g_object_set (self->element, "reconnect", FALSE, NULL);
  shnd_publisher_close (self->publisher);
  assert_eos (self);
}

/* ---- Waiting ---- */

static void
test_timeout (Source *self, gconstpointer data)
{
  g_clear_object (&self->publisher);
  g_object_set (self->element, "timeout", (guint64) 10 * GST_MSECOND, NULL);
  gst_harness_play (self->harness);
  assert_message_posted (self, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                         "no publisher");
}

/* A publisher that has nothing to say is one. */
static void
test_timeout_of_silence (Source *self, gconstpointer data)
{
  g_object_set (self->element, "timeout", (guint64) 1 * GST_MSECOND, NULL);
  g_object_set (self->element, "timeout", (guint64) 0, NULL);
  play (self);
  publish_one (self);
  pull_is_discont (self);
  g_object_set (self->element, "timeout", (guint64) GST_MSECOND, NULL);
  publish_one (self);
  pull_is_discont (self);
  g_usleep (20000);
  assert_nothing_posted (self);
  publish_one (self);
  g_assert_false (pull_is_discont (self));
}

/* With a publisher and without, and also one after the other. */
static void
test_unlock (Source *self, gconstpointer data)
{
  gst_harness_play (self->harness);
  for (guint i = 0; i < 40; i++)
    {
      static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED };

      if (i == 20)
        g_clear_object (&self->publisher);
      if (i % 4 == 0 && self->publisher != NULL)
        wait_for_subscriber (self);
      g_assert_cmpint (gst_element_set_state (self->element, states[i % 3]), !=,
                       GST_STATE_CHANGE_FAILURE);
      g_assert_cmpint (gst_element_set_state (self->element, GST_STATE_PLAYING), !=,
                       GST_STATE_CHANGE_FAILURE);
    }
  assert_nothing_posted (self);
}

static void
test_random_states (Source *self, gconstpointer data)
{
  const char *rounds = g_getenv ("SHND_TEST_ROUNDS");
  guint n_rounds = 50 * (rounds != NULL ? atoi (rounds) : 1);

  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_DROP);
  for (guint i = 0; i < n_rounds; i++)
    {
      GstState state = g_test_rand_int_range (GST_STATE_NULL, GST_STATE_PLAYING + 1);

      g_assert_cmpint (gst_element_set_state (self->element, state), !=, GST_STATE_CHANGE_FAILURE);
      publish_one (self);
    }

  gst_element_set_state (self->element, GST_STATE_NULL);
  while (gst_harness_buffers_in_queue (self->harness) > 0)
    gst_buffer_unref (pull (self));
  play (self);
  publish_one (self);
  g_assert_true (pull_is_discont (self));
  assert_nothing_posted (self);
}

static void
test_flush (Source *self, gconstpointer data)
{
  play (self);
  for (guint i = 0; i < 5; i++)
    {
      publish_one (self);
      pull_is_discont (self);
      gst_element_send_event (self->element, gst_event_new_flush_start ());
      gst_element_send_event (self->element, gst_event_new_flush_stop (TRUE));
    }
  gst_element_send_event (self->element, gst_event_new_eos ());
  assert_eos (self);
}

static void
test_addresses (Source *self, gconstpointer data)
{
  g_object_set (self->element, "address", NULL, NULL);
  g_assert_cmpint (gst_element_set_state (self->element, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  assert_message_posted (self, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                         "expected the name of a stream");
  /* GStreamer has something to say about it, too. */
  gst_bus_set_flushing (self->bus, TRUE);
  gst_bus_set_flushing (self->bus, FALSE);
  gst_element_set_state (self->element, GST_STATE_NULL);
  g_object_set (self->element, "address", "a/b", NULL);
  g_assert_cmpint (gst_element_set_state (self->element, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  assert_message_posted (self, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                         "a/b");
  gst_element_set_state (self->element, GST_STATE_NULL);
}

static void
test_uri (Source *self, gconstpointer data)
{
  static const char *const pairs[][2] = {
    { "shnd://cam0", "cam0" },
    { "shnd:///run/user/1000/a%20b", "/run/user/1000/a b" },
  };
  GstURIHandler *handler = GST_URI_HANDLER (self->element);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *address = NULL, *uri = NULL;

      g_assert_true (gst_uri_handler_set_uri (handler, pairs[i][0], &error));
      g_assert_no_error (error);
      g_object_get (self->element, "address", &address, NULL);
      g_assert_cmpstr (address, ==, pairs[i][1]);
      uri = gst_uri_handler_get_uri (handler);
      g_assert_cmpstr (uri, ==, pairs[i][0]);
    }

  g_assert_false (gst_uri_handler_set_uri (handler, "shnd://", &error));
  g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
  g_clear_error (&error);
  gst_element_set_state (self->element, GST_STATE_PAUSED);
  g_assert_false (gst_uri_handler_set_uri (handler, "shnd://cam1", &error));
  g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE);
}

/* What is missed while nobody takes anything shows: the time says which frame it is. */
static void
test_discont (Source *self, gconstpointer data)
{
  const guint n_frames = 40;
  guint n_pulled = 0, n_disconts = 0, last = 0;

  shnd_publisher_set_overflow (self->publisher, SHND_OVERFLOW_DROP);
  play (self);
  publish_at (self, 0, NULL);
  g_assert_true (pull_is_discont (self));
  gst_element_set_state (self->element, GST_STATE_PAUSED);
  for (guint i = 1; i < n_frames; i++)
    publish_at (self, i, NULL);
  g_assert_cmpuint (gst_harness_buffers_in_queue (self->harness), ==, 0);
  gst_element_set_state (self->element, GST_STATE_PLAYING);

  while (last + 1 < n_frames)
    {
      g_autoptr (GstBuffer) buffer = pull (self);
      guint i = GST_BUFFER_PTS (buffer);

      g_assert_cmpint (is_discont (buffer), ==, i != last + 1);
      n_disconts += is_discont (buffer);
      n_pulled++;
      last = i;
    }
  g_assert_cmpuint (n_disconts, ==, 1);
  g_assert_cmpuint (n_pulled, <, 6);
  g_assert_cmpuint (get_stat (self, "received"), ==, n_pulled + 1);
  g_assert_cmpuint (get_stat (self, "missed"), ==, n_frames - n_pulled - 1);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--publish"))
    return run_publisher (argv[2]);

  program = argv[0];
  init_source_tests (&argc, &argv);

  ADD_SOURCE ("/gst/src/zero-copy", test_zero_copy);
  ADD_SOURCE ("/gst/src/copies", test_copies);
  ADD_SOURCE ("/gst/src/end", test_end);
  ADD_SOURCE ("/gst/src/killed", test_killed);
  ADD_SOURCE ("/gst/src/reconnect", test_reconnect);
  ADD_SOURCE ("/gst/src/timeout", test_timeout);
  ADD_SOURCE ("/gst/src/timeout-of-silence", test_timeout_of_silence);
  ADD_SOURCE ("/gst/src/unlock", test_unlock);
  ADD_SOURCE ("/gst/src/random-states", test_random_states);
  ADD_SOURCE ("/gst/src/flush", test_flush);
  ADD_SOURCE ("/gst/src/addresses", test_addresses);
  ADD_SOURCE ("/gst/src/uri", test_uri);
  ADD_SOURCE ("/gst/src/discont", test_discont);

  return run_source_tests ();
}
