/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"

#include <string.h>

static guint32
bits_from_float (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static float
float_from_bits (guint32 bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

float
shnd_half_to_float (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 0x1f;
  guint32 fraction = half & 0x3ff;

  if (exponent == 0x1f)
    return float_from_bits (sign | 0x7f800000 | fraction << 13);
  if (exponent == 0)
    return float_from_bits (sign | bits_from_float (fraction * 0x1p-24f));
  return float_from_bits (sign | (exponent + 112) << 23 | fraction << 13);
}

/* Drops the low bits; rounds to nearest, ties to even. A carry into the exponent is as it should
 * be. */
static guint32
shift_right_rounded (guint32 value, guint shift)
{
  guint32 tie = (guint32) 1 << (shift - 1);
  guint32 dropped = value & (2 * tie - 1);
  guint32 kept = value >> shift;

  return kept + (dropped > tie || (dropped == tie && (kept & 1)));
}

guint16
shnd_half_from_float (float value)
{
  guint32 bits = bits_from_float (value);
  guint16 sign = bits >> 16 & 0x8000;
  guint32 fraction = bits & 0x7fffff;
  guint exponent = bits >> 23 & 0xff;

  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    /* what fits of the payload, but never so little that the NaN becomes an infinity */
    return sign | 0x7c00 | (fraction >> 13 ? fraction >> 13 : 1);
  if (bits >= 0x477ff000) /* half-way from the largest finite one to the next */
    return sign | 0x7c00;
  if (bits >= 0x38800000) /* 2^-14 */
    return sign | shift_right_rounded (bits - (112u << 23), 13);
  if (bits > 0x33000000) /* 2^-25, half of the smallest one, rounds to 0 */
    return sign | shift_right_rounded (fraction | 0x800000, 126 - exponent);
  return sign;
}

/* Rounding twice can be off by one: the first rounding may make a tie of what was none. Rounding to
 * odd first keeps everything apart that the second rounding must tell apart. */
#define ROUND_TO_ODD(value)                                                                        \
  float rounded = (float) (value);                                                                 \
  guint32 bits = bits_from_float (rounded);                                                        \
                                                                                                   \
  if ((value) == (value) && rounded != (value))                                                    \
    {                                                                                              \
      /* too far away from zero? */                                                                \
      if ((value) < 0 ? rounded < (value) : rounded > (value))                                     \
        bits--;                                                                                    \
      bits |= 1;                                                                                   \
    }                                                                                              \
  return shnd_half_from_float (float_from_bits (bits))

guint16
shnd_half_from_double (double value)
{
  ROUND_TO_ODD (value);
}

guint16
shnd_half_from_long_double (long double value)
{
  ROUND_TO_ODD (value);
}
