/* SPDX-License-Identifier: MIT */

#include <shndarray/shndarray.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new ("hello-frames", &error);

  while (error == NULL)
    {
      g_autoptr (ShndFrame) frame = shnd_subscriber_receive (subscriber, -1, NULL, &error);

      if (frame != NULL)
        g_print ("%d %d\n", (int) shnd_frame_get_sequence (frame),
                 *(guint8 *) shnd_array_get_data (shnd_frame_get_array (frame)));
    }

  return g_error_matches (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM) ? 0 : 1;
}
