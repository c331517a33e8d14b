/* SPDX-License-Identifier: MIT */

#include "sync-support.h"

/* What can be known of an array that is not open. */

static ShndArrayInfo *
look_at (const char *name)
{
  g_autoptr (GError) error = NULL;
  ShndArrayInfo *info = shnd_array_info_new (name, &error);

  g_assert_no_error (error);
  return info;
}

static ShndArrayInfo *
look_at_path (const char *path)
{
  g_autoptr (GError) error = NULL;
  ShndArrayInfo *info = shnd_array_info_new_for_path (path, &error);

  g_assert_no_error (error);
  return info;
}

/* Whether the array is said to be locked, by its name and by its path. */
static gboolean
is_locked (const char *name)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArrayInfo) info = look_at (name);
  g_autoptr (ShndArrayInfo) same = look_at_path (path);

  g_assert_cmpint (shnd_array_info_get_locked (info), ==, shnd_array_info_get_locked (same));
  return shnd_array_info_get_locked (info);
}

static void
test_locked (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i8", SHAPE (4));
  g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ_WRITE);
  g_autoptr (GError) error = NULL;
  ControlPage *page = map_control (name);
  guint32 word;

  g_assert_false (is_locked (name));
  g_assert_true (shnd_array_lock (array, 0, NULL, NULL, &error));
  word = get_word (page);
  g_assert_true (is_locked (name));
  g_assert_cmpuint (get_word (page), ==, word);
  ASSERT_FAILS (shnd_array_lock (other, 0, NULL, NULL, failure), SHND_ERROR_TIMED_OUT, name);
  /* With somebody who waits. */
  g_assert_cmpuint (get_word (page), ==, word | WAITERS);
  g_assert_true (is_locked (name));
  g_assert_true (shnd_array_unlock (array, &error));
  g_assert_false (is_locked (name));

  munmap (page, 4096);
}

/* The word alone does not say it: who has put a slot there has to be alive. */
static void
test_word (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i8", SHAPE (4));
  ControlPage *page = map_control (name);
  const guint32 slot = 12345, top = SLOT_MASK;
  gboolean recovered;
  int fd = open_file (name);

  set_word (page, slot);
  g_assert_false (is_locked (name));
  set_word (page, RECOVER | WAITERS);
  g_assert_false (is_locked (name));

  g_assert_true (lock_byte (fd, BYTE_SLOTS + slot, 1, F_WRLCK));
  g_assert_false (is_locked (name));
  set_word (page, slot);
  g_assert_true (is_locked (name));
  set_word (page, slot | WAITERS);
  g_assert_true (is_locked (name));
  set_word (page, slot + 1);
  g_assert_false (is_locked (name));
  g_assert_true (lock_byte (fd, BYTE_SLOTS + top, 1, F_WRLCK));
  set_word (page, top);
  g_assert_true (is_locked (name));

  /* The owner dies. To look does not take what it has left. */
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_false (is_locked (name));
  g_assert_cmpuint (get_word (page), ==, top);
  g_assert_true (shnd_array_lock (array, PATIENCE, NULL, &recovered, NULL));
  g_assert_true (recovered);
  g_assert_true (is_locked (name));

  munmap (page, 4096);
}

static void
test_sequence (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *copy = g_strconcat (name, "-copy", NULL);
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autofree char *copy_path = g_strconcat (path, "-copy", NULL);
  g_autoptr (ShndArray) array = new_array (name, "<i8", SHAPE (4));
  const guint64 large = G_GUINT64_CONSTANT (0x123456789abcdef0);
  ControlPage *page = map_control (name);
  g_autofree char *bytes = NULL;
  g_autoptr (ShndArray) adopted = NULL;
  gsize length;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ShndArrayInfo) info = look_at (name);

      g_assert_cmpuint (shnd_array_info_get_sequence (info), ==, i);
      g_assert_true (shnd_array_update (array, NULL));
      g_assert_cmpuint (shnd_array_info_get_sequence (info), ==, i);
    }

  page->sequence = GUINT64_TO_LE (large);
  g_assert_true (shnd_array_lock (array, 0, NULL, NULL, NULL));
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (copy_path, bytes, length, NULL));
  {
    g_autoptr (ShndArrayInfo) info = look_at (name);
    g_autoptr (ShndArrayInfo) copied = look_at (copy);
    g_autoptr (ShndArrayInfo) copied_path = look_at_path (copy_path);

    g_assert_cmpuint (shnd_array_info_get_sequence (info), ==, large);
    g_assert_true (shnd_array_info_get_locked (info));
    /* Nobody has ever had the lock of the copy. */
    for (guint i = 0; i < 2; i++)
      {
        ShndArrayInfo *each = i == 0 ? copied : copied_path;

        g_assert_true (shnd_array_info_get_synchronizable (each));
        g_assert_cmpuint (shnd_array_info_get_sequence (each), ==, 0);
        g_assert_false (shnd_array_info_get_locked (each));
        g_assert_false (shnd_array_info_get_held (each));
        g_assert_false (shnd_array_info_get_orphaned (each));
        g_assert_true (shnd_array_info_get_persistent (each));
      }
  }

  /* From now on it is an array of its own. */
  adopted = open_array (copy, SHND_ACCESS_READ_WRITE);
  g_assert_true (shnd_array_update (adopted, NULL));
  {
    g_autoptr (ShndArrayInfo) copied = look_at (copy);

    g_assert_cmpuint (shnd_array_info_get_sequence (copied), ==, 1);
  }
  unlink_name (copy);
  munmap (page, 4096);
}

static void
assert_dimensions (ShndArrayInfo *info, const gint64 *shape, guint n, const gint64 *strides)
{
  guint n_shape = 0, n_strides = 0;
  const gint64 *found = shnd_array_info_get_shape (info, &n_shape);

  g_assert_cmpmem (found, n_shape * sizeof *found, shape, n * sizeof *shape);
  found = shnd_array_info_get_strides (info, &n_strides);
  g_assert_cmpmem (found, n_strides * sizeof *found, strides, n * sizeof *strides);
  g_assert_true (shnd_array_info_get_strides (info, NULL) == found);
}

/* A file that was saved: the elements begin where they do there, and there is no lock. */
static void
test_path (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_autoptr (ShndDType) dtype = new_dtype (">i2");
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) source =
      shnd_array_new (NULL, dtype, SHAPE (3, 5), SHND_CREATE_FORTRAN, &error);
  guint n_fds = count_fds ();
  struct stat status;

  g_assert_true (shnd_array_save (source, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  g_assert_cmpint (symlink ("a.npy", link), ==, 0);
  g_assert_cmpint (stat (path, &status), ==, 0);

  for (guint i = 0; i < 2; i++)
    {
      const char *which = i == 0 ? path : link;
      g_autoptr (ShndArrayInfo) info = look_at_path (which);
      g_autoptr (GVariant) strides = NULL;
      g_autofree char *text = NULL;

      g_assert_null (shnd_array_info_get_name (info));
      g_assert_cmpstr (shnd_array_info_get_path (info), ==, which);
      g_assert_true (shnd_dtype_equal (shnd_array_info_get_dtype (info), dtype));
      assert_dimensions (info, SHAPE (3, 5), (const gint64[]){ 2, 6 });
      g_assert_cmpint (shnd_array_info_get_order (info), ==, SHND_ORDER_FORTRAN);
      g_assert_cmpuint (shnd_array_info_get_n_bytes (info), ==, 30);
      g_assert_cmpuint (shnd_array_info_get_data_offset (info), ==, 128);
      g_assert_cmpuint (shnd_array_info_get_file_size (info), ==, status.st_size);
      g_assert_cmpuint (shnd_array_info_get_uid (info), ==, status.st_uid);
      g_assert_cmpuint (shnd_array_info_get_mode (info), ==, 0640);
      g_assert_true (shnd_array_info_get_persistent (info));
      g_assert_false (shnd_array_info_get_held (info));
      g_assert_false (shnd_array_info_get_orphaned (info));
      g_assert_false (shnd_array_info_get_synchronizable (info));
      g_assert_cmpuint (shnd_array_info_get_sequence (info), ==, 0);
      g_assert_false (shnd_array_info_get_locked (info));
      g_object_get (info, "strides", &strides, NULL);
      text = g_variant_print (strides, FALSE);
      g_assert_cmpstr (text, ==, "[2, 6]");
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);

  g_assert_cmpint (truncate (path, status.st_size - 1), ==, 0);
  g_assert_null (shnd_array_info_new_for_path (link, &error));
  assert_message (error, SHND_ERROR_TOO_SMALL, link);
  g_clear_error (&error);
  g_assert_cmpint (truncate (path, 4), ==, 0);
  g_assert_null (shnd_array_info_new_for_path (path, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, path);
  g_clear_error (&error);
  g_assert_null (shnd_array_info_new_for_path (folder, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  g_clear_error (&error);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_null (shnd_array_info_new_for_path (link, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, link);
  g_assert_cmpuint (count_fds (), ==, n_fds);

  g_assert_cmpint (unlink (link), ==, 0);
  remove_folder (folder);
}

/* The path of an array that has a name, and of one that has none. */
static void
test_path_of_array (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (2, 3));
  g_autoptr (ShndArray) anonymous = new_array (NULL, "u1", SHAPE (3));
  int fd = shnd_array_dup_fd (anonymous, NULL);
  g_autofree char *fd_path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *name_path = g_build_filename ("/dev/shm", name, NULL);

  {
    g_autoptr (ShndArrayInfo) info = look_at_path (path);
    g_autoptr (ShndArrayInfo) by_name = look_at (name);

    g_assert_null (shnd_array_info_get_name (info));
    g_assert_cmpstr (shnd_array_info_get_path (by_name), ==, name_path);
    assert_dimensions (by_name, SHAPE (2, 3), (const gint64[]){ 12, 4 });
    g_assert_cmpuint (shnd_array_info_get_data_offset (by_name), ==, 4096);
    g_assert_true (shnd_array_info_get_held (info));
    g_assert_false (shnd_array_info_get_persistent (info));
    g_assert_false (shnd_array_info_get_orphaned (info));
    g_assert_true (shnd_array_info_get_synchronizable (info));
  }
  {
    g_autoptr (ShndArrayInfo) info = look_at_path (fd_path);

    g_assert_true (shnd_array_info_get_synchronizable (info));
    g_assert_false (shnd_array_info_get_held (info));
    g_assert_false (shnd_array_info_get_persistent (info));
    g_assert_false (shnd_array_info_get_orphaned (info));
  }

  /* Who looks is no holder. */
  shnd_array_close (array);
  g_assert_false (has_name (name));
  close (fd);
}

static void
test_orphan (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  Signal made;
  pid_t pid;

  signal_init (&made);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      ShndArray *array = new_array (name, "u1", SHAPE (3));

      signal_send (&made);
      pause ();
      g_object_unref (array);
    }
  signal_wait (&made);
  kill_child (pid);
  signal_clear (&made);

  {
    g_autoptr (ShndArrayInfo) info = look_at (name);
    g_autoptr (ShndArrayInfo) by_path = look_at_path (path);

    g_assert_true (shnd_array_info_get_orphaned (info));
    g_assert_true (shnd_array_info_get_orphaned (by_path));
    g_assert_false (shnd_array_info_get_held (by_path));
  }
  unlink_name (name);
}

static void
test_nothing (void)
{
  g_autoptr (ShndArrayInfo) info = g_object_new (SHND_TYPE_ARRAY_INFO, NULL);

  g_assert_null (shnd_array_info_get_name (info));
  g_assert_null (shnd_array_info_get_path (info));
  assert_dimensions (info, SHAPE (0), (const gint64[]){ 1 });
  g_assert_cmpuint (shnd_array_info_get_data_offset (info), ==, 0);
  g_assert_cmpuint (shnd_array_info_get_sequence (info), ==, 0);
  g_assert_false (shnd_array_info_get_locked (info));
  g_assert_false (shnd_array_info_get_orphaned (info));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/info/locked", test_locked);
  g_test_add_func ("/info/word", test_word);
  g_test_add_func ("/info/sequence", test_sequence);
  g_test_add_func ("/info/path", test_path);
  g_test_add_func ("/info/path/array", test_path_of_array);
  g_test_add_func ("/info/orphan", test_orphan);
  g_test_add_func ("/info/nothing", test_nothing);

  return g_test_run ();
}
