/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SHND_SRC (gst_shnd_src_get_type ())
G_DECLARE_FINAL_TYPE (GstShndSrc, gst_shnd_src, GST, SHND_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (shndsrc);

G_END_DECLS
