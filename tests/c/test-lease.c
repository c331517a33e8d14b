/* SPDX-License-Identifier: MIT */

#include <spawn.h>
#include <stdlib.h>

#include "sync-support.h"

/* Who keeps the name of an array, and who takes it along. Orphans are nowhere expected to be there:
 * another test may give them back at any moment. */

extern char **environ;

static char *program;

static ShndArray *
make (const char *name)
{
  return new_array (name, "<i4", SHAPE (1000));
}

static void
assert_found (const char *name)
{
  g_autoptr (ShndArray) array = open_array (name, SHND_ACCESS_READ);

  g_assert_nonnull (array);
}

static void
assert_not_found (const char *name)
{
  ASSERT_FAILS (shnd_array_open (name, SHND_ACCESS_READ, failure) != NULL, SHND_ERROR_NOT_FOUND,
                name);
}

static void
test_last (void)
{
  const ShndAccess accesses[] = { SHND_ACCESS_READ, SHND_ACCESS_READ_WRITE };

  for (guint i = 0; i < G_N_ELEMENTS (accesses); i++)
    {
      g_autofree char *name = get_name ();
      ShndArray *made = make (name);
      ShndArray *opened = open_array (name, accesses[i]);
      g_autoptr (GBytes) bytes = NULL;
      ShndArray *view;

      g_object_unref (made);
      assert_found (name);
      view = shnd_array_slice (opened, 0, 10, 20, 1, NULL);
      shnd_array_close (opened);
      g_object_unref (opened);
      assert_found (name);
      bytes = shnd_array_get_bytes (view, NULL);
      g_object_unref (view);
      /* It shows the array, and so it keeps it. */
      assert_found (name);
      g_clear_pointer (&bytes, g_bytes_unref);
      assert_no_name (name);
      assert_not_found (name);
    }
}

static void
test_persistent (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  ShndArray *array = shnd_array_new (name, dtype, SHAPE (3), SHND_CREATE_PERSISTENT, NULL);
  int fd = open_file (name);

  g_assert_true (shnd_array_get_persistent (array));
  g_assert_cmpint (get_byte (fd, BYTE_LEASE), ==, F_RDLCK);
  g_object_unref (array);
  g_assert_cmpint (get_byte (fd, BYTE_LEASE), ==, F_UNLCK);
  array = open_array (name, SHND_ACCESS_READ);
  g_assert_true (shnd_array_get_persistent (array));
  g_assert_cmpint (get_byte (fd, BYTE_LEASE), ==, F_RDLCK);
  g_object_unref (array);
  close (fd);
  g_strfreev (shnd_reap (NULL));
  unlink_name (name);
}

/* A child's end, of either kind, and in either order, takes nothing from its parent. */
static void
test_fork (void)
{
  /* _exit(), unref, and exit(), after which valgrind would miss what was not freed. */
  guint n_ends = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 2 : 3;

  for (guint i = 0; i < n_ends; i++)
    for (guint child_last = 0; child_last < 2; child_last++)
      for (guint readers = 0; readers < 2; readers++)
        {
          g_autofree char *name = get_name ();
          ShndArray *made = make (name);
          ShndArray *array = made;
          g_autoptr (GBytes) shown = NULL;
          Signal go;
          pid_t pid;

          if (readers)
            {
              array = open_array (name, SHND_ACCESS_READ);
              g_object_unref (made);
            }
          else
            {
              ((gint32 *) shnd_array_get_data (array))[7] = 42;
            }

          signal_init (&go);
          pid = fork ();
          if (pid == 0)
            {
              signal_wait (&go);
              if (i == 1)
                g_object_unref (array);
              if (i == 2)
                exit (0);
              end_child (0);
            }

          if (child_last)
            {
              /* The memory stays where it is while the description changes. */
              shown = shnd_array_get_bytes (array, NULL);
              shnd_array_close (array);
              assert_found (name);
              g_assert_cmpint (((const gint32 *) g_bytes_get_data (shown, NULL))[7], ==,
                               readers ? 0 : 42);
              g_clear_pointer (&shown, g_bytes_unref);
              assert_found (name);
              signal_send (&go);
              wait_for_child (pid);
            }
          else
            {
              signal_send (&go);
              wait_for_child (pid);
              assert_found (name);
              shnd_array_close (array);
            }
          assert_not_found (name);
          /* Who ends by _exit() leaves an orphan. */
          if (i == 0 && child_last)
            g_strfreev (shnd_reap (NULL));
          assert_no_name (name);
          g_object_unref (array);
          signal_clear (&go);
        }
}

/* What a child opens is its own, and what it makes. */
static void
test_fork_then_open (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *childs = get_name ();
  ShndArray *array = make (name);
  Signal ready, go;
  pid_t pid;

  signal_init (&ready);
  signal_init (&go);
  pid = fork ();
  if (pid == 0)
    {
      ShndArray *mine = shnd_array_open (name, SHND_ACCESS_READ, NULL);
      ShndArray *made = make (childs);

      g_object_unref (array);
      signal_send (&ready);
      signal_wait (&go);
      g_object_unref (mine);
      g_object_unref (made);
      end_child (0);
    }
  signal_wait (&ready);
  assert_found (childs);
  g_object_unref (array);
  assert_found (name);
  signal_send (&go);
  wait_for_child (pid);
  assert_no_name (name);
  assert_no_name (childs);
  signal_clear (&ready);
  signal_clear (&go);
}

static pid_t
spawn_cat (const int fds[2])
{
  char *arguments[] = { (char *) "cat", NULL };
  posix_spawn_file_actions_t actions;
  pid_t pid;

  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, fds[0], STDIN_FILENO);
  posix_spawn_file_actions_addclose (&actions, fds[1]);
  g_assert_cmpint (posix_spawnp (&pid, "cat", &actions, NULL, arguments, environ), ==, 0);
  posix_spawn_file_actions_destroy (&actions);

  return pid;
}

/* The same by hand, with nothing but what is allowed after vfork(). */
static pid_t
vfork_cat (const int fds[2])
{
  pid_t pid = vfork ();

  if (pid == 0)
    {
      dup2 (fds[0], STDIN_FILENO);
      close (fds[1]);
      execlp ("cat", "cat", NULL);
      _exit (1);
    }

  return pid;
}

/* Another program does not inherit anything. */
static void
test_spawn (void)
{
  pid_t (*const functions[]) (const int fds[2]) = { spawn_cat, vfork_cat };

  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      g_autofree char *name = get_name ();
      ShndArray *array = make (name);
      int fds[2];
      pid_t pid;

      g_assert_cmpint (pipe (fds), ==, 0);
      pid = functions[i](fds);
      g_assert_cmpint (pid, >, 0);
      /* It goes on running, and has nothing of the array. */
      g_object_unref (array);
      assert_no_name (name);
      close (fds[0]);
      close (fds[1]);
      wait_for_child (pid);
    }
}

/* Run by itself, with a name and how to end. */
static int
be_child (const char *name, const char *end)
{
  g_autoptr (ShndDType) dtype = new_dtype ("<i4");
  ShndArray *array = shnd_array_new (name, dtype, SHAPE (3), SHND_CREATE_NONE, NULL);
  ShndArray *opened = shnd_array_open (name, SHND_ACCESS_READ, NULL);

  if (array == NULL || opened == NULL)
    return 2;
  if (g_str_equal (end, "exit"))
    exit (0);
  if (g_str_equal (end, "release"))
    {
      shnd_release_names ();
      /* What is open can still be used, and closed. */
      ((gint32 *) shnd_array_get_data (array))[2] = 5;
      if (shnd_array_get_int64 (opened, (gint64[]){ 2 }, 1, NULL) != 5)
        _exit (3);
      g_object_unref (array);
      _exit (0);
    }
  if (g_str_equal (end, "_exit"))
    _exit (0);
  if (g_str_equal (end, "kill"))
    raise (SIGKILL);

  /* Returning from main(). */
  return 0;
}

/* A process ends without having freed anything. */
static void
test_ends (void)
{
  const char *const ends[] = { "return", "exit", "release", "_exit", "kill" };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *name = get_name ();
      g_autoptr (GError) error = NULL;
      const char *const arguments[] = { program, "--child", name, ends[i], NULL };
      int status;

      g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                   NULL, NULL, &status, &error));
      g_assert_no_error (error);
      g_assert_cmpint (status, ==, i == 4 ? SIGKILL : 0);
      assert_not_found (name);
      if (i >= 3)
        {
          /* An orphan's name can be taken, and given back. */
          ShndArray *array = make (name);

          assert_found (name);
          g_object_unref (array);
        }
      assert_no_name (name);
    }
}

typedef struct
{
  char *name;
  ShndArray *array;
  gint *n_ready;
  guint n_threads;
} Closer;

static gpointer
close_together (gpointer data)
{
  Closer *closer = data;

  g_atomic_int_inc (closer->n_ready);
  while (g_atomic_int_get (closer->n_ready) < (gint) closer->n_threads)
    g_thread_yield ();
  g_object_unref (closer->array);

  return NULL;
}

/* Of several that let go at the same time one takes the name along. */
static void
test_threads (void)
{
  Closer closers[4];
  GThread *threads[G_N_ELEMENTS (closers)];
  guint n_rounds = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 20 : 300;

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autofree char *name = get_name ();
      gint n_ready = 0;

      for (guint i = 0; i < G_N_ELEMENTS (closers); i++)
        {
          closers[i] = (Closer){ .n_ready = &n_ready, .n_threads = G_N_ELEMENTS (closers) };
          closers[i].array =
              i == 0 ? make (name) :
                       open_array (name, i % 2 ? SHND_ACCESS_READ : SHND_ACCESS_READ_WRITE);
        }
      for (guint i = 0; i < G_N_ELEMENTS (closers); i++)
        threads[i] = g_thread_new (NULL, close_together, &closers[i]);
      for (guint i = 0; i < G_N_ELEMENTS (closers); i++)
        g_thread_join (threads[i]);
      assert_no_name (name);
    }
}

static gpointer
open_and_close (gpointer data)
{
  Closer *closer = data;

  while (g_atomic_int_get (closer->n_ready) == 0)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) array = shnd_array_open (closer->name, SHND_ACCESS_READ, &error);

      if (array == NULL)
        assert_message (error, SHND_ERROR_NOT_FOUND, closer->name);
    }

  return NULL;
}

/* Names are made, removed and made again, while others let go of those that had them before: none
 * of them removes what is not theirs. */
static void
test_made_again (void)
{
  g_autofree char *name = get_name ();
  guint n_rounds = g_getenv ("SHND_TEST_VALGRIND") != NULL ? 50 : 1000;
  gint stop = 0;
  Closer opener = { .name = name, .n_ready = &stop };
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, open_and_close, &opener);

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (ShndDType) dtype = new_dtype ("u1");
      g_autoptr (GError) error = NULL;
      g_autoptr (ShndArray) array = NULL;

      /* One of the openers may still have the one before. */
      while (array == NULL)
        {
          g_clear_error (&error);
          array = shnd_array_new (name, dtype, SHAPE (5), SHND_CREATE_NONE, &error);
          if (array == NULL)
            assert_message (error, SHND_ERROR_EXISTS, name);
        }
      /* It is there until this one says otherwise, whatever others close. */
      for (guint i = 0; i < 5; i++)
        {
          g_thread_yield ();
          assert_found (name);
        }
      if (round % 3 == 0)
        g_assert_true (shnd_array_unlink (array, NULL));
      else if (round % 3 == 1)
        unlink_name (name);
    }

  g_atomic_int_set (&stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  assert_no_name (name);
}

/* What the kernel says while others open, and while somebody removes the name. */
static void
test_locks (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndDType) dtype = new_dtype ("u1");
  g_autoptr (GError) error = NULL;
  ShndArray *array = make (name);
  ShndArray *other;
  int fd = open_file (name);
  guint n_fds = count_fds ();

  g_assert_cmpint (get_byte (fd, BYTE_LEASE), ==, F_RDLCK);
  g_assert_false (lock_byte (fd, BYTE_LEASE, 1, F_WRLCK));
  /* Another holder, who knows nothing of the library. */
  g_assert_true (lock_byte (fd, BYTE_LEASE, 1, F_RDLCK));
  g_object_unref (array);
  assert_found (name);

  /* Somebody who is about to remove the name. */
  g_assert_true (lock_byte (fd, BYTE_LEASE, 1, F_WRLCK));
  assert_not_found (name);
  ASSERT_FAILS (shnd_array_new (name, dtype, SHAPE (1), 0, failure) != NULL, SHND_ERROR_EXISTS,
                name);
  g_assert_true (lock_byte (fd, BYTE_LEASE, 1, F_RDLCK));
  assert_found (name);

  /* A name is removed though somebody does not let go of the lock that is for moments. */
  array = open_array (name, SHND_ACCESS_READ_WRITE);
  g_assert_true (lock_byte (fd, BYTE_NAME, 1, F_WRLCK));
  g_assert_true (shnd_array_unlink (array, &error));
  g_assert_no_error (error);
  assert_no_name (name);
  g_assert_true (lock_byte (fd, BYTE_NAME, 1, F_UNLCK));
  /* Another one takes the name: whoever had it before leaves it alone. */
  other = make (name);
  g_assert_true (lock_byte (fd, BYTE_LEASE, 1, F_UNLCK));
  g_object_unref (array);
  assert_found (name);
  g_object_unref (other);
  assert_no_name (name);
  g_assert_cmpuint (count_fds (), ==, n_fds - 1);
  close (fd);
}

/* Opened as a file it keeps no name, and has its memory all the same. */
static void
test_path (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (GError) error = NULL;
  ShndArray *array = make (name);
  g_autoptr (ShndArray) file = shnd_array_open_path (path, SHND_ACCESS_READ_WRITE, &error);

  g_assert_no_error (error);
  g_object_unref (array);
  assert_no_name (name);
  g_assert_true (shnd_array_set_int64 (file, SHAPE (3), 5, &error));
}

/* A copy is nobody's to remove. */
static void
test_copy (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *copy_name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autofree char *copy_path = g_strconcat ("/dev/shm/", copy_name, NULL);
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  ShndArray *array = make (name);
  ShndArray *copy;
  gsize length;

  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (copy_path, contents, length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_object_unref (array);

  copy = open_array (copy_name, SHND_ACCESS_READ_WRITE);
  g_assert_true (shnd_array_get_persistent (copy));
  g_object_unref (copy);
  g_strfreev (shnd_reap (NULL));
  copy = open_array (copy_name, SHND_ACCESS_READ_WRITE);
  /* Now the page is its own. */
  g_assert_true (shnd_array_update (copy, &error));
  g_object_unref (copy);
  g_strfreev (shnd_reap (NULL));
  copy = open_array (copy_name, SHND_ACCESS_READ);
  g_assert_true (shnd_array_get_persistent (copy));
  g_object_unref (copy);
  unlink_name (copy_name);
}

int
main (int argc, char *argv[])
{
  if (argc == 4 && g_str_equal (argv[1], "--child"))
    return be_child (argv[2], argv[3]);

  program = argv[0];
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/lease/last", test_last);
  g_test_add_func ("/lease/persistent", test_persistent);
  g_test_add_func ("/lease/fork", test_fork);
  g_test_add_func ("/lease/fork/open", test_fork_then_open);
  g_test_add_func ("/lease/spawn", test_spawn);
  g_test_add_func ("/lease/ends", test_ends);
  g_test_add_func ("/lease/threads", test_threads);
  g_test_add_func ("/lease/made-again", test_made_again);
  g_test_add_func ("/lease/locks", test_locks);
  g_test_add_func ("/lease/path", test_path);
  g_test_add_func ("/lease/copy", test_copy);

  return g_test_run ();
}
