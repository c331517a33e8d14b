/* SPDX-License-Identifier: MIT */

/* What the frames of these tests contain: all of it follows from who published it, and as which of
 * its frames, so that everybody sees whether a frame is whole, and is the one that it should be. */

#pragma once

#include <shndarray/shndarray.h>
#include <string.h>

/* What takes that long is lost; in microseconds. */
#define FRAMES_PATIENCE (30 * G_USEC_PER_SEC)

enum
{
  FRAME_LIFE, /* a number that no other publisher has or had */
  FRAME_SEQUENCE,
  FRAME_OVERFLOW, /* an ShndOverflow, the same for all frames of one publisher */
  N_FRAME_WORDS,
};

static inline guint64
frames_mix (guint64 x)
{
  x = (x ^ (x >> 31)) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return x ^ (x >> 29);
}

static inline guint64
frames_get_seed (guint64 life, guint64 sequence)
{
  return frames_mix (frames_mix (life) + sequence);
}

/* In words. Mostly small, some of many pages. */
static inline gsize
frames_get_length (guint64 seed)
{
  return N_FRAME_WORDS + (seed % 16 == 0 ? seed / 16 % 16384 : seed / 16 % 64);
}

static inline guint64
frames_get_pattern (guint64 seed, gsize i)
{
  return seed + i * G_GUINT64_CONSTANT (0xd1342543de82ef95);
}

static inline const char *
frames_get_dtype (guint64 seed)
{
  static const char *const descriptions[] = { "u1", "<u2", "<i4", "<f8",
                                              "[('a', '<u4'), ('b', '<f4')]" };

  return descriptions[seed / 7 % G_N_ELEMENTS (descriptions)];
}

/* `first` is as which frame the memory was published before, or 0. */
static inline void
frames_set_metadata (ShndFrame *frame, guint64 seed, guint64 first)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);
  g_autofree char *padding = seed % 128 == 0 ? g_strnfill (seed / 128 % 60000, 'x') : NULL;

  if (seed % 4 == 0)
    g_variant_dict_insert (dict, "seed", "t", seed);
  if (first != 0)
    g_variant_dict_insert (dict, "first", "t", first);
  if (padding != NULL)
    g_variant_dict_insert (dict, "padding", "s", padding);
  g_assert_true (shnd_frame_set_metadata (frame, g_variant_dict_end (dict), NULL));
}

/* A frame that is filled, to be published as the next one. */
static inline ShndFrame *
frames_acquire (
    ShndPublisher *publisher, guint64 life, guint64 sequence, gint64 timeout, GError **error)
{
  guint64 seed = frames_get_seed (life, sequence);
  g_autoptr (ShndDType) dtype = shnd_dtype_new (frames_get_dtype (seed), NULL);
  gsize length = frames_get_length (seed);
  gint64 shape[] = { length, sizeof (guint64) / shnd_dtype_get_item_size (dtype) };
  ShndFrame *frame = shnd_publisher_acquire (publisher, dtype, shape, 2, timeout, NULL, error);
  guint64 *words;

  if (frame == NULL)
    return NULL;

  words = shnd_array_get_data (shnd_frame_get_array (frame));
  words[FRAME_LIFE] = life;
  words[FRAME_SEQUENCE] = sequence;
  words[FRAME_OVERFLOW] = shnd_publisher_get_overflow (publisher);
  for (gsize i = N_FRAME_WORDS; i < length; i++)
    words[i] = frames_get_pattern (seed, i);
  if (seed % 4 == 0)
    frames_set_metadata (frame, seed, 0);

  return frame;
}

/* What such a frame was filled with, which was published as number `first`, to be published again. */
static inline ShndFrame *
frames_repeat (
    ShndPublisher *publisher, ShndFrame *frame, guint64 life, guint64 first, GError **error)
{
  ShndFrame *again = shnd_publisher_repeat (publisher, frame, error);

  if (again != NULL)
    frames_set_metadata (again, frames_get_seed (life, first), first);

  return again;
}

/* Ends the program if the memory is not what a publisher has filled it with, from the first to the
 * last word. */
static inline void
frames_check_words (const guint64 *words, gsize n_bytes, guint64 life, guint64 sequence)
{
  guint64 seed = frames_get_seed (life, sequence);
  gsize length = frames_get_length (seed);

  if (n_bytes != length * sizeof *words || words[FRAME_LIFE] != life ||
      words[FRAME_SEQUENCE] != sequence)
    g_error ("frame %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " is now %" G_GUINT64_FORMAT
             " of %" G_GUINT64_FORMAT ", or of another size",
             sequence, life, words[FRAME_SEQUENCE], words[FRAME_LIFE]);

  for (gsize i = N_FRAME_WORDS; i < length; i++)
    {
      if (words[i] != frames_get_pattern (seed, i))
        g_error ("frame %" G_GUINT64_FORMAT " is not whole: word %" G_GSIZE_FORMAT, sequence, i);
    }
}

/* The memory of a frame that was just received, after a look at all that came with it. It stays for
 * as long as the frame is not released. */
static inline const guint64 *
frames_check (ShndFrame *frame, gsize *n_bytes)
{
  ShndArray *array = shnd_frame_get_array (frame);
  const guint64 *words = shnd_array_get_data (array);
  guint64 seed = frames_get_seed (words[FRAME_LIFE], words[FRAME_SEQUENCE]), told = 0;
  guint64 sequence = shnd_frame_get_sequence (frame), first = sequence;
  g_autoptr (ShndDType) dtype = shnd_dtype_new (frames_get_dtype (seed), NULL);

  *n_bytes = shnd_array_get_n_bytes (array);
  if (g_variant_lookup (shnd_frame_get_metadata (frame), "first", "t", &first) && first >= sequence)
    g_error ("a frame that is repeated before it was published");
  frames_check_words (words, *n_bytes, words[FRAME_LIFE], first);
  if (!shnd_dtype_equal (shnd_array_get_dtype (array), dtype))
    g_error ("a frame of another dtype than it was published with");
  g_variant_lookup (shnd_frame_get_metadata (frame), "seed", "t", &told);
  if (told != (seed % 4 == 0 ? seed : 0))
    g_error ("a frame with other metadata than it was published with");

  return words;
}

/* Waits until there are so many, not more either. */
static inline void
frames_await_subscribers (ShndPublisher *publisher, guint n)
{
  gint64 end = g_get_monotonic_time () + FRAMES_PATIENCE;

  while (shnd_publisher_get_n_subscribers (publisher) != n)
    {
      if (g_get_monotonic_time () > end)
        g_error ("%u subscribers, expected %u", shnd_publisher_get_n_subscribers (publisher), n);
      g_usleep (500);
    }
}

/* All frames that the pool has can be had at once: none of them is lost. Subscribers must give back
 * what they have. */
static inline void
frames_check_pool (ShndPublisher *publisher)
{
  guint n = shnd_publisher_get_n_frames (publisher);
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("u1", NULL);
  g_autoptr (GPtrArray) frames = g_ptr_array_new_with_free_func (g_object_unref);
  const gint64 size = 1;

  shnd_publisher_set_max_frames (publisher, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      ShndFrame *frame =
          shnd_publisher_acquire (publisher, dtype, &size, 1, FRAMES_PATIENCE, NULL, &error);

      if (frame == NULL)
        g_error ("frame %u of %u is lost: %s", i + 1, n, error->message);
      g_ptr_array_add (frames, frame);
    }
  g_assert_cmpuint (shnd_publisher_get_n_frames (publisher), <=, n);
}
