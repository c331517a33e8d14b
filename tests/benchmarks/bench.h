/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>
#include <time.h>

/* Ends the program, with a message. */
G_NORETURN void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Nanoseconds of the given clock. */
gint64 bench_get_time (clockid_t clock);

/* Sorts, and returns what is at that place of the way from the least to the greatest. */
gint64 bench_get_quantile (gint64 *values, guint n, gdouble place);

/* Lets this process run on the first, second... of the processors that it may use, or the last; on
 * any if `number` is 0. */
void bench_settle (guint number);

/* Takes turns in both, and prints the samples of the row. A call does `n_per_call` operations. */
void bench_compare (
    const char *row, void (*ours) (void), void (*theirs) (void), guint n_calls, guint n_per_call);

/* A new array of bytes. */
ShndArray *bench_make (const char *name, gint64 n_bytes, ShndCreateFlags flags);

/* The rows that are about lock and change counter. */
void bench_sync (const char *prefix);
