/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-error.h"
#include "shnd-names-private.h"
#include "shnd-wait-private.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Opening an array whose name is not there yet: inotify(7) tells of new names. */

/* How often the name is looked for where inotify does not tell, in microseconds: when there is no
 * instance of it left, for one. */
#define LOOK_INTERVAL 50000

typedef struct
{
  char *name;
  ShndAccess access;
  gint64 deadline; /* monotonic time, -1 for never */
  int fd;          /* tells of new names; or -1 */
} Wait;

static void
wait_free (Wait *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->name);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wait, wait_free)

static Wait *
wait_new (const char *name, ShndAccess access, gint64 timeout, GError **error)
{
  gint64 deadline;
  Wait *self;

  if (!shnd_wait_get_deadline (timeout, &deadline, error))
    return NULL;

  self = g_new (Wait, 1);
  self->name = g_strdup (name);
  self->access = access;
  self->deadline = deadline;

  /* Before the first look, so that nothing is missed in between. */
  self->fd = timeout != 0 ? inotify_init1 (IN_CLOEXEC | IN_NONBLOCK) : -1;
  if (self->fd >= 0 && inotify_add_watch (self->fd, SHND_SHM_DIR, IN_CREATE | IN_MOVED_TO) < 0)
    {
      close (self->fd);
      self->fd = -1;
    }

  return self;
}

/* Tries to open the array. Returns FALSE if it is to be waited for. */
static gboolean
look (const Wait *self, GCancellable *cancellable, ShndArray **array, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *array = NULL;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return TRUE;

  *array = shnd_array_open (self->name, self->access, &local_error);
  if (*array != NULL)
    return TRUE;

  if (!g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return TRUE;
    }

  if (self->deadline >= 0 && g_get_monotonic_time () >= self->deadline)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT, "There was no array named “%s” in time",
                   self->name);
      return TRUE;
    }

  return FALSE;
}

/* Which names are new does not matter: the look that follows costs less than to find out. */
static void
drain (const Wait *self)
{
  _Alignas(struct inotify_event) char buffer[4096];

  while (self->fd >= 0 && read (self->fd, buffer, sizeof buffer) > 0)
    ;
}

/* When to look without having been asked to; -1 for never. */
static gint64
get_wake_time (const Wait *self)
{
  char path[SHND_NAME_PATH_SIZE];
  ShndFileInfo info;
  gint64 time;

  /* A name that is there, but cannot be opened, is that of an orphan, or of an array whose holder
   * went in the very moment that another one came: then nothing tells that there is one again. */
  if (self->fd >= 0 && shnd_name_to_path (self->name, path, NULL) &&
      shnd_file_get_path_info (path, &info) != 0)
    return self->deadline;

  time = g_get_monotonic_time () + LOOK_INTERVAL;

  return self->deadline >= 0 ? MIN (time, self->deadline) : time;
}

/**
 * shnd_array_open_wait:
 * @name: the name of a shared array
 * @access: how to open it
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @error: return location for an error
 *
 * Opens an array by its name, and waits for one of that name if there is none.
 *
 * Fails with %SHND_ERROR_TIMED_OUT, also if @timeout is 0; with `G_IO_ERROR_CANCELLED`; and, as
 * soon as something of that name is there, as [func@Shnd.Array.open] does.
 *
 * Returns: (transfer full): the array
 */
ShndArray *
shnd_array_open_wait (
    const char *name, ShndAccess access, gint64 timeout, GCancellable *cancellable, GError **error)
{
  g_autoptr (Wait) wait = NULL;
  GPollFD cancelled = { .fd = -1 };
  gboolean can_poll;
  ShndArray *array;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  wait = wait_new (name, access, timeout, error);
  if (wait == NULL)
    return NULL;

  can_poll = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &cancelled);
  while (!look (wait, cancellable, &array, error))
    {
      struct pollfd fds[] = {
        { .fd = wait->fd, .events = POLLIN },
        { .fd = can_poll ? cancelled.fd : -1, .events = POLLIN },
      };
      gint64 wake_time = get_wake_time (wait);
      gint64 left = wake_time < 0 ? -1 : MAX (wake_time - g_get_monotonic_time (), 0);

      poll (fds, G_N_ELEMENTS (fds), left < 0 ? -1 : (int) MIN (left / 1000 + 1, G_MAXINT));
      drain (wait);
    }

  if (can_poll)
    g_cancellable_release_fd (cancellable);

  return array;
}

/* ---- Asynchronously ---- */

/* Is dispatched when there are new names, at its ready time, and when the task is cancelled. */
typedef struct
{
  GSource source;
  GTask *task;
} WaitSource;

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  GTask *task = ((WaitSource *) source)->task;
  Wait *wait = g_task_get_task_data (task);
  ShndArray *array;
  GError *error = NULL;

  drain (wait);
  if (!look (wait, g_task_get_cancellable (task), &array, &error))
    {
      g_source_set_ready_time (source, get_wake_time (wait));
      return G_SOURCE_CONTINUE;
    }

  if (array != NULL)
    g_task_return_pointer (task, array, g_object_unref);
  else
    g_task_return_error (task, error);

  return G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  g_object_unref (((WaitSource *) source)->task);
}

/**
 * shnd_array_open_wait_async:
 * @name: the name of a shared array
 * @access: how to open it
 * @timeout: how long to wait, in microseconds; -1 for ever, 0 not at all
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the array is open, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Opens an array as [func@Shnd.Array.open_wait] does, without blocking the caller.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [func@Shnd.Array.open_wait_finish].
 */
void
shnd_array_open_wait_async (const char *name,
                            ShndAccess access,
                            gint64 timeout,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  static GSourceFuncs funcs = { .dispatch = dispatch, .finalize = finalize };
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;
  GError *error = NULL;
  Wait *wait;

  g_return_if_fail (name != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, shnd_array_open_wait_async);
  wait = wait_new (name, access, timeout, &error);
  if (wait == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_task_set_task_data (task, wait, (GDestroyNotify) wait_free);

  source = g_source_new (&funcs, sizeof (WaitSource));
  ((WaitSource *) source)->task = g_object_ref (task);
  g_source_set_static_name (source, "[shnd] open");
  if (wait->fd >= 0)
    g_source_add_unix_fd (source, wait->fd, G_IO_IN);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }

  /* For the first look. */
  g_source_set_ready_time (source, 0);
  g_source_attach (source, g_task_get_context (task));
}

/**
 * shnd_array_open_wait_finish:
 * @result: what the callback of [func@Shnd.Array.open_wait_async] got
 * @error: return location for an error
 *
 * Gets the result of [func@Shnd.Array.open_wait_async].
 *
 * Fails with the errors of [func@Shnd.Array.open_wait].
 *
 * Returns: (transfer full): the array
 */
ShndArray *
shnd_array_open_wait_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_open_wait_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
