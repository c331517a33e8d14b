/* SPDX-License-Identifier: MIT */

#include "sync-support.h"

/* The lock of an array: what is in its word, and who owns it. */

static ShndArray *
make (const char *name)
{
  return new_array (name, "<i8", SHAPE (4));
}

static gboolean
try_lock (ShndArray *array, gboolean *recovered)
{
  g_autoptr (GError) error = NULL;
  gboolean locked = shnd_array_lock (array, 0, NULL, recovered, &error);

  if (!locked)
    g_assert_error (error, SHND_ERROR, SHND_ERROR_TIMED_OUT);
  g_assert_cmpint (shnd_array_get_locked (array), ==, locked);
  return locked;
}

static void
unlock (ShndArray *array)
{
  g_autoptr (GError) error = NULL;

  shnd_array_unlock (array, &error);
  g_assert_no_error (error);
  g_assert_false (shnd_array_get_locked (array));
}

/* Locks, and says whether the last owner had died. */
static gboolean
lock_soon (ShndArray *array)
{
  g_autoptr (GError) error = NULL;
  gboolean recovered;

  shnd_array_lock (array, PATIENCE, NULL, &recovered, &error);
  g_assert_no_error (error);
  return recovered;
}

static void
test_word (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  ControlPage *page = map_control (name);
  int fd = open_file (name);
  gboolean recovered = TRUE;
  guint32 slot;

  g_assert_cmpuint (get_word (page), ==, 0);
  g_assert_true (try_lock (array, &recovered));
  g_assert_false (recovered);
  slot = get_word (page);
  g_assert_cmpuint (slot, !=, 0);
  g_assert_cmpuint (slot & ~SLOT_MASK, ==, 0);
  /* Proved to whoever asks. */
  g_assert_cmpint (get_byte (fd, BYTE_SLOTS + slot), ==, F_WRLCK);
  unlock (array);
  g_assert_cmpuint (get_word (page), ==, 0);

  /* It is the same slot again, until the array is closed. */
  g_assert_true (try_lock (array, NULL));
  g_assert_cmpuint (get_word (page), ==, slot);
  shnd_array_close (array);
  g_assert_cmpuint (get_word (page), ==, 0);
  g_assert_cmpint (get_byte (fd, BYTE_SLOTS + slot), ==, F_UNLCK);

  close (fd);
  munmap (page, 4096);
}

/* Each handle for itself, in one process. */
static void
test_handles (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) view = shnd_array_slice (array, 0, 0, 2, 1, NULL);
  g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ_WRITE);
  ShndArray *const arrays[] = { array, view, other };
  ControlPage *page = map_control (name);

  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      g_assert_true (try_lock (arrays[i], NULL));
      for (guint j = 0; j < G_N_ELEMENTS (arrays); j++)
        {
          g_autoptr (GError) error = NULL;

          g_assert_cmpint (shnd_array_get_locked (arrays[j]), ==, i == j);
          g_assert_false (shnd_array_lock (arrays[j], 0, NULL, NULL, &error));
          assert_message (error, SHND_ERROR_TIMED_OUT, name);
          if (i != j)
            ASSERT_FAILS (shnd_array_unlock (arrays[j], failure), SHND_ERROR_NOT_LOCKED,
                          "expected one that has the lock");
          g_assert_true (shnd_array_get_locked (arrays[i]));
        }
      unlock (arrays[i]);
    }

  /* Closed, or freed, it gives the lock back. */
  g_assert_true (try_lock (array, NULL));
  shnd_array_close (array);
  g_assert_false (shnd_array_get_locked (array));
  ASSERT_FAILS (shnd_array_unlock (array, failure), SHND_ERROR_CLOSED, "closed");
  ASSERT_FAILS (shnd_array_lock (array, 0, NULL, NULL, failure), SHND_ERROR_CLOSED, "closed");
  g_assert_true (try_lock (view, NULL));
  g_clear_object (&view);
  g_assert_true (try_lock (other, NULL));
  g_object_run_dispose (G_OBJECT (other));
  g_assert_cmpuint (get_word (page), ==, 0);
  munmap (page, 4096);
}

static void
test_refused (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, ".npy", NULL);
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) file = NULL;
  g_autoptr (ShndArray) raw = NULL;
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  ControlPage *page = map_control (name);

  ASSERT_FAILS (shnd_array_lock (reader, -1, NULL, NULL, failure), SHND_ERROR_READ_ONLY, "reading");
  ASSERT_FAILS (shnd_array_unlock (reader, failure), SHND_ERROR_NOT_LOCKED, "not locked");
  ASSERT_FAILS (shnd_array_lock (array, -2, NULL, NULL, failure), SHND_ERROR_INVALID_ARGUMENT,
                "-2");
  g_cancellable_cancel (cancelled);
  g_assert_false (shnd_array_lock (array, -1, cancelled, NULL, &error));
  assert_cancelled (error);
  g_clear_error (&error);
  g_assert_cmpuint (get_word (page), ==, 0);

  g_assert_true (shnd_array_save (array, path, SHND_SAVE_NONE, NULL, NULL, NULL, NULL));
  file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, NULL);
  ASSERT_FAILS (shnd_array_lock (file, -1, NULL, NULL, failure), SHND_ERROR_UNSUPPORTED, "no lock");
  g_assert_false (shnd_array_get_locked (file));
  raw = shnd_array_open_segment (name, dtype, SHAPE (1), 1, SHND_ACCESS_READ_WRITE, NULL);
  ASSERT_FAILS (shnd_array_lock (raw, -1, NULL, NULL, failure), SHND_ERROR_UNSUPPORTED, "no lock");

  g_assert_cmpint (unlink (path), ==, 0);
  munmap (page, 4096);
}

/* What is in the word before, and after it was locked; nobody else is there. */
static void
test_states (void)
{
  const struct
  {
    guint32 before;
    gboolean recovered;
    gboolean waiters;
  } states[] = {
    { 0, FALSE, FALSE },
    { WAITERS, FALSE, TRUE },
    { RECOVER, TRUE, FALSE },
    { RECOVER | WAITERS, TRUE, TRUE },
    /* Slots of the dead, or of nobody. */
    { 1, TRUE, TRUE },
    { SLOT_MASK, TRUE, TRUE },
    { 12345 | WAITERS, TRUE, TRUE },
    /* Nonsense, which nobody writes. */
    { 12345 | RECOVER, TRUE, TRUE },
    { 12345 | RECOVER | WAITERS, TRUE, TRUE },
    { G_MAXUINT32, TRUE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = make (name);
      g_autoptr (ShndArray) hasty = shnd_array_open (name, SHND_ACCESS_READ_WRITE, NULL);
      ControlPage *page = map_control (name);
      gboolean recovered;

      /* Who closes the handle without having unlocked it may not have looked: the next is told. */
      set_word (page, states[i].before);
      g_assert_true (try_lock (hasty, &recovered));
      shnd_array_close (hasty);
      g_assert_cmpuint (get_word (page), ==, states[i].recovered ? RECOVER : 0);

      set_word (page, states[i].before);
      g_assert_true (try_lock (array, &recovered));
      g_assert_cmpint (recovered, ==, states[i].recovered);
      g_assert_cmpuint (get_word (page) & RECOVER, ==, 0);
      g_assert_cmpint ((get_word (page) & WAITERS) != 0, ==, states[i].waiters);
      unlock (array);
      g_assert_cmpuint (get_word (page), ==, 0);
      /* Who comes next is not told. */
      g_assert_true (try_lock (array, &recovered));
      g_assert_false (recovered);

      /* Somebody writes over it while it is locked. Nothing worse comes of it than two owners. */
      set_word (page, states[i].before);
      unlock (array);
      g_assert_cmpuint (get_word (page), ==, states[i].before);
      munmap (page, 4096);
    }
}

/* An owner that lives is not overruled, whoever it is; when it dies, it is. */
static void
test_alive (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  ControlPage *page = map_control (name);
  int fd = open_file (name);

  g_assert_true (lock_byte (fd, BYTE_SLOTS + 77, 1, F_WRLCK));
  set_word (page, 77);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      /* Long enough to be asked. */
      g_assert_false (shnd_array_lock (array, 100000, NULL, NULL, &error));
      assert_message (error, SHND_ERROR_TIMED_OUT, "not unlocked in time");
      g_assert_cmpuint (get_word (page), ==, 77 | WAITERS);
      /* The question has left nothing behind. */
      g_assert_cmpint (get_byte (fd, BYTE_SLOTS + 76), ==, F_UNLCK);
    }
  close (fd);
  g_assert_true (lock_soon (array));
  g_assert_cmpuint (get_word (page) & SLOT_MASK, !=, 77);
  fd = open_file (name);
  g_assert_cmpint (get_byte (fd, BYTE_SLOTS + 77), ==, F_UNLCK);
  close (fd);
  munmap (page, 4096);
}

/* The slot that is drawn is a dead owner's, who still has the lock. */
static void
test_inherited_slot (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *other_name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) other = make (other_name);
  ControlPage *page = map_control (name), *other_page = map_control (other_name);
  gboolean recovered;
  guint32 slot;

  g_random_set_seed (1234);
  g_assert_true (try_lock (other, NULL));
  slot = get_word (other_page) & SLOT_MASK;
  set_word (page, slot);
  g_random_set_seed (1234);
  g_assert_true (try_lock (array, &recovered));
  g_assert_true (recovered);
  g_assert_cmpuint (get_word (page), ==, slot | WAITERS);
  unlock (array);
  g_assert_cmpuint (get_word (page), ==, 0);
  munmap (page, 4096);
  munmap (other_page, 4096);
}

/* There is no slot left. */
static void
test_no_slot (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  ControlPage *page = map_control (name);
  int fd = open_file (name);
  guint n_fds = count_fds ();
  g_autoptr (GError) error = NULL;

  g_assert_true (lock_byte (fd, BYTE_SLOTS, 1 << 30, F_WRLCK));
  g_assert_false (shnd_array_lock (array, -1, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "slot"));
  g_assert_cmpint (error->domain, ==, SHND_ERROR);
  g_assert_cmpuint (count_fds (), ==, n_fds);
  g_assert_cmpuint (get_word (page), ==, 0);
  g_assert_true (lock_byte (fd, BYTE_SLOTS, 1 << 30, F_UNLCK));
  g_assert_true (try_lock (array, NULL));
  close (fd);
  munmap (page, 4096);
}

/* A child has the arrays of its parent, and none of its locks. */
static void
test_fork (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  pid_t pid;

  g_assert_true (try_lock (array, NULL));
  pid = fork ();
  if (pid == 0)
    {
      gboolean recovered = TRUE;

      if (shnd_array_get_locked (array) || shnd_array_unlock (array, NULL) ||
          shnd_array_lock (array, 100000, NULL, NULL, NULL))
        end_child (1);
      shnd_array_close (array);
      array = shnd_array_open (name, SHND_ACCESS_READ_WRITE, NULL);
      end_child (shnd_array_lock (array, 0, NULL, &recovered, NULL) ? 2 : 0);
    }
  wait_for_child (pid);
  g_assert_true (shnd_array_get_locked (array));
  unlock (array);

  /* The other way round: the child locks, and its end is a death. */
  pid = fork ();
  if (pid == 0)
    end_child (shnd_array_lock (array, 0, NULL, NULL, NULL) ? 0 : 1);
  wait_for_child (pid);
  g_assert_true (lock_soon (array));
  unlock (array);
}

/* An owner dies; a child of it lives on. */
static void
test_survivor (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  Signal locked, end;
  pid_t pid;

  signal_init (&locked);
  signal_init (&end);
  pid = fork ();
  if (pid == 0)
    {
      if (!shnd_array_lock (array, 0, NULL, NULL, NULL))
        end_child (1);
      if (fork () == 0)
        {
          signal_send (&locked);
          signal_wait (&end);
          end_child (0);
        }
      pause ();
    }
  signal_wait (&locked);
  g_assert_false (try_lock (array, NULL));
  kill_child (pid);
  g_assert_true (lock_soon (array));
  signal_send (&end);
  signal_clear (&locked);
  signal_clear (&end);
}

/* Somebody waits while the owner dies. */
static void
test_death (void)
{
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = make (name);
      ControlPage *page = map_control (name);
      Signal locked, go;
      pid_t pid;

      signal_init (&locked);
      signal_init (&go);
      pid = fork ();
      if (pid == 0)
        {
          if (!shnd_array_lock (array, 0, NULL, NULL, NULL))
            end_child (1);
          signal_send (&locked);
          /* Until somebody waits. */
          while ((get_word (page) & WAITERS) == 0)
            g_usleep (1000);
          /* To the kernel all ends are the same. */
          end_child (0);
        }
      signal_wait (&locked);
      g_assert_true (lock_soon (array));
      g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
      unlock (array);
      g_assert_cmpuint (get_word (page), ==, 0);
      signal_clear (&locked);
      signal_clear (&go);
      munmap (page, 4096);
    }
}

typedef struct
{
  ShndArray *array; /* a handle of its own, or that of all */
  volatile gint64 *numbers;
  guint n;
} Counter;

static gpointer
count (gpointer data)
{
  Counter *counter = data;

  for (guint i = 0; i < counter->n; i++)
    {
      gint64 value;

      g_assert_false (lock_soon (counter->array));
      value = counter->numbers[0];
      counter->numbers[1] = value;
      counter->numbers[0] = value + 1;
      g_assert_true (shnd_array_unlock (counter->array, NULL));
    }

  return NULL;
}

/* Threads, with a handle each, with one for all, and with views. */
static void
test_threads (void)
{
  guint n = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 200 : 20000;

  for (guint kind = 0; kind < 3; kind++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = make (name);
      ControlPage *page = map_control (name);
      Counter counters[4];
      GThread *threads[G_N_ELEMENTS (counters)];

      for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
        {
          counters[i].n = n;
          counters[i].array = kind == 0 ? open_array (name, SHND_ACCESS_READ_WRITE) :
                              kind == 1 ? g_object_ref (array) :
                                          shnd_array_slice (array, 0, 0, 2, 1, NULL);
          counters[i].numbers = shnd_array_get_data (counters[i].array);
        }
      for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
        threads[i] = g_thread_new (NULL, count, &counters[i]);
      for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
        g_thread_join (threads[i]);
      g_assert_cmpint (counters[0].numbers[0], ==, 4 * n);
      g_assert_cmpuint (get_word (page) & ~WAITERS, ==, 0);
      for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
        g_object_unref (counters[i].array);
      munmap (page, 4096);
    }
}

typedef struct
{
  ShndArray *array;
  GCancellable *cancellable;
  GError *error;
  gboolean locked;
} Waiter;

static gpointer
wait_for_lock (gpointer data)
{
  Waiter *waiter = data;

  waiter->locked =
      shnd_array_lock (waiter->array, PATIENCE, waiter->cancellable, NULL, &waiter->error);

  return NULL;
}

static void
wait_until_waited_for (const ControlPage *page)
{
  while ((get_word (page) & WAITERS) == 0)
    g_usleep (1000);
}

/* Waiting ends by itself, by being cancelled, and by closing the handle. */
static void
test_end_of_waiting (void)
{
  for (guint kind = 0; kind < 3; kind++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (ShndArray) array = make (name);
      g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ_WRITE);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      ControlPage *page = map_control (name);
      Waiter waiter = { .array = other, .cancellable = kind == 2 ? NULL : cancellable };
      GThread *thread;

      g_assert_true (try_lock (array, NULL));
      thread = g_thread_new (NULL, wait_for_lock, &waiter);
      wait_until_waited_for (page);
      if (kind == 0)
        unlock (array);
      else if (kind == 1)
        g_cancellable_cancel (cancellable);
      else
        shnd_array_close (other);
      g_thread_join (thread);

      g_assert_cmpint (waiter.locked, ==, kind == 0);
      g_assert_cmpint (shnd_array_get_locked (other), ==, kind == 0);
      if (kind == 1)
        assert_cancelled (waiter.error);
      if (kind == 2)
        assert_message (waiter.error, SHND_ERROR_CLOSED, "closed");
      g_clear_error (&waiter.error);
      if (kind > 0)
        unlock (array);
      munmap (page, 4096);
    }
}

typedef struct
{
  guint n_pending;
  gboolean locked;
  gboolean recovered;
  GError *error;
} Async;

static void
lock_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Async *async = data;

  async->n_pending--;
  g_assert_true (g_async_result_is_tagged (result, shnd_array_lock_async));
  async->locked =
      shnd_array_lock_finish (SHND_ARRAY (object), result, &async->recovered, &async->error);
}

static void
begin (ShndArray *array, gint64 timeout, GCancellable *cancellable, Async *async)
{
  g_clear_error (&async->error);
  async->n_pending = 1;
  shnd_array_lock_async (array, timeout, cancellable, lock_cb, async);
  g_assert_cmpuint (async->n_pending, ==, 1);
}

static void
finish (Async *async)
{
  while (async->n_pending > 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) other = open_array (name, SHND_ACCESS_READ_WRITE);
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ControlPage *page = map_control (name);
  Async async = { 0 };

  begin (array, -1, NULL, &async);
  finish (&async);
  g_assert_no_error (async.error);
  g_assert_true (async.locked);
  g_assert_false (async.recovered);
  g_assert_true (shnd_array_get_locked (array));

  begin (other, 0, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_TIMED_OUT, name);
  begin (other, 50000, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_TIMED_OUT, name);

  begin (other, -1, NULL, &async);
  wait_until_waited_for (page);
  unlock (array);
  finish (&async);
  g_assert_no_error (async.error);
  g_assert_true (async.locked);
  g_assert_true (shnd_array_get_locked (other));

  begin (array, -1, cancellable, &async);
  wait_until_waited_for (page);
  g_cancellable_cancel (cancellable);
  finish (&async);
  g_assert_false (async.locked);
  assert_cancelled (async.error);
  /* Cancelled before it began. */
  begin (array, -1, cancellable, &async);
  finish (&async);
  assert_cancelled (async.error);

  begin (array, -1, NULL, &async);
  shnd_array_close (array);
  finish (&async);
  assert_message (async.error, SHND_ERROR_CLOSED, "closed");
  begin (array, -1, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_CLOSED, "closed");
  begin (reader, -1, NULL, &async);
  finish (&async);
  assert_message (async.error, SHND_ERROR_READ_ONLY, "reading");

  /* Nobody waits for the answer; the call itself keeps the array, and with it the lock. */
  unlock (other);
  shnd_array_lock_async (other, -1, NULL, NULL, NULL);
  while (!shnd_array_get_locked (other))
    g_main_context_iteration (NULL, FALSE);
  unlock (other);

  g_clear_error (&async.error);
  munmap (page, 4096);
}

/* More than one thread can sleep on. */
static void
test_many_async (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func (g_object_unref);
  Async asyncs[300] = { 0 };
  guint n_left = G_N_ELEMENTS (asyncs);

  g_assert_true (try_lock (array, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (asyncs); i++)
    {
      g_ptr_array_add (arrays, shnd_array_slice (array, 0, 0, 2, 1, NULL));
      begin (arrays->pdata[i], PATIENCE, NULL, &asyncs[i]);
    }
  unlock (array);
  while (n_left > 0)
    {
      guint n_owners = 0;

      g_main_context_iteration (NULL, TRUE);
      for (guint i = 0; i < G_N_ELEMENTS (asyncs); i++)
        {
          if (asyncs[i].n_pending > 0 || asyncs[i].locked == FALSE)
            continue;
          g_assert_no_error (asyncs[i].error);
          g_assert_true (shnd_array_get_locked (arrays->pdata[i]));
          n_owners++;
          asyncs[i].locked = FALSE;
          unlock (arrays->pdata[i]);
          n_left--;
        }
      g_assert_cmpuint (n_owners, <=, 1);
    }
  g_assert_true (try_lock (array, NULL));
}

/* What the file says is another file's. */
static void
test_copy (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *copy_name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autofree char *copy_path = g_strconcat ("/dev/shm/", copy_name, NULL);
  g_autofree char *contents = NULL;
  g_autoptr (ShndArray) array = make (name);
  g_autoptr (ShndArray) copy = NULL;
  ControlPage *page;
  gboolean recovered;
  gsize length;

  g_assert_true (try_lock (array, NULL));
  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (copy_path, contents, length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  copy = open_array (copy_name, SHND_ACCESS_READ_WRITE);
  page = map_control (copy_name);
  g_assert_cmpuint (get_word (page), !=, 0);
  g_assert_true (try_lock (copy, &recovered));
  g_assert_false (recovered);
  g_assert_true (shnd_array_get_locked (array));
  g_assert_cmpuint (GUINT64_FROM_LE (page->inode), ==, get_inode (copy_name));
  g_assert_cmpuint (GUINT32_FROM_LE (page->flags), ==, 1);
  unlink_name (copy_name);
  munmap (page, 4096);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/lock/word", test_word);
  g_test_add_func ("/lock/handles", test_handles);
  g_test_add_func ("/lock/refused", test_refused);
  g_test_add_func ("/lock/states", test_states);
  g_test_add_func ("/lock/alive", test_alive);
  g_test_add_func ("/lock/slot/inherited", test_inherited_slot);
  g_test_add_func ("/lock/slot/none", test_no_slot);
  g_test_add_func ("/lock/fork", test_fork);
  g_test_add_func ("/lock/fork/survivor", test_survivor);
  g_test_add_func ("/lock/death", test_death);
  g_test_add_func ("/lock/threads", test_threads);
  g_test_add_func ("/lock/waiting", test_end_of_waiting);
  g_test_add_func ("/lock/async", test_async);
  g_test_add_func ("/lock/async/many", test_many_async);
  g_test_add_func ("/lock/copy", test_copy);

  return g_test_run ();
}
