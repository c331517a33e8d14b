/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-create.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-status.h"

static const CliOptions options = {
  .operands = "SOURCE NAME",
  .description = "Makes a shared array of another one, of a part of it, or of a .npy file.",
  .notes = "The array is persistent; its name appears when all elements are there.",
  .entries = cli_source_entries,
  .shared_entries = cli_create_entries,
  .min_operands = 2,
  .max_operands = 2,
};

int
cli_copy_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (CliProgress) progress = NULL;
  g_autoptr (ShndArray) source = NULL;
  g_autoptr (ShndArray) array = NULL;
  ShndCreateFlags flags;

  if (operands == NULL || !cli_create_get_flags (&flags, error))
    return CLI_EXIT_FAILURE;

  source = cli_source_open (operands[0], error);
  if (source == NULL)
    return CLI_EXIT_FAILURE;

  if (shnd_array_get_order (source) == SHND_ORDER_FORTRAN)
    flags |= SHND_CREATE_FORTRAN;

  progress = cli_progress_new (operands[1]);
  array = shnd_array_dup (source, operands[1], flags, cli_signals_get_cancellable (),
                          cli_progress_update, progress, error);

  return array != NULL ? CLI_EXIT_SUCCESS : CLI_EXIT_FAILURE;
}
