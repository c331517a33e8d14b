/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-segment-private.h"

#include "shnd-error-private.h"
#include "shnd-names-private.h"
#include "shnd-npy-private.h"
#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Below this a reservation is not worth a look at the system's free memory. */
#define CHECK_MEMORY_FROM (256 * 1024 * 1024)

/* Memory is asked for in steps of this size: a signal makes some kernels give up a step and all of
 * its work, so that a large one might never come to its end. */
#define RESERVE_SIZE (64 * 1024 * 1024)

/* What the elements of an array without any, in a file without pages, point to. */
static guint8 nothing[1];

G_STATIC_ASSERT (sizeof (ShndControlPage) == 24);

static guint64
round_up (guint64 n_bytes)
{
  return (n_bytes + SHND_NPY_SEGMENT_ALIGN - 1) / SHND_NPY_SEGMENT_ALIGN * SHND_NPY_SEGMENT_ALIGN;
}

static const char *
display_name (const char *name)
{
  return name != NULL ? name : "(anonymous)";
}

/* ---- Making ---- */

static void
set_no_space (GError **error, const char *name, guint64 file_size, const char *reason)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
               "No space for the array “%s”: it needs %" G_GUINT64_FORMAT " bytes, %s",
               display_name (name), file_size, reason);
}

static void
set_creation_error (GError **error, int saved_errno, const char *name, int fd, guint64 file_size)
{
  struct statvfs fs;

  /* What was written before the space ended is given back first: it was free. */
  if (saved_errno == ENOSPC && name != NULL && fd >= 0 && ftruncate (fd, 0) == 0 &&
      fstatvfs (fd, &fs) == 0)
    {
      g_autofree char *reason =
          g_strdup_printf ("and " SHND_SHM_DIR " has %" G_GUINT64_FORMAT " free",
                           (guint64) fs.f_bavail * fs.f_frsize);

      set_no_space (error, name, file_size, reason);
      return;
    }

  shnd_set_error_from_errno (error, saved_errno,
                             "Cannot make the array “%s” of %" G_GUINT64_FORMAT " bytes",
                             display_name (name), file_size);
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
check_space (const char *name, guint64 file_size, ShndCreateFlags flags, GError **error)
{
  if (file_size > G_MAXINT64)
    {
      set_no_space (error, name, file_size, "more than a file can have");
      return FALSE;
    }

  if (!shnd_write_allowed (file_size))
    {
      set_no_space (error, name, file_size,
                    "more than this process may write to a file (RLIMIT_FSIZE)");
      return FALSE;
    }

  if ((flags & SHND_CREATE_SPARSE) == 0 && file_size >= CHECK_MEMORY_FROM)
    {
      guint64 available = get_available_memory ();

      if (file_size > available)
        {
          g_autofree char *reason = g_strdup_printf (
              "and the system has %" G_GUINT64_FORMAT " bytes of memory available", available);

          set_no_space (error, name, file_size, reason);
          return FALSE;
        }
    }

  return TRUE;
}

static int
create_file (const char *name, ShndCreateFlags flags)
{
  mode_t mode = S_IRUSR | S_IWUSR;
  int fd;

  if (name == NULL)
    return memfd_create ("shndarray", MFD_CLOEXEC | MFD_ALLOW_SEALING);

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
 * pages that are written whole need no zeroing, else by asking for it. Returns an errno. */
static int
reserve_and_fill (int fd,
                  guint64 data_offset,
                  guint64 file_size,
                  const ShndLayout *contents,
                  ShndCreateFlags flags)
{
  if (ftruncate (fd, file_size) != 0)
    return errno;

  if (contents != NULL)
    return shnd_write_layout (fd, contents, data_offset, NULL, NULL, NULL);

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

static gboolean
write_control_page (int fd, guint64 file_size, ino_t inode)
{
  guint8 page[SHND_CONTROL_SIZE] = { 0 };
  ShndControlPage control = {
    .magic = SHND_CONTROL_MAGIC,
    .version = GUINT32_TO_LE (SHND_CONTROL_VERSION),
    .flags = 0,
    .inode = GUINT64_TO_LE ((guint64) inode),
  };

  memcpy (page, &control, sizeof control);

  return shnd_write_all (fd, page, sizeof page, file_size - sizeof page);
}

/* Gives the finished file its name, at once and only if it is free. Returns an errno. */
static int
link_name (int fd, const char *path)
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

ShndSegment *
shnd_segment_new (const char *name,
                  const ShndLayout *layout,
                  const ShndLayout *contents,
                  ShndCreateFlags flags,
                  GError **error)
{
  g_autoptr (GByteArray) header = NULL;
  g_autoptr (ShndSegment) self = NULL;
  char path[SHND_NAME_PATH_SIZE];
  guint64 n_bytes = shnd_layout_get_n_bytes (layout);
  guint64 file_size;
  struct stat info;
  int fd, result;

  if (name != NULL && !shnd_name_to_path (name, path, error))
    return NULL;

  header = shnd_npy_build_header (layout, SHND_NPY_SEGMENT_ALIGN, error);
  if (header == NULL)
    return NULL;

  file_size = header->len + round_up (n_bytes) + SHND_CONTROL_SIZE;
  if (!check_space (name, file_size, flags, error))
    return NULL;

  fd = create_file (name, flags);
  if (fd < 0)
    {
      set_creation_error (error, errno, name, -1, file_size);
      return NULL;
    }

  result = reserve_and_fill (fd, header->len, file_size, contents, flags);
  if (result == 0 &&
      (fstat (fd, &info) != 0 || !shnd_write_all (fd, header->data, header->len, 0) ||
       !write_control_page (fd, file_size, info.st_ino)))
    result = errno;
  if (result != 0)
    {
      set_creation_error (error, result, name, fd, file_size);
      close (fd);
      return NULL;
    }

  self = shnd_segment_map (fd, &info, name, header->len, n_bytes, SHND_ACCESS_READ_WRITE, error);
  if (self == NULL)
    {
      g_prefix_error (error, "Cannot make the array “%s”: ", display_name (name));
      return NULL;
    }

  /* Last of all, so that an error leaves no name, and nobody opens what is not whole. */
  if (name != NULL)
    {
      result = link_name (fd, path);
      if (result == EEXIST)
        {
          g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
                       "An array or other segment named “%s” exists", name);
          return NULL;
        }
      if (result != 0)
        {
          set_creation_error (error, result, name, fd, file_size);
          return NULL;
        }
    }

  return g_steal_pointer (&self);
}

/* ---- Opening ---- */

static int
get_open_flags (ShndAccess access)
{
  /* Without O_NONBLOCK a FIFO of that name would make us wait. */
  return (access & SHND_ACCESS_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
}

static gboolean
check_access (ShndAccess access, GError **error)
{
  if ((access & SHND_ACCESS_READ_WRITE) != 0 &&
      (access & ~(SHND_ACCESS_READ_WRITE | SHND_ACCESS_ANY_OWNER)) == 0)
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
               "Access %u: expected READ or READ_WRITE, and ANY_OWNER if need be", (guint) access);
  return FALSE;
}

/* Looks at what was opened: `fd`, or the errno of it. Takes `fd` on error. `what` is "array" or
 * "file", `name` what messages call it. */
static int
check_file (int fd, const char *what, const char *name, struct stat *info, GError **error)
{
  int saved_errno = errno;

  if (fd >= 0 && fstat (fd, info) != 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot look at the %s “%s”", what, name);
    }
  else if (fd >= 0 ? !S_ISREG (info->st_mode) : saved_errno == EISDIR || saved_errno == ENXIO)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT,
                   "Cannot open the %s “%s”: it is not a regular file", what, name);
    }
  else if (fd < 0)
    {
      shnd_set_error_from_errno (error, saved_errno, "Cannot open the %s “%s”", what, name);
    }
  else
    {
      return fd;
    }

  if (fd >= 0)
    close (fd);
  return -1;
}

int
shnd_segment_open_name (const char *name, ShndAccess access, struct stat *info, GError **error)
{
  char path[SHND_NAME_PATH_SIZE];
  int fd;

  if (!check_access (access, error) || !shnd_name_to_path (name, path, error))
    return -1;

  fd = open (path, get_open_flags (access) | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND, "No array named “%s”", name);
      return -1;
    }
  if (fd < 0 && errno == ELOOP)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                   "Cannot open the array “%s”: it is a symbolic link, which is not followed",
                   name);
      return -1;
    }

  fd = check_file (fd, "array", name, info, error);
  if (fd < 0)
    return -1;

  if ((access & SHND_ACCESS_ANY_OWNER) == 0 && info->st_uid != 0 && info->st_uid != geteuid ())
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                   "The array “%s” belongs to user %u: expected user %u or root, unless ANY_OWNER "
                   "is given",
                   name, info->st_uid, geteuid ());
      close (fd);
      return -1;
    }

  return fd;
}

int
shnd_segment_open_path (const char *path, ShndAccess access, struct stat *info, GError **error)
{
  g_autofree char *display = NULL;

  if (!check_access (access, error))
    return -1;

  display = g_filename_display_name (path);

  return check_file (open (path, get_open_flags (access)), "file", display, info, error);
}

ShndSegment *
shnd_segment_map (int fd,
                  const struct stat *info,
                  const char *name,
                  guint64 data_offset,
                  guint64 n_bytes,
                  ShndAccess access,
                  GError **error)
{
  g_autoptr (ShndSegment) self = g_new0 (ShndSegment, 1);
  guint64 file_size = info->st_size;
  guint64 start, end;

  g_atomic_ref_count_init (&self->ref_count);
  self->fd = fd;
  self->name = name != NULL ? g_ref_string_new (name) : NULL;
  self->access = access & SHND_ACCESS_WRITE ? SHND_ACCESS_READ_WRITE : SHND_ACCESS_READ;
  self->device = info->st_dev;
  self->inode = info->st_ino;
  self->data = nothing;
  self->data_offset = data_offset;

  if (data_offset > file_size || n_bytes > file_size - data_offset)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                   "It has %" G_GUINT64_FORMAT " bytes: expected at least %" G_GUINT64_FORMAT
                   " after the first %" G_GUINT64_FORMAT,
                   file_size, n_bytes, data_offset);
      return NULL;
    }

  /* One of ours is mapped with its control page, another file only as far as the elements go. */
  start = data_offset - data_offset % (guint64) sysconf (_SC_PAGESIZE);
  end = data_offset + n_bytes;
  if (data_offset % SHND_NPY_SEGMENT_ALIGN == 0 &&
      data_offset + round_up (n_bytes) + SHND_CONTROL_SIZE == file_size)
    end = file_size;
  if (end == start)
    return g_steal_pointer (&self);

  self->mapping_length = end - start;
  self->mapping =
      mmap (NULL, self->mapping_length,
            access & SHND_ACCESS_WRITE ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, start);
  if (self->mapping == MAP_FAILED)
    {
      self->mapping = NULL;
      shnd_set_error_from_errno (error, errno, "Cannot map %" G_GSIZE_FORMAT " bytes",
                                 self->mapping_length);
      return NULL;
    }
  self->data = self->mapping + (data_offset - start);

  return g_steal_pointer (&self);
}

ShndSegment *
shnd_segment_ref (ShndSegment *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
shnd_segment_unref (ShndSegment *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  if (self->mapping != NULL)
    munmap (self->mapping, self->mapping_length);
  close (self->fd);
  g_clear_pointer (&self->name, g_ref_string_release);
  g_free (self);
}

gboolean
shnd_segment_unlink (ShndSegment *self, GError **error)
{
  char path[SHND_NAME_PATH_SIZE];
  struct stat info;

  if (self->name == NULL)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "The array has no name that could be removed");
      return FALSE;
    }

  if (!shnd_name_to_path (self->name, path, error))
    return FALSE;

  if (lstat (path, &info) == 0 && (info.st_dev != self->device || info.st_ino != self->inode))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
                   "Cannot remove the array “%s”: the name stands for another one by now",
                   self->name);
      return FALSE;
    }

  return shnd_unlink (self->name, error);
}

/* ---- Copy-on-write bytes ---- */

typedef struct
{
  gpointer mapping;
  gsize length;
} CowMapping;

static void
free_cow_mapping (gpointer data)
{
  CowMapping *cow = data;

  munmap (cow->mapping, cow->length);
  g_free (cow);
}

GBytes *
shnd_segment_get_cow_bytes (ShndSegment *self, const guint8 *data, gsize n_bytes, GError **error)
{
  guint64 offset = self->data_offset + (data - self->data);
  gsize lead = offset % (guint64) sysconf (_SC_PAGESIZE);
  CowMapping *cow;
  gpointer mapping;

  if (n_bytes == 0)
    return g_bytes_new (NULL, 0);

  mapping = mmap (NULL, lead + n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                  self->fd, offset - lead);
  if (mapping == MAP_FAILED)
    {
      shnd_set_error_from_errno (error, errno, "Cannot map %" G_GSIZE_FORMAT " bytes of “%s” again",
                                 n_bytes, display_name (self->name));
      return NULL;
    }

  cow = g_new (CowMapping, 1);
  cow->mapping = mapping;
  cow->length = lead + n_bytes;

  return g_bytes_new_with_free_func ((guint8 *) mapping + lead, n_bytes, free_cow_mapping, cow);
}
