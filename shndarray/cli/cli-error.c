/* SPDX-License-Identifier: MIT */

#include "cli-error.h"

#include "cli-command.h"
#include "cli-text.h"

#include <stdio.h>

/* It takes the hyphens for minus signs. */
/* clang-format off */
G_DEFINE_QUARK (cli-usage-error-quark, cli_usage_error)
G_DEFINE_QUARK (cli-exit-status-error-quark, cli_exit_status_error)
/* clang-format on */

void
cli_set_usage_error (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, CLI_USAGE_ERROR, 0, message);
}

void
cli_error_print (const GError *error)
{
  g_autofree char *message = cli_text_flatten (error->message);

  fprintf (stderr, "shnd: %s\n", message);
}

/* Each library says it in its own way. */
static gboolean
is_not_found (const GError *error)
{
  return g_error_matches (error, SHND_ERROR, SHND_ERROR_NOT_FOUND) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
         g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

int
cli_error_get_exit (const GError *error)
{
  if (error->domain == CLI_USAGE_ERROR)
    return CLI_EXIT_USAGE;
  if (error->domain == CLI_EXIT_STATUS_ERROR)
    return error->code;
  if (is_not_found (error))
    return CLI_EXIT_NOT_FOUND;
  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
    return CLI_EXIT_TIMED_OUT;
  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_EXISTS))
    return CLI_EXIT_EXISTS;

  return CLI_EXIT_FAILURE;
}

void
cli_error_note (const GError *error, int *status)
{
  int exit = cli_error_get_exit (error);

  cli_error_print (error);
  *status = *status == CLI_EXIT_SUCCESS || *status == exit ? exit : CLI_EXIT_FAILURE;
}
