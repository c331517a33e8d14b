/* SPDX-License-Identifier: MIT */

#include "cli-file.h"

#include "cli-error.h"
#include "cli-signals.h"
#include "cli-status.h"

#include <errno.h>
#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In microseconds: how often to look whether somebody reads a FIFO. */
#define INTERVAL (G_USEC_PER_SEC / 50)

#define MAGIC "\x93NUMPY"
#define MAGIC_LENGTH 6

/* ---- Streams ---- */

static gboolean
is_standard (const char *file)
{
  return g_str_equal (file, "-");
}

gboolean
cli_file_is_stream (const char *file)
{
  struct stat info;

  return is_standard (file) ||
         (stat (file, &info) == 0 && !S_ISREG (info.st_mode) && !S_ISDIR (info.st_mode));
}

/* Returns a descriptor, or -1 with an error. */
static int
open_file (const char *file, int flags, GError **error)
{
  int fd;

  /* A FIFO would make this wait for its other end, and a signal could not end that. */
  do
    fd = open (file, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  while (fd < 0 && (errno == EINTR || (errno == ENXIO && cli_signals_sleep (INTERVAL))));

  if (fd >= 0)
    return fd;

  if (!g_cancellable_set_error_if_cancelled (cli_signals_get_cancellable (), error))
    {
      g_autofree char *display = g_filename_display_name (file);
      int saved_errno = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "Cannot open “%s”: %s",
                   display, g_strerror (saved_errno));
    }

  return -1;
}

GInputStream *
cli_file_open_input (const char *file, GError **error)
{
  int fd;

  if (!is_standard (file))
    {
      fd = open_file (file, O_RDONLY, error);
      return fd < 0 ? NULL : g_unix_input_stream_new (fd, TRUE);
    }

  if (isatty (STDIN_FILENO))
    {
      cli_set_usage_error (error, "The standard input is a terminal: expected a file or a pipe");
      return NULL;
    }

  return g_unix_input_stream_new (STDIN_FILENO, FALSE);
}

ShndArray *
cli_file_load_next (const char *name, GInputStream *stream, ShndCreateFlags flags, GError **error)
{
  g_autoptr (CliProgress) progress = cli_progress_new (name != NULL ? name : "Reading");
  g_autoptr (GError) local_error = NULL;
  ShndArray *array;

  array = shnd_array_load_stream (name, stream, flags, cli_signals_get_cancellable (),
                                  cli_progress_update, progress, &local_error);
  if (array != NULL)
    return array;

  /* When nobody reads what this program writes, it ends without a word; but here it is the reader. */
  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    local_error->code = G_IO_ERROR_FAILED;
  g_propagate_error (error, g_steal_pointer (&local_error));

  return NULL;
}

ShndArray *
cli_file_load_stream (const char *name, const char *file, ShndCreateFlags flags, GError **error)
{
  g_autoptr (GInputStream) stream = cli_file_open_input (file, error);

  return stream == NULL ? NULL : cli_file_load_next (name, stream, flags, error);
}

GOutputStream *
cli_file_open_output (const char *file, GError **error)
{
  int fd;

  if (!is_standard (file))
    {
      fd = open_file (file, O_WRONLY, error);
      return fd < 0 ? NULL : g_unix_output_stream_new (fd, TRUE);
    }

  if (isatty (STDOUT_FILENO))
    {
      cli_set_usage_error (error, "The standard output is a terminal: expected a file or a pipe");
      return NULL;
    }

  return g_unix_output_stream_new (STDOUT_FILENO, FALSE);
}

/* ---- Files ---- */

static void
set_memory_error (GError **error)
{
  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                       "There is not enough memory for the image");
}

/* Of the bytes of the rows alone: those of a pixbuf can have padding between them. */
static ShndArray *
make_array (const char *name, GdkPixbuf *pixbuf, ShndCreateFlags flags, GError **error)
{
  gint64 shape[] = {
    gdk_pixbuf_get_height (pixbuf),
    gdk_pixbuf_get_width (pixbuf),
    gdk_pixbuf_get_n_channels (pixbuf),
  };
  gsize row_size = shape[1] * shape[2];
  gsize stride = gdk_pixbuf_get_rowstride (pixbuf);
  const guint8 *pixels = gdk_pixbuf_read_pixels (pixbuf);
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("u1", error);
  g_autofree guint8 *packed = NULL;

  if (dtype == NULL)
    return NULL;

  if (stride != row_size)
    {
      packed = g_try_malloc_n (shape[0], row_size);
      if (packed == NULL)
        {
          set_memory_error (error);
          return NULL;
        }
      for (gint64 i = 0; i < shape[0]; i++)
        memcpy (packed + i * row_size, pixels + i * stride, row_size);
    }

  return shnd_array_new_from_data (name, dtype, shape, 3, packed != NULL ? packed : pixels,
                                   shape[0] * row_size, flags, error);
}

static void
set_read_error (GError **error, const char *path, GError *cause)
{
  g_autofree char *display = g_filename_display_name (path);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND, "There is no file “%s”", display);
  else if (g_error_matches (cause, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_UNKNOWN_TYPE))
    g_set_error (error, cause->domain, cause->code,
                 "Cannot read “%s”: expected a .npy file or an image", display);
  else
    g_set_error (error, cause->domain, cause->code, "Cannot read “%s”: %s", display,
                 cause->message);
}

static ShndArray *
read_image (
    const char *name, const char *path, GInputStream *stream, ShndCreateFlags flags, GError **error)
{
  GCancellable *cancellable = cli_signals_get_cancellable ();
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GdkPixbuf) stored = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;

  /* As a file, as some formats notice only then that the end is missing. */
  stored = cli_file_is_stream (path) ?
               gdk_pixbuf_new_from_stream (stream, cancellable, &local_error) :
               gdk_pixbuf_new_from_file (path, &local_error);
  if (stored != NULL)
    pixbuf = gdk_pixbuf_apply_embedded_orientation (stored);

  /* Reading took its time, and no notice of signals. */
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (pixbuf != NULL)
    return make_array (name, pixbuf, flags, error);

  if (local_error == NULL)
    set_memory_error (&local_error);
  set_read_error (error, path, local_error);
  return NULL;
}

static ShndArray *
read_array (
    const char *name, const char *path, GInputStream *stream, ShndCreateFlags flags, GError **error)
{
  g_autoptr (CliProgress) progress = NULL;

  if (cli_file_is_stream (path))
    return cli_file_load_next (name, stream, flags, error);

  progress = cli_progress_new (path);

  return shnd_array_load (name, path, flags, cli_signals_get_cancellable (), cli_progress_update,
                          progress, error);
}

/* Bytes of it can be looked at before they are read. */
static GInputStream *
open_buffered (const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GInputStream) stream = NULL;

  if (cli_file_is_stream (path))
    stream = cli_file_open_input (path, error);
  else
    stream = G_INPUT_STREAM (g_file_read (file, cli_signals_get_cancellable (), error));

  return stream == NULL ? NULL : g_buffered_input_stream_new (stream);
}

ShndArray *
cli_file_load (const char *name, const char *path, ShndCreateFlags flags, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GInputStream) stream = open_buffered (path, &local_error);
  char magic[MAGIC_LENGTH] = { 0 };

  if (stream == NULL ||
      g_buffered_input_stream_fill (G_BUFFERED_INPUT_STREAM (stream), -1,
                                    cli_signals_get_cancellable (), &local_error) < 0)
    {
      set_read_error (error, path, local_error);
      return NULL;
    }

  /* What is shorter is an image that is none. */
  g_buffered_input_stream_peek (G_BUFFERED_INPUT_STREAM (stream), magic, 0, MAGIC_LENGTH);

  return memcmp (magic, MAGIC, MAGIC_LENGTH) == 0 ? read_array (name, path, stream, flags, error) :
                                                    read_image (name, path, stream, flags, error);
}
