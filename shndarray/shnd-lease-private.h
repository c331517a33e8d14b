/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"

G_BEGIN_DECLS

/* The lease of a named array: whoever has it open holds a read lock on one byte of its file, and
 * the last one out removes the name. The kernel keeps the lock, so that it goes with the process,
 * however that ends. An array without a lease is an orphan, which nobody finds, and whose name is
 * free for the taking.
 *
 * A write lock on the byte is held by whoever is about to remove the name: there can be no other
 * holder then, and none can come. */

/* The maker's lease, before the name is there. Returns an errno. */
int shnd_lease_begin (int fd);

/* That of one who opens. `*held` says whether others have the array open, and only then is there a
 * lease after the call: by asking first, two who find an orphan at the same time do not take each
 * other for its holders. Returns an errno: ENOENT if the name is just being removed. */
int shnd_lease_join (int fd, gboolean *held);

/* Gives the lease of a segment back, and with the last one the name. Nothing happens if there is
 * none, or no more. */
void shnd_lease_release (ShndSegment *segment);

typedef enum
{
  SHND_LEASE_NONE,    /* it is no orphan */
  SHND_LEASE_GOING,   /* somebody is removing the name */
  SHND_LEASE_REMOVED, /* it was an orphan */
} ShndLeaseState;

/* Removes the name of an orphan. */
ShndLeaseState shnd_lease_reap (const char *name);

/* Removes all orphans that this process may remove. Returns their names, of which there may be
 * none; NULL on error. */
char **shnd_lease_reap_all (GError **error);

G_END_DECLS
