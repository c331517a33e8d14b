/* SPDX-License-Identifier: MIT */

#include "cli-options.h"

#include "cli-error.h"

#include <math.h>
#include <string.h>

/* How many, in words. */
static char *
describe_count (const CliOptions *options)
{
  if (options->max_operands == 0)
    return g_strdup ("nothing but options");
  if (options->min_operands == 0)
    return g_strdup_printf ("at most %u: %s", options->max_operands, options->operands);

  return g_strdup (options->operands);
}

/* What marks the end of the options is still there if GOption has seen operands before it, and what
 * follows looks like an option. */
static void
remove_mark (char **operands, gboolean strict)
{
  for (char **operand = operands; *operand != NULL; operand++)
    {
      const char *next = operand[1];

      if (!g_str_equal (*operand, "--") ||
          (operand > operands && (strict || next == NULL || *next != '-')))
        continue;

      g_free (*operand);
      memmove (operand, operand + 1, (g_strv_length (operand + 1) + 1) * sizeof *operand);
      return;
    }
}

static const GOptionEntry *
find_entry (const GOptionEntry *entries, const char *name, char short_name)
{
  for (const GOptionEntry *entry = entries; entry != NULL && entry->long_name != NULL; entry++)
    {
      if (name != NULL ? g_str_equal (entry->long_name, name) : entry->short_name == short_name)
        return entry;
    }

  return NULL;
}

static gboolean
takes_value (const CliOptions *options, const char *name, char short_name)
{
  const GOptionEntry *entry = find_entry (options->entries, name, short_name);

  if (entry == NULL)
    entry = find_entry (options->shared_entries, name, short_name);

  return entry != NULL && entry->arg != G_OPTION_ARG_NONE;
}

/* Where in an argument the value of a short option is that has to be in the next one for GOption, as
 * 5 in -jc5; NULL if nowhere. */
static const char *
find_attached_value (const CliOptions *options, const char *argument)
{
  for (const char *letter = argument + 1; *letter != '\0'; letter++)
    {
      if (takes_value (options, NULL, *letter))
        return letter[1] == '\0' ? NULL : letter + 1;
    }

  return NULL;
}

/* Whether the next argument is the value of this one. */
static gboolean
needs_next (const CliOptions *options, const char *argument)
{
  if (g_str_has_prefix (argument, "--"))
    return takes_value (options, argument + 2, '\0');

  return takes_value (options, NULL, argument[strlen (argument) - 1]);
}

/* A copy of the arguments in which values are never attached to short options. */
static char **
detach_values (const CliOptions *options, int argc, char **argv)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  gboolean is_option = FALSE, is_value = FALSE, is_over = FALSE;

  for (int i = 0; i < argc; i++)
    {
      const char *argument = argv[i];
      const char *value = NULL;

      is_option = i > 0 && !is_value && !is_over && argument[0] == '-' && argument[1] != '\0';
      is_over |=
          i > 0 && !is_value && (g_str_equal (argument, "--") || (options->strict && !is_option));
      is_option &= !is_over;
      if (is_option && argument[1] != '-')
        value = find_attached_value (options, argument);

      g_ptr_array_add (arguments, value == NULL ? g_strdup (argument) :
                                                  g_strndup (argument, value - argument));
      if (value != NULL)
        g_ptr_array_add (arguments, g_strdup (value));
      is_value = is_option && value == NULL && needs_next (options, argument);
    }
  g_ptr_array_add (arguments, NULL);

  return (char **) g_ptr_array_steal (arguments, NULL);
}

char **
cli_options_parse (const CliOptions *options, int argc, char **argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (options->operands);
  g_auto (GStrv) arguments = detach_values (options, argc, argv);
  g_autoptr (GError) local_error = NULL;
  guint n_operands;

  g_option_context_set_summary (context, options->description);
  g_option_context_set_description (context, options->notes);
  g_option_context_set_strict_posix (context, options->strict);
  if (options->entries != NULL)
    g_option_context_add_main_entries (context, options->entries, NULL);
  if (options->shared_entries != NULL)
    g_option_context_add_main_entries (context, options->shared_entries, NULL);

  /* The name with which the help begins is that of the program. */
  g_set_prgname (argv[0]);
  if (!g_option_context_parse_strv (context, &arguments, &local_error))
    {
      cli_set_usage_error (error, "%s; see “%s --help”", local_error->message, argv[0]);
      return NULL;
    }

  g_free (arguments[0]);
  n_operands = g_strv_length (arguments + 1);
  memmove (arguments, arguments + 1, (n_operands + 1) * sizeof *arguments);
  remove_mark (arguments, options->strict);
  n_operands = g_strv_length (arguments);

  if (n_operands < options->min_operands || n_operands > options->max_operands)
    {
      g_autofree char *expected = describe_count (options);

      cli_set_usage_error (error, "%s: expected %s; see “%s --help”",
                           n_operands < options->min_operands ? "Too few operands" :
                                                                "Too many operands",
                           expected, argv[0]);
      return NULL;
    }

  return g_steal_pointer (&arguments);
}

gboolean
cli_parse_number (const char *option,
                  const char *text,
                  gdouble minimum,
                  const char *expected,
                  gdouble *number,
                  GError **error)
{
  char *end;

  *number = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0' && isfinite (*number) && *number >= minimum)
    return TRUE;

  cli_set_usage_error (error, "%s “%s”: expected %s", option, text, expected);
  return FALSE;
}

gboolean
cli_parse_timeout (const char *option, const char *text, gint64 *timeout, GError **error)
{
  gdouble seconds;

  *timeout = -1;
  if (text == NULL)
    return TRUE;
  if (!cli_parse_number (option, text, 0, "a number of seconds, 0 or more", &seconds, error))
    return FALSE;

  /* For ever, to all who wait that long. */
  if (seconds < G_MAXINT64 / (2.0 * G_USEC_PER_SEC))
    *timeout = seconds * G_USEC_PER_SEC;

  return TRUE;
}

gboolean
cli_parse_count (const char *option, const char *text, guint64 *count, GError **error)
{
  if (g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT64, count, NULL))
    return TRUE;

  cli_set_usage_error (error, "%s “%s”: expected a whole number above 0", option, text);
  return FALSE;
}
