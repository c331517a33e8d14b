/* SPDX-License-Identifier: MIT */

#include "gstshndtext.h"

#include <gst/video/video.h>
#include <string.h>

/* The syntax is that of gst_structure_to_string() and gst_caps_to_string(), and what people write. */

#define MAX_DEPTH 16
#define MAX_FIELDS 1024 /* GStreamer looks through all of them for each */

/* ---- Names ---- */

/* GLib keeps all names for good: how many bytes of those that are new. */
#define MAX_NEW_NAMES (1 << 20)
#define SIZE_OF_QUARK 64

static gint size_of_new_names;

gboolean
gst_shnd_text_can_be_known (const char *name)
{
  gsize size = strlen (name) + SIZE_OF_QUARK;

  if (g_quark_try_string (name) != 0)
    return TRUE;
  if (size > MAX_NEW_NAMES || g_atomic_int_get (&size_of_new_names) > MAX_NEW_NAMES - (gint) size)
    return FALSE;

  g_atomic_int_add (&size_of_new_names, (gint) size);
  return TRUE;
}

static gboolean
is_plain (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("_-+/:.", c) != NULL);
}

static void
skip_blanks (const char **text)
{
  while (g_ascii_isspace (**text))
    (*text)++;
}

static gboolean
take_char (const char **text, char c)
{
  skip_blanks (text);
  if (**text != c)
    return FALSE;

  (*text)++;
  return TRUE;
}

/* NULL if there is none. */
static char *
take_word (const char **text)
{
  const char *begin;

  skip_blanks (text);
  begin = *text;
  while (is_plain (**text))
    (*text)++;

  return *text > begin ? g_strndup (begin, *text - begin) : NULL;
}

static char *
take_name (const char **text)
{
  g_autofree char *name = take_word (text);

  return name != NULL && gst_shnd_text_can_be_known (name) ? g_steal_pointer (&name) : NULL;
}

/* ---- Values ---- */

/* 0 for what is no type. */
static GType
find_type (const char *name)
{
  const struct
  {
    const char *name;
    GType type;
  } types[] = {
    { "int", G_TYPE_INT },
    { "i", G_TYPE_INT },
    { "uint", G_TYPE_UINT },
    { "u", G_TYPE_UINT },
    { "float", G_TYPE_FLOAT },
    { "f", G_TYPE_FLOAT },
    { "double", G_TYPE_DOUBLE },
    { "d", G_TYPE_DOUBLE },
    { "boolean", G_TYPE_BOOLEAN },
    { "bool", G_TYPE_BOOLEAN },
    { "b", G_TYPE_BOOLEAN },
    { "string", G_TYPE_STRING },
    { "str", G_TYPE_STRING },
    { "s", G_TYPE_STRING },
    { "buffer", GST_TYPE_BUFFER },
    { "fraction", GST_TYPE_FRACTION },
    { "bitmask", GST_TYPE_BITMASK },
    { "flagset", GST_TYPE_FLAG_SET },
    { "structure", GST_TYPE_STRUCTURE },
    /* Decoders say it. It may be that nobody has needed it yet. */
    { "GstVideoMultiviewFlagsSet", GST_TYPE_VIDEO_MULTIVIEW_FLAGSET },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      if (strcmp (name, types[i].name) == 0)
        return types[i].type;
    }

  return g_type_from_name (name);
}

/* Those whose deserializers take anything, and lose nothing. */
static gboolean
is_scalar (GType type)
{
  switch (G_TYPE_FUNDAMENTAL (type))
    {
    case G_TYPE_BOOLEAN:
    case G_TYPE_INT:
    case G_TYPE_UINT:
    case G_TYPE_LONG:
    case G_TYPE_ULONG:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
    case G_TYPE_STRING:
    case G_TYPE_ENUM:
    case G_TYPE_FLAGS:
      return !G_TYPE_IS_VALUE_ABSTRACT (type);
    default:
      return type == GST_TYPE_FRACTION || type == GST_TYPE_BITMASK ||
             g_type_is_a (type, GST_TYPE_FLAG_SET);
    }
}

static gboolean
is_hex (const char *token)
{
  gsize n = strspn (token, "0123456789abcdefABCDEF");

  return token[n] == '\0' && n % 2 == 0;
}

static GstStructure *read_structure (const char **text, GstCapsFeatures **features, guint depth);

static gboolean
deserialize (GValue *value, GType type, const char *token)
{
  g_value_init (value, type);
  if (gst_value_deserialize (value, token))
    return TRUE;

  g_value_unset (value);
  return FALSE;
}

/* One that is a string. */
static gboolean
read_inner_structure (GValue *value, const char *token, guint depth)
{
  g_auto (GValue) string = G_VALUE_INIT;
  g_autoptr (GstStructure) structure = NULL;
  const char *text;

  if (!deserialize (&string, G_TYPE_STRING, token))
    return FALSE;

  text = g_value_get_string (&string);
  structure = text != NULL ? read_structure (&text, NULL, depth + 1) : NULL;
  if (structure == NULL)
    return FALSE;

  g_value_init (value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (value, g_steal_pointer (&structure));

  return TRUE;
}

static gboolean
read_token (GValue *value, GType type, const char *token, guint depth)
{
  const GType guesses[] = { G_TYPE_INT,        G_TYPE_DOUBLE,  GST_TYPE_FRACTION,
                            GST_TYPE_FLAG_SET, G_TYPE_BOOLEAN, G_TYPE_STRING };

  if (type == GST_TYPE_STRUCTURE)
    return read_inner_structure (value, token, depth);
  if (type == GST_TYPE_BUFFER)
    return is_hex (token) && deserialize (value, type, token);
  if (type != G_TYPE_INVALID)
    return is_scalar (type) && deserialize (value, type, token);

  for (guint i = 0; i < G_N_ELEMENTS (guesses); i++)
    {
      if (deserialize (value, guesses[i], token))
        return TRUE;
    }

  return FALSE;
}

/* A word, or what is between quotation marks, with these. */
static char *
take_token (const char **text)
{
  const char *begin;

  skip_blanks (text);
  if (**text != '"')
    return take_word (text);

  begin = (*text)++;
  while (**text != '"')
    {
      if (**text == '\\')
        (*text)++;
      if (**text == '\0')
        return NULL;
      (*text)++;
    }
  (*text)++;

  return g_strndup (begin, *text - begin);
}

static gboolean read_value (const char **text, GType type, GType *leaf, guint depth, GValue *value);

static gboolean
read_list (const char **text, char end, GType type, GType *leaf, guint depth, GValue *list)
{
  while (!take_char (text, end))
    {
      g_auto (GValue) value = G_VALUE_INIT;

      if (!read_value (text, type, leaf, depth + 1, &value))
        return FALSE;
      if (G_VALUE_TYPE (list) == GST_TYPE_LIST)
        gst_value_list_append_and_take_value (list, &value);
      else
        gst_value_array_append_and_take_value (list, &value);
      if (!take_char (text, ','))
        return take_char (text, end);
    }

  return TRUE;
}

/* The type is that of the list in which the value is; it may have its own. In lists of lists all has to
 * be of one type in the end, which is `leaf` when it is known. */
static gboolean
read_value (const char **text, GType type, GType *leaf, guint depth, GValue *value)
{
  g_autofree char *token = NULL;

  if (depth > MAX_DEPTH)
    return FALSE;

  if (take_char (text, '('))
    {
      g_autofree char *name = take_word (text);

      type = name != NULL ? find_type (name) : G_TYPE_INVALID;
      if (type == G_TYPE_INVALID || !take_char (text, ')'))
        return FALSE;
    }

  if (take_char (text, '{'))
    return read_list (text, '}', type, leaf, depth, g_value_init (value, GST_TYPE_LIST));
  if (take_char (text, '<'))
    return read_list (text, '>', type, leaf, depth, g_value_init (value, GST_TYPE_ARRAY));

  token = take_token (text);
  if (token == NULL || !read_token (value, type, token, depth))
    return FALSE;

  if (*leaf == G_TYPE_INVALID)
    *leaf = G_VALUE_TYPE (value);

  return G_VALUE_TYPE (value) == *leaf;
}

/* ---- Structures ---- */

static gboolean
is_feature (const char *name)
{
  const char *colon = strchr (name, ':');

  if (colon == NULL || !g_ascii_isalpha (colon[1]))
    return FALSE;
  for (const char *s = name; *s != '\0'; s++)
    {
      if (s != colon && !(s < colon ? g_ascii_isalpha (*s) : g_ascii_isalnum (*s)))
        return FALSE;
    }

  return TRUE;
}

static GstCapsFeatures *
read_features (const char **text)
{
  g_autoptr (GstCapsFeatures) features = gst_caps_features_new_empty ();

  do
    {
      g_autofree char *name = take_word (text);

      if (name == NULL || !is_feature (name) || !gst_shnd_text_can_be_known (name))
        return NULL;
      gst_caps_features_add (features, name);
    }
  while (take_char (text, ','));

  return take_char (text, ')') ? g_steal_pointer (&features) : NULL;
}

static gboolean
read_field (const char **text, guint depth, GstStructure *structure)
{
  g_autofree char *name = take_name (text);
  g_auto (GValue) value = G_VALUE_INIT;
  GType leaf = G_TYPE_INVALID;

  if (name == NULL || !take_char (text, '=') ||
      !read_value (text, G_TYPE_INVALID, &leaf, depth, &value))
    return FALSE;

  gst_structure_set_value (structure, name, &value);

  return gst_structure_n_fields (structure) <= MAX_FIELDS;
}

/* Up to the end of the text. Only caps have features. */
static GstStructure *
read_structure (const char **text, GstCapsFeatures **features, guint depth)
{
  g_autofree char *name = take_name (text);
  g_autoptr (GstStructure) structure = NULL;

  /* There are strings that a list of tags must not have. */
  if (name == NULL || !g_ascii_isalpha (*name) || strcmp (name, "taglist") == 0)
    return NULL;

  structure = gst_structure_new_empty (name);
  if (features != NULL && take_char (text, '('))
    {
      *features = read_features (text);
      if (*features == NULL)
        return NULL;
    }
  while (take_char (text, ','))
    {
      if (!read_field (text, depth, structure))
        return NULL;
    }
  take_char (text, ';');
  skip_blanks (text);

  return **text == '\0' ? g_steal_pointer (&structure) : NULL;
}

GstCaps *
gst_shnd_text_parse_caps (const char *text)
{
  /* Of these there are no frames. */
  static const char *const others[] = { "ANY", "EMPTY", "NONE", NULL };
  g_autoptr (GstCapsFeatures) features = NULL;
  g_autoptr (GstStructure) structure = read_structure (&text, &features, 0);
  GstCaps *caps;

  if (structure == NULL || g_strv_contains (others, gst_structure_get_name (structure)))
    return NULL;

  caps = gst_caps_new_full (g_steal_pointer (&structure), NULL);
  if (features != NULL)
    gst_caps_set_features (caps, 0, g_steal_pointer (&features));

  return caps;
}

GstStructure *
gst_shnd_text_parse_structure (const char *text)
{
  return read_structure (&text, NULL, 0);
}
