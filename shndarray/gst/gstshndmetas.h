/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndformat.h"

G_BEGIN_DECLS

/* The metas of buffers as a(sv), and back. */

/* "shndmetadata", for what is left out. */
GstDebugCategory *gst_shnd_metas_get_category (void);

/* Floating; NULL if there are none. What needs more bytes than there is room for is left out, and so
 * is what goes without saying in buffers of this format. */
GVariant *gst_shnd_metas_save (GstBuffer *buffer, const GstShndFormat *format, gsize room);

/* Adds the one without which nobody can map a buffer of this format, if it is not there. */
void gst_shnd_metas_complete (const GstShndFormat *format, GstBuffer *buffer);

/* Adds those that are right for the buffer, which has all its bytes already; and that one. */
void gst_shnd_metas_load (GVariant *metas, const GstShndFormat *format, GstBuffer *buffer);

G_END_DECLS
