/* SPDX-License-Identifier: MIT */

#include "gstshndmetadata.h"

#include <string.h>

#include "gstshndmetas.h"

#define GST_CAT_DEFAULT (gst_shnd_metas_get_category ())

/* What a frame can take, and more than all short entries together need of it. */
#define MAX_SIZE 65536
#define SIZE_OF_SHORT_ENTRIES 1024

/* Other flags are about the buffer's memory, or about who holds it. */
#define FLAGS                                                                                      \
  (GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC |                \
   GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_HEADER |                   \
   GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_DELTA_UNIT |                  \
   GST_BUFFER_FLAG_NON_DROPPABLE | GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF |  \
   GST_VIDEO_BUFFER_FLAG_RFF | GST_VIDEO_BUFFER_FLAG_ONEFIELD |                                    \
   GST_VIDEO_BUFFER_FLAG_MULTIPLE_VIEW | GST_VIDEO_BUFFER_FLAG_FIRST_IN_BUNDLE)

static void
add_time (GVariantBuilder *builder, const char *key, guint64 value)
{
  if (value != GST_CLOCK_TIME_NONE)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint64 (value));
}

static void
add_int (GVariantBuilder *builder, const char *key, int value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_int32 (value));
}

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static void
add_format (GVariantBuilder *builder, const GstShndFormat *format)
{
  if (format->video.finfo != NULL)
    {
      add_string (builder, "format", GST_VIDEO_INFO_NAME (&format->video));
      add_int (builder, "width", GST_VIDEO_INFO_WIDTH (&format->video));
      add_int (builder, "height", GST_VIDEO_INFO_FIELD_HEIGHT (&format->video));
    }
  else if (format->audio.finfo != NULL)
    {
      gboolean interleaved = GST_AUDIO_INFO_LAYOUT (&format->audio) == GST_AUDIO_LAYOUT_INTERLEAVED;

      add_string (builder, "format", GST_AUDIO_INFO_NAME (&format->audio));
      add_int (builder, "rate", GST_AUDIO_INFO_RATE (&format->audio));
      add_int (builder, "channels", GST_AUDIO_INFO_CHANNELS (&format->audio));
      add_string (builder, "layout", interleaved ? "interleaved" : "non-interleaved");
    }
}

GVariant *
gst_shnd_metadata_new (const GstShndFormat *format,
                       const GstShndLayout *layout,
                       GstBuffer *buffer,
                       GstClockTime latency)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  gsize room = MAX_SIZE - SIZE_OF_SHORT_ENTRIES;
  guint flags = GST_BUFFER_FLAGS (buffer) & FLAGS;
  GVariant *metas;

  if (layout->planes != NULL)
    {
      g_variant_builder_add (&builder, "{sv}", "planes", layout->planes);
      room -= g_variant_get_size (layout->planes);
    }

  if (format->text != NULL && strlen (format->text) < room &&
      g_utf8_validate (format->text, -1, NULL))
    {
      add_string (&builder, "caps", format->text);
      room -= strlen (format->text);
    }
  else if (format->text != NULL)
    GST_WARNING ("the caps are too long for a frame's metadata: %" GST_PTR_FORMAT, format->caps);

  add_format (&builder, format);
  g_variant_builder_add (
      &builder, "{sv}", "buffer",
      g_variant_new ("(xt)", -(gint64) layout->offset, (guint64) gst_buffer_get_size (buffer)));
  add_time (&builder, "pts", GST_BUFFER_PTS (buffer));
  add_time (&builder, "dts", GST_BUFFER_DTS (buffer));
  add_time (&builder, "duration", GST_BUFFER_DURATION (buffer));
  add_time (&builder, "offset", GST_BUFFER_OFFSET (buffer));
  add_time (&builder, "offset-end", GST_BUFFER_OFFSET_END (buffer));
  add_time (&builder, "latency", latency == 0 ? GST_CLOCK_TIME_NONE : latency);
  if (flags != 0)
    g_variant_builder_add (&builder, "{sv}", "flags", g_variant_new_uint32 (flags));

  metas = gst_shnd_metas_save (buffer, format, room);
  if (metas != NULL)
    g_variant_builder_add (&builder, "{sv}", "metas", metas);

  return g_variant_builder_end (&builder);
}

/* The entries that are times or offsets. */
static guint64 *
find_number (GstShndInfo *self, const char *key)
{
  const struct
  {
    const char *key;
    guint64 *value;
  } numbers[] = {
    { "pts", &self->pts },         { "dts", &self->dts },       { "duration", &self->duration },
    { "latency", &self->latency }, { "offset", &self->offset }, { "offset-end", &self->offset_end },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      if (strcmp (numbers[i].key, key) == 0)
        return numbers[i].value;
    }

  return NULL;
}

static void
read_entry (GstShndInfo *self, const char *key, GVariant *value)
{
  const GVariantType *type = g_variant_get_type (value);
  guint64 *number;

  if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT64))
    {
      number = find_number (self, key);
      if (number != NULL)
        *number = g_variant_get_uint64 (value);
    }
  else if (strcmp (key, "caps") == 0 && g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    {
      self->caps = g_variant_get_string (value, NULL);
    }
  else if (strcmp (key, "flags") == 0 && g_variant_type_equal (type, G_VARIANT_TYPE_UINT32))
    {
      self->has_flags = TRUE;
      self->flags = g_variant_get_uint32 (value) & FLAGS;
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
}

void
gst_shnd_info_init (GstShndInfo *self, GVariant *metadata)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

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

  g_variant_iter_init (&iter, metadata);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      read_entry (self, key, value);
      g_variant_unref (value);
    }
}

void
gst_shnd_info_clear (GstShndInfo *self)
{
  g_clear_pointer (&self->metas, g_variant_unref);
}

void
gst_shnd_info_apply (const GstShndInfo *self, const GstShndFormat *format, GstBuffer *buffer)
{
  GST_BUFFER_DURATION (buffer) = self->duration;
  GST_BUFFER_OFFSET (buffer) = self->offset;
  GST_BUFFER_OFFSET_END (buffer) = self->offset_end;
  if (self->has_flags)
    {
      GST_BUFFER_FLAG_UNSET (buffer, FLAGS);
      GST_BUFFER_FLAG_SET (buffer, self->flags);
    }
  gst_shnd_metas_load (self->metas, format, buffer);
}
