/* SPDX-License-Identifier: MIT */

#include "cli-view.h"

#include "cli-error.h"

#include <string.h>

typedef enum
{
  PART_INDEX,
  PART_SLICE,
  PART_ELLIPSIS,
} PartKind;

/* What an expression says of one axis; with an ellipsis of none or several. */
typedef struct
{
  PartKind kind;
  gint64 numbers[3]; /* start, stop and step; of an index the first */
  gboolean given[3];
} Part;

/* Numbers that are too large become the largest there are, which no array reaches. */
static gboolean
parse_integer (const char *text, gint64 *number)
{
  char *end;

  *number = g_ascii_strtoll (text, &end, 10);

  return end != text && *end == '\0';
}

/* Whether it is "START:STOP" or "START:STOP:STEP", where each may be missing. */
static gboolean
parse_slice (const char *text, Part *part)
{
  g_auto (GStrv) numbers = g_strsplit (text, ":", -1);

  part->kind = PART_SLICE;
  if (g_strv_length (numbers) > G_N_ELEMENTS (part->numbers))
    return FALSE;

  for (guint i = 0; numbers[i] != NULL; i++)
    {
      g_strstrip (numbers[i]);
      part->given[i] = *numbers[i] != '\0';
      if (part->given[i] && !parse_integer (numbers[i], &part->numbers[i]))
        return FALSE;
    }

  return !part->given[2] || part->numbers[2] != 0;
}

static gboolean
parse_part (const char *text, Part *part)
{
  *part = (Part){ 0 };

  if (g_str_equal (text, "..."))
    {
      part->kind = PART_ELLIPSIS;
      return TRUE;
    }
  if (strchr (text, ':') != NULL)
    return parse_slice (text, part);

  part->kind = PART_INDEX;
  return parse_integer (text, &part->numbers[0]);
}

/* Without brackets around it, and the comma that may be at its end. */
static char *
strip_expression (const char *expression)
{
  g_autofree char *text = g_strstrip (g_strdup (expression));
  gsize length = strlen (text);

  if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
    {
      text[length - 1] = '\0';
      text[0] = ' ';
      g_strstrip (text);
      length = strlen (text);
    }
  if (length >= 2 && text[length - 1] == ',')
    text[length - 1] = '\0';

  return g_steal_pointer (&text);
}

/* An array of Part; NULL with an error. */
static GArray *
parse_expression (const char *expression, GError **error)
{
  g_autofree char *text = strip_expression (expression);
  g_auto (GStrv) texts = g_strsplit (text, ",", -1);
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));
  guint n_ellipses = 0;
  Part part;

  if (*texts == NULL)
    {
      cli_set_usage_error (error, "--slice “%s”: expected indices and slices, as in 0,10:20,::-1",
                           expression);
      return NULL;
    }

  for (guint i = 0; texts[i] != NULL; i++)
    {
      if (!parse_part (g_strstrip (texts[i]), &part))
        {
          cli_set_usage_error (error,
                               "--slice “%s”: “%s” is none: expected an index, as 3 or -1, a slice "
                               "START:STOP:STEP with a step other than 0, or ...",
                               expression, texts[i]);
          return NULL;
        }
      n_ellipses += part.kind == PART_ELLIPSIS;
      g_array_append_val (parts, part);
    }

  if (n_ellipses > 1)
    {
      cli_set_usage_error (error, "--slice “%s”: expected “...” at most once", expression);
      return NULL;
    }

  return g_steal_pointer (&parts);
}

/* Like Python: from the end if negative, and cut to where a slice can begin or end. */
static gint64
limit (gint64 index, gint64 length, gint64 lowest)
{
  if (index < 0)
    index += length;

  return CLAMP (index, lowest, lowest + length);
}

static ShndArray *
apply_slice (ShndArray *array, const Part *part, guint axis, GError **error)
{
  gint64 length = shnd_array_get_shape (array, NULL)[axis];
  gint64 step = part->given[2] ? part->numbers[2] : 1;
  gint64 lowest = step > 0 ? 0 : -1;
  gint64 start = step > 0 ? 0 : length - 1;
  gint64 stop = step > 0 ? length : -1;

  if (part->given[0])
    start = limit (part->numbers[0], length, lowest);
  if (part->given[1])
    stop = limit (part->numbers[1], length, lowest);

  return shnd_array_slice (array, axis, start, stop, step, error);
}

/* `number` is how the axis was called when there were all. */
static ShndArray *
apply_index (ShndArray *array,
             const Part *part,
             guint axis,
             guint number,
             const char *expression,
             GError **error)
{
  gint64 length = shnd_array_get_shape (array, NULL)[axis];
  gint64 index = part->numbers[0];

  if (index >= length || index < -length)
    {
      g_autofree char *expected =
          length == 0 ? g_strdup ("expected a slice") :
                        g_strdup_printf ("expected %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                         -length, length - 1);

      g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                   "--slice “%s”: index %" G_GINT64_FORMAT
                   " on axis %u, which has %" G_GINT64_FORMAT ": %s",
                   expression, index, number, length, expected);
      return NULL;
    }

  return shnd_array_index (array, axis, index < 0 ? index + length : index, error);
}

ShndArray *
cli_view_slice (ShndArray *array, const char *expression, GError **error)
{
  g_autoptr (GArray) parts = parse_expression (expression, error);
  g_autoptr (ShndArray) view = g_object_ref (array);
  guint n_dims = shnd_array_get_n_dims (array);
  guint n_used = 0;
  guint axis = 0;
  guint number = 0;

  if (parts == NULL)
    return NULL;

  for (guint i = 0; i < parts->len; i++)
    n_used += g_array_index (parts, Part, i).kind != PART_ELLIPSIS;
  if (n_used > n_dims)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                   "--slice “%s” is for %u axes: expected at most %u, as axis %u is not there",
                   expression, n_used, n_dims, n_dims);
      return NULL;
    }

  for (guint i = 0; i < parts->len; i++)
    {
      const Part *part = &g_array_index (parts, Part, i);
      ShndArray *next = NULL;

      switch (part->kind)
        {
        case PART_INDEX:
          next = apply_index (view, part, axis, number++, expression, error);
          break;
        case PART_SLICE:
          next = apply_slice (view, part, axis++, error);
          number++;
          break;
        case PART_ELLIPSIS:
          axis += n_dims - n_used;
          number += n_dims - n_used;
          continue;
        }

      if (next == NULL)
        return NULL;
      g_set_object (&view, next);
      g_object_unref (next);
    }

  return g_steal_pointer (&view);
}

/* "x, y and z", or as many of them as are easily read. */
static char *
list_fields (ShndDType *dtype)
{
  const guint most = 8;
  guint n = shnd_dtype_get_n_fields (dtype);
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < MIN (n, most); i++)
    g_string_append_printf (list, "%s“%s”",
                            i == 0     ? "" :
                            i == n - 1 ? " or " :
                                         ", ",
                            shnd_dtype_get_field_name (dtype, i));
  if (n > most)
    g_string_append_printf (list, ", or one of %u more", n - most);

  return g_string_free (list, FALSE);
}

ShndArray *
cli_view_field (ShndArray *array, const char *field, GError **error)
{
  ShndDType *dtype = shnd_array_get_dtype (array);
  g_autofree char *fields = NULL;

  if (shnd_dtype_get_n_fields (dtype) == 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "--field “%s”: elements of the dtype %s have no fields", field,
                   shnd_dtype_to_string (dtype));
      return NULL;
    }
  if (shnd_dtype_find_field (dtype, field) >= 0)
    return shnd_array_field (array, field, error);

  /* Not NOT_FOUND, which would say that the array is not there. */
  fields = list_fields (dtype);
  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
               "--field “%s”: there is no such field: expected %s", field, fields);
  return NULL;
}
