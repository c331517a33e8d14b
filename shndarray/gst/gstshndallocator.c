/* SPDX-License-Identifier: MIT */

#include "gstshndallocator.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_shnd_allocator_debug);
GST_DEBUG_CATEGORY_STATIC (GST_CAT_PERFORMANCE);
#define GST_CAT_DEFAULT gst_shnd_allocator_debug

#define MEMORY_TYPE "ShndMemory"

/* What upstream allocates as it likes is in slots from this size on. Each slot is a file descriptor
 * here and in each subscriber, and there may be hundreds of small buffers in a queue: those are
 * cheaper copied. */
#define MIN_ALLOCATED (64 * 1024)

typedef struct
{
  GstMemory parent_instance;

  guint8 *data;
  /* Not of a part of another memory: */
  GBytes *bytes;
  ShndFrame *frame;
  guint generation;
  gboolean published; /* to be touched by the sink alone */
} GstShndMemory;

struct _GstShndAllocator
{
  GstAllocator parent_instance;

  GMutex mutex; /* for all that follows */
  ShndPublisher *publisher;
  guint generation; /* of publishers */
  GstShndFlushing flushing;
  GCancellable *cancellable; /* of all who wait */
};

G_DEFINE_FINAL_TYPE (GstShndAllocator, gst_shnd_allocator, GST_TYPE_ALLOCATOR)

/* ---- Memory ---- */

static GstShndMemory *
memory_new (GstShndAllocator *self,
            GstMemory *parent,
            GstMemoryFlags flags,
            guint8 *data,
            gsize max_size,
            gsize align,
            gsize offset,
            gsize size)
{
  GstShndMemory *memory = g_new0 (GstShndMemory, 1);

  gst_memory_init (GST_MEMORY_CAST (memory), flags, GST_ALLOCATOR_CAST (self), parent, max_size,
                   align, offset, size);
  memory->data = data;

  return memory;
}

static gpointer
memory_map (GstMemory *memory, gsize max_size, GstMapFlags flags)
{
  return ((GstShndMemory *) memory)->data;
}

static void
memory_unmap (GstMemory *memory)
{
}

static GstMemory *
memory_share (GstMemory *memory, gssize offset, gssize size)
{
  GstMemory *parent = memory->parent != NULL ? memory->parent : memory;

  if (size == -1)
    size = memory->size - offset;

  return GST_MEMORY_CAST (memory_new (GST_SHND_ALLOCATOR (memory->allocator), parent,
                                      GST_MINI_OBJECT_FLAGS (parent) | GST_MEMORY_FLAG_READONLY,
                                      ((GstShndMemory *) memory)->data, memory->maxsize,
                                      memory->align, memory->offset + offset, size));
}

/* Who wants a copy of memory wants to keep or to change it: nothing to publish. */
static GstMemory *
memory_copy (GstMemory *memory, gssize offset, gssize size)
{
  GstAllocationParams params = { .align = memory->align };
  GstMemory *copy;
  GstMapInfo map;

  if (size == -1)
    size = memory->size - offset;

  copy = gst_allocator_alloc (NULL, size, &params);
  if (copy == NULL || !gst_memory_map (copy, &map, GST_MAP_WRITE))
    {
      g_clear_pointer (&copy, gst_memory_unref);
      return NULL;
    }

  memcpy (map.data, ((GstShndMemory *) memory)->data + memory->offset + offset, size);
  gst_memory_unmap (copy, &map);

  return copy;
}

static gboolean
memory_is_span (GstMemory *first, GstMemory *second, gsize *offset)
{
  if (offset != NULL)
    *offset = first->offset - first->parent->offset;

  return ((GstShndMemory *) first)->data + first->offset + first->size ==
         ((GstShndMemory *) second)->data + second->offset;
}

static void
gst_shnd_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  GstShndMemory *self = (GstShndMemory *) memory;

  g_clear_object (&self->frame);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

/* ---- Slots ---- */

static void
zero (guint8 *data, gsize size, GstMemoryFlags flags, GstMemoryFlags flag)
{
  if ((flags & flag) != 0)
    memset (data, 0, size);
}

static GstMemory *
wrap (GstShndAllocator *self,
      ShndFrame *frame,
      guint generation,
      gsize size,
      const GstAllocationParams *params,
      GError **error)
{
  ShndArray *array = shnd_frame_get_array (frame);
  g_autoptr (GBytes) bytes = shnd_array_get_bytes (array, error);
  guint8 *data = shnd_array_get_data (array);
  GstShndMemory *memory;
  gsize start, max_size;

  if (bytes == NULL || data == NULL)
    return NULL;

  /* Prefix and padding are as asked for, and the first byte is aligned. */
  start = ((guintptr) data + params->align) & ~(guintptr) params->align;
  start -= (guintptr) data;
  max_size = params->prefix + size + params->padding;
  memory = memory_new (self, NULL, params->flags, data + start, max_size, params->align,
                       params->prefix, size);
  memory->bytes = g_steal_pointer (&bytes);
  memory->frame = g_object_ref (frame);
  memory->generation = generation;
  zero (memory->data, params->prefix, params->flags, GST_MEMORY_FLAG_ZERO_PREFIXED);
  zero (memory->data + params->prefix + size, params->padding, params->flags,
        GST_MEMORY_FLAG_ZERO_PADDED);

  return GST_MEMORY_CAST (memory);
}

static void
cancel_cb (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

/* Waits until either of two is cancelled. */
static ShndFrame *
acquire_waiting (ShndPublisher *publisher,
                 ShndDType *dtype,
                 gint64 size,
                 GCancellable *first,
                 GCancellable *second,
                 GError **error)
{
  g_autoptr (GCancellable) either = g_cancellable_new ();
  ShndFrame *frame;
  gulong first_id, second_id;

  first_id = g_cancellable_connect (first, G_CALLBACK (cancel_cb), either, NULL);
  second_id = g_cancellable_connect (second, G_CALLBACK (cancel_cb), either, NULL);
  frame = shnd_publisher_acquire (publisher, dtype, &size, 1, -1, either, error);
  g_cancellable_disconnect (first, first_id);
  g_cancellable_disconnect (second, second_id);

  return frame;
}

/* A slot with room for what the parameters ask for. */
static GstMemory *
acquire (GstShndAllocator *self,
         ShndPublisher *publisher,
         guint generation,
         gsize size,
         const GstAllocationParams *params,
         GCancellable *first,
         GCancellable *second,
         GError **error)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("u1", error);
  g_autoptr (ShndFrame) frame = NULL;
  g_autoptr (GError) local_error = NULL;
  gsize total;
  gint64 n_bytes;

  if (dtype == NULL)
    return NULL;

  if (!g_size_checked_add (&total, size, params->prefix) ||
      !g_size_checked_add (&total, total, params->padding) ||
      !g_size_checked_add (&total, total, params->align) || total > G_MAXINT64)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NO_SPACE, "No space for so many bytes");
      return NULL;
    }

  n_bytes = total;
  frame = shnd_publisher_acquire (publisher, dtype, &n_bytes, 1, 0, first, &local_error);
  if (frame == NULL && first != NULL &&
      g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT))
    {
      GST_CAT_DEBUG_OBJECT (GST_CAT_PERFORMANCE, self, "waiting for a slot, as all are held");
      g_clear_error (&local_error);
      frame = acquire_waiting (publisher, dtype, n_bytes, first, second, &local_error);
    }
  if (frame == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  return wrap (self, frame, generation, size, params, error);
}

GstFlowReturn
gst_shnd_allocator_take (GstShndAllocator *self,
                         gsize size,
                         const GstAllocationParams *params,
                         gboolean can_wait,
                         GCancellable *cancellable,
                         GstMemory **memory)
{
  g_autoptr (ShndPublisher) publisher = NULL;
  g_autoptr (GCancellable) own = NULL;
  g_autoptr (GError) error = NULL;
  GstShndFlushing flushing;
  guint generation;

  g_mutex_lock (&self->mutex);
  g_set_object (&publisher, self->publisher);
  g_set_object (&own, self->cancellable);
  generation = self->generation;
  flushing = self->flushing;
  g_mutex_unlock (&self->mutex);

  if (flushing != 0)
    return GST_FLOW_FLUSHING;
  if (publisher == NULL)
    return GST_FLOW_EOS;

  *memory = acquire (self, publisher, generation, size, params, can_wait ? cancellable : NULL,
                     can_wait ? own : NULL, &error);
  if (*memory != NULL)
    return GST_FLOW_OK;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return GST_FLOW_FLUSHING;
  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_TIMED_OUT) ||
      g_error_matches (error, SHND_ERROR, SHND_ERROR_CLOSED))
    return GST_FLOW_EOS;

  /* The sink says so when it does not get one either: here is nobody who could post a message. */
  GST_WARNING_OBJECT (self, "no slot of %" G_GSIZE_FORMAT " bytes: %s", size, error->message);
  *memory = gst_allocator_alloc (NULL, size, (GstAllocationParams *) params);

  return *memory != NULL ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstMemory *
gst_shnd_allocator_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  GstShndAllocator *self = GST_SHND_ALLOCATOR (allocator);
  GstMemory *memory;

  /* Nobody could interrupt the waiting. */
  if (size >= MIN_ALLOCATED &&
      gst_shnd_allocator_take (self, size, params, FALSE, NULL, &memory) == GST_FLOW_OK)
    return memory;

  return gst_allocator_alloc (NULL, size, params);
}

/* ---- The object ---- */

static void
gst_shnd_allocator_finalize (GObject *object)
{
  GstShndAllocator *self = GST_SHND_ALLOCATOR (object);

  g_clear_object (&self->publisher);
  g_clear_object (&self->cancellable);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (gst_shnd_allocator_parent_class)->finalize (object);
}

static void
gst_shnd_allocator_class_init (GstShndAllocatorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  object_class->finalize = gst_shnd_allocator_finalize;
  allocator_class->alloc = gst_shnd_allocator_alloc;
  allocator_class->free = gst_shnd_allocator_free;

  GST_DEBUG_CATEGORY_INIT (gst_shnd_allocator_debug, "shndallocator", 0, "memory of shndsink");
  GST_DEBUG_CATEGORY_GET (GST_CAT_PERFORMANCE, "GST_PERFORMANCE");
}

static void
gst_shnd_allocator_init (GstShndAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = MEMORY_TYPE;
  allocator->mem_map = memory_map;
  allocator->mem_unmap = memory_unmap;
  allocator->mem_share = memory_share;
  allocator->mem_copy = memory_copy;
  allocator->mem_is_span = memory_is_span;

  g_mutex_init (&self->mutex);
  self->cancellable = g_cancellable_new ();
  self->flushing = GST_SHND_FLUSHING_STATE;
}

GstShndAllocator *
gst_shnd_allocator_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_SHND_ALLOCATOR, NULL));
}

void
gst_shnd_allocator_set_publisher (GstShndAllocator *self, ShndPublisher *publisher)
{
  g_mutex_lock (&self->mutex);
  if (g_set_object (&self->publisher, publisher))
    self->generation++;
  g_mutex_unlock (&self->mutex);
}

void
gst_shnd_allocator_set_flushing (GstShndAllocator *self, GstShndFlushing reason, gboolean flushing)
{
  g_autoptr (GCancellable) cancelled = NULL;

  g_mutex_lock (&self->mutex);
  if (flushing && self->flushing == 0)
    {
      cancelled = self->cancellable;
      self->cancellable = g_cancellable_new ();
    }
  self->flushing = flushing ? self->flushing | reason : self->flushing & ~reason;
  g_mutex_unlock (&self->mutex);

  if (cancelled != NULL)
    g_cancellable_cancel (cancelled);
}

/* ---- Publishing ---- */

static GstShndMemory *
peek_whole (GstBuffer *buffer)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  return (GstShndMemory *) (memory->parent != NULL ? memory->parent : memory);
}

/* Or why there is none. */
static GstShndMemory *
find_whole (GstShndAllocator *self, GstBuffer *buffer, const char **reason)
{
  guint n_memories = gst_buffer_n_memory (buffer);
  GstMemory *memory = n_memories == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  GstShndMemory *whole;
  guint generation;

  g_mutex_lock (&self->mutex);
  generation = self->generation;
  g_mutex_unlock (&self->mutex);

  if (memory == NULL)
    *reason = n_memories == 0 ? "it has no memory" : "it is in several memories";
  else if (!GST_IS_SHND_ALLOCATOR (memory->allocator))
    *reason = "its memory is from elsewhere, not from the pool or allocator of this sink";
  else if (memory->allocator != GST_ALLOCATOR_CAST (self))
    *reason = "its memory is from another sink";
  if (*reason != NULL)
    return NULL;

  whole = peek_whole (buffer);
  if (whole->generation == generation)
    return whole;

  *reason = "its memory is of a stream that has ended";
  return NULL;
}

ShndFrame *
gst_shnd_allocator_get_frame (GstShndAllocator *self,
                              ShndPublisher *publisher,
                              GstBuffer *buffer,
                              const guint8 **data,
                              const char **reason)
{
  g_autoptr (GError) error = NULL;
  GstShndMemory *whole;
  ShndFrame *frame;
  gsize offset;

  *reason = NULL;
  whole = find_whole (self, buffer, reason);
  if (whole == NULL)
    return NULL;

  gst_memory_get_sizes (gst_buffer_peek_memory (buffer, 0), &offset, NULL);
  *data = whole->data + offset;
  /* The bytes have kept the memory from being used again. */
  frame = whole->published ? shnd_publisher_repeat (publisher, whole->frame, &error) :
                             g_object_ref (whole->frame);
  if (frame == NULL)
    {
      GST_WARNING_OBJECT (self, "cannot publish a buffer again: %s", error->message);
      *reason = "its memory cannot be published again";
    }

  return frame;
}

void
gst_shnd_allocator_make_readonly (GstBuffer *buffer)
{
  GST_MINI_OBJECT_FLAG_SET (peek_whole (buffer), GST_MEMORY_FLAG_READONLY);
}

void
gst_shnd_allocator_set_published (GstBuffer *buffer)
{
  peek_whole (buffer)->published = TRUE;
}
