/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-cast-private.h"
#include "shnd-copy-private.h"
#include "shnd-element-private.h"
#include "shnd-error.h"

#include <string.h>

/* What ShndArray does with its elements. */

/* ---- One element ---- */

/* The address of an element, good as long as the segment is held. */
static guint8 *
find_element (ShndArray *self,
              ShndAccess access,
              const gint64 *indices,
              guint n_indices,
              ShndSegment **segment,
              GError **error)
{
  *segment = _shnd_array_acquire (self, access, error);
  if (*segment == NULL)
    return NULL;

  return shnd_layout_get_element (&self->layout, indices, n_indices, error);
}

/**
 * shnd_array_get_element:
 * @self: an array
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @error: return location for an error
 *
 * Gets one element, of whatever dtype, as a variant.
 *
 * | kind of dtype | type of the variant |
 * | --- | --- |
 * | bool | `b` |
 * | signed integers of 1, 2, 4, 8 bytes | `n`, `n`, `i`, `x` |
 * | unsigned integers of 1, 2, 4, 8 bytes | `y`, `q`, `u`, `t` |
 * | floats of any size | `d`; a `long double` is rounded |
 * | complex of any size | `(dd)`: real and imaginary part |
 * | bytes | `ay`, without the NULs at the end |
 * | unicode | `s`, without the NULs at the end |
 * | raw bytes | `ay`, all of them |
 * | datetime, timedelta | `x`: the count of units; not-a-time is the least 64-bit number |
 * | structured | a tuple of the fields, in the order of their offsets |
 * | sub-array in a field | arrays in arrays, `aad` for two dimensions of floats |
 *
 * Fails with %SHND_ERROR_OUT_OF_RANGE if there is no such element; with %SHND_ERROR_INVALID_DATA
 * if it is of kind unicode and holds what a string cannot; with %SHND_ERROR_UNSUPPORTED if it is
 * larger or nested deeper than a variant can be; with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): the element
 */
GVariant *
shnd_array_get_element (ShndArray *self, const gint64 *indices, guint n_indices, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  const guint8 *element;
  GVariant *value;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (indices != NULL || n_indices == 0, NULL);

  element = find_element (self, SHND_ACCESS_READ, indices, n_indices, &segment, error);
  if (element == NULL)
    return NULL;

  value = shnd_element_to_variant (self->layout.dtype, element, error);

  return value != NULL ? g_variant_take_ref (value) : NULL;
}

/**
 * shnd_array_set_element:
 * @self: an array
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @value: the new value
 * @error: return location for an error
 *
 * Sets one element, of whatever dtype, from a variant.
 *
 * The variant can be what [method@Shnd.Array.get_element] gives. Also taken is any number for a
 * number, if the dtype can hold it (no fraction is cut off, nothing wraps around); 0 and 1 for a
 * bool; one number for a complex; a string for bytes; `av` for a structured element or a sub-array;
 * and `a{sv}` with all fields by name for a structured element. Variants in variants are looked
 * into.
 *
 * Fails with %SHND_ERROR_TYPE_MISMATCH if a value of that type makes no such element, with
 * %SHND_ERROR_OUT_OF_RANGE if there is no such element or it cannot hold the value, with
 * %SHND_ERROR_READ_ONLY or %SHND_ERROR_CLOSED. Then the element is as it was.
 *
 * Returns: whether it was set
 */
gboolean
shnd_array_set_element (
    ShndArray *self, const gint64 *indices, guint n_indices, GVariant *value, GError **error)
{
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  guint8 *element;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (indices != NULL || n_indices == 0, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);

  owned = g_variant_ref_sink (value);
  element = find_element (self, SHND_ACCESS_WRITE, indices, n_indices, &segment, error);

  return element != NULL && shnd_element_from_variant (self->layout.dtype, element, owned, error);
}

/**
 * shnd_array_get_double:
 * @self: an array of bools, integers or floats
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @error: return location for an error
 *
 * Gets one element as a double.
 *
 * 64-bit integers and `long double` are rounded if need be.
 *
 * Fails with %SHND_ERROR_OUT_OF_RANGE if there is no such element, with %SHND_ERROR_TYPE_MISMATCH
 * if it is not such a number, and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: the element, or NaN on error
 */
gdouble
shnd_array_get_double (ShndArray *self, const gint64 *indices, guint n_indices, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  const guint8 *element;
  gdouble value;

  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);
  g_return_val_if_fail (indices != NULL || n_indices == 0, 0);

  element = find_element (self, SHND_ACCESS_READ, indices, n_indices, &segment, error);
  if (element == NULL || !shnd_element_to_double (self->layout.dtype, element, &value, error))
    return __builtin_nan ("");

  return value;
}

/**
 * shnd_array_set_double:
 * @self: an array of bools, integers or floats
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @value: the new value
 * @error: return location for an error
 *
 * Sets one element from a double.
 *
 * Fails as [method@Shnd.Array.set_element] does: with %SHND_ERROR_OUT_OF_RANGE also if the dtype
 * cannot hold the value, such as a fraction in an integer.
 *
 * Returns: whether it was set
 */
gboolean
shnd_array_set_double (
    ShndArray *self, const gint64 *indices, guint n_indices, gdouble value, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  guint8 *element;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (indices != NULL || n_indices == 0, FALSE);

  element = find_element (self, SHND_ACCESS_WRITE, indices, n_indices, &segment, error);

  return element != NULL && shnd_element_from_double (self->layout.dtype, element, value, error);
}

/**
 * shnd_array_get_int64:
 * @self: an array of bools, integers, floats, datetimes or timedeltas
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @error: return location for an error
 *
 * Gets one element as a 64-bit integer.
 *
 * Fails with %SHND_ERROR_OUT_OF_RANGE if there is no such element, or if it is no whole number that
 * fits; with %SHND_ERROR_TYPE_MISMATCH if it is not such a number; with %SHND_ERROR_CLOSED if the
 * array is closed.
 *
 * Returns: the element, or 0 on error
 */
gint64
shnd_array_get_int64 (ShndArray *self, const gint64 *indices, guint n_indices, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  const guint8 *element;
  gint64 value;

  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);
  g_return_val_if_fail (indices != NULL || n_indices == 0, 0);

  element = find_element (self, SHND_ACCESS_READ, indices, n_indices, &segment, error);
  if (element == NULL || !shnd_element_to_int64 (self->layout.dtype, element, &value, error))
    return 0;

  return value;
}

/**
 * shnd_array_set_int64:
 * @self: an array of bools, integers, floats, datetimes or timedeltas
 * @indices: (array length=n_indices): one index for each axis, counted from 0
 * @n_indices: the number of indices
 * @value: the new value
 * @error: return location for an error
 *
 * Sets one element from a 64-bit integer.
 *
 * Fails as [method@Shnd.Array.set_element] does.
 *
 * Returns: whether it was set
 */
gboolean
shnd_array_set_int64 (
    ShndArray *self, const gint64 *indices, guint n_indices, gint64 value, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  guint8 *element;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (indices != NULL || n_indices == 0, FALSE);

  element = find_element (self, SHND_ACCESS_WRITE, indices, n_indices, &segment, error);

  return element != NULL && shnd_element_from_int64 (self->layout.dtype, element, value, error);
}

/* ---- All elements ---- */

/**
 * shnd_array_get_data:
 * @self: an array
 *
 * Gets the address of the first element, the one whose indices are all 0.
 *
 * The others are where [method@Shnd.Array.get_strides] says, relative to it. Elements of a view can
 * lie at any address, aligned for their type or not.
 *
 * The address is valid as long as this array, a view of it, or bytes from it are there and not
 * closed; whoever keeps it keeps one of them. To write through it where the access is
 * %SHND_ACCESS_READ ends the process.
 *
 * Returns: (transfer none) (nullable): the address, or %NULL if the array is closed; never %NULL
 *   otherwise, but not to be looked at if the array has no elements
 */
gpointer
shnd_array_get_data (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  return shnd_array_get_closed (self) ? NULL : self->layout.data;
}

static ShndSegment *
acquire_contiguous (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);

  if (segment == NULL || shnd_layout_get_order (&self->layout) != SHND_ORDER_STRIDED)
    return g_steal_pointer (&segment);

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_CONTIGUOUS,
                       "The elements of this view do not lie in one run of memory: take the bytes "
                       "of a copy");
  return NULL;
}

/* Takes the segment. */
static GBytes *
make_bytes (ShndSegment *segment, const guint8 *data, gsize n_bytes)
{
  return g_bytes_new_with_free_func (data, n_bytes, (GDestroyNotify) shnd_segment_unref, segment);
}

/**
 * shnd_array_get_bytes:
 * @self: an array
 * @error: return location for an error
 *
 * Gets the elements as bytes, without copying them.
 *
 * The bytes are the shared memory itself, in the order in which the elements lie there (see
 * [property@Shnd.Array:order]): what is written to the array shows in them. They keep the memory
 * mapped for as long as they live.
 *
 * Fails with %SHND_ERROR_NOT_CONTIGUOUS if the elements do not lie in one run of memory, in which
 * case [method@Shnd.Array.dup] makes a copy that does, and with %SHND_ERROR_CLOSED if the array is
 * closed.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
shnd_array_get_bytes (ShndArray *self, GError **error)
{
  ShndSegment *segment;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  segment = acquire_contiguous (self, error);
  if (segment == NULL)
    return NULL;

  return make_bytes (segment, self->layout.data, shnd_layout_get_n_bytes (&self->layout));
}

/**
 * shnd_array_get_cow_bytes:
 * @self: an array
 * @error: return location for an error
 *
 * Gets the elements as bytes that may be written to without effect on the array.
 *
 * This is for languages whose views of memory can always be written, like JavaScript's typed
 * arrays. It is a second mapping of the same memory, copy-on-write: nothing is copied, and what
 * others write shows, until a page of it is written to here; that page is then this mapping's own.
 *
 * Fails as [method@Shnd.Array.get_bytes] does.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
shnd_array_get_cow_bytes (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  segment = acquire_contiguous (self, error);
  if (segment == NULL)
    return NULL;

  return shnd_segment_get_cow_bytes (segment, self->layout.data,
                                     shnd_layout_get_n_bytes (&self->layout), error);
}

/**
 * shnd_array_get_memory:
 * @self: an array
 * @offset: (out): return location for where in the bytes the first element begins, the one whose
 *   indices are all 0
 * @error: return location for an error
 *
 * Gets the memory from the lowest to the highest byte of any element, without copying it.
 *
 * Together with the strides this is what another library needs to show the array or view,
 * contiguous or not. As those of [method@Shnd.Array.get_bytes], the bytes are the shared memory
 * itself and keep it mapped.
 *
 * Fails with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): the memory
 */
GBytes *
shnd_array_get_memory (ShndArray *self, gsize *offset, GError **error)
{
  ShndSegment *segment;
  gint64 low, high;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (offset != NULL, NULL);

  *offset = 0;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return NULL;

  shnd_layout_get_span (&self->layout, &low, &high);
  *offset = -low;

  return make_bytes (segment, self->layout.data + low, high - low);
}

/* Where in the file of its segment a layout begins and ends. */
static void
get_file_range (const ShndSegment *segment, const ShndLayout *layout, gint64 *start, gint64 *end)
{
  gint64 first = segment->data_offset + (layout->data - segment->data);

  shnd_layout_get_span (layout, start, end);
  *start += first;
  *end += first;
}

/* Whether two layouts in two segments have a byte of a file in common, as far as their ends
 * tell. */
static gboolean
overlap (const ShndSegment *a_segment,
         const ShndLayout *a,
         const ShndSegment *b_segment,
         const ShndLayout *b)
{
  gint64 a_start, a_end, b_start, b_end;

  if (!shnd_file_is_same (&a_segment->info, &b_segment->info))
    return FALSE;

  get_file_range (a_segment, a, &a_start, &a_end);
  get_file_range (b_segment, b, &b_start, &b_end);

  return a_start < b_end && b_start < a_end;
}

static gboolean
refuse_copy (guint64 n_bytes, GError **error)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
               "No memory for a copy of %" G_GUINT64_FORMAT " bytes", n_bytes);
  return FALSE;
}

/* A packed copy of the elements, in C order, in memory of this process. */
static guint8 *
gather_all (const ShndLayout *layout, GError **error)
{
  guint64 n_bytes = shnd_layout_get_n_bytes (layout);
  guint8 *copy = g_try_malloc (MAX (n_bytes, 1));

  if (copy == NULL)
    {
      refuse_copy (n_bytes, error);
      return NULL;
    }
  shnd_gather (layout, 0, shnd_layout_get_size (layout), copy);

  return copy;
}

/**
 * shnd_array_write_bytes:
 * @self: an array
 * @bytes: as many bytes as the array has
 * @error: return location for an error
 *
 * Sets all elements from bytes.
 *
 * They are in the order in which the elements lie in memory, as [method@Shnd.Array.get_bytes] gives
 * them; for a view that does not lie in one run of memory, in C order.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if there are too few or too many bytes, with
 * %SHND_ERROR_READ_ONLY or %SHND_ERROR_CLOSED. Then nothing was written.
 *
 * Returns: whether the bytes were written
 */
gboolean
shnd_array_write_bytes (ShndArray *self, GBytes *bytes, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autofree guint8 *copy = NULL;
  gconstpointer data;
  gsize n_bytes;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_WRITE, error);
  if (segment == NULL)
    return FALSE;

  data = g_bytes_get_data (bytes, &n_bytes);
  if (n_bytes != shnd_layout_get_n_bytes (&self->layout))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "%" G_GSIZE_FORMAT " bytes for an array of %" G_GUINT64_FORMAT, n_bytes,
                   shnd_layout_get_n_bytes (&self->layout));
      return FALSE;
    }

  if (n_bytes == 0)
    return TRUE;

  if (shnd_layout_get_order (&self->layout) != SHND_ORDER_STRIDED)
    {
      memmove (self->layout.data, data, n_bytes);
      return TRUE;
    }

  /* The bytes may be this array's own memory. */
  copy = g_try_malloc (n_bytes);
  if (copy == NULL)
    return refuse_copy (n_bytes, error);
  memcpy (copy, data, n_bytes);
  shnd_scatter (&self->layout, 0, shnd_layout_get_size (&self->layout), copy);

  return TRUE;
}

/**
 * shnd_array_copy_from:
 * @self: an array
 * @source: the array to copy
 * @error: return location for an error
 *
 * Sets all elements from those of another array or view, converting them.
 *
 * The two may lie in memory in any way, and may show the same memory. A @source with fewer
 * dimensions, or with dimensions of 1, is repeated to fill the array, as NumPy does.
 *
 * What is converted to what:
 *
 * - bool, integers and floats of all sizes and byte orders to each other. An integer that does not
 *   fit keeps its lowest bits, as in C; a float that does not fit in an integer becomes the nearest
 *   one that does, and NaN becomes 0; its fraction is dropped. A bool is whether the number is not
 *   0.
 * - these to complex, complex to complex, and complex to bool.
 * - bytes to bytes and unicode to unicode of the same length or longer; raw bytes to raw bytes of
 *   the same size.
 * - datetimes and timedeltas to others of their kind: to a coarser unit rounded down, to a finer
 *   one that does not reach so far not-a-time. A timedelta of years or months has no length in
 *   shorter units. A generic unit becomes any other. Timedeltas to and from integers: the count.
 * - structured elements field by field, by position.
 *
 * Fails with %SHND_ERROR_TYPE_MISMATCH for other pairs of dtypes, with %SHND_ERROR_INVALID_SHAPE if
 * the shapes do not fit, with %SHND_ERROR_NO_SPACE if the two share memory and there is none for a
 * copy, with %SHND_ERROR_READ_ONLY or %SHND_ERROR_CLOSED. Then nothing was written.
 *
 * Returns: whether the elements were copied
 */
gboolean
shnd_array_copy_from (ShndArray *self, ShndArray *source, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (ShndSegment) source_segment = NULL;
  g_autofree guint8 *copy = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (SHND_IS_ARRAY (source), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_WRITE, error);
  if (segment == NULL)
    return FALSE;

  source_segment = _shnd_array_acquire (source, SHND_ACCESS_READ, error);
  if (source_segment == NULL)
    return FALSE;

  if (!shnd_cast_check (self->layout.dtype, source->layout.dtype, error))
    return FALSE;

  layout = source->layout;
  if (overlap (segment, &self->layout, source_segment, &source->layout))
    {
      guint8 *data;

      data = copy = gather_all (&source->layout, error);
      if (copy == NULL || !shnd_layout_init (&layout, source->layout.dtype, source->layout.shape,
                                             source->layout.n_dims, FALSE, error))
        return FALSE;
      layout.data = data;
    }

  if (!shnd_layout_broadcast (&layout, &self->layout, error))
    return FALSE;

  shnd_copy (&self->layout, &layout);

  return TRUE;
}

/**
 * shnd_array_fill:
 * @self: an array
 * @value: the value, as [method@Shnd.Array.set_element] takes it
 * @error: return location for an error
 *
 * Sets all elements to one value.
 *
 * Fails as [method@Shnd.Array.set_element] does. Then nothing was written.
 *
 * Returns: whether the elements were set
 */
gboolean
shnd_array_fill (ShndArray *self, GVariant *value, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (GVariant) owned = NULL;
  g_autofree guint8 *element = NULL;
  ShndLayout layout = { 0 };

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);

  owned = g_variant_ref_sink (value);
  segment = _shnd_array_acquire (self, SHND_ACCESS_WRITE, error);
  if (segment == NULL)
    return FALSE;

  element = g_try_malloc0 (MAX (self->layout.dtype->item_size, 1));
  if (element == NULL)
    return refuse_copy (self->layout.dtype->item_size, error);
  if (!shnd_element_from_variant (self->layout.dtype, element, owned, error))
    return FALSE;

  layout.dtype = self->layout.dtype;
  layout.data = element;
  if (!shnd_layout_broadcast (&layout, &self->layout, error))
    return FALSE;

  shnd_copy (&self->layout, &layout);

  return TRUE;
}
