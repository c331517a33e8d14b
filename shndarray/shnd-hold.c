/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hold-private.h"

ShndHold *
shnd_hold_new (gpointer owner, GDestroyNotify owner_unref, ShndGiveBackFunc give_back, guint32 slot)
{
  ShndHold *self = g_new (ShndHold, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->given_back = FALSE;
  self->owner = owner;
  self->owner_unref = owner_unref;
  self->give_back = give_back;
  self->slot = slot;
  self->repeat = FALSE;

  return self;
}

ShndHold *
shnd_hold_ref (ShndHold *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
shnd_hold_unref (ShndHold *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  self->owner_unref (self->owner);
  g_free (self);
}

void
shnd_hold_give_back (ShndHold *self)
{
  if (g_atomic_int_compare_and_exchange (&self->given_back, FALSE, TRUE))
    self->give_back (self->owner, self->slot);
}

gboolean
shnd_hold_is_given_back (ShndHold *self)
{
  return g_atomic_int_get (&self->given_back);
}

static void
segment_gone (gpointer data)
{
  ShndHold *self = data;

  shnd_hold_give_back (self);
  shnd_hold_unref (self);
}

ShndSegment *
shnd_hold_get_segment (ShndHold *self, ShndSegment *slot)
{
  return shnd_segment_new_loan (slot, segment_gone, shnd_hold_ref (self));
}
