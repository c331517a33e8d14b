/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-task-private.h"

/* What is to be copied. It holds what it needs, so that the array may be closed or gone before all
 * is copied. */
typedef struct
{
  ShndSegment *segment;
  ShndLayout layout; /* its dtype is owned */
  char *name;
  ShndCreateFlags flags;
  ShndArray *array; /* the outcome */
} Dup;

static void
dup_free (Dup *self)
{
  shnd_segment_unref (self->segment);
  shnd_dtype_unref (self->layout.dtype);
  g_free (self->name);
  g_clear_object (&self->array);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dup, dup_free)

static Dup *
dup_new (ShndArray *array, const char *name, ShndCreateFlags flags, GError **error)
{
  ShndSegment *segment = _shnd_array_acquire (array, SHND_ACCESS_READ, error);
  Dup *self;

  if (segment == NULL)
    return NULL;

  self = g_new0 (Dup, 1);
  self->segment = segment;
  self->layout = array->layout;
  shnd_dtype_ref (self->layout.dtype);
  self->name = g_strdup (name);
  self->flags = flags;

  return self;
}

static ShndArray *
dup_run (const Dup *self,
         GCancellable *cancellable,
         GFileProgressCallback progress_callback,
         gpointer progress_callback_data,
         GError **error)
{
  ShndContents contents = {
    .layout = self->layout,
    .cancellable = cancellable,
    .progress_callback = progress_callback,
    .progress_callback_data = progress_callback_data,
  };
  ShndLayout layout;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !_shnd_array_init_layout (&layout, self->layout.dtype, self->layout.shape,
                                self->layout.n_dims, self->flags, error))
    return NULL;

  return _shnd_array_create (self->name, &layout, &contents, self->flags, error);
}

/**
 * shnd_array_dup:
 * @self: an array
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @flags: how to make it
 * @cancellable: (nullable): a cancellable object
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called now and then
 *   with the number of bytes copied and to copy
 * @progress_callback_data: data for @progress_callback
 * @error: return location for an error
 *
 * Makes a new array with a copy of the elements.
 *
 * The copy has the dtype and the shape of the array, or the view; it is in C order, or in Fortran
 * order with %SHND_CREATE_FORTRAN, however the elements lie now. The name appears when all elements
 * are there: cancelled, or after an error, there is nothing.
 *
 * Fails as [ctor@Shnd.Array.new] does, with `G_IO_ERROR_CANCELLED`, and with %SHND_ERROR_CLOSED if
 * the array is closed.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_dup (ShndArray *self,
                const char *name,
                ShndCreateFlags flags,
                GCancellable *cancellable,
                GFileProgressCallback progress_callback,
                gpointer progress_callback_data,
                GError **error)
{
  g_autoptr (Dup) dup = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  dup = dup_new (self, name, flags, error);
  if (dup == NULL)
    return NULL;

  return dup_run (dup, cancellable, progress_callback, progress_callback_data, error);
}

static gboolean
dup_work (gpointer data, GCancellable *cancellable, GError **error)
{
  Dup *dup = data;

  dup->array = dup_run (dup, cancellable, NULL, NULL, error);

  return dup->array != NULL;
}

/**
 * shnd_array_dup_async:
 * @self: an array
 * @name: (nullable): a name that no segment has yet, or %NULL for an anonymous array
 * @flags: how to make it
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the copy is there, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Makes a copy as [method@Shnd.Array.dup] does, in another thread.
 *
 * @callback is called in the thread-default main context of the caller, and gets the copy from
 * [method@Shnd.Array.dup_finish]. A copy for which nobody asks there is given back.
 *
 * What is copied is what the array shows at the time of the call; the array may be closed or given
 * back before it is copied. What changes while it is copied may get into the copy or not.
 */
void
shnd_array_dup_async (ShndArray *self,
                      const char *name,
                      ShndCreateFlags flags,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GError *error = NULL;
  Dup *dup;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  dup = dup_new (self, name, flags, &error);
  shnd_task_start (self, shnd_array_dup_async, dup_work, dup, (GDestroyNotify) dup_free, error,
                   cancellable, callback, user_data);
}

/**
 * shnd_array_dup_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.dup_async] got
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.dup_async].
 *
 * Fails with the errors of [method@Shnd.Array.dup]; with %SHND_ERROR_CLOSED if the array was closed
 * before the call.
 *
 * Returns: (transfer full): the new array, open for reading and writing
 */
ShndArray *
shnd_array_dup_finish (ShndArray *self, GAsyncResult *result, GError **error)
{
  Dup *dup;

  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_dup_async), NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  dup = shnd_task_get_data (G_TASK (result));

  return g_steal_pointer (&dup->array);
}
