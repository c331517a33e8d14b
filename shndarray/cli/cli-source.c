/* SPDX-License-Identifier: MIT */

#include "cli-source.h"

#include "cli-error.h"
#include "cli-file.h"
#include "cli-view.h"

#include <string.h>

static char **fields;
static char *slice;
static gboolean any_owner;

#define ANY_OWNER_ENTRY                                                                            \
  {                                                                                                \
    "any-owner", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &any_owner,                             \
        "Open also an array of another user, who can cut it short, so that this program is "       \
        "killed",                                                                                  \
        NULL                                                                                       \
  }

const GOptionEntry cli_source_owner_entries[] = { ANY_OWNER_ENTRY, G_OPTION_ENTRY_NULL };

const GOptionEntry cli_source_entries[] = {
  { "field", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING_ARRAY, &fields,
    "Take one field of each element; again, a field of that one", "NAME" },
  { "slice", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &slice,
    "Take a part, as NumPy does: 0 or 10:20,::-1 or ...,2", "EXPRESSION" },
  ANY_OWNER_ENTRY,
  G_OPTION_ENTRY_NULL
};

static gboolean
is_path (const char *source)
{
  return strchr (source, '/') != NULL;
}

gboolean
cli_source_is_stream (const char *source)
{
  return g_str_equal (source, "-") || (is_path (source) && cli_file_is_stream (source));
}

/* Whether a source that is no array is to be taken as a file; if not, it is an error. */
static gboolean
is_file (const char *source, GError *name_error, GError **error)
{
  gboolean is_name = !g_error_matches (name_error, SHND_ERROR, SHND_ERROR_INVALID_NAME);
  gboolean is_missing = g_error_matches (name_error, SHND_ERROR, SHND_ERROR_NOT_FOUND);

  if ((is_missing || !is_name) && g_file_test (source, G_FILE_TEST_EXISTS))
    {
      g_error_free (name_error);
      return TRUE;
    }

  g_propagate_error (error, name_error);
  if (is_missing)
    g_prefix_error (error, "Neither an array nor a file: ");

  return FALSE;
}

ShndAccess
cli_source_get_access (ShndAccess access)
{
  return access | (any_owner ? SHND_ACCESS_ANY_OWNER : 0);
}

static ShndArray *
open_whole (const char *source, GError **error)
{
  ShndAccess access = cli_source_get_access (SHND_ACCESS_READ);
  GError *local_error = NULL;
  ShndArray *array;

  if (cli_source_is_stream (source))
    return cli_file_load_stream (NULL, source, SHND_CREATE_NONE, error);
  if (is_path (source))
    return shnd_array_open_path (source, access, error);

  array = shnd_array_open (source, access, &local_error);
  if (array == NULL && is_file (source, local_error, error))
    return cli_file_is_stream (source) ?
               cli_file_load_stream (NULL, source, SHND_CREATE_NONE, error) :
               shnd_array_open_path (source, access, error);

  return array;
}

static ShndArray *
get_part (ShndArray *array, GError **error)
{
  g_autoptr (ShndArray) part = g_object_ref (array);

  for (guint i = 0; fields != NULL && fields[i] != NULL; i++)
    {
      g_autoptr (ShndArray) field = cli_view_field (part, fields[i], error);

      if (field == NULL)
        return NULL;
      g_set_object (&part, field);
    }

  return slice == NULL ? g_steal_pointer (&part) : cli_view_slice (part, slice, error);
}

gboolean
cli_source_takes_part (void)
{
  return fields != NULL || slice != NULL;
}

ShndArray *
cli_source_open (const char *source, GError **error)
{
  g_autoptr (ShndArray) array = open_whole (source, error);

  return array == NULL ? NULL : get_part (array, error);
}

ShndArrayInfo *
cli_source_get_info (const char *source, GError **error)
{
  GError *local_error = NULL;
  ShndArrayInfo *info;

  if (cli_source_is_stream (source))
    {
      cli_set_usage_error (error, "“%s” is read only once: expected a name or a file", source);
      return NULL;
    }
  if (is_path (source))
    return shnd_array_info_new_for_path (source, error);

  info = shnd_array_info_new (source, &local_error);
  if (info == NULL && is_file (source, local_error, error))
    return shnd_array_info_new_for_path (source, error);

  return info;
}
