/* SPDX-License-Identifier: MIT */

#include "sync-support.h"

/* The change counter: who waits for it, in what way; and waiting for a name. */

static ShndArray *
make (const char *name)
{
  return new_array (name, "<i8", SHAPE (4));
}

static void
update (ShndArray *array)
{
  g_autoptr (GError) error = NULL;

  shnd_array_update (array, &error);
  g_assert_no_error (error);
}

static void
test_counter (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 0, 2, 1, NULL);
  g_autoptr (GError) error = NULL;
  ControlPage *page = map_control (name);
  guint64 sequence = 99;

  g_assert_cmpuint (shnd_array_get_sequence (array), ==, 0);
  update (array);
  update (view);
  g_assert_cmpuint (shnd_array_get_sequence (array), ==, 2);
  g_assert_cmpuint (shnd_array_get_sequence (reader), ==, 2);
  g_assert_cmpuint (GUINT64_FROM_LE (page->sequence), ==, 2);

  /* Another number is there already, a greater or a smaller one. */
  g_assert_true (shnd_array_wait (reader, 0, -1, NULL, &sequence, &error));
  g_assert_cmpuint (sequence, ==, 2);
  g_assert_true (shnd_array_wait (reader, 3, 0, NULL, &sequence, &error));
  g_assert_cmpuint (sequence, ==, 2);
  g_assert_true (
      shnd_array_wait (reader, 2 + (G_GUINT64_CONSTANT (1) << 32), -1, NULL, NULL, &error));

  for (guint i = 0; i < 2; i++)
    {
      ASSERT_FAILS (shnd_array_wait (reader, 2, i * 30000, NULL, &sequence, failure),
                    SHND_ERROR_TIMED_OUT, name);
      g_assert_cmpuint (sequence, ==, 2);
    }

  /* The word that is slept on comes round. */
  page->sequence = GUINT64_TO_LE (G_MAXUINT32);
  update (array);
  g_assert_true (shnd_array_wait (reader, G_MAXUINT32, -1, NULL, &sequence, &error));
  g_assert_cmpuint (sequence, ==, G_GUINT64_CONSTANT (1) << 32);
  munmap (page, 4096);
}

static void
test_refused (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, ".npy", NULL);
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) file = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  ASSERT_FAILS (shnd_array_update (reader, failure), SHND_ERROR_READ_ONLY, "reading");
  ASSERT_FAILS (shnd_array_wait (array, 0, -2, NULL, NULL, failure), SHND_ERROR_INVALID_ARGUMENT,
                "-2");
  g_cancellable_cancel (cancelled);
  g_assert_false (shnd_array_wait (array, 0, -1, cancelled, NULL, &error));
  assert_cancelled (error);

  g_assert_true (shnd_array_save (array, path, SHND_SAVE_NONE, NULL, NULL, NULL, NULL));
  file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, NULL);
  g_assert_cmpuint (shnd_array_get_sequence (file), ==, 0);
  ASSERT_FAILS (shnd_array_update (file, failure), SHND_ERROR_UNSUPPORTED, "no change counter");
  ASSERT_FAILS (shnd_array_wait (file, 0, -1, NULL, NULL, failure), SHND_ERROR_UNSUPPORTED,
                "no change counter");
  ASSERT_FAILS (shnd_array_watch (file, failure), SHND_ERROR_UNSUPPORTED, "no change counter");
  g_assert_false (shnd_array_get_watching (file));
  g_assert_cmpint (unlink (path), ==, 0);

  shnd_array_close (array);
  ASSERT_FAILS (shnd_array_update (array, failure), SHND_ERROR_CLOSED, "closed");
  ASSERT_FAILS (shnd_array_wait (array, 0, -1, NULL, NULL, failure), SHND_ERROR_CLOSED, "closed");
  ASSERT_FAILS (shnd_array_watch (array, failure), SHND_ERROR_CLOSED, "closed");
  g_assert_cmpuint (shnd_array_get_sequence (array), ==, 0);
}

typedef struct
{
  ShndArray *array;
  guint64 since;
  GCancellable *cancellable;
  gint *n_ready;

  gboolean changed;
  guint64 sequence;
  GError *error;
} Waiter;

static gpointer
wait_for_update (gpointer data)
{
  Waiter *waiter = data;

  g_atomic_int_inc (waiter->n_ready);
  waiter->changed = shnd_array_wait (waiter->array, waiter->since, PATIENCE, waiter->cancellable,
                                     &waiter->sequence, &waiter->error);

  return NULL;
}

/* Most of them will sleep by then; what they do is the same if they do not. */
static void
let_them_sleep (const gint *n_ready, gint n)
{
  while (g_atomic_int_get (n_ready) < n)
    g_thread_yield ();
  g_usleep (20000);
}

/* One update wakes them all. */
static void
test_many (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  guint n = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 20 : 200;
  g_autofree Waiter *waiters = g_new0 (Waiter, n);
  g_autofree GThread **threads = g_new0 (GThread *, n);
  gint n_ready = 0;

  for (guint i = 0; i < n; i++)
    {
      waiters[i].array = i % 2 ? array : reader;
      waiters[i].n_ready = &n_ready;
      threads[i] = g_thread_new (NULL, wait_for_update, &waiters[i]);
    }
  let_them_sleep (&n_ready, n);
  update (array);
  for (guint i = 0; i < n; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (waiters[i].error);
      g_assert_true (waiters[i].changed);
      g_assert_cmpuint (waiters[i].sequence, ==, 1);
    }
}

/* From one process to another and back, again and again. */
static void
test_processes (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  const guint n = 1000;
  guint64 sequence = 0;
  gint64 *numbers = shnd_array_get_data (array);
  pid_t pid = fork ();

  if (pid == 0)
    {
      for (guint i = 0; i < n; i++)
        {
          if (!shnd_array_wait (array, 2 * i, PATIENCE, NULL, &sequence, NULL) ||
              sequence != 2 * i + 1 || numbers[0] != i)
            end_child (1);
          numbers[1] = numbers[0] * 3;
          if (!shnd_array_update (array, NULL))
            end_child (1);
        }
      end_child (0);
    }

  for (guint i = 0; i < n; i++)
    {
      numbers[0] = i;
      update (array);
      g_assert_true (shnd_array_wait (array, 2 * i + 1, PATIENCE, NULL, &sequence, NULL));
      g_assert_cmpuint (sequence, ==, 2 * i + 2);
      g_assert_cmpint (numbers[1], ==, 3 * i);
    }
  wait_for_child (pid);
}

static void
test_end_of_waiting (void)
{
  for (guint kind = 0; kind < 3; kind++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = make (name);
      g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      gint n_ready = 0;
      Waiter waiter = { .array = other, .n_ready = &n_ready };
      GThread *thread;

      waiter.cancellable = kind == 2 ? NULL : cancellable;
      thread = g_thread_new (NULL, wait_for_update, &waiter);
      let_them_sleep (&n_ready, 1);
      if (kind == 0)
        update (array);
      else if (kind == 1)
        g_cancellable_cancel (cancellable);
      else
        shnd_array_close (other);
      g_thread_join (thread);

      g_assert_cmpint (waiter.changed, ==, kind == 0);
      g_assert_cmpuint (waiter.sequence, ==, kind == 0 ? 1 : 0);
      if (kind == 1)
        assert_cancelled (waiter.error);
      if (kind == 2)
        assert_message (waiter.error, SHND_ERROR_CLOSED, "closed");
      g_clear_error (&waiter.error);
    }
}

/* The counter of a copy is 0, whatever it is in the file that was copied; then it is its own. */
static void
test_copy (void)
{
  for (guint n_updates = 0; n_updates < 3; n_updates++)
    {
      g_autofree char *name = get_name ();
      g_autofree char *copy_name = get_name ();
      g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
      g_autofree char *copy_path = g_strconcat ("/dev/shm/", copy_name, NULL);
      g_autofree char *contents = NULL;
      g_autoptr (ShndArray) array = make (name);
      g_autoptr (ShndArray) copy = NULL;
      g_autoptr (ShndArray) reader = NULL;
      gint n_ready = 0;
      Waiter waiter = { .n_ready = &n_ready };
      GThread *thread;
      gsize length;

      for (guint i = 0; i < n_updates; i++)
        update (array);
      g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
      g_assert_true (g_file_set_contents_full (copy_path, contents, length,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      copy = open_array (copy_name, SHND_ACCESS_READ_WRITE);
      reader = open_array (copy_name, SHND_ACCESS_READ);
      g_assert_cmpuint (shnd_array_get_sequence (reader), ==, 0);

      waiter.array = reader;
      thread = g_thread_new (NULL, wait_for_update, &waiter);
      let_them_sleep (&n_ready, 1);
      update (copy);
      g_thread_join (thread);
      g_assert_true (waiter.changed);
      g_assert_cmpuint (waiter.sequence, ==, 1);
      g_assert_cmpuint (shnd_array_get_sequence (copy), ==, 1);
      g_assert_cmpuint (shnd_array_get_sequence (array), ==, n_updates);
      unlink_name (copy_name);
    }
}

typedef struct
{
  guint n_pending;
  gboolean changed;
  guint64 sequence;
  GError *error;
} Async;

static void
wait_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Async *async = data;

  async->n_pending--;
  g_assert_true (g_async_result_is_tagged (result, shnd_array_wait_async));
  async->changed =
      shnd_array_wait_finish (SHND_ARRAY (object), result, &async->sequence, &async->error);
}

static void
begin (ShndArray *array, guint64 since, gint64 timeout, GCancellable *cancellable, Async *async)
{
  g_clear_error (&async->error);
  async->n_pending = 1;
  shnd_array_wait_async (array, since, timeout, cancellable, wait_cb, async);
  g_assert_cmpuint (async->n_pending, ==, 1);
}

static void
finish (Async *async)
{
  while (async->n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Async async = { 0 };
  Async asyncs[300] = { 0 };

  begin (reader, 0, 0, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_TIMED_OUT, name);
  begin (reader, 0, 30000, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_TIMED_OUT, name);
  begin (reader, 0, -1, cancellable, &async);
  g_cancellable_cancel (cancellable);
  finish (&async);
  assert_cancelled (async.error);
  g_assert_false (async.changed);

  begin (reader, 0, -1, NULL, &async);
  update (array);
  finish (&async);
  g_assert_no_error (async.error);
  g_assert_true (async.changed);
  g_assert_cmpuint (async.sequence, ==, 1);

  /* More than one thread can sleep on. */
  for (guint i = 0; i < G_N_ELEMENTS (asyncs); i++)
    begin (i % 2 ? array : reader, 1, PATIENCE, NULL, &asyncs[i]);
  update (array);
  for (guint i = 0; i < G_N_ELEMENTS (asyncs); i++)
    {
      finish (&asyncs[i]);
      g_assert_no_error (asyncs[i].error);
      g_assert_cmpuint (asyncs[i].sequence, ==, 2);
    }

  begin (reader, 2, -1, NULL, &async);
  shnd_array_close (reader);
  finish (&async);
  assert_message (async.error, SHND_ERROR_CLOSED, "closed");
  begin (reader, 2, -1, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_CLOSED, "closed");
  g_clear_error (&async.error);
}

typedef struct
{
  guint n_emitted;
  guint64 sequence;
  GThread *thread;
  ShndArray *to_update;
} Watch;

static void
updated_cb (ShndArray *array, guint64 sequence, gpointer data)
{
  Watch *watch = data;

  g_assert_true (g_thread_self () == watch->thread);
  g_assert_cmpuint (sequence, >, watch->sequence);
  watch->sequence = sequence;
  watch->n_emitted++;
  if (watch->to_update != NULL && sequence < 20)
    update (watch->to_update);
}

static void
wait_until_seen (Watch *watch, guint64 sequence)
{
  while (watch->sequence < sequence)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_watch (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (GError) error = NULL;
  Watch watch = { .thread = g_thread_self () };
  gulong id;

  update (array);
  id = g_signal_connect (reader, "updated", G_CALLBACK (updated_cb), &watch);
  g_assert_false (shnd_array_get_watching (reader));
  g_assert_true (shnd_array_watch (reader, &error));
  g_assert_no_error (error);
  g_assert_true (shnd_array_watch (reader, &error));
  g_assert_true (shnd_array_get_watching (reader));

  for (guint i = 2; i < 10; i++)
    {
      update (array);
      wait_until_seen (&watch, i);
      g_assert_cmpuint (watch.sequence, ==, i);
    }
  /* Not more than there were updates, however many they are. */
  for (guint i = 10; i < 1000; i++)
    update (array);
  wait_until_seen (&watch, 999);
  g_assert_cmpuint (watch.n_emitted, <=, 998);

  /* Then no more. */
  shnd_array_unwatch (reader);
  shnd_array_unwatch (reader);
  g_assert_false (shnd_array_get_watching (reader));
  update (array);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (watch.sequence, ==, 999);
  g_signal_handler_disconnect (reader, id);

  /* Closing, or freeing, ends it. */
  g_assert_true (shnd_array_watch (reader, &error));
  update (array);
  shnd_array_close (reader);
  g_assert_false (shnd_array_get_watching (reader));
  g_assert_true (shnd_array_watch (array, &error));
  update (array);
  g_assert_finalize_object (g_steal_pointer (&array));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  assert_no_name (name);
}

/* A handler updates the array itself. */
static void
test_watch_own (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  Watch watch = { .thread = g_thread_self (), .to_update = array };

  g_signal_connect (array, "updated", G_CALLBACK (updated_cb), &watch);
  g_assert_true (shnd_array_watch (array, NULL));
  update (array);
  wait_until_seen (&watch, 20);
  g_assert_cmpuint (shnd_array_get_sequence (array), ==, 20);
}

static gpointer
watch_in_thread (gpointer data)
{
  ShndArray *array = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  Watch watch = { .thread = g_thread_self () };
  gulong id;

  g_main_context_push_thread_default (context);
  id = g_signal_connect (array, "updated", G_CALLBACK (updated_cb), &watch);
  g_assert_true (shnd_array_watch (array, NULL));
  update (array);
  while (watch.sequence == 0)
    g_main_context_iteration (context, TRUE);
  shnd_array_unwatch (array);
  g_signal_handler_disconnect (array, id);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* The signal comes in the context of who called. */
static void
test_watch_context (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);

  g_thread_join (g_thread_new (NULL, watch_in_thread, array));
}

/* Parents go on waiting; children begin anew. */
static void
test_fork (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  Async async = { 0 };
  Watch watch = { .thread = g_thread_self () };
  pid_t pid;

  g_signal_connect (array, "updated", G_CALLBACK (updated_cb), &watch);
  g_assert_true (shnd_array_watch (array, NULL));
  begin (array, 0, -1, NULL, &async);
  pid = fork ();
  if (pid == 0)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();
      Async own = { 0 };

      g_main_context_push_thread_default (context);
      begin (array, 0, -1, NULL, &own);
      update (array);
      while (own.n_pending > 0)
        g_main_context_iteration (context, TRUE);
      g_object_unref (array);
      end_child (own.changed && own.sequence == 1 ? 0 : 1);
    }
  wait_for_child (pid);
  finish (&async);
  g_assert_true (async.changed);
  g_assert_cmpuint (async.sequence, ==, 1);
  wait_until_seen (&watch, 1);
}

/* ---- A name ---- */

static void
test_open_wait (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *made_name = get_name ();
  g_autoptr (ShndArray) there = make (made_name);
  g_autoptr (ShndArray) opened = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  pid_t pid;

  opened = shnd_array_open_wait (made_name, SHND_ACCESS_READ, 0, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&opened);

  for (guint i = 0; i < 2; i++)
    ASSERT_FAILS (shnd_array_open_wait (name, SHND_ACCESS_READ, i * 30000, NULL, failure) != NULL,
                  SHND_ERROR_TIMED_OUT, name);
  ASSERT_FAILS (shnd_array_open_wait ("a/b", SHND_ACCESS_READ, -1, NULL, failure) != NULL,
                SHND_ERROR_INVALID_NAME, "a/b");
  ASSERT_FAILS (shnd_array_open_wait (name, 0, -1, NULL, failure) != NULL,
                SHND_ERROR_INVALID_ARGUMENT, "READ_WRITE");
  ASSERT_FAILS (shnd_array_open_wait (name, SHND_ACCESS_READ, -2, NULL, failure) != NULL,
                SHND_ERROR_INVALID_ARGUMENT, "-2");
  g_cancellable_cancel (cancelled);
  g_assert_null (shnd_array_open_wait (name, SHND_ACCESS_READ, -1, cancelled, &error));
  assert_cancelled (error);
  g_clear_error (&error);

  pid = fork ();
  if (pid == 0)
    {
      ShndArray *mine;

      g_usleep (50000);
      mine = make (name);
      /* Until the other one has it. */
      end_child (shnd_array_wait (mine, 0, PATIENCE, NULL, NULL, NULL) ? 0 : 1);
    }
  opened = shnd_array_open_wait (name, SHND_ACCESS_READ_WRITE, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  update (opened);
  wait_for_child (pid);
}

typedef struct
{
  guint n_pending;
  ShndArray *array;
  GError *error;
} Opening;

static void
opened_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Opening *opening = data;

  g_assert_null (object);
  opening->n_pending--;
  opening->array = shnd_array_open_wait_finish (result, &opening->error);
}

static void
test_open_wait_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ShndArray) array = NULL;
  Opening opening = { 0 }, other = { 0 }, late = { 0 };

  opening.n_pending = other.n_pending = late.n_pending = 1;
  shnd_array_open_wait_async (name, SHND_ACCESS_READ, -1, NULL, opened_cb, &opening);
  shnd_array_open_wait_async (name, SHND_ACCESS_READ, -1, cancellable, opened_cb, &other);
  shnd_array_open_wait_async (name, SHND_ACCESS_READ, 30000, NULL, opened_cb, &late);
  while (late.n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
  assert_message (late.error, SHND_ERROR_TIMED_OUT, name);
  g_cancellable_cancel (cancellable);
  while (other.n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
  assert_cancelled (other.error);
  g_assert_cmpuint (opening.n_pending, ==, 1);

  array = make (name);
  while (opening.n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (opening.error);
  g_assert_cmpstr (shnd_array_get_name (opening.array), ==, name);

  g_object_unref (opening.array);
  g_error_free (other.error);
  g_error_free (late.error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/wait/counter", test_counter);
  g_test_add_func ("/wait/refused", test_refused);
  g_test_add_func ("/wait/many", test_many);
  g_test_add_func ("/wait/processes", test_processes);
  g_test_add_func ("/wait/end", test_end_of_waiting);
  g_test_add_func ("/wait/copy", test_copy);
  g_test_add_func ("/wait/async", test_async);
  g_test_add_func ("/wait/watch", test_watch);
  g_test_add_func ("/wait/watch/own", test_watch_own);
  g_test_add_func ("/wait/watch/context", test_watch_context);
  g_test_add_func ("/wait/fork", test_fork);
  g_test_add_func ("/wait/open", test_open_wait);
  g_test_add_func ("/wait/open/async", test_open_wait_async);

  return g_test_run ();
}
