/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-new-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int
shnd_new_file_open_beside (const char *path, int flags, guint mode, char **temporary_path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *name = g_strdup_printf (".shnd-%08x.npy", g_random_int ());
      g_autofree char *candidate = g_build_filename (directory, name, NULL);
      int fd = open (candidate, flags | O_CREAT | O_EXCL | O_CLOEXEC, mode);

      if (fd >= 0)
        *temporary_path = g_steal_pointer (&candidate);
      if (fd >= 0 || errno != EEXIST)
        return fd;
    }

  errno = EEXIST;
  return -1;
}

int
shnd_new_file_open (const char *path, char **temporary_path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

  *temporary_path = NULL;
  /* EISDIR comes from kernels, and file systems, that do not know the flag. */
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
    return fd;

  return shnd_new_file_open_beside (path, O_RDWR, 0666, temporary_path);
}

int
shnd_new_file_link (int fd, const char *path)
{
  char fd_path[sizeof "/proc/self/fd/" + 10];

  g_snprintf (fd_path, sizeof fd_path, "/proc/self/fd/%d", fd);
  if (linkat (AT_FDCWD, fd_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
    return 0;

  /* Without /proc there is another way, which older kernels keep for the privileged. */
  if (errno == ENOENT && linkat (fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
    return 0;

  return errno;
}

int
shnd_new_file_publish (int fd, const char *temporary_path, const char *path)
{
  if (temporary_path == NULL)
    return shnd_new_file_link (fd, path);

  if (renameat2 (AT_FDCWD, temporary_path, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
    return 0;

  /* A file system that cannot rename in this way may know hard links. */
  if (errno != EINVAL && errno != ENOSYS)
    return errno;
  if (link (temporary_path, path) != 0)
    return errno;
  unlink (temporary_path);

  return 0;
}
