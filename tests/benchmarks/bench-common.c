/* SPDX-License-Identifier: MIT */

#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

void
bench_fail (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);

  exit (EXIT_FAILURE);
}

gint64
bench_get_time (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);

  return (gint64) time.tv_sec * 1000000000 + time.tv_nsec;
}

static int
compare_values (gconstpointer a, gconstpointer b)
{
  gint64 difference = *(const gint64 *) a - *(const gint64 *) b;

  return (difference > 0) - (difference < 0);
}

gint64
bench_get_quantile (gint64 *values, guint n, gdouble place)
{
  qsort (values, n, sizeof values[0], compare_values);

  return values[(guint) ((n - 1) * place + 0.5)];
}

void
bench_settle (guint number)
{
  static cpu_set_t processors; /* that this process may use */
  cpu_set_t chosen;

  if (CPU_COUNT (&processors) == 0 && sched_getaffinity (0, sizeof processors, &processors) != 0)
    bench_fail ("sched_getaffinity: %s", g_strerror (errno));

  chosen = processors;
  if (number > 0)
    {
      guint index = MIN (number, (guint) CPU_COUNT (&processors)) - 1;
      int i = 0;

      while (!CPU_ISSET (i, &processors) || index-- > 0)
        i++;
      CPU_ZERO (&chosen);
      CPU_SET (i, &chosen);
    }
  if (sched_setaffinity (0, sizeof chosen, &chosen) != 0)
    bench_fail ("sched_setaffinity: %s", g_strerror (errno));
}
