/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-protocol-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PADDED(size) (((size) + 7) & ~(gsize) 7)

G_STATIC_ASSERT (sizeof (ShndMessageHello) == 24);
G_STATIC_ASSERT (sizeof (ShndMessageRetire) == 16);
G_STATIC_ASSERT (sizeof (ShndMessageRefused) == 16);
G_STATIC_ASSERT (sizeof (ShndMessageFrame) == 56);

/* ---- Checking ---- */

static const char *
parse_hello (ShndMessage *self, gconstpointer data, gsize size)
{
  const ShndMessageHello *hello = data;

  if (size < sizeof *hello)
    return "a greeting of less than 24 bytes";
  if (memcmp (hello->magic, SHND_PROTOCOL_MAGIC, sizeof hello->magic) != 0)
    return "a greeting without the magic “" SHND_PROTOCOL_MAGIC "”";
  /* Those of other versions may say more. */
  if (hello->version == SHND_PROTOCOL_VERSION && size != sizeof *hello)
    return "a greeting of more than 24 bytes";

  self->hello = hello;
  return NULL;
}

static const char *
parse_refused (ShndMessage *self, gconstpointer data, gsize size)
{
  const ShndMessageRefused *refused = data;

  if (size < sizeof *refused || size > sizeof *refused + SHND_MAX_REFUSAL)
    return "a refusal of no possible size";

  self->refused = refused;
  memcpy (self->refusal, refused + 1, size - sizeof *refused);
  self->refusal[size - sizeof *refused] = '\0';
  if (!g_utf8_validate (self->refusal, size - sizeof *refused, NULL))
    return "a refusal that is not UTF-8";

  return NULL;
}

static const char *
parse_retire (ShndMessage *self, gconstpointer data, gsize size)
{
  const ShndMessageRetire *retire = data;

  if (size != sizeof *retire)
    return "a retirement of another size than 16 bytes";
  if (retire->slot >= SHND_MAX_SLOTS || retire->zero != 0)
    return "a retirement of a slot of no possible number";

  self->slots = &retire->slot;
  self->n_slots = 1;
  return NULL;
}

static const char *
parse_frame (ShndMessage *self, gconstpointer data, gsize size, gboolean has_fd)
{
  const ShndMessageFrame *frame = data;
  gsize dimensions_size;

  if (size < sizeof *frame)
    return "a frame that is too short";
  if (frame->slot >= SHND_MAX_SLOTS)
    return "a frame in a slot of no possible number";
  if ((frame->flags & ~(SHND_FRAME_NEW_SLOT | SHND_FRAME_REPEAT)) != 0 || frame->zero != 0)
    return "a frame with unknown flags";
  if (((frame->flags & SHND_FRAME_NEW_SLOT) != 0) != has_fd)
    return has_fd ? "a descriptor with a frame in a slot that is not new" :
                    "a frame in a new slot without its descriptor";
  if (frame->sequence == 0)
    return "a frame without a number";
  if (frame->n_dims > SHND_MAX_DIMS || frame->dtype_size == 0 ||
      frame->dtype_size > SHND_MAX_DTYPE_TEXT || frame->metadata_size > SHND_MAX_METADATA)
    return "a frame with too many dimensions, or parts of no possible size";

  dimensions_size = frame->n_dims * sizeof (gint64);
  if (size !=
      sizeof *frame + 2 * dimensions_size + PADDED (frame->dtype_size) + frame->metadata_size)
    return "a frame whose parts do not add up to its size";

  self->frame = frame;
  self->shape = (const gint64 *) (frame + 1);
  self->strides = self->shape + frame->n_dims;
  self->dtype = (const char *) (self->strides + frame->n_dims);
  self->metadata = (const guint8 *) self->dtype + PADDED (frame->dtype_size);
  return memchr (self->dtype, '\0', frame->dtype_size) == NULL ?
             NULL :
             "a frame with a dtype that has NUL";
}

const char *
shnd_message_parse (
    ShndMessage *self, gconstpointer data, gsize size, gboolean from_publisher, gboolean has_fd)
{
  const ShndMessageHeader *header = data;

  if (size < sizeof *header)
    return "less than a header";
  if (header->size != size)
    return "a message of another size than its header says";

  *self = (ShndMessage){ .type = header->type };
  if ((header->type >= SHND_MESSAGE_WELCOME) != from_publisher)
    return "a message of no type that this side sends";
  if (has_fd != (header->type == SHND_MESSAGE_WELCOME) && header->type != SHND_MESSAGE_FRAME)
    return has_fd ? "a descriptor that was not expected" : "no descriptor of the status page";

  switch (header->type)
    {
    case SHND_MESSAGE_HELLO:
    case SHND_MESSAGE_WELCOME:
      return parse_hello (self, data, size);

    case SHND_MESSAGE_RELEASE:
      self->slots = (const guint32 *) (header + 1);
      self->n_slots = (size - sizeof *header) / sizeof *self->slots;
      return self->n_slots > 0 && size <= sizeof (ShndMessageRelease) && size % 4 == 0 ?
                 NULL :
                 "a release of no possible size";

    case SHND_MESSAGE_RETIRE:
      return parse_retire (self, data, size);

    case SHND_MESSAGE_REFUSED:
      return parse_refused (self, data, size);

    case SHND_MESSAGE_FRAME:
      return parse_frame (self, data, size, has_fd);

    case SHND_MESSAGE_STOP:
    case SHND_MESSAGE_END:
      return size == sizeof *header ? NULL : "more than a header";

    default:
      return "a message of unknown type";
    }
}

gboolean
shnd_message_fits_slot (const ShndLayout *layout, guint64 offset, guint64 capacity)
{
  guint64 start, end;

  return offset <= capacity && shnd_layout_get_place (layout, offset, &start, &end) &&
         end <= capacity;
}

/* ---- Writing ---- */

void
shnd_message_build_frame (GByteArray *message,
                          const ShndLayout *layout,
                          guint64 offset,
                          gint64 timestamp,
                          GVariant *metadata)
{
  const char *dtype = layout->dtype->description;
  gsize dtype_size = strlen (dtype);
  gsize dimensions_size = layout->n_dims * sizeof (gint64);
  gsize metadata_size = metadata != NULL ? g_variant_get_size (metadata) : 0;
  ShndMessageFrame *frame;
  guint8 *end;

  g_byte_array_set_size (message,
                         sizeof *frame + 2 * dimensions_size + PADDED (dtype_size) + metadata_size);
  frame = (gpointer) message->data;
  *frame = (ShndMessageFrame){
    .header = { SHND_MESSAGE_FRAME, message->len },
    .timestamp = timestamp,
    .offset = offset,
    .n_dims = layout->n_dims,
    .dtype_size = dtype_size,
    .metadata_size = metadata_size,
  };

  end = (guint8 *) (frame + 1);
  memcpy (end, layout->shape, dimensions_size);
  end += dimensions_size;
  memcpy (end, layout->strides, dimensions_size);
  end += dimensions_size;
  memcpy (end, dtype, dtype_size);
  memset (end + dtype_size, 0, PADDED (dtype_size) - dtype_size);
  end += PADDED (dtype_size);
  if (metadata_size > 0)
    g_variant_store (metadata, end);
}

/* ---- The socket ---- */

typedef union
{
  char buffer[CMSG_SPACE (sizeof (int))];
  struct cmsghdr align;
} Control;

int
shnd_message_send (int fd, gconstpointer data, gsize size, int attached)
{
  struct iovec part = { (gpointer) data, size };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  Control control;
  gssize result;

  if (attached >= 0)
    {
      struct cmsghdr *header;

      memset (&control, 0, sizeof control);
      message.msg_control = control.buffer;
      message.msg_controllen = sizeof control.buffer;
      header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof attached);
      memcpy (CMSG_DATA (header), &attached, sizeof attached);
    }

  /* The simpler call is the quicker one. */
  do
    result = attached >= 0 ? sendmsg (fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) :
                             send (fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (result < 0 && errno == EINTR);

  /* No memory for the message, or too many descriptors under way to that user: what it takes is time,
   * but there is nothing to wait for. */
  if (result < 0 && (errno == ETOOMANYREFS || errno == ENOMEM))
    return ENOBUFS;

  return result < 0 ? errno : 0;
}

int
shnd_message_send_plain (int fd, ShndMessageType type)
{
  const ShndMessageHeader header = { type, sizeof header };

  return shnd_message_send (fd, &header, sizeof header, -1);
}

/* There can be several where there is room for one, as that is padded. All but the first are closed.
 * Returns how many there were. */
static guint
take_descriptors (struct msghdr *message, int *first)
{
  guint n = 0;

  for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header != NULL;
       header = CMSG_NXTHDR (message, header))
    {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        continue;

      for (gsize i = CMSG_LEN (0); i + sizeof (int) <= header->cmsg_len; i += sizeof (int))
        {
          int fd;

          memcpy (&fd, (guint8 *) header + i, sizeof fd);
          if (n++ == 0)
            *first = fd;
          else
            close (fd);
        }
    }

  return n;
}

gssize
shnd_message_receive (int fd, gpointer buffer, gsize size, int *attached)
{
  struct iovec part = { buffer, size };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  Control control;
  guint n_attached = 0;
  gssize result;

  if (attached != NULL)
    {
      *attached = -1;
      message.msg_control = control.buffer;
      message.msg_controllen = sizeof control.buffer;
    }

  do
    result = recvmsg (fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (result < 0 && errno == EINTR);
  if (result < 0)
    return -1;

  if (attached != NULL)
    n_attached = take_descriptors (&message, attached);

  /* Descriptors for which there is no room are closed by the kernel: those that are too many, or all
   * if this process has as many as it may have. */
  if (n_attached > 1 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    {
      gboolean none_left =
          attached != NULL && n_attached == 0 && (message.msg_flags & MSG_CTRUNC) != 0;

      if (n_attached > 0)
        close (*attached);
      errno = none_left ? EMFILE : EMSGSIZE;
      result = -1;
    }
  /* An empty record looks like the end; nobody but a hostile peer sends one. */
  else if (result == 0 && n_attached > 0)
    {
      close (*attached);
    }
  if (result <= 0 && attached != NULL)
    *attached = -1;

  return result;
}
