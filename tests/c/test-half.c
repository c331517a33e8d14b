/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "cast-support.h"

/* Half precision */

static void
test_half_all (void)
{
  for (guint half = 0; half <= G_MAXUINT16; half++)
    {
      float value = shnd_half_to_float (half);
      double expected = read_half (half);

      if (isnan (expected))
        {
          g_assert_true (isnan (value));
          g_assert_true (isnan (shnd_half_to_float (shnd_half_from_float (value))));
          g_assert_true (isnan (shnd_half_to_float (shnd_half_from_double (value))));
          g_assert_true (isnan (shnd_half_to_float (shnd_half_from_long_double (value))));
          continue;
        }
      g_assert_cmpfloat (value, ==, expected);
      g_assert_cmpint (!signbit (value), ==, !(half & 0x8000));
      g_assert_cmphex (shnd_half_from_float (value), ==, half);
      g_assert_cmphex (shnd_half_from_double (value), ==, half);
      g_assert_cmphex (shnd_half_from_long_double (value), ==, half);
    }
}

/* Half-way between two neighbours, and a hair to both sides. */
static void
test_half_rounding (void)
{
  guint32 tiny_nan;
  float nan;

  for (guint sign = 0; sign <= 0x8000; sign += 0x8000)
    for (guint lower = 0; lower < 0x7c00; lower++)
      {
        guint16 near = sign | lower;
        guint16 far = sign | (lower + 1);
        guint16 even = near & 1 ? far : near;
        double from = read_half (near);
        double to = lower == 0x7bff ? copysign (65536, from) : read_half (far);
        double middle = (from + to) / 2;

        g_assert_cmphex (shnd_half_from_float (middle), ==, even);
        g_assert_cmphex (shnd_half_from_float (nextafterf (middle, from)), ==, near);
        g_assert_cmphex (shnd_half_from_float (nextafterf (middle, to)), ==, far);
        g_assert_cmphex (shnd_half_from_double (middle), ==, even);
        g_assert_cmphex (shnd_half_from_double (nextafter (middle, from)), ==, near);
        g_assert_cmphex (shnd_half_from_double (nextafter (middle, to)), ==, far);
        g_assert_cmphex (shnd_half_from_long_double (middle), ==, even);
        if (!have_long_double ())
          continue;
        g_assert_cmphex (shnd_half_from_long_double (nextafterl (middle, from)), ==, near);
        g_assert_cmphex (shnd_half_from_long_double (nextafterl (middle, to)), ==, far);
      }

  /* a NaN whose payload a half has no room for */
  tiny_nan = 0x7f800001;
  memcpy (&nan, &tiny_nan, sizeof nan);
  g_assert_true (isnan (shnd_half_to_float (shnd_half_from_float (nan))));

  g_assert_cmphex (shnd_half_from_double (DBL_MAX), ==, 0x7c00);
  g_assert_cmphex (shnd_half_from_double (-DBL_TRUE_MIN), ==, 0x8000);
  if (!have_long_double ())
    return;
  g_assert_cmphex (shnd_half_from_long_double (-LDBL_MAX), ==, 0xfc00);
  g_assert_cmphex (shnd_half_from_long_double (LDBL_TRUE_MIN), ==, 0x0000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cast/half/all", test_half_all);
  g_test_add_func ("/cast/half/rounding", test_half_rounding);

  return g_test_run ();
}
