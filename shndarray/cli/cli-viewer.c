/* SPDX-License-Identifier: MIT */

#include "cli-viewer.h"

#include "cli-drawing.h"
#include "cli-pace.h"
#include "cli-text.h"

/* In microseconds: between two pictures, and between two looks at the screen or changes of the line
 * below while no frame comes. */
#define LEAST_INTERVAL (G_USEC_PER_SEC / 30)
#define LOOK_INTERVAL (G_USEC_PER_SEC / 10)
#define STATUS_INTERVAL (G_USEC_PER_SEC / 2)

struct _CliViewer
{
  ShndSubscriber *subscriber;
  CliScreen *screen;
  CliCanvas canvas;
  CliMeter meter;

  ShndFrame *frame; /* the newest, NULL at first */
  ShndArray *copy;  /* of its array, if it has gone back */
  gboolean is_new;  /* and not drawn yet */

  CliDrawing drawing; /* of it, or why there is none */
  gint64 drawn;       /* when that was */
  char *status;       /* the last line */
  gint64 told;        /* when that was written */
};

CliViewer *
cli_viewer_new (ShndSubscriber *subscriber, const char *format, GError **error)
{
  CliCanvas canvas = { 0 };
  CliScreen *screen;
  CliViewer *self;

  /* The terminal may be asked, which is to be seen by nobody. */
  if (!cli_canvas_init (&canvas, format, error))
    return NULL;
  screen = cli_screen_new (error);
  if (screen == NULL)
    return NULL;

  self = g_new0 (CliViewer, 1);
  self->subscriber = g_object_ref (subscriber);
  self->screen = screen;
  self->canvas = canvas;
  self->canvas.is_live = TRUE;

  return self;
}

void
cli_viewer_free (CliViewer *self)
{
  cli_screen_free (self->screen);
  cli_drawing_clear (&self->drawing);
  g_free (self->status);
  g_clear_object (&self->frame);
  g_clear_object (&self->copy);
  g_object_unref (self->subscriber);
  g_free (self);
}

/* What is looked at. */
static ShndArray *
get_array (CliViewer *self)
{
  return self->copy != NULL ? self->copy : shnd_frame_get_array (self->frame);
}

/* Makes the drawing of the newest frame, for the size that the screen has now. */
static void
make_drawing (CliViewer *self)
{
  const CliPictureStyle style = { 0 };
  g_autoptr (GError) error = NULL;
  guint n_columns, n_rows;

  cli_drawing_clear (&self->drawing);
  self->is_new = FALSE;
  self->drawn = g_get_monotonic_time ();
  if (self->frame == NULL)
    return;

  /* Without the last line, which is not the picture's. */
  cli_screen_get_size (self->screen, &n_columns, &n_rows);
  cli_canvas_set_size (&self->canvas, n_columns, MAX (n_rows, 2) - 1);

  /* Of other frames in the stream there may be pictures. */
  if (!cli_drawing_init (&self->drawing, get_array (self), &self->canvas, &style, 0, 0, &error))
    cli_drawing_init_text (&self->drawing, error->message);
}

static char *
describe (CliViewer *self)
{
  g_autofree char *address = cli_text_escape (shnd_subscriber_get_address (self->subscriber));
  guint64 n_missed = shnd_subscriber_get_n_missed (self->subscriber);
  gboolean connected = shnd_subscriber_get_connected (self->subscriber);
  g_autofree char *dtype = NULL;
  g_autofree char *shape_text = NULL;
  ShndArray *array;
  const gint64 *shape;
  gdouble rate;
  guint n_dims;

  if (self->frame == NULL)
    return g_strdup_printf ("%s: waiting for %s", address, connected ? "a frame" : "a publisher");

  array = get_array (self);
  dtype = cli_text_format_dtype (shnd_array_get_dtype (array));
  shape = shnd_array_get_shape (array, &n_dims);
  shape_text = cli_text_format_shape (shape, n_dims);
  rate =
      cli_meter_update (&self->meter, shnd_subscriber_get_n_received (self->subscriber) + n_missed);

  return g_strdup_printf ("%s: %sframe %" G_GUINT64_FORMAT "  %.1f/s  %" G_GUINT64_FORMAT
                          " missed  %s  %s",
                          address, connected ? "" : "waiting for a publisher  ",
                          shnd_frame_get_sequence (self->frame), rate, n_missed, shape_text, dtype);
}

/* Whether there is anything new to be said. */
static gboolean
update_status (CliViewer *self)
{
  g_autofree char *old = g_steal_pointer (&self->status);

  self->status = describe (self);
  self->told = g_get_monotonic_time ();

  return g_strcmp0 (self->status, old) != 0;
}

static void
show (CliViewer *self)
{
  cli_drawing_show (&self->drawing, self->screen, self->status);
}

static void
draw (CliViewer *self)
{
  make_drawing (self);
  update_status (self);
  show (self);
}

/* A frame that is only looked at would be missing elsewhere, were the publisher's depth 1. */
static void
keep_copy (CliViewer *self)
{
  if (self->frame == NULL || self->copy != NULL)
    return;

  self->copy = shnd_array_dup (shnd_frame_get_array (self->frame), NULL, SHND_CREATE_NONE, NULL,
                               NULL, NULL, NULL);
  if (self->copy != NULL)
    shnd_frame_release (self->frame);
}

/* Nothing came for a while. */
static void
look (CliViewer *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->is_new || cli_screen_wait (self->screen, 0) == CLI_SCREEN_REDRAW)
    {
      draw (self);
    }
  else
    {
      keep_copy (self);
      if (now - self->told >= STATUS_INTERVAL && update_status (self))
        show (self);
    }
}

/* How long to wait for a frame before there is something else to do. */
static gint64
get_patience (CliViewer *self, gint64 deadline)
{
  gint64 now = g_get_monotonic_time ();
  gint64 time = now + LOOK_INTERVAL;

  if (self->is_new)
    time = MIN (time, self->drawn + LEAST_INTERVAL);
  if (deadline >= 0)
    time = MIN (time, deadline);

  return MAX (time - now, 0);
}

ShndFrame *
cli_viewer_receive (CliViewer *self, gint64 timeout, GError **error)
{
  gint64 deadline = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;

  for (;;)
    {
      g_autoptr (GError) local_error = NULL;
      ShndFrame *frame =
          shnd_subscriber_receive (self->subscriber, get_patience (self, deadline),
                                   cli_screen_get_cancellable (self->screen), &local_error);

      if (frame != NULL)
        {
          g_set_object (&self->frame, frame);
          g_clear_object (&self->copy);
          self->is_new = TRUE;
          if (g_get_monotonic_time () - self->drawn >= LEAST_INTERVAL)
            draw (self);
          return frame;
        }

      if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_TIMED_OUT) ||
          (deadline >= 0 && g_get_monotonic_time () >= deadline))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
      look (self);
    }
}
