/* SPDX-License-Identifier: MIT */

/* A publisher or a subscriber is killed before and after each system call of what it does; each time
 * in another process, and each time others must be able to go on at that address, with all that the
 * dead one had. */

#include "peer.h"

#include <stdlib.h>

#include "../c/array-support.h"
#include "frames.h"

/* In waits, steps repeat. */
#define MAX_CALLS 150

/* For who may wait in vain, in microseconds. */
#define SHORT_TIME 20000

/* Who is there when it begins. */
typedef enum
{
  SUBSCRIBER = 1 << 0, /* the victim is one, and has received nothing; otherwise it publishes */
  STALE = 1 << 1,      /* a publisher was killed */
  WAITING = 1 << 2,    /* the other one subscribes, and waits for a publisher */
  PUBLISHER = 1 << 3,  /* the victim has made itself one */
  AGAIN = 1 << 4,      /* not for the first time: a frame was published and received */
  HOLDING = 1 << 5,    /* who has received it still has it */
  FULL = 1 << 6,       /* a second one waits for it */
  ACQUIRED = 1 << 7,   /* the victim has acquired a frame */
  THREAD = 1 << 8,     /* it is the thread that is stepped, while the other one subscribes */
} Start;

typedef struct
{
  const char *what;
  PeerCommand command;
  gint64 argument;
  Start start;
} Scenario;

static const Scenario scenarios[] = {
  { "publisher/new", PEER_PUBLISHER, SHND_OVERFLOW_DROP, 0 },
  { "publisher/new-stale", PEER_PUBLISHER, SHND_OVERFLOW_DROP, STALE },
  { "publisher/new-awaited", PEER_PUBLISHER, SHND_OVERFLOW_DROP, WAITING },
  { "publisher/acquire", PEER_ACQUIRE, 0, PUBLISHER },
  { "publisher/acquire-again", PEER_ACQUIRE, 0, PUBLISHER | WAITING | AGAIN },
  { "publisher/acquire-held", PEER_ACQUIRE, 0, PUBLISHER | WAITING | AGAIN | HOLDING },
  { "publisher/publish", PEER_PUBLISH, 0, PUBLISHER | ACQUIRED },
  { "publisher/publish-received", PEER_PUBLISH, 0, PUBLISHER | WAITING | ACQUIRED },
  { "publisher/publish-again", PEER_PUBLISH, 0, PUBLISHER | WAITING | AGAIN | ACQUIRED },
  { "publisher/publish-full", PEER_PUBLISH, 2000,
    PUBLISHER | WAITING | AGAIN | HOLDING | FULL | ACQUIRED },
  { "publisher/release", PEER_RELEASE, 0, PUBLISHER | ACQUIRED },
  { "publisher/close", PEER_CLOSE_FRAMES, 0, PUBLISHER | WAITING | AGAIN },
  { "publisher/close-held", PEER_CLOSE_FRAMES, 1,
    PUBLISHER | WAITING | AGAIN | HOLDING | ACQUIRED },
  { "publisher/exit", PEER_EXIT, 0, PUBLISHER | WAITING | AGAIN },
  { "publisher/thread", 0, 0, PUBLISHER | AGAIN | THREAD },
  { "subscriber/receive", PEER_RECEIVE, FRAMES_PATIENCE, SUBSCRIBER },
  { "subscriber/receive-again", PEER_RECEIVE, FRAMES_PATIENCE, SUBSCRIBER | AGAIN | FULL },
  { "subscriber/receive-vain", PEER_RECEIVE, 2000, SUBSCRIBER | AGAIN },
  { "subscriber/release", PEER_RELEASE, 0, SUBSCRIBER | AGAIN | HOLDING },
  { "subscriber/close", PEER_CLOSE_FRAMES, 0, SUBSCRIBER | AGAIN },
  { "subscriber/close-held", PEER_CLOSE_FRAMES, 1, SUBSCRIBER | AGAIN | HOLDING | FULL },
  { "subscriber/exit", PEER_EXIT, 0, SUBSCRIBER | AGAIN | HOLDING },
};

static const char *folder;
static guint n_kills;

/* Those who are there. */
typedef struct
{
  const Scenario *scenario;
  Peer *publisher; /* lives on */
  Peer *subscriber;
  Peer *victim;
  guint64 last; /* that the other one has received from the victim */
} Stage;

static void
expect (Peer *peer, PeerCommand command, gint64 argument)
{
  PeerReply reply = peer_do (peer, command, argument);

  g_assert_cmpint (reply.code, ==, PEER_OK);
}

static void
publish (Peer *peer)
{
  expect (peer, PEER_ACQUIRE, 0);
  expect (peer, PEER_PUBLISH, FRAMES_PATIENCE);
}

/* The first receive connects. */
static void
subscribe (Peer *peer)
{
  expect (peer, PEER_SUBSCRIBER, 0);
  g_assert_cmpint (peer_do (peer, PEER_RECEIVE, 0).code, ==, SHND_ERROR_TIMED_OUT);
}

static void
raise_curtain (Stage *stage)
{
  Start start = stage->scenario->start;
  Peer *publisher, *subscriber;

  stage->victim = peer_new ();
  stage->last = 0;
  publisher = start & SUBSCRIBER ? stage->publisher : stage->victim;
  subscriber = start & SUBSCRIBER ? stage->victim : stage->subscriber;

  if (start & STALE)
    {
      Peer *dead = peer_new ();

      expect (dead, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
      peer_free (dead);
    }

  if (start & (PUBLISHER | SUBSCRIBER))
    expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_BLOCK);
  if (start & (WAITING | SUBSCRIBER))
    subscribe (subscriber);
  if (start & SUBSCRIBER || start & AGAIN)
    publish (publisher);
  if ((start & AGAIN) && !(start & THREAD))
    {
      expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
      stage->last = 1;
      if (!(start & HOLDING))
        expect (subscriber, PEER_RELEASE, 0);
    }
  if (start & FULL)
    publish (publisher);
  if (start & ACQUIRED)
    expect (publisher, PEER_ACQUIRE, 0);
}

/* Who subscribed to the dead one gets what that has sent, and an end. */
static void
check_end (Stage *stage)
{
  PeerReply reply;

  while ((reply = peer_do (stage->subscriber, PEER_RECEIVE, 0)).code == PEER_OK)
    g_assert_cmpuint (reply.nonce, ==, ++stage->last);
  /* If it was not even admitted it waits for another one. */
  if (reply.code == SHND_ERROR_TIMED_OUT)
    {
      g_assert_cmpuint (stage->last, ==, 0);
      return;
    }

  g_assert_true (reply.code == SHND_ERROR_DISCONNECTED || reply.code == SHND_ERROR_END_OF_STREAM);
  reply = peer_do (stage->subscriber, PEER_CLOSE_FRAMES, 0);
  g_assert_cmpint (reply.code, ==, PEER_OK);
  expect (stage->subscriber, PEER_SUBSCRIBER, 0);
}

/* One publishes and the other one receives, to the end. Returns how many descriptors the two have
 * then. */
static guint
check_stream (Stage *stage, guint64 sequence)
{
  PeerReply reply;
  guint n;

  publish (stage->publisher);
  reply = peer_do (stage->subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
  g_assert_cmpint (reply.code, ==, PEER_OK);
  g_assert_cmpuint (reply.nonce, ==, sequence);
  expect (stage->subscriber, PEER_RELEASE, 0);
  expect (stage->publisher, PEER_CHECK_POOL, 1);

  reply = peer_do (stage->publisher, PEER_CLOSE_FRAMES, 0);
  g_assert_cmpint (reply.code, ==, PEER_OK);
  n = reply.n;
  reply = peer_do (stage->subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
  g_assert_cmpint (reply.code, ==, SHND_ERROR_END_OF_STREAM);
  reply = peer_do (stage->subscriber, PEER_CLOSE_FRAMES, 0);
  g_assert_cmpint (reply.code, ==, PEER_OK);

  return n + reply.n;
}

static guint
check_others (Stage *stage)
{
  Start start = stage->scenario->start;
  guint64 sequence;

  if (start & SUBSCRIBER)
    {
      /* What it had goes back. */
      expect (stage->publisher, PEER_CHECK_POOL, 0);
      expect (stage->subscriber, PEER_SUBSCRIBER, 0);
      sequence = start & FULL ? 3 : 2;
    }
  else
    {
      if (start & (WAITING | THREAD))
        check_end (stage);
      else
        expect (stage->subscriber, PEER_SUBSCRIBER, 0);
      expect (stage->publisher, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
      sequence = 1;
    }

  return check_stream (stage, sequence);
}

/* Kills the victim after so many steps. Returns FALSE if it was done before that. */
static gboolean
kill_after (Stage *stage, guint n_steps, guint *n_fds)
{
  const Scenario *scenario = stage->scenario;
  gboolean killed = TRUE;

  raise_curtain (stage);
  if (scenario->start & THREAD)
    {
      expect (stage->subscriber, PEER_SUBSCRIBER, 0);
      peer_trace_thread (stage->victim);
      peer_send (stage->subscriber, PEER_RECEIVE, SHORT_TIME);
      for (guint i = 0; i < n_steps && killed; i++)
        killed = peer_step_thread (stage->victim, stage->subscriber);
      peer_kill (stage->victim);
      if (peer_receive (stage->subscriber).code == PEER_OK)
        stage->last = 1;
    }
  else
    {
      peer_trace (stage->victim, scenario->command, scenario->argument);
      for (guint i = 0; i < n_steps && killed; i++)
        killed = peer_step (stage->victim, FALSE);
      if (!killed && !stage->victim->ended)
        peer_receive (stage->victim);
      peer_kill (stage->victim);
    }
  n_kills++;

  *n_fds = check_others (stage);
  peer_free (stage->victim);
  remove_folder (folder);

  return killed;
}

static void
test_scenario (gconstpointer data)
{
  Stage stage = { .scenario = data };
  guint kills_before = n_kills, fds_before, n_fds, first_n_fds = 0;

  stage.publisher = peer_new ();
  stage.subscriber = peer_new ();
  fds_before = count_fds ();

  for (guint i = 0; i < MAX_CALLS; i++)
    {
      gboolean killed = kill_after (&stage, i, &n_fds);

      if (i == 0)
        first_n_fds = n_fds;
      g_assert_cmpuint (n_fds, ==, first_n_fds);
      if (!killed)
        break;
    }

  g_assert_cmpuint (count_fds (), ==, fds_before);
  g_test_message ("%u kills", n_kills - kills_before);
  g_assert_cmpuint (n_kills - kills_before, >=, 3);
  peer_free (stage.subscriber);
  peer_free (stage.publisher);
}

/* While one begins or ends, stopped after so many calls, another one begins: in the end one of them
 * is there, or none, and whoever is there can be found. Returns FALSE if the first was done. */
static gboolean
take_turns (Stage *stage, PeerCommand command, guint n_steps)
{
  Peer *first = peer_new (), *third = peer_new (), *owner = NULL;
  gboolean stopped = TRUE;
  PeerReply first_reply, second_reply;

  if (command == PEER_CLOSE_FRAMES)
    expect (first, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
  peer_trace (first, command, 0);
  for (guint i = 0; i < n_steps && stopped; i++)
    stopped = peer_step (first, FALSE);
  second_reply = peer_do (stage->publisher, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
  if (stopped)
    peer_release (first);
  first_reply = peer_receive (first);

  if (second_reply.code == PEER_OK)
    owner = stage->publisher;
  else
    g_assert_cmpint (second_reply.code, ==, SHND_ERROR_EXISTS);
  if (command == PEER_PUBLISHER)
    {
      g_assert_cmpint (first_reply.code, ==, owner == NULL ? PEER_OK : SHND_ERROR_EXISTS);
      owner = owner == NULL ? first : owner;
    }

  if (owner != NULL)
    {
      g_assert_cmpint (peer_do (third, PEER_PUBLISHER, 0).code, ==, SHND_ERROR_EXISTS);
      publish (owner);
      expect (stage->subscriber, PEER_SUBSCRIBER, 0);
      expect (stage->subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
      expect (stage->subscriber, PEER_CLOSE_FRAMES, 0);
    }
  expect (first, PEER_CLOSE_FRAMES, 0);
  expect (stage->publisher, PEER_CLOSE_FRAMES, 0);
  peer_free (first);
  peer_free (third);
  remove_folder (folder);

  return stopped;
}

static void
test_turns (gconstpointer data)
{
  Stage stage = { .publisher = peer_new (), .subscriber = peer_new () };
  guint n = 0;

  while (n < MAX_CALLS && take_turns (&stage, GPOINTER_TO_INT (data), n))
    n++;
  g_test_message ("%u turns", n);
  g_assert_cmpuint (n, >=, 10);
  peer_free (stage.publisher);
  peer_free (stage.subscriber);
}

/* Who reads that there is room again sends what was missed: the thread need not do anything. */
static void
test_made_up (void)
{
  Peer *publisher = peer_new (), *subscriber = peer_new ();

  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
  subscribe (subscriber);
  expect (publisher, PEER_CHECK_POOL, 1);
  /* It may hold two. */
  for (guint i = 0; i < 3; i++)
    publish (publisher);
  g_assert_cmpuint (peer_do (subscriber, PEER_RECEIVE, FRAMES_PATIENCE).nonce, ==, 1);

  peer_trace_thread (publisher);
  expect (subscriber, PEER_RELEASE, 0);
  expect (publisher, PEER_ACQUIRE, 0);
  for (guint64 i = 2; i <= 3; i++)
    {
      PeerReply reply = peer_do (subscriber, PEER_RECEIVE, FRAMES_PATIENCE);

      g_assert_cmpint (reply.code, ==, PEER_OK);
      g_assert_cmpuint (reply.nonce, ==, i);
    }
  peer_release (publisher);

  expect (publisher, PEER_CLOSE_FRAMES, 0);
  peer_free (publisher);
  peer_free (subscriber);
  remove_folder (folder);
}

/* Who wants no more frames keeps nobody waiting, and what it still has stays what it is. */
static void
test_closed_held (void)
{
  Peer *publisher = peer_new (), *subscriber = peer_new ();

  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_BLOCK);
  subscribe (subscriber);
  expect (publisher, PEER_CHECK_POOL, 1);
  publish (publisher);
  expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
  expect (subscriber, PEER_CLOSE_SUBSCRIBER, 0);
  for (guint i = 0; i < 10; i++)
    {
      publish (publisher);
      expect (subscriber, PEER_LOOK, 0);
    }

  expect (subscriber, PEER_RELEASE, 0);
  expect (publisher, PEER_CHECK_POOL, 0);
  expect (publisher, PEER_CLOSE_FRAMES, 0);
  peer_free (publisher);
  peer_free (subscriber);
  remove_folder (folder);
}

/* What a dead process has forked has neither its address nor its connections. */
static void
test_forked (void)
{
  Peer *publisher = peer_new (), *next = peer_new ();
  Peer *subscriber = peer_new (), *other = peer_new ();

  expect (publisher, PEER_PUBLISHER, SHND_OVERFLOW_BLOCK);
  subscribe (subscriber);
  expect (publisher, PEER_CHECK_POOL, 1);
  publish (publisher);
  expect (subscriber, PEER_RECEIVE, FRAMES_PATIENCE);
  expect (publisher, PEER_FORK, 0);
  expect (subscriber, PEER_FORK, 0);

  peer_kill (subscriber);
  expect (publisher, PEER_CHECK_POOL, 0);
  subscribe (other);
  expect (publisher, PEER_CHECK_POOL, 1);
  peer_kill (publisher);
  g_assert_cmpint (peer_do (other, PEER_RECEIVE, FRAMES_PATIENCE).code, ==,
                   SHND_ERROR_DISCONNECTED);
  expect (next, PEER_PUBLISHER, SHND_OVERFLOW_DROP);
  expect (next, PEER_CLOSE_FRAMES, 0);

  peer_free (publisher);
  peer_free (next);
  peer_free (subscriber);
  peer_free (other);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_autofree char *runtime_folder = NULL, *own = NULL;
  gboolean isolated;
  guint rounds;
  int result;

  peer_init (argv, &isolated, &rounds);
  runtime_folder = make_folder ();
  folder = own = g_build_filename (runtime_folder, "shndarray", NULL);
  g_setenv ("XDG_RUNTIME_DIR", runtime_folder, TRUE);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    {
      g_autofree char *path = g_strdup_printf ("/frames/steps/%s", scenarios[i].what);

      g_test_add_data_func (path, &scenarios[i], test_scenario);
    }

  g_test_add_data_func ("/frames/steps/turns/new", GINT_TO_POINTER (PEER_PUBLISHER), test_turns);
  g_test_add_data_func ("/frames/steps/turns/close", GINT_TO_POINTER (PEER_CLOSE_FRAMES),
                        test_turns);
  g_test_add_func ("/frames/steps/forked", test_forked);
  g_test_add_func ("/frames/steps/made-up", test_made_up);
  g_test_add_func ("/frames/steps/closed-held", test_closed_held);

  result = g_test_run ();
  remove_folder (runtime_folder);

  return result;
}
