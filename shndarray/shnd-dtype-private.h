/* SPDX-License-Identifier: MIT */

#pragma once

#include <shndarray/shnd-dtype.h>

#include "shnd-literal-private.h"

G_BEGIN_DECLS

/* Item sizes are ints in NumPy, so nothing larger can travel. */
#define SHND_DTYPE_MAX_ITEM_SIZE ((gsize) G_MAXINT32)

/* In the order of size; the fixed ratios between neighbours are in shnd-time.c. */
typedef enum
{
  SHND_UNIT_GENERIC,
  SHND_UNIT_YEAR,
  SHND_UNIT_MONTH,
  SHND_UNIT_WEEK,
  SHND_UNIT_DAY,
  SHND_UNIT_HOUR,
  SHND_UNIT_MINUTE,
  SHND_UNIT_SECOND,
  SHND_UNIT_MILLISECOND,
  SHND_UNIT_MICROSECOND,
  SHND_UNIT_NANOSECOND,
  SHND_UNIT_PICOSECOND,
  SHND_UNIT_FEMTOSECOND,
  SHND_UNIT_ATTOSECOND,
} ShndUnit;

typedef struct
{
  char *name;
  char *title; /* or NULL */
  ShndDType *dtype;
  gsize offset;
} ShndField;

struct _ShndDType
{
  gatomicrefcount ref_count;
  ShndDTypeKind kind;
  gboolean swapped; /* this very type's numbers are in the other byte order than the host's;
                       never set for one-byte types, BYTES, VOID, STRUCT, SUBARRAY */
  gsize item_size;
  gsize alignment;
  char *description; /* canonical */

  /* DATETIME, TIMEDELTA */
  ShndUnit unit;
  guint multiple;  /* 1 where the description has none */
  char *unit_name; /* "25s", "ns"; NULL for the generic unit */

  /* STRUCT: in the order of their offsets; padding is what lies between them */
  guint n_fields;
  ShndField *fields;

  /* SUBARRAY */
  ShndDType *base;
  guint n_dims;
  gint64 shape[SHND_MAX_DIMS];
};

/* The dtype of a type string ("<f4") or name ("float32"); white space is not skipped. `position` is
 * where in a larger text it was found, or -1. Errors are `error_code` of SHND_ERROR. */
ShndDType *shnd_dtype_new_from_type_string (const char *text,
                                            gssize position,
                                            gint error_code,
                                            GError **error);

/* The dtype that a literal stands for: a string, a list of fields, or (base, shape).
 * Errors are `error_code` of SHND_ERROR. */
ShndDType *
shnd_dtype_new_from_literal (const ShndLiteral *literal, gint error_code, GError **error);

/* Appends "(2, 3)", as Python writes a shape. */
void shnd_dtype_append_shape (GString *text, const gint64 *shape, guint n_dims);

/* Appends the dtype as a literal: quoted if it is a plain type, a list or tuple otherwise. */
void shnd_dtype_append_literal (ShndDType *self, GString *text);

G_END_DECLS
