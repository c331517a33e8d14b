/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error.h"
#include "shnd-view-private.h"

#include <unistd.h>

/* Arrays in variants, beside a list of file descriptors: what D-Bus carries. */

/* Handle, dtype, shape, strides, offset. */
#define VARIANT_TYPE "(hsaxaxt)"

static GVariant *
numbers_to_variant (const gint64 *numbers, guint n)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, numbers, n, sizeof *numbers);
}

/**
 * shnd_array_to_variant:
 * @self: an array
 * @fd_list: a list that gets a descriptor of the array's file
 * @error: return location for an error
 *
 * Puts the array into a variant and a list of file descriptors, such as go with a D-Bus call. From
 * both together [ctor@Shnd.Array.new_from_variant] opens the same elements, also those of a view.
 *
 * The variant is of type `(hsaxaxt)`: the index of the descriptor in @fd_list, the dtype, the shape,
 * the strides, and where in the file the first element is. Whoever gets the descriptor has the whole
 * file, not only what a view shows.
 *
 * ```c
 * g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
 * g_autoptr (GVariant) variant = shnd_array_to_variant (array, fd_list, &error);
 * ```
 *
 * The array should have been sealed before: see [method@Shnd.Array.seal].
 *
 * Fails with %SHND_ERROR_NO_SPACE if there are no descriptors left, and with %SHND_ERROR_CLOSED if
 * the array is closed.
 *
 * Returns: (transfer full): the variant
 */
GVariant *
shnd_array_to_variant (ShndArray *self, GUnixFDList *fd_list, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (GError) local_error = NULL;
  const ShndLayout *layout;
  GVariant *variant;
  int fd, handle;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (G_IS_UNIX_FD_LIST (fd_list), NULL);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return NULL;

  fd = shnd_segment_dup_fd (segment, self->access, error);
  if (fd < 0)
    return NULL;

  handle = g_unix_fd_list_append (fd_list, fd, &local_error);
  close (fd);
  if (handle < 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "Cannot add the descriptor of the array to the list: %s", local_error->message);
      return NULL;
    }

  layout = &self->layout;
  variant = g_variant_new ("(hs@ax@axt)", handle, layout->dtype->description,
                           numbers_to_variant (layout->shape, layout->n_dims),
                           numbers_to_variant (layout->strides, layout->n_dims),
                           segment->data_offset + (layout->data - segment->data));

  return g_variant_ref_sink (variant);
}

/**
 * shnd_array_new_from_variant:
 * @variant: what [method@Shnd.Array.to_variant] returned, of type `(hsaxaxt)`
 * @fd_list: (nullable): the descriptors that came with it; they stay the list's
 * @access: how to open it
 * @error: return location for an error
 *
 * Opens the array that a variant and a list of file descriptors stand for.
 *
 * Both are checked like anything that somebody else made: see [ctor@Shnd.Array.new_for_fd], also for
 * the seals that are expected.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if the variant is of another type, or its index is not in
 * the list; with %SHND_ERROR_INVALID_DTYPE or %SHND_ERROR_INVALID_SHAPE if it holds what is not one;
 * with %SHND_ERROR_TOO_SMALL if the elements are not inside of the file; else as
 * [ctor@Shnd.Array.new_for_fd] does.
 *
 * Returns: (transfer full): the array; it has no name
 */
ShndArray *
shnd_array_new_from_variant (GVariant *variant,
                             GUnixFDList *fd_list,
                             ShndAccess access,
                             GError **error)
{
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (GVariant) shape = NULL;
  g_autoptr (GVariant) strides = NULL;
  g_auto (ShndView) view = { 0 };
  const gint64 *shape_data, *strides_data;
  gsize n_shape, n_strides;
  const char *dtype;
  guint64 offset;
  gint32 handle;
  const int *fds = NULL;
  int n_fds = 0;
  ShndArray *self;
  ShndFile file;

  g_return_val_if_fail (variant != NULL, NULL);
  g_return_val_if_fail (fd_list == NULL || G_IS_UNIX_FD_LIST (fd_list), NULL);

  owned = g_variant_ref_sink (variant);
  /* The results of a D-Bus method of which this is the only one. */
  if (g_variant_is_of_type (owned, G_VARIANT_TYPE ("(" VARIANT_TYPE ")")))
    {
      g_autoptr (GVariant) outer = g_steal_pointer (&owned);

      owned = g_variant_get_child_value (outer, 0);
    }
  if (!g_variant_is_of_type (owned, G_VARIANT_TYPE (VARIANT_TYPE)))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "A variant of type “%s” is not an array: expected “" VARIANT_TYPE "”",
                   g_variant_get_type_string (owned));
      return NULL;
    }

  g_variant_get (owned, "(h&s@ax@axt)", &handle, &dtype, &shape, &strides, &offset);
  shape_data = g_variant_get_fixed_array (shape, &n_shape, sizeof *shape_data);
  strides_data = g_variant_get_fixed_array (strides, &n_strides, sizeof *strides_data);

  if (fd_list != NULL)
    fds = g_unix_fd_list_peek_fds (fd_list, &n_fds);
  if (handle < 0 || handle >= n_fds)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "The descriptor with index %d is not in the list, which has %d", handle, n_fds);
      return NULL;
    }

  if (!shnd_view_init (&view, dtype, offset, shape_data, n_shape, strides_data, n_strides, error) ||
      !shnd_segment_open_fd (fds[handle], access, &file, error))
    return NULL;

  self = shnd_view_open (&view, SHND_VIEW_ANY, &file, error);
  if (self == NULL)
    g_prefix_error (error, "Cannot open the array of descriptor %d: ", fds[handle]);

  return self;
}
