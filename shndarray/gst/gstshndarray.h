/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/gst.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* How many of the last dimensions lie in one run of memory, and the size of that run in bytes. */
guint gst_shnd_array_get_run (ShndArray *array, gsize *size);

/* A copy of the elements in C order, of which the first is at `data`. */
GstBuffer *gst_shnd_array_copy (ShndArray *array, const guint8 *data);

/* For messages. */
char *gst_shnd_array_describe (ShndArray *array);

G_END_DECLS
