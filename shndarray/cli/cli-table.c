/* SPDX-License-Identifier: MIT */

#include "cli-table.h"

#include "cli-text.h"

#include <stdio.h>

#define GAP 2

struct _CliTable
{
  GPtrArray *cells; /* row by row, the head first */
  guint n_columns;
  guint64 to_right; /* a bit for each column */
};

CliTable *
cli_table_new (const char *title, ...)
{
  CliTable *self = g_new0 (CliTable, 1);
  va_list titles;

  self->cells = g_ptr_array_new_with_free_func (g_free);
  va_start (titles, title);
  for (; title != NULL; title = va_arg (titles, const char *))
    {
      if (*title == '>')
        self->to_right |= G_GUINT64_CONSTANT (1) << self->n_columns;
      g_ptr_array_add (self->cells, g_strdup (*title == '>' ? title + 1 : title));
      self->n_columns++;
    }
  va_end (titles);

  return self;
}

void
cli_table_free (CliTable *self)
{
  g_ptr_array_unref (self->cells);
  g_free (self);
}

void
cli_table_add (CliTable *self, char *first, ...)
{
  va_list cells;

  g_ptr_array_add (self->cells, first);
  va_start (cells, first);
  for (guint i = 1; i < self->n_columns; i++)
    g_ptr_array_add (self->cells, va_arg (cells, char *));
  va_end (cells);
}

guint
cli_table_get_n_rows (CliTable *self)
{
  return self->cells->len / self->n_columns - 1;
}

static void
append_spaces (GString *line, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_c (line, ' ');
}

char **
cli_table_get_lines (CliTable *self, gsize width)
{
  g_autofree gsize *widths = g_new0 (gsize, self->n_columns);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < self->cells->len; i++)
    {
      gsize cell = cli_text_get_width (g_ptr_array_index (self->cells, i));

      widths[i % self->n_columns] = MAX (widths[i % self->n_columns], cell);
    }

  for (guint i = 0; i < self->cells->len; i++)
    {
      const char *cell = g_ptr_array_index (self->cells, i);
      guint column = i % self->n_columns;
      gsize padding = widths[column] - cli_text_get_width (cell);
      gboolean is_last = column == self->n_columns - 1;

      if (self->to_right & (G_GUINT64_CONSTANT (1) << column))
        append_spaces (line, padding);
      g_string_append (line, cell);
      if (!(self->to_right & (G_GUINT64_CONSTANT (1) << column)) && !is_last)
        append_spaces (line, padding);

      if (!is_last)
        {
          append_spaces (line, GAP);
          continue;
        }

      if (width > 0)
        {
          g_autofree char *cut = cli_text_shorten (line->str, width);

          g_strv_builder_add (builder, cut);
        }
      else
        {
          g_strv_builder_add (builder, line->str);
        }
      g_string_truncate (line, 0);
    }

  return g_strv_builder_end (builder);
}

void
cli_table_print (CliTable *self)
{
  g_auto (GStrv) lines = cli_table_get_lines (self, 0);

  for (char **line = lines; *line != NULL; line++)
    puts (*line);
}
