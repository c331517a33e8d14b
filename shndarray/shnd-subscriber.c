/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-subscriber-private.h"

#include "shnd-address-private.h"
#include "shnd-error-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/**
 * ShndSubscriber:
 *
 * The receiving end of a stream of arrays, which a [class@Shnd.Publisher] sends.
 *
 * ```c
 * g_autoptr (ShndSubscriber) subscriber = shnd_subscriber_new ("cam0", &error);
 *
 * while (TRUE)
 *   {
 *     g_autoptr (ShndFrame) frame = shnd_subscriber_receive (subscriber, -1, NULL, &error);
 *
 *     if (frame == NULL)
 *       break;
 *     show (shnd_frame_get_array (frame));
 *   }
 * ```
 *
 * The array of a received frame is the publisher's memory, which nobody can write that is not the
 * publisher, and which that does not write as long as the frame is held. So frames should be given
 * back soon: who holds as many as [property@Shnd.Subscriber:depth] says misses those that come, or
 * keeps the publisher waiting, as that has chosen. It costs a subscriber nothing to begin before
 * there is a publisher.
 *
 * There are three ways to receive: [method@Shnd.Subscriber.receive] waits in the calling thread;
 * [method@Shnd.Subscriber.receive_async] in a main loop; and after [method@Shnd.Subscriber.watch] each
 * frame comes as a signal [signal@Shnd.Subscriber::frame].
 *
 * ## Threads
 *
 * A subscriber may be used from several threads, each of which gets other frames. After `fork()` it is
 * the parent's alone, and so are the frames.
 */

enum
{
  PROP_ADDRESS = 1,
  PROP_PATH,
  PROP_DEPTH,
  PROP_LATEST_ONLY,
  PROP_OBSERVER,
  PROP_RECONNECT,
  PROP_SPIN,
  PROP_CONNECTED,
  PROP_GRANTED_DEPTH,
  PROP_N_RECEIVED,
  PROP_N_MISSED,
  PROP_SEQUENCE,
  PROP_N_SUBSCRIBERS,
  PROP_N_DROPPED,
  PROP_FRAME_SIZE,
  PROP_WATCHING,
  PROP_CLOSED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

enum
{
  FRAME,
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (ShndSubscriber, shnd_subscriber, G_TYPE_OBJECT)

/* In a child the descriptors are closed, and their numbers others'. */
static void
close_descriptor (ShndSubscriber *self, int *fd)
{
  if (*fd >= 0 && self->mark == shnd_process_get_mark ())
    shnd_process_close (*fd);
  *fd = -1;
}

static void
shnd_subscriber_dispose (GObject *object)
{
  ShndSubscriber *self = SHND_SUBSCRIBER (object);

  shnd_subscriber_close (self);

  G_OBJECT_CLASS (shnd_subscriber_parent_class)->dispose (object);
}

static void
shnd_subscriber_finalize (GObject *object)
{
  ShndSubscriber *self = SHND_SUBSCRIBER (object);

  /* In a child, another thread of the parent may have been at it: then all that stays as it is. */
  if (g_mutex_trylock (&self->mutex))
    {
      g_mutex_unlock (&self->mutex);
      close_descriptor (self, &self->wake);
      close_descriptor (self, &self->timer);
      close_descriptor (self, &self->epoll);
      g_clear_pointer (&self->connection, shnd_connection_unref);
      g_clear_pointer (&self->status, shnd_segment_unref);
      g_clear_object (&self->candidate);
      g_clear_error (&self->over);
      g_mutex_clear (&self->mutex);
      g_cond_clear (&self->all_woken);
    }
  g_free (self->address);
  g_free (self->path);

  G_OBJECT_CLASS (shnd_subscriber_parent_class)->finalize (object);
}

static void
shnd_subscriber_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  ShndSubscriber *self = SHND_SUBSCRIBER (object);

  switch (prop_id)
    {
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_DEPTH:
      g_value_set_uint (value, shnd_subscriber_get_depth (self));
      break;
    case PROP_LATEST_ONLY:
      g_value_set_boolean (value, shnd_subscriber_get_latest_only (self));
      break;
    case PROP_OBSERVER:
      g_value_set_boolean (value, shnd_subscriber_get_observer (self));
      break;
    case PROP_RECONNECT:
      g_value_set_boolean (value, shnd_subscriber_get_reconnect (self));
      break;
    case PROP_SPIN:
      g_value_set_uint (value, shnd_subscriber_get_spin (self));
      break;
    case PROP_CONNECTED:
      g_value_set_boolean (value, shnd_subscriber_get_connected (self));
      break;
    case PROP_GRANTED_DEPTH:
      g_value_set_uint (value, shnd_subscriber_get_granted_depth (self));
      break;
    case PROP_N_RECEIVED:
      g_value_set_uint64 (value, shnd_subscriber_get_n_received (self));
      break;
    case PROP_N_MISSED:
      g_value_set_uint64 (value, shnd_subscriber_get_n_missed (self));
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, shnd_subscriber_get_sequence (self));
      break;
    case PROP_N_SUBSCRIBERS:
      g_value_set_uint (value, shnd_subscriber_get_n_subscribers (self));
      break;
    case PROP_N_DROPPED:
      g_value_set_uint64 (value, shnd_subscriber_get_n_dropped (self));
      break;
    case PROP_FRAME_SIZE:
      g_value_set_uint64 (value, shnd_subscriber_get_frame_size (self));
      break;
    case PROP_WATCHING:
      g_value_set_boolean (value, shnd_subscriber_get_watching (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, shnd_subscriber_get_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
shnd_subscriber_set_property (GObject *object,
                              guint prop_id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  ShndSubscriber *self = SHND_SUBSCRIBER (object);

  switch (prop_id)
    {
    case PROP_DEPTH:
      shnd_subscriber_set_depth (self, g_value_get_uint (value));
      break;
    case PROP_LATEST_ONLY:
      shnd_subscriber_set_latest_only (self, g_value_get_boolean (value));
      break;
    case PROP_OBSERVER:
      shnd_subscriber_set_observer (self, g_value_get_boolean (value));
      break;
    case PROP_RECONNECT:
      shnd_subscriber_set_reconnect (self, g_value_get_boolean (value));
      break;
    case PROP_SPIN:
      shnd_subscriber_set_spin (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

void
_shnd_subscriber_emit_frame (ShndSubscriber *self, ShndFrame *frame)
{
  g_signal_emit (self, signals[FRAME], 0, frame);
}

void
_shnd_subscriber_emit_ended (ShndSubscriber *self, GError *error)
{
  g_signal_emit (self, signals[ENDED], 0, error);
}

void
_shnd_subscriber_notify_watching (ShndSubscriber *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_WATCHING]);
}

static void
shnd_subscriber_class_init (ShndSubscriberClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags writable = flags | G_PARAM_WRITABLE;

  object_class->dispose = shnd_subscriber_dispose;
  object_class->finalize = shnd_subscriber_finalize;
  object_class->get_property = shnd_subscriber_get_property;
  object_class->set_property = shnd_subscriber_set_property;

  /**
   * ShndSubscriber:address: (getter get_address)
   *
   * Where the publisher is, as it was given.
   */
  props[PROP_ADDRESS] = g_param_spec_string ("address", NULL, NULL, NULL, flags);

  /**
   * ShndSubscriber:path: (getter get_path)
   *
   * The path of the publisher's socket.
   */
  props[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * ShndSubscriber:depth: (getter get_depth) (setter set_depth)
   *
   * How many frames to hold at most, those included that wait to be received; 0 for as many as the
   * publisher allows, and never more than that.
   *
   * A change is for the next connection.
   */
  props[PROP_DEPTH] = g_param_spec_uint ("depth", NULL, NULL, 0, SHND_MAX_DEPTH, 0, writable);

  /**
   * ShndSubscriber:latest-only: (getter get_latest_only) (setter set_latest_only)
   *
   * Whether to skip frames, so that the newest one is received.
   *
   * With a depth of 1 a frame comes only after the last one was given back.
   */
  props[PROP_LATEST_ONLY] = g_param_spec_boolean ("latest-only", NULL, NULL, FALSE, writable);

  /**
   * ShndSubscriber:observer: (getter get_observer) (setter set_observer)
   *
   * Whether to look only at how the stream goes, and get no frames.
   *
   * Nothing waits for an observer, and it is not among the subscribers that a publisher counts, though
   * among those that it limits. [method@Shnd.Subscriber.receive] of an observer connects, and waits for
   * the end of the stream.
   *
   * A change is for the next connection.
   */
  props[PROP_OBSERVER] = g_param_spec_boolean ("observer", NULL, NULL, FALSE, writable);

  /**
   * ShndSubscriber:reconnect: (getter get_reconnect) (setter set_reconnect)
   *
   * Whether to wait for the next publisher when one is gone, rather than to end.
   */
  props[PROP_RECONNECT] = g_param_spec_boolean ("reconnect", NULL, NULL, FALSE, writable);

  /**
   * ShndSubscriber:spin: (getter get_spin) (setter set_spin)
   *
   * For how many microseconds [method@Shnd.Subscriber.receive] looks again and again before it
   * sleeps. Frames that come within that time are received sooner, at the cost of a busy processor.
   */
  props[PROP_SPIN] = g_param_spec_uint ("spin", NULL, NULL, 0, G_MAXUINT, 0, writable);

  /**
   * ShndSubscriber:connected: (getter get_connected)
   *
   * Whether a publisher has admitted the subscriber. There is no notification.
   */
  props[PROP_CONNECTED] = g_param_spec_boolean ("connected", NULL, NULL, FALSE, flags);

  /**
   * ShndSubscriber:granted-depth: (getter get_granted_depth)
   *
   * How many frames the publisher lets the subscriber hold, those included that wait to be received.
   * There is no notification.
   *
   * As said by the publisher that has admitted the subscriber, now or last; 0 before, and for an
   * observer.
   */
  props[PROP_GRANTED_DEPTH] =
      g_param_spec_uint ("granted-depth", NULL, NULL, 0, SHND_MAX_DEPTH, 0, flags);

  /**
   * ShndSubscriber:n-received: (getter get_n_received)
   *
   * How many frames were received. There is no notification.
   */
  props[PROP_N_RECEIVED] = g_param_spec_uint64 ("n-received", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndSubscriber:n-missed: (getter get_n_missed)
   *
   * How many frames were published after the first one that was received, and were not received.
   * Those after the last one are counted when the publisher is gone. There is no notification.
   */
  props[PROP_N_MISSED] = g_param_spec_uint64 ("n-missed", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndSubscriber:sequence: (getter get_sequence)
   *
   * The number of the newest frame that was published. There is no notification.
   *
   * This and what follows is what the publisher says that has admitted the subscriber, now or last,
   * also when that is gone; 0 before. It costs no message.
   */
  props[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndSubscriber:n-subscribers: (getter get_n_subscribers)
   *
   * How many subscribers the publisher has, without observers. There is no notification.
   */
  props[PROP_N_SUBSCRIBERS] =
      g_param_spec_uint ("n-subscribers", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * ShndSubscriber:n-dropped: (getter get_n_dropped)
   *
   * How often any subscriber of the publisher has missed a frame. There is no notification.
   */
  props[PROP_N_DROPPED] = g_param_spec_uint64 ("n-dropped", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndSubscriber:frame-size: (getter get_frame_size)
   *
   * How many bytes the elements of the newest frame have. There is no notification.
   */
  props[PROP_FRAME_SIZE] = g_param_spec_uint64 ("frame-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndSubscriber:watching: (getter get_watching)
   *
   * Whether the subscriber emits [signal@Shnd.Subscriber::frame].
   */
  props[PROP_WATCHING] = g_param_spec_boolean ("watching", NULL, NULL, FALSE, flags);

  /**
   * ShndSubscriber:closed: (getter get_closed)
   *
   * Whether the subscriber was closed, or not made by its constructor.
   */
  props[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);

  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * ShndSubscriber::frame:
   * @self: the subscriber
   * @frame: the frame
   *
   * A frame has come.
   *
   * It is emitted only after [method@Shnd.Subscriber.watch], in the main context that was the
   * thread-default one of that call.
   */
  signals[FRAME] = g_signal_new ("frame", SHND_TYPE_SUBSCRIBER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, SHND_TYPE_FRAME);

  /**
   * ShndSubscriber::ended:
   * @self: the subscriber
   * @error: why: %SHND_ERROR_END_OF_STREAM, say
   *
   * No more frames will come as signals; [property@Shnd.Subscriber:watching] has become %FALSE.
   *
   * [method@Shnd.Subscriber.unwatch] and [method@Shnd.Subscriber.close] do not emit it.
   */
  signals[ENDED] = g_signal_new ("ended", SHND_TYPE_SUBSCRIBER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
shnd_subscriber_init (ShndSubscriber *self)
{
  g_mutex_init (&self->mutex);
  self->mark = shnd_process_get_mark ();
  g_cond_init (&self->all_woken);
  self->closed = TRUE;
  self->epoll = -1;
  self->timer = -1;
  self->wake = -1;
}

/* The descriptors that all waiting needs. */
static gboolean
open_descriptors (ShndSubscriber *self, GError **error)
{
  struct epoll_event event = { .events = EPOLLIN };
  int saved_errno;

  shnd_process_begin ();
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll >= 0)
    shnd_process_own_locked (self->epoll);
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->timer >= 0)
    shnd_process_own_locked (self->timer);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake >= 0)
    shnd_process_own_locked (self->wake);
  saved_errno = errno;
  shnd_process_end ();

  if (self->epoll >= 0 && self->timer >= 0 && self->wake >= 0)
    {
      if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, self->timer, &event) == 0)
        return TRUE;
      saved_errno = errno;
    }

  shnd_set_error_from_errno (error, saved_errno, "Cannot make a subscriber");
  return FALSE;
}

/**
 * shnd_subscriber_new:
 * @address: a name, or an absolute path
 * @error: return location for an error
 *
 * Makes a subscriber of what is published at an address.
 *
 * It connects when it is first asked for a frame; there need not be a publisher yet.
 *
 * Fails with %SHND_ERROR_INVALID_NAME if that is not an address, and with %SHND_ERROR_NO_SPACE if
 * there are no file descriptors left. See [class@Shnd.Publisher] for addresses.
 *
 * Returns: (transfer full): the new subscriber
 */
ShndSubscriber *
shnd_subscriber_new (const char *address, GError **error)
{
  g_autoptr (ShndSubscriber) self = NULL;
  g_autofree char *path = NULL;

  g_return_val_if_fail (address != NULL, NULL);

  path = shnd_address_get_path (address, error);
  if (path == NULL)
    return NULL;

  self = g_object_new (SHND_TYPE_SUBSCRIBER, NULL);
  if (!open_descriptors (self, error))
    return NULL;

  self->address = g_strdup (address);
  self->path = g_steal_pointer (&path);
  self->closed = FALSE;

  return g_steal_pointer (&self);
}

gboolean
_shnd_subscriber_enter (ShndSubscriber *self)
{
  if (self->mark != shnd_process_get_mark ())
    return FALSE;

  g_mutex_lock (&self->mutex);
  return TRUE;
}

/* For the getters. */
#define GET(self, field, otherwise)                                                                \
  ({                                                                                               \
    __typeof__ ((self)->field) value = (otherwise);                                                \
                                                                                                   \
    if (_shnd_subscriber_enter (self))                                                             \
      {                                                                                            \
        value = (self)->field;                                                                     \
        g_mutex_unlock (&(self)->mutex);                                                           \
      }                                                                                            \
    value;                                                                                         \
  })

/* And for the setters. */
#define SET(self, field, new_value, prop)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    __typeof__ ((self)->field) value = (new_value);                                                \
    gboolean changed = FALSE;                                                                      \
                                                                                                   \
    if (_shnd_subscriber_enter (self))                                                             \
      {                                                                                            \
        changed = (self)->field != value;                                                          \
        (self)->field = value;                                                                     \
        g_mutex_unlock (&(self)->mutex);                                                           \
      }                                                                                            \
    if (changed)                                                                                   \
      g_object_notify_by_pspec (G_OBJECT (self), props[prop]);                                     \
  }                                                                                                \
  G_STMT_END

/**
 * shnd_subscriber_get_address: (get-property address)
 * @self: a subscriber
 *
 * Gets where the publisher is, as it was given.
 *
 * Returns: (nullable): the address; %NULL if the object was not made by its constructor
 */
const char *
shnd_subscriber_get_address (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), NULL);

  return self->address;
}

/**
 * shnd_subscriber_get_path: (get-property path)
 * @self: a subscriber
 *
 * Gets the path of the publisher's socket.
 *
 * Returns: (nullable) (type filename): the path; %NULL if the object was not made by its constructor
 */
const char *
shnd_subscriber_get_path (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), NULL);

  return self->path;
}

/**
 * shnd_subscriber_get_depth: (get-property depth)
 * @self: a subscriber
 *
 * Gets how many frames to hold at most.
 *
 * Returns: the number; 0 for as many as the publisher allows
 */
guint
shnd_subscriber_get_depth (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return GET (self, depth, 0);
}

/**
 * shnd_subscriber_set_depth: (set-property depth)
 * @self: a subscriber
 * @depth: the number, at most 256; 0 for as many as the publisher allows
 *
 * Sets how many frames to hold at most, from the next connection on.
 */
void
shnd_subscriber_set_depth (ShndSubscriber *self, guint depth)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  SET (self, depth, MIN (depth, SHND_MAX_DEPTH), PROP_DEPTH);
}

/**
 * shnd_subscriber_get_latest_only: (get-property latest-only)
 * @self: a subscriber
 *
 * Gets whether to skip frames, so that the newest one is received.
 *
 * Returns: whether to
 */
gboolean
shnd_subscriber_get_latest_only (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  return GET (self, latest_only, FALSE);
}

/**
 * shnd_subscriber_set_latest_only: (set-property latest-only)
 * @self: a subscriber
 * @latest_only: whether to
 *
 * Sets whether to skip frames, so that the newest one is received.
 */
void
shnd_subscriber_set_latest_only (ShndSubscriber *self, gboolean latest_only)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  SET (self, latest_only, latest_only != FALSE, PROP_LATEST_ONLY);
}

/**
 * shnd_subscriber_get_observer: (get-property observer)
 * @self: a subscriber
 *
 * Gets whether to look only at how the stream goes.
 *
 * Returns: whether to
 */
gboolean
shnd_subscriber_get_observer (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  return GET (self, observer, FALSE);
}

/**
 * shnd_subscriber_set_observer: (set-property observer)
 * @self: a subscriber
 * @observer: whether to
 *
 * Sets whether to look only at how the stream goes, and get no frames, from the next connection on.
 */
void
shnd_subscriber_set_observer (ShndSubscriber *self, gboolean observer)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  SET (self, observer, observer != FALSE, PROP_OBSERVER);
}

/**
 * shnd_subscriber_get_reconnect: (get-property reconnect)
 * @self: a subscriber
 *
 * Gets whether to wait for the next publisher when one is gone.
 *
 * Returns: whether to
 */
gboolean
shnd_subscriber_get_reconnect (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  return GET (self, reconnect, FALSE);
}

/**
 * shnd_subscriber_set_reconnect: (set-property reconnect)
 * @self: a subscriber
 * @reconnect: whether to
 *
 * Sets whether to wait for the next publisher when one is gone.
 */
void
shnd_subscriber_set_reconnect (ShndSubscriber *self, gboolean reconnect)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  SET (self, reconnect, reconnect != FALSE, PROP_RECONNECT);
}

/**
 * shnd_subscriber_get_spin: (get-property spin)
 * @self: a subscriber
 *
 * Gets for how long to look again and again before sleeping.
 *
 * Returns: the time in microseconds
 */
guint
shnd_subscriber_get_spin (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return GET (self, spin, 0);
}

/**
 * shnd_subscriber_set_spin: (set-property spin)
 * @self: a subscriber
 * @spin: the time in microseconds
 *
 * Sets for how long to look again and again before sleeping.
 */
void
shnd_subscriber_set_spin (ShndSubscriber *self, guint spin)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  SET (self, spin, spin, PROP_SPIN);
}

/**
 * shnd_subscriber_get_connected: (get-property connected)
 * @self: a subscriber
 *
 * Gets whether a publisher has admitted the subscriber.
 *
 * Returns: whether one has
 */
gboolean
shnd_subscriber_get_connected (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  return GET (self, was_welcome, FALSE);
}

/**
 * shnd_subscriber_get_n_received: (get-property n-received)
 * @self: a subscriber
 *
 * Gets how many frames were received.
 *
 * Returns: the number
 */
guint64
shnd_subscriber_get_n_received (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return GET (self, n_received, 0);
}

/**
 * shnd_subscriber_get_n_missed: (get-property n-missed)
 * @self: a subscriber
 *
 * Gets how many frames were published after the first one that was received, and were not received.
 *
 * Returns: the number
 */
guint64
shnd_subscriber_get_n_missed (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), 0);

  return GET (self, n_missed, 0);
}

/**
 * shnd_subscriber_get_watching: (get-property watching)
 * @self: a subscriber
 *
 * Gets whether the subscriber emits [signal@Shnd.Subscriber::frame].
 *
 * Returns: whether it does
 */
gboolean
shnd_subscriber_get_watching (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), FALSE);

  return GET (self, watch, NULL) != NULL;
}

/**
 * shnd_subscriber_get_fd:
 * @self: a subscriber
 *
 * Gets a descriptor for other main loops than GLib's: it polls as readable when
 * [method@Shnd.Subscriber.receive] with a timeout of 0 has something to do.
 *
 * It stays the same for the life of the subscriber, whatever becomes of publishers. It must not be
 * read, nor closed.
 *
 * Returns: the descriptor, which is the subscriber's; -1 if it is closed
 */
int
shnd_subscriber_get_fd (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), -1);

  if (!_shnd_subscriber_check (self, NULL))
    return -1;

  _shnd_subscriber_start (self);

  return _shnd_subscriber_get_epoll (self);
}

/**
 * shnd_subscriber_get_closed: (get-property closed)
 * @self: a subscriber
 *
 * Gets whether the subscriber was closed, was not made by its constructor, or is the parent process's.
 *
 * Returns: whether it is
 */
gboolean
shnd_subscriber_get_closed (ShndSubscriber *self)
{
  g_return_val_if_fail (SHND_IS_SUBSCRIBER (self), TRUE);

  return !_shnd_subscriber_check (self, NULL);
}

/**
 * shnd_subscriber_close:
 * @self: a subscriber
 *
 * Receives no more frames.
 *
 * Those that the program has stay what they are, and go back one by one. Whoever waits in a call of
 * this object is woken, and fails with %SHND_ERROR_CLOSED.
 *
 * Closing twice does nothing.
 */
void
shnd_subscriber_close (ShndSubscriber *self)
{
  g_return_if_fail (SHND_IS_SUBSCRIBER (self));

  if (shnd_subscriber_get_closed (self))
    return;

  shnd_subscriber_unwatch (self);
  if (_shnd_subscriber_stop (self))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CLOSED]);
}
