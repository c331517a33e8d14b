/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-error.h"
#include "cli-json.h"
#include "cli-options.h"
#include "cli-table.h"
#include "cli-text.h"

#include <stdio.h>
#include <string.h>

static gboolean as_json, only_names, end_with_null, exact_bytes, only_orphans, only_streams,
    reverse;
static char *sort_key;

static const GOptionEntry entries[] = {
  { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  { "names", '1', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &only_names,
    "Print the names of the arrays alone, one a line, as they are; with --streams addresses",
    NULL },
  { "null", '0', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &end_with_null,
    "The same, each with a NUL at its end, for xargs -0", NULL },
  { "bytes", 'b', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &exact_bytes, "Print sizes in bytes",
    NULL },
  { "orphans", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &only_orphans,
    "Only the arrays that are orphaned", NULL },
  { "streams", 'S', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &only_streams,
    "Only the addresses at which frames are published", NULL },
  { "sort", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &sort_key,
    "Sort by name (the default), size, dtype, shape or state", "KEY" },
  { "reverse", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &reverse, "Sort the other way round",
    NULL },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "[PATTERN…]",
  .description =
      "Lists the shared arrays, and the addresses at which frames are published: all of them, or "
      "those\nwhose names match one of the patterns, as “cam*” or “[a-f]?”.",
  .notes = "An array is held when somebody has it open. Orphaned is one whose holders are all gone "
           "although\nit is not persistent: nobody can open it, and `shnd reap` removes it.",
  .entries = entries,
  .max_operands = G_MAXUINT,
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int
compare_names (ShndArrayInfo *a, ShndArrayInfo *b)
{
  return strcmp (shnd_array_info_get_name (a), shnd_array_info_get_name (b));
}

static int
compare_sizes (ShndArrayInfo *a, ShndArrayInfo *b)
{
  return COMPARE (shnd_array_info_get_n_bytes (a), shnd_array_info_get_n_bytes (b));
}

static int
compare_dtypes (ShndArrayInfo *a, ShndArrayInfo *b)
{
  return strcmp (shnd_dtype_to_string (shnd_array_info_get_dtype (a)),
                 shnd_dtype_to_string (shnd_array_info_get_dtype (b)));
}

/* First by the number of dimensions, then axis by axis. */
static int
compare_shapes (ShndArrayInfo *a, ShndArrayInfo *b)
{
  guint n_dims_a, n_dims_b;
  const gint64 *shape_a = shnd_array_info_get_shape (a, &n_dims_a);
  const gint64 *shape_b = shnd_array_info_get_shape (b, &n_dims_b);

  for (guint i = 0; n_dims_a == n_dims_b && i < n_dims_a; i++)
    {
      if (shape_a[i] != shape_b[i])
        return COMPARE (shape_a[i], shape_b[i]);
    }

  return COMPARE (n_dims_a, n_dims_b);
}

static int
compare_states (ShndArrayInfo *a, ShndArrayInfo *b)
{
  return strcmp (cli_text_get_state (a), cli_text_get_state (b));
}

static const struct
{
  const char *key;
  int (*compare) (ShndArrayInfo *a, ShndArrayInfo *b);
} orders[] = {
  { "name", compare_names },   { "size", compare_sizes },   { "dtype", compare_dtypes },
  { "shape", compare_shapes }, { "state", compare_states },
};

static gint
compare_infos (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const guint *order = user_data;
  ShndArrayInfo *info_a = *(ShndArrayInfo *const *) a;
  ShndArrayInfo *info_b = *(ShndArrayInfo *const *) b;
  int result = orders[*order].compare (info_a, info_b);

  if (result == 0)
    result = compare_names (info_a, info_b);

  return reverse ? -result : result;
}

static gboolean
find_order (guint *order, GError **error)
{
  *order = 0;
  if (sort_key == NULL)
    return TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      if (g_str_equal (sort_key, orders[i].key))
        {
          *order = i;
          return TRUE;
        }
    }

  cli_set_usage_error (error, "--sort “%s”: expected name, size, dtype, shape or state", sort_key);
  return FALSE;
}

static GPtrArray *
get_infos (char **patterns, GError **error)
{
  g_autofree ShndArrayInfo **infos = NULL;
  GPtrArray *chosen;
  guint order;
  gsize n;

  if (!find_order (&order, error))
    return NULL;

  infos = shnd_list_infos (&n, error);
  if (infos == NULL)
    return NULL;

  chosen = g_ptr_array_new_with_free_func (g_object_unref);
  for (gsize i = 0; i < n; i++)
    {
      if (!only_streams && cli_text_matches (shnd_array_info_get_name (infos[i]), patterns) &&
          (!only_orphans || shnd_array_info_get_orphaned (infos[i])))
        g_ptr_array_add (chosen, infos[i]);
      else
        g_object_unref (infos[i]);
    }
  g_ptr_array_sort_with_data (chosen, compare_infos, &order);

  return chosen;
}

/* The addresses at which somebody publishes. */
static char **
get_addresses (char **patterns, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) addresses = only_orphans ? g_new0 (char *, 1) : shnd_list_addresses (error);

  if (addresses == NULL)
    return NULL;

  for (char **address = addresses; *address != NULL; address++)
    {
      if (cli_text_matches (*address, patterns))
        g_strv_builder_add (builder, *address);
    }

  return g_strv_builder_end (builder);
}

/* Of the socket, for programs that want to know more of it. */
static char *
get_path (const char *address)
{
  g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new (address, NULL);

  return subscriber == NULL ? NULL : g_strdup (shnd_subscriber_get_path (subscriber));
}

static void
print_name (const char *name)
{
  fputs (name, stdout);
  putchar (end_with_null ? '\0' : '\n');
}

static void
print_names (GPtrArray *infos, char **addresses)
{
  for (guint i = 0; i < infos->len; i++)
    print_name (shnd_array_info_get_name (infos->pdata[i]));
  for (char **address = addresses; only_streams && *address != NULL; address++)
    print_name (*address);
}

static void
print_arrays (GPtrArray *infos)
{
  g_autoptr (CliTable) table = cli_table_new (
      "NAME", "DTYPE", "SHAPE", exact_bytes ? ">BYTES" : ">SIZE", "LIFETIME", "STATE", NULL);

  for (guint i = 0; i < infos->len; i++)
    {
      ShndArrayInfo *info = infos->pdata[i];
      guint64 n_bytes = shnd_array_info_get_n_bytes (info);
      guint n_dims;
      const gint64 *shape = shnd_array_info_get_shape (info, &n_dims);

      cli_table_add (table, cli_text_escape (shnd_array_info_get_name (info)),
                     cli_text_format_short_dtype (shnd_array_info_get_dtype (info)),
                     cli_text_format_shape (shape, n_dims),
                     exact_bytes ? g_strdup_printf ("%" G_GUINT64_FORMAT, n_bytes) :
                                   cli_text_format_size (n_bytes),
                     g_strdup (shnd_array_info_get_persistent (info) ? "persistent" : "leased"),
                     g_strdup (cli_text_get_state (info)));
    }
  cli_table_print (table);
}

static void
print_streams (char **addresses)
{
  g_autoptr (CliTable) table = cli_table_new ("STREAM", "SOCKET", NULL);

  for (char **address = addresses; *address != NULL; address++)
    {
      g_autofree char *path = get_path (*address);

      cli_table_add (table, cli_text_escape (*address), cli_text_escape (path != NULL ? path : ""));
    }
  cli_table_print (table);
}

static void
print_tables (GPtrArray *infos, char **addresses)
{
  gboolean has_streams = *addresses != NULL;

  if (infos->len > 0 || (!has_streams && !only_streams))
    print_arrays (infos);
  if (infos->len > 0 && has_streams)
    putchar ('\n');
  if (has_streams || only_streams)
    print_streams (addresses);
}

static void
print_json (GPtrArray *infos, char **addresses)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "arrays");
  json_builder_begin_array (builder);
  for (guint i = 0; i < infos->len; i++)
    {
      json_builder_begin_object (builder);
      cli_json_add_info (builder, infos->pdata[i]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "streams");
  json_builder_begin_array (builder);
  for (char **address = addresses; *address != NULL; address++)
    {
      g_autofree char *path = get_path (*address);
      g_autofree char *display = path == NULL ? NULL : g_filename_display_name (path);

      json_builder_begin_object (builder);
      cli_json_add_string (builder, "address", *address);
      cli_json_add_string (builder, "path", display);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_json_print (builder, FALSE);
}

int
cli_list_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) patterns = cli_options_parse (&options, argc, argv, error);
  g_auto (GStrv) addresses = NULL;
  g_autoptr (GPtrArray) infos = NULL;

  if (patterns == NULL)
    return CLI_EXIT_FAILURE;

  infos = get_infos (patterns, error);
  if (infos == NULL)
    return CLI_EXIT_FAILURE;

  addresses = get_addresses (patterns, error);
  if (addresses == NULL)
    return CLI_EXIT_FAILURE;

  if (as_json)
    print_json (infos, addresses);
  else if (only_names || end_with_null)
    print_names (infos, addresses);
  else
    print_tables (infos, addresses);

  return CLI_EXIT_SUCCESS;
}
