/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-json.h"
#include "cli-live.h"
#include "cli-options.h"
#include "cli-text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the columns beside the name take. */
#define OTHERS_WIDTH 44

/* How much the newest rate has to say in the average that decides on the order. */
#define NEWEST 0.3
/* Below this nothing happens any more, per second. */
#define MIN_AVERAGE 0.01

static const CliOptions options = {
  .operands = "[PATTERN…]",
  .description = "Shows live which arrays change and how fast, the busiest first: all of them, or "
                 "those whose names\nmatch one of the patterns. The key q ends it.",
  .notes = "What counts as a change is what those who write call one: update() in their program. "
           "Watching does\nnot hold an array.\n\nWhere the output is no terminal, there is a line "
           "for each array that has changed, come or gone: TIME\nRATE COUNTER STATE NAME.",
  .shared_entries = cli_live_entries,
  .max_operands = G_MAXUINT,
};

typedef struct
{
  ShndArrayInfo *info;
  gboolean compared; /* whether it was there the last time, too */
  gboolean gone;
  guint64 n_changes;
  gdouble rate; /* in a second */
  gdouble average;
} Entry;

static char **patterns;
static GHashTable *entries; /* by name, which is the info's */
static GPtrArray *order;

static const char *
get_name (const Entry *entry)
{
  return shnd_array_info_get_name (entry->info);
}

static void
entry_free (gpointer data)
{
  Entry *self = data;

  g_object_unref (self->info);
  g_free (self);
}

/* By their rate, but so that those about as busy keep their order: rows that jump cannot be read. */
static int
get_rank (const Entry *entry)
{
  return entry->average < MIN_AVERAGE ? G_MININT : (int) lround (8 * log2 (entry->average));
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *entry_a = *(Entry *const *) a, *entry_b = *(Entry *const *) b;
  int rank_a = get_rank (entry_a), rank_b = get_rank (entry_b);

  if (rank_a != rank_b)
    return rank_a > rank_b ? -1 : 1;

  return strcmp (get_name (entry_a), get_name (entry_b));
}

/* What is to be known of an array now, given what was known of one of that name. */
static Entry *
make_entry (ShndArrayInfo *info, const Entry *before, gdouble elapsed)
{
  Entry *self = g_new0 (Entry, 1);

  self->info = info;
  if (before == NULL || before->gone)
    return self;

  self->compared = TRUE;
  self->n_changes = cli_live_get_difference (shnd_array_info_get_sequence (before->info),
                                             shnd_array_info_get_sequence (info));
  self->rate = self->n_changes / elapsed;
  self->average =
      before->compared ? before->average + NEWEST * (self->rate - before->average) : self->rate;

  return self;
}

/* An array that is gone is shown so once. */
static void
add_gone (GHashTable *now)
{
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, entries);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    {
      const Entry *before = data;
      Entry *entry;

      if (before->gone || g_hash_table_contains (now, get_name (before)))
        continue;

      entry = g_new0 (Entry, 1);
      entry->info = g_object_ref (before->info);
      entry->gone = TRUE;
      g_hash_table_insert (now, (gpointer) get_name (entry), entry);
    }
}

static gboolean
look (gdouble elapsed, GError **error)
{
  g_autofree ShndArrayInfo **infos = NULL;
  GHashTable *now;
  GHashTableIter iter;
  gpointer data;
  gsize n;

  infos = shnd_list_infos (&n, error);
  if (infos == NULL)
    return FALSE;

  now = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  for (gsize i = 0; i < n; i++)
    {
      const char *name = shnd_array_info_get_name (infos[i]);

      if (cli_text_matches (name, patterns))
        g_hash_table_insert (now, (gpointer) name,
                             make_entry (infos[i], g_hash_table_lookup (entries, name), elapsed));
      else
        g_object_unref (infos[i]);
    }
  add_gone (now);

  g_ptr_array_set_size (order, 0);
  g_hash_table_unref (entries);
  entries = now;
  g_hash_table_iter_init (&iter, entries);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    g_ptr_array_add (order, data);
  g_ptr_array_sort (order, compare_entries);

  return TRUE;
}

/* ---- Output ---- */

static const char *
get_state (const Entry *entry)
{
  return entry->gone ? "gone" : cli_text_get_state (entry->info);
}

static char *
format_rate (const Entry *entry)
{
  if (!entry->compared || !shnd_array_info_get_synchronizable (entry->info))
    return g_strdup (CLI_LIVE_UNKNOWN);

  return cli_live_format_rate (entry->rate);
}

static char *
format_sequence (const Entry *entry)
{
  if (entry->gone || !shnd_array_info_get_synchronizable (entry->info))
    return g_strdup (CLI_LIVE_UNKNOWN);

  return g_strdup_printf ("%" G_GUINT64_FORMAT, shnd_array_info_get_sequence (entry->info));
}

static char *
make_title (void)
{
  g_autofree char *time = cli_live_format_time ();
  guint n = 0, n_changed = 0;

  for (guint i = 0; i < order->len; i++)
    {
      const Entry *entry = order->pdata[i];

      n += !entry->gone;
      n_changed += entry->n_changes > 0;
    }

  return g_strdup_printf ("%s  %u %s, %u changed (q: quit)", time, n, n == 1 ? "array" : "arrays",
                          n_changed);
}

static void
draw (CliScreen *screen)
{
  g_autoptr (CliTable) table = cli_table_new ("NAME", ">CHANGES/S", ">COUNTER", "STATE", NULL);
  g_autofree char *title = make_title ();
  gsize width = cli_live_get_name_width (screen, OTHERS_WIDTH);
  guint n = cli_screen_get_n_table_rows (screen, order->len);

  for (guint i = 0; i < n; i++)
    {
      const Entry *entry = order->pdata[i];
      g_autofree char *name = cli_text_escape (get_name (entry));

      cli_table_add (table, cli_text_shorten (name, width), format_rate (entry),
                     format_sequence (entry), g_strdup (get_state (entry)));
    }
  cli_screen_draw_table (screen, title, table, order->len);
}

static void
print_json (const Entry *entry)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_add_double (builder, "time", g_get_real_time () / (gdouble) G_USEC_PER_SEC);
  cli_json_add_string (builder, "name", get_name (entry));
  cli_json_add_uint (builder, "changes", entry->n_changes);
  cli_json_add_double (builder, "rate", entry->compared ? entry->rate : NAN);
  cli_json_add_uint (builder, "sequence", shnd_array_info_get_sequence (entry->info));
  cli_json_add_boolean (builder, "held", !entry->gone && shnd_array_info_get_held (entry->info));
  cli_json_add_boolean (builder, "new", !entry->gone && !entry->compared);
  cli_json_add_boolean (builder, "gone", entry->gone);
  json_builder_end_object (builder);
  cli_json_print (builder, TRUE);
}

static void
print (const char *prefix)
{
  for (guint i = 0; i < order->len; i++)
    {
      const Entry *entry = order->pdata[i];
      g_autofree char *name = cli_text_escape (get_name (entry));
      g_autofree char *rate = format_rate (entry);
      g_autofree char *sequence = format_sequence (entry);

      if (entry->compared && entry->n_changes == 0)
        continue;

      if (prefix == NULL)
        print_json (entry);
      else
        printf ("%s %s %s %s %s\n", prefix, rate, sequence, get_state (entry), name);
    }
}

int
cli_watch_run (int argc, char **argv, GError **error)
{
  static const CliLive live = { .look = look, .draw = draw, .print = print };
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  int status;

  if (operands == NULL)
    return CLI_EXIT_FAILURE;

  patterns = operands;
  entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  order = g_ptr_array_new ();
  status = cli_live_run (&live, error);
  g_ptr_array_unref (order);
  g_hash_table_unref (entries);

  return status;
}
