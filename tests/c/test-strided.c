/* SPDX-License-Identifier: MIT */

/* Views of any dtype and layout, and that none of them leaves the array. */

#include "sync-support.h"

#define N_BYTES 24

/* Bytes 0, 1, 2, ... */
static ShndArray *
new_counting (void)
{
  ShndArray *array = new_array (NULL, "uint8", SHAPE (N_BYTES));
  guint8 *data = shnd_array_get_data (array);

  for (guint i = 0; i < N_BYTES; i++)
    data[i] = i;
  return array;
}

static void
test_views (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = new_counting ();
  g_autoptr (ShndDType) words = new_dtype (">u2");
  g_autoptr (ShndDType) pairs = new_dtype ("('|u1', (2,))");
  g_autoptr (ShndArray) padded = NULL;
  g_autoptr (ShndArray) backwards = NULL;
  g_autoptr (ShndArray) windows = NULL;
  g_autoptr (ShndArray) taken_apart = NULL;
  g_autoptr (ShndArray) back = NULL;
  g_autoptr (ShndArray) one = NULL;

  /* Rows of two words and four bytes of padding. */
  padded = shnd_array_as_strided (array, words, 1, SHAPE (3, 2), (gint64[]){ 8, 2 }, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (shnd_dtype_to_string (shnd_array_get_dtype (padded)), ==, ">u2");
  g_assert_cmpint (shnd_array_get_int64 (padded, SHAPE (2, 1), &error), ==, 0x1314);
  g_assert_cmpint (shnd_array_get_access (padded), ==, SHND_ACCESS_READ_WRITE);

  backwards = shnd_array_as_strided (padded, words, 18, SHAPE (10), (gint64[]){ -2 }, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (backwards, SHAPE (9), &error), ==, 0x0102);
  shnd_array_set_int64 (backwards, SHAPE (9), 0x6364, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (1), &error), ==, 0x63);

  windows = shnd_array_as_strided (array, words, 0, SHAPE (5, 4), (gint64[]){ 0, 1 }, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (windows, SHAPE (4, 3), &error), ==, 0x0304);

  taken_apart = shnd_array_as_strided (array, pairs, 4, SHAPE (5), (gint64[]){ 4 }, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_array_get_n_dims (taken_apart), ==, 2);
  g_assert_cmpint (shnd_array_get_int64 (taken_apart, SHAPE (4, 1), &error), ==, 21);

  /* Of a view, and back before its first element. */
  back = shnd_array_as_strided (taken_apart, pairs, 4, SHAPE (0), (gint64[]){ 4 }, 1, &error);
  g_assert_no_error (error);
  g_clear_object (&back);
  back = shnd_array_as_strided (backwards, words, -18, NULL, 0, NULL, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (back, NULL, 0, &error), ==, 0x6364);

  one = shnd_array_as_strided (array, words, 22, NULL, 0, NULL, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (one, NULL, 0, &error), ==, 0x1617);
}

static void
test_outside (void)
{
  g_autoptr (ShndArray) array = new_counting ();
  g_autoptr (ShndDType) words = new_dtype ("<u2");
  g_autoptr (ShndDType) nothing = new_dtype ("V0");
  const struct
  {
    ShndDType *dtype;
    gint64 offset;
    gint64 shape[2];
    gint64 strides[2];
    guint n_dims;
  } cases[] = {
    { words, 23, { 0 }, { 0 }, 0 },
    { words, -1, { 0 }, { 0 }, 0 },
    { words, 0, { 12, 2 }, { 2, 1 }, 2 },
    { words, 0, { 2 }, { -1 }, 1 },
    { words, 22, { 13 }, { -2 }, 1 },
    { words, G_MAXINT64, { 0 }, { 0 }, 0 },
    { words, G_MININT64, { 0 }, { 0 }, 0 },
    { words, G_MAXINT64, { 2 }, { G_MININT64 }, 1 },
    { words, 0, { 2, 2 }, { G_MAXINT64, G_MININT64 + 1 }, 2 },
    { words, 0, { 5, 2 }, { G_MAXINT64 / 4 + 1, 0 }, 2 },
    { words, 0, { G_GINT64_CONSTANT (1) << 61 }, { 8 }, 1 },
    { words, 25, { 0 }, { 1 }, 1 },
    { nothing, 0, { 2 }, { G_MAXINT64 }, 1 },
    { nothing, 25, { 0 }, { 0 }, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ASSERT_FAILS (shnd_array_as_strided (array, cases[i].dtype, cases[i].offset, cases[i].shape,
                                         cases[i].n_dims, cases[i].strides, cases[i].n_dims,
                                         failure),
                  SHND_ERROR_TOO_SMALL, "from 0 to 24");
}

static void
test_refused (void)
{
  g_autoptr (ShndArray) array = new_counting ();
  g_autoptr (ShndArray) part = shnd_array_slice (array, 0, 8, 16, 1, NULL);
  g_autoptr (ShndArray) none = shnd_array_slice (array, 0, 8, 8, 1, NULL);
  g_autoptr (ShndDType) bytes = new_dtype ("uint8");
  const gint64 many[SHND_MAX_DIMS + 1] = { 0 };
  const gint64 strides[] = { 1, 1 };

  ASSERT_FAILS (shnd_array_as_strided (array, bytes, 0, SHAPE (3), strides, 2, failure),
                SHND_ERROR_INVALID_ARGUMENT, "2 strides for 1 dimensions");
  ASSERT_FAILS (shnd_array_as_strided (array, bytes, 0, SHAPE (3), NULL, 0, failure),
                SHND_ERROR_INVALID_ARGUMENT, "0 strides");
  ASSERT_FAILS (shnd_array_as_strided (array, bytes, 0, SHAPE (-3), strides, 1, failure),
                SHND_ERROR_INVALID_SHAPE, "0 or more");
  ASSERT_FAILS (shnd_array_as_strided (array, bytes, 0, many, SHND_MAX_DIMS + 1, many,
                                       SHND_MAX_DIMS + 1, failure),
                SHND_ERROR_INVALID_SHAPE, "at most 32");

  /* A view is not the way to more of its array. */
  ASSERT_FAILS (shnd_array_as_strided (part, bytes, 0, SHAPE (9), strides, 1, failure),
                SHND_ERROR_TOO_SMALL, "from 0 to 8");
  ASSERT_FAILS (shnd_array_as_strided (part, bytes, -1, SHAPE (1), strides, 1, failure),
                SHND_ERROR_TOO_SMALL, "");
  ASSERT_FAILS (shnd_array_as_strided (none, bytes, 0, SHAPE (1), strides, 1, failure),
                SHND_ERROR_TOO_SMALL, "from 0 to 0");

  shnd_array_close (array);
  ASSERT_FAILS (shnd_array_as_strided (array, bytes, 0, SHAPE (1), strides, 1, failure),
                SHND_ERROR_CLOSED, "closed");
}

/* The strides of what has no elements can be anything; views of it stay where they are. */
static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) array = new_counting ();
  g_autoptr (ShndDType) words = new_dtype ("<u2");
  g_autoptr (ShndArray) empty = NULL;
  g_autoptr (ShndArray) row = NULL;
  g_autoptr (ShndArray) sliced = NULL;
  g_autoptr (GBytes) memory = NULL;
  const gint64 strides[] = { G_MAXINT64, G_MAXINT64 };
  gsize offset;

  empty = shnd_array_as_strided (array, words, 24, SHAPE (0, 1000), strides, 2, &error);
  g_assert_no_error (error);
  row = shnd_array_index (empty, 1, 999, &error);
  g_assert_no_error (error);
  g_assert_true (shnd_array_get_data (row) == shnd_array_get_data (empty));
  sliced = shnd_array_slice (empty, 1, 999, 0, -7, &error);
  g_assert_no_error (error);
  g_assert_true (shnd_array_get_data (sliced) == shnd_array_get_data (empty));
  memory = shnd_array_get_memory (sliced, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (memory), ==, 0);
}

static void
test_read_only (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndDType) words = new_dtype ("<u2");
  g_autoptr (ShndArray) made = new_array (name, "uint8", SHAPE (N_BYTES));
  g_autoptr (ShndArray) array = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) view = NULL;

  view = shnd_array_as_strided (array, words, 0, SHAPE (12), (gint64[]){ 2 }, 1, &error);
  g_assert_no_error (error);
  g_clear_object (&array);
  ASSERT_FAILS (shnd_array_set_int64 (view, SHAPE (0), 1, failure), SHND_ERROR_READ_ONLY, "");
  shnd_array_set_int64 (made, SHAPE (3), 1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (view, SHAPE (1), &error), ==, 256);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/strided/views", test_views);
  g_test_add_func ("/strided/outside", test_outside);
  g_test_add_func ("/strided/refused", test_refused);
  g_test_add_func ("/strided/empty", test_empty);
  g_test_add_func ("/strided/read-only", test_read_only);

  return g_test_run ();
}
