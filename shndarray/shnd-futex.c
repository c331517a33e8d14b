/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-futex-private.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Where one cannot sleep on several words at once, the others are looked at this often; in
 * microseconds. */
#define LOOK_INTERVAL 10000

static struct timespec
to_timespec (gint64 time)
{
  struct timespec spec = { .tv_sec = time / G_USEC_PER_SEC,
                           .tv_nsec = time % G_USEC_PER_SEC * 1000 };

  return spec;
}

static void
wait_one (const ShndFutex *futex, gint64 deadline)
{
  struct timespec spec = to_timespec (deadline);

  /* Unlike FUTEX_WAIT this takes a point in time. */
  syscall (SYS_futex, futex->word,
           futex->shared ? FUTEX_WAIT_BITSET : FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
           futex->expected, deadline >= 0 ? &spec : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

void
shnd_futex_wait (const ShndFutex *futexes, guint n_futexes, gint64 deadline)
{
  static gint unsupported;

  if (n_futexes > 1 && !g_atomic_int_get (&unsupported))
    {
      struct futex_waitv waiters[SHND_MAX_FUTEXES];
      struct timespec spec = to_timespec (deadline);

      g_assert (n_futexes <= SHND_MAX_FUTEXES);
      for (guint i = 0; i < n_futexes; i++)
        {
          waiters[i] = (struct futex_waitv){
            .val = futexes[i].expected,
            .uaddr = (guint64) (guintptr) futexes[i].word,
            .flags = futexes[i].shared ? FUTEX_32 : FUTEX_32 | FUTEX_PRIVATE_FLAG,
          };
        }

      if (syscall (SYS_futex_waitv, waiters, n_futexes, 0, deadline >= 0 ? &spec : NULL,
                   CLOCK_MONOTONIC) >= 0 ||
          (errno != ENOSYS && errno != EPERM))
        return;

      /* Linux before 5.16, or a sandbox that knows no better. */
      g_atomic_int_set (&unsupported, TRUE);
    }

  if (n_futexes > 1)
    {
      gint64 soon = g_get_monotonic_time () + LOOK_INTERVAL;

      deadline = deadline >= 0 ? MIN (deadline, soon) : soon;
      for (guint i = 1; i < n_futexes; i++)
        {
          if (__atomic_load_n (futexes[i].word, __ATOMIC_SEQ_CST) != futexes[i].expected)
            return;
        }
    }

  wait_one (&futexes[0], deadline);
}

void
shnd_futex_wake (const guint32 *word, gint n, gboolean shared)
{
  syscall (SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL,
           0);
}
