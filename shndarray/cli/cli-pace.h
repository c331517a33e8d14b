/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* When to do what is to be done so many times a second. The times are fixed when it begins, so that
 * small delays do not add up; those that have passed are left out, so that nothing is done in a hurry
 * after a long one. */
typedef struct
{
  gdouble interval; /* in microseconds; 0 for no limit */
  gint64 begun;     /* 0 before the first time */
  gdouble n;        /* how many times there were since; for any rate there is */
} CliPace;

/* A rate of 0 stands for as fast as it goes. */
void cli_pace_init (CliPace *self, gdouble rate);

/* How long to wait in microseconds; 0 if it is time. */
gint64 cli_pace_get_left (CliPace *self);

/* It is done now: the next time is the one after this. */
void cli_pace_advance (CliPace *self);

/* How fast a number has grown lately. */
#define CLI_METER_SIZE 9

typedef struct
{
  struct
  {
    gint64 time;
    guint64 value;
  } samples[CLI_METER_SIZE]; /* the last ones; a ring */
  guint n_samples;           /* of all time */
} CliMeter;

/* Tells the meter what the number is now. Returns the rate per second over the last two seconds; 0 at
 * first. */
gdouble cli_meter_update (CliMeter *self, guint64 value);

G_END_DECLS
