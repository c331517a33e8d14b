/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Rows of text in columns as wide as they need to be, under a head. */
typedef struct _CliTable CliTable;

/* Titles of columns; with a '>' before it, a column is set to the right. NULL ends them. */
CliTable *cli_table_new (const char *title, ...) G_GNUC_NULL_TERMINATED;
void cli_table_free (CliTable *self);

/* Adds a row: as many cells as there are columns, which this takes. */
void cli_table_add (CliTable *self, char *first, ...);

guint cli_table_get_n_rows (CliTable *self);

/* The lines, with the head, each without its end; none is wider than `width`. 0 for any width. */
char **cli_table_get_lines (CliTable *self, gsize width);

/* Writes the lines to the standard output. */
void cli_table_print (CliTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTable, cli_table_free)

G_END_DECLS
