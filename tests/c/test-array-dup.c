/* SPDX-License-Identifier: MIT */

#include "array-support.h"

/* Copies of arrays: how far they are, how they are stopped, and those that another thread makes. */

#define MIB (1024 * 1024)

/* Numbers from 0 on, in C order. */
static ShndArray *
new_numbers (const gint64 *shape, guint n_dims)
{
  ShndArray *array = new_array (NULL, "<i4", shape, n_dims);
  gint32 *numbers = shnd_array_get_data (array);

  for (gsize i = 0; i < shnd_array_get_n_bytes (array) / sizeof *numbers; i++)
    numbers[i] = i;

  return array;
}

static gint64
get_number (ShndArray *array, gint64 row, gint64 column)
{
  g_autoptr (GError) error = NULL;
  gint64 number = shnd_array_get_int64 (array, SHAPE (row, column), &error);

  g_assert_no_error (error);
  return number;
}

static void
test_progress (void)
{
  g_autoptr (ShndArray) array = new_numbers (SHAPE (1000, 1300));
  g_autoptr (ShndArray) transposed = shnd_array_transpose (array, NULL, 0, NULL);
  g_autoptr (ShndArray) empty = new_array (NULL, "<i4", SHAPE (3, 0));
  ShndArray *const sources[] = { array, transposed, empty };
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    for (guint j = 0; j < 2; j++)
      {
        ShndCreateFlags flags = j == 0 ? SHND_CREATE_NONE : SHND_CREATE_FORTRAN;
        gint64 n_bytes = shnd_array_get_n_bytes (sources[i]);
        Progress progress = { 0 };
        g_autoptr (ShndArray) copy =
            shnd_array_dup (sources[i], NULL, flags, NULL, progress_cb, &progress, &error);

        g_assert_no_error (error);
        g_assert_cmpint (progress.current, ==, n_bytes);
        g_assert_cmpint (progress.total, ==, n_bytes);
        g_assert_cmpuint (progress.n_calls, >=, n_bytes > 4 * MIB ? 2 : 1);
        if (n_bytes == 0)
          continue;
        g_assert_cmpint (shnd_array_get_order (copy), ==,
                         j == 0 ? SHND_ORDER_C : SHND_ORDER_FORTRAN);
        g_assert_cmpint (get_number (copy, 999, 1), ==, get_number (sources[i], 999, 1));
        g_assert_cmpint (get_number (copy, 998, 999), ==, get_number (sources[i], 998, 999));
      }
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* Nothing is left of what was stopped. */
static void
test_stops (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (64 * MIB));
  g_autoptr (ShndArray) reversed = shnd_array_slice (array, 0, 64 * MIB - 1, -1, -1, NULL);
  g_autoptr (ShndArray) empty = new_array (NULL, "u1", SHAPE (0));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ShndArray *const sources[] = { array, reversed, empty };
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      Progress progress = { .cancel = cancellable };

      g_cancellable_reset (cancellable);
      g_assert_null (
          shnd_array_dup (sources[i], name, 0, cancellable, progress_cb, &progress, &error));
      assert_cancelled (error);
      g_clear_error (&error);
      g_assert_cmpuint (progress.n_calls, ==, 1);
      g_assert_cmpint (progress.total, ==, shnd_array_get_n_bytes (sources[i]));
      if (sources[i] != empty)
        g_assert_cmpint (progress.current, <, progress.total);
      assert_no_name (name);

      /* Cancelled before, it makes nothing. */
      g_assert_null (
          shnd_array_dup (sources[i], name, 0, cancellable, progress_cb, &progress, &error));
      assert_cancelled (error);
      g_clear_error (&error);
      g_assert_cmpuint (progress.n_calls, ==, 1);
    }

  g_assert_null (shnd_array_dup (empty, "a/b", 0, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_INVALID_NAME, "a/b");
  g_clear_error (&error);
  g_assert_null (shnd_array_dup (empty, NULL, 1 << 20, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "Flags");
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  gpointer source;
  ShndArray *array;
  GError *error;
  gboolean running; /* within the call of dup_async() */
} Copying;

static void
copied_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Copying *copying = data;

  g_assert_false (copying->running);
  g_assert_true (g_thread_self () == copying->thread);
  g_assert_true (object == copying->source);
  g_assert_true (g_async_result_is_tagged (result, shnd_array_dup_async));
  copying->array = shnd_array_dup_finish (SHND_ARRAY (object), result, &copying->error);
  g_main_loop_quit (copying->loop);
}

/* With `close`, before all is copied. */
static void
run_dup (Copying *copying,
         ShndArray *array,
         const char *name,
         ShndCreateFlags flags,
         GCancellable *stop,
         gboolean close)
{
  g_autofree char *passing_name = g_strdup (name);

  g_clear_object (&copying->array);
  g_clear_error (&copying->error);
  copying->thread = g_thread_self ();
  copying->source = array;
  copying->running = TRUE;
  shnd_array_dup_async (array, passing_name, flags, stop, copied_cb, copying);
  copying->running = FALSE;
  g_clear_pointer (&passing_name, g_free);
  if (close)
    shnd_array_close (array);
  g_main_loop_run (copying->loop);
}

static void
test_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_numbers (SHAPE (300, 500));
  g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 499, -1, -1, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Copying copying = { .loop = loop };
  guint n_fds;

  run_dup (&copying, array, name, SHND_CREATE_FORTRAN, cancellable, FALSE);
  g_assert_no_error (copying.error);
  g_assert_cmpstr (shnd_array_get_name (copying.array), ==, name);
  g_assert_cmpint (shnd_array_get_order (copying.array), ==, SHND_ORDER_FORTRAN);
  g_assert_cmpint (get_number (copying.array, 299, 0), ==, 149500);
  {
    g_autoptr (ShndArray) first = g_steal_pointer (&copying.array);

    g_assert_false (shnd_array_get_closed (first));
    run_dup (&copying, array, name, 0, NULL, FALSE);
    g_assert_null (copying.array);
    assert_message (copying.error, SHND_ERROR_EXISTS, name);
  }
  assert_no_name (name);

  g_cancellable_cancel (cancellable);
  run_dup (&copying, array, name, 0, cancellable, FALSE);
  g_assert_null (copying.array);
  assert_cancelled (copying.error);
  assert_no_name (name);

  /* What it shows at the time of the call is copied, though it is closed then. */
  run_dup (&copying, view, NULL, 0, NULL, TRUE);
  g_assert_no_error (copying.error);
  g_assert_null (shnd_array_get_name (copying.array));
  g_assert_cmpint (get_number (copying.array, 299, 0), ==, 149999);
  run_dup (&copying, view, NULL, 0, NULL, FALSE);
  g_assert_null (copying.array);
  g_assert_error (copying.error, SHND_ERROR, SHND_ERROR_CLOSED);
  g_clear_error (&copying.error);

  /* Nobody asks for the copy: it is given back. */
  n_fds = count_fds ();
  shnd_array_dup_async (array, name, 0, NULL, ignored_cb, loop);
  g_main_loop_run (loop);
  while (count_fds () > n_fds || has_name (name))
    g_usleep (1000);
}

/* A result belongs to one function, and to one array. */
static void
test_finish (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (5));
  g_autoptr (GTask) of_nobody = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GTask) of_other_function = g_task_new (array, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (of_nobody, shnd_array_dup_async);
  g_task_return_boolean (of_nobody, TRUE);
  g_task_set_source_tag (of_other_function, shnd_array_save_async);
  g_task_return_boolean (of_other_function, TRUE);

  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  g_assert_null (shnd_array_dup_finish (array, G_ASYNC_RESULT (of_nobody), &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_null (shnd_array_dup_finish (array, G_ASYNC_RESULT (of_other_function), &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/dup/progress", test_progress);
  g_test_add_func ("/array/dup/stops", test_stops);
  g_test_add_func ("/array/dup/async", test_async);
  g_test_add_func ("/array/dup/finish", test_finish);

  return g_test_run ();
}
