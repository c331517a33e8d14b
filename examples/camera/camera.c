/* SPDX-License-Identifier: MIT */

/* A camera that has a photo before it: pans over it, zooms, and publishes what it sees as RGBA
 * frames. Each is drawn where all subscribers will see it, and carries a checksum of its pixels. */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <math.h>
#include <shndarray/shndarray.h>
#include <stdio.h>

#define WIDTH 1920
#define HEIGHT 1080

/* In how many frames the camera is back where it was. */
#define ROUND 300

/* How long to wait for subscribers, in microseconds. */
#define PATIENCE (60 * G_USEC_PER_SEC)

static int n_frames = ROUND;
static int rate;
static int n_subscribers;
static int n_latecomers;
static gboolean block;

static const GOptionEntry options[] = {
  { "frames", 'n', 0, G_OPTION_ARG_INT, &n_frames, "How many to publish", "N" },
  { "rate", 'r', 0, G_OPTION_ARG_INT, &rate, "Frames a second (as many as possible)", "N" },
  { "subscribers", 's', 0, G_OPTION_ARG_INT, &n_subscribers,
    "How many to wait for before the first frame", "N" },
  { "latecomers", 'l', 0, G_OPTION_ARG_INT, &n_latecomers,
    "How many more to wait for after a third of the frames", "N" },
  { "block", 'b', 0, G_OPTION_ARG_NONE, &block, "Lose nothing: wait for who is slow", NULL },
  G_OPTION_ENTRY_NULL,
};

/* Draws what the camera sees: the photo from (x, y) on, larger by `zoom`. */
static gboolean
draw (ShndFrame *frame, GdkPixbuf *photo, int number, GError **error)
{
  ShndArray *array = shnd_frame_get_array (frame);
  double angle = 2 * G_PI * number / ROUND;
  double photo_width = gdk_pixbuf_get_width (photo);
  double photo_height = gdk_pixbuf_get_height (photo);
  double width = MIN (photo_width, photo_height * WIDTH / HEIGHT) * (0.7 + 0.3 * cos (angle));
  double zoom = WIDTH / width;
  double x = (photo_width - width) * (0.45 - 0.35 * sin (3 * angle));
  double y = (photo_height - HEIGHT / zoom) * (0.15 - 0.15 * cos (2 * angle));
  g_autofree char *checksum = NULL;
  g_autoptr (GdkPixbuf) picture =
      gdk_pixbuf_new_from_data (shnd_array_get_data (array), GDK_COLORSPACE_RGB, TRUE, 8, WIDTH,
                                HEIGHT, 4 * WIDTH, NULL, NULL);

  gdk_pixbuf_scale (photo, picture, 0, 0, WIDTH, HEIGHT, -x * zoom, -y * zoom, zoom, zoom,
                    GDK_INTERP_BILINEAR);
  checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA1, shnd_array_get_data (array),
                                          shnd_array_get_n_bytes (array));

  return shnd_frame_set_metadata (
      frame,
      g_variant_new_parsed ("{'checksum': <%s>, 'x': <%d>, 'y': <%d>, 'zoom': <%d>}", checksum, x,
                            y, zoom),
      error);
}

static gboolean
film (ShndPublisher *camera, GdkPixbuf *photo, GError **error)
{
  const gint64 shape[] = { HEIGHT, WIDTH, 4 };
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", NULL);
  gint64 due;

  if (!shnd_publisher_wait_subscribers (camera, n_subscribers, PATIENCE, NULL, error))
    return FALSE;

  due = g_get_monotonic_time ();
  for (int i = 1; i <= n_frames; i++)
    {
      g_autoptr (ShndFrame) frame =
          shnd_publisher_acquire (camera, dtype, shape, 3, -1, NULL, error);

      if (frame == NULL || !draw (frame, photo, i, error) ||
          !shnd_publisher_publish (camera, frame, -1, NULL, error))
        return FALSE;

      if (i % 30 == 0 || i == n_frames / 3)
        {
          printf ("sent %d\n", i);
          fflush (stdout);
        }

      if (i == n_frames / 3 && n_latecomers > 0 &&
          !shnd_publisher_wait_subscribers (camera, n_subscribers + n_latecomers, PATIENCE, NULL,
                                            error))
        return FALSE;

      if (rate > 0)
        {
          gint64 now = g_get_monotonic_time ();

          due = MAX (due + G_USEC_PER_SEC / rate, now);
          g_usleep (due - now);
        }
    }

  return TRUE;
}

static gboolean
run (const char *address, const char *path, GError **error)
{
  g_autoptr (GdkPixbuf) photo = gdk_pixbuf_new_from_file (path, error);
  g_autoptr (ShndPublisher) camera = NULL;

  if (photo == NULL)
    return FALSE;
  camera = shnd_publisher_new (address, error);
  if (camera == NULL)
    return FALSE;
  if (block)
    shnd_publisher_set_overflow (camera, SHND_OVERFLOW_BLOCK);
  if (!film (camera, photo, error))
    return FALSE;

  shnd_publisher_close (camera);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("ADDRESS PHOTO");
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, "Publishes a moving picture, made of a photo.");
  g_option_context_add_main_entries (context, options, NULL);
  if (g_option_context_parse (context, &argc, &argv, &error))
    {
      if (argc != 3)
        g_set_error (&error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "expected ADDRESS PHOTO");
      else if (run (argv[1], argv[2], &error))
        return 0;
    }

  fprintf (stderr, "camera: %s\n", error->message);
  return 1;
}
