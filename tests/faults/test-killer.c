/* SPDX-License-Identifier: MIT */

/* Processes work with arrays of a few names, and are killed at random moments. What they cannot put
 * up with while they live ends the test; afterwards it is counted what is left.
 *
 * SHND_TEST_ROUNDS in the environment is how many times as long as usual it is to take. */

#include "killer.h"
#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whichever comes first; the time is in microseconds. */
#ifdef __SANITIZE_ADDRESS__
#define N_KILLS 1000
#else
#define N_KILLS 6000
#endif
#define MAX_TIME (30 * G_USEC_PER_SEC)

/* A lock is given up for lost after this, in microseconds. */
#define LOCK_PATIENCE (30 * G_USEC_PER_SEC)

static gboolean isolated;
static guint rounds;

static pid_t victims[N_VICTIMS]; /* their process groups, 0 if there is none */
static pid_t survivors[N_SURVIVORS];
static guint n_kills;
static guint n_killed_inside;
static guint n_killed_locking; /* with those inside */

/* What the kernel tells of names. */
static int notify_fd;
static guint n_created;
static guint n_deleted;
static guint n_renounced; /* it could not tell */

static GRand *dice;

static pid_t
spawn (gboolean survivor, guint slot)
{
  pid_t parent = getpid ();
  pid_t pid;

  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    {
      setpgid (pid, 0);
      return pid;
    }

  setpgid (0, 0);
  close (notify_fd);
  peer_end_with (parent);
  if (survivor)
    _exit (killer_run_survivor (slot));
  killer_run_victim (slot);
}

static void
check_status (pid_t pid, int status)
{
  if (WIFSIGNALED (status) ? WTERMSIG (status) != SIGKILL : WEXITSTATUS (status) != 0)
    g_error ("process %d: status %x", pid, status);
}

/* One was killed. */
static void
settle (const Entry *entry)
{
  Phase phase = __atomic_load_n (&entry->phase, __ATOMIC_SEQ_CST);

  n_kills++;
  n_killed_inside += phase == PHASE_INSIDE;
  n_killed_locking += phase != PHASE_ELSEWHERE;
}

static void
note_time (const Entry *entry)
{
  guint serial = __atomic_load_n (&entry->serial, __ATOMIC_SEQ_CST);

  __atomic_store_n (&killer_board->killed_at[serial % N_REMEMBERED], g_get_monotonic_time (),
                    __ATOMIC_SEQ_CST);
}

/* Kills the victim, and what it has forked. */
static void
kill_group (guint slot)
{
  const Entry *child = &killer_board->children[slot];
  pid_t group = victims[slot];
  gboolean killed_child = FALSE;
  int status;
  pid_t pid;

  if (group == 0)
    return;

  note_time (&killer_board->victims[slot]);
  note_time (child);
  kill (-group, SIGKILL);
  while ((pid = waitpid (-group, &status, 0)) > 0)
    {
      check_status (pid, status);
      if (pid == group)
        settle (&killer_board->victims[slot]);
      else
        killed_child = WIFSIGNALED (status);
    }
  if (killed_child)
    settle (child);
  victims[slot] = 0;
}

/* Kills only one of the two. */
static void
kill_one (guint slot)
{
  Entry *child = &killer_board->children[slot];
  pid_t child_pid = __atomic_load_n (&child->pid, __ATOMIC_SEQ_CST);
  int status;

  if (g_rand_boolean (dice) && child_pid != 0)
    {
      note_time (child);
      kill (child_pid, SIGKILL);
      return;
    }

  note_time (&killer_board->victims[slot]);
  kill (victims[slot], SIGKILL);
  if (waitpid (victims[slot], &status, 0) == victims[slot])
    {
      check_status (victims[slot], status);
      settle (&killer_board->victims[slot]);
    }
}

static void
read_events (void)
{
  _Alignas(struct inotify_event) char buffer[16384];
  gssize n;

  while ((n = read (notify_fd, buffer, sizeof buffer)) > 0)
    {
      for (const char *at = buffer; at < buffer + n;)
        {
          const struct inotify_event *event = (gconstpointer) at;

          n_renounced += (event->mask & IN_Q_OVERFLOW) != 0;
          if (event->len > 0 && g_str_has_prefix (event->name, peer_name))
            {
              n_created += (event->mask & IN_CREATE) != 0;
              n_deleted += (event->mask & IN_DELETE) != 0;
            }
          at += sizeof *event + event->len;
        }
    }
}

/* What the killer itself does with arrays. */
static guint
reap (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = shnd_reap (&error);

  g_assert_no_error (error);
  return g_strv_length (names);
}

static void
look (void)
{
  g_autoptr (GError) error = NULL;
  guint name = g_rand_int_range (dice, 0, N_NAMES);
  g_autoptr (ShndArray) array = NULL;

  killer_board->reaped += reap ();
  array = shnd_array_open (killer_get_name (name), SHND_ACCESS_READ, &error);
  if (array != NULL)
    contents_check (array);
  else
    g_assert_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND);
}

static void
kill_and_replace (void)
{
  gint64 end = g_get_monotonic_time () + rounds * MAX_TIME;

  while (n_kills < rounds * N_KILLS && g_get_monotonic_time () < end)
    {
      guint slot = g_rand_int_range (dice, 0, N_VICTIMS);

      if (g_rand_int_range (dice, 0, 3) == 0)
        g_usleep (g_rand_int_range (dice, 0, 2000));
      if (victims[slot] != 0 && g_rand_int_range (dice, 0, 8) == 0)
        {
          kill_one (slot);
          continue;
        }
      kill_group (slot);
      memset (&killer_board->victims[slot], 0, sizeof (Entry));
      memset (&killer_board->children[slot], 0, sizeof (Entry));
      victims[slot] = spawn (FALSE, slot);
      if (g_rand_int_range (dice, 0, 10) == 0)
        look ();
      read_events ();
    }
}

/* ---- What is left ---- */

static guint64
get_named (guint name)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", killer_get_name (name), NULL);
  guint64 nonce = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return 0;
  g_assert_cmpint (pread (fd, &nonce, sizeof nonce, 4096 + WORD_NONCE * sizeof nonce), ==,
                   sizeof nonce);
  close (fd);

  return nonce;
}

static gboolean
is_held (guint name, guint64 nonce)
{
  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      const Survivor *survivor = &killer_board->survivors[i];

      for (guint j = 0; j < G_N_ELEMENTS (survivor->held[name]); j++)
        {
          if (survivor->held[name][j] == nonce)
            return TRUE;
        }
    }

  return FALSE;
}

static void
check_lock (guint name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array =
      shnd_array_open (killer_get_name (name), SHND_ACCESS_READ_WRITE, &error);
  const guint64 *words;
  gboolean recovered;

  g_assert_no_error (error);
  contents_check (array);
  words = contents_get_words (array);

  shnd_array_lock (array, LOCK_PATIENCE, NULL, &recovered, &error);
  g_assert_no_error (error);
  g_assert_true (recovered || words[WORD_INSIDE] == 0);
  g_assert_true (recovered || words[WORD_FIRST] == words[WORD_SECOND]);
  killer_board->recovered += recovered;
  shnd_array_unlock (array, &error);
  g_assert_no_error (error);

  shnd_array_lock (array, LOCK_PATIENCE, NULL, &recovered, &error);
  g_assert_no_error (error);
  g_assert_false (recovered);
}

/* All victims are dead; the survivors have told what they have. */
static guint
check_names (void)
{
  guint64 before[N_NAMES];
  guint n_held = 0;

  for (guint i = 0; i < N_NAMES; i++)
    before[i] = get_named (i);
  killer_board->reaped += reap ();

  for (guint i = 0; i < N_NAMES; i++)
    {
      guint64 after = get_named (i);

      if (before[i] == 0)
        continue;
      g_assert_cmpuint (after, ==, is_held (i, before[i]) ? before[i] : 0);
      if (after != 0)
        {
          check_lock (i);
          g_assert_cmpuint (get_named (i), ==, after);
          n_held++;
        }
    }

  return n_held;
}

static guint64
get_free (void)
{
  struct statvfs fs;

  g_assert_cmpint (statvfs ("/dev/shm", &fs), ==, 0);
  return fs.f_bfree;
}

static void
test_killer (void)
{
  Belongings before;
  guint64 free_before = get_free ();
  guint n_held;

  dice = g_rand_new_with_seed (g_test_rand_int ());
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  /* Some more than there can be handles on one array. */
  peer_set_slots (100);
  killer_board =
      mmap (NULL, sizeof *killer_board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (killer_board != MAP_FAILED);
  notify_fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  g_assert_cmpint (inotify_add_watch (notify_fd, "/dev/shm", IN_CREATE | IN_DELETE), >=, 0);
  belongings_get (&before);

  for (guint i = 0; i < N_SURVIVORS; i++)
    survivors[i] = spawn (TRUE, i);
  kill_and_replace ();
  for (guint i = 0; i < N_VICTIMS; i++)
    kill_group (i);

  g_atomic_int_set (&killer_board->stage, 1);
  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      while (g_atomic_int_get (&killer_board->survivors[i].stage) != 1)
        {
          g_assert_cmpint (waitpid (survivors[i], NULL, WNOHANG), ==, 0);
          g_usleep (1000);
        }
    }
  n_held = check_names ();
  g_assert_cmpuint (n_held, >=, 1);
  g_atomic_int_set (&killer_board->stage, 2);
  for (guint i = 0; i < N_SURVIVORS; i++)
    {
      int status;

      g_assert_cmpint (waitpid (survivors[i], &status, 0), ==, survivors[i]);
      g_assert_cmpint (status, ==, 0);
    }

  /* Those who were left have left in order. */
  if (isolated)
    g_assert_cmpuint (reap (), ==, 0);
  for (guint i = 0; i < N_NAMES; i++)
    g_assert_cmpuint (get_named (i), ==, 0);
  read_events ();
  if (n_renounced == 0)
    g_assert_cmpuint (n_created, ==, n_deleted);
  if (isolated)
    g_assert_cmpuint (get_free (), ==, free_before);
  belongings_check (&before, "the killer");
  /* One death is told of once. */
  g_assert_cmpuint (killer_board->recovered, <=, n_killed_locking);

  g_test_message ("kills: %u, of these %u to %u with a lock; forks: %u", n_kills, n_killed_inside,
                  n_killed_locking, killer_board->forked);
  g_test_message ("arrays made: %u, removed: %u, of these unlinked %u, reaped by the killer %u",
                  n_created, n_deleted, killer_board->unlinked, killer_board->reaped);
  g_test_message ("opened: %u, held at the end: %u, left: 0", killer_board->opened, n_held);
  g_test_message ("locks: %u, recovered: %u; updates: %u, waits that saw one: %u",
                  killer_board->locked, killer_board->recovered, killer_board->updated,
                  killer_board->woken);
  g_test_message ("longest time from a kill to the recovery: %.1f ms",
                  killer_board->longest_recovery / 1000.0);

  close (notify_fd);
  munmap (killer_board, sizeof *killer_board);
  g_rand_free (dice);
}

int
main (int argc, char **argv)
{
  peer_init (argv, &isolated, &rounds);
  killer_init_names (peer_name);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/killer", test_killer);

  return g_test_run ();
}
