/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-create.h"
#include "cli-error.h"
#include "cli-file.h"
#include "cli-options.h"

#include <string.h>

static const CliOptions options = {
  .operands = "FILE|- [NAME]",
  .description =
      "Makes a shared array of a .npy file or an image, or of the .npy file that comes through the "
      "standard\ninput. Without a name it gets that of the file, without its ending.",
  .notes =
      "An image becomes an array of height x width x 3 bytes, or 4 if it is transparent. From the "
      "standard\ninput, as from a FIFO, exactly one array is read, so that another one can follow. "
      "The array is\npersistent; its name appears when all elements are there.",
  .shared_entries = cli_create_entries,
  .min_operands = 1,
  .max_operands = 2,
};

static char *
get_default_name (const char *file)
{
  char *name = g_path_get_basename (file);
  char *ending = strrchr (name, '.');

  if (ending != NULL && ending != name)
    *ending = '\0';

  return name;
}

int
cli_load_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndArray) array = NULL;
  g_autofree char *name = NULL;
  ShndCreateFlags flags;
  gboolean is_stream;

  if (operands == NULL || !cli_create_get_flags (&flags, error))
    return CLI_EXIT_FAILURE;

  is_stream = cli_file_is_stream (operands[0]);
  if (operands[1] == NULL && is_stream)
    {
      cli_set_usage_error (error, "What comes from “%s” has no name: expected one after it",
                           operands[0]);
      return CLI_EXIT_FAILURE;
    }

  name = operands[1] != NULL ? g_strdup (operands[1]) : get_default_name (operands[0]);
  array = is_stream ? cli_file_load_stream (name, operands[0], flags, error) :
                      cli_file_load (name, operands[0], flags, error);

  return array != NULL ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
