/* SPDX-License-Identifier: MIT */

/* What the streaming thread of a shndsrc does. */

#include "gstshndsrcprivate.h"

#include "gstshndsrccaps.h"

/* ---- The subscriber ---- */

void
gst_shnd_src_begin_stream (GstShndSrc *self)
{
  g_clear_pointer (&self->held, gst_shnd_held_unref);
  self->held = gst_shnd_held_new ();
  gst_shnd_times_reset (&self->times);
  self->is_discont = TRUE;
}

static GstFlowReturn
handle_end (GstShndSrc *self, const GError *reason)
{
  gboolean reconnect;

  GST_OBJECT_LOCK (self);
  reconnect = self->reconnect;
  GST_OBJECT_UNLOCK (self);

  if (reconnect)
    {
      GST_INFO_OBJECT (self, "%s: waiting for the next publisher", reason->message);
      gst_shnd_src_begin_stream (self);
      shnd_subscriber_set_reconnect (self->subscriber, TRUE);
      return GST_FLOW_OK;
    }

  if (g_error_matches (reason, SHND_ERROR, SHND_ERROR_DISCONNECTED))
    GST_ELEMENT_WARNING (self, RESOURCE, READ, ("%s", reason->message), (NULL));
  else
    GST_INFO_OBJECT (self, "%s", reason->message);
  return GST_FLOW_EOS;
}

static GstFlowReturn
handle_failure (GstShndSrc *self, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return GST_FLOW_FLUSHING;

  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM) ||
      g_error_matches (error, SHND_ERROR, SHND_ERROR_DISCONNECTED))
    return handle_end (self, error);

  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
    {
      /* It is the publisher that is not waited for in vain, not its frames. */
      if (shnd_subscriber_get_connected (self->subscriber))
        return GST_FLOW_OK;
      GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("%s", error->message),
                         ("Start one, or let the property “timeout” be longer, or 0"));
    }
  else if (g_error_matches (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED))
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_AUTHORIZED, ("%s", error->message), (NULL));
  else if (g_error_matches (error, SHND_ERROR, SHND_ERROR_NO_SPACE))
    GST_ELEMENT_ERROR (self, RESOURCE, BUSY, ("%s", error->message), (NULL));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", error->message), (NULL));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
receive (GstShndSrc *self, ShndFrame **frame)
{
  GstFlowReturn ret = GST_FLOW_OK;

  while (ret == GST_FLOW_OK)
    {
      g_autoptr (GError) error = NULL;
      GstClockTime timeout;

      GST_OBJECT_LOCK (self);
      timeout = self->timeout;
      GST_OBJECT_UNLOCK (self);

      *frame = shnd_subscriber_receive (
          self->subscriber, timeout > 0 ? MAX (1, (gint64) (timeout / GST_USECOND)) : -1,
          self->cancellable, &error);
      if (*frame != NULL)
        {
          /* Or the end of this stream would not be noticed. */
          if (shnd_subscriber_get_reconnect (self->subscriber))
            shnd_subscriber_set_reconnect (self->subscriber, FALSE);
          return GST_FLOW_OK;
        }
      ret = handle_failure (self, error);
    }

  return ret;
}

/* ---- Caps ---- */

/* Takes over what the caps of this frame are, if they are others than those of the last one. */
static GstFlowReturn
update_format (
    GstShndSrc *self, ShndFrame *frame, const GstShndInfo *info, GstCaps *given, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;

  if (given == NULL && self->caps_text != NULL && g_strcmp0 (info->caps, self->caps_text) == 0)
    return GST_FLOW_OK;

  caps = gst_shnd_caps_new_for_frame (frame, info, given, error);
  if (caps == NULL)
    return GST_FLOW_ERROR;

  /* There is no event that takes caps back. */
  if (gst_caps_is_any (caps) && gst_pad_has_current_caps (GST_BASE_SRC_PAD (self)))
    gst_caps_take (&caps, gst_shnd_caps_new_for_array (shnd_frame_get_array (frame)));

  g_free (self->caps_text);
  self->caps_text = given == NULL ? g_strdup (info->caps) : NULL;
  if (self->format.caps != NULL && gst_caps_is_equal (caps, self->format.caps))
    return GST_FLOW_OK;

  gst_shnd_format_clear (&self->format);
  gst_shnd_format_init (&self->format, caps);
  if (gst_base_src_negotiate (GST_BASE_SRC (self)))
    return GST_FLOW_OK;

  /* Flushing may have swallowed them: the next frame says them again. */
  gst_shnd_format_clear (&self->format);
  g_clear_pointer (&self->caps_text, g_free);

  return GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (self)) ? GST_FLOW_FLUSHING :
                                                         GST_FLOW_NOT_NEGOTIATED;
}

/* ---- Buffers ---- */

/* Whether the source would still get frames if this one did not come back. One of them is for the
 * source itself, and another one, if there are as many, for the publisher meanwhile. */
static gboolean
may_hold (GstShndSrc *self)
{
  guint depth = shnd_subscriber_get_granted_depth (self->subscriber);
  guint n_held = g_atomic_int_get (self->held);

  return n_held + (depth > 2 ? 3 : 2) <= depth;
}

static void
set_latency (GstShndSrc *self, GstClockTime latency)
{
  gboolean changed;

  if (!GST_CLOCK_TIME_IS_VALID (latency))
    latency = 0;

  GST_OBJECT_LOCK (self);
  changed = self->latency != latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);

  if (changed)
    {
      GST_DEBUG_OBJECT (self, "latency is now %" GST_TIME_FORMAT, GST_TIME_ARGS (latency));
      gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
    }
}

static void
set_times (GstShndSrc *self, ShndFrame *frame, const GstShndInfo *info, GstBuffer *buffer)
{
  /* A shndsink says one of these, whose timestamps are by the monotonic clock. */
  gboolean says_clock = info->has_span || info->caps != NULL;
  GstClockTime floor;

  GST_OBJECT_LOCK (self);
  floor = self->floor;
  GST_OBJECT_UNLOCK (self);

  if (!gst_base_src_get_do_timestamp (GST_BASE_SRC (self)) &&
      !gst_shnd_times_apply (&self->times, GST_ELEMENT (self), shnd_frame_get_timestamp (frame),
                             says_clock ? info : NULL, floor, buffer))
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
}

static void
set_discont (GstShndSrc *self, ShndFrame *frame, GstBuffer *buffer)
{
  guint64 sequence = shnd_frame_get_sequence (frame);

  if (self->is_discont || sequence != self->last_sequence + 1)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->is_discont = FALSE;
  self->last_sequence = sequence;
}

/* What the user has asked for is an error if it cannot be; what comes from a publisher is left out. */
static GstFlowReturn
refuse (GstShndSrc *self, const GError *error, gboolean is_given)
{
  if (is_given && g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT))
    {
      GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message), (NULL));
      return GST_FLOW_ERROR;
    }

  GST_WARNING_OBJECT (self, "Leaving a frame out: %s", error->message);
  if (!self->is_skipping)
    GST_ELEMENT_WARNING (self, STREAM, DECODE, ("%s", error->message),
                         ("Frames of that kind are left out"));
  self->is_skipping = TRUE;

  GST_OBJECT_LOCK (self);
  self->n_skipped++;
  GST_OBJECT_UNLOCK (self);

  return GST_FLOW_OK;
}

/* GST_FLOW_OK without a buffer is for a frame that is left out. */
static GstFlowReturn
convert (GstShndSrc *self, ShndFrame *frame, const GstShndInfo *info, GstBuffer **buffer)
{
  g_autoptr (GstCaps) given = NULL;
  g_autoptr (GError) error = NULL;
  GstShndBufferParams params;
  GstFlowReturn ret;
  gboolean is_copy = FALSE;

  GST_OBJECT_LOCK (self);
  self->n_received++;
  if (self->caps != NULL)
    given = gst_caps_ref (self->caps);
  GST_OBJECT_UNLOCK (self);

  ret = update_format (self, frame, info, given, &error);
  if (error != NULL)
    return refuse (self, error, given != NULL);
  if (ret != GST_FLOW_OK)
    return ret;

  params.format = &self->format;
  params.takes_video_meta = self->takes_video_meta;
  params.may_hold = may_hold (self);
  params.held = self->held;
  *buffer = gst_shnd_buffer_new (frame, info, &params, &is_copy, &error);
  if (*buffer == NULL)
    return refuse (self, error, given != NULL);

  if (is_copy)
    GST_CAT_DEBUG_OBJECT (gst_shnd_src_performance, self, "copied frame %" G_GUINT64_FORMAT ": %s",
                          shnd_frame_get_sequence (frame),
                          params.may_hold ? "downstream takes no other strides, or it has gaps" :
                                            "downstream has nearly as many as it may hold");
  set_latency (self, info->latency);
  set_times (self, frame, info, *buffer);
  set_discont (self, frame, *buffer);
  self->is_skipping = FALSE;

  GST_OBJECT_LOCK (self);
  *(is_copy ? &self->n_copied : &self->n_shared) += 1;
  GST_OBJECT_UNLOCK (self);

  return GST_FLOW_OK;
}

GstFlowReturn
gst_shnd_src_create (GstPushSrc *src, GstBuffer **buffer)
{
  GstShndSrc *self = GST_SHND_SRC (src);
  GstFlowReturn ret = GST_FLOW_OK;

  *buffer = NULL;
  while (ret == GST_FLOW_OK && *buffer == NULL)
    {
      g_autoptr (ShndFrame) frame = NULL;

      ret = receive (self, &frame);
      /* A frame may come while the element is paused: its time is one of when it goes on. */
      if (ret == GST_FLOW_OK)
        ret = gst_base_src_wait_playing (GST_BASE_SRC (self));
      if (ret == GST_FLOW_OK)
        {
          GstShndInfo info;

          gst_shnd_info_init (&info, &self->infos, shnd_frame_get_metadata (frame));
          ret = convert (self, frame, &info, buffer);
          gst_shnd_info_clear (&info);
        }
    }

  return ret;
}
