/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-connection-private.h"

#include "shnd-address-private.h"
#include "shnd-error-private.h"
#include "shnd-frame-private.h"
#include "shnd-npy-private.h"
#include "shnd-pattern-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How many messages are read without a look at anything else, such as the time. */
#define MAX_MESSAGES 64

/* What we know of a slot of the publisher's. */
typedef struct
{
  ShndSegment *segment; /* or NULL */
  guint n_held;         /* frames in it */
} Slot;

struct _ShndConnection
{
  gatomicrefcount ref_count;
  guint mark; /* of the process that made it */

  GMutex mutex; /* for all that follows */
  int fd;       /* -1 when it is closed */
  gboolean observer;
  gboolean welcome;
  gboolean finished;
  gboolean has_to_stop; /* STOP could not be sent yet */
  gboolean ended;       /* by the publisher */
  guint depth;
  guint n_held;
  guint64 last_sequence;
  GArray *slots;
  GArray *releases; /* which could not be sent yet */
  ShndSegment *status;

  /* The last frame's dtype: mostly the next one's, too. */
  ShndDType *dtype;
  char *dtype_text;
  gsize dtype_size;

  ShndPattern metadata; /* of the frames before */

  /* For the next frame, made while there is none: it is to be there soon when it comes. */
  ShndFrame *spare;

  guint64 *buffer; /* SHND_MAX_MESSAGE bytes */
};

static void
clear_slot (gpointer data)
{
  Slot *slot = data;

  g_clear_pointer (&slot->segment, shnd_segment_unref);
}

ShndConnection *
shnd_connection_new (const char *path, guint depth)
{
  ShndConnection *self;
  ShndMessageHello hello = {
    .header = { SHND_MESSAGE_HELLO, sizeof hello },
    .magic = SHND_PROTOCOL_MAGIC,
    .version = SHND_PROTOCOL_VERSION,
    .depth = depth,
  };
  int result, fd = shnd_address_connect (path);

  if (fd < 0)
    return NULL;

  result = shnd_message_send (fd, &hello, sizeof hello, -1);
  /* A publisher that is full may have closed it by now, and said so before. */
  if (result != 0 && result != EPIPE && result != ECONNRESET)
    {
      shnd_process_close (fd);
      errno = result;
      return NULL;
    }

  self = g_new0 (ShndConnection, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->mark = shnd_process_get_mark ();
  g_mutex_init (&self->mutex);
  self->fd = fd;
  self->observer = depth == SHND_OBSERVER_DEPTH;
  self->slots = g_array_new (FALSE, TRUE, sizeof (Slot));
  g_array_set_clear_func (self->slots, clear_slot);
  self->releases = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->buffer = g_malloc (SHND_MAX_MESSAGE);

  return self;
}

ShndConnection *
shnd_connection_ref (ShndConnection *self)
{
  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

static void
close_socket (ShndConnection *self)
{
  if (self->fd >= 0 && self->mark == shnd_process_get_mark ())
    shnd_process_close (self->fd);
  self->fd = -1;
}

void
shnd_connection_unref (ShndConnection *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  /* In a child, another thread of the parent may have been at it: then it stays as it is. */
  if (self->mark != shnd_process_get_mark ())
    {
      if (!g_mutex_trylock (&self->mutex))
        return;
      g_mutex_unlock (&self->mutex);
    }

  close_socket (self);
  g_array_unref (self->slots);
  g_array_unref (self->releases);
  g_clear_pointer (&self->status, shnd_segment_unref);
  g_clear_pointer (&self->dtype, shnd_dtype_unref);
  g_free (self->dtype_text);
  shnd_pattern_clear (&self->metadata);
  g_clear_object (&self->spare);
  g_free (self->buffer);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

int
shnd_connection_get_fd (ShndConnection *self)
{
  return self->fd;
}

gboolean
shnd_connection_is_welcome (ShndConnection *self)
{
  gboolean welcome;

  g_mutex_lock (&self->mutex);
  welcome = self->welcome;
  g_mutex_unlock (&self->mutex);

  return welcome;
}

guint
shnd_connection_get_depth (ShndConnection *self)
{
  guint depth;

  g_mutex_lock (&self->mutex);
  depth = self->depth;
  g_mutex_unlock (&self->mutex);

  return depth;
}

/* ---- Giving back ---- */

/* With the mutex. What does not go through now goes with the next one. */
static void
send_releases (ShndConnection *self)
{
  while (self->fd >= 0 && self->releases->len > 0)
    {
      guint n = MIN (self->releases->len, SHND_MAX_DEPTH);
      ShndMessageRelease message;
      int result;

      message.header.type = SHND_MESSAGE_RELEASE;
      message.header.size = sizeof message.header + n * sizeof message.slots[0];
      memcpy (message.slots, self->releases->data, n * sizeof message.slots[0]);
      result = shnd_message_send (self->fd, &message, message.header.size, -1);
      if (result == EAGAIN || result == ENOBUFS)
        return;

      /* If it failed otherwise, there is nobody any more to whom they could go back. */
      g_array_remove_range (self->releases, 0, n);
    }

  if (self->fd >= 0 && self->has_to_stop)
    {
      int result = shnd_message_send_plain (self->fd, SHND_MESSAGE_STOP);

      self->has_to_stop = result == EAGAIN || result == ENOBUFS;
    }
}

static void
give_back (gpointer owner, guint32 slot)
{
  ShndConnection *self = owner;

  if (self->mark != shnd_process_get_mark ())
    return;

  g_mutex_lock (&self->mutex);
  g_array_index (self->slots, Slot, slot).n_held--;
  self->n_held--;
  if (!self->ended)
    {
      g_array_append_val (self->releases, slot);
      send_releases (self);
    }
  if (self->finished && self->n_held == 0)
    close_socket (self);
  g_mutex_unlock (&self->mutex);
}

void
shnd_connection_finish (ShndConnection *self)
{
  if (self->mark != shnd_process_get_mark ())
    return;

  g_mutex_lock (&self->mutex);
  if (!self->finished)
    {
      self->finished = TRUE;
      if (self->n_held == 0 || self->ended)
        close_socket (self);
      else
        self->has_to_stop = TRUE;
      send_releases (self);
    }
  g_mutex_unlock (&self->mutex);
}

guint64
shnd_status_read (ShndSegment *status, ShndStatus index)
{
  if (status == NULL)
    return 0;

  return __atomic_load_n ((guint64 *) (gpointer) status->data + index, __ATOMIC_ACQUIRE);
}

static guint64
get_status (ShndConnection *self, ShndStatus index)
{
  return shnd_status_read (self->status, index);
}

ShndSegment *
shnd_connection_get_status (ShndConnection *self)
{
  ShndSegment *status;

  g_mutex_lock (&self->mutex);
  status = self->welcome ? shnd_segment_ref (self->status) : NULL;
  g_mutex_unlock (&self->mutex);

  return status;
}

guint64
shnd_connection_get_newest (ShndConnection *self)
{
  guint64 sequence;

  g_mutex_lock (&self->mutex);
  sequence = get_status (self, SHND_STATUS_HEAD);
  g_mutex_unlock (&self->mutex);

  return sequence;
}

guint64
shnd_connection_get_kept (ShndConnection *self, gboolean *has_room)
{
  guint64 sequence;

  g_mutex_lock (&self->mutex);
  *has_room = self->n_held < self->depth;
  sequence = self->ended ? 0 : get_status (self, SHND_STATUS_KEPT);
  g_mutex_unlock (&self->mutex);

  return sequence;
}

/* ---- Messages; all with the mutex ---- */

static gboolean
set_breach (GError **error, const char *problem)
{
  g_set_error (error, SHND_ERROR, SHND_ERROR_PROTOCOL, "The publisher has sent %s", problem);
  return FALSE;
}

/* Maps a descriptor that came with a message, and which this takes. */
static ShndSegment *
map_attached (int fd, guint64 min_size, GError **error)
{
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (GError) local_error = NULL;
  ShndLayout layout;
  ShndFile file;
  gsize data_offset;

  if (shnd_segment_open_fd (fd, SHND_ACCESS_READ, &file, &local_error))
    {
      if (!shnd_npy_read_header (file.fd, &layout, &dtype, &data_offset, &local_error))
        shnd_segment_abandon (&file);
      else
        segment =
            shnd_segment_map (&file, data_offset, shnd_layout_get_n_bytes (&layout), &local_error);
    }
  close (fd);

  if (segment == NULL)
    {
      g_set_error (error, SHND_ERROR,
                   g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NO_SPACE) ?
                       SHND_ERROR_NO_SPACE :
                       SHND_ERROR_PROTOCOL,
                   "Cannot use the memory that the publisher has sent: %s", local_error->message);
      return NULL;
    }

  if (segment->data_size < min_size)
    {
      set_breach (error, "memory that is too small");
      return NULL;
    }

  return g_steal_pointer (&segment);
}

static gboolean
handle_welcome (ShndConnection *self, const ShndMessage *message, int attached, GError **error)
{
  self->status = map_attached (attached, SHND_STATUS_SIZE * sizeof (guint64), error);
  if (self->status == NULL)
    return FALSE;
  if ((gsize) self->status->data % sizeof (guint64) != 0)
    return set_breach (error, "a status page with its words at odd places");

  if (message->hello->version != SHND_PROTOCOL_VERSION ||
      (message->hello->depth == 0) != self->observer || message->hello->depth > SHND_MAX_DEPTH)
    return set_breach (error, "a welcome of another version, or with an impossible depth");

  self->depth = message->hello->depth;
  self->welcome = TRUE;
  return TRUE;
}

static gboolean
handle_refused (const ShndMessage *message, GError **error)
{
  ShndError code = SHND_ERROR_FAILED;

  switch (message->refused->code)
    {
    case SHND_REFUSAL_VERSION:
      code = SHND_ERROR_UNSUPPORTED;
      break;
    case SHND_REFUSAL_FULL:
      code = SHND_ERROR_NO_SPACE;
      break;
    case SHND_REFUSAL_PERMISSION:
      code = SHND_ERROR_PERMISSION_DENIED;
      break;
    case SHND_REFUSAL_PROTOCOL:
      code = SHND_ERROR_PROTOCOL;
      break;
    default:
      break;
    }

  g_set_error (error, SHND_ERROR, code, "The publisher has refused the connection: %s",
               message->refusal);
  return FALSE;
}

static ShndDType *
get_dtype (ShndConnection *self, const ShndMessage *message, GError **error)
{
  gsize size = message->frame->dtype_size;

  if (self->dtype == NULL || self->dtype_size != size ||
      memcmp (self->dtype_text, message->dtype, size) != 0)
    {
      g_autofree char *text = g_strndup (message->dtype, size);
      ShndDType *dtype = shnd_dtype_new (text, error);

      if (dtype == NULL)
        return NULL;

      g_clear_pointer (&self->dtype, shnd_dtype_unref);
      g_free (self->dtype_text);
      self->dtype = dtype;
      self->dtype_text = g_memdup2 (message->dtype, size);
      self->dtype_size = size;
    }

  return self->dtype;
}

static gboolean
init_layout (ShndConnection *self,
             const ShndMessage *message,
             ShndSegment *segment,
             ShndLayout *layout,
             GError **error)
{
  const ShndMessageFrame *frame = message->frame;
  ShndDType *dtype = get_dtype (self, message, error);

  if (dtype == NULL ||
      !shnd_layout_init (layout, dtype, message->shape, frame->n_dims, FALSE, error))
    {
      g_prefix_error (error, "The publisher has sent a frame that is no array: ");
      if (error != NULL)
        (*error)->code = SHND_ERROR_PROTOCOL;
      return FALSE;
    }

  if (layout->n_dims != frame->n_dims)
    return set_breach (error, "a frame with a sub-array dtype");

  memcpy (layout->strides, message->strides, frame->n_dims * sizeof (gint64));
  if (!shnd_message_fits_slot (layout, frame->offset, segment->data_size))
    return set_breach (error, "a frame that is not inside of its slot");

  layout->data = segment->data + frame->offset;
  return TRUE;
}

/* FALSE if they are anything that nobody can have written on purpose. */
static gboolean
read_metadata (ShndConnection *self, const ShndMessage *message, GVariant **metadata)
{
  const gsize size = message->frame->metadata_size;
  g_autoptr (GBytes) bytes = NULL;
  gboolean known;

  if (size == 0)
    return TRUE;

  known = shnd_pattern_matches (&self->metadata, message->metadata, size);
  bytes = g_bytes_new (message->metadata, size);
  *metadata = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, known));
  if (known)
    return TRUE;

  if (!g_variant_is_normal_form (*metadata))
    return FALSE;

  shnd_pattern_learn (&self->metadata, *metadata);
  return TRUE;
}

static ShndFrame *
handle_frame (ShndConnection *self, const ShndMessage *message, int attached, GError **error)
{
  const ShndMessageFrame *header = message->frame;
  g_autoptr (ShndHold) hold = NULL;
  g_autoptr (ShndSegment) segment = NULL;
  g_autoptr (GVariant) metadata = NULL;
  const char *problem = NULL;
  ShndLayout layout;
  ShndFrame *frame;
  Slot *slot;

  if (header->slot >= self->slots->len)
    g_array_set_size (self->slots, header->slot + 1);
  slot = &g_array_index (self->slots, Slot, header->slot);

  if (slot->n_held > 0 && (header->flags & SHND_FRAME_REPEAT) == 0)
    problem = "a frame in a slot that is still held";
  else if (self->n_held >= self->depth + (get_status (self, SHND_STATUS_ENDED) != 0 ? 1 : 0))
    problem = "more frames than may be held";
  else if (header->sequence <= self->last_sequence)
    problem = "a frame with a number that is not above that of the last one";
  else if (!read_metadata (self, message, &metadata))
    problem = "a frame with metadata that are not a variant in normal form";
  if (problem != NULL)
    {
      if (attached >= 0)
        close (attached);
      set_breach (error, problem);
      return NULL;
    }

  if (attached >= 0)
    {
      g_clear_pointer (&slot->segment, shnd_segment_unref);
      slot->segment = map_attached (attached, 0, error);
      if (slot->segment == NULL)
        return NULL;
    }
  if (slot->segment == NULL)
    {
      set_breach (error, "a frame in a slot that nobody knows");
      return NULL;
    }

  if (!init_layout (self, message, slot->segment, &layout, error))
    return NULL;

  hold = shnd_hold_new (shnd_connection_ref (self), (GDestroyNotify) shnd_connection_unref,
                        give_back, header->slot);
  segment = shnd_hold_get_segment (hold, slot->segment);
  slot->n_held++;
  self->n_held++;
  self->last_sequence = header->sequence;

  frame =
      self->spare != NULL ? g_steal_pointer (&self->spare) : g_object_new (SHND_TYPE_FRAME, NULL);
  _shnd_frame_set_memory (frame, SHND_FRAME_RECEIVED, hold, segment, &layout);
  _shnd_frame_set_received (frame, header->sequence, header->timestamp,
                            g_steal_pointer (&metadata));
  return frame;
}

static ShndConnectionResult
handle (ShndConnection *self,
        const ShndMessage *message,
        int attached,
        ShndFrame **frame,
        GError **error)
{
  gboolean done;

  if ((self->welcome == (message->type == SHND_MESSAGE_WELCOME) ||
       (self->welcome && self->observer)) &&
      message->type != SHND_MESSAGE_REFUSED && message->type != SHND_MESSAGE_END)
    {
      if (attached >= 0)
        close (attached);
      set_breach (error, "a message out of turn");
      return SHND_CONNECTION_FAILED;
    }

  switch (message->type)
    {
    case SHND_MESSAGE_WELCOME:
      done = handle_welcome (self, message, attached, error);
      return done ? SHND_CONNECTION_NOTHING : SHND_CONNECTION_FAILED;

    case SHND_MESSAGE_REFUSED:
      handle_refused (message, error);
      return SHND_CONNECTION_FAILED;

    case SHND_MESSAGE_FRAME:
      *frame = handle_frame (self, message, attached, error);
      return *frame != NULL ? SHND_CONNECTION_FRAME : SHND_CONNECTION_FAILED;

    case SHND_MESSAGE_RETIRE:
      if (message->slots[0] < self->slots->len)
        clear_slot (&g_array_index (self->slots, Slot, message->slots[0]));
      return SHND_CONNECTION_NOTHING;

    default: /* END, as nothing else passes the check */
      self->ended = TRUE;
      return SHND_CONNECTION_ENDED;
    }
}

ShndConnectionResult
shnd_connection_read (ShndConnection *self, ShndFrame **frame, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);
  gboolean was_reset = FALSE;

  if (self->fd < 0)
    return SHND_CONNECTION_LOST;
  if (self->releases->len > 0)
    send_releases (self);

  for (guint i = 0; i < MAX_MESSAGES; i++)
    {
      ShndConnectionResult result;
      ShndMessage message;
      const char *problem;
      int attached;
      gssize size = shnd_message_receive (self->fd, self->buffer, SHND_MAX_MESSAGE, &attached);

      if (size < 0 && errno == EAGAIN)
        {
          if (self->spare == NULL)
            self->spare = g_object_new (SHND_TYPE_FRAME, NULL);
          return SHND_CONNECTION_NOTHING;
        }

      /* It comes once, before what the publisher has sent, if that has closed without reading what
       * we have. */
      if (size < 0 && errno == ECONNRESET && !was_reset)
        {
          was_reset = TRUE;
          continue;
        }
      if (size < 0 && errno == EMFILE)
        {
          g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                               "Cannot take the memory that the publisher has sent: this process "
                               "has as many file descriptors as it may have");
          return SHND_CONNECTION_FAILED;
        }
      if (size < 0 && errno != EMSGSIZE && errno != ECONNRESET)
        {
          shnd_set_error_from_errno (error, errno, "Cannot receive from the publisher");
          return SHND_CONNECTION_FAILED;
        }
      if (size == 0 || (size < 0 && errno != EMSGSIZE))
        {
          self->ended = TRUE;
          return get_status (self, SHND_STATUS_ENDED) != 0 ? SHND_CONNECTION_ENDED :
                                                             SHND_CONNECTION_LOST;
        }

      problem = size < 0 ? "a message that is too long, or has too many descriptors" :
                           shnd_message_parse (&message, self->buffer, size, TRUE, attached >= 0);
      if (problem != NULL)
        {
          if (attached >= 0)
            close (attached);
          set_breach (error, problem);
          return SHND_CONNECTION_FAILED;
        }

      result = handle (self, &message, attached, frame, error);
      if (result != SHND_CONNECTION_NOTHING)
        return result;
    }

  return SHND_CONNECTION_NOTHING;
}
