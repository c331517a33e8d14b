/* SPDX-License-Identifier: MIT */

/* A process is killed before and after each system call of what it does with an array, and where the
 * lock is concerned after each of its instructions; each time in another process, and each time what
 * is left must be what the others can go on with. */

#include "peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "../c/array-support.h"

#define NONCE_HOLDER 1001
#define NONCE_VICTIM 2002
#define NONCE_NEXT 3003
#define NONCE_DEAD 4004

/* A lock is given up for lost after this, in microseconds. */
#define LOCK_PATIENCE (30 * G_USEC_PER_SEC)

/* In waits, steps repeat. */
#define MAX_CALLS 100

/* At so many of the instructions, if there are more. */
#define MAX_INSTRUCTIONS 50

/* Who is there when it begins. */
typedef enum
{
  HOLDER = 1 << 0,        /* another process has the array */
  HOLDER_LOCKED = 1 << 1, /* with its lock */
  HOLDER_LEAVES = 1 << 2, /* and closes it before it begins */
  DEAD = 1 << 3,          /* another process had the array, and was killed */
  DEAD_LOCKED = 1 << 4,   /* with its lock */
  OPEN = 1 << 5,          /* the victim has the array */
  OPEN_READ = 1 << 6,
  LOCKED = 1 << 7,   /* with its lock */
  FORKED = 1 << 8,   /* and a child of it, too */
  SLOT = 1 << 9,     /* all draw the same slot */
  BY_NAME = 1 << 10, /* the name may go though the array is held */
  INSTRUCTIONS = 1 << 11,
  MADE = 1 << 12, /* the victim makes the array */
} Start;

typedef struct
{
  const char *what;
  PeerCommand command;
  gint64 argument;
  Start start;
} Scenario;

static const Scenario scenarios[] = {
  { "new", PEER_NEW, NONCE_VICTIM, 0 },
  { "new/taken", PEER_NEW, NONCE_VICTIM, HOLDER },
  { "new/orphan", PEER_NEW, NONCE_VICTIM, DEAD },
  { "open", PEER_OPEN, 0, HOLDER },
  { "open/reading", PEER_OPEN_READ, 0, HOLDER },
  { "open/orphan", PEER_OPEN, 0, DEAD },
  { "open/stale", PEER_OPEN_STALE, 0, HOLDER },
  { "close", PEER_CLOSE, 0, HOLDER | OPEN },
  { "close/last", PEER_CLOSE, 0, MADE },
  { "close/last-opened", PEER_CLOSE, 0, HOLDER | OPEN | HOLDER_LEAVES },
  { "close/last-reading", PEER_CLOSE, 0, HOLDER | OPEN_READ | HOLDER_LEAVES },
  { "close/locked", PEER_CLOSE, 0, HOLDER | OPEN | LOCKED },
  { "close/forked", PEER_CLOSE, 0, MADE | FORKED },
  { "close/forked-reading", PEER_CLOSE, 0, HOLDER | OPEN_READ | FORKED },
  { "exit", PEER_EXIT, 0, HOLDER | OPEN },
  { "exit/last", PEER_EXIT, 0, MADE },
  { "exit/locked", PEER_EXIT, 0, HOLDER | OPEN | LOCKED },
  { "unlink", PEER_UNLINK, 0, HOLDER | BY_NAME },
  { "unlink/own", PEER_UNLINK_OWN, 0, HOLDER | OPEN | BY_NAME },
  { "unlink/orphan", PEER_UNLINK, 0, DEAD },
  { "reap", PEER_REAP, 0, DEAD },
  { "reap/held", PEER_REAP, 0, HOLDER },
  { "fork", PEER_FORK, 0, HOLDER | OPEN },
  { "fork/locked", PEER_FORK, 0, HOLDER | OPEN | LOCKED },
  { "update", PEER_UPDATE, 0, HOLDER | OPEN },
  { "lock", PEER_LOCK, -1, HOLDER | OPEN },
  { "lock/taken", PEER_LOCK, 100000, HOLDER | HOLDER_LOCKED | OPEN },
  { "lock/dead", PEER_LOCK, -1, HOLDER | DEAD_LOCKED | OPEN },
  { "lock/dead-slot", PEER_LOCK, -1, HOLDER | DEAD_LOCKED | OPEN | SLOT },
  { "unlock", PEER_UNLOCK, 0, HOLDER | OPEN | LOCKED },
  { "lock/instructions", PEER_LOCK, -1, HOLDER | OPEN | INSTRUCTIONS },
  { "lock/dead-instructions", PEER_LOCK, -1, HOLDER | DEAD_LOCKED | OPEN | INSTRUCTIONS },
  { "lock/slot-instructions", PEER_LOCK, -1, HOLDER | DEAD_LOCKED | OPEN | SLOT | INSTRUCTIONS },
  { "unlock/instructions", PEER_UNLOCK, 0, HOLDER | OPEN | LOCKED | INSTRUCTIONS },
};

static gboolean isolated;
static guint rounds = 1;
static guint n_kills;

/* Those who are there. */
typedef struct
{
  const Scenario *scenario;
  Peer *holder;
  Peer *other;
  Peer *victim;
} Stage;

static void
expect (Peer *peer, PeerCommand command, gint64 argument)
{
  PeerReply reply = peer_do (peer, command, argument);

  g_assert_cmpint (reply.code, ==, PEER_OK);
}

static void
raise_curtain (Stage *stage)
{
  Start start = stage->scenario->start;

  stage->victim = peer_new ();
  if (start & SLOT)
    expect (stage->victim, PEER_SET_SLOT, 77);

  if (start & HOLDER)
    expect (stage->holder, PEER_NEW, NONCE_HOLDER);
  if (start & HOLDER_LOCKED)
    expect (stage->holder, PEER_LOCK, 0);
  if (start & MADE)
    expect (stage->victim, PEER_NEW, NONCE_VICTIM);
  if (start & (OPEN | OPEN_READ))
    expect (stage->victim, start & OPEN ? PEER_OPEN : PEER_OPEN_READ, 0);
  if (start & HOLDER_LEAVES)
    expect (stage->holder, PEER_CLOSE, 0);
  if (start & (DEAD | DEAD_LOCKED))
    {
      Peer *dead = peer_new ();

      if (start & DEAD)
        expect (dead, PEER_NEW, NONCE_DEAD);
      else
        expect (dead, PEER_OPEN, 0);
      if (start & SLOT)
        expect (dead, PEER_SET_SLOT, 77);
      if (start & DEAD_LOCKED)
        expect (dead, PEER_LOCK, 0);
      peer_free (dead);
    }
  if (start & LOCKED)
    expect (stage->victim, PEER_LOCK, 0);
  if (start & FORKED)
    expect (stage->victim, PEER_FORK, 0);
}

/* The lock must be there for the next one, who hears of it if its owner is dead. */
static void
check_lock (Stage *stage)
{
  Start start = stage->scenario->start;
  gboolean expected;
  PeerReply reply;

  expect (stage->other, PEER_OPEN, 0);

  if (start & HOLDER_LOCKED)
    {
      reply = peer_do (stage->other, PEER_LOCK, 0);
      g_assert_cmpint (reply.code, ==, SHND_ERROR_TIMED_OUT);
      expect (stage->holder, PEER_UNLOCK, 0);
    }

  /* All who could have it by now are dead. */
  expected = (peer_get_lock_word () & 0x7fffffff) != 0;
  if (start & DEAD_LOCKED)
    g_assert_true (expected);
  /* Who does not want to wait need not to, if the owner is dead. */
  reply = peer_do (stage->other, PEER_LOCK, start & INSTRUCTIONS ? 0 : LOCK_PATIENCE);
  g_assert_cmpint (reply.code, ==, PEER_OK);
  g_assert_true (reply.excluded);
  g_assert_cmpint (reply.recovered, ==, expected);
  expect (stage->other, PEER_UNLOCK, 0);

  for (guint i = 0; i < 2; i++)
    {
      Peer *peer = i == 0 ? stage->holder : stage->other;

      reply = peer_do (peer, PEER_LOCK, LOCK_PATIENCE);
      g_assert_cmpint (reply.code, ==, PEER_OK);
      g_assert_false (reply.recovered);
      expect (peer, PEER_UNLOCK, 0);
    }

  expect (stage->other, PEER_CLOSE, 0);
}

/* What the name stands for must be what somebody has, or free for the taking. */
static void
check_name (Stage *stage, gboolean reap)
{
  Start start = stage->scenario->start;
  gboolean held = (start & FORKED) || ((start & HOLDER) && !(start & HOLDER_LEAVES));
  guint64 named = peer_get_named ();
  gboolean orphaned = named != 0 && !held;
  PeerReply reply;

  if (held && !(start & BY_NAME))
    g_assert_cmpuint (named, ==, start & MADE ? NONCE_VICTIM : NONCE_HOLDER);

  reply = peer_do (stage->other, PEER_OPEN, 0);
  if (held && named != 0)
    {
      g_assert_cmpint (reply.code, ==, PEER_OK);
      g_assert_cmpuint (reply.nonce, ==, named);
      expect (stage->other, PEER_CLOSE, 0);
    }
  else
    {
      g_assert_cmpint (reply.code, ==, SHND_ERROR_NOT_FOUND);
    }
  g_assert_cmpuint (peer_get_named (), ==, named);

  if (reap)
    {
      reply = peer_do (stage->other, PEER_REAP, 0);
      g_assert_cmpint (reply.code, ==, PEER_OK);
      if (isolated)
        g_assert_cmpuint (reply.n, ==, orphaned ? 1 : 0);
      g_assert_cmpuint (peer_get_named (), ==, orphaned ? 0 : named);
      return;
    }

  reply = peer_do (stage->other, PEER_NEW, NONCE_NEXT);
  if (held && named != 0)
    {
      g_assert_cmpint (reply.code, ==, SHND_ERROR_EXISTS);
      g_assert_cmpuint (peer_get_named (), ==, named);
    }
  else
    {
      g_assert_cmpint (reply.code, ==, PEER_OK);
      g_assert_cmpuint (peer_get_named (), ==, NONCE_NEXT);
      expect (stage->other, PEER_CLOSE, 0);
      g_assert_cmpuint (peer_get_named (), ==, 0);
    }
}

static void
drop_curtain (Stage *stage)
{
  Start start = stage->scenario->start;

  /* With its children. */
  peer_free (stage->victim);

  if (start & HOLDER && !(start & HOLDER_LEAVES))
    {
      g_assert_cmpuint (peer_do (stage->holder, PEER_CHECK, 0).nonce, ==, NONCE_HOLDER);
      expect (stage->holder, PEER_CLOSE, 0);
      g_assert_cmpuint (peer_get_named (), ==, 0);
    }
  expect (stage->other, PEER_REAP, 0);
  g_assert_cmpuint (peer_get_named (), ==, 0);
}

/* Kills the victim after so many steps. Returns FALSE if it was done before that. */
static gboolean
kill_after (Stage *stage, guint n_steps, gboolean reap)
{
  gboolean by_instruction = (stage->scenario->start & INSTRUCTIONS) != 0;
  gboolean killed = TRUE;

  raise_curtain (stage);
  peer_trace (stage->victim, stage->scenario->command, stage->scenario->argument);
  for (guint i = 0; i < n_steps && killed; i++)
    killed = peer_step (stage->victim, by_instruction);
  if (!killed && !stage->victim->ended)
    peer_receive (stage->victim);
  peer_kill (stage->victim);
  n_kills++;

  if ((stage->scenario->start & (HOLDER | HOLDER_LEAVES | BY_NAME)) == HOLDER)
    check_lock (stage);
  check_name (stage, reap);
  drop_curtain (stage);

  return killed;
}

/* How many instructions it takes, if nothing comes in between. */
static guint
count_steps (Stage *stage)
{
  guint n = 0;

  raise_curtain (stage);
  peer_trace (stage->victim, stage->scenario->command, stage->scenario->argument);
  while (peer_step (stage->victim, TRUE))
    n++;
  peer_receive (stage->victim);
  peer_kill (stage->victim);
  check_lock (stage);
  drop_curtain (stage);

  return n;
}

static void
test_scenario (gconstpointer data)
{
  Stage stage = { .scenario = data };
  gboolean by_instruction = (stage.scenario->start & INSTRUCTIONS) != 0;
  guint kills_before = n_kills;
  guint n = MAX_CALLS, stride = 1;
  guint fds_before;

  stage.holder = peer_new ();
  stage.other = peer_new ();
  fds_before = count_fds ();

  if (by_instruction)
    {
      n = count_steps (&stage);
      stride = n / (MAX_INSTRUCTIONS * rounds) + 1;
      g_test_message ("%u instructions", n);
    }

  for (guint i = 0; i < n; i += stride)
    {
      gboolean killed = kill_after (&stage, i, FALSE);

      if (!killed || !kill_after (&stage, i, TRUE))
        break;
    }

  g_assert_cmpuint (count_fds (), ==, fds_before);
  g_test_message ("%u kills", n_kills - kills_before);
  g_assert_cmpuint (n_kills - kills_before, >=, 5);
  peer_free (stage.other);
  peer_free (stage.holder);
}

int
main (int argc, char **argv)
{
  peer_init (argv, &isolated, &rounds);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      g_autofree char *path = g_strdup_printf ("/steps/%s", scenarios[i].what);

      g_test_add_data_func (path, &scenarios[i], test_scenario);
    }

  return g_test_run ();
}
