/* SPDX-License-Identifier: MIT */

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "stream-support.h"
#include "sync-support.h"

/* Arrays that go through streams: memory, pipes, devices, compressors. */

/* Ends what would otherwise wait for ever, in milliseconds. */
#define POLL_TIMEOUT 60000

static ShndArray *
load (const char *name, GInputStream *stream)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array =
      shnd_array_load_stream (name, stream, SHND_CREATE_NONE, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return array;
}

static void
assert_ended (GInputStream *stream)
{
  g_autofree char *name = get_name ();
  g_autoptr (GError) error = NULL;

  g_assert_null (shnd_array_load_stream (name, stream, 0, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_END_OF_STREAM, "the stream: It has ended");
  assert_no_name (name);
}

/* Whatever there is goes through a stream as it goes into a file. */
static void
test_stream (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "a.npy", NULL);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_counting ("<f8", SHAPE (1000, 1300));
  g_autoptr (ShndArray) transposed = shnd_array_transpose (array, NULL, 0, NULL);
  g_autoptr (ShndArray) strided = shnd_array_slice (array, 1, 999, -1, -3, NULL);
  g_autoptr (ShndArray) row = shnd_array_index (array, 0, 7, NULL);
  g_autoptr (ShndArray) structs =
      new_counting ("[('a', '<u2'), ('b', '>f4', (2, 2)), ('', '|V3')]", SHAPE (70, 3));
  g_autoptr (ShndArray) field = shnd_array_field (structs, "b", NULL);
  g_autoptr (ShndArray) big_endian = new_counting (">i2", SHAPE (5, 3));
  g_autoptr (ShndArray) single = new_counting ("<i4", NULL, 0);
  g_autoptr (ShndArray) empty = new_array (NULL, "<i4", SHAPE (3, 0, 2));
  g_autoptr (ShndArray) nothing = new_array (NULL, "|V0", SHAPE (3));
  /* Headers of the versions 2.0 and 3.0. */
  g_autofree char *long_name = g_strnfill (70000, 'x');
  g_autofree char *long_dtype = g_strdup_printf ("[('%s', '|u1')]", long_name);
  g_autoptr (ShndArray) lengthy = new_counting (long_dtype, SHAPE (4));
  g_autoptr (ShndArray) unicode = new_counting ("[('€', '|u1')]", SHAPE (4));
  ShndArray *const sources[] = { array,      transposed, strided, row,     structs, field,
                                 big_endian, single,     empty,   nothing, lengthy, unicode };
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      gsize n_bytes = shnd_array_get_n_bytes (sources[i]);
      Progress saving = { .current = -1 }, loading = { .current = -1 };
      g_autoptr (GInputStream) stream = g_memory_input_stream_new ();
      g_autoptr (GBytes) bytes = save_to_bytes (sources[i], &saving);
      g_autofree char *contents = NULL;
      gsize length;

      g_assert_cmpint (saving.current, ==, n_bytes);
      g_assert_cmpint (saving.total, ==, n_bytes);
      g_assert_cmpuint (saving.n_calls, >=, n_bytes > 4 * MIB ? 3 : 1);

      g_assert_true (shnd_array_save (sources[i], path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
      g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
      g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), contents, length);

      /* Two of them, and something else. */
      for (guint n = 0; n < 2; n++)
        g_memory_input_stream_add_bytes (G_MEMORY_INPUT_STREAM (stream), bytes);
      g_memory_input_stream_add_data (G_MEMORY_INPUT_STREAM (stream), "more", 4, NULL);
      {
        g_autoptr (ShndArray) named = load (name, stream);
        g_autoptr (ShndArray) opened = open_array (name, SHND_ACCESS_READ);
        g_autoptr (ShndArray) anonymous = NULL;

        g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, length);
        anonymous = shnd_array_load_stream (NULL, stream, 0, NULL, progress_cb, &loading, &error);
        g_assert_no_error (error);
        g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 2 * length);
        g_assert_cmpint (loading.current, ==, n_bytes);
        g_assert_cmpint (loading.total, ==, n_bytes);
        g_assert_cmpuint (loading.n_calls, ==, n_bytes > 8 * MIB ? 3 : 1);
        g_assert_cmpstr (shnd_array_get_name (named), ==, name);
        g_assert_null (shnd_array_get_name (anonymous));
        g_assert_cmpint (shnd_array_get_access (named), ==, SHND_ACCESS_READ_WRITE);
        assert_same (opened, sources[i]);
        assert_same (anonymous, sources[i]);
        unlink_name (name);
      }
      g_assert_false (g_input_stream_is_closed (stream));
      g_assert_cmpint (g_input_stream_skip (stream, 100, NULL, NULL), ==, 4);
      assert_ended (stream);
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);

  /* What the flags say. */
  {
    g_autoptr (GBytes) bytes = save_to_bytes (single, NULL);
    g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
    g_autofree char *shm_path = g_strconcat ("/dev/shm/", name, NULL);
    ShndArray *loaded = shnd_array_load_stream (
        name, stream, SHND_CREATE_OTHERS_READ | SHND_CREATE_SPARSE | SHND_CREATE_PERSISTENT, NULL,
        NULL, NULL, &error);
    struct stat info;

    g_assert_no_error (error);
    g_object_unref (loaded);
    g_assert_cmpint (stat (shm_path, &info), ==, 0);
    g_assert_cmpint (info.st_mode & 07777, ==, 0604);
    unlink_name (name);
  }

  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);
}

typedef struct
{
  ShndArray *array;
  int fd;
} Writer;

/* Two of them; then one that comes byte by byte. */
static gpointer
write_arrays (gpointer data)
{
  Writer *writer = data;
  g_autoptr (GOutputStream) stream = g_unix_output_stream_new (writer->fd, TRUE);
  g_autoptr (ShndArray) small = new_counting ("<i4", SHAPE (50));
  g_autoptr (GBytes) bytes = save_to_bytes (small, NULL);
  gsize length;
  const guint8 *contents = g_bytes_get_data (bytes, &length);

  for (guint i = 0; i < 2; i++)
    g_assert_true (shnd_array_save_stream (writer->array, stream, NULL, NULL, NULL, NULL));
  for (gsize i = 0; i < length; i++)
    g_assert_cmpint (write (writer->fd, contents + i, 1), ==, 1);

  return NULL;
}

static void
test_stream_pipe (void)
{
  g_autoptr (ShndArray) array = new_counting ("<f4", SHAPE (700, 1001));
  g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 1, 1001, 3, NULL);
  g_autoptr (ShndArray) small = new_counting ("<i4", SHAPE (50));
  ShndArray *const sources[] = { array, view };
  guint n_fds = count_fds ();

  for (guint i = 0; i < 4; i++)
    {
      ShndArray *source = sources[i % 2];
      g_autoptr (GInputStream) stream = NULL;
      GThread *thread;
      Writer writer = { .array = source };
      int fds[2];

      make_pipe (fds);
      /* One that returns early is not another one. */
      if (i / 2 == 1)
        {
          g_assert_cmpint (fcntl (fds[0], F_SETFL, O_NONBLOCK), ==, 0);
          g_assert_cmpint (fcntl (fds[1], F_SETFL, O_NONBLOCK), ==, 0);
        }
      writer.fd = fds[1];
      stream = g_unix_input_stream_new (fds[0], TRUE);
      thread = g_thread_new ("writer", write_arrays, &writer);
      for (guint n = 0; n < 3; n++)
        {
          g_autoptr (ShndArray) loaded = load (NULL, stream);

          assert_same (loaded, n < 2 ? source : small);
        }
      g_thread_join (thread);
      assert_ended (stream);
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* Somebody who cancels when nothing goes on any more at one end of a pipe. */
typedef struct
{
  GCancellable *cancellable;
  int fd; /* of the end that the other one does not use */
  gboolean is_full;
  GMutex mutex;
  GCond ended;
  gboolean has_ended;
  gboolean given_up;
} Canceller;

static gpointer
cancel_when_stuck (gpointer data)
{
  Canceller *self = data;
  gint64 deadline = g_get_monotonic_time () + POLL_TIMEOUT * G_TIME_SPAN_MILLISECOND;
  int n_left;

  if (self->is_full)
    {
      struct pollfd poll_fd = { .fd = self->fd, .events = POLLOUT };

      while (poll (&poll_fd, 1, 0) != 0)
        g_usleep (1000);
    }
  else
    {
      do
        g_assert_cmpint (ioctl (self->fd, FIONREAD, &n_left), ==, 0);
      while (n_left > 0 && (g_usleep (1000), TRUE));
    }
  g_cancellable_cancel (self->cancellable);

  g_mutex_lock (&self->mutex);
  while (!self->has_ended && !self->given_up)
    self->given_up = !g_cond_wait_until (&self->ended, &self->mutex, deadline);
  g_mutex_unlock (&self->mutex);
  if (self->given_up)
    g_error ("Nothing ends what was cancelled");

  return NULL;
}

static GThread *
start_canceller (Canceller *self, GCancellable *cancellable, int fd, gboolean is_full)
{
  *self = (Canceller){ .cancellable = cancellable, .fd = fd, .is_full = is_full };
  g_mutex_init (&self->mutex);
  g_cond_init (&self->ended);

  return g_thread_new ("canceller", cancel_when_stuck, self);
}

static void
end_canceller (Canceller *self, GThread *thread)
{
  g_mutex_lock (&self->mutex);
  self->has_ended = TRUE;
  g_cond_signal (&self->ended);
  g_mutex_unlock (&self->mutex);
  g_thread_join (thread);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->ended);
}

/* How many descriptors of this process are of the same pipe as `fd`. */
static guint
count_ends (int fd)
{
  struct stat pipe, info;
  guint n = 0;

  g_assert_cmpint (fstat (fd, &pipe), ==, 0);
  for (int i = 0; i < 1000; i++)
    n += fstat (i, &info) == 0 && info.st_dev == pipe.st_dev && info.st_ino == pipe.st_ino;

  return n;
}

typedef struct
{
  int fds[2];
  gboolean called;
} Forking;

static void
fork_cb (goffset current, goffset total, gpointer data)
{
  Forking *self = data;
  pid_t pid;

  /* One was opened again. */
  g_assert_cmpuint (count_ends (self->fds[0]), ==, 3);

  pid = fork ();
  if (pid == 0)
    end_child (count_ends (self->fds[0]) == 2 ? 0 : 1);

  wait_for_child (pid);
  self->called = TRUE;
}

/* A pipe ends when this process is done with it, whatever children there are. */
static void
test_stream_fork (void)
{
  g_autoptr (ShndArray) array = new_counting ("<i4", SHAPE (100));
  g_autoptr (GOutputStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  Forking forking = { 0 };

  make_pipe (forking.fds);
  stream = g_unix_output_stream_new (forking.fds[1], TRUE);
  shnd_array_save_stream (array, stream, NULL, fork_cb, &forking, &error);
  g_assert_no_error (error);
  g_assert_true (forking.called);
  close (forking.fds[0]);
}

/* How much memory the largest unnamed file of this process has, in bytes; it claims to have at least
 * `size`. */
static goffset
get_unnamed_memory (goffset size)
{
  for (int fd = 0; fd < 1000; fd++)
    {
      struct stat info;

      if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode) && info.st_nlink == 0 &&
          info.st_size >= size)
        return info.st_blocks * 512;
    }

  return -1;
}

static void
look_cb (goffset current, goffset total, gpointer data)
{
  goffset *memory = data;

  if (*memory == 0)
    *memory = get_unnamed_memory (total);
}

static void
test_stream_cancelled (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_counting ("<i4", SHAPE (1000, 1000));
  g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 1, 1000, 2, NULL);
  g_autoptr (GBytes) header =
      make_header ("{'descr': '<i4', 'fortran_order': False, 'shape': (16777216,), }");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *zeros = g_malloc0 (5 * MIB);
  guint n_fds = count_fds ();
  Canceller canceller;
  GThread *thread;

  /* Nothing more comes: in the header, behind it, among the elements. */
  for (gsize length = 0; length < 1000; length += length == 0 ? 9 : length == 9 ? 119 : 300)
    {
      g_autoptr (GInputStream) stream = NULL;
      g_autoptr (GByteArray) start = g_byte_array_new ();
      int fds[2];

      make_pipe (fds);
      g_byte_array_append (start, g_bytes_get_data (header, NULL), 128);
      g_byte_array_append (start, zeros, 1000);
      g_assert_cmpint (write (fds[1], start->data, length), ==, length);
      stream = g_unix_input_stream_new (fds[0], TRUE);
      thread = start_canceller (&canceller, cancellable, fds[0], FALSE);
      g_assert_null (shnd_array_load_stream (name, stream, 0, cancellable, NULL, NULL, &error));
      end_canceller (&canceller, thread);
      assert_cancelled (error);
      g_clear_error (&error);
      assert_no_name (name);
      g_cancellable_reset (cancellable);
      close (fds[1]);
    }

  /* Nobody takes it: from a pipe, or from what cannot be opened a second time. */
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GOutputStream) stream = NULL;
      int fds[2];

      if (i < 2)
        make_pipe (fds);
      else
        g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
      stream = g_unix_output_stream_new (fds[1], TRUE);
      thread = start_canceller (&canceller, cancellable, fds[1], TRUE);
      g_assert_false (shnd_array_save_stream (i % 2 == 0 ? array : view, stream, cancellable, NULL,
                                              NULL, &error));
      end_canceller (&canceller, thread);
      assert_cancelled (error);
      g_clear_error (&error);
      g_cancellable_reset (cancellable);
      close (fds[0]);
    }

  /* By the progress; and memory is taken for what has come alone. */
  {
    g_autoptr (GInputStream) stream = g_memory_input_stream_new ();
    Progress progress = { .cancel = cancellable };
    goffset memory = 0;

    g_memory_input_stream_add_bytes (G_MEMORY_INPUT_STREAM (stream), header);
    g_memory_input_stream_add_data (G_MEMORY_INPUT_STREAM (stream), zeros, 5 * MIB, NULL);
    g_assert_null (
        shnd_array_load_stream (name, stream, 0, cancellable, progress_cb, &progress, &error));
    assert_cancelled (error);
    g_clear_error (&error);
    g_assert_cmpuint (progress.n_calls, ==, 1);
    g_assert_cmpint (progress.current, ==, 4 * MIB);
    g_assert_cmpint (progress.total, ==, 64 * MIB);
    assert_no_name (name);

    /* Cancelled before, it reads nothing, and writes nothing. */
    g_assert_true (g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_SET, NULL, NULL));
    g_assert_null (shnd_array_load_stream (name, stream, 0, cancellable, NULL, NULL, &error));
    assert_cancelled (error);
    g_clear_error (&error);
    g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 0);
    {
      g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();

      g_assert_false (shnd_array_save_stream (array, output, cancellable, NULL, NULL, &error));
      assert_cancelled (error);
      g_clear_error (&error);
      g_assert_cmpuint (g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (output)), ==,
                        0);
    }

    g_assert_null (shnd_array_load_stream (name, stream, 0, NULL, look_cb, &memory, &error));
    assert_message (error, SHND_ERROR_TOO_SMALL, "after 5242880 of the 67108864 bytes");
    g_clear_error (&error);
    g_assert_cmpint (memory, >=, 4 * MIB);
    g_assert_cmpint (memory, <, 8 * MIB);
    assert_no_name (name);
  }

  g_assert_cmpuint (count_fds (), ==, n_fds);
}

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  ShndArray *array;
  gboolean saved;
  GError *error;
  guint n_left;
  gboolean starting;
} Async;

static void
loaded_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Async *async = data;

  g_assert_false (async->starting);
  g_assert_true (g_thread_self () == async->thread);
  g_assert_null (object);
  g_assert_true (g_async_result_is_tagged (result, shnd_array_load_stream_async));
  async->array = shnd_array_load_stream_finish (result, &async->error);
  if (--async->n_left == 0)
    g_main_loop_quit (async->loop);
}

static void
saved_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Async *async = data;

  g_assert_false (async->starting);
  g_assert_true (g_thread_self () == async->thread);
  g_assert_true (g_async_result_is_tagged (result, shnd_array_save_stream_async));
  async->saved = shnd_array_save_stream_finish (SHND_ARRAY (object), result, &async->error);
  if (--async->n_left == 0)
    g_main_loop_quit (async->loop);
}

/* From one end of a pipe to the other, in one process. */
static void
test_stream_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  Async async = { .loop = loop, .thread = g_thread_self () };
  guint n_fds;
  int fds[2];

  {
    g_autoptr (ShndArray) array = new_counting ("<i4", SHAPE (300, 500));
    g_autoptr (ShndArray) copy = shnd_array_dup (array, NULL, 0, NULL, NULL, NULL, NULL);
    g_autofree char *passing_name = g_strdup (name);
    g_autoptr (GInputStream) input = NULL;
    g_autoptr (GOutputStream) output = NULL;

    bytes = save_to_bytes (array, NULL);
    make_pipe (fds);
    input = g_unix_input_stream_new (fds[0], TRUE);
    output = g_unix_output_stream_new (fds[1], TRUE);
    async.n_left = 2;
    async.starting = TRUE;
    shnd_array_load_stream_async (passing_name, input, 0, cancellable, loaded_cb, &async);
    shnd_array_save_stream_async (array, output, NULL, saved_cb, &async);
    async.starting = FALSE;
    /* What they need they hold. */
    shnd_array_close (array);
    g_clear_pointer (&passing_name, g_free);
    g_clear_object (&input);
    g_clear_object (&output);
    g_main_loop_run (loop);
    g_assert_no_error (async.error);
    g_assert_true (async.saved);
    g_assert_cmpstr (shnd_array_get_name (async.array), ==, name);
    assert_same (async.array, copy);

    async.n_left = 1;
    shnd_array_save_stream_async (array, memory, NULL, saved_cb, &async);
    g_main_loop_run (loop);
    g_assert_false (async.saved);
    assert_message (async.error, SHND_ERROR_CLOSED, "");
    g_clear_error (&async.error);
  }

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GInputStream) input = g_memory_input_stream_new_from_bytes (bytes);
      g_autoptr (ShndArray) holder G_GNUC_UNUSED = g_steal_pointer (&async.array);

      if (i == 2)
        g_cancellable_cancel (cancellable);
      async.n_left = 1;
      shnd_array_load_stream_async (i == 1 ? NULL : name, input,
                                    i == 1 ? SHND_CREATE_FORTRAN : SHND_CREATE_NONE,
                                    i == 2 ? cancellable : NULL, loaded_cb, &async);
      g_main_loop_run (loop);
      g_assert_null (async.array);
      if (i == 2)
        assert_cancelled (async.error);
      else
        assert_message (async.error, i == 0 ? SHND_ERROR_EXISTS : SHND_ERROR_INVALID_ARGUMENT, "");
      g_clear_error (&async.error);
    }
  assert_no_name (name);

  /* Nobody asks for the array: it is given back. */
  n_fds = count_fds ();
  {
    g_autoptr (GInputStream) input = g_memory_input_stream_new_from_bytes (bytes);

    shnd_array_load_stream_async (NULL, input, 0, NULL, ignored_cb, loop);
    g_main_loop_run (loop);
    while (count_fds () > n_fds)
      g_usleep (1000);
  }
}

/* A result belongs to one function. */
static void
test_stream_finish (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (5));
  g_autoptr (GTask) of_load = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GTask) of_save = g_task_new (array, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (of_load, shnd_array_load_async);
  g_task_return_boolean (of_load, TRUE);
  g_task_set_source_tag (of_save, shnd_array_save_async);
  g_task_return_boolean (of_save, TRUE);

  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_null (shnd_array_load_stream_finish (G_ASYNC_RESULT (of_load), &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_false (shnd_array_save_stream_finish (array, G_ASYNC_RESULT (of_save), &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*G_IS_INPUT_STREAM*");
  g_assert_null (shnd_array_load_stream (NULL, NULL, 0, NULL, NULL, NULL, &error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("Shnd", G_LOG_LEVEL_CRITICAL, "*G_IS_OUTPUT_STREAM*");
  g_assert_false (shnd_array_save_stream (array, NULL, NULL, NULL, NULL, &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* Nobody who reads shall be an error. */
  signal (SIGPIPE, SIG_IGN);

  g_test_add_func ("/array/stream", test_stream);
  g_test_add_func ("/array/stream/pipe", test_stream_pipe);
  g_test_add_func ("/array/stream/fork", test_stream_fork);
  g_test_add_func ("/array/stream/cancelled", test_stream_cancelled);
  g_test_add_func ("/array/stream/async", test_stream_async);
  g_test_add_func ("/array/stream/finish", test_stream_finish);

  return g_test_run ();
}
