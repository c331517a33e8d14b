/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hub-private.h"

#include "shnd-error-private.h"
#include "shnd-process-private.h"

#include <poll.h>

/* Memory for frames, and sending them. */

/* From which size on, in bytes, the memory that came back last is looked for first. */
#define LARGE_FRAME (1 << 20)

/* ---- What is waited for on the socket of a peer ---- */

static short
until_releases (ShndPeer *peer)
{
  return peer->n_held > 0 ? POLLIN : 0;
}

static short
until_has_room (ShndPeer *peer)
{
  if (!shnd_peer_is_subscribed (peer))
    return 0;

  return !shnd_peer_has_room (peer) ? POLLIN : peer->choked ? POLLOUT : 0;
}

static short
until_made_up (ShndPeer *peer)
{
  if (!shnd_peer_is_subscribed (peer) || !peer->missed)
    return 0;

  return peer->choked ? POLLOUT : POLLIN;
}

/* ---- Acquiring ---- */

static void
give_back (gpointer owner, guint32 id)
{
  ShndHub *self = owner;
  ShndSlot *slot;

  if (self->mark != shnd_process_get_mark ())
    return;

  g_mutex_lock (&self->mutex);
  slot = shnd_pool_get (&self->pool, id);
  if (slot != NULL)
    {
      shnd_pool_unhold (&self->pool, slot);
      shnd_hub_wake_waiters (self);
    }
  g_mutex_unlock (&self->mutex);
}

/* Reads what peers have sent that hold at least so many frames, or as many as they may. */
static void
read_releases (ShndHub *self, guint n_held)
{
  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (peer->n_held < MIN (n_held, MAX (peer->depth, 1)))
        continue;

      shnd_peer_read (self, peer);
      shnd_hub_service_make_up (self, peer);
    }
  shnd_hub_sweep (self);
}

/* A slot that is free, or free when what subscribers have sent is read. */
static ShndSlot *
take_slot (ShndHub *self, guint64 n_bytes)
{
  /* Of much memory that which was used last is the fastest: more of it is in the caches than a look
   * costs. Else only who has no room is worth one, which is better now than when the frame is to be
   * sent. */
  const guint n_held = n_bytes >= LARGE_FRAME ? 1 : G_MAXUINT;
  ShndSlot *slot;

  read_releases (self, n_held);
  slot = shnd_pool_take (&self->pool, n_bytes);
  if (slot != NULL || n_held == 1)
    return slot;

  read_releases (self, 1);

  return shnd_pool_take (&self->pool, n_bytes);
}

/* Who comes late, or has missed it, can do without the last frame, if there is no other memory. */
static gboolean
drop_last (ShndHub *self)
{
  if (self->last == NULL || self->last->n_holds > 1)
    return FALSE;

  for (guint i = 0; self->overflow == SHND_OVERFLOW_BLOCK && i < self->peers->len; i++)
    {
      if (until_made_up (g_ptr_array_index (self->peers, i)) != 0)
        return FALSE;
    }

  shnd_hub_set_status (self, SHND_STATUS_KEPT, 0);
  shnd_pool_unhold (&self->pool, g_steal_pointer (&self->last));
  return TRUE;
}

static gboolean
has_room_for_slot (ShndHub *self)
{
  return self->max_frames == 0 || self->pool.n_slots + self->n_making < self->max_frames;
}

/* Lets go of the mutex meanwhile, as it takes long. */
static ShndSlot *
make_slot (ShndHub *self, guint64 n_bytes, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  guint64 capacity = shnd_pool_get_capacity (&self->pool, n_bytes);
  ShndSlot *slot;

  self->n_making++;
  g_mutex_unlock (&self->mutex);
  segment = shnd_pool_make_segment (capacity, error);
  g_mutex_lock (&self->mutex);
  self->n_making--;

  if (segment == NULL)
    {
      shnd_hub_wake_waiters (self);
      return NULL;
    }
  if (!shnd_hub_check_open (self, error))
    return NULL;

  slot = shnd_pool_add (&self->pool, segment);
  if (slot == NULL)
    g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE, "The publisher “%s” has %d frames already",
                 self->path, SHND_MAX_SLOTS);
  return slot;
}

ShndHold *
shnd_hub_acquire (ShndHub *self,
                  guint64 n_bytes,
                  gint64 deadline,
                  GCancellable *cancellable,
                  ShndSegment **segment,
                  GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  ShndSlot *slot = NULL;
  ShndHold *hold;

  /* Also if nothing has to be waited for, so that a loop of such calls can be cancelled. */
  if (!shnd_hub_check (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;

  locker = g_mutex_locker_new (&self->mutex);
  while (slot == NULL)
    {
      if (!shnd_hub_check_open (self, error))
        return NULL;

      slot = take_slot (self, n_bytes);
      if (slot != NULL)
        break;

      if (has_room_for_slot (self) || shnd_pool_shrink (&self->pool))
        {
          slot = make_slot (self, n_bytes, error);
          if (slot == NULL)
            return NULL;
        }
      else if (drop_last (self))
        {
          continue;
        }
      else if (!shnd_hub_wait (self, until_releases, deadline, cancellable,
                               "has no frame that is free: all that it may have are held", error))
        {
          return NULL;
        }
    }

  hold = shnd_hold_new (shnd_hub_ref (self), (GDestroyNotify) shnd_hub_unref, give_back, slot->id);
  *segment = shnd_hold_get_segment (hold, slot->segment);

  return hold;
}

ShndHold *
shnd_hub_repeat (
    ShndHub *self, ShndHold *hold, guint64 sequence, ShndSegment **segment, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  ShndSlot *slot;
  ShndHold *again;

  if (!shnd_hub_check (self, error))
    return NULL;

  locker = g_mutex_locker_new (&self->mutex);
  if (!shnd_hub_check_open (self, error))
    return NULL;

  /* Who gives it back after this look waits for the mutex, and finds one hold more. */
  if (shnd_hold_is_given_back (hold) && (self->last == NULL || self->sequence != sequence))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_ACQUIRED,
                           "Cannot repeat the frame: expected the newest one, or one whose memory "
                           "something still shows");
      return NULL;
    }

  slot = shnd_pool_get (&self->pool, hold->slot);
  shnd_pool_hold (&self->pool, slot);
  again = shnd_hold_new (shnd_hub_ref (self), (GDestroyNotify) shnd_hub_unref, give_back, slot->id);
  again->repeat = TRUE;
  *segment = shnd_hold_get_segment (again, slot->segment);
  (*segment)->access = SHND_ACCESS_READ;

  return again;
}

/* Whether all have room; reads what they have sent. If nobody is to miss a frame, there has to be room
 * in their queues, too: who knows that before the frame has a number can still give up. */
static gboolean
make_room (ShndHub *self)
{
  gboolean have_room = TRUE;

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (!shnd_peer_is_subscribed (peer))
        continue;

      if (!shnd_peer_has_room (peer))
        shnd_peer_read (self, peer);
      if (self->overflow == SHND_OVERFLOW_BLOCK)
        shnd_hub_service_make_up (self, peer);
      if (shnd_peer_is_subscribed (peer) &&
          (!shnd_peer_has_room (peer) ||
           (self->overflow == SHND_OVERFLOW_BLOCK &&
            (!shnd_peer_has_queue (peer) || (peer->missed && self->last != NULL)))))
        have_room = FALSE;
    }
  shnd_hub_sweep (self);

  return have_room;
}

static void
send_to_all (ShndHub *self)
{
  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (!shnd_peer_is_subscribed (peer))
        continue;

      if (shnd_peer_has_room (peer) &&
          shnd_peer_send_frame (self, peer, self->last, self->last_message))
        continue;

      if (peer->end == SHND_PEER_STAYS)
        {
          peer->missed = TRUE;
          shnd_hub_change_dropped (self, 1);
          shnd_hub_service_update (self, peer);
        }
    }
  shnd_hub_sweep (self);
}

/* The frame has its number by now: who has not got it, because the system was short of something, gets
 * it as soon as it can be sent, or when the next one is published. */
static void
send_to_missed (ShndHub *self, guint64 sequence, gint64 deadline, GCancellable *cancellable)
{
  /* Another thread may publish the next one meanwhile, if this becomes a DROP. */
  while (!self->closed && self->last != NULL && self->sequence == sequence)
    {
      gboolean all_have_it = TRUE;

      for (guint i = 0; i < self->peers->len; i++)
        {
          ShndPeer *peer = g_ptr_array_index (self->peers, i);

          if (peer->missed && peer->n_held > 0)
            shnd_peer_read (self, peer);
          shnd_hub_service_make_up (self, peer);
          all_have_it = all_have_it && until_made_up (peer) == 0;
        }
      shnd_hub_sweep (self);
      if (all_have_it || !shnd_hub_wait (self, until_made_up, deadline, cancellable, "", NULL))
        return;
    }
}

gboolean
shnd_hub_publish (ShndHub *self,
                  ShndHold *hold,
                  const ShndLayout *layout,
                  guint64 offset,
                  gint64 timestamp,
                  GVariant *metadata,
                  gint64 deadline,
                  GCancellable *cancellable,
                  guint64 *sequence,
                  GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  ShndMessageFrame *frame;
  ShndSlot *last;

  if (!shnd_hub_check (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  locker = g_mutex_locker_new (&self->mutex);
  while (TRUE)
    {
      if (!shnd_hub_check_open (self, error))
        return FALSE;
      /* With shnd_frame_release_now(), by another thread. */
      if (shnd_hold_is_given_back (hold))
        {
          g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_ACQUIRED,
                               "Cannot publish the frame: it was released");
          return FALSE;
        }

      if (make_room (self) || self->overflow == SHND_OVERFLOW_DROP)
        break;

      if (!shnd_hub_wait (
              self, until_has_room, deadline, cancellable,
              "could not publish: a subscriber still holds all frames that it may hold, "
              "or does not read",
              error))
        {
          for (guint i = 0; i < self->peers->len; i++)
            shnd_hub_service_make_up (self, g_ptr_array_index (self->peers, i));
          shnd_hub_sweep (self);
          return FALSE;
        }
    }

  last = self->last;
  self->last = shnd_pool_get (&self->pool, hold->slot);
  shnd_pool_hold (&self->pool, self->last);
  if (last != NULL)
    shnd_pool_unhold (&self->pool, last);

  if (self->last_message == NULL)
    self->last_message = g_byte_array_new ();
  shnd_message_build_frame (self->last_message, layout, offset, timestamp, metadata);
  frame = (gpointer) self->last_message->data;
  frame->slot = self->last->id;
  frame->flags = hold->repeat ? SHND_FRAME_REPEAT : 0;
  frame->sequence = ++self->sequence;
  *sequence = self->sequence;

  /* Before it is sent: who sees the number and has not got the frame knows that it missed it, or
   * that it is on its way. */
  shnd_hub_set_status (self, SHND_STATUS_FRAME_SIZE, shnd_layout_get_n_bytes (layout));
  shnd_hub_set_status (self, SHND_STATUS_HEAD, self->sequence);
  shnd_hub_set_status (self, SHND_STATUS_KEPT, self->sequence);
  send_to_all (self);
  if (self->overflow == SHND_OVERFLOW_BLOCK)
    send_to_missed (self, *sequence, deadline, cancellable);

  return TRUE;
}
