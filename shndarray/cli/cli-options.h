/* SPDX-License-Identifier: MIT */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a command can be told. */
typedef struct
{
  const char *operands;    /* "NAME DTYPE SHAPE" */
  const char *description; /* what it does, before the list of options */
  const char *notes;       /* what there is to say after them, or NULL */
  const GOptionEntry *entries;
  const GOptionEntry *shared_entries; /* which other commands have as well, or NULL */
  guint min_operands;
  guint max_operands; /* G_MAXUINT: any number */
  gboolean strict;    /* options end at the first operand */
} CliOptions;

/* Reads options, and returns the operands, as they were given; NULL with an error. `--help` ends the
 * program. */
char **cli_options_parse (const CliOptions *options, int argc, char **argv, GError **error);

/* Values of options. `option` is what the error names. */

/* Seconds to microseconds; NULL stands for ever, -1. */
gboolean cli_parse_timeout (const char *option, const char *text, gint64 *timeout, GError **error);

/* A finite number that is not below `minimum`; `expected` is how an error says that. */
gboolean cli_parse_number (const char *option,
                           const char *text,
                           gdouble minimum,
                           const char *expected,
                           gdouble *number,
                           GError **error);

/* A whole number above 0. */
gboolean cli_parse_count (const char *option, const char *text, guint64 *count, GError **error);

G_END_DECLS
