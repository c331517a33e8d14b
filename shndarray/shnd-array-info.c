/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-array-info.h"

#include "shnd-enum-types.h"
#include "shnd-error.h"
#include "shnd-lock-private.h"
#include "shnd-npy-private.h"
#include "shnd-segment-private.h"

#include <unistd.h>

/**
 * ShndArrayInfo:
 *
 * What there is to know of a shared array without opening it.
 *
 * It is what was true at one moment, and does not change. Nothing is mapped, and nobody is
 * disturbed: whoever looks at an array this way does not hold it.
 *
 * ```c
 * gsize n;
 * ShndArrayInfo **infos = shnd_list_infos (&n, &error);
 *
 * for (gsize i = 0; infos != NULL && i < n; i++)
 *   g_print ("%s\n", shnd_array_info_get_name (infos[i]));
 * ```
 */

struct _ShndArrayInfo
{
  GObject parent_instance;

  char *name; /* or NULL */
  char *path;
  ShndLayout layout; /* its dtype is owned */
  guint64 data_offset;
  ShndFileInfo file;
  gboolean persistent;
  gboolean held;
  gboolean orphaned;
  gboolean synchronizable;
  guint64 sequence;
  gboolean locked;
};

enum
{
  PROP_NAME = 1,
  PROP_PATH,
  PROP_DTYPE,
  PROP_SHAPE,
  PROP_STRIDES,
  PROP_N_DIMS,
  PROP_ORDER,
  PROP_N_BYTES,
  PROP_DATA_OFFSET,
  PROP_FILE_SIZE,
  PROP_UID,
  PROP_MODE,
  PROP_PERSISTENT,
  PROP_HELD,
  PROP_ORPHANED,
  PROP_SYNCHRONIZABLE,
  PROP_SEQUENCE,
  PROP_LOCKED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (ShndArrayInfo, shnd_array_info, G_TYPE_OBJECT)

static void
shnd_array_info_finalize (GObject *object)
{
  ShndArrayInfo *self = SHND_ARRAY_INFO (object);

  g_free (self->name);
  g_free (self->path);
  shnd_dtype_unref (self->layout.dtype);

  G_OBJECT_CLASS (shnd_array_info_parent_class)->finalize (object);
}

static void
set_dimensions (GValue *value, const gint64 *numbers, guint n_dims)
{
  g_value_set_variant (
      value, g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, numbers, n_dims, sizeof *numbers));
}

static void
shnd_array_info_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  ShndArrayInfo *self = SHND_ARRAY_INFO (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, shnd_array_info_get_name (self));
      break;
    case PROP_PATH:
      g_value_set_string (value, shnd_array_info_get_path (self));
      break;
    case PROP_DTYPE:
      g_value_set_boxed (value, shnd_array_info_get_dtype (self));
      break;
    case PROP_SHAPE:
      set_dimensions (value, self->layout.shape, self->layout.n_dims);
      break;
    case PROP_STRIDES:
      set_dimensions (value, self->layout.strides, self->layout.n_dims);
      break;
    case PROP_N_DIMS:
      g_value_set_uint (value, shnd_array_info_get_n_dims (self));
      break;
    case PROP_ORDER:
      g_value_set_enum (value, shnd_array_info_get_order (self));
      break;
    case PROP_N_BYTES:
      g_value_set_uint64 (value, shnd_array_info_get_n_bytes (self));
      break;
    case PROP_DATA_OFFSET:
      g_value_set_uint64 (value, shnd_array_info_get_data_offset (self));
      break;
    case PROP_FILE_SIZE:
      g_value_set_uint64 (value, shnd_array_info_get_file_size (self));
      break;
    case PROP_UID:
      g_value_set_uint (value, shnd_array_info_get_uid (self));
      break;
    case PROP_MODE:
      g_value_set_uint (value, shnd_array_info_get_mode (self));
      break;
    case PROP_PERSISTENT:
      g_value_set_boolean (value, shnd_array_info_get_persistent (self));
      break;
    case PROP_HELD:
      g_value_set_boolean (value, shnd_array_info_get_held (self));
      break;
    case PROP_ORPHANED:
      g_value_set_boolean (value, shnd_array_info_get_orphaned (self));
      break;
    case PROP_SYNCHRONIZABLE:
      g_value_set_boolean (value, shnd_array_info_get_synchronizable (self));
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, shnd_array_info_get_sequence (self));
      break;
    case PROP_LOCKED:
      g_value_set_boolean (value, shnd_array_info_get_locked (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
shnd_array_info_class_init (ShndArrayInfoClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = shnd_array_info_finalize;
  object_class->get_property = shnd_array_info_get_property;

  /**
   * ShndArrayInfo:name: (getter get_name)
   *
   * The name of the array.
   */
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);

  /**
   * ShndArrayInfo:path: (getter get_path)
   *
   * The path of the file.
   */
  props[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * ShndArrayInfo:dtype: (getter get_dtype)
   *
   * What each element is.
   */
  props[PROP_DTYPE] = g_param_spec_boxed ("dtype", NULL, NULL, SHND_TYPE_DTYPE, flags);

  /**
   * ShndArrayInfo:shape:
   *
   * The number of elements along each axis, as a variant of type `ax`.
   */
  props[PROP_SHAPE] =
      g_param_spec_variant ("shape", NULL, NULL, G_VARIANT_TYPE ("ax"), NULL, flags);

  /**
   * ShndArrayInfo:strides:
   *
   * The distance in bytes from one element to the next along each axis, as a variant of type `ax`.
   */
  props[PROP_STRIDES] =
      g_param_spec_variant ("strides", NULL, NULL, G_VARIANT_TYPE ("ax"), NULL, flags);

  /**
   * ShndArrayInfo:n-dims: (getter get_n_dims)
   *
   * The number of dimensions.
   */
  props[PROP_N_DIMS] = g_param_spec_uint ("n-dims", NULL, NULL, 0, SHND_MAX_DIMS, 1, flags);

  /**
   * ShndArrayInfo:order: (getter get_order)
   *
   * How the elements lie in memory.
   */
  props[PROP_ORDER] = g_param_spec_enum ("order", NULL, NULL, SHND_TYPE_ORDER, SHND_ORDER_C, flags);

  /**
   * ShndArrayInfo:n-bytes: (getter get_n_bytes)
   *
   * The number of bytes that the elements take.
   */
  props[PROP_N_BYTES] = g_param_spec_uint64 ("n-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArrayInfo:data-offset: (getter get_data_offset)
   *
   * Where the elements begin, in bytes from the start of the file.
   */
  props[PROP_DATA_OFFSET] =
      g_param_spec_uint64 ("data-offset", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArrayInfo:file-size: (getter get_file_size)
   *
   * The size of the whole file in bytes, with header and control page.
   */
  props[PROP_FILE_SIZE] = g_param_spec_uint64 ("file-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArrayInfo:uid: (getter get_uid)
   *
   * The number of the user to whom the array belongs.
   */
  props[PROP_UID] = g_param_spec_uint ("uid", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * ShndArrayInfo:mode: (getter get_mode)
   *
   * Who may open the array, as the permission bits of a file: 0600, for example.
   */
  props[PROP_MODE] = g_param_spec_uint ("mode", NULL, NULL, 0, 07777, 0, flags);

  /**
   * ShndArrayInfo:persistent: (getter get_persistent)
   *
   * Whether the name stays when nobody has the array open any more.
   */
  props[PROP_PERSISTENT] = g_param_spec_boolean ("persistent", NULL, NULL, FALSE, flags);

  /**
   * ShndArrayInfo:held: (getter get_held)
   *
   * Whether somebody has the array open by its name.
   */
  props[PROP_HELD] = g_param_spec_boolean ("held", NULL, NULL, FALSE, flags);

  /**
   * ShndArrayInfo:orphaned: (getter get_orphaned)
   *
   * Whether the array is not persistent, and all who had it open are gone: nobody can open it any
   * more, and [func@Shnd.reap] removes it.
   */
  props[PROP_ORPHANED] = g_param_spec_boolean ("orphaned", NULL, NULL, FALSE, flags);

  /**
   * ShndArrayInfo:synchronizable: (getter get_synchronizable)
   *
   * Whether the array has a lock and a change counter.
   */
  props[PROP_SYNCHRONIZABLE] = g_param_spec_boolean ("synchronizable", NULL, NULL, FALSE, flags);

  /**
   * ShndArrayInfo:sequence: (getter get_sequence)
   *
   * The change counter of the array.
   */
  props[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndArrayInfo:locked: (getter get_locked)
   *
   * Whether somebody has the lock of the array.
   */
  props[PROP_LOCKED] = g_param_spec_boolean ("locked", NULL, NULL, FALSE, flags);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
shnd_array_info_init (ShndArrayInfo *self)
{
  /* What g_object_new() alone gives: no name, no elements. */
  self->layout.dtype = shnd_dtype_new ("uint8", NULL);
  self->layout.n_dims = 1;
  self->layout.strides[0] = 1;
}

/* Finds out about an opened file, which it closes. `display` is for messages. */
static ShndArrayInfo *
new_for_file (const ShndFile *file, const char *display, GError **error)
{
  g_autoptr (ShndDType) dtype = NULL;
  ShndControlState state;
  ShndControlPage page;
  ShndArrayInfo *self;
  ShndLayout layout;
  gsize data_offset;
  gboolean valid, has_room, locked = FALSE;

  valid = shnd_npy_read_header (file->fd, &layout, &dtype, &data_offset, error) &&
          shnd_segment_check_size (&file->info, data_offset, shnd_layout_get_n_bytes (&layout),
                                   &has_room, error);
  state = shnd_control_read_page (file->fd, &file->info, &page);
  if (valid && state == SHND_CONTROL_OWN && has_room)
    locked = shnd_lock_is_owned (file->fd, page.lock);
  close (file->fd);
  if (!valid)
    {
      g_prefix_error (error, "“%s” is not an array: ", display);
      return NULL;
    }

  self = g_object_new (SHND_TYPE_ARRAY_INFO, NULL);
  self->name = g_strdup (file->name);
  self->path = file->path != NULL ? g_strdup (file->path) :
                                    g_build_filename (SHND_SHM_DIR, file->name, NULL);
  shnd_dtype_unref (self->layout.dtype);
  self->layout = layout;
  shnd_dtype_ref (self->layout.dtype);
  self->data_offset = data_offset;
  self->file = file->info;
  self->held = file->held;
  self->persistent =
      state != SHND_CONTROL_OWN || (GUINT32_FROM_LE (page.flags) & SHND_CONTROL_PERSISTENT) != 0;
  /* Behind the path of a descriptor there may be an array that never had a name. */
  self->orphaned =
      !self->persistent && !self->held && (file->name != NULL || file->info.n_links > 0);
  self->synchronizable = state != SHND_CONTROL_NONE && has_room;
  /* What a copy has of that is from the file that it was copied from. */
  if (state == SHND_CONTROL_OWN && has_room)
    self->sequence = GUINT64_FROM_LE (page.sequence);
  self->locked = locked;

  return self;
}

/**
 * shnd_array_info_new:
 * @name: the name of a shared array
 * @error: return location for an error
 *
 * Finds out about an array.
 *
 * Unlike [func@Shnd.Array.open] this finds orphans, and arrays of other users if they may be read.
 *
 * Fails with %SHND_ERROR_NOT_FOUND if there is nothing of that name; with
 * %SHND_ERROR_INVALID_FORMAT or %SHND_ERROR_TOO_SMALL if it is no array; with
 * %SHND_ERROR_PERMISSION_DENIED or %SHND_ERROR_INVALID_NAME.
 *
 * Returns: (transfer full): what there is to know
 */
ShndArrayInfo *
shnd_array_info_new (const char *name, GError **error)
{
  ShndFile file;

  g_return_val_if_fail (name != NULL, NULL);

  if (!shnd_segment_look_at_name (name, &file, error))
    return NULL;

  return new_for_file (&file, name, error);
}

/**
 * shnd_array_info_new_for_path:
 * @path: (type filename): the path of a `.npy` file
 * @error: return location for an error
 *
 * Finds out about a `.npy` file on any file system, whoever made it.
 *
 * Symbolic links are followed, and the file may belong to anyone, as with
 * [func@Shnd.Array.open_path].
 *
 * Fails as [ctor@Shnd.ArrayInfo.new] does, but any path can be one.
 *
 * Returns: (transfer full): what there is to know; it has no name
 */
ShndArrayInfo *
shnd_array_info_new_for_path (const char *path, GError **error)
{
  g_autofree char *display = NULL;
  ShndFile file;

  g_return_val_if_fail (path != NULL, NULL);

  if (!shnd_segment_look_at_path (path, &file, error))
    return NULL;

  display = g_filename_display_name (path);

  return new_for_file (&file, display, error);
}

/**
 * shnd_array_info_get_name: (get-property name)
 * @self: what there is to know of an array
 *
 * Gets the name of the array.
 *
 * Returns: (nullable): the name; %NULL if the file was looked at by its path
 */
const char *
shnd_array_info_get_name (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), NULL);

  return self->name;
}

/**
 * shnd_array_info_get_path: (get-property path)
 * @self: what there is to know of an array
 *
 * Gets the path of the file: that of the name, or as it was given to
 * [ctor@Shnd.ArrayInfo.new_for_path].
 *
 * Returns: (type filename) (nullable): the path; %NULL only if this is not of an array
 */
const char *
shnd_array_info_get_path (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), NULL);

  return self->path;
}

/**
 * shnd_array_info_get_dtype: (get-property dtype)
 * @self: what there is to know of an array
 *
 * Gets what each element is.
 *
 * Returns: (transfer none): the dtype
 */
ShndDType *
shnd_array_info_get_dtype (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), NULL);

  return self->layout.dtype;
}

/**
 * shnd_array_info_get_n_dims: (get-property n-dims)
 * @self: what there is to know of an array
 *
 * Gets the number of dimensions.
 *
 * Returns: 0 to [const@Shnd.MAX_DIMS]
 */
guint
shnd_array_info_get_n_dims (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->layout.n_dims;
}

/**
 * shnd_array_info_get_shape:
 * @self: what there is to know of an array
 * @n_dims: (out) (optional): return location for the number of dimensions
 *
 * Gets the number of elements along each axis.
 *
 * Returns: (array length=n_dims) (transfer none): the shape; valid as long as the object is
 */
const gint64 *
shnd_array_info_get_shape (ShndArrayInfo *self, guint *n_dims)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), NULL);

  if (n_dims != NULL)
    *n_dims = self->layout.n_dims;

  return self->layout.shape;
}

/**
 * shnd_array_info_get_strides:
 * @self: what there is to know of an array
 * @n_dims: (out) (optional): return location for the number of dimensions
 *
 * Gets the distance in bytes from one element to the next along each axis.
 *
 * Returns: (array length=n_dims) (transfer none): the strides; valid as long as the object is
 */
const gint64 *
shnd_array_info_get_strides (ShndArrayInfo *self, guint *n_dims)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), NULL);

  if (n_dims != NULL)
    *n_dims = self->layout.n_dims;

  return self->layout.strides;
}

/**
 * shnd_array_info_get_order: (get-property order)
 * @self: what there is to know of an array
 *
 * Gets how the elements lie in memory.
 *
 * Returns: C or Fortran order
 */
ShndOrder
shnd_array_info_get_order (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), SHND_ORDER_C);

  return shnd_layout_get_order (&self->layout);
}

/**
 * shnd_array_info_get_n_bytes: (get-property n-bytes)
 * @self: what there is to know of an array
 *
 * Gets the number of bytes that the elements take.
 *
 * Returns: the number of bytes
 */
guint64
shnd_array_info_get_n_bytes (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return shnd_layout_get_n_bytes (&self->layout);
}

/**
 * shnd_array_info_get_data_offset: (get-property data-offset)
 * @self: what there is to know of an array
 *
 * Gets where the elements begin.
 *
 * Returns: the offset in bytes from the start of the file
 */
guint64
shnd_array_info_get_data_offset (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->data_offset;
}

/**
 * shnd_array_info_get_file_size: (get-property file-size)
 * @self: what there is to know of an array
 *
 * Gets the size of the whole file, with header and control page.
 *
 * Returns: the number of bytes
 */
guint64
shnd_array_info_get_file_size (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->file.size;
}

/**
 * shnd_array_info_get_uid: (get-property uid)
 * @self: what there is to know of an array
 *
 * Gets the number of the user to whom the array belongs.
 *
 * Returns: the user's number
 */
guint
shnd_array_info_get_uid (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->file.owner;
}

/**
 * shnd_array_info_get_mode: (get-property mode)
 * @self: what there is to know of an array
 *
 * Gets who may open the array.
 *
 * Returns: the permission bits of its file, such as 0600
 */
guint
shnd_array_info_get_mode (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->file.mode & 07777;
}

/**
 * shnd_array_info_get_persistent: (get-property persistent)
 * @self: what there is to know of an array
 *
 * Gets whether the name stays when nobody has the array open any more.
 *
 * Returns: whether it stays; see [method@Shnd.Array.get_persistent]
 */
gboolean
shnd_array_info_get_persistent (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), FALSE);

  return self->persistent;
}

/**
 * shnd_array_info_get_held: (get-property held)
 * @self: what there is to know of an array
 *
 * Gets whether somebody had the array open by its name.
 *
 * Of files that something else than this library made that is not known: they are never held.
 *
 * Returns: whether somebody had
 */
gboolean
shnd_array_info_get_held (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), FALSE);

  return self->held;
}

/**
 * shnd_array_info_get_orphaned: (get-property orphaned)
 * @self: what there is to know of an array
 *
 * Gets whether the array was an orphan: not persistent, and held by nobody.
 *
 * Returns: whether it was
 */
gboolean
shnd_array_info_get_orphaned (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), FALSE);

  return self->orphaned;
}

/**
 * shnd_array_info_get_synchronizable: (get-property synchronizable)
 * @self: what there is to know of an array
 *
 * Gets whether the array has a lock and a change counter.
 *
 * Returns: whether it has
 */
gboolean
shnd_array_info_get_synchronizable (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), FALSE);

  return self->synchronizable;
}

/**
 * shnd_array_info_get_sequence: (get-property sequence)
 * @self: what there is to know of an array
 *
 * Gets what the change counter of the array was: how often [method@Shnd.Array.update] had been
 * called on it, by whomever.
 *
 * Returns: the counter; 0 if the array has none
 */
guint64
shnd_array_info_get_sequence (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), 0);

  return self->sequence;
}

/**
 * shnd_array_info_get_locked: (get-property locked)
 * @self: what there is to know of an array
 *
 * Gets whether somebody had the lock of the array: any handle on it, in any process.
 *
 * The lock of an owner that has died is free.
 *
 * Returns: whether somebody had
 */
gboolean
shnd_array_info_get_locked (ShndArrayInfo *self)
{
  g_return_val_if_fail (SHND_IS_ARRAY_INFO (self), FALSE);

  return self->locked;
}
