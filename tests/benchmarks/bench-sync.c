/* SPDX-License-Identifier: MIT */

/* The rows that are about lock and change counter: in this process, and between it and a child. */

#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_LOCKS 3

/* How many operations there are from one meeting of the two processes to the next. */
#define N_PER_CALL 1000

/* The same where most operations do not need the other process: long enough for both to run at the
 * same time. */
#define N_CONTENDED 40000

/* What the two processes have in common, besides the arrays. */
typedef struct
{
  pthread_mutex_t mutexes[N_LOCKS];
  _Alignas(64) guint32 word;
  _Alignas(64) guint32 n_ready;
  _Alignas(64) guint32 counter;
} Common;

typedef struct
{
  void (*lock) (guint i);
  void (*unlock) (guint i);
} Lock;

static Common *common;
static ShndArray *arrays[N_LOCKS];
static char *names[N_LOCKS];
static guint me;          /* 0 is the parent, 1 the child */
static int commands = -1; /* from the parent to the child */

/* ---- Ours and theirs ---- */

static void
lock_ours (guint i)
{
  g_autoptr (GError) error = NULL;

  if (!shnd_array_lock (arrays[i], -1, NULL, NULL, &error))
    bench_fail ("%s", error->message);
}

static void
unlock_ours (guint i)
{
  g_autoptr (GError) error = NULL;

  if (!shnd_array_unlock (arrays[i], &error))
    bench_fail ("%s", error->message);
}

static void
lock_theirs (guint i)
{
  int result = pthread_mutex_lock (&common->mutexes[i]);

  if (result != 0)
    bench_fail ("pthread_mutex_lock: %s", g_strerror (result));
}

static void
unlock_theirs (guint i)
{
  int result = pthread_mutex_unlock (&common->mutexes[i]);

  if (result != 0)
    bench_fail ("pthread_mutex_unlock: %s", g_strerror (result));
}

static const Lock ours = { lock_ours, unlock_ours };
static const Lock theirs = { lock_theirs, unlock_theirs };

static guint64
wait_ours (guint64 since)
{
  g_autoptr (GError) error = NULL;
  guint64 sequence;

  if (!shnd_array_wait (arrays[0], since, -1, NULL, &sequence, &error))
    bench_fail ("%s", error->message);

  return sequence;
}

static void
update_ours (void)
{
  g_autoptr (GError) error = NULL;

  if (!shnd_array_update (arrays[0], &error))
    bench_fail ("%s", error->message);
}

static guint32
wait_theirs (guint32 since)
{
  guint32 value;

  while ((value = __atomic_load_n (&common->word, __ATOMIC_SEQ_CST)) == since)
    syscall (SYS_futex, &common->word, FUTEX_WAIT, since, NULL, NULL, 0);

  return value;
}

static void
update_theirs (void)
{
  __atomic_add_fetch (&common->word, 1, __ATOMIC_SEQ_CST);
  syscall (SYS_futex, &common->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- What both processes do at the same time ---- */

/* Sees to it that both run on one processor, or each on its own if there are two. The system would
 * now do the one, now the other; and to wake another processor takes so long that it would hide all
 * else. */
static void
settle (gboolean apart)
{
  bench_settle (apart ? me + 1 : 1);
}

/* Goes on when the other process is here too. */
static void
meet (void)
{
  guint32 n = __atomic_add_fetch (&common->n_ready, 1, __ATOMIC_SEQ_CST);
  guint32 goal = (n + 1) & ~1u;

  while ((gint32) (__atomic_load_n (&common->n_ready, __ATOMIC_SEQ_CST) - goal) < 0)
    sched_yield ();
}

/* Each goes around in a ring of three locks, and leaves one when it has the next. One of the three
 * is free at a time, and neither can overtake: so every lock that is left is the one that the other
 * waits for, or will want next. */
static void
chase (const Lock *lock)
{
  guint place = me;

  settle (FALSE);
  lock->lock (place);
  meet ();
  for (guint i = 0; i < N_PER_CALL / 2; i++)
    {
      guint next = (place + 1) % N_LOCKS;

      lock->lock (next);
      lock->unlock (place);
      place = next;
    }
  lock->unlock (place);
  meet ();
}

/* Both want one lock all the time, for a moment each. */
static void
contend (const Lock *lock)
{
  guint32 start = common->counter;

  settle (TRUE);
  meet ();
  for (guint i = 0; i < N_CONTENDED / 2; i++)
    {
      lock->lock (0);
      common->counter++;
      lock->unlock (0);
    }
  meet ();

  if (me == 0 && common->counter != start + N_CONTENDED)
    bench_fail ("Two had the lock at the same time");
}

static void
chase_ours (void)
{
  chase (&ours);
}

static void
chase_theirs (void)
{
  chase (&theirs);
}

static void
contend_ours (void)
{
  contend (&ours);
}

static void
contend_theirs (void)
{
  contend (&theirs);
}

static void
play_ours (void)
{
  guint64 sequence = shnd_array_get_sequence (arrays[0]);

  settle (FALSE);
  meet ();
  for (guint i = 0; i < N_PER_CALL; i++)
    {
      if (me == 0)
        {
          update_ours ();
          sequence = wait_ours (sequence + 1);
        }
      else
        {
          sequence = wait_ours (sequence) + 1;
          update_ours ();
        }
    }
  meet ();
}

static void
play_theirs (void)
{
  guint32 value = common->word;

  settle (FALSE);
  meet ();
  for (guint i = 0; i < N_PER_CALL; i++)
    {
      if (me == 0)
        {
          update_theirs ();
          value = wait_theirs (value + 1);
        }
      else
        {
          value = wait_theirs (value) + 1;
          update_theirs ();
        }
    }
  meet ();
}

static void (*const tasks[]) (void) = {
  chase_ours, chase_theirs, contend_ours, contend_theirs, play_ours, play_theirs,
};

/* ---- The child ---- */

static void
open_arrays (void)
{
  for (guint i = 0; i < N_LOCKS; i++)
    {
      g_autoptr (GError) error = NULL;

      arrays[i] = shnd_array_open (names[i], SHND_ACCESS_READ_WRITE, &error);
      if (arrays[i] == NULL)
        bench_fail ("%s", error->message);
    }
}

static void
close_arrays (void)
{
  for (guint i = 0; i < N_LOCKS; i++)
    {
      g_clear_object (&arrays[i]);
      g_clear_pointer (&names[i], g_free);
    }
}

G_NORETURN static void
be_child (int fd)
{
  guint8 command;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  me = 1;
  while (read (fd, &command, sizeof command) == sizeof command)
    {
      if (arrays[0] == NULL)
        open_arrays ();
      tasks[command]();
    }

  close_arrays ();
  _exit (EXIT_SUCCESS);
}

static pid_t
start_child (void)
{
  int fds[2];
  pid_t pid;

  if (pipe (fds) != 0)
    bench_fail ("pipe: %s", g_strerror (errno));

  pid = fork ();
  if (pid < 0)
    bench_fail ("fork: %s", g_strerror (errno));
  if (pid == 0)
    {
      close (fds[1]);
      be_child (fds[0]);
    }

  close (fds[0]);
  commands = fds[1];

  return pid;
}

/* ---- The parent ---- */

static void
do_together (void (*task) (void))
{
  guint8 command = 0;

  while (tasks[command] != task)
    command++;
  if (write (commands, &command, sizeof command) != sizeof command)
    bench_fail ("write: %s", g_strerror (errno));
  task ();
}

static void
together_chase_ours (void)
{
  do_together (chase_ours);
}

static void
together_chase_theirs (void)
{
  do_together (chase_theirs);
}

static void
together_contend_ours (void)
{
  do_together (contend_ours);
}

static void
together_contend_theirs (void)
{
  do_together (contend_theirs);
}

static void
together_play_ours (void)
{
  do_together (play_ours);
}

static void
together_play_theirs (void)
{
  do_together (play_theirs);
}

static void
lock_free_ours (void)
{
  for (guint i = 0; i < N_PER_CALL; i++)
    {
      lock_ours (0);
      unlock_ours (0);
    }
}

static void
lock_free_theirs (void)
{
  for (guint i = 0; i < N_PER_CALL; i++)
    {
      lock_theirs (0);
      unlock_theirs (0);
    }
}

static void
init_common (void)
{
  pthread_mutexattr_t attributes;

  common = mmap (NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (common == MAP_FAILED)
    bench_fail ("mmap: %s", g_strerror (errno));

  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_setpshared (&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust (&attributes, PTHREAD_MUTEX_ROBUST);
  for (guint i = 0; i < N_LOCKS; i++)
    {
      if (pthread_mutex_init (&common->mutexes[i], &attributes) != 0)
        bench_fail ("There are no robust mutexes here");
    }
  pthread_mutexattr_destroy (&attributes);
}

void
bench_sync (const char *prefix)
{
  pid_t pid;
  int status;

  init_common ();
  for (guint i = 0; i < N_LOCKS; i++)
    names[i] = g_strdup_printf ("%slock-%u", prefix, i);
  pid = start_child ();
  for (guint i = 0; i < N_LOCKS; i++)
    arrays[i] = bench_make (names[i], 1024, SHND_CREATE_NONE);

  bench_compare ("c-lock", lock_free_ours, lock_free_theirs, 10, N_PER_CALL);
  bench_compare ("c-lock-handed", together_chase_ours, together_chase_theirs, 1, N_PER_CALL);
  bench_compare ("c-lock-contended", together_contend_ours, together_contend_theirs, 1,
                 N_CONTENDED);
  bench_compare ("c-update", together_play_ours, together_play_theirs, 1, N_PER_CALL);

  bench_settle (0);
  close (commands);
  if (waitpid (pid, &status, 0) != pid || status != 0)
    bench_fail ("The child has failed");
  close_arrays ();
  munmap (common, sizeof *common);
}
