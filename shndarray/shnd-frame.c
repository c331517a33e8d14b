/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-frame-private.h"

#include "shnd-array-private.h"
#include "shnd-error.h"
#include "shnd-protocol-private.h"

/**
 * ShndFrame:
 *
 * An array in a stream of arrays, with what travels with it.
 *
 * A [class@Shnd.Publisher] gives out frames to be filled, and sends them to all its subscribers; a
 * [class@Shnd.Subscriber] receives frames to be looked at. The array of a frame is in memory that is
 * used again and again, without being copied: a received frame is read-only, and its memory is not
 * written as long as somebody has it.
 *
 * A frame goes back to its publisher when the last reference to it and to everything that shows its
 * memory is gone: its array, views, [struct@GLib.Bytes], NumPy arrays. [method@Shnd.Frame.release]
 * gives up the frame's own part in that, so that nobody has to wait for the object to be freed. Who
 * holds as many frames as a subscriber may gets no others.
 *
 * What is to be kept for long is better copied, with [method@Shnd.Array.dup].
 */

enum
{
  PROP_ARRAY = 1,
  PROP_SEQUENCE,
  PROP_TIMESTAMP,
  PROP_METADATA,
  PROP_RELEASED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (ShndFrame, shnd_frame, G_TYPE_OBJECT)

void
_shnd_frame_set_memory (ShndFrame *self,
                        ShndFrameState state,
                        ShndHold *hold,
                        ShndSegment *segment,
                        const ShndLayout *layout)
{
  self->state = state;
  self->hold = shnd_hold_ref (hold);
  _shnd_array_become_view (self->own_array, segment, layout);
}

void
_shnd_frame_set_view (ShndFrame *self, ShndSegment *segment, const ShndLayout *layout)
{
  g_clear_object (&self->array);
  self->array = _shnd_array_new_view (segment, layout);
}

void
_shnd_frame_close_arrays (ShndFrame *self)
{
  g_autoptr (ShndArray) view = NULL;

  g_mutex_lock (&self->mutex);
  if (self->array != self->own_array)
    view = g_object_ref (self->array);
  g_mutex_unlock (&self->mutex);

  shnd_array_close (self->own_array);
  if (view != NULL)
    shnd_array_close (view);
}

void
_shnd_frame_set_received (ShndFrame *self, guint64 sequence, gint64 timestamp, GVariant *metadata)
{
  self->sequence = sequence;
  self->timestamp = timestamp;
  self->metadata = metadata;
}

static void
shnd_frame_finalize (GObject *object)
{
  ShndFrame *self = SHND_FRAME (object);

  /* Whoever still has the array keeps the memory. */
  g_clear_object (&self->array);
  g_clear_object (&self->own_array);
  g_clear_pointer (&self->hold, shnd_hold_unref);
  g_clear_pointer (&self->metadata, g_variant_unref);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (shnd_frame_parent_class)->finalize (object);
}

static void
shnd_frame_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  ShndFrame *self = SHND_FRAME (object);

  switch (prop_id)
    {
    case PROP_ARRAY:
      g_value_set_object (value, shnd_frame_get_array (self));
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, shnd_frame_get_sequence (self));
      break;
    case PROP_TIMESTAMP:
      g_value_set_int64 (value, shnd_frame_get_timestamp (self));
      break;
    case PROP_METADATA:
      g_value_set_variant (value, shnd_frame_get_metadata (self));
      break;
    case PROP_RELEASED:
      g_value_set_boolean (value, shnd_frame_get_released (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
shnd_frame_class_init (ShndFrameClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = shnd_frame_finalize;
  object_class->get_property = shnd_frame_get_property;

  /**
   * ShndFrame:array: (getter get_array)
   *
   * The elements. There is no notification.
   */
  props[PROP_ARRAY] = g_param_spec_object ("array", NULL, NULL, SHND_TYPE_ARRAY, flags);

  /**
   * ShndFrame:sequence: (getter get_sequence)
   *
   * The number of the frame in its stream, from 1; 0 for one that is not published yet. There is no
   * notification.
   */
  props[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndFrame:timestamp: (getter get_timestamp)
   *
   * When the frame was made, in nanoseconds; -1 for one that is not published yet. There is no
   * notification.
   */
  props[PROP_TIMESTAMP] =
      g_param_spec_int64 ("timestamp", NULL, NULL, G_MININT64, G_MAXINT64, -1, flags);

  /**
   * ShndFrame:metadata: (getter get_metadata)
   *
   * What the publisher has to say about the elements, as a variant of type `a{sv}`. There is no
   * notification.
   */
  props[PROP_METADATA] =
      g_param_spec_variant ("metadata", NULL, NULL, G_VARIANT_TYPE_VARDICT, NULL, flags);

  /**
   * ShndFrame:released: (getter get_released)
   *
   * Whether the memory has gone back. There is no notification.
   */
  props[PROP_RELEASED] = g_param_spec_boolean ("released", NULL, NULL, TRUE, flags);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
shnd_frame_init (ShndFrame *self)
{
  g_mutex_init (&self->mutex);
  self->own_array = g_object_new (SHND_TYPE_ARRAY, NULL);
  self->array = g_object_ref (self->own_array);
  self->timestamp = -1;
}

/**
 * shnd_frame_get_array: (get-property array)
 * @self: a frame
 *
 * Gets the elements.
 *
 * They can be written until the frame is published; what they hold when the frame is acquired is
 * what some earlier frame has left. Those of a received frame are read-only. When the frame is
 * published or released, the array is closed.
 *
 * Returns: (transfer none): the array
 */
ShndArray *
shnd_frame_get_array (ShndFrame *self)
{
  ShndArray *array;

  g_return_val_if_fail (SHND_IS_FRAME (self), NULL);

  g_mutex_lock (&self->mutex);
  array = self->array;
  g_mutex_unlock (&self->mutex);

  return array;
}

/* With the mutex. */
static gboolean
check_acquired (ShndFrame *self, GError **error)
{
  if (self->state == SHND_FRAME_ACQUIRED && !shnd_hold_is_given_back (self->hold))
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_ACQUIRED,
                       "The frame cannot be changed: expected one that was acquired from a "
                       "publisher, and is neither published nor released yet");
  return FALSE;
}

/**
 * shnd_frame_set_array:
 * @self: a frame that was acquired and is not published yet
 * @view: a view of the frame's array
 * @error: return location for an error
 *
 * Publishes a view of the acquired elements instead of all of them.
 *
 * So a frame can have less elements than there is room for, or strides: rows with padding between
 * them, say.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if @view does not show the frame's own memory, and with
 * %SHND_ERROR_NOT_ACQUIRED if the frame is not one to be filled.
 *
 * Returns: whether the view is what will be published
 */
gboolean
shnd_frame_set_array (ShndFrame *self, ShndArray *view, GError **error)
{
  g_autoptr (ShndSegment) own = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (ShndArray) old = NULL;

  g_return_val_if_fail (SHND_IS_FRAME (self), FALSE);
  g_return_val_if_fail (SHND_IS_ARRAY (view), FALSE);

  g_mutex_lock (&self->mutex);
  if (!check_acquired (self, error))
    {
      g_mutex_unlock (&self->mutex);
      return FALSE;
    }

  segment = _shnd_array_acquire (view, SHND_ACCESS_READ, error);
  own = _shnd_array_acquire (self->own_array, SHND_ACCESS_READ, NULL);
  if (segment != NULL && segment == own)
    {
      old = self->array;
      self->array = g_object_ref (view);
    }
  g_mutex_unlock (&self->mutex);

  if (segment == NULL || segment == own)
    return segment != NULL;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                       "The array is elsewhere: expected a view of the frame's own array");
  return FALSE;
}

/**
 * shnd_frame_get_sequence: (get-property sequence)
 * @self: a frame
 *
 * Gets the number of the frame in its stream.
 *
 * The first that a publisher publishes is 1, the next is 2. A subscriber that gets 5 after 3 has
 * missed one.
 *
 * Returns: the number; 0 for a frame that is not published yet
 */
guint64
shnd_frame_get_sequence (ShndFrame *self)
{
  guint64 sequence;

  g_return_val_if_fail (SHND_IS_FRAME (self), 0);

  g_mutex_lock (&self->mutex);
  sequence = self->sequence;
  g_mutex_unlock (&self->mutex);

  return sequence;
}

/**
 * shnd_frame_get_timestamp: (get-property timestamp)
 * @self: a frame
 *
 * Gets when the frame was made.
 *
 * That is what the publisher has set, or the time of publishing by the system's monotonic clock
 * (`CLOCK_MONOTONIC`), which is the same for all processes of a machine.
 *
 * Returns: the time in nanoseconds; -1 for a frame that is not published yet
 */
gint64
shnd_frame_get_timestamp (ShndFrame *self)
{
  gint64 timestamp;

  g_return_val_if_fail (SHND_IS_FRAME (self), -1);

  g_mutex_lock (&self->mutex);
  timestamp = self->timestamp;
  g_mutex_unlock (&self->mutex);

  return timestamp;
}

/**
 * shnd_frame_set_timestamp:
 * @self: a frame that was acquired and is not published yet
 * @timestamp: a time in nanoseconds, by any clock; -1 for that of publishing
 *
 * Sets when the frame was made.
 *
 * Has no effect on a frame that is not one to be filled.
 */
void
shnd_frame_set_timestamp (ShndFrame *self, gint64 timestamp)
{
  g_return_if_fail (SHND_IS_FRAME (self));

  g_mutex_lock (&self->mutex);
  if (check_acquired (self, NULL))
    self->timestamp = timestamp;
  g_mutex_unlock (&self->mutex);
}

static GVariant *
get_no_metadata (void)
{
  static GVariant *none;

  if (g_once_init_enter (&none))
    g_once_init_leave (&none,
                       g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));

  return none;
}

/**
 * shnd_frame_get_metadata: (get-property metadata)
 * @self: a frame
 *
 * Gets what the publisher has to say about the elements.
 *
 * Returns: (transfer none): a variant of type `a{sv}`, which may be empty; valid as long as the
 *   frame is, or other metadata are set
 */
GVariant *
shnd_frame_get_metadata (ShndFrame *self)
{
  GVariant *metadata;

  g_return_val_if_fail (SHND_IS_FRAME (self), NULL);

  g_mutex_lock (&self->mutex);
  metadata = self->metadata;
  g_mutex_unlock (&self->mutex);

  return metadata != NULL ? metadata : get_no_metadata ();
}

/**
 * shnd_frame_set_metadata:
 * @self: a frame that was acquired and is not published yet
 * @metadata: (nullable): a variant of type `a{sv}`, or %NULL for none; a floating one is taken
 * @error: return location for an error
 *
 * Sets what travels with the elements: a few values under names.
 *
 * Fails with %SHND_ERROR_INVALID_ARGUMENT if the variant is of another type, or takes more than
 * 65536 bytes; with %SHND_ERROR_NOT_ACQUIRED if the frame is not one to be filled.
 *
 * Returns: whether it was set
 */
gboolean
shnd_frame_set_metadata (ShndFrame *self, GVariant *metadata, GError **error)
{
  g_autoptr (GVariant) given = metadata != NULL ? g_variant_ref_sink (metadata) : NULL;
  g_autoptr (GVariant) taken = NULL;
  gboolean is_acquired;

  g_return_val_if_fail (SHND_IS_FRAME (self), FALSE);

  if (given != NULL && !g_variant_is_of_type (given, G_VARIANT_TYPE_VARDICT))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "Metadata of type “%s”: expected “a{sv}”", g_variant_get_type_string (given));
      return FALSE;
    }
  /* Subscribers take nothing else. */
  if (given != NULL)
    taken = g_variant_get_normal_form (given);
  if (taken != NULL && g_variant_get_size (taken) > SHND_MAX_METADATA)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "Metadata of %" G_GSIZE_FORMAT " bytes: expected at most %d",
                   g_variant_get_size (taken), SHND_MAX_METADATA);
      return FALSE;
    }

  g_mutex_lock (&self->mutex);
  is_acquired = check_acquired (self, error);
  if (is_acquired)
    {
      GVariant *old = self->metadata;

      self->metadata = g_steal_pointer (&taken);
      taken = old;
    }
  g_mutex_unlock (&self->mutex);

  return is_acquired;
}

/**
 * shnd_frame_release:
 * @self: a frame
 *
 * Lets go of the frame's memory now rather than when the object is freed.
 *
 * The array is closed. The memory goes back at once, or with the last of the views, bytes and
 * others that still show it: those stay what they are until then. An address from
 * [method@Shnd.Array.get_data] keeps nothing. A frame that was acquired goes back unpublished.
 *
 * Sequence, timestamp and metadata stay. Releasing twice, or after publishing, does nothing.
 */
void
shnd_frame_release (ShndFrame *self)
{
  g_return_if_fail (SHND_IS_FRAME (self));

  _shnd_frame_close_arrays (self);
}

/**
 * shnd_frame_release_now:
 * @self: a frame
 *
 * Gives the frame's memory back at once, whatever still shows it.
 *
 * Views, bytes and others stay mapped and can be read without harm, but what they show may be a
 * later frame, or half of it; what is written through those of a frame that was acquired goes into
 * that later frame. This is for languages in which objects live until some collection of
 * garbage: without it, a subscriber would hold frames that its program is done with.
 */
void
shnd_frame_release_now (ShndFrame *self)
{
  g_return_if_fail (SHND_IS_FRAME (self));

  if (self->hold != NULL)
    shnd_hold_give_back (self->hold);
  _shnd_frame_close_arrays (self);
}

/**
 * shnd_frame_get_released: (get-property released)
 * @self: a frame
 *
 * Gets whether the memory has gone back: the frame was published or released, and nothing shows its
 * memory any more.
 *
 * Returns: whether it has
 */
gboolean
shnd_frame_get_released (ShndFrame *self)
{
  g_return_val_if_fail (SHND_IS_FRAME (self), TRUE);

  return self->hold == NULL || shnd_hold_is_given_back (self->hold);
}
