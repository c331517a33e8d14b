/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error-private.h"
#include "shnd-view-private.h"
#include "shnd-write-private.h"

/* The constructors of ShndArray. */

#define ALL_CREATE_FLAGS                                                                           \
  (SHND_CREATE_FORTRAN | SHND_CREATE_SPARSE | SHND_CREATE_GROUP_READ | SHND_CREATE_GROUP_WRITE |   \
   SHND_CREATE_OTHERS_READ | SHND_CREATE_OTHERS_WRITE | SHND_CREATE_PERSISTENT)

gboolean
_shnd_check_create_flags (ShndCreateFlags flags, GError **error)
{
  if ((flags & ~ALL_CREATE_FLAGS) == 0)
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
               "Flags %u: expected a combination of ShndCreateFlags", (guint) flags);
  return FALSE;
}

gboolean
_shnd_array_init_layout (ShndLayout *layout,
                         ShndDType *dtype,
                         const gint64 *shape,
                         guint n_dims,
                         ShndCreateFlags flags,
                         GError **error)
{
  return _shnd_check_create_flags (flags, error) &&
         shnd_layout_init (layout, dtype, shape, n_dims, (flags & SHND_CREATE_FORTRAN) != 0, error);
}

/* Fills a new array with the elements of a layout. */
static int
write_contents (int fd, guint64 offset, gpointer data, GError **error)
{
  return shnd_write_contents_at (data, fd, offset);
}

ShndArray *
_shnd_array_create (const char *name,
                    ShndLayout *layout,
                    ShndContents *contents,
                    ShndCreateFlags flags,
                    GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  /* They are written in the order that they get. */
  if (contents != NULL && shnd_layout_get_order (layout) == SHND_ORDER_FORTRAN &&
      !shnd_layout_transpose (&contents->layout, NULL, 0, error))
    return NULL;

  segment = shnd_segment_new (name, layout, contents != NULL ? write_contents : NULL, contents,
                              flags, error);
  if (segment == NULL)
    return NULL;

  layout->data = segment->data;

  return _shnd_array_new_for_layout (segment, layout);
}

/**
 * shnd_array_new:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @flags: how to make it
 * @error: return location for an error
 *
 * Makes an array whose bytes are all zero.
 *
 * Its memory is reserved now, so that it cannot be missing later, unless %SHND_CREATE_SPARSE is
 * given. The name appears when all is in place: nobody ever opens an array that is half made, and
 * if anything fails, nothing is left behind.
 *
 * The dimensions of a sub-array dtype are added to the shape, as NumPy does.
 *
 * Fails with %SHND_ERROR_EXISTS if the name is taken, %SHND_ERROR_INVALID_NAME,
 * %SHND_ERROR_INVALID_SHAPE or %SHND_ERROR_INVALID_ARGUMENT, and with %SHND_ERROR_NO_SPACE if there
 * is not enough memory.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_new (const char *name,
                ShndDType *dtype,
                const gint64 *shape,
                guint n_dims,
                ShndCreateFlags flags,
                GError **error)
{
  ShndLayout layout;

  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!_shnd_array_init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  return _shnd_array_create (name, &layout, NULL, flags, error);
}

/**
 * shnd_array_new_unique:
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @flags: how to make it
 * @error: return location for an error
 *
 * Makes an array under a name that no other has: `shnd-` and 16 random hexadecimal digits.
 *
 * See [ctor@Shnd.Array.new] for the rest, and [method@Shnd.Array.get_name] for the name.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_new_unique (
    ShndDType *dtype, const gint64 *shape, guint n_dims, ShndCreateFlags flags, GError **error)
{
  ShndLayout layout;

  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!_shnd_array_init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  while (TRUE)
    {
      g_autoptr (GError) local_error = NULL;
      g_autofree char *name = g_strdup_printf ("shnd-%08x%08x", g_random_int (), g_random_int ());
      ShndArray *self = _shnd_array_create (name, &layout, NULL, flags, &local_error);

      if (self != NULL)
        return self;

      if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_EXISTS))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
    }
}

/**
 * shnd_array_new_from_bytes:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @bytes: the elements, without gaps, in C order, or in Fortran order with %SHND_CREATE_FORTRAN
 * @flags: how to make it
 * @error: return location for an error
 *
 * Makes an array that begins with a copy of the given elements.
 *
 * This is faster than to make the array and to copy into it. Nobody sees the name before the
 * elements are there.
 *
 * Fails as [ctor@Shnd.Array.new] does, and with %SHND_ERROR_INVALID_ARGUMENT if there are too few
 * or too many bytes.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_new_from_bytes (const char *name,
                           ShndDType *dtype,
                           const gint64 *shape,
                           guint n_dims,
                           GBytes *bytes,
                           ShndCreateFlags flags,
                           GError **error)
{
  gconstpointer data;
  gsize n_bytes;

  g_return_val_if_fail (bytes != NULL, NULL);

  data = g_bytes_get_data (bytes, &n_bytes);

  return shnd_array_new_from_data (name, dtype, shape, n_dims, data, n_bytes, flags, error);
}

/**
 * shnd_array_new_from_data:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @data: (nullable): the address of the elements; %NULL only for no elements
 * @n_bytes: how many bytes there are at that address
 * @flags: how to make it
 * @error: return location for an error
 *
 * Makes an array that begins with a copy of the elements at an address.
 *
 * This is [ctor@Shnd.Array.new_from_bytes] for C, and for bindings that have the address of memory
 * which they keep in place during the call. Scripts use the other one.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_new_from_data (const char *name,
                          ShndDType *dtype,
                          const gint64 *shape,
                          guint n_dims,
                          gconstpointer data,
                          gsize n_bytes,
                          ShndCreateFlags flags,
                          GError **error)
{
  ShndContents contents = { 0 };
  ShndLayout layout;

  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!_shnd_array_init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  if (n_bytes != shnd_layout_get_n_bytes (&layout) || (data == NULL && n_bytes > 0))
    {
      g_autofree char *text = shnd_shape_to_string (layout.shape, layout.n_dims);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "%" G_GSIZE_FORMAT " bytes for an array of shape %s and dtype %s: expected "
                   "%" G_GUINT64_FORMAT,
                   data != NULL ? n_bytes : 0, text, layout.dtype->description,
                   shnd_layout_get_n_bytes (&layout));
      return NULL;
    }

  /* The bytes go as they are, whatever the order they are in. */
  contents.layout = layout;
  contents.layout.data = (guint8 *) data;

  return _shnd_array_create (name, &layout, &contents, flags, error);
}

/**
 * shnd_array_new_path:
 * @path: (type filename): the path of a file that does not exist yet
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @flags: %SHND_CREATE_FORTRAN, %SHND_CREATE_SPARSE, both or neither; %SHND_CREATE_PERSISTENT goes
 *   without saying
 * @error: return location for an error
 *
 * Makes an array of zeros that is a `.npy` file on any file system.
 *
 * The file is mapped: what is written to the array is written to the file, which stays until
 * somebody removes it. [func@Shnd.Array.open_path] opens it, in any process, and so does whatever
 * reads `.npy` files. [method@Shnd.Array.sync] says when the elements are on the disk. Lock and
 * change counter work as for an array in memory.
 *
 * The room on the disk is taken now, unless %SHND_CREATE_SPARSE is given. The file appears when all
 * is in place, and never replaces another. Its permissions are those that the umask leaves, as
 * those of any other new file; it has no name in shared memory.
 *
 * Fails with %SHND_ERROR_EXISTS if there is something at @path, with %SHND_ERROR_NOT_FOUND if the
 * folder does not exist, with %SHND_ERROR_PERMISSION_DENIED, with %SHND_ERROR_NO_SPACE if the disk
 * is full, with %SHND_ERROR_INVALID_SHAPE, and with %SHND_ERROR_INVALID_ARGUMENT for other flags.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_new_path (const char *path,
                     ShndDType *dtype,
                     const gint64 *shape,
                     guint n_dims,
                     ShndCreateFlags flags,
                     GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if ((flags & ~(SHND_CREATE_FORTRAN | SHND_CREATE_SPARSE | SHND_CREATE_PERSISTENT)) != 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "Flags %u: expected FORTRAN, SPARSE and PERSISTENT alone for a file, which has "
                   "the permissions that the umask leaves",
                   (guint) flags);
      return NULL;
    }

  if (!_shnd_array_init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  segment = shnd_segment_new_path (path, &layout, flags, error);
  if (segment == NULL)
    return NULL;

  layout.data = segment->data;

  return _shnd_array_new_for_layout (segment, &layout);
}

/* Opens a .npy file that was opened and looked at, which it takes. `display` is for messages. */
static ShndArray *
open_npy (const ShndFile *file, const char *display, GError **error)
{
  ShndArray *self = shnd_view_open (NULL, SHND_VIEW_NPY, file, error);

  if (self == NULL)
    g_prefix_error (error, "Cannot open “%s”: ", display);

  return self;
}

/**
 * shnd_array_open:
 * @name: the name of a shared array
 * @access: how to open it
 * @error: return location for an error
 *
 * Opens an array by its name.
 *
 * The dtype and the shape are those that its maker gave it. What it costs does not depend on the
 * size of the array.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if there is none of that name; with
 * %SHND_ERROR_PERMISSION_DENIED if it belongs to another user (see %SHND_ACCESS_ANY_OWNER) or does
 * not grant this access; with %SHND_ERROR_INVALID_FORMAT if the segment is not an array, and with
 * %SHND_ERROR_TOO_SMALL if it is shorter than it says; with %SHND_ERROR_INVALID_NAME if the
 * name could not be an array's.
 *
 * Returns: (transfer full): the array
 */
ShndArray *
shnd_array_open (const char *name, ShndAccess access, GError **error)
{
  ShndFile file;

  g_return_val_if_fail (name != NULL, NULL);

  if (!shnd_segment_open_name (name, access, &file, error))
    return NULL;

  return open_npy (&file, name, error);
}

/**
 * shnd_array_open_path:
 * @path: (type filename): the path of a `.npy` file
 * @access: how to open it
 * @error: return location for an error
 *
 * Opens a `.npy` file on any file system as an array.
 *
 * The file is mapped, not read: with %SHND_ACCESS_WRITE what is written to the array is written to
 * the file. Several processes that open one file share its memory.
 *
 * Symbolic links are followed, and the file may belong to anyone: here it is the caller who says
 * which file is meant.
 *
 * Fails as [func@Shnd.Array.open] does.
 *
 * Returns: (transfer full): the array; it has no name
 */
ShndArray *
shnd_array_open_path (const char *path, ShndAccess access, GError **error)
{
  g_autofree char *display = NULL;
  ShndFile file;

  g_return_val_if_fail (path != NULL, NULL);

  if (!shnd_segment_open_path (path, access, &file, error))
    return NULL;

  display = g_filename_display_name (path);

  return open_npy (&file, display, error);
}

/**
 * shnd_array_open_segment:
 * @name: the name of a segment of shared memory
 * @dtype: what each element is
 * @shape: (array length=n_dims): the number of elements along each axis
 * @n_dims: the number of dimensions, 0 to [const@Shnd.MAX_DIMS]
 * @offset: where the elements begin, in bytes from the start of the segment
 * @access: how to open it
 * @error: return location for an error
 *
 * Opens shared memory that has no header, such as that of Python's
 * `multiprocessing.shared_memory`, as an array in C order.
 *
 * The segment may be larger than the array; sizes are often rounded up to whole pages.
 *
 * Fails with %SHND_ERROR_TOO_SMALL if the elements do not fit in the segment, and as
 * [func@Shnd.Array.open] does.
 *
 * Returns: (transfer full): the array
 */
ShndArray *
shnd_array_open_segment (const char *name,
                         ShndDType *dtype,
                         const gint64 *shape,
                         guint n_dims,
                         guint64 offset,
                         ShndAccess access,
                         GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout;
  ShndFile file;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!shnd_layout_init (&layout, dtype, shape, n_dims, FALSE, error))
    return NULL;

  if (!shnd_segment_open_name (name, access, &file, error))
    return NULL;

  segment = shnd_segment_map (&file, offset, shnd_layout_get_n_bytes (&layout), error);
  if (segment == NULL)
    {
      g_prefix_error (error, "Cannot open the segment “%s”: ", name);
      return NULL;
    }

  segment->raw = TRUE;
  layout.data = segment->data;

  return _shnd_array_new_view (segment, &layout);
}
