/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error.h"
#include "shnd-npy-private.h"
#include "shnd-view-private.h"

#include <gio/gunixfdmessage.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Arrays over sockets: one message each, whose first byte carries the descriptor. doc/format.md
 * describes it. */

#define MAGIC "SHNDSEND"
#define VERSION 1

/* All numbers are little-endian. Behind it are the shape, the strides and the dtype. */
typedef struct
{
  char magic[8];
  guint32 version;
  guint32 n_dims;
  guint32 dtype_length;
  guint32 unused;
  guint64 offset;
} Prefix;

G_STATIC_ASSERT (sizeof (Prefix) == 32);

typedef enum
{
  TRANSFER_DONE,
  TRANSFER_WAIT, /* for the socket */
  TRANSFER_FAILED,
} TransferResult;

/* A message on its way. */
typedef struct
{
  GSocketConnection *connection; /* keeps the socket open */
  GSocket *socket;
  GUnixFDList *fd_list; /* with the one descriptor: until it is sent, or when it has come */
  ShndAccess access;    /* of what comes */
  guint8 *message;
  gsize length;
  gsize done;
} Transfer;

static void
transfer_free (Transfer *self)
{
  g_object_unref (self->connection);
  g_clear_object (&self->fd_list);
  g_free (self->message);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transfer, transfer_free)

static Transfer *
transfer_new (GUnixConnection *connection, gsize length, GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection));
  Transfer *self;

  if (g_socket_get_family (socket) != G_SOCKET_FAMILY_UNIX ||
      g_socket_get_socket_type (socket) != G_SOCKET_TYPE_STREAM)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                           "Arrays are sent over Unix sockets of type SOCK_STREAM alone");
      return NULL;
    }

  /* GIO finds it worth a warning to wait for one. */
  if (g_socket_is_closed (socket))
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_DISCONNECTED,
                           "The connection is closed on this side");
      return NULL;
    }

  self = g_new0 (Transfer, 1);
  self->connection = g_object_ref (G_SOCKET_CONNECTION (connection));
  self->socket = socket;
  self->message = g_malloc (length);
  self->length = length;

  return self;
}

/* Makes an error of ours from one of the socket, which it takes. */
static TransferResult
fail (GError **error, GError *socket_error)
{
  ShndError code = SHND_ERROR_FAILED;

  if (g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (socket_error);
      return TRANSFER_WAIT;
    }

  if (g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, socket_error);
      return TRANSFER_FAILED;
    }

  if (g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    code = SHND_ERROR_TIMED_OUT;
  else if (g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ||
           g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED) ||
           g_error_matches (socket_error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    code = SHND_ERROR_DISCONNECTED;
  g_set_error (error, SHND_ERROR, code, "The connection does not carry the array: %s",
               socket_error->message);
  g_error_free (socket_error);

  return TRANSFER_FAILED;
}

/* ---- Sending ---- */

static guint8 *
put_numbers (guint8 *target, const gint64 *numbers, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gint64 number = GINT64_TO_LE (numbers[i]);

      memcpy (target, &number, sizeof number);
      target += sizeof number;
    }

  return target;
}

static Transfer *
transfer_new_send (ShndArray *array, GUnixConnection *connection, GError **error)
{
  g_autoptr (ShndSegment) segment = _shnd_array_acquire (array, SHND_ACCESS_READ, error);
  g_autoptr (Transfer) self = NULL;
  const ShndLayout *layout = &array->layout;
  const char *dtype = layout->dtype->description;
  Prefix prefix = { .magic = MAGIC, .version = GUINT32_TO_LE (VERSION) };
  gsize dtype_length = strlen (dtype);
  guint8 *target;
  int fd;

  if (segment == NULL)
    return NULL;

  if (dtype_length > SHND_NPY_MAX_HEADER)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_UNSUPPORTED,
                   "The dtype is too long to be sent: it has %" G_GSIZE_FORMAT
                   " bytes, expected at most %d",
                   dtype_length, SHND_NPY_MAX_HEADER);
      return NULL;
    }

  self = transfer_new (connection,
                       sizeof prefix + 2 * layout->n_dims * sizeof (gint64) + dtype_length, error);
  if (self == NULL)
    return NULL;

  fd = shnd_segment_dup_fd (segment, array->access, error);
  if (fd < 0)
    return NULL;
  self->fd_list = g_unix_fd_list_new_from_array (&fd, 1);

  prefix.n_dims = GUINT32_TO_LE (layout->n_dims);
  prefix.dtype_length = GUINT32_TO_LE ((guint32) dtype_length);
  prefix.offset = GUINT64_TO_LE (segment->data_offset + (layout->data - segment->data));
  memcpy (self->message, &prefix, sizeof prefix);
  target = put_numbers (self->message + sizeof prefix, layout->shape, layout->n_dims);
  target = put_numbers (target, layout->strides, layout->n_dims);
  memcpy (target, dtype, dtype_length);

  return g_steal_pointer (&self);
}

static TransferResult
send_some (Transfer *self, gint64 timeout, GCancellable *cancellable, GError **error)
{
  GOutputVector vector = { self->message + self->done, self->length - self->done };
  g_autoptr (GSocketControlMessage) control = NULL;
  GPollableReturn result;
  GError *socket_error = NULL;
  gsize n = 0;

  if (self->fd_list != NULL)
    control = g_unix_fd_message_new_with_fd_list (self->fd_list);

  result =
      g_socket_send_message_with_timeout (self->socket, NULL, &vector, 1, &control, control != NULL,
                                          0, timeout, &n, cancellable, &socket_error);
  if (result == G_POLLABLE_RETURN_WOULD_BLOCK)
    return TRANSFER_WAIT;
  if (result == G_POLLABLE_RETURN_FAILED)
    return fail (error, socket_error);

  g_clear_object (&self->fd_list);
  self->done += n;

  return self->done == self->length ? TRANSFER_DONE : TRANSFER_WAIT;
}

/**
 * shnd_array_send:
 * @self: an array
 * @connection: a connection over a Unix socket of type `SOCK_STREAM`
 * @cancellable: (nullable): a cancellable object
 * @error: return location for an error
 *
 * Sends an array to another process, which gets it with [func@Shnd.Array.receive].
 *
 * A descriptor of the array's file goes over, with what describes the elements, also those of a view;
 * the elements stay where they are. The other side has the whole file then, whatever the view shows,
 * and takes the array only if it has been sealed (see [method@Shnd.Array.seal]) or this process is
 * trusted. It may close its array at any time, and this process its own.
 *
 * Other messages may be sent over the same connection, before and after. If the call fails in the
 * middle of the message, the connection is good for nothing but to be closed.
 *
 * Fails with %SHND_ERROR_DISCONNECTED if the other side has closed the connection; with
 * %SHND_ERROR_TIMED_OUT if the socket has a timeout, and that is over; with %SHND_ERROR_UNSUPPORTED if
 * the socket is of another kind; with %SHND_ERROR_NO_SPACE if there are no descriptors left; with
 * %SHND_ERROR_CLOSED if the array is closed; with `G_IO_ERROR_CANCELLED`.
 *
 * Returns: whether it was sent
 */
gboolean
shnd_array_send (ShndArray *self,
                 GUnixConnection *connection,
                 GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (Transfer) transfer = NULL;
  TransferResult result;

  g_return_val_if_fail (SHND_IS_ARRAY (self), FALSE);
  g_return_val_if_fail (G_IS_UNIX_CONNECTION (connection), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  transfer = transfer_new_send (self, connection, error);
  if (transfer == NULL)
    return FALSE;

  do
    result = send_some (transfer, -1, cancellable, error);
  while (result == TRANSFER_WAIT);

  return result == TRANSFER_DONE;
}

/* ---- Receiving ---- */

static TransferResult
set_protocol_error (GError **error, const char *problem)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_PROTOCOL,
               "What came over the connection is not an array: %s", problem);
  return TRANSFER_FAILED;
}

/* Looks at the first part of the message, and makes room for the rest. */
static TransferResult
check_prefix (Transfer *self, GError **error)
{
  Prefix prefix;
  guint32 version, n_dims, dtype_length;
  g_autofree char *problem = NULL;

  memcpy (&prefix, self->message, sizeof prefix);
  version = GUINT32_FROM_LE (prefix.version);
  n_dims = GUINT32_FROM_LE (prefix.n_dims);
  dtype_length = GUINT32_FROM_LE (prefix.dtype_length);

  if (memcmp (prefix.magic, MAGIC, sizeof prefix.magic) != 0)
    problem = g_strdup ("expected it to begin with “" MAGIC "”");
  else if (version != VERSION)
    problem = g_strdup_printf ("version %u, expected %u", version, VERSION);
  else if (n_dims > SHND_MAX_DIMS)
    problem = g_strdup_printf ("%u dimensions, expected at most %u", n_dims, SHND_MAX_DIMS);
  else if (dtype_length > SHND_NPY_MAX_HEADER)
    problem = g_strdup_printf ("a dtype of %u bytes, expected at most %u", dtype_length,
                               SHND_NPY_MAX_HEADER);
  else if (prefix.unused != 0)
    problem = g_strdup ("expected the unused bytes to be 0");
  else if (self->fd_list == NULL)
    problem = g_strdup ("expected a file descriptor with its first byte");
  if (problem != NULL)
    return set_protocol_error (error, problem);

  self->length = sizeof prefix + 2 * n_dims * sizeof (gint64) + dtype_length;
  self->message = g_realloc (self->message, self->length);

  return self->done == self->length ? TRANSFER_DONE : TRANSFER_WAIT;
}

/* Takes the descriptors that came with some bytes, and closes those that are not expected. */
static gboolean
take_control_messages (
    Transfer *self, GSocketControlMessage **messages, gint n_messages, int flags, GError **error)
{
  gboolean valid = TRUE;

  for (gint i = 0; i < n_messages; i++)
    {
      if (G_IS_UNIX_FD_MESSAGE (messages[i]))
        {
          GUnixFDList *fd_list = g_unix_fd_message_get_fd_list (G_UNIX_FD_MESSAGE (messages[i]));

          valid = valid && self->done == 0 && self->fd_list == NULL &&
                  g_unix_fd_list_get_length (fd_list) == 1;
          if (valid)
            self->fd_list = g_object_ref (fd_list);
        }
      g_object_unref (messages[i]);
    }
  g_free (messages);

  if ((flags & MSG_CTRUNC) != 0)
    {
      g_set_error_literal (
          error, SHND_ERROR, SHND_ERROR_NO_SPACE,
          "The file descriptor that came with the array was lost: this process may "
          "have no more of them");
      return FALSE;
    }

  if (!valid)
    set_protocol_error (error, "expected one file descriptor, with its first byte, and no other");

  return valid;
}

static TransferResult
receive_some (Transfer *self, GCancellable *cancellable, GError **error)
{
  GInputVector vector = { self->message + self->done, self->length - self->done };
  GSocketControlMessage **messages = NULL;
  GError *socket_error = NULL;
  gint n_messages = 0, flags = 0;
  gssize n;

  n = g_socket_receive_message (self->socket, NULL, &vector, 1, &messages, &n_messages, &flags,
                                cancellable, &socket_error);
  if (n < 0)
    return fail (error, socket_error);

  if (!take_control_messages (self, messages, n_messages, flags, error))
    return TRANSFER_FAILED;

  if (n == 0 && self->done == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM,
                           "The other side has closed the connection: there are no more arrays");
      return TRANSFER_FAILED;
    }
  if (n == 0)
    {
      g_set_error_literal (error, SHND_ERROR, SHND_ERROR_DISCONNECTED,
                           "The other side has closed the connection in the middle of an array");
      return TRANSFER_FAILED;
    }

  self->done += n;
  if (self->done < self->length)
    return TRANSFER_WAIT;

  return self->length == sizeof (Prefix) ? check_prefix (self, error) : TRANSFER_DONE;
}

static const guint8 *
get_numbers (const guint8 *source, gint64 *numbers, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      memcpy (&numbers[i], source, sizeof *numbers);
      numbers[i] = GINT64_FROM_LE (numbers[i]);
      source += sizeof *numbers;
    }

  return source;
}

/* Opens the array of a message that has come as a whole. */
static ShndArray *
open_received (Transfer *self, GError **error)
{
  gint64 shape[SHND_MAX_DIMS], strides[SHND_MAX_DIMS];
  g_auto (ShndView) view = { 0 };
  g_autofree char *dtype = NULL;
  const guint8 *source = self->message + sizeof (Prefix);
  ShndArray *array;
  ShndFile file;
  Prefix prefix;
  guint n_dims;

  memcpy (&prefix, self->message, sizeof prefix);
  n_dims = GUINT32_FROM_LE (prefix.n_dims);
  source = get_numbers (source, shape, n_dims);
  source = get_numbers (source, strides, n_dims);
  dtype = g_strndup ((const char *) source, GUINT32_FROM_LE (prefix.dtype_length));

  if (!shnd_view_init (&view, dtype, GUINT64_FROM_LE (prefix.offset), shape, n_dims, strides,
                       n_dims, error) ||
      !shnd_segment_open_fd (g_unix_fd_list_peek_fds (self->fd_list, NULL)[0], self->access, &file,
                             error))
    {
      g_prefix_error (error, "Cannot open the array that came: ");
      return NULL;
    }

  array = shnd_view_open (&view, SHND_VIEW_ANY, &file, error);
  if (array == NULL)
    g_prefix_error (error, "Cannot open the array that came: ");

  return array;
}

static Transfer *
transfer_new_receive (GUnixConnection *connection, ShndAccess access, GError **error)
{
  Transfer *self;

  /* Not after the message was taken off the socket. */
  if (!shnd_segment_check_access (access, SHND_ACCESS_UNSEALED, "UNSEALED", error))
    return NULL;

  self = transfer_new (connection, sizeof (Prefix), error);
  if (self == NULL)
    return NULL;

  self->access = access;
  /* So that GIO knows what it is when it comes. */
  g_type_ensure (G_TYPE_UNIX_FD_MESSAGE);

  return self;
}

/**
 * shnd_array_receive:
 * @connection: a connection over a Unix socket of type `SOCK_STREAM`
 * @access: how to open the array
 * @cancellable: (nullable): a cancellable object
 * @error: return location for an error
 *
 * Receives an array that another process sends with [method@Shnd.Array.send], and waits for it.
 *
 * What comes is checked like anything that somebody else made: see [ctor@Shnd.Array.new_for_fd], also
 * for the seals that are expected. No more is taken off the connection than the message with the
 * array. If the array in it cannot be opened, the next one can still be received; if the call fails
 * with %SHND_ERROR_PROTOCOL, %SHND_ERROR_NO_SPACE or in the middle of the message, the connection is
 * good for nothing but to be closed.
 *
 * Fails with %SHND_ERROR_END_OF_STREAM if the other side closed the connection instead; with
 * %SHND_ERROR_DISCONNECTED if it did so in the middle of an array; with %SHND_ERROR_PROTOCOL if it
 * sent something else, without a file descriptor, or with several; with %SHND_ERROR_NO_SPACE if this
 * process can have no more descriptors; with %SHND_ERROR_TIMED_OUT if the socket has a timeout, and
 * that is over; with %SHND_ERROR_UNSUPPORTED if the socket is of another kind; with
 * `G_IO_ERROR_CANCELLED`; else as [ctor@Shnd.Array.new_from_variant] does.
 *
 * Returns: (transfer full): the array; it has no name
 */
ShndArray *
shnd_array_receive (GUnixConnection *connection,
                    ShndAccess access,
                    GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (Transfer) transfer = NULL;
  TransferResult result;

  g_return_val_if_fail (G_IS_UNIX_CONNECTION (connection), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  transfer = transfer_new_receive (connection, access, error);
  if (transfer == NULL)
    return NULL;

  while ((result = receive_some (transfer, cancellable, error)) == TRANSFER_WAIT)
    {
      GError *socket_error = NULL;

      /* One that blocks waits by itself. */
      if (!g_socket_get_blocking (transfer->socket) &&
          !g_socket_condition_wait (transfer->socket, G_IO_IN, cancellable, &socket_error))
        {
          fail (error, socket_error);
          return NULL;
        }
    }

  return result == TRANSFER_DONE ? open_received (transfer, error) : NULL;
}

/* ---- Asynchronously ---- */

/* Lets `step` be called whenever the socket is ready, when its timeout is over, and when the task is
 * cancelled. */
static void
start (GTask *task, Transfer *transfer, GIOCondition condition, GSocketSourceFunc step)
{
  g_autoptr (GSource) source =
      g_socket_create_source (transfer->socket, condition, g_task_get_cancellable (task));

  g_task_set_task_data (task, transfer, (GDestroyNotify) transfer_free);
  g_source_set_static_name (source, "[shnd] transfer");
  g_task_attach_source (task, source, G_SOURCE_FUNC (step));
}

static gboolean
send_step (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  switch (send_some (g_task_get_task_data (task), 0, g_task_get_cancellable (task), &error))
    {
    case TRANSFER_DONE:
      g_task_return_boolean (task, TRUE);
      return G_SOURCE_REMOVE;

    case TRANSFER_FAILED:
      g_task_return_error (task, error);
      return G_SOURCE_REMOVE;

    case TRANSFER_WAIT:
    default:
      return G_SOURCE_CONTINUE;
    }
}

/**
 * shnd_array_send_async:
 * @self: an array
 * @connection: a connection over a Unix socket of type `SOCK_STREAM`
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the array was sent, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Sends an array as [method@Shnd.Array.send] does, without blocking the caller.
 *
 * One array is sent over a connection at a time.
 */
void
shnd_array_send_async (ShndArray *self,
                       GUnixConnection *connection,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  Transfer *transfer;

  g_return_if_fail (SHND_IS_ARRAY (self));
  g_return_if_fail (G_IS_UNIX_CONNECTION (connection));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, shnd_array_send_async);
  /* Cancelled when the message is out already, it has not failed. */
  g_task_set_check_cancellable (task, FALSE);
  transfer = transfer_new_send (self, connection, &error);
  if (transfer != NULL)
    start (task, transfer, G_IO_OUT, send_step);
  else
    g_task_return_error (task, error);
}

/**
 * shnd_array_send_finish:
 * @self: an array
 * @result: what the callback of [method@Shnd.Array.send_async] got
 * @error: return location for an error
 *
 * Gets the result of [method@Shnd.Array.send_async].
 *
 * Fails with the errors of [method@Shnd.Array.send].
 *
 * Returns: whether it was sent
 */
gboolean
shnd_array_send_finish (ShndArray *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_send_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
receive_step (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;
  ShndArray *array = NULL;

  switch (receive_some (g_task_get_task_data (task), g_task_get_cancellable (task), &error))
    {
    case TRANSFER_DONE:
      array = open_received (g_task_get_task_data (task), &error);
      break;

    case TRANSFER_FAILED:
      break;

    case TRANSFER_WAIT:
    default:
      return G_SOURCE_CONTINUE;
    }

  if (array != NULL)
    g_task_return_pointer (task, array, g_object_unref);
  else
    g_task_return_error (task, error);

  return G_SOURCE_REMOVE;
}

/**
 * shnd_array_receive_async:
 * @connection: a connection over a Unix socket of type `SOCK_STREAM`
 * @access: how to open the array
 * @cancellable: (nullable): a cancellable object
 * @callback: (nullable) (scope async) (closure user_data): called when the array has come, or the
 *   attempt has failed
 * @user_data: data for @callback
 *
 * Receives an array as [func@Shnd.Array.receive] does, without blocking the caller.
 *
 * @callback is called in the thread-default main context of the caller, and gets the result from
 * [func@Shnd.Array.receive_finish]. One array is received over a connection at a time.
 */
void
shnd_array_receive_async (GUnixConnection *connection,
                          ShndAccess access,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  Transfer *transfer;

  g_return_if_fail (G_IS_UNIX_CONNECTION (connection));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, shnd_array_receive_async);
  g_task_set_check_cancellable (task, FALSE);
  transfer = transfer_new_receive (connection, access, &error);
  if (transfer != NULL)
    start (task, transfer, G_IO_IN, receive_step);
  else
    g_task_return_error (task, error);
}

/**
 * shnd_array_receive_finish:
 * @result: what the callback of [func@Shnd.Array.receive_async] got
 * @error: return location for an error
 *
 * Gets the result of [func@Shnd.Array.receive_async].
 *
 * Fails with the errors of [func@Shnd.Array.receive].
 *
 * Returns: (transfer full): the array; it has no name
 */
ShndArray *
shnd_array_receive_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, shnd_array_receive_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
