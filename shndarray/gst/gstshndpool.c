/* SPDX-License-Identifier: MIT */

#include "gstshndpool.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (gst_shnd_pool_debug);
#define GST_CAT_DEFAULT gst_shnd_pool_debug

/* The queue of the parent class is not used. A buffer that comes back has memory that was published:
 * the next one gets other memory, which the publisher knows to be free. */
struct _GstShndPool
{
  GstBufferPool parent_instance;

  GstShndAllocator *allocator;

  /* The configuration. */
  GstVideoInfo video;
  gboolean add_video_meta;
  gsize size;
  guint max_buffers;
  GstAllocationParams params;

  GMutex mutex; /* for all that follows */
  GCond released;
  guint n_buffers;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (GstShndPool, gst_shnd_pool, GST_TYPE_BUFFER_POOL)

/* ---- Configuration ---- */

static const char **
gst_shnd_pool_get_options (GstBufferPool *pool)
{
  static const char *options[] = {
    GST_BUFFER_POOL_OPTION_VIDEO_META,
    GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT,
    NULL,
  };

  return options;
}

/* Strides that are multiples of all that is asked for, and memory that begins at one. */
static gboolean
align (GstStructure *config, GstVideoInfo *video, GstAllocationParams *params)
{
  GstVideoAlignment alignment;
  guint max_align = params->align;

  if (!gst_buffer_pool_config_get_video_alignment (config, &alignment))
    return FALSE;

  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    max_align |= alignment.stride_align[i];
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    alignment.stride_align[i] = max_align;
  if (!gst_video_info_align (video, &alignment))
    return FALSE;

  gst_buffer_pool_config_set_video_alignment (config, &alignment);
  params->align = max_align;

  return TRUE;
}

static gboolean
gst_shnd_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstShndPool *self = GST_SHND_POOL (pool);
  GstCaps *caps;
  GstAllocator *allocator;
  GstAllocationParams params;
  GstVideoInfo video;
  guint size, min_buffers, max_buffers;
  gboolean large_enough;

  if (!gst_buffer_pool_config_get_params (config, &caps, &size, &min_buffers, &max_buffers) ||
      !gst_buffer_pool_config_get_allocator (config, &allocator, &params) || caps == NULL ||
      !gst_video_info_from_caps (&video, caps))
    {
      GST_WARNING_OBJECT (pool, "not a configuration for video: %" GST_PTR_FORMAT, config);
      return FALSE;
    }

  self->add_video_meta =
      gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  large_enough = size >= video.size;
  if (self->add_video_meta &&
      gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT) &&
      !align (config, &video, &params))
    {
      GST_WARNING_OBJECT (pool, "an alignment that cannot be had: %" GST_PTR_FORMAT, config);
      return FALSE;
    }

  self->video = video;
  self->size = MAX (size, video.size);
  self->max_buffers = max_buffers;
  self->params = params;
  gst_buffer_pool_config_set_params (config, caps, self->size, min_buffers, max_buffers);
  gst_buffer_pool_config_set_allocator (config, allocator, &params);

  return GST_BUFFER_POOL_CLASS (gst_shnd_pool_parent_class)->set_config (pool, config) &&
         large_enough;
}

/* ---- Buffers ---- */

/* Nothing in advance: a slot is there when it is needed. */
static gboolean
gst_shnd_pool_start (GstBufferPool *pool)
{
  return TRUE;
}

static void
gst_shnd_pool_flush_start (GstBufferPool *pool)
{
  GstShndPool *self = GST_SHND_POOL (pool);

  g_mutex_lock (&self->mutex);
  g_cancellable_cancel (self->cancellable);
  g_cond_broadcast (&self->released);
  g_mutex_unlock (&self->mutex);
}

static void
gst_shnd_pool_flush_stop (GstBufferPool *pool)
{
  GstShndPool *self = GST_SHND_POOL (pool);

  g_mutex_lock (&self->mutex);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_mutex_unlock (&self->mutex);
}

static GstFlowReturn
count_up (GstShndPool *self, gboolean can_wait, GCancellable **cancellable)
{
  GstBufferPool *pool = GST_BUFFER_POOL_CAST (self);
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&self->mutex);
  while (can_wait && self->max_buffers > 0 && self->n_buffers >= self->max_buffers &&
         !GST_BUFFER_POOL_IS_FLUSHING (pool))
    g_cond_wait (&self->released, &self->mutex);

  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    flow = GST_FLOW_FLUSHING;
  else if (self->max_buffers > 0 && self->n_buffers >= self->max_buffers)
    flow = GST_FLOW_EOS;
  else
    self->n_buffers++;
  *cancellable = g_object_ref (self->cancellable);
  g_mutex_unlock (&self->mutex);

  return flow;
}

static void
count_down (GstShndPool *self)
{
  g_mutex_lock (&self->mutex);
  self->n_buffers--;
  g_cond_signal (&self->released);
  g_mutex_unlock (&self->mutex);
}

static void
add_video_meta (GstShndPool *self, GstBuffer *buffer)
{
  GstVideoInfo *video = &self->video;
  GstVideoMeta *meta = gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (video),
      GST_VIDEO_INFO_WIDTH (video), GST_VIDEO_INFO_HEIGHT (video), GST_VIDEO_INFO_N_PLANES (video),
      video->offset, video->stride);

  /* So that filters do not copy it to their own buffers, which are laid out as they like. */
  GST_META_FLAG_SET (meta, GST_META_FLAG_POOLED);
  GST_META_FLAG_SET (meta, GST_META_FLAG_LOCKED);
}

static GstFlowReturn
gst_shnd_pool_acquire_buffer (GstBufferPool *pool,
                              GstBuffer **buffer,
                              GstBufferPoolAcquireParams *params)
{
  GstShndPool *self = GST_SHND_POOL (pool);
  gboolean can_wait =
      params == NULL || (params->flags & GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT) == 0;
  g_autoptr (GCancellable) cancellable = NULL;
  GstMemory *memory;
  GstFlowReturn flow;

  flow = count_up (self, can_wait, &cancellable);
  if (flow != GST_FLOW_OK)
    return flow;

  flow = gst_shnd_allocator_take (self->allocator, self->size, &self->params, can_wait, cancellable,
                                  &memory);
  if (flow != GST_FLOW_OK)
    {
      count_down (self);
      return flow;
    }

  *buffer = gst_buffer_new ();
  gst_buffer_append_memory (*buffer, memory);
  if (self->add_video_meta)
    add_video_meta (self, *buffer);

  return GST_FLOW_OK;
}

static void
gst_shnd_pool_release_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  /* First the memory, then the permission to have another one. */
  gst_buffer_unref (buffer);
  count_down (GST_SHND_POOL (pool));
}

/* ---- The object ---- */

static void
gst_shnd_pool_finalize (GObject *object)
{
  GstShndPool *self = GST_SHND_POOL (object);

  gst_clear_object (&self->allocator);
  g_clear_object (&self->cancellable);
  g_cond_clear (&self->released);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (gst_shnd_pool_parent_class)->finalize (object);
}

static void
gst_shnd_pool_class_init (GstShndPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  object_class->finalize = gst_shnd_pool_finalize;
  pool_class->get_options = gst_shnd_pool_get_options;
  pool_class->set_config = gst_shnd_pool_set_config;
  pool_class->start = gst_shnd_pool_start;
  pool_class->flush_start = gst_shnd_pool_flush_start;
  pool_class->flush_stop = gst_shnd_pool_flush_stop;
  pool_class->acquire_buffer = gst_shnd_pool_acquire_buffer;
  pool_class->reset_buffer = NULL; /* they are not used again */
  pool_class->release_buffer = gst_shnd_pool_release_buffer;

  GST_DEBUG_CATEGORY_INIT (gst_shnd_pool_debug, "shndpool", 0, "pool of shndsink");
}

static void
gst_shnd_pool_init (GstShndPool *self)
{
  g_mutex_init (&self->mutex);
  g_cond_init (&self->released);
  self->cancellable = g_cancellable_new ();
}

GstBufferPool *
gst_shnd_pool_new (GstShndAllocator *allocator)
{
  GstShndPool *self = gst_object_ref_sink (g_object_new (GST_TYPE_SHND_POOL, NULL));

  self->allocator = gst_object_ref (allocator);

  return GST_BUFFER_POOL_CAST (self);
}
