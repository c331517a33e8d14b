/* SPDX-License-Identifier: MIT */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <shndarray/shndarray.h>
#include <sys/resource.h>

#include "array-support.h"

/* Files that become arrays in memory. */

#define MIB (1024 * 1024)

/* A file with that header, and as many bytes behind it, of which nothing takes room. */
static void
write_file (const char *path, const char *header, goffset n_bytes)
{
  g_autofree char *text = g_strdup_printf ("%-117s\n", header);
  g_autoptr (GByteArray) contents = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_byte_array_append (contents, (const guint8 *) "\x93NUMPY\x01\x00\x76\x00", 10);
  g_byte_array_append (contents, (const guint8 *) text, strlen (text));
  g_assert_cmpuint (contents->len, ==, 128);
  g_file_set_contents (path, (const char *) contents->data, contents->len, &error);
  g_assert_no_error (error);
  g_assert_cmpint (truncate (path, 128 + n_bytes), ==, 0);
}

static ShndArray *
load (const char *name, const char *path)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_load (name, path, SHND_CREATE_NONE, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return array;
}

static void
assert_same (ShndArray *array, ShndArray *expected)
{
  g_autoptr (GBytes) bytes = shnd_array_get_bytes (array, NULL);
  g_autoptr (GBytes) expected_bytes = shnd_array_get_bytes (expected, NULL);
  guint n_dims, expected_n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  const gint64 *expected_shape = shnd_array_get_shape (expected, &expected_n_dims);

  g_assert_true (shnd_dtype_equal (shnd_array_get_dtype (array), shnd_array_get_dtype (expected)));
  g_assert_cmpmem (shape, n_dims * sizeof *shape, expected_shape,
                   expected_n_dims * sizeof *expected_shape);
  g_assert_cmpint (shnd_array_get_order (array), ==, shnd_array_get_order (expected));
  g_assert_true (g_bytes_equal (bytes, expected_bytes));
}

static void
test_load (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *link_path = g_build_filename (folder, "link.npy", NULL);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (NULL, "<f8", SHAPE (1000, 1300));
  g_autoptr (ShndArray) transposed = shnd_array_transpose (array, NULL, 0, NULL);
  g_autoptr (ShndArray) structs =
      new_array (NULL, "[('a', '<u2'), ('b', '>f4', (2, 2)), ('', '|V3')]", SHAPE (70, 3));
  g_autoptr (ShndArray) single = new_array (NULL, "<i4", NULL, 0);
  g_autoptr (ShndArray) empty = new_array (NULL, "<i4", SHAPE (3, 0, 2));
  ShndArray *const sources[] = { array, transposed, structs, single, empty };
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  for (guint i = 0; i < 1300000; i++)
    ((double *) shnd_array_get_data (array))[i] = i;
  for (guint i = 0; i < shnd_array_get_n_bytes (structs); i++)
    ((guint8 *) shnd_array_get_data (structs))[i] = i * 7;
  shnd_array_set_int64 (single, NULL, 0, -5, &error);
  g_assert_no_error (error);

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      gsize n_bytes = shnd_array_get_n_bytes (sources[i]);
      Progress progress = { 0 };

      g_assert_true (shnd_array_save (sources[i], path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
      {
        g_autoptr (ShndArray) named = load (name, path);
        g_autoptr (ShndArray) opened = open_array (name, SHND_ACCESS_READ);
        g_autoptr (ShndArray) anonymous =
            shnd_array_load (NULL, path, SHND_CREATE_NONE, NULL, progress_cb, &progress, &error);

        g_assert_no_error (error);
        g_assert_cmpint (progress.current, ==, n_bytes);
        g_assert_cmpint (progress.total, ==, n_bytes);
        g_assert_cmpuint (progress.n_calls, ==, n_bytes > MIB ? 3 : 1);
        g_assert_cmpstr (shnd_array_get_name (named), ==, name);
        g_assert_null (shnd_array_get_name (anonymous));
        g_assert_cmpint (shnd_array_get_access (named), ==, SHND_ACCESS_READ_WRITE);
        assert_same (named, sources[i]);
        assert_same (opened, sources[i]);
        assert_same (anonymous, sources[i]);
        unlink_name (name);
      }
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);

  /* Nothing is shared with the file. */
  g_assert_true (shnd_array_save (single, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  {
    g_autoptr (ShndArray) loaded = load (NULL, path);
    g_autoptr (ShndArray) file = NULL;

    g_assert_true (shnd_array_set_int64 (loaded, NULL, 0, 77, &error));
    file = shnd_array_open_path (path, SHND_ACCESS_READ, &error);
    g_assert_no_error (error);
    g_assert_cmpint (shnd_array_get_int64 (file, NULL, 0, NULL), ==, -5);
  }

  /* What the flags say, and through a link. */
  g_assert_cmpint (symlink ("a.npy", link_path), ==, 0);
  {
    g_autofree char *shm_path = g_strconcat ("/dev/shm/", name, NULL);
    g_autoptr (ShndArray) loaded = shnd_array_load (
        name, link_path, SHND_CREATE_OTHERS_READ | SHND_CREATE_SPARSE, NULL, NULL, NULL, &error);
    struct stat info;

    g_assert_no_error (error);
    assert_same (loaded, single);
    g_assert_cmpint (stat (shm_path, &info), ==, 0);
    g_assert_cmpint (info.st_mode & 07777, ==, 0604);

    /* A name that is taken stays what it is. */
    g_assert_null (shnd_array_load (name, path, SHND_CREATE_NONE, NULL, NULL, NULL, &error));
    assert_message (error, SHND_ERROR_EXISTS, name);
    g_clear_error (&error);
    g_assert_cmpuint (get_inode (name), ==, info.st_ino);
    unlink_name (name);
  }

  /* The name stays if it shall, else it goes with the array. */
  g_object_unref (load (name, path));
  assert_no_name (name);
  {
    ShndArray *loaded =
        shnd_array_load (name, path, SHND_CREATE_PERSISTENT, NULL, NULL, NULL, &error);

    g_assert_no_error (error);
    g_object_unref (loaded);
    unlink_name (name);
  }

  g_assert_cmpint (unlink (link_path), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* A file in the format of a shared array: a copy of one, control page and all. */
static void
test_load_copy (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *name = get_name ();
  g_autofree char *shm_path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArray) array = new_array (name, "<u2", SHAPE (5000));
  g_autoptr (ShndArray) loaded = NULL;
  g_autofree char *contents = NULL;
  gsize length;

  for (guint i = 0; i < 5000; i++)
    ((guint16 *) shnd_array_get_data (array))[i] = i;
  g_assert_true (g_file_get_contents (shm_path, &contents, &length, NULL));
  g_assert_true (g_file_set_contents (path, contents, length, NULL));
  unlink_name (name);

  loaded = load (NULL, path);
  assert_same (loaded, array);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

static void
assert_fails (const char *path, ShndCreateFlags flags, ShndError code, const char *part)
{
  g_autofree char *name = get_name ();
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  g_assert_null (shnd_array_load (name, path, flags, NULL, NULL, NULL, &error));
  assert_message (error, code, part);
  g_assert_cmpuint (count_fds (), ==, n_fds);
  assert_no_name (name);
}

static void
test_load_fails (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *none = g_build_filename (folder, "none.npy", NULL);
  g_autoptr (GError) error = NULL;

  assert_fails (none, 0, SHND_ERROR_NOT_FOUND, none);
  assert_fails (folder, 0, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  assert_fails ("/dev/null", 0, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  assert_fails ("/dev/full", 0, SHND_ERROR_INVALID_FORMAT, "not a regular file");

  write_file (path, "{'descr': '<i4', 'fortran_order': False, 'shape': (25,), }", 100);
  assert_fails (path, SHND_CREATE_FORTRAN, SHND_ERROR_INVALID_ARGUMENT, "FORTRAN");
  assert_fails (path, 0x40000000, SHND_ERROR_INVALID_ARGUMENT, "ShndCreateFlags");
  g_assert_null (shnd_array_load ("a/b", path, 0, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_INVALID_NAME, "a/b");
  g_clear_error (&error);

  /* Each length at which it can end. */
  for (goffset length = 227; length >= 0; length--)
    {
      g_assert_cmpint (truncate (path, length), ==, 0);
      assert_fails (path, 0, length >= 128 ? SHND_ERROR_TOO_SMALL : SHND_ERROR_INVALID_FORMAT,
                    path);
    }

  write_file (path, "{'descr': '<i4', 'fortran_order': False, 'shape': (26,), }", 103);
  assert_fails (path, 0, SHND_ERROR_TOO_SMALL,
                "231 bytes: expected at least 104 after the first 128");
  write_file (path, "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 16);
  assert_fails (path, 0, SHND_ERROR_INVALID_FORMAT, "pointers");
  write_file (path, "{'descr': '<i4', 'fortran_order': 0, 'shape': (2,), }", 8);
  assert_fails (path, 0, SHND_ERROR_INVALID_FORMAT, "fortran_order");
  /* More than there is, and more than there can be. */
  write_file (path, "{'descr': '<i4', 'fortran_order': False, 'shape': (2305843009213693951,), }",
              8);
  assert_fails (path, 0, SHND_ERROR_TOO_SMALL, "9223372036854775804");
  write_file (path, "{'descr': '<i8', 'fortran_order': False, 'shape': (2305843009213693951,), }",
              8);
  assert_fails (path, 0, SHND_ERROR_INVALID_FORMAT, path);

  if (geteuid () != 0)
    {
      g_assert_cmpint (chmod (path, 0), ==, 0);
      assert_fails (path, 0, SHND_ERROR_PERMISSION_DENIED, path);
    }

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* Stopped in the middle: by whoever called, and by a file that ends before it should. */
static void
test_load_stops (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *name = get_name ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Progress progress = { .cancel = cancellable };
  guint n_fds = count_fds ();

  /* So large that it is nearly all still to be done. */
  write_file (path, "{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,), }",
              1024ll * MIB);
  g_assert_null (shnd_array_load (name, path, SHND_CREATE_SPARSE, cancellable, progress_cb,
                                  &progress, &error));
  assert_cancelled (error);
  g_clear_error (&error);
  g_assert_cmpuint (progress.n_calls, ==, 1);
  g_assert_cmpint (progress.total, ==, 1024ll * MIB);
  g_assert_cmpint (progress.current, <, progress.total);
  assert_no_name (name);

  /* Cancelled before, it looks at nothing. */
  g_assert_null (shnd_array_load (name, "/none", 0, cancellable, progress_cb, &progress, &error));
  assert_cancelled (error);
  g_clear_error (&error);
  g_assert_cmpuint (progress.n_calls, ==, 1);

  /* Cancelled by the last call: what is loaded is given back. */
  write_file (path, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", 0);
  g_cancellable_reset (cancellable);
  progress = (Progress){ .cancel = cancellable };
  g_assert_null (shnd_array_load (name, path, 0, cancellable, progress_cb, &progress, &error));
  assert_cancelled (error);
  g_clear_error (&error);
  g_assert_cmpuint (progress.n_calls, ==, 1);
  assert_no_name (name);

  write_file (path, "{'descr': '<f4', 'fortran_order': False, 'shape': (4194304,), }", 16 * MIB);
  progress = (Progress){ .cut = path };
  g_assert_null (shnd_array_load (name, path, 0, NULL, progress_cb, &progress, &error));
  assert_message (error, SHND_ERROR_TOO_SMALL, "cut short");
  g_clear_error (&error);
  g_assert_cmpuint (progress.n_calls, ==, 1);
  assert_no_name (name);
  g_assert_cmpuint (count_fds (), ==, n_fds);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  ShndArray *array;
  GError *error;
  gboolean running; /* within the call of load_async() */
} Loading;

static void
loaded_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Loading *loading = data;

  g_assert_false (loading->running);
  g_assert_true (g_thread_self () == loading->thread);
  g_assert_null (object);
  g_assert_true (g_async_result_is_tagged (result, shnd_array_load_async));
  loading->array = shnd_array_load_finish (result, &loading->error);
  g_main_loop_quit (loading->loop);
}

static void
run_load (
    Loading *loading, const char *name, const char *path, ShndCreateFlags flags, GCancellable *stop)
{
  g_autofree char *passing_name = g_strdup (name);
  g_autofree char *passing_path = g_strdup (path);

  g_clear_object (&loading->array);
  g_clear_error (&loading->error);
  loading->thread = g_thread_self ();
  loading->running = TRUE;
  shnd_array_load_async (passing_name, passing_path, flags, stop, loaded_cb, loading);
  loading->running = FALSE;
  g_clear_pointer (&passing_name, g_free);
  g_clear_pointer (&passing_path, g_free);
  g_main_loop_run (loading->loop);
}

static void
test_load_async (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (NULL, "<i4", SHAPE (300, 500));
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Loading loading = { .loop = loop };
  g_autoptr (ShndArray) holder = NULL;
  guint n_fds;

  for (guint i = 0; i < 150000; i++)
    ((gint32 *) shnd_array_get_data (array))[i] = i;
  g_assert_true (shnd_array_save (array, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));

  run_load (&loading, name, path, 0, cancellable);
  g_assert_no_error (loading.error);
  assert_same (loading.array, array);
  g_assert_cmpstr (shnd_array_get_name (loading.array), ==, name);
  holder = g_object_ref (loading.array);
  run_load (&loading, NULL, path, 0, NULL);
  g_assert_no_error (loading.error);
  assert_same (loading.array, array);

  run_load (&loading, name, path, 0, NULL);
  g_assert_null (loading.array);
  assert_message (loading.error, SHND_ERROR_EXISTS, name);
  unlink_name (name);
  run_load (&loading, name, path, SHND_CREATE_FORTRAN, NULL);
  assert_message (loading.error, SHND_ERROR_INVALID_ARGUMENT, "FORTRAN");
  g_cancellable_cancel (cancellable);
  run_load (&loading, name, path, 0, cancellable);
  g_assert_null (loading.array);
  assert_cancelled (loading.error);
  g_clear_error (&loading.error);
  assert_no_name (name);

  /* Nobody asks for the array: it is given back. */
  n_fds = count_fds ();
  shnd_array_load_async (NULL, path, 0, NULL, ignored_cb, loop);
  g_main_loop_run (loop);
  while (count_fds () > n_fds)
    g_usleep (1000);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* A result belongs to one function, and gives its array once. */
static void
test_load_finish (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (5));
  g_autoptr (GTask) of_array = g_task_new (array, NULL, NULL, NULL);
  g_autoptr (GTask) of_other_function = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (of_array, shnd_array_load_async);
  g_task_return_boolean (of_array, TRUE);
  g_task_set_source_tag (of_other_function, test_load_finish);
  g_task_return_boolean (of_other_function, TRUE);

  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  g_assert_null (shnd_array_load_finish (G_ASYNC_RESULT (of_array), &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_null (shnd_array_load_finish (G_ASYNC_RESULT (of_other_function), &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
}

/* Larger than a file may be: an error, where the kernel would send a signal. */
static void
test_load_limit (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  struct rlimit before, limit;

  write_file (path, "{'descr': '|u1', 'fortran_order': False, 'shape': (2097152,), }", 2 * MIB);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = MIB;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  assert_fails (path, 0, SHND_ERROR_NO_SPACE, "RLIMIT_FSIZE");
  assert_fails (path, SHND_CREATE_SPARSE, SHND_ERROR_NO_SPACE, "RLIMIT_FSIZE");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/load", test_load);
  g_test_add_func ("/array/load/copy", test_load_copy);
  g_test_add_func ("/array/load/fails", test_load_fails);
  g_test_add_func ("/array/load/stops", test_load_stops);
  g_test_add_func ("/array/load/async", test_load_async);
  g_test_add_func ("/array/load/finish", test_load_finish);
  g_test_add_func ("/array/load/limit", test_load_limit);

  return g_test_run ();
}
