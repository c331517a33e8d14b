/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"

G_BEGIN_DECLS

/* All segments of this process, for what concerns the process as a whole: fork() and exit(). */

void shnd_process_add (ShndSegment *segment);

/* The segment goes: it gives back what it holds. */
void shnd_process_remove (ShndSegment *segment);

/* Gives back the leases of all segments. Programs may end without doing so themselves: C programs that
 * return from main(), and interpreters that do not tidy up. Then it is called by itself. */
void shnd_process_release (void);

/* How often this process has forked, or been forked: if this is still what it was, no other process
 * has a copy of a descriptor that was made then. */
guint shnd_process_get_forks (void);

/* A number, not 0, that no ancestor of this process had. */
guint shnd_process_get_mark (void);

/* A descriptor that stands for this very process: a child of fork() must not have it, as its other
 * end would not see this process die. The first between begin and end, so that none is missed; the
 * second also closes it. */
void shnd_process_own_locked (int fd);
void shnd_process_close (int fd);

/* In between this process does not fork. For short work only, and without a call of the rest of
 * the library. */
void shnd_process_begin (void);
void shnd_process_end (void);

G_END_DECLS
