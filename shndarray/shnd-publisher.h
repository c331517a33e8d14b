/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <gio/gio.h>
#include <shndarray/shnd-enums.h>
#include <shndarray/shnd-frame.h>

G_BEGIN_DECLS

/**
 * SHND_MAX_DEPTH:
 *
 * The most frames that a subscriber can hold at a time; see [property@Shnd.Publisher:depth].
 */
#define SHND_MAX_DEPTH 256

#define SHND_TYPE_PUBLISHER (shnd_publisher_get_type ())

SHND_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ShndPublisher, shnd_publisher, SHND, PUBLISHER, GObject)

SHND_AVAILABLE_IN_1_0
ShndPublisher *shnd_publisher_new (const char *address, GError **error);

/* Frames */

SHND_AVAILABLE_IN_1_0
ShndFrame *shnd_publisher_acquire (ShndPublisher *self,
                                   ShndDType *dtype,
                                   const gint64 *shape,
                                   guint n_dims,
                                   gint64 timeout,
                                   GCancellable *cancellable,
                                   GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_acquire_async (ShndPublisher *self,
                                   ShndDType *dtype,
                                   const gint64 *shape,
                                   guint n_dims,
                                   gint64 timeout,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndFrame *
shnd_publisher_acquire_finish (ShndPublisher *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
ShndFrame *shnd_publisher_repeat (ShndPublisher *self, ShndFrame *frame, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_publisher_publish (ShndPublisher *self,
                                 ShndFrame *frame,
                                 gint64 timeout,
                                 GCancellable *cancellable,
                                 GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_publish_async (ShndPublisher *self,
                                   ShndFrame *frame,
                                   gint64 timeout,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean shnd_publisher_publish_finish (ShndPublisher *self, GAsyncResult *result, GError **error);

/* Subscribers */

SHND_AVAILABLE_IN_1_0
gboolean shnd_publisher_wait_subscribers (ShndPublisher *self,
                                          guint n_subscribers,
                                          gint64 timeout,
                                          GCancellable *cancellable,
                                          GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_wait_subscribers_async (ShndPublisher *self,
                                            guint n_subscribers,
                                            gint64 timeout,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean
shnd_publisher_wait_subscribers_finish (ShndPublisher *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
guint shnd_publisher_get_n_subscribers (ShndPublisher *self);

/* How it publishes */

SHND_AVAILABLE_IN_1_0
ShndOverflow shnd_publisher_get_overflow (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_set_overflow (ShndPublisher *self, ShndOverflow overflow);

SHND_AVAILABLE_IN_1_0
guint shnd_publisher_get_depth (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_set_depth (ShndPublisher *self, guint depth);

SHND_AVAILABLE_IN_1_0
guint shnd_publisher_get_max_frames (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_set_max_frames (ShndPublisher *self, guint max_frames);

SHND_AVAILABLE_IN_1_0
guint shnd_publisher_get_max_subscribers (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
void shnd_publisher_set_max_subscribers (ShndPublisher *self, guint max_subscribers);

/* What it is and has done */

SHND_AVAILABLE_IN_1_0
const char *shnd_publisher_get_address (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_publisher_get_path (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
guint shnd_publisher_get_n_frames (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_publisher_get_sequence (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_publisher_get_n_dropped (ShndPublisher *self);

/* The end */

SHND_AVAILABLE_IN_1_0
void shnd_publisher_close (ShndPublisher *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_publisher_get_closed (ShndPublisher *self);

G_END_DECLS
