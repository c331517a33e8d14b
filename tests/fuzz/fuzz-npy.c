/* SPDX-License-Identifier: MIT */

/* The beginning of any file: it is refused with a message, or the header that we write for what it
 * says is read as the same. */

#include <string.h>

#include <shndarray/shndarray.h>

#include "shnd-npy-private.h"

#include "fuzz.h"

static void
check_error (GError *error)
{
  g_assert_nonnull (error);
  g_assert_cmpuint (error->domain, ==, SHND_ERROR);
  g_assert_cmpint (error->code, ==, SHND_ERROR_INVALID_FORMAT);
  g_assert_cmpuint (strlen (error->message), >, 0);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_again (const ShndLayout *layout, gsize align)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) header = shnd_npy_build_header (layout, align, &error);
  g_autoptr (ShndDType) dtype = NULL;
  ShndLayout again;

  g_assert_cmpuint (header->len % align, ==, 0);
  g_assert_cmpuint (shnd_npy_get_header_size (header->data, SHND_NPY_PREFIX_SIZE, &error), ==,
                    header->len);
  g_assert_no_error (error);
  shnd_npy_parse_header (header->data, header->len, &again, &dtype, &error);
  g_assert_no_error (error);

  g_assert_true (shnd_dtype_equal (layout->dtype, again.dtype));
  g_assert_cmpuint (again.n_dims, ==, layout->n_dims);
  for (guint i = 0; i < layout->n_dims; i++)
    g_assert_cmpint (again.shape[i], ==, layout->shape[i]);
  g_assert_cmpint (shnd_layout_get_order (&again), ==, shnd_layout_get_order (layout));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndDType) dtype = NULL;
  gsize prefix_size = MIN (size, SHND_NPY_PREFIX_SIZE);
  /* Exactly as long as allowed, so that a sanitizer sees a read beyond the end. */
  g_autofree guint8 *prefix = g_memdup2 (data, prefix_size);
  g_autofree guint8 *header = NULL;
  gsize header_size;
  ShndLayout layout;

  header_size = shnd_npy_get_header_size (prefix, prefix_size, &error);
  if (header_size == 0)
    {
      check_error (error);
      return 0;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (header_size, <=, SHND_NPY_PREFIX_SIZE + SHND_NPY_MAX_HEADER);

  if (header_size > size)
    return 0;

  header = g_memdup2 (data, header_size);
  if (!shnd_npy_parse_header (header, header_size, &layout, &dtype, &error))
    {
      check_error (error);
      g_assert_null (dtype);
      return 0;
    }
  g_assert_no_error (error);

  g_assert_cmpuint (layout.n_dims, <=, SHND_MAX_DIMS);
  g_assert_cmpint (shnd_layout_get_order (&layout), !=, SHND_ORDER_STRIDED);
  check_again (&layout, SHND_NPY_FILE_ALIGN);
  check_again (&layout, SHND_NPY_SEGMENT_ALIGN);

  return 0;
}
