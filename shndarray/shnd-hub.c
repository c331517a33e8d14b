/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hub-private.h"

#include "shnd-error-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How long the end of the process waits for a thread that is at work, in microseconds. */
#define EXIT_PATIENCE (G_USEC_PER_SEC / 5)
#define EXIT_INTERVAL 100

static GMutex all_mutex;
static ShndHub *all;

/* ---- Coming and going ---- */

static void
retire_slot (gpointer data, ShndSlot *slot)
{
  ShndHub *self = data;

  /* In a child the sockets are closed. */
  if (self->mark != shnd_process_get_mark ())
    return;

  for (guint i = 0; i < self->peers->len; i++)
    shnd_peer_retire (g_ptr_array_index (self->peers, i), slot);
}

ShndHub *
shnd_hub_new (const char *path, GError **error)
{
  g_autoptr (ShndHub) self = g_new0 (ShndHub, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->mark = shnd_process_get_mark ();
  self->path = g_strdup (path);
  g_mutex_init (&self->mutex);
  self->depth = SHND_DEFAULT_DEPTH;
  self->max_subscribers = 128;
  self->listener = (ShndListener){ .fd = -1, .lock_fd = -1 };
  self->epoll = -1;
  self->wake = -1;
  self->peers = g_ptr_array_new ();
  self->observers = g_ptr_array_new ();
  self->log = g_ptr_array_new_with_free_func (g_free);
  shnd_pool_init (&self->pool, retire_slot, self);
  self->closed = TRUE;

  self->status = shnd_pool_make_segment (SHND_STATUS_SIZE * sizeof (guint64), error);
  if (self->status == NULL || !shnd_address_listen (path, &self->listener, error))
    return NULL;

  return g_steal_pointer (&self);
}

gboolean
shnd_hub_start (ShndHub *self, GError **error)
{
  self->closed = FALSE;
  if (!shnd_hub_service_start (self, error))
    {
      shnd_hub_close (self);
      return FALSE;
    }

  g_mutex_lock (&all_mutex);
  self->next = all;
  all = self;
  g_mutex_unlock (&all_mutex);

  return TRUE;
}

ShndHub *
shnd_hub_ref (ShndHub *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
shnd_hub_unref (ShndHub *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  if (self->mark != shnd_process_get_mark ())
    {
      /* Another thread of the parent may have been at it: then it stays as it is. */
      if (!g_mutex_trylock (&self->mutex))
        return;
      g_mutex_unlock (&self->mutex);
    }
  else if (self->listener.fd >= 0)
    {
      shnd_address_stop (self->path, &self->listener);
    }
  if (self->pool.slots != NULL)
    shnd_pool_clear (&self->pool);
  g_clear_pointer (&self->status, shnd_segment_unref);
  g_clear_pointer (&self->last_message, g_byte_array_unref);
  g_ptr_array_unref (self->peers);
  g_ptr_array_unref (self->observers);
  g_ptr_array_unref (self->log);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  g_free (self);
}

/* With the mutex. */
static void
close_locked (ShndHub *self)
{
  self->closed = TRUE;
  /* Who learns of the end finds the address free. */
  if (self->listener.fd >= 0)
    shnd_address_stop (self->path, &self->listener);
  shnd_hub_set_status (self, SHND_STATUS_ENDED, 1);

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (!shnd_peer_is_subscribed (peer))
        continue;

      /* Nothing is written any more, so that there is room for one more: the last is worth having. */
      if (peer->missed && self->last != NULL &&
          shnd_peer_send_frame (self, peer, self->last, self->last_message))
        shnd_hub_change_dropped (self, -1);
      shnd_message_send_plain (peer->fd, SHND_MESSAGE_END);
    }
  for (guint i = 0; i < self->peers->len; i++)
    ((ShndPeer *) g_ptr_array_index (self->peers, i))->end = SHND_PEER_GONE;
  shnd_hub_sweep (self);

  /* They see the last of what has become of the others. */
  for (guint i = 0; i < self->observers->len; i++)
    {
      ShndPeer *observer = g_ptr_array_index (self->observers, i);

      if (observer->end != SHND_PEER_STAYS)
        continue;

      shnd_message_send_plain (observer->fd, SHND_MESSAGE_END);
      observer->end = SHND_PEER_GONE;
    }
  shnd_hub_sweep_observers (self);

  /* What the program still has keeps its memory. */
  self->last = NULL;
  shnd_pool_clear (&self->pool);
  shnd_hub_wake_waiters (self);
  if (self->wake >= 0)
    shnd_hub_service_wake (self);
}

static void
forget (ShndHub *self)
{
  g_mutex_lock (&all_mutex);
  for (ShndHub **link = &all; *link != NULL; link = &(*link)->next)
    {
      if (*link == self)
        {
          *link = self->next;
          break;
        }
    }
  g_mutex_unlock (&all_mutex);
}

void
shnd_hub_forget_publisher (ShndHub *self)
{
  if (self->mark != shnd_process_get_mark ())
    return;

  g_mutex_lock (&self->mutex);
  self->publisher = NULL;
  g_mutex_unlock (&self->mutex);
}

void
shnd_hub_close (ShndHub *self)
{
  GThread *thread;
  gboolean closed;

  /* In a child neither the thread is there, nor the descriptors. */
  if (self->mark != shnd_process_get_mark ())
    return;

  forget (self);
  g_mutex_lock (&self->mutex);
  closed = self->closed;
  if (!closed)
    close_locked (self);
  thread = g_steal_pointer (&self->thread);
  /* The program's log handler runs in that thread, and may drop a publisher. */
  if (thread == g_thread_self ())
    {
      self->detached = TRUE;
      shnd_hub_ref (self);
      g_clear_pointer (&thread, g_thread_unref);
    }
  g_mutex_unlock (&self->mutex);

  if (thread != NULL)
    g_thread_join (thread);
  if (closed)
    return;

  g_mutex_lock (&self->mutex);
  shnd_hub_service_flush_log (self);
  if (self->epoll >= 0)
    shnd_process_close (self->epoll);
  if (self->wake >= 0)
    shnd_process_close (self->wake);
  self->epoll = -1;
  self->wake = -1;
  g_mutex_unlock (&self->mutex);
}

void
shnd_hub_after_fork_in_child (void)
{
  /* They are the parent's, and another thread of that may have been at the list. */
  all = NULL;
  g_mutex_init (&all_mutex);
}

void
shnd_hub_close_all (void)
{
  g_mutex_lock (&all_mutex);
  for (ShndHub *hub = all; hub != NULL; hub = hub->next)
    {
      gint64 waited;

      for (waited = 0; waited < EXIT_PATIENCE && !g_mutex_trylock (&hub->mutex);
           waited += EXIT_INTERVAL)
        g_usleep (EXIT_INTERVAL);
      if (waited >= EXIT_PATIENCE)
        continue;

      if (!hub->closed)
        close_locked (hub);
      g_mutex_unlock (&hub->mutex);
    }
  g_mutex_unlock (&all_mutex);
}

gboolean
shnd_hub_check (ShndHub *self, GError **error)
{
  if (G_UNLIKELY (self->mark != shnd_process_get_mark ()))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                           "The publisher is the one of the parent process: expected one that this "
                           "process has made");
      return FALSE;
    }

  return TRUE;
}

/* ---- Peers ---- */

void
shnd_hub_set_status (ShndHub *self, ShndStatus index, guint64 value)
{
  __atomic_store_n ((guint64 *) (gpointer) self->status->data + index, value, __ATOMIC_RELEASE);
}

void
shnd_hub_change_subscribers (ShndHub *self, gint change)
{
  self->n_subscribers += change;
  shnd_hub_set_status (self, SHND_STATUS_N_SUBSCRIBERS, self->n_subscribers);
  if (self->publisher != NULL)
    self->subscribers_changed (self->publisher);
  shnd_hub_wake_waiters (self);
}

void
shnd_hub_change_dropped (ShndHub *self, gint change)
{
  self->n_dropped += change;
  shnd_hub_set_status (self, SHND_STATUS_N_DROPPED, self->n_dropped);
}

static void
sweep (ShndHub *self, GPtrArray *peers)
{
  gboolean removed = FALSE;

  for (guint i = peers->len; i-- > 0;)
    {
      ShndPeer *peer = g_ptr_array_index (peers, i);

      if (peer->end == SHND_PEER_STAYS)
        continue;

      g_ptr_array_remove_index (peers, i);
      if (peer->state == SHND_PEER_WELCOME && !peer->observer && !peer->stopped)
        shnd_hub_change_subscribers (self, -1);
      if (peer->end == SHND_PEER_OFFENDER)
        {
          shnd_hub_service_tell (peer);
          shnd_hub_service_log (self,
                                g_strdup_printf ("%s: the subscriber with process ID %d of "
                                                 "user %u is dropped because of %s",
                                                 self->path, (int) peer->credentials.pid,
                                                 (guint) peer->credentials.uid, peer->offence));
        }
      shnd_peer_free (self, peer);
      removed = TRUE;
    }

  if (removed)
    shnd_hub_wake_waiters (self);
}

void
shnd_hub_sweep (ShndHub *self)
{
  sweep (self, self->peers);
}

void
shnd_hub_sweep_observers (ShndHub *self)
{
  sweep (self, self->observers);
}
