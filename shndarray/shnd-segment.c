/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-segment-private.h"

#include "shnd-error-private.h"
#include "shnd-lease-private.h"
#include "shnd-lock-private.h"
#include "shnd-names-private.h"
#include "shnd-npy-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the elements of an array without any, in a file without pages, point to. */
static guint8 nothing[1];

guint64
shnd_segment_round_up (guint64 n_bytes)
{
  return (n_bytes + SHND_NPY_SEGMENT_ALIGN - 1) / SHND_NPY_SEGMENT_ALIGN * SHND_NPY_SEGMENT_ALIGN;
}

/* ---- Opening ---- */

static int
get_open_flags (ShndAccess access)
{
  /* Without O_NONBLOCK a FIFO of that name would make us wait; without O_NOCTTY we might get a terminal
   * of that name as our own. */
  return (access & SHND_ACCESS_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
}

gboolean
shnd_segment_check_access (ShndAccess access, ShndAccess extra, const char *name, GError **error)
{
  if ((access & SHND_ACCESS_READ_WRITE) != 0 && (access & ~(SHND_ACCESS_READ_WRITE | extra)) == 0)
    return TRUE;

  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
               "Access %u: expected READ or READ_WRITE, and %s if need be", (guint) access, name);
  return FALSE;
}

/* Looks at what was opened: `file->fd`, or the errno of it. Takes that on error. `what` is "array" or
 * "file", `name` what messages call it. */
static gboolean
check_file (ShndFile *file, const char *what, const char *name, GError **error)
{
  int saved_errno = errno;

  if (file->fd >= 0 && shnd_file_get_info (file->fd, &file->info) != 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot look at the %s “%s”", what, name);
    }
  else if (file->fd >= 0 ? !S_ISREG (file->info.mode) :
                           saved_errno == EISDIR || saved_errno == ENXIO)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT,
                   "Cannot open the %s “%s”: it is not a regular file", what, name);
    }
  else if (file->fd < 0)
    {
      shnd_set_error_from_errno (error, saved_errno, "Cannot open the %s “%s”", what, name);
    }
  else
    {
      return TRUE;
    }

  if (file->fd >= 0)
    close (file->fd);
  return FALSE;
}

static void
set_not_found (GError **error, const char *name)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND, "No array named “%s”", name);
}

/* Opens the file, and says what is wrong if that fails. */
static gboolean
open_name (const char *name, ShndAccess access, ShndFile *file, GError **error)
{
  *file = (ShndFile){ .name = name, .access = access };
  if (!shnd_segment_check_access (access, SHND_ACCESS_ANY_OWNER, "ANY_OWNER", error) ||
      !shnd_name_check (name, error))
    return FALSE;

  file->fd = shnd_name_open (name, get_open_flags (access));
  if (file->fd >= 0)
    return TRUE;

  if (errno == ENOENT)
    {
      set_not_found (error, name);
      return FALSE;
    }
  if (errno == ELOOP)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                   "Cannot open the array “%s”: it is a symbolic link, which is not followed",
                   name);
      return FALSE;
    }

  return check_file (file, "array", name, error);
}

static gboolean
is_leased (int fd)
{
  return shnd_file_get_lock (fd, SHND_BYTE_LEASE) == F_RDLCK;
}

gboolean
shnd_segment_look_at_name (const char *name, ShndFile *file, GError **error)
{
  if (!open_name (name, SHND_ACCESS_READ, file, error) || !check_file (file, "array", name, error))
    return FALSE;

  file->held = is_leased (file->fd);

  return TRUE;
}

gboolean
shnd_segment_open_name (const char *name, ShndAccess access, ShndFile *file, GError **error)
{
  int result;

  if (!open_name (name, access, file, error))
    return FALSE;

  /* Before the look at the file: a lease that was got while there was a name is good. */
  result = shnd_lease_join (file->fd, &file->held);
  if (!check_file (file, "array", name, error))
    return FALSE;

  if (result == ENOENT || file->info.n_links == 0)
    set_not_found (error, name);
  else if (result != 0)
    shnd_set_error_from_errno (error, result, "Cannot get a lease of the array “%s”", name);
  else if ((access & SHND_ACCESS_ANY_OWNER) == 0 && file->info.owner != 0 &&
           file->info.owner != geteuid ())
    g_set_error (error, SHND_ERROR, SHND_ERROR_PERMISSION_DENIED,
                 "The array “%s” belongs to user %u: expected user %u or root, unless ANY_OWNER "
                 "is given",
                 name, file->info.owner, geteuid ());
  else
    return TRUE;

  shnd_segment_abandon (file);
  return FALSE;
}

void
shnd_segment_abandon (const ShndFile *file)
{
  close (file->fd);

  /* For a moment there was a lease here, and the last holder may have left in that. */
  if (file->name != NULL && file->held)
    shnd_lease_reap (file->name);
}

gboolean
shnd_segment_open_path (const char *path, ShndAccess access, ShndFile *file, GError **error)
{
  g_autofree char *display = NULL;

  *file = (ShndFile){ .path = path, .access = access };
  if (!shnd_segment_check_access (access, SHND_ACCESS_ANY_OWNER, "ANY_OWNER", error))
    return FALSE;

  display = g_filename_display_name (path);
  file->fd = open (path, get_open_flags (access));

  return check_file (file, "file", display, error);
}

gboolean
shnd_segment_look_at_path (const char *path, ShndFile *file, GError **error)
{
  if (!shnd_segment_open_path (path, SHND_ACCESS_READ, file, error))
    return FALSE;

  file->held = is_leased (file->fd);

  return TRUE;
}

/* Finds out whether the name of the file is leased, and sees to it that this segment has its lease
 * then. */
static gboolean
init_lease (ShndSegment *self, gboolean held, GError **error)
{
  int result = 0;

  /* What is not ours, and copies of what is, are nobody's to remove. */
  if (self->name == NULL || !self->adopted)
    return TRUE;

  if (!held && !self->persistent)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
                           "No such array: all who had it open are gone");
      return FALSE;
    }

  if (!held)
    result = shnd_lease_begin (self->fd);
  if (result != 0)
    {
      shnd_set_error_from_errno (error, result, "Cannot get a lease");
      return FALSE;
    }

  self->leased = TRUE;
  return TRUE;
}

gboolean
shnd_segment_check_size (const ShndFileInfo *info,
                         guint64 data_offset,
                         guint64 n_bytes,
                         gboolean *has_control_room,
                         GError **error)
{
  if (data_offset > info->size || n_bytes > info->size - data_offset)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                   "It has %" G_GUINT64_FORMAT " bytes: expected at least %" G_GUINT64_FORMAT
                   " after the first %" G_GUINT64_FORMAT,
                   info->size, n_bytes, data_offset);
      return FALSE;
    }

  *has_control_room =
      data_offset % SHND_NPY_SEGMENT_ALIGN == 0 &&
      data_offset + shnd_segment_round_up (n_bytes) + SHND_CONTROL_SIZE == info->size;
  return TRUE;
}

ShndSegment *
shnd_segment_map (const ShndFile *file, guint64 data_offset, guint64 n_bytes, GError **error)
{
  g_autoptr (ShndSegment) self = g_new0 (ShndSegment, 1);
  gboolean has_control, writable = (file->access & SHND_ACCESS_WRITE) != 0;
  ShndControlState control_state;
  guint32 control_flags;
  guint64 start, end;

  g_atomic_ref_count_init (&self->ref_count);
  self->fd = file->fd;
  self->name = file->name != NULL ? g_ref_string_new (file->name) : NULL;
  self->path = file->path != NULL ? g_canonicalize_filename (file->path, NULL) : NULL;
  self->access = writable ? SHND_ACCESS_READ_WRITE : SHND_ACCESS_READ;
  self->info = file->info;
  self->data = nothing;
  self->data_offset = data_offset;
  self->data_size = n_bytes;
  shnd_lock_init (self);
  shnd_process_add (self);

  control_state = shnd_control_read (self->fd, &self->info, &control_flags);
  self->adopted = control_state == SHND_CONTROL_OWN;
  self->persistent = !self->adopted || (control_flags & SHND_CONTROL_PERSISTENT) != 0;
  if (!init_lease (self, file->held, error))
    return NULL;

  if (!shnd_segment_check_size (&self->info, data_offset, n_bytes, &has_control, error))
    return NULL;

  /* One of ours is mapped with its control page, another file only as far as the elements go. */
  has_control = has_control && control_state != SHND_CONTROL_NONE;
  start = data_offset - data_offset % (guint64) sysconf (_SC_PAGESIZE);
  end = has_control ? self->info.size : data_offset + n_bytes;
  if (end == start)
    return g_steal_pointer (&self);

  self->mapping_length = end - start;
  self->mapping = mmap (NULL, self->mapping_length, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                        MAP_SHARED, self->fd, start);
  if (self->mapping == MAP_FAILED)
    {
      self->mapping = NULL;
      shnd_set_error_from_errno (error, errno, "Cannot map %" G_GSIZE_FORMAT " bytes",
                                 self->mapping_length);
      return NULL;
    }
  self->data = self->mapping + (data_offset - start);
  if (has_control)
    self->control = (gpointer) (self->mapping + (self->mapping_length - SHND_CONTROL_SIZE));

  return g_steal_pointer (&self);
}

ShndSegment *
shnd_segment_new_loan (ShndSegment *lender, GDestroyNotify give_back, gpointer give_back_data)
{
  ShndSegment *self = g_new (ShndSegment, 1);

  *self = (ShndSegment){
    .fd = lender->fd,
    .access = lender->access,
    .info = lender->info,
    .data = lender->data,
    .data_offset = lender->data_offset,
    .data_size = lender->data_size,
    .mapping = lender->mapping,
    .mapping_length = lender->mapping_length,
    .lock.fd = -1,
    .lender = shnd_segment_ref (lender),
    .give_back = give_back,
    .give_back_data = give_back_data,
  };
  g_atomic_ref_count_init (&self->ref_count);

  return self;
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

  if (self->lender != NULL)
    {
      self->give_back (self->give_back_data);
      shnd_segment_unref (self->lender);
      g_free (self);
      return;
    }

  shnd_process_remove (self);
  g_clear_pointer (&self->cow, shnd_cow_mapping_unref);
  if (self->mapping != NULL)
    munmap (self->mapping, self->mapping_length);
  close (self->fd);
  g_clear_pointer (&self->name, g_ref_string_release);
  g_free (self->path);
  g_free (self);
}

void
shnd_segment_move (ShndSegment *self, int fd)
{
  guint64 start = self->data_offset - (self->data - self->mapping);

  /* The new mapping takes the place of the old one at once: other threads may be looking. */
  if (self->mapping != NULL)
    mmap (self->mapping, self->mapping_length,
          self->access & SHND_ACCESS_WRITE ? PROT_READ | PROT_WRITE : PROT_READ,
          MAP_SHARED | MAP_FIXED, fd, start);
  dup3 (fd, self->fd, O_CLOEXEC);
}

gboolean
shnd_segment_unlink (ShndSegment *self, GError **error)
{
  int result;

  if (self->name == NULL)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "The array has no name that could be removed");
      return FALSE;
    }

  result = shnd_name_remove (self->name, &self->info);
  if (result == 0)
    return TRUE;

  if (result == ENOENT)
    g_set_error (error, SHND_ERROR, SHND_ERROR_NOT_FOUND,
                 "Cannot remove the array “%s”: the name is gone, or stands for another one by now",
                 self->name);
  else
    shnd_set_error_from_errno (error, result, "Cannot remove the array “%s”", self->name);
  return FALSE;
}
