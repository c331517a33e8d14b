/* SPDX-License-Identifier: MIT */

#pragma once

#include "bench-crew.h"

/* The sizes of frames. */
enum
{
  BENCH_SIZE_64,
  BENCH_SIZE_1080P,
  BENCH_SIZE_4K,
  BENCH_N_SIZES,
};

/* What is written into a frame before it is sent. */
typedef enum
{
  BENCH_WRITE_NOTHING,
  BENCH_WRITE_COPY, /* of a picture elsewhere in memory */
  BENCH_WRITE_FILL, /* a pattern, in place */
} BenchWrite;

/* A way from this process to a worker. */
struct BenchTransport
{
  /* Sends a message; what goes with it is the time right before. */
  void (*send) (guint size, BenchWrite write);
  /* The worker's side: receives one. Returns how long it took to come, in nanoseconds. */
  gint64 (*receive) (const BenchJob *job);
};

extern const BenchTransport bench_frames;

/* What the names of sizes in rows end with. */
extern const char *const bench_size_names[BENCH_N_SIZES];

gsize bench_get_n_bytes (guint size);

void bench_write (gpointer data, gsize n_bytes, BenchWrite write);
void bench_read (gconstpointer data, gsize n_bytes);

/* How two processes wait for each other. */
typedef enum
{
  BENCH_ASLEEP, /* both on one processor: to wake another one may take so long that it hides all */
  BENCH_APART,  /* both asleep, each on its own processor */
  BENCH_SPINNING, /* each on its own processor, awake */
} BenchMode;

/* The rows that compare latencies with those of another way: ROW-SIZE. Where that is the bare
 * message, also those that compare ours with that of the smallest frame: ROW-same-SIZE. */
void bench_latencies (const char *row, const BenchTransport *theirs, BenchMode mode);

/* The row that compares a stream of large frames, written here and read by the worker, with that of
 * another way; or with the same in this process alone, without one. */
void bench_compare_streams (const char *row, BenchWrite write, const BenchTransport *theirs);

ShndPublisher *bench_publish (const char *name);
ShndFrame *bench_acquire (ShndPublisher *publisher, guint size);
ShndSubscriber *bench_subscribe (const char *name);
ShndFrame *bench_receive (ShndSubscriber *subscriber);

/* The rows about what the publisher's process costs. */
void bench_cpu (void);

/* The rows about others, if this was built with them. */
void bench_gstreamer (void);
void bench_iceoryx (void);
