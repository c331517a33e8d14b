/* SPDX-License-Identifier: MIT */

#include <shndarray/shndarray.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array-support.h"

/* A ShndArray as a file: saving it, and opening it for writing. */

static void
test_save (void)
{
  g_autofree char *dir = g_dir_make_tmp ("shnd-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "a.npy", NULL);
  g_autofree char *link_path = g_build_filename (dir, "link.npy", NULL);
  g_autoptr (ShndArray) array = new_array (NULL, "<f8", SHAPE (1000, 1000));
  g_autoptr (ShndArray) transposed = shnd_array_transpose (array, NULL, 0, NULL);
  g_autoptr (ShndArray) strided = shnd_array_slice (array, 1, 999, -1, -3, NULL);
  ShndArray *const sources[] = { array, transposed, strided };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) left = NULL;
  Progress progress = { 0 };
  struct stat info;

  for (guint i = 0; i < 1000000; i++)
    ((double *) shnd_array_get_data (array))[i] = i;

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (ShndArray) saved = NULL;
      const gint64 *shape = shnd_array_get_shape (sources[i], NULL);

      progress = (Progress){ 0 };
      shnd_array_save (sources[i], path, SHND_SAVE_NONE, NULL, progress_cb, &progress, &error);
      g_assert_no_error (error);
      g_assert_cmpint (progress.current, ==, shnd_array_get_n_bytes (sources[i]));
      g_assert_cmpint (progress.total, ==, shnd_array_get_n_bytes (sources[i]));
      g_assert_cmpuint (progress.n_calls, >, 1);

      saved = shnd_array_open_path (path, SHND_ACCESS_READ, &error);
      g_assert_no_error (error);
      g_assert_null (shnd_array_get_name (saved));
      g_assert_cmpint (shnd_array_get_order (saved), ==,
                       i == 1 ? SHND_ORDER_FORTRAN : SHND_ORDER_C);
      for (gint64 row = 0; row < shape[0]; row += 97)
        for (gint64 column = 0; column < shape[1]; column += 31)
          g_assert_cmpfloat (shnd_array_get_double (saved, SHAPE (row, column), NULL), ==,
                             shnd_array_get_double (sources[i], SHAPE (row, column), NULL));
    }

  /* Cancelled in the middle: the file is the one that was there. */
  g_assert_cmpint (stat (path, &info), ==, 0);
  progress = (Progress){ .cancel = cancellable };
  g_assert_false (
      shnd_array_save (array, path, SHND_SAVE_NONE, cancellable, progress_cb, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  {
    struct stat after;

    g_assert_cmpint (stat (path, &after), ==, 0);
    g_assert_cmpint (after.st_ino, ==, info.st_ino);
    g_assert_cmpint (after.st_size, ==, info.st_size);
  }

  /* Through a link the file is replaced, its mode kept. */
  g_assert_cmpint (symlink ("a.npy", link_path), ==, 0);
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  g_assert_true (shnd_array_save (array, link_path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  g_assert_cmpint (lstat (link_path, &info), ==, 0);
  g_assert_true (S_ISLNK (info.st_mode));
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0640);
  g_assert_cmpint (info.st_size, ==, 128 + 8000000);

  g_assert_false (
      shnd_array_save (array, "/nowhere/a.npy", SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "/nowhere/a.npy");
  g_clear_error (&error);
  /* Not a file to be replaced: it stays the device that it is. */
  g_assert_false (shnd_array_save (array, "/dev/full", SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_UNSUPPORTED, "not a regular file");
  g_clear_error (&error);
  g_assert_cmpint (stat ("/dev/full", &info), ==, 0);
  g_assert_true (S_ISCHR (info.st_mode));

  /* Nor is a link that leads nowhere. */
  g_assert_cmpint (unlink (link_path), ==, 0);
  g_assert_cmpint (symlink ("nothing.npy", link_path), ==, 0);
  g_assert_false (shnd_array_save (array, link_path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "leads nowhere");
  g_clear_error (&error);

  g_assert_cmpint (unlink (link_path), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
  /* Nothing temporary is left. */
  left = g_dir_open (dir, 0, NULL);
  g_assert_null (g_dir_read_name (left));
  g_assert_cmpint (rmdir (dir), ==, 0);
}

static void
take_name (goffset done, goffset total, gpointer path)
{
  g_assert_true (g_file_set_contents (path, "theirs", -1, NULL));
}

static void
test_no_replace (void)
{
  const ShndSaveFlags flags = SHND_SAVE_NO_REPLACE;
  g_autofree char *dir = g_dir_make_tmp ("shnd-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "a.npy", NULL);
  g_autofree char *text = NULL;
  g_autoptr (ShndArray) array = new_array (NULL, "<f8", SHAPE (3, 4));
  g_autoptr (ShndArray) saved = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (shnd_array_save (array, path, flags, NULL, NULL, NULL, &error));
  shnd_array_set_double (array, SHAPE (0, 0), 1, NULL);
  g_assert_false (shnd_array_save (array, path, flags, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_EXISTS, path);
  g_clear_error (&error);
  saved = shnd_array_open_path (path, SHND_ACCESS_READ, NULL);
  g_assert_cmpfloat (shnd_array_get_double (saved, SHAPE (0, 0), NULL), ==, 0);

  /* A link is something, wherever it leads. */
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (symlink ("nowhere", path), ==, 0);
  g_assert_false (shnd_array_save (array, path, flags, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_EXISTS, path);
  g_clear_error (&error);

  /* So is what comes while the elements are written. */
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_false (shnd_array_save (array, path, flags, NULL, take_name, path, &error));
  assert_message (error, SHND_ERROR_EXISTS, path);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "theirs");

  /* Nothing temporary is left. */
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  gboolean saved;
  GError *error;
  gboolean running; /* within the call of save_async() */
} Saving;

static void
saved_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;

  g_assert_false (saving->running);
  g_assert_true (g_thread_self () == saving->thread);
  g_assert_true (g_async_result_get_source_object (result) == object);
  g_object_unref (object);
  g_assert_true (g_async_result_is_tagged (result, shnd_array_save_async));
  saving->saved = shnd_array_save_finish (SHND_ARRAY (object), result, &saving->error);
  g_main_loop_quit (saving->loop);
}

/* Until there is a file, without the main loop. */
static void
wait_for_file (const char *path)
{
  while (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_usleep (1000);
}

static void
begin_save (Saving *saving, ShndArray *array, const char *path, GCancellable *cancellable)
{
  g_clear_error (&saving->error);
  saving->thread = g_thread_self ();
  saving->saved = FALSE;
  saving->running = TRUE;
  shnd_array_save_async (array, path, SHND_SAVE_NONE, cancellable, saved_cb, saving);
  saving->running = FALSE;
}

static void
test_save_async (void)
{
  g_autofree char *dir = g_dir_make_tmp ("shnd-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "a.npy", NULL);
  g_autofree char *nowhere = g_build_filename (dir, "none", "a.npy", NULL);
  g_autofree char *other_path = g_build_filename (dir, "other.npy", NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (300, 500));
  g_autoptr (ShndArray) strided = shnd_array_slice (array, 1, 499, -1, -3, NULL);
  g_autoptr (ShndArray) saved = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GCancellable) late = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) left = NULL;
  Saving saving = { .loop = loop };
  ino_t inode = get_inode (name);
  gsize before_length, after_length;

  for (guint i = 0; i < 150000; i++)
    ((gint32 *) shnd_array_get_data (array))[i] = i;

  /* The same file as shnd_array_save() writes. */
  begin_save (&saving, strided, path, NULL);
  g_main_loop_run (loop);
  g_assert_no_error (saving.error);
  g_assert_true (saving.saved);
  g_assert_true (shnd_array_save (strided, other_path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  g_assert_true (g_file_get_contents (path, &before, &before_length, NULL));
  g_assert_true (g_file_get_contents (other_path, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);
  g_clear_pointer (&after, g_free);
  g_assert_cmpint (unlink (other_path), ==, 0);

  /* Nobody has to ask how it went. */
  shnd_array_save_async (array, other_path, SHND_SAVE_NONE, NULL, NULL, NULL);
  wait_for_file (other_path);
  g_assert_cmpint (unlink (other_path), ==, 0);

  /* Cancelled before: the file is as it was. */
  g_cancellable_cancel (cancelled);
  begin_save (&saving, array, path, cancelled);
  g_main_loop_run (loop);
  g_assert_error (saving.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (saving.saved);
  g_assert_true (g_file_get_contents (path, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);

  /* Cancelled when the file is there: it is not reported as cancelled. */
  begin_save (&saving, array, other_path, late);
  wait_for_file (other_path);
  g_cancellable_cancel (late);
  g_main_loop_run (loop);
  g_assert_no_error (saving.error);
  g_assert_true (saving.saved);
  g_assert_cmpint (unlink (other_path), ==, 0);

  begin_save (&saving, array, nowhere, NULL);
  g_main_loop_run (loop);
  g_assert_false (saving.saved);
  assert_message (saving.error, SHND_ERROR_NOT_FOUND, nowhere);

  /* Closed and given back right after the call: what it showed is saved. */
  begin_save (&saving, array, path, NULL);
  g_clear_object (&strided);
  shnd_array_close (array);
  g_clear_object (&array);
  g_main_loop_run (loop);
  g_assert_no_error (saving.error);
  g_assert_true (saving.saved);
  saved = shnd_array_open_path (path, SHND_ACCESS_READ, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_array_get_size (saved), ==, 150000);
  for (guint i = 0; i < 150000; i++)
    g_assert_cmpint (((const gint32 *) shnd_array_get_data (saved))[i], ==, i);

  /* Nothing holds the memory any more, once the threads are through, and the name goes with it. */
  while (count_mappings (inode) > 0 || has_name (name))
    g_usleep (1000);

  /* Closed before it: an error, which comes the same way as others. */
  shnd_array_close (saved);
  begin_save (&saving, saved, other_path, NULL);
  g_main_loop_run (loop);
  g_assert_false (saving.saved);
  assert_message (saving.error, SHND_ERROR_CLOSED, "closed");
  g_clear_error (&saving.error);

  g_assert_cmpint (unlink (path), ==, 0);
  left = g_dir_open (dir, 0, NULL);
  g_assert_null (g_dir_read_name (left));
  g_assert_cmpint (rmdir (dir), ==, 0);
}

/* Each result belongs to one array and one function. */
static void
test_save_finish (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (5));
  g_autoptr (ShndArray) other = new_array (NULL, "u1", SHAPE (5));
  g_autoptr (GTask) of_other_array = g_task_new (other, NULL, NULL, NULL);
  g_autoptr (GTask) of_other_function = g_task_new (array, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (of_other_array, shnd_array_save_async);
  g_task_return_boolean (of_other_array, TRUE);
  g_task_set_source_tag (of_other_function, test_save_finish);
  g_task_return_boolean (of_other_function, TRUE);

  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  g_assert_false (shnd_array_save_finish (array, G_ASYNC_RESULT (of_other_array), &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_false (shnd_array_save_finish (array, G_ASYNC_RESULT (of_other_function), &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_true (shnd_array_save_finish (other, G_ASYNC_RESULT (of_other_array), &error));
  g_assert_no_error (error);
}

/* A file that is opened for writing is written. */
static void
test_open_path_writes (void)
{
  g_autofree char *dir = g_dir_make_tmp ("shnd-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "a.npy", NULL);
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (5));
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (shnd_array_save (array, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  {
    g_autoptr (ShndArray) file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);

    g_assert_no_error (error);
    g_assert_true (shnd_array_fill (file, g_variant_new_byte ('x'), &error));
  }
  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  g_assert_cmpuint (length, ==, 128 + 5);
  g_assert_cmpmem (contents + 128, 5, "xxxxx", 5);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/open/path-writes", test_open_path_writes);
  g_test_add_func ("/array/save", test_save);
  g_test_add_func ("/array/save/no-replace", test_no_replace);
  g_test_add_func ("/array/save/async", test_save_async);
  g_test_add_func ("/array/save/finish", test_save_finish);

  return g_test_run ();
}
