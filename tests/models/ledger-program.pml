/* SPDX-License-Identifier: MIT
 *
 * Threads of the publisher's program, in the model of the ledger: they acquire and publish. */

/* Takes a free slot, with a hold. */
inline take ()
{
  slot = 0;
  do
  :: slot < SLOTS && (made & BIT (slot)) && n_holds[slot] == 0 -> mine = slot; break
  :: slot < SLOTS && !((made & BIT (slot)) && n_holds[slot] == 0) -> slot++
  :: else -> break
  od;
  slot = 0;
  if
  :: mine != NONE ->
     printf ("Slot %d is acquired\n", mine);
     n_holds[mine] = 1;
     assert (nobody_looks (mine));
     content[mine] = 0
  :: else
  fi
}

inline make ()
{
  slot = 0;
  do
  :: slot < SLOTS && (made & BIT (slot)) -> slot++
  :: else -> break
  od;
  if
  :: slot < SLOTS && COUNT (made) < MAX_SLOTS -> made = made | BIT (slot)
  :: else
  fi;
  slot = 0
}

/* Somebody who is awaited has sent something, has room in the queue, or is gone; or another thread
 * says that something has changed. */
#define CAME(c) \
  (((awaited_releases & BIT (c)) && (nempty (up[c]) || hung_up[c])) || \
   ((awaited_queues & BIT (c)) && (nfull (down[c]) || hung_up[c])))
#define SOMETHING_CAME (woken[me] || ANY (CAME))

inline stop_waiting ()
{
  waiting[me] = false;
  woken[me] = false;
  awaited_releases = 0;
  awaited_queues = 0
}

/* Whom lossless publishing waits for. */
#ifdef BROKEN_STOP
#define IS_AWAITED(c) (state[c] == WELCOME && !hung_up[c])
#else
#define IS_AWAITED(c) (IS_SUBSCRIBED (c) && !hung_up[c])
#endif

/* Memory that has not gone back: of the program's frame, or of the newest. */
#ifdef BROKEN_REPEAT
#define CAN_REPEAT true
#else
#define CAN_REPEAT (shows || (last != NONE && number == sequence))
#endif

/* A thread of the program. */
proctype program (bit me)
{
  byte frames = FRAMES;
  byte mine = NONE;  /* the slot acquired */
  bool again;        /* to be published again, not written */
  byte frame = NONE; /* the slot of a frame that was published, and may be repeated */
  byte number;       /* its sequence */
  byte shown;        /* its content */
  bool shows;        /* its memory is shown still, with a hold */
  byte c, slot, peer, message, wanted;
  byte awaited_releases; /* a bit for each peer */
  byte awaited_queues;
  bool blocks;

next:
  atomic {
    if
    :: frames == 0 && !shows -> goto finish
    :: frames > 0 -> frames--
    :: repeats > 0 && frame != NONE -> repeats--; goto repeat
    :: shows -> goto let_go
    fi
  }

acquire:
  LOCK
#if RETIRE
    if
    :: retirements > 0 && (made & 1) && n_holds[0] == 0 -> retirements--; end_slot (0)
    :: true
    fi;
#endif
    take ();
    if
    :: mine != NONE -> mutex = false; goto write
    :: else -> c = 0
    fi
  };
  /* Looks for slots that came back. */
  do
  :: atomic {
       c < PEERS ->
       if :: ledger[c] != 0 -> read (c) :: else fi
     };
     atomic {
#ifndef BROKEN_SERVE
       /* Without this, the service thread may never hear of what was read here. */
       serve (c);
#endif
       update (c);
       c++
     }
  :: atomic { c == PEERS -> c = 0; break }
  od;
  atomic {
    take ();
    if
    :: mine == NONE ->
       make ();
       take ();
       if
       :: mine == NONE && last != NONE && n_holds[last] == 1 ->
          /* Only the publisher itself keeps it. */
          printf ("The last frame is given up\n");
#ifndef BROKEN_NEWEST
          newest = 0;
#endif
          unhold (last);
          last = NONE;
          take ()
       :: else
       fi
    :: else
    fi;
    if
    :: mine != NONE -> mutex = false; goto write
    :: else
    fi;
#ifdef NO_LIMIT
    assert (pool_suffices);
#endif
    waiting[me] = true;
    woken[me] = false;
    do
    :: c < PEERS ->
       if :: ledger[c] != 0 -> awaited_releases = awaited_releases | BIT (c) :: else fi;
       c++
    :: else -> c = 0; break
    od;
    mutex = false
  };
  if
  :: atomic { SOMETHING_CAME && !mutex -> stop_waiting (); goto acquire }
  :: atomic { timeouts > 0 && !mutex -> timeouts--; stop_waiting (); goto next }
  fi;

repeat:
  LOCK
    if
    :: CAN_REPEAT ->
       printf ("Slot %d is repeated\n", frame);
       mine = frame;
       again = true;
#ifndef BROKEN_SHARED
       n_holds[mine]++;
#endif
       mutex = false;
       goto write
    :: else -> frame = NONE; number = 0; shown = 0; mutex = false; goto next
    fi
  }

let_go:
  LOCK
    printf ("Slot %d is not shown any more\n", frame);
    unhold (frame);
    shows = false;
    wake_waiters ();
    mutex = false;
    goto next
  };

write:
#ifdef MIXED
  atomic { if :: blocks = true :: blocks = false fi };
#endif
  if
  :: goto publish
  :: LOCK
       printf ("Slot %d is given back\n", mine);
       unhold (mine);
       mine = NONE;
       again = false;
       wake_waiters ();
       UNLOCK;
     goto next
  fi;

publish:
  LOCK
#ifdef BROKEN_PROMISE
    newest = sequence + 1;
#endif
#ifdef BLOCK
    blocks = true;
#endif
    c = 0
  };
  if
  :: !blocks -> goto send_all
  :: else
  fi;
  do
  :: atomic {
       c < PEERS ->
       if :: IS_AWAITED (c) && !HAS_ROOM (c) -> read (c) :: else fi
     };
     atomic {
       if
       :: IS_AWAITED (c) && !HAS_ROOM (c) -> awaited_releases = awaited_releases | BIT (c)
       :: IS_AWAITED (c) && HAS_ROOM (c) ->
#ifndef BROKEN_QUEUE
          if
          :: full (down[c]) -> choked[c] = true; awaited_queues = awaited_queues | BIT (c)
          :: nfull (down[c]) -> choked[c] = false
          fi
#else
          skip
#endif
       :: else
       fi;
       c++
     }
  :: atomic { c == PEERS -> c = 0; break }
  od;
  atomic {
    if
    :: awaited_releases == 0 && awaited_queues == 0 -> goto send_all
    :: else -> waiting[me] = true; woken[me] = false; mutex = false
    fi
  };
  if
  :: atomic { SOMETHING_CAME && !mutex -> stop_waiting (); goto publish }
  :: atomic {
       timeouts > 0 && !mutex ->
       timeouts--;
       mutex = true;
       stop_waiting ();
       printf ("Publishing takes too long\n")
     }
  fi;
  /* What was read may have made room for the frame before, which some have missed. */
  do
  :: atomic {
       c < PEERS ->
#ifndef BROKEN_SERVE
       serve (c);
       update (c);
#endif
       c++
     }
  :: atomic {
       c == PEERS ->
       c = 0;
       unhold (mine);
       mine = NONE;
       again = false;
       wake_waiters ();
       mutex = false;
       goto next
     }
  od;

send_all:
  atomic {
    sequence++;
    if
    :: again -> assert (is_unchanged)
    :: !again -> content[mine] = sequence
    fi;
    written = content[mine];
    newest = sequence;
    if :: last != NONE -> unhold (last) :: else fi;
    last = mine
#ifdef BROKEN_LAST
    ;
    /* The hold is dropped, not handed over. */
    unhold (mine)
#endif
  };
  do
  :: atomic {
       c < PEERS ->
       if :: IS_SUBSCRIBED (c) && !HAS_ROOM (c) -> read (c) :: else fi
     };
     atomic {
       if
       :: IS_SUBSCRIBED (c) ->
          missed[c] = true;
          serve (c)
       :: else
       fi;
       update (c);
       c++
     }
  :: atomic { c == PEERS -> c = 0; break }
  od;
  atomic {
    printf ("Frame %d is published\n", sequence);
    if
    :: repeats > 0 && !shows ->
       frame = mine;
       number = sequence;
       shown = written;
       if
       /* Its hold is not handed over. */
       :: shows = true; n_holds[mine]++
       :: true
       fi
    :: repeats == 0 && !shows -> frame = NONE; number = 0; shown = 0
    :: shows
    fi;
    mine = NONE;
    again = false;
    mutex = false;
    goto next
  };

finish:
#ifdef CLOSE
  atomic {
    n_done++;
    if :: n_done < THREADS -> goto finished :: n_done == THREADS fi
  };
  LOCK
    closed = true;
    ended = true
  };
  do
  :: atomic {
       c < PEERS ->
       if
       :: state[c] == WELCOME ->
#ifdef BLOCK
          assert (has_got_all (c));
#endif
          reset[c] = nempty (up[c]);
          remove (c, false)
       :: state[c] == CONNECTING -> state[c] = GONE; cut_off[c] = true
       :: else
       fi;
       c++
     }
  :: atomic { c == PEERS -> c = 0; break }
  od;
  mutex = false;
#endif
  atomic {
#ifndef CLOSE
    n_done++;
#endif
    done = (n_done == THREADS)
  };
finished:
  skip
}
