/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"

#include <string.h>

/* Counts of DATETIME and TIMEDELTA from one unit to another.
 *
 * A result is rounded down, and "not a time" where 64 bits do not hold it. Years and months have no
 * fixed length: only a DATETIME, which says which year or month it is, can leave them for weeks and
 * smaller units or come back from these. */

#define NAT G_MININT64

/* Holds an int64 times a multiple (32 bits) in any unit, except for results so large that they do
 * not fit anyway; those multiplications are checked. */
typedef __int128 Wide;

/* How many of the next unit make one. */
static const guint ratios[] = {
  [SHND_UNIT_YEAR] = 12,          [SHND_UNIT_WEEK] = 7,           [SHND_UNIT_DAY] = 24,
  [SHND_UNIT_HOUR] = 60,          [SHND_UNIT_MINUTE] = 60,        [SHND_UNIT_SECOND] = 1000,
  [SHND_UNIT_MILLISECOND] = 1000, [SHND_UNIT_MICROSECOND] = 1000, [SHND_UNIT_NANOSECOND] = 1000,
  [SHND_UNIT_PICOSECOND] = 1000,  [SHND_UNIT_FEMTOSECOND] = 1000,
};

static gboolean
is_calendar_unit (ShndUnit unit)
{
  return unit == SHND_UNIT_YEAR || unit == SHND_UNIT_MONTH;
}

static Wide
get_ratio (ShndUnit larger, ShndUnit smaller)
{
  Wide ratio = 1;

  for (ShndUnit unit = larger; unit < smaller; unit++)
    ratio *= ratios[unit];
  return ratio;
}

static Wide
divide_down (Wide value, Wide divisor)
{
  return value / divisor - (value % divisor < 0);
}

/* The proleptic Gregorian calendar, by Howard Hinnant's "chrono-Compatible Low-Level Date
 * Algorithms" (days_from_civil and civil_from_days). Its years begin in March, so that the leap day
 * is their last one; an era is the 400 years after which everything repeats. */
#define DAYS_PER_ERA 146097
#define DAYS_BEFORE_1970 719468 /* from 0000-03-01 */

static Wide
days_from_month (Wide year, guint month)
{
  guint month_from_march = (month + 9) % 12;
  Wide march_year = year - (month <= 2);
  Wide era = divide_down (march_year, 400);
  guint year_of_era = march_year - era * 400;
  guint day_of_year = (153 * month_from_march + 2) / 5;
  guint day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

  return era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
}

static void
month_from_days (Wide days, Wide *year, guint *month)
{
  Wide era = divide_down (days + DAYS_BEFORE_1970, DAYS_PER_ERA);
  guint day_of_era = days + DAYS_BEFORE_1970 - era * DAYS_PER_ERA;
  guint year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  guint day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  guint month_from_march = (5 * day_of_year + 2) / 153;

  *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  *year = era * 400 + year_of_era + (*month <= 2);
}

static gint64
narrow (Wide value)
{
  return value < G_MININT64 || value > G_MAXINT64 ? NAT : (gint64) value;
}

static gint64
days_from_calendar (gint64 count, ShndDType *target, ShndDType *source)
{
  Wide months = (Wide) count * source->multiple;
  Wide year;
  Wide value;

  if (source->unit == SHND_UNIT_YEAR)
    months *= 12;
  year = divide_down (months, 12);
  value = days_from_month (1970 + year, months - year * 12 + 1);
  if (target->unit == SHND_UNIT_WEEK)
    return narrow (divide_down (value, (Wide) 7 * target->multiple));
  if (__builtin_mul_overflow (value, get_ratio (SHND_UNIT_DAY, target->unit), &value))
    return NAT;
  return narrow (divide_down (value, target->multiple));
}

static gint64
calendar_from_days (gint64 count, ShndDType *target, ShndDType *source)
{
  Wide value = (Wide) count * source->multiple;
  Wide year;
  guint month;

  if (source->unit == SHND_UNIT_WEEK)
    value *= 7;
  else
    value = divide_down (value, get_ratio (SHND_UNIT_DAY, source->unit));
  month_from_days (value, &year, &month);
  value = year - 1970;
  if (target->unit == SHND_UNIT_MONTH)
    value = value * 12 + month - 1;
  return narrow (divide_down (value, target->multiple));
}

static Wide
get_common_divisor (Wide a, Wide b)
{
  while (b != 0)
    {
      Wide remainder = a % b;

      a = b;
      b = remainder;
    }
  return a;
}

static gint64
scale (gint64 count, Wide numerator, Wide denominator)
{
  Wide value;

  /* 64 bits are much faster, and suffice for nearly all there is. */
  if (denominator == 1 && numerator <= G_MAXINT64)
    {
      gint64 product;

      return __builtin_mul_overflow (count, (gint64) numerator, &product) ? NAT : product;
    }
  if (numerator == 1 && denominator <= G_MAXINT64)
    {
      gint64 divisor = (gint64) denominator;

      return count / divisor - (count % divisor < 0);
    }
  if (__builtin_mul_overflow ((Wide) count, numerator, &value))
    return NAT;
  return narrow (divide_down (value, denominator));
}

gboolean
shnd_time_is_same (ShndDType *target, ShndDType *source)
{
  return source->unit == SHND_UNIT_GENERIC ||
         (target->unit == source->unit && target->multiple == source->multiple);
}

gboolean
shnd_time_can_convert (ShndDType *target, ShndDType *source)
{
  if (source->unit == SHND_UNIT_GENERIC || target->unit == SHND_UNIT_GENERIC)
    return source->unit == SHND_UNIT_GENERIC;
  return target->kind == SHND_DTYPE_KIND_DATETIME ||
         is_calendar_unit (target->unit) == is_calendar_unit (source->unit);
}

void
shnd_time_convert (ShndDType *target, ShndDType *source, const ShndRun *run)
{
  gboolean from_calendar = is_calendar_unit (source->unit);
  gboolean to_calendar = is_calendar_unit (target->unit);
  Wide numerator = source->multiple;
  Wide denominator = target->multiple;

  if (from_calendar == to_calendar)
    {
      Wide common;

      numerator *= get_ratio (source->unit, target->unit);
      denominator *= get_ratio (target->unit, source->unit);
      common = get_common_divisor (numerator, denominator);
      numerator /= common;
      denominator /= common;
    }

  for (ShndRun rest = *run; rest.n > 0; shnd_run_skip (&rest, 1))
    {
      gint64 count;

      memcpy (&count, rest.source, sizeof count);
      if (source->swapped)
        count = GUINT64_SWAP_LE_BE (count);

      if (count == NAT)
        ;
      else if (from_calendar == to_calendar)
        count = scale (count, numerator, denominator);
      else if (from_calendar)
        count = days_from_calendar (count, target, source);
      else
        count = calendar_from_days (count, target, source);

      if (target->swapped)
        count = GUINT64_SWAP_LE_BE (count);
      memcpy (rest.target, &count, sizeof count);
    }
}
