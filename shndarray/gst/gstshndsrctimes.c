/* SPDX-License-Identifier: MIT */

#include "gstshndsrctimes.h"

#include "gstshndclock.h"

void
gst_shnd_times_reset (GstShndTimes *self)
{
  self->has_anchor = FALSE;
}

/* The clock may be any: the first frame is of now, and the others by their distance from it. */
static GstClockTime
follow_anchor (GstShndTimes *self, gint64 timestamp, GstClockTime now, GstClockTime floor)
{
  if (!self->has_anchor || timestamp < self->last)
    {
      self->has_anchor = TRUE;
      self->anchor = timestamp;
      self->anchor_time = MAX (now, floor);
    }
  self->last = timestamp;

  return gst_shnd_time_shift (self->anchor_time, self->anchor, timestamp, floor);
}

gboolean
gst_shnd_times_apply (GstShndTimes *self,
                      GstElement *element,
                      gint64 timestamp,
                      const GstShndInfo *info,
                      GstClockTime floor,
                      GstBuffer *buffer)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  GstClockTime base_time = gst_element_get_base_time (element);
  gboolean follows = TRUE;
  GstClockTime time;

  if (clock == NULL)
    return TRUE;

  if (info == NULL)
    {
      GstClockTime now = gst_clock_get_time (clock);

      follows = !self->has_anchor || timestamp >= self->last;
      GST_BUFFER_PTS (buffer) =
          follow_anchor (self, timestamp, now > base_time ? now - base_time : 0, floor);
      return follows;
    }

  time = gst_shnd_time_shift (0, (gint64) base_time + gst_shnd_clock_get_lead (clock), timestamp,
                              floor);
  if (!GST_CLOCK_TIME_IS_VALID (info->dts))
    GST_BUFFER_PTS (buffer) = time;
  else if (!GST_CLOCK_TIME_IS_VALID (info->pts))
    GST_BUFFER_DTS (buffer) = time;
  else
    {
      GST_BUFFER_PTS (buffer) = time;
      GST_BUFFER_DTS (buffer) = gst_shnd_time_shift (time, info->pts, info->dts, floor);
    }
  return TRUE;
}
