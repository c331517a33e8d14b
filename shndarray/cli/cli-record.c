/* SPDX-License-Identifier: MIT */

#include "cli-record.h"

#include "cli-file.h"
#include "cli-picture.h"
#include "cli-signals.h"

#include <errno.h>

struct _CliRecord
{
  GOutputStream *stream; /* or a folder */
  char *folder;
  gboolean as_png;
  gboolean replace;
  guint64 sequence; /* of the last frame */
  guint64 n_before; /* how many numbers those of publishers before this one have taken */
};

static gboolean
make_folder (const char *path, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  int saved_errno;

  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;

  saved_errno = errno;
  if (saved_errno == EEXIST || saved_errno == ENOTDIR)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY,
                 "Cannot save frames in “%s”: expected a folder, or a path for a new one", display);
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                 "Cannot make the folder “%s”: %s", display, g_strerror (saved_errno));

  return FALSE;
}

CliRecord *
cli_record_new (const char *target, gboolean as_png, gboolean replace, GError **error)
{
  g_autoptr (CliRecord) self = g_new0 (CliRecord, 1);

  self->as_png = as_png;
  self->replace = replace;
  if (!g_str_equal (target, "-"))
    {
      if (!make_folder (target, error))
        return NULL;
      self->folder = g_strdup (target);
    }
  else
    {
      self->stream = cli_file_open_output (target, error);
      if (self->stream == NULL)
        return NULL;
    }

  return g_steal_pointer (&self);
}

void
cli_record_free (CliRecord *self)
{
  g_clear_object (&self->stream);
  g_free (self->folder);
  g_free (self);
}

/* A publisher that was restarted begins with 1 again: its frames are numbered on. */
static char *
get_path (CliRecord *self, ShndFrame *frame)
{
  guint64 sequence = shnd_frame_get_sequence (frame);
  g_autofree char *name = NULL;

  if (sequence <= self->sequence)
    self->n_before += self->sequence;
  self->sequence = sequence;
  name = g_strdup_printf ("%08" G_GUINT64_FORMAT ".%s", self->n_before + sequence,
                          self->as_png ? "png" : "npy");

  return g_build_filename (self->folder, name, NULL);
}

gboolean
cli_record_add (CliRecord *self, ShndFrame *frame, char **path, GError **error)
{
  const CliPictureStyle style = { 0 };
  GCancellable *cancellable = cli_signals_get_cancellable ();
  ShndArray *array = shnd_frame_get_array (frame);
  g_autofree char *file = self->folder != NULL ? get_path (self, frame) : NULL;
  gboolean saved;

  /* Of an earlier run, as numbers only go up. */
  if (file != NULL && !self->replace && g_file_test (file, G_FILE_TEST_EXISTS))
    {
      g_autofree char *display = g_filename_display_name (file);

      g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
                   "“%s” is there already: expected a folder without frames, or --force", display);
      return FALSE;
    }

  if (self->as_png)
    saved = cli_picture_save_png (array, &style, 0, 0, file != NULL ? file : "-", error);
  else if (file != NULL)
    saved = shnd_array_save (array, file, SHND_SAVE_NONE, cancellable, NULL, NULL, error);
  else
    saved = shnd_array_save_stream (array, self->stream, cancellable, NULL, NULL, error);

  *path = saved ? g_steal_pointer (&file) : NULL;

  return saved;
}
