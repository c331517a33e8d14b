/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <math.h>
#include <shndarray/shnd-error.h>
#include <shndarray/shndarray.h>
#include <string.h>

#include "shnd-element-private.h"
#include "support.h"

/* The same dtype in the other byte order. */
static char *
swap_orders (const char *description)
{
  char *swapped = g_strdup (description);

  for (char *p = swapped; *p != 0; p++)
    if (*p == '<')
      *p = '>';
    else if (*p == '>')
      *p = '<';
  return swapped;
}

/* What can be set, and what is then got */

static const struct
{
  const char *dtype;
  const char *value;    /* as g_variant_parse() reads it */
  const char *expected; /* NULL: the same */
} values[] = {
  { "?", "true", NULL },
  { "?", "1", "true" },
  { "?", "0.0", "false" },
  { "?", "<<byte 0x01>>", "true" },
  { "i1", "int16 -128", NULL },
  { "i1", "127.0", "int16 127" },
  { "<i2", "int16 -32768", NULL },
  { "<i2", "true", "int16 1" },
  { "<i4", "-2147483648", NULL },
  { "<i4", "uint64 2147483647", "2147483647" },
  { "<i8", "int64 -9223372036854775808", NULL },
  { "<i8", "-9223372036854775808.0", "int64 -9223372036854775808" },
  { "<i8", "9223372036854774784.0", "int64 9223372036854774784" },
  { "<i8", "uint64 9223372036854775807", "int64 9223372036854775807" },
  { "u1", "byte 0xff", NULL },
  { "u1", "<255>", "byte 0xff" },
  { "u1", "-0.0", "byte 0x00" },
  { "<u2", "uint16 65535", NULL },
  { "<u4", "uint32 4294967295", NULL },
  { "<u4", "int16 7", "uint32 7" },
  { "<u8", "uint64 18446744073709551615", NULL },
  { "<u8", "18446744073709549568.0", "uint64 18446744073709549568" },
  { "<u8", "9223372036854775808.0", "uint64 9223372036854775808" },
  { "<f2", "0.5", NULL },
  { "<f2", "65504.0", NULL },
  { "<f2", "65519.0", "65504.0" },
  { "<f2", "uint16 65519", "65504.0" },
  { "<f2", "1e-9", "0.0" },
  { "<f4", "-0.25", NULL },
  { "<f4", "0.1", "0.10000000149011612" },
  { "<f4", "uint64 18446744073709551615", "1.8446744073709552e+19" },
  { "<f4", "3.4028235e38", "3.4028234663852886e+38" },
  { "<f8", "0.1", NULL },
  { "<f8", "1.7976931348623157e+308", NULL },
  { "<f8", "int64 -9007199254740992", "-9007199254740992.0" },
  { "<f8", "true", "1.0" },
#if __SIZEOF_LONG_DOUBLE__ == 16
  { "<f16", "0.1", NULL },
  { "<f16", "uint64 18446744073709551615", "1.8446744073709552e+19" },
  { "<c32", "(0.1, -2.5)", NULL },
#endif
  { "<c8", "(1.5, -2.25)", NULL },
  { "<c16", "(0.1, 1e300)", NULL },
  { "<c16", "(byte 0x03, <uint64 4>)", "(3.0, 4.0)" },
  { "<c16", "<(<1>, <2>)>", "(1.0, 2.0)" },
  { "<c8", "7", "(7.0, 0.0)" },
  { "S4", "[byte 0x61, 0x62]", NULL },
  { "S4", "@ay []", NULL },
  { "S4", "b'ab'", "[byte 0x61, 0x62]" },
  { "S4", "b'abcd'", "[byte 0x61, 0x62, 0x63, 0x64]" },
  { "S4", "[byte 0x61, 0x00, 0x62]", NULL },
  { "S4", "[byte 0x61, 0x00, 0x00, 0x00, 0x00, 0x00]", "[byte 0x61]" },
  { "S4", "'aö'", "[byte 0x61, 0xc3, 0xb6]" },
  { "S0", "''", "@ay []" },
  { "<U3", "''", NULL },
  { "<U3", "'aö\U0001f642'", NULL },
  { "<U3", "<'a'>", "'a'" },
  { "V3", "[byte 0x00, 0x01, 0x00]", NULL },
  { "<M8[s]", "int64 -5", NULL },
  { "<M8[s]", "5.0", "int64 5" },
  { "<M8[s]", "int64 -9223372036854775808", NULL },
  { "<m8[25s]", "byte 0x07", "int64 7" },
  { "[('a','<i2'),('b','S2')]", "(int16 -1, b'x')", "(int16 -1, [byte 0x78])" },
  { "[('a','<i2'),('','V2'),('b','<f4')]", "(int16 1, 2.5)", NULL },
  { "[('a','<i2'),('b','<f4')]", "[1, 2]", "(int16 1, 2.0)" },
  { "[('a','<i2'),('b','<f4')]", "[<1>, <2.5>]", "(int16 1, 2.5)" },
  { "[('a','<i2'),('b','<f4')]", "{'b': <2.5>, 'a': <1>}", "(int16 1, 2.5)" },
  { "[('a','<i2'),('b','<f4')]", "{'b': 2, 'a': 1}", "(int16 1, 2.0)" },
  { "[('a',[('b','u1'),('c','u1')]),('d','?')]", "{'a': <{'b': 1, 'c': 2}>, 'd': <true>}",
    "((byte 0x01, byte 0x02), true)" },
  { "('<f4',(2,3))", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]", NULL },
  { "('<f4',(2,3))", "([1, 2, 3], (4, byte 0x05, 6.0))", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]" },
  { "('<f4',(2,3))", "[<[1, 2, 3]>, <[<4>, <5>, <6>]>]", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]" },
  { "('<i4',(2,))", "b'a'", "[97, 0]" },
  { "('u1',(3,))", "[byte 0x01, 0x02, 0x03]", NULL },
  { "('<c8',(2,))", "[(1.0, 2.0), (3.0, 4.0)]", NULL },
  { "('?',(2,))", "[true, false]", NULL },
  { "('<M8[D]',(2,))", "[int64 1, -1]", NULL },
  { "('<U2',(2,))", "['a', 'bc']", NULL },
  { "('S2',(1,2))", "[[[byte 0x61], [0x62, 0x63]]]", NULL },
  { "('<f4',(2,0))", "[@ad [], []]", NULL },
  { "('<f4',(0,2))", "@aad []", NULL },
  { "('<U2',(0,))", "@as []", NULL },
  { "([('a','u1'),('b','<i2')],(2,))", "[(byte 0x01, int16 2), (0x03, 4)]", NULL },
  { "[('m','<i2',(2,2)),('n','u1')]", "([[int16 1, 2], [3, 4]], byte 0x05)", NULL },
};

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
assert_variant (GVariant *actual, GVariant *expected)
{
  g_autofree char *actual_text = g_variant_print (actual, TRUE);
  g_autofree char *expected_text = g_variant_print (expected, TRUE);

  g_assert_cmpstr (actual_text, ==, expected_text);
  g_assert_cmpvariant (actual, expected);
}

static void
check_value (const char *description, const char *text, const char *expected_text)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (GVariant) value = parse (text);
  g_autoptr (GVariant) expected = parse (expected_text ? expected_text : text);
  g_autofree guint8 *memory = g_malloc (dtype->item_size + 2);

  /* once as given, and once as got: what was got can be set */
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      /* not aligned */
      memset (memory, CANARY, dtype->item_size + 2);
      shnd_element_from_variant (dtype, memory + 1, value, &error);
      g_assert_no_error (error);
      g_assert_cmphex (memory[0], ==, CANARY);
      g_assert_cmphex (memory[dtype->item_size + 1], ==, CANARY);

      result = g_variant_take_ref (shnd_element_to_variant (dtype, memory + 1, &error));
      g_assert_no_error (error);
      g_assert_true (g_variant_is_normal_form (result));
      assert_variant (result, expected);

      g_variant_unref (value);
      value = g_steal_pointer (&result);
    }
}

static void
test_values (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *swapped = swap_orders (values[i].dtype);

      if (g_test_verbose ())
        g_test_message ("%s: %s", values[i].dtype, values[i].value);
      check_value (values[i].dtype, values[i].value, values[i].expected);
      check_value (swapped, values[i].value, values[i].expected);
    }
}

/* What cannot */

static const struct
{
  const char *dtype;
  const char *value;
  ShndError code;
  const char *needle; /* in the message */
} refused[] = {
  { "?", "2", SHND_ERROR_OUT_OF_RANGE, "2" },
  { "?", "-1", SHND_ERROR_OUT_OF_RANGE, "-1" },
  { "?", "0.5", SHND_ERROR_OUT_OF_RANGE, "0.5" },
  { "?", "'true'", SHND_ERROR_TYPE_MISMATCH, "“s”" },
  { "i1", "128", SHND_ERROR_OUT_OF_RANGE, "128" },
  { "i1", "-129", SHND_ERROR_OUT_OF_RANGE, "-129" },
  { "<i2", "1.5", SHND_ERROR_OUT_OF_RANGE, "1.5" },
  { "<i2", "nan", SHND_ERROR_OUT_OF_RANGE, "nan" },
  { "<i2", "inf", SHND_ERROR_OUT_OF_RANGE, "inf" },
  { "<i4", "-2147483649.0", SHND_ERROR_OUT_OF_RANGE, "-2147483649" },
  { "<i4", "uint64 18446744073709551615", SHND_ERROR_OUT_OF_RANGE, "18446744073709551615" },
  { "<i8", "9223372036854775808.0", SHND_ERROR_OUT_OF_RANGE, "9223372036854775808" },
  { "<i8", "-9223372036854777856.0", SHND_ERROR_OUT_OF_RANGE, "<i8" },
  { "<i8", "uint64 9223372036854775808", SHND_ERROR_OUT_OF_RANGE, "9223372036854775808" },
  { "<i8", "1e300", SHND_ERROR_OUT_OF_RANGE, "1e+300" },
  { "u1", "256", SHND_ERROR_OUT_OF_RANGE, "255" },
  { "u1", "-1", SHND_ERROR_OUT_OF_RANGE, "-1" },
  { "u1", "-0.5", SHND_ERROR_OUT_OF_RANGE, "-0.5" },
  { "<u8", "-1", SHND_ERROR_OUT_OF_RANGE, "-1" },
  { "<u8", "18446744073709551616.0", SHND_ERROR_OUT_OF_RANGE, "<u8" },
  { "<f2", "65520", SHND_ERROR_OUT_OF_RANGE, "65520" },
  { "<f2", "-1e300", SHND_ERROR_OUT_OF_RANGE, "-1e+300" },
  { "<f4", "3.5e38", SHND_ERROR_OUT_OF_RANGE, "3.5e+38" },
  { "<f4", "@ad []", SHND_ERROR_TYPE_MISMATCH, "“ad”" },
  { "<f8", "'1'", SHND_ERROR_TYPE_MISMATCH, "a number" },
  { "<f8", "(1,)", SHND_ERROR_TYPE_MISMATCH, "a number" },
  { "<c8", "(1, 2, 3)", SHND_ERROR_TYPE_MISMATCH, "two" },
  { "<c8", "(1, 'a')", SHND_ERROR_TYPE_MISMATCH, "two" },
  { "<c8", "(1, 1e39)", SHND_ERROR_OUT_OF_RANGE, "1e+39" },
  { "<c8", "[1, 2]", SHND_ERROR_TYPE_MISMATCH, "tuple" },
  { "S2", "b'abc'", SHND_ERROR_OUT_OF_RANGE, "3" },
  { "S2", "'aö'", SHND_ERROR_OUT_OF_RANGE, "3" },
  { "S2", "5", SHND_ERROR_TYPE_MISMATCH, "“i”" },
  { "<U2", "'abc'", SHND_ERROR_OUT_OF_RANGE, "3" },
  { "<U2", "b'a'", SHND_ERROR_TYPE_MISMATCH, "a string" },
  { "V2", "[byte 0x01]", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "V2", "[byte 0x01, 0x02, 0x03]", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "V2", "'ab'", SHND_ERROR_TYPE_MISMATCH, "bytes" },
  { "<M8[s]", "1.5", SHND_ERROR_OUT_OF_RANGE, "1.5" },
  { "<M8[s]", "'2020-01-01'", SHND_ERROR_TYPE_MISMATCH, "a number" },
  { "<m8[s]", "uint64 9223372036854775808", SHND_ERROR_OUT_OF_RANGE, "9223372036854775808" },
  { "[('a','<i2'),('b','<f4')]", "(1,)", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "[('a','<i2'),('b','<f4')]", "(1, 2, 3)", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "[('a','<i2'),('b','<f4')]", "@av []", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "[('a','<i2'),('b','<f4')]", "5", SHND_ERROR_TYPE_MISMATCH, "tuple" },
  { "[('a','<i2'),('b','<f4')]", "(1, 'x')", SHND_ERROR_TYPE_MISMATCH, "“b”" },
  { "[('a','<i2'),('b','<f4')]", "{'a': 1}", SHND_ERROR_TYPE_MISMATCH, "“b”" },
  { "[('a','<i2'),('b','<f4')]", "{'a': 1, 'b': 2, 'c': 3}", SHND_ERROR_TYPE_MISMATCH, "“c”" },
  { "[('a','<i2'),('b','<f4')]", "{'a': 1, 'b': 2, 'a': 3}", SHND_ERROR_TYPE_MISMATCH, "already" },
  { "[('a','<i2'),('b','<f4')]", "{1: 1, 2: 2}", SHND_ERROR_TYPE_MISMATCH, "“a{ii}”" },
  { "[('a','<i2'),('b','u1')]", "(1, 256)", SHND_ERROR_OUT_OF_RANGE, "“b”" },
  { "('<f4',(2,3))", "[[1, 2, 3]]", SHND_ERROR_TYPE_MISMATCH, "expected 2" },
  { "('<f4',(2,3))", "[[1, 2], [3, 4]]", SHND_ERROR_TYPE_MISMATCH, "Item 0" },
  { "('<f4',(2,3))", "([1, 2, 3], [3, 4])", SHND_ERROR_TYPE_MISMATCH, "Item 1" },
  { "('<f4',(2,3))", "[1, 2]", SHND_ERROR_TYPE_MISMATCH, "array" },
  { "('<f4',(2,))", "5", SHND_ERROR_TYPE_MISMATCH, "array" },
  { "('<f4',(2,))", "{'a': 1, 'b': 2}", SHND_ERROR_TYPE_MISMATCH, "array" },
  { "('u1',(2,))", "[1, 256]", SHND_ERROR_OUT_OF_RANGE, "Item 1" },
};

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (ShndDType) dtype = new_dtype (refused[i].dtype);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = parse (refused[i].value);
      guint8 element[64], before[64];

      memset (element, CANARY, sizeof element);
      memcpy (before, element, sizeof element);
      g_assert_false (shnd_element_from_variant (dtype, element, value, &error));
      g_test_message ("%s", error->message);
      g_assert_error (error, SHND_ERROR, (gint) refused[i].code);
      g_assert_nonnull (strstr (error->message, refused[i].needle));
      g_assert_nonnull (strstr (error->message, shnd_dtype_to_string (dtype)) ?:
                            strstr (error->message, "Field")                  ?:
                            strstr (error->message, "Item"));
      g_assert_cmpmem (element, sizeof element, before, sizeof before);
    }
}

static void
test_special_floats (void)
{
  static const char *const types[] = { "<f2", ">f4", "<f8", ">f2" };
  static const double specials[] = { NAN, INFINITY, -INFINITY };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (specials); j++)
      {
        g_autoptr (ShndDType) dtype = new_dtype (types[i]);
        g_autoptr (GError) error = NULL;
        guint8 element[16];
        double back = 0;

        /* floating: must not be consumed, nor leak */
        GVariant *value = g_variant_new_double (specials[j]);
        shnd_element_from_variant (dtype, element, value, &error);
        g_assert_no_error (error);
        g_assert_true (g_variant_is_floating (value));
        g_variant_unref (value);

        g_assert_true (shnd_element_to_double (dtype, element, &back, &error));
        if (isnan (specials[j]))
          g_assert_true (isnan (back));
        else
          g_assert_cmpfloat (back, ==, specials[j]);
      }
}

/* Padding belongs to nobody. */
static void
test_padding (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("[('a','u1'),('','V2'),('b','u1'),('','V1')]");
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(ii)", 1, 2));
  guint8 element[5];

  memset (element, CANARY, sizeof element);
  g_assert_true (shnd_element_from_variant (dtype, element, value, NULL));
  g_assert_cmpmem (element, 5, "\1\xa5\xa5\2\xa5", 5);
}

static void
test_bad_unicode (void)
{
  static const guint32 texts[][3] = {
    { 'a', 0xd800, 0 },   { 0xdfff, 'a', 'b' }, { 'a', 'b', 0x110000 },
    { 0xffffffff, 0, 0 }, { 'a', 0, 'b' },
  };
  g_autoptr (ShndDType) dtype = new_dtype ("U3");
  g_autoptr (ShndDType) nested = new_dtype ("[('x', 'U3', (1,))]");

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (shnd_element_to_variant (dtype, (const guint8 *) texts[i], &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DATA);
      g_clear_error (&error);

      g_assert_null (shnd_element_to_variant (nested, (const guint8 *) texts[i], &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DATA);
      g_assert_nonnull (strstr (error->message, "Field “x”: Item 0: "));
    }
}

/* A byte of a truth value that is neither 0 nor 1 must not make an invalid GVariant. */
static void
test_odd_bool (void)
{
  g_autoptr (ShndDType) one = new_dtype ("?");
  g_autoptr (ShndDType) two = new_dtype ("('?', (2,))");
  const guint8 element[] = { 0, 0x80 };
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) both = NULL;
  g_autofree char *text = NULL;

  first = g_variant_ref_sink (shnd_element_to_variant (one, element + 1, NULL));
  g_assert_true (g_variant_get_boolean (first));
  both = g_variant_ref_sink (shnd_element_to_variant (two, element, NULL));
  g_assert_true (g_variant_is_normal_form (both));
  text = g_variant_print (both, FALSE);
  g_assert_cmpstr (text, ==, "[false, true]");
}

/* As deep as a dtype can be: a GVariant or an error, never a warning or worse. */
static void
test_depth (void)
{
  guint n_refused = 0;

  for (guint depth = 1; depth < 64; depth++)
    {
      g_autoptr (GString) text = g_string_new ("'u1'");
      g_autoptr (ShndDType) dtype = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = NULL;
      guint8 element = 7;

      for (guint i = 0; i < depth; i++)
        {
          g_string_prepend (text, "[('a', ");
          g_string_append (text, i % 2 ? ", (1, 1, 1, 1, 1, 1, 1, 1))]" : ")]");
        }
      dtype = shnd_dtype_new (text->str, NULL);
      if (dtype == NULL)
        break;

      value = shnd_element_to_variant (dtype, &element, &error);
      if (value == NULL)
        {
          g_assert_error (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED);
          n_refused++;
          continue;
        }
      g_variant_ref_sink (value);
      g_assert_true (g_variant_is_normal_form (value));
      element = 0;
      g_assert_true (shnd_element_from_variant (dtype, &element, value, &error));
      g_assert_cmpint (element, ==, 7);
      g_assert_cmpuint (n_refused, ==, 0);
    }
  g_assert_cmpuint (n_refused, >, 0);
}

static void
test_too_large (void)
{
  static const char *const types[] = {
    "('S0', (2147483647, 2147483647))",
    "('f8', (1000000000, 0))",
    "V2147483647",
    "U500000000",
    "('u1', (1000000000,))",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (ShndDType) dtype = shnd_dtype_new (types[i], NULL);
      g_autoptr (GError) error = NULL;

      if (dtype == NULL)
        continue;
      g_assert_null (shnd_element_to_variant (dtype, NULL, &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED);
    }
}

/* Shortcuts */

/* Sets and gets `real`, or if that is NULL `whole`; or expects that to fail with `code`, if that is
 * not -1. */
static void
check_shortcut (const char *description, const double *real, gint64 whole, gint code)
{
  for (guint swapped = 0; swapped < 2; swapped++)
    {
      g_autofree char *text = swapped ? swap_orders (description) : g_strdup (description);
      g_autoptr (ShndDType) dtype = new_dtype (text);
      g_autoptr (GError) set_error = NULL;
      g_autoptr (GError) get_error = NULL;
      guint8 memory[18], before[18];
      guint8 *element = memory + 1; /* not aligned */
      double real_back = 0;
      gint64 whole_back = 0;
      gboolean is_set, is_got;

      memset (memory, CANARY, sizeof memory);
      memcpy (before, memory, sizeof memory);
      is_set = real ? shnd_element_from_double (dtype, element, *real, &set_error) :
                      shnd_element_from_int64 (dtype, element, whole, &set_error);
      is_got = real ? shnd_element_to_double (dtype, element, &real_back, &get_error) :
                      shnd_element_to_int64 (dtype, element, &whole_back, &get_error);

      if (code < 0)
        {
          g_assert_no_error (set_error);
          g_assert_no_error (get_error);
          g_assert_true (is_set && is_got);
          g_assert_cmpfloat (real_back, ==, real ? *real : 0);
          g_assert_cmpint (whole_back, ==, whole);
          g_assert_cmphex (memory[0], ==, CANARY);
          g_assert_cmphex (element[dtype->item_size], ==, CANARY);
          continue;
        }
      g_assert_error (set_error, SHND_ERROR, code);
      g_assert_false (is_set);
      g_assert_cmpmem (memory, sizeof memory, before, sizeof before);
      if (code == SHND_ERROR_TYPE_MISMATCH)
        {
          g_assert_error (get_error, SHND_ERROR, code);
          g_assert_false (is_got);
        }
    }
}

static void
test_doubles (void)
{
  static const struct
  {
    const char *dtype;
    double value;
    gint code; /* of the error, or -1 */
  } cases[] = {
    { "?", 1, -1 },
    { "?", 2, SHND_ERROR_OUT_OF_RANGE },
    { "i1", -128, -1 },
    { "i1", 128, SHND_ERROR_OUT_OF_RANGE },
    { "i1", 0.5, SHND_ERROR_OUT_OF_RANGE },
    { "<i8", -0x1p63, -1 },
    { "<i8", 0x1p63, SHND_ERROR_OUT_OF_RANGE },
    { "<u8", 0x1p63, -1 },
    { "<u8", 0x1p64, SHND_ERROR_OUT_OF_RANGE },
    { "<u4", -1, SHND_ERROR_OUT_OF_RANGE },
    { "<u4", 4294967295, -1 },
    { "<f2", 0.5, -1 },
    { "<f2", 1e5, SHND_ERROR_OUT_OF_RANGE },
    { "<f4", 0.5, -1 },
    { "<f4", INFINITY, -1 },
    { "<f4", 1e39, SHND_ERROR_OUT_OF_RANGE },
    { "<f8", 0.1, -1 },
    { "<c8", 1, SHND_ERROR_TYPE_MISMATCH },
    { "S8", 1, SHND_ERROR_TYPE_MISMATCH },
    { "<m8[s]", 1, SHND_ERROR_TYPE_MISMATCH },
    { "V8", 1, SHND_ERROR_TYPE_MISMATCH },
    { "[('a','f8')]", 1, SHND_ERROR_TYPE_MISMATCH },
    { "('f8',(1,))", 1, SHND_ERROR_TYPE_MISMATCH },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_shortcut (cases[i].dtype, &cases[i].value, 0, cases[i].code);
}

static void
test_integers (void)
{
  static const struct
  {
    const char *dtype;
    gint64 value;
    gint code;
  } cases[] = {
    { "?", 1, -1 },
    { "?", -1, SHND_ERROR_OUT_OF_RANGE },
    { "i1", -128, -1 },
    { "i1", -129, SHND_ERROR_OUT_OF_RANGE },
    { "<i2", 32768, SHND_ERROR_OUT_OF_RANGE },
    { "<i8", G_MININT64, -1 },
    { "<i8", G_MAXINT64, -1 },
    { "<u8", G_MAXINT64, -1 },
    { "<u8", -1, SHND_ERROR_OUT_OF_RANGE },
    { "u1", 255, -1 },
    { "<f2", 2048, -1 },
    { "<f2", 65520, SHND_ERROR_OUT_OF_RANGE },
    { "<f8", -9007199254740992, -1 },
    { "<f8", G_MININT64, -1 },
    { "<M8[s]", G_MININT64, -1 },
    { "<m8[25s]", -7, -1 },
    { "<c16", 1, SHND_ERROR_TYPE_MISMATCH },
    { "<U2", 1, SHND_ERROR_TYPE_MISMATCH },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_shortcut (cases[i].dtype, NULL, cases[i].value, cases[i].code);
}

/* Elements that are no int64. */
static void
test_not_integers (void)
{
  static const double reals[] = { 0.5, -1.25, 0x1p63, -0x1.0000000000001p63, NAN, INFINITY };
  g_autoptr (ShndDType) real = new_dtype ("<f8");
  g_autoptr (ShndDType) large = new_dtype (">u8");
  g_autoptr (GError) error = NULL;
  guint8 all[8];
  gint64 back;

  for (gsize i = 0; i < G_N_ELEMENTS (reals); i++)
    {
      g_assert_false (shnd_element_to_int64 (real, (const guint8 *) &reals[i], &back, &error));
      g_assert_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE);
      g_clear_error (&error);
    }

  memset (all, 0xff, sizeof all);
  g_assert_false (shnd_element_to_int64 (large, all, &back, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_OUT_OF_RANGE);
  g_assert_nonnull (strstr (error->message, "18446744073709551615"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/element/values", test_values);
  g_test_add_func ("/element/refused", test_refused);
  g_test_add_func ("/element/special-floats", test_special_floats);
  g_test_add_func ("/element/padding", test_padding);
  g_test_add_func ("/element/bad-unicode", test_bad_unicode);
  g_test_add_func ("/element/odd-bool", test_odd_bool);
  g_test_add_func ("/element/depth", test_depth);
  g_test_add_func ("/element/too-large", test_too_large);
  g_test_add_func ("/element/doubles", test_doubles);
  g_test_add_func ("/element/integers", test_integers);
  g_test_add_func ("/element/not-integers", test_not_integers);

  return g_test_run ();
}
