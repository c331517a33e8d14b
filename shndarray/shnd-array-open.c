/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error-private.h"
#include "shnd-npy-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The constructors of ShndArray. */

#define ALL_CREATE_FLAGS                                                                           \
  (SHND_CREATE_FORTRAN | SHND_CREATE_SPARSE | SHND_CREATE_GROUP_READ | SHND_CREATE_GROUP_WRITE |   \
   SHND_CREATE_OTHERS_READ | SHND_CREATE_OTHERS_WRITE)

static gboolean
init_layout (ShndLayout *layout,
             ShndDType *dtype,
             const gint64 *shape,
             guint n_dims,
             ShndCreateFlags flags,
             GError **error)
{
  if ((flags & ~ALL_CREATE_FLAGS) != 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "Flags %u: expected a combination of ShndCreateFlags", (guint) flags);
      return FALSE;
    }

  return shnd_layout_init (layout, dtype, shape, n_dims, (flags & SHND_CREATE_FORTRAN) != 0, error);
}

static ShndArray *
create (const char *name,
        ShndLayout *layout,
        const ShndLayout *contents,
        ShndCreateFlags flags,
        GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  segment = shnd_segment_new (name, layout, contents, flags, error);
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

  if (!init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  return create (name, &layout, NULL, flags, error);
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

  if (!init_layout (&layout, dtype, shape, n_dims, flags, error))
    return NULL;

  while (TRUE)
    {
      g_autoptr (GError) local_error = NULL;
      g_autofree char *name = g_strdup_printf ("shnd-%08x%08x", g_random_int (), g_random_int ());
      ShndArray *self = create (name, &layout, NULL, flags, &local_error);

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
  ShndLayout layout, contents;

  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!init_layout (&layout, dtype, shape, n_dims, flags, error))
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
  contents = layout;
  contents.data = (guint8 *) data;
  if (shnd_layout_get_order (&layout) == SHND_ORDER_FORTRAN &&
      !shnd_layout_transpose (&contents, NULL, 0, error))
    return NULL;

  return create (name, &layout, &contents, flags, error);
}

/**
 * shnd_array_dup:
 * @self: an array
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @flags: how to make it
 * @error: return location for an error
 *
 * Makes a new array with a copy of the elements.
 *
 * The copy has the dtype and the shape of the array, or the view; it is in C order, or in Fortran
 * order with %SHND_CREATE_FORTRAN, however the elements lie now.
 *
 * Fails as [ctor@Shnd.Array.new] does, and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_dup (ShndArray *self, const char *name, ShndCreateFlags flags, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndLayout layout, contents;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL || !init_layout (&layout, self->layout.dtype, self->layout.shape,
                                       self->layout.n_dims, flags, error))
    return NULL;

  contents = self->layout;
  if (shnd_layout_get_order (&layout) == SHND_ORDER_FORTRAN &&
      !shnd_layout_transpose (&contents, NULL, 0, error))
    return NULL;

  return create (name, &layout, &contents, flags, error);
}

/* Reads up to `length` bytes at the beginning of the file; fewer only at its end. */
static gssize
read_start (int fd, guint8 *buffer, gsize length)
{
  gsize done = 0;

  while (done < length)
    {
      gssize n = pread (fd, buffer + done, length - done, done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      done += n;
    }

  return done;
}

/* Reads the header into memory of ours, where nobody can change it between check and use. */
static gboolean
read_header (int fd, ShndLayout *layout, ShndDType **dtype, gsize *header_size, GError **error)
{
  guint8 start[SHND_NPY_SEGMENT_ALIGN];
  g_autofree guint8 *long_header = NULL;
  const guint8 *header = start;
  gssize n_read;

  n_read = read_start (fd, start, sizeof start);
  if (n_read < 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot read its header");
      return FALSE;
    }

  *header_size = shnd_npy_get_header_size (start, n_read, error);
  if (*header_size == 0)
    return FALSE;

  if (*header_size > sizeof start)
    {
      long_header = g_malloc (*header_size);
      header = long_header;
      n_read = read_start (fd, long_header, *header_size);
      if (n_read < 0)
        {
          shnd_set_error_from_errno (error, errno, "Cannot read its header");
          return FALSE;
        }
    }

  if ((gsize) n_read < *header_size)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT,
                   "Not a valid .npy file: it ends after %" G_GSSIZE_FORMAT
                   " bytes, inside its header of %" G_GSIZE_FORMAT,
                   n_read, *header_size);
      return FALSE;
    }

  return shnd_npy_parse_header (header, *header_size, layout, dtype, error);
}

/* Opens a .npy file; takes `fd`. `display` is for messages, `name` for the array. */
static ShndArray *
open_npy (int fd,
          const struct stat *info,
          const char *name,
          const char *display,
          ShndAccess access,
          GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (ShndDType) dtype = NULL;
  ShndLayout layout;
  gsize header_size;

  if (!read_header (fd, &layout, &dtype, &header_size, error))
    {
      g_prefix_error (error, "Cannot open “%s”: ", display);
      close (fd);
      return NULL;
    }

  segment = shnd_segment_map (fd, info, name, header_size, shnd_layout_get_n_bytes (&layout),
                              access, error);
  if (segment == NULL)
    {
      g_prefix_error (error, "Cannot open “%s”: ", display);
      return NULL;
    }

  layout.data = segment->data;

  return _shnd_array_new_for_layout (segment, &layout);
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
  struct stat info;
  int fd;

  g_return_val_if_fail (name != NULL, NULL);

  fd = shnd_segment_open_name (name, access, &info, error);
  if (fd < 0)
    return NULL;

  return open_npy (fd, &info, name, name, access, error);
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
  struct stat info;
  int fd;

  g_return_val_if_fail (path != NULL, NULL);

  fd = shnd_segment_open_path (path, access, &info, error);
  if (fd < 0)
    return NULL;

  display = g_filename_display_name (path);

  return open_npy (fd, &info, NULL, display, access, error);
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
  struct stat info;
  int fd;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (dtype != NULL, NULL);
  g_return_val_if_fail (shape != NULL || n_dims == 0, NULL);

  if (!shnd_layout_init (&layout, dtype, shape, n_dims, FALSE, error))
    return NULL;

  fd = shnd_segment_open_name (name, access, &info, error);
  if (fd < 0)
    return NULL;

  segment =
      shnd_segment_map (fd, &info, name, offset, shnd_layout_get_n_bytes (&layout), access, error);
  if (segment == NULL)
    {
      g_prefix_error (error, "Cannot open the segment “%s”: ", name);
      return NULL;
    }

  layout.data = segment->data;

  return _shnd_array_new_for_layout (segment, &layout);
}
