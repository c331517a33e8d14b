/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndsrc.h"
#include "gstshndsrcbuffer.h"
#include "gstshndsrctimes.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_shnd_src_debug);
GST_DEBUG_CATEGORY_EXTERN (gst_shnd_src_performance);
#define GST_CAT_DEFAULT gst_shnd_src_debug

struct _GstShndSrc
{
  GstPushSrc parent_instance;

  GCancellable *cancellable;
  gboolean has_fd; /* one of the cancellable is kept, so that no wait needs a new one */

  /* With the object lock. */
  char *address;
  GstCaps *caps; /* given, or NULL */
  guint depth;
  gboolean latest_only;
  gboolean reconnect;
  GstClockTime timeout; /* 0 for none */
  ShndSubscriber *subscriber;
  GstClockTime latency;
  GstClockTime floor; /* the running time before which no buffer can be */
  gboolean was_playing;
  guint64 n_missed; /* of the last subscriber */
  guint64 n_received;
  guint64 n_copied;
  guint64 n_shared;
  guint64 n_skipped;

  /* Of the streaming thread. */
  GstShndFormat format; /* of the buffers; without caps before the first one */
  char *caps_text;      /* what the publisher says that they are, if it was believed */
  GstShndInfoCache infos;
  GstShndTimes times;
  gint *held;
  guint64 last_sequence; /* of a frame that became a buffer */
  gboolean is_discont;   /* the next frame does not follow it in any case */
  gboolean is_skipping;
  gboolean takes_video_meta;
};

/* Forgets about the last stream: the next frame is the first of another one. */
void gst_shnd_src_begin_stream (GstShndSrc *self);

GstFlowReturn gst_shnd_src_create (GstPushSrc *src, GstBuffer **buffer);

G_END_DECLS
