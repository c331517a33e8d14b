/* SPDX-License-Identifier: MIT */

/* What the killer and its victims share. */

#pragma once

#include <shndarray/shndarray.h>
#include <sys/types.h>

#include "belongings.h"
#include "contents.h"

#define N_NAMES 4
#define N_VICTIMS 12
#define N_SURVIVORS 2

/* How many of those that were killed are remembered. */
#define N_REMEMBERED 65536

typedef enum
{
  PHASE_ELSEWHERE,
  PHASE_LOCKING, /* may have the lock */
  PHASE_INSIDE,  /* has it */
} Phase;

typedef struct
{
  pid_t pid;
  guint serial; /* of all processes that there were */
  Phase phase;
} Entry;

/* A process that lives until it is told to end, and has an account of its handles. */
typedef struct
{
  gint stage; /* 0: works; 1: has told what it has; 2: is about to end */
  guint64 held[N_NAMES][3];
  guint n_held;
} Survivor;

/* In memory that all have from the killer. All is atomic. */
typedef struct
{
  gint stage; /* which one the survivors should be in */
  guint64 last_nonce;
  guint last_serial;

  Entry victims[N_VICTIMS];
  Entry children[N_VICTIMS]; /* which these have forked, at most one each */
  Survivor survivors[N_SURVIVORS];

  guint made;
  guint opened;
  guint unlinked;
  guint reaped;
  guint locked;
  guint recovered;
  guint updated;
  guint woken;
  guint forked;

  gint64 killed_at[N_REMEMBERED]; /* by serial */
  gint64 longest_recovery;
} Board;

extern Board *killer_board;

/* The names of the arrays, once they have been thought of. */
void killer_init_names (const char *prefix);
const char *killer_get_name (guint i);

static inline guint
killer_count (guint *counter)
{
  return __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
}

/* What victims do, until they are killed. */
void killer_run_victim (guint slot) G_GNUC_NORETURN;

/* What survivors do. Returns the exit status. */
int killer_run_survivor (guint slot);
