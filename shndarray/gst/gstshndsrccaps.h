/* SPDX-License-Identifier: MIT */

#pragma once

#include "gstshndinfo.h"

G_BEGIN_DECLS

/* The caps of a buffer that is made of the frame: those that are given, which may leave open what the
 * array says; or what the publisher says, or what the array looks like. ANY if the buffer had no caps
 * where it was sent.
 *
 * Fails with GST_STREAM_ERROR_FORMAT if the given caps leave open more, and with
 * GST_STREAM_ERROR_DECODE if what the publisher says makes no sense. */
GstCaps *gst_shnd_caps_new_for_frame (ShndFrame *frame,
                                      const GstShndInfo *info,
                                      GstCaps *given,
                                      GError **error);

G_END_DECLS
