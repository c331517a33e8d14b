/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-segment-private.h"

#include "shnd-error-private.h"
#include "shnd-lease-private.h"
#include "shnd-names-private.h"
#include "shnd-new-file-private.h"
#include "shnd-npy-private.h"
#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Making the file of an array. */

/* Below this a reservation is not worth a look at the system's free memory. */
#define CHECK_MEMORY_FROM (256 * 1024 * 1024)

/* Memory is asked for in steps of this size: a signal makes some kernels give up a step and all of
 * its work, so that a large one might never come to its end. */
#define RESERVE_SIZE (64 * 1024 * 1024)

/* How often, and how many microseconds apart, somebody else is given time to remove a name. */
#define MAX_WAITS 200
#define WAIT_INTERVAL 500

/* What is made: a name in shared memory, a path on any file system, or neither. */
typedef struct
{
  const char *name;
  const char *path;
  const char *display;
} Target;

static void
set_no_space (GError **error, const Target *target, guint64 file_size, const char *reason)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
               "No space for the array “%s”: it needs %" G_GUINT64_FORMAT " bytes, %s",
               target->display, file_size, reason);
}

static void
set_creation_error (
    GError **error, int saved_errno, const Target *target, int fd, guint64 file_size)
{
  struct statvfs fs;

  if (saved_errno == ECANCELED)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Making the array “%s” was cancelled",
                   target->display);
      return;
    }

  /* What was written before the space ended is given back first: it was free. */
  if (saved_errno == ENOSPC && (target->name != NULL || target->path != NULL) && fd >= 0 &&
      ftruncate (fd, 0) == 0 && fstatvfs (fd, &fs) == 0)
    {
      g_autofree char *reason = g_strdup_printf ("and %s has %" G_GUINT64_FORMAT " free",
                                                 target->name != NULL ? SHND_SHM_DIR : "the disk",
                                                 (guint64) fs.f_bavail * fs.f_frsize);

      set_no_space (error, target, file_size, reason);
      return;
    }

  shnd_set_error_from_errno (error, saved_errno,
                             "Cannot make the array “%s” of %" G_GUINT64_FORMAT " bytes",
                             target->display, file_size);
}

/* A number of kilobytes from the text of /proc/meminfo, in bytes. */
static guint64
get_meminfo (const char *text, const char *key)
{
  const char *line = strstr (text, key);

  return line != NULL ? g_ascii_strtoull (line + strlen (key), NULL, 10) * 1024 : 0;
}

/* What can be had without ending another process, in bytes; G_MAXUINT64 if unknown. Limits of
 * cgroups are not looked at. */
static guint64
get_available_memory (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL) ||
      strstr (text, "MemAvailable:") == NULL)
    return G_MAXUINT64;

  return get_meminfo (text, "MemAvailable:") + get_meminfo (text, "SwapFree:");
}

/* What the kernel would answer with a signal or with the OOM killer is asked before. */
static gboolean
check_space (const Target *target, guint64 file_size, ShndCreateFlags flags, GError **error)
{
  if (file_size > G_MAXINT64)
    {
      set_no_space (error, target, file_size, "more than a file can have");
      return FALSE;
    }

  if (!shnd_write_allowed (file_size))
    {
      set_no_space (error, target, file_size,
                    "more than this process may write to a file (RLIMIT_FSIZE)");
      return FALSE;
    }

  if (target->path == NULL && (flags & SHND_CREATE_SPARSE) == 0 && file_size >= CHECK_MEMORY_FROM)
    {
      guint64 available = get_available_memory ();

      if (file_size > available)
        {
          g_autofree char *reason = g_strdup_printf (
              "and the system has %" G_GUINT64_FORMAT " bytes of memory available", available);

          set_no_space (error, target, file_size, reason);
          return FALSE;
        }
    }

  return TRUE;
}

/* Anonymous memory, which nobody ever has to execute; not all kernels can be told so. */
static int
create_memory (void)
{
  int fd = memfd_create ("shndarray", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = memfd_create ("shndarray", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  return fd;
}

static int
create_file (const char *name, ShndCreateFlags flags)
{
  mode_t mode = S_IRUSR | S_IWUSR;
  int fd;

  if (name == NULL)
    return create_memory ();

  if (flags & SHND_CREATE_GROUP_READ)
    mode |= S_IRGRP;
  if (flags & SHND_CREATE_GROUP_WRITE)
    mode |= S_IRGRP | S_IWGRP;
  if (flags & SHND_CREATE_OTHERS_READ)
    mode |= S_IROTH;
  if (flags & SHND_CREATE_OTHERS_WRITE)
    mode |= S_IROTH | S_IWOTH;

  fd = open (SHND_SHM_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
  /* The umask took its share of the mode. */
  if (fd >= 0 && fchmod (fd, mode) != 0)
    {
      int saved_errno = errno;

      close (fd);
      errno = saved_errno;
      return -1;
    }

  return fd;
}

/* Sizes the file and takes its memory: by writing the elements, if there are any to be written, as
 * pages that are written whole need no zeroing, else by asking for it. Returns as `fill` does. */
static int
reserve_and_fill (int fd,
                  guint64 data_offset,
                  guint64 file_size,
                  ShndFillFunc fill,
                  gpointer fill_data,
                  ShndCreateFlags flags,
                  GError **error)
{
  if (ftruncate (fd, file_size) != 0)
    return errno;

  if (fill != NULL)
    return fill (fd, data_offset, fill_data, error);

  if ((flags & SHND_CREATE_SPARSE) == 0)
    {
      for (guint64 offset = 0; offset < file_size; offset += RESERVE_SIZE)
        {
          int result;

          do
            result = posix_fallocate (fd, offset, MIN (RESERVE_SIZE, file_size - offset));
          while (result == EINTR);

          if (result != 0)
            return result;
        }
    }

  return 0;
}

/* All that makes a file an array, but its name. Returns as `fill` does. */
static int
write_file (const Target *target,
            ShndFile *file,
            const GByteArray *header,
            guint64 file_size,
            ShndFillFunc fill,
            gpointer fill_data,
            ShndCreateFlags flags,
            GError **error)
{
  /* Nobody but whoever made it removes a file on a disk. */
  gboolean persistent = (flags & SHND_CREATE_PERSISTENT) != 0 || target->path != NULL;
  int result = reserve_and_fill (file->fd, header->len, file_size, fill, fill_data, flags, error);

  if (result == 0 && (shnd_file_get_info (file->fd, &file->info) != 0 ||
                      !shnd_write_all (file->fd, header->data, header->len, 0) ||
                      !shnd_control_write (file->fd, &file->info, file_size,
                                           persistent ? SHND_CONTROL_PERSISTENT : 0)))
    result = errno;
  /* It must not be found after a crash of the machine without its header. */
  if (result == 0 && target->path != NULL && fsync (file->fd) != 0)
    result = errno;

  return result;
}

/* Gives the file its name, which may be that of an orphan, or of an array that is just being given
 * back. Returns an errno. */
static int
take_name (int fd, const char *name, const char *path)
{
  for (guint n_waits = 0;;)
    {
      int result = shnd_new_file_link (fd, path);

      if (result != EEXIST)
        return result;

      switch (shnd_lease_reap (name))
        {
        case SHND_LEASE_NONE:
          /* It may have gone since. */
          return shnd_new_file_link (fd, path);

        case SHND_LEASE_GOING:
          if (n_waits++ == MAX_WAITS)
            return EEXIST;
          g_usleep (WAIT_INTERVAL);
          break;

        case SHND_LEASE_REMOVED:
          break;
        }
    }
}

static void
set_exists (GError **error, const char *name)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS, "An array or other segment named “%s” exists",
               name);
}

static ShndSegment *
make (const Target *target,
      const ShndLayout *layout,
      ShndFillFunc fill,
      gpointer fill_data,
      ShndCreateFlags flags,
      GError **error)
{
  g_autoptr (GByteArray) header = NULL;
  g_autoptr (ShndSegment) self = NULL;
  g_autofree char *temporary_path = NULL;
  char path[SHND_NAME_PATH_SIZE];
  guint64 n_bytes = shnd_layout_get_n_bytes (layout);
  guint64 file_size;
  ShndFile file = {
    .name = target->name,
    .path = target->path,
    .access = SHND_ACCESS_READ_WRITE,
  };
  int result;

  if (target->name != NULL && !shnd_name_to_path (target->name, path, error))
    return NULL;

  header = shnd_npy_build_header (layout, SHND_NPY_SEGMENT_ALIGN, error);
  if (header == NULL)
    return NULL;

  file_size = header->len + shnd_segment_round_up (n_bytes) + SHND_CONTROL_SIZE;
  if (!check_space (target, file_size, flags, error))
    return NULL;

  file.fd = target->path != NULL ? shnd_new_file_open (target->path, &temporary_path) :
                                   create_file (target->name, flags);
  if (file.fd < 0)
    {
      set_creation_error (error, errno, target, -1, file_size);
      return NULL;
    }

  result = write_file (target, &file, header, file_size, fill, fill_data, flags, error);
  if (result == 0 && target->name != NULL)
    {
      result = shnd_lease_begin (file.fd);
      file.held = TRUE;
    }
  if (result > 0)
    set_creation_error (error, result, target, file.fd, file_size);
  if (result != 0)
    {
      close (file.fd);
      goto failed;
    }

  self = shnd_segment_map (&file, header->len, n_bytes, error);
  if (self == NULL)
    {
      g_prefix_error (error, "Cannot make the array “%s”: ", target->display);
      goto failed;
    }

  /* Last of all, so that an error leaves no name, and nobody opens what is not whole. */
  if (target->path != NULL)
    result = shnd_new_file_publish (file.fd, temporary_path, target->path);
  else if (target->name != NULL)
    result = take_name (file.fd, target->name, path);
  if (result == 0)
    return g_steal_pointer (&self);

  if (result == EEXIST && target->name != NULL)
    set_exists (error, target->name);
  else
    set_creation_error (error, result, target, file.fd, file_size);

failed:
  if (temporary_path != NULL)
    unlink (temporary_path);
  return NULL;
}

ShndSegment *
shnd_segment_new (const char *name,
                  const ShndLayout *layout,
                  ShndFillFunc fill,
                  gpointer fill_data,
                  ShndCreateFlags flags,
                  GError **error)
{
  const Target target = { .name = name, .display = name != NULL ? name : "(anonymous)" };
  g_autoptr (GError) local_error = NULL;
  g_auto (GStrv) reaped = NULL;
  ShndSegment *self = make (&target, layout, fill, fill_data, flags, &local_error);

  if (self != NULL)
    return self;

  /* Before that is believed, the dead give back what they still have. */
  if (g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NO_SPACE))
    {
      reaped = shnd_lease_reap_all (NULL);
      if (reaped != NULL && reaped[0] != NULL)
        return make (&target, layout, fill, fill_data, flags, error);
    }

  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

ShndSegment *
shnd_segment_new_path (const char *path,
                       const ShndLayout *layout,
                       ShndCreateFlags flags,
                       GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  const Target target = { .path = path, .display = display };

  return make (&target, layout, NULL, NULL, flags, error);
}

gboolean
shnd_segment_check_name (const char *name, GError **error)
{
  char path[SHND_NAME_PATH_SIZE];
  ShndFileInfo info;

  if (!shnd_name_to_path (name, path, error))
    return FALSE;

  if (shnd_file_get_path_info (path, &info) == 0 && shnd_lease_reap (name) == SHND_LEASE_NONE &&
      shnd_file_get_path_info (path, &info) == 0)
    {
      set_exists (error, name);
      return FALSE;
    }

  return TRUE;
}
