/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* How things are written for people. Output is UTF-8. */

/* Text from elsewhere, such as a name, on one line and without what a terminal would obey: control
 * and format characters, and bytes that are not UTF-8, become \n, \x1b, \u202e. A backslash is doubled,
 * so that the text can be told from one that was changed. */
char *cli_text_escape (const char *text);

/* The same, but spaces and backslashes as they are: for messages. */
char *cli_text_flatten (const char *text);

/* How many columns of a terminal it takes. */
gsize cli_text_get_width (const char *text);

/* Cut to so many columns, with an ellipsis at the end if something is missing. */
char *cli_text_shorten (const char *text, gsize width);

/* As NumPy calls it for people, "float32" and not "<f4", and escaped. */
char *cli_text_format_dtype (ShndDType *dtype);

/* The same, cut if it is very long. */
char *cli_text_format_short_dtype (ShndDType *dtype);

/* "1080x1920x4"; "()" without dimensions. */
char *cli_text_format_shape (const gint64 *shape, guint n_dims);

/* The same as above, and "1080,1920,4", "(1080, 1920, 4)", "[5]". Returns the number of dimensions, or
 * -1 with an error. */
int cli_text_parse_shape (const char *text, gint64 shape[SHND_MAX_DIMS], GError **error);

/* An element: numbers, "(1, 2.5)" with fields, 'text', b'bytes'. */
char *cli_text_format_value (ShndDType *dtype, GVariant *value);

/* "31.6 MiB" */
char *cli_text_format_size (guint64 n_bytes);

/* "held", "orphaned", or "-". */
const char *cli_text_get_state (ShndArrayInfo *info);

const char *cli_text_get_order (ShndOrder order);

/* Writes what something is called, and in a second column what it is. */
G_GNUC_PRINTF (2, 3)
void cli_text_print_row (const char *label, const char *format, ...);

/* Whether it matches one of the shell's patterns, or there are none. */
gboolean cli_text_matches (const char *text, char **patterns);

/* What is to be written is written: an error if it could not be, as for a full disk. */
gboolean cli_text_flush (GError **error);

G_END_DECLS
