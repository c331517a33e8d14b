/* SPDX-License-Identifier: MIT */

#include "gstshndmetadata.h"

#include <string.h>

#include "gstshndmetas.h"

#define GST_CAT_DEFAULT (gst_shnd_metas_get_category ())

/* What a frame can take, and more than all short entries together need of it. */
#define MAX_SIZE 65536
#define SIZE_OF_SHORT_ENTRIES 1024

/* ---- Times ---- */

static const char *const time_keys[] = {
  "pts", "dts", "duration", "offset", "offset-end", "latency"
};

#define N_TIMES G_N_ELEMENTS (time_keys)

/* In that order. None of what is GST_CLOCK_TIME_NONE is said. */
static void
get_times (guint64 times[N_TIMES], GstBuffer *buffer, GstClockTime latency)
{
  times[0] = GST_BUFFER_PTS (buffer);
  times[1] = GST_BUFFER_DTS (buffer);
  times[2] = GST_BUFFER_DURATION (buffer);
  times[3] = GST_BUFFER_OFFSET (buffer);
  times[4] = GST_BUFFER_OFFSET_END (buffer);
  times[5] = latency == 0 ? GST_CLOCK_TIME_NONE : latency;
}

/* One bit for each that is said. */
static guint
get_said (const guint64 times[N_TIMES])
{
  guint said = 0;

  for (guint i = 0; i < N_TIMES; i++)
    {
      if (times[i] != GST_CLOCK_TIME_NONE)
        said |= 1u << i;
    }

  return said;
}

/* ---- All of it ---- */

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
  guint flags = GST_BUFFER_FLAGS (buffer) & GST_SHND_BUFFER_FLAGS;
  guint64 times[N_TIMES];
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
  get_times (times, buffer, latency);
  for (guint i = 0; i < N_TIMES; i++)
    {
      if (times[i] != GST_CLOCK_TIME_NONE)
        g_variant_builder_add (&builder, "{sv}", time_keys[i], g_variant_new_uint64 (times[i]));
    }
  if (flags != 0)
    g_variant_builder_add (&builder, "{sv}", "flags", g_variant_new_uint32 (flags));

  metas = gst_shnd_metas_save (buffer, format, room);
  if (metas != NULL)
    g_variant_builder_add (&builder, "{sv}", "metas", metas);

  return g_variant_builder_end (&builder);
}

/* ---- From one buffer to the next ---- */

static gboolean
is_same_meta (const GstVideoMeta *a, const GstVideoMeta *b)
{
  return a->flags == b->flags && a->format == b->format && a->id == b->id && a->width == b->width &&
         a->height == b->height && a->n_planes == b->n_planes &&
         memcmp (a->offset, b->offset, sizeof a->offset) == 0 &&
         memcmp (a->stride, b->stride, sizeof a->stride) == 0 &&
         memcmp (&a->alignment, &b->alignment, sizeof a->alignment) == 0;
}

/* Whether it has at most one meta that counts, of the only kind that nearly every buffer has. */
static gboolean
is_plain (GstBuffer *buffer, const GstVideoMeta **video)
{
  gpointer state = NULL;
  GstMeta *meta;

  *video = NULL;
  while ((meta = gst_buffer_iterate_meta (buffer, &state)) != NULL)
    {
      if (meta->info->api == GST_PARENT_BUFFER_META_API_TYPE)
        continue;
      if (meta->info->api != GST_VIDEO_META_API_TYPE || *video != NULL)
        return FALSE;
      *video = (const GstVideoMeta *) meta;
    }

  return TRUE;
}

/* Whether the last one's layout is this one's, too, and its metadata but for times. */
static gboolean
is_alike (const GstShndDescription *self,
          GstBuffer *buffer,
          const GstVideoMeta *video,
          const guint64 times[N_TIMES])
{
  return self->has_model && self->size == gst_buffer_get_size (buffer) &&
         self->flags == (GST_BUFFER_FLAGS (buffer) & GST_SHND_BUFFER_FLAGS) &&
         self->said == get_said (times) && self->has_video == (video != NULL) &&
         (video == NULL || is_same_meta (&self->video, video));
}

/* The model's bytes, with these times. */
static GVariant *
renew (const GstShndDescription *self, const guint64 times[N_TIMES])
{
  const GArray *numbers = self->pattern.numbers;
  gsize size = g_variant_get_size (self->pattern.model);
  guint8 *data = g_memdup2 (g_variant_get_data (self->pattern.model), size);

  for (guint i = 0; i < numbers->len; i++)
    {
      const ShndPatternNumber *number = &g_array_index (numbers, ShndPatternNumber, i);

      for (guint k = 0; k < N_TIMES; k++)
        {
          if (strcmp (time_keys[k], number->key) == 0)
            memcpy (data + number->start, &times[k], sizeof times[k]);
        }
    }

  return g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, data, size, TRUE, g_free, data));
}

GVariant *
gst_shnd_description_update (GstShndDescription *self,
                             const GstShndFormat *format,
                             GstBuffer *buffer,
                             GstClockTime latency)
{
  const GstVideoMeta *video;
  gboolean plain = is_plain (buffer, &video);
  guint64 times[N_TIMES];
  GVariant *metadata;

  get_times (times, buffer, latency);
  if (plain && is_alike (self, buffer, video, times))
    {
      self->pattern.n_misses = 0;
      return renew (self, times);
    }

  gst_shnd_layout_clear (&self->layout);
  self->fits = gst_shnd_layout_init (&self->layout, format, buffer);
  metadata = g_variant_ref_sink (gst_shnd_metadata_new (format, &self->layout, buffer, latency));

  self->has_model = plain && shnd_pattern_learn (&self->pattern, metadata);
  self->size = gst_buffer_get_size (buffer);
  self->flags = GST_BUFFER_FLAGS (buffer) & GST_SHND_BUFFER_FLAGS;
  self->said = get_said (times);
  self->has_video = video != NULL;
  if (video != NULL)
    self->video = *video;

  return metadata;
}

void
gst_shnd_description_clear (GstShndDescription *self)
{
  gst_shnd_layout_clear (&self->layout);
  shnd_pattern_clear (&self->pattern);
  self->has_model = FALSE;
}
