/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"
#include "shnd-element-private.h"

#include <math.h>
#include <shndarray/shnd-error.h>
#include <string.h>

/* Larger elements are put together on the heap. */
#define SMALL_ELEMENT 256

/* A number as it was given. */
typedef struct
{
  enum
  {
    SIGNED,
    UNSIGNED,
    REAL
  } kind; /* UNSIGNED only above G_MAXINT64 */
  gint64 integer;
  guint64 large;
  double real;
} Number;

static Number
number_from_unsigned (guint64 value)
{
  if (value <= G_MAXINT64)
    return (Number){ .kind = SIGNED, .integer = value };
  return (Number){ .kind = UNSIGNED, .large = value };
}

static gboolean
number_from_variant (GVariant *value, Number *number)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BOOLEAN:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_boolean (value) };
      return TRUE;
    case G_VARIANT_CLASS_BYTE:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_byte (value) };
      return TRUE;
    case G_VARIANT_CLASS_INT16:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_int16 (value) };
      return TRUE;
    case G_VARIANT_CLASS_UINT16:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_uint16 (value) };
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_int32 (value) };
      return TRUE;
    case G_VARIANT_CLASS_UINT32:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_uint32 (value) };
      return TRUE;
    case G_VARIANT_CLASS_INT64:
      *number = (Number){ .kind = SIGNED, .integer = g_variant_get_int64 (value) };
      return TRUE;
    case G_VARIANT_CLASS_UINT64:
      *number = number_from_unsigned (g_variant_get_uint64 (value));
      return TRUE;
    case G_VARIANT_CLASS_DOUBLE:
      *number = (Number){ .kind = REAL, .real = g_variant_get_double (value) };
      return TRUE;
    default:
      return FALSE;
    }
}

static char *
number_to_string (const Number *number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  switch (number->kind)
    {
    case SIGNED:
      return g_strdup_printf ("%" G_GINT64_FORMAT, number->integer);
    case UNSIGNED:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, number->large);
    default:
      g_ascii_formatd (text, sizeof text, "%.15g", number->real);
      if (g_ascii_strtod (text, NULL) != number->real)
        g_ascii_dtostr (text, sizeof text, number->real);
      return g_strdup (text);
    }
}

static gboolean
refuse_number (ShndDType *dtype, const Number *number, const char *expected, GError **error)
{
  g_autofree char *text = number_to_string (number);

  g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE, "%s for dtype %s: expected %s", text,
               shnd_dtype_to_string (dtype), expected);
  return FALSE;
}

/* A real number becomes an integer if it is one that 64 bits can hold. */
static void
make_whole (Number *number)
{
  double real = number->real;

  if (number->kind != REAL)
    return;
  if (real >= -0x1p63 && real < 0x1p63)
    {
      if ((double) (gint64) real == real)
        *number = (Number){ .kind = SIGNED, .integer = (gint64) real };
    }
  else if (real >= 0x1p63 && real < 0x1p64)
    *number = number_from_unsigned ((guint64) real);
}

static void
store_number (ShndDType *dtype, guint8 *element, const Number *number)
{
  switch (number->kind)
    {
    case SIGNED:
      shnd_number_write (dtype, element, SHND_NUMBER_INT64, &number->integer);
      break;
    case UNSIGNED:
      shnd_number_write (dtype, element, SHND_NUMBER_UINT64, &number->large);
      break;
    case REAL:
      shnd_number_write (dtype, element, SHND_NUMBER_DOUBLE, &number->real);
      break;
    }
}

/* A FLOAT, or one part of a COMPLEX. */
static gboolean
set_float (ShndDType *dtype, guint8 *element, const Number *number, GError **error)
{
  double stored;

  store_number (dtype, element, number);
  if (number->kind == REAL && !isfinite (number->real))
    return TRUE;

  shnd_number_read (dtype, element, SHND_NUMBER_DOUBLE, &stored);
  if (isinf (stored))
    return refuse_number (dtype, number, "a number that is not rounded to infinity", error);
  return TRUE;
}

static gboolean
set_integer (ShndDType *dtype, guint8 *element, Number number, GError **error)
{
  gboolean is_unsigned = dtype->kind == SHND_DTYPE_KIND_UINT;
  guint n_bits = dtype->item_size * 8;
  guint64 maximum = G_MAXUINT64 >> (64 - n_bits + !is_unsigned);
  gint64 minimum = is_unsigned ? 0 : -(gint64) maximum - 1;

  make_whole (&number);
  if (number.kind == REAL || (number.kind == UNSIGNED && number.large > maximum) ||
      (number.kind == SIGNED &&
       (number.integer < minimum || (number.integer > 0 && (guint64) number.integer > maximum))))
    {
      g_autofree char *expected = g_strdup_printf (
          "a whole number from %" G_GINT64_FORMAT " to %" G_GUINT64_FORMAT, minimum, maximum);

      return refuse_number (dtype, &number, expected, error);
    }

  store_number (dtype, element, &number);
  return TRUE;
}

static gboolean
set_bool (ShndDType *dtype, guint8 *element, Number number, GError **error)
{
  make_whole (&number);
  if (number.kind != SIGNED || (number.integer != 0 && number.integer != 1))
    return refuse_number (dtype, &number, "a truth value, 0 or 1", error);

  store_number (dtype, element, &number);
  return TRUE;
}

/* Not for COMPLEX. */
static gboolean
set_number (ShndDType *dtype, guint8 *element, const Number *number, GError **error)
{
  if (dtype->kind == SHND_DTYPE_KIND_BOOL)
    return set_bool (dtype, element, *number, error);
  if (dtype->kind == SHND_DTYPE_KIND_FLOAT)
    return set_float (dtype, element, number, error);
  return set_integer (dtype, element, *number, error);
}

static gboolean
refuse_variant (ShndDType *dtype, GVariant *value, const char *expected, GError **error)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
               "A value of type “%s” for dtype %s: expected %s", g_variant_get_type_string (value),
               shnd_dtype_to_string (dtype), expected);
  return FALSE;
}

static gboolean
refuse_count (ShndDType *dtype, gsize count, gsize expected, const char *what, GError **error)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
               "%" G_GSIZE_FORMAT " %s for dtype %s: expected %" G_GSIZE_FORMAT, count, what,
               shnd_dtype_to_string (dtype), expected);
  return FALSE;
}

static gboolean
refuse_length (ShndDType *dtype, gsize length, gsize limit, const char *what, GError **error)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
               "%" G_GSIZE_FORMAT " %s for dtype %s: expected at most %" G_GSIZE_FORMAT, length,
               what, shnd_dtype_to_string (dtype), limit);
  return FALSE;
}

/* Takes the value out of any number of "v" around it. */
static GVariant *
unwrap (GVariant *value)
{
  GVariant *inner = g_variant_ref (value);

  while (g_variant_classify (inner) == G_VARIANT_CLASS_VARIANT)
    {
      GVariant *outer = inner;

      inner = g_variant_get_variant (outer);
      g_variant_unref (outer);
    }
  return inner;
}

static gboolean
is_sequence (GVariant *value)
{
  return g_variant_is_of_type (value, G_VARIANT_TYPE_TUPLE) ||
         (g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY) &&
          !g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY));
}

static gboolean
set_complex (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  Number parts[2] = { 0 };

  if (!number_from_variant (value, &parts[0]))
    {
      gboolean valid =
          g_variant_is_of_type (value, G_VARIANT_TYPE_TUPLE) && g_variant_n_children (value) == 2;

      for (gsize i = 0; valid && i < 2; i++)
        {
          g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
          g_autoptr (GVariant) part = unwrap (child);

          valid = number_from_variant (part, &parts[i]);
        }
      if (!valid)
        return refuse_variant (dtype, value, "a number, or a tuple of two", error);
    }

  return set_float (dtype, element, &parts[0], error) &&
         set_float (dtype, element + dtype->item_size / 2, &parts[1], error);
}

static gboolean
set_bytes (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  const guint8 *bytes;
  gsize length;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    bytes = (const guint8 *) g_variant_get_string (value, &length);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    bytes = g_variant_get_fixed_array (value, &length, 1);
  else
    return refuse_variant (dtype, value, "bytes or a string", error);

  while (length > 0 && bytes[length - 1] == 0)
    length--;
  if (length > dtype->item_size)
    return refuse_length (dtype, length, dtype->item_size, "bytes", error);

  if (length > 0)
    memcpy (element, bytes, length);
  memset (element + length, 0, dtype->item_size - length);
  return TRUE;
}

static gboolean
set_unicode (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  g_autofree gunichar *characters = NULL;
  glong length;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return refuse_variant (dtype, value, "a string", error);

  characters = g_utf8_to_ucs4_fast (g_variant_get_string (value, NULL), -1, &length);
  if ((gsize) length > dtype->item_size / 4)
    return refuse_length (dtype, length, dtype->item_size / 4, "characters", error);

  shnd_move_text (element, (const guint8 *) characters, length * 4, dtype->swapped);
  memset (element + length * 4, 0, dtype->item_size - length * 4);
  return TRUE;
}

static gboolean
set_void (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  const guint8 *bytes;
  gsize length;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return refuse_variant (dtype, value, "bytes", error);

  bytes = g_variant_get_fixed_array (value, &length, 1);
  if (length != dtype->item_size)
    return refuse_count (dtype, length, dtype->item_size, "bytes", error);

  if (length > 0)
    memcpy (element, bytes, length);
  return TRUE;
}

static gboolean set_value (ShndDType *dtype, guint8 *element, GVariant *wrapped, GError **error);

static gboolean
set_field (ShndDType *dtype, guint index, guint8 *element, GVariant *value, GError **error)
{
  const ShndField *field = &dtype->fields[index];

  if (set_value (field->dtype, element + field->offset, value, error))
    return TRUE;
  g_prefix_error (error, "Field “%s”: ", field->name);
  return FALSE;
}

static gboolean
set_struct_by_names (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  g_autofree gboolean *is_set = g_new0 (gboolean, dtype->n_fields);
  gsize n_entries = g_variant_n_children (value);

  for (gsize i = 0; i < n_entries; i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (value, i);
      g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
      g_autoptr (GVariant) item = g_variant_get_child_value (entry, 1);
      const char *name = g_variant_get_string (key, NULL);
      gint index = shnd_dtype_find_field (dtype, name);

      if (index < 0 || is_set[index])
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH, "Field “%s” for dtype %s: %s",
                       name, shnd_dtype_to_string (dtype),
                       index < 0 ? "it has no such field" : "there is a value for it already");
          return FALSE;
        }
      if (!set_field (dtype, index, element, item, error))
        return FALSE;
      is_set[index] = TRUE;
    }

  for (guint i = 0; i < dtype->n_fields; i++)
    if (!is_set[i])
      {
        g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                     "No value for field “%s” of dtype %s", dtype->fields[i].name,
                     shnd_dtype_to_string (dtype));
        return FALSE;
      }
  return TRUE;
}

static gboolean
set_struct (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a{s*}")))
    return set_struct_by_names (dtype, element, value, error);
  if (!is_sequence (value))
    return refuse_variant (dtype, value, "a tuple, or a dictionary with the names of the fields",
                           error);
  if (g_variant_n_children (value) != dtype->n_fields)
    return refuse_count (dtype, g_variant_n_children (value), dtype->n_fields, "values", error);

  for (guint i = 0; i < dtype->n_fields; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      if (!set_field (dtype, i, element, child, error))
        return FALSE;
    }
  return TRUE;
}

/* From dimension `dim` of a SUBARRAY on. */
static gboolean
set_subarray (ShndDType *dtype, guint dim, guint8 *element, GVariant *wrapped, GError **error)
{
  g_autoptr (GVariant) value = NULL;
  gsize n = dtype->shape[dim];
  gsize size = dtype->base->item_size;
  gboolean is_last = dim == dtype->n_dims - 1;

  for (guint i = dim + 1; i < dtype->n_dims; i++)
    size *= dtype->shape[i];

  value = unwrap (wrapped);
  if (!is_sequence (value))
    return refuse_variant (dtype, value, "an array for each of its dimensions", error);
  if (g_variant_n_children (value) != n)
    return refuse_count (dtype, g_variant_n_children (value), n, "items", error);

  for (gsize i = 0; i < n; i++, element += size)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      if (!(is_last ? set_value (dtype->base, element, child, error) :
                      set_subarray (dtype, dim + 1, element, child, error)))
        {
          g_prefix_error (error, "Item %" G_GSIZE_FORMAT ": ", i);
          return FALSE;
        }
    }
  return TRUE;
}

/* May have changed part of the element when it fails. */
static gboolean
set_value (ShndDType *dtype, guint8 *element, GVariant *wrapped, GError **error)
{
  g_autoptr (GVariant) value = unwrap (wrapped);
  Number number;

  switch (dtype->kind)
    {
    case SHND_DTYPE_KIND_COMPLEX:
      return set_complex (dtype, element, value, error);

    case SHND_DTYPE_KIND_BYTES:
      return set_bytes (dtype, element, value, error);

    case SHND_DTYPE_KIND_UNICODE:
      return set_unicode (dtype, element, value, error);

    case SHND_DTYPE_KIND_VOID:
      return set_void (dtype, element, value, error);

    case SHND_DTYPE_KIND_STRUCT:
      return set_struct (dtype, element, value, error);

    case SHND_DTYPE_KIND_SUBARRAY:
      return set_subarray (dtype, 0, element, value, error);

    default:
      if (!number_from_variant (value, &number))
        return refuse_variant (dtype, value, "a number", error);
      return set_number (dtype, element, &number, error);
    }
}

gboolean
shnd_element_from_variant (ShndDType *dtype, guint8 *element, GVariant *value, GError **error)
{
  guint8 small[SMALL_ELEMENT];
  g_autofree guint8 *large = NULL;
  guint8 *temporary = small;

  if (dtype->item_size > sizeof small)
    {
      temporary = large = g_try_malloc (dtype->item_size);
      if (large == NULL)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                       "No memory for an element of dtype %s", shnd_dtype_to_string (dtype));
          return FALSE;
        }
    }

  /* for the padding of structs */
  memcpy (temporary, element, dtype->item_size);
  if (!set_value (dtype, temporary, value, error))
    return FALSE;
  memcpy (element, temporary, dtype->item_size);
  return TRUE;
}

static gboolean
set_checked (ShndDType *dtype, guint8 *element, const Number *number, GError **error)
{
  guint8 temporary[sizeof (long double)];

  if (!shnd_number_is_real (dtype) && !(number->kind == SIGNED && shnd_number_is_time (dtype)))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "A number for dtype %s, whose elements are not real numbers",
                   shnd_dtype_to_string (dtype));
      return FALSE;
    }
  if (!set_number (dtype, temporary, number, error))
    return FALSE;
  memcpy (element, temporary, dtype->item_size);
  return TRUE;
}

gboolean
shnd_element_from_double (ShndDType *dtype, guint8 *element, gdouble value, GError **error)
{
  Number number = { .kind = REAL, .real = value };

  return set_checked (dtype, element, &number, error);
}

gboolean
shnd_element_from_int64 (ShndDType *dtype, guint8 *element, gint64 value, GError **error)
{
  Number number = { .kind = SIGNED, .integer = value };

  return set_checked (dtype, element, &number, error);
}
