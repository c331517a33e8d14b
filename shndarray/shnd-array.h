/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined(SHND_INSIDE) && !defined(SHND_COMPILATION)
#error "Only <shndarray/shndarray.h> can be included directly."
#endif

#include <gio/gio.h>
#include <shndarray/shnd-dtype.h>

G_BEGIN_DECLS

#define SHND_TYPE_ARRAY (shnd_array_get_type ())

SHND_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ShndArray, shnd_array, SHND, ARRAY, GObject)

/* Making and opening */

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new (const char *name,
                           ShndDType *dtype,
                           const gint64 *shape,
                           guint n_dims,
                           ShndCreateFlags flags,
                           GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_unique (
    ShndDType *dtype, const gint64 *shape, guint n_dims, ShndCreateFlags flags, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_from_bytes (const char *name,
                                      ShndDType *dtype,
                                      const gint64 *shape,
                                      guint n_dims,
                                      GBytes *bytes,
                                      ShndCreateFlags flags,
                                      GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_from_data (const char *name,
                                     ShndDType *dtype,
                                     const gint64 *shape,
                                     guint n_dims,
                                     gconstpointer data,
                                     gsize n_bytes,
                                     ShndCreateFlags flags,
                                     GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_path (const char *path,
                                ShndDType *dtype,
                                const gint64 *shape,
                                guint n_dims,
                                ShndCreateFlags flags,
                                GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open (const char *name, ShndAccess access, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open_wait (
    const char *name, ShndAccess access, gint64 timeout, GCancellable *cancellable, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_open_wait_async (const char *name,
                                 ShndAccess access,
                                 gint64 timeout,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open_wait_finish (GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open_segment (const char *name,
                                    ShndDType *dtype,
                                    const gint64 *shape,
                                    guint n_dims,
                                    guint64 offset,
                                    ShndAccess access,
                                    GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open_path (const char *path, ShndAccess access, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_open_descriptor (const char *descriptor, GError **error);

SHND_AVAILABLE_IN_1_0
char *shnd_array_to_descriptor (ShndArray *self, GError **error);

/* Without a name */

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_for_fd (int fd, ShndAccess access, GError **error);

SHND_AVAILABLE_IN_1_0
int shnd_array_dup_fd (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_seal (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_sealed (ShndArray *self);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_new_from_variant (GVariant *variant,
                                        GUnixFDList *fd_list,
                                        ShndAccess access,
                                        GError **error);

SHND_AVAILABLE_IN_1_0
GVariant *shnd_array_to_variant (ShndArray *self, GUnixFDList *fd_list, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_send (ShndArray *self,
                          GUnixConnection *connection,
                          GCancellable *cancellable,
                          GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_send_async (ShndArray *self,
                            GUnixConnection *connection,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_send_finish (ShndArray *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_receive (GUnixConnection *connection,
                               ShndAccess access,
                               GCancellable *cancellable,
                               GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_receive_async (GUnixConnection *connection,
                               ShndAccess access,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_receive_finish (GAsyncResult *result, GError **error);

/* What it is */

SHND_AVAILABLE_IN_1_0
const char *shnd_array_get_name (ShndArray *self);

SHND_AVAILABLE_IN_1_0
ShndDType *shnd_array_get_dtype (ShndArray *self);

SHND_AVAILABLE_IN_1_0
guint shnd_array_get_n_dims (ShndArray *self);

SHND_AVAILABLE_IN_1_0
const gint64 *shnd_array_get_shape (ShndArray *self, guint *n_dims);

SHND_AVAILABLE_IN_1_0
const gint64 *shnd_array_get_strides (ShndArray *self, guint *n_dims);

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_get_size (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gsize shnd_array_get_item_size (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gsize shnd_array_get_n_bytes (ShndArray *self);

SHND_AVAILABLE_IN_1_0
ShndOrder shnd_array_get_order (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_is_aligned (ShndArray *self);

SHND_AVAILABLE_IN_1_0
ShndAccess shnd_array_get_access (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_closed (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_persistent (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_synchronizable (ShndArray *self);

/* Views: no copy, the same memory */

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_slice (
    ShndArray *self, guint axis, gint64 start, gint64 stop, gint64 step, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_index (ShndArray *self, guint axis, gint64 index, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_reshape (ShndArray *self, const gint64 *shape, guint n_dims, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_transpose (ShndArray *self, const gint64 *axes, guint n_axes, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_field (ShndArray *self, const char *field, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_as_strided (ShndArray *self,
                                  ShndDType *dtype,
                                  gint64 offset,
                                  const gint64 *shape,
                                  guint n_dims,
                                  const gint64 *strides,
                                  guint n_strides,
                                  GError **error);

/* One element */

SHND_AVAILABLE_IN_1_0
GVariant *
shnd_array_get_element (ShndArray *self, const gint64 *indices, guint n_indices, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_set_element (
    ShndArray *self, const gint64 *indices, guint n_indices, GVariant *value, GError **error);

SHND_AVAILABLE_IN_1_0
gdouble
shnd_array_get_double (ShndArray *self, const gint64 *indices, guint n_indices, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_set_double (
    ShndArray *self, const gint64 *indices, guint n_indices, gdouble value, GError **error);

SHND_AVAILABLE_IN_1_0
gint64
shnd_array_get_int64 (ShndArray *self, const gint64 *indices, guint n_indices, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_set_int64 (
    ShndArray *self, const gint64 *indices, guint n_indices, gint64 value, GError **error);

/* All elements */

SHND_AVAILABLE_IN_1_0
gpointer shnd_array_get_data (ShndArray *self);

SHND_AVAILABLE_IN_1_0
GBytes *shnd_array_get_bytes (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
GBytes *shnd_array_get_cow_bytes (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
GBytes *shnd_array_get_memory (ShndArray *self, gsize *offset, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_write_bytes (ShndArray *self, GBytes *bytes, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_copy_from (ShndArray *self, ShndArray *source, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_fill (ShndArray *self, GVariant *value, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_dup (ShndArray *self,
                           const char *name,
                           ShndCreateFlags flags,
                           GCancellable *cancellable,
                           GFileProgressCallback progress_callback,
                           gpointer progress_callback_data,
                           GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_dup_async (ShndArray *self,
                           const char *name,
                           ShndCreateFlags flags,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_dup_finish (ShndArray *self, GAsyncResult *result, GError **error);

/* Several processes on one array: the lock */

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_lock (ShndArray *self,
                          gint64 timeout,
                          GCancellable *cancellable,
                          gboolean *recovered,
                          GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_lock_async (ShndArray *self,
                            gint64 timeout,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean
shnd_array_lock_finish (ShndArray *self, GAsyncResult *result, gboolean *recovered, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_unlock (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_locked (ShndArray *self);

/* and the change counter */

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_update (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
guint64 shnd_array_get_sequence (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_wait (ShndArray *self,
                          guint64 since,
                          gint64 timeout,
                          GCancellable *cancellable,
                          guint64 *sequence,
                          GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_wait_async (ShndArray *self,
                            guint64 since,
                            gint64 timeout,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean
shnd_array_wait_finish (ShndArray *self, GAsyncResult *result, guint64 *sequence, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_watch (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_unwatch (ShndArray *self);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_get_watching (ShndArray *self);

/* Files, names, the end */

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_load (const char *name,
                            const char *path,
                            ShndCreateFlags flags,
                            GCancellable *cancellable,
                            GFileProgressCallback progress_callback,
                            gpointer progress_callback_data,
                            GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_load_async (const char *name,
                            const char *path,
                            ShndCreateFlags flags,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_load_finish (GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_load_stream (const char *name,
                                   GInputStream *stream,
                                   ShndCreateFlags flags,
                                   GCancellable *cancellable,
                                   GFileProgressCallback progress_callback,
                                   gpointer progress_callback_data,
                                   GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_load_stream_async (const char *name,
                                   GInputStream *stream,
                                   ShndCreateFlags flags,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

SHND_AVAILABLE_IN_1_0
ShndArray *shnd_array_load_stream_finish (GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_save (ShndArray *self,
                          const char *path,
                          ShndSaveFlags flags,
                          GCancellable *cancellable,
                          GFileProgressCallback progress_callback,
                          gpointer progress_callback_data,
                          GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_save_async (ShndArray *self,
                            const char *path,
                            ShndSaveFlags flags,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_save_finish (ShndArray *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_save_stream (ShndArray *self,
                                 GOutputStream *stream,
                                 GCancellable *cancellable,
                                 GFileProgressCallback progress_callback,
                                 gpointer progress_callback_data,
                                 GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_save_stream_async (ShndArray *self,
                                   GOutputStream *stream,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_save_stream_finish (ShndArray *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean
shnd_array_sync (ShndArray *self, ShndSyncFlags flags, GCancellable *cancellable, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_sync_async (ShndArray *self,
                            ShndSyncFlags flags,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_sync_finish (ShndArray *self, GAsyncResult *result, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_mlock (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_munlock (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
gboolean shnd_array_unlink (ShndArray *self, GError **error);

SHND_AVAILABLE_IN_1_0
void shnd_array_close (ShndArray *self);

G_END_DECLS
