/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <float.h>
#include <math.h>
#include <shndarray/shnd-error.h>
#include <shndarray/shndarray.h>
#include <stdlib.h>
#include <string.h>

#include "cast-support.h"

/* More than one block of what is staged on the stack. */
#define N_COPIES 300

/* One element, repeated. */
static void
test_repeat (void)
{
  static const gsize sizes[] = { 1, 2, 3, 8, 16, 5000 };
  guint8 element[5000];

  for (gsize i = 0; i < sizeof element; i++)
    element[i] = i * 7;
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize n = 1; n < 20000; n = n * 3 + 1)
      {
        gsize size = sizes[i];
        g_autofree guint8 *to = g_malloc (size * n + 1);

        to[size * n] = CANARY;
        shnd_move (&(ShndRun){ to, size, element, 0, n }, size);
        for (gsize j = 0; j < n; j++)
          g_assert_cmpmem (to + j * size, size, element, size);
        g_assert_cmphex (to[size * n], ==, CANARY);
      }
}

/* Every number to every other */

/* The last one is skipped where there is none. */
static const char *const number_types[] = {
  "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g",
};

/* As decimal numbers, so that the expectation can come from the C library's strtof() and friends,
 * and from 128-bit integers, rather than from casts. */
static const char *const samples[] = {
  "0",
  "-0.0",
  "1",
  "-1",
  "2",
  "0.5",
  "-0.5",
  "0.999",
  "-0.999",
  "1.5",
  "-1.5",
  "99.75",
  "127",
  "128",
  "127.5",
  "-128",
  "-129",
  "-128.5",
  "255",
  "256",
  "255.5",
  "-255",
  "2047",
  "2049",
  "2051",
  "32767",
  "32768",
  "-32768",
  "-32769",
  "65504",
  "65519",
  "65520",
  "65535",
  "65536",
  "16777215",
  "16777217",
  "16777219",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "4294967295.5",
  "9007199254740991",
  "9007199254740993",
  "9007199254740995",
  "9223372036854775295",
  "9223372036854775296",
  "9223372036854774784",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "-9223372036854777856",
  "9223371487098961920",
  "18446744073709551615",
  "18446744073709551616",
  "18446744073709549568",
  "18446742974197923840",
  "1e-8",
  "5.9604644775390625e-8",
  "2.98e-8",
  "-3e-8",
  "1e30",
  "-1e30",
  "3.4028234663852886e38",
  "3.5e38",
  "1e300",
  "-1e300",
  "1e-300",
  "inf",
  "-inf",
  "nan",
  "0.1",
  "3.3333333333333333333333",
  "1.00048828125",
  "1.00048828125000000001",
  "1.00146484375",
  "2.000976562500000001",
};

/* One sample as a type holds it: `text` says exactly what that is. */
typedef struct
{
  guint8 bytes[sizeof (long double)];
  char text[64];
} Held;

static void
store_integer (guint8 *bytes, gsize size, __int128 value)
{
  for (gsize i = 0; i < size; i++)
    bytes[G_BYTE_ORDER == G_LITTLE_ENDIAN ? i : size - 1 - i] = (guint8) (value >> 8 * i);
}

static __int128
parse_integer (const char *text)
{
  __int128 value = 0;

  for (const char *p = *text == '-' ? text + 1 : text; *p != 0; p++)
    value = value * 10 + (*p - '0');
  return *text == '-' ? -value : value;
}

static void
store_float (guint8 *bytes, ShndDType *dtype, const char *text)
{
  if (dtype->item_size == 4)
    {
      float value = strtof (text, NULL);
      memcpy (bytes, &value, sizeof value);
    }
  else if (dtype->item_size == 8)
    {
      double value = strtod (text, NULL);
      memcpy (bytes, &value, sizeof value);
    }
  else if (dtype->item_size == 2)
    {
      /* judged by test-half.c */
      guint16 value = shnd_half_from_long_double (strtold (text, NULL));
      memcpy (bytes, &value, sizeof value);
    }
  else
    {
      long double value = strtold (text, NULL);
      memset (bytes, 0, sizeof value);
      memcpy (bytes, &value, LDBL_MANT_DIG == 64 ? 10 : sizeof value);
    }
}

static long double
read_float (ShndDType *dtype, const guint8 *bytes)
{
  float single;
  double real;
  long double extended;
  guint16 half;

  switch (dtype->item_size)
    {
    case 2:
      memcpy (&half, bytes, sizeof half);
      return read_half (half);
    case 4:
      memcpy (&single, bytes, sizeof single);
      return single;
    case 8:
      memcpy (&real, bytes, sizeof real);
      return real;
    default:
      memcpy (&extended, bytes, sizeof extended);
      return extended;
    }
}

/* FALSE if the type cannot hold the sample. */
static gboolean
hold (ShndDType *dtype, const char *sample, Held *held)
{
  gboolean is_whole = strspn (sample, "-0123456789") == strlen (sample);
  gint64 bits = dtype->item_size * 8;
  __int128 value;

  memset (held, 0, sizeof *held);
  if (dtype->kind == SHND_DTYPE_KIND_FLOAT)
    {
      store_float (held->bytes, dtype, sample);
      g_snprintf (held->text, sizeof held->text, "%La", read_float (dtype, held->bytes));
      return TRUE;
    }

  if (!is_whole)
    return FALSE;
  value = parse_integer (sample);
  if (dtype->kind == SHND_DTYPE_KIND_BOOL)
    {
      if (value < 0 || value > 1)
        return FALSE;
    }
  else if (dtype->kind == SHND_DTYPE_KIND_INT)
    {
      if (value < -((__int128) 1 << (bits - 1)) || value >= (__int128) 1 << (bits - 1))
        return FALSE;
    }
  else if (value < 0 || value >= (__int128) 1 << bits)
    return FALSE;

  store_integer (held->bytes, dtype->item_size, value);
  g_strlcpy (held->text, sample, sizeof held->text);
  return TRUE;
}

static void
expect (ShndDType *target, ShndDType *source, const Held *held, guint8 *expected)
{
  gboolean from_float = source->kind == SHND_DTYPE_KIND_FLOAT;
  long double real = from_float ? strtold (held->text, NULL) : 0;
  gint64 bits = target->item_size * 8;
  gboolean is_signed = target->kind == SHND_DTYPE_KIND_INT;

  memset (expected, 0, sizeof (long double));
  if (target->kind == SHND_DTYPE_KIND_FLOAT)
    store_float (expected, target, held->text);
  else if (target->kind == SHND_DTYPE_KIND_BOOL)
    expected[0] =
        from_float ? isnan (real) || real < 0 || real > 0 : parse_integer (held->text) != 0;
  else if (!from_float)
    store_integer (expected, target->item_size, parse_integer (held->text));
  else
    {
      __int128 low = is_signed ? -((__int128) 1 << (bits - 1)) : 0;
      __int128 high = ((__int128) 1 << (bits - is_signed)) - 1;
      __int128 value;

      if (isnan (real))
        value = 0;
      else if (real > 1e25L || real < -1e25L)
        value = real > 0 ? high : low;
      else
        value = (__int128) truncl (real);
      store_integer (expected, target->item_size, CLAMP (value, low, high));
    }
}

static void
reverse (guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size / 2; i++)
    {
      guint8 byte = bytes[i];

      bytes[i] = bytes[size - 1 - i];
      bytes[size - 1 - i] = byte;
    }
}

static void
assert_number (ShndDType *target, const guint8 *actual, const guint8 *expected)
{
  if (target->kind == SHND_DTYPE_KIND_FLOAT && isnan (read_float (target, expected)))
    g_assert_true (isnan (read_float (target, actual)));
  else
    g_assert_cmpmem (actual, target->item_size, expected, target->item_size);
}

static void
check_number_pair (const char *target_name, const char *source_name, gsize gap)
{
  for (guint orders = 0; orders < 4; orders++)
    {
      g_autofree char *target_text = g_strdup_printf ("%c%s", orders & 1 ? '>' : '<', target_name);
      g_autofree char *source_text = g_strdup_printf ("%c%s", orders & 2 ? '>' : '<', source_name);
      g_autoptr (ShndDType) target = new_dtype (target_text);
      g_autoptr (ShndDType) source = new_dtype (source_text);
      gsize target_stride = target->item_size + gap;
      gsize source_stride = source->item_size + gap;
      /* one byte in front, so that nothing is aligned */
      gsize target_length = 1 + target_stride * N_COPIES;
      g_autofree guint8 *to = g_malloc (target_length);
      g_autofree guint8 *from = g_malloc0 (1 + source_stride * N_COPIES);
      Held held[G_N_ELEMENTS (samples)];
      gsize n_held = 0;

      for (gsize i = 0; i < G_N_ELEMENTS (samples); i++)
        n_held += hold (source, samples[i], &held[n_held]);
      for (gsize i = 0; i < N_COPIES; i++)
        {
          guint8 *element = from + 1 + i * source_stride;

          memcpy (element, held[i % n_held].bytes, source->item_size);
          if (source->swapped)
            reverse (element, source->item_size);
        }
      memset (to, CANARY, target_length);

      g_assert_true (shnd_cast_check (target, source, NULL));
      shnd_cast (target, source,
                 &(ShndRun){ to + 1, target_stride, from + 1, source_stride, N_COPIES });

      g_assert_cmphex (to[0], ==, CANARY);
      for (gsize i = 0; i < N_COPIES; i++)
        {
          guint8 *element = to + 1 + i * target_stride;
          guint8 expected[sizeof (long double)];

          if (target->swapped)
            reverse (element, target->item_size);
          expect (target, source, &held[i % n_held], expected);
          if (g_test_verbose ())
            g_test_message ("%s from %s: %s", target_text, source_text, held[i % n_held].text);
          assert_number (target, element, expected);
          for (gsize j = 0; j < gap; j++)
            g_assert_cmphex (element[target->item_size + j], ==, CANARY);
        }
    }
}

static void
test_numbers (void)
{
  gsize n_types = G_N_ELEMENTS (number_types) - !have_long_double ();

  for (gsize i = 0; i < n_types; i++)
    for (gsize j = 0; j < n_types; j++)
      {
        check_number_pair (number_types[i], number_types[j], 0);
        check_number_pair (number_types[i], number_types[j], 3);
      }
}

/* A byte that is neither 0 nor 1, as other programs may leave it. */
static void
test_odd_bool (void)
{
  g_autoptr (ShndDType) truth = new_dtype ("?");
  g_autoptr (ShndDType) integer = new_dtype ("i4");
  guint8 from = 0x80;
  gint32 to;

  shnd_cast (integer, truth, &(ShndRun){ (guint8 *) &to, 4, &from, 1, 1 });
  g_assert_cmpint (to, ==, 1);
}

static void
test_complex (void)
{
  static const double parts[] = { 0, 0, 1.5, -2.25, 0, 3, -1e5, 0, NAN, 0, 0, NAN };
  static const char *const types[] = { "<c8", ">c8", "<c16", ">c16" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (types); j++)
      for (gsize gap = 0; gap < 8; gap += 5)
        {
          g_autoptr (ShndDType) native = new_dtype ("c16");
          g_autoptr (ShndDType) target = new_dtype (types[i]);
          g_autoptr (ShndDType) source = new_dtype (types[j]);
          g_autoptr (ShndDType) real = new_dtype ("f4");
          g_autoptr (ShndDType) truth = new_dtype ("?");
          gsize target_stride = target->item_size + gap;
          gsize source_stride = source->item_size + gap;
          guint8 from[6 * 21], to[6 * 21];
          guint8 truths[6];
          double back[G_N_ELEMENTS (parts)];
          float reals[6] = { 0, 1, -2.5, 3, INFINITY, 5 };

          shnd_cast (source, native,
                     &(ShndRun){ from, source_stride, (const guint8 *) parts, 16, 6 });
          shnd_cast (target, source, &(ShndRun){ to, target_stride, from, source_stride, 6 });
          shnd_cast (native, target, &(ShndRun){ (guint8 *) back, 16, to, target_stride, 6 });
          for (gsize k = 0; k < G_N_ELEMENTS (parts); k++)
            if (isnan (parts[k]))
              g_assert_true (isnan (back[k]));
            else
              g_assert_cmpfloat (back[k], ==, parts[k]);

          shnd_cast (truth, source, &(ShndRun){ truths, 1, from, source_stride, 6 });
          for (gsize k = 0; k < 6; k++)
            g_assert_cmpint (truths[k], ==, k != 0);

          shnd_cast (target, real, &(ShndRun){ to, target_stride, (const guint8 *) reals, 4, 6 });
          shnd_cast (native, target, &(ShndRun){ (guint8 *) back, 16, to, target_stride, 6 });
          for (gsize k = 0; k < 6; k++)
            {
              g_assert_cmpfloat (back[2 * k], ==, reals[k]);
              g_assert_cmpfloat (back[2 * k + 1], ==, 0);
            }
        }
}

static void
test_text (void)
{
  CHECK_BYTES ("S3", "S3", "abcd\0\0", "abcd\0\0");
  CHECK_BYTES ("S4", "S2", "abc\0", "ab\0\0c\0\0\0");
  CHECK_BYTES ("V3", "V3", "\1\2\3", "\1\2\3");
  CHECK_BYTES ("<U1", ">U1", "\0\1\xf6\x42", "\x42\xf6\1\0");
  CHECK_BYTES (">U2", "<U1", "\x42\xf6\1\0a\0\0\0", "\0\1\xf6\x42\0\0\0\0\0\0\0a\0\0\0\0");
  CHECK_BYTES ("<U2", "<U1", "\x42\xf6\1\0", "\x42\xf6\1\0\0\0\0\0");
}

static void
test_structs (void)
{
  /* Padding of the target keeps the canary. */
  CHECK_BYTES ("[('a','>u2'),('','V1'),('b','<u4')]", "[('x','u1'),('y','>u2')]", "\1\2\3\4\5\6",
               "\0\1\xa5\3\2\0\0\0\4\xa5\6\5\0\0");
  /* The same, but for the names, and nothing between the fields. */
  CHECK_BYTES ("[('a','u1'),('b','<u2')]", "[('x','u1'),('y','<u2')]", "\1\2\3\4\5\6",
               "\1\2\3\4\5\6");
  /* The same with padding, which is not copied. */
  CHECK_BYTES ("[('a','u1'),('','V1')]", "[('a','u1'),('','V1')]", "\1\2\3\4", "\1\xa5\3\xa5");
  /* Within each other. */
  CHECK_BYTES ("[('a',[('b','>u2'),('c','S2')])]", "[('a',[('b','<u2'),('c','S1')])]", "\1\2x\3\4y",
               "\2\1x\0\4\3y\0");
  CHECK_BYTES ("[('a','>u2',(2,2))]", "[('a','u1',(2,2))]", "\1\2\3\4\5\6\7\x08",
               "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x08");
  /* More elements than items. */
  CHECK_BYTES ("[('a','>u2',(2,))]", "[('a','u1',(2,))]", "\1\2\3\4\5\6",
               "\0\1\0\2\0\3\0\4\0\5\0\6");
  CHECK_BYTES ("('>u2',(2,))", "('<u2',(2,))", "\1\2\3\4", "\2\1\4\3");
}

static void
test_empty (void)
{
  g_autoptr (ShndDType) bytes = new_dtype ("S0");
  g_autoptr (ShndDType) little = new_dtype ("<U0");
  g_autoptr (ShndDType) big = new_dtype (">U0");

  /* would take for ever, or touch memory */
  shnd_cast (bytes, bytes, &(ShndRun){ .n = G_MAXSIZE });
  shnd_cast (big, little, &(ShndRun){ .n = G_MAXSIZE });
}

/* What goes and what does not */

static void
test_check (void)
{
  static const struct
  {
    const char *target;
    const char *source;
    gboolean possible;
  } pairs[] = {
    { "?", "c8", TRUE },
    { "f8", "c8", FALSE },
    { "i4", "c16", FALSE },
    { "c8", "u8", TRUE },
    { "S3", "S3", TRUE },
    { "S2", "S3", FALSE },
    { "U2", "U3", FALSE },
    { "U3", "U2", TRUE },
    { "S12", "U3", FALSE },
    { "U3", "S3", FALSE },
    { "S3", "V3", FALSE },
    { "V3", "S3", FALSE },
    { "V3", "V4", FALSE },
    { "V4", "V3", FALSE },
    { "V4", "i4", FALSE },
    { "i4", "S4", FALSE },
    { "S4", "i4", FALSE },
    { "M8[s]", "m8[s]", FALSE },
    { "m8[s]", "M8[s]", FALSE },
    { "M8[s]", "i8", FALSE },
    { "i8", "M8[s]", FALSE },
    { "m8[s]", "i8", TRUE },
    { "u1", "m8[s]", TRUE },
    { "m8[s]", "f8", FALSE },
    { "f8", "m8[s]", FALSE },
    { "m8[s]", "?", FALSE },
    { "?", "m8[s]", FALSE },
    { "?", "M8[s]", FALSE },
    { "m8[Y]", "m8[25M]", TRUE },
    { "m8[Y]", "m8[D]", FALSE },
    { "m8[as]", "m8[M]", FALSE },
    { "M8[Y]", "M8[as]", TRUE },
    { "M8", "M8[s]", FALSE },
    { "m8", "m8[s]", FALSE },
    { "m8", "m8", TRUE },
    { "M8[s]", "M8", TRUE },
    { "[('a','i4')]", "i4", FALSE },
    { "i4", "[('a','i4')]", FALSE },
    { "[('a','i4')]", "[('b','f8')]", TRUE },
    { "[('a','i4')]", "[('a','i4'),('b','i4')]", FALSE },
    { "[('a','i4'),('b','S1')]", "[('a','i4'),('b','S2')]", FALSE },
    { "('i4',(2,3))", "('f8',(2,3))", TRUE },
    { "('i4',(2,3))", "('f8',(3,2))", FALSE },
    { "('i4',(2,3))", "('f8',(6,))", FALSE },
    { "('i4',(2,))", "i4", FALSE },
    { "('i4',(2,))", "('S4',(2,))", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (ShndDType) target = new_dtype (pairs[i].target);
      g_autoptr (ShndDType) source = new_dtype (pairs[i].source);
      g_autoptr (GError) error = NULL;
      gboolean possible = shnd_cast_check (target, source, &error);

      g_test_message ("%s from %s: %s", pairs[i].target, pairs[i].source,
                      error ? error->message : "possible");
      g_assert_cmpint (possible, ==, pairs[i].possible);
      if (possible)
        {
          g_assert_no_error (error);
          continue;
        }
      g_assert_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH);
      if (target->n_fields == 0 && target->base == NULL)
        {
          g_assert_nonnull (strstr (error->message, shnd_dtype_to_string (target)));
          g_assert_nonnull (strstr (error->message, shnd_dtype_to_string (source)));
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cast/repeat", test_repeat);
  g_test_add_func ("/cast/numbers", test_numbers);
  g_test_add_func ("/cast/odd-bool", test_odd_bool);
  g_test_add_func ("/cast/complex", test_complex);
  g_test_add_func ("/cast/text", test_text);
  g_test_add_func ("/cast/structs", test_structs);
  g_test_add_func ("/cast/empty", test_empty);
  g_test_add_func ("/cast/check", test_check);

  return g_test_run ();
}
