/* SPDX-License-Identifier: MIT */

#include <string.h>

#include "shndarray/shnd-pattern-private.h"

static GVariant *
parse (const char *text)
{
  return g_variant_ref_sink (g_variant_new_parsed (text));
}

static gboolean
matches (ShndPattern *pattern, const char *text)
{
  g_autoptr (GVariant) metadata = parse (text);

  return shnd_pattern_matches (pattern, g_variant_get_data (metadata),
                               g_variant_get_size (metadata));
}

static gboolean
learn (ShndPattern *pattern, const char *text)
{
  g_autoptr (GVariant) metadata = parse (text);

  return shnd_pattern_learn (pattern, metadata);
}

static void
assert_number (const ShndPattern *pattern, guint i, const char *key, char type)
{
  const ShndPatternNumber *number = &g_array_index (pattern->numbers, ShndPatternNumber, i);

  g_assert_cmpint (i, <, pattern->numbers->len);
  g_assert_cmpstr (number->key, ==, key);
  g_assert_cmpint (number->type, ==, type);
}

static void
test_numbers (void)
{
  ShndPattern pattern = { 0 };
  const char *data;
  guint64 value;

  g_assert_false (matches (&pattern, "@a{sv} {}"));
  g_assert_false (learn (&pattern, "@a{sv} {}"));
  g_assert_false (matches (&pattern, "@a{sv} {}"));
  g_assert_true (learn (&pattern, "{'a': <byte 1>, 'text': <'b'>, 'b': <int16 2>, 'c': <uint16 3>,"
                                  " 'pair': <(1, 2)>, 'd': <4>, 'e': <uint32 5>, 'f': <int64 6>,"
                                  " 'g': <uint64 7>, 'true': <true>, 'h': <8.0>, 'v': <<9>>}"));
  g_assert_cmpuint (pattern.numbers->len, ==, 8);
  for (guint i = 0; i < 8; i++)
    assert_number (&pattern, i, (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[i],
                   "ynqiuxtd"[i]);

  data = g_variant_get_data (pattern.model);
  memcpy (&value, data + g_array_index (pattern.numbers, ShndPatternNumber, 6).start, sizeof value);
  g_assert_cmpuint (value, ==, 7);

  g_assert_true (matches (&pattern, "{'a': <byte 255>, 'text': <'b'>, 'b': <int16 -2>,"
                                    " 'c': <uint16 65535>, 'pair': <(1, 2)>, 'd': <-4>,"
                                    " 'e': <uint32 0xffffffff>, 'f': <int64 -6>,"
                                    " 'g': <uint64 0xffffffffffffffff>, 'true': <true>,"
                                    " 'h': <-8.5>, 'v': <<9>>}"));
  shnd_pattern_clear (&pattern);
  shnd_pattern_clear (&pattern);
}

static void
test_others (void)
{
  static const char model[] = "{'a': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>, 'e': <2>}";
  static const char *const others[] = {
    "@a{sv} {}",
    "{'a': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>}",
    "{'x': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>, 'e': <2>}",
    "{'a': <uint32 1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>, 'e': <2>}",
    "{'a': <1>, 'b': <'texx'>, 'c': <true>, 'd': <(1, 2)>, 'e': <2>}",
    "{'a': <1>, 'b': <'text'>, 'c': <false>, 'd': <(1, 2)>, 'e': <2>}",
    "{'a': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 3)>, 'e': <2>}",
    "{'a': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>, 'x': <2>}",
    "{'a': <1>, 'b': <'text'>, 'c': <true>, 'd': <(1, 2)>, 'e': <2>, 'f': <3>}",
  };
  ShndPattern pattern = { 0 };

  g_assert_true (learn (&pattern, model));
  g_assert_true (matches (&pattern, model));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_test_message ("%s", others[i]);
      g_assert_false (matches (&pattern, others[i]));
    }
  shnd_pattern_clear (&pattern);
}

/* Whatever differs from a model and matches it is in normal form as the model is. */
static void
test_normal (void)
{
  g_autoptr (GVariant) metadata =
      parse ("{'a': <byte 1>, 'b': <'text'>, 'c': <true>, 'd': <(byte 1, 2)>, 'e': <2.0>,"
             " 'f': <[1, 2]>, 'g': <{'h': <uint64 1>}>, 'i': <handle 3>}");
  gsize size = g_variant_get_size (metadata);
  g_autofree guint8 *data = g_memdup2 (g_variant_get_data (metadata), size);
  ShndPattern pattern = { 0 };
  guint n_matches = 0;

  g_assert_true (shnd_pattern_learn (&pattern, metadata));
  for (gsize i = 0; i < size; i++)
    {
      for (guint k = 1; k < 256; k++)
        {
          g_autoptr (GVariant) changed = NULL;

          data[i] ^= k;
          changed = g_variant_ref_sink (
              g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, data, size, FALSE, NULL, NULL));
          if (shnd_pattern_matches (&pattern, data, size))
            {
              g_assert_true (g_variant_is_normal_form (changed));
              n_matches++;
            }
          data[i] ^= k;
        }
    }
  /* A byte, and eight of a number. */
  g_assert_cmpuint (n_matches, ==, 9 * 255);

  /* Nothing is learnt from what is not. */
  data[size - 1] = 0xff;
  g_variant_unref (metadata);
  metadata = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, data, size, FALSE, NULL, NULL));
  g_assert_false (shnd_pattern_learn (&pattern, metadata));
  shnd_pattern_clear (&pattern);
}

/* Where nothing matches, less and less is learnt; and as before where something does. */
static void
test_misses (void)
{
  ShndPattern pattern = { 0 };
  guint n_learnt = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *text = g_strdup_printf ("{'a': <'%u'>}", i);

      g_assert_false (matches (&pattern, text));
      n_learnt += learn (&pattern, text);
    }
  g_assert_cmpuint (n_learnt, >=, 10);
  g_assert_cmpuint (n_learnt, <, 40);

  while (!learn (&pattern, "{'a': <1>}"))
    ;
  g_assert_true (matches (&pattern, "{'a': <2>}"));
  for (guint i = 0; i < 8; i++)
    g_assert_true (learn (&pattern, "{'a': <'b'>}"));
  shnd_pattern_clear (&pattern);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pattern/numbers", test_numbers);
  g_test_add_func ("/pattern/others", test_others);
  g_test_add_func ("/pattern/normal", test_normal);
  g_test_add_func ("/pattern/misses", test_misses);

  return g_test_run ();
}
