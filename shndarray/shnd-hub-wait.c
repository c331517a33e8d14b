/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hub-private.h"

#include "shnd-error-private.h"
#include "shnd-wait-private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Waiting, in the threads of the program, for what subscribers do. */

/* Somebody who waits, in his own thread. */
struct _ShndWaiter
{
  int fd; /* an eventfd */
  ShndWaiter *next;
};

void
shnd_hub_wake_waiters (ShndHub *self)
{
  for (ShndWaiter *waiter = self->waiters; waiter != NULL; waiter = waiter->next)
    eventfd_write (waiter->fd, 1);
}

static void
remove_waiter (ShndHub *self, ShndWaiter *waiter)
{
  for (ShndWaiter **link = &self->waiters; *link != NULL; link = &(*link)->next)
    {
      if (*link == waiter)
        {
          *link = waiter->next;
          break;
        }
    }
  close (waiter->fd);
}

gboolean
shnd_hub_wait (ShndHub *self,
               ShndPeerFunc get_events,
               gint64 deadline,
               GCancellable *cancellable,
               const char *missed,
               GError **error)
{
  g_autofree struct pollfd *fds = g_new (struct pollfd, 2 + self->peers->len);
  ShndWaiter waiter = { .fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) };
  GPollFD cancel_fd;
  gboolean has_cancel_fd;
  guint n_fds = 0;

  if (waiter.fd < 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot wait for the subscribers");
      return FALSE;
    }

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      close (waiter.fd);
      return FALSE;
    }
  if (deadline >= 0 && g_get_monotonic_time () >= deadline)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT, "The publisher “%s” %s", self->path,
                   missed);
      close (waiter.fd);
      return FALSE;
    }

  waiter.next = self->waiters;
  self->waiters = &waiter;
  fds[n_fds++] = (struct pollfd){ .fd = waiter.fd, .events = POLLIN };
  has_cancel_fd = g_cancellable_make_pollfd (cancellable, &cancel_fd);
  if (has_cancel_fd)
    fds[n_fds++] = (struct pollfd){ .fd = cancel_fd.fd, .events = POLLIN };
  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      short events = get_events != NULL ? get_events (peer) : 0;

      if (events != 0)
        fds[n_fds++] = (struct pollfd){ .fd = peer->fd, .events = events };
    }
  g_mutex_unlock (&self->mutex);

  shnd_wait_poll (fds, n_fds, deadline);

  if (has_cancel_fd)
    g_cancellable_release_fd (cancellable);
  g_mutex_lock (&self->mutex);
  remove_waiter (self, &waiter);

  return TRUE;
}

gboolean
shnd_hub_check_open (ShndHub *self, GError **error)
{
  if (!self->closed)
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                       "The publisher is closed: expected one that is open");
  return FALSE;
}

gboolean
shnd_hub_wait_subscribers (ShndHub *self,
                           guint n_subscribers,
                           void (*between) (gpointer data),
                           gpointer data,
                           gint64 deadline,
                           GCancellable *cancellable,
                           GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!shnd_hub_check (self, error))
    return FALSE;

  locker = g_mutex_locker_new (&self->mutex);
  while (shnd_hub_check_open (self, error))
    {
      g_autofree char *missed = NULL;

      if (between != NULL)
        {
          guint64 n_asking = self->n_asking;

          g_mutex_unlock (&self->mutex);
          between (data);
          g_mutex_lock (&self->mutex);
          /* What happened meanwhile has woken nobody. */
          if (self->closed || self->n_asking != n_asking)
            continue;
        }
      if (self->n_subscribers >= n_subscribers)
        return TRUE;

      missed = g_strdup_printf ("has %u subscribers: expected at least %u", self->n_subscribers,
                                n_subscribers);
      if (!shnd_hub_wait (self, NULL, deadline, cancellable, missed, error))
        return FALSE;
    }

  return FALSE;
}
