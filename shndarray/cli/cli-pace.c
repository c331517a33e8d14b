/* SPDX-License-Identifier: MIT */

#include "cli-pace.h"

#include <math.h>

/* For ever, in microseconds: times can be added to it. */
#define LONGEST 1e18

/* Between two samples of a meter, in microseconds. */
#define METER_INTERVAL (G_USEC_PER_SEC / 4)

void
cli_pace_init (CliPace *self, gdouble rate)
{
  *self = (CliPace){ .interval = rate > 0 ? MIN (G_USEC_PER_SEC / rate, LONGEST) : 0 };
}

/* How many intervals there were since it began. */
static gdouble
get_position (CliPace *self)
{
  return (g_get_monotonic_time () - self->begun) / self->interval;
}

gint64
cli_pace_get_left (CliPace *self)
{
  gdouble left;

  if (self->interval == 0 || self->begun == 0)
    return 0;

  left = self->n - get_position (self);

  /* Not 0 before it is time. */
  return left > 0 ? MIN (left * self->interval, LONGEST) + 1 : 0;
}

void
cli_pace_advance (CliPace *self)
{
  if (self->interval == 0)
    return;

  if (self->begun == 0)
    self->begun = g_get_monotonic_time ();
  else
    self->n = MAX (self->n, floor (get_position (self)));
  self->n++;
}

gdouble
cli_meter_update (CliMeter *self, guint64 value)
{
  gint64 now = g_get_monotonic_time ();
  guint newest = (self->n_samples + CLI_METER_SIZE - 1) % CLI_METER_SIZE;
  guint oldest;

  if (self->n_samples == 0 || now - self->samples[newest].time >= METER_INTERVAL)
    {
      newest = self->n_samples % CLI_METER_SIZE;
      self->samples[newest].time = now;
      self->samples[newest].value = value;
      self->n_samples++;
    }

  oldest = self->n_samples > CLI_METER_SIZE ? self->n_samples % CLI_METER_SIZE : 0;
  if (now == self->samples[oldest].time)
    return 0;

  return (value - self->samples[oldest].value) * (gdouble) G_USEC_PER_SEC /
         (now - self->samples[oldest].time);
}
