/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <linux/capability.h>
#include <shndarray/shndarray.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "array-support.h"

/* The pages of arrays: brought to the disk, and kept in memory. */

/* Whether mlock() is what the system has: the address sanitizer makes it do nothing. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_MLOCK FALSE
#elif defined(__has_feature)
#define HAS_MLOCK (!__has_feature (address_sanitizer))
#else
#define HAS_MLOCK TRUE
#endif

/* ---- Sync ---- */

/* What the library asks of the system: the library calls this one in place of that of libc. */
static struct
{
  guint n_calls;
  gsize n_bytes;
  int flags;
  int failure;
  GCancellable *cancel;
} syncs;

int
msync (void *address, size_t length, int flags)
{
  syncs.n_calls++;
  syncs.n_bytes += length;
  syncs.flags = flags;
  if (syncs.cancel != NULL)
    g_cancellable_cancel (syncs.cancel);
  if (syncs.failure != 0)
    {
      errno = syncs.failure;
      return -1;
    }

  return syscall (SYS_msync, address, length, flags);
}

static void
assert_synced (ShndArray *array, ShndSyncFlags flags, gsize n_bytes, int expected_flags)
{
  g_autoptr (GError) error = NULL;

  syncs.n_calls = syncs.n_bytes = syncs.flags = 0;
  g_assert_true (shnd_array_sync (array, flags, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (syncs.n_calls, ==, n_bytes > 0);
  g_assert_cmpuint (syncs.n_bytes, ==, n_bytes);
  g_assert_cmpint (syncs.flags, ==, n_bytes > 0 ? expected_flags : 0);
}

static void
test_sync (void)
{
  gsize page = sysconf (_SC_PAGESIZE);
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) memory = new_array (name, "<i4", SHAPE (30, 5000));
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (shnd_array_save (memory, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  {
    g_autoptr (ShndArray) file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);
    /* Backwards; in the file from byte 128 + 20000 to 128 + 40000. */
    g_autoptr (ShndArray) view = shnd_array_slice (file, 0, 1, 0, -1, &error);

    g_assert_no_error (error);
    g_assert_true (shnd_array_set_int64 (file, SHAPE (29, 4999), 7, &error));
    /* The header is in the same page as the first elements. */
    assert_synced (file, SHND_SYNC_NONE, 128 + 600000, MS_SYNC);
    assert_synced (file, SHND_SYNC_ASYNC, 128 + 600000, MS_ASYNC);
    assert_synced (file, SHND_SYNC_INVALIDATE, 128 + 600000, MS_SYNC | MS_INVALIDATE);
    assert_synced (file, SHND_SYNC_ASYNC | SHND_SYNC_INVALIDATE, 128 + 600000,
                   MS_ASYNC | MS_INVALIDATE);
    assert_synced (view, SHND_SYNC_NONE, (128 + 20000) % page + 20000, MS_SYNC);
  }
  {
    g_autoptr (ShndArray) reader = shnd_array_open_path (path, SHND_ACCESS_READ, &error);

    g_assert_no_error (error);
    g_assert_cmpint (shnd_array_get_int64 (reader, SHAPE (29, 4999), NULL), ==, 7);
    assert_synced (reader, SHND_SYNC_NONE, 128 + 600000, MS_SYNC);
  }

  /* Memory has no disk, and some arrays have no memory. */
  {
    g_autoptr (ShndArray) empty = new_array (NULL, "<i4", SHAPE (0));
    g_autoptr (ShndArray) void_array = new_array (NULL, "V0", SHAPE (3));
    g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
    ShndArray *const arrays[] = { memory, reader, empty, void_array };

    for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
      assert_synced (arrays[i], SHND_SYNC_NONE, i < 2 ? 600000 : 0, MS_SYNC);
  }

  g_assert_false (shnd_array_sync (memory, 4, NULL, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "Flags 4");
  g_clear_error (&error);
  g_cancellable_cancel (cancelled);
  g_assert_false (shnd_array_sync (memory, SHND_SYNC_NONE, cancelled, &error));
  assert_cancelled (error);
  g_clear_error (&error);
  unlink_name (name);
  shnd_array_close (memory);
  g_assert_false (shnd_array_sync (memory, SHND_SYNC_NONE, NULL, &error));
  assert_message (error, SHND_ERROR_CLOSED, "closed");
  g_clear_error (&error);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* A large array in steps, between which it can be cancelled, and what the disk may say. */
static void
test_sync_steps (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array =
      shnd_array_new (NULL, dtype, SHAPE (200000000), SHND_CREATE_SPARSE, &error);

  syncs.n_calls = syncs.n_bytes = 0;
  g_assert_true (shnd_array_sync (array, SHND_SYNC_NONE, cancellable, &error));
  g_assert_cmpuint (syncs.n_calls, >, 1);
  g_assert_cmpuint (syncs.n_bytes, ==, 200000000);

  syncs.n_calls = 0;
  syncs.cancel = cancellable;
  g_assert_false (shnd_array_sync (array, SHND_SYNC_NONE, cancellable, &error));
  syncs.cancel = NULL;
  assert_cancelled (error);
  g_clear_error (&error);
  g_assert_cmpuint (syncs.n_calls, ==, 1);

  syncs.n_calls = 0;
  syncs.failure = EIO;
  g_assert_false (shnd_array_sync (array, SHND_SYNC_NONE, NULL, &error));
  assert_message (error, SHND_ERROR_FAILED, "Cannot sync the array");
  g_clear_error (&error);
  g_assert_cmpuint (syncs.n_calls, ==, 1);
  syncs.failure = ENOSPC;
  g_assert_false (shnd_array_sync (array, SHND_SYNC_NONE, NULL, &error));
  assert_message (error, SHND_ERROR_NO_SPACE, "Cannot sync the array");
  syncs.failure = 0;
}

typedef struct
{
  GMainLoop *loop;
  gboolean synced;
  GError *error;
} Syncing;

static void
synced_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Syncing *syncing = data;

  syncing->synced = shnd_array_sync_finish (SHND_ARRAY (object), result, &syncing->error);
  g_main_loop_quit (syncing->loop);
}

static void
test_sync_async (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GTask) of_other_function = NULL;
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new_path (path, dtype, SHAPE (5), SHND_CREATE_NONE, &error);
  Syncing syncing = { .loop = loop };

  g_assert_no_error (error);
  shnd_array_sync_async (array, SHND_SYNC_NONE, NULL, synced_cb, &syncing);
  g_main_loop_run (loop);
  g_assert_no_error (syncing.error);
  g_assert_true (syncing.synced);

  shnd_array_sync_async (array, 8, NULL, synced_cb, &syncing);
  g_main_loop_run (loop);
  g_assert_false (syncing.synced);
  assert_message (syncing.error, SHND_ERROR_INVALID_ARGUMENT, "Flags 8");
  g_clear_error (&syncing.error);

  g_cancellable_cancel (cancelled);
  shnd_array_sync_async (array, SHND_SYNC_NONE, cancelled, synced_cb, &syncing);
  g_main_loop_run (loop);
  assert_cancelled (syncing.error);
  g_clear_error (&syncing.error);

  of_other_function = g_task_new (array, NULL, NULL, NULL);
  g_task_set_source_tag (of_other_function, test_sync);
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_false (shnd_array_sync_finish (array, G_ASYNC_RESULT (of_other_function), &error));
  g_test_assert_expected_messages ();

  /* Closed and given back meanwhile. */
  shnd_array_sync_async (array, SHND_SYNC_NONE, NULL, synced_cb, &syncing);
  shnd_array_close (array);
  g_object_unref (array);
  g_main_loop_run (loop);
  g_assert_no_error (syncing.error);
  g_assert_true (syncing.synced);

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

/* ---- Locks on pages ---- */

/* How much memory of this process is locked, in bytes. */
static gsize
get_locked (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "\nVmLck:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + 7, NULL, 10) * 1024;
}

static void
assert_locked (gsize n_bytes)
{
  if (HAS_MLOCK)
    g_assert_cmpuint (get_locked (), ==, n_bytes);
}

static void
test_mlock (void)
{
  gsize page = sysconf (_SC_PAGESIZE);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "u1", SHAPE (16 * page));
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) empty = new_array (NULL, "u1", SHAPE (0));
  /* Backwards, from page 5 to page 3, both only in part. */
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 5 * page + 10, 4 * page - 11, -1, NULL);
  g_autoptr (ShndArray) next = shnd_array_slice (array, 0, 5 * page + 20, 7 * page, 1, NULL);
  g_autoptr (GError) error = NULL;
  gsize before = get_locked ();

  unlink_name (name);
  g_assert_true (shnd_array_mlock (view, &error));
  g_assert_no_error (error);
  assert_locked (before + 3 * page);
  /* It does not add up. */
  g_assert_true (shnd_array_mlock (view, &error));
  assert_locked (before + 3 * page);
  g_assert_true (shnd_array_mlock (next, &error));
  assert_locked (before + 4 * page);
  /* The page that both are in is unlocked. */
  g_assert_true (shnd_array_munlock (view, &error));
  assert_locked (before + page);
  g_assert_true (shnd_array_munlock (view, &error));
  assert_locked (before + page);

  /* Other mappings have locks of their own. */
  g_assert_true (shnd_array_mlock (array, &error));
  g_assert_true (shnd_array_mlock (reader, &error));
  assert_locked (before + 32 * page);
  g_assert_true (shnd_array_munlock (array, &error));
  assert_locked (before + 16 * page);
  g_assert_no_error (error);

  g_assert_true (shnd_array_mlock (empty, &error));
  g_assert_true (shnd_array_munlock (empty, &error));
  g_assert_no_error (error);
  assert_locked (before + 16 * page);

  if (HAS_MLOCK)
    {
      g_assert_false (shnd_array_sync (reader, SHND_SYNC_INVALIDATE, NULL, &error));
      assert_message (error, SHND_ERROR_UNSUPPORTED, "munlock");
      g_clear_error (&error);
    }

  /* The lock goes with the mapping. */
  shnd_array_close (reader);
  assert_locked (before);
  g_assert_false (shnd_array_mlock (reader, &error));
  assert_message (error, SHND_ERROR_CLOSED, "closed");
  g_clear_error (&error);
  g_assert_false (shnd_array_munlock (reader, &error));
  assert_message (error, SHND_ERROR_CLOSED, "closed");
  g_clear_error (&error);
}

/* What root may do beyond the limit is given up. */
static void
drop_ipc_lock (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

  g_assert_cmpint (syscall (SYS_capget, &header, data), ==, 0);
  data[0].effective &= ~(1u << CAP_IPC_LOCK);
  g_assert_cmpint (syscall (SYS_capset, &header, data), ==, 0);
}

static void
test_mlock_limit (void)
{
  gsize page = sysconf (_SC_PAGESIZE);
  struct rlimit limit;

  if (!HAS_MLOCK)
    {
      g_test_skip ("The address sanitizer has no mlock()");
      return;
    }

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }

  drop_ipc_lock ();
  limit.rlim_cur = limit.rlim_max = 10 * page;
  g_assert_cmpint (setrlimit (RLIMIT_MEMLOCK, &limit), ==, 0);
  {
    g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (16 * page));
    g_autoptr (ShndArray) small = shnd_array_slice (array, 0, 0, 4 * page, 1, NULL);
    g_autoptr (GError) error = NULL;
    g_autofree char *needed = g_strdup_printf ("Cannot lock %" G_GSIZE_FORMAT, 16 * page);
    g_autofree char *allowed =
        g_strdup_printf ("(RLIMIT_MEMLOCK) is %" G_GSIZE_FORMAT " bytes, of which %" G_GSIZE_FORMAT,
                         10 * page, 4 * page);

    g_assert_true (shnd_array_mlock (small, &error));
    g_assert_no_error (error);
    g_assert_false (shnd_array_mlock (array, &error));
    assert_message (error, SHND_ERROR_NO_SPACE, needed);
    assert_message (error, SHND_ERROR_NO_SPACE, allowed);
    g_clear_error (&error);
    /* Nothing has changed. */
    assert_locked (4 * page);

    g_assert_true (shnd_array_munlock (array, &error));
    limit.rlim_cur = 0;
    g_assert_cmpint (setrlimit (RLIMIT_MEMLOCK, &limit), ==, 0);
    g_assert_false (shnd_array_mlock (small, &error));
    assert_message (error, SHND_ERROR_NO_SPACE, "(RLIMIT_MEMLOCK) is 0 bytes, of which 0");
  }
}

/* Memory that cannot be had: here, as somebody has cut the file short. */
static void
test_mlock_missing (void)
{
  gsize page = sysconf (_SC_PAGESIZE);
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndArray) array = new_array (name, "u1", SHAPE (16 * page));
  g_autoptr (GError) error = NULL;
  gsize before = get_locked ();

  if (!HAS_MLOCK || g_getenv ("SHND_TEST_VALGRIND") != NULL)
    {
      unlink_name (name);
      g_test_skip ("The address sanitizer has no mlock(), and valgrind no mlock2()");
      return;
    }

  g_assert_cmpint (truncate (path, page), ==, 0);
  unlink_name (name);
  g_assert_false (shnd_array_mlock (array, &error));
  assert_message (error, SHND_ERROR_NO_SPACE, "could not bring them all in");
  assert_locked (before);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/sync", test_sync);
  g_test_add_func ("/array/sync/steps", test_sync_steps);
  g_test_add_func ("/array/sync/async", test_sync_async);
  g_test_add_func ("/array/mlock", test_mlock);
  g_test_add_func ("/array/mlock/limit", test_mlock_limit);
  g_test_add_func ("/array/mlock/missing", test_mlock_missing);

  return g_test_run ();
}
