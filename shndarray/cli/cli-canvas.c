/* SPDX-License-Identifier: MIT */

#include "cli-canvas.h"

#include "cli-error.h"
#include "cli-terminal.h"
#include "cli-text.h"

#include <chafa.h>
#include <math.h>
#include <unistd.h>

/* Where there is no terminal to say how large it is. The rows are those of a page that is rather tall,
 * so that the width decides. */
#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS 80

/* Of a character, in pixels, if a terminal does not say. */
#define DEFAULT_CELL_WIDTH 8
#define DEFAULT_CELL_HEIGHT 16

/* What chafa makes a character of, in each direction. */
#define SYMBOL_SIZE 8

/* More than a screen has, in each direction. */
#define MOST_PIXELS 4096

/* Up to how large the elements of small arrays are drawn, in pixels. */
#define MOST_ZOOM 8

/* Pictures of kitty's protocol are not covered by others. */
#define DELETE_KITTY "\033_Ga=d,q=2\033\\"

static const char *const format_names[] = {
  [CLI_CANVAS_BLOCKS] = "blocks",
  [CLI_CANVAS_ASCII] = "ascii",
  [CLI_CANVAS_SIXEL] = "sixel",
  [CLI_CANVAS_KITTY] = "kitty",
};

static struct winsize
get_size (void)
{
  struct winsize size = cli_terminal_get_size (STDOUT_FILENO);

  if (size.ws_col == 0)
    size = (struct winsize){ .ws_col = DEFAULT_COLUMNS, .ws_row = DEFAULT_ROWS };

  return size;
}

guint
cli_canvas_get_terminal_width (void)
{
  return get_size ().ws_col;
}

static gboolean
parse_format (const char *text, CliCanvasFormat *format, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (format_names); i++)
    {
      if (g_ascii_strcasecmp (text, format_names[i]) == 0)
        {
          *format = i;
          return TRUE;
        }
    }

  cli_set_usage_error (error, "--format “%s”: expected auto, blocks, sixel, kitty or ascii", text);
  return FALSE;
}

static gboolean
is_term (const char *beginning)
{
  const char *term = g_getenv ("TERM");

  return term != NULL && g_str_has_prefix (term, beginning);
}

/* From the environment if it says enough, else from the terminal. */
static CliCanvasFormat
detect_format (CliTerminalAnswers *answers)
{
  /* These pass on what they understand themselves, and nothing else. */
  gboolean is_multiplexer = is_term ("screen") || is_term ("tmux");

  if (!isatty (STDOUT_FILENO))
    return CLI_CANVAS_BLOCKS;
  if (g_getenv ("TERM") == NULL || is_term ("dumb"))
    return CLI_CANVAS_ASCII;
  /* The console of Linux writes what it does not know onto the screen. */
  if (g_str_equal (g_getenv ("TERM"), "linux"))
    return CLI_CANVAS_BLOCKS;

  cli_terminal_ask (!is_multiplexer, answers);
  if (answers->has_kitty ||
      (!is_multiplexer && (is_term ("xterm-kitty") || g_getenv ("KITTY_WINDOW_ID") != NULL)))
    return CLI_CANVAS_KITTY;

  return answers->has_sixel ? CLI_CANVAS_SIXEL : CLI_CANVAS_BLOCKS;
}

static void
set_cell (CliCanvas *self, const CliTerminalAnswers *answers, const struct winsize *size)
{
  switch (self->format)
    {
    case CLI_CANVAS_BLOCKS:
    case CLI_CANVAS_ASCII:
      self->cell_width = 1;
      self->cell_height = 2;
      return;
    case CLI_CANVAS_SIXEL:
    case CLI_CANVAS_KITTY:
      break;
    }

  if (answers->cell_width > 0)
    {
      self->cell_width = answers->cell_width;
      self->cell_height = answers->cell_height;
    }
  else if (size->ws_xpixel >= size->ws_col && size->ws_ypixel >= size->ws_row)
    {
      self->cell_width = size->ws_xpixel / size->ws_col;
      self->cell_height = size->ws_ypixel / size->ws_row;
    }
  else
    {
      self->cell_width = DEFAULT_CELL_WIDTH;
      self->cell_height = DEFAULT_CELL_HEIGHT;
    }
}

gboolean
cli_canvas_init (CliCanvas *self, const char *format, GError **error)
{
  struct winsize size = get_size ();
  CliTerminalAnswers answers = { 0 };

  *self = (CliCanvas){ 0 };
  if (format == NULL || g_ascii_strcasecmp (format, "auto") == 0)
    self->format = detect_format (&answers);
  else if (!parse_format (format, &self->format, error))
    return FALSE;

  set_cell (self, &answers, &size);
  cli_canvas_set_size (self, size.ws_col, size.ws_row);

  return TRUE;
}

void
cli_canvas_set_size (CliCanvas *self, guint n_columns, guint n_rows)
{
  self->n_columns = CLAMP (n_columns, 1, CLI_CANVAS_MOST_COLUMNS);
  self->n_rows = CLAMP (n_rows, 1, CLI_CANVAS_MOST_ROWS);
}

static guint
count_cells (guint n_pixels, guint cell_size)
{
  return (n_pixels + cell_size - 1) / cell_size;
}

/* With transparent pixels at the right and at the bottom, so that whole characters are filled, and in
 * characters with each pixel as often as chafa looks at it: so it has nothing to scale. */
static GdkPixbuf *
pad (const CliCanvas *self, GdkPixbuf *pixbuf, guint n_columns, guint n_rows)
{
  guint zoom_x = self->cell_width == 1 ? SYMBOL_SIZE : 1;
  guint zoom_y = self->cell_width == 1 ? SYMBOL_SIZE / self->cell_height : 1;
  guint width = gdk_pixbuf_get_width (pixbuf) * zoom_x;
  guint height = gdk_pixbuf_get_height (pixbuf) * zoom_y;
  GdkPixbuf *padded =
      gdk_pixbuf_new (GDK_COLORSPACE_RGB, TRUE, 8, n_columns * self->cell_width * zoom_x,
                      n_rows * self->cell_height * zoom_y);

  gdk_pixbuf_fill (padded, 0);
  gdk_pixbuf_scale (pixbuf, padded, 0, 0, width, height, 0, 0, zoom_x, zoom_y, GDK_INTERP_NEAREST);

  return padded;
}

static ChafaCanvas *
make_canvas (const CliCanvas *self, guint n_columns, guint n_rows)
{
  ChafaCanvasConfig *config = chafa_canvas_config_new ();
  ChafaSymbolMap *symbols = chafa_symbol_map_new ();
  ChafaCanvas *canvas;

  chafa_canvas_config_set_geometry (config, n_columns, n_rows);
  switch (self->format)
    {
    case CLI_CANVAS_BLOCKS:
      chafa_symbol_map_add_by_tags (symbols, CHAFA_SYMBOL_TAG_VHALF);
      break;
    case CLI_CANVAS_ASCII:
      g_assert_not_reached ();
    case CLI_CANVAS_SIXEL:
      chafa_canvas_config_set_pixel_mode (config, CHAFA_PIXEL_MODE_SIXELS);
      chafa_canvas_config_set_cell_geometry (config, self->cell_width, self->cell_height);
      break;
    case CLI_CANVAS_KITTY:
      chafa_canvas_config_set_pixel_mode (config, CHAFA_PIXEL_MODE_KITTY);
      chafa_canvas_config_set_cell_geometry (config, self->cell_width, self->cell_height);
      break;
    }
  chafa_canvas_config_set_symbol_map (config, symbols);

  canvas = chafa_canvas_new (config);
  chafa_symbol_map_unref (symbols);
  chafa_canvas_config_unref (config);

  return canvas;
}

/* From 0 to 1; transparent is black. */
static gdouble
get_brightness (GdkPixbuf *pixbuf, guint x, guint y)
{
  const guint8 *pixel = gdk_pixbuf_read_pixels (pixbuf) + y * gdk_pixbuf_get_rowstride (pixbuf) +
                        x * gdk_pixbuf_get_n_channels (pixbuf);
  gdouble alpha = gdk_pixbuf_get_has_alpha (pixbuf) ? pixel[3] / 255.0 : 1;

  return alpha * (0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]) / 255;
}

/* A character for two pixels, for light text on dark ground. Chafa would look for shapes, which in two
 * colours leaves little of a photo. */
static GString *
draw_ascii (GdkPixbuf *pixbuf, guint n_columns, guint n_rows)
{
  const char ramp[] = " .:-=+*#%@";
  const guint n_levels = sizeof ramp - 1;
  guint last = gdk_pixbuf_get_height (pixbuf) - 1;
  GString *string = g_string_sized_new ((n_columns + 1) * n_rows);

  for (guint row = 0; row < n_rows; row++)
    {
      if (row > 0)
        g_string_append_c (string, '\n');
      for (guint x = 0; x < n_columns; x++)
        {
          gdouble brightness = (get_brightness (pixbuf, x, 2 * row) +
                                get_brightness (pixbuf, x, MIN (2 * row + 1, last))) /
                               2;

          g_string_append_c (string, ramp[MIN ((guint) (brightness * n_levels), n_levels - 1)]);
        }
    }

  return string;
}

static GString *
draw_pixbuf (const CliCanvas *self, GdkPixbuf *pixbuf, guint n_columns, guint n_rows)
{
  g_autoptr (GdkPixbuf) padded = pad (self, pixbuf, n_columns, n_rows);
  ChafaCanvas *canvas = make_canvas (self, n_columns, n_rows);
  ChafaTermInfo *term_info = chafa_term_db_get_fallback_info (chafa_term_db_get_default ());
  GString *string;

  chafa_canvas_draw_all_pixels (canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED,
                                gdk_pixbuf_read_pixels (padded), gdk_pixbuf_get_width (padded),
                                gdk_pixbuf_get_height (padded), gdk_pixbuf_get_rowstride (padded));
  string = chafa_canvas_print (canvas, term_info);
  if (self->format == CLI_CANVAS_KITTY && self->is_live)
    g_string_prepend (string, DELETE_KITTY);
  chafa_term_info_unref (term_info);
  chafa_canvas_unref (canvas);

  return string;
}

static char *
format_number (gdouble number, gboolean is_estimated)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.6g", number);

  return g_strconcat (is_estimated ? "≈" : "", text, NULL);
}

static char *
draw_scale (const CliCanvas *self, const CliPicture *picture, guint n_columns)
{
  g_autofree char *minimum = format_number (picture->minimum, picture->is_estimated);
  g_autofree char *maximum = format_number (picture->maximum, picture->is_estimated);
  gsize used = cli_text_get_width (minimum) + cli_text_get_width (maximum) + 2;
  guint length = MAX (used + 4, n_columns) - used;
  GString *line;

  if (!picture->has_scale)
    return NULL;
  if (isnan (picture->minimum))
    return g_strdup ("There are no finite numbers");
  if (self->format == CLI_CANVAS_ASCII)
    return g_strdup_printf ("%s to %s", minimum, maximum);

  line = g_string_new (minimum);
  g_string_append_c (line, ' ');
  for (guint i = 0; i < length; i++)
    {
      guint8 rgb[3];

      cli_colormap_get (picture->colormap, i / (length - 1.0), rgb);
      g_string_append_printf (line, "\033[48;2;%u;%u;%um ", rgb[0], rgb[1], rgb[2]);
    }
  g_string_append_printf (line, "\033[0m %s", maximum);

  return g_string_free (line, FALSE);
}

CliPicture *
cli_canvas_make_picture (const CliCanvas *self,
                         ShndArray *array,
                         const CliPictureStyle *style,
                         guint n_columns,
                         guint n_rows,
                         GError **error)
{
  gboolean is_asked = n_columns > 0 || n_rows > 0;
  gint64 width, height;

  if (!cli_picture_get_size (array, &width, &height, error))
    return NULL;

  if (!is_asked)
    {
      n_columns = self->n_columns;
      n_rows = MAX (self->n_rows - 1, 1);
    }
  n_columns = n_columns == 0 ? CLI_CANVAS_MOST_COLUMNS : n_columns;
  n_rows = n_rows == 0 ? CLI_CANVAS_MOST_ROWS : n_rows;
  cli_picture_fit (&width, &height, MIN (n_columns * self->cell_width, MOST_PIXELS),
                   MIN (n_rows * self->cell_height, MOST_PIXELS), is_asked ? 0 : MOST_ZOOM);

  return cli_picture_new (array, style, width, height, error);
}

GString *
cli_canvas_draw (const CliCanvas *self, const CliPicture *picture, guint *n_rows, char **scale)
{
  guint n_columns = count_cells (gdk_pixbuf_get_width (picture->pixbuf), self->cell_width);

  *n_rows = count_cells (gdk_pixbuf_get_height (picture->pixbuf), self->cell_height);
  *scale = draw_scale (self, picture, n_columns);

  return self->format == CLI_CANVAS_ASCII ? draw_ascii (picture->pixbuf, n_columns, *n_rows) :
                                            draw_pixbuf (self, picture->pixbuf, n_columns, *n_rows);
}
