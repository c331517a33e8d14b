/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <glib-object.h>
#include <shndarray/shnd-enums.h>

G_BEGIN_DECLS

/**
 * SHND_MAX_DIMS:
 *
 * The most dimensions that an array can have, as in NumPy 1.x.
 */
#define SHND_MAX_DIMS 32

#define SHND_TYPE_DTYPE (shnd_dtype_get_type ())

typedef struct _ShndDType ShndDType;

SHND_AVAILABLE_IN_1_0
GType shnd_dtype_get_type (void) G_GNUC_CONST;

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_dtype_new (const char *description, GError **error);

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_dtype_ref (ShndDType *self);

SHND_AVAILABLE_IN_1_0
void shnd_dtype_unref (ShndDType *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_dtype_to_string (ShndDType *self);

SHND_AVAILABLE_IN_1_0
ShndDTypeKind shnd_dtype_get_kind (ShndDType *self);

SHND_AVAILABLE_IN_1_0
gsize shnd_dtype_get_item_size (ShndDType *self);

SHND_AVAILABLE_IN_1_0
gsize shnd_dtype_get_alignment (ShndDType *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_dtype_is_native (ShndDType *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_dtype_get_unit (ShndDType *self);

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_dtype_get_base (ShndDType *self);

SHND_AVAILABLE_IN_1_0
const gint64 *shnd_dtype_get_base_shape (ShndDType *self, guint *n_dims);

SHND_AVAILABLE_IN_1_0
guint shnd_dtype_get_n_fields (ShndDType *self);

SHND_AVAILABLE_IN_1_0
const char *shnd_dtype_get_field_name (ShndDType *self, guint index);

SHND_AVAILABLE_IN_1_0
const char *shnd_dtype_get_field_title (ShndDType *self, guint index);

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_dtype_get_field_dtype (ShndDType *self, guint index);

SHND_AVAILABLE_IN_1_0
gsize shnd_dtype_get_field_offset (ShndDType *self, guint index);

SHND_AVAILABLE_IN_1_0
gint shnd_dtype_find_field (ShndDType *self, const char *name);

SHND_AVAILABLE_IN_1_0
gboolean shnd_dtype_equal (ShndDType *self, ShndDType *other);

SHND_AVAILABLE_IN_1_0
guint shnd_dtype_hash (ShndDType *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndDType, shnd_dtype_unref)

G_END_DECLS
