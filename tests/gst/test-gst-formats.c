/* SPDX-License-Identifier: MIT */

/* The tables of doc/gstreamer-formats.md are what this says of each format: with --print they can
 * be had anew. */

#include <stdio.h>
#include <string.h>

#include "gstshndlayout.h"
#include "video-formats.h"

/* Odd sizes, for which rows of UYVP have room for whole groups. */
static const gint64 widths[] = { 1237, 853 };
static const gint64 heights[] = { 1019, 683 };

static gint64
divide (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

/* What it is of width and height, with divisions that round up. */
static char *
name_length (const gint64 *lengths)
{
  struct
  {
    const char *name;
    gint64 lengths[2];
  } names[16] = { 0 };

  for (guint i = 0; i < 2; i++)
    {
      gint64 w = widths[i];
      gint64 h = heights[i];
      guint n = 0;

#define NAME(text, value) names[n].name = text, names[n++].lengths[i] = value
      NAME ("h", h);
      NAME ("h/2", divide (h, 2));
      NAME ("h/4", divide (h, 4));
      NAME ("w", w);
      NAME ("w/2", divide (w, 2));
      NAME ("w/3", divide (w, 3));
      NAME ("w/4", divide (w, 4));
      NAME ("w/6", divide (w, 6));
      NAME ("2\u00b7(w/2)", 2 * divide (w, 2));
      NAME ("2\u00b7(w/2)/3", divide (2 * divide (w, 2), 3));
      NAME ("2\u00b7(w/2)/4", divide (2 * divide (w, 2), 4));
#undef NAME
    }

  for (guint i = 0; i < G_N_ELEMENTS (names) && names[i].name != NULL; i++)
    {
      if (memcmp (names[i].lengths, lengths, sizeof names[i].lengths) == 0)
        return g_strdup (names[i].name);
    }

  g_assert_cmpint (lengths[0], ==, lengths[1]);
  return g_strdup_printf ("%" G_GINT64_FORMAT, lengths[0]);
}

static void
append_shape (GString *row,
              const VideoFormat *format,
              const gint64 *first,
              const gint64 *second,
              guint n_dims)
{
  gboolean is_tiled = format->kind == TILES || format->kind == TILES_HIGH;
  gboolean is_linear =
      gst_video_format_get_info (format->format)->tile_mode == GST_VIDEO_TILE_MODE_LINEAR;

  g_string_append (row, "(");
  for (guint i = 0; i < n_dims; i++)
    {
      g_autofree char *length = NULL;

      if (i > 0)
        g_string_append (row, ", ");
      if (is_tiled && i == 0)
        g_string_append (row, is_linear ? "rows of tiles" : "tiles");
      else if (is_tiled && is_linear && i == 1)
        g_string_append (row, "tiles");
      else
        {
          length = name_length ((gint64[]){ first[i], second[i] });
          g_string_append (row, length);
        }
    }
  if (n_dims == 1)
    g_string_append (row, ",");
  g_string_append (row, ")");
}

/* The order of bytes is what the format's name says, or the usual one. */
static const char *
skip_order (const char *dtype, const char *format)
{
  gboolean big = g_str_has_suffix (format, "BE") || strstr (format, "BE_") != NULL ||
                 g_str_equal (format, "r210");

  if (dtype[0] != '|')
    g_assert_cmpint (dtype[0], ==, big ? '>' : '<');
  return dtype + 1;
}

static void
append_plane (GString *row, const VideoFormat *format, GVariant *first, GVariant *second)
{
  g_autoptr (GVariant) shape = NULL;
  g_autoptr (GVariant) other = NULL;
  const char *name, *dtype;
  gsize n_dims;
  const gint64 *lengths[2];

  g_variant_get (first, "(&s&st@ax@ax)", &name, &dtype, NULL, &shape, NULL);
  g_variant_get (second, "(&s&st@ax@ax)", NULL, NULL, NULL, &other, NULL);
  lengths[0] = g_variant_get_fixed_array (shape, &n_dims, sizeof (gint64));
  lengths[1] = g_variant_get_fixed_array (other, &n_dims, sizeof (gint64));
  g_string_append_printf (row, "`%s` `%s` ", name,
                          skip_order (dtype, gst_video_format_to_string (format->format)));
  append_shape (row, format, lengths[0], lengths[1], n_dims);
}

static void
append_bits (GString *row, const VideoFormat *format)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (format->format);

  switch (format->kind)
    {
    case CHANNELS_HIGH:
    case PLANES_HIGH:
      if (finfo->depth[0] < 16)
        g_string_append_printf (row, "; the upper %u bits", finfo->depth[0]);
      break;
    case GROUP_LOW:
      g_string_append (row, "; 10 bits each, from the lowest");
      break;
    case GROUP_HIGH:
    case TILES_HIGH:
      g_string_append (row, "; 10 bits each, from the highest");
      break;
    case PLANES:
      if (finfo->depth[0] != 8 && finfo->depth[0] != 16)
        g_string_append_printf (row, "; the lower %u bits", finfo->depth[0]);
      break;
    default:
      break;
    }
}

static void
append_elements (GString *row, const VideoFormat *format)
{
  const char *letters = format->elements;

  switch (format->kind)
    {
    case CHANNELS:
    case CHANNELS_HIGH:
      if (strlen (letters) == 4 && gst_video_format_get_info (format->format)->w_sub[1] == 1)
        g_string_append_printf (row, "%.2s, %s", letters, letters + 2);
      else
        g_string_append (row, letters);
      break;
    case WORD:
      g_string_append_printf (row, "%s, from the highest bit", letters);
      break;
    default:
      g_string_append (row, letters);
      break;
    }
}

static void
get_layout (const VideoFormat *format, guint i, GstShndLayout *layout)
{
  GstVideoInfo info;
  GstShndFormat parsed;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;

  gst_video_info_set_format (&info, format->format, widths[i], heights[i]);
  caps = gst_video_info_to_caps (&info);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_shnd_format_init (&parsed, caps);
  g_assert_true (gst_shnd_layout_init (layout, &parsed, buffer));
  gst_shnd_format_clear (&parsed);
}

/* What the page says behind the format's name. */
static char *
describe (const VideoFormat *format)
{
  g_autoptr (GString) row = g_string_new (NULL);
  GstShndLayout layouts[2];

  for (guint i = 0; i < 2; i++)
    get_layout (format, i, &layouts[i]);

  if (layouts[0].planes == NULL)
    {
      g_string_append_printf (row, "`%s` | ",
                              skip_order (shnd_dtype_to_string (layouts[0].dtype),
                                          gst_video_format_to_string (format->format)));
      append_shape (row, format, layouts[0].shape, layouts[1].shape, layouts[0].n_dims);
      g_string_append (row, " | ");
      append_elements (row, format);
    }
  else
    for (guint i = 0; i < g_variant_n_children (layouts[0].planes); i++)
      {
        g_autoptr (GVariant) first = g_variant_get_child_value (layouts[0].planes, i);
        g_autoptr (GVariant) second = g_variant_get_child_value (layouts[1].planes, i);

        if (i > 0)
          g_string_append (row, ", ");
        append_plane (row, format, first, second);
      }
  append_bits (row, format);

  for (guint i = 0; i < 2; i++)
    gst_shnd_layout_clear (&layouts[i]);
  return g_string_free (g_steal_pointer (&row), FALSE);
}

/* Rows of a table: formats that are alike share one. */
static void
append_row (GPtrArray *rows, GHashTable *index, const char *format, const char *description)
{
  GString *row = g_hash_table_lookup (index, description);

  if (row == NULL)
    {
      row = g_string_new (NULL);
      g_ptr_array_add (rows, row);
      g_hash_table_insert (index, g_strdup (description), row);
    }
  else
    g_string_append (row, ", ");

  g_string_append_printf (row, "`%s`", format);
}

static void
append_table (GString *page, GPtrArray *rows, GHashTable *index, const char *head)
{
  guint n_columns = 0;

  for (const char *c = head; *c != '\0'; c++)
    n_columns += *c == '|';
  g_string_append_printf (page, "%s\n|", head);
  for (guint i = 1; i < n_columns; i++)
    g_string_append (page, " --- |");
  g_string_append (page, "\n");

  for (guint i = 0; i < rows->len; i++)
    {
      GHashTableIter iter;
      gpointer description, row;

      g_hash_table_iter_init (&iter, index);
      while (g_hash_table_iter_next (&iter, &description, &row))
        {
          if (row == g_ptr_array_index (rows, i))
            g_string_append_printf (page, "| %s | %s |\n", ((GString *) row)->str,
                                    (char *) description);
        }
      g_string_free (g_ptr_array_index (rows, i), TRUE);
    }
}

static char *
new_video_table (gboolean planes, const char *head)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  g_autoptr (GHashTable) index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) table = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++)
    {
      const GstVideoFormatInfo *finfo = gst_video_format_get_info (video_formats[i].format);

      if ((finfo->n_planes > 1) == planes)
        {
          g_autofree char *description = describe (&video_formats[i]);

          append_row (rows, index, finfo->name, description);
        }
    }

  append_table (table, rows, index, head);
  return g_string_free (g_steal_pointer (&table), FALSE);
}

static char *
new_audio_table (void)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  g_autoptr (GHashTable) index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) table = g_string_new (NULL);
  guint n_formats;
  const GstAudioFormat *formats = gst_audio_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++)
    {
      g_autofree char *caps_text =
          g_strdup_printf ("audio/x-raw,format=%s,rate=1,channels=2,layout=interleaved",
                           gst_audio_format_to_string (formats[i]));
      g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
      g_autoptr (GstBuffer) buffer = gst_buffer_new ();
      g_autofree char *description = NULL;
      GstShndFormat format;
      GstShndLayout layout;

      gst_shnd_format_init (&format, caps);
      g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
      description = g_strdup_printf (
          "`%s` | (samples, channels%s)",
          skip_order (shnd_dtype_to_string (layout.dtype), gst_audio_format_to_string (formats[i])),
          layout.n_dims == 3 ? ", 3" : "");
      append_row (rows, index, gst_audio_format_to_string (formats[i]), description);
      gst_shnd_layout_clear (&layout);
      gst_shnd_format_clear (&format);
    }

  append_table (table, rows, index, "| Formats | dtype | Shape |");
  return g_string_free (g_steal_pointer (&table), FALSE);
}

static char *tables[3];
static char *page;

static void
test_table (gconstpointer data)
{
  const char *table = data;
  const char *at = strstr (page, table);

  if (at == NULL)
    g_test_message ("the page has not this table:\n%s", table);
  g_assert_nonnull (at);

  /* nor has it one row more */
  g_assert_cmpint (at[strlen (table)], !=, '|');
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  gst_init (&argc, &argv);
  tables[0] = new_video_table (FALSE, "| Formats | dtype | Shape | Elements |");
  tables[1] = new_video_table (TRUE, "| Formats | Planes |");
  tables[2] = new_audio_table ();
  if (argc == 2 && strcmp (argv[1], "--print") == 0)
    {
      printf ("%s\n%s\n%s", tables[0], tables[1], tables[2]);
      return 0;
    }

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  g_file_get_contents (argv[1], &page, NULL, &error);
  g_assert_no_error (error);
  g_test_add_data_func ("/gst/formats/video", tables[0], test_table);
  g_test_add_data_func ("/gst/formats/planes", tables[1], test_table);
  g_test_add_data_func ("/gst/formats/audio", tables[2], test_table);
  status = g_test_run ();
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    g_free (tables[i]);
  g_free (page);

  return status;
}
