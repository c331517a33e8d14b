/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/gst.h>

#include "gstshndallocator.h"

G_BEGIN_DECLS

/* Buffers of raw video in the slots of a sink's publisher. Each has a slot of its own, which is not used
 * for another buffer before everybody has given it back. */

#define GST_TYPE_SHND_POOL (gst_shnd_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstShndPool, gst_shnd_pool, GST, SHND_POOL, GstBufferPool)

GstBufferPool *gst_shnd_pool_new (GstShndAllocator *allocator);

G_END_DECLS
