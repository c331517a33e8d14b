/* SPDX-License-Identifier: MIT */

/* The sanitizer of addresses that comes with GCC 12 takes none of its own locks when a process forks:
 * where another thread was about to allocate or free memory just then, as each is that has only
 * begun, the child never can. (C libraries do take theirs.) In a build with it the tests in C and in
 * Python fork when all other threads sleep. */

#include <dirent.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long a process waits for that, all in all, in microseconds: some have threads that never sleep,
 * and fork again and again. */
#define PATIENCE (2 * G_USEC_PER_SEC)

static gboolean
sleeps (const char *task)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%s/stat", task);
  g_autofree char *stat = NULL;
  const char *state;

  /* It may have ended. */
  if (!g_file_get_contents (path, &stat, NULL, NULL))
    return TRUE;

  /* Names of threads may contain anything. */
  state = strrchr (stat, ')');

  return state != NULL && strchr ("SZX", state[2]) != NULL;
}

static gboolean
others_sleep (void)
{
  g_autofree char *own = g_strdup_printf ("%ld", syscall (SYS_gettid));
  DIR *tasks = opendir ("/proc/self/task");
  struct dirent *task;
  gboolean all = TRUE;

  while (tasks != NULL && all && (task = readdir (tasks)) != NULL)
    {
      if (task->d_name[0] != '.' && strcmp (task->d_name, own) != 0)
        all = sleeps (task->d_name);
    }
  if (tasks != NULL)
    closedir (tasks);

  return all;
}

static void
before_fork (void)
{
  static gint64 waited;
  gint64 begin = g_get_monotonic_time ();

  while (!others_sleep () && waited + g_get_monotonic_time () - begin < PATIENCE)
    g_usleep (100);
  waited += g_get_monotonic_time () - begin;
}

__attribute__ ((constructor)) static void
init (void)
{
  pthread_atfork (before_fork, NULL, NULL);
}
