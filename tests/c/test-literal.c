/* SPDX-License-Identifier: MIT */

#include <string.h>

#include <shndarray/shndarray.h>

#include "shnd-dtype-private.h"
#include "shnd-literal-private.h"
#include "support.h"

static ShndLiteral *
parse_n (const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  /* A copy without a NUL behind it, so that a sanitizer sees a read beyond the end. */
  g_autofree char *copy = g_memdup2 (text, length);
  ShndLiteral *literal = shnd_literal_parse (copy, length, SHND_ERROR_INVALID_FORMAT, &error);

  g_assert_no_error (error);
  g_assert_nonnull (literal);

  return literal;
}

static ShndLiteral *
parse (const char *text)
{
  return parse_n (text, strlen (text));
}

static void
assert_error_n (const char *text, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = g_memdup2 (text, length);

  g_assert_null (shnd_literal_parse (copy, length, SHND_ERROR_INVALID_FORMAT, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT);
  g_assert_cmpstr (error->message, ==, message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
assert_error (const char *text, const char *message)
{
  assert_error_n (text, strlen (text), message);
}

static void
assert_string (const char *text, const char *expected)
{
  g_autoptr (ShndLiteral) literal = parse (text);

  g_assert_cmpint (literal->kind, ==, SHND_LITERAL_STRING);
  g_assert_cmpstr (literal->string, ==, expected);
}

static void
assert_int (const char *text, gint64 expected)
{
  g_autoptr (ShndLiteral) literal = parse (text);

  g_assert_cmpint (literal->kind, ==, SHND_LITERAL_INT);
  g_assert_cmpint (literal->integer, ==, expected);
}

static void
test_strings (void)
{
  assert_string ("''", "");
  assert_string ("\"\"", "");
  assert_string ("'abc'", "abc");
  assert_string ("\"it's\"", "it's");
  assert_string ("'a \"b\"'", "a \"b\"");
  assert_string ("u'x'", "x");
  assert_string ("U\"x\"", "x");
  assert_string ("'\303\274\342\202\254\360\237\230\200'", "\303\274\342\202\254\360\237\230\200");
  assert_string ("'\\\\\\'\\\"'", "\\'\"");
  assert_string ("'\\n\\r\\t\\a\\b\\f\\v'", "\n\r\t\a\b\f\v");
  assert_string ("'\\1\\12\\101\\1012\\777'", "\001\nAA2\307\277");
  assert_string ("'\\x41\\xe9\\xFF'", "A\303\251\303\277");
  assert_string ("'\\u20ac\\u20AC'", "\342\202\254\342\202\254");
  assert_string ("'\\U0001f600'", "\360\237\230\200");
  assert_string ("'a\\\nb\\\r\nc\\\rd'", "abcd");
  assert_string ("'\\q\\8\\\303\274'", "\\q\\8\\\303\274");
  assert_string ("r'\\n\\'\\\\\\x'", "\\n\\'\\\\\\x");
  assert_string ("R\"a\\\r\nb\\\nc\\\rd\"", "a\\\nb\\\nc\\\nd");
}

static void
test_string_errors (void)
{
  assert_error ("'abc", "at byte 0: this string has no closing quote before the end");
  assert_error ("['abc\"]", "at byte 1: this string has no closing quote before the end");
  assert_error ("'abc\n'",
                "at byte 0: this string has no closing quote before the end of the line");
  assert_error ("'abc\r'",
                "at byte 0: this string has no closing quote before the end of the line");
  assert_error ("'abc\\", "at byte 0: this string has no closing quote before the end");
  assert_error ("'abc\\'", "at byte 0: this string has no closing quote before the end");
  assert_error ("r'abc\\'", "at byte 0: this string has no closing quote before the end");
  assert_error ("r'abc\\", "at byte 0: this string has no closing quote before the end");
  assert_error ("'\\x4'", "at byte 1: expected 2 hexadecimal digits after '\\x'");
  assert_error ("'\\x", "at byte 1: expected 2 hexadecimal digits after '\\x'");
  assert_error ("'ab\\u12g4'", "at byte 3: expected 4 hexadecimal digits after '\\u'");
  assert_error ("'\\U0001f60'", "at byte 1: expected 8 hexadecimal digits after '\\U'");
  assert_error ("'\\N{DASH}'", "at byte 1: characters by name ('\\N{...}') are not accepted");
  assert_error ("'a\\0'", "at byte 2: a NUL character in a string is not accepted");
  assert_error ("'\\x00'", "at byte 1: a NUL character in a string is not accepted");
  assert_error ("'\\u0000'", "at byte 1: a NUL character in a string is not accepted");
  assert_error ("'\\ud800'", "at byte 1: U+D800 is not a character");
  assert_error ("'\\udfff'", "at byte 1: U+DFFF is not a character");
  assert_error ("'\\U00110000'", "at byte 1: U+110000 is not a character");
  assert_error ("'\\Uffffffff'", "at byte 1: U+FFFFFFFF is not a character");
  assert_error ("[b'x']", "at byte 1: a bytes literal is not accepted; expected a string");
  assert_error ("B\"x\"", "at byte 0: a bytes literal is not accepted; expected a string");
  assert_error ("rb'x'", "at byte 0: a bytes literal is not accepted; expected a string");
  assert_error ("f'x'", "at byte 0: expected a value, found 'f'");
  assert_error ("ur'x'", "at byte 0: expected a value, found 'ur'");
  assert_error ("'a' 'b'", "at byte 4: expected the end, found \"'\"");
}

static void
test_integers (void)
{
  assert_int ("0", 0);
  assert_int ("000", 0);
  assert_int ("0_0", 0);
  assert_int ("7", 7);
  assert_int ("-7", -7);
  assert_int ("+7", 7);
  assert_int ("- 7", -7);
  assert_int ("1_000_000", 1000000);
  assert_int ("0xff", 255);
  assert_int ("0X_Ff", 255);
  assert_int ("-0x10", -16);
  assert_int ("0o17", 15);
  assert_int ("0b101", 5);
  assert_int ("12L", 12);
  assert_int ("12l", 12);
  assert_int ("9223372036854775807", G_MAXINT64);
  assert_int ("-9223372036854775808", G_MININT64);
  assert_int ("0x7fffffffffffffff", G_MAXINT64);
  assert_int ("-0x8000000000000000", G_MININT64);
}

static void
test_integer_errors (void)
{
  assert_error ("9223372036854775808", "at byte 0: this number does not fit into 64 bits");
  assert_error ("-9223372036854775809", "at byte 0: this number does not fit into 64 bits");
  assert_error ("18446744073709551616", "at byte 0: this number does not fit into 64 bits");
  assert_error ("(99999999999999999999999999,)",
                "at byte 1: this number does not fit into 64 bits");
  assert_error ("012", "at byte 0: leading zeros in a number are not accepted");
  assert_error ("0_1", "at byte 0: leading zeros in a number are not accepted");
  assert_error ("099999999999999999999", "at byte 0: leading zeros in a number are not accepted");
  assert_error ("1.5", "at byte 0: expected a whole number, found a fraction");
  assert_error ("1.", "at byte 0: expected a whole number, found a fraction");
  assert_error ("1e5", "at byte 0: '1e5' is not a whole number");
  assert_error ("1__0", "at byte 0: '1__0' is not a whole number");
  assert_error ("1_", "at byte 0: '1_' is not a whole number");
  assert_error ("-12ab", "at byte 0: '12ab' is not a whole number");
  assert_error ("0x", "at byte 0: '0x' is not a whole number");
  assert_error ("0x_", "at byte 0: '0x_' is not a whole number");
  assert_error ("0b2", "at byte 0: '0b2' is not a whole number");
  assert_error ("0o8", "at byte 0: '0o8' is not a whole number");
  assert_error ("0b", "at byte 0: '0b' is not a whole number");
  assert_error ("1LL", "at byte 0: '1LL' is not a whole number");
  assert_error ("--1", "at byte 1: expected a digit, found '-'");
  assert_error ("+", "at byte 1: expected a digit, found the end");
  assert_error ("-a", "at byte 1: expected a digit, found 'a'");
}

static void
test_words (void)
{
  g_autoptr (ShndLiteral) literal = parse ("(True, False, None)");

  g_assert_cmpint (literal->kind, ==, SHND_LITERAL_TUPLE);
  g_assert_cmpuint (literal->n_items, ==, 3);
  g_assert_cmpint (literal->items[0]->kind, ==, SHND_LITERAL_BOOL);
  g_assert_cmpint (literal->items[0]->integer, ==, 1);
  g_assert_cmpint (literal->items[1]->kind, ==, SHND_LITERAL_BOOL);
  g_assert_cmpint (literal->items[1]->integer, ==, 0);
  g_assert_cmpint (literal->items[2]->kind, ==, SHND_LITERAL_NONE);

  assert_error ("true", "at byte 0: expected a value, found 'true'");
  assert_error ("Nonesuch", "at byte 0: expected a value, found 'Nonesuch'");
  assert_error ("[Tru]", "at byte 1: expected a value or ']', found 'Tru'");
  assert_error ("__import__('os')", "at byte 0: expected a value, found '__import__'");
  assert_error ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "at byte 0: expected a value, found 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'");
}

static void
test_containers (void)
{
  static const struct
  {
    const char *text;
    ShndLiteralKind kind;
    guint n_items;
  } cases[] = {
    { "()", SHND_LITERAL_TUPLE, 0 },
    { "( )", SHND_LITERAL_TUPLE, 0 },
    { "(1,)", SHND_LITERAL_TUPLE, 1 },
    { "(1 , )", SHND_LITERAL_TUPLE, 1 },
    { "(1, 2)", SHND_LITERAL_TUPLE, 2 },
    { "(1, 2,)", SHND_LITERAL_TUPLE, 2 },
    { "(3)", SHND_LITERAL_INT, 0 },
    { "((3))", SHND_LITERAL_INT, 0 },
    { "(((3,)))", SHND_LITERAL_TUPLE, 1 },
    { "(())", SHND_LITERAL_TUPLE, 0 },
    { "[]", SHND_LITERAL_LIST, 0 },
    { "[1]", SHND_LITERAL_LIST, 1 },
    { "[1,]", SHND_LITERAL_LIST, 1 },
    { "[1,\n 2]", SHND_LITERAL_LIST, 2 },
    { "{}", SHND_LITERAL_DICT, 0 },
    { "{'a': 1}", SHND_LITERAL_DICT, 2 },
    { "{'a':1,'b':(2,),}", SHND_LITERAL_DICT, 4 },
    { " \t\r\n\f\v[ \t\r\n\f\v] \t\r\n\f\v", SHND_LITERAL_LIST, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ShndLiteral) literal = parse (cases[i].text);
      g_autofree char *escaped = g_strescape (cases[i].text, NULL);

      g_test_message ("%s", escaped);
      g_assert_cmpint (literal->kind, ==, cases[i].kind);
      g_assert_cmpuint (literal->n_items, ==, cases[i].n_items);
    }
}

static void
test_dict (void)
{
  g_autoptr (ShndLiteral) literal =
      parse ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3L), }   \n");

  g_assert_cmpint (literal->kind, ==, SHND_LITERAL_DICT);
  g_assert_cmpuint (literal->n_items, ==, 6);
  g_assert_cmpuint (literal->position, ==, 0);
  g_assert_cmpstr (literal->items[0]->string, ==, "descr");
  g_assert_cmpuint (literal->items[0]->position, ==, 1);
  g_assert_cmpstr (literal->items[1]->string, ==, "<f4");
  g_assert_cmpuint (literal->items[1]->position, ==, 10);
  g_assert_cmpstr (literal->items[2]->string, ==, "fortran_order");
  g_assert_cmpint (literal->items[3]->integer, ==, 0);
  g_assert_cmpstr (literal->items[4]->string, ==, "shape");
  g_assert_cmpuint (literal->items[5]->n_items, ==, 2);
  g_assert_cmpint (literal->items[5]->items[1]->integer, ==, 3);
}

static void
test_container_errors (void)
{
  assert_error ("", "at byte 0: expected a value, found the end");
  assert_error ("  ", "at byte 2: expected a value, found the end");
  assert_error ("(", "at byte 1: expected a value or ')', found the end");
  assert_error ("[1", "at byte 2: expected ',' or ']', found the end");
  assert_error ("[1 2]", "at byte 3: expected ',' or ']', found '2'");
  assert_error ("(1, 2}", "at byte 5: expected ',' or ')', found '}'");
  assert_error ("(,)", "at byte 1: expected a value or ')', found ','");
  assert_error ("[1,,]", "at byte 3: expected a value or ']', found ','");
  assert_error ("{'a'}", "at byte 4: expected ':', found '}'");
  assert_error ("{'a':}", "at byte 5: expected a value, found '}'");
  assert_error ("{'a': 1 'b'", "at byte 8: expected ',' or '}', found \"'\"");
  assert_error ("{: 1}", "at byte 1: expected a value or '}', found ':'");
  assert_error ("{'a': 1,", "at byte 8: expected a value or '}', found the end");
  assert_error (")", "at byte 0: expected a value, found ')'");
  assert_error ("[] x", "at byte 3: expected the end, found 'x'");
  assert_error ("1 1", "at byte 2: expected the end, found '1'");
  assert_error ("[\302\240]", "at byte 1: expected a value or ']', found U+00A0");
  assert_error ("[\342\202\254]", "at byte 1: expected a value or ']', found '\342\202\254'");
  assert_error ("[\001]", "at byte 1: expected a value or ']', found U+0001");
  assert_error ("# no", "at byte 0: expected a value, found '#'");
}

static void
test_encoding (void)
{
  assert_error_n ("'a\0b'", 5, "at byte 2: a NUL byte is not accepted");
  assert_error_n ("[]\0", 3, "at byte 2: a NUL byte is not accepted");
  assert_error ("'\377'", "at byte 1: the text is not valid UTF-8");
  assert_error ("'ab\303", "at byte 3: the text is not valid UTF-8");
  assert_error ("'\355\240\200'", "at byte 1: the text is not valid UTF-8");
}

static void
test_depth (void)
{
  const guint max = SHND_LITERAL_MAX_DEPTH;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (ShndLiteral) literal = NULL;

  for (guint i = 0; i < max; i++)
    g_string_append_c (text, "[(["[i % 3]);
  g_string_append (text, "1");
  for (guint i = max; i > 0; i--)
    g_string_append_c (text, "])]"[(i - 1) % 3]);
  literal = parse (text->str);
  g_assert_cmpint (literal->kind, ==, SHND_LITERAL_LIST);

  /* Side by side is not deep. */
  g_string_assign (text, "[");
  for (guint i = 0; i < 10 * max; i++)
    g_string_append (text, "(),[],{},(1),");
  g_string_append (text, "]");
  shnd_literal_free (g_steal_pointer (&literal));
  literal = parse (text->str);
  g_assert_cmpuint (literal->n_items, ==, 40 * max);

  for (gsize kind = 0; kind < 3; kind++)
    {
      const char *openings[] = { "(", "[", "{1:" };
      g_autofree char *message = NULL;

      g_string_truncate (text, 0);
      for (guint i = 0; i < 100000; i++)
        g_string_append (text, openings[kind]);
      message = g_strdup_printf ("at byte %zu: more than 64 levels of nesting",
                                 (gsize) max * strlen (openings[kind]));
      assert_error (text->str, message);
    }
}

static void
test_error_codes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndLiteral) literal = parse ("{'descr': [('x', 'f3')]}");

  g_assert_null (shnd_literal_parse ("?", 1, SHND_ERROR_INVALID_DTYPE, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE);
  g_clear_error (&error);

  /* No place for the error. */
  g_assert_null (shnd_literal_parse ("[(1 2", 5, SHND_ERROR_INVALID_DTYPE, NULL));

  /* A dtype within a larger literal: with the caller's code and the position in the whole. */
  g_assert_null (
      shnd_dtype_new_from_literal (literal->items[1], SHND_ERROR_INVALID_FORMAT, &error));
  g_assert_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT);
  g_assert_true (g_str_has_prefix (error->message, "at byte 17: 'f3' is not a dtype: expected "));
}

/* Units that have no name still have to be usable. */
static void
test_dtype_units (void)
{
  static const struct
  {
    const char *description;
    ShndUnit unit;
    guint multiple;
  } cases[] = {
    { "M8", SHND_UNIT_GENERIC, 1 },
    { "M8[generic]", SHND_UNIT_GENERIC, 1 },
    { "M8[3generic]", SHND_UNIT_GENERIC, 1 },
    { "M8[Y]", SHND_UNIT_YEAR, 1 },
    { "m8[25s]", SHND_UNIT_SECOND, 25 },
    { "m8[\302\265s]", SHND_UNIT_MICROSECOND, 1 },
    { "M8[2147483647as]", SHND_UNIT_ATTOSECOND, G_MAXINT32 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ShndDType) dtype = new_dtype (cases[i].description);

      g_assert_cmpint (dtype->unit, ==, cases[i].unit);
      g_assert_cmpuint (dtype->multiple, ==, cases[i].multiple);
    }
}

/* The deepest dtype that is accepted still fits into the dict of a header. */
static void
test_dtype_depth (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GString) text = g_string_new ("'u1'");
  g_autoptr (ShndLiteral) header = NULL;

  while (TRUE)
    {
      g_autofree char *deeper = g_strdup_printf ("(%s, (1,))", text->str);
      ShndDType *next = shnd_dtype_new (deeper, NULL);

      if (next == NULL)
        break;
      shnd_dtype_unref (dtype);
      dtype = next;
      g_string_assign (text, deeper);
    }

  g_string_assign (text, "{'descr': [(('t', 'n'), ");
  shnd_dtype_append_literal (dtype, text);
  g_string_append (text, ")]}");
  header = parse (text->str);
  g_assert_cmpint (header->kind, ==, SHND_LITERAL_DICT);
}

static void
test_describe (void)
{
  static const char *const cases[][2] = {
    { "None", "None" },   { "True", "True" },  { "False", "False" }, { "1", "a number" },
    { "''", "a string" }, { "()", "a tuple" }, { "[]", "a list" },   { "{}", "a dict" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ShndLiteral) literal = parse (cases[i][0]);

      g_assert_cmpstr (shnd_literal_describe (literal), ==, cases[i][1]);
    }
}

static void
test_append_string (void)
{
  static const char *const cases[][2] = {
    { "", "''" },
    { "abc", "'abc'" },
    { "it's", "\"it's\"" },
    { "a \"b\"", "'a \"b\"'" },
    { "'\"", "'\\'\"'" },
    { "back\\slash", "'back\\\\slash'" },
    { "\n\r\t", "'\\n\\r\\t'" },
    { "\a\b\f\v\033\177", "'\\x07\\x08\\x0c\\x0b\\x1b\\x7f'" },
    { "\303\274\342\202\254\360\237\230\200", "'\303\274\342\202\254\360\237\230\200'" },
    { "\302\200\302\240\302\255", "'\\x80\\xa0\\xad'" },
    { "\342\200\250\342\200\251\342\200\213\343\200\200", "'\\u2028\\u2029\\u200b\\u3000'" },
    { "\356\200\200\357\277\277", "'\\ue000\\uffff'" },
    { "\363\240\200\201", "'\\U000e0001'" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new ("> ");

      shnd_literal_append_string (text, cases[i][0]);
      g_assert_true (g_str_has_prefix (text->str, "> "));
      g_assert_cmpstr (text->str + 2, ==, cases[i][1]);
      assert_string (text->str + 2, cases[i][0]);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/literal/strings", test_strings);
  g_test_add_func ("/literal/string-errors", test_string_errors);
  g_test_add_func ("/literal/integers", test_integers);
  g_test_add_func ("/literal/integer-errors", test_integer_errors);
  g_test_add_func ("/literal/words", test_words);
  g_test_add_func ("/literal/containers", test_containers);
  g_test_add_func ("/literal/dict", test_dict);
  g_test_add_func ("/literal/container-errors", test_container_errors);
  g_test_add_func ("/literal/encoding", test_encoding);
  g_test_add_func ("/literal/depth", test_depth);
  g_test_add_func ("/literal/error-codes", test_error_codes);
  g_test_add_func ("/literal/dtype-units", test_dtype_units);
  g_test_add_func ("/literal/dtype-depth", test_dtype_depth);
  g_test_add_func ("/literal/describe", test_describe);
  g_test_add_func ("/literal/append-string", test_append_string);

  return g_test_run ();
}
