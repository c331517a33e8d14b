/* SPDX-License-Identifier: MIT */

#include "gstshndmetas.h"

#include "gstshndmetatypes.h"
#include "gstshndtext.h"

#define GST_CAT_DEFAULT (gst_shnd_metas_get_category ())

/* What an entry needs besides its value: alignment, the string of its type, where it ends. */
#define SIZE_OF_ENTRY 64

GstDebugCategory *
gst_shnd_metas_get_category (void)
{
  static gsize category;

  if (g_once_init_enter (&category))
    g_once_init_leave (&category, (gsize) _gst_debug_category_new ("shndmetadata", 0,
                                                                   "metadata of shared frames"));

  return (GstDebugCategory *) category;
}

static GVariant *
save_timestamp (const GstMeta *meta, const GstShndFormat *format)
{
  const GstReferenceTimestampMeta *self = (const GstReferenceTimestampMeta *) meta;
  g_autofree char *reference = gst_caps_to_string (self->reference);

  if (!g_utf8_validate (reference, -1, NULL))
    return NULL;

  return g_variant_new ("(stt)", reference, self->timestamp, self->duration);
}

static void
load_timestamp (GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  g_autoptr (GstStructure) structure = NULL;
  g_autoptr (GstCaps) reference = NULL;
  const char *text;
  guint64 timestamp, duration;

  g_variant_get (value, "(&stt)", &text, &timestamp, &duration);
  structure = gst_shnd_text_parse_structure (text);
  if (structure == NULL || !GST_CLOCK_TIME_IS_VALID (timestamp))
    return;

  reference = gst_caps_new_full (g_steal_pointer (&structure), NULL);
  gst_buffer_add_reference_timestamp_meta (buffer, reference, timestamp, duration);
}

static const GstShndMetaType any_meta_types[] = {
  { "GstReferenceTimestampMeta", "(stt)", gst_reference_timestamp_meta_api_get_type, save_timestamp,
    load_timestamp },
  { 0 },
};

static const GstShndMetaType *const meta_types[] = {
  gst_shnd_audio_meta_types,
  any_meta_types,
  gst_shnd_video_meta_types,
};

/* Metas that applications have registered: a name, and a structure. */

static GVariant *
save_custom (const GstMeta *meta)
{
  const GstStructure *structure = gst_custom_meta_get_structure ((GstCustomMeta *) meta);
  g_autofree char *text = gst_structure_to_string (structure);

  return g_utf8_validate (text, -1, NULL) ? g_variant_new_string (text) : NULL;
}

static gboolean
copy_field (GQuark field, const GValue *value, gpointer data)
{
  gst_structure_id_set_value (data, field, value);

  return TRUE;
}

/* A type of meta that is unknown in this process is of no use to it. */
static void
load_custom (const char *name, const char *text, GstBuffer *buffer)
{
  const GstMetaInfo *info = gst_meta_get_info (name);
  g_autoptr (GstStructure) structure = NULL;
  GstCustomMeta *added;

  if (info == NULL || !gst_meta_info_is_custom (info))
    return;

  structure = gst_shnd_text_parse_structure (text);
  if (structure == NULL)
    return;

  added = gst_buffer_add_custom_meta (buffer, name);
  gst_structure_foreach (structure, copy_field, gst_custom_meta_get_structure (added));
}

/* All of them */

typedef struct
{
  GVariantBuilder builder;
  guint n_metas;
  gsize room;
} Saving;

static void
append (Saving *self, const char *name, GVariant *value)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  gsize size;

  if (owned == NULL)
    return;

  size = g_variant_get_size (owned) + strlen (name) + SIZE_OF_ENTRY;
  if (size > self->room)
    {
      GST_DEBUG ("no room for a %s in a frame's metadata", name);
      return;
    }

  g_variant_builder_add (&self->builder, "(sv)", name, owned);
  self->n_metas++;
  self->room -= size;
}

GVariant *
gst_shnd_metas_save (GstBuffer *buffer, const GstShndFormat *format, gsize room)
{
  Saving saving = { .room = room };
  gpointer state = NULL;
  GstMeta *meta;

  if (gst_buffer_iterate_meta (buffer, &state) == NULL)
    return NULL;

  g_variant_builder_init (&saving.builder, G_VARIANT_TYPE ("a(sv)"));
  for (guint i = 0; i < G_N_ELEMENTS (meta_types); i++)
    {
      for (const GstShndMetaType *type = meta_types[i]; type->name != NULL; type++)
        {
          state = NULL;
          while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, type->get_api ())))
            append (&saving, type->name, type->save (meta, format));
        }
    }

  state = NULL;
  while ((meta = gst_buffer_iterate_meta (buffer, &state)))
    {
      if (gst_meta_info_is_custom (meta->info))
        append (&saving, g_type_name (meta->info->type), save_custom (meta));
    }

  if (saving.n_metas == 0)
    {
      g_variant_builder_clear (&saving.builder);
      return NULL;
    }

  return g_variant_builder_end (&saving.builder);
}

static const GstShndMetaType *
find_meta_type (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (meta_types); i++)
    {
      for (const GstShndMetaType *type = meta_types[i]; type->name != NULL; type++)
        {
          if (strcmp (type->name, name) == 0)
            return type;
        }
    }

  return NULL;
}

static void
load (const char *name, GVariant *value, const GstShndFormat *format, GstBuffer *buffer)
{
  const GstShndMetaType *type = find_meta_type (name);

  if (type != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE (type->type)))
    type->load (value, format, buffer);
  else if (type == NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    load_custom (name, g_variant_get_string (value, NULL), buffer);
}

void
gst_shnd_metas_complete (const GstShndFormat *format, GstBuffer *buffer)
{
  const GstAudioInfo *audio = &format->audio;

  if (audio->finfo != NULL && GST_AUDIO_INFO_LAYOUT (audio) != GST_AUDIO_LAYOUT_INTERLEAVED &&
      gst_buffer_get_audio_meta (buffer) == NULL)
    gst_buffer_add_audio_meta (buffer, audio,
                               gst_buffer_get_size (buffer) / GST_AUDIO_INFO_BPF (audio), NULL);
}

void
gst_shnd_metas_load (GVariant *metas, const GstShndFormat *format, GstBuffer *buffer)
{
  for (gsize i = 0; metas != NULL && i < g_variant_n_children (metas); i++)
    {
      g_autoptr (GVariant) value = NULL;
      const char *name;

      g_variant_get_child (metas, i, "(&sv)", &name, &value);
      load (name, value, format, buffer);
    }

  gst_shnd_metas_complete (format, buffer);
}
