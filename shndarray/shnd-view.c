/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-view-private.h"

#include "shnd-error.h"
#include "shnd-npy-private.h"

#include <string.h>

gboolean
shnd_view_init (ShndView *self,
                const char *dtype_text,
                guint64 offset,
                const gint64 *shape,
                gsize n_shape,
                const gint64 *strides,
                gsize n_strides,
                GError **error)
{
  g_autoptr (ShndDType) dtype = NULL;

  *self = (ShndView){ .offset = offset };
  dtype = shnd_dtype_new (dtype_text, error);
  if (dtype == NULL ||
      !shnd_layout_init (&self->layout, dtype, shape, MIN (n_shape, G_MAXUINT), FALSE, error))
    {
      self->layout.dtype = NULL;
      return FALSE;
    }

  /* The dimensions of a sub-array dtype are in the shape already. */
  if (self->layout.n_dims != n_shape || n_strides != n_shape)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "%" G_GSIZE_FORMAT " strides for %" G_GSIZE_FORMAT " dimensions of dtype %s: "
                   "expected as many strides as dimensions, and those of a sub-array in the shape",
                   n_strides, n_shape, dtype->description);
      self->layout.dtype = NULL;
      return FALSE;
    }

  shnd_dtype_ref (self->layout.dtype);
  if (n_strides > 0)
    memcpy (self->layout.strides, strides, n_strides * sizeof *strides);

  return TRUE;
}

void
shnd_view_clear (ShndView *self)
{
  g_clear_pointer (&self->layout.dtype, shnd_dtype_unref);
}

/* Which bytes of the file the view shows: from `*start` to before `*end`. */
static gboolean
get_span (const ShndView *self, guint64 *start, guint64 *end, GError **error)
{
  if (shnd_layout_get_place (&self->layout, self->offset, start, end))
    return TRUE;

  g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                       "The elements of the view are outside of any file");
  return FALSE;
}

/* Maps the elements of a .npy file, whose layout is then in `layout`, or the bytes of the view. */
static ShndSegment *
map (ShndViewFormat format,
     const ShndFile *file,
     guint64 start,
     guint64 end,
     ShndLayout *layout,
     ShndDType **dtype,
     GError **error)
{
  g_autoptr (GError) local_error = NULL;
  ShndSegment *segment;
  gsize data_offset;

  if (format != SHND_VIEW_RAW)
    {
      if (shnd_npy_read_header (file->fd, layout, dtype, &data_offset, &local_error))
        return shnd_segment_map (file, data_offset, shnd_layout_get_n_bytes (layout), error);

      if (format == SHND_VIEW_NPY ||
          !g_error_matches (local_error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT))
        {
          shnd_segment_abandon (file);
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
    }

  segment = shnd_segment_map (file, start, end - start, error);
  if (segment != NULL)
    segment->raw = TRUE;

  return segment;
}

/* Whether the view is all that there is, as it is there. */
static gboolean
is_whole (const ShndView *self, const ShndSegment *segment, const ShndLayout *layout)
{
  const gsize size = layout->n_dims * sizeof (gint64);

  return self->offset == segment->data_offset && self->layout.n_dims == layout->n_dims &&
         memcmp (self->layout.shape, layout->shape, size) == 0 &&
         memcmp (self->layout.strides, layout->strides, size) == 0 &&
         shnd_dtype_equal (self->layout.dtype, layout->dtype);
}

ShndArray *
shnd_view_open (const ShndView *self, ShndViewFormat format, const ShndFile *file, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (ShndDType) dtype = NULL;
  guint64 start = 0, end = 0;
  ShndLayout layout;

  if (self != NULL && !get_span (self, &start, &end, error))
    {
      shnd_segment_abandon (file);
      return NULL;
    }

  segment = map (format, file, start, end, &layout, &dtype, error);
  if (segment == NULL)
    return NULL;

  if (self == NULL || (!segment->raw && is_whole (self, segment, &layout)))
    {
      layout.data = segment->data;
      return _shnd_array_new_for_layout (segment, &layout);
    }

  if (start < segment->data_offset || end > segment->data_offset + segment->data_size)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                   "The elements of the view are in the bytes %" G_GUINT64_FORMAT
                   " to %" G_GUINT64_FORMAT ", those of the array in %" G_GUINT64_FORMAT
                   " to %" G_GUINT64_FORMAT,
                   start, end, segment->data_offset, segment->data_offset + segment->data_size);
      return NULL;
    }

  layout = self->layout;
  layout.data = segment->data + (self->offset - segment->data_offset);

  return _shnd_array_new_view (segment, &layout);
}
