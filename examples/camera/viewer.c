/* SPDX-License-Identifier: MIT */

/* Receives frames until there are no more, and compares each with its checksum: viewer ADDRESS. */

#include <shndarray/shndarray.h>

static gboolean
is_right (ShndFrame *frame)
{
  ShndArray *array = shnd_frame_get_array (frame);
  g_autofree char *checksum = g_compute_checksum_for_data (
      G_CHECKSUM_SHA1, shnd_array_get_data (array), shnd_array_get_n_bytes (array));
  const char *expected = NULL;

  return g_variant_lookup (shnd_frame_get_metadata (frame), "checksum", "&s", &expected) &&
         g_str_equal (checksum, expected);
}

int
main (int argc, char **argv)
{
  guint64 first = 0, n_received = 0, n_wrong = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new (argv[1], &error);

  while (error == NULL)
    {
      g_autoptr (ShndFrame) frame = shnd_subscriber_receive (subscriber, -1, NULL, &error);

      if (frame != NULL)
        {
          if (n_received++ == 0)
            first = shnd_frame_get_sequence (frame);
          n_wrong += !is_right (frame);
        }
    }
  if (!g_error_matches (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM))
    g_error ("%s", error->message);

  g_print ("received %" G_GUINT64_FORMAT ", missed %" G_GUINT64_FORMAT ", wrong %" G_GUINT64_FORMAT
           ", from %" G_GUINT64_FORMAT "\n",
           n_received, shnd_subscriber_get_n_missed (subscriber), n_wrong, first);
  return n_wrong > 0;
}
