/* SPDX-License-Identifier: MIT */

/* Processes that are stopped for a while, or killed, and what those who go on get: with DROP a
 * publisher waits for nobody, with BLOCK nobody misses anything.
 *
 * How many frames the longest of these tests publishes can be given as an argument; it is a million
 * when SHND_TEST_ROUNDS is in the environment. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/array-support.h"
#include "belongings.h"
#include "frames.h"
#include "peer.h"

#define ADDRESS "stream"

#ifdef __SANITIZE_ADDRESS__
#define N_FRAMES 10000
#else
#define N_FRAMES 100000
#endif

#define N_SUBSCRIBERS 8
#define N_KILLED 3
#define DEPTH 4
#define LENGTH 8
#define LARGE_DEPTH 64

/* How many are published while one is stopped. */
#define N_MEANWHILE 1000

static guint64 n_frames = N_FRAMES;

/* In memory that all have. All is atomic. */
static struct
{
  guint64 ready; /* the publisher is as it is to be */
  guint64 published;
  guint64 received[N_SUBSCRIBERS];
  guint64 last[N_SUBSCRIBERS];
  pid_t pids[N_SUBSCRIBERS];
} * board;

static guint64
get (guint64 *number)
{
  return __atomic_load_n (number, __ATOMIC_SEQ_CST);
}

static void
set (guint64 *number, guint64 value)
{
  __atomic_store_n (number, value, __ATOMIC_SEQ_CST);
}

static void
await (guint64 *number, guint64 value)
{
  gint64 end = g_get_monotonic_time () + FRAMES_PATIENCE;

  while (get (number) < value)
    {
      if (g_get_monotonic_time () > end)
        g_error ("at %" G_GUINT64_FORMAT ", expected %" G_GUINT64_FORMAT, get (number), value);
      g_usleep (200);
    }
  g_assert_cmpuint (get (number), ==, value);
}

/* ---- Frames ---- */

static ShndFrame *
acquire (ShndPublisher *publisher, guint64 sequence)
{
  static ShndDType *dtype;
  const gint64 length = LENGTH;
  g_autoptr (GError) error = NULL;
  ShndFrame *frame;
  guint64 *words;

  if (dtype == NULL)
    dtype = new_dtype ("u8");
  frame = shnd_publisher_acquire (publisher, dtype, &length, 1, -1, NULL, &error);
  g_assert_no_error (error);
  words = shnd_array_get_data (shnd_frame_get_array (frame));
  for (guint i = 0; i < LENGTH; i++)
    words[i] = frames_mix (sequence) + i;

  return frame;
}

static void
check (const guint64 *words, guint64 sequence)
{
  for (guint i = 0; i < LENGTH; i++)
    {
      if (words[i] != frames_mix (sequence) + i)
        g_error ("frame %" G_GUINT64_FORMAT " is not whole", sequence);
    }
}

static void
publish (ShndPublisher *publisher, guint64 sequence, gint64 timeout)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame = acquire (publisher, sequence);

  shnd_publisher_publish (publisher, frame, timeout, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, sequence);
  set (&board->published, sequence);
}

static ShndPublisher *
new_publisher (ShndOverflow overflow, guint depth)
{
  g_autoptr (GError) error = NULL;
  ShndPublisher *publisher = shnd_publisher_new (ADDRESS, &error);

  g_assert_no_error (error);
  shnd_publisher_set_overflow (publisher, overflow);
  shnd_publisher_set_depth (publisher, depth);
  set (&board->ready, TRUE);

  return publisher;
}

/* ---- Processes ---- */

typedef enum
{
  COMPLETE = 1 << 0, /* it must not miss a frame */
  LATEST_ONLY = 1 << 1,
} Kind;

/* Receives to the end of the stream. */
static void
receive_all (guint i, Kind kind)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new (ADDRESS, &error);
  guint64 last = 0;

  g_assert_no_error (error);
  shnd_subscriber_set_latest_only (subscriber, (kind & LATEST_ONLY) != 0);
  while (TRUE)
    {
      ShndFrame *frame = shnd_subscriber_receive (subscriber, -1, NULL, &error);
      const guint64 *words;
      guint64 sequence;

      if (frame == NULL)
        break;

      sequence = shnd_frame_get_sequence (frame);
      words = shnd_array_get_data (shnd_frame_get_array (frame));
      check (words, sequence);
      if ((kind & COMPLETE) != 0 ? sequence != last + 1 : sequence <= last)
        g_error ("frame %" G_GUINT64_FORMAT " comes after %" G_GUINT64_FORMAT, sequence, last);
      check (words, sequence);
      g_object_unref (frame);

      last = sequence;
      set (&board->received[i], get (&board->received[i]) + 1);
      set (&board->last[i], sequence);
    }
  g_assert_error (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM);
}

static pid_t
fork_subscriber (guint i, Kind kind)
{
  pid_t parent = getpid (), pid;

  set (&board->ready, FALSE);
  set (&board->received[i], 0);
  set (&board->last[i], 0);
  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      peer_end_with (parent);
      await (&board->ready, TRUE);
      receive_all (i, kind);
      _exit (0);
    }
  board->pids[i] = pid;

  return pid;
}

/* Returns when it does nothing any more. */
static void
stop (pid_t pid)
{
  int status;

  g_assert_cmpint (kill (pid, SIGSTOP), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, WUNTRACED), ==, pid);
  g_assert_true (WIFSTOPPED (status));
}

static void
await_end (pid_t pid, int expected)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (status != expected)
    g_error ("process %d: status %x", pid, status);
}

/* ---- Stopped ---- */

static void
test_stopped_drop (gconstpointer data)
{
  Kind kind = GPOINTER_TO_UINT (data);
  pid_t pid = fork_subscriber (0, kind);
  g_autoptr (ShndPublisher) publisher = new_publisher (SHND_OVERFLOW_DROP, DEPTH);
  g_autoptr (GError) error = NULL;
  guint64 sequence = 0;

  shnd_publisher_wait_subscribers (publisher, 1, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  publish (publisher, ++sequence, -1);
  await (&board->last[0], sequence);

  stop (pid);
  for (guint i = 0; i < N_MEANWHILE; i++)
    publish (publisher, ++sequence, 0);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, N_MEANWHILE - DEPTH);
  g_assert_cmpuint (shnd_publisher_get_n_frames (publisher), <=, DEPTH + 3);

  /* What it has room for, and then the newest one. */
  kill (pid, SIGCONT);
  await (&board->last[0], sequence);
  if ((kind & LATEST_ONLY) == 0)
    g_assert_cmpuint (get (&board->received[0]), ==, 1 + DEPTH + 1);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, N_MEANWHILE - DEPTH - 1);

  publish (publisher, ++sequence, -1);
  await (&board->last[0], sequence);
  frames_check_pool (publisher);
  shnd_publisher_close (publisher);
  await_end (pid, 0);
}

static void
test_stopped_block (void)
{
  pid_t pids[] = { fork_subscriber (0, COMPLETE), fork_subscriber (1, COMPLETE) };
  g_autoptr (ShndPublisher) publisher = new_publisher (SHND_OVERFLOW_BLOCK, DEPTH);
  g_autoptr (ShndFrame) frame = NULL;
  g_autoptr (GError) error = NULL;
  guint64 sequence = 0;

  shnd_publisher_wait_subscribers (publisher, 2, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  publish (publisher, ++sequence, -1);
  await (&board->last[0], sequence);
  await (&board->last[1], sequence);

  stop (pids[0]);
  for (guint i = 0; i < DEPTH; i++)
    publish (publisher, ++sequence, -1);
  frame = acquire (publisher, sequence + 1);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_false (shnd_publisher_publish (publisher, frame, i * 1000, NULL, &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT);
      g_clear_error (&error);
    }
  g_assert_cmpuint (shnd_publisher_get_sequence (publisher), ==, sequence);
  await (&board->last[1], sequence);

  kill (pids[0], SIGCONT);
  shnd_publisher_publish (publisher, frame, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  sequence++;
  await (&board->last[0], sequence);
  await (&board->last[1], sequence);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, 0);

  /* One that is killed does not keep it waiting either. */
  stop (pids[0]);
  for (guint i = 0; i < DEPTH; i++)
    publish (publisher, ++sequence, -1);
  kill (pids[0], SIGKILL);
  for (guint i = 0; i < N_MEANWHILE; i++)
    publish (publisher, ++sequence, FRAMES_PATIENCE);
  await (&board->last[1], sequence);
  await_end (pids[0], SIGKILL);
  frames_check_pool (publisher);
  shnd_publisher_close (publisher);
  await_end (pids[1], 0);
}

/* With so much metadata that the socket's queue is full before it holds as many as it may. */
static void
test_stopped_choked (gconstpointer data)
{
  ShndOverflow overflow = GPOINTER_TO_INT (data);
  pid_t pid = fork_subscriber (0, overflow == SHND_OVERFLOW_BLOCK ? COMPLETE : 0);
  g_autoptr (ShndPublisher) publisher = new_publisher (overflow, LARGE_DEPTH);
  g_autoptr (GError) error = NULL;
  guint64 sequence = 0;

  shnd_publisher_wait_subscribers (publisher, 1, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  publish (publisher, ++sequence, -1);
  await (&board->last[0], sequence);

  stop (pid);
  for (guint i = 0; i < LARGE_DEPTH && error == NULL; i++)
    {
      g_autofree char *text = g_strnfill (60000, 'x');
      g_autoptr (ShndFrame) frame = acquire (publisher, sequence + 1);
      g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

      g_variant_dict_insert (dict, "text", "s", text);
      g_assert_true (shnd_frame_set_metadata (frame, g_variant_dict_end (dict), NULL));
      if (shnd_publisher_publish (publisher, frame, 1000, NULL, &error))
        sequence++;
    }
  if (overflow == SHND_OVERFLOW_BLOCK)
    g_assert_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT);
  else
    g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), >, 0);

  kill (pid, SIGCONT);
  await (&board->last[0], sequence);
  publish (publisher, ++sequence, FRAMES_PATIENCE);
  await (&board->last[0], sequence);
  shnd_publisher_close (publisher);
  await_end (pid, 0);
}

/* Returns FALSE if there is none in time, or if the publisher is gone. */
static gboolean
receive_next (ShndSubscriber *subscriber, gint64 timeout, guint64 *last)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndFrame) frame = shnd_subscriber_receive (subscriber, timeout, NULL, &error);

  if (frame == NULL)
    {
      gint expected = timeout == 0 ? SHND_ERROR_TIMED_OUT : SHND_ERROR_DISCONNECTED;

      g_assert_error (error, SHND_ERROR, expected);
      return FALSE;
    }

  g_assert_cmpuint (shnd_frame_get_sequence (frame), ==, ++*last);
  check (shnd_array_get_data (shnd_frame_get_array (frame)), *last);

  return TRUE;
}

static void
test_stopped_publisher (void)
{
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new (ADDRESS, NULL);
  pid_t parent = getpid (), pid;
  guint64 last = 0;

  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      ShndPublisher *publisher;

      peer_end_with (parent);
      publisher = new_publisher (SHND_OVERFLOW_BLOCK, DEPTH);
      shnd_publisher_wait_subscribers (publisher, 1, -1, NULL, NULL);
      for (guint64 sequence = 1; TRUE; sequence++)
        publish (publisher, sequence, -1);
    }

  for (guint i = 1; i <= 20; i++)
    {
      while (last < i * 100)
        g_assert_true (receive_next (subscriber, FRAMES_PATIENCE, &last));
      stop (pid);
      /* What it had sent by then. */
      while (receive_next (subscriber, 0, &last))
        ;
      g_assert_cmpuint (last, <=, i * 100 + DEPTH);
      kill (pid, SIGCONT);
    }

  kill (pid, SIGKILL);
  await_end (pid, SIGKILL);
  while (receive_next (subscriber, FRAMES_PATIENCE, &last))
    ;

  /* Its socket is still there. */
  shnd_publisher_close (new_publisher (SHND_OVERFLOW_DROP, DEPTH));
}

/* ---- Killed ---- */

/* From another process, so that it can be anywhere in what the publisher does. */
static pid_t
fork_killer (const guint64 *moments)
{
  pid_t parent = getpid (), pid;

  fflush (stdout);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    return pid;

  peer_end_with (parent);
  for (guint i = 0; i < N_KILLED; i++)
    {
      while (get (&board->published) < moments[i])
        g_usleep (50);
      kill (board->pids[i], SIGKILL);
    }
  _exit (0);
}

static void
test_killed_block (void)
{
  guint64 moments[N_KILLED];
  Belongings before;
  pid_t killer;
  ShndPublisher *publisher;
  GError *error = NULL;
  double seconds;

  for (guint i = 0; i < N_KILLED; i++)
    moments[i] = n_frames * (i + g_test_rand_double ()) / N_KILLED;
  for (guint i = 0; i < N_SUBSCRIBERS; i++)
    fork_subscriber (i, COMPLETE);
  set (&board->published, 0);
  killer = fork_killer (moments);
  belongings_get (&before);

  publisher = new_publisher (SHND_OVERFLOW_BLOCK, DEPTH);
  shnd_publisher_wait_subscribers (publisher, N_SUBSCRIBERS, FRAMES_PATIENCE, NULL, &error);
  g_assert_no_error (error);
  g_test_timer_start ();
  for (guint64 sequence = 1; sequence <= n_frames; sequence++)
    publish (publisher, sequence, FRAMES_PATIENCE);
  seconds = g_test_timer_elapsed ();

  await_end (killer, 0);
  frames_await_subscribers (publisher, N_SUBSCRIBERS - N_KILLED);
  g_assert_cmpuint (shnd_publisher_get_n_frames (publisher), <=, N_SUBSCRIBERS * DEPTH + 2);
  frames_check_pool (publisher);
  g_assert_cmpuint (shnd_publisher_get_n_dropped (publisher), ==, 0);
  g_object_unref (publisher);
  belongings_check (&before, "the publisher");

  g_test_message ("frames published: %" G_GUINT64_FORMAT ", in %.1f s", n_frames, seconds);
  for (guint i = 0; i < N_SUBSCRIBERS; i++)
    {
      gboolean was_killed = i < N_KILLED;

      await_end (board->pids[i], was_killed ? SIGKILL : 0);
      g_test_message ("subscriber %u: received %" G_GUINT64_FORMAT "%s", i + 1,
                      get (&board->received[i]), was_killed ? ", and was killed" : "");
      if (!was_killed)
        g_assert_cmpuint (get (&board->received[i]), ==, n_frames);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL, *own = NULL;
  gboolean isolated;
  guint rounds;
  int result;

  peer_init (argv, &isolated, &rounds);
  folder = make_folder ();
  own = g_build_filename (folder, "shndarray", NULL);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    n_frames = g_ascii_strtoull (argv[1], NULL, 10);
  else if (rounds > 1)
    n_frames = 1000000;

  board = mmap (NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (board != MAP_FAILED);
  /* It stays, with its descriptor, once there is one. */
  g_main_context_default ();
  g_test_add_data_func ("/frames/stopped/drop", GUINT_TO_POINTER (0), test_stopped_drop);
  g_test_add_data_func ("/frames/stopped/latest-only", GUINT_TO_POINTER (LATEST_ONLY),
                        test_stopped_drop);
  g_test_add_func ("/frames/stopped/block", test_stopped_block);
  g_test_add_data_func ("/frames/stopped/choked-drop", GINT_TO_POINTER (SHND_OVERFLOW_DROP),
                        test_stopped_choked);
  g_test_add_data_func ("/frames/stopped/choked-block", GINT_TO_POINTER (SHND_OVERFLOW_BLOCK),
                        test_stopped_choked);
  g_test_add_func ("/frames/stopped/publisher", test_stopped_publisher);
  g_test_add_func ("/frames/killed/block", test_killed_block);

  result = g_test_run ();
  remove_folder (own);
  remove_folder (folder);

  return result;
}
