/* SPDX-License-Identifier: MIT */

#include <glib/gstdio.h>
#include <sys/wait.h>

#include "sync-support.h"

/* Publishers and subscribers in several threads, which scripts cannot show as well. */

static gint stop;

static ShndPublisher *
new_publisher (void)
{
  g_autoptr (GError) error = NULL;
  ShndPublisher *publisher = shnd_publisher_new ("streams", &error);

  g_assert_no_error (error);
  return publisher;
}

static ShndSubscriber *
new_subscriber (void)
{
  g_autoptr (GError) error = NULL;
  ShndSubscriber *subscriber = shnd_subscriber_new ("streams", &error);

  g_assert_no_error (error);
  return subscriber;
}

static gpointer
publish (gpointer publisher)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", NULL);
  const gint64 shape[] = { 8 };

  while (!g_atomic_int_get (&stop))
    {
      g_autoptr (ShndFrame) frame =
          shnd_publisher_acquire (publisher, dtype, shape, 1, -1, NULL, NULL);

      g_assert_true (shnd_publisher_publish (publisher, frame, -1, NULL, NULL));
      g_usleep (20);
    }
  return NULL;
}

static gpointer
receive (gpointer subscriber)
{
  while (!shnd_subscriber_get_closed (subscriber))
    {
      g_autoptr (ShndFrame) frame G_GNUC_UNUSED =
          shnd_subscriber_receive (subscriber, 1000, NULL, NULL);
    }
  return NULL;
}

static gboolean
authorize_cb (ShndPublisher *publisher)
{
  shnd_publisher_close (publisher);
  return TRUE;
}

/* Whoever waits for subscribers is told of the end, though it has come while nobody slept. */
static void
test_close_when_asked (void)
{
  g_autoptr (ShndPublisher) publisher = new_publisher ();
  g_autoptr (ShndSubscriber) subscriber = new_subscriber ();
  GThread *thread;

  g_signal_connect (publisher, "authorize", G_CALLBACK (authorize_cb), NULL);
  thread = g_thread_new ("receive", receive, subscriber);
  ASSERT_FAILS (shnd_publisher_wait_subscribers (publisher, 1, -1, NULL, failure),
                SHND_ERROR_CLOSED, "");
  shnd_subscriber_close (subscriber);
  g_thread_join (thread);
}

static gpointer
iterate (gpointer context)
{
  g_main_context_push_thread_default (context);
  while (!g_atomic_int_get (&stop))
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gboolean
watch_cb (gpointer subscriber)
{
  g_assert_true (shnd_subscriber_watch (subscriber, NULL));
  return G_SOURCE_REMOVE;
}

/* The last reference goes while another thread gets the frames. */
static void
test_drop_watched (void)
{
  g_autoptr (ShndPublisher) publisher = new_publisher ();
  g_autoptr (GMainContext) context = g_main_context_new ();
  GThread *publishing, *iterating;

  g_atomic_int_set (&stop, FALSE);
  publishing = g_thread_new ("publish", publish, publisher);
  iterating = g_thread_new ("iterate", iterate, context);
  for (guint i = 0; i < 2000; i++)
    {
      ShndSubscriber *subscriber = new_subscriber ();

      g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, watch_cb, g_object_ref (subscriber),
                                  g_object_unref);
      while (!shnd_subscriber_get_watching (subscriber))
        g_thread_yield ();
      g_usleep (g_random_int_range (0, 500));
      g_object_unref (subscriber);
    }

  g_atomic_int_set (&stop, TRUE);
  g_main_context_wakeup (context);
  g_thread_join (iterating);
  g_thread_join (publishing);
}

/* A child may drop what it has inherited, whatever other threads did with it at that moment. That
 * GObject is not made for fork() with threads can keep a child from getting that far. */
static void
test_fork (void)
{
  g_autoptr (ShndPublisher) publisher = NULL;
  ShndSubscriber *subscriber;
  GThread *publishing, *receiving;

  if (g_getenv ("SHND_TEST_VALGRIND") != NULL)
    {
      g_test_skip ("For valgrind, what the parent's other threads had is lost in the child");
      return;
    }

  publisher = new_publisher ();
  subscriber = new_subscriber ();
  g_atomic_int_set (&stop, FALSE);
  shnd_subscriber_set_spin (subscriber, 1000);
  publishing = g_thread_new ("publish", publish, publisher);
  receiving = g_thread_new ("receive", receive, subscriber);
  for (guint i = 0; i < 80; i++)
    {
      int status;
      pid_t child = fork ();

      if (child == 0)
        {
          ualarm (100000, 0);
          shnd_subscriber_get_connected (subscriber);
          g_object_unref (subscriber);
          g_object_unref (publisher);
          _exit (0);
        }
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      if (!WIFSIGNALED (status) || WTERMSIG (status) != SIGALRM)
        g_assert_cmpint (status, ==, 0);
    }

  g_atomic_int_set (&stop, TRUE);
  shnd_subscriber_close (subscriber);
  g_thread_join (receiving);
  g_thread_join (publishing);
  g_object_unref (subscriber);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("shnd-streams-XXXXXX", NULL);
  g_autofree char *inner = g_build_filename (folder, "shndarray", NULL);
  int result;

  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/streams/close-when-asked", test_close_when_asked);
  g_test_add_func ("/streams/drop-watched", test_drop_watched);
  g_test_add_func ("/streams/fork", test_fork);

  result = g_test_run ();
  g_assert_cmpint (g_rmdir (inner), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);

  return result;
}
