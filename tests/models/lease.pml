/* SPDX-License-Identifier: MIT
 *
 * A model of the lease on an array's name, as shndarray/shnd-lease.c implements it, for the model
 * checker spin, which looks at every order in which the steps below can come. `check` runs it.
 *
 * What is modelled: one name, and the files (inodes) that have it one after the other; on each file
 * the lease byte and the name byte, as locks that the kernel keeps for a file description and drops
 * with its last reference; processes that make, open, close, unlink and reap, any number of times
 * and each of them killed before any step, any number of times; opening that fails half-way; files
 * that are open for reading only; a fork, after which two processes have one description.
 *
 * What is left out, and why that is sound:
 * - Other names: their files have locks of their own.
 * - Persistent arrays: only `unlink` removes them, as modelled. (For others it has to be left alone
 *   altogether: an attempt to lock its lease byte for writing would make an opener fail.)
 * - Several handles in one process: each has its own description, like another process.
 * - Holders who may not write the file: they leave as if they were killed.
 * - A fork in the midst of opening or closing: the child has a description, but no handle; it is as
 *   if the parent were a little slower, until the child ends or executes another program.
 * - How long the lock on the name is waited for: who keeps it for longer than a moment is stopped,
 *   and the code then goes on without. Here it waits.
 * - `rm`, and whoever else removes names without the locks.
 *
 * Settings:
 *   EXACT         asks for more than the protocol gives, see below; spin has to find that
 *   BROKEN_...    the mistakes that spin has to find
 *
 * What is checked, by the assertions named:
 * - A file whose last user goes in order keeps no name (removed_in_order).
 * - While somebody has the array, only `unlink` removes its name (nobody_has_it).
 * - A name that stands for a new file is not removed by who meant the old one
 *   (name_is_not_anothers).
 * - An opener never gets an orphan (no_orphan): a file is one from the moment in which it has
 *   neither a holder nor an opener who asked while it had one.
 * - When all have gone, and one has reaped, there is no name (nothing_left).
 * And by spin itself: that nobody is stuck.
 *
 * Between an opener's question whether there is a holder and its own lock, the last holder may go
 * without the chance to remove the name. Then the open succeeds, as it would have, had it been
 * faster. But whoever opens in this gap is told that there is no array, although there will be one
 * again. With EXACT (somebody_has_it) spin shows how this comes. No locks that a description for
 * reading only can have close the gap; what waits for a name has to look again from time to time.
 */

#define PROCESSES 3
#define PARENT 0
#define CHILD 2
#define FILES 4 /* one for each process, and one that has the name and no process */

#define BIT(p) (1 << (p))
#define NOBODY 0

byte path; /* the file that has the name, or 0 */

/* The locks on each file, by process: that of its handle's description, or for writing that of a
 * description it opened later. The child's description after the fork is its parent's, until one of
 * them has closed it. */
byte readers[FILES + 1];    /* lease byte, for reading: a bit for each process */
byte writer[FILES + 1];     /* lease byte, for writing: process + 1 */
byte name_lock[FILES + 1];  /* name byte: process + 1 */

byte file[PROCESSES];       /* what the process has open */
bool forked[PROCESSES];     /* a fork came since its handle was made */
bool shared;                /* parent and child have one description */

/* What nobody in the real world can look at. */
bool holds[PROCESSES];      /* has the array */
bool asked[PROCESSES];      /* is opening, and was told that there is a holder */
bool leaving[PROCESSES];    /* has dropped its lease, and not yet tried to lock for writing */
bool orphan[FILES + 1];
bool crashed[FILES + 1];    /* somebody was killed with it since a holder left in order */
byte n_gone;

#define no_orphan (!orphan[file[me]])
#define name_is_not_anothers (path == file[me] || path == 0)
#define HAS(p, f) (holds[p] && file[p] == f)
#define nobody_has_it (!HAS (0, file[me]) && !HAS (1, file[me]) && !HAS (2, file[me]))
#define somebody_has_it (!nobody_has_it)
#define removed_in_order (path != old || crashed[old])
#define nothing_left (path == 0)

#define STEP if :: atomic {
#define END } :: atomic { die (); goto idle } fi

#define LIVES(p, f) (file[p] == f && (holds[p] || asked[p]))
#define IS_OPEN(f) (file[0] == f || file[1] == f || file[2] == f)

inline note_orphan ()
{
  if
  :: !LIVES (0, file[me]) && !LIVES (1, file[me]) && !LIVES (2, file[me]) ->
     orphan[file[me]] = true
  :: else
  fi
}

/* Unlocks what the handle's description has of the lease. */
inline unlock ()
{
  readers[file[me]] = readers[file[me]] & ~BIT (me);
  if :: me == CHILD && shared -> readers[file[me]] = readers[file[me]] & ~BIT (PARENT) :: else fi
}

/* Closes the handle's description: its lock goes if nobody else has it. */
inline close_handle ()
{
  if
  :: me == PARENT && shared ->
     readers[file[me]] = (readers[file[me]] & ~BIT (PARENT)) | BIT (CHILD);
     shared = false
  :: me == CHILD && shared -> shared = false
  :: else -> readers[file[me]] = readers[file[me]] & ~BIT (me)
  fi
}

/* Closes all that the process has open. */
inline close_all ()
{
  close_handle ();
  if :: writer[file[me]] == me + 1 -> writer[file[me]] = NOBODY :: else fi;
  if :: name_lock[file[me]] == me + 1 -> name_lock[file[me]] = NOBODY :: else fi;
  holds[me] = false;
  asked[me] = false;
  leaving[me] = false;
  forked[me] = false;
  note_orphan ();
  old = file[me];
  file[me] = 0;
  explicit = false;
  if
  :: !IS_OPEN (old) ->
     assert (removed_in_order);
     if :: path != old -> orphan[old] = false; crashed[old] = false :: else fi
  :: else
  fi;
  old = 0
}

inline die ()
{
  printf ("%d is killed\n", me);
  if
  :: holds[me] || leaving[me] || (readers[file[me]] & BIT (me)) || writer[file[me]] == me + 1 ->
     crashed[file[me]] = true
  :: else
  fi;
  close_all ()
}

/* From here on it is this process, or a later one, that has to remove the name. */
inline leave_in_order ()
{
  holds[me] = false;
  asked[me] = false;
  leaving[me] = true;
  crashed[file[me]] = false;
  note_orphan ()
}

proctype process (byte me)
{
  bool explicit; /* removes whoever has the array */
  byte old;

idle:
  if
  :: atomic {
       if
       :: path != 1 && !IS_OPEN (1) -> file[me] = 1
       :: else ->
          if
          :: path != 2 && !IS_OPEN (2) -> file[me] = 2
          :: else ->
             if
             :: path != 3 && !IS_OPEN (3) -> file[me] = 3
             :: else -> file[me] = 4
             fi
          fi
       fi;
#ifndef BROKEN_MAKE
       /* Without this, the name could be reaped before its maker has the lease. */
       readers[file[me]] = BIT (me);
#endif
       printf ("%d makes file %d\n", me, file[me]);
       goto make
     }
  :: atomic {
       path != 0 ->
       file[me] = path;
       if
       :: printf ("%d opens file %d\n", me, file[me]); goto open
       :: printf ("%d opens file %d, to unlink it\n", me, file[me]); explicit = true; goto remove
       :: printf ("%d opens file %d, to reap it\n", me, file[me]); goto try
       fi
     }
#ifndef BROKEN_CLOSE
  :: atomic {
       me == CHILD && holds[PARENT] && !shared ->
       file[me] = file[PARENT];
       holds[me] = true;
       shared = true;
       forked[me] = true;
       forked[PARENT] = true;
       printf ("%d is forked by %d\n", me, PARENT);
       goto hold
     }
#endif
  :: goto gone
  fi;

make:
  STEP
    if
    :: path == 0 ->
       path = file[me];
       holds[me] = true;
       printf ("%d gives it the name\n", me)
#ifndef BROKEN_MAKE
       ;
       goto hold
#endif
    :: else ->
       printf ("%d finds the name taken\n", me);
       close_all ();
       goto idle
    fi
  END;
#ifdef BROKEN_MAKE
  STEP
    readers[file[me]] = readers[file[me]] | BIT (me);
    goto hold
  END;
#endif

open:
#ifndef BROKEN_OPEN
  STEP
    if
    :: writer[file[me]] == NOBODY && readers[file[me]] != 0 ->
       asked[me] = true;
       printf ("%d sees that file %d has a holder\n", me, file[me])
    :: else ->
       printf ("%d sees that file %d has none\n", me, file[me]);
       close_all ();
       goto idle
    fi
  END;
#endif
  STEP
    if
    :: writer[file[me]] == NOBODY ->
#ifdef EXACT
       assert (somebody_has_it);
#endif
       readers[file[me]] = readers[file[me]] | BIT (me);
       printf ("%d locks the lease of file %d\n", me, file[me])
    :: else ->
       printf ("%d cannot lock the lease of file %d\n", me, file[me]);
       close_all ();
       goto idle
    fi
  END;
#ifdef BROKEN_OPEN
  /* Asks afterwards: two openers of an orphan take each other for its holder. */
  STEP
    if
    :: readers[file[me]] & ~BIT (me) ->
       printf ("%d sees that file %d has another holder\n", me, file[me]);
       assert (no_orphan);
       asked[me] = true
    :: else ->
       printf ("%d sees that file %d has no other holder\n", me, file[me]);
       crashed[file[me]] = true;
       close_all ();
       goto idle
    fi
  END;
#endif
  STEP
    if
    :: path == file[me] ->
       assert (no_orphan);
       holds[me] = true;
       asked[me] = false;
       printf ("%d has the array\n", me)
    :: path == file[me] ->
       printf ("%d finds something wrong with the array\n", me);
#ifdef BROKEN_FAIL
       /* Only closes, although the last holder may just have left it the name to remove. */
       close_all ();
       goto idle
#endif
    :: path != file[me] ->
       printf ("%d finds that the name was removed\n", me);
       close_all ();
       goto idle
    fi
  END;

hold:
  STEP
    if
#ifndef BROKEN_SHARED
    /* Without this, the other one's lease would go as well. */
    :: !forked[me] ->
#else
    :: true ->
#endif
#ifndef BROKEN_CLOSE
       /* Without this, two that close at once keep each other from locking for writing. */
       unlock ();
       leave_in_order ();
       printf ("%d unlocks the lease of file %d\n", me, file[me]);
#endif
       goto try
    /* Who has it open for reading needs another description for what comes. */
    :: !forked[me] ->
       unlock ();
       leave_in_order ();
       printf ("%d unlocks the lease of file %d, which it can only read\n", me, file[me]);
       goto again
    :: forked[me] && path == file[me] -> printf ("%d opens file %d once more\n", me, file[me])
    :: forked[me] && path != file[me] ->
       printf ("%d closes file %d, which has no name\n", me, file[me]);
       close_all ();
       goto idle
    fi
  END;

  STEP
    close_handle ();
    printf ("%d closes file %d once\n", me, file[me]);
    leave_in_order ();
    goto try
  END;

again:
  STEP
    if
    :: path == file[me] -> printf ("%d opens file %d for writing\n", me, file[me])
    :: else -> printf ("%d cannot open file %d again\n", me, file[me]); goto close
    fi
  END;

try:
  STEP
    leaving[me] = false;
    if
    :: writer[file[me]] == NOBODY && (readers[file[me]] & ~BIT (me)) == 0 ->
       writer[file[me]] = me + 1;
       holds[me] = false;
       printf ("%d locks the lease of file %d for writing\n", me, file[me])
    :: else ->
       printf ("%d cannot lock the lease of file %d for writing\n", me, file[me]);
#ifdef BROKEN_CLOSE
       if :: holds[me] -> crashed[file[me]] = false :: else fi;
#endif
       goto close
    fi
  END;

remove:
#ifndef BROKEN_UNLINK
  /* Without this, the name may stand for another file when it is removed. It has to be waited for:
   * who has the lock now may be killed before the name is removed. */
  STEP
    if
    :: name_lock[file[me]] == NOBODY ->
       name_lock[file[me]] = me + 1;
       printf ("%d locks the name of file %d\n", me, file[me])
#ifdef BROKEN_WAIT
    :: else -> printf ("%d cannot lock the name of file %d\n", me, file[me]); goto close
#endif
    fi
  END;
#endif
  STEP
    if
    :: path == file[me] -> printf ("%d sees that the name is that of file %d\n", me, file[me])
    :: else ->
       printf ("%d sees that the name is not that of file %d\n", me, file[me]);
       close_all ();
       goto idle
    fi
  END;
  STEP
    assert (name_is_not_anothers);
    assert (explicit || nobody_has_it);
    path = 0;
    printf ("%d removes the name\n", me)
  END;
close:
  STEP
    close_all ();
    printf ("%d has closed what it had open\n", me);
    goto idle
  END;

gone:
  n_gone++
}

init
{
  atomic {
    run process (0);
    run process (1);
    run process (2)
  }

  atomic {
    n_gone == PROCESSES ->
    if
    :: path != 0 && readers[path] == 0 && writer[path] == NOBODY && name_lock[path] == NOBODY ->
       path = 0
    :: else
    fi;
    assert (nothing_left)
  }
}
