/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <gio/gio.h>
#include <shndarray/shnd-dtype.h>

G_BEGIN_DECLS

#define SHND_TYPE_ARRAY_INFO (shnd_array_info_get_type ())

SHND_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ShndArrayInfo, shnd_array_info, SHND, ARRAY_INFO, GObject)

SHND_AVAILABLE_IN_1_0
ShndArrayInfo *shnd_array_info_new (const char *name, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArrayInfo *shnd_array_info_new_for_path (const char *path, GError **error);

/* What it is */

SHND_AVAILABLE_IN_1_0
const char *shnd_array_info_get_name (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_array_info_get_path (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_array_info_get_dtype (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint shnd_array_info_get_n_dims (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
const gint64 *shnd_array_info_get_shape (ShndArrayInfo *self, guint *n_dims);

SHND_AVAILABLE_IN_1_0
const gint64 *shnd_array_info_get_strides (ShndArrayInfo *self, guint *n_dims);

SHND_AVAILABLE_IN_1_0
ShndOrder shnd_array_info_get_order (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_info_get_n_bytes (ShndArrayInfo *self);

/* Its file */

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_info_get_data_offset (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_info_get_file_size (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint shnd_array_info_get_uid (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint shnd_array_info_get_mode (ShndArrayInfo *self);

/* Who has it */

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_info_get_persistent (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_info_get_held (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_info_get_orphaned (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_info_get_synchronizable (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_info_get_sequence (ShndArrayInfo *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_info_get_locked (ShndArrayInfo *self);

G_END_DECLS
