/* SPDX-License-Identifier: MIT */

#include "gstshndsrccaps.h"

#include "gstshndtext.h"

#include <string.h>

#define MAX_CHANNELS 63

static void
set_default (GstStructure *structure, const char *name, gint64 value)
{
  if (!gst_structure_has_field (structure, name))
    gst_structure_set (structure, name, G_TYPE_INT, (gint) MIN (value, G_MAXINT), NULL);
}

static void
complete_video (GstStructure *structure, ShndArray *array)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  if (n_dims == 2 || n_dims == 3)
    {
      set_default (structure, "height", shape[0]);
      set_default (structure, "width", shape[1]);
    }
  if (!gst_structure_has_field (structure, "framerate"))
    gst_structure_set (structure, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
}

static void
complete_audio (GstStructure *structure, ShndArray *array)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  set_default (structure, "channels", n_dims > 1 ? shape[1] : 1);
  if (!gst_structure_has_field (structure, "layout"))
    gst_structure_set (structure, "layout", G_TYPE_STRING, "interleaved", NULL);
}

/* What the caps do not say is what the array says. */
static void
complete (GstCaps *caps, ShndArray *array)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    {
      GstStructure *structure = gst_caps_get_structure (caps, i);

      if (gst_structure_has_name (structure, "video/x-raw"))
        complete_video (structure, array);
      else if (gst_structure_has_name (structure, "audio/x-raw"))
        complete_audio (structure, array);
    }
}

/* Caps of raw media are fixed without these, too. */
static gboolean
is_complete (GstCaps *caps)
{
  const GstStructure *structure;

  if (!gst_caps_is_fixed (caps))
    return FALSE;

  structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "video/x-raw"))
    return gst_structure_has_field (structure, "format") &&
           gst_structure_has_field (structure, "width") &&
           gst_structure_has_field (structure, "height");
  if (gst_structure_has_name (structure, "audio/x-raw"))
    return gst_structure_has_field (structure, "format") &&
           gst_structure_has_field (structure, "rate");
  return TRUE;
}

static GstCaps *
complete_given (GstCaps *given, ShndArray *array, GError **error)
{
  g_autoptr (GstCaps) caps = gst_caps_copy (given);
  g_autofree char *text = NULL;

  complete (caps, array);
  if (is_complete (caps))
    return g_steal_pointer (&caps);

  text = gst_caps_to_string (caps);
  g_set_error (
      error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "The caps “%s” leave open more than the array says: expected fixed caps, with the format",
      text);
  return NULL;
}

/* Whatever memory it was there, here it is the ordinary one. Fields and overlays are what they are. */
static void
leave_memory_out (GstCaps *caps)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  for (guint i = gst_caps_features_get_size (features); i > 0; i--)
    {
      g_autofree char *feature = g_strdup (gst_caps_features_get_nth (features, i - 1));

      if (g_str_has_prefix (feature, "memory:"))
        gst_caps_features_remove (features, feature);
    }
}

/* Of video and audio with other caps nobody knows how many bytes there have to be. GStreamer's converters
 * crash with more channels. */
static gboolean
are_of_known_media (GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  GstShndFormat format;
  gboolean known = TRUE;

  gst_shnd_format_init (&format, caps);
  if (gst_structure_has_name (structure, "video/x-raw"))
    known = format.video.finfo != NULL;
  else if (gst_structure_has_name (structure, "audio/x-raw"))
    known = format.audio.finfo != NULL && GST_AUDIO_INFO_CHANNELS (&format.audio) <= MAX_CHANNELS;
  gst_shnd_format_clear (&format);

  return known;
}

static GstCaps *
parse (const char *text, GError **error)
{
  g_autoptr (GstCaps) caps = gst_shnd_text_parse_caps (text);
  const char *expected = "fixed caps";

  if (caps != NULL && gst_caps_is_fixed (caps))
    {
      leave_memory_out (caps);
      if (are_of_known_media (caps))
        return g_steal_pointer (&caps);
      expected = "video or audio that GStreamer knows";
    }

  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
               "The publisher says that the caps are “%s”: expected %s", text, expected);
  return NULL;
}

/* Integers come from scripts in the type that their language takes. */
static gboolean
lookup_int (GVariant *metadata, const char *key, gint *value)
{
  g_autoptr (GVariant) number = g_variant_lookup_value (metadata, key, NULL);
  gint64 wide = 0;

  if (number == NULL)
    return FALSE;

  if (g_variant_is_of_type (number, G_VARIANT_TYPE_INT32))
    wide = g_variant_get_int32 (number);
  else if (g_variant_is_of_type (number, G_VARIANT_TYPE_INT64))
    wide = g_variant_get_int64 (number);
  else if (g_variant_is_of_type (number, G_VARIANT_TYPE_UINT32))
    wide = g_variant_get_uint32 (number);
  else if (g_variant_is_of_type (number, G_VARIANT_TYPE_DOUBLE))
    wide = CLAMP (g_variant_get_double (number), 0, G_MAXINT);

  *value = wide;
  return wide > 0 && wide <= G_MAXINT;
}

static void
set_looked_up (GstStructure *structure, GVariant *metadata, const char *key)
{
  gint value;

  if (lookup_int (metadata, key, &value))
    gst_structure_set (structure, key, G_TYPE_INT, value, NULL);
}

/* Scripts need not write caps: the format is enough, and for audio the rate. NULL if they say nothing
 * of that kind. */
static GstCaps *
assemble (GVariant *metadata, ShndArray *array)
{
  g_autoptr (GstCaps) caps = NULL;
  GstStructure *structure;
  const char *format;
  gint rate;

  if (!g_variant_lookup (metadata, "format", "&s", &format))
    return NULL;

  if (gst_video_format_from_string (format) != GST_VIDEO_FORMAT_UNKNOWN)
    {
      caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, NULL);
      structure = gst_caps_get_structure (caps, 0);
      set_looked_up (structure, metadata, "width");
      set_looked_up (structure, metadata, "height");
    }
  else if (gst_audio_format_from_string (format) != GST_AUDIO_FORMAT_UNKNOWN &&
           lookup_int (metadata, "rate", &rate))
    {
      const char *layout;

      caps = gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, format, "rate",
                                  G_TYPE_INT, rate, NULL);
      structure = gst_caps_get_structure (caps, 0);
      set_looked_up (structure, metadata, "channels");
      if (g_variant_lookup (metadata, "layout", "&s", &layout))
        gst_structure_set (structure, "layout", G_TYPE_STRING, layout, NULL);
    }
  else
    return NULL;

  complete (caps, array);
  return is_complete (caps) ? g_steal_pointer (&caps) : NULL;
}

/* Bytes that had no caps in the pipeline that sends them: those of a file, say. */
static gboolean
had_no_caps (const GstShndInfo *info, ShndArray *array)
{
  return info->has_span && shnd_array_get_n_dims (array) == 1 &&
         strcmp (shnd_dtype_to_string (shnd_array_get_dtype (array)), "|u1") == 0;
}

GstCaps *
gst_shnd_caps_new_for_frame (ShndFrame *frame,
                             const GstShndInfo *info,
                             GstCaps *given,
                             GError **error)
{
  ShndArray *array = shnd_frame_get_array (frame);
  GstCaps *caps;

  if (given != NULL)
    return complete_given (given, array, error);
  if (info->caps != NULL)
    return parse (info->caps, error);

  caps = assemble (shnd_frame_get_metadata (frame), array);
  if (caps != NULL)
    return caps;

  return had_no_caps (info, array) ? gst_caps_new_any () : gst_shnd_caps_new_for_array (array);
}
