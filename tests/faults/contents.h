/* SPDX-License-Identifier: MIT */

/* What the arrays of these tests contain: a few words for those who have the lock, and a pattern by
 * which everybody sees whether the array is whole. */

#pragma once

#include <errno.h>
#include <shndarray/shndarray.h>

enum
{
  WORD_NONCE,
  WORD_INSIDE, /* who has the lock, 0 if nobody */
  WORD_FIRST,  /* these two are the same unless somebody died in between */
  WORD_SECOND,
  N_WORDS,
};

/* Elements of an array with that nonce. */
static inline gint64
contents_get_length (guint64 nonce)
{
  return N_WORDS + nonce % 1500;
}

static inline guint64
contents_get_pattern (guint64 nonce, gint64 i)
{
  guint64 x = (nonce + i) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return x ^ (x >> 29);
}

static inline ShndArray *
contents_new (const char *name, guint64 nonce, ShndCreateFlags flags, GError **error)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("<u8", NULL);
  gint64 length = contents_get_length (nonce);
  guint64 *words = g_new0 (guint64, length);
  g_autoptr (GBytes) bytes = NULL;

  words[WORD_NONCE] = nonce;
  for (gint64 i = N_WORDS; i < length; i++)
    words[i] = contents_get_pattern (nonce, i);
  bytes = g_bytes_new_take (words, length * sizeof *words);

  return shnd_array_new_from_bytes (name, dtype, &length, 1, bytes, flags, error);
}

/* The words of an array, for as long as it is open. */
static inline guint64 *
contents_get_words (ShndArray *array)
{
  g_autoptr (GBytes) bytes = shnd_array_get_bytes (array, NULL);

  return (guint64 *) g_bytes_get_data (bytes, NULL);
}

/* The nonce of an array that somebody else made. Ends the program if that is not whole. */
static inline guint64
contents_check (ShndArray *array)
{
  const gint64 *shape;
  guint n_dims;
  const guint64 *words;
  guint64 nonce;

  shape = shnd_array_get_shape (array, &n_dims);
  if (n_dims != 1 || shape[0] < N_WORDS)
    g_error ("an array with a shape that nobody gave it");

  words = contents_get_words (array);
  nonce = words[WORD_NONCE];
  if (nonce == 0 || shape[0] != contents_get_length (nonce))
    g_error ("an array of %" G_GINT64_FORMAT " elements with the nonce %" G_GUINT64_FORMAT,
             shape[0], nonce);

  for (gint64 i = N_WORDS; i < shape[0]; i++)
    {
      if (words[i] != contents_get_pattern (nonce, i))
        g_error ("an array that is not whole, at element %" G_GINT64_FORMAT, i);
    }

  return nonce;
}
