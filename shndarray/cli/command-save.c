/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-file.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-status.h"

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

static gboolean
save (ShndArray *array, const char *path, CliProgress *progress, GError **error)
{
  return shnd_array_save (array, path, no_clobber ? SHND_SAVE_NO_REPLACE : SHND_SAVE_NONE,
                          cli_signals_get_cancellable (), cli_progress_update, progress, error);
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
  saved =
      (cli_file_is_stream (operands[1]) ? save_stream : save) (array, operands[1], progress, error);

  return saved ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
