/* SPDX-License-Identifier: MIT */

#include "gstshndsinkprivate.h"

/* The publisher of a sink: when it is there, and what it says of itself. */

ShndPublisher *
gst_shnd_sink_dup_publisher (GstShndSink *self)
{
  ShndPublisher *publisher = NULL;

  GST_OBJECT_LOCK (self);
  g_set_object (&publisher, self->publisher);
  GST_OBJECT_UNLOCK (self);

  return publisher;
}

/* In whatever thread runs the main context in which the publisher was made. */
static void
subscribers_changed_cb (ShndPublisher *publisher, GParamSpec *pspec, gpointer user_data)
{
  g_autoptr (GstShndSink) self = g_weak_ref_get (user_data);

  if (self != NULL)
    g_object_notify (G_OBJECT (self), "subscribers");
}

static void
free_weak_ref (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
watch_subscribers (GstShndSink *self, ShndPublisher *publisher)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  self->subscribers_id =
      g_signal_connect_data (publisher, "notify::n-subscribers",
                             G_CALLBACK (subscribers_changed_cb), weak, free_weak_ref, 0);
}

static void
post_open_error (GstShndSink *self, const char *address, const GError *error)
{
  if (g_error_matches (error, SHND_ERROR, SHND_ERROR_EXISTS))
    GST_ELEMENT_ERROR (self, RESOURCE, BUSY, ("%s", error->message), ("address “%s”", address));
  else if (g_error_matches (error, SHND_ERROR, SHND_ERROR_NO_SPACE))
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%s", error->message),
                       ("address “%s”", address));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error->message),
                       ("address “%s”", address));
}

gboolean
gst_shnd_sink_open (GstShndSink *self)
{
  g_autoptr (ShndPublisher) publisher = gst_shnd_sink_dup_publisher (self);
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;

  if (publisher != NULL)
    return TRUE;

  GST_OBJECT_LOCK (self);
  address = g_strdup (self->address);
  GST_OBJECT_UNLOCK (self);
  if (address == NULL)
    {
      GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
                         ("No address: expected a name such as “cam0”, or the absolute path of a "
                          "socket, as the property “address”"),
                         (NULL));
      return FALSE;
    }

  publisher = shnd_publisher_new (address, &error);
  if (publisher == NULL)
    {
      post_open_error (self, address, error);
      return FALSE;
    }

  GST_OBJECT_LOCK (self);
  shnd_publisher_set_overflow (publisher, self->overflow);
  shnd_publisher_set_depth (publisher, self->depth);
  shnd_publisher_set_max_frames (publisher, self->max_frames);
  watch_subscribers (self, publisher);
  self->publisher = g_object_ref (publisher);
  GST_OBJECT_UNLOCK (self);
  self->had_audience = FALSE;
  gst_shnd_allocator_set_publisher (self->allocator, publisher);

  /* Subscribers are admitted from now on. */
  shnd_publisher_get_n_subscribers (publisher);
  GST_INFO_OBJECT (self, "listening at %s", shnd_publisher_get_path (publisher));

  return TRUE;
}

void
gst_shnd_sink_close (GstShndSink *self)
{
  g_autoptr (ShndPublisher) publisher = NULL;
  gulong subscribers_id;
  gboolean had_subscribers;

  gst_shnd_allocator_set_publisher (self->allocator, NULL);
  GST_OBJECT_LOCK (self);
  publisher = g_steal_pointer (&self->publisher);
  subscribers_id = self->subscribers_id;
  self->subscribers_id = 0;
  if (publisher != NULL)
    self->n_dropped += shnd_publisher_get_n_dropped (publisher);
  GST_OBJECT_UNLOCK (self);
  if (publisher == NULL)
    return;

  had_subscribers = shnd_publisher_get_n_subscribers (publisher) > 0;
  g_signal_handler_disconnect (publisher, subscribers_id);
  shnd_publisher_close (publisher);
  GST_INFO_OBJECT (self, "closed");
  if (had_subscribers)
    g_object_notify (G_OBJECT (self), "subscribers");
}

GstStructure *
gst_shnd_sink_make_stats (GstShndSink *self)
{
  guint64 n_dropped;
  guint n_slots = 0, n_subscribers = 0;
  guint64 n_frames, n_copied;

  GST_OBJECT_LOCK (self);
  n_dropped = self->n_dropped;
  n_frames = self->n_frames;
  n_copied = self->n_copied;
  if (self->publisher != NULL)
    {
      n_dropped += shnd_publisher_get_n_dropped (self->publisher);
      n_slots = shnd_publisher_get_n_frames (self->publisher);
      n_subscribers = shnd_publisher_get_n_subscribers (self->publisher);
    }
  GST_OBJECT_UNLOCK (self);

  return gst_structure_new ("application/x-shnd-sink-stats", "frames", G_TYPE_UINT64, n_frames,
                            "dropped", G_TYPE_UINT64, n_dropped, "copied", G_TYPE_UINT64, n_copied,
                            "zero-copy", G_TYPE_UINT64, n_frames - n_copied, "n-frames",
                            G_TYPE_UINT, n_slots, "subscribers", G_TYPE_UINT, n_subscribers, NULL);
}
