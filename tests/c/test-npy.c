/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <shndarray/shndarray.h>
#include <string.h>

#include "shnd-npy-private.h"
#include "support.h"

/* Makes the bytes of a file's start; `length` is the header's, or -1 for the right one. */
static GByteArray *
make_header (guint major, const char *text, gssize text_length, gssize length)
{
  GByteArray *header = g_byte_array_new ();
  guint8 prefix[12] = { 0x93, 'N', 'U', 'M', 'P', 'Y', major, 0 };
  gsize prefix_size = major == 1 ? 10 : 12;

  if (text_length < 0)
    text_length = strlen (text);
  if (length < 0)
    length = text_length;
  for (gsize i = 8; i < prefix_size; i++)
    prefix[i] = (gsize) length >> (8 * (i - 8));

  g_byte_array_append (header, prefix, prefix_size);
  g_byte_array_append (header, (const guint8 *) text, text_length);

  return header;
}

static void
assert_header_size_error (const guint8 *header, gsize size, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (shnd_npy_get_header_size (header, size, &error), ==, 0);
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_header_size (void)
{
  static const guint8 v1[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 0x76, 0x01 };
  static const guint8 v2[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0x01, 0x02, 0x03, 0 };
  static const guint8 v3[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 3, 0, 0, 0, 0, 0x01 };
  static const guint8 v4[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 4, 0, 0, 0, 0, 0 };
  static const guint8 v11[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 1, 0, 0 };

  g_assert_cmpuint (shnd_npy_get_header_size (v1, sizeof v1, NULL), ==, 10 + 0x176);
  g_assert_cmpuint (shnd_npy_get_header_size (v2, sizeof v2, NULL), ==, 12 + 0x30201);

  assert_header_size_error (v1, 0, "does not begin");
  assert_header_size_error (v1, 5, "does not begin");
  assert_header_size_error (v1 + 1, 9, "does not begin");
  assert_header_size_error (v1, 7, "before its format version");
  assert_header_size_error (v1, 9, "ends after 9 bytes, inside the length");
  assert_header_size_error (v2, 11, "ends after 11 bytes, inside the length");
  assert_header_size_error (v3, sizeof v3, "has 16777216 bytes");
  assert_header_size_error (v4, sizeof v4, "version 4.0");
  assert_header_size_error (v11, sizeof v11, "version 1.1");
}

typedef struct
{
  guint major;
  const char *text;
  const char *dtype;
  const char *shape;
  ShndOrder order;
} GoodHeader;

static const GoodHeader good_headers[] = {
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", "<f4", "(2, 3)",
    SHND_ORDER_C },
  { 1, "{'shape':(2,3),'fortran_order':True,\"descr\":'>i2'}", ">i2", "(2, 3)",
    SHND_ORDER_FORTRAN },
  { 1, " \n {'descr': '|u1',\n 'fortran_order': False, 'shape': (10L,)}\n\n", "|u1", "(10,)",
    SHND_ORDER_C },
  { 2, "{'descr': [('a', '<i4'), ('', '|V4')], 'fortran_order': False, 'shape': ()}",
    "[('a', '<i4'), ('', '|V4')]", "()", SHND_ORDER_C },
  { 1, "{'descr': [('\xe9', '<i4')], 'fortran_order': False, 'shape': (1,)}", "[('é', '<i4')]",
    "(1,)", SHND_ORDER_C },
  { 3, "{'descr': [('日本', '<i4')], 'fortran_order': False, 'shape': (0, 5)}", "[('日本', '<i4')]",
    "(0, 5)", SHND_ORDER_C },
  { 1, "{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (3,)}", "<f4", "(3, 2)",
    SHND_ORDER_C },
};

static void
test_parse (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good_headers); i++)
    {
      const GoodHeader *good = &good_headers[i];
      g_autoptr (GByteArray) header = make_header (good->major, good->text, -1, -1);
      g_autoptr (ShndDType) dtype = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *shape = NULL;
      ShndLayout layout;

      g_assert_cmpuint (shnd_npy_get_header_size (header->data, header->len, &error), ==,
                        header->len);
      shnd_npy_parse_header (header->data, header->len, &layout, &dtype, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (shnd_dtype_to_string (layout.dtype), ==, good->dtype);
      shape = shnd_shape_to_string (layout.shape, layout.n_dims);
      g_assert_cmpstr (shape, ==, good->shape);
      g_assert_cmpint (shnd_layout_get_order (&layout), ==, good->order);
    }
}

typedef struct
{
  guint major;
  const char *text;
  const char *message;
} BadHeader;

#define REST ", 'fortran_order': False, 'shape': (2,)}"

static const BadHeader bad_headers[] = {
  { 1, "", "cannot be read" },
  { 1, "[1, 2]", "its header is a list: expected a dict" },
  { 1, "{'descr': '<f4', 'fortran_order': False}", "lacks the key “shape”" },
  { 1, "{'descr': '<f4', 'shape': ()}", "lacks the key “fortran_order”" },
  { 1, "{'shape': (), 'fortran_order': False}", "lacks the key “descr”" },
  { 1, "{'descr': '<f4', 'extra': 1" REST, "has the key “extra”" },
  { 1, "{'descr': '<f4', 'descr': '<f4'" REST, "has the key “descr” twice" },
  { 1, "{1: '<f4'" REST, "as a key: expected strings" },
  { 1, "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "expected True or False" },
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': 3}", "expected a tuple of numbers" },
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': ('3',)}", "dimension 0 of “shape”" },
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", "dimension 0 of “shape”" },
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "0 or more" },
  { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
    "2^63 - 1 bytes" },
  { 1,
    "{'descr': '<f4', 'fortran_order': False, 'shape': "
    "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
    "33 dimensions" },
  { 1, "{'descr': '|O'" REST, "cannot be shared" },
  { 1, "{'descr': 'what'" REST, "can be shared" },
  { 3, "{'descr': [('\xff', '<f4')]" REST, "not UTF-8" },
};

static void
test_parse_errors (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_headers); i++)
    {
      const BadHeader *bad = &bad_headers[i];
      g_autoptr (GByteArray) header = make_header (bad->major, bad->text, -1, -1);
      g_autoptr (ShndDType) dtype = NULL;
      g_autoptr (GError) error = NULL;
      ShndLayout layout;

      g_assert_false (shnd_npy_parse_header (header->data, header->len, &layout, &dtype, &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT);
      g_assert_null (dtype);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      if (strstr (error->message, bad->message) == NULL &&
          strstr (error->message, "pointers") == NULL)
        g_error ("header %" G_GSIZE_FORMAT ": got “%s”, expected “%s”", i, error->message,
                 bad->message);
    }
}

static void
test_parse_nul (void)
{
  static const char text[] = "{'descr': '<f4\0', 'fortran_order': False, 'shape': ()}";
  g_autoptr (GByteArray) header = make_header (1, text, sizeof text - 1, -1);
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (GError) error = NULL;
  ShndLayout layout;

  g_assert_false (shnd_npy_parse_header (header->data, header->len, &layout, &dtype, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT);
  g_assert_nonnull (strstr (error->message, "byte 14 of its header is NUL"));
}

/* What NumPy 1.24 writes for the same arrays. */
static void
test_build (void)
{
  static const char expected[] =
      "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"
      "                                                           \n";
  g_autoptr (ShndDType) dtype = new_dtype ("<f4");
  g_autoptr (GByteArray) header = NULL;
  const gint64 shape[] = { 2, 3 };
  ShndLayout layout;

  g_assert_true (shnd_layout_init (&layout, dtype, shape, 2, TRUE, NULL));
  header = shnd_npy_build_header (&layout, SHND_NPY_FILE_ALIGN, NULL);
  g_assert_cmpmem (header->data, header->len, expected, sizeof expected - 1);
}

static void
assert_build (const char *description, guint major, gsize align)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (ShndDType) parsed = NULL;
  g_autoptr (GByteArray) header = NULL;
  const gint64 shape[] = { 3 };
  ShndLayout layout, parsed_layout;

  g_assert_true (shnd_layout_init (&layout, dtype, shape, 1, FALSE, NULL));
  header = shnd_npy_build_header (&layout, align, &error);
  g_assert_cmpuint (header->len % align, ==, 0);
  g_assert_cmpuint (header->data[6], ==, major);
  g_assert_cmpuint (header->data[header->len - 1], ==, '\n');
  g_assert_cmpuint (shnd_npy_get_header_size (header->data, header->len, &error), ==, header->len);
  shnd_npy_parse_header (header->data, header->len, &parsed_layout, &parsed, &error);
  g_assert_no_error (error);
  g_assert_true (shnd_dtype_equal (parsed, dtype));
}

static void
test_build_versions (void)
{
  g_autoptr (GString) many = g_string_new ("[");

  for (guint i = 0; i < 4000; i++)
    g_string_append_printf (many, "('field%u', '<f4'), ", i);
  g_string_append (many, "]");

  for (gsize align = 64; align <= 4096; align *= 64)
    {
      assert_build ("<f8", 1, align);
      assert_build ("[('é', '<f8')]", 1, align);
      assert_build ("[('日', '<f8')]", 3, align);
      assert_build (many->str, 2, align);
    }
}

/* Lengths around a multiple of the alignment, where the padding is 1 byte or a whole block. */
static void
test_build_padding (void)
{
  for (guint length = 1; length < 140; length++)
    {
      g_autofree char *name = g_strnfill (length, 'n');
      g_autofree char *description = g_strdup_printf ("[('%s', '<f8')]", name);

      assert_build (description, 1, 64);
    }
}

/* What could not be read again is not written. */
static void
test_build_too_long (void)
{
  g_autoptr (GString) many = g_string_new ("[");
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (GError) error = NULL;
  const gint64 shape[] = { 3 };
  ShndLayout layout;

  for (guint i = 0; many->len <= SHND_NPY_MAX_HEADER; i++)
    g_string_append_printf (many, "('a field with number %u', '<f4'), ", i);
  g_string_append (many, "]");
  dtype = new_dtype (many->str);
  g_assert_true (shnd_layout_init (&layout, dtype, shape, 1, FALSE, NULL));
  g_assert_null (shnd_npy_build_header (&layout, 64, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE);
  g_assert_nonnull (strstr (error->message, "expected at most 4194304"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/npy/header-size", test_header_size);
  g_test_add_func ("/npy/parse", test_parse);
  g_test_add_func ("/npy/parse/errors", test_parse_errors);
  g_test_add_func ("/npy/parse/nul", test_parse_nul);
  g_test_add_func ("/npy/build", test_build);
  g_test_add_func ("/npy/build/versions", test_build_versions);
  g_test_add_func ("/npy/build/padding", test_build_padding);
  g_test_add_func ("/npy/build/too-long", test_build_too_long);

  return g_test_run ();
}
