/* SPDX-License-Identifier: MIT */

/* What others may put into /dev/shm, or do to our files in it: nothing of it ends a process, or lets
 * it wait for ever, and nothing of theirs is touched. */

#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/array-support.h"

#define NOBODY 65534

/* Offsets in the control page, as doc/format.md has them. */
#define CONTROL_SIZE 4096
#define CONTROL_LOCK 64

static gboolean isolated;
static guint rounds;

static char *
build_path (const char *suffix)
{
  return g_strconcat ("/dev/shm/", peer_name, suffix, NULL);
}

static void
expect (Peer *peer, PeerCommand command, gint64 argument)
{
  PeerReply reply = peer_do (peer, command, argument);

  g_assert_cmpint (reply.code, ==, PEER_OK);
}

/* ---- Strange files ---- */

typedef struct
{
  char *path;
  struct stat info;
} Foreign;

static void
foreign_free (gpointer data)
{
  Foreign *self = data;

  remove (self->path);
  g_free (self->path);
  g_free (self);
}

static void
make_socket (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  close (fd);
}

static void
make_file (const char *path, gconstpointer data, gsize size, goffset length, mode_t mode)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, size);
  g_assert_cmpint (ftruncate (fd, length), ==, 0);
  g_assert_cmpint (fchmod (fd, mode), ==, 0);
  close (fd);
}

/* Returns FALSE if there are no more kinds. */
static gboolean
make_foreign (guint kind, const char *path, const char *canary)
{
  static const char header[] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, "
                               "'shape': (1000000000000,), }";

  switch (kind)
    {
    case 0:
      g_assert_cmpint (mkfifo (path, 0600), ==, 0);
      return TRUE;
    case 1:
      make_socket (path);
      return TRUE;
    case 2:
      g_assert_cmpint (mkdir (path, 0700), ==, 0);
      return TRUE;
    case 3:
      g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
      return TRUE;
    case 4:
      g_assert_cmpint (symlink (canary, path), ==, 0);
      return TRUE;
    case 5:
      g_assert_cmpint (symlink (path, path), ==, 0);
      return TRUE;
    case 6:
      g_assert_cmpint (symlink ("nowhere", path), ==, 0);
      return TRUE;
    case 7:
      make_file (path, "", 0, 0, 0600);
      return TRUE;
    case 8:
      make_file (path, "", 0, (goffset) 1 << 40, 0600);
      return TRUE;
    case 9:
      make_file (path, header, sizeof header, (goffset) 1 << 40, 0600);
      return TRUE;
    case 10:
      make_file (path, "\x93NUMPY\x01\x00\xff\xff", 10, 10, 0600);
      return TRUE;
    case 11:
      make_file (path, "text", 4, 8192, 0);
      return TRUE;
    case 12:
      make_file (path, "text", 4, 8192, 0444);
      return TRUE;
    case 13:
      /* Not everybody may. */
      if (mknod (path, S_IFCHR | 0600, makedev (1, 3)) != 0)
        make_file (path, "", 0, 1, 0600);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
add_foreign (GPtrArray *foreigns, guint kind, char *path, const char *canary)
{
  Foreign *foreign = g_new0 (Foreign, 1);

  foreign->path = path;
  g_assert_true (make_foreign (kind, path, canary));
  g_assert_cmpint (lstat (path, &foreign->info), ==, 0);
  g_ptr_array_add (foreigns, foreign);
}

static void
check_foreigns (GPtrArray *foreigns)
{
  for (guint i = 0; i < foreigns->len; i++)
    {
      const Foreign *foreign = g_ptr_array_index (foreigns, i);
      struct stat info;

      g_assert_cmpint (lstat (foreign->path, &info), ==, 0);
      g_assert_cmpuint (info.st_ino, ==, foreign->info.st_ino);
      g_assert_cmpuint (info.st_mode, ==, foreign->info.st_mode);
      g_assert_cmpint (info.st_size, ==, foreign->info.st_size);
      g_assert_cmpint (info.st_mtim.tv_sec, ==, foreign->info.st_mtim.tv_sec);
      g_assert_cmpint (info.st_mtim.tv_nsec, ==, foreign->info.st_mtim.tv_nsec);
      g_assert_cmpint (info.st_ctim.tv_nsec, ==, foreign->info.st_ctim.tv_nsec);
    }
}

/* Must fail. */
static void
expect_refusal (ShndArray *array, GError **error)
{
  g_assert_null (array);
  g_assert_nonnull (*error);
  g_assert_true ((*error)->domain == SHND_ERROR);
  g_clear_error (error);
}

/* Everything that can be asked of a name; none of it may succeed. */
static void
try_name (const char *name)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autofree char *escaped = g_uri_escape_string (name, NULL, FALSE);
  g_autofree char *descriptor = g_strconcat ("shnd:", escaped, NULL);
  GError *error = NULL;

  expect_refusal (shnd_array_open (name, SHND_ACCESS_READ, &error), &error);
  expect_refusal (shnd_array_open (name, SHND_ACCESS_READ_WRITE, &error), &error);
  expect_refusal (shnd_array_open (name, SHND_ACCESS_READ | SHND_ACCESS_ANY_OWNER, &error), &error);
  expect_refusal (shnd_array_open_wait (name, SHND_ACCESS_READ, 0, NULL, &error), &error);
  expect_refusal (shnd_array_open_descriptor (descriptor, &error), &error);
  expect_refusal (shnd_array_new (name, dtype, SHAPE (10), SHND_CREATE_NONE, &error), &error);
  g_assert_null (shnd_array_info_new (name, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
}

static gboolean
is_listed (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = shnd_list_names (&error);

  g_assert_no_error (error);
  return g_strv_contains ((const char *const *) names, name);
}

static void
look_at_all (GPtrArray *foreigns)
{
  g_autoptr (GError) error = NULL;
  ShndArrayInfo **infos;
  gsize n_infos;
  g_auto (GStrv) reaped = NULL;

  infos = shnd_list_infos (&n_infos, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < n_infos; i++)
    g_object_unref (infos[i]);
  g_free (infos);

  reaped = shnd_reap (&error);
  g_assert_no_error (error);

  for (guint i = 0; i < foreigns->len; i++)
    {
      const Foreign *foreign = g_ptr_array_index (foreigns, i);
      const char *name = strrchr (foreign->path, '/') + 1;

      g_assert_false (is_listed (name));
      g_assert_false (g_strv_contains ((const char *const *) reaped, name));
      try_name (name);
    }
}

/* Runs it in a process of another user, if that is possible. */
static void
run_as_nobody (void (*function) (gpointer data), gpointer data)
{
  int status;
  pid_t pid;

  if (geteuid () != 0)
    return;

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      /* In a namespace of its own there may be no other user. */
      if (setregid (NOBODY, NOBODY) == 0 && setreuid (NOBODY, NOBODY) == 0)
        function (data);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
look_as_nobody (gpointer data)
{
  look_at_all (data);
}

static void
test_strange_files (void)
{
  g_autoptr (GPtrArray) foreigns = g_ptr_array_new_with_free_func (foreign_free);
  g_autofree char *canary = NULL;
  g_autofree char *text = NULL;
  int fd = g_file_open_tmp ("shnd-test-XXXXXX", &canary, NULL);
  guint fds_before;

  g_assert_cmpint (write (fd, "canary", 6), ==, 6);
  close (fd);
  for (guint i = 0; i < 140; i++)
    {
      g_autofree char *suffix = g_strdup_printf (i % 3 == 0 ? "-%u-\xff\xfe" : "-%u", i);

      add_foreign (foreigns, i % 14, build_path (suffix), canary);
    }

  fds_before = count_fds ();
  look_at_all (foreigns);
  g_assert_cmpuint (count_fds (), ==, fds_before);
  check_foreigns (foreigns);
  run_as_nobody (look_as_nobody, foreigns);
  check_foreigns (foreigns);

  g_assert_true (g_file_get_contents (canary, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "canary");
  unlink (canary);
}

/* ---- What belongs to somebody else ---- */

static void
make_and_die (gpointer data)
{
  GError *error = NULL;

  contents_new (peer_name, 1001, SHND_CREATE_OTHERS_WRITE, &error);
  g_assert_no_error (error);
  /* Without giving it back. */
  _exit (0);
}

static void
expect_not_reaped (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = shnd_reap (&error);
  const uid_t *owner = data;
  g_autofree char *path = build_path ("");
  struct stat info;

  g_assert_no_error (error);
  g_assert_false (g_strv_contains ((const char *const *) names, peer_name));
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_uid, ==, *owner);
}

/* Everybody removes his own orphans, root too, and only those. */
static void
test_orphan_of_others (void)
{
  const uid_t nobody = NOBODY, root = 0;
  g_autofree char *path = build_path ("");
  struct stat info;
  int status;
  pid_t pid;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can become somebody else");
      return;
    }

  run_as_nobody (make_and_die, NULL);
  if (stat (path, &info) != 0 || info.st_uid != NOBODY)
    {
      g_test_skip ("there is nobody else");
      return;
    }
  expect_not_reaped ((gpointer) &nobody);
  g_assert_cmpint (unlink (path), ==, 0);

  pid = fork ();
  if (pid == 0)
    make_and_die (NULL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  run_as_nobody (expect_not_reaped, (gpointer) &root);
  g_strfreev (shnd_reap (NULL));
  g_assert_cmpuint (peer_get_named (), ==, 0);
}

/* ---- Files that change ---- */

/* Does something to the file of the array, again and again. */
static void
vandalize (const char *path, const char *spare, gconstpointer original, gsize size)
{
  g_autoptr (GRand) dice = g_rand_new ();

  while (TRUE)
    {
      int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
      guint64 number = ((guint64) g_rand_int (dice) << 32) | g_rand_int (dice);

      switch (g_rand_int_range (dice, 0, 10))
        {
        case 0:
          ftruncate (fd, number % (2 * size));
          break;
        case 1:
          ftruncate (fd, number % 5000);
          break;
        case 2:
          pwrite (fd, &number, 8, g_rand_int_range (dice, 0, 128));
          break;
        case 3:
        case 4:
          pwrite (fd, &number, 1 + number % 8, size - CONTROL_SIZE + number / 8 % 140);
          break;
        case 5:
          unlink (path);
          break;
        case 6:
          unlink (path);
          symlink (spare, path);
          break;
        case 7:
          unlink (path);
          mkfifo (path, 0600);
          break;
        case 8:
          rename (spare, path);
          break;
        default:
          unlink (spare);
          if (fd >= 0)
            close (fd);
          fd = open (spare, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
          pwrite (fd, original, size, 0);
          rename (spare, path);
        }
      if (fd >= 0)
        close (fd);
    }
}

static void
open_all_ways (const char *descriptor, guint *n_opened)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  GError *error = NULL;
  ShndArrayInfo **infos;
  gsize n_infos;

  for (guint way = 0; way < 6; way++)
    {
      g_autoptr (GObject) opened = NULL;

      switch (way)
        {
        case 0:
          opened = (GObject *) shnd_array_open (peer_name, SHND_ACCESS_READ_WRITE, &error);
          break;
        case 1:
          opened = (GObject *) shnd_array_open (peer_name, SHND_ACCESS_READ, &error);
          break;
        case 2:
          opened = (GObject *) shnd_array_open_segment (peer_name, dtype, SHAPE (5000), 100,
                                                        SHND_ACCESS_READ_WRITE, &error);
          break;
        case 3:
          opened = (GObject *) shnd_array_open_descriptor (descriptor, &error);
          break;
        case 4:
          opened = (GObject *) shnd_array_info_new (peer_name, &error);
          break;
        default:
          opened = (GObject *) contents_new (peer_name, 5005, SHND_CREATE_NONE, &error);
        }

      if (opened != NULL)
        ++*n_opened;
      else
        g_assert_true (error->domain == SHND_ERROR);
      g_clear_error (&error);
    }

  g_strfreev (shnd_reap (NULL));
  g_strfreev (shnd_list_names (NULL));
  infos = shnd_list_infos (&n_infos, NULL);
  for (gsize i = 0; i < n_infos; i++)
    g_object_unref (infos[i]);
  g_free (infos);
}

static void
test_vandal (void)
{
  g_autofree char *path = build_path ("");
  g_autofree char *spare = build_path ("-spare");
  g_autofree char *original = NULL;
  g_autofree char *descriptor = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = contents_new (peer_name, 1001, SHND_CREATE_NONE, &error);
  guint n_opened = 0, n = 2000 * rounds, fds_before;
  gsize size;
  pid_t pid, parent = getpid ();

  g_assert_no_error (error);
  descriptor = shnd_array_to_descriptor (array, NULL);
  g_assert_true (g_file_get_contents (path, &original, &size, NULL));
  g_clear_object (&array);

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      peer_end_with (parent);
      vandalize (path, spare, original, size);
    }

  fds_before = count_fds ();
  for (guint i = 0; i < n; i++)
    open_all_ways (descriptor, &n_opened);
  g_assert_cmpuint (count_fds (), ==, fds_before);
  g_test_message ("%u rounds, in which %u were opened", n, n_opened);
  g_assert_cmpuint (n_opened, >, 0);

  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
  unlink (path);
  unlink (spare);
}

/* ---- Words that mean nothing ---- */

static void
scribble (goffset offset, guint64 value, gsize size)
{
  g_autofree char *path = build_path ("");
  int fd = open (path, O_RDWR | O_CLOEXEC);
  off_t end = lseek (fd, 0, SEEK_END);

  g_assert_cmpint (pwrite (fd, &value, size, end - CONTROL_SIZE + offset), ==, size);
  close (fd);
}

static void
test_control_page (void)
{
  const guint64 values[] = {
    0,          1,          77,         0x3fffffff,  0x40000000,
    0x7fffffff, 0x80000000, 0xffffffff, G_MAXUINT64, G_GUINT64_CONSTANT (0x5555555555555555)
  };
  const struct
  {
    goffset offset;
    gsize size;
  } fields[] = { { 0, 8 },  { 8, 4 },  { 12, 4 }, { 16, 8 },
                 { 24, 8 }, { 32, 8 }, { 64, 4 }, { 128, 8 } };
  const PeerCommand commands[] = { PEER_OPEN,  PEER_LOCK,      PEER_UNLOCK, PEER_UPDATE,
                                   PEER_CLOSE, PEER_OPEN_READ, PEER_REAP,   PEER_CLOSE };
  g_autofree char *path = build_path ("");

  for (guint i = 0; i < G_N_ELEMENTS (fields) * G_N_ELEMENTS (values); i++)
    {
      guint64 value = values[i % G_N_ELEMENTS (values)];
      guint field = i / G_N_ELEMENTS (values);
      Peer *holder = peer_new (), *other = peer_new ();
      gboolean open = FALSE, locked = FALSE;

      expect (holder, PEER_NEW, 1001);
      expect (holder, PEER_LOCK, 0);
      expect (holder, PEER_UNLOCK, 0);
      scribble (fields[field].offset, value, fields[field].size);

      for (guint j = 0; j < G_N_ELEMENTS (commands); j++)
        {
          PeerReply reply;

          if ((commands[j] == PEER_LOCK || commands[j] == PEER_UPDATE) && !open)
            continue;
          if (commands[j] == PEER_UNLOCK && !locked)
            continue;
          reply = peer_do (other, commands[j], 20000);
          if (commands[j] == PEER_OPEN)
            open = reply.code == PEER_OK;
          if (commands[j] == PEER_LOCK)
            locked = reply.code == PEER_OK;
          /* A word that names anybody but a living owner is that of a dead one. */
          if (commands[j] == PEER_LOCK && fields[field].offset == CONTROL_LOCK)
            {
              g_assert_cmpint (reply.code, ==, PEER_OK);
              g_assert_cmpint (reply.recovered, ==, (value & 0x7fffffff) != 0);
            }
        }
      expect (holder, PEER_CHECK, 0);
      expect (holder, PEER_CLOSE, 0);
      peer_free (other);
      peer_free (holder);
      unlink (path);
    }
}

/* ---- Locks that are held for ever ---- */

/* A process that holds a lock on some bytes of the file. */
static pid_t
hog (short type, goffset from, goffset length)
{
  g_autofree char *path = build_path ("");
  pid_t pid, parent = getpid ();
  int ready[2];
  char result;

  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      struct flock lock = { .l_type = type, .l_start = from, .l_len = length };
      int fd = open (path, O_RDWR | O_CLOEXEC);

      peer_end_with (parent);
      result = fcntl (fd, F_OFD_SETLK, &lock) == 0;
      if (write (ready[1], &result, 1) != 1)
        _exit (1);
      while (TRUE)
        pause ();
    }

  close (ready[1]);
  g_assert_cmpint (read (ready[0], &result, 1), ==, 1);
  g_assert_cmpint (result, ==, 1);
  close (ready[0]);

  return pid;
}

static void
test_hogs (void)
{
  static const struct
  {
    const char *what;
    short type;
    goffset from;
    goffset length;
    gboolean orphaned;
  } hogs[] = {
    { "name", F_WRLCK, PEER_BYTE_NAME, 1, FALSE },
    { "first lock of a copy", F_WRLCK, PEER_BYTE_ADOPT, 1, FALSE },
    { "all slots", F_WRLCK, PEER_BYTE_SLOTS, 0, FALSE },
    { "all, for reading", F_RDLCK, PEER_BYTE_LEASE, 0, FALSE },
    { "lease", F_WRLCK, PEER_BYTE_LEASE, 1, TRUE },
    { "name of an orphan", F_WRLCK, PEER_BYTE_NAME, 1, TRUE },
    { "all, of an orphan", F_WRLCK, PEER_BYTE_LEASE, 0, TRUE },
    { "all, of an orphan, for reading", F_RDLCK, PEER_BYTE_LEASE, 0, TRUE },
  };
  const PeerCommand commands[] = { PEER_OPEN,      PEER_LOCK,  PEER_UPDATE,     PEER_CLOSE,
                                   PEER_OPEN_READ, PEER_CLOSE, PEER_REAP,       PEER_NEW,
                                   PEER_CLOSE,     PEER_OPEN,  PEER_UNLINK_OWN, PEER_CLOSE,
                                   PEER_UNLINK };

  for (guint i = 0; i < G_N_ELEMENTS (hogs); i++)
    {
      Peer *holder = peer_new (), *other = peer_new ();
      gboolean open = FALSE;
      pid_t pid;

      g_test_message ("%s", hogs[i].what);
      expect (holder, PEER_NEW, 1001);
      if (hogs[i].orphaned)
        peer_kill (holder);
      pid = hog (hogs[i].type, hogs[i].from, hogs[i].length);

      for (guint j = 0; j < G_N_ELEMENTS (commands); j++)
        {
          PeerReply reply;

          if ((commands[j] == PEER_LOCK || commands[j] == PEER_UPDATE ||
               commands[j] == PEER_UNLINK_OWN) &&
              !open)
            continue;
          /* In time, whatever it is. */
          reply = peer_do (other, commands[j], commands[j] == PEER_NEW ? 2002 : 100000);
          if (commands[j] == PEER_OPEN)
            open = reply.code == PEER_OK;
        }

      if (!hogs[i].orphaned)
        expect (holder, PEER_CLOSE, 0);
      kill (pid, SIGKILL);
      waitpid (pid, NULL, 0);
      peer_free (holder);

      /* Then all is well again. */
      expect (other, PEER_REAP, 0);
      expect (other, PEER_NEW, 3003);
      expect (other, PEER_LOCK, 0);
      expect (other, PEER_CLOSE, 0);
      g_assert_cmpuint (peer_get_named (), ==, 0);
      peer_free (other);
    }
}

/* An owner that is stopped lives; nobody takes its lock, and nobody waits longer than he wants. */
static void
test_stopped_owner (void)
{
  Peer *owner = peer_new (), *other = peer_new ();
  PeerReply reply;

  expect (owner, PEER_NEW, 1001);
  expect (owner, PEER_LOCK, 0);
  expect (other, PEER_OPEN, 0);
  kill (owner->pid, SIGSTOP);
  for (guint i = 0; i < 3; i++)
    {
      reply = peer_do (other, PEER_LOCK, 100000 * i);
      g_assert_cmpint (reply.code, ==, SHND_ERROR_TIMED_OUT);
    }

  peer_send (other, PEER_LOCK, -1);
  kill (owner->pid, SIGCONT);
  expect (owner, PEER_UNLOCK, 0);
  reply = peer_receive (other);
  g_assert_cmpint (reply.code, ==, PEER_OK);
  g_assert_false (reply.recovered);
  g_assert_true (reply.excluded);

  peer_free (owner);
  expect (other, PEER_CLOSE, 0);
  g_assert_cmpuint (peer_get_named (), ==, 0);
  peer_free (other);
}

int
main (int argc, char **argv)
{
  peer_init (argv, &isolated, &rounds);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/strange-files", test_strange_files);
  g_test_add_func ("/hostile/orphan-of-others", test_orphan_of_others);
  g_test_add_func ("/hostile/vandal", test_vandal);
  g_test_add_func ("/hostile/control-page", test_control_page);
  g_test_add_func ("/hostile/hogs", test_hogs);
  g_test_add_func ("/hostile/stopped-owner", test_stopped_owner);

  return g_test_run ();
}
