/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-dtype-private.h"

#include <string.h>

G_BEGIN_DECLS

/* `n` elements, and as many others that they are made from. Any alignment, any stride, but no
 * overlap. */
typedef struct
{
  guint8 *target;
  gssize target_stride;
  const guint8 *source;
  gssize source_stride;
  gsize n;
} ShndRun;

/* Drops the first `n`. */
static inline void
shnd_run_skip (ShndRun *self, gsize n)
{
  self->target += self->target_stride * (gssize) n;
  self->source += self->source_stride * (gssize) n;
  self->n -= n;
}

/* For loops over blocks: moves the first `n`, or as many as there are, to `block`. FALSE if there
 * are none. */
static inline gboolean
shnd_run_take (ShndRun *self, gsize n, ShndRun *block)
{
  *block = *self;
  block->n = MIN (n, self->n);
  shnd_run_skip (self, block->n);
  return block->n > 0;
}

/* Runs the rest of its arguments for each element, with `target` and `source` pointing to it. Where
 * the elements lie side by side, the strides are constants, so that it can be vectorized. */
#define SHND_RUN_EACH(run, target_size, source_size, ...)                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint8 *restrict target = (run)->target;                                                       \
    const guint8 *restrict source = (run)->source;                                                 \
    gssize target_stride = (run)->target_stride;                                                   \
    gssize source_stride = (run)->source_stride;                                                   \
    gsize n = (run)->n;                                                                            \
                                                                                                   \
    if (target_stride == (gssize) (target_size) && source_stride == (gssize) (source_size))        \
      for (; n > 0; n--, target += (target_size), source += (source_size))                         \
        {                                                                                          \
          __VA_ARGS__;                                                                             \
        }                                                                                          \
    else                                                                                           \
      for (; n > 0; n--, target += target_stride, source += source_stride)                         \
        {                                                                                          \
          __VA_ARGS__;                                                                             \
        }                                                                                          \
  }                                                                                                \
  G_STMT_END

/* Whether elements of `source` can be converted to `target`; if not, says why
 * (SHND_ERROR_TYPE_MISMATCH). */
gboolean shnd_cast_check (ShndDType *target, ShndDType *source, GError **error);

/* Converts elements. shnd_cast_check() has said yes. */
void shnd_cast (ShndDType *target, ShndDType *source, const ShndRun *run);

/* What shnd_cast() is made of. */

/* Copies elements of `size` bytes as they are. */
void shnd_move (const ShndRun *run, gsize size);

/* The same, with the bytes of each element in reverse. */
void shnd_swap (const ShndRun *run, gsize size);

/* Copies `length` bytes of text; those of each UNICODE character in reverse if `swap`. */
static inline void
shnd_move_text (guint8 *target, const guint8 *source, gsize length, gboolean swap)
{
  if (swap)
    shnd_swap (&(ShndRun){ target, 4, source, 4, length / 4 }, 4);
  else
    memcpy (target, source, length);
}

typedef enum
{
  SHND_NUMBER_BOOL,
  SHND_NUMBER_INT8,
  SHND_NUMBER_INT16,
  SHND_NUMBER_INT32,
  SHND_NUMBER_INT64,
  SHND_NUMBER_UINT8,
  SHND_NUMBER_UINT16,
  SHND_NUMBER_UINT32,
  SHND_NUMBER_UINT64,
  SHND_NUMBER_HALF,
  SHND_NUMBER_FLOAT,
  SHND_NUMBER_DOUBLE,
  SHND_NUMBER_LONG_DOUBLE,
  SHND_N_NUMBERS,
} ShndNumber;

/* Whether a dtype is BOOL, INT, UINT or FLOAT; whether it is DATETIME or TIMEDELTA. */
gboolean shnd_number_is_real (ShndDType *dtype);
gboolean shnd_number_is_time (ShndDType *dtype);

/* The number that an element is, that a COMPLEX has two of, or that counts a DATETIME's or
 * TIMEDELTA's units. Not for other kinds. */
ShndNumber shnd_number_for_dtype (ShndDType *dtype);

/* A BOOL becomes 0 or 1 even where it comes from one. */
void shnd_number_convert (ShndNumber target,
                          gboolean target_swapped,
                          ShndNumber source,
                          gboolean source_swapped,
                          const ShndRun *run);

/* The one number of an element, or the first of a COMPLEX, to and from a variable. */
void
shnd_number_read (ShndDType *dtype, const guint8 *element, ShndNumber number, gpointer variable);
void
shnd_number_write (ShndDType *dtype, guint8 *element, ShndNumber number, gconstpointer variable);

/* For two DATETIMEs or two TIMEDELTAs: whether counts mean the same in both; whether they can be
 * converted; and the conversion. */
gboolean shnd_time_is_same (ShndDType *target, ShndDType *source);
gboolean shnd_time_can_convert (ShndDType *target, ShndDType *source);
void shnd_time_convert (ShndDType *target, ShndDType *source, const ShndRun *run);

/* IEEE 754 half precision; rounds to nearest, ties to even. */
float shnd_half_to_float (guint16 half);
guint16 shnd_half_from_float (float value);
guint16 shnd_half_from_double (double value);
guint16 shnd_half_from_long_double (long double value);

G_END_DECLS
