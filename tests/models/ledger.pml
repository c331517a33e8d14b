/* SPDX-License-Identifier: MIT
 *
 * A model of how a publisher lends its memory, as shndarray/shnd-hub.c, shnd-hub-frames.c,
 * shnd-hub-service.c, shnd-peer.c, shnd-pool.c and shnd-connection.c implement it, for the model
 * checker spin, which looks at every order in which the steps below can come. `check` runs it.
 *
 * What is modelled: the slots with their number of holds; the ledger of each connection, which
 * counts the frames held of each slot; the last frame, which is kept for those who come late or
 * have missed it; threads of the program that acquire, publish, wait and give back, and publish
 * again what they have published, if they still show its memory or it is the newest frame; the
 * service thread and its epoll; the mutex; sockets, as queues that can be full; the status page.
 * Subscribers that come at any time, look at frames for as long as they like, release them in any
 * order, want only the newest one, stop, release what they do not have, stall, are killed before
 * any step of theirs, and come again.
 *
 * What is left out, and why that is sound:
 * - Reading until there is nothing more is one step. Only whoever has the mutex could tell.
 * - Subscribers that have not greeted: they hold nothing.
 * - RETIRE: it only lets a subscriber unmap earlier. A descriptor that comes with a frame replaces
 *   the one that the subscriber has for that slot.
 * - Slots of different sizes: which of the free ones is retired makes no difference here.
 * - RELEASE that does not go through at once: it is as if it were sent later.
 * - A message for which there is no memory.
 * - That a thread may repeat any of its frames. It has one that it may: the last one, or an earlier
 *   one whose memory it shows. The others would only be more slots that are held.
 * - Time. A deadline may be over at any moment.
 *
 * Settings:
 *   SUBSCRIBERS            1 or 2
 *   THREADS                of the program, that publish: 1 or 2
 *   FRAMES                 that each thread acquires
 *   DEPTH                  how many frames a subscriber may hold
 *   QUEUE                  how many fit the queue of its socket
 *   MAX_SLOTS              the pool may have no more
 *   REPEATS                how many frames are published that show again what was published before
 *   DEATHS                 how many subscribers may be killed
 *   STOPS                  how many may stop, and release what they have later or never
 *   REBIRTHS               how many that went may come again: 0 or 1
 *   OFFENCES               how often one may release any slot, whether it has it or not
 *   STALLS                 one may do nothing any more
 *   KEEPS                  a subscriber keeps a frame until it has the next one
 *   LATEST                 subscribers want the newest frame only
 *   BLOCK, MIXED           lossless publishing; or now the one, now the other
 *   TIMEOUTS               how many calls that wait may time out
 *   RETIRE                 how many free slots may be retired
 *   CLOSE                  the publisher ends the stream
 *   BROKEN_...             the mistakes that spin has to find
 *
 * What is checked, by the assertions named:
 * - The memory of a slot is not written while a subscriber may look at it, or somebody who was
 *   thrown out (nobody_looks). Whoever releases what he does not have loses that promise for it.
 * - A hold is given back once (is_held).
 * - A frame is sent as it was written (is_written), and is that still when it is received
 *   (is_as_sent), in memory that the subscriber has mapped (is_mapped). What is repeated is what
 *   the first frame has shown (is_unchanged).
 * - A subscriber is sent no more frames than it may hold, and one in a slot that it holds already
 *   only if it is a repeat (is_expected).
 * - Who keeps to the rules is not thrown out (is_offender).
 * - With BLOCK, each subscriber gets each frame (is_next), also before the end (has_got_all). It
 *   receives what it was sent (has_all).
 * - There is always memory for a frame, unless there is a limit (pool_suffices).
 * - In the end no slot is lost, and each that nobody has is free (nothing_lost).
 * And by spin itself: that nobody is stuck. The program gets to its end, whatever subscribers do;
 * with BLOCK, or when all slots that there may be are taken, as soon as they release or are gone.
 * Who goes on gets the newest frame that is kept, and leaves. With "pan -l -f": that nothing goes
 * round in circles. So every run has an end, as subscribers come, and frames are published, a
 * counted number of times.
 */

#ifndef DEPTH
#define DEPTH 1
#endif
#ifndef QUEUE
#define QUEUE 2
#endif
#ifndef FRAMES
#define FRAMES 2
#endif
#ifndef REBIRTHS
#define REBIRTHS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef OFFENCES
#define OFFENCES 0
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef RETIRE
#define RETIRE 0
#endif
#ifndef REPEATS
#define REPEATS 0
#endif
#ifndef THREADS
#define THREADS 1
#endif

#ifndef SUBSCRIBERS
#define SUBSCRIBERS 2
#endif
#define PEERS (SUBSCRIBERS + REBIRTHS) /* connections; each of them is used once */

#if PEERS == 1
#define ANY(predicate) (predicate (0))
#define ALL(set) (set[0])
#elif PEERS == 2
#define ANY(predicate) (predicate (0) || predicate (1))
#define ALL(set) (set[0] | set[1])
#else
#define ANY(predicate) (predicate (0) || predicate (1) || predicate (2))
#define ALL(set) (set[0] | set[1] | set[2])
#endif
#define SLOTS 6
#ifndef MAX_SLOTS
#define MAX_SLOTS SLOTS
#define NO_LIMIT
#endif

#define BIT(s) (1 << (s))
#define COUNT(m) \
  (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1) + ((m) >> 5 & 1))
#define NONE 7 /* no slot */

/* How many frames there are of each slot: two bits for each. */
#define ONE_IN(s) (1 << 2 * (s))
#define ALL_IN(s) (3 << 2 * (s))
#define N_IN(m, s) ((m) >> 2 * (s) & 3)
#define N_FRAMES(m) \
  (N_IN (m, 0) + N_IN (m, 1) + N_IN (m, 2) + N_IN (m, 3) + N_IN (m, 4) + N_IN (m, 5))

/* The pool. */
byte made;          /* a bit for each slot that there is */
byte n_holds[SLOTS];
byte spoiled;       /* a bit for each that somebody may look at who is not in the ledger */
byte last = NONE;   /* the slot of the newest frame, with a hold */
byte sequence;      /* of the newest frame */
byte written;       /* its content */

/* The peers. */
mtype = { ABSENT, CONNECTING, WELCOME, GONE };
mtype state[PEERS] = ABSENT;
short ledger[PEERS]; /* how many frames are held of each slot */
byte known[PEERS];   /* a bit for each slot whose descriptor was sent */
byte sent[PEERS];    /* the sequence of the last frame sent */
bool missed[PEERS];
bool choked[PEERS];
bool stopped[PEERS];

bool mutex;
bool waiting[2];    /* a thread of the program waits */
bool woken[2];
bool closed;

/* The status page. */
byte newest;        /* the sequence of the last frame, if it is kept */
bool ended;

/* The kernel. */
#define HANG_UP 1
#define IN 2
#define OUT 4
byte events[PEERS];    /* for which the service thread's epoll waits */
bool hung_up[PEERS]; /* the subscriber's end is closed */
bool cut_off[PEERS]; /* the publisher's */
bool reset[PEERS];   /* it was closed before all was read */
chan down[PEERS] = [QUEUE] of { byte, byte, bool }; /* slot, frame, with descriptor */
chan up[PEERS] = [DEPTH + 1] of { byte };           /* slot to be released, or: */
#define STOP NONE

/* What is said of a frame: its sequence, and, which only the model knows, that with which its
 * content was published for the first time. */
#define MESSAGE(sequence, content) ((sequence) | (content) << 4)
#define NUMBER(q) ((q) & 15)
#define CONTENT(q) ((q) >> 4)
#define IS_REPEAT(q) (NUMBER (q) != CONTENT (q)) /* the flag */

#ifdef BROKEN_EDGE
/* Armed for what comes later, not for what is there. */
bool fresh[PEERS];
#define READABLE(c) fresh[c]
#else
#define READABLE(c) nempty (up[c])
#endif
#define FIRES(c) \
  (((events[c] & HANG_UP) && hung_up[c]) || ((events[c] & IN) && READABLE (c)) || \
   ((events[c] & OUT) && nfull (down[c])))

/* What nobody in the real world can look at. */
short looks[PEERS];    /* how many frames of each slot the subscriber may look at, or will */
byte content[SLOTS];   /* the sequence of the first frame that showed it, or 0 */
byte waived[PEERS];    /* and for each that it has released out of turn: it may, at its own risk */
byte current[PEERS];   /* a bit for each slot whose memory the subscriber has mapped */
bool offends[PEERS];
byte n_gone;
byte n_stalled;
byte births = REBIRTHS;
byte deaths = DEATHS;
byte stops = STOPS;
byte offences = OFFENCES;
byte timeouts = TIMEOUTS;
byte retirements = RETIRE;
byte repeats = REPEATS;
byte n_done;
bool done;
bool over;

#define nobody_looks(s) (N_IN (ALL (looks), s) == 0)
#define is_held(s) (n_holds[s] > 0)
#define is_written(s) (content[s] == written)
#define is_unchanged (content[mine] == shown)
#define is_as_sent (content[s] == CONTENT (q) || offends[c])
#define is_expected \
  ((N_FRAMES (has) < DEPTH && (N_IN (has, s) == 0 || IS_REPEAT (q))) || offends[c])
#define is_mapped ((current[c] & BIT (s)) || offends[c])
#define is_offender(c) offends[c]
#define is_next (got == 0 || NUMBER (q) == got + 1)
#define has_all (got == sent[c])
#define has_got_all(c) (sent[c] == sequence || stopped[c] || hung_up[c])
#define pool_suffices false

#define HAS_ROOM(c) (N_FRAMES (ledger[c]) < DEPTH)
#define IS_SUBSCRIBED(c) (state[c] == WELCOME && !stopped[c])

#define LOCK atomic { !mutex -> mutex = true;
#define UNLOCK mutex = false }

#include "ledger-publisher.pml"
#include "ledger-program.pml"
#include "ledger-subscriber.pml"

#define IS_LEFT(c) (state[c] != GONE && state[c] != ABSENT)
#if PEERS == 1
#define N_LEDGERS(s) N_IN (ledger[0], s)
#elif PEERS == 2
#define N_LEDGERS(s) (N_IN (ledger[0], s) + N_IN (ledger[1], s))
#else
#define N_LEDGERS(s) (N_IN (ledger[0], s) + N_IN (ledger[1], s) + N_IN (ledger[2], s))
#endif
#define nothing_lost(s) (n_holds[s] == (last == (s)) + N_LEDGERS (s))

init
{
  atomic {
    run program (0);
#if THREADS > 1
    run program (1);
#endif
    run subscriber (0)
#if SUBSCRIBERS > 1
    ;
    run subscriber (1)
#endif
  };
  atomic {
    done && n_gone + n_stalled == SUBSCRIBERS && (n_stalled > 0 || !ANY (IS_LEFT)) && !mutex;
    assert (nothing_lost (0));
    assert (nothing_lost (1));
    assert (nothing_lost (2));
    assert (nothing_lost (3));
    assert (nothing_lost (4));
    assert (nothing_lost (5));
    over = true
  }
}
