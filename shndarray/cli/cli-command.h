/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* How the program ends. Others are those of the command that `shnd lock` runs. */
typedef enum
{
  CLI_EXIT_SUCCESS = 0,
  CLI_EXIT_FAILURE = 1,
  CLI_EXIT_USAGE = 2,
  CLI_EXIT_NOT_FOUND = 3,
  CLI_EXIT_TIMED_OUT = 4,
  CLI_EXIT_EXISTS = 5,
} CliExit;

/* One of the words that can follow `shnd`. */
typedef struct
{
  const char *name;
  const char *summary; /* in the list of commands */

  /* Gets its arguments, of which argv[0] is "shnd NAME". Returns how the program is to end; with an
   * error that is decided by the error. */
  int (*run) (int argc, char **argv, GError **error);
} CliCommand;

int cli_copy_run (int argc, char **argv, GError **error);
int cli_create_run (int argc, char **argv, GError **error);
int cli_info_run (int argc, char **argv, GError **error);
int cli_list_run (int argc, char **argv, GError **error);
int cli_load_run (int argc, char **argv, GError **error);
int cli_lock_run (int argc, char **argv, GError **error);
int cli_publish_run (int argc, char **argv, GError **error);
int cli_reap_run (int argc, char **argv, GError **error);
int cli_rm_run (int argc, char **argv, GError **error);
int cli_save_run (int argc, char **argv, GError **error);
int cli_show_run (int argc, char **argv, GError **error);
int cli_subscribe_run (int argc, char **argv, GError **error);
int cli_top_run (int argc, char **argv, GError **error);
int cli_wait_run (int argc, char **argv, GError **error);
int cli_watch_run (int argc, char **argv, GError **error);

G_END_DECLS
