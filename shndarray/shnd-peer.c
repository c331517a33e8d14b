/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hub-private.h"

#include "shnd-process-private.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

ShndPeer *
shnd_peer_new (ShndHub *hub, int fd)
{
  ShndPeer *self = g_new0 (ShndPeer, 1);
  socklen_t size = sizeof self->credentials, int_size = sizeof self->queue_size;

  self->id = ++hub->last_peer_id;
  self->fd = fd;
  self->connected = g_get_monotonic_time ();
  self->ledger = g_array_new (FALSE, TRUE, sizeof (ShndLedgerEntry));
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &self->credentials, &size) != 0)
    self->credentials = (struct ucred){ .uid = (uid_t) -1, .gid = (gid_t) -1 };
  if (getsockopt (fd, SOL_SOCKET, SO_SNDBUF, &self->queue_size, &int_size) != 0)
    self->queue_size = G_MAXINT;

  return self;
}

/* NULL for a slot of which it has never heard. */
static ShndLedgerEntry *
find_entry (ShndPeer *self, guint32 slot)
{
  return slot < self->ledger->len ? &g_array_index (self->ledger, ShndLedgerEntry, slot) : NULL;
}

static ShndLedgerEntry *
get_entry (ShndPeer *self, guint32 slot)
{
  if (slot >= self->ledger->len)
    g_array_set_size (self->ledger, slot + 1);

  return find_entry (self, slot);
}

/* A socket that is closed with something unread in it gives the other side an error, before what is
 * still to be read there. */
static void
close_socket (int fd)
{
  guint64 buffer[sizeof (ShndMessageRelease) / sizeof (guint64)];

  shutdown (fd, SHUT_RDWR);
  while (shnd_message_receive (fd, buffer, sizeof buffer, NULL) > 0)
    ;
  shnd_process_close (fd);
}

void
shnd_peer_free (ShndHub *hub, ShndPeer *self)
{
  for (guint i = 0; i < self->ledger->len && self->n_held > 0; i++)
    {
      ShndLedgerEntry *entry = find_entry (self, i);
      ShndSlot *slot = shnd_pool_get (&hub->pool, i);

      if (entry->n_held > 0 && slot != NULL && self->end == SHND_PEER_OFFENDER)
        slot->spoiled = TRUE;
      for (; entry->n_held > 0; entry->n_held--, self->n_held--)
        {
          if (slot != NULL)
            shnd_pool_unhold (&hub->pool, slot);
        }
    }

  close_socket (self->fd);
  g_array_unref (self->ledger);
  g_free (self);
}

gboolean
shnd_peer_is_subscribed (ShndPeer *self)
{
  return self->state == SHND_PEER_WELCOME && self->end == SHND_PEER_STAYS && !self->observer &&
         !self->stopped;
}

gboolean
shnd_peer_has_room (ShndPeer *self)
{
  return self->n_held < self->depth;
}

gboolean
shnd_peer_has_queue (ShndPeer *self)
{
  int n_bytes;

  /* The kernel takes a message as long as less than that is waiting. Who holds nothing has read all
   * that is large. */
  self->choked =
      self->n_held > 0 && ioctl (self->fd, SIOCOUTQ, &n_bytes) == 0 && n_bytes >= self->queue_size;

  return !self->choked;
}

static void
offend (ShndPeer *self, const char *offence)
{
  self->end = SHND_PEER_OFFENDER;
  self->offence = offence;
}

static void
handle_release (ShndHub *hub, ShndPeer *self, const ShndMessage *message)
{
  for (guint i = 0; i < message->n_slots; i++)
    {
      guint32 id = message->slots[i];
      ShndLedgerEntry *entry = find_entry (self, id);

      if (entry == NULL || entry->n_held == 0)
        {
          offend (self, "the release of a slot that it does not hold");
          return;
        }

      entry->n_held--;
      self->n_held--;
      shnd_pool_unhold (&hub->pool, shnd_pool_get (&hub->pool, id));
    }

  /* Others may wait for the slot, or for the room. */
  shnd_hub_wake_waiters (hub);
}

static void
handle_hello (ShndHub *hub, ShndPeer *self, const ShndMessage *message)
{
  const ShndMessageHello *hello = message->hello;

  self->wanted_depth = hello->depth;
  self->observer = hello->depth == SHND_OBSERVER_DEPTH;
  if (hello->version != SHND_PROTOCOL_VERSION)
    {
      shnd_hub_service_refuse (hub, self, SHND_REFUSAL_VERSION,
                               "The publisher speaks version 1 of the protocol");
    }
  else if (hub->publisher == NULL)
    {
      /* Nobody is left who could be asked. */
      self->end = SHND_PEER_GONE;
    }
  else if (hub->wants_to_authorize (hub->publisher))
    {
      self->state = SHND_PEER_ASKING;
      hub->n_asking++;
      hub->authorize_later (hub->publisher);
      shnd_hub_wake_waiters (hub);
    }
  else if (self->credentials.uid == geteuid ())
    {
      shnd_hub_service_welcome (hub, self);
    }
  else
    {
      shnd_hub_service_refuse (hub, self, SHND_REFUSAL_PERMISSION,
                               "The publisher admits only subscribers of its own user");
    }
}

static void
handle (ShndHub *hub, ShndPeer *self, const ShndMessage *message)
{
  if ((message->type == SHND_MESSAGE_HELLO) != (self->state == SHND_PEER_GREETING) ||
      self->state == SHND_PEER_ASKING || (self->state == SHND_PEER_WELCOME && self->observer))
    {
      offend (self, self->state == SHND_PEER_GREETING ? "a message before the greeting" :
                                                        "a message out of turn");
      return;
    }

  switch (message->type)
    {
    case SHND_MESSAGE_HELLO:
      handle_hello (hub, self, message);
      break;

    case SHND_MESSAGE_RELEASE:
      handle_release (hub, self, message);
      break;

    default: /* STOP, as nothing else passes the check */
      if (self->stopped)
        {
          offend (self, "a message out of turn");
          break;
        }
      self->stopped = TRUE;
      self->missed = FALSE;
      shnd_hub_change_subscribers (hub, -1);
    }
}

void
shnd_peer_read (ShndHub *hub, ShndPeer *self)
{
  /* It cannot go on for long: each message must give back something that it holds. */
  while (self->end == SHND_PEER_STAYS)
    {
      guint64 buffer[sizeof (ShndMessageRelease) / sizeof (guint64)];
      ShndMessage message;
      const char *problem;
      gssize size = shnd_message_receive (self->fd, buffer, sizeof buffer, NULL);

      /* Or the system is short of something: then it is read another time. */
      if (size < 0 && errno != EMSGSIZE && errno != ECONNRESET)
        return;

      if (size < 0 && errno == EMSGSIZE)
        {
          offend (self, "a message that is too long, or has descriptors");
        }
      else if (size <= 0)
        {
          self->end = SHND_PEER_GONE;
        }
      else
        {
          problem = shnd_message_parse (&message, buffer, size, FALSE, FALSE);
          if (problem != NULL)
            offend (self, problem);
          else
            handle (hub, self, &message);
        }

      /* All that was to be read: the next look would be for nothing. */
      if (self->state == SHND_PEER_WELCOME && self->n_held == 0)
        return;
    }
}

/* What a failed send means. Only who has hung up cannot look at its slots any more. */
static void
send_failed (ShndHub *hub, ShndPeer *self, int result)
{
  if (result == EAGAIN)
    self->choked = TRUE;
  else if (result == EMSGSIZE)
    offend (self, "a queue that is too small for the frame's message");
  else if (result == EPIPE || result == ECONNRESET || result == ENOTCONN)
    self->end = SHND_PEER_GONE;
  else if (!self->starved)
    {
      /* Nothing tells when there is enough: the service thread tries again. */
      self->starved = TRUE;
      shnd_hub_service_wake (hub);
    }
}

gboolean
shnd_peer_send_frame (ShndHub *hub, ShndPeer *self, ShndSlot *slot, GByteArray *message)
{
  ShndMessageFrame *frame = (gpointer) message->data;
  ShndLedgerEntry *entry = get_entry (self, slot->id);
  gboolean is_new = !entry->known;
  int result;

  frame->flags = (frame->flags & SHND_FRAME_REPEAT) | (is_new ? SHND_FRAME_NEW_SLOT : 0);
  result =
      shnd_message_send (self->fd, message->data, message->len, is_new ? slot->segment->fd : -1);
  if (result != 0)
    {
      send_failed (hub, self, result);
      return FALSE;
    }

  entry->known = TRUE;
  entry->n_held++;
  self->n_held++;
  shnd_pool_hold (&hub->pool, slot);
  self->missed = FALSE;
  self->choked = FALSE;
  self->starved = FALSE;
  return TRUE;
}

void
shnd_peer_retire (ShndPeer *self, ShndSlot *slot)
{
  const ShndMessageRetire message = {
    .header = { SHND_MESSAGE_RETIRE, sizeof message },
    .slot = slot->id,
  };

  ShndLedgerEntry *entry = find_entry (self, slot->id);

  if (entry == NULL || !entry->known)
    return;

  entry->known = FALSE;
  /* If it does not get through, it keeps memory that it does not need, until the number comes again
   * with another descriptor. */
  shnd_message_send (self->fd, &message, sizeof message, -1);
}
