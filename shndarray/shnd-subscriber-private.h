/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-connection-private.h"
#include "shnd-subscriber.h"

G_BEGIN_DECLS

struct _ShndSubscriber
{
  GObject parent_instance;

  char *address;
  char *path; /* NULL if not made by the constructor */
  guint mark; /* of the process that made it */

  GMutex mutex; /* for all that follows */
  gboolean closed;
  guint depth;
  gboolean latest_only;
  gboolean observer;
  gboolean reconnect;
  guint spin;

  int epoll;           /* what main loops sleep on: it has the socket and the timer */
  gboolean uses_epoll; /* the socket is in it, which each message takes time for */
  int timer;           /* expires when it is time to connect again; for ever when closed */
  int wake;            /* an eventfd, for those who sleep in receive() */
  guint n_sleepers;
  gboolean waking; /* all who sleep are to wake up: none goes to sleep before */
  GCond all_woken;
  gint64 retry_interval;
  gboolean started;
  ShndConnection *connection; /* or NULL */
  gboolean was_welcome;       /* on this connection */
  ShndSegment *status;        /* of the last publisher that has admitted us, or NULL */
  guint granted_depth;        /* by the same; 0 if there was none */
  GError *over;               /* why there are no more frames, or NULL */
  guint64 last_sequence;      /* of this connection */
  ShndFrame *candidate;       /* for latest-only: the newest so far, while a newer one is awaited */
  guint64 awaited;            /* which was the newest when that began; 0 if it has not */
  guint64 n_received;
  guint64 n_missed;

  GSource *watch;
};

typedef enum
{
  SHND_RECEIVE_DONE,
  SHND_RECEIVE_FAILED,
  SHND_RECEIVE_SLEEP, /* until the epoll descriptor is ready */
  SHND_RECEIVE_NAP,   /* the same, but not for longer than SHND_NAP */
} ShndReceiveResult;

/* In microseconds. */
#define SHND_NAP 5000

/* Looks for a frame, without waiting. The last time before it gives up, the caller says so: then
 * what is there is taken, even if something newer is expected. */
ShndReceiveResult
_shnd_subscriber_try (ShndSubscriber *self, gboolean is_last, ShndFrame **frame, GError **error);

void _shnd_subscriber_set_timed_out (ShndSubscriber *self, GError **error);

/* Fails if it is no subscriber of this process. */
gboolean _shnd_subscriber_check (ShndSubscriber *self, GError **error);

/* Takes the mutex. FALSE in a child, in which another thread of the parent may have it for ever. */
gboolean _shnd_subscriber_enter (ShndSubscriber *self);

/* Begins to connect. */
void _shnd_subscriber_start (ShndSubscriber *self);

/* What is ready when there is something to receive. */
int _shnd_subscriber_get_epoll (ShndSubscriber *self);

/* Ends receiving, and wakes all who wait. FALSE if that was done before. */
gboolean _shnd_subscriber_stop (ShndSubscriber *self);

/* For shnd-subscriber-async.c. */
void _shnd_subscriber_emit_frame (ShndSubscriber *self, ShndFrame *frame);
void _shnd_subscriber_emit_ended (ShndSubscriber *self, GError *error);
void _shnd_subscriber_notify_watching (ShndSubscriber *self);

G_END_DECLS
