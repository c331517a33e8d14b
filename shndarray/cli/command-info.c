/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-holders.h"
#include "cli-json.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-source.h"
#include "cli-statistics.h"
#include "cli-status.h"
#include "cli-table.h"
#include "cli-text.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

/* Of a process with its arguments. */
#define COMMAND_WIDTH 60

static gboolean as_json, with_statistics;

static const GOptionEntry entries[] = {
  { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json,
    "Print JSON: an object for each, on a line of its own if there are several", NULL },
  { "stats", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &with_statistics,
    "Also smallest and largest element, mean and standard deviation, and how many are 0, NaN or "
    "infinite",
    NULL },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "NAME|FILE…",
  .description = "Tells all about an array or a .npy file, without holding it.",
  .notes = "Holders are the processes that have the file open, as far as one may know. Mean and "
           "deviation are of\nthe elements that are finite; smallest and largest element too, with "
           "all their digits.\nWith --slice or --field also about that part; the statistics are of "
           "it then.",
  .entries = entries,
  .shared_entries = cli_source_entries,
  .min_operands = 1,
  .max_operands = G_MAXUINT,
};

/* What is told of one operand. */
typedef struct
{
  ShndArrayInfo *info;
  char *owner; /* the user's name, or number */
  GPtrArray *holders;
  gboolean others; /* whether processes that cannot be seen may be holders as well */
  ShndArray *part; /* NULL if nothing is to be told of one */
  CliStatistics statistics;
} Report;

static void
report_clear (Report *self)
{
  g_clear_object (&self->info);
  g_free (self->owner);
  g_clear_pointer (&self->holders, g_ptr_array_unref);
  g_clear_object (&self->part);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

static char *
get_owner (uid_t uid)
{
  const struct passwd *user = getpwuid (uid);

  return user != NULL ? g_strdup (user->pw_name) : g_strdup_printf ("%u", uid);
}

static void
find_holders (Report *self)
{
  gboolean some_unseen;

  /* Those of other users matter only if they may open it, but for root's, who may all. */
  self->holders = cli_holders_find (shnd_array_info_get_path (self->info), &some_unseen);
  self->others = some_unseen && (shnd_array_info_get_uid (self->info) != geteuid () ||
                                 (shnd_array_info_get_mode (self->info) & 066) != 0);
  if (shnd_array_info_get_held (self->info) && self->holders->len == 0)
    self->others = TRUE;
}

static gboolean
open_part (Report *self, const char *source, GError **error)
{
  if (shnd_array_info_get_orphaned (self->info))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
                   "“%s” is orphaned, so that nobody can open it: expected an array that can be "
                   "opened",
                   source);
      return FALSE;
    }

  self->part = cli_source_open (source, error);

  return self->part != NULL;
}

static gboolean
get_statistics (Report *self, const char *source, GError **error)
{
  g_autoptr (CliProgress) progress = cli_progress_new (source);

  return cli_statistics_get (self->part, &self->statistics, cli_signals_get_cancellable (),
                             cli_progress_update, progress, error);
}

/* All that can fail; nothing is printed before. */
static gboolean
report_init (Report *self, const char *source, GError **error)
{
  self->info = cli_source_get_info (source, error);
  if (self->info == NULL)
    return FALSE;

  self->owner = get_owner (shnd_array_info_get_uid (self->info));
  find_holders (self);
  if ((with_statistics || cli_source_takes_part ()) && !open_part (self, source, error))
    return FALSE;

  return !with_statistics || get_statistics (self, source, error);
}

static void
print_dtype (ShndDType *dtype)
{
  g_autofree char *escaped = cli_text_format_dtype (dtype);
  g_autoptr (CliTable) table = NULL;
  g_auto (GStrv) lines = NULL;

  cli_text_print_row ("dtype", "%s", escaped);
  if (shnd_dtype_get_n_fields (dtype) == 0)
    return;

  table = cli_table_new ("FIELD", ">OFFSET", "DTYPE", NULL);
  for (guint i = 0; i < shnd_dtype_get_n_fields (dtype); i++)
    {
      ShndDType *field = shnd_dtype_get_field_dtype (dtype, i);

      cli_table_add (table, cli_text_escape (shnd_dtype_get_field_name (dtype, i)),
                     g_strdup_printf ("%" G_GSIZE_FORMAT, shnd_dtype_get_field_offset (dtype, i)),
                     cli_text_format_dtype (field));
    }
  lines = cli_table_get_lines (table, 0);
  for (char **line = lines; *line != NULL; line++)
    cli_text_print_row ("", "%s", *line);
}

static void
print_layout (ShndDType *dtype,
              const gint64 *shape,
              const gint64 *strides,
              guint n_dims,
              ShndOrder order,
              guint64 n_bytes)
{
  g_autofree char *formatted = cli_text_format_shape (shape, n_dims);
  g_autofree char *size = cli_text_format_size (n_bytes);
  g_autoptr (GString) steps = g_string_new (NULL);

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (steps, "%s%" G_GINT64_FORMAT, i == 0 ? "" : ", ", strides[i]);

  print_dtype (dtype);
  cli_text_print_row ("shape", "%s", formatted);
  cli_text_print_row ("strides", "%s", n_dims == 0 ? "-" : steps->str);
  cli_text_print_row ("order", "%s", cli_text_get_order (order));
  if (n_bytes < 1024)
    cli_text_print_row ("size", "%" G_GUINT64_FORMAT " bytes", n_bytes);
  else
    cli_text_print_row ("size", "%s (%" G_GUINT64_FORMAT " bytes)", size, n_bytes);
}

static void
print_holders (const Report *self)
{
  gboolean held = shnd_array_info_get_held (self->info);
  const char *label = "holders";

  /* Of other files it is not known. */
  if (shnd_array_info_get_name (self->info) != NULL)
    cli_text_print_row ("state", "%s%s",
                        shnd_array_info_get_orphaned (self->info) ? "orphaned" :
                        held                                      ? "held" :
                                                                    "not held",
                        held && self->holders->len == 0 ? ", by processes that cannot be seen" :
                                                          "");

  for (guint i = 0; i < self->holders->len; i++)
    {
      const CliHolder *holder = self->holders->pdata[i];
      g_autofree char *escaped = cli_text_escape (holder->command);
      g_autofree char *command = cli_text_shorten (escaped, COMMAND_WIDTH);

      cli_text_print_row (label, "%d  %s", holder->pid, command);
      label = "";
    }
  if (self->others && self->holders->len > 0)
    cli_text_print_row (label, "perhaps others, which cannot be seen");
}

static void
print_part (const Report *self)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (self->part, &n_dims);

  if (cli_source_takes_part ())
    {
      puts ("\nThe part:");
      print_layout (shnd_array_get_dtype (self->part), shape,
                    shnd_array_get_strides (self->part, NULL), n_dims,
                    shnd_array_get_order (self->part), shnd_array_get_n_bytes (self->part));
    }
  else
    {
      putchar ('\n');
    }

  if (with_statistics)
    cli_statistics_print (&self->statistics, shnd_array_get_item_size (self->part));
}

static void
print_text (const Report *self)
{
  ShndArrayInfo *info = self->info;
  const char *name = shnd_array_info_get_name (info);
  g_autofree char *escaped =
      cli_text_escape (name != NULL ? name : shnd_array_info_get_path (info));
  g_autofree char *owner = cli_text_escape (self->owner);
  guint n_dims;
  const gint64 *shape = shnd_array_info_get_shape (info, &n_dims);

  cli_text_print_row (name != NULL ? "name" : "path", "%s", escaped);
  print_layout (shnd_array_info_get_dtype (info), shape, shnd_array_info_get_strides (info, NULL),
                n_dims, shnd_array_info_get_order (info), shnd_array_info_get_n_bytes (info));
  cli_text_print_row ("file", "%" G_GUINT64_FORMAT " bytes, elements from %" G_GUINT64_FORMAT,
                      shnd_array_info_get_file_size (info), shnd_array_info_get_data_offset (info));
  cli_text_print_row ("owner", "%s, mode %04o", owner, shnd_array_info_get_mode (info));
  if (name != NULL)
    cli_text_print_row ("lifetime", "%s",
                        shnd_array_info_get_persistent (info) ? "persistent" : "leased");
  print_holders (self);
  if (shnd_array_info_get_synchronizable (info))
    {
      cli_text_print_row ("changes", "%" G_GUINT64_FORMAT, shnd_array_info_get_sequence (info));
      cli_text_print_row ("lock", "%s", shnd_array_info_get_locked (info) ? "held" : "free");
    }
  else
    {
      cli_text_print_row ("changes", "not counted");
      cli_text_print_row ("lock", "none");
    }
  if (self->part != NULL)
    print_part (self);
}

static void
add_fields (JsonBuilder *builder, ShndDType *dtype)
{
  guint n_fields = shnd_dtype_get_n_fields (dtype);

  if (n_fields == 0)
    return;

  json_builder_set_member_name (builder, "fields");
  json_builder_begin_array (builder);
  for (guint i = 0; i < n_fields; i++)
    {
      ShndDType *field = shnd_dtype_get_field_dtype (dtype, i);

      json_builder_begin_object (builder);
      cli_json_add_string (builder, "name", shnd_dtype_get_field_name (dtype, i));
      cli_json_add_string (builder, "dtype", shnd_dtype_to_string (field));
      cli_json_add_int (builder, "offset", shnd_dtype_get_field_offset (dtype, i));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_holders (JsonBuilder *builder, const Report *self)
{
  json_builder_set_member_name (builder, "holders");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->holders->len; i++)
    {
      const CliHolder *holder = self->holders->pdata[i];
      g_autofree char *command = g_utf8_make_valid (holder->command, -1);

      json_builder_begin_object (builder);
      cli_json_add_int (builder, "pid", holder->pid);
      cli_json_add_string (builder, "command", command);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  cli_json_add_boolean (builder, "unseen_holders", self->others);
}

static void
add_part (JsonBuilder *builder, ShndArray *part)
{
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (part, &n_dims);

  json_builder_set_member_name (builder, "part");
  json_builder_begin_object (builder);
  cli_json_add_string (builder, "dtype", shnd_dtype_to_string (shnd_array_get_dtype (part)));
  add_fields (builder, shnd_array_get_dtype (part));
  cli_json_add_ints (builder, "shape", shape, n_dims);
  cli_json_add_ints (builder, "strides", shnd_array_get_strides (part, NULL), n_dims);
  cli_json_add_string (builder, "order", cli_text_get_order (shnd_array_get_order (part)));
  cli_json_add_int (builder, "bytes", shnd_array_get_n_bytes (part));
  json_builder_end_object (builder);
}

static void
print_json (const Report *self, gboolean on_one_line)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  ShndArrayInfo *info = self->info;

  json_builder_begin_object (builder);
  if (shnd_array_info_get_path (info) != NULL)
    {
      g_autofree char *path = g_filename_display_name (shnd_array_info_get_path (info));

      cli_json_add_string (builder, "path", path);
    }
  cli_json_add_info (builder, info);
  add_fields (builder, shnd_array_info_get_dtype (info));
  cli_json_add_string (builder, "owner", self->owner);
  add_holders (builder, self);
  if (cli_source_takes_part ())
    add_part (builder, self->part);
  if (with_statistics)
    cli_statistics_add_json (&self->statistics, builder);
  json_builder_end_object (builder);
  cli_json_print (builder, on_one_line);
}

int
cli_info_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) sources = cli_options_parse (&options, argc, argv, error);
  int status = CLI_EXIT_SUCCESS;

  if (sources == NULL)
    return CLI_EXIT_FAILURE;

  for (char **source = sources; *source != NULL; source++)
    {
      g_auto (Report) report = { 0 };
      g_autoptr (GError) local_error = NULL;

      if (!report_init (&report, *source, &local_error))
        {
          if (sources[1] == NULL || cli_signals_get_caught () != 0)
            {
              g_propagate_error (error, g_steal_pointer (&local_error));
              return CLI_EXIT_FAILURE;
            }
          cli_error_note (local_error, &status);
          continue;
        }

      if (as_json)
        {
          print_json (&report, sources[1] != NULL);
          continue;
        }
      if (source != sources)
        putchar ('\n');
      print_text (&report);
    }

  return status;
}
