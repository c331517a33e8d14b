/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-pool-private.h"

#include "shnd-error.h"
#include "shnd-protocol-private.h"

/* A free slot goes when so many others were taken since it was used. */
#define MAX_IDLE 64

/* A slot that is so many times larger than needed is not used for small frames while it could go. */
#define MAX_WASTE 8
#define SMALL_SLOT (1024 * 1024)

void
shnd_pool_init (ShndPool *self, void (*retire) (gpointer data, ShndSlot *slot), gpointer data)
{
  *self = (ShndPool){ .slots = g_ptr_array_new (), .retire = retire, .data = data };
}

static void
end_slot (ShndPool *self, ShndSlot *slot)
{
  self->retire (self->data, slot);
  g_ptr_array_index (self->slots, slot->id) = NULL;
  self->n_slots--;
  shnd_segment_unref (slot->segment);
  g_free (slot);
}

void
shnd_pool_clear (ShndPool *self)
{
  for (guint i = 0; i < self->slots->len; i++)
    {
      ShndSlot *slot = g_ptr_array_index (self->slots, i);

      if (slot != NULL)
        end_slot (self, slot);
    }
  g_clear_pointer (&self->slots, g_ptr_array_unref);
  self->free = NULL;
}

/* The link to the free slot that was not used for the longest time. */
static ShndSlot **
find_oldest (ShndPool *self)
{
  ShndSlot **oldest = NULL;

  for (ShndSlot **link = &self->free; *link != NULL; link = &(*link)->next)
    {
      if (oldest == NULL || (*link)->last_used < (*oldest)->last_used)
        oldest = link;
    }

  return oldest;
}

static ShndSlot *
unlink_free (ShndSlot **link)
{
  ShndSlot *slot = *link;

  *link = slot->next;
  slot->next = NULL;

  return slot;
}

gboolean
shnd_pool_shrink (ShndPool *self)
{
  ShndSlot **oldest = find_oldest (self);

  if (oldest == NULL)
    return FALSE;

  end_slot (self, unlink_free (oldest));
  return TRUE;
}

static gboolean
fits (ShndSlot *slot, guint64 n_bytes)
{
  return slot->capacity >= n_bytes &&
         (slot->capacity <= SMALL_SLOT || slot->capacity / MAX_WASTE <= n_bytes);
}

ShndSlot *
shnd_pool_take (ShndPool *self, guint64 n_bytes)
{
  ShndSlot **oldest;

  for (ShndSlot **link = &self->free; *link != NULL; link = &(*link)->next)
    {
      ShndSlot *slot;

      if (!fits (*link, n_bytes))
        continue;

      slot = unlink_free (link);
      slot->last_used = ++self->n_taken;
      slot->n_holds = 1;

      oldest = find_oldest (self);
      if (oldest != NULL && self->n_taken - (*oldest)->last_used > MAX_IDLE)
        end_slot (self, unlink_free (oldest));

      return slot;
    }

  return NULL;
}

guint64
shnd_pool_get_capacity (ShndPool *self, guint64 n_bytes)
{
  /* Where there are slots that are too small, frames differ in size: the next may be larger again. */
  for (ShndSlot *slot = self->free; slot != NULL; slot = slot->next)
    {
      if (slot->capacity < n_bytes && slot->capacity >= n_bytes / 2)
        return n_bytes + n_bytes / 4;
    }

  return n_bytes;
}

ShndSegment *
shnd_pool_make_segment (guint64 capacity, GError **error)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", error);
  g_autoptr (ShndSegment) segment = NULL;
  /* The file ends with the page that has them anyway. */
  const gint64 shape[] = { shnd_segment_round_up (MAX (capacity, 1)) };
  ShndLayout layout;

  if (capacity > G_MAXINT64 / 2)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "No space for a frame of %" G_GUINT64_FORMAT " bytes: more than a file can have",
                   capacity);
      return NULL;
    }

  if (dtype == NULL || !shnd_layout_init (&layout, dtype, shape, 1, FALSE, error))
    return NULL;

  segment = shnd_segment_new (NULL, &layout, NULL, NULL, SHND_CREATE_NONE, error);
  if (segment == NULL || !shnd_segment_seal (segment, error))
    return NULL;

  return g_steal_pointer (&segment);
}

ShndSlot *
shnd_pool_add (ShndPool *self, ShndSegment *segment)
{
  ShndSlot *slot;
  guint id;

  for (id = 0; id < self->slots->len && g_ptr_array_index (self->slots, id) != NULL; id++)
    ;
  if (id == SHND_MAX_SLOTS)
    return NULL;

  slot = g_new0 (ShndSlot, 1);
  slot->id = id;
  slot->segment = shnd_segment_ref (segment);
  slot->capacity = segment->data_size;
  slot->n_holds = 1;
  slot->last_used = ++self->n_taken;
  if (id == self->slots->len)
    g_ptr_array_add (self->slots, slot);
  else
    g_ptr_array_index (self->slots, id) = slot;
  self->n_slots++;

  return slot;
}

ShndSlot *
shnd_pool_get (ShndPool *self, guint32 id)
{
  return self->slots != NULL && id < self->slots->len ? g_ptr_array_index (self->slots, id) : NULL;
}

void
shnd_pool_hold (ShndPool *self, ShndSlot *slot)
{
  slot->n_holds++;
}

void
shnd_pool_unhold (ShndPool *self, ShndSlot *slot)
{
  g_return_if_fail (slot->n_holds > 0);
  if (--slot->n_holds > 0)
    return;

  if (slot->spoiled)
    {
      end_slot (self, slot);
    }
  else
    {
      slot->next = self->free;
      self->free = slot;
    }
}
