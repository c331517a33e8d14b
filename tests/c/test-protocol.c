/* SPDX-License-Identifier: MIT */

/* Messages: each with every field wrong, and what comes and goes with them over a socket. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shnd-protocol-private.h"

#include "support.h"

static union
{
  guint8 bytes[SHND_MAX_MESSAGE + 64];
  guint32 words[14];
  guint64 align;
  ShndMessageHeader header;
  ShndMessageHello hello;
  ShndMessageRelease release;
  ShndMessageRetire retire;
  ShndMessageRefused refused;
  ShndMessageFrame frame;
} buffer;

static void
set_header (ShndMessageType type, gsize size)
{
  memset (&buffer, 0, sizeof buffer);
  buffer.header.type = type;
  buffer.header.size = size;
  if (type == SHND_MESSAGE_REFUSED)
    memset (buffer.bytes + sizeof buffer.refused, 'x', SHND_MAX_REFUSAL);
}

/* The message in the buffer, as long as its header says. */
static const char *
parse (ShndMessage *message, gboolean from_publisher, gboolean has_fd)
{
  /* Exactly as long, so that a sanitizer sees a read beyond the end. */
  g_autofree guint8 *copy = g_memdup2 (&buffer, MIN (buffer.header.size, sizeof buffer));

  return shnd_message_parse (message, copy, buffer.header.size, from_publisher, has_fd);
}

static void
assert_refused (gboolean from_publisher, gboolean has_fd, const char *part)
{
  ShndMessage message;
  const char *problem = parse (&message, from_publisher, has_fd);

  g_assert_nonnull (problem);
  if (strstr (problem, part) == NULL)
    g_error ("“%s”: expected “%s”", problem, part);
}

static void
assert_accepted (gboolean from_publisher, gboolean has_fd)
{
  ShndMessage message;

  g_assert_cmpstr (parse (&message, from_publisher, has_fd), ==, NULL);
  g_assert_cmpuint (message.type, ==, buffer.header.type);
}

static void
test_header (void)
{
  static const struct
  {
    guint32 type;
    gsize size;
    gboolean from_publisher;
    gboolean has_fd;
  } good[] = {
    { SHND_MESSAGE_RELEASE, 12, FALSE, FALSE }, { SHND_MESSAGE_RELEASE, 1032, FALSE, FALSE },
    { SHND_MESSAGE_STOP, 8, FALSE, FALSE },     { SHND_MESSAGE_REFUSED, 16, TRUE, FALSE },
    { SHND_MESSAGE_REFUSED, 272, TRUE, FALSE }, { SHND_MESSAGE_RETIRE, 16, TRUE, FALSE },
    { SHND_MESSAGE_END, 8, TRUE, FALSE },
  };
  static const guint32 unknown[] = { 0, 4, 15, 21, 255, G_MAXUINT32 };
  ShndMessage message;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      set_header (good[i].type, good[i].size);
      assert_accepted (good[i].from_publisher, good[i].has_fd);
      assert_refused (!good[i].from_publisher, good[i].has_fd, "no type that this side sends");
      assert_refused (good[i].from_publisher, !good[i].has_fd, "descriptor");
      g_assert_nonnull (shnd_message_parse (&message, &buffer, good[i].size - 1,
                                            good[i].from_publisher, good[i].has_fd));
      g_assert_nonnull (shnd_message_parse (&message, &buffer, good[i].size + 1,
                                            good[i].from_publisher, good[i].has_fd));
    }

  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      set_header (unknown[i], 8);
      assert_refused (unknown[i] >= 16, FALSE, "unknown type");
    }

  set_header (SHND_MESSAGE_STOP, 8);
  for (gsize size = 0; size < 8; size++)
    g_assert_cmpstr (shnd_message_parse (&message, &buffer, size, FALSE, FALSE), ==,
                     "less than a header");
}

static void
test_sizes (void)
{
  for (gsize size = 8; size < 1100; size++)
    {
      ShndMessage message;
      gboolean fits;

      set_header (SHND_MESSAGE_RELEASE, size);
      fits = size >= 12 && size <= 1032 && size % 4 == 0;
      g_assert_cmpint (parse (&message, FALSE, FALSE) == NULL, ==, fits);
      if (fits)
        g_assert_cmpuint (message.n_slots, ==, (size - 8) / 4);

      set_header (SHND_MESSAGE_STOP, size);
      g_assert_cmpint (parse (&message, FALSE, FALSE) == NULL, ==, size == 8);
      set_header (SHND_MESSAGE_END, size);
      g_assert_cmpint (parse (&message, TRUE, FALSE) == NULL, ==, size == 8);
      set_header (SHND_MESSAGE_RETIRE, size);
      g_assert_cmpint (parse (&message, TRUE, FALSE) == NULL, ==, size == 16);
      set_header (SHND_MESSAGE_REFUSED, size);
      g_assert_cmpint (parse (&message, TRUE, FALSE) == NULL, ==, size >= 16 && size <= 272);
    }
}

static void
set_hello (ShndMessageType type, gsize size)
{
  set_header (type, size);
  memcpy (buffer.hello.magic, "SHNDFRAM", 8);
  buffer.hello.version = 1;
  buffer.hello.depth = 3;
}

static void
test_hello (void)
{
  ShndMessage message;

  for (guint i = 0; i < 2; i++)
    {
      ShndMessageType type = i == 0 ? SHND_MESSAGE_HELLO : SHND_MESSAGE_WELCOME;

      set_hello (type, 24);
      assert_accepted (i == 1, i == 1);
      assert_refused (i == 1, i == 0, "descriptor");
      for (gsize size = 8; size < 24; size++)
        {
          set_hello (type, size);
          assert_refused (i == 1, i == 1, "less than 24 bytes");
        }
      set_hello (type, 25);
      assert_refused (i == 1, i == 1, "more than 24 bytes");
      for (guint k = 0; k < 8; k++)
        {
          set_hello (type, 24);
          buffer.hello.magic[k] ^= 0x20;
          assert_refused (i == 1, i == 1, "without the magic");
        }
    }

  /* Another version may say more; what becomes of it is decided elsewhere. */
  set_hello (SHND_MESSAGE_HELLO, 100);
  buffer.hello.version = 2;
  assert_accepted (FALSE, FALSE);

  set_hello (SHND_MESSAGE_HELLO, 24);
  g_assert_null (shnd_message_parse (&message, &buffer, 24, FALSE, FALSE));
  g_assert_cmpuint (message.hello->depth, ==, 3);
}

static void
test_refused (void)
{
  ShndMessage message;

  set_header (SHND_MESSAGE_REFUSED, 16 + 5);
  buffer.refused.code = 3;
  memcpy (buffer.bytes + 16, "nö no", 6);
  g_assert_null (shnd_message_parse (&message, &buffer, 21, TRUE, FALSE));
  g_assert_cmpstr (message.refusal, ==, "nö n");

  buffer.bytes[18] = 0xff;
  assert_refused (TRUE, FALSE, "not UTF-8");
  buffer.bytes[18] = 0;
  assert_refused (TRUE, FALSE, "not UTF-8");
}

static void
test_retire (void)
{
  set_header (SHND_MESSAGE_RETIRE, 16);
  buffer.retire.slot = 65535;
  assert_accepted (TRUE, FALSE);
  buffer.retire.slot = 65536;
  assert_refused (TRUE, FALSE, "no possible number");
  buffer.retire.slot = 0;
  buffer.retire.zero = 1;
  assert_refused (TRUE, FALSE, "no possible number");
}

/* ---- FRAME ---- */

static void
set_frame (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("float32");
  g_autoptr (GVariant) metadata = g_variant_ref_sink (g_variant_new_parsed ("{'n': <int32 7>}"));
  g_autoptr (GByteArray) message = g_byte_array_new ();
  ShndLayout layout;

  g_assert_true (shnd_layout_init (&layout, dtype, SHAPE (4, 6), FALSE, NULL));
  shnd_message_build_frame (message, &layout, 64, -5, metadata);
  memset (&buffer, 0, sizeof buffer);
  memcpy (&buffer, message->data, message->len);
  buffer.frame.sequence = 9;
}

static void
test_frame (void)
{
  ShndMessage message;

  set_frame ();
  g_assert_null (shnd_message_parse (&message, &buffer, buffer.header.size, TRUE, FALSE));
  g_assert_cmpuint (message.frame->sequence, ==, 9);
  g_assert_cmpint (message.frame->timestamp, ==, -5);
  g_assert_cmpuint (message.frame->offset, ==, 64);
  g_assert_cmpmem (message.shape, 16, ((gint64[]){ 4, 6 }), 16);
  g_assert_cmpmem (message.strides, 16, ((gint64[]){ 24, 4 }), 16);
  g_assert_cmpmem (message.dtype, message.frame->dtype_size, "<f4", 3);
  g_assert_cmpuint (message.frame->metadata_size, ==, buffer.header.size - 56 - 32 - 8);
  /* Metadata are where a GVariant may be. */
  g_assert_cmpuint ((message.metadata - buffer.bytes) % 8, ==, 0);

  assert_refused (TRUE, TRUE, "a slot that is not new");
  buffer.frame.flags = 1;
  assert_accepted (TRUE, TRUE);
  assert_refused (TRUE, FALSE, "without its descriptor");
}

static void
test_wrong_frame (void)
{
  /* Words of the header that follows the common one, and what they must not be. */
  static const struct
  {
    guint index;
    guint32 value;
    const char *part;
  } wrong[] = {
    { 2, 65536, "no possible number" }, { 2, G_MAXUINT32, "no possible number" },
    { 3, 4, "unknown flags" },          { 3, 1u << 31, "unknown flags" },
    { 4, 0, "without a number" },       { 10, 0, "do not add up" },
    { 10, 1, "do not add up" },         { 10, 3, "do not add up" },
    { 10, 33, "too many dimensions" },  { 10, G_MAXUINT32, "too many dimensions" },
    { 11, 0, "no possible size" },      { 11, 8, "has NUL" },
    { 11, 9, "do not add up" },         { 11, 32768, "do not add up" },
    { 11, 32769, "no possible size" },  { 11, G_MAXUINT32, "no possible size" },
    { 12, 0, "do not add up" },         { 12, 65536, "do not add up" },
    { 12, 65537, "no possible size" },  { 12, G_MAXUINT32, "no possible size" },
    { 13, 1, "unknown flags" },         { 13, G_MAXUINT32, "unknown flags" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      set_frame ();
      buffer.words[wrong[i].index] = wrong[i].value;
      assert_refused (TRUE, FALSE, wrong[i].part);
    }

  set_frame ();
  for (gsize size = buffer.header.size - 1; size >= 8; size--)
    {
      buffer.header.size = size;
      assert_refused (TRUE, FALSE, size < 56 ? "too short" : "do not add up");
    }
}

static void
test_largest_frame (void)
{
  ShndMessage message;

  set_header (SHND_MESSAGE_FRAME, 56 + 512 + 32768 + 65536);
  buffer.frame.sequence = G_MAXUINT64;
  buffer.frame.n_dims = 32;
  buffer.frame.dtype_size = 32768;
  buffer.frame.metadata_size = 65536;
  memset (buffer.bytes + 56 + 512, 'x', 32768);
  g_assert_cmpuint (buffer.header.size, <=, SHND_MAX_MESSAGE);
  g_assert_null (shnd_message_parse (&message, &buffer, buffer.header.size, TRUE, FALSE));
}

static void
test_fits_slot (void)
{
  static const struct
  {
    gint64 shape, stride;
    guint64 offset;
    gboolean fits;
  } cases[] = {
    { 100, 1, 0, TRUE },
    { 101, 1, 0, FALSE },
    { 100, 1, 1, FALSE },
    { 100, -1, 99, TRUE },
    { 100, -1, 98, FALSE },
    { 1, G_MAXINT64, 99, TRUE },
    { 2, G_MAXINT64, 0, FALSE },
    { 2, G_MININT64, 99, FALSE },
    { G_MAXINT64, 0, 99, TRUE },
    { G_MAXINT64, G_MAXINT64, 0, FALSE },
    { G_MAXINT64, G_MININT64, G_MAXUINT64, FALSE },
    { 0, G_MAXINT64, 100, TRUE },
    { 0, 1, 101, FALSE },
    { 0, 1, G_MAXUINT64, FALSE },
    { 1, 1, 100, FALSE },
    { 1, 1, G_MAXUINT64, FALSE },
  };
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      ShndLayout layout = {
        .dtype = dtype,
        .n_dims = 1,
        .shape = { cases[i].shape },
        .strides = { cases[i].stride },
      };

      if (shnd_message_fits_slot (&layout, cases[i].offset, 100) != cases[i].fits)
        g_error ("case %u", i);
    }
}

/* ---- The socket ---- */

static guint
count_fds (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

static void
send_fds (int fd, gconstpointer data, gsize size, guint n, int attached)
{
  union
  {
    char bytes[CMSG_SPACE (8 * sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };
  struct iovec part = { (gpointer) data, size };
  struct msghdr message = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = control.bytes,
    .msg_controllen = CMSG_SPACE (n * sizeof (int)),
  };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (n * sizeof (int));
  for (guint i = 0; i < n; i++)
    memcpy (CMSG_DATA (header) + i * sizeof (int), &attached, sizeof (int));
  g_assert_cmpint (sendmsg (fd, &message, 0), ==, (gssize) size);
}

static void
assert_no_message (int fd, int code, int *attached)
{
  g_assert_cmpint (shnd_message_receive (fd, &buffer, 64, attached), ==, -1);
  g_assert_cmpint (errno, ==, code);
  if (attached != NULL)
    g_assert_cmpint (*attached, ==, -1);
}

static void
test_descriptors (void)
{
  int fds[2], attached, null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  guint n_fds;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  n_fds = count_fds ();
  assert_no_message (fds[1], EAGAIN, &attached);

  g_assert_cmpint (shnd_message_send (fds[0], "12345678", 8, null), ==, 0);
  g_assert_cmpint (shnd_message_receive (fds[1], &buffer, 64, &attached), ==, 8);
  g_assert_cmpint (attached, >=, 0);
  g_assert_cmpint (fcntl (attached, F_GETFD), ==, FD_CLOEXEC);
  close (attached);
  g_assert_cmpint (shnd_message_send_plain (fds[0], SHND_MESSAGE_STOP), ==, 0);
  g_assert_cmpint (shnd_message_receive (fds[1], &buffer, 64, &attached), ==, 8);
  g_assert_cmpint (attached, ==, -1);

  /* More than there may be; where there is room for two in the padding, too. */
  for (guint n = 2; n <= 8; n++)
    {
      send_fds (fds[0], "12345678", 8, n, null);
      assert_no_message (fds[1], EMSGSIZE, &attached);
    }
  for (guint n = 1; n <= 8; n++)
    {
      send_fds (fds[0], "12345678", 8, n, null);
      assert_no_message (fds[1], EMSGSIZE, NULL);
      /* An empty record is the end, whatever comes with it. */
      send_fds (fds[0], "", 0, n, null);
      if (n == 1)
        g_assert_cmpint (shnd_message_receive (fds[1], &buffer, 64, &attached), ==, 0);
      else
        assert_no_message (fds[1], EMSGSIZE, &attached);
      if (n == 1)
        g_assert_cmpint (attached, ==, -1);
    }
  /* Longer than the buffer, with a descriptor and without. */
  g_assert_cmpint (shnd_message_send (fds[0], &buffer, 65, null), ==, 0);
  assert_no_message (fds[1], EMSGSIZE, &attached);
  g_assert_cmpint (shnd_message_send (fds[0], &buffer, 65, -1), ==, 0);
  assert_no_message (fds[1], EMSGSIZE, NULL);
  g_assert_cmpuint (count_fds (), ==, n_fds);

  close (fds[0]);
  g_assert_cmpint (shnd_message_receive (fds[1], &buffer, 64, &attached), ==, 0);
  g_assert_cmpint (shnd_message_send (fds[1], "12345678", 8, -1), ==, EPIPE);
  close (fds[1]);
  close (null);
}

static void
test_no_descriptors_left (void)
{
  struct rlimit limit, low;
  int fds[2], attached, null;

  /* It has descriptors of its own, and limits. */
  if (g_getenv ("SHND_TEST_VALGRIND") != NULL)
    {
      g_test_skip ("under valgrind");
      return;
    }

  null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_cmpint (shnd_message_send (fds[0], "12345678", 8, null), ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  low = limit;
  low.rlim_cur = 3;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  assert_no_message (fds[1], EMFILE, &attached);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  close (fds[0]);
  close (fds[1]);
  close (null);
}

static void
test_full_queue (void)
{
  int fds[2];
  guint n = 0;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  while (shnd_message_send (fds[0], &buffer, 60000, -1) == 0)
    g_assert_cmpuint (++n, <, 10000);
  g_assert_cmpint (shnd_message_send (fds[0], &buffer, 60000, -1), ==, EAGAIN);
  g_assert_cmpint (shnd_message_receive (fds[1], &buffer, sizeof buffer, NULL), ==, 60000);
  close (fds[0]);
  close (fds[1]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/protocol/header", test_header);
  g_test_add_func ("/protocol/sizes", test_sizes);
  g_test_add_func ("/protocol/hello", test_hello);
  g_test_add_func ("/protocol/refused", test_refused);
  g_test_add_func ("/protocol/retire", test_retire);
  g_test_add_func ("/protocol/frame", test_frame);
  g_test_add_func ("/protocol/wrong-frame", test_wrong_frame);
  g_test_add_func ("/protocol/largest-frame", test_largest_frame);
  g_test_add_func ("/protocol/fits-slot", test_fits_slot);
  g_test_add_func ("/protocol/descriptors", test_descriptors);
  g_test_add_func ("/protocol/no-descriptors-left", test_no_descriptors_left);
  g_test_add_func ("/protocol/full-queue", test_full_queue);

  return g_test_run ();
}
