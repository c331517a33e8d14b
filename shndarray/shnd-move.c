/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"

#include <string.h>

#if defined(__OPTIMIZE__) && defined(__GNUC__) && !defined(__clang__)
/* What clang does at -O2 anyway. */
#pragma GCC optimize("tree-vectorize", "vect-cost-model=dynamic")
#endif

/* Enough for memcpy() to run at full speed, and stays in the first cache. */
#define REPEAT_BLOCK 4096

/* Fills target with copies of one element. */
static void
repeat (guint8 *restrict target, const guint8 *restrict source, gsize size, gsize n)
{
  gsize total = size * n;
  gsize block = size;

  memcpy (target, source, size);
  while (block < total && block < REPEAT_BLOCK)
    {
      gsize step = MIN (block, total - block);

      memcpy (target + block, target, step);
      block += step;
    }
  for (gsize done = block; done < total; done += block)
    memcpy (target + done, target, MIN (block, total - done));
}

/* With the size a constant, memcpy() becomes a load and a store. */
#define MOVE(size) SHND_RUN_EACH (run, size, size, memcpy (target, source, size))

void
shnd_move (const ShndRun *run, gsize size)
{
  if (run->n == 0 || size == 0)
    return;

  if (run->target_stride == (gssize) size)
    {
      if (run->source_stride == (gssize) size)
        {
          memcpy (run->target, run->source, size * run->n);
          return;
        }
      if (run->source_stride == 0)
        {
          repeat (run->target, run->source, size, run->n);
          return;
        }
    }

  switch (size)
    {
    case 1:
      MOVE (1);
      break;
    case 2:
      MOVE (2);
      break;
    case 4:
      MOVE (4);
      break;
    case 8:
      MOVE (8);
      break;
    case 16:
      MOVE (16);
      break;
    default:
      MOVE (size);
      break;
    }
}

#define SWAP_ONE(type, swap)                                                                       \
  type value;                                                                                      \
                                                                                                   \
  memcpy (&value, source, sizeof value);                                                           \
  value = swap (value);                                                                            \
  memcpy (target, &value, sizeof value)

#define SWAP(type, swap) SHND_RUN_EACH (run, sizeof (type), sizeof (type), SWAP_ONE (type, swap))

void
shnd_swap (const ShndRun *run, gsize size)
{
  switch (size)
    {
    case 2:
      SWAP (guint16, __builtin_bswap16);
      break;
    case 4:
      SWAP (guint32, __builtin_bswap32);
      break;
    case 8:
      SWAP (guint64, __builtin_bswap64);
      break;
    default:
      SHND_RUN_EACH (run, size, size,
                     for (gsize i = 0; i < size; i++) target[i] = source[size - 1 - i]);
      break;
    }
}
