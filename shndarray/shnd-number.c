/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"

#include <float.h>
#include <string.h>

#if defined(__OPTIMIZE__) && defined(__GNUC__) && !defined(__clang__)
/* What clang does at -O2 anyway. */
#pragma GCC optimize("tree-vectorize", "vect-cost-model=dynamic")
#endif

/* How many elements go through the stack at a time where a byte order has to be changed. */
#define BLOCK 256

#define TARGETS(X)                                                                                 \
  X (BOOL)                                                                                         \
  X (INT8)                                                                                         \
  X (INT16)                                                                                        \
  X (INT32)                                                                                        \
  X (INT64)                                                                                        \
  X (UINT8)                                                                                        \
  X (UINT16)                                                                                       \
  X (UINT32)                                                                                       \
  X (UINT64)                                                                                       \
  X (HALF)                                                                                         \
  X (FLOAT)                                                                                        \
  X (DOUBLE)                                                                                       \
  X (LONG_DOUBLE)

/* The same list once more: a macro cannot be expanded within itself. */
#define SOURCES(X, target)                                                                         \
  X (target, BOOL)                                                                                 \
  X (target, INT8)                                                                                 \
  X (target, INT16)                                                                                \
  X (target, INT32)                                                                                \
  X (target, INT64)                                                                                \
  X (target, UINT8)                                                                                \
  X (target, UINT16)                                                                               \
  X (target, UINT32)                                                                               \
  X (target, UINT64)                                                                               \
  X (target, HALF)                                                                                 \
  X (target, FLOAT)                                                                                \
  X (target, DOUBLE)                                                                               \
  X (target, LONG_DOUBLE)

/* How each is stored. */
typedef guint8 stored_BOOL;
typedef gint8 stored_INT8;
typedef gint16 stored_INT16;
typedef gint32 stored_INT32;
typedef gint64 stored_INT64;
typedef guint8 stored_UINT8;
typedef guint16 stored_UINT16;
typedef guint32 stored_UINT32;
typedef guint64 stored_UINT64;
typedef guint16 stored_HALF;
typedef float stored_FLOAT;
typedef double stored_DOUBLE;
typedef long double stored_LONG_DOUBLE;

/* x87 numbers have 10 bytes; whatever lies behind them must not get into an array. */
#if LDBL_MANT_DIG == 64
#define LONG_DOUBLE_BYTES 10
#else
#define LONG_DOUBLE_BYTES sizeof (long double)
#endif

#define STORE(target, value) memcpy (target, &(value), sizeof (value))
#define STORE_LONG_DOUBLE(target, value)                                                           \
  (memset (target, 0, sizeof (value)), memcpy (target, &(value), LONG_DOUBLE_BYTES))

#define STORE_BOOL STORE
#define STORE_INT8 STORE
#define STORE_INT16 STORE
#define STORE_INT32 STORE
#define STORE_INT64 STORE
#define STORE_UINT8 STORE
#define STORE_UINT16 STORE
#define STORE_UINT32 STORE
#define STORE_UINT64 STORE
#define STORE_HALF STORE
#define STORE_FLOAT STORE
#define STORE_DOUBLE STORE

/* What is computed with. */
#define VALUE_BOOL(stored) ((guint8) ((stored) != 0))
#define VALUE_INT8(stored) (stored)
#define VALUE_INT16(stored) (stored)
#define VALUE_INT32(stored) (stored)
#define VALUE_INT64(stored) (stored)
#define VALUE_UINT8(stored) (stored)
#define VALUE_UINT16(stored) (stored)
#define VALUE_UINT32(stored) (stored)
#define VALUE_UINT64(stored) (stored)
#define VALUE_HALF(stored) (shnd_half_to_float (stored))
#define VALUE_FLOAT(stored) (stored)
#define VALUE_DOUBLE(stored) (stored)
#define VALUE_LONG_DOUBLE(stored) (stored)

/* C leaves a float outside the integer's range undefined. The limits are powers of two, so that
 * each is exact as a float too: 2^63 is INT64's limit, while G_MAXINT64 would be rounded to it. */
#define SATURATE(value, type, minimum, maximum, low, high)                                         \
  ((value) != (value) ? (type) 0 :                                                                 \
   (value) <= (low)   ? (type) (minimum) :                                                         \
   (value) >= (high)  ? (type) (maximum) :                                                         \
                        (type) (value))
/* clang-format off */
#define TO_INTEGER(value, type, ...) \
  _Generic ((value), \
            float: SATURATE (value, type, __VA_ARGS__), \
            double: SATURATE (value, type, __VA_ARGS__), \
            long double: SATURATE (value, type, __VA_ARGS__), \
            default: (type) (value))
/* clang-format on */

#define TO_BOOL(value) ((value) != 0)
#define TO_INT8(value) TO_INTEGER (value, gint8, G_MININT8, G_MAXINT8, -0x1p7f, 0x1p7f)
#define TO_INT16(value) TO_INTEGER (value, gint16, G_MININT16, G_MAXINT16, -0x1p15f, 0x1p15f)
#define TO_INT32(value) TO_INTEGER (value, gint32, G_MININT32, G_MAXINT32, -0x1p31f, 0x1p31f)
#define TO_INT64(value) TO_INTEGER (value, gint64, G_MININT64, G_MAXINT64, -0x1p63f, 0x1p63f)
#define TO_UINT8(value) TO_INTEGER (value, guint8, 0, G_MAXUINT8, 0, 0x1p8f)
#define TO_UINT16(value) TO_INTEGER (value, guint16, 0, G_MAXUINT16, 0, 0x1p16f)
#define TO_UINT32(value) TO_INTEGER (value, guint32, 0, G_MAXUINT32, 0, 0x1p32f)
#define TO_UINT64(value) TO_INTEGER (value, guint64, 0, G_MAXUINT64, 0, 0x1p64f)
/* An integer's way through float rounds only where the half is infinite anyway. */
/* clang-format off */
#define TO_HALF(value) \
  (_Generic ((value), \
             double: shnd_half_from_double, \
             long double: shnd_half_from_long_double, \
             default: shnd_half_from_float) (value))
/* clang-format on */
#define TO_FLOAT(value) ((float) (value))
#define TO_DOUBLE(value) ((double) (value))
#define TO_LONG_DOUBLE(value) ((long double) (value))

#define CONVERT_ONE(target_type, source_type)                                                      \
  stored_##source_type from;                                                                       \
  stored_##target_type to;                                                                         \
                                                                                                   \
  memcpy (&from, source, sizeof from);                                                             \
  __auto_type value = VALUE_##source_type (from);                                                  \
  to = TO_##target_type (value);                                                                   \
  STORE_##target_type (target, to)

#define KERNEL(target_type, source_type)                                                           \
  static void target_type##_from_##source_type (const ShndRun *run)                                \
  {                                                                                                \
    SHND_RUN_EACH (run, sizeof (stored_##target_type), sizeof (stored_##source_type),              \
                   CONVERT_ONE (target_type, source_type));                                        \
  }

#define KERNELS(target_type) SOURCES (KERNEL, target_type)
TARGETS (KERNELS)

typedef void (*Kernel) (const ShndRun *run);

#define KERNEL_ENTRY(target_type, source_type)                                                     \
  [SHND_NUMBER_##source_type] = target_type##_from_##source_type,
#define KERNEL_ROW(target_type)                                                                    \
  [SHND_NUMBER_##target_type] = { SOURCES (KERNEL_ENTRY, target_type) },
static const Kernel kernels[SHND_N_NUMBERS][SHND_N_NUMBERS] = { TARGETS (KERNEL_ROW) };

#define SIZE_ENTRY(type) [SHND_NUMBER_##type] = sizeof (stored_##type),
static const guint8 sizes[SHND_N_NUMBERS] = { TARGETS (SIZE_ENTRY) };

gboolean
shnd_number_is_real (ShndDType *dtype)
{
  return dtype->kind == SHND_DTYPE_KIND_BOOL || dtype->kind == SHND_DTYPE_KIND_INT ||
         dtype->kind == SHND_DTYPE_KIND_UINT || dtype->kind == SHND_DTYPE_KIND_FLOAT;
}

gboolean
shnd_number_is_time (ShndDType *dtype)
{
  return dtype->kind == SHND_DTYPE_KIND_DATETIME || dtype->kind == SHND_DTYPE_KIND_TIMEDELTA;
}

ShndNumber
shnd_number_for_dtype (ShndDType *dtype)
{
  gsize size = dtype->item_size;

  switch (dtype->kind)
    {
    case SHND_DTYPE_KIND_BOOL:
      return SHND_NUMBER_BOOL;

    case SHND_DTYPE_KIND_INT:
      return size == 1 ? SHND_NUMBER_INT8 :
             size == 2 ? SHND_NUMBER_INT16 :
             size == 4 ? SHND_NUMBER_INT32 :
                         SHND_NUMBER_INT64;

    case SHND_DTYPE_KIND_UINT:
      return size == 1 ? SHND_NUMBER_UINT8 :
             size == 2 ? SHND_NUMBER_UINT16 :
             size == 4 ? SHND_NUMBER_UINT32 :
                         SHND_NUMBER_UINT64;

    case SHND_DTYPE_KIND_COMPLEX:
      size /= 2;
      G_GNUC_FALLTHROUGH;
    case SHND_DTYPE_KIND_FLOAT:
      return size == 2 ? SHND_NUMBER_HALF :
             size == 4 ? SHND_NUMBER_FLOAT :
             size == 8 ? SHND_NUMBER_DOUBLE :
                         SHND_NUMBER_LONG_DOUBLE;

    case SHND_DTYPE_KIND_DATETIME:
    case SHND_DTYPE_KIND_TIMEDELTA:
      return SHND_NUMBER_INT64;

    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
    case SHND_DTYPE_KIND_VOID:
    case SHND_DTYPE_KIND_STRUCT:
    case SHND_DTYPE_KIND_SUBARRAY:
      break;
    }
  g_return_val_if_reached (SHND_NUMBER_BOOL);
}

void
shnd_number_convert (ShndNumber target,
                     gboolean target_swapped,
                     ShndNumber source,
                     gboolean source_swapped,
                     const ShndRun *run)
{
  Kernel kernel = kernels[target][source];
  guint8 target_bytes[BLOCK * sizeof (long double)];
  guint8 source_bytes[BLOCK * sizeof (long double)];
  ShndRun rest = *run;
  ShndRun block;

  if (!target_swapped && !source_swapped)
    {
      kernel (run);
      return;
    }
  if (target == source && target_swapped != source_swapped)
    {
      shnd_swap (run, sizes[target]);
      return;
    }

  while (shnd_run_take (&rest, BLOCK, &block))
    {
      ShndRun native = block;

      if (source_swapped)
        {
          native.source = source_bytes;
          native.source_stride = sizes[source];
          shnd_swap (
              &(ShndRun){ source_bytes, sizes[source], block.source, block.source_stride, block.n },
              sizes[source]);
        }
      if (target_swapped)
        {
          native.target = target_bytes;
          native.target_stride = sizes[target];
        }
      kernel (&native);
      if (target_swapped)
        shnd_swap (
            &(ShndRun){ block.target, block.target_stride, target_bytes, sizes[target], block.n },
            sizes[target]);
    }
}

void
shnd_number_read (ShndDType *dtype, const guint8 *element, ShndNumber number, gpointer variable)
{
  shnd_number_convert (number, FALSE, shnd_number_for_dtype (dtype), dtype->swapped,
                       &(ShndRun){ .target = variable, .source = element, .n = 1 });
}

void
shnd_number_write (ShndDType *dtype, guint8 *element, ShndNumber number, gconstpointer variable)
{
  shnd_number_convert (shnd_number_for_dtype (dtype), dtype->swapped, number, FALSE,
                       &(ShndRun){ .target = element, .source = variable, .n = 1 });
}
