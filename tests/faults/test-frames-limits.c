/* SPDX-License-Identifier: MIT */

/* Too few descriptors, threads and bytes, folders that are not there or full, and addresses that are
 * something else: an error that says so, after which all is as it was, and the stream goes on. */

#include "peer.h"

#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/array-support.h"
#include "belongings.h"
#include "frames.h"
#include "limiting.h"

/* For who waits in vain, in microseconds. */
#define SHORT_TIME 20000

#define NOBODY 65534

static gboolean isolated;
static char *folder;

static void
expect (Peer *peer, PeerCommand command, gint64 argument, gint code)
{
  PeerReply reply = peer_do (peer, command, argument);

  g_assert_cmpint (reply.code, ==, code);
}

static void
publish (Peer *peer)
{
  expect (peer, PEER_ACQUIRE, 0, PEER_OK);
  expect (peer, PEER_PUBLISH, FRAMES_PATIENCE, PEER_OK);
}

static void
expect_frame (Peer *peer, guint64 sequence)
{
  PeerReply reply = peer_do (peer, PEER_RECEIVE, FRAMES_PATIENCE);

  g_assert_cmpint (reply.code, ==, PEER_OK);
  g_assert_cmpuint (reply.nonce, ==, sequence);
}

/* In order, so that nothing is left. */
static void
end (Peer *peer)
{
  expect (peer, PEER_CLOSE_FRAMES, 0, PEER_OK);
  peer_free (peer);
}

/* In a process of its own, as some of what these do is for ever. */
static void
run_child (void (*function) (void))
{
  pid_t parent = getpid (), pid;
  int status;

  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      peer_end_with (parent);
      function ();
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* Becomes somebody whom limits and modes concern. */
static void
become_nobody (void)
{
  if (geteuid () == 0)
    {
      g_assert_cmpint (chmod (folder, 0777), ==, 0);
      g_assert_cmpint (setgroups (0, NULL), ==, 0);
      g_assert_cmpint (setresgid (NOBODY, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (setresuid (NOBODY, NOBODY, NOBODY), ==, 0);
    }
}

/* A stream from this process to itself. */
static void
check_stream (const char *address)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndPublisher) publisher = shnd_publisher_new (address, &error);
  g_autoptr (ShndSubscriber) subscriber = NULL;
  g_autoptr (ShndFrame) frame = NULL, received = NULL;
  gsize n_bytes;

  g_assert_no_error (error);
  frame = frames_acquire (publisher, 1, 1, 0, &error);
  g_assert_no_error (error);
  shnd_publisher_publish (publisher, frame, 0, NULL, &error);
  g_assert_no_error (error);
  subscriber = shnd_subscriber_new (address, &error);
  received = shnd_subscriber_receive (subscriber, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  frames_check (received, &n_bytes);
}

static void
assert_no_publisher (const char *address, ShndError code, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (shnd_publisher_new (address, &error));
  assert_message (error, code, part);
}

/* ---- Descriptors ---- */

static void
publish_with_few (void)
{
  gboolean done = FALSE;

  /* The default context takes one at the first use. */
  g_main_context_default ();
  for (guint n_left = 0; !done; n_left++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndPublisher) publisher = NULL;
      struct rlimit before;
      guint n_fds = count_fds ();

      g_assert_cmpuint (n_left, <, 8);
      leave_descriptors (n_left, &before);
      publisher = shnd_publisher_new (peer_name, &error);
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
      done = publisher != NULL;
      if (!done)
        {
          assert_message (error, SHND_ERROR_NO_SPACE, "Too many open files");
          g_assert_cmpuint (count_fds (), ==, n_fds);
          check_stream (peer_name);
        }
    }

  done = FALSE;
  for (guint n_left = 0; !done; n_left++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndSubscriber) subscriber = NULL;
      struct rlimit before;
      guint n_fds = count_fds ();

      g_assert_cmpuint (n_left, <, 8);
      leave_descriptors (n_left, &before);
      subscriber = shnd_subscriber_new (peer_name, &error);
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
      done = subscriber != NULL;
      if (!done)
        {
          assert_message (error, SHND_ERROR_NO_SPACE, "Too many open files");
          g_assert_cmpuint (count_fds (), ==, n_fds);
        }
    }
}

static void
test_descriptors_new (void)
{
  run_child (publish_with_few);
}

/* Acquiring, and waiting for a subscriber. */
static void
test_descriptors_publish (void)
{
  Peer *publisher = peer_new (), *subscriber = peer_new ();

  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_BLOCK, PEER_OK);
  expect (publisher, PEER_LIMIT_DESCRIPTORS, 0, PEER_OK);
  expect (publisher, PEER_ACQUIRE, 0, SHND_ERROR_NO_SPACE);
  expect (publisher, PEER_LIMIT_DESCRIPTORS, -1, PEER_OK);
  publish (publisher);

  expect (subscriber, PEER_SUBSCRIBER, 0, PEER_OK);
  expect_frame (subscriber, 1);
  publish (publisher);
  expect (publisher, PEER_ACQUIRE, 0, PEER_OK);
  expect (publisher, PEER_LIMIT_DESCRIPTORS, 0, PEER_OK);
  expect (publisher, PEER_PUBLISH, FRAMES_PATIENCE, SHND_ERROR_NO_SPACE);
  expect (publisher, PEER_LIMIT_DESCRIPTORS, -1, PEER_OK);
  expect (publisher, PEER_PUBLISH, SHORT_TIME, SHND_ERROR_TIMED_OUT);
  expect_frame (subscriber, 2);
  expect (publisher, PEER_PUBLISH, FRAMES_PATIENCE, PEER_OK);
  expect_frame (subscriber, 3);
  expect (subscriber, PEER_RELEASE, 0, PEER_OK);
  expect (publisher, PEER_CHECK_POOL, 1, PEER_OK);

  end (publisher);
  end (subscriber);
}

/* Who cannot be accepted waits. */
static void
test_descriptors_accept (void)
{
  Peer *publisher = peer_new (), *first = peer_new (), *second = peer_new ();

  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_BLOCK, PEER_OK);
  publish (publisher);
  expect (first, PEER_SUBSCRIBER, 0, PEER_OK);
  expect (second, PEER_SUBSCRIBER, 0, PEER_OK);
  expect_frame (first, 1);

  expect (publisher, PEER_LIMIT_DESCRIPTORS, 0, PEER_OK);
  expect (second, PEER_RECEIVE, SHORT_TIME, SHND_ERROR_TIMED_OUT);
  expect (publisher, PEER_LIMIT_DESCRIPTORS, -1, PEER_OK);
  publish (publisher);
  expect_frame (first, 2);
  expect (second, PEER_RECEIVE, FRAMES_PATIENCE, PEER_OK);

  expect (first, PEER_CLOSE_FRAMES, 0, PEER_OK);
  expect (second, PEER_RELEASE, 0, PEER_OK);
  publish (publisher);
  expect_frame (second, 3);
  expect (second, PEER_RELEASE, 0, PEER_OK);
  expect (publisher, PEER_CHECK_POOL, 1, PEER_OK);

  end (publisher);
  end (first);
  end (second);
}

/* No room for the descriptor that comes with a frame, or for what it takes to connect: the subscriber
 * connects anew, and gets the newest frame. */
static void
test_descriptors_receive (void)
{
  for (gint n_left = 0; n_left < 2; n_left++)
    {
      Peer *publisher = peer_new (), *subscriber = peer_new ();

      expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_DROP, PEER_OK);
      publish (publisher);
      expect (subscriber, PEER_SUBSCRIBER, 0, PEER_OK);
      expect (subscriber, PEER_LIMIT_DESCRIPTORS, 0, PEER_OK);
      expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE, SHND_ERROR_NO_SPACE);
      expect (subscriber, PEER_LIMIT_DESCRIPTORS, -1, PEER_OK);
      expect_frame (subscriber, 1);
      expect (subscriber, PEER_RELEASE, 0, PEER_OK);

      /* The last one is kept, so that this is in other memory. */
      publish (publisher);
      expect (subscriber, PEER_LIMIT_DESCRIPTORS, n_left, PEER_OK);
      expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE, SHND_ERROR_NO_SPACE);
      expect (subscriber, PEER_LIMIT_DESCRIPTORS, -1, PEER_OK);
      expect_frame (subscriber, 2);
      publish (publisher);
      expect_frame (subscriber, 3);
      expect (subscriber, PEER_RELEASE, 0, PEER_OK);
      expect (publisher, PEER_CHECK_POOL, 1, PEER_OK);

      end (publisher);
      end (subscriber);
    }
}

/* How many are on their way. */
#define N_FLYING 200

static void
send_descriptor (int socket)
{
  char buffer[CMSG_SPACE (sizeof (int))] = { 0 };
  char byte = 0;
  struct iovec part = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = buffer,
    .msg_controllen = sizeof buffer,
  };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (header), &socket, sizeof socket);
  g_assert_cmpint (sendmsg (socket, &message, 0), ==, 1);
}

/* A user may have as many descriptors on their way as a process may have open. */
static void
publish_with_many_flying (void)
{
  g_autofree char *address = g_build_filename (folder, "starved", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndPublisher) publisher = NULL;
  g_autoptr (ShndSubscriber) subscriber = NULL;
  struct rlimit before, limit;
  int sockets[2];

  become_nobody ();
  publisher = shnd_publisher_new (address, &error);
  g_assert_no_error (error);
  subscriber = shnd_subscriber_new (address, &error);
  g_assert_no_error (error);
  g_assert_null (shnd_subscriber_receive (subscriber, 0, NULL, &error));
  g_clear_error (&error);
  frames_await_subscribers (publisher, 1);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  for (guint i = 0; i < N_FLYING; i++)
    send_descriptor (sockets[0]);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = N_FLYING / 2;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);

  for (guint i = 1; i <= 2; i++)
    {
      g_autoptr (ShndFrame) frame = frames_acquire (publisher, 1, i, 0, &error);

      g_assert_no_error (error);
      shnd_publisher_publish (publisher, frame, 0, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_null (shnd_subscriber_receive (subscriber, SHORT_TIME, NULL, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, 2);

  /* They come to nobody, and there is room again. */
  close (sockets[0]);
  close (sockets[1]);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ShndFrame) frame = NULL;
      gsize n_bytes;

      if (i == 1)
        {
          frame = frames_acquire (publisher, 1, 3, 0, &error);
          shnd_publisher_publish (publisher, frame, 0, NULL, &error);
          g_assert_no_error (error);
          g_clear_object (&frame);
        }
      frame = shnd_subscriber_receive (subscriber, FRAMES_PATIENCE, NULL, &error);
      g_assert_no_error (error);
      frames_check (frame, &n_bytes);
      g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, 2 + i);
    }
}

static void
test_descriptors_flying (void)
{
  run_child (publish_with_many_flying);
}

/* ---- Memory ---- */

static void
acquire_with_little (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndPublisher) publisher = shnd_publisher_new (peer_name, &error);
  g_autoptr (ShndSubscriber) subscriber = NULL;
  g_autoptr (ShndFrame) frame = NULL;
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  struct rlimit before;

  g_assert_no_error (error);
  /* So that its thread has what it needs. */
  subscriber = shnd_subscriber_new (peer_name, &error);
  g_assert_null (shnd_subscriber_receive (subscriber, 0, NULL, NULL));
  frames_await_subscribers (publisher, 1);
  g_clear_object (&subscriber);
  frames_await_subscribers (publisher, 0);

  leave_memory (8 << 20, &before);
  g_assert_null (shnd_publisher_acquire (publisher, dtype, SHAPE (16 << 20), 0, NULL, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE);
  g_clear_error (&error);
  frame = shnd_publisher_acquire (publisher, dtype, SHAPE (1 << 20), 0, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&frame);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);

  frame = shnd_publisher_acquire (publisher, dtype, SHAPE (16 << 20), 0, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&frame);
  frames_check_pool (publisher);
}

static void
test_memory (void)
{
  Peer *publisher, *subscriber;

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the address sanitizer takes all addresses");
  return;
#endif

  run_child (acquire_with_little);

  publisher = peer_new ();
  subscriber = peer_new ();
  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_DROP, PEER_OK);
  expect (subscriber, PEER_SUBSCRIBER, 0, PEER_OK);
  expect (subscriber, PEER_RECEIVE, 0, SHND_ERROR_TIMED_OUT);
  publish (publisher);
  expect (subscriber, PEER_LIMIT_MEMORY, 0, PEER_OK);
  expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE, SHND_ERROR_NO_SPACE);
  expect (subscriber, PEER_LIMIT_MEMORY, -1, PEER_OK);
  expect_frame (subscriber, 1);
  publish (publisher);
  expect_frame (subscriber, 2);
  end (publisher);
  end (subscriber);
}

/* ---- Threads ---- */

static void
publish_without_thread (void)
{
  g_autofree char *address = g_build_filename (folder, "threadless", NULL);
  struct rlimit before, limit;
  Belongings belongings;

  become_nobody ();
  g_main_context_default ();
  belongings_get (&belongings);
  g_assert_cmpint (getrlimit (RLIMIT_NPROC, &before), ==, 0);
  limit = before;
  limit.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_NPROC, &limit), ==, 0);
  assert_no_publisher (address, SHND_ERROR_NO_SPACE, "Cannot start a thread");
  g_assert_cmpint (access (address, F_OK), !=, 0);
  belongings_check (&belongings, "who has no thread");

  g_assert_cmpint (setrlimit (RLIMIT_NPROC, &before), ==, 0);
  check_stream (address);
}

static void
test_threads (void)
{
  if (geteuid () != 0)
    g_test_skip ("limits of processes are those of the user, who is at work");
  else
    run_child (publish_without_thread);
}

/* ---- Folders ---- */

static void
mount_memory (const char *path, const char *options, unsigned long flags)
{
  g_assert_cmpint (unshare (CLONE_NEWNS), ==, 0);
  g_assert_cmpint (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
  g_assert_cmpint (mount ("shnd-test", path, "tmpfs", MS_NOSUID | MS_NODEV | flags, options), ==,
                   0);
}

static void
publish_without_proc (void)
{
  mount_memory ("/proc", "size=4k", 0);
  check_stream (peer_name);
}

static void
publish_into_missing (void)
{
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);
  g_autofree char *own = g_build_filename (missing, "shndarray", NULL);

  g_setenv ("XDG_RUNTIME_DIR", missing, TRUE);
  check_stream (peer_name);
  remove_folder (own);
  remove_folder (missing);
}

static void
publish_into_none (void)
{
  g_autofree char *own = g_build_filename (folder, "shndarray", NULL);

  g_unsetenv ("XDG_RUNTIME_DIR");
  g_setenv ("XDG_CACHE_HOME", folder, TRUE);
  check_stream (peer_name);
  remove_folder (own);
}

static void
publish_into_closed (void)
{
  g_autofree char *closed = g_build_filename (folder, "closed", NULL);

  g_setenv ("XDG_RUNTIME_DIR", closed, TRUE);
  become_nobody ();
  g_assert_cmpint (mkdir (closed, 0500), ==, 0);
  assert_no_publisher (peer_name, SHND_ERROR_PERMISSION_DENIED, closed);
  g_assert_cmpint (rmdir (closed), ==, 0);
}

static void
publish_into_read_only (void)
{
  g_autofree char *address = g_build_filename (folder, "stream", NULL);

  mount_memory (folder, "size=64k", MS_RDONLY);
  assert_no_publisher (address, SHND_ERROR_PERMISSION_DENIED, address);
}

/* The lock file takes one, the socket another one. */
static void
publish_into_full (void)
{
  g_autofree char *address = g_build_filename (folder, "stream", NULL);
  g_autoptr (GDir) dir = NULL;

  mount_memory (folder, "nr_inodes=2", 0);
  assert_no_publisher (address, SHND_ERROR_NO_SPACE, address);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_null (g_dir_read_name (dir));
}

static void
publish_into_fuller (void)
{
  g_autofree char *address = g_build_filename (folder, "stream", NULL);

  mount_memory (folder, "nr_inodes=1", 0);
  assert_no_publisher (address, SHND_ERROR_NO_SPACE, address);
}

static void
test_folders (void)
{
  g_assert_cmpint (chmod (folder, 0777), ==, 0);
  run_child (publish_into_missing);
  run_child (publish_into_none);
  run_child (publish_into_closed);
  if (!isolated)
    {
      g_test_skip ("nothing can be mounted");
      return;
    }

  run_child (publish_without_proc);
  run_child (publish_into_read_only);
  run_child (publish_into_full);
  run_child (publish_into_fuller);
}

/* ---- Addresses ---- */

static void
test_long (void)
{
  g_autofree char *start = g_strconcat (folder, "/", NULL);
  g_autofree char *rest = g_strnfill (107 - strlen (start), 'x');
  g_autofree char *longest = g_strconcat (start, rest, NULL);
  g_autofree char *too_long = g_strconcat (longest, "x", NULL);
  g_autoptr (GError) error = NULL;

  check_stream (longest);
  assert_no_publisher (too_long, SHND_ERROR_INVALID_NAME, "108 bytes: expected at most 107");
  g_assert_null (shnd_subscriber_new (too_long, &error));
  assert_message (error, SHND_ERROR_INVALID_NAME, "108 bytes: expected at most 107");
}

/* Returns a socket that is bound there, and listens if it can. */
static int
bind_socket (const char *path, int type)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  if (type != SOCK_DGRAM)
    g_assert_cmpint (listen (fd, 1), ==, 0);

  return fd;
}

/* What is there and is not a publisher is left alone, and nothing comes of it for subscribers. */
static void
check_taken (const char *address, gint subscriber_code)
{
  g_autofree char *lock = g_strconcat (address, ".lock", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new (address, &error);
  struct stat before, after;

  g_assert_no_error (error);
  g_assert_cmpint (lstat (address, &before), ==, 0);
  assert_no_publisher (address, SHND_ERROR_EXISTS, "expected an address that is free");
  g_assert_null (shnd_subscriber_receive (subscriber, SHORT_TIME, NULL, &error));
  g_assert_error (error, SHND_ERROR, subscriber_code);
  g_assert_cmpint (lstat (address, &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);
  g_assert_cmpint (access (lock, F_OK), !=, 0);
}

static void
test_taken (void)
{
  static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
  g_autofree char *address = g_build_filename (folder, "taken", NULL);
  g_autofree char *elsewhere = g_build_filename (folder, "elsewhere", NULL);

  g_assert_true (g_file_set_contents (address, "", 0, NULL));
  check_taken (address, SHND_ERROR_TIMED_OUT);
  g_assert_cmpint (unlink (address), ==, 0);

  g_assert_cmpint (mkdir (address, 0700), ==, 0);
  check_taken (address, SHND_ERROR_TIMED_OUT);
  g_assert_cmpint (rmdir (address), ==, 0);

  g_assert_cmpint (mkfifo (address, 0600), ==, 0);
  check_taken (address, SHND_ERROR_TIMED_OUT);
  g_assert_cmpint (unlink (address), ==, 0);

  g_assert_cmpint (symlink (elsewhere, address), ==, 0);
  check_taken (address, SHND_ERROR_TIMED_OUT);
  g_assert_cmpint (unlink (address), ==, 0);

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      int fd = bind_socket (address, types[i]);

      /* One of the same kind says nothing, as it may be slow. */
      check_taken (address,
                   types[i] == SOCK_SEQPACKET ? SHND_ERROR_TIMED_OUT : SHND_ERROR_PROTOCOL);
      close (fd);

      /* Nobody listens any more. */
      check_stream (address);
      g_assert_cmpint (access (address, F_OK), !=, 0);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *own = NULL;
  guint rounds;
  int result;

  peer_init (argv, &isolated, &rounds);
  folder = make_folder ();
  own = g_build_filename (folder, "shndarray", NULL);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frames/limits/descriptors/new", test_descriptors_new);
  g_test_add_func ("/frames/limits/descriptors/publish", test_descriptors_publish);
  g_test_add_func ("/frames/limits/descriptors/accept", test_descriptors_accept);
  g_test_add_func ("/frames/limits/descriptors/receive", test_descriptors_receive);
  g_test_add_func ("/frames/limits/descriptors/flying", test_descriptors_flying);
  g_test_add_func ("/frames/limits/memory", test_memory);
  g_test_add_func ("/frames/limits/threads", test_threads);
  g_test_add_func ("/frames/limits/folders", test_folders);
  g_test_add_func ("/frames/limits/addresses/long", test_long);
  g_test_add_func ("/frames/limits/addresses/taken", test_taken);

  result = g_test_run ();
  rmdir (own);
  remove_folder (folder);
  g_free (folder);

  return result;
}
