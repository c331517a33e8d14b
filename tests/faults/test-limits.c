/* SPDX-License-Identifier: MIT */

/* Too little memory, too few file descriptors, no inotify(7): an error that says so, after which all
 * is as it was; or it goes all the same. */

#include "peer.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/array-support.h"
#include "limiting.h"

/* An open_wait() gives up after this, in microseconds. */
#define OPEN_TIMEOUT (30 * G_USEC_PER_SEC)

/* What a stream begins with, in bytes. */
#define HEADER_SIZE 128

/* For what an array takes beside its elements, in bytes. */
#define MARGIN (64 * 1024)

static gboolean isolated;

/* ---- Memory ---- */

static guint64
get_free (void)
{
  struct statvfs fs;

  g_assert_cmpint (statvfs ("/dev/shm", &fs), ==, 0);
  return (guint64) fs.f_bfree * fs.f_frsize;
}

static ShndArray *
new_large (const char *name, guint64 n_bytes, gboolean filled, GError **error)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GBytes) bytes = NULL;

  if (!filled)
    return shnd_array_new (name, dtype, SHAPE (n_bytes), SHND_CREATE_NONE, error);

  bytes = g_bytes_new_take (g_malloc0 (n_bytes), n_bytes);
  return shnd_array_new_from_bytes (name, dtype, SHAPE (n_bytes), bytes, SHND_CREATE_NONE, error);
}

/* A child that makes an array, and is killed if told so. Otherwise it stays until it is. */
static pid_t
fork_maker (const char *name, guint64 n_bytes, gboolean is_killed)
{
  pid_t pid, parent = getpid ();
  int ready[2];
  char byte;

  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      peer_end_with (parent);
      if (new_large (name, n_bytes, FALSE, NULL) == NULL || write (ready[1], "", 1) != 1)
        _exit (1);
      while (TRUE)
        pause ();
    }

  close (ready[1]);
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  if (is_killed)
    {
      kill (pid, SIGKILL);
      g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
    }

  return pid;
}

/* The memory of the dead is there for those who need it; that of the living is not. */
static void
test_memory (void)
{
  g_autofree char *name = g_strconcat (peer_name, "-large", NULL);
  guint64 free = get_free (), n_bytes = free / 5 * 3;
  int status;

  if (!isolated)
    {
      g_test_skip ("/dev/shm is not ours alone");
      return;
    }

  for (guint i = 0; i < 4; i++)
    {
      gboolean filled = i % 2 != 0;
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) array = NULL;
      pid_t pid = fork_maker (peer_name, n_bytes, i < 2);
      guint64 left = get_free ();

      g_assert_cmpuint (left, <, n_bytes);
      array = new_large (name, n_bytes, filled, &error);
      if (i < 2)
        {
          g_assert_no_error (error);
          g_clear_object (&array);
        }
      else
        {
          g_assert_null (array);
          assert_message (error, SHND_ERROR_NO_SPACE, "/dev/shm has ");
          g_assert_cmpuint (get_free (), ==, left);
          kill (pid, SIGKILL);
          g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
          g_strfreev (shnd_reap (NULL));
        }
      g_assert_cmpuint (get_free (), ==, free);
    }
}

/* A stream in which all memory is taken, in the name of somebody dead, when the elements begin. */
typedef struct
{
  GMemoryInputStream parent_instance;
  goffset read;
} GreedyStream;

typedef GMemoryInputStreamClass GreedyStreamClass;

GType greedy_stream_get_type (void);

G_DEFINE_TYPE (GreedyStream, greedy_stream, G_TYPE_MEMORY_INPUT_STREAM)

static gssize
greedy_stream_read (
    GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  GreedyStream *self = (GreedyStream *) stream;
  gssize n;

  if (self->read == HEADER_SIZE)
    fork_maker (peer_name, get_free () - MARGIN, TRUE);
  n = G_INPUT_STREAM_CLASS (greedy_stream_parent_class)
          ->read_fn (stream, buffer, count, cancellable, error);
  self->read += n;

  return n;
}

static void
greedy_stream_class_init (GreedyStreamClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = greedy_stream_read;
}

static void
greedy_stream_init (GreedyStream *self)
{
}

/* A stream that says to hold so many bytes, and holds `n_there` of them. */
static GInputStream *
new_stream (GType type, guint64 n_bytes, guint64 n_there)
{
  GInputStream *stream = g_object_new (type, NULL);
  g_autofree char *header = g_strdup_printf (
      "{'descr': '|u1', 'fortran_order': False, 'shape': (%" G_GUINT64_FORMAT ",), }", n_bytes);
  g_autofree char *text = g_strdup_printf ("\x93NUMPY\1%c\x76%c%-117s\n", 0, 0, header);

  g_memory_input_stream_add_data (G_MEMORY_INPUT_STREAM (stream), g_memdup2 (text, HEADER_SIZE),
                                  HEADER_SIZE, g_free);
  g_memory_input_stream_add_data (G_MEMORY_INPUT_STREAM (stream), g_malloc0 (n_there), n_there,
                                  g_free);

  return stream;
}

/* Leaves too little for what is still to come, in the name of somebody dead. */
static void
take_memory (goffset current, goffset total, gpointer data)
{
  gboolean *taken = data;

  if (!*taken)
    fork_maker (peer_name, get_free () - (total - current) / 2, TRUE);
  *taken = TRUE;
}

/* What is in a stream can be read once: there is memory for it before, or the end comes at once. */
static void
test_stream_memory (void)
{
  g_autofree char *name = g_strconcat (peer_name, "-large", NULL);
  guint64 free = get_free (), n_bytes = free / 5 * 3;

  if (!isolated)
    {
      g_test_skip ("/dev/shm is not ours alone");
      return;
    }

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GInputStream) stream = new_stream (
          i < 3 ? G_TYPE_MEMORY_INPUT_STREAM : greedy_stream_get_type (), n_bytes, n_bytes);
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) array = NULL;
      gboolean taken = FALSE;
      pid_t pid = i < 2 ? fork_maker (peer_name, n_bytes, i == 0) : 0;
      guint64 left = get_free ();

      array = shnd_array_load_stream (name, stream, SHND_CREATE_NONE, NULL,
                                      i == 2 ? take_memory : NULL, &taken, &error);
      if (i == 0)
        {
          /* Of the dead. */
          g_assert_no_error (error);
        }
      else
        {
          g_assert_null (array);
          assert_message (error, SHND_ERROR_NO_SPACE, "/dev/shm has ");
        }
      if (i == 1)
        {
          g_assert_cmpuint (get_free (), ==, left);
          g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, HEADER_SIZE);
          kill (pid, SIGKILL);
          g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
          g_strfreev (shnd_reap (NULL));
        }
      /* What was read is gone: now that there is memory, it is too late. */
      if (i >= 2)
        {
          g_assert_true (taken || i == 3);
          g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), <, n_bytes);
        }

      g_clear_object (&array);
      g_assert_cmpuint (get_free (), ==, free);
    }
}

/* ---- Descriptors ---- */

typedef gboolean (*Function) (ShndArray *array, GError **error);

static gboolean
take_lock (ShndArray *array, GError **error)
{
  return shnd_array_lock (array, 0, NULL, NULL, error) && shnd_array_unlock (array, error);
}

static gboolean
list_names (ShndArray *array, GError **error)
{
  g_auto (GStrv) names = shnd_list_names (error);

  return names != NULL;
}

static gboolean
list_infos (ShndArray *array, GError **error)
{
  gsize n_infos;
  ShndArrayInfo **infos = shnd_list_infos (&n_infos, error);

  for (gsize i = 0; i < n_infos; i++)
    g_object_unref (infos[i]);
  g_free (infos);

  return infos != NULL;
}

static gboolean
look_at_one (ShndArray *array, GError **error)
{
  g_autoptr (ShndArrayInfo) info = shnd_array_info_new (peer_name, error);

  return info != NULL;
}

static gboolean
look_at_path (ShndArray *array, GError **error)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", peer_name, NULL);
  g_autoptr (ShndArrayInfo) info = shnd_array_info_new_for_path (path, error);

  return info != NULL;
}

static gboolean
reap (ShndArray *array, GError **error)
{
  g_auto (GStrv) names = shnd_reap (error);

  return names != NULL;
}

static gboolean
open_wait (ShndArray *array, GError **error)
{
  g_autoptr (ShndArray) opened =
      shnd_array_open_wait (peer_name, SHND_ACCESS_READ, 100000, NULL, error);

  return opened != NULL;
}

static gboolean
open_descriptor (ShndArray *array, GError **error)
{
  g_autofree char *descriptor = shnd_array_to_descriptor (array, NULL);
  g_autoptr (ShndArray) opened = shnd_array_open_descriptor (descriptor, error);

  return opened != NULL;
}

static gboolean
update (ShndArray *array, GError **error)
{
  return shnd_array_update (array, error);
}

static gboolean
wait_for_update (ShndArray *array, GError **error)
{
  return shnd_array_wait (array, G_MAXUINT64, 0, NULL, NULL, error);
}

static void
test_descriptors (void)
{
  static const struct
  {
    const char *what;
    Function function;
    guint n_needed; /* with fewer it fails */
  } cases[] = {
    { "lock", take_lock, 1 },
    { "list_names", list_names, 1 },
    { "list_infos", list_infos, 1 },
    { "info", look_at_one, 1 },
    { "info of a path", look_at_path, 1 },
    { "reap", reap, 1 },
    { "open_wait", open_wait, 2 },
    { "open_descriptor", open_descriptor, 1 },
    { "update", update, 0 },
    { "wait", wait_for_update, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (guint n_left = 0; n_left < 4; n_left++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (ShndArray) array = contents_new (peer_name, 1001, SHND_CREATE_NONE, &error);
          struct rlimit before;
          guint n_fds = count_fds ();
          gboolean success;

          g_assert_no_error (error);
          leave_descriptors (n_left, &before);
          success = cases[i].function (array, &error);
          g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);

          if (n_left < cases[i].n_needed)
            {
              g_assert_false (success);
              assert_message (error, SHND_ERROR_NO_SPACE, "Too many open files");
              g_assert_cmpuint (count_fds (), ==, n_fds);
            }
          else
            {
              g_assert_no_error (error);
            }

          /* And as if nothing had been. */
          g_clear_error (&error);
          g_assert_cmpuint (contents_check (array), ==, 1001);
          cases[i].function (array, &error);
          g_assert_no_error (error);
          g_clear_object (&array);
          g_assert_cmpuint (peer_get_named (), ==, 0);
        }
    }
}

/* Who closes the last handle cannot be told of errors: at worst the name stays for others to reap. */
static void
test_close_without_descriptors (void)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) array = contents_new (peer_name, 1001, SHND_CREATE_NONE, &error);
      g_autoptr (ShndArray) reader = shnd_array_open (peer_name, SHND_ACCESS_READ, &error);
      struct rlimit before;

      g_assert_no_error (error);
      if (i % 2 == 0)
        g_clear_object (&array);
      else
        g_clear_object (&reader);

      leave_descriptors (i / 2, &before);
      g_clear_object (&array);
      g_clear_object (&reader);
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);

      g_assert_null (shnd_array_open (peer_name, SHND_ACCESS_READ, &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND);
      g_strfreev (shnd_reap (NULL));
      g_assert_cmpuint (peer_get_named (), ==, 0);
    }
}

/* ---- inotify ---- */

/* In a namespace of one's own one can be allowed none. Returns whether that is so. */
static gboolean
renounce_inotify (void)
{
  int fd;
  gboolean success;

  if (unshare (CLONE_NEWUSER) != 0)
    return FALSE;

  fd = open ("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);
  success = fd >= 0 && write (fd, "0", 1) == 1;
  if (fd >= 0)
    close (fd);

  return success && inotify_init1 (IN_CLOEXEC) < 0;
}

static void
test_inotify (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = NULL;
  pid_t pid, parent = getpid ();
  int ready[2], status;
  char possible = 0;

  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      peer_end_with (parent);
      possible = renounce_inotify ();
      if (write (ready[1], &possible, 1) != 1 || !possible)
        _exit (0);
      /* Without a map of users the owner is another one. */
      array = shnd_array_open_wait (peer_name, SHND_ACCESS_READ | SHND_ACCESS_ANY_OWNER,
                                    OPEN_TIMEOUT, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (contents_check (array), ==, 1001);
      _exit (0);
    }

  close (ready[1]);
  g_assert_cmpint (read (ready[0], &possible, 1), ==, 1);
  close (ready[0]);
  /* So that the other one has looked once; it would work without. */
  g_usleep (20000);
  array = contents_new (peer_name, 1001, SHND_CREATE_OTHERS_READ, &error);
  g_assert_no_error (error);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  if (!possible)
    g_test_skip ("inotify cannot be denied");
}

int
main (int argc, char **argv)
{
  guint rounds;

  peer_init (argv, &isolated, &rounds);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/limits/memory", test_memory);
  g_test_add_func ("/limits/stream-memory", test_stream_memory);
  g_test_add_func ("/limits/descriptors", test_descriptors);
  g_test_add_func ("/limits/close-without-descriptors", test_close_without_descriptors);
  g_test_add_func ("/limits/inotify", test_inotify);

  return g_test_run ();
}
