/* SPDX-License-Identifier: MIT */

#include "gstshndsinkprivate.h"

#include "gstshndpool.h"

/**
 * SECTION:element-shndsink
 * @title: shndsink
 * @see_also: shndsrc
 *
 * Publishes each buffer as an array in shared memory, under an address at which other processes
 * subscribe: other pipelines with shndsrc, and programs in any language with libshndarray.
 *
 * |[
 * gst-launch-1.0 videotestsrc ! video/x-raw,format=RGB ! shndsink address=cam0
 * ]|
 */

GST_DEBUG_CATEGORY (gst_shnd_sink_debug);
GST_DEBUG_CATEGORY (gst_shnd_sink_performance);

/* As the publisher's own. */
#define DEFAULT_OVERFLOW SHND_OVERFLOW_DROP

/* More than the publisher's own: sinks keep what they show, and the frame before. */
#define DEFAULT_DEPTH 4

enum
{
  PROP_ADDRESS = 1,
  PROP_OVERFLOW,
  PROP_DEPTH,
  PROP_MAX_FRAMES,
  PROP_WAIT_SUBSCRIBERS,
  PROP_SUBSCRIBERS,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (GstShndSink, gst_shnd_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE (shndsink, "shndsink", GST_RANK_NONE, GST_TYPE_SHND_SINK);

static GstStaticPadTemplate template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* ---- Properties ---- */

static void
set_address (GstShndSink *self, const char *address)
{
  gboolean running, changed;

  GST_OBJECT_LOCK (self);
  running = self->running;
  changed = !running && g_strcmp0 (self->address, address) != 0;
  if (changed)
    {
      g_free (self->address);
      self->address = g_strdup (address);
    }
  GST_OBJECT_UNLOCK (self);

  if (running)
    GST_WARNING_OBJECT (self, "the address can be changed in the states NULL and READY only");
  /* In READY; it is opened anew on the way to PAUSED. */
  if (changed)
    gst_shnd_sink_close (self);
}

static void
gst_shnd_sink_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstShndSink *self = GST_SHND_SINK (object);

  if (prop_id == PROP_STATS)
    {
      g_value_take_boxed (value, gst_shnd_sink_make_stats (self));
      return;
    }

  GST_OBJECT_LOCK (self);
  switch (prop_id)
    {
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_OVERFLOW:
      g_value_set_enum (value, self->overflow);
      break;
    case PROP_DEPTH:
      g_value_set_uint (value, self->depth);
      break;
    case PROP_MAX_FRAMES:
      g_value_set_uint (value, self->max_frames);
      break;
    case PROP_WAIT_SUBSCRIBERS:
      g_value_set_uint (value, self->wait_subscribers);
      break;
    case PROP_SUBSCRIBERS:
      g_value_set_uint (
          value, self->publisher != NULL ? shnd_publisher_get_n_subscribers (self->publisher) : 0);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_shnd_sink_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstShndSink *self = GST_SHND_SINK (object);

  if (prop_id == PROP_ADDRESS)
    {
      set_address (self, g_value_get_string (value));
      return;
    }

  GST_OBJECT_LOCK (self);
  switch (prop_id)
    {
    case PROP_OVERFLOW:
      self->overflow = g_value_get_enum (value);
      if (self->publisher != NULL)
        shnd_publisher_set_overflow (self->publisher, self->overflow);
      break;
    case PROP_DEPTH:
      self->depth = g_value_get_uint (value);
      if (self->publisher != NULL)
        shnd_publisher_set_depth (self->publisher, self->depth);
      break;
    case PROP_MAX_FRAMES:
      self->max_frames = g_value_get_uint (value);
      if (self->publisher != NULL)
        shnd_publisher_set_max_frames (self->publisher, self->max_frames);
      break;
    case PROP_WAIT_SUBSCRIBERS:
      self->wait_subscribers = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
  GST_OBJECT_UNLOCK (self);
}

/* ---- States ---- */

static void
set_running (GstShndSink *self, gboolean running)
{
  GST_OBJECT_LOCK (self);
  self->running = running;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
go_up (GstShndSink *self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    {
      GST_OBJECT_LOCK (self);
      self->n_frames = self->n_copied = self->n_dropped = 0;
      GST_OBJECT_UNLOCK (self);

      return gst_shnd_sink_open (self);
    }

  /* It may have been closed, at EOS or as the address was changed. */
  if (!gst_shnd_sink_open (self))
    return FALSE;

  set_running (self, TRUE);
  gst_shnd_allocator_set_flushing (self->allocator,
                                   GST_SHND_FLUSHING_STATE | GST_SHND_FLUSHING_EVENT, FALSE);

  return TRUE;
}

static void
stop_running (GstShndSink *self)
{
  gst_shnd_allocator_set_flushing (self->allocator, GST_SHND_FLUSHING_STATE, TRUE);
  gst_shnd_sink_forget_prepared (self);
  gst_shnd_description_clear (&self->description);
  gst_shnd_format_clear (&self->format);
  set_running (self, FALSE);
}

static gboolean
gst_shnd_sink_unlock (GstBaseSink *base)
{
  GstShndSink *self = GST_SHND_SINK (base);

  GST_OBJECT_LOCK (self);
  self->n_unlocks++;
  GST_OBJECT_UNLOCK (self);
  g_cancellable_cancel (self->cancellable);

  return TRUE;
}

static gboolean
gst_shnd_sink_unlock_stop (GstBaseSink *base)
{
  GstShndSink *self = GST_SHND_SINK (base);

  /* Whoever unlocks has made sure that render has seen it; but several may do so. */
  GST_OBJECT_LOCK (self);
  if (--self->n_unlocks == 0)
    g_cancellable_reset (self->cancellable);
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

/* After a flush, render may be called before the state is PLAYING. If it waits then, it has the lock
 * that the base class wants for this change: let go of it, and wait again afterwards. */
static GstStateChangeReturn
start_playing (GstShndSink *self)
{
  GstBaseSink *base = GST_BASE_SINK_CAST (self);
  GstStateChangeReturn result;

  gst_shnd_sink_unlock (base);
  result = GST_ELEMENT_CLASS (gst_shnd_sink_parent_class)
               ->change_state (GST_ELEMENT_CAST (self), GST_STATE_CHANGE_PAUSED_TO_PLAYING);
  GST_BASE_SINK_PREROLL_LOCK (base);
  gst_shnd_sink_unlock_stop (base);
  GST_BASE_SINK_PREROLL_SIGNAL (base);
  GST_BASE_SINK_PREROLL_UNLOCK (base);

  return result;
}

static GstStateChangeReturn
gst_shnd_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstShndSink *self = GST_SHND_SINK (element);
  GstStateChangeReturn result;
  gboolean failed;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY ||
       transition == GST_STATE_CHANGE_READY_TO_PAUSED) &&
      !go_up (self, transition))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    return start_playing (self);

  /* Upstream may wait for a slot, and with that keep its own state from changing. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_shnd_allocator_set_flushing (self->allocator, GST_SHND_FLUSHING_STATE, TRUE);

  result = GST_ELEMENT_CLASS (gst_shnd_sink_parent_class)->change_state (element, transition);

  failed = result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed))
    stop_running (self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && failed))
    gst_shnd_sink_close (self);

  return result;
}

/* ---- Negotiation ---- */

/* Anything. But who could bring the same in several memories, and many decoders prefer that of their
 * device, is to bring it in one of which the arrays are known. */
static GstCaps *
gst_shnd_sink_get_caps (GstBaseSink *base, GstCaps *filter)
{
  return filter != NULL ? gst_shnd_caps_prefer_system_memory (filter) : gst_caps_new_any ();
}

static gboolean
gst_shnd_sink_set_caps (GstBaseSink *base, GstCaps *caps)
{
  GstShndSink *self = GST_SHND_SINK (base);

  gst_shnd_description_clear (&self->description);
  gst_shnd_format_clear (&self->format);
  gst_shnd_format_init (&self->format, caps);

  return TRUE;
}

/* Only for video: of other buffers nobody knows the size in advance. */
static void
add_pool (GstShndSink *self, GstQuery *query, GstCaps *caps, gsize size, gboolean need_pool)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstStructure *config;
  guint max_frames;
  /* What the sink itself keeps. */
  guint n_kept = gst_base_sink_is_last_sample_enabled (GST_BASE_SINK_CAST (self)) ? 1 : 0;

  if (size > G_MAXUINT)
    return;

  GST_OBJECT_LOCK (self);
  max_frames = self->max_frames;
  GST_OBJECT_UNLOCK (self);

  if (need_pool)
    {
      pool = gst_shnd_pool_new (self->allocator);
      config = gst_buffer_pool_get_config (pool);
      gst_buffer_pool_config_set_params (config, caps, size, n_kept, max_frames);
      if (!gst_buffer_pool_set_config (pool, config))
        g_clear_object (&pool);
    }
  gst_query_add_allocation_pool (query, pool, size, n_kept, max_frames);
}

static gboolean
gst_shnd_sink_propose_allocation (GstBaseSink *base, GstQuery *query)
{
  GstShndSink *self = GST_SHND_SINK (base);
  GstShndFormat format;
  gboolean need_pool;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL)
    {
      GST_DEBUG_OBJECT (self, "a query for an allocation without caps");
      return FALSE;
    }
  if (!gst_shnd_caps_are_in_system_memory (caps))
    return TRUE;

  gst_shnd_format_init (&format, caps);
  if (format.video.finfo != NULL)
    {
      add_pool (self, query, caps, format.video.size, need_pool);
      gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    }
  if (format.audio.finfo != NULL)
    gst_query_add_allocation_meta (query, GST_AUDIO_META_API_TYPE, NULL);
  gst_query_add_allocation_param (query, GST_ALLOCATOR_CAST (self->allocator), NULL);
  gst_shnd_format_clear (&format);

  return TRUE;
}

/* ---- Events ---- */

static gboolean
gst_shnd_sink_event (GstBaseSink *base, GstEvent *event)
{
  GstShndSink *self = GST_SHND_SINK (base);
  GstEventType type = GST_EVENT_TYPE (event);
  gboolean handled;

  if (type == GST_EVENT_FLUSH_START)
    gst_shnd_allocator_set_flushing (self->allocator, GST_SHND_FLUSHING_EVENT, TRUE);

  /* This waits until the last buffer was due, and for PLAYING. */
  handled = GST_BASE_SINK_CLASS (gst_shnd_sink_parent_class)->event (base, event);

  switch (type)
    {
    case GST_EVENT_EOS:
      if (handled)
        gst_shnd_sink_close (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_shnd_sink_forget_prepared (self);
      gst_shnd_allocator_set_flushing (self->allocator, GST_SHND_FLUSHING_EVENT, FALSE);
      G_GNUC_FALLTHROUGH;
    case GST_EVENT_STREAM_START:
      /* After EOS: there will be more. Only later releases of the base class let a STREAM_START through. */
      handled = handled && gst_shnd_sink_open (self);
      break;
    default:
      break;
    }

  return handled;
}

/* ---- The object ---- */

static void
gst_shnd_sink_finalize (GObject *object)
{
  GstShndSink *self = GST_SHND_SINK (object);

  gst_shnd_sink_forget_prepared (self);
  gst_shnd_description_clear (&self->description);
  gst_shnd_format_clear (&self->format);
  g_clear_object (&self->publisher);
  gst_clear_object (&self->allocator);
  g_clear_object (&self->cancellable);
  g_free (self->address);

  G_OBJECT_CLASS (gst_shnd_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  const GParamFlags writable = readable | G_PARAM_WRITABLE;

  props[PROP_ADDRESS] = g_param_spec_string (
      "address", "Address",
      "Where to publish: a name such as “cam0”, or the absolute path of a socket", NULL,
      writable | GST_PARAM_MUTABLE_READY);
  props[PROP_OVERFLOW] = g_param_spec_enum (
      "overflow", "Overflow",
      "What happens when a subscriber holds as many frames as it may: it misses frames, or the "
      "sink waits for it",
      SHND_TYPE_OVERFLOW, DEFAULT_OVERFLOW, writable | GST_PARAM_MUTABLE_PLAYING);
  props[PROP_DEPTH] = g_param_spec_uint (
      "depth", "Depth",
      "How many frames a subscriber may hold, those included that wait to be received; a change is "
      "for those who subscribe later",
      1, SHND_MAX_DEPTH, DEFAULT_DEPTH, writable | GST_PARAM_MUTABLE_PLAYING);
  props[PROP_MAX_FRAMES] = g_param_spec_uint (
      "max-frames", "Maximum number of frames",
      "How much memory there may be at once, in frames; upstream waits when all of them are held "
      "(0 = as many as it takes)",
      0, G_MAXUINT, 0, writable | GST_PARAM_MUTABLE_PLAYING);
  props[PROP_WAIT_SUBSCRIBERS] =
      g_param_spec_uint ("wait-subscribers", "Wait for subscribers",
                         "How many subscribers the first buffer of a stream waits for (0 = none)",
                         0, G_MAXUINT, 0, writable | GST_PARAM_MUTABLE_READY);
  props[PROP_SUBSCRIBERS] =
      g_param_spec_uint ("subscribers", "Subscribers",
                         "How many subscribers there are; notified in the main context in which "
                         "the sink was opened",
                         0, G_MAXUINT, 0, readable);
  props[PROP_STATS] = g_param_spec_boxed (
      "stats", "Statistics",
      "What was done since the state NULL: frames, of which copied and zero-copy; dropped, the "
      "times a subscriber missed one; and n-frames (slots) and subscribers that are there",
      GST_TYPE_STRUCTURE, readable);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
gst_shnd_sink_class_init (GstShndSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (klass);

  object_class->finalize = gst_shnd_sink_finalize;
  object_class->get_property = gst_shnd_sink_get_property;
  object_class->set_property = gst_shnd_sink_set_property;
  install_properties (object_class);

  element_class->change_state = GST_DEBUG_FUNCPTR (gst_shnd_sink_change_state);
  gst_element_class_add_static_pad_template (element_class, &template);
  gst_element_class_set_static_metadata (
      element_class, "Shared array sink", "Sink",
      "Publishes buffers as typed N-dimensional arrays in shared memory",
      "the libshndarray developers");

  base_class->get_caps = GST_DEBUG_FUNCPTR (gst_shnd_sink_get_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR (gst_shnd_sink_set_caps);
  base_class->propose_allocation = GST_DEBUG_FUNCPTR (gst_shnd_sink_propose_allocation);
  base_class->prepare = GST_DEBUG_FUNCPTR (gst_shnd_sink_prepare);
  base_class->render = GST_DEBUG_FUNCPTR (gst_shnd_sink_render);
  base_class->unlock = GST_DEBUG_FUNCPTR (gst_shnd_sink_unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (gst_shnd_sink_unlock_stop);
  base_class->event = GST_DEBUG_FUNCPTR (gst_shnd_sink_event);

  GST_DEBUG_CATEGORY_INIT (gst_shnd_sink_debug, "shndsink", 0, "sink of shared arrays");
  GST_DEBUG_CATEGORY_GET (gst_shnd_sink_performance, "GST_PERFORMANCE");
}

static void
gst_shnd_sink_init (GstShndSink *self)
{
  self->allocator = gst_shnd_allocator_new ();
  self->cancellable = g_cancellable_new ();
  self->overflow = DEFAULT_OVERFLOW;
  self->depth = DEFAULT_DEPTH;

  /* It would keep a slot. */
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK_CAST (self), FALSE);
  /* Subscribers would get all frames of live pipelines later by as much. */
  gst_base_sink_set_processing_deadline (GST_BASE_SINK_CAST (self), 0);
}
