/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-subscriber-private.h"

#include "shnd-error-private.h"
#include "shnd-process-private.h"
#include "shnd-thread-private.h"
#include "shnd-wait-private.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Receiving: looking for a frame, and waiting for one in the calling thread. */

/* How long it takes to try again to connect, in microseconds: at first, and at most. */
#define FIRST_RETRY 2000
#define MAX_RETRY 200000

/* How many frames latest-only skips at once; there can be more only if they come faster than they are
 * skipped. */
#define MAX_SKIPPED 256

gboolean
_shnd_subscriber_check (ShndSubscriber *self, GError **error)
{
  const char *problem = NULL;

  if (self->path == NULL)
    problem = "The subscriber has no address: expected one made with an address";
  else if (self->mark != shnd_process_get_mark ())
    problem = "The subscriber is the one of the parent process: expected one that this process has "
              "made";
  else if (g_atomic_int_get (&self->closed))
    problem = "The subscriber is closed: expected one that is open";

  if (problem != NULL)
    g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED, problem);
  return problem == NULL;
}

void
_shnd_subscriber_set_timed_out (ShndSubscriber *self, GError **error)
{
  gboolean connected, welcome, observer;

  g_mutex_lock (&self->mutex);
  connected = self->connection != NULL;
  welcome = self->was_welcome;
  observer = self->observer;
  g_mutex_unlock (&self->mutex);

  g_set_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT, "%s “%s” %s",
               connected ? "The publisher at" : "There was no publisher at", self->path,
               welcome   ? observer ? "has not ended its stream in time" :
                                      "has not published a frame in time" :
               connected ? "has not admitted the subscriber in time" :
                           "in time");
}

/* ---- The connection; all with the mutex ---- */

static void
set_timer (ShndSubscriber *self, gint64 delay)
{
  const struct itimerspec time = {
    .it_value = { delay / G_USEC_PER_SEC, delay % G_USEC_PER_SEC * 1000 },
  };

  timerfd_settime (self->timer, 0, &time, NULL);
}

static void
connect_later (ShndSubscriber *self)
{
  set_timer (self, self->retry_interval);
  self->retry_interval = MIN (self->retry_interval * 2, MAX_RETRY);
}

/* Those who sleep in receive() do so on the descriptors of before. */
static void
wake_sleepers (ShndSubscriber *self)
{
  if (self->n_sleepers > 0 && !self->waking)
    {
      self->waking = TRUE;
      eventfd_write (self->wake, 1);
    }
}

static void
drop_connection (ShndSubscriber *self)
{
  wake_sleepers (self);
  if (self->uses_epoll)
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, shnd_connection_get_fd (self->connection), NULL);
  shnd_connection_finish (self->connection);
  g_clear_pointer (&self->connection, shnd_connection_unref);
  self->was_welcome = FALSE;
  self->last_sequence = 0;
  self->awaited = 0;
}

static void
add_connection_to_epoll (ShndSubscriber *self)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };

  epoll_ctl (self->epoll, EPOLL_CTL_ADD, shnd_connection_get_fd (self->connection), &event);
}

int
_shnd_subscriber_get_epoll (ShndSubscriber *self)
{
  g_mutex_lock (&self->mutex);
  if (!self->uses_epoll)
    {
      self->uses_epoll = TRUE;
      if (self->connection != NULL)
        add_connection_to_epoll (self);
    }
  g_mutex_unlock (&self->mutex);

  return self->epoll;
}

/* Whether there can be a publisher at that path a moment later. */
static gboolean
may_come (int saved_errno)
{
  return saved_errno == ENOENT || saved_errno == ECONNREFUSED || saved_errno == EAGAIN ||
         saved_errno == ENOTDIR || saved_errno == EINTR;
}

/* Connects, if it is time to. Without an error there may be no connection yet. */
static gboolean
ensure_connection (ShndSubscriber *self, GError **error)
{
  guint64 n_expirations;

  if (self->connection != NULL)
    return TRUE;
  if (self->started && read (self->timer, &n_expirations, sizeof n_expirations) < 0)
    return TRUE;

  if (!self->started)
    self->retry_interval = FIRST_RETRY;
  self->started = TRUE;
  self->connection =
      shnd_connection_new (self->path, self->observer ? SHND_OBSERVER_DEPTH : self->depth);
  if (self->connection == NULL)
    {
      int saved_errno = errno;

      connect_later (self);
      if (may_come (saved_errno))
        return TRUE;

      if (saved_errno == EPROTOTYPE)
        g_set_error (error, SHND_ERROR, SHND_ERROR_PROTOCOL,
                     "There is something else than a publisher at “%s”", self->path);
      else
        shnd_set_error_from_errno (error, saved_errno, "Cannot connect to a publisher at “%s”",
                                   self->path);
      return FALSE;
    }

  if (self->uses_epoll)
    add_connection_to_epoll (self);
  wake_sleepers (self);
  return TRUE;
}

/* What becomes of a publisher that is gone. Without an error another one is waited for. */
static gboolean
handle_end (ShndSubscriber *self, gboolean ended, GError **error)
{
  gboolean was_welcome = self->was_welcome;
  guint64 newest = shnd_connection_get_newest (self->connection);

  /* For the last ones there may have been no room. */
  if (self->last_sequence != 0 && newest > self->last_sequence)
    self->n_missed += newest - self->last_sequence;

  drop_connection (self);
  /* One that restarts is there again soon. */
  if (was_welcome)
    self->retry_interval = FIRST_RETRY;
  connect_later (self);

  /* It had not even begun. */
  if (self->reconnect || !was_welcome)
    return TRUE;

  if (ended)
    g_set_error (&self->over, SHND_ERROR, SHND_ERROR_END_OF_STREAM,
                 "The publisher at “%s” has ended its stream", self->path);
  else
    g_set_error (&self->over, SHND_ERROR, SHND_ERROR_DISCONNECTED,
                 "The publisher at “%s” is gone without having ended its stream", self->path);
  g_propagate_error (error, g_error_copy (self->over));
  return FALSE;
}

void
_shnd_subscriber_start (ShndSubscriber *self)
{
  g_mutex_lock (&self->mutex);
  if (!self->closed && !self->started)
    {
      set_timer (self, 1);
      self->retry_interval = FIRST_RETRY;
      self->started = TRUE;
    }
  g_mutex_unlock (&self->mutex);
}

gboolean
_shnd_subscriber_stop (ShndSubscriber *self)
{
  g_autoptr (ShndFrame) candidate = NULL;
  gboolean stopped;

  g_mutex_lock (&self->mutex);
  stopped = !self->closed;
  if (stopped)
    {
      g_atomic_int_set (&self->closed, TRUE);
      candidate = g_steal_pointer (&self->candidate);
      if (self->connection != NULL)
        drop_connection (self);
      /* Nobody reads it any more: it is ready for ever. */
      set_timer (self, 1);
      wake_sleepers (self);
    }
  g_mutex_unlock (&self->mutex);

  return stopped;
}

static void
count (ShndSubscriber *self, ShndFrame *frame)
{
  guint64 sequence = shnd_frame_get_sequence (frame);

  if (self->last_sequence != 0 && sequence > self->last_sequence)
    self->n_missed += sequence - self->last_sequence - 1;
  self->last_sequence = sequence;
  self->n_received++;
}

/* ---- Looking ---- */

/* Gives it back: nobody has seen it. */
static void
skip_candidate (ShndSubscriber *self)
{
  if (self->candidate == NULL)
    return;

  shnd_frame_release_now (self->candidate);
  g_clear_object (&self->candidate);
  self->n_received--;
  self->n_missed++;
}

static void
note_welcome (ShndSubscriber *self)
{
  if (self->was_welcome || !shnd_connection_is_welcome (self->connection))
    return;

  self->was_welcome = TRUE;
  g_clear_pointer (&self->status, shnd_segment_unref);
  self->status = shnd_connection_get_status (self->connection);
  self->granted_depth = shnd_connection_get_depth (self->connection);
}

/* Takes the next frame, or for latest-only the newest of those that are there, which becomes the
 * candidate. SLEEP means that there is nothing more to be read. */
static ShndReceiveResult
read_connection (ShndSubscriber *self, ShndFrame **frame, GError **error)
{
  for (guint n_skipped = 0;; n_skipped++)
    {
      g_autoptr (ShndFrame) next = NULL;
      ShndConnectionResult result;

      if (n_skipped >= MAX_SKIPPED && self->candidate != NULL)
        {
          *frame = g_steal_pointer (&self->candidate);
          return SHND_RECEIVE_DONE;
        }

      if (!ensure_connection (self, error))
        return SHND_RECEIVE_FAILED;
      if (self->connection == NULL)
        return SHND_RECEIVE_SLEEP;

      result = shnd_connection_read (self->connection, &next, error);
      note_welcome (self);
      switch (result)
        {
        case SHND_CONNECTION_FRAME:
          count (self, next);
          if (!self->latest_only)
            {
              *frame = g_steal_pointer (&next);
              return SHND_RECEIVE_DONE;
            }

          skip_candidate (self);
          self->candidate = g_steal_pointer (&next);
          break;

        case SHND_CONNECTION_NOTHING:
          return SHND_RECEIVE_SLEEP;

        case SHND_CONNECTION_ENDED:
        case SHND_CONNECTION_LOST:
          /* The end comes after the last frame. */
          if (self->candidate != NULL)
            {
              *frame = g_steal_pointer (&self->candidate);
              return SHND_RECEIVE_DONE;
            }
          if (!handle_end (self, result == SHND_CONNECTION_ENDED, error))
            return SHND_RECEIVE_FAILED;
          break;

        case SHND_CONNECTION_FAILED:
          drop_connection (self);
          connect_later (self);
          return SHND_RECEIVE_FAILED;
        }
    }
}

/* Whether the candidate is to wait for a newer frame, and how: for the one that was the newest at the
 * first look, or one after that. If it were for the newest of all, it might never end. */
static gboolean
expects_newer (ShndSubscriber *self, ShndReceiveResult *result)
{
  gboolean has_room;
  guint64 kept = shnd_connection_get_kept (self->connection, &has_room);

  if (self->awaited == 0)
    self->awaited = kept;
  if (kept <= self->last_sequence || self->awaited <= self->last_sequence)
    return FALSE;

  /* It is on its way, if the publisher can still send it: so not for long. */
  *result = SHND_RECEIVE_NAP;
  if (!has_room)
    {
      /* Or it comes when this one has gone back, which nobody has seen. */
      skip_candidate (self);
      *result = SHND_RECEIVE_SLEEP;
    }

  return TRUE;
}

ShndReceiveResult
_shnd_subscriber_try (ShndSubscriber *self, gboolean is_last, ShndFrame **frame, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  ShndReceiveResult result;

  if (!_shnd_subscriber_check (self, error))
    return SHND_RECEIVE_FAILED;

  locker = g_mutex_locker_new (&self->mutex);
  if (!_shnd_subscriber_check (self, error))
    return SHND_RECEIVE_FAILED;
  if (self->over != NULL && !self->reconnect)
    {
      g_propagate_error (error, g_error_copy (self->over));
      return SHND_RECEIVE_FAILED;
    }
  g_clear_error (&self->over);

  result = read_connection (self, frame, error);
  if (result != SHND_RECEIVE_SLEEP || self->candidate == NULL)
    return result;

  if (!is_last && self->connection != NULL && expects_newer (self, &result))
    return result;

  self->awaited = 0;
  *frame = g_steal_pointer (&self->candidate);
  return SHND_RECEIVE_DONE;
}

/* ---- Waiting ---- */

/* Until there is something to do, or the deadline; or until it is cancelled, if `cancel_fd` is not
 * NULL. It is the socket itself that is polled, not the epoll descriptor: then the kernel runs the one
 * who is woken where the other has just run, and wakes it sooner. */
static void
sleep_until (ShndSubscriber *self, gint64 deadline, GPollFD *cancel_fd)
{
  struct pollfd fds[3] = { { .events = POLLIN } };
  guint n_fds = 1;

  if (cancel_fd != NULL)
    fds[n_fds++] = (struct pollfd){ .fd = cancel_fd->fd, .events = POLLIN };
  if (!shnd_thread_is_alone ())
    fds[n_fds++] = (struct pollfd){ .fd = self->wake, .events = POLLIN };

  g_mutex_lock (&self->mutex);
  /* Those who are being woken leave first. It does not take long. */
  while (self->waking)
    g_cond_wait (&self->all_woken, &self->mutex);
  fds[0].fd = self->connection != NULL ? shnd_connection_get_fd (self->connection) : self->timer;
  self->n_sleepers++;
  g_mutex_unlock (&self->mutex);

  shnd_wait_poll (fds, n_fds, deadline);

  g_mutex_lock (&self->mutex);
  if (--self->n_sleepers == 0 && self->waking)
    {
      eventfd_t n_wakes;

      eventfd_read (self->wake, &n_wakes);
      self->waking = FALSE;
      g_cond_broadcast (&self->all_woken);
    }
  g_mutex_unlock (&self->mutex);
}

static ShndFrame *
wait_for_frame (ShndSubscriber *self,
                gint64 deadline,
                GCancellable *cancellable,
                GPollFD *cancel_fd,
                GError **error)
{
  guint spin = shnd_subscriber_get_spin (self);
  gint64 spin_end = spin > 0 ? g_get_monotonic_time () + spin : -1;

  while (TRUE)
    {
      ShndFrame *frame = NULL;
      ShndReceiveResult result;
      gint64 now = -1, wake_time = deadline;
      gboolean is_last = FALSE;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;

      if (deadline >= 0 || spin_end >= 0)
        now = g_get_monotonic_time ();
      is_last = deadline >= 0 && now >= deadline;
      result = _shnd_subscriber_try (self, is_last, &frame, error);
      if (result == SHND_RECEIVE_DONE || result == SHND_RECEIVE_FAILED)
        return frame;

      if (is_last)
        {
          _shnd_subscriber_set_timed_out (self, error);
          return NULL;
        }
      if (now < spin_end)
        continue;

      if (result == SHND_RECEIVE_NAP)
        {
          gint64 nap_end = g_get_monotonic_time () + SHND_NAP;

          wake_time = deadline < 0 ? nap_end : MIN (deadline, nap_end);
        }
      sleep_until (self, wake_time, cancel_fd);
    }
}

/**
 * shnd_subscriber_receive:
 * @self: a subscriber
 * @timeout: how long to wait in microseconds; 0 not at all, -1 for ever
 * @cancellable: (nullable): cancels the waiting
 * @error: return location for an error
 *
 * Receives the next frame.
 *
 * While there is no publisher at the address, it waits for one. What it costs does not depend on the
 * size of the frame.
 *
 * Fails with %SHND_ERROR_TIMED_OUT. When the publisher was closed it fails with
 * %SHND_ERROR_END_OF_STREAM after the last frame, and when that has died, with
 * %SHND_ERROR_DISCONNECTED, now and in all calls to come, unless
 * [property@Shnd.Subscriber:reconnect] is set. Fails with %SHND_ERROR_PERMISSION_DENIED if the
 * publisher does not admit the subscriber, with %SHND_ERROR_NO_SPACE if that has too many, with
 * %SHND_ERROR_PROTOCOL if it breaks the protocol; with %SHND_ERROR_CLOSED; with
 * %SHND_ERROR_INVALID_ARGUMENT for a timeout below -1.
 *
 * Returns: (transfer full): the frame
 */
ShndFrame *
shnd_subscriber_receive (ShndSubscriber *self,
                         gint64 timeout,
                         GCancellable *cancellable,
                         GError **error)
{
  ShndFrame *frame;
  GPollFD cancel_fd;
  gint64 deadline;

  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), NULL);

  if (!shnd_wait_get_deadline (timeout, &deadline, error))
    return NULL;

  if (!g_cancellable_make_pollfd (cancellable, &cancel_fd))
    return wait_for_frame (self, deadline, cancellable, NULL, error);

  frame = wait_for_frame (self, deadline, cancellable, &cancel_fd, error);
  g_cancellable_release_fd (cancellable);

  return frame;
}
