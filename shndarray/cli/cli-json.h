/* SPDX-License-Identifier: MIT */

#pragma once

#include <json-glib/json-glib.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Adds a member to the object that is being built. */
void cli_json_add_string (JsonBuilder *builder, const char *name, const char *value);
void cli_json_add_int (JsonBuilder *builder, const char *name, gint64 value);
/* Above G_MAXINT64, which is json-glib's largest integer, a number may lose its last digits. */
void cli_json_add_uint (JsonBuilder *builder, const char *name, guint64 value);

void cli_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value);

/* What JSON has no number for, infinities and NaN, becomes null. */
void cli_json_add_double (JsonBuilder *builder, const char *name, gdouble value);

void
cli_json_add_ints (JsonBuilder *builder, const char *name, const gint64 *values, guint n_values);

/* Members for what there is to know of an array. */
void cli_json_add_info (JsonBuilder *builder, ShndArrayInfo *info);

/* Writes what was built to the standard output, on many lines, or on one: then a program can read a
 * stream of them, line by line. */
void cli_json_print (JsonBuilder *builder, gboolean on_one_line);

G_END_DECLS
