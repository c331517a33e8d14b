/* SPDX-License-Identifier: MIT */

#include "gstshndformat.h"

#include <string.h>

static gboolean
append_length (GstShndFormat *self, const char *digits, gint64 least)
{
  guint64 length;

  if (self->n_dims == SHND_MAX_DIMS ||
      !g_ascii_string_to_unsigned (digits, 10, least, G_MAXINT64, &length, NULL))
    return FALSE;

  self->shape[self->n_dims++] = (gint64) length;

  return TRUE;
}

/* "2,3", with or without a comma at the end; "" has no dimension. */
static gboolean
parse_shape (GstShndFormat *self, const char *text)
{
  g_auto (GStrv) lengths = g_strsplit (text, ",", SHND_MAX_DIMS + 2);
  guint n_lengths = g_strv_length (lengths);

  if (n_lengths > 0 && *g_strstrip (lengths[n_lengths - 1]) == '\0')
    n_lengths--;

  for (guint i = 0; i < n_lengths; i++)
    {
      if (!append_length (self, g_strstrip (lengths[i]), 0))
        return FALSE;
    }

  return TRUE;
}

/* "3:640:480:1": the fastest dimension first, and ones to fill up. */
static gboolean
parse_dimensions (GstShndFormat *self, const char *text)
{
  g_auto (GStrv) lengths = g_strsplit (text, ":", SHND_MAX_DIMS + 1);
  guint n_lengths = g_strv_length (lengths);

  while (n_lengths > 1 && g_strcmp0 (g_strstrip (lengths[n_lengths - 1]), "1") == 0)
    n_lengths--;

  for (guint i = n_lengths; i > 0; i--)
    {
      if (!append_length (self, g_strstrip (lengths[i - 1]), 1))
        return FALSE;
    }

  return n_lengths > 0;
}

static gboolean
parse_tensor (GstShndFormat *self, const char *type, const char *dimensions)
{
  static const char *const types[] = { "int8",  "uint8",  "int16",   "uint16",  "int32",   "uint32",
                                       "int64", "uint64", "float16", "float32", "float64", NULL };

  if (type == NULL || dimensions == NULL || !g_strv_contains (types, type) ||
      !parse_dimensions (self, dimensions))
    return FALSE;

  self->dtype = shnd_dtype_new (type, NULL);

  return TRUE;
}

static gboolean
parse_tensors (GstShndFormat *self, const GstStructure *structure)
{
  const char *format = gst_structure_get_string (structure, "format");
  int n_tensors;

  return (format == NULL || strcmp (format, "static") == 0) &&
         gst_structure_get_int (structure, "num_tensors", &n_tensors) && n_tensors == 1 &&
         parse_tensor (self, gst_structure_get_string (structure, "types"),
                       gst_structure_get_string (structure, "dimensions"));
}

/* A single length that somebody has typed is no string. */
static gboolean
parse_array (GstShndFormat *self, const GstStructure *structure)
{
  const char *dtype = gst_structure_get_string (structure, "dtype");
  const char *shape = gst_structure_get_string (structure, "shape");
  int length;

  if (shape == NULL && gst_structure_get_int (structure, "shape", &length) && length >= 0)
    self->shape[self->n_dims++] = length;
  else if (shape == NULL || !parse_shape (self, shape))
    return FALSE;

  self->dtype = dtype != NULL ? shnd_dtype_new (dtype, NULL) : NULL;

  return self->dtype != NULL;
}

static gboolean
is_positive (const GstStructure *structure, const char *field)
{
  int value;

  return gst_structure_get_int (structure, field, &value) && value > 0;
}

static void
parse_video (GstShndFormat *self, const GstStructure *structure)
{
  if (!is_positive (structure, "width") || !is_positive (structure, "height") ||
      !gst_video_info_from_caps (&self->video, self->caps) ||
      GST_VIDEO_INFO_FORMAT (&self->video) == GST_VIDEO_FORMAT_ENCODED)
    self->video = (GstVideoInfo){ 0 };
}

static void
parse_audio (GstShndFormat *self, const GstStructure *structure)
{
  int channels;

  if (!is_positive (structure, "rate") ||
      !gst_structure_get_int (structure, "channels", &channels) || channels < 1 || channels > 64 ||
      !gst_audio_info_from_caps (&self->audio, self->caps) ||
      GST_AUDIO_INFO_FORMAT (&self->audio) == GST_AUDIO_FORMAT_ENCODED)
    self->audio = (GstAudioInfo){ 0 };
}

static gboolean
is_in_system_memory (const GstCaps *caps, guint n)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, n);

  for (guint i = 0; i < gst_caps_features_get_size (features); i++)
    {
      const char *feature = gst_caps_features_get_nth (features, i);

      if (g_str_has_prefix (feature, "memory:") &&
          strcmp (feature, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY) != 0)
        return FALSE;
    }

  return TRUE;
}

gboolean
gst_shnd_caps_are_in_system_memory (const GstCaps *caps)
{
  return gst_caps_get_size (caps) == 0 || is_in_system_memory (caps, 0);
}

static gboolean
has_in_system_memory (const GstCaps *caps, GQuark name)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    {
      if (gst_structure_get_name_id (gst_caps_get_structure (caps, i)) == name &&
          is_in_system_memory (caps, i))
        return TRUE;
    }

  return FALSE;
}

GstCaps *
gst_shnd_caps_prefer_system_memory (GstCaps *caps)
{
  GstCaps *preferred;

  if (gst_caps_is_any (caps))
    return gst_caps_ref (caps);

  preferred = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    {
      const GstStructure *structure = gst_caps_get_structure (caps, i);

      if (is_in_system_memory (caps, i) ||
          !has_in_system_memory (caps, gst_structure_get_name_id (structure)))
        gst_caps_append_structure_full (preferred, gst_structure_copy (structure),
                                        gst_caps_features_copy (gst_caps_get_features (caps, i)));
    }

  return preferred;
}

void
gst_shnd_format_init (GstShndFormat *self, GstCaps *caps)
{
  const GstStructure *structure;
  gboolean known = TRUE;

  *self = (GstShndFormat){ 0 };
  if (caps == NULL)
    return;

  self->caps = gst_caps_ref (caps);
  self->text = gst_caps_to_string (caps);
  if (!gst_caps_is_fixed (caps) || !gst_shnd_caps_are_in_system_memory (caps))
    return;

  structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "video/x-raw"))
    parse_video (self, structure);
  else if (gst_structure_has_name (structure, "audio/x-raw"))
    parse_audio (self, structure);
  else if (gst_structure_has_name (structure, "other/tensors"))
    known = parse_tensors (self, structure);
  else if (gst_structure_has_name (structure, "other/tensor"))
    known = parse_tensor (self, gst_structure_get_string (structure, "type"),
                          gst_structure_get_string (structure, "dimension"));
  else if (gst_structure_has_name (structure, GST_SHND_ARRAY_CAPS))
    known = parse_array (self, structure);

  if (!known)
    {
      g_clear_pointer (&self->dtype, shnd_dtype_unref);
      self->n_dims = 0;
    }
}

void
gst_shnd_format_clear (GstShndFormat *self)
{
  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->dtype, shnd_dtype_unref);
  self->video = (GstVideoInfo){ 0 };
  self->audio = (GstAudioInfo){ 0 };
  self->n_dims = 0;
}

/* GStreamer counts the bytes of a row in an int. */
static gboolean
is_video_size (GstVideoFormat format, gint64 width, gint64 height)
{
  GstVideoInfo info;

  return width > 0 && height > 0 && width <= G_MAXINT / 8 && height <= G_MAXINT &&
         gst_video_info_set_format (&info, format, width, height);
}

static GstVideoFormat
find_video_format (ShndArray *array)
{
  static const struct
  {
    const char *dtype;
    gint64 n_channels;
    GstVideoFormat format;
  } formats[] = {
    { "|u1", 1, GST_VIDEO_FORMAT_GRAY8 },     { "|u1", 3, GST_VIDEO_FORMAT_RGB },
    { "|u1", 4, GST_VIDEO_FORMAT_RGBA },      { "<u2", 1, GST_VIDEO_FORMAT_GRAY16_LE },
    { ">u2", 1, GST_VIDEO_FORMAT_GRAY16_BE }, { "<u2", 4, GST_VIDEO_FORMAT_RGBA64_LE },
    { ">u2", 4, GST_VIDEO_FORMAT_RGBA64_BE },
  };
  const char *dtype = shnd_dtype_to_string (shnd_array_get_dtype (array));
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      if (strcmp (dtype, formats[i].dtype) == 0 &&
          (formats[i].n_channels == 1 ? n_dims == 2 :
                                        n_dims == 3 && shape[2] == formats[i].n_channels) &&
          is_video_size (formats[i].format, shape[1], shape[0]))
        return formats[i].format;
    }

  return GST_VIDEO_FORMAT_UNKNOWN;
}

GstCaps *
gst_shnd_caps_new_for_array (ShndArray *array)
{
  GstVideoFormat format = find_video_format (array);
  g_autoptr (GString) text = NULL;
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  if (format != GST_VIDEO_FORMAT_UNKNOWN)
    return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
                                gst_video_format_to_string (format), "width", G_TYPE_INT,
                                (int) shape[1], "height", G_TYPE_INT, (int) shape[0], "framerate",
                                GST_TYPE_FRACTION, 0, 1, NULL);

  text = g_string_new (NULL);
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, i == 0 ? "%" G_GINT64_FORMAT : ",%" G_GINT64_FORMAT, shape[i]);

  return gst_caps_new_simple (GST_SHND_ARRAY_CAPS, "dtype", G_TYPE_STRING,
                              shnd_dtype_to_string (shnd_array_get_dtype (array)), "shape",
                              G_TYPE_STRING, text->str, NULL);
}
