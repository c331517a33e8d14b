/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-names.h"

G_BEGIN_DECLS

/* Names are file names in the directory where POSIX shared memory lives on Linux. */
#define SHND_NAME_MAX 255
#define SHND_NAME_PATH_SIZE (sizeof SHND_SHM_DIR + 1 + SHND_NAME_MAX)

/* Checks `name` and writes the path of its file. */
gboolean shnd_name_to_path (const char *name, char path[SHND_NAME_PATH_SIZE], GError **error);

G_END_DECLS
