/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"

#include <shndarray/shndarray.h>
#include <stdio.h>

/* How often to look whether the name is still there, in microseconds. */
#define LOOK_INTERVAL G_USEC_PER_SEC

static gboolean change;
static char *since_text, *timeout_text;

static const GOptionEntry entries[] = {
  { "change", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &change,
    "Wait until its change counter goes up, once it is there", NULL },
  { "since", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &since_text,
    "Wait until its change counter is above this number", "N" },
  { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &timeout_text,
    "Give up after this time", "SECONDS" },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "NAME",
  .description = "Waits until there is an array of that name, or until it changes, and prints its "
                 "change counter.",
  .notes = "Who gives the counter that was printed to --since the next time misses no change.",
  .entries = entries,
  .shared_entries = cli_source_owner_entries,
  .min_operands = 1,
  .max_operands = 1,
};

/* How long until a deadline, which is -1 for never. */
static gint64
get_left (gint64 deadline)
{
  return deadline < 0 ? -1 : MAX (deadline - g_get_monotonic_time (), 0);
}

/* An error if nobody can find the array under its name any more. */
static gboolean
check_name (const char *name, GError **error)
{
  g_autoptr (ShndArrayInfo) info = NULL;
  g_autoptr (GError) local_error = NULL;

  info = shnd_array_info_new (name, &local_error);
  if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NOT_FOUND))
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
               "“%s” was removed: expected that it changes", name);
  return FALSE;
}

/* Until the counter is above `since`. */
static gboolean
wait_for_change (ShndArray *array, const char *name, guint64 since, gint64 deadline, GError **error)
{
  guint64 sequence = shnd_array_get_sequence (array);

  while (sequence <= since)
    {
      gint64 left = get_left (deadline);
      gboolean is_last = left >= 0 && left <= LOOK_INTERVAL;
      g_autoptr (GError) local_error = NULL;

      if (shnd_array_wait (array, sequence, is_last ? left : LOOK_INTERVAL,
                           cli_signals_get_cancellable (), &sequence, &local_error))
        continue;

      if (is_last || !g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      if (!check_name (name, error))
        return FALSE;
    }

  return TRUE;
}

int
cli_wait_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndArray) array = NULL;
  guint64 since = 0;
  gint64 timeout, deadline;

  if (operands == NULL || !cli_parse_timeout ("--timeout", timeout_text, &timeout, error))
    return CLI_EXIT_FAILURE;
  if (since_text != NULL &&
      !g_ascii_string_to_unsigned (since_text, 10, 0, G_MAXUINT64, &since, NULL))
    {
      cli_set_usage_error (error, "--since “%s”: expected a change counter, 0 or more", since_text);
      return CLI_EXIT_FAILURE;
    }

  deadline = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  array = shnd_array_open_wait (operands[0], cli_source_get_access (SHND_ACCESS_READ), timeout,
                                cli_signals_get_cancellable (), error);
  if (array == NULL)
    return CLI_EXIT_FAILURE;

  if (since_text == NULL)
    since = shnd_array_get_sequence (array);
  if ((change || since_text != NULL) &&
      !wait_for_change (array, operands[0], since, deadline, error))
    return CLI_EXIT_FAILURE;

  printf ("%" G_GUINT64_FORMAT "\n", shnd_array_get_sequence (array));

  return CLI_EXIT_SUCCESS;
}
