/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <shndarray/shndarray.h>
#include <string.h>

#include "shnd-layout-private.h"
#include "support.h"

static guint8 memory[4096];

/* For calls that fail before there is a layout. */
static ShndLayout scratch;

static void
init_layout (ShndLayout *layout, ShndDType *dtype, const gint64 *shape, guint n_dims)
{
  g_autoptr (GError) error = NULL;

  shnd_layout_init (layout, dtype, shape, n_dims, FALSE, &error);
  g_assert_no_error (error);
  layout->data = memory;
}

#define INIT(layout, dtype, ...) init_layout (layout, dtype, SHAPE (__VA_ARGS__))

static void
assert_layout (const ShndLayout *layout, const char *shape, const char *strides, gssize offset)
{
  g_autofree char *shape_text = shnd_shape_to_string (layout->shape, layout->n_dims);
  g_autofree char *strides_text = shnd_shape_to_string (layout->strides, layout->n_dims);

  g_assert_cmpstr (shape_text, ==, shape);
  g_assert_cmpstr (strides_text, ==, strides);
  g_assert_cmpint (layout->data - memory, ==, offset);
}

/* Expects the last call to have failed, and `layout` to be as it was. */
#define ASSERT_FAILS(call, code, part)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    ShndLayout before_ = layout;                                                                   \
    g_autoptr (GError) error = NULL;                                                               \
    g_assert_false (call);                                                                         \
    g_assert_error (error, SHND_ERROR, code);                                                      \
    if (strstr (error->message, part) == NULL)                                                     \
      g_error ("expected “%s” in “%s”", part, error->message);                                     \
    g_assert_cmpuint (layout.n_dims, ==, before_.n_dims);                                          \
    g_assert_cmpmem (layout.shape, layout.n_dims * 8, before_.shape, before_.n_dims * 8);          \
    g_assert_cmpmem (layout.strides, layout.n_dims * 8, before_.strides, before_.n_dims * 8);      \
    g_assert_true (layout.data == before_.data);                                                   \
  }                                                                                                \
  G_STMT_END

static void
test_init (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<f4");
  g_autoptr (ShndDType) nested = new_dtype ("[('a', '<f4', (2, 3))]");
  g_autoptr (ShndDType) subarray = new_dtype ("('<f4', (2, 3))");
  ShndLayout layout;
  gint64 shape[34];

  INIT (&layout, dtype, 2, 3, 4);
  assert_layout (&layout, "(2, 3, 4)", "(48, 16, 4)", 0);
  g_assert_cmpuint (shnd_layout_get_size (&layout), ==, 24);
  g_assert_cmpuint (shnd_layout_get_n_bytes (&layout), ==, 96);

  g_assert_true (shnd_layout_init (&layout, dtype, SHAPE (2, 3, 4), TRUE, NULL));
  layout.data = memory;
  assert_layout (&layout, "(2, 3, 4)", "(4, 8, 24)", 0);
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_FORTRAN);

  g_assert_true (shnd_layout_init (&layout, dtype, NULL, 0, FALSE, NULL));
  g_assert_cmpuint (shnd_layout_get_size (&layout), ==, 1);

  /* A sub-array's dimensions become the array's. */
  INIT (&layout, subarray, 5);
  assert_layout (&layout, "(5, 2, 3)", "(24, 12, 4)", 0);
  g_assert_true (layout.dtype->kind == SHND_DTYPE_KIND_FLOAT);
  INIT (&layout, nested, 5);
  assert_layout (&layout, "(5,)", "(24,)", 0);

  for (guint i = 0; i < G_N_ELEMENTS (shape); i++)
    shape[i] = 1;
  init_layout (&layout, dtype, shape, 32);
  ASSERT_FAILS (shnd_layout_init (&scratch, dtype, shape, 33, FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "33 dimensions");
  ASSERT_FAILS (shnd_layout_init (&scratch, subarray, shape, 31, FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "33 dimensions, 2 of them from the dtype");
}

static void
test_init_limits (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<f8");
  g_autoptr (ShndDType) nothing = new_dtype ("|V0");
  ShndLayout layout;

  INIT (&layout, dtype, 1);
  ASSERT_FAILS (shnd_layout_init (&scratch, dtype, SHAPE (-1), FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "0 or more");
  ASSERT_FAILS (shnd_layout_init (&scratch, dtype, SHAPE (G_MAXINT64 / 8 + 1), FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "2^63 - 1");
  g_assert_true (shnd_layout_init (&layout, dtype, SHAPE (G_MAXINT64 / 8), FALSE, NULL));
  layout.data = memory;
  ASSERT_FAILS (shnd_layout_init (&scratch, dtype, SHAPE (1ll << 32, 1ll << 32), FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "2^63 - 1");
  /* Two that multiply to a small number modulo 2^64; a 0 does not hide them. */
  ASSERT_FAILS (shnd_layout_init (&scratch, dtype, SHAPE (0, 1ll << 32, 1ll << 32), FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "2^63 - 1");
  ASSERT_FAILS (shnd_layout_init (&scratch, nothing, SHAPE (G_MAXINT64, 2), FALSE, &error),
                SHND_ERROR_INVALID_SHAPE, "2^63 - 1");
}

static void
test_order (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("|u1");
  ShndLayout layout;

  INIT (&layout, dtype, 4, 6);
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_C);
  g_assert_true (shnd_layout_transpose (&layout, NULL, 0, NULL));
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_FORTRAN);
  g_assert_true (shnd_layout_slice (&layout, 0, 0, 6, 2, NULL));
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_STRIDED);
  g_assert_true (shnd_layout_slice (&layout, 0, 0, 1, 1, NULL));
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_STRIDED);
  g_assert_true (shnd_layout_slice (&layout, 1, 0, 0, 1, NULL));
  g_assert_cmpint (shnd_layout_get_order (&layout), ==, SHND_ORDER_C);
}

static void
test_slice (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i2");
  ShndLayout layout;
  gint64 low, high;

  INIT (&layout, dtype, 10, 4);
  g_assert_true (shnd_layout_slice (&layout, 0, 1, 8, 3, NULL));
  assert_layout (&layout, "(3, 4)", "(24, 2)", 8);
  g_assert_true (shnd_layout_slice (&layout, 1, 3, -1, -1, NULL));
  assert_layout (&layout, "(3, 4)", "(24, -2)", 14);
  shnd_layout_get_span (&layout, &low, &high);
  g_assert_cmpint (low, ==, -6);
  g_assert_cmpint (high, ==, 2 * 24 + 2);
  g_assert_true (shnd_layout_slice (&layout, 1, 3, 0, -2, NULL));
  assert_layout (&layout, "(3, 2)", "(24, 4)", 8);

  INIT (&layout, dtype, 10);
  /* As many as range() has, also where the stop is far away. */
  g_assert_true (shnd_layout_slice (&layout, 0, 9, -1, G_MININT64, NULL));
  assert_layout (&layout, "(1,)", "(2,)", 18);
  INIT (&layout, dtype, 10);
  g_assert_true (shnd_layout_slice (&layout, 0, 0, 10, G_MAXINT64, NULL));
  assert_layout (&layout, "(1,)", "(2,)", 0);
  INIT (&layout, dtype, 10);
  g_assert_true (shnd_layout_slice (&layout, 0, 5, 5, 1, NULL));
  assert_layout (&layout, "(0,)", "(2,)", 0);
  g_assert_true (shnd_layout_slice (&layout, 0, 100, 3, 1, NULL));

  INIT (&layout, dtype, 10);
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, 0, 11, 1, &error), SHND_ERROR_OUT_OF_RANGE,
                "leaves the 10 elements");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, -1, 5, 1, &error), SHND_ERROR_OUT_OF_RANGE,
                "expected 0 to 9");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, 10, -1, -1, &error), SHND_ERROR_OUT_OF_RANGE,
                "expected 0 to 9");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, 9, -2, -1, &error), SHND_ERROR_OUT_OF_RANGE,
                "leaves the 10 elements");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, G_MININT64, G_MAXINT64, 1, &error),
                SHND_ERROR_OUT_OF_RANGE, "expected 0 to 9");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, 0, G_MAXINT64, 1, &error), SHND_ERROR_OUT_OF_RANGE,
                "leaves the 10 elements");
  ASSERT_FAILS (shnd_layout_slice (&layout, 0, 0, 5, 0, &error), SHND_ERROR_INVALID_ARGUMENT,
                "step 0");
  ASSERT_FAILS (shnd_layout_slice (&layout, 1, 0, 5, 1, &error), SHND_ERROR_OUT_OF_RANGE, "Axis 1");
}

static void
test_index (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  ShndLayout layout;

  INIT (&layout, dtype, 2, 3, 4);
  g_assert_true (shnd_layout_index (&layout, 1, 2, NULL));
  assert_layout (&layout, "(2, 4)", "(48, 4)", 32);
  ASSERT_FAILS (shnd_layout_index (&layout, 0, 2, &error), SHND_ERROR_OUT_OF_RANGE,
                "expected 0 to 1");
  ASSERT_FAILS (shnd_layout_index (&layout, 0, -1, &error), SHND_ERROR_OUT_OF_RANGE, "Index -1");
  ASSERT_FAILS (shnd_layout_index (&layout, 2, 0, &error), SHND_ERROR_OUT_OF_RANGE, "Axis 2");
  g_assert_true (shnd_layout_index (&layout, 0, 1, NULL));
  g_assert_true (shnd_layout_index (&layout, 0, 3, NULL));
  assert_layout (&layout, "()", "()", 32 + 48 + 12);
  ASSERT_FAILS (shnd_layout_index (&layout, 0, 0, &error), SHND_ERROR_OUT_OF_RANGE, "Axis 0");

  INIT (&layout, dtype, 0);
  ASSERT_FAILS (shnd_layout_index (&layout, 0, 0, &error), SHND_ERROR_OUT_OF_RANGE,
                "has no elements");
}

static void
test_reshape (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("|u1");
  ShndLayout layout;

  INIT (&layout, dtype, 4, 6);
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (2, -1, 3), NULL));
  assert_layout (&layout, "(2, 4, 3)", "(12, 3, 1)", 0);
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (-1), NULL));
  assert_layout (&layout, "(24,)", "(1,)", 0);

  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (5, 5), &error), SHND_ERROR_INVALID_SHAPE,
                "(5, 5) has 25 elements: expected 24");
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (5, -1), &error), SHND_ERROR_INVALID_SHAPE,
                "in the place of -1");
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (0, -1), &error), SHND_ERROR_INVALID_SHAPE,
                "in the place of -1");
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (-1, -1), &error), SHND_ERROR_INVALID_SHAPE,
                "0 or more");
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (-2, 12), &error), SHND_ERROR_INVALID_SHAPE,
                "0 or more");
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (1ll << 62, 1ll << 62), &error),
                SHND_ERROR_INVALID_SHAPE, "2^63");

  /* Every second column: rows cannot be joined, but they can be split. */
  INIT (&layout, dtype, 4, 12);
  g_assert_true (shnd_layout_slice (&layout, 1, 0, 12, 2, NULL));
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (2, 2, 1, 3, 2), NULL));
  assert_layout (&layout, "(2, 2, 1, 3, 2)", "(24, 12, 12, 4, 2)", 0);
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (4, 6, 1), NULL));
  assert_layout (&layout, "(4, 6, 1)", "(12, 2, 1)", 0);
  /* Here they happen to follow one another. */
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (24), NULL));
  assert_layout (&layout, "(24,)", "(2,)", 0);

  INIT (&layout, dtype, 4, 6);
  g_assert_true (shnd_layout_transpose (&layout, NULL, 0, NULL));
  ASSERT_FAILS (shnd_layout_reshape (&layout, SHAPE (24), &error), SHND_ERROR_NOT_CONTIGUOUS,
                "reshape a copy");

  INIT (&layout, dtype, 3, 0);
  g_assert_true (shnd_layout_reshape (&layout, SHAPE (0, 7), NULL));
  assert_layout (&layout, "(0, 7)", "(7, 1)", 0);
  INIT (&layout, dtype, 1);
  g_assert_true (shnd_layout_reshape (&layout, NULL, 0, NULL));
  assert_layout (&layout, "()", "()", 0);
}

static void
test_transpose (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("|u1");
  ShndLayout layout;

  INIT (&layout, dtype, 2, 3, 4);
  g_assert_true (shnd_layout_transpose (&layout, SHAPE (2, 0, 1), NULL));
  assert_layout (&layout, "(4, 2, 3)", "(1, 12, 4)", 0);
  g_assert_true (shnd_layout_transpose (&layout, NULL, 0, NULL));
  assert_layout (&layout, "(3, 2, 4)", "(4, 12, 1)", 0);

  ASSERT_FAILS (shnd_layout_transpose (&layout, SHAPE (0, 1), &error), SHND_ERROR_INVALID_ARGUMENT,
                "2 axes");
  ASSERT_FAILS (shnd_layout_transpose (&layout, SHAPE (0, 1, 1), &error),
                SHND_ERROR_INVALID_ARGUMENT, "(0, 1, 1)");
  ASSERT_FAILS (shnd_layout_transpose (&layout, SHAPE (0, 1, 3), &error),
                SHND_ERROR_INVALID_ARGUMENT, "0 to 2 once");
  ASSERT_FAILS (shnd_layout_transpose (&layout, SHAPE (-1, 0, 1), &error),
                SHND_ERROR_INVALID_ARGUMENT, "0 to 2 once");
}

static void
test_field (void)
{
  g_autoptr (ShndDType) dtype =
      new_dtype ("[('a', '<i4'), ('', '|V4'), (('title', 'b'), ('<f4', (2,)), (3,))]");
  g_autoptr (ShndDType) plain = new_dtype ("<i4");
  ShndLayout layout;

  INIT (&layout, dtype, 5);
  g_assert_true (shnd_layout_field (&layout, "title", NULL));
  assert_layout (&layout, "(5, 3, 2)", "(32, 8, 4)", 8);

  INIT (&layout, dtype, 5);
  ASSERT_FAILS (shnd_layout_field (&layout, "c", &error), SHND_ERROR_NOT_FOUND, "No field “c”");
  INIT (&layout, plain, 5);
  ASSERT_FAILS (shnd_layout_field (&layout, "a", &error), SHND_ERROR_TYPE_MISMATCH,
                "only structured");

  {
    gint64 shape[31];

    for (guint i = 0; i < G_N_ELEMENTS (shape); i++)
      shape[i] = 1;
    init_layout (&layout, dtype, shape, 31);
    ASSERT_FAILS (shnd_layout_field (&layout, "b", &error), SHND_ERROR_INVALID_SHAPE,
                  "33 dimensions");
  }
}

static void
test_broadcast (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("|u1");
  ShndLayout layout, target;

  INIT (&target, dtype, 2, 3, 4);
  INIT (&layout, dtype, 3, 1);
  g_assert_true (shnd_layout_broadcast (&layout, &target, NULL));
  assert_layout (&layout, "(2, 3, 4)", "(0, 1, 0)", 0);
  INIT (&layout, dtype, 3);
  ASSERT_FAILS (shnd_layout_broadcast (&layout, &target, &error), SHND_ERROR_INVALID_SHAPE,
                "shape (3,) cannot fill one of shape (2, 3, 4)");
  INIT (&layout, dtype, 1, 2, 3, 4);
  ASSERT_FAILS (shnd_layout_broadcast (&layout, &target, &error), SHND_ERROR_INVALID_SHAPE,
                "(1, 2, 3, 4)");
}

static void
test_element (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  ShndLayout layout;

  INIT (&layout, dtype, 2, 3);
  g_assert_true (shnd_layout_get_element (&layout, SHAPE (1, 2), NULL) == memory + 20);
  ASSERT_FAILS (shnd_layout_get_element (&layout, SHAPE (2, 0), &error), SHND_ERROR_OUT_OF_RANGE,
                "Index 2 on axis 0: expected 0 to 1");
  ASSERT_FAILS (shnd_layout_get_element (&layout, SHAPE (0, -1), &error), SHND_ERROR_OUT_OF_RANGE,
                "Index -1 on axis 1");
  ASSERT_FAILS (shnd_layout_get_element (&layout, SHAPE (0), &error), SHND_ERROR_OUT_OF_RANGE,
                "1 indices into an array with 2 dimensions");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/layout/init", test_init);
  g_test_add_func ("/layout/init/limits", test_init_limits);
  g_test_add_func ("/layout/order", test_order);
  g_test_add_func ("/layout/slice", test_slice);
  g_test_add_func ("/layout/index", test_index);
  g_test_add_func ("/layout/reshape", test_reshape);
  g_test_add_func ("/layout/transpose", test_transpose);
  g_test_add_func ("/layout/field", test_field);
  g_test_add_func ("/layout/broadcast", test_broadcast);
  g_test_add_func ("/layout/element", test_element);

  return g_test_run ();
}
