/* SPDX-License-Identifier: MIT */

#include <glib/gstdio.h>

#include "sync-support.h"

/* Descriptors of arrays and views: what they bring back, and what they do not. */

static char *
describe (ShndArray *array)
{
  g_autoptr (GError) error = NULL;
  char *descriptor = shnd_array_to_descriptor (array, &error);

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (descriptor, "shnd:"));
  for (const char *c = descriptor; *c != '\0'; c++)
    g_assert_true (g_ascii_isgraph (*c));
  return descriptor;
}

static ShndArray *
reopen (const char *descriptor)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_open_descriptor (descriptor, &error);

  g_assert_no_error (error);
  return array;
}

/* The same elements, of the same kind, at the same place. */
static void
assert_same (ShndArray *a, ShndArray *b)
{
  guint n_dims, n_dims_b;
  const gint64 *shape = shnd_array_get_shape (a, &n_dims);
  const gint64 *strides = shnd_array_get_strides (a, NULL);
  /* Of copies, as views need not be in one piece. */
  g_autoptr (ShndArray) copy_a = shnd_array_dup (a, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (ShndArray) copy_b = shnd_array_dup (b, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (GBytes) bytes_a = shnd_array_get_bytes (copy_a, NULL);
  g_autoptr (GBytes) bytes_b = shnd_array_get_bytes (copy_b, NULL);

  g_assert_cmpmem (shape, n_dims * sizeof *shape, shnd_array_get_shape (b, &n_dims_b),
                   n_dims_b * sizeof *shape);
  g_assert_cmpmem (strides, n_dims * sizeof *strides, shnd_array_get_strides (b, NULL),
                   n_dims * sizeof *strides);
  g_assert_true (shnd_dtype_equal (shnd_array_get_dtype (a), shnd_array_get_dtype (b)));
  g_assert_cmpint (shnd_array_get_access (a), ==, shnd_array_get_access (b));
  g_assert_cmpint (shnd_array_get_order (a), ==, shnd_array_get_order (b));
  g_assert_cmpstr (shnd_array_get_name (a), ==, shnd_array_get_name (b));
  g_assert_true (g_bytes_equal (bytes_a, bytes_b));
}

/* To text and back, from both ends. */
static void
check_round_trip (ShndArray *array)
{
  g_autofree char *descriptor = describe (array);
  g_autofree char *again = NULL;
  g_autoptr (ShndArray) opened = reopen (descriptor);

  assert_same (array, opened);
  again = describe (opened);
  g_assert_cmpstr (descriptor, ==, again);
  if (shnd_array_get_n_bytes (array) == 0 || shnd_array_get_access (array) == SHND_ACCESS_READ)
    return;

  /* What one writes, the other reads. */
  *(guint8 *) shnd_array_get_data (opened) ^= 0x40;
  assert_same (array, opened);
}

static ShndArray *
make_numbers (const char *name, ShndCreateFlags flags)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i2");
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new (name, dtype, SHAPE (4, 5, 6), flags, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < 120; i++)
    ((gint16 *) shnd_array_get_data (array))[i] = i;
  return array;
}

static void
test_views (void)
{
  const ShndCreateFlags orders[] = { SHND_CREATE_NONE, SHND_CREATE_FORTRAN };
  const ShndAccess accesses[] = { SHND_ACCESS_READ, SHND_ACCESS_READ_WRITE };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    for (guint j = 0; j < G_N_ELEMENTS (accesses); j++)
      {
        g_autofree char *name = get_name ();
        g_autoptr (ShndArray) made = make_numbers (name, orders[i]);
        g_autoptr (ShndArray) array = open_array (name, accesses[j]);
        ShndArray *views[] = {
          g_object_ref (array),
          shnd_array_slice (array, 0, 1, 3, 1, NULL),
          shnd_array_slice (array, 0, 3, -1, -1, NULL),
          shnd_array_slice (array, 2, 5, -1, -2, NULL),
          shnd_array_slice (array, 1, 2, 2, 1, NULL),
          shnd_array_index (array, 1, 4, NULL),
          shnd_array_transpose (array, NULL, 0, NULL),
          NULL,
          NULL,
          NULL,
        };

        /* Views of views: without dimensions, from the end, and none of anything. */
        {
          g_autoptr (ShndArray) row = shnd_array_index (array, 0, 3, NULL);
          g_autoptr (ShndArray) cell = shnd_array_index (row, 0, 2, NULL);
          g_autoptr (ShndArray) back = shnd_array_slice (array, 0, 3, -1, -1, NULL);

          views[7] = shnd_array_index (cell, 0, 5, NULL);
          views[8] = shnd_array_transpose (back, NULL, 0, NULL);
          views[9] = shnd_array_slice (back, 1, 0, 0, 1, NULL);
        }

        for (guint k = 0; k < G_N_ELEMENTS (views); k++)
          {
            g_assert_nonnull (views[k]);
            check_round_trip (views[k]);
            g_object_unref (views[k]);
          }
      }
}

static void
test_dtypes (void)
{
  const char *const dtypes[] = {
    "|b1",
    ">f8",
    "|S5",
    "<U3",
    "|V7",
    "<M8[25us]",
    "<c16",
    "[('x', '<f4'), ('y', '>i2', (2, 3)), ('', '|V2'), (('A title', 'näme & =?#%'), '|u1')]",
    "[]",
    "|S0",
  };

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = new_array (name, dtypes[i], SHAPE (3, 4));
      g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 3, -1, -2, NULL);

      check_round_trip (array);
      check_round_trip (view);
      if (i == 7)
        {
          g_autoptr (ShndArray) field = shnd_array_field (view, "y", NULL);
          g_autoptr (ShndArray) last = shnd_array_field (view, "näme & =?#%", NULL);

          check_round_trip (field);
          check_round_trip (last);
        }
    }
}

static void
test_shapes (void)
{
  g_autofree char *scalar_name = get_name ();
  g_autofree char *empty_name = get_name ();
  g_autofree char *deep_name = get_name ();
  g_autofree char *odd_name = g_strdup_printf ("shnd-test-%d é %%41?&=#+\n", (int) getpid ());
  gint64 ones[SHND_MAX_DIMS];
  g_autoptr (ShndArray) scalar = new_array (scalar_name, "<f8", NULL, 0);
  g_autoptr (ShndArray) empty = new_array (empty_name, "<f8", SHAPE (3, 0, 2));
  g_autoptr (ShndArray) deep = NULL;
  g_autoptr (ShndArray) odd = new_array (odd_name, "u1", SHAPE (3));
  g_autoptr (ShndArray) view = shnd_array_transpose (empty, NULL, 0, NULL);
  g_autoptr (ShndArray) deep_view = NULL;

  for (guint i = 0; i < SHND_MAX_DIMS; i++)
    ones[i] = i % 16 == 0 ? 2 : 1;
  deep = new_array (deep_name, "<f8", ones, SHND_MAX_DIMS);
  deep_view = shnd_array_transpose (deep, NULL, 0, NULL);
  check_round_trip (scalar);
  check_round_trip (empty);
  check_round_trip (view);
  check_round_trip (deep);
  check_round_trip (deep_view);
  check_round_trip (odd);
}

/* Memory without a header, and files. */
static void
test_other_kinds (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *segment_path = g_strconcat ("/dev/shm/", name, NULL);
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "\xff é?&.npy", NULL);
  g_autofree char *descriptor = NULL;
  g_autoptr (ShndArray) numbers = make_numbers (NULL, SHND_CREATE_NONE);
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) raw = NULL;
  g_autoptr (ShndArray) view = NULL;
  g_autoptr (ShndArray) file = NULL;
  g_autoptr (ShndArray) file_view = NULL;

  g_assert_true (
      g_file_set_contents_full (segment_path, "0123456789abcdefghij", 20, 0, 0600, NULL));
  raw = shnd_array_open_segment (name, dtype, SHAPE (2, 2), 3, SHND_ACCESS_READ_WRITE, &error);
  g_assert_no_error (error);
  view = shnd_array_slice (raw, 0, 1, -1, -1, NULL);
  check_round_trip (raw);
  check_round_trip (view);
  unlink_name (name);

  g_assert_true (shnd_array_save (numbers, path, SHND_SAVE_NONE, NULL, NULL, NULL, &error));
  file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);
  g_assert_no_error (error);
  file_view = shnd_array_slice (file, 2, 5, -1, -1, NULL);
  check_round_trip (file);
  check_round_trip (file_view);

  /* By hand. */
  g_clear_object (&view);
  descriptor = g_strconcat ("shnd:", folder, "/%FF%20%C3%A9%3F%26.npy", NULL);
  view = reopen (descriptor);
  g_assert_cmpuint (shnd_array_get_size (view), ==, 120);

  /* It is no array any more; the message is text whatever the path is. */
  g_assert_cmpint (truncate (path, 20), ==, 0);
  g_clear_object (&view);
  view = shnd_array_open_descriptor (descriptor, &error);
  g_assert_null (view);
  assert_message (error, SHND_ERROR_INVALID_FORMAT, "inside its header");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpint (unlink (path), ==, 0);
  remove_folder (folder);

  ASSERT_FAILS (shnd_array_to_descriptor (numbers, failure) != NULL, SHND_ERROR_UNSUPPORTED,
                "no name");
  shnd_array_close (raw);
  ASSERT_FAILS (shnd_array_to_descriptor (raw, failure) != NULL, SHND_ERROR_CLOSED, "closed");
}

/* Another array has the name, or none. */
static void
test_gone (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make_numbers (name, SHND_CREATE_NONE);
  g_autoptr (ShndArray) view = shnd_array_index (array, 0, 1, NULL);
  g_autofree char *descriptor = describe (array);
  g_autofree char *of_view = describe (view);
  g_autofree char *by_name = g_strconcat ("shnd:", name, NULL);
  g_autoptr (ShndArray) other = NULL;
  guint n_fds;

  unlink_name (name);
  ASSERT_FAILS (shnd_array_open_descriptor (descriptor, failure) != NULL, SHND_ERROR_NOT_FOUND,
                name);
  other = make_numbers (name, SHND_CREATE_NONE);
  n_fds = count_fds ();
  ASSERT_FAILS (shnd_array_open_descriptor (descriptor, failure) != NULL, SHND_ERROR_NOT_FOUND,
                "stands for another one");
  ASSERT_FAILS (shnd_array_open_descriptor (of_view, failure) != NULL, SHND_ERROR_NOT_FOUND,
                "stands for another one");
  g_assert_cmpuint (count_fds (), ==, n_fds);
  /* Without a word on which file it is, it is whichever has the name. */
  g_object_unref (reopen (by_name));
  g_clear_object (&other);
  assert_no_name (name);
}

static void
assert_refused (const char *descriptor, ShndError code, const char *part)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_open_descriptor (descriptor, &error);

  if (array != NULL)
    g_error ("%s was opened", descriptor);
  if (!g_error_matches (error, SHND_ERROR, code))
    g_error ("%s: %s", descriptor, error->message);
  assert_message (error, code, part);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_malformed (void)
{
  const struct
  {
    const char *text; /* behind the name */
    const char *part;
  } bad[] = {
    { "?access", "access" },
    { "?=", "“”" },
    { "?=rw", "“”" },
    { "?&access=rw", "“”" },
    { "?access=rw&", "“”" },
    { "?access=rw&&file=1.1", "“”" },
    { "?access=", "access" },
    { "?access=w", "access" },
    { "?access=RW", "access" },
    { "?access=rw ", "access" },
    { "?access=r&access=r", "access" },
    { "?access=r=w", "access" },
    { "?Access=r", "Access" },
    { "?mode=r", "mode" },
    { "?access=rw;file=1.1", "access" },
    { "?access=rw#part", "access" },
    { "?file=", "file" },
    { "?file=1", "file" },
    { "?file=.", "file" },
    { "?file=1.", "file" },
    { "?file=.1", "file" },
    { "?file=-1.1", "file" },
    { "?file=+1.1", "file" },
    { "?file= 1.1", "file" },
    { "?file=1.1.1", "file" },
    { "?file=1.0x1", "file" },
    { "?file=18446744073709551616.1", "file" },
    { "?file=1.18446744073709551616", "file" },
    { "?file=1.1&file=1.1", "file" },
    { "?offset=4096", "together" },
    { "?raw=4096", "together" },
    { "?dtype=u1", "together" },
    { "?shape=1", "together" },
    { "?strides=1", "together" },
    { "?dtype=u1&shape=1&strides=1", "together" },
    { "?offset=4096&shape=1&strides=1", "together" },
    { "?offset=4096&dtype=u1&strides=1", "together" },
    { "?offset=4096&dtype=u1&shape=1", "together" },
    { "?offset=&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=-1&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=x&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=0x10&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=9223372036854775808&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=1e3&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=4096&offset=4096&dtype=u1&shape=1&strides=1", "offset" },
    { "?offset=4096&raw=4096&dtype=u1&shape=1&strides=1", "raw" },
    { "?offset=4096&dtype=u1&dtype=u1&shape=1&strides=1", "dtype" },
    { "?offset=4096&dtype=%&shape=1&strides=1", "dtype" },
    { "?offset=4096&dtype=%0&shape=1&strides=1", "dtype" },
    { "?offset=4096&dtype=%zz&shape=1&strides=1", "dtype" },
    { "?offset=4096&dtype=u1%00&shape=1&strides=1", "dtype" },
    { "?offset=4096&dtype=u1&shape=1,&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=,1&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=,&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=1,,1&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=1.5&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=(1)&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=1, 1&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=9223372036854775808&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=1&shape=1&strides=1", "shape" },
    { "?offset=4096&dtype=u1&shape=1&strides=1;", "strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=one", "strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=--1", "strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=-9223372036854775809", "strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=1&strides=1", "strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=", "as many strides" },
    { "?offset=4096&dtype=u1&shape=1&strides=1,1", "as many strides" },
    { "?offset=4096&dtype=u1&shape=1,1&strides=1", "as many strides" },
    { "?offset=4096&dtype=u1&shape=&strides=1", "as many strides" },
    /* A sub-array is not an element. */
    { "?offset=4096&dtype=%28%27u1%27%2C%202%29&shape=1&strides=1", "as many strides" },
  };
  const char *const bad_dtypes[] = { "",
                                     "O",
                                     "|O",
                                     "float33",
                                     "x",
                                     "%FF",
                                     "%C3",
                                     "u",
                                     "u1,u1",
                                     "%5B",
                                     "%5B%5D%5D",
                                     "(",
                                     "%5B%28%27x%27%2C%20%27O%27%29%5D",
                                     "b'u1'",
                                     "M8%5Bs" };
  const char *const bad_shapes[] = { "-1", "-9223372036854775808", "9223372036854775807,2",
                                     "4611686018427387904,4611686018427387904",
                                     "0,4611686018427387904,4611686018427387904" };
  const char *const bad_starts[] = { "",         "shnd",     "SHND:x",     "file:///x", "x",
                                     " shnd:x",  "shnd:",    "shnd:?",     "shnd:%",    "shnd:%0",
                                     "shnd:%zz", "shnd:%00", "shnd:a%00b", "\xff",      "shnd" };
  const char *const bad_names[] = { "shnd:.",      "shnd:..",   "shnd:.x",        "shnd:a/b",
                                    "shnd:a%2Fb",  "shnd:%FF",  "shnd:%C3",       "shnd:.?access=r",
                                    "shnd:%2E%2E", "shnd:\xff", "shnd:x%2F..%2Fy" };
  g_autofree char *name = get_name ();
  g_autofree char *many = NULL;
  g_autoptr (ShndArray) array = make_numbers (name, SHND_CREATE_NONE);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n_fds = count_fds ();
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++, n++)
    {
      g_string_printf (text, "shnd:%s%s", name, bad[i].text);
      assert_refused (text->str, SHND_ERROR_INVALID_ARGUMENT, bad[i].part);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad_dtypes); i++, n++)
    {
      g_string_printf (text, "shnd:%s?offset=4096&dtype=%s&shape=1&strides=1", name, bad_dtypes[i]);
      assert_refused (text->str, SHND_ERROR_INVALID_DTYPE, "Not a valid descriptor");
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad_shapes); i++, n++)
    {
      g_string_printf (text, "shnd:%s?offset=4096&dtype=<i2&shape=%s&strides=1", name,
                       bad_shapes[i]);
      assert_refused (text->str, SHND_ERROR_INVALID_SHAPE, "Not a valid descriptor");
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad_starts); i++, n++)
    assert_refused (bad_starts[i], SHND_ERROR_INVALID_ARGUMENT, "is not a descriptor");
  for (guint i = 0; i < G_N_ELEMENTS (bad_names); i++, n++)
    assert_refused (bad_names[i], SHND_ERROR_INVALID_NAME, "name for an array");

  /* Too many of anything. */
  g_string_printf (text, "shnd:%s?offset=4096&dtype=u1&shape=1", name);
  for (guint i = 0; i < SHND_MAX_DIMS; i++)
    g_string_append (text, ",1");
  g_string_append (text, "&strides=1");
  assert_refused (text->str, SHND_ERROR_INVALID_ARGUMENT, "shape");
  many = g_strnfill (1000000, 'x');
  g_string_printf (text, "shnd:%s", many);
  assert_refused (text->str, SHND_ERROR_INVALID_NAME, "at most 255 bytes");
  assert_refused (many, SHND_ERROR_INVALID_ARGUMENT, "…");
  n += 3;

  g_assert_cmpuint (n, >, 100);
  g_assert_cmpuint (count_fds (), ==, n_fds);
  g_test_message ("%u malformed descriptors", n);
}

/* Views of what is not the array's. It has the bytes 4096 to 4336 of its file. */
static void
test_outside (void)
{
  const struct
  {
    const char *text;
    gboolean inside;
  } views[] = {
    { "offset=4096&dtype=u1&shape=240&strides=1", TRUE },
    { "offset=4335&dtype=u1&shape=240&strides=-1", TRUE },
    { "offset=4096&dtype=<i2&shape=1152921504606846976&strides=0", TRUE },
    { "offset=4096&dtype=u1&shape=0&strides=9223372036854775807", TRUE },
    { "offset=4336&dtype=u1&shape=0,3&strides=-9223372036854775808,1", TRUE },
    { "offset=4097&dtype=<i2&shape=2,2&strides=3,-1", TRUE },
    { "offset=4095&dtype=u1&shape=1&strides=1", FALSE },
    { "offset=0&dtype=u1&shape=1&strides=1", FALSE },
    { "offset=4096&dtype=u1&shape=241&strides=1", FALSE },
    { "offset=4336&dtype=u1&shape=1&strides=1", FALSE },
    { "offset=4335&dtype=<i2&shape=1&strides=2", FALSE },
    { "offset=4334&dtype=u1&shape=240&strides=-1", FALSE },
    { "offset=4096&dtype=u1&shape=2&strides=-1", FALSE },
    { "offset=4096&dtype=u1&shape=2&strides=240", FALSE },
    { "offset=4096&dtype=u1&shape=2&strides=9223372036854775807", FALSE },
    { "offset=4096&dtype=u1&shape=2&strides=-9223372036854775808", FALSE },
    { "offset=4096&dtype=u1&shape=3&strides=9223372036854775807", FALSE },
    { "offset=4096&dtype=u1&shape=9223372036854775807&strides=9223372036854775807", FALSE },
    { "offset=4096&dtype=u1&shape=9223372036854775807&strides=-9223372036854775808", FALSE },
    { "offset=4200&dtype=u1&shape=2,2&strides=9223372036854775807,-9223372036854775807", FALSE },
    { "offset=9223372036854775807&dtype=u1&shape=1&strides=1", FALSE },
    { "offset=9223372036854775807&dtype=u1&shape=0&strides=1", FALSE },
    { "offset=4095&dtype=u1&shape=0&strides=1", FALSE },
    { "offset=8192&dtype=u1&shape=1&strides=1", FALSE },
    { "raw=0&dtype=u1&shape=12288&strides=1", TRUE },
    { "raw=12287&dtype=u1&shape=12288&strides=-1", TRUE },
    { "raw=0&dtype=u1&shape=12289&strides=1", FALSE },
    { "raw=12288&dtype=u1&shape=1&strides=1", FALSE },
    { "raw=0&dtype=u1&shape=2&strides=-1", FALSE },
    { "raw=9223372036854775807&dtype=u1&shape=1&strides=1", FALSE },
  };
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make_numbers (name, SHND_CREATE_NONE);
  guint n_fds = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    {
      g_autofree char *text = g_strdup_printf ("shnd:%s?%s", name, views[i].text);
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) view = shnd_array_open_descriptor (text, &error);

      if ((view != NULL) != views[i].inside)
        g_error ("%s: %s", text, error != NULL ? error->message : "it was opened");
      if (view == NULL)
        g_assert_true (g_error_matches (error, SHND_ERROR, SHND_ERROR_TOO_SMALL) ||
                       g_error_matches (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT));
      else if (shnd_array_get_size (view) < 100000)
        g_object_unref (shnd_array_dup (view, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL));
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* Text that was cut, or in which a character is another one, opens what is there, or nothing. */
static void
test_damaged (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make_numbers (name, SHND_CREATE_NONE);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 2, 5, -1, -2, NULL);
  g_autofree char *descriptor = describe (view);
  gsize length = strlen (descriptor);
  guint n_fds = count_fds ();
  guint n_opened = 0;

  for (gsize i = 0; i < length; i++)
    for (const char *c = "0179.,-&=?%:/\xff\x01z"; *c != '\0'; c++)
      {
        g_autofree char *text = g_strdup (descriptor);
        g_autoptr (GError) error = NULL;
        g_autoptr (ShndArray) opened = NULL;

        text[i] = *c;
        opened = shnd_array_open_descriptor (text, &error);
        if (opened == NULL)
          g_assert_true (g_utf8_validate (error->message, -1, NULL));
        else if (shnd_array_get_size (opened) < 100000)
          g_object_unref (shnd_array_dup (opened, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL));
        n_opened += opened != NULL;
        g_clear_object (&opened);

        g_clear_error (&error);
        text[i] = '\0';
        opened = shnd_array_open_descriptor (text, &error);
        g_assert_true ((opened != NULL) != (error != NULL));
      }
  g_assert_cmpuint (n_opened, >, 0);
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* Another process opens the same view, and changes it. */
static void
test_processes (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make_numbers (name, SHND_CREATE_NONE);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 2, 5, -1, -2, NULL);
  g_autofree char *descriptor = describe (view);
  pid_t pid = fork ();

  if (pid == 0)
    {
      ShndArray *mine = shnd_array_open_descriptor (descriptor, NULL);

      end_child (mine != NULL && shnd_array_get_int64 (mine, (gint64[]){ 0, 0, 1 }, 3, NULL) == 3 &&
                         shnd_array_set_int64 (mine, (gint64[]){ 0, 0, 1 }, 3, 99, NULL) ?
                     0 :
                     1);
    }
  wait_for_child (pid);
  g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (0, 0, 3), NULL), ==, 99);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/descriptor/views", test_views);
  g_test_add_func ("/descriptor/dtypes", test_dtypes);
  g_test_add_func ("/descriptor/shapes", test_shapes);
  g_test_add_func ("/descriptor/other-kinds", test_other_kinds);
  g_test_add_func ("/descriptor/gone", test_gone);
  g_test_add_func ("/descriptor/malformed", test_malformed);
  g_test_add_func ("/descriptor/outside", test_outside);
  g_test_add_func ("/descriptor/damaged", test_damaged);
  g_test_add_func ("/descriptor/processes", test_processes);

  return g_test_run ();
}
