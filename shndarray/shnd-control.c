/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-control-private.h"

#include "shnd-write-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

G_STATIC_ASSERT (G_STRUCT_OFFSET (ShndControlPage, flags) == 12);
G_STATIC_ASSERT (G_STRUCT_OFFSET (ShndControlPage, inode) == 16);
G_STATIC_ASSERT (G_STRUCT_OFFSET (ShndControlPage, birth) == 24);
G_STATIC_ASSERT (G_STRUCT_OFFSET (ShndControlPage, lock) == 64);
G_STATIC_ASSERT (G_STRUCT_OFFSET (ShndControlPage, sequence) == 128);
G_STATIC_ASSERT (sizeof (ShndControlPage) == 136);

/* Up to here the page says what it is; the rest changes while others look. */
#define HEAD_SIZE G_STRUCT_OFFSET (ShndControlPage, unused_32)

gboolean
shnd_control_write (int fd, const ShndFileInfo *info, guint64 file_size, guint32 flags)
{
  guint8 bytes[SHND_CONTROL_SIZE] = { 0 };
  ShndControlPage page = {
    .magic = SHND_CONTROL_MAGIC,
    .version = GUINT32_TO_LE (SHND_CONTROL_VERSION),
    .flags = GUINT32_TO_LE (flags),
    .inode = GUINT64_TO_LE ((guint64) info->inode),
    .birth = GUINT64_TO_LE (info->birth),
  };

  memcpy (bytes, &page, sizeof page);

  return shnd_write_all (fd, bytes, sizeof bytes, file_size - sizeof bytes);
}

gboolean
shnd_control_is_own (const ShndControlPage *page, const ShndFileInfo *info)
{
  return __atomic_load_n (&page->inode, __ATOMIC_SEQ_CST) ==
             GUINT64_TO_LE ((guint64) info->inode) &&
         page->birth == GUINT64_TO_LE (info->birth);
}

static ShndControlState
get_state (const ShndControlPage *page, const ShndFileInfo *info)
{
  if (memcmp (page->magic, SHND_CONTROL_MAGIC, sizeof page->magic) != 0 ||
      page->version != GUINT32_TO_LE (SHND_CONTROL_VERSION))
    return SHND_CONTROL_NONE;

  return shnd_control_is_own (page, info) ? SHND_CONTROL_OWN : SHND_CONTROL_COPY;
}

/* Reads the first `size` bytes of the page. */
static ShndControlState
read_page (int fd, const ShndFileInfo *info, ShndControlPage *page, gssize size)
{
  gssize n;

  /* At least a page each of header and control. */
  if (info->size < 2 * SHND_CONTROL_SIZE || info->size % SHND_CONTROL_SIZE != 0)
    return SHND_CONTROL_NONE;

  do
    n = pread (fd, page, size, info->size - SHND_CONTROL_SIZE);
  while (n < 0 && errno == EINTR);

  return n == size ? get_state (page, info) : SHND_CONTROL_NONE;
}

ShndControlState
shnd_control_read_page (int fd, const ShndFileInfo *info, ShndControlPage *page)
{
  return read_page (fd, info, page, sizeof *page);
}

ShndControlState
shnd_control_read (int fd, const ShndFileInfo *info, guint32 *flags)
{
  ShndControlPage page;
  ShndControlState state = read_page (fd, info, &page, HEAD_SIZE);

  *flags = state == SHND_CONTROL_OWN ? GUINT32_FROM_LE (page.flags) : 0;

  return state;
}

int
shnd_control_adopt (int fd, const ShndFileInfo *info, ShndControlPage *page)
{
  guint32 flags;
  int result;

  /* Two processes may find the same copy at the same time. */
  result = shnd_file_lock_soon (fd, SHND_BYTE_ADOPT);
  if (result != 0)
    return result;

  if (shnd_control_read (fd, info, &flags) != SHND_CONTROL_OWN)
    {
      __atomic_store_n (&page->lock, 0, __ATOMIC_SEQ_CST);
      __atomic_store_n (&page->sequence, 0, __ATOMIC_SEQ_CST);
      page->flags = GUINT32_TO_LE (SHND_CONTROL_PERSISTENT);
      page->birth = GUINT64_TO_LE (info->birth);
      /* Last, as it makes the rest valid. */
      __atomic_store_n (&page->inode, GUINT64_TO_LE ((guint64) info->inode), __ATOMIC_SEQ_CST);
    }

  return shnd_file_lock (fd, SHND_BYTE_ADOPT, F_UNLCK);
}
