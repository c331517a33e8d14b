/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <gio/gio.h>
#include <shndarray/shnd-array.h>

G_BEGIN_DECLS

#define SHND_TYPE_FRAME (shnd_frame_get_type ())

SHND_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ShndFrame, shnd_frame, SHND, FRAME, GObject)

/* The elements */

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_frame_get_array (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_frame_set_array (ShndFrame *self, ShndArray *view, GError **error);

/* All memory, and the planes in it */

SHND_AVAILABLE_IN_1_0
GBytes *shnd_frame_get_memory (ShndFrame *self, gsize *offset, GError **error);

SHND_AVAILABLE_IN_1_0
char **shnd_frame_list_planes (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_frame_get_plane (ShndFrame *self, const char *name, GError **error);

/* What travels with the elements */

SHND_AVAILABLE_IN_1_0
guint64 shnd_frame_get_sequence (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
gint64 shnd_frame_get_timestamp (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
void shnd_frame_set_timestamp (ShndFrame *self, gint64 timestamp);

SHND_AVAILABLE_IN_1_0
GVariant *shnd_frame_get_metadata (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_frame_set_metadata (ShndFrame *self, GVariant *metadata, GError **error);

/* The end */

SHND_AVAILABLE_IN_1_0
void shnd_frame_release (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
void shnd_frame_release_now (ShndFrame *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_frame_get_released (ShndFrame *self);

G_END_DECLS
