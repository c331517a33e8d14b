/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-file.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static gboolean no_clobber;

static const GOptionEntry entries[] = { { "no-clobber", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                          &no_clobber,
                                          "Do not replace a file that is there: an error", NULL },
                                        G_OPTION_ENTRY_NULL };

static const CliOptions options = {
  .operands = "NAME FILE|-",
  .description = "Writes an array, or a part of it, to a .npy file, or to the standard output.",
  .notes = "The file appears whole, in the place of one that is there.",
  .entries = entries,
  .shared_entries = cli_source_entries,
  .min_operands = 2,
  .max_operands = 2,
};

static void
set_exists_error (GError **error, const char *file)
{
  g_autofree char *display = g_filename_display_name (file);

  g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
               "There is already a “%s”: expected a file that is not there", display);
}

static gboolean
save (ShndArray *array, const char *path, CliProgress *progress, GError **error)
{
  return shnd_array_save (array, path, cli_signals_get_cancellable (), cli_progress_update,
                          progress, error);
}

/* Gives a file its name, unless something has it. Returns 0 or an errno. */
static int
rename_new (const char *from, const char *to)
{
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return 0;

  /* A file system that cannot rename in this way may know hard links. */
  if ((errno == EINVAL || errno == ENOSYS) && link (from, to) == 0)
    {
      unlink (from);
      return 0;
    }

  return errno;
}

static gboolean
save_new (ShndArray *array, const char *path, CliProgress *progress, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_strdup_printf (".shnd-%08x.npy", g_random_int ());
  g_autofree char *temporary_path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) local_error = NULL;
  int result;

  /* Not only below: nobody wants to learn that at the end of long work. */
  if (faccessat (AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    {
      set_exists_error (error, path);
      return FALSE;
    }

  if (!save (array, temporary_path, progress, &local_error))
    {
      g_autoptr (GString) message = g_string_new (local_error->message);

      g_string_replace (message, temporary_path, path, 0);
      g_set_error_literal (error, local_error->domain, local_error->code, message->str);
      return FALSE;
    }

  result = rename_new (temporary_path, path);
  if (result == 0)
    return TRUE;

  unlink (temporary_path);
  if (result == EEXIST)
    set_exists_error (error, path);
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (result), "Cannot save to “%s”: %s", path,
                 g_strerror (result));

  return FALSE;
}

static gboolean
save_stream (ShndArray *array, const char *file, CliProgress *progress, GError **error)
{
  g_autoptr (GOutputStream) stream = cli_file_open_output (file, error);

  return stream != NULL &&
         shnd_array_save_stream (array, stream, cli_signals_get_cancellable (), cli_progress_update,
                                 progress, error) &&
         g_output_stream_close (stream, NULL, error);
}

int
cli_save_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (CliProgress) progress = NULL;
  g_autoptr (ShndArray) array = NULL;
  gboolean saved;

  if (operands == NULL)
    return CLI_EXIT_FAILURE;

  array = cli_source_open (operands[0], error);
  if (array == NULL)
    return CLI_EXIT_FAILURE;

  progress = cli_progress_new (operands[0]);
  if (cli_file_is_stream (operands[1]))
    saved = save_stream (array, operands[1], progress, error);
  else if (no_clobber)
    saved = save_new (array, operands[1], progress, error);
  else
    saved = save (array, operands[1], progress, error);

  return saved ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
