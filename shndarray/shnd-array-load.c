/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error-private.h"
#include "shnd-npy-private.h"
#include "shnd-task-private.h"
#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is read stays in the cache until it is written. */
#define BUFFER_SIZE (256 * 1024)

/* A system call each 256 KiB is nothing; a call of somebody's function might be more. */
#define PROGRESS_SIZE (4 * 1024 * 1024)

/* What is to be loaded, from the elements of which file. */
typedef struct
{
  char *name;
  char *path;
  ShndCreateFlags flags;
  ShndArray *array; /* the outcome */
} Load;

static void
load_free (Load *self)
{
  g_free (self->name);
  g_free (self->path);
  g_clear_object (&self->array);
  g_free (self);
}

typedef struct
{
  int fd;
  gsize offset; /* where the elements begin in the file */
  guint64 n_bytes;
  const char *display;
  GCancellable *cancellable;
  GFileProgressCallback progress_callback;
  gpointer progress_callback_data;
} Source;

/* Not through a mapping: a file that somebody cuts short would be a signal then. */
static int
copy_elements (int fd, guint64 offset, gpointer data, GError **error)
{
  const Source *source = data;
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);
  guint64 done = 0;

  /* Only a hint; what cannot take it can do without. */
  posix_fadvise (source->fd, source->offset, source->n_bytes, POSIX_FADV_SEQUENTIAL);

  while (done < source->n_bytes && !g_cancellable_is_cancelled (source->cancellable))
    {
      gssize n = pread (source->fd, buffer, MIN (BUFFER_SIZE, source->n_bytes - done),
                        source->offset + done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          shnd_set_error_from_errno (error, errno, "Cannot read “%s”", source->display);
          return -1;
        }
      if (n == 0)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                       "Cannot load “%s”: it was cut short meanwhile, to %" G_GUINT64_FORMAT
                       " of its %" G_GUINT64_FORMAT " bytes",
                       source->display, (guint64) source->offset + done,
                       source->offset + source->n_bytes);
          return -1;
        }

      if (!shnd_write_all (fd, buffer, n, offset + done))
        return errno;

      done += n;
      if (source->progress_callback != NULL &&
          (done == source->n_bytes || done / PROGRESS_SIZE > (done - n) / PROGRESS_SIZE))
        source->progress_callback (done, source->n_bytes, source->progress_callback_data);
    }

  if (source->n_bytes == 0 && source->progress_callback != NULL)
    source->progress_callback (0, 0, source->progress_callback_data);

  return g_cancellable_is_cancelled (source->cancellable) ? ECANCELED : 0;
}

/* Makes the array of an open file. */
static ShndArray *
load_elements (const Load *self, const ShndFile *file, Source *source, GError **error)
{
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (GError) local_error = NULL;
  gboolean has_control_room;
  ShndLayout layout;

  if (!shnd_npy_read_header (file->fd, &layout, &dtype, &source->offset, &local_error) ||
      !shnd_segment_check_size (&file->info, source->offset, shnd_layout_get_n_bytes (&layout),
                                &has_control_room, &local_error))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local_error),
                                  "Cannot load “%s”: ", source->display);
      return NULL;
    }

  source->fd = file->fd;
  source->n_bytes = shnd_layout_get_n_bytes (&layout);
  segment = shnd_segment_new (self->name, &layout, copy_elements, source, self->flags, error);
  if (segment == NULL)
    return NULL;

  layout.data = segment->data;

  return _shnd_array_new_for_layout (segment, &layout);
}

static ShndArray *
load_run (const Load *self,
          GCancellable *cancellable,
          GFileProgressCallback progress_callback,
          gpointer progress_callback_data,
          GError **error)
{
  g_autofree char *display = NULL;
  Source source = {
    .cancellable = cancellable,
    .progress_callback = progress_callback,
    .progress_callback_data = progress_callback_data,
  };
  ShndArray *array;
  ShndFile file;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !_shnd_check_create_flags (self->flags, error))
    return NULL;

  if (self->flags & SHND_CREATE_FORTRAN)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                           "A file is loaded in the order that it has: expected flags without "
                           "FORTRAN");
      return NULL;
    }

  if (!shnd_segment_open_path (self->path, SHND_ACCESS_READ, &file, error))
    return NULL;

  display = g_filename_display_name (self->path);
  source.display = display;
  array = load_elements (self, &file, &source, error);
  close (file.fd);

  return array;
}

/**
 * shnd_array_load:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @path: (type filename): the path of a `.npy` file
 * @flags: how to make the array; not %SHND_CREATE_FORTRAN
 * @cancellable: (nullable): a cancellable object
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called now and then
 *   with the number of bytes read and to read
 * @progress_callback_data: data for @progress_callback
 * @error: return location for an error
 *
 * Makes an array in memory with the dtype, the shape, the order and the elements of a `.npy` file.
 *
 * The array and the file have nothing to do with each other afterwards; see
 * [func@Shnd.Array.open_path] for an array that is the file. The name appears when all elements
 * are there: cancelled, or after an error, there is nothing.
 *
 * Symbolic links are followed, and the file may belong to anyone. It must be a regular file. One
 * that is written to meanwhile is loaded with some of that or without it.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if there is no such file, with %SHND_ERROR_PERMISSION_DENIED if
 * it may not be read, with %SHND_ERROR_INVALID_FORMAT if it is not a `.npy` file, with
 * %SHND_ERROR_TOO_SMALL if it is shorter than it says, or is cut short meanwhile, with
 * %SHND_ERROR_INVALID_ARGUMENT for flags that make no sense, with `G_IO_ERROR_CANCELLED`, and as
 * [ctor@Shnd.Array.new] does.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_load (const char *name,
                 const char *path,
                 ShndCreateFlags flags,
                 GCancellable *cancellable,
                 GFileProgressCallback progress_callback,
                 gpointer progress_callback_data,
                 GError **error)
{
  const Load load = { .name = (char *) name, .path = (char *) path, .flags = flags };

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  return load_run (&load, cancellable, progress_callback, progress_callback_data, error);
}

static gboolean
load_work (gpointer data, GCancellable *cancellable, GError **error)
{
  Load *load = data;

  load->array = load_run (load, cancellable, NULL, NULL, error);

  return load->array != NULL;
}

/**
 * shnd_array_load_async:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @path: (type filename): the path of a `.npy` file
 * @flags: how to make the array; not %SHND_CREATE_FORTRAN
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the array is there, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Makes an array from a `.npy` file as [func@Shnd.Array.load] does, in another thread.
 *
 * @callback is called in the thread-default main context of the caller, without a source object,
 * and gets the array from [func@Shnd.Array.load_finish]. An array for which nobody asks there is
 * given back.
 */
void
shnd_array_load_async (const char *name,
                       const char *path,
                       ShndCreateFlags flags,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  Load *load;

  g_return_if_fail (path != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  load = g_new0 (Load, 1);
  load->name = g_strdup (name);
  load->path = g_strdup (path);
  load->flags = flags;
  shnd_task_start (NULL, shnd_array_load_async, load_work, load, (GDestroyNotify) load_free, NULL,
                   cancellable, callback, user_data);
}

/**
 * shnd_array_load_finish:
 * @result: what the callback of [func@Shnd.Array.load_async] got
 * @error: return location for an error
 *
 * Gets the result of [func@Shnd.Array.load_async].
 *
 * Fails with the errors of [func@Shnd.Array.load].
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_load_finish (GAsyncResult *result, GError **error)
{
  Load *load;

  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_load_async), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  load = shnd_task_get_data (G_TASK (result));

  return g_steal_pointer (&load->array);
}
