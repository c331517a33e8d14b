/* SPDX-License-Identifier: MIT */

/* What the killer of publishers and subscribers shares with its victims, and with those that it lets
 * live. */

#pragma once

#include <shndarray/shndarray.h>
#include <sys/types.h>

/* At the first two, victims take turns as publisher; at the last one it is a survivor. */
#define N_ADDRESSES 3
#define ADDRESS_SURVIVOR 2

#define N_PUBLISHERS 4
#define N_SUBSCRIBERS 16
#define N_VICTIMS (N_PUBLISHERS + N_SUBSCRIBERS)

/* One publisher, and a subscriber at each address. */
#define N_SURVIVORS (1 + N_ADDRESSES)

/* What survivors do, all at the same time. */
typedef enum
{
  STAGE_WORK,
  STAGE_QUIET, /* nothing is published any more, and all victims are dead */
  STAGE_DRAIN, /* all frames go back, up to the last one */
  STAGE_CHECK, /* the publisher looks whether it has got them */
  STAGE_CLOSE,
  N_STAGES,
} Stage;

/* In memory that all have from the killer. All is atomic. */
typedef struct
{
  gint stage; /* counts on from one episode to the next */
  gboolean done;
  gint arrived[N_SURVIVORS]; /* in which stage they have done what is to be done */

  guint64 last_life;
  guint64 last_sequence; /* that the survivor has published; 0 if it cannot be had any more */
  guint64 survivor_life;
  gboolean doomed[N_VICTIMS];
  gint owners[N_ADDRESSES]; /* which victim has the publisher, from 1 */

  guint published;
  guint repeated;
  guint blocked;
  guint not_acquired;
  guint taken; /* addresses that another publisher has */
  guint lives;
  guint received;
  guint outlived; /* looks at frames that were held for a while */
  guint ended;
  guint disconnected;
  guint crossed; /* from one publisher to the next, without an error */
  guint missed;
} Board;

extern Board *board;

static inline guint
board_count (guint *counter)
{
  return __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
}

/* The address of victims' or survivors' publishers. */
const char *frames_get_address (guint i);

/* What victims do, until they are killed. */
void frames_run_publisher (guint slot, guint32 seed) G_GNUC_NORETURN;
void frames_run_subscriber (guint slot, guint32 seed) G_GNUC_NORETURN;

/* What survivors do: the first one publishes. Returns the exit status. */
int frames_run_survivor (guint i, guint32 seed);
