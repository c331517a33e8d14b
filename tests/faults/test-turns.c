/* SPDX-License-Identifier: MIT */

/* A process is stopped before and after each system call of what it does with an array; meanwhile
 * another one does something else, all of it. Whatever the two are: afterwards those who have the
 * array have the one that the name stands for, and it goes with the last of them. */

#include "peer.h"

#include "../c/array-support.h"

#define NONCE_HOLDER 1001
#define NONCE_STOPPED 2002
#define NONCE_OTHER 3003
#define NONCE_DEAD 4004

/* In waits, steps repeat. */
#define MAX_CALLS 60

enum
{
  HOLDER,  /* has the array at the beginning, or was the last who had it */
  STOPPED, /* acts step by step */
  OTHER,   /* acts in between */
  N_PEERS,
};

typedef enum
{
  HELD = 1 << 0,   /* the holder has the array, and keeps it */
  ORPHAN = 1 << 1, /* somebody had it, and was killed */
  OPEN = 1 << 2,   /* the one to be stopped has it */
  OPEN_READ = 1 << 3,
  ALONE = 1 << 4, /* and the holder has it no more */
  UNLINKS = 1 << 5,
  FORKED = 1 << 6, /* the one to be stopped forked once, and opened it after that */
} Start;

typedef struct
{
  const char *what;
  PeerCommand command;
  gint64 argument;
  Start start;
} First;

static const First firsts[] = {
  { "new", PEER_NEW, NONCE_STOPPED, 0 },
  { "new-orphan", PEER_NEW, NONCE_STOPPED, ORPHAN },
  { "new-held", PEER_NEW, NONCE_STOPPED, HELD },
  { "open", PEER_OPEN, 0, HELD },
  { "open-reading", PEER_OPEN_READ, 0, HELD },
  { "open-stale", PEER_OPEN_STALE, 0, HELD },
  { "open-orphan", PEER_OPEN, 0, ORPHAN },
  { "close", PEER_CLOSE, 0, HELD | OPEN },
  { "close-reading", PEER_CLOSE, 0, HELD | OPEN_READ },
  { "close-last", PEER_CLOSE, 0, HELD | OPEN | ALONE },
  { "close-last-reading", PEER_CLOSE, 0, HELD | OPEN_READ | ALONE },
  { "close-forked", PEER_CLOSE, 0, HELD | OPEN | ALONE | FORKED },
  { "close-forked-reading", PEER_CLOSE, 0, HELD | OPEN_READ | ALONE | FORKED },
  { "reap", PEER_REAP, 0, ORPHAN },
  { "reap-held", PEER_REAP, 0, HELD },
  { "unlink", PEER_UNLINK, 0, HELD | UNLINKS },
  { "unlink-orphan", PEER_UNLINK, 0, ORPHAN | UNLINKS },
  { "unlink-own", PEER_UNLINK_OWN, 0, HELD | OPEN | UNLINKS },
};

typedef enum
{
  CLOSES = 1 << 0, /* it is the holder who acts, and has nothing then */
  KILLS = 1 << 1,
  REMOVES = 1 << 2,
  RENEWS = 1 << 3,
} SecondFlags;

typedef struct
{
  const char *what;
  PeerCommand commands[2];
  guint n_commands;
  SecondFlags flags;
} Second;

static const Second seconds[] = {
  { "open", { PEER_OPEN }, 1, 0 },
  { "open-reading", { PEER_OPEN_READ }, 1, 0 },
  { "open-close", { PEER_OPEN, PEER_CLOSE }, 2, 0 },
  { "open-close-reading", { PEER_OPEN_READ, PEER_CLOSE }, 2, 0 },
  { "stale", { PEER_OPEN_STALE }, 1, 0 },
  { "new", { PEER_NEW }, 1, 0 },
  { "new-close", { PEER_NEW, PEER_CLOSE }, 2, 0 },
  { "reap", { PEER_REAP }, 1, 0 },
  { "reap-new", { PEER_REAP, PEER_NEW }, 2, 0 },
  { "close", { PEER_CLOSE }, 1, CLOSES },
  { "close-new", { PEER_CLOSE, PEER_NEW }, 2, CLOSES },
  { "kill", { 0 }, 0, KILLS },
  { "unlink", { PEER_UNLINK }, 1, REMOVES },
  { "unlink-new", { PEER_UNLINK, PEER_NEW }, 2, REMOVES | RENEWS },
};

static guint n_turns;

/* ---- What there is ---- */

typedef struct
{
  Peer *peers[N_PEERS];
  guint64 nonces[N_PEERS]; /* what each has, 0 if nothing */
} Stage;

/* Keeps account of what a peer has. */
static void
note (Stage *stage, guint who, PeerCommand command, const PeerReply *reply)
{
  switch (command)
    {
    case PEER_NEW:
      g_assert_true (reply->code == PEER_OK || reply->code == SHND_ERROR_EXISTS);
      break;
    case PEER_OPEN:
    case PEER_OPEN_READ:
      g_assert_true (reply->code == PEER_OK || reply->code == SHND_ERROR_NOT_FOUND);
      break;
    case PEER_OPEN_STALE:
      g_assert_cmpint (reply->code, ==, SHND_ERROR_NOT_FOUND);
      return;
    case PEER_UNLINK:
    case PEER_UNLINK_OWN:
      g_assert_true (reply->code == PEER_OK || reply->code == SHND_ERROR_NOT_FOUND);
      return;
    default:
      g_assert_cmpint (reply->code, ==, PEER_OK);
      if (command == PEER_CLOSE)
        stage->nonces[who] = 0;
      return;
    }

  if (reply->code == PEER_OK)
    stage->nonces[who] = reply->nonce;
}

static PeerReply
act (Stage *stage, guint who, PeerCommand command, gint64 argument)
{
  PeerReply reply = peer_do (stage->peers[who], command, argument);

  note (stage, who, command, &reply);
  return reply;
}

static void
kill_peer (Stage *stage, guint who)
{
  peer_free (stage->peers[who]);
  stage->peers[who] = peer_new ();
  stage->nonces[who] = 0;
}

static void
raise_curtain (Stage *stage, Start start)
{
  if (start & HELD)
    act (stage, HOLDER, PEER_NEW, NONCE_HOLDER);
  if (start & ORPHAN)
    {
      act (stage, HOLDER, PEER_NEW, NONCE_DEAD);
      kill_peer (stage, HOLDER);
    }
  if (start & (OPEN | OPEN_READ))
    act (stage, STOPPED, start & OPEN ? PEER_OPEN : PEER_OPEN_READ, 0);
  if (start & FORKED)
    act (stage, STOPPED, PEER_FORK, 0);
  if (start & ALONE)
    act (stage, HOLDER, PEER_CLOSE, 0);
}

static void
check (const Stage *stage, const First *first, const Second *second)
{
  guint64 named = peer_get_named ();
  Start start = first->start;
  gboolean removed = (start & UNLINKS) || (second->flags & REMOVES);
  gboolean orphaned = (start & (ORPHAN | FORKED)) || (second->flags & KILLS);
  gboolean held = FALSE;

  for (guint i = 0; i < N_PEERS; i++)
    {
      if (stage->nonces[i] == 0)
        continue;
      if (!removed)
        g_assert_cmpuint (stage->nonces[i], ==, named);
      held = held || stage->nonces[i] == named;
    }

  /* Only who removes a name whatever it stands for removes one that was taken anew. */
  if ((second->flags & RENEWS) && first->command != PEER_UNLINK && stage->nonces[OTHER] != 0)
    g_assert_cmpuint (named, ==, stage->nonces[OTHER]);

  if (named != 0 && !orphaned)
    g_assert_true (held);
}

static void
drop_curtain (Stage *stage)
{
  for (guint i = 0; i < N_PEERS; i++)
    {
      gboolean last;

      if (stage->nonces[i] == 0)
        continue;

      last = stage->nonces[i] == peer_get_named ();
      for (guint j = i + 1; j < N_PEERS; j++)
        last = last && stage->nonces[j] != stage->nonces[i];

      act (stage, i, PEER_CHECK, 0);
      act (stage, i, PEER_CLOSE, 0);
      if (last)
        g_assert_cmpuint (peer_get_named (), ==, 0);
    }

  act (stage, OTHER, PEER_REAP, 0);
  g_assert_cmpuint (peer_get_named (), ==, 0);
}

/* Returns FALSE if the first one was done before that many steps. */
static gboolean
run (Stage *stage, const First *first, const Second *second, guint n_steps)
{
  guint who = second->flags & CLOSES ? HOLDER : OTHER;
  guint n_commands = second->n_commands;
  gboolean stopped = TRUE;
  PeerReply reply;

  raise_curtain (stage, first->start);

  peer_trace (stage->peers[STOPPED], first->command, first->argument);
  for (guint i = 0; i < n_steps && stopped; i++)
    stopped = peer_step (stage->peers[STOPPED], FALSE);
  if (stopped)
    n_turns++;

  /* Who is stopped in the very moment that he removes the name is not waited for to the end. */
  if (stopped && (second->flags & RENEWS) && peer_is_removing ())
    n_commands = 0;

  if (second->flags & KILLS)
    kill_peer (stage, HOLDER);
  for (guint i = 0; i < n_commands; i++)
    act (stage, who, second->commands[i], NONCE_OTHER);

  if (stopped)
    peer_release (stage->peers[STOPPED]);
  reply = peer_receive (stage->peers[STOPPED]);
  note (stage, STOPPED, first->command, &reply);

  if (first->start & FORKED)
    kill_peer (stage, STOPPED);
  check (stage, first, second);
  drop_curtain (stage);

  return stopped;
}

static gboolean
is_possible (const First *first, const Second *second)
{
  if ((second->flags & (CLOSES | KILLS)) != 0)
    return (first->start & HELD) != 0 && (first->start & ALONE) == 0;

  return TRUE;
}

static void
test_first (gconstpointer data)
{
  const First *first = data;
  guint turns_before = n_turns;
  guint fds_before;
  Stage stage = { 0 };

  for (guint i = 0; i < N_PEERS; i++)
    stage.peers[i] = peer_new ();
  fds_before = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++)
    {
      guint n = 0;

      if (!is_possible (first, &seconds[i]))
        continue;

      g_test_message ("while %s", seconds[i].what);
      while (n < MAX_CALLS && run (&stage, first, &seconds[i], n))
        n++;
      g_assert_cmpuint (n, >=, 5);
    }

  g_test_message ("%u turns", n_turns - turns_before);
  g_assert_cmpuint (count_fds (), ==, fds_before);
  for (guint i = 0; i < N_PEERS; i++)
    peer_free (stage.peers[i]);
}

int
main (int argc, char **argv)
{
  gboolean isolated;
  guint rounds;

  peer_init (argv, &isolated, &rounds);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    {
      g_autofree char *path = g_strdup_printf ("/turns/%s", firsts[i].what);

      g_test_add_data_func (path, &firsts[i], test_first);
    }

  return g_test_run ();
}
