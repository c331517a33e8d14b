/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-lease-private.h"

#include "shnd-names-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
shnd_lease_begin (int fd)
{
  return shnd_file_lock (fd, SHND_BYTE_LEASE, F_RDLCK);
}

int
shnd_lease_join (int fd, gboolean *held)
{
  int result;

  switch (shnd_file_get_lock (fd, SHND_BYTE_LEASE))
    {
    case F_UNLCK:
      *held = FALSE;
      return 0;

    case F_WRLCK:
      return ENOENT;

    default:
      /* Should the others have gone meanwhile, this is the only one left: that will do. */
      *held = TRUE;
      result = shnd_file_lock (fd, SHND_BYTE_LEASE, F_RDLCK);
      return result == EAGAIN ? ENOENT : result;
    }
}

/* With a description that can be written and holds no lease: removes the name if nobody has one.
 * The name may stand for another file by now, which stays. */
static gboolean
remove_if_unheld (int fd, const char *name, const ShndFileInfo *info)
{
  gboolean removed;

  if (shnd_file_lock (fd, SHND_BYTE_LEASE, F_WRLCK) != 0)
    return FALSE;

  removed = shnd_name_remove (name, info) == 0;
  shnd_file_lock (fd, SHND_BYTE_LEASE, F_UNLCK);

  return removed;
}

/* A new description of the named file, for writing; -1 if the name is gone or stands for another
 * file, or may not be written. */
static int
open_again (const char *name, const ShndFileInfo *expected)
{
  ShndFileInfo info;
  int fd = shnd_name_open (name, O_RDWR);

  if (fd < 0)
    return -1;

  if (shnd_file_get_info (fd, &info) == 0 && shnd_file_is_same (&info, expected))
    return fd;

  close (fd);
  return -1;
}

void
shnd_lease_release (ShndSegment *segment)
{
  int fd;

  /* Every leaver drops its own lease before it asks for others', so that of several at once the
   * last to ask finds none. (Turning one's lock into a write lock in one step would fail for all
   * of them.) */
  if (!g_atomic_int_compare_and_exchange (&segment->leased, TRUE, FALSE))
    return;

  if (segment->persistent)
    return;

  if (segment->forks != shnd_process_get_forks ())
    {
      /* Another process may have the same description. Its lease is that of both, and to drop the
       * lock would take it from the other one too: it goes with the last one that uses it. */
      fd = open_again (segment->name, &segment->info);
      if (fd >= 0)
        shnd_segment_move (segment, fd);
    }
  else
    {
      shnd_file_lock (segment->fd, SHND_BYTE_LEASE, F_UNLCK);
      if (segment->access & SHND_ACCESS_WRITE)
        {
          remove_if_unheld (segment->fd, segment->name, &segment->info);
          return;
        }
      if (shnd_file_get_lock (segment->fd, SHND_BYTE_LEASE) != F_UNLCK)
        return;
      fd = open_again (segment->name, &segment->info);
    }

  if (fd >= 0)
    {
      remove_if_unheld (fd, segment->name, &segment->info);
      close (fd);
    }
}

ShndLeaseState
shnd_lease_reap (const char *name)
{
  ShndFileInfo info;
  gboolean removed = FALSE;
  short lock = F_RDLCK;
  guint32 flags;
  int fd;

  /* Most are none, and not even ours: those are not opened for writing. */
  fd = shnd_name_open (name, O_RDONLY);
  if (fd < 0)
    return SHND_LEASE_NONE;
  /* Root could remove those of others, too, and does not. */
  if (shnd_file_get_info (fd, &info) == 0 && info.owner == geteuid () &&
      shnd_control_read (fd, &info, &flags) == SHND_CONTROL_OWN &&
      (flags & SHND_CONTROL_PERSISTENT) == 0)
    lock = shnd_file_get_lock (fd, SHND_BYTE_LEASE);
  close (fd);
  if (lock != F_UNLCK)
    return lock == F_WRLCK ? SHND_LEASE_GOING : SHND_LEASE_NONE;

  fd = open_again (name, &info);
  if (fd >= 0)
    {
      removed = remove_if_unheld (fd, name, &info);
      close (fd);
    }

  return removed ? SHND_LEASE_REMOVED : SHND_LEASE_NONE;
}

char **
shnd_lease_reap_all (GError **error)
{
  g_auto (GStrv) names = shnd_names_read (SHND_SHM_DIR, error);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (names == NULL)
    return NULL;

  for (char **name = names; *name != NULL; name++)
    {
      if (shnd_lease_reap (*name) == SHND_LEASE_REMOVED)
        g_strv_builder_add (builder, *name);
    }

  return g_strv_builder_end (builder);
}
