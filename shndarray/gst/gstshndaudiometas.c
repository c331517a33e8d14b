/* SPDX-License-Identifier: MIT */

#include "gstshndmetatypes.h"

static GVariant *
save_audio (const GstMeta *meta, const GstShndFormat *format)
{
  const GstAudioMeta *self = (const GstAudioMeta *) meta;
  gboolean interleaved = GST_AUDIO_INFO_LAYOUT (&self->info) == GST_AUDIO_LAYOUT_INTERLEAVED;
  guint n_channels = GST_AUDIO_INFO_CHANNELS (&self->info);
  guint n_offsets = interleaved || self->offsets == NULL ? 0 : n_channels;
  g_autofree guint64 *offsets = g_new (guint64, n_channels);

  for (guint i = 0; i < n_offsets; i++)
    offsets[i] = self->offsets[i];

  return g_variant_new (
      "(siibt@at)", GST_AUDIO_INFO_NAME (&self->info), GST_AUDIO_INFO_RATE (&self->info),
      n_channels, interleaved, (guint64) self->samples,
      gst_shnd_new_numbers (G_VARIANT_TYPE_UINT64, offsets, n_offsets, sizeof (guint64)));
}

/* That each channel is in the buffer, and not in another one. */
static gboolean
are_channels (const gsize *offsets, guint n_channels, gsize length, gsize size)
{
  for (guint i = 0; i < n_channels; i++)
    {
      if (offsets[i] > size - length)
        return FALSE;

      for (guint k = 0; k < i; k++)
        {
          gsize distance = MAX (offsets[i], offsets[k]) - MIN (offsets[i], offsets[k]);

          if (distance < length)
            return FALSE;
        }
    }

  return TRUE;
}

static void
load_audio (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  const GstAudioInfo *info = &format->audio;
  gsize size = gst_buffer_get_size (buffer);
  gsize offsets[64];
  const char *name;
  int rate, channels;
  gboolean interleaved;
  guint64 samples;

  if (info->finfo == NULL || gst_buffer_get_audio_meta (buffer) != NULL)
    return;

  g_variant_get_child (value, 0, "&s", &name);
  g_variant_get_child (value, 1, "i", &rate);
  g_variant_get_child (value, 2, "i", &channels);
  g_variant_get_child (value, 3, "b", &interleaved);
  g_variant_get_child (value, 4, "t", &samples);
  if (strcmp (name, GST_AUDIO_INFO_NAME (info)) != 0 || rate != GST_AUDIO_INFO_RATE (info) ||
      channels != GST_AUDIO_INFO_CHANNELS (info) ||
      interleaved != (GST_AUDIO_INFO_LAYOUT (info) == GST_AUDIO_LAYOUT_INTERLEAVED) ||
      samples > size / GST_AUDIO_INFO_BPF (info))
    return;

  if (interleaved)
    gst_buffer_add_audio_meta (buffer, info, samples, NULL);
  else if (gst_shnd_get_numbers (value, 5, offsets, sizeof (guint64), channels) &&
           are_channels (offsets, channels, samples * GST_AUDIO_INFO_WIDTH (info) / 8, size))
    gst_buffer_add_audio_meta (buffer, info, samples, offsets);
}

static GVariant *
save_clipping (const GstMeta *meta, const GstShndFormat *format)
{
  const GstAudioClippingMeta *self = (const GstAudioClippingMeta *) meta;
  const char *unit = gst_format_get_name (self->format);

  return g_variant_new ("(stt)", unit != NULL ? unit : "", self->start, self->end);
}

static void
load_clipping (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  const char *name;
  guint64 start, end;

  g_variant_get (value, "(&stt)", &name, &start, &end);
  if (strcmp (name, gst_format_get_name (GST_FORMAT_DEFAULT)) == 0)
    gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_DEFAULT, start, end);
  else if (strcmp (name, gst_format_get_name (GST_FORMAT_TIME)) == 0)
    gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_TIME, start, end);
}

static GVariant *
save_level (const GstMeta *meta, const GstShndFormat *format)
{
  const GstAudioLevelMeta *self = (const GstAudioLevelMeta *) meta;

  return g_variant_new ("(yb)", self->level, self->voice_activity);
}

static void
load_level (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  guint8 level;
  gboolean voice_activity;

  g_variant_get (value, "(yb)", &level, &voice_activity);
  if (level <= 127)
    gst_buffer_add_audio_level_meta (buffer, level, voice_activity);
}

const GstShndMetaType gst_shnd_audio_meta_types[] = {
  { "GstAudioMeta", "(siibtat)", gst_audio_meta_api_get_type, save_audio, load_audio },
  { "GstAudioLevelMeta", "(yb)", gst_audio_level_meta_api_get_type, save_level, load_level },
  { "GstAudioClippingMeta", "(stt)", gst_audio_clipping_meta_api_get_type, save_clipping,
    load_clipping },
  { 0 },
};
