/* SPDX-License-Identifier: MIT */

#include "gstshndinfo.h"

#include <string.h>

#include "gstshndmetadata.h"
#include "gstshndmetas.h"

static void
set_time (GstShndInfo *self, const char *key, guint64 value)
{
  const struct
  {
    const char *key;
    guint64 *value;
  } times[] = {
    { "pts", &self->pts },         { "dts", &self->dts },       { "duration", &self->duration },
    { "latency", &self->latency }, { "offset", &self->offset }, { "offset-end", &self->offset_end },
  };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      if (strcmp (times[i].key, key) == 0)
        *times[i].value = value;
    }
}

/* The value need not be aligned. */
static void
read_number (GstShndInfo *self, const char *key, char type, gconstpointer value)
{
  if (type == G_VARIANT_CLASS_UINT64)
    {
      guint64 number;

      memcpy (&number, value, sizeof number);
      set_time (self, key, number);
    }
  else if (type == G_VARIANT_CLASS_INT32 && strcmp (key, "width") == 0)
    {
      memcpy (&self->width, value, sizeof self->width);
      self->has_width = TRUE;
    }
  else if (type == G_VARIANT_CLASS_INT32 && strcmp (key, "height") == 0)
    {
      memcpy (&self->height, value, sizeof self->height);
      self->has_height = TRUE;
    }
  else if (type == G_VARIANT_CLASS_UINT32 && strcmp (key, "flags") == 0)
    {
      guint32 number;

      memcpy (&number, value, sizeof number);
      self->has_flags = TRUE;
      self->flags = number & GST_SHND_BUFFER_FLAGS;
    }
}

static void
read_entry (GstShndInfo *self, const char *key, GVariant *value)
{
  const GVariantType *type = g_variant_get_type (value);

  if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    {
      if (strcmp (key, "caps") == 0)
        self->caps = g_variant_get_string (value, NULL);
      else if (strcmp (key, "format") == 0)
        self->format = g_variant_get_string (value, NULL);
    }
  else if (strcmp (key, "buffer") == 0 && g_variant_type_equal (type, G_VARIANT_TYPE ("(xt)")))
    {
      self->has_span = TRUE;
      g_variant_get (value, "(xt)", &self->start, &self->size);
    }
  else if (strcmp (key, "metas") == 0 && g_variant_type_equal (type, G_VARIANT_TYPE ("a(sv)")))
    {
      g_clear_pointer (&self->metas, g_variant_unref);
      self->metas = g_variant_ref (value);
    }
  else if (g_variant_type_is_basic (type))
    {
      read_number (self, key, g_variant_classify (value), g_variant_get_data (value));
    }
}

static void
read_all (GstShndInfo *self, GVariant *metadata)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, metadata);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      read_entry (self, key, value);
      g_variant_unref (value);
    }
}

/* All but the numbers is that of the model. */
static void
read_numbers (GstShndInfo *self, const GstShndInfoCache *cache, const char *data)
{
  const GArray *numbers = cache->pattern.numbers;
  const char *known = g_variant_get_data (cache->pattern.model);

  *self = cache->info;
  if (self->caps != NULL)
    self->caps = data + (self->caps - known);
  if (self->format != NULL)
    self->format = data + (self->format - known);
  if (self->metas != NULL)
    g_variant_ref (self->metas);

  for (guint i = 0; i < numbers->len; i++)
    {
      const ShndPatternNumber *number = &g_array_index (numbers, ShndPatternNumber, i);

      read_number (self, number->key, number->type, data + number->start);
    }
}

void
gst_shnd_info_init (GstShndInfo *self, GstShndInfoCache *cache, GVariant *metadata)
{
  *self = (GstShndInfo){
    .pts = GST_CLOCK_TIME_NONE,
    .dts = GST_CLOCK_TIME_NONE,
    .duration = GST_CLOCK_TIME_NONE,
    .latency = GST_CLOCK_TIME_NONE,
    .offset = GST_BUFFER_OFFSET_NONE,
    .offset_end = GST_BUFFER_OFFSET_NONE,
  };
  if (metadata == NULL)
    return;

  if (shnd_pattern_matches (&cache->pattern, g_variant_get_data (metadata),
                            g_variant_get_size (metadata)))
    {
      read_numbers (self, cache, g_variant_get_data (metadata));
      return;
    }

  read_all (self, metadata);
  if (shnd_pattern_learn (&cache->pattern, metadata))
    {
      gst_shnd_info_clear (&cache->info);
      cache->info = *self;
      if (self->metas != NULL)
        g_variant_ref (self->metas);
    }
}

void
gst_shnd_info_clear (GstShndInfo *self)
{
  g_clear_pointer (&self->metas, g_variant_unref);
}

void
gst_shnd_info_cache_clear (GstShndInfoCache *self)
{
  gst_shnd_info_clear (&self->info);
  shnd_pattern_clear (&self->pattern);
}

void
gst_shnd_info_apply (const GstShndInfo *self, const GstShndFormat *format, GstBuffer *buffer)
{
  GST_BUFFER_DURATION (buffer) = self->duration;
  GST_BUFFER_OFFSET (buffer) = self->offset;
  GST_BUFFER_OFFSET_END (buffer) = self->offset_end;
  if (self->has_flags)
    {
      GST_BUFFER_FLAG_UNSET (buffer, GST_SHND_BUFFER_FLAGS);
      GST_BUFFER_FLAG_SET (buffer, self->flags);
    }
  gst_shnd_metas_load (self->metas, format, buffer);
}
