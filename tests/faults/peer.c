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

/* ---- In the peers ---- */

static int serving; /* the socket of this process */

/* Asked by leak checkers: those of peers cannot work while another process traces them. */
int __lsan_is_turned_off (void);

int
__lsan_is_turned_off (void)
{
  return serving != 0;
}

gboolean
peer_report (PeerReply *reply, gboolean success, GError **error)
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
  switch (request->command)
    {
    case PEER_FORK:
      fork_child (reply);
      break;
    case PEER_EXIT:
      exit (0);
    default:
      peer_obey (request->command, request->argument, reply);
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
  self->traced = self->pid;

  return self;
}

void
peer_send (Peer *self, PeerCommand command, gint64 argument)
{
  Request request = { .command = command, .argument = argument };

  g_assert_cmpint (send (self->socket, &request, sizeof request, MSG_NOSIGNAL), ==, sizeof request);
}

gboolean
peer_is_done (Peer *self, int timeout)
{
  struct pollfd fd = { .fd = self->socket, .events = POLLIN };

  return poll (&fd, 1, timeout) == 1;
}

PeerReply
peer_receive (Peer *self)
{
  PeerReply reply;

  if (!peer_is_done (self, PATIENCE))
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
  /* A thread that is traced ends for the tracer first. */
  if (self->traced != self->pid && waitpid (self->traced, &status, __WALL) == self->traced)
    while (WIFSTOPPED (status) && waitpid (self->traced, &status, __WALL) == self->traced)
      ;
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
  g_assert_cmpint (waitpid (self->traced, status, __WALL), ==, self->traced);

  return WIFSTOPPED (*status);
}

static void
trace (Peer *self)
{
  int status;

  if (ptrace (PTRACE_SEIZE, self->traced, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0 ||
      ptrace (PTRACE_INTERRUPT, self->traced, 0, 0) != 0)
    g_error ("cannot trace: %s", g_strerror (errno));
  g_assert_true (wait_stop (self, &status));
}

void
peer_trace (Peer *self, PeerCommand command, gint64 argument)
{
  struct __ptrace_syscall_info info;

  trace (self);
  /* To the end of the call in which it gets the request. */
  peer_send (self, command, argument);
  do
    {
      g_assert_true (peer_step (self, FALSE));
      g_assert_cmpint (ptrace (PTRACE_GET_SYSCALL_INFO, self->traced, sizeof info, &info), >, 0);
    }
  while (info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.rval != sizeof (Request));
}

void
peer_trace_thread (Peer *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", self->pid);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL && atoi (name) == self->pid)
    ;
  g_assert_nonnull (name);
  self->traced = atoi (name);
  trace (self);
}

gboolean
peer_step (Peer *self, gboolean instruction)
{
  int status;

  if (ptrace (instruction ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, self->traced, 0, 0) != 0)
    g_error ("cannot trace: %s", g_strerror (errno));

  if (!wait_stop (self, &status))
    {
      g_assert_cmpint (status, ==, 0);
      self->ended = TRUE;
      return FALSE;
    }

  if (!peer_is_done (self, 0))
    return TRUE;

  peer_release (self);
  return FALSE;
}

static gboolean
is_asleep (Peer *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/stat", self->pid, self->traced);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));

  return g_str_has_prefix (strrchr (text, ')'), ") S");
}

gboolean
peer_step_thread (Peer *self, Peer *served)
{
  int status;

  if (ptrace (PTRACE_SYSCALL, self->traced, 0, 0) != 0)
    g_error ("cannot trace: %s", g_strerror (errno));

  while (waitpid (self->traced, &status, __WALL | WNOHANG) == 0)
    {
      if (peer_is_done (served, 0) && is_asleep (self))
        return FALSE;
      g_usleep (50);
    }
  g_assert_true (WIFSTOPPED (status));

  return TRUE;
}

gint64
peer_get_call (Peer *self, guint64 arguments[6])
{
  struct __ptrace_syscall_info info;

  g_assert_cmpint (ptrace (PTRACE_GET_SYSCALL_INFO, self->traced, sizeof info, &info), >, 0);
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
    return -1;

  memcpy (arguments, info.entry.args, sizeof info.entry.args);
  return info.entry.nr;
}

void
peer_release (Peer *self)
{
  g_assert_cmpint (ptrace (PTRACE_DETACH, self->traced, 0, 0), ==, 0);
}
