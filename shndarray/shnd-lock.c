/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-lock-private.h"

#include "shnd-error-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The lock word, once it is in the byte order of the machine. Without a slot it is free. */
#define SLOT_MASK ((1u << 30) - 1)
#define RECOVER (1u << 30) /* the last owner died while it had the lock */
#define WAITERS (1u << 31) /* somebody may be asleep */

/* A waiter looks this often whether the owner is still alive, in microseconds. */
#define CHECK_INTERVAL 40000

/* Slots are drawn by lot, from so many that one is free at the first try, or something is wrong. */
#define N_DRAWS 1000

static guint32
load (const ShndSegment *segment)
{
  return GUINT32_FROM_LE (__atomic_load_n (&segment->control->lock, __ATOMIC_SEQ_CST));
}

static gboolean
change (ShndSegment *segment, guint32 from, guint32 to)
{
  guint32 expected = GUINT32_TO_LE (from);

  return __atomic_compare_exchange_n (&segment->control->lock, &expected, GUINT32_TO_LE (to), FALSE,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void
shnd_lock_wake (ShndSegment *segment)
{
  shnd_futex_wake (&segment->control->lock, 1, TRUE);
}

void
shnd_lock_init (ShndSegment *segment)
{
  g_mutex_init (&segment->lock.mutex);
  segment->lock.fd = -1;
}

gboolean
shnd_lock_check (ShndSegment *segment, GError **error)
{
  if (segment->control != NULL)
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                       "The array has no lock and no change counter: expected one that this "
                       "library made");
  return FALSE;
}

/* ---- Slots ---- */

/* Lets go of the word if it names that slot of ours. Returns whether somebody waits for it. */
static gboolean
let_go (ShndSegment *segment, guint slot, guint32 rest)
{
  guint32 value;

  do
    {
      value = load (segment);
      if ((value & SLOT_MASK) != slot)
        return FALSE;
    }
  while (!change (segment, value, rest));

  return (value & WAITERS) != 0;
}

/* The same, for a slot that the word should not name. What is left of a dead owner is left to the
 * next one to recover. */
static void
disown (ShndSegment *segment, guint slot, guint32 rest)
{
  if (let_go (segment, slot, rest))
    shnd_lock_wake (segment);
}

/* Takes a slot. Forks are held off, as the child's handler must know of the descriptor. What a dead
 * owner with that slot has left is cleared before other threads can use the slot: later it could be
 * theirs. */
static int
open_slot (ShndSegment *segment)
{
  int fd = shnd_file_reopen (segment->fd, O_RDWR);
  int result = errno;

  if (fd < 0)
    return result;

  for (guint i = 0; i < N_DRAWS; i++)
    {
      guint slot = g_random_int () & SLOT_MASK;

      if (slot == 0)
        continue;

      result = shnd_file_lock (fd, SHND_BYTE_SLOTS + slot, F_WRLCK);
      if (result == 0)
        {
          segment->lock.fd = fd;
          disown (segment, slot, RECOVER | WAITERS);
          g_atomic_int_set (&segment->lock.slot, slot);
          return 0;
        }
      if (result != EAGAIN)
        break;
    }

  close (fd);
  return result;
}

gboolean
shnd_lock_adopt (ShndSegment *segment, GError **error)
{
  int fd, result;

  if (G_LIKELY (g_atomic_int_get (&segment->adopted)))
    return TRUE;

  /* A description that no other thread or process has, so that the lock excludes them all. */
  fd = shnd_file_reopen (segment->fd, O_RDWR);
  result = fd >= 0 ? shnd_control_adopt (fd, &segment->info, segment->control) : errno;
  if (fd >= 0)
    close (fd);
  if (result != 0)
    {
      shnd_set_error_from_errno (error, result, "Cannot make the copy of an array one of its own");
      return FALSE;
    }

  g_atomic_int_set (&segment->adopted, TRUE);
  /* Who sleeps on what the counter was in the other file has to look again. */
  shnd_futex_wake ((guint32 *) &segment->control->sequence, G_MAXINT, TRUE);

  return TRUE;
}

/* Sees to it that the segment has a slot. */
static gboolean
prepare (ShndSegment *segment, GError **error)
{
  int result = 0;

  if (G_LIKELY (g_atomic_int_get (&segment->lock.slot) != 0))
    return TRUE;

  if (!shnd_lock_adopt (segment, error))
    return FALSE;

  shnd_process_begin ();
  if (segment->lock.slot == 0)
    result = open_slot (segment);
  shnd_process_end ();

  if (result == 0)
    return TRUE;

  shnd_set_error_from_errno (error, result, "Cannot get a slot for the lock of the array");
  return FALSE;
}

void
shnd_lock_close (ShndSegment *segment)
{
  if (segment->lock.slot != 0)
    disown (segment, segment->lock.slot, 0);
  if (segment->lock.fd >= 0)
    {
      shnd_process_begin ();
      close (segment->lock.fd);
      segment->lock.fd = -1;
      shnd_process_end ();
    }
  g_mutex_clear (&segment->lock.mutex);
}

void
shnd_lock_after_fork_in_child (ShndSegment *segment)
{
  /* With this descriptor the parent's slot would outlive the parent. */
  if (segment->lock.fd >= 0)
    close (segment->lock.fd);
  segment->lock.fd = -1;
  segment->lock.slot = 0;
  segment->lock.holder = NULL;
  g_mutex_init (&segment->lock.mutex);
}

/* ---- The lock ---- */

gboolean
shnd_lock_is_owned (int fd, guint32 word)
{
  guint owner = GUINT32_FROM_LE (word) & SLOT_MASK;

  return owner != 0 && shnd_file_get_lock (fd, SHND_BYTE_SLOTS + owner) != F_UNLCK;
}

/* Takes the lock from an owner that is dead. The lock on its slot's byte is what proves that, and it
 * keeps the slot from being used again before the word has changed: the owner that the word names
 * is still that one. */
static gboolean
take_over (ShndSegment *segment, guint owner)
{
  gboolean taken = FALSE;

  g_mutex_lock (&segment->lock.mutex);
  if (shnd_file_lock (segment->lock.fd, SHND_BYTE_SLOTS + owner, F_WRLCK) == 0)
    {
      guint32 value = load (segment);

      while (!taken && (value & SLOT_MASK) == owner)
        {
          taken = change (segment, value, segment->lock.slot | WAITERS);
          value = load (segment);
        }
      shnd_file_lock (segment->lock.fd, SHND_BYTE_SLOTS + owner, F_UNLCK);
    }
  g_mutex_unlock (&segment->lock.mutex);

  return taken;
}

static void
set_holder (ShndSegment *segment, ShndArray *array, gboolean recovered)
{
  segment->lock.recovered = recovered;
  __atomic_store_n (&segment->lock.holder, array, __ATOMIC_RELEASE);
}

gboolean
shnd_lock_try (ShndSegment *segment, ShndArray *array)
{
  guint slot = g_atomic_int_get (&segment->lock.slot);

  /* To try in vain would take the word away from the processor of its owner. */
  if (slot == 0 || load (segment) != 0 || !change (segment, 0, slot))
    return FALSE;

  set_holder (segment, array, FALSE);
  return TRUE;
}

/* Takes the lock if it is free, or its owner dead and it is time to ask. Otherwise `*value` is that
 * of the word, which is taken and says that somebody waits. */
static gboolean
take (ShndWait *wait, guint32 *value)
{
  ShndSegment *segment = wait->segment;
  guint slot = segment->lock.slot;
  gint64 now;

  *value = load (segment);
  while (TRUE)
    {
      guint owner = *value & SLOT_MASK;

      if (owner == 0)
        {
          /* Others may sleep since the word said so, and it does not any more. */
          guint32 waiters = wait->contended ? WAITERS : *value & WAITERS;

          if (change (segment, *value, slot | waiters))
            {
              wait->recovered = (*value & RECOVER) != 0;
              return TRUE;
            }
          *value = load (segment);
          continue;
        }

      now = shnd_wait_get_now (wait);
      if (owner != wait->owner)
        {
          wait->owner = owner;
          wait->check_time = now + CHECK_INTERVAL;
        }
      if (now >= wait->check_time || (wait->deadline >= 0 && now >= wait->deadline))
        {
          wait->check_time = now + CHECK_INTERVAL;
          /* Those of one segment have one slot: then it is one of them who has the lock. */
          if (owner != slot && take_over (segment, owner))
            {
              wait->recovered = TRUE;
              return TRUE;
            }
        }

      if ((*value & WAITERS) != 0 || change (segment, *value, *value | WAITERS))
        {
          *value |= WAITERS;
          return FALSE;
        }
      *value = load (segment);
    }
}

ShndWaitResult
shnd_lock_step (ShndWait *wait, ShndFutex *futex, gint64 *wake_time, GError **error)
{
  ShndSegment *segment = wait->segment;
  gboolean closed;
  guint32 value;

  if (!prepare (segment, error))
    return SHND_WAIT_FAILED;

  if (!take (wait, &value))
    {
      wait->contended = TRUE;
      futex->word = &segment->control->lock;
      futex->expected = GUINT32_TO_LE (value);
      futex->shared = TRUE;
      *wake_time = wait->check_time;
      return SHND_WAIT_SLEEP;
    }

  /* Whoever closes the handle at the same time either is seen here, or sees that it has the lock, and
   * gives it back. */
  _shnd_array_enter (wait->array);
  closed = shnd_array_get_closed (wait->array);
  if (!closed)
    set_holder (segment, wait->array, wait->recovered);
  _shnd_array_leave (wait->array);

  if (closed)
    {
      disown (segment, segment->lock.slot, wait->recovered ? RECOVER : 0);
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                           "The array was closed while waiting");
      return SHND_WAIT_FAILED;
    }

  return SHND_WAIT_DONE;
}

gboolean
shnd_lock_release (ShndSegment *segment, ShndArray *array, gboolean done, gboolean *wake)
{
  guint32 rest;

  *wake = FALSE;
  if (__atomic_load_n (&segment->lock.holder, __ATOMIC_ACQUIRE) != array)
    return FALSE;

  /* First: with the word comes the next holder. */
  rest = segment->lock.recovered && !done ? RECOVER : 0;
  set_holder (segment, NULL, FALSE);
  *wake = let_go (segment, segment->lock.slot, rest);

  return TRUE;
}
