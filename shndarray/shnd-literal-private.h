/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A Python literal, as far as .npy headers and dtype descriptions use them: strings, whole
 * numbers, True, False, None, tuples, lists and dicts. */

typedef enum
{
  SHND_LITERAL_NONE,
  SHND_LITERAL_BOOL,
  SHND_LITERAL_INT,
  SHND_LITERAL_STRING,
  SHND_LITERAL_TUPLE,
  SHND_LITERAL_LIST,
  SHND_LITERAL_DICT,
} ShndLiteralKind;

/* Deeper nesting is refused, so that a hostile header cannot exhaust the stack. */
#define SHND_LITERAL_MAX_DEPTH 64

typedef struct _ShndLiteral ShndLiteral;

struct _ShndLiteral
{
  ShndLiteralKind kind;
  gsize position;      /* byte offset in the text, for messages */
  gint64 integer;      /* of an INT; 0 or 1 of a BOOL */
  char *string;        /* of a STRING: UTF-8, NUL-terminated; never holds NUL itself */
  guint n_items;       /* of a TUPLE or LIST its items; of a DICT twice its entries */
  ShndLiteral **items; /* of a DICT: key, value, key, value, ... */
};

/* Parses all of `text` (`length` bytes of UTF-8, not NUL-terminated); white space around the
 * literal is skipped, anything else behind it is an error. Errors are `error_code` of
 * SHND_ERROR, and name the byte and what was expected there. */
ShndLiteral *shnd_literal_parse (const char *text, gsize length, gint error_code, GError **error);

void shnd_literal_free (ShndLiteral *self);

/* What a message calls it: "a string", "a tuple", ... */
const char *shnd_literal_describe (const ShndLiteral *self);

/* Appends `string` as Python's repr() writes it: single quotes unless it holds one and no double
 * quote; printable Unicode as it is, the rest escaped. */
void shnd_literal_append_string (GString *text, const char *string);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndLiteral, shnd_literal_free)

G_END_DECLS
