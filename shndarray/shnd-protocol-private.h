/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-layout-private.h"
#include "shnd-publisher.h"

G_BEGIN_DECLS

/* What publisher and subscriber say to each other, over a SOCK_SEQPACKET socket on which each
 * record is one message. Numbers are in the machine's byte order, as both ends are on one machine.
 * doc/protocol.md describes it. */

#define SHND_PROTOCOL_MAGIC "SHNDFRAM"
#define SHND_PROTOCOL_VERSION 1

#define SHND_DEFAULT_DEPTH 2

/* As the depth in HELLO: no frames, only the status page. */
#define SHND_OBSERVER_DEPTH G_MAXUINT32

/* Slots have smaller numbers than that. */
#define SHND_MAX_SLOTS 65536

/* In bytes; of metadata as they travel, of a dtype's description, of a message. */
#define SHND_MAX_METADATA 65536
#define SHND_MAX_DTYPE_TEXT 32768
#define SHND_MAX_REFUSAL 256
#define SHND_MAX_MESSAGE (SHND_MAX_METADATA + SHND_MAX_DTYPE_TEXT + 4096)

/* For this long a new connection may be silent, in microseconds. */
#define SHND_HANDSHAKE_TIME (5 * G_USEC_PER_SEC)

typedef enum
{
  SHND_MESSAGE_HELLO = 1, /* by the subscriber */
  SHND_MESSAGE_RELEASE = 2,
  SHND_MESSAGE_STOP = 3,
  SHND_MESSAGE_WELCOME = 16, /* by the publisher; with the descriptor of the status page */
  SHND_MESSAGE_REFUSED = 17,
  SHND_MESSAGE_FRAME = 18, /* with the descriptor of the slot, if it is new */
  SHND_MESSAGE_RETIRE = 19,
  SHND_MESSAGE_END = 20,
} ShndMessageType;

/* All messages begin with this; `size` is that of the whole message. */
typedef struct
{
  guint32 type;
  guint32 size;
} ShndMessageHeader;

/* HELLO and WELCOME. */
typedef struct
{
  ShndMessageHeader header;
  char magic[8];
  guint32 version;
  guint32 depth; /* asked for (0: whatever the publisher gives), or given (0: to an observer) */
} ShndMessageHello;

/* RELEASE: the numbers of slots, to the end of the message. */
typedef struct
{
  ShndMessageHeader header;
  guint32 slots[SHND_MAX_DEPTH];
} ShndMessageRelease;

/* RETIRE */
typedef struct
{
  ShndMessageHeader header;
  guint32 slot;
  guint32 zero;
} ShndMessageRetire;

typedef enum
{
  SHND_REFUSAL_VERSION = 1,
  SHND_REFUSAL_FULL = 2,
  SHND_REFUSAL_PERMISSION = 3,
  SHND_REFUSAL_PROTOCOL = 4,
} ShndRefusal;

/* REFUSED: a text follows, to the end of the message. */
typedef struct
{
  ShndMessageHeader header;
  guint32 code;
  guint32 version; /* which the publisher speaks */
} ShndMessageRefused;

/* The descriptor of the slot comes with the message. */
#define SHND_FRAME_NEW_SLOT 1
#define SHND_FRAME_REPEAT 2 /* the slot has not been written since an earlier frame */

/* FRAME: shape and strides follow, then the dtype's description, padded with NUL to a multiple of
 * 8, then the metadata: a serialised GVariant of type a{sv}. */
typedef struct
{
  ShndMessageHeader header;
  guint32 slot;
  guint32 flags;
  guint64 sequence;
  gint64 timestamp;
  guint64 offset; /* of the element [0, ..., 0] in the memory of the slot */
  guint32 n_dims;
  guint32 dtype_size;
  guint32 metadata_size;
  guint32 zero;
} ShndMessageFrame;

/* What the publisher keeps for subscribers to read, as an array of uint64: in this order. */
typedef enum
{
  SHND_STATUS_HEAD,      /* the sequence of the newest frame */
  SHND_STATUS_KEPT,      /* that of the frame that who missed it will get; 0 if there is none */
  SHND_STATUS_N_DROPPED, /* how often a subscriber missed a frame, all together */
  SHND_STATUS_N_SUBSCRIBERS,
  SHND_STATUS_ENDED, /* 1 when the publisher was closed: END may not get through a full queue */
  SHND_STATUS_FRAME_SIZE, /* in bytes, of the newest frame's elements */
  SHND_STATUS_SIZE = 8,
} ShndStatus;

/* A message that was checked; the pointers are into it. */
typedef struct
{
  ShndMessageType type;
  const ShndMessageHello *hello;
  const ShndMessageRefused *refused;
  char refusal[SHND_MAX_REFUSAL + 1];
  const ShndMessageFrame *frame;
  const gint64 *shape;
  const gint64 *strides;
  const char *dtype; /* not terminated */
  const guint8 *metadata;
  const guint32 *slots; /* of RELEASE and RETIRE */
  guint n_slots;
} ShndMessage;

/* Checks a message field by field, but for what only the ledger knows. `data` is aligned to 8.
 * `from_publisher` says whose messages they can be, `has_fd` whether one came with it. Returns
 * NULL, or what is wrong. */
const char *shnd_message_parse (
    ShndMessage *self, gconstpointer data, gsize size, gboolean from_publisher, gboolean has_fd);

/* Writes a FRAME with no slot, sequence and flags yet. */
void shnd_message_build_frame (GByteArray *message,
                               const ShndLayout *layout,
                               guint64 offset,
                               gint64 timestamp,
                               GVariant *metadata);

/* A layout's memory must lie in the `capacity` bytes of its slot. */
gboolean shnd_message_fits_slot (const ShndLayout *layout, guint64 offset, guint64 capacity);

/* Sends a message without waiting, with a descriptor unless `attached` is -1. Returns an errno: EAGAIN
 * if the queue is full, ENOBUFS if the system is short of something. */
int shnd_message_send (int fd, gconstpointer data, gsize size, int attached);

/* Sends one that has nothing but a header. */
int shnd_message_send_plain (int fd, ShndMessageType type);

/* Takes one message without waiting. Returns its size, 0 at the end, or -1 with errno: EMSGSIZE if
 * it was larger than the buffer, or had more descriptors than it may; EMFILE if it had one for which
 * this process has no room. `attached` is NULL if it may have none, else it becomes the descriptor or
 * -1. */
gssize shnd_message_receive (int fd, gpointer buffer, gsize size, int *attached);

G_END_DECLS
