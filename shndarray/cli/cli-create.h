/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* How an array is made: options of all commands that make one. */
extern const GOptionEntry cli_create_entries[];

/* What these options say. Arrays that this program makes are persistent, or they would be gone when it
 * ends. */
gboolean cli_create_get_flags (ShndCreateFlags *flags, GError **error);

G_END_DECLS
