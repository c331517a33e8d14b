/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Caps of arrays that are no media: "dtype" as NumPy writes it, "shape" as in "2,3"; both strings. */
#define GST_SHND_ARRAY_CAPS "application/x-ndarray"

/* What caps say about buffers. A value. */
typedef struct
{
  GstCaps *caps;
  char *text;         /* the caps as they travel, or NULL */
  GstVideoInfo video; /* its finfo is NULL unless they are of raw video in ordinary memory */
  GstAudioInfo audio; /* likewise */
  ShndDType *dtype;   /* of tensors and arrays, else NULL */
  guint n_dims;
  gint64 shape[SHND_MAX_DIMS];
} GstShndFormat;

/* Never fails: what is not known is bytes. Keeps the caps, which may be NULL. */
void gst_shnd_format_init (GstShndFormat *self, GstCaps *caps);
void gst_shnd_format_clear (GstShndFormat *self);

/* What other memory looks like when it is mapped is known to its allocator only. */
gboolean gst_shnd_caps_are_in_system_memory (const GstCaps *caps);

/* Without the other memories of what can be had in that of the system, too. */
GstCaps *gst_shnd_caps_prefer_system_memory (GstCaps *caps);

/* Caps for an array whose publisher gave none. */
GstCaps *gst_shnd_caps_new_for_array (ShndArray *array);

G_END_DECLS
