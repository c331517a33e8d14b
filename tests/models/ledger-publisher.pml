/* SPDX-License-Identifier: MIT
 *
 * The publisher, in the model of the ledger: its peers, and its service thread. */

/* Ends the memory of a slot: its number may be used for another. */
inline end_slot (slot)
{
  made = made & ~BIT (slot);
  spoiled = spoiled & ~BIT (slot);
  content[slot] = 0;
  peer = 0;
  do
  :: peer < PEERS ->
     looks[peer] = looks[peer] & ~ALL_IN (slot);
     current[peer] = current[peer] & ~BIT (slot);
#ifndef BROKEN_RETIRE
     known[peer] = known[peer] & ~BIT (slot);
#endif
     peer++
  :: else -> break
  od;
  peer = 0
}

inline unhold (slot)
{
  assert (is_held (slot));
#ifdef BROKEN_FREE
  n_holds[slot] = 0;
#else
  n_holds[slot]--;
#endif
  if :: n_holds[slot] == 0 && (spoiled & BIT (slot)) -> end_slot (slot) :: else fi
}

inline wake_waiters ()
{
#ifdef BROKEN_WAKE
  skip
#else
  if :: waiting[0] -> woken[0] = true :: else fi;
  if :: waiting[1] -> woken[1] = true :: else fi
#endif
}

/* Takes the peer out of the ledger. */
inline remove (c, offender)
{
  state[c] = GONE;
  cut_off[c] = true;
  events[c] = 0;
  missed[c] = false;
  choked[c] = false;
  known[c] = 0;
  slot = 0;
  do
  :: slot < SLOTS ->
     if
     :: N_IN (ledger[c], slot) > 0 ->
#ifdef BROKEN_REMOVE
        ledger[c] = ledger[c] & ~ALL_IN (slot);
#else
        ledger[c] = ledger[c] - ONE_IN (slot);
#endif
#ifndef BROKEN_OFFENDER
        if :: offender -> spoiled = spoiled | BIT (slot) :: else fi;
#endif
        unhold (slot)
     :: else -> slot++
     fi
  :: else -> break
  od;
  slot = 0;
  do :: up[c]?slot :: empty (up[c]) -> break od;
  slot = 0;
  wake_waiters ()
}

/* Reads all that the peer has sent. */
inline read (c)
{
  do
  :: nempty (up[c]) && state[c] == WELCOME ->
     up[c]?message;
     if
     :: message == STOP ->
        stopped[c] = true;
        missed[c] = false;
        choked[c] = false;
        wake_waiters ()
     :: message != STOP && N_IN (ledger[c], message) > 0 ->
        ledger[c] = ledger[c] - ONE_IN (message);
        unhold (message);
        wake_waiters ()
     :: else ->
#ifdef BROKEN_LEDGER
        if :: n_holds[message] > 0 -> unhold (message) :: else fi
#else
        printf ("%d offends\n", c);
        assert (is_offender (c));
        remove (c, true)
#endif
     fi;
     message = 0
  :: empty (up[c]) || state[c] != WELCOME -> break
  od;
#ifdef BROKEN_EDGE
  fresh[c] = false
#endif
}

/* Sends a frame to a peer that has room for it, in its queue, too. If it has just gone, that is for
 * the service thread to see. */
inline send (c, slot)
{
  assert (is_written (slot));
  printf ("%d is sent frame %d in slot %d\n", c, sequence, slot);
  if
  :: !hung_up[c] ->
     down[c]!slot, MESSAGE (sequence, written), !(known[c] & BIT (slot));
     known[c] = known[c] | BIT (slot);
     if :: waived[c] & BIT (slot) :: else -> looks[c] = looks[c] + ONE_IN (slot) fi;
#ifdef BROKEN_BITS
     if
     :: N_IN (ledger[c], slot) > 0
     :: else -> ledger[c] = ledger[c] + ONE_IN (slot); n_holds[slot]++
     fi;
#else
     ledger[c] = ledger[c] + ONE_IN (slot);
     n_holds[slot]++;
#endif
     sent[c] = sequence;
     missed[c] = false;
     choked[c] = false
  :: else ->
#ifdef BROKEN_HANG_UP
     /* What it held goes back now, and once more when the service thread sees it. */
     if
     :: ledger[c] != 0 -> unhold ((N_IN (ledger[c], 0) -> 0 : (N_IN (ledger[c], 1) -> 1 : 2)))
     :: else
     fi
#endif
     skip
  fi
}

/* Sends the newest frame to a peer that has missed it. If that has been given up, there is nothing
 * to wait for. */
inline serve (c)
{
  if
#ifndef BROKEN_GIVEN_UP
  :: state[c] == WELCOME && choked[c] && last == NONE -> choked[c] = false
#endif
  :: state[c] == WELCOME && missed[c] && last != NONE && HAS_ROOM (c) ->
#ifdef BROKEN_MISSED
     missed[c] = false;
#endif
     if
     :: nfull (down[c]) || hung_up[c] -> send (c, last)
     :: full (down[c]) && !hung_up[c] ->
#ifndef BROKEN_MISSED
        choked[c] = true
#endif
     fi
  :: else
  fi
}

/* Arms the socket for exactly that which the peer lacks: an event that is not it would come again
 * and again. */
inline update (c)
{
  if
  :: state[c] == WELCOME ->
#ifdef BROKEN_DEAF
     wanted = (missed[c] -> HANG_UP : 0);
#else
     wanted = HANG_UP;
#endif
     if
#if defined(BROKEN_SPIN)
     :: missed[c] -> wanted = wanted | OUT
#elif defined(BROKEN_CHOKED)
     :: missed[c] -> wanted = wanted | IN
#else
     :: missed[c] && choked[c] -> wanted = wanted | OUT
     :: missed[c] && !choked[c] -> wanted = wanted | IN
#endif
     :: else
     fi;
#ifdef BROKEN_EDGE
     if :: events[c] != wanted -> fresh[c] = false :: else fi;
#endif
     events[c] = wanted;
     wanted = 0
  :: else
  fi
}

/* The thread that sees to what comes while the program does other things. */
active proctype service ()
{
  byte c, slot, peer, message, wanted;

idle:
  atomic {
    if
    :: over -> goto finished
    :: state[0] == CONNECTING && !mutex -> mutex = true; c = 0; goto welcome
    :: FIRES (0) -> c = 0
#if PEERS > 1
    :: state[1] == CONNECTING && !mutex -> mutex = true; c = 1; goto welcome
    :: FIRES (1) -> c = 1
#endif
#if PEERS > 2
    :: state[2] == CONNECTING && !mutex -> mutex = true; c = 2; goto welcome
    :: FIRES (2) -> c = 2
#endif
    fi
  };
  LOCK
    if
    :: state[c] == WELCOME && hung_up[c] ->
       printf ("%d has hung up\n", c);
       remove (c, false);
       mutex = false;
       goto idle
    :: else
    fi
#ifdef BROKEN_ORDER
    ;
    serve (c);
    update (c)
#endif
  };
  atomic { read (c) };
  atomic {
#ifndef BROKEN_ORDER
    serve (c);
    update (c);
#endif
    c = 0;
    mutex = false;
    goto idle
  };

welcome:
  atomic {
    state[c] = WELCOME;
    printf ("%d is welcome\n", c);
    missed[c] = last != NONE;
    serve (c);
    update (c);
    c = 0;
    mutex = false;
    goto idle
  };

finished:
  skip
}
