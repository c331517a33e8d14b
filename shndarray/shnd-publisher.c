/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-publisher-private.h"

#include "shnd-address-private.h"
#include "shnd-enum-types.h"
#include "shnd-error.h"

/**
 * ShndPublisher:
 *
 * The sending end of a stream of arrays, such as the frames of a camera.
 *
 * A publisher listens at an address, and sends each frame to all subscribers that are there. Nothing
 * is copied: a frame is acquired, filled in place, and published; what goes to the subscribers is a
 * short message, and they look at the same memory, which they cannot write.
 *
 * ```c
 * g_autoptr (ShndPublisher) publisher = shnd_publisher_new ("cam0", &error);
 *
 * while (running)
 *   {
 *     g_autoptr (ShndFrame) frame =
 *         shnd_publisher_acquire (publisher, dtype, shape, 3, -1, NULL, &error);
 *
 *     capture (shnd_array_get_data (shnd_frame_get_array (frame)));
 *     shnd_publisher_publish (publisher, frame, -1, NULL, &error);
 *   }
 * ```
 *
 * Each frame may have a dtype and a shape of its own. The memory of frames that all subscribers have
 * given back is used again; more is made when there is none.
 *
 * ## Addresses
 *
 * A name, such as `cam0`, stands for a socket in the folder `shndarray` of the user's runtime
 * directory. An absolute path is a socket there: for sandboxes that share a folder, and for other
 * users, to whom the program can give the permission to write to the file of the socket, and whom it
 * admits with [signal@Shnd.Publisher::authorize].
 *
 * What a publisher that was killed leaves at its address is taken over. The one of a publisher that
 * lives is not.
 *
 * ## Slow, dead and hostile subscribers
 *
 * A subscriber holds at most [property@Shnd.Publisher:depth] frames. Who has as many misses frames
 * (%SHND_OVERFLOW_DROP) and gets the newest one when it has given one back, or makes the publisher
 * wait (%SHND_OVERFLOW_BLOCK). What a subscriber holds that ends, however it ends, is given back. One
 * that does not keep to the protocol is dropped, with a line in the log.
 *
 * Who subscribes late gets the last frame at once.
 *
 * ## Threads
 *
 * A publisher may be used from several threads. It has a thread of its own, and needs no main loop.
 * After `fork()` it is the parent's alone.
 */

enum
{
  PROP_ADDRESS = 1,
  PROP_PATH,
  PROP_OVERFLOW,
  PROP_DEPTH,
  PROP_MAX_FRAMES,
  PROP_MAX_SUBSCRIBERS,
  PROP_N_SUBSCRIBERS,
  PROP_N_FRAMES,
  PROP_SEQUENCE,
  PROP_N_DROPPED,
  PROP_CLOSED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

enum
{
  AUTHORIZE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (ShndPublisher, shnd_publisher, G_TYPE_OBJECT)

/* ---- The main context ---- */

static void
release_link (gpointer data)
{
  g_atomic_rc_box_release_full (data, (GDestroyNotify) g_weak_ref_clear);
}

/* In any thread, with the hub's mutex but for the first one: lets a function be called in the publisher's
 * main context, if it is still there then. The weak reference to it was made when it was: other threads
 * could not make one while it goes. */
static void
call_later (ShndPublisher *self, ShndPublisherCall call, GSourceFunc func)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "ShndPublisher");
  g_source_set_callback (source, func, g_atomic_rc_box_acquire (self->link), release_link);
  g_clear_pointer (&self->calls[call], g_source_unref);
  self->calls[call] = source;
  g_source_attach (source, self->context);
}

static gboolean
notify_cb (gpointer user_data)
{
  g_autoptr (ShndPublisher) self = g_weak_ref_get (user_data);

  if (self != NULL)
    {
      g_atomic_int_set (&self->notify_pending, FALSE);
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_N_SUBSCRIBERS]);
    }

  return G_SOURCE_REMOVE;
}

static void
subscribers_changed (gpointer publisher)
{
  ShndPublisher *self = publisher;

  if (g_atomic_int_compare_and_exchange (&self->notify_pending, FALSE, TRUE))
    call_later (self, SHND_PUBLISHER_NOTIFY, notify_cb);
}

static gboolean
wants_to_authorize (gpointer publisher)
{
  return g_signal_has_handler_pending (publisher, signals[AUTHORIZE], 0, FALSE);
}

/* In the main context. */
static void
authorize (ShndPublisher *self)
{
  struct ucred credentials;
  guint64 peer;

  while (shnd_hub_get_asking (self->hub, &peer, &credentials))
    {
      g_autoptr (GCredentials) object = g_credentials_new ();
      gboolean allowed = FALSE;

      g_credentials_set_native (object, G_CREDENTIALS_TYPE_LINUX_UCRED, &credentials);
      g_signal_emit (self, signals[AUTHORIZE], 0, object, &allowed);
      shnd_hub_answer (self->hub, peer, allowed);
    }
}

static gboolean
authorize_cb (gpointer user_data)
{
  g_autoptr (ShndPublisher) self = g_weak_ref_get (user_data);

  if (self != NULL)
    {
      g_atomic_int_set (&self->authorize_pending, FALSE);
      authorize (self);
    }

  return G_SOURCE_REMOVE;
}

static gboolean
serve_cb (gpointer user_data)
{
  g_autoptr (ShndPublisher) self = g_weak_ref_get (user_data);

  if (self != NULL)
    shnd_hub_serve (self->hub);

  return G_SOURCE_REMOVE;
}

void
_shnd_publisher_serve (ShndPublisher *self)
{
  shnd_hub_serve (self->hub);
  if (!g_atomic_int_get (&self->authorize_pending))
    return;

  /* Where another thread runs it, that asks. */
  if (!g_main_context_acquire (self->context))
    return;

  authorize (self);
  g_main_context_release (self->context);
}

static void
authorize_later (gpointer publisher)
{
  ShndPublisher *self = publisher;

  if (g_atomic_int_compare_and_exchange (&self->authorize_pending, FALSE, TRUE))
    call_later (self, SHND_PUBLISHER_AUTHORIZE, authorize_cb);
}

/* ---- The object ---- */

static void
shnd_publisher_dispose (GObject *object)
{
  ShndPublisher *self = SHND_PUBLISHER (object);

  if (self->hub != NULL)
    {
      shnd_hub_forget_publisher (self->hub);
      shnd_hub_close (self->hub);
    }
  /* Nobody makes another one. A context that does not run would keep them. */
  for (guint i = 0; i < SHND_PUBLISHER_N_CALLS; i++)
    {
      if (self->calls[i] != NULL)
        g_source_destroy (self->calls[i]);
      g_clear_pointer (&self->calls[i], g_source_unref);
    }

  G_OBJECT_CLASS (shnd_publisher_parent_class)->dispose (object);
}

static void
shnd_publisher_finalize (GObject *object)
{
  ShndPublisher *self = SHND_PUBLISHER (object);

  g_clear_pointer (&self->hub, shnd_hub_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->link, release_link);
  g_free (self->address);

  G_OBJECT_CLASS (shnd_publisher_parent_class)->finalize (object);
}

static void
shnd_publisher_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  ShndPublisher *self = SHND_PUBLISHER (object);

  switch (prop_id)
    {
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_PATH:
      g_value_set_string (value, shnd_publisher_get_path (self));
      break;
    case PROP_OVERFLOW:
      g_value_set_enum (value, shnd_publisher_get_overflow (self));
      break;
    case PROP_DEPTH:
      g_value_set_uint (value, shnd_publisher_get_depth (self));
      break;
    case PROP_MAX_FRAMES:
      g_value_set_uint (value, shnd_publisher_get_max_frames (self));
      break;
    case PROP_MAX_SUBSCRIBERS:
      g_value_set_uint (value, shnd_publisher_get_max_subscribers (self));
      break;
    case PROP_N_SUBSCRIBERS:
      g_value_set_uint (value, shnd_publisher_get_n_subscribers (self));
      break;
    case PROP_N_FRAMES:
      g_value_set_uint (value, shnd_publisher_get_n_frames (self));
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, shnd_publisher_get_sequence (self));
      break;
    case PROP_N_DROPPED:
      g_value_set_uint64 (value, shnd_publisher_get_n_dropped (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, shnd_publisher_get_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
shnd_publisher_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  ShndPublisher *self = SHND_PUBLISHER (object);

  switch (prop_id)
    {
    case PROP_OVERFLOW:
      shnd_publisher_set_overflow (self, g_value_get_enum (value));
      break;
    case PROP_DEPTH:
      shnd_publisher_set_depth (self, g_value_get_uint (value));
      break;
    case PROP_MAX_FRAMES:
      shnd_publisher_set_max_frames (self, g_value_get_uint (value));
      break;
    case PROP_MAX_SUBSCRIBERS:
      shnd_publisher_set_max_subscribers (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
shnd_publisher_class_init (ShndPublisherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags writable = flags | G_PARAM_WRITABLE;

  object_class->dispose = shnd_publisher_dispose;
  object_class->finalize = shnd_publisher_finalize;
  object_class->get_property = shnd_publisher_get_property;
  object_class->set_property = shnd_publisher_set_property;

  /**
   * ShndPublisher:address: (getter get_address)
   *
   * Where the publisher listens, as it was given.
   */
  props[PROP_ADDRESS] = g_param_spec_string ("address", NULL, NULL, NULL, flags);

  /**
   * ShndPublisher:path: (getter get_path)
   *
   * The path of the socket.
   */
  props[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * ShndPublisher:overflow: (getter get_overflow) (setter set_overflow)
   *
   * What happens when a subscriber holds as many frames as it may.
   */
  props[PROP_OVERFLOW] =
      g_param_spec_enum ("overflow", NULL, NULL, SHND_TYPE_OVERFLOW, SHND_OVERFLOW_DROP, writable);

  /**
   * ShndPublisher:depth: (getter get_depth) (setter set_depth)
   *
   * How many frames a subscriber may hold, those included that wait to be received.
   *
   * A subscriber can ask for less. A change is for those who subscribe later.
   */
  props[PROP_DEPTH] =
      g_param_spec_uint ("depth", NULL, NULL, 1, SHND_MAX_DEPTH, SHND_DEFAULT_DEPTH, writable);

  /**
   * ShndPublisher:max-frames: (getter get_max_frames) (setter set_max_frames)
   *
   * How many frames there may be at once; 0 for as many as it takes.
   *
   * That is at most the depth times the number of subscribers, those that the program has acquired,
   * and one. With a limit, [method@Shnd.Publisher.acquire] waits when all of them are held, also
   * with %SHND_OVERFLOW_DROP.
   */
  props[PROP_MAX_FRAMES] = g_param_spec_uint ("max-frames", NULL, NULL, 0, G_MAXUINT, 0, writable);

  /**
   * ShndPublisher:max-subscribers: (getter get_max_subscribers) (setter set_max_subscribers)
   *
   * How many connections there may be at once, those of observers among them. Others are refused.
   */
  props[PROP_MAX_SUBSCRIBERS] =
      g_param_spec_uint ("max-subscribers", NULL, NULL, 0, G_MAXUINT, 128, writable);

  /**
   * ShndPublisher:n-subscribers: (getter get_n_subscribers)
   *
   * How many subscribers there are, without observers.
   *
   * Notifications come in the main context that was the thread-default one when the publisher was
   * made.
   */
  props[PROP_N_SUBSCRIBERS] =
      g_param_spec_uint ("n-subscribers", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * ShndPublisher:n-frames: (getter get_n_frames)
   *
   * How many frames there is memory for. There is no notification.
   */
  props[PROP_N_FRAMES] = g_param_spec_uint ("n-frames", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * ShndPublisher:sequence: (getter get_sequence)
   *
   * The number of the frame that was published last, 0 before the first. There is no notification.
   */
  props[PROP_SEQUENCE] = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndPublisher:n-dropped: (getter get_n_dropped)
   *
   * How many times a subscriber has missed a frame. There is no notification.
   */
  props[PROP_N_DROPPED] = g_param_spec_uint64 ("n-dropped", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * ShndPublisher:closed: (getter get_closed)
   *
   * Whether the publisher was closed, or not made by its constructor.
   */
  props[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, TRUE, flags);

  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * ShndPublisher::authorize:
   * @self: the publisher
   * @credentials: who wants to subscribe: process, user and group, as the kernel knows them
   *
   * Somebody wants to subscribe.
   *
   * With a handler, its answer decides. Without, only processes of the publisher's own user are
   * admitted.
   *
   * It is emitted in the main context that was the thread-default one when the publisher was made, or
   * while no other thread has that, in the next call of [method@Shnd.Publisher.acquire],
   * [method@Shnd.Publisher.publish] or [method@Shnd.Publisher.wait_subscribers].
   *
   * Returns: whether it may
   */
  signals[AUTHORIZE] = g_signal_new ("authorize", SHND_TYPE_PUBLISHER, G_SIGNAL_RUN_LAST, 0,
                                     g_signal_accumulator_first_wins, NULL, NULL, G_TYPE_BOOLEAN, 1,
                                     G_TYPE_CREDENTIALS);
}

static void
shnd_publisher_init (ShndPublisher *self)
{
}

/**
 * shnd_publisher_new:
 * @address: a name, or an absolute path
 * @error: return location for an error
 *
 * Makes a publisher that listens at an address.
 *
 * Subscribers are admitted from the first call on that acquires, publishes, or waits for subscribers
 * or counts them, or from when the main context next runs: so there is time to set properties and to
 * connect to [signal@Shnd.Publisher::authorize].
 *
 * Fails with %SHND_ERROR_EXISTS if another publisher is there; with %SHND_ERROR_INVALID_NAME if it is
 * not an address, or its path longer than the path of a socket can be (107 bytes); with
 * %SHND_ERROR_NOT_FOUND if the folder of a path does not exist; with %SHND_ERROR_PERMISSION_DENIED
 * or %SHND_ERROR_NO_SPACE.
 *
 * Returns: (transfer full): the new publisher
 */
ShndPublisher *
shnd_publisher_new (const char *address, GError **error)
{
  g_autoptr (ShndPublisher) self = NULL;
  g_autofree char *path = NULL;

  g_return_val_if_fail (address != NULL, NULL);

  path = shnd_address_get_path (address, error);
  if (path == NULL)
    return NULL;

  self = g_object_new (SHND_TYPE_PUBLISHER, NULL);
  self->hub = shnd_hub_new (path, error);
  if (self->hub == NULL)
    return NULL;

  self->address = g_strdup (address);
  self->context = g_main_context_ref_thread_default ();
  self->link = g_atomic_rc_box_new0 (GWeakRef);
  g_weak_ref_init (self->link, self);
  self->hub->publisher = self;
  self->hub->wants_to_authorize = wants_to_authorize;
  self->hub->authorize_later = authorize_later;
  self->hub->subscribers_changed = subscribers_changed;
  if (!shnd_hub_start (self->hub, error))
    return NULL;

  call_later (self, SHND_PUBLISHER_SERVE, serve_cb);

  return g_steal_pointer (&self);
}

/* For the getters of numbers. */
#define GET(self, field, otherwise)                                                                \
  ({                                                                                               \
    ShndHub *hub = (self)->hub;                                                                    \
    __typeof__ (hub->field) value = (otherwise);                                                   \
                                                                                                   \
    if (hub != NULL && shnd_hub_check (hub, NULL))                                                 \
      {                                                                                            \
        g_mutex_lock (&hub->mutex);                                                                \
        value = hub->field;                                                                        \
        g_mutex_unlock (&hub->mutex);                                                              \
      }                                                                                            \
    value;                                                                                         \
  })

/* And for the setters. */
#define SET(self, field, new_value, prop)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    ShndHub *hub = (self)->hub;                                                                    \
    gboolean changed = FALSE;                                                                      \
                                                                                                   \
    if (hub != NULL && shnd_hub_check (hub, NULL))                                                 \
      {                                                                                            \
        g_mutex_lock (&hub->mutex);                                                                \
        changed = hub->field != (new_value);                                                       \
        hub->field = (new_value);                                                                  \
        /* Somebody may wait for what is allowed now. */                                           \
        shnd_hub_wake_waiters (hub);                                                               \
        g_mutex_unlock (&hub->mutex);                                                              \
      }                                                                                            \
    if (changed)                                                                                   \
      g_object_notify_by_pspec (G_OBJECT (self), props[prop]);                                     \
  }                                                                                                \
  G_STMT_END

/**
 * shnd_publisher_get_overflow: (get-property overflow)
 * @self: a publisher
 *
 * Gets what happens when a subscriber holds as many frames as it may.
 *
 * Returns: what happens
 */
ShndOverflow
shnd_publisher_get_overflow (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), SHND_OVERFLOW_DROP);

  return GET (self, overflow, SHND_OVERFLOW_DROP);
}

/**
 * shnd_publisher_set_overflow: (set-property overflow)
 * @self: a publisher
 * @overflow: what shall happen
 *
 * Sets what happens when a subscriber holds as many frames as it may.
 *
 * Who waits in [method@Shnd.Publisher.publish] goes on when it becomes %SHND_OVERFLOW_DROP.
 */
void
shnd_publisher_set_overflow (ShndPublisher *self, ShndOverflow overflow)
{
  g_return_if_fail (SHND_IS_PUBLISHER (self));
  g_return_if_fail (overflow == SHND_OVERFLOW_DROP || overflow == SHND_OVERFLOW_BLOCK);

  SET (self, overflow, overflow, PROP_OVERFLOW);
}

/**
 * shnd_publisher_get_depth: (get-property depth)
 * @self: a publisher
 *
 * Gets how many frames a subscriber may hold.
 *
 * Returns: the number, 1 to 256
 */
guint
shnd_publisher_get_depth (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), SHND_DEFAULT_DEPTH);

  return GET (self, depth, SHND_DEFAULT_DEPTH);
}

/**
 * shnd_publisher_set_depth: (set-property depth)
 * @self: a publisher
 * @depth: the number; below 1 becomes 1, above 256 becomes 256
 *
 * Sets how many frames a subscriber may hold that comes from now on.
 */
void
shnd_publisher_set_depth (ShndPublisher *self, guint depth)
{
  guint clamped = CLAMP (depth, 1, SHND_MAX_DEPTH);

  g_return_if_fail (SHND_IS_PUBLISHER (self));

  SET (self, depth, clamped, PROP_DEPTH);
}

/**
 * shnd_publisher_get_max_frames: (get-property max-frames)
 * @self: a publisher
 *
 * Gets how many frames there may be at once.
 *
 * Returns: the number; 0 for as many as it takes
 */
guint
shnd_publisher_get_max_frames (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  return GET (self, max_frames, 0);
}

/**
 * shnd_publisher_set_max_frames: (set-property max-frames)
 * @self: a publisher
 * @max_frames: the number; 0 for as many as it takes
 *
 * Sets how many frames there may be at once. Those that are there stay.
 */
void
shnd_publisher_set_max_frames (ShndPublisher *self, guint max_frames)
{
  g_return_if_fail (SHND_IS_PUBLISHER (self));

  SET (self, max_frames, max_frames, PROP_MAX_FRAMES);
}

/**
 * shnd_publisher_get_max_subscribers: (get-property max-subscribers)
 * @self: a publisher
 *
 * Gets how many connections there may be at once.
 *
 * Returns: the number
 */
guint
shnd_publisher_get_max_subscribers (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  return GET (self, max_subscribers, 0);
}

/**
 * shnd_publisher_set_max_subscribers: (set-property max-subscribers)
 * @self: a publisher
 * @max_subscribers: the number
 *
 * Sets how many connections there may be at once. Those that are there stay.
 */
void
shnd_publisher_set_max_subscribers (ShndPublisher *self, guint max_subscribers)
{
  g_return_if_fail (SHND_IS_PUBLISHER (self));

  SET (self, max_subscribers, max_subscribers, PROP_MAX_SUBSCRIBERS);
}

/**
 * shnd_publisher_get_address: (get-property address)
 * @self: a publisher
 *
 * Gets where the publisher listens, as it was given.
 *
 * Returns: (nullable): the address; %NULL if the object was not made by its constructor
 */
const char *
shnd_publisher_get_address (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), NULL);

  return self->address;
}

/**
 * shnd_publisher_get_path: (get-property path)
 * @self: a publisher
 *
 * Gets the path of the socket.
 *
 * Returns: (nullable) (type filename): the path; %NULL if the object was not made by its constructor
 */
const char *
shnd_publisher_get_path (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), NULL);

  return self->hub != NULL ? self->hub->path : NULL;
}

/**
 * shnd_publisher_get_n_subscribers: (get-property n-subscribers)
 * @self: a publisher
 *
 * Gets how many subscribers there are.
 *
 * Returns: the number
 */
guint
shnd_publisher_get_n_subscribers (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  if (self->hub != NULL && shnd_hub_check (self->hub, NULL))
    shnd_hub_serve (self->hub);

  return GET (self, n_subscribers, 0);
}

/**
 * shnd_publisher_get_n_frames: (get-property n-frames)
 * @self: a publisher
 *
 * Gets how many frames there is memory for.
 *
 * Returns: the number
 */
guint
shnd_publisher_get_n_frames (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  return GET (self, pool.n_slots, 0);
}

/**
 * shnd_publisher_get_sequence: (get-property sequence)
 * @self: a publisher
 *
 * Gets the number of the frame that was published last.
 *
 * Returns: the number, 0 before the first
 */
guint64
shnd_publisher_get_sequence (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  return GET (self, sequence, 0);
}

/**
 * shnd_publisher_get_n_dropped: (get-property n-dropped)
 * @self: a publisher
 *
 * Gets how many times a subscriber has missed a frame: one frame that two subscribers miss counts
 * twice.
 *
 * The number goes down by one whenever a subscriber gets the newest frame after all, as it has room
 * again before there is a newer one.
 *
 * Returns: the number
 */
guint64
shnd_publisher_get_n_dropped (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), 0);

  return GET (self, n_dropped, 0);
}

/**
 * shnd_publisher_get_closed: (get-property closed)
 * @self: a publisher
 *
 * Gets whether the publisher was closed, was not made by its constructor, or is the parent process's.
 *
 * Returns: whether it is
 */
gboolean
shnd_publisher_get_closed (ShndPublisher *self)
{
  g_return_val_if_fail (SHND_IS_PUBLISHER (self), TRUE);

  return GET (self, closed, TRUE);
}

/**
 * shnd_publisher_close:
 * @self: a publisher
 *
 * Ends the stream, and gives up the address.
 *
 * Subscribers get the frames that are on their way to them, and then the end. What they hold stays
 * theirs. Whoever waits in a call of this object is woken, and fails with %SHND_ERROR_CLOSED.
 *
 * Closing twice does nothing.
 */
void
shnd_publisher_close (ShndPublisher *self)
{
  g_return_if_fail (SHND_IS_PUBLISHER (self));

  if (shnd_publisher_get_closed (self))
    return;

  shnd_hub_close (self->hub);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CLOSED]);
}
