/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-private.h"

#include "shnd-enum-types.h"
#include "shnd-error.h"
#include "shnd-lock-private.h"
#include "shnd-process-private.h"

/* How a thread waits for another one that is inside: how often it yields before it sleeps, and for
 * how many microseconds then. */
#define N_YIELDS 100
#define ENTER_INTERVAL 50

/**
 * ShndArray:
 *
 * A typed array of N dimensions in memory that processes share.
 *
 * One process makes an array under a name; any other opens it by that name alone and sees the
 * dtype and the shape that its maker gave it. Both look at the same memory: nothing is copied, and
 * what one writes the others read at once. [method@Shnd.Array.lock] and [method@Shnd.Array.update]
 * are there for those who want an order between the two.
 *
 * ```c
 * const gint64 shape[] = { 1080, 1920, 4 };
 * g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", &error);
 * g_autoptr (ShndArray) frame = shnd_array_new ("cam0", dtype, shape, 3, SHND_CREATE_NONE, &error);
 * guint8 *pixels = shnd_array_get_data (frame);
 * ```
 *
 * and elsewhere
 *
 * ```c
 * g_autoptr (ShndArray) frame = shnd_array_open ("cam0", SHND_ACCESS_READ, &error);
 * ```
 *
 * ## Names and files
 *
 * A named array is the POSIX shared-memory object of that name: on Linux the file
 * `/dev/shm/NAME`. Its content is a valid `.npy` file, so that NumPy and all others who read that
 * format can open a live array without this library. Any other `.npy` file can be opened as an
 * array with [func@Shnd.Array.open_path], and memory that something else shares without a header
 * with [func@Shnd.Array.open_segment].
 *
 * A name has 1 to 255 bytes of UTF-8, no slash, and does not begin with a dot. It goes with the last
 * process that has the array open by its name, however that one ends, unless the array was made with
 * %SHND_CREATE_PERSISTENT: then it stays until it is removed with [method@Shnd.Array.unlink] or
 * [func@Shnd.unlink], which can be done at any time. The memory stays as long as anyone has it open.
 *
 * A process that is killed, or ends with `_exit()`, may leave an orphan: a name that nobody has open.
 * It is not found when it is opened, and is free for a new array; [func@Shnd.reap] gives back its
 * memory.
 *
 * An array without a name is anonymous memory of this process, and of those it forks. Others get it
 * as a file descriptor: [method@Shnd.Array.send] sends it over a socket,
 * [method@Shnd.Array.to_variant] puts it into a D-Bus call, and [method@Shnd.Array.seal] sees to it
 * that they cannot do anything to it but read.
 *
 * ## Lock and change counter
 *
 * The arrays that this library makes have a lock and a change counter, which are the same for all
 * handles in all processes. An owner of the lock that dies loses it, and the next one is told. Who
 * waits for the counter is woken by [method@Shnd.Array.update]; the signal
 * [signal@Shnd.Array::updated] brings that to a main loop.
 *
 * ## Fork
 *
 * After `fork()` parent and child have the same arrays open, and keep their names together until
 * both have closed them or ended. A lock stays the parent's. Asynchronous calls and the signal
 * `updated` go on in the parent alone.
 *
 * ## Views
 *
 * [method@Shnd.Array.slice], [method@Shnd.Array.index], [method@Shnd.Array.reshape],
 * [method@Shnd.Array.transpose] and [method@Shnd.Array.field] give arrays that show the same
 * memory. The memory is unmapped when the last of the arrays and [struct@GLib.Bytes] that show it
 * is gone, in whatever order they go.
 *
 * ## Errors and signals
 *
 * Opening believes nothing that a file says before it has been checked against the file's size.
 * What cannot be checked is what happens later: whoever may write to a named array's file may cut
 * it short, and a process that then touches the missing memory gets a `SIGBUS`. Memory that is sealed
 * stays.
 *
 * ## Threads
 *
 * An array may be used from several threads, and closed while another works on it: what has begun
 * is finished. The elements are plain memory, which can be read and written by any thread at any
 * time, lock or not; and an address from [method@Shnd.Array.get_data] is only as good as what keeps
 * the memory.
 */

enum
{
  PROP_NAME = 1,
  PROP_DTYPE,
  PROP_SHAPE,
  PROP_STRIDES,
  PROP_N_DIMS,
  PROP_SIZE,
  PROP_ITEM_SIZE,
  PROP_N_BYTES,
  PROP_ORDER,
  PROP_ACCESS,
  PROP_CLOSED,
  PROP_PERSISTENT,
  PROP_SYNCHRONIZABLE,
  PROP_LOCKED,
  PROP_SEQUENCE,
  PROP_WATCHING,
  PROP_SEALED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

enum
{
  UPDATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (ShndArray, shnd_array, G_TYPE_OBJECT)

/* Of one that is still as g_object_new() alone made it. */
static void
set_layout (ShndArray *self, ShndSegment *segment, const ShndLayout *layout)
{
  shnd_dtype_unref (self->layout.dtype);
  self->layout = *layout;
  shnd_dtype_ref (self->layout.dtype);
  self->segment = shnd_segment_ref (segment);
  self->access = segment->access;
  if (segment->name != NULL)
    self->name = g_ref_string_acquire (segment->name);
}

ShndArray *
_shnd_array_new_for_layout (ShndSegment *segment, const ShndLayout *layout)
{
  ShndArray *self = g_object_new (SHND_TYPE_ARRAY, NULL);

  set_layout (self, segment, layout);

  return self;
}

ShndArray *
_shnd_array_new_view (ShndSegment *segment, const ShndLayout *layout)
{
  ShndArray *self = _shnd_array_new_for_layout (segment, layout);

  self->is_view = TRUE;

  return self;
}

void
_shnd_array_become_view (ShndArray *self, ShndSegment *segment, const ShndLayout *layout)
{
  set_layout (self, segment, layout);
  self->is_view = TRUE;
}

/* A lock that costs one atomic operation, where g_bit_lock() takes two. */
void
_shnd_array_enter (ShndArray *self)
{
  guint mark = shnd_process_get_mark ();

  for (guint i = 0; __atomic_exchange_n (&self->entered, mark, __ATOMIC_SEQ_CST) == mark; i++)
    {
      /* If yielding does not help, the other one has a lower priority. */
      if (i < N_YIELDS)
        g_thread_yield ();
      else
        g_usleep (ENTER_INTERVAL);
    }
}

void
_shnd_array_leave (ShndArray *self)
{
  __atomic_store_n (&self->entered, 0, __ATOMIC_RELEASE);
}

ShndSegment *
_shnd_array_acquire (ShndArray *self, ShndAccess access, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  _shnd_array_enter (self);
  if (G_LIKELY (self->segment != NULL))
    segment = shnd_segment_ref (self->segment);
  _shnd_array_leave (self);

  if (G_UNLIKELY (segment == NULL))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_CLOSED,
                           "The array is closed: expected one that is open");
      return NULL;
    }

  if (G_UNLIKELY ((access & SHND_ACCESS_WRITE) != 0 && (self->access & SHND_ACCESS_WRITE) == 0))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_READ_ONLY,
                           "The array was opened for reading: expected access READ_WRITE");
      return NULL;
    }

  return g_steal_pointer (&segment);
}

/* Lets go of the segment, and of what the handle has of it. Returns whether there was one. */
static gboolean
release_segment (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;
  ShndWait *watch;
  gboolean wake;

  _shnd_array_enter (self);
  segment = self->segment;
  /* Who only wants to know whether there is one looks from outside. */
  g_atomic_pointer_set (&self->segment, NULL);
  watch = g_steal_pointer (&self->watch);
  _shnd_array_leave (self);

  if (watch != NULL)
    shnd_wait_end (watch);
  if (segment == NULL)
    return FALSE;

  /* Without lock and counter nobody waits. */
  if (segment->control == NULL)
    return TRUE;

  shnd_wait_interrupt (self);
  shnd_lock_release (segment, self, FALSE, &wake);
  if (wake)
    shnd_lock_wake (segment);

  return TRUE;
}

static void
shnd_array_dispose (GObject *object)
{
  ShndArray *self = SHND_ARRAY (object);

  release_segment (self);

  G_OBJECT_CLASS (shnd_array_parent_class)->dispose (object);
}

static void
shnd_array_finalize (GObject *object)
{
  ShndArray *self = SHND_ARRAY (object);

  shnd_dtype_unref (self->layout.dtype);
  g_clear_pointer (&self->name, g_ref_string_release);

  G_OBJECT_CLASS (shnd_array_parent_class)->finalize (object);
}

static GVariant *
dimensions_to_variant (const gint64 *dimensions, guint n_dims)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, dimensions, n_dims, sizeof *dimensions);
}

static void
shnd_array_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  ShndArray *self = SHND_ARRAY (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, shnd_array_get_name (self));
      break;
    case PROP_DTYPE:
      g_value_set_boxed (value, self->layout.dtype);
      break;
    case PROP_SHAPE:
      g_value_set_variant (value, dimensions_to_variant (self->layout.shape, self->layout.n_dims));
      break;
    case PROP_STRIDES:
      g_value_set_variant (value,
                           dimensions_to_variant (self->layout.strides, self->layout.n_dims));
      break;
    case PROP_N_DIMS:
      g_value_set_uint (value, self->layout.n_dims);
      break;
    case PROP_SIZE:
      g_value_set_uint64 (value, shnd_array_get_size (self));
      break;
    case PROP_ITEM_SIZE:
      g_value_set_uint64 (value, shnd_array_get_item_size (self));
      break;
    case PROP_N_BYTES:
      g_value_set_uint64 (value, shnd_array_get_n_bytes (self));
      break;
    case PROP_ORDER:
      g_value_set_enum (value, shnd_array_get_order (self));
      break;
    case PROP_ACCESS:
      g_value_set_flags (value, self->access);
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, shnd_array_get_closed (self));
      break;
    case PROP_PERSISTENT:
      g_value_set_boolean (value, shnd_array_get_persistent (self));
      break;
    case PROP_SYNCHRONIZABLE:
      g_value_set_boolean (value, shnd_array_get_synchronizable (self));
      break;
    case PROP_LOCKED:
      g_value_set_boolean (value, shnd_array_get_locked (self));
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, shnd_array_get_sequence (self));
      break;
    case PROP_WATCHING:
      g_value_set_boolean (value, shnd_array_get_watching (self));
      break;
    case PROP_SEALED:
      g_value_set_boolean (value, shnd_array_get_sealed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

void
_shnd_array_emit_updated (ShndArray *self, guint64 sequence)
{
  g_signal_emit (self, signals[UPDATED], 0, sequence);
}

static void
shnd_array_class_init (ShndArrayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = shnd_array_dispose;
  object_class->finalize = shnd_array_finalize;
  object_class->get_property = shnd_array_get_property;

  /**
   * ShndArray:name: (getter get_name)
   *
   * The name of the array in shared memory, or %NULL if it has none.
   */
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);

  /**
   * ShndArray:dtype: (getter get_dtype)
   *
   * What each element is.
   */
  props[PROP_DTYPE] = g_param_spec_boxed ("dtype", NULL, NULL, SHND_TYPE_DTYPE, flags);

  /**
   * ShndArray:shape:
   *
   * The number of elements along each axis, as a variant of type `ax`.
   */
  props[PROP_SHAPE] =
      g_param_spec_variant ("shape", NULL, NULL, G_VARIANT_TYPE ("ax"), NULL, flags);

  /**
   * ShndArray:strides:
   *
   * The distance in bytes from one element to the next along each axis, as a variant of type `ax`.
   */
  props[PROP_STRIDES] =
      g_param_spec_variant ("strides", NULL, NULL, G_VARIANT_TYPE ("ax"), NULL, flags);

  /**
   * ShndArray:n-dims: (getter get_n_dims)
   *
   * The number of dimensions, 0 to [const@Shnd.MAX_DIMS].
   */
  props[PROP_N_DIMS] = g_param_spec_uint ("n-dims", NULL, NULL, 0, SHND_MAX_DIMS, 1, flags);

  /**
   * ShndArray:size: (getter get_size)
   *
   * The number of elements.
   */
  props[PROP_SIZE] = g_param_spec_uint64 ("size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArray:item-size: (getter get_item_size)
   *
   * The size of one element in bytes.
   */
  props[PROP_ITEM_SIZE] = g_param_spec_uint64 ("item-size", NULL, NULL, 0, G_MAXUINT64, 1, flags);

  /**
   * ShndArray:n-bytes: (getter get_n_bytes)
   *
   * The number of bytes that the elements take: [property@Shnd.Array:size] times
   * [property@Shnd.Array:item-size].
   */
  props[PROP_N_BYTES] = g_param_spec_uint64 ("n-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArray:order: (getter get_order)
   *
   * How the elements lie in memory.
   */
  props[PROP_ORDER] = g_param_spec_enum ("order", NULL, NULL, SHND_TYPE_ORDER, SHND_ORDER_C, flags);

  /**
   * ShndArray:access: (getter get_access)
   *
   * Whether the elements can be written: %SHND_ACCESS_READ or %SHND_ACCESS_READ_WRITE.
   */
  props[PROP_ACCESS] =
      g_param_spec_flags ("access", NULL, NULL, SHND_TYPE_ACCESS, SHND_ACCESS_READ, flags);

  /**
   * ShndArray:closed: (getter get_closed)
   *
   * Whether the array has no memory: it was closed, or not made by a constructor of this class.
   */
  props[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);

  /**
   * ShndArray:persistent: (getter get_persistent)
   *
   * Whether the name of the array stays when nobody has it open any more.
   */
  props[PROP_PERSISTENT] = g_param_spec_boolean ("persistent", NULL, NULL, FALSE, flags);

  /**
   * ShndArray:synchronizable: (getter get_synchronizable)
   *
   * Whether the array has a lock and a change counter.
   */
  props[PROP_SYNCHRONIZABLE] = g_param_spec_boolean ("synchronizable", NULL, NULL, FALSE, flags);

  /**
   * ShndArray:locked: (getter get_locked)
   *
   * Whether this handle has the lock of the array. There is no notification.
   */
  props[PROP_LOCKED] = g_param_spec_boolean ("locked", NULL, NULL, FALSE, flags);

  /**
   * ShndArray:sequence: (getter get_sequence)
   *
   * The change counter of the array. There is no notification: see [signal@Shnd.Array::updated].
   */
  props[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArray:watching: (getter get_watching)
   *
   * Whether this handle emits [signal@Shnd.Array::updated].
   */
  props[PROP_WATCHING] = g_param_spec_boolean ("watching", NULL, NULL, FALSE, flags);

  /**
   * ShndArray:sealed: (getter get_sealed)
   *
   * Whether the array's memory is sealed. There is a notification when this handle has sealed it.
   */
  props[PROP_SEALED] = g_param_spec_boolean ("sealed", NULL, NULL, FALSE, flags);

  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * ShndArray::updated:
   * @self: the array
   * @sequence: the change counter
   *
   * Somebody, in this process or another, has called [method@Shnd.Array.update].
   *
   * It is emitted only after [method@Shnd.Array.watch], in the main context that was the
   * thread-default one of that call. Updates that come faster than that context gets to them are
   * one emission, with the latest counter.
   */
  signals[UPDATED] = g_signal_new ("updated", SHND_TYPE_ARRAY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
}

static void
shnd_array_init (ShndArray *self)
{
  static gsize once;
  static ShndDType *dtype;

  if (g_once_init_enter (&once))
    {
      dtype = shnd_dtype_new ("uint8", NULL);
      g_once_init_leave (&once, 1);
    }

  /* What g_object_new() alone gives: no elements, and no memory. */
  self->layout.dtype = shnd_dtype_ref (dtype);
  self->layout.n_dims = 1;
  self->layout.strides[0] = 1;
  self->access = SHND_ACCESS_READ;
}

/**
 * shnd_array_get_name: (get-property name)
 * @self: an array
 *
 * Gets the name of the array in shared memory.
 *
 * It stays the same when the array is closed or its name removed.
 *
 * Returns: (nullable): the name, or %NULL if it is anonymous or a file's
 */
const char *
shnd_array_get_name (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  return self->name;
}

/**
 * shnd_array_get_dtype: (get-property dtype)
 * @self: an array
 *
 * Gets what each element is.
 *
 * Returns: (transfer none): the dtype; never of kind %SHND_DTYPE_KIND_SUBARRAY, as its dimensions
 *   are then part of the array's shape
 */
ShndDType *
shnd_array_get_dtype (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  return self->layout.dtype;
}

/**
 * shnd_array_get_n_dims: (get-property n-dims)
 * @self: an array
 *
 * Gets the number of dimensions.
 *
 * Returns: 0 to [const@Shnd.MAX_DIMS]
 */
guint
shnd_array_get_n_dims (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);

  return self->layout.n_dims;
}

/**
 * shnd_array_get_shape:
 * @self: an array
 * @n_dims: (out) (optional): return location for the number of dimensions
 *
 * Gets the number of elements along each axis.
 *
 * Returns: (array length=n_dims) (transfer none): the shape; valid as long as the array is
 */
const gint64 *
shnd_array_get_shape (ShndArray *self, guint *n_dims)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  if (n_dims != NULL)
    *n_dims = self->layout.n_dims;

  return self->layout.shape;
}

/**
 * shnd_array_get_strides:
 * @self: an array
 * @n_dims: (out) (optional): return location for the number of dimensions
 *
 * Gets the distance in bytes from one element to the next along each axis.
 *
 * A stride can be negative, or of any value where the axis has less than two elements.
 *
 * Returns: (array length=n_dims) (transfer none): the strides; valid as long as the array is
 */
const gint64 *
shnd_array_get_strides (ShndArray *self, guint *n_dims)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), NULL);

  if (n_dims != NULL)
    *n_dims = self->layout.n_dims;

  return self->layout.strides;
}

/**
 * shnd_array_get_size: (get-property size)
 * @self: an array
 *
 * Gets the number of elements: the product of the shape.
 *
 * Returns: the number; 1 for an array without dimensions
 */
guint64
shnd_array_get_size (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);

  return shnd_layout_get_size (&self->layout);
}

/**
 * shnd_array_get_item_size: (get-property item-size)
 * @self: an array
 *
 * Gets the size of one element.
 *
 * Returns: the size in bytes
 */
gsize
shnd_array_get_item_size (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);

  return self->layout.dtype->item_size;
}

/**
 * shnd_array_get_n_bytes: (get-property n-bytes)
 * @self: an array
 *
 * Gets the number of bytes that the elements take, without what lies between those of a view.
 *
 * Returns: the number of bytes
 */
gsize
shnd_array_get_n_bytes (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), 0);

  return shnd_layout_get_n_bytes (&self->layout);
}

/**
 * shnd_array_get_order: (get-property order)
 * @self: an array
 *
 * Gets how the elements lie in memory.
 *
 * Returns: the order
 */
ShndOrder
shnd_array_get_order (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), SHND_ORDER_C);

  return shnd_layout_get_order (&self->layout);
}

/**
 * shnd_array_is_aligned:
 * @self: an array
 *
 * Gets whether all elements begin where the processor wants such elements: at multiples of the
 * alignment of their dtype.
 *
 * Those of new arrays do; fields of packed structures and raw segments may not.
 *
 * Returns: whether they do
 */
gboolean
shnd_array_is_aligned (ShndArray *self)
{
  const ShndLayout *layout;
  gsize places;

  g_return_val_if_fail (SHND_IS_ARRAY (self), TRUE);

  layout = &self->layout;
  places = (guintptr) layout->data;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->shape[i] > 1)
      places |= (gsize) layout->strides[i];

  return shnd_layout_get_size (layout) == 0 || places % layout->dtype->alignment == 0;
}

/**
 * shnd_array_get_access: (get-property access)
 * @self: an array
 *
 * Gets whether the elements can be written.
 *
 * Returns: %SHND_ACCESS_READ or %SHND_ACCESS_READ_WRITE
 */
ShndAccess
shnd_array_get_access (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), SHND_ACCESS_READ);

  return self->access;
}

/**
 * shnd_array_get_closed: (get-property closed)
 * @self: an array
 *
 * Gets whether the array has no memory.
 *
 * Returns: whether it was closed, or was not made by a constructor of this class
 */
gboolean
shnd_array_get_closed (ShndArray *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY (self), TRUE);

  /* A look at the pointer alone. */
  return g_atomic_pointer_get (&self->segment) == NULL;
}

/**
 * shnd_array_get_persistent: (get-property persistent)
 * @self: an array
 *
 * Gets whether the name of the array stays when nobody has it open any more.
 *
 * That is so if it was made with %SHND_CREATE_PERSISTENT, if something else than this library made
 * the file, or if it is a copy. Arrays without a name, and those that are closed, are not
 * persistent.
 *
 * Returns: whether it stays
 */
gboolean
shnd_array_get_persistent (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, NULL);

  return segment != NULL && (segment->name != NULL || segment->path != NULL) && segment->persistent;
}

/**
 * shnd_array_get_synchronizable: (get-property synchronizable)
 * @self: an array
 *
 * Gets whether the array has a lock and a change counter.
 *
 * That is so if this library made its file, also for a copy of that, and for anonymous arrays.
 *
 * Returns: whether it has; %FALSE if it is closed
 */
gboolean
shnd_array_get_synchronizable (ShndArray *self)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, NULL);

  return segment != NULL && segment->control != NULL;
}

/**
 * shnd_array_unlink:
 * @self: an array
 * @error: return location for an error
 *
 * Removes the name of the array.
 *
 * Whoever has the array open keeps it, this object too; nobody can open it by that name any more,
 * and a new array can take the name.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if the name is gone, or stands for another array by now; with
 * %SHND_ERROR_UNSUPPORTED if the array has no name; with %SHND_ERROR_PERMISSION_DENIED if it
 * belongs to another user; with %SHND_ERROR_CLOSED if the array is closed.
 *
 * Returns: whether the name was removed
 */
gboolean
shnd_array_unlink (ShndArray *self, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);

  segment = _shnd_array_acquire (self, SHND_ACCESS_READ, error);

  return segment != NULL && shnd_segment_unlink (segment, error);
}

/**
 * shnd_array_close:
 * @self: an array
 *
 * Lets go of the array's memory now rather than when the object is freed.
 *
 * Views of the array, and bytes taken from it, stay valid: the memory is unmapped with the last of
 * them. The object keeps its name, dtype and shape, but has no elements to look at any more; what
 * needs them fails with %SHND_ERROR_CLOSED.
 *
 * Closing twice does nothing.
 */
void
shnd_array_close (ShndArray *self)
{
  g_return_if_fail (SHND_IS_ARRAY (self));

  if (release_segment (self))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CLOSED]);
}
