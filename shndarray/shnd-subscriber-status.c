/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-subscriber-private.h"

/* What a publisher lets its subscribers read. */

static guint64
get_status (ShndSubscriber *self, ShndStatus index)
{
  guint64 value;

  if (!_shnd_subscriber_enter (self))
    return 0;

  value = shnd_status_read (self->status, index);
  g_mutex_unlock (&self->mutex);

  return value;
}

/**
 * shnd_subscriber_get_sequence: (get-property sequence)
 * @self: a subscriber
 *
 * Gets the number of the newest frame that was published, whether or not it was received.
 *
 * Like the other numbers from the publisher it is up to date whenever it is asked for, once
 * [method@Shnd.Subscriber.receive], [method@Shnd.Subscriber.watch] or the like has connected.
 *
 * Returns: the number, as the last publisher says that has admitted the subscriber; 0 before
 */
guint64
shnd_subscriber_get_sequence (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return get_status (self, SHND_STATUS_HEAD);
}

/**
 * shnd_subscriber_get_n_subscribers: (get-property n-subscribers)
 * @self: a subscriber
 *
 * Gets how many subscribers the publisher has, without observers.
 *
 * Returns: the number, as the last publisher says that has admitted the subscriber; 0 before
 */
guint
shnd_subscriber_get_n_subscribers (ShndSubscriber *self)
{
  guint64 n;

  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  n = get_status (self, SHND_STATUS_N_SUBSCRIBERS);

  return MIN (n, G_MAXUINT);
}

/**
 * shnd_subscriber_get_n_dropped: (get-property n-dropped)
 * @self: a subscriber
 *
 * Gets how often any subscriber of the publisher has missed a frame, as
 * [method@Shnd.Publisher.get_n_dropped] counts it: the number can go down.
 *
 * Returns: the number, as the last publisher says that has admitted the subscriber; 0 before
 */
guint64
shnd_subscriber_get_n_dropped (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return get_status (self, SHND_STATUS_N_DROPPED);
}

/**
 * shnd_subscriber_get_frame_size: (get-property frame-size)
 * @self: a subscriber
 *
 * Gets how many bytes the elements of the newest frame have.
 *
 * Returns: the number, as the last publisher says that has admitted the subscriber; 0 before
 */
guint64
shnd_subscriber_get_frame_size (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return get_status (self, SHND_STATUS_FRAME_SIZE);
}

/**
 * shnd_subscriber_get_granted_depth: (get-property granted-depth)
 * @self: a subscriber
 *
 * Gets how many frames the publisher lets the subscriber hold.
 *
 * Who hands frames on should copy before as many are held, or no more come until one is given back.
 *
 * Returns: the number; 0 before a publisher has admitted the subscriber, and for an observer
 */
guint
shnd_subscriber_get_granted_depth (ShndSubscriber *self)
{
  guint granted_depth;

  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  if (!_shnd_subscriber_enter (self))
    return 0;

  granted_depth = self->granted_depth;
  g_mutex_unlock (&self->mutex);

  return granted_depth;
}
