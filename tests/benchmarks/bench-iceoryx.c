/* SPDX-License-Identifier: MIT */

/* The rows about iceoryx, through its C binding. Its daemon runs already. */

#include "bench-frames.h"

#include <stdio.h>

#define SKIPPED "skip frames-iceoryx* not installed: iceoryx, libiceoryx-binding-c-dev, cmake"

#ifdef HAVE_ICEORYX

#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>
#include <iceoryx_binding_c/wait_set.h>

#define SERVICE "shnd-benchmark"

static void
send_chunk (guint size, BenchWrite write)
{
  static iox_pub_t publishers[BENCH_N_SIZES];
  gsize n_bytes = bench_get_n_bytes (size);
  void *chunk;

  if (publishers[size] == NULL)
    {
      iox_pub_options_t options;

      iox_pub_options_init (&options);
      options.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
      publishers[size] = iox_pub_init (g_new (iox_pub_storage_t, 1), SERVICE,
                                       bench_size_names[size], "frames", &options);
      while (!iox_pub_has_subscribers (publishers[size]))
        g_usleep (1000);
    }

  /* No chunk is free while the other side has not given back what it had. */
  while (iox_pub_loan_chunk (publishers[size], &chunk, n_bytes) != AllocationResult_SUCCESS)
    g_usleep (50);
  if (write != BENCH_WRITE_NOTHING)
    bench_write (chunk, n_bytes, write);
  *(gint64 *) chunk = bench_get_time (CLOCK_MONOTONIC);
  iox_pub_publish_chunk (publishers[size], chunk);
}

static gint64
receive_chunk (const BenchJob *job)
{
  static iox_sub_t subscribers[BENCH_N_SIZES];
  static iox_ws_t wait_sets[BENCH_N_SIZES];
  gint64 latency;
  const void *chunk;

  if (subscribers[job->size] == NULL)
    {
      iox_sub_options_t options;

      if (subscribers[0] == NULL)
        {
          iox_set_loglevel (Iceoryx_LogLevel_Error);
          iox_runtime_init ("shnd-benchmark-subscriber");
        }
      iox_sub_options_init (&options);
      options.queueCapacity = 2;
      options.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
      subscribers[job->size] = iox_sub_init (g_new (iox_sub_storage_t, 1), SERVICE,
                                             bench_size_names[job->size], "frames", &options);
      wait_sets[job->size] = iox_ws_init (g_new (iox_ws_storage_t, 1));
      iox_ws_attach_subscriber_state (wait_sets[job->size], subscribers[job->size],
                                      SubscriberState_HAS_DATA, 0, NULL);
    }

  do
    {
      iox_notification_info_t info;
      guint64 n_missed;

      if (!job->spin)
        iox_ws_wait (wait_sets[job->size], &info, 1, &n_missed);
    }
  while (iox_sub_take_chunk (subscribers[job->size], &chunk) != ChunkReceiveResult_SUCCESS);

  latency = bench_get_time (CLOCK_MONOTONIC) - *(const gint64 *) chunk;
  if (job->read)
    bench_read (chunk, bench_get_n_bytes (job->size));
  iox_sub_release_chunk (subscribers[job->size], chunk);

  return latency;
}

static const BenchTransport chunks = { send_chunk, receive_chunk };

void
bench_iceoryx (void)
{
  iox_set_loglevel (Iceoryx_LogLevel_Error);
  iox_runtime_init ("shnd-benchmark-publisher");

  bench_latencies ("frames-iceoryx", &chunks, BENCH_ASLEEP);
  bench_latencies ("frames-iceoryx-spin", &chunks, BENCH_SPINNING);
  bench_compare_streams ("frames-iceoryx-copy", BENCH_WRITE_COPY, &chunks);
  bench_compare_streams ("frames-iceoryx-fill", BENCH_WRITE_FILL, &chunks);

  iox_runtime_shutdown ();
}

#else

void
bench_iceoryx (void)
{
  puts (SKIPPED);
}

#endif
