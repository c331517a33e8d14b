/* SPDX-License-Identifier: MIT */

/* A pipeline with a shndsink and one with a shndsrc, and what can happen to them in any order: states,
 * seeks, flushes, ends of the stream, other caps, elements that come and go. Nothing hangs, nobody
 * complains, frames flow again, and nothing is left.
 *
 * SHND_TEST_ROUNDS in the environment is how many times as long as usual it is to take. */

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gstshndsink.h"
#include "gstshndsrc.h"
#include "leaks-support.h"

/* In seconds: who takes longer hangs. */
#define PATIENCE 60

#define N_PAIRS 40
#define N_STEPS 60

typedef struct
{
  GstElement *pipeline;
  GstElement *filter; /* that says how large pictures are */
  GstElement *tee;    /* that can do without the neighbour and the end, or NULL */
  GstElement *near;   /* the neighbour of the end */
  GstElement *end;    /* the element in question */
  const char *settings;
} Side;

typedef struct
{
  Side sender;
  Side receiver;
  char *path;
  gint n_received;
  gboolean is_ending; /* the sender's stream */
  GstCaps *next_caps; /* of that */
} Test;

typedef void (*Step) (Test *self);

static guint n_state_changes, n_other_steps, n_unexpected;

static const char *
choose (GRand *rand, const char *const *texts, guint n)
{
  return texts[g_rand_int_range (rand, 0, n)];
}

#define CHOOSE(rand, texts) choose (rand, texts, G_N_ELEMENTS (texts))

static GRand *rand_;

/* ---- Pipelines ---- */

static GstElement *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);

  g_assert_no_error (error);
  g_test_message ("%s", text);

  return gst_object_ref_sink (pipeline);
}

static GstElement *
make_end (Test *self, const char *factory, const char *settings)
{
  g_autofree char *text = g_strdup_printf ("%s address=%s %s", factory, self->path, settings);
  g_autoptr (GError) error = NULL;
  GstElement *end = gst_parse_launch (text, &error);

  g_assert_no_error (error);
  return end;
}

static void
handoff_cb (GstElement *sink, GstBuffer *buffer, GstPad *pad, Test *self)
{
  g_atomic_int_inc (&self->n_received);
}

/* What the streaming thread is to do: elsewhere, it might be about to negotiate. */
static GstPadProbeReturn
buffer_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Test *self = user_data;
  g_autoptr (GstCaps) caps = g_atomic_pointer_exchange (&self->next_caps, NULL);

  if (caps != NULL)
    g_object_set (self->sender.filter, "caps", caps, NULL);
  if (!g_atomic_int_compare_and_exchange (&self->is_ending, TRUE, FALSE))
    return GST_PAD_PROBE_OK;

  gst_pad_push_event (pad, gst_event_new_eos ());
  return GST_PAD_PROBE_DROP;
}

static void
make_sender (Test *self)
{
  static const char *const sources[] = {
    "videotestsrc is-live=true", "videotestsrc",
    "videotestsrc ! video/x-raw,framerate=5/1 ! videorate", /* the same memory again and again */
  };
  static const char *const middles[] = { "",
                                         "! tee name=tee allow-not-linked=true ! queue name=near",
                                         "! queue max-size-buffers=2 name=near",
                                         "! tee name=t ! queue ! fakesink t. ! queue",
                                         "! identity drop-allocation=true" };
  static const char *const settings[] = { "sync=false",
                                          "sync=true",
                                          "sync=false overflow=block",
                                          "sync=false overflow=block max-frames=3",
                                          "sync=false max-frames=2 async=false",
                                          "sync=true wait-subscribers=1 overflow=block",
                                          "sync=false wait-subscribers=1 depth=4",
                                          "sync=true enable-last-sample=true" };
  Side *side = &self->sender;
  g_autoptr (GstPad) pad = NULL;
  const char *middle = CHOOSE (rand_, middles);
  gboolean has_name = strstr (middle, "name=near") != NULL;

  g_autofree char *text =
      g_strdup_printf ("%s ! capsfilter name=filter "
                       "caps=video/x-raw,width=64,height=48,framerate=60/1 %s%s",
                       CHOOSE (rand_, sources), middle, has_name ? "" : " ! identity name=near");

  side->settings = CHOOSE (rand_, settings);
  side->pipeline = parse (text);
  side->filter = gst_bin_get_by_name (GST_BIN (side->pipeline), "filter");
  pad = gst_element_get_static_pad (side->filter, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, buffer_cb, self, NULL);
  side->tee = gst_bin_get_by_name (GST_BIN (side->pipeline), "tee");
  side->near = gst_bin_get_by_name (GST_BIN (side->pipeline), "near");
  side->end = make_end (self, "shndsink", side->settings);
  g_test_message ("! shndsink %s", side->settings);
  gst_bin_add (GST_BIN (side->pipeline), gst_object_ref (side->end));
  g_assert_true (gst_element_link (side->near, side->end));
}

static void
make_receiver (Test *self)
{
  static const char *const sinks[] = {
    "identity name=near ! fakesink name=sink signal-handoffs=true sync=false",
    "identity name=near ! fakesink name=sink signal-handoffs=true sync=true",
    "queue name=near ! fakesink name=sink signal-handoffs=true sync=false async=false",
    "queue name=near max-size-buffers=20 max-size-time=0 ! fakesink name=sink "
    "signal-handoffs=true sync=true",
    "videoconvert name=near ! video/x-raw,format=RGB ! fakesink name=sink signal-handoffs=true "
    "sync=false",
  };
  static const char *const settings[] = { "", "reconnect=true", "latest-only=true depth=2",
                                          "depth=1", "reconnect=true do-timestamp=true" };
  Side *side = &self->receiver;
  g_autoptr (GstElement) sink = NULL;

  side->settings = CHOOSE (rand_, settings);
  side->pipeline = parse (CHOOSE (rand_, sinks));
  side->near = gst_bin_get_by_name (GST_BIN (side->pipeline), "near");
  sink = gst_bin_get_by_name (GST_BIN (side->pipeline), "sink");
  /* A sender that does not wait for the clock has frames that are due at some later time. */
  if (strstr (self->sender.settings, "sync=true") == NULL)
    g_object_set (sink, "sync", FALSE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (handoff_cb), self);
  side->end = make_end (self, "shndsrc", side->settings);
  g_test_message ("shndsrc %s !", side->settings);
  gst_bin_add (GST_BIN (side->pipeline), gst_object_ref (side->end));
  g_assert_true (gst_element_link (side->end, side->near));
}

static void
look_at_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s: %s (%s)", GST_MESSAGE_SRC_NAME (message), error->message, debug);

  /* A capsfilter that is told its caps again may refuse a buffer before it has sent them on. And when a
   * state changes just after a seek, a pad between the source and the end may refuse the segment, which
   * is an error for the source. Should it be the sink that refuses either, no frame will come in the
   * end; and it says itself what is wrong. */
  if (g_str_has_prefix (GST_MESSAGE_SRC_NAME (message), "shnd") ||
      (strstr (debug, "reason not-negotiated") == NULL && strstr (debug, "reason error") == NULL))
    n_unexpected++;
}

/* What elements say: nothing of what happens here is an error. */
static void
read_bus (Side *side)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (side->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus)) != NULL)
    {
      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
        look_at_error (message);
      gst_message_unref (message);
    }
}

static void
stop (Side *side)
{
  g_assert_cmpint (gst_element_set_state (side->pipeline, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  read_bus (side);
}

static void
clear_side (Side *side)
{
  stop (side);
  gst_clear_object (&side->filter);
  gst_clear_object (&side->tee);
  gst_clear_object (&side->near);
  gst_clear_object (&side->end);

  /* Another thread may be about to let go of it. */
  g_object_add_weak_pointer (G_OBJECT (side->pipeline), (gpointer *) &side->pipeline);
  gst_object_unref (side->pipeline);
  while (g_atomic_pointer_get (&side->pipeline) != NULL)
    g_usleep (100);
}

/* ---- What may happen ---- */

static Side *
any_side (Test *self)
{
  return g_rand_boolean (rand_) ? &self->sender : &self->receiver;
}

static void
change_state (Test *self)
{
  GstState state = g_rand_int_range (rand_, GST_STATE_NULL, GST_STATE_PLAYING + 1);
  Side *side = any_side (self);

  g_assert_cmpint (gst_element_set_state (side->pipeline, state), !=, GST_STATE_CHANGE_FAILURE);
  if (g_rand_int_range (rand_, 0, 4) == 0)
    gst_element_get_state (side->pipeline, NULL, NULL, 20 * GST_MSECOND);
  n_state_changes++;
}

static void
play (Test *self)
{
  gst_element_set_state (self->sender.pipeline, GST_STATE_PLAYING);
  gst_element_set_state (self->receiver.pipeline, GST_STATE_PLAYING);
  n_state_changes += 2;
}

/* Flushing, as the other kind waits for the pipeline to play. */
static void
seek (Test *self)
{
  gst_element_seek_simple (self->sender.pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                           g_rand_int_range (rand_, 0, 10) * GST_SECOND);
}

static void
flush (Test *self)
{
  Side *side = &self->receiver;

  /* Else somebody who has this lock may want the source's. */
  GST_STATE_LOCK (side->pipeline);
  gst_element_send_event (side->end, gst_event_new_flush_start ());
  gst_element_send_event (side->end, gst_event_new_flush_stop (g_rand_boolean (rand_)));
  GST_STATE_UNLOCK (side->pipeline);
}

/* With the next buffer. */
static void
end_stream (Test *self)
{
  g_atomic_int_set (&self->is_ending, TRUE);
}

static void
change_caps (Test *self)
{
  static const char *const all_caps[] = {
    "video/x-raw,format=RGB,width=63,height=47,framerate=60/1",
    "video/x-raw,format=I420,width=65,height=48,framerate=60/1",
    "video/x-raw,format=GRAY8,width=5,height=3,framerate=60/1",
    "video/x-raw,format=NV12,width=64,height=48,framerate=30/1",
  };
  g_autoptr (GstCaps) caps = gst_caps_from_string (CHOOSE (rand_, all_caps));
  g_autoptr (GstCaps) missed = NULL;

  missed = g_atomic_pointer_exchange (&self->next_caps, g_steal_pointer (&caps));
}

static void
look (Test *self)
{
  g_autoptr (GstStructure) sent = NULL;
  g_autoptr (GstStructure) received = NULL;
  GstQuery *query = gst_query_new_latency ();

  g_object_get (self->sender.end, "stats", &sent, NULL);
  g_object_get (self->receiver.end, "stats", &received, NULL);
  gst_element_query (self->receiver.pipeline, query);
  gst_element_query (self->sender.pipeline, query);
  gst_query_unref (query);
}

static void
remove_element (Side *side, GstElement **element)
{
  gst_element_set_locked_state (*element, TRUE);
  gst_element_set_state (*element, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (side->pipeline), *element);
  gst_clear_object (element);
}

static void
cut_off (Side *side)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (side->near, "sink");
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  g_assert_true (gst_pad_unlink (peer, pad));
  gst_element_release_request_pad (side->tee, peer);
}

static void
add_branch (Side *side)
{
  side->near = gst_object_ref_sink (gst_element_factory_make ("queue", NULL));
  gst_bin_add (GST_BIN (side->pipeline), side->near);
  g_assert_true (gst_element_link (side->near, side->end));
  gst_element_sync_state_with_parent (side->near);
  g_assert_true (gst_element_link (side->tee, side->near));
}

/* While the rest runs on, if that can do without. */
static void
replace_sink (Test *self)
{
  Side *side = &self->sender;

  if (side->tee != NULL)
    cut_off (side);
  else
    gst_element_set_state (side->pipeline, GST_STATE_READY);
  remove_element (side, &side->end);
  if (side->tee != NULL)
    remove_element (side, &side->near);

  side->end = make_end (self, "shndsink", side->settings);
  gst_bin_add (GST_BIN (side->pipeline), gst_object_ref (side->end));
  if (side->tee == NULL)
    g_assert_true (gst_element_link (side->near, side->end));
  gst_element_sync_state_with_parent (side->end);
  if (side->tee != NULL)
    add_branch (side);
}

/* A flush lets go of the streaming thread, wherever downstream holds it. */
static void
replace_source (Test *self)
{
  Side *side = &self->receiver;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (side->near, "sink");

  gst_pad_send_event (pad, gst_event_new_flush_start ());
  remove_element (side, &side->end);
  gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));

  side->end = make_end (self, "shndsrc", side->settings);
  gst_bin_add (GST_BIN (side->pipeline), gst_object_ref (side->end));
  g_assert_true (gst_element_link (side->end, side->near));
  gst_element_sync_state_with_parent (side->end);
}

static const struct
{
  const char *name;
  Step function;
  guint weight;
} steps[] = {
  { "state", change_state, 12 },
  { "play", play, 3 },
  { "seek", seek, 3 },
  { "flush", flush, 3 },
  { "end", end_stream, 1 },
  { "caps", change_caps, 3 },
  { "look", look, 2 },
  { "another sink", replace_sink, 1 },
  { "another source", replace_source, 1 },
};

static void
take_step (Test *self)
{
  guint total = 0, chosen, i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    total += steps[i].weight;
  chosen = g_rand_int_range (rand_, 0, total);
  for (i = 0; chosen >= steps[i].weight; i++)
    chosen -= steps[i].weight;

  g_debug ("%s", steps[i].name);
  alarm (PATIENCE);
  steps[i].function (self);
  if (steps[i].function != change_state && steps[i].function != play)
    n_other_steps++;
  if (g_rand_boolean (rand_))
    g_usleep (g_rand_int_range (rand_, 0, 4000));
  read_bus (&self->sender);
  read_bus (&self->receiver);
}

/* From the beginning, frames come. */
static void
assert_flow (Test *self)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  alarm (2 * PATIENCE);
  stop (&self->sender);
  stop (&self->receiver);
  g_atomic_int_set (&self->n_received, 0);
  g_atomic_int_set (&self->is_ending, FALSE);
  play (self);
  while (g_atomic_int_get (&self->n_received) == 0)
    {
      if (g_get_monotonic_time () > end)
        g_error ("No frame comes");
      g_usleep (1000);
    }
}

static void
run_pair (guint32 seed)
{
  Test test = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);

  g_assert_no_error (error);
  g_test_message ("seed %u", seed);
  rand_ = g_rand_new_with_seed (seed);
  test.path = g_build_filename (folder, "socket", NULL);
  make_sender (&test);
  make_receiver (&test);

  for (guint i = 0; i < N_STEPS; i++)
    take_step (&test);
  assert_flow (&test);
  stop (&test.receiver);
  clear_side (&test.sender);
  clear_side (&test.receiver);

  g_assert_cmpuint (n_unexpected, ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (test.path);
  gst_clear_caps (&test.next_caps);
  g_clear_pointer (&rand_, g_rand_free);
}

static void
test_random (void)
{
  const char *rounds = g_getenv ("SHND_TEST_ROUNDS");
  const char *seed = g_getenv ("SHND_TEST_SEED");
  guint n = N_PAIRS * (rounds != NULL ? MAX (atoi (rounds), 1) : 1);

  if (seed != NULL)
    run_pair ((guint32) g_ascii_strtoull (seed, NULL, 10));
  for (guint i = 0; i < n && seed == NULL; i++)
    run_pair ((guint32) g_test_rand_int ());
  alarm (0);
  g_test_message ("%u changes of states, %u other steps", n_state_changes, n_other_steps);
}

int
main (int argc, char **argv)
{
  trace_leaks ("GstElement,GstPad,GstBufferPool,GstAllocator,GstBuffer,GstMemory,"
               "GstEvent,GstQuery,GstMessage");
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (shndsink, NULL));
  g_assert_true (GST_ELEMENT_REGISTER (shndsrc, NULL));

  g_test_add_func ("/gst/states/random", test_random);
  g_test_add_func ("/gst/states/then-leaks", assert_no_leaks);

  return g_test_run ();
}
