/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error.h"

#include <string.h>

/* The views of ShndArray: each is a change of the layout. */

/**
 * shnd_array_slice:
 * @self: an array
 * @axis: which axis, counted from 0
 * @start: the first index
 * @stop: the index to stop before; -1 to go down to 0 with a negative @step
 * @step: the distance from one index to the next; may be negative, not 0
 * @error: return location for an error
 *
 * Gets a view of some of the indices along one axis.
 *
 * The indices are those of Python's `range(start, stop, step)`, which may be none. They all have to
 * exist: a negative number does not count from the end, and nothing is cut short. A whole axis
 * backwards is `(axis, n - 1, -1, -1)`.
 *
 * Fails with %SHND_ERROR_OUT_OF_RANGE if axis or indices do not exist, with
 * %SHND_ERROR_INVALID_ARGUMENT if the step is 0, and with %SHND_ERROR_CLOSED if the array is
 * closed.
 *
 * Returns: (transfer full): a view, with as many dimensions as the array
 */
ShndArray *
shnd_array_slice (
    ShndArray *self, guint axis, gint64 start, gint64 stop, gint64 step, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  layout = self->layout;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_slice (&layout, axis, start, stop, step, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}

/**
 * shnd_array_index:
 * @self: an array
 * @axis: which axis, counted from 0
 * @index: which index, counted from 0
 * @error: return location for an error
 *
 * Gets a view of what has one index along one axis: a row of a table, say, or a frame of a film.
 *
 * Fails with %SHND_ERROR_OUT_OF_RANGE if axis or index do not exist, and with %SHND_ERROR_CLOSED if
 * the array is closed.
 *
 * Returns: (transfer full): a view, with one dimension less than the array
 */
ShndArray *
shnd_array_index (ShndArray *self, guint axis, gint64 index, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  layout = self->layout;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_index (&layout, axis, index, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}

/**
 * shnd_array_reshape:
 * @self: an array
 * @shape: (array length=n_dims): the new shape; one dimension may be -1, for what is left
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @error: return location for an error
 *
 * Gets a view of the same elements, read in C order, in another shape.
 *
 * Fails with %SHND_ERROR_INVALID_SHAPE if the new shape has not as many elements as the array; with
 * %SHND_ERROR_NOT_CONTIGUOUS if the elements do not lie so that this can be had without a copy, in
 * which case [method@Shnd.Array.dup] makes one; with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): a view
 */
ShndArray *
shnd_array_reshape (ShndArray *self, const gint64 *shape, guint n_dims, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  layout = self->layout;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_reshape (&layout, shape, n_dims, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}

/**
 * shnd_array_transpose:
 * @self: an array
 * @axes: (array length=n_axes) (nullable): for each axis of the view, the axis of the array that it
 *   shows; or %NULL or none to reverse all axes
 * @n_axes: the number of @axes
 * @error: return location for an error
 *
 * Gets a view with the axes in another order.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if @axes does not name each axis once, and with
 * %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): a view
 */
ShndArray *
shnd_array_transpose (ShndArray *self, const gint64 *axes, guint n_axes, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (axes != NULL || n_axes == 0, NULL);

  layout = self->layout;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_transpose (&layout, axes, n_axes, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}

/**
 * shnd_array_field:
 * @self: an array of a structured dtype
 * @field: the name of a field, or its title
 * @error: return location for an error
 *
 * Gets a view of one field of each element.
 *
 * If the field is a sub-array, its dimensions come behind those of the array.
 *
 * Fails with %SHND_ERROR_TYPE_MISMATCH if the dtype has no fields, with %SHND_ERROR_NOT_FOUND if it
 * has none of that name, with %SHND_ERROR_INVALID_SHAPE if the view would have too many dimensions,
 * and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): a view
 */
ShndArray *
shnd_array_field (ShndArray *self, const char *field, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (field != NULL, NULL);

  layout = self->layout;
  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_field (&layout, field, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}

/**
 * shnd_array_as_strided:
 * @self: an array
 * @dtype: what each element of the view is
 * @offset: where the element of the view is whose indices are all 0, in bytes from that of @self;
 *   may be negative
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @strides: (array length=n_strides): for each axis, the bytes from one element to the next; may be
 *   negative, or 0 for the same element again and again
 * @n_strides: the number of strides, as many as dimensions
 * @error: return location for an error
 *
 * Gets a view of the same memory as elements of any dtype and layout.
 *
 * This is what the other views cannot show: bytes as numbers, rows with padding behind them, windows
 * that overlap. All elements have to be between the lowest and the highest byte of any element of
 * @self; what is between two elements of @self is inside of that.
 *
 * The dimensions of a sub-array dtype come behind those of @shape, without gaps.
 *
 * Fails with %SHND_ERROR_TOO_SMALL if an element would be outside; with %SHND_ERROR_INVALID_SHAPE for
 * a shape that no array has; with %SHND_ERROR_INVALID_ARGUMENT if there are not as many strides as
 * dimensions; and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): a view
 */
ShndArray *
shnd_array_as_strided (ShndArray *self,
                       ShndDType *dtype,
                       gint64 offset,
                       const gint64 *shape,
                       guint n_dims,
                       const gint64 *strides,
                       guint n_strides,
                       GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;
  gint64 low, high;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);
  g_return_val_if_fail (strides != NULL || n_strides == 0, NULL);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !shnd_layout_init (&layout, dtype, shape, n_dims, FALSE, error))
    return NULL;

  if (n_strides != n_dims)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "%u strides for %u dimensions: expected one for each", n_strides, n_dims);
      return NULL;
    }
  if (n_dims > 0)
    memcpy (layout.strides, strides, n_dims * sizeof *strides);

  shnd_layout_get_span (&self->layout, &low, &high);
  if (!shnd_layout_set_place (&layout, self->layout.data, low, high, offset, error))
    return NULL;

  return _shnd_array_new_view (segment, &layout);
}
