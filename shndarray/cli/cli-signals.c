/* SPDX-License-Identifier: MIT */

#include "cli-signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static GCancellable *cancellable;
static sigset_t waited, before;
static gint caught;

static GMutex cleanup_mutex;
static void (*cleanup_function) (void);

/* What the thread is sent to be asked whether it has handled all that came before: of several that are
 * pending it takes the one with the lowest number first. */
#define QUESTION SIGRTMAX

static sem_t answered;

static GMutex child_mutex;
static GPid child;
static gboolean had_child;
static struct sigaction quit_before;
static gboolean quit_is_ignored;

static void
die (int number)
{
  sigset_t only;

  /* What is cleaned up stays there until the program is dead. */
  g_mutex_lock (&cleanup_mutex);
  if (cleanup_function != NULL)
    cleanup_function ();

  signal (number, SIG_DFL);
  sigemptyset (&only);
  sigaddset (&only, number);
  pthread_sigmask (SIG_UNBLOCK, &only, NULL);
  raise (number);
  g_mutex_unlock (&cleanup_mutex);
}

static void
handle (int number)
{
  gboolean is_mine;

  g_mutex_lock (&child_mutex);
  /* SIGINT the terminal has sent to the child as well, and that may have ended of it by now. */
  is_mine = child == 0 && !(had_child && number == SIGINT);
  if (child != 0 && number != SIGINT)
    {
      kill (child, number);
      /* Who is stopped would not notice. */
      kill (child, SIGCONT);
    }
  g_mutex_unlock (&child_mutex);
  if (!is_mine)
    return;

  if (!g_atomic_int_compare_and_exchange (&caught, 0, number))
    die (number);
  g_cancellable_cancel (cancellable);
}

static gpointer
wait_for_signals (gpointer data)
{
  for (;;)
    {
      int number;

      if (sigwait (&waited, &number) != 0)
        continue;
      if (number == QUESTION)
        sem_post (&answered);
      else
        handle (number);
    }

  return NULL;
}

void
cli_signals_start (void)
{
  const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

  cancellable = g_cancellable_new ();
  sigemptyset (&waited);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      struct sigaction action;

      /* Who has started this may want a signal to be ignored, as nohup does. */
      if (sigaction (numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset (&waited, numbers[i]);
    }

  sigaddset (&waited, QUESTION);

  /* Threads that are made from now on inherit this. */
  pthread_sigmask (SIG_BLOCK, &waited, &before);
  sem_init (&answered, 0, 0);
  g_thread_unref (g_thread_new ("signals", wait_for_signals, NULL));
}

GCancellable *
cli_signals_get_cancellable (void)
{
  return cancellable;
}

int
cli_signals_get_caught (void)
{
  return g_atomic_int_get (&caught);
}

void
cli_signals_finish (void)
{
  int number;

  /* One has come, maybe, of which nothing was noticed so far but what it has done to others: Ctrl-C ends
   * both sides of a pipe. */
  kill (getpid (), QUESTION);
  while (sem_wait (&answered) != 0)
    continue;

  number = cli_signals_get_caught ();
  if (number != 0)
    die (number);
}

gboolean
cli_signals_sleep (gint64 time)
{
  gint64 end = g_get_monotonic_time () + time;
  struct pollfd poll_fd = { .fd = g_cancellable_get_fd (cancellable), .events = POLLIN };

  while (!g_cancellable_is_cancelled (cancellable))
    {
      gint64 left = end - g_get_monotonic_time ();
      const struct timespec time_left = { left / G_USEC_PER_SEC, left % G_USEC_PER_SEC * 1000 };

      if (left <= 0)
        break;
      /* poll() knows no less than a millisecond. */
      ppoll (&poll_fd, 1, &time_left, NULL);
    }
  if (poll_fd.fd >= 0)
    g_cancellable_release_fd (cancellable);

  return !g_cancellable_is_cancelled (cancellable);
}

void
cli_signals_reset (void)
{
  signal (SIGPIPE, SIG_DFL);
  if (quit_is_ignored)
    sigaction (SIGQUIT, &quit_before, NULL);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

void
cli_signals_hold (void)
{
  struct sigaction action = { .sa_handler = SIG_IGN };

  g_mutex_lock (&child_mutex);
  sigaction (SIGQUIT, &action, &quit_before);
  quit_is_ignored = TRUE;
}

void
cli_signals_release (GPid pid)
{
  child = pid;
  had_child |= pid != 0;
  if (pid == 0)
    {
      quit_is_ignored = FALSE;
      sigaction (SIGQUIT, &quit_before, NULL);
    }
  g_mutex_unlock (&child_mutex);
}

void
cli_signals_forget_child (void)
{
  g_mutex_lock (&child_mutex);
  child = 0;
  g_mutex_unlock (&child_mutex);
}

void
cli_signals_set_cleanup (void (*cleanup) (void))
{
  g_mutex_lock (&cleanup_mutex);
  cleanup_function = cleanup;
  g_mutex_unlock (&cleanup_mutex);
}
