/* SPDX-License-Identifier: MIT */

/* A process is stopped before and after each system call with which it takes the lock, or gives it
 * back; meanwhile others take it, give it back or are killed. Two never have it at once, nobody waits
 * for nobody, and of each death with the lock exactly one hears. */

#include "peer.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>

#include "../c/array-support.h"

/* In waits, steps repeat. */
#define MAX_CALLS 16

/* Who waits for longer does so for ever; in microseconds. */
#define LOCK_TIMEOUT (30 * G_USEC_PER_SEC)

enum
{
  HOLDER,
  STOPPED, /* acts step by step */
  OTHER,
  N_PEERS,
};

typedef enum
{
  HELD = 1 << 0,   /* the holder has the lock */
  DEAD = 1 << 1,   /* somebody had it, and was killed */
  OWN = 1 << 2,    /* the one to be stopped has it */
  BEFORE = 1 << 3, /* and did what makes its first call take longer */
} Start;

typedef struct
{
  const char *what;
  PeerCommand command;
  Start start;
} First;

static const First firsts[] = {
  { "lock", PEER_LOCK, 0 },         { "lock-again", PEER_LOCK, BEFORE },
  { "lock-held", PEER_LOCK, HELD }, { "lock-held-again", PEER_LOCK, HELD | BEFORE },
  { "lock-dead", PEER_LOCK, DEAD }, { "unlock", PEER_UNLOCK, OWN },
  { "close", PEER_CLOSE, OWN },
};

/* What happens meanwhile, in this order. */
typedef enum
{
  OTHER_TRIES = 1 << 0,
  OTHER_WAITS = 1 << 1,
  HOLDER_UNLOCKS = 1 << 2,
  HOLDER_CLOSES = 1 << 3,
  HOLDER_DIES = 1 << 4,
  OTHER_TRIES_THEN = 1 << 5,
} Second;

static const Second seconds[] = {
  OTHER_TRIES,
  OTHER_WAITS,
  HOLDER_UNLOCKS,
  HOLDER_CLOSES,
  HOLDER_DIES,
  HOLDER_UNLOCKS | OTHER_TRIES_THEN,
  HOLDER_DIES | OTHER_TRIES_THEN,
  OTHER_WAITS | HOLDER_UNLOCKS,
  OTHER_WAITS | HOLDER_DIES,
};

typedef struct
{
  Peer *peers[N_PEERS];
  gboolean locked[N_PEERS];
  gboolean waiting[N_PEERS];
  guint n_recovered;
} Stage;

static guint n_turns;

static void
expect (Peer *peer, PeerCommand command, gint64 argument)
{
  PeerReply reply = peer_do (peer, command, argument);

  g_assert_cmpint (reply.code, ==, PEER_OK);
}

static void
unlock (Stage *stage, guint who)
{
  stage->locked[who] = FALSE;
  expect (stage->peers[who], PEER_UNLOCK, 0);
}

/* One got the lock, or tried to. */
static void
note (Stage *stage, guint who, const PeerReply *reply)
{
  stage->waiting[who] = FALSE;
  stage->locked[who] = reply->code == PEER_OK;
  if (!stage->locked[who])
    {
      g_assert_cmpint (reply->code, ==, SHND_ERROR_TIMED_OUT);
      return;
    }

  g_assert_true (reply->excluded);
  stage->n_recovered += reply->recovered;
}

static void
try (Stage *stage)
{
  PeerReply reply = peer_do (stage->peers[OTHER], PEER_LOCK, 0);

  note (stage, OTHER, &reply);
}

/* Waits until one of those who wait has the lock. */
static guint
wait_for_one (Stage *stage)
{
  struct pollfd fds[N_PEERS];
  guint who = 0;
  PeerReply reply;

  for (guint i = 0; i < N_PEERS; i++)
    {
      fds[i].fd = stage->waiting[i] ? stage->peers[i]->socket : -1;
      fds[i].events = POLLIN;
      fds[i].revents = 0;
    }
  g_assert_cmpint (poll (fds, N_PEERS, 2 * LOCK_TIMEOUT / 1000), ==, 1);
  while (fds[who].revents == 0)
    who++;

  reply = peer_receive (stage->peers[who]);
  note (stage, who, &reply);
  g_assert_true (stage->locked[who]);

  return who;
}

/* Those who have the lock give it back, until all who wait have had it. */
static void
pass_around (Stage *stage)
{
  gboolean waiting;

  do
    {
      waiting = FALSE;
      for (guint i = 0; i < N_PEERS; i++)
        {
          if (stage->locked[i])
            unlock (stage, i);
          waiting = waiting || stage->waiting[i];
        }
      if (waiting)
        wait_for_one (stage);
    }
  while (waiting);
}

/* Two who have the array, and one who had not its lock yet. */
static void
raise_curtain (Stage *stage, Start start)
{
  stage->n_recovered = 0;
  stage->peers[STOPPED] = peer_new ();
  stage->peers[HOLDER] = peer_new ();
  expect (stage->peers[OTHER], PEER_OPEN, 0);
  expect (stage->peers[STOPPED], PEER_OPEN, 0);
  expect (stage->peers[HOLDER], PEER_OPEN, 0);

  if (start & BEFORE)
    {
      expect (stage->peers[STOPPED], PEER_LOCK, 0);
      expect (stage->peers[STOPPED], PEER_UNLOCK, 0);
    }
  if (start & (HELD | DEAD))
    expect (stage->peers[HOLDER], PEER_LOCK, 0);
  stage->locked[HOLDER] = (start & HELD) != 0;
  if (start & DEAD)
    {
      peer_free (stage->peers[HOLDER]);
      stage->peers[HOLDER] = peer_new ();
    }
  if (start & OWN)
    expect (stage->peers[STOPPED], PEER_LOCK, 0);
}

static void
drop_curtain (Stage *stage)
{
  stage->n_recovered = 0;
  try (stage);
  g_assert_true (stage->locked[OTHER]);
  g_assert_cmpuint (stage->n_recovered, ==, 0);
  unlock (stage, OTHER);

  peer_free (stage->peers[HOLDER]);
  peer_free (stage->peers[STOPPED]);
}

static gboolean
run (Stage *stage, const First *first, Second second, guint n_steps)
{
  gboolean stopped = TRUE;

  raise_curtain (stage, first->start);

  peer_trace (stage->peers[STOPPED], first->command, LOCK_TIMEOUT);
  for (guint i = 0; i < n_steps && stopped; i++)
    stopped = peer_step (stage->peers[STOPPED], FALSE);
  n_turns += stopped;

  if (second & OTHER_TRIES)
    try (stage);
  if (second & OTHER_WAITS)
    {
      peer_send (stage->peers[OTHER], PEER_LOCK, LOCK_TIMEOUT);
      stage->waiting[OTHER] = TRUE;
    }
  if (second & (HOLDER_UNLOCKS | HOLDER_CLOSES))
    {
      expect (stage->peers[HOLDER], second & HOLDER_UNLOCKS ? PEER_UNLOCK : PEER_CLOSE, 0);
      stage->locked[HOLDER] = FALSE;
    }
  if (second & HOLDER_DIES)
    {
      peer_kill (stage->peers[HOLDER]);
      stage->locked[HOLDER] = FALSE;
    }
  if (second & OTHER_TRIES_THEN)
    try (stage);

  if (stopped)
    peer_release (stage->peers[STOPPED]);
  stage->waiting[STOPPED] = first->command == PEER_LOCK;
  if (!stage->waiting[STOPPED])
    g_assert_cmpint (peer_receive (stage->peers[STOPPED]).code, ==, PEER_OK);
  pass_around (stage);

  g_assert_cmpuint (stage->n_recovered, ==,
                    (first->start & DEAD) != 0 || (second & HOLDER_DIES) != 0 ? 1 : 0);
  drop_curtain (stage);

  return stopped;
}

/* The array stays with somebody who has nothing to do with it. */
static void
set_up (Stage *stage, Peer **keeper)
{
  *keeper = peer_new ();
  expect (*keeper, PEER_NEW, 1001);
  stage->peers[OTHER] = peer_new ();
}

static void
tear_down (Stage *stage, Peer *keeper)
{
  expect (stage->peers[OTHER], PEER_CLOSE, 0);
  expect (keeper, PEER_CLOSE, 0);
  g_assert_cmpuint (peer_get_named (), ==, 0);
  peer_free (stage->peers[OTHER]);
  peer_free (keeper);
}

static void
test_first (gconstpointer data)
{
  const Second by_holder = HOLDER_UNLOCKS | HOLDER_CLOSES | HOLDER_DIES;
  const First *first = data;
  guint turns_before = n_turns;
  Stage stage = { 0 };
  Peer *keeper;

  set_up (&stage, &keeper);
  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++)
    {
      guint n = 0;

      if ((seconds[i] & by_holder) != 0 && !(first->start & HELD))
        continue;

      while (n < MAX_CALLS && run (&stage, first, seconds[i], n))
        n++;
      g_assert_cmpuint (n, >=, 2);
    }
  tear_down (&stage, keeper);
  g_test_message ("%u turns", n_turns - turns_before);
}

/* An owner that lives keeps the lock, however often somebody looks for it. */
static void
test_not_stolen (void)
{
  Stage stage = { 0 };
  Peer *keeper;

  set_up (&stage, &keeper);
  raise_curtain (&stage, HELD);

  peer_trace (stage.peers[STOPPED], PEER_LOCK, LOCK_TIMEOUT);
  for (guint i = 0; i < 3 * MAX_CALLS; i++)
    g_assert_true (peer_step (stage.peers[STOPPED], FALSE));
  peer_release (stage.peers[STOPPED]);

  stage.waiting[STOPPED] = TRUE;
  pass_around (&stage);
  g_assert_cmpuint (stage.n_recovered, ==, 0);
  drop_curtain (&stage);
  tear_down (&stage, keeper);
}

/* Waits until a peer sleeps on the lock. */
static void
wait_asleep (Peer *peer)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/syscall", peer->pid);
  gint64 number;

  do
    {
      g_autofree char *text = NULL;

      g_usleep (1000);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      /* While it runs, there is a word. */
      number = g_ascii_isdigit (text[0]) ? g_ascii_strtoll (text, NULL, 10) : -1;
    }
  while (number != SYS_futex && number != SYS_futex_waitv);
}

/* Lets a peer do something. Returns how often it wakes other processes meanwhile. */
static guint
count_wakes (Peer *peer, PeerCommand command)
{
  guint n_wakes = 0;

  peer_trace (peer, command, 0);
  while (peer_step (peer, FALSE))
    {
      guint64 arguments[6];

      n_wakes += peer_get_call (peer, arguments) == SYS_futex && arguments[1] == FUTEX_WAKE &&
                 arguments[2] > 0;
    }
  g_assert_cmpint (peer_receive (peer).code, ==, PEER_OK);

  return n_wakes;
}

/* Those who sleep are woken: to look once more after a while is only for the owner's death. */
static void
test_wakes (void)
{
  const PeerCommand commands[] = { PEER_UNLOCK, PEER_CLOSE };
  Peer *keeper;
  Stage stage = { 0 };
  guint who;

  set_up (&stage, &keeper);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      raise_curtain (&stage, OWN);
      peer_send (stage.peers[OTHER], PEER_LOCK, LOCK_TIMEOUT);
      while (!(peer_get_lock_word () & 1u << 31))
        g_usleep (1000);
      g_assert_cmpuint (count_wakes (stage.peers[STOPPED], commands[i]), ==, 1);
      stage.waiting[OTHER] = TRUE;
      pass_around (&stage);
      g_assert_cmpuint (stage.n_recovered, ==, 0);
      drop_curtain (&stage);
    }

  /* Of two who sleep the one that is woken knows of the other. */
  raise_curtain (&stage, OWN);
  stage.waiting[OTHER] = stage.waiting[HOLDER] = TRUE;
  for (guint i = 0; i < N_PEERS; i++)
    {
      if (stage.waiting[i])
        peer_send (stage.peers[i], PEER_LOCK, LOCK_TIMEOUT);
    }
  wait_asleep (stage.peers[OTHER]);
  wait_asleep (stage.peers[HOLDER]);
  expect (stage.peers[STOPPED], PEER_UNLOCK, 0);
  who = wait_for_one (&stage);
  g_assert_cmpuint (count_wakes (stage.peers[who], PEER_UNLOCK), ==, 1);
  stage.locked[who] = FALSE;
  pass_around (&stage);
  drop_curtain (&stage);

  /* And where nobody sleeps, there is no call for it. */
  raise_curtain (&stage, OWN);
  g_assert_cmpuint (count_wakes (stage.peers[STOPPED], PEER_UNLOCK), ==, 0);
  g_assert_cmpuint (count_wakes (stage.peers[STOPPED], PEER_UPDATE), ==, 1);
  drop_curtain (&stage);
  tear_down (&stage, keeper);
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
      g_autofree char *path = g_strdup_printf ("/locking/%s", firsts[i].what);

      g_test_add_data_func (path, &firsts[i], test_first);
    }
  g_test_add_func ("/locking/not-stolen", test_not_stolen);
  g_test_add_func ("/locking/wakes", test_wakes);

  return g_test_run ();
}
