/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-dtype-private.h"

G_BEGIN_DECLS

/* One element as a GVariant, floating as g_variant_new() makes it, and back. `element` may have any
 * alignment. The table of types is in the documentation of shnd_array_get_element().
 * Setting checks the whole value first: on error the element is unchanged. A floating `value` is
 * not sunk. */
GVariant *shnd_element_to_variant (ShndDType *dtype, const guint8 *element, GError **error);
gboolean
shnd_element_from_variant (ShndDType *dtype, guint8 *element, GVariant *value, GError **error);

/* Shortcuts for numbers (BOOL, INT, UINT, FLOAT; for int64 also DATETIME and TIMEDELTA). A value
 * that the other side cannot hold is SHND_ERROR_OUT_OF_RANGE. */
gboolean
shnd_element_to_double (ShndDType *dtype, const guint8 *element, gdouble *value, GError **error);
gboolean
shnd_element_from_double (ShndDType *dtype, guint8 *element, gdouble value, GError **error);
gboolean
shnd_element_to_int64 (ShndDType *dtype, const guint8 *element, gint64 *value, GError **error);
gboolean shnd_element_from_int64 (ShndDType *dtype, guint8 *element, gint64 value, GError **error);

G_END_DECLS
