/* SPDX-License-Identifier: MIT */

#include "gstshndsink.h"
#include "gstshndsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (shndsink, plugin) && GST_ELEMENT_REGISTER (shndsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR,
                   GST_VERSION_MINOR,
                   shnd,
                   "Shares buffers as typed N-dimensional arrays with other processes",
                   plugin_init,
                   VERSION,
                   "MIT/X11",
                   PACKAGE,
                   "Unknown package origin")
