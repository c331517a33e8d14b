/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-segment-private.h"

G_BEGIN_DECLS

/* The memory of a publisher's frames: slots, which are sealed anonymous arrays of bytes. A slot is
 * free, and may be filled anew, only while nobody has a hold on it: neither the program, nor a
 * subscriber, nor the publisher itself, which keeps the last frame for those who come late. Nothing
 * here is safe in threads: the publisher sees to that. */

typedef struct _ShndSlot ShndSlot;

struct _ShndSlot
{
  guint32 id;
  ShndSegment *segment;
  guint64 capacity;
  guint n_holds;
  gboolean spoiled;  /* somebody may look at it who is not in the ledger any more */
  guint64 last_used; /* by the count of slots taken */
  ShndSlot *next;    /* of the free ones */
};

typedef struct
{
  GPtrArray *slots; /* by their numbers; NULL where there is none */
  ShndSlot *free;   /* the latest first: its memory is still in the caches */
  guint n_slots;
  guint64 n_taken;

  /* Called when a slot goes, while it still can be looked at. */
  void (*retire) (gpointer data, ShndSlot *slot);
  gpointer data;
} ShndPool;

void shnd_pool_init (ShndPool *self, void (*retire) (gpointer data, ShndSlot *slot), gpointer data);

/* The memory stays as long as somebody shows it. */
void shnd_pool_clear (ShndPool *self);

/* A free slot with room for so many bytes, with a hold; or NULL. */
ShndSlot *shnd_pool_take (ShndPool *self, guint64 n_bytes);

/* Makes room for a new slot: retires a free one, if there is any. */
gboolean shnd_pool_shrink (ShndPool *self);

/* How large a new slot for so many bytes should be. */
guint64 shnd_pool_get_capacity (ShndPool *self, guint64 n_bytes);

/* The memory of a new slot. Does not touch the pool. */
ShndSegment *shnd_pool_make_segment (guint64 capacity, GError **error);

/* Takes the memory as a new slot, with a hold. NULL if there are too many. */
ShndSlot *shnd_pool_add (ShndPool *self, ShndSegment *segment);

ShndSlot *shnd_pool_get (ShndPool *self, guint32 id);

void shnd_pool_hold (ShndPool *self, ShndSlot *slot);

/* The last one frees the slot, or ends it if it is spoiled. */
void shnd_pool_unhold (ShndPool *self, ShndSlot *slot);

G_END_DECLS
