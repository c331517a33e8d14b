/* SPDX-License-Identifier: MIT */

/* The elements of a buffer, as its layout says. */

#pragma once

#include <string.h>

#include "gstshndlayout.h"
#include "support.h"

typedef struct
{
  char *name;
  char dtype[4];
  const guint8 *data; /* of the element [0, ..., 0] */
  const guint8 *first, *last;
  guint n_dims;
  gint64 shape[SHND_MAX_DIMS];
  gint64 strides[SHND_MAX_DIMS];
} View;

typedef struct
{
  View views[64];
  guint n_views;
  GstShndLayout layout;
  GstMapInfo map;
  GstBuffer *buffer;
} Views;

static inline guint
get_numbers (GVariant *array, gint64 *numbers)
{
  gsize n_numbers;
  gconstpointer data = g_variant_get_fixed_array (array, &n_numbers, sizeof (gint64));

  memcpy (numbers, data, n_numbers * sizeof (gint64));

  return n_numbers;
}

static inline void
append_plane (Views *self, GVariant *plane)
{
  View *view = &self->views[self->n_views++];
  g_autoptr (GVariant) shape = NULL;
  g_autoptr (GVariant) strides = NULL;
  g_autofree char *dtype = NULL;
  guint64 offset;

  g_variant_get (plane, "(sst@ax@ax)", &view->name, &dtype, &offset, &shape, &strides);
  g_strlcpy (view->dtype, dtype, sizeof view->dtype);
  view->data = self->map.data + offset;
  view->n_dims = get_numbers (shape, view->shape);
  g_assert_cmpuint (get_numbers (strides, view->strides), ==, view->n_dims);
}

static inline void
views_init (Views *self, const GstShndFormat *format, GstBuffer *buffer)
{
  *self = (Views){ .buffer = buffer };

  g_assert_true (gst_shnd_layout_init (&self->layout, format, buffer));
  g_assert_true (gst_buffer_map (buffer, &self->map, GST_MAP_READ));

  if (self->layout.planes != NULL)
    {
      GVariantIter iter;
      GVariant *plane;

      g_assert_cmpstr (shnd_dtype_to_string (self->layout.dtype), ==, "|u1");
      g_assert_cmpuint (self->layout.n_dims, ==, 1);
      g_assert_cmpint (self->layout.shape[0], ==, self->map.size);
      g_assert_cmpuint (self->layout.offset, ==, 0);
      g_assert_cmpstr (g_variant_get_type_string (self->layout.planes), ==, "a(sstaxax)");

      g_variant_iter_init (&iter, self->layout.planes);
      while ((plane = g_variant_iter_next_value (&iter)))
        {
          append_plane (self, plane);
          g_variant_unref (plane);
        }
    }
  else
    {
      View *view = &self->views[0];

      g_strlcpy (view->dtype, shnd_dtype_to_string (self->layout.dtype), sizeof view->dtype);
      view->data = self->map.data + self->layout.offset;
      view->n_dims = self->layout.n_dims;
      memcpy (view->shape, self->layout.shape, sizeof view->shape);
      memcpy (view->strides, self->layout.strides, sizeof view->strides);
      self->n_views = 1;
    }

  for (guint i = 0; i < self->n_views; i++)
    {
      self->views[i].first = self->map.data;
      self->views[i].last = self->map.data + self->map.size;
    }
}

static inline void
views_clear (Views *self)
{
  gst_buffer_unmap (self->buffer, &self->map);
  gst_shnd_layout_clear (&self->layout);
  for (guint i = 0; i < self->n_views; i++)
    g_free (self->views[i].name);
}

static inline GstBuffer *
new_random_buffer (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = g_test_rand_int ();

  return gst_buffer_new_wrapped (data, size);
}
