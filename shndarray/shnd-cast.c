/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"

#include <shndarray/shnd-error.h>
#include <string.h>

/* What can be converted, and how:
 *
 * - BOOL, INT, UINT and FLOAT to each other.
 *   An integer that is too large for an integer keeps its low bits (it wraps).
 *   A float becomes an integer by dropping what is behind the point; one that is too large or too
 *   small becomes the largest or smallest integer, and NaN 0.
 *   An integer or a wider float becomes the nearest float (ties to even), infinite if too large.
 *   Anything that is not 0 becomes true, NaN too.
 * - These to COMPLEX (the imaginary part is 0), and COMPLEX to COMPLEX by its parts.
 *   COMPLEX to BOOL: true unless both parts are 0. COMPLEX to other real numbers: refused.
 * - BYTES to BYTES and UNICODE to UNICODE, padded with NUL; a shorter target is refused.
 * - VOID to VOID of the same size.
 * - DATETIME to DATETIME and TIMEDELTA to TIMEDELTA, rounded down. "Not a time" stays, and is also
 *   what becomes of a result that does not fit in 64 bits. The generic unit becomes any other, with
 *   the count as it is; another does not become generic. A TIMEDELTA in years or months
 *   does not become one in weeks or less, nor the other way round; a DATETIME does, by the
 *   proleptic Gregorian calendar.
 * - TIMEDELTA to INT and UINT and back: its count, converted as an 8-byte INT is.
 * - STRUCT to STRUCT with the same number of fields, which are matched by position; the target's
 *   padding is left as it is.
 * - SUBARRAY to SUBARRAY of the same shape, item by item.
 *
 * Byte orders make no difference. Everything else is refused. */

/* Structs are converted field by field; this many at a time stay in the cache meanwhile. */
#define STRUCT_BLOCK 64
#define COMPLEX_BLOCK 256

/* Walks through the dimensions of a SUBARRAY, and of the SUBARRAYs in it. */
typedef struct
{
  ShndDType *dtype;
  guint dim;
} DimCursor;

static gboolean
next_dim (DimCursor *cursor, gint64 *size)
{
  while (cursor->dtype->kind == SHND_DTYPE_KIND_SUBARRAY)
    {
      if (cursor->dim < cursor->dtype->n_dims)
        {
          *size = cursor->dtype->shape[cursor->dim++];
          return TRUE;
        }
      cursor->dtype = cursor->dtype->base;
      cursor->dim = 0;
    }
  return FALSE;
}

/* The innermost bases, if the shapes are the same. */
static gboolean
match_subarrays (ShndDType *target,
                 ShndDType *source,
                 ShndDType **target_base,
                 ShndDType **source_base,
                 gsize *n_items)
{
  DimCursor target_cursor = { target, 0 };
  DimCursor source_cursor = { source, 0 };
  gint64 target_size, source_size;

  *n_items = 1;
  while (next_dim (&target_cursor, &target_size))
    {
      if (!next_dim (&source_cursor, &source_size) || source_size != target_size)
        return FALSE;
      *n_items *= target_size;
    }
  if (next_dim (&source_cursor, &source_size))
    return FALSE;

  *target_base = target_cursor.dtype;
  *source_base = source_cursor.dtype;
  return TRUE;
}

static gboolean
is_integer (ShndDType *dtype)
{
  return dtype->kind == SHND_DTYPE_KIND_INT || dtype->kind == SHND_DTYPE_KIND_UINT;
}

static gboolean
refuse (ShndDType *target, ShndDType *source, const char *reason, GError **error)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
               "Elements of dtype %s cannot be converted to %s: %s", shnd_dtype_to_string (source),
               shnd_dtype_to_string (target), reason);
  return FALSE;
}

gboolean
shnd_cast_check (ShndDType *target, ShndDType *source, GError **error)
{
  if (target->kind != source->kind)
    {
      if (shnd_number_is_real (source) &&
          (shnd_number_is_real (target) || target->kind == SHND_DTYPE_KIND_COMPLEX))
        return TRUE;
      if (source->kind == SHND_DTYPE_KIND_COMPLEX && shnd_number_is_real (target))
        {
          if (target->kind == SHND_DTYPE_KIND_BOOL)
            return TRUE;
          return refuse (target, source, "that would drop the imaginary part", error);
        }
      if ((is_integer (source) && target->kind == SHND_DTYPE_KIND_TIMEDELTA) ||
          (source->kind == SHND_DTYPE_KIND_TIMEDELTA && is_integer (target)))
        return TRUE;
      return refuse (target, source, "they are of different kinds", error);
    }

  switch (target->kind)
    {
    case SHND_DTYPE_KIND_BOOL:
    case SHND_DTYPE_KIND_INT:
    case SHND_DTYPE_KIND_UINT:
    case SHND_DTYPE_KIND_FLOAT:
    case SHND_DTYPE_KIND_COMPLEX:
      return TRUE;

    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
      if (target->item_size < source->item_size)
        return refuse (target, source, "that would cut the text short", error);
      return TRUE;

    case SHND_DTYPE_KIND_VOID:
      if (target->item_size != source->item_size)
        return refuse (target, source, "the sizes differ", error);
      return TRUE;

    case SHND_DTYPE_KIND_DATETIME:
    case SHND_DTYPE_KIND_TIMEDELTA:
      if (shnd_time_can_convert (target, source))
        return TRUE;
      if (target->unit == SHND_UNIT_GENERIC)
        return refuse (target, source, "that would drop the unit", error);
      return refuse (target, source, "a year or a month has no fixed length", error);

    case SHND_DTYPE_KIND_STRUCT:
      if (target->n_fields != source->n_fields)
        return refuse (target, source, "the numbers of fields differ", error);
      for (guint i = 0; i < target->n_fields; i++)
        if (!shnd_cast_check (target->fields[i].dtype, source->fields[i].dtype, error))
          {
            g_prefix_error (error, "Field “%s” to field “%s”: ", source->fields[i].name,
                            target->fields[i].name);
            return FALSE;
          }
      return TRUE;

    case SHND_DTYPE_KIND_SUBARRAY:
      {
        ShndDType *target_base, *source_base;
        gsize n_items;

        if (!match_subarrays (target, source, &target_base, &source_base, &n_items))
          return refuse (target, source, "the shapes differ", error);
        return shnd_cast_check (target_base, source_base, error);
      }
    }
  g_return_val_if_reached (FALSE);
}

/* Whether all bytes of an element are to be copied as they are. */
static gboolean
is_plain_copy (ShndDType *target, ShndDType *source)
{
  if (target->kind != source->kind || target->item_size != source->item_size ||
      target->swapped != source->swapped)
    return FALSE;

  switch (target->kind)
    {
    case SHND_DTYPE_KIND_BOOL:
    case SHND_DTYPE_KIND_INT:
    case SHND_DTYPE_KIND_UINT:
    case SHND_DTYPE_KIND_FLOAT:
    case SHND_DTYPE_KIND_COMPLEX:
    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
    case SHND_DTYPE_KIND_VOID:
      return TRUE;

    case SHND_DTYPE_KIND_DATETIME:
    case SHND_DTYPE_KIND_TIMEDELTA:
      return shnd_time_is_same (target, source);

    case SHND_DTYPE_KIND_STRUCT:
      {
        gsize end = 0;

        for (guint i = 0; i < target->n_fields; i++)
          {
            const ShndField *target_field = &target->fields[i];
            const ShndField *source_field = &source->fields[i];

            if (target_field->offset != end || source_field->offset != end ||
                !is_plain_copy (target_field->dtype, source_field->dtype))
              return FALSE;
            end += target_field->dtype->item_size;
          }
        return end == target->item_size;
      }

    case SHND_DTYPE_KIND_SUBARRAY:
      {
        ShndDType *target_base, *source_base;
        gsize n_items;

        return match_subarrays (target, source, &target_base, &source_base, &n_items) &&
               is_plain_copy (target_base, source_base);
      }
    }
  g_return_val_if_reached (FALSE);
}

/* One number of each element, whichever `run` points to. */
static void
cast_numbers (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  shnd_number_convert (shnd_number_for_dtype (target), target->swapped,
                       shnd_number_for_dtype (source), source->swapped, run);
}

static void
cast_complex_to_complex (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  gsize target_half = target->item_size / 2;
  gsize source_half = source->item_size / 2;
  ShndRun parts = *run;

  if (run->target_stride == (gssize) target->item_size &&
      run->source_stride == (gssize) source->item_size)
    {
      parts.target_stride = target_half;
      parts.source_stride = source_half;
      parts.n *= 2;
      cast_numbers (target, source, &parts);
      return;
    }

  cast_numbers (target, source, &parts);
  parts.target += target_half;
  parts.source += source_half;
  cast_numbers (target, source, &parts);
}

static void
cast_real_to_complex (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  static const guint8 zero[sizeof (long double)] = { 0 };
  gsize half = target->item_size / 2;
  ShndRun rest = *run;
  ShndRun block;

  while (shnd_run_take (&rest, COMPLEX_BLOCK, &block))
    {
      cast_numbers (target, source, &block);
      shnd_move (&(ShndRun){ block.target + half, block.target_stride, zero, 0, block.n }, half);
    }
}

static void
cast_complex_to_bool (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  gsize half = source->item_size / 2;
  guint8 imaginary[COMPLEX_BLOCK];
  guint8 *truth;
  ShndRun rest = *run;
  ShndRun block;

  while (shnd_run_take (&rest, COMPLEX_BLOCK, &block))
    {
      cast_numbers (target, source, &block);
      cast_numbers (target, source,
                    &(ShndRun){ imaginary, 1, block.source + half, block.source_stride, block.n });
      truth = block.target;
      for (gsize i = 0; i < block.n; i++, truth += block.target_stride)
        *truth |= imaginary[i];
    }
}

static void
cast_text (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  gsize length = source->item_size;
  gsize padding = target->item_size - length;

  for (ShndRun rest = *run; rest.n > 0; shnd_run_skip (&rest, 1))
    {
      shnd_move_text (rest.target, rest.source, length, target->swapped != source->swapped);
      memset (rest.target + length, 0, padding);
    }
}

static void
cast_structs (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  ShndRun rest = *run;
  ShndRun block;

  while (shnd_run_take (&rest, STRUCT_BLOCK, &block))
    for (guint i = 0; i < target->n_fields; i++)
      {
        ShndRun field = block;

        field.target += target->fields[i].offset;
        field.source += source->fields[i].offset;
        shnd_cast (target->fields[i].dtype, source->fields[i].dtype, &field);
      }
}

static void
cast_subarrays (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  ShndDType *target_base, *source_base;
  gsize n_items;
  ShndRun outer, inner;

  if (!match_subarrays (target, source, &target_base, &source_base, &n_items))
    g_return_if_reached ();

  /* one call for each element or for each item, whichever are fewer */
  outer = *run;
  inner = (ShndRun){ run->target, target_base->item_size, run->source, source_base->item_size,
                     n_items };
  if (inner.n < outer.n)
    {
      outer = inner;
      inner = *run;
    }
  for (; outer.n > 0; shnd_run_skip (&outer, 1))
    {
      inner.target = outer.target;
      inner.source = outer.source;
      shnd_cast (target_base, source_base, &inner);
    }
}

void
shnd_cast (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  /* Without bytes there can be more elements than one can count. */
  if (run->n == 0 || target->item_size == 0)
    return;

  if (is_plain_copy (target, source))
    {
      shnd_move (run, target->item_size);
      return;
    }

  switch (target->kind)
    {
    case SHND_DTYPE_KIND_BOOL:
    case SHND_DTYPE_KIND_INT:
    case SHND_DTYPE_KIND_UINT:
    case SHND_DTYPE_KIND_FLOAT:
      if (source->kind == SHND_DTYPE_KIND_COMPLEX)
        cast_complex_to_bool (target, source, run);
      else
        cast_numbers (target, source, run);
      break;

    case SHND_DTYPE_KIND_COMPLEX:
      if (source->kind == SHND_DTYPE_KIND_COMPLEX)
        cast_complex_to_complex (target, source, run);
      else
        cast_real_to_complex (target, source, run);
      break;

    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
      cast_text (target, source, run);
      break;

    case SHND_DTYPE_KIND_DATETIME:
    case SHND_DTYPE_KIND_TIMEDELTA:
      if (source->kind == target->kind && !shnd_time_is_same (target, source))
        shnd_time_convert (target, source, run);
      else
        cast_numbers (target, source, run);
      break;

    case SHND_DTYPE_KIND_STRUCT:
      cast_structs (target, source, run);
      break;

    case SHND_DTYPE_KIND_SUBARRAY:
      cast_subarrays (target, source, run);
      break;

    case SHND_DTYPE_KIND_VOID:
      g_return_if_reached ();
    }
}
