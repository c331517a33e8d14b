/* SPDX-License-Identifier: MIT */

#include "bench-crew.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  BenchTask task;
  BenchJob job;
} Order;

typedef struct
{
  pid_t pid;
  int orders; /* to and from the worker */
  int socket;
} Worker;

BenchShared *bench_shared;

static Worker *workers;
static guint n_workers;
static guint me;

/* Asks the system for short turns. Who has those is run as soon as it is woken; otherwise it might
 * first have to wait until the one that wakes it sleeps, depending on which of the two has worked
 * more before. Where the system knows no such wish, nothing happens. */
static void
want_short_turns (void)
{
  const struct
  {
    guint32 size, policy;
    guint64 flags;
    gint32 nice;
    guint32 priority;
    guint64 runtime, deadline, period;
  } attributes = { .size = sizeof attributes, .runtime = 100000 };

  syscall (SYS_sched_setattr, 0, &attributes, 0);
}

G_NORETURN static void
be_worker (int orders)
{
  Order order;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  want_short_turns ();
  while (read (orders, &order, sizeof order) == sizeof order)
    {
      guint8 done = 0;

      order.task (&order.job);
      if (write (orders, &done, sizeof done) != sizeof done)
        bench_fail ("write: %s", g_strerror (errno));
    }

  /* Others in this process have to know of the end, too. */
  exit (EXIT_SUCCESS);
}

void
bench_hire (guint n)
{
  bench_shared =
      mmap (NULL, sizeof *bench_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (bench_shared == MAP_FAILED)
    bench_fail ("mmap: %s", g_strerror (errno));

  n_workers = n;
  workers = g_new0 (Worker, n);
  for (guint i = 0; i < n; i++)
    {
      int orders[2];
      int sockets[2];

      if (socketpair (AF_UNIX, SOCK_STREAM, 0, orders) != 0 ||
          socketpair (AF_UNIX, SOCK_SEQPACKET, 0, sockets) != 0)
        bench_fail ("socketpair: %s", g_strerror (errno));

      workers[i].pid = fork ();
      if (workers[i].pid < 0)
        bench_fail ("fork: %s", g_strerror (errno));
      if (workers[i].pid == 0)
        {
          /* Or the end of the parent would not be the end of those before. */
          for (guint j = 0; j < i; j++)
            {
              close (workers[j].orders);
              close (workers[j].socket);
            }
          close (orders[0]);
          close (sockets[0]);
          me = i;
          workers[i].socket = sockets[1];
          be_worker (orders[1]);
        }

      close (orders[1]);
      close (sockets[1]);
      workers[i].orders = orders[0];
      workers[i].socket = sockets[0];
    }
}

void
bench_order (guint worker, BenchTask task, const BenchJob *job)
{
  Order order = { .task = task, .job = *job };

  if (write (workers[worker].orders, &order, sizeof order) != sizeof order)
    bench_fail ("write: %s", g_strerror (errno));
}

void
bench_await (guint worker)
{
  guint8 done;

  if (read (workers[worker].orders, &done, sizeof done) != sizeof done)
    bench_fail ("A worker has failed");
}

static void
settle (const BenchJob *job)
{
  bench_settle (job->n);
}

void
bench_place (BenchPlace place)
{
  BenchJob job = { .n = place };

  /* These are also the numbers that bench_settle() takes. */
  bench_settle (MIN (place, BENCH_TOGETHER));
  for (guint i = 0; i < n_workers; i++)
    {
      bench_order (i, settle, &job);
      bench_await (i);
    }
}

int
bench_get_socket (guint worker)
{
  return workers[worker].socket;
}

guint
bench_get_worker (void)
{
  return me;
}

void
bench_say_done (void)
{
  guint32 n = __atomic_add_fetch (&bench_shared->n_done, 1, __ATOMIC_SEQ_CST);

  if (n == __atomic_load_n (&bench_shared->goal, __ATOMIC_SEQ_CST))
    syscall (SYS_futex, &bench_shared->n_done, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void
bench_sleep_until_done (guint n)
{
  guint32 goal = bench_shared->goal + n;
  guint32 now;

  __atomic_store_n (&bench_shared->goal, goal, __ATOMIC_SEQ_CST);
  while ((now = __atomic_load_n (&bench_shared->n_done, __ATOMIC_SEQ_CST)) != goal)
    syscall (SYS_futex, &bench_shared->n_done, FUTEX_WAIT, now, NULL, NULL, 0);
}

void
bench_dismiss (void)
{
  for (guint i = 0; i < n_workers; i++)
    {
      int status;

      close (workers[i].orders);
      if (waitpid (workers[i].pid, &status, 0) != workers[i].pid || status != 0)
        bench_fail ("A worker has failed");
      close (workers[i].socket);
    }
  g_clear_pointer (&workers, g_free);
  munmap (bench_shared, sizeof *bench_shared);
}
