/* SPDX-License-Identifier: MIT */

#pragma once

#include "cli-picture.h"

G_BEGIN_DECLS

/* How pictures come into a terminal. */
typedef enum
{
  CLI_CANVAS_BLOCKS, /* two pixels in a character, in 24-bit colours */
  CLI_CANVAS_ASCII,  /* characters that are more or less dark */
  CLI_CANVAS_SIXEL,  /* real pixels, as DEC's terminals had them */
  CLI_CANVAS_KITTY,  /* the same, as kitty's protocol has them */
} CliCanvasFormat;

/* The most that one can have. */
#define CLI_CANVAS_MOST_COLUMNS 1000
#define CLI_CANVAS_MOST_ROWS 500

/* A place for pictures. */
typedef struct
{
  CliCanvasFormat format;
  guint n_columns;
  guint n_rows;
  guint cell_width; /* of a character, in pixels of the picture */
  guint cell_height;
  gboolean is_live; /* each picture takes the place of the one before */
} CliCanvas;

/* In characters; that of the standard output, or 80. */
guint cli_canvas_get_terminal_width (void);

/* Chooses a format: what the option --format says, or for NULL and "auto" what the terminal can do,
 * which it may have to be asked. */
gboolean cli_canvas_init (CliCanvas *self, const char *format, GError **error);

/* Sets how large it is, in characters; at first it is as large as the terminal, or 80 columns wide if
 * there is none. */
void cli_canvas_set_size (CliCanvas *self, guint n_columns, guint n_rows);

/* A picture of an array. If `n_columns` and `n_rows` are 0, it is as large as the canvas, less one
 * row for its scale, or smaller if the array is tiny; else as large as they say, where 0 is any. */
CliPicture *cli_canvas_make_picture (const CliCanvas *self,
                                     ShndArray *array,
                                     const CliPictureStyle *style,
                                     guint n_columns,
                                     guint n_rows,
                                     GError **error);

/* What to send to the terminal for it: `n_rows` rows of characters with newlines between them, or one
 * sequence, of which the cursor is left in the last row. `scale` becomes a line with colours and the
 * numbers that they stand for, or NULL where they stand for none. */
GString *
cli_canvas_draw (const CliCanvas *self, const CliPicture *picture, guint *n_rows, char **scale);

G_END_DECLS
