/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-wait-private.h"

G_BEGIN_DECLS

/* The lock of an array: a word in its control page, that names the slot of its owner. A slot is a
 * number that a segment has to itself, as long as the kernel sees its lock on the byte of that slot:
 * so everybody can find out whether the owner is alive, and nobody has to know who it is.
 * doc/format.md describes the protocol. */

void shnd_lock_init (ShndSegment *segment);

/* Gives back the lock, if a handle of this segment still has it, and the slot. */
void shnd_lock_close (ShndSegment *segment);

/* Whether there is a lock, and a change counter. */
gboolean shnd_lock_check (ShndSegment *segment, GError **error);

/* The step of a wait for the lock. */
ShndWaitResult shnd_lock_step (ShndWait *wait, ShndFutex *futex, gint64 *wake_time, GError **error);

/* Takes the lock for a handle if it is free. All else is the step's. */
gboolean shnd_lock_try (ShndSegment *segment, ShndArray *array);

/* Gives the lock back. Returns FALSE if that handle does not have it. Then the second one may have
 * to be called, for those who wait. If the handle is not done, but only closed, and was told that
 * the last owner died, the next one is told that, too: nobody may have looked. One thread at a time
 * gives back for a handle: inside, or when it is closed. */
gboolean shnd_lock_release (ShndSegment *segment, ShndArray *array, gboolean done, gboolean *wake);
void shnd_lock_wake (ShndSegment *segment);

/* Whether the owner that a lock word names, as it is in memory, is alive. `fd` is any descriptor of the
 * file; nobody notices. */
gboolean shnd_lock_is_owned (int fd, guint32 word);

/* Makes the control page of a copy its own. */
gboolean shnd_lock_adopt (ShndSegment *segment, GError **error);

/* Locks are not inherited. */
void shnd_lock_after_fork_in_child (ShndSegment *segment);

G_END_DECLS
