/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <glib.h>
#include <shndarray/shnd-array-info.h>

G_BEGIN_DECLS

SHND_AVAILABLE_IN_1_0
char **shnd_list_names (GError **error);

SHND_AVAILABLE_IN_1_0
char **shnd_list_addresses (GError **error);

SHND_AVAILABLE_IN_1_0
ShndArrayInfo **shnd_list_infos (gsize *n_infos, GError **error);

SHND_AVAILABLE_IN_1_0
char **shnd_reap (GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_unlink (const char *name, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_release_names (void);

G_END_DECLS
