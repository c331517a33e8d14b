/* SPDX-License-Identifier: MIT */

/* What several of the tests of casts need. */

#pragma once

#include <float.h>
#include <math.h>
#include <shndarray/shndarray.h>
#include <string.h>

#include "shnd-cast-private.h"
#include "support.h"

/* Valgrind computes with 64 bits where a long double has 80. */
static inline gboolean
have_long_double (void)
{
  return LDBL_MANT_DIG > DBL_MANT_DIG && g_getenv ("SHND_TEST_VALGRIND") == NULL;
}

/* Without bit tricks. */
static inline double
read_half (guint16 half)
{
  double sign = half & 0x8000 ? -1 : 1;
  int exponent = half >> 10 & 0x1f;
  int fraction = half & 0x3ff;

  if (exponent == 0x1f)
    return fraction ? (double) NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * ldexp (fraction, -24);
  return sign * ldexp (1024 + fraction, exponent - 25);
}

static inline void
check_bytes (const char *target_text,
             const char *source_text,
             const char *from,
             gsize from_length,
             const char *expected,
             gsize expected_length)
{
  g_autoptr (ShndDType) target = new_dtype (target_text);
  g_autoptr (ShndDType) source = new_dtype (source_text);
  g_autofree guint8 *to = g_malloc (expected_length);
  gsize n = from_length / source->item_size;

  g_assert_cmpuint (n * source->item_size, ==, from_length);
  g_assert_cmpuint (n * target->item_size, ==, expected_length);
  g_assert_true (shnd_cast_check (target, source, NULL));
  memset (to, CANARY, expected_length);
  shnd_cast (target, source,
             &(ShndRun){ to, target->item_size, (const guint8 *) from, source->item_size, n });
  g_assert_cmpmem (to, expected_length, expected, expected_length);
}

#define CHECK_BYTES(target, source, from, expected)                                                \
  check_bytes (target, source, from, sizeof (from) - 1, expected, sizeof (expected) - 1)
