/* SPDX-License-Identifier: MIT */

#pragma once

#include <string.h>

#include "gstshndmetas.h"

G_BEGIN_DECLS

/* What can be done with one type of meta. */
typedef struct
{
  const char *name;
  const char *type; /* of the value */
  GType (*get_api) (void);
  /* Floating; or NULL if it cannot be said, or goes without saying. */
  GVariant *(*save) (const GstMeta *meta, const GstShndFormat *format);
  void (*load) (GVariant *value, const GstShndFormat *format, GstBuffer *buffer);
} GstShndMetaType;

/* They end with one without a name; those that need the room first come first. */
extern const GstShndMetaType gst_shnd_video_meta_types[];
extern const GstShndMetaType gst_shnd_audio_meta_types[];

static inline GVariant *
gst_shnd_new_numbers (const GVariantType *type, gconstpointer numbers, guint n_numbers, gsize size)
{
  return g_variant_new_fixed_array (type, numbers, n_numbers, size);
}

/* Numbers that are not as many as they have to be are no numbers. */
static inline gboolean
gst_shnd_get_numbers (GVariant *tuple, guint index, gpointer numbers, gsize size, guint expected)
{
  g_autoptr (GVariant) array = g_variant_get_child_value (tuple, index);
  gsize n_numbers;
  gconstpointer data = g_variant_get_fixed_array (array, &n_numbers, size);

  if (n_numbers != expected)
    return FALSE;

  memcpy (numbers, data, n_numbers * size);

  return TRUE;
}

G_END_DECLS
