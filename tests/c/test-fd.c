/* SPDX-License-Identifier: MIT */

#include "fd-support.h"

#include <linux/falloc.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Arrays as file descriptors, and what their seals keep others from. */

static ShndArray *
open_fd (int fd, ShndAccess access)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new_for_fd (fd, access, &error);

  g_assert_no_error (error);
  return array;
}

static void
assert_fails (int fd, ShndAccess access, ShndError code, const char *part)
{
  guint n_fds = count_fds ();

  ASSERT_FAILS (shnd_array_new_for_fd (fd, access, failure), code, part);
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* Over a descriptor and back. */
static void
check_round_trip (ShndArray *array, ShndAccess access)
{
  int fd = dup_fd (array);
  g_autoptr (ShndArray) again = NULL;

  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  again = open_fd (fd, access);
  /* It has its own. */
  g_assert_cmpint (close (fd), ==, 0);
  assert_not_inherited ();

  assert_same_elements (array, again);
  g_assert_cmpint (shnd_array_get_order (array), ==, shnd_array_get_order (again));
  g_assert_cmpint (shnd_array_get_access (again), ==, access & SHND_ACCESS_READ_WRITE);
  g_assert_null (shnd_array_get_name (again));
  g_assert_true (shnd_array_get_synchronizable (again));
  g_assert_false (shnd_array_get_persistent (again));
}

static void
test_round_trip (void)
{
  const char *const dtypes[] = { "uint8", ">f8", "<M8[ms]", "S5",
                                 "[('a','<i2'),('b','>f4',(2,))]" };

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    {
      g_autoptr (ShndArray) array = new_array (NULL, dtypes[i], SHAPE (3, 5));
      g_autoptr (ShndArray) point = new_array (NULL, dtypes[i], NULL, 0);
      g_autoptr (ShndArray) empty = new_array (NULL, dtypes[i], SHAPE (4, 0, 2));
      g_autoptr (ShndDType) dtype = new_dtype (dtypes[i]);
      g_autoptr (ShndArray) fortran =
          shnd_array_new (NULL, dtype, SHAPE (3, 5), SHND_CREATE_FORTRAN, NULL);

      memset (shnd_array_get_data (array), '1' + i, shnd_array_get_n_bytes (array));
      check_round_trip (array, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
      check_round_trip (array, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
      check_round_trip (fortran, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
      check_round_trip (point, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
      check_round_trip (empty, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);

      g_assert_true (shnd_array_seal (array, NULL));
      check_round_trip (array, SHND_ACCESS_READ);
      check_round_trip (array, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
    }
}

/* What one writes the other reads, and they have one lock and one counter. */
static void
test_shared (void)
{
  g_autoptr (ShndArray) array = new_counting (4);
  int fd = dup_fd (array);
  g_autoptr (ShndArray) writer = open_fd (fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
  const gint64 index = 2;

  close (fd);
  g_assert_true (shnd_array_set_int64 (writer, &index, 1, 77, NULL));
  g_assert_cmpint (get_int (array, 2), ==, 77);
  g_assert_true (shnd_array_update (writer, NULL));
  g_assert_cmpuint (shnd_array_get_sequence (array), ==, 1);
  g_assert_true (shnd_array_lock (writer, 0, NULL, NULL, NULL));
  ASSERT_FAILS (shnd_array_lock (array, 0, NULL, NULL, failure), SHND_ERROR_TIMED_OUT, "");
  g_assert_true (shnd_array_unlock (writer, NULL));
  g_assert_true (shnd_array_lock (array, 0, NULL, NULL, NULL));
}

/* A descriptor is no lease, and none is taken with it. */
static void
test_named (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "int32", SHAPE (4));
  g_autoptr (ShndArray) other = NULL;
  int fd = dup_fd (array);

  check_round_trip (array, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
  other = open_fd (fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
  assert_fails (fd, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED, "F_SEAL_SHRINK");
  ASSERT_FAILS (shnd_array_unlink (other, failure), SHND_ERROR_UNSUPPORTED, "no name");
  shnd_array_close (array);
  assert_no_name (name);

  /* The memory is there as long as somebody has it. */
  g_assert_cmpint (get_int (other, 3), ==, 0);
  check_round_trip (other, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
  close (fd);
}

static void
test_path (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("int32");
  g_autoptr (ShndArray) array = shnd_array_new_path (path, dtype, SHAPE (4), 0, NULL);
  g_autoptr (GError) error = NULL;

  check_round_trip (array, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
  ASSERT_FAILS (shnd_array_seal (array, failure), SHND_ERROR_UNSUPPORTED, "without a name");
  {
    int fd = dup_fd (array);
    g_autoptr (ShndArray) again = open_fd (fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);

    /* A disk cannot seal; a temporary folder in memory could, but has not been asked in time. */
    g_assert_false (shnd_array_seal (again, &error));
    g_assert_true (g_error_matches (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED) ||
                   g_error_matches (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED));
    g_assert_false (shnd_array_get_sealed (again));
    close (fd);
  }

  unlink (path);
  remove_folder (folder);
}

/* A descriptor gives no more than its array has. */
static void
test_read_only (void)
{
  g_autoptr (ShndArray) array = new_counting (4);
  int fd = dup_fd (array);
  g_autoptr (ShndArray) reader = open_fd (fd, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
  int reader_fd = dup_fd (reader);

  g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDWR);
  g_assert_cmpint (fcntl (reader_fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
  assert_fails (reader_fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED,
                SHND_ERROR_PERMISSION_DENIED, "not open for reading and writing");
  ASSERT_FAILS (shnd_array_seal (reader, failure), SHND_ERROR_READ_ONLY, "READ_WRITE");
  g_assert_true (shnd_array_seal (array, NULL));
  /* Nothing is left to be done. */
  g_assert_true (shnd_array_seal (reader, NULL));
  close (fd);
  close (reader_fd);
}

static void
test_not_whole (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_counting (4);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 0, 2, 1, NULL);
  g_autoptr (ShndArray) named = new_array (name, "int32", SHAPE (4));
  g_autoptr (ShndArray) segment = shnd_array_open_segment (name, shnd_array_get_dtype (array),
                                                           SHAPE (4), 4096, SHND_ACCESS_READ, NULL);
  g_autoptr (ShndArray) none = g_object_new (SHND_TYPE_ARRAY, NULL);

  ASSERT_FAILS (shnd_array_dup_fd (view, failure) >= 0, SHND_ERROR_UNSUPPORTED, "view");
  ASSERT_FAILS (shnd_array_dup_fd (segment, failure) >= 0, SHND_ERROR_UNSUPPORTED, "view");
  ASSERT_FAILS (shnd_array_dup_fd (none, failure) >= 0, SHND_ERROR_CLOSED, "");
  ASSERT_FAILS (shnd_array_seal (none, failure), SHND_ERROR_CLOSED, "");
  g_assert_false (shnd_array_get_sealed (none));
  g_assert_true (shnd_array_seal (view, NULL));
  g_assert_true (shnd_array_get_sealed (array));
}

/* ---- Seals ---- */

static void
test_seal (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_counting (4);
  g_autoptr (ShndArray) named = new_array (name, "int32", SHAPE (4));
  guint n_notified = 0;
  gboolean sealed;
  int fd = dup_fd (array);

  g_signal_connect_swapped (array, "notify::sealed", G_CALLBACK (g_atomic_int_inc), &n_notified);
  g_assert_false (shnd_array_get_sealed (array));
  assert_fails (fd, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED, "F_SEAL_SHRINK");
  assert_fails (fd, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED, "UNSEALED");

  g_assert_true (shnd_array_seal (array, NULL));
  g_assert_true (shnd_array_seal (array, NULL));
  g_assert_cmpuint (n_notified, ==, 1);
  g_object_get (array, "sealed", &sealed, NULL);
  g_assert_true (sealed);
  g_assert_cmpint (fcntl (fd, F_GET_SEALS) & ~0x20, ==,
                   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
  assert_fails (fd, SHND_ACCESS_READ_WRITE, SHND_ERROR_PERMISSION_DENIED, "F_SEAL_FUTURE_WRITE");
  assert_fails (fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED, SHND_ERROR_PERMISSION_DENIED,
                "expected access READ");
  close (fd);

  shnd_array_close (array);
  g_assert_false (shnd_array_get_sealed (array));

  ASSERT_FAILS (shnd_array_seal (named, failure), SHND_ERROR_UNSUPPORTED, "without a name");
  g_assert_false (shnd_array_get_sealed (named));
  {
    int named_fd = dup_fd (named);
    g_autoptr (ShndArray) other = open_fd (named_fd, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);

    ASSERT_FAILS (shnd_array_seal (other, failure), SHND_ERROR_PERMISSION_DENIED, "no more seals");
    close (named_fd);
  }
}

/* The maker's own memory is as it was. */
static void
test_maker (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (ShndArray) array = new_sealed (1000);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 998, 1000, 1, NULL);
  g_autoptr (ShndArray) copy =
      shnd_array_dup (array, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (ShndArray) loaded = NULL;
  g_autoptr (ShndArray) reader = NULL;
  g_autoptr (GBytes) bytes = shnd_array_get_bytes (copy, NULL);
  g_autoptr (GBytes) cow = NULL;
  g_autoptr (GError) error = NULL;
  const gint64 index = 1;
  int fd = dup_fd (array);

  reader = open_fd (fd, SHND_ACCESS_READ);
  close (fd);
  g_assert_false (shnd_array_get_sealed (copy));

  g_assert_true (shnd_array_fill (array, g_variant_new_int32 (5), NULL));
  g_assert_cmpint (get_int (reader, 999), ==, 5);
  g_assert_true (shnd_array_set_int64 (view, &index, 1, 6, NULL));
  g_assert_cmpint (get_int (reader, 999), ==, 6);
  g_assert_true (shnd_array_write_bytes (array, bytes, NULL));
  g_assert_cmpint (get_int (reader, 999), ==, 999);
  g_assert_true (shnd_array_set_int64 (copy, &index, 1, 7, NULL));
  g_assert_true (shnd_array_copy_from (array, copy, NULL));
  g_assert_cmpint (get_int (reader, 1), ==, 7);

  /* What is written to a private mapping stays there. */
  cow = shnd_array_get_cow_bytes (array, &error);
  g_assert_no_error (error);
  ((gint32 *) g_bytes_get_data (cow, NULL))[1] = 8;
  g_assert_cmpint (get_int (reader, 1), ==, 7);
  g_clear_pointer (&cow, g_bytes_unref);
  cow = shnd_array_get_cow_bytes (reader, &error);
  g_assert_no_error (error);
  ((gint32 *) g_bytes_get_data (cow, NULL))[1] = 8;
  g_assert_cmpint (get_int (reader, 1), ==, 7);

  g_assert_true (shnd_array_save (reader, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  loaded = shnd_array_load (NULL, path, SHND_CREATE_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_same_elements (reader, loaded);
  g_assert_true (shnd_array_lock (array, 0, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (shnd_array_update (array, &error));
  g_assert_cmpuint (shnd_array_get_sequence (reader), ==, 1);
  g_assert_true (shnd_array_unlock (array, &error));

  ASSERT_FAILS (shnd_array_fill (reader, g_variant_new_int32 (5), failure), SHND_ERROR_READ_ONLY,
                "");
  ASSERT_FAILS (shnd_array_update (reader, failure), SHND_ERROR_READ_ONLY, "");
  ASSERT_FAILS (shnd_array_lock (reader, 0, NULL, NULL, failure), SHND_ERROR_READ_ONLY, "");

  unlink (path);
  remove_folder (folder);
}

#define ASSERT_REFUSED(call)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    errno = 0;                                                                                     \
    g_assert_true ((call));                                                                        \
    g_assert_true (errno == EPERM || errno == EACCES || errno == EFAULT || errno == EIO ||         \
                   errno == EINVAL || errno == EBADF);                                             \
  }                                                                                                \
  G_STMT_END

/* All that could change the file through a descriptor of it. */
static void
attack (int fd, gsize size)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int source = make_memory ("evil", 4, 4096, 0);
  guint8 *mapping;
  off_t offset = 0;

  ASSERT_REFUSED (mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
  ASSERT_REFUSED (mmap (NULL, size, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
  ASSERT_REFUSED (ftruncate (fd, size / 2) != 0);
  ASSERT_REFUSED (ftruncate (fd, 0) != 0);
  ASSERT_REFUSED (ftruncate (fd, size * 2) != 0);
  ASSERT_REFUSED (truncate (path, 0) != 0);
  ASSERT_REFUSED (pwrite (fd, "evil", 4, 4096) < 0);
  ASSERT_REFUSED (pwrite (fd, "evil", 4, size) < 0);
  ASSERT_REFUSED (fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size) != 0);
  ASSERT_REFUSED (fallocate (fd, 0, size, 4096) != 0);
  ASSERT_REFUSED (sendfile (fd, source, &offset, 4) < 0);
  ASSERT_REFUSED (fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE) != 0);
  ASSERT_REFUSED (open (path, O_RDWR | O_TRUNC | O_CLOEXEC) < 0);

  mapping = mmap (NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  g_assert_true (mapping != MAP_FAILED);
  ASSERT_REFUSED (mprotect (mapping, size, PROT_READ | PROT_WRITE) != 0);
  ASSERT_REFUSED (madvise (mapping, size, MADV_REMOVE) != 0);
  {
    g_autofree char *bytes = g_strdup ("evil");
    struct iovec local = { bytes, 4 }, remote = { mapping, 4 };
    int memory = open ("/proc/self/mem", O_RDWR | O_CLOEXEC);

    ASSERT_REFUSED (process_vm_writev (getpid (), &local, 1, &remote, 1, 0) < 0);
    if (memory >= 0)
      {
        ASSERT_REFUSED (pwrite (memory, bytes, 4, (off_t) (gsize) mapping) < 0);
        close (memory);
      }
  }
  munmap (mapping, size);
  close (source);
}

static void
test_attacks (void)
{
  g_autoptr (ShndArray) array = new_sealed (1024);
  g_autoptr (ShndArray) before =
      shnd_array_dup (array, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (ShndArray) reader = NULL;
  const gsize size = 3 * 4096;
  guint8 *data = shnd_array_get_data (array);
  g_autofree char *path = NULL;
  int fd = dup_fd (array);
  struct stat info;
  int again;

  g_assert_cmpint (fstat (fd, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, size);
  g_assert_cmpint (info.st_mode & 0111, ==, fcntl (fd, F_GET_SEALS) & 0x20 ? 0 : 0111);
  reader = open_fd (fd, SHND_ACCESS_READ);
  attack (fd, size);

  /* That it was opened for reading is no seal, and that it is opened again for writing no key. */
  path = g_strdup_printf ("/proc/self/fd/%d", fd);
  again = open (path, O_RDONLY | O_CLOEXEC);
  attack (again, size);
  close (again);
  again = open (path, O_RDWR | O_CLOEXEC);
  if (again >= 0)
    {
      attack (again, size);
      close (again);
    }

  /* Not even by the maker, nor by who has mapped it. */
  ASSERT_REFUSED (madvise (data, 4096, MADV_REMOVE) != 0);
  {
    guint8 *read_only = shnd_array_get_data (reader);

    ASSERT_REFUSED (mprotect (read_only, 4096, PROT_READ | PROT_WRITE) != 0);
    ASSERT_REFUSED (madvise (read_only, 4096, MADV_REMOVE) != 0);
  }

  g_assert_cmpint (fstat (fd, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, size);
  assert_same_elements (before, array);
  assert_same_elements (before, reader);
  close (fd);
}

/* The mapping of a receiver cannot become a writable one: the kernel says so. */
static void
test_mappings (void)
{
  g_autoptr (ShndArray) array = new_sealed (1024);
  int fd = dup_fd (array);
  g_autoptr (ShndArray) reader = open_fd (fd, SHND_ACCESS_READ);
  g_autofree char *smaps = NULL;
  g_autofree char *start = g_strdup_printf ("%lx-", (gulong) shnd_array_get_data (reader));
  const char *mapping, *flags;

  close (fd);
  g_assert_true (g_file_get_contents ("/proc/self/smaps", &smaps, NULL, NULL));
  mapping = strstr (smaps, start);
  g_assert_nonnull (mapping);
  flags = strstr (mapping, "VmFlags:");
  g_assert_nonnull (flags);
  g_assert_true (g_str_has_prefix (flags, "VmFlags: rd "));
  /* “mw”: may be written after mprotect(). */
  *strchr (flags, '\n') = '\0';
  g_assert_null (strstr (flags, " mw"));
}

/* ---- What is no array, or not to be trusted ---- */

static void
test_strange (void)
{
  const ShndAccess accesses[] = { SHND_ACCESS_READ, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED,
                                  SHND_ACCESS_READ_WRITE,
                                  SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED };
  int pipes[2], sockets[2], closed;

  g_assert_cmpint (pipe2 (pipes, O_CLOEXEC), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  /* Too high for those that are opened below to get it. */
  closed = fcntl (pipes[0], F_DUPFD_CLOEXEC, 500);
  close (closed);

  for (guint i = 0; i < G_N_ELEMENTS (accesses); i++)
    {
      const int others[] = { pipes[0],
                             pipes[1],
                             sockets[0],
                             open ("/", O_RDONLY | O_CLOEXEC),
                             open ("/dev/zero", O_RDWR | O_CLOEXEC),
                             open ("/dev/null", O_RDWR | O_CLOEXEC),
                             eventfd (0, EFD_CLOEXEC),
                             open ("/", O_PATH | O_CLOEXEC) };
      const int none[] = { closed, -1, G_MININT, G_MAXINT };

      for (guint j = 0; j < G_N_ELEMENTS (others); j++)
        assert_fails (others[j], accesses[i], SHND_ERROR_INVALID_FORMAT, "regular file");
      for (guint j = 0; j < G_N_ELEMENTS (none); j++)
        assert_fails (none[j], accesses[i], SHND_ERROR_INVALID_ARGUMENT, "not an open file");
      for (guint j = 3; j < G_N_ELEMENTS (others); j++)
        close (others[j]);
    }

  for (guint i = 0; i < 2; i++)
    {
      close (pipes[i]);
      close (sockets[i]);
    }
}

static void
test_access (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) named = new_array (name, "int32", SHAPE (4));
  const ShndAccess wrong[] = { 0, SHND_ACCESS_UNSEALED, SHND_ACCESS_READ | SHND_ACCESS_ANY_OWNER,
                               SHND_ACCESS_READ | 1 << 4 };
  int fd = dup_fd (array);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    assert_fails (fd, wrong[i], SHND_ERROR_INVALID_ARGUMENT, "UNSEALED if need be");
  close (fd);

  /* And the flag is for nothing else. */
  ASSERT_FAILS (shnd_array_open (name, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED, failure),
                SHND_ERROR_INVALID_ARGUMENT, "ANY_OWNER if need be");
  ASSERT_FAILS (
      shnd_array_open_path ("/dev/null", SHND_ACCESS_READ | SHND_ACCESS_UNSEALED, failure),
      SHND_ERROR_INVALID_ARGUMENT, "ANY_OWNER if need be");
}

static void
test_hostile (void)
{
  const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  const struct
  {
    guint n_bytes;
    goffset size;
    int seals;
    ShndAccess access;
    ShndError code;
    const char *part;
  } cases[] = {
    { 1000, 1128, 0, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED, "F_SEAL_SHRINK" },
    { 1000, 1128, F_SEAL_GROW | F_SEAL_SEAL, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED,
      "F_SEAL_SHRINK" },
    { 1000, 1128, F_SEAL_GROW | F_SEAL_FUTURE_WRITE, SHND_ACCESS_READ, SHND_ERROR_PERMISSION_DENIED,
      "F_SEAL_SHRINK" },
    { 1000, 1128, F_SEAL_WRITE | F_SEAL_SHRINK, SHND_ACCESS_READ_WRITE,
      SHND_ERROR_PERMISSION_DENIED, "F_SEAL_WRITE" },
    { 1000, 1127, all, SHND_ACCESS_READ, SHND_ERROR_TOO_SMALL, "1127" },
    { 1000, 1127, 0, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED, SHND_ERROR_TOO_SMALL, "1127" },
    { 1000, 128, all, SHND_ACCESS_READ, SHND_ERROR_TOO_SMALL, "128" },
    { G_MAXUINT, 1 << 20, all, SHND_ACCESS_READ, SHND_ERROR_TOO_SMALL, "4294967295" },
    { 1000, 127, all, SHND_ACCESS_READ, SHND_ERROR_INVALID_FORMAT, "header" },
    { 1000, 20, all, SHND_ACCESS_READ, SHND_ERROR_INVALID_FORMAT, "header" },
    { 1000, 5, all, SHND_ACCESS_READ, SHND_ERROR_INVALID_FORMAT, "npy" },
    { 1000, 0, all, SHND_ACCESS_READ, SHND_ERROR_INVALID_FORMAT, "npy" },
  };
  int fd;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      fd = make_npy_memory (cases[i].n_bytes, cases[i].size, cases[i].seals);
      assert_fails (fd, cases[i].access, cases[i].code, cases[i].part);
      close (fd);
    }

  fd = make_memory ("garbage", 7, 8192, all);
  assert_fails (fd, SHND_ACCESS_READ, SHND_ERROR_INVALID_FORMAT, "npy");
  close (fd);

  /* From a mapping like this one a SIGBUS can come although the size is sealed. */
  fd = memfd_create ("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
  if (fd >= 0)
    {
      if (ftruncate (fd, 1 << 30) == 0 && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
        assert_fails (fd, SHND_ACCESS_READ, SHND_ERROR_UNSUPPORTED, "huge pages");
      close (fd);
    }
}

/* Files that others make, and seal in their own ways, are arrays all the same. */
static void
test_foreign (void)
{
  const int seals[] = { F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW,
                        F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
                        F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_GROW };
  int fd;

  for (guint i = 0; i < G_N_ELEMENTS (seals); i++)
    {
      g_autoptr (ShndArray) array = NULL;

      fd = make_npy_memory (1000, 1128, seals[i]);
      array = open_fd (fd, SHND_ACCESS_READ);
      g_assert_cmpint (get_int (array, 999), ==, 0);
      g_assert_cmpint (shnd_array_get_sealed (array), ==, i >= 2);
      g_assert_false (shnd_array_get_synchronizable (array));
      close (fd);
    }

  /* This may be written, and sealed by us. */
  fd = make_npy_memory (1000, 1128, F_SEAL_SHRINK);
  {
    g_autoptr (ShndArray) array = open_fd (fd, SHND_ACCESS_READ_WRITE);

    g_assert_true (shnd_array_fill (array, g_variant_new_byte (9), NULL));
    g_assert_true (shnd_array_seal (array, NULL));
    g_assert_true (shnd_array_fill (array, g_variant_new_byte (8), NULL));
    g_assert_true (shnd_array_get_sealed (array));
  }
  close (fd);

  /* And this not to be sealed. */
  fd = make_npy_memory (1000, 1128, F_SEAL_SHRINK | F_SEAL_SEAL);
  {
    g_autoptr (ShndArray) array = open_fd (fd, SHND_ACCESS_READ_WRITE);

    ASSERT_FAILS (shnd_array_seal (array, failure), SHND_ERROR_PERMISSION_DENIED, "no more seals");
  }
  close (fd);
}

/* ---- Other processes ---- */

/* A child inherits the descriptor, waits for its parent's update, and finds that it cannot write. */
static void
test_wait (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  int fd = dup_fd (array);
  Signal ready;
  pid_t pid;

  signal_init (&ready);
  pid = fork ();
  if (pid == 0)
    {
      ShndArray *reader = shnd_array_new_for_fd (fd, SHND_ACCESS_READ, NULL);
      guint64 sequence;

      shnd_array_close (array);
      signal_send (&ready);
      if (!shnd_array_wait (reader, 0, PATIENCE, NULL, &sequence, NULL) || sequence != 1)
        end_child (1);
      if (get_int (reader, 3) != 42 || shnd_array_fill (reader, g_variant_new_int32 (5), NULL) ||
          shnd_array_new_for_fd (fd, SHND_ACCESS_READ_WRITE, NULL) != NULL)
        end_child (2);
      g_object_unref (reader);
      end_child (0);
    }

  signal_wait (&ready);
  ((gint32 *) shnd_array_get_data (array))[3] = 42;
  g_assert_true (shnd_array_update (array, NULL));
  wait_for_child (pid);
  signal_clear (&ready);
  close (fd);
}

static void
test_leaks (void)
{
  guint n_fds = count_fds ();
  guint n = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 100 : 3000;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ShndArray) array = new_counting (4);
      g_autoptr (ShndArray) reader = NULL;
      int fd = dup_fd (array);

      ASSERT_FAILS (shnd_array_new_for_fd (fd, SHND_ACCESS_READ, failure),
                    SHND_ERROR_PERMISSION_DENIED, "");
      g_assert_true (shnd_array_seal (array, NULL));
      ASSERT_FAILS (shnd_array_new_for_fd (fd, SHND_ACCESS_READ_WRITE, failure),
                    SHND_ERROR_PERMISSION_DENIED, "");
      reader = open_fd (fd, SHND_ACCESS_READ);
      close (fd);
      fd = make_npy_memory (1000, 500, F_SEAL_SHRINK);
      ASSERT_FAILS (shnd_array_new_for_fd (fd, SHND_ACCESS_READ, failure), SHND_ERROR_TOO_SMALL,
                    "");
      close (fd);
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/fd/round-trip", test_round_trip);
  g_test_add_func ("/fd/shared", test_shared);
  g_test_add_func ("/fd/named", test_named);
  g_test_add_func ("/fd/path", test_path);
  g_test_add_func ("/fd/read-only", test_read_only);
  g_test_add_func ("/fd/not-whole", test_not_whole);
  g_test_add_func ("/fd/seal", test_seal);
  g_test_add_func ("/fd/maker", test_maker);
  g_test_add_func ("/fd/attacks", test_attacks);
  g_test_add_func ("/fd/mappings", test_mappings);
  g_test_add_func ("/fd/strange", test_strange);
  g_test_add_func ("/fd/access", test_access);
  g_test_add_func ("/fd/hostile", test_hostile);
  g_test_add_func ("/fd/foreign", test_foreign);
  g_test_add_func ("/fd/wait", test_wait);
  g_test_add_func ("/fd/leaks", test_leaks);

  return g_test_run ();
}
