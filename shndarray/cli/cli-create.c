/* SPDX-License-Identifier: MIT */

#include "cli-create.h"

#include "cli-error.h"

static char *mode_text;

const GOptionEntry cli_create_entries[] = {
  { "mode", 'm', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &mode_text,
    "Who may open the array, as the permissions of a file: 600 by default, the user alone",
    "MODE" },
  G_OPTION_ENTRY_NULL
};

gboolean
cli_create_get_flags (ShndCreateFlags *flags, GError **error)
{
  const struct
  {
    guint bit;
    ShndCreateFlags flag;
  } permissions[] = {
    { 0040, SHND_CREATE_GROUP_READ },
    { 0020, SHND_CREATE_GROUP_WRITE },
    { 0004, SHND_CREATE_OTHERS_READ },
    { 0002, SHND_CREATE_OTHERS_WRITE },
  };
  guint64 mode = 0600;

  *flags = SHND_CREATE_PERSISTENT;
  if (mode_text == NULL)
    return TRUE;

  if (!g_ascii_string_to_unsigned (mode_text, 8, 0, 0777, &mode, NULL) || (mode & 0600) != 0600 ||
      (mode & 0111) != 0)
    {
      cli_set_usage_error (
          error,
          "--mode “%s”: expected permissions with which the user can read and write, "
          "and nobody can execute, as 600, 640 or 666",
          mode_text);
      return FALSE;
    }

  for (guint i = 0; i < G_N_ELEMENTS (permissions); i++)
    {
      if (mode & permissions[i].bit)
        *flags |= permissions[i].flag;
    }

  return TRUE;
}
