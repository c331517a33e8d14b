/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-options.h"
#include "cli-signals.h"

#include <shndarray/shndarray.h>

static gboolean force;

static const GOptionEntry entries[] = { { "force", 'f', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                          &force, "That there is no array of a name is no error",
                                          NULL },
                                        G_OPTION_ENTRY_NULL };

static const CliOptions options = {
  .operands = "NAME…",
  .description = "Removes arrays. Whoever has one open keeps it; nobody else can open it any more, "
                 "and its name is\nfree. Its memory is free when the last one lets go of it.",
  .notes = "After an error it goes on with the next name, and ends as the errors say, or with "
           "status\n1 if they differ.",
  .entries = entries,
  .min_operands = 1,
  .max_operands = G_MAXUINT,
};

int
cli_rm_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) names = cli_options_parse (&options, argc, argv, error);
  int status = CLI_EXIT_SUCCESS;

  if (names == NULL)
    return CLI_EXIT_FAILURE;

  for (char **name = names; *name != NULL && cli_signals_get_caught () == 0; name++)
    {
      g_autoptr (GError) local_error = NULL;

      if (shnd_unlink (*name, &local_error) ||
          (force && g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NOT_FOUND)))
        continue;

      cli_error_note (local_error, &status);
    }

  return status;
}
