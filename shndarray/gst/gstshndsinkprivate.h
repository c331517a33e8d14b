/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndallocator.h"
#include "gstshndformat.h"
#include "gstshndmetadata.h"
#include "gstshndsink.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_shnd_sink_debug);
GST_DEBUG_CATEGORY_EXTERN (gst_shnd_sink_performance);
#define GST_CAT_DEFAULT gst_shnd_sink_debug

typedef struct _GstShndSinkPrepared GstShndSinkPrepared;

struct _GstShndSink
{
  GstBaseSink parent_instance;

  GstShndAllocator *allocator;
  GCancellable *cancellable; /* of what render waits for */

  /* With the object's lock: */
  guint n_unlocks; /* that have not been stopped */
  char *address;
  ShndOverflow overflow;
  guint depth;
  guint max_frames;
  guint wait_subscribers;
  gboolean running; /* in PAUSED or PLAYING, or on the way there */
  ShndPublisher *publisher;
  gulong subscribers_id;
  guint64 n_frames;
  guint64 n_copied;
  guint64 n_dropped; /* of publishers that are closed */

  /* Of the streaming thread: */
  GstShndFormat format;
  GstShndDescription description; /* of the last buffer with these caps */
  gboolean had_audience;          /* there were as many subscribers as are waited for */
  GstShndSinkPrepared *prepared;  /* of the buffer that is waiting */
};

/* ---- gstshndsinkpublisher.c ---- */

/* Listens at the address, if it does not yet. Posts a message if it cannot. */
gboolean gst_shnd_sink_open (GstShndSink *self);

/* Subscribers get what is on the way to them, and then the end. */
void gst_shnd_sink_close (GstShndSink *self);

ShndPublisher *gst_shnd_sink_dup_publisher (GstShndSink *self);

/* For the property. */
GstStructure *gst_shnd_sink_make_stats (GstShndSink *self);

/* ---- gstshndsinkrender.c ---- */

/* Makes the frame of a buffer that is not due yet, as far as that needs no waiting. */
GstFlowReturn gst_shnd_sink_prepare (GstBaseSink *base, GstBuffer *buffer);

/* Gives back what was prepared and has not been published. */
void gst_shnd_sink_forget_prepared (GstShndSink *self);

/* Publishes the buffer, or a copy of it. */
GstFlowReturn gst_shnd_sink_render (GstBaseSink *base, GstBuffer *buffer);

G_END_DECLS
