/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* By how much the system's monotonic clock, which the timestamps of frames are of, is ahead of the
 * clock of a pipeline; 0 if that is the same. */
GstClockTimeDiff gst_shnd_clock_get_lead (GstClock *clock);

/* A time that is shifted by the distance of two others, which need not make sense, but not to before
 * `floor`. */
GstClockTime gst_shnd_time_shift (GstClockTime time, gint64 from, gint64 to, GstClockTime floor);

G_END_DECLS
