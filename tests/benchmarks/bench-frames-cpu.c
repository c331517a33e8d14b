/* SPDX-License-Identifier: MIT */

/* The rows about the time that a publisher's process works for a frame, with so many subscribers.
 * The other side is a process that sends a message to each of as many others, and reads the answer
 * of each to the one before. All are asleep when the next comes. */

#include "bench-frames.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define ROUNDS 11
#define N_MESSAGES 200

static const guint numbers[] = { 1, 4, 16, 64 };

typedef struct
{
  char bytes[64];
} Message;

/* ---- The workers ---- */

static void
receive_frames (const BenchJob *job)
{
  static ShndSubscriber *subscriber;
  static guint n_subscribers;

  if (n_subscribers != job->size)
    {
      g_autofree char *name = g_strdup_printf ("cpu-%u", job->size);

      g_clear_object (&subscriber);
      subscriber = bench_subscribe (name);
      n_subscribers = job->size;
    }

  for (guint i = 0; i < job->n; i++)
    {
      g_object_unref (bench_receive (subscriber));
      bench_say_done ();
    }
}

static void
answer_messages (const BenchJob *job)
{
  struct pollfd pollfd = { .fd = bench_get_socket (bench_get_worker ()), .events = POLLIN };
  Message message;

  for (guint i = 0; i < job->n; i++)
    {
      if (poll (&pollfd, 1, -1) < 0 ||
          recv (pollfd.fd, &message, sizeof message, 0) != sizeof message ||
          send (pollfd.fd, &message, 16, 0) != 16)
        bench_fail ("recv, send: %s", g_strerror (errno));
      bench_say_done ();
    }
}

/* ---- This process ---- */

static void
send_frame (ShndPublisher *publisher)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame = bench_acquire (publisher, BENCH_SIZE_64);

  if (!shnd_publisher_publish (publisher, frame, -1, NULL, &error))
    bench_fail ("%s", error->message);
}

static void
send_messages (guint n)
{
  Message message = { 0 };

  for (guint i = 0; i < n; i++)
    {
      int socket = bench_get_socket (i);

      if (recv (socket, &message, sizeof message, MSG_DONTWAIT) < 0 && errno != EAGAIN)
        bench_fail ("recv: %s", g_strerror (errno));
      if (send (socket, &message, sizeof message, 0) != sizeof message)
        bench_fail ("send: %s", g_strerror (errno));
    }
}

/* Returns the nanoseconds that this process worked, for a message to one of the `n`. */
static gdouble
measure (ShndPublisher *publisher, guint n, gboolean paced)
{
  BenchJob job = { .size = n, .n = N_MESSAGES };
  gint64 working = 0;
  gint64 others;

  for (guint i = 0; i < n; i++)
    bench_order (i, publisher != NULL ? receive_frames : answer_messages, &job);
  if (publisher != NULL && !shnd_publisher_wait_subscribers (publisher, n, -1, NULL, NULL))
    bench_fail ("The subscribers do not come");

  /* The rest of the process's time is that of its other threads. */
  others = bench_get_time (CLOCK_PROCESS_CPUTIME_ID) - bench_get_time (CLOCK_THREAD_CPUTIME_ID);
  for (guint i = 0; i < N_MESSAGES; i++)
    {
      gint64 start = bench_get_time (CLOCK_THREAD_CPUTIME_ID);

      if (publisher != NULL)
        send_frame (publisher);
      else
        send_messages (n);
      working += bench_get_time (CLOCK_THREAD_CPUTIME_ID) - start;
      if (paced)
        bench_sleep_until_done (n);
    }
  if (!paced)
    bench_sleep_until_done (N_MESSAGES * n);
  others =
      bench_get_time (CLOCK_PROCESS_CPUTIME_ID) - bench_get_time (CLOCK_THREAD_CPUTIME_ID) - others;
  for (guint i = 0; i < n; i++)
    bench_await (i);

  return (gdouble) (working + others) / N_MESSAGES / n;
}

static gdouble
compare (const char *row, ShndPublisher *publisher, guint n, gboolean paced)
{
  gint64 samples[ROUNDS];

  /* The first round only warms up. */
  for (guint round = 0; round <= ROUNDS; round++)
    {
      gdouble ours = measure (publisher, n, paced);
      gdouble theirs = measure (NULL, n, TRUE);

      if (round == 0)
        continue;
      printf ("sample %s-%u %.1f %.1f\n", row, n, ours, theirs);
      samples[round - 1] = ours;
    }

  return bench_get_quantile (samples, ROUNDS, 0.5);
}

void
bench_cpu (void)
{
  gdouble times[G_N_ELEMENTS (numbers)];

  /* What waking another processor costs may be many times what all else does. */
  bench_place (BENCH_TOGETHER);

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autofree char *name = g_strdup_printf ("cpu-%u", numbers[i]);
      g_autoptr (ShndPublisher) publisher = bench_publish (name);

      times[i] = compare ("frames-cpu", publisher, numbers[i], TRUE);
      compare ("frames-cpu-fast", publisher, numbers[i], FALSE);
    }

  /* Whether it grows faster than their number. */
  printf ("sample frames-cpu-growth %.1f %.1f\n", times[3], times[0]);
  bench_place (BENCH_ANYWHERE);
}
