/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-json.h"
#include "cli-options.h"
#include "cli-text.h"

#include <shndarray/shndarray.h>
#include <stdio.h>
#include <unistd.h>

static gboolean as_json, dry_run;

static const GOptionEntry entries[] = { { "dry-run", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                          &dry_run, "Only print what would be removed", NULL },
                                        { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                          &as_json, "Print JSON", NULL },
                                        G_OPTION_ENTRY_NULL };

static const CliOptions options = {
  .operands = "",
  .description =
      "Removes the orphans of this user: arrays that are not persistent, and that nobody "
      "has open any more\nsince the last one who had was killed. Prints their names.",
  .entries = entries,
};

/* What shnd_reap() would remove, if nothing happened in between. */
static char **
find_orphans (GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autofree ShndArrayInfo **infos = NULL;
  gsize n;

  infos = shnd_list_infos (&n, error);
  if (infos == NULL)
    return NULL;

  for (gsize i = 0; i < n; i++)
    {
      if (shnd_array_info_get_orphaned (infos[i]) &&
          shnd_array_info_get_uid (infos[i]) == geteuid ())
        g_strv_builder_add (names, shnd_array_info_get_name (infos[i]));
      g_object_unref (infos[i]);
    }

  return g_strv_builder_end (names);
}

static void
print_json (char **names)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "names");
  json_builder_begin_array (builder);
  for (char **name = names; *name != NULL; name++)
    json_builder_add_string_value (builder, *name);
  json_builder_end_array (builder);
  cli_json_add_boolean (builder, "removed", !dry_run);
  json_builder_end_object (builder);
  cli_json_print (builder, FALSE);
}

int
cli_reap_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_auto (GStrv) names = NULL;

  if (operands == NULL)
    return CLI_EXIT_FAILURE;

  names = dry_run ? find_orphans (error) : shnd_reap (error);
  if (names == NULL)
    return CLI_EXIT_FAILURE;

  if (as_json)
    {
      print_json (names);
      return CLI_EXIT_SUCCESS;
    }

  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *escaped = cli_text_escape (*name);

      puts (escaped);
    }

  return CLI_EXIT_SUCCESS;
}
