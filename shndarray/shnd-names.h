/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <glib.h>
#include <shndarray/shnd-version.h>

G_BEGIN_DECLS

SHND_AVAILABLE_IN_1_0
gboolean shnd_unlink (const char *name, GError **error);

G_END_DECLS
