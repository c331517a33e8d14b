/* SPDX-License-Identifier: MIT */

#include "gstshndclock.h"

#include <time.h>

static GstClockTime
get_monotonic_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return GST_TIMESPEC_TO_TIME (now);
}

/* Those of sound cards and of the network are of classes that derive from it, and go as they like. */
static gboolean
is_monotonic (GstClock *clock)
{
  GstClockType type;
  GstClockTime internal, external, num, denom;

  if (G_OBJECT_TYPE (clock) != GST_TYPE_SYSTEM_CLOCK)
    return FALSE;

  g_object_get (clock, "clock-type", &type, NULL);
  gst_clock_get_calibration (clock, &internal, &external, &num, &denom);

  return type == GST_CLOCK_TYPE_MONOTONIC && internal == external && num == denom;
}

GstClockTimeDiff
gst_shnd_clock_get_lead (GstClock *clock)
{
  GstClockTime before, time, after;

  if (is_monotonic (clock))
    return 0;

  before = get_monotonic_time ();
  time = gst_clock_get_time (clock);
  after = get_monotonic_time ();

  return GST_CLOCK_DIFF (time, before + (after - before) / 2);
}

GstClockTime
gst_shnd_time_shift (GstClockTime time, gint64 from, gint64 to, GstClockTime floor)
{
  gint64 distance, shifted;

  if (__builtin_sub_overflow (to, from, &distance))
    distance = to < from ? G_MININT64 : G_MAXINT64;
  if (__builtin_add_overflow ((gint64) time, distance, &shifted))
    shifted = G_MAXINT64;

  return shifted < 0 ? floor : MAX ((GstClockTime) shifted, floor);
}
