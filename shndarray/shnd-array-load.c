/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error-private.h"
#include "shnd-npy-private.h"
#include "shnd-task-private.h"
#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What is read stays in the cache until it is written. */
#define BUFFER_SIZE (256 * 1024)

/* Of a stream no more is waited for than this: while it is written, whoever writes the stream can go
 * on. Less than that costs more than it is worth. */
#define STREAM_SIZE (16 * 1024)

/* A system call each 256 KiB is nothing; a call of somebody's function might be more. */
#define PROGRESS_SIZE (4 * 1024 * 1024)

/* What is to be loaded, from which file or stream. */
typedef struct
{
  char *name;
  char *path;           /* or NULL */
  GInputStream *stream; /* or NULL */
  ShndCreateFlags flags;
  ShndArray *array; /* the outcome */
} Load;

static void
load_free (Load *self)
{
  g_free (self->name);
  g_free (self->path);
  g_clear_object (&self->stream);
  g_clear_object (&self->array);
  g_free (self);
}

/* Elements, and how far they are read. */
typedef struct
{
  GInputStream *stream; /* NULL for a file */
  int fd;
  gsize offset; /* where the elements begin in the file */
  guint64 n_bytes;
  guint64 done;
  gboolean begun;      /* to be read from the stream */
  const char *display; /* of the file */
  GCancellable *cancellable;
  GFileProgressCallback progress_callback;
  gpointer progress_callback_data;
} Source;

static void
set_stream_error (GError **error, GError *stream_error)
{
  g_propagate_prefixed_error (error, stream_error, "Cannot load the array from the stream: ");
}

/* Reads the next bytes, `length` at most. Returns how many, or -1 with an error. Files not through a
 * mapping: one that somebody cuts short would be a signal then. */
static gssize
read_next (const Source *self, guint8 *buffer, gsize length, GError **error)
{
  gssize n;

  if (self->stream != NULL)
    {
      GError *stream_error = NULL;
      gsize n_read = 0;

      do
        {
          n = g_input_stream_read (self->stream, buffer + n_read, length - n_read,
                                   self->cancellable, &stream_error);
          n_read += MAX (n, 0);
        }
      while (n > 0 && n_read < MIN (length, STREAM_SIZE));

      if (n >= 0 && n_read > 0)
        return n_read;

      if (n == 0)
        g_set_error (&stream_error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                     "It ended after %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                     " bytes of the elements",
                     self->done, self->n_bytes);
      set_stream_error (error, stream_error);
      return -1;
    }

  do
    n = pread (self->fd, buffer, length, self->offset + self->done);
  while (n < 0 && errno == EINTR);

  if (n > 0)
    return n;

  if (n < 0)
    shnd_set_error_from_errno (error, errno, "Cannot read “%s”", self->display);
  else
    g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                 "Cannot load “%s”: it was cut short meanwhile, to %" G_GUINT64_FORMAT
                 " of its %" G_GUINT64_FORMAT " bytes",
                 self->display, self->offset + self->done, self->offset + self->n_bytes);

  return -1;
}

static int
copy_elements (int fd, guint64 offset, gpointer data, GError **error)
{
  Source *source = data;
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);

  while (source->done < source->n_bytes && !g_cancellable_is_cancelled (source->cancellable))
    {
      gssize n =
          read_next (source, buffer, MIN (BUFFER_SIZE, source->n_bytes - source->done), error);

      if (n < 0)
        return -1;

      if (!shnd_write_all (fd, buffer, n, offset + source->done))
        return errno;

      source->done += n;
      if (source->progress_callback != NULL &&
          (source->done == source->n_bytes ||
           source->done / PROGRESS_SIZE > (source->done - n) / PROGRESS_SIZE))
        source->progress_callback (source->done, source->n_bytes, source->progress_callback_data);
    }

  if (source->n_bytes == 0 && source->progress_callback != NULL)
    source->progress_callback (0, 0, source->progress_callback_data);

  return g_cancellable_is_cancelled (source->cancellable) ? ECANCELED : 0;
}

static int
copy_from_file (int fd, guint64 offset, gpointer data, GError **error)
{
  Source *source = data;

  /* Only a hint; what cannot take it can do without. */
  posix_fadvise (source->fd, source->offset, source->n_bytes, POSIX_FADV_SEQUENTIAL);

  /* This may be the second try, with more space. */
  source->done = 0;

  return copy_elements (fd, offset, source, error);
}

/* Whether a file system says that it has no space for so many bytes. */
static gboolean
lacks_space (int fd, guint64 n_bytes)
{
  struct statvfs fs;

  /* One without a limit has no blocks. */
  return fstatvfs (fd, &fs) == 0 && fs.f_blocks > 0 &&
         n_bytes > (guint64) fs.f_bavail * fs.f_frsize;
}

/* Memory is taken as the elements come, whatever the header says. That there is enough is asked
 * before, as nothing can be read from a stream a second time. */
static int
copy_from_stream (int fd, guint64 offset, gpointer data, GError **error)
{
  Source *source = data;

  if (source->begun || lacks_space (fd, offset + source->n_bytes))
    return ENOSPC;

  source->begun = TRUE;

  return copy_elements (fd, offset, source, error);
}

static ShndArray *
load_elements (
    const Load *self, ShndLayout *layout, Source *source, ShndCreateFlags flags, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  source->n_bytes = shnd_layout_get_n_bytes (layout);
  segment = shnd_segment_new (self->name, layout,
                              source->stream != NULL ? copy_from_stream : copy_from_file, source,
                              flags, error);
  if (segment == NULL)
    return NULL;

  layout->data = segment->data;

  return _shnd_array_new_for_layout (segment, layout);
}

/* Makes the array of an open file. */
static ShndArray *
load_file (const Load *self, const ShndFile *file, Source *source, GError **error)
{
  g_autoptr (ShndDType) dtype = NULL;
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

  return load_elements (self, &layout, source, self->flags, error);
}

static ShndArray *
load_path (const Load *self, Source *source, GError **error)
{
  g_autofree char *display = NULL;
  ShndArray *array;
  ShndFile file;

  if (!shnd_segment_open_path (self->path, SHND_ACCESS_READ, &file, error))
    return NULL;

  display = g_filename_display_name (self->path);
  source->display = display;
  array = load_file (self, &file, source, error);
  close (file.fd);

  return array;
}

static ShndArray *
load_stream (const Load *self, Source *source, GError **error)
{
  g_autoptr (ShndDType) dtype = NULL;
  GError *local_error = NULL;
  ShndLayout layout;
  ShndArray *array;
  gboolean has_fd;
  GPollFD fd;

  /* Before anything is read that would then be lost. */
  if (self->name != NULL && !shnd_segment_check_name (self->name, error))
    return NULL;

  source->stream = self->stream;
  /* As long as there is one, GIO makes no descriptor of its own for each time that it waits. */
  has_fd = g_cancellable_make_pollfd (source->cancellable, &fd);
  if (!shnd_npy_read_header_from_stream (source->stream, &layout, &dtype, source->cancellable,
                                         &local_error))
    {
      set_stream_error (error, local_error);
      array = NULL;
    }
  else
    {
      /* All will be written. What it needs is compared with what there is, as anybody may have
       * written the header. */
      array = load_elements (self, &layout, source, self->flags & ~SHND_CREATE_SPARSE, error);
    }
  if (has_fd)
    g_cancellable_release_fd (source->cancellable);

  return array;
}

static ShndArray *
load_run (const Load *self,
          GCancellable *cancellable,
          GFileProgressCallback progress_callback,
          gpointer progress_callback_data,
          GError **error)
{
  Source source = {
    .cancellable = cancellable,
    .progress_callback = progress_callback,
    .progress_callback_data = progress_callback_data,
  };

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !_shnd_check_create_flags (self->flags, error))
    return NULL;

  if (self->flags & SHND_CREATE_FORTRAN)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                           "An array is loaded in the order that it has: expected flags without "
                           "FORTRAN");
      return NULL;
    }

  return self->stream != NULL ? load_stream (self, &source, error) :
                                load_path (self, &source, error);
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

static ShndArray *
take_array (GTask *task, GError **error)
{
  Load *load;

  if (!g_task_propagate_boolean (task, error))
    return NULL;

  load = shnd_task_get_data (task);

  return g_steal_pointer (&load->array);
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
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_load_async), NULL);

  return take_array (G_TASK (result), error);
}

/**
 * shnd_array_load_stream:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @stream: a stream that comes to a `.npy` file next
 * @flags: how to make the array; not %SHND_CREATE_FORTRAN
 * @cancellable: (nullable): a cancellable object
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called now and then
 *   with the number of bytes of elements read and to read
 * @progress_callback_data: data for @progress_callback
 * @error: return location for an error
 *
 * Makes an array in memory from a `.npy` file that comes through a stream: a pipe, a socket, a
 * decompressor.
 *
 * Nothing behind the last element is read, so that what follows, such as another array, can be read
 * next. A stream that has ended where an array could begin gives %SHND_ERROR_END_OF_STREAM. The stream
 * must not be used for something else meanwhile.
 *
 * The name appears when all elements are there: cancelled, or after an error, there is nothing. A
 * name that cannot be taken is an error before anything is read. After other errors the stream is
 * somewhere inside the array.
 *
 * Memory is taken as the elements come, not as the header says, but a header that says more than the
 * system has available now is an error at once. %SHND_CREATE_SPARSE makes no difference.
 *
 * Fails with %SHND_ERROR_INVALID_FORMAT if what comes is not a `.npy` file, with
 * %SHND_ERROR_TOO_SMALL if the stream ends inside of one, with %SHND_ERROR_INVALID_ARGUMENT for flags
 * that make no sense, with the errors of the stream in their own domain, with
 * `G_IO_ERROR_CANCELLED`, and as [ctor@Shnd.Array.new] does.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_load_stream (const char *name,
                        GInputStream *stream,
                        ShndCreateFlags flags,
                        GCancellable *cancellable,
                        GFileProgressCallback progress_callback,
                        gpointer progress_callback_data,
                        GError **error)
{
  const Load load = { .name = (char *) name, .stream = stream, .flags = flags };

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  return load_run (&load, cancellable, progress_callback, progress_callback_data, error);
}

/**
 * shnd_array_load_stream_async:
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @stream: a stream that comes to a `.npy` file next
 * @flags: how to make the array; not %SHND_CREATE_FORTRAN
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the array is there, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Makes an array from a stream as [func@Shnd.Array.load_stream] does, in another thread, where the
 * stream is read.
 *
 * @callback is called in the thread-default main context of the caller, without a source object,
 * and gets the array from [func@Shnd.Array.load_stream_finish]. An array for which nobody asks there
 * is given back.
 */
void
shnd_array_load_stream_async (const char *name,
                              GInputStream *stream,
                              ShndCreateFlags flags,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Load *load;

  g_return_if_fail (G_IS_INPUT_STREAM (stream));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  load = g_new0 (Load, 1);
  load->name = g_strdup (name);
  load->stream = g_object_ref (stream);
  load->flags = flags;
  shnd_task_start (NULL, shnd_array_load_stream_async, load_work, load, (GDestroyNotify) load_free,
                   NULL, cancellable, callback, user_data);
}

/**
 * shnd_array_load_stream_finish:
 * @result: what the callback of [func@Shnd.Array.load_stream_async] got
 * @error: return location for an error
 *
 * Gets the result of [func@Shnd.Array.load_stream_async].
 *
 * Fails with the errors of [func@Shnd.Array.load_stream].
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_load_stream_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_load_stream_async), NULL);

  return take_array (G_TASK (result), error);
}
