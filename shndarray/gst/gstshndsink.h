/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_SHND_SINK (gst_shnd_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstShndSink, gst_shnd_sink, GST, SHND_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (shndsink);

G_END_DECLS
