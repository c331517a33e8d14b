/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error.h"
#include "shnd-view-private.h"

/* Arrays as file descriptors. */

/**
 * shnd_array_new_for_fd:
 * @fd: a file descriptor of an array's file; it is duplicated, and stays the caller's
 * @access: how to open it
 * @error: return location for an error
 *
 * Opens an array by a descriptor of its file, such as [method@Shnd.Array.dup_fd] gives.
 *
 * This is how an array comes that has no name, or none that this process can see: over a socket, with
 * a D-Bus call, or by inheritance. Nothing that the file says is believed before it has been checked
 * against the file's size, and that size has to be sealed (see [method@Shnd.Array.seal]), so that it
 * stays what it is. %SHND_ACCESS_UNSEALED in @access also takes a file that others can cut short: a
 * process that then touches the missing memory gets a `SIGBUS`.
 *
 * An array that is sealed is opened for reading alone. Any `.npy` file can be opened like this.
 *
 * Fails with %SHND_ERROR_PERMISSION_DENIED if the file is not sealed, or sealed against writing and
 * @access asks for that, or if the descriptor does not grant it; with %SHND_ERROR_INVALID_ARGUMENT if
 * @fd is not an open descriptor; with %SHND_ERROR_INVALID_FORMAT if it is not of a `.npy` file;
 * with %SHND_ERROR_UNSUPPORTED if it is of huge pages; with %SHND_ERROR_TOO_SMALL if the file is
 * shorter than it says.
 *
 * Returns: (transfer full): the array; it has no name
 */
ShndArray *
shnd_array_new_for_fd (int fd, ShndAccess access, GError **error)
{
  ShndArray *self;
  ShndFile file;

  if (!shnd_segment_open_fd (fd, access, &file, error))
    return NULL;

  self = shnd_view_open (NULL, SHND_VIEW_NPY, &file, error);
  if (self == NULL)
    g_prefix_error (error, "Cannot open the array of descriptor %d: ", fd);

  return self;
}

/**
 * shnd_array_dup_fd:
 * @self: an array that is not a view
 * @error: return location for an error
 *
 * Gets a new descriptor of the array's file, from which [ctor@Shnd.Array.new_for_fd] opens the same
 * array in another process.
 *
 * It is the caller's to close, is closed by `execve()`, and does not keep the name of the array. It
 * can read, and also write if the array can; but read-only descriptors protect nothing, as whoever
 * may do so opens the file again: [method@Shnd.Array.seal] does.
 *
 * A descriptor is of the whole array. What a view shows goes with
 * [method@Shnd.Array.to_variant] or [method@Shnd.Array.send].
 *
 * Fails with %SHND_ERROR_UNSUPPORTED if the array is a view, or memory without a header; with
 * %SHND_ERROR_NO_SPACE if there are no descriptors left; with %SHND_ERROR_CLOSED if the array is
 * closed.
 *
 * Returns: the descriptor, or -1 on error
 */
int
shnd_array_dup_fd (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), -1);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return -1;

  if (self->is_view)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "The array is a view, and the descriptor of its file stands for all "
                           "elements: expected an array that is not a view");
      return -1;
    }

  return shnd_segment_dup_fd (segment, self->access, error);
}

/**
 * shnd_array_seal:
 * @self: an array without a name
 * @error: return location for an error
 *
 * Seals the memory of an array that is to be handed on: nobody, this process included, can change its
 * size or map it for writing from now on.
 *
 * What is mapped stays as it is: this array, its views and what shows their memory can still be
 * written, and everyone who has the array sees that. So its maker, and those who had it open for
 * writing before, remain the only ones who write it. Whoever opens it later reads it, and cannot be
 * hit by a `SIGBUS`. Seals cannot be taken away.
 *
 * The seals are `F_SEAL_SHRINK`, `F_SEAL_GROW`, `F_SEAL_FUTURE_WRITE` and `F_SEAL_SEAL`. Sealing twice
 * does nothing.
 *
 * Fails with %SHND_ERROR_UNSUPPORTED if the array has a name or a path, or is in a file that cannot
 * be sealed; with %SHND_ERROR_READ_ONLY if the array was opened for reading; with
 * %SHND_ERROR_PERMISSION_DENIED if the file takes no more seals; with %SHND_ERROR_CLOSED if the
 * array is closed.
 *
 * Returns: whether it is sealed
 */
gboolean
shnd_array_seal (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  gboolean was_sealed;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return FALSE;

  was_sealed = shnd_segment_is_sealed (segment);
  if (!shnd_segment_seal (segment, error))
    return FALSE;

  if (!was_sealed)
    g_object_notify (G_OBJECT (self), "sealed");

  return TRUE;
}

/**
 * shnd_array_get_sealed: (get-property sealed)
 * @self: an array
 *
 * Gets whether the array's memory is sealed: its size is fixed, and nobody maps it for writing any
 * more.
 *
 * Returns: whether it is; %FALSE if it is closed
 */
gboolean
shnd_array_get_sealed (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, NULL);

  return segment != NULL && shnd_segment_is_sealed (segment);
}
