/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-hub-private.h"
#include "shnd-publisher.h"

G_BEGIN_DECLS

/* What is done in the main context. */
typedef enum
{
  SHND_PUBLISHER_SERVE,
  SHND_PUBLISHER_NOTIFY,
  SHND_PUBLISHER_AUTHORIZE,
  SHND_PUBLISHER_N_CALLS,
} ShndPublisherCall;

struct _ShndPublisher
{
  GObject parent_instance;

  char *address;
  ShndHub *hub; /* NULL if not made by the constructor */
  GMainContext *context;
  GWeakRef *link;                         /* to this, for calls in the context */
  GSource *calls[SHND_PUBLISHER_N_CALLS]; /* the last of each */
  gint notify_pending;                    /* whether a call is on its way to the context */
  gint authorize_pending;
};

/* Begins to admit subscribers, and asks the program about those that wait for an answer, unless its main
 * loop is there to do so. The hub must be there. */
void _shnd_publisher_serve (ShndPublisher *self);

G_END_DECLS
