/* SPDX-License-Identifier: MIT */

/* What peers do with frames, all at one address. */

#include "peer.h"

#include "belongings.h"
#include "frames.h"
#include "limiting.h"

/* Another one in each process. */
static guint64 life;
static ShndPublisher *publisher;
static ShndSubscriber *subscriber;
static ShndFrame *frame;

static void
make_publisher (PeerReply *reply, ShndOverflow overflow)
{
  GError *error = NULL;

  g_clear_object (&publisher);
  publisher = shnd_publisher_new (peer_name, &error);
  if (!peer_report (reply, publisher != NULL, &error))
    return;

  life = getpid ();
  shnd_publisher_set_overflow (publisher, overflow);
}

static void
acquire (PeerReply *reply)
{
  GError *error = NULL;

  frame = frames_acquire (publisher, life, shnd_publisher_get_sequence (publisher) + 1, 0, &error);
  peer_report (reply, frame != NULL, &error);
}

static void
publish (PeerReply *reply, gint64 timeout)
{
  GError *error = NULL;

  if (!peer_report (reply, shnd_publisher_publish (publisher, frame, timeout, NULL, &error),
                    &error))
    return;

  reply->nonce = shnd_frame_get_sequence (frame);
  g_clear_object (&frame);
}

static void
make_subscriber (PeerReply *reply)
{
  GError *error = NULL;

  g_clear_object (&subscriber);
  subscriber = shnd_subscriber_new (peer_name, &error);
  peer_report (reply, subscriber != NULL, &error);
}

static void
receive (PeerReply *reply, gint64 timeout)
{
  GError *error = NULL;
  gsize n_bytes;

  g_clear_object (&frame);
  frame = shnd_subscriber_receive (subscriber, timeout, NULL, &error);
  if (!peer_report (reply, frame != NULL, &error))
    return;

  frames_check (frame, &n_bytes);
  reply->nonce = shnd_frame_get_sequence (frame);
}

static void
limit_descriptors (gint64 n)
{
  static struct rlimit before;

  if (n < 0)
    g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  else
    leave_descriptors (n, &before);
}

static void
limit_memory (gint64 n)
{
  static struct rlimit before;

  if (n < 0)
    g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
  else
    leave_memory (n, &before);
}

void
peer_obey (PeerCommand command, gint64 argument, PeerReply *reply)
{
  gsize n_bytes;

  reply->code = PEER_OK;
  switch (command)
    {
    case PEER_PUBLISHER:
      make_publisher (reply, argument);
      break;
    case PEER_ACQUIRE:
      acquire (reply);
      break;
    case PEER_PUBLISH:
      publish (reply, argument);
      break;
    case PEER_CHECK_POOL:
      frames_await_subscribers (publisher, argument);
      frames_check_pool (publisher);
      shnd_publisher_set_max_frames (publisher, 0);
      break;
    case PEER_SUBSCRIBER:
      make_subscriber (reply);
      break;
    case PEER_RECEIVE:
      receive (reply, argument);
      break;
    case PEER_RELEASE:
      g_clear_object (&frame);
      break;
    case PEER_LIMIT_DESCRIPTORS:
      limit_descriptors (argument);
      break;
    case PEER_LIMIT_MEMORY:
      limit_memory (argument);
      break;
    case PEER_LOOK:
      frames_check (frame, &n_bytes);
      break;
    case PEER_CLOSE_SUBSCRIBER:
      g_clear_object (&subscriber);
      break;
    case PEER_CLOSE_FRAMES:
      if (!argument)
        g_clear_object (&frame);
      g_clear_object (&subscriber);
      g_clear_object (&publisher);
      g_clear_object (&frame);
      reply->n = belongings_count_entries ("/proc/self/fd");
      break;
    default:
      g_assert_not_reached ();
    }
}
