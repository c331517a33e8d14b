/* SPDX-License-Identifier: MIT */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <shndarray/shndarray.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array-support.h"

/* The public face of ShndArray, as a C program uses it. */

static void
test_empty (void)
{
  g_autoptr (ShndArray) array = g_object_new (SHND_TYPE_ARRAY, NULL);
  g_autoptr (ShndArray) real = new_array (NULL, "<f8", SHAPE (1));
  g_autoptr (GError) error = NULL;
  gsize offset;
  guint n_dims;

  g_assert_null (shnd_array_get_name (array));
  g_assert_cmpstr (g_quark_to_string (SHND_ERROR), ==, "shnd-error-quark");
  g_assert_cmpuint (shnd_array_get_n_dims (array), ==, 1);
  g_assert_cmpint (shnd_array_get_shape (array, &n_dims)[0], ==, 0);
  g_assert_cmpuint (shnd_array_get_n_bytes (array), ==, 0);
  g_assert_true (shnd_array_get_closed (array));
  g_assert_null (shnd_array_get_data (array));

#define ASSERT_CLOSED(call)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    (void) (call);                                                                                 \
    assert_message (error, SHND_ERROR_CLOSED, "closed");                                           \
    g_clear_error (&error);                                                                        \
  }                                                                                                \
  G_STMT_END

  ASSERT_CLOSED (shnd_array_slice (array, 0, 0, 0, 1, &error));
  ASSERT_CLOSED (shnd_array_index (array, 0, 0, &error));
  ASSERT_CLOSED (shnd_array_reshape (array, SHAPE (0), &error));
  ASSERT_CLOSED (shnd_array_transpose (array, NULL, 0, &error));
  ASSERT_CLOSED (shnd_array_field (array, "x", &error));
  ASSERT_CLOSED (shnd_array_get_element (array, SHAPE (0), &error));
  ASSERT_CLOSED (shnd_array_get_double (array, SHAPE (0), &error));
  ASSERT_CLOSED (shnd_array_get_int64 (array, SHAPE (0), &error));
  ASSERT_CLOSED (shnd_array_set_element (array, SHAPE (0), g_variant_new_byte (1), &error));
  ASSERT_CLOSED (shnd_array_set_double (array, SHAPE (0), 1, &error));
  ASSERT_CLOSED (shnd_array_set_int64 (array, SHAPE (0), 1, &error));
  ASSERT_CLOSED (shnd_array_get_bytes (array, &error));
  ASSERT_CLOSED (shnd_array_get_cow_bytes (array, &error));
  ASSERT_CLOSED (shnd_array_get_memory (array, &offset, &error));
  ASSERT_CLOSED (shnd_array_fill (array, g_variant_new_byte (1), &error));
  ASSERT_CLOSED (shnd_array_copy_from (array, real, &error));
  ASSERT_CLOSED (shnd_array_copy_from (real, array, &error));
  ASSERT_CLOSED (shnd_array_dup (array, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, &error));
  ASSERT_CLOSED (shnd_array_save (array, "/nowhere", SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  ASSERT_CLOSED (shnd_array_unlink (array, &error));
  shnd_array_close (array);
}

static void
test_new (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (3, 5));
  g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ);
  const gint64 *shape, *strides;
  struct stat info;
  guint n_dims;

  g_assert_cmpstr (shnd_array_get_name (array), ==, name);
  g_assert_cmpstr (shnd_array_get_name (other), ==, name);
  g_assert_cmpstr (shnd_dtype_to_string (shnd_array_get_dtype (other)), ==, "<i4");
  shape = shnd_array_get_shape (other, &n_dims);
  g_assert_cmpuint (n_dims, ==, 2);
  g_assert_cmpint (shape[0], ==, 3);
  g_assert_cmpint (shape[1], ==, 5);
  strides = shnd_array_get_strides (other, &n_dims);
  g_assert_cmpint (strides[0], ==, 20);
  g_assert_cmpint (strides[1], ==, 4);
  g_assert_cmpuint (shnd_array_get_size (other), ==, 15);
  g_assert_cmpuint (shnd_array_get_item_size (other), ==, 4);
  g_assert_cmpuint (shnd_array_get_n_bytes (other), ==, 60);
  g_assert_cmpint (shnd_array_get_order (other), ==, SHND_ORDER_C);
  g_assert_cmpint (shnd_array_get_access (array), ==, SHND_ACCESS_READ_WRITE);
  g_assert_cmpint (shnd_array_get_access (other), ==, SHND_ACCESS_READ);
  g_assert_false (shnd_array_get_closed (other));

  /* Zero at first; and what one writes the other reads. */
  for (guint i = 0; i < 15; i++)
    g_assert_cmpint (((const gint32 *) shnd_array_get_data (other))[i], ==, 0);
  ((gint32 *) shnd_array_get_data (array))[7] = 42;
  g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (1, 2), NULL), ==, 42);

  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (info.st_size, ==, 3 * 4096);
  g_assert_cmpint (info.st_blocks, ==, 3 * 8);

  unlink_name (name);
  /* Both go on without the name. */
  ((gint32 *) shnd_array_get_data (array))[7] = 43;
  g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (1, 2), NULL), ==, 43);
  g_assert_finalize_object (g_steal_pointer (&array));
  g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (1, 2), NULL), ==, 43);
  g_assert_finalize_object (g_steal_pointer (&other));
}

static void
test_new_exists (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (3));
  g_autoptr (ShndDType) dtype = new_dtype ("<f8");
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();
  ino_t inode = get_inode (name);

  g_assert_cmpuint (shnd_array_get_size (array), ==, 3);
  g_assert_null (shnd_array_new (name, dtype, SHAPE (9), SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_EXISTS, name);
  g_assert_cmpuint (count_fds (), ==, n_fds);
  g_assert_cmpuint (get_inode (name), ==, inode);
  g_assert_cmpuint (count_mappings (inode), ==, 1);
  unlink_name (name);
}

static void
test_names (void)
{
  g_autofree char *long_name = g_strnfill (256, 'n');
  g_autofree char *longest_name = g_strnfill (255, 'n');
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (ShndArray) longest = NULL;
  const struct
  {
    const char *name;
    const char *message;
  } bad[] = {
    { "", "at least one character" },   { ".", "begin with a dot" },  { "..", "begin with a dot" },
    { ".hidden", "begin with a dot" },  { "a/b", "contain a slash" }, { "/a", "contain a slash" },
    { long_name, "at most 255 bytes" }, { "\xff", "not UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (shnd_array_new (bad[i].name, dtype, SHAPE (1), SHND_CREATE_NONE, &error));
      assert_message (error, SHND_ERROR_INVALID_NAME, bad[i].message);
      g_clear_error (&error);
      g_assert_null (shnd_array_open (bad[i].name, SHND_ACCESS_READ, &error));
      assert_message (error, SHND_ERROR_INVALID_NAME, bad[i].message);
      g_clear_error (&error);
      g_assert_null (
          shnd_array_open_segment (bad[i].name, dtype, SHAPE (1), 0, SHND_ACCESS_READ, &error));
      assert_message (error, SHND_ERROR_INVALID_NAME, bad[i].message);
      g_clear_error (&error);
      g_assert_false (shnd_unlink (bad[i].name, &error));
      assert_message (error, SHND_ERROR_INVALID_NAME, bad[i].message);
    }

  memcpy (longest_name, "shnd-test-", 10);
  longest = new_array (longest_name, "u1", SHAPE (1));
  unlink_name (longest_name);
}

static void
test_new_unique (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("c8");
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) a = shnd_array_new_unique (dtype, SHAPE (2), SHND_CREATE_NONE, &error);
  g_autoptr (ShndArray) b = shnd_array_new_unique (dtype, SHAPE (2), SHND_CREATE_NONE, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (shnd_array_get_name (a), !=, shnd_array_get_name (b));
  g_assert_true (g_str_has_prefix (shnd_array_get_name (a), "shnd-"));
  g_assert_true (shnd_array_unlink (a, &error));
  g_assert_false (shnd_array_unlink (a, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "Cannot remove");
  g_clear_error (&error);
  g_assert_true (shnd_array_unlink (b, &error));

  g_assert_null (shnd_array_new_unique (dtype, SHAPE (-2), SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "(-2,)");
}

static void
test_unlink_other (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) first = new_array (name, "u1", SHAPE (1));
  g_autoptr (ShndArray) anonymous = new_array (NULL, "u1", SHAPE (1));
  g_autoptr (ShndArray) second = NULL;
  g_autoptr (GError) error = NULL;

  unlink_name (name);
  second = new_array (name, "u1", SHAPE (1));
  g_assert_false (shnd_array_unlink (first, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "another one");
  g_clear_error (&error);
  g_assert_true (shnd_array_unlink (second, &error));

  g_assert_false (shnd_array_unlink (anonymous, &error));
  assert_message (error, SHND_ERROR_UNSUPPORTED, "no name");
}

static void
test_flags (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i2");
  const struct
  {
    ShndCreateFlags flags;
    mode_t mode;
  } modes[] = {
    { SHND_CREATE_NONE, 0600 },
    { SHND_CREATE_GROUP_READ, 0640 },
    { SHND_CREATE_GROUP_WRITE, 0660 },
    { SHND_CREATE_OTHERS_READ, 0604 },
    { SHND_CREATE_OTHERS_WRITE | SHND_CREATE_GROUP_WRITE, 0666 },
  };
  const mode_t masks[] = { 0, 022, 077, 0777 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (masks); j++)
      {
        g_autofree char *name = get_name ();
        g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
        mode_t old = umask (masks[j]);
        g_autoptr (ShndArray) array =
            shnd_array_new (name, dtype, SHAPE (2), modes[i].flags, &error);
        struct stat info;

        umask (old);
        g_assert_no_error (error);
        g_assert_nonnull (array);
        g_assert_cmpint (stat (path, &info), ==, 0);
        g_assert_cmpint (info.st_mode & 07777, ==, modes[i].mode);
        unlink_name (name);
      }

  {
    g_autofree char *name = get_name ();
    g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
    g_autoptr (ShndArray) array = shnd_array_new (name, dtype, SHAPE (1000, 1000),
                                                  SHND_CREATE_FORTRAN | SHND_CREATE_SPARSE, &error);
    g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ);
    struct stat info;

    g_assert_cmpint (shnd_array_get_order (array), ==, SHND_ORDER_FORTRAN);
    g_assert_cmpint (shnd_array_get_order (other), ==, SHND_ORDER_FORTRAN);
    g_assert_cmpint (shnd_array_get_strides (other, NULL)[0], ==, 2);
    g_assert_cmpint (stat (path, &info), ==, 0);
    g_assert_cmpint (info.st_blocks * 512, ==, 2 * 4096);
    unlink_name (name);
  }

  g_assert_null (shnd_array_new (NULL, dtype, SHAPE (2), 1 << 20, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "ShndCreateFlags");
}

static void
test_shapes (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<f8");
  g_autoptr (GError) error = NULL;
  gint64 ones[33];

  for (guint named = 0; named < 2; named++)
    {
      g_autofree char *name = named ? get_name () : NULL;
      g_autoptr (ShndArray) scalar = NULL;
      g_autoptr (ShndArray) nothing = NULL;
      g_autoptr (ShndArray) many = NULL;

      scalar = shnd_array_new (name, dtype, NULL, 0, SHND_CREATE_NONE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (shnd_array_get_size (scalar), ==, 1);
      g_assert_true (shnd_array_set_double (scalar, NULL, 0, 2.5, &error));
      g_assert_cmpfloat (shnd_array_get_double (scalar, NULL, 0, &error), ==, 2.5);
      g_assert_cmpfloat (*(double *) shnd_array_get_data (scalar), ==, 2.5);
      if (named)
        unlink_name (name);

      nothing = shnd_array_new (name, dtype, SHAPE (3, 0), SHND_CREATE_NONE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (shnd_array_get_n_bytes (nothing), ==, 0);
      g_assert_nonnull (shnd_array_get_data (nothing));
      if (named)
        {
          g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ);

          g_assert_cmpint (shnd_array_get_shape (other, NULL)[0], ==, 3);
          unlink_name (name);
        }

      for (guint i = 0; i < 33; i++)
        ones[i] = i % 16 == 0 ? 2 : 1;
      many = shnd_array_new (name, dtype, ones, 32, SHND_CREATE_NONE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (shnd_array_get_size (many), ==, 4);
      if (named)
        {
          g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ);

          g_assert_cmpuint (shnd_array_get_n_dims (other), ==, 32);
          unlink_name (name);
        }
    }

  g_assert_null (shnd_array_new (NULL, dtype, ones, 33, SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "33 dimensions");
  g_clear_error (&error);
  g_assert_null (shnd_array_new (NULL, dtype, SHAPE (1, -1), SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "0 or more");
  g_clear_error (&error);
  g_assert_null (
      shnd_array_new (NULL, dtype, SHAPE (1ll << 31, 1ll << 31), SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "2^63");
  g_clear_error (&error);
  g_assert_null (shnd_array_new (NULL, dtype, SHAPE (G_MAXINT64 / 8), SHND_CREATE_SPARSE, &error));
  assert_message (error, SHND_ERROR_NO_SPACE, "more than a file can have");
  g_clear_error (&error);
  /* Far more than there is, asked for in earnest. */
  g_assert_null (shnd_array_new (NULL, dtype, SHAPE (1ll << 40), SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_NO_SPACE, "memory available");
}

static void
test_new_from_bytes (void)
{
  static const gint16 values[] = { 1, 2, 3, 4, 5, 6 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (values, sizeof values);
  g_autoptr (GBytes) read_back = NULL;
  g_autoptr (ShndDType) dtype = new_dtype ("<i2");
  g_autofree char *name = get_name ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = NULL;
  g_autoptr (ShndArray) fortran = NULL;

  array = shnd_array_new_from_bytes (name, dtype, SHAPE (2, 3), bytes, SHND_CREATE_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (1, 0), NULL), ==, 4);
  read_back = shnd_array_get_bytes (array, &error);
  g_assert_true (g_bytes_equal (bytes, read_back));
  unlink_name (name);

  fortran =
      shnd_array_new_from_bytes (name, dtype, SHAPE (2, 3), bytes, SHND_CREATE_FORTRAN, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (fortran, SHAPE (1, 0), NULL), ==, 2);
  unlink_name (name);

  g_assert_null (
      shnd_array_new_from_bytes (name, dtype, SHAPE (2, 4), bytes, SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "12 bytes for an array of shape (2, 4)");
  g_clear_error (&error);
  g_assert_null (
      shnd_array_new_from_data (name, dtype, SHAPE (2, 3), NULL, 12, SHND_CREATE_NONE, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "0 bytes");
  g_clear_error (&error);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, name);
}

static void
test_open_errors (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "No array named");
  g_clear_error (&error);
  g_assert_null (shnd_array_open (name, 0, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "READ_WRITE");
  g_clear_error (&error);
  g_assert_null (shnd_array_open (name, 64 | SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "READ_WRITE");
  g_clear_error (&error);

  g_assert_cmpint (symlink ("/dev/zero", path), ==, 0);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_PERMISSION_DENIED, "symbolic link");
  g_clear_error (&error);
  g_assert_cmpint (unlink (path), ==, 0);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ_WRITE, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  g_clear_error (&error);
  g_assert_cmpint (unlink (path), ==, 0);

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  g_clear_error (&error);
  g_assert_cmpint (rmdir (path), ==, 0);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "does not begin");
  g_clear_error (&error);
  unlink_name (name);

  g_assert_null (shnd_array_open_path ("/nowhere/at/all.npy", SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "/nowhere/at/all.npy");
  g_clear_error (&error);
  g_assert_null (shnd_array_open_path ("/dev/zero", SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "not a regular file");
  g_clear_error (&error);

  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* A segment that was cut short after it was made. */
static void
test_open_too_small (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArray) array = new_array (name, "<f8", SHAPE (10000));
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (shnd_array_get_n_bytes (array), ==, 80000);
  g_assert_cmpint (truncate (path, 4096 + 80000 - 1), ==, 0);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_TOO_SMALL, "expected at least 80000");
  g_clear_error (&error);
  g_assert_cmpint (truncate (path, 100), ==, 0);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "ends after 100 bytes, inside its header");
  unlink_name (name);
}

/* Memory of somebody else, without a header. */
static void
test_open_segment (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *slashed = g_strconcat ("/", name, NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = NULL;
  g_autoptr (ShndArray) last = NULL;
  int fd = shm_open (slashed, O_RDWR | O_CREAT | O_EXCL, 0600);
  gint32 *memory;

  g_assert_cmpint (ftruncate (fd, 8192), ==, 0);
  memory = mmap (NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);

  array = shnd_array_open_segment (name, dtype, SHAPE (10, 10), 12, SHND_ACCESS_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_true (shnd_array_set_int64 (array, SHAPE (1, 0), 77, &error));
  g_assert_cmpint (memory[13], ==, 77);

  /* The very last element, on another page than the start. */
  last = shnd_array_open_segment (name, dtype, SHAPE (1), 8188, SHND_ACCESS_READ, &error);
  g_assert_no_error (error);
  memory[2047] = 5;
  g_assert_cmpint (shnd_array_get_int64 (last, SHAPE (0), NULL), ==, 5);

  g_assert_null (shnd_array_open_segment (name, dtype, SHAPE (1), 8189, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_TOO_SMALL, "8192 bytes: expected at least 4");
  g_clear_error (&error);
  g_assert_null (
      shnd_array_open_segment (name, dtype, SHAPE (1), G_MAXUINT64, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_TOO_SMALL, "8192 bytes");
  g_clear_error (&error);
  g_assert_null (shnd_array_open (name, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "does not begin");
  g_clear_error (&error);
  g_assert_null (
      shnd_array_open_segment ("shnd-test-none", dtype, SHAPE (1), 0, SHND_ACCESS_READ, &error));
  assert_message (error, SHND_ERROR_NOT_FOUND, "shnd-test-none");

  munmap (memory, 8192);
  unlink_name (name);
}

static void
closed_cb (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *) data)++;
}

static void
test_properties (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *name_value = NULL;
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (3, 5));
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (GVariant) shape = NULL;
  g_autoptr (GVariant) strides = NULL;
  g_autofree char *shape_text = NULL;
  g_autofree char *strides_text = NULL;
  guint64 size, item_size, n_bytes;
  guint n_dims, n_notified = 0;
  ShndAccess access;
  ShndOrder order;
  gboolean closed, persistent;

  g_object_get (array, "name", &name_value, "dtype", &dtype, "shape", &shape, "strides", &strides,
                "n-dims", &n_dims, "size", &size, "item-size", &item_size, "n-bytes", &n_bytes,
                "order", &order, "access", &access, "closed", &closed, "persistent", &persistent,
                NULL);
  g_assert_cmpstr (name_value, ==, name);
  g_assert_cmpstr (shnd_dtype_to_string (dtype), ==, "<i4");
  shape_text = g_variant_print (shape, TRUE);
  strides_text = g_variant_print (strides, TRUE);
  g_assert_cmpstr (shape_text, ==, "[int64 3, 5]");
  g_assert_cmpstr (strides_text, ==, "[int64 20, 4]");
  g_assert_cmpuint (n_dims, ==, 2);
  g_assert_cmpuint (size, ==, 15);
  g_assert_cmpuint (item_size, ==, 4);
  g_assert_cmpuint (n_bytes, ==, 60);
  g_assert_cmpint (order, ==, SHND_ORDER_C);
  g_assert_cmpint (access, ==, SHND_ACCESS_READ_WRITE);
  g_assert_false (closed);
  g_assert_false (persistent);

  g_signal_connect (array, "notify::closed", G_CALLBACK (closed_cb), &n_notified);
  shnd_array_close (array);
  shnd_array_close (array);
  g_assert_cmpuint (n_notified, ==, 1);
  g_assert_false (has_name (name));
}

/* What a process writes the other sees, and a child's end takes nothing away. */
static void
test_processes (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (4));
  g_autoptr (ShndArray) anonymous = new_array (NULL, "<i4", SHAPE (4));
  g_autoptr (ShndArray) again = NULL;
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      ShndArray *mine = shnd_array_open (name, SHND_ACCESS_READ_WRITE, NULL);

      ((gint32 *) shnd_array_get_data (mine))[1] = 11;
      ((gint32 *) shnd_array_get_data (anonymous))[1] = 12;
      g_object_unref (mine);
      g_object_unref (array);
      g_object_unref (anonymous);
      g_free (name);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (((gint32 *) shnd_array_get_data (array))[1], ==, 11);
  g_assert_cmpint (((gint32 *) shnd_array_get_data (anonymous))[1], ==, 12);
  again = open_array (name, SHND_ACCESS_READ);
  unlink_name (name);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/empty", test_empty);
  g_test_add_func ("/array/new", test_new);
  g_test_add_func ("/array/new/exists", test_new_exists);
  g_test_add_func ("/array/new/unique", test_new_unique);
  g_test_add_func ("/array/new/flags", test_flags);
  g_test_add_func ("/array/new/shapes", test_shapes);
  g_test_add_func ("/array/new/from-bytes", test_new_from_bytes);
  g_test_add_func ("/array/names", test_names);
  g_test_add_func ("/array/unlink/other", test_unlink_other);
  g_test_add_func ("/array/open/errors", test_open_errors);
  g_test_add_func ("/array/open/too-small", test_open_too_small);
  g_test_add_func ("/array/open/segment", test_open_segment);
  g_test_add_func ("/array/properties", test_properties);
  g_test_add_func ("/array/processes", test_processes);

  return g_test_run ();
}
