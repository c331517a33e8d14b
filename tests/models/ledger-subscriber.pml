/* SPDX-License-Identifier: MIT
 *
 * The subscribers, in the model of the ledger. */

/* The other one would only make things longer. */
#define MAY_MISBEHAVE (me == SUBSCRIBERS - 1)

/* Whether the subscriber has the next one, or it will not come. */
#ifdef KEEPS
#define MAY_RELEASE (N_FRAMES (has) > 1 || (done && (newest == 0 || got == sequence)))
#else
#define MAY_RELEASE true
#endif

/* Whether there will be a newer one than the candidate soon. */
#ifdef BROKEN_CANDIDATE
#define EXPECTS_NEWER (newest > got)
#else
#define EXPECTS_NEWER (newest > got && N_FRAMES (has) + 1 < DEPTH)
#endif

/* Lets the subscriber choose one of the slots. */
inline choose (frames)
{
  if
  :: N_IN (frames, 0) > 0 -> s = 0
  :: N_IN (frames, 1) > 0 -> s = 1
  :: N_IN (frames, 2) > 0 -> s = 2
  :: N_IN (frames, 3) > 0 -> s = 3
  :: N_IN (frames, 4) > 0 -> s = 4
  :: N_IN (frames, 5) > 0 -> s = 5
  fi
}

/* Closes the subscriber's end. */
inline hang_up ()
{
  hung_up[c] = true;
  /* Whoever was thrown out may go on looking. */
  if :: !cut_off[c] -> looks[c] = 0 :: else fi;
  has = 0;
  candidate = NONE;
  got = 0;
  sleeps = false;
  do :: down[c]?s, q, with_fd :: empty (down[c]) -> break od;
  do :: up[c]?s :: empty (up[c]) -> break od;
  s = 0;
  q = 0;
  with_fd = false
}

inline release (slot)
{
  if :: N_IN (looks[c], slot) > 0 -> looks[c] = looks[c] - ONE_IN (slot) :: else fi;
  if :: N_IN (has, slot) > 0 -> has = has - ONE_IN (slot) :: else fi;
#ifdef BROKEN_EDGE
  fresh[c] = true;
#endif
  up[c]!slot
}

proctype subscriber (byte me)
{
  byte c = me;          /* the connection */
  short has;            /* how many frames the program has of each slot */
  short old;            /* and how many that came over an earlier connection */
  byte candidate = NONE;
  byte got;             /* the sequence of the newest frame received */
  bool sleeps;
  byte s, q;
  bool with_fd;

connect:
  atomic {
    if
    :: closed -> goto gone
    :: !closed -> state[c] = CONNECTING
    fi
  };

  do
  /* Receives. */
  :: atomic {
       nempty (down[c]) && !reset[c] && (candidate == NONE || nfull (up[c])) ->
       if :: candidate != NONE -> release (candidate) :: candidate == NONE fi;
       down[c]?s, q, with_fd;
       if :: with_fd -> current[c] = current[c] | BIT (s) :: else fi;
       assert (is_expected);
       assert (is_mapped);
       assert (is_as_sent);
#ifdef BLOCK
       assert (is_next);
#endif
       got = NUMBER (q);
       sleeps = false;
#ifdef LATEST
       candidate = s;
#else
       has = has + ONE_IN (s);
#endif
       s = 0;
       q = 0;
       with_fd = false
     }
#ifdef LATEST
  /* It is the newest, or the newer one cannot be sent as long as this one is held. */
  :: atomic {
       candidate != NONE && empty (down[c]) && !EXPECTS_NEWER && !sleeps ->
       has = has + ONE_IN (candidate);
       candidate = NONE
     }
#ifdef BROKEN_SLEEP
  /* Waits for the newer one, and does not look at the status page again. */
  :: atomic {
       candidate != NONE && empty (down[c]) && EXPECTS_NEWER && !sleeps -> sleeps = true
     }
#endif
#endif
  /* Releases. */
  :: atomic {
       has != 0 && nfull (up[c]) && !cut_off[c] && MAY_RELEASE ->
       choose (has);
       release (s);
       s = 0
     }
#ifdef BROKEN_RECONNECT
  :: atomic {
       old != 0 && nfull (up[c]) ->
       choose (old);
       old = old - ONE_IN (s);
       release (s);
       s = 0
     }
#endif
#ifdef BROKEN_TWICE
  /* What was told to go back at once goes back again with the last that shows it. */
  :: atomic { has != 0 && len (up[c]) < DEPTH -> choose (has); up[c]!s; release (s); s = 0 }
#endif
  /* Is killed. */
  :: atomic { deaths > 0 -> deaths--; printf ("%d is killed\n", c); goto leave }
#if STOPS > 0
  /* Stops, and keeps what it has. */
  :: atomic {
       stops > 0 && has != 0 && nfull (up[c]) ->
       stops--;
       printf ("%d stops\n", c);
       up[c]!STOP;
       goto parting
     }
#endif
#if OFFENCES > 0
  :: atomic {
       offences > 0 && MAY_MISBEHAVE && state[c] == WELCOME && nfull (up[c]) ->
       offences--;
       offends[c] = true;
       choose (ONE_IN (0) | ONE_IN (1) | ONE_IN (2) | ONE_IN (3));
       if
       :: N_IN (has, s) == 0 ->
          waived[c] = waived[c] | BIT (s);
          looks[c] = looks[c] & ~ALL_IN (s)
       :: else
       fi;
       printf ("%d releases slot %d, whether it has it or not\n", c, s);
       release (s);
       s = 0
     }
  :: atomic { offends[c] && done -> printf ("%d leaves\n", c); goto leave }
#endif
#ifdef STALLS
  :: atomic { MAY_MISBEHAVE && has != 0 -> n_stalled++; goto stalled }
#endif
  /* An error of the connection comes before what still can be read. */
  :: atomic {
       reset[c] ->
       reset[c] = false
#ifdef BROKEN_RESET
       ;
       assert (has_all);
       goto leave
#endif
     }
  /* Was closed by the publisher. What the program has it keeps. */
  :: atomic {
       cut_off[c] && empty (down[c]) && !reset[c] ->
       assert (has_all);
       assert (ended || offends[c]);
       old = has;
       goto leave
     }
  /* Has got the newest frame there is, and goes. */
  :: atomic {
       done && has == 0 && candidate == NONE && state[c] == WELCOME && empty (down[c]) &&
       (newest == 0 || got == sequence) -> goto leave
     }
  od;

#if STOPS > 0
parting:
end_parting:
  if
  :: atomic { has != 0 && nfull (up[c]) -> choose (has); release (s); s = 0; goto parting }
  :: atomic { has == 0 -> goto leave }
  :: atomic { n_stalled++; goto stalled }
  fi;
#endif

leave:
  atomic {
    hang_up ();
    if
    :: births > 0 -> births--; c = SUBSCRIBERS; goto connect
    :: true
    fi
  };
gone:
  n_gone++;

stalled:
  skip
}
