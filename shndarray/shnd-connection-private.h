/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-frame.h"
#include "shnd-protocol-private.h"
#include "shnd-segment-private.h"

G_BEGIN_DECLS

/* A subscriber's connection to one publisher. Frames refer to it: the socket stays open until the
 * last of them has gone back, as the publisher uses again what was held when it hangs up. */

typedef struct _ShndConnection ShndConnection;

typedef enum
{
  SHND_CONNECTION_FRAME,
  SHND_CONNECTION_NOTHING, /* so far; if more is there the socket is ready */
  SHND_CONNECTION_ENDED,   /* the publisher has ended its stream */
  SHND_CONNECTION_LOST,    /* it has hung up without that */
  SHND_CONNECTION_FAILED,  /* with an error: refused, or a breach of the protocol */
} ShndConnectionResult;

/* Connects without waiting; as an observer with SHND_OBSERVER_DEPTH. Returns NULL with errno. */
ShndConnection *shnd_connection_new (const char *path, guint depth);
ShndConnection *shnd_connection_ref (ShndConnection *self);
void shnd_connection_unref (ShndConnection *self);

int shnd_connection_get_fd (ShndConnection *self);

/* Whether the publisher has admitted us, whatever has become of it since. */
gboolean shnd_connection_is_welcome (ShndConnection *self);

/* How many frames the publisher lets us hold; 0 before it has admitted us. */
guint shnd_connection_get_depth (ShndConnection *self);

/* Reads what is there, up to a frame. */
ShndConnectionResult shnd_connection_read (ShndConnection *self, ShndFrame **frame, GError **error);

/* The status page of a publisher that has admitted us, with a reference, or NULL; and a word of it. */
ShndSegment *shnd_connection_get_status (ShndConnection *self);
guint64 shnd_status_read (ShndSegment *status, ShndStatus index);

/* The sequence of the last frame that was published, or 0. */
guint64 shnd_connection_get_newest (ShndConnection *self);

/* The sequence of the frame that we get, or have got, when there is room for it; 0 if there is none. */
guint64 shnd_connection_get_kept (ShndConnection *self, gboolean *has_room);

/* No more frames are wanted. */
void shnd_connection_finish (ShndConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndConnection, shnd_connection_unref)

G_END_DECLS
