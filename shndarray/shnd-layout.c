/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-layout-private.h"

#include "shnd-error-private.h"

#include <string.h>

char *
shnd_shape_to_string (const gint64 *shape, guint n_dims)
{
  GString *text = g_string_new (NULL);

  shnd_dtype_append_shape (text, shape, n_dims);

  return g_string_free (text, FALSE);
}

/* The product of the dimensions and the item size. A dimension of 0 does not excuse the others:
 * NumPy refuses such shapes too, and strides have to fit. */
static gboolean
check_shape (const gint64 *shape, guint n_dims, gsize item_size, GError **error)
{
  gint64 n_bytes = MAX (item_size, 1);
  const char *problem = NULL;

  if (n_dims > SHND_MAX_DIMS)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                   "A shape with %u dimensions: an array has at most %d", n_dims, SHND_MAX_DIMS);
      return FALSE;
    }

  for (guint i = 0; i < n_dims && problem == NULL; i++)
    {
      if (shape[i] < 0)
        problem = "every dimension must be 0 or more";
      else if (shape[i] > 0 && __builtin_mul_overflow (n_bytes, shape[i], &n_bytes))
        problem = "the array would take more than 2^63 - 1 bytes";
    }

  if (problem != NULL)
    {
      g_autofree char *text = shnd_shape_to_string (shape, n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                   "Shape %s with elements of %" G_GSIZE_FORMAT " bytes: %s", text, item_size,
                   problem);
      return FALSE;
    }

  return TRUE;
}

static void
set_contiguous_strides (ShndLayout *layout, gboolean fortran)
{
  gint64 stride = layout->dtype->item_size;

  for (guint i = 0; i < layout->n_dims; i++)
    {
      guint axis = fortran ? i : layout->n_dims - 1 - i;

      layout->strides[axis] = stride;
      /* As NumPy: a dimension of 0 counts as 1, so that the outer strides stay meaningful. */
      stride *= MAX (layout->shape[axis], 1);
    }
}

gboolean
shnd_layout_init (ShndLayout *layout,
                  ShndDType *dtype,
                  const gint64 *shape,
                  guint n_dims,
                  gboolean fortran,
                  GError **error)
{
  if (!check_shape (shape, n_dims, dtype->item_size, error))
    return FALSE;

  layout->data = NULL;
  layout->n_dims = n_dims;
  if (n_dims > 0)
    memcpy (layout->shape, shape, n_dims * sizeof *shape);

  for (; dtype->kind == SHND_DTYPE_KIND_SUBARRAY; dtype = dtype->base)
    {
      if (layout->n_dims + dtype->n_dims > SHND_MAX_DIMS)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                       "A shape with %u dimensions, %u of them from the dtype: an array has at "
                       "most %d",
                       layout->n_dims + dtype->n_dims, dtype->n_dims, SHND_MAX_DIMS);
          return FALSE;
        }
      memcpy (layout->shape + layout->n_dims, dtype->shape, dtype->n_dims * sizeof *dtype->shape);
      layout->n_dims += dtype->n_dims;
    }

  if (!check_shape (layout->shape, layout->n_dims, dtype->item_size, error))
    return FALSE;

  layout->dtype = dtype;
  set_contiguous_strides (layout, fortran);

  return TRUE;
}

guint64
shnd_layout_get_size (const ShndLayout *layout)
{
  guint64 size = 1;

  for (guint i = 0; i < layout->n_dims; i++)
    size *= layout->shape[i];

  return size;
}

guint64
shnd_layout_get_n_bytes (const ShndLayout *layout)
{
  return shnd_layout_get_size (layout) * layout->dtype->item_size;
}

static gboolean
is_contiguous (const ShndLayout *layout, gboolean fortran)
{
  gint64 stride = layout->dtype->item_size;

  for (guint i = 0; i < layout->n_dims; i++)
    {
      guint axis = fortran ? i : layout->n_dims - 1 - i;

      if (layout->shape[axis] == 1)
        continue;
      if (layout->strides[axis] != stride)
        return FALSE;
      stride *= layout->shape[axis];
    }

  return TRUE;
}

ShndOrder
shnd_layout_get_order (const ShndLayout *layout)
{
  /* Where there are no bytes, there are no gaps between them. */
  if (shnd_layout_get_n_bytes (layout) == 0 || is_contiguous (layout, FALSE))
    return SHND_ORDER_C;

  return is_contiguous (layout, TRUE) ? SHND_ORDER_FORTRAN : SHND_ORDER_STRIDED;
}

void
shnd_layout_get_span (const ShndLayout *layout, gint64 *low, gint64 *high)
{
  *low = 0;
  *high = 0;

  if (shnd_layout_get_size (layout) == 0)
    return;

  *high = layout->dtype->item_size;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gint64 reach = (layout->shape[i] - 1) * layout->strides[i];

      if (reach < 0)
        *low += reach;
      else
        *high += reach;
    }
}

gboolean
shnd_layout_get_place (const ShndLayout *layout, guint64 offset, guint64 *start, guint64 *end)
{
  /* No overflow: the shape was checked, so that its product is less than 2^63. */
  __int128 low = offset, high = offset;

  /* Elements without bytes have a place, too. */
  if (shnd_layout_get_size (layout) > 0)
    {
      high += layout->dtype->item_size;
      for (guint i = 0; i < layout->n_dims; i++)
        {
          __int128 way = (__int128) layout->strides[i] * (layout->shape[i] - 1);

          if (way < 0)
            low += way;
          else
            high += way;
        }
    }

  if (low < 0 || high > G_MAXINT64)
    return FALSE;

  *start = low;
  *end = high;
  return TRUE;
}

gboolean
shnd_layout_set_place (
    ShndLayout *layout, guint8 *origin, gint64 low, gint64 high, gint64 offset, GError **error)
{
  g_autofree char *shape = NULL;
  g_autofree char *strides = NULL;
  guint64 start, end;

  if (offset >= low && offset <= high &&
      shnd_layout_get_place (layout, offset - low, &start, &end) && end <= (guint64) (high - low))
    {
      layout->data = origin + offset;
      return TRUE;
    }

  shape = shnd_shape_to_string (layout->shape, layout->n_dims);
  strides = shnd_shape_to_string (layout->strides, layout->n_dims);
  g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
               "Elements of %" G_GSIZE_FORMAT " bytes with shape %s and strides %s at offset "
               "%" G_GINT64_FORMAT ": they are not all within the memory, from %" G_GINT64_FORMAT
               " to %" G_GINT64_FORMAT,
               layout->dtype->item_size, shape, strides, offset, low, high);
  return FALSE;
}

static gboolean
check_axis (const ShndLayout *layout, guint axis, GError **error)
{
  if (axis < layout->n_dims)
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
               "Axis %u of an array with %u dimensions: axes count from 0", axis, layout->n_dims);
  return FALSE;
}

static gboolean
check_index (const ShndLayout *layout, guint axis, gint64 index, GError **error)
{
  if (G_LIKELY (index >= 0 && index < layout->shape[axis]))
    return TRUE;

  if (layout->shape[axis] == 0)
    g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                 "Index %" G_GINT64_FORMAT " on axis %u, which has no elements", index, axis);
  else
    g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                 "Index %" G_GINT64_FORMAT " on axis %u: expected 0 to %" G_GINT64_FORMAT, index,
                 axis, layout->shape[axis] - 1);
  return FALSE;
}

/* Goes on along an axis, by as many elements as it has, or less. An array without elements has none to
 * go to, and its strides may be anything. */
static void
advance (ShndLayout *layout, guint axis, gint64 n)
{
  if (shnd_layout_get_size (layout) > 0)
    layout->data += n * layout->strides[axis];
}

gboolean
shnd_layout_slice (
    ShndLayout *layout, guint axis, gint64 start, gint64 stop, gint64 step, GError **error)
{
  guint64 distance, stride;
  gint64 length;

  if (!check_axis (layout, axis, error))
    return FALSE;

  if (step == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                           "A slice with step 0: expected a step forwards or backwards");
      return FALSE;
    }

  /* As many as range(start, stop, step) has; unsigned, because the ends can be 2^64 apart. */
  stride = step > 0 ? (guint64) step : -(guint64) step;
  if (step > 0 ? start >= stop : start <= stop)
    distance = 0;
  else
    distance = step > 0 ? (guint64) stop - (guint64) start : (guint64) start - (guint64) stop;

  if (distance == 0)
    {
      length = 0;
    }
  else
    {
      guint64 n_steps = (distance - 1) / stride;

      if (!check_index (layout, axis, start, error))
        return FALSE;

      /* The start is inside, so whatever fits between it and an end is small. */
      if (n_steps > (guint64) (step > 0 ? layout->shape[axis] - 1 - start : start) / stride)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                       "A slice from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                       " in steps of %" G_GINT64_FORMAT
                       " on axis %u: it leaves the %" G_GINT64_FORMAT " elements there",
                       start, stop, step, axis, layout->shape[axis]);
          return FALSE;
        }
      length = n_steps + 1;
      advance (layout, axis, start);
    }

  /* A stride that is never taken may be anything; keep it from overflowing. */
  if (length > 1)
    layout->strides[axis] = (guint64) layout->strides[axis] * (guint64) step;
  layout->shape[axis] = length;

  return TRUE;
}

static void
remove_axis (ShndLayout *layout, guint axis)
{
  guint n_behind = layout->n_dims - axis - 1;

  memmove (layout->shape + axis, layout->shape + axis + 1, n_behind * sizeof *layout->shape);
  memmove (layout->strides + axis, layout->strides + axis + 1, n_behind * sizeof *layout->strides);
  layout->n_dims--;
}

gboolean
shnd_layout_index (ShndLayout *layout, guint axis, gint64 index, GError **error)
{
  if (!check_axis (layout, axis, error) || !check_index (layout, axis, index, error))
    return FALSE;

  advance (layout, axis, index);
  remove_axis (layout, axis);

  return TRUE;
}

/* Replaces the one -1 in a shape by what is left for it. */
static gboolean
infer_dimension (gint64 *shape, guint n_dims, guint64 size, GError **error)
{
  guint64 known = 1;
  gint inferred = -1;

  for (guint i = 0; i < n_dims; i++)
    {
      if (shape[i] == -1 && inferred < 0)
        inferred = i;
      else if (shape[i] < 0)
        break; /* left for the caller to refuse */
      else if (__builtin_mul_overflow (known, (guint64) shape[i], &known))
        break;
    }

  if (inferred < 0)
    return TRUE;

  if (known == 0 || size % known != 0)
    {
      g_autofree char *text = shnd_shape_to_string (shape, n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                   "Shape %s for %" G_GUINT64_FORMAT
                   " elements: no number in the place of -1 makes that many",
                   text, size);
      return FALSE;
    }
  shape[inferred] = size / known;

  return TRUE;
}

/* Strides for `shape` that reach the same elements in the same (C) order, if there are any: runs of
 * old dimensions and runs of new ones with the same product are matched, and each run of old ones
 * must itself be without gaps. */
static gboolean
find_strides (const ShndLayout *layout, const gint64 *shape, guint n_dims, gint64 *strides)
{
  gint64 old_shape[SHND_MAX_DIMS], old_strides[SHND_MAX_DIMS];
  guint n_old = 0, old = 0, new = 0;

  for (guint i = 0; i < layout->n_dims; i++)
    {
      if (layout->shape[i] == 1)
        continue;
      old_shape[n_old] = layout->shape[i];
      old_strides[n_old++] = layout->strides[i];
    }

  while (old < n_old && new < n_dims)
    {
      guint old_end = old + 1, new_end = new + 1;
      gint64 n_old_items = old_shape[old], n_new_items = shape[new];

      while (n_old_items != n_new_items)
        {
          if (n_new_items < n_old_items)
            n_new_items *= shape[new_end++];
          else
            n_old_items *= old_shape[old_end++];
        }

      for (guint i = old; i + 1 < old_end; i++)
        if (old_strides[i] != old_strides[i + 1] * old_shape[i + 1])
          return FALSE;

      strides[new_end - 1] = old_strides[old_end - 1];
      for (guint i = new_end - 1; i > new; i--)
        strides[i - 1] = strides[i] * shape[i];

      old = old_end;
      new = new_end;
    }

  /* Only dimensions of 1 are left over. */
  for (; new < n_dims; new ++)
    strides[new] = layout->dtype->item_size;

  return TRUE;
}

gboolean
shnd_layout_reshape (ShndLayout *layout, const gint64 *shape, guint n_dims, GError **error)
{
  ShndLayout result = *layout;
  guint64 size = shnd_layout_get_size (layout);
  gint64 inferred[SHND_MAX_DIMS];

  if (n_dims <= SHND_MAX_DIMS)
    {
      if (n_dims > 0)
        memcpy (inferred, shape, n_dims * sizeof *shape);
      if (!infer_dimension (inferred, n_dims, size, error))
        return FALSE;
      shape = inferred;
    }

  if (!check_shape (shape, n_dims, layout->dtype->item_size, error))
    return FALSE;

  result.n_dims = n_dims;
  if (n_dims > 0)
    memcpy (result.shape, shape, n_dims * sizeof *shape);

  if (shnd_layout_get_size (&result) != size)
    {
      g_autofree char *old_text = shnd_shape_to_string (layout->shape, layout->n_dims);
      g_autofree char *new_text = shnd_shape_to_string (shape, n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                   "Shape %s has %" G_GUINT64_FORMAT " elements: expected %" G_GUINT64_FORMAT
                   ", as %s has",
                   new_text, shnd_layout_get_size (&result), size, old_text);
      return FALSE;
    }

  if (shnd_layout_get_order (layout) == SHND_ORDER_C)
    {
      set_contiguous_strides (&result, FALSE);
    }
  else if (!find_strides (layout, shape, n_dims, result.strides))
    {
      g_autofree char *old_text = shnd_shape_to_string (layout->shape, layout->n_dims);
      g_autofree char *new_text = shnd_shape_to_string (shape, n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_CONTIGUOUS,
                   "The elements of this %s view do not lie so that %s can show them without a "
                   "copy: reshape a copy",
                   old_text, new_text);
      return FALSE;
    }

  *layout = result;
  return TRUE;
}

gboolean
shnd_layout_transpose (ShndLayout *layout, const gint64 *axes, guint n_axes, GError **error)
{
  ShndLayout result = *layout;
  guint32 seen = 0;

  if (axes != NULL && n_axes > 0 && n_axes != layout->n_dims)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "%u axes to transpose an array with %u dimensions: expected one for each",
                   n_axes, layout->n_dims);
      return FALSE;
    }

  for (guint i = 0; i < layout->n_dims; i++)
    {
      gint64 axis = axes != NULL && n_axes > 0 ? axes[i] : layout->n_dims - 1 - i;

      if (axis < 0 || axis >= layout->n_dims || (seen & (1u << axis)) != 0)
        {
          g_autofree char *text = shnd_shape_to_string (axes, n_axes);

          g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                       "Axes %s to transpose an array with %u dimensions: expected each of 0 to %u "
                       "once",
                       text, layout->n_dims, layout->n_dims - 1);
          return FALSE;
        }
      seen |= 1u << axis;
      result.shape[i] = layout->shape[axis];
      result.strides[i] = layout->strides[axis];
    }

  *layout = result;
  return TRUE;
}

gboolean
shnd_layout_field (ShndLayout *layout, const char *name, GError **error)
{
  ShndLayout result = *layout;
  ShndDType *dtype = layout->dtype;
  const ShndField *field;
  gint index;

  if (dtype->kind != SHND_DTYPE_KIND_STRUCT)
    {
      g_autofree char *shown = shnd_shorten (name);

      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "Field “%s” of an array of dtype %s: only structured dtypes have fields", shown,
                   dtype->description);
      return FALSE;
    }

  index = shnd_dtype_find_field (dtype, name);
  if (index < 0)
    {
      g_autofree char *shown = shnd_shorten (name);

      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND, "No field “%s” in dtype %s", shown,
                   dtype->description);
      return FALSE;
    }
  field = &dtype->fields[index];

  /* The dimensions of a sub-array come last, in C order. */
  for (dtype = field->dtype; dtype->kind == SHND_DTYPE_KIND_SUBARRAY; dtype = dtype->base)
    {
      gint64 stride = dtype->base->item_size;

      if (result.n_dims + dtype->n_dims > SHND_MAX_DIMS)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                       "Field “%s” would have %u dimensions with those of the array: an array has "
                       "at most %d",
                       name, result.n_dims + dtype->n_dims, SHND_MAX_DIMS);
          return FALSE;
        }

      for (guint i = dtype->n_dims; i > 0; i--)
        {
          result.shape[result.n_dims + i - 1] = dtype->shape[i - 1];
          result.strides[result.n_dims + i - 1] = stride;
          stride *= MAX (dtype->shape[i - 1], 1);
        }
      result.n_dims += dtype->n_dims;
    }

  /* Items without bytes can have any number of dimensions of any size. */
  if (!check_shape (result.shape, result.n_dims, dtype->item_size, error))
    return FALSE;

  result.dtype = dtype;
  result.data += field->offset;
  *layout = result;

  return TRUE;
}

guint8 *
shnd_layout_get_element (const ShndLayout *layout,
                         const gint64 *indices,
                         guint n_indices,
                         GError **error)
{
  guint8 *element = layout->data;

  if (G_UNLIKELY (n_indices != layout->n_dims))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE,
                   "%u indices into an array with %u dimensions: expected one for each", n_indices,
                   layout->n_dims);
      return NULL;
    }

  for (guint i = 0; i < n_indices; i++)
    {
      if (!check_index (layout, i, indices[i], error))
        return NULL;
      element += indices[i] * layout->strides[i];
    }

  return element;
}

gboolean
shnd_layout_broadcast (ShndLayout *layout, const ShndLayout *target, GError **error)
{
  ShndLayout result = *layout;
  gboolean fits = layout->n_dims <= target->n_dims;

  result.n_dims = target->n_dims;
  for (guint i = 0; i < target->n_dims && fits; i++)
    {
      guint n_new = target->n_dims - layout->n_dims;

      result.shape[i] = target->shape[i];
      if (i < n_new || layout->shape[i - n_new] == 1)
        result.strides[i] = 0;
      else if (layout->shape[i - n_new] == target->shape[i])
        result.strides[i] = layout->strides[i - n_new];
      else
        fits = FALSE;
    }

  if (!fits)
    {
      g_autofree char *source_text = shnd_shape_to_string (layout->shape, layout->n_dims);
      g_autofree char *target_text = shnd_shape_to_string (target->shape, target->n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_SHAPE,
                   "An array of shape %s cannot fill one of shape %s: expected the same shape, or "
                   "one that repeats to it",
                   source_text, target_text);
      return FALSE;
    }

  *layout = result;
  return TRUE;
}
