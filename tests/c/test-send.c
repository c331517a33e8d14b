/* SPDX-License-Identifier: MIT */

#include "fd-support.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Arrays over sockets. */

#define PREFIX_SIZE 32
#define MAX_FDS 8

/* Two ends of a connection. */
typedef struct
{
  GUnixConnection *a;
  GUnixConnection *b;
} Pair;

static GUnixConnection *
new_connection (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  return g_object_new (G_TYPE_UNIX_CONNECTION, "socket", socket, NULL);
}

static void
pair_init_type (Pair *self, int type)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, type | SOCK_CLOEXEC, 0, fds), ==, 0);
  self->a = new_connection (fds[0]);
  self->b = new_connection (fds[1]);
}

static void
pair_init (Pair *self)
{
  pair_init_type (self, SOCK_STREAM);
}

static void
pair_clear (Pair *self)
{
  g_clear_object (&self->a);
  g_clear_object (&self->b);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear)

static GSocket *
get_socket (GUnixConnection *connection)
{
  return g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection));
}

static int
get_fd (GUnixConnection *connection)
{
  return g_socket_get_fd (get_socket (connection));
}

static void
close_connection (GUnixConnection *connection)
{
  g_assert_true (g_io_stream_close (G_IO_STREAM (connection), NULL, NULL));
}

static void
send_array (ShndArray *array, GUnixConnection *connection)
{
  g_autoptr (GError) error = NULL;
  gboolean sent = shnd_array_send (array, connection, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (sent);
}

static ShndArray *
receive (GUnixConnection *connection, ShndAccess access)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_receive (connection, access, NULL, &error);

  g_assert_no_error (error);
  return array;
}

static void
assert_fails (GUnixConnection *connection, ShndError code, const char *part)
{
  ASSERT_FAILS (shnd_array_receive (connection, SHND_ACCESS_READ, NULL, failure), code, part);
}

/* Bytes as a peer sends them that does not use the library. */
static void
send_raw (
    GUnixConnection *connection, gconstpointer data, gsize length, const int *fds, guint n_fds)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (MAX_FDS * sizeof (int))];
  } control = { 0 };
  struct iovec vector = { (gpointer) data, length };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

  if (n_fds > 0)
    {
      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (n_fds * sizeof (int));
      memcpy (CMSG_DATA (&control.header), fds, n_fds * sizeof (int));
    }
  g_assert_cmpint (sendmsg (get_fd (connection), &message, MSG_NOSIGNAL), ==, (gssize) length);
}

/* A message, and its descriptor, as it is on the way. Returns its length. */
static gsize
get_message (ShndArray *array, guint8 *message, gsize size, int *fd)
{
  g_auto (Pair) pair = { 0 };
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (MAX_FDS * sizeof (int))];
  } control = { 0 };
  struct iovec vector = { message, size };
  struct msghdr header = {
    .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  gssize length;

  pair_init (&pair);
  send_array (array, pair.a);
  length = recvmsg (get_fd (pair.b), &header, MSG_CMSG_CLOEXEC);
  g_assert_cmpint (length, >, PREFIX_SIZE);
  g_assert_cmpint (length, <, size);
  g_assert_cmpint (control.header.cmsg_type, ==, SCM_RIGHTS);
  g_assert_cmpint (control.header.cmsg_len, ==, CMSG_LEN (sizeof *fd));
  memcpy (fd, CMSG_DATA (&control.header), sizeof *fd);

  return length;
}

static void
put_u32 (guint8 *message, guint offset, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (message + offset, &value, sizeof value);
}

/* ---- What goes over ---- */

static void
test_round_trip (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_array (NULL, "[('a','<i2'),('b','>f4')]", SHAPE (3, 4, 5));
  g_autoptr (ShndArray) point = new_array (NULL, "float32", NULL, 0);
  g_autoptr (ShndArray) empty = new_array (NULL, "int16", SHAPE (2, 0));
  g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 3, -1, -2, NULL);
  g_autoptr (ShndArray) field = shnd_array_field (view, "b", NULL);
  ShndArray *arrays[] = { array, point, empty, view, field };
  guint8 *data = shnd_array_get_data (array);
  char text[3];

  pair_init (&pair);
  for (guint i = 0; i < shnd_array_get_n_bytes (array); i++)
    data[i] = i;
  for (guint i = 0; i < 3; i++)
    g_assert_true (shnd_array_seal (arrays[i], NULL));

  /* Several at once, with other things between them, of which nothing is lost. */
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      send_array (arrays[i], pair.a);
      send_raw (pair.a, "abc", 3, NULL, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      g_autoptr (ShndArray) received = receive (pair.b, SHND_ACCESS_READ);

      assert_same_elements (arrays[i], received);
      g_assert_cmpint (recv (get_fd (pair.b), text, 3, 0), ==, 3);
      g_assert_cmpmem (text, 3, "abc", 3);
    }
}

/* Byte by byte, as doc/format.md has it. */
static void
test_message (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "<i4", SHAPE (2, 3));
  g_autoptr (ShndArray) view = shnd_array_slice (array, 1, 2, -1, -2, NULL);
  static const guint8 expected[] = {
    'S', 'H', 'N', 'D', 'S', 'E',  'N',  'D',  1,    0,    0,    0,    2,    0,   0,   0,   3,
    0,   0,   0,   0,   0,   0,    0,    8,    0x10, 0,    0,    0,    0,    0,   0,   2,   0,
    0,   0,   0,   0,   0,   0,    2,    0,    0,    0,    0,    0,    0,    0,   12,  0,   0,
    0,   0,   0,   0,   0,   0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '<', 'i', '4',
  };
  guint8 message[256];
  gsize length;
  int fd;

  length = get_message (view, message, sizeof message, &fd);
  g_assert_cmpmem (message, length, expected, sizeof expected);
  close (fd);
}

/* Unsealed arrays go to those who trust. */
static void
test_access (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_counting (4);
  g_autoptr (ShndArray) received = NULL;

  pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    send_array (array, pair.a);
  assert_fails (pair.b, SHND_ERROR_PERMISSION_DENIED, "F_SEAL_SHRINK");

  /* What cannot be an access takes nothing off the socket, and neither does one that was cancelled. */
  ASSERT_FAILS (shnd_array_receive (pair.b, SHND_ACCESS_UNSEALED, NULL, failure),
                SHND_ERROR_INVALID_ARGUMENT, "READ");
  {
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;

    g_cancellable_cancel (cancellable);
    g_assert_null (shnd_array_receive (pair.b, SHND_ACCESS_READ, cancellable, &error));
    assert_cancelled (error);
    g_clear_error (&error);
    g_assert_false (shnd_array_send (array, pair.a, cancellable, &error));
    assert_cancelled (error);
  }

  received = receive (pair.b, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
  g_assert_true (shnd_array_fill (received, g_variant_new_int32 (3), NULL));
  g_assert_cmpint (get_int (array, 0), ==, 3);
}

/* ---- What else may come ---- */

typedef struct
{
  GUnixConnection *connection;
  const guint8 *message;
  gsize length;
  int fd;
} Dripping;

static gpointer
drip (gpointer data)
{
  Dripping *self = data;

  for (gsize i = 0; i < self->length; i++)
    {
      send_raw (self->connection, self->message + i, 1, &self->fd, i == 0);
      if (i % 16 == 0)
        g_usleep (1000);
    }
  return NULL;
}

/* A byte at a time, to sockets that wait and to those that do not. */
static void
test_partial (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  guint8 message[256];
  Dripping dripping = { .message = message };

  dripping.length = get_message (array, message, sizeof message, &dripping.fd);
  for (guint i = 0; i < 2; i++)
    {
      g_auto (Pair) pair = { 0 };
      g_autoptr (ShndArray) received = NULL;
      GThread *thread;

      pair_init (&pair);
      g_socket_set_blocking (get_socket (pair.b), i == 0);
      dripping.connection = pair.a;
      thread = g_thread_new ("drip", drip, &dripping);
      received = receive (pair.b, SHND_ACCESS_READ);
      assert_same_elements (array, received);
      g_thread_join (thread);
    }
  close (dripping.fd);
}

static gpointer
send_in_thread (gpointer data)
{
  Pair *pair = data;
  g_autoptr (ShndArray) array = g_object_steal_data (G_OBJECT (pair->a), "array");

  send_array (array, pair->a);
  return NULL;
}

/* A message that is much longer than what a socket takes at once. */
static void
test_long (void)
{
  g_autoptr (GString) text = g_string_new ("[");

  for (guint i = 0; i < 40000; i++)
    g_string_append_printf (text, "('a_field_with_number_%u','<i2'),", i);
  text->str[text->len - 1] = ']';

  for (guint i = 0; i < 2; i++)
    {
      g_auto (Pair) pair = { 0 };
      ShndArray *array = new_array (NULL, text->str, SHAPE (2));
      g_autoptr (ShndArray) received = NULL;
      GThread *thread;

      g_assert_true (shnd_array_seal (array, NULL));
      pair_init (&pair);
      g_socket_set_blocking (get_socket (pair.a), i == 0);
      g_socket_set_blocking (get_socket (pair.b), i == 0);
      g_object_set_data_full (G_OBJECT (pair.a), "array", array, g_object_unref);
      thread = g_thread_new ("send", send_in_thread, &pair);
      received = receive (pair.b, SHND_ACCESS_READ);
      g_thread_join (thread);
      g_assert_cmpuint (shnd_dtype_get_n_fields (shnd_array_get_dtype (received)), ==, 40000);
      g_assert_cmpint (shnd_array_get_size (received), ==, 2);
    }
}

/* Whatever comes is an error that says so, and no descriptor of it stays. */
static void
test_garbage (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  guint8 message[256], bad[256];
  gsize length;
  guint n_fds;
  int fds[2];

  length = get_message (array, message, sizeof message, &fds[0]);
  fds[1] = fds[0];
  n_fds = count_fds ();

#define CHECK(n, n_sent_fds, change, code, part)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_auto (Pair) pair = { 0 };                                                                    \
                                                                                                   \
    pair_init (&pair);                                                                             \
    memcpy (bad, message, length);                                                                 \
    change;                                                                                        \
    send_raw (pair.a, bad, n, fds, n_sent_fds);                                                    \
    close_connection (pair.a);                                                                     \
    assert_fails (pair.b, code, part);                                                             \
  }                                                                                                \
  G_STMT_END

  for (guint i = 1; i < length; i++)
    CHECK (i, 1, (void) 0, SHND_ERROR_DISCONNECTED, "middle");
  CHECK (length, 0, (void) 0, SHND_ERROR_PROTOCOL, "file descriptor with its first byte");
  CHECK (length, 2, (void) 0, SHND_ERROR_PROTOCOL, "one file descriptor");
  CHECK (length, 1, memset (bad, 'x', length), SHND_ERROR_PROTOCOL, "SHNDSEND");
  CHECK (length, 1, put_u32 (bad, 8, 2), SHND_ERROR_PROTOCOL, "version 2, expected 1");
  CHECK (length, 1, put_u32 (bad, 8, 0), SHND_ERROR_PROTOCOL, "version 0");
  CHECK (length, 1, put_u32 (bad, 12, 33), SHND_ERROR_PROTOCOL, "33 dimensions");
  CHECK (length, 1, put_u32 (bad, 12, G_MAXUINT32), SHND_ERROR_PROTOCOL, "dimensions");
  CHECK (length, 1, put_u32 (bad, 12, 32), SHND_ERROR_DISCONNECTED, "middle");
  CHECK (length, 1, put_u32 (bad, 16, 4 * 1024 * 1024 + 1), SHND_ERROR_PROTOCOL, "a dtype of");
  CHECK (length, 1, put_u32 (bad, 16, G_MAXUINT32), SHND_ERROR_PROTOCOL, "a dtype of");
  CHECK (length, 1, put_u32 (bad, 16, 4 * 1024 * 1024), SHND_ERROR_DISCONNECTED, "middle");
  CHECK (length, 1, put_u32 (bad, 20, 1), SHND_ERROR_PROTOCOL, "unused");
  CHECK (length, 1, put_u32 (bad, 24, 8192), SHND_ERROR_TOO_SMALL, "8192");
  CHECK (length, 1, put_u32 (bad, 28, G_MAXUINT32), SHND_ERROR_INVALID_ARGUMENT, "any file");
  CHECK (length, 1, put_u32 (bad, 32, 5), SHND_ERROR_TOO_SMALL, "4116");
  CHECK (length, 1, put_u32 (bad, 36, 1u << 31), SHND_ERROR_INVALID_SHAPE, "");
  CHECK (length, 1, put_u32 (bad, 44, 1u << 31), SHND_ERROR_INVALID_ARGUMENT, "any file");
  CHECK (length, 1, bad[length - 1] = '9', SHND_ERROR_INVALID_DTYPE, "");
  CHECK (length, 1, bad[length - 1] = 0xff, SHND_ERROR_INVALID_DTYPE, "");
  CHECK (length, 1, bad[length - 2] = '\0', SHND_ERROR_INVALID_DTYPE, "");
  CHECK (PREFIX_SIZE, 1, (put_u32 (bad, 12, 0), put_u32 (bad, 16, 0)), SHND_ERROR_INVALID_DTYPE,
         "");

  {
    g_auto (Pair) pair = { 0 };

    pair_init (&pair);
    close_connection (pair.a);
    assert_fails (pair.b, SHND_ERROR_END_OF_STREAM, "no more arrays");
    assert_fails (pair.b, SHND_ERROR_END_OF_STREAM, "no more arrays");
    close_connection (pair.b);
    assert_fails (pair.b, SHND_ERROR_DISCONNECTED, "");
  }

  g_assert_cmpuint (count_fds (), ==, n_fds);
  close (fds[0]);
}

/* What a script may send that has nothing to do with it. */
static void
test_other_descriptors (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
  const struct
  {
    int fd;
    ShndError code;
  } cases[] = {
    { open ("/", O_RDONLY | O_CLOEXEC), SHND_ERROR_INVALID_FORMAT },
    { open ("/dev/zero", O_RDWR | O_CLOEXEC), SHND_ERROR_INVALID_FORMAT },
    { socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), SHND_ERROR_INVALID_FORMAT },
    { make_npy_memory (4096, 3, seals), SHND_ERROR_TOO_SMALL },
    { make_npy_memory (4096, 4224, 0), SHND_ERROR_PERMISSION_DENIED },
  };
  guint8 message[256];
  gsize length;
  int fd;

  length = get_message (array, message, sizeof message, &fd);
  close (fd);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Pair) pair = { 0 };
      g_autoptr (ShndArray) received = NULL;

      pair_init (&pair);
      send_raw (pair.a, message, length, &cases[i].fd, 1);
      close (cases[i].fd);
      assert_fails (pair.b, cases[i].code, "the array that came");
      /* The message is whole, so the next one can be read. */
      send_array (array, pair.a);
      received = receive (pair.b, SHND_ACCESS_READ);
      assert_same_elements (array, received);
    }
}

static void
test_sockets (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_auto (Pair) pair = { 0 };

      pair_init_type (&pair, types[i]);
      ASSERT_FAILS (shnd_array_send (array, pair.a, NULL, failure), SHND_ERROR_UNSUPPORTED,
                    "SOCK_STREAM");
      assert_fails (pair.b, SHND_ERROR_UNSUPPORTED, "SOCK_STREAM");
    }

  {
    g_auto (Pair) pair = { 0 };

    pair_init (&pair);
    close_connection (pair.b);
    ASSERT_FAILS (shnd_array_send (array, pair.a, NULL, failure), SHND_ERROR_DISCONNECTED, "");
    shnd_array_close (array);
    ASSERT_FAILS (shnd_array_send (array, pair.a, NULL, failure), SHND_ERROR_CLOSED, "");
  }
}

/* Both sides say so when there are no descriptors left. */
static void
test_limit (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_sealed (4);
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GError) send_error = NULL;
  g_autoptr (GError) receive_error = NULL;
  struct rlimit old, limit;
  int fd;

  pair_init (&pair);
  send_array (array, pair.a);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  limit = old;
  limit.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  while ((fd = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    g_array_append_val (taken, fd);

  shnd_array_send (array, pair.a, NULL, &send_error);
  shnd_array_receive (pair.b, SHND_ACCESS_READ, NULL, &receive_error);

  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  assert_message (send_error, SHND_ERROR_NO_SPACE, "");
  /* Under valgrind the kernel knows nothing of the limit. */
  assert_message (receive_error, SHND_ERROR_NO_SPACE,
                  g_getenv ("SHND_TEST_VALGRIND") == NULL ? "lost" : "");
}

/* ---- Waiting ---- */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_async (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_sealed (4);
  GSocket *socket;
  char junk[4096] = { 0 };
  gsize n_junk = 0;

  pair_init (&pair);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GAsyncResult) sent = NULL;
      g_autoptr (GAsyncResult) received = NULL;
      g_autoptr (ShndArray) again = NULL;
      g_autoptr (GError) error = NULL;

      shnd_array_receive_async (pair.b, SHND_ACCESS_READ, NULL, keep_result, &received);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_assert_null (received);
      shnd_array_send_async (array, pair.a, NULL, keep_result, &sent);
      wait_for (&sent);
      wait_for (&received);
      g_assert_true (shnd_array_send_finish (array, sent, &error));
      g_assert_no_error (error);
      again = shnd_array_receive_finish (received, &error);
      g_assert_no_error (error);
      assert_same_elements (array, again);
    }

  /* While there is no room it waits, and nothing else does. */
  socket = get_socket (pair.a);
  g_socket_set_blocking (socket, FALSE);
  for (gssize n; (n = g_socket_send (socket, junk, sizeof junk, NULL, NULL)) > 0;)
    n_junk += n;
  {
    g_autoptr (GAsyncResult) sent = NULL;
    g_autoptr (ShndArray) again = NULL;

    shnd_array_send_async (array, pair.a, NULL, keep_result, &sent);
    for (guint i = 0; i < 10; i++)
      g_main_context_iteration (NULL, FALSE);
    g_assert_null (sent);
    while (n_junk > 0)
      {
        gssize n = recv (get_fd (pair.b), junk, MIN (sizeof junk, n_junk), 0);

        g_assert_cmpint (n, >, 0);
        n_junk -= n;
      }
    wait_for (&sent);
    g_assert_true (shnd_array_send_finish (array, sent, NULL));
    again = receive (pair.b, SHND_ACCESS_READ);
    assert_same_elements (array, again);
  }
}

/* A message in two parts, with a descriptor with the second, and perhaps with the first. */
static void
check_late_descriptor (const guint8 *message, gsize length, gsize position, int fd, guint n_first)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  int n_waiting = 1;

  pair_init (&pair);
  shnd_array_receive_async (pair.b, SHND_ACCESS_READ, NULL, keep_result, &result);
  send_raw (pair.a, message, position, &fd, n_first);
  /* When that is read, or refused, it is known whether there was one. */
  while (n_waiting > 0 && result == NULL)
    {
      g_main_context_iteration (NULL, FALSE);
      g_assert_cmpint (ioctl (get_fd (pair.b), FIONREAD, &n_waiting), ==, 0);
    }
  send_raw (pair.a, message + position, length - position, &fd, 1);
  wait_for (&result);
  ASSERT_FAILS (shnd_array_receive_finish (result, failure), SHND_ERROR_PROTOCOL,
                "file descriptor");
}

static void
test_late_descriptors (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  const gsize positions[] = { 1, PREFIX_SIZE, PREFIX_SIZE + 1 };
  guint8 message[256];
  gsize length;
  guint n_fds;
  int fd;

  length = get_message (array, message, sizeof message, &fd);
  /* GLib has its own from the first time on. */
  check_late_descriptor (message, length, 1, fd, 1);
  n_fds = count_fds ();
  for (guint i = 0; i < G_N_ELEMENTS (positions); i++)
    {
      for (guint n_first = 0; n_first < 2; n_first++)
        check_late_descriptor (message, length, positions[i], fd, n_first);
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);
  close (fd);
}

static void
test_async_errors (void)
{
  g_auto (Pair) pair = { 0 };
  g_auto (Pair) packets = { 0 };
  g_autoptr (ShndArray) array = new_sealed (4);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GAsyncResult) refused = NULL;
  g_autoptr (GAsyncResult) refused_send = NULL;
  g_autoptr (GAsyncResult) ended = NULL;
  g_autoptr (GAsyncResult) unheard = NULL;
  g_autoptr (GError) error = NULL;

  pair_init (&pair);
  pair_init_type (&packets, SOCK_SEQPACKET);
  shnd_array_receive_async (pair.b, SHND_ACCESS_READ, cancellable, keep_result, &cancelled);
  shnd_array_receive_async (packets.a, SHND_ACCESS_READ, NULL, keep_result, &refused);
  shnd_array_send_async (array, packets.a, NULL, keep_result, &refused_send);
  wait_for (&refused);
  wait_for (&refused_send);
  ASSERT_FAILS (shnd_array_receive_finish (refused, failure), SHND_ERROR_UNSUPPORTED, "");
  ASSERT_FAILS (shnd_array_send_finish (array, refused_send, failure), SHND_ERROR_UNSUPPORTED, "");

  g_assert_null (cancelled);
  g_cancellable_cancel (cancellable);
  wait_for (&cancelled);
  g_assert_null (shnd_array_receive_finish (cancelled, &error));
  assert_cancelled (error);

  shnd_array_receive_async (pair.b, SHND_ACCESS_READ, NULL, keep_result, &ended);
  close_connection (pair.a);
  wait_for (&ended);
  ASSERT_FAILS (shnd_array_receive_finish (ended, failure), SHND_ERROR_END_OF_STREAM, "");
  shnd_array_send_async (array, pair.a, NULL, keep_result, &unheard);
  wait_for (&unheard);
  ASSERT_FAILS (shnd_array_send_finish (array, unheard, failure), SHND_ERROR_DISCONNECTED, "");

  /* Closed while it waits. */
  pair_clear (&pair);
  g_clear_object (&ended);
  pair_init (&pair);
  shnd_array_receive_async (pair.b, SHND_ACCESS_READ, NULL, keep_result, &ended);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  close_connection (pair.b);
  wait_for (&ended);
  ASSERT_FAILS (shnd_array_receive_finish (ended, failure), SHND_ERROR_DISCONNECTED, "");
}

/* A timeout of the socket counts, in both ways of waiting. */
static void
test_timeout (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (GAsyncResult) result = NULL;

  pair_init (&pair);
  g_socket_set_timeout (get_socket (pair.b), 1);
  assert_fails (pair.b, SHND_ERROR_TIMED_OUT, "");
  shnd_array_receive_async (pair.b, SHND_ACCESS_READ, NULL, keep_result, &result);
  wait_for (&result);
  ASSERT_FAILS (shnd_array_receive_finish (result, failure), SHND_ERROR_TIMED_OUT, "");
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (20000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancel (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread;

  pair_init (&pair);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (shnd_array_receive (pair.b, SHND_ACCESS_READ, cancellable, &error));
  assert_cancelled (error);
  g_thread_join (thread);
}

/* ---- Other processes ---- */

static void
test_fork (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_sealed (1000);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 999, -1, -3, NULL);
  pid_t pid;

  pair_init (&pair);
  pid = fork ();
  if (pid == 0)
    {
      ShndArray *received;

      shnd_array_close (array);
      shnd_array_close (view);
      received = shnd_array_receive (pair.b, SHND_ACCESS_READ, NULL, NULL);
      if (received == NULL || get_int (received, 0) != 999 || get_int (received, 333) != 0)
        end_child (1);
      /* It still is when its maker is gone. The socket is GIO's: recv() does not wait. */
      if (!g_socket_condition_wait (get_socket (pair.b), G_IO_IN, NULL, NULL) ||
          recv (get_fd (pair.b), &pid, 1, 0) != 1 || get_int (received, 1) != 996)
        end_child (2);
      g_object_unref (received);
      end_child (0);
    }

  send_array (view, pair.a);
  shnd_array_close (view);
  shnd_array_close (array);
  send_raw (pair.a, "x", 1, NULL, 0);
  wait_for_child (pid);
}

static void
test_leaks (void)
{
  g_auto (Pair) pair = { 0 };
  g_autoptr (ShndArray) array = new_sealed (4);
  g_autoptr (ShndArray) unsealed = new_counting (4);
  guint n = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 50 : 3000;
  guint n_fds;

  pair_init (&pair);
  n_fds = count_fds ();
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ShndArray) received = NULL;

      send_array (array, pair.a);
      send_array (unsealed, pair.a);
      received = receive (pair.b, SHND_ACCESS_READ);
      assert_fails (pair.b, SHND_ERROR_PERMISSION_DENIED, "");
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);

  /* One that nobody takes goes with the connection. */
  send_array (array, pair.a);
  pair_clear (&pair);
  g_assert_cmpuint (count_fds (), ==, n_fds - 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/send/round-trip", test_round_trip);
  g_test_add_func ("/send/message", test_message);
  g_test_add_func ("/send/access", test_access);
  g_test_add_func ("/send/partial", test_partial);
  g_test_add_func ("/send/long", test_long);
  g_test_add_func ("/send/garbage", test_garbage);
  g_test_add_func ("/send/late-descriptors", test_late_descriptors);
  g_test_add_func ("/send/other-descriptors", test_other_descriptors);
  g_test_add_func ("/send/sockets", test_sockets);
  g_test_add_func ("/send/limit", test_limit);
  g_test_add_func ("/send/async", test_async);
  g_test_add_func ("/send/async-errors", test_async_errors);
  g_test_add_func ("/send/timeout", test_timeout);
  g_test_add_func ("/send/cancel", test_cancel);
  g_test_add_func ("/send/fork", test_fork);
  g_test_add_func ("/send/leaks", test_leaks);

  return g_test_run ();
}
