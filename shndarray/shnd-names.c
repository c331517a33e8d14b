/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-names-private.h"

#include "shnd-error-private.h"
#include "shnd-lease-private.h"
#include "shnd-process-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The path of the file of a name that was checked. */
static void
build_path (const char *name, char path[SHND_NAME_PATH_SIZE])
{
  memcpy (path, SHND_SHM_DIR "/", sizeof SHND_SHM_DIR);
  strcpy (path + sizeof SHND_SHM_DIR, name);
}

gboolean
shnd_name_check (const char *name, GError **error)
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

  return TRUE;
}

gboolean
shnd_name_to_path (const char *name, char path[SHND_NAME_PATH_SIZE], GError **error)
{
  if (!shnd_name_check (name, error))
    return FALSE;

  build_path (name, path);
  return TRUE;
}

int
shnd_name_open (const char *name, int flags)
{
  char path[SHND_NAME_PATH_SIZE];

  build_path (name, path);

  return open (path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* The kernel cannot remove a name only if it stands for a certain file. So whoever looks which file
 * it stands for, and then removes it, holds a lock on that file meanwhile: as long as nobody else
 * removes the name, nobody can take it anew. */
static int
remove_locked (const char *path, int fd, const ShndFileInfo *info)
{
  ShndFileInfo now;

  /* Who does not let go in time is stopped or hostile; a name must be removable all the same. */
  shnd_file_lock_soon (fd, SHND_BYTE_NAME);

  if (shnd_file_get_path_info (path, &now) != 0)
    return errno;
  if (!shnd_file_is_same (&now, info))
    return ESTALE;

  return unlink (path) == 0 ? 0 : errno;
}

int
shnd_name_remove (const char *name, const ShndFileInfo *only)
{
  char path[SHND_NAME_PATH_SIZE];
  ShndFileInfo info;
  int result;

  build_path (name, path);
  do
    {
      int fd = shnd_name_open (name, O_RDWR);

      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return errno;

      if (fd >= 0 && shnd_file_get_info (fd, &info) == 0)
        {
          result = only == NULL || shnd_file_is_same (&info, only) ?
                       remove_locked (path, fd, &info) :
                       ENOENT;
        }
      else if (only != NULL &&
               (shnd_file_get_path_info (path, &info) != 0 || !shnd_file_is_same (&info, only)))
        {
          result = ENOENT;
        }
      else
        {
          /* It cannot be opened: not a file, or not for us. To remove it may be allowed. */
          result = unlink (path) == 0 ? 0 : errno;
        }

      if (fd >= 0)
        close (fd);
    }
  /* Another file has the name by now: then it is that one which is meant. */
  while (result == ESTALE && only == NULL);

  return result == ESTALE ? ENOENT : result;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
shnd_names_read (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  DIR *dir = opendir (folder);
  const struct dirent *entry;

  if (dir == NULL)
    {
      int saved_errno = errno;
      g_autofree char *display = g_filename_display_name (folder);

      shnd_set_error_from_errno (error, saved_errno, "Cannot read “%s”", display);
      return NULL;
    }

  while ((entry = readdir (dir)) != NULL)
    {
      if (shnd_name_check (entry->d_name, NULL))
        g_ptr_array_add (names, g_strdup (entry->d_name));
    }
  closedir (dir);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);

  return (char **) g_ptr_array_steal (names, NULL);
}

static GPtrArray *
read_infos (GError **error)
{
  g_auto (GStrv) names = shnd_names_read (SHND_SHM_DIR, error);
  GPtrArray *infos;

  if (names == NULL)
    return NULL;

  infos = g_ptr_array_new_with_free_func (g_object_unref);
  for (char **name = names; *name != NULL; name++)
    {
      ShndArrayInfo *info = shnd_array_info_new (*name, NULL);

      if (info != NULL)
        g_ptr_array_add (infos, info);
    }

  return infos;
}

/**
 * shnd_list_infos:
 * @n_infos: (out): return location for the number of arrays
 * @error: return location for an error
 *
 * Finds out about all shared arrays on this machine that the caller may read: also those of other
 * users, orphans, and `.npy` files that something else has put there. What is no array is not
 * listed.
 *
 * Returns: (transfer full) (array length=n_infos): what there is to know, in the order of the names
 */
ShndArrayInfo **
shnd_list_infos (gsize *n_infos, GError **error)
{
  g_autoptr (GPtrArray) infos = read_infos (error);

  *n_infos = 0;
  if (infos == NULL)
    return NULL;

  *n_infos = infos->len;
  /* Where there is none, this keeps it from being NULL, which is an error. */
  g_ptr_array_add (infos, NULL);

  return (ShndArrayInfo **) g_ptr_array_steal (infos, NULL);
}

/**
 * shnd_list_names:
 * @error: return location for an error
 *
 * Lists the names of all shared arrays that [func@Shnd.list_infos] would tell of, without orphans.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, in order
 */
char **
shnd_list_names (GError **error)
{
  g_autoptr (GPtrArray) infos = read_infos (error);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (infos == NULL)
    return NULL;

  for (guint i = 0; i < infos->len; i++)
    {
      ShndArrayInfo *info = g_ptr_array_index (infos, i);

      if (!shnd_array_info_get_orphaned (info))
        g_strv_builder_add (builder, shnd_array_info_get_name (info));
    }

  return g_strv_builder_end (builder);
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
  int result;

  g_return_val_if_fail (name != NULL, FALSE);

  if (!shnd_name_check (name, error))
    return FALSE;

  result = shnd_name_remove (name, NULL);
  if (result != 0)
    {
      shnd_set_error_from_errno (error, result, "Cannot remove the array “%s”", name);
      return FALSE;
    }

  return TRUE;
}

/**
 * shnd_reap:
 * @error: return location for an error
 *
 * Removes the orphans: arrays that nobody has open any more, but whose names are still there, since
 * the last one who had them was killed.
 *
 * Nobody can open an orphan, and its name is free for a new array. Only the memory is lost until
 * somebody calls this. A call for a new array does so by itself if there is too little memory.
 *
 * What is somebody else's, what is persistent, and what is not an array of this library stays.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names that were removed, in order
 */
char **
shnd_reap (GError **error)
{
  return shnd_lease_reap_all (error);
}

/**
 * shnd_release_names:
 *
 * Gives back the names of all arrays that this process has open: those that nobody else has open are
 * removed, but for persistent ones.
 *
 * A process that ends by `exit()` or by returning from `main()` does this by itself. One that ends
 * by `_exit()`, as a forked child should, has to call this first, or it leaves orphans behind like
 * one that is killed. What it has open, it can still use.
 */
void
shnd_release_names (void)
{
  shnd_process_release ();
}
