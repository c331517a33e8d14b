/* SPDX-License-Identifier: MIT */

/* The memory of a publisher's frames: who holds what, when it is used again, and when it goes. */

#include "config.h"

#include <fcntl.h>

#include "shnd-pool-private.h"
#include "shnd-protocol-private.h"

#include "support.h"

#define KIB 1024
#define MIB (1024 * KIB)

typedef struct
{
  ShndPool pool;
  GArray *retired; /* the numbers of slots, in order */
} Fixture;

static void
retire (gpointer data, ShndSlot *slot)
{
  Fixture *self = data;

  /* It still can be looked at. */
  g_assert_true (shnd_pool_get (&self->pool, slot->id) == slot);
  g_assert_nonnull (slot->segment);
  g_array_append_val (self->retired, slot->id);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  shnd_pool_init (&self->pool, retire, self);
  self->retired = g_array_new (FALSE, FALSE, sizeof (guint32));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  shnd_pool_clear (&self->pool);
  g_array_unref (self->retired);
}

static ShndSlot *
add (Fixture *self, guint64 capacity)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndSegment) segment = shnd_pool_make_segment (capacity, &error);
  ShndSlot *slot;

  g_assert_no_error (error);
  slot = shnd_pool_add (&self->pool, segment);
  g_assert_nonnull (slot);
  g_assert_cmpuint (slot->n_holds, ==, 1);
  return slot;
}

static void
test_memory (Fixture *self, gconstpointer data)
{
  const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  static const guint64 sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      ShndSlot *slot = add (self, sizes[i]);
      int seals = fcntl (slot->segment->fd, F_GET_SEALS);

      g_assert_cmpuint (slot->id, ==, i);
      g_assert_cmpuint (slot->capacity, >=, MAX (sizes[i], 1));
      g_assert_cmpuint (slot->capacity % 4096, ==, 0);
      g_assert_cmpint (seals & all, ==, all);
      slot->segment->data[slot->capacity - 1] = 1;
    }
  g_assert_cmpuint (self->pool.n_slots, ==, G_N_ELEMENTS (sizes));

  g_assert_null (shnd_pool_make_segment (G_MAXUINT64 / 4, &error));
  g_assert_nonnull (error);
}

static void
test_holds (Fixture *self, gconstpointer data)
{
  ShndSlot *slot = add (self, 4096);

  /* Nobody gets it while one hold is left. */
  shnd_pool_hold (&self->pool, slot);
  shnd_pool_hold (&self->pool, slot);
  for (guint i = 0; i < 2; i++)
    {
      shnd_pool_unhold (&self->pool, slot);
      g_assert_null (shnd_pool_take (&self->pool, 1));
      g_assert_false (shnd_pool_shrink (&self->pool));
    }
  shnd_pool_unhold (&self->pool, slot);
  g_assert_true (shnd_pool_take (&self->pool, 4096) == slot);
  g_assert_cmpuint (slot->n_holds, ==, 1);
  g_assert_null (shnd_pool_take (&self->pool, 1));
  g_assert_cmpuint (self->retired->len, ==, 0);
}

static void
test_latest_first (Fixture *self, gconstpointer data)
{
  ShndSlot *a = add (self, 4096), *b = add (self, 4096);

  shnd_pool_unhold (&self->pool, a);
  shnd_pool_unhold (&self->pool, b);
  g_assert_true (shnd_pool_take (&self->pool, 1) == b);
  g_assert_true (shnd_pool_take (&self->pool, 1) == a);
  shnd_pool_unhold (&self->pool, b);
  shnd_pool_unhold (&self->pool, a);
  g_assert_true (shnd_pool_take (&self->pool, 1) == a);
}

static void
test_sizes (Fixture *self, gconstpointer data)
{
  ShndSlot *small = add (self, 4 * KIB), *large = add (self, 32 * MIB);

  shnd_pool_unhold (&self->pool, small);
  shnd_pool_unhold (&self->pool, large);
  /* Too small, much too large, large enough. */
  g_assert_true (shnd_pool_take (&self->pool, 4 * KIB) == small);
  g_assert_null (shnd_pool_take (&self->pool, 4 * KIB));
  g_assert_null (shnd_pool_take (&self->pool, 32 * MIB + 1));
  g_assert_null (shnd_pool_take (&self->pool, 4 * MIB - 1));
  g_assert_true (shnd_pool_take (&self->pool, 4 * MIB) == large);

  /* A little one is good for the least. */
  shnd_pool_unhold (&self->pool, small);
  g_assert_true (shnd_pool_take (&self->pool, 0) == small);
}

static void
test_capacity (Fixture *self, gconstpointer data)
{
  ShndSlot *slot = add (self, 4 * MIB);

  /* What is held, or much too small, says nothing on the frames to come. */
  g_assert_cmpuint (shnd_pool_get_capacity (&self->pool, 5 * MIB), ==, 5 * MIB);
  shnd_pool_unhold (&self->pool, slot);
  g_assert_cmpuint (shnd_pool_get_capacity (&self->pool, 5 * MIB), ==, 5 * MIB + 5 * MIB / 4);
  g_assert_cmpuint (shnd_pool_get_capacity (&self->pool, 8 * MIB), ==, 10 * MIB);
  g_assert_cmpuint (shnd_pool_get_capacity (&self->pool, 9 * MIB), ==, 9 * MIB);
  g_assert_cmpuint (shnd_pool_get_capacity (&self->pool, 4 * MIB), ==, 4 * MIB);
}

static void
test_spoiled (Fixture *self, gconstpointer data)
{
  ShndSlot *slot = add (self, 4096);
  guint32 id = slot->id;

  shnd_pool_hold (&self->pool, slot);
  slot->spoiled = TRUE;
  shnd_pool_unhold (&self->pool, slot);
  g_assert_cmpuint (self->retired->len, ==, 0);
  shnd_pool_unhold (&self->pool, slot);
  g_assert_cmpuint (self->retired->len, ==, 1);
  g_assert_null (shnd_pool_get (&self->pool, id));
  g_assert_null (shnd_pool_take (&self->pool, 1));
  g_assert_cmpuint (self->pool.n_slots, ==, 0);

  /* Its number is used again. */
  g_assert_cmpuint (add (self, 4096)->id, ==, id);
}

static void
test_shrink (Fixture *self, gconstpointer data)
{
  ShndSlot *a = add (self, 4096), *b = add (self, 4096), *c = add (self, 4096);
  guint32 ids[] = { a->id, c->id };

  /* The one that was not used for the longest time goes first; one that is held stays. */
  shnd_pool_unhold (&self->pool, c);
  shnd_pool_unhold (&self->pool, a);
  g_assert_true (shnd_pool_shrink (&self->pool));
  g_assert_true (shnd_pool_shrink (&self->pool));
  g_assert_false (shnd_pool_shrink (&self->pool));
  g_assert_cmpmem (self->retired->data, self->retired->len * sizeof (guint32), ids, sizeof ids);
  g_assert_true (shnd_pool_get (&self->pool, b->id) == b);
}

static void
test_idle (Fixture *self, gconstpointer data)
{
  ShndSlot *idle = add (self, 4096), *used = add (self, 4096);
  guint32 id = idle->id;
  guint n = 0;

  shnd_pool_unhold (&self->pool, idle);
  shnd_pool_unhold (&self->pool, used);
  while (self->retired->len == 0)
    {
      g_assert_true (shnd_pool_take (&self->pool, 1) == used);
      shnd_pool_unhold (&self->pool, used);
      g_assert_cmpuint (++n, <, 1000);
    }
  g_assert_cmpuint (n, >, 32);
  g_assert_cmpuint (g_array_index (self->retired, guint32, 0), ==, id);
  g_assert_cmpuint (self->pool.n_slots, ==, 1);
}

static void
test_unknown (Fixture *self, gconstpointer data)
{
  ShndSlot *slot = add (self, 4096);

  g_assert_true (shnd_pool_get (&self->pool, 0) == slot);
  g_assert_null (shnd_pool_get (&self->pool, 1));
  g_assert_null (shnd_pool_get (&self->pool, SHND_MAX_SLOTS));
  g_assert_null (shnd_pool_get (&self->pool, G_MAXUINT32));
}

static void
test_clear (Fixture *self, gconstpointer data)
{
  g_autoptr (ShndSegment) shown = NULL;
  ShndSlot *slot = add (self, 4096);

  /* Memory that somebody shows stays. */
  shown = shnd_segment_ref (slot->segment);
  shown->data[0] = CANARY;
  shnd_pool_unhold (&self->pool, add (self, 4096));
  shnd_pool_clear (&self->pool);
  g_assert_cmpuint (self->retired->len, ==, 2);
  g_assert_cmpuint (shown->data[0], ==, CANARY);
  g_assert_null (shnd_pool_get (&self->pool, 0));
  shnd_pool_init (&self->pool, retire, self);
}

#define ADD(name, func) g_test_add ("/pool/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("memory", test_memory);
  ADD ("holds", test_holds);
  ADD ("latest-first", test_latest_first);
  ADD ("sizes", test_sizes);
  ADD ("capacity", test_capacity);
  ADD ("spoiled", test_spoiled);
  ADD ("shrink", test_shrink);
  ADD ("idle", test_idle);
  ADD ("unknown", test_unknown);
  ADD ("clear", test_clear);

  return g_test_run ();
}
