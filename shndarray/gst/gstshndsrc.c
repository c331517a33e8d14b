/* SPDX-License-Identifier: MIT */

/**
 * SECTION:element-shndsrc
 * @title: shndsrc
 * @see_also: #shndsink
 *
 * Receives frames of a `ShndPublisher` as buffers: from a #shndsink, or from a program in any language
 * that publishes arrays. The memory of a buffer is the publisher's, read-only; it goes back when the
 * buffer goes.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 shndsrc address=cam0 ! videoconvert ! autovideosink
 * gst-launch-1.0 shndsrc address=cam0 caps=video/x-raw,format=BGR ! videoconvert ! autovideosink
 * ]|
 */

#include "gstshndsrcprivate.h"

GST_DEBUG_CATEGORY (gst_shnd_src_debug);
GST_DEBUG_CATEGORY (gst_shnd_src_performance);

#define DEFAULT_DEPTH 8

enum
{
  PROP_ADDRESS = 1,
  PROP_CAPS,
  PROP_DEPTH,
  PROP_LATEST_ONLY,
  PROP_RECONNECT,
  PROP_TIMEOUT,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void gst_shnd_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstShndSrc,
                               gst_shnd_src,
                               GST_TYPE_PUSH_SRC,
                               G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER,
                                                      gst_shnd_src_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (shndsrc, "shndsrc", GST_RANK_NONE, GST_TYPE_SHND_SRC);

static GstStaticPadTemplate template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* ---- Caps ---- */

static GstCaps *
gst_shnd_src_get_caps (GstBaseSrc *src, GstCaps *filter)
{
  GstShndSrc *self = GST_SHND_SRC (src);
  g_autoptr (GstCaps) caps = NULL;

  GST_OBJECT_LOCK (self);
  caps = self->caps != NULL ? gst_caps_ref (self->caps) : gst_caps_new_any ();
  GST_OBJECT_UNLOCK (self);

  return filter != NULL ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST) :
                          g_steal_pointer (&caps);
}

/* Before there is a frame, nothing is known; and buffers may have no caps. */
static gboolean
gst_shnd_src_negotiate (GstBaseSrc *src)
{
  GstShndSrc *self = GST_SHND_SRC (src);

  return self->format.caps == NULL || gst_caps_is_any (self->format.caps) ||
         gst_base_src_set_caps (src, self->format.caps);
}

static gboolean
gst_shnd_src_decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  GstShndSrc *self = GST_SHND_SRC (src);

  self->takes_video_meta = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);

  /* Frames come with their own memory. */
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);

  return TRUE;
}

/* ---- States ---- */

static gboolean
gst_shnd_src_start (GstBaseSrc *src)
{
  GstShndSrc *self = GST_SHND_SRC (src);
  g_autoptr (ShndSubscriber) subscriber = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;

  GST_OBJECT_LOCK (self);
  address = g_strdup (self->address);
  GST_OBJECT_UNLOCK (self);

  if (address == NULL)
    {
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                         ("The property “address” is not set: expected the name of a stream, such "
                          "as cam0, or the absolute path of a socket"),
                         (NULL));
      return FALSE;
    }

  subscriber = shnd_subscriber_new (address, &error);
  if (subscriber == NULL)
    {
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
      return FALSE;
    }

  self->has_fd = g_cancellable_get_fd (self->cancellable) >= 0;
  gst_shnd_src_begin_stream (self);
  self->is_skipping = FALSE;

  GST_OBJECT_LOCK (self);
  shnd_subscriber_set_depth (subscriber, self->depth);
  shnd_subscriber_set_latest_only (subscriber, self->latest_only);
  self->subscriber = g_steal_pointer (&subscriber);
  self->latency = 0;
  self->floor = 0;
  self->was_playing = FALSE;
  self->n_missed = 0;
  self->n_received = 0;
  self->n_copied = 0;
  self->n_shared = 0;
  self->n_skipped = 0;
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

static gboolean
gst_shnd_src_stop (GstBaseSrc *src)
{
  GstShndSrc *self = GST_SHND_SRC (src);
  g_autoptr (ShndSubscriber) subscriber = NULL;

  GST_OBJECT_LOCK (self);
  subscriber = g_steal_pointer (&self->subscriber);
  if (subscriber != NULL)
    self->n_missed = shnd_subscriber_get_n_missed (subscriber);
  GST_OBJECT_UNLOCK (self);

  if (self->has_fd)
    g_cancellable_release_fd (self->cancellable);
  self->has_fd = FALSE;
  gst_shnd_info_cache_clear (&self->infos);
  gst_shnd_format_clear (&self->format);
  g_clear_pointer (&self->caps_text, g_free);
  g_clear_pointer (&self->held, gst_shnd_held_unref);

  return TRUE;
}

static gboolean
gst_shnd_src_unlock (GstBaseSrc *src)
{
  g_cancellable_cancel (GST_SHND_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
gst_shnd_src_unlock_stop (GstBaseSrc *src)
{
  g_cancellable_reset (GST_SHND_SRC (src)->cancellable);
  return TRUE;
}

static gboolean
gst_shnd_src_query (GstBaseSrc *src, GstQuery *query)
{
  GstShndSrc *self = GST_SHND_SRC (src);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    {
      GST_OBJECT_LOCK (self);
      gst_query_set_latency (query, TRUE, self->latency, GST_CLOCK_TIME_NONE);
      GST_OBJECT_UNLOCK (self);
      return TRUE;
    }

  return GST_BASE_SRC_CLASS (gst_shnd_src_parent_class)->query (src, query);
}

/* Frames that have come in a pause are of a time that the running time has left out. */
static void
note_playing (GstShndSrc *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime base_time = gst_element_get_base_time (GST_ELEMENT (self));
  GstClockTime now = clock != NULL ? gst_clock_get_time (clock) : 0;

  GST_OBJECT_LOCK (self);
  if (self->was_playing && now > base_time)
    self->floor = now - base_time;
  self->was_playing = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
gst_shnd_src_change_state (GstElement *element, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    note_playing (GST_SHND_SRC (element));

  return GST_ELEMENT_CLASS (gst_shnd_src_parent_class)->change_state (element, transition);
}

/* ---- Properties ---- */

/* With the object lock. */
static gboolean
set_address (GstShndSrc *self, const char *address)
{
  if (self->subscriber != NULL)
    return FALSE;

  g_free (self->address);
  self->address = g_strdup (address);
  return TRUE;
}

static GstStructure *
get_stats (GstShndSrc *self)
{
  GstStructure *stats;

  GST_OBJECT_LOCK (self);
  if (self->subscriber != NULL)
    self->n_missed = shnd_subscriber_get_n_missed (self->subscriber);
  stats = gst_structure_new ("application/x-shnd-src-stats", "received", G_TYPE_UINT64,
                             self->n_received, "missed", G_TYPE_UINT64, self->n_missed, "copied",
                             G_TYPE_UINT64, self->n_copied, "zero-copy", G_TYPE_UINT64,
                             self->n_shared, "skipped", G_TYPE_UINT64, self->n_skipped, NULL);
  GST_OBJECT_UNLOCK (self);

  return stats;
}

static void
gst_shnd_src_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstShndSrc *self = GST_SHND_SRC (object);

  if (prop_id == PROP_STATS)
    {
      g_value_take_boxed (value, get_stats (self));
      return;
    }

  GST_OBJECT_LOCK (self);
  switch (prop_id)
    {
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_CAPS:
      gst_value_set_caps (value, self->caps);
      break;
    case PROP_DEPTH:
      g_value_set_uint (value, self->depth);
      break;
    case PROP_LATEST_ONLY:
      g_value_set_boolean (value, self->latest_only);
      break;
    case PROP_RECONNECT:
      g_value_set_boolean (value, self->reconnect);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint64 (value, self->timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_shnd_src_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstShndSrc *self = GST_SHND_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id)
    {
    case PROP_ADDRESS:
      if (!set_address (self, g_value_get_string (value)))
        GST_WARNING_OBJECT (self, "The address can be changed in the states NULL and READY only");
      break;
    case PROP_CAPS:
      gst_caps_replace (&self->caps, (GstCaps *) gst_value_get_caps (value));
      break;
    case PROP_DEPTH:
      self->depth = g_value_get_uint (value);
      break;
    case PROP_LATEST_ONLY:
      self->latest_only = g_value_get_boolean (value);
      if (self->subscriber != NULL)
        shnd_subscriber_set_latest_only (self->subscriber, self->latest_only);
      break;
    case PROP_RECONNECT:
      self->reconnect = g_value_get_boolean (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
  GST_OBJECT_UNLOCK (self);
}

/* ---- shnd://cam0, or shnd:///path/of/a/socket ---- */

static GstURIType
gst_shnd_src_uri_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
gst_shnd_src_uri_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "shnd", NULL };

  return protocols;
}

static gchar *
gst_shnd_src_uri_get_uri (GstURIHandler *handler)
{
  GstShndSrc *self = GST_SHND_SRC (handler);
  gchar *uri = NULL;

  GST_OBJECT_LOCK (self);
  if (self->address != NULL)
    uri = gst_uri_construct ("shnd", self->address);
  GST_OBJECT_UNLOCK (self);

  return uri;
}

static gboolean
gst_shnd_src_uri_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  GstShndSrc *self = GST_SHND_SRC (handler);
  g_autofree char *address = gst_uri_get_location (uri);
  gboolean done;

  if (address == NULL || *address == '\0')
    {
      g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
                   "“%s” has no address: expected one as shnd://cam0 or shnd:///path", uri);
      return FALSE;
    }

  GST_OBJECT_LOCK (self);
  done = set_address (self, address);
  GST_OBJECT_UNLOCK (self);

  if (!done)
    g_set_error_literal (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                         "The URI can be changed in the states NULL and READY only");
  return done;
}

static void
gst_shnd_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = gst_shnd_src_uri_get_type;
  handler->get_protocols = gst_shnd_src_uri_get_protocols;
  handler->get_uri = gst_shnd_src_uri_get_uri;
  handler->set_uri = gst_shnd_src_uri_set_uri;
}

/* ---- The class ---- */

static void
gst_shnd_src_finalize (GObject *object)
{
  GstShndSrc *self = GST_SHND_SRC (object);

  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->address, g_free);
  gst_clear_caps (&self->caps);

  G_OBJECT_CLASS (gst_shnd_src_parent_class)->finalize (object);
}

static void
gst_shnd_src_class_init (GstShndSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_src_class = GST_BASE_SRC_CLASS (klass);
  GstPushSrcClass *push_src_class = GST_PUSH_SRC_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  GST_DEBUG_CATEGORY_INIT (gst_shnd_src_debug, "shndsrc", 0, "source of frames");
  GST_DEBUG_CATEGORY_GET (gst_shnd_src_performance, "GST_PERFORMANCE");

  object_class->get_property = gst_shnd_src_get_property;
  object_class->set_property = gst_shnd_src_set_property;
  object_class->finalize = gst_shnd_src_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (gst_shnd_src_change_state);
  base_src_class->get_caps = GST_DEBUG_FUNCPTR (gst_shnd_src_get_caps);
  base_src_class->negotiate = GST_DEBUG_FUNCPTR (gst_shnd_src_negotiate);
  base_src_class->decide_allocation = GST_DEBUG_FUNCPTR (gst_shnd_src_decide_allocation);
  base_src_class->start = GST_DEBUG_FUNCPTR (gst_shnd_src_start);
  base_src_class->stop = GST_DEBUG_FUNCPTR (gst_shnd_src_stop);
  base_src_class->unlock = GST_DEBUG_FUNCPTR (gst_shnd_src_unlock);
  base_src_class->unlock_stop = GST_DEBUG_FUNCPTR (gst_shnd_src_unlock_stop);
  base_src_class->query = GST_DEBUG_FUNCPTR (gst_shnd_src_query);
  push_src_class->create = GST_DEBUG_FUNCPTR (gst_shnd_src_create);

  props[PROP_ADDRESS] = g_param_spec_string (
      "address", "Address", "Where frames come from: the name of a stream, or the path of a socket",
      NULL, flags | GST_PARAM_MUTABLE_READY);

  props[PROP_CAPS] = g_param_spec_boxed (
      "caps", "Caps", "What the arrays are, whatever the publisher says (NULL = as it says)",
      GST_TYPE_CAPS, flags | GST_PARAM_MUTABLE_PLAYING);

  props[PROP_DEPTH] = g_param_spec_uint (
      "depth", "Depth", "How many frames to hold at most (0 = as many as the publisher allows)", 0,
      SHND_MAX_DEPTH, DEFAULT_DEPTH, flags | GST_PARAM_MUTABLE_READY);

  props[PROP_LATEST_ONLY] =
      g_param_spec_boolean ("latest-only", "Latest only", "Skip frames that are not the newest",
                            FALSE, flags | GST_PARAM_MUTABLE_PLAYING);

  props[PROP_RECONNECT] = g_param_spec_boolean ("reconnect", "Reconnect",
                                                "Wait for the next publisher when the stream ends",
                                                FALSE, flags | GST_PARAM_MUTABLE_PLAYING);

  props[PROP_TIMEOUT] = g_param_spec_uint64 (
      "timeout", "Timeout", "How long to wait for a publisher, in nanoseconds (0 = for ever)", 0,
      G_MAXUINT64, 0, flags | GST_PARAM_MUTABLE_PLAYING);

  props[PROP_STATS] = g_param_spec_boxed (
      "stats", "Statistics", "Numbers of frames: received, missed, copied, zero-copy, skipped",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, props);

  gst_element_class_add_static_pad_template (element_class, &template);
  gst_element_class_set_static_metadata (
      element_class, "Shared array source", "Source",
      "Receives frames in shared memory from a pipeline, or from a program that publishes arrays",
      "the libshndarray developers");
}

static void
gst_shnd_src_init (GstShndSrc *self)
{
  self->cancellable = g_cancellable_new ();
  self->depth = DEFAULT_DEPTH;

  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
