/* SPDX-License-Identifier: MIT */

#include "gstshndsinkprivate.h"

#include "gstshndclock.h"

/* How a buffer becomes a frame. */

/* When the buffer is due, without latency, by the monotonic clock; -1 if that is not known. */
static gint64
get_timestamp (GstShndSink *self, GstBuffer *buffer)
{
  GstElement *element = GST_ELEMENT_CAST (self);
  GstSegment *segment = &GST_BASE_SINK_CAST (self)->segment;
  GstClockTime time =
      GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : GST_BUFFER_DTS (buffer);
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  GstClockTime running_time;
  GstClockTimeDiff due;
  int sign;

  if (clock == NULL || segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (time))
    return -1;

  sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, time, &running_time);
  if (sign == 0)
    return -1;

  due = gst_element_get_base_time (element) + sign * (GstClockTimeDiff) running_time;

  return MAX (due + gst_shnd_clock_get_lead (clock), 0);
}

/* Says what the bytes of the frame are, among which the buffer begins at `data`. */
static gboolean
describe (
    GstShndSink *self, ShndFrame *frame, const guint8 *data, GstBuffer *buffer, GError **error)
{
  ShndArray *array = shnd_frame_get_array (frame);
  gint64 offset = data - (const guint8 *) shnd_array_get_data (array);
  g_autoptr (GVariant) metadata = NULL;
  g_autoptr (ShndArray) view = NULL;
  const GstShndLayout *layout = &self->description.layout;

  metadata = gst_shnd_description_update (&self->description, &self->format, buffer,
                                          gst_base_sink_get_latency (GST_BASE_SINK_CAST (self)));
  if (!self->description.fits)
    GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " is not as large as its caps say", buffer);
  view =
      shnd_array_as_strided (array, layout->dtype, offset + (gint64) layout->offset, layout->shape,
                             layout->n_dims, layout->strides, layout->n_dims, error);

  return view != NULL && shnd_frame_set_metadata (frame, metadata, error) &&
         shnd_frame_set_array (frame, view, error);
}

/* What to do about an error: wait until the sink may go on, or give up. */
static GstFlowReturn
handle_error (GstShndSink *self, GError **error)
{
  if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (error);
      return gst_base_sink_wait_preroll (GST_BASE_SINK_CAST (self));
    }

  if (g_error_matches (*error, SHND_ERROR, SHND_ERROR_NO_SPACE))
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%s", (*error)->message), (NULL));
  else if (g_error_matches (*error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ))
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", (*error)->message), (NULL));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("%s", (*error)->message), (NULL));

  return GST_FLOW_ERROR;
}

/* ---- The frame of a buffer ---- */

/* What is there to be published, of a buffer. */
struct _GstShndSinkPrepared
{
  ShndFrame *frame;
  const guint8 *data;   /* where the buffer begins in it */
  GstClockTime latency; /* that it speaks of */
  const char *reason;   /* why it is a copy, or NULL */
};

typedef GstShndSinkPrepared Prepared;

static void
prepared_free (Prepared *self)
{
  g_clear_object (&self->frame);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Prepared, prepared_free)

void
gst_shnd_sink_forget_prepared (GstShndSink *self)
{
  g_clear_pointer (&self->prepared, prepared_free);
}

/* FALSE if the buffer has to be copied. */
static gboolean
take_in_place (Prepared *self, GstShndSink *sink, ShndPublisher *publisher, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;

  self->frame =
      gst_shnd_allocator_get_frame (sink->allocator, publisher, buffer, &self->data, &self->reason);
  if (self->frame == NULL)
    return FALSE;

  gst_shnd_allocator_make_readonly (buffer);
  if (describe (sink, self->frame, self->data, buffer, &error))
    return TRUE;

  /* What was published before may have been another part of the memory. */
  GST_DEBUG_OBJECT (sink, "cannot publish a buffer in place: %s", error->message);
  self->reason = "it cannot be published where it is";
  g_clear_object (&self->frame);

  return FALSE;
}

static gboolean
copy (Prepared *self,
      GstShndSink *sink,
      ShndPublisher *publisher,
      GstBuffer *buffer,
      gint64 timeout,
      GError **error)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("u1", NULL);
  gint64 size = gst_buffer_get_size (buffer);
  gpointer data;

  self->frame =
      shnd_publisher_acquire (publisher, dtype, &size, 1, timeout, sink->cancellable, error);
  if (self->frame == NULL)
    return FALSE;

  GST_CAT_DEBUG_OBJECT (gst_shnd_sink_performance, sink,
                        "copying a buffer of %" G_GINT64_FORMAT " bytes: %s", size, self->reason);
  data = shnd_array_get_data (shnd_frame_get_array (self->frame));
  if (gst_buffer_extract (buffer, 0, data, size) != (gsize) size)
    {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                   "The memory of a buffer of %" G_GINT64_FORMAT " bytes cannot be read", size);
      return FALSE;
    }
  self->data = data;

  return describe (sink, self->frame, data, buffer, error);
}

/* Waits for memory at most as long as the timeout says, in microseconds, as the publisher does. */
static Prepared *
prepared_new (
    GstShndSink *sink, ShndPublisher *publisher, GstBuffer *buffer, gint64 timeout, GError **error)
{
  g_autoptr (Prepared) self = g_new0 (Prepared, 1);

  self->latency = gst_base_sink_get_latency (GST_BASE_SINK_CAST (sink));
  if (take_in_place (self, sink, publisher, buffer) ||
      copy (self, sink, publisher, buffer, timeout, error))
    return g_steal_pointer (&self);

  return NULL;
}

/* What can be done before the buffer is due, so that subscribers have it sooner then. What would have
 * to wait, or fails, is left to the rendering. */
GstFlowReturn
gst_shnd_sink_prepare (GstBaseSink *base, GstBuffer *buffer)
{
  GstShndSink *self = GST_SHND_SINK (base);
  g_autoptr (ShndPublisher) publisher = NULL;

  /* It is called again for the same buffer when that is over. */
  if (base->need_preroll)
    return GST_FLOW_OK;

  gst_shnd_sink_forget_prepared (self);
  publisher = gst_shnd_sink_dup_publisher (self);
  if (publisher != NULL)
    self->prepared = prepared_new (self, publisher, buffer, 0, NULL);

  return GST_FLOW_OK;
}

static GstFlowReturn
complete (GstShndSink *self, ShndPublisher *publisher, GstBuffer *buffer, Prepared **prepared)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = GST_FLOW_OK;

  *prepared = g_steal_pointer (&self->prepared);
  while (*prepared == NULL && flow == GST_FLOW_OK)
    {
      *prepared = prepared_new (self, publisher, buffer, -1, &error);
      if (*prepared == NULL)
        flow = handle_error (self, &error);
    }

  /* It may have changed while the buffer was waiting. */
  if (flow == GST_FLOW_OK &&
      (*prepared)->latency != gst_base_sink_get_latency (GST_BASE_SINK_CAST (self)) &&
      !describe (self, (*prepared)->frame, (*prepared)->data, buffer, &error))
    flow = handle_error (self, &error);

  return flow;
}

/* ---- Publishing it ---- */

static GstFlowReturn
wait_for_subscribers (GstShndSink *self, ShndPublisher *publisher)
{
  g_autoptr (GError) error = NULL;
  guint n_subscribers;

  if (self->had_audience)
    return GST_FLOW_OK;

  GST_OBJECT_LOCK (self);
  n_subscribers = self->wait_subscribers;
  GST_OBJECT_UNLOCK (self);

  while (n_subscribers > 0 &&
         !shnd_publisher_wait_subscribers (publisher, n_subscribers, -1, self->cancellable, &error))
    {
      GstFlowReturn flow = handle_error (self, &error);

      if (flow != GST_FLOW_OK)
        return flow;
    }
  self->had_audience = TRUE;

  return GST_FLOW_OK;
}

static GstFlowReturn
publish (GstShndSink *self, ShndPublisher *publisher, ShndFrame *frame, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK)
    {
      /* Known since the pipeline plays, and another one when it plays again after a pause. */
      shnd_frame_set_timestamp (frame, get_timestamp (self, buffer));
      if (shnd_publisher_publish (publisher, frame, -1, self->cancellable, &error))
        break;
      flow = handle_error (self, &error);
    }

  return flow;
}

GstFlowReturn
gst_shnd_sink_render (GstBaseSink *base, GstBuffer *buffer)
{
  GstShndSink *self = GST_SHND_SINK (base);
  g_autoptr (ShndPublisher) publisher = NULL;
  g_autoptr (Prepared) prepared = NULL;
  GstFlowReturn flow;

  if (!gst_shnd_sink_open (self))
    return GST_FLOW_ERROR;

  publisher = gst_shnd_sink_dup_publisher (self);
  flow = wait_for_subscribers (self, publisher);
  if (flow == GST_FLOW_OK)
    flow = complete (self, publisher, buffer, &prepared);
  if (flow != GST_FLOW_OK)
    return flow;

  flow = publish (self, publisher, prepared->frame, buffer);
  if (flow != GST_FLOW_OK)
    return flow;

  if (prepared->reason == NULL)
    gst_shnd_allocator_set_published (buffer);
  GST_OBJECT_LOCK (self);
  self->n_frames++;
  if (prepared->reason != NULL)
    self->n_copied++;
  GST_OBJECT_UNLOCK (self);

  return GST_FLOW_OK;
}
