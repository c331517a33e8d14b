/* SPDX-License-Identifier: MIT */

#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whoever takes longer hangs; in milliseconds. */
#define PATIENCE 60000

typedef struct
{
  PeerCommand command;
  gint64 argument;
} Request;

const char *peer_name;

static const char *path;

/* ---- What the peers do ---- */

static ShndArray *array;
static guint64 *words;
static guint32 next_slot;
static guint32 n_slots = G_MAXUINT32;
static int serving; /* the socket of this process */

/* The library draws slots with this one. Whoever links against it finds ours first. */
guint32
g_random_int (void)
{
  guint32 number = next_slot;

  next_slot = 0;
  if (number == 0)
    syscall (SYS_getrandom, &number, sizeof number, 0);

  return number % n_slots;
}

/* Asked by leak checkers: those of peers cannot work while another process traces them. */
int __lsan_is_turned_off (void);

int
__lsan_is_turned_off (void)
{
  return serving != 0;
}

void
peer_set_slots (guint n)
{
  n_slots = n + 1;
}

static gboolean
report (PeerReply *reply, gboolean success, GError **error)
{
  reply->code = PEER_OK;
  if (success)
    return TRUE;

  if ((*error)->domain != SHND_ERROR)
    g_error ("an error of another domain: %s", (*error)->message);
  reply->code = (*error)->code;
  g_clear_error (error);

  return FALSE;
}

static void
keep (PeerReply *reply, ShndArray *opened, GError **error)
{
  if (!report (reply, opened != NULL, error))
    return;

  g_clear_object (&array);
  array = opened;
  words = contents_get_words (array);
  reply->nonce = contents_check (array);
}

static void
take_lock (PeerReply *reply, gint64 timeout)
{
  GError *error = NULL;

  report (reply, shnd_array_lock (array, timeout, NULL, &reply->recovered, &error), &error);
  if (reply->code != PEER_OK)
    return;

  reply->excluded =
      reply->recovered || (__atomic_load_n (&words[WORD_INSIDE], __ATOMIC_SEQ_CST) == 0 &&
                           words[WORD_FIRST] == words[WORD_SECOND]);
  words[WORD_FIRST]++;
  __atomic_store_n (&words[WORD_INSIDE], getpid (), __ATOMIC_SEQ_CST);
}

static void
leave (void)
{
  words[WORD_SECOND] = words[WORD_FIRST];
  __atomic_store_n (&words[WORD_INSIDE], 0, __ATOMIC_SEQ_CST);
}

static void
give_lock (PeerReply *reply)
{
  GError *error = NULL;

  leave ();
  report (reply, shnd_array_unlock (array, &error), &error);
}

static void
reap (PeerReply *reply)
{
  GError *error = NULL;
  g_auto (GStrv) names = shnd_reap (&error);

  report (reply, names != NULL, &error);
  for (char **name = names; name != NULL && *name != NULL; name++)
    reply->n += g_str_equal (*name, peer_name);
}

void
peer_end_with (pid_t parent)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != parent)
    _exit (1);
}

static void
fork_child (PeerReply *reply)
{
  struct pollfd fd = { .fd = serving };
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    {
      reply->code = PEER_OK;
      return;
    }

  /* At the latest until the test is over. */
  while (poll (&fd, 1, -1) < 0)
    ;
  _exit (0);
}

static void
obey (const Request *request, PeerReply *reply)
{
  g_autofree char *descriptor = NULL;
  GError *error = NULL;

  switch (request->command)
    {
    case PEER_NEW:
    case PEER_NEW_PERSISTENT:
      keep (reply,
            contents_new (peer_name, request->argument,
                          request->command == PEER_NEW ? SHND_CREATE_NONE : SHND_CREATE_PERSISTENT,
                          &error),
            &error);
      break;
    case PEER_OPEN:
      keep (reply, shnd_array_open (peer_name, SHND_ACCESS_READ_WRITE, &error), &error);
      break;
    case PEER_OPEN_READ:
      keep (reply, shnd_array_open (peer_name, SHND_ACCESS_READ, &error), &error);
      break;
    case PEER_OPEN_STALE:
      descriptor = g_strdup_printf ("shnd:%s?file=1.1", peer_name);
      g_assert_null (shnd_array_open_descriptor (descriptor, &error));
      report (reply, FALSE, &error);
      break;
    case PEER_CLOSE:
      if (array != NULL && shnd_array_get_locked (array))
        leave ();
      g_clear_object (&array);
      reply->code = PEER_OK;
      break;
    case PEER_CHECK:
      reply->nonce = contents_check (array);
      reply->code = PEER_OK;
      break;
    case PEER_UNLINK:
      report (reply, shnd_unlink (peer_name, &error), &error);
      break;
    case PEER_UNLINK_OWN:
      report (reply, shnd_array_unlink (array, &error), &error);
      break;
    case PEER_REAP:
      reap (reply);
      break;
    case PEER_LOCK:
      take_lock (reply, request->argument);
      break;
    case PEER_UNLOCK:
      give_lock (reply);
      break;
    case PEER_SET_SLOT:
      next_slot = request->argument;
      reply->code = PEER_OK;
      break;
    case PEER_UPDATE:
      report (reply, shnd_array_update (array, &error), &error);
      break;
    case PEER_FORK:
      fork_child (reply);
      break;
    case PEER_EXIT:
      exit (0);
    default:
      g_assert_not_reached ();
    }
}

static void
serve (int socket)
{
  serving = socket;
  while (TRUE)
    {
      Request request;
      PeerReply reply = { 0 };
      gssize n;

      do
        n = recv (socket, &request, sizeof request, 0);
      while (n < 0 && errno == EINTR);
      if (n != sizeof request)
        _exit (0);

      obey (&request, &reply);
      if (send (socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
        _exit (1);
    }
}

/* ---- The other side ---- */

static gboolean
write_file (const char *file, const char *text)
{
  int fd = open (file, O_WRONLY | O_CLOEXEC);
  gboolean success = fd >= 0 && write (fd, text, strlen (text)) == (gssize) strlen (text);

  if (fd >= 0)
    close (fd);
  return success;
}

/* Returns whether that was possible. */
static gboolean
isolate (void)
{
  g_autofree char *uid_map = g_strdup_printf ("%u %u 1", geteuid (), geteuid ());
  g_autofree char *gid_map = g_strdup_printf ("%u %u 1", getegid (), getegid ());

  if (unshare (CLONE_NEWNS) != 0 &&
      (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_file ("/proc/self/uid_map", uid_map) ||
       !write_file ("/proc/self/setgroups", "deny") || !write_file ("/proc/self/gid_map", gid_map)))
    return FALSE;

  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount ("shnd-test", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=1777") == 0;
}

void
peer_init (char **argv, gboolean *isolated, guint *rounds)
{
  const char *text = g_getenv ("SHND_TEST_ROUNDS");

  /* Otherwise most of the instructions of a call are those that look for functions. */
  if (g_getenv ("LD_BIND_NOW") == NULL)
    {
      g_setenv ("LD_BIND_NOW", "1", TRUE);
      execv ("/proc/self/exe", argv);
    }

  if (g_getenv ("SHND_TEST_VALGRIND") != NULL)
    {
      g_print ("1..0 # SKIP not with valgrind\n");
      exit (0);
    }

  peer_name = g_strdup_printf ("shnd-test-%d-fault", getpid ());
  path = g_strconcat ("/dev/shm/", peer_name, NULL);
  *isolated = isolate ();
  *rounds = text != NULL ? MAX (atoi (text), 1) : 1;
}

Peer *
peer_new (void)
{
  Peer *self = g_new0 (Peer, 1);
  pid_t parent = getpid ();
  int sockets[2];

  /* What peers fork is ours when they are gone. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), ==, 0);
  fflush (stdout);
  self->pid = fork ();
  g_assert_cmpint (self->pid, >=, 0);
  if (self->pid == 0)
    {
      peer_end_with (parent);
      setpgid (0, 0);
      close (sockets[0]);
      serve (sockets[1]);
    }

  close (sockets[1]);
  self->socket = sockets[0];

  return self;
}

void
peer_send (Peer *self, PeerCommand command, gint64 argument)
{
  Request request = { .command = command, .argument = argument };

  g_assert_cmpint (send (self->socket, &request, sizeof request, MSG_NOSIGNAL), ==, sizeof request);
}

static gboolean
is_done (Peer *self, int timeout)
{
  struct pollfd fd = { .fd = self->socket, .events = POLLIN };

  return poll (&fd, 1, timeout) == 1;
}

PeerReply
peer_receive (Peer *self)
{
  PeerReply reply;

  if (!is_done (self, PATIENCE))
    g_error ("process %d hangs", self->pid);
  if (recv (self->socket, &reply, sizeof reply, 0) != sizeof reply)
    g_error ("process %d ended by itself", self->pid);

  return reply;
}

PeerReply
peer_do (Peer *self, PeerCommand command, gint64 argument)
{
  peer_send (self, command, argument);

  return peer_receive (self);
}

void
peer_kill (Peer *self)
{
  int status;

  if (self->ended)
    return;

  kill (self->pid, SIGKILL);
  /* Stops that were on their way come first. */
  do
    g_assert_cmpint (waitpid (self->pid, &status, __WALL), ==, self->pid);
  while (!WIFSIGNALED (status) && !WIFEXITED (status));
  self->ended = TRUE;
}

void
peer_free (Peer *self)
{
  peer_kill (self);
  kill (-self->pid, SIGKILL);
  while (waitpid (-self->pid, NULL, 0) > 0)
    ;
  close (self->socket);
  g_free (self);
}

/* Waits for it to stop. Returns FALSE if it has ended. */
static gboolean
wait_stop (Peer *self, int *status)
{
  g_assert_cmpint (waitpid (self->pid, status, __WALL), ==, self->pid);

  return WIFSTOPPED (*status);
}

void
peer_trace (Peer *self, PeerCommand command, gint64 argument)
{
  struct __ptrace_syscall_info info;
  int status;

  if (ptrace (PTRACE_SEIZE, self->pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0 ||
      ptrace (PTRACE_INTERRUPT, self->pid, 0, 0) != 0)
    g_error ("cannot trace: %s", g_strerror (errno));
  g_assert_true (wait_stop (self, &status));

  /* To the end of the call in which it gets the request. */
  peer_send (self, command, argument);
  do
    {
      g_assert_true (peer_step (self, FALSE));
      g_assert_cmpint (ptrace (PTRACE_GET_SYSCALL_INFO, self->pid, sizeof info, &info), >, 0);
    }
  while (info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.rval != sizeof (Request));
}

gboolean
peer_step (Peer *self, gboolean instruction)
{
  int status;

  if (ptrace (instruction ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, self->pid, 0, 0) != 0)
    g_error ("cannot trace: %s", g_strerror (errno));

  if (!wait_stop (self, &status))
    {
      g_assert_cmpint (status, ==, 0);
      self->ended = TRUE;
      return FALSE;
    }

  if (!is_done (self, 0))
    return TRUE;

  peer_release (self);
  return FALSE;
}

gint64
peer_get_call (Peer *self, guint64 arguments[6])
{
  struct __ptrace_syscall_info info;

  g_assert_cmpint (ptrace (PTRACE_GET_SYSCALL_INFO, self->pid, sizeof info, &info), >, 0);
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
    return -1;

  memcpy (arguments, info.entry.args, sizeof info.entry.args);
  return info.entry.nr;
}

void
peer_release (Peer *self)
{
  g_assert_cmpint (ptrace (PTRACE_DETACH, self->pid, 0, 0), ==, 0);
}

/* ---- Without the library ---- */

gboolean
peer_is_removing (void)
{
  struct flock lock = { .l_type = F_WRLCK, .l_start = PEER_BYTE_NAME, .l_len = 1 };
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0)
    return FALSE;

  g_assert_cmpint (fcntl (fd, F_OFD_GETLK, &lock), ==, 0);
  close (fd);

  return lock.l_type != F_UNLCK;
}

static gboolean
read_file (goffset offset, gsize size, void *target)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat info;

  if (fd < 0 && errno == ENOENT)
    return FALSE;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  if (offset < 0)
    offset += info.st_size;
  g_assert_cmpint (pread (fd, target, size, offset), ==, size);
  close (fd);

  return TRUE;
}

guint64
peer_get_named (void)
{
  guint64 nonce;

  return read_file (4096 + WORD_NONCE * sizeof nonce, sizeof nonce, &nonce) ?
             GUINT64_FROM_LE (nonce) :
             0;
}

guint32
peer_get_lock_word (void)
{
  guint32 word;

  return read_file (64 - 4096, sizeof word, &word) ? GUINT32_FROM_LE (word) : 0;
}
