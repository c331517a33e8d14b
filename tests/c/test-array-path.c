/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <shndarray/shndarray.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "array-support.h"

/* New arrays that are files on a disk. */

#define MIB (1024 * 1024)

static ShndArray *
new_file (const char *path,
          const char *description,
          const gint64 *shape,
          guint n_dims,
          ShndCreateFlags flags)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new_path (path, dtype, shape, n_dims, flags, &error);

  g_assert_no_error (error);
  g_assert_nonnull (array);
  return array;
}

static void
assert_fails (const char *path, ShndCreateFlags flags, ShndError code, const char *part)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  g_assert_null (shnd_array_new_path (path, dtype, SHAPE (2 * MIB), flags, &error));
  assert_message (error, code, part);
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

static void
test_new (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();
  mode_t mask = umask (027);
  struct stat info;

  {
    g_autoptr (ShndArray) array =
        new_file (path, "<i4", SHAPE (100, 2000), SHND_CREATE_FORTRAN | SHND_CREATE_NONE);
    g_autoptr (ShndArray) other = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);

    g_assert_no_error (error);
    umask (mask);
    g_assert_cmpint (stat (path, &info), ==, 0);
    g_assert_cmpint (info.st_mode & 07777, ==, 0640);
    /* As in shared memory: 4096 before the elements, and as much behind them. */
    g_assert_cmpint (info.st_size, ==, 4096 + (800000 + 4095) / 4096 * 4096 + 4096);
    g_assert_cmpint (info.st_blocks * 512ll, >=, info.st_size);

    g_assert_null (shnd_array_get_name (array));
    g_assert_cmpint (shnd_array_get_access (array), ==, SHND_ACCESS_READ_WRITE);
    g_assert_cmpint (shnd_array_get_order (array), ==, SHND_ORDER_FORTRAN);
    g_assert_cmpint (shnd_array_get_order (other), ==, SHND_ORDER_FORTRAN);
    g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (99, 1999), &error), ==, 0);
    g_assert_no_error (error);

    /* One memory, whoever opens it. */
    g_assert_true (shnd_array_set_int64 (array, SHAPE (99, 1999), 7, &error));
    g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (99, 1999), NULL), ==, 7);
    g_assert_true (shnd_array_set_int64 (other, SHAPE (3, 5), -1, &error));
    g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (3, 5), NULL), ==, -1);

    /* What is there is not replaced, be it a link that leads nowhere. */
    assert_fails (path, 0, SHND_ERROR_EXISTS, path);
    g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (3, 5), NULL), ==, -1);
  }
  g_assert_cmpuint (count_fds (), ==, n_fds);
  g_assert_cmpint (stat (path, &info), ==, 0);
  {
    g_autoptr (ShndArray) array = shnd_array_open_path (path, SHND_ACCESS_READ, &error);

    g_assert_no_error (error);
    g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (99, 1999), NULL), ==, 7);
  }
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (symlink ("none", path), ==, 0);
  assert_fails (path, 0, SHND_ERROR_EXISTS, path);
  g_assert_cmpint (unlink (path), ==, 0);

  /* Nothing in it, and little. */
  {
    g_autoptr (ShndArray) empty = new_file (path, "<i4", SHAPE (3, 0), 0);

    g_assert_cmpuint (shnd_array_get_size (empty), ==, 0);
    g_assert_cmpint (unlink (path), ==, 0);
  }
  {
    g_autoptr (ShndArray) single = new_file (path, "<i4", NULL, 0, 0);

    g_assert_true (shnd_array_set_int64 (single, NULL, 0, 5, &error));
    g_assert_cmpint (unlink (path), ==, 0);
  }
  remove_folder (folder);
}

/* All that processes share of an array, they share of a file. */
static void
test_lock (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (ShndArray) array = new_file (path, "<i4", SHAPE (5), 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) other = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);

  g_assert_no_error (error);
  g_assert_true (shnd_array_get_persistent (array));
  g_assert_true (shnd_array_lock (array, 0, NULL, NULL, &error));
  g_assert_false (shnd_array_lock (other, 0, NULL, NULL, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_true (shnd_array_unlock (array, &error));
  g_assert_true (shnd_array_lock (other, 0, NULL, NULL, &error));
  g_assert_true (shnd_array_update (array, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_array_get_sequence (other), ==, 1);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* In shared memory it is an array under that name, one that stays. */
static void
test_shared_memory (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  ShndArray *array = new_file (path, "<i4", SHAPE (5), SHND_CREATE_PERSISTENT);
  g_autoptr (ShndArray) other = NULL;

  g_object_unref (array);
  other = open_array (name, SHND_ACCESS_READ_WRITE);
  g_assert_nonnull (other);
  g_assert_true (shnd_array_get_persistent (other));
  unlink_name (name);
}

static void
test_sparse (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (ShndArray) array = new_file (path, "u1", SHAPE (64 * MIB), SHND_CREATE_SPARSE);
  struct stat info;

  ((guint8 *) shnd_array_get_data (array))[64 * MIB - 1] = 3;
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, 64 * MIB + 8192);
  g_assert_cmpint (info.st_blocks * 512ll, <, MIB);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

static void
test_fails (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *none = g_build_filename (folder, "none", "a.npy", NULL);
  g_autofree char *slash = g_strconcat (path, "/", NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GError) error = NULL;
  struct rlimit before, limit;

  assert_fails (none, 0, SHND_ERROR_NOT_FOUND, none);
  assert_fails (slash, 0, SHND_ERROR_NOT_FOUND, slash);
  assert_fails ("", 0, SHND_ERROR_NOT_FOUND, "");
  assert_fails (folder, 0, SHND_ERROR_EXISTS, folder);
  assert_fails ("/dev/full", 0, SHND_ERROR_EXISTS, "/dev/full");
  assert_fails (path, SHND_CREATE_GROUP_READ, SHND_ERROR_INVALID_ARGUMENT, "umask");
  assert_fails (path, 0x40000000, SHND_ERROR_INVALID_ARGUMENT, "FORTRAN, SPARSE");
  g_assert_null (shnd_array_new_path (path, dtype, SHAPE (-1), 0, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "-1");
  g_clear_error (&error);
  /* More than any disk has. */
  g_assert_null (shnd_array_new_path (path, dtype, SHAPE (G_MAXINT64 - 8192), 0, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE);
  g_clear_error (&error);

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = MIB;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  assert_fails (path, 0, SHND_ERROR_NO_SPACE, "RLIMIT_FSIZE");
  assert_fails (path, SHND_CREATE_SPARSE, SHND_ERROR_NO_SPACE, "RLIMIT_FSIZE");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);

  remove_folder (folder);
}

/* ---- File systems that cannot do what others can ---- */

/* From now on this process cannot open files without a name; nor, perhaps, rename without replacing.
 * FALSE if the system does not let us see to that. */
static gboolean
take_away (gboolean also_rename)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
    /* The lower half, on a machine that has that first. */
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[2])),
    BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 4),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, also_rename ? __NR_renameat2 : ~0u, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  return G_BYTE_ORDER == G_LITTLE_ENDIAN && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void
test_elsewhere (gconstpointer data)
{
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;
  g_autofree char *none = NULL;
  g_autoptr (GDir) dir = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }

  if (!take_away (GPOINTER_TO_INT (data)))
    {
      g_test_skip ("The system does not let a process take something away from itself");
      return;
    }

  folder = make_folder ();
  path = g_build_filename (folder, "a.npy", NULL);
  none = g_build_filename (folder, "none", "a.npy", NULL);
  g_assert_cmpint (open (folder, O_TMPFILE | O_RDWR, 0600), ==, -1);
  {
    g_autoptr (ShndArray) array = new_file (path, "<i4", SHAPE (5), 0);
    g_autoptr (ShndArray) other = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_true (shnd_array_set_int64 (array, SHAPE (3), 7, &error));
    /* Nothing temporary is left, whether it works or not. */
    assert_fails (path, 0, SHND_ERROR_EXISTS, path);
    dir = g_dir_open (folder, 0, NULL);
    g_assert_cmpstr (g_dir_read_name (dir), ==, "a.npy");
    g_assert_cmpstr (g_dir_read_name (dir), ==, NULL);
    other = shnd_array_open_path (path, SHND_ACCESS_READ, &error);
    g_assert_no_error (error);
    g_assert_cmpint (shnd_array_get_int64 (other, SHAPE (3), NULL), ==, 7);
  }
  assert_fails (none, 0, SHND_ERROR_NOT_FOUND, none);
  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/path/new", test_new);
  g_test_add_func ("/array/path/lock", test_lock);
  g_test_add_func ("/array/path/shared-memory", test_shared_memory);
  g_test_add_func ("/array/path/sparse", test_sparse);
  g_test_add_func ("/array/path/fails", test_fails);
  g_test_add_data_func ("/array/path/no-tmpfile", GINT_TO_POINTER (FALSE), test_elsewhere);
  g_test_add_data_func ("/array/path/no-rename", GINT_TO_POINTER (TRUE), test_elsewhere);

  return g_test_run ();
}
