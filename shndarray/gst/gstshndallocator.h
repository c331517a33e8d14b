/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/gst.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* Memory in the slots of a sink's publisher. Upstream writes into it; the sink publishes it. From then
 * on it is read-only, and holds its slot until the last reference to it goes. */

#define GST_TYPE_SHND_ALLOCATOR (gst_shnd_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstShndAllocator, gst_shnd_allocator, GST, SHND_ALLOCATOR, GstAllocator)

GstShndAllocator *gst_shnd_allocator_new (void);

/* Whose slots they are from now on; NULL for nobody's. */
void gst_shnd_allocator_set_publisher (GstShndAllocator *self, ShndPublisher *publisher);

typedef enum
{
  GST_SHND_FLUSHING_STATE = 1 << 0, /* the sink is below PAUSED, as at the beginning */
  GST_SHND_FLUSHING_EVENT = 1 << 1, /* between FLUSH_START and FLUSH_STOP */
} GstShndFlushing;

/* While there is a reason nobody waits for a slot. */
void
gst_shnd_allocator_set_flushing (GstShndAllocator *self, GstShndFlushing reason, gboolean flushing);

/* What gst_allocator_alloc() does not tell: GST_FLOW_EOS if there is no slot and nobody may wait, or no
 * publisher any more; GST_FLOW_FLUSHING if it is flushing, or was cancelled. */
GstFlowReturn gst_shnd_allocator_take (GstShndAllocator *self,
                                       gsize size,
                                       const GstAllocationParams *params,
                                       gboolean can_wait,
                                       GCancellable *cancellable,
                                       GstMemory **memory);

/* The frame to publish for a buffer, which is in it, with its first byte at `data`. Also if it was
 * published before. Or NULL, and the reason. */
ShndFrame *gst_shnd_allocator_get_frame (GstShndAllocator *self,
                                         ShndPublisher *publisher,
                                         GstBuffer *buffer,
                                         const guint8 **data,
                                         const char **reason);

/* Before the frame of such a buffer is published: nobody writes it in place any more. */
void gst_shnd_allocator_make_readonly (GstBuffer *buffer);

/* And afterwards. */
void gst_shnd_allocator_set_published (GstBuffer *buffer);

G_END_DECLS
