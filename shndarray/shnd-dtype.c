/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <string.h>

#include <shndarray/shnd-error.h>

#include "shnd-dtype-private.h"

/**
 * ShndDType:
 *
 * The type of an array's elements.
 *
 * It says what an element is (see [enum@DTypeKind]), how many bytes it takes, and in which byte
 * order. A dtype never changes.
 *
 * Dtypes are written as NumPy writes them, and as `.npy` files hold them. A plain type is a byte
 * order, a letter and a size:
 *
 * | Description | Element |
 * | --- | --- |
 * | `b1`, `?` | a truth value in one byte |
 * | `i1`, `i2`, `i4`, `i8` | a signed integer of that many bytes |
 * | `u1`, `u2`, `u4`, `u8` | an unsigned integer |
 * | `f2`, `f4`, `f8` | an IEEE 754 number |
 * | `f16` | a `long double`, where the platform has one |
 * | `c8`, `c16`, `c32` | a complex number: two floats of half that size |
 * | `S10` | 10 bytes, padded with NUL at the end |
 * | `U10` | 10 characters of 4 bytes each, padded with NUL at the end |
 * | `V10` | 10 raw bytes |
 * | `M8[us]`, `M8[25s]`, `M8` | a point in time: a count of the unit since 1970 |
 * | `m8[us]`, `m8[25s]`, `m8` | a duration: a count of the unit |
 *
 * The byte order in front is `<` for little-endian or `>` for big-endian; `=`, `|` and none
 * at all mean that of the machine. Units are `Y`, `M`, `W`, `D`, `h`, `m`, `s`, `ms`, `us`,
 * `ns`, `ps`, `fs` and `as`. Besides, the one-letter codes of NumPy and names such as `float32`,
 * `uint8`, `bool`, `complex128`, `double`, `intp` or `datetime64[ns]` are understood.
 *
 * A structured type is a list of fields; each is a tuple of a name, a type, and, where the field
 * holds a small array, a shape:
 *
 * ```python
 * [('when', '<M8[us]'), ('where', '<f4', (3,)), ('color', [('r', 'u1'), ('g', 'u1')])]
 * ```
 *
 * In place of the name there may be a tuple of a title and the name; [method@DType.find_field]
 * finds the field by either. Fields lie one behind the other. A gap between them is a field of raw
 * bytes with an empty name: `('', 'V4')`. Such padding is not counted as a field.
 *
 * A tuple of a type and a shape is a sub-array: `('<f4', (2, 3))`.
 *
 * Types that hold pointers (NumPy's `object`) are refused: no other process could follow them.
 * Numbers have to be written with digits alone; NumPy lets `S+5` pass, and turns a size that is
 * too large into a negative one.
 */
G_DEFINE_BOXED_TYPE (ShndDType, shnd_dtype, shnd_dtype_ref, shnd_dtype_unref)

static void
dtype_free (ShndDType *self)
{
  for (guint i = 0; i < self->n_fields; i++)
    {
      g_free (self->fields[i].name);
      g_free (self->fields[i].title);
      shnd_dtype_unref (self->fields[i].dtype);
    }
  g_free (self->fields);
  g_clear_pointer (&self->base, shnd_dtype_unref);
  g_free (self->unit_name);
  g_free (self->description);
  g_free (self);
}

/**
 * shnd_dtype_new:
 * @description: what it shall be, in the notation of [struct@DType]
 * @error: return location for an error
 *
 * Makes a dtype from its description.
 *
 * White space around the description does not matter. If it cannot be understood, the error is
 * `SHND_ERROR_INVALID_DTYPE` and says what was expected, and where.
 *
 * Returns: (transfer full): the dtype
 */
ShndDType *
shnd_dtype_new (const char *description, GError **error)
{
  const char *start = description;
  const char *end;

  g_return_val_if_fail (description != NULL, NULL);

  while (g_ascii_isspace (*start) || *start == '\v')
    start++;

  if (*start != '\0' && strchr ("[('\"{", *start) != NULL)
    {
      g_autoptr (ShndLiteral) literal = NULL;

      literal =
          shnd_literal_parse (description, strlen (description), SHND_ERROR_INVALID_DTYPE, error);
      if (literal == NULL)
        return NULL;
      return shnd_dtype_new_from_literal (literal, SHND_ERROR_INVALID_DTYPE, error);
    }

  end = start + strlen (start);
  while (end > start && (g_ascii_isspace (end[-1]) || end[-1] == '\v'))
    end--;

  if (*end != '\0')
    {
      g_autofree char *trimmed = g_strndup (start, (gsize) (end - start));

      return shnd_dtype_new_from_type_string (trimmed, -1, SHND_ERROR_INVALID_DTYPE, error);
    }

  return shnd_dtype_new_from_type_string (start, -1, SHND_ERROR_INVALID_DTYPE, error);
}

/**
 * shnd_dtype_ref:
 * @self: a dtype
 *
 * Takes a reference on a dtype.
 *
 * Returns: (transfer full): the same dtype
 */
ShndDType *
shnd_dtype_ref (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

/**
 * shnd_dtype_unref:
 * @self: (transfer full): a dtype
 *
 * Gives a reference back, and frees the dtype with the last one.
 */
void
shnd_dtype_unref (ShndDType *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_ref_count_dec (&self->ref_count))
    dtype_free (self);
}

/**
 * shnd_dtype_to_string:
 * @self: a dtype
 *
 * Gets the canonical description of a dtype.
 *
 * It is what NumPy writes into a `.npy` file: `<f4` for a plain type (without quotes), a list of
 * tuples for a structured one, a tuple for a sub-array. Two dtypes are equal if this is equal, and
 * [ctor@DType.new] makes an equal dtype from it.
 *
 * Returns: the description
 */
const char *
shnd_dtype_to_string (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->description;
}

/**
 * shnd_dtype_get_kind:
 * @self: a dtype
 *
 * Gets what sort of element this is.
 *
 * Returns: the kind
 */
ShndDTypeKind
shnd_dtype_get_kind (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, SHND_DTYPE_KIND_VOID);

  return self->kind;
}

/**
 * shnd_dtype_get_item_size:
 * @self: a dtype
 *
 * Gets how many bytes an element takes.
 *
 * It may be 0, as for `S0`, and is never more than 2147483647.
 *
 * Returns: the size in bytes
 */
gsize
shnd_dtype_get_item_size (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->item_size;
}

/**
 * shnd_dtype_get_alignment:
 * @self: a dtype
 *
 * Gets to which multiple of bytes this platform aligns such an element in a C structure.
 *
 * For a structured type it is 1: its fields lie where the description puts them. For a sub-array
 * it is that of its base.
 *
 * Returns: the alignment in bytes
 */
gsize
shnd_dtype_get_alignment (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, 1);

  return self->alignment;
}

/**
 * shnd_dtype_is_native:
 * @self: a dtype
 *
 * Gets whether all numbers in an element are in the byte order of this machine.
 *
 * It is true for types that have no byte order. A structured type is native if all its fields
 * are, a sub-array if its base is.
 *
 * Returns: whether no bytes have to be swapped
 */
gboolean
shnd_dtype_is_native (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  if (self->base != NULL)
    return shnd_dtype_is_native (self->base);

  for (guint i = 0; i < self->n_fields; i++)
    {
      if (!shnd_dtype_is_native (self->fields[i].dtype))
        return FALSE;
    }

  return !self->swapped;
}

/**
 * shnd_dtype_get_unit:
 * @self: a dtype
 *
 * Gets the unit of a point in time or a duration, with its multiple: `ns` or `25s`.
 *
 * Returns: (nullable): the unit, or %NULL if the dtype is of another kind, or leaves it open
 */
const char *
shnd_dtype_get_unit (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->unit_name;
}

/**
 * shnd_dtype_get_base:
 * @self: a dtype
 *
 * Gets the type of the elements of a sub-array.
 *
 * Returns: (transfer none): the base, or the dtype itself if it is no sub-array
 */
ShndDType *
shnd_dtype_get_base (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->base != NULL ? self->base : self;
}

/**
 * shnd_dtype_get_base_shape:
 * @self: a dtype
 * @n_dims: (out): return location for the number of dimensions
 *
 * Gets the shape of a sub-array.
 *
 * Returns: (array length=n_dims) (transfer none): the shape; it has no dimensions if the dtype is
 *   no sub-array
 */
const gint64 *
shnd_dtype_get_base_shape (ShndDType *self, guint *n_dims)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (n_dims != NULL, NULL);

  *n_dims = self->n_dims;

  /* Not NULL even if there is nothing in it: some bindings turn that into null instead of []. */
  return self->shape;
}

/**
 * shnd_dtype_get_n_fields:
 * @self: a dtype
 *
 * Gets how many fields a structured type has, not counting padding.
 *
 * Returns: the number of fields; 0 for other kinds
 */
guint
shnd_dtype_get_n_fields (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_fields;
}

/**
 * shnd_dtype_get_field_name:
 * @self: a dtype
 * @index: the number of a field, from 0
 *
 * Gets the name of a field.
 *
 * Returns: (nullable): the name, or %NULL if there are not so many fields
 */
const char *
shnd_dtype_get_field_name (ShndDType *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);

  return index < self->n_fields ? self->fields[index].name : NULL;
}

/**
 * shnd_dtype_get_field_title:
 * @self: a dtype
 * @index: the number of a field, from 0
 *
 * Gets the title of a field, which is a second name.
 *
 * Returns: (nullable): the title, or %NULL if the field has none, or there are not so many fields
 */
const char *
shnd_dtype_get_field_title (ShndDType *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);

  return index < self->n_fields ? self->fields[index].title : NULL;
}

/**
 * shnd_dtype_get_field_dtype:
 * @self: a dtype
 * @index: the number of a field, from 0
 *
 * Gets the type of a field.
 *
 * Returns: (transfer none) (nullable): the dtype, or %NULL if there are not so many fields
 */
ShndDType *
shnd_dtype_get_field_dtype (ShndDType *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);

  return index < self->n_fields ? self->fields[index].dtype : NULL;
}

/**
 * shnd_dtype_get_field_offset:
 * @self: a dtype
 * @index: the number of a field, from 0
 *
 * Gets where in an element a field begins.
 *
 * Returns: the offset in bytes, or 0 if there are not so many fields
 */
gsize
shnd_dtype_get_field_offset (ShndDType *self, guint index)
{
  g_return_val_if_fail (self != NULL, 0);

  return index < self->n_fields ? self->fields[index].offset : 0;
}

/**
 * shnd_dtype_find_field:
 * @self: a dtype
 * @name: the name or the title of a field
 *
 * Finds a field by its name or title.
 *
 * Returns: the number of the field, or -1 if there is none of that name
 */
gint
shnd_dtype_find_field (ShndDType *self, const char *name)
{
  g_return_val_if_fail (self != NULL, -1);
  g_return_val_if_fail (name != NULL, -1);

  for (guint i = 0; i < self->n_fields; i++)
    {
      const ShndField *field = &self->fields[i];

      if (strcmp (field->name, name) == 0 || g_strcmp0 (field->title, name) == 0)
        return (gint) i;
    }

  return -1;
}

/**
 * shnd_dtype_equal:
 * @self: a dtype
 * @other: another dtype
 *
 * Gets whether two dtypes describe the same element.
 *
 * Names, titles, byte order, units and padding count; how the dtype was written does not.
 *
 * Returns: whether they are equal
 */
gboolean
shnd_dtype_equal (ShndDType *self, ShndDType *other)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (other != NULL, FALSE);

  return self == other || strcmp (self->description, other->description) == 0;
}

/**
 * shnd_dtype_hash:
 * @self: a dtype
 *
 * Computes a hash of a dtype.
 *
 * Returns: a number that is the same for equal dtypes
 */
guint
shnd_dtype_hash (ShndDType *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return g_str_hash (self->description);
}
