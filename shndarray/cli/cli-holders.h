/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A process that has a file open. */
typedef struct
{
  int pid;
  char *command; /* with its arguments, as the process tells it */
} CliHolder;

/* All that can be seen, in the order of their numbers, without this one: CliHolders. `some_unseen`:
 * whether there are processes of which one may not know what they have open. */
GPtrArray *cli_holders_find (const char *path, gboolean *some_unseen);

G_END_DECLS
