/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error-private.h"
#include "shnd-view-private.h"

#include <string.h>

/* Descriptors of ShndArray: text from which another process opens the same view. */

#define SCHEME "shnd:"

/* ---- Writing ---- */

static void
append_numbers (GString *text, const char *key, const gint64 *numbers, guint n)
{
  g_string_append_printf (text, "&%s=", key);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, i > 0 ? ",%" G_GINT64_FORMAT : "%" G_GINT64_FORMAT, numbers[i]);
}

/**
 * shnd_array_to_descriptor:
 * @self: an array that has a name or a path
 * @error: return location for an error
 *
 * Describes the array in a line of text, from which any process on this machine opens the same
 * elements with [func@Shnd.Array.open_descriptor].
 *
 * For a view that is the same view: its shape, strides, dtype and access are part of the text. So is
 * which file the name stands for, so that another array that takes the name later is not mistaken
 * for this one. The text is a URI of the scheme `shnd`, in ASCII without spaces.
 *
 * Whether the array may belong to another user (%SHND_ACCESS_ANY_OWNER) is not part of the text: that
 * is for each process to decide.
 *
 * The text does not keep the array: somebody must have it open until the other process opens it.
 *
 * Fails with %SHND_ERROR_UNSUPPORTED if the array is anonymous memory, and with %SHND_ERROR_CLOSED
 * if it is closed.
 *
 * Returns: (transfer full): the descriptor
 */
char *
shnd_array_to_descriptor (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (GString) text = NULL;
  const ShndLayout *layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return NULL;

  if (segment->name == NULL && segment->path == NULL)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "The array has no name by which another process could open it");
      return NULL;
    }

  text = g_string_new (SCHEME);
  if (segment->name != NULL)
    g_string_append_uri_escaped (text, segment->name, NULL, FALSE);
  else
    g_string_append_uri_escaped (text, segment->path, "/", FALSE);

  g_string_append_printf (text, "?file=%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT "&access=%s",
                          (guint64) segment->info.inode, segment->info.birth,
                          self->access & SHND_ACCESS_WRITE ? "rw" : "r");
  if (!self->is_view)
    return g_string_free (g_steal_pointer (&text), FALSE);

  layout = &self->layout;
  g_string_append_printf (text, "&%s=%" G_GUINT64_FORMAT, segment->raw ? "raw" : "offset",
                          segment->data_offset + (layout->data - segment->data));
  g_string_append (text, "&dtype=");
  g_string_append_uri_escaped (text, layout->dtype->description, NULL, FALSE);
  append_numbers (text, "shape", layout->shape, layout->n_dims);
  append_numbers (text, "strides", layout->strides, layout->n_dims);

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Reading ---- */

typedef struct
{
  char *name;    /* or a path, which begins with a slash */
  char *display; /* the same for messages: a path need not be text */
  guint64 inode;
  guint64 birth;
  ShndAccess access;
  gboolean is_view;
  gboolean raw;
  ShndView view;
} Descriptor;

enum
{
  KEY_FILE = 1 << 0,
  KEY_ACCESS = 1 << 1,
  KEY_OFFSET = 1 << 2,
  KEY_DTYPE = 1 << 3,
  KEY_SHAPE = 1 << 4,
  KEY_STRIDES = 1 << 5,
  KEYS_VIEW = KEY_OFFSET | KEY_DTYPE | KEY_SHAPE | KEY_STRIDES,
};

static void
descriptor_clear (Descriptor *self)
{
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->display, g_free);
  shnd_view_clear (&self->view);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Descriptor, descriptor_clear)

static gboolean
invalid (GError **error, const char *descriptor, const char *problem)
{
  g_autofree char *shown = shnd_shorten (descriptor);

  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
               "“%s” is not a descriptor of an array: %s", shown, problem);
  return FALSE;
}

static gboolean
parse_file (Descriptor *self, const char *value)
{
  const char *dot = strchr (value, '.');
  g_autofree char *inode = NULL;

  if (dot == NULL)
    return FALSE;

  inode = g_strndup (value, dot - value);

  return g_ascii_string_to_unsigned (inode, 10, 0, G_MAXUINT64, &self->inode, NULL) &&
         g_ascii_string_to_unsigned (dot + 1, 10, 0, G_MAXUINT64, &self->birth, NULL);
}

static gboolean
parse_numbers (const char *value, gint64 numbers[SHND_MAX_DIMS], guint *n)
{
  g_auto (GStrv) words = g_strsplit (value, ",", SHND_MAX_DIMS + 1);

  *n = g_strv_length (words);
  if (*n > SHND_MAX_DIMS)
    return FALSE;

  for (guint i = 0; i < *n; i++)
    {
      if (!g_ascii_string_to_signed (words[i], 10, G_MININT64, G_MAXINT64, &numbers[i], NULL))
        return FALSE;
    }

  return TRUE;
}

static gboolean
parse (Descriptor *self, const char *descriptor, GError **error)
{
  gint64 shape[SHND_MAX_DIMS], strides[SHND_MAX_DIMS];
  guint n_shape = 0, n_strides = 0, keys = 0;
  guint64 offset = 0;
  g_autofree char *place = NULL;
  g_autofree char *dtype = NULL;
  g_auto (GStrv) parameters = NULL;
  const char *rest, *query;

  if (!g_str_has_prefix (descriptor, SCHEME))
    return invalid (error, descriptor, "expected it to begin with “" SCHEME "”");

  rest = descriptor + strlen (SCHEME);
  query = strchrnul (rest, '?');
  place = g_strndup (rest, query - rest);
  self->name = g_uri_unescape_string (place, NULL);
  if (self->name == NULL || self->name[0] == '\0')
    return invalid (error, descriptor, "expected a name or a path after “" SCHEME "”");
  self->display = shnd_shorten (self->name);

  self->access = SHND_ACCESS_READ_WRITE;
  parameters = g_strsplit (*query != '\0' ? query + 1 : "", "&", -1);
  for (char **parameter = parameters; *parameter != NULL; parameter++)
    {
      char *value = strchr (*parameter, '=');
      gboolean valid = FALSE;
      guint key = 0;

      if (value != NULL)
        *value++ = '\0';

      if (value == NULL)
        {
          valid = FALSE;
        }
      else if (g_str_equal (*parameter, "file"))
        {
          key = KEY_FILE;
          valid = parse_file (self, value);
        }
      else if (g_str_equal (*parameter, "access"))
        {
          key = KEY_ACCESS;
          self->access = g_str_equal (value, "rw") ? SHND_ACCESS_READ_WRITE : SHND_ACCESS_READ;
          valid = g_str_equal (value, "rw") || g_str_equal (value, "r");
        }
      else if (g_str_equal (*parameter, "offset") || g_str_equal (*parameter, "raw"))
        {
          key = KEY_OFFSET;
          self->raw = (*parameter)[0] == 'r';
          valid = g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, &offset, NULL);
        }
      else if (g_str_equal (*parameter, "dtype"))
        {
          key = KEY_DTYPE;
          valid = dtype == NULL && (dtype = g_uri_unescape_string (value, NULL)) != NULL;
        }
      else if (g_str_equal (*parameter, "shape"))
        {
          key = KEY_SHAPE;
          valid = parse_numbers (value, shape, &n_shape);
        }
      else if (g_str_equal (*parameter, "strides"))
        {
          key = KEY_STRIDES;
          valid = parse_numbers (value, strides, &n_strides);
        }

      if (!valid || (keys & key) != 0)
        {
          g_autofree char *shown = shnd_shorten (*parameter);
          g_autofree char *problem = g_strdup_printf (
              "the parameter “%s” is unknown, repeated, or has no valid value", shown);

          return invalid (error, descriptor, problem);
        }
      keys |= key;
    }

  if ((keys & KEYS_VIEW) == 0)
    return TRUE;
  if ((keys & KEYS_VIEW) != KEYS_VIEW)
    return invalid (error, descriptor,
                    "expected offset, dtype, shape and strides together, or none of them");

  self->is_view = TRUE;
  if (shnd_view_init (&self->view, dtype, offset, shape, n_shape, strides, n_strides, error))
    return TRUE;

  g_prefix_error (error, "Not a valid descriptor of an array: ");
  return FALSE;
}

static gboolean
check_identity (const Descriptor *self, const ShndFileInfo *info, GError **error)
{
  if (self->inode == 0 || (self->inode == info->inode && self->birth == info->birth))
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
               "The array is gone: “%s” stands for another one by now", self->display);
  return FALSE;
}

/**
 * shnd_array_open_descriptor:
 * @descriptor: what [method@Shnd.Array.to_descriptor] returned
 * @error: return location for an error
 *
 * Opens what a descriptor describes: the same elements, with the same access.
 *
 * The text is checked like a file that somebody else wrote. It can be short: `shnd:NAME` opens an
 * array by its name, `shnd:/a/path.npy` a file, both for reading and writing.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if the text is not a descriptor; with
 * %SHND_ERROR_NOT_FOUND if the array is gone, also if its name stands for another one by now; with
 * %SHND_ERROR_TOO_SMALL if a view is not inside of the array; else as [func@Shnd.Array.open] does.
 *
 * Returns: (transfer full): the array
 */
ShndArray *
shnd_array_open_descriptor (const char *descriptor, GError **error)
{
  g_auto (Descriptor) parsed = { 0 };
  ShndArray *self;
  ShndFile file;

  g_return_val_if_fail (descriptor != NULL, NULL);

  if (!parse (&parsed, descriptor, error))
    return NULL;

  if (parsed.name[0] == '/' ? !shnd_segment_open_path (parsed.name, parsed.access, &file, error) :
                              !shnd_segment_open_name (parsed.name, parsed.access, &file, error))
    return NULL;

  if (!check_identity (&parsed, &file.info, error))
    {
      shnd_segment_abandon (&file);
      return NULL;
    }

  self = shnd_view_open (parsed.is_view ? &parsed.view : NULL,
                         parsed.raw ? SHND_VIEW_RAW : SHND_VIEW_NPY, &file, error);
  if (self == NULL)
    g_prefix_error (error, "Cannot open “%s”: ", parsed.display);

  return self;
}
