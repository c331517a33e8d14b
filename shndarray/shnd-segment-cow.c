/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-segment-private.h"

#include "shnd-error-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes that scripts may scribble on: mappings that are copied on write.
 *
 * The memory of frames comes again and again. It has such a mapping that stays, as every new one
 * costs a page fault for each few pages, and the garbage collectors for which all this is made would
 * let hundreds of them pile up. When a page of it was written, it is left to those who have it, and
 * there is a new one. */

/* What the kernel says of a page in /proc/self/pagemap. */
#define PAGE_IS_PRESENT (G_GUINT64_CONSTANT (1) << 63)
#define PAGE_IS_SWAPPED (G_GUINT64_CONSTANT (1) << 62)
#define PAGE_IS_OF_FILE (G_GUINT64_CONSTANT (1) << 61)

/* How many pages are asked for at once. */
#define N_PAGES 1024

struct _ShndCowMapping
{
  gatomicrefcount ref_count;
  guint8 *data;
  gsize length;
};

static ShndCowMapping *
cow_mapping_new (ShndSegment *segment, guint64 offset, gsize length, GError **error)
{
  ShndCowMapping *self;
  gpointer data = MAP_FAILED;
  int fd;

  /* A mapping of the segment's own description would keep that, and the lease with it. */
  fd = shnd_file_reopen (segment->fd, O_RDONLY);
  /* Without /proc, or without permission by now, that has to do. */
  if (fd < 0 && (errno == ENOENT || errno == EACCES))
    fd = fcntl (segment->fd, F_DUPFD_CLOEXEC, 0);
  if (fd >= 0)
    {
      data = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, offset);
      close (fd);
    }
  if (data == MAP_FAILED)
    {
      shnd_set_error_from_errno (error, errno, "Cannot map %" G_GSIZE_FORMAT " bytes of “%s” again",
                                 length, segment->name != NULL ? segment->name : "(anonymous)");
      return NULL;
    }

  self = g_new (ShndCowMapping, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->data = data;
  self->length = length;

  return self;
}

static ShndCowMapping *
cow_mapping_ref (ShndCowMapping *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

void
shnd_cow_mapping_unref (ShndCowMapping *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  munmap (self->data, self->length);
  g_free (self);
}

/* Whether all of these bytes are still those of the file. */
static gboolean
is_clean (const guint8 *data, gsize n_bytes)
{
  const gsize page_size = sysconf (_SC_PAGESIZE);
  guintptr page = (guintptr) data / page_size;
  guintptr end = ((guintptr) data + n_bytes + page_size - 1) / page_size;
  guint64 entries[N_PAGES];
  int fd = open ("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

  while (fd >= 0 && page < end)
    {
      gsize n = MIN (end - page, N_PAGES);

      if (pread (fd, entries, n * sizeof (guint64), page * sizeof (guint64)) !=
          (gssize) (n * sizeof (guint64)))
        break;

      for (gsize i = 0; i < n; i++)
        if ((entries[i] & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)) != 0 &&
            (entries[i] & PAGE_IS_OF_FILE) == 0)
          goto out;
      page += n;
    }

out:
  if (fd >= 0)
    close (fd);
  return fd >= 0 && page >= end;
}

/* The one mapping of what is lent again and again, with those bytes as they are in the file. */
static ShndCowMapping *
get_lasting (ShndSegment *lender, const guint8 *data, gsize n_bytes, GError **error)
{
  /* A child of fork() finds it free. */
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lender->lock.mutex);
  ShndCowMapping *cow = lender->cow;

  if (cow == NULL || !is_clean (cow->data + (data - lender->mapping), n_bytes))
    {
      guint64 start = lender->data_offset - (lender->data - lender->mapping);

      cow = cow_mapping_new (lender, start, lender->mapping_length, error);
      if (cow == NULL)
        return NULL;
      g_clear_pointer (&lender->cow, shnd_cow_mapping_unref);
      lender->cow = cow;
    }

  return cow_mapping_ref (cow);
}

typedef struct
{
  ShndCowMapping *cow;
  ShndSegment *loan; /* or NULL: what has no time needs no reference */
} CowBytes;

static void
free_cow_bytes (gpointer data)
{
  CowBytes *self = data;

  shnd_cow_mapping_unref (self->cow);
  g_clear_pointer (&self->loan, shnd_segment_unref);
  g_free (self);
}

GBytes *
shnd_segment_get_cow_bytes (ShndSegment *self, const guint8 *data, gsize n_bytes, GError **error)
{
  ShndCowMapping *cow;
  CowBytes *bytes;
  gsize lead;

  if (n_bytes == 0)
    return g_bytes_new (NULL, 0);

  if (self->lender != NULL)
    {
      lead = data - self->mapping;
      cow = get_lasting (self->lender, data, n_bytes, error);
    }
  else
    {
      guint64 offset = self->data_offset + (data - self->data);

      lead = offset % (guint64) sysconf (_SC_PAGESIZE);
      cow = cow_mapping_new (self, offset - lead, lead + n_bytes, error);
    }
  if (cow == NULL)
    return NULL;

  bytes = g_new (CowBytes, 1);
  bytes->cow = cow;
  bytes->loan = self->lender != NULL ? shnd_segment_ref (self) : NULL;

  return g_bytes_new_with_free_func (cow->data + lead, n_bytes, free_cow_bytes, bytes);
}
