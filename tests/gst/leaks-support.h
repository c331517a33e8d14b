/* SPDX-License-Identifier: MIT */

/* Whether anything is left, by the tracer of GStreamer. */

#pragma once

#include <gst/gst.h>

/* Before GStreamer is initialized. Without a filter it tells of the registry, too. */
static inline void
trace_leaks (const char *types)
{
  g_autofree char *tracer = g_strdup_printf ("leaks(filters=\"%s\")", types);

  g_setenv ("GST_TRACERS", tracer, TRUE);
}

/* When all tests have been run. */
static inline void
assert_no_leaks (void)
{
  GList *tracers = gst_tracing_get_active_tracers ();
  GstStructure *live = NULL;
  g_autofree char *text = NULL;

  g_assert_nonnull (tracers);
  g_signal_emit_by_name (tracers->data, "get-live-objects", &live);
  text = gst_structure_to_string (live);
  if (gst_value_list_get_size (gst_structure_get_value (live, "live-objects-list")) > 0)
    g_error ("This is left: %s", text);
  gst_structure_free (live);
  g_list_free_full (tracers, gst_object_unref);
}
