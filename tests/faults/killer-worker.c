/* SPDX-License-Identifier: MIT */

/* The processes that are killed, and some that are not: they do everything that one can do with
 * arrays, in any order, and look whether it is what it should be. */

#include "killer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_HANDLES 3

/* For how long one waits at most, in microseconds. */
#define LOCK_TIMEOUT 200000
#define WAIT_TIMEOUT 2000

typedef struct
{
  ShndArray *array;
  guint64 *words;
  guint64 nonce;
  guint name;
  gboolean writable;
} Handle;

Board *killer_board;

static char *names[N_NAMES];
static Handle handles[N_HANDLES];
static GRand *dice;
static Entry *entry;
static gint slot_of_victim = -1; /* of one that may fork */

void
killer_init_names (const char *prefix)
{
  for (guint i = 0; i < N_NAMES; i++)
    names[i] = g_strdup_printf ("%s-%u", prefix, i);
}

const char *
killer_get_name (guint i)
{
  return names[i];
}

static guint
roll (guint sides)
{
  return g_rand_int_range (dice, 0, sides);
}

static void
set_phase (Phase phase)
{
  __atomic_store_n (&entry->phase, phase, __ATOMIC_SEQ_CST);
}

/* Ends the program unless the error is one of the two. */
static void
expect_error (GError *error, const char *what, gint code, gint other_code)
{
  if (!g_error_matches (error, SHND_ERROR, code) &&
      !g_error_matches (error, SHND_ERROR, other_code))
    g_error ("%s: %s", what, error->message);
  g_error_free (error);
}

/* ---- Handles ---- */

static void
put_down (Handle *handle)
{
  g_clear_object (&handle->array);
}

static void
take_up (Handle *handle, ShndArray *array, guint name, gboolean writable)
{
  put_down (handle);
  handle->array = array;
  handle->words = contents_get_words (array);
  handle->nonce = contents_check (array);
  handle->name = name;
  handle->writable = writable;
}

static void
make (Handle *handle)
{
  guint64 nonce = __atomic_add_fetch (&killer_board->last_nonce, 1, __ATOMIC_SEQ_CST);
  GError *error = NULL;
  guint name = roll (N_NAMES);
  ShndArray *array = contents_new (killer_get_name (name), nonce, SHND_CREATE_NONE, &error);

  if (array == NULL)
    {
      expect_error (error, "new", SHND_ERROR_EXISTS, SHND_ERROR_EXISTS);
      return;
    }

  killer_count (&killer_board->made);
  take_up (handle, array, name, TRUE);
  if (handle->nonce != nonce)
    g_error ("a new array is that of somebody else");
}

static void
open_one (Handle *handle)
{
  gboolean writable = roll (3) > 0;
  ShndAccess access = writable ? SHND_ACCESS_READ_WRITE : SHND_ACCESS_READ;
  gboolean waits = roll (4) == 0;
  GError *error = NULL;
  guint name = roll (N_NAMES);
  ShndArray *array =
      waits ? shnd_array_open_wait (killer_get_name (name), access, WAIT_TIMEOUT, NULL, &error) :
              shnd_array_open (killer_get_name (name), access, &error);

  if (array == NULL)
    {
      expect_error (error, "open", SHND_ERROR_NOT_FOUND, SHND_ERROR_TIMED_OUT);
      return;
    }

  killer_count (&killer_board->opened);
  take_up (handle, array, name, writable);
}

static void
open_descriptor (Handle *handle)
{
  GError *error = NULL;
  g_autofree char *descriptor = shnd_array_to_descriptor (handle->array, &error);
  ShndArray *array;

  g_assert_no_error (error);
  array = shnd_array_open_descriptor (descriptor, &error);
  if (array == NULL)
    {
      expect_error (error, "descriptor", SHND_ERROR_NOT_FOUND, SHND_ERROR_NOT_FOUND);
      return;
    }

  killer_count (&killer_board->opened);
  if (contents_check (array) != handle->nonce)
    g_error ("a descriptor opens another array than that it was made for");
  g_object_unref (array);
}

/* ---- Lock and counter ---- */

static void
note_recovery (const Handle *handle)
{
  guint64 serial = handle->words[WORD_INSIDE];
  gint64 killed_at, time;

  killer_count (&killer_board->recovered);
  if (serial == 0)
    return;

  killed_at = __atomic_load_n (&killer_board->killed_at[serial % N_REMEMBERED], __ATOMIC_SEQ_CST);
  time = g_get_monotonic_time () - killed_at;
  if (killed_at > 0 && time > killer_board->longest_recovery)
    killer_board->longest_recovery = time;
}

static void
lock (const Handle *handle)
{
  GError *error = NULL;
  gboolean recovered;
  guint64 *words = handle->words;

  if (!handle->writable)
    return;

  set_phase (PHASE_LOCKING);
  if (!shnd_array_lock (handle->array, roll (4) == 0 ? 0 : LOCK_TIMEOUT, NULL, &recovered, &error))
    {
      expect_error (error, "lock", SHND_ERROR_TIMED_OUT, SHND_ERROR_TIMED_OUT);
      set_phase (PHASE_ELSEWHERE);
      return;
    }

  if (recovered)
    note_recovery (handle);
  else if (words[WORD_INSIDE] != 0)
    g_error ("%u has the lock that process %" G_GUINT64_FORMAT
             " has or had, and did not hear of it",
             entry->serial, words[WORD_INSIDE]);
  else if (words[WORD_FIRST] != words[WORD_SECOND])
    g_error ("the lock was given back too early");

  __atomic_store_n (&words[WORD_INSIDE], entry->serial, __ATOMIC_SEQ_CST);
  set_phase (PHASE_INSIDE);
  killer_count (&killer_board->locked);

  __atomic_store_n (&words[WORD_FIRST], words[WORD_FIRST] + 1, __ATOMIC_SEQ_CST);
  if (roll (4) == 0)
    g_usleep (roll (1000));
  if (words[WORD_INSIDE] != entry->serial)
    g_error ("two have the lock");
  __atomic_store_n (&words[WORD_SECOND], words[WORD_FIRST], __ATOMIC_SEQ_CST);

  __atomic_store_n (&words[WORD_INSIDE], 0, __ATOMIC_SEQ_CST);
  set_phase (PHASE_LOCKING);
  if (!shnd_array_unlock (handle->array, &error))
    g_error ("unlock: %s", error->message);
  set_phase (PHASE_ELSEWHERE);
}

static void
update (const Handle *handle)
{
  GError *error = NULL;

  if (!handle->writable)
    return;

  if (!shnd_array_update (handle->array, &error))
    g_error ("update: %s", error->message);
  killer_count (&killer_board->updated);
}

static void
wait_for_update (const Handle *handle)
{
  GError *error = NULL;
  guint64 since = shnd_array_get_sequence (handle->array);

  if (shnd_array_wait (handle->array, since, roll (2) * WAIT_TIMEOUT, NULL, NULL, &error))
    killer_count (&killer_board->woken);
  else
    expect_error (error, "wait", SHND_ERROR_TIMED_OUT, SHND_ERROR_TIMED_OUT);
}

/* ---- Names ---- */

static void
unlink_one (const Handle *handle)
{
  GError *error = NULL;
  gboolean success = handle->array != NULL && roll (2) == 0 ?
                         shnd_array_unlink (handle->array, &error) :
                         shnd_unlink (killer_get_name (roll (N_NAMES)), &error);

  if (success)
    killer_count (&killer_board->unlinked);
  else
    expect_error (error, "unlink", SHND_ERROR_NOT_FOUND, SHND_ERROR_NOT_FOUND);
}

static void
look_around (void)
{
  g_autoptr (GError) error = NULL;

  g_strfreev (roll (2) == 0 ? shnd_reap (&error) : shnd_list_names (&error));
  g_assert_no_error (error);
}

/* ---- All of it ---- */

static void
work_on (Handle *handle)
{
  switch (roll (16))
    {
    case 0:
      put_down (handle);
      break;
    case 1:
      open_descriptor (handle);
      break;
    case 2:
      if (roll (20) == 0)
        unlink_one (handle);
      break;
    case 3:
    case 4:
      update (handle);
      break;
    case 5:
      wait_for_update (handle);
      break;
    case 6:
      if (contents_check (handle->array) != handle->nonce)
        g_error ("an array has become another one");
      break;
    default:
      lock (handle);
    }
}

static void
work (void)
{
  Handle *handle = &handles[roll (N_HANDLES)];

  if (roll (30) == 0)
    look_around ();
  else if (handle->array != NULL)
    work_on (handle);
  else if (roll (2) == 0)
    make (handle);
  else
    open_one (handle);
}

static void
begin (Entry *own)
{
  own->serial = killer_count (&killer_board->last_serial);
  own->phase = PHASE_ELSEWHERE;
  entry = own;
  if (dice != NULL)
    g_rand_free (dice);
  dice = g_rand_new_with_seed (own->serial);
  __atomic_store_n (&own->pid, getpid (), __ATOMIC_SEQ_CST);
}

/* The child works with what it has from its parent, and some day ends by itself. */
static void
fork_child (void)
{
  Entry *child = &killer_board->children[slot_of_victim];
  pid_t pid;

  memset (child, 0, sizeof *child);
  slot_of_victim = -1;
  pid = fork ();
  if (pid != 0)
    {
      g_assert_cmpint (pid, >, 0);
      killer_count (&killer_board->forked);
      return;
    }

  begin (child);
  do
    work ();
  while (roll (500) > 0);

  exit (0);
}

void
killer_run_victim (guint slot)
{
  begin (&killer_board->victims[slot]);
  slot_of_victim = slot;
  while (TRUE)
    {
      work ();
      if (slot_of_victim >= 0 && roll (100) == 0)
        fork_child ();
    }
}

/* ---- Who survives ---- */

/* Tells what it has, and waits for the next stage. */
static void
give_account (Survivor *self)
{
  /* One that nobody will unlink any more. */
  put_down (&handles[0]);
  while (handles[0].array == NULL)
    {
      make (&handles[0]);
      if (handles[0].array == NULL)
        open_one (&handles[0]);
    }

  self->n_held = 0;
  for (guint i = 0; i < N_HANDLES; i++)
    {
      if (handles[i].array == NULL)
        continue;

      self->held[handles[i].name][self->n_held++] = handles[i].nonce;
    }
  g_atomic_int_set (&self->stage, 1);
  while (g_atomic_int_get (&killer_board->stage) == 1)
    g_usleep (1000);
}

int
killer_run_survivor (guint slot)
{
  Survivor *self = &killer_board->survivors[slot];
  Entry own = { 0 };
  Belongings before;

  belongings_get (&before);
  begin (&own);
  while (g_atomic_int_get (&killer_board->stage) == 0)
    work ();
  give_account (self);

  for (guint i = 0; i < N_HANDLES; i++)
    put_down (&handles[i]);
  belongings_check (&before, "a survivor");

  return 0;
}
