/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-error.h"

G_BEGIN_DECLS

/* Sets the error that stands for an `errno`; the message is "<what>: <the system's word>". */
void shnd_set_error_from_errno (GError **error, int saved_errno, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* `text` for a message: cut behind 60 characters, and valid UTF-8 whatever it was. */
char *shnd_shorten (const char *text);

G_END_DECLS
