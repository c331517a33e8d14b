/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-write-private.h"

#include "shnd-copy-private.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* Large enough to make the system calls not count, small enough to be cancelled in between. */
#define CHUNK_SIZE (4 * 1024 * 1024)

/* Strided elements are gathered first; this much stays in the cache. */
#define GATHER_SIZE (256 * 1024)

gboolean
shnd_write_all (int fd, gconstpointer data, gsize length, guint64 offset)
{
  const guint8 *bytes = data;

  while (length > 0)
    {
      gssize n = pwrite (fd, bytes, length, offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;

      bytes += n;
      length -= n;
      offset += n;
    }

  return TRUE;
}

gboolean
shnd_write_allowed (guint64 file_size)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
         file_size <= limit.rlim_cur;
}

int
shnd_write_contents (const ShndContents *contents, ShndWriteFunc write, gpointer data)
{
  const ShndLayout *layout = &contents->layout;
  gsize item_size = layout->dtype->item_size;
  guint64 size = shnd_layout_get_size (layout);
  gboolean contiguous = shnd_layout_get_order (layout) == SHND_ORDER_C;
  g_autofree guint8 *buffer = NULL;
  guint64 n_per_chunk;

  if (size == 0 || item_size == 0)
    {
      if (contents->progress_callback != NULL)
        contents->progress_callback (0, 0, contents->progress_callback_data);
      return g_cancellable_is_cancelled (contents->cancellable) ? ECANCELED : 0;
    }

  n_per_chunk = MAX ((contiguous ? CHUNK_SIZE : GATHER_SIZE) / item_size, 1);
  if (!contiguous)
    {
      buffer = g_try_malloc_n (MIN (n_per_chunk, size), item_size);
      if (buffer == NULL)
        return ENOMEM;
    }

  for (guint64 first = 0; first < size;)
    {
      guint64 n = MIN (n_per_chunk, size - first);
      const guint8 *chunk = layout->data + first * item_size;
      int result;

      if (g_cancellable_is_cancelled (contents->cancellable))
        return ECANCELED;

      if (!contiguous)
        {
          shnd_gather (layout, first, n, buffer);
          chunk = buffer;
        }
      result = write (data, chunk, n * item_size);
      if (result != 0)
        return result;

      first += n;
      if (contents->progress_callback != NULL)
        contents->progress_callback (first * item_size, size * item_size,
                                     contents->progress_callback_data);
    }

  return g_cancellable_is_cancelled (contents->cancellable) ? ECANCELED : 0;
}

typedef struct
{
  int fd;
  guint64 offset;
} Position;

static int
write_at (gpointer data, gconstpointer bytes, gsize length)
{
  Position *position = data;

  if (!shnd_write_all (position->fd, bytes, length, position->offset))
    return errno;

  position->offset += length;

  return 0;
}

int
shnd_write_contents_at (const ShndContents *contents, int fd, guint64 offset)
{
  Position position = { .fd = fd, .offset = offset };

  return shnd_write_contents (contents, write_at, &position);
}
