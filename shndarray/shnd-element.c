/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"
#include "shnd-element-private.h"

#include <shndarray/shnd-error.h>
#include <string.h>

/* GVariant itself stops at 128, and its value may yet have to travel within others. */
#define MAX_VARIANT_DEPTH 100

/* GVariants are made with g_malloc(), which ends the process when there is no memory; a dtype can
 * ask for a thousand times more than the array it belongs to takes. */
#define MAX_VARIANT_SIZE 0x1p28
#define NODE_SIZE 64

/* As what a number travels. */
static const struct
{
  char type[2];
  ShndNumber number;
  gsize size;
} variants[SHND_N_NUMBERS] = {
  [SHND_NUMBER_BOOL] = { "b", SHND_NUMBER_BOOL, 1 },
  [SHND_NUMBER_INT8] = { "n", SHND_NUMBER_INT16, 2 },
  [SHND_NUMBER_INT16] = { "n", SHND_NUMBER_INT16, 2 },
  [SHND_NUMBER_INT32] = { "i", SHND_NUMBER_INT32, 4 },
  [SHND_NUMBER_INT64] = { "x", SHND_NUMBER_INT64, 8 },
  [SHND_NUMBER_UINT8] = { "y", SHND_NUMBER_UINT8, 1 },
  [SHND_NUMBER_UINT16] = { "q", SHND_NUMBER_UINT16, 2 },
  [SHND_NUMBER_UINT32] = { "u", SHND_NUMBER_UINT32, 4 },
  [SHND_NUMBER_UINT64] = { "t", SHND_NUMBER_UINT64, 8 },
  [SHND_NUMBER_HALF] = { "d", SHND_NUMBER_DOUBLE, 8 },
  [SHND_NUMBER_FLOAT] = { "d", SHND_NUMBER_DOUBLE, 8 },
  [SHND_NUMBER_DOUBLE] = { "d", SHND_NUMBER_DOUBLE, 8 },
  [SHND_NUMBER_LONG_DOUBLE] = { "d", SHND_NUMBER_DOUBLE, 8 },
};

/* Of one number or two, from which `n` elements are made. */
static gboolean
is_numeric (ShndDType *dtype)
{
  return shnd_number_is_real (dtype) || shnd_number_is_time (dtype) ||
         dtype->kind == SHND_DTYPE_KIND_COMPLEX;
}

static const char *
get_numbers_type (ShndDType *dtype)
{
  return dtype->kind == SHND_DTYPE_KIND_COMPLEX ? "(dd)" :
                                                  variants[shnd_number_for_dtype (dtype)].type;
}

static gsize
get_numbers_size (ShndDType *dtype)
{
  return variants[shnd_number_for_dtype (dtype)].size *
         (dtype->kind == SHND_DTYPE_KIND_COMPLEX ? 2 : 1);
}

/* To the native number in which it travels, or for a COMPLEX the two. */
static void
get_numbers (ShndDType *dtype, const guint8 *element, gsize n, guint8 *native)
{
  ShndNumber number = shnd_number_for_dtype (dtype);
  gsize n_parts = dtype->kind == SHND_DTYPE_KIND_COMPLEX ? 2 : 1;
  gsize size = dtype->item_size / n_parts;

  shnd_number_convert (variants[number].number, FALSE, number, dtype->swapped,
                       &(ShndRun){ native, variants[number].size, element, size, n * n_parts });
}

static void
append_type (ShndDType *dtype, GString *type)
{
  switch (dtype->kind)
    {
    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_VOID:
      g_string_append (type, "ay");
      break;

    case SHND_DTYPE_KIND_UNICODE:
      g_string_append (type, "s");
      break;

    case SHND_DTYPE_KIND_STRUCT:
      g_string_append_c (type, '(');
      for (guint i = 0; i < dtype->n_fields; i++)
        append_type (dtype->fields[i].dtype, type);
      g_string_append_c (type, ')');
      break;

    case SHND_DTYPE_KIND_SUBARRAY:
      for (guint i = 0; i < dtype->n_dims; i++)
        g_string_append_c (type, 'a');
      append_type (dtype->base, type);
      break;

    default:
      g_string_append (type, get_numbers_type (dtype));
      break;
    }
}

/* What a GVariant of this dtype takes: containers in each other, and roughly memory. */
static void
measure (ShndDType *dtype, guint *depth, double *size)
{
  *depth = 1;
  *size = NODE_SIZE + dtype->item_size;

  if (dtype->kind == SHND_DTYPE_KIND_STRUCT)
    for (guint i = 0; i < dtype->n_fields; i++)
      {
        guint field_depth;
        double field_size;

        measure (dtype->fields[i].dtype, &field_depth, &field_size);
        *depth = MAX (*depth, field_depth + 1);
        *size += field_size;
      }
  else if (dtype->kind == SHND_DTYPE_KIND_SUBARRAY)
    {
      double n_nodes = 1;
      guint base_depth;
      double base_size;

      if (is_numeric (dtype->base))
        {
          base_depth = 1;
          base_size = get_numbers_size (dtype->base);
        }
      else
        measure (dtype->base, &base_depth, &base_size);

      *depth = base_depth + dtype->n_dims;
      *size = NODE_SIZE;
      for (guint i = 0; i < dtype->n_dims; i++)
        {
          n_nodes *= dtype->shape[i];
          *size += n_nodes * (i < dtype->n_dims - 1 ? NODE_SIZE : base_size);
        }
    }
}

static GVariant *
numbers_to_variant (ShndDType *dtype, const guint8 *element)
{
  guint8 native[2 * sizeof (double)];
  g_autoptr (GBytes) bytes = NULL;

  get_numbers (dtype, element, 1, native);
  bytes = g_bytes_new (native, get_numbers_size (dtype));
  return g_variant_new_from_bytes (G_VARIANT_TYPE (get_numbers_type (dtype)), bytes, TRUE);
}

static GVariant *
bytes_to_variant (const guint8 *bytes, gsize length)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, length, 1);
}

static GVariant *
unicode_to_variant (ShndDType *dtype, const guint8 *element, GError **error)
{
  gsize length = dtype->item_size / 4;
  g_autofree gunichar *text = g_new (gunichar, length + 1);

  shnd_move_text ((guint8 *) text, element, dtype->item_size, dtype->swapped);
  while (length > 0 && text[length - 1] == 0)
    length--;

  for (gsize i = 0; i < length; i++)
    if (text[i] == 0 || !g_unichar_validate (text[i]))
      {
        g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_DATA,
                     "Element of dtype %s: U+%04X at character %" G_GSIZE_FORMAT
                     " is not a character that a string can hold",
                     shnd_dtype_to_string (dtype), text[i], i);
        return NULL;
      }

  return g_variant_new_take_string (g_ucs4_to_utf8 (text, length, NULL, NULL, NULL));
}

static GVariant *value_to_variant (ShndDType *dtype, const guint8 *element, GError **error);

/* The GVariant of a container from those of its items. */
static GPtrArray *
new_items (gsize n)
{
  return g_ptr_array_new_full (n, (GDestroyNotify) g_variant_unref);
}

static GVariant *
struct_to_variant (ShndDType *dtype, const guint8 *element, GError **error)
{
  g_autoptr (GPtrArray) items = new_items (dtype->n_fields);

  for (guint i = 0; i < dtype->n_fields; i++)
    {
      const ShndField *field = &dtype->fields[i];
      GVariant *item = value_to_variant (field->dtype, element + field->offset, error);

      if (item == NULL)
        {
          g_prefix_error (error, "Field “%s”: ", field->name);
          return NULL;
        }
      g_ptr_array_add (items, g_variant_ref_sink (item));
    }
  return g_variant_new_tuple ((GVariant **) items->pdata, items->len);
}

/* The part of a SUBARRAY from dimension `dim` on; `type` is what it is an array of. */
static GVariant *
subarray_to_variant (
    ShndDType *dtype, guint dim, const char *type, const guint8 *element, GError **error)
{
  gsize n = dtype->shape[dim];
  gsize size = dtype->base->item_size;
  gboolean is_last = dim == dtype->n_dims - 1;
  g_autoptr (GPtrArray) items = NULL;

  for (guint i = dim + 1; i < dtype->n_dims; i++)
    size *= dtype->shape[i];

  if (is_last && is_numeric (dtype->base))
    {
      gsize native_size = get_numbers_size (dtype->base);
      g_autofree guint8 *native = g_malloc_n (n, native_size);

      get_numbers (dtype->base, element, n, native);
      return g_variant_new_fixed_array (G_VARIANT_TYPE (type), native, n, native_size);
    }

  items = new_items (n);
  for (gsize i = 0; i < n; i++, element += size)
    {
      GVariant *item = is_last ? value_to_variant (dtype->base, element, error) :
                                 subarray_to_variant (dtype, dim + 1, type + 1, element, error);

      if (item == NULL)
        {
          g_prefix_error (error, "Item %" G_GSIZE_FORMAT ": ", i);
          return NULL;
        }
      g_ptr_array_add (items, g_variant_ref_sink (item));
    }
  return g_variant_new_array (G_VARIANT_TYPE (type), (GVariant **) items->pdata, items->len);
}

static GVariant *
value_to_variant (ShndDType *dtype, const guint8 *element, GError **error)
{
  switch (dtype->kind)
    {
    case SHND_DTYPE_KIND_BYTES:
      {
        gsize length = dtype->item_size;

        while (length > 0 && element[length - 1] == 0)
          length--;
        return bytes_to_variant (element, length);
      }

    case SHND_DTYPE_KIND_VOID:
      return bytes_to_variant (element, dtype->item_size);

    case SHND_DTYPE_KIND_UNICODE:
      return unicode_to_variant (dtype, element, error);

    case SHND_DTYPE_KIND_STRUCT:
      return struct_to_variant (dtype, element, error);

    case SHND_DTYPE_KIND_SUBARRAY:
      {
        g_autoptr (GString) type = g_string_new (NULL);

        append_type (dtype, type);
        return subarray_to_variant (dtype, 0, type->str + 1, element, error);
      }

    default:
      return numbers_to_variant (dtype, element);
    }
}

GVariant *
shnd_element_to_variant (ShndDType *dtype, const guint8 *element, GError **error)
{
  guint depth;
  double size;

  measure (dtype, &depth, &size);
  if (depth > MAX_VARIANT_DEPTH || size > MAX_VARIANT_SIZE)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                   "Elements of dtype %s are too %s for a GVariant", shnd_dtype_to_string (dtype),
                   depth > MAX_VARIANT_DEPTH ? "deeply nested" : "large");
      return NULL;
    }
  return value_to_variant (dtype, element, error);
}

gboolean
shnd_element_to_double (ShndDType *dtype, const guint8 *element, gdouble *value, GError **error)
{
  if (!shnd_number_is_real (dtype))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "An element of dtype %s is not a real number", shnd_dtype_to_string (dtype));
      return FALSE;
    }

  shnd_number_read (dtype, element, SHND_NUMBER_DOUBLE, value);
  return TRUE;
}

gboolean
shnd_element_to_int64 (ShndDType *dtype, const guint8 *element, gint64 *value, GError **error)
{
  if (!shnd_number_is_real (dtype) && !shnd_number_is_time (dtype))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "An element of dtype %s is not a whole number", shnd_dtype_to_string (dtype));
      return FALSE;
    }

  if (dtype->kind == SHND_DTYPE_KIND_FLOAT)
    {
      long double real;

      shnd_number_read (dtype, element, SHND_NUMBER_LONG_DOUBLE, &real);
      /* false for NaN too */
      if (!(real >= -0x1p63L && real < 0x1p63L) || (long double) (gint64) real != real)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                       "%.21Lg, an element of dtype %s, is not a whole number of 64 bits", real,
                       shnd_dtype_to_string (dtype));
          return FALSE;
        }
      *value = (gint64) real;
    }
  else if (dtype->kind == SHND_DTYPE_KIND_UINT)
    {
      guint64 whole;

      shnd_number_read (dtype, element, SHND_NUMBER_UINT64, &whole);
      if (whole > G_MAXINT64)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                       "%" G_GUINT64_FORMAT
                       ", an element of dtype %s, is more than a signed number "
                       "of 64 bits can be",
                       whole, shnd_dtype_to_string (dtype));
          return FALSE;
        }
      *value = (gint64) whole;
    }
  else
    shnd_number_read (dtype, element, SHND_NUMBER_INT64, value);
  return TRUE;
}
