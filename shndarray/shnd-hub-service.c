/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-hub-private.h"

#include "shnd-error-private.h"
#include "shnd-process-private.h"
#include "shnd-thread-private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* The thread of a publisher that accepts subscribers, notices when they go, and gives the newest
 * frame to those who come late or have missed it. It sleeps while frames are published and given back
 * in time: what subscribers send is read by who publishes. */

/* Which event is whose: the number of a peer, or one of these. */
#define EVENT_WAKE G_MAXUINT64
#define EVENT_LISTENER (G_MAXUINT64 - 1)

#define MAX_EVENTS 64

/* How long no connection is accepted when there are no descriptors left, in milliseconds. */
#define PAUSE 100

/* How many descriptors connections leave to the program and its frames. */
#define RESERVED_DESCRIPTORS 8

/* So that messages with large metadata do not fill the queue; the system may allow less. */
#define QUEUE_SIZE (512 * 1024)

static int
control (ShndHub *self, int operation, int fd, guint64 id, guint32 events)
{
  struct epoll_event event = { .events = events, .data.u64 = id };

  return epoll_ctl (self->epoll, operation, fd, &event);
}

void
shnd_hub_service_update (ShndHub *self, ShndPeer *peer)
{
  guint32 events = EPOLLRDHUP;

  /* Never for both: one that is always ready would wake the thread again and again. */
  if (peer->missed && peer->choked)
    events |= EPOLLOUT;
  else if (peer->state == SHND_PEER_GREETING || peer->observer || peer->missed)
    events |= EPOLLIN;

  if (events != peer->events)
    control (self, EPOLL_CTL_MOD, peer->fd, peer->id, events);
  peer->events = events;
}

void
shnd_hub_service_wake (ShndHub *self)
{
  eventfd_write (self->wake, 1);
}

void
shnd_hub_service_log (ShndHub *self, char *line)
{
  g_ptr_array_add (self->log, line);
  if (self->wake >= 0)
    shnd_hub_service_wake (self);
}

void
shnd_hub_service_flush_log (ShndHub *self)
{
  g_autoptr (GPtrArray) lines = NULL;

  if (self->log->len == 0)
    return;

  lines = g_steal_pointer (&self->log);
  self->log = g_ptr_array_new_with_free_func (g_free);
  g_mutex_unlock (&self->mutex);
  for (guint i = 0; i < lines->len; i++)
    g_message ("%s", (const char *) g_ptr_array_index (lines, i));
  g_mutex_lock (&self->mutex);
}

/* Sends the newest frame to a peer that has not got it, if it has room. */
static void
send_last (ShndHub *self, ShndPeer *peer)
{
  /* Nothing to be sent: its queue would be ready again and again. */
  if (self->last == NULL)
    peer->choked = peer->starved = FALSE;

  if (shnd_peer_is_subscribed (peer) && self->last != NULL &&
      !(shnd_peer_has_room (peer) &&
        shnd_peer_send_frame (self, peer, self->last, self->last_message)) &&
      peer->end == SHND_PEER_STAYS && !peer->missed)
    {
      peer->missed = TRUE;
      shnd_hub_change_dropped (self, 1);
    }
}

void
shnd_hub_service_make_up (ShndHub *self, ShndPeer *peer)
{
  if (!peer->missed || peer->end != SHND_PEER_STAYS)
    return;

  send_last (self, peer);
  if (!peer->missed)
    {
      /* It has got the newest one after all. */
      shnd_hub_change_dropped (self, -1);
      shnd_hub_wake_waiters (self);
    }
  if (peer->end == SHND_PEER_STAYS)
    shnd_hub_service_update (self, peer);
}

void
shnd_hub_service_welcome (ShndHub *self, ShndPeer *peer)
{
  ShndMessageHello message = {
    .header = { SHND_MESSAGE_WELCOME, sizeof message },
    .magic = SHND_PROTOCOL_MAGIC,
    .version = SHND_PROTOCOL_VERSION,
  };
  guint limit = self->depth;

  if (peer->observer)
    peer->depth = 0;
  else
    peer->depth = peer->wanted_depth == 0 ? limit : MIN (peer->wanted_depth, limit);
  message.depth = peer->depth;
  if (shnd_message_send (peer->fd, &message, sizeof message, self->status->fd) != 0)
    {
      peer->end = SHND_PEER_GONE;
      return;
    }

  peer->state = SHND_PEER_WELCOME;
  if (peer->observer)
    {
      g_ptr_array_remove (self->peers, peer);
      g_ptr_array_add (self->observers, peer);
    }
  else
    {
      shnd_hub_change_subscribers (self, 1);
      send_last (self, peer);
    }
  shnd_hub_service_update (self, peer);
}

/* To a socket that may be no peer's. */
static void
send_refusal (int fd, ShndRefusal code, const char *text)
{
  struct
  {
    ShndMessageRefused refused;
    char text[SHND_MAX_REFUSAL];
  } message = { 0 };
  gsize length = MIN (strlen (text), sizeof message.text);

  memcpy (message.text, text, length);
  message.refused.header.type = SHND_MESSAGE_REFUSED;
  message.refused.header.size = sizeof message.refused + length;
  message.refused.code = code;
  message.refused.version = SHND_PROTOCOL_VERSION;
  shnd_message_send (fd, &message, message.refused.header.size, -1);
}

void
shnd_hub_service_refuse (ShndHub *self, ShndPeer *peer, ShndRefusal code, const char *text)
{
  send_refusal (peer->fd, code, text);
  peer->end = SHND_PEER_GONE;
}

void
shnd_hub_service_tell (ShndPeer *peer)
{
  g_autofree char *text = g_strdup_printf ("It is dropped because of %s", peer->offence);

  send_refusal (peer->fd, SHND_REFUSAL_PROTOCOL, text);
}

/* ---- Accepting ---- */

/* When there is no room for another one, who has said nothing for the longest time leaves. */
static gboolean
make_room_for_peer (ShndHub *self)
{
  if (self->peers->len + self->observers->len < self->max_subscribers)
    return TRUE;

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      /* They are in the order of their coming. */
      if (peer->state == SHND_PEER_GREETING)
        {
          peer->end = SHND_PEER_GONE;
          shnd_hub_sweep (self);
          return TRUE;
        }
    }

  return FALSE;
}

static int
accept_socket (ShndHub *self)
{
  int fd;

  shnd_process_begin ();
  fd = accept4 (self->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0)
    shnd_process_own_locked (fd);
  shnd_process_end ();

  return fd;
}

/* Whether there are some descriptors left for the frames, if that one is taken. */
static gboolean
leaves_descriptors (int fd)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_NOFILE, &limit) != 0 ||
         (rlim_t) fd + RESERVED_DESCRIPTORS < limit.rlim_cur;
}

static void
accept_peers (ShndHub *self)
{
  /* Not for ever, if they come as fast: the others have their turn, too. */
  for (guint i = 0; i < MAX_EVENTS; i++)
    {
      const int size = QUEUE_SIZE;
      ShndPeer *peer;
      int fd = accept_socket (self);

      if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
        continue;
      if (fd < 0)
        {
          if (errno != EAGAIN)
            {
              control (self, EPOLL_CTL_MOD, self->listener.fd, EVENT_LISTENER, 0);
              self->accept_paused = TRUE;
            }
          return;
        }

      if (!make_room_for_peer (self) || !leaves_descriptors (fd))
        {
          send_refusal (fd, SHND_REFUSAL_FULL, "The publisher has as many subscribers as it takes");
          shnd_process_close (fd);
          continue;
        }

      setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
      peer = shnd_peer_new (self, fd);
      peer->events = EPOLLIN | EPOLLRDHUP;
      if (control (self, EPOLL_CTL_ADD, fd, peer->id, peer->events) != 0)
        {
          shnd_peer_free (self, peer);
          continue;
        }
      g_ptr_array_add (self->peers, peer);
    }
}

/* ---- Asking the program ---- */

gboolean
shnd_hub_get_asking (ShndHub *self, guint64 *peer_id, struct ucred *credentials)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (peer->state == SHND_PEER_ASKING && !peer->in_turn)
        {
          peer->in_turn = TRUE;
          *peer_id = peer->id;
          *credentials = peer->credentials;
          return TRUE;
        }
    }

  return FALSE;
}

static ShndPeer *
find_among (GPtrArray *peers, guint64 id)
{
  for (guint i = 0; i < peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (peers, i);

      if (peer->id == id)
        return peer;
    }

  return NULL;
}

static ShndPeer *
find_peer (ShndHub *self, guint64 id)
{
  ShndPeer *peer = find_among (self->peers, id);

  return peer != NULL ? peer : find_among (self->observers, id);
}

void
shnd_hub_answer (ShndHub *self, guint64 peer_id, gboolean allowed)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);
  ShndPeer *peer = find_peer (self, peer_id);

  if (peer == NULL || peer->state != SHND_PEER_ASKING)
    return;

  if (allowed)
    shnd_hub_service_welcome (self, peer);
  else
    shnd_hub_service_refuse (self, peer, SHND_REFUSAL_PERMISSION,
                             "The publisher does not admit this subscriber");
  shnd_hub_sweep (self);
}

/* ---- The thread ---- */

static void
serve (ShndHub *self, guint64 id, guint32 events)
{
  ShndPeer *peer = find_peer (self, id);

  if (peer == NULL || peer->end != SHND_PEER_STAYS)
    return;

  if ((events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0)
    {
      peer->end = SHND_PEER_GONE;
      return;
    }

  if ((events & EPOLLIN) != 0)
    shnd_peer_read (self, peer);
  shnd_hub_service_make_up (self, peer);
  if (peer->end == SHND_PEER_STAYS)
    shnd_hub_service_update (self, peer);
}

/* Throws out those who have been silent for too long. Returns how many milliseconds the next one
 * has, -1 if there is none. */
static gint
check_silence (ShndHub *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);
      gint64 end = peer->connected + SHND_HANDSHAKE_TIME;

      if (peer->state != SHND_PEER_GREETING)
        continue;

      if (end <= now)
        {
          peer->end = SHND_PEER_OFFENDER;
          peer->offence = "silence instead of a greeting";
        }
      else
        {
          next = MIN (next, end - now);
        }
    }
  shnd_hub_sweep (self);

  return next == G_MAXINT64 ? -1 : (gint) (next / 1000 + 1);
}

/* Sends again what could not be sent as the system was short of something. Returns FALSE if it still
 * is. */
static gboolean
feed_starved (ShndHub *self)
{
  gboolean fed = TRUE;

  for (guint i = 0; i < self->peers->len; i++)
    {
      ShndPeer *peer = g_ptr_array_index (self->peers, i);

      if (peer->starved)
        shnd_hub_service_make_up (self, peer);
      fed = fed && !peer->starved;
    }
  shnd_hub_sweep (self);

  return fed;
}

static gpointer
run (gpointer data)
{
  ShndHub *self = data;
  gboolean detached;

  g_mutex_lock (&self->mutex);
  while (!self->closed)
    {
      struct epoll_event events[MAX_EVENTS];
      eventfd_t n_wakes;
      gint n_events, timeout = check_silence (self);

      shnd_hub_service_flush_log (self);
      if (self->closed)
        break;
      if (!feed_starved (self) || self->accept_paused)
        timeout = timeout < 0 ? PAUSE : MIN (timeout, PAUSE);

      g_mutex_unlock (&self->mutex);
      n_events = epoll_wait (self->epoll, events, MAX_EVENTS, timeout);
      g_mutex_lock (&self->mutex);
      if (self->closed)
        break;

      if (self->accept_paused)
        {
          control (self, EPOLL_CTL_MOD, self->listener.fd, EVENT_LISTENER, EPOLLIN);
          self->accept_paused = FALSE;
        }

      for (gint i = 0; i < n_events; i++)
        {
          if (events[i].data.u64 == EVENT_LISTENER)
            accept_peers (self);
          else if (events[i].data.u64 == EVENT_WAKE)
            eventfd_read (self->wake, &n_wakes);
          else
            serve (self, events[i].data.u64, events[i].events);
        }
      shnd_hub_sweep (self);
      shnd_hub_sweep_observers (self);
    }
  detached = self->detached;
  g_mutex_unlock (&self->mutex);

  if (detached)
    shnd_hub_unref (self);
  return NULL;
}

void
shnd_hub_serve (ShndHub *self)
{
  if (g_atomic_int_get (&self->serving) || self->mark != shnd_process_get_mark ())
    return;

  g_mutex_lock (&self->mutex);
  if (!self->closed && !self->serving)
    {
      control (self, EPOLL_CTL_MOD, self->listener.fd, EVENT_LISTENER, EPOLLIN);
      g_atomic_int_set (&self->serving, TRUE);
    }
  g_mutex_unlock (&self->mutex);
}

gboolean
shnd_hub_service_start (ShndHub *self, GError **error)
{
  int saved_errno = 0;

  shnd_process_begin ();
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll >= 0)
    shnd_process_own_locked (self->epoll);
  else
    saved_errno = errno;
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake >= 0)
    shnd_process_own_locked (self->wake);
  else
    saved_errno = errno;
  shnd_process_end ();

  if (self->epoll >= 0 && self->wake >= 0 &&
      (control (self, EPOLL_CTL_ADD, self->wake, EVENT_WAKE, EPOLLIN) != 0 ||
       control (self, EPOLL_CTL_ADD, self->listener.fd, EVENT_LISTENER, 0) != 0))
    saved_errno = errno;
  if (saved_errno != 0)
    {
      shnd_set_error_from_errno (error, saved_errno, "Cannot serve subscribers");
      return FALSE;
    }

  self->thread = shnd_thread_start ("shnd-publish", run, self, error);

  return self->thread != NULL;
}
