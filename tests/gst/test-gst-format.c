/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "gstshndlayout.h"
#include "support.h"

/* Caps of arrays whose publishers gave none */

static ShndArray *
new_array (const char *description, const gint64 *shape, guint n_dims)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new (NULL, dtype, shape, n_dims, SHND_CREATE_NONE, &error);

  g_assert_no_error (error);
  return array;
}

static void
assert_caps (ShndArray *array, const char *expected)
{
  g_autoptr (GstCaps) caps = gst_shnd_caps_new_for_array (array);
  g_autoptr (GstCaps) other = gst_caps_from_string (expected);

  g_test_message ("%s", expected);
  g_assert_nonnull (other);
  g_assert_true (gst_caps_is_strictly_equal (caps, other));
  g_assert_true (gst_caps_is_fixed (caps));
}

/* Also that whoever gets the caps finds the same array in a buffer of it. */
static void
assert_array (const char *dtype, const gint64 *shape, guint n_dims, const char *expected)
{
  g_autoptr (ShndArray) array = new_array (dtype, shape, n_dims);
  g_autoptr (GstCaps) caps = gst_shnd_caps_new_for_array (array);
  g_autofree char *text = gst_caps_to_string (caps);
  g_autoptr (GstCaps) again = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = NULL;
  GstShndFormat format;
  GstShndLayout layout;
  gsize size = shnd_array_get_n_bytes (array);

  if (expected != NULL)
    assert_caps (array, expected);
  g_assert_true (gst_caps_is_equal (caps, again));

  gst_shnd_format_init (&format, again);
  if (format.video.finfo != NULL)
    size = format.video.size;
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  g_assert_true (gst_shnd_layout_init (&layout, &format, buffer));
  g_assert_true (shnd_dtype_equal (layout.dtype, shnd_array_get_dtype (array)));
  g_assert_cmpmem (layout.shape, layout.n_dims * 8, shape, n_dims * 8);
  gst_shnd_layout_clear (&layout);
  gst_shnd_format_clear (&format);
}

static void
test_pictures (void)
{
#define VIDEO(format)                                                                              \
  "video/x-raw, format=(string)" format ", width=(int)3, height=(int)2, "                          \
  "framerate=(fraction)0/1"

  assert_array ("u1", SHAPE (2, 3), VIDEO ("GRAY8"));
  assert_array ("u1", SHAPE (2, 3, 3), VIDEO ("RGB"));
  assert_array ("u1", SHAPE (2, 3, 4), VIDEO ("RGBA"));
  assert_array ("<u2", SHAPE (2, 3), VIDEO ("GRAY16_LE"));
  assert_array (">u2", SHAPE (2, 3), VIDEO ("GRAY16_BE"));
  assert_array ("<u2", SHAPE (2, 3, 4), VIDEO ("RGBA64_LE"));
  assert_array (">u2", SHAPE (2, 3, 4), VIDEO ("RGBA64_BE"));

#undef VIDEO
}

static void
test_arrays (void)
{
#define ARRAY(dtype, shape) "application/x-ndarray, dtype=(string)" dtype ", shape=(string)" shape

  assert_array ("u1", SHAPE (2, 3, 2), ARRAY ("\"|u1\"", "\"2,3,2\""));
  assert_array ("u1", SHAPE (5), ARRAY ("\"|u1\"", "5"));
  assert_array ("i1", SHAPE (2, 3), ARRAY ("\"|i1\"", "\"2,3\""));
  assert_array ("?", SHAPE (2, 3), ARRAY ("\"|b1\"", "\"2,3\""));
  assert_array ("<u2", SHAPE (2, 3, 3), ARRAY ("\"<u2\"", "\"2,3,3\""));
  assert_array ("<f4", SHAPE (2, 3), ARRAY ("\"<f4\"", "\"2,3\""));
  assert_array ("u1", SHAPE (0, 3), ARRAY ("\"|u1\"", "\"0,3\""));
  assert_array ("u1", SHAPE (3, 0, 3), ARRAY ("\"|u1\"", "\"3,0,3\""));
  assert_array (">f8", NULL, 0, ARRAY ("\">f8\"", "\"\""));
  assert_array ("[('a', '<i2'), ('ü\"', '<M8[ns]', (2, 3))]", SHAPE (1), NULL);

#undef ARRAY
}

/* The same element, again and again. */
static ShndArray *
new_repeated (const gint64 *shape, guint n_dims)
{
  g_autoptr (ShndArray) array = new_array ("u1", SHAPE (1));
  g_autoptr (GError) error = NULL;
  ShndArray *view = shnd_array_as_strided (array, shnd_array_get_dtype (array), 0, shape, n_dims,
                                           SHAPE (0, 0, 0), &error);

  g_assert_no_error (error);
  return view;
}

/* More than GStreamer can count. */
static void
test_large (void)
{
  g_autoptr (ShndArray) wide = new_repeated (SHAPE (1, 300000000, 4));
  g_autoptr (ShndArray) large = new_repeated (SHAPE (70000, 70000, 1));
  g_autoptr (ShndArray) high = new_repeated (SHAPE (70000, 70000, 3));
  g_autoptr (ShndArray) picture = new_array ("u1", SHAPE (4, 6, 3));
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) view = shnd_array_slice (picture, 1, 5, 0, -2, &error);

  assert_caps (wide, "application/x-ndarray, dtype=(string)\"|u1\", "
                     "shape=(string)\"1,300000000,4\"");
  assert_caps (large, "application/x-ndarray, dtype=(string)\"|u1\", "
                      "shape=(string)\"70000,70000,1\"");

  assert_caps (high, "application/x-ndarray, dtype=(string)\"|u1\", "
                     "shape=(string)\"70000,70000,3\"");

  /* The shape counts, wherever the elements are. */
  g_assert_no_error (error);
  assert_caps (view, "video/x-raw, format=(string)RGB, width=(int)3, height=(int)4, "
                     "framerate=(fraction)0/1");
}

static void
test_text (void)
{
  GstShndFormat format;
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-h264, a=(int)1");

  gst_shnd_format_init (&format, caps);
  g_assert_cmpstr (format.text, ==, "video/x-h264, a=(int)1");
  g_assert_true (format.caps == caps);
  g_assert_null (format.video.finfo);
  g_assert_null (format.audio.finfo);
  g_assert_null (format.dtype);
  gst_shnd_format_clear (&format);
  gst_shnd_format_clear (&format);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/format/pictures", test_pictures);
  g_test_add_func ("/gst/format/arrays", test_arrays);
  g_test_add_func ("/gst/format/large", test_large);
  g_test_add_func ("/gst/format/text", test_text);

  return g_test_run ();
}
