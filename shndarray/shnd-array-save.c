/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error-private.h"
#include "shnd-file-private.h"
#include "shnd-new-file-private.h"
#include "shnd-npy-private.h"
#include "shnd-process-private.h"
#include "shnd-task-private.h"
#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <gio/gfiledescriptorbased.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Opens a new file beside `path`, readable for nobody else until it has the mode of the one that it
 * will replace. Returns its descriptor, or -1 with errno. */
static int
create_beside (const char *path, const struct stat *replaced, char **temporary_path)
{
  int fd = shnd_new_file_open_beside (path, O_WRONLY, replaced != NULL ? S_IRUSR | S_IWUSR : 0666,
                                      temporary_path);

  if (fd >= 0 && replaced != NULL && fchmod (fd, replaced->st_mode & 07777) != 0)
    g_debug ("Cannot keep the mode of %s: %s", path, g_strerror (errno));

  return fd;
}

static void
set_exists_error (GError **error, const char *display)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
               "Cannot save the array to “%s”: there is something of that name: expected nothing",
               display);
}

/* Which file is to be written, behind symbolic links, and what is there now (`*exists`). */
static char *
resolve_path (
    const char *path, ShndSaveFlags flags, struct stat *info, gboolean *exists, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  char *resolved;

  /* Not only when all is written: nobody wants to learn that at the end of long work. */
  if ((flags & SHND_SAVE_NO_REPLACE) != 0 && lstat (path, info) == 0)
    {
      set_exists_error (error, display);
      return NULL;
    }

  *exists = stat (path, info) == 0;
  if (!*exists)
    {
      if (lstat (path, info) != 0)
        return g_strdup (path);

      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
                   "Cannot save the array to “%s”: it is a symbolic link that leads nowhere",
                   display);
      return NULL;
    }

  if (!S_ISREG (info->st_mode))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                   "Cannot save the array to “%s”: it is not a regular file", display);
      return NULL;
    }

  resolved = realpath (path, NULL);
  if (resolved == NULL)
    shnd_set_error_from_errno (error, errno, "Cannot save the array to “%s”", display);

  return resolved;
}

/* What is to be saved, and where to. It holds what it needs, so that the array may be closed or
 * gone before all is written. */
typedef struct
{
  ShndSegment *segment;
  ShndLayout layout;     /* its dtype is owned */
  char *path;            /* or NULL */
  ShndSaveFlags flags;   /* for the path */
  GOutputStream *stream; /* or NULL */
} Save;

static void
save_free (Save *self)
{
  shnd_segment_unref (self->segment);
  shnd_dtype_unref (self->layout.dtype);
  g_free (self->path);
  g_clear_object (&self->stream);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Save, save_free)

static Save *
save_new (
    ShndArray *array, const char *path, ShndSaveFlags flags, GOutputStream *stream, GError **error)
{
  ShndSegment *segment = _shnd_array_acquire (array, SHND_ACCESS_READ, error);
  Save *self;

  if (segment == NULL)
    return NULL;

  self = g_new0 (Save, 1);
  self->segment = segment;
  self->layout = array->layout;
  shnd_dtype_ref (self->layout.dtype);
  self->path = g_strdup (path);
  self->flags = flags;
  g_set_object (&self->stream, stream);

  return self;
}

/* Returns 0 or an errno. */
static int
give_name (const Save *self, const char *temporary_path, const char *path)
{
  if ((self->flags & SHND_SAVE_NO_REPLACE) != 0)
    return shnd_new_file_publish (-1, temporary_path, path);

  return rename (temporary_path, path) == 0 ? 0 : errno;
}

static gboolean
save_path (const Save *self, const GByteArray *header, const ShndContents *contents, GError **error)
{
  g_autofree char *resolved = NULL;
  g_autofree char *temporary_path = NULL;
  g_autofree char *display = NULL;
  struct stat info;
  gboolean exists;
  int fd, result;

  resolved = resolve_path (self->path, self->flags, &info, &exists, error);
  if (resolved == NULL)
    return FALSE;

  display = g_filename_display_name (self->path);
  fd = create_beside (resolved, exists ? &info : NULL, &temporary_path);
  if (fd < 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot save the array to “%s”", display);
      return FALSE;
    }

  if (!shnd_write_allowed (header->len + shnd_layout_get_n_bytes (&contents->layout)))
    result = EFBIG;
  else if (!shnd_write_all (fd, header->data, header->len, 0))
    result = errno;
  else
    result = shnd_write_contents_at (contents, fd, header->len);

  /* A file that is replaced must not be lost to a crash between the rename and the data. */
  if (result == 0 && exists && fsync (fd) != 0)
    result = errno;
  if (close (fd) != 0 && result == 0)
    result = errno;
  if (result == 0)
    result = give_name (self, temporary_path, resolved);

  if (result == 0)
    return TRUE;

  unlink (temporary_path);
  if (result == EEXIST)
    set_exists_error (error, display);
  else if (result == ECANCELED)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Saving the array to “%s” was cancelled",
                 display);
  else
    shnd_set_error_from_errno (error, result, "Cannot save the array to “%s”", display);

  return FALSE;
}

#define SAVE_STREAM_PREFIX "Cannot save the array to the stream: "

/* The descriptor of a stream that a long write() may be stuck in, or -1. GIO waits until a descriptor
 * can be written, and can be cancelled then; but a pipe that is not set to return early keeps a long
 * write() until all of it is read. */
static int
get_sticky_fd (GOutputStream *stream, mode_t *mode)
{
  struct stat info;
  int fd, flags;

  if (!G_IS_FILE_DESCRIPTOR_BASED (stream))
    return -1;

  fd = g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (stream));
  flags = fcntl (fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) != 0 || fstat (fd, &info) != 0 || S_ISREG (info.st_mode))
    return -1;

  *mode = info.st_mode;

  return fd;
}

/* A pipe can be opened a second time so that it returns early, for this process alone. Returns -1 if
 * it is something else, or if that does not work; what it returns is for shnd_process_close(). */
static int
open_pipe_again (GOutputStream *stream)
{
  mode_t mode;
  int fd = get_sticky_fd (stream, &mode);

  /* Not what is based on one, which may do something else with the bytes. */
  if (fd < 0 || !S_ISFIFO (mode) || G_OBJECT_TYPE (stream) != G_TYPE_UNIX_OUTPUT_STREAM)
    return -1;

  /* A child that had it would keep the pipe from ending. */
  shnd_process_begin ();
  fd = shnd_file_reopen (fd, O_WRONLY | O_NONBLOCK);
  if (fd >= 0)
    shnd_process_own_locked (fd);
  shnd_process_end ();

  return fd;
}

typedef struct
{
  GOutputStream *stream;
  gsize max_length; /* of what is written at once */
  GCancellable *cancellable;
  GError *error;
} Target;

static int
write_to_stream (gpointer data, gconstpointer bytes, gsize length)
{
  Target *target = data;

  for (gsize done = 0; done < length;)
    {
      gsize n = MIN (length - done, target->max_length);

      if (!g_output_stream_write_all (target->stream, (const guint8 *) bytes + done, n, NULL,
                                      target->cancellable, &target->error))
        return -1;

      done += n;
    }

  return 0;
}

static gboolean
save_to (GOutputStream *stream,
         const GByteArray *header,
         const ShndContents *contents,
         GError **error)
{
  mode_t mode;
  Target target = {
    .stream = stream,
    .max_length = get_sticky_fd (stream, &mode) < 0 ? G_MAXSIZE : PIPE_BUF,
    .cancellable = contents->cancellable,
  };
  gboolean has_fd;
  GPollFD fd;
  int result;

  /* As long as there is one, GIO makes no descriptor of its own for each time that it waits. */
  has_fd = g_cancellable_make_pollfd (contents->cancellable, &fd);
  result = write_to_stream (&target, header->data, header->len);
  if (result == 0)
    result = shnd_write_contents (contents, write_to_stream, &target);
  if (has_fd)
    g_cancellable_release_fd (contents->cancellable);

  if (result == 0)
    return TRUE;

  if (result < 0)
    g_propagate_prefixed_error (error, target.error, SAVE_STREAM_PREFIX);
  else if (result == ECANCELED)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                         "Saving the array to the stream was cancelled");
  else
    shnd_set_error_from_errno (error, result, "Cannot save the array to the stream");

  return FALSE;
}

static gboolean
save_stream (const Save *self,
             const GByteArray *header,
             const ShndContents *contents,
             GError **error)
{
  g_autoptr (GOutputStream) pipe = NULL;
  int fd = open_pipe_again (self->stream);
  gboolean result;

  if (fd < 0)
    return save_to (self->stream, header, contents, error);

  /* Nobody else writes to it meanwhile, nor closes it. */
  if (!g_output_stream_set_pending (self->stream, error))
    {
      g_prefix_error (error, SAVE_STREAM_PREFIX);
      shnd_process_close (fd);
      return FALSE;
    }
  pipe = g_unix_output_stream_new (fd, FALSE);
  result = save_to (pipe, header, contents, error);
  g_output_stream_clear_pending (self->stream);
  shnd_process_close (fd);

  return result;
}

static gboolean
save_run (const Save *self,
          GCancellable *cancellable,
          GFileProgressCallback progress_callback,
          gpointer progress_callback_data,
          GError **error)
{
  g_autoptr (GByteArray) header = NULL;
  ShndContents contents = {
    .layout = self->layout,
    .cancellable = cancellable,
    .progress_callback = progress_callback,
    .progress_callback_data = progress_callback_data,
  };

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  header = shnd_npy_build_header (&contents.layout, SHND_NPY_FILE_ALIGN, error);
  if (header == NULL)
    return FALSE;

  if (shnd_layout_get_order (&contents.layout) == SHND_ORDER_FORTRAN &&
      !shnd_layout_transpose (&contents.layout, NULL, 0, error))
    return FALSE;

  return self->stream != NULL ? save_stream (self, header, &contents, error) :
                                save_path (self, header, &contents, error);
}

/**
 * shnd_array_save:
 * @self: an array
 * @path: (type filename): the path of the file
 * @flags: whether it may replace one
 * @cancellable: (nullable): a cancellable object
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called now and then
 *   with the number of bytes written and to write
 * @progress_callback_data: data for @progress_callback
 * @error: return location for an error
 *
 * Writes the array to a `.npy` file, byte for byte as `numpy.save()` of NumPy 1.24 would.
 *
 * An array in Fortran order is saved in that order, any other in C order. The file appears whole,
 * in the place of one that was there, whose mode it gets: it is written beside it and then renamed.
 * What counts is thus whether the folder can be written, not whether that file can. Behind a
 * symbolic link it is the file that is replaced, not the link. With %SHND_SAVE_NO_REPLACE nothing is
 * replaced, also nothing that comes meanwhile, and a symbolic link of that name is something, too.
 *
 * Fails with %SHND_ERROR_NO_SPACE if the disk is full, with %SHND_ERROR_NOT_FOUND if the folder
 * does not exist, with %SHND_ERROR_PERMISSION_DENIED, with %SHND_ERROR_EXISTS if something is there
 * that it must not replace, with %SHND_ERROR_UNSUPPORTED if @path is
 * something else than a file, with `G_IO_ERROR_CANCELLED`, and with %SHND_ERROR_CLOSED if the array
 * is closed. Then a file that was there is as it was.
 *
 * Returns: whether the file was written
 */
gboolean
shnd_array_save (ShndArray *self,
                 const char *path,
                 ShndSaveFlags flags,
                 GCancellable *cancellable,
                 GFileProgressCallback progress_callback,
                 gpointer progress_callback_data,
                 GError **error)
{
  g_autoptr (Save) save = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  save = save_new (self, path, flags, NULL, error);

  return save != NULL &&
         save_run (save, cancellable, progress_callback, progress_callback_data, error);
}

static gboolean
save_work (gpointer data, GCancellable *cancellable, GError **error)
{
  return save_run (data, cancellable, NULL, NULL, error);
}

/**
 * shnd_array_save_async:
 * @self: an array
 * @path: (type filename): the path of the file
 * @flags: whether it may replace one
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the file is written, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Writes the array to a `.npy` file as [method@Shnd.Array.save] does, in another thread.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [method@Shnd.Array.save_finish].
 *
 * What is written is what the array shows at the time of the call; the array may be closed or given
 * back before it is written. The elements are not copied: what changes while they are written may
 * get into the file or not.
 */
void
shnd_array_save_async (ShndArray *self,
                       const char *path,
                       ShndSaveFlags flags,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GError *error = NULL;
  Save *save;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (path != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  save = save_new (self, path, flags, NULL, &error);
  shnd_task_start (self, shnd_array_save_async, save_work, save, (GDestroyNotify) save_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_array_save_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.save_async] got
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.save_async].
 *
 * Fails with the errors of [method@Shnd.Array.save]; with %SHND_ERROR_CLOSED if the array was
 * closed before the call. Then a file that was there is as it was, also with
 * `G_IO_ERROR_CANCELLED`.
 *
 * Returns: whether the file was written
 */
gboolean
shnd_array_save_finish (ShndArray *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_save_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * shnd_array_save_stream:
 * @self: an array
 * @stream: a stream to write to
 * @cancellable: (nullable): a cancellable object
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called now and then
 *   with the number of bytes of elements written and to write
 * @progress_callback_data: data for @progress_callback
 * @error: return location for an error
 *
 * Writes the array as a `.npy` file to a stream: a pipe, a socket, a compressor.
 *
 * The bytes are those that [method@Shnd.Array.save] writes to a file. The stream is not closed, and
 * not flushed if it has a buffer; more can be written behind the array, such as another one. The
 * stream must not be used for something else meanwhile.
 *
 * After an error, or cancelled, some of the array may have been written. As with all that writes to
 * a pipe, a process that does not ignore the signal `SIGPIPE` ends when nobody reads any more; else
 * that is `G_IO_ERROR_BROKEN_PIPE`.
 *
 * Fails with the errors of the stream in their own domain, with `G_IO_ERROR_CANCELLED`, and with
 * %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: whether all was written
 */
gboolean
shnd_array_save_stream (ShndArray *self,
                        GOutputStream *stream,
                        GCancellable *cancellable,
                        GFileProgressCallback progress_callback,
                        gpointer progress_callback_data,
                        GError **error)
{
  g_autoptr (Save) save = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  save = save_new (self, NULL, SHND_SAVE_NONE, stream, error);

  return save != NULL &&
         save_run (save, cancellable, progress_callback, progress_callback_data, error);
}

/**
 * shnd_array_save_stream_async:
 * @self: an array
 * @stream: a stream to write to
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when all is written, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Writes the array to a stream as [method@Shnd.Array.save_stream] does, in another thread, where the
 * stream is written to.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [method@Shnd.Array.save_stream_finish].
 *
 * What is written is what the array shows at the time of the call, as with
 * [method@Shnd.Array.save_async].
 */
void
shnd_array_save_stream_async (ShndArray *self,
                              GOutputStream *stream,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GError *error = NULL;
  Save *save;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (G_IS_OUTPUT_STREAM (stream));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  save = save_new (self, NULL, SHND_SAVE_NONE, stream, &error);
  shnd_task_start (self, shnd_array_save_stream_async, save_work, save, (GDestroyNotify) save_free,
                   error, cancellable, callback, user_data);
}

/**
 * shnd_array_save_stream_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.save_stream_async] got
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.save_stream_async].
 *
 * Fails with the errors of [method@Shnd.Array.save_stream]; with %SHND_ERROR_CLOSED if the array was
 * closed before the call.
 *
 * Returns: whether all was written
 */
gboolean
shnd_array_save_stream_finish (ShndArray *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_save_stream_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
