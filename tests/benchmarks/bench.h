/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

/* Ends the program, with a message. */
G_NORETURN void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Takes turns in both, and prints the samples of the row. A call does `n_per_call` operations. */
void bench_compare (
    const char *row, void (*ours) (void), void (*theirs) (void), guint n_calls, guint n_per_call);

/* A new array of bytes. */
ShndArray *bench_make (const char *name, gint64 n_bytes, ShndCreateFlags flags);

/* The rows that are about lock and change counter. */
void bench_sync (const char *prefix);
