/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* How often, and how many microseconds apart, a lock is asked for that is held for moments. */
#define N_TRIES 200
#define TRY_INTERVAL 500

static int
get_info (int fd, const char *path, int flags, ShndFileInfo *info)
{
  struct statx x;

  if (statx (fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &x) != 0)
    return -1;

  info->device = makedev (x.stx_dev_major, x.stx_dev_minor);
  info->inode = x.stx_ino;
  info->birth = 0;
  if (x.stx_mask & STATX_BTIME)
    info->birth = x.stx_btime.tv_sec * G_GUINT64_CONSTANT (1000000000) + x.stx_btime.tv_nsec;
  info->size = x.stx_size;
  info->owner = x.stx_uid;
  info->mode = x.stx_mode;
  info->n_links = x.stx_nlink;

  return 0;
}

int
shnd_file_get_info (int fd, ShndFileInfo *info)
{
  return get_info (fd, "", AT_EMPTY_PATH, info);
}

int
shnd_file_get_path_info (const char *path, ShndFileInfo *info)
{
  return get_info (AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, info);
}

gboolean
shnd_file_is_same (const ShndFileInfo *a, const ShndFileInfo *b)
{
  return a->device == b->device && a->inode == b->inode && a->birth == b->birth;
}

int
shnd_file_reopen (int fd, int flags)
{
  char path[sizeof "/proc/self/fd/" + 10];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);

  return open (path, flags | O_CLOEXEC);
}

int
shnd_file_lock (int fd, goffset byte, short type)
{
  struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  if (fcntl (fd, F_OFD_SETLK, &lock) == 0)
    return 0;

  return errno == EACCES ? EAGAIN : errno;
}

int
shnd_file_lock_soon (int fd, goffset byte)
{
  for (guint i = 0; i < N_TRIES; i++)
    {
      int result = shnd_file_lock (fd, byte, F_WRLCK);

      if (result != EAGAIN)
        return result;

      g_usleep (TRY_INTERVAL);
    }

  return EAGAIN;
}

short
shnd_file_get_lock (int fd, goffset byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type : F_UNLCK;
}
