/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"

G_BEGIN_DECLS

/* Memory of a slot that somebody has for a time: the program that fills a frame, or the subscriber
 * that looks at one. It goes back once: when the last array, view and bytes that show the memory are
 * gone, or earlier when told so. */

typedef struct _ShndHold ShndHold;

/* Gives a slot back to its owner. In any thread. */
typedef void (*ShndGiveBackFunc) (gpointer owner, guint32 slot);

struct _ShndHold
{
  gatomicrefcount ref_count;
  gint given_back;
  gpointer owner; /* a reference */
  GDestroyNotify owner_unref;
  ShndGiveBackFunc give_back;
  guint32 slot;
  gboolean repeat; /* what is in the slot was published before, and is not to be written */
};

/* Takes the reference to the owner. */
ShndHold *shnd_hold_new (gpointer owner,
                         GDestroyNotify owner_unref,
                         ShndGiveBackFunc give_back,
                         guint32 slot);

ShndHold *shnd_hold_ref (ShndHold *self);
void shnd_hold_unref (ShndHold *self);

/* Gives the slot back now, if it has not gone back yet. */
void shnd_hold_give_back (ShndHold *self);

gboolean shnd_hold_is_given_back (ShndHold *self);

/* The memory of the slot, for what shows it to somebody: the last reference gives the slot back. */
ShndSegment *shnd_hold_get_segment (ShndHold *self, ShndSegment *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndHold, shnd_hold_unref)

G_END_DECLS
