/* SPDX-License-Identifier: MIT */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps and structures as text that may be anybody's. GStreamer's own parser is for texts of friends: it
 * loses memory of what has mistakes in it, wants stack for each nested list, twice the time for each '['
 * that has no end, and a new name for good. This one reads what streams and metas have: numbers, strings,
 * booleans, fractions, bitmasks, enumerations, flags, buffers, lists and arrays of these, and structures
 * in structures. NULL for all else. */
GstCaps *gst_shnd_text_parse_caps (const char *text);
GstStructure *gst_shnd_text_parse_structure (const char *text);

/* Whether a name, which may be anybody's, can become a quark: GLib keeps it for good, so only a megabyte
 * of new ones can. */
gboolean gst_shnd_text_can_be_known (const char *name);

G_END_DECLS
