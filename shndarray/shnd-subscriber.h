/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <gio/gio.h>
#include <shndarray/shnd-frame.h>

G_BEGIN_DECLS

#define SHND_TYPE_SUBSCRIBER (shnd_subscriber_get_type ())

SHND_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ShndSubscriber, shnd_subscriber, SHND, SUBSCRIBER, GObject)

SHND_AVAILABLE_IN_1_0
ShndSubscriber *shnd_subscriber_new (const char *address, GError **error);

/* Frames: wait for one */

SHND_AVAILABLE_IN_1_0
ShndFrame *shnd_subscriber_receive (ShndSubscriber *self,
                                    gint64 timeout,
                                    GCancellable *cancellable,
                                    GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_receive_async (ShndSubscriber *self,
                                    gint64 timeout,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndFrame *
shnd_subscriber_receive_finish (ShndSubscriber *self, GAsyncResult *result, GError **error);

/* or have a signal for each, or look oneself */

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_watch (ShndSubscriber *self, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_unwatch (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_watching (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
int shnd_subscriber_get_fd (ShndSubscriber *self);

/* How it receives */

SHND_AVAILABLE_IN_1_0
guint shnd_subscriber_get_depth (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_set_depth (ShndSubscriber *self, guint depth);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_latest_only (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_set_latest_only (ShndSubscriber *self, gboolean latest_only);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_observer (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_set_observer (ShndSubscriber *self, gboolean observer);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_reconnect (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_set_reconnect (ShndSubscriber *self, gboolean reconnect);

SHND_AVAILABLE_IN_1_0
guint shnd_subscriber_get_spin (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_set_spin (ShndSubscriber *self, guint spin);

/* What it is and has done */

SHND_AVAILABLE_IN_1_0
const char *shnd_subscriber_get_address (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_subscriber_get_path (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_connected (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
guint shnd_subscriber_get_granted_depth (ShndSubscriber *self);
SHND_AVAILABLE_IN_1_0
guint64 shnd_subscriber_get_n_received (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_subscriber_get_n_missed (ShndSubscriber *self);

/* How the stream goes, as the publisher says */

SHND_AVAILABLE_IN_1_0
guint64 shnd_subscriber_get_sequence (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
guint shnd_subscriber_get_n_subscribers (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_subscriber_get_n_dropped (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_subscriber_get_frame_size (ShndSubscriber *self);

/* The end */

SHND_AVAILABLE_IN_1_0
void shnd_subscriber_close (ShndSubscriber *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_subscriber_get_closed (ShndSubscriber *self);

G_END_DECLS
