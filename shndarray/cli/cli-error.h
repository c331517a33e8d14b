/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An error in how the program was called: it ends with CLI_EXIT_USAGE. */
#define CLI_USAGE_ERROR (cli_usage_error_quark ())

GQuark cli_usage_error_quark (void);

G_GNUC_PRINTF (2, 3)
void cli_set_usage_error (GError **error, const char *format, ...);

/* An error whose code is what the program ends with. */
#define CLI_EXIT_STATUS_ERROR (cli_exit_status_error_quark ())

GQuark cli_exit_status_error_quark (void);

/* One line on the standard error. */
void cli_error_print (const GError *error);

/* How the program is to end with an error. */
int cli_error_get_exit (const GError *error);

/* For a command that goes on with its next operand: prints an error, and takes it into account in how
 * the command is to end. That is as the errors say if they all say the same. */
void cli_error_note (const GError *error, int *status);

G_END_DECLS
