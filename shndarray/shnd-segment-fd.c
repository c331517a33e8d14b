/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-segment-private.h"

#include "shnd-error-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Files that come and go as descriptors, and the seals that make them safe to have. */

/* With one of these nobody maps the file for writing any more. */
#define SEALS_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* What the maker of an array seals. With the last of them nobody seals more. */
#define SEALS_ALL (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

/* None where a file cannot have any. */
static int
get_seals (int fd)
{
  int seals = fcntl (fd, F_GET_SEALS);

  return seals >= 0 ? seals : 0;
}

/* Whether a file can be trusted to keep its size, as far as `access` asks for that, and can be mapped
 * with that access. */
static gboolean
check_seals (int fd, ShndAccess access, GError **error)
{
  int seals = get_seals (fd);

  if ((access & SHND_ACCESS_UNSEALED) == 0 && (seals & F_SEAL_SHRINK) == 0)
    {
      g_set_error_literal (
          error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
          "The file is not sealed against being cut short (F_SEAL_SHRINK): "
          "expected an array that its maker has sealed, or UNSEALED in the access, "
          "for one from somebody who is trusted");
      return FALSE;
    }

  if ((access & SHND_ACCESS_WRITE) != 0 && (seals & SEALS_WRITE) != 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                   "The file is sealed against writing (%s): expected access READ",
                   seals & F_SEAL_WRITE ? "F_SEAL_WRITE" : "F_SEAL_FUTURE_WRITE");
      return FALSE;
    }

  return TRUE;
}

/* ---- Coming ---- */

/* Whether the descriptor itself allows that access. */
static gboolean
check_mode (int fd, ShndAccess access, GError **error)
{
  int flags = fcntl (fd, F_GETFL);
  gboolean reads = (flags & O_ACCMODE) != O_WRONLY && (flags & O_PATH) == 0;
  gboolean writes = (flags & O_ACCMODE) == O_RDWR;

  if (reads && (writes || (access & SHND_ACCESS_WRITE) == 0))
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
               "The file descriptor is not open for %s",
               access & SHND_ACCESS_WRITE ? "reading and writing" : "reading");
  return FALSE;
}

static gboolean
check_type (int fd, const ShndFileInfo *info, GError **error)
{
  struct statfs fs;

  if (!S_ISREG (info->mode))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT,
                           "The file descriptor is not of a regular file");
      return FALSE;
    }

  /* Its mappings come in other sizes than asked for, and end in SIGBUS when no page is left. */
  if (fstatfs (fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "The file descriptor is of huge pages: expected memory in normal ones");
      return FALSE;
    }

  return TRUE;
}

static gboolean
get_info (ShndFile *file, GError **error)
{
  if (shnd_file_get_info (file->fd, &file->info) == 0)
    return TRUE;

  shnd_set_error_from_errno (error, errno, "Cannot look at the file of the descriptor");
  return FALSE;
}

/* The size again after the seals, as only they make it last. */
static gboolean
look (ShndFile *file, GError **error)
{
  return get_info (file, error) && check_type (file->fd, &file->info, error) &&
         check_mode (file->fd, file->access, error) &&
         check_seals (file->fd, file->access, error) && get_info (file, error);
}

gboolean
shnd_segment_open_fd (int fd, ShndAccess access, ShndFile *file, GError **error)
{
  *file = (ShndFile){ .fd = -1, .access = access };
  if (!shnd_segment_check_access (access, SHND_ACCESS_UNSEALED, "UNSEALED", error))
    return FALSE;

  file->fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (file->fd < 0)
    {
      if (errno == EBADF)
        g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                     "%d is not an open file descriptor", fd);
      else
        shnd_set_error_from_errno (error, errno, "Cannot duplicate the file descriptor %d", fd);
      return FALSE;
    }

  if (!look (file, error))
    {
      shnd_segment_abandon (file);
      return FALSE;
    }

  /* Before Linux 6.7 a file with this seal is mapped only from a descriptor that cannot write. */
  if ((get_seals (file->fd) & F_SEAL_WRITE) != 0)
    {
      int read_only = shnd_file_reopen (file->fd, O_RDONLY);

      if (read_only >= 0)
        {
          close (file->fd);
          file->fd = read_only;
        }
    }

  return TRUE;
}

/* ---- Going ---- */

gboolean
shnd_segment_is_sealed (ShndSegment *self)
{
  int seals = get_seals (self->fd);

  return (seals & F_SEAL_SHRINK) != 0 && (seals & F_SEAL_GROW) != 0 && (seals & SEALS_WRITE) != 0;
}

gboolean
shnd_segment_seal (ShndSegment *self, GError **error)
{
  if (self->name != NULL || self->path != NULL)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "Only arrays without a name can be sealed: this one is in a file that "
                           "others open by its name");
      return FALSE;
    }

  if (shnd_segment_is_sealed (self))
    return TRUE;

  if ((self->access & SHND_ACCESS_WRITE) == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_READ_ONLY,
                           "The array was opened for reading: expected access READ_WRITE");
      return FALSE;
    }

  if (fcntl (self->fd, F_ADD_SEALS, SEALS_ALL) == 0)
    return TRUE;

  if (errno == EINVAL)
    g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                         "The array is in a file that cannot be sealed: expected anonymous memory");
  else if (errno == EPERM)
    g_set_error_literal (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                         "The array is in a file that was made to take no more seals");
  else
    shnd_set_error_from_errno (error, errno, "Cannot seal the array");
  return FALSE;
}

int
shnd_segment_dup_fd (ShndSegment *self, ShndAccess access, GError **error)
{
  int fd = shnd_file_reopen (self->fd, access & SHND_ACCESS_WRITE ? O_RDWR : O_RDONLY);

  /* Without /proc, or for somebody else's file, the description is shared, as long as no lease goes
   * with it. */
  if (fd < 0 && (errno == ENOENT || errno == EACCES) && !g_atomic_int_get (&self->leased))
    fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    shnd_set_error_from_errno (error, errno, "Cannot make a new descriptor of the array's file");

  return fd;
}
