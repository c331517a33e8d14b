/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>
#include <sys/socket.h>

#include "shnd-address-private.h"
#include "shnd-enums.h"
#include "shnd-hold-private.h"
#include "shnd-pool-private.h"
#include "shnd-protocol-private.h"

G_BEGIN_DECLS

/* The inside of a publisher: its pool, the subscribers that are connected ("peers"), and the ledger
 * of which of them holds which slot. Frames that the program has refer to it, so that it outlives the
 * publisher itself. */

typedef struct _ShndHub ShndHub;
typedef struct _ShndPeer ShndPeer;
typedef struct _ShndWaiter ShndWaiter;

typedef enum
{
  SHND_PEER_GREETING, /* connected, and silent so far */
  SHND_PEER_ASKING,   /* the program is asked whether it may subscribe */
  SHND_PEER_WELCOME,
} ShndPeerState;

/* What is to become of a peer when the work with the list of peers is done. */
typedef enum
{
  SHND_PEER_STAYS,
  SHND_PEER_GONE, /* it hung up: it cannot look at its slots any more, or does so at its own risk */
  SHND_PEER_OFFENDER, /* it is thrown out, and may go on looking: its slots are not used again */
} ShndPeerEnd;

struct _ShndPeer
{
  guint64 id; /* never used again */
  int fd;
  ShndPeerState state;
  ShndPeerEnd end;
  const char *offence;
  struct ucred credentials;
  gint64 connected; /* the monotonic time */
  gboolean in_turn; /* the program is being asked about it at this moment */

  guint wanted_depth;
  gboolean observer; /* it gets no frames */
  guint depth;
  guint n_held;
  GArray *ledger; /* of ShndLedgerEntry, for each slot */

  gboolean stopped; /* it wants no more frames */
  gboolean missed;  /* it has not got the newest frame, as it had no room */
  gboolean choked;  /* or as its queue was full */
  gboolean starved; /* or as the system was short of something */
  int queue_size;   /* of the socket, in bytes as the system counts them */
  guint32 events;   /* which the service thread waits for */
};

/* What a peer has of a slot. */
typedef struct
{
  guint16 n_held; /* frames in it, which are more than one only if the memory was published again */
  gboolean known; /* it has the descriptor */
} ShndLedgerEntry;

struct _ShndHub
{
  gatomicrefcount ref_count;
  guint mark; /* of the process that made it */
  char *path;

  GMutex mutex; /* for all that follows */
  gboolean closed;
  ShndOverflow overflow;
  guint depth;
  guint max_frames;
  guint max_subscribers;

  ShndListener listener;
  ShndPool pool;
  guint n_making; /* slots */
  GPtrArray *peers;
  GPtrArray *observers; /* peers that are welcome, but cost no time when frames are sent */
  guint64 last_peer_id;
  guint n_subscribers; /* peers that are welcome and have not stopped */
  guint64 n_asking;    /* how many the program had to be asked about so far */
  gint serving;        /* whether subscribers are accepted */
  gboolean accept_paused;
  ShndSegment *status;

  guint64 sequence;
  guint64 n_dropped;
  ShndSlot *last; /* the newest frame, with a hold; or NULL */
  GByteArray *last_message;

  GPtrArray *log; /* lines that are still to be written */
  ShndWaiter *waiters;
  int epoll;
  int wake; /* an eventfd */
  GThread *thread;
  gboolean detached; /* that thread has a reference, as nobody waits for its end */

  /* What the publisher is asked and told by the service thread. */
  gpointer publisher; /* or NULL */
  gboolean (*wants_to_authorize) (gpointer publisher);
  void (*authorize_later) (gpointer publisher);
  void (*subscribers_changed) (gpointer publisher);

  ShndHub *next; /* of all in this process */
};

/* Listens at a path. The callbacks are called until it is closed, with the mutex. */
ShndHub *shnd_hub_new (const char *path, GError **error);
gboolean shnd_hub_start (ShndHub *self, GError **error);
ShndHub *shnd_hub_ref (ShndHub *self);
void shnd_hub_unref (ShndHub *self);

/* Ends the stream. Twice does nothing. */
void shnd_hub_close (ShndHub *self);

/* The publisher is about to go: it is neither asked nor told anything any more. */
void shnd_hub_forget_publisher (ShndHub *self);

/* For shnd-process.c: closes all at the end of the process; has none after fork(). */
void shnd_hub_close_all (void);
void shnd_hub_after_fork_in_child (void);

/* Fails in a process that has not made it. */
gboolean shnd_hub_check (ShndHub *self, GError **error);

/* ---- shnd-hub-frames.c ---- */

/* Memory for a frame. `deadline` as shnd_wait_get_deadline() says. */
ShndHold *shnd_hub_acquire (ShndHub *self,
                            guint64 n_bytes,
                            gint64 deadline,
                            GCancellable *cancellable,
                            ShndSegment **segment,
                            GError **error);

/* Memory of a frame that was published, to be published again: of the hold by which it was, if that is
 * not given back yet, or else of the newest frame, if that is the one with this number. */
ShndHold *shnd_hub_repeat (
    ShndHub *self, ShndHold *hold, guint64 sequence, ShndSegment **segment, GError **error);

/* Sends what is in the memory of a hold, at `offset` of which is the first element of the layout, to
 * all subscribers. Afterwards the hold is to be dropped. */
gboolean shnd_hub_publish (ShndHub *self,
                           ShndHold *hold,
                           const ShndLayout *layout,
                           guint64 offset,
                           gint64 timestamp,
                           GVariant *metadata,
                           gint64 deadline,
                           GCancellable *cancellable,
                           guint64 *sequence,
                           GError **error);

/* ---- shnd-hub-wait.c ---- */

/* What to wait for on the socket of a peer, as for poll(); 0 for nothing. */
typedef short (*ShndPeerFunc) (ShndPeer *peer);

/* With the mutex, which it lets go of meanwhile: waits until something may have changed, as one of the
 * peers has sent something, or another thread says so. `missed` ends the message about a deadline
 * that is over. */
gboolean shnd_hub_wait (ShndHub *self,
                        ShndPeerFunc get_events,
                        gint64 deadline,
                        GCancellable *cancellable,
                        const char *missed,
                        GError **error);

/* With the mutex. */
void shnd_hub_wake_waiters (ShndHub *self);
gboolean shnd_hub_check_open (ShndHub *self, GError **error);

/* Calls `between`, if there is one, without the mutex, before each look. */
gboolean shnd_hub_wait_subscribers (ShndHub *self,
                                    guint n_subscribers,
                                    void (*between) (gpointer data),
                                    gpointer data,
                                    gint64 deadline,
                                    GCancellable *cancellable,
                                    GError **error);

/* With the mutex: numbers that the program and the subscribers see. */
void shnd_hub_set_status (ShndHub *self, ShndStatus index, guint64 value);
void shnd_hub_change_subscribers (ShndHub *self, gint change);
void shnd_hub_change_dropped (ShndHub *self, gint change);

/* With the mutex: remove the peers that are to go. */
void shnd_hub_sweep (ShndHub *self);
void shnd_hub_sweep_observers (ShndHub *self);

/* ---- shnd-hub-service.c ---- */

/* The thread that accepts subscribers, and notices when they go. */
gboolean shnd_hub_service_start (ShndHub *self, GError **error);
void shnd_hub_service_wake (ShndHub *self);

/* Begins to accept subscribers, who wait until then. */
void shnd_hub_serve (ShndHub *self);

/* With the mutex: lets the thread write a line, which this takes, to the log: who reads the log may ask
 * the publisher something. The second lets go of the mutex meanwhile. */
void shnd_hub_service_log (ShndHub *self, char *line);
void shnd_hub_service_flush_log (ShndHub *self);

/* Of the peers about which the program has to be asked, the one that waits longest; FALSE if there
 * is none, or if another thread asks about it. */
gboolean shnd_hub_get_asking (ShndHub *self, guint64 *peer_id, struct ucred *credentials);
void shnd_hub_answer (ShndHub *self, guint64 peer_id, gboolean allowed);

/* With the mutex: decides on a peer that has greeted. */
void shnd_hub_service_welcome (ShndHub *self, ShndPeer *peer);
void shnd_hub_service_refuse (ShndHub *self, ShndPeer *peer, ShndRefusal code, const char *text);

/* Tells an offender what it has done. */
void shnd_hub_service_tell (ShndPeer *peer);

/* With the mutex: sends the newest frame to a peer that has missed it, if there is room now. Whoever
 * reads what a peer has sent does this, or sends it a newer frame: the service thread does not see any
 * more that there was something to read. */
void shnd_hub_service_make_up (ShndHub *self, ShndPeer *peer);

/* With the mutex: lets the service thread wait for what it has to on the socket of a peer. */
void shnd_hub_service_update (ShndHub *self, ShndPeer *peer);

/* ---- shnd-peer.c: one of the peers; all with the hub's mutex ---- */

ShndPeer *shnd_peer_new (ShndHub *hub, int fd);

/* Closes the socket; what it held goes back. */
void shnd_peer_free (ShndHub *hub, ShndPeer *self);

/* Whether it is to get frames. */
gboolean shnd_peer_is_subscribed (ShndPeer *self);

gboolean shnd_peer_has_room (ShndPeer *self);

/* Whether there is room for a message in the queue of its socket: if not, it is `choked`. */
gboolean shnd_peer_has_queue (ShndPeer *self);

/* Reads what it has sent, without waiting. */
void shnd_peer_read (ShndHub *hub, ShndPeer *self);

/* Sends it a frame for which it has room. FALSE if its queue is full, or if it is gone. */
gboolean shnd_peer_send_frame (ShndHub *hub, ShndPeer *self, ShndSlot *slot, GByteArray *message);

/* Tells it that a slot is no more. */
void shnd_peer_retire (ShndPeer *self, ShndSlot *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndHub, shnd_hub_unref)

G_END_DECLS
