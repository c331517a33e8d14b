/* SPDX-License-Identifier: MIT
 *
 * A model of the lock of an array, as shndarray/shnd-lock.c implements it, for the model checker
 * spin, which looks at every order in which the steps below can come. `check` runs it.
 *
 * What is modelled: the lock word (slot of the owner, RECOVER, WAITERS); the slots' bytes, as locks
 * that the kernel keeps for a file description and drops with its last reference; how a slot is
 * registered; the futex, which looks at the word and sleeps in one step; waiting in slices, taking
 * over from the dead, giving up; closing, also while waiting; fork; threads. Before each step the
 * process may be killed. One that is gone may come again, as a new process, with any free slot, be
 * it a dead one's.
 *
 * What is left out, and why that is sound:
 * - Reads, and compare-and-swaps and futex calls that fail because the word is another by now: they
 *   change nothing and are followed by a new look. What remains of "read, then swap" is the swap
 *   that succeeds, which is one step with the read.
 * - The fast path: it is the look that finds the word 0.
 * - Time. A slice may end at any moment. That a waiter asks after its owner only when that has not
 *   changed during the slice is a saving; here it asks always.
 * - A slot that is found taken, and another one tried. The real slots are 2^30 - 1 and drawn by
 *   lot; of the 3 here, those of the dead are reused more often.
 * - The order of memory: all accesses to the word are sequentially consistent in the code.
 * - The length of dying: the kernel closes the files of a process when its last thread has stopped,
 *   so until then it is as if it had only not died yet.
 * - A process that writes rubbish into the control page.
 *
 * Settings:
 *   DEATHS, REBIRTHS   how many processes may be killed, and how often one may come again
 *   NO_SLICES          nobody dies and no slice ends, so that whoever loses a wake-up sleeps for
 *                      ever, which spin reports as an invalid end state
 *   THREADS            0 and 1 are two threads of a process that lasts: they have one description
 *                      and one slot
 *   BROKEN_...         the mistakes that spin has to find
 *
 * What is checked: the assertions (one owner among the living; the next one after an owner's death
 * is told, and nobody else; who unlocks is the owner); that there is no deadlock; and, with
 * "pan -l -f", that nobody waits for ever. The latter says: if all that live go on (weak fairness),
 * there is no endless run in which from some point on nobody gets the lock. Waiting is the only
 * thing here that can go on without end: births are counted, and who does not wait either gets the
 * lock or ends.
 */

#ifdef NO_SLICES
#define DEATHS 0
#endif
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef REBIRTHS
#define REBIRTHS 1
#endif

#define PROCESSES 3
#define PARENT 0
#define CHILD 2

#ifdef THREADS
#define PROCESS_OF_1 0
#define LASTS (process == 0)
#else
#define PROCESS_OF_1 1
#define LASTS false
#endif

/* The lock word: the owner's slot, and two flags. */
#define OWNER (word & 3)
#define RECOVER 4
#define WAITERS 8
byte word;

/* Whose description has the slot's byte locked: the process + 1; or INHERITED, if that process is
 * gone and the child still refers to its description. */
#define FREE 0
#define INHERITED (PROCESSES + 1)
byte byte_of[4];
#define HAS_BYTE(p) (byte_of[1] == p + 1 || byte_of[2] == p + 1 || byte_of[3] == p + 1)

bool sleeping[PROCESSES];
byte slot_of[PROCESSES];
bool registering[PROCESSES]; /* the mutex for registering a slot, among threads */
bool taking_over[PROCESSES]; /* and the one for taking over */
bool shared;          /* the child refers to its parent's description */
byte births = PROCESSES + REBIRTHS;
byte deaths = DEATHS;

/* What nobody in the real world could look at. */
bool holds[PROCESSES];
byte holders;
bool tainted; /* an owner died, and nobody has been told */

#define STEP if :: atomic {
#define END } :: atomic { deaths > 0 && !LASTS -> deaths--; die (); goto closed } fi

/* Whether the owner that is waited for is a thread of this process. Without this question, a thread
 * would take the lock from another one: the locks of one description do not hinder each other. */
#ifndef BROKEN_SELF
#define IS_SIBLINGS (slot == slot_of[process])
#else
#define IS_SIBLINGS false
#endif

/* Without this mutex, two threads could have the dead owner's byte at once, and the first to be
 * done would unlock it for both. */
#ifndef BROKEN_THREADS
#define MAY_TAKE_OVER !taking_over[process]
#else
#define MAY_TAKE_OVER true
#endif

#define CAN_LOCK_BYTE (byte_of[slot] == FREE || byte_of[slot] == process + 1)

inline move_bytes (from, to)
{
  if :: byte_of[1] == from -> byte_of[1] = to :: else fi;
  if :: byte_of[2] == from -> byte_of[2] = to :: else fi;
  if :: byte_of[3] == from -> byte_of[3] = to :: else fi
}

/* The child's reference to its parent's description goes. */
inline drop_inherited ()
{
  move_bytes (INHERITED, FREE);
  shared = false
}

/* The kernel closes what the process has open. */
inline leave ()
{
  if
  :: process == PARENT && shared -> move_bytes (PARENT + 1, INHERITED); shared = false
  :: else -> move_bytes (process + 1, FREE)
  fi;
  if :: process == CHILD -> drop_inherited () :: else fi;
  slot_of[process] = 0
}

inline die ()
{
  printf ("%d is killed (owner: %d)\n", me, holds[me]);
  if
  :: holds[me] -> holds[me] = false; holders--; tainted = true
  :: else
  fi;
  sleeping[me] = false;
  registering[process] = false;
  taking_over[process] = false;
  leave ()
}

inline wake_one ()
{
  if
  :: sleeping[0] -> sleeping[0] = false; printf ("%d wakes 0\n", me)
  :: sleeping[1] -> sleeping[1] = false; printf ("%d wakes 1\n", me)
  :: sleeping[2] -> sleeping[2] = false; printf ("%d wakes 2\n", me)
  :: !sleeping[0] && !sleeping[1] && !sleeping[2] -> printf ("%d wakes nobody\n", me)
  fi
}

inline take (recovered)
{
  printf ("%d has the lock, slot %d (recovered: %d)\n", me, slot_of[process], recovered);
  assert (holders == 0);
  assert (recovered == tainted);
  tainted = false;
  holds[me] = true;
  holders++;
  untold = me == CHILD && recovered
}

proctype thread (byte me; byte process)
{
  byte slot; /* the one that is being registered, or whose owner is waited for */
  bool slept;
  bool hurried;
  bool untold; /* has the lock of a dead owner, and its caller does not know yet */

closed:
  atomic {
    slot = 0;
    slept = false;
    hurried = false;
    untold = false;
    if
    :: LASTS -> goto idle
    :: !LASTS && births > 0 -> births--; printf ("%d opens the array\n", me); goto idle
    :: process == CHILD && births > 0 && HAS_BYTE (PARENT) ->
       births--;
       shared = true;
       printf ("%d is forked by %d (owner: %d)\n", me, PARENT, holds[PARENT])
    :: !LASTS -> goto gone
    fi
  }

  /* The child's handler of fork. */
  STEP
    printf ("%d runs the handler of fork\n", me);
#ifdef BROKEN_INHERIT
    /* What the copied handle says is taken for the child's own. */
    if
    :: shared && holds[PARENT] -> slot_of[process] = slot_of[PARENT]; take (false)
    :: else
    fi;
#endif
#ifndef BROKEN_FORK
    /* Without this, the parent's death is not seen while the child lives. */
    drop_inherited ()
#endif
  END;

idle:
  STEP
    if
    :: !LASTS -> printf ("%d closes the array\n", me); leave (); goto closed
    :: LASTS -> goto gone
    :: slot_of[process] != 0 -> goto look
    :: slot_of[process] == 0 && !registering[process] -> registering[process] = true
    fi
  END;

  STEP
    if
    :: byte_of[1] == FREE -> slot = 1
    :: byte_of[2] == FREE -> slot = 2
    :: byte_of[3] == FREE -> slot = 3
    fi;
    byte_of[slot] = process + 1;
#ifdef BROKEN_PUBLISH
    /* Another thread may get the lock with the slot, before it is cleared of a dead owner's. */
    slot_of[process] = slot;
#endif
    printf ("%d locks the byte of slot %d, to register it\n", me, slot)
  END;

  STEP
    if
#ifndef BROKEN_REGISTER
    /* Without this, the dead owner's lock would be the living one's. */
    :: OWNER == slot ->
       word = RECOVER | WAITERS;
       printf ("%d takes the lock for that of slot %d's dead owner, and clears it\n", me, slot)
    :: OWNER != slot -> slot_of[process] = slot; slot = 0; registering[process] = false; goto look
#else
    :: true -> slot_of[process] = slot; slot = 0; registering[process] = false; goto look
#endif
    fi
  END;

  STEP
    wake_one ();
    slot_of[process] = slot;
    slot = 0;
    registering[process] = false
  END;

look:
  STEP
    if
    :: OWNER == 0 ->
       take ((word & RECOVER) != 0);
#ifndef BROKEN_WAITERS
       /* Without this, those who sleep beside the one that was woken would be forgotten, since
        * unlocking has cleared the flag. */
       word = slot_of[process] | (slept -> WAITERS : word & WAITERS);
#else
       word = slot_of[process] | (word & WAITERS);
#endif
       slept = false;
       hurried = false;
       goto inside
    :: OWNER != 0 && !(word & WAITERS) ->
       word = word | WAITERS;
       printf ("%d says that it waits for slot %d\n", me, OWNER)
    :: else
    fi
  END;

  STEP
    if
    :: OWNER != 0 && (word & WAITERS) ->
       slot = OWNER;
       sleeping[me] = true;
       printf ("%d sleeps, while slot %d has the lock\n", me, slot)
    :: else -> goto look
    fi
  END;

  STEP
    if
    :: !sleeping[me] -> slept = true; slot = 0; goto look
    /* One of them may be cancelled, also when it has just been woken, or run out of time. */
    :: me == CHILD && !sleeping[me] -> slot = 0; goto give_up
    :: me == CHILD && sleeping[me] ->
       sleeping[me] = false;
#ifdef BROKEN_HURRY
       slot = 0;
       goto give_up
#else
       hurried = true
#endif
#ifndef NO_SLICES
    :: sleeping[me] -> sleeping[me] = false; slept = true
#endif
    fi
  END;

  /* The slice is over, or all the time: does the owner live? If only those asked who have the time
   * for a slice, many that try and have none would never get what a dead one had locked. */
  STEP
    if
    :: IS_SIBLINGS ->
       printf ("%d waits for another thread\n", me);
       slot = 0;
       if :: hurried -> goto give_up :: else -> goto look fi
    :: !IS_SIBLINGS && !CAN_LOCK_BYTE ->
       printf ("%d finds that slot %d is of somebody alive\n", me, slot);
       slot = 0;
       if :: hurried -> goto give_up :: else -> goto look fi
    :: !IS_SIBLINGS && CAN_LOCK_BYTE && MAY_TAKE_OVER ->
       taking_over[process] = true;
#ifndef BROKEN_TAKEOVER
       /* Without this, the slot could be registered again and get the lock before the swap. */
       byte_of[slot] = process + 1;
#endif
       printf ("%d finds that slot %d is of nobody alive\n", me, slot)
    fi
  END;

  STEP
    if
    :: OWNER == slot ->
       printf ("%d takes the lock of slot %d over\n", me, slot);
       take (true);
       word = slot_of[process] | WAITERS;
       slept = false;
       hurried = false
    :: else
    fi
  END;

  STEP
#ifndef BROKEN_TAKEOVER
    byte_of[slot] = FREE;
#endif
    slot = 0;
    taking_over[process] = false;
    if :: holds[me] -> goto inside :: else -> goto look fi
  END;

give_up:
  STEP
    printf ("%d gives up\n", me);
#ifndef BROKEN_GIVE_UP
    /* Without this, a wake-up that this one has got would be lost for the others. */
    wake_one ();
#endif
    slept = false;
    hurried = false;
    goto idle
  END;

inside:
progress:
  STEP
    assert (OWNER == slot_of[process]);
    holds[me] = false;
    holders--;
    if
    :: true ->
       printf ("%d unlocks\n", me);
       slept = (word & WAITERS) != 0;
       word = 0
    /* The array was closed while it waited: its caller gets an error. */
    :: me == CHILD ->
       printf ("%d is closed, and gives the lock back (untold: %d)\n", me, untold);
       slept = (word & WAITERS) != 0;
       tainted = untold;
#ifndef BROKEN_CLOSE
       /* Without this, nobody would be told of the owner that died. */
       word = (untold -> RECOVER : 0)
#else
       word = 0
#endif
    fi;
    untold = false;
    if
    :: slept -> slept = false
    :: else -> goto idle
    fi
  END;

  STEP
    wake_one ();
    goto idle
  END;

gone:
  skip
}

init
{
  atomic {
    run thread (0, 0);
    run thread (1, PROCESS_OF_1);
    run thread (2, 2)
  }
}
