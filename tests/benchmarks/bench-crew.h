/* SPDX-License-Identifier: MIT */

/* Processes that do what they are told: the other sides of the rows about frames. */

#pragma once

#include "bench.h"

/* How many messages may pass from one order to the next. */
#define BENCH_MAX_MESSAGES 4096

/* What all processes have in common. */
typedef struct
{
  _Alignas(64) guint32 n_done; /* how often a worker was done with a message */
  _Alignas(64) guint32 goal;   /* when the parent wants to know */
  _Alignas(64) gint64 latencies[BENCH_MAX_MESSAGES]; /* of the worker that measures, in ns */
} BenchShared;

typedef struct BenchTransport BenchTransport;

/* What a worker has to receive. */
typedef struct
{
  const BenchTransport *transport;
  guint size;
  gboolean spin; /* instead of sleeping */
  gboolean read; /* all of what comes */
  guint n;
} BenchJob;

typedef void (*BenchTask) (const BenchJob *job);

extern BenchShared *bench_shared;

/* Starts the workers. To be called before anything that has threads. */
void bench_hire (guint n_workers);

/* In the parent: gives a worker something to do, and waits until that is done. */
void bench_order (guint worker, BenchTask task, const BenchJob *job);
void bench_await (guint worker);

/* On which processors all run. */
typedef enum
{
  BENCH_ANYWHERE,
  BENCH_TOGETHER,   /* on one */
  BENCH_EACH_ALONE, /* the workers on another one than the parent, if there are two */
} BenchPlace;

void bench_place (BenchPlace place);

/* A SOCK_SEQPACKET socket to the worker; in the worker, to the parent. */
int bench_get_socket (guint worker);

/* In a worker: which one this is. */
guint bench_get_worker (void);

/* A worker is done with a message, or ready; the parent sleeps until this was said `n` times. */
void bench_say_done (void);
void bench_sleep_until_done (guint n);

void bench_dismiss (void);
