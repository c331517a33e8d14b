/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-frame-private.h"

#include "shnd-array-private.h"
#include "shnd-error-private.h"
#include "shnd-view-private.h"

/* What else is in the memory of a frame than the elements of its array. */

#define PLANES_TYPE "a(sstaxax)"

/* What keeps the frame's memory, and where its array begins there. */
static ShndSegment *
acquire_memory (ShndFrame *self, guint8 **origin, GError **error)
{
  g_autoptr (ShndArray) array = NULL;

  g_mutex_lock (&self->mutex);
  array = g_object_ref (self->array);
  g_mutex_unlock (&self->mutex);

  *origin = array->layout.data;

  return _shnd_array_acquire (array, SHND_ACCESS_READ, error);
}

/**
 * shnd_frame_get_memory:
 * @self: a frame
 * @offset: (out): return location for where in the bytes the first element of the array begins, the
 *   one whose indices are all 0
 * @error: return location for an error
 *
 * Gets all memory of the frame, without copying it.
 *
 * That is at least what the array takes, and often more: padding behind the last row, say, planes,
 * and what is left of the room that the frame was given. Where no publisher has written, there is
 * what some earlier frame has left, or zeros.
 *
 * The bytes keep the frame as the array's own [method@Shnd.Array.get_bytes] do. Those of a received
 * frame cannot be written.
 *
 * Fails with %SHND_ERROR_CLOSED if the frame was published or released.
 *
 * Returns: (transfer full): the memory
 */
GBytes *
shnd_frame_get_memory (ShndFrame *self, gsize *offset, GError **error)
{
  ShndSegment *segment;
  guint8 *origin;

  g_return_val_if_fail (SHND_IS_FRAME (self), NULL);
  g_return_val_if_fail (offset != NULL, NULL);

  *offset = 0;
  segment = acquire_memory (self, &origin, error);
  if (segment == NULL)
    return NULL;

  *offset = origin - segment->data;

  return g_bytes_new_with_free_func (segment->data, segment->data_size,
                                     (GDestroyNotify) shnd_segment_unref, segment);
}

/* NULL if there are none, or what is under that name is something else. */
static GVariant *
get_planes (ShndFrame *self)
{
  g_autoptr (GVariant) metadata = NULL;

  g_mutex_lock (&self->mutex);
  if (self->metadata != NULL)
    metadata = g_variant_ref (self->metadata);
  g_mutex_unlock (&self->mutex);

  return metadata != NULL ?
             g_variant_lookup_value (metadata, "planes", G_VARIANT_TYPE (PLANES_TYPE)) :
             NULL;
}

/**
 * shnd_frame_list_planes:
 * @self: a frame
 *
 * Gets the names of the planes that the publisher says are in the frame.
 *
 * These are the ones in the metadata under “planes”, of type `a(sstaxax)`: name, NumPy dtype, offset
 * in bytes from the first element of the array, shape and strides in bytes. A video frame can so be
 * one run of bytes, and yet have brightness and colours as arrays of their own. If several have the
 * same name, the first counts.
 *
 * There are none if the metadata say nothing of planes, or nothing of this type.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, in the publisher's order
 */
char **
shnd_frame_list_planes (ShndFrame *self)
{
  g_autoptr (GVariant) planes = NULL;
  g_autoptr (GHashTable) seen = NULL;
  g_autoptr (GPtrArray) names = NULL;

  g_return_val_if_fail (SHND_IS_FRAME (self), NULL);

  planes = get_planes (self);
  seen = g_hash_table_new (g_str_hash, g_str_equal);
  names = g_ptr_array_new ();
  for (gsize i = 0; planes != NULL && i < g_variant_n_children (planes); i++)
    {
      g_autoptr (GVariant) plane = g_variant_get_child_value (planes, i);
      g_autofree char *name = NULL;

      g_variant_get_child (plane, 0, "s", &name);
      if (g_hash_table_contains (seen, name))
        continue;
      g_hash_table_add (seen, name);
      g_ptr_array_add (names, g_steal_pointer (&name));
    }
  g_ptr_array_add (names, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static GVariant *
find_plane (ShndFrame *self, const char *name, GError **error)
{
  g_autoptr (GVariant) planes = get_planes (self);
  g_autofree char *shown = NULL;

  for (gsize i = 0; planes != NULL && i < g_variant_n_children (planes); i++)
    {
      g_autoptr (GVariant) plane = g_variant_get_child_value (planes, i);
      const char *its_name;

      g_variant_get_child (plane, 0, "&s", &its_name);
      if (g_str_equal (its_name, name))
        return g_steal_pointer (&plane);
    }

  shown = shnd_shorten (name);
  g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
               "No plane “%s” in the metadata of the frame", shown);
  return NULL;
}

/* The dimensions in a variant of type "ax". */
static const gint64 *
get_dimensions (GVariant *variant, gsize *n_dims)
{
  return g_variant_get_fixed_array (variant, n_dims, sizeof (gint64));
}

static gboolean
init_view (ShndView *view, GVariant *plane, GError **error)
{
  g_autoptr (GVariant) shape = g_variant_get_child_value (plane, 3);
  g_autoptr (GVariant) strides = g_variant_get_child_value (plane, 4);
  gsize n_shape, n_strides;
  const gint64 *its_shape = get_dimensions (shape, &n_shape);
  const gint64 *its_strides = get_dimensions (strides, &n_strides);
  const char *dtype;
  guint64 offset;

  g_variant_get_child (plane, 1, "&s", &dtype);
  g_variant_get_child (plane, 2, "t", &offset);

  return shnd_view_init (view, dtype, offset, its_shape, n_shape, its_strides, n_strides, error);
}

/**
 * shnd_frame_get_plane:
 * @self: a frame
 * @name: the name of a plane
 * @error: return location for an error
 *
 * Gets one of the planes that [method@Shnd.Frame.list_planes] tells of.
 *
 * It is a view: it shows the frame's memory, and keeps the frame as views of the frame's array do.
 * The planes of a frame that was acquired, and whose metadata are set, can be written.
 *
 * What the publisher says is checked against the memory of the frame.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if there is none of that name; with %SHND_ERROR_TOO_SMALL if
 * it would be outside of the frame's memory; with %SHND_ERROR_INVALID_DTYPE,
 * %SHND_ERROR_INVALID_SHAPE or %SHND_ERROR_INVALID_ARGUMENT if what the publisher says of it is no
 * array; and with %SHND_ERROR_CLOSED if the frame was published or released.
 *
 * Returns: (transfer full): a view
 */
ShndArray *
shnd_frame_get_plane (ShndFrame *self, const char *name, GError **error)
{
  g_autoptr (GVariant) plane = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  g_auto (ShndView) view = { 0 };
  guint8 *origin;
  gint64 low;

  g_return_val_if_fail (SHND_IS_FRAME (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  plane = find_plane (self, name, error);
  if (plane == NULL)
    return NULL;

  segment = acquire_memory (self, &origin, error);
  if (segment == NULL)
    return NULL;

  low = segment->data - origin;
  /* An offset that is no gint64 is beyond the end as well when it is the highest of those. */
  if (!init_view (&view, plane, error) ||
      !shnd_layout_set_place (&view.layout, origin, low, low + segment->data_size,
                              MIN (view.offset, G_MAXINT64), error))
    {
      g_autofree char *shown = shnd_shorten (name);

      g_prefix_error (error, "Plane “%s” of the frame: ", shown);
      return NULL;
    }

  return _shnd_array_new_view (segment, &view.layout);
}
