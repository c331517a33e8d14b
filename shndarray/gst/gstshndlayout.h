/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndformat.h"

G_BEGIN_DECLS

/* How the bytes of a buffer are the elements of an array: from caps and metas alone, nothing here
 * knows of elements of pipelines, of pools and of time. */

/* Where the elements are in one buffer. A value. */
typedef struct
{
  ShndDType *dtype;
  guint n_dims;
  gint64 shape[SHND_MAX_DIMS];
  gint64 strides[SHND_MAX_DIMS]; /* bytes */
  gsize offset;                  /* of the element [0, ..., 0], from the first byte of the buffer */
  GVariant *planes;              /* of type "a(sstaxax)", not floating; or NULL */
} GstShndLayout;

/* By the caps, and the buffer's GstVideoMeta or GstAudioMeta. FALSE if the buffer has not the bytes
 * that those promise: what it has is then an array of bytes. */
gboolean gst_shnd_layout_init (GstShndLayout *self, const GstShndFormat *format, GstBuffer *buffer);
void gst_shnd_layout_clear (GstShndLayout *self);

G_END_DECLS
