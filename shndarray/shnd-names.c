/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-names-private.h"

#include "shnd-error-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

gboolean
shnd_name_to_path (const char *name, char path[SHND_NAME_PATH_SIZE], GError **error)
{
  gsize length = strlen (name);
  const char *problem = NULL;

  if (!g_utf8_validate (name, length, NULL))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_NAME,
                           "A name for an array that is not UTF-8");
      return FALSE;
    }

  if (length == 0)
    problem = "expected at least one character";
  else if (length > SHND_NAME_MAX)
    problem = "expected at most 255 bytes";
  else if (name[0] == '.')
    problem = "it must not begin with a dot";
  else if (strchr (name, '/') != NULL)
    problem = "it must not contain a slash";

  if (problem != NULL)
    {
      g_autofree char *shown = shnd_shorten (name);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_NAME,
                   "“%s” is not a name for an array: %s", shown, problem);
      return FALSE;
    }

  memcpy (path, SHND_SHM_DIR "/", sizeof SHND_SHM_DIR);
  memcpy (path + sizeof SHND_SHM_DIR, name, length + 1);

  return TRUE;
}

/**
 * shnd_unlink:
 * @name: the name of a shared array
 * @error: return location for an error
 *
 * Removes a name, without opening the array.
 *
 * Whoever has the array open keeps it; nobody can open it by that name any more, and a new array
 * can take the name. The memory goes back to the system when the last one lets go of it.
 *
 * Any segment of shared memory can be named here, not only those that this library made.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if there is no such name, and with
 * %SHND_ERROR_PERMISSION_DENIED if it belongs to another user.
 *
 * Returns: whether it was removed
 */
gboolean
shnd_unlink (const char *name, GError **error)
{
  char path[SHND_NAME_PATH_SIZE];

  g_return_val_if_fail (name != NULL, FALSE);

  if (!shnd_name_to_path (name, path, error))
    return FALSE;

  if (unlink (path) != 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot remove the array “%s”", name);
      return FALSE;
    }

  return TRUE;
}
