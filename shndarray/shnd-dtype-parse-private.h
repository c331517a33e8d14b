/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-dtype-private.h"

G_BEGIN_DECLS

/* What the parsers of type strings and of literals share. */

/* Where in a description the work is, and where errors go. */
typedef struct
{
  gssize position; /* in bytes, or -1 if there is nothing to count from */
  gint error_code;
  GError **error;
} ShndDTypeReport;

G_GNUC_PRINTF (2, 3)
void shnd_dtype_report (ShndDTypeReport *report, const char *format, ...);

/* shnd_shorten(), in quotes. */
char *shnd_dtype_quote (const char *text);

/* A dtype of which only this is set. */
ShndDType *shnd_dtype_alloc (ShndDTypeKind kind, gsize item_size, gsize alignment);

/* `n` bytes, characters, or raw bytes. */
ShndDType *
shnd_dtype_new_flexible (ShndDTypeKind kind, gboolean swapped, guint64 n, ShndDTypeReport *report);

/* A plain type. */
ShndDType *shnd_dtype_parse_string (const char *text, ShndDTypeReport *report);

G_END_DECLS
