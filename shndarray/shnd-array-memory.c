/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error-private.h"
#include "shnd-task-private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The pages that an array is in: brought to the disk, and kept in memory. */

/* Of a file as much is written before the next look at the cancellable. Much less would cost: each
 * step ends with a commit to the file system's journal. */
#define SYNC_SIZE (64 * 1024 * 1024)

#define ALL_SYNC_FLAGS (SHND_SYNC_ASYNC | SHND_SYNC_INVALIDATE)

/* All pages from the first to the last byte of any element. */
static void
get_pages (const ShndLayout *layout, guint8 **start, gsize *length)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize lead;
  gint64 low, high;

  shnd_layout_get_span (layout, &low, &high);
  *length = high - low;
  *start = layout->data + low;
  if (*length == 0)
    return;

  lead = (guintptr) *start % page_size;
  *start -= lead;
  *length += lead;
}

/* ---- Files ---- */

/* Which memory is to be brought to the disk, and what keeps it until then. */
typedef struct
{
  ShndSegment *segment;
  guint8 *start;
  gsize length;
  int flags;
} Sync;

static void
sync_free (Sync *self)
{
  shnd_segment_unref (self->segment);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sync, sync_free)

static Sync *
sync_new (ShndArray *array, ShndSyncFlags flags, GError **error)
{
  ShndSegment *segment;
  Sync *self;

  if ((flags & ~ALL_SYNC_FLAGS) != 0)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_ARGUMENT,
                   "Flags %u: expected a combination of ShndSyncFlags", (guint) flags);
      return NULL;
    }

  segment = _shnd_array_acquire (array, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return NULL;

  self = g_new (Sync, 1);
  self->segment = segment;
  self->flags = (flags & SHND_SYNC_ASYNC ? MS_ASYNC : MS_SYNC) |
                (flags & SHND_SYNC_INVALIDATE ? MS_INVALIDATE : 0);
  get_pages (&array->layout, &self->start, &self->length);

  return self;
}

static gboolean
sync_run (gpointer data, GCancellable *cancellable, GError **error)
{
  const Sync *self = data;

  for (gsize done = 0; done < self->length; done += SYNC_SIZE)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      if (msync (self->start + done, MIN (SYNC_SIZE, self->length - done), self->flags) == 0)
        continue;

      if (errno == EBUSY)
        g_set_error_literal (
            error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
            "Cannot sync the array with INVALIDATE: its memory is locked, expected "
            "munlock() before");
      else
        shnd_set_error_from_errno (error, errno, "Cannot sync the array");
      return FALSE;
    }

  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/**
 * shnd_array_sync:
 * @self: an array
 * @flags: how to do it
 * @cancellable: (nullable): a cancellable object
 * @error: return location for an error
 *
 * Brings to the disk what was written to an array that is a file there.
 *
 * That is one from [ctor@Shnd.Array.new_path] or [func@Shnd.Array.open_path]. Without this call the
 * system writes when it sees fit, and what it has not written is lost if the machine loses power;
 * the end of a process loses nothing. Other processes see what was written at once in any case.
 *
 * It is about all pages from the first to the last element of the view. An array in memory has no
 * disk: this is then successful, and does nothing.
 *
 * Fails with %SHND_ERROR_FAILED if the disk does, with %SHND_ERROR_NO_SPACE if a sparse file finds
 * no room on it, with %SHND_ERROR_UNSUPPORTED if %SHND_SYNC_INVALIDATE meets pages that
 * [method@Shnd.Array.mlock] has locked, with `G_IO_ERROR_CANCELLED` when a part may have been
 * written, and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: whether it was done
 */
gboolean
shnd_array_sync (ShndArray *self, ShndSyncFlags flags, GCancellable *cancellable, GError **error)
{
  g_autoptr (Sync) sync = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  sync = sync_new (self, flags, error);

  return sync != NULL && sync_run (sync, cancellable, error);
}

/**
 * shnd_array_sync_async:
 * @self: an array
 * @flags: how to do it
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when it is done, or the attempt
 *   has failed
 * @user_data: data for @callback
 *
 * Brings an array to the disk as [method@Shnd.Array.sync] does, in another thread.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [method@Shnd.Array.sync_finish]. The array may be closed or given back before it is done.
 */
void
shnd_array_sync_async (ShndArray *self,
                       ShndSyncFlags flags,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GError *error = NULL;
  Sync *sync;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  sync = sync_new (self, flags, &error);
  shnd_task_start (self, shnd_array_sync_async, sync_run, sync, (GDestroyNotify) sync_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_array_sync_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.sync_async] got
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.sync_async].
 *
 * Fails with the errors of [method@Shnd.Array.sync]; with %SHND_ERROR_CLOSED if the array was
 * closed before the call.
 *
 * Returns: whether it was done
 */
gboolean
shnd_array_sync_finish (ShndArray *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_sync_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Memory ---- */

/* How much memory this process has locked, in bytes; 0 if unknown. */
static guint64
get_locked_memory (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;

  line = strstr (text, "\nVmLck:");

  return line != NULL ? g_ascii_strtoull (line + strlen ("\nVmLck:"), NULL, 10) * 1024 : 0;
}

static void
set_mlock_error (GError **error, int saved_errno, guint8 *start, gsize length)
{
  struct rlimit limit;

  /* What the kernel says is the same for too little memory and for too low a limit, but only the
   * latter stops a lock that brings nothing in. Then nothing has changed; else all has but the
   * bringing in. */
  if (mlock2 (start, length, MLOCK_ONFAULT) == 0)
    {
      munlock (start, length);
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "Cannot lock %" G_GSIZE_FORMAT
                   " bytes of memory: the system could not bring them all in (%s)",
                   length, g_strerror (saved_errno));
    }
  else if ((saved_errno == ENOMEM || saved_errno == EPERM) &&
           getrlimit (RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                   "Cannot lock %" G_GSIZE_FORMAT " bytes of memory: the limit of this process "
                   "(RLIMIT_MEMLOCK) is %" G_GUINT64_FORMAT " bytes, of which %" G_GUINT64_FORMAT
                   " are in use",
                   length, (guint64) limit.rlim_cur, get_locked_memory ());
    }
  else
    {
      shnd_set_error_from_errno (error, saved_errno,
                                 "Cannot lock %" G_GSIZE_FORMAT " bytes of memory", length);
    }
}

/**
 * shnd_array_mlock:
 * @self: an array
 * @error: return location for an error
 *
 * Brings the memory of an array, or a view, into RAM, and keeps it from being swapped out.
 *
 * What is locked are all pages from the first to the last byte of any element. They stay so until
 * [method@Shnd.Array.munlock], or until the last array, view or other user of this mapping is gone.
 *
 * Locks are this process's own: those of others on the same array are independent of them, and a
 * child that it forks has none. They do not add up: a page that was locked twice, through two
 * overlapping views or twice through one, is unlocked by one [method@Shnd.Array.munlock] of either.
 * Arrays that were opened separately do not count as overlapping.
 *
 * Fails with %SHND_ERROR_NO_SPACE if the limit of the process (`RLIMIT_MEMLOCK`, see `ulimit -l`)
 * does not allow it, in which case nothing has changed, or if the memory cannot be had, in which
 * case the pages are unlocked; and with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: whether the memory is locked
 */
gboolean
shnd_array_mlock (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  guint8 *start;
  gsize length;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return FALSE;

  get_pages (&self->layout, &start, &length);
  if (length == 0 || mlock (start, length) == 0)
    return TRUE;

  set_mlock_error (error, errno, start, length);

  return FALSE;
}

/**
 * shnd_array_munlock:
 * @self: an array
 * @error: return location for an error
 *
 * Lets the memory of an array, or a view, be swapped out again.
 *
 * This holds for all its pages, also for those that it shares with other views of the same array,
 * and however often they were locked: see [method@Shnd.Array.mlock]. Memory that is not locked is
 * no error.
 *
 * Fails with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: whether the memory is unlocked
 */
gboolean
shnd_array_munlock (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  guint8 *start;
  gsize length;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);
  if (segment == NULL)
    return FALSE;

  get_pages (&self->layout, &start, &length);
  if (length == 0 || munlock (start, length) == 0)
    return TRUE;

  shnd_set_error_from_errno (error, errno, "Cannot unlock %" G_GSIZE_FORMAT " bytes of memory",
                             length);
  return FALSE;
}
