/* SPDX-License-Identifier: MIT */

/* Any text: it is refused with a message, or what it became can be written and read again. */

#include <string.h>

#include <shndarray/shndarray.h>

#include "shnd-dtype-private.h"
#include "shnd-literal-private.h"

#include "fuzz.h"

static void
check_error (GError *error)
{
  g_assert_nonnull (error);
  g_assert_cmpuint (error->domain, ==, SHND_ERROR);
  g_assert_cmpint (error->code, ==, SHND_ERROR_INVALID_DTYPE);
  g_assert_cmpuint (strlen (error->message), >, 0);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_parts (ShndDType *dtype)
{
  const gsize size = shnd_dtype_get_item_size (dtype);
  ShndDType *base = shnd_dtype_get_base (dtype);
  gsize end = 0;

  g_assert_true (g_utf8_validate (shnd_dtype_to_string (dtype), -1, NULL));
  g_assert_cmpuint (size, <=, SHND_DTYPE_MAX_ITEM_SIZE);
  g_assert_cmpuint (shnd_dtype_get_alignment (dtype), >, 0);

  for (guint i = 0; i < shnd_dtype_get_n_fields (dtype); i++)
    {
      ShndDType *field = shnd_dtype_get_field_dtype (dtype, i);
      const char *title = shnd_dtype_get_field_title (dtype, i);

      g_assert_cmpint (shnd_dtype_find_field (dtype, shnd_dtype_get_field_name (dtype, i)), ==, i);
      if (title != NULL)
        g_assert_cmpint (shnd_dtype_find_field (dtype, title), ==, i);
      g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, i), >=, end);
      end = shnd_dtype_get_field_offset (dtype, i) + shnd_dtype_get_item_size (field);
      check_parts (field);
    }
  g_assert_cmpuint (end, <=, size);

  if (base != dtype)
    {
      guint n_dims;
      const gint64 *shape = shnd_dtype_get_base_shape (dtype, &n_dims);
      guint64 n = 1;

      g_assert_cmpuint (n_dims, >, 0);
      for (guint i = 0; i < n_dims; i++)
        n *= (guint64) shape[i];
      g_assert_cmpuint (n * shnd_dtype_get_item_size (base), ==, size);
      check_parts (base);
    }
}

static void
check_same (ShndDType *dtype, ShndDType *again)
{
  g_assert_cmpstr (shnd_dtype_to_string (again), ==, shnd_dtype_to_string (dtype));
  g_assert_true (shnd_dtype_equal (again, dtype));
  g_assert_cmpuint (shnd_dtype_hash (again), ==, shnd_dtype_hash (dtype));
  g_assert_cmpint (shnd_dtype_get_kind (again), ==, shnd_dtype_get_kind (dtype));
  g_assert_cmpuint (shnd_dtype_get_item_size (again), ==, shnd_dtype_get_item_size (dtype));
  g_assert_cmpuint (shnd_dtype_get_alignment (again), ==, shnd_dtype_get_alignment (dtype));
  g_assert_cmpint (shnd_dtype_is_native (again), ==, shnd_dtype_is_native (dtype));
  g_assert_cmpuint (shnd_dtype_get_n_fields (again), ==, shnd_dtype_get_n_fields (dtype));
}

static void
check_dtype (const char *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndDType) dtype = shnd_dtype_new (description, &error);
  g_autoptr (ShndDType) again = NULL;
  g_autoptr (ShndDType) of_header = NULL;
  g_autoptr (ShndLiteral) header = NULL;
  g_autoptr (GString) text = NULL;

  if (dtype == NULL)
    {
      check_error (error);
      return;
    }
  g_assert_no_error (error);
  check_parts (dtype);

  again = shnd_dtype_new (shnd_dtype_to_string (dtype), &error);
  g_assert_no_error (error);
  check_same (dtype, again);

  text = g_string_new ("{'descr': ");
  shnd_dtype_append_literal (dtype, text);
  g_string_append (text, ", }");
  header = shnd_literal_parse (text->str, text->len, SHND_ERROR_INVALID_DTYPE, &error);
  g_assert_no_error (error);
  of_header = shnd_dtype_new_from_literal (header->items[1], SHND_ERROR_INVALID_DTYPE, &error);
  g_assert_no_error (error);
  check_same (dtype, of_header);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  /* Exactly as long as the input, so that a sanitizer sees a read beyond the end. */
  g_autofree char *text = g_memdup2 (data, size);
  g_autofree char *description = g_strndup ((const char *) data, size);
  g_autoptr (ShndLiteral) literal = NULL;

  literal = shnd_literal_parse (text, size, SHND_ERROR_INVALID_DTYPE, &error);
  if (literal == NULL)
    check_error (error);
  else
    g_assert_no_error (error);

  check_dtype (description);

  return 0;
}
