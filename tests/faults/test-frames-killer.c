/* SPDX-License-Identifier: MIT */

/* Publishers and subscribers are killed, and stopped and continued, at random moments. What they
 * cannot put up with while they live ends the test; again and again all is brought to rest, and it is
 * counted what those who live have.
 *
 * SHND_TEST_ROUNDS in the environment is how many times as long as usual it is to take. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/array-support.h"
#include "belongings.h"
#include "frames-killer.h"
#include "frames.h"
#include "peer.h"

/* In each episode, whichever comes first; the time is in microseconds. */
#ifdef __SANITIZE_ADDRESS__
#define N_KILLS 150
#else
#define N_KILLS 800
#endif
#define MAX_TIME (4 * G_USEC_PER_SEC)
#define N_EPISODES 4

static guint rounds;
static GRand *dice;

static pid_t victims[N_VICTIMS];
static gboolean stopped[N_VICTIMS];
static pid_t survivors[N_SURVIVORS];
static guint n_kills;
static guint n_publishers_killed;
static guint n_stops;

static pid_t
spawn (gboolean survivor, guint i)
{
  guint32 seed = g_rand_int (dice);
  pid_t parent = getpid ();
  pid_t pid;

  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    return pid;

  peer_end_with (parent);
  if (survivor)
    _exit (frames_run_survivor (i, seed));
  if (i < N_PUBLISHERS)
    frames_run_publisher (i, seed);
  frames_run_subscriber (i, seed);
}

static void
kill_victim (guint i)
{
  int status;

  if (victims[i] == 0)
    return;

  __atomic_store_n (&board->doomed[i], TRUE, __ATOMIC_SEQ_CST);
  kill (victims[i], SIGKILL);
  g_assert_cmpint (waitpid (victims[i], &status, 0), ==, victims[i]);
  if (!WIFSIGNALED (status) || WTERMSIG (status) != SIGKILL)
    g_error ("process %d: status %x", victims[i], status);
  victims[i] = 0;
  stopped[i] = FALSE;
  n_kills++;
  n_publishers_killed += i < N_PUBLISHERS;
}

static void
replace (guint i)
{
  gint owner = i + 1;

  kill_victim (i);
  /* Nobody has the address any more, unless somebody has taken it over. */
  if (i < N_PUBLISHERS)
    __atomic_compare_exchange_n (&board->owners[i % 2], &owner, 0, FALSE, __ATOMIC_SEQ_CST,
                                 __ATOMIC_SEQ_CST);
  board->doomed[i] = FALSE;
  victims[i] = spawn (FALSE, i);
}

static void
stop_or_continue (guint i)
{
  if (victims[i] == 0)
    return;

  kill (victims[i], stopped[i] ? SIGCONT : SIGSTOP);
  n_stops += !stopped[i];
  stopped[i] = !stopped[i];
}

static void
check_survivors (void)
{
  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      int status = 0;

      if (waitpid (survivors[i], &status, WNOHANG) != 0)
        g_error ("survivor %u has ended with status %x", i, status);
    }
}

static void
kill_and_replace (void)
{
  gint64 end = g_get_monotonic_time () + rounds * MAX_TIME;
  guint n = n_kills + rounds * N_KILLS;

  while (n_kills < n && g_get_monotonic_time () < end)
    {
      guint i = g_rand_int_range (dice, 0, N_VICTIMS);

      if (g_rand_int_range (dice, 0, 2) == 0)
        g_usleep (g_rand_int_range (dice, 0, 4000));
      if (g_rand_int_range (dice, 0, 3) == 0)
        stop_or_continue (i);
      else
        replace (i);
    }
  check_survivors ();
}

static void
await_survivors (gint stage)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      while (g_atomic_int_get (&board->arrived[i]) < stage)
        {
          check_survivors ();
          if (g_get_monotonic_time () > end)
            g_error ("survivor %u hangs", i);
          g_usleep (1000);
        }
    }
}

static void
run_episode (gint episode)
{
  for (guint i = 0; i < N_VICTIMS; i++)
    replace (i);
  kill_and_replace ();
  for (guint i = 0; i < N_VICTIMS; i++)
    kill_victim (i);

  for (gint stage = STAGE_QUIET; stage < N_STAGES; stage++)
    {
      g_atomic_int_set (&board->stage, episode * N_STAGES + stage);
      await_survivors (episode * N_STAGES + stage);
    }
}

/* Whatever the dead have left there. */
static void
check_addresses (void)
{
  for (guint i = 0; i < N_ADDRESSES; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndPublisher) publisher = shnd_publisher_new (frames_get_address (i), &error);

      g_assert_no_error (error);
      shnd_publisher_close (publisher);
    }
}

static void
test_killer (void)
{
  Belongings before;

  dice = g_rand_new_with_seed (g_test_rand_int ());
  board = mmap (NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (board != MAP_FAILED);
  for (guint i = 0; i < N_SURVIVORS; i++)
    board->arrived[i] = -1;
  /* It stays, with its descriptor, once there is one. */
  g_main_context_default ();
  belongings_get (&before);

  for (guint i = 0; i < N_SURVIVORS; i++)
    survivors[i] = spawn (TRUE, i);
  for (gint episode = 0; episode < N_EPISODES; episode++)
    {
      g_atomic_int_set (&board->stage, episode * N_STAGES + STAGE_WORK);
      run_episode (episode);
    }
  g_atomic_int_set (&board->done, TRUE);
  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      int status;

      g_assert_cmpint (waitpid (survivors[i], &status, 0), ==, survivors[i]);
      g_assert_cmpint (status, ==, 0);
    }

  check_addresses ();
  belongings_check (&before, "the killer");

  g_test_message ("kills: %u, of these %u of publishers; stopped for a while: %u", n_kills,
                  n_publishers_killed, n_stops);
  g_test_message ("publishers: %u; addresses that were taken: %u", board->lives, board->taken);
  g_test_message ("frames published: %u, of these again: %u; received: %u, looked at again: %u",
                  board->published, board->repeated, board->received, board->outlived);
  g_test_message ("waits in vain, for subscribers: %u, for a free frame: %u", board->blocked,
                  board->not_acquired);
  g_test_message ("streams that ended: %u, broke off: %u, were gone on with: %u; gaps: %u",
                  board->ended, board->disconnected, board->crossed, board->missed);
  g_assert_cmpuint (board->repeated, >, 0);
  g_assert_cmpuint (board->crossed, >, 0);
  g_assert_cmpuint (board->disconnected, >, 0);

  munmap (board, sizeof *board);
  g_rand_free (dice);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL, *own = NULL;
  gboolean isolated;
  int result;

  peer_init (argv, &isolated, &rounds);
  folder = make_folder ();
  own = g_build_filename (folder, "shndarray", NULL);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frames/killer", test_killer);

  result = g_test_run ();
  remove_folder (own);
  remove_folder (folder);

  return result;
}
