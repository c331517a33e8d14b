/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-process-private.h"

#include "shnd-hub-private.h"
#include "shnd-lease-private.h"
#include "shnd-lock-private.h"
#include "shnd-wait-private.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* How long the end of the process waits for threads that are giving back, in microseconds. */
#define EXIT_PATIENCE G_USEC_PER_SEC
#define EXIT_INTERVAL 100

static GMutex mutex;
static ShndSegment *segments; /* with `mutex`: a list through `next` and `previous` */
static guint forks;           /* changes with `mutex` only */
static guint mark = 1;        /* changes in a child only, before it has threads */
static gint n_removing;       /* how many have left the list, and are not done yet */
static GArray *owned;         /* with `mutex`: descriptors that no child gets */

static void
before_fork (void)
{
  shnd_wait_before_fork ();
  g_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  forks++;
  g_mutex_unlock (&mutex);
  shnd_wait_after_fork (FALSE);
}

static void
after_fork_in_child (void)
{
  forks++;
  mark++;
  n_removing = 0;
  shnd_hub_after_fork_in_child ();
  for (ShndSegment *segment = segments; segment != NULL; segment = segment->next)
    shnd_lock_after_fork_in_child (segment);
  for (guint i = 0; owned != NULL && i < owned->len; i++)
    close (g_array_index (owned, int, i));
  if (owned != NULL)
    owned->len = 0;
  g_mutex_unlock (&mutex);
  shnd_wait_after_fork (TRUE);
}

/* The memory stays until the kernel takes it, as other threads may still look at it. Locks stay too:
 * who ends in the middle of a change has not finished it, and the next owner is told so. */
void
shnd_process_release (void)
{
  shnd_hub_close_all ();

  g_mutex_lock (&mutex);
  for (ShndSegment *segment = segments; segment != NULL; segment = segment->next)
    shnd_lease_release (segment);
  g_mutex_unlock (&mutex);

  for (gint64 waited = 0; waited < EXIT_PATIENCE && g_atomic_int_get (&n_removing) > 0;
       waited += EXIT_INTERVAL)
    g_usleep (EXIT_INTERVAL);
}

static void
init (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
      atexit (shnd_process_release);
      g_once_init_leave (&once, 1);
    }
}

void
shnd_process_add (ShndSegment *segment)
{
  init ();

  g_mutex_lock (&mutex);
  segment->forks = forks;
  segment->next = segments;
  if (segments != NULL)
    segments->previous = segment;
  segments = segment;
  g_mutex_unlock (&mutex);
}

void
shnd_process_remove (ShndSegment *segment)
{
  shnd_lock_close (segment);

  g_mutex_lock (&mutex);
  if (segment->previous != NULL)
    segment->previous->next = segment->next;
  else
    segments = segment->next;
  if (segment->next != NULL)
    segment->next->previous = segment->previous;
  g_atomic_int_inc (&n_removing);
  g_mutex_unlock (&mutex);

  shnd_lease_release (segment);
  g_atomic_int_add (&n_removing, -1);
}

guint
shnd_process_get_forks (void)
{
  return g_atomic_int_get (&forks);
}

guint
shnd_process_get_mark (void)
{
  return mark;
}

void
shnd_process_own_locked (int fd)
{
  if (owned == NULL)
    owned = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_append_val (owned, fd);
}

void
shnd_process_close (int fd)
{
  g_mutex_lock (&mutex);
  for (guint i = 0; i < owned->len; i++)
    {
      if (g_array_index (owned, int, i) == fd)
        {
          g_array_remove_index_fast (owned, i);
          /* With the mutex: in a child the number must not be another one's by then. */
          close (fd);
          break;
        }
    }
  g_mutex_unlock (&mutex);
}

void
shnd_process_begin (void)
{
  init ();
  g_mutex_lock (&mutex);
}

void
shnd_process_end (void)
{
  g_mutex_unlock (&mutex);
}
