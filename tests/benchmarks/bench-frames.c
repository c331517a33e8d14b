/* SPDX-License-Identifier: MIT */

/* The rows of the benchmarks that are about frames, from this process to a worker. Each round prints
 * "sample ROW OURS THEIRS". */

#include "bench-frames.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 11

/* Each round goes from one side to the other this often: what else the machine does meets both. */
#define SLICES 15
#define N_PER_SLICE 20
#define N_PER_ROUND (SLICES * N_PER_SLICE)

/* From one message to the next, in nanoseconds: long enough for the other side to fall asleep. */
#define PAUSE 300000

/* The same where nobody sleeps. */
#define SHORT_PAUSE 50000

/* How many microseconds a subscriber looks for a frame before it sleeps, where none should sleep. */
#define SPIN 100000

/* Of large frames, from one side to the other. */
#define N_LARGE 12

#define MAX_BYTES (2160 * 3840 * 4)

const char *const bench_size_names[BENCH_N_SIZES] = { "64", "1080p", "4k" };

static const gint64 shapes[BENCH_N_SIZES][3] = {
  { 64, 1, 1 },
  { 1080, 1920, 4 },
  { 2160, 3840, 4 },
};

static ShndPublisher *publishers[BENCH_N_SIZES];

static guint8 *picture;
static volatile guint64 sum;

/* ---- Frames ---- */

ShndPublisher *
bench_publish (const char *name)
{
  g_autoptr (GError) error = NULL;
  ShndPublisher *publisher = shnd_publisher_new (name, &error);

  if (publisher == NULL)
    bench_fail ("%s", error->message);
  shnd_publisher_set_overflow (publisher, SHND_OVERFLOW_BLOCK);

  return publisher;
}

ShndFrame *
bench_acquire (ShndPublisher *publisher, guint size)
{
  static ShndDType *dtype;
  g_autoptr (GError) error = NULL;
  ShndFrame *frame;

  if (dtype == NULL)
    dtype = shnd_dtype_new ("uint8", NULL);
  frame = shnd_publisher_acquire (publisher, dtype, shapes[size], 3, -1, NULL, &error);
  if (frame == NULL)
    bench_fail ("%s", error->message);

  return frame;
}

ShndSubscriber *
bench_subscribe (const char *name)
{
  g_autoptr (GError) error = NULL;
  ShndSubscriber *subscriber = shnd_subscriber_new (name, &error);

  if (subscriber == NULL)
    bench_fail ("%s", error->message);

  return subscriber;
}

ShndFrame *
bench_receive (ShndSubscriber *subscriber)
{
  g_autoptr (GError) error = NULL;
  ShndFrame *frame = shnd_subscriber_receive (subscriber, -1, NULL, &error);

  if (frame == NULL)
    bench_fail ("%s", error->message);

  return frame;
}

static void
send_frame (guint size, BenchWrite write)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame = NULL;

  if (publishers[size] == NULL)
    {
      publishers[size] = bench_publish (bench_size_names[size]);
      if (!shnd_publisher_wait_subscribers (publishers[size], 1, -1, NULL, &error))
        bench_fail ("%s", error->message);
    }

  frame = bench_acquire (publishers[size], size);
  if (write != BENCH_WRITE_NOTHING)
    bench_write (shnd_array_get_data (shnd_frame_get_array (frame)), bench_get_n_bytes (size),
                 write);
  shnd_frame_set_timestamp (frame, bench_get_time (CLOCK_MONOTONIC));
  if (!shnd_publisher_publish (publishers[size], frame, -1, NULL, &error))
    bench_fail ("%s", error->message);
}

static gint64
receive_frame (const BenchJob *job)
{
  static ShndSubscriber *subscribers[BENCH_N_SIZES];
  g_autoptr (ShndFrame) frame = NULL;
  gint64 latency;

  if (subscribers[job->size] == NULL)
    subscribers[job->size] = bench_subscribe (bench_size_names[job->size]);
  shnd_subscriber_set_spin (subscribers[job->size], job->spin ? SPIN : 0);

  frame = bench_receive (subscribers[job->size]);
  latency = bench_get_time (CLOCK_MONOTONIC);
  latency -= shnd_frame_get_timestamp (frame);
  if (job->read)
    bench_read (shnd_array_get_data (shnd_frame_get_array (frame)), bench_get_n_bytes (job->size));

  return latency;
}

const BenchTransport bench_frames = { send_frame, receive_frame };

/* ---- Messages ---- */

typedef struct
{
  gint64 time;
  guint8 rest[56];
} Message;

static void
send_message (guint size G_GNUC_UNUSED, BenchWrite write G_GNUC_UNUSED)
{
  Message message = { .time = bench_get_time (CLOCK_MONOTONIC) };

  if (send (bench_get_socket (0), &message, sizeof message, 0) != sizeof message)
    bench_fail ("send: %s", g_strerror (errno));
}

static gint64
receive_message (const BenchJob *job)
{
  struct pollfd pollfd = { .fd = bench_get_socket (bench_get_worker ()), .events = POLLIN };
  Message message;
  gssize n_bytes;

  do
    {
      if (!job->spin && poll (&pollfd, 1, -1) < 0)
        bench_fail ("poll: %s", g_strerror (errno));
      n_bytes = recv (pollfd.fd, &message, sizeof message, MSG_DONTWAIT);
    }
  while (n_bytes < 0 && errno == EAGAIN);
  if (n_bytes != sizeof message)
    bench_fail ("recv: %s", g_strerror (errno));

  return bench_get_time (CLOCK_MONOTONIC) - message.time;
}

static const BenchTransport messages = { send_message, receive_message };

/* ---- What is in them ---- */

gsize
bench_get_n_bytes (guint size)
{
  return shapes[size][0] * shapes[size][1] * shapes[size][2];
}

void
bench_write (gpointer data, gsize n_bytes, BenchWrite write)
{
  static guint64 pattern;
  guint64 *words = data;

  if (write == BENCH_WRITE_COPY)
    memcpy (data, picture, n_bytes);
  else if (write == BENCH_WRITE_FILL)
    {
      pattern += 0x0101010101010101;
      for (gsize i = 0; i < n_bytes / sizeof *words; i++)
        words[i] = pattern;
    }
}

void
bench_read (gconstpointer data, gsize n_bytes)
{
  const guint64 *words = data;
  guint64 total = 0;

  for (gsize i = 0; i < n_bytes / sizeof *words; i++)
    total += words[i];
  sum = total;
}

/* ---- Latencies ---- */

static void
receive_all (const BenchJob *job)
{
  bench_say_done ();
  for (guint i = 0; i < job->n; i++)
    bench_shared->latencies[i] = job->transport->receive (job);
}

static void
pause_before_next (BenchMode mode)
{
  gint64 start = bench_get_time (CLOCK_MONOTONIC);

  if (mode == BENCH_SPINNING)
    {
      while (bench_get_time (CLOCK_MONOTONIC) < start + SHORT_PAUSE)
        ;
    }
  else
    {
      struct timespec pause = { .tv_nsec = PAUSE };

      nanosleep (&pause, NULL);
    }
}

static void
measure_latencies (const BenchTransport *transport, guint size, BenchMode mode, gint64 *latencies)
{
  BenchJob job = {
    .transport = transport,
    .size = size,
    .spin = mode == BENCH_SPINNING,
    .n = N_PER_SLICE,
  };

  bench_order (0, receive_all, &job);
  bench_sleep_until_done (1);
  for (guint i = 0; i < N_PER_SLICE; i++)
    {
      pause_before_next (mode);
      transport->send (size, BENCH_WRITE_NOTHING);
    }
  bench_await (0);
  memcpy (latencies, bench_shared->latencies, N_PER_SLICE * sizeof *latencies);
}

static gint64
print_latencies (const char *row, guint size, gint64 *ours, gint64 *theirs)
{
  gint64 median = bench_get_quantile (ours, N_PER_ROUND, 0.5);

  printf ("sample %s-%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
          " %" G_GINT64_FORMAT "\n",
          row, bench_size_names[size], median, bench_get_quantile (theirs, N_PER_ROUND, 0.5),
          bench_get_quantile (ours, N_PER_ROUND, 0.99),
          bench_get_quantile (theirs, N_PER_ROUND, 0.99));

  return median;
}

void
bench_latencies (const char *row, const BenchTransport *theirs, BenchMode mode)
{
  bench_place (mode == BENCH_ASLEEP ? BENCH_TOGETHER : BENCH_EACH_ALONE);

  /* The first round only warms up. */
  for (guint round = 0; round <= ROUNDS; round++)
    {
      gint64 ours_of[BENCH_N_SIZES][N_PER_ROUND];
      gint64 theirs_of[BENCH_N_SIZES][N_PER_ROUND];
      gint64 medians[BENCH_N_SIZES];

      for (guint start = 0; start < N_PER_ROUND; start += N_PER_SLICE)
        {
          for (guint size = 0; size < BENCH_N_SIZES; size++)
            {
              measure_latencies (&bench_frames, size, mode, &ours_of[size][start]);
              measure_latencies (theirs, size, mode, &theirs_of[size][start]);
            }
        }

      for (guint size = 0; round > 0 && size < BENCH_N_SIZES; size++)
        {
          medians[size] = print_latencies (row, size, ours_of[size], theirs_of[size]);
          if (theirs == &messages && size > 0)
            printf ("sample %s-same-%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", row,
                    bench_size_names[size], medians[size], medians[0]);
        }
    }

  bench_place (BENCH_ANYWHERE);
}

/* ---- Streams ---- */

static gdouble
stream (const BenchTransport *transport, BenchWrite write)
{
  BenchJob job = { .transport = transport, .size = BENCH_SIZE_4K, .read = TRUE, .n = N_LARGE };
  gint64 start;

  bench_order (0, receive_all, &job);
  bench_sleep_until_done (1);
  start = bench_get_time (CLOCK_MONOTONIC);
  for (guint i = 0; i < N_LARGE; i++)
    transport->send (BENCH_SIZE_4K, write);
  bench_await (0);

  return (gdouble) (bench_get_time (CLOCK_MONOTONIC) - start) / N_LARGE;
}

static gdouble
stream_here (BenchWrite write)
{
  static void *memory;
  gint64 start;

  if (memory == NULL)
    memory = mmap (NULL, MAX_BYTES, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED)
    bench_fail ("mmap: %s", g_strerror (errno));

  start = bench_get_time (CLOCK_MONOTONIC);
  for (guint i = 0; i < N_LARGE; i++)
    {
      bench_write (memory, MAX_BYTES, write);
      bench_read (memory, MAX_BYTES);
    }

  return (gdouble) (bench_get_time (CLOCK_MONOTONIC) - start) / N_LARGE;
}

void
bench_compare_streams (const char *row, BenchWrite write, const BenchTransport *theirs)
{
  /* The first round only warms up. */
  for (guint round = 0; round <= ROUNDS; round++)
    {
      gdouble our_time = stream (&bench_frames, write);
      gdouble their_time = theirs != NULL ? stream (theirs, write) : stream_here (write);

      if (round > 0)
        printf ("sample %s %.1f %.1f\n", row, our_time, their_time);
    }
}

static void
all_latencies (void)
{
  bench_latencies ("frames-latency", &messages, BENCH_ASLEEP);
  bench_latencies ("frames-apart", &messages, BENCH_APART);
  bench_latencies ("frames-spin", &messages, BENCH_SPINNING);
}

static void
all_streams (void)
{
  bench_compare_streams ("frames-copy", BENCH_WRITE_COPY, NULL);
  bench_compare_streams ("frames-fill", BENCH_WRITE_FILL, NULL);
  bench_gstreamer ();
}

static const struct
{
  const char *name;
  void (*run) (void);
} groups[] = {
  { "latencies", all_latencies },
  { "streams", all_streams },
  { "cpu", bench_cpu },
  { "iceoryx", bench_iceoryx },
};

/* GROUP... PREFIX */
int
main (int argc, char **argv)
{
  bench_hire (64);
  picture = g_malloc (MAX_BYTES);
  for (gsize i = 0; i < MAX_BYTES; i++)
    picture[i] = i % 251;

  for (int i = 1; i < argc - 1; i++)
    {
      guint group = 0;

      while (group < G_N_ELEMENTS (groups) && !g_str_equal (argv[i], groups[group].name))
        group++;
      if (group == G_N_ELEMENTS (groups))
        bench_fail ("There are no rows “%s”", argv[i]);
      groups[group].run ();
    }

  bench_dismiss ();
  for (guint size = 0; size < BENCH_N_SIZES; size++)
    g_clear_object (&publishers[size]);
  g_free (picture);

  return EXIT_SUCCESS;
}
