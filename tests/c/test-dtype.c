/* SPDX-License-Identifier: MIT */

#include <string.h>

#include <shndarray/shndarray.h>

#include "support.h"

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define NATIVE "<"
#define SWAPPED ">"
#else
#define NATIVE ">"
#define SWAPPED "<"
#endif

/* Also that the canonical form is understood and stays as it is. */
static void
assert_dtype (const char *description, const char *canonical, ShndDTypeKind kind, gsize size)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (ShndDType) again = new_dtype (shnd_dtype_to_string (dtype));

  g_test_message ("%s", description);
  g_assert_cmpstr (shnd_dtype_to_string (dtype), ==, canonical);
  g_assert_cmpint (shnd_dtype_get_kind (dtype), ==, kind);
  g_assert_cmpuint (shnd_dtype_get_item_size (dtype), ==, size);

  g_assert_cmpstr (shnd_dtype_to_string (again), ==, canonical);
  g_assert_true (shnd_dtype_equal (dtype, again));
  g_assert_cmpuint (shnd_dtype_hash (dtype), ==, shnd_dtype_hash (again));
  g_assert_cmpint (shnd_dtype_get_kind (again), ==, kind);
  g_assert_cmpuint (shnd_dtype_get_item_size (again), ==, size);
  g_assert_cmpuint (shnd_dtype_get_alignment (again), ==, shnd_dtype_get_alignment (dtype));
  g_assert_cmpuint (shnd_dtype_get_n_fields (again), ==, shnd_dtype_get_n_fields (dtype));
}

static void
assert_error (const char *description, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *escaped = g_strescape (description, NULL);

  g_test_message ("%s", escaped);
  g_assert_null (shnd_dtype_new (description, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE);
  g_assert_cmpstr (error->message, ==, message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
assert_unknown (const char *description)
{
  g_autofree char *message = g_strdup_printf (
      "'%s' is not a dtype: expected a type such as '<f4', 'u1', 'S10', '<M8[ns]', "
      "a name such as 'float32' or 'bool', or a list of fields such as "
      "[('x', '<f4')]",
      description);

  assert_error (description, message);
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *code;
    ShndDTypeKind kind;
    gsize size;
    gsize alignment;
  } cases[] = {
    { "i2", SHND_DTYPE_KIND_INT, 2, _Alignof(gint16) },
    { "i4", SHND_DTYPE_KIND_INT, 4, _Alignof(gint32) },
    { "i8", SHND_DTYPE_KIND_INT, 8, _Alignof(gint64) },
    { "u2", SHND_DTYPE_KIND_UINT, 2, _Alignof(guint16) },
    { "u4", SHND_DTYPE_KIND_UINT, 4, _Alignof(guint32) },
    { "u8", SHND_DTYPE_KIND_UINT, 8, _Alignof(guint64) },
    { "f2", SHND_DTYPE_KIND_FLOAT, 2, 2 },
    { "f4", SHND_DTYPE_KIND_FLOAT, 4, _Alignof(float) },
    { "f8", SHND_DTYPE_KIND_FLOAT, 8, _Alignof(double) },
    { "c8", SHND_DTYPE_KIND_COMPLEX, 8, _Alignof(float) },
    { "c16", SHND_DTYPE_KIND_COMPLEX, 16, _Alignof(double) },
#if __SIZEOF_LONG_DOUBLE__ == 16
    { "f16", SHND_DTYPE_KIND_FLOAT, 16, _Alignof(long double) },
    { "c32", SHND_DTYPE_KIND_COMPLEX, 32, _Alignof(long double) },
#endif
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *native = g_strconcat (NATIVE, cases[i].code, NULL);
      g_autofree char *swapped = g_strconcat (SWAPPED, cases[i].code, NULL);
      g_autofree char *equals = g_strconcat ("=", cases[i].code, NULL);
      g_autofree char *bar = g_strconcat ("|", cases[i].code, NULL);
      g_autoptr (ShndDType) dtype = new_dtype (native);
      g_autoptr (ShndDType) other = new_dtype (swapped);

      assert_dtype (native, native, cases[i].kind, cases[i].size);
      assert_dtype (swapped, swapped, cases[i].kind, cases[i].size);
      assert_dtype (cases[i].code, native, cases[i].kind, cases[i].size);
      assert_dtype (equals, native, cases[i].kind, cases[i].size);
      assert_dtype (bar, native, cases[i].kind, cases[i].size);

      g_assert_cmpuint (shnd_dtype_get_alignment (dtype), ==, cases[i].alignment);
      g_assert_cmpuint (shnd_dtype_get_alignment (other), ==, cases[i].alignment);
      g_assert_true (shnd_dtype_is_native (dtype));
      g_assert_false (shnd_dtype_is_native (other));
      g_assert_false (shnd_dtype_equal (dtype, other));
    }

  /* One byte has no order. */
  for (gsize i = 0; i < 5; i++)
    {
      const char *orders[] = { "<", ">", "=", "|", "" };
      g_autofree char *b1 = g_strconcat (orders[i], "b1", NULL);
      g_autofree char *i1 = g_strconcat (orders[i], "i1", NULL);
      g_autofree char *u1 = g_strconcat (orders[i], "u1", NULL);
      g_autoptr (ShndDType) dtype = new_dtype (u1);

      assert_dtype (b1, "|b1", SHND_DTYPE_KIND_BOOL, 1);
      assert_dtype (i1, "|i1", SHND_DTYPE_KIND_INT, 1);
      assert_dtype (u1, "|u1", SHND_DTYPE_KIND_UINT, 1);
      g_assert_true (shnd_dtype_is_native (dtype));
      g_assert_cmpuint (shnd_dtype_get_alignment (dtype), ==, 1);
    }
}

static void
test_names (void)
{
  static const struct
  {
    const char *names;
    const char *same_as;
  } cases[] = {
    { "? bool bool_ bool8", "|b1" },
    { "b byte int8", "|i1" },
    { "B ubyte uint8", "|u1" },
    { "int16 h short", "i2" },
    { "uint16 H ushort", "u2" },
    { "int32 i intc", "i4" },
    { "uint32 I uintc", "u4" },
    { "int64 q longlong", "i8" },
    { "uint64 Q ulonglong", "u8" },
    { "float16 e half", "f2" },
    { "float32 f single", "f4" },
    { "float64 d double float float_", "f8" },
    { "longdouble longfloat", "g" },
    { "complex64 F csingle singlecomplex", "c8" },
    { "complex128 D cdouble cfloat complex complex_", "c16" },
    { "clongdouble clongfloat longcomplex", "G" },
    { "str str_ str0 unicode unicode_ U", "U0" },
    { "bytes bytes_ bytes0 string_ S a", "S0" },
    { "void void0 V", "V0" },
    { "datetime64 M", "M8" },
    { "timedelta64 m", "m8" },
    { "int int_ l long", sizeof (long) == 8 ? "i8" : "i4" },
    { "uint L ulong", sizeof (long) == 8 ? "u8" : "u4" },
    { "intp int0 p", sizeof (gpointer) == 8 ? "i8" : "i4" },
    { "uintp uint0 P", sizeof (gpointer) == 8 ? "u8" : "u4" },
    { "datetime64[D]", "M8[D]" },
    { "timedelta64[25s]", "m8[25s]" },
#if __SIZEOF_LONG_DOUBLE__ == 16
    { "g float128", "f16" },
    { "G complex256", "c32" },
#endif
    { "c", "S1" },
    { "a5", "S5" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) names = g_strsplit (cases[i].names, " ", -1);
      g_autoptr (ShndDType) expected = new_dtype (cases[i].same_as);

      for (char **name = names; *name != NULL; name++)
        {
          g_autoptr (ShndDType) dtype = new_dtype (*name);
          g_autofree char *quoted = g_strconcat ("'", *name, "'", NULL);
          g_autofree char *spaced = g_strconcat (" \t\n\r\f\v", *name, " \t\n\r\f\v", NULL);
          g_autoptr (ShndDType) from_quoted = new_dtype (quoted);
          g_autoptr (ShndDType) from_spaced = new_dtype (spaced);

          g_test_message ("%s", *name);
          g_assert_cmpstr (shnd_dtype_to_string (dtype), ==, shnd_dtype_to_string (expected));
          g_assert_true (shnd_dtype_equal (dtype, expected));
          g_assert_true (shnd_dtype_equal (dtype, from_quoted));
          g_assert_true (shnd_dtype_equal (dtype, from_spaced));
        }
    }
}

static void
test_flexible (void)
{
  g_autoptr (ShndDType) bytes = new_dtype ("S3");
  g_autoptr (ShndDType) unicode = new_dtype ("U3");
  g_autoptr (ShndDType) swapped = new_dtype (SWAPPED "U3");

  assert_dtype ("S10", "|S10", SHND_DTYPE_KIND_BYTES, 10);
  assert_dtype ("<S10", "|S10", SHND_DTYPE_KIND_BYTES, 10);
  assert_dtype (">V8", "|V8", SHND_DTYPE_KIND_VOID, 8);
  assert_dtype ("S0", "|S0", SHND_DTYPE_KIND_BYTES, 0);
  assert_dtype ("V", "|V0", SHND_DTYPE_KIND_VOID, 0);
  assert_dtype ("U5", NATIVE "U5", SHND_DTYPE_KIND_UNICODE, 20);
  assert_dtype (SWAPPED "U5", SWAPPED "U5", SHND_DTYPE_KIND_UNICODE, 20);
  assert_dtype (SWAPPED "U", SWAPPED "U0", SHND_DTYPE_KIND_UNICODE, 0);
  assert_dtype ("S00012", "|S12", SHND_DTYPE_KIND_BYTES, 12);
  assert_dtype ("V2147483647", "|V2147483647", SHND_DTYPE_KIND_VOID, G_MAXINT32);
  assert_dtype ("U536870911", NATIVE "U536870911", SHND_DTYPE_KIND_UNICODE, 2147483644);

  assert_error ("S2147483648", "an element would take more than 2147483647 bytes");
  assert_error ("U536870912", "an element would take more than 2147483647 bytes");
  assert_error ("V18446744073709551617", "an element would take more than 2147483647 bytes");
  assert_error ("V99999999999999999999999999999",
                "an element would take more than 2147483647 bytes");
  assert_unknown ("S-5");
  assert_unknown ("S+5");
  assert_unknown ("S 5");
  assert_unknown ("S5x");

  g_assert_cmpuint (shnd_dtype_get_alignment (bytes), ==, 1);
  g_assert_cmpuint (shnd_dtype_get_alignment (unicode), ==, 4);
  g_assert_true (shnd_dtype_is_native (bytes));
  g_assert_true (shnd_dtype_is_native (unicode));
  g_assert_false (shnd_dtype_is_native (swapped));
}

static void
test_times (void)
{
  static const struct
  {
    const char *description;
    const char *canonical;
    const char *unit;
  } cases[] = {
    { "M8[Y]", NATIVE "M8[Y]", "Y" },
    { "M8[M]", NATIVE "M8[M]", "M" },
    { "M8[W]", NATIVE "M8[W]", "W" },
    { "M8[D]", NATIVE "M8[D]", "D" },
    { "M8[h]", NATIVE "M8[h]", "h" },
    { "M8[m]", NATIVE "M8[m]", "m" },
    { "M8[s]", NATIVE "M8[s]", "s" },
    { "M8[ms]", NATIVE "M8[ms]", "ms" },
    { "M8[us]", NATIVE "M8[us]", "us" },
    { "M8[ns]", NATIVE "M8[ns]", "ns" },
    { "M8[ps]", NATIVE "M8[ps]", "ps" },
    { "M8[fs]", NATIVE "M8[fs]", "fs" },
    { "M8[as]", NATIVE "M8[as]", "as" },
    { "M8[\316\274s]", NATIVE "M8[us]", "us" },
    { "M8[\302\265s]", NATIVE "M8[us]", "us" },
    { "M8[1s]", NATIVE "M8[s]", "s" },
    { "M8[025s]", NATIVE "M8[25s]", "25s" },
    { SWAPPED "M8[2147483647s]", SWAPPED "M8[2147483647s]", "2147483647s" },
    { "|M8[s]", NATIVE "M8[s]", "s" },
    { "M8", NATIVE "M8", NULL },
    { "M8[generic]", NATIVE "M8", NULL },
    { "M8[3generic]", NATIVE "M8", NULL },
    { SWAPPED "datetime64[s]", SWAPPED "M8[s]", "s" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *delta = g_strdup (cases[i].description);
      g_autofree char *canonical = g_strdup (cases[i].canonical);
      g_autoptr (ShndDType) dtype = new_dtype (cases[i].description);

      assert_dtype (cases[i].description, cases[i].canonical, SHND_DTYPE_KIND_DATETIME, 8);
      g_assert_cmpstr (shnd_dtype_get_unit (dtype), ==, cases[i].unit);
      g_assert_cmpuint (shnd_dtype_get_alignment (dtype), ==, _Alignof(gint64));
      g_assert_cmpint (shnd_dtype_is_native (dtype), ==, cases[i].canonical[0] == NATIVE[0]);

      if (strstr (delta, "datetime64") != NULL)
        continue;
      *strchr (delta, 'M') = 'm';
      *strchr (canonical, 'M') = 'm';
      assert_dtype (delta, canonical, SHND_DTYPE_KIND_TIMEDELTA, 8);
    }
}

static void
test_time_errors (void)
{
  static const char *const unknown[] = { "[]",   "[5]",  "[min]", "[ s]",  "[2 s]",
                                         "[S]",  "[s",   "s]",    "s",     "[s]x",
                                         "[[s]", "[s]]", "[-1s]", "[+1s]", "[" };

  for (gsize i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      const char *prefixes[] = { "M8", "m8", "datetime64", "timedelta64" };
      g_autofree char *message =
          g_strdup_printf ("unknown unit of time '%s': expected one in brackets, as in [ns] or "
                           "[25s], of Y, M, W, D, h, m, s, ms, us, ns, ps, fs, as, generic",
                           unknown[i]);

      for (gsize k = 0; k < G_N_ELEMENTS (prefixes); k++)
        {
          g_autofree char *description = g_strconcat (prefixes[k], unknown[i], NULL);

          assert_error (description, message);
        }
    }

  assert_error ("M8[0s]", "the multiple of a unit of time has to be from 1 to 2147483647");
  assert_error ("M8[2147483648s]", "the multiple of a unit of time has to be from 1 to 2147483647");
  assert_error ("M8[18446744073709551617s]",
                "the multiple of a unit of time has to be from 1 to 2147483647");
  assert_error (
      "M8[s/10]",
      "a unit of time with a divisor is not accepted; write it as a multiple of a smaller "
      "unit, as [100ms] instead of [s/10]");
  assert_unknown ("M4");
  assert_unknown ("M16[s]");
  assert_unknown ("M[s]");
}

static void
test_unknown (void)
{
  static const char *const words[] = {
    "",      "<",     "|",       "<float32", "i3",          "i16",
    "f1",    "f10",   "f3",      "c4",       "c64",         "b2",
    "u",     "n",     "x",       "B1",       "?1",          "l8",
    "||i4",  "<<i4",  "Float32", "float32_", "int128",      "string",
    "i4 f4", "f4[s]", "S5[s]",   "!i4",      "i4294967300", "i18446744073709551620",
    "boo",   "boolx", "\303\274"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      assert_unknown (words[i]);
    }

  assert_error ("i4,f4", "'i4,f4' is not a dtype: expected fields as a list, as in [('x', '<i4'), "
                         "('y', '<f4')]");
  assert_error ("2f4", "'2f4' is not a dtype: expected a repetition as a tuple, as in "
                       "('<f4', (2,))");
  assert_error (
      "{'names': ['a']}",
      "at byte 0: a dict of names and formats is not accepted: expected a list of fields, "
      "as in [('x', '<f4'), ('', 'V4'), ('y', '<f8')]");

  /* Whatever was given can be shown. */
  assert_error ("\377\376",
                "'\357\277\275\357\277\275' is not a dtype: expected a type such as "
                "'<f4', 'u1', 'S10', '<M8[ns]', a name such as 'float32' or 'bool', or a "
                "list of fields such as [('x', '<f4')]");
  assert_error ("['\377']", "at byte 2: the text is not valid UTF-8");
  assert_error ("0123456789012345678901234567890123456789012345678901234567890123456789",
                "'012345678901234567890123456789012345678901234567890123456789…' is not a dtype: "
                "expected a repetition as a tuple, as in ('<f4', (2,))");
}

static void
test_object (void)
{
  static const char *const words[] = {
    "O", "object", "O8", "|O", "object_", "<O", "O4", "object0"
  };
  const char *message =
      "object dtypes cannot be shared: they hold pointers, which no other process "
      "can follow";
  g_autofree char *nested = g_strconcat ("at byte 7: ", message, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    assert_error (words[i], message);

  assert_error ("[('a', 'O')]", nested);
  assert_error ("[('a','|O', (2,))]", "at byte 6: object dtypes cannot be shared: they hold "
                                      "pointers, which no other process can follow");
}

static void
test_struct (void)
{
  g_autoptr (ShndDType) dtype = new_dtype (
      "[('x', '<f4'), (('A title', 'y'), '>i8'), ('z', 'u1', (2, 3)), ('n', [('a', 'S3')])]");
  ShndDType *field;
  const gint64 *shape;
  guint n_dims;

  g_assert_cmpstr (shnd_dtype_to_string (dtype), ==,
                   "[('x', '<f4'), (('A title', 'y'), '>i8'), ('z', '|u1', (2, 3)), "
                   "('n', [('a', '|S3')])]");
  g_assert_cmpint (shnd_dtype_get_kind (dtype), ==, SHND_DTYPE_KIND_STRUCT);
  g_assert_cmpuint (shnd_dtype_get_item_size (dtype), ==, 4 + 8 + 6 + 3);
  g_assert_cmpuint (shnd_dtype_get_alignment (dtype), ==, 1);
  g_assert_cmpuint (shnd_dtype_get_n_fields (dtype), ==, 4);
  g_assert_false (shnd_dtype_is_native (dtype));

  g_assert_cmpstr (shnd_dtype_get_field_name (dtype, 0), ==, "x");
  g_assert_cmpstr (shnd_dtype_get_field_name (dtype, 1), ==, "y");
  g_assert_cmpstr (shnd_dtype_get_field_name (dtype, 2), ==, "z");
  g_assert_cmpstr (shnd_dtype_get_field_name (dtype, 3), ==, "n");
  g_assert_null (shnd_dtype_get_field_title (dtype, 0));
  g_assert_cmpstr (shnd_dtype_get_field_title (dtype, 1), ==, "A title");
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 0), ==, 0);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 1), ==, 4);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 2), ==, 12);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 3), ==, 18);

  field = shnd_dtype_get_field_dtype (dtype, 2);
  g_assert_cmpint (shnd_dtype_get_kind (field), ==, SHND_DTYPE_KIND_SUBARRAY);
  g_assert_cmpstr (shnd_dtype_to_string (field), ==, "('|u1', (2, 3))");
  g_assert_cmpstr (shnd_dtype_to_string (shnd_dtype_get_base (field)), ==, "|u1");
  shape = shnd_dtype_get_base_shape (field, &n_dims);
  g_assert_cmpuint (n_dims, ==, 2);
  g_assert_cmpint (shape[0], ==, 2);
  g_assert_cmpint (shape[1], ==, 3);
  g_assert_cmpstr (shnd_dtype_to_string (shnd_dtype_get_field_dtype (dtype, 3)), ==,
                   "[('a', '|S3')]");

  g_assert_cmpint (shnd_dtype_find_field (dtype, "x"), ==, 0);
  g_assert_cmpint (shnd_dtype_find_field (dtype, "y"), ==, 1);
  g_assert_cmpint (shnd_dtype_find_field (dtype, "A title"), ==, 1);
  g_assert_cmpint (shnd_dtype_find_field (dtype, "n"), ==, 3);
  g_assert_cmpint (shnd_dtype_find_field (dtype, "a"), ==, -1);
  g_assert_cmpint (shnd_dtype_find_field (dtype, ""), ==, -1);
}

static void
test_no_fields (void)
{
  g_autoptr (ShndDType) plain = new_dtype ("f4");
  g_autoptr (ShndDType) structure = new_dtype ("[('a', 'f4')]");
  ShndDType *dtypes[] = { plain, structure };
  const guint indices[] = { 1, 2, G_MAXINT, G_MAXUINT };
  guint n_dims = 7;

  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++)
    {
      for (gsize k = 0; k < G_N_ELEMENTS (indices); k++)
        {
          g_assert_null (shnd_dtype_get_field_name (dtypes[i], indices[k]));
          g_assert_null (shnd_dtype_get_field_title (dtypes[i], indices[k]));
          g_assert_null (shnd_dtype_get_field_dtype (dtypes[i], indices[k]));
          g_assert_cmpuint (shnd_dtype_get_field_offset (dtypes[i], indices[k]), ==, 0);
        }
      g_assert_true (shnd_dtype_get_base (dtypes[i]) == dtypes[i]);
      g_assert_nonnull (shnd_dtype_get_base_shape (dtypes[i], &n_dims));
      g_assert_cmpuint (n_dims, ==, 0);
      g_assert_null (shnd_dtype_get_unit (dtypes[i]));
    }

  g_assert_cmpuint (shnd_dtype_get_n_fields (plain), ==, 0);
  g_assert_cmpint (shnd_dtype_find_field (plain, "a"), ==, -1);
}

static void
test_struct_forms (void)
{
  static const struct
  {
    const char *description;
    const char *canonical;
    gsize size;
    guint n_fields;
  } cases[] = {
    { "[]", "[]", 0, 0 },
    { "[('a', '>f4'),]", "[('a', '>f4')]", 4, 1 },
    { " [ ( \"a\" ,\n '>f4' ) ] ", "[('a', '>f4')]", 4, 1 },
    { "[('a', '>f4', ())]", "[('a', '>f4')]", 4, 1 },
    { "[('a', '>f4', 1)]", "[('a', '>f4')]", 4, 1 },
    { "[('a', '>f4', (1))]", "[('a', '>f4')]", 4, 1 },
    { "[('a', '>f4', (1,))]", "[('a', '>f4', (1,))]", 4, 1 },
    { "[('a', '>f4', 2)]", "[('a', '>f4', (2,))]", 8, 1 },
    { "[('a', '>f4', 0)]", "[('a', '>f4', (0,))]", 0, 1 },
    { "[('a', '>f4', [2, 3])]", "[('a', '>f4', (2, 3))]", 24, 1 },
    { "[('a', ('>f4', (2, 3)))]", "[('a', '>f4', (2, 3))]", 24, 1 },
    { "[('a', ('>f4', (2,)), (3,))]", "[('a', ('>f4', (2,)), (3,))]", 24, 1 },
    { "[('a', (('>f4', (2,)), (3,)))]", "[('a', ('>f4', (2,)), (3,))]", 24, 1 },
    { "[('a', [('b', 'u1')], (2,))]", "[('a', [('b', '|u1')], (2,))]", 2, 1 },
    { "[('a', 'S', 5)]", "[('a', '|S5')]", 5, 1 },
    { "[('a', [], (3,)), ('b', 'u1')]", "[('a', [], (3,)), ('b', '|u1')]", 1, 2 },
    { "[('a', 'V0'), ('b', 'S0')]", "[('a', '|V0'), ('b', '|S0')]", 0, 2 },
    { "[((None, 'a'), 'u1')]", "[('a', '|u1')]", 1, 1 },
    { "[(('', 'a'), 'u1')]", "[(('', 'a'), '|u1')]", 1, 1 },
    { "[(('t', ''), 'V4')]", "[(('t', ''), '|V4')]", 4, 1 },
    { "[('', 'u1')]", "[('', '|u1')]", 1, 1 },
    { "[('', [('a', 'V4')])]", "[('', [('a', '|V4')])]", 4, 1 },
    { "[('', 'S4')]", "[('', '|S4')]", 4, 1 },
    { "[('it\\'s', 'u1'), ('\"', 'u1')]", "[(\"it's\", '|u1'), ('\"', '|u1')]", 2, 2 },
    { "[('\303\274\\n\\x7f', 'u1')]", "[('\303\274\\n\\x7f', '|u1')]", 1, 1 },
    { "[(u'a', u'u1')]", "[('a', '|u1')]", 1, 1 },
    /* Padding */
    { "[('', 'V4')]", "[('', '|V4')]", 4, 0 },
    { "[('', 'V0')]", "[]", 0, 0 },
    { "[((None, ''), 'V4')]", "[('', '|V4')]", 4, 0 },
    { "[('', 'V4'), ('', '|V3')]", "[('', '|V7')]", 7, 0 },
    { "[('', 'V4', (2,))]", "[('', '|V8')]", 8, 0 },
    { "[('', 'f4', (2,))]", "[('', '|V8')]", 8, 0 },
    { "[('', 'V1'), ('a', 'u1'), ('', 'V2'), ('', 'V3'), ('b', 'u1'), ('', 'V1'), ('', 'V1')]",
      "[('', '|V1'), ('a', '|u1'), ('', '|V5'), ('b', '|u1'), ('', '|V2')]", 10, 2 },
    { "[('a', [('', 'V2'), ('b', 'u1')]), ('', 'V1')]",
      "[('a', [('', '|V2'), ('b', '|u1')]), ('', '|V1')]", 4, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ShndDType) dtype = new_dtype (cases[i].description);

      assert_dtype (cases[i].description, cases[i].canonical, SHND_DTYPE_KIND_STRUCT,
                    cases[i].size);
      g_assert_cmpuint (shnd_dtype_get_n_fields (dtype), ==, cases[i].n_fields);
    }
}

static void
test_padding_offsets (void)
{
  g_autoptr (ShndDType) dtype =
      new_dtype ("[('', 'V3'), ('a', 'u1'), ('', 'V4'), ('', 'u2'), ('b', 'f8'), ('', 'V8')]");

  g_assert_cmpuint (shnd_dtype_get_n_fields (dtype), ==, 3);
  g_assert_cmpuint (shnd_dtype_get_item_size (dtype), ==, 26);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 0), ==, 3);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 1), ==, 8);
  g_assert_cmpuint (shnd_dtype_get_field_offset (dtype, 2), ==, 10);
  g_assert_cmpint (shnd_dtype_find_field (dtype, ""), ==, 1);
}

static void
test_struct_errors (void)
{
  static const char *const cases[][2] = {
    { "['a']", "at byte 1: expected a field as a tuple (name, type) or (name, type, shape), found "
               "a string" },
    { "[['a', 'f4']]",
      "at byte 1: expected a field as a tuple (name, type) or (name, type, shape), found a list" },
    { "[('a',)]", "at byte 1: expected a field as a tuple (name, type) or (name, type, shape), "
                  "found a tuple of "
                  "1" },
    { "[('a', 'f4', 2, 3)]", "at byte 1: expected a field as a tuple (name, type) or (name, type, "
                             "shape), found a tuple of "
                             "4" },
    { "[(1, 'f4')]", "at byte 2: expected a string as name of a field, found a number" },
    { "[(None, 'V4')]", "at byte 2: expected a string as name of a field, found None" },
    { "[((1, 'a'), 'f4')]", "at byte 3: expected a string as title of a field, found a number" },
    { "[(('t', 1), 'f4')]", "at byte 8: expected a string as name of a field, found a number" },
    { "[(('t', 'a', 'b'), 'f4')]",
      "at byte 2: expected a name, or a tuple (title, name), found a tuple of 3" },
    { "[((), 'f4')]", "at byte 2: expected a name, or a tuple (title, name), found a tuple of 0" },
    { "[('a', 'f4'), ('a', 'i4')]",
      "at byte 15: the name 'a' is used twice: names and titles of fields have to differ" },
    { "[('', 'f4'), ('', 'i4')]",
      "at byte 14: the name '' is used twice: names and titles of fields have to differ" },
    { "[(('a', 'a'), 'f4')]",
      "at byte 3: the title 'a' is used twice: names and titles of fields have to differ" },
    { "[(('b', 'a'), 'f4'), ('b', 'i4')]",
      "at byte 22: the name 'b' is used twice: names and titles of fields have to differ" },
    { "[('b', 'i4'), (('b', 'a'), 'f4')]",
      "at byte 16: the title 'b' is used twice: names and titles of fields have to differ" },
    { "[(('t', 'a'), 'f4'), (('t', 'b'), 'f4')]",
      "at byte 23: the title 't' is used twice: names and titles of fields have to differ" },
    { "[('a', 5)]",
      "at byte 7: expected a type: a string such as '<f4', a list of fields, or a tuple (type, "
      "shape); found a number" },
    { "[('a', None)]",
      "at byte 7: expected a type: a string such as '<f4', a list of fields, or a tuple (type, "
      "shape); found None" },
    { "[('a', True)]",
      "at byte 7: expected a type: a string such as '<f4', a list of fields, or a tuple (type, "
      "shape); found True" },
    { "[('a', {})]",
      "at byte 7: a dict of names and formats is not accepted: expected a list of fields, as in "
      "[('x', '<f4'), ('', 'V4'), ('y', '<f8')]" },
    { "[('a', 'i4,f4')]",
      "at byte 7: 'i4,f4' is not a dtype: expected fields as a list, as in [('x', '<i4'), ('y', "
      "'<f4')]" },
    { "[('a', 'M8[0s]')]",
      "at byte 7: the multiple of a unit of time has to be from 1 to 2147483647" },
    { "[('a', 'f4', 'x')]", "at byte 13: expected a shape, such as (2, 3), found a string" },
    { "[('a', 'f4', None)]", "at byte 13: expected a shape, such as (2, 3), found None" },
    { "[('a', 'V2147483647'), ('b', 'V1')]",
      "at byte 23: up to this field the structure takes more than 2147483647 bytes" },
    { "[('', 'V2147483647'), ('', 'V1')]",
      "at byte 22: up to this field the structure takes more than 2147483647 bytes" },
    { "[('a', 'f4'", "at byte 11: expected ',' or ')', found the end" },
    { "[('a', ' f4')]",
      "at byte 7: ' f4' is not a dtype: expected a type such as '<f4', 'u1', 'S10', '<M8[ns]', a "
      "name such as 'float32' or 'bool', or a list of fields such as [('x', '<f4')]" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_error (cases[i][0], cases[i][1]);

  /* Limits that are just kept. */
  assert_dtype ("[('a', 'V2147483646'), ('b', 'V1')]", "[('a', '|V2147483646'), ('b', '|V1')]",
                SHND_DTYPE_KIND_STRUCT, G_MAXINT32);
}

static void
test_many_fields (void)
{
  g_autoptr (GString) text = g_string_new ("[");
  g_autoptr (ShndDType) dtype = NULL;

  for (guint i = 0; i < 10000; i++)
    g_string_append_printf (text, "('f%u', 'u1'),", i);
  g_string_append (text, "]");

  dtype = new_dtype (text->str);
  g_assert_cmpuint (shnd_dtype_get_n_fields (dtype), ==, 10000);
  g_assert_cmpuint (shnd_dtype_get_item_size (dtype), ==, 10000);
  g_assert_cmpint (shnd_dtype_find_field (dtype, "f9999"), ==, 9999);
}

static void
test_subarray (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("('>f8', (2, 3))");
  g_autoptr (ShndDType) nested = new_dtype ("((('>f8', (2, 3)), 4), (5, 6))");
  g_autoptr (ShndDType) native = new_dtype ("('" NATIVE "f8', (2,))");
  g_autoptr (ShndDType) structure = new_dtype ("([('a', '>f8')], (2,))");
  const gint64 *shape;
  guint n_dims;

  g_assert_cmpstr (shnd_dtype_to_string (dtype), ==, "('>f8', (2, 3))");
  g_assert_cmpuint (shnd_dtype_get_item_size (dtype), ==, 48);
  g_assert_cmpuint (shnd_dtype_get_alignment (dtype), ==, _Alignof(double));
  g_assert_cmpuint (shnd_dtype_get_alignment (structure), ==, 1);
  g_assert_cmpint (shnd_dtype_is_native (dtype), ==, NATIVE[0] == '>');
  g_assert_true (shnd_dtype_is_native (native));
  g_assert_cmpint (shnd_dtype_is_native (structure), ==, NATIVE[0] == '>');
  g_assert_cmpuint (shnd_dtype_get_n_fields (structure), ==, 0);
  shape = shnd_dtype_get_base_shape (dtype, &n_dims);
  g_assert_cmpuint (n_dims, ==, 2);
  g_assert_cmpint (shape[0], ==, 2);
  g_assert_cmpint (shape[1], ==, 3);

  g_assert_cmpstr (shnd_dtype_to_string (nested), ==, "((('>f8', (2, 3)), (4,)), (5, 6))");
  g_assert_cmpuint (shnd_dtype_get_item_size (nested), ==, 8 * 6 * 4 * 30);
  g_assert_cmpstr (shnd_dtype_to_string (shnd_dtype_get_base (nested)), ==,
                   "(('>f8', (2, 3)), (4,))");

  assert_dtype ("('>f4', 2)", "('>f4', (2,))", SHND_DTYPE_KIND_SUBARRAY, 8);
  assert_dtype ("('>f4', 1)", ">f4", SHND_DTYPE_KIND_FLOAT, 4);
  assert_dtype ("('>f4', ())", ">f4", SHND_DTYPE_KIND_FLOAT, 4);
  assert_dtype ("('>f4', (1,))", "('>f4', (1,))", SHND_DTYPE_KIND_SUBARRAY, 4);
  assert_dtype ("('>f4', (0, 5))", "('>f4', (0, 5))", SHND_DTYPE_KIND_SUBARRAY, 0);
  assert_dtype ("('>f4', (0, 2147483647, 2147483647, 2147483647, 2147483647))",
                "('>f4', (0, 2147483647, 2147483647, 2147483647, 2147483647))",
                SHND_DTYPE_KIND_SUBARRAY, 0);
  assert_dtype ("('V1', (2147483647,))", "('|V1', (2147483647,))", SHND_DTYPE_KIND_SUBARRAY,
                G_MAXINT32);
  assert_dtype ("('S', 5)", "|S5", SHND_DTYPE_KIND_BYTES, 5);
  assert_dtype ("('>U', 5)", ">U5", SHND_DTYPE_KIND_UNICODE, 20);
  assert_dtype ("('V', 0)", "|V0", SHND_DTYPE_KIND_VOID, 0);
  assert_dtype ("('S2', 5)", "('|S2', (5,))", SHND_DTYPE_KIND_SUBARRAY, 10);
  assert_dtype ("([], (2, 3))", "([], (2, 3))", SHND_DTYPE_KIND_SUBARRAY, 0);
  assert_dtype ("('u1', (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1))",
                "('|u1', (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
                "1, 1, 1, 1, 1, 1, 1, 1))",
                SHND_DTYPE_KIND_SUBARRAY, 1);
}

static void
test_subarray_errors (void)
{
  static const char *const cases[][2] = {
    { "()", "at byte 0: expected a tuple (type, shape), found a tuple of 0" },
    { "('f4',)", "at byte 0: expected a tuple (type, shape), found a tuple of 1" },
    { "('f4', (2,), 3)", "at byte 0: expected a tuple (type, shape), found a tuple of 3" },
    { "('f4', 'f4')", "at byte 7: expected a shape, such as (2, 3), found a string" },
    { "('f4', True)", "at byte 7: expected a shape, such as (2, 3), found True" },
    { "('f4', {})", "at byte 7: expected a shape, such as (2, 3), found a dict" },
    { "('f4', (True,))",
      "at byte 8: expected a whole number as dimension of the shape, found True" },
    { "('f4', (2, 'x'))",
      "at byte 11: expected a whole number as dimension of the shape, found a string" },
    { "('f4', -1)", "at byte 7: a dimension of a shape cannot be negative: -1" },
    { "('f4', (2, -1))", "at byte 11: a dimension of a shape cannot be negative: -1" },
    { "('f4', (2147483648, 0))",
      "at byte 8: a dimension of a sub-array cannot be larger than 2147483647: 2147483648" },
    { "('f4', (1048576, 4096))", "at byte 7: the sub-array would take more than 2147483647 bytes" },
    { "('f4', 536870912)", "at byte 7: the sub-array would take more than 2147483647 bytes" },
    { "('V1', (2147483647, 2))", "at byte 7: the sub-array would take more than 2147483647 bytes" },
    { "([], (2147483647, 2147483647, 2147483647))",
      "at byte 5: the sub-array would take more than 2147483647 bytes" },
    { "('S', 2147483648)",
      "at byte 6: a dimension of a sub-array cannot be larger than 2147483647: 2147483648" },
    { "('U', 536870912)", "at byte 6: an element would take more than 2147483647 bytes" },
    { "('S0', (2,))", "at byte 7: a sub-array of elements without a size is not accepted: '|S0'" },
    { "(('>f4', (0,)), (2,))",
      "at byte 16: a sub-array of elements without a size is not accepted: \"('>f4', (0,))\"" },
    { "('u1', (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1))",
      "at byte 7: a sub-array has at most 32 dimensions, this one has 33" },
    { "('f3', (2,))",
      "at byte 1: 'f3' is not a dtype: expected a type such as '<f4', 'u1', 'S10', '<M8[ns]', a "
      "name such as 'float32' or 'bool', or a list of fields such as [('x', '<f4')]" },
    { "(2,)f4", "at byte 4: expected the end, found 'f4'" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_error (cases[i][0], cases[i][1]);
}

/* What is accepted can be written and read again, and fits into a header. */
static void
test_depth (void)
{
  static const char *const wraps[][2] = {
    { "[('a', ", ")]" },    { "(", ", (2,))" },          { "(", ", 2)" },
    { "[('a', ", ", 2)]" }, { "[('a', (", ", (1,)))]" }, { "[(('t', 'a'), ", ", ())]" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wraps); i++)
    {
      g_autofree char *text = g_strdup ("'u1'");
      guint n;

      for (n = 0; n < 100; n++)
        {
          g_autofree char *wrapped = g_strconcat (wraps[i][0], text, wraps[i][1], NULL);
          g_autoptr (GError) error = NULL;
          g_autoptr (ShndDType) dtype = shnd_dtype_new (wrapped, &error);

          if (dtype == NULL)
            {
              g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE);
              if (strstr (error->message, "more than 2147483647 bytes") == NULL)
                g_assert_nonnull (strstr (error->message, "nest"));
              break;
            }

          assert_dtype (wrapped, shnd_dtype_to_string (dtype), shnd_dtype_get_kind (dtype),
                        shnd_dtype_get_item_size (dtype));
          g_free (text);
          text = g_steal_pointer (&wrapped);
        }
      g_assert_cmpuint (n, >=, 16);
      g_assert_cmpuint (n, <, 64);
    }
}

static void
test_equal (void)
{
  static const char *const distinct[] = {
    "i4",
    "u4",
    "f4",
    SWAPPED "f4",
    "S4",
    "V4",
    "U1",
    "M8",
    "m8",
    "M8[s]",
    "M8[2s]",
    "[('a', 'f4')]",
    "[('b', 'f4')]",
    "[(('t', 'a'), 'f4')]",
    "[('a', 'f4'), ('', 'V1')]",
    "('f4', (1,))",
    "('f4', (2, 3))",
    "('f4', (3, 2))",
    "('f4', (6,))",
    "(('f4', (3,)), (2,))",
    "[]",
    "V0",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (distinct); i++)
    {
      g_autoptr (ShndDType) one = new_dtype (distinct[i]);

      for (gsize k = 0; k < G_N_ELEMENTS (distinct); k++)
        {
          g_autoptr (ShndDType) other = new_dtype (distinct[k]);

          g_assert_cmpint (shnd_dtype_equal (one, other), ==, i == k);
        }
    }
}

static void
test_boxed (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("[('a', 'f4')]");
  g_auto (GValue) value = G_VALUE_INIT;
  ShndDType *copy;

  g_assert_cmpstr (g_type_name (SHND_TYPE_DTYPE), ==, "ShndDType");
  g_assert_true (G_TYPE_IS_BOXED (SHND_TYPE_DTYPE));

  copy = g_boxed_copy (SHND_TYPE_DTYPE, dtype);
  g_assert_true (copy == dtype);
  g_boxed_free (SHND_TYPE_DTYPE, copy);

  g_value_init (&value, SHND_TYPE_DTYPE);
  g_value_set_boxed (&value, dtype);
  g_assert_true (g_value_get_boxed (&value) == dtype);

  /* The value keeps it. */
  g_clear_pointer (&dtype, shnd_dtype_unref);
  g_assert_cmpstr (shnd_dtype_to_string (g_value_get_boxed (&value)), ==,
                   "[('a', '" NATIVE "f4')]");
}

/* Parts live on when the whole is gone. */
static void
test_parts (void)
{
  ShndDType *whole = new_dtype ("[('a', ([('b', 'S5')], (2,)))]");
  g_autoptr (ShndDType) field = shnd_dtype_ref (shnd_dtype_get_field_dtype (whole, 0));
  g_autoptr (ShndDType) base = shnd_dtype_ref (shnd_dtype_get_base (field));

  shnd_dtype_unref (whole);
  g_assert_cmpstr (shnd_dtype_to_string (field), ==, "([('b', '|S5')], (2,))");
  g_clear_pointer (&field, shnd_dtype_unref);
  g_assert_cmpstr (shnd_dtype_to_string (base), ==, "[('b', '|S5')]");
}

static gpointer
make_many (gpointer data)
{
  static const char *const descriptions[] = { "f8", "u1", ">i4", "S5", "M8[ns]", "[('a', 'f8')]" };

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (ShndDType) dtype = new_dtype (descriptions[i % G_N_ELEMENTS (descriptions)]);
      g_autoptr (ShndDType) another = shnd_dtype_ref (dtype);

      g_assert_true (another == dtype);
    }

  return NULL;
}

/* Plain types are shared: they have to survive any number of users, in any thread. */
static void
test_threads (void)
{
  GThread *threads[4];
  g_autoptr (ShndDType) first = new_dtype ("f8");
  g_autoptr (ShndDType) second = new_dtype ("float64");

  g_assert_true (first == second);

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("dtype", make_many, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  g_assert_cmpstr (shnd_dtype_to_string (first), ==, NATIVE "f8");
}

/* A caller may not care why. */
static void
test_no_error_wanted (void)
{
  static const char *const bad[] = { "x", "[(", "[('a', 'O')]", "('f4', -1)", "M8[0s]", "{}" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (shnd_dtype_new (bad[i], NULL));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/dtype/numbers", test_numbers);
  g_test_add_func ("/dtype/names", test_names);
  g_test_add_func ("/dtype/flexible", test_flexible);
  g_test_add_func ("/dtype/times", test_times);
  g_test_add_func ("/dtype/time-errors", test_time_errors);
  g_test_add_func ("/dtype/unknown", test_unknown);
  g_test_add_func ("/dtype/object", test_object);
  g_test_add_func ("/dtype/struct", test_struct);
  g_test_add_func ("/dtype/no-fields", test_no_fields);
  g_test_add_func ("/dtype/struct-forms", test_struct_forms);
  g_test_add_func ("/dtype/padding-offsets", test_padding_offsets);
  g_test_add_func ("/dtype/struct-errors", test_struct_errors);
  g_test_add_func ("/dtype/many-fields", test_many_fields);
  g_test_add_func ("/dtype/subarray", test_subarray);
  g_test_add_func ("/dtype/subarray-errors", test_subarray_errors);
  g_test_add_func ("/dtype/depth", test_depth);
  g_test_add_func ("/dtype/equal", test_equal);
  g_test_add_func ("/dtype/boxed", test_boxed);
  g_test_add_func ("/dtype/parts", test_parts);
  g_test_add_func ("/dtype/threads", test_threads);
  g_test_add_func ("/dtype/no-error-wanted", test_no_error_wanted);

  return g_test_run ();
}
