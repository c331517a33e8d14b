/* SPDX-License-Identifier: MIT */

#include "gstshndarray.h"

#include <string.h>

guint
gst_shnd_array_get_run (ShndArray *array, gsize *size)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  const gint64 *strides = shnd_array_get_strides (array, &n_dims);
  guint n = 0;

  *size = shnd_array_get_item_size (array);
  for (guint i = n_dims; i > 0 && (shape[i - 1] == 1 || strides[i - 1] == (gint64) *size); i--)
    {
      *size *= shape[i - 1];
      n++;
    }
  return n;
}

static guint8 *
copy (guint8 *to,
      const guint8 *from,
      const gint64 *shape,
      const gint64 *strides,
      guint n_dims,
      gsize run)
{
  if (n_dims == 0)
    {
      memcpy (to, from, run);
      return to + run;
    }

  for (gint64 i = 0; i < shape[0]; i++)
    to = copy (to, from + i * strides[0], shape + 1, strides + 1, n_dims - 1, run);
  return to;
}

GstBuffer *
gst_shnd_array_copy (ShndArray *array, const guint8 *data)
{
  const gsize n_bytes = shnd_array_get_n_bytes (array);
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  const gint64 *strides = shnd_array_get_strides (array, &n_dims);
  gsize run;
  guint n_run = gst_shnd_array_get_run (array, &run);
  guint8 *copied;

  if (n_bytes == 0)
    return gst_buffer_new ();

  copied = g_malloc (n_bytes);
  copy (copied, data, shape, strides, n_dims - n_run, run);

  return gst_buffer_new_wrapped (copied, n_bytes);
}

char *
gst_shnd_array_describe (ShndArray *array)
{
  GString *text = g_string_new (NULL);
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);

  g_string_append_printf (text, "an array of dtype %s and shape (",
                          shnd_dtype_to_string (shnd_array_get_dtype (array)));
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", shape[i]);
  g_string_append_printf (text, "%s), of %" G_GSIZE_FORMAT " bytes", n_dims == 1 ? "," : "",
                          shnd_array_get_n_bytes (array));

  return g_string_free (text, FALSE);
}
