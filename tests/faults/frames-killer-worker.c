/* SPDX-License-Identifier: MIT */

/* The publishers and subscribers that are killed, and some that are not. Each of them ends the
 * program, which is noticed, when something is not as it should be. */

#include "frames-killer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "belongings.h"
#include "frames.h"

/* For how long one waits at most, in microseconds. */
#define TIMEOUT 2000

#define MAX_HELD 8

Board *board;

static GRand *dice;

const char *
frames_get_address (guint i)
{
  static const char *const addresses[N_ADDRESSES] = { "changing-0", "changing-1", "lasting" };

  return addresses[i];
}

static guint
roll (guint sides)
{
  return g_rand_int_range (dice, 0, sides);
}

static gboolean
is_error (GError **error, gint code)
{
  gboolean result = g_error_matches (*error, SHND_ERROR, code);

  if (result)
    g_clear_error (error);
  return result;
}

/* Nobody here breaks the protocol: who says so is wrong. */
static void
handle_message (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  g_error ("%s", message);
}

static void
begin (guint32 seed)
{
  g_log_set_handler ("Shnd", G_LOG_LEVEL_MESSAGE, handle_message, NULL);
  dice = g_rand_new_with_seed (seed);
}

static Stage
get_stage (gint *episode)
{
  gint stage = g_atomic_int_get (&board->stage);

  if (episode != NULL)
    *episode = stage / N_STAGES;
  return stage % N_STAGES;
}

/* ---- Publishing ---- */

typedef struct
{
  ShndPublisher *publisher;
  guint64 life;
  guint64 sequence;  /* of the last one published */
  ShndFrame *frame;  /* the next one */
  guint64 first;     /* as which its memory was published before, or 0 */
  ShndFrame *unused; /* acquired, and maybe never published */

  ShndFrame *former;    /* one that was published, and may be repeated */
  guint64 former_first; /* as which its memory was published for the first time */
  GBytes *shown;        /* that memory, or NULL */
} Publishing;

static void
set_up (Publishing *self, ShndPublisher *publisher)
{
  *self = (Publishing){ .publisher = publisher };
  self->life = __atomic_add_fetch (&board->last_life, 1, __ATOMIC_SEQ_CST);
  board_count (&board->lives);
  shnd_publisher_set_overflow (publisher, roll (2) ? SHND_OVERFLOW_BLOCK : SHND_OVERFLOW_DROP);
  shnd_publisher_set_depth (publisher, 1 + roll (MAX_HELD));
  /* Fewer than subscribers can hold, so that it has to wait for them, or even none to spare. */
  if (roll (3) == 0)
    shnd_publisher_set_max_frames (publisher, 3 + roll (10));
}

static void
forget_former (Publishing *self)
{
  g_clear_object (&self->former);
  g_clear_pointer (&self->shown, g_bytes_unref);
}

static void
repeat (Publishing *self)
{
  GError *error = NULL;

  self->first = self->former_first;
  self->frame =
      frames_repeat (self->publisher, self->former, self->life, self->former_first, &error);
  if (self->frame != NULL)
    return;

  /* It may have been the newest one until its memory was needed. */
  if (self->shown != NULL || !is_error (&error, SHND_ERROR_NOT_ACQUIRED))
    g_error ("repeat: %s", error->message);
  forget_former (self);
}

/* Keeps the frame that was just published, unless one is shown that was published before. */
static void
keep_former (Publishing *self, GBytes *bytes)
{
  if (self->shown != NULL && roll (4) > 0)
    return;

  forget_former (self);
  self->former = g_object_ref (self->frame);
  self->former_first = self->first != 0 ? self->first : self->sequence;
  self->shown = bytes != NULL ? g_bytes_ref (bytes) : NULL;
}

static void
prepare (Publishing *self)
{
  GError *error = NULL;

  self->first = 0;
  self->frame =
      frames_acquire (self->publisher, self->life, self->sequence + 1, roll (3) * TIMEOUT, &error);
  if (self->frame == NULL && !is_error (&error, SHND_ERROR_TIMED_OUT))
    g_error ("acquire: %s", error->message);
  if (self->frame == NULL)
    board_count (&board->not_acquired);
}

static void
publish_one (Publishing *self)
{
  g_autoptr (GBytes) bytes = NULL;
  GError *error = NULL;

  /* Some are acquired for nothing. */
  if (roll (16) == 0)
    g_clear_object (&self->unused);
  if (roll (32) == 0)
    {
      g_clear_object (&self->unused);
      self->unused = frames_acquire (self->publisher, self->life, roll (100), 0, NULL);
    }
  /* From then on its memory may be used for another one. */
  if (roll (8) == 0)
    g_clear_pointer (&self->shown, g_bytes_unref);

  if (self->frame == NULL && self->former != NULL && roll (4) == 0)
    repeat (self);
  if (self->frame == NULL)
    prepare (self);
  if (self->frame == NULL)
    {
      g_clear_object (&self->unused);
      forget_former (self);
      return;
    }

  if (roll (4) == 0)
    bytes = shnd_array_get_bytes (shnd_frame_get_array (self->frame), NULL);
  if (!shnd_publisher_publish (self->publisher, self->frame, roll (3) * TIMEOUT, NULL, &error))
    {
      if (!is_error (&error, SHND_ERROR_TIMED_OUT) ||
          shnd_publisher_get_overflow (self->publisher) == SHND_OVERFLOW_DROP)
        g_error ("publish: %s", error != NULL ? error->message : "waits");
      board_count (&board->blocked);
      return;
    }

  if (shnd_frame_get_sequence (self->frame) != self->sequence + 1)
    g_error ("a frame was published as another one");
  self->sequence++;
  board_count (&board->published);
  if (self->first != 0)
    board_count (&board->repeated);
  keep_former (self, bytes);
  g_clear_object (&self->frame);
  if (roll (4) == 0)
    g_usleep (roll (1000));
}

static void
put_away (Publishing *self)
{
  g_clear_object (&self->frame);
  g_clear_object (&self->unused);
  forget_former (self);
}

/* Between being doomed and being dead a publisher may still be there, but has no lock any more. */
static void
take_address (guint address, guint slot)
{
  gint owner = __atomic_exchange_n (&board->owners[address], slot + 1, __ATOMIC_SEQ_CST);

  if (owner != 0 && !__atomic_load_n (&board->doomed[owner - 1], __ATOMIC_SEQ_CST))
    g_error ("two publishers have one address");
}

static void
leave_address (guint address)
{
  __atomic_store_n (&board->owners[address], 0, __ATOMIC_SEQ_CST);
}

static void
live_as_publisher (guint slot)
{
  guint address = slot % 2;
  GError *error = NULL;
  g_autoptr (ShndPublisher) publisher = shnd_publisher_new (frames_get_address (address), &error);
  Publishing publishing;

  if (publisher == NULL)
    {
      if (!is_error (&error, SHND_ERROR_EXISTS))
        g_error ("publisher: %s", error->message);
      board_count (&board->taken);
      g_usleep (roll (5000));
      return;
    }

  take_address (address, slot);
  set_up (&publishing, publisher);
  do
    publish_one (&publishing);
  while (roll (300) > 0);

  leave_address (address);
  if (roll (2) == 0)
    shnd_publisher_close (publisher);
  put_away (&publishing);
}

void
frames_run_publisher (guint slot, guint32 seed)
{
  begin (seed);
  while (TRUE)
    live_as_publisher (slot);
}

/* ---- Receiving ---- */

typedef struct
{
  ShndFrame *frame; /* one of these three, or none of them */
  ShndArray *view;
  GBytes *bytes;
  const guint64 *words;
  gsize n_bytes;
  guint64 life;
  guint64 sequence;
} Held;

typedef struct
{
  ShndSubscriber *subscriber;
  gboolean latest_only;
  gboolean reconnect;
  guint64 life; /* of the last frame */
  guint64 sequence;
  guint n_held; /* at most */
  Held held[MAX_HELD];
} Receiving;

static void
connect_to (Receiving *self, guint address, gboolean reconnect)
{
  GError *error = NULL;
  ShndSubscriber *subscriber = shnd_subscriber_new (frames_get_address (address), &error);

  g_assert_no_error (error);
  *self = (Receiving){ .subscriber = subscriber, .reconnect = reconnect };
  self->latest_only = roll (4) == 0;
  self->n_held = 1 + roll (MAX_HELD);
  shnd_subscriber_set_reconnect (subscriber, reconnect);
  shnd_subscriber_set_latest_only (subscriber, self->latest_only);
  shnd_subscriber_set_depth (subscriber, roll (MAX_HELD + 1));
  shnd_subscriber_set_spin (subscriber, roll (8) == 0 ? 50 : 0);
}

static void
look (const Held *held)
{
  if (held->words == NULL)
    return;

  frames_check_words (held->words, held->n_bytes, held->life, held->sequence);
  board_count (&board->outlived);
}

static void
let_go (Held *held)
{
  look (held);
  if (held->frame != NULL && roll (3) == 0)
    shnd_frame_release_now (held->frame);
  else if (held->frame != NULL && roll (3) == 0)
    shnd_frame_release (held->frame);
  g_clear_object (&held->frame);
  g_clear_object (&held->view);
  g_clear_pointer (&held->bytes, g_bytes_unref);
  held->words = NULL;
}

/* Keeps the frame, or something that shows its memory. */
static void
keep (Held *held, ShndFrame *frame)
{
  ShndArray *array = shnd_frame_get_array (frame);

  held->life = held->words[FRAME_LIFE];
  held->sequence = held->words[FRAME_SEQUENCE];
  switch (roll (4))
    {
    case 0:
      held->view = shnd_array_slice (array, 0, 0, shnd_array_get_shape (array, NULL)[0], 1, NULL);
      break;
    case 1:
      held->bytes = shnd_array_get_bytes (array, NULL);
      break;
    default:
      held->frame = frame;
      return;
    }

  g_assert_true (held->view != NULL || held->bytes != NULL);
  if (roll (2) == 0)
    shnd_frame_release (frame);
  g_object_unref (frame);
}

/* In order, none twice, and none missing where the publisher waits. */
static void
check_order (Receiving *self, const Held *held, guint64 sequence)
{
  guint64 life = held->words[FRAME_LIFE];

  if (life == self->life)
    {
      if (sequence <= self->sequence)
        g_error ("frame %" G_GUINT64_FORMAT " comes after %" G_GUINT64_FORMAT, sequence,
                 self->sequence);
      if (sequence != self->sequence + 1)
        board_count (&board->missed);
      if (sequence != self->sequence + 1 && !self->latest_only &&
          held->words[FRAME_OVERFLOW] == SHND_OVERFLOW_BLOCK)
        g_error ("frames from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " are missing",
                 self->sequence, sequence);
    }
  else if (self->life != 0)
    {
      if (life < self->life || !self->reconnect)
        g_error ("a frame of another publisher than it should be");
      board_count (&board->crossed);
    }
  self->life = life;
  self->sequence = sequence;
}

/* Returns FALSE if the stream is over. */
static gboolean
receive (Receiving *self, Held *held)
{
  GError *error = NULL;
  ShndFrame *frame = shnd_subscriber_receive (self->subscriber, roll (3) * TIMEOUT, NULL, &error);

  if (frame == NULL)
    {
      if (is_error (&error, SHND_ERROR_TIMED_OUT))
        return TRUE;
      if (self->reconnect)
        g_error ("receive: %s", error->message);
      if (is_error (&error, SHND_ERROR_END_OF_STREAM))
        board_count (&board->ended);
      else if (is_error (&error, SHND_ERROR_DISCONNECTED))
        board_count (&board->disconnected);
      else
        g_error ("receive: %s", error->message);
      return FALSE;
    }

  board_count (&board->received);
  held->words = frames_check (frame, &held->n_bytes);
  check_order (self, held, shnd_frame_get_sequence (frame));
  keep (held, frame);

  return TRUE;
}

/* Does one thing. Returns FALSE if the stream is over. */
static gboolean
receive_some (Receiving *self)
{
  Held *held = &self->held[roll (self->n_held)];

  if (held->words == NULL)
    return receive (self, held);

  if (roll (3) == 0)
    look (held);
  else
    let_go (held);
  if (roll (64) == 0)
    g_usleep (roll (2000));

  return TRUE;
}

static void
let_go_of_all (Receiving *self)
{
  for (guint i = 0; i < MAX_HELD; i++)
    let_go (&self->held[i]);
}

/* Frames may outlive the subscriber. */
static void
disconnect (Receiving *self)
{
  if (roll (2) == 0)
    shnd_subscriber_close (self->subscriber);
  if (roll (2) == 0)
    let_go_of_all (self);
  g_clear_object (&self->subscriber);
  let_go_of_all (self);
}

void
frames_run_subscriber (guint slot, guint32 seed)
{
  begin (seed);
  while (TRUE)
    {
      Receiving receiving;

      connect_to (&receiving, roll (N_ADDRESSES), roll (2));
      while (receive_some (&receiving) && roll (1000) > 0)
        ;
      disconnect (&receiving);
    }
}

/* ---- Who survives ---- */

/* Tells that this stage is done, and what came before it. */
static void
arrive (guint i, gint episode, Stage stage)
{
  g_atomic_int_set (&board->arrived[i], episode * N_STAGES + stage);
}

static gboolean
is_past (gint episode, Stage stage)
{
  return g_atomic_int_get (&board->stage) > episode * N_STAGES + (gint) stage;
}

static void
await (gint episode, Stage stage)
{
  while (g_atomic_int_get (&board->stage) < episode * N_STAGES + (gint) stage)
    g_usleep (500);
}

static void
survive_as_publisher (gint episode)
{
  GError *error = NULL;
  ShndPublisher *publisher = shnd_publisher_new (frames_get_address (ADDRESS_SURVIVOR), &error);
  Publishing publishing;
  gboolean is_kept;

  g_assert_no_error (error);
  set_up (&publishing, publisher);
  /* Both of them in any run. */
  shnd_publisher_set_overflow (publisher,
                               episode % 2 == 0 ? SHND_OVERFLOW_BLOCK : SHND_OVERFLOW_DROP);
  while (!is_past (episode, STAGE_WORK) || publishing.sequence == 0)
    publish_one (&publishing);
  put_away (&publishing);
  /* Where frames are few, who has missed the last one may find its memory used for the next. */
  is_kept = shnd_publisher_get_overflow (publisher) == SHND_OVERFLOW_BLOCK ||
            shnd_publisher_get_max_frames (publisher) == 0;
  __atomic_store_n (&board->last_sequence, is_kept ? publishing.sequence : 0, __ATOMIC_SEQ_CST);
  __atomic_store_n (&board->survivor_life, publishing.life, __ATOMIC_SEQ_CST);
  arrive (0, episode, STAGE_DRAIN);

  await (episode, STAGE_CHECK);
  /* That of the survivors, as all others are dead. */
  frames_await_subscribers (publisher, 1);
  /* Each subscriber can have held as many as it may, the publisher one, and the program three. */
  g_assert_cmpuint (shnd_publisher_get_n_frames (publisher), <=,
                    (N_SUBSCRIBERS + N_SURVIVORS) * MAX_HELD + 4);
  frames_check_pool (publisher);
  arrive (0, episode, STAGE_CHECK);

  await (episode, STAGE_CLOSE);
  g_object_unref (publisher);
}

/* Gives back what it has, and receives what is still to come. */
static void
drain (Receiving *self, guint i, gint episode)
{
  guint64 life = __atomic_load_n (&board->survivor_life, __ATOMIC_SEQ_CST);
  guint64 last = __atomic_load_n (&board->last_sequence, __ATOMIC_SEQ_CST);
  gint64 end = g_get_monotonic_time () + FRAMES_PATIENCE;
  gboolean at_survivor = i == 1 + ADDRESS_SURVIVOR, drained = FALSE;

  /* Longer than it takes, as what is sent late must go back, too. */
  while (!is_past (episode, STAGE_CHECK))
    {
      let_go_of_all (self);
      receive (self, &self->held[0]);
      /* Who has missed the last one gets it when there is room. */
      drained = !at_survivor || last == 0 || (self->life == life && self->sequence == last);
      if (drained)
        arrive (i, episode, STAGE_CHECK);
      else if (g_get_monotonic_time () > end)
        g_error ("the last frame was %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 ", expected %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                 self->sequence, self->life, last, life);
    }
}

static void
survive_as_subscriber (guint i, gint episode)
{
  Receiving receiving;

  connect_to (&receiving, i - 1, TRUE);
  while (!is_past (episode, STAGE_WORK))
    receive_some (&receiving);
  arrive (i, episode, STAGE_QUIET);

  await (episode, STAGE_DRAIN);
  drain (&receiving, i, episode);
  disconnect (&receiving);
}

int
frames_run_survivor (guint i, guint32 seed)
{
  g_autofree char *whose = g_strdup_printf ("survivor %u", i);
  Belongings before;

  begin (seed);
  belongings_get (&before);
  while (TRUE)
    {
      gint episode;

      while (get_stage (&episode) != STAGE_WORK && !g_atomic_int_get (&board->done))
        g_usleep (500);
      if (g_atomic_int_get (&board->done))
        return 0;

      if (i == 0)
        survive_as_publisher (episode);
      else
        survive_as_subscriber (i, episode);
      belongings_check (&before, whose);
      arrive (i, episode, STAGE_CLOSE);
    }
}
